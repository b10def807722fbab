"""Does `infer_dataset` read every kind of data set, and go on where it stopped?"""

from __future__ import annotations

import asyncio
import gzip
import json
import os
import shutil
import sys
import threading
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from pyarrow import csv, dataset, feather, fs, parquet

from contract_tests.support.command_line import Done, in_process, on_terminal
from contract_tests.support.data.batch_rows import (
    batch,
    check_scores,
    read_output,
    running_threads,
    scores_of,
    table_of,
    vectors,
    write_tables,
)
from wallaroo_ext import (
    BatchProgress,
    BatchRetries,
    ConfigurationError,
    DatasetScored,
    EngineError,
    InvalidDataError,
    NotFoundError,
    PartSize,
    ServerError,
    aio,
    deploy_pipeline,
    infer_dataset,
    undeploy,
    upload_model,
)
from wallaroo_ext._util.files.atomic_files import temporary_name
from wallaroo_ext._util.files.file_lock import locked
from wallaroo_ext.batch.reading import data_source, readers
from wallaroo_ext.batch.writing.parts import Part
from wallaroo_ext.batch.writing.storage import Storage

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from wallaroo_mlops_client import Client

    from wallaroo_ext.sandbox.control_client import Sandbox

pytestmark = pytest.mark.slow  # it scores data sets, and starts programs that are killed

arrow: Any = pa
pq: Any = parquet
texts: Any = csv
ipc: Any = feather
compute: Any = pc
files: Any = fs
files_of: Any = dataset.dataset
AT_ONCE = BatchRetries(first_pause=0.01)
SMALL: Any = {"keys": ["id"], "request_rows": 50, "part_size": PartSize(rows=200), "retries": AT_ONCE}


def announce(target: Path, name: str) -> None:
    """Record a file in the manifest, as a run does before it writes the file."""
    fields = manifest(target) | {"announced": [name]}
    (target / "_manifest.json").write_text(json.dumps(fields))


def manifest(target: Path) -> dict[str, Any]:
    return json.loads((target / "_manifest.json").read_bytes())


def names(directory: Path) -> list[str]:
    """Return the names of the files in a directory."""
    return sorted(each.name for each in directory.iterdir())


def check_output(target: Path, rows: Any, expected: Callable[[Any], np.ndarray[Any, Any]]) -> None:
    """Make sure that an output has every row once, in order, with the right score."""
    check_scores(read_output(target), rows, expected)


def write_form(path: Path, rows: Any) -> None:
    """Write rows in the form that a name says; logs have them as inputs."""
    records = rows.to_pylist()
    if path.suffix == ".stream":
        with arrow.ipc.new_stream(str(path), rows.schema) as writer:
            writer.write_table(rows)
    elif path.suffix == ".json":
        path.write_text(json.dumps(records))
    else:
        if path.stem == "logs":
            records = [{"time": 0, "out": {"y": [0]}, "in": record} for record in records]
        path.write_text("\n".join(map(json.dumps, records)))


