"""Where a replay server can be reached."""

from __future__ import annotations

from typing import Final, Literal

import attrs

__all__ = ["READ_SIZE", "ServerAddress", "reset_option"]

READ_SIZE: Final = 65_536  # bytes a runner asks for at once


@attrs.define(frozen=True)
class ServerAddress:
    """The address a runner listens at. `url` is what a client takes as its base URL."""

    host: str
    """The number that it listens at."""
    port: int
    """The TCP port."""
    scheme: Literal["http", "https"] = "http"
    """Whether it speaks TLS."""

    @property
    def url(self) -> str:
        """As in "http://127.0.0.1:8000"."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}:{self.port}"


def reset_option() -> tuple[int, int, bytes]:
    """The arguments of `setsockopt` that make closing a socket a reset: linger on, for zero seconds."""
    import socket
    import struct

    return socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)
