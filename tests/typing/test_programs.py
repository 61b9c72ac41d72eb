"""The programs that the type checkers look at name everything public, and do what they say."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import trio

import sansio_claude
import sansio_claude.asyncio
import sansio_claude.testing
import sansio_claude.tools
import sansio_claude.trio
from sansio_claude import Endpoint, Message, MessageRequest, TruncatedError
from sansio_claude.testing import compose, serve_in_thread
from tests.typing import client_program, core_program

FOLDER = Path(__file__).parent
SOURCES = "\n".join((FOLDER / name).read_text("utf-8") for name in ("core_program.py", "client_program.py"))
PACKAGES = [sansio_claude, sansio_claude.trio, sansio_claude.asyncio, sansio_claude.tools, sansio_claude.testing]
BLOCKS: list[dict[str, Any]] = [
    {"type": "thinking", "thinking": "Well.", "signature": "sig=="},
    {"type": "text", "text": "Hello."},
    {"type": "redacted_thinking", "data": "opaque"},
    {"type": "tool_use", "id": "toolu_1", "name": "get_weather", "input": {"city": "Oslo"}},
    {"type": "web_search_tool_result", "tool_use_id": "toolu_2", "content": []},
    {"type": "mcp_tool_listing", "mcp_server_name": "s", "tools": []},
    {"type": "container_upload", "file_id": "file_1"},
    {"type": "compaction", "content": "A summary."},
    {"type": "fallback", "from": {"model": "a"}, "to": {"model": "b"}},
    {"type": "news"},
]


@pytest.mark.parametrize("package", PACKAGES, ids=lambda package: package.__name__)
def test_every_public_name_is_used(package: ModuleType) -> None:
    words = set(re.findall(r"\w+", SOURCES))
    assert set(package.__all__) - words == set()


def test_the_core() -> None:
    transcript = compose(BLOCKS, seed=1)
    message = core_program.read([transcript.data[:100], transcript.data[100:]])
    assert message is not None
    assert message == core_program.plain_chain(transcript.data)
    assert core_program.whole(message) == transcript.message
    described = [core_program.describe(block) for block in message.content]
    assert described[:4] == ["Well.sig==", "Hello.", "opaque", "get_weather {'city': 'Oslo'}"]
    with pytest.raises(TruncatedError):
        core_program.read([])
    assert core_program.growing('{"a": [1') == {"a": [1]}
    assert core_program.growing('{"a": "b"}') == {"a": "b"}
    assert core_program.explain(TruncatedError("cut", stage="stream")) == "stream"
    request = core_program.ask()
    assert core_program.go_on(request, TruncatedError("cut", partial=None)) == " and so on"
    endpoint = Endpoint.from_base_url("https://example.org", api_key="k")
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
    assert core_program.exchange(endpoint, request, answer) == b"{}"
    assert core_program.settings([]).retry.max_retries == 2


def test_the_clients() -> None:
    with serve_in_thread(client_program.server()) as address:
        endpoint = Endpoint.from_base_url(address.url, api_key="k")
        assert asyncio.run(client_program.on_asyncio(endpoint)) == "Hello."
    with serve_in_thread(client_program.server()) as address:
        endpoint = Endpoint.from_base_url(address.url, api_key="k")
        assert trio.run(client_program.on_trio, endpoint) == "Hello."
    assert len(set(asyncio.run(client_program.served()))) == 2
    assert trio.run(client_program.served_in_trio).startswith("http://127.0.0.1:")
    connection = client_program.server().connect()
    connection.receive_data(b"GET / HTTP/1.1\r\nHost: h\r\n\r\n")
    assert client_program.step(connection, 0.0).startswith(b"HTTP/1.1 404 ")
    assert client_program.pool().taken == 0


def test_tools(tmp_path: Path) -> None:
    call = {"type": "tool_use", "id": "toolu_1", "name": "get_weather", "input": {"city": "Oslo"}}
    answers = [
        Message.from_dict({"role": "assistant", "content": [call], "stop_reason": "tool_use"}),
        Message.from_dict({"role": "assistant", "content": [], "stop_reason": "end_turn"}),
    ]
    assert client_program.drive(answers) == "end_turn"
    assert len(client_program.editors(str(tmp_path))) == 3
    assert client_program.get_weather("Oslo") == "15 degrees in Oslo for 1 days"

    async def main() -> list[client_program.City]:
        given = [
            compose([{**call, "name": "give_answer", "input": {"name": "Oslo"}}], seed=1),
            compose([{**call, "name": "give_answer", "input": {"value": [{"name": "Bergen"}]}}], seed=2),
        ]
        with serve_in_thread(sansio_claude.testing.ReplayServer(given)) as address:
            async with sansio_claude.trio.Client(Endpoint.from_base_url(address.url, api_key="k")) as client:
                return await client_program.values(client)

    assert trio.run(main) == [client_program.City("Bergen")]
    assert MessageRequest(tools=[client_program.time_in]).check()
