"""What a case is, how it is run, and what became of it.

An outcome is one word:

    ok         the whole message
    connect    TransportError other than a deadline: no connection, TLS, the proxy, a broken one
    timeout    DeadlineError
    protocol   RemoteProtocolError that is none of the following two; the caller's own mistakes too
    truncated  TruncatedError
    limit      LimitError
    api        APIError
    cancelled  the caller was cancelled
    foreign    an exception that is none of ours: always wrong
    hang       nothing came of it in time: always wrong
"""

from __future__ import annotations

import asyncio
import logging
import time
import traceback
import warnings
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any, Final, Literal, TypeAlias

import attrs
import trio

from sansio_claude._call.retry import RetryPolicy
from sansio_claude._call.timeouts import Timeouts
from sansio_claude._errors import (
    APIError,
    ClaudeError,
    DeadlineError,
    LimitError,
    LocalProtocolError,
    ReadError,
    RemoteProtocolError,
    TransportError,
    TruncatedError,
    WriteError,
)
from sansio_claude._message.message import Message
from sansio_claude._request.endpoint import Endpoint
from tests.adapters.runtimes import Runtime
from tests.certificates import client_context
from tests.faults.pieces import FINE, GOOD, HELLO, KEY, PROMPT
from tests.faults.server import READ, TLS, TUNNEL, FaultServer, Site, Step

__all__ = ["ASK", "CASES", "Case", "Outcome", "case", "run", "secrets_in", "watched"]

ASK: Final[dict[str, Any]] = {"model": "m", "max_tokens": 10, "messages": [{"role": "user", "content": PROMPT}]}
PATIENT: Final = Timeouts(
    connect=10.0, tls=10.0, write=10.0, first_byte=10.0, idle=10.0, progress=10.0, total=20.0, pool=10.0
)
HANG: Final = 25.0  # seconds
OFF: Final = RetryPolicy(max_retries=0)
ON: Final = RetryPolicy(max_retries=2, initial=0.001, longest=1.0)

Kind: TypeAlias = str
Scripts: TypeAlias = Sequence[Sequence[Step]]


@attrs.define(kw_only=True)
class Outcome:
    """What became of a case."""

    kind: Kind
    error: BaseException | None = None
    message: Message | None = None
    seen: list[Any] = attrs.field(factory=list)
    """The events the caller was given."""
    seconds: float = 0.0
    requests: int = 0
    """How many requests the peer read."""
    connections: int = 0
    deviations: list[str] = attrs.field(factory=list)
    next: str | None = None
    """What was wrong with the next request by the same client, None if nothing."""
    logged: list[str] = attrs.field(factory=list, repr=False)
    """What was logged."""
    leaks: list[str] = attrs.field(factory=list)
    """Where the key or the prompt was found."""
    left: int = 0
    """Connections that the client did not close."""
    elsewhere: int = 0
    """Connections to the other origin."""


