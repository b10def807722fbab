"""Reads a person's own model and rows for the demo, or says in a sentence why they do not fit together."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from difflib import get_close_matches
from importlib import import_module
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from wallaroo_ext._util.files.user_paths import near_file_name
from wallaroo_ext._util.json_values import list_of
from wallaroo_ext._util.quantities import format_count
from wallaroo_ext.cli.reading.columns import likely_no_inputs
from wallaroo_ext.errors import InvalidDataError
from wallaroo_ext.inference.inputs.missing_numbers import rows_with_missing
from wallaroo_ext.inference.inputs.rows import to_table

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

pc: Any = import_module("pyarrow.compute")  # its stubs lack most functions


class UnfitFilesError(Exception):
    """The files cannot be used; the message is the sentence to show."""


@dataclass(frozen=True)
class Input:
    """An input of a model.

    Attributes:
        name: Its name.
        row_shape: The shape of a row, with None for a length that is free.
        kind: The type of its values, as onnxruntime writes it, such as `tensor(float)`.
        rows: How many rows it takes at a time; None for any number.
    """

    name: str
    row_shape: tuple[int | None, ...]
    kind: str = "tensor(float)"
    rows: int | None = None

    @property
    def takes_texts(self) -> bool:
        """Whether its values are texts."""
        return self.kind == "tensor(string)"


@dataclass(frozen=True)
class Job:
    """The model and the rows that the demo scores.

    Attributes:
        name: A name for the model and the pipeline.
        model: The model's file.
        rows: The rows, with one column per input.
        expected: The values that outputs should have, by the output's name.
        label: The name and the values of a column that is no input and named like no output, but a label or a target;
            None for none.
        notes: Sentences that say which columns were taken as what.
    """

    name: str
    model: Path
    rows: pa.Table
    expected: dict[str, list[Any]]
    label: tuple[str, list[Any]] | None = None
    notes: list[str] = field(default_factory=list[str])


def read_job(
    model: Path, data: Path, *, label: str | None = None, drop: Sequence[str] = (), missing: bool = False
) -> Job:
    """Return the model and its rows.

    Args:
        model: The model's file.
        data: The file of the rows.
        label: The column that is a label or a target; it is found by default.
        drop: Columns that are no inputs, and are not shown.
        missing: Whether numbers may be missing: they become NaN.

    Raises:
        UnfitFilesError: A file cannot be read, or the two do not fit together.
    """
    inputs, outputs = read_model(model)
    table = read_table(data)
    if table.num_rows == 0:
        raise UnfitFilesError(f"{data} has no rows.")
    for option, name in [("--drop", each) for each in drop] + ([] if label is None else [("--label", label)]):
        if name not in table.column_names:
            raise UnfitFilesError(f"{option}: {data} has no column {name!r}. {_found(table, [name])}")
    if label in drop:
        raise UnfitFilesError(f"--label and --drop name the same column, {label!r}: leave out one of the two.")
    table = table.drop_columns(list(dict.fromkeys(drop)))  # pyarrow drops another column for each repeated name
    _check_row_count(inputs, table.num_rows, model)
    expected = [name for name in table.column_names if name in outputs and name not in {item.name for item in inputs}]
    given = [*expected, *([] if label is None or label in expected else [label])]
    rows, beside = fit(table.drop_columns(given), inputs, data, missing=missing)
    found, notes = _label(table, beside) if label is None and not expected else (label, [])
    if found in expected:
        found = None
    rest = [name for name in beside if name != found]
    notes += [f"Not sent, as the model has no such inputs: {', '.join(map(repr, rest))}."] if rest else []
    name = re.sub(r"[^a-z0-9]+", "-", model.stem.lower()).strip("-")[:60].strip("-")
    known = {column: table.column(column).to_pylist() for column in expected}
    beside_outputs = None if found is None else (found, table.column(found).to_pylist())
    return Job(name or "model", model, rows, known, beside_outputs, notes)


def _label(table: pa.Table, beside: list[str]) -> tuple[str | None, list[str]]:
    """Return the label among the columns that are no inputs, and a sentence that says so."""
    likely = [name for name in likely_no_inputs(table) if name in beside]
    last = [name for name in beside if name == table.column_names[-1]]
    chosen = next(iter([*likely, *last, *(beside if len(beside) == 1 else [])]), None)
    note = f"The column {chosen!r} is no input of the model: it is shown beside the outputs."
    return chosen, [] if chosen is None else [note]


def read_model(path: Path) -> tuple[list[Input], list[str]]:
    """Return a model's inputs and the names of its outputs."""
    onnxruntime: Any = import_module("onnxruntime")
    if not path.is_file():
        raise UnfitFilesError(f"There is no model {path}{_instead(path)}.")
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    try:
        session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # noqa: BLE001 - onnxruntime raises types of its own, for whatever the file is
        raise UnfitFilesError(f"{path} is no ONNX model that can be loaded: {reason_of(error)}") from None
    for item in session.get_outputs():
        if not item.type.startswith("tensor("):
            raise UnfitFilesError(
                f"The output {item.name!r} of {path} is no tensor but {item.type}. An instance answers with tensors "
                f"only: {_without(item.name, item.type, session)}"
            )
    inputs = [_input(item.name, item.shape, item.type) for item in session.get_inputs()]
    return inputs, [item.name for item in session.get_outputs()]


