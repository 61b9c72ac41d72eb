"""Which types of the official SDK's answers have a class, which an attribute, which are kept only: a table.

    python -m tests.sdk_types

Walks all types that are reachable from the SDK's Message, stream events, counts of tokens and listed models, stable
and beta.
"""

from __future__ import annotations

import types
import typing
from collections.abc import Iterator
from typing import Any

import sansio_claude
from sansio_claude._message import views
from sansio_claude._message.view import View


def walk(root: Any) -> Iterator[Any]:
    """The SDK's models that are reachable from a type, each once."""
    from pydantic import BaseModel

    seen: set[type] = set()
    waiting = [root]
    while waiting:
        each = waiting.pop()
        if typing.get_origin(each) is not None or isinstance(each, types.UnionType):
            waiting += typing.get_args(each)
        elif isinstance(each, type) and issubclass(each, BaseModel) and each not in seen:
            seen.add(each)
            yield each
            waiting += [field.annotation for field in each.model_fields.values()]


def attributes() -> set[str]:
    """Every attribute by which something of an answer can be read."""
    classes = [value for name in sansio_claude.__all__ if isinstance(value := getattr(sansio_claude, name), type)]
    classes += [value for value in vars(views).values() if isinstance(value, type) and issubclass(value, View)]
    return {name for cls in classes for name in dir(cls) if not name.startswith("_")}


def table() -> list[tuple[str, str, str, str]]:
    """Type of the SDK, its `type` on the wire, the fields with an attribute here, those that are kept only."""
    from anthropic.types import Message, MessageTokensCount, ModelInfo, RawMessageStreamEvent
    from anthropic.types.beta import BetaMessage, BetaMessageTokensCount, BetaModelInfo, BetaRawMessageStreamEvent

    known = attributes()
    rows = {}
    stable = (Message, RawMessageStreamEvent, MessageTokensCount, ModelInfo)
    beta = (BetaMessage, BetaRawMessageStreamEvent, BetaMessageTokensCount, BetaModelInfo)
    for root in (*stable, *beta):
        for model in walk(root):
            fields = {name.rstrip("_") for name in model.model_fields}
            kind = model.model_fields.get("type")
            values = [each for each in typing.get_args(kind.annotation) if isinstance(each, str)] if kind else []
            named, kept = sorted(fields & known), sorted(fields - known)
            rows[model.__name__] = (model.__name__, ", ".join(values), ", ".join(named), ", ".join(kept))
    return [rows[name] for name in sorted(rows)]


if __name__ == "__main__":
    print("| type | on the wire | has an attribute | kept only |\n|---|---|---|---|")
    for row in table():
        print("| " + " | ".join(row) + " |")
