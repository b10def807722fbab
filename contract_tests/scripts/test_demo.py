"""Does the demo take the models and the rows that people bring, and name the column that does not fit?"""

from __future__ import annotations

import io
import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import onnx
import pyarrow as pa
import pytest
from onnx import TensorProto, helper
from rich.console import Console

from contract_tests.support.data.exported_models import EXPORTED, Exported, logistic_regression, with_zip_map
from contract_tests.support.servers.forks import fork_server
from scripts.lib.demo.files import Job, UnfitFilesError, read_job, reason_of
from scripts.lib.demo.run import Report, describe_accuracy, run, show_outputs, texts_of
from wallaroo_ext import connect

if TYPE_CHECKING:
    from collections.abc import Generator

    from wallaroo_mlops_client import Client


@pytest.fixture(scope="module")
def client() -> Generator[Client]:
    with fork_server.running() as environment, connect(environment=environment) as connected:
        yield connected


def write_rows(rows: dict[str, Any], directory: Path) -> Path:
    """Write rows to a file and return its path."""
    path = directory / "rows.json"
    path.write_text(json.dumps([dict(zip(rows, row, strict=True)) for row in zip(*rows.values(), strict=True)]))
    return path


def shown_by_demo(client: Client, exported: Exported, data: Path, directory: Path) -> str:
    """Return what the demo prints of a model and its rows."""
    out = io.StringIO()
    console = Console(file=out, width=160)
    job = read_job(exported.save(directory), data, label=exported.label)
    assert show_outputs(console, job, run(client, Report(console), job))
    return out.getvalue()


@pytest.mark.parametrize("name", EXPORTED)
def test_a_model_as_exporters_write_it_is_shown_with_its_labels(client: Client, name: str, tmp_path: Path) -> None:
    exported = EXPORTED[name]()
    shown = shown_by_demo(client, exported, write_rows(exported.rows, tmp_path), tmp_path)
    assert [text for text in exported.shown if text not in shown] == []
    others = {"input", "user", "item", "text", "city", "rooms", "area"}
    label = list(exported.rows)[-1 if name != "random_forest" else 0]
    if label not in others and not name.startswith("double"):
        assert label in shown or "expected" in shown


def test_images_may_be_a_file_of_numpy(client: Client, tmp_path: Path) -> None:
    exported = EXPORTED["images"]()
    np.save(tmp_path / "images.npy", np.array(exported.rows["input"], np.float32))
    assert "[0, 1, 0]" in shown_by_demo(client, exported, tmp_path / "images.npy", tmp_path)


def test_there_are_twelve_at_least() -> None:
    assert len(EXPORTED) >= 12


def test_zip_map_is_refused_with_what_to_do(tmp_path: Path) -> None:
    model = Exported(with_zip_map(), {}).save(tmp_path)
    with pytest.raises(
        UnfitFilesError, match=r"'output_probability' .* skl2onnx, and with zipmap=False in onnxmltools"
    ):
        read_job(model, tmp_path / "rows.json")


def test_why_a_model_cannot_be_loaded_is_said(tmp_path: Path) -> None:
    exported = logistic_regression()
    exported.model.opset_import[0].version = 999
    with pytest.raises(UnfitFilesError, match=r"is no ONNX model that can be loaded: .*opset"):
        read_job(exported.save(tmp_path), tmp_path / "rows.json")


NUMBERS: dict[str, Any] = {"a": [0.5, 0.5], "b": [0.5, 0.5], "c": [0.5, 0.5]}


@pytest.mark.parametrize(
    ("name", "rows", "message"),
    [
        ("linear_regression", {**NUMBERS, "d": [0.5, 0.5]}, "They are 'a', 'b', 'c', 'd'. --label COLUMN names one"),
        (
            "linear_regression",
            {**NUMBERS, "d": [0.5] * 2, "e": [0.5] * 2},
            "--drop COLUMN leaves one out; 2 are",
        ),
        ("linear_regression", {"a": [0.5], "b": [1.5], "city": ["x"]}, "2 columns of numbers; .* other types: 'city'"),
        ("linear_regression", {"a": ["x"]}, "has no column 'X', of which the model takes .* It has 'a'"),
        ("linear_regression", {**NUMBERS, "b": [0.5, None]}, "'b' has no number in row 1.* --missing nan"),
        (
            "pipeline_of_columns",
            {"City": ["x"], "room": [1], "area": [1.0]},
            "the inputs 'city', 'rooms'. Near: 'City', 'room'",
        ),
        (
            "pipeline_of_columns",
            {"city": ["x"], "rooms": [1], "area": ["big"]},
            "'area' has .* such as 'big'; .* takes numbers",
        ),
        ("images", {"pixels": [0.5], "other": [0.5]}, r"no column 'input', .* shape \[3, 4, 4\]"),
    ],
)
def test_what_does_not_fit_is_named_by_its_column(name: str, rows: Any, message: str, tmp_path: Path) -> None:
    with pytest.raises(UnfitFilesError, match=message):
        read_job(EXPORTED[name]().save(tmp_path), write_rows(rows, tmp_path))


