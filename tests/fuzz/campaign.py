"""One target for a while, in a process of its own: guided by coverage where atheris is installed, by chance elsewhere.

`python -m tests.fuzz` starts this and reads the line that it ends with. libFuzzer ends the process itself, so nothing
can stand behind it.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
import traceback
from importlib import import_module
from pathlib import Path
from random import Random
from typing import Any

from tests.fuzz.target import BROKEN, Target
from tests.fuzz.wings import modules, others

__all__ = ["by_chance", "dictionary", "main", "minimised"]


def minimised(target: Target, data: bytes, *, seconds: float = 10.0) -> bytes:
    """A shorter input that still breaks a promise in the same way: pieces are left out as long as that helps."""
    wanted = _failure(target, data)
    end = time.monotonic() + seconds
    size = max(1, len(data) // 2)
    while size and time.monotonic() < end:
        at = 0
        while at < len(data) and time.monotonic() < end:
            shorter = data[:at] + data[at + size :]
            if _failure(target, shorter) == wanted:
                data = shorter
            else:
                at += size
        size //= 2
    return data


def _failure(target: Target, data: bytes) -> tuple[str, int] | None:
    """The class of what an input raises and the line it comes from; None where all promises are held."""
    try:
        target.check(data)
    except Exception as error:
        at = error.__traceback__
        while at is not None and at.tb_next is not None:
            at = at.tb_next
        return type(error).__name__, 0 if at is None else at.tb_lineno
    return None


def dictionary(target: Target) -> str:
    """The words of a target as libFuzzer reads them. It ends the process for a file without any."""
    escaped = ("".join(f"\\x{byte:02x}" for byte in token) for token in target.dictionary)
    return "".join(f'"{token}"\n' for token in escaped if 0 < len(token) <= 4 * 64)


def by_chance(target: Target, *, seconds: float, seed: int, runs: int = 0) -> int:
    """Mutated seeds for so many seconds, or so many of them; gives how many there were. Raises what an input raises."""
    dice = Random(seed)
    pool = list(target.seeds())
    end = time.monotonic() + seconds
    count = 0
    while time.monotonic() < end and (not runs or count < runs):
        data = dice.choice(pool)
        for _ in range(dice.choice((1, 1, 2, 4))):
            data = target.mutate(data, dice)[: target.most]
        _run(target, data)
        count += 1
    return count


def _run(target: Target, data: bytes) -> None:
    try:
        target.check(data)
    except BaseException:
        _keep(target, data)
        raise


def _keep(target: Target, data: bytes) -> None:
    short = minimised(target, data)
    where = "".join(traceback.format_exc(limit=-6))
    print(f"{BROKEN} {target.name}, by {len(short)} bytes:", short, where, sep="\n", file=sys.stderr, flush=True)


def _guided(target: Target, given: argparse.Namespace, folder: Path, began: float) -> None:
    atheris: Any = import_module("atheris")  # not everywhere, and without types
    (folder / "seeds").mkdir()
    for number, seed in enumerate(target.seeds()):
        (folder / "seeds" / str(number)).write_bytes(seed[: target.most])
    kept = given.corpus if given.corpus is not None else folder / "found"
    kept.mkdir(parents=True, exist_ok=True)

    def change(data: bytes, most: int, seed: int) -> bytes:
        dice = Random(seed)
        if dice.random() < 0.4:
            return bytes(atheris.Mutate(data, most))
        return target.mutate(data, dice)[:most]

    options = [
        f"-max_total_time={max(1, round(given.seconds - (time.monotonic() - began)))}",
        f"-max_len={target.most}",
        f"-seed={given.seed + 1}",
        f"-artifact_prefix={folder}/",
        "-timeout=200",
        "-print_final_stats=1",
        "-len_control=0",
    ]
    if given.runs:
        options.append(f"-runs={given.runs}")
    if words := dictionary(target):
        (folder / "words").write_text(words, "ascii")
        options.append(f"-dict={folder / 'words'}")
    places = [str(kept), str(folder / "seeds")]
    atheris.Setup([target.name, *options, *places], lambda data: _run(target, data), custom_mutator=change)
    atheris.Fuzz()


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz.campaign", description=__doc__)
    parser.add_argument("name")
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--corpus", type=Path)
    parser.add_argument("--by-chance", action="store_true")
    parser.add_argument("--runs", type=int, default=0)
    given = parser.parse_args()
    began = time.monotonic()
    try:
        if given.by_chance:
            raise ImportError
        atheris: Any = import_module("atheris")
    except ImportError:
        from tests.fuzz.targets import TARGETS

        count = by_chance(TARGETS[given.name], seconds=given.seconds, seed=given.seed, runs=given.runs)
        print(f"stat::number_of_executed_units: {count}", file=sys.stderr)
        return
    with atheris.instrument_imports(include=["sansio_claude"], exclude=others(given.name)):
        for each in modules(given.name):  # some are imported on first use only
            import_module(each)
        from tests.fuzz.targets import TARGETS
    with tempfile.TemporaryDirectory() as folder:
        _guided(TARGETS[given.name], given, Path(folder), began)


if __name__ == "__main__":
    main()
