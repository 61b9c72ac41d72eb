"""ModelInfo: the facts about one model, their sources, its status on a day, and what a listing says over them."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final, Literal, Protocol, Self, TypeAlias, get_args

import attrs

from sansio_claude._errors import LocalProtocolError

__all__ = [
    "AS_OF",
    "EDITORS_WITH_UNDO",
    "EDITOR_NAMES",
    "NEWEST_EDITOR",
    "SOURCES",
    "EditorType",
    "ModelInfo",
    "ModelStatus",
    "ThinkingKind",
    "day_of",
]

AS_OF: Final = "2026-11-28"
"""The day of the facts in the table (ISO 8601); `ModelInfo.status` is that of this day."""

SOURCES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "A": "tables of the gateways AiHubMix and CaMeL AI and of the Claude API primer (up to Opus 4.7)",
        "C": "CaMeL AI's page on thinking, and platform.claude.com/docs/en/build-with-claude/extended-thinking",
        "D": "platform.claude.com/docs/en/about-claude/model-deprecations, read in August and October 2026",
        "L": "answers of the API that its users published in September 2026",
        "M": "the migration guides at platform.claude.com/docs/en/models/NAME/migration-guide",
        "O": "the models overview of spring 2026, for models that P no longer compares",
        "P": "platform.claude.com/docs/en/models/NAME/overview and .../models/overview, September to November 2026",
        "R": "platform.claude.com/docs/en/release-notes/overview, the note of 9 November 2026",
        "S": "the official Python SDK 2.14.0 of 24 November 2026: its list of models and its dates of deprecation",
        "T": "platform.claude.com/docs/en/agents-and-tools/tool-use/text-editor-tool",
        "listing": "the API's own listing of models, laid over the table by `ModelInfo.merged`",
    }
)
"""What the letters in `ModelInfo.sources` stand for."""

ThinkingKind: TypeAlias = Literal["adaptive", "enabled", "between_tools", "disabled"]
EditorType: TypeAlias = Literal[
    "text_editor_20241022", "text_editor_20250124", "text_editor_20250429", "text_editor_20250728"
]
ModelStatus: TypeAlias = Literal["active", "deprecated", "retired"]

EDITOR_NAMES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "text_editor_20241022": "str_replace_editor",
        "text_editor_20250124": "str_replace_editor",
        "text_editor_20250429": "str_replace_based_edit_tool",
        "text_editor_20250728": "str_replace_based_edit_tool",
    }
)
"""The versions of the text editor tool, oldest first, and the one name that each has (source T)."""
EDITORS_WITH_UNDO: Final[tuple[EditorType, ...]] = ("text_editor_20241022", "text_editor_20250124")
"""The versions with the command `undo_edit` (source T)."""
NEWEST_EDITOR: Final[EditorType] = "text_editor_20250728"
"""The newest version, and the only one with `max_characters` (source T)."""


class _Listed(Protocol):
    @property
    def raw(self) -> Mapping[str, Any]: ...


@attrs.define(frozen=True, kw_only=True, eq=False)  # one object for each model: identity is equality
class ModelInfo:
    """Facts about one model. None means unknown, except where a field says otherwise."""

    id: str
    """The API's id; dated where the API's is."""
    aliases: tuple[str, ...] = ()
    """Other ids that the API takes for it, such as those without a date."""
    name: str
    """The name for people."""
    family: str
    """ "opus", "sonnet", "haiku", "fable" or "mythos"."""
    generation: tuple[int, int]
    """Major and minor version: (4, 5) for Sonnet 4.5."""
    context_window: int | None = None
    """Tokens of input and output together."""
    context_window_beta: int | None = None
    """The same with `context_window_flag` as a beta flag; None where no such flag is or was documented."""
    context_window_flag: str | None = None
    """The beta flag that makes the context window larger; None where there is none."""
    max_output_tokens: int | None = None
    """The highest `max_tokens`."""
    max_output_tokens_beta: int | None = None
    """The same with `max_output_flag` as a beta flag; None where there is no such flag."""
    max_output_flag: str | None = None
    """The beta flag that allows more output tokens; None where there is none."""
    thinking: tuple[ThinkingKind, ...] | None = None
    """The values of `thinking.type` that it takes; a model without thinking has only "disabled"."""
    thinking_deprecated: tuple[ThinkingKind, ...] = ()
    """Those of them that still work and will be removed."""
    thinking_display: Literal["summarized", "omitted"] | None = None
    """The value of `thinking.display` when it is not given."""
    interleaved: tuple[Literal["flag", "adaptive"], ...] | None = None
    """What makes it think between tool calls: the beta flag with manual thinking, adaptive thinking by itself."""
    prefill: bool | None = None
    """Whether the last message may be the beginning of the answer."""
    sampling: bool | None = None
    """Whether temperature, top_p and top_k may have values other than their defaults."""
    forced_tool_use: bool | None = None
    """Whether `tool_choice` may be "any" or "tool" at all."""
    effort: tuple[str, ...] | None = None
    """The values of `output_config.effort` that it takes; empty where it takes none. Known from a listing only."""
    structured_outputs: bool | None = None
    """Whether it takes `output_config.format` and strict tools. Known from a listing only."""
    allowed_fallback_models: tuple[str, ...] | None = None
    """The ids it takes in `fallbacks`; empty where it does not take that. Known from a listing only."""
    text_editor_types: tuple[EditorType, ...] | None = None
    """Types of the text editor tool made for it, the preferred one first; empty where there is none."""
    text_editor_name: str | None = None
    """The name that goes with them."""
    training_cutoff: str | None = None
    """Year and month up to which it was trained on data."""
    knowledge_cutoff: str | None = None
    """Year and month up to which its knowledge is reliable."""
    released: str | None = None
    """The day of its release (ISO 8601)."""
    deprecated: str | None = None
    """The day its deprecation was announced (ISO 8601); None also where that has not happened."""
    retires: str | None = None
    """The day of its retirement (ISO 8601), past or to come; None also where none is set."""
    retires_not_before: str | None = None
    """The earliest possible day of retirement of a model whose day is not set (ISO 8601)."""
    lifecycle: ModelStatus | None = None
    """Its status when the API's listing was asked for. Known from a listing only."""
    successor: str | None = None
    """The recommended replacement of a deprecated or retired one."""
    sources: Mapping[str, str] = attrs.field(factory=dict, repr=False)
    """For each fact that is known the letters of its sources, explained by `SOURCES`: {"context_window": "P"}."""

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, memo: object) -> Self:
        return self  # nothing in it can be changed

    def __reduce__(self) -> tuple[Any, ...]:
        facts = {field.name: getattr(self, field.name) for field in attrs.fields(type(self))}
        return _with_facts, ({**facts, "sources": dict(self.sources)},)

    @property
    def text_editor(self) -> EditorType | None:
        """The preferred type of the text editor tool; None where there is none or none is known."""
        return self.text_editor_types[0] if self.text_editor_types else None

    @property
    def status(self) -> ModelStatus:
        """Its status on Anthropic's own platforms: as the API's listing says where that was laid over the table
        (`merged`), else on the day `AS_OF`. Other platforms keep their own dates."""
        return self.lifecycle or self.status_on(AS_OF)

    def status_on(self, date: str | datetime.date) -> ModelStatus:
        """Its status on a day (a date, or "2026-11-30") as far as the facts say, on Anthropic's own platforms.

        Raises LocalProtocolError for what is no date.
        """
        day = day_of(date)
        if self.retires is not None and self.retires <= day:
            return "retired"
        if self.lifecycle is not None and self.retires is None and self.deprecated is None:
            return self.lifecycle  # the listing has no days
        announced = self.deprecated is not None and self.deprecated <= day
        # Where only the end is known, the day of the announcement is taken to be past.
        return "deprecated" if announced or (self.deprecated is None and self.retires is not None) else "active"

    def merged(self, listed: _Listed | Mapping[str, Any]) -> ModelInfo:
        """These facts with those of the API's listing over them: limits, capabilities, dates of its end.

        `listed` is what `client.model(id)` or `client.models()` gave for this model, or its JSON object. A key that
        is absent, null or of another type changes nothing. Never raises. The result is a new object.
        """
        raw = listed if isinstance(listed, Mapping) else listed.raw
        facts = dict(_listed_facts(raw))
        window = facts.get("context_window")
        if window is not None and window >= (self.context_window_beta or 0):
            # What the flag promised is there without it.
            facts["context_window_beta"] = facts["context_window_flag"] = None
        if "thinking" in facts:
            facts["thinking_deprecated"] = tuple(k for k in self.thinking_deprecated if k in facts["thinking"])
        sources = {**self.sources, **dict.fromkeys(facts, "listing")}
        return attrs.evolve(self, **facts, sources=MappingProxyType(sources))


