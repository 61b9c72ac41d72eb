"""No secret stays in anything that an exception shows."""

from __future__ import annotations

import base64
import html
import json
import pickle
from collections.abc import Callable
from typing import Any
from urllib.parse import quote, quote_plus

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
from sansio_claude._redact import Redactor, _places

KEY = 'sk-ant-"api"\\03/0123456789'
LONG = "sk-ant-api03-" + "".join(map(chr, range(97, 123))) + "-0123456789-ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def _each(text: str, seed: int, *ways: Callable[[str], str]) -> str:
    """Each character in one of several ways."""
    return "".join(ways[(seed >> number % 32) % len(ways)](each) for number, each in enumerate(text))


# How servers and programs write a text; the number decides where there is a choice.
WAYS: dict[str, Callable[[str, int], str]] = {
    "percent": lambda text, _: quote(text, safe=""),
    "percent lower": lambda text, _: "".join(f"%{ord(c):02x}" for c in text),
    "form": lambda text, _: quote_plus(text, safe=""),
    "some percent": lambda text, seed: _each(text, seed, lambda c: quote(c, safe=""), lambda c: f"%{ord(c):02X}"),
    "json": lambda text, _: json.dumps(text)[1:-1],
    "json slash": lambda text, _: json.dumps(text)[1:-1].replace("/", "\\/"),
    "json unicode": lambda text, seed: _each(text, seed, lambda c: f"\\u{ord(c):04x}", lambda c: f"\\u{ord(c):04X}"),
    "python": lambda text, _: "".join(f"\\x{ord(c):02x}" for c in text),
    "html": lambda text, _: html.escape(text),
    "html numbers": lambda text, seed: _each(text, seed, lambda c: f"&#{ord(c)};", lambda c: f"&#x{ord(c):X};"),
    "upper": lambda text, _: text.upper(),
    "lower": lambda text, _: text.lower(),
}


