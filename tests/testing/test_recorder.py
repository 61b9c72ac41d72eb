"""The recorder: nothing of a key gets into the file, the times are right, and the replay is what was recorded."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import re
import stat
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
import trio
from hypothesis import given
from hypothesis import strategies as st

import sansio_claude.asyncio
import sansio_claude.sync
import sansio_claude.trio
from sansio_claude._errors import APIError, LocalProtocolError, TruncatedError
from sansio_claude._request.endpoint import Endpoint
from sansio_claude._stream.message_stream import MessageStream
from sansio_claude.testing import (
    Answer,
    RecordedCall,
    Recorder,
    Recording,
    ReplayServer,
    chunkings,
    compose,
    serve_in_thread,
)
from sansio_claude.testing._blank import blanked, forms_of
from tests.ground.test_redact import WAYS

KEY = "sk-ant-api03-Zx9_Qw8-Er7Ty6Ui5Op4As3Df2Gh1"
ASK: dict[str, Any] = {"model": "m", "max_tokens": 1, "messages": [{"role": "user", "content": f"My key is {KEY}."}]}


def frames(*events: dict[str, Any]) -> bytes:
    return b"".join(b"data: " + json.dumps(event).encode() + b"\n\n" for event in events)


def delta(text: str, index: int = 0) -> dict[str, Any]:
    return {"type": "content_block_delta", "index": index, "delta": {"type": "text_delta", "text": text}}


def test_every_byte_of_a_secret_becomes_an_x() -> None:
    data = f"before {KEY} after {quote(KEY, safe='')}".encode()
    assert blanked(data, forms_of([KEY])) == data.replace(KEY.encode(), b"x" * len(KEY))


def test_what_has_no_secret_is_the_same_object() -> None:
    data = compose("Nothing to see.", seed=1).data
    assert blanked(data, forms_of([KEY])) is data
    assert blanked(data, forms_of(["", "abc"])) is data  # too short to be a secret


@pytest.mark.parametrize("before", ["", "a", "ab", "abc", "user:"])
def test_base64_is_taken_out_wherever_the_secret_begins(before: str) -> None:
    encoded = base64.b64encode(f"{before}{KEY}:more".encode())
    left = blanked(b"Basic " + encoded, forms_of([KEY]))
    assert len(left) == len(encoded) + 6
    decoded = base64.b64decode(left[6:])
    assert KEY[3:-3].encode() not in decoded
    assert left.count(b"x") >= len(KEY)


@pytest.mark.parametrize("way", sorted(WAYS))
@pytest.mark.parametrize("times", [1, 2])
def test_every_form_that_errors_are_searched_for_is_taken_out(way: str, times: int) -> None:
    written = KEY
    for _ in range(times):
        written = WAYS[way](written, 0b1001_0110)
    for data in (f"bad key {written}!", json.dumps({"error": {"message": f"bad key {written}!"}})):
        left = blanked(data.encode(), forms_of([KEY]))
        assert len(left) == len(data.encode())
        assert b"bad key xxx" in left
        assert b"xxx!" in left
        assert set(left.partition(b"bad key ")[2].partition(b"!")[0]) == {ord("x")}


def test_line_ends_inside_of_a_secret_stay() -> None:
    lines = f"{KEY[:11]}\n{KEY[11:]}\n"
    assert blanked(lines.encode(), forms_of([KEY])) == re.sub(r"[^\n]", "x", lines).encode()


def escaped(text: str, how: list[int]) -> str:
    """The inside of a JSON string, some characters of it as escapes."""
    units = [json.dumps(each, ensure_ascii=kind == 1)[1:-1] for each, kind in zip(text, how, strict=True)]
    return "".join(
        f"\\u{ord(a):04x}" if b == 2 and ord(a) < 65536 else u for a, b, u in zip(text, how, units, strict=True)
    )


SECRETS = st.text(st.characters(codec="utf-8", exclude_characters="x"), min_size=8, max_size=20).filter(
    lambda secret: len(set(secret)) > 4 and "x" not in secret
)


@given(SECRETS, st.data())
def test_a_secret_split_over_deltas_and_escapes_is_taken_out(secret: str, data: st.DataObject) -> None:
    cuts = sorted(data.draw(st.lists(st.integers(0, len(secret)), max_size=4)))
    pieces = [secret[start:end] for start, end in zip([0, *cuts], [*cuts, len(secret)], strict=True)]
    pieces = ["at first ", *pieces, " at last"]
    written = b""
    for piece in pieces:
        how = data.draw(st.lists(st.sampled_from([0, 1, 2]), min_size=len(piece), max_size=len(piece)))
        index = data.draw(st.sampled_from(["", '"index":0,']))
        written += (
            f'data: {{"type":"content_block_delta",{index}"delta":{{"text":"{escaped(piece, how)}"}}}}\n\n'.encode()
        )
        if data.draw(st.booleans()):
            written += b'event: ping\ndata: {"type": "ping"}\n\n'
    left = blanked(written, forms_of([secret]))
    assert len(left) == len(written)
    values = [json.loads(line[6:]) for line in left.splitlines() if line.startswith(b"data: ")]
    text = "".join(value["delta"]["text"] for value in values if "delta" in value)
    assert text.startswith("at first x")
    assert text.endswith("x at last")
    assert set(text.removeprefix("at first ").removesuffix(" at last")) == {"x"}


@given(SECRETS, st.data())
def test_a_secret_in_a_tool_input_is_taken_out(secret: str, data: st.DataObject) -> None:
    inner = json.dumps({"key": secret}, ensure_ascii=data.draw(st.booleans()))
    cuts = sorted(data.draw(st.lists(st.integers(0, len(inner)), max_size=4)))
    pieces = [inner[start:end] for start, end in zip([0, *cuts], [*cuts, len(inner)], strict=True)]
    written = b"".join(
        f'data: {{"index":1,"delta":{{"partial_json":{json.dumps(piece)}}}}}\n\n'.encode() for piece in pieces
    )
    left = blanked(written, forms_of([secret]))
    assert len(left) == len(written)
    parts = [json.loads(line[6:])["delta"]["partial_json"] for line in left.splitlines() if line]
    assert set(json.loads("".join(parts))["key"]) == {"x"}


@pytest.mark.parametrize("size", range(8, len(KEY)))
def test_a_secret_that_was_cut_off_is_taken_out(size: int) -> None:
    for data in (f"cut: {KEY[:size]}".encode(), frames(delta("a"), delta(f"cut {KEY[:4]}"), delta(KEY[4:size]))):
        left = blanked(data, forms_of([KEY]))
        assert KEY[4:size].encode() not in left
        assert len(left) == len(data)
    assert blanked(f"{KEY[-size:]} rest".encode(), forms_of([KEY])) == b"x" * size + b" rest"


ECHO = [KEY[:9], KEY[9:20], KEY[20:]]
ESCAPED = "".join(f"\\u{ord(each):04x}" for each in KEY)


def echoing(recorded: Any) -> Answer:
    """An answer that quotes the key: split over three deltas, as escapes, and in a header."""
    body = compose("", seed=1).frames
    error = (
        b'event: error\ndata: {"type":"error","error":{"type":"api_error","message":"bad key '
        + ESCAPED.encode()
        + b'"}}\n\n'
    )
    echo = [frames(delta(f"Your key {ECHO[0]}")), b": comment\n\n", frames(delta(ECHO[1])), frames(delta(ECHO[2]))]
    return Answer(
        pieces=(*body[:3], *echo, error),
        headers=(("content-type", "text/event-stream"), ("x-echo", KEY), ("set-cookie", "session=1")),
        pauses=(0.0, 0.0, 0.0, 0.05),
    )


def in_asyncio(url: str, recorder: Recorder) -> None:
    async def use() -> None:
        async with sansio_claude.asyncio.Client(Endpoint.from_base_url(url, api_key=KEY), trace=recorder) as client:
            await client.create(**ASK)

    asyncio.run(use())


def in_trio(url: str, recorder: Recorder) -> None:
    async def use() -> None:
        async with sansio_claude.trio.Client(Endpoint.from_base_url(url, api_key=KEY), trace=recorder) as client:
            await client.create(**ASK)

    trio.run(use)


def in_sync(url: str, recorder: Recorder) -> None:
    with sansio_claude.sync.Client(Endpoint.from_base_url(url, api_key=KEY), trace=recorder) as client:
        client.create(**ASK)


@pytest.mark.parametrize("use", [in_asyncio, in_trio, in_sync])
def test_a_recorded_session_has_no_key_in_it(use: Callable[[str, Recorder], None], tmp_path: Path) -> None:
    path = tmp_path / "session.jsonl"
    path.write_text("an older file, readable by everybody")
    path.chmod(0o644)
    with serve_in_thread(ReplayServer([echoing])) as address, Recorder(path) as recorder, pytest.raises(APIError):
        use(address.url, recorder)
    written = path.read_text()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    for part in (KEY, *ECHO, ESCAPED, ESCAPED[:60], KEY[:12], KEY[-12:], "session=1"):
        assert part not in written
    assert "prompts and answers" in written.splitlines()[0].lower()
    call = Recording.load(path).calls[-1]
    assert call.request_body is not None
    assert f"My key is {'x' * len(KEY)}." in call.request_body
    assert dict(call.request_headers)["x-api-key"] == "x" * len(KEY)
    assert dict(call.headers)["x-echo"] == "x" * len(KEY)
    assert (call.whole, call.error) == (True, "ServerError")
    stream = MessageStream()
    stream.receive_data(call.data)
    stream.receive_eof()
    stream.events_received()
    assert stream.message is not None
    assert stream.message.text == f"Your key {'x' * len(KEY)}"


HEADER = '{"format": "sansio-claude recording", "version": 1}'


class Clock:
    """Seconds that a test sets."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_one_line_a_read_with_the_time_of_it(tmp_path: Path) -> None:
    clock = Clock()
    chunks = chunkings.steps(compose("Größe", seed=1).data, 50)

    def source() -> Iterator[bytes]:
        for chunk in chunks:
            clock.now += 0.25
            yield chunk

    with Recorder(tmp_path / "r", clock=clock) as recorder:
        assert list(recorder.record(source(), headers=[("content-type", "text/event-stream")])) == chunks
    call = Recording.load(tmp_path / "r").calls[0]
    assert call.chunks == chunks
    assert [at for at, _ in call.reads] == [0.25 * number for number in range(1, len(chunks) + 1)]
    assert (call.whole, call.error, call.status) == (True, None, 200)
    lines = [json.loads(line) for line in (tmp_path / "r").read_text().splitlines()]
    assert sum(line.get("kind") == "read" for line in lines) == len(chunks)


