"""Converting rows of any form to a table that can be sent; needs the extra `arrow`, for pyarrow."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wallaroo_ext._util.near_names import near_or_first
from wallaroo_ext.errors import ConfigurationError, InvalidDataError
from wallaroo_ext.inference.files.texts.text_options import AS_WRITTEN, TextOptions

if TYPE_CHECKING:
    import os
    from collections.abc import Collection, Mapping, Sequence
    from typing import IO, Any, TypeAlias

    import numpy as np
    import pyarrow as pa

    from wallaroo_ext.inference.inputs.tables import ArrowArray, ArrowStream, DataFrame
    from wallaroo_ext.inference.missing_option import Missing

    Rows: TypeAlias = (
        ArrowStream
        | ArrowArray
        | DataFrame
        | Sequence[Mapping[str, Any]]
        | Mapping[str, Any]
        | np.ndarray[Any, Any]
        | str
        | os.PathLike[str]
        | IO[bytes]
        | IO[str]
    )
    """A table, a list of records, a mapping of columns, one array, the path or the URL of a file, or an open file."""


def to_table(rows: Rows, index: Collection[str] = (), texts: TextOptions = AS_WRITTEN) -> pa.Table:
    """Return rows as a table, without a copy where their layout allows it.

    An index of pandas is left out, unless `index` names it. Types that not every engine reads become plain ones; see
    `plain_types`.

    Raises:
        ConfigurationError: pyarrow is not installed.
        InvalidDataError: These are no rows, or their columns have different lengths.
        OSError: The file cannot be opened.
    """
    return _with_plain_types(read_columns(rows, index, texts=texts))


def read_columns(
    rows: Rows, index: Collection[str] = (), names: Sequence[str] = (), texts: TextOptions = AS_WRITTEN
) -> pa.Table:
    """Return rows as a table with their own types.

    Args:
        rows: The rows.
        index: The columns of an index of pandas that are wanted; the others are left out.
        names: The columns that are wanted, which name the values of a file that has none.
        texts: How the texts in a file are written.

    Raises:
        ConfigurationError: pyarrow is not installed.
        InvalidDataError: These are no rows, or their columns have different lengths.
        OSError: The file cannot be opened.
    """
    require_pyarrow()
    from wallaroo_ext.inference.inputs.columns import check_names
    from wallaroo_ext.inference.inputs.python_values import CONVERSION_ERRORS
    from wallaroo_ext.inference.inputs.tables import table_of
    from wallaroo_ext.inference.pandas_index import without_index

    try:
        table = without_index(table_of(rows, names, texts), index)
    except CONVERSION_ERRORS as error:
        raise InvalidDataError(f"These rows are no table: {error}.") from error
    check_names(table.column_names)
    return table.replace_schema_metadata(None)


def _with_plain_types(table: pa.Table) -> pa.Table:
    from wallaroo_ext.inference.inputs.plain_types import with_plain_types
    from wallaroo_ext.inference.inputs.python_values import CONVERSION_ERRORS

    try:
        return with_plain_types(table)
    except CONVERSION_ERRORS as error:
        raise InvalidDataError(f"These rows are no table: {error}.") from error


def rows_to_send(
    rows: Rows,
    columns: Sequence[str] | None = None,
    *,
    vector: bool = False,
    missing: Missing = "reject",
    texts: TextOptions = AS_WRITTEN,
) -> pa.Table:
    """Return rows as the table to send: the columns that are wanted, as a vector if that is, with no number missing.

    Args:
        rows: The rows.
        columns: The columns to send; None for all but an index of pandas.
        vector: Whether the columns become one vector.
        missing: What becomes of numbers that are missing.
        texts: How the texts in a file are written.

    Raises:
        ConfigurationError: pyarrow is not installed.
        InvalidDataError: These are no rows, or they do not fit the options.
        OSError: The file cannot be opened.
    """
    table = columns_to_send(rows, columns, vector=vector, texts=texts)
    from wallaroo_ext.inference.inputs.missing_numbers import without_missing
    from wallaroo_ext.inference.inputs.vectors import vector_of

    complete = without_missing(table, missing)
    return vector_of(complete) if vector else complete


def columns_to_send(
    rows: Rows, columns: Sequence[str] | None = None, *, vector: bool = False, texts: TextOptions = AS_WRITTEN
) -> pa.Table:
    """Return the columns that are wanted, of which numbers may be missing; see `rows_to_send`."""
    table = read_columns(rows, columns or (), columns or (), texts)
    from wallaroo_ext.inference.inputs.vectors import number_columns

    if columns is not None:
        _check_named(columns)
        table = select_columns(table, columns)
    plain = _with_plain_types(table)  # columns that are not sent may have any type
    return number_columns(plain) if vector else plain


def _check_named(columns: Sequence[str]) -> None:
    """Raise InvalidDataError if no column is named, or one is twice."""
    if not columns:
        raise InvalidDataError("No column is left to be sent: `columns` is empty.")
    if len(set(columns)) < len(columns):
        twice = next(name for name in columns if list(columns).count(name) > 1)
        raise InvalidDataError(f"`columns` has {twice!r} twice: name it once.")


def select_columns(rows: pa.Table, names: Sequence[str]) -> pa.Table:
    """Return some columns of a table.

    Raises:
        InvalidDataError: The table lacks one of them; the message has similar names, or the first ones.
    """
    known = rows.column_names
    for name in names:
        if name not in known:
            raise InvalidDataError(f"There is no column {name!r} in the rows, but {near_or_first(name, known)}.")
    return rows.select(list(names))


def require_pyarrow() -> None:
    """Raise ConfigurationError unless pyarrow is installed."""
    try:
        import pyarrow as pa
    except ImportError:
        raise ConfigurationError("Scoring rows needs pyarrow: pip install 'wallaroo-ext[arrow]'.") from None
    del pa