@attrs.define(frozen=True, kw_only=True, eq=False)
class Case:
    """One fault. `scripts` is what the peer plays, or a function that gives it for a site and another origin."""

    name: str
    want: str
    """The right outcomes, with | between them."""
    scripts: Scripts | Callable[[Site, Site], Scripts] = ((READ, GOOD),)
    retried: bool = False
    """Whether it is well in the end with retries on."""
    tries: int | None = None
    """How many requests the peer gets with retries on."""
    off: int | None = 1
    """How many with retries off; None says that it does not matter."""
    how: Literal["stream", "message", "whole"] = "stream"
    text: str | None = HELLO
    """The text of a right message; None says that it does not matter."""
    given: str | None = None
    """The text that has to be given out before the error."""
    error: type[ClaudeError] | None = None
    """The class of the error, where the word does not say enough."""
    words: str = ""
    """What the error has to say."""
    check: Callable[[Outcome], object] | None = None
    """Looks at the outcome; asserts."""
    ask: Mapping[str, Any] = attrs.field(factory=dict)
    client: Mapping[str, Any] | Callable[[Site], Mapping[str, Any]] = attrs.field(factory=dict)
    timeouts: Mapping[str, float | None] = attrs.field(factory=dict)
    retry: Mapping[str, Any] = attrs.field(factory=dict)
    url: str | Callable[[Site], str] | None = None
    tls: bool = False
    key: str = KEY
    prelude: Callable[[Any, Runtime], Awaitable[None]] | None = None
    """What the client does before the request that counts; `played` says how many requests that takes."""
    played: int = 0
    cancel: float | None = None
    """Cancel the request so many seconds after the peer has done all that its script says. What a busy machine takes
    to get there is not the client's, and must not decide where the client is cancelled."""
    cancels: bool = False
    """Whether something else in it is cancelled."""
    then: bool = True
    """Whether the next request has to be well."""
    pause: float = 0.0
    """How long the caller is busy with the first event."""
    within: float = 15.0
    """Seconds that it may take. Generous: what is measured on a busy machine is hardly the client."""
    site: Mapping[str, Any] = attrs.field(factory=dict)
    peer: Callable[[], Any] | None = None
    """A context manager that gives an address, in place of the fault server."""

    async def ask_by(self, client: Any, runtime: Runtime, outcome: Outcome) -> None:
        """The request that counts."""
        arguments = {**ASK, **self.ask}
        if self.how == "stream":
            async with client.stream(**arguments) as stream:
                try:
                    async for event in stream:
                        outcome.seen.append(event)
                        if self.pause and len(outcome.seen) == 1:
                            await runtime.sleep(self.pause)
                    outcome.message = await stream.final_message()
                finally:
                    outcome.deviations = [deviation.kind for deviation in stream.deviations]
        else:
            outcome.message = await client.create(**arguments, stream=self.how == "message")


CASES: Final[dict[str, Case]] = {}


def case(name: str, want: str, *scripts: Sequence[Step], of: type[Case] = Case, **more: Any) -> None:
    """Add a case."""
    assert name not in CASES, name
    if scripts:
        more["scripts"] = scripts
    CASES[name] = of(name=name, want=want, **more)


def kind_of(error: BaseException) -> Kind:
    """The word for an exception."""
    match error:
        case DeadlineError():
            return "timeout"
        case TransportError():
            return "connect"
        case TruncatedError():
            return "truncated"
        case LimitError():
            return "limit"
        case RemoteProtocolError() | LocalProtocolError():
            return "protocol"
        case APIError():
            return "api"
        case asyncio.CancelledError() | trio.Cancelled():
            return "cancelled"
        case _:
            return "foreign"


def url_of(each: Case, site: Site) -> str:
    if callable(each.url):
        return each.url(site)
    if each.url is not None:
        return each.url
    return f"{'https' if each.tls else 'http'}://127.0.0.1:{site.port}"


async def _main(each: Case, runtime: Runtime, site: Site, retries: bool, outcome: Outcome) -> None:
    options = dict(each.client(site) if callable(each.client) else each.client)
    if each.tls:
        options.setdefault("ssl_context", client_context())
    options["timeouts"] = attrs.evolve(PATIENT, **each.timeouts)
    options["retry"] = attrs.evolve(ON if retries else OFF, **(each.retry if retries else {}))
    started = time.monotonic()
    try:
        client = runtime.Client(Endpoint.from_base_url(url_of(each, site), api_key=each.key), **options)
    except Exception as error:
        outcome.kind, outcome.error = kind_of(error), error
        return
    async with client:
        outcome.kind = "hang"
        async with runtime.move_on_after(HANG):
            if each.prelude is not None:
                await each.prelude(client, runtime)
            started = time.monotonic()

            async def attempt() -> None:
                try:
                    await each.ask_by(client, runtime, outcome)
                    outcome.kind = "ok"
                except Exception as error:
                    outcome.kind, outcome.error = kind_of(error), error
                except BaseException as error:
                    outcome.error = error
                    if each.cancel is not None:
                        outcome.kind = kind_of(error)
                    raise

            if each.cancel is None:
                await attempt()
            else:
                await runtime.cancel_when(lambda: site.settled or each.peer is not None, each.cancel, attempt)
        outcome.seconds = time.monotonic() - started
        site.server.catch_up()
        outcome.requests = len(site.requests) - each.played
        outcome.connections = site.connections
        pool = client._session.pool
        if pool.taken or pool.waiting:
            outcome.next = f"the pool has {pool.taken} places taken and {pool.waiting} waiting"
        elif each.then:
            await _again(client, runtime, each, site, outcome)