@pytest.mark.parametrize(("speed", "pause"), [(1.0, 0.25), (2, 0.125), (0.5, 0.5), (None, 0.0)])
def test_replay_with_the_times_a_factor_or_at_once(speed: float | None, pause: float) -> None:
    call = RecordedCall(1, requested_at=1.0, responded_at=3.0, reads=[(3.25, b"a"), (3.5, b"b")], whole=True)
    answer = call.answer(speed)
    assert answer.pauses == (pause, pause)
    assert answer.delay == pause * 8
    waits = [wait for wait, _ in answer.steps()]
    assert waits == [pause * 8, pause, pause, 0.0]


@pytest.mark.parametrize("speed", [0, -1, float("nan")])
def test_a_speed_is_above_zero(speed: float) -> None:
    with pytest.raises(LocalProtocolError, match="above 0"):
        RecordedCall(1).answer(speed)


def test_what_was_cut_is_cut_again(tmp_path: Path) -> None:
    whole = compose("Hello", seed=1)
    server = ReplayServer([Answer.stream(whole.first(4), end="close")])
    with serve_in_thread(server) as address, Recorder(tmp_path / "r") as recorder, pytest.raises(TruncatedError):
        in_asyncio(address.url, recorder)
    recording = Recording.load(tmp_path / "r")
    assert recording.calls[0].error == "TruncatedError"
    again = ReplayServer(recording.answers(None), once=True)
    with serve_in_thread(again) as address, Recorder(tmp_path / "again") as recorder, pytest.raises(TruncatedError):
        in_asyncio(address.url, recorder)
    assert Recording.load(tmp_path / "again").calls[0].data == recording.calls[0].data


