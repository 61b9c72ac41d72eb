"""BatchResults: the results file of a Message Batch, bytes in, one result a request out.

The file is JSON lines, in any order: `{"custom_id": ..., "result": {"type": "succeeded", "message": {...}}}`, or
"errored" with the error, or "canceled", or "expired" (documentation of Message Batches).

- Lines end in LF or CRLF; blank lines and a byte order mark at the beginning are nothing. Any chunking of the same
  bytes gives the same results.
- The last line may lack its line end; where it is no whole JSON value the file was cut. A file cut between two lines
  looks whole, so `expected` says how many results there have to be.
- Results before a bad line are handed out first, then the error is raised, at every later read again.
"""

from __future__ import annotations

from typing import Any, Final, final

import attrs

from sansio_claude._copies import CopiedWhole
from sansio_claude._errors import (
    APIError,
    ClaudeError,
    LimitError,
    LocalProtocolError,
    RemoteProtocolError,
    TruncatedError,
    api_error,
)
from sansio_claude._errors.arguments import as_bytes
from sansio_claude._errors.error_object import error_object
from sansio_claude._json import EXCERPT, loads_with_halves
from sansio_claude._limits import Limits, limits_of
from sansio_claude._message.block import kind_of
from sansio_claude._message.halves import mend_row
from sansio_claude._message.message import Message
from sansio_claude._value import Value

__all__ = ["BatchResult", "BatchResults"]

_BOM: Final = b"\xef\xbb\xbf"


@final
@attrs.define(eq=False, repr=False)
class BatchResult(Value):
    """The result of one request of a batch."""

    custom_id: str
    """The name that the batch gave the request."""

    kind: str
    """"succeeded", "errored", "canceled" or "expired", or whatever else came."""

    message: Message | None = None
    """The answer, where the request succeeded."""

    error: APIError | None = None
    """What is wrong, where it did not; not raised, since the other results are good."""

    raw: dict[str, Any] = attrs.field(factory=dict)
    """The line's JSON object."""


