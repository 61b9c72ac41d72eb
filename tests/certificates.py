"""An authority and certificates for tests, made once a run."""

from __future__ import annotations

import datetime
import functools
import ssl

import trustme

from sansio_claude._connect.tls import create_context


@functools.cache
def authority() -> trustme.CA:
    """The one that the client trusts."""
    return trustme.CA()


@functools.cache
def server_context(host: str = "localhost", *, expired: bool = False, http1: bool = False) -> ssl.SSLContext:
    """A server with a certificate for `host`."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    expires = datetime.datetime(2001, 1, 1, tzinfo=datetime.UTC) if expired else None
    authority().issue_cert(host, not_after=expires).configure_cert(context)
    if http1:
        context.set_alpn_protocols(["http/1.1"])
    return context


@functools.cache
def client_context() -> ssl.SSLContext:
    """A client that trusts the authority, otherwise like the default."""
    context = create_context()
    authority().configure_trust(context)
    return context
