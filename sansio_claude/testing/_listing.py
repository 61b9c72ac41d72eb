"""The models listing of a replay server: its pages and what it refuses."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final
from urllib.parse import parse_qsl, unquote

from sansio_claude.testing._answers import Answer

__all__ = ["model_named", "model_page"]

_PAGE: Final = 20  # models on a page when the request names no limit
_LARGEST_PAGE: Final = 1_000


def model_page(models: Sequence[str], query: str) -> Answer:
    """One page: `limit` models (20 unless given, 1 to 1000) behind `after_id` or in front of `before_id`."""
    asked = dict(parse_qsl(query, keep_blank_values=True))
    limit = asked.get("limit", str(_PAGE))
    if not (limit.isascii() and limit.isdigit() and 1 <= int(limit) <= _LARGEST_PAGE):
        return Answer.error(400, f"limit: has to be a number from 1 to {_LARGEST_PAGE}, not {limit!r}")
    after, before = asked.get("after_id"), asked.get("before_id")
    if after is not None and before is not None:
        return Answer.error(400, "after_id and before_id cannot both be given")
    for name, cursor in (("after_id", after), ("before_id", before)):
        if cursor is not None and cursor not in models:
            return Answer.error(400, f"{name}: there is no model {cursor!r}")
    count = int(limit)
    if before is not None:
        candidates = list(models[: models.index(before)])
        page = candidates[-count:]
    else:
        candidates = list(models[0 if after is None else models.index(after) + 1 :])
        page = candidates[:count]
    return Answer.json(
        {
            "data": [_described(name) for name in page],
            "has_more": len(candidates) > len(page),
            "first_id": page[0] if page else None,
            "last_id": page[-1] if page else None,
        }
    )


def model_named(models: Sequence[str], encoded: str) -> Answer:
    """One model; `encoded` is its id as it stands in the path, percent-encoded or not."""
    name = unquote(encoded)
    return Answer.json(_described(name)) if name in models else Answer.error(404, f"model: {name}")


def _described(name: str) -> dict[str, Any]:
    return {"type": "model", "id": name, "display_name": name, "created_at": "2026-01-01T00:00:00Z"}