@final
class BatchResults(CopiedWhole):
    """Reads the results file of a Message Batch.

        results = BatchResults(expected=sum(batch["request_counts"].values()))
        for chunk in body:
            results.receive_data(chunk)
            for result in results.results_received():
                print(result.custom_id, result.message or result.error)
        for result in results.finish():
            ...

    `expected` is the number of results there have to be, None where it is not known. `Limits.message` bounds one
    line, `Limits.depth` its nesting. Memory: the line at hand and the results not taken yet. Linear in the bytes.
    One thread at a time may use it; a copy or a pickle goes on exactly as the original would.
    """

    __slots__ = ("_begin", "_error", "_expected", "_limits", "_offset", "_pending", "_results", "count", "ended")

    def __init__(self, *, limits: Limits | None = None, expected: int | None = None) -> None:
        if expected is not None and (type(expected) is not int or expected < 0):
            raise LocalProtocolError(f"expected is a number of results, not {expected!r:.40}", path="expected")
        self._limits = limits_of(limits)
        self._expected = expected
        self._pending = bytearray()  # the beginning of the line at hand
        self._begin = 0  # where that line begins, in bytes of the file
        self._offset = 0  # bytes received
        self._results: list[BatchResult] = []
        self._error: ClaudeError | None = None
        self.count: int = 0
        """How many results have come."""
        self.ended: bool = False
        """Whether the file has ended."""

    def __repr__(self) -> str:
        state = "ended" if self.ended else "open"
        return f"<{type(self).__name__} {state}, {self.count} results, {self._offset} bytes received>"

    def receive_data(self, data: bytes | bytearray | memoryview) -> None:
        """Take the next bytes. Raises LocalProtocolError for what is no bytes or comes after the end, else nothing."""
        data = as_bytes(data)
        if self.ended:
            raise LocalProtocolError("receive_data after receive_eof: the file has ended")
        if self._error is not None:
            return
        self._receive(data)

    def _receive(self, data: bytes) -> None:
        self._offset += len(data)
        start = 0
        while (end := data.find(b"\n", start)) >= 0:
            line = bytes(self._pending) + data[start:end] if self._pending else data[start:end]
            self._pending.clear()
            start = end + 1
            self._take(line)
            self._begin = self._offset - len(data) + start
            if self._error is not None:
                return
        self._pending += data[start:]
        if len(self._pending) > self._limits.message:
            self._too_long()

    def receive_eof(self) -> None:
        """The file has ended. Further calls change nothing."""
        if self.ended:
            return
        self.ended = True
        if self._error is not None:
            return
        line = bytes(self._pending)
        self._pending.clear()
        if line.strip():
            self._take(line, last=True)
        if self._error is None and self._expected is not None and self.count < self._expected:
            words = f"the results are cut off: {self.count} of {self._expected} have come"
            self._error = TruncatedError(words, stage="message", offset=self._offset)

    def results_received(self) -> list[BatchResult]:
        """The results since the last call. The list is the caller's.

        When there are none, raises what is wrong with the file: RemoteProtocolError (TruncatedError, LimitError), or
        the APIError of an error body that came in place of the results; now and at every later call.
        """
        results = self._results
        if results:
            self._results = []
            return results
        if self._error is not None:
            raise self._error.with_traceback(None)
        return []

    def finish(self) -> list[BatchResult]:
        """The file has ended: the results that were not taken yet.

        Where the file is cut or bad, raises that, and the results before stay readable by `results_received`.
        """
        self.receive_eof()
        if self._error is not None:
            raise self._error.with_traceback(None)
        return self.results_received()

    def _take(self, line: bytes, *, last: bool = False) -> None:
        """One line, without its line end."""
        if self._begin == 0:
            line = line.removeprefix(_BOM)
        if not line.strip():
            return
        if len(line) > self._limits.message:
            self._too_long()
            return
        try:
            value, has_halves = loads_with_halves(line, self._limits.depth)
            if has_halves and isinstance(value, dict):
                mend_row(value)
            self._results.append(self._result(value))
            self.count += 1
        except LimitError as error:
            self._fail(error, line)
        except RemoteProtocolError as error:
            if last and error.stage == "json":
                error = TruncatedError("the results are cut off in the middle of a line", stage="message")
            self._fail(error, line)
        except APIError as error:
            self._error = error.with_traceback(None)

    def _result(self, value: Any) -> BatchResult:
        if not isinstance(value, dict):
            raise RemoteProtocolError(f"the line is {kind_of(value)}, not an object", stage="message")
        custom_id, result = value.get("custom_id"), value.get("result")
        if "custom_id" not in value and error_object(value) is not None:  # the answer is an error, not a file
            raise api_error(value, status=200)
        if not isinstance(custom_id, str):
            found = kind_of(custom_id) if "custom_id" in value else "missing"
            raise RemoteProtocolError(f"the custom_id of a result is {found}, not a string", stage="message")
        kind = result.get("type") if isinstance(result, dict) else None
        if not isinstance(result, dict) or not isinstance(kind, str):
            raise RemoteProtocolError(f"the result of {custom_id!r:.80} has no type", stage="message")
        if kind == "succeeded":
            message = Message.from_dict(result.get("message") or {})
            message.whole = True
            return BatchResult(custom_id, kind, message, None, value)
        if kind == "errored":
            return BatchResult(custom_id, kind, None, api_error(result.get("error"), status=200), value)
        return BatchResult(custom_id, kind, None, None, value)

    def _fail(self, error: RemoteProtocolError, line: bytes) -> None:
        error.args = (f"result {self.count + 1}, at byte {self._begin}: {error.args[0]}",)
        error.offset = self._begin
        error.excerpt = line[:EXCERPT]
        self._error = error.with_traceback(None)

    def _too_long(self) -> None:
        value = self._limits.message
        words = f"a line of the results is longer than Limits.message = {value} bytes"
        error = LimitError(words, limit="message", value=value, stage="message")
        self._fail(error, bytes(self._pending[:EXCERPT]))
        self._pending.clear()
