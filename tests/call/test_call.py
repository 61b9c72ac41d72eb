"""A call from start to end, against scripted peers in virtual time."""

from __future__ import annotations

import itertools
import json

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sansio_claude._call.actions import Connect, Deliver, Done, Receive, Send, Wait
from sansio_claude._call.answer import Wanted
from sansio_claude._call.call import Call
from sansio_claude._call.conversation import LATE_ANSWER
from sansio_claude._call.retry import RetryPolicy
from sansio_claude._call.timeouts import Timeouts
from sansio_claude._connect.proxy import Proxy
from sansio_claude._connect.tls import TLSExchange
from sansio_claude._errors import (
    APIError,
    AuthenticationError,
    ClaudeError,
    ConnectError,
    DeadlineError,
    LimitError,
    LocalProtocolError,
    NotFoundError,
    OverloadedError,
    ProxyError,
    RateLimitError,
    ReadError,
    RemoteProtocolError,
    ServerError,
    TransportError,
    TruncatedError,
    WriteError,
)
from sansio_claude._limits import Limits
from sansio_claude._message.message import Message
from sansio_claude._request.endpoint import RequestHead
from sansio_claude._stream.events import Event, MessageStart, MessageStop
from tests.certificates import client_context
from tests.virtual import (
    CLOSING,
    DELTAS,
    FRAMES,
    GOOD,
    GOOD_BODY,
    GOOD_HEAD,
    MESSAGE,
    OPENING,
    OVERLOADED,
    PING,
    REFUSED,
    RESET,
    SECRET,
    STREAM,
    Outcome,
    Peer,
    Step,
    World,
    answer,
    chunked,
    frame,
    head,
    refusal,
)

BODY = json.dumps(MESSAGE).encode()


def json_answer(body: bytes = BODY, *headers: str) -> bytes:
    return head(200, *headers, framing=f"content-length: {len(body)}") + body


def partial_text(error: ClaudeError | None) -> str | None:
    return None if error is None or error.partial is None else error.partial.text


class TestGoodAnswers:
    def test_the_stream_is_delivered_and_the_connection_kept(self) -> None:
        world = World(GOOD)
        outcome = world.run()
        assert outcome.error is None
        assert outcome.types[0] == "message_start"
        assert outcome.types[-1] == "message_stop"
        assert len(outcome.events) == len(FRAMES)
        assert outcome.call.message is not None
        assert outcome.call.message.to_dict() == MESSAGE
        assert outcome.call.result is outcome.call.message
        assert outcome.call.request_id == "req_1"
        assert outcome.call.message.request_id == "req_1"
        assert outcome.call.response is not None
        assert outcome.call.response.status == 200
        assert outcome.call.stream.state == "complete"
        assert outcome.call.attempts == ()
        assert (world.pool.idle, world.pool.taken) == (1, 0)
        assert [event.kind for event in world.trace] == [
            *("attempt", "connect", "connected", "sent", "first_byte", "head", "first_content", "complete", "done")
        ]

    @given(cuts=st.lists(st.integers(1, len(GOOD) - 1), max_size=8, unique=True))
    def test_any_chunking_gives_the_same(self, cuts: list[int]) -> None:
        edges = [0, *sorted(cuts), len(GOOD)]
        pieces = [GOOD[a:b] for a, b in itertools.pairwise(edges)]
        world = World(Peer(pieces))
        outcome = world.run()
        assert outcome.error is None
        assert outcome.call.message is not None
        assert outcome.call.message.to_dict() == MESSAGE
        assert world.pool.idle == 1

    def test_the_head_alone_is_told_by_an_empty_delivery(self) -> None:
        world = World(Peer([head(), chunked(STREAM)]))
        outcome = world.run()
        first = next(action for action in outcome.actions if isinstance(action, Deliver))
        assert list(first.events) == []

    def test_the_second_request_uses_the_connection_of_the_first(self) -> None:
        world = World(Peer([GOOD, GOOD]))
        assert world.run().error is None
        assert world.run().error is None
        assert len(world.handles) == 1
        assert bytes(world.handles[0].sent).count(b"POST /v1/messages") == 2
        assert "reused" in [event.kind for event in world.trace]

    def test_create_gives_the_message_and_delivers_nothing(self) -> None:
        world = World(Peer([GOOD[:300], GOOD[300:]]))
        outcome = world.run(world.call("message"))
        assert outcome.events == []
        assert isinstance(outcome.call.result, Message)
        assert outcome.call.result.to_dict() == MESSAGE
        assert world.pool.idle == 1

    @pytest.mark.parametrize("wanted", ["message", "whole"])
    def test_a_whole_json_message_is_used(self, wanted: str) -> None:
        world = World(json_answer(b" \xef\xbb\xbf"[1:] + BODY))
        outcome = world.run(world.call(wanted))  # type: ignore[arg-type]
        assert outcome.error is None
        assert isinstance(outcome.call.result, Message)
        assert outcome.call.result.to_dict() == MESSAGE
        assert world.pool.idle == 1

    def test_any_json_object(self) -> None:
        world = World(json_answer(b'{"input_tokens": 12}'))
        outcome = world.run(world.call("json"))
        assert outcome.call.result == {"input_tokens": 12}
        assert outcome.call.message is None

    @pytest.mark.parametrize("kind", ["text/plain", "application/json", None])
    def test_the_content_type_does_not_matter(self, kind: str | None) -> None:
        world = World(answer(STREAM, headers=[] if kind is None else [f"content-type: {kind}"]))
        assert world.run().error is None

    @pytest.mark.parametrize("start", [b"\xef\xbb\xbf", b"\r\n\r\n", b"\n" * 70, b": hello\n\n", b"id: 1\n"])
    def test_what_may_stand_before_the_first_event(self, start: bytes) -> None:
        world = World(
            Peer([head(), *(chunked(start[i : i + 1], last=False) for i in range(len(start))), chunked(STREAM)])
        )
        assert world.run().error is None

    def test_a_large_request_is_written_in_slices(self) -> None:
        world = World(GOOD)
        outcome = world.run(world.call(body=b"x" * 700_000))
        sends = [action for action in outcome.actions if isinstance(action, Send)]
        assert [len(action.data) for action in sends][:2] == [262_144, 262_144]
        assert bytes(world.handles[0].sent).endswith(b"x" * 700_000)
        assert outcome.error is None

    def test_next_action_may_be_asked_again(self) -> None:
        world = World(GOOD)
        call = world.call()
        assert isinstance(call.next_action(0.0), Connect)
        assert isinstance(call.next_action(0.0), Connect)
        world.run(call)
        assert isinstance(call.next_action(0.0), Done)
        assert isinstance(call.next_action(0.0), Done)


