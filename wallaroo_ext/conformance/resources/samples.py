"""Makes bodies that are no JSON: small ONNX models, and rows as Arrow files."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
from hypothesis import strategies as st

from wallaroo_ext._util.arrow_files import to_file
from wallaroo_ext.inference.inputs.rows import to_table

if TYPE_CHECKING:
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
def model_file(seed: int = 29, width: int = WIDTH) -> bytes:
    """Return an ONNX model: `dense_input`, float32 `[N, width]`, times its weights is `dense_1`, float32 `[N, 1]`.

    Args:
        seed: The seed of the weights; another seed gives a file with another SHA-256.
        width: The number of values in a row.
    """
    from onnx import TensorProto, helper, numpy_helper

    graph = helper.make_graph(
        [helper.make_node("MatMul", [INPUT, "weights"], [OUTPUT])],
        "weighted-sum",
        [helper.make_tensor_value_info(INPUT, TensorProto.FLOAT, ["N", width])],
        [helper.make_tensor_value_info(OUTPUT, TensorProto.FLOAT, ["N", 1])],
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
