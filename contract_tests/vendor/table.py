"""The table of a day with the vendor's SDK, as a page; as a program, it writes the page."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from contract_tests.vendor.day.calls import ABSENT, NEW, OLD
from contract_tests.vendor.day.whole import WHOLE
from scripts.lib.written_tables import parse_arguments, write_or_check

if TYPE_CHECKING:
    from contract_tests.vendor.day.calls import Call

TABLE = Path(__file__).parent / "day.md"
RELEASES = (NEW, OLD)


def working(release: str) -> list[Call]:
    """Return the calls that work with a release of the SDK."""
    return [call for call in WHOLE if release not in call.reasons]


def page() -> str:
    """Return the page."""
    return "\n".join(
        [
            "# A day with the vendor's SDK",
            "",
            "Written by `scripts/vendor-day`. `scripts/test --vendor` makes these calls with two releases of the SDK,",
            f"unchanged: {NEW} on a sandbox of release 2025.2, and {OLD} on one of 2023.4. It checks what comes back,",
            "and fails as well where a call works that has a reason here not to.",
            "",
            *(f"- {_summary(release)}" for release in RELEASES),
            "",
            f"| call | what it does | what comes back | {NEW} | {OLD} |",
            "| --- | --- | --- | --- | --- |",
            *(_row(call) for call in WHOLE),
            "",
        ]
    )


def _summary(release: str) -> str:
    absent = sum(call.reasons.get(release) == ABSENT for call in WHOLE)
    works, there = len(working(release)), len(WHOLE) - absent
    return f"{release}: {works} of {there} calls work" + (f"; it does not have {absent} others." if absent else ".")


def _row(call: Call) -> str:
    cells = [f"`{call.name}`", call.does, call.gives, *(_outcome(call, release) for release in RELEASES)]
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


def _outcome(call: Call, release: str) -> str:
    reason = call.reasons.get(release)
    return "works" if reason is None else "not there" if reason == ABSENT else f"does not work: {reason}"


def main() -> int:
    """Write the table, or check it with `--check`. Returns 1 if it differs."""
    check = parse_arguments("scripts/vendor-day", __doc__).check
    return write_or_check(TABLE, page(), [], script="scripts/vendor-day", check=check)


if __name__ == "__main__":
    sys.exit(main())
