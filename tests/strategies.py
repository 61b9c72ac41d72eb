"""Hypothesis strategies that the whole suite shares: blocks, messages, streams good and bad, and ways to cut them.

Blocks and messages are JSON as the API has it. `transcripts` are composed streams of the real shape with the message
that they must come to; `event_lists` are stranger but legal, and have no expected message but the reference's;
`hostile_bodies` are anything.
"""

from __future__ import annotations

import json
from functools import cache
from typing import Any, Final

from attrs import define
from hypothesis import strategies as st

from sansio_claude._stream.sse import ServerSentEvent
from sansio_claude.testing import Dialect, Transcript, chunkings, compose
from tests.mutations import TOKENS, break_bytes, break_events

__all__ = [
    "Cut",
    "blocks",
    "bodies",
    "cuts",
    "delta_bodies",
    "dialects",
    "event_lists",
    "hostile_bodies",
    "json_objects",
    "json_values",
    "messages",
    "sse_bodies",
    "sse_events",
    "texts",
    "tool_inputs",
    "transcripts",
    "usages",
]

Json = Any

# Characters that text formats trip over: line ends of other standards, controls, quotes, joiners, beyond the BMP.
_ODD: Final = '"\\/\b\f\n\r\t\0\x1f\x7f\x85\xa0é\u200d\u2028\u2029\ufeff\ufffd日本語😀👩‍👩‍👧}{][:, '
_KEYS: Final = st.sampled_from(["a", "b", "new_key", "x-y", "ü", "", "deep"])


@cache
def texts(max_size: int = 40) -> st.SearchStrategy[str]:
    """Any text that JSON in UTF-8 can carry."""
    plain = st.text(st.characters(exclude_categories=["Cs"]), max_size=max_size)
    odd = st.text(st.sampled_from(_ODD), max_size=max_size)
    words = st.lists(st.sampled_from(["the ", "river", " runs", ". ", "\n", "größe", "日"]), max_size=8).map("".join)
    return st.one_of(words, odd, plain)


@cache
def json_values(max_leaves: int = 8) -> st.SearchStrategy[Json]:
    """Any JSON value."""
    leaves = st.one_of(
        st.none(),
        st.booleans(),
        st.integers(-(2**63), 2**64 - 1),
        st.floats(allow_nan=False, allow_infinity=False),
        texts(10),
    )
    return st.recursive(
        leaves,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_KEYS | texts(5), inner, max_size=3),
        max_leaves=max_leaves,
    )


@cache
def json_objects(max_leaves: int = 8) -> st.SearchStrategy[dict[str, Json]]:
    """Any JSON object."""
    return st.dictionaries(_KEYS | texts(5), json_values(max_leaves), max_size=4)


@cache
def _extras() -> st.SearchStrategy[dict[str, Json]]:
    """Keys that no version knows; mostly none."""
    return st.one_of(st.just({}), st.dictionaries(st.sampled_from(["x_new", "x_null", "x_list"]), json_values(3)))


tool_inputs = json_objects


@st.composite
def blocks(draw: st.DrawFn) -> dict[str, Json]:
    """A content block of any kind as it is when finished, unknown ones and unknown keys among them."""
    make = draw(st.sampled_from(sorted(_BLOCKS)))
    return {**draw(_BLOCKS[make]), **draw(_extras())}


def _block(kind: str, *, optional: dict[str, Any] | None = None, **keys: Any) -> st.SearchStrategy[dict[str, Json]]:
    return st.fixed_dictionaries({"type": st.just(kind), **keys}, optional=optional or {})


def _result(kind: str, content: st.SearchStrategy[Json]) -> st.SearchStrategy[dict[str, Json]]:
    error = st.fixed_dictionaries({"type": st.just(kind + "_error"), "error_code": st.just("unavailable")})
    return _block(kind, tool_use_id=_IDS, content=content | error, optional={"caller": _CALLERS})


