"""The word that was probably meant, and the report of keys that an object does not have."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from functools import lru_cache
from typing import Any, Final

from sansio_claude._check.problem import Problem, Problems, shown

__all__ = ["nearest", "unknown_keys"]

_LONGEST: Final = 64  # characters of a word that is compared: comparing is quadratic in its length
_MOST: Final = 20  # unknown keys of one object that are named each
_NOTHING: Final[Mapping[str, str]] = {}


@lru_cache(maxsize=1024)
def _nearest(word: str, known: frozenset[str], cutoff: float) -> str | None:
    found = get_close_matches(word.lower(), sorted(known), n=1, cutoff=cutoff)
    return found[0] if found else None


def nearest(word: str, known: Iterable[str], *, cutoff: float = 0.7) -> str | None:
    """The known word most like `word`; None where none is like it. Constant time for a given set of known words."""
    if len(word) > _LONGEST:
        return None
    return _nearest(word, known if isinstance(known, frozenset) else frozenset(known), cutoff)


def unknown_keys(
    given: Mapping[str, Any],
    known: frozenset[str],
    path: str,
    what: str,
    *,
    foreign: Mapping[str, str] = _NOTHING,
) -> Problems:
    """A warning for each key of `given` that is not among `known`, with the key that was probably meant.

    The API refuses keys that it does not know ("Extra inputs are not permitted"), but a gateway or a later version
    may know more: therefore a warning.
    """
    if given.keys() <= known:
        return
    unknown = [key for key in given if key not in known]
    start = f"{path}." if path else ""
    for key in unknown[:_MOST]:
        meant = nearest(key, known)
        if key in foreign:
            hint = foreign[key]
        else:
            hint = f"did you mean {meant}?" if meant else "remove it, or leave it where the server is known to take it"
        yield Problem("warning", start + key[:_LONGEST], f"{what} has no key {shown(key)}", hint)
    if len(unknown) > _MOST:
        more = len(unknown) - _MOST
        yield Problem("warning", path, f"{what} has {more:,} more keys that are not known")
