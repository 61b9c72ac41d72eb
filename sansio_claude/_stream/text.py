"""text_of: the text that an event adds to the answer."""

from __future__ import annotations

from sansio_claude._message.blocks import TextBlock
from sansio_claude._stream.events import ContentBlockStart, Event, MessageStart, TextDelta

__all__ = ["text_of"]


def text_of(event: Event) -> str:
    """The text that `event` adds to the answer; empty for an event that adds none.

    Text comes in a TextDelta, in a content_block_start that has text already, and in the content of a message_start.
    Over the events of a MessageStream whose blocks come in index order, the pieces joined are `message.text`.
    """
    if type(event) is TextDelta:
        return event.text
    if type(event) is ContentBlockStart:
        block = event.content_block
        return block.text if isinstance(block, TextBlock) else ""
    if type(event) is MessageStart:
        return event.message.text
    return ""
