"""Rules of `check()` about the model, its limits, thinking, sampling and beta flags.

Sources: the Messages API's reference and model pages (see `_models`), and the gateways' migration notes from
Claude 3.7 to Claude 4. A rule about a model that is not known says nothing.
"""

from __future__ import annotations

from typing import Any, Final

from sansio_claude._check.problem import Problem, Problems, Subject, number
from sansio_claude._models import ModelInfo

__all__ = ["check_model"]

INTERLEAVED: Final = "interleaved-thinking-2025-05-14"
_ONLY_3_7: Final = ("output-128k-2025-02-19", "token-efficient-tools-2025-02-19")
_MIN_BUDGET: Final = 1024
_MAX_REQUEST: Final = 32_000_000
_REFUSAL: Final = 'from Claude 4 on an answer may stop with stop_reason "refusal": handle it'
# Parameters that need a beta flag, by the beginning of its name.
_BETA_PARAMETERS: Final = {
    "context_management": ("context-management-", "context-management-2025-06-27 or compact-2026-01-12"),
    "compaction": ("compact-", "compact-2026-09-04"),
    "mcp_servers": ("mcp-client-", "mcp-client-2025-11-20"),
    "fallbacks": ("server-side-fallback-", "server-side-fallback-2026-07-01"),
    "fallback_credit_token": ("fallback-credit-", "fallback-credit-2026-07-01"),
    "thread": ("message-threads-", "message-threads-2026-08-12"),
}


def check_model(subject: Subject) -> Problems:
    """Problems of model, limits, thinking, sampling, flags and context management."""
    yield from _model(subject)
    yield from _max_tokens(subject)
    yield from _thinking(subject)
    yield from _sampling(subject)
    yield from _flags(subject)
    yield from _context(subject)
    yield from _stop_sequences(subject)
    if subject.size > _MAX_REQUEST:
        yield Problem(
            "error",
            "",
            f"the request has {subject.size:,} bytes; the API takes 32 MB",
            "send large files by file id or address",
        )


def _model(subject: Subject) -> Problems:
    model = subject.body.get("model")
    if not isinstance(model, str) or not model.strip():
        words = "model is missing" if "model" not in subject.body else "model has to be the id of a model"
        yield Problem("error", "model", words, "such as claude-opus-5-5")
        return
    info = subject.info
    if info is None or info.status == "active":
        return
    # Bedrock and Vertex have their own spellings and their own dates.
    own = model in (info.id, *info.aliases)
    where = "" if own else " on Anthropic's own platforms (others keep their own dates)"
    hint = f"move to {info.successor}" if info.successor else ""
    if info.generation < (4, 0):
        hint += f"; {_REFUSAL}, remove the flags that were made for Claude 3.7, use the text editor of Claude 4"
    if info.status == "retired":
        words = f"{info.name} was retired on {info.retires}{where}: requests to it fail"
        yield Problem("error" if own else "warning", "model", words, hint)
    else:
        yield Problem("warning", "model", f"{info.name} is deprecated and ends on {info.retires}{where}", hint)


def _max_tokens(subject: Subject) -> Problems:
    if "max_tokens" not in subject.body:
        yield Problem("error", "max_tokens", "max_tokens is missing", "the API has no default for it")
        return
    wanted = number(subject.body["max_tokens"])
    if wanted is None or wanted < 0:
        yield Problem("error", "max_tokens", "max_tokens has to be a whole number from 0 on")
        return
    info = subject.info
    limit = info.max_output_tokens if info is not None else None
    if info is None or limit is None or wanted <= limit:
        return
    more = info.max_output_tokens_beta
    if more is not None and info.max_output_flag in subject.betas:
        limit = more
    if wanted > limit:
        hint = f"ask for at most {limit}"
        if more is not None and limit < more:
            hint += f", or for {more} with the beta flag {info.max_output_flag}"
        yield Problem("error", "max_tokens", f"max_tokens is {wanted}; {info.name} gives at most {limit}", hint)


def _thinking(subject: Subject) -> Problems:
    given = subject.body.get("thinking")
    if given is None:
        return
    kind = subject.thinking
    if kind is None:
        yield Problem("error", "thinking", 'thinking has to be an object with a type, such as {"type": "adaptive"}')
        return
    info = subject.info
    if kind not in ("enabled", "adaptive", "disabled", "between_tools"):
        yield Problem("warning", "thinking.type", f"{_shown(kind)} is not a known type of thinking")
    elif info is not None and info.thinking is not None and kind not in info.thinking:
        yield Problem("error", "thinking.type", f"{info.name} does not take thinking {kind}", _instead(info))
    elif info is not None and kind in info.thinking_deprecated:
        words = f"thinking {kind} is deprecated on {info.name} and will go"
        yield Problem("warning", "thinking.type", words, 'use {"type": "adaptive"}')
    if kind == "enabled":
        yield from _budget(subject, given)
    elif "budget_tokens" in given:
        yield Problem(
            "error", "thinking.budget_tokens", f"budget_tokens has no meaning with thinking {kind}", "remove it"
        )
    display = given.get("display")
    if display is not None and display not in ("summarized", "omitted", "updates"):
        yield Problem("error", "thinking.display", 'display has to be "summarized" or "omitted"')


def _instead(info: ModelInfo) -> str:
    thinking = info.thinking or ()
    if "adaptive" in thinking:
        return 'use {"type": "adaptive"}, steered by output_config.effort'
    if "enabled" in thinking:
        return 'use {"type": "enabled", "budget_tokens": ...}'
    return "remove thinking, or choose another model"


