"""Connection: one TCP connection as a call sees it, on its way through a proxy's tunnel and TLS to being open.

    opening -> (tunnel) -> (tls) -> open

Bytes of the network go in and out, plaintext comes out and goes in. Opens and closes nothing: `handle` is whatever
the adapter calls its socket.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from sansio_claude._call.actions import Connect
from sansio_claude._copies import NotCopied
from sansio_claude._errors import ProxyError, RemoteProtocolError, TLSError

if TYPE_CHECKING:
    from sansio_claude._call.actions import CallSettings
    from sansio_claude._connect.proxy import ConnectExchange
    from sansio_claude._connect.socks import SocksExchange
    from sansio_claude._connect.tls import TLSExchange
    from sansio_claude._errors import ClaudeError

__all__ = ["Connection"]


class Connection(NotCopied):
    """A connection to `host` and `port`, by the way that `settings` say, with TLS if `secure`."""

    __slots__ = ("_host", "_port", "_settings", "_tls_factory", "_tunnel", "handle", "stage", "tls", "used")
    _instead = "it belongs to one connection: let a call make another one"

    def __init__(self, *, host: str, port: int, secure: bool, settings: CallSettings) -> None:
        self._host = host
        self._port = port
        self._settings = settings
        self._tls_factory = settings.tls if secure else None
        self._tunnel: ConnectExchange | SocksExchange | None = None
        if settings.proxy is not None:
            self._tunnel = settings.proxy.exchange(host, port, limits=settings.limits)
        self.stage: Literal["opening", "tunnel", "tls", "open"] = "opening"
        self.handle: Any = None
        """The adapter's own object; its `stale` is asked before the connection is used again."""
        self.tls: TLSExchange | None = None
        self.used = False
        """Whether it has carried a call before."""

    def connect(self, deadline: float) -> Connect:
        """What opens it."""
        settings = self._settings
        host, port = (self._host, self._port) if settings.proxy is None else (settings.proxy.host, settings.proxy.port)
        return Connect(host, port, deadline, uds=settings.uds, loopback=settings.loopback)

    @property
    def place(self) -> str:
        """What errors call the other end."""
        proxy, path = self._settings.proxy, self._settings.uds
        if path is not None:
            return f"the unix socket {path.replace(chr(0), '@')}"
        if proxy is not None:
            return f"the proxy {proxy.place}"
        return self._server

    @property
    def awaited(self) -> str:
        """What errors call whom the present step of opening it waits for."""
        if self._settings.proxy is None or self.stage == "opening":
            return self.place
        return f"{self._server} through {self.place}"

    @property
    def _server(self) -> str:
        return f"{f'[{self._host}]' if ':' in self._host else self._host}:{self._port}"

    @property
    def proxied(self) -> bool:
        """Whether a proxy is what the TCP connection goes to."""
        return self._settings.proxy is not None

    @property
    def stale(self) -> bool:
        """Whether something arrived on it that nobody asked for."""
        return bool(self.handle.stale)

    @property
    def clean(self) -> bool:
        """Whether nothing is pending inside it, so that another request may use it."""
        return self.tls is None or self.tls.idle

    def opened(self, handle: Any) -> None:
        """The TCP connection is there."""
        self.handle = handle
        if self._tunnel is None:
            self._start_tls()
        else:
            self.stage = "tunnel"

    @property
    def passing(self) -> bool:
        """Whether a proxy that has refused the connection may open it a little later."""
        return self._tunnel is not None and self._tunnel.passing

    def close(self) -> None:
        """Close it at once. TLS says first that it ends, as far as that can be written without waiting."""
        self.handle.close(b"" if self.tls is None else self.tls.close())

    def data_to_send(self) -> bytes:
        """What the tunnel or TLS want to send now, b"" for nothing."""
        if self._tunnel is not None:
            return self._tunnel.data_to_send()
        return b"" if self.tls is None else self.tls.data_to_send()

    def receive_data(self, data: bytes) -> None:
        """Take bytes before the connection is open. Raises what makes it unusable."""
        tunnel, tls = self._tunnel, self.tls
        if tunnel is not None:
            tunnel.receive_data(data)
            if tunnel.error is not None:
                raise tunnel.error
            if tunnel.done:
                self._tunnel = None
                self._start_tls()
            return
        assert tls is not None
        tls.receive_data(data)
        if tls.plaintext_received():
            raise RemoteProtocolError("the server spoke before it was asked anything", stage="wire")
        if tls.handshake_done:
            self.stage = "open"

    def broken(self, words: str, *, ended: bool) -> ClaudeError:
        """The error for a connection that breaks, or is `ended` by the other side, before it is open."""
        if self.stage == "tunnel":
            if ended and self._tunnel is not None:
                self._tunnel.receive_eof()
                if self._tunnel.error is not None:
                    return self._tunnel.error
            return ProxyError(f"{words} while {self.place} was asked for a tunnel")
        return TLSError(f"{words} in the middle of the TLS handshake with {self._host}")

    def _start_tls(self) -> None:
        if self._tls_factory is None:
            self.stage = "open"
        else:
            self.tls = self._tls_factory(self._host)
            self.stage = "tls"
