"""Does `outputs` give the model's arrays: their shapes, their types, in the memory of the answer?"""

from __future__ import annotations

import json
from importlib import import_module
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wallaroo_ext import InvalidDataError, outputs
from wallaroo_ext.inference.inputs.rows import to_table

if TYPE_CHECKING:
    from pyarrow import Table

pa: Any = import_module("pyarrow")
VALUES = np.arange(24, dtype=np.float32)


def answer(column: Any) -> Table:
    """Return an answer with one output."""
    return pa.table({"time": pa.nulls(len(column)), "in.x": pa.nulls(len(column)), "out.y": column})


def output(column: Any) -> np.ndarray[Any, Any]:
    given = outputs(answer(column))
    assert list(given) == ["y"]
    return given["y"]


def lists(shape: tuple[int, ...], *, kind: Any = pa.list_, dtype: Any = np.float32) -> Any:
    """Return nested lists of a shape, of variable or of fixed size."""
    column: Any = to_table({"y": np.arange(np.prod(shape)).astype(dtype).reshape(shape)}).column("y").chunk(0)
    wanted: Any = pa.from_numpy_dtype(np.dtype(dtype))
    for size in reversed(shape[1:]):
        wanted = pa.list_(wanted, size) if kind is None else kind(wanted)
    return column.cast(wanted)


def address(array: np.ndarray[Any, Any]) -> int:
    return array.__array_interface__["data"][0]


def values_address(column: Any) -> int:
    while pa.types.is_nested(column.type):
        column = column.flatten()
    return column.buffers()[1].address + column.offset * column.type.bit_width // 8


@pytest.mark.parametrize("kind", [pa.list_, pa.large_list, None])
@pytest.mark.parametrize("shape", [(24,), (24, 1), (8, 3), (2, 3, 4), (2, 3, 2, 2)])
def test_it_has_the_shape_and_the_memory_of_the_answer(shape: tuple[int, ...], kind: Any) -> None:
    column = lists(shape, kind=kind)
    array = output(column)
    assert (array.shape, array.dtype) == (shape, np.float32)
    np.testing.assert_array_equal(array, VALUES.reshape(shape))
    assert address(array) == values_address(column)


@settings(deadline=None, derandomize=True)
@given(
    shape=st.lists(st.integers(1, 4), min_size=1, max_size=3).map(tuple),
    fixed=st.booleans(),
    cuts=st.lists(st.integers(0, 4), max_size=3),
    dtype=st.sampled_from(["float16", "float32", "float64", "int8", "uint64", "bool"]),
)
def test_slices_and_chunks_are_their_own_rows(shape: tuple[int, ...], fixed: bool, cuts: list[int], dtype: str) -> None:  # noqa: FBT001 - hypothesis gives it by name
    column = lists(shape, kind=None if fixed else pa.list_, dtype=dtype)
    ends = sorted({min(cut, shape[0]) for cut in cuts})
    chunks = [column[begin:end] for begin, end in pairwise(ends)]
    array = output(pa.chunked_array(chunks, column.type))
    rows = np.arange(np.prod(shape)).astype(dtype).reshape(shape)
    np.testing.assert_array_equal(array.reshape(-1), rows[ends[0] : ends[-1]].reshape(-1) if ends else [])
    assert array.dtype == dtype
    if len(array):
        assert array.shape[1:] == shape[1:]


def test_a_slice_of_one_piece_is_not_copied() -> None:
    column = lists((8, 3))[2:5]
    array = output(column)
    assert address(array) == values_address(column)
    np.testing.assert_array_equal(array, VALUES.reshape(8, 3)[2:5])


def test_without_rows_lengths_that_are_known_are_kept() -> None:
    assert output(lists((2, 3), kind=None)[:0]).shape == (0, 3)
    assert output(lists((2, 3))[:0]).shape == (0, 0)
    assert output(pa.array([], pa.float32())).shape == (0,)


def test_texts_are_objects() -> None:
    array = output(pa.array([["a", "ü"], ["", None]]))
    assert (array.dtype, array.tolist()) == (object, [["a", "ü"], ["", None]])


def test_no_number_is_nan_as_json_says_it() -> None:
    np.testing.assert_array_equal(output(pa.array([[1.5, None], [None, 2.0]])), [[1.5, np.nan], [np.nan, 2.0]])
    np.testing.assert_array_equal(output(pa.array([[None], [None]])), [[np.nan], [np.nan]])


def test_times_and_dates_are_numpys_own() -> None:
    assert output(pa.array([0, 1], pa.timestamp("ms"))).dtype == "datetime64[ms]"


@pytest.mark.parametrize(
    ("column", "message"),
    [
        (pa.array([[1.0], [1.0, 2.0]]), r"'out\.y'.*different lengths, such as 1 and 2"),
        (pa.array([[[1.0], [1.0, 2.0]]]), "different lengths"),
        (pa.array([[1.0], None]), "rows without a value"),
        (pa.array([1, None]), "nulls.*int64"),
        (pa.array([True, None]), "nulls.*bool"),
        (pa.array([{"a": 1}]), "struct"),
    ],
)
def test_what_is_no_array_is_an_error_that_names_the_output(column: Any, message: str) -> None:
    with pytest.raises(InvalidDataError, match=message):
        outputs(answer(column))


