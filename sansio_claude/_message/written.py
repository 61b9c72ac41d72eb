"""What a message knows and its JSON object cannot say, so that `from_dict(to_dict())` is that message again.

Which keys only a delta of an unknown type brought (they do not go back to the API); of the input of a call, that it
came as text and is whole under a stop reason that may have cut it, or that it came as a value and nobody knows, or
that the block never stopped, or that it is a whole object which looks like the mark of one that is not; that an answer
without a stop reason is whole. JSON text does not carry that: read back from it, such keys go back, an input counts as
that of a whole answer would, and such an answer may be gone on with.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Literal, NamedTuple, TypeAlias, get_args

__all__ = ["InputFact", "Unsaid", "WrittenMessage"]

InputFact: TypeAlias = Literal["whole", "given", "unstopped", "object"]

_FACTS: Final = frozenset(get_args(InputFact))
_DIGITS: Final = 10  # of the place of a block; longer ones are of no message


class Unsaid(NamedTuple):
    """What the JSON object of a message cannot say."""

    blocks: int
    """How many blocks the message has; where somebody took one out, the rest says nothing."""
    delta_keys: Mapping[int, frozenset[str]]
    """By the place of a block the keys that only a delta of an unknown type brought."""
    inputs: Mapping[int, InputFact]
    """Of the inputs of calls, by their place: the text is "whole"; a value was "given", and it is not known whether it
    was cut; the block is "unstopped", though its text is null or an empty string; it is a whole "object" with the one
    key `$incomplete_json`."""
    whole: bool
    """That nothing is missing, though there is no stop reason."""

    def __bool__(self) -> bool:
        return bool(self.delta_keys) or bool(self.inputs) or self.whole

    def to_dict(self) -> dict[str, Any]:
        """As JSON, for who saves it beside the message."""
        keys = {str(place): sorted(names) for place, names in self.delta_keys.items()}
        inputs = {str(place): fact for place, fact in self.inputs.items()}
        return {"blocks": self.blocks, "delta_keys": keys, "inputs": inputs, "whole": self.whole}

    @classmethod
    def from_dict(cls, value: Any) -> Unsaid | None:
        """What `to_dict` gave; None for anything else."""
        match value:
            case {"blocks": int(blocks), "delta_keys": dict(keys), "inputs": dict(inputs), "whole": bool(whole)}:
                if all(map(_is_place, (*keys, *inputs))) and all(map(_are_names, keys.values())):
                    if all(isinstance(fact, str) and fact in _FACTS for fact in inputs.values()):
                        delta_keys = {int(place): frozenset(names) for place, names in keys.items()}
                        return cls(blocks, delta_keys, {int(place): fact for place, fact in inputs.items()}, whole)
        return None


def _is_place(value: Any) -> bool:
    return isinstance(value, str) and value.isdecimal() and len(value) < _DIGITS


def _are_names(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(name, str) for name in value)


class WrittenMessage(dict[str, Any]):
    """A message's JSON object, and beside it what that cannot say."""

    __slots__ = ("unsaid",)

    def __init__(self, value: Mapping[str, Any], unsaid: Unsaid) -> None:
        super().__init__(value)
        self.unsaid = unsaid

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (dict(self), self.unsaid)
