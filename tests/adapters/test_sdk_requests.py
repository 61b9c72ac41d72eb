"""The same arguments give the same request as the official SDK: bodies equal as JSON, headers where both send them.

The SDK's transport is replaced, so nothing leaves the process. Where a request differs on purpose, `DIFFERENT` has
the difference and its reason; a case that is neither equal nor listed fails.
"""

from __future__ import annotations

import base64
import importlib
import json
import warnings
from typing import Any, Final

import anthropic
import pytest

from sansio_claude._message.message import Message
from sansio_claude._request.endpoint import Endpoint
from sansio_claude._request.request import MessageRequest
from sansio_claude._request.turns import assistant, tool_result, user

# The SDK's own HTTP library, whatever its name in this version.
httpx: Any = importlib.import_module(anthropic.DefaultHttpxClient.__mro__[2].__module__.partition(".")[0])

ANSWER: Final[dict[str, Any]] = {
    "id": "msg_1",
    "type": "message",
    "role": "assistant",
    "model": "claude-opus-5-5",
    "content": [
        {"type": "thinking", "thinking": "hm", "signature": "c2ln"},
        {"type": "redacted_thinking", "data": "b3BhcXVl"},
        {"type": "text", "text": "I will look."},
        {"type": "tool_use", "id": "toolu_1", "name": "get_weather", "input": {"city": "Köln"}},
    ],
    "stop_reason": "tool_use",
    "stop_sequence": None,
    "usage": {"input_tokens": 1, "output_tokens": 1},
}

