"""What is known of each model, as data: ids and spellings, sizes, thinking, prefill, editor tool, dates.

Facts only. What the sources do not say is None, and a model that is not here is None as a whole: an unknown id is
always allowed. Sources, named at each entry by their letter:

- A: the gateways' and the primer's tables (AiHubMix, CaMeL AI, "Claude API primer"), which name sizes, thinking and
  training data of the models up to Opus 4.7.
- D: platform.claude.com/docs/en/about-claude/model-deprecations, read in August and October 2026.
- P: platform.claude.com/docs/en/models/NAME/overview and .../models/overview, read in September and October 2026.
- M: the migration guides next to those pages (what a model refuses that an earlier one took).
- O: the models overview of spring 2026, for models that P no longer compares.
- S: the model lists in the official Python SDK 2.12.
- V: release note of 9 November 2026 of the AI SDK, which says of Fable 5.2 that it is as Fable 5.1.
- L: answers of the live API that its users published in September 2026 (which `thinking` and `tool_choice` it takes).
"""

from __future__ import annotations

import re
from typing import Any, Final, Literal, TypeAlias

import attrs

__all__ = ["AS_OF", "KNOWN_MODELS", "EditorType", "ModelInfo", "ThinkingKind", "model_info"]

AS_OF: Final = "2026-11-21"
"""The day of the facts below; `ModelInfo.status` is that of this day."""

ThinkingKind: TypeAlias = Literal["adaptive", "enabled", "between_tools", "disabled"]
EditorType: TypeAlias = Literal[
    "text_editor_20241022", "text_editor_20250124", "text_editor_20250429", "text_editor_20250728"
]

K: Final = 1000
M: Final = 1000 * K


@attrs.define(frozen=True, kw_only=True, eq=False)  # one object for each model: identity is equality
class ModelInfo:
    """Facts about one model. None means unknown, except where a field says otherwise."""

    id: str
    """The API's id; dated where the API's is."""
    aliases: tuple[str, ...] = ()
    name: str
    """The name for people."""
    family: str
    """ "opus", "sonnet", "haiku", "fable" or "mythos"."""
    generation: tuple[int, int]
    """Major and minor version: (4, 5) for Sonnet 4.5."""
    context_window: int | None = None
    """Tokens of input and output together."""
    context_window_beta: int | None = None
    """The same with `context_window_flag` as a beta flag; None where there is no such flag."""
    context_window_flag: str | None = None
    max_output_tokens: int | None = None
    """The highest `max_tokens`."""
    max_output_tokens_beta: int | None = None
    """The same with `max_output_flag` as a beta flag; None where there is no such flag."""
    max_output_flag: str | None = None
    thinking: tuple[ThinkingKind, ...] | None = None
    """The values of `thinking.type` that it takes; a model without thinking has only "disabled"."""
    thinking_deprecated: tuple[ThinkingKind, ...] = ()
    """Those of them that still work and will go."""
    thinking_display: Literal["summarized", "omitted"] | None = None
    """What `thinking.display` is when it is not given."""
    interleaved: tuple[Literal["flag", "adaptive"], ...] | None = None
    """What makes it think between tool calls: the beta flag with manual thinking, adaptive thinking by itself."""
    prefill: bool | None = None
    """Whether the last message may be the beginning of the answer."""
    sampling: bool | None = None
    """Whether temperature, top_p and top_k may have values other than their defaults."""
    forced_tool_use: bool | None = None
    """Whether `tool_choice` may be "any" or "tool" at all."""
    text_editor_types: tuple[EditorType, ...] | None = None
    """Types of the text editor tool made for it, the one to choose first; empty where there is none."""
    text_editor_name: str | None = None
    """The name that goes with them."""
    training_cutoff: str | None = None
    """Year and month up to which it was trained on data."""
    knowledge_cutoff: str | None = None
    """Year and month up to which its knowledge is reliable."""
    released: str | None = None
    deprecated: str | None = None
    """The day the API's maker announced its end (ISO 8601); None also where that has not happened."""
    retires: str | None = None
    """The day its end comes or came; None also where none is set."""
    retires_not_before: str | None = None
    """A promise for a model whose end is not set."""
    successor: str | None = None
    """The recommended replacement of a deprecated or retired one."""

    @property
    def text_editor(self) -> EditorType | None:
        """The type of the text editor tool to choose; None where there is none or none is known."""
        return self.text_editor_types[0] if self.text_editor_types else None

    @property
    def status(self) -> Literal["active", "deprecated", "retired"]:
        """Its state on the day `AS_OF` on Anthropic's own platforms; others keep their own dates."""
        if self.retires is not None and self.retires <= AS_OF:
            return "retired"
        return "active" if self.deprecated is None and self.retires is None else "deprecated"


