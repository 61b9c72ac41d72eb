"""The live view on a terminal that is a program: every word is there once, at any size, whatever happens meanwhile."""

from __future__ import annotations

import io
import os
import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console

from sansio_claude._cli.demo import demo_transcript
from sansio_claude._cli.rich_view import RichView
from sansio_claude._stream.message_stream import MessageStream
from sansio_claude.testing import Answer, ReplayServer, Transcript, compose, serve_in_thread
from tests.cli.terminal import Terminal, run_in_terminal
from tests.cli.test_commands import KEY, command, environment

SIZES = [(80, 24), (120, 40), (40, 12), (20, 5)]
NUMBERED = " ".join(f"w{number}" for number in range(600))
WIDE = {
    "cjk": "出汁巻きを食べて、錦市場を歩く。" * 8,
    "emoji": "up 👍🏽 family 👨‍👩‍👧 flag 🇯🇵 rain ☂️ " * 8,
    "right to left": "שלום עולם مرحبا بالعالم " * 8,
    "combining": "a\u0301e\u0301 Größe ก็ " * 20,
}


class Slow(io.StringIO):
    """A terminal that takes so many bytes a second, on a clock that only it and the stream move."""

    def __init__(self, clock: list[float], rate: float) -> None:
        super().__init__()
        self.clock = clock
        self.rate = rate

    def write(self, text: str) -> int:
        self.clock[0] += len(text.encode()) / self.rate
        return super().write(text)


def replayed(
    data: bytes, columns: int, rows: int, *more: str, tmp_path: Path, react: Any = None, **env: str
) -> tuple[int, Terminal]:
    file = tmp_path / "answer.sse"
    file.write_bytes(data)
    return run_in_terminal(command("replay", file, *more), environment(**env), columns=columns, rows=rows, react=react)


def words(text: str) -> list[str]:
    """What is written, without regard to where lines are broken."""
    return text.split()


@pytest.mark.parametrize(("columns", "rows"), SIZES)
def test_every_word_is_there_once_at_any_size(columns: int, rows: int, tmp_path: Path) -> None:
    content: list[dict[str, Any]] = [
        {"type": "thinking", "thinking": "t1 t2 t3\n\nt4"},
        {"type": "text", "text": NUMBERED},
        {"type": "tool_use", "name": "t", "input": {"n": [f"i{number}" for number in range(40)]}},
    ]
    status, terminal = replayed(compose(content, seed=5).data, columns, rows, "--speed", "40", tmp_path=tmp_path)
    assert status == 0
    assert re.findall(r"\bw\d+", terminal.text) == NUMBERED.split()
    assert re.findall(r"\bi\d+", terminal.text) == [f"i{number}" for number in range(40)]
    assert re.findall(r"\bt\d\b", terminal.text) == ["t1", "t2", "t3", "t4"]
    full = [line for line in terminal.display if line]
    assert len(full) >= rows - 4  # the screen does not end empty


@pytest.mark.parametrize(("columns", "rows"), SIZES)
def test_the_last_line_fits(columns: int, rows: int, tmp_path: Path) -> None:
    data = compose("Yes.", model="claude-opus-5-5-20261101", usage={"input_tokens": 1_234_567}).data
    _, terminal = replayed(data, columns, rows, "--fast", tmp_path=tmp_path)
    lines = terminal.lines
    assert lines[-1].lstrip().startswith("claude-opus-5")
    assert lines[-2] == ""
    assert all(len(line) < columns for line in lines)


