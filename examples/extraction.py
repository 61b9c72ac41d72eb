"""Records out of a text, checked, and shown while they arrive.

    python examples/extraction.py < letters.txt

Each line that is printed is one checked record as JSON. Where the model refused, or nothing fits, the
program ends with words that say so.
"""

from __future__ import annotations

import dataclasses
import json
import os
import sys
from datetime import date
from typing import Annotated, Literal

from sansio_claude import ClaudeError, Endpoint, RefusalError
from sansio_claude.sync import Client


@dataclasses.dataclass
class Payment:
    """A payment that the text speaks of."""

    payee: str
    euros: Annotated[float, "The sum in euros"]
    due: date | None = None
    state: Literal["open", "paid"] = "open"


def payments_in(client: Client, text: str) -> list[Payment]:
    """All payments of a text. Raises ClaudeError where there is no answer that fits."""
    with client.extraction(
        list[Payment],
        model="claude-opus-5-5",
        max_tokens=4096,
        messages=[{"role": "user", "content": f"List all payments of this text.\n\n{text}"}],
    ) as extraction:
        for partial in extraction:  # plain JSON, not checked yet, more each time
            count = len(partial) if isinstance(partial, list) else 0
            print(f"\r{count} so far", end="", file=sys.stderr)
        print(file=sys.stderr)
        return extraction.value


if __name__ == "__main__":
    try:
        with Client(Endpoint.from_env(os.environ)) as own_client:
            for payment in payments_in(own_client, sys.stdin.read()):
                print(json.dumps(dataclasses.asdict(payment), default=str))
    except RefusalError as refusal:
        sys.exit(f"refused: {refusal.stop_details}")
    except ClaudeError as error:
        sys.exit(str(error))
