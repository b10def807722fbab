"""The meaning of a JSON object that is a whole file, as `DataFrame.to_json` and others write one.

In this order:

- With `schema` and `data`, it is one with `orient="table"`; its primary key is an index, its times are timestamps.
- With `columns`, `data` and perhaps `index`, it is one with `orient="split"`.
- The fields of answers, with `in`, are one scored row, unless their values are columns: all lists, or all objects with
  the same labels of rows.
- If all of its values are lists, they are columns.
- If all are objects, these are columns by the labels of rows, as pandas writes by default, or rows by the names of
  columns, as with `orient="index"`. Labels of rows are whole numbers or begin with a date. It is the rows if its own
  names are such labels and the inner ones are not; the columns if the inner ones are. Where none are, the columns that
  are asked for decide.
- Anything else is one record.
"""

from __future__ import annotations

import re
from importlib import import_module
from typing import TYPE_CHECKING, Any, cast

from wallaroo_ext._util.json_values import list_of, object_of
from wallaroo_ext.errors import InvalidDataError
from wallaroo_ext.inference.files.forms.log_exports import flat_record, is_log
from wallaroo_ext.inference.scored_rows.release_2022 import OUTPUTS, SENT
from wallaroo_ext.inference.wrapped_rows import has_split_names

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

pa: Any = import_module("pyarrow")

_TABLE = {"schema", "data"}
_LABEL = re.compile(r"-?\d+|\d{4}-\d\d-\d\d(?!\d).*", re.DOTALL)
_ZONE = re.compile(r"(?:Z|[+-]\d\d:?\d\d)$")
_INPUTS = "in"

Columns = dict[str, Any]


def columns_of_document(document: dict[str, Any], wanted: Collection[str] = ()) -> tuple[Columns, set[str]]:
    """Return the columns of an object, and which of them are an index.

    Args:
        document: The object.
        wanted: The columns that are asked for.

    Raises:
        InvalidDataError: It has no rows, or it can mean two things.
    """
    names = document.keys()
    values = list(document.values())
    if names == _TABLE and isinstance(object_of(document["schema"]).get("fields"), list):
        return _from_table(document["schema"], document["data"])
    if has_split_names(document) and isinstance(document["data"], list):
        return _from_split(list_of(document["columns"]), list_of(document["data"])), set()
    if not values:
        raise InvalidDataError("it is an empty object, which has no columns. There is nothing to score.")
    if _is_scored_row(document):
        return _of_records([flat_record(document)]), set()
    if all(isinstance(value, list) for value in values):
        return _checked(document), set()
    if all(isinstance(value, dict) for value in values):
        return _from_objects(document, wanted), set()
    return _of_records([document]), set()


def _is_scored_row(document: dict[str, Any]) -> bool:
    """Return whether an object is one scored row, and not scored rows as columns."""
    sent = document.get(_INPUTS)
    if not is_log(document, nested=isinstance(sent, dict)):
        return False
    values = list(document.values())
    if all(isinstance(value, list) for value in values):
        return False
    has_records = sent is None or all(isinstance(row, dict) for row in object_of(sent).values())
    return not (has_records and _are_labelled(values))


def _are_labelled(values: Sequence[Any]) -> bool:
    """Return whether all values are objects with the same labels of rows."""
    labels = object_of(values[0]).keys()
    are_alike = all(isinstance(value, dict) and object_of(value).keys() == labels for value in values)
    return are_alike and _are_labels(labels)


def _are_labels(names: Iterable[str]) -> bool:
    return all(map(_LABEL.fullmatch, names))


def _checked(columns: Columns) -> Columns:
    """Return columns, which have to be there and to have one length."""
    if not columns:
        raise InvalidDataError("it has no columns. There is nothing to score.")
    [(first, values), *others] = columns.items()
    for name, other in others:
        if len(other) != len(values):
            raise InvalidDataError(
                f"its columns have several lengths, {first!r} {len(values)} and {name!r} {len(other)}; if it is one "
                "record, write it in a list: [record]."
            )
    return columns


def _of_records(records: Sequence[dict[str, Any]]) -> Columns:
    return {name: [record[name] for record in records] for name in records[0]}


def _from_split(labels: list[Any], rows: list[Any]) -> Columns:
    names = _names(labels)
    for number, row in enumerate(rows):
        if not isinstance(row, list) or len(cast("list[Any]", row)) != len(names):
            raise InvalidDataError(f"row {number} of its `data` is no list of {len(names)} values, a column each.")
    return {name: [row[position] for row in rows] for position, name in enumerate(names)}


def _names(labels: Iterable[Any]) -> list[str]:
    """Return the names of columns, which are texts or numbers."""
    names = [str(label) for label in labels if isinstance(label, str | int | float) and not isinstance(label, bool)]
    labels = list(labels)
    if len(names) < len(labels):
        raise InvalidDataError(f"it names its columns by {labels}: rename them to texts, one for each column.")
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise InvalidDataError(f"two columns have the name {twice!r}.")
    return names


