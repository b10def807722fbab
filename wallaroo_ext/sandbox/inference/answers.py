"""Reads the rows of inference requests and writes answers, in every format and generation of Wallaroo."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from wallaroo_ext._util import arrow_files
from wallaroo_ext._util.arrow_limits import MAX_DEPTH, expanded_size
from wallaroo_ext.sandbox.engine.arrow_rows import check_rows, read_file
from wallaroo_ext.sandbox.engine.tensors import to_column, with_variable_lists
from wallaroo_ext.sandbox.http.json_text import is_deeper, to_json
from wallaroo_ext.sandbox.http.problems import engine_error, too_large
from wallaroo_ext.sandbox.http.validation import parse_media_type
from wallaroo_ext.sandbox.inference.inference_log import LoggedBatch

if TYPE_CHECKING:
    from collections.abc import Sequence

    from wallaroo_ext.sandbox.engine.engine import Scored
    from wallaroo_ext.sandbox.engine.tensors import Array, Column

JSON = "application/json"
RELEASES = ("2022.4", "2023.4", "2025.2")
"""The releases whose generations of answers can be given, in their order."""
OLDEST_RELEASE, NEWEST_RELEASE = RELEASES[0], RELEASES[-1]
_MIB = 1 << 20
_JSON_RECORD, _JSON_VALUE = (
    1024,
    32,
)  # bytes of a record without values, and of a number, with their texts
_NUMPY_IN_JSON = {
    "float32",
    "float64",
    "int8",
    "int16",
    "int32",
    "int64",
    "uint8",
    "uint16",
    "uint32",
    "uint64",
    "bool",
}
_OLDEST_TYPES = {"float32": "Float", "float64": "Double", "object": "String"}


@dataclass(slots=True)
class Rows:
    """The rows of a request.

    Attributes:
        table: The rows, with one column per field.
        columns_as_sent: For JSON, the values of each field as they were sent, to be echoed digit for digit.
        parse_ns: How long parsing them took.
    """

    table: pa.Table
    columns_as_sent: dict[str, list[Any]] | None = None
    parse_ns: int = 0

    def as_sent(self, name: str) -> list[Any]:
        """Return the values of a field."""
        return self.table.column(name).to_pylist() if self.columns_as_sent is None else self.columns_as_sent[name]


def is_json(media_type: str) -> bool:
    """Return whether a media type is a form of JSON."""
    return parse_media_type(media_type)[0] == JSON


def to_request(rows: Rows) -> list[memoryview]:
    """Return rows as the chunks of the Arrow file that models take."""
    return arrow_files.to_buffers(rows.table)


def read_rows(media_type: str, body: Any, memory_mib: int, *, only_plain: bool = False) -> Rows:
    """Return the rows of a body in one of the three formats.

    Args:
        media_type: The format, as the contract writes it.
        body: The body: the bytes of an Arrow file, or parsed JSON.
        memory_mib: The memory that the decoded rows may take, in MiB.
        only_plain: Whether to refuse Arrow files that are not plain.

    Raises:
        Problem: 400 in the engine's form, or 413 if the rows take more memory.
    """
    started = time.perf_counter_ns()
    kind, parameters = parse_media_type(media_type)
    if kind != JSON:
        rows = Rows(read_file(body, memory_mib * _MIB, only_plain=only_plain).table)
    else:
        if is_deeper(body, MAX_DEPTH):
            raise engine_error(f"The rows are nested more than {MAX_DEPTH} levels deep.")
        columns = _columns_of_records(body) if parameters else body
        table = _table(columns)
        check_rows(table, memory_mib * _MIB)
        rows = Rows(table, columns)
    rows.parse_ns = time.perf_counter_ns() - started
    return rows


def _columns_of_records(records: list[dict[str, Any]]) -> dict[str, list[Any]]:
    names = list(records[0]) if records else []
    for number, record in enumerate(records):
        if record.keys() != records[0].keys():
            different = next(iter(record.keys() ^ records[0].keys()))
            raise engine_error(f"Record {number} and the first one differ in the field {different!r}.")
    return {name: [record[name] for record in records] for name in names}


def _table(columns: dict[str, list[Any]]) -> pa.Table:
    arrays: dict[str, Column] = {}
    for name, values in columns.items():
        try:
            arrays[name] = _column(values)
        except (pa.ArrowException, OverflowError, ValueError) as error:
            raise engine_error(f"The field {name!r} is no column of one type: {error}.") from None
    if len({len(array) for array in arrays.values()}) > 1:
        raise engine_error("The fields have different numbers of rows.")
    return pa.table(arrays)


def _column(values: list[Any]) -> Column:
    """Return JSON values as a column; within lists, pyarrow alone would not take integers above 2**63."""
    try:
        return pa.array(values)
    except OverflowError:
        numbers = np.asarray(values, np.uint64)
        if numbers.tolist() != values:
            raise
        return to_column(numbers)


def preferred_type(accept: str | None, request_type: str, arrow_type: str) -> str:
    """Return the format to answer in: the one that `Accept` prefers or, without a preference, the request's."""
    default = arrow_type if parse_media_type(request_type)[0] == arrow_type else JSON
    best = (0.0, default)
    for item in (accept or "*/*").split(","):
        kind, parameters = parse_media_type(item)
        quality = _quality(parameters.get("q", "1"))
        answer = {JSON: JSON, arrow_type: arrow_type}.get(kind, default if kind in {"*/*", "application/*"} else None)
        if answer is not None and quality > best[0]:
            best = quality, answer
    return best[1]