WEATHER: Final[dict[str, Any]] = {
    "name": "get_weather",
    "description": "Get the current weather for a location.",
    "input_schema": {
        "type": "object",
        "properties": {"location": {"type": "string", "description": "The city name."}},
        "required": ["location"],
    },
}
EPHEMERAL: Final = {"type": "ephemeral"}
HOUR: Final = {"type": "ephemeral", "ttl": "1h"}
PNG: Final = base64.b64encode(b"\x89PNG\r\n\x1a\n").decode()
IMAGE: Final = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PNG}}
TEXT: Final = {"type": "text", "text": "What is in the image?"}
CALL: Final = {"type": "tool_use", "id": "toolu_1", "name": "get_weather", "input": {"location": "Paris"}}
THINKING: Final = {"type": "thinking", "thinking": "hm", "signature": "c2ln"}
SEARCH: Final = {"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {"query": "rain"}}
FOUND: Final = {
    "type": "web_search_tool_result",
    "tool_use_id": "srvtoolu_1",
    "content": [
        {
            "type": "web_search_result",
            "url": "https://h",
            "title": "Rain",
            "encrypted_content": "b3A=",
            "page_age": None,
        }
    ],
}

# Arguments besides model, max_tokens and messages, which every case has unless it gives its own.
CASES: Final[dict[str, dict[str, Any]]] = {
    "plain": {},
    "max_tokens 0": {"max_tokens": 0},
    "unicode": {"messages": [user('Größe 日本 👨‍👩‍👧 "q" \\ \n\t \u2028 \x00')]},
    "system text": {"system": "Be short."},
    "system blocks": {"system": [{"type": "text", "text": "Be short."}, {"type": "text", "text": "And kind."}]},
    "system cached": {"system": [{"type": "text", "text": "Long.", "cache_control": EPHEMERAL}]},
    "system turn": {"messages": [user("a"), {"role": "system", "content": "b"}, user("c")]},
    "two turns": {"messages": [user("a"), assistant("b"), user("c")]},
    "prefill": {
        "model": "claude-haiku-4-5",
        "max_tokens": 1,
        "messages": [user("A or B?"), assistant("The answer is (")],
    },
    "blocks": {"messages": [user("a", "b")]},
    "stop sequences": {"stop_sequences": ["END", "\n\nHuman:"]},
    "metadata": {"metadata": {"user_id": "u"}},
    "metadata null": {"metadata": {"user_id": None}},
    "service tier": {"service_tier": "standard_only"},
    "speed": {"speed": "fast"},
    "geography": {"inference_geo": "us"},
    "container": {"container": "container_1"},
    "cache top level": {"cache_control": EPHEMERAL},
    "cache hour": {"cache_control": HOUR},
    "diagnostics": {"diagnostics": {"previous_message_id": "msg_0"}},
    "null": {"cache_control": None, "diagnostics": None, "container": None},
    "effort": {"output_config": {"effort": "low"}},
    "json schema": {
        "output_config": {"format": {"type": "json_schema", "schema": {"type": "object", "properties": {}}}}
    },
    # vision
    "image base64": {"messages": [user(IMAGE, TEXT)]},
    "image url": {"messages": [user({"type": "image", "source": {"type": "url", "url": "https://h/a.png"}})]},
    "image file": {"messages": [user({"type": "image", "source": {"type": "file", "file_id": "file_1"}})]},
    "image cached": {"messages": [user({**IMAGE, "cache_control": HOUR}, TEXT)]},
    "two images": {"messages": [user("First:", IMAGE, "Second:", IMAGE)]},
    "document": {
        "messages": [
            user(
                {
                    "type": "document",
                    "source": {"type": "text", "media_type": "text/plain", "data": "plain"},
                    "title": "T",
                    "context": "C",
                    "citations": {"enabled": True},
                }
            )
        ]
    },
    "document pdf url": {"messages": [user({"type": "document", "source": {"type": "url", "url": "https://h/a.pdf"}})]},
    "search result": {
        "messages": [
            user({"type": "search_result", "source": "s", "title": "t", "content": [{"type": "text", "text": "x"}]})
        ]
    },
    # thinking
    "adaptive": {"thinking": {"type": "adaptive"}},
    "adaptive shown": {"thinking": {"type": "adaptive", "display": "summarized"}},
    "adaptive hidden": {"thinking": {"type": "adaptive", "display": "omitted"}},
    "budget": {"model": "claude-haiku-4-5", "thinking": {"type": "enabled", "budget_tokens": 1024}, "max_tokens": 2048},
    "thinking off": {"model": "claude-haiku-5-5", "thinking": {"type": "disabled"}},
    "between tools": {"model": "claude-sonnet-5-5", "thinking": {"type": "between_tools"}},
    "interleaved": {
        "beta": True,
        "model": "claude-opus-4-5",
        "thinking": {"type": "enabled", "budget_tokens": 10000},
        "max_tokens": 2048,
        "betas": ["interleaved-thinking-2025-05-14"],
    },
    # tools
    "tool": {"tools": [WEATHER]},
    "tool auto": {"tools": [WEATHER], "tool_choice": {"type": "auto", "disable_parallel_tool_use": True}},
    "tool any": {"tools": [WEATHER], "tool_choice": {"type": "any"}},
    "tool forced": {"tools": [WEATHER], "tool_choice": {"type": "tool", "name": "get_weather"}},
    "tool none": {"tools": [WEATHER], "tool_choice": {"type": "none"}},
    "tool cached": {"tools": [WEATHER, {**WEATHER, "name": "b", "cache_control": EPHEMERAL}]},
    "tool custom": {"tools": [{**WEATHER, "type": "custom", "strict": True, "defer_loading": True}]},
    "tool examples": {"tools": [{**WEATHER, "input_examples": [{"location": "Köln"}, {"location": "Bonn"}]}]},
    "tool eager": {"tools": [{**WEATHER, "eager_input_streaming": None, "allowed_callers": ["direct"]}]},
    "tool deep schema": {
        "tools": [
            {
                **WEATHER,
                "input_schema": {
                    "type": "object",
                    "$defs": {"a": {"enum": [1, "x", None, 1.5, True]}},
                    "properties": {"b": {"anyOf": [{"$ref": "#/$defs/a"}, {"type": "array", "items": {}}]}},
                },
            }
        ]
    },
    "editor": {
        "tools": [{"type": "text_editor_20250728", "name": "str_replace_based_edit_tool", "max_characters": 999}]
    },
    "bash and memory": {
        "tools": [{"type": "bash_20250124", "name": "bash"}, {"type": "memory_20250818", "name": "memory"}]
    },
    "web search": {"tools": [{"type": "web_search_20260318", "name": "web_search", "max_uses": 3}]},
    "tool round": {
        "tools": [WEATHER],
        "messages": [user("w?"), assistant("I look.", CALL), user(tool_result("toolu_1", "15"))],
    },
    "tool round thinking": {
        "tools": [WEATHER],
        "thinking": {"type": "adaptive"},
        "messages": [user("w?"), assistant(THINKING, CALL), user(tool_result("toolu_1", "15", is_error=False))],
    },
    "tool failed": {
        "tools": [WEATHER],
        "messages": [user("w?"), assistant(CALL), user(tool_result("toolu_1", "no", is_error=True))],
    },
    "tool image": {
        "tools": [WEATHER],
        "messages": [
            user("w?"),
            assistant(CALL),
            user(tool_result("toolu_1", ["see", IMAGE], cache_control=EPHEMERAL)),
        ],
    },
    "tools parallel": {
        "tools": [WEATHER],
        "messages": [
            user("w?"),
            assistant(CALL, {**CALL, "id": "toolu_2"}),
            user(tool_result("toolu_1", "15"), tool_result("toolu_2"), "and?"),
        ],
    },
    "server tools": {"messages": [user("s?"), assistant(SEARCH, FOUND, "It rains."), user("and?")]},
    "paused": {"messages": [user("s?"), assistant(SEARCH)]},
    "citations": {
        "messages": [
            user("a"),
            assistant(
                {
                    "type": "text",
                    "text": "b",
                    "citations": [
                        {
                            "type": "char_location",
                            "cited_text": "b",
                            "document_index": 0,
                            "document_title": None,
                            "start_char_index": 0,
                            "end_char_index": 1,
                        }
                    ],
                }
            ),
            user("c"),
        ]
    },
    # beta
    "context editing": {
        "beta": True,
        "betas": ["context-management-2025-06-27"],
        "context_management": {
            "edits": [
                {
                    "type": "clear_tool_uses_20250919",
                    "trigger": {"type": "input_tokens", "value": 100000},
                    "keep": {"type": "tool_uses", "value": 3},
                    "clear_at_least": {"type": "input_tokens", "value": 5000},
                    "clear_tool_inputs": True,
                    "exclude_tools": ["get_weather"],
                },
                {"type": "clear_thinking_20251015", "keep": "all"},
            ]
        },
    },
    "compaction": {
        "beta": True,
        "betas": ["compact-2026-01-12"],
        "context_management": {
            "edits": [
                {
                    "type": "compact_20260112",
                    "trigger": {"type": "input_tokens", "value": 150000},
                    "pause_after_compaction": True,
                    "instructions": "Keep the names.",
                }
            ]
        },
        "messages": [assistant({"type": "compaction", "content": "so far", "encrypted_content": None}), user("go on")],
    },
    "summarize": {
        "beta": True,
        "betas": ["compact-2026-09-04"],
        "compaction": {"type": "summarize", "instructions": "x"},
    },
    "mcp": {
        "beta": True,
        "betas": ["mcp-client-2025-11-20"],
        "mcp_servers": [{"type": "url", "name": "m", "url": "https://m", "authorization_token": None}],
        "tools": [{"type": "mcp_toolset", "mcp_server_name": "m", "configs": {"a": {"enabled": False}}}],
    },
    "mcp round": {
        "beta": True,
        "betas": ["mcp-client-2025-11-20"],
        "messages": [
            user("m?"),
            assistant(
                {"type": "mcp_tool_use", "id": "mcptoolu_1", "name": "n", "server_name": "m", "input": {}},
                {"type": "mcp_tool_result", "tool_use_id": "mcptoolu_1", "is_error": False, "content": []},
            ),
            user("and?"),
        ],
    },
    "fallbacks": {
        "beta": True,
        "betas": ["server-side-fallback-2026-07-01"],
        "fallbacks": [{"model": "claude-opus-5"}],
    },
    "fallbacks default": {"beta": True, "fallbacks": "default"},
    "fallback credit": {"beta": True, "fallback_credit_token": "fct_1"},
    "thread": {"beta": True, "betas": ["message-threads-2026-08-12"], "thread": {"type": "create"}},
    "task budget": {
        "beta": True,
        "betas": ["task-budgets-2026-03-13", "a"],
        "output_config": {"task_budget": {"type": "tokens", "total": 50000}, "effort": "max"},
    },
    "skills": {
        "beta": True,
        "betas": ["skills-2025-10-02", "code-execution-2025-05-22"],
        "container": {"id": "c1", "skills": [{"type": "anthropic", "skill_id": "xlsx", "version": "latest"}]},
        "tools": [{"type": "code_execution_20250825", "name": "code_execution"}],
    },
    # the SDK's ways around its own parameters
    "profile": {"user_profile_id": "up_1", "workspace_id": "ws_1"},
    "extra body": {"extra_body": {"new_field": {"a": [1, 2.5, None]}, "max_tokens": 7}},
    "extra headers": {"extra_headers": {"X-Tenant": "t"}},
    "extra query": {"extra_query": {"trace": "1 & 2"}},
    "generator": {"messages": lambda: iter([user("a"), assistant("b"), user("c")])},
    "stream": {"stream": True, "max_tokens": 64000},
    "stream beta": {"beta": True, "betas": ["a"], "stream": True, "tools": [WEATHER]},
}

# What differs, and why; each is shown below.
DIFFERENT: Final[dict[str, str]] = {
    "sampling": "the SDK 2.x has no temperature, top_p and top_k any more; here they are arguments, as the API's "
    "version 2023-06-01 and the gateways have them",
    "beta header": "the SDK's extra_headers replace its betas; here all flags are merged",
    "signing in": "the SDK 2.x sends its api_key as Bearer and asks for version 2026-10-21; here the default is "
    "x-api-key and 2023-06-01, as the gateways' documents have them",
    "response objects": "blocks of the SDK's answers go back with keys the wire never had, or without some it had; "
    "ours go back as they came",
}


def sdk_request(name: str, **arguments: Any) -> Any:
    """What the SDK puts on the wire."""
    seen: list[Any] = []

    def answer(request: Any) -> Any:
        seen.append(request)
        if json.loads(request.content).get("stream"):
            return httpx.Response(200, headers={"content-type": "text/event-stream"}, content=b"")
        return httpx.Response(200, json=ANSWER)

    transport = httpx.MockTransport(answer)
    with (
        anthropic.Anthropic(
            api_key="k",
            base_url="https://h",
            http_client=anthropic.DefaultHttpxClient(transport=transport),
            max_retries=0,
        ) as client,
        warnings.catch_warnings(),
    ):
        warnings.simplefilter("ignore")  # it warns of deprecated models
        messages = client.beta.messages if arguments.pop("beta", False) else client.messages
        getattr(messages, name)(**arguments)
    return seen[0]


def arguments_of(name: str) -> dict[str, Any]:
    arguments = {"model": "claude-opus-5-5", "max_tokens": 1024, "messages": [user("hi")], **CASES[name]}
    return {key: value() if callable(value) else value for key, value in arguments.items()}


@pytest.mark.parametrize("name", CASES)
def test_the_same_arguments_give_the_same_request(name: str) -> None:
    theirs = sdk_request("create", **arguments_of(name))
    arguments = arguments_of(name)
    arguments.pop("beta", None)
    ours = MessageRequest(**arguments)
    assert json.loads(ours.body()) == json.loads(theirs.content)
    head = Endpoint.from_base_url("https://h", auth_token="k").request_head(ours)
    assert head.method.decode() == theirs.method
    if name != "extra query":
        assert head.target == theirs.url.raw_path
    for header in (
        *("anthropic-beta", "anthropic-user-profile-id", "anthropic-workspace-id", "x-tenant"),
        *("content-type", "accept", "authorization"),
    ):
        assert head.get(header) == theirs.headers.get(header), header


def test_there_are_many_of_them() -> None:
    assert len(CASES) >= 60


def test_a_query_means_the_same() -> None:
    theirs = sdk_request("create", **arguments_of("extra query"))
    ours = Endpoint.from_base_url("https://h").request_head(MessageRequest(**arguments_of("extra query")))
    assert dict(httpx.URL(f"https://h{ours.target.decode()}").params) == dict(theirs.url.params)


@pytest.mark.parametrize(
    "name", ["plain", "system cached", "tool forced", "budget", "compaction", "mcp", "image base64"]
)
def test_the_same_arguments_count_the_same(name: str) -> None:
    arguments = arguments_of(name)
    ours = MessageRequest(**{key: value for key, value in arguments.items() if key != "beta"}).count_tokens()
    del arguments["max_tokens"]
    theirs = sdk_request("count_tokens", **arguments)
    assert json.loads(ours.body()) == json.loads(theirs.content)
    head = Endpoint.from_base_url("https://h").request_head(ours)
    assert head.target.decode() == theirs.url.path


# --- the differences, each shown


def test_difference_sampling() -> None:
    assert "sampling" in DIFFERENT
    arguments = arguments_of("plain")
    with pytest.raises(TypeError):
        sdk_request("create", **arguments, temperature=0.5)
    theirs = sdk_request("create", **arguments, extra_body={"temperature": 0.5, "top_p": 0.9, "top_k": 5})
    ours = MessageRequest(**arguments, temperature=0.5, top_p=0.9, top_k=5)
    assert json.loads(ours.body()) == json.loads(theirs.content)


def test_difference_beta_header() -> None:
    assert "beta header" in DIFFERENT
    arguments = {**arguments_of("plain"), "betas": ["a", "b"], "extra_headers": {"anthropic-beta": "c"}}
    theirs = sdk_request("create", **arguments, beta=True)
    assert theirs.headers["anthropic-beta"] == "c"
    assert (
        Endpoint.from_base_url("https://h").request_head(MessageRequest(**arguments)).get("anthropic-beta") == "a,b,c"
    )


def test_difference_signing_in() -> None:
    assert "signing in" in DIFFERENT
    theirs = sdk_request("create", **arguments_of("plain")).headers
    ours = Endpoint.from_base_url("https://h", api_key="k").request_head(MessageRequest())
    assert (ours.get("x-api-key"), ours.get("authorization")) == ("k", None)
    assert theirs.get("authorization") == "Bearer k"
    alike = Endpoint.from_base_url("https://h", api_key="k", auth="bearer", version=theirs["anthropic-version"])
    head = alike.request_head(MessageRequest())
    assert (head.get("authorization"), head.get("anthropic-version")) == ("Bearer k", theirs["anthropic-version"])


def test_difference_response_objects() -> None:
    assert "response objects" in DIFFERENT
    transport = httpx.MockTransport(lambda request: httpx.Response(200, json=ANSWER))
    with anthropic.Anthropic(
        api_key="k", http_client=anthropic.DefaultHttpxClient(transport=transport), max_retries=0
    ) as client:
        answer = client.messages.create(**arguments_of("plain"))
    turns = [user("w?"), {"role": "assistant", "content": answer.content}, user(tool_result("toolu_1", "15"))]
    theirs = sdk_request("create", model="m", max_tokens=5, messages=turns)
    ours = MessageRequest(model="m", max_tokens=5, messages=[turns[0], Message.from_dict(ANSWER), turns[2]])
    sent = json.loads(ours.body())["messages"][1]["content"]
    assert sent == ANSWER["content"]
    back = json.loads(theirs.content)["messages"][1]["content"]
    assert [{key: block.get(key) for key in own} for block, own in zip(back, sent, strict=True)] == sent
