"""The embeddings of examples/embed: short, and right on a whole answer, on cuts, refusals, errors in the stream."""

from __future__ import annotations

import ast
import gc
import subprocess
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest

from sansio_claude._errors import APIError, AuthenticationError, OverloadedError, RateLimitError, TruncatedError
from sansio_claude._request.endpoint import Endpoint
from sansio_claude.testing import Answer, ReplayServer, compose, serve_in_thread
from tests.embedding.embeds import EMBEDS, REQUEST, Embed

FOLDER = Path(__file__).parents[2] / "examples" / "embed"
FILES = sorted(path for path in FOLDER.glob("*.py") if path.stem != "__init__")
MOST_LINES = 8
WHOLE = compose(
    [{"type": "text", "text": "Größe, \U0001f642!"}, {"type": "tool_use", "name": "f", "input": {"a": [1, "b"]}}],
    seed=1,
    pings="none",
)


@pytest.fixture(autouse=True)
def _collect() -> Iterator[None]:
    """Some HTTP libraries leave the socket of a body that failed in the middle to the collector, which would warn."""
    yield
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()


@pytest.fixture(params=list(EMBEDS))
def embed(request: pytest.FixtureRequest) -> Embed:
    return EMBEDS[request.param]


def test_every_file_is_run() -> None:
    assert {path.stem for path in FILES} == set(EMBEDS)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_it_is_short_as_ruff_formats_it(path: Path) -> None:
    source = path.read_text("utf-8")
    ast.parse(source)
    lines = [line for line in source.splitlines() if line.strip()]
    assert len(lines) <= MOST_LINES
    assert max(map(len, lines)) <= 120


def test_the_files_are_formatted() -> None:
    ruff = Path(sys.executable).with_name("ruff")
    if not ruff.exists():
        pytest.skip("ruff is not installed here")
    subprocess.run([ruff, "format", "--check", FOLDER], check=True, capture_output=True)


def test_a_whole_answer(embed: Embed) -> None:
    server = ReplayServer([WHOLE], api_key="k")
    with serve_in_thread(server) as address:
        got = embed(Endpoint.from_base_url(address.url, api_key="k"), REQUEST)
    assert got.text == "Größe, \U0001f642!"
    if got.message is not None:
        assert got.message.to_dict() == WHOLE.message
    sent = server.requests[0].json()
    assert sent == {**REQUEST.to_dict(), "stream": True}


def test_every_cut_is_a_truncated_error(embed: Embed) -> None:
    # The last blank line is not needed: the event before it is whole.
    cuts = range(10, len(WHOLE.data) - 2, 10)
    with serve_in_thread(ReplayServer([WHOLE.cut(position) for position in cuts])) as address:
        endpoint = Endpoint.from_base_url(address.url, api_key="k")
        for _ in cuts:
            with pytest.raises(TruncatedError):
                embed(endpoint, REQUEST)


@pytest.mark.parametrize("end", ["close", "reset"])
def test_a_broken_connection_is_never_a_whole_answer(embed: Embed, end: str) -> None:
    answers = [Answer.stream(WHOLE.cut(position), end=end) for position in (100, 900)]  # type: ignore[arg-type]
    with serve_in_thread(ReplayServer(answers)) as address:
        for _ in answers:
            with pytest.raises(Exception):  # noqa: B017 (mostly the HTTP library's own)
                embed(Endpoint.from_base_url(address.url, api_key="k"), REQUEST)


def test_a_refusal_is_its_api_error(embed: Embed) -> None:
    server = ReplayServer([Answer.error(429, "slow down", headers=[("retry-after", "0")])], api_key="k")
    with serve_in_thread(server) as address:
        with pytest.raises(AuthenticationError):
            embed(Endpoint.from_base_url(address.url, api_key="wrong"), REQUEST)
        with pytest.raises(RateLimitError, match="slow down") as refused:
            embed(Endpoint.from_base_url(address.url, api_key="k"), REQUEST)
    assert refused.value.status == 429
    assert refused.value.retry_after == 0.0


def test_a_redirect_is_not_followed(embed: Embed) -> None:
    with serve_in_thread(ReplayServer([WHOLE])) as elsewhere:
        moved = Answer.json({}, status=307, headers=[("location", f"{elsewhere.url}/v1/messages")])
        server = ReplayServer([moved])
        with serve_in_thread(server) as address, pytest.raises(APIError):
            embed(Endpoint.from_base_url(address.url, api_key="k"), REQUEST)
    assert {recorded.path for recorded in server.requests} == {"/v1/messages"}
    assert len(server.requests) == 1


def test_an_error_in_the_stream(embed: Embed) -> None:
    with (
        serve_in_thread(ReplayServer([WHOLE.with_error(4)])) as address,
        pytest.raises(OverloadedError) as failed,
    ):
        embed(Endpoint.from_base_url(address.url, api_key="k"), REQUEST)
    assert failed.value.partial is not None
