"""Answers that say no by their status, and attempts that are made again."""

from __future__ import annotations

import json
from typing import Any

from sansio_claude._errors import (
    APIError,
    AuthenticationError,
    BillingError,
    ConflictError,
    InvalidRequestError,
    NotFoundError,
    OverloadedError,
    PermissionDeniedError,
    RateLimitError,
    RequestTooLargeError,
    ServerError,
)
from tests.faults.case import Outcome, case
from tests.faults.cases_reuse import over
from tests.faults.pieces import (
    EVENTS,
    GOOD,
    HEAD,
    JSON,
    MESSAGE,
    PAGE,
    PING,
    answer,
    chunk,
    chunks,
    error,
    events,
    fixed,
    gz,
    head,
    page,
    whole,
)
from tests.faults.server import FIN, HOLD, READ, RST, Step

BODY = events(*EVENTS)
OVERLOADED = {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}


def told(status: int, kind: str | None, **more: Any) -> Any:
    """What the error has to know."""

    def check(outcome: Outcome) -> None:
        found = outcome.error
        assert isinstance(found, APIError)
        assert found.status == status
        assert found.type == kind
        assert found.request_id == "req_fault"
        assert len(found.attempts) == outcome.requests
        for key, value in more.items():
            assert getattr(found, key) == value

    return check


def status(name: str, number: int, kind: str, cls: type[APIError], tries: int = 1) -> None:
    case(
        f"status_{name}",
        "api",
        [READ, error(number, kind)],
        error=cls,
        tries=tries,
        check=told(number, kind, error_message="no"),
    )


status("400", 400, "invalid_request_error", InvalidRequestError)
status("401", 401, "authentication_error", AuthenticationError)
status("402", 402, "billing_error", BillingError)
status("403", 403, "permission_error", PermissionDeniedError)
status("404", 404, "not_found_error", NotFoundError)
status("408", 408, "timeout_error", ServerError, 3)
status("409", 409, "conflict_error", ConflictError, 3)
status("413", 413, "request_too_large", RequestTooLargeError)
status("418", 418, "teapot_error", APIError)
status("422", 422, "invalid_request_error", InvalidRequestError)
status("429", 429, "rate_limit_error", RateLimitError, 3)
status("500", 500, "api_error", ServerError, 3)
status("502", 502, "api_error", ServerError, 3)
status("503", 503, "api_error", ServerError, 3)
status("504", 504, "timeout_error", ServerError, 3)
status("529", 529, "overloaded_error", OverloadedError, 3)
status("529_as_503", 503, "overloaded_error", OverloadedError, 3)
status("401_as_400", 400, "authentication_error", AuthenticationError)
for _number, _cls, _tries in (
    (400, InvalidRequestError, 1),
    (401, AuthenticationError, 1),
    (403, PermissionDeniedError, 1),
    (500, ServerError, 3),
    (502, ServerError, 3),
    (503, ServerError, 3),
    (504, ServerError, 3),
    (520, ServerError, 3),
    (529, OverloadedError, 3),
):
    case(
        f"status_{_number}_html",
        "api",
        [READ, page(_number)],
        error=_cls,
        tries=_tries,
        words="Bad gateway",
        check=told(_number, None, body=PAGE),
    )
