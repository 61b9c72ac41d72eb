"""PartialJSON: its interface, its corners, and how much work it does."""

from __future__ import annotations

import copy
import gc
import inspect
import json
import pickle
import sys
import tracemalloc
import weakref
from collections.abc import Callable
from random import Random
from typing import Any

import pytest

from sansio_claude._errors import LimitError, LocalProtocolError, RemoteProtocolError
from sansio_claude._partial_json import numbers as _partial_json_numbers
from sansio_claude._partial_json import scan as _partial_json_scan
from sansio_claude._partial_json.fault import JSONFault
from sansio_claude._partial_json.parser import Change, PartialJSON, Watch
from tests.counting import work
from tests.partial_json_reference import NOTHING, same, see


def fed(*fragments: str, **settings: Any) -> PartialJSON:
    parser = PartialJSON(**settings)
    for fragment in fragments:
        parser.feed(fragment)
    return parser


def looked(*fragments: str, **settings: Any) -> PartialJSON:
    """The same, with a look after each fragment."""
    parser = PartialJSON(**settings)
    for fragment in fragments:
        parser.feed(fragment)
        assert parser.value is parser.value
    return parser


class TestInterface:
    def test_a_text_as_it_arrives(self) -> None:
        parser = PartialJSON()
        assert (parser.value, parser.status, parser.error, parser.text) == (None, "empty", None, "")
        parser.feed('{"path": "a.py", "lin')
        assert parser.value == {"path": "a.py"}
        parser.feed('es": 12')
        assert (parser.value, parser.status) == ({"path": "a.py", "lines": 12}, "incomplete")
        parser.feed("0}")
        assert (parser.value, parser.status) == ({"path": "a.py", "lines": 120}, "complete")
        assert parser.final() == {"path": "a.py", "lines": 120}
        parser.feed("}")
        assert parser.status == "invalid"
        assert parser.error == JSONFault(30, "nothing may follow the outermost value")
        assert parser.value == {"path": "a.py", "lines": 120}
        assert parser.text == '{"path": "a.py", "lines": 120}}'

    def test_dropped_strings_show_once_whole(self) -> None:
        parser = fed('{"a": "x", "b": "hel', strings="drop")
        assert parser.value == {"a": "x"}
        parser.feed('lo"')
        assert parser.value == {"a": "x", "b": "hello"}
        assert fed('"abc', strings="drop").snapshot(NOTHING) is NOTHING
        assert looked('["a\\', 'n"', strings="drop").value == ["a\n"]
        assert looked('"a\\', 'n"', strings="drop").final() == "a\n"

    def test_snapshot_tells_null_from_nothing_and_never_changes(self) -> None:
        assert fed("nul").snapshot(NOTHING) is NOTHING
        assert fed("null").snapshot(NOTHING) is None
        assert fed(" ").snapshot() is None
        parser = fed('{"done": [1, {"x": 2}], "open": [{"y": [0, "ab')
        snapshot = parser.snapshot()
        value = parser.value
        assert snapshot == value == {"done": [1, {"x": 2}], "open": [{"y": [0, "ab"]}]}
        assert snapshot["done"] is value["done"]
        assert snapshot["open"] is not value["open"]
        assert snapshot["open"][0]["y"] is not value["open"][0]["y"]
        parser.feed('c"], "z": 1}, 2]}')
        assert parser.value["open"] == [{"y": [0, "abc"], "z": 1}, 2]
        assert parser.value is value
        assert snapshot == {"done": [1, {"x": 2}], "open": [{"y": [0, "ab"]}]}
        snapshot["open"].append("mine")
        assert parser.value["open"][-1] == 2

    def test_snapshot_finds_the_open_place_of_a_repeated_key(self) -> None:
        parser = fed('{"a": 1, "b": 2, "a": [3')
        snapshot = parser.snapshot()
        parser.feed(", 4]")
        assert (snapshot, parser.value) == ({"a": [3], "b": 2}, {"a": [3, 4], "b": 2})

    def test_changes_tell_the_new_part_only(self) -> None:
        parser = fed('{"a": "he')
        assert parser.changes() == [
            Change((), "open", {}),
            Change(("a",), "open", ""),
            Change(("a",), "text", "he"),
        ]
        for piece in "ll":
            parser.feed(piece)
            assert parser.status == "incomplete"
        assert parser.changes() == [Change(("a",), "text", "ll")]
        parser.feed("l")
        assert parser.changes() == [Change(("a",), "text", "l")]
        parser.feed("p")
        assert parser.value == {"a": "helllp"}
        parser.feed('o", "n": [1')
        assert parser.changes() == [
            Change(("a",), "text", "po"),
            Change(("a",), "close"),
            Change(("n",), "open", []),
            Change(("n", 0), "value", 1),
        ]
        parser.feed(".")
        assert parser.changes() == [Change(("n", 0), "remove")]
        parser.feed("5, true, ")
        assert parser.changes() == [Change(("n", 0), "value", 1.5), Change(("n", 1), "value", True)]
        parser.feed("7")
        assert parser.changes() == [Change(("n", 2), "value", 7)]
        parser.feed("]}")
        assert parser.changes() == [Change(("n",), "close"), Change((), "close")]
        assert parser.changes() == []

    def test_changes_bring_back_what_a_withdrawn_number_had_replaced(self) -> None:
        parser = fed('{"a": [0], "a": 1')
        assert parser.changes()[-1] == Change(("a",), "value", 1)
        parser.feed(".")
        assert parser.changes() == [Change(("a",), "value", [0])]
        assert parser.value == looked('{"a": [0], "a": 1', ".").value == {"a": [0]}

    def test_changes_of_dropped_strings_are_values(self) -> None:
        parser = fed('["a", "b', strings="drop")
        assert parser.changes() == [Change((), "open", []), Change((0,), "value", "a")]
        parser.feed('c", "d"]')
        assert parser.changes() == [
            Change((1,), "value", "bc"),
            Change((2,), "value", "d"),
            Change((), "close"),
        ]

    def test_changes_of_a_string_alone(self) -> None:
        for settings in ({}, {"strings": "drop"}):
            parser = fed(**settings)
            assert parser.changes() == []
            parser.feed('"ab"')
            assert [change.operation for change in parser.changes()] in (["open", "text", "close"], ["value"])
            assert (parser.status, parser.value) == ("complete", "ab")
        parser = fed()
        assert parser.changes() == []
        parser.feed('""')
        assert parser.changes() == [Change((), "open", ""), Change((), "close")]

    def test_changes_asked_for_late_begin_at_the_beginning(self) -> None:
        parser = looked('{"a": [1, {"b": "x"}, ""], "c": {"d": "y', " ")
        texts = [(change.path, change.operation) for change in parser.changes()]
        assert texts == [
            ((), "open"),
            (("a",), "open"),
            (("a", 0), "value"),
            (("a", 1), "open"),
            (("a", 1, "b"), "open"),
            (("a", 1, "b"), "text"),
            (("a", 1, "b"), "close"),
            (("a", 1), "close"),
            (("a", 2), "open"),
            (("a", 2), "close"),
            (("a",), "close"),
            (("c",), "open"),
            (("c", "d"), "open"),
            (("c", "d"), "text"),
        ]
        parser.feed('"')
        assert parser.changes() == [Change(("c", "d"), "close")]

    def test_changes_and_faults_are_plain_values(self) -> None:
        change = Change(("a", 0), "text", "x")
        assert repr(change) == "Change(path=('a', 0), operation='text', value='x')"
        assert change == Change(("a", 0), "text", "x") != Change(("a", 1), "text", "x")
        assert change != JSONFault(0, "x")
        match JSONFault(3, "why"):
            case JSONFault(position=3, reason=reason):
                assert reason == "why"
        with pytest.raises(TypeError):
            hash(change)

    def test_a_list_that_somebody_else_fills(self) -> None:
        pieces = ['["a', "b"]
        parser = PartialJSON()
        parser._share(pieces)
        assert parser.value == ["ab"]
        pieces.append('c"')
        parser.feed("]")
        assert (parser.text, parser.final()) == ('["abc"]', ["abc"])
        parser = PartialJSON()
        parser._fragments.append("[1")
        parser.feed("2]")
        assert (parser.text, parser.final()) == ("[12]", [12])

    def test_settings_are_checked(self) -> None:
        wrong: list[dict[str, Any]] = [
            {"strings": "maybe"},
            {"max_depth": 0},
            {"max_depth": "many"},
            {"max_depth": True},
        ]
        for settings in wrong:
            with pytest.raises(LocalProtocolError):
                PartialJSON(**settings)

    @pytest.mark.parametrize("fragments", [[b"[1"], ["[", b"1"], [b"1", "["], ["[", b"1", b"2"]])
    def test_only_str_may_be_fed(self, fragments: list[Any]) -> None:
        asks: list[Callable[[PartialJSON], Any]] = [lambda p: p.value, lambda p: p.text, lambda p: p.final()]
        for ask in asks:
            parser = PartialJSON()
            for fragment in fragments:
                parser.feed(fragment)
            with pytest.raises(LocalProtocolError, match="str"):
                ask(parser)
            parser.feed("")
            assert parser.text in ("[", "")

    def test_a_str_of_ones_own_is_taken_as_str(self) -> None:
        class Text(str):
            __slots__ = ()

        parser = PartialJSON()
        parser.feed(Text('["a'))
        assert parser.text == '["a'
        parser.feed(Text("b"))
        assert parser.value == ["ab"]
        assert type(parser.text) is type(parser.value[0]) is str

    def test_the_parser_says_nothing_of_its_text(self) -> None:
        parser = looked('["secret"', ",")
        parser.feed("1")
        assert repr(parser) == "<PartialJSON, 11 characters>"

    def test_copies_go_their_own_way(self) -> None:
        parser = looked('{"a": "x', allow_nan=True, strings="drop", max_depth=3)
        for other in (copy.copy(parser), copy.deepcopy(parser), pickle.loads(pickle.dumps(parser))):
            other.feed('y", "b": NaN, "c": [[[')
            assert other.status == "invalid"
            assert list(other.value) == ["a", "b", "c"]
        assert parser.text == '{"a": "x'
        assert copy.copy(PartialJSON()).status == "empty"

    def test_nothing_is_left_behind(self) -> None:
        gc.disable()
        try:
            parser = looked('{"a": ["x', "y")
            watch = Watch(parser, "a[*]")
            parser.changes()
            gone = weakref.ref(parser)
            del parser, watch
            assert gone() is None
        finally:
            gc.enable()


