"""No secret stays in anything that an exception shows."""

from __future__ import annotations

import base64
import json
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sansio_claude._errors import (
    APIError,
    ClaudeError,
    ReadError,
    RemoteProtocolError,
    api_error,
)
from sansio_claude._redact import Redactor

KEY = 'sk-ant-"api"\\03/0123456789'


class TestValues:
    @given(st.text(), st.text())
    def test_in_any_text(self, before: str, after: str) -> None:
        redactor = Redactor([KEY])
        for form in (KEY, quote(KEY, safe=""), json.dumps(KEY)[1:-1], base64.b64encode(KEY.encode()).decode()):
            cleaned = redactor.text(before + form + after)
            assert form not in cleaned
            assert KEY not in cleaned
            assert form.encode() not in redactor.data((before + form + after).encode("utf-8", "replace"))

    @given(st.text(alphabet="abcdefg", max_size=50))
    def test_other_text_is_the_same_object(self, text: str) -> None:
        redactor = Redactor([KEY])
        assert redactor.text(text) is text
        data = text.encode()
        assert redactor.data(data) is data

    @given(st.integers(8, len(KEY) - 1))
    def test_a_key_cut_in_the_middle(self, size: int) -> None:
        redactor = Redactor([KEY])
        for text in (f"the key is {KEY[:size]}", f"{KEY[-size:]} is the key", KEY[:size], KEY[-size:]):
            assert KEY[:size] not in redactor.text(text)
            assert KEY[-size:] not in redactor.text(text)
            assert KEY[:size].encode() not in redactor.data(text.encode())
            assert KEY[-size:].encode() not in redactor.data(text.encode())

    def test_one_secret_inside_another(self) -> None:
        redactor = Redactor(["abcdefgh", "xxabcdefghyy"])
        assert redactor.text("-xxabcdefghyy-") == "-[redacted]-"

    def test_short_ones_are_no_secrets(self) -> None:
        assert not Redactor(["", "abc"])
        assert Redactor(["abcd"])

    def test_nested(self) -> None:
        value: Any = {KEY: [KEY, (KEY, 1), KEY.encode(), bytearray(KEY.encode()), None, 1.5, object]}
        cleaned = Redactor([KEY]).value(value)
        assert KEY not in repr(cleaned)
        assert list(cleaned) == ["[redacted]"]
        deep: Any = KEY
        for _ in range(100):
            deep = [deep]
        Redactor([KEY]).value(deep)

    def test_lone_surrogates(self) -> None:
        Redactor(["abcd\udcffefgh"]).text("x")


class TestErrors:
    def cleaned(self, error: ClaudeError) -> str:
        Redactor([KEY]).error(error)
        shown = []
        each: BaseException | None = error
        while each is not None:
            shown.append(f"{each} {each!r} {vars(each)}")
            each = each.__cause__ or each.__context__
        return " ".join(shown)

    def test_api_errors(self) -> None:
        error = api_error(
            {"error": {"type": KEY, "message": f"no {KEY}", "details": {"k": [KEY]}}},
            status=401,
            body=KEY.encode(),
            request_id=KEY,
        )
        assert KEY not in self.cleaned(error)
        assert isinstance(error, APIError)
        assert error.details == {"k": ["[redacted]"]}
        assert api_error(None, status=500).type is None

    def test_protocol_errors(self) -> None:
        assert KEY not in self.cleaned(RemoteProtocolError(f"line {KEY}", excerpt=b"x-api-key: " + KEY.encode()))

    def test_the_chain(self) -> None:
        error = ReadError("broke")
        middle = RemoteProtocolError(KEY, excerpt=KEY.encode())
        error.__cause__ = middle
        middle.__context__ = ValueError(f"bad {KEY}")
        assert KEY not in self.cleaned(error)
        assert error.__cause__ is middle
        assert str(middle.__context__) == "bad [redacted]"

    def test_foreign_exceptions_that_show_it_all_the_same(self) -> None:
        class Stubborn(Exception):
            def __str__(self) -> str:
                return KEY

        class Broken(Exception):
            def __str__(self) -> str:
                raise RuntimeError

        for cause in (Stubborn(), Broken()):
            error = ReadError("broke")
            error.__cause__ = cause
            Redactor([KEY]).error(error)
            assert error.__cause__ is None

    def test_a_circle(self) -> None:
        error, other = ReadError(KEY), ReadError(KEY)
        error.__context__, other.__context__ = other, error
        Redactor([KEY]).error(error)
        assert str(other) == "[redacted]"

    def test_nothing_to_do(self) -> None:
        error = ReadError(KEY)
        Redactor([]).error(error)
        assert str(error) == KEY


@pytest.mark.parametrize("size", [4, 7])
def test_whole_short_keys(size: int) -> None:
    assert Redactor([KEY[:size]]).text(f"<{KEY[:size]}>") == "<[redacted]>"
