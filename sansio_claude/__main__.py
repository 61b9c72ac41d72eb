"""`python -m sansio_claude`: the command line."""

from sansio_claude._cli import main

if __name__ == "__main__":
    raise SystemExit(main())
