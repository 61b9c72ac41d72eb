"""Edits on text: what is not edited stays byte for byte, and edits mean what plain Python says they mean."""

from __future__ import annotations

import codecs
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sansio_claude._errors import ToolError
from sansio_claude.tools._composed import composed_place
from sansio_claude.tools._text_edits import TextFile, insert, replace, view

text_files = st.builds(
    lambda lines, last: "".join(line + end for line, end in lines) + last,
    st.lists(st.tuples(st.text("ab \tcé€", max_size=4), st.sampled_from(["\n", "\r\n", "\r"])), max_size=6),
    st.text("ab \tcé€", max_size=4),
)
encodings = st.sampled_from(
    [
        ("utf-8", b""),
        ("utf-8", codecs.BOM_UTF8),
        ("utf-16-le", codecs.BOM_UTF16_LE),
        ("utf-16-be", codecs.BOM_UTF16_BE),
        ("utf-32-le", codecs.BOM_UTF32_LE),
        ("utf-32-be", codecs.BOM_UTF32_BE),
    ]
)


def universal(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")


@given(text_files, encodings)
def test_bytes_come_back_as_they_were(text: str, how: tuple[str, bytes]) -> None:
    encoding, mark = how
    data = mark + text.encode(encoding)
    file = TextFile.from_bytes(data)
    assert file.text == text
    assert file.to_bytes() == data


@given(st.binary(max_size=40))
def test_any_bytes_are_text_that_comes_back_or_refused_in_words(data: bytes) -> None:
    try:
        file = TextFile.from_bytes(data)
    except ToolError as error:
        words = error.message
    else:
        words = "Error: This is a binary file"
        assert file.to_bytes() == data
    assert words.startswith(("Error: This is a binary file", "Error: This file is not text in UTF-8"))


OTHERS = [
    (b"caf\xe9 \x93quoted\x94", "cp1252", "caf\xe9 \u201cquoted\u201d"),
    (b"caf\xe9 \x81", "latin-1", "caf\xe9 \x81"),
    ("日本語テキスト".encode("shift_jis"), "shift_jis", "日本語テキスト"),
    ("中文文本".encode("gbk"), "gbk", "中文文本"),
    (b"\xff\xfeabc", "cp1252", "ÿþabc"),  # the mark of UTF-16, but no whole number of its characters
]


@pytest.mark.parametrize(("data", "encoding", "text"), OTHERS)
def test_an_encoding_is_never_guessed_but_can_be_named(data: bytes, encoding: str, text: str) -> None:
    with pytest.raises(ToolError, match=r"Error: This file is not text in UTF-8, .*; convert it to UTF-8 first"):
        TextFile.from_bytes(data)
    file = TextFile.from_bytes(data, encoding)
    assert (file.text, file.encoding) == (text, encoding)
    assert file.to_bytes() == data
    assert TextFile.from_bytes("é".encode(), encoding).text == "é"
    assert TextFile.from_bytes(b"", encoding).encoding == "utf-8"


def test_a_character_the_encoding_has_not_is_refused() -> None:
    file = TextFile.from_bytes(b"caf\xe9", "cp1252")
    with pytest.raises(ToolError, match=r"Error: The character '\\u4e2d' cannot be written .* cp1252"):
        replace(file, "caf", "中").to_bytes()


@pytest.mark.parametrize("data", [b"\x7fELF\x02\0\0", b"\x01\x02\x03\x04abc", codecs.BOM_UTF16_LE + b"a\0\0\0"])
def test_binary_files_get_words(data: bytes) -> None:
    with pytest.raises(ToolError, match=rf"Error: This is a binary file \({len(data)} bytes\)"):
        TextFile.from_bytes(data)


@given(text_files, st.data())
def test_replace_is_replace_on_the_text_with_its_own_line_ends(text: str, data: st.DataObject) -> None:
    plain = universal(text)
    start = data.draw(st.integers(0, len(plain)))
    old = plain[start : data.draw(st.integers(start, len(plain)))]
    new = data.draw(st.text("xy\n", max_size=5))
    # Places that overlap count each.
    count = sum(plain.startswith(old, place) for place in range(len(plain))) if old else 0
    file = TextFile(text)
    if not old:
        with pytest.raises(ToolError, match="Error: `old_str` must not be empty"):
            replace(file, old, new)
    elif count > 1:
        with pytest.raises(ToolError, match=f"Error: Found {count} matches for replacement text. Please provide more"):
            replace(file, old, new)
    else:
        done = replace(file, old, new).text
        if "\r" not in text:
            assert done == text.replace(old, new, 1)
        # Everything before and behind the place is untouched, to the byte.
        before, behind = _around(text, plain.index(old), len(old))
        assert done.startswith(before)
        assert done.endswith(behind)
        assert universal(done[len(before) : len(done) - len(behind)]) == new


def _around(text: str, start: int, length: int) -> tuple[str, str]:
    """The parts of the text before and behind a place of its universal form, found the slow way."""
    units: list[str] = []
    at = 0
    while at < len(text):
        unit = "\r\n" if text.startswith("\r\n", at) else text[at]
        units.append(unit)
        at += len(unit)
    return "".join(units[:start]), "".join(units[start + length :])


def test_replace_takes_the_line_ends_of_its_surroundings() -> None:
    assert replace(TextFile("a\r\nb\r\nc"), "a\nb", "x\ny\nz").text == "x\r\ny\r\nz\r\nc"
    assert replace(TextFile("a\rb"), "b", "x\ny").text == "a\rx\ry"
    assert replace(TextFile("a\nb"), "b", "x\r\ny").text == "a\nx\r\ny"
    assert replace(TextFile("a\r\nb\nc\n"), "c", "d\ne").text == "a\r\nb\nd\ne\n"
    assert replace(TextFile("one"), "one", "1\n2").text == "1\n2"
    assert replace(TextFile("one\r\ntwo"), "one\ntwo", "1\n2").text == "1\r\n2"
    assert replace(TextFile("a\r\nlast"), "last", "x\ny").text == "a\r\nx\r\ny"


def test_an_old_str_with_carriage_returns_is_compared_as_it_is() -> None:
    assert replace(TextFile("a\r\nb\nb"), "a\r\nb", "x").text == "x\nb"
    with pytest.raises(ToolError, match=r"Error: No match found for replacement\."):
        replace(TextFile("a\nb"), "a\r\nb", "x")
    # Half of a line end: the new text goes between.
    assert replace(TextFile("a\r\nb"), "\r", "").text == "a\nb"


def test_several_matches_are_told_with_their_lines() -> None:
    with pytest.raises(ToolError, match=r"Found 3 matches .* begin at lines 1, 3, 4\."):
        replace(TextFile("x\n\nx\nx"), "x", "y")
    with pytest.raises(ToolError, match=r"Found 2 matches .* begin at lines 1, 3\."):
        replace(TextFile("x\ny\nx\ny\n"), "x\ny\n", "")
    # Places that overlap are places too.
    with pytest.raises(ToolError, match=r"Found 2 matches .* begin at lines 1, 2\."):
        replace(TextFile("  }\n  }\n  }\n"), "  }\n  }\n", "")
    with pytest.raises(ToolError, match=r"Found 3 matches .* begin at lines 1, 1, 1\."):
        replace(TextFile("aaaa"), "aa", "")
    with pytest.raises(ToolError, match=r"Found at least 100 matches"):
        replace(TextFile("a" * 100_000), "a" * 50_000, "")
    with pytest.raises(ToolError, match=r"lines 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, \.\.\.\."):
        replace(TextFile("x\n" * 11), "x", "y")


@given(text_files, st.integers(-2, 9), st.text("xy\n", max_size=5))
def test_insert_is_insert_into_the_list_of_lines(text: str, after: int, new: str) -> None:
    file = TextFile(text)
    lines = universal(text).split("\n")
    if lines[-1] == "":
        lines.pop()
    if not 0 <= after <= len(lines):
        with pytest.raises(
            ToolError, match=rf"Error: Invalid `insert_line` {after}\. It must be from 0 .* to {len(lines)},"
        ):
            insert(file, after, new)
        return
    done = insert(file, after, new).text
    if not new:
        assert done == text
    elif not text:
        assert done == new
    else:
        added = new.removesuffix("\n").split("\n")
        expected = [*lines[:after], *added, *lines[after:]]
        ended = text.endswith(("\n", "\r"))
        assert universal(done) == "\n".join(expected) + ("\n" if ended else "")


def test_insert_takes_the_line_ends_of_its_surroundings() -> None:
    assert insert(TextFile("a\r\nb\r\n"), 1, "x\ny").text == "a\r\nx\r\ny\r\nb\r\n"
    assert insert(TextFile("a\r\nb"), 2, "x\n").text == "a\r\nb\r\nx"
    assert insert(TextFile("a\rb\r"), 0, "x\n").text == "x\ra\rb\r"
    assert insert(TextFile("a"), 1, "\n").text == "a\n"


def test_line_ends_side_by_side_do_not_become_one() -> None:
    assert insert(TextFile("a\rb\n"), 1, "\n").text == "a\r\rb\n"
    assert insert(TextFile("\nb\n"), 0, "x\r").text == "x\n\nb\n"
    assert replace(TextFile("a\rb\n"), "b", "\nc").text == "a\r\rc\n"
    assert replace(TextFile("a\rq\nz"), "a\nq", "x\n").text == "x\n\nz"
    assert replace(TextFile("x\nb"), "x", "y\r").text == "y\r\nb"  # what the model itself wrote stays
    assert replace(TextFile("a\rb\nc"), "b", "\n").text == "a\r\r\n\nc"


def test_view_numbers_the_lines() -> None:
    file = TextFile("a\r\n\tb\n\nd {x}\n")
    assert view(file) == "1: a\n2: \tb\n3: \n4: d {x}"
    assert view(file, 2, 3) == "2: \tb\n3: "
    assert view(file, 4, -1) == "4: d {x}"
    assert view(file, form="{number:>6}\t{line}").startswith("     1\ta\n     2\t\tb")
    assert view(TextFile("")) == "(The file is empty.)"


@pytest.mark.parametrize(("first", "last"), [(0, 2), (-1, 2), (5, 6), (5, -1), (2, 1), (1, 5), (1, -2), (1, 0)])
def test_a_view_range_outside_of_the_file_is_refused(first: int, last: int) -> None:
    with pytest.raises(ToolError, match=rf"Error: Invalid `view_range` \[{first}, {last}\]"):
        view(TextFile("a\nb\nc\nd\n"), first, last)
    with pytest.raises(ToolError, match="The file is empty"):
        view(TextFile(""), 2, 3)


@pytest.mark.parametrize(
    ("text", "old", "done"),
    [
        ("nai\u0308ve cafe\u0301\n", "naïve", "X cafe\u0301\n"),
        ("nai\u0308ve cafe\u0301\n", "café\n", "nai\u0308ve X"),
        ("naïve\r\ncafé", "cafe\u0301", "naïve\r\nX"),
        (unicodedata.normalize("NFD", "한국어 텍스트"), "국어", unicodedata.normalize("NFD", "한") + "X 텍스트"),
    ],
)
def test_a_text_is_found_by_its_composed_form(text: str, old: str, done: str) -> None:
    found = replace(TextFile(text), old, "X").text
    assert unicodedata.normalize("NFC", found) == unicodedata.normalize("NFC", done)
    start = found.index("X")
    assert text.startswith(found[:start])
    assert text.endswith(found[start + 1 :])


def test_a_composed_form_that_is_there_twice_or_in_part_is_not_taken() -> None:
    for text in ("e\u0301 e\u0301", "e\u0301\u0323"):
        with pytest.raises(ToolError, match="No match found"):
            replace(TextFile(text), "é", "X")


@given(st.text("ae\u0301\u0308\u0323\u1112\u1161\u11ab \n", max_size=12), st.integers(0, 12), st.integers(1, 6))
def test_a_composed_place_is_the_only_one(text: str, start: int, length: int) -> None:
    old = text[start : start + length]
    place = composed_place(text, unicodedata.normalize("NFC", old))
    if place is not None:
        found = unicodedata.normalize("NFC", text[slice(*place)])
        assert found == unicodedata.normalize("NFC", old)
        assert unicodedata.normalize("NFC", text).count(found) == 1
