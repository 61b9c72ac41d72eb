"""A delta type stands in every place that CONTRIBUTING.md names for one: who adds a type learns what is missing."""

from __future__ import annotations

from pathlib import Path
from typing import Any, get_args

import pytest

from sansio_claude import ContentBlockDelta, MessageStream, SSEDecoder, UnknownDelta, decode, encode_event
from sansio_claude._check.shapes import FOREIGN_BLOCKS
from sansio_claude._message.tool_blocks import ToolInputBlock
from sansio_claude._stream import accumulate, block_deltas
from sansio_claude.gateway import _mend_block
from tests.frames import START, body, start
from tests.instances import VALUES

DELTAS = [kind for kind in get_args(ContentBlockDelta) if kind is not UnknownDelta]
ROW = "How do I add a delta type?"
PLACES = (
    "_stream/events.py",
    "_stream/decode.py",
    "_stream/accumulate.py",
    "_stream/block_deltas.py",
    "_stream/encode.py",
    "gateway/_mend_block.py",
    "_check/shapes.py",
    "tests/instances.py",
)


@pytest.mark.parametrize("kind", DELTAS)
def test_a_delta_type_is_everywhere(kind: Any) -> None:
    block = block_deltas._FITS[kind]
    assert kind in accumulate._HANDLERS
    assert _mend_block.FITS[kind.delta_type] is block
    assert kind.delta_type in FOREIGN_BLOCKS


@pytest.mark.parametrize("kind", DELTAS)
def test_a_delta_is_read_as_it_was_written_and_changes_its_block(kind: Any) -> None:
    given = VALUES[kind]()
    given.index, given.extra = 0, None
    decoder = SSEDecoder()
    decoder.receive_data(encode_event(given))
    (frame,) = decoder.events_received()
    assert decode(frame) == given
    fits: Any = block_deltas._FITS[kind]
    block = {"type": "tool_use" if fits is ToolInputBlock else fits._type_name}
    assert block_of(block, encode_event(given)) != block_of(block)


def block_of(block: dict[str, Any], delta: bytes = b"") -> dict[str, Any]:
    """The block as far as it came."""
    stream = MessageStream()
    stream.receive_data(body(START, start(0, block)) + delta)
    stream.receive_eof()
    assert stream.message is not None
    return stream.message.content[0].to_dict()


def test_the_guide_names_these_places() -> None:
    text = (Path(__file__).parent.parent.parent / "CONTRIBUTING.md").read_text("utf-8")
    (row,) = [line for line in text.splitlines() if ROW in line]
    assert [place for place in PLACES if f"`{place}`" not in row] == []
