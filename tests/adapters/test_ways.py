"""The ways to a server on every adapter: SOCKS proxies, unix sockets, tokens that rotate; a fault at every step."""

from __future__ import annotations

import asyncio
import contextlib
import pickle
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import sansio_claude.sync
from sansio_claude._call.retry import RetryPolicy
from sansio_claude._call.timeouts import Timeouts
from sansio_claude._errors import (
    AuthenticationError,
    ClaudeError,
    ConnectError,
    DeadlineError,
    LocalProtocolError,
    ProxyError,
    TLSError,
)
from sansio_claude._request.endpoint import Endpoint
from sansio_claude.testing import ReplayServer, compose, serve_in_thread
from tests.adapters.proxies import Socks, socks_server, unix_server
from tests.adapters.runtimes import LOOPS, Runtime, open_files, raw_server, read_request
from tests.certificates import authority, client_context, server_context
from tests.faults.case import secrets_in, watched
from tests.virtual import GOOD, SECRET, refusal

ASK: dict[str, Any] = {"model": "m", "max_tokens": 10, "messages": [{"role": "user", "content": "Hi"}]}
HELLO = compose("Hello, how are you?", seed=1)
NO_RETRY = RetryPolicy(max_retries=0)
QUICK = RetryPolicy(max_retries=2, initial=0.001)
PASSWORD = "hunter22-of-the-proxy"

Make = Callable[..., Any]


class Adapter:
    """A client that is asked the same on every adapter."""

    def __init__(self, loop: Runtime | None) -> None:
        self.loop = loop

    def __repr__(self) -> str:
        return "sync" if self.loop is None else repr(self.loop)

    def ask(self, endpoint: Endpoint, times: int = 1, **options: Any) -> list[str]:
        """The texts of so many answers, one after the other."""
        if self.loop is None:
            with sansio_claude.sync.Client(endpoint, **options) as client:
                return [client.create(**ASK).text for _ in range(times)]

        async def main() -> list[str]:
            assert self.loop is not None
            async with self.loop.Client(endpoint, **options) as client:
                return [(await client.create(**ASK)).text for _ in range(times)]

        found: list[str] = self.loop.run(main)
        return found

    def list_models(self, endpoint: Endpoint, **options: Any) -> list[Any]:
        """The models, read in a loop."""
        if self.loop is None:
            with sansio_claude.sync.Client(endpoint, **options) as client:
                return list(client.models())

        async def main() -> list[Any]:
            assert self.loop is not None
            async with self.loop.Client(endpoint, **options) as client:
                return [model async for model in client.models()]

        found: list[Any] = self.loop.run(main)
        return found


@pytest.fixture(params=[*map(Adapter, LOOPS), Adapter(None)], ids=repr)
def adapter(request: pytest.FixtureRequest) -> Adapter:
    found: Adapter = request.param
    return found


@pytest.fixture(autouse=True)
def _nothing_leaks(adapter: Adapter) -> Iterator[None]:
    if adapter.loop is not None:
        adapter.loop.run(adapter.loop.sleep, 0)
    before = open_files()
    yield
    end = time.monotonic() + 5
    while open_files() > before and time.monotonic() < end:
        time.sleep(0.01)  # a thread that was left behind closes its event loop at once, and not before this one goes on
    assert open_files() <= before


def fails(adapter: Adapter, endpoint: Endpoint, kind: type[ClaudeError], words: str, **options: Any) -> ClaudeError:
    """Ask in vain: the error, which is looked through for secrets."""
    with watched() as lines, pytest.raises(kind, match=words) as caught:
        adapter.ask(endpoint, **{"retry": NO_RETRY, **options})
    shown = f"{caught.value!r} {pickle.dumps(caught.value)!r}"
    for secret in (SECRET, PASSWORD):
        assert secrets_in(caught.value, lines, [secret]) == []
        assert secret not in shown
    return caught.value


