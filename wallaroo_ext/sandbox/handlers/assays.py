"""Assays: creating them, running them, and what they were computed from."""

from __future__ import annotations

import json
from itertools import islice
from typing import TYPE_CHECKING, Any

import orjson

from wallaroo_ext.sandbox.assays.scheduled import require_pipeline, watched_pipelines
from wallaroo_ext.sandbox.handlers.calls import Call, handles_rows
from wallaroo_ext.sandbox.handlers.workspaces import is_member, require_workspace
from wallaroo_ext.sandbox.http.problems import bad_request
from wallaroo_ext.sandbox.storage.store import now

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator

    from wallaroo_ext.sandbox.assays.runs import Plan, Run
    from wallaroo_ext.sandbox.auth.users import User
    from wallaroo_ext.sandbox.inference.inference_log import LoggedBatch
    from wallaroo_ext.sandbox.storage.store import Row


@handles_rows
def create_assay(call: Call) -> dict[str, Any]:
    """A new assay, whose status is the sandbox's own whatever was sent; it is run at once if a window is over."""
    plan = _plan(call.body)
    first_run = plan.next_run(plan.schedule(0), 0)
    with call.instance.store.transaction() as db:
        _pipelines(db, call.body, call.user)
        time = now(db)
        cursor = db.execute(
            "INSERT INTO assays (pipeline_id, request, active, next_run, updated_at) VALUES (?, ?, ?, ?, ?)",
            (
                call.body["pipeline_id"],
                orjson.dumps(call.body).decode(),
                call.body["active"],
                first_run and max(first_run, time),
                time,
            ),
        )
    return {"assay_id": cursor.lastrowid}


def _plan(request: dict[str, Any]) -> Plan:
    """The request of an assay, read; the modules it takes are heavy, so they are imported when they are needed."""
    from wallaroo_ext.sandbox.assays.runs import Plan

    return Plan.of(request)


def _pipelines(db: sqlite3.Connection, request: dict[str, Any], user: User) -> dict[str, int]:
    """Return the ids of the pipelines that a request names, by name.

    Raises:
        Problem: 400, when the user may not use the workspace, and when it has no such pipeline.
    """
    workspace_id, pipeline_id, name = request["workspace_id"], request["pipeline_id"], request["pipeline_name"]
    require_workspace(db, workspace_id, user)
    if require_pipeline(db, workspace_id, name) != pipeline_id:
        raise bad_request(f"The pipeline {name!r} of the workspace {workspace_id} does not have the id {pipeline_id}.")
    return watched_pipelines(db, request)


@handles_rows
def list_assays(call: Call) -> list[dict[str, Any]]:
    """Return the assays of a pipeline, the newest first as recorded."""
    pipeline_id = call.body["pipeline_id"]
    with call.instance.store.transaction() as db:
        pipeline = db.execute("SELECT workspace_id FROM pipelines WHERE id = ?", (pipeline_id,)).fetchone()
        if pipeline is None or not is_member(db, pipeline["workspace_id"], call.user):
            raise bad_request(f"There is no pipeline {pipeline_id}.")
    call.instance.scheduled_assays.catch_up_all(pipeline_id)
    with call.instance.store.reading() as db:
        rows = db.execute("SELECT * FROM assays WHERE pipeline_id = ? ORDER BY id DESC", (pipeline_id,)).fetchall()
    return [_assay(row) for row in rows]


def _assay(row: Row) -> dict[str, Any]:
    """Return an assay in the order of the recorded ones."""
    from wallaroo_ext.sandbox.assays.runs import shown_summarizer

    request: dict[str, Any] = orjson.loads(row["request"])
    fixed, window, warning = request["baseline"]["Fixed"], request["window"], request.get("warning_threshold")
    return {
        "id": row["id"],
        "name": request["name"],
        "active": bool(row["active"]),
        "status": "created",
        "warning_threshold": None if warning is None else float(warning),
        "alert_threshold": float(request["alert_threshold"]),
        "pipeline_id": row["pipeline_id"],
        "pipeline_name": request["pipeline_name"],
        "last_run": row["last_run"],
        "next_run": row["next_run"],
        "run_until": request.get("run_until"),
        "updated_at": row["updated_at"],
        "baseline": {"Fixed": {name: fixed[name] for name in ("pipeline", "model", "start_at", "end_at")}},
        "window": {name: window.get(name) for name in ("pipeline", "model", "width", "start", "interval")},
        "summarizer": shown_summarizer(request["summarizer"]),
    }


@handles_rows
def set_assay_active(call: Call) -> dict[str, Any]:
    """Switch an assay on or off; what was due before it is switched off is computed, and what is due after it later."""
    assay_id, active = call.body["id"], call.body["active"]
    with call.instance.store.reading() as db:
        _require_assay(db, assay_id, call.user)
    call.instance.scheduled_assays.try_to_catch_up(assay_id)
    with call.instance.store.transaction() as db:
        db.execute("UPDATE assays SET active = ?, updated_at = ? WHERE id = ?", (active, now(db), assay_id))
    return {"id": assay_id, "active": active}


