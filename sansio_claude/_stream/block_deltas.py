"""BlockDeltas: what each delta does to its block, and which deltas are refused."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from sansio_claude._message.blocks import (
    Block,
    CompactionBlock,
    ContentBlock,
    TextBlock,
    ThinkingBlock,
    ToolInputBlock,
    UnknownBlock,
)
from sansio_claude._message.halves import mend_delta
from sansio_claude._stream.decode import NO_INDEX, Notes, delta_from_value
from sansio_claude._stream.events import (
    CitationsDelta,
    CompactionDelta,
    ContentBlockDelta,
    Event,
    InputJSONDelta,
    SignatureDelta,
    TextDelta,
    ThinkingDelta,
    UnknownDelta,
)
from sansio_claude._stream.merging import (
    append_citation,
    apply_unknown_delta,
    kept_of_unknown_delta,
    merge_values,
    set_signature,
)
from sansio_claude._stream.under_construction import UnderConstruction, refusal
from sansio_claude._value import an

__all__ = ["BlockDeltas", "typed_as"]

# What each kind of delta may be applied to; an unknown block takes any.
_FITS: Final[dict[type, type]] = {
    TextDelta: TextBlock,
    CitationsDelta: TextBlock,
    ThinkingDelta: ThinkingBlock,
    SignatureDelta: ThinkingBlock,
    InputJSONDelta: ToolInputBlock,
    CompactionDelta: CompactionBlock,
}
# Which delta a delta without a type is taken for, by the class of its block: the key that it must have, and the type.
_TYPELESS: Final[tuple[tuple[type, str, str], ...]] = (
    (TextBlock, "text", "text_delta"),
    (ThinkingBlock, "thinking", "thinking_delta"),
    (ThinkingBlock, "signature", "signature_delta"),
    (ToolInputBlock, "partial_json", "input_json_delta"),
    (CompactionBlock, "content", "compaction_delta"),
)
_BLANK: Final = " \t\n\r"


def typed_as(kind: type, delta: Mapping[str, Any]) -> tuple[str, str] | None:
    """What a delta without a type is taken for in a block of this class: its key, and the type. None for nothing."""
    for block_class, key, delta_type in _TYPELESS:
        if issubclass(kind, block_class) and key in delta:
            if key == "content" or isinstance(delta[key], str | None):
                return key, delta_type
    return None


class BlockDeltas(UnderConstruction):
    """The part of a MessageAccumulator that takes the deltas of blocks."""

    __slots__ = ()

    def _block_delta(self, event: ContentBlockDelta) -> Event | None:
        if event.index == NO_INDEX:
            event.index = self._only_open(event.type)
        index = event.index
        kind = self._open_types.get(index)
        if kind is not None and type(event) is UnknownDelta and not event.delta_type:
            event = self._typed(event, kind)
        fits = _FITS.get(type(event))
        if kind is None or (fits is not None and not issubclass(kind, (fits, UnknownBlock))):
            self._check_foreign(event, kind)
            return event
        block = self.open.get(index)
        match event:
            case TextDelta(text=text):
                event.text = self._whole_characters(event, text)
            case ThinkingDelta(thinking=text):
                event.thinking = self._whole_characters(event, text)
            case InputJSONDelta(partial_json=text):
                event.partial_json = self._halves.receive(index, InputJSONDelta, text, keep=True)[0]
                if index in self._no_input and event.partial_json.strip(_BLANK):
                    self._no_input.discard(index)
            case SignatureDelta(signature=signature):
                self._check_once(index, bool(signature), "signature")
            case CompactionDelta(content=content):
                self._check_once(index, content is not None, "content of a compaction")
            case UnknownDelta(raw=raw):
                for key in kept_of_unknown_delta(kind, raw):
                    words = f"{an(event.delta_type) if event.delta_type else 'a delta without a type'} of block {index}"
                    self._deviate("kept_key", f"{words} would change {key!r:.40}, which stays as it is")
            case _:
                pass
        if block is not None:
            _apply(block, event)
        self._find_direct()
        return _of_unknown_block(event) if kind is UnknownBlock else event

    def _typed(self, event: UnknownDelta, kind: type[Block]) -> ContentBlockDelta:
        """A delta without a type as one of its block's own kind, where it has that kind's key."""
        found = typed_as(kind, event.raw)
        if found is None:
            self._mend_typeless(event, "")
            return event
        key, delta_type = found
        self._mend_typeless(event, key if key in ("text", "thinking", "partial_json") else "")
        notes: Notes = []
        typed = delta_from_value(event.index, {**event.raw, "type": delta_type}, event.extra, notes)
        for odd, words in notes:
            self._deviate(odd, words)
        self._deviate("typeless_delta", f"a delta of block {event.index} has no type; it has {key}")
        return typed

    def _mend_typeless(self, event: UnknownDelta, key: str) -> None:
        if mend_delta(event.raw, key):
            self._deviate("half_character", f"half of a surrogate pair stands alone in a delta of block {event.index}")

    def _check_foreign(self, event: ContentBlockDelta, kind: type[Block] | None) -> None:
        """A delta for no open block, or for one of another kind, may only be empty."""
        index = event.index
        name = f"{an(event.delta_type or 'delta')[:40]} came for block {index}"
        if kind is not None:
            words = f"{name}, which is {an(kind._type_name)} block"
        elif index in self._types:
            words = f"{name}, which has stopped"
        else:
            words = f"{name}, which never started"
        if not _is_empty(event):
            raise refusal(words)
        self._deviate("foreign_empty_delta", f"{words}; it is empty")

    def _only_open(self, event_type: str) -> int:
        if len(self._open_types) != 1:
            found = "no block is open" if not self._open_types else f"{len(self._open_types)} blocks are open"
            raise refusal(f"the index of {an(event_type)} is missing, and {found}")
        (index,) = self._open_types
        self._deviate("index_missing", f"{an(event_type)} has no index; only block {index} is open")
        return index

    def _check_once(self, index: int, has_content: bool, what: str) -> None:
        if has_content:
            if index in self._once:
                self._deviate("twice", f"the {what} of block {index} came again and replaced the first")
            self._once.add(index)

    # Halves of characters.

    def _whole_characters(self, event: TextDelta | ThinkingDelta, text: str) -> str:
        shown, lone = self._halves.receive(event.index, type(event), text, keep=False)
        if lone:
            self._deviate("half_character", f"half of a surrogate pair stands alone in block {event.index}")
        return shown

    def _hold_half_of_start(self, index: int, sent: TextBlock | ThinkingBlock) -> None:
        key = sent._grows
        text = sent._text_of(key)
        if not text:
            return
        kind = TextDelta if isinstance(sent, TextBlock) else ThinkingDelta
        shown, lone = self._halves.receive(index, kind, text, keep=False)
        if lone:
            self._deviate("half_character", f"half of a surrogate pair stands alone in block {index}")
        if shown is not text:
            sent._raw[key] = shown

    def _lone_halves(self, index: int | None) -> list[TextDelta | ThinkingDelta | InputJSONDelta]:
        """What is held back of one block, or of all, as deltas: U+FFFD, or in a tool input the half itself."""
        return [
            kind(at, half if kind is InputJSONDelta else "\ufffd") for at, kind, half in self._halves.released(index)
        ]

    def _hand_out_half(self, event: TextDelta | ThinkingDelta | InputJSONDelta) -> None:
        block = self.open.get(event.index)
        if block is not None:
            _apply(block, event)
        self._released.append(_of_unknown_block(event) if self._types.get(event.index) is UnknownBlock else event)

    def _release_halves(self, index: int | None) -> None:
        for event in self._lone_halves(index):
            if type(event) is not InputJSONDelta:
                self._deviate("half_character", f"half of a surrogate pair stands alone in block {event.index}")
            self._hand_out_half(event)


def _of_unknown_block(event: ContentBlockDelta) -> ContentBlockDelta:
    """A delta as it is handed out of a block that nobody knows, whose text is none of the message's."""
    if type(event) is not TextDelta:
        return event
    return UnknownDelta(event.index, {"type": event.delta_type, "text": event.text}, event.extra)


