"""MessageRequest: one call of the Messages API as data, and its body.

Arguments have the wire's own names. An argument that is not given is absent on the wire, None is null. Nothing is
added, dropped or changed on the way; whether the API will take it is what `check()` is for.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, Literal, Protocol, Self, TypeAlias, runtime_checkable
from urllib.parse import quote, urlencode

import attrs

from sansio_claude._errors import LocalProtocolError
from sansio_claude._json import dumps, loads_input

if TYPE_CHECKING:
    from sansio_claude._check import Problem

__all__ = [
    "UNSET",
    "CountTokensRequest",
    "MessageRequest",
    "Param",
    "SupportsParam",
    "Unset",
    "assistant",
    "tool_result",
    "user",
]


class Unset(enum.Enum):
    """The type of `UNSET`: an argument that was not given, and so is absent on the wire."""

    UNSET = "UNSET"

    def __repr__(self) -> str:
        return "UNSET"

    def __bool__(self) -> bool:
        return False


UNSET: Final = Unset.UNSET


@runtime_checkable
class SupportsParam(Protocol):
    """An object that can stand in a request: Message, every content block, a tool."""

    def to_param(self) -> Any:
        """What goes onto the wire for it: a value of JSON."""
        ...


Param: TypeAlias = Mapping[str, Any] | SupportsParam
Object: TypeAlias = Param | None | Unset

_HEADER_CARRIED: Final = {
    "user_profile_id": "anthropic-user-profile-id",
    "workspace_id": "anthropic-workspace-id",
}
_NOT_BODY: Final = frozenset({*_HEADER_CARRIED, "betas", "extra_headers", "extra_query", "extra_body"})


def _listed(value: Any) -> Any:
    """Anything that can be gone through once (a generator, a view) as a list; everything else as it is."""
    if isinstance(value, Iterable) and not isinstance(
        value, list | tuple | str | bytes | bytearray | Mapping
    ):
        return list(value)
    return value


@attrs.define(frozen=True, kw_only=True, repr=False)
class MessageRequest:
    """The arguments of `POST /v1/messages`, all optional here: `check()` says what the API will miss.

    Values are plain dicts and lists or objects with `to_param()` (Message, content blocks, tools), at any depth.
    They are not copied: do not change them before the request is sent. `betas`, `extra_headers` and `extra_body`
    mean what they do in the official SDK, except that beta flags are merged and never replaced, and a header of
    None is not sent. `extra_body` goes over the arguments of the same name. `repr()` shows no content.
    """

    model: str | Unset | None = UNSET
    max_tokens: int | Unset | None = UNSET
    messages: Iterable[Param] | Unset | None = attrs.field(default=UNSET, converter=_listed)
    system: str | Iterable[Param] | Unset | None = attrs.field(default=UNSET, converter=_listed)
    tools: Iterable[Param] | Unset | None = attrs.field(default=UNSET, converter=_listed)
    tool_choice: Object = UNSET
    thinking: Object = UNSET
    temperature: float | Unset | None = UNSET
    top_p: float | Unset | None = UNSET
    top_k: int | Unset | None = UNSET
    stop_sequences: Iterable[str] | Unset | None = attrs.field(default=UNSET, converter=_listed)
    stream: bool | Unset | None = UNSET
    metadata: Object = UNSET
    service_tier: str | Unset | None = UNSET
    speed: str | Unset | None = UNSET
    inference_geo: str | Unset | None = UNSET
    container: str | Param | Unset | None = UNSET
    cache_control: Object = UNSET
    diagnostics: Object = UNSET
    output_config: Object = UNSET
    # Beta from here on.
    context_management: Object = UNSET
    compaction: Object = UNSET
    mcp_servers: Iterable[Param] | Unset | None = attrs.field(default=UNSET, converter=_listed)
    fallbacks: str | Iterable[Param] | Unset | None = attrs.field(default=UNSET, converter=_listed)
    fallback_credit_token: str | Unset | None = UNSET
    billing_policy: Any = UNSET
    thread: Object = UNSET
    # Carried by headers, not the body.
    user_profile_id: str | Unset | None = UNSET
    workspace_id: str | Unset | None = UNSET
    betas: Sequence[str] | None = None
    extra_headers: Mapping[str, str | None] | None = None
    extra_query: Mapping[str, str] | None = None
    extra_body: Mapping[str, Any] | None = None

    @classmethod
    def from_dict(cls, body: Mapping[str, Any]) -> Self:
        """The request of a body as the wire has it; keys this class does not know go into `extra_body`.

        `betas`, `extra_headers`, `extra_body`, `user_profile_id` and `workspace_id` may be there too, as the
        arguments they are.
        """
        extra = {key: value for key, value in body.items() if key not in _FIELDS}
        known = {key: value for key, value in body.items() if key in _FIELDS}
        if extra:
            known["extra_body"] = {**extra, **(known.get("extra_body") or {})}
        return cls(**known)

    def replace(self, **changes: Any) -> Self:
        """The same request with other arguments. UNSET takes one away."""
        return attrs.evolve(self, **changes)

    def given(self) -> dict[str, Any]:
        """The body's arguments that were given, `extra_body` included, as they were given."""
        found = {name: value for name in _BODY if (value := getattr(self, name)) is not UNSET}
        if self.extra_body:
            found.update(self.extra_body)
        return found

    def body(self, stream: bool | None = None) -> bytes:
        """The body as JSON. `stream` True writes `"stream": true`, False no such key, None what was given.

        Raises LocalProtocolError that names the path of a value JSON cannot carry, such as
        `messages[2].content[0].source.data`. Linear.
        """
        return dumps(self._streaming(stream), convert=_param)

    def to_dict(self, stream: bool | None = None) -> dict[str, Any]:
        """The body as plain dicts and lists. Raises like `body`."""
        value: dict[str, Any] = loads_input(self.body(stream).decode())
        return value

    def _streaming(self, stream: bool | None) -> dict[str, Any]:
        found = self.given()
        if stream is not None:
            found.pop("stream", None)
        if stream:
            found["stream"] = True
        return found

    @property
    def method(self) -> bytes:
        """The HTTP method, b"POST"."""
        return b"POST"

    @property
    def resource(self) -> str:
        """The resource below the API's root."""
        return "messages"

    @property
    def query(self) -> str:
        """`extra_query`, encoded."""
        return urlencode(self.extra_query or {}, quote_via=quote)

    @property
    def headers(self) -> dict[str, str | None]:
        """The headers this request brings: those that carry arguments, then `extra_headers`."""
        found: dict[str, str | None] = {}
        for name, header in _HEADER_CARRIED.items():
            value = getattr(self, name)
            if value is not UNSET and value is not None:
                found[header] = value
        found.update(self.extra_headers or {})
        return found

    def count_tokens(self) -> CountTokensRequest:
        """The request that asks how many input tokens this one has."""
        return CountTokensRequest(self)

    def check(self, *, version: str = "2023-06-01", betas: Sequence[str] = ()) -> list[Problem]:
        """What the API is known to refuse, ignore or advise against in this request, in plain words.

        `version` and `betas` are what the endpoint and the client add. Pure: changes and sends nothing.
        """
        return _rules[0](self, version, betas)

    def __repr__(self) -> str:
        shown = [f"model={self.model!r}"] if isinstance(self.model, str) else []
        for name in _BODY:
            value = getattr(self, name)
            if name == "model" or value is UNSET:
                continue
            plain = value is None or isinstance(value, bool | int | float)
            size = f"<{len(value)}>" if isinstance(value, list | tuple) else "..."
            shown.append(f"{name}={value!r}" if plain else f"{name}={size}")
        return f"MessageRequest({', '.join(shown)})"


