"""Which model an id means: by id, by alias, or in the spelling of another platform."""

from __future__ import annotations

import re
from typing import Final

from sansio_claude._models.info import ModelInfo
from sansio_claude._models.table import KNOWN_MODELS

__all__ = ["model_info"]

_BY_ID: Final = {name: info for info in KNOWN_MODELS for name in (info.id, *info.aliases)}

# Bedrock: a region, "anthropic.", and a version at the end (anthropic.claude-3-haiku-20240307-v1:0, also with a
# context size, and as the last part of an ARN). Vertex: @ before the date (claude-opus-4-5@20251101, and
# claude-3-5-sonnet-v2@20241022 for the second of two), or @default. Gateways: anthropic/ and dots in the version.
_SPELLING: Final = (
    r"(?:.*/)?(?:(?:[a-z-]+\.)?anthropic\.)?(?P<base>claude-[a-z0-9.-]+?)"
    r"(?:-v[0-9]+(?::[0-9]+)?(?::[0-9]+k)?)?(?:@(?:(?P<date>[0-9]{8})|default|latest))?"
)
_LONGEST: Final = 200  # characters of an id that is looked at


def model_info(model: object) -> ModelInfo | None:
    """What is known of a model, by id, alias, or the spelling of Amazon Bedrock, Vertex AI or a gateway.

    None for every id that is not certainly one of `KNOWN_MODELS`: a new date or suffix is another model. Any object
    may be given. Constant time.
    """
    if not isinstance(model, str):
        return None
    known = _BY_ID.get(model)
    if known is not None:
        return known
    spelt = re.fullmatch(_SPELLING, model) if len(model) < _LONGEST else None
    if spelt is None:
        return None
    base = spelt["base"].replace(".", "-")
    return _BY_ID.get(f"{base}-{spelt['date']}" if spelt["date"] else base)
