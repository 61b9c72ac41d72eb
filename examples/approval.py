"""An agent that edits files and asks before it runs a program.

    python examples/approval.py FOLDER "Make the tests pass."

The text editor tool works in FOLDER alone. Each program that the model wants to run is shown first, and only "y" lets
it run. Ctrl-C stops the run where it stands: the conversation stays one that can be gone on with.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from pathlib import Path

from sansio_claude import ClaudeError, Endpoint, TextDelta, ToolError
from sansio_claude.asyncio import Client
from sansio_claude.tools import DiskFiles, RunnableTool, TextEditor, Tool, ToolFinished, ToolStarted, tool

MODEL = "claude-opus-5-5"


def program_tool(folder: Path) -> Tool:
    """The tool that runs programs in a folder, once a person has said yes."""

    def ask(arguments: list[str]) -> bool:
        return input(f"\nrun {arguments} in {folder}? [y/N] ").strip().lower() == "y"

    @tool(confirm=ask, confirm_timeout=600, timeout=120, sequential=True)
    def run_program(arguments: list[str]) -> str:
        """Run a program in the folder, without a shell, and give what it prints.

        Args:
            arguments: The program and its arguments.
        """
        if not arguments:
            raise ToolError("name a program")
        done = subprocess.run(arguments, cwd=folder, capture_output=True, text=True, timeout=110)
        return f"status {done.returncode}\n{done.stdout}{done.stderr}"

    return run_program


async def main(folder: Path, task: str) -> None:
    """Let the model work until it is done, and show what it does."""
    editor = TextEditor.for_model(MODEL, DiskFiles(folder))
    tools: list[RunnableTool] = [editor, program_tool(folder)]
    messages = [{"role": "user", "content": task}]
    async with Client(Endpoint.from_env(os.environ)) as client:
        run = client.run(tools=tools, model=MODEL, max_tokens=8_000, max_turns=40, messages=messages)
        async with run:
            async for _, event in run:
                match event:
                    case TextDelta(text=text):
                        print(text, end="", flush=True)
                    case ToolStarted(call=call):
                        print(f"\n{call.name} {call.input}")
                    case ToolFinished(call=call, ending=ending):
                        print(f"{call.name}: {ending}")
            print(
                f"\n{run.finished.reason if run.finished else ''}: {len(run.history)} turns, {run.loop.tokens} tokens"
            )


if __name__ == "__main__":
    try:
        asyncio.run(main(Path(sys.argv[1]).resolve(), sys.argv[2]))
    except ClaudeError as error:
        sys.exit(f"\n{error}")
    except KeyboardInterrupt:
        sys.exit(130)