_IDS = st.sampled_from(["toolu_01A", "srvtoolu_01B", ""])
_CALLERS = st.sampled_from([None, {"type": "direct"}, {"type": "code_execution_20260120", "tool_id": "srvtoolu_1"}])
_OPAQUE = st.text("ABCab01+/=", max_size=30)
_CITATIONS = st.lists(
    st.fixed_dictionaries({"type": st.just("char_location"), "cited_text": texts(8), "encrypted_index": _OPAQUE}),
    max_size=3,
)
_BLOCKS: Final[dict[str, st.SearchStrategy[dict[str, Json]]]] = {
    "text": _block("text", text=texts(), optional={"citations": st.none() | _CITATIONS}),
    "text again": _block("text", text=texts(120)),
    "thinking": _block("thinking", thinking=texts(), signature=_OPAQUE),
    "redacted_thinking": _block("redacted_thinking", data=_OPAQUE),
    "tool_use": _block(
        "tool_use",
        id=_IDS,
        name=st.just("save"),
        input=tool_inputs(),
        optional={"caller": _CALLERS, "toolset_name": st.none() | st.just("computer")},
    ),
    "server_tool_use": _block("server_tool_use", id=_IDS, name=st.just("web_search"), input=tool_inputs()),
    "mcp_tool_use": _block(
        "mcp_tool_use", id=_IDS, name=st.just("echo"), server_name=st.just("demo"), input=tool_inputs()
    ),
    "web_search_tool_result": _result("web_search_tool_result", st.lists(json_objects(3), max_size=2)),
    "web_fetch_tool_result": _result("web_fetch_tool_result", json_objects(3)),
    "code_execution_tool_result": _result("code_execution_tool_result", json_objects(3)),
    "bash_code_execution_tool_result": _result("bash_code_execution_tool_result", json_objects(3)),
    "text_editor_code_execution_tool_result": _result("text_editor_code_execution_tool_result", json_objects(3)),
    "tool_search_tool_result": _result("tool_search_tool_result", json_objects(3)),
    "advisor_tool_result": _result("advisor_tool_result", json_objects(3)),
    "mcp_tool_result": _block(
        "mcp_tool_result", tool_use_id=_IDS, is_error=st.booleans(), content=texts(8) | st.lists(json_objects(2))
    ),
    "mcp_tool_listing": _block(
        "mcp_tool_listing", mcp_server_name=texts(5), tools=st.lists(json_objects(2), max_size=2)
    ),
    "container_upload": _block("container_upload", file_id=_IDS),
    "compaction": _block(
        "compaction",
        content=st.none() | texts(),
        optional={"encrypted_content": st.none() | _OPAQUE, "signature": _OPAQUE, "tool_changes": json_values(2)},
    ),
    "fallback": st.fixed_dictionaries(
        {"type": st.just("fallback"), "from": st.just({"model": "one"}), "to": st.just({"model": "two"})}
    ),
    "hologram": _block("hologram", optional={"beam": texts(5), "payload": json_values(3)}),
}
_COUNTS = st.none() | st.integers(0, 100_000)


@cache
def usages() -> st.SearchStrategy[dict[str, Json]]:
    """A usage object."""
    return st.fixed_dictionaries(
        {"output_tokens": st.integers(0, 9_999)},
        optional={
            "input_tokens": _COUNTS,
            "cache_creation_input_tokens": _COUNTS,
            "cache_read_input_tokens": _COUNTS,
            "cache_creation": st.none() | st.fixed_dictionaries({"ephemeral_5m_input_tokens": st.integers(0, 9)}),
            "server_tool_use": st.none() | st.fixed_dictionaries({"web_search_requests": st.integers(0, 9)}),
            "service_tier": st.sampled_from([None, "standard", "priority"]),
            "iterations": st.none() | st.lists(json_objects(2), max_size=2),
            "x_new": json_values(2),
        },
    )


_STOP_REASONS = st.sampled_from(
    [None, "end_turn", "max_tokens", "stop_sequence", "tool_use", "pause_turn", "refusal", "compaction", "new_reason"]
)


@st.composite
def messages(draw: st.DrawFn) -> dict[str, Json]:
    """A whole answer as JSON, its keys in any order, some of them missing, null or unknown."""
    required: dict[str, Any] = {"content": st.lists(blocks(), max_size=4)}
    optional: dict[str, Any] = {
        "id": st.just("msg_01A"),
        "type": st.just("message"),
        "role": st.just("assistant"),
        "model": st.just("claude-opus-5-5"),
        "stop_reason": _STOP_REASONS,
        "stop_sequence": st.none() | texts(5),
        "stop_details": st.none() | json_objects(2),
        "usage": st.none() | usages(),
        "container": st.none() | json_objects(2),
        "context_management": st.none() | json_objects(2),
        "x_new": json_values(3),
    }
    message = draw(st.fixed_dictionaries(required, optional=optional))
    return {key: message[key] for key in draw(st.permutations(list(message)))}


