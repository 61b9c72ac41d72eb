"""Makes the `Runtime` of an adapter from what is the adapter's own and what belongs to the process."""

from __future__ import annotations

import logging
import random
import time
from typing import TYPE_CHECKING

from sansio_claude._client.runtime import Runtime

if TYPE_CHECKING:
    from sansio_claude._call.loop import Adapter
    from sansio_claude.tools._run import MakeExecutor

__all__ = ["runtime_of"]


def runtime_of(name: str, adapter: Adapter, *, executor: MakeExecutor) -> Runtime:
    """The `Runtime` of the adapter whose module is `name`."""
    logger = logging.getLogger(name)
    return Runtime(
        name=name,
        adapter=adapter,
        executor=executor,
        wall=time.time,
        chance=random.random,
        debugging=lambda: logger.isEnabledFor(logging.DEBUG),
        debug=logger.debug,
    )
