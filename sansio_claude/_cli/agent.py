"""A conversation in which the model uses tools, with a view of every turn: `ask --tools` and `demo --agent`."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any, Final

from sansio_claude._cli.input import Complaint
from sansio_claude._cli.json_text import json_text
from sansio_claude._cli.live import Output, Request, Runtime, how_of, open_view, run_on, sentence
from sansio_claude._cli.onlooker import Onlooker
from sansio_claude._cli.status import INTERRUPTED, finished, of_error
from sansio_claude._cli.view import HowEnded, View
from sansio_claude._errors import ClaudeError, LocalProtocolError
from sansio_claude._message.message import Message
from sansio_claude._models import EDITOR_NAMES, NEWEST_EDITOR
from sansio_claude._stream.events import Event, MessageStop
from sansio_claude.tools import DiskFiles, MemoryFiles, RunnableTool, TextEditor, ToolFinished, ToolLoop, ToolStarted

__all__ = ["DEMO_PROMPT", "call_label", "converse", "demo_agent", "named_tools"]

_LABEL: Final = 60  # characters of the input in the name of a call


def named_tools(names: Sequence[str], *, model: str) -> tuple[list[RunnableTool], str]:
    """The tools that the command line names, and what the model is to be told of them.

    There is one kind: `editor:DIR`, the text editor over the files below DIR. Raises Complaint.
    """
    tools: list[RunnableTool] = []
    words: list[str] = []
    for name in names:
        kind, _, folder = name.partition(":")
        if kind != "editor" or not folder:
            raise Complaint(f"There is no tool {name!r}: the one to have is editor:DIR, with a folder of your own.")
        try:
            files = DiskFiles(folder)
            shown = f"/{files.root.name}"
            tools.append(TextEditor.for_model(model, DiskFiles(folder, name=shown)))
        except LocalProtocolError as error:
            raise Complaint(
                f"No editor for {folder} ({error}): name a folder that exists, or another model."
            ) from error
        words.append(f"The text editor works on the directory {shown}; nothing else can be read or written.")
    if len(tools) > 1:
        raise Complaint("The editor works on one folder: name it once.")
    return tools, " ".join(words)


def converse(
    request: Request,
    tools: Sequence[Any],
    output: Output,
    *,
    max_turns: int,
    runtime: Runtime = "asyncio",
    recorder: Any = None,
) -> int:
    """Send the request, run the tools the model calls, and show every turn; the exit status.

    `recorder` is told of every step and byte. Raises Complaint after whatever had arrived was shown, and for an end
    that is none.
    """
    loop = ToolLoop(tools=tools, max_turns=max_turns, **request.arguments)
    how: HowEnded = "failed"
    with open_view(output, "waiting for the answer") as view:
        shown = _Shown(view)
        try:
            run_on(runtime, _drive, request, loop, shown, Onlooker(view, also=recorder))
            how = "complete"
        except KeyboardInterrupt:
            how = "interrupted"
        except ClaudeError as error:
            how = how_of(error)
            raise Complaint(sentence(error, request), status=of_error(error)) from error
        finally:
            shown.end(how)
            if output.as_json and loop.message is not None:
                print(json_text(loop.message.to_dict(), indent=2), flush=True)
    if how == "interrupted":
        return INTERRUPTED
    if loop.message is None or (loop.turn > max_turns and loop.state != "finished"):
        raise Complaint(f"The model was not done after {max_turns} turns: allow more with --max-turns.")
    return finished(loop.message, how_to_go_on=": allow more with --max-tokens")


async def _drive(client_class: Any, request: Request, loop: ToolLoop, shown: _Shown, onlooker: Onlooker) -> None:
    """The same on both event loops: the clients have the same names."""
    async with request.client(client_class, onlooker) as client, client.run(loop) as run:
        async for _, event in run:
            shown.event(event, run.stream)


class _Shown:
    """Every turn in one view, and what came of the calls between the turns."""

    def __init__(self, view: View) -> None:
        self.view = view
        self._message: Message | None = None
        self._open = False

    def event(self, event: Event | ToolStarted | ToolFinished, stream: Any) -> None:
        """One event of the run."""
        if isinstance(event, ToolStarted):
            self.view.wait(f"running {call_label(event.call.name, event.call.input)}")
        elif isinstance(event, ToolFinished):
            label = call_label(event.call.name, event.call.input)
            text = _text_of(event.result.content)
            self.view.result(label, text, is_error=event.is_error, seconds=event.seconds)
        else:
            self._open = True
            self._message = stream.message
            self.view.show(event, stream.partial_input, time.monotonic())
            if isinstance(event, MessageStop):
                self.end("complete")

    def end(self, how: HowEnded) -> None:
        """The turn is over, one way or the other."""
        if self._open or how == "interrupted":
            self._open = False
            self.view.end(self._message, how, time.monotonic())


def call_label(name: str, given: Any) -> str:
    """A call in a few words, so that its result can be told from those of others: `name: view /repo`."""
    if not isinstance(given, Mapping):
        return name
    values = [given[key] for key in ("command", "path") if key in given] or list(given.values())
    words = [str(value) for value in values if isinstance(value, str | int | float)]
    text = " ".join(" ".join(words).split())
    if not text:
        return name
    return f"{name}: {text}" if len(text) <= _LABEL else f"{name}: {text[: _LABEL - 1]}…"


def _text_of(content: Any) -> str:
    """The text of a result; what is no text is named."""
    if content is None:
        return "(no output)"
    if isinstance(content, str):
        return content
    parts = [
        str(block.get("text", "")) if block.get("type") == "text" else f"({block.get('type')})"
        for block in content
        if isinstance(block, Mapping)
    ]
    return "\n".join(parts)


DEMO_PROMPT: Final = "The tests say that primes.py takes 1 for a prime. Find the mistake, mend it, and say how."

_PRIMES: Final = '''\
"""Prime numbers."""


def is_prime(n):
    for divisor in range(2, int(n**0.5) + 1):
        if n % divisor == 0:
            return False
    return True
'''
_EDITOR: Final = EDITOR_NAMES[NEWEST_EDITOR]


def _calls(*inputs: dict[str, Any], first: int) -> list[dict[str, Any]]:
    return [
        {"type": "tool_use", "id": f"toolu_demo{number:02}", "name": _EDITOR, "input": given}
        for number, given in enumerate(inputs, first)
    ]


def demo_agent(model: str) -> tuple[list[Any], list[RunnableTool], MemoryFiles]:
    """What `demo --agent` shows: the answers that the server gives in turn, the tools, and the files they work on.

    The answers are written here; the tool calls in them are really run, on files in memory.
    """
    from sansio_claude.testing import compose

    path = "/repo/primes.py"
    old = "def is_prime(n):\n    for divisor"
    new = "def is_prime(n):\n    if n < 2:\n        return False\n    for divisor"
    thinking = "Look at what is there first: the folder and the file can be viewed at the same time."
    answers = [
        compose(
            [
                {"type": "thinking", "thinking": thinking},
                {"type": "text", "text": "I will look at the project first."},
                *_calls({"command": "view", "path": "/repo"}, {"command": "view", "path": path}, first=1),
            ],
            seed=1,
            model=model,
        ),
        compose(
            [
                {"type": "text", "text": "Nothing stops 0 and 1: the loop has no divisor to try. I will add that."},
                *_calls({"command": "str_replace", "path": path, "old_str": old, "new_str": new}, first=3),
                *_calls({"command": "view", "path": path, "view_range": [4, 7]}, first=4),
            ],
            seed=2,
            model=model,
        ),
        compose(
            "`is_prime` tried the divisors from 2 to the square root; for 0 and 1 there are none, so that it said yes. "
            "Numbers below 2 are now refused before the loop.",
            seed=3,
            model=model,
        ),
    ]
    files = MemoryFiles({path: _PRIMES, "/repo/tests/test_primes.py": "assert not is_prime(1)\n"}, name="/repo")
    return answers, [TextEditor.for_model(model, files)], files
