"""Streams as gateways and relays send them: state, error and message that each must come to, in every chunking."""

from __future__ import annotations

import json
from pathlib import Path

from sansio_claude._message.message import Message
from sansio_claude._stream.plain_stream import PlainStream
from sansio_claude.testing import chunkings
from tests.observe import run


def test_every_stream_of_a_gateway(corpus: Path) -> None:
    paths = sorted((corpus / "gateways").glob("*.sse"))
    assert paths
    for path in paths:
        expected = json.loads(path.with_suffix(".expected.json").read_text("utf-8"))
        body = path.read_bytes()
        plain = run([body], kind=PlainStream)
        assert plain.state == expected["state"], path.name
        assert (plain.error and plain.error["class"]) == expected["error"], path.name
        assert plain.dictionary == expected["message"], path.name
        for chunks in ([body], chunkings.bytewise(body), chunkings.steps(body, 7), chunkings.random(body, 1)):
            assert run(chunks) == plain, path.name
        if plain.dictionary is not None:
            assert Message.from_dict(plain.dictionary).to_dict() == plain.dictionary, path.name
