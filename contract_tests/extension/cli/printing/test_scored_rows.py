"""Do scored rows reach the terminal and every kind of file, whatever release and step they come from?"""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from contract_tests.support.command_line import SCRIPT, environment_of
from contract_tests.support.servers.scoring_instance import MODELS, ROWS, SCORED, SUMS, URL, Adding
from wallaroo_ext import outputs
from wallaroo_ext._util.arrow.files import from_file, to_file
from wallaroo_ext.cli.printing.output_rows import show_scored
from wallaroo_ext.cli.reading import input_rows
from wallaroo_ext.inference.scored_rows.answers import from_records

if TYPE_CHECKING:
    from collections.abc import Callable

    from contract_tests.support.command_line import Done
    from contract_tests.support.servers.scoring_instance import Form, Step

pa: Any = import_module("pyarrow")
parquet: Any = import_module("pyarrow.parquet")
ALL_PARTS = {"dataset[]": ["*"], "dataset.exclude[]": ["metadata"], "dataset.separator": ["."]}


def read(file: Path) -> list[dict[str, Any]]:
    """Return the rows of a file, with the values that its format has."""
    if file.suffix == ".csv":
        with file.open(newline="") as opened:
            return list(csv.DictReader(opened))
    if file.suffix == ".json":
        return json.loads(file.read_bytes())
    table: Any = from_file(file.read_bytes()) if file.suffix == ".arrow" else parquet.read_table(file)
    return table.to_pylist()


@pytest.fixture
def rows(tmp_path: Path) -> str:
    file = tmp_path / "rows.arrow"
    file.write_bytes(to_file(pa.table(ROWS)).to_pybytes())
    return str(file)


@pytest.fixture
def score(wallaroo: Callable[..., Done]) -> Callable[..., Done]:
    """Return a function that runs a command on an instance, whose deployment it names by `URL`."""

    def run(instance: Adding, *arguments: str) -> Done:
        with instance.serving() as url:
            settings = {"WALLAROO_API_URL": url.partition("/v1/")[0], "WALLAROO_TOKEN": "t-51f0c9d2"}
            return wallaroo(*(url if each == URL else each for each in arguments), environment=settings)

    return run


@pytest.mark.parametrize("ending", ["arrow", "parquet", "csv", "json"])
@pytest.mark.parametrize("form", ["nested", "older JSON"])
@pytest.mark.parametrize("step", SCORED)
def test_outputs_of_several_models_are_in_the_file(
    score: Callable[..., Done], rows: str, tmp_path: Path, ending: str, form: Form, step: Step
) -> None:
    target = tmp_path / f"scored.{ending}"
    instance = Adding(form, step)
    done = score(instance, "infer", URL, rows, "--output", str(target))
    assert done.code == 0, done.err
    assert instance.queries == [ALL_PARTS]
    found = read(target)
    older = ["check_failures"] if "older" in form else []
    assert list(found[0]) == ["time", "in.tensor", *SCORED[step], *older, "anomaly.count"]
    as_text = ending == "csv"
    assert [row["anomaly.count"] for row in found] == (["0", "1", "0"] if as_text else [0, 1, 0])
    assert [float(row["out.total"]) if as_text else row["out.total"][0] for row in found] == SUMS
    if step == "shadow":
        last = found[-1]["out_other.1.total"]
        assert (float(last) if as_text else last[0]) == -SUMS[-1]
    if step.startswith("split"):
        models = [row["out._model_split"] if as_text else row["out._model_split"][0] for row in found]
        assert [json.loads(model) if isinstance(model, str) else model for model in models] == [*MODELS, MODELS[0]]


@pytest.mark.parametrize("ending", ["arrow", "parquet", "csv", "json"])
def test_keys_stand_beside_their_scores_and_are_not_sent(
    score: Callable[..., Done], tmp_path: Path, ending: str
) -> None:
    file, target = tmp_path / "rows.arrow", tmp_path / f"scored.{ending}"
    file.write_bytes(to_file(pa.table({"zip": ["007", "08", "9"], "day": [1, 2, 3], **ROWS})).to_pybytes())
    done = score(Adding(), "infer", URL, str(file), "--keys", "zip,day", "--output", str(target))
    assert done.code == 0, done.err
    found = read(target)
    assert list(found[0])[:4] == ["zip", "day", "time", "in.tensor"]
    assert [row["zip"] for row in found] == ["007", "08", "9"]
    assert [str(row["day"]) for row in found] == ["1", "2", "3"]


def test_a_terminal_and_programs_see_the_keys(
    score: Callable[..., Done], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "rows.arrow"
    file.write_bytes(to_file(pa.table({"id": [5, 6, 7], **ROWS})).to_pybytes())
    lines = score(Adding(), "infer", URL, str(file), "--keys", "id", "--json").out.splitlines()
    assert [next(iter(json.loads(line).items())) for line in lines] == [("id", 5), ("id", 6), ("id", 7)]
    show_scored(pa.table({"id": [5, 6], "time": [1, 2], "out.total": [[1.5], [2.0]]}), ["id"])
    assert [line.split() for line in capsys.readouterr().out.splitlines()] == [
        ["row", "id", "out.total"],
        ["0", "5", "1.5"],
        ["1", "6", "2.0"],
    ]


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ("ids", "there is no column 'ids' in the rows, but id"),
        ("id,id", "--keys: the column 'id' is named twice"),
        ("time", "the answer has a column 'time', too"),
    ],
)
def test_keys_that_cannot_be_are_refused(score: Callable[..., Done], tmp_path: Path, keys: str, message: str) -> None:
    file = tmp_path / "rows.arrow"
    file.write_bytes(to_file(pa.table({"id": [5, 6, 7], "time": [1, 2, 3], **ROWS})).to_pybytes())
    instance = Adding()
    done = score(instance, "infer", URL, str(file), "--keys", keys, "--drop", "id" if keys == "time" else "time,id")
    assert (done.code, message in done.sentence) == (2, True)
    assert instance.queries == []


