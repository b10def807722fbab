"""Rows as other servers' requests wrap them, one row of a frame, and the names of columns."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

from wallaroo_ext import InvalidDataError
from wallaroo_ext.inference.column_names import column_list
from wallaroo_ext.inference.inputs.rows import rows_to_send, to_table

if TYPE_CHECKING:
    from pathlib import Path

RECORDS = [{"a": 1, "b": 2.5}, {"a": 3, "b": 4.5}]
COLUMNS = {"a": [1, 3], "b": [2.5, 4.5]}
FRAME = pd.DataFrame(COLUMNS)
SPLIT = {"index": [0, 1], "columns": ["a", "b"], "data": [[1, 2.5], [3, 4.5]]}


@pytest.fixture(params=["file", "mapping"])
def read(request: pytest.FixtureRequest, tmp_path: Path) -> Any:
    """Read an object from a JSON file, or as it is."""

    def of_file(document: Any) -> Any:
        file = tmp_path / "rows.json"
        file.write_text(json.dumps(document), encoding="utf-8")
        return to_table(file)

    return of_file if request.param == "file" else to_table


@pytest.mark.parametrize(
    "document",
    [
        pytest.param({"instances": RECORDS}, id="KServe V1"),
        pytest.param({"signature_name": "serving_default", "instances": RECORDS}, id="TensorFlow Serving"),
        pytest.param({"instances": RECORDS, "parameters": {"confidence": 0.5}}, id="Vertex AI"),
        pytest.param({"inputs": COLUMNS}, id="columns of TensorFlow Serving"),
        pytest.param({"dataframe_records": RECORDS}, id="records of MLflow"),
        pytest.param({"dataframe_split": SPLIT}, id="MLflow"),
        pytest.param({"input_data": SPLIT}, id="Azure"),
        pytest.param({"data": {"names": ["a", "b"], "ndarray": SPLIT["data"]}}, id="Seldon"),
        pytest.param({"data": RECORDS}, id="data"),
        pytest.param({"id": "7", "rows": RECORDS}, id="with an id"),
        pytest.param(SPLIT, id="pandas"),
    ],
)
def test_wrapped_rows_are_rows(read: Any, document: dict[str, Any]) -> None:
    assert read(document).to_pydict() == COLUMNS


@pytest.mark.parametrize("others", [{}, {"signature_name": "serving_default"}])
def test_instances_that_are_lists_are_vectors(read: Any, others: dict[str, Any]) -> None:
    assert read({"instances": [[1.5, 2.5], [3.5, 4.5]]} | others).to_pydict() == {"tensor": [[1.5, 2.5], [3.5, 4.5]]}


@pytest.mark.parametrize(
    "columns",
    [
        {"inputs": [[1.5], [2.5]]},
        {"data": [1.5, 2.5]},
        {"id": [1, 2], "data": [[1.5], [2.5]]},
        {"records": ["x", "y"]},
        {"columns": ["x", "y"], "data": [[1.5], [2.5]]},
        {"a": [1], "instances": [{"b": 1}]},
    ],
)
def test_columns_that_only_have_such_names_are_columns(columns: dict[str, Any]) -> None:
    assert to_table(columns).to_pydict() == columns


def test_tensors_of_the_open_inference_protocol_are_refused(read: Any) -> None:
    tensor = {"name": "tensor", "shape": [1, 2], "datatype": "FP32", "data": [1.5, 2.5]}
    with pytest.raises(InvalidDataError, match="a request of the Open Inference Protocol"):
        read({"inputs": [tensor]})


@pytest.mark.parametrize(
    "row",
    [
        pytest.param(FRAME.iloc[0], id="by its place"),
        pytest.param(FRAME.set_index(pd.to_datetime(["2026-01-01", "2026-01-02"])).iloc[0], id="of a time"),
        pytest.param(FRAME.iloc[[0]].squeeze(), id="squeezed"),
        pytest.param(pd.Series({"a": 1, "b": 2.5}), id="of a mapping"),
        pytest.param(pd.Series({"a": 1, "b": 2.5}, dtype=object), id="of objects"),
    ],
)
def test_a_row_of_a_frame_is_one_row(row: Any) -> None:
    assert to_table(row).to_pydict() == {"a": [1], "b": [2.5]}
    assert rows_to_send(row, ["b"]).to_pydict() == {"b": [2.5]}
    assert rows_to_send(row, vector=True).to_pydict() == {"tensor": [[1, 2.5]]}


def test_a_row_keeps_its_types() -> None:
    row: Any = FRAME.astype("float32").iloc[0]
    assert [str(kind) for kind in to_table(row).schema.types] == ["float", "float"]
    mixed: Any = pd.DataFrame({"a": [2**53 + 1], "b": ["x"]}).iloc[0]
    assert to_table(mixed).to_pylist() == [{"a": 2**53 + 1, "b": "x"}]


@pytest.mark.parametrize("series", [FRAME.set_index(pd.Index(["x", "y"]))["a"], FRAME.set_axis(["x", "y"]).loc["x"]])
def test_a_series_that_may_be_a_row_or_a_column_is_refused(series: Any) -> None:
    with pytest.raises(InvalidDataError, match=r"of a row, send frame\.loc\[\['.'\]\], and of a column, series\.to_n"):
        to_table(series)


@pytest.mark.parametrize("index", [[0, 1], [0.5, 1.5], pd.to_datetime(["2026-01-01", "2026-01-02"])])
def test_other_series_are_columns(index: Any) -> None:
    series: Any = pd.Series([1.5, 2.5], index=index, name="a")
    assert to_table(series).to_pydict() == {"tensor": [1.5, 2.5]}


@pytest.mark.parametrize(
    "columns",
    [["a", "b"], ("a", "b"), FRAME.columns, np.array(["a", "b"]), (name for name in "ab"), pd.Series(["a", "b"])],
)
def test_names_of_columns_come_in_any_list(columns: Any) -> None:
    assert column_list(columns) == ["a", "b"]


def test_a_text_is_one_name_and_a_number_that_of_pandas() -> None:
    assert column_list("ab") == ["ab"]
    assert column_list("") == []
    assert column_list(pd.DataFrame(np.ones((1, 2))).columns) == ["0", "1"]  # pyright: ignore[reportArgumentType]
    assert column_list(pd.DataFrame([[1, 2]], columns=[400.5, 401]).columns) == ["400.5", "401.0"]  # pyright: ignore[reportArgumentType]


@pytest.mark.parametrize(
    "columns", [{"a", "b"}, frozenset("a"), {"a": 1}, 5, b"a", ["a", None], [True], [float("nan")], [("a",)]]
)
def test_what_has_no_order_or_is_no_name_is_refused(columns: Any) -> None:
    with pytest.raises(InvalidDataError, match=r"`columns` (is a list of names in their order|has .* no name)"):
        column_list(columns)


def test_instances_that_are_lists_have_the_names_that_are_given() -> None:
    rows = {"instances": [[1, 2.5], [3, 4.5]]}
    assert rows_to_send(rows, ["a", "b"]).to_pydict() == COLUMNS
    with pytest.raises(InvalidDataError):
        rows_to_send({"instances": [[1, 2.5], [3]]}, ["a", "b"])
