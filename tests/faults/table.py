"""All cases."""

from __future__ import annotations

from tests.faults import (
    cases_answers,
    cases_caller,
    cases_connect,
    cases_cuts,
    cases_events,
    cases_http,
    cases_limits,
    cases_proxies,
    cases_refusals,
    cases_reuse,
    cases_silence,
    cases_status,
    cases_tolerance,
)
from tests.faults.case import CASES

__all__ = ["CASES"]

MODULES = (
    cases_answers,
    cases_caller,
    cases_connect,
    cases_cuts,
    cases_events,
    cases_http,
    cases_limits,
    cases_proxies,
    cases_refusals,
    cases_reuse,
    cases_silence,
    cases_status,
    cases_tolerance,
)