def of_two_numbers(kind: int, *rows: int | None, unchanged: bool = False) -> Exported:
    """Return a model that doubles two numbers of a type, or returns them, with a free or a fixed number of rows."""
    shape = [*(rows or (None,)), 2]
    x, y = (helper.make_tensor_value_info(name, kind, shape) for name in ("x", "y"))
    node = helper.make_node("Identity", ["x"], ["y"]) if unchanged else helper.make_node("Add", ["x", "x"], ["y"])
    graph = helper.make_graph([node], "doubled", [x], [y])
    return Exported(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), {})


@pytest.mark.parametrize(
    ("kind", "values", "message"),
    [
        (TensorProto.INT32, [1.0, 2.5], "'b' has 2.5 in row 1, .* whole numbers from -2147483648 to 2147483647"),
        (TensorProto.INT32, [1, 1 << 31], "'b' has 2147483648 in row 1"),
        (TensorProto.UINT8, [255, 256], "'b' has 256 in row 1, .* from 0 to 255"),
        (TensorProto.UINT8, [-1, 0], "'b' has -1 in row 0"),
        (TensorProto.INT64, [0.0, 1e300], "'b' has 1e.300 in row 1"),
    ],
)
def test_no_number_is_changed_to_fit_an_input_of_whole_numbers(
    kind: int, values: list[Any], message: str, tmp_path: Path
) -> None:
    data = write_rows({"a": [1, 2], "b": values}, tmp_path)
    with pytest.raises(UnfitFilesError, match=message):
        read_job(of_two_numbers(kind).save(tmp_path), data)


def test_whole_numbers_may_be_written_as_decimals(tmp_path: Path) -> None:
    data = write_rows({"a": [1, 2], "b": [1.0, 2.0]}, tmp_path)
    assert read_job(of_two_numbers(TensorProto.INT32).save(tmp_path), data).rows.column("x").to_pylist() == [
        [1, 1],
        [2, 2],
    ]


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        *[(kind, 100) for kind in (TensorProto.INT8, TensorProto.UINT8, TensorProto.INT16, TensorProto.UINT16)],
        *[(kind, (1 << 24) + 1) for kind in (TensorProto.INT32, TensorProto.UINT32)],
        *[(kind, (1 << 53) + 1) for kind in (TensorProto.INT64, TensorProto.UINT64)],
    ],
)
def test_whole_numbers_are_sent_with_all_their_digits(client: Client, kind: int, value: int, tmp_path: Path) -> None:
    """Those from 2**24 are no 32-bit floats."""
    model = of_two_numbers(kind, unchanged=True).save(tmp_path)
    job = read_job(model, write_rows({"a": [value], "b": [1]}, tmp_path))
    assert job.rows.column("x").to_pylist() == [[value, 1]]
    scored = run(client, Report(Console(file=io.StringIO())), job)
    assert [table.column("out.y").to_pylist() for table in scored.values()] == [[[value, 1]]] * 2


@pytest.mark.parametrize("kind", [TensorProto.INT64, TensorProto.INT32, TensorProto.UINT8, TensorProto.BOOL])
def test_no_nan_is_sent_where_an_input_takes_whole_numbers(kind: int, tmp_path: Path) -> None:
    model = of_two_numbers(kind, unchanged=True).save(tmp_path)
    for rows in ({"a": [1, 1], "b": [1, None]}, {"tensor": [[1, 1], [1, None]]}, {"x": [[1, 1], [1, None]]}):
        data = write_rows(rows, tmp_path)
        with pytest.raises(UnfitFilesError, match=r"' has no number in row 1, .* input 'x' takes whole numbers"):
            read_job(model, data, missing=True)


