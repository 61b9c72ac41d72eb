"""A conversation in which the model uses tools, with a view of every turn: `ask --tools` and `demo --agent`."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from typing import Any, Final

from sansio_claude._call.retry import RetryPolicy
from sansio_claude._cli.input import Complaint
from sansio_claude._cli.live import INTERRUPTED, Request, Runtime, run_on, sentence, view_of_stdout
from sansio_claude._cli.view import HowEnded, View, safe
from sansio_claude._errors import ClaudeError, LocalProtocolError, TruncatedError
from sansio_claude._message.message import Message
from sansio_claude._models import EDITOR_NAMES, NEWEST_EDITOR
from sansio_claude._stream.events import Event, MessageStop
from sansio_claude.tools import DiskFiles, MemoryFiles, RunnableTool, TextEditor, ToolFinished, ToolLoop, ToolStarted

__all__ = ["DEMO_PROMPT", "converse", "demo_agent", "named_tools"]

_LINES_SHOWN: Final = 12  # of one tool result


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
    *,
    max_turns: int,
    runtime: Runtime = "asyncio",
    plain: bool = False,
    split: bool = False,
) -> int:
    """Send the request, run the tools the model calls, and show every turn; the exit status.

    `plain` and `split` are as for a single answer. Raises Complaint after whatever had arrived was shown.
    """
    shown = _Shown(plain=plain, split=split)
    loop = ToolLoop(tools=tools, max_turns=max_turns, **request.arguments)
    how: HowEnded = "failed"
    try:
        run_on(runtime, _drive, request, loop, shown)
        how = "complete"
    except KeyboardInterrupt:
        how = "interrupted"
    except ClaudeError as error:
        how = "cut" if isinstance(error, TruncatedError) else "failed"
        raise Complaint(sentence(error, request)) from error
    finally:
        shown.end(how)
    if how == "interrupted":
        return INTERRUPTED
    shown.results(loop)
    if loop.message is None or (loop.turn > max_turns and loop.state != "finished"):
        raise Complaint(f"The model was not done after {max_turns} turns: allow more with --max-turns.")
    return 0


async def _drive(client_class: Any, request: Request, loop: ToolLoop, shown: _Shown) -> None:
    """The same on both event loops: the clients have the same names."""
    retry = RetryPolicy(max_retries=request.max_retries)
    async with (
        client_class(request.endpoint, retry=retry, proxy=request.proxy) as client,
        client.run(loop) as run,
    ):
        async for _, event in run:
            if not isinstance(event, ToolStarted | ToolFinished):  # their results are shown before the next turn
                shown.event(event, run.stream, loop)


class _Shown:
    """The view of the turn under way, and what came of the tools between turns."""

    def __init__(self, *, plain: bool, split: bool) -> None:
        self._plain = plain
        self._split = split
        self._view: View | None = None
        self._stop: Callable[[], None] = _nothing
        self._message: Message | None = None
        self._told = 0

    def event(self, event: Event, stream: Any, loop: ToolLoop) -> None:
        """One event of the turn that is under way."""
        if self._view is None:
            self.results(loop)
            self._view, start, self._stop = view_of_stdout(time.monotonic(), plain=self._plain, split=self._split)
            start()
        self._message = stream.message
        self._view.show(event, stream.partial_input, time.monotonic())
        if isinstance(event, MessageStop):
            self.end("complete")

    def end(self, how: HowEnded) -> None:
        """The turn is over, one way or the other."""
        view, self._view = self._view, None
        if view is not None:
            try:
                view.end(self._message, how, time.monotonic())
            finally:
                self._stop()

    def results(self, loop: ToolLoop) -> None:
        """Show what the tools gave that has not been shown."""
        history = loop.history
        names = {
            block["id"]: block["name"]
            for turn in history
            if isinstance(turn["content"], list)
            for block in turn["content"]
            if block.get("type") == "tool_use"
        }
        to = sys.stderr if self._split and not sys.stdout.isatty() else sys.stdout
        shown = False
        for turn in history[self._told :]:
            for block in turn["content"] if isinstance(turn["content"], list) else ():
                if block.get("type") == "tool_result":
                    mark = "error" if block.get("is_error") else "result"
                    print(f"\n[{mark} of {safe(names.get(block['tool_use_id'], 'a tool'))}]", file=to)
                    print(_shortened(block.get("content")), file=to)
                    shown = True
        if shown:
            print(file=to, flush=True)
        self._told = len(history)


def _shortened(content: Any) -> str:
    text = content if isinstance(content, str) else "" if content is None else str(content)
    lines = safe(text).split("\n")
    more = len(lines) - _LINES_SHOWN
    return "\n".join(lines if more <= 0 else [*lines[:_LINES_SHOWN], f"... ({more} more lines)"])


def _nothing() -> None:
    pass


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
