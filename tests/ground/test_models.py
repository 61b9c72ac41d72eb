"""The table of models: the facts of the documents, and which spellings are certainly which model."""

from __future__ import annotations

import datetime
import re
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sansio_claude import LocalProtocolError
from sansio_claude._models import AS_OF, EDITOR_NAMES, KNOWN_MODELS, SOURCES, ModelInfo, model_info
from sansio_claude._request.catalog import ListedModel

K = 1000


def known(model: str) -> ModelInfo:
    info = model_info(model)
    assert info is not None
    return info


# The documents' table: context, context in beta, output, thinking, training data.
DOCUMENTED: list[tuple[str, int | None, int | None, int | None, set[str], str | None]] = [
    # The documents have 200,000 tokens and the flag for 1M; the models' own pages have 1M without it since.
    ("claude-opus-4-6", 1000 * K, 1000 * K, 128 * K, {"adaptive", "enabled"}, "2025-08"),
    ("claude-sonnet-4-6", 1000 * K, 1000 * K, 128 * K, {"adaptive", "enabled"}, "2025-08"),
    ("claude-sonnet-4-5-20250929", 200 * K, None, 64 * K, {"enabled"}, "2025-07"),
    ("claude-haiku-4-5-20251001", 200 * K, None, 64 * K, {"enabled"}, "2025-07"),
    ("claude-opus-4-20250514", 200 * K, None, 32000, {"enabled"}, "2025-03"),
    ("claude-sonnet-4-20250514", 200 * K, None, 64000, {"enabled"}, "2025-03"),
    ("claude-3-7-sonnet-20250219", 200 * K, None, 64000, {"enabled"}, "2024-11"),
    ("claude-3-5-sonnet-20241022", 200 * K, None, 8192, set(), "2024-04"),
    ("claude-3-5-haiku-20241022", 200 * K, None, 8192, set(), "2024-07"),
    ("claude-3-opus-20240229", 200 * K, None, 4096, set(), "2023-08"),
    ("claude-3-haiku-20240307", 200 * K, None, 4096, set(), "2023-08"),
]


@pytest.mark.parametrize(("model", "context", "beta", "output", "thinking", "training"), DOCUMENTED)
def test_the_documents_table(
    model: str, context: int | None, beta: int | None, output: int | None, thinking: set[str], training: str | None
) -> None:
    info = known(model)
    assert info.id == model
    assert (info.context_window, info.context_window_beta) == (context, beta)
    assert info.max_output_tokens == output
    assert set(info.thinking or ()) - {"disabled"} == thinking
    assert info.training_cutoff == training


def test_what_the_documents_say_besides() -> None:
    assert set(known("claude-opus-4-7").thinking or ()) - {"disabled"} == {"adaptive"}
    assert known("claude-opus-4-1-20250805").thinking == ("enabled", "disabled")
    assert known("claude-opus-4-6").thinking_deprecated == ("enabled",)
    assert known("claude-sonnet-4-6").thinking_deprecated == ("enabled",)
    assert known("claude-opus-4-6").context_window_flag == "context-1m-2025-08-07"
    sonnet = known("claude-3-7-sonnet-20250219")
    assert (sonnet.max_output_tokens_beta, sonnet.max_output_flag) == (128 * K, "output-128k-2025-02-19")


@pytest.mark.parametrize(
    "model", ["claude-fable-5-2", "claude-mythos-5-2", "claude-opus-5-5", "claude-sonnet-5-5", "claude-haiku-5-5"]
)
def test_the_current_models(model: str) -> None:
    info = known(model)
    assert info.status == "active"
    assert (info.context_window, info.max_output_tokens) == (1000 * K, 128 * K)
    assert "adaptive" in (info.thinking or ())
    assert "enabled" not in (info.thinking or ())
    always_on = model in ("claude-fable-5-2", "claude-mythos-5-2", "claude-opus-5-5")
    assert (info.thinking == ("adaptive",)) is always_on
    assert (info.prefill, info.sampling) == (False, False)


