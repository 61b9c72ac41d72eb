"""The rules of `check()` from reports and from today's reference: each broken once, beside a legal neighbour."""

from __future__ import annotations

from typing import Any

import pytest

from sansio_claude import MessageRequest, assistant, image, tool_result, user
from sansio_claude._models import AS_OF
from tests.check.legal import CALL, FOUND, SEARCH, THINKING, TOOL
from tests.ground.test_media import png

CACHE = {"cache_control": {"type": "ephemeral"}}
RESULT = tool_result("toolu_1", "15")
PNG = image(png())
PICTURE = PNG["source"]["data"]
STRICT = {"type": "object", "properties": {"n": {"type": "integer"}}, "additionalProperties": False}
NODE = {"type": "object", "properties": {"next": {"$ref": "#/$defs/Node"}}, "additionalProperties": False}


def texts(count: int, **more: Any) -> dict[str, Any]:
    return user(*[{"type": "text", "text": str(number), **more} for number in range(count)])


def call(**changes: Any) -> dict[str, Any]:
    return {"messages": [user("w?"), assistant({**CALL, **changes}), user(RESULT)]}


def without(block: dict[str, Any], key: str) -> dict[str, Any]:
    return {name: value for name, value in block.items() if name != key}


def picture(**changes: Any) -> dict[str, Any]:
    return {"messages": [user({**PNG, "source": {**PNG["source"], **changes}})]}


def strict(schema: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"tools": [{**TOOL, "strict": True, "input_schema": schema, **more}]}


def answered(*blocks: dict[str, Any]) -> dict[str, Any]:
    return {"messages": [user("x"), assistant(*blocks, "so"), user("y")]}


def tools(*given: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"tools": list(given), **more}


def many_optional(count: int) -> dict[str, Any]:
    names = {f"p{number}": {"type": "string"} for number in range(count)}
    return {"type": "object", "properties": names, "additionalProperties": False}


def many_unions(count: int) -> dict[str, Any]:
    names = {f"p{number}": {"type": ["string", "null"]} for number in range(count)}
    return {"type": "object", "properties": names, "required": list(names), "additionalProperties": False}