class TestDoneMeansDone:
    @pytest.mark.parametrize("end", ["hang", "eof", "reset", b"5\r\nxx", b"zz\r\n"])
    def test_what_happens_behind_message_stop_does_not_matter(self, end: Step) -> None:
        world = World(Peer([head() + chunked(STREAM, last=False), end]))
        outcome = world.run()
        assert outcome.error is None
        assert outcome.types[-1] == "message_stop"
        assert outcome.finished == 1000.0
        assert (world.pool.idle, world.pool.taken, world.handles[0].closed) == (0, 0, 1)
        assert world.now <= 1000.05

    def test_nor_if_it_comes_in_the_same_read(self) -> None:
        world = World(head() + chunked(STREAM, last=False) + b"zz\r\n")
        outcome = world.run()
        assert outcome.error is None
        assert outcome.types[-1] == "message_stop"
        assert world.handles[0].closed == 1

    def test_create_waits_only_a_moment_for_the_end(self) -> None:
        world = World(Peer([head() + chunked(STREAM, last=False), "hang"]))
        outcome = world.run(world.call("message"))
        assert outcome.error is None
        assert world.now == pytest.approx(1000.05)
        assert world.handles[0].closed == 1

    def test_a_late_end_keeps_the_connection(self) -> None:
        world = World(Peer([head() + chunked(STREAM, last=False), (0.01, b"4\r\nabcd\r\n"), (0.01, b"0\r\n\r\n")]))
        assert world.run().error is None
        assert world.pool.idle == 1

    def test_no_other_limit_counts_for_a_late_end(self) -> None:
        steps: list[Step] = [head() + chunked(STREAM, last=False), (0.01, b"0\r\n\r\n")]
        world = World(Peer(steps), timeouts=Timeouts(total=0.005, idle=0.005))
        assert world.run(world.call("message")).error is None
        assert world.pool.idle == 1

    def test_a_connection_that_closes_is_not_waited_for(self) -> None:
        world = World(Peer([head(200, "connection: close") + chunked(STREAM, last=False), "hang"]))
        assert world.run().error is None
        assert world.now == 1000.0
        assert world.handles[0].closed == 1

    def test_bytes_beyond_the_end_poison_the_connection(self) -> None:
        world = World(Peer([GOOD + b"HTTP/1.1 200 OK\r\n"]))
        assert world.run().error is None
        assert (world.pool.idle, world.handles[0].closed) == (0, 1)

    def test_a_stale_connection_is_not_used(self) -> None:
        world = World(GOOD, GOOD)
        world.run()
        world.handles[0].stale = True
        assert world.run().error is None
        assert len(world.handles) == 2
        assert world.handles[0].closed == 1

    def test_a_connection_that_went_stale_between_the_grant_and_its_use(self) -> None:
        world = World(Peer([GOOD_HEAD, GOOD_BODY]), GOOD, max_connections=1)
        first, second = world.call(), world.call()
        world.run(first, leave=False, until=0)
        assert isinstance(second.next_action(world.now), Wait)
        world.run(first)  # hands its connection over
        world.handles[0].stale = True
        second.waited(world.now)
        assert world.run(second).error is None
        assert len(world.handles) == 2

    def test_leaving_early_closes_the_connection(self) -> None:
        world = World(Peer([head(), chunked(*OPENING, last=False)]))
        outcome = world.run(until=1)
        assert (world.pool.idle, world.pool.taken, world.handles[0].closed) == (0, 0, 1)
        done = outcome.call.next_action(world.now)
        assert isinstance(done, Done)
        assert isinstance(done.error, LocalProtocolError)

    def test_closing_drops_events_nobody_asked_for(self) -> None:
        world = World(GOOD)
        call = world.call()
        for _ in range(3):
            world.do(call, call.next_action(world.now))
        call.close(world.now)
        assert isinstance(done := call.next_action(world.now), Done)
        assert done.error is None


class TestCutAnswers:
    @given(cut=st.integers(0, len(GOOD) - 1), reset=st.booleans())
    def test_no_cut_answer_is_taken_for_whole(self, cut: int, reset: bool) -> None:
        world = World(Peer([GOOD[:cut], "reset" if reset else "eof"] if cut else ["reset" if reset else "eof"]))
        outcome = world.run()
        if outcome.error is None:
            assert GOOD[:cut].count(b"message_stop") == 2
            assert outcome.types[-1] == "message_stop"
        else:
            assert isinstance(outcome.error, (TransportError, TruncatedError))
            assert outcome.error.attempts[0].number == 1
            assert len(outcome.error.attempts) == 1
            if "message_start" in outcome.types:
                assert outcome.error.partial is not None
        assert world.pool.taken == 0
        assert world.handles[0].closed == 1

    @pytest.mark.parametrize(
        ("body", "kind"),
        [
            (b"".join(OPENING), TruncatedError),
            (b"", TruncatedError),
            (PING, TruncatedError),
            (b": comment\n\n", TruncatedError),
            (b"   ", TruncatedError),
        ],
    )
    def test_a_clean_end_without_message_stop(self, body: bytes, kind: type[ClaudeError]) -> None:
        world = World(answer(body) if body else answer())
        outcome = world.run()
        assert type(outcome.error) is kind
        assert outcome.error.request_id == "req_1"

    def test_close_delimited(self) -> None:
        world = World(Peer([head(framing=None) + STREAM, "eof"]))
        assert world.run().error is None
        world = World(Peer([head(framing=None) + b"".join(FRAMES[:3]), "eof"]))
        outcome = world.run()
        assert isinstance(outcome.error, TruncatedError)
        assert partial_text(outcome.error) == "Hel"

    def test_a_last_event_without_its_blank_line(self) -> None:
        world = World(Peer([head(framing=None) + STREAM.rstrip(b"\n"), "eof"]))
        outcome = world.run()
        assert outcome.error is None
        assert outcome.types[-1] == "message_stop"
        assert len(outcome.call.stream.deviations) == 1

    def test_the_events_before_the_place_come_first(self) -> None:
        world = World(head() + chunked(*OPENING, *DELTAS, last=False) + b"nonsense\r\n")
        outcome = world.run()
        assert len(outcome.events) == 4
        assert isinstance(outcome.error, RemoteProtocolError)
        assert partial_text(outcome.error) == "Hello"

    def test_every_later_question_gives_the_same_error(self) -> None:
        world = World(Peer([head() + chunked(*OPENING, last=False), "eof"]))
        outcome = world.run()
        again = outcome.call.next_action(world.now)
        assert isinstance(again, Done)
        assert again.error is outcome.error


