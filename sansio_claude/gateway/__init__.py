"""For those who stand between a client and a server of the Messages API: repair of streams.

In: the bytes of an answer's body as some peer sent them. Out: the stream that the API would have sent, and a list of
what was not right. Promises: no I/O; a right stream passes unchanged, byte for byte; a cut never becomes whole.
"""

from sansio_claude.gateway._mend_kinds import MEND_KINDS, Mended, MendKind, MendVerdict
from sansio_claude.gateway._repair import Repair

__all__ = ["MEND_KINDS", "MendKind", "MendVerdict", "Mended", "Repair"]
