"""The promises of the README as invariants with names: property tests, edits and fuzz targets all hold these.

`PROMISES` gives for each promise the invariants that it means, `docs/proof.md` lists them, and
`tests/test_invariants.py` holds README, page and this module together. An invariant of a stream takes the `Evidence`
of one body; the others take what their part of the library reads. Each raises AssertionError where it does not hold.
"""

from __future__ import annotations

import json
import pickle
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any, Final, TypeAlias

from attrs import define

from sansio_claude._errors import APIError, ClaudeError, LocalProtocolError, RemoteProtocolError
from sansio_claude._limits import Limits
from sansio_claude._message.blocks import MCPToolUseBlock, ServerToolUseBlock, ToolUseBlock
from sansio_claude._message.message import Message
from sansio_claude._stream.message_stream import MessageStream
from sansio_claude._stream.plain_stream import PlainStream
from sansio_claude.testing import chunkings
from tests.counting import work
from tests.observe import Run, run
from tests.reference import Reading, read_stream

__all__ = ["PROMISES", "STREAM", "Evidence", "hold", "holds_no_secret"]

_TOOLS: Final = (ToolUseBlock, ServerToolUseBlock, MCPToolUseBlock)
_CLASS_OF: Final = {None: None, "protocol": "RemoteProtocolError", "limit": "LimitError", "truncated": "TruncatedError"}
_STATE_OF: Final = {
    None: "complete",
    "protocol": "broken",
    "limit": "broken",
    "truncated": "truncated",
    "api": "errored",
}
# Work for each byte, as `work` counts it, and what a short body costs whatever it says. Of 2,500 mutated streams up to
# 50 kilobytes none took more than 38 for each byte and 2,000 besides.
_WORK_PER_BYTE: Final = 60
_WORK_AT_MOST: Final = 8_000


class Evidence:
    """What is seen when one body is read in several ways: each way is taken once, when an invariant asks for it."""

    def __init__(
        self,
        body: bytes,
        chunks: Sequence[bytes | bytearray | list[bytes]] | None = None,
        *,
        twin: list[bytes] | None = None,
        limits: Limits | None = None,
        strict: bool = False,
        keep_content: bool = True,
    ) -> None:
        self.body = body
        self.chunks: list[bytes | bytearray | list[bytes]] = [body] if chunks is None else list(chunks)
        self.twin = chunkings.bytewise(body) if twin is None else twin
        self.limits = Limits() if limits is None else limits
        self.options: dict[str, Any] = {"limits": self.limits, "strict": strict, "keep_content": keep_content}

    @cached_property
    def fused(self) -> Run:
        """By the usual stream, in the given chunks."""
        return run(self.chunks, **self.options)

    @cached_property
    def plain(self) -> Run:
        """By the plain twin, one byte at a time unless other chunks were given for it."""
        return run(self.twin, kind=PlainStream, **self.options)

    @cached_property
    def whole(self) -> Run:
        """By the usual stream, in one piece, read at the end only."""
        return run([self.body], read_each=False, **self.options)

    @cached_property
    def expected(self) -> Reading | None:
        """By the reference; None for a whole message instead of a stream, which it does not read, and where
        `Limits.kept` may leave keys out, which it does not know: a small number counts for more than its text."""
        if not self.options["keep_content"] and self.limits.kept < 4 * len(self.body):
            return None
        try:
            return read_stream(self.body, **self.options)
        except NotImplementedError:
            return None

    @cached_property
    def ended(self) -> tuple[MessageStream, Message | ClaudeError]:
        """A stream that was given all of the body, and what `finish()` gave or raised."""
        stream = MessageStream(**self.options)
        stream.receive_data(self.body)
        try:
            return stream, stream.finish()
        except ClaudeError as error:
            return stream, error


Invariant: TypeAlias = Callable[[Evidence], None]


def whole_or_an_exception(evidence: Evidence) -> None:
    """`finish()` gives the message after message_stop, and an exception with what had arrived otherwise."""
    stream, result = evidence.ended
    assert stream.done == isinstance(result, Message) == (stream.state == "complete")
    if not isinstance(result, Message):
        assert isinstance(result, (RemoteProtocolError, APIError))
        assert result.partial is stream.message
    assert evidence.expected is None or evidence.expected.done == stream.done


def no_cut_input_looks_runnable(evidence: Evidence) -> None:
    """Reading `input` raises unless the input is complete, and an input that is not is never sent back."""
    message = evidence.ended[0].message
    for block in message.content if message is not None else ():
        if not isinstance(block, _TOOLS):
            continue
        try:
            value = block.input
        except LocalProtocolError:
            assert block.input_status != "complete"
        else:
            assert block.input_status == "complete"
            assert type(value) is dict
        if block.input_status == "partial":
            try:
                block.to_param()
            except LocalProtocolError:
                continue
            raise AssertionError("an input that was cut would go back as if it were whole")


def any_chunking_gives_the_same(evidence: Evidence) -> None:
    """The given chunks, single bytes and one piece: the same events, message, error and deviations."""
    assert evidence.fused == evidence.plain
    assert evidence.fused == evidence.whole


def fast_paths_decide_nothing(evidence: Evidence) -> None:
    """The plain twin makes the same of it in one piece, and the usual stream byte by byte."""
    assert evidence.fused == run([evidence.body], kind=PlainStream, **evidence.options)
    assert evidence.fused == run(chunkings.bytewise(evidence.body), **evidence.options)


