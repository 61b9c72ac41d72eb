"""`inspect`: what it measures, and the picture of it as text, SVG and JSON."""

from __future__ import annotations

import io
import json
import re
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

from sansio_claude._cli.commands import main
from sansio_claude._cli.picture import picture_of, picture_of_call
from sansio_claude._cli.picture_text import picture_lines, ticks
from sansio_claude.gateway._wrapped import messages_of, read_wrapped
from sansio_claude.testing import Recorder, Recording, Transcript, compose

ANSWER = compose(
    [
        {"type": "thinking", "thinking": "Let me think about it.", "signature": "c2ln"},
        {"type": "text", "text": "Here it is, in a few words."},
        {"type": "tool_use", "name": "save<&>", "input": {"a": [1, 2]}},
    ],
    seed=6,
    usage={"input_tokens": 1234, "output_tokens": 50},
)


def recorded(path: Path, transcript: Transcript = ANSWER, *, gap_at: int = 5) -> Path:
    """A recording: a read every tenth of a second, and once two seconds more."""
    now = [0.0]
    recorder = Recorder(path, clock=lambda: now[0])

    def chunks() -> object:
        for number, frame in enumerate(transcript.frames):
            now[0] += 2.1 if number == gap_at else 0.1
            yield frame

    with recorder:
        for _ in recorder.record(chunks()):  # type: ignore[arg-type]
            pass
    return path


def run(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str, str]:
    status = main(["inspect", *map(str, arguments)])
    out, err = capsys.readouterr()
    return status, out, err


def test_times_of_a_recording(tmp_path: Path) -> None:
    recording = Recording.load(recorded(tmp_path / "session.jsonl"))
    picture = picture_of_call("it", recording.calls[0])
    assert picture.timed
    assert [block.name for block in picture.blocks] == ["thinking", "text", "tool_use save<&>"]
    assert picture.first_byte == pytest.approx(0.1)
    assert picture.length == pytest.approx(0.1 * len(ANSWER.frames) + 2.0)
    assert picture.gaps[0].length == pytest.approx(2.1)
    assert picture.gaps[0].start == pytest.approx(0.5)
    assert picture.gaps[0].inside == "thinking"
    assert picture.size == len(ANSWER.data)
    told = ("Let me think about it.", "Here it is, in a few words.", '{"a": [1, 2]}')
    assert picture.characters == sum(map(len, told))
    assert picture.first_content is not None
    assert picture.tokens_per_second == pytest.approx(50 / (picture.length - picture.first_content))
    for block in picture.blocks:
        assert block.end is not None
        assert block.first is not None
        assert block.start <= block.first <= block.end <= picture.length


def test_a_stream_without_times_is_a_line_of_bytes() -> None:
    whole = picture_of("it", [ANSWER.data])
    assert not whole.timed
    pieces = [ANSWER.data[n : n + 7] for n in range(0, len(ANSWER.data), 7)]
    assert picture_of("it", pieces).to_dict() == whole.to_dict()
    assert whole.tokens_per_second is None
    assert whole.gaps == []
    assert whole.length >= whole.size > 0


@pytest.mark.parametrize("cut", [1, 5, 12])
def test_a_cut_stream_has_a_picture_and_a_status(cut: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "a.sse"
    file.write_bytes(ANSWER.first(cut).data)
    status, out, err = run(capsys, file)
    assert (status, err) == (3, "")
    assert "error:" in out


def test_the_text(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, out, err = run(capsys, recorded(tmp_path / "session.jsonl"))
    assert (status, err) == (0, "")
    for words in (
        "claude-opus-5-5, tool_use",
        "0 thinking",
        "1 text",
        "longest gaps: 2.100 s from 0.500 s on, thinking",
        "usage: 1,234 input_tokens",
        "50 output_tokens",
        "deviations: none",
        "first content ",
    ):
        assert words in out
    assert all(len(line) <= 160 for line in out.splitlines())
    picture = picture_of("it", [ANSWER.data])
    assert "\n".join(picture_lines(picture, 60, ascii_only=True)).isascii()


def test_the_svg_is_xml_and_holds_no_markup_of_the_answer(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = recorded(tmp_path / "session.jsonl")
    status, out, _ = run(capsys, file, "--svg", tmp_path / "out.svg")
    assert (status, out) == (0, "")
    text = (tmp_path / "out.svg").read_text("utf-8")
    root = ElementTree.fromstring(text)
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    assert "2 tool_use save<&>" in [element.text for element in root.iter("{http://www.w3.org/2000/svg}text")]
    assert "prefers-color-scheme: dark" in text
    assert run(capsys, file, "--svg")[1] == text
    evil = compose([{"type": "tool_use", "name": "x\x1b\x00<script>", "input": {}}], model="m\x07")
    (tmp_path / "evil.sse").write_bytes(evil.data)
    ElementTree.fromstring(run(capsys, tmp_path / "evil.sse", "--svg")[1])
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f]", run(capsys, tmp_path / "evil.sse")[1])


def test_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (found,) = json.loads(run(capsys, recorded(tmp_path / "session.jsonl"), "--json")[1])
    assert found["unit"] == "seconds"
    assert found["stop_reason"] == "tool_use"
    assert len(found["blocks"]) == 3
    assert found["usage"]["output_tokens"] == 50


def test_event_lines_and_the_output_of_agents(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    events = [json.loads(line[6:]) for line in ANSWER.data.decode().splitlines() if line.startswith("data: ")]
    plain = "".join(json.dumps(event) + "\n" for event in events).encode()
    agent = b'{"type": "system", "subtype": "init"}\n' + b"".join(
        json.dumps({"type": "stream_event", "event": event, "session_id": "s"}).encode() + b"\n" for event in events
    )
    agent += b'{"type": "assistant", "message": {}}\n'
    for data in (plain, agent, agent * 2):
        file = tmp_path / "lines.jsonl"
        file.write_bytes(data)
        assert run(capsys, file)[0] == 0
        assert main(["decode", str(file), "--events"]) == 0
        shown = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
        assert shown == events * (2 if data == agent * 2 else 1)
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))
        assert main(["decode", "-"]) == 0
        assert json.loads(capsys.readouterr().out.split("\n}\n")[0] + "\n}") == ANSWER.message
    pieces = [b"".join(frames) for frames in messages_of(read_wrapped([agent[:100], agent[100:], agent]))]
    assert len(pieces) == 2
    assert pieces[0] == pieces[1]
    start, stop, ping = (b"event: %b\ndata: {}\n\n" % name for name in (b"message_start", b"message_stop", b"ping"))
    said = [list(frames) for frames in messages_of([start, ping, start, stop, ping, start, stop])]
    assert said == [[start, ping, start, stop, ping], [start, stop]]


@pytest.mark.parametrize(
    ("content", "words"), [(b"hello\n", "not an event stream"), (b'{"type": "message"}', "is JSON")]
)
def test_what_has_no_picture(content: bytes, words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "it"
    file.write_bytes(content)
    status, out, err = run(capsys, file)
    assert (status, out) == (1, "")
    assert words in err


def test_the_places_of_the_axis_are_round() -> None:
    assert ticks(8.9, 6) == pytest.approx([0, 2, 4, 6, 8])
    assert ticks(0.0045, 6) == pytest.approx([0, 0.001, 0.002, 0.003, 0.004])
    for length in (0.001, 0.7, 3.0, 999.0, 1e9):
        assert 1 <= len(ticks(length, 8)) <= 8
