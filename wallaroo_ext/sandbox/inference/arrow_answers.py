"""Writes scored rows in Arrow: with flat columns, as the log keeps them and the separator asks for, or nested."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias, cast

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from wallaroo_ext._util.arrow.files import to_buffers
from wallaroo_ext._util.arrow.list_types import is_list
from wallaroo_ext.sandbox.inference.answer_forms import LAST_MODEL, written_models

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from wallaroo_ext.sandbox.engine.tensors import Column
    from wallaroo_ext.sandbox.inference.answer_forms import AnswerForm, RowMetadata, Selection

INPUT, OUTPUT = "in", "out"
_TIME, _METADATA = "time", "metadata"
_TENSOR_TYPE = "tensor_type"
Parts: TypeAlias = "Mapping[str, Mapping[str, Column]]"
"""Columns by part and field; a part that has no fields has one with an empty name."""

_arrow: Any = pa  # its stubs want the types of values, which are known only at run time


@dataclass(frozen=True, slots=True)
class ScoredRows:
    """Scored rows as columns.

    Attributes:
        times: When they were scored, as timestamps in milliseconds.
        parts: The columns by part and field: `in`, `out`, and an `out_{model}` for each shadow.
        shapes: The shapes of rows by part and field, where they are known; others are those of the rows.
    """

    times: Column
    parts: Parts
    shapes: Mapping[str, Mapping[str, Sequence[int]]] = field(default_factory=dict[str, "Mapping[str, Sequence[int]]"])

    def to_table(self) -> pa.Table:
        """Return the rows with flat columns, as they are logged."""
        columns = {_TIME: self.times}
        fields: list[Any] = [_arrow.field(_TIME, self.times.type)]
        for part, name, column in self._fields():
            columns[f"{part}.{name}"] = column
            fields.append(_field(f"{part}.{name}", column, nullable=part == INPUT))
        return pa.Table.from_arrays(list(columns.values()), schema=pa.schema(fields))

    def _fields(self) -> Iterator[tuple[str, str, Column]]:
        for part, fields in self.parts.items():
            for name, column in fields.items():
                yield part, name, column

    def to_flat_file(
        self, added: Parts, selection: Selection, metadata: dict[str, str] | None = None
    ) -> list[memoryview]:
        """Return the chunks of an Arrow file with a column a field, its name joined with that of its part."""
        separator = selection.separator or "."
        fields: list[Any] = []
        columns: list[Column] = []
        if selection.wants(_TIME, ""):
            fields.append(_arrow.field(_TIME, self.times.type))
            columns.append(self.times)
        for part, contents in {**self.parts, **added}.items():
            for name, column in contents.items():
                if selection.wants(part, name):
                    whole = f"{part}{separator}{name}" if name else part
                    fields.append(_field(whole, column, nullable=part == INPUT))
                    columns.append(column)
        return to_buffers(pa.Table.from_arrays(columns, schema=_arrow.schema(fields, metadata)))

    def to_nested_file(
        self, added: Parts, selection: Selection, metadata: dict[str, str] | None = None
    ) -> list[memoryview]:
        """Return the chunks of an Arrow file with a struct a part, whose fields say their shapes."""
        fields: list[Any] = []
        columns: list[Column] = []
        if selection.wants(_TIME, ""):
            columns.append(self.times.cast(pa.int64()))
            fields.append(_arrow.field(_TIME, pa.int64(), nullable=False))
        for part, contents in {**self.parts, **added}.items():
            wanted = {name: column for name, column in contents.items() if selection.wants(part, name)}
            if wanted:
                column = wanted[""] if "" in wanted else _struct(wanted, self._shapes(part, wanted))
                columns.append(column)
                fields.append(_arrow.field(part, column.type, nullable=False))
        return to_buffers(pa.Table.from_arrays(columns, schema=_arrow.schema(fields, metadata)))

    def _shapes(self, part: str, columns: Mapping[str, Column]) -> dict[str, Sequence[int] | None]:
        """Return the shapes of rows; metadata have none."""
        if part == _METADATA:
            return dict.fromkeys(columns)
        known = self.shapes.get(part, {})
        return {name: known[name] if name in known else tensor_shape(column) for name, column in columns.items()}


def _field(name: str, column: Column, *, nullable: bool) -> Any:
    return _arrow.field(name, column.type, nullable=nullable)


def _struct(columns: Mapping[str, Column], shapes: Mapping[str, Sequence[int] | None]) -> Column:
    """Return columns as one of structs, which uses their memory."""
    fields: list[Any] = []
    contents: list[Column] = []
    for name, column in columns.items():
        shape = shapes[name]
        content = column if shape is None else _with_one_list(column, len(shape))
        metadata = None if shape is None else {_TENSOR_TYPE: json.dumps({"shape": list(shape)}, separators=(",", ":"))}
        fields.append(_arrow.field(name, content.type, nullable=content.null_count > 0, metadata=metadata))
        contents.append(content)
    batches = pa.Table.from_arrays(contents, schema=pa.schema(fields)).to_batches()
    arrays: list[Any] = [cast("Any", batch).columns for batch in batches]
    structs = [_arrow.StructArray.from_arrays(contained, fields=fields) for contained in arrays]
    return _arrow.chunked_array(structs, type=pa.struct(fields))


def tensor_shape(column: Column) -> list[int] | None:
    """Return the shape of a row, or None if the rows are no tensors of one shape, or there are none to tell it."""
    chunks: list[Any] = getattr(column, "chunks", [column])
    kind: Any = column.type
    shape: list[int] = []
    while is_list(kind):
        sizes = {size for chunk in chunks for size in _list_sizes(chunk)}
        if len(sizes) != 1 or any(chunk.null_count for chunk in chunks):
            return None
        shape += sizes
        chunks = [chunk.flatten() for chunk in chunks]
        kind = kind.value_type
    return None if pa.types.is_nested(kind) else shape


def _list_sizes(lists: Any) -> set[int]:
    """Return the least and the largest length of some lists."""
    if not len(lists):
        return set()
    return set(cast("Any", pc).min_max(cast("Any", pc).list_value_length(lists)).as_py().values())


def _with_one_list(column: Column, levels: int) -> Column:
    """Return a column of tensors with all values of a row in one list."""
    if levels <= 1:
        return column
    chunks: list[Any] = getattr(column, "chunks", [column])
    return _arrow.chunked_array([_one_list(chunk, levels) for chunk in chunks])


def _one_list(tensors: Any, levels: int) -> Any:
    values, item = tensors, None
    for _ in range(levels):
        item = values.type.value_field
        values = values.flatten()
    size = len(values) // max(1, len(tensors))
    return _lists(values, np.arange(len(tensors) + 1, dtype=np.int32) * np.int32(size), item)


def _lists(values: Any, offsets: Any, item: Any) -> Any:
    return _arrow.ListArray.from_arrays(_arrow.array(offsets), values, type=pa.list_(item))


def added_parts(
    form: AnswerForm, metadata: RowMetadata, count: int, selection: Selection
) -> dict[str, dict[str, Column]]:
    """Return the requested columns that an answer adds to the rows and the outputs."""
    none = _lists(_arrow.array([], pa.string()), np.zeros(count + 1, np.int32), _arrow.field("item", pa.string()))
    models = written_models(metadata.last_models)
    columns: dict[str, Column] = {}
    for name, value in form.metadata_of(metadata).items():
        if not selection.wants(_METADATA, name):
            continue
        if name == LAST_MODEL:
            columns[name] = _arrow.repeat(models[0], count) if len(models) == 1 else _arrow.array(models, pa.string())
        elif name == "elapsed":
            times = _arrow.array(np.tile(np.array(value, np.uint64), count))
            offsets = np.arange(count + 1, dtype=np.int32) * np.int32(len(value))
            columns[name] = _lists(times, offsets, _arrow.field("steps", pa.uint64(), nullable=False))
        else:
            columns[name] = none if value == [] else _arrow.repeat(value, count)
    failures = {"anomaly": {"count": _arrow.array(np.zeros(count, np.uint32))}}
    return (failures if form.counts_anomalies else {"check_failures": {"": none}}) | {_METADATA: columns}
