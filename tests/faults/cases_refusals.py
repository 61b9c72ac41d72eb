"""What stands in the bodies of answers that say no, and redirects."""

from __future__ import annotations

import json
import zlib
from typing import Any

from sansio_claude._errors import (
    APIError,
    InvalidRequestError,
    OverloadedError,
    ServerError,
)
from tests.certificates import server_context
from tests.faults.case import Outcome, case
from tests.faults.pieces import (
    EVENTS,
    GOOD,
    PAGE,
    chunk,
    events,
    fixed,
    gz,
    head,
)
from tests.faults.server import FIN, FLOW, READ, RST, TLS, Site

BODY = events(*EVENTS)
OVERLOADED = {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}


def no(name: str, content: bytes, *fields: str, words: str = "", want: str = "api", **more: Any) -> None:
    case(
        f"eb_{name}",
        want,
        [READ, fixed(content, *fields, status=400)],
        words=words,
        **{"error": InvalidRequestError, **more},
    )


no("array", b'[{"error": {"message": "in a list"}}]', words="in a list")
no("array_empty", b"[]")
no("error_string", b'{"type": "error", "error": "just words"}', words="just words")
no("error_null", b'{"type": "error", "error": null}')
no("error_number", b'{"type": "error", "error": 5}')
no("error_list", b'{"type": "error", "error": ["a"]}')
no("type_null", b'{"type": "error", "error": {"type": null, "message": "m"}}', words="m")
no("type_number", b'{"type": "error", "error": {"type": 5, "message": "m"}}', words="m")
no("type_unknown", b'{"type": "error", "error": {"type": "new_error", "message": "m"}}', words="new_error")
no("message_null", b'{"type": "error", "error": {"type": "invalid_request_error", "message": null}}')
no("message_object", b'{"type": "error", "error": {"type": "invalid_request_error", "message": {"a": 1}}}')
no("message_long", json.dumps({"error": {"message": "m" * 60_000}}).encode(), words="mmm...")
no("message_only", b'{"message": "plain"}', words="plain")
no("aws", b'{"Message": "from AWS"}', words="from AWS")
no("null", b"null")
no("number", b"5")
no("string", b'"a string"', words="a string")
no("empty", b"")
no("spaces", b"  \n ")
no("text", b"upstream connect error", words="upstream connect error")
no("html", PAGE, words="Bad gateway")
no("html_no_title", b"<html><body>x</body></html>", words="HTML")
no("broken_json", b'{"type": "error", "error": {"type": "inv')
no("bom", b'\xef\xbb\xbf{"error": {"message": "behind a BOM"}}', words="behind a BOM")
no("latin1", b'{"error": {"message": "gr\xfc\xdfe"}}')
no("utf16", '{"error": {"message": "x"}}'.encode("utf-16"))
no("nul", b'{"error": {"message": "a\\u0000b"}}\0')
no("controls", b"\x1b[31mred\x1b[0m\x07\r\n\x00")
no("surrogate", b'{"error": {"message": "\\ud800"}}')
no("nan", b'{"error": {"message": "m", "details": NaN}}')
no("bigint", b'{"error": {"message": "m"}, "n": ' + b"9" * 5_000 + b"}")
no("deep", b'{"error":' * 20_000 + b"1" + b"}" * 20_000)
no("deep_array", b"[" * 50_000)
no("gzip", gz(b'{"error": {"message": "unpacked"}}'), "content-encoding: gzip", words="unpacked")
no("gzip_bad", b'{"error": {"message": "not packed"}}', "content-encoding: gzip", want="api|protocol")
no("gzip_cut", gz(b'{"error": {"message": "unpacked"}}')[:-12], "content-encoding: gzip", want="api|protocol")
no("br", b"\x0b\x02\x80", "content-encoding: br", want="api|protocol", error=None)
no("gzip_bomb", gz(b"a" * (64 << 20)), "content-encoding: gzip", want="api|limit|protocol", error=None)
no("sse", events(OVERLOADED), words="Overloaded", error=OverloadedError, tries=3)
no("nostatus", b'{"type":"error","error":{"type":"overloaded_error","message":"m"}}', error=OverloadedError, tries=3)
case(
    "eb_huge",
    "api",
    [READ, head(400, framing=f"content-length: {64 << 20}"), FLOW(lambda: (b"a" * 65_536 for _ in range(1_024)))],
    error=InvalidRequestError,
    check=lambda outcome: _bounded(outcome),
)
case(
    "eb_endless",
    "api",
    [READ, head(400), FLOW(lambda: (chunk(b"a" * 65_536) for _ in range(4_096)))],
    error=InvalidRequestError,
    check=lambda outcome: _bounded(outcome),
)
case("eb_bad_chunks", "api", [READ, head(400) + b"zz\r\n", FIN], error=InvalidRequestError)
case(
    "eb_500_huge",
    "api",
    [READ, head(500, framing=None), FLOW(lambda: (b"a" * 65_536 for _ in range(1_024)))],
    error=ServerError,
    tries=3,
)