def test_without_outputs_it_says_so_and_not_that_there_are_none() -> None:
    with pytest.raises(InvalidDataError, match=r"no outputs, but time, in\.x\. Ask for `out` by `dataset`"):
        outputs(pa.table({"time": [1], "in.x": [2]}))


def test_an_answer_to_no_rows_has_none() -> None:
    assert outputs(pa.table({})) == {}


def with_shape(column: Any, metadata: str) -> Any:
    """Return an answer whose output has the metadata that instances state shapes in."""
    field = pa.field("out.y", column.type, metadata={"tensor_type": metadata})
    return pa.table([column], schema=pa.schema([field]))


@pytest.mark.parametrize("nested", [False, True])
def test_the_shape_is_the_one_that_the_instance_states(nested: bool) -> None:  # noqa: FBT001 - parametrized
    table = with_shape(lists((2, 12)), '{"shape":[3,4]}')
    if nested:
        struct = pa.StructArray.from_arrays([table.column(0).chunk(0)], fields=[table.schema.field(0).with_name("y")])
        table = pa.table({"time": pa.array([1, 2]), "out": struct})
    array = outputs(table)["y"]
    np.testing.assert_array_equal(array, VALUES.reshape(2, 3, 4))
    column: Any = table.column("out" if nested else "out.y").chunk(0)
    assert address(array) == values_address(column.field(0) if nested else column), "the memory of the answer"


@pytest.mark.parametrize(
    ("column", "shape", "expected"),
    [
        (lists((2, 3)), "[3]", (2, 3)),
        (lists((6, 4)), "[2, 2]", (6, 2, 2)),
        (lists((2, 3, 4)), "[12]", (2, 12)),
        (lists((24,)), "[]", (24,)),
        (lists((24, 1)), "[]", (24,)),
        (lists((2, 12))[:0], "[3, 4]", (0, 3, 4)),
        (lists((2, 12)), "[5]", (2, 12)),
        (lists((2, 12)), "[-1, 4]", (2, 12)),
        (lists((2, 12)), "[null]", (2, 12)),
        (lists((2, 12)), '"wide"', (2, 12)),
    ],
)
def test_a_stated_shape_is_used_where_it_has_as_many_values(column: Any, shape: str, expected: tuple[int, ...]) -> None:
    assert outputs(with_shape(column, f'{{"shape": {shape}}}'))["y"].shape == expected


@pytest.mark.parametrize("metadata", ["", "{", "[]", "{}", "3"])
def test_metadata_that_states_no_shape_does_no_harm(metadata: str) -> None:
    assert outputs(with_shape(lists((2, 12)), metadata))["y"].shape == (2, 12)


def test_lists_of_different_lengths_stay_an_error_whatever_is_stated() -> None:
    with pytest.raises(InvalidDataError, match="different lengths"):
        outputs(with_shape(pa.array([[1.0], [1.0, 2.0, 3.0]]), '{"shape": [2]}'))


MODELS = [{"name": name, "version": "1", "sha": name * 64} for name in "ab"]


@pytest.mark.parametrize("written", [dict, json.dumps])
def test_the_models_of_a_split_are_objects(written: Any) -> None:
    table = pa.table({"out._model_split": [[written(model)] for model in (*MODELS, MODELS[0])], "out.y": [1, 2, 3]})
    given = outputs(table)
    assert (given["_model_split"].dtype, given["_model_split"].shape) == (object, (3, 1))
    assert [model["name"] for model in given["_model_split"][:, 0]] == ["a", "b", "a"]
    assert given["_model_split"][1, 0] == MODELS[1]
    assert given["y"].tolist() == [1, 2, 3]


def test_a_split_that_is_no_json_stays_a_text() -> None:
    assert outputs(pa.table({"out._model_split": ["a"]}))["_model_split"].tolist() == ["a"]


def test_outputs_of_shadow_models_have_the_names_of_their_columns() -> None:
    table = pa.table({"out.y": [[1.0]], "out_b.1.y": [[2.0]], "out_c.y": [[3.0]], "out_of_order": [4.0]})
    assert {name: array.tolist() for name, array in outputs(table).items()} == {
        "y": [[1.0]],
        "out_b.1.y": [[2.0]],
        "out_c.y": [[3.0]],
    }


@pytest.mark.parametrize("wrong", [None, [{"out": 1}], "rows"])
def test_what_is_no_table_is_refused(wrong: Any) -> None:
    with pytest.raises(InvalidDataError, match="the table that `infer` gives"):
        outputs(wrong)


def test_a_batch_of_a_run_has_outputs_too() -> None:
    batch: Any = pa.table({"id": [7], "out.y": [[1.5, 2.5]]}).to_batches()[0]
    assert {name: array.tolist() for name, array in outputs(batch).items()} == {"y": [[1.5, 2.5]]}


def test_two_outputs_of_one_name_are_refused() -> None:
    table = pa.Table.from_arrays([pa.array([1.5]), pa.array([2.5])], names=["out.y", "out.y"])
    with pytest.raises(InvalidDataError, match=r"Two columns have the name 'out\.y'"):
        outputs(table)
