"""Reads a person's own model and rows for the demo, or says in a sentence why they do not fit together."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from wallaroo_ext._util.json_values import list_of
from wallaroo_ext.errors import InvalidDataError
from wallaroo_ext.inference.inputs.rows import to_table

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


class UnfitFilesError(Exception):
    """The files cannot be used; the message is the sentence to show."""


@dataclass(frozen=True)
class Input:
    """An input of a model: its name, and the shape of a row, with None for a length that is free."""

    name: str
    row_shape: tuple[int | None, ...]


@dataclass(frozen=True)
class Job:
    """The model and the rows that the demo scores.

    Attributes:
        name: A name for the model and the pipeline.
        model: The model's file.
        rows: The rows, with one column per input.
        expected: The columns of the data that are named like an output of the model: the values that it should give.
    """

    name: str
    model: Path
    rows: pa.Table
    expected: dict[str, list[Any]]


def read_job(model: Path, data: Path) -> Job:
    """Return the model and its rows.

    Raises:
        UnfitFilesError: A file cannot be read, or the two do not fit together.
    """
    inputs, outputs = read_model(model)
    table = read_table(data)
    if table.num_rows == 0:
        raise UnfitFilesError(f"{data} has no rows.")
    expected = [name for name in table.column_names if name in outputs]
    rows = fit(table.drop_columns(expected), inputs, data)
    name = re.sub(r"[^a-z0-9]+", "-", model.stem.lower()).strip("-")[:60].strip("-")
    return Job(name or "model", model, rows, {column: table.column(column).to_pylist() for column in expected})


def read_model(path: Path) -> tuple[list[Input], list[str]]:
    """Return a model's inputs and the names of its outputs."""
    onnxruntime: Any = import_module("onnxruntime")
    if not path.is_file():
        raise UnfitFilesError(f"There is no model {path}.")
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    try:
        session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except Exception:  # noqa: BLE001 - onnxruntime raises types of its own, for whatever the file is
        raise UnfitFilesError(f"{path} is no ONNX model that can be loaded.") from None
    inputs = [
        Input(item.name, tuple(size if isinstance(size, int) else None for size in item.shape[1:]))
        for item in session.get_inputs()
    ]
    return inputs, [item.name for item in session.get_outputs()]


def read_table(path: Path) -> pa.Table:
    """Return the rows of a file, which is read by its suffix."""
    reader = READERS.get(path.suffix.lower())
    if reader is None:
        raise UnfitFilesError(f"The data is read from {', '.join(READERS)} files, and {path} is none of them.")
    if not path.is_file():
        raise UnfitFilesError(f"There is no data {path}.")
    try:
        return reader(path)
    except (ValueError, pa.ArrowException, InvalidDataError, OSError) as error:
        reason = str(error).strip().splitlines()[0]
        prefix = "" if reason.startswith(str(path)) else f"{path} cannot be read as a {path.suffix} file: "
        raise UnfitFilesError(f"{prefix}{reason}") from None


def _read_records(path: Path) -> pa.Table:
    records: Any = json.loads(path.read_text(encoding="utf-8"))
    if not all(isinstance(record, dict) for record in list_of(records)) or not isinstance(records, list):
        raise ValueError("it is no list of records, as pandas writes them with orient='records'")
    return to_table(list_of(records))


READERS: dict[str, Callable[[Any], pa.Table]] = {
    ".json": _read_records,
    ".arrow": to_table,
    ".parquet": to_table,
    ".csv": to_table,
}


def fit(table: pa.Table, inputs: list[Input], path: Path) -> pa.Table:
    """Return the table with one column per input.

    The columns are named like the inputs, or all columns of numbers become the vectors of the only input.
    """
    names = [item.name for item in inputs]
    if set(names) <= set(table.column_names):
        return table.select(names)
    if len(inputs) == 1 and "tensor" in table.column_names:
        return table.select(["tensor"])
    if len(inputs) == 1 and all(_is_number(data_type) for data_type in table.schema.types):
        return _pack(table, inputs[0], path)
    wanted = ", ".join(repr(name) for name in names)
    found = ", ".join(repr(name) for name in table.column_names)
    raise UnfitFilesError(f"{path} has the columns {found}; the model wants {wanted}.")


def _is_number(data_type: Any) -> bool:
    return pa.types.is_integer(data_type) or pa.types.is_floating(data_type)


def _pack(table: pa.Table, only: Input, path: Path) -> pa.Table:
    """Return the columns of numbers as one column of vectors."""
    width = table.num_columns
    if only.row_shape not in {(width,), (None,)}:
        shape = ", ".join("any" if size is None else str(size) for size in only.row_shape)
        raise UnfitFilesError(
            f"{path} has {width} columns of numbers; the model's input {only.name!r} takes rows of shape [{shape}]."
        )
    import numpy as np

    columns = [np.asarray(table.column(name), np.float32) for name in table.column_names]
    return to_table({only.name: np.column_stack(columns)})
