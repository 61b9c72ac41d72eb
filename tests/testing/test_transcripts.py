"""Composed streams: they have the measured shape, and a naive reader makes exactly their message of them."""

from __future__ import annotations

import json
import re
import statistics
from typing import Any

import pytest

from sansio_claude import LocalProtocolError, MessageStream
from sansio_claude.testing import Dialect, Transcript, compose, transcripts
from sansio_claude.testing.transcripts import prose

EVERY_KIND: list[dict[str, Any]] = [
    {"type": "thinking", "thinking": prose(3_000, seed=1)},
    {"type": "redacted_thinking", "data": "EmwKAhgB"},
    {"type": "text", "text": prose(3_000, seed=2)},
    {"type": "text", "text": "cited", "citations": [{"type": "char_location", "cited_text": "c"}]},
    {"type": "server_tool_use", "name": "web_search", "input": {"query": 'größe 日本 "x"\n'}},
    {"type": "web_search_tool_result", "tool_use_id": "s", "content": []},
    {"type": "mcp_tool_use", "name": "echo", "server_name": "demo", "input": {}},
    {"type": "compaction", "content": "summary", "encrypted_content": "opaque"},
    {"type": "something_new", "payload": {"deep": [1, 2]}},
    {"type": "tool_use", "name": "save", "input": {"rows": [{"n": n} for n in range(200)]}},
]


def payloads(transcript: Transcript) -> list[dict[str, Any]]:
    """Every event's JSON, read in the plainest way."""
    text = transcript.data.decode()
    return [json.loads(line[5:]) for line in text.splitlines() if line.startswith("data:")]


def naive_message(events: list[dict[str, Any]]) -> dict[str, Any]:
    """What the events of a well-formed stream come to, in as few lines as possible."""
    message: dict[str, Any] = {}
    raw: dict[int, str] = {}
    for event in events:
        match event:
            case {"type": "message_start", "message": start}:
                message = start
            case {"type": "content_block_start", "index": index, "content_block": block}:
                assert index == len(message["content"])
                message["content"].append(block)
            case {"type": "content_block_delta", "index": index, "delta": delta}:
                block = message["content"][index]
                match delta:
                    case {"type": "input_json_delta", "partial_json": piece}:
                        raw[index] = raw.get(index, "") + piece
                    case {"type": "citations_delta", "citation": citation}:
                        block["citations"].append(citation)
                    case {"type": "compaction_delta"}:
                        block |= {key: value for key, value in delta.items() if key != "type"}
                    case {"type": kind}:
                        key = kind.removesuffix("_delta")
                        block[key] += delta[key]
            case {"type": "message_delta", "delta": delta, "usage": usage}:
                message |= delta
                message["usage"] |= usage
    for index, text in raw.items():
        if text:
            message["content"][index]["input"] = json.loads(text)
    return message


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("interleave", [False, True])
def test_the_message_is_what_the_events_come_to(seed: int, interleave: bool) -> None:
    transcript = compose(EVERY_KIND, seed=seed, interleave=interleave)
    events = payloads(transcript)
    assert naive_message(events) == transcript.message
    assert events[0]["type"] == "message_start"
    assert [event["type"] for event in events[-2:]] == ["message_delta", "message_stop"]
    assert transcript.message is not None
    assert transcript.message["stop_reason"] == "tool_use"


def test_the_shape_is_the_measured_one() -> None:
    lengths: dict[str, list[int]] = {}
    paddings: list[int] = []
    for seed in range(10):
        transcript = compose(EVERY_KIND, seed=seed)
        for frame in transcript.frames:
            found = re.fullmatch(rb"event: (\w+)\ndata: (.*)\n\n", frame)
            assert found is not None
            name, data = found[1].decode(), found[2]
            event = json.loads(data)
            assert event["type"] == name
            if name == "ping":
                assert data == b'{"type": "ping"}'
                continue
            padded = re.search(rb"( *)\}$", data)
            assert padded is not None
            paddings.append(len(padded[1]))
            for key, value in event.get("delta", {}).items():
                if key in ("text", "thinking", "partial_json", "signature"):
                    lengths.setdefault(key, []).append(len(value))
    assert set(paddings) == set(range(16))
    assert 9 <= statistics.median(lengths["text"]) <= 11
    assert 8 <= statistics.median(lengths["thinking"]) <= 10
    assert 6 <= statistics.median(lengths["partial_json"]) <= 8
    assert max(lengths["partial_json"]) == 13
    assert all(248 <= length <= 2_392 for length in lengths["signature"])
    frames = compose(EVERY_KIND, seed=3).frames
    assert 125 <= statistics.median(map(len, frames)) <= 155


def test_each_tool_starts_with_an_empty_delta_and_each_thinking_ends_with_one_signature() -> None:
    deltas: dict[int, list[dict[str, Any]]] = {}
    for event in payloads(compose(EVERY_KIND)):
        if event["type"] == "content_block_delta":
            deltas.setdefault(event["index"], []).append(event["delta"])
    for index, block in enumerate(EVERY_KIND):
        if "input" in block:
            assert deltas[index][0]["partial_json"] == ""
        if "thinking" in block:
            assert [delta["type"] for delta in deltas[index]].count("signature_delta") == 1
            assert deltas[index][-1]["type"] == "signature_delta"


def test_a_seed_is_a_transcript() -> None:
    assert compose(EVERY_KIND, seed=4) == compose(EVERY_KIND, seed=4)
    assert compose(EVERY_KIND, seed=4).data != compose(EVERY_KIND, seed=5).data


