"""What stands in the bodies of answers that say no, and redirects."""

from __future__ import annotations

import json
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
from tests.faults.server import FIN, FLOW, READ, TLS, Site

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
no("sse", events(OVERLOADED), error=APIError)
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
