"""Asking a SOCKS5 proxy for a connection: RFC 1928 and 1929, cut at every byte, and every refusal in words."""

from __future__ import annotations

from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sansio_claude._connect.proxy import Proxy
from sansio_claude._connect.socks import SocksExchange
from sansio_claude._limits import Limits

PLAIN = Proxy(host="proxy.test", port=1080, kind="socks5")
SIGNED = Proxy.parse("socks5://us%65r:p%40ss%3Aword@proxy.test")
IPV4 = bytes((5, 0, 0, 1, 10, 0, 0, 1, 0x1F, 0x90))
IPV6 = bytes((5, 0, 0, 4)) + bytes(16) + bytes((0, 80))
NAME = bytes((5, 0, 0, 3, 9)) + b"proxy.lan" + bytes((0, 80))


class StrictServer:
    """The proxy's side as the standards write it; it takes any cuts and notes what was asked for."""

    def __init__(self, *, login: tuple[bytes, bytes] | None = None, reply: bytes = IPV4) -> None:
        self.login = login
        self.reply = reply
        self.received = b""
        self.target: tuple[str, int] | None = None
        self.stage = "greeting"

    def receive(self, data: bytes) -> bytes:
        self.received += data
        answer = b""
        while step := self._step():
            answer += step
        return answer

    def _take(self, size: int) -> bytes:
        taken, self.received = self.received[:size], self.received[size:]
        assert len(taken) == size
        return taken

    def _step(self) -> bytes:
        data = self.received
        if self.stage == "greeting" and len(data) >= 2 and len(data) >= 2 + data[1]:
            assert data[0] == 5
            methods = self._take(2 + data[1])[2:]
            wanted = 0 if self.login is None else 2
            self.stage = "request" if self.login is None else "login"
            return bytes((5, wanted if wanted in methods else 0xFF))
        if self.stage == "login" and len(data) >= 2 and len(data) >= 3 + data[1] + data[2 + data[1]]:
            assert data[0] == 1
            size = data[1]
            given = data[2 : 2 + size], data[3 + size : 3 + size + data[2 + size]]
            self._take(3 + size + data[2 + size])
            self.stage = "request"
            return bytes((1, int(given != self.login)))
        if self.stage == "request" and len(data) >= 5:
            assert data[:3] == bytes((5, 1, 0))
            size = {1: 4, 3: 1 + data[4], 4: 16}[data[3]]
            if len(data) < 4 + size + 2:
                return b""
            whole = self._take(4 + size + 2)
            host = whole[5:-2].decode() if whole[3] == 3 else str(ip_address(whole[4:-2]))
            self.target = host, int.from_bytes(whole[-2:], "big")
            self.stage = "open"
            return self.reply
        return b""


def connect(exchange: SocksExchange, server: StrictServer, *, step: int = 1000) -> None:
    """Let the two talk until neither has anything to say, the proxy's bytes in pieces."""
    while data := exchange.data_to_send():
        answer = server.receive(data)
        for start in range(0, len(answer), step):
            exchange.receive_data(answer[start : start + step])


class TestConnecting:
    @given(
        host=st.one_of(
            st.from_regex(r"[a-z][a-z0-9-]{0,20}(\.[a-z]{1,9}){0,3}", fullmatch=True),
            st.ip_addresses().map(str),
            st.just("a" * 63 + "." + "b" * 63 + "." + "c" * 63 + "." + "d" * 57),
        ),
        port=st.integers(1, 65535),
        step=st.integers(1, 30),
        reply=st.sampled_from([IPV4, IPV6, NAME]),
        signed=st.booleans(),
    )
    def test_the_proxy_is_asked_for_the_host_as_it_is(
        self, host: str, port: int, step: int, reply: bytes, signed: bool
    ) -> None:
        server = StrictServer(login=(b"user", b"p@ss:word") if signed else None, reply=reply)
        exchange = SocksExchange(SIGNED if signed else PLAIN, host, port)
        connect(exchange, server, step=step)
        assert exchange.done
        assert exchange.error is None
        assert server.target == (str(ip_address(host)) if ":" in host else host, port)
        assert server.received == b""

    def test_credentials_are_not_sent_where_nobody_asks(self) -> None:
        exchange = SocksExchange(SIGNED, "api.test", 443)
        assert exchange.data_to_send() == bytes((5, 2, 0, 2))
        exchange.receive_data(bytes((5, 0)))
        assert exchange.data_to_send() == bytes((5, 1, 0, 3, 8)) + b"api.test" + bytes((1, 0xBB))
        assert SocksExchange(PLAIN, "api.test", 443).data_to_send() == bytes((5, 1, 0))

    @pytest.mark.parametrize("reply", [IPV4, IPV6, NAME])
    def test_cut_at_every_byte(self, reply: bytes) -> None:
        for size in range(len(reply)):
            exchange = self.asked()
            exchange.receive_data(reply[:size])
            assert not exchange.done
            assert exchange.error is None
            exchange.receive_eof()
            assert "closed the connection instead of opening one to api.test:443" in str(exchange.error)
            assert exchange.passing
            other = self.asked()
            other.receive_data(reply[:size])
            other.receive_data(reply[size:])
            assert other.done
            other.receive_eof()
            assert other.error is None

    def asked(self) -> SocksExchange:
        exchange = SocksExchange(PLAIN, "api.test", 443)
        exchange.data_to_send()
        exchange.receive_data(bytes((5, 0)))
        exchange.data_to_send()
        return exchange

    @pytest.mark.parametrize("early", [False, True])
    def test_a_byte_too_many(self, early: bool) -> None:
        exchange = self.asked()
        if early:
            exchange.receive_data(IPV4 + b"x")
        else:
            exchange.receive_data(IPV4)
            exchange.receive_data(b"x")
        assert "sent bytes before anything was asked of api.test:443" in str(exchange.error)
        first = SocksExchange(PLAIN, "api.test", 443)
        first.data_to_send()
        first.receive_data(bytes((5, 0)) + IPV4)
        assert "nothing had asked for" in str(first.error)
        before = SocksExchange(PLAIN, "api.test", 443)
        before.receive_data(bytes((5, 0)))
        assert "nothing had asked for" in str(before.error)


