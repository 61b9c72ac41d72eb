"""Addresses: taken apart strictly, put together again as they were, refused with words that quote nothing."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sansio_claude._connect.address import Address, parse_address
from sansio_claude._errors import LocalProtocolError
from sansio_claude._percent import encode_query, percent_encode

LONGEST = ".".join(["a" * 63, "b" * 63, "c" * 63, "d" * 61])
GOOD = [
    # url, host, port, authority, target
    ("https://aihubmix.com", "aihubmix.com", 443, "aihubmix.com", "/"),
    ("HTTPS://AiHubMix.COM/", "aihubmix.com", 443, "aihubmix.com", "/"),
    ("https://h:443/a", "h", 443, "h", "/a"),
    ("https://h:/a", "h", 443, "h", "/a"),
    ("https://h:8443/a/b?c=d&e=%20", "h", 8443, "h:8443", "/a/b?c=d&e=%20"),
    ("http://h:443/", "h", 443, "h:443", "/"),
    ("http://h?x=1", "h", 80, "h", "/?x=1"),
    ("https://h/p?", "h", 443, "h", "/p?"),
    ("https://h.example.", "h.example.", 443, "h.example.", "/"),
    ("https://under_score.example/~a;b=c,d:@!$&'()*+", "under_score.example", 443, "under_score.example", None),
    ("http://[::1]:8080/x", "::1", 8080, "[::1]:8080", "/x"),
    ("https://[2001:DB8:0:0::1]", "2001:db8::1", 443, "[2001:db8::1]", "/"),
    ("http://127.0.0.1:1", "127.0.0.1", 1, "127.0.0.1:1", "/"),
    ("https://bücher.example/", "xn--bcher-kva.example", 443, "xn--bcher-kva.example", "/"),
    ("https://例え.jp", "xn--r8jz45g.jp", 443, "xn--r8jz45g.jp", "/"),
    ("  https://h \r\n", "h", 443, "h", "/"),
    (f"https://{LONGEST}", LONGEST, 443, LONGEST, "/"),
]


@pytest.mark.parametrize(("url", "host", "port", "authority", "target"), GOOD, ids=[row[0] for row in GOOD])
def test_a_legal_address(url: str, host: str, port: int, authority: str, target: str | None) -> None:
    address = parse_address(url)
    assert (address.host, address.port, address.authority) == (host, port, authority)
    assert address.tls is url.strip().lower().startswith("https")
    if target is not None:
        assert address.target == target
    assert parse_address(address.url).url == address.url


BAD = [
    ("", "is empty"),
    (" \n", "is empty"),
    ("aihubmix.com", "no scheme"),
    ("//aihubmix.com", "no scheme"),
    ("ftp://h", "other schemes"),
    ("https:/h", "no scheme"),
    ("https://", "no host"),
    ("https:///v1", "no host"),
    ("https://:443", "no host"),
    ("https://h/#top", "fragment"),
    ("https://h#", "fragment"),
    ("https://user:SECRET@h", "user name or password"),
    ("https://SECRET@h", "user name or password"),
    ("https://h/a b", "a space at position 12"),
    ("https://h\\@evil", "U+005C at position 10"),
    ("https://h\r\nX-Evil: 1/", "U+000D"),
    ("https://h/\x7f", "U+007F"),
    ("https://h/é", "percent-encode"),
    ("https://h/%zz", "percent-encode"),
    ("https://h/?a=<b>", "the query of the address has an illegal character at position 3"),
    ("https://h/{id}", "position 2 of the path"),
    ("https://h:0", "port"),
    ("https://h:65536", "port"),
    ("https://h:123456789", "port"),
    ("https://h:" + "1" * 5000, "port"),
    ("https://h:8a", "host and port"),
    ("https://a:b:c", "host and port"),
    ("https://::1/", "IPv6"),
    ("https://[::1", "IPv6"),
    ("https://[::1]x", "host and port"),
    ("https://[nonsense]", "not an IPv6 address"),
    ("https://[fe80::1%eth0]", "IPv6"),
    ("https://[fe80::1%25eth0]", "not an IPv6 address"),
    ("https://a..b", "not a host name"),
    ("https://-a.example", "not a host name"),
    ("https://a%41.example", "not a host name"),
    ("https://" + "a" * 64 + ".example", "not a host name"),
    ("https://" + ".".join(["a" * 60] * 5), "not a host name"),
    (f"https://{LONGEST}d", "not a host name"),
    ("https://127.1", "four of them"),
    ("https://0x7f000001", "four of them"),
    ("https://2130706433", "four of them"),
    ("https://127.0.0.01", "four of them"),
    ("https://127.0.0.256", "four of them"),
    ("https://127.0.0.1.", "four of them"),
    ("https://faß.de", "xn-- form"),
    ("https://a\u200db.example", "xn-- form"),
    ("https://\ud800.example", "not a legal international name"),
    ("https://" + "ü" * 80 + ".example", "not a legal international name"),
    ("https://℀.example", "not a host name"),  # becomes "a/c", and must not become a path
]


@pytest.mark.parametrize(("url", "words"), BAD, ids=[ascii(row[0]) for row in BAD])
def test_an_illegal_address_is_refused_with_words(url: str, words: str) -> None:
    with pytest.raises(LocalProtocolError) as caught:
        parse_address(url)
    assert words in str(caught.value)
    assert "SECRET" not in str(caught.value) + repr(caught.value)
    assert caught.value.path == "url"


@pytest.mark.parametrize("value", [None, 5, b"https://h"])
def test_what_is_no_text_is_refused_with_words(value: Any) -> None:
    with pytest.raises(LocalProtocolError, match="the address has to be a str") as caught:
        parse_address(value)
    assert caught.value.path == "url"


@pytest.mark.parametrize(
    "host", ["localhost", "api.localhost", "127.0.0.1", "127.9.9.9", "[::1]", "[::ffff:127.0.0.1]"]
)
def test_loopback(host: str) -> None:
    assert parse_address(f"http://{host}").loopback


@pytest.mark.parametrize(
    "host", ["localhost.example", "notlocalhost", "10.0.0.1", "0.0.0.0", "[::2]", "[::ffff:8.8.8.8]", "127.example"]
)
def test_not_loopback(host: str) -> None:
    assert not parse_address(f"http://{host}").loopback


@given(st.text())
def test_any_text_is_an_address_or_a_local_error(text: str) -> None:
    for url in (text, f"https://{text}", f"https://h/{text}", f"https://h/?{text}"):
        try:
            address = parse_address(url)
        except LocalProtocolError:
            continue
        wire = f"{address.authority} {address.target}"
        assert wire.isascii()
        assert wire.isprintable()
        assert wire.count(" ") == 1
        assert parse_address(address.url) == attrs_with_path(address)


def attrs_with_path(address: Address) -> Address:
    """The same address as it reads back: an absent path is "/"."""
    return Address(address.scheme, address.host, address.port, address.path or "/", address.query)


@given(st.dictionaries(st.text(), st.text()))
def test_a_query_reads_back(fields: dict[str, str]) -> None:
    from urllib.parse import parse_qsl

    try:
        query = encode_query(fields)
    except LocalProtocolError:
        assert any(0xD800 <= ord(char) < 0xE000 for pair in fields.items() for char in "".join(pair))
        return
    assert dict(parse_qsl(query, keep_blank_values=True)) == fields
    assert parse_address(f"https://h/?{query}").query == query


def test_percent_encoding() -> None:
    assert percent_encode("claude-3@2024/é ~") == "claude-3%402024%2F%C3%A9%20~"
    assert encode_query(None) == ""
    with pytest.raises(LocalProtocolError, match="surrogate"):
        percent_encode("\ud800")
    with pytest.raises(LocalProtocolError, match="have to be str"):
        encode_query({"limit": 5})  # type: ignore[dict-item]
