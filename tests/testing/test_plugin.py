"""The fixtures, in runs of pytest of their own."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from pathlib import Path

TESTS = """
    import asyncio
    import anthropic, pytest, trio
    import sansio_claude.asyncio, sansio_claude.sync, sansio_claude.trio
    from sansio_claude import ClaudeError
    from sansio_claude.testing import compose

    ASK = {"model": "m", "max_tokens": 1, "messages": [{"role": "user", "content": "Hello"}]}
    HELLO = compose("Hello!", seed=1)

    async def said(module, endpoint):
        async with module.Client(endpoint) as client:
            return (await client.create(**ASK)).text

    def test_official(claude_replay):
        server, endpoint = claude_replay(HELLO)
        base = endpoint.url.removesuffix("/v1/messages")
        with anthropic.Anthropic(base_url=base, api_key="k") as client:
            assert client.messages.create(**ASK).content[0].text == "Hello!"
        assert server.requests[0].json()["max_tokens"] == 1

    def test_asyncio_in_a_thread(claude_replay):
        assert asyncio.run(said(sansio_claude.asyncio, claude_replay(HELLO).endpoint)) == "Hello!"

    def test_blocking(claude_replay):
        with sansio_claude.sync.Client(claude_replay(HELLO).endpoint) as client:
            assert client.create(**ASK).text == "Hello!"

    def test_two_servers(claude_replay):
        first, second = claude_replay(HELLO), claude_replay(compose("Bye!", seed=2), api_key="secret")
        assert asyncio.run(said(sansio_claude.asyncio, first.endpoint)) == "Hello!"
        assert trio.run(said, sansio_claude.trio, second.endpoint) == "Bye!"

    def test_asyncio(claude_replay_asyncio):
        async def use():
            async with claude_replay_asyncio(HELLO) as (server, endpoint):
                assert await said(sansio_claude.asyncio, endpoint) == "Hello!"
        asyncio.run(use())

    def test_trio(claude_replay_trio):
        async def use():
            async with claude_replay_trio(HELLO) as (server, endpoint):
                assert await said(sansio_claude.trio, endpoint) == "Hello!"
        trio.run(use)

    def check(request):
        assert request.json()["max_tokens"] == 2, "too few tokens"

    def test_fails_with_the_assertion(claude_replay):
        asyncio.run(said(sansio_claude.asyncio, claude_replay(check).endpoint))

    def test_fails_although_the_error_was_swallowed(claude_replay):
        with pytest.raises(ClaudeError):
            asyncio.run(said(sansio_claude.asyncio, claude_replay(check).endpoint))

    def test_fails_on_trio(claude_replay_trio):
        async def use():
            async with claude_replay_trio(check) as (server, endpoint):
                with pytest.raises(ClaudeError):
                    await said(sansio_claude.trio, endpoint)
        trio.run(use)

    def test_fails_when_exhausted(claude_replay):
        server, endpoint = claude_replay(HELLO)
        for _ in range(2):
            asyncio.run(said(sansio_claude.asyncio, endpoint))
"""


def run(folder: Path, *arguments: str) -> str:
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-p", "no:xdist", "-q", *arguments]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120)
    return done.stdout + done.stderr


def test_the_fixtures_serve_every_client_and_report_what_scripts_raise(tmp_path: Path) -> None:
    (tmp_path / "conftest.py").write_text('pytest_plugins = ["sansio_claude.testing.pytest"]')
    (tmp_path / "test_it.py").write_text(textwrap.dedent(TESTS))
    report = run(tmp_path, "-W", "error", "--tb=short")
    assert "4 failed, 6 passed" in report, report
    assert "error" not in report.splitlines()[-1], report
    assert report.count("E   AssertionError: too few tokens") == 3, report
    assert "the script of this replay server is exhausted" in report


def test_a_run_that_does_not_use_the_fixtures_imports_nothing_for_them(tmp_path: Path) -> None:
    (tmp_path / "conftest.py").write_text('pytest_plugins = ["sansio_claude.testing.pytest"]')
    (tmp_path / "test_it.py").write_text(
        textwrap.dedent("""
            import sys
            def test_it():
                loaded = sorted(name for name in sys.modules if name.startswith("sansio_claude"))
                assert loaded == [
                    "sansio_claude",
                    "sansio_claude._described",
                    "sansio_claude.testing",
                    "sansio_claude.testing.pytest",
                ]
        """)
    )
    assert "1 passed" in run(tmp_path)


def test_nothing_is_loaded_unless_it_is_asked_for(tmp_path: Path) -> None:
    (tmp_path / "test_it.py").write_text(
        "import sys\ndef test_it(): assert not any(name.startswith('sansio_claude') for name in sys.modules)\n"
    )
    report = run(tmp_path, "-v")
    assert "1 passed" in report
    assert "sansio" not in report.split("rootdir")[0]
