"""The way to a server, and whether a request may take it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import attrs
import pytest

from sansio_claude._connect.address import parse_address
from sansio_claude._connect.route import Route, route_to, socket_path
from sansio_claude._errors import LocalProtocolError
from sansio_claude._request.endpoint import Endpoint

PROXY = "http://proxy.test:3128"
MAPPING = {"all_proxy": PROXY}
SOCKS = "socks5://proxy.test"
HERE = ["http://localhost:1", "http://127.0.0.1:1", "http://[::1]:1", "http://a.localhost", "http://[::ffff:127.0.0.1]"]


@pytest.mark.parametrize("url", HERE)
@pytest.mark.parametrize("proxy", [PROXY, SOCKS, "socks5h://user:hunter22@proxy.test"])
def test_plain_http_is_refused_through_a_proxy(url: str, proxy: str) -> None:
    way = route_to(parse_address(url), proxy=proxy)
    with pytest.raises(LocalProtocolError, match="in clear") as caught:
        way.permit()
    assert caught.value.path == "proxy"
    assert "hunter22" not in str(caught.value)
    allowed = route_to(parse_address(url), proxy=proxy, allow_http=True)
    allowed.permit()
    assert allowed.proxy is not None


@pytest.mark.parametrize("url", [*HERE, "https://localhost"])
@pytest.mark.parametrize("mapping", [MAPPING, {"http_proxy": PROXY, "https_proxy": PROXY}, {"ALL_PROXY": SOCKS}])
def test_a_proxy_of_the_environment_is_not_asked_for_this_machine(url: str, mapping: dict[str, str]) -> None:
    for allowed in (False, True):
        way = route_to(parse_address(url), proxy=mapping, allow_http=allowed)
        way.permit()
        assert way.proxy is None


@pytest.mark.parametrize("url", HERE)
def test_plain_http_keeps_to_this_machine(url: str) -> None:
    way = route_to(parse_address(url))
    way.permit()
    assert way == Route(loopback=True)
    assert not route_to(parse_address(url), allow_http=True).loopback


@pytest.mark.parametrize("proxy", [None, PROXY, MAPPING, {}])
def test_plain_http_to_another_machine(proxy: Any) -> None:
    address = parse_address("http://api.test")
    way = route_to(address, proxy=proxy)
    with pytest.raises(LocalProtocolError, match="in clear") as caught:
        way.permit()
    assert caught.value.path == ("url" if way.proxy is None else "proxy")
    route_to(address, proxy=proxy, allow_http=True).permit()


@pytest.mark.parametrize(("proxy", "kind"), [(PROXY, "http"), (SOCKS, "socks5"), (MAPPING, "http")])
def test_https_goes_through_any_proxy(proxy: Any, kind: str) -> None:
    way = route_to(parse_address("https://api.test"), proxy=proxy)
    way.permit()
    assert way.proxy is not None
    assert way.proxy.kind == kind
    assert not way.loopback


def test_a_unix_socket_is_this_machine() -> None:
    for url in ("http://localhost", "http://api.test", "https://api.test"):
        way = route_to(parse_address(url), uds="/run/api.sock", proxy=MAPPING)
        way.permit()
        assert way == Route(uds="/run/api.sock")
    with pytest.raises(LocalProtocolError, match="exclude each other"):
        route_to(parse_address("https://api.test"), uds="/run/api.sock", proxy=PROXY)


def test_paths_of_sockets() -> None:
    assert socket_path("@name") == socket_path("\0name") == "\0name"
    assert socket_path(Path("/run/x")) == "/run/x"
    for bad in ("", "@", "\0", "/a\0b", b"/x", 5, object()):
        with pytest.raises(LocalProtocolError, match="uds"):
            socket_path(bad)


def test_an_endpoint_that_was_changed_is_judged_again() -> None:
    endpoint = attrs.evolve(
        Endpoint.from_base_url("http://localhost", api_key="k" * 9), address=parse_address("http://a.test")
    )
    with pytest.raises(LocalProtocolError, match="in clear"):
        route_to(endpoint.address, allow_http=endpoint.allow_http).permit()
    assert Endpoint.from_base_url("http://a.test", api_key="k" * 9, allow_http=True).allow_http
