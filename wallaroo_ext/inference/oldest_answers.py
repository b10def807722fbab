"""The answers of 2022.4: an object a model, with each output as one tensor of all rows."""

from __future__ import annotations

import math
from importlib import import_module
from typing import TYPE_CHECKING, Any

import numpy as np

from wallaroo_ext.json_values import list_of, object_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pyarrow import Table

pa: Any = import_module("pyarrow")

_NAMES = ("model_name", "model_version", "pipeline_name")


def is_oldest(records: Sequence[dict[str, Any]]) -> bool:
    """Whether records are of the oldest generation."""
    return bool(records) and all(isinstance(record.get("outputs"), list) for record in records)


def from_oldest(records: Sequence[dict[str, Any]]) -> Table:
    """The table of an answer: outputs are numbered through all models, and metadata is that of the last model.

    Raises:
        ValueError: An output is no tensor, or the outputs have different numbers of rows.
    """
    tensors = [tensor for record in records for tensor in list_of(record["outputs"])]
    columns: dict[str, Any] = {f"out.{number}": _column(tensor) for number, tensor in enumerate(tensors)}
    if len({len(column) for column in columns.values()}) > 1:
        raise ValueError("its outputs have different numbers of rows")
    rows = max(map(len, columns.values()), default=0)
    for name in _NAMES:
        if isinstance(value := records[-1].get(name), str):
            columns[f"metadata.{name}"] = pa.repeat(value, rows)
    return pa.table(columns)


def _column(output: Any) -> Any:
    """A tensor as a column of lists of one length."""
    [(kind, tensor)] = object_of(output).items() or [("", None)]
    lengths, data = list_of(object_of(tensor).get("dim")), list_of(object_of(tensor).get("data"))
    if not lengths or not all(type(size) is int and size >= 0 for size in lengths) or math.prod(lengths) != len(data):
        raise ValueError(f"the dimensions {lengths} of an output do not fit its {len(data)} values")
    try:
        column = pa.array(data, _type(kind))
    except (pa.ArrowException, TypeError, OverflowError) as error:
        raise ValueError(f"an output has values that are no {kind}, {error}") from error
    for level in range(len(lengths) - 1, 0, -1):
        lists = math.prod(lengths[:level])
        offsets = pa.array(np.arange(lists + 1, dtype=np.int32) * np.int32(lengths[level]))
        column = pa.ListArray.from_arrays(offsets, column)
    return column


def _type(kind: str) -> Any:
    """The type that a tensor is said to have; None where nobody knows it, for that of its values."""
    known: dict[str, Any] = {"float": pa.float32(), "double": pa.float64(), "string": pa.string()}
    sized = (pa.int8, pa.int16, pa.int32, pa.int64, pa.uint8, pa.uint16, pa.uint32, pa.uint64)
    known |= {make.__name__: make() for make in sized} | {"bool": pa.bool_()}
    return known.get(kind.lower())
