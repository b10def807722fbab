"""Finding rows in the requests of other servers, which wrap them in an object: `{"instances": [...]}` and others."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from wallaroo_ext._util.json_values import list_of, object_of
from wallaroo_ext.errors import InvalidDataError

_INSTANCES = "instances"
_WRAPPERS = {_INSTANCES, "inputs", "data", "records", "rows", "input_data", "dataframe_records", "dataframe_split"}
"""The fields in which TensorFlow Serving, KServe, Vertex AI, MLflow, Seldon, Azure and others take rows."""
_SIGNATURE = "signature_name"
_BESIDE = {_SIGNATURE, "parameters", "params", "GlobalParameters", "id"}
"""What else such a request may have, none of which is a row."""
_TENSOR = {"name", "shape", "datatype", "data"}
_SPLIT, _SPLIT_OPTIONAL = {"columns", "data"}, {"index", "index_names", "column_names"}
_ARRAY = {"names", "ndarray"}


def wrapped_rows(document: Mapping[Any, Any]) -> Any:
    """Return the rows that an object wraps: a list of records or, under `instances`, of vectors, or another object.

    An object that is returned has its columns by name, or in the way of pandas' `orient="split"`. What could be a
    column of that name, such as `inputs` with lists of numbers, is no wrapper. Returns None for an object that is
    itself the rows.

    Raises:
        InvalidDataError: The tensors of the object are those of the Open Inference Protocol.
    """
    wrappers = [name for name in document if name in _WRAPPERS]
    beside = [name for name in document if name not in wrappers]
    if len(wrappers) != 1 or not set(beside) <= _BESIDE or any(isinstance(document[name], list) for name in beside):
        return None
    [wrapper] = wrappers
    rows: Any = document[wrapper]
    if isinstance(rows, list) and rows:
        return _listed(cast("list[Any]", rows), wrapper, is_signed=_SIGNATURE in document)
    inner = object_of(rows)
    if inner.keys() == _ARRAY:
        return {"columns": inner["names"], "data": inner["ndarray"]}
    has_columns = bool(inner) and all(isinstance(values, list) for values in inner.values())
    return inner if is_split(inner) or has_columns else None


def _listed(rows: list[Any], wrapper: str, *, is_signed: bool) -> list[Any] | None:
    if all(isinstance(row, Mapping) for row in rows):
        if wrapper == "inputs" and all(object_of(row).keys() >= _TENSOR for row in rows):
            raise InvalidDataError(
                "it is a request of the Open Inference Protocol (V2): write its tensors as columns, each under its "
                "name with a list a row."
            )
        return rows
    are_vectors = all(isinstance(row, list) for row in rows)
    return rows if are_vectors and (wrapper == _INSTANCES or is_signed) else None


def has_split_names(document: Mapping[Any, Any]) -> bool:
    """Return whether an object has the names of one that `DataFrame.to_dict("split")` and others write."""
    return document.keys() - _SPLIT_OPTIONAL == _SPLIT


def is_split(document: Mapping[Any, Any]) -> bool:
    """Return whether an object has its columns and rows as `DataFrame.to_dict("split")` and others write them."""
    if not has_split_names(document):
        return False
    width = len(list_of(document["columns"]))
    rows: Any = document["data"]
    return isinstance(rows, list) and all(len(list_of(row)) == width for row in cast("list[Any]", rows))