def a_missing_stop_counts_where_allowed(evidence: Evidence) -> None:
    """With `require_message_stop=False` an end behind the stop reason is a message, as message_stop makes it.

    Both twins say so, and nothing else changes.
    """
    seen = run(evidence.chunks, require_message_stop=False, **evidence.options)
    plain = run([evidence.body], kind=PlainStream, read_each=False, require_message_stop=False, **evidence.options)
    assert seen == plain
    before = evidence.fused
    if seen == before:
        return
    assert before.state == "truncated"
    assert seen.events == before.events
    if seen.state == "broken":
        assert evidence.options["strict"]
        return
    assert seen.state == "complete"
    assert seen.dropped > before.dropped or "no_message_stop" in [kind for kind, _, _ in seen.deviations]
    stopped = run([evidence.body + b'\n\nevent: message_stop\ndata: {"type":"message_stop"}\n\n'], **evidence.options)
    if stopped.done:  # it is not where an event that is cut stands in front of it
        assert seen.dictionary == stopped.dictionary


def as_the_rules_say(evidence: Evidence) -> None:
    """What the reference, written from the rules, makes of the body: message, events, deviations, error, its place."""
    seen, expected = evidence.fused, evidence.expected
    if expected is None:
        return
    assert json.dumps(seen.dictionary) == json.dumps(expected.message)
    assert len(seen.events) == len(expected.events)
    most = evidence.limits.deviations
    assert [each[:2] for each in seen.deviations] == expected.deviations[:most]
    assert seen.dropped == max(0, len(expected.deviations) - most)
    assert seen.done == expected.done
    assert seen.state == _STATE_OF[expected.error]
    if expected.error == "api":
        assert seen.error is not None
        assert "status" in seen.error
    else:
        assert (seen.error and seen.error["class"]) == _CLASS_OF[expected.error]
    if seen.error is not None and expected.offset is not None:
        assert seen.error["offset"] == repr(expected.offset)


def nothing_is_lost(evidence: Evidence) -> None:
    """What the library writes it reads again, key by key in their order; so does a pickled message."""
    message = evidence.ended[0].message
    if message is None or not evidence.options["keep_content"]:
        return
    written = message.to_dict()
    text = json.dumps(written)
    assert json.dumps(Message.from_dict(written).to_dict()) == text
    assert json.dumps(pickle.loads(pickle.dumps(message)).to_dict()) == text
    try:
        param = message.to_param()
    except LocalProtocolError:
        return  # an input that is not whole
    json.dumps(param).encode()
    Message.from_dict({**written, **param})


def work_is_linear(evidence: Evidence) -> None:
    """Calls made and text looked at stay below a fixed multiple of the bytes that came."""

    assert evidence.ended  # read once before: what is imported on first use is no work of this body

    def read() -> None:
        stream = MessageStream(**evidence.options)
        stream.receive_data(evidence.body)
        try:
            stream.finish()
        except ClaudeError:
            pass

    assert work(read) <= _WORK_AT_MOST + _WORK_PER_BYTE * len(evidence.body)


def one_family_of_exceptions(evidence: Evidence) -> None:
    """Good events come first, then at most one RemoteProtocolError or APIError, and the same one for ever.

    Reading the streams of `evidence` holds most of this on the way; anything foreign ends it.
    """
    for seen in (evidence.fused, evidence.plain, evidence.whole):
        assert (seen.error is None) == (seen.state == "complete")
        if seen.error is not None:
            assert seen.error["words"]
            if "offset" in seen.error:  # where it is: among the bytes that came
                assert 0 <= int(seen.error["offset"]) <= len(evidence.body)


def holds_no_secret(error: BaseException, *secrets: str) -> None:
    """No secret stands in the words, the repr or the causes of an exception."""
    at: BaseException | None = error
    while at is not None:
        for shown in (str(at), repr(at), repr(vars(at)) if hasattr(at, "__dict__") else ""):
            assert not any(secret in shown for secret in secrets)
        at = at.__cause__


STREAM: Final[tuple[Invariant, ...]] = (
    one_family_of_exceptions,
    any_chunking_gives_the_same,
    fast_paths_decide_nothing,
    as_the_rules_say,
    whole_or_an_exception,
    no_cut_input_looks_runnable,
    nothing_is_lost,
)
"""What holds of every body. `work_is_linear` is held by fewer cases: to count slows everything down."""


def hold(evidence: Evidence, *, count: bool = False, twice: bool = True) -> Run:
    """Hold all the invariants of a stream; gives what was seen.

    `count`: the work, too. Not `twice`: without the second reading by each of the twins, which costs as much again.
    """
    for invariant in STREAM:
        if twice or invariant is not fast_paths_decide_nothing:
            invariant(evidence)
    if count:
        work_is_linear(evidence)
    return evidence.fused


@define(frozen=True)
class Promise:
    """The invariants that a promise of the README means, and the test files that hold the rest of it."""

    invariants: tuple[Callable[..., None], ...]
    tests: tuple[str, ...]


PROMISES: Final[dict[str, Promise]] = {
    "Whole or an exception": Promise(
        (whole_or_an_exception, a_missing_stop_counts_where_allowed, as_the_rules_say),
        ("tests/properties/test_edits.py", "tests/faults"),
    ),
    "A cut tool input never looks runnable": Promise(
        (no_cut_input_looks_runnable,), ("tests/properties/test_edits.py", "tests/properties/test_message.py")
    ),
    "Any chunking gives the same": Promise(
        (any_chunking_gives_the_same, fast_paths_decide_nothing),
        ("tests/properties/test_stream.py", "tests/properties/test_chunked.py", "tests/properties/test_http.py"),
    ),
    "Nothing is lost": Promise((nothing_is_lost,), ("tests/properties/test_message.py", "tests/conformance")),
    "Linear": Promise((work_is_linear,), ("tests/test_growth.py",)),
    "One family of exceptions": Promise(
        (one_family_of_exceptions, holds_no_secret), ("tests/fuzz/test_fuzz.py", "tests/ground")
    ),
    "No I/O in the core": Promise((), ("tests/test_layers.py",)),
}
