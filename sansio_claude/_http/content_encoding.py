"""ContentDecoder: a body in gzip or deflate decoded as it comes, bounded (RFC 9110 section 8.4.1).

We ask for `identity`; some gateways compress all the same. gzip may have several members (RFC 1952 section 2.2);
"deflate" means the zlib format, and raw deflate from servers that took the word literally: told apart by the first
two bytes. Bytes behind the end of the data, and data without its end, are errors.

Two limits hold, `Limits.decompressed` and `Limits.ratio`, and neither depends on how the bytes were cut: the first
counts bytes out; the second is judged after every 256th byte in and at the end, from 64 KiB out on. Between two
judgements no more than 264 KiB can be made of 256 bytes, since deflate cannot do better than 1,032 to 1.

zlib throws away what a call had made before it met a bad byte. So that good bytes are never lost, and the place of
an error is the same however the bytes were cut, the state before each piece is kept, and after an error the piece is
done again byte by byte.
"""

from __future__ import annotations

import zlib
from typing import Final, final

from sansio_claude._errors import LimitError, RemoteProtocolError, TruncatedError
from sansio_claude._limits import Limits, limits_of

__all__ = ["ContentDecoder", "content_coding"]

_STEP: Final = 256
_FREE: Final = 64 * 1024  # bytes out that no ratio is asked of
_GZIP: Final = 16 + zlib.MAX_WBITS
_ZLIB: Final = zlib.MAX_WBITS
_RAW: Final = -zlib.MAX_WBITS


def content_coding(values: list[bytes]) -> str | None:
    """The coding that the Content-Encoding values name: "gzip", "deflate", "" for none, None for one not decoded.

    More than one coding on top of another is not decoded: nobody sends that but to make a bomb.
    """
    names = [name.strip().lower() for value in values for name in value.split(b",")]
    real = [name for name in names if name not in (b"", b"identity")]
    if not real:
        return ""
    if len(real) > 1:
        return None
    return {b"gzip": "gzip", b"x-gzip": "gzip", b"deflate": "deflate"}.get(real[0])


@final
class ContentDecoder:
    """Decodes one body. `coding` is "gzip" or "deflate".

    `receive_data` never raises for what the peer sent; `finish` says that the body has ended; `body_received` gives
    the decoded bytes since the last call, and when none are left raises what was wrong, every time. `done` is True
    when the data ended where the body did. Time is linear in bytes in and out.
    """

    __slots__ = ("_in", "_limits", "_multiple", "_out", "_start", "_total", "_z", "done", "error")

    def __init__(self, coding: str, *, limits: Limits | None = None) -> None:
        self._limits = limits_of(limits)
        self._multiple = coding == "gzip"
        self._z = zlib.decompressobj(_GZIP) if self._multiple else None
        self._start = b""  # the first byte of deflate, until the second tells which kind it is
        self._in = 0
        self._total = 0
        self._out: list[bytes] = []
        self.done: bool = False
        self.error: RemoteProtocolError | None = None

    def receive_data(self, data: bytes) -> None:
        """Take bytes as they were transferred. After an error they are ignored."""
        if self._z is None:
            data = self._start + data
            if len(data) < 2:
                self._start = data
                return
            # RFC 1950 section 2.2: the method is 8, the window 32 KiB at most, the two bytes a multiple of 31.
            zlib_header = data[0] & 0x8F == 0x08 and (data[0] << 8 | data[1]) % 31 == 0
            self._z = zlib.decompressobj(_ZLIB if zlib_header else _RAW)
            self._start = b""
        pos = 0
        while pos < len(data) and self.error is None:
            end = pos + _STEP - self._in % _STEP
            self._step(self._z, data[pos:end])
            pos = end

    def finish(self) -> None:
        """The body has ended as its framing said it would: is the compressed data whole, too?"""
        if self.error is not None:
            return
        if not self._start and not self._in:  # an empty body is empty in every coding
            self.done = True
        elif self._z is None or not self._z.eof:
            self.error = TruncatedError(
                "the body has ended and its compressed data has not: it was cut before it was framed",
                stage="exchange",
                offset=self._in,
            )
        else:
            self._check_ratio()
            self.done = self.error is None

    def body_received(self) -> bytes:
        """The decoded bytes since the last call. When none are left and something was wrong, raises it."""
        out = self._out
        if out:
            self._out = []
            return out[0] if len(out) == 1 else b"".join(out)
        if self.error is not None:
            raise self.error.with_traceback(None)
        return b""

    def _step(self, z: zlib._Decompress, piece: bytes) -> None:
        """Decode a piece that does not reach beyond the next judgement of the ratio."""
        before = z.copy(), self._in, self._total, len(self._out)
        broken = False
        try:
            self._inflate(z, piece)
        except zlib.error:
            broken = True
        if (broken or self.error is not None) and len(piece) > 1:
            self.error = None
            self._z, self._in, self._total, made = before
            del self._out[made:]
            for i in range(len(piece)):
                if self.error is None:
                    self._step(self._z, piece[i : i + 1])
        elif broken:
            self.error = RemoteProtocolError(
                "the compressed body is broken: its bytes are not what Content-Encoding says",
                stage="exchange",
                offset=self._in,
            )
        elif not self._in % _STEP:
            self._check_ratio()

    def _inflate(self, z: zlib._Decompress, piece: bytes) -> None:
        while piece and self.error is None:
            if z.eof:
                if not self._multiple:
                    self.error = RemoteProtocolError(
                        "there are bytes behind the end of the compressed data",
                        stage="exchange",
                        offset=self._in,
                    )
                    return
                z = self._z = zlib.decompressobj(_GZIP)
            room = self._limits.decompressed - self._total
            made = z.decompress(piece, room + 1)
            self._in += len(piece) - len(z.unused_data)
            piece = z.unused_data
            if len(made) > room:
                made = made[:room]
                self._pass_limit("decompressed", self._limits.decompressed, "bytes")
            if made:
                self._total += len(made)
                self._out.append(made)

    def _check_ratio(self) -> None:
        ratio = self._limits.ratio
        if self.error is None and self._total > _FREE and self._total > ratio * self._in:
            self._pass_limit("ratio", ratio, "times its compressed size")

    def _pass_limit(self, limit: str, value: int, unit: str) -> None:
        self.error = LimitError(
            f"the decompressed body is larger than {value} {unit} (Limits.{limit})",
            limit=limit,
            value=value,
            stage="exchange",
            offset=self._in,
        )
