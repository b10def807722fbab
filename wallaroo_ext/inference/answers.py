"""Answers of every format and generation, as one kind of table."""

from __future__ import annotations

import json
import math
from importlib import import_module
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from wallaroo_ext._util import arrow_files
from wallaroo_ext._util.arrow_limits import TooLargeError, check_expanded_size
from wallaroo_ext._util.json_values import list_of, object_of
from wallaroo_ext.transport.response_errors import connection_error, contract_violation
from wallaroo_ext.transport.response_limits import MIB, arrow_memory_limit, too_large_error

if TYPE_CHECKING:
    from collections.abc import Sequence

    import httpx
    from pyarrow import Table


pa: Any = import_module("pyarrow")

_PARTS = ("in", "out", "anomaly", "metadata")
_WHOLE = {"time", "check_failures"}
_SEPARATOR = "."
_DESCRIPTION = MIB
"""How much more an Arrow answer may take than its limit says, in bytes: for what describes its columns."""
_SPREAD = 16
"""How often its limit an Arrow answer may take once each value stands for itself: a number counts as 8 bytes there, and
rows of nothing, or of one text that a dictionary has, may come without end."""


def read_answer(operation: str, response: httpx.Response, separator: str = _SEPARATOR) -> Table:
    """Return the rows of an answer; its first bytes tell its format.

    Args:
        operation: The contract's `operationId`.
        response: The answer.
        separator: What joins the names in it.

    Raises:
        AnswerTooLargeError: It is an Arrow file whose compressed columns, or whose rows, take more memory than an
            answer may.
        ContractViolationError: It is neither an Arrow file nor a list of records.
    """
    content = response.content
    bound = max(arrow_memory_limit(response), len(content))
    try:
        if content.startswith(arrow_files.MAGIC):
            table = arrow_files.from_file(content, bound + _DESCRIPTION)
            check_expanded_size(table, _SPREAD * bound)
            return _with_dots(table, separator)
        return from_records(_records(content), separator)
    except TooLargeError:
        refused = too_large_error(response.status_code, bound, response.request)
    except (ValueError, TypeError, RecursionError) as error:
        raise contract_violation(operation, response, f"it holds no rows: {error}") from error
    raise connection_error(operation, refused)


def _records(content: bytes) -> list[dict[str, Any]]:
    if not content.strip():
        raise ValueError("it is empty")
    try:
        records: Any = json.loads(content)
    except ValueError:
        raise ValueError("it is neither Arrow nor JSON") from None
    if isinstance(records, list) and all(isinstance(record, dict) for record in cast("list[Any]", records)):
        return cast("Any", records)
    raise ValueError("its JSON is no list of records")


def _with_dots(table: Table, separator: str) -> Table:
    if separator == _SEPARATOR:
        return table
    return table.rename_columns([_dotted(name, separator) for name in table.column_names])


def from_records(records: Sequence[dict[str, Any]], separator: str = _SEPARATOR) -> Table:
    """Return the table of a JSON answer, whose records are nested or flat, or of the oldest generation.

    Raises:
        ValueError: The values of a field have no type in common, or no field is one of a scored row.
    """
    if is_oldest(records):
        return from_oldest(records)
    rows = [_flat(record, separator) for record in records]
    names = list(dict.fromkeys(name for row in rows for name in row))
    if names and not any(name in _WHOLE or name.startswith(tuple(f"{part}." for part in _PARTS)) for name in names):
        raise ValueError(f"its records have none of a scored row's fields, but {', '.join(names[:10])}")
    return pa.table({name: column_of(name, [row.get(name) for row in rows]) for name in names})


def _flat(record: dict[str, Any], separator: str) -> dict[str, Any]:
    """Return a record whose parts are joined with their own fields."""
    flat: dict[str, Any] = {}
    for name, value in record.items():
        if name in _PARTS and isinstance(value, dict):
            flat |= {f"{name}{_SEPARATOR}{field}": inner for field, inner in cast("dict[str, Any]", value).items()}
        else:
            flat[_dotted(name, separator)] = value
    return flat


def _dotted(name: str, separator: str) -> str:
    """Return a flat name with a dot after its part, whatever it was joined with."""
    part, found, field = name.partition(separator)
    return f"{part}{_SEPARATOR}{field}" if found and part in _PARTS else name


_NAMES = ("model_name", "model_version", "pipeline_name")


def is_oldest(records: Sequence[dict[str, Any]]) -> bool:
    """Return whether records are of the oldest generation."""
    return bool(records) and all(isinstance(record.get("outputs"), list) for record in records)


def from_oldest(records: Sequence[dict[str, Any]]) -> Table:
    """Return the table of an answer: outputs are numbered through all models, and metadata is that of the last model.

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
    """Return a tensor as a column of lists of one length."""
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
    """Return the type that a tensor is said to have; None where nobody knows it, for that of its values."""
    known: dict[str, Any] = {"float": pa.float32(), "double": pa.float64(), "string": pa.string()}
    sized = (pa.int8, pa.int16, pa.int32, pa.int64, pa.uint8, pa.uint16, pa.uint32, pa.uint64)
    known |= {make.__name__: make() for make in sized} | {"bool": pa.bool_()}
    return known.get(kind.lower())


def column_of(name: str, values: Sequence[Any]) -> Any:
    """Return the values of a field; a null stands for no value.

    Raises:
        ValueError: They have no type in common that holds them exactly.
    """
    kind = _known_type(name)
    if kind is not None:
        try:
            return pa.array(_with_texts(values) if kind == pa.list_(pa.string()) else values, kind)
        except (pa.ArrowException, TypeError, OverflowError):
            pass  # a release that the contract does not know
    try:
        return _inferred(values)
    except (pa.ArrowException, TypeError, OverflowError) as error:
        raise ValueError(f"the field {name!r} has values without a type in common, {error}") from error


def _known_type(name: str) -> Any:
    if name == "time":
        return pa.timestamp("ms")
    if name == "anomaly.count":
        return pa.uint32()
    if name in {"check_failures", "metadata.dropped"}:
        return pa.list_(pa.string())
    if name == "metadata.elapsed":
        return pa.list_(pa.int64())
    return pa.string() if name in {"metadata.last_model", "metadata.pipeline_version", "metadata.partition"} else None


def _with_texts(values: Sequence[Any]) -> list[Any]:
    """Lists whose elements are texts; of another kind, their JSON."""
    return [value if not isinstance(value, list) else [_text(item) for item in cast("Any", value)] for value in values]


def _text(value: Any) -> str | None:
    return value if isinstance(value, str | None) else json.dumps(value)


def _inferred(values: Sequence[Any]) -> Any:
    try:
        return pa.array(values)
    except OverflowError:  # integers above those with a sign, which pyarrow does not expect
        kind = pa.uint64()
        for _ in range(_depth(values) - 1):
            kind = pa.list_(kind)
        return pa.array(values, kind)


def _depth(value: Any) -> int:
    """Return how deep lists are nested."""
    if not isinstance(value, list):
        return 0
    return 1 + max((_depth(item) for item in cast("list[Any]", value)), default=0)
