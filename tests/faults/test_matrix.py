"""Every case, on trio, on asyncio and on blocking sockets, with retries off and on."""

from __future__ import annotations

import pytest

from sansio_claude._errors import ClaudeError
from sansio_claude._stream.events import TextDelta
from tests.adapters.runtimes import Runtime
from tests.faults.case import Case, Outcome, run
from tests.faults.server import FaultServer
from tests.faults.table import CASES


def judge(case: Case, outcome: Outcome, *, retries: bool) -> None:
    """Everything that has to be so after a case."""
    wanted = ["ok"] if case.retried and retries else case.want.split("|")
    assert outcome.kind in wanted, f"{outcome.kind}: {outcome.error!r}, after {outcome.seconds:.2f} s"
    error = outcome.error
    if outcome.kind == "ok":
        assert outcome.message is not None
        if case.text is not None:
            assert outcome.message.text == case.text
            if case.how == "stream":
                assert all(event.text in case.text for event in outcome.seen if isinstance(event, TextDelta))
    elif isinstance(error, ClaudeError):
        assert case.error is None or isinstance(error, case.error), repr(error)
        assert case.words in str(error)
        assert str(error)
        # Words for a person and a log: whatever came, they are no copy of it.
        assert len(str(error)) < 1_500
        assert len(repr(error)) < 5_000
        said = "".join(event.text for event in outcome.seen if isinstance(event, TextDelta))
        assert case.given is None or said == case.given
        if said:
            assert error.partial is not None
            assert error.partial.text == said
    tries = case.off
    if retries and case.off is not None:
        tries = case.tries if case.tries is not None else case.off
        if case.tries is None and case.retried and not callable(case.scripts):
            tries = len(case.scripts)
    assert tries is None or outcome.requests == tries
    assert outcome.next is None, f"the next request: {outcome.next}"
    assert outcome.leaks == []
    assert outcome.left == 0
    assert outcome.elsewhere == 0
    assert outcome.seconds < case.within
    if case.check is not None and (outcome.kind == case.want or "|" in case.want):
        case.check(outcome)


@pytest.mark.parametrize("retries", [False, True], ids=["once", "retries"])
@pytest.mark.parametrize("runtime", ["trio", "asyncio", "sync"], indirect=True)
@pytest.mark.parametrize("name", CASES)
@pytest.mark.usefixtures("nothing_left")
def test_case(name: str, runtime: Runtime, retries: bool, server: FaultServer) -> None:
    case = CASES[name]
    if (case.cancel is not None or case.cancels) and runtime.name == "sync":
        pytest.skip("nothing is cancelled here; another thread ends a call by shutdown()")
    judge(case, run(case, runtime, server, retries=retries), retries=retries)
