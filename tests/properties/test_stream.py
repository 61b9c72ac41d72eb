"""MessageStream against its twins: the plain chain, and the reference over plain dicts. Any bytes, any chunking."""

from __future__ import annotations

import json
import re
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from sansio_claude._limits import Limits
from sansio_claude._message.message import Message
from sansio_claude._stream.plain_stream import PlainStream
from sansio_claude._stream.usual import split_events
from sansio_claude.testing import chunkings
from tests import strategies
from tests.observe import Run, run
from tests.reference import read_stream

SETTINGS = st.fixed_dictionaries(
    {},
    optional={
        "strict": st.booleans(),
        "keep_content": st.booleans(),
        "limits": st.builds(
            Limits,
            line=st.sampled_from([60, 200, 1_000, 8_000_000]),
            event=st.sampled_from([60, 200, 1_000, 8_000_000]),
            event_lines=st.sampled_from([1, 2, 3, 10_000]),
            blocks=st.sampled_from([1, 2, 10_000]),
            message=st.sampled_from([300, 1_000, 64_000_000]),
            depth=st.sampled_from([2, 3, 5, 512]),
            deviations=st.sampled_from([0, 1, 1_000]),
        ),
    },
)


def by_bytes(body: bytes, **options: Any) -> Run:
    """The slowest way: the plain chain, one byte at a time."""
    return run(chunkings.bytewise(body), kind=PlainStream, **options)


@given(strategies.bodies() | strategies.transcripts().map(lambda each: each.data), strategies.cuts())
def test_good_streams_fused_and_plain_are_equal_in_any_chunking(body: bytes, cut: strategies.Cut) -> None:
    expected = by_bytes(body)
    assert run(cut.of(body)) == expected
    assert run(cut.of(body), kind=PlainStream) == expected
    if expected.dictionary is not None:
        again = Message.from_dict(expected.dictionary)
        assert json.dumps(again.to_dict()) == json.dumps(expected.dictionary)


@given(st.lists(st.sampled_from([b"\r", b"\n", b"\n\n", b"a"]) | st.binary(max_size=3)).map(b"".join))
def test_events_are_split_as_bytes_split_does(data: bytes) -> None:
    assert split_events(data) == data.split(b"\n\n")


@settings(max_examples=150)
@given(strategies.delta_bodies(), SETTINGS, strategies.cuts())
def test_what_looks_like_a_delta_fused_and_plain_are_equal_in_any_chunking(
    body: bytes, options: dict[str, Any], cut: strategies.Cut
) -> None:
    expected = by_bytes(body, **options)
    assert run(cut.of(body), **options) == expected
    assert run(cut.of(body), read_each=False, **options) == expected


@settings(max_examples=150)
@given(strategies.hostile_bodies(), SETTINGS, strategies.cuts())
def test_hostile_streams_fused_and_plain_are_equal_in_any_chunking(
    body: bytes, options: dict[str, Any], cut: strategies.Cut
) -> None:
    expected = by_bytes(body, **options)
    assert run(cut.of(body), **options) == expected
    assert run(cut.of(body), kind=PlainStream, read_each=False, **options) == expected


@settings(max_examples=150)
@given(
    st.one_of(strategies.bodies(), strategies.delta_bodies(), strategies.hostile_bodies()),
    SETTINGS,
    st.integers(1, 12),
    st.none() | strategies.cuts(),
)
def test_pieces_are_what_they_are_together(
    body: bytes, options: dict[str, Any], size: int, cut: strategies.Cut | None
) -> None:
    pieces = re.findall(rb"(?s).*?\n\n|.+\Z", body) if cut is None else [piece for piece in cut.of(body) if piece]
    reads: list[bytes | list[bytes]] = [pieces[at : at + size] for at in range(0, len(pieces), size)]
    expected = by_bytes(body, **options)
    assert run(reads, **options) == expected
    assert run(reads, read_each=False, **options) == expected


@settings(max_examples=150)
@given(st.one_of(strategies.bodies(), strategies.delta_bodies(), strategies.hostile_bodies()), SETTINGS, st.booleans())
def test_any_stream_is_what_the_reference_makes_of_it(body: bytes, options: dict[str, Any], bytewise: bool) -> None:
    assert_as_reference(run(chunkings.bytewise(body) if bytewise else [body], **options), body, options)


def assert_as_reference(result: Run, body: bytes, options: dict[str, Any]) -> None:
    expected = read_stream(body, **options)
    assert len(result.events) == len(expected.events)
    limit = options["limits"].deviations if "limits" in options else 1_000
    kept = [(kind, number) for kind, number, _ in result.deviations]
    assert kept == expected.deviations[:limit]
    assert result.dropped == max(0, len(expected.deviations) - limit)
    assert result.done == expected.done
    assert json.dumps(result.dictionary) == json.dumps(expected.message)
    kinds = {
        None: None,
        "protocol": "RemoteProtocolError",
        "limit": "LimitError",
        "truncated": "TruncatedError",
    }
    error = result.error
    if expected.error == "api":
        assert error is not None
        assert "status" in error
    else:
        assert (None if error is None else error["class"]) == kinds[expected.error]
    if error is not None and expected.offset is not None:
        assert error["offset"] == repr(expected.offset)
    states = {"protocol": "broken", "limit": "broken", "truncated": "truncated", "api": "errored", None: "complete"}
    assert result.state == states[expected.error]
