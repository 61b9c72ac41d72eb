"""Halves of surrogate pairs in what came: where they become U+FFFD, and where they stay.

JSON may write half a character (RFC 8259 section 8.2). In a tool input it stays, since the input means what
`json.loads` says; in the text of a delta it stays until the next delta can bring the other half; anywhere else U+FFFD
stands for it. These functions change the objects of a whole answer or of one event in place.
"""

from __future__ import annotations

from typing import Any, Final

from sansio_claude._json import mend_text

__all__ = ["mend_delta", "mend_error", "mend_event", "mend_message", "mend_row"]

# What grows by further deltas, which may bring the other half: by the type of the delta, and by that of the block.
_GROWS_OF_DELTA: Final = {"text_delta": "text", "thinking_delta": "thinking", "input_json_delta": "partial_json"}
_GROWS_OF_BLOCK: Final = {"text": "text", "thinking": "thinking"}


def mend_message(message: dict[str, Any]) -> bool:
    """Mend a whole message but for its tool inputs. Gives whether anything had to be mended."""
    return _mend(message, _inputs_of(message))


def mend_row(row: dict[str, Any]) -> bool:
    """Mend a row of the results of a batch but for the tool inputs of its message."""
    result = row.get("result")
    return _mend(row, _inputs_of(result.get("message") if isinstance(result, dict) else None))


def _inputs_of(message: Any) -> list[tuple[dict[str, Any], tuple[str, ...]]]:
    content = message.get("content") if isinstance(message, dict) else None
    blocks = content if isinstance(content, list) else []
    return [(block, ("input",)) for block in blocks if isinstance(block, dict)]


def mend_event(event: dict[str, Any], name: str) -> bool:
    """Mend one event but for what may grow by further deltas. Gives whether anything had to be mended.

    `name` is its name on the wire, for an event without a type. A delta without a type is left as it is, because its
    block says what it is taken for: see `mend_delta`.
    """
    places: list[tuple[dict[str, Any], tuple[str, ...]]] = []
    delta, block = event.get("delta"), event.get("content_block")
    if isinstance(delta, dict) and (_text(event.get("type")) or name) != "message_delta":
        kind = _text(delta.get("type"))
        places.append((delta, (_GROWS_OF_DELTA.get(kind, ""),) if kind else tuple(delta)))
    if isinstance(block, dict):
        places.append((block, ("input", _GROWS_OF_BLOCK.get(_text(block.get("type")), ""))))
    return _mend(event, [*places, *_inputs_of(event.get("message"))])


def mend_error(value: Any) -> tuple[Any, bool]:
    """An error that is no JSON object but a list or words, mended, and whether anything had to be."""
    holder = [value]
    found = _mend(holder, [])
    return holder[0], found


def mend_delta(delta: dict[str, Any], key: str) -> bool:
    """Mend a delta that came without a type but for `key`, the text that grows by it ("" for none)."""
    return _mend(delta, [(delta, (key,))])


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _mend(root: dict[str, Any] | list[Any], kept: list[tuple[dict[str, Any], tuple[str, ...]]]) -> bool:
    """Mend `root` but for these keys of these objects, which are parts of it. No recursion: depth costs no stack."""
    names = {id(part): keys for part, keys in kept}
    found = False
    open_containers: list[dict[str, Any] | list[Any]] = [root]
    while open_containers:
        container = open_containers.pop()
        left = names.get(id(container), ())
        members: list[tuple[Any, Any]]
        members = list(container.items()) if isinstance(container, dict) else list(enumerate(container))
        for key, item in members:
            if key in left:
                continue
            if isinstance(item, str):
                mended = mend_text(item)
                if mended is not item:
                    found = True
                    container[key] = mended
            elif isinstance(item, dict | list):
                open_containers.append(item)
        if isinstance(container, dict) and any(mend_text(key) is not key for key in container):
            found = True
            items = list(container.items())
            container.clear()
            container.update((mend_text(key), item) for key, item in items)
    return found
