"""The same faults whatever the caller called: each method ends in one of our exceptions, at the same fault as `stream`.

`test_matrix` runs every case by `stream` or `create`. Here are faults of every kind by every method there is.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, TypeAlias

import attrs
import pytest

from sansio_claude._errors import ClaudeError
from tests.adapters.runtimes import Runtime
from tests.faults.case import ASK, Case, Outcome, run
from tests.faults.server import FaultServer
from tests.faults.table import CASES

# fmt: off
FAULTS = (
    "ok_plain", "ok_stop_then_idle", "ok_tool", "trunc_clean_mid_text", "trunc_clean_after_start",
    "trunc_clean_before_stop", "trunc_mid_chunk", "trunc_rst", "trunc_empty_chunked", "trunc_only_pings",
    "trunc_tool_mid", "trunc_after_100", "trunc_204", "trunc_in_headers", "trunc_tls_no_close_notify", "to_headers",
    "to_half_head", "to_mid", "to_mid_total", "to_ping_forever", "to_json_stall", "to_tls", "to_drip_event",
    "conn_refused", "conn_rst_accept", "conn_fin_no_answer", "conn_dns", "tls_wrong_host", "tls_plain_answer",
    "tls_garbage_mid", "proxy_407", "proxy_garbage", "proxy_close", "proxy_dead", "http_bad_status",
    "http_huge_header", "http_1xx_flood", "http_two_lengths", "http_101", "chunk_bad_size", "ce_gzip_bomb",
    "ce_unknown", "status_400", "status_404", "status_529", "status_502_html", "s200_html", "s200_json_message",
    "s200_json_other", "s200_json_error", "eb_huge", "eb_deep", "redir_cross_307", "redir_bad_url", "ev_error_mid",
    "ev_error_first", "ev_no_start", "ev_bad_json", "ev_text_null", "ev_text_list", "ev_index_unknown", "ev_bad_utf8",
    "ev_deep_objects", "lim_data_lines", "header_crlf", "req_nan", "req_surrogate", "req_recursive", "req_deep",
    "req_object", "req_unknown", "beta_crlf",
)
# fmt: on

Way: TypeAlias = Callable[[Any, dict[str, Any]], Awaitable[Any]]
WAYS: dict[str, Way] = {}


def way(function: Way) -> Way:
    WAYS[function.__name__] = function
    return function


@way
async def text(client: Any, arguments: dict[str, Any]) -> Any:
    async with client.stream(**arguments) as stream:
        async for _ in stream.text():
            pass
        return await stream.final_message()


@way
async def final_message(client: Any, arguments: dict[str, Any]) -> Any:
    async with client.stream(**arguments) as stream:
        return await stream.final_message()


@way
async def twice(client: Any, arguments: dict[str, Any]) -> Any:
    """An error is raised again on every later try, and leaving the block raises none of its own."""
    stream = client.stream(**arguments)
    async with stream:
        first: ClaudeError | None = None
        try:
            async for _ in stream:
                pass
        except ClaudeError as error:
            first = error
        if first is not None:
            for again in (stream.__anext__, stream.final_message, stream.text().__anext__):
                with pytest.raises(type(first)) as caught:
                    await again()
                assert caught.value is first
        await stream.aclose()
        return await stream.final_message()


@way
async def create(client: Any, arguments: dict[str, Any]) -> Any:
    return await client.create(**arguments)


@way
async def run_tools(client: Any, arguments: dict[str, Any]) -> Any:
    async with client.run(**arguments, tools=[look], max_turns=1) as running:
        async for _ in running:
            pass
        return running


@way
async def extract(client: Any, arguments: dict[str, Any]) -> Any:
    return await client.extract(Place, **arguments, attempts=1)


@way
async def whole(client: Any, arguments: dict[str, Any]) -> Any:
    return await client.create(**arguments, stream=False)


@way
async def count_tokens(client: Any, arguments: dict[str, Any]) -> Any:
    return (await client.count_tokens(**arguments)).input_tokens


@way
async def models(client: Any, arguments: dict[str, Any]) -> Any:
    return (await client.models()).models


@way
async def model(client: Any, arguments: dict[str, Any]) -> Any:
    return (await client.model("m/../n?x=\r\ny")).id


STREAMED = ("text", "final_message", "twice", "create", "run_tools", "extract")
"""The ways that read the same stream, and so meet the same faults."""


@attrs.define
class Place:
    """Somewhere."""

    city: str


def look(city: str) -> str:
    """Look at a city."""
    return city


@attrs.define(frozen=True, kw_only=True, eq=False)
class Asked(Case):
    """A case, asked in another way."""

    way: Way

    async def ask_by(self, client: Any, runtime: Runtime, outcome: Outcome) -> None:
        await self.way(client, {**ASK, **self.ask})


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("runtime", ["trio", "asyncio"], indirect=True)
@pytest.mark.usefixtures("nothing_left")
def test_by(runtime: Runtime, way: str, server: FaultServer) -> None:
    retries = (runtime.name == "trio") == (list(WAYS).index(way) % 2 == 0)  # each way and each loop in both modes
    for name in FAULTS:
        fields = {field.name: getattr(CASES[name], field.name) for field in attrs.fields(Case)}
        fields["retry"] = {"max_retries": 1}
        fields["timeouts"] = {"first_byte": 0.5, "idle": 0.5, **fields["timeouts"]}
        outcome = run(Asked(way=WAYS[way], **fields), runtime, server, retries=retries)
        try:
            check(CASES[name], outcome, way)
        except AssertionError as error:
            error.add_note(f"{name} by {way}: {outcome.error!r}")
            raise


def check(case: Case, outcome: Outcome, way: str) -> None:
    assert outcome.kind not in ("foreign", "hang")
    assert outcome.leaks == []
    assert outcome.next is None
    assert (outcome.left, outcome.elsewhere) == (0, 0)
    assert outcome.seconds < case.within
    wanted = case.want.split("|")
    if way in STREAMED and outcome.kind not in wanted:
        # An answer without the tool call that extracting asks for is an error of the model's, and one with an open end
        # is asked to go on.
        assert case.want == "ok"
    if outcome.kind == "ok":
        assert "ok" in wanted or case.retried or way in ("whole", "model")


def test_the_list_has_every_kind_of_end() -> None:
    assert {kind for name in FAULTS for kind in CASES[name].want.split("|")} >= {
        *("ok", "connect", "timeout", "protocol", "truncated", "limit", "api"),
    }
