"""The replay server as a state machine: requests in any chunking, answers of every kind, time as an argument."""

from __future__ import annotations

import json
from typing import Any

import attrs
import h11
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sansio_claude import LocalProtocolError
from sansio_claude.testing import (
    Answer,
    Close,
    Receive,
    ReplayConnection,
    ReplayServer,
    Write,
    chunkings,
    compose,
)

HELLO = compose("Hello, world!", seed=1)


def request(
    path: str = "/v1/messages",
    body: Any = None,
    *,
    method: str = "POST",
    headers: str = "",
    version: str = "1.1",
) -> bytes:
    content = b"" if body is None else json.dumps(body).encode()
    head = f"{method} {path} HTTP/{version}\r\nHost: test\r\nContent-Length: {len(content)}\r\n{headers}\r\n"
    return head.encode() + content


STREAMED = request(body={"stream": True})


def parsed(data: bytes, *, eof: bool = True, method: str = "POST") -> tuple[h11.Response, bytes]:
    """One answer, as an independent HTTP client reads it."""
    client = h11.Connection(h11.CLIENT)
    client.send(h11.Request(method=method, target="/", headers=[("host", "test"), ("content-length", "0")]))
    client.send(h11.EndOfMessage())
    client.receive_data(data)
    if eof:
        client.receive_data(b"")
    head: h11.Response | None = None
    body = b""
    while True:
        event = client.next_event()
        match event:
            case h11.Response():
                head = event
            case h11.InformationalResponse():
                pass
            case h11.Data():
                body += event.data
            case h11.EndOfMessage():
                assert head is not None
                return head, body
            case _:
                raise AssertionError(f"unexpected {event}")


def drive(connection: ReplayConnection, now: float = 0.0) -> tuple[list[bytes], float, Receive | Close]:
    """Do what it asks, with all waits over at once, until it reads or closes; the writes and the time then."""
    writes: list[bytes] = []
    while True:
        match connection.next_action(now):
            case Write(data):
                writes.append(data)
            case Receive(until) if until is not None:
                now = until
            case last:
                return writes, now, last


def test_a_stream_arrives_frame_by_frame_in_legal_http() -> None:
    server = ReplayServer([HELLO])
    connection = server.connect()
    connection.receive_data(STREAMED)
    writes, now, last = drive(connection)
    assert (now, last) == (0.0, Receive(None))
    assert len(writes) == 1 + len(HELLO.frames) + 1
    head, body = parsed(b"".join(writes), eof=False)
    assert head.status_code == 200
    assert dict(head.headers)[b"content-type"].startswith(b"text/event-stream")
    assert dict(head.headers)[b"request-id"] == b"req_replay000001"
    assert body == HELLO.data


@pytest.mark.parametrize("name", [name for name, _ in chunkings.named(STREAMED * 2)])
def test_requests_may_come_in_any_chunks(name: str) -> None:
    first, second = HELLO, compose("Again!", seed=2)
    expected = ReplayServer([first, second]).reply_to(STREAMED * 2)
    server = ReplayServer([first, second])
    connection = server.connect()
    written = b""
    for chunk in dict(chunkings.named(STREAMED * 2))[name]:
        connection.receive_data(chunk)
        written += b"".join(drive(connection)[0])
    assert written == expected
    assert [recorded.body for recorded in server.requests] == [b'{"stream": true}'] * 2
    assert {recorded.connection for recorded in server.requests} == {1}


def test_every_cut_of_a_request() -> None:
    expected = ReplayServer([HELLO]).reply_to(STREAMED)
    for chunks in chunkings.every_cut(STREAMED):
        connection = ReplayServer([HELLO]).connect()
        for chunk in chunks:
            connection.receive_data(chunk)
        assert b"".join(drive(connection)[0]) == expected


