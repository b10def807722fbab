"""Writes scored rows in JSON: a record a row, nested or flat."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import pyarrow as pa

from wallaroo_ext._util.arrow.list_types import is_list
from wallaroo_ext._util.arrow.no_pandas import to_values
from wallaroo_ext.sandbox.inference.answer_forms import LAST_MODEL, written_models
from wallaroo_ext.sandbox.inference.arrow_answers import tensor_shape

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from wallaroo_ext.sandbox.engine.tensors import Array, Column
    from wallaroo_ext.sandbox.inference.answer_forms import AnswerForm, RowMetadata, Selection

Values: TypeAlias = "Sequence[Any] | Array"
"""The values of a field, one a row: a list, or an array whose first dimension is the rows."""

_NUMPY_IN_JSON = {
    "float32",
    "float64",
    "int8",
    "int16",
    "int32",
    "int64",
    "uint8",
    "uint16",
    "uint32",
    "uint64",
    "bool",
}


def to_records(
    times: Sequence[int],
    parts: Mapping[str, Mapping[str, Values]],
    form: AnswerForm,
    metadata: RowMetadata,
    selection: Selection,
) -> list[dict[str, Any]]:
    """Return one record a row, with an object for each part that has fields or, with a separator, with joined names.

    Args:
        times: When each row was scored, in milliseconds since 1970.
        parts: The values by part and field: `in`, `out`, and an `out_{model}` for each shadow.
        form: The form of the release.
        metadata: How the rows were scored.
        selection: The requested parts.
    """
    count = len(times)
    known = {"time": {"": times}, **parts, **_added_parts(form, metadata, count)}
    wanted = {
        part: {name: values for name, values in fields.items() if selection.wants(part, name)}
        for part, fields in known.items()
    }
    if selection.separator is not None:
        joined = {
            f"{part}{selection.separator}{name}" if name else part: values
            for part, fields in wanted.items()
            for name, values in fields.items()
        }
        return _records(joined, count)
    nested = {
        part: fields[""] if "" in fields else _records(fields, count) for part, fields in wanted.items() if fields
    }
    return _records(nested, count)


def _added_parts(form: AnswerForm, metadata: RowMetadata, count: int) -> dict[str, dict[str, Values]]:
    """Return the values that an answer adds to the rows and the outputs."""
    models = written_models(metadata.last_models)
    values: dict[str, Values] = {
        name: (models if len(models) == count else models * count) if name == LAST_MODEL else [value] * count
        for name, value in form.metadata_of(metadata).items()
    }
    failures: dict[str, dict[str, Values]] = (
        {"anomaly": {"count": [0] * count}} if form.counts_anomalies else {"check_failures": {"": [[]] * count}}
    )
    return failures | {"metadata": values}


def _records(columns: Mapping[str, Values], count: int) -> list[dict[str, Any]]:
    """Return columns as one record per row."""
    if not columns:
        return [{} for _ in range(count)]
    return [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]


def rows_of_tensor(tensor: Array) -> Values:
    """Return the rows of a tensor; numpy's own types keep exactly the digits of their precision."""
    return np.ascontiguousarray(tensor) if str(tensor.dtype) in _NUMPY_IN_JSON else tensor.tolist()


def rows_of_column(column: Column) -> Values:
    """Return the rows of a chunked column, those of tensors with the digits of their precision."""
    shape = tensor_shape(column)
    kind: Any = column.type
    values: Any = column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()
    while is_list(kind):
        kind = kind.value_type
    if shape is None or values.null_count or not (pa.types.is_floating(kind) or pa.types.is_integer(kind)):
        return to_values(column)
    for _ in shape:
        values = values.flatten()
    if values.null_count:
        return to_values(column)
    return rows_of_tensor(np.asarray(values).reshape(len(column), *shape))
