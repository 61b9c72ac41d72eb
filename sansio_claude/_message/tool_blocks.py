"""The three kinds of tool call: blocks whose input arrives as fragments of JSON text.

The rules of `input_status`: "complete" only after the block has ended, and only where its text is one whole JSON
text (or where it came whole with the block); "invalid" where no continuation could make it JSON; "partial"
otherwise. A value that is not complete can be looked at (`partial_input`, `input_json`) but not taken for whole:
`input` and `to_param()` refuse it, `to_dict()` marks it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Final, Literal, Self, TypeAlias

from sansio_claude._errors import LocalProtocolError, RemoteProtocolError
from sansio_claude._json import DEFAULT_DEPTH, dumps, loads_input
from sansio_claude._message.block import Block

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


class ToolInputBlock(Block):
    """What the three kinds of tool call share: an id, a name, and an input that arrives in fragments."""

    __slots__ = ("_given", "_parser", "_status", "max_depth", "pieces")
    _strings: ClassVar[tuple[str, ...]] = ("id", "name")

    def __init__(self, raw: dict[str, Any]) -> None:
        self._raw = raw
        self.pieces: list[str] = []
        """The fragments that nobody has looked at yet; the accumulator appends here."""
        self.max_depth: int = DEFAULT_DEPTH
        """How deep the input may nest. Set by the accumulator."""
        self._parser: PartialJSON | None = None  # made when somebody looks
        self._given = True  # the input came with the block
        self._status: InputStatus = "complete"
        given: Any = raw.get("input")
        if isinstance(given, dict) and len(given) == 1 and isinstance(given.get(INCOMPLETE), str):
            self._given = False
            self._status = "partial"
            self.pieces.append(given[INCOMPLETE])
            self._status = self.input_status

    def growing(self) -> Self:
        """The same block, its input to arrive in fragments unless it came cut."""
        block = type(self)(dict(self._raw))
        if block._status == "complete":
            block._given = False
            block._status = "partial"
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
    def caller(self) -> dict[str, Any] | None:
        """Who called the tool (the model directly, or code it runs); None where the wire had none or null."""
        return self._raw.get("caller")

    @property
    def input_status(self) -> InputStatus:
        """ "complete" only once the block has ended with one whole JSON text; else "partial", or "invalid" where no
        continuation could make it JSON."""
        if self._status == "partial" and self.parser().status == "invalid":
            return "invalid"
        return self._status

    @property
    def input_json(self) -> str:
        """The raw text of the input as it arrived; empty where it came whole with the block."""
        if self._given:
            return ""
        if self._parser is not None:
            return self._parser.text
        text = "".join(self.pieces)
        self.pieces[:] = [text]
        return text

    @property
    def partial_input(self) -> Any:
        """The best value of the input so far (PartialJSON's live value), None where there is nothing to show yet.
        For showing, not for running: it may be cut anywhere."""
        if self._status == "complete":
            return self._raw.get("input")
        return self.parser().value

    @property
    def input(self) -> Any:
        """The whole input. Raises LocalProtocolError unless `input_status` is "complete"."""
        if self._status != "complete":
            raise LocalProtocolError(
                f"the input of tool {self.name!r} is {self.input_status}: it must not be run. "
                "Look at .input_json (raw text) or .partial_input (best value so far)"
            )
        return self._raw.get("input")

    @property
    def raw(self) -> Mapping[str, Any]:
        """The block's JSON object; an input that is not complete stands as `{"$incomplete_json": raw text}`."""
        if self._status == "complete":
            return self._raw
        return {**self._raw, "input": {INCOMPLETE: self.input_json}}

    def to_param(self) -> dict[str, Any]:
        """The block as the next request must carry it. Raises LocalProtocolError where the input is not complete."""
        if self._status != "complete":
            raise LocalProtocolError(
                f"the input of tool {self.name!r} is {self.input_status}, so this turn cannot be sent back as it is: "
                "drop the block (continuation() does), or ask again with a larger max_tokens",
                path="input",
            )
        return self.to_dict()

    def parser(self) -> PartialJSON:
        """The parser of the input's text; of an input that came whole with the block, one that has read it."""
        if self._parser is None:
            # Imported when the first input is looked at: most messages have none that needs it.
            from sansio_claude._partial_json.parser import PartialJSON

            self._parser = PartialJSON(max_depth=self.max_depth)
            if self._given:
                self._parser.feed(dumps(self._raw.get("input")).decode())
            else:
                self._parser.share(self.pieces)
        return self._parser

    def end_input(self) -> None:
        """The block has ended: decide whether the input is whole. For the accumulator.

        A blank text keeps the input that came with the block. Raises LimitError where it nests deeper than
        `max_depth`.
        """
        if self._status != "partial":
            return
        text = self.input_json
        if not text.strip(" \t\n\r"):
            self._parser = None
            self._given = True
            self._status = "complete"
            return
        try:
            value = loads_input(text, depth=self.max_depth)
        except RemoteProtocolError as error:
            if type(error) is not RemoteProtocolError:
                raise
            if self.parser().status in ("invalid", "complete"):  # "complete" here: JSON that json.loads cannot hold
                self._status = "invalid"
            return
        self._raw["input"] = value
        self._status = "complete"


class ToolUseBlock(ToolInputBlock):
    """A call of one of the caller's tools."""

    __slots__ = ()
    _type_name = "tool_use"


class ServerToolUseBlock(ToolInputBlock):
    """A call of a tool that the server runs itself."""

    __slots__ = ()
    _type_name = "server_tool_use"


class MCPToolUseBlock(ToolInputBlock):
    """A call of a tool of an MCP server, run by the API (beta)."""

    __slots__ = ()
    _type_name = "mcp_tool_use"
    _strings = ("id", "name", "server_name")

    @property
    def server_name(self) -> str:
        """The MCP server's name."""
        return self._text_of("server_name")
