"""Timeouts and the deadlines made of them."""

from __future__ import annotations

import pytest

from sansio_claude._call.deadlines import Deadlines
from sansio_claude._call.timeouts import NEVER, Timeouts
from sansio_claude._errors import LocalProtocolError


def test_the_defaults() -> None:
    times = Timeouts()
    assert (times.pool, times.connect, times.tls, times.write) == (60, 10, 10, 60)
    assert (times.first_byte, times.idle, times.progress, times.total) == (600, 120, 600, None)


@pytest.mark.parametrize("value", [-1, float("nan")])
def test_impossible_times(value: float) -> None:
    with pytest.raises(LocalProtocolError, match=r"Timeouts\.idle"):
        Timeouts(idle=value)


@pytest.mark.parametrize("value", ["1", True, [1]])
def test_what_is_no_time(value: object) -> None:
    with pytest.raises(LocalProtocolError, match=r"Timeouts\.connect"):
        Timeouts(connect=value)  # type: ignore[arg-type]


def test_the_nearest_counts() -> None:
    deadlines = Deadlines(Timeouts(total=100, idle=30, connect=10))
    assert deadlines.nearest() == NEVER
    deadlines.start(0.0)
    deadlines.begin("connect", 5.0)
    assert deadlines.nearest() == 15.0
    assert deadlines.passed("h:1").deadline == "connect"
    assert "h:1" in str(deadlines.passed("h:1"))
    deadlines.bytes_received(-18.0)
    assert deadlines.nearest() == 12.0
    assert deadlines.passed("h").deadline == "idle"
    deadlines.begin("first_byte", 5.0)
    assert deadlines.nearest() == 100.0
    assert deadlines.passed("h").deadline == "total"
    deadlines.within(1.0, 5.0)
    assert deadlines.nearest() == 6.0
    deadlines.within(2.0, 5.0)
    assert deadlines.nearest() == 6.0


def test_a_deadline_without_a_setting_of_its_own() -> None:
    deadlines = Deadlines(Timeouts(write=None))
    deadlines.begin("write", 0.0)
    deadlines.within(1.0, 0.0)
    error = deadlines.passed("h")
    assert (error.deadline, error.seconds) == ("write", None)
    assert "the time allowed" in str(error)
