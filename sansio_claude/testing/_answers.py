"""What a replay server sends: one HTTP answer, its body in the pieces it is sent in, and how it ends."""

from __future__ import annotations

import json as _json
from collections.abc import Callable, Iterable, Mapping
from http import HTTPStatus
from typing import Any, Final, Literal, TypeAlias

import attrs

from sansio_claude.testing.transcripts import Transcript

__all__ = ["Answer", "AnswerEnd", "Chunking", "Framing", "tokens"]

Chunking: TypeAlias = Callable[[bytes], Iterable[bytes]]
Framing: TypeAlias = Literal["chunked", "length", "close", "raw"]
AnswerEnd: TypeAlias = Literal["clean", "close", "reset", "stall"]

_NO_ID: Final = b',"request_id":null}'
EVENT_STREAM: Final = "text/event-stream; charset=utf-8"
ERROR_TYPES: Final[Mapping[int, str]] = {
    400: "invalid_request_error",
    401: "authentication_error",
    402: "billing_error",
    403: "permission_error",
    404: "not_found_error",
    409: "conflict_error",
    413: "request_too_large",
    429: "rate_limit_error",
    504: "timeout_error",
    529: "overloaded_error",
}


@attrs.define(frozen=True, kw_only=True)
class Answer:
    """One HTTP answer.

    Make one with `Answer.stream`, `Answer.json`, `Answer.error` or `Answer.raw`; `attrs.evolve` changes one.
    """

    pieces: tuple[bytes, ...] = ()
    """The body. Each piece is one write, and with framing "chunked" one HTTP chunk."""
    status: int = 200
    """The status code."""
    headers: tuple[tuple[str, str], ...] = ()
    """Headers beside those that frame the body, as (name, value). A `content-length`, `transfer-encoding` or
    `connection` among them is sent in place of the server's own."""
    framing: Framing = "chunked"
    """How the end of the body is known: chunked, by content-length, or by the end of the connection; "raw" says
    that the pieces are everything that is sent, with no head made for them."""
    delay: float = 0.0
    """Seconds from the request to the head of the answer."""
    pace: float = 0.0
    """Seconds before each piece."""
    pauses: tuple[float, ...] = ()
    """Seconds before the first piece, the second, and so on, added to `pace`; none for those beyond the last."""
    end: AnswerEnd = "clean"
    """What comes after the pieces: the legal end; or, with the body unfinished, a closed connection, a
    reset one, or silence until the client leaves."""
    keep_alive: bool = True
    """False: the connection is closed after the answer, and the head says so."""

    @classmethod
    def stream(
        cls,
        transcript: Transcript | bytes,
        *,
        chunking: Chunking | None = None,
        status: int = 200,
        headers: Iterable[tuple[str, str]] = (),
        framing: Framing = "chunked",
        delay: float = 0.0,
        pace: float = 0.0,
        end: AnswerEnd = "clean",
        keep_alive: bool = True,
    ) -> Answer:
        """An event stream; without `chunking` each frame is a piece, which is what networks deliver."""
        if isinstance(transcript, bytes):
            transcript = Transcript.from_bytes(transcript)
        pieces = transcript.frames if chunking is None else tuple(chunking(transcript.data))
        return cls(
            pieces=pieces,
            status=status,
            headers=(("content-type", EVENT_STREAM), ("cache-control", "no-cache"), *headers),
            framing=framing,
            delay=delay,
            pace=pace,
            end=end,
            keep_alive=keep_alive,
        )

    @classmethod
    def json(
        cls,
        value: Any,
        *,
        status: int = 200,
        headers: Iterable[tuple[str, str]] = (),
        delay: float = 0.0,
        keep_alive: bool = True,
    ) -> Answer:
        """A JSON value with a content-length."""
        body = _json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
        return cls(
            pieces=(body,),
            status=status,
            headers=(("content-type", "application/json"), *headers),
            framing="length",
            delay=delay,
            keep_alive=keep_alive,
        )

    @classmethod
    def error(
        cls,
        status: int,
        message: str | None = None,
        *,
        error_type: str | None = None,
        headers: Iterable[tuple[str, str]] = (),
        delay: float = 0.0,
        keep_alive: bool = True,
    ) -> Answer:
        """An error answer as the API gives it; the type follows from the status unless given."""
        if error_type is None:
            error_type = ERROR_TYPES.get(status, "invalid_request_error" if 400 <= status < 500 else "api_error")
        detail = {"details": None, "type": error_type, "message": message or reason_of(status)}
        value = {"type": "error", "error": detail, "request_id": None}
        return cls.json(value, status=status, headers=headers, delay=delay, keep_alive=keep_alive)

    @classmethod
    def raw(cls, *pieces: bytes, end: AnswerEnd = "close", delay: float = 0.0, pace: float = 0.0) -> Answer:
        """Exactly these bytes, head and all, then the end. For answers that are not legal HTTP."""
        return cls(pieces=pieces, framing="raw", delay=delay, pace=pace, end=end)

    def with_request_id(self, number: str) -> Answer:
        """This answer; an error of the API's shape that says nothing of its request id has this one."""
        if self.status < 400 or len(self.pieces) != 1 or not self.pieces[0].endswith(_NO_ID):
            return self
        body = self.pieces[0].removesuffix(_NO_ID) + f',"request_id":{_json.dumps(number)}}}'.encode()
        return attrs.evolve(self, pieces=(body,))

    def steps(
        self, *, http_1_1: bool = True, keep_alive: bool = True, method: str = "POST"
    ) -> list[tuple[float, bytes]]:
        """The bytes on the wire, each with the seconds to wait before it.

        To a client of HTTP/1.0 a chunked body goes close-delimited. `keep_alive` is the client's wish. An answer to
        HEAD, and one with a status that has no body (204, 304), is its head alone.
        """
        framing = self._framing(http_1_1)
        steps: list[tuple[float, bytes]] = []
        wait = self.delay
        if framing != "raw":
            # What is cut off was not announced: only a clean end tells the client that the connection ends.
            kept = keep_alive and (self.end != "clean" or self.keeps_alive(http_1_1=http_1_1, method=method))
            steps.append((wait, self._head(framing, http_1_1=http_1_1, kept=kept)))
            wait = 0.0
            if self._bodiless(method):
                return steps
        for number, piece in enumerate(self.pieces):
            pause = self.pace + (self.pauses[number] if number < len(self.pauses) else 0.0)
            if framing == "chunked":
                if not piece:
                    wait += pause
                    continue  # an empty chunk would be the last one
                piece = b"%x\r\n%b\r\n" % (len(piece), piece)
            steps.append((wait + pause, piece))
            wait = 0.0
        if framing == "chunked" and self.end == "clean":
            steps.append((0.0, b"0\r\n\r\n"))
        return steps

    def keeps_alive(self, *, http_1_1: bool = True, method: str = "POST") -> bool:
        """Whether the connection can carry another request after this answer."""
        if not self.keep_alive or self.end != "clean" or "close" in tokens(self.headers, "connection"):
            return False
        framing = self._framing(http_1_1)
        return framing != "raw" and (framing in ("length", "chunked") or self._bodiless(method))

    def _framing(self, http_1_1: bool) -> Framing:
        return "close" if self.framing == "chunked" and not http_1_1 else self.framing

    def _bodiless(self, method: str) -> bool:
        return method == "HEAD" or self.status in (204, 304)

    def _head(self, framing: Framing, *, http_1_1: bool, kept: bool) -> bytes:
        lines = [f"HTTP/1.1 {self.status} {reason_of(self.status)}"]
        lines += [f"{name}: {value}" for name, value in self.headers]
        own = {name.lower() for name, _ in self.headers}
        if self.status != 204 and not own & {"transfer-encoding", "content-length"}:
            if framing == "chunked":
                lines.append("transfer-encoding: chunked")
            elif framing == "length":
                lines.append(f"content-length: {sum(map(len, self.pieces))}")
        if "connection" not in own:
            if not kept:
                lines.append("connection: close")
            elif not http_1_1:
                lines.append("connection: keep-alive")
        return "\r\n".join([*lines, "", ""]).encode("latin-1")


def tokens(headers: Iterable[tuple[str, str]], name: str) -> set[str]:
    """The members of a header that is a list, in lower case: of all its lines, at each comma (RFC 9110 5.6.1)."""
    values = (value for key, value in headers if key.lower() == name)
    return {token.strip().lower() for value in values for token in value.split(",")} - {""}


def reason_of(status: int) -> str:
    """The reason phrase of a status line."""
    if status == 529:
        return "Overloaded"
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Unknown"
