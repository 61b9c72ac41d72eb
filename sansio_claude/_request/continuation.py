"""What to send next after an answer that is cut, paused or refused. Pure functions; the caller decides to send it.

`STEPS` says for each stop reason what comes next, for `continuation` and the tool loop alike. `continuation` makes the
next request of a request and its answer, or says why there is none. The rules:

- Only "tool_use" runs tools, and only after a whole answer. No tool of a cut answer is ever run.
- A cut answer is gone on with from its last whole place: complete thinking (with its signature) and pairs of server
  tool call and result stay; the first block that cannot stay (an input or thinking that is not whole, a client
  tool call, a server call without its result) and all behind it are dropped; white space at the end is stripped.
- Models up to 4.5 without thinking get what is left as the beginning of their answer (prefill). Newer models refuse
  that: they get it as their turn, followed by a user's turn that quotes its end and asks to go on.
- Where nothing is left, the same request is sent again; where max_tokens was in the way of that, with more of them.

How to give an answer that breaks off whole, without repeating text:

    async def tell(client, request):
        try:
            async with client.stream(**request) as stream:
                return (await stream.final_message()).text
        except ClaudeError as error:
            match continuation(request, error):
                case Continuation() as following:
                    rest = await tell(client, following.request)
                    return following.before + following.join(rest)
                case NoContinuation(reason="finished") if error.partial is not None:
                    return error.partial.text                 # only the end of the stream was cut off
                case NoContinuation():
                    raise
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, Literal, TypeAlias

import attrs

from sansio_claude._errors import APIError, ClaudeError, LocalProtocolError
from sansio_claude._message.blocks import CompactionBlock, RedactedThinkingBlock, TextBlock, ThinkingBlock, UnknownBlock
from sansio_claude._message.message import Message
from sansio_claude._message.tool_blocks import ToolInputBlock, ToolUseBlock
from sansio_claude._message.views import Container, StopDetails
from sansio_claude._models import model_info
from sansio_claude._request.request import UNSET, MessageRequest
from sansio_claude._value import an

__all__ = [
    "STEPS",
    "Continuation",
    "How",
    "NoContinuation",
    "Reason",
    "Step",
    "after_compaction",
    "changed",
    "container_of",
    "continuation",
    "larger_max_tokens",
    "next_step",
    "whole_blocks",
]

Step: TypeAlias = Literal["finished", "run_tools", "resume", "compacted", "cut", "context_full", "refused"]
"""What follows an answer:

