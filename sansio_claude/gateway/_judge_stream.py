"""What a stream or a whole answer shows about the server that sent it, check by check. Pure: bytes in, findings out."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

from sansio_claude._errors import ClaudeError, RemoteProtocolError
from sansio_claude._errors.arguments import as_bytes
from sansio_claude._errors.error_object import error_object
from sansio_claude._json import loads_with_halves
from sansio_claude._limits import DEFAULT_LIMITS
from sansio_claude._message.blocks import ThinkingBlock, ToolUseBlock
from sansio_claude._message.message import Message
from sansio_claude._stream.events import Event, MessageDelta, Ping
from sansio_claude._stream.merging import odd_counters
from sansio_claude._stream.message_stream import MessageStream
from sansio_claude.gateway._checks import Finding, Verdict, check_of
from sansio_claude.gateway._mend_kinds import Mended, MendKind
from sansio_claude.gateway._repair import Repair
from sansio_claude.gateway._wrapped import messages_of, read_wrapped

__all__ = ["KINDS_OF", "finding", "judge_body", "judge_message", "judge_stream"]

# The kinds of mending that each check of a stream stands for.
KINDS_OF: Final[Mapping[str, tuple[MendKind, ...]]] = {
    "stream.is_stream": ("whole_message",),
    "stream.event_names": ("event_name", "event_type"),
    "stream.block_events": ("missing_start", "open_block", "input_without_stop", "repeated_start"),
    "stream.order": ("delta_order",),
    "stream.one_message_delta": ("several_deltas",),
    "stream.indices": ("index_order", "index_missing"),
    "stream.deltas": ("foreign_empty_delta", "typeless_delta", "kept_key", "twice"),
    "stream.values": ("empty_value", "no_content", "role", "placeholder"),
    "stream.characters": ("half_character",),
    "stream.usage": ("usage",),
    "stream.tool_inputs": ("input",),
    "stream.frames": ("last_blank_line", "skipped", "after_message_stop"),
    "errors.shape": ("error_shape",),
}
# Kinds that other checks see for themselves.
SEEN_ELSEWHERE: Final[tuple[MendKind, ...]] = ("no_message_stop", "no_message_delta", "stop_reason_mismatch")
_ID: Final = re.compile(r"[a-zA-Z0-9_-]+")
_MOST_EXAMPLES: Final = 3


def finding(name: str, good: bool | None, words: str = "", where: str = "") -> Finding:
    """The finding of a check: passed, failed, or unseen for None."""
    verdict: Verdict = "unseen" if good is None else "passed" if good else "failed"
    return Finding(check_of(name), verdict, words, where)


def judge_body(body: bytes, *, where: str = "") -> list[Finding]:
    """The findings on the body of an answer, a stream or a whole one in JSON. Linear in its length."""
    body = as_bytes(body)
    try:
        value, _ = loads_with_halves(body.removeprefix(b"\xef\xbb\xbf"), DEFAULT_LIMITS.depth)
    except RemoteProtocolError:
        return _judge_wrapped(body, where)
    if error_object(value) is not None:
        return [_error_shape(value, where)]
    return judge_message(value, where=where)


def _judge_wrapped(body: bytes, where: str) -> list[Finding]:
    """The findings on each stream in a file; an agent's output has several."""
    wrapped = read_wrapped([body])
    if not (first := next(wrapped, b"")) or wrapped.wrapping != "stream_json":
        return judge_stream(body, where=where)
    found: list[Finding] = []
    for number, frames in enumerate(messages_of([first, *wrapped]), 1):
        found += judge_stream(b"".join(frames), where=f"{where}, message {number}" if where else f"message {number}")
    return found


def judge_stream(body: bytes, *, where: str = "") -> list[Finding]:
    """The findings on the body of a streamed answer. One that is not framed as an event stream is read all the same."""
    wrapped = read_wrapped([body])
    body = b"".join(wrapped)
    found = _judge_events(body, where)
    if wrapped.wrapping in ("json_lines", "no_blank_lines"):
        found = [each for each in found if each.check.id != "stream.is_stream"]
        found.insert(0, finding("stream.is_stream", False, wrapped.words, where))
    return found