def _input(name: str, shape: list[Any], kind: str) -> Input:
    """Return an input as onnxruntime describes it, where a free length is a name or nothing."""
    rows, *row_shape = [size if isinstance(size, int) else None for size in shape] or [None]
    return Input(name, tuple(row_shape), kind, rows)


def _without(name: str, kind: str, session: Any) -> str:
    """Return how to export a model without an output that is no tensor."""
    if kind.startswith("seq(map("):
        return _ZIP_MAP
    ins, outs = ([item.name for item in items] for items in (session.get_inputs(), session.get_outputs()))
    outs.remove(name)
    if not outs:
        return "export it with an output that is one, such as the sequence's tensors concatenated."
    return f"onnx.utils.extract_model(FILE, NEW_FILE, {ins}, {outs}) writes the model without it."


def _check_row_count(inputs: list[Input], rows: int, path: Path) -> None:
    """Check that the model takes as many rows as there are: a model may be exported for a certain number.

    Raises:
        UnfitFilesError: It takes another number.
    """
    for item in inputs:
        if item.rows not in {None, rows}:
            taken = format_count(item.rows or 0, "row")
            raise UnfitFilesError(
                f"The input {item.name!r} of {path} takes {taken} at a time, and there are {rows}: export the model "
                f"with a first axis that is free, such as by torch.onnx.export(…, dynamic_axes={{{item.name!r}: "
                f"{{0: 'rows'}}}}), or by [None, …] as the shape in skl2onnx."
            )


def reason_of(error: Exception) -> str:
    """Return onnxruntime's reason without its codes, its source files and the signatures of its functions."""
    text = _CODES.sub("", " ".join(str(error).split()))
    advice = next((sentence for part, sentence in _ADVICE.items() if part in text), "")
    reason = _SOURCES.sub("", text)
    shown = reason if len(reason) <= _LONGEST_REASON else f"{reason[: _LONGEST_REASON - 1]}…"
    return f"{shown} {advice}".rstrip()


def _instead(path: Path) -> str:
    near = near_file_name(path)
    return "" if near is None else f": there is {near!r}"


def read_table(path: Path) -> pa.Table:
    """Return the rows of a file, which is read by its suffix."""
    reader = READERS.get(path.suffix.lower())
    if reader is None:
        raise UnfitFilesError(f"The data is read from {', '.join(READERS)} files, and {path} is none of them.")
    if not path.is_file():
        raise UnfitFilesError(f"There is no data {path}{_instead(path)}.")
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
    ".jsonl": to_table,
    ".npy": to_table,
}


