"""Rules of `check()` about the model, its limits, thinking and sampling.

Sources: the Messages API's reference and model pages (see `_models.SOURCES`), the gateways' migration notes from
Claude 3.7 to Claude 4, and the release notes of version 2026-10-21. A rule about a model that is not known says
nothing.
"""

from __future__ import annotations

import re
from typing import Any, Final

from sansio_claude._check.nearest import nearest, unknown_keys
from sansio_claude._check.problem import Problem, Problems, Subject, number, shown
from sansio_claude._check.shapes import KEYS
from sansio_claude._models import ModelInfo, model_info

__all__ = ["INTERLEAVED", "REFUSAL", "check_model"]

INTERLEAVED: Final = "interleaved-thinking-2025-05-14"
REFUSAL: Final = 'from Claude 4 on an answer may stop with stop_reason "refusal": handle it'
_MIN_BUDGET: Final = 1024
_FAMILIES: Final = frozenset({"opus", "sonnet", "haiku", "fable", "mythos"})
# Beginnings of other makers' ids. A gateway may serve them under this API, therefore a warning.
_OTHER_MAKERS: Final = re.compile(
    r"(?i)(?:gpt-|chatgpt|o[1345](?:-|$)|gemini|llama|mistral|deepseek|qwen|grok|command-)"
)


def check_model(subject: Subject) -> Problems:
    """Problems of model, max_tokens, thinking and sampling."""
    yield from _model(subject)
    yield from _max_tokens(subject)
    yield from _thinking(subject)
    yield from _sampling(subject)


def _model(subject: Subject) -> Problems:
    model = subject.body.get("model")
    if not isinstance(model, str) or not model.strip():
        words = "model is missing" if "model" not in subject.body else "model has to be the id of a model"
        yield Problem("error", "model", words, "such as claude-opus-5-5")
        return
    info = subject.info
    if info is None:
        yield from _unknown_model(model)
        return
    status = info.status_on(subject.date)
    if status == "active":
        return
    # Bedrock and Vertex have their own spellings and their own dates.
    own = model in (info.id, *info.aliases)
    where = "" if own else " on Anthropic's own platforms (others keep their own dates)"
    hint = f"move to {info.successor}" if info.successor else "move to a current model, such as claude-opus-5-5"
    if info.generation < (4, 0):
        hint += f"; {REFUSAL}, remove the flags that were made for Claude 3.7, use the text editor of Claude 4"
    if status == "retired":
        words = f"{info.name} was retired on {info.retires}{where}: requests to it fail"
        yield Problem("error" if own else "warning", "model", words, hint)
    else:
        yield Problem("warning", "model", f"{info.name} is deprecated and ends on {info.retires}{where}", hint)


def _unknown_model(model: str) -> Problems:
    if _OTHER_MAKERS.match(model):
        words = f"{shown(model)} is the name of another maker's model, which Anthropic's own API does not have"
        yield Problem("warning", "model", words, "give the id of a Claude model, such as claude-opus-5-5")
    parts = model.split("-")
    for place, part in enumerate(parts if model.startswith("claude-") and len(parts) < 9 else ()):
        meant = nearest(part, _FAMILIES, cutoff=0.75) if part.isalpha() and part not in _FAMILIES else None
        corrected = "-".join([*parts[:place], meant or "", *parts[place + 1 :]])
        if meant is not None and model_info(corrected) is not None:
            yield Problem("warning", "model", f"there is no known model {shown(model)}", f"did you mean {corrected}?")


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
        yield Problem("warning", "thinking.type", f"{shown(kind)} is not a known type of thinking")
    elif info is not None and info.thinking is not None and kind not in info.thinking:
        yield Problem("error", "thinking.type", f"{info.name} does not take thinking {kind}", _instead(info))
    elif info is not None and kind in info.thinking_deprecated:
        words = f"thinking {kind} is deprecated on {info.name} and will be removed"
        yield Problem("warning", "thinking.type", words, 'use {"type": "adaptive"}')
    if kind == "enabled":
        yield from _budget(subject, given)
    elif "budget_tokens" in given:
        yield Problem(
            "error", "thinking.budget_tokens", f"budget_tokens has no meaning with thinking {kind}", "remove it"
        )
    yield from unknown_keys(given, KEYS["thinking"], "thinking", "thinking")
    binding = given.get("block_binding")
    behaviour = binding.get("prefix_mismatch_behavior") if isinstance(binding, dict) else None
    if binding is not None and behaviour not in ("error", "drop_block"):
        path = "thinking.block_binding.prefix_mismatch_behavior"
        yield Problem("warning", path, 'prefix_mismatch_behavior is neither "error" nor "drop_block"')
    display = given.get("display")
    if display is not None and display not in ("summarized", "omitted", "updates"):
        yield Problem("error", "thinking.display", 'display has to be "summarized", "omitted" or "updates"')


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
    for name in ("temperature", "top_p", "top_k"):
        value = subject.body.get(name)
        if value is not None:
            yield from _sampled(subject, name, value)
    info = subject.info
    temperature, top_p = subject.body.get("temperature"), subject.body.get("top_p")
    if info is None or info.sampling is not True or info.generation < (4, 1) or subject.version >= "2026-10-21":
        return
    if temperature is not None and top_p is not None and temperature != 1:
        # The migration guide to Claude 4.5: from Opus 4.1 on the API takes one of the two.
        words = f"{info.name} takes temperature or top_p, not both"
        yield Problem("warning", "top_p", words, "remove one of them")


def _sampled(subject: Subject, name: str, value: Any) -> Problems:
    info = subject.info
    if isinstance(value, bool) or not isinstance(value, int | float):
        yield Problem("error", name, f"{name} has to be a number")
    elif subject.version >= "2026-10-21":
        yield Problem("error", name, f"version {shown(subject.version)} of the API has no {name}", "remove it")
    elif not subject.before_4_7 and not _default(name, value):
        model = info.name if info is not None else ""
        yield Problem("error", name, f"{model} takes {name} at its default only", "remove it")
    elif name in ("temperature", "top_p") and not 0 <= value <= 1:
        yield Problem("error", name, f"{name} has to be from 0 to 1")
    elif name == "top_k" and value < 0:
        yield Problem("error", name, "top_k has to be 0 or more")
    elif name == "temperature" and subject.thinks and value != 1:
        yield Problem("error", name, "with thinking, temperature has to be 1", "remove it")
    elif name == "top_k" and subject.thinks:
        yield Problem("error", name, "with thinking, top_k cannot be set", "remove it")
    elif name == "top_p" and subject.thinks and value < 0.95:
        yield Problem("error", name, "with thinking, top_p has to be from 0.95 to 1", "remove it")


def _default(name: str, value: float) -> bool:
    return (name == "temperature" and value == 1) or (name == "top_p" and 0.99 <= value <= 1)
