"""PreparedRequest: a whole request, for another HTTP library."""

from __future__ import annotations

import attrs

__all__ = ["PreparedRequest"]


@attrs.define(frozen=True, kw_only=True, repr=False)
class PreparedRequest:
    """A whole request for any HTTP library: `library.request(p.method, p.url, headers=p.headers, data=p.content)`.

    Its repr shows no header's value, no query and no content. What is there of keys is in `headers` and `url`.
    """

    method: str
    """"POST" or "GET"."""
    url: str
    """The whole address, query included."""
    headers: dict[str, str]
    """Names in lower case. Host and Content-Length are not among them: every library sets these itself."""
    content: bytes
    """The body, b"" for a GET."""

    def __repr__(self) -> str:
        place = self.url.partition("?")[0]
        return f"PreparedRequest({self.method} {place}, {len(self.headers)} headers, {len(self.content)} bytes)"