@pytest.mark.parametrize("moment", ["thinking", "Nanzen-ji", '"stops"'])
def test_ctrl_c_repeats_nothing(moment: str, tmp_path: Path) -> None:
    """The terminal writes ^C where the cursor stands, and the rest of the answer is there once."""
    typed: list[bool] = []

    def react(process: subprocess.Popen[bytes], terminal: Terminal, resize: object) -> None:
        if not typed and moment in terminal.text:
            typed.append(True)
            terminal.stream.feed(b"^C")  # as a terminal shows it
            process.send_signal(2)

    status, terminal = replayed(demo_transcript().data, 80, 24, tmp_path=tmp_path, react=react)
    assert (status, typed) == (130, [True])
    assert "interrupted" in terminal.lines[-1]
    told = [line.strip() for line in terminal.lines if len(line.strip()) > 12]
    assert len(told) == len(set(told))
    assert terminal.text.count("Rain, one day") == (moment != "thinking")
    assert terminal.written.rindex(b"\x1b[?25h") > terminal.written.rindex(b"\x1b[?25l")
    assert terminal.written.rindex(b"\x1b[?7h") > terminal.written.rindex(b"\x1b[?7l")


@pytest.mark.parametrize("to", [(60, 24), (100, 24), (50, 30)])
def test_another_width_in_the_middle(to: tuple[int, int], tmp_path: Path) -> None:
    resized: list[int] = []

    def react(process: object, terminal: Terminal, resize: Callable[[int, int], None]) -> None:
        if not resized and "w200" in terminal.text:
            resized.append(len(terminal.lines))
            resize(*to)

    _, terminal = replayed(compose(NUMBERED, seed=2).data, 80, 24, tmp_path=tmp_path, react=react)
    assert resized
    later = re.findall(r"\bw\d+", terminal.text.partition("w240 ")[2])
    assert later == NUMBERED.partition("w240 ")[2].split()  # what came after it is there once, in the new width
    width = max(len(line) for line in terminal.lines[-6:])
    assert width <= to[0] - 2
    assert width > to[0] - 12


@pytest.mark.parametrize("name", WIDE)
def test_wide_and_odd_characters(name: str, tmp_path: Path) -> None:
    _, terminal = replayed(compose(WIDE[name], seed=4).data, 80, 24, "--speed", "30", tmp_path=tmp_path)
    assert "tokens/s" in terminal.text
    first = WIDE[name].split()[0]
    if name == "right to left":
        assert words(terminal.text).count(first) == 8
    if name == "cjk":
        assert terminal.text.replace("\n", "").replace(" ", "").count("錦市場") == 8


def test_a_terminal_that_draws_wider_than_expected_repeats_nothing() -> None:
    """Each row of the region ends at the edge: autowrap is off while it is drawn."""
    view, out = _view(80, 24)
    _show(view, compose("x " * 30 + "👍🏽" * 4, seed=1))
    drawn = re.findall(r"\x1b\[\?7l(.*?)\x1b\[\?7h", out.getvalue(), re.DOTALL)
    assert drawn
    outside = re.sub(r"\x1b\[\?7l.*?\x1b\[\?7h", "", out.getvalue(), flags=re.DOTALL)
    assert "writing" not in outside
    assert out.getvalue().count("\x1b[?2026h") == out.getvalue().count("\x1b[?2026l") > 0


@pytest.mark.parametrize(
    "env", [{"TERM": "dumb"}, {"PYTHONIOENCODING": "ascii"}, {"PYTHONIOENCODING": "latin-1"}], ids=str
)
def test_terminals_that_cannot_show_a_live_view_get_plain_text(env: dict[str, str], tmp_path: Path) -> None:
    status, terminal = replayed(demo_transcript().data, 80, 24, "--fast", tmp_path=tmp_path, **env)
    assert status == 0
    assert b"\x1b" not in terminal.written
    assert b"[tool_use save_plan]" in terminal.written


def test_no_color_leaves_the_colours_away(tmp_path: Path) -> None:
    _, terminal = replayed(demo_transcript().data, 80, 24, "--fast", tmp_path=tmp_path, NO_COLOR="1")
    assert not re.search(rb"\x1b\[[\d;]*3[0-7]m", bytes(terminal.written))
    assert "Nanzen-ji" in terminal.text