_EDITOR_4: Final[dict[str, Any]] = {  # A and the text editor tool's page: both types, the later from Opus 4.1 on
    "text_editor_types": ("text_editor_20250728", "text_editor_20250429"),
    "text_editor_name": "str_replace_based_edit_tool",
}
_EDITOR_4_0: Final[dict[str, Any]] = {
    **_EDITOR_4,
    "text_editor_types": ("text_editor_20250429", "text_editor_20250728"),
}
# A and wire facts: manual thinking only, prefill, sampling, the interleaved flag. L: adaptive is refused.
_CLAUDE_4: Final[dict[str, Any]] = {
    "thinking": ("enabled", "disabled"),
    "interleaved": ("flag",),
    "prefill": True,
    "sampling": True,
    "forced_tool_use": True,
    **_EDITOR_4,
}
# A, and P for the day each page was read: 1M tokens in beta; P has them without a flag since.
_CLAUDE_4_6: Final[dict[str, Any]] = {
    **_CLAUDE_4,
    "context_window": 200 * K,
    "context_window_beta": M,
    "context_window_flag": "context-1m-2025-08-07",
    "max_output_tokens": 128 * K,
    "thinking": ("adaptive", "enabled", "disabled"),
    "prefill": False,  # M: a last assistant message is a 400 from 4.6 on
}
# P, M, D (sampling parameters), L: from Opus 4.7 on.
_CLAUDE_5: Final[dict[str, Any]] = {
    "context_window": M,
    "max_output_tokens": 128 * K,
    "thinking": ("adaptive", "disabled"),
    "thinking_display": "omitted",
    "interleaved": ("adaptive",),
    "prefill": False,
    "sampling": False,
    "forced_tool_use": True,
    **_EDITOR_4,
}
_CLAUDE_3: Final[dict[str, Any]] = {  # A: no thinking
    "context_window": 200 * K,
    "thinking": ("disabled",),
    "interleaved": (),
    "prefill": True,
    "sampling": True,
    "forced_tool_use": True,
}


def _model(id: str, name: str, generation: tuple[int, int], **facts: Any) -> ModelInfo:  # noqa: A002
    return ModelInfo(id=id, name=f"Claude {name}", family=name.split()[0].lower(), generation=generation, **facts)