# Streams.


def dialects() -> st.SearchStrategy[Dialect]:
    """Every way to write the frames; mostly the API's own."""
    any_way = st.builds(
        Dialect,
        line_end=st.sampled_from(["\n", "\r\n", "\r"]),
        event_lines=st.booleans(),
        space=st.booleans(),
        padding=st.booleans(),
        spaced_json=st.booleans(),
        ascii_json=st.booleans(),
        bom=st.booleans(),
        comment=st.none() | st.sampled_from(["", " keep-alive", "data: x"]),
        ids=st.booleans(),
        retry=st.none() | st.integers(0, 9_999),
    )
    return st.one_of(st.just(Dialect()), any_way)


@st.composite
def transcripts(draw: st.DrawFn, *, dialect: Dialect | None = None) -> Transcript:
    """A composed stream of the real shape, with its message."""
    return compose(
        draw(st.lists(blocks(), max_size=4)),
        seed=draw(st.integers(0, 999)),
        stop_reason=draw(_STOP_REASONS),
        usage=draw(st.just({}) | usages()),
        prefilled=draw(st.just([]) | st.lists(blocks(), max_size=2)),
        pings=draw(st.sampled_from(["usual", "none", "everywhere"])),
        interleave=draw(st.booleans()),
        dialect=draw(dialects()) if dialect is None else dialect,
    )


@st.composite
def _pieces(draw: st.DrawFn, text: str) -> list[str]:
    """The text in fragments, some of them empty."""
    cuts = sorted(draw(st.lists(st.integers(0, len(text)), max_size=6)))
    return [text[start:end] for start, end in zip([0, *cuts], [*cuts, len(text)], strict=True)]


@st.composite
def _events_of(draw: st.DrawFn, index: int, block: dict[str, Json]) -> list[dict[str, Json]]:
    """Start, deltas and perhaps the stop of one block, cut differently from how compose does it."""
    kind = block["type"]
    deltas: list[dict[str, Json]] = []
    start = dict(block)
    if kind in ("text", "thinking"):
        given = draw(st.integers(0, 2)) == 0
        start[kind] = block[kind][:2] if given else ""
        deltas += [{"type": f"{kind}_delta", kind: each} for each in draw(_pieces(block[kind][2 * given :]))]
    if kind == "thinking":
        start["signature"] = ""
        deltas.append({"type": "signature_delta", "signature": block["signature"]})
    if kind == "text" and block.get("citations"):
        start["citations"] = draw(st.sampled_from([None, []]))
        deltas += [{"type": "citations_delta", "citation": each} for each in block["citations"]]
    if kind.endswith("tool_use"):
        value = block["input"]
        text = draw(
            st.sampled_from(["", "  ", json.dumps(value), json.dumps(value, ensure_ascii=False, indent=1)])
            | st.sampled_from(['{"a": "b', '{"a": nope}', "[1, 2", "7", '{"a": 1e999}', "NaN", '"x"', "[[[[["])
        )
        start["input"] = draw(st.sampled_from([{}, {}, value]))
        deltas += [{"type": "input_json_delta", "partial_json": each} for each in draw(_pieces(text))]
        if draw(st.integers(0, 9)) == 0:
            deltas.insert(0, {"type": "input_json_delta"})
    if kind == "compaction":
        start = {"type": "compaction", "content": None}
        deltas.append({"type": "compaction_delta", **{k: v for k, v in block.items() if k != "type"}})
    if kind == "hologram":
        deltas += draw(st.lists(st.sampled_from(_HOLOGRAM_DELTAS), max_size=3))
    if draw(st.integers(0, 9)) == 0:
        deltas.insert(0, {"type": "aura_delta", **draw(_extras()), "x_text": "a"})
    extra = draw(_extras()) if draw(st.integers(0, 9)) == 0 else {}
    events = [
        {"type": "content_block_start", "index": index, "content_block": start},
        *({"type": "content_block_delta", "index": index, "delta": delta, **extra} for delta in deltas),
    ]
    if draw(st.integers(0, 9)):
        events.append({"type": "content_block_stop", "index": index})
    return events


