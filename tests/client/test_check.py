"""`client.check`: a request is judged with the version, the headers and the flags of endpoint and client."""

from __future__ import annotations

from typing import Any

import pytest

from sansio_claude import Endpoint, LocalProtocolError, MessageRequest
from sansio_claude.asyncio import Client as AsyncioClient
from sansio_claude.sync import Client as SyncClient
from sansio_claude.trio import Client as TrioClient

ASK: dict[str, Any] = {"model": "claude-haiku-4-5", "max_tokens": 9, "messages": [{"role": "user", "content": "x"}]}
MANAGED = {**ASK, "context_management": {"edits": []}}
FLAG = "context-management-2025-06-27"


@pytest.mark.parametrize("client_type", [AsyncioClient, TrioClient, SyncClient])
def test_flags_and_version_of_endpoint_and_client_count(client_type: Any) -> None:
    def client(endpoint: dict[str, Any], **options: Any) -> Any:
        return client_type(Endpoint.from_base_url("https://h", api_key="k", **endpoint), **options)

    assert [problem.path for problem in client({}).check(**MANAGED)] == ["context_management"]
    assert client({"betas": [FLAG]}).check(**MANAGED) == []
    assert client({}, betas=[FLAG]).check(**MANAGED) == []
    assert client({}, headers={"anthropic-beta": FLAG}).check(MessageRequest(**MANAGED)) == []
    assert client({}).check(**MANAGED, betas=[FLAG]) == []
    assert client({}).check(**ASK, temperature=0.5) == []
    newest = client({"version": "2026-10-21"})
    assert [problem.path for problem in newest.check(**ASK, temperature=0.5)] == ["temperature"]
    own = {"anthropic-version": "2023-06-01"}
    assert newest.check(**ASK, temperature=0.5, extra_headers=own) == []
    assert [problem.path for problem in client({}).check(**ASK, user_profile_id="a\nb")] == ["user_profile_id"]
    assert client({}).check(MessageRequest(**ASK), max_tokens=0) == []


def test_the_day_can_be_given() -> None:
    client = AsyncioClient(Endpoint.from_base_url("https://h", api_key="k"))
    asked = {**ASK, "model": "claude-sonnet-4-5"}
    assert [problem.severity for problem in client.check(**asked, date="2026-11-30")] == ["error"]
    assert client.check(**asked, date="2026-08-01") == []


def test_an_iterator_is_refused_and_not_used_up() -> None:
    client = AsyncioClient(Endpoint.from_base_url("https://h", api_key="k"))
    turns = iter(ASK["messages"])
    with pytest.raises(LocalProtocolError, match="messages is an iterator"):
        client.check(**{**ASK, "messages": turns})
    assert list(turns) == ASK["messages"]
