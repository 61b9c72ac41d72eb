"""The picture of a stream as lines of text."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from statistics import median

from sansio_claude._cli.input import one_line
from sansio_claude._cli.picture import BlockSpan, Picture

__all__ = ["amount", "facts", "picture_lines", "slots", "ticks"]

_LEVELS = "▁▂▃▄▅▆▇█"
_ASCII_LEVELS = ".:-=+*#@"
_SHOWN = 10  # deviations


def picture_lines(picture: Picture, width: int, *, ascii_only: bool = False) -> list[str]:
    """The whole picture in lines of at most about `width` characters."""
    levels = _ASCII_LEVELS if ascii_only else _LEVELS
    names = [f"{block.index} {one_line(block.name)}" for block in picture.blocks]
    column = min(28, max([*map(len, names), 6]))
    bar = max(10, width - column - 2)
    lines = [f"{title} {words}" for title, words in facts(picture)[:3]]
    lines.append("")
    if picture.blocks and picture.length > 0:
        lines.append(" " * (column + 2) + _axis(picture, bar))
        most = max((max(slots(block, picture.length, bar)) for block in picture.blocks), default=1) or 1
        for name, block in zip(names, picture.blocks, strict=True):
            drawn = _bar(block, picture, bar, most, levels, "." if ascii_only else "·")
            lines.append(f"{_fit(name, column):{column}}  {drawn}".rstrip())
            lines.append(f"{'':{column}}  {describe(block, picture)}")
        if picture.pings:
            lines.append(f"{'pings':{column}}  {_marks(picture, bar, '^')}".rstrip())
        lines.append("")
    return [*lines, *(f"{title} {words}" for title, words in facts(picture)[3:])]


def facts(picture: Picture) -> list[tuple[str, str]]:
    """The figures, each with its title; the first three are about the whole."""
    return list(_facts(picture))


def _facts(picture: Picture) -> Iterator[tuple[str, str]]:
    message = picture.message
    if message is None:
        ended = "no message"
    else:
        ended = f"{one_line(message.model)}, {one_line(message.stop_reason or 'no stop reason')}"
    yield f"{picture.name}:", ended if picture.status == 200 else f"status {picture.status}, {ended}"
    sizes = f"{picture.size:,} bytes, {picture.events:,} events, {picture.characters:,} characters of deltas"
    if picture.reads:
        reads = picture.reads
        sizes += f", {len(reads):,} reads (median {median(reads):,.0f}, longest {max(reads):,} bytes)"
    yield "size:", sizes
    if picture.timed:
        parts = [
            f"{words} {at:.3f} s"
            for words, at in (
                ("head", picture.head),
                ("first byte", picture.first_byte),
                ("first content", picture.first_content),
                ("end", picture.length),
            )
            if at is not None
        ]
        rate = picture.tokens_per_second
        yield (
            "time:",
            ", ".join(parts) + ("" if rate is None else f"; {rate:,.0f} output tokens/s from the first content"),
        )
    else:
        yield "time:", "not known; places are bytes (a file of `sansio-claude record` has times)"
    yield "pings:", f"{len(picture.pings)}" if picture.pings else "none"
    for number, gap in enumerate(picture.gaps):
        title = "longest gaps:" if not number else "             "
        yield title, f"{gap.length:.3f} s from {gap.start:.3f} s on, {one_line(gap.inside)}"
    if message is not None:
        usage = message.to_dict().get("usage")
        counted = (
            {key: value for key, value in usage.items() if isinstance(value, int)} if isinstance(usage, dict) else {}
        )
        yield "usage:", ", ".join(f"{value:,} {one_line(str(key))}" for key, value in counted.items()) or "none"
    if not picture.deviations:
        yield "deviations:", "none"
    for number, each in enumerate(picture.deviations[:_SHOWN]):
        title = "deviations:" if not number else "           "
        yield title, f"event {each.event_number}: {one_line(each.words)} ({each.kind})"
    if len(picture.deviations) > _SHOWN:
        yield "           ", f"and {len(picture.deviations) - _SHOWN:,} more"
    if picture.failure is not None:
        yield "error:", one_line(str(picture.failure))


def describe(block: BlockSpan, picture: Picture) -> str:
    """What there is to say of a block."""
    end = picture.length if block.end is None else block.end
    parts = [f"{amount(block.start, picture)} to {amount(end, picture)}"]
    if block.deltas:
        parts.append(f"{block.characters:,} characters in {block.deltas:,} deltas")
    parts.append(f"{block.size:,} bytes")
    span = end - (block.start if block.first is None else block.first)
    if picture.timed and block.characters and span > 0:
        parts.append(f"{block.characters / span:,.0f} characters/s")
    if block.end is None:
        parts.append("not ended")
    return ", ".join(parts)


def amount(place: float, picture: Picture) -> str:
    """A place with its unit."""
    return f"{place:.2f} s" if picture.timed else f"{place:,.0f} B"


def slots(block: BlockSpan, length: float, count: int) -> list[int]:
    """Characters of the block in each of `count` equal parts of the line."""
    found = [0] * count
    for place, characters in block.steps:
        found[min(count - 1, int(place / length * count))] += characters
    return found


def ticks(length: float, most: int) -> list[float]:
    """Round places from 0 on, `most` at most."""
    step = 10.0**-3
    while length / step >= most:
        for factor in (2.0, 2.5, 2.0):  # 1, 2, 5, 10
            step *= factor
            if length / step < most:
                break
    return [number * step for number in range(int(length / step) + 1)]


def _axis(picture: Picture, width: int) -> str:
    line = [" "] * (width + 12)
    free = 0
    for place in ticks(picture.length, max(2, width // 12)):
        at = int(place / picture.length * (width - 1))
        words = "|" + (f"{place:g} s" if picture.timed else f"{place:,.0f} B")
        if at >= free and at + len(words) <= len(line):
            line[at : at + len(words)] = words
            free = at + len(words) + 1
    return "".join(line).rstrip()[:width]


def _bar(block: BlockSpan, picture: Picture, width: int, most: int, levels: str, quiet: str) -> str:
    start = int(block.start / picture.length * (width - 1))
    end = int((picture.length if block.end is None else block.end) / picture.length * (width - 1))
    line = [" "] * start + [quiet] * (end - start + 1)
    for number, characters in enumerate(slots(block, picture.length, width)):
        if characters:
            line[len(line) :] = [quiet] * max(0, number + 1 - len(line))
            line[number] = levels[min(len(levels) - 1, characters * len(levels) // (most + 1))]
    return "".join(line)


def _marks(picture: Picture, width: int, mark: str) -> str:
    line = [" "] * width
    for place in picture.pings:
        line[min(width - 1, int(place / picture.length * (width - 1)))] = mark
    return "".join(line)


def _fit(text: str, width: int, measure: Callable[[str], int] = len) -> str:
    return text if measure(text) <= width else text[: width - 3] + "..."
