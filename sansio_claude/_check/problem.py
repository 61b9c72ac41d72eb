"""Problem: one thing about a request that the API would refuse, ignore or do badly, in plain words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Literal, TypeAlias

import attrs

from sansio_claude._models import ModelInfo

__all__ = ["Problem", "Problems", "Severity", "Subject", "number"]

Severity: TypeAlias = Literal["error", "warning", "info"]


@attrs.define(frozen=True)
class Problem:
    """One finding of `request.check()`."""

    severity: Severity
    """ "error": the API refuses it. "warning": it is taken, but is not what was meant or will end. "info": it does no
    harm and no good."""
    path: str
    """The place, such as `messages[2].content[0].source.data`; "" for the request as a whole."""
    message: str
    """What is wrong."""
    hint: str = ""
    """What to do about it; "" where that is plain."""


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
    info: ModelInfo | None
    """What is known of the model."""

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
