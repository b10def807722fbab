"""The rows of `wallaroo-ext infer`: from a file or the standard input, all columns or some."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from wallaroo_ext.cli.printing.output import UsageError
from wallaroo_ext.cli.reading.columns import drop_columns, find_each_once
from wallaroo_ext.cli.reading.standard_input import standard_input
from wallaroo_ext.inference.files.texts.text_options import AS_WRITTEN, TextOptions
from wallaroo_ext.inference.inputs.rows import read_columns, require_pyarrow, rows_to_send
from wallaroo_ext.inference.refused_columns import check_readable
from wallaroo_ext.inference.row_errors import RowError
from wallaroo_ext.inference.selection import ALL

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import pyarrow as pa

    from wallaroo_ext.inference.missing_option import Missing

_REQUEST_BYTES = 16 << 20
_OWNER = "the rows"
_TIME = "time"


def read_rows(file: str, columns: list[str], texts: TextOptions = AS_WRITTEN) -> pa.Table:
    """Return the rows of a file, or of the standard input if the file is `-`.

    Args:
        file: The file.
        columns: The columns to keep, as `select_columns` takes them; an index of pandas is read only if it is named.
        texts: How its texts are written.

    Raises:
        UsageError: There is no standard input.
        InvalidDataError: The file has no rows.
        OSError: The file cannot be opened.
    """
    require_pyarrow()
    names = [name for text in columns for name in text.split(",")]
    index = [*columns, *names]
    return read_columns(standard_input() if file == "-" else file, index, names, texts)


def select_columns(table: pa.Table, columns: list[str], drop: list[str], keys: Sequence[str] = ()) -> pa.Table:
    """Return some columns of a table.

    Args:
        table: The table.
        columns: The columns to keep, in this order; all but the keys if none are given.
        drop: The columns to leave out. Each text is a name, or names with commas between.
        keys: The names of the keys.

    Raises:
        UsageError: There is no such column, or one is named twice.
    """
    known = table.column_names
    wanted = find_each_once(known, columns, "--columns", _OWNER) or [name for name in known if name not in keys]
    return table.select(drop_columns(known, wanted, drop, _OWNER))


def select_keys(table: pa.Table, keys: list[str]) -> pa.Table:
    """Return the columns of a table that the option `--keys` names.

    Raises:
        UsageError: There is no such column, or one is named twice.
        InvalidDataError: One of them cannot be read.
    """
    found: Any = table.select(find_each_once(table.column_names, keys, "--keys", _OWNER))
    check_readable(found.schema)
    return found


def check_keys(names: Sequence[str], wanted: Sequence[str], left_out: Sequence[str] | None) -> None:
    """Check that no key is named like a column that every answer has; of others, the first answer tells.

    Args:
        names: The names of the keys.
        wanted: The parts of the answer that are asked for.
        left_out: The parts that are not, of these.

    Raises:
        UsageError: A key is.
    """
    is_timed = ALL in wanted or _TIME in wanted
    if _TIME in names and is_timed and _TIME not in (left_out or ()):
        raise _named_like_an_answer(_TIME)


def _named_like_an_answer(name: str) -> UsageError:
    return UsageError(f"--keys: the answer has a column {name!r}, too. Rename the key in the file.")


def add_keys(keys: pa.Table, scored: pa.Table) -> pa.Table:
    """Return scored rows with their keys in front.

    Raises:
        UsageError: The answer has a column that is named like a key, or not a row for each.
    """
    same = [name for name in keys.column_names if name in scored.column_names]
    if same:
        raise _named_like_an_answer(same[0])
    if keys.num_columns and keys.num_rows != scored.num_rows:
        raise UsageError(
            f"--keys: the answer has {scored.num_rows:,} rows for the {keys.num_rows:,} that were sent, so that it is "
            "unknown which are whose. Leave --keys out."
        )
    schema: Any = keys.schema
    for place, field in enumerate(schema):
        scored = scored.add_column(place, field, keys.column(field.name))
    return scored


def complete_rows(table: pa.Table, *, vector: bool, missing: Missing) -> pa.Table:
    """Return a table in which no number is missing, as one vector of 32-bit floats a row if that is wanted.

    Raises:
        UsageError: A number is missing, or a column of a vector has values that are no numbers.
    """
    from wallaroo_ext.inference.inputs.vectors import VectorError

    try:
        return rows_to_send(table, vector=vector, missing=missing)
    except VectorError as error:
        drop = f" --drop {error.column} leaves it out." if table.num_columns > 1 else ""
        raise UsageError(f"--vector: {error}{drop}") from None
    except RowError as error:
        raise UsageError(str(error)) from None


def split_into_requests(table: pa.Table) -> Iterator[pa.Table]:
    """Yield a table in parts of about 16 MiB, or of one row where that is larger; at least one part."""
    rows = max(1, table.num_rows * _REQUEST_BYTES // max(table.nbytes, 1))
    for start in range(0, max(table.num_rows, 1), rows):
        yield table.slice(start, rows)
