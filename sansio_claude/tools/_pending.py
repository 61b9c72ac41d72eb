"""PendingCalls: the calls of one answer: which may start, which have begun, which have their results."""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Iterable
from typing import Any, Final

from sansio_claude.tools._calls import ToolCall
from sansio_claude.tools._result import ToolResult

__all__ = ["INTERRUPTED", "NOT_BEGUN", "PendingCalls"]

INTERRUPTED: Final = ToolResult(
    "Error: The call was interrupted before it gave a result. What it had begun may have taken effect.", is_error=True
)
"""The result of a call that had begun when the run was stopped."""
NOT_BEGUN: Final = ToolResult("Error: The run was stopped before this call was begun: it was not run.", is_error=True)
"""The result of a call that had not begun when the run was stopped."""


class PendingCalls:
    """The calls of one answer, in the model's order. A call is waiting, or has begun, or has its result.

    Every step is O(1), but for the logarithm of the calls that wait; `running` and `blocks` are linear.
    """

    def __init__(self, calls: Iterable[ToolCall] = ()) -> None:
        self.calls: dict[str, ToolCall] = {call.id: call for call in calls}
        self.results: dict[str, dict[str, Any]] = {}
        self.begun: set[str] = set()
        self.lost: set[str] = set()
        """Those of `begun` that nobody runs any more."""
        self._place = {call_id: place for place, call_id in enumerate(self.calls)}
        self._ready: list[tuple[int, str]] = []  # a heap, in the order of the calls
        self._rows: dict[str, deque[str]] = {}  # sequential calls by name; the first is ready or has begun
        for call in self.calls.values():
            if call.sequential:
                row = self._rows.setdefault(call.name, deque())
                row.append(call.id)
                if len(row) > 1:
                    continue
            self._make_ready(call.id)

    def __bool__(self) -> bool:
        """Whether a call has no result."""
        return len(self.results) < len(self.calls)

    def restore(self, results: dict[str, dict[str, Any]], begun: Iterable[str]) -> None:
        """Take results, and calls that have begun elsewhere, from a saved state. Before anything else is done."""
        self.begun, self.lost = set(begun), set(begun)
        for call_id, block in results.items():
            self._keep(call_id, block)

    def take_ready(self, concurrency: int) -> tuple[ToolCall, ...]:
        """The calls that may start now; they count as begun. At most so many run at once."""
        taken: list[ToolCall] = []
        while self._ready and len(self.begun) < concurrency:
            call_id = heapq.heappop(self._ready)[1]
            if call_id not in self.results and call_id not in self.begun:
                self.begun.add(call_id)
                taken.append(self.calls[call_id])
        return tuple(taken)

    def running(self) -> tuple[str, ...]:
        """The ids of the calls that have begun and have no result."""
        return tuple(sorted(self.begun, key=self._place.__getitem__))

    def put(self, call_id: str, result: ToolResult) -> None:
        """Take the result of a call that has none."""
        self._keep(call_id, result.to_block(call_id, toolset_name=self.calls[call_id].toolset_name))

    def _keep(self, call_id: str, block: dict[str, Any]) -> None:
        self.results[call_id] = block
        self.begun.discard(call_id)
        self.lost.discard(call_id)
        row = self._rows.get(self.calls[call_id].name)
        if row and row[0] == call_id:
            while row and row[0] in self.results:
                row.popleft()
            if row:
                self._make_ready(row[0])

    def put_back(self, call_id: str) -> None:
        """A call that was taken has not begun, or is to be begun once more."""
        self.begun.discard(call_id)
        self.lost.discard(call_id)
        self._make_ready(call_id)

    def settle_lost(self) -> None:
        """Answer the calls that nobody runs any more as interrupted; those that may be run twice are ready again."""
        for call_id in sorted(self.lost, key=self._place.__getitem__):
            if self.calls[call_id].idempotent:
                self.put_back(call_id)
            else:
                self.put(call_id, INTERRUPTED)

    def interrupt(self) -> None:
        """Give every call that has no result one that says why."""
        for call_id in self.calls:
            if call_id not in self.results:
                self.put(call_id, INTERRUPTED if call_id in self.begun else NOT_BEGUN)

    def blocks(self) -> list[dict[str, Any]]:
        """The results in the order of the calls; a call that has none stands with what `interrupt` would say."""
        found = []
        for call_id, call in self.calls.items():
            block = self.results.get(call_id)
            if block is None:
                words = INTERRUPTED if call_id in self.begun else NOT_BEGUN
                block = words.to_block(call_id, toolset_name=call.toolset_name)
            found.append(block)
        return found

    def _make_ready(self, call_id: str) -> None:
        heapq.heappush(self._ready, (self._place[call_id], call_id))
