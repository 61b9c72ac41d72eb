"""Recorder: what a server sent and when, in one file, without the keys.

    recorder = Recorder("session.jsonl")
    with recorder, Client(endpoint, trace=recorder) as client:      # any client of this library
        ...
    with Recorder("session.jsonl", secrets=[key]) as recorder:      # any other source of bytes
        for chunk in recorder.record(response.iter_bytes(), status=200): ...

The format is in `sansio_claude.testing.recording`.

Secrets are taken out before anything is written: those of the client's endpoint, those given, the values of headers
whose names say so (x-api-key, authorization, cookie and their like). Each byte of one becomes an `x`, also where it
is encoded, escaped or split over deltas and reads; see `_blank`. A call's lines are therefore written when it has
ended, or when the recorder is closed; until then they are held in memory. The file is made anew, and readable by its
owner only (mode 0600).
"""

from __future__ import annotations

import json
import os
import threading
import time
from base64 import b64encode
from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterable, Iterator
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, Self, final

import attrs

from sansio_claude._copies import NotCopied
from sansio_claude._errors import APIError, LocalProtocolError
from sansio_claude._errors.headers import header_pairs
from sansio_claude._http.headers import is_secret, secret_values
from sansio_claude._value import an
from sansio_claude.testing._blank import Forms, blanked, forms_of
from sansio_claude.testing.recording import FORMAT, NOTICE, VERSION

if TYPE_CHECKING:
    from sansio_claude._call.trace import TraceEvent

__all__ = ["Recorder", "RecordingIterator"]

_DIGITS: Final = 6  # of a second: microseconds
_LEFT: Final = "left"  # the error of a call that nobody read to its end


@attrs.define(eq=False)
class _Call:
    """An answer that is being recorded: the lines to come, and the reads."""

    number: int
    secrets: list[str]
    lines: list[dict[str, Any]] = attrs.field(factory=list)
    reads: list[tuple[float, bytes]] = attrs.field(factory=list)


def _texts(secrets: Iterable[str]) -> list[str]:
    """The secrets as a list. A text by itself is one secret; its letters are not."""
    if isinstance(secrets, str):
        return [secrets]
    given: Any = secrets
    found: list[Any] = [given] if isinstance(given, bytes | bytearray) or not isinstance(given, Iterable) else [*given]
    for secret in found:
        if not isinstance(secret, str):
            words = f"secrets are texts, as in secrets=[key], not {an(type(secret).__name__)}"
            raise LocalProtocolError(words, path="secrets")
    return found


