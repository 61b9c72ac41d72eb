"""The figures of README and docs, written from `benchmarks/latest.json`: `python -m benchmarks.pages`.

A page marks the places with `<!-- figures: NAME -->` and `<!-- end of figures -->`; what stands between them is
replaced. `--check` writes nothing and fails where a page is not what it would be; a test does the same.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

import attrs

__all__ = ["Run", "main", "rewritten"]

ROOT: Final = Path(__file__).parent.parent
LATEST: Final = ROOT / "benchmarks" / "latest.json"
PAGES: Final = (ROOT / "README.md", ROOT / "docs" / "performance.md")
_PLACE: Final = re.compile(
    r"(?P<open><!-- figures: (?P<name>[a-z ]+) -->\s+)(?P<old>.*?)(?P<close>\s+<!-- end of figures -->)",
    re.DOTALL,
)
AGENT_RATE: Final = 20  # events a second that a live agent writes


@attrs.define(frozen=True)
class Run:
    """What a run found, as `--json` wrote it."""

    machine: dict[str, Any]
    quick: bool
    quick_ones: tuple[str, ...]
    """The benchmarks that ran in their quick size."""
    verdicts: tuple[dict[str, Any], ...]
    tables: tuple[dict[str, Any], ...]

    @classmethod
    def of(cls, value: dict[str, Any]) -> Run:
        found = value["benchmarks"].values()
        verdicts = tuple(verdict for each in found for verdict in each["verdicts"])
        tables = tuple(table for each in found for table in each["tables"])
        quick_ones = tuple(name for name, each in value["benchmarks"].items() if each["quick"])
        return cls(value["machine"], value["quick"], quick_ones, verdicts, tables)

    def verdict(self, goal: str, what: str) -> dict[str, Any] | None:
        """The measured condition of a goal whose words have `what` in them."""
        for verdict in self.verdicts:
            if verdict["goal"] == goal and what in verdict["what"] and verdict["measured"] is not None:
                return verdict
        return None

    def ratio(self, goal: str, what: str = "") -> float | None:
        """What was measured of it; None where nothing was."""
        found = self.verdict(goal, what)
        return None if found is None else float(found["measured"])

    def row(self, title: str, side: str, key: str = "figure") -> float | None:
        """A number of a side's row, in the first table whose title has `title` in it."""
        for table in self.tables:
            if title in table["title"]:
                for row in table["rows"]:
                    if row["side"] == side and row[key] is not None:
                        return float(row[key])
        return None


# Figures as words. Each is None where something of it was not measured, and then its row is left out.


def _times(ratio: float | None) -> str | None:
    return None if ratio is None else f"{ratio:.2f}x" if ratio < 2 else f"{ratio:.1f}x"


def _less(ratio: float | None) -> str | None:
    return None if ratio is None else f"{ratio:.0f}x less" if ratio >= 9.95 else f"{ratio:.1f}x less"


def _inverse(ratio: float | None) -> float | None:
    return 1 / ratio if ratio else None


def _with(words: str | None, **more: str | None) -> str | None:
    """`words`, and behind it in parentheses what else was measured: `for_one_text="2.7x"` is "2.7x for one text"."""
    if words is None:
        return None
    said = [f"{value} {name.replace('_', ' ')}" for name, value in more.items() if value is not None]
    return f"{words} ({', '.join(said)})" if said else words


def _against(ratio: float | None) -> str | None:
    """Ours to a rival's, whichever is ahead."""
    return None if ratio is None else _less(1 / ratio) if ratio < 0.95 else _times(ratio)


def _floor(run: Run, goal: str) -> str | None:
    to = "to msgspec's typed decode, "
    return _with(
        _times(run.ratio(goal, to + "mixed")),
        for_one_long_text=_times(run.ratio(goal, to + "chat")),
        for_a_short_answer=_times(run.ratio(goal, to + "short")),
    )


def _nearest(run: Run, how: str) -> str | None:
    found = run.verdict("P3", f"faster than every Python SSE library, {how}")
    return None if found is None else f"{_less(found['measured'])}; {found['note']}"


def _memory(run: Run) -> str | None:
    found = [run.ratio("P9", f"{loop}, {kind}") for kind in ("plain", "TLS") for loop in ("asyncio", "trio")]
    figures = [f"{figure:.1f}" for figure in found if figure is not None]
    if len(figures) < len(found):
        return None
    plain, trio, tls, trio_tls = figures
    return f"{plain} and {trio} KiB; over TLS {tls} and {trio_tls}"


