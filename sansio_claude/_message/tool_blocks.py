"""The three kinds of tool call: blocks whose input arrives as fragments of JSON text, or whole with the block.

An input that is not complete can be looked at (`partial_input`, `input_json`) but not taken for whole: `input` and
`to_param()` refuse it, `to_dict()` marks a text that is no whole JSON.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Final, Literal, Self, TypeAlias

from sansio_claude._errors import LimitError, LocalProtocolError, RemoteProtocolError
from sansio_claude._json import DEFAULT_DEPTH, loads_input
from sansio_claude._message.block import Block
from sansio_claude._message.view import view_of
from sansio_claude._message.views import Caller
from sansio_claude._message.written import InputFact

if TYPE_CHECKING:
    from sansio_claude._partial_json.parser import PartialJSON

__all__ = [
    "InputStatus",
    "MCPToolUseBlock",
    "ServerToolUseBlock",
    "ToolInputBlock",
    "ToolUseBlock",
]

InputStatus: TypeAlias = Literal["complete", "partial", "invalid"]
INCOMPLETE: Final = "$incomplete_json"
_WHITE: Final = " \t\n\r"
_NOTHING: Final = ("null", '""')  # the texts of the values that stand for no arguments
WHOLE_REASONS: Final = frozenset({"tool_use", "end_turn", "stop_sequence", "pause_turn"})
"""The stop reasons under which nothing was cut from an input that came as a value in the last block."""
CUTTING_REASONS: Final = frozenset({"max_tokens", "model_context_window_exceeded", "refusal"})
"""The stop reasons that cut an answer: a last tool input that is not whole is then nothing odd."""


class ToolInputBlock(Block):
    """What the three kinds of tool call share: an id, a name, and an input that arrives in fragments."""

    __slots__ = ("_has_text", "_is_blank", "_max_depth", "_parser", "_pieces", "_status", "_value_known")
    _strings: ClassVar[tuple[str, ...]] = ("id", "name")
    _keys = frozenset({"id", "name", "input", "caller"})

    def __init__(self, raw: dict[str, Any]) -> None:
        self._raw = raw
        self._unknown_delta_keys = None
        self._pieces: list[str] = []  # fragments that are not joined yet
        self._max_depth = DEFAULT_DEPTH  # how deep the input may nest; the accumulator sets it
        self._parser: PartialJSON | None = None  # made when somebody looks
        self._is_blank = False  # whether the block has ended without text, and without a value that says something
        self._has_text = False  # whether the input is the text of fragments, not a value that came with the block
        self._value_known = True  # whether raw["input"] is the value of the input
        self._status: InputStatus = "complete"
        given: Any = raw.get("input")
        if given == {}:  # what nearly every call starts with
            return
        if _is_mark(given):
            self._has_text = True
            self._value_known = False
            self._pieces.append(given[INCOMPLETE])
            # A value that is no object was written as it came: here its block had not stopped.
            try:
                status, value = self._judged(given[INCOMPLETE])
            except LimitError:  # a stream was refused for its depth, and its message was written down
                status, value = "invalid", None
            self._status = "invalid" if status == "invalid" and _is_empty(value) else "partial"
        elif not _is_empty(given) and not isinstance(given, dict):
            self._status = "invalid"

    def _growing(self) -> Self:
        """The same block, its input to arrive in fragments."""
        block = type(self)(dict(self._raw))
        block._status = "partial"
        block._value_known = False
        return block

    @property
    def id(self) -> str:
        """The id that the tool's result names."""
        return self._text_of("id")

    @property
    def name(self) -> str:
        """The tool's name."""
        return self._text_of("name")

    @property
    def caller(self) -> Caller | None:
        """Who called the tool (the model directly, or code it runs); None where the wire had none or null."""
        return view_of(Caller, self._raw.get("caller"))

    @property
    def input_status(self) -> InputStatus:
        """Whether the input may be used: "complete", "partial" (cut, or still arriving) or "invalid" (no JSON object).

        - Before the block has ended: "partial", or "invalid" where no continuation could make its text JSON.
        - The text is one whole JSON object: "complete", whatever the stop reason.
        - The text is whole JSON and no object, or no JSON at all: "invalid". The text is cut: "partial".
        - No text came, or a value came with the block: "complete" where another block stands behind it. In the last
          block it may be cut, so in a stream it is "partial" until the stop reason is known, and it is complete only
          under tool_use, end_turn, stop_sequence and pause_turn. A whole message without a stop reason was not cut.
        """
        if (
            self._status == "partial"
            and not self._value_known
            and not self._is_blank
            and self._input_parser().status == "invalid"
        ):
            return "invalid"
        return self._status

    @property
    def input_json(self) -> str:
        """The raw text of the input as it arrived; empty where it came whole with the block."""
        if self._value_known or self._is_blank:
            return self._joined() if self._has_text else ""
        return self._joined() if self._parser is None else self._parser.text

    @property
    def partial_input(self) -> Any:
        """The best value of the input so far (PartialJSON's live value), None where there is nothing to show yet.

        For showing, not for running: it may be cut anywhere.
        """
        if self._value_known or self._is_blank:
            return self._raw.get("input")
        return self._input_parser().value

    @property
    def input(self) -> Any:
        """The whole input, an object. Raises LocalProtocolError unless `input_status` is "complete"."""
        if self._status != "complete":
            raise LocalProtocolError(
                f"the input of tool {self.name!r} is {self.input_status}: it must not be run. "
                "Look at .input_json (raw text) or .partial_input (best value so far)"
            )
        value: Any = self._raw.get("input")
        return {} if _is_empty(value) else value

    @property
    def raw(self) -> Mapping[str, Any]:
        """The block's JSON object; a text that is no whole JSON stands as `{"$incomplete_json": raw text}`."""
        if self._value_known:
            return self._raw
        return {**self._raw, "input": {INCOMPLETE: self.input_json}}

    def to_param(self) -> dict[str, Any]:
        """The block as the next request must carry it: `input` is an object, half characters in it are U+FFFD.

        Raises LocalProtocolError where the input is not complete.
        """
        if self._status != "complete":
            status = self.input_status
            way_out = (
                "tell the model so in place of a result and let it call again (ToolLoop does)"
                if status == "invalid"
                else "drop the block (continuation() does), or ask again with a larger max_tokens"
            )
            raise LocalProtocolError(
                f"the input of tool {self.name!r} is {status}, so this turn cannot be sent back as it is: {way_out}",
                path="input",
            )
        param = super().to_param()
        if _is_empty(param.get("input")):
            param["input"] = {}
        return param

    def _joined(self) -> str:
        """All fragments in one. Amortised O(length of the fragments): the text grows in place."""
        pieces = self._pieces
        if len(pieces) > 1:
            more = "".join(pieces[1:])
            del pieces[1:]
            text = pieces.pop()
            text += more
            pieces.append(text)
        return pieces[0] if pieces else ""

    def _append(self, text: str) -> None:
        """Take one more fragment."""
        self._pieces.append(text)

    def _input_parser(self) -> PartialJSON:
        """The parser of the input's text; of an input that came whole with the block, one that has read it."""
        if self._parser is None:
            # Imported when the first input is looked at: most messages have none that needs it.
            from sansio_claude._partial_json.parser import PartialJSON

            self._parser = PartialJSON(max_depth=self._max_depth)
            if not self._value_known and not self._is_blank:
                self._parser._share(self._pieces)
            else:
                self._parser.feed(self._joined() if self._has_text else self._text_of_value())
        return self._parser

    def _text_of_value(self) -> str:
        import json  # of rare use

        value = self._raw.get("input")
        return json.dumps({} if _is_empty(value) else value, ensure_ascii=False)

    def _end_input(self) -> None:
        """The block has ended: decide whether the input is whole.

        A blank text keeps the input that came with the block; that one is "partial" until `_settle_given` says that
        nothing was cut. Raises LimitError where the input nests deeper than allowed.
        """
        if self._status == "complete":
            return
        text = self.input_json
        if not text.strip(_WHITE):
            self._has_text = False
            given: Any = self._raw.get("input")
            self._is_blank = _is_empty(given) or given == {}
            self._value_known = not self._is_blank
            self._status = "partial" if self._is_blank or isinstance(given, dict) else "invalid"
            if self._parser is not None:
                self._parser.feed(self._text_of_value())  # whoever watches it sees the value that came
            self._pieces = []
            return
        self._has_text = True
        self._status, value = self._judged(text)
        # A value that stands for no arguments would be read back as {}: it stays text.
        if type(value) is dict or not _is_empty(value):
            self._value_known = True
            self._raw["input"] = value
            self._pieces = [text]
        else:
            self._value_known = False

    def _judged(self, text: str) -> tuple[InputStatus, Any]:
        """The status of an input whose whole text this is, and its value; None where it has none."""
        try:
            value = loads_input(text, depth=self._max_depth)
        except RemoteProtocolError as error:
            if type(error) is not RemoteProtocolError:
                raise
            # "complete" here: JSON that json.loads cannot hold.
            return "invalid" if self._input_parser().status in ("invalid", "complete") else "partial", None
        return "complete" if isinstance(value, dict) else "invalid", value

    @property
    def _is_unsettled(self) -> bool:
        """Whether the input came as a value, or no text came, and it is not known whether something was cut."""
        return self._status == "partial" and (self._value_known or self._is_blank)

    def _settle_given(self) -> None:
        """Nothing was cut from an input that came as a value, or from a call without one."""
        if self._is_unsettled:
            self._status = "complete"
            self._value_known = True

    def _cut_given(self) -> None:
        """The stop reason says that something may have been cut: the input stays partial, and is shown as it came."""
        self._unsettle_given()
        if self._is_blank:
            self._value_known = True

    def _unsettle_given(self) -> None:
        """Something may have been cut from an input that came as a value, or may still come."""
        if self._status == "complete" and not self._has_text:
            self._status = "partial"

    def _unsaid(self, reason: str | None) -> InputFact | None:
        """What the written input does not say of its status, where the answer's end is this stop reason."""
        if not self._value_known and self._status == "partial" and self.input_json.strip(_WHITE) in _NOTHING:
            return "unstopped"
        if self._status == "complete" and _is_mark(self._raw.get("input")):
            return "object"
        if self._status == "complete" and reason is not None and reason not in WHOLE_REASONS:
            return "whole"
        return "given" if reason is None and self._value_known and self._is_unsettled else None

    def _take_unsaid(self, fact: InputFact) -> None:
        """Be as `_unsaid` said."""
        if fact == "whole":
            self._settle_given()
        elif fact == "object":
            if _is_mark(self._raw.get("input")):
                self._status, self._value_known, self._has_text, self._pieces = "complete", True, False, []
        elif fact == "given":
            self._unsettle_given()
        elif not self._value_known:
            self._status = "partial"

    def _finish(self) -> None:
        if not self._value_known and not self._is_blank:
            # Reads the text and joins it, so that reading it later changes nothing.
            parser = self._input_parser()
            parser.value  # noqa: B018 - looking does it
            parser.text  # noqa: B018 - looking does it

    def __getstate__(self) -> dict[str, Any]:
        # What has come of an input under construction is in its parser, if it has one, and else in the pieces.
        settled = self._parser is None or self._value_known or self._is_blank
        text = self._joined() if settled else ""
        return {
            **super().__getstate__(),
            "_pieces": [text] if text else [],
            "_max_depth": self._max_depth,
            "_parser": self._parser,
            "_has_text": self._has_text,
            "_is_blank": self._is_blank,
            "_value_known": self._value_known,
            "_status": self._status,
        }

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        if self._parser is not None and not self._value_known and not self._is_blank:
            self._pieces = self._parser._fragments