@pytest.mark.parametrize(
    "model", ["claude-opus-5", "claude-sonnet-5", "claude-fable-5-1", "claude-mythos-5-1", "claude-opus-4-8"]
)
def test_the_models_before_them(model: str) -> None:
    assert known(model).status == "active"


def test_prefill_ends_with_4_5() -> None:
    for info in KNOWN_MODELS:
        assert info.prefill is (info.generation < (4, 6)), info.id


@pytest.mark.parametrize(
    ("model", "editor", "name"),
    [
        ("claude-opus-5-5", "text_editor_20250728", "str_replace_based_edit_tool"),
        ("claude-sonnet-4-5", "text_editor_20250728", "str_replace_based_edit_tool"),
        ("claude-sonnet-4-20250514", "text_editor_20250429", "str_replace_based_edit_tool"),
        ("claude-opus-4-20250514", "text_editor_20250429", "str_replace_based_edit_tool"),
        ("claude-3-7-sonnet-20250219", "text_editor_20250124", "str_replace_editor"),
        ("claude-3-5-sonnet-20241022", "text_editor_20241022", "str_replace_editor"),
        ("claude-3-haiku-20240307", None, None),
    ],
)
def test_the_text_editor_of_a_model(model: str, editor: str | None, name: str | None) -> None:
    assert (known(model).text_editor, known(model).text_editor_name) == (editor, name)


def test_states() -> None:
    assert known("claude-sonnet-4-5").status == "deprecated"
    assert (known("claude-sonnet-4-5").deprecated, known("claude-sonnet-4-5").retires) == ("2026-09-30", "2026-11-30")
    for model in (
        "claude-opus-4-1",
        "claude-opus-4-0",
        "claude-sonnet-4-0",
        "claude-3-7-sonnet-latest",
        "claude-3-haiku-20240307",
    ):
        assert known(model).status == "retired"
        assert known(model).successor is not None
    assert known("claude-haiku-4-5").status == "active"
    last_day = attrs.evolve(known("claude-sonnet-4-5"), retires=AS_OF)
    assert last_day.status == "retired"
    assert (known("claude-opus-4-5").status, known("claude-opus-4-5").retires) == ("deprecated", "2027-01-22")
    assert known("claude-mythos-preview").status == "retired"


@pytest.mark.parametrize(
    ("day", "status"),
    [
        ("2026-09-29", "active"),
        ("2026-09-30", "deprecated"),
        ("2026-11-29", "deprecated"),
        ("2026-11-30", "retired"),
        (datetime.date(2026, 11, 30), "retired"),
        (datetime.datetime(2026, 9, 29, 23, 59, tzinfo=datetime.UTC), "active"),
    ],
)
def test_the_status_on_a_day(day: Any, status: str) -> None:
    assert known("claude-sonnet-4-5").status_on(day) == status


@pytest.mark.parametrize("day", ["tomorrow", "2026-13-01", "", None, 5])
def test_what_is_no_day_is_refused(day: Any) -> None:
    with pytest.raises(LocalProtocolError, match="is no date: give the day as"):
        known("claude-sonnet-4-5").status_on(day)


def listing(**changes: Any) -> dict[str, Any]:
    return {
        "type": "model",
        "id": "claude-opus-4-6",
        "display_name": "Claude Opus 4.6",
        "created_at": "2026-02-05T00:00:00Z",
        "lifecycle": "deprecated",
        "deprecated_at": "2026-12-01T00:00:00Z",
        "retires_at": "2027-03-01T00:00:00Z",
        "max_input_tokens": 1_000_000,
        "max_tokens": 256_000,
        "capabilities": {
            "thinking": {
                "supported": True,
                "types": {"adaptive": {"supported": True}, "enabled": {"supported": False}, "new": {"supported": True}},
            },
            "effort": {"supported": True, "low": {"supported": True}, "xhigh": {"supported": False}},
            "structured_outputs": {"supported": True},
        },
        **changes,
    }