def _growth(run: Run) -> str | None:
    found = [v["measured"] for v in run.verdicts if v["goal"] == "P11" and "growth" in v["what"] and v["measured"]]
    return f"{min(found):.1f}x to {max(found):.1f}x" if found else None


_SDK: Final = "the official SDK's `MessageStream`"
_ASYNC_SDK: Final = "`AsyncAnthropic.stream`"
_AIOHTTP: Final = "aiohttp, own loop, orjson (asyncio)"
_HAND: Final = "a client by hand, without limits and errors"
_SUMMARY: Final[tuple[tuple[str, str, Callable[[Run], str | None]], ...]] = (
    (
        "bytes to events to message, an agent's traffic, one event a read",
        _SDK,
        lambda run: _less(run.ratio("P1", "MessageStream, accumulated")),
    ),
    (
        "bytes to events to message, an agent's traffic, one event a read",
        "the official SDK's typed events, not accumulated",
        lambda run: _less(run.ratio("P1", "typed, mixed")),
    ),
    (
        "bytes to events to message, an agent's traffic, one event a read",
        "msgspec's typed decode of payloads already split, which is the floor",
        lambda run: _floor(run, "P1"),
    ),
    ("the same in reads of 16 KiB", "msgspec's typed decode", lambda run: _floor(run, "P2")),
    (
        "server-sent events alone, one event a read",
        "every public decoder",
        lambda run: _nearest(run, "one event a read"),
    ),
    ("server-sent events alone, 16 KiB reads", "every public decoder", lambda run: _nearest(run, "16 KiB reads")),
    ("chunked bodies", "h11", lambda run: _less(_inverse(run.ratio("P4", "ChunkedDecoder")))),
    ("one stream at full rate, asyncio", _ASYNC_SDK, lambda run: _less(run.ratio("P7", "AsyncAnthropic"))),
    (
        "one stream at full rate, asyncio",
        "aiohttp, a loop of one's own, orjson",
        lambda run: _against(run.ratio("P7", "aiohttp")),
    ),
    ("one stream at full rate, asyncio", _HAND, lambda run: _times(run.ratio("P7", "by hand"))),
    ("one stream at full rate, blocking", _HAND, lambda run: _times(run.ratio("P18", "full rate, CPU to by hand"))),
    ("a request on a kept connection", _ASYNC_SDK, lambda run: _less(run.ratio("P15", "AsyncAnthropic"))),
    (
        "a request on a kept connection",
        "aiohttp, a loop of one's own, orjson",
        lambda run: _against(_inverse(run.row("a keep-alive request", _AIOHTTP, "to_ours"))),
    ),
    (
        "a request on a kept connection",
        _HAND,
        lambda run: _with(
            _times(run.ratio("P15", "asyncio")),
            on_trio=_times(run.ratio("P15", "trio")),
            blocking=_times(run.ratio("P18", "kept request, CPU to by hand")),
        ),
    ),
    (
        "a request on a kept connection, blocking",
        "requests, a loop of one's own, json",
        lambda run: _less(run.row("blocking: a kept request", "requests, own loop, json (blocking)", "to_ours")),
    ),
    (
        "a request on a kept connection, blocking",
        "httpx, a loop of one's own, json",
        lambda run: _less(run.row("blocking: a kept request", "httpx, own loop, json (blocking)", "to_ours")),
    ),
    (
        "100 paced streams, asyncio",
        _HAND,
        lambda run: _with(
            _times(run.ratio("P5", "CPU to by hand")),
            over_TLS=_times(run.ratio("P8", "asyncio")),
            on_uvloop=_times(run.ratio("P5u")),
        ),
    ),
    ("100 paced streams, trio", _HAND, lambda run: _times(run.ratio("P6", "by hand"))),
    (
        "a proxy that watches what it passes on, 100 paced streams",
        "the same proxy, blind",
        lambda run: _times(run.ratio("P17")),
    ),
    (
        "repairing a stream",
        "reading it",
        lambda run: _with(
            _times(run.ratio("P20", "bytes out, to reading, well formed, one event")),
            with_events_out=_times(run.ratio("P20", "events out, to reading, well formed, one event")),
        ),
    ),
    ("importing the core", "`import h11, attrs, msgspec`", lambda run: _times(run.ratio("P13", "core to `import h11"))),
    ("memory of an idle stream, asyncio and trio", "", _memory),
    ("four times the deltas of any kind, the value asked for after each or at the end", "linear is 4x", _growth),
)


