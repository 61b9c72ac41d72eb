"""`python -m sansio_claude` and `sansio-claude`: the command line."""

from __future__ import annotations

__all__ = ["main"]


def main() -> int:
    """Run the command line; the exit status. Ctrl-C while its modules are still being imported ends it quietly too."""
    try:
        from sansio_claude._cli.commands import main as run
    except KeyboardInterrupt:
        return 130
    return run()


if __name__ == "__main__":
    raise SystemExit(main())
