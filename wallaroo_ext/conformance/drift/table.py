"""Differences as a table for people, and as JSON for programs."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from wallaroo_ext.redaction.terminal_text import printable_lines

if TYPE_CHECKING:
    from rich.console import RenderableType

    from wallaroo_ext.conformance.drift.changes import Change, Drift

_LONGEST_VALUE = 120
_MOST_NAMED = 3


def as_json(drift: Drift) -> dict[str, Any]:
    """Return the differences as JSON has them: `against`, how many there are and how many break, and `changes`."""
    return {
        "against": drift.against,
        "changed": len(drift.changes),
        "breaking": len(drift.breaking),
        "changes": [asdict(change) for change in drift.changes],
    }


def summary(drift: Drift) -> str:
    """Return how much differs, in a sentence."""
    if not drift.changes:
        return f"The contract and {drift.against} say the same."
    count, breaking = len(drift.changes), len(drift.breaking)
    differences = "1 difference" if count == 1 else f"{count} differences"
    return f"{differences} from {drift.against}, of which {breaking or 'none'} can break a client."


def as_table(drift: Drift) -> RenderableType:
    """The differences as a table, the breaking ones first; what is the same in several operations stands there once."""
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    title = Text(printable_lines(summary(drift)))
    if not drift.changes:
        return title
    table = Table(expand=False, show_lines=True)
    for column in ("operation", "what", "where", "contract", "other side", "why"):
        table.add_column(column, overflow="fold")
    for operations, change in _together(drift):
        verdict = Text("breaks", style="bold red") if change.breaks else Text("harmless", style="green")
        seen = f" Seen in {change.count}, first in {change.example}." if change.count else ""
        texts = [_few(operations), Text.assemble(f"{change.kind}\n", verdict), change.where]
        texts += [_short(change.contract), _short(change.other), f"{change.reason}{seen}"]
        table.add_row(*(text if isinstance(text, Text) else Text(printable_lines(text)) for text in texts))
    return Group(title, table)


def _together(drift: Drift) -> list[tuple[list[str], Change]]:
    """Return each difference once, with the operations that it is in; the breaking ones first."""
    found: dict[str, tuple[list[str], Change]] = {}
    for change in drift.changes:
        parts = (change.where, change.kind, change.contract, change.other, change.reason, change.example)
        found.setdefault(repr(parts), ([], change))[0].append(change.operation)
    return sorted(found.values(), key=lambda entry: not entry[1].breaks)


def _few(operations: list[str]) -> str:
    more = len(operations) - _MOST_NAMED
    return "\n".join(operations[:_MOST_NAMED]) + (f"\nand {more} more" if more > 0 else "")


def _short(value: Any) -> str:
    """Return a value as JSON, from its beginning; a text without its quotation marks."""
    text = "" if value is None else value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _LONGEST_VALUE else text[: _LONGEST_VALUE - 1] + "…"