class TestFinal:
    def test_the_default_is_for_no_text_at_all(self) -> None:
        assert fed().final({}) == {}
        assert fed("", "").final(default=None) is None
        assert looked("", "").final(default=None) is None
        for text in (" ", "nul"):
            with pytest.raises(RemoteProtocolError):
                fed(text).final(default={})
        with pytest.raises(RemoteProtocolError, match="cut"):
            fed().final()

    @pytest.mark.parametrize("make", [fed, looked])
    def test_what_was_cut_or_broken_is_on_the_error(self, make: Callable[..., PartialJSON]) -> None:
        for text, value in (('{"a": [1, 2', {"a": [1, 2]}), ('{"a": 1, b', {"a": 1}), ("tr", None)):
            with pytest.raises(RemoteProtocolError) as caught:
                make(text).final()
            error = caught.value
            assert (error.partial, error.text, error.stage) == (value, text, "json")
            assert error.excerpt == text.encode()
            again = pickle.loads(pickle.dumps(error))
            assert (again.partial, again.text, str(again)) == (value, text, str(error))
        with pytest.raises(RemoteProtocolError, match=r"a comma .* \(character 3 of 5\)"):
            make("[1 x]").final()

    @pytest.mark.parametrize("make", [fed, looked])
    def test_words_that_are_no_numbers(self, make: Callable[..., PartialJSON]) -> None:
        for text in ("[NaN]", "[Infinity]", "[-Infinity]", "NaN", "-Infinity"):
            with pytest.raises(RemoteProtocolError):
                make(text).final()
            assert same(make(text, allow_nan=True).final(), json.loads(text))
        assert looked("[-", "In", "f", "inity", "]", allow_nan=True).final() == [-float("inf")]
        assert looked("[-", "1]", allow_nan=True).final() == [-1]
        assert looked("-Inx", allow_nan=True).error == JSONFault(3, "only -Infinity can begin like this")
        assert make("[1e400, -1e400]").final() == [float("inf"), -float("inf")]

    @pytest.mark.parametrize("make", [fed, looked])
    def test_depth(self, make: Callable[..., PartialJSON]) -> None:
        deep = "[" * 512 + "]" * 512
        assert make(deep).final() is not None
        with pytest.raises(LimitError) as caught:
            make("[" + deep + "]").final()
        assert (caught.value.limit, caught.value.value) == ("depth", 512)
        wide = '[[1], {"a": [2]}, "x", {}]'
        assert make(wide, max_depth=3).final() == json.loads(wide)
        for text in (wide, '[[[1]], "x"]', '[{"a": {}}]', '{"a": [[]]}', "[[], 1, {}, [{}]]"):
            with pytest.raises(LimitError):
                make(text, max_depth=2).final()
            assert make(text, max_depth=3).final() == json.loads(text)

    @pytest.mark.parametrize("make", [fed, looked])
    def test_depth_counts_what_a_repeated_key_replaces(self, make: Callable[..., PartialJSON]) -> None:
        text = '{"a": [[]], "a": 1}'
        parser = make(text, max_depth=2)
        assert (parser.status, parser.value) == ("invalid", {"a": []})
        assert parser.error == JSONFault(7, "it nests deeper than max_depth = 2")
        assert make(text, max_depth=3).final() == {"a": 1}

    @pytest.mark.parametrize("make", [fed, looked])
    def test_brackets_in_strings_are_no_depth(self, make: Callable[..., PartialJSON]) -> None:
        text = '{"a": "[[[{{{\\"[[[", "[[[": [1, "{"]}'
        assert make(text, max_depth=2).final() == json.loads(text)
        with pytest.raises(LimitError):
            make(text, max_depth=1).final()

    def test_depth_holds_where_the_interpreter_has_no_room_left(self) -> None:
        def near_the_limit(room: int) -> Any:
            if room:
                return near_the_limit(room - 1)
            return fed("[" * 400 + "]" * 400).final()

        used = len(inspect.stack(0))
        assert near_the_limit(sys.getrecursionlimit() - used - 60) is not None

    def test_once_whole_it_is_not_parsed_again(self) -> None:
        parser = fed('{"a": [1, 2]}')
        value = parser.final()
        assert parser.final() is value
        assert parser.value is value
        assert parser.snapshot() is value
        assert parser.status == "complete"
        assert [change.operation for change in parser.changes()] == ["open", "open", "value", "value", "close", "close"]
        parser.feed(" ")
        assert parser.final() is value
        parser.feed(",")
        assert (parser.status, parser.error and parser.error.position) == ("invalid", 14)

    def test_a_number_at_the_top_may_go_on_after_final(self) -> None:
        parser = fed("12")
        assert parser.final() == 12
        parser.feed("3")
        assert (parser.final(), parser.value) == (123, 123)
        parser.feed(".")
        assert parser.value is None
        with pytest.raises(RemoteProtocolError, match="cut"):
            parser.final()

    def test_where_nobody_looked_it_costs_one_parse(self) -> None:
        def run(fragments: list[str], ask: Callable[[PartialJSON], Any]) -> Callable[[], object]:
            def action() -> None:
                parser = PartialJSON()
                for fragment in fragments:
                    parser.feed(fragment)
                ask(parser)

            return action

        text = json.dumps({"rows": [{"id": i, "name": f"row {i}"} for i in range(300)]})
        fragments = [text[at : at + 15] for at in range(0, len(text), 15)]
        fed_only = work(run(fragments, lambda parser: None))
        assert work(run(fragments, lambda parser: parser.final())) < fed_only + 8 * len(text)
        assert fed_only <= 2 * len(fragments) + len(text) + 50


