"""What `demo` shows: an answer with thinking, text and a tool call, written here and cut into a stream when asked."""

from __future__ import annotations

from typing import Any, Final

from sansio_claude.testing import Transcript, compose

__all__ = ["PROMPT", "TOOL", "demo_transcript"]

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