_HOLOGRAM_DELTAS: Final = (
    {"type": "text_delta", "text": "t"},
    {"type": "thinking_delta", "thinking": "u"},
    {"type": "input_json_delta", "partial_json": "{"},
    {"type": "signature_delta", "signature": "s"},
    {"type": "citations_delta", "citation": {"type": "c"}},
    {"type": "compaction_delta", "content": "c"},
    {"type": "hologram_delta", "beam": "zz", "frames": 3},
    {"beam": "no type"},
)
_NOISE: Final = (
    {"type": "ping"},
    {"type": "ping", "since": 3},
    {"type": "vertex_event", "payload": [1]},
    {"type": "message_delta", "delta": {"stop_reason": None}, "usage": {"output_tokens": 3}},
)


@st.composite
def event_lists(draw: st.DrawFn) -> list[dict[str, Json]]:
    """The events of a legal but strange stream: side by side, repeated, unknown, without an end."""
    prefilled = draw(st.just([]) | st.lists(blocks(), max_size=2))
    first = len(prefilled) + draw(st.sampled_from([0, 0, 0, 0, 1, 5]))
    grown = [draw(_events_of(first + at, block)) for at, block in enumerate(draw(st.lists(blocks(), max_size=3)))]
    if draw(st.booleans()):
        woven = []
        while any(grown):
            queue = draw(st.sampled_from([events for events in grown if events]))
            woven.append(queue.pop(0))
    else:
        woven = [event for events in grown for event in events]
    message: dict[str, Json] = {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "m",
        "content": prefilled,
    }
    message["usage"] = draw(usages())
    if draw(st.booleans()):
        message["stop_reason"] = None
    events = [{"type": "message_start", "message": message}, *woven]
    for _ in range(draw(st.sampled_from([1, 1, 2, 0]))):
        delta = draw(
            st.none() | st.fixed_dictionaries({"stop_reason": _STOP_REASONS}, optional={"container": _CALLERS})
        )
        events.append({"type": "message_delta", "delta": delta, "usage": draw(usages()), **draw(_extras())})
    events += draw(
        st.sampled_from(
            [
                [{"type": "message_stop"}],
                [{"type": "message_stop"}],
                [{"type": "message_stop"}, {"type": "ping"}],
                [{"type": "error", "error": {"type": "overloaded_error", "message": "m"}, "request_id": "r"}],
                [],
            ]
        )
    )
    for noise in draw(st.lists(st.sampled_from(_NOISE), max_size=2)):
        events.insert(draw(st.integers(1, len(events))), noise)
    return events


@st.composite
def bodies(draw: st.DrawFn, events: list[dict[str, Json]] | None = None) -> bytes:
    """Events written as a stream: one dialect throughout, with deltas in the API's own spelling most of the time."""
    if events is None:
        events = draw(event_lists())
    dice = draw(st.randoms(use_true_random=False))
    end = draw(st.sampled_from(["\n", "\n", "\n", "\r\n", "\r"]))
    usual = draw(st.integers(0, 3))
    frames = []
    for event in events:
        kind = str(event.get("type"))
        if usual or dice.random() < 0.5:
            text = json.dumps(event, ensure_ascii=False, separators=(",", ":"))
            text = text[:-1] + " " * dice.choice((0, 3, 15)) + "}"
        else:
            text = json.dumps(event, ensure_ascii=dice.random() < 0.5, indent=dice.choice((None, None, 1)))
        lines = [f"event: {kind}"] if usual > 1 else draw(st.sampled_from([[], ["event:x"], [":"], ["id: 1"]]))
        lines = [*lines, *(f"data: {line}" for line in text.split("\n"))]
        frames.append(end.join([*lines, "", ""]))
    return "".join(frames).encode("utf-8", "replace")


