"""Queue: what waits for the event behind it, so that what comes once goes out once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

from sansio_claude._limits import Limits
from sansio_claude._stream.merging import kept_of_message, merge_usage, merge_values
from sansio_claude.gateway._dial import Dial, Item

__all__ = ["Queue", "joined"]

_WAITING: Final = 8  # pings, comments and unknown events behind an event that waits


class Queue(Dial):
    """`waiting` is empty, or an event that waits and what came behind it. A message_delta may be put off, too.

    A message_delta waits for message_stop: another one is joined with it, and content that comes behind it goes out
    before it. A signature and a compaction wait for any other event. Few pings may wait with them, so that a client
    sees in time that the connection lives.
    """

    def __init__(self, verdicts: Any, limits: Limits) -> None:
        super().__init__(verdicts, limits)
        self.waiting: list[Item] = []
        self._put_off: Item | None = None  # a message_delta that content came behind
        self._sent_delta: Item | None = None  # the last message_delta that has gone out

    def _behind(self, item: Item) -> list[Item]:
        """Something that changes nothing: it goes out, or waits behind what waits."""
        if self.waiting and len(self.waiting) <= _WAITING:
            self.waiting.append(item)
            return []
        return [*self._flush(), item]

    def _flush(self) -> list[Item]:
        """Take all that waits, in the order in which it came."""
        waiting, self.waiting = self.waiting, []
        if waiting and waiting[0].kind == "message_delta":
            self._sent_delta = waiting[0]
        return waiting

    def _pass_by(self) -> list[Item]:
        """Take what waits because content comes; a message_delta stays behind, and goes out after the content."""
        waiting = self.waiting
        if not waiting or waiting[0].kind != "message_delta":
            self.waiting = []
            return waiting
        if not self.ask("delta_order", "message_delta came before the end of the content"):
            return self._flush()
        self._put_off = waiting[0]
        self.waiting = []
        return waiting[1:]

    def _take_delta(self) -> tuple[list[Item], Item | None]:
        """For a message_delta that came: what goes out before it, and the one that it is to be joined with."""
        if self._put_off is not None:
            first, self._put_off = self._put_off, None
            return self._flush(), first
        if self.waiting and self.waiting[0].kind == "message_delta":
            first, *rest = self.waiting  # the one that comes waits in its place
            return rest, first
        return self._flush(), self._sent_delta

    def _ending(self, stops: Sequence[Item] = ()) -> list[Item]:
        """Take all that waits: the message ends here. The `stops` go in front of message_delta."""
        put_off, self._put_off = self._put_off, None
        content = [] if self.waiting and self.waiting[0].kind == "message_delta" else self._flush()
        return [*content, *stops, *([] if put_off is None else [put_off]), *self._flush()]


def joined(first: dict[str, Any], second: dict[str, Any], message: dict[str, Any]) -> dict[str, Any]:
    """Two message_delta of a message as one, which says to a reader what the two of them say."""
    result = dict(first)
    merge_values(result, second, but={"delta", "usage", *_kept(message, first, second)})
    _join_usage(result, second)
    old, new = first.get("delta"), second.get("delta")
    if isinstance(old, dict) and isinstance(new, dict):
        delta = result["delta"] = dict(old)
        merge_values(delta, new, but={"usage", *_kept(message, old, new)})
        _join_usage(delta, new)
    elif new is not None or "delta" not in first:
        result["delta"] = new
    return result


def _kept(message: dict[str, Any], old: dict[str, Any], new: dict[str, Any]) -> Iterator[str]:
    """The keys of `old` that a reader keeps, as what `new` has for them changes nothing."""
    known = {key: item for key, item in new.items() if old.get(key) is not None}
    yield from kept_of_message(message, known)


def _join_usage(old: dict[str, Any], new: dict[str, Any]) -> None:
    """Put the usage of `new` into `old`: counter by counter, where both have some."""
    if "usage" not in new:
        return
    before, after = old.get("usage"), new["usage"]
    if isinstance(before, dict) and isinstance(after, dict):
        counts = {"usage": dict(before)}
        merge_usage(counts, after)
        old["usage"] = counts["usage"]
    elif not isinstance(before, dict) and (after is not None or "usage" not in old):
        old["usage"] = after
