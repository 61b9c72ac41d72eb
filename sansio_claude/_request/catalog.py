"""The small JSON calls: listing models, asking for one, and what counting tokens answers.

Requests have what `Endpoint.request_head` needs, and `body()`. Results are views on the JSON object that came:
`raw` has all of it, attributes are None where the answer has no such key or another type.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Self, TypeVar

import attrs

from sansio_claude._errors import LocalProtocolError, RemoteProtocolError
from sansio_claude._json import loads
from sansio_claude._limits import Limits, limits_of
from sansio_claude._message.block import kind_of
from sansio_claude._message.view import view_of
from sansio_claude._message.views import ContextManagement, ModelCapabilities
from sansio_claude._percent import encode_query, percent_encode

__all__ = ["ListedModel", "ModelPage", "ModelRequest", "ModelsRequest", "TokenCount"]

_T = TypeVar("_T")


@attrs.define(frozen=True)
class _Answer:
    raw: Mapping[str, Any]
    """The JSON object that came: look, do not change."""

    @classmethod
    def from_json(cls, data: bytes, *, limits: Limits | None = None) -> Self:
        """The result of an answer's body. Raises RemoteProtocolError for what is not one, LimitError if too deep."""
        value = loads(data, depth=limits_of(limits).depth)
        if not isinstance(value, dict):
            raise RemoteProtocolError(
                f"the answer is {kind_of(value)}, not an object", stage="message", excerpt=data[:80]
            )
        return cls(value)

    def to_dict(self) -> dict[str, Any]:
        """The JSON object that came."""
        return dict(self.raw)

    def _get(self, key: str, kind: type[_T]) -> _T | None:
        value = self.raw.get(key)
        return value if isinstance(value, kind) and not (kind is int and isinstance(value, bool)) else None

    def _require(self, key: str, kind: type[_T]) -> _T:
        value = self._get(key, kind)
        if value is None:
            words = kind_of(self.raw[key]) if key in self.raw else "missing"
            raise RemoteProtocolError(f"the answer's {key} is {words}", stage="message")
        return value


@attrs.define(frozen=True)
class TokenCount(_Answer):
    """The answer of counting: how many input tokens a request has."""

    @property
    def input_tokens(self) -> int:
        """Tokens of messages, system prompt and tools. Raises RemoteProtocolError where the answer has none."""
        return self._require("input_tokens", int)

    @property
    def context_management(self) -> ContextManagement | None:
        """What context management would do: `original_input_tokens` are those before it (beta)."""
        return view_of(ContextManagement, self.raw.get("context_management"))


@attrs.define(frozen=True)
class ListedModel(_Answer):
    """A model as the API lists it. (`model_info(id)` is what this library knows by itself.)"""

    @property
    def id(self) -> str:
        """The id for requests. Raises RemoteProtocolError where the answer has none."""
        return self._require("id", str)

    @property
    def display_name(self) -> str | None:
        """The name for people."""
        return self._get("display_name", str)

    @property
    def created_at(self) -> str | None:
        """When it was released (RFC 3339 text)."""
        return self._get("created_at", str)

    @property
    def max_input_tokens(self) -> int | None:
        """The context window."""
        return self._get("max_input_tokens", int)

    @property
    def max_tokens(self) -> int | None:
        """The highest `max_tokens`."""
        return self._get("max_tokens", int)

    @property
    def lifecycle(self) -> str | None:
        """ "active", "deprecated", "retired", or one to come."""
        return self._get("lifecycle", str)

    @property
    def deprecated_at(self) -> str | None:
        """When it was deprecated last (RFC 3339 text); None while it is active."""
        return self._get("deprecated_at", str)

    @property
    def retires_at(self) -> str | None:
        """When it is to retire (RFC 3339 text); a day that is past does not say that it has: `lifecycle` does."""
        return self._get("retires_at", str)

    @property
    def line(self) -> str | None:
        """The line it belongs to, such as "opus"; None for none."""
        return self._get("line", str)

    @property
    def capabilities(self) -> ModelCapabilities | None:
        """What it can do. `ModelInfo.merged` puts it over what this library knows by itself."""
        return view_of(ModelCapabilities, self.raw.get("capabilities"))

    @property
    def allowed_fallback_models(self) -> list[str] | None:
        """The ids it takes in `fallbacks` (beta); empty where it takes that parameter not at all."""
        found = self._get("allowed_fallback_models", list)
        return None if found is None else [each for each in found if isinstance(each, str)]


