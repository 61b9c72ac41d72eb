"""Strict servers for the ways to the API: a SOCKS5 proxy and a unix socket, with a fault at any step."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator

from tests.adapters.runtimes import raw_server
from tests.connect.test_socks import IPV4, StrictServer

__all__ = ["Socks", "socks_server", "unix_server"]


class Socks:
    """What a SOCKS proxy was asked for, and what it does wrong: `fault(stage, data)` gives other bytes than `data`, or
    None to close the connection."""

    def __init__(
        self,
        *,
        login: tuple[bytes, bytes] | None = None,
        reply: bytes = IPV4,
        where: dict[str, tuple[str, int]] | None = None,
        fault: Callable[[str, bytes], bytes | None] = lambda stage, data: data,
        step: int = 65536,
    ) -> None:
        self.login = login
        self.reply = reply
        self.where = where or {}
        self.fault = fault
        self.step = step
        self.targets: list[tuple[str, int]] = []
        self.carried: list[bytes] = []
        """What went through it to the servers."""

    def serve(self, connection: socket.socket) -> None:
        strict = StrictServer(login=self.login, reply=self.reply)
        while strict.stage != "open":
            data = connection.recv(65536)
            if not data:
                return
            stage = strict.stage
            answer = self.fault(stage, strict.receive(data))
            if answer is None:
                return
            for start in range(0, len(answer), self.step):
                connection.sendall(answer[start : start + self.step])
        assert strict.target is not None
        self.targets.append(strict.target)
        if answer is None or not answer.startswith(b"\x05\0"):
            return
        with socket.create_connection(self.where.get(strict.target[0], strict.target)) as server:
            back = threading.Thread(target=_pump, args=(server, connection, None))
            back.start()
            _pump(connection, server, self.carried)
            back.join()


def _pump(source: socket.socket, target: socket.socket, noted: list[bytes] | None) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            if noted is not None:
                noted.append(data)
            target.sendall(data)
    with contextlib.suppress(OSError):
        target.shutdown(socket.SHUT_WR)


@contextlib.contextmanager
def socks_server(socks: Socks) -> Iterator[str]:
    """Its address, without scheme."""
    with raw_server(socks.serve) as (host, port):
        yield f"{host}:{port}"


@contextlib.contextmanager
def unix_server(path: str, handler: Callable[[socket.socket], None]) -> Iterator[None]:
    """Serve a unix socket, one connection after the other, until the block is left."""
    threads: list[threading.Thread] = []
    stopping = threading.Event()
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path)
        listener.listen()
        listener.settimeout(10)

        def one(connection: socket.socket) -> None:
            with connection, contextlib.suppress(OSError):
                handler(connection)

        def serve() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                if stopping.is_set():
                    connection.close()
                    return
                connection.settimeout(10)
                threads.append(threading.Thread(target=one, args=(connection,)))
                threads[-1].start()

        accepting = threading.Thread(target=serve)
        accepting.start()
        try:
            yield
        finally:
            stopping.set()
            with socket.socket(socket.AF_UNIX) as last, contextlib.suppress(OSError):
                last.connect(path)  # not every system ends a wait for connections otherwise
            accepting.join()
            for thread in threads:
                thread.join()
