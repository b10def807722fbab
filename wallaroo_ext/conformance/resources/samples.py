"""Makes bodies that are no JSON: small ONNX models, rows as Arrow files, and schemas."""

from __future__ import annotations

import base64
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
from hypothesis import strategies as st

from wallaroo_ext._util.arrow.files import to_file
from wallaroo_ext.inference.inputs.rows import to_table

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy.typing as npt

WIDTH = 4
"""The number of values in a row of the suite's model."""
INPUT, OUTPUT = "dense_input", "dense_1"
"""The fields of the suite's model; those of the model in the documents."""
LARGEST = 1e6
"""The largest value in rows: float32 has it, and all sums of such values."""


def weights(seed: int = 29, width: int = WIDTH) -> npt.NDArray[np.float32]:
    """Return the weights of a model of the suite, `[width, 1]`."""
    return np.random.default_rng(seed).normal(size=(width, 1)).astype(np.float32)


@cache
def model_file(seed: int = 29, width: int = WIDTH, fields: tuple[str, str] = (INPUT, OUTPUT)) -> bytes:
    """Return an ONNX model: `dense_input`, float32 `[N, width]`, times its weights is `dense_1`, float32 `[N, 1]`.

    Args:
        seed: The seed of the weights; another seed gives a file with another SHA-256.
        width: The number of values in a row.
        fields: Other names for the two.
    """
    from onnx import TensorProto, helper, numpy_helper

    graph = helper.make_graph(
        [helper.make_node("MatMul", [fields[0], "weights"], [fields[1]])],
        "weighted-sum",
        [helper.make_tensor_value_info(fields[0], TensorProto.FLOAT, ["N", width])],
        [helper.make_tensor_value_info(fields[1], TensorProto.FLOAT, ["N", 1])],
        [numpy_helper.from_array(weights(seed, width), "weights")],
    )
    # An operator set and a format that old engines read, too.
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=7).SerializeToString()


def scored(rows: Any) -> npt.NDArray[np.float64]:
    """Return the output of the suite's model for rows, `[N, 1]`, computed with numpy."""
    return np.asarray(rows, np.float32).astype(np.float64) @ weights().astype(np.float64)


def arrow_file(rows: Any) -> bytes:
    """Return rows of `[N, width]` as an Arrow file with the model's field."""
    return to_file(to_table({INPUT: np.asarray(rows, np.float32)})).to_pybytes()


def arrow_file_of(columns: Mapping[str, npt.NDArray[Any]], batches: Sequence[int] = ()) -> bytes:
    """Return rows as an Arrow file, a field a column.

    Args:
        columns: The values by field, `[N]` or `[N, …]`.
        batches: The number of rows in each record batch; the rest are in one more.
    """
    import pyarrow as pa

    table = to_table(dict(columns))
    sink = pa.BufferOutputStream()
    starts = np.cumsum([0, *batches]).tolist()
    with pa.ipc.new_file(sink, table.schema) as opened:
        writer: Any = opened
        for start, count in zip(starts, [*batches, max(table.num_rows - starts[-1], 0)], strict=True):
            part = table.slice(start, count).combine_chunks().to_batches()
            empty: Any = pa.RecordBatch.from_pylist([], schema=table.schema)
            writer.write_batch(part[0] if part else empty)
    return sink.getvalue().to_pybytes()


def distinct_rows(count: int, seed: int = 0) -> npt.NDArray[np.float32]:
    """Return rows for the suite's model, `[count, WIDTH]`, all different, whose outputs are exact.

    One value of a row is not zero, so that the output is one product, rounded once, in whatever order an engine adds.
    """
    random = np.random.default_rng(seed)
    values = (np.arange(count) + random.uniform(0.1, 0.9, count)) / max(count, 1) * random.choice([-1, 1], count)
    found = np.zeros((count, WIDTH), np.float32)
    found[np.arange(count), np.arange(count) % WIDTH] = values
    return found


def exact_scores(rows: npt.NDArray[np.float32], seed: int = 29) -> npt.NDArray[np.float32]:
    """Return the outputs of the suite's model for `distinct_rows`, `[N, 1]`, to the last bit."""
    products: npt.NDArray[np.float32] = rows * weights(seed).T
    return products.sum(axis=1, keepdims=True, dtype=np.float32)


SINGLE, DOUBLE, WHOLE, BYTE, FLAG, TEXT = "single", "double", "whole", "byte", "flag", "text"
"""The inputs of the model of many types."""
_DIVISORS = np.array([[0.0, -0.0, 3.0]], np.float32)
_FACTORS = np.array([[0.1, 1.0 / 3]], np.float64)
_ADDED = 2**53


@cache
def typed_model_file() -> bytes:
    """Return an ONNX model with an input and an output of each of six types; `typed_scores` says what it computes."""
    from onnx import TensorProto, helper, numpy_helper

    types = {
        SINGLE: (TensorProto.FLOAT, 3),
        DOUBLE: (TensorProto.DOUBLE, 2),
        WHOLE: (TensorProto.INT64, 2),
        BYTE: (TensorProto.UINT8, 2),
        FLAG: (TensorProto.BOOL, 2),
        TEXT: (TensorProto.STRING, 1),
    }
    outputs = {"root": SINGLE, "quotient": SINGLE, "product": DOUBLE, "sum": WHOLE}
    outputs |= {"same_byte": BYTE, "not_flag": FLAG, "same_text": TEXT}
    nodes = [
        helper.make_node("Sqrt", [SINGLE], ["root"]),
        helper.make_node("Div", [SINGLE, "divisors"], ["quotient"]),
        helper.make_node("Mul", [DOUBLE, "factors"], ["product"]),
        helper.make_node("Add", [WHOLE, "added"], ["sum"]),
        helper.make_node("Identity", [BYTE], ["same_byte"]),
        helper.make_node("Not", [FLAG], ["not_flag"]),
        helper.make_node("Identity", [TEXT], ["same_text"]),
    ]
    constants = {"divisors": _DIVISORS, "factors": _FACTORS, "added": np.array([[_ADDED]], np.int64)}
    graph = helper.make_graph(
        nodes,
        "many-types",
        [helper.make_tensor_value_info(name, kind, ["N", width]) for name, (kind, width) in types.items()],
        [helper.make_tensor_value_info(name, types[of][0], ["N", types[of][1]]) for name, of in outputs.items()],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 14)], ir_version=7).SerializeToString()


