"""Reading inference answers of every format and release as tables of one form."""

from __future__ import annotations

import json
from contextlib import suppress
from importlib import import_module
from typing import TYPE_CHECKING, Any, cast

from wallaroo_ext._util.arrow.files import from_file
from wallaroo_ext._util.arrow.limits import TooLargeError, check_expanded_size
from wallaroo_ext._util.files.signatures import ARROW_FILE
from wallaroo_ext.inference.column_names import SEPARATOR, is_output, is_part, with_dot
from wallaroo_ext.inference.scored_rows import json_records
from wallaroo_ext.inference.scored_rows.flat_tables import flat_table, with_anomaly_count
from wallaroo_ext.inference.scored_rows.release_2022 import columns_of_release_2022, is_release_2022
from wallaroo_ext.transport.response_errors import connection_error, contract_violation
from wallaroo_ext.transport.response_limits import MIB, arrow_memory_limit, too_large_error

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import httpx
    from pyarrow import Table


pa: Any = import_module("pyarrow")
pc: Any = import_module("pyarrow.compute")

_TOP_LEVEL = {"time", "check_failures"}
_SCHEMA_ALLOWANCE = MIB
"""Bytes that an Arrow answer may have above its limit, for the description of its columns."""
_NO_TYPE = "the values of a block have no common type"
_SPREAD_FACTOR = 16
"""How many times its limit an Arrow answer may take in memory once its values are spread out, at 8 bytes a number.

Without this limit, a small answer could have any number of empty rows, or of rows with one text from a dictionary."""


def read_answer(
    operation: str,
    response: httpx.Response,
    separator: str = SEPARATOR,
    arrived: json_records.ArrivingColumns | None = None,
) -> Table:
    """Return the rows of an answer with flat columns, whichever way it nests them.

    Its first bytes tell its format: they are surer than what was asked for, and than the `Content-Type`.

    Args:
        operation: The contract's `operationId`.
        response: The answer.
        separator: The text that joins the names of its columns.
        arrived: What read the answer's body while it came, with the same separator.

    Raises:
        AnswerTooLargeError: The answer is an Arrow file that takes more memory, decompressed or spread out, than an
            answer may.
        ContractViolationError: The answer is neither an Arrow file nor a list of records.
    """
    content = response.content
    try:
        if content.startswith(ARROW_FILE):
            table = from_file(content, _memory_limit(response) + _SCHEMA_ALLOWANCE)
            check_expanded_size(table, spread_limit(response))
            return flat_table(table, separator)
        return _from_json(content, separator, spread_limit(response), arrived)
    except TooLargeError:
        refused = rows_too_large(operation, response)
    except (ValueError, TypeError, RecursionError) as error:
        raise contract_violation(operation, response, f"it holds no rows: {error}") from error
    raise refused


def _memory_limit(response: httpx.Response) -> int:
    return max(arrow_memory_limit(response), len(response.content))


def spread_limit(response: httpx.Response) -> int:
    """Return how many bytes the rows of an answer may take once their values are spread out."""
    return _SPREAD_FACTOR * _memory_limit(response)


def rows_too_large(operation: str, response: httpx.Response) -> Exception:
    """Return the error for an answer whose rows take more than that."""
    return connection_error(operation, too_large_error(response.status_code, _memory_limit(response), response.request))


def _from_json(content: bytes, separator: str, limit: int, arrived: json_records.ArrivingColumns | None) -> Table:
    """Return the table of a JSON answer; a long one is read in blocks, if that gives the same table."""
    if len(content) > json_records.BLOCK_SIZE:
        if arrived is not None and arrived.size == len(content):
            table = _table(arrived)
        else:
            table = _from_blocks(content, separator, json_records.parse_quickly)
        if table is not None and any(map(_has_large_floats, table.columns)):
            table = _from_blocks(content, separator, json_records.parse)
        if table is not None:
            return table
    return from_records(_records(content), separator, limit)


def _from_blocks(content: bytes, separator: str, parse: Callable[[bytes], Any]) -> Table | None:
    """Return the table of a long JSON answer; None if its blocks are unlike, or cannot be told apart."""
    rows = arriving_rows(separator, parse)
    with memoryview(content) as view:
        for start in range(0, len(content), json_records.BLOCK_SIZE):
            rows.feed(view[start : start + json_records.BLOCK_SIZE])
    return _table(rows)


def _table(rows: json_records.ArrivingColumns) -> Table | None:
    columns = rows.end()
    return None if columns is None else with_anomaly_count(pa.table(columns))


def arriving_rows(
    separator: str, parse: Callable[[bytes], Any] = json_records.parse_quickly
) -> json_records.ArrivingColumns:
    """Return what reads the rows of a long JSON answer while it comes.

    Args:
        separator: The text that joins the names of its columns.
        parse: Parses a block.
    """

    def read(records: list[dict[str, Any]]) -> dict[str, Any]:
        if is_release_2022(records):
            raise json_records.NotInBlocksError("Release 2022.4 says once what is so for all rows.")
        return _flat_columns(records, separator, is_block=True)

    return json_records.ArrivingColumns(read, parse)


def _has_large_floats(column: Any) -> bool:
    """Return whether a column has floats so large that they may have been whole numbers, in lists and records, too."""
    kind = column.type
    if pa.types.is_struct(kind):
        return any(map(_has_large_floats, column.flatten()))
    if pa.types.is_nested(kind):
        return _has_large_floats(pc.list_flatten(column))
    if not pa.types.is_floating(kind):
        return False
    ends: dict[str, float | None] = pc.min_max(column).as_py()
    return any(end is not None and abs(end) >= json_records.LARGE for end in ends.values())


