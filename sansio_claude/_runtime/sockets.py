"""What the adapters share of sockets: the size of a read, options, a look at what has come."""

from __future__ import annotations

import select
import socket
from typing import Final

__all__ = ["BUFFER", "readable", "set_options", "writable"]

BUFFER: Final = 64 * 1024
"""Bytes of one read at most."""

# Level, option, value; the option's first name that the system has. Seconds of silence until the first probe (called
# TCP_KEEPALIVE on macOS), between two probes, and how many are missed before the connection is given up: six minutes.
_OPTIONS: Final = (
    ("IPPROTO_TCP", ("TCP_NODELAY",), 1),
    ("SOL_SOCKET", ("SO_KEEPALIVE",), 1),
    ("IPPROTO_TCP", ("TCP_KEEPIDLE", "TCP_KEEPALIVE"), 60),
    ("IPPROTO_TCP", ("TCP_KEEPINTVL",), 60),
    ("IPPROTO_TCP", ("TCP_KEEPCNT",), 5),
)


def set_options(sock: socket.socket) -> None:
    """Small writes go out at once; a peer that is gone is noticed after six minutes even where nobody waits for it.

    Linux, macOS and Windows (from 10, version 1709, on) have every option; what a system or a kind of socket does not
    have is left out.
    """
    for level, names, value in _OPTIONS:
        name = next((name for name in names if hasattr(socket, name)), None)
        if name is not None:
            try:
                sock.setsockopt(getattr(socket, level), getattr(socket, name), value)
            except OSError:
                pass  # the connection may be gone already, and reading tells why


def readable(sock: socket.socket) -> bool:
    """Whether bytes or an end have come. Waits for nothing."""
    if hasattr(select, "poll"):
        poll = select.poll()
        poll.register(sock, select.POLLIN)
        return bool(poll.poll(0))
    return bool(select.select([sock], [], [], 0)[0])


def writable(sock: socket.socket, seconds: float = 0.0) -> bool:
    """Whether bytes can be written, or a connection that was being opened is open or has failed."""
    if hasattr(select, "poll"):
        poll = select.poll()
        poll.register(sock, select.POLLOUT)
        return bool(poll.poll(seconds * 1000.0))
    _, ready, failed = select.select([], [sock], [sock], seconds)  # Windows tells of a failure by the third list
    return bool(ready or failed)
