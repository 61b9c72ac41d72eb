"""The check of arguments that many machines take."""

from __future__ import annotations

from sansio_claude._errors.classes import LocalProtocolError

__all__ = ["as_bytes"]


def as_bytes(data: object, function: str = "receive_data") -> bytes:
    """`data` as bytes; LocalProtocolError, which names the function it was given to, for anything that is none."""
    if type(data) is bytes:
        return data
    if isinstance(data, (bytes, bytearray, memoryview)):
        return bytes(data)
    raise LocalProtocolError(f"{function} takes bytes, not {type(data).__name__}")
