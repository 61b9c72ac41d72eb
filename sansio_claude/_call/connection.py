"""Connection: one TCP connection as a call sees it, on its way through a proxy's tunnel and TLS to being open.

    opening -> (tunnel) -> (tls) -> open

Bytes of the network go in and out, plaintext comes out and goes in. Opens and closes nothing: `handle` is whatever
the adapter calls its socket.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from sansio_claude._errors import ProxyError, RemoteProtocolError, TLSError

if TYPE_CHECKING:
    from sansio_claude._call.actions import TLS, TLSFactory
    from sansio_claude._connect.proxy import ConnectExchange, Proxy
    from sansio_claude._connect.socks import SocksExchange
    from sansio_claude._errors import ClaudeError
    from sansio_claude._limits import Limits

__all__ = ["Connection"]


class Connection:
    """A connection to `host` and `port`, perhaps through a proxy, perhaps with TLS (`tls` makes it)."""

    __slots__ = ("_host", "_port", "_proxy", "_tls_factory", "_tunnel", "handle", "stage", "tls", "used")

    def __init__(self, *, host: str, port: int, proxy: Proxy | None, tls: TLSFactory | None, limits: Limits) -> None:
        self._host = host
        self._port = port
        self._proxy = proxy
        self._tls_factory = tls
        self._tunnel: ConnectExchange | SocksExchange | None = None
        if proxy is not None:
            self._tunnel = proxy.exchange(host, port, limits=limits)
        self.stage: Literal["opening", "tunnel", "tls", "open"] = "opening"
        self.handle: Any = None
        """The adapter's own object; its `stale` is asked before the connection is used again."""
        self.tls: TLS | None = None
        self.used = False
        """Whether it has carried a call before."""

    @property
    def address(self) -> tuple[str, int]:
        """Where the TCP connection goes: the proxy, if there is one."""
        return (self._host, self._port) if self._proxy is None else (self._proxy.host, self._proxy.port)

    @property
    def place(self) -> str:
        """What errors call the other end."""
        host, port = self.address
        return f"{'' if self._proxy is None else 'the proxy '}{f'[{host}]' if ':' in host else host}:{port}"

    @property
    def proxied(self) -> bool:
        """Whether a proxy is what the TCP connection goes to."""
        return self._proxy is not None

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

    def broken(self, words: str) -> ClaudeError:
        """The error for a connection that breaks before it is open."""
        if self.stage == "tunnel":
            return ProxyError(f"{words} while {self.place} was asked for a tunnel")
        return TLSError(f"{words} in the middle of the TLS handshake with {self._host}")

    def _start_tls(self) -> None:
        if self._tls_factory is None:
            self.stage = "open"
        else:
            self.tls = self._tls_factory(self._host)
            self.stage = "tls"