class TestNumbers:
    def test_shown_while_they_are_numbers(self) -> None:
        steps = [("-", None), ("0", 0), (".", None), ("5", -0.5), ("e", None), ("+", None), ("1", -5.0)]
        for text in ("", "[", '{"a": '):
            parser = fed(text)
            for more, wanted in steps:
                parser.feed(more)
                value = parser.value
                if text:
                    value = (list(value.values()) if type(value) is dict else value) or [None]
                    value = value[0]
                assert same(value, wanted)

    @pytest.mark.parametrize(
        "wrong", ["01", "-01", "1.e", "1e+]", "-x", "1.x", "--", "1.2.3", "1e5.", "1_0", "+1", ".5"]
    )
    def test_what_is_no_number(self, wrong: str) -> None:
        for text in (wrong, f"[{wrong}", f"[1, {wrong}", f'{{"a": {wrong}'):
            seen = see(text + " ")
            for parser in (fed(text, " "), looked(*text, " ")):
                assert parser.status == seen.status == "invalid"
                assert parser.error is not None
                assert parser.error.position == seen.position
                assert same(parser.snapshot(NOTHING), seen.value)

    def test_integers_beyond_what_int_takes(self) -> None:
        many = "9" * 5000
        for make in (fed, lambda text: looked(*text), lambda text: looked(text[:4000], text[4000:])):
            for text in (f"[1, {many}", many, f"-{many}"):
                parser = make(text)
                assert parser.status == "incomplete"
                assert parser.value in ([1], None)
                with pytest.raises(RemoteProtocolError):
                    parser.final()
            parser = make(f"[1, 2, 3, {many}, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13]")
            assert parser.value == [1, 2, 3]
            assert parser.error is not None
            assert (parser.error.position, "5000" in parser.error.reason) == (5010, True)
            with pytest.raises(RemoteProtocolError):
                parser.final()
            # A fraction makes it a float, which takes them all.
            assert make(f"[{many}.5]").final() == [float("inf")]
            assert make(f"{many}.5").final() == float("inf")

    @pytest.mark.parametrize("size", [4299, 4300, 4301])
    @pytest.mark.parametrize("end", ["", ",", "]", "x", "-", " 1"])
    @pytest.mark.parametrize("number", ["7", "-7", "0.5"])
    def test_what_stands_behind_a_number_of_about_the_length_that_is_shown(
        self, number: str, end: str, size: int
    ) -> None:
        text = "[" + number + "5" * (size - len(number)) + end
        seen = see(text)
        for parser in (
            fed(text),
            looked(text[:9], text[9:]),
            looked(text[:-1], text[-1:]),
            looked(text[:4290], *text[4290:]),
        ):
            assert parser.status == seen.status
            assert same(parser.snapshot(NOTHING), seen.value)
            assert (None if parser.error is None else parser.error.position) == seen.position

    def test_an_interpreter_with_another_limit(self) -> None:
        before = sys.get_int_max_str_digits()
        try:
            sys.set_int_max_str_digits(700)
            many = "7" * 701
            assert (looked(*many).status, looked(*many).value) == ("incomplete", None)
            assert looked(*f"[-{many}").value == []
            assert looked(*f"[{many},").status == "invalid"
            assert looked(*f"[{many}.5,").value == [float(many)]
            sys.set_int_max_str_digits(0)
            many = "7" * 5000
            assert looked(*many).status == "complete"
            assert looked(*many).final() == int(many)
            assert looked(*f"[{many}]").final() == [int(many)]
            assert looked(*f"-{many}").final() == -int(many)
        finally:
            sys.set_int_max_str_digits(before)

    @pytest.mark.parametrize(
        "number", ["0." + "12" * 3000, "1" * 4400 + ".5e-4399", "1e-" + "0" * 5000 + "7", "1." + "0" * 9000 + "E+2"]
    )
    def test_a_long_number_shows_when_it_is_whole(self, number: str) -> None:
        parser = PartialJSON()
        for at, c in enumerate("[" + number):
            parser.feed(c)
            if at < 20 or at > 4290:
                seen = see("[" + number[:at]) if at in (1, 2, 3, 4299, 4300, 4301) else None
                assert seen is None or same(parser.value, seen.value)
        assert parser.value == []
        parser.feed(",")
        assert same(parser.value, [float(number)])
        top = looked(*number)
        assert (top.value, top.status) == (None, "complete")
        assert same(top.final(), float(number))
        top.feed("x")
        assert top.error == JSONFault(len(number), "nothing may follow the outermost value")

    @pytest.mark.parametrize("ending", ["1.", "1.5e", "1.5E-", "1.5e3", "1", "1.25"])
    @pytest.mark.parametrize("more", ["x", ".", "e5,", "7,", "-1,", "]"])
    def test_a_long_number_follows_the_same_rules(self, ending: str, more: str) -> None:
        text = "[" + "1" * 4400 + ending
        for parser in (fed(text, more), looked(text, *more), looked(*text, more)):
            seen = see(text + more)
            assert parser.status == seen.status
            assert (parser.error and parser.error.position) == seen.position
            assert same(parser.value, seen.value)

    def test_many_at_once(self) -> None:
        text = "[" + ", ".join(str(n) for n in range(100)) + ", 1.5e3 ,\n-2,3]"
        parser = PartialJSON()
        parser.changes()
        parser.feed(text[:-1])
        assert parser.value == [*range(100), 1500.0, -2, 3]
        assert [change.value for change in parser.changes()][1:] == parser.value
        assert fed(text).value == json.loads(text)


