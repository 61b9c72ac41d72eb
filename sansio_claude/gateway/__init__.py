"""For those who stand between a client and a server of the Messages API.

* `Repair` takes the bytes of an answer's body as some peer sent them, and gives the stream that the API would have
  sent, with a list of what was not right;
* `StreamMonitor` watches bytes that somebody else forwards: usage, stop reason, state, deviations;
* `probes`, `judge` and `judge_body` are the checks of a conformance report: requests out, answers in, findings;
* `read_wrapped` reads a stream that came as JSON lines, as the output of an agent, or without blank lines;
* `fit_messages` makes a history fit for a model.

Promises: no I/O, no clock; a right stream passes unchanged, byte for byte; a cut never becomes whole.
"""

from sansio_claude._described import described
from sansio_claude._request.history import Fitted, fit_messages
from sansio_claude.gateway._checks import CHECKS, CheckSeverity, ConformanceCheck, Finding
from sansio_claude.gateway._judge_stream import judge_body
from sansio_claude.gateway._mend_kinds import MEND_KINDS, Mended, MendKind, MendVerdict
from sansio_claude.gateway._monitor import StreamMonitor
from sansio_claude.gateway._probes import Probe, ProbeAnswer, findings_as_json, judge, probes
from sansio_claude.gateway._repair import Repair
from sansio_claude.gateway._wrapped import WRAPPINGS, WrappedIterator, Wrapping, read_wrapped

__all__ = [
    "CHECKS",
    "MEND_KINDS",
    "WRAPPINGS",
    "CheckSeverity",
    "ConformanceCheck",
    "Finding",
    "Fitted",
    "MendKind",
    "MendVerdict",
    "Mended",
    "Probe",
    "ProbeAnswer",
    "Repair",
    "StreamMonitor",
    "WrappedIterator",
    "Wrapping",
    "findings_as_json",
    "fit_messages",
    "judge",
    "judge_body",
    "probes",
    "read_wrapped",
]

for _name in __all__:
    described(globals()[_name])