KNOWN_MODELS: Final[tuple[ModelInfo, ...]] = (
    _model(  # V, S; sizes and thinking also in the project's own list of current models
        "claude-fable-5-2",
        "Fable 5.2",
        (5, 2),
        **{**_CLAUDE_5, "thinking": ("adaptive",), "forced_tool_use": False},
    ),
    _model(  # P, L
        "claude-opus-5-5",
        "Opus 5.5",
        (5, 5),
        **{**_CLAUDE_5, "thinking": ("adaptive",), "forced_tool_use": False},
        training_cutoff="2026-06",
        knowledge_cutoff="2026-06",
        released="2026-09-22",
        retires_not_before="2027-09-22",
    ),
    _model(  # P, L: no "disabled", "between_tools" is its lowest setting
        "claude-sonnet-5-5",
        "Sonnet 5.5",
        (5, 5),
        **{**_CLAUDE_5, "thinking": ("adaptive", "between_tools"), "forced_tool_use": False},
        training_cutoff="2026-06",
        knowledge_cutoff="2026-06",
        released="2026-09-28",
        retires_not_before="2027-09-28",
    ),
    _model(  # P, M; forced tool use is in neither
        "claude-haiku-5-5",
        "Haiku 5.5",
        (5, 5),
        **{**_CLAUDE_5, "forced_tool_use": None},
        training_cutoff="2026-06",
        knowledge_cutoff="2026-06",
        released="2026-10-07",
        retires_not_before="2027-10-07",
    ),
    _model(  # P, L
        "claude-fable-5-1",
        "Fable 5.1",
        (5, 1),
        **{**_CLAUDE_5, "thinking": ("adaptive",), "forced_tool_use": False},
        training_cutoff="2026-06",
        knowledge_cutoff="2026-06",
        released="2026-09-01",
        retires_not_before="2027-09-01",
    ),
    _model(  # P, D, L
        "claude-opus-5",
        "Opus 5",
        (5, 0),
        **_CLAUDE_5,
        knowledge_cutoff="2026-05",
        released="2026-07-24",
        retires_not_before="2027-07-24",
    ),
    _model(  # P, D, L
        "claude-sonnet-5",
        "Sonnet 5",
        (5, 0),
        **_CLAUDE_5,
        knowledge_cutoff="2026-01",
        released="2026-06-30",
        retires_not_before="2027-06-30",
    ),
    _model(  # P, D, L
        "claude-fable-5",
        "Fable 5",
        (5, 0),
        **{**_CLAUDE_5, "thinking": ("adaptive",)},
        knowledge_cutoff="2026-01",
        released="2026-06-09",
        retires_not_before="2027-06-09",
    ),
    _model(  # P of Fable 5: the same specifications
        "claude-mythos-5",
        "Mythos 5",
        (5, 0),
        **{**_CLAUDE_5, "thinking": ("adaptive",), "forced_tool_use": None},
        retires_not_before="2027-06-09",
    ),
    _model(  # P, D, L
        "claude-opus-4-8",
        "Opus 4.8",
        (4, 8),
        **_CLAUDE_5,
        knowledge_cutoff="2026-01",
        released="2026-05-28",
        retires_not_before="2027-05-28",
    ),
    _model(  # A (adaptive, display), P, D, L
        "claude-opus-4-7",
        "Opus 4.7",
        (4, 7),
        **_CLAUDE_5,
        knowledge_cutoff="2026-01",
        released="2026-04-16",
        retires_not_before="2027-04-16",
    ),
    _model(  # A, O, D
        "claude-opus-4-6",
        "Opus 4.6",
        (4, 6),
        **{**_CLAUDE_4_6, "interleaved": ("adaptive",)},
        thinking_deprecated=("enabled",),
        training_cutoff="2025-08",
        knowledge_cutoff="2025-05",
        released="2026-02-05",
        retires_not_before="2027-02-05",
    ),
    _model(  # A, D; O agrees on the knowledge but has training data to 2026-01
        "claude-sonnet-4-6",
        "Sonnet 4.6",
        (4, 6),
        **{**_CLAUDE_4_6, "interleaved": ("flag", "adaptive")},
        training_cutoff="2025-08",
        knowledge_cutoff="2025-08",
        released="2026-02-17",
        retires_not_before="2027-02-17",
    ),
    _model(  # P, O, D
        "claude-opus-4-5-20251101",
        "Opus 4.5",
        (4, 5),
        **_CLAUDE_4,
        aliases=("claude-opus-4-5",),
        context_window=200 * K,
        max_output_tokens=64 * K,
        training_cutoff="2025-08",
        knowledge_cutoff="2025-05",
        released="2025-11-24",
        retires_not_before="2026-11-24",
    ),
    _model(  # A, P, O, D
        "claude-haiku-4-5-20251001",
        "Haiku 4.5",
        (4, 5),
        **_CLAUDE_4,
        aliases=("claude-haiku-4-5",),
        context_window=200 * K,
        max_output_tokens=64 * K,
        training_cutoff="2025-07",
        knowledge_cutoff="2025-02",
        released="2025-10-15",
        retires_not_before="2026-10-15",
    ),
    _model(  # A, O; dates from S and D of October 2026
        "claude-sonnet-4-5-20250929",
        "Sonnet 4.5",
        (4, 5),
        **_CLAUDE_4,
        aliases=("claude-sonnet-4-5",),
        context_window=200 * K,
        max_output_tokens=64 * K,
        training_cutoff="2025-07",
        knowledge_cutoff="2025-01",
        deprecated="2026-09-30",
        retires="2026-11-30",
        successor="claude-sonnet-5-5",
    ),
    _model(  # A for thinking; sizes from O; dates from D
        "claude-opus-4-1-20250805",
        "Opus 4.1",
        (4, 1),
        **_CLAUDE_4,
        aliases=("claude-opus-4-1",),
        context_window=200 * K,
        max_output_tokens=32 * K,
        training_cutoff="2025-03",
        knowledge_cutoff="2025-01",
        deprecated="2026-06-05",
        retires="2026-08-05",
        successor="claude-opus-4-8",
    ),
    _model(  # A, O, D; the alias from S
        "claude-opus-4-20250514",
        "Opus 4",
        (4, 0),
        **{**_CLAUDE_4, **_EDITOR_4_0},
        aliases=("claude-opus-4-0",),
        context_window=200 * K,
        max_output_tokens=32 * K,
        training_cutoff="2025-03",
        knowledge_cutoff="2025-01",
        deprecated="2026-04-14",
        retires="2026-06-15",
        successor="claude-opus-4-8",
    ),
    _model(  # A, O, D; the alias from S
        "claude-sonnet-4-20250514",
        "Sonnet 4",
        (4, 0),
        **{**_CLAUDE_4, **_EDITOR_4_0},
        aliases=("claude-sonnet-4-0",),
        context_window=200 * K,
        max_output_tokens=64 * K,
        training_cutoff="2025-03",
        knowledge_cutoff="2025-01",
        deprecated="2026-04-14",
        retires="2026-06-15",
        successor="claude-sonnet-4-6",
    ),
    _model(  # A, D; the alias from S
        "claude-3-7-sonnet-20250219",
        "Sonnet 3.7",
        (3, 7),
        **{**_CLAUDE_3, "thinking": ("enabled", "disabled")},
        aliases=("claude-3-7-sonnet-latest",),
        max_output_tokens=64 * K,
        max_output_tokens_beta=128 * K,
        max_output_flag="output-128k-2025-02-19",
        text_editor_types=("text_editor_20250124",),
        text_editor_name="str_replace_editor",
        training_cutoff="2024-11",
        deprecated="2025-10-28",
        retires="2026-02-19",
        successor="claude-sonnet-4-6",
    ),
    _model(  # A, D
        "claude-3-5-sonnet-20241022",
        "Sonnet 3.5",
        (3, 5),
        **_CLAUDE_3,
        aliases=("claude-3-5-sonnet-latest",),
        max_output_tokens=8192,
        text_editor_types=("text_editor_20241022",),
        text_editor_name="str_replace_editor",
        training_cutoff="2024-04",
        deprecated="2025-08-13",
        retires="2025-10-28",
        successor="claude-sonnet-4-6",
    ),
    _model(  # D; its sizes are in none of the sources
        "claude-3-5-sonnet-20240620",
        "Sonnet 3.5 (June 2024)",
        (3, 5),
        thinking=("disabled",),
        prefill=True,
        deprecated="2025-08-13",
        retires="2025-10-28",
        successor="claude-sonnet-4-6",
    ),
    _model(  # A, D; the alias from S
        "claude-3-5-haiku-20241022",
        "Haiku 3.5",
        (3, 5),
        **_CLAUDE_3,
        aliases=("claude-3-5-haiku-latest",),
        max_output_tokens=8192,
        training_cutoff="2024-07",
        deprecated="2025-12-19",
        retires="2026-02-19",
        successor="claude-haiku-4-5-20251001",
    ),
    _model(  # A, D
        "claude-3-opus-20240229",
        "Opus 3",
        (3, 0),
        **_CLAUDE_3,
        aliases=("claude-3-opus-latest",),
        max_output_tokens=4096,
        training_cutoff="2023-08",
        deprecated="2025-06-30",
        retires="2026-01-05",
        successor="claude-opus-4-8",
    ),
    _model(  # D
        "claude-3-sonnet-20240229",
        "Sonnet 3",
        (3, 0),
        thinking=("disabled",),
        prefill=True,
        deprecated="2025-01-21",
        retires="2025-07-21",
        successor="claude-sonnet-4-6",
    ),
    _model(  # A, D
        "claude-3-haiku-20240307",
        "Haiku 3",
        (3, 0),
        **_CLAUDE_3,
        max_output_tokens=4096,
        training_cutoff="2023-08",
        deprecated="2026-02-19",
        retires="2026-04-20",
        successor="claude-haiku-4-5-20251001",
    ),
)