# What breaks the rule; severity, place and words of the problem; the legal neighbour.
RULES: list[tuple[dict[str, Any], str, str, str, dict[str, Any]]] = [
    # keys
    ({"max_token": 5}, "warning", "max_token", "no key 'max_token'", {"max_tokens": 5}),
    ({"foo": 5}, "warning", "foo", "no key 'foo'", {"metadata": {"user_id": "foo"}}),
    (
        {"response_format": {"type": "json_object"}},
        "warning",
        "response_format",
        "no key",
        {"output_config": {"format": {"type": "json_schema", "schema": STRICT}}},
    ),
    ({"thinking": {"type": "adaptive", "budget": 5}}, "warning", "thinking.budget", "no key", {}),
    ({"metadata": {"user": "u"}}, "warning", "metadata.user", "no key", {"metadata": {"user_id": "u"}}),
    (
        {"messages": [{"role": "user", "content": "x", "id": "m"}]},
        "warning",
        "messages[0].id",
        "no key",
        {"messages": [{"role": "user", "content": "x"}]},
    ),
    (
        {"messages": [texts(1, txt="x")]},
        "warning",
        "messages[0].content[0].txt",
        "no key",
        {"messages": [texts(1, citations=None)]},
    ),
    ({"messages": [user({"type": "txt"})]}, "warning", "messages[0].content[0].type", "'txt' is no known", {}),
    (
        {"messages": [user({"type": "image_url", "image_url": {"url": "https://h"}})]},
        "warning",
        "messages[0].content[0].type",
        "no known type",
        {"messages": [user(image(url="https://h"))]},
    ),
    (
        answered({"type": "input_json_delta", "partial_json": "x"}),
        "warning",
        "messages[1].content[0].type",
        "no known type",
        answered(),
    ),
    ({"messages": [{"role": "tool", "content": "x"}]}, "error", "messages[0].role", "user or assistant", {}),
    (
        tools({"type": "function", "function": {"name": "f"}}),
        "error",
        "tools[0]",
        "another API",
        tools(TOOL),
    ),
    (tools({**TOOL, "parameters": {}}), "warning", "tools[0].parameters", "no key", tools({**TOOL, "strict": None})),
    (
        tools({"type": "web_serch_20250305", "name": "web_search"}),
        "warning",
        "tools[0].type",
        "no known type of tool",
        tools({"type": "web_search_20991231", "name": "web_search", "of_a_time_to_come": 1}),
    ),
    # types and values
    ({"stop_sequences": "END"}, "error", "stop_sequences", "a list of texts", {"stop_sequences": ["END"]}),
    ({"stream": "yes"}, "error", "stream", "true or false", {"stream": True}),
    ({"system": 3}, "error", "system", "a text or a list", {"system": "x"}),
    ({"system": ["a"]}, "error", "system[0]", "made of text blocks", {"system": [{"type": "text", "text": "a"}]}),
    ({"system": [{"type": "text", "text": " "}]}, "error", "system[0].text", "is empty", {"system": ""}),
    ({"metadata": "u"}, "error", "metadata", "an object", {"metadata": {}}),
    ({"service_tier": "fastest"}, "warning", "service_tier", "no known value", {"service_tier": "standard_only"}),
    (
        {"output_config": {"effort": "hihg"}},
        "warning",
        "output_config.effort",
        "no known value",
        {"output_config": {"effort": "high"}},
    ),
    ({"model": "gpt-4o"}, "warning", "model", "another maker", {"model": "glm-5"}),
    ({"model": "claude-sonet-5-5"}, "warning", "model", "no known model", {"model": "claude-sonata-6"}),
    (
        {"model": "claude-haiku-4-5", "temperature": 0.5, "top_p": 0.5},
        "warning",
        "top_p",
        "not both",
        {"model": "claude-haiku-4-5", "temperature": 1, "top_p": 0.5},
    ),
    (
        {"model": "claude-haiku-4-5", "top_p": 1.5},
        "error",
        "top_p",
        "from 0 to 1",
        {"model": "claude-haiku-4-5", "top_p": 1},
    ),
    (
        {"model": "claude-haiku-4-5", "top_k": -1},
        "error",
        "top_k",
        "0 or more",
        {"model": "claude-haiku-4-5", "top_k": 0},
    ),
    (
        {"model": "claude-haiku-4-5", "temperature": 0.5, "extra_headers": {"anthropic-version": "2026-10-21"}},
        "error",
        "temperature",
        "has no temperature",
        {"model": "claude-haiku-4-5", "temperature": 0.5, "extra_headers": {"anthropic-version": "2023-06-01"}},
    ),
    ({"user_profile_id": "a\nb"}, "error", "user_profile_id", "header cannot carry", {"user_profile_id": "ab"}),
    # beta
    ({"betas": ["pdfs-2024-09-25"]}, "info", "betas", "no effect", {"betas": ["files-api-2025-04-14"]}),
    (
        {"betas": ["context-mangement-2025-06-27"]},
        "warning",
        "betas",
        "no known beta flag",
        {"betas": ["context-management-2099-06-27", "mine-2026-01-01"]},
    ),
    (
        {"thinking": {"type": "adaptive", "block_binding": {"prefix_mismatch_behavior": "error"}}},
        "warning",
        "thinking.block_binding",
        "no flag",
        {
            "thinking": {"type": "adaptive", "block_binding": {"prefix_mismatch_behavior": "drop_block"}},
            "betas": ["thinking-binding-controls-2026-08-01"],
        },
    ),
    (
        {
            "thinking": {"type": "adaptive", "block_binding": {"prefix_mismatch_behavior": "ignore"}},
            "betas": ["thinking-binding-controls-2026-08-01"],
        },
        "warning",
        "thinking.block_binding.prefix_mismatch_behavior",
        "neither",
        {},
    ),
    (
        {"output_config": {"task_budget": {"type": "tokens", "total": 5}}},
        "warning",
        "output_config.task_budget",
        "no flag",
        {"output_config": {"task_budget": {"type": "tokens", "total": 5}}, "betas": ["task-budgets-2026-03-13"]},
    ),
    ({"container": 5}, "error", "container", "a text or an object", {"container": "container_1"}),
    ({"container": ["c"]}, "error", "container", "a text or an object", {"container": {"skills": []}}),
    ({"fallback_credit_token": 5}, "error", "fallback_credit_token", "a text or an object", {}),
    (
        {"billing_policy": {"bill_to": "user_profile"}},
        "warning",
        "billing_policy",
        "no flag",
        {"billing_policy": {"bill_to": "user_profile"}, "betas": ["user-profiles-billing-2026-10-01"]},
    ),
    (
        {"safeguards": [{"type": "dangerous_tool_use"}]},
        "warning",
        "safeguards",
        "no flag",
        {"safeguards": [{"type": "dangerous_tool_use"}], "betas": ["dangerous-tool-use-2026-09-03"]},
    ),
    (
        {"messages": [user("x"), {"role": "system", "content": "b", "clear_at": "never"}, user("y")]},
        "warning",
        "messages[1].clear_at",
        "no flag",
        {"messages": [user("x"), {"role": "system", "content": "b"}, user("y")]},
    ),
    (
        {"messages": [user("x"), {"role": "system", "output_config": {"effort": "low"}}, user("y")]},
        "warning",
        "messages[1].output_config",
        "no flag",
        {
            "messages": [user("x"), {"role": "system", "output_config": {"effort": "low"}}, user("y")],
            "betas": ["mid-conversation-output-config-2026-07-01"],
        },
    ),
    (
        {"messages": [user("x"), {"role": "system", "content": [{"type": "tool_removal", "tool": {}}]}, user("y")]},
        "warning",
        "messages[1].content[0]",
        "no flag",
        {
            "messages": [user("x"), {"role": "system", "content": [{"type": "tool_removal", "tool": {}}]}, user("y")],
            "betas": ["mid-conversation-tool-changes-2026-07-01"],
        },
    ),
    (
        tools({"type": "advisor_20260301", "name": "advisor", "model": "claude-opus-5-5"}),
        "warning",
        "tools[0].type",
        "no flag",
        tools(
            {"type": "advisor_20260301", "name": "advisor", "model": "claude-opus-5-5"},
            betas=["advisor-tool-2026-03-01"],
        ),
    ),
    (
        {
            "fallbacks": [{"model": "claude-opus-4-8"}],
            "fallback_credit_token": {"token": "t", "mode": "strict"},
            "betas": ["server-side-fallback-2026-07-01", "fallback-credit-2026-07-01"],
        },
        "warning",
        "fallback_credit_token",
        "without fallbacks",
        {"fallback_credit_token": {"token": "t", "mode": "strict"}, "betas": ["fallback-credit-2026-07-01"]},
    ),
    (
        {"fallbacks": [{}], "betas": ["server-side-fallback-2026-07-01"]},
        "error",
        "fallbacks[0]",
        "with a model",
        {"fallbacks": "default", "betas": ["server-side-fallback-2026-07-01"]},
    ),
    (
        {"thread": {"type": "continue"}, "betas": ["message-threads-2026-08-12"]},
        "error",
        "thread.previous_message_id",
        "behind a message",
        {"thread": {"type": "create"}, "betas": ["message-threads-2026-08-12"]},
    ),
    # cache marks
    (
        {"messages": [texts(5, **CACHE)]},
        "error",
        "messages[0].content[4].cache_control",
        "the fifth",
        {"messages": [texts(4, **CACHE)]},
    ),
    ({"messages": [texts(4, **CACHE)], **CACHE}, "error", "cache_control", "the fifth", CACHE),
    (
        {"messages": [texts(1, cache_control={"type": "ephemeral", "ttl": "2h"})]},
        "error",
        "messages[0].content[0].cache_control.ttl",
        '"5m" or "1h"',
        {"messages": [texts(1, cache_control={"type": "ephemeral", "ttl": "5m"})]},
    ),
    ({"cache_control": {}}, "error", "cache_control", "has to be", CACHE),
    (
        {
            "system": [{"type": "text", "text": "x", **CACHE}],
            "messages": [texts(1, cache_control={"type": "ephemeral", "ttl": "1h"})],
        },
        "error",
        "messages[0].content[0].cache_control.ttl",
        "behind one of 5m",
        {
            "system": [{"type": "text", "text": "x", "cache_control": {"type": "ephemeral", "ttl": "1h"}}],
            "messages": [texts(1, **CACHE)],
        },
    ),
    (
        answered({"type": "redacted_thinking", "data": "eA==", "cache_control": {"type": "ephemeral"}}),
        "error",
        "messages[1].content[0].cache_control",
        "thinking cannot",
        answered({"type": "redacted_thinking", "data": "eA=="}),
    ),
    # calls and thinking that go back
    (call(input=None), "error", "messages[1].content[0].input", "has to be an object", call(input={})),
    (call(input='{"a":1}'), "error", "messages[1].content[0].input", "has to be an object", call(input={"a": 1})),
    (
        {"messages": [user("w?"), assistant(without(CALL, "input")), user(RESULT)]},
        "error",
        "messages[1].content[0].input",
        "is missing",
        call(),
    ),
    (
        call(input={"$incomplete_json": '{"a'}),
        "error",
        "messages[1].content[0].input",
        "incomplete",
        call(input={"incomplete_json": "{"}),
    ),
    (
        {
            "messages": [
                user("w?"),
                assistant({**CALL, "id": "functions.Bash:0"}),
                user(tool_result("functions.Bash:0")),
            ]
        },
        "warning",
        "messages[1].content[0].id",
        "has to match",
        {"messages": [user("w?"), assistant({**CALL, "id": "Bash_0-x"}), user(tool_result("Bash_0-x"))]},
    ),
    (
        {"messages": [*call()["messages"], assistant(CALL), user(RESULT)]},
        "warning",
        "messages[3].content[0].id",
        "another call has this id",
        {"messages": [*call()["messages"], assistant({**CALL, "id": "t2"}), user(tool_result("t2"))]},
    ),
    (call(name=None), "error", "messages[1].content[0].name", "needs the name", call(name="x")),
    (
        answered(without(THINKING, "signature")),
        "error",
        "messages[1].content[0].signature",
        "has none",
        answered(THINKING),
    ),
    (answered({**THINKING, "signature": ""}), "error", "messages[1].content[0].signature", "has none", {}),
    (answered({**THINKING, "thinking": None}), "error", "messages[1].content[0].thinking", "needs its text", {}),
    (
        {"messages": [user("x"), assistant("so", THINKING), user("y")]},
        "warning",
        "messages[1].content[1]",
        "cannot end in thinking",
        {"messages": [user("x"), assistant(THINKING, "so"), user("y")]},
    ),
    (answered(SEARCH), "warning", "messages[1].content[0]", "has no result", answered(SEARCH, FOUND)),
    ({"messages": [user(THINKING, "x")]}, "error", "messages[0].content[0]", "stands in an assistant's", {}),
    (
        {"messages": [user("x"), assistant(RESULT, "so"), user("y")]},
        "error",
        "messages[1].content[0]",
        "stands in a user's",
        {},
    ),
    (
        answered({"type": "redacted_thinking"}),
        "error",
        "messages[1].content[0].data",
        "is missing",
        answered({"type": "redacted_thinking", "data": ""}),
    ),
    # media
    (picture(data=PICTURE[:40] + "\n" + PICTURE[40:]), "error", "messages[0].content[0].source.data", "not base64", {}),
    (
        picture(data="data:image/png;base64," + PICTURE),
        "error",
        "messages[0].content[0].source.data",
        "not base64",
        picture(data=PICTURE),
    ),
    (picture(data=PICTURE.rstrip("=")[:-1]), "error", "messages[0].content[0].source.data", "not base64", picture()),
    (
        {"messages": [user(image(url="data:image/png;base64,AA=="))]},
        "error",
        "messages[0].content[0].source.url",
        "no data: addresses",
        {"messages": [user(image(url="https://h/data:x"))]},
    ),
    (
        {"messages": [user({**image(png(8001, 1)), "transformations": {"oversized_image": "error"}})]},
        "error",
        "messages[0].content[0].source.data",
        "8001 x 1 pixels",
        {"messages": [user({**PNG, "transformations": {"oversized_image": "error"}})]},
    ),
    (
        {
            "messages": [
                user({"type": "document", "source": {"type": "base64", "media_type": "text/x", "data": "eA=="}})
            ]
        },
        "error",
        "messages[0].content[0].source.media_type",
        "no documents of",
        {
            "messages": [
                user(
                    {"type": "document", "source": {"type": "base64", "media_type": "application/pdf", "data": "eA=="}}
                )
            ]
        },
    ),
    # tools and schemas
    (
        tools({**TOOL, "input_schema": {"type": "object", "properties": {"größe": {}}}}),
        "warning",
        "tools[0].input_schema.properties",
        "does not match",
        tools({**TOOL, "input_schema": {"type": "object", "properties": {"a.b-c_9": {"properties": {"größe": {}}}}}}),
    ),
    (
        tools({**TOOL, "input_schema": {"type": "object", "anyOf": [{}]}}),
        "warning",
        "tools[0].input_schema.anyOf",
        "refuses anyOf",
        tools({**TOOL, "input_schema": {"type": "object", "properties": {"a": {"anyOf": [{}]}}}}),
    ),
    (
        strict({**STRICT, "properties": {"n": {"$ref": "#/$defs/Node"}}, "$defs": {"Node": NODE}}),
        "error",
        "tools[0].input_schema",
        "refers to itself",
        strict({**STRICT, "properties": {"n": {"$ref": "#/$defs/Leaf"}}, "$defs": {"Leaf": STRICT}}),
    ),
    (
        strict({**STRICT, "properties": {"n": {"type": "integer", "minimum": 1}}}),
        "error",
        "tools[0].input_schema.properties.n.minimum",
        "takes no minimum",
        tools({**TOOL, "input_schema": {"type": "object", "properties": {"n": {"type": "integer", "minimum": 1}}}}),
    ),
    (
        {"output_config": {"format": {"type": "json_schema", "schema": {"type": "object"}}}},
        "error",
        "output_config.format.schema.additionalProperties",
        "has to say",
        {"output_config": {"format": {"type": "json_schema", "schema": STRICT}}},
    ),
    (strict(many_optional(25)), "error", "tools", "25 optional", strict(many_optional(24))),
    (strict(many_unions(17)), "error", "tools", "17 parameters of more", strict(many_unions(16))),
    (
        tools(
            *[{**TOOL, "name": f"t{number}", "strict": True, "input_schema": many_unions(0)} for number in range(21)]
        ),
        "error",
        "tools",
        "21 strict tools",
        tools(
            *[{**TOOL, "name": f"t{number}", "strict": True, "input_schema": many_unions(0)} for number in range(20)]
        ),
    ),
    (
        tools({"type": "mcp_toolset", "mcp_server_name": "m"}, betas=["mcp-client-2025-11-20"]),
        "error",
        "tools[0].mcp_server_name",
        "not among mcp_servers",
        tools(
            {"type": "mcp_toolset", "mcp_server_name": "m"},
            mcp_servers=[{"type": "url", "name": "m", "url": "https://m"}],
            betas=["mcp-client-2025-11-20"],
        ),
    ),
    (
        tools({"type": "bash_20250124", "name": "sh"}),
        "error",
        "tools[0].name",
        "has to be bash",
        tools({"type": "bash_20250124", "name": "bash"}),
    ),
    (
        tools(
            {"type": "web_search_20250305", "name": "web_search", "allowed_domains": ["a"], "blocked_domains": ["b"]}
        ),
        "error",
        "tools[0].blocked_domains",
        "exclude each other",
        tools({"type": "web_search_20250305", "name": "web_search", "allowed_domains": ["a"], "blocked_domains": []}),
    ),
    (
        tools({"type": "web_search_20250305", "name": "web_search", "max_uses": 0}),
        "error",
        "tools[0].max_uses",
        "from 1 on",
        tools({"type": "web_search_20250305", "name": "web_search", "max_uses": 1}),
    ),
    (
        tools(
            {"type": "computer_20251124", "name": "computer", "display_width_px": 9}, betas=["computer-use-2025-11-24"]
        ),
        "error",
        "tools[0].display_height_px",
        "pixels",
        tools(
            {"type": "computer_20251124", "name": "computer", "display_width_px": 9, "display_height_px": 9},
            betas=["computer-use-2025-11-24"],
        ),
    ),
]


