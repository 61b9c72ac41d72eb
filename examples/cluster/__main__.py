"""Agents and prompts on a cluster of this machine, with workers killed on the way, and what came of it checked.

    python -m examples.cluster --agents 100 --kills 20 --prompts 10000 --workers 2

Prints a report as JSON; the status is 1 where a promise was not kept.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import dask.config
from distributed import Client, LocalCluster, as_completed

from examples.cluster.agents import run_agent
from examples.cluster.book import Book
from examples.cluster.prompts import answer_prompts
from examples.cluster.server import STEPS, Api, text_of_prompt
from sansio_claude import MessageRequest
from sansio_claude.testing import serve_in_thread
from sansio_claude.tools import ToolLoop

KEY = "sk-ant-only-in-the-environment-of-the-workers"
_CHUNK = 100  # prompts of one task
_TOOLS: list[dict[str, Any]] = [
    {"name": name, "description": "Is told again by each worker.", "input_schema": {"type": "object"}}
    for name in ("look_up", "pay")
]


@contextmanager
def cluster_for(api: Api, book: Book, workers: int) -> Iterator[Client]:
    """A cluster whose workers know the key and the server by their environment, and whose scheduler keeps the book."""
    # A task that was only waiting on a worker that was killed is no suspect: it is started as often as it takes. And a
    # worker that was killed again while somebody looks whether it has come back is not given up.
    dask.config.set({"distributed.scheduler.allowed-failures": 1000, "distributed.deploy.lost-worker-timeout": "1h"})
    with serve_in_thread(api.server()) as address:
        environment = {"ANTHROPIC_API_KEY": KEY, "ANTHROPIC_BASE_URL": address.url}
        with (
            LocalCluster(
                n_workers=workers,
                threads_per_worker=1,
                processes=True,
                dashboard_address=":0",
                env=environment,
                silence_logs=50,
            ) as cluster,
            Client(cluster) as client,
        ):
            client.register_plugin(book)
            client.wait_for_workers(workers)
            yield client


def read_book(client: Client) -> dict[str, Any]:
    """All that the scheduler has written down."""
    scheduler: Any = client.scheduler
    text: Any = client.sync(scheduler.book_read_book)
    found: dict[str, Any] = json.loads(text)
    return found


def run_agents(agents: int, kills: int, workers: int) -> dict[str, Any]:
    """Drive agents to their end while workers are killed in the middle of their tools; check what came of it."""
    names = [f"agent {number}" for number in range(agents)]
    runs = {
        name: ToolLoop(
            model="claude-opus-5-5", max_tokens=1024, messages=[{"role": "user", "content": name}], tools=_TOOLS
        ).to_dict()
        for name in names
    }
    doomed = [
        f"{names[number * agents // kills]} {('look_up', 'pay')[number % 2]} {number % STEPS + 1}"
        for number in range(kills)
    ]
    api = Api(limit=10**9)
    with cluster_for(api, Book(runs, doomed), workers) as client:
        began = time.perf_counter()
        reasons: Counter[str] = Counter()
        # Results are taken as they come: those that lie on a worker which is killed would be made again.
        for _, reason in as_completed(client.map(run_agent, names, pure=False), with_results=True):
            reasons[reason] += 1
        seconds = time.perf_counter() - began
        book = read_book(client)
    return {
        "agents": agents,
        "reasons": dict(reasons),
        "workers_killed": book["killed"],
        "runs_taken_over": len(book["taken"]) - agents,
        "seconds": round(seconds, 1),
        **_checked_agents(book, api),
    }


def _checked_agents(book: dict[str, Any], api: Api) -> dict[str, Any]:
    refused, wrong, interrupted = [], [], 0
    for name, saved in book["runs"].items():
        request = {**saved["request"], "messages": [*saved["history"], {"role": "user", "content": "Thank you."}]}
        refused += [f"{name}: {p.message}" for p in MessageRequest(**request).check() if p.severity == "error"]
        results = {
            block["tool_use_id"]: json.dumps(block)
            for turn in saved["history"]
            if turn["role"] == "user" and isinstance(turn["content"], list)
            for block in turn["content"]
            if block["type"] == "tool_result"
        }
        begun = {call["id"]: call["name"] for taken in book["taken"] if taken["run"] == name for call in taken["begun"]}
        for call_id in results:
            expected = begun.get(call_id) == "pay"
            interrupted += expected
            if ("The call was interrupted" in results[call_id]) != expected:
                wrong.append(f"{name} {call_id}")
    recorded = {(taken["run"], taken["lease"]): taken["turn"] for taken in book["taken"]}
    times = Counter(book["notes"])
    return {
        "histories_refused_by_check": refused,
        "calls_interrupted": interrupted,
        "calls_answered_wrongly": wrong,
        "asked_again_though_recorded": [asked for asked in api.asked if asked[2] < recorded[asked[:2]]],
        "paid_twice": [note for note, count in times.items() if " pay " in note and count > 1],
        "looked_up_again": sum(count - 1 for note, count in times.items() if " look_up " in note),
        "keys_in_the_book": json.dumps(book).count(KEY),
    }


def run_prompts(prompts: int, kills: int, workers: int, limit: int, delay: float) -> dict[str, Any]:
    """Ask prompts under one rate limit; some answers are cut off, some refused for now, some workers killed."""
    doomed = [f"prompt {number * prompts // kills}" for number in range(kills)]
    api = Api(limit=limit, delay=delay)
    with cluster_for(api, Book(doomed=doomed), workers) as client:
        began = time.perf_counter()
        chunks = [range(start, min(start + _CHUNK, prompts)) for start in range(0, prompts, _CHUNK)]
        asked = sum(
            count for _, count in as_completed(client.map(answer_prompts, chunks, pure=False), with_results=True)
        )
        seconds = time.perf_counter() - began
        book = read_book(client)
    answers = dict(book["answers"])
    return {
        "prompts": prompts,
        "workers": workers,
        "workers_killed": book["killed"],
        "asked_by_finished_tasks": asked,
        "seconds": round(seconds, 1),
        "prompts_a_second": round(prompts / seconds, 1),
        "requests": sum(api.endings.values()),
        "endings": dict(api.endings),
        "without_answer": sum(number not in answers for number in range(prompts)),
        "wrong_answers": [number for number, text in answers.items() if text != text_of_prompt(number)],
    }


def is_good(report: dict[str, Any]) -> bool:
    """Whether every promise was kept."""
    agents, prompts = report.get("agents"), report.get("prompts", [])
    good = all(not each["without_answer"] and not each["wrong_answers"] for each in prompts)
    if agents is None:
        return good
    empty = ("histories_refused_by_check", "calls_answered_wrongly", "asked_again_though_recorded", "paid_twice")
    whole = agents["reasons"] == {"end_turn": agents["agents"]}
    return good and whole and not agents["keys_in_the_book"] and not any(agents[key] for key in empty)


def main(arguments: list[str]) -> int:
    """Run what the arguments say."""
    parser = argparse.ArgumentParser(
        prog="python -m examples.cluster", description="Agents and prompts on a cluster of this machine."
    )
    parser.add_argument("--agents", type=int, default=0, help="how many agents to drive to their end")
    parser.add_argument("--prompts", type=int, default=0, help="how many prompts to ask")
    parser.add_argument("--kills", type=int, default=0, help="how many workers to kill, in each of both")
    parser.add_argument("--workers", type=int, nargs="+", default=[2], help="workers; for prompts, one run for each")
    parser.add_argument("--limit", type=int, default=100_000, help="requests that the server takes in four seconds")
    parser.add_argument("--delay", type=float, default=0.0, help="seconds to the head of each answer")
    options = parser.parse_args(arguments)
    report: dict[str, Any] = {}
    if options.agents:
        report["agents"] = run_agents(options.agents, options.kills, options.workers[-1])
    if options.prompts:
        report["prompts"] = [
            run_prompts(options.prompts, options.kills, workers, options.limit, options.delay)
            for workers in options.workers
        ]
    print(json.dumps(report, indent=2))
    return 0 if is_good(report) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
