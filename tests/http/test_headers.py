"""Header names and values, keys, beta flags: nothing that ends a line gets in, nothing secret gets out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sansio_claude._errors import LocalProtocolError
from sansio_claude._http.headers import check_headers, check_key, check_value, is_secret, merge_betas, secret_values

CONTROL = [chr(code) for code in (*range(9), *range(10, 32), 127)]


def outcome(check: Callable[[object, str], str], text: str) -> str | LocalProtocolError:
    try:
        return check(text, "x")
    except LocalProtocolError as error:
        return error


@given(st.text())
def test_a_value_is_clean_or_refused(text: str) -> None:
    value = outcome(check_value, text)
    if isinstance(value, LocalProtocolError):
        assert len(text) < 3 or text not in str(value)
        assert value.path == "x"
    else:
        assert value == text.strip(" \t")
        assert value.isascii()
        assert value.replace("\t", " ").isprintable() or not value


@given(st.text())
def test_a_key_is_clean_or_refused(text: str) -> None:
    key = outcome(check_key, text)
    if isinstance(key, LocalProtocolError):
        assert len(text.strip()) < 12 or text.strip() not in str(key)
    else:
        assert key
        assert key == text.strip()
        assert key.isascii()


@pytest.mark.parametrize("character", CONTROL)
def test_no_control_character_gets_into_a_value(character: str) -> None:
    with pytest.raises(LocalProtocolError, match="no header may carry"):
        check_value(f"a{character}b", "x")


@pytest.mark.parametrize("key", ["sk-ant-1\n", "sk-ant-1\r\n", "  sk-ant-1\t"])
def test_white_space_around_a_key_is_dropped(key: str) -> None:
    assert check_key(key, "api_key") == "sk-ant-1"


@pytest.mark.parametrize("key", ["Bearer KEY", "k", "a b\tc", '"quoted"', "sk-ant-api03-" + "x" * 100, "{}:;,"])
def test_any_text_is_a_key(key: str) -> None:
    assert check_key(key, "api_key") == key


@pytest.mark.parametrize(
    ("key", "words"),
    [
        ("", "is empty"),
        (" \n", "is empty"),
        ("SECRET\nSECRET", "line break"),
        ("SECRÉT", "beyond ASCII"),
        (5, "not an int"),
    ],
)
def test_what_is_no_key_is_refused_and_not_quoted(key: Any, words: str) -> None:
    with pytest.raises(LocalProtocolError, match=words) as caught:
        check_key(key, "api_key")
    assert "SECR" not in str(caught.value)


def test_headers_are_lower_case_and_the_later_of_two_counts() -> None:
    assert check_headers({"X-A": "1", "x-a": " 2 ", "X-B": None, "X-C": ""}, "headers") == {
        "x-a": "2",
        "x-b": None,
        "x-c": "",
    }
    assert check_headers(None, "headers") == {}


@pytest.mark.parametrize("name", ["", "a b", "a:b", "a\nb", "é", "a\x00", "(x)", 5])
def test_a_bad_name_is_refused_by_its_number(name: Any) -> None:
    with pytest.raises(LocalProtocolError, match="header 2 is not a legal header name") as caught:
        check_headers({"x-fine": "1", name: "SECRET"}, "extra_headers")
    assert "SECRET" not in str(caught.value)
    assert caught.value.path == "extra_headers"


@pytest.mark.parametrize("name", ["Content-Length", "transfer-encoding", "TE", "Expect", "upgrade", "Trailer"])
def test_headers_of_the_connection_are_refused(name: str) -> None:
    with pytest.raises(LocalProtocolError, match="belongs to the connection"):
        check_headers({name: "1"}, "headers")


@pytest.mark.parametrize("given", [[("x-a", "1")], "x-a: 1", 5])
def test_what_is_no_mapping_is_refused(given: Any) -> None:
    with pytest.raises(LocalProtocolError, match="headers takes a mapping, not ") as caught:
        check_headers(given, "headers")
    assert caught.value.path == "headers"


def test_a_bad_value_is_named_by_its_header() -> None:
    with pytest.raises(LocalProtocolError, match="line break") as caught:
        check_headers({"X-A": "SECRET\r\nX-B: 1"}, "headers")
    assert caught.value.path == "headers.x-a"
    assert "SECRET" not in str(caught.value)
    with pytest.raises(LocalProtocolError, match="has to be a str, not a bytes"):
        check_headers({"X-A": b"1"}, "headers")


def test_betas_are_merged_without_doubles_in_order() -> None:
    assert merge_betas(["b", "a"], None, "c, a,,d", ("b", "e,c")) == ("b", "a", "c", "d", "e")
    assert merge_betas() == ()
    assert merge_betas("") == ()


@pytest.mark.parametrize(
    ("flag", "words"), [("a b", "cannot carry"), ("a\nb", "cannot carry"), ("é", "cannot carry"), (5, "not an int")]
)
def test_a_bad_flag_is_refused(flag: Any, words: str) -> None:
    with pytest.raises(LocalProtocolError, match=words):
        merge_betas([flag])


def test_secrets_are_told_by_the_name() -> None:
    names = [
        "Authorization",
        "x-api-key",
        "X-Auth-Token",
        "cookie",
        "client-secret",
        "api_key",
        "Ocp-Apim-Subscription-Key",
        "sig",
        "x-amz-sig",
        "X-JWT",
        "db_pwd",
    ]
    assert all(is_secret(name) for name in names)
    assert not any(is_secret(name) for name in ["accept", "x-tenant", "user-agent", "anthropic-version", "design"])
    fields = [
        ("authorization", "Bearer abc"),
        ("x-key", "Bearer"),
        ("x-tenant", "t"),
        ("cookie", None),
        ("api-key", "a1 b"),
    ]
    assert secret_values(fields) == ["Bearer abc", "abc", "Bearer", "a1 b"]


def test_each_value_of_a_cookie_is_a_secret() -> None:
    """A server that quotes one, quotes it alone. Short ones are no secrets."""
    cookies = 'sid=0123456789; theme=dark; token="abcdefgh=="; last'
    assert secret_values([("Cookie", cookies)]) == [cookies, "0123456789", "abcdefgh=="]