@final
class Recorder(NotCopied):
    """Writes what servers send to a file, in the format that `sansio_claude.testing.recording` describes.

    One recorder may serve many clients and threads.

    `secrets` are taken out beside those that it learns by itself. `clock` gives seconds on any clock that never goes
    back. Raises OSError where the file cannot be written. Used as `trace=` of a client, or by `record` and `arecord`.
    """

    __slots__ = ("_began", "_calls", "_clock", "_file", "_last", "_lock", "_of_clients", "_secrets")
    _instead = "it writes to one file: make another one"

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        secrets: Iterable[str] = (),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._secrets = _texts(secrets)
        self._clock = clock
        self._began = clock()
        self._calls: dict[int, _Call] = {}
        self._of_clients: dict[int, _Call] = {}
        self._last = 0
        self._lock = threading.Lock()
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0), 0o600)
        try:
            if hasattr(os, "fchmod"):
                os.fchmod(descriptor, 0o600)
            os.ftruncate(descriptor, 0)
        except BaseException:
            os.close(descriptor)
            raise
        self._file = os.fdopen(descriptor, "w", encoding="utf-8", newline="\n")
        self._write([{"format": FORMAT, "version": VERSION, "notice": NOTICE}])

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Write what is still held in memory, and close the file. Doing it again does nothing."""
        with self._lock:
            calls = list(self._calls.values())
            self._calls.clear()
        for call in calls:
            self._line(call, "end", whole=False, error=_LEFT)
            self._flush(call)
        self._file.close()

    # As the onlooker of a client

    def __call__(self, event: TraceEvent) -> None:
        """Take one step of a call of a client."""
        if self._file.closed:
            return
        if event.kind == "attempt":
            self._of_clients[event.call] = self._begin(event)
            return
        call = self._of_clients.get(event.call)
        if call is None:
            return
        if event.kind == "head" and event.response is not None:
            self._response(call, event.response.status, _decoded(event.response.headers))
        elif event.kind in ("complete", "failed", "done"):
            self._of_clients.pop(event.call, None)
            whole = event.error is None or isinstance(event.error, APIError)
            self._end(call, event.error, whole=whole)

    def tap(self, number: int, data: bytes) -> None:
        """Take bytes of the body of a call of a client."""
        call = self._of_clients.get(number)
        if call is not None:
            self._keep(call, data)

    def _begin(self, event: TraceEvent) -> _Call:
        call = self._open(event.secrets)
        if event.head is not None:
            body = getattr(event.request, "body", None)
            headers = _decoded(event.head.headers)
            call.secrets += secret_values(headers)
            self._line(
                call,
                "request",
                method=event.head.method.decode("latin-1"),
                target=event.head.target.decode("latin-1"),
                headers=headers,
                body=None if body is None else body(stream=event.streamed),
            )
        return call

    # As a link in a chain of bytes

    def record(
        self,
        chunks: Iterable[bytes],
        *,
        status: int = 200,
        headers: Any = (),
        secrets: Iterable[str] = (),
    ) -> RecordingIterator:
        """Pass `chunks` on as they come, and record them as the body of one answer. `headers` as HTTP libraries have
        them: a mapping, an object with `items()`, or pairs."""
        return RecordingIterator(self, self._opened(status, headers, secrets), iter(chunks), None)

    def arecord(
        self,
        chunks: AsyncIterable[bytes],
        *,
        status: int = 200,
        headers: Any = (),
        secrets: Iterable[str] = (),
    ) -> RecordingIterator:
        """As `record`, for `async for`."""
        return RecordingIterator(self, self._opened(status, headers, secrets), None, aiter(chunks))

    def _opened(self, status: int, headers: Any, secrets: Iterable[str]) -> _Call:
        if self._file.closed:
            raise LocalProtocolError("this recorder is closed")
        call = self._open(secrets)
        self._response(call, status, header_pairs(headers))
        return call

    # Lines

    def _now(self) -> float:
        return self._clock() - self._began

    def _open(self, secrets: Iterable[str]) -> _Call:
        more = _texts(secrets)
        with self._lock:
            self._last += 1
            call = self._calls[self._last] = _Call(self._last, [*self._secrets, *more])
        return call

    def _keep(self, call: _Call, data: bytes) -> None:
        call.reads.append((self._now(), data))

    def _line(self, call: _Call, kind: str, *, at: float | None = None, **fields: Any) -> None:
        at = self._now() if at is None else at
        call.lines.append({"call": call.number, "at": round(at, _DIGITS), "kind": kind, **fields})

    def _response(self, call: _Call, status: int, headers: list[tuple[str, str]]) -> None:
        call.secrets += secret_values(headers)
        # Where the first bytes of the body came in the same read as the head, they were told first.
        at = call.reads[0][0] if call.reads else None
        self._line(call, "response", at=at, status=status, headers=headers)

    def _end(self, call: _Call, error: BaseException | None, *, whole: bool) -> None:
        with self._lock:
            if self._calls.pop(call.number, None) is None:
                return
        self._line(call, "end", whole=whole, error=None if error is None else type(error).__name__)
        self._flush(call)

    def _flush(self, call: _Call) -> None:
        """Write the lines of a call that has ended, without its secrets."""
        forms = forms_of(call.secrets)
        lines = [_without(line, forms) for line in call.lines]
        body = blanked(b"".join(data for _, data in call.reads), forms)
        position = 0
        reads = []
        for at, data in call.reads:
            piece = body[position : position + len(data)]
            position += len(data)
            reads.append({"call": call.number, "at": round(at, _DIGITS), "kind": "read", **_as_text(piece)})
        self._write([*lines[:-1], *reads, lines[-1]])

    def _write(self, lines: Iterable[dict[str, Any]]) -> None:
        text = "".join(json.dumps(line, ensure_ascii=False, default=_encoded) + "\n" for line in lines)
        with self._lock:
            self._file.write(text)
            self._file.flush()

    def __repr__(self) -> str:
        state = "closed" if self._file.closed else f"{len(self._calls)} open calls"
        return f"<sansio_claude.testing.Recorder of {self._file.name}, {state}>"


@final
class RecordingIterator(NotCopied):
    """The chunks that a recorder passes on. What the source raises ends the recording of it and comes out here."""

    __slots__ = ("_asource", "_call", "_recorder", "_source")
    _instead = "it reads from a connection: read what it recorded with `read_recording`"

    def __init__(
        self,
        recorder: Recorder,
        call: _Call,
        source: Iterator[bytes] | None,
        asource: AsyncIterator[bytes] | None,
    ) -> None:
        self._recorder = recorder
        self._call = call
        self._source = source
        self._asource = asource

    def __repr__(self) -> str:
        return f"<RecordingIterator of call {self._call.number}>"

    def __iter__(self) -> Self:
        return self

    def __aiter__(self) -> Self:
        return self

    def __next__(self) -> bytes:
        if self._source is None:
            raise LocalProtocolError("these chunks are read with async for")
        try:
            return self._keep(next(self._source))
        except StopIteration:
            self._recorder._end(self._call, None, whole=True)
            raise
        except BaseException as error:
            self._recorder._end(self._call, error, whole=False)
            raise

    async def __anext__(self) -> bytes:
        if self._asource is None:
            raise LocalProtocolError("these chunks are read with for")
        try:
            return self._keep(await anext(self._asource))
        except StopAsyncIteration:
            self._recorder._end(self._call, None, whole=True)
            raise
        except BaseException as error:
            self._recorder._end(self._call, error, whole=False)
            raise

    def _keep(self, chunk: bytes) -> bytes:
        self._recorder._keep(self._call, bytes(chunk))
        return chunk


def _decoded(headers: Iterable[tuple[bytes, bytes]]) -> list[tuple[str, str]]:
    return [(name.decode("latin-1"), value.decode("latin-1")) for name, value in headers]


def _as_text(data: bytes) -> dict[str, str]:
    try:
        return {"text": data.decode()}
    except UnicodeDecodeError:
        return {"base64": b64encode(data).decode()}


def _encoded(value: object) -> Any:
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    raise TypeError(f"no JSON for {type(value).__name__}")


def _without(line: dict[str, Any], forms: Forms) -> dict[str, Any]:
    """A line of request, response or end without its secrets; the values of headers that are named so go whole."""
    found = dict(line)
    if found.get("body") is not None:
        found["body"] = blanked(found["body"], forms)
    if "target" in found:
        found["target"] = blanked(found["target"].encode(), forms).decode("utf-8", "replace")
    if "headers" in found:
        found["headers"] = [[name, _header(name, value, forms)] for name, value in found["headers"]]
    return found


def _header(name: str, value: str, forms: Forms) -> str:
    if is_secret(name):
        scheme, space, credentials = value.partition(" ")
        kept = scheme + space if scheme.isalpha() and credentials.strip() else ""
        return kept + "x" * (len(value) - len(kept))
    return blanked(value.encode(), forms).decode("utf-8", "replace")