def _listed_facts(raw: Mapping[str, Any]) -> dict[str, Any]:
    facts: dict[str, Any] = {}
    for key, field in (("max_input_tokens", "context_window"), ("max_tokens", "max_output_tokens")):
        value = raw.get(key)
        if isinstance(value, int) and not isinstance(value, bool) and value > 0:
            facts[field] = value
    if isinstance(raw.get("display_name"), str) and raw["display_name"]:
        facts["name"] = raw["display_name"]
    for key, field in (("created_at", "released"), ("deprecated_at", "deprecated"), ("retires_at", "retires")):
        day = _day_or_none(raw.get(key))
        if day is not None and not day.startswith("1970-"):  # the epoch stands for a release that is not known
            facts[field] = day
    if raw.get("lifecycle") in get_args(ModelStatus):
        facts["lifecycle"] = raw["lifecycle"]
    fallbacks = raw.get("allowed_fallback_models")
    if isinstance(fallbacks, list):
        facts["allowed_fallback_models"] = tuple(each for each in fallbacks if isinstance(each, str))
    if raw.get("lifecycle") == "active":
        # An active model has neither day; a day that the table has was taken back.
        facts["deprecated"] = facts["retires"] = None
    capabilities = raw.get("capabilities")
    return {**facts, **_capabilities(capabilities)} if isinstance(capabilities, Mapping) else facts


