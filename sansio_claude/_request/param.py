"""What stands in a request for an object of the caller's."""

from __future__ import annotations

from typing import Any, Final

from sansio_claude._errors import ClaudeError, LocalProtocolError

__all__ = ["param_of"]

_DUMPED: Final[dict[str, Any]] = {"mode": "json", "by_alias": True, "exclude_none": True}


def param_of(value: Any) -> Any:
    """What stands in a request for an object: what its `to_param()` gives, or the `model_dump()` of a pydantic model,
    such as the official SDK's own blocks (by their wire names, without what is None). Any other value is given back.

    Raises LocalProtocolError where the object's own method raises.
    """
    # Asked by name: isinstance with a protocol takes microseconds, and a history has hundreds of blocks.
    if isinstance(value, type):
        return value
    method = getattr(value, "to_param", None)
    if method is None:
        method, options = getattr(value, "model_dump", None), _DUMPED
        if method is None:
            return value
    else:
        options = {}
    try:
        return method(**options)
    except ClaudeError:
        raise
    except Exception as error:  # the method is the caller's
        name = f"{type(value).__name__}.{getattr(method, '__name__', 'to_param')}"
        raise LocalProtocolError(f"{name}() raised {type(error).__name__}: {error}") from error
