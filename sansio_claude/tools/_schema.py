"""Tool: what the model is told of a tool, and the function that runs it. `tool` makes one from a Python function."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final, Generic, Protocol, TypedDict, Unpack, overload, runtime_checkable

import attrs

from sansio_claude._check.shapes import TOOL_NAME
from sansio_claude._errors import LocalProtocolError, ToolError
from sansio_claude._json import dumps
from sansio_claude._request.param import param_of
from sansio_claude._value import an
from sansio_claude.tools._docstring import parse_docstring
from sansio_claude.tools._misfit import Misfit
from sansio_claude.tools._result import LONGEST_RESULT
from sansio_claude.tools._signature import Parameter, read_signature
from sansio_claude.tools._types import InputType, check_property_names

if TYPE_CHECKING:
    from typing_extensions import ParamSpec, TypeVar

    _P = ParamSpec("_P", default=...)
    _R = TypeVar("_R", default=Any)
else:  # with defaults, which type checkers know and typing has from 3.13 on, `Tool` alone stands for any tool
    from typing import ParamSpec, TypeVar

    _P = ParamSpec("_P")
    _R = TypeVar("_R")

_Q = ParamSpec("_Q")
_S = TypeVar("_S")

__all__ = ["RunnableTool", "Tool", "ToolOptions", "check_options", "tool", "tools_of"]


@runtime_checkable
class RunnableTool(Protocol):
    """Anything that can stand in `tools=` of a run and be called: Tool, TextEditor, or a class of your own.

    It may also have `betas` (flags that a request with it needs), and what `Tool` has for running it: `sequential`,
    `thread`, `timeout`, `confirm`, `confirm_timeout`, `idempotent`.
    """

    @property
    def name(self) -> str:
        """The name by which the model calls it."""
        ...

    def to_param(self) -> Any:
        """The definition, for `tools` of a request."""
        ...

    def call(self, input: Any) -> Any:  # noqa: A002 - the wire's own name
        """Run it: the result, or an awaitable of it. Raises ToolError to give the model an error result."""
        ...


def _checked_name(_: Any, __: Any, value: Any) -> None:
    if not (isinstance(value, str) and TOOL_NAME.fullmatch(value)):
        raise LocalProtocolError(
            f"{value!r:.80} is no tool name: 1 to 64 letters, digits, _ and -. Give `name=`", path="tools"
        )


def _checked_seconds(_: Any, attribute: attrs.Attribute[Any], value: float | None) -> None:
    if value is None or (isinstance(value, int | float) and not isinstance(value, bool) and value > 0):
        return
    raise LocalProtocolError(
        f"{attribute.name} must be a number of seconds above 0, or None for no limit, not {value!r:.40}", path="tools"
    )


def _is_a(*kinds: type, words: str, none: bool = True) -> Any:
    """A validator: the option is of these kinds, or None."""

    def check(_: Any, attribute: attrs.Attribute[Any], value: Any) -> None:
        if (none and value is None) or (isinstance(value, kinds) and (bool in kinds or not isinstance(value, bool))):
            return
        raise LocalProtocolError(f"{attribute.name} must be {words}, not {an(type(value).__name__)}", path="tools")

    return check


_MAPPING: Final = _is_a(Mapping, words="an object (a dict)")
_BOOL: Final = _is_a(bool, words="True or False", none=False)
_CALLABLE: Final = _is_a(Callable, words="a function")  # type: ignore[arg-type]  # isinstance takes it
_CALLABLE_NEEDED: Final = _is_a(Callable, words="a function", none=False)  # type: ignore[arg-type]  # isinstance takes it


def _checked_length(_: Any, attribute: attrs.Attribute[Any], value: int | None) -> None:
    if value is None or (type(value) is int and value >= 0):
        return
    raise LocalProtocolError(
        f"{attribute.name} must be a number of characters, or None for no limit, not {an(type(value).__name__)}"
        if type(value) is not int
        else f"{attribute.name} must be 0 or more",
        path="tools",
    )


def _examples(value: Iterable[Mapping[str, Any]] | None) -> Sequence[Mapping[str, Any]] | None:
    """The examples in a list: an iterator can be gone through once only."""
    if value is None:
        return None
    given: Any = value
    found = list(given) if isinstance(given, Iterable) and not isinstance(given, str | bytes | Mapping) else None
    if found is None or not all(isinstance(example, Mapping) for example in found):
        raise LocalProtocolError("input_examples must be a list of inputs, each an object (a dict)", path="tools")
    return found


@attrs.define(frozen=True, kw_only=True)
class Tool(Generic[_P, _R]):
    """A tool of one's own: definition and function.

    Made by `tool` from a function, or by hand: then `function` gets the whole input, a dict, as its one argument,
    and only the schema's `required` keys are checked. `None` for an optional part of the definition means that it
    is not sent; `extra` holds parts that have no name here (`defer_loading`, `allowed_callers`, ...).
    """

    name: str = attrs.field(validator=_checked_name)
    """The name that the model calls it by: 1 to 64 letters, digits, _ and -."""
    description: str = attrs.field(default="", validator=_is_a(str, words="a text", none=False))
    """What it does and when to use it, for the model."""
    input_schema: Mapping[str, Any] = attrs.field(validator=_is_a(Mapping, words="an object (a dict)", none=False))
    """The JSON Schema of its input, an object."""
    function: Callable[_P, _R] = attrs.field(validator=_CALLABLE_NEEDED)
    """What runs it; may be a coroutine function."""
    input_examples: Sequence[Mapping[str, Any]] | None = attrs.field(default=None, converter=_examples)
    """Inputs that show the model how it is called. Each has to fit the schema."""
    strict: bool | None = attrs.field(default=None, validator=_is_a(bool, words="True, False or None"))
    """Whether the API holds the model's inputs to the schema."""
    cache_control: Mapping[str, Any] | None = attrs.field(default=None, validator=_MAPPING)
    """A cache mark behind this definition."""
    eager_input_streaming: bool | None = attrs.field(default=None, validator=_is_a(bool, words="True, False or None"))
    """Whether inputs are streamed as they are written, without being checked first."""
    extra: Mapping[str, Any] = attrs.field(
        factory=dict, validator=_is_a(Mapping, words="an object (a dict)", none=False)
    )
    sequential: bool = attrs.field(default=False, validator=_BOOL)
    """Run the calls of one answer one after the other, in the model's order."""
    thread: bool = attrs.field(default=True, validator=_BOOL)
    """Run the function in a worker thread (never for coroutine functions): it may block."""
    timeout: float | None = attrs.field(default=None, validator=_checked_seconds)
    """The time limit of one call, in seconds; None for none. After it the model gets an error result that says so. A
    coroutine is cancelled; a function in a thread cannot be stopped, and its thread is left behind."""
    confirm: Callable[..., Any] | None = attrs.field(default=None, repr=False, validator=_CALLABLE)
    """Asked before each call, with exactly the arguments that the function would get, converted; may be a coroutine
    function (any other is run in a worker thread). Only True lets the function run: another value, None, an exception
    and an answer that does not come in time mean no, and the model is told that the call was not approved."""
    confirm_timeout: float | None = attrs.field(default=None, validator=_checked_seconds)
    """How long `confirm` may take, in seconds; None: as long as `timeout`."""
    idempotent: bool = attrs.field(default=False, validator=_BOOL)
    """Whether a call may be run twice. A call that had begun and has no result when a conversation is gone on with is
    then run again; any other is answered as interrupted."""
    longest_result: int | None = attrs.field(default=LONGEST_RESULT, validator=_checked_length)
    """Characters of a result that the model is shown; a longer text is cut, and says so. None for no limit."""
    input_type: InputType | None = attrs.field(default=None, repr=False, eq=False)
    """How the input becomes the function's arguments; None for a tool by hand."""
    positional: tuple[Parameter, ...] = attrs.field(default=(), repr=False)
    """Those of the function's parameters that can only be given by position."""

    def __attrs_post_init__(self) -> None:
        try:
            dumps(self.to_param(), convert=param_of)
        except LocalProtocolError as error:
            raise LocalProtocolError(f"the tool {self.name} cannot be sent: {error.message}", path="tools") from error
        check_property_names(self.input_schema, self.name)
        for example in self.input_examples or ():
            try:
                self.arguments(dict(example))
            except ToolError as error:
                raise LocalProtocolError(
                    f"an input example of the tool {self.name} does not fit it: {error.message.splitlines()[0]}",
                    path="tools",
                ) from error

    def __reduce_ex__(self, protocol: Any) -> Any:
        # As a function is: what a module has under the function's name, as `@tool` leaves it there, is that name.
        module, name = getattr(self.function, "__module__", None), getattr(self.function, "__qualname__", "")
        if module in sys.modules and _found(module, name) is self:
            return _found, (module, name)
        return object.__reduce_ex__(self, protocol)

    def to_param(self) -> dict[str, Any]:
        """The definition, for `tools` of a request."""
        definition: dict[str, Any] = {"name": self.name}
        if self.description:
            definition["description"] = self.description
        definition["input_schema"] = dict(self.input_schema)
        if self.input_examples is not None:
            definition["input_examples"] = [dict(example) for example in self.input_examples]
        for key in ("strict", "cache_control", "eager_input_streaming"):
            value = getattr(self, key)
            if value is not None:
                definition[key] = value
        return {**definition, **self.extra}

    def arguments(self, input: Any) -> tuple[list[Any], dict[str, Any]]:  # noqa: A002 - the wire's own name
        """The positional and keyword arguments that an input stands for.

        Raises ToolError, with words for the model, where the input does not fit.
        """
        try:
            if self.input_type is None:
                _check_required(input, self.input_schema)
                return [input], {}
            found = self.input_type.convert(input, texts=not self.strict)
        except Misfit as misfit:
            raise ToolError(self._refusal(str(misfit))) from None
        return self._by_position(found), found

    def _by_position(self, found: dict[str, Any]) -> list[Any]:
        """The arguments that can only be given by position, taken out of `found`. One that was left out before one
        that was given has its default."""
        given = [place for place, parameter in enumerate(self.positional) if parameter.name in found]
        last = given[-1] + 1 if given else 0
        return [found.pop(parameter.name, parameter.default) for parameter in self.positional[:last]]

    def call(self, input: Any) -> Any:  # noqa: A002 - the wire's own name
        """Check the input and call the function: its result, or an awaitable of it. Raises what it raises."""
        args, kwargs = self.arguments(input)
        function: Callable[..., Any] = self.function
        return function(*args, **kwargs)

    def __call__(self, *args: _P.args, **kwargs: _P.kwargs) -> _R:
        """The function itself, as if it were no tool."""
        return self.function(*args, **kwargs)

    def _refusal(self, words: str) -> str:
        about = f"\nWhat the tool does: {self.description}" if self.description else ""
        return (
            f"Error: The input does not fit the tool {self.name}: {words}{about}"
            f"\nIts input schema: {dumps(dict(self.input_schema)).decode()}"
            "\nCall it again with an input that fits. If it is unclear what to give, a fuller description of the tool "
            "and its parameters would help: say so."
        )


