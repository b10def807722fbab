"""Reading the inference log: as a frame, as a table, in parts, and exported to files."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from contract_tests.vendor.day.calls import Calls, Day, among, both, equal, numbers
from contract_tests.vendor.day.pipelines import frame

if TYPE_CHECKING:
    from pathlib import Path

LOGS = Calls()
_ONE = timedelta(milliseconds=1)
NO_MODELS = "the sandbox has topics of pipelines, which are recorded, and none of models"


def exported(day: Day, name: str, **options: Any) -> list[Path]:
    """Export logs, and return the files."""
    directory = day.files / name
    day["pipeline"].export_logs(directory=str(directory), file_prefix="log", **options)
    return sorted(directory.iterdir())


def sums_in(file: Path) -> list[float]:
    """Return the sums in an exported file of JSON."""
    rows = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    return [float(row["out.total"][0]) for row in rows]


@LOGS.add("Pipeline.logs()", "reads the log as a frame", "the rows that were just scored first")
def logs(day: Day) -> None:
    day["pipeline"].infer(frame())
    day["log"] = day["pipeline"].logs()
    equal(sorted(numbers(day["log"]["out.total"])[:2]), [6.0, 15.0])
    equal([name for name in day["log"].columns if name.startswith("metadata")], [])
    equal(list(day["log"]["time"]), sorted(day["log"]["time"], reverse=True))


@LOGS.add("Pipeline.logs(limit=3)", "reads a few", "three rows, the newest")
def logs_limit(day: Day) -> None:
    found = day["pipeline"].logs(limit=3)
    equal(list(found["time"]), list(day["log"]["time"])[:3])


@LOGS.add("Pipeline.logs(arrow=True)", "reads the log as a table", "the same rows, in Arrow")
def logs_arrow(day: Day) -> None:
    found = day["pipeline"].logs(arrow=True)
    equal(isinstance(found, pa.Table), True)
    equal(numbers(found["out.total"]), numbers(day["log"]["out.total"]))


@LOGS.add("Pipeline.logs(start_datetime=…, end_datetime=…)", "reads a window", "its rows, and no others")
def logs_window(day: Day) -> None:
    newest = day["log"]["time"].max().to_pydatetime().replace(tzinfo=UTC)
    found = day["pipeline"].logs(start_datetime=newest, end_datetime=newest + _ONE)
    equal(sorted(numbers(found["out.total"])), [6.0, 15.0])
    earlier = day["pipeline"].logs(start_datetime=newest - timedelta(days=1), end_datetime=newest - _ONE)
    equal(len(earlier) >= 2, True)
    equal(earlier["time"].max() < day["log"]["time"].max(), True)


@LOGS.add("Pipeline.logs(limit=1, start_datetime=…)", "reads a few of a window", "one row, the oldest")
def logs_window_limit(day: Day) -> None:
    newest = day["log"]["time"].max().to_pydatetime().replace(tzinfo=UTC)
    begin = newest - timedelta(days=1)
    [oldest] = day["pipeline"].logs(limit=1, start_datetime=begin, end_datetime=newest + _ONE)["time"]
    end = oldest.to_pydatetime().replace(tzinfo=UTC) + _ONE
    equal(set(day["pipeline"].logs(start_datetime=begin, end_datetime=end)["time"]), {oldest})


@LOGS.add("Pipeline.logs(…) of an empty window", "reads a window without rows", "a frame without rows")
def logs_empty_window(day: Day) -> None:
    begin = datetime(2001, 1, 1, tzinfo=UTC)
    equal(len(day["pipeline"].logs(start_datetime=begin, end_datetime=begin + timedelta(days=1))), 0)


@LOGS.add('Pipeline.logs(dataset=["*", "metadata"])', "reads metadata, too", "the model's name among them")
def logs_metadata(day: Day) -> None:
    found = day["pipeline"].logs(limit=2, dataset=["*", "metadata"])
    among("sums", found["metadata.last_model"][0])


@LOGS.add('Pipeline.logs(dataset=["out"])', "reads outputs only", "the sums, and no inputs")
def logs_outputs(day: Day) -> None:
    found = day["pipeline"].logs(limit=2, dataset=["time", "out"])
    equal(sorted(found.columns), ["out.total", "time"])
    equal(sorted(numbers(found["out.total"])), [6.0, 15.0])


@LOGS.add('Pipeline.logs(dataset_exclude=["in"])', "leaves inputs out", "the sums, and no inputs")
def logs_without_inputs(day: Day) -> None:
    found = day["pipeline"].logs(limit=2, dataset_exclude=["in"])
    equal([name for name in found.columns if name.startswith("in.")], [])
    equal(sorted(numbers(found["out.total"])), [6.0, 15.0])


@LOGS.add("Pipeline.export_logs(directory=…)", "exports the log as JSON", "lines of JSON, a file for each schema")
def export_json(day: Day) -> None:
    newest, *older = exported(day, "as-json")
    equal(sums_in(newest), numbers(day["log"]["out.total"]))
    equal(len(older) >= 1, True)  # rows that came in Arrow have another schema


@LOGS.add("Pipeline.export_logs(arrow=True)", "exports the log as Arrow", "files with the rows of the log")
def export_arrow(day: Day) -> None:
    newest, *_ = exported(day, "as-arrow", arrow=True)
    with pa.ipc.open_file(str(newest)) as reader:
        equal(numbers(reader.read_all()["out.total"]), numbers(day["log"]["out.total"]))


@LOGS.add("Pipeline.export_logs(limit=…, start_datetime=…)", "exports a few of a window", "two rows, the oldest")
def export_window(day: Day) -> None:
    newest = day["log"]["time"].max().to_pydatetime().replace(tzinfo=UTC)
    window = {"start_datetime": newest - timedelta(days=1), "end_datetime": newest + _ONE}
    [file] = exported(day, "window", limit=2, **window)
    equal(sums_in(file), [6.0, 15.0])


@LOGS.add(
    "Client.get_logs(topic)",
    "reads the log by its topic",
    "the rows, and that the schema changed",
)
def get_logs(day: Day) -> None:
    found, status = day.client.get_logs(day["pipeline"].get_topic_name())
    equal((numbers(found["out.total"]), status), (numbers(day["log"]["out.total"]), "SchemaChange"))


@LOGS.add("Client.get_raw_logs(topic, limit=2)", "reads the end of a topic", "the two rows that were scored last")
def raw_logs(day: Day) -> None:
    found = day.client.get_raw_logs(day["pipeline"].get_topic_name(), limit=2)
    equal([float(row["total"][0]) for row in found["out"]], [6.0, 15.0])


@LOGS.add("Client.get_raw_logs(topic, start=…, end=…)", "reads a window of a topic", "its rows, and no others")
def raw_logs_window(day: Day) -> None:
    topic = day["pipeline"].get_topic_name()
    newest = day["log"]["time"].max().to_pydatetime().replace(tzinfo=UTC)
    found = day.client.get_raw_logs(topic, start=newest, end=newest + _ONE)
    equal([float(row["total"][0]) for row in found["out"]], [6.0, 15.0])
    begin = datetime(2001, 1, 1, tzinfo=UTC)
    equal(len(day.client.get_raw_logs(topic, start=begin, end=begin + timedelta(days=1))), 0)


@LOGS.add("ModelVersion.logs()", "reads the log of a model", "rows of the log", **both(NO_MODELS))
def model_logs(day: Day) -> None:
    found = day["sums"].logs(limit=2)
    equal(sorted(numbers(found["out.total"])), [6.0, 15.0])
