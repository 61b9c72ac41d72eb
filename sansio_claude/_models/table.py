"""The table of models, as of `AS_OF`: each group of facts stands behind the letters of its sources (see `SOURCES`).

To add a model, add one entry: id, name, generation, then groups of facts, a later one over an earlier one.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import Any, Final, TypeAlias

from sansio_claude._models.info import EDITOR_NAMES, ModelInfo

__all__ = ["KNOWN_MODELS"]

_Facts: TypeAlias = tuple[str, dict[str, Any]]
"""Letters of sources, and what they say."""

_K: Final = 1000
_M: Final = 1000 * _K
_ALWAYS_ON: Final = ("adaptive",)


def _editors(*types: str) -> _Facts:
    return "T", {"text_editor_types": types, "text_editor_name": EDITOR_NAMES[types[0]]}


_EDITOR_4: Final = _editors("text_editor_20250728", "text_editor_20250429")
_EDITOR_4_0: Final = _editors("text_editor_20250429", "text_editor_20250728")
_CLAUDE_3: Final[tuple[_Facts, ...]] = (
    ("A", {"context_window": 200 * _K, "thinking": ("disabled",), "interleaved": ()}),
    ("M", {"prefill": True, "sampling": True, "forced_tool_use": True}),
)
# Manual thinking only: L says that adaptive is refused.
_CLAUDE_4: Final[tuple[_Facts, ...]] = (
    ("AL", {"thinking": ("enabled", "disabled"), "interleaved": ("flag",)}),
    ("M", {"prefill": True, "sampling": True, "forced_tool_use": True}),
    _EDITOR_4,
)
# A has 200,000 tokens and the flag for 1M; P, later, has 1M without a flag, and the flag changes nothing.
_CLAUDE_4_6: Final[tuple[_Facts, ...]] = (
    *_CLAUDE_4,
    ("P", {"context_window": _M}),
    ("A", {"context_window_beta": _M, "context_window_flag": "context-1m-2025-08-07", "max_output_tokens": 128 * _K}),
    ("A", {"thinking": ("adaptive", "enabled", "disabled")}),
    ("C", {"thinking_deprecated": ("enabled",)}),
    ("M", {"prefill": False}),
)
# From Opus 4.7 on.
_CLAUDE_5: Final[tuple[_Facts, ...]] = (
    ("P", {"context_window": _M, "max_output_tokens": 128 * _K}),
    ("ML", {"thinking": ("adaptive", "disabled"), "thinking_display": "omitted", "interleaved": ("adaptive",)}),
    ("M", {"prefill": False}),
    ("D", {"sampling": False}),
    ("M", {"forced_tool_use": True}),
    _EDITOR_4,
)
_ONLY_ADAPTIVE: Final[_Facts] = ("ML", {"thinking": _ALWAYS_ON})
_NOT_FORCED: Final[_Facts] = ("ML", {"forced_tool_use": False})
_UNKNOWN: Final[_Facts] = ("", {"forced_tool_use": None})


def _model(id: str, name: str, generation: tuple[int, int], *groups: _Facts) -> ModelInfo:  # noqa: A002 - the field
    facts: dict[str, Any] = {}
    sources: dict[str, str] = {}
    for letters, group in groups:
        facts.update(group)
        sources.update(dict.fromkeys(group, letters))
    known = {field: letters for field, letters in sources.items() if facts[field] is not None}
    family = name.split()[0].lower()
    return ModelInfo(
        id=id, name=f"Claude {name}", family=family, generation=generation, **facts, sources=MappingProxyType(known)
    )


def _cutoffs(letters: str, knowledge: str, training: str | None = None) -> _Facts:
    return letters, {"knowledge_cutoff": knowledge, "training_cutoff": training}


def _dates(letters: str, released: str | None, not_before: str | None) -> _Facts:
    return letters, {"released": released, "retires_not_before": not_before}


def _end(letters: str, deprecated: str | None, retires: str, successor: str | None = None) -> _Facts:
    return letters, {"deprecated": deprecated, "retires": retires, "successor": successor}


def _sizes(letters: str, context: int, output: int) -> _Facts:
    return letters, {"context_window": context, "max_output_tokens": output}


KNOWN_MODELS: Final[tuple[ModelInfo, ...]] = (
    _model(
        "claude-fable-5-2",
        "Fable 5.2",
        (5, 2),
        *_CLAUDE_5,
        ("R", {"context_window": _M, "max_output_tokens": 128 * _K, "thinking": _ALWAYS_ON, "released": "2026-11-09"}),
        _NOT_FORCED,
    ),
    _model(
        "claude-mythos-5-2",
        "Mythos 5.2",
        (5, 2),
        *_CLAUDE_5,
        ("R", {"context_window": _M, "max_output_tokens": 128 * _K, "thinking": _ALWAYS_ON, "released": "2026-11-09"}),
        _NOT_FORCED,
    ),
    _model(
        "claude-opus-5-5",
        "Opus 5.5",
        (5, 5),
        *_CLAUDE_5,
        _ONLY_ADAPTIVE,
        _NOT_FORCED,
        _cutoffs("P", "2026-06", "2026-06"),
        _dates("P", "2026-09-22", "2027-09-22"),
    ),
    _model(
        "claude-sonnet-5-5",
        "Sonnet 5.5",
        (5, 5),
        *_CLAUDE_5,
        ("PL", {"thinking": ("adaptive", "between_tools")}),  # no "disabled": "between_tools" is its lowest setting
        _NOT_FORCED,
        _cutoffs("P", "2026-06", "2026-06"),
        _dates("P", "2026-09-28", "2027-09-28"),
    ),
    _model(
        "claude-haiku-5-5",
        "Haiku 5.5",
        (5, 5),
        *_CLAUDE_5,
        _UNKNOWN,
        _cutoffs("P", "2026-06", "2026-06"),
        _dates("P", "2026-10-07", "2027-10-07"),
    ),
    _model(
        "claude-fable-5-1",
        "Fable 5.1",
        (5, 1),
        *_CLAUDE_5,
        _ONLY_ADAPTIVE,
        _NOT_FORCED,
        _cutoffs("P", "2026-06", "2026-06"),
        _dates("P", "2026-09-01", "2027-09-01"),
    ),
    _model("claude-mythos-5-1", "Mythos 5.1", (5, 1), *_CLAUDE_5, _ONLY_ADAPTIVE, _NOT_FORCED),
    _model(
        "claude-opus-5",
        "Opus 5",
        (5, 0),
        *_CLAUDE_5,
        _cutoffs("P", "2026-05"),
        _dates("P", "2026-07-24", "2027-07-24"),
    ),
    _model(
        "claude-sonnet-5",
        "Sonnet 5",
        (5, 0),
        *_CLAUDE_5,
        _cutoffs("P", "2026-01"),
        _dates("P", "2026-06-30", "2027-06-30"),
    ),
    _model(
        "claude-fable-5",
        "Fable 5",
        (5, 0),
        *_CLAUDE_5,
        _ONLY_ADAPTIVE,
        _cutoffs("P", "2026-01"),
        _dates("P", "2026-06-09", "2027-06-09"),
    ),
    # Fable 5's page: Mythos 5 has the same specifications.
    _model(
        "claude-mythos-5",
        "Mythos 5",
        (5, 0),
        *_CLAUDE_5,
        _ONLY_ADAPTIVE,
        _UNKNOWN,
        _dates("P", None, "2027-06-09"),
    ),
    _model(
        "claude-opus-4-8",
        "Opus 4.8",
        (4, 8),
        *_CLAUDE_5,
        _cutoffs("P", "2026-01"),
        _dates("D", "2026-05-28", "2027-05-28"),
    ),
    _model(
        "claude-opus-4-7",
        "Opus 4.7",
        (4, 7),
        *_CLAUDE_5,
        ("AL", {"thinking": ("adaptive", "disabled")}),
        _cutoffs("P", "2026-01"),
        _dates("D", "2026-04-16", "2027-04-16"),
    ),
    _model(
        "claude-opus-4-6",
        "Opus 4.6",
        (4, 6),
        *_CLAUDE_4_6,
        ("A", {"interleaved": ("adaptive",)}),
        _cutoffs("AO", "2025-05", "2025-08"),
        _dates("D", "2026-02-05", "2027-02-05"),
    ),
    # O agrees on the knowledge but has training data up to 2026-01.
    _model(
        "claude-sonnet-4-6",
        "Sonnet 4.6",
        (4, 6),
        *_CLAUDE_4_6,
        ("A", {"interleaved": ("flag", "adaptive")}),
        _cutoffs("A", "2025-08", "2025-08"),
        _dates("D", "2026-02-17", "2027-02-17"),
    ),
    _model(
        "claude-opus-4-5-20251101",
        "Opus 4.5",
        (4, 5),
        *_CLAUDE_4,
        ("P", {"aliases": ("claude-opus-4-5",)}),
        _sizes("P", 200 * _K, 64 * _K),
        _cutoffs("O", "2025-05", "2025-08"),
        _dates("D", "2025-11-24", None),
        _end("S", "2026-11-23", "2027-01-22"),  # deprecated since version 2.13.0, of that day
    ),
    _model(
        "claude-haiku-4-5-20251001",
        "Haiku 4.5",
        (4, 5),
        *_CLAUDE_4,
        ("P", {"aliases": ("claude-haiku-4-5",)}),
        _sizes("AP", 200 * _K, 64 * _K),
        _cutoffs("AO", "2025-02", "2025-07"),
        _dates("D", "2025-10-15", "2026-10-15"),
    ),
    _model(
        "claude-sonnet-4-5-20250929",
        "Sonnet 4.5",
        (4, 5),
        *_CLAUDE_4,
        ("AS", {"aliases": ("claude-sonnet-4-5",)}),
        _sizes("A", 200 * _K, 64 * _K),
        _cutoffs("AO", "2025-01", "2025-07"),
        _end("DS", "2026-09-30", "2026-11-30", "claude-sonnet-5-5"),
    ),
    _model(
        "claude-opus-4-1-20250805",
        "Opus 4.1",
        (4, 1),
        *_CLAUDE_4,
        ("S", {"aliases": ("claude-opus-4-1",)}),
        _sizes("O", 200 * _K, 32 * _K),
        _cutoffs("O", "2025-01", "2025-03"),
        _end("D", "2026-06-05", "2026-08-05", "claude-opus-4-8"),
    ),
    _model(
        "claude-opus-4-20250514",
        "Opus 4",
        (4, 0),
        *_CLAUDE_4,
        _EDITOR_4_0,
        ("S", {"aliases": ("claude-opus-4-0",)}),
        _sizes("A", 200 * _K, 32 * _K),
        _cutoffs("AO", "2025-01", "2025-03"),
        _end("D", "2026-04-14", "2026-06-15", "claude-opus-4-8"),
    ),
    _model(
        "claude-sonnet-4-20250514",
        "Sonnet 4",
        (4, 0),
        *_CLAUDE_4,
        _EDITOR_4_0,
        ("S", {"aliases": ("claude-sonnet-4-0",)}),
        _sizes("A", 200 * _K, 64 * _K),
        _cutoffs("AO", "2025-01", "2025-03"),
        _end("D", "2026-04-14", "2026-06-15", "claude-sonnet-4-6"),
    ),
    # The research preview before Mythos 5. S warns of "enabled" on it, and has the day of its end alone.
    _model(
        "claude-mythos-preview",
        "Mythos Preview",
        (5, 0),
        ("S", {"thinking_deprecated": ("enabled",), "thinking": ("adaptive", "enabled")}),
        ("M", {"prefill": False}),
        _end("S", None, "2026-06-30", "claude-mythos-5"),
    ),
    _model(
        "claude-3-7-sonnet-20250219",
        "Sonnet 3.7",
        (3, 7),
        *_CLAUDE_3,
        ("S", {"aliases": ("claude-3-7-sonnet-latest",)}),
        ("A", {"thinking": ("enabled", "disabled"), "max_output_tokens": 64 * _K}),
        ("A", {"max_output_tokens_beta": 128 * _K, "max_output_flag": "output-128k-2025-02-19"}),
        _editors("text_editor_20250124"),
        ("A", {"training_cutoff": "2024-11"}),
        _end("D", "2025-10-28", "2026-02-19", "claude-sonnet-4-6"),
    ),
    _model(
        "claude-3-5-sonnet-20241022",
        "Sonnet 3.5",
        (3, 5),
        *_CLAUDE_3,
        ("S", {"aliases": ("claude-3-5-sonnet-latest",)}),
        ("A", {"max_output_tokens": 8192, "training_cutoff": "2024-04"}),
        _editors("text_editor_20241022"),
        _end("D", "2025-08-13", "2025-10-28", "claude-sonnet-4-6"),
    ),
    # Its sizes are in none of the sources.
    _model(
        "claude-3-5-sonnet-20240620",
        "Sonnet 3.5 (June 2024)",
        (3, 5),
        ("A", {"thinking": ("disabled",)}),
        ("M", {"prefill": True}),
        _end("D", "2025-08-13", "2025-10-28", "claude-sonnet-4-6"),
    ),
    _model(
        "claude-3-5-haiku-20241022",
        "Haiku 3.5",
        (3, 5),
        *_CLAUDE_3,
        ("S", {"aliases": ("claude-3-5-haiku-latest",)}),
        ("A", {"max_output_tokens": 8192, "training_cutoff": "2024-07"}),
        _end("D", "2025-12-19", "2026-02-19", "claude-haiku-4-5-20251001"),
    ),
    _model(
        "claude-3-opus-20240229",
        "Opus 3",
        (3, 0),
        *_CLAUDE_3,
        ("S", {"aliases": ("claude-3-opus-latest",)}),
        ("A", {"max_output_tokens": 4096, "training_cutoff": "2023-08"}),
        _end("D", "2025-06-30", "2026-01-05", "claude-opus-4-8"),
    ),
    _model(
        "claude-3-sonnet-20240229",
        "Sonnet 3",
        (3, 0),
        ("A", {"thinking": ("disabled",)}),
        ("M", {"prefill": True}),
        _end("D", "2025-01-21", "2025-07-21", "claude-sonnet-4-6"),
    ),
    _model(
        "claude-3-haiku-20240307",
        "Haiku 3",
        (3, 0),
        *_CLAUDE_3,
        ("A", {"max_output_tokens": 4096, "training_cutoff": "2023-08"}),
        _end("D", "2026-02-19", "2026-04-20", "claude-haiku-4-5-20251001"),
    ),
)
