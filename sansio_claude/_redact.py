"""Redaction: no exception that leaves a call shows a key, not even one that the server echoed."""

from __future__ import annotations

import binascii
from collections.abc import Iterable
from typing import Any, Final

from sansio_claude._errors import APIError, ClaudeError, RemoteProtocolError
from sansio_claude._percent import percent_encode

__all__ = ["Redactor"]

_SHORTEST: Final = 4  # a "secret" shorter than this is no secret, and taking it out would garble every text
_CUT: Final = 8  # so many characters of a secret at the edge of a cut text are taken out too
_MARK: Final = "[redacted]"
_DEPTH: Final = 32  # of nested values; the server's are bounded already, this is for exceptions' arguments


class Redactor:
    """Takes secrets out of text, bytes, JSON values and whole exceptions.

    A secret is found as it stands and as it looks after percent-encoding, JSON escaping or base64. Where a text
    was cut in the middle of a secret, the part at the edge goes too.
    """

    __slots__ = ("_bytes", "_forms")

    def __init__(self, secrets: Iterable[str]) -> None:
        forms: set[str] = set()
        for secret in secrets:
            if len(secret) >= _SHORTEST:
                secret = secret.encode("utf-8", "replace").decode()
                raw = secret.encode()
                escaped = secret.replace("\\", "\\\\").replace('"', '\\"')
                encoded = binascii.b2a_base64(raw, newline=False).decode("ascii").rstrip("=")
                forms |= {secret, percent_encode(secret), escaped, encoded}
        # The longest first: taking out a secret that is part of another one would leave the rest of that one.
        self._forms = sorted(forms, key=len, reverse=True)
        self._bytes = [form.encode() for form in self._forms]

    def __bool__(self) -> bool:
        """Whether there is anything to take out."""
        return bool(self._forms)

    def text(self, text: str) -> str:
        """The text without the secrets; the same object where it had none."""
        for form in self._forms:
            if form in text:
                text = text.replace(form, _MARK)
        for form in self._forms:
            if size := _overlap(text, form, min(len(text), len(form) - 1)):
                text = text[:-size] + _MARK
            if size := _overlap(form, text, min(len(text), len(form) - 1)):
                text = _MARK + text[size:]
        return text

    def data(self, data: bytes) -> bytes:
        """The bytes without the secrets; the same object where they had none."""
        mark = _MARK.encode()
        for form in self._bytes:
            if form in data:
                data = data.replace(form, mark)
        for form in self._bytes:
            if size := _overlap(data, form, min(len(data), len(form) - 1)):
                data = data[:-size] + mark
            if size := _overlap(form, data, min(len(data), len(form) - 1)):
                data = mark + data[size:]
        return data

    def value(self, value: Any, depth: int = 0) -> Any:
        """A JSON-like value (bytes and tuples too) without the secrets; of any other kind, the value itself."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, (bytes, bytearray)):
            return self.data(bytes(value))
        if depth < _DEPTH:
            if isinstance(value, dict):
                return {self.value(key, depth + 1): self.value(each, depth + 1) for key, each in value.items()}
            if isinstance(value, list):
                return [self.value(each, depth + 1) for each in value]
            if type(value) is tuple:
                return tuple(self.value(each, depth + 1) for each in value)
        return value

    def error(self, error: ClaudeError) -> None:
        """Take the secrets out of an exception and of everything chained to it, in place.

        A foreign exception that still shows one is taken out of the chain. The message under `partial` is left
        alone: it is the answer itself.
        """
        if not self._forms:
            return
        seen: set[int] = set()
        waiting: list[tuple[BaseException, BaseException]] = [(error, error)]
        while waiting:
            parent, each = waiting.pop()
            if id(each) in seen:
                continue
            seen.add(id(each))
            each.args = self.value(each.args)
            if isinstance(each, RemoteProtocolError):
                each.excerpt = self.data(each.excerpt)
            elif isinstance(each, APIError):
                each.type = self.value(each.type)
                each.error_message = self.text(each.error_message)
                each.details = self.value(each.details)
                each.body = self.data(each.body)
            if isinstance(each, ClaudeError):
                each.request_id = self.value(each.request_id)
            elif self._shown(each):
                parent.__cause__ = parent.__context__ = None
                continue
            waiting += [(each, link) for link in (each.__cause__, each.__context__) if link is not None]

    def _shown(self, error: BaseException) -> bool:
        try:
            shown = f"{error} {error!r}"
        except Exception:  # what cannot be looked at must not be passed on
            return True
        return any(form in shown for form in self._forms)


def _overlap(left: Any, right: Any, most: int) -> int:
    """How many characters at the end of `left` are also the beginning of `right`: 8 to `most`, else 0."""
    for size in range(most, _CUT - 1, -1):
        if left[len(left) - size :] == right[:size]:
            return size
    return 0
