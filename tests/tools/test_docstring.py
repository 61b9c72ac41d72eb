"""Docstrings in their three styles."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sansio_claude.tools._docstring import Docstring, parse_docstring

GOOGLE = """Get the weather.

    More about it,
    in two lines.

    Args:
        location (str): The city and state:
            as in San Francisco, CA.
        unit (Literal["c", "f"], optional): The unit.
        *days: How many days.
        undescribed:

    Returns:
        A sentence.

    Note:
        Not for the sea.
    """

NUMPY = """Get the weather.

    Parameters
    ----------
    location : str
        The city and state:
        as in San Francisco, CA.
    unit : {"c", "f"}, optional
        The unit.

        Celsius is the default.
    x, y
        A place on the map.

    Returns
    -------
    str
        A sentence.
    """

SPHINX = """Get the weather.

    :param location: The city and state:
        as in San Francisco, CA.
    :param str unit: The unit.
    :type location: str
        or bytes
    :keyword days: How many days.
    :returns: A sentence.
    :raises ValueError: Never.
    :meta: kept as it is
    """


def test_google_style() -> None:
    assert parse_docstring(GOOGLE) == Docstring(
        "Get the weather.\n\nMore about it,\nin two lines.\n\nReturns:\n    A sentence.\n\nNote:\n    Not for the sea.",
        {
            "location": "The city and state: as in San Francisco, CA.",
            "unit": "The unit.",
            "days": "How many days.",
        },
    )


def test_numpy_style() -> None:
    assert parse_docstring(NUMPY) == Docstring(
        "Get the weather.\n\nReturns\n-------\nstr\n    A sentence.",
        {
            "location": "The city and state: as in San Francisco, CA.",
            "unit": "The unit. Celsius is the default.",
            "x": "A place on the map.",
            "y": "A place on the map.",
        },
    )
    alone = parse_docstring("Sum.\n\nParameters\n----------\nx : int\n    One.\n*not a name*\n")
    assert alone == Docstring("Sum.\n\n*not a name*", {"x": "One."})
    assert parse_docstring("Sum.\n\nParameters\n----------\nx\n  One.").parameters == {"x": "One."}


def test_sphinx_style() -> None:
    assert parse_docstring(SPHINX) == Docstring(
        "Get the weather.\n\nReturns: A sentence.\nRaises ValueError: Never.\n:meta: kept as it is",
        {
            "location": "The city and state: as in San Francisco, CA.",
            "unit": "The unit.",
            "days": "How many days.",
        },
    )
    assert parse_docstring("Go.\n\n@param where: There.\n").parameters == {"where": "There."}


@pytest.mark.parametrize(
    ("text", "description"),
    [
        (None, ""),
        ("", ""),
        ("One line.", "One line."),
        ("\n    Begins on the second line.\n\n    And goes on.\n", "Begins on the second line.\n\nAnd goes on."),
        ("Args: are not described here", "Args: are not described here"),
        ("Do it.\n\nArgs:\n\nNothing is indented.", "Do it.\n\nArgs:\n\nNothing is indented."),
        ("Do it.\n\nArgs:\n    just words", "Do it.\n\nArgs:\n    just words"),
    ],
)
def test_what_has_no_parameters(text: str | None, description: str) -> None:
    assert parse_docstring(text) == Docstring(description, {})


@given(st.text("ab:@- \n\tArgs*param(),=", max_size=80))
def test_any_text_is_taken(text: str) -> None:
    found = parse_docstring(text)
    assert all(found.parameters.values())


def test_blank_lines_between_parameters_and_headings_without_any() -> None:
    found = parse_docstring("Do it.\n\nArgs:\n    a: The one.\n\n    b: The other.\n\nReturns:\n    It.\n")
    assert found == Docstring("Do it.\n\nReturns:\n    It.", {"a": "The one.", "b": "The other."})
    for text in ("Do it.\n\nArgs:", "Do it.\n\nParameters", "Do it.\n\nArgs:\nNothing."):
        assert parse_docstring(text) == Docstring(text, {})


@pytest.mark.parametrize(
    ("text", "description", "parameters"),
    [
        # Several names, names in quotes, dashes before them.
        ("Go.\n\nArgs:\n    x, y: A place.\n", "Go.", {"x": "A place.", "y": "A place."}),
        ("Go.\n\nArgs:\n    `x`: A place.\n    - y (int): Other.\n", "Go.", {"x": "A place.", "y": "Other."}),
        # Words before the first item belong to nobody, and stay.
        ("Go.\n\nArgs:\n    In metres:\n\n    x: A.\n", "Go.\n\nArgs:\n    In metres:", {"x": "A."}),
        (
            "Go.\n\nParameters\n----------\n  In metres.\nx : int\n  A.\n",
            "Go.\n\nParameters\n----------\n  In metres.",
            {"x": "A."},
        ),
        (
            "Go.\n\nParameters\n----------\nx : int\n  A.\n\nReturns\n-------",
            "Go.\n\nReturns\n-------",
            {"x": "A."},
        ),
        # A parameter described twice is described by both.
        ("Go.\n\n:param x: A.\n:param x: B.\n", "Go.", {"x": "A. B."}),
        (":param x: A.\n:rtype: int\n", "Return type: int", {"x": "A."}),
        ("Go.\n\nArgs:\n\n    x: A.\n", "Go.", {"x": "A."}),
    ],
)
def test_nothing_is_lost(text: str, description: str, parameters: dict[str, str]) -> None:
    assert parse_docstring(text) == Docstring(description, parameters)


def test_what_is_said_of_names_that_are_no_parameters_stays_in_the_description() -> None:
    found = parse_docstring("Go.\n\nArgs:\n    x: A.\n    **options: Passed on.\n    db: Filled in.\n")
    assert found.described(["x"], ["db"]) == "Go.\n\noptions: Passed on."
    bare = parse_docstring("Go.\n\nParameters\n----------\nx\nmode : str\nlevel : int\n    How deep.\ndb\n")
    assert bare.described(["x"], ["db"]) == "Go.\n\nlevel (int): How deep.\n\nmode (str)"


def test_types() -> None:
    google = parse_docstring("Go.\n\nArgs:\n    x (int, optional): A.\n    y: B.\n")
    assert google.types == {"x": "int, optional"}
    assert parse_docstring("Parameters\n----------\nx : {1, 2}\n    A.\n").types == {"x": "{1, 2}"}
    assert parse_docstring(":param int x: A.\n:type y: str\n").types == {"x": "int", "y": "str"}


@given(
    st.lists(
        st.sampled_from(["Args:", "    a: b", "    c", "", "word", "Parameters", "----------", "d : e", "      f"])
    )
)
def test_every_word_is_somewhere(lines: list[str]) -> None:
    found = parse_docstring("\n".join(["Go.", *lines]))
    kept = f"{found.described([])} {found.parameters} {found.types}"
    for word in ("b", "c", "f", "word"):
        assert sum(line.split(": ")[-1].strip() == word for line in lines) == 0 or word in kept


@pytest.mark.parametrize(
    "style",
    ["Args:\n        a: one\n            more\n        b (int): two\n    ", "Args:\n    a: one more\n    b: two"],
)
def test_a_docstring_that_begins_with_its_parameters(style: str) -> None:
    found = parse_docstring(style)
    assert found.parameters == {"a": "one more", "b": "two"}
    assert found.description == ""
    both = parse_docstring("Args:\n    a: one\nReturns:\n    A word.")
    assert (both.parameters, both.description) == ({"a": "one"}, "Returns:\n    A word.")
    assert parse_docstring("Args:\nNothing to see here.").description == "Args:\nNothing to see here."
