"""Content decoding: formats, ends, limits, and that no cut and no broken byte costs a good one."""

from __future__ import annotations

import gzip
import random
import zlib

import pytest

from sansio_claude._errors import LimitError, RemoteProtocolError, TruncatedError
from sansio_claude._http.content_encoding import ContentDecoder, content_coding
from sansio_claude._limits import Limits
from sansio_claude.testing import chunkings

TEXT = b"".join(b'data: {"index":%d}\n\n' % i for i in range(300))
NOISE = random.Random(1).randbytes(2000)


def raw(data: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(data) + packer.flush()


def run(coding: str, pieces: list[bytes], **limits: int) -> tuple[bytes, ContentDecoder]:
    decoder = ContentDecoder(coding, limits=Limits(**limits))
    out = b""
    for piece in pieces:
        decoder.receive_data(piece)
        try:
            out += decoder.body_received()
        except RemoteProtocolError:
            break
    decoder.finish()
    return out, decoder


def both(coding: str, data: bytes, **limits: int) -> tuple[bytes, ContentDecoder]:
    """The same whole, bytewise and at odd cuts."""
    results = []
    for pieces in (
        chunkings.whole(data),
        chunkings.bytewise(data),
        chunkings.steps(data, 301),
        chunkings.steps(data, 256),
    ):
        out, decoder = run(coding, pieces, **limits)
        error = decoder.error
        results.append((out, decoder.done, error and (type(error), str(error), error.offset)))
    assert results[0] == results[1] == results[2] == results[3]
    return out, decoder


@pytest.mark.parametrize(
    ("values", "coding"),
    [
        ([], ""),
        ([b""], ""),
        ([b"identity"], ""),
        ([b"Identity, "], ""),
        ([b"gzip"], "gzip"),
        ([b" GZip "], "gzip"),
        ([b"x-gzip"], "gzip"),
        ([b"identity", b"gzip"], "gzip"),
        ([b"deflate"], "deflate"),
        ([b"br"], None),
        ([b"zstd"], None),
        ([b"gzip, gzip"], None),
        ([b"gzip", b"deflate"], None),
    ],
)
def test_coding(values: list[bytes], coding: str | None) -> None:
    assert content_coding(values) == coding


@pytest.mark.parametrize("text", [b"", b"x", TEXT, NOISE, bytes(70_000)])
@pytest.mark.parametrize(("coding", "pack"), [("gzip", gzip.compress), ("deflate", zlib.compress), ("deflate", raw)])
def test_formats(coding: str, pack: object, text: bytes) -> None:
    assert callable(pack)
    out, decoder = both(coding, pack(text), ratio=2000)
    assert out == text
    assert decoder.done
    assert decoder.body_received() == b""


@pytest.mark.parametrize("level", [0, 1, 6, 9])
def test_zlib_headers_of_every_level(level: int) -> None:
    assert both("deflate", zlib.compress(TEXT, level))[0] == TEXT


@pytest.mark.parametrize("first", [0x78, 0x88, 0xF8])
def test_raw_deflate_whose_first_byte_might_be_zlibs(first: int) -> None:
    """A stored block whose padding bits are not zero: the method looks right, the window or the check does not."""
    for size in range(1, 60):
        if (first << 8 | size) % 31 == 0 and first == 0x78:
            continue  # nothing can tell these from zlib
        data = bytes([first, size, 0, 255 - size, 255]) + b"x" * size + b"\x03\0"
        assert both("deflate", data)[0] == b"x" * size


def test_what_has_come_is_decoded_at_once() -> None:
    packer = zlib.compressobj(wbits=31)
    decoder = ContentDecoder("gzip")
    for i in range(5):
        decoder.receive_data(packer.compress(b"event %d\n" % i) + packer.flush(zlib.Z_SYNC_FLUSH))
        assert decoder.body_received() == b"event %d\n" % i
        assert not decoder.done


def test_several_pieces_are_joined() -> None:
    packed = gzip.compress(NOISE)
    decoder = ContentDecoder("gzip")
    for piece in chunkings.steps(packed, 100):
        decoder.receive_data(piece)
    assert decoder.body_received() == NOISE


@pytest.mark.parametrize("coding", ["gzip", "deflate"])
def test_an_empty_body(coding: str) -> None:
    out, decoder = run(coding, [])
    assert out == b""
    assert decoder.done


def test_gzip_of_several_members() -> None:
    out, decoder = both("gzip", gzip.compress(TEXT) + gzip.compress(b"") + gzip.compress(b"more"))
    assert out == TEXT + b"more"
    assert decoder.done


@pytest.mark.parametrize(
    ("coding", "data"), [("gzip", gzip.compress(TEXT)), ("deflate", zlib.compress(TEXT)), ("deflate", raw(TEXT))]
)
def test_data_that_is_cut(coding: str, data: bytes) -> None:
    for end in (1, 2, 5, 20, len(data) - 1):
        out, decoder = both(coding, data[:end])
        assert TEXT.startswith(out)
        assert not decoder.done
        assert type(decoder.error) is TruncatedError
        with pytest.raises(TruncatedError, match="compressed data has not"):
            decoder.body_received()


def test_a_member_that_is_cut() -> None:
    whole = gzip.compress(TEXT)
    assert isinstance(both("gzip", whole + whole[:5])[1].error, TruncatedError)


@pytest.mark.parametrize(
    ("coding", "data", "words"),
    [
        ("gzip", gzip.compress(TEXT) + b"garbage", "is broken"),
        ("gzip", gzip.compress(TEXT) + bytes(9), "is broken"),
        ("deflate", zlib.compress(TEXT) + b"garbage", "behind the end"),
        ("deflate", raw(TEXT) + b"g", "behind the end"),
    ],
)
def test_bytes_behind_the_data(coding: str, data: bytes, words: str) -> None:
    out, decoder = both(coding, data)
    assert out == TEXT
    assert type(decoder.error) is RemoteProtocolError
    assert words in str(decoder.error)
    assert not decoder.done


@pytest.mark.parametrize(
    ("coding", "data", "good"),
    [
        ("gzip", TEXT, b""),
        ("deflate", b"\xff" * 20, b""),
        ("gzip", gzip.compress(TEXT)[:-8] + bytes(8), TEXT),  # the checksum is wrong
        ("deflate", zlib.compress(TEXT)[:-4] + bytes(4), TEXT),
        ("gzip", gzip.compress(NOISE, 0)[:1000] + gzip.compress(NOISE * 2, 0)[2000:], None),
        ("deflate", b"\x78\xbb" + bytes(10), b""),  # asks for a dictionary
    ],
)
def test_broken_data(coding: str, data: bytes, good: bytes | None) -> None:
    out, decoder = both(coding, data)
    assert good is None or out == good
    assert type(decoder.error) is RemoteProtocolError
    assert decoder.error.stage == "exchange"
    for _ in range(2):
        with pytest.raises(RemoteProtocolError, match="is broken"):
            decoder.body_received()
    assert decoder.error.__context__ is None  # zlib's error is not dragged along


def test_no_good_byte_is_lost_to_a_bad_one() -> None:
    packer = zlib.compressobj(wbits=31)
    good = packer.compress(TEXT) + packer.flush(zlib.Z_FULL_FLUSH)
    out, decoder = both("gzip", good + b"\x07" * 50)
    assert out == TEXT
    assert "is broken" in str(decoder.error)


def test_after_an_error_bytes_are_ignored() -> None:
    decoder = ContentDecoder("gzip")
    decoder.receive_data(b"no gzip at all")
    error = decoder.error
    decoder.receive_data(gzip.compress(TEXT))
    decoder.finish()
    assert decoder.error is error
    with pytest.raises(RemoteProtocolError):
        decoder.body_received()


# Limits.


def test_the_limit_of_decompressed_bytes() -> None:
    for data in (gzip.compress(TEXT), gzip.compress(TEXT[:1000]) + gzip.compress(TEXT[1000:])):
        assert both("gzip", data, decompressed=len(TEXT))[0] == TEXT
        out, decoder = both("gzip", data, decompressed=len(TEXT) - 1)
        assert out == TEXT[:-1]
        assert isinstance(decoder.error, LimitError)
        assert (decoder.error.limit, decoder.error.value) == ("decompressed", len(TEXT) - 1)
        assert f"{len(TEXT) - 1} bytes (Limits.decompressed)" in str(decoder.error)


def test_the_limit_of_the_ratio() -> None:
    bomb = gzip.compress(bytes(4 << 20))
    out, decoder = both("gzip", bomb)
    assert isinstance(decoder.error, LimitError)
    assert (decoder.error.limit, decoder.error.value, decoder.error.offset) == ("ratio", 200, 256)
    assert len(out) < 264 * 1024
    assert both("gzip", bomb, ratio=2000)[0] == bytes(4 << 20)


def test_a_small_bomb_is_judged_at_its_end() -> None:
    bomb = gzip.compress(bytes(100_000))
    assert len(bomb) < 256
    out, decoder = both("gzip", bomb)
    assert len(out) == 100_000
    assert isinstance(decoder.error, LimitError)
    assert not decoder.done


def test_no_ratio_is_asked_of_64_kib() -> None:
    assert both("gzip", gzip.compress(bytes(65_536)))[1].done
    assert both("gzip", gzip.compress(bytes(65_537)))[1].error is not None


def test_a_ratio_of_exactly_the_limit() -> None:
    found = [
        (ratio, data)
        for ratio in range(690, 720)
        for packed in range(90, 110)
        for data in [gzip.compress(bytes(ratio * packed))]
        if len(data) == packed and ratio * packed > 65_536
    ]
    assert found
    ratio, data = found[0]
    assert both("gzip", data, ratio=ratio)[1].done
    assert not both("gzip", data, ratio=ratio - 1)[1].done


@pytest.mark.parametrize("ratio", [1, 2, 5, 50])
def test_the_ratio_is_exact(ratio: int) -> None:
    text = b"".join(b"%d" % (i * i) for i in range(20_000))
    data = gzip.compress(text)
    fine = all(
        made <= 65_536 or made <= ratio * at
        for at in [*range(256, len(data), 256), len(data)]
        for made in [len(zlib.decompressobj(31).decompress(data[:at]))]
    )
    assert both("gzip", data, ratio=ratio)[1].done is fine


def test_memory_is_bounded_while_a_bomb_comes() -> None:
    decoder = ContentDecoder("gzip")
    bomb = gzip.compress(bytes(64 << 20))
    decoder.receive_data(bomb)
    assert sum(map(len, decoder._out)) < 264 * 1024
