"""read_wrapped: event streams that came in another wrapping, as the event stream that they stand for.

Some relays and tools do not send server-sent events as the standard has them, though each event is the API's:

- JSON lines, one event a line;
- the stream-json of command-line agents, whose lines have an event in them: {"type": "stream_event", "event": {...}};
- `data:` lines without a blank line between them, which only a client that reads line by line can understand.

Which it is can be seen by the first lines. Everything else passes unchanged.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import Any, ClassVar, Final, Literal, Self, TypeAlias, final

from sansio_claude._copies import NotCopied
from sansio_claude._errors import LocalProtocolError
from sansio_claude._errors.arguments import as_bytes
from sansio_claude._limits import Limits, limits_of
from sansio_claude._stream.encode import name_of
from sansio_claude._value import an

__all__ = ["WRAPPINGS", "FirstLook", "WrappedIterator", "Wrapping", "messages_of", "read_wrapped"]

Wrapping: TypeAlias = Literal["sse", "json_lines", "stream_json", "no_blank_lines"]
"""How a stream came."""

WRAPPINGS: Final[Mapping[Wrapping, str]] = MappingProxyType(
    {
        "sse": "Server-sent events, or something that is none of the other three: it passes unchanged.",
        "json_lines": "One event a line as bare JSON: server-sent events have the field name `data:` and a blank line.",
        "stream_json": "The stream-json of a command-line agent: each event stands inside of a line of JSON.",
        "no_blank_lines": "One event a line without blank lines: in server-sent events a blank line ends an event, so "
        "all of this is a single event that never ends.",
    }
)
"""Every wrapping, and why it is no stream of server-sent events."""

_BLOCK_EVENTS: Final = ("content_block_start", "content_block_delta", "content_block_stop")
_TYPES: Final = frozenset({"message_start", "message_delta", "message_stop", "ping", *_BLOCK_EVENTS})
_OF_AGENTS: Final = frozenset({"stream_event", "system"})
_WHOLE: Final = frozenset({"message", "error"})  # what is an answer by itself
_BOM: Final = b"\xef\xbb\xbf"


def read_wrapped(chunks: Iterable[bytes], *, limits: Limits | None = None) -> WrappedIterator:
    """The bytes of the event stream in a body that may have come as JSON lines, as the stream-json of an agent, or
    without blank lines: `for data in read_wrapped(chunks): stream.receive_data(data)`.

    A stream of server-sent events passes as it came, and so does everything else that is none of these. `wrapping`
    says which it is, `words` why that is no stream of server-sent events. Reads no further than it has to, changes no
    event, and raises nothing for what the peer sent: a line that is no JSON is handed on, to be refused there. Beyond
    the first `Limits.event` bytes nothing is looked for.
    """
    return WrappedIterator(chunks, limits_of(limits))


@final
class WrappedIterator(NotCopied, Iterator[bytes]):
    """What `read_wrapped` gives: bytes of an event stream; of a wrapping one whole event each time.

    `wrapping` is None until enough has come to say.
    """

    _instead: ClassVar[str] = "it reads the chunks that it was made of; copy those and call read_wrapped again"

    def __init__(self, chunks: Iterable[bytes], limits: Limits) -> None:
        self.wrapping: Wrapping | None = None
        """How the stream came; None while that is not known."""
        self._limits = limits
        self._fields: list[bytes] = []  # lines in front of a data line, where no blank line ends an event
        given: object = chunks
        if not isinstance(given, Iterable):
            raise LocalProtocolError(f"chunks is an iterable of bytes, not {an(type(given).__name__)}", path="chunks")
        self._pieces = self._read(iter(chunks))

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {self.wrapping or 'what has not come yet'}>"

    @property
    def words(self) -> str:
        """Why this is no stream of server-sent events; empty where it is one, or where it is not known yet."""
        return "" if self.wrapping in (None, "sse") else WRAPPINGS[self.wrapping]

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> bytes:
        return next(self._pieces)

    def _read(self, chunks: Iterator[bytes]) -> Iterator[bytes]:
        held: list[bytes] = []
        look = FirstLook(self._limits)
        for given in chunks:
            chunk = as_bytes(given)
            held.append(chunk)
            self.wrapping = look.at(chunk)
            if self.wrapping is not None:
                break
        if self.wrapping is None:
            self.wrapping = look.at_the_end()
        if self.wrapping == "sse":
            yield from held
            yield from map(as_bytes, chunks)
            return
        for line, ended in _lines(held, map(as_bytes, chunks)):
            frame = self._frame(line, ended)
            if frame:
                yield frame

    def _frame(self, line: bytes, ended: bool) -> bytes:
        """One line as the event stream has it; empty where it is no event. A last line that is cut stays a cut one."""
        text = line.removeprefix(_BOM).strip(b" \t\r\n")
        if not text:
            return b""
        if self.wrapping == "no_blank_lines":
            self._fields.append(text + b"\n")
            if not text.startswith(b"data"):
                return b""
            frame = b"".join(self._fields)
            self._fields = []
            return frame + b"\n" if ended or isinstance(_json(text.partition(b":")[2]), dict) else frame
        value = _json(text)
        if not isinstance(value, dict):
            return b"data: " + text + (b"\n\n" if ended else b"")  # for the decoder to refuse, or to see a cut
        if value.get("type") == "stream_event":
            self.wrapping = "stream_json"
            event = value.get("event")
            if isinstance(event, dict):  # else it is kept as it is: an event that nobody knows
                value, text = event, json.dumps(event).encode()
        elif self.wrapping == "stream_json" and not _is_event(value.get("type")):
            return b""  # what an agent says beside the events
        if b"\r" in text:  # white space between two tokens, which would end the line
            text = json.dumps(value).encode()
        return b"event: " + name_of(value).encode(errors="replace") + b"\ndata: " + text + b"\n\n"


class FirstLook:
    """Says by the first lines how a stream came. Each byte is looked at a bounded number of times."""

    def __init__(self, limits: Limits) -> None:
        self._left = limits.event  # bytes after which nothing is looked for
        self._line: list[bytes] = []  # of the line that has not ended
        self._after_cr = False  # whether the last byte was CR
        self._begun = False  # whether a line that says something has come
        self._lines = False  # whether the first line was JSON that may be one of several
        self._has_data = False  # whether a data line with a whole object has come

    def at(self, chunk: bytes) -> Wrapping | None:
        """What it is, as far as it has come; None where that cannot be said."""
        looked_at = chunk[: self._left]
        self._left -= len(looked_at)
        found = self._at(looked_at) if looked_at else None
        return found or ("sse" if len(looked_at) < len(chunk) else None)

    def _at(self, chunk: bytes) -> Wrapping | None:
        *ended, rest = chunk.split(b"\n")
        # A line that ends in CR alone belongs to an event stream; no relay is known that sends the others so.
        lone_cr = (self._after_cr and not chunk.startswith(b"\n")) or b"\r" in rest[:-1]
        self._after_cr = rest.endswith(b"\r")
        for piece in ended:
            line = b"".join([*self._line, piece])
            self._line = []
            if b"\r" in line[:-1] and not self._lines:
                return "sse"
            found = self._at_line(line.removesuffix(b"\r"))
            if found is not None:
                return found
        if rest:
            self._line.append(rest)
        if self._lines and rest.lstrip():
            return self._of_lines(rest.lstrip())
        return "sse" if lone_cr and not self._lines else None

    def at_the_end(self) -> Wrapping:
        """What it is, when no more comes."""
        found = self._at_line(b"".join(self._line)) if self._line else None
        return found or "sse"

    def _at_line(self, line: bytes) -> Wrapping | None:
        text = line if self._begun else line.removeprefix(_BOM)
        if not text.strip():
            return "sse" if self._has_data or (self._begun and not self._lines) else None
        begun, self._begun = self._begun, True
        if self._lines:
            return self._of_lines(text.lstrip())
        if text.lstrip().startswith(b"{") and not begun:
            return self._of_json(_json(text))
        name, _, data = text.partition(b":")
        if name != b"data":
            return None if name in (b"", b"event", b"id", b"retry") else "sse"
        if not isinstance(_json(data), dict):
            return "sse"
        if self._has_data:
            return "no_blank_lines"
        self._has_data = True
        return None

    def _of_json(self, value: Any) -> Wrapping | None:
        kind = value.get("type") if isinstance(value, dict) else None
        if not isinstance(kind, str):
            return "sse"
        if kind in _OF_AGENTS:
            return "stream_json"
        if kind in _TYPES:
            return "json_lines"
        self._lines = kind not in _WHOLE
        return None if self._lines else "sse"

    def _of_lines(self, text: bytes) -> Wrapping:
        return "json_lines" if text.startswith(b"{") else "sse"


def _is_event(kind: object) -> bool:
    return isinstance(kind, str) and (kind in _TYPES or kind == "error")


def _json(text: bytes) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _lines(held: Iterable[bytes], rest: Iterable[bytes]) -> Iterator[tuple[bytes, bool]]:
    """The lines without their ends, and whether they had one."""
    line: list[bytes] = []
    for chunks in (held, rest):
        for chunk in chunks:
            first, *others = chunk.split(b"\n")
            line.append(first)
            for piece in others:
                yield b"".join(line), True
                line = [piece]
    if line:
        yield b"".join(line), False


def messages_of(frames: Iterable[bytes]) -> Iterator[Iterator[bytes]]:
    """The frames of each message in turn: an agent asks several times. Each has to be read before the next is taken."""
    rest = iter(frames)
    first = next(rest, None)
    while first is not None:
        left: list[bytes] = []
        yield _one_message(first, rest, left)
        first = left[0] if left else None


def _one_message(first: bytes, rest: Iterator[bytes], left: list[bytes]) -> Iterator[bytes]:
    yield first
    over = False
    for frame in rest:
        if over and frame.startswith((b"event: message_start\n", b"event:message_start\n")):
            left.append(frame)
            return
        over = over or frame.startswith((b"event: message_stop\n", b"event:message_stop\n"))
        yield frame
