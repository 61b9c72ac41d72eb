"""api_error over a corpus of error bodies, with the status each came with: always the right class, never a crash."""

from __future__ import annotations

from pathlib import Path

import pytest

from sansio_claude import _errors
from sansio_claude._errors import APIError, RemoteProtocolError, api_error
from sansio_claude._json import loads
from sansio_claude._stream.message_stream import MessageStream


def test_every_error_body_becomes_the_right_exception(corpus: Path) -> None:
    lines = (corpus / "errors" / "INDEX.md").read_text("utf-8").splitlines()
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("|")][2:]
    assert rows
    seen = set()
    for name, status, cls, kind, *_ in rows:
        body = (corpus / "errors" / name).read_bytes()
        seen.add(name)
        try:
            payload = loads(body)
        except RemoteProtocolError:
            payload = body.decode("utf-8", "replace")
        error = api_error(payload, status=int(status), body=body)
        assert type(error).__name__ == cls, name
        assert type(error) is getattr(_errors, cls)
        assert error.status == int(status)
        assert error.error_message, name
        if not kind.startswith("("):
            assert error.type == kind, name
        if not kind.startswith("(") and cls != "RateLimitError":
            # The type alone says which, so it is the same inside a stream.
            stream = MessageStream()
            stream.receive_data(b"event: error\ndata: " + body.replace(b"\n", b"") + b"\n\n")
            assert len(stream.events_received()) == 1
            with pytest.raises(APIError) as caught:
                stream.events_received()
            assert type(caught.value) is type(error)
            assert caught.value.error_message == error.error_message
    assert seen == {path.name for path in (corpus / "errors").glob("*.json")}
