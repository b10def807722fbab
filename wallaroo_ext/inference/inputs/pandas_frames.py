"""Converting frames and series of pandas, whose objects, categories of them and sparse values it does not export."""

from __future__ import annotations

from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING, Any

import numpy as np

from wallaroo_ext.errors import InvalidDataError
from wallaroo_ext.inference.column_names import ONLY_INPUT
from wallaroo_ext.inference.inputs.columns import check_names, check_numpy_type, has_numpy_type, python_column
from wallaroo_ext.inference.inputs.python_values import CONVERSION_ERRORS
from wallaroo_ext.inference.pandas_index import index_metadata, unnamed_index
from wallaroo_ext.inference.refused_columns import refused_field, table_of_columns

if TYPE_CHECKING:
    from pyarrow import Table

pa: Any = import_module("pyarrow")


def table_of_frame(frame: Any) -> Table:
    """Return a frame of pandas as a table, with its index as marked columns."""
    names = [_name_of(label) for label in frame.columns]
    if names:
        check_names(names)
    frame = frame.set_axis(names, axis=1)
    if any(map(_is_made_alone, frame.dtypes)):
        series = {name: frame.iloc[:, position] for position, name in enumerate(names)}
        table = table_of_columns({name: partial(column_of_series, name, each) for name, each in series.items()})
    else:
        table = pa.Table.from_pandas(frame, preserve_index=False)
    index = _index_of(frame, names)
    both: Any = [*table.schema, *index.schema]
    return pa.Table.from_arrays([*table.columns, *index.columns], schema=pa.schema(both, index.schema.metadata))


def _is_made_alone(kind: Any) -> bool:
    """Return whether pandas does not export a type, or Arrow lacks it."""
    return _has_objects(kind) or not has_numpy_type(_value_type(kind))


def _index_of(frame: Any, names: list[str]) -> Table:
    """Return the index of a frame as pyarrow converts it, under other names than those of the frame's columns.

    An index that only counts is no column, unless it has a name: pandas makes one of what `set_index` names.
    """
    levels = [None if name is None or str(name) in names else name for name in frame.index.names]
    empty = frame.iloc[:, :0].set_axis(frame.index.set_names(levels), axis=0)
    try:
        return pa.Table.from_pandas(empty, preserve_index=None if empty.index.name is None else True)
    except CONVERSION_ERRORS as error:
        reason = f"The index of the frame cannot be read: {error}. Make a column of it, or convert it."
        called = [unnamed_index(place) if name is None else str(name) for place, name in enumerate(levels)]
        fields = [refused_field(name, reason) for name in called]
        nulls = [pa.nulls(len(frame))] * len(fields)
        return pa.Table.from_arrays(nulls, schema=pa.schema(fields, index_metadata(*called)))


def table_of_series(series: Any) -> Table:
    """Return a series of pandas as the only input, a row for each value, or as one row of a frame.

    It is one row if its index has the names of columns. The series of a column may have texts as its index, too; it
    then has the name of the column, which is a text, while a row is named by its label.

    Raises:
        InvalidDataError: It may be either.
    """
    if not _has_texts(series.index):
        return pa.table({ONLY_INPUT: column_of_series(ONLY_INPUT, series)})
    names = series.index.tolist()
    if isinstance(series.name, str):
        raise InvalidDataError(
            f"The series {series.name!r} has texts as its index, so that it may be a row or a column: of a row, send "
            f"frame.loc[[{series.name!r}]], and of a column, series.to_numpy()."
        )
    check_names(names)
    cells = {name: series.iloc[place : place + 1] for place, name in enumerate(names)}
    return table_of_columns({name: partial(column_of_series, name, cell) for name, cell in cells.items()})


def _has_texts(index: Any) -> bool:
    return index.nlevels == 1 and len(index) > 0 and index.inferred_type == "string"


def _name_of(label: Any) -> str:
    """Return the name of a column for a label of pandas.

    Raises:
        InvalidDataError: The label is neither a text nor a number, but for example a tuple.
    """
    text = str(label)
    is_number = isinstance(label, int | float | np.number) and not isinstance(label, bool) and text != "nan"
    if not isinstance(label, str) and not is_number:
        raise InvalidDataError(
            f"The column {label!r} has a name that is neither a text nor a number: rename the columns of the frame."
        )
    return text


def _has_objects(kind: Any) -> bool:
    """Return whether a type of pandas is one of Python objects, or of sparse values, neither of which it exports."""
    return _is_object(_value_type(kind)) or _is_sparse(kind)


def _is_sparse(kind: Any) -> bool:
    return type(kind).__name__ == "SparseDtype"


def _value_type(kind: Any) -> Any:
    """Return the type of the values of a type of pandas: for categories, theirs."""
    return kind.categories.dtype if type(kind).__name__ == "CategoricalDtype" else kind


def _is_object(kind: Any) -> bool:
    return isinstance(kind, np.dtype) and kind.kind == "O"


def column_of_series(name: str, series: Any) -> Any:
    """Return a series of pandas as a column."""
    check_numpy_type(name, _value_type(series.dtype))
    if _is_object(_value_type(series.dtype)):
        return python_column(name, series.tolist())
    return pa.array(series.sparse.to_dense() if _is_sparse(series.dtype) else series, from_pandas=True)
