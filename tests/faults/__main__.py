"""`python -m tests.faults`: the table of docs/faults.md, then every case of the fault server and how it has to end."""

from __future__ import annotations

from tests.faults.report import listing, summary

if __name__ == "__main__":
    print(summary())
    print()
    print(listing())