class TestRefusals:
    @pytest.mark.parametrize(
        ("code", "words", "passing"),
        [
            (1, "a reason that it does not name", True),
            (2, "rules do not allow", False),
            (3, "cannot reach the network", True),
            (4, "cannot reach the server", True),
            (5, "the server refused the connection", True),
            (6, "time to live", True),
            (7, "does not know the CONNECT command", False),
            (8, "type of address", False),
            (9, "not one of RFC 1928", False),
            (255, "not one of RFC 1928", False),
        ],
    )
    @pytest.mark.parametrize("whole", [False, True])
    def test_each_code_in_words(self, code: int, words: str, passing: bool, whole: bool) -> None:
        exchange = TestConnecting().asked()
        exchange.receive_data(bytes((5, code)) + (IPV4[2:] if whole else b""))
        assert words in str(exchange.error)
        assert "the SOCKS proxy proxy.test:1080 would not connect to api.test:443" in str(exchange.error)
        assert f"SOCKS code {code}" in str(exchange.error)
        assert exchange.passing is passing
        exchange.receive_data(b"more")
        exchange.receive_eof()
        assert not exchange.done

    @pytest.mark.parametrize(
        ("proxy", "replies", "words"),
        [
            (PLAIN, [b"H"], "an HTTP proxy is written http"),
            (PLAIN, [b"\0\x5b"], "SOCKS4"),
            (PLAIN, [b"\x05\xff"], "asks for credentials"),
            (PLAIN, [b"\x05\x02"], "asks for credentials"),
            (PLAIN, [b"\x05\x01"], "was not offered"),
            (SIGNED, [b"\x05\xff"], "no other way"),
            (SIGNED, [b"\x05\x02", b"\x01\x01"], "does not accept the user and password"),
            (SIGNED, [b"\x05\x02", b"\x07"], "RFC 1929"),
            (PLAIN, [b"\x05\0", b"\x04"], "does not answer in SOCKS5"),
            (PLAIN, [b"\x05\0", b"\x05\0\0\x02\0"], "an unknown type"),
        ],
    )
    def test_in_words(self, proxy: Proxy, replies: list[bytes], words: str) -> None:
        exchange = SocksExchange(proxy, "api.test", 443)
        for reply in replies:
            assert exchange.data_to_send()
            exchange.receive_data(reply)
        assert words in str(exchange.error)
        assert "p@ss" not in str(exchange.error)
        assert not exchange.passing

    @given(st.lists(st.binary(max_size=20), max_size=8), st.booleans())
    def test_any_bytes(self, pieces: list[bytes], signed: bool) -> None:
        exchange = SocksExchange(SIGNED if signed else PLAIN, "api.test", 443)
        for piece in pieces:
            exchange.data_to_send()
            exchange.receive_data(piece)
        exchange.receive_eof()
        assert exchange.done or exchange.error is not None

    @pytest.mark.parametrize("host", ["::1", "api.test"])
    def test_places_in_words(self, host: str) -> None:
        exchange = Proxy(host=host, port=1, kind="socks5").exchange(host, 2, limits=Limits())
        exchange.receive_eof()
        name = f"[{host}]" if ":" in host else host
        assert f"the SOCKS proxy {name}:1 closed the connection instead of opening one to {name}:2" in str(
            exchange.error
        )