@st.composite
def delta_bodies(draw: st.DrawFn) -> bytes:
    """Streams of deltas that look like those of an open block in the API's own spelling, and are nearly always just
    that: here is where a fused parser and a plain one could differ."""
    kind = draw(st.sampled_from(["text", "text", "thinking", "tool_use", "hologram", "redacted_thinking"]))
    delta_type, key = _SPELLED.get(kind, ("text_delta", "text"))
    block = {"type": kind, **({"id": "i", "name": "n", "input": {}} if kind == "tool_use" else {})}
    index = draw(st.sampled_from([0, 0, 1, 9_999]))
    opening: list[dict[str, Json]] = [
        {"type": "message_start", "message": {"id": "m", "content": [], "usage": {}}},
        {"type": "content_block_start", "index": index, "content_block": block},
    ]
    closing: list[dict[str, Json]] = [
        {"type": "content_block_stop", "index": index},
        {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {}},
        {"type": "message_stop"},
    ]
    frames = [_frame(event) for event in opening]
    odd_index = st.sampled_from([b"0", b"1", b"00", b"-0", b"0.0", b"1e0", b"9999", b"10000", b'"0"', b"true", b" 0"])
    for _ in range(draw(st.integers(0, 8))):
        usual = draw(st.integers(0, 4)) > 0
        text = draw(st.sampled_from(_GOOD_TEXTS if usual else _ODD_TEXTS))
        at = b"%d" % index
        ending, space = b"\n\n", b" " * draw(st.sampled_from([0, 1, 15]))
        this_type, this_key = delta_type, key
        if not usual:
            match draw(st.integers(0, 6)):
                case 0:
                    at = draw(odd_index)
                case 1:
                    this_type, this_key = draw(st.sampled_from([*_SPELLED.values(), ("new_delta", "text")]))
                case 2:
                    ending = draw(st.sampled_from([b"\r\n\r\n", b"\n\r\n", b"\n", b"", b"\n\n\n", b"\r\r", b"\n\n\r"]))
                case 3:
                    space = draw(st.sampled_from([b" " * 62, b" " * 63, b" " * 64, b" " * 65, b"\t", b',"x":1', b"}"]))
                case 4:
                    frames.append(draw(st.sampled_from(_BETWEEN)))
                case _:
                    pass
        frames.append(
            b'event: content_block_delta\ndata: {"type":"content_block_delta","index":%b,'
            b'"delta":{"type":"%b","%b":"%b"}%b}%b' % (at, this_type.encode(), this_key.encode(), text, space, ending)
        )
    frames += [_frame(event) for event in closing[: draw(st.sampled_from([3, 3, 3, 0, 1]))]]
    return b"".join(frames)


def _frame(event: dict[str, Json]) -> bytes:
    return f"event: {event['type']}\ndata: {json.dumps(event)}\n\n".encode()


_SPELLED: Final = {
    "text": ("text_delta", "text"),
    "thinking": ("thinking_delta", "thinking"),
    "tool_use": ("input_json_delta", "partial_json"),
}
_GOOD_TEXTS: Final = (
    b"",
    b"hello",
    b" the river",
    b'{\\"a\\": 1',
    b"\\n",
    b"\\\\",
    b"a\\\\n",
    b"\xc3\xa9",
    b"\xf0\x9f\x98\x80",
    b"\xe2\x80\xa8",
    b"\xc2\x85",
    b"\x7f",
)
_ODD_TEXTS: Final = (
    *_GOOD_TEXTS,
    b"\\u00e9",
    b"\\ud83d\\ude00",
    b"\\ud800",
    b'a""b',
    b'a" "b',
    b'a"\t"b',
    b'a","b',
    b"\\u12",
    b"\\x",
    b"\\",
    b"\\\\u00e9",
    b"\xff",
    b"a\xc3",
    b"\xed\xa0\x80",
    b"\xc0\xaf",
    b"\t",
    b"\0",
    b'a"b',
    b'a","text":"b',
    b'a"},"x":{"y":"z',
    b'a"}}\n\ndata: {"type":"ping","x":{"y":"z',
    b'"}}',
    b"\n",
    b"\r",
    b"\n\n",
    b"x" * 300,
    b"\xef\xbb\xbf",
)
_BETWEEN: Final = (
    b'event: ping\ndata: {"type": "ping"}\n\n',
    b": comment\n\n",
    b": comment\n",
    b"id: 5\n",
    b"id: 5\n\n",
    b"retry: 9\n",
    b"event: x\n",
    b"event: x\n\n",
    b"data: [DONE]\n\n",
    b"\n",
    b"\n\n",
    b"\r",
    b"\xef\xbb\xbf",
    b'data: {"type":"content_block_start","index":3,"content_block":{"type":"thinking"}}\n\n',
    b'data: {"type":"content_block_stop","index":0}\n\n',
    b'data: {"type":"content_block_stop","index":3}\n\n',
    b'data: {"type":"error","error":{"type":"api_error"}}\n\n',
    b'data: {"type":"message_stop"}\n\n',
    b'data: {"type":"message_delta","delta":{"stop_reason":null},"usage":{"output_tokens":1}}\n\n',
)


