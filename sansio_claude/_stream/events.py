"""The events of a Claude stream, flat.

Every class is built positionally and has `type`, the wire's event type ("content_block_delta" for every delta),
deltas also `delta_type`; the last field is `extra`, a dict of the keys the class does not know, or None. Of a delta
these are the unknown keys of the event and of its `delta`; where both have one of the same name, those of the delta are
in `extra["delta"]`.
Whatever is not known at all is kept whole: UnknownEvent, UnknownDelta.

Source: the Messages API's streaming reference, stable and beta. `_decode` makes them of what came.
"""

from __future__ import annotations

from typing import Any, ClassVar, Literal, TypeAlias

from attrs import define

from sansio_claude._message.blocks import ContentBlock
from sansio_claude._message.message import Message
from sansio_claude._value import Value

__all__ = [
    "CitationsDelta",
    "CompactionDelta",
    "ContentBlockDelta",
    "ContentBlockStart",
    "ContentBlockStop",
    "ErrorEvent",
    "Event",
    "InputJSONDelta",
    "MessageDelta",
    "MessageStart",
    "MessageStop",
    "Ping",
    "SignatureDelta",
    "TextDelta",
    "ThinkingDelta",
    "UnknownDelta",
    "UnknownEvent",
]

Extra: TypeAlias = dict[str, Any] | None


@define(eq=False, repr=False)
class MessageStart(Value):
    """The answer begins. `message` is as sent: it does not grow with the stream."""

    type: ClassVar[Literal["message_start"]] = "message_start"
    message: Message
    extra: Extra = None
    """Keys that this version does not know; None where there are none."""


@define(eq=False, repr=False)
class ContentBlockStart(Value):
    """A block begins. `content_block` is as sent: it does not grow with the stream."""

    type: ClassVar[Literal["content_block_start"]] = "content_block_start"
    index: int
    """The block's place in the message's content, from 0."""
    content_block: ContentBlock
    extra: Extra = None
    """Keys that this version does not know; None where there are none."""


@define(eq=False, repr=False)
class TextDelta(Value):
    """More text of a text block."""

    type: ClassVar[Literal["content_block_delta"]] = "content_block_delta"
    delta_type: ClassVar[Literal["text_delta"]] = "text_delta"
    index: int
    """The block's place in the message's content, from 0."""
    text: str
    """The characters that follow those before."""
    extra: Extra = None
    """Keys that this version does not know; None where there are none."""


@define(eq=False, repr=False)
class InputJSONDelta(Value):
    """More JSON text of a tool's input; may be empty."""

    type: ClassVar[Literal["content_block_delta"]] = "content_block_delta"
    delta_type: ClassVar[Literal["input_json_delta"]] = "input_json_delta"
    index: int
    """The block's place in the message's content, from 0."""
    partial_json: str
    """The characters of JSON text that follow those before."""
    extra: Extra = None
    """Keys that this version does not know; None where there are none."""


@define(eq=False, repr=False)
class ThinkingDelta(Value):
    """More thinking."""

    type: ClassVar[Literal["content_block_delta"]] = "content_block_delta"
    delta_type: ClassVar[Literal["thinking_delta"]] = "thinking_delta"
    index: int
    """The block's place in the message's content, from 0."""
    thinking: str
    """The characters that follow those before."""
    extra: Extra = None
    """Keys that this version does not know; None where there are none."""

    @property
    def estimated_tokens(self) -> int | None:
        """The thinking tokens since the last estimate, where they are told (beta flag `thinking-token-count-...`). The
        sum over a block shows progress; what counts is `usage.output_tokens`."""
        value: Any = self.extra.get("estimated_tokens") if self.extra else None
        return value if type(value) is int else None


@define(eq=False, repr=False)
class SignatureDelta(Value):
    """The signature of a thinking block, whole."""

    type: ClassVar[Literal["content_block_delta"]] = "content_block_delta"
    delta_type: ClassVar[Literal["signature_delta"]] = "signature_delta"
    index: int
    """The block's place in the message's content, from 0."""
    signature: str
    """What the API checks when the block is sent back; opaque."""
    extra: Extra = None
    """Keys that this version does not know; None where there are none."""


