"""The errors of a connection that could not be opened or broke, in the operating system's words."""

from __future__ import annotations

from sansio_claude._errors import ConnectError, ProxyError, ReadError, TransportError, WriteError

__all__ = ["broken_reading", "broken_writing", "closed_writing", "not_connected", "reason"]


def not_connected(place: str, cause: BaseException, *, proxied: bool) -> TransportError:
    """There is no TCP connection to `place`, which is a proxy or the server itself."""
    error = (ProxyError if proxied else ConnectError)(f"could not connect to {place}: {reason(cause)}")
    error.__cause__ = cause
    return error


def broken_writing(cause: BaseException) -> WriteError:
    """The connection broke before the whole request was written."""
    error = WriteError(f"the connection broke while the request was written: {reason(cause)}")
    error.__cause__ = cause
    return error


def closed_writing() -> WriteError:
    """The server ended the connection before the whole request was written."""
    return WriteError("the server closed the connection while the request was written")


def broken_reading(cause: BaseException) -> ReadError:
    """The connection broke before the whole answer had come."""
    error = ReadError(f"the connection broke before the answer was whole: {reason(cause)}")
    error.__cause__ = cause
    return error


def reason(cause: BaseException) -> str:
    """The operating system's words for what went wrong, or the exception's own."""
    words = getattr(cause, "strerror", None) or str(cause)
    return str(words) if words else type(cause).__name__