class TestValues:
    @given(st.text(), st.text())
    def test_in_any_text(self, before: str, after: str) -> None:
        redactor = Redactor([KEY])
        for form in (KEY, quote(KEY, safe=""), json.dumps(KEY)[1:-1], base64.b64encode(KEY.encode()).decode()):
            cleaned = redactor.text(before + form + after)
            assert form not in cleaned
            assert KEY not in cleaned
            assert form.encode() not in redactor.data((before + form + after).encode("utf-8", "replace"))

    @given(
        secret=st.text(st.characters(codec="ascii", categories=["L", "N", "P", "S", "Zs"]), min_size=8, max_size=120)
        .map(str.strip)
        .filter(lambda text: len(text) >= 8),
        before=st.text(max_size=30),
        behind=st.text(max_size=30),
        ways=st.lists(st.sampled_from(sorted(WAYS)), max_size=2),
        data=st.data(),
    )
    def test_every_form_is_found(
        self, secret: str, before: str, behind: str, ways: list[str], data: st.DataObject
    ) -> None:
        """However it was written, once or twice over; the text around it does not matter."""
        form = secret
        for way in ways:
            form = WAYS[way](form, data.draw(st.integers(0, 2**32)))
        redactor = Redactor([secret])
        cleaned = redactor.text(f"<{before}<{form}>{behind}>")
        assert form.lower() not in cleaned.lower()
        assert "[redacted]" in cleaned
        assert (
            form.lower().encode() not in redactor.data(f"<{before}<{form}>{behind}>".encode("utf-8", "replace")).lower()
        )

    @pytest.mark.parametrize("way", sorted(set(WAYS) - {"upper", "lower"}))
    @pytest.mark.parametrize("case", [str.upper, str.lower])
    @pytest.mark.parametrize("secret", ["00000000", KEY])
    def test_an_escaped_text_that_was_put_into_another_case(
        self, secret: str, way: str, case: Callable[[str], str]
    ) -> None:
        form = case(WAYS[way](secret, 0x5A5A5A5A))
        for shown in (form, WAYS["json"](form, 0)):
            cleaned = Redactor([secret]).text(f"<{shown}>")
            assert cleaned == "<[redacted]>"

    @given(
        before=st.binary(max_size=20), behind=st.binary(max_size=20), key=st.sampled_from([KEY, "k" * 9, "sk-ant-" * 9])
    )
    def test_inside_of_base64_and_hex(self, before: bytes, behind: bytes, key: str) -> None:
        for encode in (base64.b64encode, base64.urlsafe_b64encode, bytes.hex):
            encoded = encode(before + key.encode() + behind)
            text = encoded if isinstance(encoded, str) else encoded.decode()
            cleaned = Redactor([key]).text(f"x {text} x")
            assert "[redacted]" in cleaned
            # No group of characters that stands for bytes of the key alone is left.
            whole = base64.b64encode(key.encode()).decode().rstrip("=")[:-1]
            assert whole not in cleaned

    @given(cut=st.integers(0, len(LONG)), length=st.integers(0, 40))
    def test_half_of_one_anywhere(self, cut: int, length: int) -> None:
        redactor = Redactor([LONG])
        for part in (LONG[:cut], LONG[cut:]):
            text = f"{'.' * length} {part}... {'.' * length}"
            assert (redactor.text(text) == text) is (2 * len(part) < len(LONG))

    def test_what_it_stands_for_is_secret_as_well(self) -> None:
        basic = "Basic " + base64.b64encode(b"user:pass word 1").decode()
        for shown in (basic, "user:pass word 1", "pass+word+1", "pass%20word%201"):
            assert shown not in Redactor([basic]).text(f"you sent {shown}!")
        assert "a/b+c/d=e" not in Redactor(["a%2Fb%2Bc%2fd%3de"]).text("<a/b+c/d=e>")
        assert Redactor(["Basic !"]).text("x") == "x"

    def test_linear(self) -> None:
        """A text made of the beginning of the secret, and an escape at every byte: the work grows with the length."""
        for secret in ("a" * 100, "a\\" * 20, "%25" * 10):
            redactor = Redactor([secret])
            for text in (secret[:-1] * 2000, "\\" * 50_000, "%25" * 30_000, "a" * 100_000):
                assert redactor.text(text)

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

    @pytest.mark.parametrize("way", sorted(WAYS))
    def test_a_cut_in_the_middle_of_an_escape(self, way: str) -> None:
        redactor = Redactor([LONG])
        written = WAYS[way](LONG, 0b0110_1001_1100)
        for size in range(len(written) + 1):
            shown = redactor.data(f"you sent {written[:size]}".encode()).decode()
            left = shown.removeprefix("you sent ").partition("[redacted]")[0]
            assert not left or len(left) <= len(WAYS[way](LONG[:9], 0b0110_1001_1100)), (size, shown)

    @given(
        key=st.text("abcdefXYZ0123456789", min_size=16, max_size=90),
        width=st.integers(2, 76),
        gap=st.sampled_from(["\n", "\r\n", " ", "\n\t", "\\n", "\\r\\n"]),
    )
    def test_divided_by_white_space(self, key: str, width: int, gap: str) -> None:
        """Base64 comes in lines, and a dump of bytes in pairs."""
        redactor = Redactor([key])
        for form in (key, base64.b64encode(key.encode()).decode().rstrip("=")[:-1], key.encode().hex()):
            lines = [form[at : at + width] for at in range(0, len(form), width)]
            cleaned = redactor.text(f"you sent: {gap.join(lines)} .")
            assert cleaned == "you sent: [redacted] ."
            assert redactor.data(f"<{gap.join(lines)}>".encode()) == b"<[redacted]>"

    def test_words_are_not_joined(self) -> None:
        """A short secret is looked for as it stands."""
        assert Redactor(["secrets"]).text("the sec rets of") == "the sec rets of"

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
        for number in range(5000):
            deep = ([deep], {"a": deep}, (deep,))[number % 3]
        cleaned = Redactor([KEY]).value(deep)
        for _ in range(5000):
            cleaned = cleaned["a"] if isinstance(cleaned, dict) else cleaned[0]
        assert cleaned == "[redacted]"
        circle: list[Any] = [KEY]
        circle.append(circle)
        assert KEY not in repr(Redactor([KEY]).value(circle))

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

    def test_redacted_first_and_cut_afterwards(self) -> None:
        """Wherever the words, the type or the id are cut for show, nothing of the key is left at the cut."""
        for size in range(380, 520):
            text = "A" * size + LONG + " is wrong"
            error = api_error({"error": {"type": text[280:], "message": text}}, status=401, request_id=text[300:])
            shown = self.cleaned_with(LONG, error)
            assert not any(LONG[at : at + 8] in shown for at in range(len(LONG) - 8))
        own = APIError("words of somebody else", status=401, error_message=KEY)
        self.cleaned(own)
        assert str(own) == "words of somebody else"

    def cleaned_with(self, key: str, error: ClaudeError) -> str:
        Redactor([key]).error(error)
        return f"{error} {error!r} {vars(error)} {pickle.dumps(error)!r}"

    def test_what_stands_beside_the_arguments(self) -> None:
        noted, held = ReadError("broke"), ReadError("broke")
        noted.add_note(f"the key is {KEY}")
        held.other = {"headers": [KEY]}  # type: ignore[attr-defined]
        for error in (noted, held):
            assert KEY not in self.cleaned(error)
        for cause in (UnicodeDecodeError("utf-8", KEY.encode(), 0, 1, "bad"), OSError(5, "no", KEY)):
            error = ReadError("broke")
            error.__cause__ = cause
            self.cleaned(error)
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


@given(
    st.sampled_from([KEY, LONG, "Basic dXNlcjpwYXNzd29yZA==", "none", "12345678", "123456789012"]),
    st.lists(st.tuples(st.integers(0, 90), st.integers(0, 90), st.sampled_from(["", "-", "x", "+"])), max_size=4),
)
def test_what_is_looked_for_first_leaves_no_place_out(secret: str, parts: list[tuple[int, int, str]]) -> None:
    redactor = Redactor([secret])
    data = "".join(secret[begin : begin + size] + between for begin, size, between in parts).lower().encode()
    every = [span for form, part, *_ in redactor._needles for span in _places(data, form, part)]
    assert redactor._stand_in(data) == every