def _bounded(outcome: Outcome) -> None:
    assert isinstance(outcome.error, APIError)
    assert len(outcome.error.body) <= 65_536
    assert len(str(outcome.error)) < 1_000


# Redirects: never followed, so the other origin gets no connection


def redirect(name: str, number: int, location: Any, *, words: str = "redirect", **more: Any) -> None:
    def scripts(site: Site, elsewhere: Site) -> Any:
        target = location(site, elsewhere) if callable(location) else location
        fields = [] if target is None else [f"location: {target}"]
        first = [more["secure"]] if "secure" in more else []
        return [[*first, READ, head(number, *fields, framing="content-length: 0")], [*first, READ, GOOD]]

    options = {key: value for key, value in more.items() if key != "secure"}
    case(f"redir_{name}", "api", scripts=scripts, words=words, error=APIError, tries=1, tls="secure" in more, **options)


def other(site: Site, elsewhere: Site) -> str:
    return f"http://127.0.0.1:{elsewhere.port}/v1/messages"


for _number in (301, 302, 303, 307, 308):
    redirect(f"cross_{_number}", _number, other)
redirect("cross_create", 307, other, how="message")
redirect("cross_whole", 307, other, how="whole")
redirect("downgrade", 308, other, secure=TLS(server_context("127.0.0.1")))
redirect("loop", 307, lambda site, elsewhere: f"http://127.0.0.1:{site.port}/v1/messages")
redirect("same", 307, "/v1/other", words="another path")
redirect("same_host_other_port", 307, lambda site, elsewhere: f"//127.0.0.1:{elsewhere.port}/")
redirect("no_location", 307, None, words="names no address")
redirect("empty_location", 307, "", words="names no address")
redirect("file", 307, "file:///etc/passwd", words="cannot be used")
redirect("javascript", 307, "javascript:alert(1)", words="not http")
redirect("bad_url", 307, "http://[::bad/", words="cannot be used")
redirect("bad_port", 307, "http://example.com:99999/")
redirect("userinfo", 307, "https://user:password@example.com/secret?token=abc", words="https://example.com")
redirect("latin1", 307, "http://b\xfccher.example/")
redirect("300", 300, other)
redirect("304", 304, None)
redirect("305", 305, other)
redirect("retry_after", 307, "/again")


# Neighbours of these

