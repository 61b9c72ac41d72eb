"""fit_messages: a history made fit for a model, with the list of what was changed and why.

In: the messages of a conversation, and the model that is to go on with it. Out: messages that the API takes, and one
`HistoryChange` for each difference. Promises: what needs no change is the same object; nothing else is touched, a
thinking block with a signature that fits above all; fitting twice is fitting once; no content is invented, except
that a call without a result gets an error result that says so.

The order of the steps: blocks one by one, ids, client calls and their results, server calls, cache marks. Each works
on what the one before left, so that the last result has none of the faults.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias

import attrs

from sansio_claude._check.cache import MOST_BREAKPOINTS
from sansio_claude._check.messages import CALL_ID, text_is_empty
from sansio_claude._check.shapes import RESULTS
from sansio_claude._errors import LocalProtocolError, RemoteProtocolError
from sansio_claude._json import loads_input
from sansio_claude._models import ModelInfo, model_info

if TYPE_CHECKING:
    from sansio_claude._request.request import Param

__all__ = ["Fitted", "HistoryChange", "HistoryFault", "fit_messages"]

HistoryFault: TypeAlias = Literal[
    "unsigned_thinking",
    "foreign_thinking",
    "empty_text",
    "empty_turn",
    "call_input",
    "incomplete_call",
    "call_id",
    "call_without_result",
    "result_without_call",
    "server_call_without_result",
    "cache_mark",
]
_CALLS: Final = ("tool_use", "server_tool_use", "mcp_tool_use")
_SERVER_CALLS: Final = ("server_tool_use", "mcp_tool_use")
_THINKING: Final = ("thinking", "redacted_thinking")
_NO_RESULT: Final = "There is no result: the call was interrupted."


@attrs.define(frozen=True)
class HistoryChange:
    """One thing that `fit_messages` changed."""

    path: str
    """Where, in the messages as they were given: `messages[3].content[0]`."""
    fault: HistoryFault
    """What was wrong."""
    reason: str
    """What was done and why, in words."""


@attrs.define(frozen=True)
class Fitted:
    """What `fit_messages` gives: `messages` for the request, and what was changed."""

    messages: list[Any]
    changes: tuple[HistoryChange, ...]
    """What was changed, in the order of the messages; empty where nothing was."""


def fit_messages(messages: Iterable[Param], model: str) -> Fitted:
    """Make a history fit for a model: what the API refuses in turns that are replayed, taken out or mended.

    Mended are: thinking without a signature, or of another model; calls without results (they get an error result)
    and results without calls; calls whose input was cut; ids outside of `^[a-zA-Z0-9_-]+$` or used twice (renamed,
    in call and result alike); empty texts and turns; more than 4 cache marks (the last 4 stay), and those on thinking.
    Whether thinking is another model's is known of a Message and of a dict with its `model`; an id of a model that is
    not known changes nothing.

    Turns and blocks that need no change are the same objects, and so is the list itself where nothing changed. Raises
    LocalProtocolError where `messages` is not iterable. Linear.
    """
    if isinstance(messages, str | bytes | Mapping) or not isinstance(messages, Iterable):
        raise LocalProtocolError(f"messages has to be a list of turns, not {type(messages).__name__}", path="messages")
    given = messages if isinstance(messages, list) else list(messages)
    changes: list[HistoryChange] = []
    turns = [_Turn(index, turn) for index, turn in enumerate(given)]
    _fit_blocks(turns, model, changes)
    _fit_ids(turns, changes)
    turns = _fit_results(turns, changes)
    _fit_server_calls(turns, changes)
    _fit_marks(turns, changes)
    kept = [turn for turn in turns if not _is_empty(turn, turn is turns[-1], changes)]
    fitted = [turn.param() for turn in kept]
    return Fitted(fitted if changes else given, tuple(sorted(changes, key=_place)))


def _place(change: HistoryChange) -> tuple[int, ...]:
    return tuple(int(part.split("]")[0]) for part in change.path.split("[")[1:])


class _Turn:
    """A turn while it is fitted: its blocks as dicts, each with the object that it was and its number."""

    __slots__ = ("blocks", "changed", "given", "index", "model", "role", "text")

    def __init__(self, index: int, given: Any) -> None:
        self.index = index
        self.given = given
        is_object = not isinstance(given, Mapping)
        role = getattr(given, "role", None) if is_object else given.get("role")
        content = getattr(given, "content", None) if is_object else given.get("content")
        model = getattr(given, "model", None) if is_object else given.get("model")
        self.role = role if isinstance(role, str) else ""
        self.model = model if isinstance(model, str) else None
        self.text = content if isinstance(content, str) else None
        listed = content if isinstance(content, list | tuple) else ()
        self.blocks = [_Block(number, block) for number, block in enumerate(listed)]
        self.changed = False

    @property
    def path(self) -> str:
        return f"messages[{self.index}]"

    def place(self, block: _Block) -> str:
        return f"{self.path}.content[{block.number}]"

    def models_of_blocks(self) -> set[str]:
        """The models that wrote it: more than one where the server fell back to another."""
        found = {self.model} if self.model else set()
        for block in self.blocks:
            if block.kind == "fallback":
                for side in (block.value.get("from"), block.value.get("to")):
                    if isinstance(side, Mapping) and isinstance(side.get("model"), str):
                        found.add(side["model"])
        return found

    def param(self) -> Any:
        """What goes into the request: the turn as it was given where nothing in it changed."""
        if not self.changed:
            return self.given
        content: list[Any] = [block.given for block in self.blocks]
        if self.text is not None and not text_is_empty(self.text):
            content.append({"type": "text", "text": self.text})
        if isinstance(self.given, Mapping):
            return {**self.given, "content": content}
        return {"role": self.role, "content": content}


class _Block:
    """A content block while it is fitted."""

    __slots__ = ("given", "number", "value")

    def __init__(self, number: int, given: Any) -> None:
        self.number = number
        self.given = given
        self.value: Mapping[str, Any] = _as_mapping(given)

    @property
    def kind(self) -> str:
        kind = self.value.get("type")
        return kind if isinstance(kind, str) else ""

    def text_of(self, key: str) -> str:
        value = self.value.get(key)
        return value if isinstance(value, str) else ""

    def replace(self, **changes: Any) -> None:
        self.given = self.value = {**self.value, **changes}

    def without(self, key: str) -> None:
        self.given = self.value = {name: value for name, value in self.value.items() if name != key}


def _as_mapping(block: Any) -> Mapping[str, Any]:
    if isinstance(block, Mapping):
        return block
    for name in ("to_param", "to_dict"):
        method = getattr(block, name, None)
        try:
            value = method() if method is not None else None
        except LocalProtocolError:
            continue  # an input that is not whole: `to_dict` says so with its mark
        if isinstance(value, Mapping):
            return value
    return {}


def _fit_blocks(turns: Sequence[_Turn], model: str, changes: list[HistoryChange]) -> None:
    """What can be judged of one block alone."""
    info = model_info(model)
    dropped_calls: set[str] = set()
    for turn in turns:
        foreign = _is_foreign(turn, model, info)
        kept = []
        for block in turn.blocks:
            fault = _fault_of(turn, block, foreign, info, dropped_calls)
            if fault is not None:
                changes.append(HistoryChange(turn.place(block), *fault))
                turn.changed = True
                continue
            kept.append(block)
            _mend(turn, block, changes)
        turn.blocks = kept


def _is_foreign(turn: _Turn, model: str, info: ModelInfo | None) -> str | None:
    """The other model that wrote a turn; None where it was this one, or nobody knows."""
    if turn.role != "assistant" or info is None:
        return None
    writers = turn.models_of_blocks()
    others = []
    for writer in writers:
        known = model_info(writer)
        if known is info or writer == model or (known is None and "claude" in writer.lower()):
            return None
        others.append(writer)
    return min(others, default=None)


def _fault_of(
    turn: _Turn, block: _Block, foreign: str | None, info: ModelInfo | None, dropped_calls: set[str]
) -> tuple[HistoryFault, str] | None:
    """Why a block has to go; None where it stays."""
    kind = block.kind
    if kind in _THINKING:
        signed = block.text_of("signature" if kind == "thinking" else "data")
        if not signed:
            return "unsigned_thinking", "removed: thinking goes back only with the signature that it came with"
        if foreign is not None:
            return "foreign_thinking", f"removed: it is signed for {foreign:.60}, and another model goes on"
        if info is not None and info.thinking == ("disabled",):
            return "foreign_thinking", f"removed: {info.name} has no thinking"
    elif kind == "text" and text_is_empty(block.value.get("text")) and "text" in block.value:
        return "empty_text", "removed: the API takes no text without a character that is no space"
    elif kind in _CALLS and turn.role == "assistant":
        if not _input_can_be_sent(block.value.get("input")):
            dropped_calls.add(block.text_of("id"))
            return "incomplete_call", "removed: its input is no whole object"
        dropped_calls.discard(block.text_of("id"))
    elif kind == "tool_result" and turn.role == "user" and block.text_of("tool_use_id") in dropped_calls:
        return "result_without_call", "removed: the call that it answers was removed"
    return None


def _input_can_be_sent(given: Any) -> bool:
    if isinstance(given, Mapping):
        return "$incomplete_json" not in given
    return given is None or _object_in(given) is not None


def _object_in(given: Any) -> dict[str, Any] | None:
    """The object that a text is the JSON of; None for everything else."""
    try:
        value = loads_input(given) if isinstance(given, str) else None
    except (RemoteProtocolError, LocalProtocolError):
        return None
    return value if isinstance(value, dict) else None


def _mend(turn: _Turn, block: _Block, changes: list[HistoryChange]) -> None:
    """What can be mended in a block that stays."""
    if block.kind in _CALLS and turn.role == "assistant" and not isinstance(block.value.get("input"), Mapping):
        value = _object_in(block.value.get("input"))
        words = "its JSON text became the object" if value is not None else "a call without arguments has the input {}"
        block.replace(input=value or {})
        changes.append(HistoryChange(f"{turn.place(block)}.input", "call_input", words))
        turn.changed = True
    elif block.kind in _THINKING and block.value.get("cache_control") is not None:
        block.without("cache_control")
        changes.append(HistoryChange(turn.place(block), "cache_mark", "mark removed: thinking cannot have one"))
        turn.changed = True
    elif block.kind == "tool_result" and isinstance(block.value.get("content"), list):
        _mend_result(turn, block, changes)


def _mend_result(turn: _Turn, block: _Block, changes: list[HistoryChange]) -> None:
    parts = block.value["content"]
    empty = []
    for number, part in enumerate(parts):
        inner = _as_mapping(part)
        if inner.get("type") == "text" and "text" in inner and text_is_empty(inner["text"]):
            empty.append(number)
    if empty:
        block.replace(content=[part for number, part in enumerate(parts) if number not in set(empty)])
        if not block.value["content"]:
            block.without("content")
        turn.changed = True
    for number in empty:
        words = "removed: the API takes no text without a character that is no space"
        changes.append(HistoryChange(f"{turn.place(block)}.content[{number}]", "empty_text", words))


def _fit_ids(turns: Sequence[_Turn], changes: list[HistoryChange]) -> None:
    """Ids of calls are of letters, digits, _ and -, and each is used once; results follow their call."""
    calls = [block for turn in turns if turn.role == "assistant" for block in turn.blocks if block.kind in _CALLS]
    taken = {block.text_of("id") for block in calls}
    seen: set[str] = set()
    names: dict[str, _Namesakes] = {}  # by the id that a result has
    endings: dict[str, int] = {}
    for turn in turns:
        for block in turn.blocks:
            if block.kind in _CALLS and turn.role == "assistant":
                old = block.text_of("id")
                new = old
                if old in seen or CALL_ID.fullmatch(old) is None:
                    new = _free_id(old, block.kind, taken, endings)
                    words = f"renamed to {new}: {'another call has it' if old in seen else 'ids are of a-zA-Z0-9_-'}"
                    changes.append(HistoryChange(f"{turn.place(block)}.id", "call_id", words))
                    block.replace(id=new)
                    turn.changed = True
                seen.add(old)
                namesakes = names.get(old)
                if namesakes is None or namesakes.turn is not turn:
                    namesakes = names[old] = _Namesakes(turn)
                namesakes.ids.append(new)
            elif block.kind == "tool_result" or block.kind in RESULTS:
                old = block.text_of("tool_use_id")
                new = names[old].next() if old in names else old
                if new != old:
                    changes.append(
                        HistoryChange(f"{turn.place(block)}.tool_use_id", "call_id", f"renamed to {new}, as its call")
                    )
                    block.replace(tool_use_id=new)
                    turn.changed = True


class _Namesakes:
    """The calls of the last turn that has calls with one id, by their new ids. Results answer them in their order."""

    __slots__ = ("answered", "ids", "turn")

    def __init__(self, turn: _Turn) -> None:
        self.turn = turn
        self.ids: list[str] = []
        self.answered = 0

    def next(self) -> str:
        """The id of the call that the next result answers."""
        place = min(self.answered, len(self.ids) - 1)
        self.answered += 1
        return self.ids[place]


def _free_id(old: str, kind: str, taken: set[str], endings: dict[str, int]) -> str:
    base = "".join(letter if CALL_ID.fullmatch(letter) else "_" for letter in old) or "call"
    if kind == "server_tool_use" and not base.startswith("srvtoolu_"):
        base = f"srvtoolu_{base}"
    new, number = base, endings.get(base, 1)
    while new in taken:
        number += 1
        new = f"{base}_{number}"
    endings[base] = number
    taken.add(new)
    return new


def _fit_results(turns: list[_Turn], changes: list[HistoryChange]) -> list[_Turn]:
    """Each call of an assistant has one result in the user's turns behind it, and each result its call."""
    fitted: list[_Turn] = []
    waiting: dict[str, tuple[_Turn, _Block]] = {}
    answered: list[_Turn] = []  # the user's turns behind the calls
    before = ""
    for turn in turns:
        if turn.role == "assistant" and before == "user":
            _answer(waiting, answered, fitted, changes)
            waiting, answered = {}, []
        kept = []
        for block in turn.blocks:
            if turn.role == "assistant" and block.kind == "tool_use":
                waiting[block.text_of("id")] = turn, block
            if turn.role == "user" and block.kind == "tool_result":
                if waiting.pop(block.text_of("tool_use_id"), None) is None:
                    words = "removed: no call before it waits for it"
                    changes.append(HistoryChange(turn.place(block), "result_without_call", words))
                    turn.changed = True
                    continue
            kept.append(block)
        turn.blocks = kept
        fitted.append(turn)
        if turn.role == "user":
            answered.append(turn)
        if turn.role in ("user", "assistant"):
            before = turn.role
    _answer(waiting, answered, fitted, changes)
    return fitted


