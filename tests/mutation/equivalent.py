"""Mutants that change nothing that can be seen from outside, each with its reason.

By the file and the function, the line as it is, and the change.
"""

from __future__ import annotations

from typing import Final

__all__ = ["EQUIVALENT"]

_FALSE: Final = "its callers ask only whether it is true"

EQUIVALENT: Final[dict[tuple[str, str, str], str]] = {
    ("sansio_claude/_call/conversation.py:_start_writing", "self.wrote_at = now", "a statement is left out"): (
        "only a kept connection is asked for it, and that one is written to at the moment it was taken"
    ),
    ("sansio_claude/_call/call.py:receive_events", "events = stream.events_received()", "a statement is left out"): (
        "the conversation takes the events then: the longer of two ways, which give the same"
    ),
    (
        "sansio_claude/_call/attempts.py:last",
        "return not self._renewable and self.number - self._renewed > self._policy.max_retries",
        "returns None",
    ): _FALSE,
    (
        "sansio_claude/_call/call.py:_follow_up",
        "self._chunks = self._exchange.chunks",
        "a statement is left out",
    ): "the exchange reads the chunks then: the longer of two ways, which give the same",
    (
        "sansio_claude/_call/conversation.py:only_events",
        'return self._streamed and self.phase == ANSWER and self._sending is None and self._answer.stage == "stream"',
        "returns None",
    ): "the conversation takes what comes then: the longer of two ways, which give the same",
    (
        "sansio_claude/_call/answer.py:_parse",
        "if isinstance(error, RemoteProtocolError) and not error.excerpt:",
        "And becomes Or",
    ): "the excerpt that JSON errors have is the beginning of the body, too",
    ("sansio_claude/_call/conversation.py:_write", "whole = len(request) <= SLICE", "LtE becomes Lt"): (
        "the one slice is the whole request then"
    ),
    ("sansio_claude/_call/deadlines.py:nearest", "if self.idle_at < at:", "Lt becomes LtE"): "both are the same then",
    ("sansio_claude/_call/pool.py:_grant", "return False", "returns None"): _FALSE,
    (
        "sansio_claude/_connect/proxy.py:parse_proxy",
        'authority = re.split("[/?#]", place, maxsplit=1)[0]',
        "1 becomes 2",
    ): "the first piece is the same",
    (
        "sansio_claude/_connect/race.py:_number",
        "number = self._position.get(_key(candidate), -1)",
        "1 becomes 2",
    ): "neither is the number of an address",
    ("sansio_claude/_connect/socks.py:__init__", "self.passing: bool = False", "False becomes True"): (
        "it is read together with an error, and each error sets it"
    ),
    ("sansio_claude/_connect/socks.py:_reply", "return 0", "returns None"): _FALSE,
    (
        "sansio_claude/_connect/tls.py:receive_data",
        "if self._left or self._header or size < _HEADER or data[3] << 8 | data[4] != size - _HEADER:",
        "Lt becomes LtE",
    ): "a record without content is followed then, which says the same of it",
    ("sansio_claude/_connect/tls.py:send", "if len(plaintext) <= _SLICE:", "LtE becomes Lt"): (
        "the same bytes are one slice then"
    ),
    ("sansio_claude/_errors/bodies.py:_is_shallow", "return False", "returns None"): _FALSE,
    (
        "sansio_claude/_errors/bodies.py:_unzipped",
        "return zlib.decompressobj(31).decompress(body, _MOST_DECOMPRESSED) or body",
        "31 becomes 32",
    ): "32 takes zlib's own format, too, and what is given begins as gzip does",
    ("sansio_claude/_errors/error_object.py:_is_error", "return False", "returns None"): _FALSE,
    ("sansio_claude/_errors/error_object.py:_text_of", 'return ""', "returns None"): _FALSE,
    ("sansio_claude/_errors/error_object.py:_text_under", 'return ""', "returns None"): _FALSE,
    (
        "sansio_claude/_message/message.py:_growing",
        'raw["content"] = []  # what the blocks hold is not held twice',
        "a statement is left out",
    ): "it is read from the blocks; only what is held differs",
    ("sansio_claude/_message/tool_blocks.py:_joined", "if len(pieces) > 1:", "Gt becomes GtE"): (
        "one piece joined with nothing is itself"
    ),
    ("sansio_claude/_partial_json/changes.py:changes_of", "if len(pieces) > 1:", "Gt becomes GtE"): (
        "one piece joined with nothing is itself"
    ),
    (
        "sansio_claude/_partial_json/numbers.py:take",
        "if end < 0 or end == size or self.held or text[end] not in NUMBER_ENDS:",
        "0 becomes 1",
    ): "a number takes a character, so that it does not end at 0",
    ("sansio_claude/_partial_json/parser.py:_is_deeper", "return depth_of(bare.encode()) > depth", "Gt becomes GtE"): (
        "the scanner reads the text then, and says the same"
    ),
    ("sansio_claude/_partial_json/scan.py:scan", "if j >= 0:", "0 becomes 1"): (
        "it stands behind the opening quote, which takes a place itself"
    ),
    ("sansio_claude/_request/history.py:_is_empty", "return False", "returns None"): _FALSE,
    (
        "sansio_claude/_request/request.py:__attrs_post_init__",
        "for name, value in zip(_LISTS, lists, strict=True):",
        "True becomes False",
    ): "the second is made of the first",
    (
        "sansio_claude/_stream/endings.py:events_of_message",
        "events: list[Event] = [MessageStart(message_from_object(first, begins_stream=True))]",
        "True becomes False",
    ): "it counts where content is missing and the type is not message, which no whole message has",
    ("sansio_claude/_stream/message_stream.py:_take_bytes", "if cut == 1:", "1 becomes 2"): (
        "the same bytes go to the plain chain, in two reads"
    ),
    ("sansio_claude/_stream/message_stream.py:_take_bytes", "if at < len(data):", "Lt becomes LtE"): (
        "the plain chain then takes no bytes"
    ),
    ("sansio_claude/_stream/plain_stream.py:_take", "if self._number == 1:", "1 becomes 2"): (
        "the beginning of a stream is let go one event later"
    ),
    (
        "sansio_claude/_stream/sse.py:_events_with_offsets",
        "return list(zip(self.events_received(), begins or (), strict=True))",
        "True becomes False",
    ): "each event has its offset",
    (
        "sansio_claude/_stream/shortcuts.py:take_usual",
        'return take(accumulator, value, limits) if len(value) == size and value["type"] == kind else None',
        "returns None",
    ): "the long way, which the caller goes then, makes the same of it",
    ("sansio_claude/_stream/shortcuts.py:_is_open", "return False", "False becomes True"): (
        "to settle the last block of none does nothing"
    ),
    ("sansio_claude/gateway/_frames.py:look_ahead", "if len(pending) <= self._soon:", "LtE becomes Lt"): (
        "a frame of so many bytes passes no limit: it is looked at in vain"
    ),
    ("sansio_claude/gateway/_held.py:__init__", "self._probe.receive_data(data)", "a statement is left out"): (
        "it is white space, or a byte order mark, in front of a line that is no field in any case"
    ),
    ("sansio_claude/gateway/_repair.py:_take", "self._arm()", "a statement is left out"): (
        "each event takes the plain way then: the longer of two ways, which give the same"
    ),
    (
        "sansio_claude/gateway/_probes.py:probes",
        'body=ask("What is 27 times 14?", max_tokens=2048, stream=True, thinking=thinking)),',
        "2048 becomes 2049",
    ): "a question that leaves room for an answer does as well",
    ("sansio_claude/gateway/_repair.py:_pass", "return False", "returns None"): _FALSE,
    (
        "sansio_claude/gateway/_repair.py:_pass_usual",
        "if behind is event or not quote or ending not in ENDINGS:",
        "Is becomes IsNot",
    ): "no delta takes the short way then, and the long one makes the same of it",
    (
        "sansio_claude/gateway/_repair.py:_pass_usual",
        "if behind is event or not quote or ending not in ENDINGS:",
        "not is left out",
    ): "no delta takes the short way then, and the long one makes the same of it",
    (
        "sansio_claude/gateway/_monitor.py:receive_data",
        "if quote and ending in WHOLE_ENDINGS and behind is not data and received <= stream._fusable:",
        "LtE becomes Lt",
    ): "the last byte within the limit takes the long way then, which makes the same of it",
    (
        "sansio_claude/gateway/_wrapped.py:_frame",
        'return b""  # what an agent says beside the events',
        "returns None",
    ): _FALSE,
    (
        "sansio_claude/tools/_foreign.py:_misfit",
        "problems = error.errors(include_url=False, include_context=False, include_input=False)",
        "False becomes True",
    ): "only the words and the place are read of it",
    ("sansio_claude/tools/_turn.py:may_run", "return False", "returns None"): _FALSE,
}
