"""Writes the mutants as a table, for people."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from contract_tests.mutants.catalogue import KINDS, left_out, mutants
from contract_tests.mutants.survivors import REASONS

if TYPE_CHECKING:
    from collections.abc import Mapping

FILE = Path(__file__).parent / "mutants.md"


def page(killers: Mapping[str, str]) -> str:
    """Return a page of all mutants, and the operations that have none of a kind.

    Args:
        killers: The check that noticed each mutant in the last full proof, by the mutant's name.
    """
    lines = [
        "# Instances that lie",
        "",
        "Written by `scripts/prove`. Each is the sandbox with a layer around it that lies about one operation.",
        "",
        f"{len(mutants())} mutants.",
        "",
        "| mutant | what it does | noticed by |",
        "| --- | --- | --- |",
    ]
    lines += [f"| `{name}` | {mutant.text} | {killers.get(name, '')} |" for name, mutant in mutants().items()]
    lines += [
        "",
        "## What has no mutant of a kind",
        "",
        "| kind | what it does | left out | why |",
        "| --- | --- | --- | --- |",
    ]
    for kind in KINDS:
        missing = left_out(kind)
        if missing:
            lines.append(f"| {kind.name} | {kind.text} | {', '.join(missing)} | {kind.left_out} |")
    lines += ["", "## Survivors", "", "| mutant | why |", "| --- | --- |"]
    lines += [f"| `{name}` | {reason} |" for name, reason in REASONS.items()]
    return "\n".join(lines) + "\n"
