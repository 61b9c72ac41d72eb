"""The benchmark suite measures what it says: right fixtures, answers compared first, missing peers named."""

from __future__ import annotations

import json
import statistics
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks import __main__ as command
from benchmarks import chart, pages, report, suite
from benchmarks.measure import Race, Settings, race
from benchmarks.processes import MissingClient, replay_server, worker
from benchmarks.results import Findings, Row, Table, Verdict, race_table
from benchmarks.rivals import peers
from benchmarks.rivals.floors import HandStream, Unchunk, split_frames
from benchmarks.suites import http_body, in_process, soak, sse
from benchmarks.traffic import script
from benchmarks.traffic.answers import WrongAnswer, digest_of_message, same
from benchmarks.traffic.composer import Composer
from benchmarks.traffic.shapes import SHAPES, shape

FAST = Settings(quick=True, rounds=1, sample=1e-9, rounds_across=1)


# The shapes.


@pytest.mark.parametrize("name", SHAPES)
def test_a_shape_is_the_same_each_time(name: str) -> None:
    assert shape.__wrapped__(name) == shape(name)


@pytest.mark.parametrize("name", SHAPES)
def test_frames_carry_their_payloads_under_the_payloads_own_name(name: str) -> None:
    for body in shape(name).bodies:
        for frame, payload in zip(body.frames, body.payloads, strict=True):
            event, data = frame.rstrip(b"\r\n").replace(b"\r\n", b"\n").split(b"\n")
            assert data == b"data: " + payload
            assert event.decode() == "event: " + json.loads(payload)["type"]


@pytest.mark.parametrize("name", SHAPES)
def test_arrivals_are_cuts_of_the_same_bytes(name: str) -> None:
    of = shape(name)
    for how in of.arrivals:
        for reads, body in zip(of.arriving(how), of.bodies, strict=True):
            assert b"".join(reads) == b"".join(body.frames)


def test_the_mixed_traffic_has_the_real_shape() -> None:
    bodies = shape("mixed").bodies
    frames = [frame for body in bodies for frame in body.frames]
    assert 110 <= statistics.median(map(len, frames)) <= 160
    fragments, texts, padding = [], [], []
    for body in bodies:
        for payload in body.payloads:
            if payload == b'{"type": "ping"}':
                continue
            padding.append(len(payload) - len(payload[:-1].rstrip(b" ")) - 1)
            value = json.loads(payload)
            delta = value.get("delta", {})
            if delta.get("type") == "input_json_delta":
                fragments.append(delta["partial_json"])
            elif delta.get("type") == "text_delta":
                texts.append(delta["text"])
    assert (min(padding), max(padding)) == (0, 15)
    assert 6 <= statistics.median(map(len, fragments)) <= 8
    assert max(map(len, fragments)) <= 13
    assert 8 <= statistics.median(map(len, texts)) <= 12


def test_the_first_fragment_of_a_tool_input_is_empty() -> None:
    made = Composer("a tool")
    made.tool("f", ['{"a":', " 1}"])
    deltas = [json.loads(p)["delta"] for p in made.finish().payloads if b"input_json_delta" in p]
    assert [delta["partial_json"] for delta in deltas] == ["", '{"a":', " 1}"]


# The floors and this library, on every shape and way of arriving.


@pytest.mark.parametrize("name", SHAPES)
def test_every_side_gives_the_composed_message(name: str) -> None:
    of = shape(name)
    for how in of.arrivals:
        in_process.sides_of(of, how, peers=False)


def test_frames_split_by_hand_are_the_payloads() -> None:
    body = shape("short").bodies[0]
    assert split_frames(body.arriving("byte")) == list(body.payloads)


@pytest.mark.parametrize("step", [1, 7, 100, 16384])
def test_the_client_by_hand_is_right(step: int) -> None:
    body = shape("short").bodies[0]
    wire = b"".join(map(script.chunk, body.frames)) + script.LAST_CHUNK
    unchunk, stream = Unchunk(), HandStream()
    for at in range(0, len(wire), step):
        stream.receive(unchunk.receive(wire[at : at + step]))
    assert unchunk.done
    assert stream.done
    assert stream.accumulated.message == body.message


# Answers are compared before anything is timed.


class NotTimed(Exception):
    pass


def never(*_: object, **__: object) -> Race:
    raise NotTimed


def lying_decoder(reads: Sequence[bytes]) -> list[tuple[str, str]]:
    return [("message", "something else")]


