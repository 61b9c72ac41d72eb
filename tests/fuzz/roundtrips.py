"""Round trips of whatever a stream made of any bytes: `python -m tests.fuzz.roundtrips SECONDS [SEED]`.

The promise: `from_dict(to_dict())`, `from_dict(to_param())`, a pickle and a copy of a message are that message again.
"""

from __future__ import annotations

import copy
import json
import pickle
import sys
import time

from sansio_claude._errors import ClaudeError
from sansio_claude._message.message import Message
from sansio_claude._stream.message_stream import MessageStream
from tests.fuzz.streams import Case, cases

__all__ = ["check_round_trips"]


def check_round_trips(case: Case) -> bool:
    """Hold the promise for one case; gives whether a message had begun."""
    stream = MessageStream(limits=case.limits, strict=case.strict, keep_content=case.keep_content)
    for chunk in case.chunks:
        stream.receive_data(chunk)
    stream.receive_eof()
    message = stream.message
    if message is None:
        return False
    written = json.dumps(message.to_dict())
    assert json.dumps(Message.from_dict(json.loads(written)).to_dict()) == written, case
    for twin in (pickle.loads(pickle.dumps(message)), copy.deepcopy(message)):
        assert json.dumps(twin.to_dict()) == written, case
    try:
        sent = message.to_param()
    except ClaudeError:  # an input that is not whole cannot go back
        return True
    assert json.dumps(Message.from_dict(sent).to_param()) == json.dumps(sent), case
    return True


def main(seconds: float, seed: int) -> None:
    end = time.monotonic() + seconds
    number = begun = 0
    for case in cases(seed):
        if time.monotonic() > end:
            break
        begun += check_round_trips(case)
        number += 1
    print(f"{number} streams, seed {seed}; {begun} messages went there and back")


if __name__ == "__main__":
    main(float(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 0)
