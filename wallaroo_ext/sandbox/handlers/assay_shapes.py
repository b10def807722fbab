"""The forms in which releases show assays, their results, and the logged rows that they are computed from."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import orjson

from wallaroo_ext._util.arrow.no_pandas import to_values
from wallaroo_ext._util.json_values import list_of
from wallaroo_ext.sandbox.assays.request_forms import newer_baseline, newer_window, watched_path
from wallaroo_ext.sandbox.assays.scheduled import created_microseconds

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from wallaroo_ext.sandbox.handlers.calls import Call
    from wallaroo_ext.sandbox.inference.inference_log import LoggedBatch
    from wallaroo_ext.sandbox.options import SandboxOptions
    from wallaroo_ext.sandbox.storage.store import Row

_OLDEST_RESULT = (
    "assay_id",
    "name",
    "created_at",
    "elapsed_millis",
    "pipeline_id",
    "pipeline_name",
    "iopath",
    "baseline_summary",
    "window_summary",
    "warning_threshold",
    "alert_threshold",
    "score",
    "scores",
    "index",
    "summarizer_meta",
    "status",
)
_LISTED_ONLY = ("bin_width", "add_outlier_edges")
_STATISTICS = ("count", "min", "max", "mean", "median", "std")


def _listed_only(options: SandboxOptions, summarizer: dict[str, Any]) -> dict[str, Any]:
    """Return the fields of a summarizer that only the list of the oldest release has, and no result."""
    return {} if options.is_since("2023.1") else {name: summarizer.get(name) for name in _LISTED_ONLY}


def assay(options: SandboxOptions, row: Row, statuses: Iterable[str]) -> dict[str, Any]:
    """Return an assay with its fields in the recorded order.

    Args:
        options: The options with the release.
        row: The assay, with its workspace.
        statuses: The statuses of its results.
    """
    from wallaroo_ext.sandbox.assays.runs import shown_summarizer

    request: dict[str, Any] = orjson.loads(row["request"])
    warning = request.get("warning_threshold")
    shown = {
        "id": row["id"],
        "name": request["name"],
        "active": bool(row["active"]),
        "status": "created" if row["last_run"] is None else _status(row["last_run"], list(statuses)),
        "warning_threshold": None if warning is None else float(warning),
        "alert_threshold": float(request["alert_threshold"]),
        "pipeline_id": row["pipeline_id"],
        "pipeline_name": request["pipeline_name"],
        "last_run": row["last_run"],
        "next_run": _next_run(row, request),
        "run_until": request.get("run_until"),
        "updated_at": row["updated_at"],
        "baseline": _baseline(options, request),
        "window": _window(options, request),
        "summarizer": shown_summarizer(request["summarizer"]) | _listed_only(options, request["summarizer"]),
    }
    if options.is_since("2024.2"):
        shown |= {"workspace_id": row["workspace_id"], "workspace_name": row["workspace_name"]}
    return shown


def _next_run(row: Row, request: dict[str, Any]) -> str:
    """Return when the next window begins, as recorded: also behind the assay's end; before a run, when it was created.

    The second version of the assays has another time, when that window will have ended (`get_next_assay_run_v2`).
    """
    from wallaroo_ext.sandbox.assays.runs import Plan
    from wallaroo_ext.sandbox.assays.windows import LATEST, format_with_offset, parse_time

    created = created_microseconds(row)
    if row["last_run"] is None:
        return format_with_offset(created)
    plan = Plan.of(request, created)
    if row["next_run"] is not None:
        return format_with_offset(parse_time(row["next_run"]) - plan.width)
    schedule = plan.schedule(LATEST)
    return format_with_offset(min(schedule.begin(schedule.complete), LATEST))


def _status(run_at: str, statuses: list[str]) -> str:
    """Return what an assay shows as its status after a run: a text that has JSON."""
    counts = {"num_ok": "Ok", "num_warnings": "Warning", "num_alerts": "Alert"}
    return json.dumps({"run_at": run_at} | {name: statuses.count(status) for name, status in counts.items()})


def _baseline(options: SandboxOptions, request: dict[str, Any]) -> dict[str, Any]:
    """Return a baseline as it was sent; from 2024.2 on in the newer form only."""
    if "Fixed" not in request["baseline"]:
        return request["baseline"]
    if options.is_since("2024.2"):
        from wallaroo_ext.sandbox.assays.runs import baseline_times

        start, end = baseline_times("Fixed", request["baseline"]["Fixed"])
        return newer_baseline(request, f"{((end or 0) - (start or 0)) // 1_000_000} seconds")
    fixed = request["baseline"]["Fixed"]
    return {"Fixed": {name: fixed[name] for name in ("pipeline", "model", "start_at", "end_at")}}


def _window(options: SandboxOptions, request: dict[str, Any]) -> dict[str, Any]:
    """Return a window as it was sent; from 2024.2 on in the newer form only."""
    window = request["window"]
    if "pipeline_name" in window or options.is_since("2024.2"):
        return newer_window(request)
    return {name: window.get(name) for name in ("pipeline", "model", "width", "start", "interval")}


def result(options: SandboxOptions, request: dict[str, Any], found: dict[str, Any]) -> dict[str, Any]:
    """Return a result of a run in the form of the release.

    Args:
        options: The options with the release.
        request: The request of the assay.
        found: The result, with what its place says of it: `id`, `pipeline_id` and so on are null in interactive ones.
    """
    if not options.is_since("2023.1"):
        return _oldest_result(request, found)
    shown = dict(found)
    workspace = {name: shown.pop(name, None) for name in ("workspace_id", "workspace_name")}
    if options.is_since("2023.4"):
        del shown["iopath"]
    return shown | workspace if options.is_since("2024.2") else shown


def _oldest_result(request: dict[str, Any], found: dict[str, Any]) -> dict[str, Any]:
    """Return a result as 2022.4 showed it: with names, and with the time of the run in milliseconds."""
    from wallaroo_ext.sandbox.assays.windows import parse_time

    is_baseline = found["status"] == "BaselineRun"
    shown = found | {
        "name": request["name"],
        "pipeline_id": request["pipeline_id"],
        "pipeline_name": request["pipeline_name"],
        "created_at": parse_time(found["analyzed_at"]) // 1000,
        "index": found["bin_index"],
        "summarizer_meta": json.dumps(found["summarizer"], separators=(",", ":"))
        if is_baseline
        else found["summarizer"],
    }
    return {name: shown[name] for name in _OLDEST_RESULT}


def known_of(call: Call, workspace_id: int, batch: LoggedBatch) -> dict[str, Any]:
    """Return what the log knows of rows that were scored together and, for the oldest release, which model version."""
    origin = batch.origin
    known: dict[str, Any] = {
        "model_name": batch.model_name,
        "model_sha": batch.model_sha,
        "elapsed_ns": batch.elapsed_ns,
        "parse_ns": origin.parse_ns,
    }
    if not call.instance.options.is_since("2023.1"):
        known["model_version"] = _model_version(call, workspace_id, batch)
    places = {"pipeline_version": origin.pipeline_version, "engine": origin.partition}
    return known | {name: place for name, place in places.items() if place}


def _model_version(call: Call, workspace_id: int, batch: LoggedBatch) -> str:
    """Return the newest version of a batch's model in a workspace; it is empty where there is none."""
    query = (
        "SELECT version FROM model_versions JOIN models ON models.id = model_id "
        "WHERE workspace_id = ? AND name = ? AND sha = ? ORDER BY model_versions.id DESC"
    )
    with call.instance.store.reading() as db:
        row = db.execute(query, (workspace_id, batch.model_name, batch.model_sha)).fetchone()
    return "" if row is None else row["version"]