case("status_whole", "api", [READ, error(404, "not_found_error")], error=NotFoundError, how="whole")
case("status_create", "api", [READ, error(404, "not_found_error")], error=NotFoundError, how="message")
case("status_kept_alive", "api", [READ, error(400, "invalid_request_error")], check=over(1))
BIG: dict[str, Any] = {"messages": [{"role": "user", "content": "x" * 8_000_000}]}
case(
    "status_413_early_rst",
    "api|connect|truncated",
    [0.01, error(413, "request_too_large"), 0.05, RST],
    ask=BIG,
    off=0,
    then=False,
    site={"buffer": 4096},
)
case(
    "status_413_early_fin",
    "api|connect|truncated",
    [0.01, error(413, "request_too_large"), FIN],
    ask=BIG,
    off=0,
    then=False,
    site={"buffer": 4096},
)
case("status_401_before_request", "api|connect", [error(401, "authentication_error"), READ, HOLD], off=None, then=False)
case("status_cut_body", "api", [READ, error(400, "invalid_request_error")[:-20], FIN], error=InvalidRequestError)
case("status_rst_body", "api", [READ, error(400, "invalid_request_error")[:-20], 0.02, RST], error=InvalidRequestError)
case("status_cut_at_head", "api", [READ, head(529), FIN], error=OverloadedError, tries=3)
case("status_no_body", "api", [READ, head(500, framing="content-length: 0")], error=ServerError, tries=3)
case(
    "status_no_length", "api", [READ, head(500, framing=None) + b"oops", FIN], error=ServerError, tries=3, words="oops"
)
case("s200_html", "protocol", [READ, page(200)], words="HTML")
case("s200_html_json", "protocol", [READ, page(200)], how="whole", words="HTML")
case("s200_html_sse", "protocol", [READ, fixed(PAGE, kind="text/event-stream")], words="HTML")
case("s200_text", "protocol|truncated", [READ, fixed(b"Hello there", kind="text/plain")])
case("s200_json_message_create", "ok", [READ, JSON], how="message")
case("s200_json_error", "api", [READ, whole(OVERLOADED)], error=OverloadedError, tries=3)
case("s200_json_error_whole", "api", [READ, whole(OVERLOADED)], error=OverloadedError, tries=3, how="whole")
case("s200_json_other", "protocol", [READ, whole({"status": "ok"})])
case("s200_json_other_whole", "protocol", [READ, whole({"status": "ok"})], how="whole")
case("s200_json_array", "protocol", [READ, whole([MESSAGE])], how="whole")
case("s200_sse_nostream", "protocol", [READ, GOOD], how="whole", words="event stream")
case("s200_gzip_unsaid", "protocol", [READ, head(200) + chunk(gz(BODY)), HOLD], words="gzip")
case("s202_empty", "api|truncated|protocol", [READ, head(202, framing="content-length: 0")])


# Retries


def once(name: str, *bad: Any, want: str = "api", **more: Any) -> None:
    """Bad once, good from then on."""
    case(f"retry_{name}", want, [READ, *bad], [READ, GOOD], retried=True, **more)


once("529", error(529, "overloaded_error"))
once("500", error(500, "api_error"))
once("502_html", page(502))
once("503_html", page(503))
once("504", error(504, "timeout_error"))
once("408", error(408, "timeout_error"))
once("409", error(409, "conflict_error"))
once("429", error(429, "rate_limit_error"))
once("520", page(520))
once("500_closed", error(500, "api_error", "connection: close"), FIN)
once("500_cut", error(500, "api_error")[:-10], FIN)
case("retry_500_twice", "api", [READ, error(500, "api_error")], [READ, page(502)], [READ, GOOD], retried=True)
case("retry_mixed", "connect", [READ, RST], [READ, error(529, "overloaded_error")], [READ, GOOD], retried=True)
case("retry_json", "api", [READ, error(529, "overloaded_error")], [READ, JSON], how="whole", retried=True)
case("retry_create", "api", [READ, error(529, "overloaded_error")], [READ, GOOD], how="message", retried=True)
case(
    "retry_create_stream_error",
    "api",
    [READ, answer(*EVENTS[:4], OVERLOADED)],
    [READ, GOOD],
    how="message",
    retried=True,
)
case("retry_stream_error_first", "api", [READ, answer(OVERLOADED)], [READ, GOOD], retried=True)
case("retry_stream_error_after_ping", "api", [READ, answer(PING, OVERLOADED)], [READ, GOOD], retried=True)
case(
    "retry_stream_error_after_start",
    "api",
    [READ, answer(EVENTS[0], OVERLOADED)],
    [READ, GOOD],
    tries=1,
    error=OverloadedError,
)
case(
    "retry_stream_invalid",
    "api",
    [READ, answer({"type": "error", "error": {"type": "invalid_request_error", "message": "no"}})],
    [READ, GOOD],
    tries=1,
    error=InvalidRequestError,
)
case(
    "retry_told_not_to",
    "api",
    [READ, error(529, "overloaded_error", "x-should-retry: false")],
    [READ, GOOD],
    tries=1,
    error=OverloadedError,
)
case(
    "retry_told_to",
    "api",
    [READ, error(400, "invalid_request_error", "x-should-retry: true")],
    [READ, GOOD],
    retried=True,
)
case(
    "retry_told_nonsense",
    "api",
    [READ, error(529, "overloaded_error", "x-should-retry: perhaps")],
    [READ, GOOD],
    retried=True,
)
SPENT = {
    "type": "error",
    "error": {"type": "rate_limit_error", "message": "no", "details": {"error_code": "enforced_spend_limit_reached"}},
}
case("retry_spend_cap", "api", [READ, whole(SPENT, status=429)], [READ, GOOD], tries=1, error=RateLimitError)
SLOW: dict[str, Any] = {"initial": 5.0}


