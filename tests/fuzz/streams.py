"""Streams to begin from, ways to break them, and the promises that must hold whatever came of it.

The promises: any bytes whatever give events, then at most one of RemoteProtocolError and APIError, the same in the
same order for any chunking, from the fused stream and from the plain one, and what the reference says.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from random import Random
from typing import Any, Final

from attrs import define

from sansio_claude._limits import Limits
from sansio_claude._stream.plain_stream import PlainStream
from sansio_claude.testing import Dialect, chunkings, compose, transcripts
from sansio_claude.testing.transcripts import prose
from tests.frames import compact
from tests.mutations import break_bytes, break_events
from tests.observe import Run, run
from tests.reference import read_stream

__all__ = ["BLOCKS", "Case", "cases", "check", "some_limits"]

BLOCKS: Final[tuple[dict[str, Any], ...]] = (
    {"type": "text", "text": 'Hello there, größe 日本 😀 \u2028 " \\ \n end.'},
    {"type": "text", "text": ""},
    {"type": "text", "text": "cited", "citations": [{"type": "char_location", "cited_text": "c"}]},
    {"type": "thinking", "thinking": prose(120, seed=1), "signature": "EoAB=="},
    {"type": "redacted_thinking", "data": "EmwK"},
    {"type": "tool_use", "id": "t", "name": "save", "input": {"rows": [{"n": 1}, {"ü": None}], "e": 1e300}},
    {"type": "tool_use", "id": "u", "name": "cut", "input": {"$incomplete_json": '{"path": "/et'}},
    {"type": "server_tool_use", "id": "s", "name": "web_search", "input": {}},
    {"type": "mcp_tool_use", "id": "m", "name": "echo", "server_name": "demo", "input": {"a": []}},
    {"type": "web_search_tool_result", "tool_use_id": "s", "content": [{"encrypted_content": "x=="}]},
    {"type": "compaction", "content": "summary", "encrypted_content": "opaque"},
    {"type": "fallback", "from": {"model": "a"}, "to": {"model": "b"}},
    {"type": "hologram", "beam": [1, None]},
)


@define(frozen=True)
class Case:
    """One body to read, and how."""

    body: bytes
    limits: Limits
    strict: bool
    keep_content: bool
    chunks: tuple[bytes, ...]


def cases(seed: int, recorded: list[bytes] | None = None) -> Iterator[Case]:
    """Cases without end, the same for the same seed. `recorded` streams are begun from too."""
    dice = Random(seed)
    while True:
        yield _case(dice, recorded or [])


def some_limits(dice: Random) -> Limits:
    """The limits by default, mostly; else small and large ones."""
    if dice.random() < 0.8:
        return Limits()
    return Limits(
        line=dice.choice((100, 400, 8_000_000)),
        event=dice.choice((100, 400, 8_000_000)),
        event_lines=dice.choice((1, 2, 10_000)),
        blocks=dice.choice((1, 3, 10_000)),
        message=dice.choice((500, 2_000, 64_000_000)),
        depth=dice.choice((2, 4, 512)),
        deviations=dice.choice((0, 1, 1_000)),
        kept=dice.choice((60, 400, 1_000_000)),
    )


def _case(dice: Random, recorded: list[bytes]) -> Case:
    body = dice.choice(recorded) if recorded and dice.random() < 0.3 else _composed(dice)
    if dice.random() < 0.9:
        body = break_bytes(body, dice)
    if dice.random() < 0.1:  # two streams, one behind the other or one inside the other
        other, at = _composed(dice), dice.randrange(len(body) + 1)
        body = body[:at] + other + body[at:]
    if dice.random() < 0.1:
        body = body[: dice.randrange(len(body) + 1)]
    limits = some_limits(dice)
    return Case(body, limits, dice.random() < 0.2, dice.random() < 0.9, tuple(_cut(body, dice)))


def _composed(dice: Random) -> bytes:
    content = [dice.choice(BLOCKS) for _ in range(dice.randrange(4))]
    dialect = Dialect()
    if dice.random() < 0.3:
        dialect = Dialect(
            line_end=dice.choice(("\n", "\r\n", "\r")),
            event_lines=dice.random() < 0.5,
            space=dice.random() < 0.5,
            spaced_json=dice.random() < 0.5,
            ascii_json=dice.random() < 0.5,
            bom=dice.random() < 0.2,
            comment=dice.choice((None, " alive")),
            ids=dice.random() < 0.3,
            retry=dice.choice((None, 5)),
            done=dice.random() < 0.5,
        )
    transcript = compose(
        content,
        seed=dice.randrange(1_000),
        pings=dice.choice(("usual", "none", "everywhere")),
        interleave=dice.random() < 0.3,
        prefilled=[dice.choice(BLOCKS)] if dice.random() < 0.1 else [],
        dialect=dialect,
    )
    if dice.random() < 0.1:
        transcript = transcript.with_error(dice.randrange(len(transcript.frames) + 1))
    if dialect == Dialect() and dice.random() < 0.4:
        events = [json.loads(each.split(b"data: ", 1)[1]) for each in transcript.frames if b"data: " in each]
        return b"".join(
            compact(event) if event.get("type") else b"" for event in map(_typed, break_events(events, dice))
        )
    return transcript.data


def _typed(event: dict[str, Any]) -> dict[str, Any]:
    return event if isinstance(event.get("type"), str) else {}


def _cut(body: bytes, dice: Random) -> list[bytes]:
    match dice.randrange(5):
        case 0:
            return chunkings.whole(body)
        case 1:
            return chunkings.steps(body, dice.randint(1, 60))
        case 2:
            return transcripts.Transcript.from_bytes(body).network_chunks(dice.randrange(100))
        case 3:
            return chunkings.at_cuts(body, [dice.randrange(len(body) + 1) for _ in range(dice.randint(1, 6))])
        case _:
            return chunkings.random(body, dice.randrange(1_000))


def check(case: Case) -> Run:
    """Hold all the promises of one case; gives what came of it. An AssertionError, or anything else, is a find."""
    options: dict[str, Any] = {
        "limits": case.limits,
        "strict": case.strict,
        "keep_content": case.keep_content,
    }
    fused = run(case.chunks, **options)
    assert fused == run(chunkings.bytewise(case.body), kind=PlainStream, **options)
    assert fused == run([case.body], read_each=False, **options)
    if not case.keep_content and case.limits.kept < 4 * len(case.body):
        return fused  # the reference leaves no key out
    expected = read_stream(case.body, **options)
    assert json.dumps(fused.dictionary) == json.dumps(expected.message)
    assert len(fused.events) == len(expected.events)
    assert fused.done == expected.done
    assert (fused.error is None) == (expected.error is None)
    assert [each[:2] for each in fused.deviations] == expected.deviations[: case.limits.deviations]
    return fused
