"""Rules of `check()` about tools and tool_choice.

Sources: platform.claude.com/docs/en/agents-and-tools/tool-use for names, descriptions, the text editor and
tool_choice; the request types of the official Python SDK 2.14.0 for the keys and names of built-in tools; the
gateways' documents, which call a detailed description the most important factor.
"""

from __future__ import annotations

import re
from typing import Any, Final

from sansio_claude._check.nearest import nearest, unknown_keys
from sansio_claude._check.problem import Problem, Problems, Subject, number, shown
from sansio_claude._check.schema import check_loose_schema, check_strict_numbers, check_strict_schema
from sansio_claude._check.shapes import FOREIGN_TOOL_KEYS, TOOL_NAME, TOOL_NAMES, TOOLS
from sansio_claude._models import EDITOR_NAMES, NEWEST_EDITOR

__all__ = ["check_tools"]

_CHOICES: Final = ("auto", "any", "tool", "none")
_DATE: Final = re.compile(r"_\d{8}\Z")
# Scripts that are written without spaces between words: Han, kana, and those of Southeast Asia.
_IDEOGRAPHS: Final = re.compile("[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]")
_SPACELESS: Final = re.compile("[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u1a20-\u1aaf]")
_TWO_WORDS: Final = 4  # characters of Chinese or Japanese that make two words
_TWO_LONG_WORDS: Final = 12  # characters of Thai, Lao, Burmese or Khmer that do


def check_tools(subject: Subject) -> Problems:
    """Problems of the tools and of the choice between them."""
    tools = subject.body.get("tools")
    if tools is not None and not isinstance(tools, list):
        yield Problem("error", "tools", "tools has to be a list")
        tools = None
    names: set[str] = set()
    for index, tool in enumerate(tools or ()):
        path = f"tools[{index}]"
        if not isinstance(tool, dict):
            yield Problem("error", path, "a tool has to be an object")
            continue
        yield from _tool(subject, tool, path)
        name = tool.get("name")
        if isinstance(name, str):
            if name in names:
                yield Problem("error", f"{path}.name", "another tool has this name", "rename one of them")
            names.add(name)
    strict = [tool for tool in tools or () if isinstance(tool, dict) and tool.get("strict") is True]
    yield from check_strict_numbers(
        [tool["input_schema"] for tool in strict if isinstance(tool.get("input_schema"), dict)]
    )
    yield from _servers(subject, tools or [])
    yield from _choice(subject, names, bool(tools) or bool(subject.body.get("mcp_servers")))


def _tool(subject: Subject, tool: dict[str, Any], path: str) -> Problems:
    kind = tool.get("type")
    if kind == "function":
        words = "this is the shape of a tool of another API"
        hint = "write name, description and input_schema into the tool itself, without a type"
        yield Problem("error", path, words, hint)
    elif kind is None or kind == "custom":
        yield from unknown_keys(tool, TOOLS["custom"], path, "a tool", foreign=FOREIGN_TOOL_KEYS)
        yield from _custom(tool, path)
    elif not isinstance(kind, str):
        yield Problem("error", f"{path}.type", "the type of a tool has to be text")
    elif kind.startswith("text_editor_"):
        yield from _editor(subject, tool, kind, path)
    else:
        yield from _built_in(tool, kind, path)


def _custom(tool: dict[str, Any], path: str) -> Problems:
    name = tool.get("name")
    if not isinstance(name, str) or TOOL_NAME.fullmatch(name) is None:
        words = "the tool has no name" if name is None else f"the name of a tool has to match ^{TOOL_NAME.pattern}$"
        yield Problem("error", f"{path}.name", words, "letters, digits, _ and -, at most 64 of them")
    description = tool.get("description")
    if description is not None and not isinstance(description, str):
        yield Problem("error", f"{path}.description", "the description of a tool has to be text")
    elif not _describes(description or ""):
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
    elif tool.get("strict") is True:
        yield from check_strict_schema(schema, f"{path}.input_schema")
    if isinstance(schema, dict):
        yield from check_loose_schema(schema, f"{path}.input_schema")
    examples = tool.get("input_examples")
    if examples is not None and not (
        isinstance(examples, list) and all(isinstance(example, dict) for example in examples)
    ):
        yield Problem("error", f"{path}.input_examples", "input_examples has to be a list of objects")


def _describes(text: str) -> bool:
    """Whether it has more than one word, in scripts without spaces as well as in those with."""
    if len(text.split(maxsplit=2)) >= 2:
        return True
    head = text.strip()[:200]
    return len(_IDEOGRAPHS.findall(head)) >= _TWO_WORDS or len(_SPACELESS.findall(head)) >= _TWO_LONG_WORDS


