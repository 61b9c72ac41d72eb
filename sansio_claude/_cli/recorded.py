"""Recorded streams of any form, for the commands that serve or look at them."""

from __future__ import annotations

from typing import Any

from sansio_claude._cli.event_lines import streams_of
from sansio_claude._cli.input import Complaint, Source, open_source
from sansio_claude._errors import LocalProtocolError

__all__ = ["answers_of", "recording_of"]


def answers_of(path: str, command: str, *, speed: float | None) -> list[Any]:
    """The answers in a file, for a replay server: one of a stream, as many as it has of a recording.

    `speed` is that of a recording, None for at once. Raises Complaint.
    """
    from sansio_claude.testing import Transcript

    with open_source(path, command=command) as source:
        if source.kind == "recording":
            return list(recording_of(source).answers(speed))
        if source.kind == "json":
            raise Complaint(f"{source.name} is JSON, not a recorded stream: see `sansio-claude decode {path}`.")
        return [Transcript.from_bytes(b"".join(frames)) for frames in streams_of(source)]


def recording_of(source: Source) -> Any:
    """The `Recording` in the file. Raises Complaint."""
    from sansio_claude.testing.recording import Recording

    try:
        lines = source.read().decode("utf-8", "replace").split("\n")
        recording = Recording.from_lines(line for line in lines if line.strip())
    except LocalProtocolError as error:
        raise Complaint(f"{source.name} cannot be read as a recording: {error}.") from error
    if not recording.calls:
        raise Complaint(f"{source.name} is a recording without an answer: nothing was asked while it was made.")
    return recording