def _is_mark(value: Any) -> bool:
    """Whether an input that came as a value is what `to_dict` writes for one that is not whole."""
    return type(value) is dict and len(value) == 1 and isinstance(value.get(INCOMPLETE), str)


def _is_empty(value: Any) -> bool:
    """Whether an input that came as a value stands for no arguments: null, absent or an empty string."""
    return value is None or value == ""


class ToolUseBlock(ToolInputBlock):
    """A call of one of the caller's tools."""

    __slots__ = ()
    _type_name = "tool_use"
    _keys = frozenset({"id", "name", "input", "caller", "toolset_name"})

    @property
    def toolset_name(self) -> str | None:
        """The toolset whose member is called (beta); its result has to name it too. None for a tool by itself."""
        found: Any = self._raw.get("toolset_name")
        return found if isinstance(found, str) else None


class ServerToolUseBlock(ToolInputBlock):
    """A call of a tool that the server runs itself."""

    __slots__ = ()
    _type_name = "server_tool_use"


class MCPToolUseBlock(ToolInputBlock):
    """A call of a tool of an MCP server, run by the API (beta)."""

    __slots__ = ()
    _type_name = "mcp_tool_use"
    _strings = ("id", "name", "server_name")
    _keys = frozenset({"id", "name", "input", "caller", "server_name"})

    @property
    def server_name(self) -> str:
        """The MCP server's name."""
        return self._text_of("server_name")