def _built_in(tool: dict[str, Any], kind: str, path: str) -> Problems:
    family = _DATE.sub("", kind)
    known = TOOLS.get(kind)
    if known is not None:
        yield from unknown_keys(tool, known, path, f"the tool {kind}")
    elif family == kind or not any(_DATE.sub("", name) == family for name in TOOLS):
        # A known tool with another date is taken for a later version.
        meant = nearest(kind, TOOLS)
        yield Problem(
            "warning",
            f"{path}.type",
            f"{shown(kind)} is no known type of tool",
            f"did you mean {meant}?" if meant else "",
        )
    wanted = TOOL_NAMES.get(family)
    if wanted is not None and tool.get("name") != wanted:
        yield Problem("error", f"{path}.name", f"the name of {kind:.60} has to be {wanted}")
    if tool.get("allowed_domains") and tool.get("blocked_domains"):
        words = "allowed_domains and blocked_domains exclude each other"
        yield Problem("error", f"{path}.blocked_domains", words, "give one of them")
    uses = tool.get("max_uses")
    if uses is not None and (number(uses) or 0) < 1:
        yield Problem("error", f"{path}.max_uses", "max_uses has to be a whole number from 1 on")
    if family == "advisor" and not isinstance(tool.get("model"), str):
        yield Problem("error", f"{path}.model", "the advisor tool needs the model that advises")
    if family == "computer":
        for key in ("display_width_px", "display_height_px"):
            if (number(tool.get(key)) or 0) < 1:
                yield Problem("error", f"{path}.{key}", f"{key} has to be a whole number of pixels from 1 on")


def _editor(subject: Subject, tool: dict[str, Any], kind: str, path: str) -> Problems:
    info = subject.info
    types = info.text_editor_types if info is not None else None
    if info is not None and types is not None and kind not in types:
        hint = f"use {types[0]} with the name {info.text_editor_name}" if types else "it has no text editor tool"
        if kind in EDITOR_NAMES:
            yield Problem("error", f"{path}.type", f"{kind} is not made for {info.name}", hint)
        else:  # a later version, or a misspelt one
            yield Problem("warning", f"{path}.type", f"{kind:.60} is not known to be made for {info.name}", hint)
    wanted = EDITOR_NAMES.get(kind)
    if wanted is not None and tool.get("name") != wanted:
        yield Problem("error", f"{path}.name", f"the name of {kind} has to be {wanted}")
    if "input_schema" in tool:
        words = "the text editor tool has a schema of its own and takes none"
        yield Problem("error", f"{path}.input_schema", words, "remove it")
    if "max_characters" in tool and kind in EDITOR_NAMES and kind != NEWEST_EDITOR:
        words = f"{kind} has no max_characters"
        yield Problem("error", f"{path}.max_characters", words, f"{NEWEST_EDITOR} has")
    if kind in TOOLS:
        yield from unknown_keys(tool, TOOLS[kind] | {"input_schema", "max_characters"}, path, f"the tool {kind}")


def _servers(subject: Subject, tools: list[Any]) -> Problems:
    given = subject.body.get("mcp_servers")
    if given is not None and not isinstance(given, list):
        yield Problem("error", "mcp_servers", "mcp_servers has to be a list")
    servers = {
        server["name"]
        for server in (given if isinstance(given, list) else ())
        if isinstance(server, dict) and isinstance(server.get("name"), str)
    }
    for index, tool in enumerate(tools):
        if isinstance(tool, dict) and tool.get("type") == "mcp_toolset":
            name = tool.get("mcp_server_name")
            path = f"tools[{index}].mcp_server_name"
            if not isinstance(name, str):
                yield Problem("error", path, "an mcp_toolset needs the name of its server")
            elif name not in servers:
                words = "the mcp_toolset names a server that is not among mcp_servers"
                yield Problem("error", path, words, "add the server, with its name and url")


def _choice(subject: Subject, names: set[str], any_tools: bool) -> Problems:
    choice = subject.body.get("tool_choice")
    if choice is None:
        return
    kind = choice.get("type") if isinstance(choice, dict) else None
    if not isinstance(choice, dict) or kind not in _CHOICES:
        words = f"{shown(kind if isinstance(kind, str) else str(choice))} is not a tool_choice"
        yield Problem("error", "tool_choice", words, 'give an object with a type: "auto", "any", "tool" or "none"')
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
