"""What is known of each model, as data: ids and spellings, sizes, thinking, prefill, editor tool, dates.

In: the id of a model. Out: a `ModelInfo`, or None for an id that is not certainly a known one.
Promises: facts only, each with its source; what no source says is None; an unknown id is always allowed.
"""

from sansio_claude._models.info import (
    AS_OF,
    EDITOR_NAMES,
    EDITORS_WITH_UNDO,
    NEWEST_EDITOR,
    SOURCES,
    EditorType,
    ModelInfo,
    ModelStatus,
    ThinkingKind,
    day_of,
)
from sansio_claude._models.spelling import model_info
from sansio_claude._models.table import KNOWN_MODELS

__all__ = [
    "AS_OF",
    "EDITORS_WITH_UNDO",
    "EDITOR_NAMES",
    "KNOWN_MODELS",
    "NEWEST_EDITOR",
    "SOURCES",
    "EditorType",
    "ModelInfo",
    "ModelStatus",
    "ThinkingKind",
    "day_of",
    "model_info",
]