def test_a_rival_with_another_answer_is_not_timed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sse, "sse_peers", lambda: {"liar": lying_decoder})
    monkeypatch.setattr(sse, "race", never)
    with pytest.raises(WrongAnswer, match="liar"):
        sse.run(FAST)


def test_two_answers_that_differ_are_shown() -> None:
    same("ours", 1, 1)
    with pytest.raises(WrongAnswer, match="ours gives 1 and not 2"):
        same("ours", 1, 2)


class Unfinished:
    def receive_data(self, data: bytes) -> None:
        pass

    def body_received(self) -> bytes:
        return b""


def test_our_body_decoder_is_compared_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_body, "ChunkedDecoder", Unfinished)
    monkeypatch.setattr(http_body, "race", never)
    with pytest.raises(WrongAnswer, match="sansio_claude"):
        http_body.run(FAST)


def test_digests_tell_messages_apart() -> None:
    body = shape("short").bodies[0]
    other = json.loads(json.dumps(body.message))
    assert digest_of_message(body.message) == digest_of_message(other)
    other["content"][1]["input"]["days"] = 4
    assert digest_of_message(body.message) != digest_of_message(other)


# Missing peers.


def test_a_missing_peer_is_a_row_that_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(peers, "_load", lambda module: peers.Missing(f"no {module} here"))
    found = sse.run(FAST)
    rows = {row.side: row for row in found.tables[0].rows}
    assert rows["assel"].figure is None
    assert rows["assel"].note == "no assel here"
    assert "no assel here" in report.table_text(found.tables[0])
    assert isinstance(peers.sdk_typed([b""]), peers.Missing)
    assert isinstance(peers.sdk_accumulated([b""]), peers.Missing)
    assert isinstance(peers.values_by_jiter([""]), peers.Missing)
    assert isinstance(peers.values_by_partial_json_parser([""]), peers.Missing)
    verdicts = {verdict.goal: verdict for verdict in found.verdicts if verdict.measured is None}
    assert verdicts["P3"].reached is None


# Measuring.


class Clock:
    """A clock that moves only when a side moves it."""

    def __init__(self) -> None:
        self.now = 0

    def __call__(self) -> int:
        return self.now

    def side(self, *costs: int) -> Callable[[], None]:
        left = list(costs)

        def run() -> None:
            self.now += left.pop(0) if len(left) > 1 else left[0]

        return run


def test_ratios_are_medians_of_the_rounds_own_ratios() -> None:
    clock = Clock()
    settings = Settings(quick=True, rounds=3, sample=0.0, rounds_across=1)
    sides = {"slow": clock.side(1, 20, 90, 30), "fast": clock.side(1, 10, 10, 10)}
    timed = race(sides, settings, clock=clock)
    assert timed.ratio("slow", "fast") == 3.0
    assert timed.ratio("fast", "fast") == 1.0
    assert timed.ns("slow") == 30


def test_cheap_sides_are_repeated_up_to_one_sample() -> None:
    clock = Clock()
    settings = Settings(quick=True, rounds=1, sample=1e-6, rounds_across=1)
    timed = race({"side": clock.side(100)}, settings, clock=clock)
    assert clock.now == 100 + 10 * 100
    assert timed.ns("side") == 100


def test_the_order_within_a_round_alternates() -> None:
    order: list[str] = []
    settings = Settings(quick=True, rounds=3, sample=0.0, rounds_across=1)
    race({"a": lambda: order.append("a"), "b": lambda: order.append("b")}, settings)
    assert "".join(order) == "ab" + "ab" + "ba" + "ab"


# Verdicts, tables, files.


def verdict(measured: float | None, *, gate: float | None = None, wanted: Any = "<=") -> Verdict:
    return Verdict(goal="P1", what="something", wanted=wanted, limit=2.0, measured=measured, gate=gate)


def test_verdicts() -> None:
    assert verdict(2.0).reached
    assert verdict(2.1).reached is False
    assert verdict(2.1, wanted=">=").reached
    assert verdict(None).reached is None
    assert verdict(3.9, gate=4.0).within_gate
    assert not verdict(4.1, gate=4.0).within_gate
    assert verdict(100.0).within_gate
    assert verdict(None, gate=4.0).within_gate


def test_a_goal_is_reached_only_when_all_its_conditions_are() -> None:
    assert "P1  reached" in report.goals_text([verdict(1.0), verdict(1.5)])
    assert "P1  NOT reached" in report.goals_text([verdict(1.0), verdict(2.5)])
    assert "P1  not measured" in report.goals_text([verdict(1.0), verdict(None)])