def test_a_listing_goes_over_the_table() -> None:
    table = known("claude-opus-4-6")
    for listed in (listing(), ListedModel(listing())):
        merged = table.merged(listed)
        assert (merged.max_output_tokens, merged.context_window) == (256_000, 1_000_000)
        assert (merged.context_window_beta, merged.context_window_flag) == (None, None)
        assert (merged.thinking, merged.thinking_deprecated) == (("adaptive",), ())
        assert (merged.effort, merged.structured_outputs) == (("low",), True)
        assert (merged.deprecated, merged.retires) == ("2026-12-01", "2027-03-01")
        assert merged.status_on("2026-12-02") == "deprecated"
        assert merged.sources["max_output_tokens"] == "listing"
        assert merged.sources["prefill"] == table.sources["prefill"]
        assert (merged.prefill, merged.text_editor_types) == (table.prefill, table.text_editor_types)
    assert known("claude-opus-4-6").max_output_tokens == 128 * K


def test_the_lifecycle_of_a_listing_goes_before_its_days() -> None:
    # A day of retirement that is past says that it is overdue; the listing's lifecycle says whether it has happened.
    overdue = known("claude-opus-4-5").merged({"lifecycle": "deprecated", "retires_at": "2026-11-01T00:00:00Z"})
    assert (overdue.status, overdue.lifecycle) == ("deprecated", "deprecated")
    gone = known("claude-opus-5-5").merged({"lifecycle": "retired"})
    assert (gone.status, gone.status_on("2030-01-01")) == ("retired", "retired")
    to_come = known("claude-opus-5-5").merged({"lifecycle": "paused", "allowed_fallback_models": ["a", 1]})
    assert (to_come.status, to_come.lifecycle, to_come.allowed_fallback_models) == ("active", None, ("a",))
    assert known("claude-opus-5-5").allowed_fallback_models is None


def test_a_listing_of_an_active_model_takes_back_its_end() -> None:
    merged = known("claude-opus-4-5").merged({"lifecycle": "active", "created_at": "1970-01-01T00:00:00Z"})
    assert (merged.deprecated, merged.retires, merged.status) == (None, None, "active")
    assert merged.released == "2025-11-24"


junk = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=12) | st.just("2026-99-99T00:00:00Z"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["supported", "types", "x"]), inner),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from(sorted(listing())), junk))
def test_any_listing_is_merged(listed: dict[str, Any]) -> None:
    for info in KNOWN_MODELS[:3]:
        assert info.merged(listed).id == info.id
    assert known("claude-opus-5-5").merged({}).sources == known("claude-opus-5-5").sources


def test_each_fact_has_its_source() -> None:
    for info in KNOWN_MODELS:
        given_by_the_id = {"id", "name", "family", "generation", "sources"}
        for field in attrs.fields(ModelInfo):
            value = getattr(info, field.name)
            if field.name not in given_by_the_id and value is not None and value != field.default:
                assert info.sources.get(field.name), (info.id, field.name)
        assert {letter for letters in info.sources.values() for letter in letters} <= set(SOURCES)


def test_the_table_of_editors_and_that_of_models_agree() -> None:
    for info in KNOWN_MODELS:
        assert {EDITOR_NAMES[kind] for kind in info.text_editor_types or ()} <= {info.text_editor_name}


