"""SocksExchange: asking a SOCKS5 proxy for a connection (RFC 1928), with user and password (RFC 1929). No I/O.

    greeting  ->  method  ->  (user and password  ->  accepted)  ->  request  ->  reply

Rules:

- The proxy resolves the name: a name is sent as a name, so that no resolver of this machine learns it. A number is
  sent as a number.
- Replies are read to their exact end, however they are cut. A byte behind the last one is an error, for nobody has
  spoken to the server yet; so is a byte that comes before it was asked for.
- User and password are offered only where the proxy address has them, and sent only if the proxy asks for them.
- Every refusal is said in words, those of RFC 1928 section 6 among them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sansio_claude._connect.address import is_number
from sansio_claude._copies import NotCopied
from sansio_claude._errors import ProxyError

if TYPE_CHECKING:
    from sansio_claude._connect.proxy import Proxy

__all__ = ["SocksExchange"]

_VERSION: Final = 5
_LOGIN_VERSION: Final = 1  # of the exchange of user and password
_OPEN: Final = 0  # the methods: no credentials,
_LOGIN: Final = 2  # user and password,
_NO_METHOD: Final = 0xFF  # none of those offered
_CONNECT: Final = 1
_IPV4, _NAME, _IPV6 = 1, 3, 4
# What the codes of a reply mean, and whether the same request may succeed a little later.
_REFUSALS: Final[dict[int, tuple[str, bool]]] = {
    1: ("it failed for a reason that it does not name", True),
    2: ("its rules do not allow this connection", False),
    3: ("it cannot reach the network of the server", True),
    4: ("it cannot reach the server, or does not know its name", True),
    5: ("the server refused the connection", True),
    6: ("the time to live of its packets ran out on the way", True),
    7: ("it does not know the CONNECT command", False),
    8: ("it does not take this type of address", False),
}


class SocksExchange(NotCopied):
    """One request to the SOCKS5 proxy `proxy` for a connection to `host` and `port`.

    After each step `data_to_send()` gives what is to be sent now. Once `done` is True the connection is open from end
    to end. `receive_data` and `receive_eof` raise nothing; whatever went wrong is `error`, a ProxyError, and
    `passing` says whether it may be otherwise a little later. Linear in the bytes received, which are 525 at most.
    """

    __slots__ = (
        "_buffer",
        "_host",
        "_port",
        "_proxy",
        "_stage",
        "_target",
        "_to_send",
        "_where",
        "done",
        "error",
        "passing",
    )
    _instead = "it belongs to one connection: make another one"

    def __init__(self, proxy: Proxy, host: str, port: int) -> None:
        self._proxy = proxy
        self._host = host
        self._port = port
        self._target = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        self._where = f"the SOCKS proxy {proxy.place}"
        self._buffer = bytearray()
        self._stage = self._method
        methods = bytes((_OPEN,)) if proxy.username is None else bytes((_OPEN, _LOGIN))
        self._to_send = bytes((_VERSION, len(methods))) + methods
        self.done: bool = False
        self.error: ProxyError | None = None
        self.passing: bool = False
        """Whether the same request may succeed a little later."""

    def data_to_send(self) -> bytes:
        """What is to be sent now, once; b"" where there is nothing."""
        data, self._to_send = self._to_send, b""
        return data

    def receive_data(self, data: bytes | bytearray | memoryview) -> None:
        """Take bytes of the proxy's replies."""
        if self.error is not None:
            return
        self._buffer += data
        while self._buffer and self.error is None:
            if self.done:
                self._fail(f"{self._where} sent bytes before anything was asked of {self._target}")
            elif self._to_send:
                self._fail(f"{self._where} sent bytes that nothing had asked for")
            elif size := self._stage():
                del self._buffer[:size]
            else:
                return

    def receive_eof(self) -> None:
        """The proxy closed the connection."""
        if not self.done and self.error is None:
            self._fail(f"{self._where} closed the connection instead of opening one to {self._target}", passing=True)

    # The stages. Each looks at the buffer and says how many bytes it took; 0 where more are needed.

    def _method(self) -> int:
        reply = self._buffer
        if reply[0] != _VERSION:
            words = "an HTTP proxy is written http://host:port" if reply[:1] == b"H" else "it may speak SOCKS4 only"
            self._fail(f"{self._where} does not answer in SOCKS5; {words}")
            return 0
        if len(reply) < 2:
            return 0
        if reply[1] == _OPEN:
            self._request()
        elif reply[1] == _LOGIN and self._proxy.username is not None:
            user, password = self._proxy.username, self._proxy.password or b""
            self._to_send = bytes((_LOGIN_VERSION, len(user))) + user + bytes((len(password),)) + password
            self._stage = self._login
        elif reply[1] in (_NO_METHOD, _LOGIN) and self._proxy.username is None:
            self._fail(f"{self._where} asks for credentials: write socks5://user:password@host:port")
        elif reply[1] == _NO_METHOD:
            self._fail(f"{self._where} takes neither user and password nor nothing; no other way is spoken here")
        else:
            self._fail(f"{self._where} chose a way to sign in that was not offered (method {reply[1]})")
        return 2

    def _login(self) -> int:
        reply = self._buffer
        # RFC 1929 says 1; some proxies answer 5, and only the status decides.
        if reply[0] not in (_LOGIN_VERSION, _VERSION):
            self._fail(f"{self._where} does not answer to user and password as RFC 1929 says")
            return 0
        if len(reply) < 2:
            return 0
        if reply[1] == 0:
            self._request()
        else:
            self._fail(f"{self._where} does not accept the user and password (status {reply[1]})")
        return 2

    def _request(self) -> None:
        self._to_send = bytes((_VERSION, _CONNECT, 0)) + _written(self._host) + self._port.to_bytes(2, "big")
        self._stage = self._reply

    def _reply(self) -> int:
        reply = self._buffer
        if reply[0] != _VERSION:
            self._fail(f"{self._where} does not answer in SOCKS5")
            return 0
        if len(reply) < 2:
            return 0
        if code := reply[1]:
            # Some proxies leave the rest of a refusal away, and nothing in it matters.
            words, passing = _REFUSALS.get(code, ("the code is not one of RFC 1928", False))
            self._fail(f"{self._where} would not connect to {self._target}: {words} (SOCKS code {code})", passing)
            return 0
        if len(reply) < 5:
            return 0
        size = {_IPV4: 4 + 4 + 2, _IPV6: 4 + 16 + 2, _NAME: 4 + 1 + reply[4] + 2}.get(reply[3])
        if size is None:
            self._fail(f"{self._where} names an address of an unknown type ({reply[3]})")
            return 0
        if len(reply) < size:
            return 0
        self.done = True
        return size

    def _fail(self, words: str, passing: bool = False) -> None:
        self.passing = passing
        self.error = ProxyError(words)


def _written(host: str) -> bytes:
    """The type and the bytes of an address as a request has them."""
    if is_number(host):
        from ipaddress import ip_address

        packed = ip_address(host).packed
        return bytes((_IPV4 if len(packed) == 4 else _IPV6,)) + packed
    name = host.encode("ascii")
    return bytes((_NAME, len(name))) + name
