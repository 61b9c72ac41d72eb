"""BlockMender: the events of content blocks, mended."""

from __future__ import annotations

from typing import Any, Final

from sansio_claude._errors import LimitError
from sansio_claude._limits import Limits
from sansio_claude._message.blocks import ContentBlock, UnknownBlock, block_from_dict
from sansio_claude._message.halves import mend_delta
from sansio_claude._stream.block_deltas import typed_as
from sansio_claude._stream.events import InputJSONDelta
from sansio_claude._stream.merging import kept_of_unknown_delta
from sansio_claude._value import an
from sansio_claude.gateway._dial import Item, refusal
from sansio_claude.gateway._half_runs import HalfRuns
from sansio_claude.gateway._mend_block import (
    STRING_OF,
    MendBlock,
    delta_of_half,
    empty_block,
    grows,
    grows_by,
)
from sansio_claude.gateway._mend_kinds import MendKind
from sansio_claude.gateway._mend_queue import Queue

__all__ = ["BlockMender"]

_COMES_ONCE: Final = ("signature_delta", "compaction_delta")
# The strings that every start of such a block has; other strings of a block may be missing, and none may be null.
_ALWAYS_SENT: Final = frozenset({"text", "thinking", "id"})


class BlockMender(Queue):
    """The part of a Mender that takes the events of blocks."""

    def __init__(self, verdicts: Any, limits: Limits) -> None:
        super().__init__(verdicts, limits)
        self.message: dict[str, Any] | None = None
        """What names the message: its id, type, role and model. None before message_start."""
        self.blocks: dict[int, MendBlock] = {}
        """The blocks that have started, by the index they came with."""
        self.newest: MendBlock | None = None
        """The block that started last."""
        self.halves = HalfRuns()
        self.placeholders: set[int] = set()
        """The empty text blocks of message_start's content that nothing has replaced."""
        self._next = 0  # the index that the next block goes out with
        self._following = 0  # the index behind the highest that came: what a start without one is taken for
        self._input_size = 0  # characters kept of tool inputs

    # Starts.

    def _start_block(self, value: dict[str, Any], frame: bytes | None) -> list[Item]:
        started = self._need_start("content_block_start")
        raw = value.get("content_block")
        if not isinstance(raw, dict):
            raise refusal("a content_block_start carries no block")
        came = value.get("index")
        if came is None:
            if any(not block.stopped for block in self.blocks.values()):
                raise refusal("the index of a content_block_start is missing, and another block is open")
            came = self._following
            self.mend("index_missing", f"a content_block_start has no index; it was taken for block {came}")
        self._check_index(came, "content_block_start")
        gone_out = came in self.placeholders and self._drop_placeholders(came)
        if came in self.blocks:
            raise refusal(f"block {came} started twice")
        index = self._next
        if came != index and value.get("index") is not None:
            if not self.mend("index_order", f"block {came} started where {index} was next"):
                index = came
                if gone_out:
                    self.pass_on("placeholder", _gave_way(came))
        if value.get("index") != index:
            value = {**value, "index": index}
        block = block_from_dict(raw)
        self._mend_start(block, raw, came)
        self._began(MendBlock(block, came, index))
        return [*self._pass_by(), *started, self._as_it_is(value, frame)]

    def _began(self, block: MendBlock) -> None:
        self.blocks[block.came] = self.newest = block
        self._next = max(self._next, block.index + 1)
        self._following = max(self._following, block.came + 1)

    def _mend_start(self, block: ContentBlock, raw: dict[str, Any], index: int) -> None:
        for key in block._strings:
            if raw.get(key) is None and (key in raw or key in _ALWAYS_SENT):
                how = "null" if key in raw else "missing"
                if self.mend("empty_value", f"{key} of block {index} is {how}"):
                    raw[key] = ""
        if not isinstance(block, UnknownBlock) and "input" in type(block)._keys and raw.get("input") in (None, ""):
            if self.mend("empty_value", f"the input of block {index} is missing, null or empty"):
                raw["input"] = {}
        grown = grows(type(block))
        if grown is not None and isinstance(text := raw.get(grown[0]), str):
            raw[grown[0]] = self._whole_characters(index, grown[1], text)

    def _made_start(self, came: int, kind: str) -> tuple[MendBlock, list[Item]]:
        """The start of a block that never started, where its kind follows from the delta."""
        raw = empty_block(kind)
        words = f"{an(kind or 'delta')[:40]} came for block {came}, which never started"
        if raw is None or not self.ask("missing_start", words):
            raise refusal(words)
        block = MendBlock(block_from_dict(dict(raw)), came, self._next)
        self._began(block)
        return block, [Item({"type": "content_block_start", "index": block.index, "content_block": raw})]

    # Indices.

    def _check_index(self, index: object, event: str) -> None:
        if type(index) is not int or index < 0:
            raise refusal(f"the index of {an(event)} is no block's")
        most = self._limits.blocks  # of blocks, too: each index is below it, and names one block
        if index >= most:
            words = f"the message has more blocks than Limits.blocks = {most}"
            raise LimitError(words, limit="blocks", value=most, stage="blocks")

    def _index_of(self, value: dict[str, Any], event: str) -> int:
        """The index that an event came with, or that of the only open block where it has none."""
        index = value.get("index")
        if index is None:
            opened = [block.came for block in self.blocks.values() if not block.stopped]
            if len(opened) != 1:
                raise refusal(f"{an(event)} has no index, and {len(opened)} blocks are open")
            self.mend("index_missing", f"{an(event)} has no index; only block {opened[0]} is open")
            return opened[0]
        self._check_index(index, event)
        return int(index)

    def _renumbered(self, value: dict[str, Any], block: MendBlock) -> dict[str, Any]:
        """The event with the index that its block goes out with."""
        if value.get("index") == block.index and type(value["index"]) is int:
            return value
        if "index" in value and value["index"] is not None:
            self._changed = True  # the mending was listed with the start of the block
        return {**value, "index": block.index} if self._changed else value

    # Deltas.

    def _block_delta(self, value: dict[str, Any], frame: bytes | None) -> list[Item]:
        delta = value.get("delta")
        if not isinstance(delta, dict):
            raise refusal("a content_block_delta carries no delta")
        out = self._need_start("content_block_delta")
        came = self._index_of(value, "content_block_delta")
        block = self.blocks.get(came)
        kind = self._type_of_delta(block, delta)
        if block is None or block.stopped or not block.takes(kind):
            words = f"{an(kind or 'delta')[:40]} came for block {came}"
            if _is_empty(kind, delta) and self.ask("foreign_empty_delta", f"{words}; it is empty and does not fit"):
                return out
            if block is not None and block.stopped:
                raise refusal(f"{words}, which has stopped")
            if block is not None:
                raise refusal(f"{words}, which is {an(block.name)} block")
            block, made = self._made_start(came, kind)
            out += [*self._pass_by(), *made]
        value = self._renumbered(value, block)
        if kind in STRING_OF:
            given = delta.get(STRING_OF[kind])
            self._string(block, kind, delta)
            if given and self.halves.holds(came) and _is_bare(value, delta, STRING_OF[kind]):
                return out  # all of it waits for the other half
        elif kind not in ("citations_delta", "compaction_delta"):
            for key in kept_of_unknown_delta(block.kind, delta):
                words = f"{an(kind)[:40]} of block {came}" if kind else f"a delta without a type of block {came}"
                if self.mend("kept_key", f"{words} would change {key!r:.40}, which stays as it is"):
                    del delta[key]
        if kind in _COMES_ONCE:
            return [*out, *self._once(block, kind, value, frame)]
        return [*self._pass_by(), *out, self._as_it_is(value, frame)]

    def _type_of_delta(self, block: MendBlock | None, delta: dict[str, Any]) -> str:
        kind = delta.get("type")
        if isinstance(kind, str) and kind:
            return kind
        if block is None or block.stopped:
            return ""
        found = typed_as(block.kind, delta)
        if found is not None:
            key, delta_type = found
            self._mend_typeless(block, delta, key if grows_by(delta_type) else "")
            if self.mend("typeless_delta", f"a delta of block {block.came} has no type; it has {key}"):
                delta["type"] = delta_type
            return delta_type
        self._mend_typeless(block, delta, "")
        return ""

    def _mend_typeless(self, block: MendBlock, delta: dict[str, Any], key: str) -> None:
        if mend_delta(delta, key):
            self.mend("half_character", f"half of a surrogate pair stands alone in a delta of block {block.came}")

    def _string(self, block: MendBlock, kind: str, delta: dict[str, Any]) -> None:
        """Mend the string of a delta."""
        key = STRING_OF[kind]
        text: Any = delta.get(key)
        if text is None:
            how = "null" if key in delta else "missing"
            if not self.mend("empty_value", f"{key} of {an(kind)} is {how}"):
                return
            delta[key] = text = ""
        if not isinstance(text, str):
            raise refusal(f"{key} of {an(kind)} is no string")
        grown = grows_by(kind)
        if grown is not None:
            delta[key] = text = self._whole_characters(block.came, grown[1], text)
        if block.tool:
            self.keep_input(block, [text])

    def _whole_characters(self, came: int, made: type, text: str) -> str:
        """The text of a delta or start without the half of a character that waits for the next delta of its kind."""
        shown, _ = self.halves.receive(came, made, text, keep=made is InputJSONDelta)
        if shown == text or self.mend("half_character", f"half of a surrogate pair stands in block {came}"):
            return shown
        self.halves.held.pop((came, made), None)  # it goes out as it came
        return text

    def has_room(self, texts: list[str]) -> bool:
        """Whether these fragments can be kept within `Limits.message`."""
        return self._input_size + sum(map(len, texts)) <= self._limits.message

    def keep_input(self, block: MendBlock, texts: list[str]) -> None:
        """Keep fragments of a call's input. Raises LimitError where all inputs pass `Limits.message`."""
        block.parts += texts
        self._input_size += sum(map(len, texts))
        most = self._limits.message
        if self._input_size > most:
            words = f"the tool inputs pass Limits.message = {most} bytes"
            raise LimitError(words, limit="message", value=most, stage="blocks")

    def _once(self, block: MendBlock, kind: str, value: dict[str, Any], frame: bytes | None) -> list[Item]:
        """A signature or a compaction. Of several that follow each other the last goes out, else the first stays."""
        delta = value["delta"]
        if not isinstance(delta.get("encrypted_content"), str | None) and kind == "compaction_delta":
            raise refusal("encrypted_content of a compaction_delta is no string")  # at once, though it may wait
        if kind == "compaction_delta" and "content" not in delta:
            if self.mend("empty_value", "content of a compaction_delta is missing"):
                delta["content"] = None
        full = bool(delta.get("signature")) if kind == "signature_delta" else delta.get("content") is not None
        item = self._as_it_is(value, frame)
        if not full:
            return [*self._pass_by(), item]
        if block.once and self.ask("twice", f"{an(kind)} came again for block {block.came}"):
            first: Any = self.waiting[0].value if self.waiting else None
            # Without an index, which may be passed on, it is for the only open block: this one.
            if first is not None and first.get("type") == "content_block_delta":
                if first.get("index") in (None, block.index) and first["delta"].get("type") == kind:
                    self.waiting[0] = item
            return []
        out = self._pass_by()
        block.once = True
        self.waiting = [item]
        return out

    # Stops.

    def _stop_block(self, value: dict[str, Any], frame: bytes | None) -> list[Item]:
        came = self._index_of(value, "content_block_stop")
        block = self.blocks.get(came)
        if block is None:
            raise refusal(f"content_block_stop came for block {came}, which never started")
        if block.stopped:
            if self.ask("twice", f"content_block_stop came again for block {came}"):
                return []
            return [*self._pass_by(), self._as_it_is(self._renumbered(value, block), frame)]
        block.check_depth(self._limits.depth)
        item = self._as_it_is(self._renumbered(value, block), frame)
        out = [*self._pass_by(), *self._held_half(block), item]
        block.stopped = True
        return out

    def _held_half(self, block: MendBlock) -> list[Item]:
        """The half of a surrogate pair that waited for the other one, when the block ends."""
        out = []
        for _, made, half in self.halves.released(block.came):
            if block.tool:
                block.parts.append(half)
            delta = delta_of_half(made, half)
            out.append(Item({"type": "content_block_delta", "index": block.index, "delta": delta}))
        return out

    def _close_blocks(self) -> list[Item]:
        """The stops that are missing, of every block whose content is whole.

        Raises LimitError where the input of an open call nests too deep: the reader ends it here, too.
        """
        out: list[Item] = []
        for block in self.blocks.values():
            if block.stopped:
                continue
            block.check_depth(self._limits.depth)
            if block.tool and not block.input_is_whole(self._limits.depth):
                words = f"block {block.came} is a call whose input is not whole: it stays open"
                self.pass_on("open_block", words)
                continue
            kind: MendKind = "input_without_stop" if block.tool else "open_block"
            words = f"block {block.came} has no content_block_stop"
            if self.ask(kind, words):
                out += [*self._held_half(block), Item({"type": "content_block_stop", "index": block.index})]
                block.stopped = True
            elif block.tool:
                self.pass_on("open_block", words)
        return out

    def _drop_placeholders(self, came: int) -> bool:
        """A block starts where message_start has an empty text block: leave those out where it has not gone out yet.

        Gives whether it has gone out.
        """
        start = self.waiting[0] if self.waiting and self.waiting[0].kind == "message_start" else None
        if start is None or start.value is None or not self.ask("placeholder", _gave_way(came)):
            self.placeholders.discard(came)
            del self.blocks[came]
            return start is None
        message: Any = start.value["message"]
        message["content"] = [block for index, block in enumerate(message["content"]) if index not in self.placeholders]
        for index in self.placeholders:
            del self.blocks[index]
        for place, block in enumerate(self.blocks.values()):
            block.index = place
        self._next = len(self.blocks)
        self.placeholders.clear()
        start.frame = None
        return False

    def _need_start(self, kind: str) -> list[Item]:
        """message_start where it is missing: an envelope without counters."""
        if self.message is not None:
            return []
        if not self.ask("missing_start", f"{an(kind)} came before message_start"):
            raise refusal(f"{an(kind)} came before message_start")
        nothing: dict[str, Any] = {"stop_reason": None, "stop_sequence": None, "usage": {}}
        message: dict[str, Any] = {
            "id": "",
            "type": "message",
            "role": "assistant",
            "model": "",
            "content": [],
            **nothing,
        }
        self.message = {"id": ""}
        return [Item({"type": "message_start", "message": message})]


def _gave_way(came: int) -> str:
    return f"the empty text block {came} of message_start gave way to another block"


def _is_bare(value: dict[str, Any], delta: dict[str, Any], key: str) -> bool:
    """Whether an event of a delta says nothing but that the text under `key` is empty."""
    return delta.get(key) == "" and delta.keys() <= {"type", key} and value.keys() <= {"type", "index", "delta"}


def _is_empty(kind: str, delta: dict[str, Any]) -> bool:
    """Whether a delta of a known kind carries nothing."""
    if kind == "compaction_delta":
        return delta.get("content") is None and delta.get("encrypted_content") is None
    key = STRING_OF.get(kind)
    return key is not None and (delta.get(key) is None or delta.get(key) == "")
