"""Each difference from the official SDK and from pydantic has a reason (`python -m tests.tools.compare_hints`)."""

from __future__ import annotations

import pytest

from tests.tools.compare_hints import main
from tests.tools.hint_cases import CASES


def test_every_difference_has_a_reason(capsys: pytest.CaptureFixture[str]) -> None:
    assert len(CASES) >= 150
    status = main([])
    assert status == 0, "\n".join(line for line in capsys.readouterr().out.splitlines() if "| ? |" in line)
