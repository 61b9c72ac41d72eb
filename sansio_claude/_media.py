"""Images and documents as content blocks, their media type told by content, never by a name.

The sizes that the API takes stand with `image`; a whole request has up to 32 MB. Sources:
platform.claude.com/docs/en/build-with-claude/vision and .../api/overview.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from sansio_claude._errors import LocalProtocolError
from sansio_claude._errors.arguments import as_bytes
from sansio_claude._value import an

if TYPE_CHECKING:
    from os import PathLike

__all__ = [
    "IMAGE_TYPES",
    "MAX_IMAGE_CHARACTERS",
    "MAX_REQUEST_BYTES",
    "document",
    "image",
    "image_size",
    "media_type_of",
]

IMAGE_TYPES: Final = ("image/jpeg", "image/png", "image/gif", "image/webp")
MAX_IMAGE_CHARACTERS: Final = 5 * 1024 * 1024
"""Characters of an image in base64: three quarters as many bytes of a file."""
MAX_REQUEST_BYTES: Final = 32_000_000
"""Bytes of the body of a request: 32 MB."""

_PDF: Final = "application/pdf"
# What the first bytes of a file say: where, what, and the name for people where the API does not take it.
_MAGIC: Final = (
    (0, b"\xff\xd8\xff", "image/jpeg"),
    (0, b"\x89PNG\r\n\x1a\n", "image/png"),
    (0, b"GIF87a", "image/gif"),
    (0, b"GIF89a", "image/gif"),
    (8, b"WEBP", "image/webp"),
    (0, b"%PDF-", _PDF),
)
_OTHERS: Final = (
    (0, b"II*\x00", "a TIFF image"),
    (0, b"MM\x00*", "a TIFF image"),
    (0, b"BM", "a BMP image"),
    (4, b"ftypavif", "an AVIF image"),
    (4, b"ftyphei", "a HEIC image"),
    (4, b"ftypmif1", "a HEIF image"),
    (0, b"\x00\x00\x01\x00", "an icon (ICO)"),
    (0, b"<svg", "an SVG image"),
    (0, b"<?xml", "XML, maybe an SVG image"),
    (0, b"PK\x03\x04", "a ZIP file, maybe an Office document"),
)


def media_type_of(data: bytes | bytearray | memoryview) -> str | None:
    """The media type that the first bytes tell: one of `IMAGE_TYPES` or application/pdf; None for anything else."""
    data = as_bytes(data, "media_type_of")
    for at, magic, kind in _MAGIC:
        if data.startswith(magic, at) and (at == 0 or data.startswith(b"RIFF")):
            return kind
    return None


def image(
    data: bytes | bytearray | memoryview | None = None,
    *,
    path: str | PathLike[str] | None = None,
    url: str | None = None,
    file_id: str | None = None,
    cache_control: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """An image block of exactly one of: bytes, a file's path, an address, the id of a file of the Files API.

    Bytes have to be a JPEG, PNG, GIF or WebP image. `path` is the one argument in the core that does I/O: the file is
    read here and now, which blocks, so an asynchronous program reads the bytes itself. Raises LocalProtocolError for
    another format (named where it is a known one), an empty image, a file that cannot be read.

    The API takes images of up to 5 MiB of base64 text and 8000 x 8000 pixels (2000 x 2000 where a request has more than
    20), 100 in a request for a model with a context of 200,000 tokens and 600 for the others. `check()` compares them.
    """
    source = _source("image", data, path, url, file_id, IMAGE_TYPES, "a JPEG, PNG, GIF or WebP image")
    return _block("image", source, {"cache_control": cache_control})


def document(
    data: bytes | bytearray | memoryview | None = None,
    *,
    path: str | PathLike[str] | None = None,
    url: str | None = None,
    file_id: str | None = None,
    text: str | None = None,
    title: str | None = None,
    context: str | None = None,
    citations: bool | None = None,
    cache_control: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """A document block of exactly one of: bytes, a file's path, an address, a file id (all PDF), or plain text.

    `title` and `context` describe it to the model, `citations=True` has the answer cite it. Reads and raises like
    `image`.
    """
    source: dict[str, Any]
    if text is not None and (data, path, url, file_id) == (None, None, None, None):
        source = {"type": "text", "media_type": "text/plain", "data": text}
    else:
        source = _source("document", data, path, url, file_id, (_PDF,), "a PDF document (give text as text=)", text)
    options = {
        "title": title,
        "context": context,
        "citations": None if citations is None else {"enabled": citations},
        "cache_control": cache_control,
    }
    return _block("document", source, options)


def _block(kind: str, source: dict[str, Any], options: Mapping[str, Any]) -> dict[str, Any]:
    return {"type": kind, "source": source, **{key: value for key, value in options.items() if value is not None}}


def _source(
    kind: str,
    data: bytes | bytearray | memoryview | None,
    path: str | PathLike[str] | None,
    url: str | None,
    file_id: str | None,
    accepted: tuple[str, ...],
    wanted: str,
    text: str | None = None,
) -> dict[str, Any]:
    if sum(given is not None for given in (data, path, url, file_id, text)) != 1:
        ways = "bytes, path=, url=, file_id=" + (", text=" if kind == "document" else "")
        raise LocalProtocolError(f"{kind}() takes exactly one of {ways}", path="source")
    if url is not None:
        return {"type": "url", "url": url}
    if file_id is not None:
        return {"type": "file", "file_id": file_id}
    content = _read(path) if path is not None else _bytes(kind, data)
    media_type = media_type_of(content)
    if media_type not in accepted:
        raise LocalProtocolError(f"this is {_looks_like(content, media_type)}, not {wanted}", path="source.data")
    return {"type": "base64", "media_type": media_type, "data": b64encode(content).decode("ascii")}


def _bytes(kind: str, data: object) -> bytes:
    if isinstance(data, str):
        raise LocalProtocolError(
            f"{kind}() was given a str: bytes come first, a file's name is path=, an address url=", path="source.data"
        )
    if not isinstance(data, bytes | bytearray | memoryview):
        raise LocalProtocolError(f"{kind}() takes bytes, not {an(type(data).__name__)}", path="source.data")
    return bytes(data)


def _read(path: str | PathLike[str]) -> bytes:
    if isinstance(path, int):  # it would be a file descriptor, which reading would close
        raise LocalProtocolError("path= takes the name of a file, not a number", path="source.data")
    try:
        with open(path, "rb") as file:
            # A byte more than any request may have is enough to see that it is too much.
            return file.read(MAX_REQUEST_BYTES + 1)
    except (OSError, ValueError, TypeError) as error:
        words = getattr(error, "strerror", None) or str(error)
        raise LocalProtocolError(f"the file cannot be read: {words}", path="source.data") from error


def _looks_like(content: bytes, media_type: str | None) -> str:
    if not content:
        return "empty"
    if media_type is not None:
        return "a PDF document" if media_type == _PDF else f"an image ({media_type})"
    start = content.lstrip(b"\xef\xbb\xbf \t\r\n")
    for at, magic, name in _OTHERS:
        if content.startswith(magic, at) or (at == 0 and start.startswith(magic)):
            return name
    return "of a format that is not known here"


def image_size(data: bytes) -> tuple[int, int] | None:
    """Width and height in pixels that an image's first bytes tell; None where they do not."""
    match media_type_of(data):
        case "image/png" if len(data) >= 24:
            return int.from_bytes(data[16:20], "big"), int.from_bytes(data[20:24], "big")
        case "image/gif" if len(data) >= 10:
            return int.from_bytes(data[6:8], "little"), int.from_bytes(data[8:10], "little")
        case "image/webp" if len(data) >= 30:
            return _webp_size(data)
        case "image/jpeg":
            return _jpeg_size(data)
        case _:
            return None


