"""A proxy in front of the Messages API, on Starlette and httpx: bytes pass unchanged, each call is one line of log.

    UPSTREAM=https://api.anthropic.com python -m examples.proxy_starlette

It forwards whatever comes to whatever path, streamed or not. A chunk goes out before the next one is read, so a slow
client slows the upstream down; a client that leaves closes the upstream request at once, in the middle of a silence,
too. A body that the upstream cuts is cut for the client as well. `StreamMonitor` reads along: what the log says of
tokens, stop reason and truncation is what a client sees.
"""

from __future__ import annotations

import asyncio
import logging
import os
import time
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager

import httpx
import uvicorn
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.routing import Route
from starlette.types import Message, Receive, Scope, Send

from sansio_claude import APIError
from sansio_claude.gateway import StreamMonitor

logger = logging.getLogger("proxy")
# Fields that belong to one connection (RFC 9110 section 7.6.1), and those that the HTTP client writes itself.
OWN = {"connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "te", "trailer", "transfer-encoding"}
OWN |= {"upgrade", "host", "content-length", "accept-encoding", "expect"}
HOP = OWN - {"content-length"}
LARGEST_REQUEST = 32 * 1024 * 1024  # bytes, as the API takes them
ERROR_BODY = 64 * 1024  # bytes of a refusal that are read for the log
TIMEOUT = httpx.Timeout(connect=10, read=600, write=60, pool=60)  # seconds


class Call:
    """One call: what it came to, for the log."""

    def __init__(self, request: Request) -> None:
        self.began = time.monotonic()
        self.line = f"{request.method} {request.url.path}"
        self.status = 0
        self.sent = 0
        self.outcome = "no answer"
        self.error = ""
        # A whole message is right where no stream was asked for.
        self.monitor = StreamMonitor(tolerance={"whole_message": "accept"})
        self.watched = False
        self.refusal = b""
        self.headers: dict[str, str] = {}

    def head(self, status: int, headers: httpx.Headers) -> None:
        """The answer's head has come."""
        self.status = status
        self.headers = dict(headers)
        self.watched = status == 200 and "content-encoding" not in headers

    def body(self, chunk: bytes) -> None:
        """A chunk of the body has gone out."""
        self.sent += len(chunk)
        if self.watched:
            self.monitor.receive_data(chunk)
        elif self.status >= 400 and len(self.refusal) < ERROR_BODY:
            self.refusal += chunk

    def end(self, outcome: str, error: str = "") -> None:
        """It is over: "ended" well, "cut" by the upstream, or "left" by the client."""
        self.outcome, self.error = outcome, error
        if outcome == "ended" and self.watched:
            self.monitor.receive_eof()

    def log(self) -> None:
        """One line, without keys, prompts and answers."""
        words = [self.line, f"status={self.status}", f"outcome={self.outcome}", f"bytes={self.sent}"]
        words.append(f"seconds={time.monotonic() - self.began:.3f}")
        usage, monitor = self.monitor.usage, self.monitor
        if usage is not None:
            words.append(f"state={monitor.state} stop_reason={monitor.stop_reason}")
            words.append(f"input_tokens={usage.input_tokens} output_tokens={usage.output_tokens}")
        if self.refusal:
            refused = APIError.from_response(self.status, self.headers, self.refusal)
            words.append(f"error_type={refused.type}")
        if monitor.deviations:
            words.append("deviations=" + ",".join(sorted({each.kind for each in monitor.deviations})))
        if self.error or monitor.error is not None:
            words.append(f"error={self.error or type(monitor.error).__name__}")
        bad = self.outcome == "cut" or monitor.error is not None or self.status >= 500
        logger.log(logging.WARNING if bad else logging.INFO, " ".join(words))


class Proxy:
    """The ASGI application of every path."""

    def __init__(self, upstream: str, http: httpx.AsyncClient) -> None:
        self.upstream = upstream.rstrip("/")
        self.http = http

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Forward one request, until its answer has ended or the client has left."""
        request = Request(scope, receive)
        call = Call(request)
        try:
            body = await self._body(request)
            if body is None:
                await _refuse(send, 413, "request_too_large", "the request passes 32 MiB")
                call.end("refused")
                return
            forwarding = asyncio.create_task(self._forward(request, body, send, call))
            leaving = asyncio.create_task(_until_gone(receive))
            try:
                await asyncio.wait({forwarding, leaving}, return_when=asyncio.FIRST_COMPLETED)
                if not forwarding.done():
                    call.end("left")
            finally:
                leaving.cancel()
                forwarding.cancel()
                await asyncio.gather(leaving, forwarding, return_exceptions=True)
            if not forwarding.cancelled():
                forwarding.result()
        except ClientDisconnect:
            call.end("left")
        finally:
            call.log()

    async def _body(self, request: Request) -> bytes | None:
        body = bytearray()
        async for chunk in request.stream():
            body += chunk
            if len(body) > LARGEST_REQUEST:
                return None
        return bytes(body)

    async def _forward(self, request: Request, body: bytes, send: Send, call: Call) -> None:
        headers = [(name, value) for name, value in request.headers.items() if name not in OWN]
        headers.append(("accept-encoding", "identity"))
        url = self.upstream + request.url.path + (f"?{request.url.query}" if request.url.query else "")
        outgoing = self.http.build_request(request.method, url, headers=headers, content=body)
        try:
            answer = await self.http.send(outgoing, stream=True)
        except httpx.HTTPError as error:
            call.end("cut", type(error).__name__)
            await _refuse(send, 502, "api_error", "the upstream cannot be reached")
            return
        try:
            call.head(answer.status_code, answer.headers)
            await send(_start(answer.status_code, answer.headers.raw))
            async for chunk in answer.aiter_raw():
                await send({"type": "http.response.body", "body": chunk, "more_body": True})
                call.body(chunk)
            call.end("ended")
            await send({"type": "http.response.body", "body": b"", "more_body": False})
        except httpx.HTTPError as error:
            # The last part of the body is never sent, so the server closes the connection in the middle of it.
            call.end("cut", type(error).__name__)
        finally:
            await answer.aclose()


def _start(status: int, headers: Iterable[tuple[bytes, bytes]]) -> Message:
    kept = [(name.lower(), value) for name, value in headers if name.lower().decode("latin-1") not in HOP]
    return {"type": "http.response.start", "status": status, "headers": kept}


async def _refuse(send: Send, status: int, kind: str, words: str) -> None:
    body = b'{"type":"error","error":{"type":"%b","message":"%b"}}' % (kind.encode(), words.encode())
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body, "more_body": False})


async def _until_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def make_app(upstream: str) -> Starlette:
    """The application that forwards to this address."""
    limits = httpx.Limits(max_connections=1_000, max_keepalive_connections=100)
    http = httpx.AsyncClient(timeout=TIMEOUT, limits=limits, trust_env=False)

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        async with http:
            yield

    return Starlette(routes=[Route("/{path:path}", Proxy(upstream, http))], lifespan=lifespan)


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    logging.getLogger("httpx").setLevel(logging.WARNING)
    uvicorn.run(
        make_app(os.environ.get("UPSTREAM", "https://api.anthropic.com")),
        host=os.environ.get("HOST", "127.0.0.1"),
        port=int(os.environ.get("PORT", "8080")),
        access_log=False,
    )