async def _again(client: Any, runtime: Runtime, each: Case, site: Site, outcome: Outcome) -> None:
    """The peer is well now: the same client has to get the next answer, and nothing of the last one.

    It may take its time: a deadline that was short on purpose is none of a busy machine.
    """
    patient = client.with_options(timeouts=PATIENT)
    start = [step for script in site.scripts for step in script[:2] if step == TUNNEL or isinstance(step, TLS)]
    site.play([[*start[:2], READ, FINE]])
    outcome.next = "it hangs"
    async with runtime.move_on_after(HANG):
        for _ in range(2):
            try:
                message = await patient.create(**ASK)
            except (ReadError, WriteError) as error:
                # The peer may end the kept connection just now. Without retries that is an error, once.
                outcome.next = f"it raised {error!r}"
            except Exception as error:
                outcome.next = f"it raised {error!r}"
                return
            else:
                outcome.next = None if message.text == "Fine." else f"it got {message.text[:100]!r}"
                return


def run(each: Case, runtime: Runtime, server: FaultServer, *, retries: bool) -> Outcome:
    """Play the case against a client and say what became of it."""
    outcome = Outcome(kind="hang")
    with (
        watched() as watch,
        server.site(**each.site) as site,
        server.site([[READ, GOOD]]) as elsewhere,
        ExitStack() as stack,
    ):
        if each.peer is not None:
            host, port = stack.enter_context(each.peer())
            each = attrs.evolve(each, url=f"http://{host}:{port}")
        scripts = each.scripts(site, elsewhere) if callable(each.scripts) else each.scripts
        site.play(scripts)
        runtime.run(_main, each, runtime, site, retries, outcome)
    outcome.left, outcome.elsewhere = site.left, elsewhere.connections
    outcome.logged = watch
    outcome.leaks = secrets_in(outcome.error, watch)
    return outcome


# Secrets


class _Records(logging.Handler):
    def __init__(self) -> None:
        super().__init__(0)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(f"{record.name}: {record.getMessage()} {record.args!r} {record.exc_text}")


@contextmanager
def watched() -> Iterator[list[str]]:
    """What is logged, at any level and by anybody, and warned of in the meantime."""
    root = logging.getLogger()
    handler = _Records()
    levels = [(logger, logger.level) for logger in (root, logging.getLogger("sansio_claude"))]
    root.addHandler(handler)
    try:
        for logger, _ in levels:
            logger.setLevel(1)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            yield handler.lines
    finally:
        root.removeHandler(handler)
        for logger, level in levels:
            logger.setLevel(level)
    handler.lines += [f"warning: {each.message}" for each in caught]
    unclosed = [line for line in handler.lines if line.startswith("warning: ")]
    assert not unclosed, unclosed


def secrets_in(
    error: BaseException | None, lines: Sequence[str] = (), secrets: Sequence[str] = (KEY, PROMPT)
) -> list[str]:
    """Where in an exception, all that is chained to it, and lines of logs any of the secrets can be read."""
    shown = [("log", line) for line in lines]
    waiting, known = ([] if error is None else [error]), set[int]()
    while waiting:
        each = waiting.pop()
        if id(each) in known:
            continue
        known.add(id(each))
        name = type(each).__name__
        shown += [(f"str({name})", str(each)), (f"repr({name})", repr(each)), (f"{name}.args", repr(each.args))]
        shown += [(f"{name}.{key}", repr(value)) for key, value in vars(each).items()]
        shown += [(f"{name}.__notes__", repr(getattr(each, "__notes__", ())))]
        shown += [(f"traceback of {name}", "".join(traceback.format_exception(each)))]
        waiting += [link for link in (each.__cause__, each.__context__) if link is not None]
    return [where for where, what in shown if any(secret in what for secret in secrets)]
