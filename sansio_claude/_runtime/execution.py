"""What the executors of all adapters share: which exceptions are cancellations, and the log of what tools raise."""

from __future__ import annotations

import logging
import sys

__all__ = ["cancellations", "log_failure"]


def cancellations() -> tuple[type[BaseException], ...]:
    """The exceptions by which the event loops of this process cancel. A loop that is not imported has cancelled
    nothing."""
    found = (
        getattr(sys.modules.get("asyncio"), "CancelledError", None),
        getattr(sys.modules.get("trio"), "Cancelled", None),
    )
    return tuple(kind for kind in found if kind is not None)


def log_failure(name: str, words: str, error: BaseException | None) -> None:
    """Write to the log of an adapter at WARNING, with the traceback of the error."""
    logging.getLogger(name).warning("%s", words, exc_info=error)
