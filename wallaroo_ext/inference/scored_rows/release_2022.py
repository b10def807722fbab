"""The inference answers of release 2022.4: a record for each model, whose outputs are tensors of all rows."""

from __future__ import annotations

import json
import math
from importlib import import_module
from typing import TYPE_CHECKING, Any, TypeAlias, cast

import numpy as np

from wallaroo_ext._util.arrow.limits import MAX_DEPTH, TooLargeError
from wallaroo_ext._util.json_values import list_of, object_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

pa: Any = import_module("pyarrow")

Column: TypeAlias = Any
"""A pyarrow array, or a list with a value for each row."""

OUTPUTS, SENT = "outputs", "original_data"
"""The fields of a record with what a model gave, and with what was sent."""

_LIST_SIZE = 64
"""What an empty list counts in memory, in bytes. It takes none of an answer, which could have any number of them."""
_MOST_VALUES = (1 << 31) - 1
"""How many values a list of Arrow may have."""
_SHADOWS, _FAILURES, _TIME = "shadow_data", "check_failures", "time"


def is_release_2022(records: Sequence[dict[str, Any]]) -> bool:
    """Return whether records have the form of release 2022.4."""
    return bool(records) and all(isinstance(record.get(OUTPUTS), list) for record in records)


def columns_of_release_2022(records: Sequence[dict[str, Any]], limit: int | None = None) -> dict[str, Column]:
    """Return the columns of an answer, under the names that they have in later releases.

    Its outputs are numbered across all models of the pipeline, and those of each shadow model on their own. What it
    says once for all rows, it says of each: its time, the validations that failed, and, as metadata, all other fields
    of the last model.

    Args:
        records: The records.
        limit: How many bytes the values that an answer has once may take when each row has them, and empty lists;
            None for any number.

    Raises:
        TooLargeError: It would take more.
        ValueError: An output is not a tensor, or the outputs have different numbers of rows.
    """
    found = dict(_outputs(records, limit))
    if len({len(column) for column in found.values()}) > 1:
        raise ValueError("its outputs have different numbers of rows")
    rows = max(map(len, found.values()), default=0)
    of_all_rows = _of_all_rows(records)
    if limit is not None and rows * len(json.dumps(of_all_rows)) > limit:
        raise TooLargeError(f"The values that it has once for all of its {rows} rows take more than {limit >> 20} MiB")
    repeated: dict[str, Column] = {name: [value] * rows for name, value in of_all_rows.items()}
    first = {name: values for name, values in repeated.items() if name == _TIME}
    return first | {f"in.{name}": values for name, values in _sent(records[0], rows)} | found | repeated


def _of_all_rows(records: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return the values that an answer has once for all rows, by the names of columns."""
    last = records[-1]
    found: dict[str, Any] = {_TIME: last[_TIME]} if _TIME in last else {}
    if any(_FAILURES in record for record in records):
        found[_FAILURES] = [failure for record in records for failure in list_of(record.get(_FAILURES))]
    used = {OUTPUTS, _SHADOWS, SENT, _FAILURES, _TIME}
    return found | {f"metadata.{name}": value for name, value in last.items() if name not in used}


def _outputs(records: Sequence[dict[str, Any]], limit: int | None) -> Iterator[tuple[str, Column]]:
    """Yield the outputs of all models, and of their shadows, by the names of their columns."""
    tensors = [tensor for record in records for tensor in list_of(record[OUTPUTS])]
    yield from ((f"out.{number}", _tensor_column(tensor, limit)) for number, tensor in enumerate(tensors))
    for record in records:
        for model, outputs in object_of(record.get(_SHADOWS)).items():
            for number, tensor in enumerate(list_of(outputs)):
                yield f"out_{model}.{number}", _tensor_column(tensor, limit)


def _sent(record: dict[str, Any], rows: int) -> Iterator[tuple[str, list[Any]]]:
    """Yield the fields that were sent; a field that is no list with a value for each row is left out."""
    for name, values in object_of(record.get(SENT)).items():
        if isinstance(values, list) and len(cast("list[Any]", values)) == rows:
            yield name, cast("list[Any]", values)


def _tensor_column(output: Any, limit: int | None) -> Any:
    """Return a tensor as a column; its further dimensions become nested lists."""
    [(kind, tensor)] = object_of(output).items() or [("", None)]
    lengths, data = list_of(object_of(tensor).get("dim")), list_of(object_of(tensor).get("data"))
    if not _are_lengths(lengths) or math.prod(lengths) != len(data):
        raise ValueError(f"the dimensions {lengths} of an output do not fit its {len(data)} values")
    if not data:
        _check_empty_lists(lengths, limit)
    try:
        column = pa.array(data, _tensor_type(kind))
    except (pa.ArrowException, TypeError, OverflowError) as error:
        raise ValueError(f"an output of type {kind} has other values, {error}") from error
    for level in range(len(lengths) - 1, 0, -1):
        lists = math.prod(lengths[:level])
        offsets = pa.array(np.arange(lists + 1, dtype=np.int32) * np.int32(lengths[level]))
        column = pa.ListArray.from_arrays(offsets, column)
    return column


def _are_lengths(lengths: list[Any]) -> bool:
    """Return whether these can be the lengths of the dimensions of a tensor."""
    return 0 < len(lengths) <= MAX_DEPTH and all(type(size) is int and 0 <= size <= _MOST_VALUES for size in lengths)


def _check_empty_lists(lengths: list[int], limit: int | None) -> None:
    """Raise TooLargeError if the lists of a tensor without values take more memory than a limit."""
    lists = sum(math.prod(lengths[:level]) for level in range(1, len(lengths)))
    if limit is not None and lists * _LIST_SIZE > limit:
        raise TooLargeError(f"The {lists} lists of an output take more than {limit >> 20} MiB")


def _tensor_type(kind: str) -> Any:
    """Return the type that a tensor names; None if the name is unknown, so that pyarrow infers it from the values."""
    known: dict[str, Any] = {"float": pa.float32(), "double": pa.float64(), "string": pa.string()}
    sized = (pa.int8, pa.int16, pa.int32, pa.int64, pa.uint8, pa.uint16, pa.uint32, pa.uint64)
    known |= {make.__name__: make() for make in sized} | {"bool": pa.bool_()}
    return known.get(kind.lower())