class TestOtherBodies:
    @pytest.mark.parametrize(
        ("wanted", "body", "words"),
        [
            ("stream", b"<html>", "HTML page"),
            ("message", b"\n <!DOCTYPE html>", "HTML page"),
            ("whole", b"<html>", "HTML page"),
            ("whole", STREAM, "event stream"),
            ("json", STREAM, "event stream"),
            ("stream", b"\x1f\x8b\x08\0\0\0", "gzip"),
            ("whole", b"null", "no object"),
            ("whole", b"12", "no object"),
            ("json", b"[1]", "no object"),
            ("whole", b'{"content": "x"}', "not a list"),
            ("whole", b'{"content": [}', ""),
            ("whole", BODY.decode().encode("utf-16"), ""),
            ("whole", b"", "empty"),
        ],
    )
    def test_refused_in_words(self, wanted: str, body: bytes, words: str) -> None:
        world = World(json_answer(body))
        outcome = world.run(world.call(wanted))  # type: ignore[arg-type]
        assert isinstance(outcome.error, RemoteProtocolError)
        assert words in str(outcome.error)
        assert outcome.error.offset in (None, 0)  # what is refused is the whole body
        assert outcome.call.result is None
        assert outcome.events == []

    def test_a_whole_message_where_a_stream_was_asked_for(self) -> None:
        for step in (len(BODY), 1):
            pieces = [chunked(BODY[at : at + step], last=at + step >= len(BODY)) for at in range(0, len(BODY), step)]
            outcome = World(Peer([head(), *pieces])).run()
            assert outcome.error is None
            assert [type(each) for each in outcome.events[:1] + outcome.events[-1:]] == [MessageStart, MessageStop]
            assert [each.kind for each in outcome.call.stream.deviations] == ["whole_message"]
            assert outcome.call.message is not None
            assert outcome.call.message.to_dict() == MESSAGE

    def test_half_characters_in_whole_answers(self) -> None:
        body = json.dumps({**MESSAGE, "content": [{"type": "text", "text": "x\ud83d"}]}).encode()
        for wanted in ("whole", "message", "stream"):
            world = World(json_answer(body))
            outcome = world.run(world.call(wanted))
            assert outcome.error is None
            assert outcome.call.message is not None
            assert outcome.call.message.text == "x\ufffd"

    @pytest.mark.parametrize("start", [b"\x1f", b"\xef", b"\xef\xbb", b"\xef\xbb\xbf", b" "])
    def test_an_answer_too_short_to_tell(self, start: bytes) -> None:
        world = World(json_answer(start))
        assert isinstance(world.run().error, TruncatedError)

    def test_a_limit_on_whole_answers(self) -> None:
        world = World(Peer([head(), *[chunked(b"{" + b" " * 99, last=False)] * 30]), limits=Limits(message=1000))
        error = world.run(world.call("whole")).error
        assert isinstance(error, LimitError)
        assert (error.limit, error.value) == ("message", 1000)

    def test_an_error_object_under_status_200(self) -> None:
        body = b'{"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}'
        world = World(json_answer(body))
        error = world.run().error
        assert isinstance(error, OverloadedError)
        assert error.status == 200

    def test_a_whole_answer_that_is_cut(self) -> None:
        world = World(Peer([json_answer()[:-5], "eof"]))
        assert isinstance(world.run(world.call("whole")).error, TruncatedError)


class TestRefusals:
    @pytest.mark.parametrize(
        ("status", "kind", "cls"),
        [
            (401, "authentication_error", AuthenticationError),
            (404, "not_found_error", NotFoundError),
            (500, "api_error", ServerError),
            (529, "overloaded_error", OverloadedError),
        ],
    )
    def test_by_status_and_type(self, status: int, kind: str, cls: type[APIError]) -> None:
        world = World(refusal(status, kind, "retry-after: 7"))
        error = world.run().error
        assert type(error) is cls
        assert isinstance(error, APIError)
        assert (error.status, error.type, error.request_id, error.retry_after) == (status, kind, "req_1", 7.0)
        assert error.attempts[0].status == status
        assert world.pool.idle == 1

    @pytest.mark.parametrize(
        ("body", "words"),
        [
            (b"<html><head><title>502 Bad\n Gateway</title></head>", "502 Bad Gateway"),
            (b"<html>", "HTML page"),
            (b"upstream  connect error\n", "upstream connect error"),
            (b"", "no message"),
            (b"\0\1", "no message"),
            (b"[]", "no message"),
            (b'{"error": "as a string"}', "as a string"),
        ],
    )
    def test_any_error_body(self, body: bytes, words: str) -> None:
        world = World(head(502, framing=f"content-length: {len(body)}") + body)
        error = world.run().error
        assert isinstance(error, ServerError)
        assert words in str(error)
        assert error.body == body

    @pytest.mark.parametrize("end", ["eof", "reset", "hang", b"zz\r\n"])
    def test_the_status_counts_even_if_the_body_breaks(self, end: Step) -> None:
        world = World(Peer([head(403) + chunked(b'{"error"', last=False), end]))
        error = world.run().error
        assert isinstance(error, APIError)
        assert (error.status, error.body) == (403, b'{"error"')
        assert world.now <= 1005.0
        assert world.handles[0].closed == 1

    def test_an_endless_body_is_cut(self) -> None:
        world = World(Peer([head(400), *[chunked(b"x" * 900, last=False)] * 5]), limits=Limits(error_body=2000))
        error = world.run().error
        assert isinstance(error, APIError)
        assert error.body == b"x" * 2000

    def test_no_body(self) -> None:
        world = World(head(204, framing=None))
        error = world.run().error
        assert isinstance(error, APIError)
        assert error.status == 204

    @pytest.mark.parametrize(
        ("location", "words"),
        [
            ("https://user:pw@other.test:8443/path?x=1#f", "leads to https://other.test:8443;"),
            ("http://[::1]/", "leads to http://[::1];"),
            ("//other.test/x", "leads to https://other.test;"),
            ("/v2/messages", "another path of the same server"),
            ("file:///etc/passwd", "cannot be used"),
            ("mailto:someone", "not http"),
            ("http://[broken", "cannot be used"),
            ("ht!tp://%%%", "another path"),
            (None, "names no address"),
        ],
    )
    def test_redirects_are_told_by_origin_only(self, location: str | None, words: str) -> None:
        headers = [] if location is None else [f"location: {location}"]
        world = World(head(307, *headers, framing="content-length: 0"))
        error = world.run().error
        assert type(error) is APIError
        assert words in str(error)
        assert "path?x" not in str(error)
        assert "pw" not in str(error)


class TestStreamErrors:
    def test_in_the_middle(self) -> None:
        world = World(answer(*OPENING, OVERLOADED), max_retries=2)
        outcome = world.run()
        assert outcome.types == ["message_start", "content_block_start", "error"]
        assert isinstance(outcome.error, OverloadedError)
        assert outcome.error.status == 200
        assert outcome.error.request_id == "req_1"
        assert len(outcome.error.attempts) == 1

    @pytest.mark.parametrize("before", [b"", PING])
    def test_before_anything_was_delivered(self, before: bytes) -> None:
        bad = Peer([head(), chunked(before, last=False)] if before else [head()])
        bad.steps += [chunked(OVERLOADED), GOOD]
        world = World(bad, max_retries=1)
        outcome = world.run()
        assert outcome.error is None
        assert [kind for kind in outcome.types if kind != "ping"] == [
            json.loads(each.split(b"data: ")[1])["type"] for each in FRAMES
        ]

    def test_is_delivered_when_nothing_is_left_to_try(self) -> None:
        world = World(answer(OVERLOADED))
        outcome = world.run()
        assert outcome.types == ["error"]
        assert isinstance(outcome.error, OverloadedError)

    def test_create_tries_again_even_after_text(self) -> None:
        world = World(Peer([answer(*OPENING, *DELTAS, OVERLOADED), GOOD]), max_retries=1)
        outcome = world.run(world.call("message"))
        assert outcome.error is None
        assert isinstance(outcome.call.result, Message)
        assert outcome.call.result.to_dict() == MESSAGE

    def test_create_does_not_repeat_a_cut(self) -> None:
        world = World(Peer([head() + chunked(*OPENING, last=False), "eof"]), max_retries=2)
        outcome = world.run(world.call("message"))
        assert isinstance(outcome.error, TruncatedError)
        assert len(outcome.error.attempts) == 1

    def test_x_should_retry_wins(self) -> None:
        world = World(answer(OVERLOADED, headers=["x-should-retry: false"]), max_retries=2)
        assert isinstance(world.run().error, OverloadedError)
        invalid = frame({"type": "error", "error": {"type": "invalid_request_error", "message": "no"}})
        world = World(Peer([answer(invalid, headers=["x-should-retry: true"]), GOOD]), max_retries=2)
        assert world.run().error is None

    def test_broken_events_are_not_tried_again(self) -> None:
        world = World(answer(b"event: message_start\ndata: {]\n\n"), max_retries=2)
        outcome = world.run()
        assert isinstance(outcome.error, RemoteProtocolError)
        assert len(outcome.error.attempts) == 1

    def test_strict(self) -> None:
        done = b"data: [DONE]\n\n"
        assert World(answer(done, STREAM)).run().error is None
        assert isinstance(World(answer(done, STREAM), strict=True).run().error, RemoteProtocolError)