def _apply(block: ContentBlock, event: ContentBlockDelta) -> None:
    """Put a delta that fits onto its block."""
    match event:
        case TextDelta(text=text) if isinstance(block, TextBlock):
            block._append(text)
        case ThinkingDelta(thinking=text) if isinstance(block, ThinkingBlock):
            block._append(text)
        case InputJSONDelta(partial_json=text) if isinstance(block, ToolInputBlock):
            block._append(text)
        case SignatureDelta(signature=signature):
            set_signature(block, signature)
        case CitationsDelta(citation=citation):
            append_citation(block, citation)
        case CompactionDelta(content=content, encrypted_content=encrypted):
            merge_values(block._raw, {"content": content})
            if encrypted is not None:
                block._raw["encrypted_content"] = encrypted
            elif event.extra is not None and "encrypted_content" in event.extra:
                block._raw.setdefault("encrypted_content", None)
        case UnknownDelta(raw=raw):
            apply_unknown_delta(block, raw)
        case TextDelta(text=text):
            apply_unknown_delta(block, {"text": text})
        case ThinkingDelta(thinking=text):
            apply_unknown_delta(block, {"thinking": text})
        case InputJSONDelta(partial_json=text):
            apply_unknown_delta(block, {"partial_json": text})


def _is_empty(event: ContentBlockDelta) -> bool:
    """Whether a delta of a known kind adds nothing."""
    match event:
        case TextDelta(text="") | ThinkingDelta(thinking="") | InputJSONDelta(partial_json=""):
            return True
        case SignatureDelta(signature=""):
            return True
        case CompactionDelta(content=None, encrypted_content=None):
            return True
        case _:
            return False
