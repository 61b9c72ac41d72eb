"""Recording: what a `Recorder` wrote, to be looked at or replayed with its times, faster, or at once.

    recording = Recording.load("session.jsonl")
    server = ReplayServer(recording.answers(speed=2), once=True)

Format, version 1. The file is JSON lines in UTF-8. The first line is an object with `format` ("sansio-claude
recording"), `version` (1) and `notice`, which says that prompts and answers are in the file. Every further line is
an object with `call` (a number, new for each attempt), `at` (seconds since the recording
began) and `kind`:

- request: `method`, `target`, `headers` (a list of [name, value]), `body` (text, or null where it is not known)
- response: `status`, `headers`
- read: the bytes of one read of the body (transfer and content coding taken off), as `text` where they are UTF-8,
  else as `base64`; one line a read
- end: `whole`, whether the body came to its own end, and `error`, the name of what was raised, or null

A reader passes over keys and kinds that it does not know; a change that this does not cover is a new version.
"""

from __future__ import annotations

import json
import os
from base64 import b64decode
from collections.abc import Iterable, Sequence
from typing import Any, Final, Self

import attrs

from sansio_claude._errors import LocalProtocolError
from sansio_claude.testing._answers import Answer

__all__ = ["FORMAT", "NOTICE", "VERSION", "RecordedCall", "Recording"]

FORMAT: Final = "sansio-claude recording"
VERSION: Final = 1
NOTICE: Final = "Prompts and answers are in this file. Keys that were known when it was written are replaced by x."
# What the answer of a replay server says by itself.
_FRAMING: Final = frozenset({"content-length", "transfer-encoding", "connection", "content-encoding", "keep-alive"})


@attrs.define(eq=False)
class RecordedCall:
    """One answer of a recording, and what was asked as far as that is known (else None or empty).

    Times are seconds since the recording began.
    """

    number: int
    """The number of the call in the recording, from 1."""
    method: str | None = None
    """The HTTP method."""
    target: str | None = None
    """Path and query."""
    request_headers: tuple[tuple[str, str], ...] = ()
    """The headers of the request, without the keys."""
    request_body: str | None = attrs.field(default=None, repr=False)
    """The body of the request as text, without the keys."""
    requested_at: float | None = None
    """When the request was sent."""
    status: int = 200
    """The status code of the answer."""
    headers: tuple[tuple[str, str], ...] = ()
    """The headers of the answer."""
    responded_at: float | None = None
    """When the head of the answer came."""
    reads: list[tuple[float, bytes]] = attrs.field(factory=list, repr=lambda reads: f"<{len(reads)} reads>")
    """Each read of the body: when, and the bytes."""
    whole: bool = False
    """Whether the body came to its own end."""
    error: str | None = None
    """The name of what was raised; None where nothing was."""

    @property
    def data(self) -> bytes:
        """All of the body."""
        return b"".join(data for _, data in self.reads)

    @property
    def chunks(self) -> list[bytes]:
        """The body in the pieces in which it was read."""
        return [data for _, data in self.reads]

    def answer(self, speed: float | None = 1.0) -> Answer:
        """The answer that a replay server gives: with the times as recorded, `speed` times as fast, or at once (None).

        What was cut is cut again. Raises LocalProtocolError for a speed that is not above 0.
        """
        if speed is not None and not speed > 0:
            raise LocalProtocolError(f"a speed has to be above 0, or None for at once, not {speed!r}")
        times = [at for at, _ in self.reads]
        head = self.responded_at if self.responded_at is not None else (times[0] if times else 0.0)
        asked = self.requested_at if self.requested_at is not None else head
        pauses = [max(0.0, late - early) for early, late in zip([head, *times], times, strict=False)]
        factor = 0.0 if speed is None else 1.0 / speed
        return Answer(
            pieces=tuple(self.chunks),
            status=self.status,
            headers=tuple((name, value) for name, value in self.headers if name.lower() not in _FRAMING),
            delay=max(0.0, head - asked) * factor,
            pauses=tuple(pause * factor for pause in pauses),
            end="clean" if self.whole else "close",
        )


@attrs.define(eq=False)
class Recording:
    """A recorded file: its calls in the order in which they began."""

    calls: tuple[RecordedCall, ...]
    """The calls."""

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Self:
        """Read a file. Raises OSError, or LocalProtocolError where it is no recording of a version known here."""
        with open(path, encoding="utf-8") as file:
            return cls.from_lines(file)

    @classmethod
    def from_lines(cls, lines: Iterable[str]) -> Self:
        """Read the lines of a file; see `load`."""
        calls: dict[int, RecordedCall] = {}
        for number, text in enumerate(lines, 1):
            try:
                line = json.loads(text)
                if number == 1:
                    _check(line)
                else:
                    _add(calls, line)
            except (ValueError, KeyError, TypeError, RecursionError) as error:
                words = f"line {number} is none of a recording ({type(error).__name__}: {error})"
                raise LocalProtocolError(words) from error
        return cls(tuple(calls.values()))

    def answers(self, speed: float | None = 1.0) -> list[Answer]:
        """The answers of all calls, as the script of a replay server; see `RecordedCall.answer`."""
        return [call.answer(speed) for call in self.calls]


def _check(line: Any) -> None:
    if not isinstance(line, dict) or line.get("format") != FORMAT:
        raise LocalProtocolError(f"this is no recording: its first line does not say {FORMAT!r}")
    if line.get("version") != VERSION:
        raise LocalProtocolError(f"this recording has version {line.get('version')!r}; version {VERSION} is known here")


def _add(calls: dict[int, RecordedCall], line: dict[str, Any]) -> None:
    kind, number = line["kind"], line["call"]
    call = calls.setdefault(number, RecordedCall(number))
    if kind == "request":
        call.method, call.target, call.request_body = line["method"], line["target"], line["body"]
        call.request_headers, call.requested_at = _pairs(line["headers"]), float(line["at"])
    elif kind == "response":
        call.status, call.headers = int(line["status"]), _pairs(line["headers"])
        call.responded_at = float(line["at"])
    elif kind == "read":
        data = b64decode(line["base64"]) if "base64" in line else line["text"].encode()
        call.reads.append((float(line["at"]), data))
    elif kind == "end":
        call.whole, call.error = line["whole"], line["error"]


def _pairs(value: Sequence[Sequence[str]]) -> tuple[tuple[str, str], ...]:
    return tuple((str(name), str(content)) for name, content in value)
