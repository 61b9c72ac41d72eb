"""The bar chart: how many times this library's CPU time each rival takes, as an SVG written by hand."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from typing import Final
from xml.sax.saxutils import escape

import attrs

from benchmarks.results import Findings

__all__ = ["Bar", "bars_of", "svg"]

LEFT, RIGHT, TOP, ROW, BAR, GAP, WIDTH = 330, 90, 64, 20, 13, 18, 900

LIGHT: Final = {"ours": "#c8553d", "rival": "#4a6fa5", "floor": "#9aa5b1", "ink": "#1f2933", "grid": "#d9dee4"}
DARK: Final = {"ours": "#e8795f", "rival": "#79a5e0", "floor": "#6e7b88", "ink": "#e6edf3", "grid": "#303a44"}
PAPERS: Final = ("#ffffff", "#0d1117")  # of a light and of a dark page


@attrs.define(frozen=True)
class Bar:
    """One bar: `ratio` times this library's time."""

    side: str
    ratio: float


def bars_of(found: Iterable[Findings]) -> dict[str, list[Bar]]:
    """For every table that is drawn, its sides and their ratios to this library."""
    groups: dict[str, list[Bar]] = {}
    for findings in found:
        for table in findings.tables:
            bars = [Bar(row.side, row.to_ours) for row in table.rows if row.to_ours]
            if any(bar.ratio == 1.0 for bar in bars) and len(bars) > 1 and _shown(table.title):
                groups[table.title] = bars
    return groups


_SHOWN = (
    re.compile(r"mixed:.*one event a read"),
    re.compile(r"SSE alone, one event a read"),
    re.compile(r"HTTP body, one event"),
    re.compile(r"\d+ paced streams"),
    re.compile(r"one stream at full rate.*all at once"),
    re.compile(r"1,000 streams opened"),
    re.compile(r"a keep-alive request, [1-9]\d events"),
    re.compile(r"partial input, (records|code text).*the SDK's way"),
)
"""The tables that are drawn, by title: one for each thing that a user waits or pays for."""


def _shown(title: str) -> bool:
    return any(pattern.match(title) for pattern in _SHOWN)


def _kind(side: str) -> str:
    if side.startswith("sansio_claude"):
        return "ours"
    return "floor" if side.startswith(("msgspec", "the same", "by hand", "raw")) else "rival"


def _style() -> str:
    """The colours, for light and for dark pages: an image on a page sees which of the two its reader prefers."""

    def rules(colors: dict[str, str], paper: str) -> str:
        fills = " ".join(f".{name}{{fill:{color}}}" for name, color in colors.items() if name != "grid")
        return f".paper{{fill:{paper}}} {fills} .grid{{stroke:{colors['grid']}}}"

    light, dark = rules(LIGHT, PAPERS[0]), rules(DARK, PAPERS[1])
    return f"<style>{light} @media (prefers-color-scheme:dark){{{dark}}}</style>"


def svg(groups: dict[str, list[Bar]], caption: str) -> str:
    """The chart: one group of bars for each table, on a logarithmic scale, each bar with its number."""
    ratios = [bar.ratio for bars in groups.values() for bar in bars]
    low = min([0.1, *ratios])
    high = max([100.0, *ratios])
    span = math.log10(high / low)
    room = WIDTH - LEFT - RIGHT

    def x(ratio: float) -> float:
        return LEFT + room * math.log10(ratio / low) / span

    height = TOP + sum(GAP + ROW + ROW * len(bars) for bars in groups.values()) + 40
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" font-family="sans-serif" '
        f'font-size="12" role="img">',
        "<title>CPU time in multiples of sansio_claude's</title>",
        _style(),
        f'<rect width="{WIDTH}" height="{height}" class="paper"/>',
        '<text x="16" y="26" font-size="17" font-weight="bold" class="ink">'
        "CPU time in multiples of sansio_claude's (shorter is faster, logarithmic)</text>",
        f'<text x="16" y="46" class="ink">{escape(caption)}</text>',
    ]
    for power in range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1):
        at = 10.0**power
        if low <= at <= high:
            parts.append(
                f'<line x1="{x(at):.1f}" x2="{x(at):.1f}" y1="{TOP}" y2="{height - 26}" class="grid"/>'
                f'<text x="{x(at):.1f}" y="{height - 10}" text-anchor="middle" class="ink">{at:g}x</text>'
            )
    y = TOP
    for title, bars in groups.items():
        y += GAP
        parts.append(f'<text x="16" y="{y + 10}" font-weight="bold" class="ink">{escape(title)}</text>')
        y += ROW
        for bar in bars:
            end = x(bar.ratio)
            wide = max(end - LEFT, 1)
            parts.append(
                f'<text x="{LEFT - 8}" y="{y + 10}" text-anchor="end" class="ink">{escape(bar.side)}</text>'
                f'<rect x="{LEFT}" y="{y}" width="{wide:.1f}" height="{BAR}" class="{_kind(bar.side)}"/>'
                f'<text x="{LEFT + wide + 6:.1f}" y="{y + 10}" class="ink">{bar.ratio:.3g}x</text>'
            )
            y += ROW
    parts.append("</svg>\n")
    return "\n".join(parts)
