"""WhatIsKnown: what can be asked of a stream while it arrives, whichever way its bytes are taken."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypeAlias

from sansio_claude._copies import CopiedWhole
from sansio_claude._errors import APIError, LocalProtocolError, RemoteProtocolError
from sansio_claude._limits import Limits, limits_of
from sansio_claude._message.blocks import ContentBlock, TextBlock
from sansio_claude._message.message import Message
from sansio_claude._message.tool_blocks import ToolInputBlock
from sansio_claude._partial_json.parser import PartialJSON, Watch
from sansio_claude._stream.accumulate import MessageAccumulator
from sansio_claude._stream.decode import Notes
from sansio_claude._stream.deviations import Deviation, Tolerance
from sansio_claude._stream.events import Event
from sansio_claude._stream.sse import SSEDecoder

if TYPE_CHECKING:
    from sansio_claude._stream.liveness import Liveness

__all__ = ["StreamState", "WhatIsKnown"]

StreamState: TypeAlias = Literal["open", "complete", "truncated", "errored", "broken"]


class WhatIsKnown(CopiedWhole):
    """The state of a stream, and its attributes for the caller. See MessageStream."""

    __slots__ = (
        "__weakref__",
        "_accumulator",
        "_body",
        "_budget",
        "_decoder",
        "_eof",
        "_error",
        "_events",
        "_idle",
        "_last_byte",
        "_last_content",
        "_last_idle",
        "_limits",
        "_notes",
        "_number",
        "_received",
        "_require_message_stop",
        "_sniffed",
        "_state",
    )

    def __init__(
        self,
        *,
        limits: Limits | None = None,
        strict: bool = False,
        tolerance: Tolerance | None = None,
        require_message_stop: bool = True,
        keep_content: bool = True,
    ) -> None:
        self._limits = limits = limits_of(limits)
        self._require_message_stop = require_message_stop
        self._decoder: SSEDecoder | None = None  # made when it is needed: a faster way may never need it
        self._accumulator = MessageAccumulator(
            limits=limits, strict=strict, tolerance=tolerance, keep_content=keep_content
        )
        self._events: list[Event] | None = (
            None  # None where there are none, so that the first event makes a list of one
        )
        self._error: RemoteProtocolError | APIError | None = None
        self._state: StreamState = "open"
        self._eof = False
        self._notes: Notes = []  # filled by the decoding of one event, and empty again before the next
        self._idle = 0  # events so far that carry nothing: pings, and what was skipped
        self._last_byte: float | None = None
        self._last_content: float | None = None
        self._last_idle: float | None = None
        self._body: list[bytes] | None = []  # all bytes, while they may be a whole message and not a stream
        self._received = 0  # bytes of the body
        self._number = 0  # events so far, those that say nothing included
        self._sniffed = b""  # the first bytes, while no event has come, for the words of an error
        self._budget = limits.message if keep_content else float("inf")
        self._prepare()

    def _prepare(self) -> None:
        """Set what a faster way needs. (An `__init__` of its own, with all of these arguments, takes twice as long.)"""

    def __repr__(self) -> str:
        counts = f"{self._number} events, {self._received} bytes received"
        return f"<{type(self).__name__} {self._state}, {counts}>"

    # What is known.

    @property
    def message(self) -> Message | None:
        """The message so far, live; None before message_start."""
        return self._accumulator.message

    @property
    def done(self) -> bool:
        """True from message_stop on: the message is whole, nothing more is needed."""
        return self._accumulator.done

    @property
    def complete_but_for_stop(self) -> bool:
        """Whether a stop reason came in a message_delta, no block is open, and only message_stop is missing.

        With `require_message_stop=False` an end of the body here gives the whole message.
        """
        return self._accumulator._complete_but_for_stop and self._state == "open"

    @property
    def state(self) -> StreamState:
        """ "open", "complete", "truncated", "errored" or "broken"."""
        return self._state

    @property
    def deviations(self) -> list[Deviation]:
        """What the peer did that the protocol does not say, in order."""
        return self._accumulator.deviations

    def _block(self, index: int) -> ContentBlock:
        block = self._accumulator.blocks.get(index) if isinstance(index, int) else None
        if block is None:
            raise LocalProtocolError(f"there is no block {index!r:.40}")
        return block

    def partial_input(self, index: int) -> PartialJSON:
        """The input of the tool block at `index` while it is arriving: the stream's own object, it grows with it.

        Its `value` is the best value so far, `changes()` what is new. Raises LocalProtocolError where there is no
        such block, or where no content is kept.
        """
        block = self._block(index)
        if not isinstance(block, ToolInputBlock):
            raise LocalProtocolError(f"block {index} is no tool call")
        return block._input_parser()

    def partial_output(self, index: int) -> PartialJSON:
        """The text block at `index` read as JSON while it is arriving (structured output, `output_config.format`).

        Asking for it is what begins it; from then on it grows with the stream. Raises LocalProtocolError where there
        is no such block, or where no content is kept.
        """
        block = self._block(index)
        if not isinstance(block, TextBlock):
            raise LocalProtocolError(f"block {index} is no text")
        if block._as_json is None:
            block._as_json = PartialJSON(max_depth=self._limits.depth)
            block._as_json.feed(block.text)
        return block._as_json

    @property
    def liveness(self) -> Liveness:
        """When the peer last gave a sign of life, and of which kind, by the `now` given to `receive_data`."""
        from sansio_claude._stream.liveness import Liveness

        return Liveness(
            self._received,
            self._number - self._idle,
            self._idle,
            self._last_byte,
            self._last_content,
            self._last_idle,
        )

    def watch(self, index: int, path: str | tuple[str | int, ...]) -> Watch:
        """Watch one place in the input of the tool block at `index`, or in the JSON of the text block there.

        `path` is like "file_text" (the new pieces of that string) or "rows[*]" (each row when it is whole); ask the
        watch for what is `new()`. Raises LocalProtocolError as `partial_input` does, or where `path` is no path.
        """
        if isinstance(self._block(index), TextBlock):
            return Watch(self.partial_output(index), path)
        return Watch(self.partial_input(index), path)
