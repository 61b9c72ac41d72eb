"""APIError.from_response: the body and the headers of answers that say no, as any HTTP library hands them over."""

from __future__ import annotations

import gzip
import json
from datetime import UTC, datetime, timedelta, timezone
from email.message import Message as MailMessage
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sansio_claude import (
    APIError,
    AuthenticationError,
    InvalidRequestError,
    LocalProtocolError,
    NotFoundError,
    OverloadedError,
    RateLimitError,
    ServerError,
)
from sansio_claude._errors.dates import parse_moment
from sansio_claude._errors.rate_limits import RateLimit, RateLimits, UnifiedLimit
from tests import strategies

OVERLOADED = b'{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"},"request_id":"req_1"}'
NOON = datetime(2026, 11, 28, 12, 0, tzinfo=UTC)


def of(body: bytes | str | None, status: int = 400, headers: Any = (), **more: Any) -> APIError:
    return APIError.from_response(status, headers, body, **more)


class TestBodies:
    @pytest.mark.parametrize(
        ("body", "words"),
        [
            (b'{"error": {"message": "m"}}', "m"),
            (b'\xef\xbb\xbf {"error": {"message": "m"}}', "m"),
            (b'{"error": "m"}', "m"),
            (b'{"error": true, "message": "m"}', "m"),
            (b'{"error": "Unauthorized", "message": "no such key"}', "Unauthorized: no such key"),
            (b'{"error": {"reason_nobody_knows": "no quota"}}', '{"reason_nobody_knows":"no quota"}'),
            (b'{"detail": {"error": "m"}}', "m"),
            (b'{"errors": ["a", {"msg": "b"}]}', "a; b"),
            (b'"m"', "m"),
            (b"plain\r\n  words\x07", "plain words"),
            (b"", ""),
            (b"  \n", ""),
            (b"null", ""),
            (b"{}", ""),
            (b"<html><head><title>502 Bad&amp;Gateway</title></head><body>x</body></html>", "502 Bad&Gateway"),
            (
                b"<!DOCTYPE html><style>p{}</style><h1>Just a moment</h1><script>x()</script>",
                "HTML page: Just a moment",
            ),
            (b"<html></html>", "an HTML page"),
            (b'event: error\ndata: {"type": "error", "error": {"type": "t", "message": "m"}}\n\n', "m"),
            (b'data: {"error": {"message": "m"}}', "m"),
            (b': hello\r\n\r\nevent: ping\r\ndata: {"type": "ping"}\r\n\r\nevent: error\r\ndata: m\r\n\r\n', "m"),
            (b'data: {"message": "m"}\n\n', "m"),
            (b'data: {"error":\ndata: {"message": "m"}}\n\n', "m"),
            (gzip.compress(b'{"error": {"message": "m"}}', mtime=0), "m"),
            (gzip.compress(b"m", mtime=0)[:8], "could not be decompressed"),
            (b"\x1f\x8b and no more of gzip", "could not be decompressed"),
            (b"[" * 100_000, "[["),
            (b'{"error": {"message": "m", "details": ' + b"[" * 600 + b"]" * 600 + b"}}", '"message": "m"'),
            (b'{"error": {"message": "m", "n": NaN, "s": "\\ud800"}}', "m"),
            ("Schl\xfcssel".encode("latin-1"), "Schl\ufffdssel"),
        ],
    )
    def test_the_words_are_never_lost(self, body: bytes, words: str) -> None:
        error = of(body)
        assert words in error.error_message if words else error.error_message == ""
        assert (error.body, error.status, error.phase) == (body[: 64 * 1024], 400, "before_stream")
        assert type(error) is InvalidRequestError

    def test_another_charset_is_read_where_the_header_names_it(self) -> None:
        body = "密钥错误".encode("gb18030")
        assert of(body, headers={"Content-Type": "text/plain; charset=GB18030"}).error_message == "密钥错误"
        assert of(body, headers={"Content-Type": "text/plain; charset=hex"}).error_message

    def test_text_is_taken_too_and_nothing(self) -> None:
        assert of('{"error": {"message": "m"}}').error_message == "m"
        assert of(None, 500).body == b""
        assert of(memoryview(b"m").tobytes()).error_message == "m"

    @pytest.mark.parametrize("status", [200, 400, 418, 500, 529])
    def test_the_type_and_the_code_and_the_details(self, status: int) -> None:
        error = of(
            json.dumps(
                {
                    "error": {
                        "type": "overloaded_error",
                        "message": "m",
                        "details": {"error_code": "compaction_unavailable"},
                    }
                }
            ).encode(),
            status,
        )
        assert (type(error), error.code) == (OverloadedError, "compaction_unavailable")
        error = of(b'{"error": {"message": "m", "code": 502, "metadata": {"raw": "r"}}}', status)
        assert (error.code, error.details) == ("502", {"raw": "r"})

    @given(body=st.binary(max_size=200) | strategies.json_values().map(lambda value: json.dumps(value).encode()))
    def test_no_body_makes_it_raise(self, body: bytes) -> None:
        for shown in (body, b"data: " + body, b"event: error\ndata:" + body + b"\n\n", b"<title>" + body):
            error = of(shown)
            assert isinstance(error, APIError)
            str(error).encode("utf-8", "backslashreplace")

    def test_what_is_asked_wrongly_is_refused(self) -> None:
        for status in ("429", None, True):
            with pytest.raises(LocalProtocolError, match="status of an answer is an int"):
                APIError.from_response(status, {}, b"")  # type: ignore[arg-type]
        with pytest.raises(LocalProtocolError, match="body of an answer is bytes, not dict"):
            APIError.from_response(400, {}, {})  # type: ignore[arg-type]