def flat_rows(batch: LoggedBatch, limit: int | None) -> Iterator[dict[str, Any]]:
    """Yield the first rows of a batch, flat, with their times in milliseconds."""
    import pyarrow as pa

    table = batch.table.slice(0, limit)
    times = table.column("time").cast(pa.int64()).to_pylist()
    values = {name: to_values(table.column(name)) for name in table.column_names} | {"time": times}
    yield from (dict(zip(values, row, strict=True)) for row in zip(*values.values(), strict=True))


def logged_row(options: SandboxOptions, row: dict[str, Any], batch: dict[str, Any]) -> dict[str, Any]:
    """Return a logged row in the form of the release.

    Args:
        options: The options with the release.
        row: The time in milliseconds, and the columns `in.<field>` and `out.<field>`.
        batch: What is known of the rows that were scored together: `model_name`, `model_sha`, `elapsed_ns`, `parse_ns`,
            `pipeline_name`, `pipeline_version`, `engine` and, of the oldest release, `model_version`.
    """
    if not options.is_since("2023.1"):
        return _oldest_row(row, batch)
    last_model = json.dumps({"model_name": batch["model_name"], "model_sha": batch["model_sha"]}, separators=(",", ":"))
    if not options.is_since("2023.4"):
        profile = json.dumps({"elapsed_ns": batch["elapsed_ns"]})
        return row | {"metadata.last_model": last_model, "metadata.profile": profile}
    metadata: dict[str, Any] = {
        "metadata.last_model": last_model,
        "metadata.pipeline_version": batch["pipeline_version"],
        "metadata.elapsed": [batch["parse_ns"], batch["elapsed_ns"]],
        "metadata.dropped": [],
        "metadata.partition": batch["engine"],
    }
    if options.is_since("2024.2"):
        return dict(sorted((row | metadata | {"anomaly.count": 0}).items()))
    failures: dict[str, Any] = {"check_failures": []}
    return row | failures | metadata


