"""MessageStream over a corpus of recorded streams: the message each must come to, in every chunking; cuts anywhere."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from sansio_claude._stream.message_stream import MessageStream
from sansio_claude._stream.plain_stream import PlainStream
from sansio_claude.testing import Transcript, chunkings
from tests.observe import Run, run
from tests.reference import read_stream

# One stream of the corpus has an input_json_delta without its text: accepted as empty, a deviation, not when strict.
ODD = "dive-reference-0"


def names(corpus: Path) -> list[str]:
    found = sorted(path.stem for path in (corpus / "streams").glob("*.sse"))
    assert found
    return found


def body_of(corpus: Path, name: str) -> bytes:
    return (corpus / "streams" / f"{name}.sse").read_bytes()


def expected_of(corpus: Path, name: str) -> dict[str, Any]:
    value: dict[str, Any] = json.loads((corpus / "streams" / f"{name}.expected.json").read_text("utf-8"))
    return value


def every_chunking(corpus: Path, name: str, body: bytes) -> list[tuple[str, list[bytes]]]:
    found = list(chunkings.named(body, seeds=range(3)))
    found.append(("network", Transcript.from_bytes(body).network_chunks()))
    sizes = corpus / "streams" / f"{name}.chunksizes.json"
    if sizes.exists():
        found.append(("recorded", chunkings.in_sizes(body, json.loads(sizes.read_text("utf-8")))))
    return found


def assert_expected(result: Run, expected: dict[str, Any]) -> None:
    if "error" in expected and "partial" in expected:
        assert result.state == "errored"
        assert result.dictionary == (expected["partial"] or None)
        assert result.error is not None
        wanted = expected["error"]
        inner = wanted.get("error", wanted) if isinstance(wanted, dict) else {}
        assert result.error["type"] == repr(inner.get("type"))
    elif "truncated" in expected and "partial" in expected:
        assert result.state == "truncated"
        assert result.dictionary == expected["partial"]
    else:
        assert result.error is None
        assert (result.state, result.done) == ("complete", True)
        assert result.dictionary == expected


def test_every_stream_in_every_chunking_comes_to_its_message(corpus: Path) -> None:
    for name in names(corpus):
        body = body_of(corpus, name)
        expected = expected_of(corpus, name)
        plain = run([body], kind=PlainStream)
        assert_expected(plain, expected)
        for way, chunks in every_chunking(corpus, name, body):
            assert run(chunks) == plain, (name, way)


def test_every_stream_is_what_the_reference_makes_of_it(corpus: Path) -> None:
    for name in names(corpus):
        body = body_of(corpus, name)
        reading = read_stream(body)
        result = run([body])
        assert json.dumps(result.dictionary) == json.dumps(reading.message), name
        assert [(kind, number) for kind, number, _ in result.deviations] == reading.deviations, name
        assert len(result.events) == len(reading.events), name


def test_recorded_streams_have_nothing_odd(corpus: Path) -> None:
    odd = {}
    for name in names(corpus):
        body = body_of(corpus, name)
        result = run([body])
        kinds = {kind for kind, _, _ in result.deviations}
        if kinds:
            odd[name] = kinds
        # What stands behind message_stop changes nothing, strict or not.
        assert (run([body], strict=True).state == "broken") == bool(kinds - {"after_message_stop"}), name
    assert odd.pop(ODD, {"empty_value"}) == {"empty_value"}
    assert all(
        kinds <= {"last_blank_line", "open_block", "input", "no_message_delta", "after_message_stop"}
        for kinds in odd.values()
    ), odd


def test_every_split_in_two_of_ten_streams(corpus: Path) -> None:
    small = sorted(names(corpus), key=lambda name: len(body_of(corpus, name)))
    recorded = [name for name in small if not name.startswith(("c-", "d-"))][:12]
    assert len(recorded) >= min(10, len(small))
    for name in recorded:
        body = body_of(corpus, name)
        plain = run([body], kind=PlainStream)
        for chunks in chunkings.every_cut(body):
            assert run(chunks) == plain, (name, len(chunks[0]))


def test_a_cut_at_every_byte_is_never_a_finished_message(corpus: Path) -> None:
    small = sorted(names(corpus), key=lambda name: len(body_of(corpus, name)))
    whole = [name for name in small if b'"message_stop"' in body_of(corpus, name)]
    for name in [*whole[:2], whole[len(whole) // 4]]:
        body = body_of(corpus, name)
        last = body.index(b"}", body.rindex(b'"message_stop"'))
        for cut in range(len(body)):
            stream = MessageStream()
            stream.receive_data(body[:cut])
            stream.receive_eof()
            assert stream.done == (cut > last), (name, cut)
            assert stream.state == ("complete" if cut > last else "truncated")


@pytest.mark.parametrize("keep", [True, False])
def test_usage_and_stop_reason_need_no_content(corpus: Path, keep: bool) -> None:
    for name in names(corpus):
        body = body_of(corpus, name)
        full, lean = run([body]), run([body], keep_content=keep)
        assert lean.state == full.state
        if full.dictionary is not None:
            assert lean.dictionary == (full.dictionary if keep else {**full.dictionary, "content": []})
