"""Route: the way to a server, and whether a request may take it: the one place where endpoint and proxy meet.

Rules:

- A request over plain http carries key and prompt for everybody on its way to read. So it may go to this machine only,
  and only directly, unless the endpoint was made with `allow_http=True`. A proxy is another machine, and its localhost
  is not ours. A unix socket is this machine.
- A proxy from a mapping of environment variables is not used for this machine: such a variable speaks of the network.
  A proxy given as one address is meant for every host; where it must not be used, the call is refused with words.
- A unix socket is a whole way by itself: a proxy beside it is refused if it was given as an address, and not looked at
  if it comes from a mapping.
- Where plain http goes to a name that means this machine, the address that the resolver finds has to be one of this
  machine as well (`loopback`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import attrs

from sansio_claude._connect.address import IN_CLEAR
from sansio_claude._errors import LocalProtocolError
from sansio_claude._value import FrozenValue

if TYPE_CHECKING:
    from sansio_claude._connect.address import Address
    from sansio_claude._connect.proxy import Proxy

__all__ = ["Route", "route_to", "socket_path"]


@attrs.define(frozen=True, kw_only=True, eq=False, repr=False)
class Route(FrozenValue):
    """How the TCP connection to a server is made. Everything None and False is the direct way.

    `permit()` has to be asked before anything is sent on it.
    """

    proxy: Proxy | None = None
    """The proxy in between."""
    uds: str | None = None
    """The path of the unix socket that stands for host and port; one of Linux's abstract names begins with NUL."""
    loopback: bool = False
    """Whether only addresses of this machine are allowed."""
    refusal: str | None = None
    """Why no request may take this way; None where it may."""

    def permit(self) -> None:
        """Raises LocalProtocolError where no request may take this way."""
        if self.refusal is not None:
            raise LocalProtocolError(self.refusal, path="url" if self.proxy is None else "proxy")


def route_to(
    address: Address,
    *,
    proxy: str | Mapping[str, str] | None = None,
    uds: Any = None,
    allow_http: bool = False,
) -> Route:
    """The way to `address`. Raises LocalProtocolError, with words, for settings that are none or exclude each other."""
    path = None if uds is None else socket_path(uds)
    if path is not None:
        if proxy is not None and not isinstance(proxy, Mapping):
            raise LocalProtocolError("uds and proxy exclude each other: a unix socket is the whole way", path="uds")
        return Route(uds=path)
    through = _proxy(address, proxy)
    refusal: str | None = None
    if address.tls or allow_http:
        return Route(proxy=through)
    if not address.loopback:
        refusal = IN_CLEAR
    elif through is not None:
        refusal = (
            f"the address is http, so the proxy {through.place} would be given key and prompts in clear; use https, "
            "leave the proxy away for this machine, or make the endpoint with allow_http=True if that is meant"
        )
    return Route(proxy=through, loopback=True, refusal=refusal)


def _proxy(address: Address, proxy: str | Mapping[str, str] | None) -> Proxy | None:
    if proxy is None or (address.loopback and isinstance(proxy, Mapping)):
        return None
    from sansio_claude._connect.proxy import proxy_for  # few have one

    return proxy_for(proxy, host=address.host, port=address.port, tls=address.tls)


def socket_path(uds: Any) -> str:
    """The path of a unix socket: a str or an object like `pathlib.Path`; "@name" is an abstract name of Linux.

    Raises LocalProtocolError for anything else, for an empty one and for one with a NUL inside.
    """
    found = uds if isinstance(uds, str) else getattr(uds, "__fspath__", lambda: None)()
    if not isinstance(found, str):
        words = "uds has to be the path of a unix socket, a str or a path object"
        raise LocalProtocolError(f"{words}, not {type(uds).__name__}", path="uds")
    if found.startswith("@"):
        found = f"\0{found[1:]}"
    if not found.strip("\0") or "\0" in found[1:]:
        raise LocalProtocolError("uds has to be the path of a unix socket, and is empty or has a NUL in it", path="uds")
    return found
