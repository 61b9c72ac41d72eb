"""Builds the wheel and the source distribution, and checks them: `python -m tests.distribution [FOLDER]`.

Needs build, twine and check-wheel-contents. Each is built twice, from two copies of the sources with the same
SOURCE_DATE_EPOCH, and has to come out the same byte for byte. The wheel is then installed in an environment of its own
and used from a folder that knows nothing of the sources; so is a wheel made from the source distribution.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path

ROOT = Path(__file__).parent.parent
EPOCH = "1767225600"  # 2026-01-01, where the environment names no other
_LEFT_OUT = shutil.ignore_patterns(".git", "__pycache__", ".*_cache", ".hypothesis", "build", "dist", ".venv")
_USE = """
import sansio_claude, sansio_claude.asyncio, sansio_claude.sync, sansio_claude.testing, sansio_claude.tools
from pathlib import Path
home = Path(sansio_claude.__file__).parent
assert "site-packages" in home.parts, home
assert (home / "py.typed").exists() and (home / "__init__.pyi").exists()
for name in sansio_claude.__all__:
    getattr(sansio_claude, name)
from sansio_claude.testing import ReplayServer, compose, serve_in_thread
with serve_in_thread(ReplayServer([compose("Hello!")])) as server:
    with sansio_claude.sync.Client(sansio_claude.Endpoint.from_base_url(server.url, api_key="any")) as client:
        message = client.create(model="claude-opus-5-5", max_tokens=9, messages=[{"role": "user", "content": "Hi"}])
assert message.text == "Hello!"
"""


def run(*arguments: str | Path, cwd: Path | None = None) -> None:
    """Run a command; a status other than 0 ends this program."""
    environment = {**os.environ, "SOURCE_DATE_EPOCH": os.environ.get("SOURCE_DATE_EPOCH", EPOCH)}
    environment.pop("PYTHONPATH", None)
    subprocess.run([str(argument) for argument in arguments], cwd=cwd, env=environment, check=True)


def build(work: Path, name: str, *options: str) -> list[Path]:
    """The distributions made from a copy of the sources."""
    sources = work / name
    shutil.copytree(ROOT, sources, ignore=_LEFT_OUT)
    run(sys.executable, "-m", "build", *options, "--outdir", work / f"{name}-dist", sources)
    return sorted((work / f"{name}-dist").iterdir())


def check_contents(files: list[Path]) -> None:
    """What has to be in the distributions, and what must not."""
    wheel, sdist = sorted(files, key=lambda path: path.suffix != ".whl")
    with zipfile.ZipFile(wheel) as archive:
        inside = archive.namelist()
    assert {name.split("/")[0].split("-")[0] for name in inside} == {"sansio_claude"}, inside
    with tarfile.open(sdist) as tar:
        names = {name.split("/", 1)[1] for name in tar.getnames() if "/" in name}
    for name in ("README.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md", "LICENSE", "docs/index.md"):
        assert name in names, name
    assert any(name.startswith("examples/") for name in names)
    assert not any("__pycache__" in name for name in names)


def use(wheel: Path, work: Path) -> None:
    """Install a wheel elsewhere and use it there."""
    place = work / f"use-{wheel.parent.name}"
    run(sys.executable, "-m", "venv", place)
    python = place / ("Scripts" if os.name == "nt" else "bin") / "python"
    run(python, "-m", "pip", "install", "--quiet", f"{wheel}[cli]")
    run(python, "-W", "error", "-c", _USE, cwd=place)
    run(python, "-m", "sansio_claude", "demo", "--fast", cwd=place)


def main(folder: Path | None) -> None:
    """Build, compare, check; with a folder, leave the distributions there."""
    with tempfile.TemporaryDirectory() as made:
        work = Path(made)
        first, second = build(work, "first"), build(work, "second")
        for one, other in zip(first, second, strict=True):
            digests = [hashlib.sha256(path.read_bytes()).hexdigest() for path in (one, other)]
            assert digests[0] == digests[1], f"{one.name} is not the same when it is built again"
            print(one.name, digests[0])
        run(sys.executable, "-m", "twine", "check", "--strict", *first)
        (wheel,) = (path for path in first if path.suffix == ".whl")
        (sdist,) = (path for path in first if path.suffix == ".gz")
        run(sys.executable, "-m", "check_wheel_contents", wheel)
        check_contents(first)
        for name in ("first", "second"):
            shutil.rmtree(work / name)  # nothing below may need the sources
        use(wheel, work)
        with tarfile.open(sdist) as tar:
            tar.extractall(work / "unpacked", filter="data")
        (unpacked,) = (work / "unpacked").iterdir()
        run(sys.executable, "-m", "build", "--wheel", "--outdir", work / "again", unpacked)
        (again,) = (work / "again").iterdir()
        assert again.read_bytes() == wheel.read_bytes(), "the sdist makes another wheel"
        if folder is not None:
            folder.mkdir(parents=True, exist_ok=True)
            for path in first:
                shutil.copy2(path, folder)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else None)
