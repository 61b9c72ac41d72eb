"""What is shown while a stream comes, in plain text and on a terminal that is a string."""

from __future__ import annotations

import io
import re
import threading
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.console import Console

from sansio_claude._cli import demo as _cli_demo
from sansio_claude._cli import rich_view as _cli_rich
from sansio_claude._cli.inputs import input_tail
from sansio_claude._cli.rich_view import RichView
from sansio_claude._cli.view import HowEnded, PlainView, View, safe
from sansio_claude._cli.wrapping import wrapped
from sansio_claude._stream.message_stream import MessageStream
from sansio_claude.testing import Transcript, compose
from tests.cli.terminal import Terminal
from tests.counting import work

SEVERAL: list[dict[str, Any]] = [
    {"type": "thinking", "thinking": "Hmm.\n\nWell.", "signature": "c2ln"},
    {"type": "text", "text": "First line\nsecond line"},
    {"type": "server_tool_use", "name": "web_search", "input": {"query": "rain"}},
    {"type": "web_search_tool_result", "tool_use_id": "x", "content": []},
    {"type": "compaction", "content": "In short."},
    {"type": "text", "text": ""},
    {"type": "tool_use", "name": "save", "input": {"days": [1, 2]}},
]


def watch(view: View, transcript: Transcript, how: HowEnded = "complete") -> None:
    """Show a stream event by event, a tenth of a second each."""
    stream = MessageStream()
    now = 0.0
    for frame in transcript.frames:
        stream.receive_data(frame)
        for event in stream.events_received():
            now += 0.1
            view.show(event, stream.partial_input, now)
    view.end(stream.message, how, now)
    view.stop()


def plain(transcript: Transcript, how: HowEnded = "complete", *, on_terminal: bool = False) -> str:
    out = io.StringIO()
    watch(PlainView(out, out, started=0.0, on_terminal=on_terminal), transcript, how)
    return out.getvalue()


def drawn(transcript: Transcript, how: HowEnded = "complete", *, width: int = 80, height: int = 24) -> str:
    """What stays on the screen, without colours."""
    return screen(lambda console: watch_live(console, transcript, how), width, height)


def watch_live(console: Console, transcript: Transcript, how: HowEnded) -> None:
    view = RichView(console, started=0.0)
    view.start("waiting")
    watch(view, transcript, how)


def screen(draw: Callable[[Console], None], width: int, height: int) -> str:
    """What stands on a screen of this size, and in its history."""
    out = io.StringIO()
    console = Console(
        file=out, force_terminal=True, width=width, height=height, color_system="truecolor", legacy_windows=False
    )
    draw(console)
    terminal = Terminal(width, height)
    terminal.feed(out.getvalue().replace("\r\n", "\n").replace("\n", "\r\n").encode())
    return terminal.text


def test_plain_text_is_everything_in_order() -> None:
    transcript = compose(SEVERAL, seed=3, usage={"input_tokens": 1234, "output_tokens": 5})
    text = plain(transcript)
    body, _, last = text.rstrip("\n").rpartition("\n\n")
    assert body == (
        "[thinking]\nHmm.\n\nWell.\n\nFirst line\nsecond line\n\n[server_tool_use web_search]\n"
        '{"query": "rain"}\n\n[web_search_tool_result]\n\n[compaction]\nIn short.\n\n\n'
        '[tool_use save]\n{"days": [1, 2]}'
    )
    assert re.fullmatch(r"\[claude-opus-5-5, tool_use, 1,234 tokens in, 5 tokens out, \d+ tokens/s, [\d.]+ s\]", last)


def test_notes_can_go_elsewhere() -> None:
    out, notes = io.StringIO(), io.StringIO()
    watch(PlainView(out, notes, started=0.0, on_terminal=False), compose(SEVERAL, seed=3))
    assert out.getvalue().replace("\n", "") == "First linesecond line"
    assert "[thinking]\nHmm." in notes.getvalue()
    assert notes.getvalue().endswith(" s]\n")


@pytest.mark.parametrize(("how", "word"), [("cut", "cut"), ("interrupted", "interrupted"), ("failed", "failed")])
def test_an_end_before_the_end(how: HowEnded, word: str) -> None:
    transcript = compose("Hello, world!", seed=1).first(6)
    assert re.search(rf"\n\n\[claude-opus-5-5, {word}, \d+ characters out, 0.\d s\]\n$", plain(transcript, how))
    assert f"claude-opus-5-5 · {word} · " in drawn(transcript, how)


