"""A change of a module that is in use reaches every holder of its functions, or it is said that it cannot."""

from __future__ import annotations

import sys
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any

import pytest

from tests.mutation.exchange import exchange, functions_below
from tests.mutation.mutants import Mutant, mutants_of

SOURCE = '''
import functools

TABLE = {}

def entered(function):
    TABLE[function.__name__] = function
    @functools.wraps(function)
    def wrapper(*arguments):
        return function(*arguments)
    return wrapper

class Scale:
    """A class whose method was wrapped when it was made."""

    @entered
    def reached(self, size):
        return size >= 5

def outer(limit):
    def inner(size):
        return size < limit
    return inner

below = outer(5)
'''


@pytest.fixture
def used(tmp_path: Path) -> Any:
    module: Any = ModuleType("used")
    exec(compile(SOURCE, str(tmp_path / "used.py"), "exec"), vars(module))
    return module


def only(what: str, before: str) -> Mutant:
    (found,) = [each for each in mutants_of(Path("used.py"), SOURCE) if each.what == what and each.before == before]
    return found


def test_a_method_is_changed_in_every_place_that_holds_it(used: Any, tmp_path: Path) -> None:
    scale, held = used.Scale(), used.TABLE["reached"]
    assert scale.reached(5)
    mutant = only("GtE becomes Gt", "return size >= 5")
    functions = functions_below(str(tmp_path))
    assert {each.__name__ for each in functions} == {"entered", "reached", "outer", "inner"}
    assert exchange(functions, str(tmp_path / "used.py"), SOURCE, mutant.source)
    assert not scale.reached(5)
    assert not held(scale, 5)
    assert scale.reached(6)


def test_a_function_that_a_call_made_is_changed(used: Any, tmp_path: Path) -> None:
    mutant = only("Lt becomes LtE", "return size < limit")
    assert not used.below(5)
    assert exchange(functions_below(str(tmp_path)), str(tmp_path / "used.py"), SOURCE, mutant.source)
    assert used.below(5)


def test_what_cannot_be_exchanged_is_said(used: Any, tmp_path: Path) -> None:
    place = str(tmp_path / "used.py")
    without = SOURCE.replace("        return function(*arguments)", "        pass")
    assert not exchange(functions_below(str(tmp_path)), place, SOURCE, without), "a name of an outer function is gone"
    assert not exchange(functions_below(str(tmp_path)), place, SOURCE, SOURCE.replace("inner", "other"))
    assert not exchange(functions_below(str(tmp_path)), str(tmp_path / "unused.py"), SOURCE, SOURCE)


def test_the_source_as_it_is_changes_nothing(used: Any, tmp_path: Path) -> None:
    place = str(tmp_path / "used.py")
    functions: list[FunctionType] = functions_below(str(tmp_path))
    codes = [each.__code__.co_code for each in functions]
    assert exchange(functions, place, SOURCE, SOURCE)
    assert [each.__code__.co_code for each in functions] == codes
    assert "used" not in sys.modules
