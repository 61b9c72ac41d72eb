"""MessageStream: body bytes in, typed events and the message out. The hot path.

It runs the plain chain, SSEDecoder -> decode -> MessageAccumulator, and beside it a fused path for what nearly all
of a stream is: deltas of the open block in the API's own spelling, each a whole event. The fused path takes an event
only when it can prove that the plain chain would give the same one: the bytes before the text are those expected of
the open block, the text holds no escape that needs care, the bytes behind it close the JSON and the event, the text
is legal UTF-8 without control characters. Everything else goes the plain way, so the fused path decides nothing.
A property test holds both equal on good and hostile input in every chunking.

XXX
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Final, final

import msgspec

from sansio_claude._block import GrowingBlock
from sansio_claude._blocks import ContentBlock, TextBlock, ThinkingBlock
from sansio_claude._errors import LocalProtocolError
from sansio_claude._events import (
    ContentBlockStart,
    ContentBlockStop,
    Event,
    MessageStop,
    input_json_delta,
    text_delta,
    thinking_delta,
)
from sansio_claude._limits import Limits
from sansio_claude._partial_json import PartialJSON
from sansio_claude._plain_stream import PlainStream, StreamState, as_bytes
from sansio_claude._sse import EVENT_LINES
from sansio_claude._tool_blocks import MCPToolUseBlock, ServerToolUseBlock, ToolInputBlock, ToolUseBlock

__all__ = ["MessageStream", "StreamState"]

_decode_text: Final[Callable[[bytes], str]] = msgspec.json.Decoder(str).decode
_decode_texts: Final[Callable[[bytes], list[str]]] = msgspec.json.Decoder(str).decode_lines

_EVENT: Final = b"event: "
_NEXT: Final = b"\n\n" + _EVENT
_DATA: Final = b"\ndata: "
_LEAD: Final = b"event: content_block_delta\n"
# As numbers: to look for a bytes in a bytes, CPython first raises and drops an exception, at 0.3 us.
_LF: Final = 10
_CR: Final = 13
_ARMING: Final = frozenset({ContentBlockStart, ContentBlockStop, MessageStop})  # events that begin or end deltas
# How the deltas that carry text are spelled, behind their index up to the text, and what makes an event of one.
_SPELLINGS: Final[dict[type, tuple[bytes, Callable[[int, str], Event]]]] = {
    TextBlock: (b'"text_delta","text":"', text_delta),
    ThinkingBlock: (b'"thinking_delta","thinking":"', thinking_delta),
    **dict.fromkeys(
        (ToolUseBlock, ServerToolUseBlock, MCPToolUseBlock), (b'"input_json_delta","partial_json":"', input_json_delta)
    ),
}
# The API pads nearly every event with 0 to 15 spaces before its last brace.
_ENDINGS: Final = frozenset(b"}" + b" " * n + b"}\n\n" for n in range(64))
# Between the text of a delta and the mark of the next one.
_JOINTS: Final = frozenset(ending + _LEAD for ending in _ENDINGS)
_FIRST_WINDOW: Final = 1024  # bytes of a read that are split at once, at first
_WINDOW: Final = 16 * 1024  # and at most
_HELD: Final = 1024  # bytes of an unfinished event that may wait: joined at each read, so it must stay small


@lru_cache(maxsize=1024)
def _spelled(index: int, kind: bytes) -> tuple[bytes, bytes]:
    """What stands before a text of the block at `index`: all of it, and all of it behind the lead.

    The second is what reads are split at. It is kept below 100 bytes: from there on CPython prepares every single
    search, which takes longer than searching.
    """
    mark = b'data: {"type":"content_block_delta","index":%d,"delta":{"type":%b' % (index, kind)
    return _LEAD + mark, mark


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
        "_largest",
        "_make",
        "_mark",
        "_opening",
        "_ready",
        "_window",
    )

    def __init__(self, *, limits: Limits | None = None, strict: bool = False, keep_content: bool = True) -> None:
        super().__init__(limits=limits, strict=strict, keep_content=keep_content)
        self._largest = self._decoder.never_too_large
        # Up to how many bytes received no limit can be passed, neither that of one event nor that of the whole.
        self._fusable = min(self._largest, self._budget)
        # Whether nothing is held, neither here nor in the decoder: the next byte begins an event.
        self._border = True
        self._held = b""  # the beginning of an event, at most _HELD bytes, that the decoder has not seen
        # The fused path is armed (opening not None) at the border of two events while a block of text, thinking or
        # tool input is open. Ready: the same but for the border.
        self._opening: bytes | None = None
        self._ready: bytes | None = None
        self._window = _FIRST_WINDOW
        self._mark = b""
        self._index = 0
        self._make: Callable[[int, str], Event] = text_delta
        self._append: Callable[[str], object] = len
        self._extend: Callable[[list[str]], object] = len

    # Reading.

    def receive_data(self, data: bytes | bytearray | memoryview) -> None:
        """Take some body bytes; `b""` is a no-op. Never raises for what the peer sent.

        Raises LocalProtocolError after `receive_eof`. After `done` the bytes are ignored (a further event is a
        deviation). Linear in the bytes received, for any chunking.
        """
        opening = self._opening
        if opening is not None and type(data) is bytes:
            behind = data.removeprefix(opening)
            if behind is not data:
                raw, quote, ending = behind.rpartition(b'"')
                received = self._received + len(data)
                if ending in _ENDINGS and received <= self._fusable:
                    try:
                        text = _decode_text(quote + raw + quote)
                    except ValueError:
                        pass  # no one string: looked into below
                    else:
                        self._received = received
                        self._number += 1
                        self._append(text)
                        event = self._make(self._index, text)
                        if self._events is None:
                            self._events = [event]
                        else:
                            self._events.append(event)
                        return
        data = as_bytes(data)
        if self._eof:
            raise LocalProtocolError("receive_data after receive_eof: the stream has ended")
        if self._error is None and data and not (self._border and self._whole(data)):
            self._receive(data)

    # The fused path.

    def _whole(self, data: bytes) -> bool:
        """Take one whole event of the usual two lines, LF only: its name and its data need no decoder of lines.

        False where it is anything else, or may pass a limit. Only at the border of two events.
        """
        line, _, rest = data.partition(_DATA)
        name = EVENT_LINES.get(line)
        raw = rest.removesuffix(b"\n\n")
        begin = self._received
        received = begin + len(data)
        if name is None or raw is rest or received > self._fusable or _LF in raw or _CR in raw:
            return False
        self._received = received
        self._take(name, raw, begin)
        self._opening = None if self._error is not None else self._ready
        return True

    def _take_bytes(self, data: bytes) -> None:
        if self._held:
            data = self._release() + data
        self._fusable = min(self._received + self._largest, self._budget)
        if not self._border:
            cut = data.find(b"\n\n") + 2
            if cut == 1:
                self._plain(data)
                return
            self._plain(data[:cut])
            if self._refused():
                return
            data = data[cut:]
        if not self._border or len(data) > self._largest or _CR in data:
            self._plain(data)
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

        Between the texts of two deltas of one block there is nearly always the same but for the padding. So the
        window is split at what stands before each text, what stands behind it is compared whole, and all texts are
        decoded at once, as lines of JSON: a line feed cannot be part of a string, so that as many strings as lines
        are one for each. Windows grow while nothing else comes, and bound what is split in vain when it does.
        """
        mark = self._mark
        first, *pieces = window.split(mark)
        if first != _LEAD:
            return 0
        raws = []
        for piece in pieces:
            raw, _, joint = piece.rpartition(b'"')
            if joint not in _JOINTS:
                break
            raws.append(raw)
        texts = _texts(raws)
        taken = len(texts) * len(mark) + sum(map(len, pieces[: len(texts)]))
        if len(texts) < len(pieces):
            # Behind this one stands nothing, or something else.
            piece = pieces[len(texts)]
            border = piece.find(b"\n\n") + 2
            raw, quote, ending = piece[:border].rpartition(b'"')
            if ending in _ENDINGS:
                try:
                    texts.append(_decode_text(quote + raw + quote))
                    taken += len(_LEAD) + len(mark) + border
                except ValueError:
                    pass
        if not texts:
            return 0
        self._received += taken
        self._number += len(texts)
        index, make = self._index, self._make
        events = [make(index, text) for text in texts]
        if self._events is None:
            self._events = events
        else:
            self._events += events
        self._extend(texts)
        return taken

    def _frame(self, frame: bytes) -> None:
        """The bytes up to a blank line, at the border of two events."""
        if not (self._border and self._whole(frame)):
            self._plain(frame)

    def _rest(self, data: bytes) -> None:
        """The beginning of an event: a short one waits here for the next read."""
        if self._border and len(data) <= _HELD and self._state == "open":
            self._held = data
            self._received += len(data)
            self._opening = None
            self._border = False
        else:
            self._plain(data)

    def _release(self) -> bytes:
        """What waits, as if it had never come."""
        held, self._held = self._held, b""
        self._received -= len(held)
        self._opening = self._ready
        self._border = True
        return held

    def _arm(self, event: Event) -> None:
        """Get the fused path ready for the deltas of the block that has just started, or of none."""
        self._ready = None
        if type(event) is ContentBlockStart:
            block = self._accumulator.open[event.index]
            spelling = _SPELLINGS.get(type(block))
            if spelling is not None:
                kind, self._make = spelling
                self._index = event.index
                self._ready, self._mark = _spelled(event.index, kind)
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
        if self._border and self._received:
            decoder.begin_at(self._received)  # it has not seen what was fused
        self._opening = None
        super()._plain(data)
        self._border = self._error is None and decoder.at_boundary
        if self._border:
            self._opening = self._ready

    def _flush(self) -> None:
        if self._held:
            self._plain(self._release())
        self._ready = self._opening = None

    def _accepted(self, event: Event) -> None:
        if type(event) in _ARMING and (type(event) is not ContentBlockStop or event.index == self._index):
            self._arm(event)


def _texts(raws: list[bytes]) -> list[str]:
    """The strings that stand between quotes, up to the first that is none."""
    try:
        texts = _decode_texts(b'"' + b'"\n"'.join(raws) + b'"') if raws else []
        if len(texts) == len(raws):
            return texts
    except ValueError:
        pass
    texts = []
    for raw in raws:
        try:
            texts.append(_decode_text(b'"' + raw + b'"'))
        except ValueError:
            break
    return texts