def _budget(subject: Subject, given: dict[str, Any]) -> Problems:
    path = "thinking.budget_tokens"
    budget = number(given.get("budget_tokens"))
    if budget is None:
        words = "budget_tokens has to be a whole number" if "budget_tokens" in given else "budget_tokens is missing"
        yield Problem("error", path, words, f"at least {_MIN_BUDGET}, below max_tokens")
        return
    if budget < _MIN_BUDGET:
        yield Problem("error", path, f"budget_tokens is {budget}; the least is {_MIN_BUDGET}")
    most = number(subject.body.get("max_tokens"))
    # With interleaved thinking the budget is for all thinking of a turn, which may be more than one answer.
    waived = INTERLEAVED in subject.betas and (subject.info is None or subject.info.interleaved != ())
    if most is not None and budget >= most and not waived:
        words = f"budget_tokens is {budget}, which has to be less than max_tokens ({most})"
        yield Problem("error", path, words, "raise max_tokens: it has to hold the thinking and the answer")


def _sampling(subject: Subject) -> Problems:
    info = subject.info
    for name in ("temperature", "top_p", "top_k"):
        value = subject.body.get(name)
        if value is None:
            continue
        if isinstance(value, bool) or not isinstance(value, int | float):
            yield Problem("error", name, f"{name} has to be a number")
        elif subject.version >= "2026-10-21":
            yield Problem("error", name, f"version {_shown(subject.version)} of the API has no {name}", "remove it")
        elif not subject.before_4_7 and not _default(name, value):
            model = info.name if info is not None else ""
            yield Problem("error", name, f"{model} takes {name} at its default only", "remove it")
        elif name == "temperature" and not 0 <= value <= 1:
            yield Problem("error", name, "temperature has to be from 0 to 1")
        elif name == "temperature" and subject.thinks and value != 1:
            yield Problem("error", name, "with thinking, temperature has to be 1", "remove it")
        elif name == "top_k" and subject.thinks:
            yield Problem("error", name, "with thinking, top_k cannot be set", "remove it")
        elif name == "top_p" and subject.thinks and not 0.95 <= value <= 1:
            yield Problem("error", name, "with thinking, top_p has to be from 0.95 to 1", "remove it")


def _default(name: str, value: float) -> bool:
    return (name == "temperature" and value == 1) or (name == "top_p" and 0.99 <= value <= 1)


def _flags(subject: Subject) -> Problems:
    info = subject.info
    if info is None:
        return
    left = [flag for flag in _ONLY_3_7 if flag in subject.betas and info.generation != (3, 7)]
    for flag in left:
        yield Problem(
            "warning", "betas", f"{flag} works on Claude Sonnet 3.7 only and does nothing on {info.name}", "remove it"
        )
    if INTERLEAVED in subject.betas and info.interleaved is not None:
        if not info.interleaved:
            words = f"{INTERLEAVED} does nothing on {info.name}: it is for Claude 4 and 4.5"
            yield Problem("warning", "betas", words, "remove it")
        elif "flag" not in info.interleaved or ("adaptive" in info.interleaved and subject.thinking != "enabled"):
            words = f"{INTERLEAVED} is ignored on {info.name}: adaptive thinking interleaves by itself"
            yield Problem("info", "betas", words, "remove it")
    # Where the flag was made for the model, gateways that follow older documents may still need it.
    if subject.beta("context-1m-") and info.context_window_flag is None and (info.context_window or 0) >= 1_000_000:
        yield Problem("info", "betas", f"{info.name} has a context of 1M tokens without a flag", "remove the flag")
    if info.generation >= (4, 0) and (left or _old_editor(subject)):
        words = "this request was written for Claude Sonnet 3.7"
        yield Problem("info", "", words, _REFUSAL)


def _old_editor(subject: Subject) -> bool:
    tools = subject.body.get("tools")
    names = [tool.get("name") for tool in tools if isinstance(tool, dict)] if isinstance(tools, list) else []
    return "str_replace_editor" in names


def _context(subject: Subject) -> Problems:
    body = subject.body
    for name, (prefix, flag) in _BETA_PARAMETERS.items():
        if body.get(name) is None or subject.beta(prefix):
            continue
        if name == "context_management" and subject.beta("compact-"):
            continue
        yield Problem("warning", name, f"{name} is beta and there is no flag for it", f"add {flag} to betas")
    if body.get("context_management") is not None and body.get("compaction") is not None:
        yield Problem("error", "compaction", "compaction and context_management exclude each other", "give one of them")
    managed = body.get("context_management")
    edits = managed.get("edits") if isinstance(managed, dict) else None
    for index, edit in enumerate(edits if isinstance(edits, list) else ()):
        trigger = edit.get("trigger") if isinstance(edit, dict) and edit.get("type") == "compact_20260112" else None
        value = number(trigger.get("value")) if isinstance(trigger, dict) else None
        if value is not None and value < 50_000:
            path = f"context_management.edits[{index}].trigger.value"
            yield Problem("error", path, f"compaction is triggered at {value} tokens; the least is 50,000")


def _stop_sequences(subject: Subject) -> Problems:
    given = subject.body.get("stop_sequences")
    for index, text in enumerate(given if isinstance(given, list) else ()):
        if not isinstance(text, str) or not text.strip():
            yield Problem(
                "error", f"stop_sequences[{index}]", "a stop sequence has to have a character that is no space"
            )


def _shown(text: str) -> str:
    """A short text of the caller's in quotes, cut where it is long."""
    return repr(text if len(text) <= 40 else text[:40] + "...")