def test_each_attempt_is_a_call_of_its_own(tmp_path: Path) -> None:
    server = ReplayServer([Answer.error(529, headers=[("retry-after", "0")]), compose("Hello", seed=1)])
    with serve_in_thread(server) as address, Recorder(tmp_path / "r") as recorder:
        in_asyncio(address.url, recorder)
    assert [(call.status, call.error) for call in Recording.load(tmp_path / "r").calls] == [
        (529, "OverloadedError"),
        (200, None),
    ]


def test_a_source_that_fails_or_is_left(tmp_path: Path) -> None:
    def source() -> Iterator[bytes]:
        yield b"a"
        raise OSError("gone")

    async def asource() -> AsyncIterator[bytes]:
        yield b"\xff"
        yield b"b"

    async def read(chunks: Any) -> list[bytes]:
        return [chunk async for chunk in chunks]

    with Recorder(tmp_path / "r") as recorder:
        assert "0 open calls" in repr(recorder)
        with pytest.raises(OSError, match="gone"):
            list(recorder.record(source()))
        assert asyncio.run(read(recorder.arecord(asource()))) == [b"\xff", b"b"]
        next(recorder.record([b"c", b"d"]))
        with pytest.raises(LocalProtocolError, match="async for"):
            next(recorder.arecord(asource()))
    recorder.close()
    assert "closed" in repr(recorder)
    with pytest.raises(LocalProtocolError, match="closed"):
        recorder.record([])
    calls = Recording.load(tmp_path / "r").calls
    assert [(call.data, call.whole, call.error) for call in calls[:3]] == [
        (b"a", False, "OSError"),
        (b"\xffb", True, None),
        (b"c", False, "left"),
    ]


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        (["[]"], "no recording"),
        (['{"format": "x"}'], "no recording"),
        (['{"format": "sansio-claude recording", "version": 2}'], "version 2"),
        ([HEADER, "{"], "line 2"),
        ([HEADER, "{}"], "line 2"),
        (
            ['{"format": "sansio-claude recording", "version": 1}', '{"call":1,"kind":"read","at":"x","text":""}'],
            "line 2",
        ),
    ],
)
def test_what_is_no_recording(lines: list[str], words: str) -> None:
    with pytest.raises(LocalProtocolError, match=words):
        Recording.from_lines(lines)