@st.composite
def hostile_bodies(draw: st.DrawFn) -> bytes:
    """Any bytes, near enough to a stream that each check is reached."""
    dice = draw(st.randoms(use_true_random=False))
    match draw(st.integers(0, 4)):
        case 0:
            return break_bytes(draw(transcripts()).data, dice)
        case 1:
            return draw(bodies(break_events(draw(event_lists()), dice)))
        case 2:
            return break_bytes(draw(delta_bodies()), dice)
        case 3:
            return b"".join(draw(st.lists(st.sampled_from(TOKENS), max_size=12)))
        case _:
            return draw(st.binary(max_size=100))


# Server-sent events alone.

_SSE_TOKENS: Final = (
    *(b"\n", b"\r", b"\r\n", b"\n\n", b"\r\r", b"\r\n\r\n", b":", b" ", b"\xef\xbb\xbf", b"\xef", b"\xbb", b"\xff"),
    *(b"data", b"data:", b"data: x", b"data: \n", b"event", b"event: e", b"event:\n", b"id", b"id: 1\n", b"id:\0\n"),
    *(
        b"retry: 10\n",
        b"retry: 1x\n",
        b"retry:\n",
        b"retry: " + b"9" * 4_001 + b"\n",
        b": comment\n",
        b"\0",
        b"\xc3\xa9",
    ),
    *(
        b"event: error\n\n",
        b"event: a\ndata: b\n\n",
        b"unknown: x\n",
        b" data: x\n",
        b"x" * 40,
        b"data: a\ndata: b\n\n",
    ),
)


def sse_bodies() -> st.SearchStrategy[bytes]:
    """Bytes of an event stream, or nearly."""
    tokens = st.lists(st.sampled_from(_SSE_TOKENS), max_size=25).map(b"".join)
    return st.one_of(tokens, tokens, st.binary(max_size=60), hostile_bodies())


def sse_events() -> st.SearchStrategy[ServerSentEvent]:
    """Events that the format can carry."""
    line = texts(12).map(lambda text: text.replace("\n", "").replace("\r", ""))
    return st.builds(
        ServerSentEvent,
        event=line.map(lambda name: name or "message"),
        raw=st.binary(max_size=30).map(lambda raw: raw.replace(b"\r", b"")),
        id=line.map(lambda text: text.replace("\0", "")),
        retry=st.none() | st.integers(0, 10**30),
    )


# Chunkings.


@define(frozen=True)
class Cut:
    """One way to cut bytes, small enough to be read in the report of a failure."""

    way: str
    detail: int | tuple[int, ...] = 0

    def of(self, data: bytes) -> list[bytes]:
        """The chunks."""
        match self.way, self.detail:
            case "whole", _:
                return chunkings.whole(data)
            case "bytewise", _:
                return chunkings.bytewise(data)
            case "steps", int(size):
                return chunkings.steps(data, size)
            case "network", int(seed):
                return Transcript.from_bytes(data).network_chunks(seed)
            case "random", int(seed):
                return chunkings.random(data, seed)
            case "cuts", tuple(thousandths):
                return chunkings.at_cuts(data, [each * len(data) // 1_000 for each in thousandths])
        raise AssertionError(self)


def cuts() -> st.SearchStrategy[Cut]:
    """The ways in which a network could cut."""
    return st.one_of(
        st.sampled_from([Cut("whole"), Cut("bytewise")]),
        st.builds(Cut, st.just("steps"), st.integers(2, 200)),
        st.builds(Cut, st.just("network"), st.integers(0, 99)),
        st.builds(Cut, st.just("random"), st.integers(0, 999)),
        st.builds(Cut, st.just("cuts"), st.lists(st.integers(1, 999), max_size=5).map(tuple)),
    )
