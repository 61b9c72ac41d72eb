"""What a replay server sends: one HTTP answer, its body in the pieces it is sent in, and how it ends."""

from __future__ import annotations

import json as _json
from collections.abc import Callable, Iterable, Mapping
from http import HTTPStatus
from typing import Any, Final, Literal, TypeAlias

import attrs

from sansio_claude.testing.transcripts import Transcript

__all__ = ["Answer", "AnswerEnd", "Chunking", "Framing"]

Chunking: TypeAlias = Callable[[bytes], Iterable[bytes]]
Framing: TypeAlias = Literal["chunked", "length", "close", "raw"]
AnswerEnd: TypeAlias = Literal["clean", "close", "reset", "stall"]

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
    headers: tuple[tuple[str, str], ...] = ()
    """Headers beside those that frame the body, as (name, value)."""
    framing: Framing = "chunked"
    """How the end of the body is known: chunked, by content-length, or by the end of the connection; "raw" says
    that the pieces are everything that is sent, with no head made for them."""
    delay: float = 0.0
    """Seconds from the request to the head of the answer."""
    pace: float = 0.0
    """Seconds before each piece."""
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
        return cls.json(
            {"type": "error", "error": detail, "request_id": None},
            status=status,
            headers=headers,
            delay=delay,
            keep_alive=keep_alive,
        )

    @classmethod
    def raw(cls, *pieces: bytes, end: AnswerEnd = "close", delay: float = 0.0, pace: float = 0.0) -> Answer:
        """Exactly these bytes, head and all, then the end. For answers that are not legal HTTP."""
        return cls(pieces=pieces, framing="raw", delay=delay, pace=pace, end=end)

    def steps(self, *, http_1_1: bool = True, keep_alive: bool = True) -> list[tuple[float, bytes]]:
        """The bytes on the wire, each with the seconds to wait before it.

        To a client of HTTP/1.0 a chunked body goes close-delimited. `keep_alive` is the client's wish.
        """
        framing = "close" if self.framing == "chunked" and not http_1_1 else self.framing
        steps: list[tuple[float, bytes]] = []
        wait = self.delay
        if framing != "raw":
            steps.append((wait, self._head(framing, keep_alive=keep_alive)))
            wait = 0.0
        for piece in self.pieces:
            if framing == "chunked":
                if not piece:
                    continue  # an empty chunk would be the last one
                piece = b"%x\r\n%b\r\n" % (len(piece), piece)
            steps.append((wait + self.pace, piece))
            wait = 0.0
        if framing == "chunked" and self.end == "clean":
            steps.append((0.0, b"0\r\n\r\n"))
        return steps

    def keeps_alive(self, *, http_1_1: bool = True) -> bool:
        """Whether the connection can carry another request after this answer."""
        delimited = self.framing == "length" or (self.framing == "chunked" and http_1_1)
        return self.keep_alive and self.end == "clean" and delimited

    def _head(self, framing: Framing, *, keep_alive: bool) -> bytes:
        lines = [f"HTTP/1.1 {self.status} {reason_of(self.status)}"]
        lines += [f"{name}: {value}" for name, value in self.headers]
        if framing == "chunked":
            lines.append("transfer-encoding: chunked")
        elif framing == "length":
            lines.append(f"content-length: {sum(map(len, self.pieces))}")
        if framing == "close" or not self.keep_alive or not keep_alive:
            lines.append("connection: close")
        return "\r\n".join([*lines, "", ""]).encode("latin-1")


def reason_of(status: int) -> str:
    """The reason phrase of a status line."""
    if status == 529:
        return "Overloaded"
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Unknown"
