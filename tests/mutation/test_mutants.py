"""The mutants themselves: each is another module than before, and the same seed draws the same ones."""

from __future__ import annotations

import ast
from pathlib import Path

from tests.mutation.__main__ import ROOT, TESTS
from tests.mutation.equivalent import EQUIVALENT
from tests.mutation.mutants import changes_of, draw, mutants_of

SOURCE = '''
LIMIT = 5

def ready(size, done):
    """Whether."""
    total = size + 1
    if total < LIMIT and not done:
        return True
    return None
'''


def test_every_kind_of_change() -> None:
    found = [mutant.what for mutant in mutants_of(Path("m.py"), SOURCE)]
    assert sorted(found) == [
        "1 becomes 2",
        "Add becomes Sub",
        "And becomes Or",
        "Lt becomes LtE",
        "True becomes False",
        "a statement is left out",
        "not is left out",
        "returns None",
        "the condition is negated",
    ]
    sources = {mutant.source for mutant in mutants_of(Path("m.py"), SOURCE)}
    assert len(sources) == len(found)
    assert ast.unparse(ast.parse(SOURCE)) not in sources


def test_the_same_seed_draws_the_same() -> None:
    sources = {Path("m.py"): SOURCE}
    assert draw(sources, 5, 1) == draw(sources, 5, 1) != draw(sources, 5, 2)


def test_every_mutant_that_nobody_can_tell_is_one_still() -> None:
    for place, before, what in EQUIVALENT:
        path, _, name = place.partition(":")
        assert (name, before, what) in changes_of((ROOT / path).read_text("utf-8")), (place, before)
    assert all(EQUIVALENT.values())


def test_the_wings_are_there() -> None:
    for wing, tests in TESTS.items():
        assert (ROOT / "sansio_claude" / wing).is_dir()
        assert all((ROOT / "tests" / each).exists() for each in tests), wing