@pytest.mark.parametrize("rows", [{"tensor": [[1.0, 1.0], [1.0, None]]}, {"x": [[1.0, 1.0], [1.0, None]]}])
def test_a_number_that_is_missing_in_a_vector_is_named_by_its_row(rows: dict[str, Any], tmp_path: Path) -> None:
    data, model = write_rows(rows, tmp_path), of_two_numbers(TensorProto.FLOAT).save(tmp_path)
    with pytest.raises(UnfitFilesError, match=r"^The column '(x|tensor)' has no number in row 1, .* --missing nan"):
        read_job(model, data)
    assert read_job(model, data, missing=True).rows.num_rows == 2


def test_a_nan_in_a_file_is_a_number_that_is_missing(tmp_path: Path) -> None:
    np.save(tmp_path / "rows.npy", np.array([[1, 1], [1, np.nan]], np.float32))
    with pytest.raises(UnfitFilesError, match=r"has no number in row 1, .* --missing nan"):
        read_job(of_two_numbers(TensorProto.FLOAT).save(tmp_path), tmp_path / "rows.npy")


def test_a_model_for_a_fixed_number_of_rows_is_refused_with_what_to_do(tmp_path: Path) -> None:
    data = write_rows({"a": [1, 2], "b": [1, 2]}, tmp_path)
    model = of_two_numbers(TensorProto.FLOAT, 1).save(tmp_path)
    with pytest.raises(UnfitFilesError, match=r"takes 1 row at a time, and there are 2: .* dynamic_axes={'x': {0:"):
        read_job(model, data)
    assert read_job(of_two_numbers(TensorProto.FLOAT, 2).save(tmp_path), data).rows.num_rows == 2


def test_columns_may_be_left_out(tmp_path: Path) -> None:
    data = write_rows({**NUMBERS, "d": [0.5, 0.5], "e": [0.5, 0.5]}, tmp_path)
    model = EXPORTED["linear_regression"]().save(tmp_path)
    job = read_job(model, data, drop=["b", "e"])
    assert (job.rows.num_rows, job.label, job.notes) == (2, None, [])
    assert read_job(model, data, drop=["b", "b", "e"]).rows.equals(job.rows)
    with pytest.raises(UnfitFilesError, match=r"--drop: .* has no column 'bb'"):
        read_job(model, data, drop=["bb"])
    with pytest.raises(UnfitFilesError, match="--label and --drop name the same column, 'e'"):
        read_job(model, data, label="e", drop=["b", "e"])


def test_a_sequence_among_the_outputs_is_refused_with_how_to_leave_it_out(tmp_path: Path) -> None:
    exported = of_two_numbers(TensorProto.FLOAT)
    exported.model.graph.node.append(helper.make_node("SequenceConstruct", ["y"], ["parts"]))
    of = helper.make_tensor_type_proto(TensorProto.FLOAT, None)
    exported.model.graph.output.append(helper.make_value_info("parts", helper.make_sequence_type_proto(of)))
    model = exported.save(tmp_path)
    with pytest.raises(UnfitFilesError, match=r"'parts' .* seq\(.*\['x'\], \['y'\]\) writes") as raised:
        read_job(model, tmp_path / "rows.json")
    assert "ZipMap" not in str(raised.value)
    utils: Any = onnx.utils
    utils.extract_model(str(model), str(model), ["x"], ["y"])
    assert read_job(model, write_rows({"a": [1], "b": [2]}, tmp_path)).rows.num_rows == 1


def test_the_only_column_of_texts_is_what_a_model_of_texts_gets(tmp_path: Path) -> None:
    model = EXPORTED["texts"]().save(tmp_path)
    job = read_job(model, write_rows({"review": ["good", "bad"], "stars": [5, 1]}, tmp_path))
    assert job.rows.column(0).to_pylist() == ["good", "bad"]
    assert job.label == ("stars", [5, 1])