_FIELDS: Final = frozenset(field.name for field in attrs.fields(MessageRequest))
_BODY: Final = tuple(field.name for field in attrs.fields(MessageRequest) if field.name not in _NOT_BODY)
# `_check` stands above this module and puts its rules here when it is imported, as the package does.
_rules: list[Callable[[MessageRequest, str, Sequence[str]], list[Problem]]] = []


@attrs.define(frozen=True)
class CountTokensRequest:
    """`POST /v1/messages/count_tokens`: how many input tokens a request has. Its answer is a TokenCount."""

    request: MessageRequest

    @property
    def method(self) -> bytes:
        """The HTTP method, b"POST"."""
        return b"POST"

    @property
    def resource(self) -> str:
        """The resource below the API's root."""
        return "messages/count_tokens"

    @property
    def query(self) -> str:
        """That of the request."""
        return self.request.query

    @property
    def betas(self) -> Sequence[str] | None:
        """Those of the request."""
        return self.request.betas

    @property
    def headers(self) -> dict[str, str | None]:
        """Those of the request."""
        return self.request.headers

    def body(self, stream: bool | None = None) -> bytes:
        """The body: the request's arguments that counting takes. `stream` is there for likeness only."""
        found = self.request.given()
        return dumps(
            {name: value for name, value in found.items() if name not in _NOT_COUNTED}, convert=_param
        )


# What only matters for an answer; the counting call refuses it.
_NOT_COUNTED: Final = frozenset(
    {
        "container",
        "diagnostics",
        "fallback_credit_token",
        "fallbacks",
        "inference_geo",
        "max_tokens",
        "metadata",
        "service_tier",
        "stop_sequences",
        "stream",
        "temperature",
        "thread",
        "top_k",
        "top_p",
    }
)


def _param(value: Any) -> Any:
    method = getattr(value, "to_param", None)
    return value if method is None or isinstance(value, type) else method()


def user(*content: str | Param) -> dict[str, Any]:
    """A user's turn: texts and content blocks in order. One single text is sent as a plain string."""
    return _turn("user", content)


def assistant(*content: str | Param) -> dict[str, Any]:
    """An assistant's turn, as a prefill or a made-up history; a Message itself goes in as it is."""
    return _turn("assistant", content)


def _turn(role: Literal["user", "assistant"], content: tuple[str | Param, ...]) -> dict[str, Any]:
    if not content:
        raise LocalProtocolError(f"{role}() needs a text or at least one content block", path="content")
    if len(content) == 1 and isinstance(content[0], str):
        return {"role": role, "content": content[0]}
    return {
        "role": role,
        "content": [{"type": "text", "text": item} if isinstance(item, str) else item for item in content],
    }


def tool_result(
    tool_use_id: str,
    content: str | Sequence[str | Param] | Unset = UNSET,
    *,
    is_error: bool | Unset = UNSET,
    cache_control: Object = UNSET,
) -> dict[str, Any]:
    """The result of one tool call, a block for a user's turn, where results come before anything else.

    `content` is a text, or texts and blocks (text, image, document, search_result); absent for no output.
    """
    block: dict[str, Any] = {"type": "tool_result", "tool_use_id": tool_use_id}
    if isinstance(content, str):
        block["content"] = content
    elif content is not UNSET:
        block["content"] = [
            {"type": "text", "text": item} if isinstance(item, str) else item for item in content
        ]
    if is_error is not UNSET:
        block["is_error"] = is_error
    if cache_control is not UNSET:
        block["cache_control"] = cache_control
    return block
