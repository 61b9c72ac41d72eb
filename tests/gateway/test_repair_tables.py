"""Repair over the recorded streams of gateways and over the catalogue of faults: no line of the table breaks a rule."""

from __future__ import annotations

from pathlib import Path

from sansio_claude import Message
from tests.gateway.__main__ import faults, row
from tests.gateway.repairing import read


def test_the_streams_of_gateways(corpus: Path) -> None:
    paths = sorted([*(corpus / "gateways").glob("*.sse"), *(corpus / "streams").glob("*.sse")])
    assert paths
    for path in paths:
        _, repaired = row(path.name, path.read_bytes())
        if isinstance(read(path.read_bytes()), Message):
            assert repaired.state == "complete", path.name


def test_the_catalogue_of_faults() -> None:
    for name, (body, well) in faults().items():
        _, repaired = row(name, body, well=well)
        if not well:
            assert repaired.state != "complete", name
