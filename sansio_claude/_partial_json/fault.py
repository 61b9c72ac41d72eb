"""JSONFault: where and why a text stops being JSON."""

from __future__ import annotations

from attrs import define

from sansio_claude._value import Value

__all__ = ["JSONFault"]


@define(eq=False, repr=False)
class JSONFault(Value):
    """Where and why a text stops being JSON: `position` is the index of the first character that cannot be right
    (of a container beyond `max_depth`, of its bracket), `reason` says why."""

    position: int
    reason: str