def _answer(
    waiting: Mapping[str, tuple[_Turn, _Block]],
    answered: list[_Turn],
    fitted: list[_Turn],
    changes: list[HistoryChange],
) -> None:
    """Give calls that wait an error result, in the user's turn behind them or in one of its own."""
    if not waiting:
        return
    if not answered:
        turn = _Turn(fitted[-1].index, {"role": "user", "content": []})
        fitted.append(turn)
        answered.append(turn)
    turn = answered[0]
    turn.changed = True
    if turn.text is not None and text_is_empty(turn.text):
        words = "removed: the API takes no text without a character that is no space"
        changes.append(HistoryChange(f"{turn.path}.content", "empty_text", words))
    results: list[_Block] = []
    for call, (calling, block) in waiting.items():
        words = "an error result was added: a call has a result in the turn behind it"
        changes.append(HistoryChange(calling.place(block), "call_without_result", words))
        result = {"type": "tool_result", "tool_use_id": call, "content": _NO_RESULT, "is_error": True}
        results.append(_Block(len(turn.blocks) + len(results), result))
    place = 0
    while place < len(turn.blocks) and turn.blocks[place].kind == "tool_result":
        place += 1
    turn.blocks[place:place] = results


def _fit_server_calls(turns: Sequence[_Turn], changes: list[HistoryChange]) -> None:
    """A call that the server runs has its result in the history, except in the last answer, which may go on."""
    results = {
        block.text_of("tool_use_id")
        for turn in turns
        if turn.role == "assistant"
        for block in turn.blocks
        if block.kind in RESULTS
    }
    last = max((place for place, turn in enumerate(turns) if turn.role == "assistant"), default=-1)
    behind = [turn for turn in turns[last + 1 :] if turn.blocks or turn.text is not None]
    waits = not behind or any(block.kind == "tool_result" for turn in behind for block in turn.blocks)
    for place, turn in enumerate(turns):
        if turn.role != "assistant" or (place == last and waits):
            continue
        kept = []
        for block in turn.blocks:
            if block.kind in _SERVER_CALLS and block.text_of("id") not in results:
                words = "removed: the server ran it, and its result is not in the history"
                changes.append(HistoryChange(turn.place(block), "server_call_without_result", words))
                turn.changed = True
            else:
                kept.append(block)
        turn.blocks = kept


def _fit_marks(turns: Sequence[_Turn], changes: list[HistoryChange]) -> None:
    """The last cache marks stay, as many as the API takes; each covers everything before it."""
    marked = [(turn, block) for turn in turns for block in turn.blocks if block.value.get("cache_control") is not None]
    for turn, block in marked[:-MOST_BREAKPOINTS]:
        block.without("cache_control")
        words = f"mark removed: the API takes {MOST_BREAKPOINTS}, and the last ones stay"
        changes.append(HistoryChange(turn.place(block), "cache_mark", words))
        turn.changed = True


def _is_empty(turn: _Turn, last: bool, changes: list[HistoryChange]) -> bool:
    """Whether nothing is left of a turn, or there was nothing in it. The last answer may be empty: a prefill."""
    if turn.role not in ("user", "assistant") or turn.blocks or not text_is_empty(turn.text or ""):
        return False
    given = turn.given.get("content") if isinstance(turn.given, Mapping) else getattr(turn.given, "content", None)
    if not isinstance(given, str | list | tuple) or (last and turn.role == "assistant" and not turn.changed):
        return False
    changes.append(HistoryChange(turn.path, "empty_turn", "removed: nothing is in it"))
    return True
