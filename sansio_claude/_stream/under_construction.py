"""UnderConstruction: what is known of a message whose events are coming, and the record of what was odd about them."""

from __future__ import annotations

from typing import Final

from sansio_claude._copies import CopiedWhole
from sansio_claude._errors import LimitError, RemoteProtocolError
from sansio_claude._limits import Limits, limits_of
from sansio_claude._message.blocks import Block, ContentBlock, TextBlock, ThinkingBlock
from sansio_claude._message.message import Message
from sansio_claude._stream.deviations import Deviation, DeviationKind, Tolerance, verdicts
from sansio_claude._stream.events import Event
from sansio_claude._stream.halves import HalfCharacters
from sansio_claude._stream.merging import KeptSize

__all__ = ["SHOWN_BLOCKS", "UnderConstruction", "refusal", "too_many_blocks"]

SHOWN_BLOCKS: Final = (TextBlock, ThinkingBlock)
"""The blocks whose deltas are text for people, in which half a character must not stand."""

_ALWAYS_SENT: Final = frozenset({"text", "thinking", "id"})  # the strings that every start of such a block has


class UnderConstruction(CopiedWhole):
    """The state of a MessageAccumulator."""

    __slots__ = (
        "_direct",
        "_halves",
        "_has_delta",
        "_keep",
        "_kept",
        "_late",
        "_limits",
        "_newest",
        "_no_input",
        "_once",
        "_open_types",
        "_order",
        "_placeholders",
        "_released",
        "_stop_reason_came",
        "_types",
        "_verdicts",
        "blocks",
        "deviations",
        "deviations_dropped",
        "done",
        "event_number",
        "message",
        "open",
    )

    def __init__(
        self,
        *,
        limits: Limits | None = None,
        strict: bool = False,
        tolerance: Tolerance | None = None,
        keep_content: bool = True,
    ) -> None:
        self._limits = limits_of(limits)
        self._verdicts = verdicts(tolerance, strict)
        self._keep = keep_content
        self._kept = None if keep_content else KeptSize(self._limits)
        self._has_delta = False
        self._stop_reason_came = False
        self._late = False  # whether something that came after message_stop has been recorded
        self._order: list[int] = []  # the indices started, sorted
        self._types: dict[int, type[Block]] = {}  # the class of every block that has started
        self._open_types: dict[int, type[Block]] = {}  # of those that have not stopped
        self._newest = -1  # the index of the block that started last, if it has not stopped
        self._placeholders: set[int] = set()  # the indices of empty text blocks in message_start's content
        self._no_input: set[int] = set()  # the indices of open calls without any input so far
        self._once: set[int] = set()  # the indices of open blocks whose signature or compaction has come
        self._halves = HalfCharacters()
        self._direct: int = -1
        """The index of the newest open block, if deltas of its own kind need no look at anything but their text."""
        self._released: list[Event] = []
        """Deltas of halves that stood alone, to be handed out before the event that was taken last."""
        self.message: Message | None = None
        """The message so far, live; None before message_start."""
        self.done: bool = False
        self.deviations: list[Deviation] = []
        self.deviations_dropped: int = 0
        """How many more deviations there were than `Limits.deviations`."""
        self.event_number: int = 0
        """Events taken so far."""
        self.blocks: dict[int, ContentBlock] = {}
        """The blocks by index (empty without `keep_content`)."""
        self.open: dict[int, ContentBlock] = {}
        """The blocks that have started and not stopped, by index (empty without `keep_content`)."""

    def __repr__(self) -> str:
        counts = f"{self.event_number} events, {len(self.deviations)} deviations"
        return f"<{type(self).__name__} {'complete' if self.done else 'open'}, {counts}>"

    def _deviate(self, kind: DeviationKind, words: str) -> None:
        """Record a deviation at the current event, or do what `tolerance` and `strict` say about its kind.

        Raises RemoteProtocolError where the kind is refused.
        """
        if self._verdicts[kind] == "refuse":
            raise RemoteProtocolError(
                f"{words} (event {self.event_number}; a deviation of the kind {kind!r} is refused here)", stage="blocks"
            )
        self._record(kind, words)

    def _record(self, kind: DeviationKind, words: str) -> None:
        if self._verdicts[kind] == "accept":
            return
        if len(self.deviations) < self._limits.deviations:
            self.deviations.append(Deviation(kind, self.event_number, words))
        else:
            self.deviations_dropped += 1

    @property
    def _is_late(self) -> bool:
        """Whether something that came after message_stop has been recorded."""
        return self._late

    @property
    def _has_content(self) -> bool:
        """Whether a block has started."""
        return bool(self._types)

    def _take_released(self) -> list[Event]:
        """Take the deltas that are to be handed out before the event that was taken last."""
        released, self._released = self._released, []
        return released

    @property
    def _complete_but_for_stop(self) -> bool:
        """Whether a stop reason came in a message_delta and no block is open: only message_stop is missing."""
        return self._stop_reason_came and not self._open_types and not self.done

    def _check_strings(self, index: int, block: ContentBlock) -> None:
        """Deviations for strings of a block that are null, or missing where every block of its class has them."""
        raw = block._raw
        for key in block._strings:
            if raw.get(key) is None and (key in raw or key in _ALWAYS_SENT):
                self._deviate("empty_value", f"{key} of block {index} is {'null' if key in raw else 'missing'}")

    def _find_direct(self) -> None:
        """Whether deltas of the newest block need no look at anything but their text."""
        index = self._newest
        self._direct = -1
        if index < 0 or index in self._no_input or self._halves.holds(index):
            return
        block = self.open.get(index)
        if not isinstance(block, SHOWN_BLOCKS) or isinstance(block._raw.get(block._grows), str):
            self._direct = index


def refusal(words: str) -> RemoteProtocolError:
    """The error for an event that cannot be right where it came."""
    return RemoteProtocolError(words, stage="blocks")


def too_many_blocks(limits: Limits) -> LimitError:
    """The error for more blocks than are kept."""
    return LimitError(
        f"the message has more blocks than Limits.blocks = {limits.blocks}",
        limit="blocks",
        value=limits.blocks,
        stage="blocks",
    )
