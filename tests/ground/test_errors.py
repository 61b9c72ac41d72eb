"""The exceptions: one family, data as attributes, pickled and copied whole; and the choice of an APIError's class."""

from __future__ import annotations

import copy
import json
import pickle
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sansio_claude import _errors
from sansio_claude._errors import (
    APIError,
    AuthenticationError,
    BillingError,
    ClaudeError,
    ConflictError,
    ConnectError,
    DeadlineError,
    InvalidRequestError,
    LimitError,
    LocalProtocolError,
    NotFoundError,
    OverloadedError,
    PermissionDeniedError,
    ProxyError,
    RateLimitError,
    ReadError,
    RefusalError,
    RemoteProtocolError,
    RequestTooLargeError,
    ServerError,
    TLSError,
    ToolError,
    TransportError,
    TruncatedError,
    WriteError,
    api_error,
)
from sansio_claude._message.message import Message
from tests import strategies

EVERY_CLASS = [value for value in vars(_errors).values() if isinstance(value, type) and issubclass(value, Exception)]
PARTIAL = Message.from_dict({"id": "msg_1", "content": [{"type": "text", "text": "so far"}]})
EXAMPLES: list[ClaudeError] = [
    ClaudeError("root"),
    LocalProtocolError("local", path="messages[2]"),
    RemoteProtocolError("remote", stage="json", excerpt=b"{", offset=7, partial=PARTIAL),
    TruncatedError("cut", stage="stream", offset=3, partial=PARTIAL),
    RefusalError("refused", stop_details={"category": "cyber"}, partial=PARTIAL),
    LimitError("much", limit="line", value=8, stage="frames", excerpt=b"x", offset=1, partial=PARTIAL),
    APIError(
        "api",
        type="new_error",
        status=418,
        error_message="words",
        details={"error_code": "c"},
        request_id="req_1",
        retryable=True,
        phase="after_output",
        partial=PARTIAL,
        body=b"{}",
        retry_after=1.5,
    ),
    *(
        cls("api", type="t", status=500)
        for cls in (
            InvalidRequestError,
            AuthenticationError,
            BillingError,
            PermissionDeniedError,
            NotFoundError,
            ConflictError,
            RequestTooLargeError,
            RateLimitError,
            OverloadedError,
            ServerError,
        )
    ),
    TransportError("transport", partial=PARTIAL),
    ConnectError("refused"),
    TLSError("handshake"),
    ProxyError("proxy", status=407, partial=PARTIAL),
    ReadError("reset", partial=PARTIAL),
    WriteError("pipe"),
    DeadlineError("idle for 120 s", deadline="idle", seconds=120.0, partial=PARTIAL),
    ToolError("tool", content=[{"type": "text", "text": "t"}]),
]


def test_every_class_has_an_example() -> None:
    assert {type(error) for error in EXAMPLES} == set(EVERY_CLASS)


@pytest.mark.parametrize("error", EXAMPLES, ids=lambda error: type(error).__name__)
def test_pickling_and_copying_keep_everything(error: ClaudeError) -> None:
    error.attempts = ("one", "two")
    error.request_id = "req_9"
    twins = [copy.copy(error), copy.deepcopy(error)]
    twins += [pickle.loads(pickle.dumps(error, protocol)) for protocol in range(2, pickle.HIGHEST_PROTOCOL + 1)]
    for twin in twins:
        assert type(twin) is type(error)
        assert str(twin) == str(error) == error.message
        assert twin.args == error.args
        assert vars(twin) == vars(error)
        assert twin.partial == error.partial


@pytest.mark.parametrize("cls", EVERY_CLASS)
def test_every_class_needs_nothing(cls: type[ClaudeError]) -> None:
    error = cls()
    assert isinstance(error, ClaudeError)
    assert str(error) == error.message == ""
    assert error.partial is None
    assert error.request_id is None
    assert error.attempts == ()
    assert pickle.loads(pickle.dumps(error)).message == ""


@pytest.mark.parametrize("cls", EVERY_CLASS)
def test_every_class_takes_its_message_by_name(cls: type[ClaudeError]) -> None:
    error: Any = cls(message="words")
    assert (str(error), error.message) == ("words", "words")


def test_an_error_without_arguments_has_no_message() -> None:
    error = ClaudeError("x")
    error.args = ()
    assert error.message == ""


def test_the_family() -> None:
    tree: dict[type[ClaudeError], list[type[ClaudeError]]] = {
        ClaudeError: [LocalProtocolError, RemoteProtocolError, APIError, TransportError, RefusalError, ToolError],
        RemoteProtocolError: [TruncatedError, LimitError],
        APIError: [
            *(InvalidRequestError, AuthenticationError, BillingError, PermissionDeniedError, NotFoundError),
            *(ConflictError, RequestTooLargeError, RateLimitError, OverloadedError, ServerError),
        ],
        TransportError: [ConnectError, TLSError, ProxyError, ReadError, WriteError, DeadlineError],
    }
    for parent, children in tree.items():
        assert set(parent.__subclasses__()) == set(children)
    assert issubclass(DeadlineError, TimeoutError)
    assert all(name in vars(_errors) for name in _errors.__all__)