- "finished": use it; nothing is to be sent.
- "run_tools": run its tool calls, and send all results in one user's turn.
- "resume": send it back unchanged as the last turn; no tool is run.
- "compacted": send the compaction block first, in place of what it sums up.
- "cut": max_tokens was reached; go on, or ask again with more where a tool input is cut.
- "context_full": the context window is full; nothing can be added before something is taken away.
- "refused": the model may not answer; take the turn out of the history.
"""

STEPS: Final[Mapping[str, Step]] = {
    "end_turn": "finished",
    "stop_sequence": "finished",
    "tool_use": "run_tools",
    "pause_turn": "resume",
    "compaction": "compacted",
    "max_tokens": "cut",
    "model_context_window_exceeded": "context_full",
    "refusal": "refused",
}
"""The step after each known stop reason. Any other, and none, is taken for "finished"; tools are not run."""

How: TypeAlias = Literal["resume", "prefill", "ask", "again", "larger"]
Reason: TypeAlias = Literal["finished", "run_tools", "context_full", "refused", "limit", "error"]

_QUOTED: Final = 300  # characters of the answer's end that the request to go on quotes
_OVERLAP: Final = 12  # characters from which on a repetition is no coincidence
_BY_DEFAULT: Final = 4096


def next_step(stop_reason: str | None) -> Step:
    """What follows an answer with this stop reason."""
    return STEPS.get(stop_reason or "", "finished")


@attrs.define(frozen=True, kw_only=True)
class Continuation:
    """The next request. `request` is of the kind that was given: arguments, or a MessageRequest.

    `how` it goes on: "resume" (the answer is sent back unchanged), "prefill" (what is whole of it stands at the end),
    "ask" (a user's turn asks to go on), "again" (the same request), "larger" (the same with more `max_tokens`).
    `before` is the text of the blocks that stay, but for that of the last one if it is a text: that is `text`, which
    the next answer follows on directly ("" where it begins anew). `space` is the white space that was stripped from
    the end of `text`, `dropped` the types of the blocks that were left out. All the text is
    `following.before + following.join(next_answer.text)`.
    """

    request: Any
    how: How
    text: str = ""
    space: str = ""
    dropped: tuple[str, ...] = ()
    before: str = ""

    def join(self, after: str) -> str:
        """`text` and the text of the next answer as one, with the space between.

        What `repeated` gives is left out; nothing else ever is.
        """
        if self.how != "ask" or not self.text:
            return self.text + after
        said = len(self.repeated(after))
        if said:
            return self.text + after[said:]
        return self.text + ("" if after[:1].isspace() else self.space) + after

    def repeated(self, after: str) -> str:
        """The beginning of the next answer that says the last words of `text` once more; "" for none.

        Only what 12 characters or more repeat, up to 600, and what cannot be meant: where the end of the text repeats
        itself anyway (rows of a table, zeros), the next answer may well go on like that, and nothing is left out.
        """
        if self.how != "ask" or not self.text:
            return ""
        longest = min(len(self.text), len(after), 2 * _QUOTED)
        for length in range(longest, _OVERLAP - 1, -1):
            if self.text.endswith(after[:length]):
                return "" if _goes_on_by_itself(self.text, length) else after[:length]
        return ""


def _goes_on_by_itself(text: str, length: int) -> bool:
    """Whether the last `length` characters of a text may well come once more, since its end repeats itself.

    They do where they are made of equal parts, or where what stands before them ends as they do: then the period of
    the text's end is no longer than they are.
    """
    end = text[-length:]
    if any(length % period == 0 and end == end[:period] * (length // period) for period in range(1, length // 2 + 1)):
        return True
    return len(text) > length and text[-length - 1] == text[-1]


@attrs.define(frozen=True)
class NoContinuation:
    """There is no next request: `reason` to match on, `words` for people."""

    reason: Reason
    words: str


def continuation(
    request: Mapping[str, Any] | MessageRequest,
    answer: Message | ClaudeError | None,
    *,
    cut: bool | None = None,
    prefill: bool | None = None,
) -> Continuation | NoContinuation:
    """The request that goes on after `answer`, or why there is none.

    `request` has the arguments of the request that was answered. `answer` is the message, or the error that ended it
    (its `partial` is used). `cut` says whether a message given as such ended without message_stop; where that is not
    said, one without a stop reason counts as cut unless it is known to be whole. `prefill` overrules what is known of
    the model. Nothing given is changed, and nothing that an answer holds makes this raise anything but
    LocalProtocolError. Linear in the answer.
    """
    message = answer
    if isinstance(answer, ClaudeError):
        cut, message = True, answer.partial
        permanent = isinstance(answer, APIError) and not answer.retryable and message is None
        if permanent or isinstance(answer, LocalProtocolError):
            return NoContinuation("error", f"the same request would fail again: {answer.message}")
    if not isinstance(message, Message):
        return Continuation(request=request, how="again")
    if not message.stop_reason:
        if cut is False or (cut is None and message.whole):
            return NoContinuation("finished", "the answer is whole, but names no stop reason: taken for the end")
        return _go_on(request, message, prefill, "The connection broke")
    step = next_step(message.stop_reason)
    if step in ("resume", "compacted"):
        return _send_back(request, message, prefill, step, cut=bool(cut))
    if step == "cut":
        return _after_max_tokens(request, message, prefill)
    if step == "run_tools" and cut:
        # The calls are whole, but the answer is not proved to be: they are not run.
        return Continuation(request=request, how="again", dropped=tuple(block.type for block in message.content))
    return _none(step, message)


def _send_back(
    request: Mapping[str, Any] | MessageRequest, message: Message, prefill: bool | None, step: Step, *, cut: bool
) -> Continuation | NoContinuation:
    """After pause_turn and compaction: the answer goes back as it is, if it is whole."""
    broken = any(isinstance(block, ToolInputBlock) and block.input_status != "complete" for block in message.content)
    unsigned = any(isinstance(block, ThinkingBlock) and not block.signature for block in message.content)
    if cut and (broken or unsigned):
        return _go_on(request, message, prefill, "The connection broke")
    if broken:
        return NoContinuation("error", "the answer has a tool input that is not whole, so it cannot be sent back")
    if step == "compacted":
        return Continuation(request=after_compaction(request, message), how="resume")
    if not message.content:  # nothing to send back: the API takes no empty turn
        return Continuation(request=request, how="again")
    turn = message.to_param()
    changes = container_of(request, message)
    return Continuation(request=changed(request, messages=[*_messages(request), turn], **changes), how="resume")


def _none(step: Step, message: Message) -> NoContinuation:
    if step == "run_tools":
        return NoContinuation("run_tools", _how_to_answer_calls(message))
    if step == "context_full":
        return NoContinuation(
            "context_full", "the context window is full: compact the conversation or take turns out of it first"
        )
    if step == "refused":
        details = message.stop_details or StopDetails()
        category, model = details.category, details.recommended_model
        words = f"the model refused{f' ({category})' if category else ''}: take the turn out of the history"
        return NoContinuation("refused", words + (f", or ask {model}" if model else ""))
    known = message.stop_reason in STEPS
    return NoContinuation(
        "finished",
        "the answer is finished"
        if known
        else f"the stop reason {message.stop_reason!r} is not known: taken for the end",
    )


def _how_to_answer_calls(message: Message) -> str:
    """What to do about the calls of an answer, those among them too that cannot be run as they are."""
    words = "the answer calls tools: run them and send their results"
    advice: list[str] = []
    seen: set[str] = set()
    for block in message.content:
        if not isinstance(block, ToolUseBlock):
            continue
        name: Any = block.raw.get("name")
        call = f"the call of {name!r:.60}"
        found: Any = block.raw.get("id")
        if not isinstance(found, str) or not found or found in seen:
            advice.append(f"{call} has no id of its own: give it one, the same in the call and in its result")
        else:
            seen.add(found)
        if block.input_status != "complete":
            advice.append(
                f"{call} has an input that is no JSON object: do not run it; send it back with the input {{}} and "
                "answer it with an error result that says so"
            )
        elif not _is_text(block.input):
            advice.append(
                f"{call} has half a surrogate pair in its input: do not run it; answer it with an error result that "
                "says so (what goes back to the API carries U+FFFD in its place)"
            )
    if not advice:
        return words
    others = "the answer calls tools, not all of which can be run as they are"
    return f"{others}: {'; '.join(advice[:5])}. ToolLoop does all of this"


def _is_text(value: Any) -> bool:
    """Whether no text in a JSON value holds half a surrogate pair."""
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        return False
    return True


def _sendable(text: str) -> str:
    """The text with U+FFFD for each half of a surrogate pair, which UTF-8 cannot carry."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _after_max_tokens(
    request: Mapping[str, Any] | MessageRequest, message: Message, prefill: bool | None
) -> Continuation | NoContinuation:
    kept = whole_blocks(message.content, cut=True)
    # A tool call cannot be gone on with; a client's call that is whole was not answered and must not be run either.
    calls = any(isinstance(block, ToolUseBlock) for block in message.content)
    if kept and not calls and not isinstance(message.content[-1], ToolInputBlock):
        return _go_on(request, message, prefill, "The output limit was reached")
    more = larger_max_tokens(request)
    if more is None:
        return NoContinuation(
            "limit", "max_tokens was reached where the answer cannot be gone on with, and is at the model's limit"
        )
    dropped = tuple(block.type for block in message.content)
    return Continuation(request=changed(request, max_tokens=more), how="larger", dropped=dropped)


