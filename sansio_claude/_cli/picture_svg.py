"""The picture of a stream as an SVG, readable on a light and on a dark background."""

from __future__ import annotations

from collections.abc import Sequence
from xml.sax.saxutils import escape

from sansio_claude._cli.picture import BlockSpan, Picture
from sansio_claude._cli.picture_text import describe, facts, slots, ticks

__all__ = ["picture_svg"]

_WIDTH = 960
_LEFT = 190  # of the line, behind the names
_RIGHT = 30
_ROW = 44
_SLOTS = 240
_LINE = 17
_LONGEST = 125  # characters of one line of words
_KINDS = ("thinking", "text", "tool_use", "server_tool_use")
_STYLE = """\
svg { font: 13px ui-sans-serif, system-ui, sans-serif; --ink: #1f2328; --dim: #59636e; --paper: #fff; --rule: #d1d9e0;
  --thinking: #8250df; --text: #0969da; --tool: #1a7f37; --other: #9a6700; --bad: #cf222e }
@media (prefers-color-scheme: dark) { svg { --ink: #e6edf3; --dim: #9198a1; --paper: #0d1117; --rule: #3d444d;
  --thinking: #ab7df8; --text: #4493f8; --tool: #3fb950; --other: #d29922; --bad: #f85149 } }
text { fill: var(--ink) } .dim { fill: var(--dim); font-size: 11.5px } .rule { stroke: var(--rule) }
.title { font-weight: 600; font-size: 15px } .bad { fill: var(--bad) }
.thinking { fill: var(--thinking) } .text { fill: var(--text) }
.tool { fill: var(--tool) } .other { fill: var(--other) }
.span { opacity: .18 } .gap { fill: var(--bad); opacity: .12 } .ping { fill: var(--other) }"""


def picture_svg(pictures: Sequence[Picture]) -> str:
    """All the pictures, one below the other, as one file."""
    y = 10
    parts: list[str] = []
    for picture in pictures:
        drawn, y = _one(picture, y)
        parts += drawn
        y += 24
    height = y
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDTH}" height="{height}" '
        f'viewBox="0 0 {_WIDTH} {height}" role="img">\n<title>{_words(pictures[0].name)}</title>\n'
        f"<style>{_STYLE}</style>\n"
        f'<rect width="{_WIDTH}" height="{height}" style="fill: var(--paper)"/>\n' + "\n".join(parts) + "\n</svg>\n"
    )


def _one(picture: Picture, y: int) -> tuple[list[str], int]:
    """The parts of one picture that begins at `y`, and where it ends."""
    (title, ended), *more = facts(picture)
    y += 22
    parts = [_text(16, y, _cut(f"{title} {ended}"), "title")]
    for name, words in more[:2]:
        y += _LINE
        parts += [_text(16, y, _cut(f"{name} {words}"), "dim")]
    y += 30
    if picture.blocks and picture.length > 0:
        top = y
        bottom = y + _ROW * len(picture.blocks) + 16
        parts += _axis(picture, top, bottom)
        parts += _gaps(picture, top, bottom)
        most = max((max(slots(block, picture.length, _SLOTS)) for block in picture.blocks), default=1) or 1
        for number, block in enumerate(picture.blocks):
            parts += _block(block, picture, y + 6 + number * _ROW, most)
        parts += _pings(picture, bottom)
        y = bottom + 12
    for name, words in more[2:]:
        y += _LINE
        parts += [_text(16, y, name.strip(), "dim"), _text(110, y, _cut(words), "bad" if name == "error:" else "")]
    return parts, y


def _x(place: float, picture: Picture) -> float:
    return _LEFT + place / picture.length * (_WIDTH - _LEFT - _RIGHT)


def _axis(picture: Picture, top: int, bottom: int) -> list[str]:
    parts = []
    for place in ticks(picture.length, 10):
        x = _x(place, picture)
        words = f"{place:g} s" if picture.timed else f"{place:,.0f} B"
        parts.append(f'<line class="rule" x1="{x:.1f}" y1="{top}" x2="{x:.1f}" y2="{bottom}"/>')
        parts.append(f'<text class="dim" text-anchor="middle" x="{x:.1f}" y="{top - 5}">{_words(words)}</text>')
    return parts


def _gaps(picture: Picture, top: int, bottom: int) -> list[str]:
    """The longest gaps, where they are seen at all."""
    parts = []
    for gap in picture.gaps:
        left, right = _x(gap.start, picture), _x(gap.start + gap.length, picture)
        if right - left >= 8:
            words = f"nothing came for {gap.length:.3f} s"
            parts.append(
                f'<rect class="gap" x="{left:.1f}" y="{top}" width="{right - left:.1f}" height="{bottom - top}">'
                f"<title>{_words(words)}</title></rect>"
            )
    return parts


def _block(block: BlockSpan, picture: Picture, y: int, most: int) -> list[str]:
    """Its name, its span, and how much came when; what there is to say stands below."""
    kind = block.name.split(" ")[0]
    style = "tool" if "tool" in kind else kind if kind in _KINDS else "other"
    end = picture.length if block.end is None else block.end
    left, right = _x(block.start, picture), _x(end, picture)
    parts = [
        f'<text x="{_LEFT - 10}" y="{y + 15}" text-anchor="end">{_words(_short(block))}</text>',
        f'<rect class="span {style}" x="{left:.1f}" y="{y}" width="{max(1.0, right - left):.1f}" height="22" rx="2"/>',
    ]
    width = (_WIDTH - _LEFT - _RIGHT) / _SLOTS
    bars = []
    for number, characters in enumerate(slots(block, picture.length, _SLOTS)):
        if characters:
            height = max(2.0, 22 * characters / most)
            x, top = _LEFT + number * width, y + 22 - height
            bars.append(f"M{x:.1f} {top:.1f}h{width - 0.4:.1f}v{height:.1f}h-{width - 0.4:.1f}z")
    if bars:
        parts.append(f'<path class="{style}" d="{"".join(bars)}"/>')
    words = describe(block, picture)
    anchor, x = ("end", right) if left > _WIDTH * 0.6 else ("start", left)
    parts.append(f'<text class="dim" text-anchor="{anchor}" x="{x:.1f}" y="{y + 35}">{_words(words)}</text>')
    return parts


def _pings(picture: Picture, y: int) -> list[str]:
    parts = []
    for place in picture.pings:
        x = _x(place, picture)
        parts.append(f'<path class="ping" d="M{x:.1f} {y - 9}l4 8h-8z"><title>ping</title></path>')
    return parts


def _cut(words: str) -> str:
    return words if len(words) <= _LONGEST else words[: _LONGEST - 1] + "…"


def _short(block: BlockSpan) -> str:
    name = f"{block.index} {block.name}"
    return name if len(name) <= 25 else name[:24] + "…"


def _text(x: int, y: int, words: str, style: str) -> str:
    return f'<text x="{x}" y="{y}" class="{style}">{_words(words)}</text>'


def _words(text: str) -> str:
    """The text as XML takes it: no control characters, none of XML's own."""
    return escape("".join(char if char.isprintable() else "\ufffd" for char in text))
