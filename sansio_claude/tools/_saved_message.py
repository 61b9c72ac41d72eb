"""The last answer of a tool loop that is saved: its JSON, and beside it what that cannot say."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sansio_claude._errors import LocalProtocolError, RemoteProtocolError
from sansio_claude._message.message import Message
from sansio_claude._message.written import Unsaid, WrittenMessage
from sansio_claude.tools._turn import plain

__all__ = ["message_as_dict", "message_of"]


def message_as_dict(message: Message | None) -> dict[str, Any]:
    """The parts of a saved loop that say what the last answer was."""
    if message is None:
        return {"message": None}
    written = message.to_dict()
    unsaid = {"unsaid": written.unsaid.to_dict()} if isinstance(written, WrittenMessage) else {}
    return {"message": dict(written), **unsaid}


def message_of(saved: Mapping[str, Any]) -> Message | None:
    """The last answer of a saved loop."""
    message = saved["message"]
    if message is None:
        return None
    unsaid = Unsaid.from_dict(saved.get("unsaid"))
    value = plain(message)
    try:
        return Message.from_dict(value if unsaid is None else WrittenMessage(value, unsaid))
    except RemoteProtocolError as broken:
        raise LocalProtocolError(f"this is no saved loop: `message` is no answer: {broken.message}") from broken
