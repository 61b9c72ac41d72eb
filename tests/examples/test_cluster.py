"""The example of a cluster: its gate as a state machine, and a small run of it in which workers are killed."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from examples.cluster.gate import RateGate
from tests.blocks import ROOT

LIMIT, WINDOW = 20, 4.0


class Server:
    """Counts requests in windows, as the API's limit does."""

    def __init__(self) -> None:
        self.used: dict[int, int] = {}

    def ask(self, now: float) -> tuple[int, int, float]:
        window, passed = divmod(now, WINDOW)
        self.used[int(window)] = self.used.get(int(window), 0) + 1
        return LIMIT, max(LIMIT - self.used[int(window)], 0), WINDOW - passed


@given(st.lists(st.tuples(st.integers(1, 9), st.sampled_from("ab"), st.integers(0, 8)), max_size=80), st.randoms())
def test_the_gate_keeps_all_holders_below_the_limit(steps: list[tuple[int, str, int]], chance: object) -> None:
    gate, server, now = RateGate(first=4), Server(), 0.0
    unanswered: list[tuple[str, tuple[int, int, float], float]] = []
    for wanted, holder, later in steps:
        granted, wait = gate.grant(holder, wanted, now)
        assert 0 <= granted <= wanted
        assert (granted == 0) == (wait > 0)
        # Requests are sent at once; their answers come in any order, and later.
        unanswered += [(holder, server.ask(now), now) for _ in range(granted)]
        now += later / 4
        while len(unanswered) > 3:
            who, told, at = unanswered.pop(getattr(chance, "randrange")(len(unanswered)))  # noqa: B009
            gate.answered(who, 1)
            gate.told(told[0], told[1], told[2] - (now - at), now)
    assert max(server.used.values(), default=0) <= LIMIT
    assert gate.in_flight == len(unanswered)


def test_a_refusal_closes_the_gate_for_all() -> None:
    gate = RateGate()
    gate.close(7.0, now=1.0)
    assert gate.grant("a", 1, now=2.0) == (0, 6.0)
    assert gate.grant("b", 1, now=8.0)[0] == 1


def test_what_was_not_used_and_who_is_gone() -> None:
    gate = RateGate(first=4)
    assert gate.grant("a", 3, now=0.0) == (3, 0.0)
    gate.give_back("a", 2)
    assert gate.grant("b", 9, now=0.0) == (3, 0.0)
    gate.lost("b")
    assert gate.in_flight == 1


@pytest.mark.skipif(importlib.util.find_spec("distributed") is None, reason="distributed is not installed (examples)")
def test_workers_are_killed_and_nothing_is_lost() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "examples.cluster", "--agents=4", "--kills=2", "--prompts=120", "--limit=100"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    report = json.loads(done.stdout)
    agents, (prompts,) = report["agents"], report["prompts"]
    assert agents["workers_killed"] == 2
    assert agents["calls_interrupted"] >= 1
    assert prompts["workers_killed"] == 2
    assert prompts["endings"]["cut"] == 6
