"""The small calls: what they ask, and what their answers say."""

from __future__ import annotations

import json
from typing import Any

import attrs
import pytest

from sansio_claude._errors import LimitError, LocalProtocolError, RemoteProtocolError
from sansio_claude._limits import Limits
from sansio_claude._request.catalog import ListedModel, ModelPage, ModelRequest, ModelsRequest, TokenCount

MODEL: dict[str, Any] = {
    "type": "model",
    "id": "claude-opus-5-5",
    "display_name": "Claude Opus 5.5",
    "created_at": "2026-09-22T00:00:00Z",
    "max_input_tokens": 1000000,
    "max_tokens": 128000,
    "lifecycle": "active",
    "capabilities": {"batch": {"supported": True}},
    "line": None,
}


def test_a_token_count() -> None:
    count = TokenCount.from_json(b'{"input_tokens": 2095, "context_management": null}')
    assert count.input_tokens == 2095
    assert count.to_dict() == {"input_tokens": 2095, "context_management": None} == count.raw
    assert count == TokenCount({"input_tokens": 2095, "context_management": None})


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"{}", "is missing"),
        (b'{"input_tokens": null}', "null"),
        (b'{"input_tokens": true}', "boolean"),
        (b'{"input_tokens": "5"}', "string"),
    ],
)
def test_a_count_without_a_number(data: bytes, words: str) -> None:
    with pytest.raises(RemoteProtocolError, match=words):
        _ = TokenCount.from_json(data).input_tokens


def test_an_answer_that_is_no_object() -> None:
    with pytest.raises(RemoteProtocolError, match="a list, not an object"):
        TokenCount.from_json(b"[]")
    with pytest.raises(RemoteProtocolError):
        ModelPage.from_json(b"<html>")
    with pytest.raises(LimitError):
        ModelPage.from_json(b'{"data": [[[]]]}', limits=Limits(depth=2))


def test_a_listed_model() -> None:
    model = ListedModel.from_json(json.dumps(MODEL).encode())
    assert model.id == "claude-opus-5-5"
    assert model.display_name == "Claude Opus 5.5"
    assert model.created_at == "2026-09-22T00:00:00Z"
    assert (model.max_input_tokens, model.max_tokens) == (1000000, 128000)
    assert model.lifecycle == "active"
    assert model.to_dict() == MODEL
    bare = ListedModel({"id": "m", "max_tokens": True, "display_name": 5, "capabilities": [], "line": 1})
    assert (bare.capabilities, bare.line, bare.allowed_fallback_models, bare.retires_at) == (None, None, None, None)
    thinking = {"supported": True, "types": {"adaptive": {"supported": True}, "enabled": None}}
    able = ListedModel(
        {"id": "m", "capabilities": {"thinking": thinking, "batch": 1}, "allowed_fallback_models": ["a", 1]}
    )
    assert able.capabilities is not None
    assert able.capabilities.thinking is not None
    assert able.capabilities.thinking.parts == {"adaptive": {"supported": True}}
    assert able.capabilities.thinking.parts["adaptive"].supported
    assert (able.capabilities.batch, able.capabilities.effort) == (None, None)
    assert able.allowed_fallback_models == ["a"]
    counted = TokenCount({"input_tokens": 1, "context_management": {"original_input_tokens": 2}})
    assert counted.context_management is not None
    assert counted.context_management.original_input_tokens == 2
    assert (bare.display_name, bare.created_at, bare.max_input_tokens, bare.max_tokens, bare.lifecycle) == (None,) * 5
    with pytest.raises(RemoteProtocolError, match="id is missing"):
        _ = ListedModel({}).id


def test_a_page_of_models_and_the_next() -> None:
    request = ModelsRequest(limit=1, lifecycle="active", betas=["b"], workspace_id="w")
    page = ModelPage.from_json(
        json.dumps({"data": [MODEL, 5], "has_more": True, "last_id": "claude-opus-5-5"}).encode()
    )
    assert [model.id for model in page.models] == ["claude-opus-5-5"]
    assert (list(page), len(page)) == (page.models, 1)
    after = request.next(page)
    assert after is not None
    assert (after.after_id, after.before_id, after.limit, after.betas) == ("claude-opus-5-5", None, 1, ["b"])
    assert after.query == "limit=1&after_id=claude-opus-5-5&lifecycle=active"
    assert request.next(ModelPage({"data": [], "has_more": False, "last_id": None})) is None
    assert request.next(ModelPage({"data": [], "has_more": False, "last_id": "claude-opus-5-5"})) is None
    assert request.next(ModelPage({"has_more": True})) is None
    backwards = attrs.evolve(request, before_id="z")
    assert backwards.next(page) is None  # which does not say what stands first in it
    before = backwards.next(ModelPage({"data": [MODEL], "has_more": True, "first_id": "y", "last_id": "a"}))
    assert before is not None
    assert (before.after_id, before.before_id) == (None, "y")
    with pytest.raises(RemoteProtocolError, match="data is missing"):
        _ = ModelPage({}).models


def test_the_requests() -> None:
    models = ModelsRequest(workspace_id="w", extra_headers={"x": None})
    assert (models.method, models.resource, models.query, models.body(), models.secrets) == (
        b"GET",
        "models",
        "",
        b"",
        (),
    )
    assert models.headers == {"anthropic-workspace-id": "w", "x": None}
    model = ModelRequest(id="a/b@c")
    assert (model.method, model.resource, model.query, model.body(), model.secrets) == (
        b"GET",
        "models/a%2Fb%40c",
        "",
        b"",
        (),
    )
    assert model.headers == {}
    for bad in ("", ".", ".."):
        with pytest.raises(LocalProtocolError, match="empty"):
            _ = ModelRequest(id=bad).resource
