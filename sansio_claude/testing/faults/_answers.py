"""Faults of what an answer says: statuses, retries, redirects, events, sizes."""

from __future__ import annotations

from typing import Any, Final

from sansio_claude.testing.faults.fault import (
    EVENTS,
    GOOD,
    GOOD_END,
    HEAD,
    KEY,
    add,
    answer,
    chunk,
    event,
    fixed,
    head,
    refusal,
    stream,
)
from sansio_claude.testing.faults.server import FLOW, READ

STATUS: Final = "statuses"
AGAIN: Final = "when to ask again"
MOVED: Final = "redirects"
EVENT: Final = "events that break the rules"
SIZE: Final = "too much"
_PAGE: Final = b"<!doctype html><html><head><title>Bad gateway</title></head></html>"
_REFUSED: Final = "Raises an error that says the status, and sends the request once."
_PATIENT: Final = "Sends the request again after a while; without retries it raises an error."
_ECHO: Final = {"type": "error", "error": {"type": "authentication_error", "message": f"bad key {KEY}"}}
_NOT_FOLLOWED: Final = "Raises an error. Key and prompt go to no other address."

for _status, _kind in (
    (400, "invalid_request_error"),
    (401, "authentication_error"),
    (403, "permission_error"),
    (404, "not_found_error"),
    (413, "request_too_large"),
):
    add(STATUS, f"status_{_status}", "error", f"{_status}, {_kind}", refusal(_status, _kind), requests=1, good=_REFUSED)
add(STATUS, "status_529", "error", "529, overloaded, for ever", refusal(529, "overloaded_error", "retry-after: 0"))
add(STATUS, "status_502_html", "error", "502 with a page", fixed(_PAGE, "retry-after: 0", status=502, kind="text/html"))
add(STATUS, "s200_html", "error", "200 with a page", fixed(_PAGE, kind="text/html"))
add(STATUS, "s200_json_error", "error", "200 with an error as JSON", refusal(200, "overloaded_error"))
add(STATUS, "eb_array", "error", "400 whose body is a list", answer([1, "x"], status=400), requests=1)
add(STATUS, "eb_huge", "error", "400 with a body of 8 MiB", fixed(b"x" * 8_388_608, status=400), requests=1)
add(
    STATUS,
    "status_echoes_key",
    "error",
    "a 401 that quotes the key of the request",
    good="Raises an error that does not show the key.",
    scripts=lambda _: ((READ, answer(_ECHO, status=401)),),
)

add(
    AGAIN,
    "retry_529",
    "either",
    "529 once, then good",
    good=_PATIENT,
    scripts=((READ, refusal(529, "overloaded_error", "retry-after: 0"), READ, GOOD), (READ, GOOD)),
)
add(
    AGAIN,
    "retry_429_nan",
    "either",
    "429 with Retry-After: nan, then good",
    good=_PATIENT,
    scripts=((READ, refusal(429, "rate_limit_error", "retry-after: nan"), READ, GOOD), (READ, GOOD)),
)
add(
    AGAIN,
    "retry_told_not_to",
    "error",
    "529 with x-should-retry: false",
    refusal(529, "overloaded_error", "x-should-retry: false"),
    requests=1,
    good="Raises an error and sends the request once.",
)

for _status in (302, 307, 308):
    add(
        MOVED,
        f"redir_cross_{_status}",
        "error",
        f"{_status} to another origin",
        good=_NOT_FOLLOWED,
        # The type of a lambda has no place for a parameter that holds the loop's value.
        scripts=lambda elsewhere, status=_status: (  # type: ignore[misc]
            (READ, head(status, f"location: {elsewhere}/v1/messages", framing="content-length: 0")),
        ),
    )
add(MOVED, "redir_no_location", "error", "307 without a Location", head(307, framing="content-length: 0"))
add(
    MOVED,
    "redir_loop",
    "error",
    "307 to itself, for ever",
    head(307, "location: /v1/messages", framing="content-length: 0"),
    good=_NOT_FOLLOWED,
)


def _odd(name: str, ends: Any, what: str, *events: bytes, **more: Any) -> None:
    add(EVENT, name, ends, what, stream(*events), **more)


_DELTA: Final[dict[str, Any]] = {"type": "content_block_delta", "index": 0}
_TOOL: Final = event(
    {
        "type": "content_block_start",
        "index": 0,
        "content_block": {"type": "tool_use", "id": "t", "name": "f", "input": {}},
    }
)
_OVERLOADED: Final = event({"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}})
_odd("ev_error_mid", "error", "an error event in the middle of the stream", *EVENTS[:4], _OVERLOADED, requests=1)
_odd("ev_error_first", "error", "an error event before message_start", _OVERLOADED)
_odd("ev_error_no_json", "error", "an error event whose data is no JSON", *EVENTS[:3], event("upstream gone", "error"))
_odd(
    "ev_bad_json",
    "error",
    "the data of an event is broken JSON",
    *EVENTS[:3],
    event('{"type":', "content_block_delta"),
    *GOOD_END,
)
_odd("ev_no_start", "error", "no message_start", *EVENTS[1:])
_odd("ev_delta_before_start", "error", "a delta for a block that was never started", EVENTS[0], *EVENTS[2:])
_odd(
    "ev_index_negative",
    "error",
    "a delta with the index -1",
    *EVENTS[:3],
    event({**_DELTA, "index": -1, "delta": {"type": "text_delta", "text": "x"}}),
    *EVENTS[3:],
)
_odd(
    "ev_text_list",
    "error",
    "a text that is a list",
    *EVENTS[:3],
    event({**_DELTA, "delta": {"type": "text_delta", "text": ["x"]}}),
    *EVENTS[3:],
)
_odd(
    "ev_message_null",
    "error",
    "message_start without a message",
    event({"type": "message_start", "message": None}),
    *EVENTS[1:],
)
_odd(
    "ev_data_number",
    "error",
    "the data of an event is a number",
    *EVENTS[:3],
    event("5", "content_block_delta"),
    *EVENTS[3:],
)
_odd(
    "ev_deep",
    "either",
    "an unknown key holds 50,000 nested lists",
    *EVENTS[:3],
    event('{"type":"ping","x":' + "[" * 50_000 + "]" * 50_000 + "}"),
    *EVENTS[3:],
)
_odd(
    "ev_after_message_stop",
    "whole",
    "a delta behind message_stop",
    *EVENTS,
    event({**_DELTA, "delta": {"type": "text_delta", "text": "FORGED"}}),
    good="Gives the whole answer, without what stands behind its end.",
)
_odd(
    "ev_usage_missing",
    "whole",
    "the message_delta has no usage",
    *EVENTS[:-2],
    event({"type": "message_delta", "delta": {"stop_reason": "end_turn", "stop_sequence": None}}),
    EVENTS[-1],
)
_odd(
    "ev_ping_empty",
    "whole",
    "pings without data",
    EVENTS[0],
    b"event: ping\n\n",
    b"event: ping\ndata:\n\n",
    *EVENTS[1:],
)

add(
    SIZE,
    "lim_endless_line",
    "error",
    "one line that never ends",
    HEAD,
    FLOW(lambda: (chunk(b"data: " + b"a" * 262_144) for _ in range(2_000))),
    good="Raises an error once the line passes a limit, in bounded memory.",
)
add(
    SIZE,
    "lim_pings",
    "whole",
    "20,000 pings at once",
    HEAD + chunk(EVENTS[0], b'event: ping\ndata: {"type": "ping"}\n\n' * 20_000, *EVENTS[1:]) + b"0\r\n\r\n",
)