class TestStrings:
    def test_escapes_and_surrogates_in_every_cut(self) -> None:
        text = (
            '["\\ud83d\\ude00", "\\ud83d", "\\ud83d\\ud83d\\ude00x", "\\ude00\\\\", '
            '"\\ud83d\\n\\u00E9\\\\u12", "a\\"b"]'
        )
        for i in range(len(text)):
            for j in range(i, min(len(text), i + 9)):
                parser = looked(text[:i], text[i:j])
                assert same(parser.value, None if not j else see(text[:j]).value)
                parser.feed(text[j:])
                assert parser.value == json.loads(text)

    @pytest.mark.parametrize(
        "wrong", ["\\x", "\\u12g", "\\u\\", "\n", "\x00", "\\ud83d\\uz", "\\ud83d\\q", "\\ud83d\n"]
    )
    def test_what_no_string_may_hold(self, wrong: str) -> None:
        for text in (f'"ab{wrong}c"', f'["ab{wrong}c"]', f'{{"k": "ab{wrong}c"}}', f'{{"ab{wrong}c": 1}}'):
            seen = see(text)
            for parser in (fed(text), looked(*text), looked(text[:4], text[4:])):
                assert parser.status == seen.status == "invalid"
                assert parser.error is not None
                assert parser.error.position == seen.position
                assert same(parser.snapshot(NOTHING), seen.value)
                parser.feed("more")
                assert parser.error.position == seen.position

    def test_keys_in_pieces(self) -> None:
        text = '{"long key \\" \\u00e9": 1, "" :2,"a\\\\":3, "k" : 4}'
        assert looked(*text).final() == json.loads(text)
        assert fed(text).value == json.loads(text)
        for at in range(len(text)):
            assert looked(text[:at], text[at:]).value == json.loads(text)


