"""What the API is in this example: a replay server that runs agents' conversations, counts requests against a limit,
cuts some answers off in the middle and refuses others for now."""

from __future__ import annotations

import json
import threading
import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

from sansio_claude.testing import Answer, RecordedRequest, ReplayServer, Transcript, compose

__all__ = ["STEPS", "Api", "text_of_prompt"]

STEPS = 3  # payments of each agent
WINDOW = 4.0  # seconds in which the limit is whole again
_KINDS = 50  # different answers; the server composes each once


def text_of_prompt(number: int) -> str:
    """The whole answer to a prompt."""
    return f"Answer {number % _KINDS}: " + " ".join(f"word{place}" for place in range(number % _KINDS, 60))


class Api:
    """Answers of the server by the request. `limit` requests in a window; `delay` seconds to each head."""

    def __init__(self, limit: int, delay: float = 0.0) -> None:
        self.limit = limit
        self.delay = delay
        self.asked: list[tuple[str, int, int]] = []  # run, lease, turn
        self.prompts: Counter[int] = Counter()
        self.endings: Counter[str] = Counter()
        self._lock = threading.Lock()
        self._window = 0
        self._used = 0
        self._composed: dict[str, Transcript] = {}

    def server(self) -> ReplayServer:
        """The server, for any number of requests."""
        return ReplayServer([self.answer], cycle=True)

    def answer(self, request: RecordedRequest) -> Answer:
        """The answer to a request."""
        with self._lock:
            now = time.time()
            window, passed = divmod(now, WINDOW)
            if int(window) != self._window:
                self._window, self._used = int(window), 0
            self._used += 1
            left = self.limit - self._used
            reset = datetime.now(UTC) + timedelta(seconds=WINDOW - passed)
            headers = (
                ("anthropic-ratelimit-requests-limit", str(self.limit)),
                ("anthropic-ratelimit-requests-remaining", str(max(left, 0))),
                ("anthropic-ratelimit-requests-reset", reset.isoformat()),
            )
            if left < 0:
                self.endings["429"] += 1
                wait = (("retry-after", str(int(WINDOW - passed) + 1)),)
                return Answer.error(429, "slow down", headers=headers + wait)
            body = request.json()
            said = body["messages"][0]["content"]
            if said.startswith("Prompt "):
                return self._to_prompt(int(said.removeprefix("Prompt ")), body["messages"], headers)
            return self._to_agent(said, dict(request.headers).get("x-lease", "0"), body["messages"], headers)

    def _to_prompt(self, number: int, messages: list[dict[str, Any]], headers: Any) -> Answer:
        self.prompts[number] += 1
        before = "".join(_text(turn) for turn in messages if turn["role"] == "assistant")
        whole = self._transcript(text_of_prompt(number)[len(before) :])
        first = self.prompts[number] == 1
        if first and number % 50 == 7:
            self.endings["529"] += 1
            return Answer.error(529, "Overloaded", headers=(*headers, ("retry-after", "1")))
        if first and number % 20 == 3:
            self.endings["cut"] += 1
            whole = Transcript.from_bytes(whole.data[: len(whole.data) // 2])
        else:
            self.endings["whole"] += 1
        return Answer.stream(whole, headers=headers, delay=self.delay)

    def _to_agent(self, run: str, lease: str, messages: list[dict[str, Any]], headers: Any) -> Answer:
        turn = sum(message["role"] == "assistant" for message in messages) + 1
        self.asked.append((run, int(lease), turn))
        if turn > STEPS:
            return Answer.stream(self._transcript("All is paid."), headers=headers, delay=self.delay)
        calls = [
            {"type": "tool_use", "id": f"toolu_{turn}_{name}", "name": name, "input": {"step": turn}}
            for name in ("look_up", "pay")
        ]
        return Answer.stream(self._transcript(json.dumps(calls), calls), headers=headers, delay=self.delay)

    def _transcript(self, text: str, blocks: list[dict[str, Any]] | None = None) -> Transcript:
        if text not in self._composed:
            self._composed[text] = compose(blocks if blocks is not None else text, seed=1, pings="none")
        return self._composed[text]


def _text(turn: dict[str, Any]) -> str:
    content = turn["content"]
    return content if isinstance(content, str) else "".join(block.get("text", "") for block in content)