def problems(changes: dict[str, Any]) -> list[Any]:
    base: dict[str, Any] = {"model": "claude-opus-5-5", "max_tokens": 1024, "messages": [user("hi")]}
    return MessageRequest.from_dict({**base, **changes}).check()


@pytest.mark.parametrize(
    ("broken", "severity", "path", "words", "legal"), RULES, ids=[f"{row[2]}: {row[3]}" for row in RULES]
)
def test_a_rule_and_its_legal_neighbour(
    broken: dict[str, Any], severity: str, path: str, words: str, legal: dict[str, Any]
) -> None:
    assert_rule(broken, severity, path, words, legal)


def assert_rule(broken: dict[str, Any], severity: str, path: str, words: str, legal: dict[str, Any]) -> None:
    """The one problem of this path and these words has this severity, and the legal neighbour has none at all."""
    found = problems(broken)
    named = [problem for problem in found if problem.path == path and words in problem.message]
    assert [problem.severity for problem in named] == [severity], found
    assert problems(legal) == []


@pytest.mark.parametrize(
    ("changes", "hint"),
    [
        ({"max_token": 5}, "did you mean max_tokens?"),
        ({"stop": ["x"]}, "use stop_sequences, a list"),
        ({"messages": [user({"type": "txt"})]}, "did you mean text?"),
        ({"messages": [user({"type": "tool_resul"})]}, "did you mean tool_result?"),
        ({"model": "claude-sonet-4-6"}, "did you mean claude-sonnet-4-6?"),
        ({"tools": [{**TOOL, "descripton": "x"}]}, "did you mean description?"),
        ({"betas": ["context-mangement-2025-06-27"]}, "did you mean context-management-2025-06-27?"),
    ],
)
def test_the_word_that_was_meant_is_named(changes: dict[str, Any], hint: str) -> None:
    assert hint in [problem.hint for problem in problems(changes)]


