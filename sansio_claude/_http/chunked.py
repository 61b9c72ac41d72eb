"""ChunkedDecoder: the bytes of a chunked body in, the body's bytes out (RFC 9112 section 7.1).

The states, and what each reads:

    LINE     at a chunk border, nothing held     chunk-size line -> DATA, or TRAILERS for size 0
    HELD     a part of a chunk-size line held    the rest of it -> the same
    DATA     `_left` bytes of a chunk to come    handed on as they come -> END
    END      CR LF must follow the chunk         -> LINE; CR alone -> END_LF
    END_LF   the CR has come, LF must follow     -> LINE
    TRAILERS after the last chunk                field lines up to a blank line -> DONE
    DONE     the body is whole; BROKEN it is not and never will be; both read nothing more

Below the limits it accepts and refuses exactly what h11's reader does, at the same byte and after the same body
bytes, and the tests hold it to that: a size has 1 to 20 hexadecimal digits; an extension is anything without LF
after a `;`; spaces and tabs may end the line; line ends are CRLF, but the trailer section may use LF. A chunk is not
waited for: the part of it that has come is handed on.

Each byte is looked at once and copied once. What is held between reads is a chunk-size line or a trailer section
that has not ended, both bounded. What a chunk of 140 bytes costs when each read brings one, with what was tried and
lost, is noted at `receive_data`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final, final

from sansio_claude._copies import CopiedWhole
from sansio_claude._errors import LimitError, LocalProtocolError, RemoteProtocolError, TruncatedError
from sansio_claude._errors.arguments import as_bytes
from sansio_claude._http.fields import field_refusal
from sansio_claude._limits import Limits, limits_of

__all__ = ["ChunkedDecoder"]

_LINE: Final = 0
_HELD: Final = 1
_DATA: Final = 2
_END: Final = 3
_END_LF: Final = 4
_TRAILERS: Final = 5
_DONE: Final = 6
_BROKEN: Final = 7

_SIZE: Final = re.compile(rb"([0-9A-Fa-f]{1,20})(?:;[^\n]*|[ \t]*)")
_BLANK: Final = re.compile(rb"\n\r?\n")
_pieces: Final[Callable[[bytes], list[bytes]]] = re.compile(rb"\r\n").split  # two thirds of what bytes.split takes
_WORTH_SPLITTING: Final = 512  # bytes of a read; in fewer there are too few chunks
_NEVER: Final = float("inf")
_LAST: Final = b"0\r\n\r\n"
_LAST_PIECES: Final = [b"0", b"", b""]
_EXCERPT: Final = 64  # bytes of an offending line that an exception keeps

# A cache of size lines and the sizes they give, for up to three digits without a leading zero and without an extension.
# It is bounded: 4,095 sizes, in capitals, small letters and mixtures of them, are 10,647 lines. About 100 are usual.
_MEMO_DIGITS: Final = 3
_SIZES: Final[dict[bytes, int]] = {}
_NO_SIZES: Final[dict[bytes, int]] = {}


@final
class ChunkedDecoder(CopiedWhole):
    """Decodes one chunked body.

        decoder = ChunkedDecoder()
        decoder.receive_data(data)          # never raises for what the peer sent
        body = decoder.body_received()      # what these bytes completed; later the error, if there was one
        decoder.done                        # the last chunk and the trailers have come

    Chunk-size lines and trailers are limited by `limits.chunk_line` (bytes of one line without its CRLF) and
    `limits.trailers` (bytes of the field lines with their ends, without the blank line). Results do not depend on
    how the bytes were cut into reads. Time is linear in the bytes received.
    """

    __slots__ = (
        "_count",
        "_held",
        "_left",
        "_line_limit",
        "_out",
        "_sizes",
        "_state",
        "_trailer_limit",
        "_worth_splitting",
        "done",
        "ended",
        "error",
        "rest",
        "trailers",
    )

    def __init__(self, *, limits: Limits | None = None) -> None:
        limits = limits_of(limits)
        self._line_limit = limits.chunk_line
        self._trailer_limit = limits.trailers
        self._sizes = _SIZES if limits.chunk_line >= _MEMO_DIGITS else _NO_SIZES
        self._state = _LINE
        self._left = 0
        self._held = bytearray()
        self._out: list[bytes] = []
        self._count = 0
        self._worth_splitting: float = _WORTH_SPLITTING
        self.done: bool = False
        """The body has ended as it should."""
        self.ended: bool = False
        """`receive_eof` was called."""
        self.error: RemoteProtocolError | None = None
        """What was wrong, as soon as it was seen; `body_received` raises it when the good bytes are out."""
        self.rest: bytes = b""
        """Bytes beyond the end that came in the same read as the end. Later ones are ignored."""
        self.trailers: bytes = b""
        """The trailer section as it came, blank line included; legal, not interpreted. b"" until `done`."""

    def __getstate__(self) -> dict[str, Any]:
        # The cache of sizes is not its own.
        return {name: getattr(self, name) for name in self.__slots__ if name != "_sizes"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        for name, value in state.items():
            setattr(self, name, value)
        self._sizes = _SIZES if self._line_limit >= _MEMO_DIGITS else _NO_SIZES

    def __repr__(self) -> str:
        state = "done" if self.done else "broken" if self.error is not None else "open"
        return f"<ChunkedDecoder {state}, {self._count} bytes received>"

    @property
    def received(self) -> int:
        """How many bytes were taken, framing and all."""
        return self._count

    def receive_data(self, data: bytes | bytearray | memoryview) -> None:
        """Take some bytes of the chunked body. `b""` does nothing; after the end bytes are ignored.

        Raises LocalProtocolError after `receive_eof` and for what is no bytes, and nothing else.

        Linear in the bytes. A read of one chunk takes about a fourteenth of the time that h11 takes for it.
        """
        if type(data) is not bytes:
            data = as_bytes(data)
        body = self.receive_chunk(data)
        if body:
            self._out.append(body)
        elif data:
            if self.ended:
                raise LocalProtocolError("receive_data after receive_eof: the body has ended")
            self._read(data)
            self._count += len(data)

    def receive_chunk(self, data: bytes) -> bytes:
        """Take a read that is one whole chunk, of a size seen before, and give its bytes: what nearly always happens.

        Anything else is not taken, and gives `b""`: then it has to go to `receive_data`. Bytes that are still to be
        had by `body_received` come before these.
        """
        if not self._state:
            line, _, rest = data.partition(b"\r\n")
            if self._sizes.get(line) == len(rest) - 2 and rest[-2:] == b"\r\n":
                self._count += len(data)
                return rest[:-2]
        return b""

    def receive_eof(self, *, clean: bool = True) -> None:
        """The connection has closed. A body that is not whole by now is a TruncatedError. Idempotent.

        `clean` makes no difference here: the last chunk says whether a chunked body is whole.
        """
        self.ended = True
        if self._state < _DONE:
            words = f"the connection closed {self._where()}: the body is not whole"
            self._fail(TruncatedError(words, stage="exchange", offset=self._count))

    def body_received(self) -> bytes:
        """The body's bytes that came since the last call, `b""` where none did.

        Raises RemoteProtocolError (TruncatedError, LimitError) when there are none left and the chunks were broken,
        and again on every later call.
        """
        out = self._out
        if out:
            if len(out) == 1:
                return out.pop()
            self._out = []
            return b"".join(out)
        if self.error is not None:
            raise self.error.with_traceback(None)
        return b""

    def pieces_received(self) -> list[bytes]:
        """What `body_received` gives, not joined: each a chunk, or as much of one as a read brought. Empty where none
        came; raises as that does."""
        out = self._out
        if not out:
            self.body_received()  # raises what was wrong
        self._out = []
        return out

    def _where(self) -> str:
        if self._state == _DATA:
            return f"in the middle of a chunk ({self._left} bytes of it are missing)"
        if self._state == _HELD:
            return "in the middle of a chunk-size line"
        if self._state == _TRAILERS:
            return "in the middle of the trailers"
        return "before the last chunk"

    def _fail(self, error: RemoteProtocolError) -> None:
        self.error = error
        self._state = _BROKEN
        self._held = bytearray()

    def _refuse(self, words: str, excerpt: bytes, offset: int) -> None:
        self._fail(RemoteProtocolError(words, stage="exchange", excerpt=bytes(excerpt[:_EXCERPT]), offset=offset))

    def _pass_limit(self, what: str, limit: str, value: int, offset: int) -> None:
        words = f"{what} longer than {value} bytes (Limits.{limit})"
        self._fail(LimitError(words, limit=limit, value=value, stage="exchange", offset=offset))

    def _read(self, data: bytes) -> None:
        size = len(data)
        sizes = self._sizes
        out = self._out
        pos = 0
        if not self._state and size >= self._worth_splitting:
            pos = self._split(data)
        if not self._state and data.endswith(_LAST) and size - pos == len(_LAST):
            self.trailers = b"\r\n"
            self.done = True
            self._state = _DONE
            return
        while pos < size:
            if not self._state:
                # Whole chunks, as long as their sizes were seen before.
                end = data.find(b"\r\n", pos)
                length = sizes.get(data[pos:end])
                if length is not None and end >= 0:
                    start = end + 2
                    end = start + length
                    if data[end : end + 2] == b"\r\n":
                        out.append(data[start:end])
                        pos = end + 2
                        continue
            pos = self._step(data, pos)

    def _split(self, data: bytes) -> int:
        """Take the whole chunks that a read begins with, if their sizes were seen before. Gives the position behind.

        A chunk with CR LF in it ends that; if it is the first one, no read of this body is split again.
        """
        pieces = _pieces(data)
        rest = len(pieces[-1])  # behind it no CR LF has come
        if pieces[-3:] == _LAST_PIECES:
            del pieces[-3:-1]
            rest = len(_LAST)
        bodies = pieces[1:-1:2]
        lengths = list(map(len, bodies))
        told = list(map(self._sizes.get, pieces[: 2 * len(bodies) : 2]))
        count = len(lengths)
        if told != lengths:
            count = next(i for i, length in enumerate(lengths) if told[i] != length)
        elif len(pieces) & 1:
            self._out += bodies
            return len(data) - rest
        if not count:
            if told and told[0] is not None:
                self._worth_splitting = _NEVER
            return 0
        del bodies[count:], lengths[count:]
        self._out += bodies
        return sum(lengths) + sum(map(len, pieces[: 2 * count : 2])) + 4 * count

    def _step(self, data: bytes, pos: int) -> int:
        """Read what the state asks for, as far as it has come. Gives the position behind it."""
        state = self._state
        if state <= _HELD:
            return self._read_line(data, pos)
        if state == _DATA:
            end = pos + self._left
            self._out.append(data[pos:end])
            self._left = max(0, end - len(data))
            if not self._left:
                self._state = _END
            return end - self._left
        if state <= _END_LF:
            if data[pos] == (13 if state == _END else 10):
                self._state = _END_LF if state == _END else _LINE
                return pos + 1
            self._refuse(
                "a chunk is not followed by CR LF: its size is wrong, or bytes were lost or added on the way",
                data[pos : pos + 1],
                self._count + pos,
            )
        elif state == _TRAILERS:
            self._read_trailers(data, pos)
        return len(data)

    def _read_line(self, data: bytes, pos: int) -> int:
        """Read a chunk-size line, or keep the part of it that has come. Gives the position behind it."""
        held = self._held
        begin = self._count + pos - len(held)
        if held and held[-1] == 13 and data[pos] == 10:
            line = bytes(held[:-1])
            pos += 1
        else:
            end = data.find(b"\r\n", pos)
            if end < 0:
                length = len(held) + len(data) - pos
                # A CR at the end may be half of the line's end, which does not count.
                if length - (data[-1] == 13) > self._line_limit:
                    self._pass_limit("a chunk-size line is", "chunk_line", self._line_limit, begin)
                else:
                    held += data[pos:]
                    self._state = _HELD
                return len(data)
            line = bytes(held) + data[pos:end] if held else data[pos:end]
            pos = end + 2
        if len(line) > self._line_limit:
            self._pass_limit("a chunk-size line is", "chunk_line", self._line_limit, begin)
            return pos
        match = _SIZE.fullmatch(line)
        if match is None:
            self._refuse("a chunk-size line is not 1 to 20 hexadecimal digits with an optional extension", line, begin)
            return pos
        self._held = bytearray()
        length = int(match[1], 16)
        if not length:
            self._state = _TRAILERS
            return pos
        self._left = length
        self._state = _DATA
        if len(line) <= _MEMO_DIGITS and line[0] != 48 and match.end(1) == len(line):
            _SIZES[line] = length
        return pos

    def _read_trailers(self, data: bytes, pos: int) -> None:
        held = self._held
        known = len(held)
        begin = self._count + pos - known
        held += data[pos:]
        if held[0] == 10:
            end, fields = 1, 0
        elif held[:2] == b"\r\n":
            end, fields = 2, 0
        else:
            match = _BLANK.search(held, max(0, known - 2))
            if match is None:
                end, fields = 0, len(held) - (held[-1] == 13)
            else:
                end, fields = match.end(), match.start() + 1
        if fields > self._trailer_limit:
            self._pass_limit("the trailers are", "trailers", self._trailer_limit, begin)
            return
        if not end:
            return
        section = bytes(held[:end])
        lines = [line.removesuffix(b"\r") for line in section[:fields].split(b"\n")[:-1]]
        refusal = field_refusal(lines)
        if refusal is not None:
            self._refuse(f"the trailers are not legal: {refusal[0]}", refusal[1], begin)
            return
        self.trailers = section
        self.rest = data[pos + end - known :]
        self.done = True
        self._state = _DONE
        self._held = bytearray()