def test_unknown_keys_and_kinds_are_passed_over() -> None:
    lines = [
        '{"format": "sansio-claude recording", "version": 1, "more": 1}',
        '{"call": 1, "at": 0, "kind": "to come"}',
        '{"call": 1, "at": 0.5, "kind": "read", "text": "a", "more": 1}',
    ]
    assert Recording.from_lines(lines).calls[0].data == b"a"


@pytest.mark.skipif(not hasattr(os, "O_NOFOLLOW"), reason="the system cannot refuse links")
def test_a_link_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "target")
    with pytest.raises(OSError, match="link"):
        Recorder(tmp_path / "link")


@pytest.mark.parametrize("given", ["the-key-of-the-gateway", ["the-key-of-the-gateway"], {"the-key-of-the-gateway"}])
def test_a_secret_by_itself_is_one_secret(tmp_path: Path, given: Any) -> None:
    line = b'data: {"x": "the-key-of-the-gateway"}\n\n'
    for once in (True, False):
        path = tmp_path / f"{once}.jsonl"
        with Recorder(path, secrets=given if once else ()) as recorder:
            assert list(recorder.record([line], secrets=() if once else given)) == [line]
        assert "the-key" not in path.read_text()


@pytest.mark.parametrize("given", [b"the-key", [b"the-key"], 5, None, [None], [5]])
def test_secrets_that_are_no_texts_are_refused(tmp_path: Path, given: Any) -> None:
    path = tmp_path / "x.jsonl"
    with pytest.raises(LocalProtocolError, match=r"secrets are texts, as in secrets=\[key\]"):
        Recorder(path, secrets=given)
    assert not path.exists()
    with Recorder(path) as recorder, pytest.raises(LocalProtocolError, match="secrets are texts"):
        recorder.record([], secrets=given)
