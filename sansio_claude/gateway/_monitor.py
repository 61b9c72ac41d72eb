"""StreamMonitor: what a stream says, for a program that forwards its bytes as they are."""

from __future__ import annotations

from typing import final

from sansio_claude._copies import CopiedWhole
from sansio_claude._errors import ClaudeError
from sansio_claude._json import MSGSPEC_ERRORS
from sansio_claude._limits import Limits
from sansio_claude._message.message import Message, Usage
from sansio_claude._stream.deviations import Deviation, Tolerance
from sansio_claude._stream.known import StreamState
from sansio_claude._stream.liveness import Liveness
from sansio_claude._stream.message_stream import MessageStream
from sansio_claude._stream.usual import WHOLE_ENDINGS, decode_text

__all__ = ["StreamMonitor"]


@final
class StreamMonitor(CopiedWhole):
    """Watches the bytes of one streamed answer that somebody else forwards: usage, stop reason, state, deviations.

        monitor = StreamMonitor()
        forward(chunk)
        monitor.receive_data(chunk)
        ...
        monitor.receive_eof()  # where the body has ended
        log(monitor.state, monitor.stop_reason, monitor.usage)

    Constant memory, however long the stream is: no content is kept, and of the message at most `Limits.kept` bytes.
    Never raises for what the peer sent: `error` says how the stream ended. `limits`, `tolerance` and
    `require_message_stop` are those of `MessageStream`. The bytes must be decoded from any content coding.

    One thread at a time may use a monitor; a copy or a pickle goes on as the original would.
    """

    __slots__ = ("_stream",)

    def __init__(
        self,
        *,
        limits: Limits | None = None,
        tolerance: Tolerance | None = None,
        require_message_stop: bool = True,
    ) -> None:
        self._stream = MessageStream(
            limits=limits, tolerance=tolerance, require_message_stop=require_message_stop, keep_content=False
        )

    def __repr__(self) -> str:
        liveness = self.liveness
        return f"<StreamMonitor {self.state}, {liveness.bytes} bytes received, {len(self.deviations)} deviations>"

    def receive_data(self, data: bytes | bytearray | memoryview, now: float | None = None) -> None:
        """Take some bytes of the body; `b""` is a no-op. Linear in the bytes received, for any chunking.

        `now`, in seconds on the caller's monotonic clock, is what `liveness` tells times by. Raises
        LocalProtocolError after `receive_eof`, and for what is no bytes.
        """
        stream = self._stream
        fast = stream._fast
        if fast is not None and now is None and type(data) is bytes:
            # A usual delta, which nearly every read of a stream is: nobody wants its event, it only has to be right.
            behind = data.removeprefix(fast.opening)
            raw, quote, ending = behind.rpartition(b'"')
            received = stream._received + len(data)
            if quote and ending in WHOLE_ENDINGS and behind is not data and received <= stream._fusable:
                try:
                    decode_text(quote + raw + quote)
                except MSGSPEC_ERRORS:
                    pass  # the plain way says what it is
                else:
                    stream._received = received
                    stream._number += 1
                    return
        stream.receive_data(data, now)
        stream._events = None

    def receive_eof(self) -> None:
        """The body has ended, as its framing said. Idempotent. Before message_stop that is a TruncatedError."""
        self._stream.receive_eof()
        self._stream._events = None

    def finish(self) -> Message:
        """The body has ended: the message without its content (usage, stop reason, ids), if the answer is whole.

        Raises TruncatedError where message_stop never came, or the error that the stream ended with.
        """
        self.receive_eof()
        return self._stream.finish()

    @property
    def message(self) -> Message | None:
        """The message so far, without its content; None before message_start."""
        return self._stream.message

    @property
    def usage(self) -> Usage | None:
        """The counters so far, live; None before message_start."""
        message = self._stream.message
        return None if message is None else message.usage

    @property
    def stop_reason(self) -> str | None:
        """Why the answer ended; None where the stream has not said so."""
        message = self._stream.message
        return None if message is None else message.stop_reason

    @property
    def state(self) -> StreamState:
        """ "open", "complete" (message_stop), "truncated", "errored" (an error event) or "broken"."""
        return self._stream.state

    @property
    def done(self) -> bool:
        """True from message_stop on."""
        return self._stream.done

    @property
    def error(self) -> ClaudeError | None:
        """What a reader of this stream would be raised: TruncatedError, an APIError, ...; None while it is well."""
        return self._stream._error

    @property
    def deviations(self) -> list[Deviation]:
        """What the peer did that the protocol does not say, in order; at most `Limits.deviations`."""
        return self._stream.deviations

    @property
    def liveness(self) -> Liveness:
        """When the peer last gave a sign of life, and of which kind, by the `now` given to `receive_data`."""
        return self._stream.liveness
