"""What `demo` shows: an answer with thinking, text and a tool call, written here and cut into a stream when asked."""

from __future__ import annotations

import json
from typing import Any, Final

from sansio_claude.testing import Transcript, compose

__all__ = ["PROMPT", "TOOL", "demo_reply", "demo_transcript", "sample_of"]

PROMPT: Final = "One rainy Saturday in Kyoto, mostly on foot. Plan it, and save the plan."

TOOL: Final[dict[str, Any]] = {
    "name": "save_plan",
    "description": "Save a day plan for the user. Call it once, when the plan is ready, with the stops in their order.",
    "input_schema": {
        "type": "object",
        "properties": {
            "title": {"type": "string"},
            "stops": {
                "type": "array",
                "items": {
                    "type": "object",
                    "properties": {
                        "time": {"type": "string"},
                        "place": {"type": "string"},
                        "indoors": {"type": "boolean"},
                        "note": {"type": "string"},
                    },
                    "required": ["time", "place", "indoors"],
                },
            },
            "bring": {"type": "array", "items": {"type": "string"}},
        },
        "required": ["title", "stops"],
    },
}

_THINKING: Final = """\
Rain, one day, mostly on foot: so the stops should be near each other, and each outdoor one needs a roof close by. \
Higashiyama is made for that. Mornings are quiet there, and wet stone and moss look best in soft light.

Order: the temple early, then a covered market for lunch, a museum in the heavy hours of the afternoon, and a bath \
at the end. I should keep the walks under twenty minutes."""

_TEXT: Final = """\
Rain suits Kyoto: the moss glows, the crowds stay away, and there is always a roof nearby.

Start early at Nanzen-ji, where the great gate keeps you dry while the garden drips. Walk along the canal to \
Nishiki Market for lunch under its long arcade (try 出汁巻き, the soft rolled omelette). Spend the wettest hours \
in the museum of kimono and lacquer, and end in a bathhouse with a hot pool and a view of nothing but steam.

I will save that now, with times."""

_PLAN: Final[dict[str, Any]] = {
    "title": "A rainy Saturday in Kyoto",
    "stops": [
        {"time": "08:30", "place": "Nanzen-ji", "indoors": False, "note": "Climb the gate; moss at its best"},
        {"time": "12:00", "place": "Nishiki Market", "indoors": True, "note": "Lunch, stall by stall"},
        {"time": "14:00", "place": "Museum of craft", "indoors": True, "note": "Lacquer on the second floor"},
        {"time": "17:30", "place": "Funaoka Onsen", "indoors": True, "note": "Bring coins for the locker"},
    ],
    "bring": ["umbrella", "dry socks", "a small towel"],
}

_BEFORE_CALL: Final = "I will look that up."
_AFTER_RESULT: Final = "That is all I needed: the tool has answered, so this is the end of the conversation."
_TEXTS: Final = {
    "date": "2026-11-28",
    "date-time": "2026-11-28T12:00:00Z",
    "time": "12:00:00Z",
    "duration": "PT1H",
    "email": "ann@example.org",
    "uri": "https://example.org/",
    "uuid": "12345678-1234-5678-1234-567812345678",
    "path": "notes.txt",
}
_DEEPEST: Final = 8


def demo_transcript() -> Transcript:
    """The stream that `demo` serves; always the same."""
    return compose(
        [
            {"type": "thinking", "thinking": _THINKING},
            {"type": "text", "text": _TEXT},
            {"type": "tool_use", "name": TOOL["name"], "input": _PLAN},
        ],
        seed=2026,
    )


def demo_reply(body: bytes) -> Transcript:
    """What `serve` answers without a file to a request with this body: what it asks for, so that a first program of any
    kind comes to its end.

    A schema for the answer gets JSON that fits, a tool of the request is called with an input that fits its schema,
    and a tool's result gets a last text. Any other request gets the answer of the demo.
    """
    try:
        request: Any = json.loads(body)
    except (ValueError, RecursionError):
        request = None
    request = request if isinstance(request, dict) else {}
    config = request.get("output_config")
    form = config.get("format") if isinstance(config, dict) else None
    schema = form.get("schema") if isinstance(form, dict) else None
    if isinstance(schema, dict):
        return compose(json.dumps(sample_of(schema), ensure_ascii=False), seed=2026)
    if _has_result(request.get("messages")):
        return compose(_AFTER_RESULT, seed=2026)
    tool = _tool_to_call(request)
    if tool is None or tool["name"] == TOOL["name"]:
        return demo_transcript()
    call = {"type": "tool_use", "name": tool["name"], "input": sample_of(tool["input_schema"])}
    return compose([{"type": "text", "text": _BEFORE_CALL}, call], seed=2026)


def _has_result(messages: Any) -> bool:
    last = messages[-1] if isinstance(messages, list) and messages else None
    content = last.get("content") if isinstance(last, dict) else None
    return isinstance(content, list) and any(
        isinstance(block, dict) and block.get("type") == "tool_result" for block in content
    )


def _tool_to_call(request: dict[str, Any]) -> dict[str, Any] | None:
    """The tool that the request wants to be called, else its first; None where it has none of its own."""
    tools = request.get("tools")
    choice: Any = request.get("tool_choice")
    choice = choice if isinstance(choice, dict) else {}
    own = [
        tool
        for tool in (tools if isinstance(tools, list) else ())
        if isinstance(tool, dict) and isinstance(tool.get("input_schema"), dict) and isinstance(tool.get("name"), str)
    ]
    if choice.get("type") == "tool":
        own = [tool for tool in own if tool["name"] == choice.get("name")] or own
    return own[0] if own and choice.get("type") != "none" else None


def sample_of(schema: Any, root: Any = None, depth: int = 0) -> Any:
    """A small value that fits a JSON Schema of the usual kind."""
    root = schema if root is None else root
    if not isinstance(schema, dict) or depth > _DEEPEST:
        return None
    reference = schema.get("$ref")
    if isinstance(reference, str):
        found = root
        for part in reference.removeprefix("#/").split("/"):
            found = found.get(part) if isinstance(found, dict) else None
        return sample_of(found, root, depth + 1)
    for key in ("enum", "examples", "anyOf", "oneOf", "allOf"):
        if isinstance(schema.get(key), list) and schema[key]:
            first = schema[key][0]
            return first if key in ("enum", "examples") else sample_of(first, root, depth + 1)
    for key in ("const", "default"):
        if key in schema:
            return schema[key]
    kind = schema.get("type")
    kind = kind[0] if isinstance(kind, list) and kind else kind
    if kind == "object" or "properties" in schema:
        properties = schema.get("properties")
        wanted = schema.get("required") or ()
        items = properties.items() if isinstance(properties, dict) else ()
        return {name: sample_of(each, root, depth + 1) for name, each in items if name in wanted}
    if kind == "array":
        several = schema.get("prefixItems")
        if isinstance(several, list):
            return [sample_of(each, root, depth + 1) for each in several]
        return [sample_of(schema.get("items"), root, depth + 1)] * max(1, int(_number(schema, "minItems", 1)))
    if kind in ("integer", "number"):
        least = _number(schema, "minimum", _number(schema, "exclusiveMinimum", 0) + 1)
        return min(least, _number(schema, "maximum", least))
    if kind == "string":
        return _TEXTS.get(str(schema.get("format")), "Oslo")[: int(_number(schema, "maxLength", 99))]
    return {"boolean": True, "null": None}.get(str(kind))


def _number(schema: dict[str, Any], key: str, otherwise: Any) -> Any:
    value = schema.get(key)
    return value if isinstance(value, int | float) and not isinstance(value, bool) else otherwise
