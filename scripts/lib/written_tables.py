"""Writes a table of comparisons, or checks the one that is stored."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def parse_arguments(script: str, about: str | None, *, checks: bool = True) -> argparse.Namespace:
    """Return the options of the command line of a script that takes none, or none but `--check`.

    Args:
        script: The script.
        about: What it does.
        checks: Whether it takes `--check`.
    """
    parser = argparse.ArgumentParser(prog=script, description=about)
    if checks:
        parser.add_argument(
            "--check", action="store_true", help="change nothing, and exit with 1 where the file differs"
        )
    return parser.parse_args()


def write_or_check(table: Path, page: str, unexplained: list[str], *, script: str, check: bool) -> int:
    """Write a table, or compare it with the stored one and change nothing.

    Args:
        table: The file.
        page: Its content.
        unexplained: A line for each comparison that has a difference without a reason.
        script: The script that writes the table.
        check: Whether it is only compared.

    Returns:
        The exit code: 1 if a difference has no reason, or if the stored table differs.
    """
    for line in unexplained:
        print(line, file=sys.stderr)
    if check:
        is_current = table.exists() and table.read_text(encoding="utf-8") == page
        print(f"{table} is {'up to date' if is_current else f'out of date: run {script}'}.")
        return int(not is_current or bool(unexplained))
    table.write_text(page, encoding="utf-8")
    print(f"Wrote {table}; {len(unexplained)} comparisons have differences without a reason.")
    return int(bool(unexplained))