def _webp_size(data: bytes) -> tuple[int, int] | None:
    # RFC 9649: VP8X has 24 bits each less one, VP8L 14 bits each less one, VP8 14 bits each behind its start code.
    match data[12:16]:
        case b"VP8X":
            return int.from_bytes(data[24:27], "little") + 1, int.from_bytes(data[27:30], "little") + 1
        case b"VP8L":
            bits = int.from_bytes(data[21:25], "little")
            return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
        case b"VP8 ":
            return int.from_bytes(data[26:28], "little") & 0x3FFF, int.from_bytes(data[28:30], "little") & 0x3FFF
        case _:
            return None


def _jpeg_size(data: bytes) -> tuple[int, int] | None:
    # ITU T.81 annex B: segments with their length, until a frame header (SOF), which has height and width.
    at = 2
    while at + 9 <= len(data) and data[at] == 0xFF:
        kind = data[at + 1]
        if kind == 0xFF or 0xD0 <= kind <= 0xD7 or kind == 0x01:  # fill bytes and markers without a length
            at += 1 if kind == 0xFF else 2
        elif 0xC0 <= kind <= 0xCF and kind not in (0xC4, 0xC8, 0xCC):
            return int.from_bytes(data[at + 7 : at + 9], "big"), int.from_bytes(data[at + 5 : at + 7], "big")
        else:
            at += 2 + int.from_bytes(data[at + 2 : at + 4], "big")
    return None
