"""The public catalogue of faults: our client is right on each, and a report tells right from wrong."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from sansio_claude._call.retry import RetryPolicy
from sansio_claude._call.timeouts import Timeouts
from sansio_claude._errors import ClaudeError
from sansio_claude._request.endpoint import Endpoint
from sansio_claude.asyncio import Client
from sansio_claude.testing.faults import FAULTS, KEY, TEXT, Fault, report, serve, table
from tests.faults.table import CASES

ASK: dict[str, Any] = {"model": "m", "max_tokens": 10, "messages": [{"role": "user", "content": "Hello"}]}
SHORT = Timeouts(connect=10, first_byte=1, idle=1, progress=1, total=30)
LONG = Timeouts()  # where the whole answer is due, however slow the machine is


@pytest.mark.parametrize("fault", FAULTS.values(), ids=list(FAULTS))
def test_our_client_is_right(fault: Fault) -> None:
    async def ask(url: str) -> str:
        endpoint = Endpoint.from_base_url(url, api_key=KEY)
        async with (
            Client(
                endpoint, timeouts=LONG if fault.ends == "whole" else SHORT, retry=RetryPolicy(initial=0.001)
            ) as client,
            client.stream(**ASK) as stream,
        ):
            return (await stream.final_message()).text

    with serve(fault) as url:
        try:
            text = asyncio.run(ask(url))
        except ClaudeError as error:
            ended, shown = "error", f"{error}{error!r}"
        else:
            ended, shown = "whole", ""
            assert text == TEXT
    assert fault.ends in (ended, "either")
    assert KEY not in shown


@pytest.mark.parametrize("name", sorted(set(FAULTS) & set(CASES)))
def test_a_name_means_the_same_as_in_the_fault_matrix(name: str) -> None:
    wanted = CASES[name].want.split("|")
    ends = FAULTS[name].ends
    if ends == "error":
        assert wanted != ["ok"]
    elif ends == "whole":
        assert "ok" in wanted


@pytest.mark.parametrize("fault", FAULTS.values(), ids=list(FAULTS))
def test_a_fault_says_what_it_does_and_what_a_good_client_does(fault: Fault) -> None:
    assert fault.what
    assert not fault.what.endswith(".")
    assert fault.good.endswith(".")
    assert fault.ends in ("whole", "error", "either")


NAIVE = f"""
import os, sys, urllib.request
url = os.environ["ANTHROPIC_BASE_URL"] + "/v1/messages"
request = urllib.request.Request(url, b"{{}}", {{"x-api-key": os.environ["ANTHROPIC_API_KEY"]}})
body = urllib.request.urlopen(request, timeout=1).read()
print({TEXT!r} if "ALWAYS" in os.environ or b"message_stop" in body else "a part")
"""


def verdicts(script: Path, *names: str, patience: float = 20.0) -> dict[str, str]:
    found = report([sys.executable, str(script)], [FAULTS[name] for name in names], patience=patience, jobs=2)
    return {each.fault.name: each.word for each in found}


def test_a_report_tells_right_from_wrong(tmp_path: Path) -> None:
    script = tmp_path / "client.py"
    script.write_text(NAIVE)
    assert verdicts(script, "ok_content_length", "trunc_clean_mid_text", "status_401", "redir_cross_302", "ok_cr") == {
        "ok_content_length": "right",
        "trunc_clean_mid_text": "taken for whole",
        "status_401": "right",
        "redir_cross_302": "sends the key elsewhere",
        "ok_cr": "right",
    }


def test_a_report_sees_leaks_hangs_failures_and_repeats(tmp_path: Path) -> None:
    script = tmp_path / "client.py"
    script.write_text("import os; print(os.environ['ANTHROPIC_API_KEY'])")
    assert verdicts(script, "status_400") == {"status_400": "shows the key"}
    script.write_text("import time; time.sleep(60)")
    assert verdicts(script, "status_400", patience=0.2) == {"status_400": "hangs"}
    script.write_text("raise SystemExit(3)")
    assert verdicts(script, "ok_crlf", "status_400") == {"ok_crlf": "failed", "status_400": "right"}
    script.write_text(
        NAIVE.replace(
            "body =", "import contextlib\nwith contextlib.suppress(OSError): urllib.request.urlopen(request)\nbody ="
        )
    )
    assert verdicts(script, "status_400") == {"status_400": "sends too often"}


def test_the_table(tmp_path: Path) -> None:
    script = tmp_path / "client.py"
    script.write_text("raise SystemExit(1)")
    found = list(report([sys.executable, str(script)], [FAULTS["ok_crlf"], FAULTS["status_400"]]))
    assert table(found).splitlines() == [
        "| faults | right | wrong |",
        "|---|---|---|",
        "| odd but right | 0 of 1 | ok_crlf (failed) |",
        "| statuses | 1 of 1 |  |",
        "| all | 1 of 2 | |",
    ]


def cli(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "sansio_claude", "faults", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def test_the_command_lists_describes_and_reports(tmp_path: Path) -> None:
    listed = cli("list").stdout.splitlines()
    assert [line.split()[0] for line in listed] == list(FAULTS)
    assert "A good client:" in cli("describe", "trunc_rst").stdout
    unknown = cli("describe", "nothing")
    assert (unknown.returncode, unknown.stdout) == (2, "")
    assert "There is no fault nothing" in unknown.stderr
    done = cli("report", "--only", "status_40", "--", sys.executable, "-c", "raise SystemExit(1)")
    assert done.returncode == 0, done.stderr
    assert "| all | 4 of 4 | |" in done.stdout
    assert cli("report", "--only", "ok_crlf", "--json", "--", sys.executable, "-c", "exit(1)").returncode == 1
    assert "cannot be run" in cli("report", "--only", "ok_crlf", "--", str(tmp_path / "no")).stderr