def larger_max_tokens(request: Mapping[str, Any] | MessageRequest) -> int | None:
    """Twice the request's `max_tokens`, at most what the model can give; None where that is no more."""
    info = model_info(_value(request, "model"))
    limit = None
    if info is not None:
        flagged = info.max_output_flag in (_value(request, "betas") or ())
        limit = info.max_output_tokens_beta if flagged else info.max_output_tokens
    given = _value(request, "max_tokens")
    now = given if isinstance(given, int) and given > 0 else _BY_DEFAULT // 2
    more = 2 * now if limit is None else min(2 * now, limit)
    return more if more > now else None


def whole_blocks(content: Sequence[Any], *, cut: bool) -> list[Any]:
    """The blocks of an answer that may stand in the next request, from the first on: see the rules above.

    `cut` says that the last block may not be whole. Without a client's tool call, which needs its result.
    """
    answers: list[Any] = [block.raw.get("tool_use_id") for block in content]
    answered = {each for each in answers if isinstance(each, str)}
    kept: list[Any] = []
    for place, block in enumerate(content):
        last = place == len(content) - 1
        if isinstance(block, ToolInputBlock):
            if isinstance(block, ToolUseBlock) or block.input_status != "complete" or not _is_among(block, answered):
                break
        elif isinstance(block, ThinkingBlock):
            if not block.signature:
                break
        elif cut and last and isinstance(block, UnknownBlock | CompactionBlock):
            if not isinstance(block, CompactionBlock) or block.content is None:
                break
        elif isinstance(block, TextBlock) and not block.text.strip():
            continue  # the API refuses a text without text
        kept.append(block)
    # An answer may not end in thinking.
    while kept and isinstance(kept[-1], ThinkingBlock | RedactedThinkingBlock):
        kept.pop()
    return kept


def _is_among(block: ToolInputBlock, answered: set[str]) -> bool:
    found: Any = block.raw.get("id")
    return isinstance(found, str) and found in answered


