"""The arguments of a tool loop, and their check. Pure functions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs

from sansio_claude._errors import LocalProtocolError
from sansio_claude._message.message import Message
from sansio_claude._request.request import MessageRequest, Unset
from sansio_claude._request.turns import turn_blocks
from sansio_claude._value import an

__all__ = ["arguments_of", "check_answer", "concurrency_of", "limit_of", "said_blocks"]


def arguments_of(given: MessageRequest | None, request: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments that were given, those of a MessageRequest below those by name."""
    if not isinstance(given, MessageRequest | None):
        raise LocalProtocolError(
            f"the request is a MessageRequest, not {an(type(given).__name__)}: give its arguments by their names, "
            "as in ToolLoop(model=..., max_tokens=..., messages=[...])"
        )
    try:
        whole = MessageRequest(**request) if given is None else given.replace(**request)
    except TypeError as error:
        words = str(error).replace("MessageRequest.__init__()", "the request")
        raise LocalProtocolError(
            f"{words} (what the library does not know yet can go into extra_body={{...}})"
        ) from error
    _check_messages(whole.messages)
    return {
        field.name: value
        for field in attrs.fields(MessageRequest)
        if (value := getattr(whole, field.name)) is not field.default
    }


def _check_messages(messages: Any) -> None:
    if isinstance(messages, Unset | None):
        return
    if not isinstance(messages, list | tuple):
        raise LocalProtocolError(
            f"messages must be a list of turns, not {an(type(messages).__name__)}", path="messages"
        )
    for place, turn in enumerate(messages):
        if not _is_object(turn):
            path = f"messages[{place}]"
            raise LocalProtocolError(f"{path} is {an(type(turn).__name__)}, not a turn such as user(...)", path=path)


def limit_of(name: str, value: Any) -> int | None:
    """A limit of the loop, if that is what it is. Raises LocalProtocolError."""
    if value is None or (isinstance(value, int) and not isinstance(value, bool)):
        return value
    raise LocalProtocolError(f"{name} must be a whole number, or None, not {an(type(value).__name__)}", path=name)


def concurrency_of(value: Any) -> int:
    """How many calls may run at once, if that is what it is. Raises LocalProtocolError."""
    if isinstance(value, int) and not isinstance(value, bool) and value >= 1:
        return value
    raise LocalProtocolError("concurrency must be 1 or more, a whole number", path="concurrency")


def said_blocks(content: tuple[Any, ...]) -> list[Any]:
    """The blocks of what the user adds. Raises LocalProtocolError for what is neither text nor block."""
    blocks = turn_blocks(content)
    if not blocks:
        raise LocalProtocolError("add_user() needs a text or at least one content block", path="content")
    for block in blocks:
        if not _is_object(block):
            words = f"add_user() takes texts and content blocks, not {an(type(block).__name__)}"
            raise LocalProtocolError(words, path="content")
    return blocks


def _is_object(value: Any) -> bool:
    return isinstance(value, Mapping) or hasattr(value, "to_param") or hasattr(value, "model_dump")


def check_answer(message: Any, *, asked: bool) -> None:
    """Raises LocalProtocolError where no answer was asked for, or this is none."""
    if not asked:
        raise LocalProtocolError("no answer was asked for: follow next_action()")
    if not isinstance(message, Message):
        raise LocalProtocolError(
            f"receive_message() takes the whole Message, not {an(type(message).__name__)}: Message.from_dict() and "
            "Message.from_json() make one"
        )