_BY_ID: Final = {name: info for info in KNOWN_MODELS for name in (info.id, *info.aliases)}

# Bedrock: a region, "anthropic.", and a version at the end (anthropic.claude-3-haiku-20240307-v1:0, also with a
# context size, and as the last part of an ARN). Vertex: @ before the date (claude-opus-4-5@20251101, and
# claude-3-5-sonnet-v2@20241022 for the second of two), or @default. Gateways: anthropic/ and dots in the version.
_SPELLING: Final = (
    r"(?:.*/)?(?:(?:[a-z-]+\.)?anthropic\.)?(?P<base>claude-[a-z0-9.-]+?)"
    r"(?:-v[0-9]+(?::[0-9]+)?(?::[0-9]+k)?)?(?:@(?:(?P<date>[0-9]{8})|default|latest))?"
)


def model_info(model: object) -> ModelInfo | None:
    """What is known of a model, by id, alias, or the spelling of Amazon Bedrock, Vertex AI or a gateway.

    None for every id that is not certainly one of `KNOWN_MODELS`: a new date or suffix is another model. Anything
    at all may be given. Constant time.
    """
    if not isinstance(model, str):
        return None
    known = _BY_ID.get(model)
    if known is not None:
        return known
    spelt = re.fullmatch(_SPELLING, model) if len(model) < 200 else None
    if spelt is None:
        return None
    base = spelt["base"].replace(".", "-")
    return _BY_ID.get(f"{base}-{spelt['date']}" if spelt["date"] else base)
