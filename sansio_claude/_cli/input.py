"""Files for the commands: a recorded stream, a whole JSON answer, or one sentence about what else it is."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO, Final, Literal

import attrs

from sansio_claude._cli.terminal import progress
from sansio_claude._limits import DEFAULT_LIMITS

__all__ = ["Complaint", "Source", "is_recording", "one_line", "open_source"]

_RECORDING: Final = "sansio-claude recording"  # what the first line of a recording says
_READ_SIZE: Final = 65_536
_PACKED: Final = {
    b"\x1f\x8b": ("gzip", "gzip -dc"),
    b"\x28\xb5\x2f\xfd": ("zstd", "zstd -dc"),
    b"BZh": ("bzip2", "bzip2 -dc"),
    b"\xfd7zXZ": ("xz", "xz -dc"),
    b"PK\x03\x04": ("zip", "unzip -p"),
}
_NEEDED: Final = 8  # bytes that are enough to know any of the kinds


class Complaint(Exception):
    """Ends the command with one sentence on stderr; `status` is its exit status."""

    def __init__(self, sentence: str, *, status: int = 1) -> None:
        super().__init__(one_line(sentence))
        self.status = status


def one_line(text: str) -> str:
    """Control characters and line breaks as blanks, so that what a server says stays one line of plain text."""
    return " ".join("".join(char if char.isprintable() else " " for char in text).split())


@attrs.define
class Source:
    """An input that was opened and looked at. `chunks` gives all its bytes, the first ones included.

    `kind`: "stream" is the body of a streamed answer, "lines" are JSON lines of events, "recording" is a file of
    `record`, "json" is any other JSON.
    """

    name: str
    kind: Literal["stream", "json", "lines", "recording"]
    chunks: Iterator[bytes]

    def read(self) -> bytes:
        """The rest at once."""
        return b"".join(self.chunks)


@contextmanager
def open_source(
    path: str, *, command: str = "decode", wanted: str = "the body of a streamed answer, as `curl -N` saves it"
) -> Iterator[Source]:
    """Open a file, or stdin for "-"; `command` and `wanted` are for the words.

    Raises Complaint for whatever can be neither an event stream nor JSON.
    """
    if path == "-":
        if sys.stdin.isatty():
            print("Reading from the terminal: end the input with Ctrl-D on a line of its own.", file=sys.stderr)
        yield _look("the input", sys.stdin.buffer, command, wanted, None)
        return
    try:
        file = open(path, "rb")  # noqa: SIM115 - closed below, after what is said about failing to open it
    except FileNotFoundError:
        raise Complaint(f"There is no file {path}: check its name, or give - to read from stdin.") from None
    except IsADirectoryError:
        raise Complaint(f"{path} is a directory: name a file in it.") from None
    except (OSError, ValueError) as error:
        words = error.strerror if isinstance(error, OSError) else str(error)
        raise Complaint(f"{path} cannot be read ({words}): check its name and your permissions.") from None
    with file:
        yield _look(path, file, command, wanted, os.fstat(file.fileno()).st_size)


def _look(name: str, file: BinaryIO, command: str, wanted: str, size: int | None) -> Source:
    """See by its first bytes what it is, reading no more than needed: the rest may still be on its way."""
    head = b""
    chunks = progress(_chunks(name, file), f"reading {name}", size)
    start = b""
    for chunk in chunks:
        head += chunk
        start = head.removeprefix(b"\xef\xbb\xbf").lstrip()
        if len(start) >= _NEEDED:
            break
    packed = next((names for magic, names in _PACKED.items() if head.startswith(magic)), None)
    if packed is not None:
        kind, tool = packed
        shown = "FILE" if name == "the input" else name
        raise Complaint(f"{name} is {kind} data: unpack it first, as in `{tool} {shown} | sansio-claude {command} -`.")
    if not start:
        raise Complaint(f"{name} is empty: it should hold {wanted}.")
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise Complaint(f"{name} is UTF-16 text: the API speaks UTF-8, so convert it with `iconv -t UTF-8`.")
    if start.startswith(b"<"):
        raise Complaint(
            f"{name} is an HTML or XML page: something else than the API answered, so check the address that it "
            "came from."
        )
    if start.startswith(b"HTTP/"):
        raise Complaint(f"{name} begins with an HTTP head: save the body alone, as `curl` does without -i.")
    if start[:1] not in b"{[":
        return Source(name, "stream", _again(head, chunks))
    from sansio_claude.gateway._wrapped import FirstLook  # most commands read no such file

    line, head = _first_line(head, chunks)
    look, parts = FirstLook(DEFAULT_LIMITS), [head]
    wrapping = look.at(head)
    while wrapping is None and (more := next(chunks, None)) is not None:
        parts.append(more)
        wrapping = look.at(more)
    wrapping = wrapping or look.at_the_end()
    again = _again(b"".join(parts), chunks)
    return Source(name, _kind_of_json(line) if wrapping == "sse" else "lines", again)


def _first_line(head: bytes, chunks: Iterator[bytes]) -> tuple[bytes, bytes]:
    """The first line that is not blank, and all that was read for it."""
    parts = [head]
    while b"\n" not in parts[-1].lstrip() and (chunk := next(chunks, None)) is not None:
        parts.append(chunk)
    head = b"".join(parts)
    return head.removeprefix(b"\xef\xbb\xbf").lstrip().split(b"\n", 1)[0], head


def is_recording(line: bytes) -> bool:
    """Whether a file with this first line is one of `record`."""
    return _kind_of_json(line) == "recording"


def _kind_of_json(line: bytes) -> Literal["json", "recording"]:
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        return "json"
    if isinstance(value, dict) and value.get("format") == _RECORDING:
        return "recording"
    return "json"


def _chunks(name: str, file: BinaryIO) -> Iterator[bytes]:
    # read1 gives what is there; read would wait for a whole buffer of a stream that is still coming.
    read: Any = getattr(file, "read1", file.read)
    try:
        while chunk := read(_READ_SIZE):
            yield chunk
    except IsADirectoryError:
        raise Complaint(f"{name} is a directory: name a file in it.") from None
    except OSError as error:
        reason = error.strerror or os.strerror(error.errno or 0)
        raise Complaint(f"{name} cannot be read to its end ({reason}): copy it again.") from None


def _again(head: bytes, rest: Iterator[bytes]) -> Iterator[bytes]:
    yield head
    yield from rest