def _judge_events(body: bytes, where: str) -> list[Finding]:
    repair = Repair()
    repair.receive_data(body)
    repair.receive_eof()
    events, stream = _read(body)
    found = [finding(name, not _of(repair.mended, kinds), _words(repair.mended, kinds), where)
             for name, kinds in KINDS_OF.items() if name != "errors.shape"]  # fmt: skip
    late = _of(repair.mended, ("no_message_stop",))
    cut = repair.state == "truncated" or bool(late)
    error = str(repair.error) if repair.error is not None else "; ".join(each.words for each in late)
    found.append(finding("stream.whole", not cut and (repair.state != "broken" or None), error if cut else "", where))
    broken = repair.state == "broken"
    found.append(finding("stream.readable", not broken, error if broken else "", where))
    if repair.state == "errored":
        shapes = _words(repair.mended, ("error_shape",))
        found.append(finding("errors.shape", not shapes, shapes, where))
    reason = any(isinstance(each, MessageDelta) and (each.delta or {}).get("stop_reason") for each in events)
    whole = repair.state == "complete"
    words = "" if reason else "no message_delta had a stop_reason"
    found.append(finding("stream.stop_reason", reason or (False if whole else None), words, where))
    pings = sum(isinstance(each, Ping) for each in events)
    found.append(finding("stream.pings", pings > 0 or None, "" if pings else "no ping came", where))
    if stream.message is not None:
        found += _of_message(stream.message, where, whole=whole)
    return found


def _read(body: bytes) -> tuple[list[Event], MessageStream]:
    stream = MessageStream()
    stream.receive_data(body)
    stream.receive_eof()
    try:
        return stream.events_received(), stream
    except ClaudeError:
        return [], stream


def _of(mended: Iterable[Mended], kinds: Iterable[MendKind]) -> list[Mended]:
    wanted = set(kinds)
    return [each for each in mended if each.kind in wanted]


def _words(mended: Iterable[Mended], kinds: Iterable[MendKind]) -> str:
    """What was mended, in words: the first few."""
    seen = _of(mended, kinds)
    shown = [f"{each.words} (event {each.event_number})" for each in seen[:_MOST_EXAMPLES]]
    more = len(seen) - len(shown)
    return "; ".join([*shown, f"and {more} more" if more else ""][: len(shown) + (more > 0)])


def _of_message(message: Message, where: str, *, whole: bool) -> list[Finding]:
    """The checks that look at the message as it came out."""
    calls = [block for block in message.content if isinstance(block, ToolUseBlock)]
    found = []
    names: list[str] = []
    odd = []
    for call in calls:
        identity: Any = call.raw.get("id")
        if not isinstance(identity, str) or _ID.fullmatch(identity) is None or identity in names:
            odd.append(f"the id {identity!r:.60}")
        if not call.raw.get("name"):
            odd.append("a call without a name")
        names.append(str(identity))
    found.append(finding("stream.tool_ids", not odd if calls else None, "; ".join(odd[:_MOST_EXAMPLES]), where))
    if whole:
        ends_with_call = bool(message.content) and isinstance(message.content[-1], ToolUseBlock)
        wrong = ends_with_call and message.stop_reason in ("end_turn", "stop_sequence")
        wrong = wrong or (message.stop_reason == "tool_use" and not calls)
        words = f"stop_reason is {message.stop_reason}, and the answer has {len(calls)} calls"
        found.append(finding("stream.stop_reason_fits", not wrong, words if wrong else "", where))
    thoughts = [block for block in message.content if isinstance(block, ThinkingBlock)]
    unsigned = [block for block in thoughts if not block.raw.get("signature")]
    words = f"{len(unsigned)} of {len(thoughts)} thinking blocks have no signature" if unsigned else ""
    found.append(finding("stream.signatures", not unsigned if thoughts else None, words, where))
    return found


def judge_message(value: Any, *, where: str = "") -> list[Finding]:
    """The findings on a whole answer, given as its JSON value."""
    if not isinstance(value, dict):
        return [finding("whole.message", False, "the answer is no JSON object", where)]
    odd = [key for key in ("id", "type", "role", "model") if not isinstance(value.get(key), str) or not value[key]]
    if not isinstance(value.get("content"), list):
        odd.append("content")
    if value.get("type") not in ("message", None) or value.get("role") not in ("assistant", None):
        odd.append(f"type {value.get('type')!r:.40}, role {value.get('role')!r:.40}")
    words = f"missing or odd: {', '.join(odd)}" if odd else ""
    message = None
    try:
        message = Message.from_dict(value)
    except ClaudeError as error:
        words = str(error)
    found = [finding("whole.message", message is not None and not odd, words, where)]
    usage = value.get("usage")
    good = isinstance(usage, dict) and not odd_counters(usage) and type(usage.get("output_tokens")) is int
    found.append(finding("whole.usage", good, "" if good else f"usage is {usage!r:.80}", where))
    reason = value.get("stop_reason")
    good = isinstance(reason, str) and reason != ""
    found.append(finding("whole.stop_reason", good, "" if good else f"stop_reason is {reason!r:.40}", where))
    if message is not None:
        found += _of_message(message, where, whole=True)
    return found


def _error_shape(value: Any, where: str) -> Finding:
    error: Any = value.get("error") if isinstance(value, dict) else None
    good = isinstance(error, dict) and value.get("type") == "error"
    good = good and isinstance(error.get("type"), str) and isinstance(error.get("message"), str)
    return finding("errors.shape", good, "" if good else f"the error is {value!r:.120}", where)