def _records(content: bytes) -> list[dict[str, Any]]:
    if not content.strip():
        raise ValueError("it is empty")
    try:
        records: Any = json_records.parse(content)
    except ValueError:
        raise ValueError("it is neither Arrow nor JSON") from None
    if isinstance(records, list) and all(isinstance(record, dict) for record in cast("list[Any]", records)):
        return cast("Any", records)
    raise ValueError("its JSON is no list of records")


def from_records(records: Sequence[dict[str, Any]], separator: str = SEPARATOR, limit: int | None = None) -> Table:
    """Return the table of a JSON answer, whose records are nested, flat, or in the form of release 2022.4.

    Args:
        records: The records.
        separator: The text that joins names of flat records.
        limit: How many bytes what release 2022.4 says once may take when each row has it, and lists of it without
            values; None for any number.

    Raises:
        TooLargeError: It would take more.
        ValueError: The values of a field have no common type, or no record has a field of a scored row.
    """
    if is_release_2022(records):
        found = columns_of_release_2022(records, limit)
        columns = {
            name: _field_column(name, cast("list[Any]", values)) if isinstance(values, list) else values
            for name, values in found.items()
        }
        return with_anomaly_count(pa.table(columns))
    return with_anomaly_count(pa.table(_flat_columns(records, separator)))


def _flat_columns(records: Sequence[dict[str, Any]], separator: str, *, is_block: bool = False) -> dict[str, Any]:
    """Return the columns of nested or flat records.

    Args:
        records: The records.
        separator: The text that joins names of flat records.
        is_block: Whether these are not all records of the answer, so that values of several types are refused.

    Raises:
        ValueError: The values of a field have no common type, or no record has a field of a scored row.
        NotInBlocksError: The values of a field of a block have no common type.
    """
    columns = _like_columns(records, separator) or _unlike_columns(records, separator)
    if columns and not any(map(_is_known, columns)):
        raise ValueError(f"its records have none of a scored row's fields, but {', '.join(list(columns)[:10])}")
    return {name: _field_column(name, values, is_block=is_block) for name, values in columns.items()}


def _is_known(name: str) -> bool:
    part, found, _ = name.partition(SEPARATOR)
    return name in _TOP_LEVEL or bool(found and is_part(part))


def _like_columns(records: Sequence[dict[str, Any]], separator: str) -> dict[str, list[Any]] | None:
    """Return the values of records by `part.field`; None unless all records have the same fields, each once."""
    columns = json_records.values_by_name(records)
    if columns is None:
        return None
    found: dict[str, list[Any]] = {}
    count = 0
    for name, values in columns.items():
        if is_part(name) and any(isinstance(value, dict) for value in values):
            fields = json_records.values_by_name(values)
            if fields is None:
                return None
            found |= {f"{name}{SEPARATOR}{field}": inner for field, inner in fields.items()}
            count += len(fields)
        else:
            found[with_dot(name, separator)] = values
            count += 1
    return found if len(found) == count else None


def _unlike_columns(records: Sequence[dict[str, Any]], separator: str) -> dict[str, list[Any]]:
    """Return the values of records by `part.field`, with None where a record lacks a field."""
    rows = [_flat(record, separator) for record in records]
    names = dict.fromkeys(name for row in rows for name in row)
    return {name: [row.get(name) for row in rows] for name in names}


def _flat(record: dict[str, Any], separator: str) -> dict[str, Any]:
    """Return a record with the fields of its nested parts as `part.field`."""
    flat: dict[str, Any] = {}
    for name, value in record.items():
        if is_part(name) and isinstance(value, dict):
            flat |= {f"{name}{SEPARATOR}{field}": inner for field, inner in cast("dict[str, Any]", value).items()}
        else:
            flat[with_dot(name, separator)] = value
    return flat


def _field_column(name: str, values: Sequence[Any], *, is_block: bool = False) -> Any:
    """Return the values of a field as a column, with nulls for missing values.

    Values of several types become texts of JSON, except what was sent and what a model gave.

    Raises:
        ValueError: The values of such a field have no common type that holds them exactly.
        NotInBlocksError: The values of a block have no common type; that of all rows is to be found.
    """
    kind = _known_type(name)
    if kind is not None:
        try:
            known = _with_text_elements(values) if kind == pa.list_(pa.string()) else values
            if is_block and known != values:
                raise json_records.NotInBlocksError(_NO_TYPE)
            return pa.array(known, kind)
        except (pa.ArrowException, TypeError, OverflowError):
            pass  # from a release that the contract does not describe
    try:
        return _inferred(values)
    except (pa.ArrowException, TypeError, OverflowError) as error:
        if is_block:
            raise json_records.NotInBlocksError(_NO_TYPE) from None
        if not (is_output(name) or name.startswith("in.")):
            return pa.array([None if value is None else json.dumps(value) for value in values], pa.string())
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
    kind = _type_of_floats(next((value for value in values if value is not None), None))
    if kind is not None:
        with suppress(pa.ArrowException):
            return pa.array(values, kind)  # eight times as fast as to infer the type, which would be the same
    try:
        return pa.array(values)
    except OverflowError:  # pyarrow infers int64 only
        kind = pa.uint64()
        for _ in range(_depth(values) - 1):
            kind = pa.list_(kind)
        return pa.array(values, kind)


def _type_of_floats(value: Any) -> Any:
    """Return the type of a number with a fraction, or of lists of such numbers; None for all else."""
    if isinstance(value, float):
        return pa.float64()
    inner = _type_of_floats(cast("Any", value[0])) if isinstance(value, list) and value else None
    return None if inner is None else pa.list_(inner)


def _depth(value: Any) -> int:
    """Return how deep lists are nested."""
    if not isinstance(value, list):
        return 0
    return 1 + max((_depth(item) for item in cast("list[Any]", value)), default=0)
