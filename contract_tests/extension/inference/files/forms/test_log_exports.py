"""Are exported logs and saved answers scored by their inputs, and nothing else taken for them?"""

from __future__ import annotations

import json
from importlib import import_module
from typing import TYPE_CHECKING, Any

import pytest
from pyarrow import feather, parquet

from contract_tests.extension.inference.files.forms.kinds_of_files import SCORED, SENT, nested, records
from contract_tests.extension.inference.files.forms.test_kinds_of_files import by_batch
from wallaroo_ext import InvalidDataError
from wallaroo_ext.batch.reading.data_source import open_source
from wallaroo_ext.batch.reading.positions import Position
from wallaroo_ext.cli.reading.input_rows import read_rows, select_columns
from wallaroo_ext.inference.inputs.rows import rows_to_send

if TYPE_CHECKING:
    from pathlib import Path

pa: Any = import_module("pyarrow")
pq: Any = parquet
ipc: Any = feather


def write(path: Path, rows: dict[str, list[Any]]) -> Path:
    """Write columns in the format of a name."""
    if path.suffix == ".parquet":
        pq.write_table(pa.table(rows), path)
    elif path.suffix == ".arrow":
        ipc.write_feather(pa.table(rows), str(path))
    elif path.suffix == ".csv":
        lines = [",".join(rows), *(",".join(map(str, row.values())) for row in records(rows))]
        path.write_text("\n".join(lines), encoding="utf-8")
    else:
        path.write_text(json.dumps(records(rows)), encoding="utf-8")
    return path


FILES = ["logs.parquet", "logs.arrow", "logs.json", "logs.csv"]
PLAIN = {"time": [1, 2], "in.a": [1.5, 2.5], "in.b": [3, 4], "out.y": [5.5, 6.5], "anomaly.count": [0, 1]}


@pytest.mark.parametrize("name", FILES)
def test_the_inputs_are_sent_under_their_names(name: str, tmp_path: Path) -> None:
    path = write(tmp_path / name, PLAIN)
    for read in (rows_to_send, by_batch):
        assert read(path).to_pydict() == {"a": [1.5, 2.5], "b": [3, 4]}
    assert rows_to_send(path, vector=True).to_pydict() == {"tensor": [[1.5, 3.0], [2.5, 4.0]]}


@pytest.mark.parametrize("name", FILES)
def test_other_columns_are_sent_where_they_are_named(name: str, tmp_path: Path) -> None:
    path = write(tmp_path / name, PLAIN)
    assert rows_to_send(path, ["out.y", "a"]).to_pydict() == {"out.y": [5.5, 6.5], "a": [1.5, 2.5]}
    assert select_columns(read_rows(str(path), ["a,time"]), ["a,time"], []).to_pydict() == {
        "a": [1.5, 2.5],
        "time": [1, 2],
    }
    with pytest.raises(InvalidDataError, match=r"no column 'in\.a' in the rows, but a"):
        rows_to_send(path, ["in.a"])


@pytest.mark.parametrize("name", FILES)
def test_other_columns_can_be_keys_of_a_run(name: str, tmp_path: Path) -> None:
    source = open_source(write(tmp_path / name, PLAIN))
    assert source.data_columns == ["a", "b"]
    chosen = source.select(["a", "time", "out.y"], None)
    chosen.decide(keys=["time"])
    rows = pa.Table.from_batches([batch for _, batch in chosen.batches(Position(0, 0))])
    assert [str(value) for value in rows.column("time")] == ["1", "2"]
    assert rows.column("out.y").to_pylist() == [5.5, 6.5]


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize(
    "rows",
    [
        {"time": [1], "a": [2.5]},
        {"in.a": [1.5], "out.y": [2.5], "weight": [3]},
        {"in": [1.5], "out": [2.5]},
        {"inside.a": [1], "time": [2]},
    ],
)
def test_other_rows_are_not_taken_for_logs(name: str, rows: dict[str, list[Any]], tmp_path: Path) -> None:
    path = write(tmp_path / name, rows)
    for read in (rows_to_send, by_batch):
        assert read(path).to_pydict() == rows


