"""The book: saved runs, recorded answers and the rate limit of a cluster, kept by its scheduler.

`Book` is a plugin of the scheduler; `Page` is how a task on a worker reads and writes it. Every write is acknowledged
before the task goes on. A run has one holder at a time: whoever takes it gets a higher number (`lease`), and writes
under an older one are refused, so that a worker that was taken for dead cannot write over its successor.

The book lives as long as the scheduler does. Where runs have to survive that, too, write the same texts into a database
in `save_run`.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from typing import Any

from distributed import get_client, get_worker
from distributed.diagnostics.plugin import SchedulerPlugin

from examples.cluster.gate import RateGate

__all__ = ["Book", "LeaseLost", "Page"]

_METHODS = (
    "take_run",
    "save_run",
    "note",
    "record_answers",
    "unanswered",
    "ask_gate",
    "tell_gate",
    "dies_now",
    "read_book",
)


class LeaseLost(Exception):
    """Somebody else has taken over this run; whoever gets this stops."""


class Book(SchedulerPlugin):
    """What the scheduler keeps. Give it to `client.register_plugin`.

    `runs` are saved loops by name, `doomed` the places at which a worker is killed, once each, to show what follows.
    """

    name = "sansio-claude-book"

    def __init__(self, runs: Mapping[str, Mapping[str, Any]] | None = None, doomed: Sequence[str] = ()) -> None:
        self._runs = {name: json.dumps(loop) for name, loop in (runs or {}).items()}
        self._leases: dict[str, int] = dict.fromkeys(self._runs, 0)
        self._taken: list[dict[str, Any]] = []
        self._notes: list[str] = []
        self._answers: dict[int, str] = {}
        self._doomed = set(doomed)
        self._killed = 0
        self._gate = RateGate()

    async def start(self, scheduler: Any) -> None:
        """Let workers call the methods."""
        for method in _METHODS:
            scheduler.handlers[f"book_{method}"] = getattr(self, method)

    def remove_worker(self, scheduler: Any, worker: str, **_: Any) -> None:
        """A worker is gone: nothing is in flight there any more."""
        self._gate.lost(worker)

    def take_run(self, run: str) -> tuple[int, str]:
        """Become the holder of a run: the number to write with, and the saved loop."""
        self._leases[run] += 1
        saved = json.loads(self._runs[run])
        begun = [call for call in saved["calls"] if call["id"] in saved["begun"]]
        self._taken.append({"run": run, "lease": self._leases[run], "turn": saved["turn"], "begun": begun})
        return self._leases[run], self._runs[run]

    def save_run(self, run: str, lease: int, saved: str) -> bool:
        """Write a run. False where somebody else holds it now."""
        if self._leases[run] != lease:
            return False
        self._runs[run] = saved
        return True

    def note(self, line: str) -> None:
        """Write down that something was done, for whoever checks it."""
        self._notes.append(line)

    def record_answers(self, answers: Sequence[tuple[int, str]]) -> None:
        """Keep the answers of prompts by their number."""
        self._answers.update(answers)

    def unanswered(self, numbers: Sequence[int]) -> list[int]:
        """Those of the numbers that have no recorded answer."""
        return [number for number in numbers if number not in self._answers]

    def ask_gate(self, holder: str, wanted: int) -> tuple[int, float]:
        """How many requests may be sent now, or how many seconds to wait."""
        return self._gate.grant(holder, wanted, time.monotonic())

    def tell_gate(
        self,
        holder: str,
        answered: int = 0,
        unused: int = 0,
        told: tuple[int, int, float] | None = None,
        closed: float | None = None,
    ) -> None:
        """What came of granted requests; what the newest head said of the limit; how long a refusal said to wait."""
        now = time.monotonic()
        self._gate.answered(holder, answered)
        self._gate.give_back(holder, unused)
        if told is not None:
            self._gate.told(*told, now)
        if closed is not None:
            self._gate.close(closed, now)

    def dies_now(self, place: str) -> bool:
        """Whether the worker is to be killed here. True once for each place."""
        if place not in self._doomed:
            return False
        self._doomed.discard(place)
        self._killed += 1
        return True

    def read_book(self) -> str:
        """All of it as JSON, for whoever checks it."""
        # As text, since a message of the cluster would make tuples of lists.
        return json.dumps(
            {
                "runs": {name: json.loads(saved) for name, saved in self._runs.items()},
                "taken": self._taken,
                "notes": self._notes,
                "answers": list(self._answers.items()),
                "killed": self._killed,
            }
        )


class Page:
    """The book as a task on a worker sees it. Each call blocks until the scheduler has answered."""

    def __init__(self) -> None:
        self._client = get_client()
        self.holder: str = get_worker().address

    def __getattr__(self, method: str) -> Any:
        if method not in _METHODS:
            raise AttributeError(method)
        call = getattr(self._client.scheduler, f"book_{method}")
        return lambda **arguments: self._client.sync(call, **arguments)