def test_what_was_asked_is_recorded() -> None:
    server = ReplayServer([HELLO])
    server.reply_to(request("/v1/messages?beta=true", {"stream": True}, headers="X-Api-Key: k\r\n"))
    recorded = server.requests[0]
    assert (recorded.method, recorded.target) == ("POST", "/v1/messages?beta=true")
    assert recorded.path == "/v1/messages"
    assert recorded.header("X-API-Key") == "k"
    assert recorded.header("absent") is None
    assert recorded.json() == {"stream": True}
    assert recorded.outcome == "answered"
    assert (server.connections, server.open_connections) == (1, 0)


def test_without_a_stream_the_answer_is_the_whole_message() -> None:
    head, body = parsed(ReplayServer([HELLO]).reply_to(request(body={"stream": False})))
    assert dict(head.headers)[b"content-length"] == str(len(body)).encode()
    assert json.loads(body) == HELLO.message
    _, recorded = parsed(ReplayServer([HELLO.data]).reply_to(request(body="not even an object")))
    assert json.loads(recorded) == HELLO.message
    _, no_json = parsed(ReplayServer([HELLO]).reply_to(request()))
    assert json.loads(no_json) == HELLO.message


def test_without_a_stream_an_error_or_a_cut_is_an_error_answer() -> None:
    head, body = parsed(ReplayServer([HELLO.with_error(3)]).reply_to(request(body={})))
    assert head.status_code == 529
    assert json.loads(body)["error"]["message"] == "Overloaded"
    head, body = parsed(ReplayServer([HELLO.first(3)]).reply_to(request(body={})))
    assert head.status_code == 500
    assert "no whole message" in json.loads(body)["error"]["message"]


def test_the_script_goes_on_and_its_last_answer_stays() -> None:
    server = ReplayServer([Answer.error(529), lambda recorded: Answer.json(recorded.target), HELLO])
    statuses = [parsed(server.reply_to(STREAMED))[0].status_code for _ in range(5)]
    assert statuses == [529, 200, 200, 200, 200]
    assert parsed(server.reply_to(STREAMED))[1] == HELLO.data


def test_the_script_can_go_round() -> None:
    server = ReplayServer([Answer.error(529), HELLO], cycle=True)
    statuses = [parsed(server.reply_to(STREAMED))[0].status_code for _ in range(4)]
    assert statuses == [529, 200, 529, 200]


def test_what_is_no_answer_is_said_at_once() -> None:
    odd: list[Any] = ["Hello", 5, None, {"type": "message"}]
    for entry in odd:
        with pytest.raises(LocalProtocolError, match=r"script\[1\] is an? \w+, no Transcript, bytes or Answer"):
            ReplayServer([b"", entry])
    with pytest.raises(LocalProtocolError, match=r"write compose\(text\)"):
        ReplayServer(["Hello"])  # type: ignore[list-item]
    server = ReplayServer([lambda request: odd[0]])
    with pytest.raises(LocalProtocolError, match="what the function gave is a str"):
        server.reply_to(b"POST /v1/messages HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n")


def test_an_empty_script_says_so() -> None:
    head, body = parsed(ReplayServer([]).reply_to(STREAMED))
    assert head.status_code == 400
    assert b"no script" in body


def test_error_answers_have_the_shape_of_the_api() -> None:
    answer = Answer.error(429, "slow down", headers=[("retry-after", "7")])
    head, body = parsed(ReplayServer([answer]).reply_to(STREAMED))
    assert (head.status_code, head.reason) == (429, b"Too Many Requests")
    assert dict(head.headers)[b"retry-after"] == b"7"
    assert json.loads(body)["error"] == {
        "details": None,
        "type": "rate_limit_error",
        "message": "slow down",
    }
    types = {status: json.loads(Answer.error(status).pieces[0])["error"]["type"] for status in (400, 418, 503, 529)}
    assert types == {
        400: "invalid_request_error",
        418: "invalid_request_error",
        503: "api_error",
        529: "overloaded_error",
    }
    assert parsed(ReplayServer([Answer.error(599)]).reply_to(STREAMED))[0].reason == b"Unknown"


