"""Rules of `check()` about images and documents.

Sources: platform.claude.com/docs/en/build-with-claude/vision for kinds, numbers and pixels; that the limit of 5 MiB
is one of base64 characters is what the API's answer shows ("image exceeds 5 MB maximum: 6405384 bytes > 5242880
bytes" for a file of 4,804,036 bytes, github.com/langchain-ai/langchain/issues/21654). Pixels beyond the limit are a
warning, because the API makes such images smaller unless `transformations.oversized_image` is "error".
"""

from __future__ import annotations

import binascii
import re
from typing import Any, Final

from sansio_claude._check.blocks import blocks_of, type_of
from sansio_claude._check.problem import Problem, Problems, Subject
from sansio_claude._media import IMAGE_TYPES, MAX_IMAGE_CHARACTERS, image_size, media_type_of

__all__ = ["check_media"]

_HEAD: Final = 256 * 1024  # characters of an image that are decoded: a size further in is not judged
_NOT_BASE64: Final = re.compile(r"[^A-Za-z0-9+/=]")
_SMALL_CONTEXT: Final = 200_000  # tokens


def check_media(subject: Subject) -> Problems:
    """Problems of all images and documents."""
    images = []
    for path, _, block in blocks_of(subject):
        if type_of(block) == "image":
            images.append((path, block))
        elif type_of(block) == "document":
            yield from _document(block.get("source"), f"{path}.source")
    info = subject.info
    small = info is not None and info.context_window == _SMALL_CONTEXT
    most = 100 if small else 600
    if len(images) > most:
        yield Problem("error", "messages", f"there are {len(images)} images; the API takes {most}")
    edge = 2000 if len(images) > 20 else 8000
    for path, block in images:
        yield from _image(block, path, edge)


def _image(block: dict[str, Any], path: str, edge: int) -> Problems:
    transformations = block.get("transformations")
    oversized = transformations.get("oversized_image") if isinstance(transformations, dict) else None
    if oversized not in (None, "downsize", "error"):
        place = f"{path}.transformations.oversized_image"
        yield Problem("warning", place, 'oversized_image is neither "downsize" nor "error"')
    source = block.get("source")
    kind = source.get("type") if isinstance(source, dict) else None
    if not isinstance(source, dict) or not isinstance(kind, str):
        yield Problem("error", f"{path}.source", "an image needs a source with a type: base64, url or file")
    elif kind == "base64":
        yield from _base64(source, f"{path}.source", edge, "error" if oversized == "error" else "warning")
    elif kind in ("url", "file"):
        yield from _reference(source, kind, f"{path}.source")


def _reference(source: dict[str, Any], kind: str, path: str) -> Problems:
    key = "url" if kind == "url" else "file_id"
    value = source.get(key)
    if not isinstance(value, str) or not value:
        yield Problem("error", f"{path}.{key}", f"{key} is missing")
    elif kind == "url" and value.startswith("data:"):
        yield Problem("error", f"{path}.url", "the API fetches no data: addresses", "send the data as a base64 source")


def _encoded(data: Any, path: str, what: str) -> Problems:
    if not isinstance(data, str) or not data:
        yield Problem("error", path, f"data has to be the {what} in base64")
        return
    found = _NOT_BASE64.search(data)
    if found is not None or len(data) % 4:
        hint = "without data: in front, line breaks or spaces"
        if found is None:
            hint = "the number of characters has to be a multiple of 4: pad it with ="
        yield Problem("error", path, "data is not base64", hint)


def _document(source: Any, path: str) -> Problems:
    if not isinstance(source, dict) or not isinstance(source.get("type"), str):
        words = "a document needs a source with a type: base64, text, content, url or file"
        yield Problem("error", path, words)
        return
    kind = source["type"]
    if kind in ("url", "file"):
        yield from _reference(source, kind, path)
    elif kind == "base64":
        if source.get("media_type") != "application/pdf":
            hint = "application/pdf; a text goes as a source of type text"
            yield Problem("error", f"{path}.media_type", "the API takes no documents of this media type", hint)
        yield from _encoded(source.get("data"), f"{path}.data", "document")
    elif kind == "text" and not isinstance(source.get("data"), str):
        yield Problem("error", f"{path}.data", "data has to be the text of the document")


def _base64(source: dict[str, Any], path: str, edge: int, oversized: Any) -> Problems:
    media_type, data = source.get("media_type"), source.get("data")
    if media_type not in IMAGE_TYPES:
        words = "media_type is missing" if media_type is None else "the API takes no images of this media type"
        yield Problem("error", f"{path}.media_type", words, ", ".join(IMAGE_TYPES))
    wrong = list(_encoded(data, f"{path}.data", "image"))
    yield from wrong
    if not isinstance(data, str):
        return
    if len(data) > MAX_IMAGE_CHARACTERS:
        words = f"the image has {len(data):,} characters of base64; the API takes {MAX_IMAGE_CHARACTERS:,} (5 MiB)"
        yield Problem("error", f"{path}.data", words, "make it smaller, or send it by file id")
    if wrong:
        return
    try:
        head = binascii.a2b_base64(data[:_HEAD])
    except ValueError:
        yield Problem("error", f"{path}.data", "data is not base64", "= may stand at its end only")
        return
    actual = media_type_of(head)
    if actual is None:
        yield Problem("error", f"{path}.data", "data is no JPEG, PNG, GIF or WebP image")
    elif media_type in IMAGE_TYPES and actual != media_type:
        yield Problem("error", f"{path}.media_type", f"media_type says {media_type} but the image is {actual}")
    pixels = image_size(head)
    if pixels is not None and max(pixels) > edge:
        words = f"the image has {pixels[0]} x {pixels[1]} pixels; the API takes {edge} x {edge}"
        words += " in a request with more than 20" if edge == 2000 else ""
        yield Problem(oversized, f"{path}.data", words, "make it smaller: otherwise the API does, or refuses it")
