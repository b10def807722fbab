"""Converting rows of any form to a table that can be sent; needs the extra `arrow`, for pyarrow."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wallaroo_ext.errors import ConfigurationError, InvalidDataError

if TYPE_CHECKING:
    import os
    from collections.abc import Collection, Mapping, Sequence
    from typing import Any, TypeAlias

    import numpy as np
    import pyarrow as pa

    from wallaroo_ext.inference.inputs.tables import ArrowArray, ArrowStream

    Rows: TypeAlias = (
        ArrowStream
        | ArrowArray
        | Sequence[Mapping[str, Any]]
        | Mapping[str, Any]
        | np.ndarray[Any, Any]
        | str
        | os.PathLike[str]
    )
    """A table, a list of records, a mapping of columns, one array, or the path of a file."""


def to_table(rows: Rows, index: Collection[str] = ()) -> pa.Table:
    """Return rows as a table, without a copy where their layout allows it.

    An index of pandas is left out, unless `index` names it. Types that not every engine reads become plain ones; see
    `plain_types`.

    Raises:
        ConfigurationError: pyarrow is not installed.
        InvalidDataError: These are no rows, or their columns have different lengths.
        OSError: The file cannot be opened.
    """
    require_pyarrow()
    from wallaroo_ext.inference.inputs.plain_types import with_plain_types
    from wallaroo_ext.inference.inputs.tables import CONVERSION_ERRORS, check_names, table_of
    from wallaroo_ext.inference.pandas_index import without_index

    try:
        table = with_plain_types(without_index(table_of(rows), index))
    except CONVERSION_ERRORS as error:
        raise InvalidDataError(f"These rows are no table: {error}.") from error
    check_names(table.column_names)
    return table.replace_schema_metadata(None)


def require_pyarrow() -> None:
    """Raise ConfigurationError unless pyarrow is installed."""
    try:
        import pyarrow as pa
    except ImportError:
        raise ConfigurationError("Scoring rows needs pyarrow: pip install 'wallaroo-ext[arrow]'.") from None
    del pa
