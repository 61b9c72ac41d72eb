"""The suite's other processes: the replay server and the clients under measurement, with their life cycles."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import attrs

__all__ = ["MissingClient", "Server", "Worker", "replay_server", "worker"]

ROOT = Path(__file__).resolve().parent.parent


class MissingClient(Exception):
    """A client that is not installed here."""


def _start(*arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )


def _line(process: subprocess.Popen[str]) -> dict[str, Any]:
    assert process.stdout is not None
    line = process.stdout.readline()
    if not line:
        raise RuntimeError(f"{process.args!r} ended without an answer")
    answer: dict[str, Any] = json.loads(line)
    return answer


@contextlib.contextmanager
def _running(process: subprocess.Popen[str]) -> Iterator[subprocess.Popen[str]]:
    """Ends the process with the block: by closing its standard input, and by force after five seconds."""
    try:
        yield process
    finally:
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@attrs.define(frozen=True)
class Server:
    """The running replay server's ports; `tls` is None where no certificate could be made."""

    plain: int
    tls: int | None
    authority: str | None

    def job(self, path: str, *, tls: bool = False, **settings: Any) -> dict[str, Any]:
        """A worker's job that calls `path` here."""
        where: dict[str, Any] = {"port": self.plain, "authority": None}
        if tls:
            where = {"port": self.tls, "authority": self.authority}
        return {"path": path, "control": self.plain, **where, **settings}


def _certificate(folder: Path) -> tuple[str | None, str | None]:
    """A certificate for the loopback address and the authority to trust; None twice where trustme is missing."""
    try:
        import trustme
    except ImportError:
        return None, None
    authority = trustme.CA()
    served, trusted = folder / "server.pem", folder / "authority.pem"
    authority.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(str(served))
    authority.cert_pem.write_to_path(str(trusted))
    return str(served), str(trusted)


@contextlib.contextmanager
def replay_server() -> Iterator[Server]:
    """The replay server, for as long as the block lasts."""
    with tempfile.TemporaryDirectory() as folder:
        served, trusted = _certificate(Path(folder))
        with _running(_start("benchmarks.traffic.server", *([served] if served else []))) as process:
            ports = _line(process)
            yield Server(ports["plain"], ports["tls"], trusted)


@attrs.define
class Worker:
    """A client process; `do` gives it a job and waits for the report."""

    name: str
    process: subprocess.Popen[str]

    def do(self, job: dict[str, Any]) -> dict[str, Any]:
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(job) + "\n")
        self.process.stdin.flush()
        report = _line(self.process)
        if "failed" in report:
            raise RuntimeError(f"{self.name}: {report['failed']}")
        return report


@contextlib.contextmanager
def worker(loop: str, name: str) -> Iterator[Worker]:
    """A client process for as long as the block lasts. MissingClient where the client is not installed."""
    with _running(_start("benchmarks.worker", loop, name)) as process:
        ready = _line(process)
        if "missing" in ready:
            raise MissingClient(ready["missing"])
        yield Worker(f"{name} on {loop}", process)