def test_a_key_may_be_a_time_where_the_answer_has_none(score: Callable[..., Done], tmp_path: Path) -> None:
    file = tmp_path / "rows.arrow"
    file.write_bytes(to_file(pa.table({"time": [1, 2, 3], **ROWS})).to_pybytes())
    done = score(Adding(), "infer", URL, str(file), "--keys", "time", "--dataset-exclude", "time", "--json")
    assert [json.loads(line)["time"] for line in done.out.splitlines()] == [1, 2, 3]


def test_the_first_answer_tells_that_a_key_is_named_like_an_output(
    score: Callable[..., Done], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(input_rows, "_REQUEST_BYTES", 1)
    file = tmp_path / "rows.arrow"
    file.write_bytes(to_file(pa.table({"id": [5, 6, 7], "out.total": [1, 2, 3], **ROWS})).to_pybytes())
    instance = Adding()
    done = score(instance, "infer", URL, str(file), "--keys", "out.total", "--columns", "tensor")
    assert (done.code, "the answer has a column 'out.total', too" in done.sentence) == (2, True)
    assert len(instance.queries) == 1
    lines = score(instance, "infer", URL, str(file), "--keys", "id", "--columns", "tensor", "--json").out.splitlines()
    assert [json.loads(line)["id"] for line in lines] == [5, 6, 7]
    assert len(instance.queries) == 4


def test_times_with_nanoseconds_are_shown_without_pandas() -> None:
    program = """
import pyarrow as pa
from wallaroo_ext._util.arrow.no_pandas import hide_pandas
from wallaroo_ext.cli.printing.output_rows import flat_column, show_logged, show_scored
hide_pandas()
times = pa.chunked_array([pa.array([1_700_000_000_000_000_001], pa.timestamp("ns"))])
lists = pa.chunked_array([pa.array([[1_700_000_000_000_000_001, 2]], pa.list_(pa.timestamp("ns")))])
show_scored(pa.table({"at": times, "out.y": lists}), ["at"])
show_logged(pa.table({"time": times}))
print(flat_column(lists)[0])
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.count("2023-11-14 22:13:20.000000001") == 4


@pytest.mark.parametrize("encoding", ["ascii", "cp1252"])
def test_rows_are_json_in_any_encoding(rows: str, encoding: str) -> None:
    file = f"{rows}-keys"
    Path(file).write_bytes(to_file(pa.table({"who": ["ü", "\u0085", "🚀"], **ROWS})).to_pybytes())
    with Adding().serving() as url:
        settings = {"WALLAROO_API_URL": url.partition("/v1/")[0], "WALLAROO_TOKEN": "t", "PYTHONIOENCODING": encoding}
        command = [*SCRIPT, "infer", url, file, "--keys", "who"]
        done = subprocess.run(command, env=environment_of(settings), capture_output=True, check=True)
    found = [json.loads(line)["who"] for line in done.stdout.decode(encoding).splitlines()]
    assert found == ["ü", "\u0085", "🚀"]


def test_parts_of_the_answer_are_options(score: Callable[..., Done], rows: str) -> None:
    instance = Adding()
    given = ["--dataset", "*,metadata", "--dataset-exclude", "in", "--dataset-exclude", "time"]
    done = score(instance, "infer", URL, rows, "--json", *given, "--dataset-separator", "/")
    first = json.loads(done.out.splitlines()[0])
    assert list(first)[:3] == ["out.total", "anomaly.count", "metadata.last_model"]
    assert instance.queries == [
        {"dataset[]": ["*", "metadata"], "dataset.exclude[]": ["in", "time"], "dataset.separator": ["/"]}
    ]


def test_parts_of_the_answer_are_options_of_a_batch(score: Callable[..., Done], rows: str, tmp_path: Path) -> None:
    instance = Adding("nested", "shadow")
    for target, given in (("a", []), ("b", ["--dataset", "*,in.tensor", "--dataset-separator", ""])):
        done = score(instance, "batch", rows, str(tmp_path / target), "--pipeline", URL, *given)
        assert done.code == 0, done.err
    assert instance.queries == [
        ALL_PARTS | {"dataset.exclude[]": ["in", "metadata"]},
        {"dataset[]": ["*", "in.tensor"], "dataset.exclude[]": ["metadata"]},
    ]
    [file] = (tmp_path / "b").glob("part-*.parquet")
    table: Any = parquet.read_table(file)
    assert table.column_names == ["time", "in.tensor", *SCORED["shadow"], "anomaly.count"]
    assert outputs(table)["out_other.1.total"].tolist() == [[-total] for total in SUMS]


def test_a_terminal_shows_the_outputs_of_all_models_and_failures_in_one_way(capsys: pytest.CaptureFixture[str]) -> None:
    record: dict[str, Any] = {"time": 0, "in": {"a": 1}, "out": {"_model_split": [MODELS[0]], "y": 2.5}}
    show_scored(from_records([record | {"out_b.1": {"y": 3.5}, "check_failures": ["x", "y"]}]))
    heading, *_, last = [line for line in capsys.readouterr().out.splitlines() if line.strip()]
    assert heading.split() == ["row", "out._model_split", "out.y", "out_b.1.y", "anomaly.count"]
    assert last.split()[-3:] == ["2.5", "3.5", "2"]
