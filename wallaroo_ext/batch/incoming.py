"""The batches that a program gives to `infer_batches`: record batches, or rows in another form that `infer` takes."""

from __future__ import annotations

import os
from collections.abc import Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Any, cast

from wallaroo_ext._util.files.readable import is_file
from wallaroo_ext._util.locations import without_secrets
from wallaroo_ext.errors import InvalidDataError
from wallaroo_ext.inference.inputs.rows import read_columns
from wallaroo_ext.inference.refused_columns import check_readable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from pyarrow import RecordBatch

pa: Any = import_module("pyarrow")

_WHOLE = (str, bytes, os.PathLike, Mapping)
_EXPORTS = ("__array__", "__arrow_c_stream__", "__arrow_c_array__", "__dataframe__")


def record_batches(batches: Iterable[Any], keys: Sequence[str], columns: Sequence[str] | None) -> Iterator[RecordBatch]:
    """Yield the rows of all batches as record batches.

    Args:
        batches: The batches.
        keys: The keys, which may be of an index of pandas.
        columns: The columns to send, likewise; None for all but the keys.

    Raises:
        InvalidDataError: They are no batches, or one of them is no rows; the message has its number, counted from 0.
    """
    if _is_whole(batches) or not hasattr(batches, "__iter__"):
        raise InvalidDataError(
            f"`batches` gives rows one after another, each in a form that infer takes, and is no "
            f"{type(batches).__name__}: send it by infer, or in a list."
        )
    for number, batch in enumerate(batches):
        if isinstance(batch, pa.RecordBatch):
            yield batch
        else:
            yield from _table(batch, number, keys, columns).to_batches()


def _is_whole(batches: Any) -> bool:
    """Return whether something is rows itself. A reader of record batches exports itself, too, but is an iterator."""
    if isinstance(batches, _WHOLE) or is_file(batches):
        return True
    return any(hasattr(batches, name) for name in _EXPORTS) and not hasattr(batches, "__next__")


def _table(batch: Any, number: int, keys: Sequence[str], columns: Sequence[str] | None) -> Any:
    """Return the columns of a batch that are needed, or all where one of them is missing, which is said later."""
    if is_file(batch):
        shown = without_secrets(cast("Any", batch)) if isinstance(batch, str | os.PathLike) else batch
        raise InvalidDataError(f"`batches` gives the file {shown} as number {number}: files go to infer_dataset.")
    try:
        named = list(dict.fromkeys((*keys, *(columns or ()))))
        table: Any = read_columns(batch, named)
        if columns is not None and set(named) <= set(table.column_names):
            table = table.select(named)
        check_readable(table.schema)
    except InvalidDataError as error:
        raise InvalidDataError(f"`batches`, number {number}: {error}") from error
    return table