def test_defaults_of_the_attributes() -> None:
    remote = RemoteProtocolError()
    assert (remote.stage, remote.excerpt, remote.offset, remote.partial) == ("wire", b"", None, None)
    limit = LimitError()
    assert (limit.limit, limit.value, limit.stage) == ("", 0, "wire")
    api = APIError()
    assert vars(api) == {
        "type": None,
        "code": None,
        "status": 0,
        "error_message": "",
        "details": None,
        "request_id": None,
        "retryable": False,
        "phase": "before_stream",
        "partial": None,
        "body": b"",
        "retry_after": None,
        "rate_limits": None,
    }
    assert LocalProtocolError().path is None
    assert ProxyError().status is None
    deadline = DeadlineError()
    assert (deadline.deadline, deadline.seconds) == ("total", None)
    assert ToolError().content is None


def test_what_the_peer_sent_is_not_shown_by_itself() -> None:
    remote = RemoteProtocolError("words", excerpt=b"SECRET")
    api = APIError("words", body=b"SECRET", error_message="SECRET")
    for error in (remote, api):
        assert "SECRET" not in str(error) + repr(error)


BY_TYPE = {
    "invalid_request_error": (InvalidRequestError, False),
    "authentication_error": (AuthenticationError, False),
    "billing_error": (BillingError, False),
    "permission_error": (PermissionDeniedError, False),
    "not_found_error": (NotFoundError, False),
    "conflict_error": (ConflictError, True),
    "request_too_large": (RequestTooLargeError, False),
    "rate_limit_error": (RateLimitError, True),
    "overloaded_error": (OverloadedError, True),
    "api_error": (ServerError, True),
    "timeout_error": (ServerError, True),
    "new_error": (APIError, False),
}
BY_STATUS = {
    400: (InvalidRequestError, False),
    401: (AuthenticationError, False),
    402: (BillingError, False),
    403: (PermissionDeniedError, False),
    404: (NotFoundError, False),
    408: (APIError, True),
    409: (ConflictError, True),
    413: (RequestTooLargeError, False),
    418: (APIError, False),
    422: (InvalidRequestError, False),
    429: (RateLimitError, True),
    499: (APIError, False),
    500: (ServerError, True),
    503: (ServerError, True),
    504: (ServerError, True),
    529: (OverloadedError, True),
    599: (ServerError, True),
    307: (APIError, False),
    200: (APIError, False),
}


SAYS_LITTLE = {"api_error", "timeout_error", "new_error"}


@pytest.mark.parametrize("kind", BY_TYPE)
def test_the_class_is_chosen_by_the_type_first_the_same_in_a_stream(kind: str) -> None:
    cls, retryable = BY_TYPE[kind]
    for status in (0, 200, 503, *(() if kind in SAYS_LITTLE else (400, 404, 429, 529))):
        error = api_error({"type": "error", "error": {"type": kind, "message": "m"}}, status=status)
        assert type(error) is (ServerError if kind == "new_error" and status == 503 else cls)
        assert error.retryable is (retryable or type(error) is ServerError)
        assert (error.type, error.status, error.error_message) == (kind, status, "m")
    assert type(api_error({"error": {"type": kind}}, status=200)) is cls


@pytest.mark.parametrize("kind", sorted(SAYS_LITTLE))
@pytest.mark.parametrize("status", [each for each in BY_STATUS if 400 <= each < 500])
def test_a_type_that_says_little_gives_way_to_the_status(kind: str, status: int) -> None:
    error = api_error({"error": {"type": kind, "message": "m"}}, status=status)
    cls, retryable = BY_STATUS[status]
    if status == 408 and kind != "new_error":  # which says the same
        cls = ServerError
    assert (type(error), error.retryable) == (cls, retryable)


@pytest.mark.parametrize("kind", [kind for kind, (cls, again) in BY_TYPE.items() if not again and cls is not APIError])
@given(status=st.integers(100, 999))
def test_what_is_definite_is_never_retryable(kind: str, status: int) -> None:
    error = api_error({"error": {"type": kind}}, status=status)
    assert (type(error), error.retryable) == (BY_TYPE[kind][0], False)


@pytest.mark.parametrize("status", BY_STATUS)
def test_without_a_type_the_class_is_chosen_by_the_status(status: int) -> None:
    cls, retryable = BY_STATUS[status]
    payloads: tuple[Any, ...] = (None, "words", [], {}, {"error": {"type": "new_error"}}, {"error": "words"})
    for payload in payloads:
        error = api_error(payload, status=status)
        assert type(error) is cls
        assert error.retryable is retryable


def test_a_retryable_type_under_another_status() -> None:
    assert api_error({"error": {"type": "overloaded_error"}}, status=400).retryable


