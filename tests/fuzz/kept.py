"""What searches have found so far, so that the next one goes on where they ended.

    python -m tests.fuzz.kept unpack found
    python -m tests.fuzz stream --seconds 1200 --seed 7 --corpus found
    python -m tests.fuzz.kept pack found

`kept/` has the inputs of some targets, each in a file of its own, and the sums of their searches in `figures.json`.
"""

from __future__ import annotations

import argparse
import io
import json
import tarfile
from pathlib import Path
from typing import Any, Final

__all__ = ["KEPT", "main", "pack", "unpack"]

KEPT: Final = Path(__file__).parent / "kept"


def pack(corpus: Path, kept: Path = KEPT) -> None:
    """Keep the inputs in each folder of a corpus, and its figures. The same inputs make the same files."""
    kept.mkdir(parents=True, exist_ok=True)
    for folder in sorted(path for path in corpus.iterdir() if path.is_dir()):
        inputs = sorted({path.read_bytes() for path in folder.iterdir()}, key=lambda data: (len(data), data))
        with tarfile.open(kept / f"{folder.name}.tar.xz", "w:xz", preset=9) as file:
            for number, data in enumerate(inputs):
                entry = tarfile.TarInfo(f"kept{number:05}")
                entry.size = len(data)
                file.addfile(entry, io.BytesIO(data))
    _write_figures(kept, {**_figures(kept), **_figures(corpus)})


def unpack(corpus: Path, kept: Path = KEPT) -> None:
    """Put what is kept into a corpus."""
    corpus.mkdir(parents=True, exist_ok=True)
    for place in sorted(kept.glob("*.tar.xz")):
        folder = corpus / place.name.removesuffix(".tar.xz")
        folder.mkdir(parents=True, exist_ok=True)
        with tarfile.open(place) as file:
            for entry in file:
                content = file.extractfile(entry)
                assert content is not None, f"{place} holds files alone"
                (folder / entry.name).write_bytes(content.read())
    _write_figures(corpus, {**_figures(corpus), **_figures(kept)})


def _figures(folder: Path) -> dict[str, Any]:
    place = folder / "figures.json"
    found: dict[str, Any] = json.loads(place.read_text("utf-8")) if place.exists() else {}
    return found


def _write_figures(folder: Path, figures: dict[str, Any]) -> None:
    (folder / "figures.json").write_text(json.dumps(figures, indent=1) + "\n", "utf-8")


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz.kept", description=__doc__)
    parser.add_argument("what", choices=["pack", "unpack"])
    parser.add_argument("corpus", type=Path, help="the folder that --corpus of a search names")
    given = parser.parse_args(arguments)
    (pack if given.what == "pack" else unpack)(given.corpus)


if __name__ == "__main__":
    main()