def _oldest_row(row: dict[str, Any], batch: dict[str, Any]) -> dict[str, Any]:
    """Return a logged row as 2022.4 showed it: in the form of an inference's answer of then."""
    inputs = {name.removeprefix("in."): [value] for name, value in row.items() if name.startswith("in.")}
    outputs = [value for name, value in row.items() if name.startswith("out.")]
    return {
        "check_failures": [],
        "elapsed": batch["elapsed_ns"],
        "model_name": batch["model_name"],
        "model_version": batch["model_version"],
        "original_data": inputs,
        "outputs": [_oldest_output(value) for value in outputs],
        "pipeline_name": batch["pipeline_name"],
        "time": row["time"],
    }


def _oldest_output(value: Any) -> dict[str, Any]:
    data = list_of(value) if isinstance(value, list) else [value]
    return {"Float": {"v": 1, "dim": [1, len(data)], "data": data}}


def with_z(time: str | None) -> str | None:
    """Return a stored time with `Z` in place of the offset of UTC, as results and the second version have it."""
    return time and time.replace("+00:00", "Z")


def assay_v2(row: Row, baseline: dict[str, Any] | None) -> dict[str, Any]:
    """Return an assay as the second version of the assays shows it.

    Args:
        row: The assay, with its workspace.
        baseline: The distribution of its baseline; None if it cannot be computed yet.
    """
    request: dict[str, Any] = orjson.loads(row["request"])
    window, summarizer, key = newer_window(request), request["summarizer"], watched_key(request)
    mode = bin_mode_v2(summarizer)
    created = row["created_at"] or row["updated_at"]
    return {
        "id": row["uuid"],
        "name": request["name"],
        "scheduling": {
            "first_run": request.get("first_run") or window["start"] or created,
            "end": request.get("run_until"),
            "run_frequency": {"SimpleRunFrequency": _frequency(window["interval"] or window["width"])},
        },
        "baseline": {"Summary": {} if baseline is None else {key: summary_v2(request["name"], baseline, mode)}},
        "window": {"width": {"seconds": _seconds(window["width"])}},
        "summarizer": {
            summarizer["type"]: {
                "bin_mode": mode,
                "aggregation": summarizer["aggregation"],
                "metric": summarizer["metric"],
                "bin_weights": summarizer.get("bin_weights"),
            }
        },
        "targeting": {
            "data_origin": {
                "pipeline_name": request["pipeline_name"],
                "pipeline_id": row["pipeline_id"],
                "workspace_name": row["workspace_name"],
                "workspace_id": row["workspace_id"],
                "model_id": window["model_name"],
                "locations": window["locations"] or None,
            },
            "iopath": [
                {
                    "field": _watched_field(request),
                    "indexes": request.get("indexes"),
                    "thresholds": {"warning": request.get("warning_threshold"), "alert": request["alert_threshold"]},
                }
            ],
        },
        "created_at": with_z(created),
        "updated_at": with_z(row["updated_at"]),
        "active": bool(row["active"]),
    }


