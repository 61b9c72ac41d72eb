"""Rules of `check()` about tools and tool_choice."""

from __future__ import annotations

import re
from typing import Any, Final

from sansio_claude._check.problem import Problem, Problems, Subject
from sansio_claude._models import EDITOR_NAMES, NEWEST_EDITOR

__all__ = ["check_tools"]

_NAME: Final = r"[a-zA-Z0-9_-]{1,64}"
_CHOICES: Final = ("auto", "any", "tool", "none")


def check_tools(subject: Subject) -> Problems:
    """Problems of the tools and of the choice between them."""
    tools = subject.body.get("tools")
    if tools is not None and not isinstance(tools, list):
        yield Problem("error", "tools", "tools has to be a list")
        tools = None
    names: list[Any] = []
    for index, tool in enumerate(tools or ()):
        path = f"tools[{index}]"
        if not isinstance(tool, dict):
            yield Problem("error", path, "a tool has to be an object")
            continue
        kind = tool.get("type")
        name = tool.get("name")
        if kind is None or kind == "custom":
            yield from _custom(tool, path)
        elif isinstance(kind, str) and kind.startswith("text_editor_"):
            yield from _editor(subject, tool, kind, path)
        if isinstance(name, str):
            if name in names:
                yield Problem("error", f"{path}.name", "another tool has this name", "rename one of them")
            names.append(name)
    yield from _choice(subject, names, bool(tools) or bool(subject.body.get("mcp_servers")))


def _custom(tool: dict[str, Any], path: str) -> Problems:
    name = tool.get("name")
    if not isinstance(name, str) or re.fullmatch(_NAME, name) is None:
        words = "the tool has no name" if name is None else "the name of a tool has to match ^[a-zA-Z0-9_-]{1,64}$"
        yield Problem("error", f"{path}.name", words, "letters, digits, _ and -, at most 64 of them")
    description = tool.get("description")
    if description is not None and not isinstance(description, str):
        yield Problem("error", f"{path}.description", "the description of a tool has to be text")
    elif len((description or "").split()) < 2:
        words = "has no description" if not (description or "").strip() else "is described in one word"
        yield Problem(
            "warning",
            f"{path}.description",
            f"the tool {words}",
            "a detailed one is the most important factor: what it does, when to use it, what each parameter means",
        )
    schema = tool.get("input_schema")
    if not isinstance(schema, dict):
        words = "is missing" if schema is None else "has to be a JSON schema object"
        yield Problem("error", f"{path}.input_schema", f"input_schema {words}", 'at least {"type": "object"}')
    elif schema.get("type") != "object":
        yield Problem("error", f"{path}.input_schema.type", 'the type of an input_schema has to be "object"')
    examples = tool.get("input_examples")
    if examples is not None and not (
        isinstance(examples, list) and all(isinstance(example, dict) for example in examples)
    ):
        yield Problem("error", f"{path}.input_examples", "input_examples has to be a list of objects")


def _editor(subject: Subject, tool: dict[str, Any], kind: str, path: str) -> Problems:
    info = subject.info
    types = info.text_editor_types if info is not None else None
    if info is not None and types is not None and kind not in types:
        hint = f"use {types[0]} with the name {info.text_editor_name}" if types else "it has no text editor tool"
        if kind in EDITOR_NAMES:
            yield Problem("error", f"{path}.type", f"{kind} is not made for {info.name}", hint)
        else:  # a later one, or a slip: who knows
            yield Problem("warning", f"{path}.type", f"{kind:.60} is not known to be made for {info.name}", hint)
    wanted = EDITOR_NAMES.get(kind)
    if wanted is not None and tool.get("name") != wanted:
        yield Problem("error", f"{path}.name", f"the name of {kind} has to be {wanted}")
    if "input_schema" in tool:
        words = "the text editor tool has a schema of its own and takes none"
        yield Problem("error", f"{path}.input_schema", words, "remove it")
    if "max_characters" in tool and kind in EDITOR_NAMES and kind != NEWEST_EDITOR:
        yield Problem("error", f"{path}.max_characters", f"{kind} has no max_characters", f"{NEWEST_EDITOR} has")
    if kind == "text_editor_20241022" and not subject.beta("computer-use-"):
        yield Problem("warning", f"{path}.type", f"{kind} is beta", "add computer-use-2024-10-22 to betas")


def _choice(subject: Subject, names: list[Any], any_tools: bool) -> Problems:
    choice = subject.body.get("tool_choice")
    if choice is None:
        return
    kind = choice.get("type") if isinstance(choice, dict) else None
    if not isinstance(choice, dict) or kind not in _CHOICES:
        hint = 'an object with a type: "auto", "any", "tool" or "none"'
        yield Problem("error", "tool_choice", "this is not a tool_choice", hint)
        return
    if not any_tools:
        yield Problem("error", "tool_choice", "there is a tool_choice but there are no tools")
    if kind == "none" and "disable_parallel_tool_use" in choice:
        path = "tool_choice.disable_parallel_tool_use"
        yield Problem("error", path, "disable_parallel_tool_use has no meaning with none", "remove it")
    if kind == "tool":
        name = choice.get("name")
        if not isinstance(name, str):
            yield Problem("error", "tool_choice.name", "tool_choice tool needs the name of a tool")
        elif any_tools and name not in names and not subject.body.get("mcp_servers"):
            yield Problem("error", "tool_choice.name", "tool_choice names a tool that is not among the tools")
    if kind in ("any", "tool"):
        info = subject.info
        if info is not None and info.forced_tool_use is False:
            hint = "use auto and say in the prompt when to use the tool, or output_config.format for JSON"
            yield Problem("error", "tool_choice.type", f"{info.name} does not take tool_choice {kind}", hint)
        elif subject.thinks:
            words = f"with thinking, tool_choice can be auto or none, not {kind}"
            yield Problem("error", "tool_choice.type", words, "use auto, or turn thinking off")
