"""Does `wallaroo-ext logs` bring the log of a pipeline to the terminal, to programs and into every kind of file?"""

from __future__ import annotations

import csv
import json
from importlib import import_module
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from contract_tests.support.command_line import on_terminal
from contract_tests.support.sandbox.steering import JANUARY_MS, PIPELINE, seed_pipeline, seed_rows
from contract_tests.support.servers.forks.fork_server import running
from wallaroo_ext._util import progress
from wallaroo_ext._util.arrow.files import from_file
from wallaroo_ext.cli.printing import row_files
from wallaroo_ext.errors import InvalidDataError
from wallaroo_ext.logs import pages, pipeline_logs

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from pathlib import Path

    from contract_tests.support.command_line import Done

pa: Any = import_module("pyarrow")
parquet: Any = import_module("pyarrow.parquet")

ROWS = 25
MINUTE = 60_000
BATCH_ROWS = 2_000
ENDINGS = [".csv", ".parquet", ".arrow", ".jsonl"]


@pytest.fixture(scope="module")
def logged() -> Generator[dict[str, str]]:
    """Yield the environment of a sandbox with a pipeline that has scored a row a minute."""
    with running() as environment:
        with httpx.Client(base_url=environment["WALLAROO_API_URL"], timeout=30) as http:
            number = seed_pipeline(http)
            rows = [{"time": JANUARY_MS + MINUTE * row, "in.x": [0.5, 1.5], "out.y": [row / 4]} for row in range(ROWS)]
            seed_rows(http, number, rows)
        yield environment