def _quality(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return 0.0


@dataclass(frozen=True, slots=True)
class Selection:
    """The requested parts of an answer: the parameters `dataset[]`, `dataset.exclude[]` and `dataset.separator`."""

    included: Sequence[str] = ()
    excluded: Sequence[str] = ()
    separator: str | None = None

    def wants(self, part: str, field: str) -> bool:
        """Return whether a field of a part is in the answer; without parameters, every field is."""
        includes_all = not self.included or "*" in self.included
        return (includes_all or self.names(part, field)) and not _named(self.excluded, part, field)

    def names(self, part: str, field: str) -> bool:
        """Return whether a field of a part is requested by name."""
        return _named(self.included, part, field)


def _named(names: Sequence[str], part: str, field: str) -> bool:
    return part in names or (field != "" and f"{part}.{field}" in names)


@dataclass(frozen=True)
class Answer:
    """Scored rows, which can be logged and written in each format.

    Attributes:
        rows: The rows that were sent.
        scored: The outputs of the models.
        pipeline: The pipeline's name.
        pipeline_version: The UUID of its version.
        partition: The name of the engine's pod.
        release: The release of Wallaroo whose generation of answers is written.
        selection: The requested parts.
        time_ms: When the rows were scored, in milliseconds since 1970.
    """

    rows: Rows
    scored: Scored
    pipeline: str
    pipeline_version: str
    partition: str
    release: str
    selection: Selection
    time_ms: int

    @property
    def count(self) -> int:
        """The number of rows."""
        return self.rows.table.num_rows

    @cached_property
    def _table(self) -> pa.Table:
        """The rows and their outputs, with flat names."""
        columns: dict[str, Column] = {"time": pa.array(np.full(self.count, self.time_ms), pa.timestamp("ms"))}
        fields = [pa.field("time", pa.timestamp("ms"))]
        for name in self.rows.table.column_names:
            column = with_variable_lists(self.rows.table.column(name))
            columns[f"in.{name}"] = column
            fields.append(pa.field(f"in.{name}", column.type))
        for name, tensor in self.scored.outputs.items():
            column = to_column(tensor)
            columns[f"out.{name}"] = column
            fields.append(pa.field(f"out.{name}", column.type, nullable=False))
        return pa.Table.from_arrays(list(columns.values()), schema=pa.schema(fields))

    def logged(self) -> LoggedBatch:
        """Return the batch to log."""
        model = self.scored.model
        return LoggedBatch(self._table, model.name, model.sha, self.scored.elapsed_ns)

    def to_arrow(self) -> list[memoryview]:
        """Return the chunks of an Arrow file with flat columns, as recorded on 2025.2.

        Metadata is included only if it is requested by name.
        """
        names = [name for name in self._table.column_names if self.selection.wants(*_split(name))]
        table = self._table.select(names)
        if self.selection.wants("anomaly", "count"):
            counts: Column = pa.array(np.zeros(self.count, np.uint32))
            table = table.append_column(pa.field("anomaly.count", pa.uint32(), nullable=False), counts)
        for name, value in self._metadata.items():
            if self.selection.names("metadata", name) and self.selection.wants("metadata", name):
                column: Column = _constant(value, self.count)
                table = table.append_column(f"metadata.{name}", column)
        return arrow_files.to_buffers(table)

    def to_json(self, memory_mib: int) -> bytes:
        """Return the answer as JSON, in the generation of the release.

        Args:
            memory_mib: The memory that writing it may take, in MiB.

        Raises:
            Problem: 413, if it would take more.
        """
        if self._json_size() > memory_mib * _MIB:
            raise too_large(
                f"As JSON, the answer takes more than {memory_mib} MiB; ask for Arrow, or send fewer rows at a time."
            )
        if self.release == OLDEST_RELEASE:
            content = self._oldest()
        elif self.selection.separator is None:
            content = self._nested()
        else:
            content = self._flat(self.selection.separator)
        return to_json(content)

    def _json_size(self) -> int:
        """Return an estimate of the memory for the records and their JSON, in bytes."""
        table, wants = self.rows.table, self.selection.wants
        sent = sum(expanded_size(table.column(name)) for name in table.column_names if wants("in", name))
        scored = sum(tensor.size for name, tensor in self.scored.outputs.items() if wants("out", name))
        return self.count * _JSON_RECORD + sent * _JSON_VALUE // 8 + scored * _JSON_VALUE

    @cached_property
    def _metadata(self) -> dict[str, Any]:
        model = self.scored.model
        last_model = json.dumps({"model_name": model.name, "model_sha": model.sha}, separators=(",", ":"))
        return {
            "last_model": last_model,
            "pipeline_version": self.pipeline_version,
            "elapsed": [self.rows.parse_ns, self.scored.elapsed_ns],
            "dropped": [],
            "partition": self.partition,
        }

    def _parts(self) -> dict[str, dict[str, Sequence[Any]]]:
        """Return the requested columns by part and field, in the order of an answer.

        A part that has no fields has one with an empty name.
        """
        constant: dict[str, dict[str, Any]] = {"metadata": self._metadata}
        constant |= {"anomaly": {"count": 0}} if self.release == NEWEST_RELEASE else {"check_failures": {"": []}}
        parts: dict[str, dict[str, Sequence[Any]]] = {
            "time": {"": [self.time_ms] * self.count},
            "in": {name: self.rows.as_sent(name) for name in self.rows.table.column_names},
            "out": {name: _json_rows(tensor) for name, tensor in self.scored.outputs.items()},
        }
        for part in ("check_failures", "anomaly", "metadata"):
            parts[part] = {name: [value] * self.count for name, value in constant.get(part, {}).items()}
        wanted = {
            part: {name: column for name, column in fields.items() if self.selection.wants(part, name)}
            for part, fields in parts.items()
        }
        return {part: fields for part, fields in wanted.items() if fields}

    def _nested(self) -> list[dict[str, Any]]:
        """Return one record per row, with an object for each part that has fields."""
        parts = self._parts()
        columns = [fields[""] if "" in fields else _records(fields, self.count) for fields in parts.values()]
        return [dict(zip(parts, values, strict=True)) for values in zip(*columns, strict=True)]

    def _flat(self, separator: str) -> list[dict[str, Any]]:
        """Return one record per row, with the names of parts and fields joined."""
        columns = {
            f"{part}{separator}{name}" if name else part: column
            for part, fields in self._parts().items()
            for name, column in fields.items()
        }
        return _records(columns, self.count)

    def _oldest(self) -> list[dict[str, Any]]:
        """Return one object for all rows, as recorded on 2022.4, where parts cannot be selected."""
        model = self.scored.model
        return [
            {
                "model_name": model.name,
                "model_version": model.version,
                "pipeline_name": self.pipeline,
                "outputs": [_oldest_output(tensor) for tensor in self.scored.outputs.values()],
            }
        ]


def _constant(value: Any, count: int) -> Column:
    """Return a column that repeats a value; it has the value's type even without rows."""
    arrow_library: Any = pa
    return arrow_library.array([value] * count, arrow_library.infer_type([value]))


def _split(name: str) -> tuple[str, str]:
    """Split a flat name into part and field."""
    part, _, inner = name.partition(".")
    return part, inner


def _records(columns: dict[str, Sequence[Any]], count: int) -> list[dict[str, Any]]:
    """Return columns as one record per row."""
    if not columns:
        return [{} for _ in range(count)]
    return [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]


def _json_rows(tensor: Array) -> Sequence[Any]:
    """Return the rows of a tensor; numpy's own types keep exactly the digits of their precision."""
    return list(np.ascontiguousarray(tensor)) if tensor.dtype in _NUMPY_IN_JSON else tensor.tolist()


def _oldest_output(tensor: Array) -> dict[str, Any]:
    name = _OLDEST_TYPES.get(str(tensor.dtype), str(tensor.dtype).capitalize())
    return {name: {"v": 1, "dim": list(tensor.shape), "data": tensor.reshape(-1).tolist()}}