def _check_required(value: Any, schema: Mapping[str, Any]) -> None:
    if not isinstance(value, dict):
        raise Misfit("the input must be an object")
    required = schema.get("required")
    for key in required if isinstance(required, list | tuple) else ():
        if isinstance(key, str) and key not in value:
            raise Misfit(f"Object missing required field `{key}`")


def check_options(runnable: Any) -> None:
    """Raises LocalProtocolError where what a tool of the caller's own has for running it is not what `Tool` has."""
    if isinstance(runnable, Tool):
        return
    for attribute in attrs.fields(Tool):
        if attribute.name in _RUNNING and hasattr(runnable, attribute.name) and attribute.validator is not None:
            attribute.validator(runnable, attribute, getattr(runnable, attribute.name))


_RUNNING: Final = ("timeout", "confirm", "confirm_timeout", "longest_result")


def _found(module: str, name: str) -> Any:
    """What a module, imported if need be, has under a dotted name; None where it has nothing."""
    found: Any = import_module(module)
    for step in name.split("."):
        found = getattr(found, step, None)
    return found


class ToolOptions(TypedDict, total=False):
    """The options of `tool`: those of `Tool`."""

    name: str | None
    description: str | None
    input_examples: Iterable[Mapping[str, Any]] | None
    strict: bool | None
    cache_control: Mapping[str, Any] | None
    eager_input_streaming: bool | None
    extra: Mapping[str, Any] | None
    sequential: bool
    thread: bool
    timeout: float | None
    confirm: Callable[..., Any] | None
    confirm_timeout: float | None
    idempotent: bool
    longest_result: int | None


