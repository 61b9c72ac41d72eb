"""The words for a redirect: where it leads, by its origin only, since the rest of an address may hold anything."""

from __future__ import annotations

import re
from typing import Final

__all__ = ["redirect_words"]

# Compiled when it is needed, which is seldom.
_LOCATION: Final = r"(?:([A-Za-z][A-Za-z0-9+.-]*):)?(?://([^/?#\\]*))?"
_AUTHORITY: Final = r"(?:[A-Za-z0-9_.-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(?::[0-9]{1,5})?"


def redirect_words(location: str | None) -> str:
    """What to say of a redirect with this `Location` header."""
    return (
        f"the answer is a redirect that {_direction(location)}; redirects are never followed, the endpoint's "
        "address has to be the one that answers"
    )


def _direction(location: str | None) -> str:
    if not location:
        return "names no address"
    match = re.match(_LOCATION, location)
    scheme, authority = match.groups() if match else (None, None)
    if authority is None:
        return "leads to something that is not http" if scheme else "leads to another path of the same server"
    scheme = (scheme or "https").lower()
    authority = authority.rpartition("@")[2]
    if scheme not in ("http", "https") or not re.fullmatch(_AUTHORITY, authority):
        return "names an address that cannot be used"
    return f"leads to {scheme}://{authority.lower()}"