def test_an_end_before_the_beginning() -> None:
    out = io.StringIO()
    PlainView(out, out, started=0.0, on_terminal=False).end(None, "interrupted", 2.0)
    assert out.getvalue() == "[interrupted, 0 characters out, 2.0 s]\n"


def test_a_terminal_gets_no_commands_from_the_model() -> None:
    evil = compose("\x1b]0;owned\x07 \x9b2J\rok\ttab\x7f", model="m\x1b[31m")
    for text in (plain(evil, on_terminal=True), drawn(evil)):
        assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]", text)
        assert "ok" in text
    assert "\x1b]0;owned" in plain(evil)  # a file gets exactly what was said
    assert safe("a\r\nb\tc\x1b") == "a\nb\tc\N{REPLACEMENT CHARACTER}"


@given(st.text(alphabet="ab \u65e5\U0001f600", max_size=120), st.integers(2, 30))
def test_wrapping_loses_only_the_space_at_a_break(text: str, width: int) -> None:
    lines, rest = wrapped(text, width)
    assert all(cell_len(line) <= width for line in [*lines, rest])
    assert "".join([*lines, rest]).replace(" ", "") == text.replace(" ", "")
    # What was broken off stays as it is, whatever comes behind it: it can be printed for good.
    assert wrapped(text + "more words", width)[0][: len(lines)] == lines


@pytest.mark.parametrize("redraws", [1, 16, 5_000])
def test_the_screen_keeps_all_of_the_answer(redraws: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_cli_rich, "_REDRAWS", redraws)
    text = drawn(_cli_demo.demo_transcript())
    assert "✻ thinking\n" in text
    assert "with times.\n\n▸ tool_use save_plan\n" in text
    assert "waiting" not in text
    assert "writing" not in text
    flat = " ".join(text.split())
    message = _cli_demo.demo_transcript().message
    assert message is not None
    for block in message["content"][:2]:
        assert " ".join((block.get("thinking") or block["text"]).split()) in flat
    assert '"place": "Funaoka Onsen",' in text
    assert "· tool_use ·" in text
    assert "tokens/s" in text
    assert max(map(cell_len, text.split("\n"))) <= 80


@pytest.mark.parametrize("interleave", [False, True])
@pytest.mark.parametrize("size", [(20, 5), (80, 24), (300, 100)])
def test_any_terminal_size_and_blocks_at_once(size: tuple[int, int], interleave: bool) -> None:
    rows = {"rows": [{"n": n, "text": "x" * 50} for n in range(60)]}
    content = [*SEVERAL[:2], {"type": "tool_use", "name": "rows", "input": rows}]
    text = drawn(compose(content, seed=2, interleave=interleave), width=size[0], height=size[1])
    assert "Hmm." in text
    assert re.search(r'"n":\s+59', text)


def test_an_input_that_is_not_whole_is_marked() -> None:
    content = [{"type": "tool_use", "name": "t", "input": {"$incomplete_json": '{"path": "/et'}}]
    text = drawn(compose(content, stop_reason="max_tokens"))
    assert '{"path": "/et\n' in text
    assert "cannot be run" in text


def test_an_interrupted_input_stays_on_the_screen() -> None:
    transcript = compose([{"type": "tool_use", "name": "t", "input": {"path": "/etc/passwd"}}], seed=1)
    text = drawn(transcript.first(7), "interrupted")
    assert '"path": "/' in text
    assert "interrupted" in text


def test_a_growing_input_costs_what_is_shown_of_it() -> None:
    """The same number of steps for an input of any size."""
    rows = {"rows": [{"n": n, "text": "x" * 50} for n in range(60)]}
    more = {"rows": rows["rows"] * 50}
    few, many = work(lambda: input_tail(rows, 20)), work(lambda: input_tail(more, 20))
    assert many <= few * 1.1


def test_a_growing_input_is_drawn_between_events() -> None:
    """What is not finished is on the screen, one tick later, with nothing more coming."""
    transcript = compose([{"type": "tool_use", "name": "t", "input": {"path": "/etc/passwd"}}], seed=1).first(8)
    stream = MessageStream()
    out = Watched('"path"')
    view = RichView(Console(file=out, force_terminal=True, width=80, height=24), started=0.0)
    view.start("waiting")
    stream.receive_data(transcript.data)
    for event in stream.events_received():
        view.show(event, stream.partial_input, 0.0)
    assert out.seen.wait(60)
    view.stop()


class Watched(io.StringIO):
    """A terminal that says when certain words were written to it."""

    def __init__(self, words: str) -> None:
        super().__init__()
        self._words = words
        self.seen = threading.Event()

    def write(self, text: str) -> int:
        if self._words in text:
            self.seen.set()
        return super().write(text)
