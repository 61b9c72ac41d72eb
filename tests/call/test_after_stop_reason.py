"""Answers without message_stop, where the caller does without it."""

from __future__ import annotations

from typing import Any

import attrs
import pytest

from sansio_claude._call.timeouts import Timeouts
from sansio_claude._errors import DeadlineError, RemoteProtocolError, TruncatedError
from tests.virtual import CLOSING, DELTAS, GOOD_HEAD, OPENING, PING, Peer, Step, World, chunked

BUT_FOR_STOP = chunked(*OPENING, *DELTAS, *CLOSING[:2], last=False)


def world(*steps: Step, timeouts: Timeouts | None = None, **settings: Any) -> World:
    made = World(Peer([GOOD_HEAD, BUT_FOR_STOP, *steps]), timeouts=timeouts)
    made.settings = attrs.evolve(made.settings, require_message_stop=False, **settings)
    return made


@pytest.mark.parametrize("wanted", ["stream", "message"])
def test_silence_behind_the_stop_reason(wanted: Any) -> None:
    made = world("hang")
    outcome = made.run(made.call(wanted))
    assert outcome.error is None
    assert outcome.call.message is not None
    assert outcome.call.message.text == "Hello"
    assert outcome.finished == pytest.approx(1010.0, abs=0.1)
    assert [deviation.kind for deviation in outcome.call.stream.deviations] == ["no_message_stop"]
    assert made.pool.idle == 0


def test_pings_do_not_start_the_time_again() -> None:
    made = world((4.0, chunked(PING, last=False)), (4.0, chunked(PING, last=False)), "hang")
    outcome = made.run()
    assert outcome.error is None
    assert outcome.finished == pytest.approx(1010.0, abs=0.1)


def test_a_clean_end_is_enough_and_a_cut_is_not() -> None:
    made = world(b"0\r\n\r\n")
    outcome = made.run()
    assert outcome.error is None
    assert outcome.finished == 1000.0
    made = world("eof")
    assert isinstance(made.run().error, TruncatedError)


def test_the_time_is_the_callers() -> None:
    made = world("hang", timeouts=Timeouts(after_stop_reason=2.5))
    assert made.run().finished == pytest.approx(1002.5, abs=0.1)
    made = world("hang", timeouts=Timeouts(after_stop_reason=None, progress=50.0))
    error = made.run().error
    assert isinstance(error, DeadlineError)
    assert error.deadline == "progress"


def test_only_behind_the_stop_reason() -> None:
    made = World(Peer([GOOD_HEAD, chunked(*OPENING, *DELTAS, last=False), "hang"]))
    made.settings = attrs.evolve(made.settings, require_message_stop=False)
    error = made.run().error
    assert isinstance(error, DeadlineError)
    assert error.deadline == "idle"


def test_tolerance_may_refuse_it() -> None:
    made = world(b"0\r\n\r\n", tolerance={"no_message_stop": "refuse"})
    assert isinstance(made.run().error, RemoteProtocolError)


def test_by_default_message_stop_is_required() -> None:
    made = World(Peer([GOOD_HEAD, BUT_FOR_STOP, b"0\r\n\r\n"]))
    assert isinstance(made.run().error, TruncatedError)
