"""A proxy in front of the Messages API, on aiohttp alone: bytes pass unchanged, each call is one line of log.

    UPSTREAM=https://api.anthropic.com python -m examples.proxy_aiohttp

It does what `proxy_starlette` does. A write waits for a slow client before the next chunk is read; a client that leaves
cancels the handler and with it the upstream request; a body that the upstream cuts is cut for the client as well.
"""

from __future__ import annotations

import asyncio
import logging
import os
import time
from collections.abc import AsyncIterator

import aiohttp
from aiohttp import web

from sansio_claude import APIError
from sansio_claude.gateway import StreamMonitor

logger = logging.getLogger("proxy")
# Fields that belong to one connection (RFC 9110 section 7.6.1), and those that the HTTP client writes itself.
OWN = {"connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "te", "trailer", "transfer-encoding"}
OWN |= {"upgrade", "host", "content-length", "accept-encoding", "expect"}
HOP = OWN - {"content-length"}
LARGEST_REQUEST = 32 * 1024 * 1024  # bytes, as the API takes them
ERROR_BODY = 64 * 1024  # bytes of a refusal that are read for the log
TIMEOUT = aiohttp.ClientTimeout(total=None, sock_connect=10, sock_read=600)  # seconds
HTTP: web.AppKey[aiohttp.ClientSession] = web.AppKey("http", aiohttp.ClientSession)
UPSTREAM: web.AppKey[str] = web.AppKey("upstream", str)


async def forward(request: web.Request) -> web.StreamResponse:
    """Forward one request, until its answer has ended or the client has left."""
    began = time.monotonic()
    # A whole message is right where no stream was asked for.
    monitor = StreamMonitor(tolerance={"whole_message": "accept"})
    facts: dict[str, object] = {"status": 0, "outcome": "left", "bytes": 0}
    refusal = bytearray()
    try:
        return await _forward(request, monitor, facts, refusal)
    finally:
        facts["seconds"] = round(time.monotonic() - began, 3)
        _log(request, monitor, facts, bytes(refusal))


async def _forward(
    request: web.Request, monitor: StreamMonitor, facts: dict[str, object], refusal: bytearray
) -> web.StreamResponse:
    body = await request.read()
    headers = [(name, value) for name, value in request.headers.items() if name.lower() not in OWN]
    headers.append(("Accept-Encoding", "identity"))
    url = request.app[UPSTREAM] + request.path_qs
    http = request.app[HTTP]
    try:
        answer = await http.request(request.method, url, headers=headers, data=body, allow_redirects=False)
    except (aiohttp.ClientError, TimeoutError) as error:
        facts.update(outcome="cut", error=type(error).__name__)
        error_object = {"type": "api_error", "message": "the upstream cannot be reached"}
        return web.json_response({"type": "error", "error": error_object}, status=502)
    async with answer:
        facts["status"] = answer.status
        watched = answer.status == 200 and "content-encoding" not in answer.headers
        kept = [(name, value) for name, value in answer.headers.items() if name.lower() not in HOP]
        response = web.StreamResponse(status=answer.status, reason=answer.reason)
        response.headers.extend(kept)
        await response.prepare(request)
        sent = 0
        try:
            async for chunk in answer.content.iter_any():
                await response.write(chunk)
                sent += len(chunk)
                facts["bytes"] = sent
                if watched:
                    monitor.receive_data(chunk)
                elif answer.status >= 400 and len(refusal) < ERROR_BODY:
                    refusal += chunk
        except ConnectionResetError:  # of the client: aiohttp's own is one of these
            raise
        except (aiohttp.ClientError, TimeoutError) as error:
            facts.update(outcome="cut", error=type(error).__name__)
            if request.transport is not None:
                request.transport.close()  # what was written still goes out; the end of the body does not
            return response
        facts["outcome"] = "ended"
        if watched:
            monitor.receive_eof()
        await response.write_eof()
        return response


def _log(request: web.Request, monitor: StreamMonitor, facts: dict[str, object], refusal: bytes) -> None:
    """One line, without keys, prompts and answers."""
    usage = monitor.usage
    if usage is not None:
        facts.update(state=monitor.state, stop_reason=monitor.stop_reason)
        facts.update(input_tokens=usage.input_tokens, output_tokens=usage.output_tokens)
    status = int(str(facts["status"]))
    if refusal:
        facts["error_type"] = APIError.from_response(status, {}, refusal).type
    if monitor.deviations:
        facts["deviations"] = ",".join(sorted({each.kind for each in monitor.deviations}))
    if monitor.error is not None:
        facts.setdefault("error", type(monitor.error).__name__)
    bad = facts["outcome"] == "cut" or monitor.error is not None or status >= 500
    words = " ".join(f"{name}={value}" for name, value in facts.items())
    logger.log(logging.WARNING if bad else logging.INFO, "%s %s %s", request.method, request.path, words)


def make_app(upstream: str) -> web.Application:
    """The application that forwards to this address."""
    app = web.Application(client_max_size=LARGEST_REQUEST)
    app[UPSTREAM] = upstream.rstrip("/")

    async def session(app: web.Application) -> AsyncIterator[None]:
        connector = aiohttp.TCPConnector(limit=1_000)
        async with aiohttp.ClientSession(connector=connector, timeout=TIMEOUT, auto_decompress=False) as http:
            app[HTTP] = http
            yield

    app.cleanup_ctx.append(session)
    app.router.add_route("*", "/{path:.*}", forward)
    return app


async def serve(upstream: str, host: str, port: int) -> None:
    """Serve until cancelled. `handler_cancellation` ends a call whose client has left."""
    runner = web.AppRunner(make_app(upstream), handler_cancellation=True, access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port).start()
        await asyncio.Event().wait()
    finally:
        await runner.cleanup()


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    asyncio.run(
        serve(
            os.environ.get("UPSTREAM", "https://api.anthropic.com"),
            os.environ.get("HOST", "127.0.0.1"),
            int(os.environ.get("PORT", "8080")),
        )
    )
