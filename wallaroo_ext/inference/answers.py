"""Answers of every format and generation, as one kind of table."""

from __future__ import annotations

import json
from importlib import import_module
from typing import TYPE_CHECKING, Any, cast

from wallaroo_ext import arrow
from wallaroo_ext.answer_limits import MIB, bound_of, too_large
from wallaroo_ext.arrow_limits import TooLargeError, check_spread
from wallaroo_ext.failures import connection_failed, violation
from wallaroo_ext.inference.json_columns import column_of
from wallaroo_ext.inference.oldest_answers import from_oldest, is_oldest

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
    """The rows of an answer; its first bytes tell its format.

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
    bound = max(bound_of(response), len(content))
    try:
        if content.startswith(arrow.MAGIC):
            table = arrow.from_file(content, bound + _DESCRIPTION)
            check_spread(table, _SPREAD * bound)
            return _with_dots(table, separator)
        return from_records(_records(content), separator)
    except TooLargeError:
        refused = too_large(response.status_code, bound, response.request)
    except (ValueError, TypeError, RecursionError) as error:
        raise violation(operation, response, f"it holds no rows: {error}") from error
    raise connection_failed(operation, refused)


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
    """The table of a JSON answer, whose records are nested or flat, or of the oldest generation.

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
    """A record whose parts are joined with their own fields."""
    flat: dict[str, Any] = {}
    for name, value in record.items():
        if name in _PARTS and isinstance(value, dict):
            flat |= {f"{name}{_SEPARATOR}{field}": inner for field, inner in cast("dict[str, Any]", value).items()}
        else:
            flat[_dotted(name, separator)] = value
    return flat


def _dotted(name: str, separator: str) -> str:
    """A flat name with a dot after its part, whatever it was joined with."""
    part, found, field = name.partition(separator)
    return f"{part}{_SEPARATOR}{field}" if found and part in _PARTS else name