@pytest.mark.parametrize(
    ("reason", "shown"),
    [
        (
            "/onnxruntime_src/onnxruntime/normalizer.cc:235 ort::Locale(int)::<lambda()> Failed to construct locale",
            r"^Failed to construct locale It needs a language .* TfidfVectorizer\(lowercase=False\)",
        ),
        ("Type (tensor(double)) of output arg (y) does not match", "export it from 32-bit rows"),
        ("long " * 100, "^(long ){59}long…$"),
    ],
)
def test_a_reason_of_onnxruntime_says_what_to_do(reason: str, shown: str) -> None:
    assert re.search(shown, reason_of(ValueError(reason)))


def test_missing_numbers_are_sent_where_they_may_be(client: Client, tmp_path: Path) -> None:
    exported = EXPORTED["xgboost_classifier"]()
    data = write_rows(exported.rows | {"length": [None, 1.0, 0.0, 1.0]}, tmp_path)
    job = read_job(exported.save(tmp_path), data, missing=True)
    scored = run(client, Report(Console(file=io.StringIO())), job)
    assert scored["Arrow table"].column("out.label").to_pylist() == [0, 1, 0, 1]


def test_numbers_of_texts_become_texts(tmp_path: Path) -> None:
    """As a column of zip codes does that CSV shows as numbers."""
    data = tmp_path / "rows.csv"
    data.write_text("city,rooms,area\n10115,2,0.5\n")
    rows = read_job(EXPORTED["pipeline_of_columns"]().save(tmp_path), data).rows
    assert rows.column("city").to_pylist() == ["10115"]


@pytest.mark.parametrize(
    ("label", "message"), [("quality", "the column"), ("qualty", "has no column 'qualty'. Near: 'quality'")]
)
def test_a_label_may_be_named(label: str, message: str, tmp_path: Path) -> None:
    data = write_rows({**NUMBERS, "quality": [0.25, 0.75]}, tmp_path)
    model = EXPORTED["linear_regression"]().save(tmp_path)
    if label == "quality":
        assert read_job(model, data, label=label).label == ("quality", [0.25, 0.75])
        return
    with pytest.raises(UnfitFilesError, match=message):
        read_job(model, data, label=label)


@pytest.mark.parametrize(
    ("values", "kind", "texts"),
    [
        ([1e-7, 1.0, 0.1], pa.float32(), ["1e-07", "1", "0.1"]),
        ([1.1, 0.25], pa.float16(), ["1.1", "0.25"]),
        ([1e-7, 1.0, 1 / 3], pa.float64(), ["1e-07", "1", "0.3333333333333333"]),
        ([[1.000000119, 0.0, 0.0]], pa.list_(pa.float32()), ["[1.0000001, 0, 0]"]),
        ([[0.5] * 6], pa.list_(pa.float32()), ["[0.5, 0.5, 0.5, 0.5, … 2 more]"]),
        ([[3]], pa.list_(pa.int64()), ["3"]),
        ([["setosa"]], pa.list_(pa.string()), ["setosa"]),
    ],
)
def test_figures_have_the_digits_of_their_type(values: list[Any], kind: Any, texts: list[str]) -> None:
    arrow: Any = pa
    assert texts_of(arrow.array(values, kind)) == texts


def test_brackets_and_colons_in_names_and_texts_are_shown_as_they_are() -> None:
    job = Job("x", Path("x"), pa.table({"x": [1]}), {"a[b]": ["[/x]"]}, ("[l]", [":cat:"]), ["[red]note[/red] :dog:"])
    out = io.StringIO()
    assert show_outputs(Console(file=out, width=160), job, {"": pa.table({"out.a[b]": ["[cat, dog]"]})})
    for text in ("[cat, dog]", "[/x]", "out.a[b]", "[l]", ":cat:", "[red]note[/red] :dog:"):
        assert text in out.getvalue()


@pytest.mark.parametrize(
    ("values", "expected", "sentence"),
    [
        ([0.2, 0.9], [0, 1], "2 of 2 rows are right: the rounded output is what is expected."),
        ([1, 0], [True, True], "1 of 2 rows are right: 'o' is what is expected."),
        (["1", "0"], [1, 0], "2 of 2 rows are right: 'o' is what is expected."),
        ([2.5], [2], "The mean absolute error is 0.5: that of 'o'."),
        ([1.5], ["high"], None),
        ([1], [1.5], None),
        ([1], [1], "1 of 1 row are right: 'o' is what is expected."),
    ],
)
def test_how_far_an_output_is_right(values: list[Any], expected: list[Any], sentence: str | None) -> None:
    assert describe_accuracy("o", values, expected) == sentence
