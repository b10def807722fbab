"""Writes what rows may have, and what becomes of it, as a page for people: `python -m` with the name of this module."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from contract_tests.extension.inference.files.forms.kinds_of_files import KINDS as KINDS_OF_FILES
from contract_tests.extension.inference.files.forms.kinds_of_files import KindOfFile
from contract_tests.extension.inference.inputs.gaps import GAPS, sent_or_refused
from contract_tests.extension.inference.inputs.kinds_of_values import FORMS, KINDS, Kind, rows_in
from wallaroo_ext.inference.files.forms.formats import SUFFIXES
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
numbers, and not by tuples. A column that is refused does not matter where `columns` names others, or `--drop` it.

| a column of | becomes | type | in a vector | forms |
| --- | --- | --- | --- | --- |
"""

_FILES = f"""
## The files that are taken

The format of a file is told by its first bytes; where these are a text, it is JSON or CSV as the suffix says.
{", ".join(SUFFIXES)} are the suffixes;
a data set takes .txt, .dat and .data where `format` says what they are. `infer`, `infer_dataset`, their counterparts in
asyncio and the command line read each of these kinds as the same rows. Runs over many rows read a file piece by piece,
but for those that say otherwise.

- **JSON**: a list of records, or records one after another, as in JSON lines; a field that a record lacks is null. A
  list of lists is the vectors of the only input, or, for `infer` and `wallaroo-ext infer`, the columns that `columns`
  names. Any other object is the whole file: `orient="table"` with `schema` and `data`; `orient="split"` with `columns`
  and `data`; columns, if all values are lists; one record, if some are neither lists nor objects. Where all are
  objects, they are columns, as pandas writes by default, if their names are whole numbers or dates; rows, if only the
  names outside are; where neither are, `columns` decides. Numbers are int64, uint64 from 2^63 on, or 64-bit floats, and
  what is beyond them is refused, as is a name that stands twice in an object; `NaN`, `Infinity` and `-Infinity` are
  taken. A text is a text, also "1" or a date, and a whole number of milliseconds is a number. Errors name the line or
  the row, and the column.
- **Logs and answers**: where all columns are parts of scored rows (`time`, `in`, `out`, `out_` with a model's name,
  `anomaly`, `check_failures`, `metadata`), nested or with a dot before the field, the fields of `in` are sent under
  their own names. The other columns are sent, or are keys, where they are named. CSV has lists as texts, so that inputs
  that are lists are refused there.
- **Parquet**: an index of pandas is left out. Spark's vectors are lists. Times of 96 bits are in nanoseconds where
  Arrow wrote them, and otherwise in microseconds. Names of directories have partitions, for `infer_dataset`.
- **Arrow streams** have to end as their writers end them, because nothing else tells one that was cut off. Those of
  before 2019, which lack the mark at their beginning, are refused.
- **Joined files**, as by `cat`: Arrow streams of the same columns, JSON lines and compressed files are read one after
  another. CSV is refused at the row that begins with a byte order mark or is the line of names again, unless all names
  are numbers or a single column is read. Arrow files, Parquet, `.npy` and `.npz` are refused.
- **numpy**: one array is the only input, one with named fields its columns. Objects are never loaded.
- **Refused**, with what to do: pickles, Excel, OpenDocument, HDF5, ORC, Avro, SQLite, DuckDB, files of PyTorch, MATLAB,
  R and programs for statistics, encrypted Parquet, tables of Delta Lake, Hudi and Iceberg, archives, pages for a
  browser, pointers of Git LFS.

| format | kind | file | columns | piece by piece |
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
        files = [_file(kind, directory) for kind in KINDS_OF_FILES]
    return "".join([_HEAD, *kinds, _MISSING, *gaps, _FILES, *files])


def _file(kind: KindOfFile, directory: Path) -> str:
    path = directory / kind.file
    kind.write(path)
    schema: Any = to_table(path).schema
    columns = ", ".join(f"`{each.name}: {each.type}`" for each in schema).replace("element: ", "item: ")
    return f"| {kind.group} | {kind.name} | `{kind.file}` | {columns} | {'yes' if kind.in_pieces else 'no'} |\n"


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
