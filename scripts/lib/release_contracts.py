"""Writes the contract of each release, its overlay applied, into a directory, for programs that check contracts."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from wallaroo_ext import contract


def main() -> None:
    """Write a file for each release."""
    for release in contract.RELEASES:
        document = contract.load(release)
        (Path(sys.argv[1]) / f"{release}.json").write_text(json.dumps(document, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
