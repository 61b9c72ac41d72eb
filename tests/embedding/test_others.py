"""What the same takes with httpx-sse and with the official SDK: the lines of the guide's table, and what comes."""

from __future__ import annotations

import re
from pathlib import Path

import httpx
import pytest

from sansio_claude.testing import Answer, ReplayServer, compose, serve_in_thread

ROOT = Path(__file__).parents[2]
WHOLE = compose(
    [{"type": "text", "text": "Größe"}, {"type": "tool_use", "name": "f", "input": {"a": [1, "b"]}}],
    seed=1,
    pings="none",
)
CUT = Answer.stream(compose("One two three four.", seed=1).first(4))


def lines(path: str) -> int:
    return sum(bool(line.strip()) for line in (ROOT / path).read_text("utf-8").splitlines())


def test_the_table_of_the_guide() -> None:
    guide = (ROOT / "docs/guides/embed.md").read_text("utf-8")
    rows = {row[0]: row[1:] for row in re.findall(r"^\| (httpx, blocking) \| (\d+) \| (\d+) \| (\d+) \|$", guide, re.M)}
    counted = "examples/embed/httpx_sync.py", "by_httpx_sse.py", "by_official_sdk.py"
    found = [lines(name if "/" in name else f"tests/embedding/others/{name}") for name in counted]
    assert [int(number) for number in rows["httpx, blocking"]] == found


def test_httpx_sse_by_hand(capsys: pytest.CaptureFixture[str]) -> None:
    by_hand = pytest.importorskip("tests.embedding.others.by_httpx_sse", exc_type=ImportError)
    with serve_in_thread(ReplayServer([WHOLE, CUT])) as server, httpx.Client() as client:
        url = server.url + "/v1/messages"
        assert (
            by_hand.ask(client, url, {"x-api-key": "k"}, {"model": "m", "max_tokens": 9, "messages": []})
            == WHOLE.message
        )
        with pytest.raises(RuntimeError):
            by_hand.ask(client, url, {"x-api-key": "k"}, {"model": "m", "max_tokens": 9, "messages": []})
    assert capsys.readouterr().out.startswith("Größe")


@pytest.mark.sweep
def test_the_official_sdk_takes_a_cut_for_whole(capsys: pytest.CaptureFixture[str]) -> None:
    anthropic = pytest.importorskip("anthropic")
    from tests.embedding.others import by_official_sdk

    with serve_in_thread(ReplayServer([WHOLE, CUT])) as server:
        client = anthropic.Anthropic(base_url=server.url, api_key="k", max_retries=0)
        assert by_official_sdk.ask(client, "Hi").content[0].text == "Größe"  # type: ignore[union-attr]
        assert by_official_sdk.ask(client, "Hi").stop_reason is None
        client.close()
    assert capsys.readouterr().out