@pytest.mark.parametrize("first", ["12", "-0", "1.5e3", '"a"', '""', "[]", "[[1]]", "{}", '{"a": {}}', "true", "null"])
@pytest.mark.parametrize("second", ["3", '"b"', "[", "]", "{", "}", ",", ":", "null", "x"])
@pytest.mark.parametrize("space", [" ", "\n"])
def test_nothing_follows_the_outermost_value(first: str, second: str, space: str) -> None:
    text = first + space + second
    seen = see(text)
    assert seen.status == "invalid"
    told = fed()
    assert told.changes() == []
    told.feed(text)
    for parser in (fed(text), looked(*text), looked(first, space, second), looked(first + space, second), told):
        assert parser.status == "invalid"
        assert parser.error == JSONFault(len(first) + 1, "nothing may follow the outermost value")
        assert same(parser.value, json.loads(first))
        assert len(parser._state.top) == 1


class TestWatch:
    @pytest.mark.parametrize(
        ("fragments", "path", "wanted"),
        [
            (["[1", "2, "], "[*]", [12]),
            (["[1", "2, 3"], "[*]", [12]),
            (["[1", "2 "], "[*]", [12]),
            (["[1", "."], "[*]", []),
            (["[0, 1", ".", "5"], "[*]", [0]),
            (["[0, 1", ".", "5 "], "[*]", [0, 1.5]),
            (['{"a": 1', "2, "], "a", [12]),
            (['{"a": 0, "a": 1', "."], "a", [0]),
            (['{"a": 0, "a": 1', ".", "5"], "a", []),
            (["1", "2 "], "", [12]),
            (["12"], "", []),
        ],
    )
    def test_a_watch_that_comes_late_gives_what_is_whole(
        self, fragments: list[str], path: str, wanted: list[Any]
    ) -> None:
        for parser in (looked(*fragments), fed(*fragments)):
            assert Watch(parser, path).new() == wanted

    def test_a_string_in_pieces(self) -> None:
        parser = PartialJSON()
        watch = Watch(parser, "file_text")
        got = []
        for fragment in ('{"path": "a.py", "file_te', 'xt": "im', "port", "", " x\\", 'n"', ', "file_text2": "y"}'):
            parser.feed(fragment)
            got.append(watch.new())
        assert got == [[], ["im"], ["port"], [], [" x"], ["\n"], []]

    def test_rows_when_they_are_whole(self) -> None:
        parser = PartialJSON()
        rows, names, first = Watch(parser, "rows[*]"), Watch(parser, "rows[*].name"), Watch(parser, ("rows", 0, "name"))
        parser.feed('{"rows": [{"name": "a", "n": 1}, {"name": "b')
        assert (rows.new(), names.new(), first.new()) == ([{"name": "a", "n": 1}], ["a"], ["a"])
        parser.feed('c"}, 7')
        assert (rows.new(), names.new(), first.new()) == ([{"name": "bc"}], ["bc"], [])
        parser.feed("8")
        assert rows.new() == []
        parser.feed(', "s"')
        assert rows.new() == [78, "s"]
        assert [change.path for change in parser.changes() if change.operation == "close"] == [
            ("rows", 0, "name"),
            ("rows", 0),
            ("rows", 1, "name"),
            ("rows", 1),
            ("rows", 3),
        ]

    def test_a_number_is_whole_when_something_follows(self) -> None:
        parser = PartialJSON()
        watch = Watch(parser, "[*]")
        for fragment, wanted in (("[1", []), (",", [1]), ("2", []), (".", []), ("5", []), (" ", [2.5]), (",3x", [])):
            parser.feed(fragment)
            assert watch.new() == wanted
        assert parser.value == [1, 2.5, 3]
        assert Watch(parser, "[*]").new() == [1, 2.5]
        late = looked("[1, 2", "x")
        assert Watch(late, "[*]").new() == [1]

    def test_other_values_come_once(self) -> None:
        parser = PartialJSON()
        whole, inner = Watch(parser, ""), Watch(parser, "a.b[1]")
        parser.feed('{"a": {"b": [0, {"c": 1')
        assert whole.new() == inner.new() == []
        parser.feed("}]}}")
        assert inner.new() == [{"c": 1}]
        assert whole.new() == [{"a": {"b": [0, {"c": 1}]}}]

    def test_a_repeated_key_gives_the_later_string_too(self) -> None:
        parser = PartialJSON()
        watch = Watch(parser, "a")
        parser.feed('{"a": "x", "a": 1')
        parser.feed(".")
        assert watch.new() == ["x"]
        parser.feed('5, "a": "y"}')
        assert watch.new() == [1.5, "y"]

    def test_watches_that_are_gone_cost_nothing(self) -> None:
        parser = PartialJSON()
        watch = Watch(parser, "a")
        other = Watch(parser, "b")
        parser.feed('{"a": 1')
        assert other.new() == []
        del watch
        parser.feed(', "b": "x')
        assert other.new() == ["x"]
        del other
        parser.feed("y")
        assert parser.value == {"a": 1, "b": "xy"}
        assert parser._state.log is None
        parser.feed('z", "c": {"d": ["e')
        late = Watch(parser, "c.d[0]")
        assert late.new() == ["e"]
        parser.feed("f")
        assert late.new() == ["f"]
        assert parser.changes() != []
        parser.feed("g")
        assert late.new() == ["g"]
        del late
        for piece in "hij":
            parser.feed(piece)
            assert parser.status == "incomplete"
        assert parser.changes() == [Change(("c", "d", 0), "text", "ghij")]

    @pytest.mark.parametrize(
        "path", ["a..b", ".a", "a[", "a[x]", "a[-1]", "a]", "[0]a", "a.[0]", (1.5,), (-1,), (True,), 5, ["a"]]
    )
    def test_what_is_no_path(self, path: Any) -> None:
        with pytest.raises(LocalProtocolError, match="path"):
            Watch(PartialJSON(), path)