class TestHeaders:
    @pytest.mark.parametrize(
        "headers",
        [
            {"Request-Id": "req_1", "Retry-After": "7"},
            [("request-id", "req_1"), ("retry-after", "7"), ("retry-after", "9")],
            [(b"Request-Id", b"req_1"), (b"Retry-After", b" 7 ")],
            (("X-Request-Id", "req_1"), ("Retry-After", "7")),
        ],
    )
    def test_any_librarys_headers(self, headers: Any) -> None:
        error = of(b"", 429, headers)
        assert (type(error), error.request_id, error.retry_after, error.rate_limits) == (
            RateLimitError,
            "req_1",
            7,
            None,
        )

    def test_an_object_with_items(self) -> None:
        headers = MailMessage()  # what http.client and urllib have
        headers["Request-Id"] = "req_1"
        assert of(b"", headers=headers).request_id == "req_1"

    @pytest.mark.parametrize("headers", [None, (), {}, 5, [1, 2], [(1, 2)], {"a": None}, "text"])
    def test_odd_headers_are_left_out(self, headers: Any) -> None:
        assert of(b"m", headers=headers).error_message == "m"

    def test_a_date_to_wait_for(self) -> None:
        later = {"retry-after": "Sat, 28 Nov 2026 12:00:30 GMT"}
        assert of(b"", 429, later, now=NOON.timestamp()).retry_after == 30
        assert of(b"", 429, later).retry_after is None
        assert of(b"", 429, {**later, "date": "Sat, 28 Nov 2026 12:00:10 GMT"}).retry_after == 20
        assert of(b"", 429, later, now=NOON.timestamp() + 60).retry_after is None

    @pytest.mark.parametrize("now", [float("nan"), float("inf"), -float("inf"), True, "0", b"", 10**400, [0]])
    def test_a_time_of_day_that_is_none(self, now: Any) -> None:
        with pytest.raises(LocalProtocolError, match="now is the time of day"):
            of(b"", 429, {"retry-after": "Sat, 28 Nov 2026 12:00:30 GMT"}, now=now)

    def test_the_servers_word_on_retrying(self) -> None:
        assert not of(b"", 529, {"x-should-retry": "false"}).retryable
        assert of(b"", 400, {"x-should-retry": "true"}).retryable

    def test_a_redirect_says_where_it_leads_and_keeps_the_servers_words(self) -> None:
        error = of(b'{"error": {"message": "moved"}}', 308, {"location": "https://u:p@other.test/x?key=1"})
        assert type(error) is APIError
        assert "leads to https://other.test;" in str(error)
        assert "moved" in error.error_message
        assert "key=1" not in error.error_message

    @pytest.mark.parametrize(
        ("location", "words"),
        [
            ("https://other.test/x", "leads to https://other.test;"),
            ("HTTP://OTHER.test:8080", "leads to http://other.test:8080;"),
            ("//other.test/x", "leads to https://other.test;"),
            ("https://u:p@other.test#key", "leads to https://other.test;"),
            ("https://[2001:db8::1]:443/", "leads to https://[2001:db8::1]:443;"),
            ("/elsewhere?key=1", "leads to another path of the same server;"),
            ("elsewhere", "leads to another path of the same server;"),
            ("mailto:key@other.test", "leads to something that is not http;"),
            ("ftp://other.test/key", "names an address that cannot be used;"),
            ("https://key!/", "names an address that cannot be used;"),
            ("https:///key", "names an address that cannot be used;"),
            ("", "names no address;"),
            (None, "names no address;"),
        ],
    )
    def test_where_a_redirect_leads(self, location: str | None, words: str) -> None:
        error = of(b"", 302, {} if location is None else {"location": location})
        assert f"the answer is a redirect that {words}" in error.error_message
        assert "key" not in error.error_message

    @pytest.mark.parametrize("body", [b"<title>302 Found</title>", b"Found", b'["Found"]', b"7"])
    def test_the_page_of_a_redirect_says_no_more(self, body: bytes) -> None:
        assert of(body, 302, {"location": "/x"}).error_message == of(b"", 302, {"location": "/x"}).error_message