API = Endpoint.from_base_url("https://api.test", api_key=SECRET)


class TestSocks:
    @pytest.mark.parametrize("scheme", ["socks5", "socks5h"])
    @pytest.mark.parametrize("login", [None, (b"user", PASSWORD.encode())])
    def test_there_and_back(self, adapter: Adapter, scheme: str, login: tuple[bytes, bytes] | None) -> None:
        """The proxy resolves the name, sees TLS and nothing else, and its replies come byte by byte."""
        with serve_in_thread(ReplayServer([HELLO]), ssl_context=server_context("api.test")) as address:
            socks = Socks(login=login, where={"api.test": (address.host, address.port)}, step=1)
            user = "" if login is None else f"user:{PASSWORD}@"
            with socks_server(socks) as place:
                texts = adapter.ask(API, 2, proxy=f"{scheme}://{user}{place}", ssl_context=client_context())
        assert texts == ["Hello, how are you?"] * 2
        assert socks.targets == [("api.test", 443)]
        assert SECRET.encode() not in b"".join(socks.carried)
        assert b"".join(socks.carried)[:1] == b"\x16"  # a TLS handshake comes first

    @pytest.mark.parametrize("stage", ["greeting", "login", "request"])
    @pytest.mark.parametrize(
        ("fault", "words"),
        [
            (lambda data: None, "instead of opening one"),
            (lambda data: data[:1], "instead of opening one"),
            (lambda data: b"HTTP/1.1 400 Bad\r\n\r\n", "SOCKS5|RFC 1929"),
            (lambda data: data + b"x", "sent bytes"),
            (lambda data: data[:1] + b"\xfe" + data[2:], "SOCKS code 254|not offered|does not accept"),
        ],
    )
    def test_a_fault_at_every_step(
        self, adapter: Adapter, stage: str, fault: Callable[[bytes], bytes | None], words: str
    ) -> None:
        done: list[str] = []

        def once(at: str, data: bytes) -> bytes | None:
            if done or at != stage:
                return None if done else data  # behind half a reply the connection is closed
            done.append(at)
            return fault(data)

        socks = Socks(login=(b"user", PASSWORD.encode()), fault=once)
        with socks_server(socks) as place:
            half = len(fault(b"\x05\x00\x00") or b"") == 1
            times = Timeouts(connect=0.3 if half else 20)
            options = {"proxy": f"socks5://user:{PASSWORD}@{place}", "timeouts": times}
            kind: Any = (ProxyError, DeadlineError) if half else ProxyError
            fails(adapter, API, kind, "opening one|Timeouts.connect" if half else words, **options)

    def test_the_proxy_says_no(self, adapter: Adapter) -> None:
        for reply, words in ((b"\x05\x05\0\x01" + bytes(6), "the server refused"), (b"\x05\x02", "rules")):
            with socks_server(Socks(reply=reply)) as place:
                fails(adapter, API, ProxyError, words, proxy=f"socks5://{place}")
        with socks_server(Socks(login=(b"user", b"another one"))) as place:
            fails(adapter, API, ProxyError, "does not accept", proxy=f"socks5://user:{PASSWORD}@{place}")
            fails(adapter, API, ProxyError, "asks for credentials", proxy=f"socks5://{place}")

    def test_what_may_pass_is_tried_again(self, adapter: Adapter) -> None:
        replies = [b"\x05\x01\0\x01" + bytes(6), b"\x05\x04"]

        def fault(stage: str, data: bytes) -> bytes | None:
            return replies.pop(0) if stage == "request" and replies else data

        with serve_in_thread(ReplayServer([HELLO]), ssl_context=server_context("api.test")) as address:
            socks = Socks(fault=fault, where={"api.test": (address.host, address.port)})
            with socks_server(socks) as place:
                texts = adapter.ask(API, proxy=f"socks5://{place}", ssl_context=client_context(), retry=QUICK)
        assert texts == ["Hello, how are you?"]
        assert len(socks.targets) == 3

    def test_nobody_there_and_nobody_who_answers(self, adapter: Adapter) -> None:
        error = fails(adapter, API, ProxyError, "could not connect to the proxy", proxy="socks5://127.0.0.1:1")
        assert "refused" in str(error)
        with raw_server(lambda connection: connection.recv(1000) and connection.recv(1)) as (host, port):  # type: ignore[arg-type]
            fails(
                adapter, API, DeadlineError, "connect", proxy=f"socks5://{host}:{port}", timeouts=Timeouts(connect=0.2)
            )