SPELLINGS = [
    ("claude-opus-4-5", "claude-opus-4-5-20251101"),
    ("claude-sonnet-4-5", "claude-sonnet-4-5-20250929"),
    ("claude-haiku-4-5", "claude-haiku-4-5-20251001"),
    ("claude-3-5-sonnet-latest", "claude-3-5-sonnet-20241022"),
    # Amazon Bedrock
    ("anthropic.claude-3-haiku-20240307-v1:0", "claude-3-haiku-20240307"),
    ("anthropic.claude-3-haiku-20240307-v1:0:200k", "claude-3-haiku-20240307"),
    ("anthropic.claude-3-5-sonnet-20241022-v2:0", "claude-3-5-sonnet-20241022"),
    ("anthropic.claude-3-5-sonnet-20240620-v1:0", "claude-3-5-sonnet-20240620"),
    ("us.anthropic.claude-opus-4-5-20251101-v1:0", "claude-opus-4-5-20251101"),
    ("us-gov.anthropic.claude-sonnet-4-5-20250929-v1:0", "claude-sonnet-4-5-20250929"),
    ("global.anthropic.claude-opus-5-5", "claude-opus-5-5"),
    ("anthropic.claude-opus-4-6-v1", "claude-opus-4-6"),
    ("arn:aws:bedrock:us-east-1::foundation-model/anthropic.claude-3-opus-20240229-v1:0", "claude-3-opus-20240229"),
    # Vertex AI
    ("claude-opus-4-5@20251101", "claude-opus-4-5-20251101"),
    ("claude-3-5-sonnet-v2@20241022", "claude-3-5-sonnet-20241022"),
    ("claude-3-5-sonnet@20240620", "claude-3-5-sonnet-20240620"),
    ("claude-sonnet-4@20250514", "claude-sonnet-4-20250514"),
    ("claude-opus-4-6@default", "claude-opus-4-6"),
    ("publishers/anthropic/models/claude-3-7-sonnet@20250219", "claude-3-7-sonnet-20250219"),
    # gateways
    ("anthropic/claude-opus-4.5", "claude-opus-4-5-20251101"),
    ("anthropic/claude-sonnet-5.5", "claude-sonnet-5-5"),
]


@pytest.mark.parametrize(("spelt", "model"), SPELLINGS)
def test_spellings(spelt: str, model: str) -> None:
    assert known(spelt).id == model


@pytest.mark.parametrize(
    "model",
    [
        "",
        "claude",
        "claude-opus-6",
        "claude-opus-4-5-20990101",
        "claude-opus-4-5@20990101",
        "claude-opus-4-5-preview",
        "claude-opus-4-5-20251101-eu",
        "Claude-Opus-5-5",
        "my-claude-opus-5-5",
        "openai.claude-opus-5-5",
        "gpt-6-sol",
        "claude-opus-5-5\n",
        "a/" * 500 + "claude-opus-5-5",
        "claude-sonnet-4",
        None,
        5,
        ["claude-opus-5-5"],
    ],
)
def test_what_is_not_certain_is_unknown(model: Any) -> None:
    assert model_info(model) is None


@given(st.text())
def test_any_text_is_a_model_or_not(text: str) -> None:
    for model in (text, f"claude-{text}", f"anthropic.claude-opus-5-5{text}"):
        info = model_info(model)
        assert info is None or info in KNOWN_MODELS


def test_the_table_is_sound() -> None:
    names = [name for info in KNOWN_MODELS for name in (info.id, *info.aliases)]
    assert len(names) == len(set(names))
    day = re.compile(r"20\d\d-(0[1-9]|1[0-2])-([0-2]\d|3[01])")
    month = re.compile(r"20\d\d-(0[1-9]|1[0-2])")
    assert day.fullmatch(AS_OF)
    for info in KNOWN_MODELS:
        assert info.family in info.id
        assert info.name.startswith("Claude ")
        if info.id == "claude-mythos-preview":
            continue  # the one without a number
        numbers = [int(part) for part in info.id.split("-") if part.isdigit() and len(part) < 8]
        assert info.generation == tuple([*numbers, 0][:2])
        shown = f"{numbers[0]}.{numbers[1]}" if len(numbers) > 1 else str(numbers[0])
        assert re.match(rf"Claude {info.family.title()} {re.escape(shown)}\b(?!\.)", info.name)
        for date in (info.released, info.deprecated, info.retires, info.retires_not_before):
            assert date is None or day.fullmatch(date)
        for date in (info.training_cutoff, info.knowledge_cutoff):
            assert date is None or month.fullmatch(date)
        assert (info.context_window_beta is None) is (info.context_window_flag is None)
        assert (info.max_output_tokens_beta is None) is (info.max_output_flag is None)
        assert set(info.thinking_deprecated) <= set(info.thinking or ())
        assert info.successor is None or known(info.successor).generation > info.generation
        assert info.retires is not None or info.deprecated is None
        if info.text_editor_types:
            assert info.text_editor_name is not None
