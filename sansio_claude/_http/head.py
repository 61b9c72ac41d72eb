"""The head of an answer: where it ends, what it says, and what is wrong with it in words (RFC 9112 section 2 to 5).

`HeadReader` finds the end of a head as h11 does: a blank line, its line ends CRLF or LF; an immediate blank line is
a head too (an illegal one). What cannot become a status line is refused from its first bytes, because peers that do
not speak HTTP/1.1 may never send a blank line. h11 then reads the head; nothing here replaces it.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from itertools import chain
from typing import TYPE_CHECKING, Final, final

import attrs

from sansio_claude._errors import LimitError, RemoteProtocolError
from sansio_claude._http.fields import field_refusal
from sansio_claude._limits import Limits

if TYPE_CHECKING:
    from sansio_claude._errors.rate_limits import RateLimits

__all__ = [
    "BodyPlan",
    "HeadReader",
    "ResponseHead",
    "body_plan",
    "decisive",
    "head_refusal",
    "response_head",
    "says_close",
]

_BLANK: Final = re.compile(rb"\n\r?\n")
_STATUS_LINE: Final = rb"HTTP/([0-9]\.[0-9]) ([0-9]{3})(?: [^\x00\n\v\f\r]*)?"
_PREFIX: Final = b"HTTP/"
_ONE: Final = b"HTTP/1.1 "
_JUDGED: Final = 16  # bytes: what is no status line is refused once so many have come, or a line end before
_EXCERPT: Final = 64
_DECISIVE: Final = frozenset({b"connection", b"content-encoding", b"content-length", b"transfer-encoding"})


def _pack(headers: Iterable[tuple[bytes, bytes]] | bytes) -> bytes:
    """Names and values, each with a NUL behind it, which neither can have (RFC 9110 section 5.5)."""
    return headers if isinstance(headers, bytes) else b"\0".join([*chain.from_iterable(headers), b""])


@final
@attrs.define(frozen=True, eq=False, repr=False)
class ResponseHead:
    """The head of the final answer.

    `headers` are pairs of bytes in the order they came, the names in lower case. The repr shows no header and no
    words of the server's, since either may echo a key.

    They are kept as one string of bytes: 16 of them as pairs would take 2.5 KiB, a sixth of an idle stream.
    """

    status: int
    """The status code, such as 200."""
    reason: str
    """The words behind it in the status line; may be empty."""
    http_version: str
    """ "1.1" or "1.0"."""
    _packed: bytes = attrs.field(converter=_pack, alias="headers")

    @property
    def headers(self) -> tuple[tuple[bytes, bytes], ...]:
        """Names and values."""
        parts = iter(self._packed.split(b"\0")[:-1])
        return tuple(zip(parts, parts, strict=True))

    def get(self, name: str) -> str | None:
        """The first value of this header (read as Latin-1), whatever the case of `name`; None without one."""
        wanted = name.lower().encode("latin-1", "replace") + b"\0"
        packed = self._packed
        at = packed.find(wanted)
        begin = parts = 0
        while at >= 0:
            parts += packed.count(b"\0", begin, at)
            begin = at
            # An even number of parts stands before a name, and nothing of its own part.
            if not parts & 1 and (not at or packed[at - 1] == 0) and "\0" not in name:
                end = at + len(wanted)
                return packed[end : packed.index(b"\0", end)].decode("latin-1")
            at = packed.find(wanted, at + 1)
        return None

    @property
    def rate_limits(self) -> RateLimits | None:
        """What the headers say about how much may still be sent; None where they say nothing of it."""
        from sansio_claude._errors.rate_limits import rate_limits  # 2 % of the import of the core

        return rate_limits({name.decode("latin-1"): value.decode("latin-1") for name, value in reversed(self.headers)})

    def get_all(self, name: str) -> list[str]:
        """All values of this header, one for each time it was sent."""
        return [value.decode("latin-1") for value in self._values(name)]

    def _values(self, name: str) -> Iterable[bytes]:
        wanted = name.lower().encode("latin-1", "replace")
        if wanted not in self._packed:
            return ()
        parts = self._packed.split(b"\0")
        return [value for found, value in zip(parts[::2], parts[1::2], strict=False) if found == wanted]

    def __repr__(self) -> str:
        return f"<ResponseHead {self.status} HTTP/{self.http_version}, {len(self.headers)} headers>"


@final
class BodyPlan:
    """How the body of an answer is framed and coded.

    Framed by chunks where `chunked`, else by `length` where that is not None (0: there is no body), else by the end of
    the connection. `codings` are the values of Content-Encoding. `persists` is whether the connection may stay open
    as far as this head says (RFC 9112 section 9.3).
    """

    __slots__ = ("chunked", "codings", "length", "persists")

    def __init__(self, chunked: bool, length: int | None, codings: list[bytes], persists: bool) -> None:
        self.chunked = chunked
        self.length = length
        self.codings = codings
        self.persists = persists


def decisive(headers: Iterable[tuple[bytes, bytes]]) -> dict[bytes, list[bytes]]:
    """The values, in lower case, of the few headers that say how a message and its connection end."""
    found: dict[bytes, list[bytes]] = {}
    for name, value in headers:
        lower = name.lower()
        if lower in _DECISIVE:
            found.setdefault(lower, []).append(value.lower())
    return found


def says_close(found: dict[bytes, list[bytes]]) -> bool:
    """Is `close` among the Connection options?"""
    for options in found.get(b"connection", ()):
        if options.find(b"close") >= 0 and b"close" in map(bytes.strip, options.split(b",")):
            return True
    return False


def response_head(
    status: int, reason: bytes, http_version: bytes, headers: Collection[tuple[bytes, bytes]]
) -> tuple[ResponseHead, dict[bytes, list[bytes]]]:
    """The head of an answer, from what h11 says of it, and what is `decisive` in it.

    In C loops: an answer has 15 to 25 headers, and a loop over them here would cost a tenth of what h11 takes.
    """
    parts = [b""] * (2 * len(headers) + 1)
    found: dict[bytes, list[bytes]] = {}
    if headers:
        names, values = zip(*headers, strict=True)
        lower = list(map(bytes.lower, names))
        parts[:-1:2], parts[1::2] = lower, values
        for name in _DECISIVE.intersection(lower):
            if lower.count(name) == 1:
                found[name] = [values[lower.index(name)].lower()]
            else:
                found[name] = [value.lower() for other, value in zip(lower, values, strict=True) if other == name]
    packed = b"\0".join(parts)
    return ResponseHead(status, reason.decode("latin-1"), http_version.decode("latin-1"), packed), found


def body_plan(head: ResponseHead, method: bytes, found: dict[bytes, list[bytes]] | None = None) -> BodyPlan:
    """What a head that h11 accepted says of its body, in the order of RFC 9112 section 6.3.

    `found` is what is `decisive` among its headers, if that is known.
    """
    if found is None:
        found = decisive(head.headers)
    chunked = b"transfer-encoding" in found
    lengths = found.get(b"content-length")
    codings = found.get(b"content-encoding", [])
    # A length next to chunks does not count, but may be the trace of a smuggled answer: nothing may follow it here.
    persists = head.http_version >= "1.1" and not says_close(found) and not (chunked and lengths)
    tunnel = method == b"CONNECT" and 200 <= head.status < 300
    if head.status in (204, 304) or method == b"HEAD" or tunnel:
        return BodyPlan(False, 0, codings, persists and not tunnel)
    if chunked:
        return BodyPlan(True, None, codings, persists)
    return BodyPlan(False, int(lengths[0]) if lengths else None, codings, persists and bool(lengths))


@final
class HeadReader:
    """Collects the bytes of one head. Each byte is looked at once, however they come."""

    __slots__ = ("_held", "_limit")

    def __init__(self, *, limits: Limits) -> None:
        self._held = bytearray()
        self._limit = limits.head

    @property
    def held(self) -> int:
        """How many bytes of an unfinished head there are."""
        return len(self._held)

    def receive_data(self, data: bytes) -> tuple[bytes, bytes] | RemoteProtocolError | None:
        """Take bytes: the head and what follows it, or None where it has not ended, or what is wrong with it."""
        held = self._held
        known = len(held)
        if not known and data.startswith(_ONE):
            # What nearly always happens: the whole head in the first read.
            match = _BLANK.search(data)
            if match is not None and (end := match.end()) <= self._limit:
                return data[:end], data[end:]
        held += data
        if known < _JUDGED:
            error = self._judge()
            if error is not None:
                return error
        match = _BLANK.search(held, max(0, known - 2))
        end = match.end() if match is not None else 0
        if (end or len(held)) > self._limit:
            return LimitError(
                f"the head of the answer is longer than {self._limit} bytes (Limits.head)",
                limit="head",
                value=self._limit,
                stage="exchange",
                excerpt=bytes(held[: min(_EXCERPT, self._limit)]),
            )
        if not end:
            return None
        self._held = bytearray()
        return bytes(held[:end]), data[end - known :]

    def receive_eof(self) -> RemoteProtocolError | None:
        """No more bytes come. What is held may be no HTTP at all."""
        return self._judge(last=True)

    def _judge(self, *, last: bool = False) -> RemoteProtocolError | None:
        window = min(_JUDGED, self._limit)
        start = bytes(self._held[:window])
        line_end = start.find(b"\n") + 1
        if line_end:
            start = start[:line_end]
        if start[: len(_PREFIX)] == _PREFIX[: len(start)]:
            return None
        # Text is refused once there is enough of it to show. A frame of HTTP/2 begins with NUL and is recognised by its
        # first 9 bytes. Any other control character is refused at once.
        needed = window if start[0] > 0x20 else min(9, window) if start[0] == 0 else 1
        return _not_http(start) if last or line_end or len(start) >= needed else None


def _not_http(start: bytes) -> RemoteProtocolError:
    # RFC 9113 section 4.1: 24 bits of length, the type (SETTINGS 4, GOAWAY 7), flags, and a stream number of 0.
    if len(start) >= 9 and start[0] == 0 and start[3] in (4, 7) and start[5:9] == b"\0\0\0\0":
        start, words = start[:9], "this looks like HTTP/2, which was not asked for: only HTTP/1.1 is spoken here"
    elif start[0] in (0x15, 0x16):  # RFC 8446 section 5.1: alert, handshake
        start, words = start[:1], "this looks like TLS: the address needs https, or the port is not a plain one"
    elif start[0] <= 0x20:
        start, words = start[:1], "its first byte is a control character or a space"
    else:
        words = "it does not begin with HTTP/"
    return RemoteProtocolError(f"the answer is not HTTP/1.1: {words}", stage="exchange", excerpt=start, offset=0)


def head_refusal(head: bytes) -> RemoteProtocolError:
    """The error for a head that h11 refuses. The words never quote the head."""
    lines = [line.removesuffix(b"\r") for line in head.split(b"\n")[:-2]]
    status = re.fullmatch(_STATUS_LINE, lines[0]) if lines else None
    found: tuple[str, bytes] | None
    if status is None:
        found = "the status line is not HTTP/1.1, three digits and a reason", lines[0] if lines else b""
    elif not status[1].startswith(b"1."):
        found = f"it is HTTP/{status[1].decode()}, and only HTTP/1.1 and 1.0 are spoken here", lines[0]
    elif status[2] < b"100":
        found = "the status is below 100", lines[0]
    elif status[2] == b"101":
        found = "it is 101 Switching Protocols, which was not asked for", lines[0]
    else:
        found = field_refusal(lines[1:], 2) or ("h11 refuses it", b"")
    words, line = found
    return RemoteProtocolError(
        f"the head of the answer is not legal: {words}", stage="exchange", excerpt=line[:_EXCERPT]
    )