@pytest.fixture
def logs(wallaroo: Callable[..., Done], logged: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Callable[..., Done]:
    """Return a function that runs the command for the pipeline, whose log has several pages."""
    monkeypatch.setattr(pages, "PAGE_ROWS", 7)

    def run(*arguments: str) -> Done:
        return wallaroo("logs", PIPELINE, *arguments, environment=logged)

    return run


def read(file: Path) -> list[Any]:
    """Return the outputs in a file."""
    if file.suffix == ".csv":
        with file.open(newline="") as opened:
            return [float(row["out.y"]) for row in csv.DictReader(opened)]
    if file.suffix == ".jsonl":
        return [json.loads(line)["out.y"][0] for line in file.read_text().splitlines()]
    table: Any = from_file(file.read_bytes()) if file.suffix == ".arrow" else parquet.read_table(file)
    return [value[0] for value in table.column("out.y").to_pylist()]


class TestFiles:
    @pytest.mark.parametrize("ending", ENDINGS)
    def test_all_pages_are_in_the_file(self, logs: Callable[..., Done], tmp_path: Path, ending: str) -> None:
        file = tmp_path / f"rows{ending}"
        done = logs("--output", str(file), "--oldest-first")
        assert (done.code, done.out, done.err) == (0, "", f"25 rows of the log are in {file}.\n")
        assert read(file) == [row / 4 for row in range(ROWS)]
        assert [each.name for each in tmp_path.iterdir()] == [file.name]

    @pytest.mark.parametrize("machine", [True, False])
    def test_people_are_told_how_far_it_is_and_programs_are_not(
        self, logs: Callable[..., Done], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, machine: bool
    ) -> None:
        monkeypatch.setattr(progress, "_LINE_SECONDS", 0.0)
        done = logs("--output", str(tmp_path / "rows.csv"), *(["--json"] if machine else []))
        assert ("25 rows are read." in done.err) is not machine

    @pytest.mark.parametrize("ending", ENDINGS)
    def test_no_rows_are_a_file_that_can_be_read(self, logs: Callable[..., Done], tmp_path: Path, ending: str) -> None:
        file = tmp_path / f"none{ending}"
        done = logs("--output", str(file), "--start", "2024-01-01", "--json")
        assert (done.code, json.loads(done.out)) == (0, {"output": str(file), "rows": 0})
        if ending in {".arrow", ".parquet"}:
            table: Any = from_file(file.read_bytes()) if ending == ".arrow" else parquet.read_table(file)
            assert (table.num_rows, table.column_names) == (0, ["time"])
        else:
            assert file.read_bytes() == b""

    def test_a_file_is_whole_or_as_it_was(
        self, logs: Callable[..., Done], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        file = tmp_path / "rows.csv"
        file.write_text("as it was")
        taken = row_files._Columns.take  # pyright: ignore[reportPrivateUsage] - the rows that a file takes

        def take(columns: Any, table: Any) -> None:
            if columns.schema is not None:
                raise InvalidDataError("The second page cannot be written.")
            taken(columns, table)

        monkeypatch.setattr(row_files._Columns, "take", take)  # pyright: ignore[reportPrivateUsage]
        done = logs("--output", str(file))
        assert (done.code, done.sentence) == (2, "The second page cannot be written.")
        assert file.read_text() == "as it was"
        assert [each.name for each in tmp_path.iterdir()] == ["rows.csv"]

    def test_what_interrupts_it_leaves_no_file(
        self, logs: Callable[..., Done], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def interrupted(*_: Any, **__: Any) -> Generator[Any]:
            yield pa.record_batch({"out.y": [1.0, 2.0]})
            raise KeyboardInterrupt

        monkeypatch.setattr(pipeline_logs, "pipeline_log_batches", interrupted)
        file = tmp_path / "rows.parquet"
        done = logs("--output", str(file))
        assert (done.code, done.err) == (130, f"Interrupted: 2 rows were read; nothing was written to {file}.\n")
        assert list(tmp_path.iterdir()) == []

    def test_another_ending_is_refused(self, logs: Callable[..., Done], tmp_path: Path) -> None:
        done = logs("--output", str(tmp_path / "rows.xls"))
        assert (done.code, "has to end in .csv, .parquet, .arrow, .jsonl" in done.sentence) == (2, True)

    @pytest.mark.parametrize("ending", ENDINGS)
    def test_rows_with_other_columns_are_said_where_a_file_has_one_kind(self, tmp_path: Path, ending: str) -> None:
        first, other = pa.record_batch({"out.y": [1.0, 2.0]}), pa.record_batch({"out.z": ["a"]})

        def write() -> None:
            with row_files.writing_rows(tmp_path / f"rows{ending}") as add:
                add(first)
                add(other)

        if ending == ".jsonl":
            write()
            assert (tmp_path / "rows.jsonl").read_text().splitlines()[-1] == '{"out.z":"a"}'
            return
        with pytest.raises(InvalidDataError, match=r"After 2 rows the columns are others.*--limit 2, or write .jsonl"):
            write()
        assert list(tmp_path.iterdir()) == []

    @pytest.mark.parametrize("ending", ENDINGS)
    def test_what_is_written_is_not_held(self, tmp_path: Path, ending: str) -> None:
        most = 0
        with row_files.writing_rows(tmp_path / f"rows{ending}") as add:
            before = pa.total_allocated_bytes()
            for number in range(12):
                add(pa.record_batch({"out.y": pa.array([float(number)] * BATCH_ROWS)}))
                most = max(most, pa.total_allocated_bytes() - before)
        assert most < 6 * 8 * BATCH_ROWS

    def test_lists_of_several_values_are_texts_in_csv(self, logs: Callable[..., Done], tmp_path: Path) -> None:
        file = tmp_path / "rows.csv"
        logs("--output", str(file), "--limit", "1")
        with file.open(newline="") as opened:
            [row] = csv.DictReader(opened)
        assert (row["in.x"], row["out.y"]) == ("[0.5, 1.5]", "6")

    def test_a_column_has_one_form_in_csv(self, tmp_path: Path) -> None:
        """The form is that of the first rows, whatever the rows of a page are."""
        pages_of_lists: list[list[list[float] | None]] = [[[1.0, 2.0]], [[3.0], None], [[]]]
        with row_files.writing_rows(tmp_path / "rows.csv") as add:
            for page in pages_of_lists:
                add(pa.record_batch({"out.y": pa.array(page, pa.list_(pa.float32()))}))
        assert (tmp_path / "rows.csv").read_text() == '"out.y"\n"[1.0, 2.0]"\n"[3.0]"\n\n"[]"\n'

    @pytest.mark.parametrize("kind", [pa.list_(pa.float32()), pa.large_list(pa.float64()), pa.list_(pa.int8(), 1)])
    def test_a_list_of_one_value_may_be_missing_later(self, tmp_path: Path, kind: Any) -> None:
        with row_files.writing_rows(tmp_path / "rows.csv") as add:
            for page in ([], [[1], [2]], [None, [3]]):
                add(pa.record_batch({"out.y": pa.array(page, kind)}))
        assert (tmp_path / "rows.csv").read_text() == '"out.y"\n1\n2\n\n3\n'

    @pytest.mark.parametrize("other", [[[2.0, 3.0]], [[]]])
    def test_other_lists_than_the_first_ones_are_refused_in_csv(self, tmp_path: Path, other: Any) -> None:
        kind = pa.list_(pa.float32())

        def write() -> None:
            with row_files.writing_rows(tmp_path / "rows.csv") as add:
                add(pa.record_batch({"out.y": pa.array([[1.0]], kind)}))
                add(pa.record_batch({"out.y": pa.array(other, kind)}))

        with pytest.raises(InvalidDataError, match=r"After 1 rows there are lists with several values.*write .jsonl"):
            write()
        assert list(tmp_path.iterdir()) == []


class TestAnswers:
    def test_programs_get_a_row_a_line(self, logs: Callable[..., Done]) -> None:
        for arguments in ((), ("--json",)):
            done = logs(*arguments)
            rows = [json.loads(line) for line in done.out.splitlines()]
            assert (done.code, done.err, len(rows)) == (0, "", ROWS)
            assert rows[0] == {
                "time": "2023-01-01T00:24:00.000Z",
                "in.x": [0.5, 1.5],
                "out.y": [6.0],
                "anomaly.count": 0,
            }

    def test_a_span_and_a_limit(self, logs: Callable[..., Done]) -> None:
        done = logs("--start", "2023-01-01T00:02:00Z", "--end", "2023-01-01T00:20:00Z", "--limit", "9")
        times = [json.loads(line)["time"] for line in done.out.splitlines()]
        assert (times[0], times[-1], len(times)) == ("2023-01-01T00:19:00.000Z", "2023-01-01T00:11:00.000Z", 9)

    def test_metadata_are_there_where_they_are_asked_for(self, logs: Callable[..., Done]) -> None:
        [row] = [json.loads(line) for line in logs("--limit", "1", "--metadata").out.splitlines()]
        assert "metadata.last_model" in row

    @pytest.mark.parametrize(
        ("arguments", "code", "sentence"),
        [
            (("nothing",), 1, "No workspace of this user has a pipeline 'nothing'"),
            ((PIPELINE, "--start", "soon"), 2, "not 'soon'"),
            ((PIPELINE, "--limit", "0"), 2, "limit"),
            ((PIPELINE, "--workspace", "elsewhere"), 1, "no workspace 'elsewhere'"),
        ],
    )
    def test_a_mistake_is_a_sentence(
        self,
        wallaroo: Callable[..., Done],
        logged: dict[str, str],
        arguments: tuple[str, ...],
        code: int,
        sentence: str,
    ) -> None:
        done = wallaroo("logs", *arguments, environment=logged)
        assert (done.code, sentence in done.sentence) == (code, True)


class TestTerminal:
    def test_it_shows_the_newest_rows_and_that_there_are_more(self, logged: dict[str, str]) -> None:
        shown = on_terminal("logs", PIPELINE, environment=logged).out.splitlines()
        assert shown[0].split("  ")[0] == "time (UTC)"
        assert len(shown) == 12
        assert shown[1].startswith("2023-01-01 00:24")
        assert "more rows; --limit N" in shown[-1]

    def test_it_shows_as_many_as_are_asked_for(self, logged: dict[str, str]) -> None:
        shown = on_terminal("logs", PIPELINE, "--limit", "12", environment=logged).out.splitlines()
        assert len(shown) == 13

    def test_it_says_that_there_are_none(self, logged: dict[str, str]) -> None:
        shown = on_terminal("logs", PIPELINE, "--start", "2024-01-01", environment=logged)
        assert shown.out.strip() == "The log has no rows in this time."