def test_markdown_is_rendered(tmp_path: Path) -> None:
    text = (
        "# A title\n\nIt is **42** and `x = 1`, *really*; a_b_c stays.\n\n- first\n- second, " + "long " * 30 + "\n\n"
        "| a | bb |\n|---|---|\n| 1 | 2 |\n\n```python\nprint(**kw)\n```\n> said\n\nUnclosed **mark and <b>html</b>."
    )
    _, terminal = replayed(compose(text, seed=3).data, 80, 24, "--fast", tmp_path=tmp_path)
    shown = terminal.text
    for expected in ("  A title\n", "It is 42 and x = 1, really; a_b_c stays.", "• first", "print(**kw)", "│ said"):
        assert expected in shown
    assert "a │ bb\n  ──┼───\n  1 │ 2" in shown
    assert "Unclosed **mark and <b>html</b>." in shown
    assert shown.count("long") == 30


def test_long_strings_are_lines_and_an_edit_is_a_diff(tmp_path: Path) -> None:
    edit = {"command": "str_replace", "path": "/a.py", "old_str": "one\ntwo\n", "new_str": "one\n2\n", "more": 7}
    content = [
        {"type": "tool_use", "name": "write", "input": {"text": "first\n  second\n", "n": 1}},
        {"type": "tool_use", "name": "edit", "input": edit},
    ]
    _, terminal = replayed(compose(content, seed=3).data, 80, 24, "--speed", "20", tmp_path=tmp_path)
    assert "    │ first\n    │   second\n" in terminal.text
    assert '  str_replace /a.py\n  "more": 7\n    one\n  - two\n  + 2\n' in terminal.text
    assert "\\n" not in terminal.text


def test_retries_are_shown(tmp_path: Path) -> None:
    server = ReplayServer([Answer.error(529), compose("Here.")])
    with serve_in_thread(server) as address:
        status, terminal = run_in_terminal(
            command("ask", "Hi", "--base-url", address.url), environment(ANTHROPIC_API_KEY=KEY)
        )
    assert status == 0
    assert re.search(r"↻ attempt 1 failed \(529, overloaded_error\); again in \d\.\d s", terminal.text)
    assert "Here." in terminal.text


def test_results_stand_under_the_names_of_their_calls() -> None:
    status, terminal = run_in_terminal(command("demo", "--agent", "--fast"), environment(), columns=100, rows=30)
    assert status == 0
    assert "✓ str_replace_based_edit_tool: view /repo\n    /repo/\n" in terminal.text
    assert "  +     if n < 2:\n" in terminal.text


def test_what_is_typed_moves_nothing(tmp_path: Path) -> None:
    """Enter, echoed by the terminal, would move the cursor away from the region."""
    typed: list[bool] = []

    def react(process: object, terminal: Terminal, resize: object) -> None:
        if not typed and "w100" in terminal.text:
            typed.append(True)
            os.write(terminal.leader, b"\r\r")

    status, terminal = replayed(compose(NUMBERED, seed=2).data, 80, 24, tmp_path=tmp_path, react=react)
    assert (status, typed) == (0, [True])
    assert re.findall(r"\bw\d+", terminal.text) == NUMBERED.split()


def test_a_program_that_is_ended_gives_the_terminal_back(tmp_path: Path) -> None:
    ended: list[bool] = []

    def react(process: subprocess.Popen[bytes], terminal: Terminal, resize: object) -> None:
        if not ended and "Nanzen-ji" in terminal.text:
            ended.append(True)
            process.terminate()

    status, terminal = replayed(demo_transcript().data, 80, 24, tmp_path=tmp_path, react=react)
    assert (status, ended) == (143, [True])
    assert terminal.written.rindex(b"\x1b[?25h") > terminal.written.rindex(b"\x1b[?25l")
    assert b"Traceback" not in terminal.written


