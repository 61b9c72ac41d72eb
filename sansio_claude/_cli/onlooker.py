"""What a call tells while it runs (`trace=`): retries and waits for the view, the bytes of the answer for a file."""

from __future__ import annotations

from typing import Any, BinaryIO

from sansio_claude._call.trace import TraceEvent
from sansio_claude._cli.view import View
from sansio_claude._errors import APIError, ClaudeError

__all__ = ["Onlooker"]


class Onlooker:
    """Tells the view of attempts, writes the body of the last answer to `save`, and passes all of it on to `also`."""

    def __init__(self, view: View, save: BinaryIO | None = None, also: Any = None) -> None:
        self._view = view
        self._save = save
        self._also = also
        self._error: ClaudeError | None = None  # of the last attempt

    def __call__(self, event: TraceEvent) -> None:
        """One step of a call."""
        if self._also is not None:
            self._also(event)
        match event.kind:
            case "attempt":
                self._begin()
            case "pool":
                self._view.wait("waiting for a connection that is free")
            case "connect":
                self._view.wait(f"connecting to {event.host}")
            case "sent":
                again = f" (attempt {event.attempt})" if event.attempt > 1 else ""
                self._view.wait(f"waiting for the answer{again}")
            case "failed":
                self._error = event.error
            case "retry":
                wait = event.wait or 0.0
                self._view.note(
                    f"attempt {event.attempt} failed ({_reason(event.error or self._error)}); again in {wait:.1f} s"
                )
                self._view.wait(f"waiting {wait:.1f} s before attempt {event.attempt + 1}")
            case "done":
                if event.status != 200:
                    self._begin()  # what came is an error, no stream
                if self._save is not None:
                    self._save.flush()
            case _:
                pass

    def tap(self, call: int, data: bytes) -> None:
        """Some bytes of the body of the answer."""
        if self._also is not None:
            self._also.tap(call, data)
        if self._save is not None:
            self._save.write(data)

    def _begin(self) -> None:
        if self._save is not None:
            self._save.seek(0)
            self._save.truncate()


def _reason(error: ClaudeError | None) -> str:
    if error is None:
        return "no answer"
    if isinstance(error, APIError):
        said = error.type or "error"
        return f"{error.status}, {said}" if error.status and error.status != 200 else said
    return error.message
