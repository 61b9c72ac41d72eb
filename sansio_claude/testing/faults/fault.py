"""What a fault is, and the bytes that faults are put together from."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any, Final, Literal, TypeAlias

import attrs

from sansio_claude.testing.faults.server import READ, Step
from sansio_claude.testing.transcripts import compose

__all__ = [
    "BODY",
    "CHUNKED",
    "EVENTS",
    "FAULTS",
    "GOOD",
    "GOOD_END",
    "HEAD",
    "KEY",
    "TEXT",
    "Ends",
    "Fault",
    "add",
    "answer",
    "chunk",
    "chunks",
    "event",
    "fixed",
    "head",
    "refusal",
    "stream",
]

Ends: TypeAlias = Literal["whole", "error", "either"]
Scripts: TypeAlias = Sequence[Sequence[Step]]

KEY: Final = "sk-ant-fault-0123456789abcdef"
"""The key that client programs are given."""
TEXT: Final = "Hello, grüße, \U0001f642!"
"""The text of the right answer."""
EVENTS: Final[tuple[bytes, ...]] = compose(TEXT, seed=1, pings="none").frames
"""The right answer, event by event."""
BODY: Final = b"".join(EVENTS)

_GOOD: Final[dict[Ends, str]] = {
    "whole": "Gives the whole answer.",
    "error": "Raises an error, in time, and takes nothing for a whole answer.",
    "either": "Gives the whole answer or raises an error; never a part of the answer as if it were whole.",
}


@attrs.define(frozen=True, kw_only=True, eq=False)
class Fault:
    """One thing that goes wrong between a client and a server.

    `scripts` are what the server plays, one for each connection, the last one again and again; a function gets the
    address of another origin. Steps are those of `sansio_claude.testing.faults.server`.
    """

    name: str
    """Its name, such as "trunc_clean_mid_text"."""
    group: str
    """The kind of fault, as the report groups them."""
    what: str
    """What the server does."""
    ends: Ends
    """How it ends with a good client: the whole answer, an error, or either."""
    good: str
    """What a good client does."""
    scripts: Scripts | Callable[[str], Scripts] = attrs.field(repr=False)
    requests: int | None = None
    """The most requests that a good client sends, retries included; None says that it does not matter."""


FAULTS: Final[dict[str, Fault]] = {}
"""Every fault by its name."""


def add(
    group: str,
    name: str,
    ends: Ends,
    what: str,
    *steps: Step,
    good: str = "",
    requests: int | None = None,
    scripts: Scripts | Callable[[str], Scripts] | None = None,
) -> None:
    """Add a fault whose server reads a request and then does `steps`, or plays `scripts`."""
    assert name not in FAULTS, name
    FAULTS[name] = Fault(
        name=name,
        group=group,
        what=what,
        ends=ends,
        good=good or _GOOD[ends],
        scripts=scripts if scripts is not None else ((READ, *steps),),
        requests=requests,
    )


def head(status: int | str = 200, *fields: str, framing: str | None = "transfer-encoding: chunked") -> bytes:
    """The head of an answer."""
    lines = [f"HTTP/1.1 {status} Whatever", "request-id: req_fault", *fields]
    return "\r\n".join([*lines, *([] if framing is None else [framing]), "", ""]).encode("latin-1")


def chunk(*pieces: bytes) -> bytes:
    """Each piece a chunk, no end."""
    return b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces if piece)


def chunks(*pieces: bytes) -> bytes:
    """A whole chunked body."""
    return chunk(*pieces) + b"0\r\n\r\n"


HEAD: Final = head(200, "content-type: text/event-stream; charset=utf-8")
CHUNKED: Final = chunks(*EVENTS)
GOOD: Final = HEAD + CHUNKED
GOOD_END: Final = EVENTS[-3:]
"""The stop of the block, the message_delta and the message_stop."""


def stream(*pieces: bytes) -> bytes:
    """A whole answer with these pieces as its chunks."""
    return HEAD + chunks(*pieces)


def event(value: dict[str, Any] | str, name: str | None = None) -> bytes:
    """An event of the stream; a str is its data as it stands."""
    kind = name or (value["type"] if isinstance(value, dict) else "x")
    data = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return f"event: {kind}\ndata: {data}\n\n".encode()


def fixed(content: bytes, *fields: str, status: int = 200, kind: str = "application/json") -> bytes:
    """A whole answer with a Content-Length."""
    return head(status, f"content-type: {kind}", *fields, framing=f"content-length: {len(content)}") + content


def answer(value: Any, *fields: str, status: int = 200) -> bytes:
    """A whole JSON answer."""
    return fixed(json.dumps(value, ensure_ascii=False).encode(), *fields, status=status)


def refusal(status: int, kind: str, *fields: str) -> bytes:
    """A refusal as the API gives it."""
    payload = {"type": "error", "error": {"type": kind, "message": "no"}, "request_id": "req_fault"}
    return answer(payload, *fields, status=status)
