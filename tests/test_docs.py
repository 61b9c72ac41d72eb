"""The reference names everything that is public, and nothing else."""

from __future__ import annotations

import importlib

from tests.public_names import documented, public_names


def test_every_public_name_is_in_the_reference() -> None:
    assert set(public_names()) - documented() == set(), "run python -m tests.public_names"


def test_the_reference_names_nothing_that_is_not_there() -> None:
    for name in documented():
        module, _, attribute = name.rpartition(".")
        assert hasattr(importlib.import_module(module), attribute), name
