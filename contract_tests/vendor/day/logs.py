"""Reading the inference log: as a frame, as a table, in parts, and exported to files."""

from __future__ import annotations

import json
from datetime import timedelta, timezone
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from contract_tests.vendor.day.calls import Calls, Day, among, equal, numbers
from contract_tests.vendor.day.pipelines import frame

if TYPE_CHECKING:
    from pathlib import Path

LOGS = Calls()
_ONE = timedelta(milliseconds=1)


def exported(day: Day, name: str, **options: Any) -> list[Path]:
    """Export logs, and return the files."""
    directory = day.files / name
    day["pipeline"].export_logs(directory=str(directory), file_prefix="log", **options)
    return sorted(directory.iterdir())


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
    newest = day["log"]["time"].max().to_pydatetime().replace(tzinfo=timezone.utc)  # noqa: UP017 - as in the SDK's time
    found = day["pipeline"].logs(start_datetime=newest, end_datetime=newest + _ONE)
    equal(sorted(numbers(found["out.total"])), [6.0, 15.0])
    earlier = day["pipeline"].logs(start_datetime=newest - timedelta(days=1), end_datetime=newest - _ONE)
    equal(len(earlier) >= 2, True)
    equal(earlier["time"].max() < day["log"]["time"].max(), True)


@LOGS.add("Pipeline.logs(limit=1, start_datetime=…)", "reads a few of a window", "one row, the oldest")
def logs_window_limit(day: Day) -> None:
    newest = day["log"]["time"].max().to_pydatetime().replace(tzinfo=timezone.utc)  # noqa: UP017
    found = day["pipeline"].logs(limit=1, start_datetime=newest - timedelta(days=1), end_datetime=newest + _ONE)
    equal(list(found["time"]), [day["log"]["time"].min()])


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


@LOGS.add("Pipeline.export_logs(directory=…)", "exports the log as JSON", "a line of JSON for each row of the log")
def export_json(day: Day) -> None:
    [file] = exported(day, "as-json")
    rows = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    equal([row["out.total"][0] for row in rows], numbers(day["log"]["out.total"]))


@LOGS.add("Pipeline.export_logs(arrow=True)", "exports the log as Arrow", "a file with the rows of the log")
def export_arrow(day: Day) -> None:
    [file] = exported(day, "as-arrow", arrow=True)
    with pa.ipc.open_file(str(file)) as reader:
        equal(numbers(reader.read_all()["out.total"]), numbers(day["log"]["out.total"]))


@LOGS.add("Pipeline.export_logs(limit=…, start_datetime=…)", "exports a few of a window", "two rows, the oldest")
def export_window(day: Day) -> None:
    newest = day["log"]["time"].max().to_pydatetime().replace(tzinfo=timezone.utc)  # noqa: UP017
    window = {"start_datetime": newest - timedelta(days=1), "end_datetime": newest + _ONE}
    [file] = exported(day, "window", limit=2, **window)
    rows = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    equal([row["out.total"][0] for row in rows], numbers(day["log"]["out.total"])[:-3:-1])


@LOGS.add("Client.get_logs(topic)", "reads the log by its topic", "the rows of the log, and that these are all")
def get_logs(day: Day) -> None:
    found, status = day.client.get_logs(day["pipeline"].get_topic_name())
    equal((numbers(found["out.total"]), status), (numbers(day["log"]["out.total"]), "All"))


@LOGS.add("ModelVersion.logs()", "reads the log of a model", "rows of the log")
def model_logs(day: Day) -> None:
    found = day["sums"].logs(limit=2)
    equal(sorted(numbers(found["out.total"])), [6.0, 15.0])