def _from_objects(document: dict[str, dict[str, Any]], wanted: Collection[str]) -> Columns:
    """Return the columns of an object of objects."""
    first_name, first = next(iter(document.items()))
    for name, inner in document.items():
        if inner.keys() != first.keys():
            different = next(iter(inner.keys() ^ first.keys()))
            raise InvalidDataError(
                f"its objects {first_name!r} and {name!r} have other names, one of them {different!r}; if it is one "
                "record, write it in a list: [record]."
            )
    if not first:
        raise InvalidDataError("its objects are empty: there are no rows.")
    if _are_rows(document, first, wanted):
        return _of_records(list(document.values()))
    return {name: list(inner.values()) for name, inner in document.items()}


def _are_rows(document: Collection[str], inner: Collection[str], wanted: Collection[str]) -> bool:
    """Return whether the values of an object of objects are rows, and not columns."""
    outside, inside = _are_labels(document), _are_labels(inner)
    if wanted and set(wanted) <= set(document) and not set(wanted) <= set(inner):
        return False
    if wanted and set(wanted) <= set(inner) and not set(wanted) <= set(document):
        return True
    if not outside and not inside:
        raise InvalidDataError(
            "it is an object of objects, which may be columns or rows: write it with orient='split' or 'records', or "
            "name its columns (columns=, --columns)."
        )
    return outside and not inside


def _from_table(schema: dict[str, Any], records: Any) -> tuple[Columns, set[str]]:
    """Return the columns of a table with a schema, and its primary key."""
    fields = [object_of(each) for each in schema["fields"]]
    names = _names([each.get("name") for each in fields])
    key = schema.get("primaryKey")
    index = {str(name) for name in ([key] if isinstance(key, str) else list_of(key))}
    columns: Columns = {name: [] for name in names}
    for row, record in enumerate(list_of(records)):
        values = object_of(record)
        if values.keys() != columns.keys():
            raise InvalidDataError(f"row {row} of its `data` has other fields than its `schema`.")
        for name, column in columns.items():
            column.append(values[name])
    kinds = {name: each.get("type") for name, each in zip(names, fields, strict=True)}
    return {name: _typed(name, kinds[name], values) for name, values in columns.items()}, index & columns.keys()


def _typed(name: str, kind: Any, values: list[Any]) -> Any:
    """Return the values of a column of a table as its type says."""
    if kind == "duration":
        raise InvalidDataError(f"its column {name!r} has durations as texts: write them as numbers.")
    try:
        if kind == "number":
            return pa.array(values, pa.float64())
        if kind == "integer" and all(value is None for value in values):
            return pa.array(values, pa.int64())
        if kind == "string" and all(value is None for value in values):  # it stands for objects, too
            return pa.array(values, pa.string())
        return _times(values) if kind == "datetime" else values
    except (pa.ArrowException, TypeError, ValueError, OverflowError) as error:
        reason = str(error).partition("\n")[0]
        raise InvalidDataError(f"its column {name!r} has other values than its type {kind!r} says: {reason}") from error


def _times(values: list[Any]) -> Any:
    """Return ISO 8601 times as timestamps, in nanoseconds where all of them are in their range."""
    texts = pa.array(values, pa.string())
    zone = "UTC" if any(_ZONE.search(value) for value in values if value is not None) else None
    try:
        return texts.cast(pa.timestamp("ns", zone))
    except pa.ArrowInvalid:
        return texts.cast(pa.timestamp("us", zone))


def is_answer_of_2022(record: dict[str, Any]) -> bool:
    """Return whether a record is of an answer, or a log, of release 2022.4."""
    return isinstance(record.get(SENT), dict) and isinstance(record.get(OUTPUTS), list)


def sent_in_2022(records: Sequence[Any]) -> Columns:
    """Return what was sent for answers of release 2022.4, which have a record for each model.

    Consecutive records of several models with the same rows are of one request.

    Raises:
        InvalidDataError: A record is none of an answer, or its rows have other fields.
    """
    found: Columns = {}
    before: dict[str, Any] = {}
    models: set[Any] = set()
    for number, record in enumerate(records):
        if not isinstance(record, dict) or not is_answer_of_2022(cast("dict[str, Any]", record)):
            raise InvalidDataError(f"record {number} has no {SENT!r} and {OUTPUTS!r}, which those before it have.")
        record = cast("dict[str, Any]", record)
        sent, model = record[SENT], record.get("model_name")
        if number and sent == before and model not in models:
            models.add(model)
            continue
        before, models = sent, {model}
        if found and sent.keys() != found.keys():
            raise InvalidDataError(f"record {number} has other fields in its {SENT!r} than those before it.")
        for name, values in sent.items():
            found.setdefault(name, []).extend(list_of(values))
    return _checked(found)