def fit(table: pa.Table, inputs: list[Input], path: Path, *, missing: bool = False) -> tuple[pa.Table, list[str]]:
    """Return the table with one column per input, and the names of the columns that are no inputs.

    The columns are named like the inputs, or columns of numbers become the vectors of the only input.

    Args:
        table: The rows.
        inputs: The inputs of the model.
        path: The file of the rows, for messages.
        missing: Whether numbers may be missing.

    Raises:
        UnfitFilesError: A column is missing, too many, or of another type; the message names it.
    """
    names = [item.name for item in inputs]
    if len(inputs) == 1 and names[0] not in table.column_names:
        [only] = inputs
        if "tensor" in table.column_names:
            column = _fitting(table, "tensor", only, missing=missing)
            return pa.table({"tensor": column}), _others(table, ["tensor"])
        texts = [name for name in table.column_names if _is_text(table.column(name).type)]
        if only.takes_texts and only.row_shape in {(), (1,)} and len(texts) == 1:
            column = _fitting(table, texts[0], only, missing=missing)
            return pa.table({only.name: column}), _others(table, texts)
        columns = _columns_of_vector(table, only, path)
        return _pack(table.select(columns), only, missing=missing), _others(table, columns)
    absent = [name for name in names if name not in table.column_names]
    if absent:
        raise UnfitFilesError(f"{path} has no column for {_listed(absent, 'the input')}. {_found(table, absent)}")
    chosen = {item.name: _fitting(table, item.name, item, missing=missing) for item in inputs}
    return pa.table(chosen), _others(table, names)


def _others(table: pa.Table, columns: list[str]) -> list[str]:
    return [name for name in table.column_names if name not in columns]


def _found(table: pa.Table, absent: list[str]) -> str:
    """Return a sentence with the columns that are like the absent ones, or all."""
    near = dict.fromkeys(
        name
        for each in absent
        for name in get_close_matches(each.casefold(), map(str.casefold, table.column_names), n=1)
    )
    alike = [name for name in table.column_names if name.casefold() in near]
    return f"Near: {', '.join(map(repr, alike))}." if alike else f"It has {', '.join(map(repr, table.column_names))}."


def _columns_of_vector(table: pa.Table, only: Input, path: Path) -> list[str]:
    """Return the columns that are the numbers of a vector, without labels and columns of texts."""
    schema: Any = table.schema
    numbers = [field.name for field in schema if _is_number(field.type)]
    width = only.row_shape[0] if len(only.row_shape) == 1 else None if only.row_shape == () else -1
    if only.takes_texts or width == -1 or not numbers:
        raise UnfitFilesError(
            f"{path} has no column {only.name!r}, of which the model takes rows of shape {_shape(only)}. "
            f"{_found(table, [only.name])}"
        )
    if width is None:
        return numbers
    surplus = len(numbers) - width
    likely = likely_no_inputs(table.select(numbers))[: max(surplus, 0)]
    if surplus >= 0 and len(likely) == surplus:
        return [name for name in numbers if name not in likely]
    texts = [name for name in table.column_names if name not in numbers]
    beside = f" Of other types: {', '.join(map(repr, texts))}." if texts else ""
    beside += " --label COLUMN names one that is no input." if surplus == 1 else ""
    beside += f" --drop COLUMN leaves one out; {surplus} are too many." if surplus > 1 else ""
    raise UnfitFilesError(
        f"{path} has {len(numbers)} columns of numbers; the model's input {only.name!r} takes rows of shape "
        f"{_shape(only)}. They are {', '.join(map(repr, numbers))}.{beside}"
    )


def _shape(item: Input) -> str:
    return f"[{', '.join('any' if size is None else str(size) for size in item.row_shape)}]"


def _is_number(data_type: Any) -> bool:
    types = (pa.types.is_integer, pa.types.is_floating, pa.types.is_boolean, pa.types.is_decimal)
    return any(fits(data_type) for fits in types)


def _is_text(data_type: Any) -> bool:
    return pa.types.is_string(data_type) or pa.types.is_large_string(data_type)


def _fitting(table: pa.Table, name: str, item: Input, *, missing: bool) -> Any:
    """Return a column as an input takes it: texts of numbers for an input of texts, and numbers for one of numbers."""
    column: Any = table.column(name)
    if pa.types.is_nested(column.type):
        _check_complete(column, name, item, missing=missing)
        return column
    if item.takes_texts:
        return column.cast(pa.string())
    if not _is_number(column.type):
        first = next((repr(value) for value in column.to_pylist() if value is not None), "nothing")
        raise UnfitFilesError(
            f"The column {name!r} has values of the type {column.type}, such as {first}; the model's input "
            f"{item.name!r} takes numbers."
        )
    _check_complete(column, name, item, missing=missing)
    _check_whole(column, name, item)
    if column.null_count:
        column = column.cast(pa.float64()).fill_null(float("nan"))
    return column.cast(_VALUES.get(item.kind, pa.float32()), safe=item.kind in _WHOLE)