@define(eq=False, repr=False)
class CitationsDelta(Value):
    """One more citation of a text block, as a JSON object."""

    type: ClassVar[Literal["content_block_delta"]] = "content_block_delta"
    delta_type: ClassVar[Literal["citations_delta"]] = "citations_delta"
    index: int
    """The block's place in the message's content, from 0."""
    citation: dict[str, Any]
    """Its JSON object, with the `type` that says what is cited."""
    extra: Extra = None
    """Keys that this version does not know; None where there are none."""


@define(eq=False, repr=False)
class CompactionDelta(Value):
    """The whole summary of a compaction block (beta); `content` None: the compaction failed.

    An `encrypted_content` that the wire sent as null is also in `extra`, to tell it from an absent one.
    """

    type: ClassVar[Literal["content_block_delta"]] = "content_block_delta"
    delta_type: ClassVar[Literal["compaction_delta"]] = "compaction_delta"
    index: int
    """The block's place in the message's content, from 0."""
    content: Any
    encrypted_content: str | None = None
    extra: Extra = None
    """Keys that this version does not know; None where there are none."""


@define(eq=False, repr=False)
class UnknownDelta(Value):
    """A delta of a type this version does not know; `raw` is its JSON object."""

    type: ClassVar[Literal["content_block_delta"]] = "content_block_delta"
    index: int
    """The block's place in the message's content, from 0."""
    raw: dict[str, Any]
    extra: Extra = None
    """Keys that this version does not know; None where there are none."""

    @property
    def delta_type(self) -> str:
        """The delta's type on the wire; empty where it had none."""
        kind: Any = self.raw.get("type")
        return kind if isinstance(kind, str) else ""


@define(eq=False, repr=False)
class ContentBlockStop(Value):
    """A block has ended. MessageStream puts the finished block in; plain `decode` leaves None."""

    type: ClassVar[Literal["content_block_stop"]] = "content_block_stop"
    index: int
    """The block's place in the message's content, from 0."""
    content_block: ContentBlock | None = None
    """The finished block; None from plain `decode`."""
    extra: Extra = None
    """Keys that this version does not know; None where there are none."""


@define(eq=False, repr=False)
class MessageDelta(Value):
    """Changes at the top of the message: `delta` with stop_reason and the like, `usage` cumulative; as sent.

    Either is None where the wire had none, null, or (usage) no object.
    """

    type: ClassVar[Literal["message_delta"]] = "message_delta"
    delta: dict[str, Any] | None
    usage: dict[str, Any] | None
    extra: Extra = None
    """Keys that this version does not know; None where there are none."""


@define(eq=False, repr=False)
class MessageStop(Value):
    """The answer is whole. MessageStream puts the finished message in; plain `decode` leaves None."""

    type: ClassVar[Literal["message_stop"]] = "message_stop"
    message: Message | None = None
    """The finished message; None from plain `decode`."""
    extra: Extra = None
    """Keys that this version does not know; None where there are none."""


@define(eq=False, repr=False)
class Ping(Value):
    """A sign of life."""

    type: ClassVar[Literal["ping"]] = "ping"
    extra: Extra = None
    """Keys that this version does not know; None where there are none."""


@define(eq=False, repr=False)
class ErrorEvent(Value):
    """The server gives up in the middle of the stream; `error` has `type` and `message`.

    Where the server sent words instead of an object, `error` is `{"message": words}`.
    """

    type: ClassVar[Literal["error"]] = "error"
    error: dict[str, Any]
    extra: Extra = None
    """Keys that this version does not know; None where there are none."""


@define(eq=False, repr=False)
class UnknownEvent(Value):
    """An event of a type this version does not know.

    `raw` is its JSON object, or its data as a str where that is no JSON object; `name` its event name on the wire.
    """

    raw: Any
    name: str = "message"
    extra: Extra = None
    """Keys that this version does not know; None where there are none."""

    @property
    def type(self) -> str:
        """The JSON's own type where it has one, else the event's name."""
        kind: Any = self.raw.get("type") if isinstance(self.raw, dict) else None
        return kind if isinstance(kind, str) else self.name


ContentBlockDelta: TypeAlias = (
    TextDelta | InputJSONDelta | ThinkingDelta | SignatureDelta | CitationsDelta | CompactionDelta | UnknownDelta
)
"""Every kind of delta."""

Event: TypeAlias = (
    MessageStart
    | ContentBlockStart
    | ContentBlockDelta
    | ContentBlockStop
    | MessageDelta
    | MessageStop
    | Ping
    | ErrorEvent
    | UnknownEvent
)
"""Every kind of event; what is not known is an UnknownEvent."""
