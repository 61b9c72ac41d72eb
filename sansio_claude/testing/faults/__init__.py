"""A catalogue of what goes wrong between a client and a server, to be played against any client.

    from sansio_claude.testing.faults import FAULTS, report, serve, table

    fault = FAULTS["trunc_clean_mid_text"]      # .what the server does, .good: what a good client does
    with serve(fault) as address:               # any client, with address as its base URL
        ...
    print(table(report(["python", "my_client.py"], FAULTS.values())))

The same on the command line: `sansio-claude faults list`, `describe NAME`, `serve NAME`, `report -- COMMAND`.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType

from sansio_claude._described import described
from sansio_claude.testing.faults import _answers, _wire
from sansio_claude.testing.faults.fault import FAULTS, KEY, TEXT, Ends, Fault
from sansio_claude.testing.faults.report import Verdict, Word, report, table
from sansio_claude.testing.faults.server import READ, FaultServer, Step

__all__ = ["FAULTS", "KEY", "TEXT", "Ends", "Fault", "FaultServer", "Verdict", "Word", "report", "serve", "table"]

_: tuple[ModuleType, ...] = (_answers, _wire)  # they fill the catalogue
described(Fault)
described(Verdict)


@contextmanager
def serve(fault: Fault, *, port: int = 0) -> Iterator[str]:
    """Play a fault while the block runs, for any number of connections; the address is a client's base URL."""
    nothing: list[list[Step]] = [[READ, b"HTTP/1.1 404 No\r\ncontent-length: 0\r\n\r\n"]]
    with FaultServer() as server, server.site(port=port) as site, server.site(nothing) as elsewhere:
        address = f"http://127.0.0.1:{elsewhere.port}"
        site.play(fault.scripts(address) if callable(fault.scripts) else fault.scripts)
        yield f"http://127.0.0.1:{site.port}"
