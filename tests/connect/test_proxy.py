"""Which proxy for which host, and the CONNECT exchange."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sansio_claude._connect.proxy import ConnectExchange, Proxy, parse_proxy, proxy_for
from sansio_claude._errors import LocalProtocolError
from sansio_claude._limits import Limits

PROXY = Proxy(host="proxy.test", port=3128)


class TestAddresses:
    @pytest.mark.parametrize(
        ("url", "host", "port"),
        [
            ("http://proxy.test:3128", "proxy.test", 3128),
            ("http://proxy.test", "proxy.test", 80),
            ("http://proxy.test/", "proxy.test", 80),
            (" proxy.test:8080 ", "proxy.test", 8080),
            ("HTTP://Proxy.Test:1", "proxy.test", 1),
            ("http://[::1]:3128", "::1", 3128),
            ("127.0.0.1:3128", "127.0.0.1", 3128),
        ],
    )
    def test_forms(self, url: str, host: str, port: int) -> None:
        assert parse_proxy(url) == Proxy(host=host, port=port)

    @pytest.mark.parametrize("scheme", ["socks5", "socks5h", "socks", "SOCKS5"])
    @pytest.mark.parametrize(
        ("rest", "host", "port"),
        [("proxy.test", "proxy.test", 1080), ("[::1]:9/", "::1", 9), ("127.0.0.1/", "127.0.0.1", 1080)],
    )
    def test_socks(self, scheme: str, rest: str, host: str, port: int) -> None:
        assert parse_proxy(f"{scheme}://{rest}") == Proxy(host=host, port=port, kind="socks5")
        signed = Proxy.parse(f"{scheme}://us%65r:p%40ss%3Aword@{rest}")
        assert (signed.username, signed.password) == (b"user", b"p@ss:word")
        assert signed.authorization is None
        assert {"p@ss:word", "p%40ss%3Aword"} <= set(signed.secrets)
        assert "p@ss" not in repr(signed)
        assert parse_proxy(f"{scheme}://user@{rest}").password == b""

    @pytest.mark.parametrize("bad", [5, b"http://proxy.test", ["http://proxy.test"]])
    def test_what_is_no_address(self, bad: Any) -> None:
        with pytest.raises(LocalProtocolError, match="address of a proxy or a mapping"):
            proxy_for(bad, host="api.test", port=443, tls=True)

    def test_credentials(self) -> None:
        proxy = parse_proxy("http://us%65r:p%40ss%3Aword@proxy.test:3128")
        assert proxy.authorization == b"Basic dXNlcjpwQHNzOndvcmQ="
        assert set(proxy.secrets) == {"dXNlcjpwQHNzOndvcmQ=", "p@ss:word", "p%40ss%3Aword"}
        assert "dXN" not in repr(proxy)
        assert "p@ss" not in repr(proxy)
        token = parse_proxy("http://tok%65n@proxy.test")  # no password: this is one
        assert token.authorization == b"Basic dG9rZW46"
        assert set(token.secrets) == {"dG9rZW46", "token", "tok%65n"}
        assert parse_proxy("http://us\udcffer@proxy.test").authorization is not None

    @pytest.mark.parametrize(
        ("url", "words"),
        [
            ("socks4://proxy.test:1080", "SOCKS4 is not supported"),
            ("socks4a://u:hunter22@proxy.test:1080", "write socks5://"),
            ("socks5://:hunter22@proxy.test", "1 to 255 bytes"),
            (f"socks5://u:hunter22{'x' * 250}@proxy.test", "1 to 255 bytes"),
            ("socks5://", "no host"),
            ("https://proxy.test", "TLS to the proxy"),
            ("ftp://proxy.test", "only http and socks5"),
            ("http://", "no host"),
            ("http://a b", "space"),
            ("http://user:hunter22@:80", "no host"),
            ("http://proxy.test:99999", "port"),
        ],
    )
    def test_refused_in_words(self, url: str, words: str) -> None:
        with pytest.raises(LocalProtocolError, match=words) as caught:
            parse_proxy(url, name="HTTPS_PROXY")
        assert str(caught.value).startswith("HTTPS_PROXY: ")
        assert "hunter22" not in str(caught.value)


class TestChoice:
    def chosen(self, environ: dict[str, str], host: str = "api.test", port: int = 443, tls: bool = True) -> str | None:
        proxy = proxy_for(environ, host=host, port=port, tls=tls)
        return None if proxy is None else proxy.host

    def test_none_and_one_address(self) -> None:
        assert proxy_for(None, host="h", port=1, tls=True) is None
        assert proxy_for("http://p", host="h", port=1, tls=False) == Proxy(host="p", port=80)

    def test_variables(self) -> None:
        assert self.chosen({}) is None
        assert self.chosen({"HTTPS_PROXY": "p1"}) == "p1"
        assert self.chosen({"HTTPS_PROXY": "p1", "https_proxy": "p2"}) == "p2"
        assert self.chosen({"HTTPS_PROXY": "", "ALL_PROXY": "p3"}) == "p3"
        assert self.chosen({"all_proxy": "p4", "ALL_PROXY": "p3"}) == "p4"
        assert self.chosen({"HTTPS_PROXY": "p1"}, tls=False) is None
        assert self.chosen({"http_proxy": "p5", "HTTPS_PROXY": "p1"}, tls=False) == "p5"
        assert self.chosen({"HTTP_PROXY": "p6"}, tls=False) is None
        assert self.chosen({"ALL_PROXY": "p3"}, tls=False) == "p3"

    @pytest.mark.parametrize("value", [5, b"http://hunter22@p", ["http://hunter22@p"], Path("/hunter22")])
    def test_a_variable_that_is_no_text(self, value: Any) -> None:
        for environ in ({"https_proxy": value}, {"ALL_PROXY": value}, {"https_proxy": "p", "NO_PROXY": value}):
            with pytest.raises(
                LocalProtocolError, match=r"_(proxy|PROXY) in proxy has to be a str, not an? "
            ) as caught:
                self.chosen(environ)
            assert "hunter22" not in str(caught.value)
        assert self.chosen({"https_proxy": None, "all_proxy": "p", "no_proxy": None}) == "p"  # type: ignore[dict-item]

    def test_the_variable_is_named(self) -> None:
        with pytest.raises(LocalProtocolError, match="ALL_PROXY: SOCKS4"):
            self.chosen({"ALL_PROXY": "socks4://p"})
        assert self.chosen({"ALL_PROXY": "socks5://p"}) == self.chosen({"all_proxy": "socks://p"}) == "p"

    @pytest.mark.parametrize(
        ("rules", "host", "port", "excluded"),
        [
            ("*", "api.test", 443, True),
            ("api.test", "api.test", 443, True),
            ("API.Test", "api.test", 443, True),
            ("test", "api.test", 443, True),
            (".test", "api.test", 443, True),
            ("*.test", "api.test", 443, True),
            ("test.", "api.test", 443, True),
            (".api.test", "api.test", 443, True),
            ("pi.test", "api.test", 443, False),
            ("api.test.example", "api.test", 443, False),
            ("api.test:443", "api.test", 443, True),
            ("api.test:8443", "api.test", 443, False),
            ("*:443", "api.test", 443, False),
            ("other, api.test", "api.test", 443, True),
            ("other api.test", "api.test", 443, True),
            (",, ", "api.test", 443, False),
            (".", "api.test", 443, False),
            ("", "api.test", 443, False),
            ("10.0.0.0/8", "10.1.2.3", 443, True),
            ("10.0.0.0/8", "11.1.2.3", 443, False),
            ("10.0.0.1/8", "10.9.9.9", 443, True),
            ("10.0.0.0/8:443", "10.1.2.3", 443, True),
            ("10.0.0.0/8", "api.test", 443, False),
            ("127.0.0.1", "127.0.0.1", 80, True),
            ("::1", "::1", 80, True),
            ("[::1]", "::1", 80, True),
            ("[::1]:80", "::1", 80, True),
            ("[::1]:81", "::1", 80, False),
            ("fd00::/8", "fd12::1", 80, True),
            ("[fd00::]/8", "fd12::1", 80, True),
            ("10.0.0.0/99", "10.0.0.1", 80, False),
            ("b\u00fccher.example", "www.xn--bcher-kva.example", 443, True),
            ("*.B\u00dcCHER.example:443", "www.xn--bcher-kva.example", 443, True),
            ("b\u00fccher.example", "xn--bcher.example", 443, False),
            ("\u00fc" * 99 + ".example", "api.test", 443, False),
        ],
    )
    def test_no_proxy(self, rules: str, host: str, port: int, excluded: bool) -> None:
        chosen = self.chosen({"HTTPS_PROXY": "p", "NO_PROXY": rules}, host, port)
        assert (chosen is None) is excluded
        assert self.chosen({"HTTPS_PROXY": "p", "NO_PROXY": "*", "no_proxy": rules or "x"}, host, port) == chosen


class TestConnect:
    def exchange(self, proxy: Proxy = PROXY, host: str = "api.test", **limits: int) -> ConnectExchange:
        return ConnectExchange(proxy, host, 443, limits=Limits(**limits))

    def test_the_request(self) -> None:
        exchange = self.exchange()
        assert exchange.data_to_send() == b"CONNECT api.test:443 HTTP/1.1\r\nHost: api.test:443\r\n\r\n"
        assert exchange.data_to_send() == b""
        assert self.exchange(host="::1").data_to_send().startswith(b"CONNECT [::1]:443 ")
        own = Proxy(host="p", port=1, authorization=b"Basic eA==")
        assert b"\r\nProxy-Authorization: Basic eA==\r\n" in self.exchange(own).data_to_send()

    @pytest.mark.parametrize(
        "answer",
        [
            b"HTTP/1.1 200 Connection established\r\n\r\n",
            b"HTTP/1.0 200\r\n\r\n",
            b"HTTP/1.1 204 \r\nVia: x\r\n\r\n",
            b"HTTP/1.1 200 OK\nServer: squid\n\n",
            b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n",
            b"HTTP/1.1 103 Early\r\n\r\n" * 100 + b"HTTP/1.1 200 OK\r\n\r\n",
        ],
    )
    def test_open(self, answer: bytes) -> None:
        whole, bytewise = self.exchange(), self.exchange()
        whole.receive_data(answer)
        for index in range(len(answer)):
            assert not bytewise.done
            bytewise.receive_data(answer[index : index + 1])
        for exchange in (whole, bytewise):
            assert exchange.done
            assert exchange.error is None
            exchange.receive_eof()
            assert exchange.error is None

    @pytest.mark.parametrize(
        ("answer", "status", "words"),
        [
            (b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n", 407, "user:password"),
            (b"HTTP/1.1 502 Bad Gateway\r\n\r\n<html>", 502, "would not open a tunnel to api.test:443"),
            (b"HTTP/1.1 302 Found\r\nLocation: http://evil\r\n\r\n", 302, "would not"),
            (b"HTTP/1.1 300 Multiple Choices\r\n\r\n", 300, "would not"),
            (b"HTTP/1.1 101 Switching\r\n\r\n", 101, "would not"),
            (b"garbage", None, "does not answer in HTTP"),
            (b"HTTP/2 200\r\n\r\n", None, "not HTTP"),
            (b"HTTP/1.1 2000 X\r\n\r\n", None, "not HTTP"),
            (b"HTTP/1.1 200 OK\r\nno colon\r\n\r\n", None, "not HTTP"),
            (b"HTTP/1.1 200 OK\r\nbad : x\r\n\r\n", None, "not HTTP"),
            (b"HTTP/1.1 200 OK\r\nx: a\rb\r\n\r\n", None, "not HTTP"),
            (b"\r\n\r\n", None, "not HTTP"),
            (b"HTTP/1.1 200 OK\r\n\r\nx", None, "before anything was asked"),
            (b"HTTP/1.1 103 Early\r\n\r\n" * 101, None, "100 informational"),
        ],
    )
    def test_not_open(self, answer: bytes, status: int | None, words: str) -> None:
        exchange = self.exchange()
        exchange.receive_data(answer)
        assert exchange.error is not None
        assert exchange.error.status == status
        assert words in str(exchange.error)
        assert "proxy.test:3128" in str(exchange.error)
        error = exchange.error
        exchange.receive_data(b"HTTP/1.1 200 OK\r\n\r\n")
        exchange.receive_eof()
        assert exchange.error is error

    def test_an_end(self) -> None:
        exchange = self.exchange()
        exchange.receive_data(b"HTTP/1.1 2")
        exchange.receive_eof()
        assert "closed the connection" in str(exchange.error)

    def test_the_limit_is_counted_in_bytes_of_the_head(self) -> None:
        answer = b"HTTP/1.1 200 OK\r\nx: " + b"y" * 60 + b"\r\n\r\n"
        for limit, good in ((len(answer), True), (len(answer) - 1, False)):
            for step in (1, 7, 1000):
                exchange = self.exchange(head=limit)
                for start in range(0, len(answer), step):
                    exchange.receive_data(answer[start : start + step])
                assert exchange.done is good
                assert (exchange.error is None) is good

    @given(st.binary(max_size=200), st.integers(1, 50))
    def test_any_bytes(self, data: bytes, step: int) -> None:
        exchange = self.exchange()
        for start in range(0, len(data), step):
            exchange.receive_data(data[start : start + step])
        exchange.receive_eof()
        assert exchange.error is not None
