"""Backoff, Retry-After in all its forms, and HTTP dates."""

from __future__ import annotations

import datetime
from email.utils import format_datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sansio_claude._call.attempt import Attempt
from sansio_claude._call.retry import RetryPolicy
from sansio_claude._errors import LocalProtocolError
from sansio_claude._errors.dates import parse_http_date
from sansio_claude._errors.headers import retry_after, should_retry

NOW = 1_700_000_000.0  # Tue, 14 Nov 2023 22:13:20 GMT


def asked(**headers: str) -> float | None:
    found = {name.replace("_", "-"): value for name, value in headers.items()}
    return retry_after(found.get, lambda: NOW)


class TestPolicy:
    def test_the_defaults(self) -> None:
        policy = RetryPolicy()
        assert policy.max_retries == 2
        assert [policy.backoff(n, 0.0) for n in range(6)] == [0.5, 1, 2, 4, 8, 8]
        assert policy.backoff(0, 1.0) == 0.375

    @given(retries=st.integers(0, 10_000), chance=st.floats(0, 1))
    def test_backoff_is_bounded(self, retries: int, chance: float) -> None:
        assert 0.375 <= RetryPolicy().backoff(retries, chance) <= 8.0

    def test_a_time_or_nothing(self) -> None:
        policy = RetryPolicy(max_retries=1)
        assert policy.decide(retries=0, now=100.0, chance=0.0) == 100.5
        assert policy.decide(retries=1, now=100.0, chance=0.0) is None
        assert policy.decide(retries=0, now=100.0, chance=0.0, asked=0.0) == 100.5  # backs off as if not asked
        assert policy.decide(retries=0, now=100.0, chance=0.0, asked=60.0) == 160.0
        assert policy.decide(retries=0, now=100.0, chance=0.0, asked=60.1) is None
        assert RetryPolicy(longest=90).decide(retries=0, now=100.0, chance=0.0, asked=61.0) == 161.0
        assert RetryPolicy(max_retries=0).decide(retries=0, now=1.0, chance=0.0, asked=0.0) is None

    @pytest.mark.parametrize(
        "options",
        [
            *({"max_retries": value} for value in (-1, 1.0, "2", True, None)),
            *({"jitter": value} for value in (-0.1, 1.5, "x", False, None, float("nan"))),
            *({name: value} for name in ("initial", "ceiling", "longest") for value in (-1.0, "x", None, float("nan"))),
        ],
    )
    def test_impossible_settings(self, options: dict[str, Any]) -> None:
        (name,) = options
        with pytest.raises(LocalProtocolError, match=f"RetryPolicy.{name} has to be") as caught:
            RetryPolicy(**options)
        assert caught.value.path == name

    def test_what_a_setting_may_be(self) -> None:
        with pytest.raises(LocalProtocolError, match=r"RetryPolicy\.jitter has to be 0 to 1, not 2\.0"):
            RetryPolicy(jitter=2.0)
        with pytest.raises(LocalProtocolError, match=r"RetryPolicy\.longest has to be 0 or more, not -1"):
            RetryPolicy(longest=-1)

    def test_possible_settings(self) -> None:
        RetryPolicy(max_retries=0, initial=0, ceiling=float("inf"), jitter=1, longest=float("inf"))

    def test_an_attempt_is_plain_data(self) -> None:
        attempt = Attempt(number=1, started=0.0, ended=1.0, error="ReadError", words="reset")
        assert attempt.wait is None
        assert not attempt.reused


class TestRetryAfter:
    @pytest.mark.parametrize(
        ("value", "seconds"),
        [
            ("0", 0.0),
            ("7", 7.0),
            (" 7 ", 7.0),
            ("1.5", 1.5),
            ("1.", 1.0),
            (".5", 0.5),
            ("-1", None),
            ("nan", None),
            ("inf", None),
            ("Infinity", None),
            ("1e400", None),
            ("1e3", None),
            ("9" * 5000, None),
            ("1_000", None),
            ("", None),
            ("soon", None),
            ("١", None),
            ("Sun, 06 Nov 1994 08:49:37 GMT", None),
            ("Tue, 14 Nov 2023 22:13:20 GMT", 0.0),
            ("Tue, 14 Nov 2023 22:13:50 GMT", 30.0),
            ("Tuesday, 14-Nov-23 22:13:50 GMT", 30.0),
            ("Tue Nov 14 22:13:50 2023", 30.0),
        ],
    )
    def test_the_forms(self, value: str, seconds: float | None) -> None:
        assert asked(retry_after=value) == seconds

    def test_a_date_far_away(self) -> None:
        far = asked(retry_after="Tue, 01 Jan 2199 00:00:00 GMT")
        assert far is not None
        assert far > 5e9

    def test_milliseconds_come_first(self) -> None:
        assert asked(retry_after_ms="200", retry_after="9") == 0.2
        assert asked(retry_after_ms="nan", retry_after="9") == 9.0
        assert asked() is None

    @given(st.text())
    def test_any_text(self, value: str) -> None:
        seconds = asked(retry_after=value)
        assert seconds is None or seconds >= 0

    @pytest.mark.parametrize(
        ("value", "told"), [("true", True), (" False ", False), ("maybe", None), ("", None), (None, None)]
    )
    def test_x_should_retry(self, value: str | None, told: bool | None) -> None:
        assert should_retry({"x-should-retry": value}.get) is told


class TestDates:
    @given(
        st.datetimes(min_value=datetime.datetime(1000, 1, 1), max_value=datetime.datetime(9999, 12, 31)).map(
            lambda value: value.replace(microsecond=0, tzinfo=datetime.UTC)
        )
    )
    def test_as_the_standard_library_has_it(self, when: datetime.datetime) -> None:
        seconds = (when - datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)).total_seconds()
        assert parse_http_date(format_datetime(when, usegmt=True), NOW) == seconds
        assert parse_http_date(f"{when:%a %b} {when.day:2d} {when:%H:%M:%S} {when.year:04d}", NOW) == seconds

    @given(st.integers(1974, 2073), st.integers(1, 12), st.integers(1, 28))
    def test_two_digits_of_a_year(self, year: int, month: int, day: int) -> None:
        when = datetime.datetime(year, month, day, tzinfo=datetime.UTC)
        text = f"{when:%A, %d-%b-%y %H:%M:%S} GMT"
        assert parse_http_date(text, NOW) == when.timestamp()

    @pytest.mark.parametrize(
        "text",
        [
            "Sun, 32 Nov 1994 08:49:37 GMT",
            "Sun, 00 Nov 1994 08:49:37 GMT",
            "Sun, 06 Foo 1994 08:49:37 GMT",
            "Sun, 06 Nov 1994 24:49:37 GMT",
            "Sun, 06 Nov 1994 08:60:37 GMT",
            "Sun, 06 Nov 1994 08:49:61 GMT",
            "Sun, 06 Nov 1994 08:49:37 PST",
            "Sun, 6 Nov 1994 08:49:37 GMT",
            "1994-11-06T08:49:37Z",
            "",
        ],
    )
    def test_what_is_no_date(self, text: str) -> None:
        assert parse_http_date(text, NOW) is None
