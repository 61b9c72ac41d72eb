"""Dial: what is done about each kind of mending, and the list of what was mended."""

from __future__ import annotations

from collections.abc import Mapping

from attrs import define

from sansio_claude._errors import RemoteProtocolError
from sansio_claude._limits import Limits
from sansio_claude._stream.events import Event
from sansio_claude.gateway._mend_kinds import Mended, MendKind, MendVerdict

__all__ = ["Dial", "Item", "Json", "refusal"]

Json = dict[str, object]


@define(eq=False)
class Item:
    """Something that goes out.

    `value` is the JSON object of an event, None for lines that make no event; `frame` are its bytes where they go out
    as they came, under the name `name`; `event` is set where `value` cannot say what event it is.
    """

    value: dict[str, object] | None
    frame: bytes | None = None
    event: Event | None = None
    name: str = "message"

    @property
    def kind(self) -> object:
        """The type of the event; None where there is none."""
        return None if self.value is None else self.value.get("type")


class Dial:
    """The verdicts of one repair and what they led to."""

    def __init__(self, verdicts: Mapping[str, MendVerdict], limits: Limits) -> None:
        self._verdicts = verdicts
        self._limits = limits
        self._changed = False  # whether the event at hand is to be written anew
        self.mended: list[Mended] = []
        self.number: int = 0
        """Events so far."""

    def ask(self, kind: MendKind, words: str) -> bool:
        """Whether to mend this; it is listed either way. Raises RemoteProtocolError where the dial refuses it."""
        verdict = self._verdicts[kind]
        if verdict == "refuse":
            raise refused(kind, words, self.number)
        self.note(kind, words, passed=verdict == "pass")
        return verdict == "mend"

    def mend(self, kind: MendKind, words: str) -> bool:
        """`ask`, and the event at hand is written anew where it is mended."""
        mend = self.ask(kind, words)
        self._changed = self._changed or mend
        return mend

    def pass_on(self, kind: MendKind, words: str) -> None:
        """List what goes out as it came, since nothing could mend it. Raises where the dial refuses it."""
        if self._verdicts[kind] == "refuse":
            raise refused(kind, words, self.number)
        self.note(kind, words, passed=True)

    def note(self, kind: MendKind, words: str, *, passed: bool) -> None:
        """Add to the list of what was mended, or passed on as it came."""
        if len(self.mended) < self._limits.deviations:
            self.mended.append(Mended(kind, self.number, words, passed))

    def _as_it_is(self, value: dict[str, object], frame: bytes | None) -> Item:
        """The event at hand: in the bytes it came in, unless it was mended."""
        return Item(value, None if self._changed else frame)


def refusal(words: str) -> RemoteProtocolError:
    """The error for what cannot be mended."""
    return RemoteProtocolError(words, stage="blocks")


def refused(kind: MendKind, words: str, number: int) -> RemoteProtocolError:
    """The error for what the dial refuses."""
    return refusal(f"{words} (event {number}; the kind {kind!r} is refused here)")
