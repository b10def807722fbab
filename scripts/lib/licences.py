"""Lists the packages that each extra installs, and their licences, from their metadata.

Without arguments it writes `scripts/requirements/licences.md`; `--check` only compares. Spark and Ray are not listed,
because they are in no environment that runs this.
"""

from __future__ import annotations

import argparse
import sys
from importlib import metadata
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

OWN = "wallaroo-ext"
PAGE = Path(__file__).parents[1] / "requirements" / "licences.md"
ELSEWHERE = ("ray", "spark")
LONGEST = 80
HEAD = """# Licences

What each extra installs beside the packages of the rows above, and under which licence, as the packages' own
metadata says. `scripts/lib/licences.py` writes this page; `scripts/check` compares it. The extras `ray` and `spark` are
not listed.

| extra | package | licence |
| --- | --- | --- |
"""


def closure(name: str, extras: frozenset[str], found: set[str]) -> None:
    """Add the names of the packages that a package requires, with some of its extras, to a set."""
    for text in metadata.requires(name) or ():
        wanted = Requirement(text)
        environments: list[dict[str, str]] = [{"extra": extra} for extra in extras or {""}]
        if wanted.marker is not None and not any(wanted.marker.evaluate(each) for each in environments):
            continue
        required = str(canonicalize_name(wanted.name))
        if required == OWN:
            closure(OWN, frozenset(wanted.extras), found)
        elif required not in found or wanted.extras:
            found.add(required)
            closure(required, frozenset(wanted.extras), found)


def _brought(extra: str) -> set[str]:
    """Return what the project installs with an extra, or without any."""
    found: set[str] = set()
    closure(OWN, frozenset({extra} if extra else ()), found)
    return found


def licence_of(name: str) -> str:
    """Return the licence that a package's metadata states."""
    fields: Any = metadata.metadata(name)
    classified: list[str] = [
        value.rpartition(" :: ")[2] for value in fields.get_all("Classifier") or () if value.startswith("License ::")
    ]
    stated: str = fields.get("License-Expression") or ", ".join(classified) or fields.get("License") or "not stated"
    line = " ".join(stated.split()).replace("|", "/")
    return line if len(line) <= LONGEST else "a text of its own, in its metadata"


def page() -> str:
    """Return the page: a row for each package, with the smallest extra that brings it."""
    extras = set(metadata.metadata(OWN).get_all("Provides-Extra") or ()) - set(ELSEWHERE)
    brought = {extra: _brought(extra) for extra in ["", *sorted(extras)]}
    known: set[str] = set()
    rows: list[str] = []
    for extra, found in sorted(brought.items(), key=lambda pair: len(pair[1])):
        rows += [f"| {extra or 'none'} | {name} | {licence_of(name)} |" for name in sorted(found - known)]
        known |= found
    return HEAD + "\n".join(rows) + "\n"


def main() -> int:
    """Write or compare the page. Returns 1 where it is not what it should be."""
    parser = argparse.ArgumentParser(prog="scripts/lib/licences.py", description=__doc__)
    parser.add_argument("--check", action="store_true", help="only compare")
    made = page()
    if not parser.parse_args().check:
        PAGE.write_text(made, encoding="utf-8")
        return 0
    if PAGE.read_text(encoding="utf-8") == made:
        return 0
    print(f"{PAGE} is out of date: run `python -P scripts/lib/licences.py`.", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
