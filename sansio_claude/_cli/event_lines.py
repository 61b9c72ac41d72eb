"""The streams in a file, whatever they are wrapped in: see `gateway.read_wrapped`."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from itertools import chain

from sansio_claude._cli.input import Complaint, Source

__all__ = ["streams_of"]


def streams_of(source: Source) -> Iterable[Iterable[bytes]]:
    """The bodies of the streams in a file of the kind "stream" or "lines".

    Each has to be read before the next is taken. Says on stderr what is no server-sent event about them. Raises
    Complaint where an agent has told no events.
    """
    from sansio_claude.gateway._wrapped import messages_of, read_wrapped

    wrapped = read_wrapped(source.chunks)
    first = next(wrapped, None)
    if first is None:
        if wrapped.wrapping == "stream_json":
            words = "there is no event of a stream in it; run the agent with --include-partial-messages"
            raise Complaint(f"{source.name} is the output of an agent, but {words}.")
        return [()]
    frames = chain([first], wrapped)
    if wrapped.wrapping == "sse":
        return [frames]
    if wrapped.wrapping == "no_blank_lines":
        print(f"sansio-claude: {source.name}: {wrapped.words}", file=sys.stderr)
    return messages_of(frames)
