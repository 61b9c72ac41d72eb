"""The other libraries, each at its fastest documented setting, each behind one function of one kind.

A peer that is not installed is a `Missing` with the reason, which becomes a row of the table that says so.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import attrs

__all__ = [
    "Missing",
    "sdk_accumulated",
    "sdk_typed",
    "sse_peers",
    "values_by_jiter",
    "values_by_partial_json_parser",
]


@attrs.define(frozen=True)
class Missing:
    """A peer that cannot be measured here, and why."""

    reason: str


def _load(module: str) -> Any:
    try:
        return importlib.import_module(module)
    except ImportError as error:
        return Missing(f"not installed ({error})")


# The official SDK, in process: its real client and decoder, fed by a mock transport with the reads given.


def _sdk_call(chunks: Sequence[bytes]) -> Any:
    """An Anthropic client whose answer arrives in exactly these reads."""
    anthropic = _load("anthropic")
    if isinstance(anthropic, Missing):
        return anthropic
    http = _load("httpx2")
    if isinstance(http, Missing):
        http = _load("httpx")
        if isinstance(http, Missing):
            return http

    class Reads(http.SyncByteStream):  # type: ignore[misc, name-defined]
        def __iter__(self) -> Iterator[bytes]:
            return iter(chunks)

    def answer(_: Any) -> Any:
        return http.Response(200, headers={"content-type": "text/event-stream"}, stream=Reads())

    client = http.Client(transport=http.MockTransport(answer))
    return anthropic.Anthropic(api_key="none", base_url="http://127.0.0.1", max_retries=0, http_client=client)


_ASK: dict[str, Any] = {
    "model": "claude-opus-5-5",
    "max_tokens": 1024,
    "messages": [{"role": "user", "content": "Hello"}],
}


def sdk_typed(chunks: Sequence[bytes]) -> Callable[[], list[Any]] | Missing:
    """`messages.create(stream=True)`: typed events, nothing accumulated. Gives the events."""
    client = _sdk_call(chunks)
    if isinstance(client, Missing):
        return client

    def run() -> list[Any]:
        return list(client.messages.create(stream=True, **_ASK))

    return run


def sdk_accumulated(chunks: Sequence[bytes]) -> Callable[[], Any] | Missing:
    """`messages.stream()`: typed events and the accumulated message. Gives the message."""
    client = _sdk_call(chunks)
    if isinstance(client, Missing):
        return client

    def run() -> Any:
        with client.messages.stream(**_ASK) as stream:
            for _ in stream:
                pass
            return stream.get_final_message()

    return run


# SSE decoders alone: reads in, (event name, text) out. httpx-sse offers its decoder only behind an httpx response, so
# it is given one that is made of the reads; its private decoder without any httpx is a row of its own.

Decoder = Callable[[Sequence[bytes]], list[tuple[str, str]]]


def _by_sdk(module: Any) -> Decoder:
    decoder = module.SSEDecoder
    return lambda chunks: [(e.event, e.data) for e in decoder().iter_bytes(iter(chunks))]


def _by_httpx_sse(module: Any) -> Decoder:
    import httpx

    class Reads(httpx.SyncByteStream):
        def __init__(self, chunks: Sequence[bytes]) -> None:
            self._chunks = chunks

        def __iter__(self) -> Iterator[bytes]:
            return iter(self._chunks)

    headers = {"content-type": "text/event-stream; charset=utf-8"}

    def run(chunks: Sequence[bytes]) -> list[tuple[str, str]]:
        source = module.EventSource(httpx.Response(200, headers=headers, stream=Reads(chunks)))
        return [(event.event, event.data) for event in source.iter_sse()]

    return run


def _by_private_httpx_sse(module: Any) -> Decoder:
    import codecs

    utf8 = codecs.getincrementaldecoder("utf-8")

    def run(chunks: Sequence[bytes]) -> list[tuple[str, str]]:
        decode, lines, events = utf8().decode, module.SSELineDecoder(), module.SSEDecoder()
        out = []
        for chunk in chunks:
            for line in lines.decode(decode(chunk)):
                event = events.decode(line)
                if event is not None:
                    out.append((event.event, event.data))
        return out

    return run


class _Source:
    """What sseclient-py reads from: an iterable of bytes with close()."""

    def __init__(self, chunks: Iterable[bytes]) -> None:
        self._chunks = chunks

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._chunks)

    def close(self) -> None:
        pass


def _by_sseclient(module: Any) -> Decoder:
    return lambda chunks: [(e.event, e.data) for e in module.SSEClient(_Source(chunks)).events()]


def _by_assel(module: Any) -> Decoder:
    def run(chunks: Sequence[bytes]) -> list[tuple[str, str]]:
        receive = module.Parser().receive_bytes
        return [(e.event, e.data) for chunk in chunks for e in receive(chunk)]

    return run


PRIVATE = "httpx-sse, its private decoder alone"
"""Not what anybody can use: shown, not judged."""

_SSE: dict[str, tuple[str, Callable[[Any], Decoder]]] = {
    "anthropic SSEDecoder": ("anthropic._streaming", _by_sdk),
    "httpx-sse": ("httpx_sse", _by_httpx_sse),
    PRIVATE: ("httpx_sse._decoders", _by_private_httpx_sse),
    "sseclient-py": ("sseclient", _by_sseclient),
    "assel": ("assel", _by_assel),
}


def sse_peers() -> dict[str, Decoder | Missing]:
    """Every Python SSE library, by name."""
    found: dict[str, Decoder | Missing] = {}
    for name, (module, make) in _SSE.items():
        loaded = _load(module)
        found[name] = loaded if isinstance(loaded, Missing) else make(loaded)
    return found


# Partial JSON: the value after every fragment.


def values_by_jiter(fragments: Sequence[str]) -> Callable[[], Any] | Missing:
    """The official SDK's way, without its models: the buffer grows and is parsed again for each fragment."""
    jiter = _load("jiter")
    if isinstance(jiter, Missing):
        return jiter

    def run() -> Any:
        buffer = b""
        value: Any = None
        for fragment in fragments:
            buffer += fragment.encode()
            if buffer:
                value = jiter.from_json(buffer, partial_mode=True)
        return value

    return run


def values_by_partial_json_parser(fragments: Sequence[str]) -> Callable[[], Any] | Missing:
    """partial-json-parser, which also parses everything again for each fragment."""
    module = _load("partial_json_parser")
    if isinstance(module, Missing):
        return module

    def run() -> Any:
        buffer = ""
        value: Any = None
        for fragment in fragments:
            buffer += fragment
            if buffer:
                value = module.loads(buffer)
        return value

    return run
