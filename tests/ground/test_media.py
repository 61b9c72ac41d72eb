"""Images and documents: told by content, refused with the name of what they are."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sansio_claude._errors import LocalProtocolError
from sansio_claude._media import IMAGE_TYPES, MAX_REQUEST_BYTES, document, image, image_size, media_type_of


def png(width: int = 1, height: int = 1) -> bytes:
    return b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + width.to_bytes(4, "big") + height.to_bytes(4, "big") + b"\x08\x02"


def gif(width: int = 1, height: int = 1) -> bytes:
    return b"GIF89a" + width.to_bytes(2, "little") + height.to_bytes(2, "little") + b"\x00\x00\x00"


def jpeg(width: int = 1, height: int = 1, *, before: bytes = b"\xff\xe0\x00\x04ab", marker: int = 0xC0) -> bytes:
    frame = bytes([0xFF, marker, 0, 17, 8]) + height.to_bytes(2, "big") + width.to_bytes(2, "big")
    return b"\xff\xd8" + before + frame + b"\x03" + b"\x00" * 9


def webp(kind: bytes, data: bytes) -> bytes:
    return b"RIFF\x00\x00\x00\x00WEBP" + kind + b"\x00\x00\x00\x00" + data + b"\x00" * 20


def vp8x(width: int, height: int) -> bytes:
    return webp(b"VP8X", b"\x00" * 4 + (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little"))


def vp8l(width: int, height: int) -> bytes:
    return webp(b"VP8L", b"\x2f" + (width - 1 | (height - 1) << 14).to_bytes(4, "little"))


def vp8(width: int, height: int) -> bytes:
    return webp(b"VP8 ", b"\x00\x00\x00\x9d\x01\x2a" + width.to_bytes(2, "little") + height.to_bytes(2, "little"))


PDF = b"%PDF-1.7\n"
IMAGES = [
    (png(), "image/png"),
    (jpeg(), "image/jpeg"),
    (gif(), "image/gif"),
    (b"GIF87a" + gif()[6:], "image/gif"),
    (vp8x(1, 1), "image/webp"),
]


@pytest.mark.parametrize(("data", "media_type"), IMAGES)
def test_an_image_is_told_by_its_content(data: bytes, media_type: str, tmp_path: Path) -> None:
    assert media_type_of(data) == media_type
    assert media_type in IMAGE_TYPES
    source = {"type": "base64", "media_type": media_type, "data": base64.b64encode(data).decode()}
    path = tmp_path / "misleading.pdf"
    path.write_bytes(data)
    for block in (
        image(data),
        image(bytearray(data)),
        image(memoryview(data)),
        image(path=path),
        image(path=str(path)),
    ):
        assert block == {"type": "image", "source": source}


def test_images_elsewhere() -> None:
    cached = {"type": "ephemeral"}
    assert image(url="https://h/a.png") == {"type": "image", "source": {"type": "url", "url": "https://h/a.png"}}
    assert image(file_id="file_1", cache_control=cached) == {
        "type": "image",
        "source": {"type": "file", "file_id": "file_1"},
        "cache_control": cached,
    }


def test_documents() -> None:
    data = base64.b64encode(PDF).decode()
    pdf = {"type": "base64", "media_type": "application/pdf", "data": data}
    assert document(PDF) == {"type": "document", "source": pdf}
    assert document(PDF, title="T", context="C", citations=True, cache_control={"type": "ephemeral"}) == {
        "type": "document",
        "source": pdf,
        "title": "T",
        "context": "C",
        "citations": {"enabled": True},
        "cache_control": {"type": "ephemeral"},
    }
    assert document(url="https://h/a.pdf")["source"] == {"type": "url", "url": "https://h/a.pdf"}
    assert document(file_id="f")["source"] == {"type": "file", "file_id": "f"}
    assert document(text="plain")["source"] == {"type": "text", "media_type": "text/plain", "data": "plain"}
    assert "citations" not in document(text="plain", title=None)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "this is empty, not a JPEG, PNG, GIF or WebP image"),
        (b"II*\x00rest", "a TIFF image"),
        (b"MM\x00*rest", "a TIFF image"),
        (b"BMrest", "a BMP image"),
        (b"\x00\x00\x00\x20ftypavif", "an AVIF image"),
        (b"\x00\x00\x00\x20ftypheic", "a HEIC image"),
        (b"\x00\x00\x00\x20ftypmif1", "a HEIF image"),
        (b"\x00\x00\x01\x00\x01\x00", "an icon"),
        (b"\xef\xbb\xbf\n <svg xmlns=''>", "an SVG image"),
        (b"<?xml version='1.0'?>", "maybe an SVG"),
        (b"PK\x03\x04rest", "a ZIP file"),
        (b"RIFF0000WAVE", "not known here"),
        (b"hello", "not known here"),
        (PDF, "a PDF document"),
    ],
)
def test_another_format_is_refused_by_its_name(data: bytes, words: str) -> None:
    with pytest.raises(LocalProtocolError, match=words):
        image(data)


def test_an_image_is_no_document() -> None:
    with pytest.raises(LocalProtocolError, match=r"an image \(image/png\), not a PDF document"):
        document(png())


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: image(), "exactly one of bytes, path=, url=, file_id=$"),
        (lambda: image(png(), url="https://h"), "exactly one"),
        (lambda: document(text="a", url="https://h"), "exactly one"),
        (lambda: document(), "exactly one of bytes, path=, url=, file_id=, text=$"),
        (lambda: image("cat.png"), "path="),  # type: ignore[arg-type]
        (lambda: document(5), "not an int"),  # type: ignore[arg-type]
        (lambda: image(path="/nowhere/cat.png"), "No such file"),
        (lambda: image(path="a\0b"), "cannot be read"),
        (lambda: image(path=object()), "cannot be read"),  # type: ignore[arg-type]
    ],
)
def test_what_is_no_source_is_refused(call: Any, words: str) -> None:
    with pytest.raises(LocalProtocolError, match=words):
        call()


def test_no_more_of_a_file_is_read_than_a_request_can_have(tmp_path: Path) -> None:
    path = tmp_path / "huge.png"
    with path.open("wb") as file:
        file.write(png())
        file.truncate(2 * MAX_REQUEST_BYTES)
    data = image(path=path)["source"]["data"]
    assert len(data) < 2 * MAX_REQUEST_BYTES


@pytest.mark.parametrize("make", [png, gif, jpeg, vp8x, vp8l, vp8])
def test_the_size_in_pixels_is_told_by_the_first_bytes(make: Any) -> None:
    assert image_size(make(1200, 7)) == (1200, 7)


@pytest.mark.parametrize(
    "cut", [png()[:23], gif()[:9], vp8(5, 5)[:29], b"\xff\xd8\xff", jpeg()[:9], b"", b"hello", PDF]
)
def test_a_size_that_is_not_there_is_not_told(cut: bytes) -> None:
    assert image_size(cut) is None


def test_odd_images() -> None:
    assert image_size(webp(b"ALPH", b"")) is None
    assert image_size(jpeg(9, 8, before=b"\xff\xff\xff\x01\xff\xd0\xff\xc4\x00\x02", marker=0xC2)) == (9, 8)
    assert image_size(b"\xff\xd8\xff\xe0\x00\x00" + b"\xff\xe0\x00\x00" * 5) is None


@given(st.sampled_from([data for data, _ in IMAGES] + [PDF, b""]), st.binary(max_size=200))
def test_any_bytes_have_a_size_or_none(start: bytes, rest: bytes) -> None:
    for data in (start + rest, start[:6] + rest, b"\xff\xd8\xff" + rest):
        size = image_size(data)
        assert size is None or all(side >= 0 for side in size)
        assert media_type_of(data) in (None, "application/pdf", *IMAGE_TYPES)
