"""SSEDecoder over a corpus of decode cases: whole, byte by byte, as listed, at random, and prompt."""

from __future__ import annotations

import json
from base64 import b64decode
from pathlib import Path
from typing import Any

from sansio_claude._stream.sse import SSEDecoder
from sansio_claude.testing import chunkings


def cases(corpus: Path) -> list[dict[str, Any]]:
    lines = (corpus / "sse.jsonl").read_text("utf-8").split("\n")
    return [json.loads(line) for line in lines if line]


def decode(chunks: list[bytes]) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    decoder = SSEDecoder()
    events = []
    for chunk in chunks:
        decoder.receive_data(chunk)
        events += decoder.events_received()
    decoder.receive_eof()
    events += decoder.events_received()
    return (
        [{"event": each.event, "data": each.data, "id": each.id, "retry": each.retry} for each in events],
        {"last_event_id": decoder.last_event_id, "retry": decoder.retry},
    )


def all_chunkings(case: dict[str, Any], body: bytes) -> list[list[bytes]]:
    listed = [chunkings.at_cuts(body, cuts) for cuts in case.get("chunkings", [])]
    return [*listed, *(chunks for _, chunks in chunkings.named(body))]


def test_every_case_in_every_chunking(corpus: Path) -> None:
    assert cases(corpus)
    for case in cases(corpus):
        body = b64decode(case["input_b64"])
        for chunks in all_chunkings(case, body):
            events, final = decode(chunks)
            assert events == case["events"], case["name"]
            assert final == case["final"], case["name"]


def test_every_event_is_out_as_soon_as_its_bytes_are_in(corpus: Path) -> None:
    timed = [case for case in cases(corpus) if "ready_at" in case]
    assert timed
    for case in timed:
        body = b64decode(case["input_b64"])
        assert len(case["ready_at"]) == len(case["events"])
        for count, ready in enumerate(case["ready_at"], 1):
            for chunks in ([body[:ready]], chunkings.bytewise(body[:ready])):
                decoder = SSEDecoder()
                for chunk in chunks:
                    decoder.receive_data(chunk)
                assert len(decoder.events_received()) >= count, case["name"]
