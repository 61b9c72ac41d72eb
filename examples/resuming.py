"""A long answer that survives broken connections: what had arrived is kept, and the rest is asked for.

    python examples/resuming.py "Write a long story."

The text is whole, without a gap or a repetition, however often the connection broke.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from typing import Any

from sansio_claude import ClaudeError, Continuation, Endpoint, NoContinuation, continuation
from sansio_claude.sync import Client


def whole_text(client: Client, request: Mapping[str, Any], attempts: int = 5) -> str:
    """The text of an answer, gone on with where it broke off. Raises the last error after so many attempts."""
    try:
        with client.stream(**request) as stream:
            return stream.final_message().text
    except ClaudeError as error:
        if attempts <= 1:
            raise
        match continuation(request, error):
            case Continuation() as following:
                print(f"[{type(error).__name__}: going on]", file=sys.stderr)
                rest = whole_text(client, following.request, attempts - 1)
                return following.before + following.join(rest)
            case NoContinuation(reason="finished") if error.partial is not None:
                return error.partial.text  # only the end of the stream was cut off
            case NoContinuation():
                raise


if __name__ == "__main__":
    question = {
        "model": "claude-opus-5-5",
        "max_tokens": 8_000,
        "messages": [{"role": "user", "content": sys.argv[1]}],
    }
    try:
        with Client(Endpoint.from_env(os.environ)) as own_client:
            print(whole_text(own_client, question))
    except ClaudeError as last:
        sys.exit(str(last))