def _go_on(
    request: Mapping[str, Any] | MessageRequest, message: Message, prefill: bool | None, what: str
) -> Continuation:
    kept = whole_blocks(message.content, cut=True)
    staying = set(map(id, kept))
    dropped = tuple(block.type for block in message.content if id(block) not in staying)
    if not kept:
        return Continuation(request=request, how="again", dropped=dropped)
    blocks = [block.to_param() for block in kept]
    text = space = ""
    if isinstance(kept[-1], TextBlock):
        whole = _sendable(kept[-1].text)
        text = whole.rstrip()
        space = whole[len(text) :]
        blocks[-1]["text"] = text
    messages = _with_turn(_messages(request), blocks)
    if prefill is None:
        prefill = _takes_prefill(request)
    if not prefill:
        messages.append({"role": "user", "content": _please_go_on(text, what)})
    return Continuation(
        request=changed(request, messages=messages, **container_of(request, message)),
        how="prefill" if prefill else "ask",
        text=text,
        space=space,
        dropped=dropped,
        before="".join(block.text for block in (kept[:-1] if text else kept) if isinstance(block, TextBlock)),
    )


def _please_go_on(text: str, what: str) -> str:
    if not text:
        return f"{what} before your answer was complete. Go on from where it ends; do not repeat any of it."
    end = text if len(text) <= _QUOTED else "..." + text[-_QUOTED:]
    return (
        f"{what} before your answer was complete. It ends with:\n\n<end>{end}</end>\n\nGo on from exactly there: "
        "begin with the very next character, do not repeat any of it, and say nothing about the interruption."
    )


def _takes_prefill(request: Mapping[str, Any] | MessageRequest) -> bool:
    info = model_info(_value(request, "model"))
    thinking = _value(request, "thinking")
    # With thinking on, no model takes the beginning of an answer.
    off = thinking is None or (isinstance(thinking, Mapping) and thinking.get("type") == "disabled")
    return info is not None and info.prefill is True and off


def after_compaction(request: Mapping[str, Any] | MessageRequest, message: Message) -> Any:
    """The request with the answer's compaction block first, in place of the turns it sums up.

    A block without content is a compaction that failed: the turns stay, the block behind them. The `compaction`
    argument, which would compact again, goes.
    """
    worked = any(isinstance(block, CompactionBlock) and block.content for block in message.content)
    once = _value(request, "compaction") is not None
    messages: list[Any] = [] if worked else list(_messages(request))
    if worked or not once:
        messages.append(message.to_param())
    return changed(request, messages=messages, compaction=UNSET, **container_of(request, message))


def container_of(request: Mapping[str, Any] | MessageRequest, message: Message) -> dict[str, Any]:
    """The `container` argument that the next request needs to go on in the answer's container; empty for none."""
    found = (message.container or Container()).id
    given = _value(request, "container")
    if not isinstance(found, str):
        return {}
    if given is None:
        return {"container": found}
    if isinstance(given, Mapping) and not given.get("id"):
        return {"container": {**given, "id": found}}
    return {}


def changed(request: Mapping[str, Any] | MessageRequest, **changes: Any) -> Any:
    """The request with other arguments, as the kind it is; UNSET takes one away."""
    if isinstance(request, MessageRequest):
        return request.replace(**changes)
    found = {**request, **changes}
    return {name: value for name, value in found.items() if value is not UNSET}


def _value(request: Mapping[str, Any] | MessageRequest, name: str) -> Any:
    value = getattr(request, name) if isinstance(request, MessageRequest) else request.get(name)
    return None if value is UNSET else value


def _messages(request: Mapping[str, Any] | MessageRequest) -> list[Any]:
    found = _value(request, "messages") or ()
    if not isinstance(found, Iterable) or isinstance(found, str | bytes | Mapping):
        words = f"messages must be a list of turns, not {an(type(found).__name__)}"
        raise LocalProtocolError(words, path="messages")
    return list(found)


def _with_turn(messages: list[Any], blocks: list[dict[str, Any]]) -> list[Any]:
    """The messages with an assistant's turn of these blocks; behind a prefill it becomes one turn with it."""
    last = messages[-1] if messages else None
    if isinstance(last, Mapping) and last.get("role") == "assistant" and blocks[0].get("type") == "text":
        before = last.get("content")
        if isinstance(before, str):
            before = [{"type": "text", "text": before}]
        if isinstance(before, list) and before and isinstance(before[-1], Mapping):
            if before[-1].get("type") == "text" and isinstance(before[-1].get("text"), str):
                first = {**blocks[0], "text": before[-1]["text"] + blocks[0]["text"]}
                return [*messages[:-1], {**last, "content": [*before[:-1], first, *blocks[1:]]}]
    return [*messages, {"role": "assistant", "content": blocks}]
