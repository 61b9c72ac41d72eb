"""What the official SDK makes of odd streams, and what this library does: `python -m tests.conformance.compare`.

Prints a Markdown table of the project's own streams, which `docs/compare/odd_streams.md` shows. `--corpus=DIR` adds the
streams of DIR/gateways. The SDK runs as it is used, `client.messages.stream(...)` to its final message, over a
transport that answers with the stream's bytes; retries are off.
"""

from __future__ import annotations

import argparse
import warnings
from collections import Counter
from collections.abc import Iterable, Mapping
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

from attrs import define

from sansio_claude._errors import ClaudeError
from sansio_claude._message.message import Message
from sansio_claude._stream.message_stream import MessageStream
from tests.conformance.odd_streams import ODD_STREAMS

__all__ = ["SDK", "Row", "counted", "ours", "row", "table"]

SDK: Final = "2.14.0"
"""The version of the official SDK that the table in the docs is of."""
_OF_MESSAGE: Final = ("id", "type", "role", "model", "stop_reason", "stop_sequence")
_OF_BLOCKS: Final = ("type", "text", "thinking", "signature", "data", "id", "name", "input", "citations")


@define(frozen=True)
class Row:
    """One stream, and what became of it."""

    name: str
    state: str
    """Of our stream, and the class of its error where it has one."""
    deviations: str
    """The kinds that were recorded."""
    sdk: str | None
    """What the official SDK made of it; None where it is not installed."""

    @property
    def verdict(self) -> str:
        """What the SDK's way means, in a word."""
        sdk = self.sdk or ""
        if sdk.startswith("as here"):
            return "the same"
        if not sdk.startswith("message"):
            return "an exception of its own" if self.state == "complete" else "both raise"
        return "differs without a word" if self.state == "complete" else "taken for whole"


def ours(body: bytes) -> tuple[Message | None, str, str]:
    """The message so far, the state with the error's class, and the kinds of deviations of a stream."""
    stream = MessageStream()
    stream.receive_data(body)
    state = "complete"
    try:
        stream.finish()
    except ClaudeError as error:
        state = f"{stream.state}: {type(error).__name__}"
    return stream.message, state, ", ".join(dict.fromkeys(each.kind for each in stream.deviations))


def theirs(body: bytes) -> Any:
    """The final message of the official SDK as JSON, or the exception that came out of it."""
    import anthropic

    httpx = import_module("httpx2" if find_spec("httpx2") else "httpx")  # the SDK's own, by its version
    kind = "application/json" if body.startswith(b"{") else "text/event-stream"

    def answer(request: Any) -> Any:
        return httpx.Response(200, headers={"content-type": kind}, content=body)

    http = httpx.Client(transport=httpx.MockTransport(answer))
    with warnings.catch_warnings(), anthropic.Anthropic(api_key="x", max_retries=0, http_client=http) as client:
        warnings.simplefilter("ignore")
        try:
            with client.messages.stream(
                model="claude-opus-5-5", max_tokens=9, messages=[{"role": "user", "content": "x"}]
            ) as stream:
                return stream.get_final_message().to_dict(mode="python")
        except Exception as error:
            return error


def differences(mine: Mapping[str, Any], found: Mapping[str, Any]) -> list[str]:
    """The parts of a message that the SDK has otherwise."""
    names = [key for key in _OF_MESSAGE if mine.get(key) != found.get(key)]
    blocks, other = mine["content"], found.get("content") or []
    if len(blocks) != len(other):
        names.append("number of blocks")
    for key in _OF_BLOCKS:
        if any((a.get(key) or None) != (b.get(key) or None) for a, b in zip(blocks, other, strict=False)):
            names.append(key)
    if any(value is not None and key not in b for a, b in zip(blocks, other, strict=False) for key, value in a.items()):
        names.append("a key is missing")
    usage, counted_there = mine.get("usage") or {}, found.get("usage") or {}
    names += [key for key in ("input_tokens", "output_tokens") if usage.get(key) != counted_there.get(key)]
    return list(dict.fromkeys(names))


def row(name: str, body: bytes, *, with_sdk: bool = True) -> Row:
    """One row of the table."""
    message, state, deviations = ours(body)
    if not with_sdk:
        return Row(name, state, deviations, None)
    found = theirs(body)
    if isinstance(found, Exception):
        return Row(name, state, deviations, type(found).__name__)
    if state == "complete" and message is not None:
        odd = differences({"content": [], **message.to_dict()}, found)
        return Row(name, state, deviations, f"message; other: {', '.join(odd)}" if odd else "as here")
    return Row(name, state, deviations, f"message with stop reason {found.get('stop_reason')}")


def table(rows: Iterable[Row]) -> str:
    """The rows in Markdown."""
    lines = ["| stream | here | deviations | official SDK | so the SDK |", "|---|---|---|---|---|"]
    lines += [f"| {each.name} | {each.state} | {each.deviations} | {each.sdk} | {each.verdict} |" for each in rows]
    return "\n".join(lines)


def counted(rows: Iterable[Row]) -> str:
    """How many rows have each verdict."""
    counts = Counter(each.verdict for each in rows)
    return ", ".join(f"{verdict}: {number}" for verdict, number in counts.most_common())


def own() -> list[Row]:
    """The rows of the project's own streams."""
    return [row(name, body) for name, body in ODD_STREAMS.items()]


def main() -> None:
    import anthropic

    parser = argparse.ArgumentParser(prog="python -m tests.conformance.compare", description=__doc__)
    parser.add_argument("--corpus", type=Path, help="a folder with gateways/*.sse")
    corpus = parser.parse_args().corpus
    rows = own()
    print(f"Official SDK {anthropic.__version__}. {len(rows)} streams; {counted(rows)}.\n\n{table(rows)}")
    if corpus is not None:
        rows = [row(path.stem, path.read_bytes()) for path in sorted((corpus / "gateways").glob("*.sse"))]
        print(f"\n{len(rows)} streams of {corpus.name}/gateways; {counted(rows)}.\n\n{table(rows)}")


if __name__ == "__main__":
    main()