def fake_findings(measured: float = 1.0) -> Findings:
    timed = Race({"sansio_claude": [10.0], "a rival & friends": [400.0], "msgspec": [4.0]})
    table = race_table(
        "mixed: one event a read", timed, units=1, size=5, floor="msgspec", missing={"absent": "not installed"}
    )
    return Findings([table], [verdict(measured, gate=4.0)])


def run_with(findings: Findings, monkeypatch: pytest.MonkeyPatch, arguments: list[str]) -> int:
    monkeypatch.setattr(suite.Benchmark, "run", lambda self, settings: findings)
    return command.main(["--only", "sse", *arguments])


def test_json_svg_and_markdown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    files = [str(tmp_path / name) for name in ("a.json", "a.svg", "a.md")]
    options = ["--json", files[0], "--svg", files[1], "--markdown", files[2]]
    assert run_with(fake_findings(), monkeypatch, options) == 0
    written = json.loads(Path(files[0]).read_text())
    rows = {row["side"]: row for row in written["benchmarks"]["sse"]["tables"][0]["rows"]}
    assert rows["a rival & friends"]["to_ours"] == 40.0
    assert rows["absent"]["note"] == "not installed"
    assert written["benchmarks"]["sse"]["verdicts"][0]["reached"] is True
    assert written["machine"]["packages"]["h11"]
    drawn = ElementTree.parse(files[1])
    texts = [element.text for element in drawn.iter("{http://www.w3.org/2000/svg}text")]
    assert "a rival & friends" in texts
    assert "40x" in texts
    assert "| P1 | something | <= 2.00x | 1.00x | reached |" in Path(files[2]).read_text()
    out = capsys.readouterr().out
    assert "a rival & friends" in out
    assert "GOALS" in out


def test_a_gate_passed_fails_a_quick_run_only(monkeypatch: pytest.MonkeyPatch) -> None:
    assert run_with(fake_findings(4.5), monkeypatch, ["--quick"]) == 1
    assert run_with(fake_findings(3.5), monkeypatch, ["--quick"]) == 0
    assert run_with(fake_findings(4.5), monkeypatch, []) == 0