def _summary(run: Run) -> str:
    lines = ["| what | against | ratio |", "|---|---|---|"]
    before = ""
    for what, against, words in _SUMMARY:
        said = words(run)
        if said is not None:
            lines.append(f"| {what if what != before else ''} | {against} | {said} |".replace("|  |", "| |"))
            before = what
    return "\n".join(lines)


def _measured_on(run: Run) -> str:
    packages = run.machine["packages"]
    rivals = [f"{name} {packages[name]}" for name in ("anthropic", "aiohttp", "h11", "msgspec") if packages.get(name)]
    command = "python -m benchmarks --quick" if run.quick else "python -m benchmarks"
    where = f"{run.machine['python']}, {run.machine['system'].split()[0]}, {run.machine['cores']} cores"
    quick_ones = "" if run.quick else ", ".join(f"`{name}`" for name in run.quick_ones)
    size = f" ({quick_ones} with `--quick`)" if quick_ones else ""
    return f"From `{command}`{size} on {where}, against\n{', '.join(rivals)}."


def _missed(run: Run) -> str:
    """The conditions that were not reached: where others, or the goal, are ahead."""
    lines = ["| | wanted | measured |", "|---|---|---|"]
    for verdict in run.verdicts:
        if verdict["reached"] is False:
            unit = verdict["unit"]
            wanted = "at most" if verdict["wanted"] == "<=" else "at least"
            figures = f"{wanted} {verdict['limit']:.3g}{unit} | {verdict['measured']:.3g}{unit}"
            lines.append(f"| {verdict['goal']}: {verdict['what']} | {figures} |")
    return "\n".join(lines)


def _gateway(run: Run) -> str:
    """What a process costs for a thousand live agents, from the paced streams."""
    sides = (
        ("reading the answers with the asyncio client", "100 paced streams, plain, asyncio", "sansio_claude (asyncio)"),
        (
            "forwarding the bytes, a `StreamMonitor` beside",
            "a proxy of 100 paced streams",
            "the same with StreamMonitor (asyncio)",
        ),
        ("forwarding the bytes blindly", "a proxy of 100 paced streams", "a proxy that forwards blindly (asyncio)"),
    )
    lines = ["| a thousand agents, each writing 20 events a second | CPU time an event | cores |", "|---|---|---|"]
    for words, title, side in sides:
        figure = run.row(title, side)
        if figure is not None:
            cores = 1_000 * AGENT_RATE * figure / 1e6
            lines.append(f"| {words} | {figure:.0f} us | {cores:.2f} |")
    stream = run.ratio("P9", "asyncio, plain"), run.ratio("P9", "asyncio, TLS")
    if None not in stream:
        plain, tls = (each or 0.0 for each in stream)
        lines.append(f"| memory of their streams | | {plain * 1000 / 1024:.0f} MiB, over TLS {tls * 1000 / 1024:.0f} |")
    return "\n".join(lines)


def _sdk(run: Run) -> str:
    ratio = run.ratio("P1", "MessageStream, accumulated")
    return "" if ratio is None else f"{ratio:.0f} times less"


_FIGURES: Final[dict[str, Callable[[Run], str]]] = {
    "summary": _summary,
    "measured on": _measured_on,
    "not reached": _missed,
    "gateway": _gateway,
    "sdk": _sdk,
}


def rewritten(page: str, run: Run) -> str:
    """The page with the figures of this run; those that it did not measure stay.

    Raises KeyError where the page asks for figures that nobody knows.
    """

    def figures(place: re.Match[str]) -> str:
        return place["open"] + (_FIGURES[place["name"]](run) or place["old"]) + place["close"]

    return _PLACE.sub(figures, page)


def main(argv: Sequence[str] | None = None) -> int:
    """The exit status: 1 where `--check` found a page that is not up to date."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.pages", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; fail where a page is not up to date")
    parser.add_argument("--json", type=Path, default=LATEST, help="what the run found (default benchmarks/latest.json)")
    arguments = parser.parse_args(argv)
    run = Run.of(json.loads(arguments.json.read_text()))
    late = 0
    for page in PAGES:
        before = page.read_text()
        after = rewritten(before, run)
        if after != before:
            late += 1
            print(f"{page.relative_to(ROOT)}: {'not up to date' if arguments.check else 'rewritten'}")
            if not arguments.check:
                page.write_text(after)
    return 1 if late and arguments.check else 0


if __name__ == "__main__":
    sys.exit(main())
