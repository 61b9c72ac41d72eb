"""What can be seen of a call from outside, whoever drives it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sansio_claude._call.answer import Answer
    from sansio_claude._call.attempt import Attempt
    from sansio_claude._call.attempts import Attempts
    from sansio_claude._call.connection import Connection
    from sansio_claude._call.place import Place
    from sansio_claude._call.pool import Pool
    from sansio_claude._http.exchange import ResponseHead
    from sansio_claude._message.message import Message
    from sansio_claude._stream.message_stream import MessageStream
from sansio_claude._copies import NotCopied

__all__ = ["CallView"]


class CallView(NotCopied):
    """The state of a call: its place among the connections, and its answer so far."""

    __slots__ = ("_answer", "_attempts", "_place")
    _instead = "it belongs to one connection: make another call"
    _answer: Answer
    _attempts: Attempts
    _place: Place

    @property
    def pool(self) -> Pool[Connection]:
        """The pool that its connections come from."""
        return self._place.pool

    @property
    def attempts(self) -> tuple[Attempt, ...]:
        """The attempts that have failed so far."""
        return self._attempts.failed

    @property
    def holds_place(self) -> bool:
        """Whether it holds a place among the connections, or waits for one."""
        return self._place.ticket is not None

    @property
    def response(self) -> ResponseHead | None:
        """The head of the answer, None until it is there."""
        return self._answer.head

    @property
    def request_id(self) -> str | None:
        """The API's id of the request, None until the head is there."""
        return self._answer.request_id

    @property
    def stream(self) -> MessageStream:
        """The stream of the present attempt."""
        return self._answer.stream

    @property
    def message(self) -> Message | None:
        """The message so far."""
        return self._answer.message

    @property
    def result(self) -> Message | dict[str, Any] | None:
        """The message or the JSON object, once the answer is whole; None before."""
        return self._answer.result
