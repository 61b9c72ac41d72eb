"""The replay server: a process of its own, one protocol class, bytes made beforehand.

Run as `python -m benchmarks.traffic.server [CERTIFICATE]`; it prints its two ports as JSON and ends with its standard
input.
uvloop is used where it is installed, so that the client under measurement is the slower side by far; `GET /stats`
tells how much CPU the server has used, and the suite prints it.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import resource
import ssl
import sys
import threading
import time
from typing import cast

from benchmarks.traffic.script import (
    HEAD,
    LAST_CHUNK,
    STAMP_DIGITS,
    Script,
    answer,
    chunk,
    fault,
    stamped,
    whole_bytes,
)

__all__ = ["main"]

SLICE = 256 * 1024


class Groups:
    """Streams that wait for one another, or for a release."""

    def __init__(self) -> None:
        self.waiting: dict[str, list[Replay]] = {}
        self.attempts: dict[str, int] = {}

    def join(self, script: Script, stream: Replay) -> None:
        held = self.waiting.setdefault(script.group, [])
        held.append(stream)
        if script.mode == "paced" and len(held) == script.streams:
            del self.waiting[script.group]
            start = asyncio.get_running_loop().time() + 0.05
            every = script.every / 1e6
            for number, member in enumerate(held):
                member.pace(start + every * number / len(held), every, script.events)

    def release(self, group: str) -> None:
        for member in self.waiting.pop(group, []):
            member.finish_held()


class Replay(asyncio.Protocol):
    """One connection: reads requests, answers each by its script."""

    def __init__(self, groups: Groups) -> None:
        self._groups = groups
        self._received = b""
        self._transport: asyncio.Transport
        self._rest: memoryview | None = None
        self._paused = False
        self._sink = False  # whether what comes is thrown away, until the connection ends
        self._script = Script("whole")
        self._left = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def connection_lost(self, exc: Exception | None) -> None:
        self._left = 0
        self._rest = None
        for members in self._groups.waiting.values():
            if self in members:
                members.remove(self)

    def pause_writing(self) -> None:
        self._paused = True

    def resume_writing(self) -> None:
        self._paused = False
        if self._rest is not None:
            self._pump()

    def data_received(self, data: bytes) -> None:
        if self._sink:
            return
        self._received += data
        while (end := self._received.find(b"\r\n\r\n")) >= 0:
            head = self._received[:end].lower()
            at = head.find(b"\r\ncontent-length:")
            length = int(head[at + 17 :].split(b"\r\n", 1)[0]) if at >= 0 else 0
            if len(self._received) < end + 4 + length:
                return
            target = self._received[:end].split(b" ", 2)[1].decode()
            if target.startswith("/sink/"):
                self._sink = True
                return
            self._received = self._received[end + 4 + length :]
            self._answer(target)

    def _answer(self, target: str) -> None:
        write = self._transport.write
        if target.startswith("/stats"):
            body = json.dumps({"cpu": time.process_time()}).encode()
            write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body))
            return
        if target.startswith("/release/"):
            write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
            self._groups.release(target.split("/")[2])
            return
        script = self._script = Script.from_path(target)
        if script.mode == "whole":
            self._rest = memoryview(whole_bytes(script.shape))
            self._pump()
        elif script.mode == "each":
            write(HEAD)
            for frame in answer(script.shape).frames:
                write(chunk(frame))
            write(LAST_CHUNK)
        elif script.mode == "paced":
            write(HEAD + stamped().opening)
            self._groups.join(script, self)
        elif script.mode == "held":
            write(HEAD + chunk(answer(script.shape).frames[0]))
            self._groups.join(script, self)
        elif script.mode.startswith("fault-"):
            self._fault(script)
        else:
            write(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")

    def _fault(self, script: Script) -> None:
        kind = script.mode.removeprefix("fault-")
        if kind == "flaky":
            tries = self._groups.attempts[script.group] = self._groups.attempts.get(script.group, 0) + 1
            if tries % 2 == 0:
                self._transport.write(whole_bytes(script.shape))
                return
            kind = "overloaded"
        data, closing = fault(kind, script.shape)
        self._transport.write(data)
        if closing:
            self._transport.close()

    def _pump(self) -> None:
        rest = self._rest
        while rest is not None and not self._paused:
            self._transport.write(rest[:SLICE])
            rest = rest[SLICE:] if len(rest) > SLICE else None
        self._rest = rest

    def finish_held(self) -> None:
        frames = answer(self._script.shape).frames[1:]
        self._transport.write(b"".join(map(chunk, frames)) + LAST_CHUNK)

    def pace(self, start: float, every: float, events: int) -> None:
        self._left = events
        loop = asyncio.get_running_loop()
        made = stamped()

        def send(due: float) -> None:
            if self._left <= 0:
                return
            self._left -= 1
            stamp = str(time.monotonic_ns()).zfill(STAMP_DIGITS).encode()
            self._transport.write(made.before + stamp + made.after)
            following = due + every
            if self._left:
                loop.call_at(following, send, following)
            else:
                loop.call_at(following, self._transport.write, made.ending)

        loop.call_at(start, send, start)


async def _serve(certificate: str | None) -> None:
    loop = asyncio.get_running_loop()
    groups = Groups()
    ports: dict[str, int | None] = {"plain": None, "tls": None}
    server = await loop.create_server(lambda: Replay(groups), "127.0.0.1", 0, backlog=8192)
    ports["plain"] = server.sockets[0].getsockname()[1]
    if certificate is not None:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(certificate)
        secure = await loop.create_server(
            lambda: Replay(groups), "127.0.0.1", 0, backlog=8192, ssl=context, ssl_handshake_timeout=300
        )
        ports["tls"] = secure.sockets[0].getsockname()[1]
    print(json.dumps(ports), flush=True)
    await asyncio.Event().wait()


def _end_with_stdin() -> None:
    sys.stdin.read()
    os._exit(0)


def main() -> None:
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    threading.Thread(target=_end_with_stdin, daemon=True).start()
    certificate = sys.argv[1] if len(sys.argv) > 1 else None
    try:
        import uvloop
    except ImportError:
        asyncio.run(_serve(certificate))
    else:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(_serve(certificate))


if __name__ == "__main__":
    main()
