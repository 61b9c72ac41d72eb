"""Round trips of whatever a stream made of any bytes: `python -m tests.fuzz.roundtrips SECONDS [SEED]`.

The promise: `from_dict(to_dict())`, `from_dict(to_param())`, a pickle and a copy of a message are that message again,
and so is a tool loop that is saved with it and read back from JSON.
"""

from __future__ import annotations

import copy
import json
import pickle
import sys
import time
from collections.abc import Iterator
from random import Random
from typing import Final

import attrs

from sansio_claude._errors import ClaudeError
from sansio_claude._message.message import Message
from sansio_claude._message.tool_blocks import ToolInputBlock
from sansio_claude._stream.message_stream import MessageStream
from sansio_claude.tools import RunTools, ToolLoop
from tests.fuzz.streams import Case, cases
from tests.mutations import break_bytes

__all__ = ["check_round_trips", "streams"]


VARIANTS: Final = 5
NAMES: Final = ("save", "cut", "echo")
TOOLS: Final = [{"name": name, "description": "x", "input_schema": {"type": "object"}} for name in NAMES]


def check_round_trips(case: Case) -> bool:
    """Hold the promise for one case; gives whether a message had begun."""
    stream = MessageStream(limits=case.limits, strict=case.strict, keep_content=case.keep_content)
    for chunk in case.chunks:
        stream.receive_data(chunk)
    stream.receive_eof()
    message = stream.message
    if message is None:
        return False
    value = message.to_dict()
    written = json.dumps(value)
    assert json.dumps(Message.from_dict(json.loads(written)).to_dict()) == written, case
    sent = _sent(message)
    # to_dict() itself, a pickle and a copy are that message to the status of each input.
    for twin in (Message.from_dict(value), pickle.loads(pickle.dumps(message)), copy.deepcopy(message)):
        assert json.dumps(twin.to_dict()) == written, case
        assert _statuses(twin) == _statuses(message), case
        assert _sent(twin) == sent, case
    if sent is not None:
        assert json.dumps(Message.from_dict(json.loads(sent)).to_param()) == sent, case
    _check_loop(message, case)
    return True


def _sent(message: Message) -> str | None:
    """What goes back to the API; None where an input that is not whole cannot."""
    try:
        return json.dumps(message.to_param())
    except ClaudeError:
        return None


def _statuses(message: Message) -> list[str]:
    return [block.input_status for block in message.content if isinstance(block, ToolInputBlock)]


def _check_loop(message: Message, case: Case) -> None:
    """A tool loop that had this answer is saved and read back, and asks for the same."""
    loop = ToolLoop(model="claude-opus-5-5", max_tokens=9, messages=[{"role": "user", "content": "x"}], tools=TOOLS)
    loop.receive_message(message)
    saved = json.dumps(loop.to_dict())
    twin = ToolLoop.from_dict(json.loads(saved), tools=TOOLS)
    assert json.dumps(twin.to_dict()) == saved, case
    last, again = loop.message, twin.message
    assert last is not None, case
    assert again is not None, case
    assert (_statuses(again), _sent(again)) == (_statuses(last), _sent(last)), case
    assert _go_on(twin) == _go_on(loop), case
    assert json.dumps(twin.to_dict()) == json.dumps(loop.to_dict()), case


def _go_on(loop: ToolLoop) -> str:
    """Run the calls; what the loop wants then."""
    action = loop.next_action()
    while isinstance(action, RunTools):
        for call in action.calls:
            loop.receive_result(call.id, "done")
        action = loop.next_action()
    return repr(action)


def streams(seed: int) -> Iterator[Case]:
    """Cases without end, the same for the same seed: several of each case's body, broken anew.

    They are read in one piece: that any chunking gives the same is held by other targets.
    """
    dice = Random(seed)
    for case in cases(seed):
        yield attrs.evolve(case, chunks=(case.body,))
        for _ in range(VARIANTS):
            body = break_bytes(case.body, dice)
            yield attrs.evolve(case, body=body, chunks=(body,))


def main(seconds: float, seed: int) -> None:
    end = time.monotonic() + seconds
    number = begun = 0
    for case in streams(seed):
        if time.monotonic() > end:
            break
        begun += check_round_trips(case)
        number += 1
    print(f"{number} streams, seed {seed}; {begun} messages went there and back", flush=True)


if __name__ == "__main__":
    main(float(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 0)
