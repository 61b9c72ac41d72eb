"""For tests: ways to cut bytes, composed streams of the real shape, and a server that replays them.

Nothing here is needed to use the library; everything here is public and kept stable for the tests of programs that
use it. Importing this package brings in no event loop: the runners of `ReplayServer` import theirs when called.
"""

from __future__ import annotations

from sansio_claude.testing import chunkings as chunkings

__all__ = ["chunkings"]
