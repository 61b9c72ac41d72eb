"""MessageStream: body bytes in, typed events and the message out. The hot path.

It runs the plain chain, SSEDecoder -> decode -> MessageAccumulator, and beside it a fused path for what nearly all
of a stream is: deltas of the open block in the API's own spelling, each a whole event. The fused path takes an event
only when it can prove that the plain chain would give the same one: the bytes before the text are those expected of
the open block, the text holds no escape that needs care, the bytes behind it close the JSON and the event, the text
is legal UTF-8 without control characters. Everything else goes the plain way, so the fused path decides nothing.
A property test holds both equal on good and hostile input in every chunking.

What was measured of the kernels alone (CPython 3.11, in costs of a typed msgspec decode of the same payload, about
0.32 us). One event a call: rsplit at the last two quotes 3.1; the C string scanner behind a compared prefix 3.3 (it
stays, for escapes); a regular expression on bytes 3.5. Many events a call: split at the few bytes before each text
1.9; the same at all that stands between two texts 2.4 (a long needle is a slow search); one split by a regular
expression 2.7; frame by frame with the string scanner 2.8, with rsplit 3.4; msgspec's decode_lines 2.4.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from itertools import repeat
from json import decoder as json_decoder
from typing import Final, final

from sansio_claude._block import GrowingBlock
from sansio_claude._blocks import ContentBlock, TextBlock, ThinkingBlock
from sansio_claude._errors import (
    LocalProtocolError,
)
from sansio_claude._events import (
    ContentBlockStart,
    ContentBlockStop,
    Event,
    InputJSONDelta,
    MessageStop,
    TextDelta,
    ThinkingDelta,
)
from sansio_claude._limits import Limits
from sansio_claude._partial_json import PartialJSON
from sansio_claude._plain_stream import PlainStream, StreamState, as_bytes
from sansio_claude._tool_blocks import MCPToolUseBlock, ServerToolUseBlock, ToolInputBlock, ToolUseBlock

__all__ = ["MessageStream", "StreamState"]

# The standard library's string scanner, in C where there is one: text and the index behind an opening quote -> the
# string's value and the index behind its closing quote. Strict: refuses control characters.
scanstring: Final[Callable[[str, int], tuple[str, int]]] = json_decoder.scanstring  # type: ignore[attr-defined]

_EVENT: Final = b"event: "
_NEXT: Final = b"\n\n" + _EVENT
_FRAME: Final = b'event: content_block_delta\ndata: {"type":"content_block_delta","index":'
# How the deltas that carry text are spelled: between the index and the kind, and up to the text.
_DELTA: Final = b',"delta":{"type":'
_ARMING: Final = frozenset({ContentBlockStart, ContentBlockStop, MessageStop})  # events that begin or end deltas
_SPELLINGS: Final[dict[type, tuple[bytes, Callable[[int, str], Event]]]] = {
    TextBlock: (b'"text_delta","text":"', TextDelta),
    ThinkingBlock: (b'"thinking_delta","thinking":"', ThinkingDelta),
    **dict.fromkeys(
        (ToolUseBlock, ServerToolUseBlock, MCPToolUseBlock), (b'"input_json_delta","partial_json":"', InputJSONDelta)
    ),
}
# The API pads nearly every event with 0 to 15 spaces before its last brace.
_ENDINGS: Final = tuple(b"}" + b" " * n + b"}\n\n" for n in range(64))
_USUAL_ENDINGS: Final = _ENDINGS[:16]
_STR_ENDINGS: Final = frozenset(ending.decode() for ending in _ENDINGS)
_FIRST_WINDOW: Final = 1024  # bytes of a read that are split at once, at first
_WINDOW: Final = 16 * 1024  # and at most
_HELD: Final = 1024  # bytes of an unfinished event that may wait: joined at each read, so it must stay small


@lru_cache(maxsize=1024)
def _spelled(index: int, mark: bytes) -> tuple[bytes, bytes, frozenset[bytes]]:
    """For the deltas of the block at `index`: the lead, the opening, and what may stand behind a text.

    The opening is all that stands before a text: the lead, then the mark, which is the last of it. Behind a text
    stands an ending, and behind that nothing or the next delta's lead.
    """
    lead = b"%b%d%b" % (_FRAME, index, _DELTA)
    return lead, lead + mark, frozenset((*_ENDINGS, *[ending + lead for ending in _USUAL_ENDINGS]))


@final
class MessageStream(PlainStream):
    """One streamed answer: body bytes in, typed events and the message out. No I/O, no clock.

        stream = MessageStream()
        stream.receive_data(chunk)
        for event in stream.events_received(): ...
        stream.receive_eof()

    `limits` bounds what is kept, `strict=True` refuses what is otherwise only recorded as a deviation,
    `keep_content=False` keeps no content (see MessageAccumulator), in constant memory and without `Limits.message`.
    """

    __slots__ = (
        "_append",
        "_border",
        "_extend",
        "_fusable",
        "_held",
        "_index",
        "_joints",
        "_largest",
        "_lead",
        "_make",
        "_mark",
        "_opening",
        "_ready",
        "_window",
    )

    def __init__(self, *, limits: Limits | None = None, strict: bool = False, keep_content: bool = True) -> None:
        super().__init__(limits=limits, strict=strict, keep_content=keep_content)
        self._largest = self._decoder.never_too_large
        self._fusable: float = 0  # up to how many bytes received the fused path need not look at limits
        self._border = False  # whether the decoder holds nothing: the next byte begins an event
        self._held = b""  # the beginning of an event, at most _HELD bytes, that the decoder has not seen
        # The fused path is armed (opening not None) at the border of two events while a block of text, thinking or
        # tool input is open. Ready: the same but for the border.
        self._opening: bytes | None = None
        self._ready: bytes | None = None
        self._window = _FIRST_WINDOW
        self._lead = b""
        self._mark = b""
        self._joints: frozenset[bytes] = frozenset()
        self._index = 0
        self._make: Callable[[int, str], Event] = TextDelta
        self._append: Callable[[str], object] = len
        self._extend: Callable[[list[str]], object] = len

    # Reading.

    def receive_data(self, data: bytes | bytearray | memoryview) -> None:
        """Take some body bytes; `b""` is a no-op. Never raises for what the peer sent.

        Raises LocalProtocolError after `receive_eof`. After `done` the bytes are ignored (a further event is a
        deviation). Linear in the bytes received, for any chunking.
        """
        opening = self._opening
        if opening is not None:
            try:
                if data.startswith(opening):  # type: ignore[union-attr]
                    whole = data.decode()  # type: ignore[union-attr]
                    text, end = scanstring(whole, len(opening))
                    received = self._received + len(data)
                    if (
                        whole[end:] in _STR_ENDINGS
                        and received <= self._fusable
                        and (text.isascii() or "\\u" not in whole)  # half a surrogate pair must not get in
                    ):
                        self._received = received
                        self._number += 1
                        self._append(text)
                        self._events.append(self._make(self._index, text))
                        return
            except (ValueError, TypeError, AttributeError):
                pass  # no such string, no UTF-8, or no bytes: looked into below
        data = as_bytes(data)
        if self._eof:
            raise LocalProtocolError("receive_data after receive_eof: the stream has ended")
        if self._error is None and data:
            self._receive(data)
            # As many bytes more cannot pass a limit, neither of one event nor of the whole.
            self._fusable = min(self._received + self._largest, self._budget)

    # The fused path.

    def _take_bytes(self, data: bytes) -> None:
        held = self._held
        if held:
            data = self._release() + data
        if not self._border:
            cut = data.find(b"\n\n") + 2
            if cut == 1:
                self._plain(data)
                return
            self._plain(data[:cut])
            if self._refused():
                return
            data = data[cut:]
        if len(data) > self._largest or b"\r" in data:
            self._plain(data)
            return
        if not held and data.find(b"\n\n") + 2 == len(data):
            self._frame(data)  # one event, which the fused path has not taken
            return
        at = 0
        while at < len(data) and self._error is None:
            if not data.startswith(_EVENT, at) and len(data) - at >= len(_EVENT):
                # Comments, blank lines, data without a name: all of it at once, up to an event of the usual shape.
                end = data.find(_NEXT, at) + 2
                if end == 1:
                    end = len(data)
                self._plain(data[at:end])
                at = end
                continue
            window = data[at : at + self._window]
            taken = self._deltas(window) if self._opening is not None else 0
            end = window.find(b"\n\n", taken) + 2
            if end != 1:
                # The next event is no delta of the open block, or spelled otherwise.
                self._window = _FIRST_WINDOW
                self._frame(window[taken:end])
                at += end
            elif at + len(window) == len(data):
                if taken < len(window):
                    self._rest(window[taken:])
                return
            elif taken:
                self._window = min(2 * self._window, _WINDOW)
                at += taken
            else:
                end = data.find(b"\n\n", at) + 2
                if end == 1:
                    self._rest(data[at:])
                    return
                self._frame(data[at:end])
                at = end

    def _deltas(self, window: bytes) -> int:
        """The bytes of the deltas taken from a window, which begins at the border of two events.

        Between the texts of two deltas of one block there is nearly always the same: quote, padding, line ends, the
        next event up to its text. So the window is split at the few bytes before each text, and what follows each
        text is compared whole. Windows grow while nothing else comes, and bound what is split in vain when it does.
        """
        mark, lead, joints = self._mark, self._lead, self._joints
        first, *pieces = window.split(mark)
        if first != lead:
            return 0
        texts = []
        taken = rest = 0
        for piece in pieces:
            raw, _, joint = piece.partition(b'"')
            try:
                if joint in joints:
                    text = raw.decode()
                    if text.isprintable() and "\\" not in text:
                        texts.append(text)
                        continue
                after = piece.decode()
                text, end = scanstring(after, 0)
                if "\\u" in after[:end]:
                    break
                joint = after[end:].encode()
                if joint in joints:
                    texts.append(text)
                    continue
                border = joint.find(b"\n\n") + 2
                if joint[:border] in joints:  # whole, with something other behind it
                    texts.append(text)
                    rest = len(joint) - border
            except ValueError:
                pass
            break
        count = len(texts)
        if count:
            taken = count * len(mark) + sum(map(len, pieces[:count]))
            if rest or (window.endswith(b"\n\n") and count == len(pieces)):
                taken += len(lead) - rest  # behind the last of them stands no lead of the next
            self._received += taken
            self._number += count
            self._events += map(self._make, repeat(self._index), texts)
            self._extend(texts)
        return taken

    def _frame(self, frame: bytes) -> None:
        """One whole event, LF only, at the border: the usual two lines need no decoder of lines."""
        name, found, data = frame.partition(b"\ndata: ")
        if not found or not name.startswith(b"event: ") or frame.count(b"\n") != 3 or not self._border:
            self._plain(frame)
            return
        begin = self._received
        self._received = begin + len(frame)
        self._take(self._decoder._name_of(name[7:]) or "message", data[:-2], begin)
        self._opening = None if self._refused() else self._ready

    def _rest(self, data: bytes) -> None:
        """The beginning of an event: a short one waits here for the next read."""
        if self._border and len(data) <= _HELD and self._state == "open":
            self._held = data
            self._received += len(data)
            self._opening = None
        else:
            self._plain(data)

    def _release(self) -> bytes:
        """What waits, as if it had never come."""
        held, self._held = self._held, b""
        self._received -= len(held)
        self._opening = self._ready
        return held

    def _arm(self, event: Event) -> None:
        """Get the fused path ready for the deltas of the block that has just started, or of none."""
        self._ready = None
        if type(event) is ContentBlockStart:
            block = self._accumulator.open[event.index]
            spelling = _SPELLINGS.get(type(block))
            if spelling is not None:
                self._mark, self._make = spelling
                self._index = event.index
                self._lead, self._ready, self._joints = _spelled(event.index, self._mark)
                self._append, self._extend = self._keepers(block)

    def _keepers(self, block: ContentBlock) -> tuple[Callable[[str], object], Callable[[list[str]], object]]:
        """What takes a text, and a list of texts, to the block."""
        if not self._accumulator.keeps_content:
            return len, len  # something cheap that keeps nothing
        if isinstance(block, TextBlock) and block.mirror is not None:
            return block.receive, lambda texts: block.receive("".join(texts))
        assert isinstance(block, (GrowingBlock, ToolInputBlock))
        return block.pieces.append, block.pieces.extend

    def partial_output(self, index: int) -> PartialJSON:
        """The text block at `index` read as JSON while it is arriving (structured output, `output_config.format`).

        Asking for it is what begins it; from then on it grows with the stream. Raises LocalProtocolError where there
        is no such block, or where no content is kept.
        """
        parser = super().partial_output(index)
        if self._ready is not None and index == self._index:
            self._append, self._extend = self._keepers(self._accumulator.open[index])
        return parser

    # Into the plain chain.

    def _plain(self, data: bytes) -> None:
        decoder = self._decoder
        if self._border:
            decoder.offset = self._received  # the decoder has not seen what was fused
        self._opening = None
        super()._plain(data)
        self._border = decoder.at_boundary
        if self._border and not self._refused():
            self._opening = self._ready

    def _flush(self) -> None:
        if self._held:
            self._plain(self._release())
        self._ready = self._opening = None

    def _accepted(self, event: Event) -> None:
        if type(event) in _ARMING and (type(event) is not ContentBlockStop or event.index == self._index):
            self._arm(event)
