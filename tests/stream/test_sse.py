"""SSEDecoder and encode_sse by example: each rule of the standard, the limits, and what they cost."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from sansio_claude._errors import LimitError, LocalProtocolError
from sansio_claude._limits import Limits
from sansio_claude._stream import usual
from sansio_claude._stream.sse import ServerSentEvent, SSEDecoder, encode_sse
from sansio_claude.testing import chunkings
from tests.counting import calls, growth


def decode(body: bytes, *, limits: Limits | None = None) -> list[ServerSentEvent]:
    decoder = SSEDecoder(limits=limits)
    decoder.receive_data(body)
    return decoder.events_received()


def datas(body: bytes) -> list[str]:
    return [event.data for event in decode(body)]


def test_an_event_has_name_data_and_id() -> None:
    (event,) = decode(b"event: greet\nid: 7\nretry: 1500\ndata: hello\n\n")
    assert event == ServerSentEvent("greet", b"hello", "7", 1500)
    assert (event.event, event.raw, event.data, event.id, event.retry) == ("greet", b"hello", "hello", "7", 1500)


def test_an_unnamed_event_is_a_message_without_id_and_retry() -> None:
    (event,) = decode(b"data: x\n\n")
    assert event == ServerSentEvent("message", b"x", "", None)
    assert ServerSentEvent() == ServerSentEvent("message", b"", "", None)


def test_an_event_of_the_usual_shape_with_an_empty_name_is_a_message() -> None:
    assert decode(b"event: \ndata: x\n\n") == [ServerSentEvent("message", b"x")]
    assert decode(b"event:\ndata: x\n\n") == [ServerSentEvent("message", b"x")]


def test_one_space_after_the_colon_is_dropped_and_no_more() -> None:
    assert datas(b"data:a\n\ndata: b\n\ndata:  c\n\ndata:\td\n\n") == ["a", "b", " c", "\td"]
    assert decode(b"event:  two\ndata: x\n\n")[0].event == " two"


def test_data_lines_are_joined_by_line_feeds() -> None:
    assert datas(b"data: a\ndata\ndata:\ndata: b\n\n") == ["a\n\n\nb"]


def test_an_event_without_data_is_not_dispatched_and_its_name_forgotten() -> None:
    assert decode(b"event: lost\n\ndata: x\n\n") == [ServerSentEvent("message", b"x")]
    assert datas(b"data\n\n") == [""]


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
def test_every_line_end(end: bytes) -> None:
    body = end.join([b"event: a", b"data: 1", b"", b": comment", b"data: 2", b"", b""])
    assert decode(body) == [ServerSentEvent("a", b"1"), ServerSentEvent("message", b"2")]


def test_a_line_feed_right_behind_a_carriage_return_belongs_to_it_in_another_read_too() -> None:
    decoder = SSEDecoder()
    for chunk in (b"data: a\r", b"\ndata: b\r", b"\n\r", b"\n"):
        decoder.receive_data(chunk)
    assert [event.data for event in decoder.events_received()] == ["a\nb"]
    assert decoder.offset == 20


def test_an_event_is_out_at_the_byte_that_ends_its_blank_line() -> None:
    for body in (b"data: a\n\n", b"data: a\r\r", b"data: a\r\n\r", b"data: a\n\r", b"event: b\ndata: a\n\n"):
        decoder = SSEDecoder()
        for byte in chunkings.bytewise(body)[:-1]:
            decoder.receive_data(byte)
            assert decoder.events_received() == []
        decoder.receive_data(body[-1:])
        assert len(decoder.events_received()) == 1


def test_one_byte_order_mark_is_dropped_however_it_is_cut() -> None:
    for chunks in chunkings.every_cut(b"\xef\xbb\xbfdata: a\n\n"):
        decoder = SSEDecoder()
        for chunk in chunks:
            decoder.receive_data(chunk)
        assert [event.data for event in decoder.events_received()] == ["a"]
        assert decoder.offset == 12
    assert datas(b"\xef\xbb\xbf\xef\xbb\xbfdata: a\n\ndata: b\n\n") == ["b"]
    assert datas(b"\n\xef\xbb\xbfdata: a\n\ndata: b\n\n") == ["b"]


def test_comments_are_counted_and_nothing_else() -> None:
    decoder = SSEDecoder()
    decoder.receive_data(b": keep-alive\n\n:\n:event: x\nevent\n\n")
    assert decoder.events_received() == []
    assert decoder.comments == 3


def test_other_fields_are_ignored() -> None:
    assert datas(b"Data: a\n\n data: b\n\ndat: c\n\ndata2: d\n\ndata : e\n\n{}\n\n") == []


def test_an_id_comes_into_force_at_the_blank_line_and_stays() -> None:
    decoder = SSEDecoder()
    decoder.receive_data(b"id: 1\n")
    assert decoder.last_event_id == ""
    decoder.receive_data(b"\n")
    assert decoder.last_event_id == "1"
    decoder.receive_data(b"event: a\ndata: x\n\ndata: y\n\nid\ndata: z\n\n")
    assert [event.id for event in decoder.events_received()] == ["1", "1", ""]
    assert decoder.last_event_id == ""


def test_an_id_in_force_is_on_events_of_the_usual_shape() -> None:
    decoder = SSEDecoder()
    decoder.receive_data(b"id: 1\n\n")
    decoder.receive_data(b"event: a\ndata: x\n\nevent: a\ndata: y\n\n")
    assert [event.id for event in decoder.events_received()] == ["1", "1"]


def test_an_id_with_nul_is_ignored() -> None:
    assert [event.id for event in decode(b"id: 1\nid: 2\0\ndata: x\n\n")] == ["1"]


def test_retry_counts_if_all_digits_and_at_once() -> None:
    decoder = SSEDecoder()
    decoder.receive_data(b"retry: 10\n")
    assert decoder.retry == 10
    for bad in (b"", b"1x", b"-1", b"+1", b"1.5", b" 1", "１".encode(), b"1 "):
        decoder.receive_data(b"retry: " + bad + b"\n")
        assert decoder.retry == 10
    decoder.receive_data(b"retry:007\n\ndata: x\n\n")
    assert decoder.retry == 7
    assert decoder.events_received()[0].retry is None
    decoder.receive_data(b"retry: 3\ndata: x\n\n")
    assert decoder.events_received()[0].retry == 3


def test_a_retry_that_int_would_refuse_is_ignored() -> None:
    decoder = SSEDecoder()
    decoder.receive_data(b"retry: " + b"0" * 3_999 + b"5\n")
    assert decoder.retry == 5
    decoder.receive_data(b"retry: " + b"0" * 4_000 + b"7\n")
    assert decoder.retry == 5


def test_malformed_utf8_becomes_replacement_characters_in_text_and_stays_in_raw() -> None:
    (event,) = decode(b"event: \xff\nid: \xc3\ndata: a\xe2\x82\n\n")
    assert (event.event, event.id, event.data, event.raw) == ("�", "�", "a�", b"a\xe2\x82")


def test_the_names_of_many_events_are_each_their_own() -> None:
    names = [f"name-{number}" for number in range(100)] + ["n" * 100, "n" * 101]
    body = "".join(f"event: {name}\ndata: x\n\n" for name in names * 2).encode()
    assert [event.event for event in decode(body)] == names * 2


def test_the_end_throws_away_what_has_no_blank_line() -> None:
    decoder = SSEDecoder()
    decoder.receive_data(b"data: a\n\nevent: b\r\n: comment\ndata: c\nda")
    decoder.receive_eof()
    decoder.receive_eof()
    assert [event.data for event in decoder.events_received()] == ["a"]
    assert decoder.discarded == b"event: b\ndata: c\nda"
    assert decoder.events_received() == []


def test_nothing_is_thrown_away_after_whole_events_or_nothing() -> None:
    for body in (b"", b"data: a\n\n", b"\n", b": comment\n", b"retry: 1\n", b"\xef\xbb\xbf"):
        decoder = SSEDecoder()
        decoder.receive_data(body)
        decoder.receive_eof()
        assert decoder.discarded == b""


def test_the_beginning_of_a_byte_order_mark_is_thrown_away_too() -> None:
    decoder = SSEDecoder()
    decoder.receive_data(b"\xef\xbb")
    decoder.receive_eof()
    assert decoder.discarded == b"\xef\xbb"


def test_bytes_after_the_end_are_the_callers_mistake() -> None:
    decoder = SSEDecoder()
    decoder.receive_eof()
    assert decoder.eof
    with pytest.raises(LocalProtocolError, match="after receive_eof"):
        decoder.receive_data(b"data: a\n\n")


def test_only_bytes_are_taken() -> None:
    decoder = SSEDecoder()
    for wrong in ("data", 5, None, [100]):
        with pytest.raises(LocalProtocolError, match="takes bytes, not"):
            decoder.receive_data(wrong)  # type: ignore[arg-type]
    decoder.receive_data(b"")
    decoder.receive_data(bytearray(b"data: a\n"))
    decoder.receive_data(memoryview(b"xx\nyy")[2:3])
    assert [event.data for event in decoder.events_received()] == ["a"]


def test_the_list_of_events_is_the_callers() -> None:
    decoder = SSEDecoder()
    first = decoder.events_received()
    decoder.receive_data(b"data: a\n\n")
    assert first == []


@pytest.mark.parametrize(
    ("body", "boundary"),
    [
        (b"", False),  # a byte order mark may still come
        (b"\xef\xbb", False),
        (b"\xef\xbb\xbf", True),
        (b"data: a\n\n", True),
        (b"data: a\n\n\n", True),
        (b"data: a\n\nd", False),
        (b"data: a\n", False),
        (b"data: a\r\r", False),  # a line feed may still belong to it
        (b"data: a\r\r\n", True),
        (b": comment\n", True),
        (b": comm", False),
        (b"retry: 1\n", False),
        (b"retry: 1\n\n", True),
        (b"id: 1\n", False),
    ],
)
def test_at_boundary(body: bytes, boundary: bool) -> None:
    decoder = SSEDecoder()
    decoder.receive_data(body)
    assert decoder.at_boundary is boundary
    decoder.receive_eof()
    assert not decoder.at_boundary


@pytest.mark.parametrize("way", [chunkings.whole, chunkings.bytewise])
@pytest.mark.parametrize(
    ("limits", "good", "bad", "offset"),
    [
        (Limits(line=9), b"data: abc", b"data: abcd", 15),
        (Limits(line=9), b": 3456789", b": 34567890", 15),
        (Limits(line=9), b"zzzzzzzzz", b"zzzzzzzzzz", 15),
        (Limits(event=9), b"data: abcdefghi", b"data: abcdefghij", 15),
        (Limits(event=9), b"event: abcd\ndata: fghij", b"event: abcd\ndata: fghijk", 27),
        (Limits(event=9), b"data: abcd\ndata: fghij", b"data: abcd\ndata: fghijk", 26),
        (Limits(event=9), b"id: abcd\ndata: fghij", b"id: abcd\ndata: fghijk", 24),
        (Limits(event_lines=2), b"event: a\ndata: b", b"event: a\ndata: b\ndata: c", 32),
        (Limits(event_lines=2), b"id: 1\ndata: b\n:\nretry: 1", b"id: 1\ndata: b\n:\nid: 1", 31),
        (Limits(event_lines=1), b"data: b", b"event: a\ndata: b", 24),
    ],
)
def test_limits_are_inclusive_and_passed_at_a_line(
    way: object, limits: Limits, good: bytes, bad: bytes, offset: int
) -> None:
    assert callable(way)
    decoder = SSEDecoder(limits=limits)
    for chunk in way(b"data: one\n\n" + good + b"\n\n"):
        decoder.receive_data(chunk)
    assert len(decoder.events_received()) >= 1
    decoder = SSEDecoder(limits=limits)
    for chunk in way(b"data: on\n\n\n\n\n\n\n" + bad + b"\n\ndata: two\n\n"):
        decoder.receive_data(chunk)
    assert len(decoder.events_received()) == 1  # what was good comes first
    errors = []
    for _ in range(2):
        with pytest.raises(LimitError) as caught:
            decoder.events_received()
        errors.append(caught.value)
    assert errors[0] is errors[1]
    error = errors[0]
    assert (error.stage, error.offset) == ("frames", offset)
    assert error.value == getattr(limits, error.limit)
    assert f"Limits.{error.limit} = {error.value} at byte {offset}" in str(error)
    assert bad.split(b"\n")[-1].startswith(error.excerpt)
    decoder.receive_data(b"data: three\n\n")  # ignored
    decoder.receive_eof()
    assert decoder.discarded == b""
    assert not decoder.at_boundary


def test_a_line_without_an_end_passes_its_limit() -> None:
    decoder = SSEDecoder(limits=Limits(line=100))
    decoder.receive_data(b"data: " + b"a" * 94)
    assert decoder.events_received() == []
    decoder.receive_data(b"b")
    with pytest.raises(LimitError) as caught:
        decoder.events_received()
    assert caught.value.excerpt == b"data: " + b"a" * 74
    assert (caught.value.limit, caught.value.offset) == ("line", 0)


def test_the_excerpt_of_a_short_line_is_one_byte_more_than_the_limit_in_any_chunking() -> None:
    for chunks in ([b"data: abcdefgh\n"], chunkings.bytewise(b"data: abcdefgh")):
        decoder = SSEDecoder(limits=Limits(line=9))
        for chunk in chunks:
            decoder.receive_data(chunk)
        with pytest.raises(LimitError) as caught:
            decoder.events_received()
        assert caught.value.excerpt == b"data: abcd"


def test_sizes_count_each_event_alone() -> None:
    limits = Limits(event=9, event_lines=2)
    for gap in (b"", b": c\n"):
        assert len(decode((gap + b"data: abcdefghi\n\nid\nevent: a\n\n") * 50, limits=limits)) == 50


def test_a_dataless_error_event_is_kept_on_demand() -> None:
    decoder = SSEDecoder()
    decoder._names_without_data = frozenset({"error"})
    decoder.receive_data(b"event: other\n\nevent: error\n\n")
    assert decoder.events_received() == [ServerSentEvent("error", b"")]
    assert decode(b"event: error\n\n") == []


LONG_BODIES: dict[str, Callable[[int], list[bytes]]] = {
    "one line": lambda n: [b"data: " + b"x" * n + b"\n\n"],
    "one line in pieces": lambda n: chunkings.steps(b"data: " + b"x" * n + b"\n\n", 16),
    "a line that never ends": lambda n: chunkings.steps(b"data: " + b"x" * n, 16),
    "events": lambda n: chunkings.steps(b"event: a\ndata: xxxxxxxxxxxxxxx\n\n" * (n // 32), 1_000),
    "one event a read": lambda n: chunkings.steps(b"event: a\ndata: xxxxxxxxxxxxxxx\n\n" * (n // 32), 32),
    "pieces of events": lambda n: chunkings.steps(b"event: a\ndata: xxxxxxxxxxxxxxx\n\n" * (n // 32), 7),
    "all events at once": lambda n: [b"event: a\ndata: xxxxxxxxxxxxxxx\n\n" * (n // 32)],
    "CRLF": lambda n: chunkings.steps(b"event: a\r\ndata: xxxxxxxxxxxxxxx\r\n\r\n" * (n // 32), 100),
    "data lines": lambda n: chunkings.steps(b"data: x\n" * (n // 8) + b"\n", 16),
    "LF": lambda n: chunkings.steps(b"\n" * n, 16),
    "CR": lambda n: chunkings.steps(b"\r" * n, 16),
    "bytes": lambda n: chunkings.bytewise(b"data: xxxxxxxxxxxx\n\n" * (n // 20)),
}


@pytest.mark.parametrize("shape", LONG_BODIES)
def test_the_work_is_linear_in_the_bytes(shape: str) -> None:
    def decoding(size: int) -> Callable[[], None]:
        chunks = LONG_BODIES[shape](size)

        def decode() -> None:
            decoder = SSEDecoder()
            for chunk in chunks:
                decoder.receive_data(chunk)
                decoder.events_received()
            decoder.receive_eof()

        return decode

    assert growth(decoding, size=2_000) < 1.1


def test_encode_writes_what_is_there() -> None:
    assert encode_sse(ServerSentEvent("a", b"1\n2", "7", 5)) == b"event: a\nid: 7\nretry: 5\ndata: 1\ndata: 2\n\n"
    assert encode_sse(ServerSentEvent()) == encode_sse(ServerSentEvent("")) == b"data: \n\n"
    assert encode_sse(ServerSentEvent("message", b" x", retry=0)) == b"retry: 0\ndata:  x\n\n"
    assert encode_sse(ServerSentEvent("é", "é".encode(), "é")) == "event: é\nid: é\ndata: é\n\n".encode()


@pytest.mark.parametrize(
    ("event", "path"),
    [
        (ServerSentEvent("a\nb"), "event"),
        (ServerSentEvent("a\rb"), "event"),
        (ServerSentEvent("a\ud800"), "event"),
        (ServerSentEvent(id="a\nb"), "id"),
        (ServerSentEvent(id="a\rb"), "id"),
        (ServerSentEvent(id="a\0b"), "id"),
        (ServerSentEvent(id="a\ud800"), "id"),
        (ServerSentEvent(raw=b"a\rb"), "raw"),
        (ServerSentEvent(retry=-1), "retry"),
        (ServerSentEvent(retry=10**4_000), "retry"),
        (ServerSentEvent(retry=10**5_000), "retry"),
    ],
)
def test_encode_refuses_what_the_format_cannot_carry(event: ServerSentEvent, path: str) -> None:
    with pytest.raises(LocalProtocolError) as caught:
        encode_sse(event)
    assert caught.value.path == path


def test_the_largest_retry_there_and_back() -> None:
    event = ServerSentEvent(retry=10**4_000 - 1)
    assert decode(encode_sse(event)) == [event]


def test_events_wait_until_they_are_read() -> None:
    decoder = SSEDecoder()
    for _ in range(3):
        decoder.receive_data(b"event: a\ndata: x\n\n")
    assert decoder.events_received() == [ServerSentEvent("a", b"x")] * 3
    assert decoder.events_received() == []


def test_few_event_lines_are_remembered_and_none_that_is_long() -> None:
    for number in range(1_000):
        assert [event.event for event in decode(b"event: name %d\ndata: x\n\n" % number)] == [f"name {number}"]
        assert len(usual.EVENT_LINES) <= 64
    long = b"event: " + b"n" * 100
    assert [event.event for event in decode((long + b"\ndata: x\n\n") * 2)] == ["n" * 100] * 2
    assert long not in usual.EVENT_LINES


def test_a_usual_event_that_comes_alone_is_one_call() -> None:
    decoder = SSEDecoder()
    decoder.receive_data(b"event: ping\ndata: x\n\n")
    assert calls(lambda: decoder.receive_data(b"event: ping\ndata: x\n\n")) == 1
    assert len(decoder.events_received()) == 2


@pytest.mark.parametrize("ending", [b"\n", b"\r\n"], ids=["LF", "CRLF"])
@pytest.mark.parametrize("front", [b"", b"event: ping\nda"], ids=["whole", "cut"])
def test_usual_events_that_come_together_are_no_call_each(front: bytes, ending: bytes) -> None:
    def needed(number: int) -> int:
        events = b"event: ping\ndata: x\n\n" * number
        decoder = SSEDecoder()
        decoder.receive_data(b"event: ping\ndata: x\n\n" + front)
        data = (events[len(front) :] + b"event: ping\n").replace(b"\n", ending)
        count = calls(lambda: decoder.receive_data(data))
        assert len(decoder.events_received()) == number + 1
        return count

    assert needed(1_000) == needed(10)