def typed_rows(count: int, text_length: int = 8) -> dict[str, npt.NDArray[Any]]:
    """Return rows for the model of many types: negative numbers, zeros, integers beyond 2**53, texts outside ASCII."""
    random = np.random.default_rng(count)
    single = random.normal(size=(count, 3)).astype(np.float32)
    single[::3, 0] = 0
    return {
        SINGLE: single,
        DOUBLE: random.normal(size=(count, 2)),
        WHOLE: random.integers(-5, 2**60, size=(count, 2)),
        BYTE: random.integers(0, 256, size=(count, 2)).astype(np.uint8),
        FLAG: random.integers(0, 2, size=(count, 2)).astype(bool),
        TEXT: np.array([[f"Zeile {number}, {'é漢🚀 '[number % 4] * text_length}"] for number in range(count)], object),
    }


_EDGES: dict[str, list[Any]] = {
    SINGLE: [3.4028235e38, -3.4028235e38, 1.1754944e-38, 16777217, 1e-7, -1e-20, 123456.79, 2e9],
    DOUBLE: [1.7976931348623157e308, -1e-300, 0.1, 5e-324, 1e22, 9007199254740993, -123456789.123456789],
    WHOLE: [-(2**63), 2**63 - 1 - _ADDED, 2**53 + 1, -(2**53) - 1, 0, -1, 2**31, 2**32],
    BYTE: [0, 255, 128, 127],
    FLAG: [True, False],
}
"""Numbers at the limits of their types, and where other types lose digits; each row has the next one."""
_EDGE_TEXTS = [
    *("", " ", " between blanks ", "null", "true", "1.50", "007", "NaN", "[1]", "a,b;c", "2026-01-05"),
    *('"quoted"', "back\\slash \\u0041", "two\nlines\r\n", "a\ttab", "</b>&amp;", "%s {0} $1"),
    *("e\u0301 and \u00e9", "\u2028", "\U0001d11e", "\u212bngstr\u00f6m"),
]
"""Texts that are taken for something else, or changed, where they are not kept as they are."""


def edge_rows() -> dict[str, npt.NDArray[Any]]:
    """Return rows for the model of many types with values at the edges of their types."""
    like = typed_rows(len(_EDGE_TEXTS))
    rows = {name: np.resize(np.array(values, like[name].dtype), like[name].shape) for name, values in _EDGES.items()}
    return rows | {TEXT: np.array(_EDGE_TEXTS, object).reshape(-1, 1)}


def typed_scores(rows: Mapping[str, npt.NDArray[Any]]) -> dict[str, npt.NDArray[Any]]:
    """Return the outputs of the model of many types, computed with numpy; NaN and infinities are among them."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return {
            "root": np.sqrt(rows[SINGLE]),
            "quotient": rows[SINGLE] / _DIVISORS,
            "product": rows[DOUBLE] * _FACTORS,
            "sum": rows[WHOLE] + _ADDED,
            "same_byte": rows[BYTE],
            "not_flag": ~rows[FLAG],
            "same_text": rows[TEXT],
        }


MINUEND, SUBTRAHEND = "minuend", "subtrahend"


@cache
def subtracting_model_file() -> bytes:
    """Return an ONNX model whose two inputs are of one type and shape, as are its two outputs; see `subtracted`."""
    from onnx import TensorProto, helper

    inputs, outputs = (MINUEND, SUBTRAHEND), ("sum", "difference")
    graph = helper.make_graph(
        [helper.make_node("Sub", list(inputs), ["difference"]), helper.make_node("Add", list(inputs), ["sum"])],
        "subtracting",
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["N", 2]) for name in inputs],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["N", 2]) for name in outputs],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=7).SerializeToString()


def subtracted(rows: Mapping[str, npt.NDArray[Any]]) -> dict[str, npt.NDArray[Any]]:
    """Return the outputs of the model that subtracts, computed with numpy."""
    return {"sum": rows[MINUEND] + rows[SUBTRAHEND], "difference": rows[MINUEND] - rows[SUBTRAHEND]}


def model_files() -> st.SearchStrategy[bytes]:
    """Return a strategy for ONNX models like the suite's."""
    return st.builds(model_file, st.integers(0, 50))


def numbers() -> st.SearchStrategy[float]:
    """Return a strategy for numbers that float32 has."""
    return st.floats(-LARGEST, LARGEST, width=32)


def rows() -> st.SearchStrategy[list[list[float]]]:
    """Return a strategy for one to five rows of the suite's model."""
    return st.lists(st.lists(numbers(), min_size=WIDTH, max_size=WIDTH), min_size=1, max_size=5)


def arrow_files() -> st.SearchStrategy[bytes]:
    """Return a strategy for Arrow files with rows of the suite's model."""
    return rows().map(arrow_file)


def schema_of(field: str) -> str:
    """Return an Arrow schema of one field, serialised as an IPC message, in base64."""
    import pyarrow as pa

    arrow: Any = pa
    schema = arrow.schema([arrow.field(field, arrow.list_(arrow.float32(), WIDTH))])
    return base64.b64encode(schema.serialize().to_pybytes()).decode()