class TestSources:
    def test_a_directory_of_parquet(
        self, client: Client, tmp_path: Path, expected: Callable[[Any], np.ndarray[Any, Any]]
    ) -> None:
        rows = arrow.concat_tables(write_tables(tmp_path / "in", 300, 1, 450))
        (tmp_path / "in" / "_SUCCESS").touch()
        done = infer_dataset(client, "rows", tmp_path / "in", tmp_path / "out", **SMALL)
        check_output(tmp_path / "out", rows, expected)
        assert (done.rows, done.rejected, done.parts, done.errors, done.rows_before) == (751, 0, 4, None, 0)
        assert [part["read"] for part in manifest(tmp_path / "out")["parts"]] == [200, 200, 200, 151]
        assert pq.read_schema(tmp_path / "out" / "part-000000.parquet").names == [
            "id",
            "time",
            "out.dense_1",
            "anomaly.count",
        ]

    @pytest.mark.parametrize("target", [None, 7, b"out"])
    def test_a_target_is_the_path_of_a_directory(self, client: Client, tmp_path: Path, target: Any) -> None:
        write_tables(tmp_path / "in", 1)
        with pytest.raises(InvalidDataError, match="which is no directory"):
            infer_dataset(client, "rows", tmp_path / "in", target, **SMALL)

    @pytest.mark.parametrize(
        "kind",
        [
            "parquet",
            "arrow",
            "feather",
            "stream",
            "json",
            "jsonl",
            "logs",
            "list",
            "glob",
            "deep glob",
            "dataset",
            "uri",
        ],
    )
    def test_other_kinds_of_files(
        self, client: Client, tmp_path: Path, kind: str, expected: Callable[[Any], np.ndarray[Any, Any]]
    ) -> None:
        tables = write_tables(tmp_path / "in" / "deep", 120, 80)
        rows = arrow.concat_tables(tables)
        place = tmp_path / "in" / "deep"
        source: Any = place / "rows-0.parquet"
        if kind == "parquet":
            rows = tables[0]
        elif kind in {"arrow", "feather"}:
            source = tmp_path / f"rows.{kind}"
            ipc.write_feather(rows, str(source), compression="uncompressed")
        elif kind in {"stream", "json", "jsonl", "logs"}:
            source = tmp_path / ("logs.jsonl" if kind == "logs" else f"rows.{kind}")
            write_form(source, rows)
        else:
            source = {
                "list": [place / "rows-0.parquet", place / "rows-1.parquet"],
                "glob": str(place / "rows-*.parquet"),
                "deep glob": str(tmp_path / "**" / "rows-?.parquet"),
                "dataset": dataset.dataset(place),
                "uri": place.as_uri(),
            }[kind]
        infer_dataset(client, "rows", source, tmp_path / "out", **SMALL)
        check_output(tmp_path / "out", rows, expected)

    @pytest.mark.parametrize("where", ["url", "object", "pyarrow's"])
    def test_the_file_systems_of_fsspec(
        self, client: Client, tmp_path: Path, where: str, expected: Callable[[Any], np.ndarray[Any, Any]]
    ) -> None:
        fsspec = pytest.importorskip("fsspec", reason="file systems of fsspec need: pip install fsspec")
        rows = arrow.concat_tables(write_tables(tmp_path / "in", 120, 80))
        memory = fsspec.filesystem("memory")
        memory.rm("/", recursive=True)
        memory.put(str(tmp_path / "in"), "/rows", recursive=True)
        options: Any = {} if where == "url" else {"filesystem": memory, "target_filesystem": memory}
        if where == "pyarrow's":
            wrapped = files.PyFileSystem(files.FSSpecHandler(memory))
            options = {"filesystem": wrapped, "target_filesystem": wrapped}
        begin = "memory://" if where == "url" else ""
        done = infer_dataset(client, "rows", f"{begin}/rows", f"{begin}/out", **SMALL, **options)
        assert done.rows == 200
        memory.get("/out", str(tmp_path / "out"), recursive=True)
        check_output(tmp_path / "out", rows, expected)
        assert infer_dataset(client, "rows", f"{begin}/rows", f"{begin}/out", **SMALL, **options).rows_before == 200

    def test_csv_with_chosen_columns_as_a_vector_and_a_filter(
        self, client: Client, tmp_path: Path, expected: Callable[[Any], np.ndarray[Any, Any]]
    ) -> None:
        rows = vectors(150)
        names = [f"c{n}" for n in range(29)]
        table: Any = arrow.table(
            {"id": range(150), "note": ["a", "b", "c"] * 50} | dict(zip(names, rows.T, strict=True))
        )
        texts.write_csv(table, str(tmp_path / "rows.csv"))
        options: Any = {"columns": names, "keys": ["id", "note"], "vector": True, "part_size": PartSize(rows=20)}
        options["types"] = {"id": "int64"}
        filters: list[Any] = [compute.field("note") == "b", [("note", "==", "b")]]
        for number, filtered in enumerate(filters):
            target = tmp_path / f"out-{number}"
            infer_dataset(client, "rows", tmp_path / "rows.csv", target, filter=filtered, **options)
            scored = read_output(target)
            assert scored.column("id").to_pylist() == list(range(1, 150, 3))
            np.testing.assert_allclose(scores_of(scored), expected(rows[1::3]).reshape(-1), atol=1e-5)

    def test_the_columns_of_hive_directories(self, client: Client, tmp_path: Path) -> None:
        for day in ("2024-01-02", "2024-01-01"):
            write_tables(tmp_path / "in" / f"day={day}", 10)
        infer_dataset(client, "rows", tmp_path / "in", tmp_path / "out", columns=["dense_input"], keys=["day", "id"])
        days = [str(day) for day in read_output(tmp_path / "out").column("day").to_pylist()]
        assert days == ["2024-01-01"] * 10 + ["2024-01-02"] * 10

    @pytest.mark.parametrize(
        ("source", "options", "message"),
        [
            ("nothing", {}, "There is no file"),
            ("*.nothing", {}, "no file that"),
            ("empty", {}, "no files in"),
            ("rows.unknown", {}, "of no known format"),
            ("mixed", {}, "several formats"),
            ("text.parquet", {}, "cannot be read as parquet"),
            ("rows.parquet", {"columns": ["other"]}, "no column 'other'"),
            ("rows.parquet", {"columns": ["idd"]}, "no column 'idd' in the data set, but id."),
            ("rows.parquet", {"keys": ["key"], "columns": ["id"]}, "no column 'key'"),
            (
                "rows.parquet",
                {"filter": [("other", ">", 1)]},
                "does not fit the data set: there is no column 'other', but",
            ),
            ("rows.parquet", {"filter": [("idd", ">", 1)]}, "there is no column 'idd', but id."),
            ("rows.parquet", {"filter": "id > 5"}, "A filter is"),
            ("rows.parquet", {"format": "xml"}, "parquet or arrow or json or csv or npy"),
            ("rows.parquet", {"max_errors": -1}, "max_errors"),
            ("rows.parquet", {"part_size": 1000}, "`part_size` is a PartSize, such as PartSize.rows=1000., not 1000"),
            ("rows.parquet", {"retries": 3}, "`retries` is a BatchRetries, such as BatchRetries.attempts=3., not 3"),
            ("rows.parquet", {"filesystem": 5}, "A file system is"),
            ([], {}, "list of files is empty"),
            (5, {}, "not int"),
        ],
    )
    def test_what_cannot_be_used_is_refused_before_anything_is_made(
        self, client: Client, tmp_path: Path, source: Any, options: Any, message: str
    ) -> None:
        [table] = write_tables(tmp_path / "all", 3)
        pq.write_table(table, tmp_path / "rows.parquet")
        (tmp_path / "empty").mkdir()
        (tmp_path / "rows.unknown").write_text("x")
        (tmp_path / "text.parquet").write_text("x")
        (tmp_path / "mixed").mkdir()
        for name in ("a.csv", "b.parquet"):
            (tmp_path / "mixed" / name).write_text("x")
        named = tmp_path / source if isinstance(source, str) else source
        with pytest.raises(InvalidDataError, match=message):
            infer_dataset(client, "rows", named, tmp_path / "out", **options)
        assert not (tmp_path / "out").exists()

    def test_other_wrong_calls(self, client: Client, tmp_path: Path) -> None:
        write_tables(tmp_path / "in", 3)
        wrong: Any = infer_dataset
        with pytest.raises(TypeError, match="unexpected keyword argument 'key'"):
            wrong(client, "rows", tmp_path / "in", tmp_path / "out", key="id")
        with pytest.raises(NotFoundError, match="nothing-here"):
            infer_dataset(client, "nothing-here", tmp_path / "in", tmp_path / "out")
        with pytest.raises(InvalidDataError, match="infer_batches takes rows that are in memory"):
            infer_dataset(client, "rows", files_of(arrow.table({"a": [1]})), tmp_path / "out")
        with pytest.raises(ConfigurationError, match="nothing://x"):
            infer_dataset(client, "rows", "nothing://x", tmp_path / "out")
        with pytest.raises(InvalidDataError, match="`rows` is a whole number from 1 on"):
            PartSize(rows=0)

    def test_without_pyarrow_it_says_what_to_install(
        self, client: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setitem(sys.modules, "pyarrow", None)
        with pytest.raises(ConfigurationError, match=r"pip install 'wallaroo-ext\[arrow\]'"):
            infer_dataset(client, "rows", tmp_path / "in", tmp_path / "out")

    def test_no_rows_are_a_complete_output(self, client: Client, tmp_path: Path) -> None:
        write_tables(tmp_path / "in", 5)
        done = infer_dataset(client, "rows", tmp_path / "in", tmp_path / "out", filter=[("id", ">", 9)], **SMALL)
        assert (done.rows, done.parts, manifest(tmp_path / "out")["complete"]) == (0, 0, True)

    def test_row_groups_before_the_position_are_not_read(self, tmp_path: Path) -> None:
        [table] = write_tables(tmp_path / "in", 900)
        source = data_source.open_source(tmp_path / "in")
        for row in (0, 1, 299, 300, 301, 899, 900):
            parts: list[Any] = list(source.batches(data_source.Position(0, row)))
            ids = [value for _, each in parts for value in each.column("id").to_pylist()]
            assert ids == table.column("id").to_pylist()[row:]
            assert all(each.column("id")[0].as_py() == place.row for place, each in parts)
        metadata: Any = pq.read_metadata(tmp_path / "in" / "rows-0.parquet")
        assert [readers.groups_from(metadata, row) for row in (299, 700, 900)] == [
            ([0, 1, 2], 0),
            ([2], 600),
            ([], 900),
        ]

    @pytest.mark.parametrize("kind", ["parquet", "arrow", "csv"])
    def test_any_position_with_and_without_a_filter(self, tmp_path: Path, kind: str) -> None:
        table: Any = arrow.table({"id": range(500), "even": [n % 2 == 0 for n in range(500)], "more": ["x"] * 500})
        writers: dict[str, Any] = {
            "parquet": partial(pq.write_table, row_group_size=64),
            "arrow": partial(ipc.write_feather, chunksize=64),
            "csv": texts.write_csv,
        }
        writers[kind](table, str(tmp_path / f"rows.{kind}"))
        cases: list[tuple[Any, list[int]]] = [
            (None, list(range(500))),
            ([("even", "==", True)], list(range(0, 500, 2))),
        ]
        for where, ids in cases:
            source = data_source.open_source(tmp_path / f"rows.{kind}", columns=["id"], where=where)
            for row in (0, 1, 63, 64, 65, len(ids) - 1, len(ids)):
                found: list[Any] = list(source.batches(data_source.Position(0, row)))
                assert [value for _, each in found for value in each.column("id").to_pylist()] == ids[row:]
                assert [ids[place.row] for place, _ in found] == [each.column("id")[0].as_py() for _, each in found]
                assert all(each.schema.names == ["id"] for _, each in found)

    def test_types_that_differ_become_one(self, tmp_path: Path) -> None:
        pq.write_table(arrow.table({"a": arrow.array([1], arrow.int64())}), tmp_path / "1.parquet")
        pq.write_table(arrow.table({"a": arrow.array([2], arrow.int32())}), tmp_path / "2.parquet")
        rows = [each.to_pylist() for _, each in data_source.open_source(tmp_path).batches(data_source.Position(0, 0))]
        assert rows == [[{"a": 1}], [{"a": 2}]]

    def test_a_file_that_lacks_a_column_is_named(self, tmp_path: Path) -> None:
        pq.write_table(arrow.table({"a": [1], "b": ["x"]}), tmp_path / "1.parquet")
        pq.write_table(arrow.table({"a": [2]}), tmp_path / "2.parquet")
        with pytest.raises(InvalidDataError, match=r"2\.parquet has no column 'b', which .*1\.parquet has"):
            list(data_source.open_source(tmp_path).batches(data_source.Position(0, 0)))
        rows = [
            e.to_pylist()
            for _, e in data_source.open_source(tmp_path, columns=["a"]).batches(data_source.Position(0, 0))
        ]
        assert rows == [[{"a": 1}], [{"a": 2}]]


class TestGoingOn:
    @pytest.fixture
    def stopped_at(self, control: Sandbox, client: Client, tmp_path: Path) -> Callable[[int], Path]:
        """Return a function that runs until so many requests were answered, and returns the directory of the output."""
        write_tables(tmp_path / "in", 300, 700)

        def stop(requests: int) -> Path:
            rule = {"operation": "infer_pipeline", "kind": "unknown-status", "skip": requests}
            control.add_faults(rule, rule | {"operation": "infer_deployment"})
            with pytest.raises(ServerError):
                infer_dataset(client, "rows", tmp_path / "in", tmp_path / "out", **SMALL | {"in_flight": 1})
            control.clear_faults()
            return tmp_path / "out"

        return stop

    @pytest.mark.parametrize("requests", [0, 1, 5, 7, 19])
    def test_a_run_that_failed_goes_on_there(
        self,
        client: Client,
        tmp_path: Path,
        stopped_at: Callable[[int], Path],
        requests: int,
        expected: Callable[[Any], np.ndarray[Any, Any]],
    ) -> None:
        target = stopped_at(requests)
        assert manifest(target)["complete"] is False
        assert not [name for name in names(target) if name.startswith(".")]
        done = infer_dataset(client, "rows", tmp_path / "in", target, **SMALL)
        assert (done.rows_before, done.rows, done.requests) == (requests * 50, 1000, 20 - requests)
        check_output(target, table_of(*(batch(300, 0), batch(700, 300))), expected)

    @pytest.mark.parametrize("requests", [0, 1, 7])
    def test_a_run_over_compressed_csv_in_another_encoding_goes_on_there(
        self,
        control: Sandbox,
        client: Client,
        tmp_path: Path,
        requests: int,
        expected: Callable[[Any], np.ndarray[Any, Any]],
    ) -> None:
        rows = vectors(400).astype(float)
        lines = ["größe;" + ";".join(f"c{n}" for n in range(29))]
        lines += [f"№{n};" + ";".join(str(value).replace(".", ",") for value in row) for n, row in enumerate(rows)]
        source = tmp_path / "rows.csv"
        source.write_bytes(gzip.compress("\r\n".join(lines).encode("utf-16")))
        options: Any = SMALL | {"keys": ["größe"], "vector": True, "decimal": ",", "in_flight": 1}
        rule = {"operation": "infer_pipeline", "kind": "unknown-status", "skip": requests}
        control.add_faults(rule, rule | {"operation": "infer_deployment"})
        with pytest.raises(ServerError):
            infer_dataset(client, "rows", source, tmp_path / "out", **options)
        control.clear_faults()
        done = infer_dataset(client, "rows", source, tmp_path / "out", **options)
        assert (done.rows_before, done.rows, done.requests) == (requests * 50, 400, 8 - requests)
        scored = read_output(tmp_path / "out")
        assert scored.column("größe").to_pylist() == [f"№{n}" for n in range(400)]
        np.testing.assert_allclose(scores_of(scored), expected(rows.astype(np.float32)).reshape(-1), atol=1e-5)

    def test_what_a_killed_run_left_behind_is_removed_and_done_again(
        self, client: Client, tmp_path: Path, stopped_at: Callable[[int], Path], expected: Callable[[Any], Any]
    ) -> None:
        target = stopped_at(9)
        [newest] = [name for name in names(target) if name.startswith("part-")][-1:]
        number = int(newest[5:11]) + 1
        shutil.copy(target / newest, target / f"part-{number:06d}.parquet")
        announce(target, f"part-{number:06d}.parquet")
        (target / temporary_name(f"part-{number:06d}.parquet")).write_text("half")
        infer_dataset(client, "rows", tmp_path / "in", target, **SMALL)
        check_output(target, table_of(*(batch(300, 0), batch(700, 300))), expected)
        assert not [name for name in names(target) if name.startswith(".")]

    def test_a_complete_run_does_nothing(self, client: Client, tmp_path: Path) -> None:
        write_tables(tmp_path / "in", 60)
        first = infer_dataset(client, "rows", tmp_path / "in", tmp_path / "out", **SMALL)
        again = infer_dataset(client, "rows", tmp_path / "in", tmp_path / "out", **SMALL | {"in_flight": 9})
        assert (first.requests, again.requests, again.rows, again.rows_before) == (2, 0, 60, 60)

    @pytest.mark.parametrize("changed", ["file", "new file", "columns", "keys", "filter", "wire", "encoding", "model"])
    def test_a_manifest_that_no_longer_fits_is_refused(
        self, client: Client, control: Sandbox, tmp_path: Path, changed: str, model_file: Path
    ) -> None:
        del control
        write_tables(tmp_path / "in", 60)
        name = f"changing-{changed.replace(' ', '-')}"
        version = upload_model(client, model_file, name=name, workspace=1)
        first = deploy_pipeline(client, name, version)
        infer_dataset(client, name, tmp_path / "in", tmp_path / "out", keys=["id"])
        before = names(tmp_path / "out"), (tmp_path / "out" / "_manifest.json").read_bytes()
        options: Any = {"keys": ["id"]}
        if changed == "file":
            os.utime(tmp_path / "in" / "rows-0.parquet", (1, 1))
        elif changed == "new file":
            shutil.copy(tmp_path / "in" / "rows-0.parquet", tmp_path / "in" / "rows-1.parquet")
        elif changed == "model":
            undeploy(client, first)
            other = model_file.read_bytes() + b"\x32\x05other"  # a field more, and so another SHA-256
            deploy_pipeline(client, name, upload_model(client, other, name=name, workspace=1))
        else:
            options |= {
                "columns": {"columns": ["dense_input"]},
                "keys": {"keys": [], "columns": ["dense_input"]},
                "filter": {"filter": [("id", ">", 5)]},
                "wire": {"wire": "json"},
                "encoding": {"encoding": "cp1252"},
            }[changed]
        with pytest.raises(InvalidDataError, match=r"output of another run: its \w+ changed.*Name another directory"):
            infer_dataset(client, name, tmp_path / "in", tmp_path / "out", **options)
        assert before == (names(tmp_path / "out"), (tmp_path / "out" / "_manifest.json").read_bytes())

    def test_a_deployment_of_the_same_model_may_be_another_one(
        self, client: Client, tmp_path: Path, model_file: Path
    ) -> None:
        write_tables(tmp_path / "in", 60)
        version = upload_model(client, model_file, name="again", workspace=1)
        with deploy_pipeline(client, "again", version) as first:
            infer_dataset(client, first, tmp_path / "in", tmp_path / "out", keys=["id"])
        with deploy_pipeline(client, "again-too", version) as second:
            again = infer_dataset(client, second, tmp_path / "in", tmp_path / "out", keys=["id"])
        assert again.rows_before == 60

    def test_a_directory_with_other_files_is_refused(self, client: Client, tmp_path: Path) -> None:
        write_tables(tmp_path / "in", 3)
        (tmp_path / "out").mkdir()
        (tmp_path / "out" / "part-000000.parquet").write_text("mine")
        with pytest.raises(InvalidDataError, match=r"files that are of no run, such as part-000000\.parquet"):
            infer_dataset(client, "rows", tmp_path / "in", tmp_path / "out", **SMALL)
        assert (tmp_path / "out" / "part-000000.parquet").read_text() == "mine"

    @pytest.mark.parametrize(("source", "target"), [("in", "in/scored"), ("in", "link/scored")])
    def test_a_directory_that_the_source_reads_is_refused(
        self, client: Client, tmp_path: Path, source: str, target: str
    ) -> None:
        """The next call would take what was written for rows to score."""
        write_tables(tmp_path / "in" / "a" / "b", 3)
        (tmp_path / "link").symlink_to(tmp_path / "in")
        with pytest.raises(InvalidDataError, match="is in the source"):
            infer_dataset(client, "rows", tmp_path / source, tmp_path / target, **SMALL)
        assert [path.name for path in (tmp_path / "in").iterdir()] == ["a"]

    def test_a_pattern_that_will_fit_the_output_is_refused(self, client: Client, tmp_path: Path) -> None:
        write_tables(tmp_path / "in", 3)
        (tmp_path / "link").symlink_to(tmp_path / "in")
        for place in ("in", "link"):
            with pytest.raises(InvalidDataError, match="is in the source"):
                infer_dataset(client, "rows", tmp_path / place / "**" / "*.parquet", tmp_path / "in" / "out", **SMALL)
        assert not (tmp_path / "in" / "out").exists()

    def test_a_directory_that_the_source_leaves_out_is_as_good_as_any(self, client: Client, tmp_path: Path) -> None:
        write_tables(tmp_path / "in", 3)
        for before in (0, 3):
            done = infer_dataset(client, "rows", tmp_path / "in", tmp_path / "in" / "_scored", **SMALL)
            assert (done.rows, done.rows_before) == (3, before)

    @pytest.mark.parametrize("content", ["{", "[]", '{"version": 2}', '{"version": 1, "parts": 5, "bound_to": {}}'])
    def test_a_broken_manifest_is_refused(self, client: Client, tmp_path: Path, content: str) -> None:
        write_tables(tmp_path / "in", 3)
        (tmp_path / "out").mkdir()
        (tmp_path / "out" / "_manifest.json").write_text(content)
        with pytest.raises(InvalidDataError, match=r"no manifest|another version"):
            infer_dataset(client, "rows", tmp_path / "in", tmp_path / "out", **SMALL)

    def test_two_runs_at_a_time_are_refused(self, client: Client, tmp_path: Path) -> None:
        write_tables(tmp_path / "in", 3)
        (tmp_path / "out").mkdir()
        with locked(tmp_path / "out" / "_lock", 0), pytest.raises(InvalidDataError, match="Another run writes"):
            infer_dataset(client, "rows", tmp_path / "in", tmp_path / "out", **SMALL)

    def test_a_disk_that_says_no_leaves_nothing_half_done(
        self, client: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, expected: Callable[[Any], Any]
    ) -> None:
        rows = arrow.concat_tables(write_tables(tmp_path / "in", 500))
        writing = Storage.writing

        def with_a_full_disk(storage: Storage, name: str) -> Any:
            if name == "part-000001.parquet":
                raise OSError(28, "No space left on device", name)
            return writing(storage, name)

        monkeypatch.setattr(Storage, "writing", with_a_full_disk)

        with pytest.raises(OSError, match="No space left"):
            infer_dataset(client, "rows", tmp_path / "in", tmp_path / "out", **SMALL)
        assert names(tmp_path / "out") == ["_lock", "_manifest.json", "part-000000.parquet"]
        monkeypatch.setattr(Storage, "writing", writing)
        assert infer_dataset(client, "rows", tmp_path / "in", tmp_path / "out", **SMALL).rows_before == 200
        check_output(tmp_path / "out", rows, expected)

    def test_an_interrupt_in_the_middle_of_writing_has_no_row_twice(
        self, client: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, expected: Callable[[Any], Any]
    ) -> None:
        rows = arrow.concat_tables(write_tables(tmp_path / "in", 1000))
        write, calls = Part.write, iter(range(1000))

        def interrupted(part: Part, table: Any) -> None:
            write(part, table)
            if next(calls) == 6:
                raise KeyboardInterrupt

        monkeypatch.setattr(Part, "write", interrupted)
        with pytest.raises(KeyboardInterrupt):
            infer_dataset(client, "rows", tmp_path / "in", tmp_path / "out", **SMALL)
        monkeypatch.setattr(Part, "write", write)
        assert infer_dataset(client, "rows", tmp_path / "in", tmp_path / "out", **SMALL).rows_before == 200
        check_output(tmp_path / "out", rows, expected)

    def test_an_interrupt_keeps_what_was_scored(
        self, client: Client, tmp_path: Path, expected: Callable[[Any], Any]
    ) -> None:
        rows = arrow.concat_tables(write_tables(tmp_path / "in", 20_000))
        seen: list[BatchProgress] = []

        def interrupt(now: BatchProgress) -> None:
            seen.append(now)
            if now.rows >= 100:
                raise KeyboardInterrupt

        options = SMALL | {"part_size": PartSize(rows=100_000)}
        with pytest.raises(KeyboardInterrupt):
            infer_dataset(client, "rows", tmp_path / "in", tmp_path / "out", progress=interrupt, **options)
        done = infer_dataset(client, "rows", tmp_path / "in", tmp_path / "out", **options)
        assert 0 < done.rows_before == seen[-1].rows < 20_000
        check_output(tmp_path / "out", rows, expected)

    @pytest.mark.parametrize("what", ["source", "progress"])
    def test_so_does_an_error_of_the_source_or_of_the_progress_function(
        self, client: Client, tmp_path: Path, what: str, expected: Callable[[Any], Any]
    ) -> None:
        rows = arrow.concat_tables(write_tables(tmp_path / "in", 2000, 1000))
        path = tmp_path / "in" / "rows-1.parquet"
        whole, state = path.read_bytes(), path.stat()
        options = SMALL | {"part_size": PartSize(rows=100_000)}

        def fail(now: BatchProgress) -> None:
            if what == "progress" and now.rows:
                raise ZeroDivisionError

        if what == "source":
            begin = pq.read_metadata(path).row_group(0).column(0).dictionary_page_offset
            path.write_bytes(whole[:begin] + b"\xff" * 50 + whole[begin + 50 :])
            os.utime(path, ns=(state.st_atime_ns, state.st_mtime_ns))
        error = InvalidDataError if what == "source" else ZeroDivisionError
        with pytest.raises(error, match=r"rows-1\.parquet cannot be read as parquet" if what == "source" else None):
            infer_dataset(client, "rows", tmp_path / "in", tmp_path / "out", progress=fail, **options)
        path.write_bytes(whole)
        os.utime(path, ns=(state.st_atime_ns, state.st_mtime_ns))
        done = infer_dataset(client, "rows", tmp_path / "in", tmp_path / "out", **options)
        assert 0 < done.rows_before < 3000
        assert done.rows_before == 2000 or what == "progress"
        check_output(tmp_path / "out", rows, expected)


LOOKUP: Any = {"columns": ["index"], "keys": ["name"], "request_rows": 64, "part_size": PartSize(rows=100)}


class TestRejectedRows:
    @staticmethod
    def rows_with_wrong_ones(directory: Path, *wrong: int) -> list[int]:
        values = [n % 10 for n in range(1000)]
        for number in wrong:
            values[number] = 1000 + number
        directory.mkdir()
        for part in (0, 1):
            begin = part * 500
            table = arrow.table(
                {"index": values[begin : begin + 500], "name": [f"n{n}" for n in range(begin, begin + 500)]}
            )
            pq.write_table(table, directory / f"{part}.parquet")
        return values

    def test_they_go_to_a_file_and_the_others_go_on(self, client: Client, lookup: str, tmp_path: Path) -> None:
        wrong = (0, 499, 500, 640, 641, 999)
        self.rows_with_wrong_ones(tmp_path / "in", *wrong)
        done = infer_dataset(client, lookup, tmp_path / "in", tmp_path / "out", **LOOKUP)
        assert (done.rows, done.rejected, done.errors) == (994, 6, str(tmp_path / "out" / "_errors.jsonl"))
        records = [json.loads(line) for line in (tmp_path / "out" / "_errors.jsonl").read_text().splitlines()]
        assert [(each["row"], each["keys"]) for each in records] == [(n, {"name": f"n{n}"}) for n in wrong]
        places = [(each["file"].removeprefix(str(tmp_path / "in")), each["row_in_file"]) for each in records]
        assert places == [(f"/{n // 500}.parquet", n % 500) for n in wrong]
        assert all("out of" in each["reason"] for each in records)
        assert read_output(tmp_path / "out").column("name").to_pylist() == [
            f"n{n}" for n in range(1000) if n not in wrong
        ]

    def test_the_file_has_the_scheme_of_the_target(self, client: Client, lookup: str, tmp_path: Path) -> None:
        fsspec: Any = pytest.importorskip("fsspec", reason="file systems of fsspec need: pip install fsspec")
        fsspec.filesystem("memory").rm("/", recursive=True)
        self.rows_with_wrong_ones(tmp_path / "in", 1)
        done = infer_dataset(client, lookup, tmp_path / "in", "memory://out/rejected", **LOOKUP)
        assert (done.target, done.errors) == ("memory://out/rejected", "memory://out/rejected/_errors.jsonl")
        with fsspec.open(done.errors) as opened:
            assert json.loads(opened.read())["row"] == 1

    @pytest.mark.parametrize("most", [0, 2])
    def test_a_limit_stops_it_and_a_higher_one_goes_on(
        self, client: Client, lookup: str, tmp_path: Path, most: int
    ) -> None:
        wrong = (70, 400, 800)
        self.rows_with_wrong_ones(tmp_path / "in", *wrong)
        with pytest.raises(EngineError) as raised:
            infer_dataset(client, lookup, tmp_path / "in", tmp_path / "out", max_errors=most, **LOOKUP)
        assert ("More than 2 rows" in str(raised.value)) is (most == 2)
        before = manifest(tmp_path / "out")
        assert before["rejected"] <= most
        announce(tmp_path / "out", "_errors.jsonl")
        with (tmp_path / "out" / "_errors.jsonl").open("a") as opened:
            opened.write("of a run that was killed\n")
        done = infer_dataset(client, lookup, tmp_path / "in", tmp_path / "out", max_errors=None, **LOOKUP)
        assert (done.rows, done.rejected) == (997, 3)
        records = [json.loads(line) for line in (tmp_path / "out" / "_errors.jsonl").read_text().splitlines()]
        assert [each["row"] for each in records] == list(wrong)

    def test_rows_that_do_not_fit_at_all_end_it_soon(self, client: Client, control: Sandbox, tmp_path: Path) -> None:
        self.rows_with_wrong_ones(tmp_path / "in")
        with pytest.raises(EngineError, match="More than 20 rows were rejected"):
            infer_dataset(client, "rows", tmp_path / "in", tmp_path / "out", max_errors=20, **LOOKUP)
        assert manifest(tmp_path / "out")["rejected"] <= 20
        del control

    def test_a_call_that_no_row_fits_is_an_error_and_leaves_the_directory_for_the_right_one(
        self, client: Client, lookup: str, tmp_path: Path
    ) -> None:
        self.rows_with_wrong_ones(tmp_path / "in")
        for _ in range(2):
            with pytest.raises(InvalidDataError, match=r"Every row was rejected, all 1000: .*name.*`vector`"):
                infer_dataset(client, lookup, tmp_path / "in", tmp_path / "out", columns=["name"])
        done = infer_dataset(client, lookup, tmp_path / "in", tmp_path / "out", **LOOKUP)
        assert (done.rows, done.rejected) == (1000, 0)
        assert "_errors.jsonl" not in names(tmp_path / "out")

    def test_parts_in_which_all_rows_are_rejected(self, client: Client, lookup: str, tmp_path: Path) -> None:
        self.rows_with_wrong_ones(tmp_path / "in", *range(300))
        done = infer_dataset(client, lookup, tmp_path / "in", tmp_path / "out", **LOOKUP)
        assert (done.rows, done.rejected) == (700, 300)
        assert read_output(tmp_path / "out").column("name").to_pylist() == [f"n{n}" for n in range(300, 1000)]


class TestProgress:
    def test_a_function_is_told_rows_and_rows_a_second(self, client: Client, tmp_path: Path) -> None:
        write_tables(tmp_path / "in", 1000)
        reports: list[BatchProgress] = []
        infer_dataset(client, "rows", tmp_path / "in", tmp_path / "out", progress=reports.append, **SMALL)
        assert (reports[0].rows, reports[-1].rows, reports[-1].of) == (0, 1000, 1000)
        assert {report.stage for report in reports} == {"scoring"}
        assert reports[-1].rows_per_second == pytest.approx(1000 / reports[-1].seconds)
        filtered: list[BatchProgress] = []
        options = SMALL | {"filter": [("id", "<", 10)]}
        infer_dataset(client, "rows", tmp_path / "in", tmp_path / "few", progress=filtered.append, **options)
        assert (filtered[-1].rows, filtered[-1].of) == (10, None)


class TestAsyncio:
    def test_it_does_the_same(
        self, control: Sandbox, url: str, tmp_path: Path, expected: Callable[[Any], np.ndarray[Any, Any]]
    ) -> None:
        rows = arrow.concat_tables(write_tables(tmp_path / "in", 400))

        async def main() -> DatasetScored:
            async with aio.connect(environment=control.environment) as client:
                return await aio.infer_dataset(client, url, tmp_path / "in", tmp_path / "out", **SMALL)

        assert asyncio.run(main()).rows == 400
        check_output(tmp_path / "out", rows, expected)

    def test_a_cancelled_task_keeps_what_was_scored(self, control: Sandbox, url: str, tmp_path: Path) -> None:
        write_tables(tmp_path / "in", 50_000)
        begun = threading.Event()

        async def main() -> None:
            async with aio.connect(environment=control.environment) as client:

                def tell(now: BatchProgress) -> None:
                    if now.rows:
                        begun.set()

                task = asyncio.create_task(
                    aio.infer_dataset(client, url, tmp_path / "in", tmp_path / "out", progress=tell, **SMALL)
                )
                await asyncio.to_thread(begun.wait, 30)
                task.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await task

        asyncio.run(main())
        assert not running_threads()
        kept = manifest(tmp_path / "out")
        assert kept["complete"] is False
        assert sum(part["scored"] for part in kept["parts"]) == read_output(tmp_path / "out").num_rows > 0


class TestCommand:
    @pytest.fixture
    def wallaroo(
        self, control: Sandbox, url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> Callable[..., Done]:
        del url
        return in_process(dict(control.environment), monkeypatch, capsys)

    def test_a_run_and_what_it_says(
        self, wallaroo: Callable[..., Done], tmp_path: Path, expected: Callable[[Any], np.ndarray[Any, Any]]
    ) -> None:
        rows = arrow.concat_tables(write_tables(tmp_path / "in", 300, 200))
        arguments = ("batch", str(tmp_path / "in"), str(tmp_path / "out"), "--pipeline", "rows", "--keys", "id")
        done = wallaroo(*arguments)
        assert (done.code, done.out) == (0, "")
        assert done.err.startswith("500 rows in 1 file in ")
        check_output(tmp_path / "out", rows, expected)
        assert "500 rows by an earlier run" in wallaroo(*arguments).err

    def test_json_lines(self, wallaroo: Callable[..., Done], tmp_path: Path) -> None:
        write_tables(tmp_path / "in", 300)
        done = wallaroo(
            "batch",
            str(tmp_path / "in"),
            str(tmp_path / "out"),
            "--pipeline",
            "rows",
            "--keys",
            "id",
            "--json",
            "--request-rows",
            "10",
            "--in-flight",
            "2",
            "--part-rows",
            "100",
        )
        lines = [json.loads(line) for line in done.out.splitlines()]
        assert {"event": "progress", "rows": 0, "of": 300}.items() <= lines[0].items()
        assert {"event": "done", "rows": 300, "parts": 3, "requests": 30, "rejected": 0}.items() <= lines[-1].items()

    def test_columns_filters_and_a_vector(
        self, wallaroo: Callable[..., Done], tmp_path: Path, expected: Callable[[Any], np.ndarray[Any, Any]]
    ) -> None:
        rows = vectors(100)
        columns = {f"c{n}": rows[:, n] for n in range(29)}
        table = arrow.table({"id": range(100), "kind": ["a b", "c"] * 50, "label": [True, False] * 50} | columns)
        texts.write_csv(table, str(tmp_path / "rows.csv"))
        begin = ("batch", str(tmp_path / "rows.csv"), str(tmp_path / "out"), "--pipeline", "rows", "--vector")
        done = wallaroo(
            *begin,
            "--keys",
            "id,kind",
            "--drop",
            "label",
            "--filter",
            "id >= 10",
            "--filter",
            "kind == 'a b'",
            "--filter",
            "label = true",
        )
        assert done.code == 0, done.err
        scored = read_output(tmp_path / "out")
        assert scored.column("id").to_pylist() == [str(n) for n in range(10, 100, 2)]
        np.testing.assert_allclose(scores_of(scored), expected(rows[10::2]).reshape(-1), atol=1e-5)

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            (("--keys", "idd"), "--keys: there is no column 'idd' in the data set, but id."),
            (("--drop", "id,dense_input"), "No column is left"),
            (("--keys", "id,id"), "--keys: the column 'id' is named twice."),
            (("--columns", "dense_input,dense_input"), "--columns: the column 'dense_input' is named twice."),
            (("--filter", "id,dense_input >= 3"), "a condition is about one column"),
            (("--filter", "id"), "a condition is a column, a sign and a value"),
            (("--filter", "idd > 1"), "--filter: there is no column 'idd'"),
            (("--filter", "id > many"), "'many' is no value of the type int64"),
        ],
    )
    def test_wrong_calls_in_a_sentence(
        self, wallaroo: Callable[..., Done], tmp_path: Path, arguments: tuple[str, ...], message: str
    ) -> None:
        write_tables(tmp_path / "in", 10)
        done = wallaroo("batch", str(tmp_path / "in"), str(tmp_path / "out"), "--pipeline", "rows", *arguments)
        assert message in done.sentence
        assert done.code == 2

    def test_rejected_rows_are_told(self, wallaroo: Callable[..., Done], lookup: str, tmp_path: Path) -> None:
        del lookup
        TestRejectedRows.rows_with_wrong_ones(tmp_path / "in", 3)
        arguments = ("batch", str(tmp_path / "in"), str(tmp_path / "out"), "--pipeline", "lookup", "--keys", "name")
        stopped = wallaroo(*arguments, "--max-errors", "0")
        assert stopped.code == 1
        assert "out of" in stopped.sentence
        done = wallaroo(*arguments)
        assert done.code == 0
        assert "1 row rejected, with the reasons in " in done.err

    def test_a_terminal_shows_a_bar_with_rows_a_second(self, control: Sandbox, url: str, tmp_path: Path) -> None:
        del url
        write_tables(tmp_path / "in", 20_000)
        shown = on_terminal(
            "batch",
            str(tmp_path / "in"),
            str(tmp_path / "out"),
            "--pipeline",
            "rows",
            "--keys",
            "id",
            "--request-rows",
            "200",
            environment=dict(control.environment),
            columns=120,
        )
        assert "of 20,000 rows, " in shown.out
        assert " a second" in shown.out
        assert "20,000 rows in 1 file in " in shown.out

    def test_a_terminal_shows_each_event_in_json_on_a_line(self, control: Sandbox, url: str, tmp_path: Path) -> None:
        del url
        write_tables(tmp_path / "in", 20)
        words = ["batch", str(tmp_path / "in"), str(tmp_path / "out"), "--pipeline", "rows", "--keys", "id", "--json"]
        shown = on_terminal(*words, environment=dict(control.environment))
        assert [json.loads(line)["event"] for line in shown.out.splitlines()][-1] == "done"