class TestRetries:
    @pytest.mark.parametrize(
        "bad",
        [
            Peer(connects=REFUSED),
            Peer(connects="hang"),
            Peer(["eof"]),
            Peer(["reset"]),
            Peer(["eof"], sends=[RESET]),
            Peer(["hang"], sends=[RESET]),
            Peer([refusal(500)]),
            Peer([refusal(429, "rate_limit_error", "retry-after: 0")]),
            Peer([refusal(409, "conflict_error", "retry-after: nan")]),
            Peer([head(503) + chunked(b"<html>")]),
        ],
        ids=lambda peer: repr(peer)[:60],
    )
    def test_what_is_tried_again(self, bad: Peer) -> None:
        def fresh() -> Peer:
            return Peer(list(bad.steps), bad.connects, sends=bad.sends)

        assert isinstance(World(fresh()).run().error, (TransportError, APIError))
        world = World(fresh(), GOOD, max_retries=1)
        if bad.steps and isinstance(bad.steps[0], bytes):
            world.peers[0].steps.append(GOOD)  # such an answer keeps the connection
        outcome = world.run()
        assert outcome.error is None
        assert [attempt.number for attempt in outcome.call.attempts] == [1]
        assert outcome.call.attempts[0].wait is not None
        kinds = [event.kind for event in world.trace]
        assert kinds.index("failed") < kinds.index("retry") < len(kinds) - kinds[::-1].index("attempt")

    @pytest.mark.parametrize(
        "bad",
        [
            Peer(connects=UnicodeError("label too long")),
            Peer(["hang"]),
            Peer(["hang"], sends=["hang"]),
            Peer([head(100, framing=None), "eof"]),
            Peer([b"HTTP/1.1 2", "reset"]),
            Peer([b"SSH-2.0-OpenSSH\r\n"]),
            Peer([refusal(400, "invalid_request_error")]),
            Peer([refusal(529, "overloaded_error", "x-should-retry: false")]),
            Peer([refusal(429, "rate_limit_error", "retry-after: 61")]),
        ],
        ids=lambda peer: repr(peer)[:60],
    )
    def test_what_is_not(self, bad: Peer) -> None:
        outcome = World(bad, max_retries=2).run()
        assert outcome.error is not None
        assert len(outcome.error.attempts) == 1
        assert outcome.error.attempts[0].wait is None

    def test_a_spend_cap_is_not(self) -> None:
        body = {
            "type": "error",
            "error": {
                "type": "rate_limit_error",
                "message": "cap",
                "details": {"error_code": "enforced_spend_limit_reached"},
            },
        }
        raw = json.dumps(body).encode()
        outcome = World(head(429, framing=f"content-length: {len(raw)}") + raw, max_retries=2).run()
        assert isinstance(outcome.error, RateLimitError)
        assert len(outcome.error.attempts) == 1

    def test_backoff_and_its_end(self) -> None:
        world = World(*[Peer(connects=REFUSED)] * 3, max_retries=2)
        outcome = world.run()
        assert isinstance(outcome.error, ConnectError)
        assert outcome.error.__cause__ is REFUSED
        assert [attempt.wait for attempt in outcome.error.attempts] == [0.5, 1.0, None]
        assert world.now == 1001.5
        assert outcome.call.attempts == outcome.error.attempts

    def test_retry_after_is_obeyed(self) -> None:
        world = World(Peer([refusal(503, "api_error", "retry-after-ms: 1500"), GOOD]), max_retries=1)
        assert world.run().error is None
        assert world.now == 1001.5

    def test_a_date(self) -> None:
        peer = Peer([refusal(503, "api_error", "retry-after: Tue, 14 Nov 2023 22:13:40 GMT"), GOOD])
        world = World(peer, max_retries=1)
        assert world.run().error is None
        assert world.now == 1020.0

    def test_no_wait_beyond_the_total(self) -> None:
        world = World(*[Peer(connects=REFUSED)] * 2, max_retries=5, timeouts=Timeouts(total=1.2))
        outcome = world.run()
        assert isinstance(outcome.error, ConnectError)
        assert [attempt.wait for attempt in outcome.error.attempts] == [0.5, None]

    def test_a_stale_connection_is_replaced_without_a_wait(self) -> None:
        world = World(Peer([GOOD, "reset"]), Peer([GOOD]), max_retries=1)
        world.run()
        outcome = world.run()
        assert outcome.error is None
        assert world.now == 1000.0
        assert outcome.call.attempts[0].reused
        assert outcome.call.attempts[0].wait == 0.0

    @pytest.mark.parametrize(("seconds", "waits"), [(0.9, False), (1.1, True)])
    def test_one_that_breaks_after_a_while_is_not_taken_for_stale(self, seconds: float, waits: bool) -> None:
        world = World(Peer([GOOD, (seconds, b""), "reset"]), GOOD, max_retries=1, chance=0.5)
        world.run()
        outcome = world.run()
        assert outcome.error is None
        assert outcome.call.attempts[0].wait is not None
        assert (outcome.call.attempts[0].wait > 0) == waits

    def test_the_next_one_is_fresh_even_if_others_are_idle(self) -> None:
        world = World(Peer([GOOD_HEAD, GOOD_BODY, "eof"]), Peer([GOOD, "eof"]), GOOD, max_retries=1)
        first, second = world.call(), world.call()
        world.run(first, until=0, leave=False)
        world.run(second)
        world.run(first)
        assert world.pool.idle == 2
        assert world.run().error is None
        assert len(world.handles) == 3

    def test_with_retries_off_it_is_an_error(self) -> None:
        world = World(Peer([GOOD, "reset"]))
        world.run()
        error = world.run().error
        assert isinstance(error, ReadError)
        assert error.attempts[0].reused

    def test_other_calls_may_use_the_place_during_backoff(self) -> None:
        world = World(Peer(connects=REFUSED), GOOD, GOOD, max_retries=1, max_connections=1)
        call = world.call()
        while not isinstance(call.next_action(world.now), Wait):
            world.do(call, call.next_action(world.now))
        assert world.run().error is None
        world.now += 60
        assert world.run(call).error is None

    def test_a_deadline_report_ends_a_backoff_too(self) -> None:
        world = World(Peer(connects=REFUSED), GOOD, max_retries=1)
        call = world.call()
        while not isinstance(call.next_action(world.now), Wait):
            world.do(call, call.next_action(world.now))
        call.deadline_passed(world.now)
        assert isinstance(call.next_action(world.now), Connect)