@overload
def tool(function: Callable[_Q, _S], /, **options: Unpack[ToolOptions]) -> Tool[_Q, _S]: ...
@overload
def tool(function: None = None, /, **options: Unpack[ToolOptions]) -> Callable[[Callable[_Q, _S]], Tool[_Q, _S]]: ...
def tool(function: Callable[..., Any] | None = None, /, **options: Any) -> Tool | Callable[[Callable[..., Any]], Tool]:
    """Make a Tool from a function, as `tool(function)`, `@tool` or `@tool(name=..., ...)`.

    The name is the function's, the description its docstring without the part about parameters, which describes the
    parameters in the schema (a string in `Annotated[int, "..."]` and msgspec's `Meta(description=...)` go before
    it). The schema comes from the type hints; parameters with a default are optional, others than the function's are
    refused. Sync and async functions. `name` and `description` go before the function's own; the other options are
    those of Tool.

    Raises LocalProtocolError where no tool can be made of the function, or no schema of a type hint.
    """
    if function is None:
        return lambda found: _made(found, options)
    return _made(function, options)


def tools_of(tools: Any) -> Iterable[Any]:
    """The tools of an argument `tools=`. Raises LocalProtocolError where it is no list of them."""
    if isinstance(tools, Iterable) and not isinstance(tools, str | bytes | Mapping):
        return tools
    raise LocalProtocolError(
        f"tools must be a list of tools, functions or definitions, not {an(type(tools).__name__)}: write tools=[...]",
        path="tools",
    )