@pytest.mark.parametrize("framing", ["chunked", "length", "close"])
@pytest.mark.parametrize("version", ["1.0", "1.1"])
def test_framings(framing: Any, version: str) -> None:
    server = ReplayServer([HELLO], framing=framing, chunking=lambda data: chunkings.steps(data, 100))
    connection = server.connect()
    connection.receive_data(request(body={"stream": True}, version=version))
    writes, _, last = drive(connection)
    head, body = parsed(b"".join(writes))
    assert body == HELLO.data
    names = {name for name, _ in head.headers}
    chunked = framing == "chunked" and version == "1.1"
    assert (b"transfer-encoding" in names) == chunked
    assert (b"content-length" in names) == (framing == "length")
    kept = version == "1.1" and framing != "close"
    assert last == (Receive(None) if kept else Close())
    assert (b"connection" in names) == (not kept)


def test_a_client_that_closes_after_one_answer_and_an_answer_that_does() -> None:
    connection = ReplayServer([HELLO]).connect()
    connection.receive_data(request(body={"stream": True}, headers="Connection: close\r\n"))
    assert drive(connection)[2] == Close()
    connection = ReplayServer([Answer.stream(HELLO, keep_alive=False)]).connect()
    connection.receive_data(STREAMED)
    writes, _, last = drive(connection)
    assert b"connection: close" in writes[0]
    assert last == Close()


@pytest.mark.parametrize(("end", "last"), [("close", Close()), ("reset", Close(reset=True)), ("stall", Receive(None))])
def test_unfinished_ends(end: Any, last: Any) -> None:
    connection = ReplayServer([Answer.stream(HELLO.first(2), end=end)]).connect()
    connection.receive_data(STREAMED)
    writes, _, action = drive(connection)
    assert action == last
    assert len(writes) == 3
    assert not writes[-1].startswith(b"0\r\n")
    if end == "stall":
        connection.receive_data(STREAMED)  # not answered any more
        assert drive(connection)[0] == []
        connection.receive_eof()
        assert connection.next_action(0.0) == Close()


def test_raw_answers_are_sent_as_they_are() -> None:
    server = ReplayServer([Answer.raw(b"HTTP/1.1 OK\r\n", b"garbage")])
    assert server.reply_to(STREAMED) == b"HTTP/1.1 OK\r\ngarbage"


def test_pace_and_delay_are_counted_on_the_callers_clock() -> None:
    server = ReplayServer([HELLO], pace=0.25, delay=2.0)
    connection = server.connect()
    connection.receive_data(STREAMED)
    assert connection.next_action(100.0) == Receive(102.0)
    assert connection.next_action(101.5) == Receive(102.0)
    assert isinstance(connection.next_action(102.0), Write)  # the head
    assert connection.next_action(102.0) == Receive(102.25)
    assert isinstance(connection.next_action(102.3), Write)
    # The next piece is due a pace after the last was due, however late that was sent.
    assert connection.next_action(102.3) == Receive(102.5)
    writes, now, _ = drive(connection, 102.3)
    assert now == pytest.approx(102.0 + 0.25 * len(HELLO.frames))
    assert len(writes) == len(HELLO.frames)


def test_a_client_that_leaves() -> None:
    server = ReplayServer([HELLO], pace=1.0)
    connection = server.connect()
    connection.receive_data(STREAMED)
    connection.next_action(0.0)
    assert [recorded.outcome for recorded in server.requests] == ["answering"]
    connection.receive_eof()
    connection.receive_eof()
    connection.receive_data(b"late")
    assert connection.next_action(0.0) == Close()
    assert [recorded.outcome for recorded in server.requests] == ["abandoned"]
    lost = ReplayServer([HELLO]).connect()
    lost.lost()
    assert lost.next_action(0.0) == Close()


