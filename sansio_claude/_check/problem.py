"""Problem: one thing about a request that the API would refuse, ignore or do badly, in plain words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Literal, TypeAlias

import attrs

from sansio_claude._models import ModelInfo

__all__ = ["Problem", "Problems", "Severity", "Subject", "number", "shown"]

Severity: TypeAlias = Literal["error", "warning", "info"]


@attrs.define(frozen=True)
class Problem:
    """One finding of `request.check()`."""

    severity: Severity
    """ "error": the API refuses it, as its documents or its recorded answers say. "warning": reports say that the API
    refuses it, or the request is taken but does something else than was probably meant, or will be refused after a
    date. "info": it has no effect."""
    path: str
    """The place, such as `messages[2].content[0].source.data`; "" for the request as a whole."""
    message: str
    """What is wrong."""
    hint: str = ""
    """What to do about it; "" where the message says so."""


Problems: TypeAlias = Iterator[Problem]


@attrs.define(frozen=True)
class Subject:
    """What rules look at: a body as the server will read it, and what goes with it."""

    body: Mapping[str, Any]
    size: int
    """Bytes of the body."""
    betas: tuple[str, ...]
    """The flags of endpoint, client and request."""
    version: str
    """The anthropic-version header."""
    info: ModelInfo | None
    """What is known of the model."""
    date: str
    """The day for which is asked (ISO 8601)."""

    def beta(self, prefix: str) -> bool:
        """Whether there is a flag of this name, of whatever date."""
        return any(flag.startswith(prefix) for flag in self.betas)

    @property
    def thinking(self) -> str | None:
        """`thinking.type`; None where it is not given or is no text."""
        given = self.body.get("thinking")
        kind = given.get("type") if isinstance(given, dict) else None
        return kind if isinstance(kind, str) else None

    @property
    def thinks(self) -> bool:
        """Whether thinking is asked for."""
        return self.thinking in ("enabled", "adaptive")

    @property
    def before_4_7(self) -> bool:
        """Whether the model is older than Opus 4.7, or not known: where temperature has its old rules."""
        return self.info is None or self.info.sampling is not False


def number(value: Any) -> int | None:
    """The value if it is a whole number and no bool."""
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def shown(text: str) -> str:
    """A short text of the caller's in quotes, cut where it is long."""
    return repr(text if len(text) <= 40 else text[:40] + "...")
