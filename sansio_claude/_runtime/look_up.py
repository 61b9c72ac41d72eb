"""Looking up host names, in threads of their own.

The system's resolver blocks, for many seconds where a name server is silent, and cannot be stopped. So each name has a
daemon thread while it is looked up: nothing else waits for it, no pool of workers is used up by it, and it does not
hold up the end of the program. Whoever asks for a name that is being looked up already shares that answer, so that
there are never more threads than names.
"""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Callable
from typing import Any, Final, TypeAlias

__all__ = ["LookUp", "SocketAddress", "look_up"]

SocketAddress: TypeAlias = tuple[socket.AddressFamily, Any]
"""The family of an address, and the address as `socket.connect` takes it."""

_under_way: Final[dict[tuple[str, int], LookUp]] = {}
_lock = threading.Lock()


class LookUp:
    """A name that is being looked up. `found` or `error` is set once it is done."""

    __slots__ = ("callbacks", "done", "error", "found")

    def __init__(self) -> None:
        self.callbacks: list[Callable[[], object]] = []
        """What is called once it is done."""
        self.done = False
        self.found: list[SocketAddress] = []
        """The addresses, in the order in which the system recommends them."""
        self.error: Exception | None = None

    def forget(self, callback: Callable[[], object]) -> None:
        """Who gave this `callback` does not wait any more."""
        with _lock:
            if callback in self.callbacks:
                self.callbacks.remove(callback)


def look_up(host: str, port: int, callback: Callable[[], object]) -> LookUp:
    """The addresses of a host. `callback` is called, in another thread, when it is done unless it is done already."""
    given = LookUp()
    try:  # a number: no resolver is asked, and nothing blocks
        given.found = _addresses(host, port, socket.AI_NUMERICHOST)
    except OSError:
        pass
    except Exception as error:  # a name that cannot be encoded
        given.error = error
    if given.found or given.error is not None:
        given.done = True
        return given
    key = host, port
    with _lock:
        current = _under_way.get(key)
        if current is None:
            current = LookUp()
            thread = threading.Thread(target=_run, args=(current, key), name=f"look-up of {host}", daemon=True)
            thread.start()
            _under_way[key] = current
        current.callbacks.append(callback)
    return current


def _run(current: LookUp, key: tuple[str, int]) -> None:
    try:
        current.found = _addresses(*key, 0)
    except Exception as error:
        current.error = error
    except BaseException as error:  # nobody else would ever say that it is done
        current.error = OSError(f"looking the name up ended with {error!r}")
    with _lock:
        current.done = True
        if _under_way.get(key) is current:
            del _under_way[key]
        callbacks, current.callbacks = current.callbacks, []
    for callback in callbacks:
        callback()


def _addresses(host: str, port: int, flags: int) -> list[SocketAddress]:
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=flags)
    return [(family, address) for family, _, _, _, address in found]


def _forget_all() -> None:
    """In a child process there are no threads of the parent, and its lock may be held by one of them."""
    global _lock
    _lock = threading.Lock()
    _under_way.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_all)