class TestDeadlines:
    def fails(self, world: World, name: str, at: float, **options: object) -> Outcome:
        outcome = world.run(**options)  # type: ignore[arg-type]
        assert isinstance(outcome.error, DeadlineError)
        assert isinstance(outcome.error, TimeoutError)
        assert outcome.error.deadline == name
        assert f"Timeouts.{name}" in str(outcome.error)
        assert outcome.error.seconds == getattr(world.settings.timeouts, name)
        assert world.now == pytest.approx(1000.0 + at)
        assert world.pool.taken == 0
        return outcome

    def test_connect(self) -> None:
        self.fails(World(Peer(connects="hang")), "connect", 10)

    def test_write(self) -> None:
        self.fails(World(Peer(sends=["hang"])), "write", 60 + LATE_ANSWER)

    def test_each_slice_has_its_time(self) -> None:
        world = World(Peer(sends=[True, "hang"]))
        self.fails(world, "write", 60 + LATE_ANSWER, call=world.call(body=b"x" * 400_000))

    def test_first_byte(self) -> None:
        self.fails(World(Peer(["hang"])), "first_byte", 600)

    def test_1xx_and_dripped_heads_do_not_start_it_again(self) -> None:
        drip = [(100.0, head(100, framing=None))] * 10
        self.fails(World(Peer(drip)), "first_byte", 600)
        drip = [(100.0, bytes([byte])) for byte in head()]
        self.fails(World(Peer(drip)), "first_byte", 600)

    def test_a_head_that_pauses(self) -> None:
        self.fails(World(Peer([(5, b"HTTP/1.1 200 OK\r\n"), "hang"])), "idle", 125)

    def test_a_1xx_answer_may_be_followed_by_a_long_silence(self) -> None:
        assert World(Peer([head(100, framing=None), (500, GOOD)])).run().error is None

    def test_idle(self) -> None:
        world = World(
            Peer([head() + chunked(*OPENING, DELTAS[0], last=False), (119, chunked(PING, last=False)), "hang"])
        )
        outcome = self.fails(world, "idle", 239)
        assert partial_text(outcome.error) == "Hel"

    def test_any_byte_counts_for_idle(self) -> None:
        drip = [(100.0, bytes([byte])) for byte in b"5\r\n: hi\n"[:4]]
        world = World(Peer([head(), *drip, "hang"]))
        self.fails(world, "idle", 520)

    def test_progress_does_not_count_pings_comments_and_pieces(self) -> None:
        world = World(Peer([head(), *[(50.0, chunked(PING, b": hello\n\n", last=False))] * 30]))
        self.fails(world, "progress", 600)

    def test_progress_counts_events(self) -> None:
        body = [(500.0, chunked(each, last=False)) for each in FRAMES]
        assert World(Peer([head(), *body, chunked()]), timeouts=Timeouts(idle=None)).run().error is None

    def test_a_dripped_json_body(self) -> None:
        drip = [(10.0, bytes([byte])) for byte in json_answer()[-200:]]
        world = World(Peer([json_answer()[:-200], *drip]))
        self.fails(world, "progress", 600, call=world.call("whole"))

    def test_total(self) -> None:
        world = World(
            Peer([head(), *[(50.0, chunked(each, last=False)) for each in FRAMES]]), timeouts=Timeouts(total=120)
        )
        outcome = self.fails(world, "total", 120)
        assert outcome.types == ["message_start", "content_block_start"]

    @pytest.mark.parametrize("until", range(1, len(FRAMES)))
    def test_the_consumers_time_is_not_the_peers(self, until: int) -> None:
        world = World(Peer([head(), *[(100.0, chunked(each, last=False)) for each in FRAMES], chunked()]))
        call = world.call()
        world.run(call, leave=False, until=until)
        world.now += 5_000.0
        outcome = world.run(call)
        assert outcome.error is None
        assert outcome.finished == 1000.0 + 5_000.0 + 100.0 * len(FRAMES)

    def test_asking_again_gives_the_same_and_no_more_time(self) -> None:
        world = World(Peer([head(), chunked(*OPENING, last=False), "hang"]))
        call = world.call()
        world.run(call, leave=False, until=2)
        world.now += 50.0
        first = world.ask(call)
        assert isinstance(first, Receive)
        world.now += 5.0
        again = world.ask(call)
        assert isinstance(again, Receive)
        assert again.deadline == first.deadline

    def test_but_the_total_goes_on_and_so_does_silence_afterwards(self) -> None:
        def busy(seconds: float, timeouts: Timeouts) -> World:
            world = World(Peer([head(), (10.0, chunked(*OPENING, last=False)), "hang"]), timeouts=timeouts)
            call = world.call()
            world.run(call, leave=False, until=2)
            world.now += seconds
            outcome = world.run(call)
            assert isinstance(outcome.error, DeadlineError)
            world.now -= 1010.0
            assert outcome.error.deadline in ("idle", "total")
            return world

        for seconds in (0.0, 1.0, 100.0, 119.0, 121.0, 5_000.0):
            assert busy(seconds, Timeouts()).now == pytest.approx(seconds + 120.0)
        assert busy(5_000.0, Timeouts(total=600.0)).now == pytest.approx(5_000.0)

    @pytest.mark.parametrize("wanted", ["stream", "message"])
    @pytest.mark.parametrize("bytes_", [chunked(DELTAS[0], last=False), chunked(PING, last=False), b"5"])
    def test_bytes_that_come_too_late_do_not_stop_the_clock(self, wanted: Wanted, bytes_: bytes) -> None:
        """A peer that never pauses is always read before anybody looks at the time."""
        world = World(Peer([head(), chunked(*OPENING, last=False), "hang"]), timeouts=Timeouts(total=50.0))
        call = world.call(wanted)
        while not call.message:
            world.do(call, call.next_action(world.now))
        while isinstance(action := call.next_action(world.now), Deliver):
            pass
        assert isinstance(action, Receive)
        late = action.deadline + 1.0
        call.receive_data(bytes_, late)
        end = call.next_action(late)
        while isinstance(end, Deliver):
            end = call.next_action(late)
        assert isinstance(end, Done)
        assert isinstance(end.error, DeadlineError)
        assert end.error.deadline == "total"
        assert world.pool.taken == 0

    def test_nor_those_behind_the_end_of_a_message(self) -> None:
        late = (0.06, chunked(PING, last=False))
        world = World(Peer([GOOD_HEAD + chunked(STREAM, last=False), chunked(PING, last=False), late, late]))
        outcome = world.run()
        assert outcome.error is None
        assert world.now <= 1000.0 + 0.06
        assert world.handles[0].closed == 1

    @pytest.mark.parametrize("steps", range(7))
    def test_nothing_is_begun_once_the_total_has_passed(self, steps: int) -> None:
        """An action that can be done at once, such as a write into an empty buffer, never meets its deadline."""
        world = World(Peer([head(), chunked(*FRAMES)]), timeouts=Timeouts(total=float(steps)))
        call = world.call("message")
        now = world.now
        kinds: list[str] = []
        while not isinstance(action := call.next_action(now), Done):
            kinds.append(type(action).__name__)
            now += 1.0
            if isinstance(action, Connect):
                call.connected(object(), now)
            elif isinstance(action, Send):
                call.sent(now)
            elif isinstance(action, Receive):
                call.receive_data(head(), now)
                break
        if steps < 3:
            assert kinds == ["Connect", "Send"][:steps]
            assert isinstance(action, Done)
            assert isinstance(action.error, DeadlineError)
            assert action.error.deadline == "total"
        else:
            assert kinds == ["Connect", "Send", "Receive"]
        call.abandon()
        assert world.pool.taken == 0

    def test_total_is_not_tried_again(self) -> None:
        world = World(Peer(connects="hang"), max_retries=3, timeouts=Timeouts(total=5))
        outcome = self.fails(world, "total", 5)
        assert outcome.error is not None
        assert len(outcome.error.attempts) == 1

    def test_pool(self) -> None:
        world = World(Peer([head(), "hang"]), max_connections=1)
        first = world.call()
        world.run(first, leave=False, until=0)
        outcome = world.run()
        assert isinstance(outcome.error, DeadlineError)
        assert outcome.error.deadline == "pool"
        assert world.now == 1060
        assert (world.pool.taken, world.pool.waiting) == (1, 0)

    def busy(self, world: World, seconds: float) -> Outcome:
        """A consumer that takes its time with every event."""
        call = world.call()
        events: list[Event] = []
        while not isinstance(action := call.next_action(world.now), Done):
            if isinstance(action, Deliver):
                events += action.events
                world.now += seconds
            else:
                world.do(call, action)
        world.close_discarded()
        return Outcome(events, action.error, call, [], world.now)

    def test_a_busy_consumer_costs_the_peer_no_time(self) -> None:
        body = [(100.0, chunked(each, last=False)) for each in FRAMES]
        world = World(Peer([(100, head()), *body, chunked()]), timeouts=Timeouts(idle=120, progress=150))
        outcome = self.busy(world, 10_000)
        assert outcome.error is None
        assert len(outcome.events) == len(FRAMES)

    def test_nor_does_it_hide_a_silent_one(self) -> None:
        world = World(Peer([head(), chunked(FRAMES[0], last=False), "hang"]))
        outcome = self.busy(world, 10_000)
        assert isinstance(outcome.error, DeadlineError)
        assert outcome.error.deadline == "idle"
        assert world.now == pytest.approx(1000 + 2 * 10_000 + 120)

    def test_the_total_goes_on(self) -> None:
        world = World(Peer([head(), *[chunked(each, last=False) for each in FRAMES]]), timeouts=Timeouts(total=25))
        outcome = self.busy(world, 10)
        assert isinstance(outcome.error, DeadlineError)
        assert outcome.error.deadline == "total"

    @pytest.mark.parametrize("name", ["total", "progress"])
    @pytest.mark.parametrize("wanted", ["stream", "message"])
    def test_a_flood_does_not_outrun_them(self, name: str, wanted: Wanted) -> None:
        """There is always something to read, so that no read ever waits until its deadline."""
        piece = chunked(DELTAS[0], last=False) if name == "total" else chunked(PING, last=False)
        world = World(Peer([head(), chunked(*OPENING, last=False)]), timeouts=Timeouts(**{name: 5.0}))
        call = world.call(wanted)
        for _ in range(300):
            action = call.next_action(world.now)
            if isinstance(action, Done):
                break
            if isinstance(action, Receive) and not call.handle.peer.steps:
                call.receive_data(piece, world.now)
                world.now += 0.1
            else:
                world.do(call, action)
        assert isinstance(action, Done)
        assert isinstance(action.error, DeadlineError)
        assert action.error.deadline == name

    def test_none_switches_them_off(self) -> None:
        off = Timeouts(pool=None, connect=None, tls=None, write=None, first_byte=None, idle=None, progress=None)
        slow = Peer([(1e6, head()), (1e6, chunked(STREAM))], delay=1e6)
        assert World(slow, timeouts=off).run().error is None


