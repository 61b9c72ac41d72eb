"""SSEDecoder against the reference written from the standard, in any chunking; encode_sse and back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from attrs import define
from hypothesis import example, given, settings
from hypothesis import strategies as st

from sansio_claude._errors import LimitError
from sansio_claude._limits import Limits
from sansio_claude._stream.sse import ODD_LINE, ServerSentEvent, SSEDecoder, encode_sse
from sansio_claude.testing import chunkings
from tests import strategies
from tests.reference import decode_event_stream

SMALL_LIMITS = st.builds(
    Limits,
    line=st.sampled_from([1, 2, 7, 10, 40, 8_000_000]),
    event=st.sampled_from([1, 2, 7, 10, 40, 8_000_000]),
    event_lines=st.sampled_from([1, 2, 3, 10_000]),
)


@define
class Decoded:
    """All that a decoder gave."""

    events: list[ServerSentEvent]
    begins: list[int]
    last_event_id: str
    retry: int | None
    comments: int
    discarded: bytes
    error: dict[str, Any] | None
    offset: int


def decode_all(chunks: Sequence[bytes], *, limits: Limits | None = None, read_each: bool = True) -> Decoded:
    decoder = SSEDecoder(limits=limits)
    decoder._keep_offsets()
    events: list[ServerSentEvent] = []
    begins: list[int] = []
    error: LimitError | None = None

    def read() -> None:
        nonlocal error
        try:
            for event, begin in decoder._events_with_offsets():
                if event is not ODD_LINE:
                    events.append(event)
                    begins.append(begin)
        except LimitError as found:
            error = found

    for chunk in chunks:
        decoder.receive_data(chunk)
        if read_each and error is None:
            read()
    decoder.receive_eof()
    read()
    read()
    return Decoded(
        events,
        begins,
        decoder.last_event_id,
        decoder.retry,
        decoder.comments,
        decoder.discarded,
        None if error is None else {"words": str(error), **vars(error)},
        0 if error is not None else decoder.offset,
    )


@settings(max_examples=200)
@given(strategies.sse_bodies(), strategies.cuts())
@example(b"\xef\xbb\xbf\xef\xbb\xbfdata: 1\n\ndata: 2\n\n", strategies.Cut("bytewise"))
@example(b"\xef\xbb", strategies.Cut("bytewise"))
@example(b"data: a\r\ndata: b\r\n\r\n", strategies.Cut("steps", 8))
def test_the_decoder_is_the_standard_in_any_chunking(body: bytes, cut: strategies.Cut) -> None:
    assert_standard(decode_all(cut.of(body)), body, Limits())


@settings(max_examples=200)
@given(strategies.sse_bodies(), strategies.cuts(), SMALL_LIMITS)
def test_limits_are_passed_at_the_same_place_in_any_chunking(body: bytes, cut: strategies.Cut, limits: Limits) -> None:
    decoded = decode_all(cut.of(body), limits=limits)
    assert_standard(decoded, body, limits)
    assert decode_all(chunkings.bytewise(body), limits=limits, read_each=False) == decoded


def assert_standard(decoded: Decoded, body: bytes, limits: Limits) -> None:
    expected = decode_event_stream(body, limits=limits)
    assert [(each.event, each.raw, each.id, each.retry) for each in decoded.events] == [
        (each.event, each.raw, each.id, each.retry) for each in expected.events
    ]
    assert decoded.begins == [each.begin for each in expected.events]
    assert decoded.retry == expected.retry
    assert decoded.comments == expected.comments
    assert decoded.last_event_id == expected.last_event_id
    assert decoded.discarded == expected.discarded
    if expected.error is None:
        assert decoded.error is None
        last = max(body.rfind(b"\n"), body.rfind(b"\r"))
        assert decoded.offset == (last + 1 or (3 if body.startswith(b"\xef\xbb\xbf") else 0))
    else:
        limit, offset = expected.error
        assert decoded.error is not None
        assert (decoded.error["limit"], decoded.error["offset"]) == (limit, offset)
        assert decoded.error["value"] == getattr(limits, limit)
        assert decoded.error["words"] == (
            f"the event stream passes Limits.{limit} = {getattr(limits, limit)} at byte {offset}"
        )
        assert body[offset:].startswith(decoded.error["excerpt"])


@given(st.lists(strategies.sse_events(), max_size=6), strategies.cuts())
def test_what_is_encoded_is_decoded_again(events: list[ServerSentEvent], cut: strategies.Cut) -> None:
    body = b""
    before = ""
    expected = []
    for event in events:
        body += encode_sse(event)
        # An event without an id keeps the one in force.
        before = event.id or before
        expected.append(ServerSentEvent(event.event, event.raw, before, event.retry))
    decoded = decode_all(cut.of(body))
    assert decoded.events == expected
    assert decoded.discarded == b""
    assert decoded.offset == len(body)


@given(strategies.sse_bodies())
def test_what_was_decoded_can_be_encoded_unless_the_format_has_no_place_for_it(body: bytes) -> None:
    for event in decode_all([body]).events:
        assert decode_all([encode_sse(event)]).events == [event]