def test_count_tokens_and_models() -> None:
    server = ReplayServer([], input_tokens=7, models=["a", "b"])
    assert json.loads(parsed(server.reply_to(request("/v1/messages/count_tokens", {})))[1]) == {"input_tokens": 7}
    models = json.loads(parsed(server.reply_to(request("/v1/models?limit=5", method="GET")))[1])
    assert [model["id"] for model in models["data"]] == ["a", "b"]
    assert (models["first_id"], models["last_id"], models["has_more"]) == ("a", "b", False)
    one = json.loads(parsed(server.reply_to(request("/v1/models/b", method="GET")))[1])
    assert one["id"] == "b"
    assert parsed(server.reply_to(request("/v1/models/c", method="GET")))[0].status_code == 404
    none = json.loads(parsed(ReplayServer([], models=[]).reply_to(request("/models", method="GET")))[1])
    assert none["data"] == []


def test_other_paths_and_methods() -> None:
    server = ReplayServer([HELLO])
    assert parsed(server.reply_to(request("/")))[0].status_code == 404
    head, body = parsed(server.reply_to(request(method="GET")))
    assert head.status_code == 405
    assert dict(head.headers)[b"allow"] == b"POST"
    assert body
    head, body = parsed(server.reply_to(request(method="HEAD")), method="HEAD")
    assert (head.status_code, body) == (405, b"")
    assert parsed(server.reply_to(request("/gateway/messages/", {"stream": True})))[1] == HELLO.data


def test_a_key_can_be_asked_for() -> None:
    server = ReplayServer([HELLO], api_key="sk-secret")
    assert "sk-secret" not in repr(server)
    assert parsed(server.reply_to(STREAMED))[0].status_code == 401
    assert parsed(server.reply_to(request(headers="x-api-key: sk-secret\r\n")))[0].status_code == 200
    bearer = request(headers="authorization: Bearer sk-secret\r\n")
    assert parsed(server.reply_to(bearer))[0].status_code == 200


def test_what_is_no_request_is_answered_400() -> None:
    server = ReplayServer([HELLO])
    head, _ = parsed(server.reply_to(b"\x16\x03\x01 nonsense\r\n\r\n"))
    assert head.status_code == 400
    assert server.requests == []


@given(st.lists(st.binary() | st.sampled_from([STREAMED, STREAMED[:60], b"GET / HTTP/1.1\r\n", b"\r\n"])))
def test_any_bytes_are_answered_or_awaited(chunks: list[bytes]) -> None:
    connection = ReplayServer([HELLO]).connect()
    for chunk in chunks:
        connection.receive_data(chunk)
        _, _, last = drive(connection)
        assert last in (Receive(None), Close())
    connection.receive_eof()
    assert drive(connection)[2] == Close()


def test_a_request_body_has_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sansio_claude.testing._connection._LARGEST_BODY", 100)
    assert parsed(ReplayServer([HELLO]).reply_to(request(body="x" * 200)))[0].status_code == 413


def test_expect_100_continue() -> None:
    connection = ReplayServer([HELLO]).connect()
    whole = request(body={"stream": True}, headers="Expect: 100-continue\r\n")
    head, body = whole[: whole.index(b"\r\n\r\n") + 4], whole[whole.index(b"\r\n\r\n") + 4 :]
    connection.receive_data(head)
    assert drive(connection) == ([b"HTTP/1.1 100 Continue\r\n\r\n"], 0.0, Receive(None))
    connection.receive_data(body)
    assert parsed(b"".join(drive(connection)[0]))[1] == HELLO.data


def test_an_answer_can_be_changed() -> None:
    answer = attrs.evolve(Answer.stream(HELLO.data), status=203, headers=(("request-id", "mine"),))
    head, body = parsed(ReplayServer([answer]).reply_to(STREAMED))
    assert (head.status_code, body) == (203, HELLO.data)
    assert [value for name, value in head.headers if name == b"request-id"] == [b"mine"]


def test_empty_pieces_do_not_end_a_chunked_body() -> None:
    answer = Answer(pieces=(b"a", b"", b"b"))
    assert parsed(ReplayServer([answer]).reply_to(STREAMED))[1] == b"ab"
