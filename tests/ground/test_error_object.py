"""What is an error and what it says: one decision for events, whole answers and the command line."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sansio_claude._errors.error_object import API_ERROR_TYPES, OTHER_TYPES, error_object, read_error
from tests import strategies

FAILED = {"type": "overloaded_error", "message": "m"}


@pytest.mark.parametrize("kind", ["error", *sorted(API_ERROR_TYPES)])
def test_the_type_of_an_error_makes_one(kind: str) -> None:
    assert error_object({"type": kind}) is not None
    assert error_object({"type": kind, "error": None}) is not None


@pytest.mark.parametrize("kind", sorted(OTHER_TYPES))
def test_another_known_type_makes_none(kind: str) -> None:
    value = {"type": kind, "content": [], "error": FAILED, "object": "error"}
    assert error_object(value) is None
    assert error_object(value, named=True) is None


@pytest.mark.parametrize(
    ("value", "is_error"),
    [
        ({"error": FAILED}, True),
        ({"type": None, "error": FAILED}, True),
        ({"type": "", "error": FAILED}, True),
        ({"type": "new", "error": FAILED}, False),
        ({"type": 5, "error": FAILED}, False),
        ({"type": [], "error": FAILED}, False),
        ({"error": {}}, True),
        ({"error": "words"}, True),
        ({"error": "  "}, False),
        ({"error": ""}, False),
        ({"error": None}, False),
        ({"error": True}, False),
        ({"error": True, "message": "m"}, True),
        ({"error": 5, "Message": "m"}, True),
        ({"error": ["x"], "msg": "m"}, True),
        ({"error": ["x"]}, False),
        ({"error": False, "message": "m"}, False),
        ({"object": "error", "message": "m"}, True),
        ({"object": "list", "message": "m"}, False),
        ({"message": "m"}, False),
        ({}, False),
        ([{"error": FAILED}], True),
        ([{"error": FAILED}, 1], True),
        ([1, {"error": FAILED}], False),
        ([[{"error": FAILED}]], True),
        ([], False),
        ("words", False),
        (None, False),
        (5, False),
    ],
)
def test_what_is_an_error(value: Any, is_error: bool) -> None:
    assert (error_object(value) is not None) is is_error
    # The name of an event decides where the type says nothing.
    assert error_object(value, named=True) is not None
    assert error_object(value, named=True) == read_error(value)


@given(strategies.json_values())
def test_an_event_named_error_is_one_whatever_its_data_is(value: Any) -> None:
    found = error_object(value, named=True)
    assert found is not None or (isinstance(value, dict) and value["type"] in OTHER_TYPES)
    assert error_object(value) in (None, found)


@pytest.mark.parametrize("levels", [1, 2, 5])
def test_the_object_of_a_list_is_read_as_it_would_be_alone(levels: int) -> None:
    value: Any = {"error": {"type": "t", "message": "m", "code": "c", "details": 1}, "request_id": "r"}
    alone = read_error(value)
    assert alone == ("t", "m", "c", 1, "r")
    for _ in range(levels):
        value = [value]
    assert read_error(value) == error_object(value) == alone


@pytest.mark.parametrize("at", ["envelope", "error", "error in an error"])
def test_the_request_id_may_stand_at_any_level(at: str) -> None:
    value: dict[str, Any] = {"error": {"message": "m", "error": {"message": "n"}}}
    place = {"envelope": value, "error": value["error"], "error in an error": value["error"]["error"]}[at]
    place["request_id"] = "req_1"
    assert read_error(value).request_id == "req_1"


@given(levels=st.integers(0, 40), key=st.sampled_from(["error", "message", "detail", "reason_nobody_knows"]))
def test_words_are_kept_however_deep_they_stand(levels: int, key: str) -> None:
    in_lists: Any = "the words"
    in_objects: Any = "the words"
    for _ in range(levels):
        in_lists, in_objects = [in_lists], {key: in_objects}
    for value in (in_lists, {key: in_lists}, in_objects, {"error": in_objects}):
        assert "the words" in read_error(value).words


@pytest.mark.parametrize("key", ["error", "message", "detail", "reason_nobody_knows"])
def test_no_depth_makes_it_raise(key: str) -> None:
    in_lists: Any = "the words"
    in_objects: Any = "the words"
    for _ in range(100_000):
        in_lists, in_objects = [in_lists], {key: in_objects}
    for value in (in_lists, {key: in_lists}, in_objects):
        read_error(value)
        error_object(value)
        error_object(value, named=True)
