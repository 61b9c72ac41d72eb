"""The peer that plays scripts; it is public as `sansio_claude.testing.faults.server`."""

from __future__ import annotations

from sansio_claude.testing.faults.server import (
    DEAF,
    FIN,
    FLOW,
    HOLD,
    NOTIFY,
    RAW,
    READ,
    RST,
    TLS,
    TUNNEL,
    FaultServer,
    Site,
    Step,
)

__all__ = [
    "DEAF",
    "FIN",
    "FLOW",
    "HOLD",
    "NOTIFY",
    "RAW",
    "READ",
    "RST",
    "TLS",
    "TUNNEL",
    "FaultServer",
    "Site",
    "Step",
]
