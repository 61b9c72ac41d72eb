"""CONTRIBUTING.md names only files that are there, and the same import table as the test that holds it."""

from __future__ import annotations

import re
from pathlib import Path

from tests.test_layers import ROW_OF

ROOT = Path(__file__).parent.parent
TEXT = (ROOT / "CONTRIBUTING.md").read_text("utf-8")


def test_every_file_it_names_exists() -> None:
    names = set(re.findall(r"`((?:_?\w+/)+[\w.*]*)`", TEXT))
    assert names
    for name in names:
        assert any(list(base.glob(name.rstrip("/"))) for base in (ROOT, ROOT / "sansio_claude")), name


def test_its_import_table_is_the_one_that_is_tested() -> None:
    (table,) = re.findall(r"^```text\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)
    rows = [re.split(r"\s{3,}", line)[0] for line in table.splitlines()]
    stated = {wing.strip(): row for row, line in enumerate(rows) for wing in line.split("|")}
    assert stated == ROW_OF