def asked(name: str, field: str, *, least: float = 0.0, reported: bool = False, **more: Any) -> None:
    """A 429 with a wait. `reported`: too long to be slept, so it is an error at once."""

    def check(outcome: Outcome) -> None:
        if outcome.kind == "ok":
            assert outcome.seconds >= least

    scripts: tuple[list[Step], ...] = ([READ, error(429, "rate_limit_error", field)], [READ, GOOD])
    case(
        f"retry_429_{name}",
        "api",
        *scripts,
        retried=not reported,
        tries=1 if reported else 2,
        check=check,
        within=4.0,
        **more,
    )


OBEYED: dict[str, Any] = {"retry": SLOW}
asked("ms", "retry-after-ms: 200", least=0.19, **OBEYED)
asked("seconds", "retry-after: 0.2", least=0.19, **OBEYED)
asked("zero", "retry-after: 0")
asked("float_zero", "retry-after: 0.0")
asked("nan", "retry-after: nan")
asked("negative", "retry-after: -5")
asked("word", "retry-after: soon")
asked("empty", "retry-after:")
asked("ms_bad", "retry-after-ms: soon")
asked("past_date", "retry-after: Sun, 06 Nov 1994 08:49:37 GMT")
asked("past_date_850", "retry-after: Sunday, 06-Nov-94 08:49:37 GMT")
asked("bad_date", "retry-after: Sun, 99 Foo 1994 08:49:37 GMT")
asked("inf", "retry-after: inf")
asked("1e400", "retry-after: 1e400")
asked("digits", "retry-after: " + "9" * 5_000)
asked("hex", "retry-after: 0x10")
asked("other_digits", "retry-after: \xb2")
asked("far_date", "retry-after: Fri, 01 Jan 2199 00:00:00 GMT", reported=True)
asked("hour", "retry-after: 3600", reported=True)
asked("hour_ms", "retry-after-ms: 3600000", reported=True)
case(
    "retry_total",
    "api",
    [READ, error(529, "overloaded_error", "retry-after: 0.9")],
    [READ, GOOD],
    timeouts={"total": 0.5},
    tries=1,
)


# Neighbours of these

for _number in (405, 406, 407, 410, 411, 412, 414, 415, 416, 421, 424, 426, 428, 431, 451, 498, 499):
    case(f"status_{_number}", "api", [READ, page(_number)], error=APIError, tries=1, words="Bad gateway")
for _number in (501, 505, 507, 511, 521, 522, 523, 524, 525, 530, 598, 599):
    case(f"status_{_number}", "api", [READ, page(_number)], error=ServerError, tries=3, words="Bad gateway")
for _number in (201, 202, 203, 205, 206):
    case(
        f"status_{_number}_good",
        "api|protocol|truncated|ok",
        [READ, GOOD.replace(b" 200 ", b" %d " % _number, 1)],
        tries=1,
    )
