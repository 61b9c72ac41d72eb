"""TLS as a state machine, against the server's side in memory; no sockets."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sansio_claude._call.timeouts import Timeouts
from sansio_claude._connect.tls import TLSExchange, TLSMaker, create_context
from sansio_claude._errors import (
    DeadlineError,
    LocalProtocolError,
    RemoteProtocolError,
    TLSError,
    TransportError,
    TruncatedError,
)
from tests.certificates import authority, client_context, server_context
from tests.virtual import GOOD, GOOD_BODY, GOOD_HEAD, MESSAGE, RESET, STREAM, Peer, ServerTLS, World, head


def connected(host: str = "localhost", *, http1: bool = False) -> tuple[TLSExchange, ServerTLS]:
    client = TLSExchange(client_context(), host)
    server = ServerTLS(server_context(host, http1=http1))
    while not client.handshake_done:
        server.take(client.data_to_send())
        client.receive_data(server.pending())
    server.take(client.data_to_send())
    client.receive_data(server.pending())  # session tickets
    return client, server


class Scale:
    """A memory BIO that notes the most that was ever in it."""

    def __init__(self, bio: ssl.MemoryBIO) -> None:
        self._bio = bio
        self.largest = 0

    @property
    def pending(self) -> int:
        return self._bio.pending

    def write(self, data: bytes) -> int:
        count = self._bio.write(data)
        self.largest = max(self.largest, self._bio.pending)
        return count

    def read(self) -> bytes:
        self.largest = max(self.largest, self._bio.pending)
        return self._bio.read()


class Recorder:
    """An SSLObject that notes how much it was given to write."""

    def __init__(self, secured: ssl.SSLObject, written: list[int]) -> None:
        self._secured = secured
        self._written = written

    def write(self, data: bytes) -> int:
        self._written.append(len(data))
        return self._secured.write(data)

    def read(self, size: int) -> bytes:
        return self._secured.read(size)

    def pending(self) -> int:
        return self._secured.pending()


class TestExchange:
    def test_there_and_back(self) -> None:
        client, server = connected()
        seen = [client.idle]
        client.send(b"hello")
        seen.append(client.idle)
        assert server.take(client.data_to_send()) == b"hello"
        client.receive_data(server.encrypt(b"world"))
        seen.append(client.idle)
        assert client.plaintext_received() == b"world"
        assert client.plaintext_received() == b""
        seen.append(client.idle)
        assert seen == [True, False, False, True]
        assert client.alpn is None

    def test_http_1_1_is_agreed_on(self) -> None:
        assert connected(http1=True)[0].alpn == "http/1.1"

    @given(sizes=st.lists(st.integers(1, 40_000), min_size=1, max_size=6), step=st.integers(1, 70_000))
    def test_any_chunking(self, sizes: list[int], step: int) -> None:
        client, server = connected()
        plain = b"".join(bytes([65 + number]) * size for number, size in enumerate(sizes))
        cipher = b"".join(server.encrypt(bytes([65 + number]) * size) for number, size in enumerate(sizes))
        step = max(step, len(cipher) // 200)
        received = b""
        for start in range(0, len(cipher), step):
            client.receive_data(memoryview(cipher)[start : start + step])
            received += client.plaintext_received()
        assert received == plain

    @pytest.mark.parametrize("size", [1, 4096, 4097, 300_000])
    def test_large_requests(self, size: int) -> None:
        client, server = connected()
        client.send(memoryview(b"x" * size))
        seen = [client.idle]
        client.send(b"y")
        assert server.take(client.data_to_send()) == b"x" * size + b"y"
        seen.append(client.idle)
        assert seen == [False, True]
        assert client.data_to_send() == b""

    def test_buffers_do_not_grow_with_a_read_or_a_request(self) -> None:
        client, server = connected()
        incoming, outgoing = Scale(client._in), Scale(client._out)
        client._in, client._out = incoming, outgoing  # type: ignore[assignment]
        client.send(b"x" * 300_000)
        assert len(server.take(client.data_to_send())) == 300_000
        client.receive_data(server.encrypt(b"y" * 300_000))
        assert len(client.plaintext_received()) == 300_000
        assert incoming.largest <= 4096
        assert outgoing.largest <= 5000

    def test_the_buffer_for_writing_is_given_back_when_an_answer_begins(self) -> None:
        client, server = connected()
        written: list[int] = []
        client._object = Recorder(client._object, written)  # type: ignore[assignment]
        client.send(b"hello")
        server.take(client.data_to_send())
        for number in range(3):
            client.receive_data(server.encrypt(b"%d" % number))
            assert client.data_to_send() == b""
        assert client.plaintext_received() == b"012"
        assert written == [5, 0]

    def test_a_clean_end(self) -> None:
        client, server = connected()
        client.receive_data(server.encrypt(b"last") + server.close_notify())
        assert client.ended
        assert client.ended_cleanly
        assert client.plaintext_received() == b"last"
        assert client.plaintext_received() == b""
        client.receive_data(b"whatever")
        client.receive_eof()
        assert client.ended_cleanly
        assert not client.idle
        assert repr(client) == "<TLSExchange ended>"

    def test_an_end_without_close_notify(self) -> None:
        client, server = connected()
        client.receive_data(server.encrypt(b"last"))
        client.receive_eof()
        assert client.ended
        assert not client.ended_cleanly
        assert client.plaintext_received() == b"last"
        assert client.plaintext_received() == b""

    def test_broken_bytes(self) -> None:
        client, server = connected()
        good, bad = server.encrypt(b"good"), bytearray(server.encrypt(b"bad"))
        bad[-1] ^= 1
        client.receive_data(good + bytes(bad))
        assert client.plaintext_received() == b"good"
        for _ in range(2):
            with pytest.raises(TLSError, match="broke"):
                client.plaintext_received()
        assert client.ended
        assert not client.idle

    def test_closing_waits_for_nothing(self) -> None:
        client, server = connected()
        last = client.close()
        assert last
        server.take(last)
        assert server.ended_cleanly
        assert client.close() == b""
        assert TLSExchange(client_context(), "localhost").close() != b""  # its first words, which were not fetched

    def test_a_broken_connection_may_be_closed(self) -> None:
        client, server = connected()
        bad = bytearray(server.encrypt(b"bad"))
        bad[-1] ^= 1
        client.receive_data(bytes(bad))
        client.close()

    @given(
        sizes=st.lists(st.integers(0, 40_000), min_size=1, max_size=4),
        cuts=st.lists(st.integers(1, 20_000), min_size=1, max_size=40),
    )
    def test_idle_on_the_border_of_a_record_only(self, sizes: list[int], cuts: list[int]) -> None:
        """Whatever the cuts: with a part of a record inside, it is not idle, whether OpenSSL says so or not."""
        client, server = connected()
        cipher = b"".join(server.encrypt(b"x" * size) for size in sizes if size)
        borders, at = {0}, 0
        while at < len(cipher):
            at += 5 + int.from_bytes(cipher[at + 3 : at + 5], "big")
            borders.add(at)
        start = 0
        for cut in [*cuts, len(cipher)]:
            client.receive_data(cipher[start : start + cut])
            client.plaintext_received()
            start = min(start + cut, len(cipher))
            assert client.idle is (start in borders)

    @pytest.mark.parametrize("size", [239, 300])
    def test_idle_at_every_cut_of_two_records(self, size: int) -> None:
        client, server = connected()
        one = len(server.encrypt(b"x" * size))
        client, server = connected()
        for cut in range(1, 2 * one):
            cipher = server.encrypt(b"x" * size) + server.encrypt(b"y" * size)
            client.receive_data(cipher[:cut])
            client.plaintext_received()
            assert client.idle is (cut == one), cut
            client.receive_data(cipher[cut:])
            client.plaintext_received()
            assert client.idle

    @pytest.mark.parametrize("host", ["localhost.", "localhost"])
    def test_a_dot_at_the_end_of_a_name_is_for_the_resolver(self, host: str) -> None:
        named: list[str | None] = []
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority().issue_cert("localhost").configure_cert(context)
        context.sni_callback = lambda _object, name, _context: named.append(name)
        client, server = TLSExchange(client_context(), host), ServerTLS(context)
        while not client.handshake_done:
            server.take(client.data_to_send())
            client.receive_data(server.pending())
            client.plaintext_received()
        assert named == ["localhost"]

    def test_sending_too_early_or_too_late(self) -> None:
        with pytest.raises(LocalProtocolError, match="handshake"):
            TLSExchange(client_context(), "localhost").send(b"x")
        client, _ = connected()
        client.close()
        with pytest.raises(TLSError):
            client.send(b"x")

    @pytest.mark.parametrize("name", ["", ".example.test", "a" * 80 + ".test"])
    def test_names_that_cannot_be_checked(self, name: str) -> None:
        with pytest.raises(LocalProtocolError, match="host name"):
            TLSExchange(client_context(), name)

    def test_the_default_context_checks(self) -> None:
        context = create_context()
        assert context.check_hostname
        assert context.verify_mode is ssl.CERT_REQUIRED


class TestContexts:
    @pytest.mark.parametrize("bad", ["a context", 5, object()])
    def test_what_is_no_context(self, bad: Any) -> None:
        with pytest.raises(LocalProtocolError, match="ssl_context has to be"):
            TLSMaker(bad).prepare()

    def test_made_once_and_kept(self) -> None:
        maker = TLSMaker()
        maker.prepare()
        first = maker._context
        maker.prepare()
        assert maker._context is first
        own = TLSMaker(client_context())
        assert repr(own) == "<TLSMaker not prepared>"
        assert own("localhost").data_to_send()
        assert repr(own) == "<TLSMaker prepared>"

    def test_a_key_log_that_cannot_be_written(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("SSLKEYLOGFILE", "/nonexistent/keys.log")
        with pytest.raises(TLSError, match="SSLKEYLOGFILE") as caught:
            TLSMaker().prepare()
        assert isinstance(caught.value.__cause__, OSError)

    def test_an_empty_trust_store_is_said_and_not_kept(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        trusted = tmp_path / "ca.pem"
        trusted.write_bytes(b"")
        monkeypatch.setenv("SSL_CERT_FILE", str(trusted))
        monkeypatch.setenv("SSL_CERT_DIR", str(tmp_path / "none"))
        maker = TLSMaker()
        for _ in range(2):
            with pytest.raises(TLSError, match="trust store"):
                maker.prepare()
        authority().cert_pem.write_to_path(trusted)
        maker.prepare()
        assert maker._context is not None
        assert maker._context.cert_store_stats()["x509_ca"] == 1
        whole = maker._context
        maker.prepare()
        assert maker._context is whole

    def test_a_file_that_could_not_be_read_is_looked_at_again(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        """OpenSSL looks into the folder as long as it needs nothing of the file, so this one serves, for now."""
        trusted = tmp_path / "ca.pem"
        trusted.write_bytes(b"")
        monkeypatch.setenv("SSL_CERT_FILE", str(trusted))
        monkeypatch.setenv("SSL_CERT_DIR", str(tmp_path))
        maker = TLSMaker()
        maker.prepare()
        first = maker._context
        assert maker("localhost").data_to_send()
        maker.prepare()
        assert maker._context is not first

    @pytest.mark.parametrize("offered", [["h2"], ["h2", "http/1.1"], ["spdy/3"]])
    def test_another_protocol_is_refused_before_anything_is_sent(self, offered: list[str]) -> None:
        server_side = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority().issue_cert("localhost").configure_cert(server_side)
        server_side.set_alpn_protocols(offered[:1])
        client_side = ssl.create_default_context()
        authority().configure_trust(client_side)
        client_side.set_alpn_protocols(offered)
        client, server = TLSExchange(client_side, "localhost"), ServerTLS(server_side)
        while not client.ended:
            server.take(client.data_to_send())
            client.receive_data(server.pending())
        with pytest.raises(TLSError, match=f"chose the protocol '{offered[0]}'.*set_alpn_protocols"):
            client.plaintext_received()
        assert not client.handshake_done
        assert server.take(client.close()) == b""
        assert server.ended_cleanly


class TestHandshake:
    def fails(self, server: ssl.SSLContext | bytes, words: str) -> None:
        client = TLSExchange(client_context(), "localhost")
        hello = client.data_to_send()
        if isinstance(server, bytes):
            client.receive_data(server)
        else:
            peer = ServerTLS(server)
            peer.take(hello)
            client.receive_data(peer.pending())
        assert not client.handshake_done
        assert client.ended
        for _ in range(2):
            with pytest.raises(TLSError, match=words) as caught:
                client.plaintext_received()
        assert isinstance(caught.value.__cause__, ssl.SSLError)
        client.receive_data(b"more")
        client.receive_eof()

    def test_another_host(self) -> None:
        self.fails(server_context("other.test"), "certificate is not accepted: Hostname mismatch")

    def test_expired(self) -> None:
        self.fails(server_context("localhost", expired=True), "certificate has expired")

    def test_plain_http(self) -> None:
        self.fails(b"HTTP/1.1 400 Bad Request\r\n\r\n", "does not seem to speak TLS")

    def test_an_alert(self) -> None:
        self.fails(b"\x15\x03\x03\x00\x02\x02\x28", "handshake failed")

    def test_an_end(self) -> None:
        client = TLSExchange(client_context(), "localhost")
        client.receive_eof()
        with pytest.raises(TLSError, match="middle of the TLS handshake"):
            client.plaintext_received()


class BehindTLS(ServerTLS):
    """A server that sends so many bytes of a further record right behind its answer."""

    def __init__(self, size: int, *, further: bytes = b"FORGED ANSWER") -> None:
        super().__init__(server_context("localhost"))
        self.size = size
        self.further = further
        self.whole = 0

    def encrypt(self, plain: bytes) -> bytes:
        answer = super().encrypt(plain)
        further = super().encrypt(self.further)
        self.whole = len(further)
        return answer + further[: self.size]


class TestCalls:
    @pytest.mark.parametrize("wanted", ["stream", "message"])
    def test_cut_at_every_byte_of_a_record_behind_the_answer(self, wanted: Any) -> None:
        """With any part of it inside, and with all of it, the connection is not used again."""
        size, whole = 0, 1
        while size <= whole:
            server = BehindTLS(size)
            world = self.world(Peer([GOOD], tls=server))
            outcome = world.run(world.call(wanted, tls=True, host="localhost"))
            assert outcome.error is None
            assert (world.pool.idle, world.handles[0].closed) == ((1, 0) if size == 0 else (0, 1)), size
            size, whole = size + 1, server.whole

    def world(self, *peers: Peer, host: str = "localhost", **options: object) -> World:
        for peer in peers:
            if peer.tls is None and peer.connects is True:
                peer.tls = ServerTLS(server_context(host))
        return World(*peers, tls=lambda name: TLSExchange(client_context(), name), **options)  # type: ignore[arg-type]

    def test_a_good_answer_and_another_one(self) -> None:
        world = self.world(Peer([GOOD, GOOD_HEAD, GOOD_BODY]))
        for _ in range(2):
            outcome = world.run(world.call(tls=True, host="localhost"))
            assert outcome.error is None
            assert outcome.call.message is not None
            assert outcome.call.message.to_dict() == MESSAGE
        assert world.pool.idle == 1
        assert bytes(world.handles[0].sent).count(b"POST") == 2

    def test_a_handshake_in_pieces(self) -> None:
        peer = Peer([GOOD])
        world = self.world(peer)
        call = world.call(tls=True, host="localhost")
        for _ in range(2):
            world.do(call, call.next_action(world.now))  # Connect, ClientHello
        assert peer.tls is not None
        flight = peer.tls.pending()
        for start in range(0, len(flight), 100):
            call.receive_data(flight[start : start + 100], world.now)
        assert world.run(call).error is None

    def test_large_requests(self) -> None:
        world = self.world(Peer([GOOD]))
        outcome = world.run(world.call(tls=True, host="localhost", body=b"x" * 600_000))
        assert outcome.error is None
        assert bytes(world.handles[0].sent).endswith(b"x" * 600_000)

    def test_the_wrong_host(self) -> None:
        world = self.world(Peer(), max_retries=2)
        error = world.run(world.call(tls=True, host="other.test")).error
        assert isinstance(error, TLSError)
        assert len(error.attempts) == 1
        assert world.handles[0].closed == 1

    def test_a_name_that_tls_refuses(self) -> None:
        world = self.world(Peer())
        assert isinstance(world.run(world.call(tls=True, host=".test")).error, LocalProtocolError)
        assert world.handles[0].closed == 1

    @pytest.mark.parametrize("end", ["eof", "reset"])
    def test_an_end_in_the_handshake(self, end: str) -> None:
        dead = Peer([end])
        world = self.world(Peer([GOOD]), max_retries=1)
        world.peers.insert(0, dead)
        assert world.run(world.call(tls=True, host="localhost")).error is None
        world = World(Peer([end]), tls=lambda name: TLSExchange(client_context(), name))
        error = world.run(world.call(tls=True, host="localhost")).error
        assert isinstance(error, TLSError)
        assert "handshake" in str(error)

    def test_plain_http_on_the_port(self) -> None:
        world = World(b"HTTP/1.1 400 Bad\r\n\r\n", tls=lambda name: TLSExchange(client_context(), name))
        error = world.run(world.call(tls=True, host="localhost")).error
        assert isinstance(error, TLSError)

    def test_deadlines(self) -> None:
        for peer in (Peer(["hang"]), Peer(sends=["hang"])):
            world = World(peer, tls=lambda name: TLSExchange(client_context(), name), timeouts=Timeouts(tls=4))
            error = world.run(world.call(tls=True, host="localhost")).error
            assert isinstance(error, DeadlineError)
            assert error.deadline == "tls"
            assert world.now == 1004

    def test_a_write_that_fails_in_the_handshake(self) -> None:
        world = World(Peer(sends=[RESET]), tls=lambda name: TLSExchange(client_context(), name))
        error = world.run(world.call(tls=True, host="localhost")).error
        assert isinstance(error, TLSError)
        assert error.__cause__ is RESET

    def test_a_cut_without_close_notify(self) -> None:
        whole = head(framing=None) + STREAM
        for end, kind in (("eof", TruncatedError), ("close_notify", TruncatedError)):
            world = self.world(Peer([whole[:-60], end]))
            assert isinstance(world.run(world.call(tls=True, host="localhost")).error, kind)
        world = self.world(Peer([whole, "eof"]))
        assert world.run(world.call(tls=True, host="localhost")).error is None

    def test_a_whole_json_answer_that_may_have_been_cut(self) -> None:
        whole = head(framing=None) + b'{"input_tokens": 12}'
        for end, fine in (("eof", False), ("close_notify", True)):
            world = self.world(Peer([whole, end]))
            outcome = world.run(world.call("json", tls=True, host="localhost"))
            assert (outcome.error is None) is fine

    @pytest.mark.parametrize("end", ["eof", "close_notify", "reset"])
    def test_no_answer(self, end: str) -> None:
        world = self.world(Peer([end]), Peer([GOOD]), max_retries=1)
        assert world.run(world.call(tls=True, host="localhost")).error is None
        world = self.world(Peer([end]))
        assert isinstance(world.run(world.call(tls=True, host="localhost")).error, TransportError)

    def test_broken_records(self) -> None:
        peer = Peer([GOOD_HEAD])
        world = self.world(peer)
        call = world.call(tls=True, host="localhost")
        world.run(call, until=0, leave=False)
        call.receive_data(b"\x17\x03\x03\x00\x20" + b"x" * 32, world.now)
        error = world.run(call).error
        assert isinstance(error, TLSError)

    def test_a_clean_end_behind_message_stop(self) -> None:
        late = GOOD_HEAD + GOOD_BODY[:-5]
        for end in ("close_notify", b"", "eof", "hang"):
            peer = Peer([late, end] if end else [late])
            world = self.world(peer)
            assert world.run(world.call(tls=True, host="localhost")).error is None
            assert world.handles[0].closed == 1
        world = self.world(Peer([late, GOOD_BODY[-5:], GOOD]))
        assert world.run(world.call(tls=True, host="localhost")).error is None
        assert world.pool.idle == 1

    def test_garbage_behind_message_stop(self) -> None:
        world = self.world(Peer([GOOD_HEAD + GOOD_BODY[:-5]]))
        call = world.call(tls=True, host="localhost")
        outcome = world.run(call, leave=False)
        assert outcome.error is None
        call.close(world.now)
        call.receive_data(b"\x17\x03\x03\x00\x20" + b"x" * 32, world.now)
        world.close_discarded()
        assert world.handles[0].closed == 1


class StrangeTLS:
    """TLS that does what OpenSSL seldom does."""

    def __init__(self, *, done: bool = True, plain: bytes = b"", breaks: bool = False) -> None:
        self.handshake_done = done
        self.ended = False
        self.idle = True
        self.ended_cleanly = False
        self.plain = plain
        self.breaks = breaks
        self.out = [b"hello"]

    def receive_data(self, data: bytes) -> None:
        if self.handshake_done:
            self.plain += data
            self.out.append(b"update")
        self.handshake_done = True

    def receive_eof(self) -> None:
        self.ended = True

    def plaintext_received(self) -> bytes:
        plain, self.plain = self.plain, b""
        return plain

    def send(self, plaintext: bytes | memoryview) -> None:
        if self.breaks:
            raise TLSError("broken")
        self.out.append(bytes(plaintext))

    def close(self) -> bytes:
        return b""

    def data_to_send(self) -> bytes:
        data, self.out = b"".join(self.out), []
        return data


class TestStrangeTLS:
    def test_a_server_that_speaks_before_it_is_asked(self) -> None:
        world = World(b"x", tls=lambda name: StrangeTLS(done=False, plain=b"hello"))
        error = world.run(world.call(tls=True)).error
        assert isinstance(error, RemoteProtocolError)
        assert "before it was asked" in str(error)

    def test_what_tls_has_to_say_in_the_middle_is_sent(self) -> None:
        peer = Peer([b"x", GOOD_HEAD, GOOD_BODY[:40], GOOD_BODY[40:]])
        world = World(peer, tls=lambda name: StrangeTLS(done=False))
        outcome = world.run(world.call(tls=True))
        assert outcome.error is None
        assert bytes(world.handles[0].sent).count(b"update") >= 2

    def test_what_it_still_has_to_say_at_the_end_costs_the_connection(self) -> None:
        world = World(Peer([b"x", GOOD]), tls=lambda name: StrangeTLS(done=False))
        assert world.run(world.call(tls=True)).error is None
        assert world.handles[0].closed == 1

    @pytest.mark.parametrize("sends", [[True, True, RESET], [True, True, "hang"]])
    def test_where_that_cannot_be_sent(self, sends: list[bool | str | BaseException]) -> None:
        peer = Peer([b"x", GOOD_HEAD, "reset"], sends=sends)
        world = World(peer, tls=lambda name: StrangeTLS(done=False))
        assert isinstance(world.run(world.call(tls=True)).error, TransportError)

    def test_a_request_that_cannot_be_encrypted(self) -> None:
        world = World(b"x", tls=lambda name: StrangeTLS(done=False, breaks=True))
        assert isinstance(world.run(world.call(tls=True)).error, TLSError)


@pytest.mark.parametrize(("error", "words"), [(OSError(28, "No space left"), "No space left"), (OSError(), "OSError")])
def test_what_breaks_outside_of_openssl_is_told_too(error: OSError, words: str) -> None:
    class Broken:
        def pending(self) -> int:
            return 0

        def read(self, size: int) -> bytes:
            raise error

    client, server = connected()
    client._object = Broken()  # type: ignore[assignment]
    client.receive_data(server.encrypt(b"x"))
    with pytest.raises(TLSError, match=f"the TLS connection broke: {words}"):
        client.plaintext_received()


def test_the_other_way_openssl_tells_an_end() -> None:
    class Ended:
        def pending(self) -> int:
            return 0

        def read(self, size: int) -> bytes:
            raise ssl.SSLZeroReturnError

    client, server = connected()
    client._object = Ended()  # type: ignore[assignment]
    client.receive_data(server.encrypt(b"x"))
    assert client.ended_cleanly
