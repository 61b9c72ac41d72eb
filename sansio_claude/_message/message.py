"""Message and Usage: a whole answer, or as much of it as has come. Lossless.

Both are typed views on the JSON object that came, as the content blocks are: unknown keys, null as against absent,
and the order of keys are kept, and `Message.from_dict(d).to_dict() == d`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, TypeVar

from sansio_claude._copies import CopiedWhole
from sansio_claude._errors import LimitError, LocalProtocolError, RemoteProtocolError
from sansio_claude._errors.arguments import as_bytes
from sansio_claude._json import loads_with_halves
from sansio_claude._limits import Limits, limits_of
from sansio_claude._message.block import copy_json, kind_of
from sansio_claude._message.blocks import ContentBlock, TextBlock, ToolUseBlock, block_from_dict
from sansio_claude._message.halves import mend_message
from sansio_claude._message.tool_blocks import WHOLE_REASONS, ToolInputBlock
from sansio_claude._message.view import view_list, view_of
from sansio_claude._message.views import (
    CacheCreation,
    Container,
    ContextManagement,
    Diagnostics,
    FallbackCredit,
    InputTransformation,
    OutputTokensDetails,
    ServerToolUse,
    StopDetails,
    UsageIteration,
)
from sansio_claude._message.written import InputFact, Unsaid, WrittenMessage

__all__ = ["Message", "Usage"]

_T = TypeVar("_T")
_BOM = b"\xef\xbb\xbf"


class Usage(CopiedWhole):
    """Token counts of one request, cumulative: each is the latest the API sent, nothing is added up.

    Every count is None where the API sent none or null. `raw` has whatever else came.
    """

    __slots__ = ("_raw",)

    def __init__(self, raw: Mapping[str, Any]) -> None:
        self._raw = raw

    @property
    def raw(self) -> Mapping[str, Any]:
        """The usage object as it came and was overwritten since, live: look, do not change."""
        return self._raw

    def _count(self, key: str) -> int | None:
        value: Any = self._raw.get(key)
        return value if type(value) is int and value >= 0 else None

    @property
    def input_tokens(self) -> int | None:
        """Input tokens that were neither read from nor written to the cache."""
        return self._count("input_tokens")

    @property
    def output_tokens(self) -> int | None:
        """Output tokens, thinking included."""
        return self._count("output_tokens")

    @property
    def cache_creation_input_tokens(self) -> int | None:
        """Input tokens written to the cache."""
        return self._count("cache_creation_input_tokens")

    @property
    def cache_read_input_tokens(self) -> int | None:
        """Input tokens read from the cache."""
        return self._count("cache_read_input_tokens")

    @property
    def cache_creation(self) -> CacheCreation | None:
        """The tokens written to the cache, by time to live."""
        return view_of(CacheCreation, self._raw.get("cache_creation"))

    @property
    def server_tool_use(self) -> ServerToolUse | None:
        """How often server tools ran."""
        return view_of(ServerToolUse, self._raw.get("server_tool_use"))

    @property
    def output_tokens_details(self) -> OutputTokensDetails | None:
        """What the output tokens were used for (`thinking_tokens`)."""
        return view_of(OutputTokensDetails, self._raw.get("output_tokens_details"))

    @property
    def service_tier(self) -> str | None:
        """ "standard", "priority" or "batch"."""
        return self._word("service_tier")

    @property
    def speed(self) -> str | None:
        """ "standard" or "fast"."""
        return self._word("speed")

    @property
    def inference_geo(self) -> str | None:
        """Where the model ran."""
        return self._word("inference_geo")

    @property
    def fallback_credit(self) -> FallbackCredit | None:
        """What became of a fallback credit (beta)."""
        return view_of(FallbackCredit, self._raw.get("fallback_credit"))

    @property
    def iterations(self) -> list[UsageIteration] | None:
        """The usage of each sampling (beta); None where the wire had none or null."""
        found: Any = self._raw.get("iterations")
        return view_list(UsageIteration, found) if isinstance(found, list) else None

    def _word(self, key: str) -> str | None:
        value: Any = self._raw.get(key)
        return value if isinstance(value, str) else None

    def to_dict(self) -> dict[str, Any]:
        """A detached JSON object, equal to what came."""
        copy: dict[str, Any] = copy_json(dict(self._raw))
        return copy

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Usage):
            return NotImplemented
        return self._raw == other._raw

    __hash__: ClassVar[None] = None  # type: ignore[assignment]  # it can change

    def __repr__(self) -> str:
        return f"Usage({', '.join(f'{key}={value!r}' for key, value in self._raw.items())})"


class Message(CopiedWhole):
    """An answer of the model: of a whole JSON answer, or built from a stream's events, finished or not.

    `content` is the list of blocks in index order. The other attributes read the JSON object that came and are None
    (texts empty) where it has no such key or null. Reading a message that is finished, or whose stream has ended,
    changes nothing in it, so several threads may read it. Copies and pickles are equal and detached. `request_id`,
    which is in the answer's head, is no part of `to_dict()`, and does not count when messages are compared.
    """

    __slots__ = ("_raw", "content", "request_id", "whole")

    def __init__(self, raw: dict[str, Any], content: list[ContentBlock]) -> None:
        self.whole: bool = False
        """Whether it is known that nothing is missing: its stream came to message_stop."""
        self._raw = raw
        self.content: list[ContentBlock] = content
        """The content blocks."""
        self.request_id: str | None = None
        """The API's id of the request, where a client has got the message."""

    @classmethod
    def from_dict(cls, value: Mapping[str, Any]) -> Message:
        """The message of one JSON object (str keys, JSON values), which is copied.

        What `to_dict` gave is that message again, to the status of each input and what goes back to the API.
        Raises RemoteProtocolError where it cannot be a message: a content that is no list (null or absent is an empty
        one where the type is "message"), a block without a type, a text that is no string.
        """
        if not isinstance(value, Mapping):
            raise RemoteProtocolError(f"the message is {kind_of(value)}, not an object", stage="message")
        message = message_from_object(copy_json(dict(value)))
        if isinstance(value, WrittenMessage):
            message._take_unsaid(value.unsaid)
        return message

    @classmethod
    def from_json(cls, data: bytes | bytearray | memoryview | str, *, limits: Limits | None = None) -> Message:
        """The message of a whole (not streamed) answer body, JSON in UTF-8.

        Raises RemoteProtocolError where the body is not JSON or not a message, LimitError beyond `Limits.message`
        or `Limits.depth`.
        """
        limits = limits_of(limits)
        if isinstance(data, str):
            data = data.encode("utf-8", "surrogatepass")
        data = as_bytes(data, "from_json")
        if len(data) > limits.message:
            raise LimitError(
                f"the answer passes Limits.message = {limits.message}",
                limit="message",
                value=limits.message,
                stage="message",
            )
        # RFC 8259 section 8.1: a parser may ignore a byte order mark.
        value = loads_with_halves(data.removeprefix(_BOM), depth=limits.depth)
        value, has_halves = value
        if not isinstance(value, dict):
            raise RemoteProtocolError(
                f"the answer is {kind_of(value)}, not a message object", stage="message", excerpt=data[:80]
            )
        if has_halves:
            mend_message(value)
        return message_from_object(value)

    def _growing(self, *, keep_content: bool = True) -> Message:
        """The same message, to grow with a stream. What is nested deeper than `usage` is shared: it never changes."""
        raw = dict(self._raw)
        usage = raw.get("usage")
        if isinstance(usage, dict):
            raw["usage"] = dict(usage)
        raw["content"] = []  # what the blocks hold is not held twice
        content: list[ContentBlock] = []
        for block in self.content if keep_content else ():
            own = type(block)(dict(block._raw))
            if isinstance(own, ToolInputBlock) and isinstance(block, ToolInputBlock) and block._is_unsettled:
                own._unsettle_given()
            content.append(own)
        return Message(raw, content)

    def _settle_inputs(self, *, begins_stream: bool) -> None:
        """Decide about inputs that came as values: only the last block can have been cut, by the stop reason."""
        content = self.content
        if not content:
            return
        for block in content[:-1]:
            if isinstance(block, ToolInputBlock):
                block._settle_given()
        last = content[-1]
        if isinstance(last, ToolInputBlock):
            if self.stop_reason in WHOLE_REASONS or (self.stop_reason is None and not begins_stream):
                last._settle_given()
            else:
                last._unsettle_given()

    def _finish(self) -> None:
        """Nothing comes any more: bring the blocks into the state in which reading them changes nothing."""
        for block in self.content:
            block._finish()

    def _get(self, key: str, kind: type[_T]) -> _T | None:
        value = self._raw.get(key)
        return value if isinstance(value, kind) else None

    @property
    def raw(self) -> Mapping[str, Any]:
        """The message's JSON object without its growing content, live: look, do not change."""
        return self._raw

    @property
    def id(self) -> str:
        """The message's id; empty where none came."""
        return self._get("id", str) or ""

    @property
    def type(self) -> str:
        """ "message"."""
        return "message"

    @property
    def role(self) -> str:
        """ "assistant"."""
        return self._get("role", str) or "assistant"

    @property
    def model(self) -> str:
        """The id of the model that answered."""
        return self._get("model", str) or ""

    @property
    def stop_reason(self) -> str | None:
        """Why the model stopped: "end_turn", "max_tokens", "stop_sequence", "tool_use", "pause_turn", "refusal",
        "model_context_window_exceeded", "compaction", or one to come; None while it has not."""
        return self._get("stop_reason", str) or None

    @property
    def stop_sequence(self) -> str | None:
        """The stop sequence that was hit."""
        return self._get("stop_sequence", str)

    @property
    def stop_details(self) -> StopDetails | None:
        """More about a refusal."""
        return view_of(StopDetails, self._raw.get("stop_details"))

    @property
    def usage(self) -> Usage:
        """The token counts; empty where none came."""
        return Usage(self._get("usage", dict) or {})

    @property
    def container(self) -> Container | None:
        """The code execution container: `id` and `expires_at` (RFC 3339 text)."""
        return view_of(Container, self._raw.get("container"))

    @property
    def context_management(self) -> ContextManagement | None:
        """The edits that context management applied (beta)."""
        return view_of(ContextManagement, self._raw.get("context_management"))

    @property
    def diagnostics(self) -> Diagnostics | None:
        """Why nothing was read from the prompt cache, where that was asked for."""
        return view_of(Diagnostics, self._raw.get("diagnostics"))

    @property
    def input_transformations(self) -> list[InputTransformation]:
        """What the API changed in the request; empty where it says nothing of it."""
        return view_list(InputTransformation, self._raw.get("input_transformations"))

    @property
    def safeguard_results(self) -> list[dict[str, Any]]:
        """What the safeguards found that were asked for, as JSON objects; empty where nothing was told (beta)."""
        found: Any = self._raw.get("safeguard_results")
        return [item for item in found if isinstance(item, dict)] if isinstance(found, list) else []

    @property
    def text(self) -> str:
        """The text of all text blocks, joined."""
        return "".join([block.text for block in self.content if isinstance(block, TextBlock)])

    @property
    def tool_uses(self) -> list[ToolUseBlock]:
        """The calls of the caller's own tools."""
        return [block for block in self.content if isinstance(block, ToolUseBlock)]

    def to_dict(self) -> dict[str, Any]:
        """A detached JSON object, equal to the one that came: unknown keys and nulls included.

        A tool input that is not complete is written as `{"$incomplete_json": raw text}`. What JSON cannot say (which
        keys only a delta of an unknown type brought, whether the last input that came under max_tokens is whole) is
        kept beside the dict for `from_dict` and the pickle; the JSON text of it has it no more.
        """
        value: dict[str, Any] = {}
        for key, item in self._raw.items():
            if key == "content" and (self.content or item is not None):
                value[key] = [block.to_dict() for block in self.content]
            else:
                value[key] = copy_json(item)
        unsaid = self._unsaid()
        return WrittenMessage(value, unsaid) if unsaid else value

    def _unsaid(self) -> Unsaid:
        """What the JSON object does not say."""
        keys = {
            place: frozenset(block._unknown_delta_keys)
            for place, block in enumerate(self.content)
            if block._unknown_delta_keys
        }
        last = len(self.content) - 1
        inputs: dict[int, InputFact] = {}
        for place, block in enumerate(self.content):
            if isinstance(block, ToolInputBlock):
                fact = block._unsaid(self.stop_reason if place == last else "tool_use")
                if fact is not None:
                    inputs[place] = fact
        return Unsaid(len(self.content), keys, inputs, self.whole and self.stop_reason is None)

    def _take_unsaid(self, unsaid: Unsaid) -> None:
        content = self.content
        if len(content) != unsaid.blocks:
            return
        for place, keys in unsaid.delta_keys.items():
            if place < len(content):
                content[place]._unknown_delta_keys = set(keys)
        for place, fact in unsaid.inputs.items():
            block = content[place] if place < len(content) else None
            if isinstance(block, ToolInputBlock):
                block._take_unsaid(fact)
        self.whole = self.whole or unsaid.whole

    def to_param(self) -> dict[str, Any]:
        """The message as the next request must carry it: the role assistant, and what each block must go back as.

        Raises LocalProtocolError where a tool's input is not complete.
        """
        content = []
        for index, block in enumerate(self.content):
            try:
                content.append(block.to_param())
            except LocalProtocolError as error:
                error.path = f"content[{index}].{error.path}"
                raise
        return {"role": "assistant", "content": content}

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Message):
            return NotImplemented
        return self.to_dict() == other.to_dict()

    __hash__: ClassVar[None] = None  # type: ignore[assignment]  # it can change

    def __repr__(self) -> str:
        blocks = ", ".join(map(repr, self.content))
        return f"Message(id={self.id!r}, model={self.model!r}, stop_reason={self.stop_reason!r}, content=[{blocks}])"


def message_from_object(raw: dict[str, Any], *, begins_stream: bool = False) -> Message:
    """The message of a JSON object that nobody else holds: it is taken over, not copied.

    That of a message_start `begins_stream`: its content may be absent or null, and its stop reason is yet to come.
    Raises as `Message.from_dict` does.
    """
    for key in ("id", "model", "role", "type"):
        value = raw.get(key)
        if value is not None and not isinstance(value, str):
            raise RemoteProtocolError(f"the message's {key} is {kind_of(value)}, not a string", stage="message")
    if raw.get("type", "message") not in ("message", "", None):
        raise RemoteProtocolError(f"this is no message: its type is {raw['type']!r:.40}", stage="message")
    content = raw.get("content")
    if content is None and (begins_stream or raw.get("type") == "message"):
        content = []
    if not isinstance(content, list):
        found = kind_of(content) if "content" in raw else "missing"
        raise RemoteProtocolError(f"the message's content is {found}, not a list", stage="message")
    message = Message(raw, [block_from_dict(block) for block in content] if content else [])
    message._settle_inputs(begins_stream=begins_stream)
    return message