class TestWriting:
    def test_an_answer_that_comes_before_the_request_is_written(self) -> None:
        world = World(Peer([refusal(413, "request_too_large")], sends=[RESET]))
        error = world.run().error
        assert isinstance(error, APIError)
        assert error.status == 413
        assert world.handles[0].closed == 1

    @pytest.mark.parametrize("size", [2, 400_000])
    def test_an_answer_of_a_server_that_takes_no_more_of_the_request(self, size: int) -> None:
        world = World(Peer([refusal(413, "request_too_large")], sends=[size == 2 and "hang", "hang"]))
        outcome = world.run(world.call(body=b"x" * size))
        assert isinstance(outcome.error, APIError)
        assert outcome.error.status == 413
        assert len(outcome.error.attempts) == 1
        assert world.handles[0].closed == 1

    @pytest.mark.parametrize("end", ["eof", "reset", "hang"])
    def test_no_answer_behind_a_write_that_hangs(self, end: str) -> None:
        world = World(Peer([end], sends=["hang"]), Peer([GOOD]), max_retries=1)
        error = world.run().error
        assert isinstance(error, DeadlineError)
        assert error.deadline == "write"
        assert len(error.attempts) == 1

    def test_a_whole_answer_behind_a_write_that_hangs_is_used_but_not_the_connection(self) -> None:
        world = World(Peer([GOOD], sends=["hang"]))
        assert world.run().error is None
        assert world.pool.idle == 0

    @pytest.mark.parametrize("end", ["eof", "reset", "hang"])
    def test_no_answer_behind_a_broken_write(self, end: str) -> None:
        world = World(Peer([end], sends=[RESET]))
        error = world.run().error
        assert isinstance(error, WriteError)
        assert error.__cause__ is RESET
        assert world.now <= 1001

    def test_a_whole_answer_behind_a_broken_write_is_used_but_not_the_connection(self) -> None:
        world = World(Peer([GOOD], sends=[RESET]))
        assert world.run().error is None
        assert world.pool.idle == 0


class TestPool:
    def test_calls_wait_in_a_row(self) -> None:
        world = World(Peer([GOOD_HEAD, GOOD_BODY, GOOD, GOOD]), max_connections=1)
        calls = [world.call() for _ in range(3)]
        woken: list[int] = []
        world.run(calls[0], leave=False, until=0)
        for number in (1, 2):
            assert isinstance(calls[number].next_action(world.now), Wait)
            calls[number].on_wake(lambda number=number: woken.append(number))  # type: ignore[misc]
        assert world.pool.waiting == 2
        world.run(calls[0])
        assert woken == [1]
        calls[1].waited(world.now)
        world.run(calls[1])
        assert woken == [1, 2]
        calls[2].waited(world.now)
        assert world.run(calls[2]).error is None
        assert len(world.handles) == 1

    def test_giving_up_while_waiting(self) -> None:
        world = World(Peer([head()]), max_connections=1)
        world.run(world.call(), leave=False, until=0)
        waiting = world.call()
        assert isinstance(waiting.next_action(world.now), Wait)
        seen = [waiting.holds_place]
        waiting.abandon()
        waiting.abandon()
        seen.append(waiting.holds_place)
        assert seen == [True, False]
        assert world.pool.waiting == 0

    def test_a_closed_client(self) -> None:
        world = World(Peer([head()]), max_connections=1)
        world.run(world.call(), leave=False, until=0)
        waiting = world.call()
        waiting.next_action(world.now)
        world.pool.close()
        done = waiting.next_action(world.now)
        assert isinstance(done, Done)
        assert isinstance(done.error, LocalProtocolError)
        assert isinstance(world.run().error, LocalProtocolError)

    def test_on_wake_without_a_wait_does_nothing(self) -> None:
        world = World()
        world.call().on_wake(lambda: None)


