"""Real bytes for bodies that are no JSON: small ONNX models, and rows as Arrow files."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
from hypothesis import strategies as st

from wallaroo_ext._util.arrow_files import to_file
from wallaroo_ext.inference.rows import to_table

if TYPE_CHECKING:
    import numpy.typing as npt

WIDTH = 4
"""How many numbers a row of the suite's model has."""
INPUT, OUTPUT = "dense_input", "dense_1"
"""The fields of the suite's model, which are those of the documents' model."""
LARGEST = 1e6
"""How large the numbers of rows are, at the most: single precision has them, and all of their sums."""


def weights(seed: int = 29, width: int = WIDTH) -> npt.NDArray[np.float32]:
    """Return what a model of the suite multiplies a row with, `[width, 1]`."""
    return np.random.default_rng(seed).normal(size=(width, 1)).astype(np.float32)


@cache
def model_file(seed: int = 29, width: int = WIDTH) -> bytes:
    """Return an ONNX model: `dense_input`, float32 `[N, width]`, times its weights is `dense_1`, float32 `[N, 1]`.

    Args:
        seed: What the weights are made from; another seed gives a file with another SHA-256.
        width: How many numbers a row has.
    """
    from onnx import TensorProto, helper, numpy_helper

    graph = helper.make_graph(
        [helper.make_node("MatMul", [INPUT, "weights"], [OUTPUT])],
        "weighted-sum",
        [helper.make_tensor_value_info(INPUT, TensorProto.FLOAT, ["N", width])],
        [helper.make_tensor_value_info(OUTPUT, TensorProto.FLOAT, ["N", 1])],
        [numpy_helper.from_array(weights(seed, width), "weights")],
    )
    # An operator set and a format that engines of every age read.
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=7).SerializeToString()


def scored(rows: Any) -> npt.NDArray[np.float64]:
    """Return what the suite's model gives for rows, `[N, 1]`, computed without it."""
    return np.asarray(rows, np.float32).astype(np.float64) @ weights().astype(np.float64)


def arrow_file(rows: Any) -> bytes:
    """Rows of `[N, width]` as an Arrow file with the model's own field."""
    return to_file(to_table({INPUT: np.asarray(rows, np.float32)})).to_pybytes()


def model_files() -> st.SearchStrategy[bytes]:
    """ONNX models of the suite's kind."""
    return st.builds(model_file, st.integers(0, 50))


def numbers() -> st.SearchStrategy[float]:
    """Numbers that single precision has."""
    return st.floats(-LARGEST, LARGEST, width=32)


def rows() -> st.SearchStrategy[list[list[float]]]:
    """Rows for the suite's model, one to five."""
    return st.lists(st.lists(numbers(), min_size=WIDTH, max_size=WIDTH), min_size=1, max_size=5)


def arrow_files() -> st.SearchStrategy[bytes]:
    """Arrow files with rows for the suite's model."""
    return rows().map(arrow_file)
