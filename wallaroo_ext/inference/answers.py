"""Reading inference answers of every format and release as tables of one form."""

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
_TOP_LEVEL = {"time", "check_failures"}
_SEPARATOR = "."
_SCHEMA_ALLOWANCE = MIB
"""Bytes that an Arrow answer may have above its limit, for the description of its columns."""
_SPREAD_FACTOR = 16
"""How many times its limit an Arrow answer may take in memory once its values are spread out, at 8 bytes a number.

Without this limit, a small answer could have any number of empty rows, or of rows with one text from a dictionary."""


_MODEL_FIELDS = ("model_name", "model_version", "pipeline_name")


def read_answer(operation: str, response: httpx.Response, separator: str = _SEPARATOR) -> Table:
    """Return the rows of an answer, whose first bytes tell its format.

    Args:
        operation: The contract's `operationId`.
        response: The answer.
        separator: The text that joins the names of its columns.

    Raises:
        AnswerTooLargeError: The answer is an Arrow file that takes more memory, decompressed or spread out, than an
            answer may.
        ContractViolationError: The answer is neither an Arrow file nor a list of records.
    """
    content = response.content
    bound = max(arrow_memory_limit(response), len(content))
    try:
        if content.startswith(arrow_files.MAGIC):
            table = arrow_files.from_file(content, bound + _SCHEMA_ALLOWANCE)
            check_expanded_size(table, _SPREAD_FACTOR * bound)
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
    """Return the table of a JSON answer, whose records are nested, flat, or in the form of release 2022.4.

    Raises:
        ValueError: The values of a field have no common type, or no record has a field of a scored row.
    """
    if is_release_2022(records):
        return from_release_2022(records)
    rows = [_flat(record, separator) for record in records]
    names = list(dict.fromkeys(name for row in rows for name in row))
    if names and not any(name in _TOP_LEVEL or name.startswith(tuple(f"{part}." for part in _PARTS)) for name in names):
        raise ValueError(f"its records have none of a scored row's fields, but {', '.join(names[:10])}")
    return pa.table({name: _field_column(name, [row.get(name) for row in rows]) for name in names})


def _flat(record: dict[str, Any], separator: str) -> dict[str, Any]:
    """Return a record with the fields of its nested parts as `part.field`."""
    flat: dict[str, Any] = {}
    for name, value in record.items():
        if name in _PARTS and isinstance(value, dict):
            flat |= {f"{name}{_SEPARATOR}{field}": inner for field, inner in cast("dict[str, Any]", value).items()}
        else:
            flat[_dotted(name, separator)] = value
    return flat


def _dotted(name: str, separator: str) -> str:
    """Return a flat name with a dot after its part in place of the separator."""
    part, found, field = name.partition(separator)
    return f"{part}{_SEPARATOR}{field}" if found and part in _PARTS else name


def is_release_2022(records: Sequence[dict[str, Any]]) -> bool:
    """Return whether records have the form of release 2022.4."""
    return bool(records) and all(isinstance(record.get("outputs"), list) for record in records)


def from_release_2022(records: Sequence[dict[str, Any]]) -> Table:
    """Return the table of an answer of release 2022.4.

    Its outputs are numbered across all models of the pipeline; its metadata is that of the last model.

    Raises:
        ValueError: An output is not a tensor, or the outputs have different numbers of rows.
    """
    tensors = [tensor for record in records for tensor in list_of(record["outputs"])]
    columns: dict[str, Any] = {f"out.{number}": _tensor_column(tensor) for number, tensor in enumerate(tensors)}
    if len({len(column) for column in columns.values()}) > 1:
        raise ValueError("its outputs have different numbers of rows")
    rows = max(map(len, columns.values()), default=0)
    for name in _MODEL_FIELDS:
        if isinstance(value := records[-1].get(name), str):
            columns[f"metadata.{name}"] = pa.repeat(value, rows)
    return pa.table(columns)


def _tensor_column(output: Any) -> Any:
    """Return a tensor as a column; its further dimensions become nested lists."""
    [(kind, tensor)] = object_of(output).items() or [("", None)]
    lengths, data = list_of(object_of(tensor).get("dim")), list_of(object_of(tensor).get("data"))
    if not lengths or not all(type(size) is int and size >= 0 for size in lengths) or math.prod(lengths) != len(data):
        raise ValueError(f"the dimensions {lengths} of an output do not fit its {len(data)} values")
    try:
        column = pa.array(data, _tensor_type(kind))
    except (pa.ArrowException, TypeError, OverflowError) as error:
        raise ValueError(f"an output of type {kind} has other values, {error}") from error
    for level in range(len(lengths) - 1, 0, -1):
        lists = math.prod(lengths[:level])
        offsets = pa.array(np.arange(lists + 1, dtype=np.int32) * np.int32(lengths[level]))
        column = pa.ListArray.from_arrays(offsets, column)
    return column


def _tensor_type(kind: str) -> Any:
    """Return the type that a tensor names; None if the name is unknown, so that pyarrow infers it from the values."""
    known: dict[str, Any] = {"float": pa.float32(), "double": pa.float64(), "string": pa.string()}
    sized = (pa.int8, pa.int16, pa.int32, pa.int64, pa.uint8, pa.uint16, pa.uint32, pa.uint64)
    known |= {make.__name__: make() for make in sized} | {"bool": pa.bool_()}
    return known.get(kind.lower())


def _field_column(name: str, values: Sequence[Any]) -> Any:
    """Return the values of a field as a column, with nulls for missing values.

    Raises:
        ValueError: The values have no common type that holds them exactly.
    """
    kind = _known_type(name)
    if kind is not None:
        try:
            return pa.array(_with_text_elements(values) if kind == pa.list_(pa.string()) else values, kind)
        except (pa.ArrowException, TypeError, OverflowError):
            pass  # from a release that the contract does not describe
    try:
        return _inferred(values)
    except (pa.ArrowException, TypeError, OverflowError) as error:
        raise ValueError(f"the values of the field {name!r} have no common type, {error}") from error


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


def _with_text_elements(values: Sequence[Any]) -> list[Any]:
    """Return lists with texts as elements; an element of another type becomes its JSON."""
    return [
        value if not isinstance(value, list) else [_text_or_json(item) for item in cast("Any", value)]
        for value in values
    ]


def _text_or_json(value: Any) -> str | None:
    return value if isinstance(value, str | None) else json.dumps(value)


def _inferred(values: Sequence[Any]) -> Any:
    try:
        return pa.array(values)
    except OverflowError:  # pyarrow infers int64 only
        kind = pa.uint64()
        for _ in range(_depth(values) - 1):
            kind = pa.list_(kind)
        return pa.array(values, kind)


def _depth(value: Any) -> int:
    """Return how deep lists are nested."""
    if not isinstance(value, list):
        return 0
    return 1 + max((_depth(item) for item in cast("list[Any]", value)), default=0)