@pytest.mark.parametrize(
    ("payload", "kind", "words", "details"),
    [
        ({"type": "error", "error": {"type": "t", "message": "m", "details": {"a": 1}}}, "t", "m", {"a": 1}),
        ({"error": {"message": "m", "code": 7}}, None, "m", None),
        ({"error": {"type": "t", "message": None}}, "t", "", None),
        ({"error": {"type": "", "message": 3}}, None, "", None),
        ({"error": {"type": 5, "message": "m"}}, None, "m", None),
        ({"error": "words"}, None, "words", None),
        ({"error": ["x"]}, None, "x", None),
        ({"error": None}, None, "", None),
        ({"message": "m"}, None, "m", None),
        ({"Message": "m"}, None, "m", None),
        ({"type": "error", "message": "m"}, None, "m", None),
        ({"type": "overloaded_error", "message": "m"}, "overloaded_error", "m", None),
        ({"msg": "m", "code": 401}, None, "m", None),
        ({"detail": "m"}, None, "m", None),
        ({"detail": [{"loc": ["body"], "msg": "m", "type": "missing"}, {}]}, None, "m", None),
        ({"detail": ["m"]}, None, "m", None),
        ({"errors": [{"message": "m"}]}, None, "m", None),
        ({"errors": []}, None, "", None),
        ({"error": {"error": {"type": "t", "message": "m", "details": 1}}}, "t", "m", 1),
        ({"error": {"message": "outer", "error": {"type": "t", "message": "m"}}}, "t", "outer", None),
        ({"error": {"error": "m"}}, None, "m", None),
        ([{"error": {"message": "m", "status": "X"}}], None, "m", None),
        ([{"error": {"message": "m"}}, {}], None, "m", None),
        ([], None, "", None),
        ("plain words", None, "plain words", None),
        (None, None, "", None),
        (7, None, "7", None),
    ],
)
def test_the_shapes_of_error_bodies(payload: Any, kind: str | None, words: str, details: Any) -> None:
    error = api_error(payload, status=400)
    assert (error.type, error.error_message, error.details) == (kind, words, details)
    shown = f"{kind or 'error'}: {words or 'the answer has no message'} (HTTP 400)"
    assert str(error) == shown


def test_everything_given_is_kept() -> None:
    error = api_error(
        {"error": {"type": "api_error", "message": "m"}, "request_id": "in the body"},
        status=500,
        body=b"raw",
        request_id="in the head",
        retry_after=2.5,
        phase="after_output",
        partial=PARTIAL,
    )
    assert (error.body, error.request_id, error.retry_after, error.phase) == (
        b"raw",
        "in the head",
        2.5,
        "after_output",
    )
    assert error.partial is PARTIAL
    assert str(error) == "api_error: m (HTTP 500, request in the head)"
    assert api_error({}, status=400).phase == "before_stream"


def test_the_request_id_of_the_body_counts_where_the_head_had_none() -> None:
    assert api_error({"error": {}, "request_id": "req_1"}, status=400).request_id == "req_1"
    assert api_error({"error": {}, "request_id": 5}, status=400).request_id is None
    assert api_error([], status=400).request_id is None


def test_in_a_stream_the_words_say_so() -> None:
    payload = {"error": {"type": "overloaded_error", "message": "Overloaded"}}
    assert str(api_error(payload, status=200, phase="before_output")) == "overloaded_error: Overloaded (in the stream)"
    assert str(api_error(payload, status=200)) == "overloaded_error: Overloaded (HTTP 200)"


def test_long_words_are_cut_in_the_text_only() -> None:
    for length in (500, 501):
        error = api_error({"error": {"message": "w" * length}}, status=400)
        assert error.error_message == "w" * length
        assert ("w" * 500 + ("..." if length > 500 else "") + " (") in str(error)


def test_a_long_type_or_request_id_is_cut_in_the_text_only() -> None:
    error = api_error({"error": {"type": "t" * 101}, "request_id": "r" * 101}, status=400)
    assert (error.type, error.request_id) == ("t" * 101, "r" * 101)
    assert str(error) == f"{'t' * 100}: the answer has no message (HTTP 400, request {'r' * 100})"


@pytest.mark.parametrize("code", ["enforced_spend_limit_reached", "contract_spend_limit_reached"])
def test_a_spend_cap_is_not_retryable_whatever_is_said(code: str) -> None:
    payload = {"error": {"type": "rate_limit_error", "details": {"error_code": code}}}
    assert not api_error(payload, status=429).retryable
    assert not api_error(payload, status=429, should_retry=True).retryable
    assert api_error({"error": {"type": "rate_limit_error", "details": {"error_code": "x"}}}, status=429).retryable
    assert api_error({"error": {"type": "rate_limit_error", "details": {"error_code": []}}}, status=429).retryable
    assert api_error({"error": {"type": "rate_limit_error", "details": [code]}}, status=429).retryable


def test_the_servers_word_on_retrying_wins() -> None:
    assert not api_error({}, status=529, should_retry=False).retryable
    assert api_error({}, status=400, should_retry=True).retryable


@given(strategies.json_values(), st.integers(100, 999))
def test_no_payload_makes_it_raise(payload: Any, status: int) -> None:
    for shape in (payload, {"error": payload}, {"error": {"type": payload, "message": payload, "details": payload}}):
        error = api_error(shape, status=status)
        assert isinstance(error, APIError)
        assert error.status == status
        json.dumps(str(error))
