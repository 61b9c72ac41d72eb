"""SSEDecoder beside httpx-sse and sseclient-py, where they follow the standard; where not is listed, with an example.

The standard is WHATWG HTML section 9.2; what the reference of the suite makes of a body is compared in `test_sse`.
"""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from typing import Any, Final

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from sansio_claude._stream.sse import SSEDecoder
from tests import strategies

Event = tuple[str, str, str]
"""Its name, data and last id."""

_BOM: Final = b"\xef\xbb\xbf"
_FIELDS: Final = st.tuples(
    st.sampled_from(["data", "event", "id", "retry", "", "dat", "datax", "x"]),
    st.sampled_from([":", ": ", ":  ", ""]),
    st.text(st.characters(exclude_characters="\r\n\0", exclude_categories=["Cs"]), max_size=5) | st.just("7"),
).map("".join)
_EVENTS: Final = st.lists(st.lists(_FIELDS, max_size=4), max_size=5)


def by_us(body: bytes) -> list[Event]:
    decoder = SSEDecoder()
    decoder.receive_data(body)
    decoder.receive_eof()
    return [(each.event, each.data, each.id) for each in decoder.events_received()]


def by_httpx_sse(pieces: list[bytes]) -> list[Event]:
    decoders: Any = pytest.importorskip("httpx_sse._decoders")
    text, lines, events = codecs.getincrementaldecoder("utf-8")("replace"), decoders.SSELineDecoder(), []
    decoder = decoders.SSEDecoder()
    for number, piece in enumerate(pieces, 1):
        for line in lines.decode(text.decode(piece, number == len(pieces))):
            events.append(decoder.decode(line))
    events += [decoder.decode(line) for line in lines.flush()]
    return [(each.event or "message", each.data, each.id) for each in events if each is not None]


def by_sseclient(pieces: list[bytes]) -> list[tuple[str, str, str | None]]:
    module: Any = pytest.importorskip("sseclient")
    return [(each.event, each.data, each.id) for each in module.SSEClient(_Source(pieces)).events()]


class _Source:
    """What sseclient-py reads: pieces, and `close()`."""

    def __init__(self, pieces: list[bytes]) -> None:
        self._pieces = pieces

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._pieces)

    def close(self) -> None:
        """Nothing is open."""


@settings(max_examples=60)
@given(strategies.sse_bodies(), strategies.cuts())
@example(b"data: a\r\ndata: b\r\n\r\n", strategies.Cut("steps", 8))
def test_httpx_sse_gives_the_same_events_that_have_data(body: bytes, cut: strategies.Cut) -> None:
    body = body.removeprefix(_BOM)  # it leaves the mark in the first line
    if body.startswith(_BOM):
        return
    # It hands out events without a data line, too, which the standard drops: none of those without data is compared.
    assert [each for each in by_httpx_sse(cut.of(body)) if each[1]] == [each for each in by_us(body) if each[1]]


@settings(max_examples=60)
@given(_EVENTS, st.sampled_from(["\n", "\r\n", "\r"]), st.integers(1, 5))
def test_sseclient_gives_the_same_events(events: list[list[str]], end: str, step: int) -> None:
    # One kind of line end, cut behind lines, each event with its blank line, UTF-8: elsewhere it leaves the standard.
    lines = [f"{line}{end}".encode() for event in events for line in (*event, "")]
    body = b"".join(lines)
    if body.startswith(_BOM):
        return
    theirs = by_sseclient([b"".join(lines[at : at + step]) for at in range(0, len(lines), step)])
    ours = by_us(body)
    assert [each[:2] for each in theirs] == [each[:2] for each in ours]
    # It forgets the last id with each event.
    assert all(found is None or found == last for (_, _, found), (_, _, last) in zip(theirs, ours, strict=True))


# What each makes of a body otherwise than the standard says, which is what is done here.
DIFFERENCES: Final[dict[str, tuple[bytes, list[Event], Any, Any]]] = {
    "an event without data is dropped": (
        b"event: a\n\ndata: 1\n\n",
        [("message", "1", "")],
        [("a", "", ""), ("message", "1", "")],
        None,
    ),
    "a byte order mark at the beginning is dropped": (_BOM + b"data: 1\n\n", [("message", "1", "")], [], []),
    "an event without its blank line is dropped": (b"data: 1\n", [], None, [("message", "1", None)]),
    "the last id holds for what follows": (
        b"id: 1\ndata: a\n\ndata: b\n\n",
        [("message", "a", "1"), ("message", "b", "1")],
        None,
        [("message", "a", "1"), ("message", "b", None)],
    ),
    "an id with NUL is no id": (
        b"id: 1\0\ndata: a\n\n",
        [("message", "a", "")],
        None,
        [("message", "a", "1\0")],
    ),
    "line ends may differ": (
        b"data: 1\n\r\ndata: 2\n\n",
        [("message", "1", ""), ("message", "2", "")],
        None,
        [("message", "1\n2", None)],
    ),
}


@pytest.mark.parametrize("name", DIFFERENCES)
def test_a_difference_between_the_decoders(name: str) -> None:
    body, ours, httpx_sse, sseclient = DIFFERENCES[name]
    assert by_us(body) == ours
    assert by_httpx_sse([body]) == (ours if httpx_sse is None else httpx_sse)
    expected = [(*each[:2], each[2] or None) for each in ours] if sseclient is None else sseclient
    assert by_sseclient([body]) == expected
