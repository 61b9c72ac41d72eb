"""MessageRequest: one call of the Messages API as data, and its body.

Arguments have the wire's own names. One that is not given is absent on the wire, None is null. Nothing is added,
dropped or changed on the way: whether the API will take it is what `check()` is for, and it is never called behind
the caller's back.
"""

from __future__ import annotations

import datetime
import enum
from collections.abc import Callable, Iterable, Mapping, Sequence
from operator import attrgetter, is_
from typing import TYPE_CHECKING, Any, ClassVar, Final, Protocol, Self, TypeAlias

import attrs

from sansio_claude._errors import LocalProtocolError
from sansio_claude._http.headers import check_headers, merge_betas
from sansio_claude._json import WRITTEN_DEPTH, dumps, dumps_plain, loads_input
from sansio_claude._percent import encode_query
from sansio_claude._request.param import param_of

if TYPE_CHECKING:
    from sansio_claude._check.problem import Problem
    from sansio_claude._request.count_tokens import CountTokensRequest

__all__ = ["UNSET", "MessageRequest", "Param", "SupportsParam", "Unset"]


class Unset(enum.Enum):
    """The type of `UNSET`: an argument that was not given and so is absent on the wire. False as a condition."""

    UNSET = "UNSET"

    def __repr__(self) -> str:
        return "UNSET"

    def __bool__(self) -> bool:
        return False


UNSET: Final = Unset.UNSET


class SupportsParam(Protocol):
    """An object that can stand in a request: Message, every content block, a tool."""

    def to_param(self) -> Any:
        """What goes onto the wire for it: a value of JSON."""
        ...


Param: TypeAlias = Mapping[str, Any] | SupportsParam
_Object: TypeAlias = Param | Unset | None
_Text: TypeAlias = str | Unset | None
_Number: TypeAlias = float | Unset | None
_List: TypeAlias = Iterable[Param] | Unset | None

# Arguments that are headers on the wire (the API's reference and the official SDK agree).
_HEADERS: Final = {"user_profile_id": "anthropic-user-profile-id", "workspace_id": "anthropic-workspace-id"}
_LISTS: Final = ("messages", "system", "tools", "stop_sequences", "mcp_servers", "fallbacks", "safeguards")
_WHOLE: Final = (list, tuple, str, bytes, bytearray, Mapping)  # can be iterated over any number of times
_NOT_BODY: Final = frozenset({*_HEADERS, "betas", "extra_headers", "extra_query", "extra_body"})