@attrs.define(frozen=True)
class ModelPage(_Answer):
    """One page of the models listing, newest models first."""

    @property
    def models(self) -> list[ListedModel]:
        """The models of this page. Raises RemoteProtocolError where the answer is not such a page."""
        return [ListedModel(item) for item in self._require("data", list) if isinstance(item, dict)]

    def __iter__(self) -> Iterator[ListedModel]:
        return iter(self.models)

    def __len__(self) -> int:
        return len(self.models)

    @property
    def has_more(self) -> bool:
        """Whether there is another page."""
        return self.raw.get("has_more") is True

    @property
    def last_id(self) -> str | None:
        """The `after_id` of the next page."""
        return self._get("last_id", str)

    @property
    def first_id(self) -> str | None:
        """The `before_id` of the page in front of this one."""
        return self._get("first_id", str)


@attrs.define(frozen=True, kw_only=True)
class ModelsRequest:
    """`GET /v1/models`: a page of the models listing. Its answer is a ModelPage."""

    limit: int | None = None
    """Models in a page; the API has 20 unless told, and takes up to 1000."""
    after_id: str | None = None
    """Begin behind this id."""
    before_id: str | None = None
    """End in front of this id."""
    lifecycle: str | None = None
    """Only models in this state."""
    workspace_id: str | None = None
    """The workspace that is asked for, sent as `anthropic-workspace-id`."""
    betas: Sequence[str] | None = None
    """Beta flags, merged with those of the endpoint and the client."""
    extra_headers: Mapping[str, str | None] | None = None
    """Further headers of this request by name; None as a value takes one away."""

    @property
    def method(self) -> bytes:
        """The HTTP method."""
        return b"GET"

    @property
    def resource(self) -> str:
        """What it is about, below the API's root."""
        return "models"

    @property
    def query(self) -> str:
        """Its arguments as a query."""
        given = {
            "limit": self.limit,
            "after_id": self.after_id,
            "before_id": self.before_id,
            "lifecycle": self.lifecycle,
        }
        return encode_query({name: str(value) for name, value in given.items() if value is not None})

    @property
    def headers(self) -> Mapping[str, str | None]:
        """The headers it brings."""
        return _with_workspace(self.workspace_id, self.extra_headers)

    @property
    def secrets(self) -> tuple[str, ...]:
        """None: there is no body."""
        return ()

    def body(self, stream: bool | None = None) -> bytes:
        """Nothing."""
        return b""

    def next(self, page: ModelPage) -> ModelsRequest | None:
        """The request of the page that follows `page`, in front of it where `before_id` is given; None for none."""
        if self.before_id is not None:
            return attrs.evolve(self, before_id=page.first_id) if page.has_more and page.first_id else None
        return attrs.evolve(self, after_id=page.last_id) if page.has_more and page.last_id else None


@attrs.define(frozen=True, kw_only=True)
class ModelRequest:
    """`GET /v1/models/ID`: one model, by id or alias. Its answer is a ListedModel."""

    id: str
    """The model's id or alias."""
    workspace_id: str | None = None
    """The workspace that is asked for, sent as `anthropic-workspace-id`."""
    betas: Sequence[str] | None = None
    """Beta flags, merged with those of the endpoint and the client."""
    extra_headers: Mapping[str, str | None] | None = None
    """Further headers of this request by name; None as a value takes one away."""

    @property
    def method(self) -> bytes:
        """The HTTP method."""
        return b"GET"

    @property
    def resource(self) -> str:
        """What it is about, below the API's root. Raises LocalProtocolError where the id is empty or dots."""
        if not self.id.strip("."):
            raise LocalProtocolError("the model id is empty", path="id")
        return f"models/{percent_encode(self.id)}"

    @property
    def query(self) -> str:
        """Nothing."""
        return ""

    @property
    def headers(self) -> Mapping[str, str | None]:
        """The headers it brings."""
        return _with_workspace(self.workspace_id, self.extra_headers)

    @property
    def secrets(self) -> tuple[str, ...]:
        """None: there is no body."""
        return ()

    def body(self, stream: bool | None = None) -> bytes:
        """Nothing."""
        return b""


def _with_workspace(workspace_id: str | None, headers: Mapping[str, str | None] | None) -> Mapping[str, str | None]:
    own = {} if workspace_id is None else {"anthropic-workspace-id": workspace_id}
    return {**own, **(headers or {})}