def test_a_benchmark_that_breaks_does_not_take_the_others_along(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def run(self: suite.Benchmark, settings: Settings) -> Findings:
        if self.name == "sse":
            raise WrongAnswer("no")
        return fake_findings()

    monkeypatch.setattr(suite.Benchmark, "run", run)
    assert command.main(["--only", "sse", "--only", "http_body"]) == 2
    out = capsys.readouterr().out
    assert "failed, see above" in out
    assert "a rival & friends" in out


def test_list_names_every_benchmark(capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(["--list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == [benchmark.name for benchmark in suite.BENCHMARKS]


def test_an_unknown_name_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        command.main(["--only", "nonsense"])
    assert caught.value.code == 2
    assert "nonsense" in capsys.readouterr().err


def test_only_takes_names_and_goals() -> None:
    assert [benchmark.name for benchmark in suite.select(["P6", "sse"])] == ["sse", "paced"]
    assert suite.select([]) == list(suite.BENCHMARKS)


def test_every_goal_has_a_benchmark() -> None:
    goals = {goal for benchmark in suite.BENCHMARKS for goal in benchmark.goals}
    assert goals >= {f"P{number}" for number in range(1, 16)}


def test_a_short_soak_ends_well(capsys: pytest.CaptureFixture[str]) -> None:
    assert soak.main(0.02, ("asyncio", "sync")) == 0
    assert capsys.readouterr().out.count("all well") == 2


def test_bars_are_the_tables_that_compare_this_library() -> None:
    growth = Table(title="growth, text", unit="", rows=[Row(side="a", to_ours=1.0), Row(side="b", to_ours=4.0)])
    groups = chart.bars_of([fake_findings(), Findings([growth])])
    assert list(groups) == ["mixed: one event a read"]


def test_the_chart_can_be_read_on_light_and_on_dark_pages() -> None:
    drawn = chart.svg(chart.bars_of([fake_findings()]), "caption")
    root = ElementTree.fromstring(drawn)
    style = root.findtext("{http://www.w3.org/2000/svg}style") or ""
    light, dark = style.split("@media (prefers-color-scheme:dark)")
    for element in root.iter():
        assert "fill" not in element.attrib  # a colour of its own would be the same on every page
        assert "stroke" not in element.attrib
        if name := element.get("class"):
            assert f".{name}{{" in light
            assert f".{name}{{" in dark
    for colors, paper in zip((chart.LIGHT, chart.DARK), chart.PAPERS, strict=True):
        for name, color in colors.items():
            least = 1.2 if name == "grid" else 7.0 if name == "ink" else 2.3
            assert contrast(color, paper) > least, (name, color)
    committed = (chart.__file__ or "").replace("chart.py", "latest.svg")
    assert style in Path(committed).read_text()


def contrast(one: str, other: str) -> float:
    """The contrast of two colours, 1 to 21 (WCAG 2.2, "contrast ratio")."""

    def luminance(color: str) -> float:
        parts = (int(color[at : at + 2], 16) / 255 for at in (1, 3, 5))
        red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


# The other processes.


@given(
    st.sampled_from(["whole", "paced", "fault-cut"]), st.integers(1, 9999), st.integers(0, 99), st.integers(0, 10**6)
)
def test_a_script_survives_its_path(mode: str, streams: int, events: int, every: int) -> None:
    made = script.Script(mode, "short", f"g{streams}", streams, events, every)
    assert script.Script.from_path(made.path + "/v1/messages") == made


def test_a_script_may_be_short() -> None:
    assert script.Script.from_path("/whole") == script.Script("whole")


def test_a_stamped_stream_is_a_whole_answer() -> None:
    made = script.stamped()
    stamp = b"1" * script.STAMP_DIGITS
    wire = made.opening + 2 * (made.before + stamp + made.after) + made.ending
    unchunk, stream = Unchunk(), HandStream()
    stream.receive(unchunk.receive(wire))
    assert unchunk.done
    assert stream.accumulated.message["content"] == [{"type": "text", "text": "1" * (2 * script.STAMP_DIGITS)}]


@pytest.mark.parametrize("client", ["ours", "hand"])
def test_a_client_in_its_own_process_gets_every_delta(client: str) -> None:
    deltas = sum(b'"text_delta"' in frame for frame in script.answer("short").frames)
    with replay_server() as server, worker("asyncio", client) as process:
        report_ = process.do(server.job(script.Script("whole", "short").path, repeat=2))
        assert report_["errors"] == []
        assert report_["deltas"] == 2 * deltas
        paced = script.Script("paced", "chat", "together", 3, 4, 1000)
        report_ = process.do(server.job(paced.path, streams=3, stamps=True))
        assert report_["errors"] == []
        assert report_["deltas"] == 12
        assert report_["p50"] > 0
        held = script.Script("held", "tiny", "waiting", 5)
        report_ = process.do(server.job(held.path, streams=5, release="waiting"))
        assert report_["errors"] == []


def test_a_client_that_is_not_installed_is_told_at_once() -> None:
    with pytest.raises(MissingClient, match="not installed"), worker("no_such_loop", "hand"):
        pass


# The soak.


def soak_end(**changes: Any) -> dict[str, Any]:
    end = {"calls": 9, "good": 5, "left": 2, "faults": 2, "wrong": [], "fds_before": 8, "fds_after": 8}
    return end | changes


FLAT = [50.0] * 200


@pytest.mark.parametrize(
    ("end", "fine"),
    [
        (soak_end(), True),
        (soak_end(wrong=["bad"]), False),
        (soak_end(fds_after=9), False),
        (soak_end(calls=0), False),
    ],
)
@pytest.mark.parametrize("rss", [FLAT, FLAT[:1]], ids=["long", "short"])
def test_what_a_soak_says(rss: list[float], end: dict[str, Any], fine: bool) -> None:
    lines, well = soak.summary(soak_samples(rss), end)
    assert well is fine
    assert any(f"{end['calls']} calls" in line for line in lines)
    assert any("WRONG" in line for line in lines) is bool(end["wrong"])


def soak_samples(rss: Sequence[float]) -> list[dict[str, Any]]:
    return [{"rss": level * soak.MIB, "fds": 30} for level in rss]


JUDGED = soak.WARM_UP + soak.ENOUGH


@given(st.integers(JUDGED, 1_000), st.floats(10, 90), st.floats(0, 60), st.randoms(use_true_random=False))
def test_a_soak_whose_memory_is_flat_is_well(length: int, level: float, start: float, chance: Any) -> None:
    """However it began, and with noise that an allocator makes."""
    rss = [level + chance.uniform(-1.5, 1.5) for _ in range(length)]
    rss[: soak.WARM_UP] = [max(1.0, start)] * soak.WARM_UP
    lines, well = soak.summary(soak_samples(rss), soak_end())
    assert well, lines
    assert "past the warm-up" in lines[1]


@given(st.integers(JUDGED, 1_000), st.floats(10, 90), st.floats(8, 500), st.booleans())
def test_a_soak_whose_memory_grows_is_not_well(length: int, level: float, growth: float, bends: bool) -> None:
    """Steadily, or only in its second half."""
    half = length // 2
    rss = [level + growth * (max(0, at - half) / half if bends else at / length) for at in range(length)]
    lines, well = soak.summary(soak_samples(rss), soak_end())
    assert not well, lines


@given(st.lists(st.floats(10, 500), min_size=1, max_size=JUDGED - 1))
def test_growth_in_a_soak_that_is_too_short_is_not_judged_and_it_says_so(rss: list[float]) -> None:
    lines, well = soak.summary(soak_samples(rss), soak_end())
    assert well
    assert "not judged" in lines[1]


def test_one_high_sample_is_no_growth_and_one_low_one_hides_none() -> None:
    assert soak.summary(soak_samples([*FLAT, 90.0]), soak_end())[1]
    assert not soak.summary(soak_samples([*range(10, 210), 10]), soak_end())[1]


# The figures of README and docs.


@pytest.mark.parametrize("page", pages.PAGES, ids=lambda page: page.name)
def test_the_figures_of_the_pages_are_those_of_the_latest_run(page: Path) -> None:
    run = pages.Run.of(json.loads(pages.LATEST.read_text()))
    text = page.read_text()
    assert text.count("<!-- figures: ") == text.count("<!-- end of figures -->") > 0
    assert pages.rewritten(text, run) == text, "run `python -m benchmarks.pages`"


def test_figures_are_rewritten_and_what_was_not_measured_is_left_out() -> None:
    verdict = Verdict(goal="P4", what="ChunkedDecoder to h11", wanted="<=", limit=0.2, measured=0.05)
    unknown = Verdict(goal="P7", what="CPU to by hand", wanted="<=", limit=1.5, measured=None)
    missed = Verdict(goal="P17", what="CPU of a watched proxy", wanted="<=", limit=1.15, measured=1.25)
    found = {"any": Findings(verdicts=[verdict, unknown, missed])}
    run = pages.Run.of(report.as_json(found, report.machine(), quick=True))
    page = (
        "a\n<!-- figures: summary -->\n\nold\n\n<!-- end of figures -->\n"
        "b <!-- figures: sdk --> 5 <!-- end of figures -->"
    )
    written = pages.rewritten(page, run)
    assert "| chunked bodies | h11 | 20x less |\n| a proxy that watches" in written
    assert "full rate" not in written
    assert "old" not in written
    assert "--> 5 <!--" in written
    assert written.startswith("a\n<!-- figures: summary -->\n\n|")
    assert pages.rewritten(written, run) == written
    assert "P17: CPU of a watched proxy | at most 1.15x | 1.25x" in pages.rewritten(
        "<!-- figures: not reached --> x <!-- end of figures -->", run
    )


def test_a_run_of_some_benchmarks_leaves_the_others_of_the_file_and_the_pages_say_which_were_quick() -> None:
    machine = report.machine()
    first = report.as_json({"partial": Findings(), "sse": Findings()}, machine, quick=True)
    both = report.as_json({"sse": Findings()}, machine, quick=False, before=first)
    assert list(both["benchmarks"]) == ["partial", "sse"]
    assert not both["quick"]
    place = "<!-- figures: measured on --> x <!-- end of figures -->"
    assert "From `python -m benchmarks` (`partial` with `--quick`) on" in pages.rewritten(place, pages.Run.of(both))
    assert "From `python -m benchmarks --quick` on" in pages.rewritten(place, pages.Run.of(first))


def test_the_command_says_which_page_is_not_up_to_date(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page = tmp_path / "page.md"
    page.write_text("<!-- figures: summary -->\nold\n<!-- end of figures -->\n")
    monkeypatch.setattr(pages, "ROOT", tmp_path)
    monkeypatch.setattr(pages, "PAGES", (page,))
    assert pages.main(["--check"]) == 1
    assert "page.md: not up to date" in capsys.readouterr().out
    assert pages.main([]) == 0
    assert "page.md: rewritten" in capsys.readouterr().out
    assert pages.main(["--check"]) == 0
