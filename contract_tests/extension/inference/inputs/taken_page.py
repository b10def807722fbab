"""Writes what rows may have, and what becomes of it, as a page for people: `python -m` with the name of this module."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from contract_tests.extension.inference.inputs.gaps import GAPS, sent_or_refused
from contract_tests.extension.inference.inputs.kinds_of_values import FORMS, KINDS, Kind, rows_in
from wallaroo_ext.inference.inputs.rows import to_table

if TYPE_CHECKING:
    from collections.abc import Iterable

FILE = Path(__file__).parent / "taken.md"

_HEAD = f"""# The rows that are taken

Written by `python -m contract_tests.extension.inference.inputs.taken_page` from what the tests try: every kind of
values in every form that can hold it. `infer`, `infer_batches`, `infer_dataset`, their counterparts in asyncio and the
command line have these rules in common. What is refused is refused before anything is sent, in a sentence with the
column and the first such row.

The forms are {", ".join(FORMS)}. Whatever else has `__arrow_c_stream__`, `__arrow_c_array__` or `__dataframe__` is
taken, too. An index of pandas is sent only where `columns` names it. The columns of a frame are named by texts or
numbers, and not by tuples.

| a column of | becomes | type | in a vector | forms |
| --- | --- | --- | --- | --- |
"""

_MISSING = """
## Numbers that are missing

A number is missing where there is a null or a NaN. `missing="reject"` is the default, because most models compute
something from NaN that looks like a result, and no engine takes a null. On the command line it is `--missing nan`. In
runs over many rows, a row that is refused is one of the rejected rows. A column of nothing but nulls counts as one of
numbers.

| what is missing | `reject` | `nan` | forms |
| --- | --- | --- | --- |
"""


def page() -> str:
    """Return the page."""
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        kinds = [_row(kind, directory) for kind in KINDS]
        gaps = [
            f"| {gap.name} | {sent_or_refused(gap, 'reject', directory)} | {sent_or_refused(gap, 'nan', directory)} | "
            f"{', '.join(gap.forms)} |\n"
            for gap in GAPS
        ]
    return "".join([_HEAD, *kinds, _MISSING, *gaps])


def _row(kind: Kind, directory: Path) -> str:
    found: dict[str, str] = {}
    for form in FORMS:
        rows = rows_in(form, kind.examples, kind, directory)
        if rows is not None:
            found[form] = "" if kind.refused else _type(rows)
    vector = "" if kind.refused else "yes" if kind.number else "no"
    return f"| {kind.name} | {kind.rule} | {_listed(found.values())} | {vector} | {_forms(found)} |\n"


def _type(rows: Any) -> str:
    """Return the type of a column, as Arrow writes it; Parquet names the elements of lists in its own way."""
    schema: Any = to_table(rows).schema
    return f"`{schema.types[0]}`".replace("element: ", "item: ")


def _listed(types: Iterable[str]) -> str:
    return ", ".join(dict.fromkeys(types))


def _forms(found: dict[str, str]) -> str:
    """Return the forms of a kind, or those that cannot hold it if they are fewer."""
    others = [form for form in FORMS if form not in found]
    if len(others) > len(found):
        return ", ".join(found)
    return f"all but {', '.join(others)}" if others else "all"


if __name__ == "__main__":
    FILE.write_text(page(), encoding="utf-8")
