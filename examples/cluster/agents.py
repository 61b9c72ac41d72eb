"""An agent as a task of a cluster: `client.submit(run_agent, name)`.

The task's whole input is the name of a run. The run is taken from the book, driven, and written back whenever it has
changed: when a call of a tool begins (before the tool does anything), and when it has its result. A worker may be
killed at any point; the task is then started again on another one, and goes on from what was written.

The key comes from the worker's own environment. It is not in the saved run.
"""

from __future__ import annotations

import json
import os
import signal
from typing import Any

from examples.cluster.book import LeaseLost, Page
from sansio_claude import Endpoint
from sansio_claude.sync import Client
from sansio_claude.tools import Tool, ToolFinished, ToolLoop, ToolStarted, tool

__all__ = ["die_if_doomed", "run_agent", "tools_of"]


def run_agent(name: str) -> str:
    """Drive a run to its end: why it ended. Raises ClaudeError where an answer failed for good."""
    page = Page()
    lease, text = page.take_run(run=name)
    loop = ToolLoop.from_dict(json.loads(text), tools=tools_of(name, page))
    # The header tells the checks at the end under which lease a request was sent; the API does not know it.
    endpoint = Endpoint.from_env(os.environ, headers={"x-lease": str(lease)})
    with Client(endpoint) as client, client.run(loop) as run:
        for _, event in run:
            if isinstance(event, (ToolStarted, ToolFinished)):
                _save(page, name, lease, run.loop)
        _save(page, name, lease, run.loop)
        return run.finished.reason if run.finished is not None else "unknown"


def _save(page: Page, name: str, lease: int, loop: ToolLoop) -> None:
    if not page.save_run(run=name, lease=lease, saved=json.dumps(loop.to_dict())):
        raise LeaseLost(name)


def die_if_doomed(page: Page, place: str) -> None:
    """Kill this process without a word, if the book says so: a machine that loses its power."""
    if page.dies_now(place=place):
        os.kill(os.getpid(), getattr(signal, "SIGKILL", signal.SIGTERM))


def tools_of(name: str, page: Page) -> list[Tool]:
    """The tools of an agent. Looking twice does no harm, paying twice does."""

    @tool(idempotent=True)
    def look_up(step: int) -> str:
        """Look up what is owed.

        Args:
            step: The number of the payment.
        """
        page.note(line=f"{name} look_up {step}")
        die_if_doomed(page, f"{name} look_up {step}")
        return f"{step} euros are owed."

    @tool
    def pay(step: int) -> str:
        """Pay what is owed. Not to be called twice for one payment.

        Args:
            step: The number of the payment.
        """
        page.note(line=f"{name} pay {step}")
        die_if_doomed(page, f"{name} pay {step}")
        return f"Payment {step} is made."

    made: list[Any] = [look_up, pay]
    return made