def _require_assay(db: sqlite3.Connection, assay_id: int, user: User) -> Row:
    """Return an assay of a workspace that the user may use.

    Raises:
        Problem: 400, when there is none of this id.
    """
    row = db.execute(
        "SELECT assays.*, workspace_id FROM assays JOIN pipelines ON pipelines.id = pipeline_id WHERE assays.id = ?",
        (assay_id,),
    ).fetchone()
    if row is None or not is_member(db, row["workspace_id"], user):
        raise bad_request(f"There is no assay {assay_id}.")
    return row


@handles_rows
def run_interactive_assay_baseline(call: Call) -> dict[str, Any]:
    """Return the baseline of the request, compared with itself."""
    return _run(call, call.body).baseline_result()


@handles_rows
def run_interactive_assay(call: Call) -> list[dict[str, Any]]:
    """Return a result a window, the oldest first; nothing of it is stored."""
    return _run(call, call.body).results()


def _run(call: Call, request: dict[str, Any]) -> Run:
    from wallaroo_ext.sandbox.assays.runs import Run

    plan = _plan(request)
    with call.instance.store.transaction() as db:
        pipelines = _pipelines(db, request, call.user)
    return Run(plan, call.instance.log, pipelines, call.instance.clock)


@handles_rows
def get_assay_baseline(call: Call) -> list[dict[str, Any]]:
    """Return the logged rows of a pipeline, the oldest first."""
    from wallaroo_ext.sandbox.assays.windows import parse_time, to_milliseconds

    body = call.body
    start, end = (to_milliseconds(parse_time(body[name])) if name in body else None for name in ("start", "end"))
    with call.instance.store.transaction() as db:
        require_workspace(db, body["workspace_id"], call.user)
        pipeline_id = require_pipeline(db, body["workspace_id"], body["pipeline_name"])
    limit = int(body["limit"]) if "limit" in body else None  # JSON's 3.0 is an integer too
    batches = call.instance.log.read(pipeline_id, start_ms=start, end_ms=end, model_name=body.get("model_name"))
    return list(islice((row for batch in batches for row in _rows(batch, limit)), limit))


def _rows(batch: LoggedBatch, limit: int | None) -> Iterator[dict[str, Any]]:
    """Yield the first rows of a batch, flat as they were recorded, with JSON in strings as Python writes it."""
    import pyarrow as pa

    metadata = {
        "metadata.last_model": json.dumps({"model_name": batch.model_name, "model_sha": batch.model_sha}),
        "metadata.profile": json.dumps({"elapsed_ns": batch.elapsed_ns}),
    }
    table = batch.table.slice(0, limit)
    times = table.column("time").cast(pa.int64()).to_pylist()
    for time, row in zip(times, table.drop_columns(["time"]).to_pylist(), strict=True):
        yield {"time": time} | row | metadata


@handles_rows
def get_assay_results(call: Call) -> list[dict[str, Any]]:
    """Return the stored results of an assay, of the newest windows where there is a limit, the oldest first."""
    return _results(call)


@handles_rows
def get_assay_results_between(call: Call) -> list[dict[str, Any]]:
    """Return the stored results of an assay in a time."""
    return _results(call)


def _results(call: Call) -> list[dict[str, Any]]:
    """Return the results of the windows that begin in the time that is asked for, if one is."""
    from wallaroo_ext.sandbox.assays.windows import parse_time

    body = call.body
    start, end = (parse_time(body[name]) if name in body else None for name in ("start", "end"))
    with call.instance.store.transaction() as db:
        assay = _require_assay(db, body["assay_id"], call.user)
    call.instance.scheduled_assays.catch_up(assay["id"])
    with call.instance.store.transaction() as db:
        rows = db.execute(
            "SELECT assay_results.*, pipeline_id FROM assay_results JOIN assays ON assays.id = assay_id "
            "WHERE assay_id = ? AND pipeline_id = ? AND (? IS NULL OR window_start >= ?) "
            "AND (? IS NULL OR window_start < ?) ORDER BY window_start DESC LIMIT ?",
            (
                assay["id"],
                body.get("pipeline_id", assay["pipeline_id"]),
                *(start, start),
                *(end, end),
                int(body.get("limit", -1)),  # a negative limit is none
            ),
        ).fetchall()
    return [_result(row) for row in reversed(rows)]


def _result(row: Row) -> dict[str, Any]:
    """Return a stored result: it has what an interactive one leaves open."""
    return orjson.loads(row["result"]) | {
        "id": row["id"],
        "assay_id": row["assay_id"],
        "pipeline_id": row["pipeline_id"],
        "created_at": row["created_at"],
    }