HEADERS = {
    "anthropic-ratelimit-requests-limit": "50",
    "anthropic-ratelimit-requests-remaining": "49",
    "anthropic-ratelimit-requests-reset": "2026-11-28T12:00:00Z",
    "Anthropic-RateLimit-Tokens-Remaining": "1000",
    "anthropic-ratelimit-input-tokens-reset": "2026-11-28T13:30:00.5+01:30",
    "anthropic-ratelimit-output-tokens-limit": "many",
    "anthropic-priority-input-tokens-limit": "7",
    "anthropic-ratelimit-unified-status": "allowed_warning",
    "anthropic-ratelimit-unified-reset": "1795867200",
    "anthropic-ratelimit-unified-5h-utilization": "0.42",
    "anthropic-ratelimit-unified-5h-status": "allowed",
    "anthropic-ratelimit-unified-7d-reset": "soon",
    "anthropic-ratelimit-unified-representative-claim": "five_hour",
}


def test_an_error_can_be_printed_whatever_half_characters_it_has() -> None:
    body = {
        "type": "error",
        "error": {"type": "t\ud800", "message": "m\udc00é", "code": "c\ud800"},
        "request_id": "r\ud800",
    }
    error = of(json.dumps(body).encode(), 400)
    assert (error.type, error.code, error.request_id) == ("t\ufffd", "c\ufffd", "r\ufffd")
    assert error.error_message == "m\ufffdé"
    assert str(error).encode()


class TestRateLimits:
    def test_whatever_of_it_is_there(self) -> None:
        limits = of(OVERLOADED, 529, HEADERS).rate_limits
        assert limits is not None
        assert limits.requests == RateLimit(limit=50, remaining=49, reset=NOON)
        assert limits.tokens == RateLimit(remaining=1000)
        assert limits.input_tokens == RateLimit(reset=NOON + timedelta(microseconds=500_000))
        assert limits.output_tokens == RateLimit()
        assert limits.priority_input_tokens == RateLimit(limit=7)
        assert limits.priority_output_tokens is None
        assert limits.unified == {
            "": UnifiedLimit(status="allowed_warning", reset=NOON),
            "5h": UnifiedLimit(status="allowed", utilization=0.42),
            "7d": UnifiedLimit(),
        }
        assert limits.headers["anthropic-ratelimit-unified-representative-claim"] == "five_hour"
        assert limits.requests.reset is not None
        assert limits.requests.reset.utcoffset() == timedelta(0)

    def test_none_where_no_header_tells_of_any(self) -> None:
        assert of(b"", 429, {"retry-after": "1"}).rate_limits is None
        assert RateLimits().requests is None

    @given(value=st.text(max_size=40))
    def test_no_value_makes_it_raise(self, value: str) -> None:
        assert of(b"", 429, dict.fromkeys(HEADERS, value)).rate_limits is not None

    @given(
        when=st.datetimes(datetime(1971, 1, 1), datetime(9998, 1, 1)),
        offset=st.integers(-1439, 1439).map(lambda minutes: timezone(timedelta(minutes=minutes))),
    )
    def test_moments_are_those_of_the_standard_library(self, when: datetime, offset: timezone) -> None:
        aware = when.replace(tzinfo=offset)
        assert parse_moment(aware.isoformat()) == aware
        whole = aware.replace(microsecond=0)  # of a fraction a float keeps too little in the year 3059
        assert parse_moment(str(int(whole.timestamp()))) in (whole, None)

    @pytest.mark.parametrize(
        "text",
        ["", "x", "2026-11-28", "2026-13-01T00:00:00Z", "2026-11-28T25:00:00Z", "2026-11-28T00:00:00+24:00"],
    )
    def test_what_is_no_moment(self, text: str) -> None:
        assert parse_moment(text) is None


@pytest.mark.parametrize(
    ("status", "error", "cls", "retryable"),
    [
        (500, {"code": 429}, RateLimitError, True),
        (400, {"code": "rate_limit_exceeded"}, RateLimitError, True),
        (200, {"code": "RESOURCE_EXHAUSTED"}, RateLimitError, True),
        (429, {"type": "insufficient_quota"}, RateLimitError, False),
        (502, {"type": "authentication_error"}, AuthenticationError, False),
        (500, {"code": 401}, AuthenticationError, False),
        (502, {"code": 401}, AuthenticationError, False),
        (400, {"code": 503}, InvalidRequestError, False),
        (400, {"type": "api_error"}, InvalidRequestError, False),
        (404, {"type": "NotFoundError"}, NotFoundError, False),
        (0, {"type": "InternalServerError"}, ServerError, True),
        (200, {"type": "ThrottlingException"}, RateLimitError, True),
        (200, {"code": "internal_error"}, ServerError, True),
        (200, {"type": "stream_error"}, APIError, False),
        (418, {"type": "api_error"}, APIError, False),
    ],
)
def test_the_words_of_gateways(status: int, error: dict[str, Any], cls: type[APIError], retryable: bool) -> None:
    found = of(json.dumps({"error": {**error, "message": "m"}}).encode(), status)
    assert (type(found), found.retryable) == (cls, retryable)
