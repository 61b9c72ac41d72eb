"""What `help()` shows of the public classes: every field with words, every method and property with a docstring."""

from __future__ import annotations

import inspect
import pydoc
import re
import subprocess
import sys

import pytest

from sansio_claude import Timeouts
from sansio_claude._described import HEADING, described, words_of_fields
from tests.public_classes import fields_of, public_classes
from tests.test_layers import SOURCES

CLASSES = public_classes()
ELSEWHERE = re.compile(r"(?i)\b(see|rules at|are at) the top of (this|the) (file|module)")


@pytest.mark.parametrize("name", CLASSES)
def test_every_field_has_words_in_help(name: str) -> None:
    doc = inspect.getdoc(CLASSES[name]) or ""
    without = [field for field in fields_of(CLASSES[name]) if f"`{field}`" not in doc]
    assert not without
    shown = pydoc.plain(pydoc.render_doc(CLASSES[name]))
    assert all(f"`{field}`" in shown for field in fields_of(CLASSES[name]))


@pytest.mark.parametrize("name", CLASSES)
def test_every_public_attribute_has_a_docstring(name: str) -> None:
    without = []
    for attribute, value in vars(CLASSES[name]).items():
        value = getattr(value, "__func__", value)
        if not attribute.startswith("_") and (inspect.isfunction(value) or isinstance(value, property)):
            if not (value.__doc__ or "").strip():
                without.append(attribute)
    assert not without


SHOWN = {
    "sansio_claude.MessageAccumulator": "blocks deviations deviations_dropped done event_number message open "
    "receive_eof receive_event",
    "sansio_claude.PartialJSON": "changes error feed final snapshot status text value",
    "sansio_claude.MessageStream": "complete_but_for_stop deviations done events_received finish liveness message "
    "partial_input partial_output receive_data receive_eof state watch",
    "sansio_claude.asyncio.Stream": "aclose deviations final_message message partial_input partial_output rate_limits "
    "request_id response text watch",
    "sansio_claude.sync.Stream": "close deviations final_message message partial_input partial_output rate_limits "
    "request_id response shutdown text watch",
    "sansio_claude.tools.ToolLoop": "add_user awaits concurrency from_dict history interrupt leave message next_action "
    "put_back receive_error receive_message receive_result state to_dict tokens turn usage",
}


@pytest.mark.parametrize("name", SHOWN)
def test_completion_shows_what_a_user_calls_and_nothing_else(name: str) -> None:
    assert [each for each in dir(CLASSES[name]) if not each.startswith("_")] == SHOWN[name].split()


@pytest.mark.parametrize("module", SOURCES)
def test_no_docstring_sends_its_reader_to_the_top_of_a_file(module: str) -> None:
    assert not ELSEWHERE.search(" ".join(SOURCES[module].split()))


def test_the_words_are_those_below_the_fields() -> None:
    doc = Timeouts.__doc__ or ""
    own, _, fields = doc.partition(f"\n{HEADING}\n")
    assert own.startswith("Seconds that each wait may take")
    assert "- `tls`: The TLS handshake." in fields.splitlines()
    assert fields.count("\n- `") == len(fields_of(Timeouts))
    assert not any(line.startswith("    ") for line in doc.splitlines())


def test_fields_of_a_base_class_count() -> None:
    assert "raw" in words_of_fields(CLASSES["sansio_claude.TokenCount"])


def test_a_class_without_fields_and_a_function_stay_as_they_are() -> None:
    class Plain:
        """Words."""

    def function() -> None:
        """Words."""

    assert described(Plain).__doc__ == "Words."
    assert described(function).__doc__ == "Words."


def test_a_class_whose_source_is_not_at_hand_keeps_its_own_words() -> None:
    code = """
        import inspect
        def missing(value): raise OSError("no source")
        import sansio_claude
        inspect.getsource = missing
        assert sansio_claude.Timeouts.__doc__.startswith("Seconds"), sansio_claude.Timeouts.__doc__
        assert "Fields:" not in sansio_claude.Timeouts.__doc__
    """
    subprocess.run([sys.executable, "-c", inspect.cleandoc(code)], check=True)


def test_no_source_is_read_before_somebody_asks() -> None:
    code = """
        import inspect
        read = []
        def note(value): read.append(value); raise OSError
        inspect.getsource = note
        import sansio_claude
        for name in sansio_claude.__all__: getattr(sansio_claude, name)
        assert not read
        assert sansio_claude.Timeouts.__doc__ and read
    """
    subprocess.run([sys.executable, "-c", inspect.cleandoc(code)], check=True)


def test_without_docstrings_there_is_none() -> None:
    code = "import sansio_claude; assert sansio_claude.Timeouts.__doc__ is None"
    subprocess.run([sys.executable, "-OO", "-c", code], check=True)
