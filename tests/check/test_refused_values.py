"""Values of the wrong kind and at the edge of what is allowed, each beside a legal neighbour."""

from __future__ import annotations

import json
from typing import Any

import pytest

from sansio_claude import image, user
from sansio_claude._check.check import check
from tests.check.legal import TOOL
from tests.check.test_rules import PICTURE, assert_rule, picture, problems, tools
from tests.ground.test_media import png

SCREEN: dict[str, Any] = {
    "type": "computer_20251124",
    "name": "computer",
    "display_width_px": 1,
    "display_height_px": 1,
}
SCREEN_FLAG = {"betas": ["computer-use-2025-11-24"]}
SERVER: dict[str, Any] = {
    "mcp_servers": [{"type": "url", "name": "m", "url": "https://m"}],
    "betas": ["mcp-client-2025-11-20"],
}
CREDIT = {"betas": ["fallback-credit-2026-07-01"]}
PNG = image(png(1, 1))

# What breaks the rule; severity, place and words of the problem; the legal neighbour.
RULES: list[tuple[dict[str, Any], str, str, str, dict[str, Any]]] = [
    (
        {"cache_control": {"type": "ephemeral", "tll": "5m"}},
        "warning",
        "cache_control.tll",
        "no key 'tll'",
        {"cache_control": {"type": "ephemeral", "ttl": "5m"}},
    ),
    (
        {"fallback_credit_token": 5, **CREDIT},
        "error",
        "fallback_credit_token",
        "has to be a text, or an object",
        {"fallback_credit_token": "t", **CREDIT},
    ),
    (
        {"messages": [user({**PNG, "transformations": {"oversized_image": "crop"}})]},
        "warning",
        "messages[0].content[0].transformations.oversized_image",
        'neither "downsize" nor "error"',
        {"messages": [user({**PNG, "transformations": {"oversized_image": "downsize"}})]},
    ),
    (tools({**TOOL, "type": 5}), "error", "tools[0].type", "has to be text", tools({**TOOL, "type": "custom"})),
    *(
        (
            tools({**SCREEN, key: 0}, **SCREEN_FLAG),
            "error",
            f"tools[0].{key}",
            "a whole number of pixels from 1 on",
            tools(SCREEN, **SCREEN_FLAG),
        )
        for key in ("display_width_px", "display_height_px")
    ),
    (
        tools({"type": "mcp_toolset"}, **SERVER),
        "error",
        "tools[0].mcp_server_name",
        "needs the name of its server",
        tools({"type": "mcp_toolset", "mcp_server_name": "m"}, **SERVER),
    ),
]


@pytest.mark.parametrize(
    ("broken", "severity", "path", "words", "legal"), RULES, ids=[f"{row[2]}: {row[3]}" for row in RULES]
)
def test_a_rule_and_its_legal_neighbour(
    broken: dict[str, Any], severity: str, path: str, words: str, legal: dict[str, Any]
) -> None:
    assert_rule(broken, severity, path, words, legal)


@pytest.mark.parametrize(
    ("data", "hint"),
    [
        (PICTURE.rstrip("="), "pad it with ="),
        (PICTURE[:40] + "\n" + PICTURE[40:], "without data: in front, line breaks or spaces"),
        (PICTURE[:40] + " " * 4 + PICTURE[40:], "without data: in front, line breaks or spaces"),
        ("data:image/png;base64," + PICTURE, "without data: in front, line breaks or spaces"),
    ],
)
def test_what_is_wrong_with_base64_is_said(data: str, hint: str) -> None:
    (problem,) = problems(picture(data=data))
    assert problem.message == "data is not base64"
    assert hint in problem.hint


@pytest.mark.parametrize("count", [1, 19, 20, 21, 500])
def test_texts_with_half_a_surrogate_pair_are_told_up_to_twenty(count: int) -> None:
    texts = [{"type": "text", "text": f"{number}\ud83d"} for number in range(count)]
    body = {"model": "claude-opus-5-5", "max_tokens": 1024, "messages": [{"role": "user", "content": texts}]}
    found = check(json.dumps(body).encode())
    assert [problem.path for problem in found] == [f"messages[0].content[{at}].text" for at in range(min(count, 20))]
