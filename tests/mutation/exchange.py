"""Give the functions of a module that is in use the code they have in a changed source.

Whoever holds a function, under whatever name, then runs the change, without a second import of the library.
"""

from __future__ import annotations

import gc
from collections import Counter
from collections.abc import Iterable, Iterator
from types import CodeType, FunctionType

__all__ = ["exchange", "functions_below"]


def functions_below(folder: str) -> list[FunctionType]:
    """Every function there is whose code stands in a folder, those that the collector was told to pass over too."""
    gc.unfreeze()
    # Not isinstance(): it asks the objects themselves, and one that is made lazily would be made here.
    functions = [each for each in gc.get_objects() if type(each) is FunctionType]
    gc.freeze()
    return [each for each in functions if each.__code__.co_filename.startswith(folder)]


def exchange(functions: Iterable[FunctionType], place: str, before: str, after: str) -> bool:
    """Exchange the code of those of the functions that stand in this file.

    False where it cannot be done: where none of them stands there, or the change took a name of an outer function from
    an inner one, or an inner function away. What the import of the module has called is as it was.
    """
    old, new = _codes(before, place), _codes(after, place)
    found: dict[tuple[str, int], list[tuple[str, int]]] = {}
    for name, code in old.items():
        found.setdefault((code.co_qualname, code.co_firstlineno), []).append(name)
    lost = {name for name, _ in old.keys() ^ new.keys()}
    here = [each for each in functions if each.__code__.co_filename == place]
    for function in here:
        code = function.__code__
        names = found.get((code.co_qualname, code.co_firstlineno), [])
        if len(names) != 1 or names[0][0] in lost or new[names[0]].co_freevars != code.co_freevars:
            return False
        function.__code__ = new[names[0]]
    return bool(here)


def _codes(source: str, place: str) -> dict[tuple[str, int], CodeType]:
    """The code of each function by its name and its number among those of the name."""
    seen: Counter[str] = Counter()
    found: dict[tuple[str, int], CodeType] = {}
    for code in _inner(compile(source, place, "exec", dont_inherit=True)):
        found[code.co_qualname, seen[code.co_qualname]] = code
        seen[code.co_qualname] += 1
    return found


def _inner(code: CodeType) -> Iterator[CodeType]:
    for each in code.co_consts:
        if isinstance(each, CodeType):
            yield each
            yield from _inner(each)