def test_many_unknown_keys_are_counted() -> None:
    found = problems({f"key{number}": 1 for number in range(100_000)})
    assert len(found) == 21
    assert "99,980 more keys" in found[-1].message


def test_half_a_surrogate_pair_is_found_by_its_place() -> None:
    from sansio_claude._check.check import check

    data = (
        b'{"model":"m","max_tokens":1,"messages":[{"role":"user","content":"a\\ud83d"},{"role":"user","content":"%s"}]}'
    )
    (problem,) = check(data % b"ok \\ud83d\\ude00")
    assert (problem.severity, problem.path) == ("error", "messages[0].content")
    assert "U+D83D" in problem.message
    assert "character 1" in problem.message
    assert len(check(data % b"\\ude00")) == 2
    assert check(data.replace(b"a\\ud83d", b"a\\\\ud83d") % b"x") == []
    (in_a_key,) = check(
        b'{"model":"m","max_tokens":1,"messages":[{"role":"user","content":"x"}],"metadata":{"\\udc00":1}}'
    )[-1:]
    assert in_a_key.path == "metadata"


@pytest.mark.parametrize("data", [b"", b"\xff", b"[]", b"null", b"{", b'{"a":NaN}', b"[" * 100_000, b"1" * 10_000])
def test_what_is_no_request_is_said_and_not_raised(data: bytes) -> None:
    from sansio_claude._check.check import check

    (problem,) = check(data)
    assert (problem.severity, problem.path) == ("error", "")


def test_the_day_counts() -> None:
    asked = MessageRequest(model="claude-sonnet-4-5", max_tokens=9, messages=[user("x")])
    assert asked.check(date="2026-09-29") == []
    assert [problem.severity for problem in asked.check()] == ["warning"]
    assert asked.check() == asked.check(date=AS_OF)
    assert [problem.severity for problem in asked.check(date="2026-11-30")] == ["error"]


def test_iterators_are_not_used_up() -> None:
    asked = MessageRequest(
        model="claude-opus-5-5",
        max_tokens=9,
        messages=iter([user("x")]),
        betas=iter(["files-api-2025-04-14"]),  # type: ignore[arg-type]
        tools=(tool for tool in [TOOL]),
    )
    for _ in range(2):
        assert asked.check() == []
        assert asked.to_dict()["messages"] == [user("x")]
        assert list(asked.betas or ()) == ["files-api-2025-04-14"]
