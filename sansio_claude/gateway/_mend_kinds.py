"""The kinds of mending: what a peer's stream had to be changed in, each with its sentence, and the dial over them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Literal, TypeAlias

from attrs import define

from sansio_claude._errors import LocalProtocolError
from sansio_claude._stream.deviations import DEVIATION_KINDS, DeviationKind
from sansio_claude._value import FrozenValue

__all__ = ["MEND_KINDS", "MendKind", "MendVerdict", "Mended", "mend_verdicts"]

MendKind: TypeAlias = (
    DeviationKind | Literal["event_name", "event_type", "missing_start", "several_deltas", "delta_order", "error_shape"]
)
"""A kind of mending: a kind of deviation, or what is no deviation and still trips clients."""

_MORE: Final[dict[MendKind, str]] = {
    "event_name": "An event has no name or another than its JSON's type; clients that go by the name do not see it.",
    "event_type": "The JSON of an event has no type; the event's name says which it is.",
    "missing_start": "content_block_start or message_start is missing in front of what belongs behind it.",
    "several_deltas": "message_delta came more than once; the changes are written as one.",
    "delta_order": "message_delta came before the end of the content; it goes out behind it.",
    "error_shape": "An error came in another shape than the API's; its words are kept.",
}

MEND_KINDS: Final[Mapping[MendKind, str]] = {**dict[MendKind, str](DEVIATION_KINDS.items()), **_MORE}
"""What each kind of mending means, in one sentence."""

MendVerdict: TypeAlias = Literal["mend", "pass", "refuse"]
"""What is done about a kind: mended and listed, passed on as it came and listed, or refused (the stream breaks).

Behind message_stop nothing is refused: the answer is whole."""

_VERDICTS: Final = ("mend", "pass", "refuse")


@define(frozen=True, eq=False, repr=False)
class Mended(FrozenValue):
    """One thing that was not as the protocol says.

    `kind` is one of `MendKind`, `event_number` counts the events that came from 1, `words` says it for people.
    `passed` is True where it was passed on as it came: by the dial, or because it cannot be mended without inventing.
    """

    kind: MendKind
    event_number: int
    words: str
    passed: bool = False


def mend_verdicts(mend: Mapping[Any, Any] | None) -> Mapping[str, MendVerdict]:
    """What is done about each kind. Raises LocalProtocolError for an unknown kind or verdict."""
    base: dict[str, MendVerdict] = dict.fromkeys(MEND_KINDS, "mend")
    if mend is None:
        return base
    if not isinstance(mend, Mapping):
        raise LocalProtocolError(f"mend is a mapping from a kind to a verdict, not {mend!r:.80}", path="mend")
    for kind, verdict in mend.items():
        if kind not in base:
            raise LocalProtocolError(
                f"mend: there is no kind {kind!r:.80}; the kinds are {', '.join(base)}", path="mend"
            )
        if verdict not in _VERDICTS:
            known = ", ".join(map(repr, _VERDICTS))
            raise LocalProtocolError(f"mend[{kind!r}] is one of {known}, not {verdict!r:.80}", path="mend")
        base[kind] = verdict
    return base