def _watched_field(request: dict[str, Any]) -> str:
    """Return the column that an assay watches, as the second version of the assays names it: `out.dense_1`."""
    side, field, _ = watched_path(request).split(" ")
    return f"{'in' if side == 'input' else 'out'}.{field}"


def watched_key(request: dict[str, Any]) -> str:
    """Return what distributions and scores of an assay stand under: its column and, where it was given, the index."""
    return ".".join([_watched_field(request), *map(str, request.get("indexes") or ())])


def bin_mode_v2(summarizer: dict[str, Any]) -> Any:
    """Return how values are put into bins, as the second version of the assays writes it: `{"Quantile": 5}`."""
    mode = summarizer["bin_mode"]
    if mode == "Provided":
        return {mode: summarizer["provided_edges"]}
    return mode if mode == "None" else {mode: int(summarizer["num_bins"])}


def _seconds(width: str) -> int:
    from wallaroo_ext.sandbox.assays.windows import parse_width

    return parse_width(width) // 1_000_000


def _frequency(width: str) -> dict[str, Any]:
    """Return a length of time by its largest unit that gives a whole number."""
    seconds = _seconds(width)
    units = (("Week", 604_800), ("Day", 86_400), ("Hour", 3_600), ("Minute", 60), ("Second", 1))
    unit, size = next((unit, size) for unit, size in units if seconds % size == 0)
    return {"unit": unit, "quantity": seconds // size}


def summary_v2(name: str, summary: dict[str, Any], mode: Any) -> dict[str, Any]:
    """Return a distribution as the second version of the assays shows it."""
    return {
        "name": name,
        "bins": {
            "mode": mode,
            "edges": ["INFINITY" if edge is None else edge for edge in summary["edges"]],
            "labels": summary["edge_names"],
        },
        "aggregated_values": summary["aggregated_values"],
        "aggregation": summary["aggregation"],
        "statistics": {statistic: summary[statistic] for statistic in _STATISTICS},
        "start": summary["start"],
        "end": summary["end"],
    }


def result_v2(row: Row, result: dict[str, Any]) -> dict[str, Any]:
    """Return a stored result as the second version of the assays shows it.

    Args:
        row: The result's row, with its assay's request, pipeline and workspace.
        result: The result.
    """
    request: dict[str, Any] = orjson.loads(row["request"])
    key, summary = watched_key(request), result["window_summary"]
    return {
        "id": row["id"],
        "assay_id": row["uuid"],
        "analyzed_at": result["analyzed_at"],
        "elapsed_millis": result["elapsed_millis"],
        "scores": _scores_v2(key, result),
        "status": result["status"],
        "summaries": {key: summary_v2(key, summary, bin_mode_v2(request["summarizer"]))},
        "window_end": summary["end"],
        "window_start": result["window_start"],
        "created_at": with_z(row["created_at"]),
        "updated_at": with_z(row["created_at"]),
        "workspace_id": row["workspace_id"],
        "workspace_name": row["workspace_name"],
        "pipeline_id": row["pipeline_id"],
        "warning_threshold": result["warning_threshold"],
        "alert_threshold": result["alert_threshold"],
    }


def _scores_v2(key: str, result: dict[str, Any]) -> dict[str, Any]:
    return {key: {name: result[name] for name in ("score", "scores", "bin_index")}}


def preview_v2(request: dict[str, Any], result: dict[str, Any]) -> dict[str, Any]:
    """Return a result that is not stored as the second version of the assays shows it, without its place."""
    key, summary = watched_key(request), result["window_summary"]
    return {
        "analyzed_at": result["analyzed_at"],
        "elapsed_millis": result["elapsed_millis"],
        "scores": _scores_v2(key, result),
        "summaries": {key: summary_v2(key, summary, bin_mode_v2(request["summarizer"]))},
        "window_end": summary["end"],
    }
