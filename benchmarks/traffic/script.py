"""What the replay server can be asked for, in the words of a request's path, and the bytes it answers with.

A path is `/MODE/SHAPE/GROUP/STREAMS/EVENTS/EVERY` before whatever the client appends (`/v1/messages`):

* `whole`: all of the shape's first answer at once, one HTTP chunk for each event;
* `each`: the same with one write for each event;
* `paced`: EVENTS stamped events, one every EVERY microseconds, once STREAMS streams of this GROUP have begun;
* `held`: the first event, and the rest when the GROUP is released;
* `fault-KIND`: something broken, see `faults`.

Everything is made before it is asked for a second time: while measuring, the server only copies bytes.
"""

from __future__ import annotations

import functools
import json

import attrs

from benchmarks.traffic.composer import Body, Composer
from benchmarks.traffic.shapes import shape

__all__ = ["HEAD", "LAST_CHUNK", "STAMP_DIGITS", "Script", "chunk", "fault", "stamped", "whole_bytes"]

STAMP_DIGITS = 19
"""Characters of a stamp: nanoseconds of the system's monotonic clock, which all processes share."""

HEAD = (
    b"HTTP/1.1 200 OK\r\n"
    b"Date: Fri, 21 Nov 2025 21:00:00 GMT\r\n"
    b"Content-Type: text/event-stream; charset=utf-8\r\n"
    b"Transfer-Encoding: chunked\r\n"
    b"Connection: keep-alive\r\n"
    b"Cache-Control: no-cache\r\n"
    b"anthropic-ratelimit-requests-limit: 4000\r\n"
    b"anthropic-ratelimit-requests-remaining: 3999\r\n"
    b"anthropic-ratelimit-requests-reset: 2025-11-21T21:00:00Z\r\n"
    b"anthropic-ratelimit-tokens-limit: 2400000\r\n"
    b"anthropic-ratelimit-tokens-remaining: 2399000\r\n"
    b"anthropic-ratelimit-tokens-reset: 2025-11-21T21:00:01Z\r\n"
    b"request-id: req_011CVMHq1uP4kDf5mWnT7cVb\r\n"
    b"strict-transport-security: max-age=31536000; includeSubDomains; preload\r\n"
    b"anthropic-organization-id: 3f5e2b3a-0000-4000-8000-6f2b7a1c9d10\r\n"
    b"X-Robots-Tag: none\r\n"
    b"cf-cache-status: DYNAMIC\r\n"
    b"\r\n"
)

LAST_CHUNK = b"0\r\n\r\n"


@attrs.define(frozen=True)
class Script:
    """One path, taken apart."""

    mode: str
    shape: str = "chat"
    group: str = "0"
    streams: int = 1
    events: int = 0
    every: int = 0
    """Microseconds between two events of one stream."""

    @property
    def path(self) -> str:
        """The path that asks for this."""
        return f"/{self.mode}/{self.shape}/{self.group}/{self.streams}/{self.events}/{self.every}"

    @classmethod
    def from_path(cls, path: str) -> Script:
        parts = path.split("/")[1:7]
        parts += ["chat", "0", "1", "0", "0"][len(parts) - 1 :]
        return cls(parts[0], parts[1], parts[2], int(parts[3]), int(parts[4]), int(parts[5]))


def chunk(data: bytes) -> bytes:
    """One HTTP chunk."""
    return b"%x\r\n%b\r\n" % (len(data), data)


@attrs.define(frozen=True)
class Stamped:
    """A text stream whose deltas carry the time they were sent at: what comes before, between, after."""

    opening: bytes
    before: bytes
    after: bytes
    ending: bytes


@functools.cache
def stamped() -> Stamped:
    """The chunks of a stamped stream; each delta is `before`, 19 digits, `after`."""
    digits = "0" * STAMP_DIGITS
    made = Composer("stamped")
    made.text([digits])
    body = made.finish()
    at = next(i for i, frame in enumerate(body.frames) if digits.encode() in frame)
    before, after = chunk(body.frames[at]).split(digits.encode())
    return Stamped(
        opening=b"".join(map(chunk, body.frames[:at])),
        before=before,
        after=after,
        ending=b"".join(map(chunk, body.frames[at + 1 :])) + LAST_CHUNK,
    )


def answer(name: str) -> Body:
    """The answer that a shape's name stands for: the first of the shape."""
    return shape(name).bodies[0]


@functools.cache
def whole_bytes(name: str) -> bytes:
    """A whole response, head to last chunk, one chunk for each event."""
    return HEAD + b"".join(map(chunk, answer(name).frames)) + LAST_CHUNK


def _json_answer(status: bytes, kind: str, words: str, extra: bytes = b"") -> bytes:
    body = json.dumps({"type": "error", "error": {"type": kind, "message": words}}).encode()
    return b"HTTP/1.1 %b\r\nContent-Type: application/json\r\n%bContent-Length: %d\r\n\r\n%b" % (
        status,
        extra,
        len(body),
        body,
    )


def fault(kind: str, name: str) -> tuple[bytes, bool]:
    """What a broken server sends, and whether it then closes the connection. None closes it behind a whole body: then
    the next request could meet the end of the connection on its way, which is a fault of its own.

    `cut` (the connection closes in the middle of an event), `short` (the body ends well, the message does not),
    `error` (an error event), `chunk` (an illegal chunk size), `json` (an event that is no JSON), `html` (an error
    page), `silent` (closed without an answer), `overloaded` (529).
    """
    frames = answer(name).frames
    half = HEAD + b"".join(map(chunk, frames[: len(frames) // 2]))
    event = b'event: error\ndata: {"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}   }\n\n'
    torn = b'event: content_block_delta\ndata: {"type":"content_block_delta","index":0,"del\n\n'
    page = b"HTTP/1.1 500 Oops\r\nContent-Type: text/html\r\nContent-Length: 15\r\n\r\n<html>no</html>"
    table: dict[str, tuple[bytes, bool]] = {
        "cut": (half + chunk(frames[len(frames) // 2])[:-20], True),
        "short": (half + LAST_CHUNK, False),
        "error": (half + chunk(event) + LAST_CHUNK, False),
        "chunk": (half + b"zz\r\nhello\r\n", True),
        "json": (half + chunk(torn) + LAST_CHUNK, False),
        "html": (page, False),
        "silent": (b"", True),
        "overloaded": (
            _json_answer(b"529 Overloaded", "overloaded_error", "Overloaded", b"Retry-After: 0.01\r\n"),
            False,
        ),
    }
    return table[kind]