class TestMisuse:
    def test_reports_that_nobody_asked_for(self) -> None:
        world = World(GOOD)
        call = world.call()
        with pytest.raises(LocalProtocolError):
            call.sent(0.0)
        assert isinstance(call.next_action(world.now), Connect)
        with pytest.raises(LocalProtocolError):
            call.sent(world.now)
        with pytest.raises(LocalProtocolError):
            call.receive_data(b"x", world.now)
        with pytest.raises(LocalProtocolError):
            call.receive_eof(world.now)
        assert world.run(call).error is None

    def test_abandoning_at_every_step(self) -> None:
        steps = 0
        while True:
            world = World(Peer([head(), chunked(*OPENING, last=False), chunked(*DELTAS, *CLOSING)]))
            call = world.call()
            for _ in range(steps):
                action = call.next_action(world.now)
                if isinstance(action, Done):
                    break
                world.do(call, action)
            call.abandon()
            world.close_discarded()
            assert world.pool.taken == 0
            assert sum(handle.closed for handle in world.handles) + world.pool.idle == len(world.handles)
            if isinstance(action := call.next_action(world.now), Done) and action.error is None:
                break
            steps += 1
        assert steps > 4

    def test_abandoning_what_is_whole(self) -> None:
        world = World(Peer([GOOD_HEAD + GOOD_BODY[:-5]]))
        call = world.call()
        world.run(call, leave=False)
        call.abandon()
        world.close_discarded()
        assert world.handles[0].closed == 1
        assert isinstance(done := call.next_action(world.now), Done)
        assert done.error is None

    def test_what_is_over_keeps_neither_request_nor_connection(self) -> None:
        for peer in (Peer([GOOD]), Peer([GOOD_HEAD, GOOD_BODY]), Peer([GOOD_HEAD, "eof"])):
            world = World(peer)
            call = world.run(world.call(body=b"x" * 1000)).call
            assert call._body == b""
            assert call.handle is None
            assert call._conversation is None
        world = World(Peer([GOOD]), max_connections=1, max_retries=1)
        first, call = world.call(), world.call(body=b"x" * 1000)
        assert isinstance(world.ask(first), Connect)
        assert isinstance(world.ask(call), Wait)
        call.abandon()
        assert isinstance(world.ask(call), Done)
        assert call._body == b""

    @pytest.mark.parametrize(
        ("wanted", "streamed"), [("stream", True), ("message", True), ("whole", False), ("json", False)]
    )
    def test_an_onlooker_is_told_whether_a_stream_was_asked_for(self, wanted: Wanted, streamed: bool) -> None:
        world = World(GOOD if streamed else json_answer())
        assert world.run(world.call(wanted)).error is None
        assert {event.streamed for event in world.trace} == {streamed}

    @pytest.mark.parametrize(("host", "place"), [("api.test", "api.test:80"), ("::1", "[::1]:80")])
    def test_an_error_names_the_place_as_a_url_does(self, host: str, place: str) -> None:
        error = World(Peer(connects=REFUSED)).run(World().call(host=host)).error
        assert error is not None
        assert f" to {place}: " in str(error)

    def test_a_line_for_a_log_has_our_words_and_not_the_servers(self) -> None:
        refused = World(refusal(400, "invalid_request_error", message="Your text was: SECRET"))
        refused.run()
        assert str(refused.trace[-1]).endswith("done, status 400, req_1, InvalidRequestError: invalid_request_error")
        broken = World(Peer(connects=REFUSED))
        broken.run()
        assert str(broken.trace[-1]).endswith(
            "done, ConnectError: could not connect to api.test:80: Connection refused"
        )

    def test_without_an_onlooker(self) -> None:
        world = World(GOOD)
        world.settings = attrs.evolve(world.settings, trace=None)
        assert world.run().error is None
        assert world.trace == []

    def test_https_needs_tls(self) -> None:
        with pytest.raises(LocalProtocolError, match="TLS"):
            World().call(tls=True)

    def test_a_request_that_is_not_legal_http(self) -> None:
        world = World()
        bad = RequestHead(
            method=b"POST", host="h", port=1, tls=False, target=b"/", headers=((b"x", b"a\r\nb"),), secrets=()
        )
        with pytest.raises(LocalProtocolError):
            Call(bad, b"", wanted="stream", pool=world.pool, settings=world.settings)


class TestSecrets:
    @pytest.mark.parametrize("wanted", ["stream", "message", "whole"])
    @pytest.mark.parametrize(
        "raw",
        [
            refusal(401, "authentication_error", message=f"the key {SECRET} is wrong"),
            b"HTTP/1.1 500 X\r\nrequest-id: "
            + SECRET.encode()
            + b"\r\ntransfer-encoding: chunked\r\n\r\n"
            + chunked(f"<title>{SECRET}</title>".encode()),
            head(400) + chunked(f'{{"error": {{"type": "{SECRET}", "details": ["{SECRET}"]}}}}'.encode()),
            f"HTTP/1.1 200 OK\r\n{SECRET}\r\n\r\n".encode(),
            f"{SECRET} what?\r\n\r\n".encode(),
            answer(f"event: message_start\ndata: {SECRET}\n\n".encode()),
            answer(f"<html>{SECRET}".encode()),
            head(302, f"location: https://{SECRET}.test/", framing="content-length: 0"),
        ],
        ids=range(8),
    )
    def test_no_error_shows_the_key(self, wanted: str, raw: bytes) -> None:
        world = World(raw)
        outcome = world.run(world.call(wanted))  # type: ignore[arg-type]
        error: BaseException | None = outcome.error
        assert isinstance(error, ClaudeError)
        assert SECRET not in f"{outcome.call.request_id} {outcome.call.response!r}"
        seen = 0
        while error is not None:
            shown = f"{error} {error!r} {vars(error)!r}"
            assert SECRET not in shown
            assert SECRET[:12] not in shown
            error = error.__cause__ or error.__context__
            seen += 1
        assert seen
        assert all(SECRET not in repr(event) for event in world.trace)


