"""Rows in, scored rows out: the formats of inference requests and answers."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import orjson
import pyarrow as pa

from wallaroo_ext import arrow
from wallaroo_ext.sandbox.problems import engine_error
from wallaroo_ext.sandbox.spec import parse_media_type
from wallaroo_ext.sandbox.tensors import to_column, with_variable_lists

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from wallaroo_ext.sandbox.engine import Scored
    from wallaroo_ext.sandbox.tensors import Array, Column

JSON = "application/json"
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
        table: The rows, a column a field.
        columns_as_sent: For JSON, the values of each field as they were sent, to be echoed digit for digit.
        oldest: Whether they came in the oldest form, which is answered in the oldest form.
        parse_ns: How long reading them took.
    """

    table: pa.Table
    columns_as_sent: dict[str, list[Any]] | None = None
    oldest: bool = False
    parse_ns: int = 0

    def as_sent(self, name: str) -> list[Any]:
        """The values of one field."""
        return self.table.column(name).to_pylist() if self.columns_as_sent is None else self.columns_as_sent[name]


def read_rows(media_type: str, body: Any) -> Rows:
    """The rows of a body of one of the three formats.

    Raises:
        Problem: 400 in the engine's form.
    """
    started = time.perf_counter_ns()
    kind, parameters = parse_media_type(media_type)
    if kind != JSON:
        rows = _read_arrow(body)
    else:
        columns = _columns_of_records(body) if parameters else body
        rows = Rows(_table(columns), columns, oldest=not parameters)
    rows.parse_ns = time.perf_counter_ns() - started
    return rows


def _read_arrow(body: bytes) -> Rows:
    try:
        return Rows(arrow.from_file(body))
    except ValueError as error:
        raise engine_error(f"The body is {error}.") from None


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
            arrays[name] = pa.array(values)
        except (pa.ArrowException, OverflowError) as error:
            raise engine_error(f"The field {name!r} is no column of one type: {error}.") from None
    if len({len(array) for array in arrays.values()}) > 1:
        raise engine_error("The fields have different numbers of rows.")
    return pa.table(arrays)


def preferred_type(accept: str | None, request_type: str, arrow_type: str) -> str:
    """The format to answer in: what `Accept` likes best, and without a preference that of the request."""
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


@dataclass(slots=True)
class Selection:
    """Which parts of the answer are wanted, by the parameters `dataset[]`, `dataset.exclude[]`, `dataset.separator`."""

    included: Sequence[str] = ()
    excluded: Sequence[str] = ()
    separator: str | None = None

    def wants(self, part: str, field: str | None) -> bool:
        """Whether a field of a part is in the answer."""
        names = {part, f"{part}.{field}"}
        included = not self.included or "*" in self.included or any(name in names for name in self.included)
        return included and not any(name in names for name in self.excluded)


@dataclass(slots=True)
class Answer:
    """Scored rows, to be written in one of the formats.

    Attributes:
        rows: What was sent.
        scored: What the models gave.
        pipeline: The pipeline's name.
        pipeline_version: The UUID of its version.
        partition: The engine's pod.
        selection: Which parts are wanted.
        time_ms: When the rows were scored, in milliseconds since 1970.
    """

    rows: Rows
    scored: Scored
    pipeline: str
    pipeline_version: str
    partition: str
    selection: Selection
    time_ms: int = field(default_factory=lambda: time.time_ns() // 1_000_000)

    def to_arrow(self) -> bytes:
        """An Arrow file with flat columns, as releases of 2025 answer."""
        count = self.rows.table.num_rows
        fields: list[pa.Field[Any]] = []
        columns: list[Any] = []
        for part, name in self._parts():
            if part == "time":
                fields.append(pa.field("time", pa.timestamp("ms")))
                columns.append(pa.array(np.full(count, self.time_ms), pa.timestamp("ms")))
            elif part == "in":
                column = with_variable_lists(self.rows.table.column(name))
                fields.append(pa.field(f"in.{name}", column.type))
                columns.append(column)
            elif part == "out":
                array = to_column(self.scored.outputs[name])
                fields.append(pa.field(f"out.{name}", array.type, nullable=False))
                columns.append(array)
            elif part == "check_failures":
                fields.append(pa.field("anomaly.count", pa.uint32(), nullable=False))
                columns.append(pa.array(np.zeros(count, np.uint32)))
        return arrow.to_file(pa.Table.from_arrays(columns, schema=pa.schema(fields))).to_pybytes()

    def to_json(self) -> bytes:
        """JSON in the form of the request's generation."""
        content = self._oldest() if self.rows.oldest else self._records()
        return orjson.dumps(content, option=orjson.OPT_SERIALIZE_NUMPY)

    def _parts(self) -> Iterator[tuple[str, str]]:
        """The wanted parts with their fields, in the order of an answer; a part without fields has an empty one."""
        names = {
            "time": [""],
            "in": self.rows.table.column_names,
            "out": list(self.scored.outputs),
            "check_failures": [""],
            "metadata": list(self._metadata()),
        }
        for part, fields in names.items():
            for name in fields:
                if self.selection.wants(part, name or None):
                    yield part, name

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

    def _records(self) -> list[dict[str, Any]]:
        """A record a row: nested, or flat where a separator was asked for."""
        records: list[dict[str, Any]] = [{} for _ in range(self.rows.table.num_rows)]
        values = self._values()
        separator = self.selection.separator
        for part, name in self._parts():
            column = values[part](name)
            for record, value in zip(records, column, strict=True):
                if not name:
                    record[part] = value
                elif separator is None:
                    record.setdefault(part, {})[name] = value
                else:
                    record[f"{part}{separator}{name}"] = value
        return records

    def _values(self) -> dict[str, Callable[[str], Sequence[Any]]]:
        """For each part, the values of one of its fields, one a row."""
        count = self.rows.table.num_rows
        metadata = self._metadata()
        return {
            "time": lambda _: [self.time_ms] * count,
            "in": self.rows.as_sent,
            "out": lambda name: _json_rows(self.scored.outputs[name]),
            "check_failures": lambda _: list[list[Any]]([[]]) * count,
            "metadata": lambda name: [metadata[name]] * count,
        }

    def _oldest(self) -> list[dict[str, Any]]:
        model = self.scored.model
        return [
            {
                "model_name": model.name,
                "model_version": model.version,
                "pipeline_name": self.pipeline,
                "outputs": [_oldest_output(tensor) for tensor in self.scored.outputs.values()],
            }
        ]


def _json_rows(tensor: Array) -> Sequence[Any]:
    """The rows of a tensor; numpy's own types keep the digits that their precision has."""
    return list(np.ascontiguousarray(tensor)) if str(tensor.dtype) in _NUMPY_IN_JSON else tensor.tolist()


def _oldest_output(tensor: Array) -> dict[str, Any]:
    name = _OLDEST_TYPES.get(str(tensor.dtype), str(tensor.dtype).capitalize())
    return {name: {"v": 1, "dim": list(tensor.shape), "data": tensor.reshape(-1).tolist()}}
