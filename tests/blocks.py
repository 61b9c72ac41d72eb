"""The code blocks of the README and of the documentation: found, run against a replay server, written out for checkers.

    python -m tests.blocks FOLDER      # each Python block as a file, for mypy and pyright

A Python block is a whole program. What its server answers is named in a comment in front of it,
`<!-- answers: NAME -->`, with a name of `ANSWERS`; without one it is a short text.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import attrs

from sansio_claude.testing import Answer, ReplayServer, Transcript, compose, serve_in_thread

ROOT = Path(__file__).parent.parent
_BLOCK = re.compile(r"(?:<!-- answers: (\w+) -->\n+)?^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_WEATHER = {"type": "tool_use", "name": "get_weather", "input": {"city": "Oslo"}}


def _cut() -> Answer:
    data = compose("The first half of a story, and then nothing.", seed=4).data
    return Answer.stream(Transcript.from_bytes(data[: data.rindex(b"event: content_block_stop")]))


ANSWERS: dict[str, Callable[[], list[Answer | Transcript]]] = {
    "text": lambda: [compose("Hello there!", seed=3)],
    "thinking": lambda: [compose([{"type": "thinking", "thinking": "Hm."}, {"type": "text", "text": "Four."}], seed=3)],
    "tool": lambda: [compose([_WEATHER], seed=5), compose("Take an umbrella.", seed=6)],
    "cities": lambda: [compose('{"value": [{"name": "Oslo", "population": 724290}]}', seed=7)],
    "texts": lambda: [compose("Hello there!", seed=3) for _ in range(8)],
    "tools": lambda: [compose(answer, seed=5) for answer in ([_WEATHER], "Take an umbrella.") * 2],
    "city_twice": lambda: [compose('{"name": "Oslo", "population": 724290}', seed=7) for _ in range(2)],
    "refused_twice": lambda: [Answer.error(400, "max_tokens: Field required") for _ in range(2)],
    "cut": lambda: [_cut(), compose("and then the end.", seed=8)],
    "busy": lambda: [Answer.error(429, "slow down", headers=(("retry-after", "0"),)), compose("Hello there!", seed=3)],
    "refused": lambda: [Answer.error(400, "max_tokens: Field required")],
}


@attrs.define(frozen=True)
class Block:
    """One code block. `place` is the page and the number of the block on it."""

    place: str
    language: str
    code: str
    answers: str = "text"


def blocks_of(page: Path) -> list[Block]:
    """The code blocks of a Markdown page."""
    text = page.read_text("utf-8")
    name = page.relative_to(ROOT).as_posix()
    return [
        Block(f"{name}:{number}", match[2], match[3], match[1] or "text")
        for number, match in enumerate(_BLOCK.finditer(text))
    ]


def pages() -> list[Path]:
    """The README and every page of the documentation."""
    return [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


def run_block(block: Block, folder: Path) -> str:
    """What the program prints, run in `folder` with the replay server as its API. Fails where it ends with an error."""
    script = folder / "block.py"
    script.write_text(block.code, "utf-8")
    with serve_in_thread(ReplayServer(ANSWERS[block.answers]())) as address:
        return run_command([sys.executable, "-W", "error", str(script)], folder, base_url=address.url)


def run_command(arguments: list[str], folder: Path, *, base_url: str) -> str:
    """What a command prints, run in `folder`; the environment names a key and the address."""
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "NO_COLOR": "1",
        "ANTHROPIC_API_KEY": "key-of-the-docs",
        "ANTHROPIC_BASE_URL": base_url,
    }
    done = subprocess.run(
        arguments, cwd=folder, env=environment, capture_output=True, text=True, encoding="utf-8", timeout=60
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def main(folder: Path) -> None:
    """Write every Python block into a file of its own."""
    folder.mkdir(parents=True, exist_ok=True)
    for page in pages():
        for block in blocks_of(page):
            if block.language == "python":
                name = re.sub(r"\W+", "_", block.place)
                (folder / f"{name}.py").write_text(block.code, "utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