def _check_complete(column: Any, name: str, item: Input, *, missing: bool) -> None:
    """Check that no number is missing, neither in lists, unless NaN may stand in its place.

    Raises:
        UnfitFilesError: One is, or would become NaN where the input takes none.
    """
    takes_nan = item.kind not in _WHOLE
    row = None if missing and takes_nan else _first_missing(column, name)
    if row is None:
        return
    advice = (
        "--missing nan sends NaN, for a model that takes it."
        if takes_nan
        else f"The model's input {item.name!r} takes whole numbers, of which NaN is none: leave out the row."
    )
    raise UnfitFilesError(f"The column {name!r} has no number in row {row}, counted from 0. {advice}")


def _first_missing(column: Any, name: str) -> int | None:
    """Return the first row in which a number is missing, null or NaN; None if there is none."""
    if pa.types.is_nested(column.type):
        return next(iter(rows_with_missing(pa.table({name: column}))), None)
    row = pc.index(pc.is_null(column, nan_is_null=True), pa.scalar(value=True)).as_py()
    return None if row < 0 else row


def _check_whole(column: Any, name: str, item: Input) -> None:
    """Check that an input of whole numbers or booleans would get each value as it is.

    Raises:
        UnfitFilesError: A value would be changed.
    """
    limits = _WHOLE.get(item.kind)
    if limits is None:
        return
    low, high = limits
    for row, value in enumerate(column.to_pylist()):
        if value is not None and not (low <= value <= high and value == int(value)):
            raise UnfitFilesError(
                f"The column {name!r} has {value!r} in row {row}, counted from 0; the model's input {item.name!r} "
                f"takes whole numbers from {low} to {high}."
            )


def _pack(table: pa.Table, only: Input, *, missing: bool) -> pa.Table:
    """Return the columns of numbers as one column of vectors."""
    import numpy as np

    columns = [_fitting(table, name, only, missing=missing).to_numpy() for name in table.column_names]
    return to_table({only.name: np.column_stack(columns)})


def _listed(names: list[str], what: str) -> str:
    return f"{what}{'s' if len(names) > 1 else ''} {', '.join(map(repr, names))}"


_INTEGERS = [f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)]
_VALUES: dict[str, Any] = {
    "tensor(float)": pa.float32(),
    "tensor(double)": pa.float64(),
    "tensor(bool)": pa.bool_(),
    **{f"tensor({name})": getattr(pa, name)() for name in _INTEGERS},
}
_WHOLE = {
    "tensor(bool)": (0, 1),
    **{f"tensor(int{bits})": (-(1 << bits - 1), (1 << bits - 1) - 1) for bits in (8, 16, 32, 64)},
    **{f"tensor(uint{bits})": (0, (1 << bits) - 1) for bits in (8, 16, 32, 64)},
}
"""The smallest and the largest value of inputs of whole numbers and booleans."""
_LONGEST_REASON = 300
_CODES = re.compile(r"^\[ONNXRuntimeError\] : \d+ : \w+ : ")
_SOURCES = re.compile(r"/onnxruntime_src/\S+:\d+ .*[)>] (?=[A-Z])")
_ZIP_MAP = (
    "export the model without ZipMap, with options={'zipmap': False} in skl2onnx, and with zipmap=False in onnxmltools."
)
_ADVICE = {
    "Failed to construct locale": "It needs a language that this machine does not have: install it, or export the "
    "model without, such as with TfidfVectorizer(lowercase=False) and texts in lower case.",
    "Type (tensor(double)) of output arg": "Its converter has no 64-bit form of this model: export it from 32-bit "
    "rows, as in to_onnx(model, rows[:1].astype('float32')).",
}
"""What to do where onnxruntime says this."""