class TestProxies:
    PROXY = Proxy(host="proxy.test", port=3128, authorization=b"Basic c2VjcmV0OnNlY3JldA==", secrets=("c2VjcmV0",))
    OPEN = b"HTTP/1.1 200 Connection established\r\n\r\n"

    def test_through_a_tunnel(self) -> None:
        world = World(Peer([self.OPEN, GOOD, GOOD]), proxy=self.PROXY)
        assert world.run().error is None
        assert world.places == [("proxy.test", 3128)]
        sent = bytes(world.handles[0].sent)
        assert sent.startswith(b"CONNECT api.test:80 HTTP/1.1\r\nHost: api.test:80\r\nProxy-Authorization: Basic c2Vj")
        assert sent.count(b"POST /v1/messages") == 1
        assert world.run().error is None
        assert bytes(world.handles[0].sent).count(b"CONNECT") == 1

    def test_an_answer_in_pieces(self) -> None:
        world = World(Peer([self.OPEN[:10], self.OPEN[10:], GOOD]), proxy=self.PROXY)
        assert world.run().error is None

    @pytest.mark.parametrize(
        ("peer", "status"),
        [
            (Peer([b"HTTP/1.1 407 No\r\n\r\n"]), 407),
            (Peer([b"HTTP/1.1 502 Bad\r\nContent-Type: text/html\r\n\r\n<html>"]), 502),
            (Peer([b"garbage\r\n\r\n"]), None),
            (Peer(["eof"]), None),
            (Peer(["reset"]), None),
            (Peer(sends=[RESET]), None),
            (Peer(connects=REFUSED), None),
            (Peer([OPEN + b"x"]), None),
        ],
        ids=range(8),
    )
    def test_its_own_errors(self, peer: Peer, status: int | None) -> None:
        world = World(peer, proxy=self.PROXY)
        error = world.run().error
        assert isinstance(error, ProxyError)
        assert error.status == status
        assert "proxy.test:3128" in str(error)
        assert world.pool.taken == 0

    @pytest.mark.parametrize(
        ("peer", "attempts"),
        [
            (Peer([b"HTTP/1.1 407 No\r\n\r\n"]), 1),
            (Peer([b"HTTP/1.1 503 No\r\n\r\n"]), 2),
            (Peer([b"HTTP/1.1 429 No\r\n\r\n"]), 2),
            (Peer(connects=REFUSED), 2),
            (Peer(["eof"]), 2),
            (Peer([b"garbage"]), 1),
        ],
        ids=range(6),
    )
    def test_which_are_tried_again(self, peer: Peer, attempts: int) -> None:
        world = World(peer, Peer(connects=UnicodeError("x")), proxy=self.PROXY, max_retries=2)
        error = world.run().error
        assert error is not None
        assert len(error.attempts) == attempts

    def test_the_tunnel_counts_for_connect(self) -> None:
        world = World(Peer(["hang"], delay=4), proxy=self.PROXY)
        error = world.run().error
        assert isinstance(error, DeadlineError)
        assert error.deadline == "connect"
        assert world.now == 1010

    @pytest.mark.parametrize(
        ("peer", "words"),
        [
            (Peer(connects="hang"), "no connection to the proxy proxy.test:3128 within"),
            (Peer(["hang"]), "no connection to api.test:443 through the proxy proxy.test:3128 within"),
            (Peer([OPEN, "hang"]), "TLS handshake with api.test:443 through the proxy proxy.test:3128 was not done"),
        ],
        ids=["connect", "tunnel", "tls"],
    )
    def test_a_deadline_names_whom_it_waited_for(self, peer: Peer, words: str) -> None:
        world = World(peer, proxy=self.PROXY, tls=lambda name: TLSExchange(client_context(), name))
        error = world.run(world.call(tls=True)).error
        assert isinstance(error, DeadlineError)
        assert words in str(error)


@pytest.mark.parametrize("retries", [0, 3])
def test_the_policy_is_asked_with_chance(retries: int) -> None:
    policy = RetryPolicy(max_retries=retries, initial=1.0, ceiling=2.0, jitter=0.5)
    world = World(*[Peer(connects=REFUSED)] * (retries + 1), retry=policy, chance=1.0)
    error = world.run().error
    assert error is not None
    assert [attempt.wait for attempt in error.attempts][:-1] == [0.5, 1.0, 1.0][:retries]


def test_actions_show_no_content() -> None:
    assert "secret" not in repr(Send(b"secret", 1.0))
    assert "x" not in repr(Receive(1.0)).replace("deadline", "")


class TestTrace:
    """What an onlooker is told, and that it hears of the first content however the bytes are cut."""

    @pytest.mark.parametrize("wanted", ["stream", "message"])
    @pytest.mark.parametrize("size", [1, 7, 100, 10_000])
    def test_the_steps_do_not_depend_on_chunking(self, wanted: Wanted, size: int) -> None:
        world = World(Peer([GOOD[start : start + size] for start in range(0, len(GOOD), size)]))
        world.run(world.call(wanted))
        assert [event.kind for event in world.trace] == [
            *("attempt", "connect", "connected", "sent", "first_byte", "head", "first_content", "complete", "done")
        ]

    def test_calls_are_numbered_and_the_end_has_the_usage(self) -> None:
        worlds = [World(GOOD), World(GOOD)]
        for each in worlds:
            each.run()
        calls = [{event.call for event in each.trace} for each in worlds]
        assert list(calls[1]) == [calls[0].pop() + 1]
        world = worlds[0]
        first = world.trace[0]
        assert (first.host, first.port, first.model, first.usage) == ("api.test", 80, None, None)
        assert first.secrets == (SECRET,)
        last = world.trace[-1]
        assert (last.kind, last.model) == ("done", "m")
        assert last.usage is not None
        assert last.message is not None
        assert last.usage.output_tokens == last.message.usage.output_tokens
        assert str(last).startswith(f"call {last.call}, attempt 1: done, status 200, req_1, ")
        assert str(last).endswith("tokens out")

    def test_no_text_of_the_answer_is_shown(self) -> None:
        world = World(GOOD)
        message = world.run().call.message
        assert message is not None
        assert message.text
        assert not any(message.text in f"{event}{event!r}" for event in world.trace)

    @pytest.mark.parametrize("wanted", ["stream", "message"])
    @pytest.mark.parametrize("size", [1, 7, 100, 10_000])
    def test_an_onlooker_may_have_the_bytes_of_the_body(self, wanted: Wanted, size: int) -> None:
        world = World(Peer([GOOD[start : start + size] for start in range(0, len(GOOD), size)]))
        told: list[tuple[int, bytes]] = []
        world.settings = attrs.evolve(world.settings, tap=lambda call, data: told.append((call, data)))
        outcome = world.run(world.call(wanted))
        assert outcome.error is None
        assert {call for call, _ in told} == {world.trace[0].call}
        assert b"".join(data for _, data in told) == STREAM
        assert len(told) > 1 or size == 10_000

    def test_the_body_of_a_refusal_is_told_too(self) -> None:
        world = World(refusal(529, "overloaded_error"), max_retries=0)
        told: list[bytes] = []
        world.settings = attrs.evolve(world.settings, tap=lambda _, data: told.append(data))
        assert world.run().error is not None
        assert b"overloaded_error" in b"".join(told)

    def test_a_call_that_is_given_up_is_told_to_be_done(self) -> None:
        world = World(Peer([GOOD[start : start + 100] for start in range(0, len(GOOD), 100)]))
        call = world.call()
        world.run(call, until=2)
        call.abandon()
        call.abandon()
        assert [event.kind for event in world.trace].count("done") == 1
        last = world.trace[-1]
        assert isinstance(last.error, LocalProtocolError)
        assert last.time == world.trace[-2].time
        untouched = world.call()
        untouched.abandon()
        assert world.trace[-1] is last


def test_the_body_is_let_go_with_the_first_content_and_not_with_pings() -> None:
    for pieces, body in (((PING,), b"the body"), (OPENING[:1], b""), ((PING, *OPENING[:1]), b"")):
        world = World(Peer([GOOD_HEAD, chunked(*pieces, last=False)]), max_retries=1)
        call = world.call(body=b"the body")
        assert world.run(call, until=len(pieces), leave=False).error is None
        assert call._body == body


@pytest.mark.parametrize("body", [b'{"type": "message", "content": 5}', b'{"type": "message", "content": [}'])
def test_the_error_of_an_answer_that_is_no_message_shows_its_beginning(body: bytes) -> None:
    answer_head = head(200, "content-type: application/json", framing=f"content-length: {len(body)}")
    world = World(answer_head + body)
    outcome = world.run(world.call("message"))
    assert isinstance(outcome.error, RemoteProtocolError)
    assert outcome.error.excerpt
    assert outcome.error.excerpt in body