@attrs.define(frozen=True, kw_only=True, repr=False, eq=False)
class MessageRequest:
    """The arguments of `POST /v1/messages`. All are optional here; `check()` says what the API will miss.

    Values are plain dicts and lists, or at any depth objects with `to_param()` (Message, content blocks, tools) and
    pydantic models (the official SDK's blocks), of which `model_dump()` gives what is sent. They are not copied, so do
    not change them before the request is sent. `betas`, `extra_headers`, `extra_query` and `extra_body` mean what they
    do in the official SDK, with two differences: beta flags are merged, never replaced, and a header of None is not
    sent. Fields of `extra_body` go over arguments of the same name. `repr()` shows no content.
    """

    model: _Text = UNSET
    """The id of the model, such as "claude-opus-5-5". Required by the API."""
    max_tokens: int | Unset | None = UNSET
    """The most tokens of output, thinking included. Required by the API."""
    messages: _List = UNSET
    """The turns of the conversation, oldest first. Required by the API."""
    system: str | _List = UNSET
    """The system prompt: a text, or a list of text blocks."""
    tools: _List = UNSET
    """Definitions of the tools that the model may call."""
    tool_choice: _Object = UNSET
    """Whether it may, must or must not call a tool, as in `{"type": "auto"}`."""
    thinking: _Object = UNSET
    """How it thinks before it answers, as in `{"type": "adaptive"}`."""
    temperature: _Number = UNSET
    """How far the choice of tokens may be left to chance, 0 to 1."""
    top_p: _Number = UNSET
    """Choose among the likeliest tokens whose probabilities add up to this, 0 to 1."""
    top_k: int | Unset | None = UNSET
    """Choose among this number of the likeliest tokens."""
    stop_sequences: Iterable[str] | Unset | None = UNSET
    """Texts at which the answer ends."""
    stream: bool | Unset | None = UNSET
    """Whether the answer comes as a stream. The clients set it themselves."""
    metadata: _Object = UNSET
    """About the request, as in `{"user_id": "..."}`."""
    service_tier: _Text = UNSET
    """ "auto" (the priority tier where there is one) or "standard_only"."""
    speed: _Text = UNSET
    """ "standard" or "fast", for models that have both (beta)."""
    inference_geo: _Text = UNSET
    """The region of the world in which the model is run."""
    container: str | _Object = UNSET
    """The container of code execution to go on in: its id, or an object with skills."""
    cache_control: _Object = UNSET
    """A cache mark for the last block of the request that can have one."""
    diagnostics: _Object = UNSET
    """Asks for the reason of a cache miss."""
    output_config: _Object = UNSET
    """The effort, and the format of structured output."""
    # Beta from here on.
    context_management: _Object = UNSET
    """What is cleared of a long conversation on the API's side."""
    compaction: _Object = UNSET
    """When and how a long conversation is summed up."""
    mcp_servers: _List = UNSET
    """The MCP servers whose tools the model may call. Their tokens are secrets."""
    fallbacks: str | Iterable[str | Param] | Unset | None = UNSET
    """The models that answer where the first one refuses, in this order."""
    fallback_credit_token: str | _Object = UNSET
    """The token of an earlier refusal that credits its cost."""
    billing_policy: str | _Object = UNSET
    """Who is billed, as in `{"bill_to": "user_profile"}`."""
    thread: _Object = UNSET
    """The thread of messages on the API's side that this one goes on with."""
    safeguards: _List = UNSET
    """Classifiers that look at tool use, as in `{"type": "dangerous_tool_use"}`."""
    # Carried by headers.
    user_profile_id: _Text = UNSET
    """The profile of the user, sent as `anthropic-user-profile-id`."""
    workspace_id: _Text = UNSET
    """The workspace, sent as `anthropic-workspace-id`."""
    betas: Sequence[str] | None = None
    extra_headers: Mapping[str, str | None] | None = None
    extra_query: Mapping[str, str] | None = None
    extra_body: Mapping[str, Any] | None = None

    def __attrs_post_init__(self) -> None:
        lists = _list_values(self)
        if not _USUAL.issuperset(map(type, lists)):
            for name, value in zip(_LISTS, lists, strict=True):
                if isinstance(value, Iterable) and not isinstance(value, _WHOLE):
                    # An iterator, which can be read once only, or another kind of sequence.
                    object.__setattr__(self, name, list(value))
        # These four are the library's own; nothing later could say what is wrong with them.
        if not (self.extra_headers is self.extra_query is self.extra_body is None):
            for name in ("extra_headers", "extra_query", "extra_body"):
                value = getattr(self, name)
                if value is not None and not isinstance(value, Mapping):
                    raise LocalProtocolError(f"{name} takes a mapping, not {type(value).__name__}", path=name)
        if self.betas is not None and not isinstance(self.betas, list | tuple | str):
            if not isinstance(self.betas, Iterable):
                raise LocalProtocolError(f"betas takes a list of flags, not {type(self.betas).__name__}", path="betas")
            # An iterator would be used up by the first who asks for the flags, `check` or the sending.
            object.__setattr__(self, "betas", list(self.betas))

    @classmethod
    def from_dict(cls, arguments: Mapping[str, Any]) -> Self:
        """The request of a body as the wire has it. Keys that are no argument go into `extra_body`.

        `betas`, `extra_headers`, `user_profile_id` and the like may be among them, and are the arguments they are.
        """
        if not isinstance(arguments, Mapping):
            raise LocalProtocolError(f"a request is an object, not {type(arguments).__name__}")
        known = {key: value for key, value in arguments.items() if key in _FIELDS}
        other = {key: value for key, value in arguments.items() if key not in _FIELDS}
        if other:
            extra = known.get("extra_body")
            known["extra_body"] = {**other, **extra} if isinstance(extra, Mapping) else extra or other
        return cls(**known)

    def replace(self, **changes: Any) -> Self:
        """The same request with other arguments; UNSET takes one away."""
        return attrs.evolve(self, **changes)

    def given(self) -> dict[str, Any]:
        """The body's arguments that were given, as they were given, with `extra_body` over them."""
        values = zip(_BODY, _body_values(self), strict=True)
        found = {name: value for name, value in values if value is not UNSET}
        if self.extra_body:
            found.update(self.extra_body)
        return found

    def body(self, stream: bool | None = None) -> bytes:
        """The body as JSON. `stream`: True writes `"stream": true`, False no such key, None what was given.

        Raises LocalProtocolError that names the path of a value JSON has no word for, such as
        `messages[2].content[0].source.data`: NaN, lone surrogates, keys that are no str, values that contain
        themselves, objects of unknown kinds. Linear.
        """
        found = self.given()
        if stream is not None:
            found.pop("stream", None)
        if stream:
            found["stream"] = True
        messages = found.get("messages")
        if isinstance(messages, list) and not _DICTS.issuperset(map(type, messages)):
            # Objects are whole turns, mostly. `dumps` finds them anywhere, but takes longer.
            try:
                data = dumps_plain({**found, "messages": [param_of(turn) for turn in messages]})
            except LocalProtocolError:
                data = None  # said again below, with the place
            if data is not None:
                return data
        return dumps(found, convert=param_of)

    def to_dict(self, stream: bool | None = None) -> dict[str, Any]:
        """The body as dicts and lists, detached: what a server makes of it. Raises like `body`."""
        value: dict[str, Any] = loads_input(self.body(stream).decode(), depth=WRITTEN_DEPTH)
        return value

    @property
    def method(self) -> bytes:
        """The HTTP method."""
        return b"POST"

    @property
    def resource(self) -> str:
        """What it is about, below the API's root."""
        return "messages"

    @property
    def query(self) -> str:
        """`extra_query`, percent-encoded."""
        return encode_query(self.extra_query) if self.extra_query else ""

    @property
    def headers(self) -> dict[str, str | None]:
        """The headers it brings: those that carry arguments, then `extra_headers`."""
        found: dict[str, str | None] = {}
        for name, header in _HEADERS.items():
            value = getattr(self, name)
            if value is not UNSET and value is not None:
                found[header] = value
        found.update(self.extra_headers or {})
        return found

    @property
    def secrets(self) -> tuple[str, ...]:
        """The tokens for MCP servers, which no error or log may show."""
        servers: Any = self.mcp_servers
        if self.extra_body:
            servers = self.extra_body.get("mcp_servers", servers)
        found = []
        for server in servers if isinstance(servers, list | tuple) else ():
            token = server.get("authorization_token") if isinstance(server, Mapping) else None
            if isinstance(token, str) and token:
                found.append(token)
        return tuple(found)

    @property
    def _only_body(self) -> bool:
        """Whether it is certain that all of it is its body: it brings no flag, no header, no query and no secret."""
        return all(map(is_, _beside_values(self), _NOTHING_BESIDE))

    def count_tokens(self) -> CountTokensRequest:
        """The request that asks how many input tokens this one has."""
        from sansio_claude._request.count_tokens import CountTokensRequest

        return CountTokensRequest(self)

    def check(
        self,
        *,
        version: str = "2023-06-01",
        betas: Iterable[str] = (),
        date: str | datetime.date | None = None,
    ) -> list[Problem]:
        """What the API is known to refuse, ignore or advise against in this request, in plain words.

        `version` and `betas` are those that the endpoint and the client add (`client.check` knows them); `date` is
        the day for which deprecated and retired models are judged, a date or text such as "2026-11-28" (default: the
        day of this version's table of models). Pure: nothing is changed or sent, and nothing calls this but you.
        Raises LocalProtocolError for a date that is none, and nothing for any request. Linear in its size.
        """
        # Imported at the first check: a request that is only sent needs no rules.
        from sansio_claude._check.check import check
        from sansio_claude._check.problem import Problem
        from sansio_claude._models import AS_OF

        problems: list[Problem] = []
        flags: tuple[str, ...] = ()
        try:
            given = check_headers(self.headers, "extra_headers")
            flags = merge_betas(betas, self.betas, given.get("anthropic-beta"))
            version = given.get("anthropic-version") or version
        except LocalProtocolError as error:
            argument = self._header_argument(error.path)
            words = error.message if argument is None else f"{argument} has a character that a header cannot carry"
            problems.append(Problem("error", argument or error.path or "betas", words))
        try:
            data = self.body()
        except LocalProtocolError as error:
            # What cannot be written cannot be looked at as the server would.
            return [*problems, Problem("error", error.path or "", error.message)]
        return [*problems, *check(data, version=version, flags=flags, date=AS_OF if date is None else date)]

    def _header_argument(self, path: str | None) -> str | None:
        """The argument that is the header of this path; None where the header is one of `extra_headers`."""
        header = (path or "").removeprefix("extra_headers.")
        own = {name.lower() for name in self.extra_headers or {} if isinstance(name, str)}
        return next((name for name, known in _HEADERS.items() if known == header and header not in own), None)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, MessageRequest):
            return NotImplemented
        return all(getattr(self, name) == getattr(other, name) for name in _FIELDS)

    __hash__: ClassVar[None] = None  # type: ignore[assignment]  # it can change

    def __repr__(self) -> str:
        shown = []
        for name in _BODY:
            value = getattr(self, name)
            if value is None or isinstance(value, float | bool) or (name == "model" and isinstance(value, str)):
                shown.append(f"{name}={value!r}")
            elif isinstance(value, int):
                shown.append(f"{name}={value!r}" if abs(value) < _SHOWN_NUMBER else f"{name}=...")
            elif isinstance(value, list | tuple):
                shown.append(f"{name}=<{len(value)}>")
            elif value is not UNSET:
                shown.append(f"{name}=...")
        return f"{type(self).__name__}({', '.join(shown)})"


_SHOWN_NUMBER: Final = 10**20  # repr() refuses numbers of thousands of digits
_FIELDS: Final = frozenset(field.name for field in attrs.fields(MessageRequest))
_BODY: Final = tuple(field.name for field in attrs.fields(MessageRequest) if field.name not in _NOT_BODY)
_body_values: Final[Callable[[MessageRequest], tuple[Any, ...]]] = attrgetter(*_BODY)
_list_values: Final[Callable[[MessageRequest], tuple[Any, ...]]] = attrgetter(*_LISTS)
_USUAL: Final = frozenset({list, str, Unset, type(None)})
_DICTS: Final = frozenset({dict})
# What may be sent beside the body, or holds a secret, and what it is where it was not given.
_BESIDE: Final = (*_HEADERS, "mcp_servers", "betas", "extra_headers", "extra_query", "extra_body")
_beside_values: Final[Callable[[MessageRequest], tuple[Any, ...]]] = attrgetter(*_BESIDE)
_NOTHING_BESIDE: Final = tuple(attrs.fields_dict(MessageRequest)[name].default for name in _BESIDE)