no("xml", b"<?xml version='1.0'?><Error><Code>AccessDenied</Code></Error>")
no("lines", b'{"error": {"message": "a"}}\n{"error": {"message": "b"}}')
no("two_levels", b'{"error": {"error": {"message": "inner"}}}')
no("errors_list", b'{"errors": [{"message": "in errors"}]}')
no("detail", b'{"detail": "from a framework"}')
no("message_newlines", b'{"error": {"message": "a\\r\\nb: c\\u001b[31m"}}')
no("message_false", b'{"error": {"message": false}}')
no("type_long", json.dumps({"error": {"type": "t" * 60_000, "message": "m"}}).encode())
no("keys_many", json.dumps({"error": {f"k{number}": number for number in range(3_000)}}).encode())
no("details_deep", b'{"error": {"message": "m", "details": ' + b"[" * 400 + b"]" * 400 + b"}}", words="m")
no("request_id_number", b'{"error": {"message": "m"}, "request_id": 5}', words="m")
no("request_id_long", json.dumps({"error": {"message": "m"}, "request_id": "r" * 50_000}).encode(), words="m")
no("empty_object", b"{}")
no("error_empty", b'{"error": {}}')
no("true", b"true")
no("dup_keys", b'{"error": {"message": "first"}, "error": {"message": "last"}}', words="last")
no("cut_utf8", b'{"error": {"message": "gr\xc3')
no("png", b"\x89PNG\r\n\x1a\n\0\0")
no("gzip_unsaid", gz(b'{"error": {"message": "m"}}'))
no("deflate", zlib.compress(b'{"error": {"message": "unpacked"}}'), "content-encoding: deflate", words="unpacked")
no("gzip_html", gz(PAGE), "content-encoding: gzip", words="Bad gateway")
no("title_long", b"<title>" + b"t" * 50_000 + b"</title>")
no("title_open", b"<title>" * 9_000)
no("title_controls", b"<title>\x1b[2J\x07 clear</title>", words="clear")
no("escapes", b'{"error": {"message": "\\u202e\\u0000\\u001b]0;title\\u0007"}}')
case(
    "eb_1xx_then_cut",
    "api",
    [READ, b"HTTP/1.1 103 H\r\n\r\n" + head(400, framing="content-length: 90") + b"{", FIN],
    error=InvalidRequestError,
)
case(
    "eb_rst",
    "api",
    [READ, head(400) + chunk(b'{"error": {"message": "before the reset"}}'), 0.02, RST],
    words="before the reset",
)
case(
    "eb_cut_tls",
    "api",
    [TLS(server_context("127.0.0.1")), READ, head(400, framing=None) + b'{"error": {"message": "m"}}', FIN],
    tls=True,
)
case(
    "eb_trailers_huge",
    "api",
    [READ, head(400) + chunk(b"{}") + b"0\r\n" + b"x: y\r\n" * 20_000 + b"\r\n"],
    error=InvalidRequestError,
)
case(
    "eb_headers_echo",
    "api",
    [READ, fixed(b"{}", *(f"x-{number}: {'v' * 500}" for number in range(60)), status=400)],
    error=InvalidRequestError,
)
case(
    "eb_request_id_huge",
    "api",
    [READ, fixed(b"{}", "request-id: " + "r" * 50_000, status=400).replace(b"request-id: req_fault\r\n", b"")],
    error=InvalidRequestError,
)
case(
    "eb_reason_huge",
    "api",
    [READ, b"HTTP/1.1 400 " + b"r" * 50_000 + b"\r\ncontent-length: 0\r\n\r\n"],
    error=InvalidRequestError,
)
redirect("upgrade", 308, "https://127.0.0.1/v1/messages", words="https://127.0.0.1")
redirect("relative", 307, "../x", words="another path")
redirect("query", 307, "?x=y", words="another path")
redirect("fragment", 307, "#x", words="another path")
redirect("data", 307, "data:text/html,hello", words="not http")
redirect("mailto", 307, "mailto:a@b", words="not http")
redirect("backslash", 307, "\\\\evil.example\\x")
redirect("backslash_user", 307, "http://127.0.0.1\\@evil.example/")
redirect("spaces", 307, "  /again  ")
redirect("controls", 307, "http://a\x01b/")
redirect("tab", 307, "java\tscript:alert(1)")
redirect("huge", 307, "https://example.com/" + "a" * 50_000, words="https://example.com")
redirect("huge_host", 307, "https://" + "a" * 50_000 + ".example/")
redirect("huge_port", 307, "https://example.com:" + "1" * 5_000)
redirect("empty_host", 307, "https:///x")
redirect("ipv6", 307, "http://[::1]:80/x", words="http://[::1]")
redirect("unicode", 308, "https://\u00fc.example/")
redirect("userinfo_only", 307, "https://user:password@/")
redirect("303_whole", 303, other, how="whole")
redirect("307_large", 307, other, ask={"messages": [{"role": "user", "content": "x" * 1_000_000}]})
case(
    "redir_two_locations",
    "api",
    [READ, head(307, "location: https://a.example/", "location: https://b.example/", framing="content-length: 0")],
    error=APIError,
)
case(
    "redir_body",
    "api",
    [READ, fixed(PAGE, "location: /x", status=302, kind="text/html")],
    error=APIError,
    words="redirect",
)
case(
    "redir_told_to_retry",
    "api",
    [READ, head(307, "location: /x", "x-should-retry: true", framing="content-length: 0")],
    [READ, GOOD],
    retried=True,
)
case(
    "redir_in_stream",
    "ok",
    [
        READ,
        head(200, "location: https://evil.example/", "refresh: 0; url=https://evil.example/")
        + GOOD.partition(b"\r\n\r\n")[2],
    ],
)
