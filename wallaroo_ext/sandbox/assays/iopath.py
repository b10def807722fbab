"""The `iopath` of an assay: which value of which logged field it watches."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from wallaroo_ext._util.arrow.list_types import is_list
from wallaroo_ext.inference.column_names import MODEL_SPLIT_FIELD
from wallaroo_ext.sandbox.http.problems import bad_request

if TYPE_CHECKING:
    from wallaroo_ext.sandbox.engine.tensors import Array, Column

_PREFIXES = {"input": "in.", "output": "out."}
_INDEX_DIGITS = 18


@dataclass(frozen=True, slots=True)
class IoPath:
    """The position of one value in logged rows.

    Attributes:
        text: The iopath as it was sent: `output dense_2 0`.
        side: `input` or `output`.
        field: The field's name or, as in the oldest document, its number (`input 0 0`). A name has precedence.
        index: The index of the value in the field's values, with nested lists flattened.
    """

    text: str
    side: str
    field: str
    index: int

    @staticmethod
    def parse(text: str) -> IoPath:
        """Parse `input|output field index`.

        Raises:
            Problem: 400, if the index is larger than any field can have.
        """
        side, field, index = text.split(" ")
        if len(index) > _INDEX_DIGITS:
            raise bad_request(f"The iopath {text!r} has an index that no field has.")
        return IoPath(text, side, field, int(index))

    def take(self, table: pa.Table) -> tuple[Array, Array]:
        """Return the times of the rows, in microseconds since 1970, and their values.

        Rows without a finite value are left out.

        Raises:
            Problem: 400, if there is no such field, it has no numbers, or no row has a value at the index.
        """
        values = _values_at(self._column(table), self.index)
        if table.num_rows and values is None:
            raise bad_request(f"The iopath {self.text!r} fits no logged row: the field has no value {self.index}.")
        if values is None:
            return np.empty(0, np.int64), np.empty(0)
        times: Array = np.asarray(table.column("time")).astype("datetime64[us]").astype(np.int64)
        finite = np.isfinite(values)
        return times[finite], values[finite]

    def _column(self, table: pa.Table) -> Column:
        prefix = _PREFIXES[self.side]
        fields = (name.removeprefix(prefix) for name in table.column_names if name.startswith(prefix))
        names = [name for name in fields if name != MODEL_SPLIT_FIELD]  # which is no output of a model
        name = self._name(names)
        if name is None:
            known = ", ".join(repr(found) for found in names) or "none"
            raise bad_request(f"The iopath {self.text!r} fits no logged row: the {self.side} fields are {known}.")
        column = table.column(prefix + name)
        if not _is_numeric(column.type):
            raise bad_request(f"The iopath {self.text!r} is of a field of type {column.type}, which has no numbers.")
        return column

    def _name(self, names: list[str]) -> str | None:
        if self.field in names:
            return self.field
        is_number = self.field.isdecimal() and len(self.field) <= _INDEX_DIGITS
        return names[int(self.field)] if is_number and int(self.field) < len(names) else None


def _is_numeric(kind: Any) -> bool:
    while is_list(kind):
        kind = kind.value_type
    return pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_boolean(kind)


def _values_at(column: Column, index: int) -> Array | None:
    """Return each row's value at an index, NaN if the row is too short; return None if all rows are."""
    array, offsets = _flattened(column)
    long_enough: Array = offsets[1:] - offsets[:-1] > index
    if not long_enough.any():
        return None
    values: Array = np.full(len(long_enough), np.nan)
    wanted = array.take(pa.array(offsets[:-1][long_enough] + index))
    values[long_enough] = wanted.to_numpy(zero_copy_only=False).astype(np.float64)
    return values


def _flattened(column: Column) -> tuple[Column, Array]:
    """Return the flattened values of nested lists, and the offset of each row with the end of the last one."""
    array = column.combine_chunks()
    offsets: Array = np.arange(len(array) + 1)
    while is_list(array.type):
        lengths: Array = np.asarray(pc.fill_null(cast("Any", pc.list_value_length(array)), 0))
        offsets = np.concatenate([[0], np.cumsum(lengths, dtype=np.int64)])[offsets]
        array = array.flatten()
    return array, offsets