def _made(function: Callable[..., Any], options: dict[str, Any]) -> Tool:
    unknown = [name for name in options if name not in _OPTIONS]
    if unknown:
        raise LocalProtocolError(
            f"tool() has no option {unknown[0]!r:.80}: it takes {', '.join(_OPTIONS)}", path="tools"
        )
    signature = read_signature(function)
    said = parse_docstring(signature.doc)
    given: dict[str, Any] = {
        key: value for key, value in options.items() if value is not None or key == "longest_result"
    }
    name = given.pop("name", signature.name)
    words = dict(said.parameters)
    for parameter in signature.parameters:
        if not parameter.hinted and (kind := said.types.get(parameter.name)):
            # Without a type hint the docstring's word for the type is all the model can have.
            words[parameter.name] = f"({kind}) {words.get(parameter.name, '')}".strip()
    input_type = InputType.of_parameters(name, signature.parameters, words)
    known = [parameter.name for parameter in signature.parameters]
    thread = given.pop("thread", True)
    return Tool(
        name=name,
        description=given.pop("description", said.described(known, signature.bound)),
        input_schema=input_type.strict() if given.get("strict") else input_type.schema,
        function=function,
        thread=thread and not signature.is_async if isinstance(thread, bool) else thread,
        input_type=input_type,
        positional=tuple(parameter for parameter in signature.parameters if parameter.positional),
        **given,
    )


_OPTIONS: Final = tuple(
    field.name
    for field in attrs.fields(Tool)
    if field.name not in ("input_schema", "function", "input_type", "positional")
)