def test_what_is_given_is_kept() -> None:
    transcript = compose(
        [{"type": "thinking", "thinking": "", "signature": "sig"}],
        model="m",
        message_id="msg_1",
        stop_reason="stop_sequence",
        stop_sequence="END",
        usage={"output_tokens": 7, "server_tool_use": {"web_search_requests": 1}},
        prefilled=[{"type": "text", "text": "before"}],
        pings="none",
    )
    message = transcript.message
    assert message is not None
    assert (message["model"], message["id"], message["stop_sequence"]) == ("m", "msg_1", "END")
    assert message["usage"]["output_tokens"] == 7
    assert message["content"] == [
        {"type": "text", "text": "before"},
        {"type": "thinking", "thinking": "", "signature": "sig"},
    ]
    events = payloads(transcript)
    assert events[0]["message"]["content"] == [{"type": "text", "text": "before"}]
    assert events[1]["index"] == 1
    assert "ping" not in [event["type"] for event in events]
    assert naive_message(events)["content"][1]["signature"] == "sig"


def test_an_input_that_is_no_json_and_refusal_details() -> None:
    content = [{"type": "tool_use", "name": "t", "input": {"$incomplete_json": '{"path": "/et'}}]
    transcript = compose(content, stop_reason="refusal", stop_details={"type": "refusal"})
    pieces = [e["delta"]["partial_json"] for e in payloads(transcript) if e["type"] == "content_block_delta"]
    assert "".join(pieces) == '{"path": "/et'
    assert transcript.message is not None
    assert transcript.message["stop_details"] == {"type": "refusal"}


def test_a_fallback_block_changes_the_model() -> None:
    block = {"type": "fallback", "from": {"model": "a"}, "to": {"model": "b"}}
    message = compose([block, {"type": "text", "text": "hi"}], model="a").message
    assert message is not None
    assert message["model"] == "b"


def test_pings_everywhere() -> None:
    kinds = [event["type"] for event in payloads(compose("hello", pings="everywhere"))]
    assert kinds[::2] == ["ping"] * len(kinds[::2])


@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
def test_dialects(line_end: Any) -> None:
    dialect = Dialect(
        line_end=line_end,
        event_lines=False,
        space=False,
        padding=False,
        spaced_json=True,
        ascii_json=True,
        bom=True,
        comment="HTTP_STATUS/200",
        ids=True,
        retry=3000,
        done=True,
    )
    data = compose("héllo", dialect=dialect, pings="none").data
    head = f"retry: 3000{line_end}{line_end}:HTTP_STATUS/200{line_end}id:1{line_end}data:"
    assert data.startswith(b"\xef\xbb\xbf" + head.encode())
    assert data.endswith(f"data: [DONE]{line_end}{line_end}".encode())
    assert b"event" not in data.replace(b'"', b"")[:60]
    assert data.isascii() is False  # the byte order mark alone
    assert data[3:].isascii()
    assert b"h\\u00e9" in data
    again = Transcript.from_bytes(data)
    assert again.data == data
    assert len(again.frames) == len(compose("héllo", pings="none").frames) + 2  # retry, [DONE]


def test_a_transcript_can_be_cut_anywhere() -> None:
    transcript = compose("hello", seed=1)
    assert transcript.borders[-1] == len(transcript.data)
    assert Transcript.from_bytes(transcript.data).frames == transcript.frames
    for position in range(len(transcript.data)):
        short = transcript.cut(position)
        assert short.data == transcript.data[:position]
        assert short.message is None
    assert transcript.cut(len(transcript.data)) is transcript
    assert transcript.first(2).frames == transcript.frames[:2]
    assert transcript.first(100) is transcript
    assert Transcript.from_bytes(b"").frames == ()


def test_errors_come_after_so_many_frames() -> None:
    transcript = compose("hello").with_error(2)
    events = payloads(transcript)
    assert len(events) == 3
    assert events[-1]["error"] == {"details": None, "type": "overloaded_error", "message": "Overloaded"}
    assert transcripts.error_frame("api_error", "x", dialect=Dialect(event_lines=False)).startswith(b"data")


def test_network_chunks_end_on_borders() -> None:
    transcript = compose(EVERY_KIND)
    chunks = transcript.network_chunks(1)
    assert b"".join(chunks) == transcript.data
    assert 1.2 < len(transcript.frames) / len(chunks) < 1.6
    ends, position = set(transcript.borders), 0
    for chunk in chunks:
        position += len(chunk)
        assert position in ends


def test_prose_has_the_length_asked_for() -> None:
    assert [len(prose(size)) for size in (0, 1, 99, 1_000)] == [0, 1, 99, 1_000]
    assert prose(500, seed=1) == prose(500, seed=1) != prose(500, seed=2)


@pytest.mark.parametrize("ascii_json", [False, True])
def test_half_a_character_goes_out_as_its_escape(ascii_json: bool) -> None:
    call = {"type": "tool_use", "name": "save", "input": {"a": "\ud83d"}}
    composed = compose([{"type": "text", "text": "a\ud83d"}, call], dialect=Dialect(ascii_json=ascii_json))
    stream = MessageStream()
    stream.receive_data(composed.data)
    message = stream.finish()
    assert message.text == "a\ufffd"
    assert message.tool_uses[0].input == {"a": "\ud83d"}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("content", [{"type": "text", "text": {1}}]),
        ("content", [{"type": "tool_use", "name": "save", "input": {"a": float("nan")}}]),
        ("prefilled", [{"type": "text", "text": b"bytes"}]),
        ("usage", {"output_tokens": {1}}),
        ("stop_details", {"a": object()}),
    ],
)
def test_what_is_no_json_is_refused(name: str, value: Any) -> None:
    given: dict[str, Any] = {"content": "Hi", name: value}
    with pytest.raises(LocalProtocolError, match=rf"compose\(\): {name} has to be JSON: ") as caught:
        compose(**given)
    assert caught.value.path == name