@pytest.mark.parametrize("name", FILES)
def test_an_input_wins_over_a_part_of_its_name(name: str, tmp_path: Path) -> None:
    path = write(tmp_path / name, {"time": [1], "in.time": [2.5], "out.y": [3]})
    for read in (rows_to_send, by_batch):
        assert read(path).to_pydict() == {"time": [2.5]}


def test_lists_in_csv_are_refused_with_what_to_export(tmp_path: Path) -> None:
    path = tmp_path / "logs.csv"
    path.write_text('time,in.a,out.y\n1,"[1.5, 2.5]",5\n', encoding="utf-8")
    with pytest.raises(InvalidDataError, match=r"logs\.csv .*'in\.a' has lists, .* as \.parquet, \.arrow or \.jsonl"):
        rows_to_send(path)
    assert rows_to_send(path, ["out.y"]).to_pydict() == {"out.y": [5]}


def test_the_values_of_other_columns_do_not_matter(tmp_path: Path) -> None:
    rows = SCORED | {"metadata.any": [1, "x", [None]], "check_failures": [[], [{"x": 1}], ["y"]]}
    for content in (records(rows), nested(rows)):
        path = tmp_path / "logs.json"
        path.write_text(json.dumps(content), encoding="utf-8")
        for read in (rows_to_send, by_batch):
            assert read(path).to_pydict() == SENT


@pytest.mark.parametrize(
    ("content", "sent"),
    [
        ({"in": {"0": {"a": 1.5}, "1": {"a": 2.5}}, "time": {"0": 1, "1": 2}}, {"a": [1.5, 2.5]}),
        ({"in": [{"a": 1.5}, {"a": 2.5}], "time": [1, 2]}, {"a": [1.5, 2.5]}),
        ({"in": {"0": 1.5, "1": 2.5}, "out": {"0": 0.5, "1": 1.0}}, {"0": [1.5], "1": [2.5]}),
        ({"in.a": [1.5, 2.5], "out.y": [0.5], "time": 1}, {"a": [[1.5, 2.5]]}),
        ({"in.a": {"x": 1.5}, "out.y": {"x": 0.5}}, {"a": [{"x": 1.5}]}),
    ],
)
def test_one_object_is_columns_or_one_record(
    content: dict[str, Any], sent: dict[str, list[Any]], tmp_path: Path
) -> None:
    path = tmp_path / "logs.json"
    path.write_text(json.dumps(content), encoding="utf-8")
    for read in (rows_to_send, by_batch):
        assert read(path).to_pydict() == sent


def test_scored_rows_as_columns_are_as_many_as_they_are(tmp_path: Path) -> None:
    path = tmp_path / "logs.json"
    path.write_text('{"in.a": [1.5, 2.5], "out.y": [0.5]}', encoding="utf-8")
    with pytest.raises(InvalidDataError, match=r"'in\.a' 2 and 'out\.y' 1; if it is one record, write it in a list"):
        rows_to_send(path)
    path.write_text('{"in.a": {}, "out.y": {}}', encoding="utf-8")
    with pytest.raises(InvalidDataError, match="there are no rows"):
        rows_to_send(path)


@pytest.mark.parametrize("name", ["answers.json", "answers.jsonl"])
def test_an_answer_of_2022_without_inputs_is_refused(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_text('{"original_data": {}, "outputs": []}', encoding="utf-8")
    with pytest.raises(InvalidDataError, match="it has no columns"):
        rows_to_send(path)


@pytest.mark.parametrize("names", [["a", "a"], ["in.a", "in.a"], ["in.a", "time", "time"]])
def test_two_columns_of_one_name_are_refused(names: list[str], tmp_path: Path) -> None:
    path = tmp_path / "rows.parquet"
    pq.write_table(pa.Table.from_arrays([pa.array([1])] * len(names), names=names), path)
    for read in (rows_to_send, by_batch):
        with pytest.raises(InvalidDataError, match=f"wo columns have the name '{names[-1]}'"):
            read(path)


def test_an_input_that_cannot_be_sent_is_named(tmp_path: Path) -> None:
    path = write(tmp_path / "logs.json", {"time": [1, 2], "in.a": [1, "x"]})
    for read in (rows_to_send, by_batch):
        with pytest.raises(InvalidDataError, match=r"'in\.a' cannot be read: row 1, 'x'"):
            read(path)