class TestUnixSockets:
    @pytest.mark.parametrize("kind", ["path", "object", "abstract"])
    def test_there_and_back(self, adapter: Adapter, kind: str, tmp_path: Path) -> None:
        seen: list[bytes] = []

        def handler(connection: socket.socket) -> None:
            while request := read_request(connection):
                seen.append(request)
                connection.sendall(GOOD)

        where = f"\0sansio-claude-{tmp_path}" if kind == "abstract" else str(tmp_path / "api.sock")
        given: Any = {"path": where, "object": Path(where.strip("\0")), "abstract": where.replace("\0", "@")}[kind]
        with unix_server(where, handler):
            endpoint = Endpoint.from_base_url("http://localhost", api_key=SECRET)
            assert adapter.ask(endpoint, 2, uds=given, proxy={"all_proxy": "http://127.0.0.1:1"}) == ["Hello", "Hello"]
        assert len(seen) == 2
        assert b"host: localhost\r\n" in seen[0].lower()

    def test_tls_over_it(self, adapter: Adapter, tmp_path: Path) -> None:
        def handler(connection: socket.socket) -> None:
            with server_context("api.test").wrap_socket(connection, server_side=True) as secured:
                read_request(secured)
                secured.sendall(GOOD)

        with unix_server(str(tmp_path / "s"), handler):
            assert adapter.ask(API, uds=tmp_path / "s", ssl_context=client_context()) == ["Hello"]

    def test_nobody_there(self, adapter: Adapter, tmp_path: Path) -> None:
        endpoint = Endpoint.from_base_url("http://localhost", api_key=SECRET)
        error = fails(adapter, endpoint, ConnectError, "the unix socket", uds=tmp_path / "none")
        assert "No such file" in str(error)
        (tmp_path / "file").write_text("")
        fails(adapter, endpoint, ConnectError, "refused", uds=tmp_path / "file")
        fails(adapter, endpoint, ConnectError, "too long", uds="/" + "x" * 300)
        with pytest.raises(LocalProtocolError, match="exclude"):
            adapter.ask(endpoint, uds="/x", proxy="http://proxy.test")

    def test_more_waiting_for_it_than_it_takes(self, adapter: Adapter, tmp_path: Path) -> None:
        path = str(tmp_path / "full")
        waiting = [socket.socket(socket.AF_UNIX) for _ in range(3)]
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(path)
            listener.listen(0)
            for each in waiting:
                each.setblocking(False)
                each.connect_ex(path)
            endpoint = Endpoint.from_base_url("http://localhost", api_key=SECRET)
            fails(adapter, endpoint, DeadlineError, "connect", uds=path, timeouts=Timeouts(connect=0.1))
        for each in waiting:
            each.close()


def test_plain_http_does_not_leave_this_machine(adapter: Adapter, monkeypatch: pytest.MonkeyPatch) -> None:
    """A name that means this machine leads to another one: nothing is sent there."""
    real = socket.getaddrinfo

    def found(host: Any, port: Any, *args: Any, **options: Any) -> Any:
        if host == "evil.localhost":
            if options.get("flags"):
                raise socket.gaierror(socket.EAI_NONAME, "no number")
            return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("192.0.2.1", port))]
        return real(host, port, *args, **options)

    monkeypatch.setattr(socket, "getaddrinfo", found)
    endpoint = Endpoint.from_base_url("http://evil.localhost", api_key=SECRET)
    fails(adapter, endpoint, ConnectError, "192.0.2.1, which is not this machine", timeouts=Timeouts(connect=5))