def _values(fragments: list[str]) -> Callable[[], object]:
    def action() -> None:
        parser = PartialJSON()
        for fragment in fragments:
            parser.feed(fragment)
            parser.value  # noqa: B018

    return action


def _everything(fragments: list[str]) -> Callable[[], object]:
    def action() -> None:
        parser = PartialJSON()
        watch = Watch(parser, "rows[*]")
        for fragment in fragments:
            parser.feed(fragment)
            parser.changes()
            watch.new()
            assert parser.status

    return action


def _cut(text: str, step: int) -> list[str]:
    return [text[at : at + step] for at in range(0, len(text), step)]


SHAPES: dict[str, Callable[[int], str]] = {
    "code": lambda n: json.dumps({"file_text": 'if x == "a":\n\tcall("\\n")\n' * (n // 25)}),
    "plain": lambda n: json.dumps({"t": "some words and " * (n // 15)}),
    "rows": lambda n: json.dumps({"rows": [{"id": i, "s": "a\nb", "f": 1.5} for i in range(n // 40)]}),
    "numbers": lambda n: json.dumps([Random(1).random() for _ in range(n // 20)]),
    "deep": lambda n: ("[" * 300 + "]" * 300 + ",").join(["["] + [""] * (n // 601)) + "1",
    "one key": lambda n: '{"' + "key\\u00e9" * (n // 9) + '":1}',
    "one number": lambda n: "[1." + "3" * n + "]",
    "one integer": lambda n: "[" + "3" * n + "]",
    "space": lambda n: "[" + " \n" * (n // 2) + "]",
    "surrogates": lambda n: '["' + "\\ud83d" * (n // 6) + '"]',
    "backslashes": lambda n: '["' + "\\\\" * (n // 2) + '"]',
    "withdrawn": lambda n: '{"a":1.5e-7,' * (n // 12),
    "broken": lambda n: "[1 2" + "x" * n,
}


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[], object]], int]:
    """Counts what the profiler sees, and each character that the scanner's C helpers go over."""
    total = 0

    def wrap(name: str) -> None:
        home = _partial_json_numbers if name == "match_number" else _partial_json_scan
        function = getattr(home, name)

        def counting(*arguments: Any) -> Any:  # one by one they would be counted as work of their own
            nonlocal total
            text, at = arguments if len(arguments) == 2 else (arguments[0], 0)
            found = function(*arguments)
            if name.startswith("match"):
                total += found.end() - at if found is not None else 0
            else:
                total += (found[1] if name.startswith("scan") else 0) - at + (len(text) if at == 0 else 0)
            return found

        monkeypatch.setattr(home, name, counting)

    for name in ("match_key", "match_next_key", "match_number", "match_numbers", "match_space"):
        wrap(name)
    for name in ("scan_string", "scan_once", "unfinished_from", "fault_in_string"):
        wrap(name)

    def count(action: Callable[[], object]) -> int:
        nonlocal total
        total = 0
        seen = work(action)
        return seen + total

    return count


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("step", [1, 15, 10**9])
@pytest.mark.parametrize("look", [_values, _everything])
def test_the_work_is_linear(
    shape: str,
    step: int,
    look: Callable[[list[str]], Callable[[], object]],
    counted: Callable[[Callable[[], object]], int],
) -> None:
    # Numbers are shown, and so converted again and again, up to 4,300 characters.
    size = 5_000 if shape in ("one number", "one integer") else 1_500
    small, large = (counted(look(_cut(SHAPES[shape](n), step))) for n in (size, 4 * size))
    assert large < 4.6 * small


def test_a_long_string_is_extended_in_place() -> None:
    """Where nobody holds it. Then its memory moves now and then, not with every fragment."""
    parser = PartialJSON()
    parser.feed('{"a": "')
    places = set()
    for _ in range(4000):
        parser.feed("some more words")
        places.add(id(parser.value["a"]))
    assert len(places) < 2000


def test_an_earlier_value_is_told_again_while_a_number_that_replaces_it_is_none_yet() -> None:
    parser = PartialJSON()
    assert parser.changes() == []
    told = []
    for piece in ('{"a": null, "a": 0', ".", "5}"):
        parser.feed(piece)
        told.append([(change.path, change.operation, change.value) for change in parser.changes()])
    assert told == [
        [((), "open", {}), (("a",), "value", None), (("a",), "value", 0)],
        [(("a",), "value", None)],
        [(("a",), "value", 0.5), ((), "close", None)],
    ]


class TestDepth:
    """An entry takes the same time and memory at any depth."""

    @pytest.mark.parametrize("depth", [1, 500])
    def test_a_watch_of_another_place_keeps_nothing(self, depth: int) -> None:
        parser = PartialJSON()
        watch = Watch(parser, "file_text")
        tracemalloc.start()
        try:
            parser.feed('{"a":' + "[" * depth + "1," * 20_000)
            assert watch.new() == []
            held, _ = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        assert held < 1_000_000

    def test_the_work_of_changes_does_not_grow_with_the_depth(self) -> None:
        def action(depth: int) -> Callable[[], object]:
            def run() -> None:
                parser = PartialJSON()
                parser.changes()
                parser.feed("[" * depth + "1,[]," * 3_000)
                parser.changes()

            return run

        assert work(action(500)) < 1.2 * work(action(5))

    def test_the_path_of_a_deep_change(self) -> None:
        parser = PartialJSON()
        parser.feed("[" * 400 + '{"a": tru')
        parser.changes()
        parser.feed("e")
        (change,) = parser.changes()
        assert change == Change((0,) * 399 + (0, "a"), "value", True)
        assert pickle.loads(pickle.dumps(change)) == copy.deepcopy(change) == change
        match change:
            case Change(path=path, operation="value", value=True):
                assert len(path) == 401
            case _:
                raise AssertionError

    def test_watches_that_are_gone_are_forgotten(self) -> None:
        parser = PartialJSON()
        watches = [Watch(parser, "a"), Watch(parser, "[*]")]
        parser.feed('{"a": [1')
        assert [watch.new() for watch in watches] == [[], []]
        del watches[0]
        parser.feed(", 2], ")
        assert watches[0].new() == []
        watches.clear()
        parser.feed('"b": 3')
        assert parser.value == {"a": [1, 2], "b": 3}
        assert [change.path for change in parser.changes()] == [(), ("a",), ("a", 0), ("a", 1), ("a",), ("b",)]
        late = Watch(parser, "b")
        parser.feed("1}")
        assert late.new() == [31]
        assert [(change.path, change.value) for change in parser.changes()] == [(("b",), 31), ((), None)]