def _view(columns: int, rows: int, out: io.StringIO | None = None) -> tuple[RichView, io.StringIO]:
    out = io.StringIO() if out is None else out
    console = Console(file=out, force_terminal=True, width=columns, height=rows, legacy_windows=False)
    return RichView(console, started=0.0, ticking=False), out


def _show(view: RichView, transcript: Transcript, step: float = 0.1, *, ended: bool = True) -> None:
    stream, now = MessageStream(), 0.0
    view.start("waiting")
    for frame in transcript.frames:
        stream.receive_data(frame)
        for event in stream.events_received():
            now += step
            view.show(event, stream.partial_input, now)
    if ended:
        view.end(stream.message, "complete", now)
    view.stop()


def test_a_slow_terminal_loses_nothing_and_is_never_far_behind() -> None:
    """10,000 deltas; 20 kB a second. Every word is on the screen at most a second after it came."""
    clock = [0.0]
    out = Slow(clock, 20_000.0)
    view, _ = _view(80, 24, out)
    stream = MessageStream()
    text = " ".join(f"word{number}" for number in range(10_000))
    frames = _frames(10_000)
    view.start("waiting")
    came: list[tuple[float, int]] = []  # when, and how much had been written by then
    held = 0
    for number, frame in enumerate(frames):
        clock[0] += 0.002
        stream.receive_data(frame)
        for event in stream.events_received():
            came.append((clock[0], len(out.getvalue())))
            view.show(event, stream.partial_input, clock[0])
            held = max(held, len(view._finished))
        if number % 1_000 == 999:
            # The word that came a second ago is there.
            wanted = max((n for n, (at, _) in enumerate(came) if at <= clock[0] - 1.0), default=0)
            assert f"word{max(0, wanted - 3)} " in re.sub(r"\x1b\[[\d;?]*\w|\s+", " ", out.getvalue() + " ")
    view.end(stream.message, "complete", clock[0])
    view.stop()
    assert held <= 400
    terminal = Terminal(80, 24)
    terminal.feed(out.getvalue().encode())
    assert re.findall(r"\bword\d+", terminal.text) == text.split()


def _frames(count: int) -> list[bytes]:
    """A stream of so many deltas, a word each."""
    whole = compose("x", seed=1)
    delta = next(frame for frame in whole.frames if b'"text_delta"' in frame)
    at = whole.frames.index(delta)
    words = [delta.replace(b'"x"', f'"word{number} "'.encode()) for number in range(count)]
    return [*whole.frames[:at], *words, *whole.frames[at + 1 :]]


@settings(max_examples=60, deadline=None)
@given(
    st.text(alphabet="ab*_`[]|#-> \n\\~é日", max_size=200),
    st.integers(4, 40),
    st.integers(3, 12),
)
def test_markdown_loses_no_letter(text: str, columns: int, rows: int) -> None:
    """Whatever is taken for a mark, letters stay, in their order."""
    view, out = _view(columns, rows)
    _show(view, compose([{"type": "text", "text": text}], seed=1), ended=False)
    terminal = Terminal(columns, rows)
    terminal.feed(out.getvalue().encode())
    letters = [char for char in text if char.isalpha()]
    assert [char for char in terminal.text if char in "abé日"] == letters


def test_only_what_changed_is_written_again() -> None:
    """A tool input of twenty rows that grows by one character costs a row or two, not twenty."""
    rows = {"rows": [f"row {number}" for number in range(14)], "text": "y" * 60}
    view, out = _view(80, 24)
    stream = MessageStream()
    view.start("waiting")
    now, sizes = 0.0, []
    for frame in compose([{"type": "tool_use", "name": "t", "input": rows}], seed=1).frames:
        stream.receive_data(frame)
        for event in stream.events_received():
            now += 0.1
            before = len(out.getvalue())
            view.show(event, stream.partial_input, now)
            if event.type == "content_block_delta":
                sizes.append(len(out.getvalue()) - before)
    view.stop()
    assert sorted(sizes)[len(sizes) // 2] < 250