case("status_429_html", "api", [READ, page(429)], error=RateLimitError, tries=3)
case(
    "status_529_text",
    "api",
    [READ, fixed(b"busy", status=529, kind="text/plain")],
    error=OverloadedError,
    tries=3,
    words="busy",
)
case(
    "status_529_sse",
    "api",
    [READ, fixed(events(OVERLOADED), status=529, kind="text/event-stream")],
    error=OverloadedError,
    tries=3,
)
case("status_400_message", "api", [READ, whole(MESSAGE, status=400)], error=InvalidRequestError)
case("status_400_good", "api", [READ, GOOD.replace(b" 200 ", b" 400 ", 1)], error=InvalidRequestError, then=False)
case("status_500_good", "api", [READ, GOOD.replace(b" 200 ", b" 500 ", 1)], error=ServerError, tries=3)
case(
    "status_400_1xx",
    "api",
    [READ, b"HTTP/1.1 100 Continue\r\n\r\n" + error(400, "invalid_request_error")],
    error=InvalidRequestError,
)
case("status_400_http10", "api", [READ, b"HTTP/1.0 400 No\r\n\r\n{}", FIN], error=InvalidRequestError)
case("status_400_reset_at_once", "api|connect|truncated", [READ, error(400, "invalid_request_error"), RST], off=1)
case("status_529_whole", "api", [READ, error(529, "overloaded_error")], error=OverloadedError, how="whole", tries=3)
case("status_529_create", "api", [READ, error(529, "overloaded_error")], error=OverloadedError, how="message", tries=3)
case(
    "status_401_challenge",
    "api",
    [READ, fixed(b"", 'www-authenticate: Basic realm="x"', status=401)],
    error=AuthenticationError,
)
case("s200_null", "protocol", [READ, fixed(b"null")])
case("s200_xml", "protocol", [READ, fixed(b'<?xml version="1.0"?><a/>', kind="text/xml")])
case("s200_image", "protocol|truncated", [READ, fixed(b"\x89PNG\r\n\x1a\n" + b"\0" * 500, kind="image/png")])
case("s200_pdf", "protocol|truncated", [READ, fixed(b"%PDF-1.7\n" + b"x" * 500, kind="application/pdf")])
case(
    "s200_lines",
    "protocol",
    [READ, fixed(b"\n".join(json.dumps(each).encode() for each in EVENTS), kind="application/x-ndjson")],
)
case(
    "s200_other_api",
    "protocol|truncated",
    [
        READ,
        answer(
            *[b'data: {"object":"chat.completion.chunk","choices":[{"delta":{"content":"x"}}]}\n\n'] * 3,
            b"data: [DONE]\n\n",
        ),
    ],
)
case("s200_words_in_stream", "protocol|truncated", [READ, answer(b"data: Internal Server Error\n\n")])
case("s200_json_error_create", "api", [READ, whole(OVERLOADED)], [READ, GOOD], how="message", retried=True)
case(
    "s200_json_error_in_stream_type",
    "api",
    [READ, fixed(json.dumps(OVERLOADED).encode(), kind="text/event-stream")],
    error=OverloadedError,
    tries=3,
)
case(
    "s200_json_error_bare",
    "api",
    [READ, whole({"error": {"type": "overloaded_error", "message": "m"}})],
    error=OverloadedError,
    tries=3,
)
case("s200_json_message_field", "api|protocol", [READ, whole({"message": "Internal Server Error"})])
case("s200_json_message_cut", "protocol|truncated", [READ, fixed(JSON.partition(b"\r\n\r\n")[2][:-9])])
case(
    "s200_aws_frames",
    "protocol|truncated",
    [READ, fixed(b"\0\0\0\x7a\0\0\0\x4b" + b"x" * 200, kind="application/vnd.amazon.eventstream")],
)
case(
    "retry_told_not_to_in_stream",
    "api",
    [READ, HEAD.replace(b"\r\n\r\n", b"\r\nx-should-retry: false\r\n\r\n") + chunks(events(OVERLOADED))],
    [READ, GOOD],
    tries=1,
)
case(
    "retry_told_to_upper",
    "api",
    [READ, error(400, "invalid_request_error", "X-Should-Retry: TRUE")],
    [READ, GOOD],
    retried=True,
)
case(
    "retry_told_twice",
    "api",
    [READ, error(529, "overloaded_error", "x-should-retry: false", "x-should-retry: true")],
    [READ, GOOD],
    tries=None,
    off=1,
    check=lambda outcome: None,
)
case(
    "retry_contract_cap",
    "api",
    [
        READ,
        whole(
            {
                "type": "error",
                "error": {
                    "type": "rate_limit_error",
                    "message": "no",
                    "details": {"error_code": "contract_spend_limit_reached"},
                },
            },
            status=429,
        ),
    ],
    [READ, GOOD],
    tries=1,
)
case("retry_cap_but_told_to", "api", [READ, whole(SPENT, "x-should-retry: true", status=429)], [READ, GOOD], tries=1)
case(
    "retry_odd_details",
    "api",
    [
        READ,
        whole({"type": "error", "error": {"type": "rate_limit_error", "message": "no", "details": ["x"]}}, status=429),
    ],
    [READ, GOOD],
    retried=True,
)
case(
    "retry_cut_refusal_whole",
    "api",
    [READ, error(529, "overloaded_error")[:-10], FIN],
    [READ, JSON],
    how="whole",
    retried=True,
)
case("retry_bad_chunks", "api", [READ, head(503) + b"zz\r\n", FIN], [READ, GOOD], retried=True)
case(
    "retry_gzip_bad", "api", [READ, fixed(b"no gzip", "content-encoding: gzip", status=503)], [READ, GOOD], retried=True
)
case("retry_not_protocol", "protocol", [READ, b"HTTP/1.1 abc\r\n\r\n", FIN], [READ, GOOD], tries=1)
case("retry_not_html", "protocol", [READ, page(200)], [READ, GOOD], tries=1)
case("retry_not_truncated_create", "truncated", [READ, answer(*EVENTS[:3])], [READ, GOOD], how="message", tries=1)
case("retry_not_half_head", "truncated|connect", [READ, HEAD[:30], RST], [READ, GOOD], tries=1)
case("retry_not_after_1xx", "truncated|connect", [READ, b"HTTP/1.1 100 Continue\r\n\r\n", FIN], [READ, GOOD], tries=1)
case("retry_not_limit", "limit", [READ, head(200, "x: " + "y" * 70_000) + GOOD], [READ, GOOD], tries=1)
case(
    "retry_then_invalid",
    "api",
    [READ, error(529, "overloaded_error")],
    [READ, error(400, "invalid_request_error")],
    [READ, GOOD],
    tries=2,
    error=APIError,
)
case(
    "retry_then_cut",
    "api|truncated",
    [READ, error(529, "overloaded_error")],
    [READ, HEAD + chunk(events(*EVENTS[:3])), FIN],
    [READ, GOOD],
    tries=2,
)
case(
    "retry_create_error_twice",
    "api",
    [READ, answer(*EVENTS[:5], OVERLOADED)],
    [READ, answer(*EVENTS[:5], OVERLOADED)],
    [READ, GOOD],
    how="message",
    retried=True,
)
case("retry_whole_html", "api", [READ, page(502)], [READ, JSON], how="whole", retried=True)
asked("spaces", "retry-after:    0.1   ", least=0.09, **OBEYED)
asked("leading_zeros", "retry-after: 0000000000.1", least=0.09, **OBEYED)
asked("no_zero", "retry-after: .1", least=0.09, **OBEYED)
asked("trailing_dot", "retry-after: 0.")
asked("ms_float", "retry-after-ms: 100.5", least=0.09, **OBEYED)
asked("ms_wins", "retry-after: 50\r\nretry-after-ms: 100", least=0.09, **OBEYED)
asked("ms_bad_seconds_good", "retry-after-ms: x\r\nretry-after: 0.1", least=0.09, **OBEYED)
asked("unit", "retry-after: 5s")
asked("plus", "retry-after: +5")
asked("exponent", "retry-after: 1e-1")
asked("list", "retry-after: 5, 10")
asked("comma", "retry-after: 0,5")
asked("underscore", "retry-after: 1_0")
asked("minus_zero", "retry-after: -0")
asked("iso_date", "retry-after: 2199-01-01T00:00:00Z")
asked("asctime_past", "retry-after: Sun Nov  6 08:49:37 1994")
asked("asctime_far", "retry-after: Fri Jan  1 00:00:00 2199", reported=True)
asked("date_zone", "retry-after: Sun, 06 Nov 1994 08:49:37 +0100")
asked("date_year_digits", "retry-after: Fri, 01 Jan 99999 00:00:00 GMT")
asked("date_year_zero", "retry-after: Sat, 01 Jan 0000 00:00:00 GMT")
asked("date_hour_25", "retry-after: Sun, 06 Nov 2199 25:49:37 GMT")
asked("html", "retry-after: <b>5</b>")
asked("long", "retry-after: " + "5" * 30_000)
asked("ms_nan", "retry-after-ms: nan")
asked("ms_negative", "retry-after-ms: -200")
asked("ms_digits", "retry-after-ms: " + "9" * 5_000)
asked("minute_and_more", "retry-after: 60.001", reported=True)
