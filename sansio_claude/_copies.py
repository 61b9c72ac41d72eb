"""What a copy of an object that has a state is: whole, or refused with words.

A copy that shares a list with its original reads or loses what the original was given, and nobody sees it. So every
class with a state takes one of these two, and `tests/test_copies.py` asks every public class.
"""

from __future__ import annotations

import copy
from typing import Any, ClassVar, NoReturn, Self

from sansio_claude._errors import LocalProtocolError
from sansio_claude._value import an

__all__ = ["CopiedWhole", "NotCopied"]


class CopiedWhole:
    """`copy.copy`, `copy.deepcopy` and a pickle of it all go on as the original would, and share nothing with it."""

    __slots__ = ()

    def __copy__(self) -> Self:
        return copy.deepcopy(self)


class NotCopied:
    """Copies and pickles of it raise LocalProtocolError, which says what to do instead."""

    __slots__ = ()
    _instead: ClassVar[str]
    """Why there is no copy, and what to do, behind the words "cannot be copied or pickled:"."""

    def __reduce_ex__(self, protocol: Any) -> NoReturn:
        raise LocalProtocolError(f"{an(type(self).__name__)} cannot be copied or pickled: {self._instead}")