class TestTokens:
    @pytest.mark.parametrize("way", ["sync", "async"])
    def test_a_token_that_rotates(self, adapter: Adapter, way: str) -> None:
        given: list[str] = []
        seen: list[bytes] = []

        def token() -> str:
            given.append(f"token-of-a-minute-{len(given)}")
            return given[-1]

        async def later() -> str:
            return token()

        def handler(connection: socket.socket) -> None:
            while request := read_request(connection):
                seen.append(request)
                known = b"token-of-a-minute-0" not in request
                words = f"{given[-1]} has run out"
                connection.sendall(GOOD if known else refusal(401, "authentication_error", message=words))

        with watched() as lines, raw_server(handler) as (host, port):
            endpoint = Endpoint.from_base_url(f"http://{host}:{port}", auth_token=later if way == "async" else token)
            assert adapter.ask(endpoint, 2, retry=NO_RETRY) == ["Hello", "Hello"]
        sent = [line for each in seen for line in each.split(b"\r\n") if line.lower().startswith(b"authorization")]
        assert [line.split()[-1].decode() for line in sent] == given
        assert len(given) == 3
        assert secrets_in(None, lines, given) == []

    def test_a_token_that_is_never_taken(self, adapter: Adapter) -> None:
        given: list[str] = []

        def token() -> str:
            given.append(f"token-of-a-minute-{len(given)}")
            return given[-1]

        def handler(connection: socket.socket) -> None:
            while read_request(connection):
                connection.sendall(refusal(401, "authentication_error", message=f"{given[-1]} is wrong"))

        with watched() as lines, raw_server(handler) as (host, port):
            endpoint = Endpoint.from_base_url(f"http://{host}:{port}", auth_token=token)
            with pytest.raises(AuthenticationError) as caught:
                adapter.ask(endpoint, retry=QUICK)
        assert len(given) == 2
        assert secrets_in(caught.value, lines, given) == []
        assert not any(each.encode() in pickle.dumps(caught.value) for each in given)

    def test_what_it_raises_is_the_callers(self, adapter: Adapter) -> None:
        class OwnError(Exception):
            pass

        own = OwnError("the vault is closed")

        def token() -> str:
            raise own

        async def later() -> str:
            raise own

        with raw_server(lambda connection: None) as (host, port):
            for source in (token, later):
                with pytest.raises(OwnError) as caught:
                    adapter.ask(Endpoint.from_base_url(f"http://{host}:{port}", auth_token=source))
                assert caught.value is own
                assert caught.value.__cause__ is None

    @pytest.mark.parametrize("kind", [StopIteration, StopAsyncIteration])
    def test_an_end_of_an_iteration_ends_nothing_in_silence(self, adapter: Adapter, kind: type[Exception]) -> None:
        """Python takes these two for an end, in a coroutine and in a loop: ours says what happened."""

        def token() -> str:
            raise kind("the tokens are used up")

        async def later() -> str:
            raise kind("the tokens are used up")

        sources: list[Any] = [token, *([later] if kind is StopAsyncIteration else [])]
        for source in sources:
            endpoint = Endpoint.from_base_url("https://api.test", auth_token=source)
            for ask in (adapter.ask, adapter.list_models):
                words = f"gives the token raised {kind.__name__}, "
                with pytest.raises(LocalProtocolError, match=words) as caught:
                    ask(endpoint, ssl_context=client_context())
                assert caught.value.path == "auth_token"
                assert type(caught.value.__cause__) is kind
        # Of the caller's own coroutine, Python itself makes a RuntimeError, which is the caller's and stays.
        if kind is StopIteration:
            with pytest.raises(RuntimeError, match="coroutine raised StopIteration"):
                adapter.ask(Endpoint.from_base_url("https://api.test", auth_token=later), ssl_context=client_context())

    def test_the_time_of_the_call_bounds_it(self, adapter: Adapter) -> None:
        cancelled: list[bool] = []

        async def slow() -> str:
            try:
                await (asyncio.sleep if adapter.loop is None else adapter.loop.sleep)(60)
            except BaseException:
                cancelled.append(True)
                raise
            return "late"

        endpoint = Endpoint.from_base_url("https://api.test", auth_token=slow)
        with pytest.raises(DeadlineError, match="the call did not end within") as caught:
            adapter.ask(endpoint, timeouts=Timeouts(total=0.05), ssl_context=client_context())
        assert caught.value.deadline == "total"
        deadline = time.monotonic() + 5
        while not cancelled and time.monotonic() < deadline:
            time.sleep(0.001)  # of the blocking client another thread cancels it
        assert cancelled

    def test_its_own_timeout_is_the_callers(self, adapter: Adapter) -> None:
        async def late() -> str:
            raise TimeoutError("the vault did not answer")

        endpoint = Endpoint.from_base_url("https://api.test", auth_token=late)
        with pytest.raises(TimeoutError, match="the vault"):
            adapter.ask(endpoint, timeouts=Timeouts(total=5), ssl_context=client_context())

    def test_a_stream_that_is_closed_while_it_is_awaited(self, adapter: Adapter) -> None:
        """By another task, or by another thread."""
        loop = adapter.loop
        asked = threading.Event()

        async def slow() -> str:
            asked.set()
            await (asyncio.sleep if loop is None else loop.sleep)(60)
            return "late"

        endpoint = Endpoint.from_base_url("https://api.test", auth_token=slow)
        if loop is None:
            with sansio_claude.sync.Client(endpoint, ssl_context=client_context()) as client:

                def shut_down() -> None:
                    asked.wait(5)
                    client.shutdown()

                closing = threading.Thread(target=shut_down)
                closing.start()
                with pytest.raises(LocalProtocolError, match="given up"):
                    client.create(**ASK)
                closing.join()
            return

        async def main() -> None:
            async with loop.Client(endpoint, ssl_context=client_context()) as client:
                stream = client.stream(**ASK)

                async def read() -> None:
                    with pytest.raises(LocalProtocolError, match="given up"):
                        async with stream:
                            pass

                async def close() -> None:
                    while not asked.is_set():
                        await loop.sleep(0.001)
                    await stream.aclose()

                await loop.gather(read, close)

        loop.run(main)

    @pytest.mark.parametrize("bad", [None, 5, b"bytes", "", "a\r\nb", "ä"])
    def test_what_is_no_token(self, adapter: Adapter, bad: Any) -> None:
        endpoint = Endpoint.from_base_url("https://api.test", auth_token=lambda: bad)
        with pytest.raises(LocalProtocolError, match="auth_token"):
            adapter.ask(endpoint)


def test_a_server_that_chooses_another_protocol(adapter: Adapter) -> None:
    received: list[bytes] = []
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority().issue_cert("localhost").configure_cert(context)
    context.set_alpn_protocols(["h2"])

    def handler(connection: socket.socket) -> None:
        # Closing may overtake what the server still has to say, and then it is told so by a reset.
        with contextlib.suppress(OSError), context.wrap_socket(connection, server_side=True) as secured:
            received.append(secured.recv(65536))

    own = ssl.create_default_context()
    authority().configure_trust(own)
    own.set_alpn_protocols(["h2", "http/1.1"])
    with raw_server(handler) as (_, port):
        endpoint = Endpoint.from_base_url(f"https://localhost:{port}", api_key=SECRET)
        fails(adapter, endpoint, TLSError, "'h2'", ssl_context=own)
    assert b"".join(received) == b""