def _capabilities(given: Mapping[str, Any]) -> dict[str, Any]:
    facts: dict[str, Any] = {}
    thinking = given.get("thinking")
    types = thinking.get("types") if isinstance(thinking, Mapping) else None
    known = _supported(types)
    if known is not None:
        kinds = tuple(kind for kind in get_args(ThinkingKind) if kind in known)
        facts["thinking"] = kinds
    effort = given.get("effort")
    levels = _supported(effort)
    if levels is not None:
        facts["effort"] = levels
    structured = given.get("structured_outputs")
    if isinstance(structured, Mapping) and isinstance(structured.get("supported"), bool):
        facts["structured_outputs"] = structured["supported"]
    return facts


def _supported(given: Any) -> tuple[str, ...] | None:
    """The names in a table of capabilities that are supported; None where it is no such table."""
    if not isinstance(given, Mapping):
        return None
    inner = {name: value.get("supported") for name, value in given.items() if isinstance(value, Mapping)}
    return tuple(name for name, value in inner.items() if value is True) if inner else None


def _day_or_none(value: object) -> str | None:
    try:
        return day_of(value[:10]) if isinstance(value, str) else None
    except LocalProtocolError:
        return None


def day_of(date: str | datetime.date) -> str:
    """A day as ISO 8601 text. Raises LocalProtocolError for what is no date."""
    if isinstance(date, datetime.datetime):
        return date.date().isoformat()
    if isinstance(date, datetime.date):
        return date.isoformat()
    try:
        return datetime.date.fromisoformat(date).isoformat()
    except (TypeError, ValueError):
        words = f'give the day as a datetime.date or as text such as "{AS_OF}"'
        raise LocalProtocolError(f"{str(date)[:40]!r} is no date: {words}", path="date") from None


def _with_facts(facts: dict[str, Any]) -> ModelInfo:
    return ModelInfo(**{**facts, "sources": MappingProxyType(facts["sources"])})
