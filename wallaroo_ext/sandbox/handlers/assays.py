"""The operations on assays: creates, lists, switches and runs them, and returns their results and logged rows."""

from __future__ import annotations

import uuid
from functools import partial
from http import HTTPStatus
from itertools import islice
from typing import TYPE_CHECKING, Any

import orjson

from wallaroo_ext.sandbox.assays.request_forms import calculation_form, sources
from wallaroo_ext.sandbox.assays.scheduled import created_microseconds, require_pipeline, watched_pipelines
from wallaroo_ext.sandbox.handlers import assay_shapes
from wallaroo_ext.sandbox.handlers.calls import Call, handles_rows
from wallaroo_ext.sandbox.handlers.pipelines.deployments import pod_name
from wallaroo_ext.sandbox.handlers.workspaces import is_member, require_workspace
from wallaroo_ext.sandbox.http.problems import Problem, bad_request, not_found, refusal
from wallaroo_ext.sandbox.storage.store import now

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable

    from wallaroo_ext.sandbox.assays.logged_values import LoggedValues
    from wallaroo_ext.sandbox.assays.request_forms import Source
    from wallaroo_ext.sandbox.assays.runs import Plan, Run
    from wallaroo_ext.sandbox.auth.users import User
    from wallaroo_ext.sandbox.storage.store import Row

_ASSAYS = """
    SELECT assays.*, workspace_id, workspaces.name AS workspace_name FROM assays
    JOIN pipelines ON pipelines.id = pipeline_id JOIN workspaces ON workspaces.id = workspace_id
"""
_RESULTS = """
    SELECT assay_results.*, uuid, request, pipeline_id, workspace_id, workspaces.name AS workspace_name
    FROM assay_results JOIN assays ON assays.id = assay_id
    JOIN pipelines ON pipelines.id = pipeline_id JOIN workspaces ON workspaces.id = workspace_id
"""


@handles_rows
def create_assay(call: Call) -> dict[str, Any]:
    """Create an assay and return its id; the status that was sent is ignored."""
    with call.instance.store.transaction() as db:
        pipelines_of(db, call.body, call.user)
        return {"assay_id": add_assay(db, call.body)["id"]}


def add_assay(db: sqlite3.Connection, request: dict[str, Any]) -> Row:
    """Add an assay, and return its row.

    Raises:
        Problem: 400, if the request makes no sense.
    """
    time = now(db)
    plan = _plan(request, time)
    first_run = plan.next_run(plan.schedule(0), 0)
    values = (
        str(uuid.uuid4()),
        time,
        request["pipeline_id"],
        orjson.dumps(request).decode(),
        request["active"],
        first_run and max(first_run, time),
        time,
    )
    return db.execute(
        "INSERT INTO assays (uuid, created_at, pipeline_id, request, active, next_run, updated_at) "
        "VALUES (?, ?, ?, ?, ?, ?, ?) RETURNING *",
        values,
    ).fetchone()


def _plan(request: dict[str, Any], created: str) -> Plan:
    """Return the parsed request of an assay."""
    from wallaroo_ext.sandbox.assays.runs import Plan  # imports numpy and pyarrow
    from wallaroo_ext.sandbox.assays.windows import parse_time

    return Plan.of(request, parse_time(created))


def pipelines_of(db: sqlite3.Connection, request: dict[str, Any], user: User) -> dict[Source, int]:
    """Return the ids of the pipelines that a request names, by where its values come from.

    Raises:
        Problem: 400, if the user may not use the workspace, or it has no such pipeline.
    """
    workspace_id, pipeline_id, name = request["workspace_id"], request["pipeline_id"], request["pipeline_name"]
    require_workspace(db, workspace_id, user)
    if require_pipeline(db, workspace_id, name) != pipeline_id:
        raise bad_request(f"The pipeline {name!r} of the workspace {workspace_id} does not have the id {pipeline_id}.")
    return _usable_pipelines(db, request, user)


def _usable_pipelines(db: sqlite3.Connection, request: dict[str, Any], user: User) -> dict[Source, int]:
    """Return the ids of the pipelines that values come from, all of which the user may use.

    Raises:
        Problem: 400, if the user may not use a workspace, or it has no such pipeline.
    """
    for source in sources(request):
        require_workspace(db, source.workspace_id, user)
    return watched_pipelines(db, request)


@handles_rows
def list_assays(call: Call) -> list[dict[str, Any]]:
    """Return the assays of a pipeline, or of all pipelines of the caller's workspaces, the newest first as recorded."""
    body = call.body
    with call.instance.store.reading() as db:
        if "pipeline_id" in body:
            _require_pipeline(db, body["pipeline_id"], call.user)
        pipelines = {row["pipeline_id"] for row in _listed(db, call)}
    for pipeline_id in pipelines:
        call.instance.scheduled_assays.catch_up_all(pipeline_id)
    with call.instance.store.reading() as db:
        rows = _listed(db, call)
        return [assay_shapes.assay(call.instance.options, row, _statuses(db, row["id"])) for row in rows]


def _require_pipeline(db: sqlite3.Connection, pipeline_id: int, user: User) -> None:
    """Raise a Problem, 400, unless a user may use the workspace of a pipeline."""
    pipeline = db.execute("SELECT workspace_id FROM pipelines WHERE id = ?", (pipeline_id,)).fetchone()
    if pipeline is None or not is_member(db, pipeline["workspace_id"], user):
        raise bad_request(f"There is no pipeline {pipeline_id}.")


def _listed(db: sqlite3.Connection, call: Call) -> list[Row]:
    body = call.body
    return db.execute(
        f"{_ASSAYS} JOIN workspace_users USING (workspace_id) WHERE user_id = ? "
        "AND pipeline_id = coalesce(?, pipeline_id) AND workspace_id = coalesce(?, workspace_id) "
        "AND workspaces.name = coalesce(?, workspaces.name) ORDER BY assays.id DESC",
        (call.user.id, body.get("pipeline_id"), body.get("workspace_id"), body.get("workspace_name")),
    ).fetchall()


def _statuses(db: sqlite3.Connection, assay_id: int) -> list[str]:
    """Return the statuses of an assay's results."""
    query = "SELECT json_extract(result, '$.status') AS status FROM assay_results WHERE assay_id = ?"
    return [row["status"] for row in db.execute(query, (assay_id,))]


@handles_rows
def get_assay_by_id(call: Call) -> dict[str, Any]:
    """Return an assay, which has to be of a workspace if the request names one."""
    body = call.body
    with call.instance.store.reading() as db:
        _require_assay(db, body["id"], call.user)
    call.instance.scheduled_assays.try_to_catch_up(body["id"])
    with call.instance.store.reading() as db:
        row = _require_assay(db, body["id"], call.user)
        wanted = {name: body[name] for name in ("workspace_id", "workspace_name") if name in body}
        if any(row[name] != value for name, value in wanted.items()):
            raise bad_request(f"There is no assay {body['id']} in that workspace.")
        shown = assay_shapes.assay(call.instance.options, row, _statuses(db, row["id"]))
    return shown | {"created_at": row["created_at"]}


@handles_rows
def set_assay_active(call: Call) -> dict[str, Any]:
    """Switch an assay on or off, after computing the windows that are due."""
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
        Problem: 400, if there is no such assay.
    """
    row = db.execute(f"{_ASSAYS} WHERE assays.id = ?", (assay_id,)).fetchone()
    if row is None or not is_member(db, row["workspace_id"], user):
        raise bad_request(f"There is no assay {assay_id}.")
    return row


@handles_rows
def run_interactive_assay_baseline(call: Call) -> dict[str, Any]:
    """Return the result of comparing the baseline of the request with itself."""
    return assay_shapes.result(call.instance.options, call.body, _interactive_run(call).baseline_result())


@handles_rows
def run_interactive_assay(call: Call) -> list[dict[str, Any]]:
    """Return one result per window, the oldest first, without storing them."""
    results = _interactive_run(call).results()
    return [assay_shapes.result(call.instance.options, call.body, result) for result in results]


def _interactive_run(call: Call) -> Run:
    with call.instance.store.transaction() as db:
        plan = _plan(call.body, now(db))
        pipelines = pipelines_of(db, call.body, call.user)
    return run_of(call, plan, pipelines)


def run_of(call: Call, plan: Plan, pipelines: dict[Source, int]) -> Run:
    """Return a plan's run over what the instance has logged."""
    from wallaroo_ext.sandbox.assays.logged_values import LoggedValues
    from wallaroo_ext.sandbox.assays.runs import Run

    return Run(plan, LoggedValues(call.instance.log), pipelines, call.instance.clock)


@handles_rows
def summarize_assay_baseline(call: Call) -> dict[str, Any]:
    """Return the distribution of values, or of the values that were logged in a window."""
    from wallaroo_ext.sandbox.assays.runs import Plan, summarize

    form, content = calculation_form(call.body["baseline"])
    if form == "vector":
        return summarize(content, call.body["summarizer"])
    request = {
        "summarizer": call.body["summarizer"],
        "baseline": {"calculated": call.body["baseline"]},
        "window": content,
    }
    with call.instance.store.transaction() as db:
        pipelines = _usable_pipelines(db, request, call.user)
    return run_of(call, Plan.of(request), pipelines).baseline_summary()


@handles_rows
def get_assay_baseline(call: Call) -> list[dict[str, Any]]:
    """Return the logged rows of a pipeline, the oldest first."""
    from wallaroo_ext.sandbox.assays.windows import parse_time, to_milliseconds

    body = call.body
    start, end = (to_milliseconds(parse_time(body[name])) if name in body else None for name in ("start", "end"))
    with call.instance.store.transaction() as db:
        require_workspace(db, body["workspace_id"], call.user)
        pipeline_id = require_pipeline(db, body["workspace_id"], body["pipeline_name"])
        version = db.execute(
            "SELECT version FROM pipeline_versions WHERE pipeline_id = ? ORDER BY id DESC", (pipeline_id,)
        ).fetchone()["version"]
    limit = int(body["limit"]) if "limit" in body else None  # JSON's 3.0 is an integer too
    batches = call.instance.log.read(pipeline_id, start_ms=start, end_ms=end, model_name=body.get("model_name"))
    place = {
        "pipeline_name": body["pipeline_name"],
        "pipeline_version": version,
        "engine": pod_name("engine", pipeline_id),
    }
    known_of = partial(assay_shapes.known_of, call, body["workspace_id"])
    rows = (
        assay_shapes.logged_row(call.instance.options, row, place | known)
        for batch in batches
        for known in (known_of(batch),)
        for row in assay_shapes.flat_rows(batch, limit)
    )
    return list(islice(rows, limit))


@handles_rows
def get_assay_results(call: Call) -> list[dict[str, Any]]:
    """Return the stored results of an assay, the oldest first; a limit keeps the newest.

    2023.4 answers a request without a span of time with 500, as recorded.
    """
    if call.instance.options.release == "2023.4" and not {"start", "end"} <= call.body.keys():
        raise refusal(HTTPStatus.INTERNAL_SERVER_ERROR, "unknown error.")
    return _results(call)


@handles_rows
def get_assay_results_between(call: Call) -> list[dict[str, Any]]:
    """Return the stored results of an assay in a span of time."""
    return _results(call)


def _results(call: Call) -> list[dict[str, Any]]:
    """Return the results of the windows that begin in the requested span of time, or of all windows without one."""
    body = call.body
    with call.instance.store.transaction() as db:
        assay = _require_assay(db, body["assay_id"], call.user)
    rows = _stored_results(call, assay, pipeline_id=body.get("pipeline_id"), limit=body.get("limit"))
    request: dict[str, Any] = orjson.loads(assay["request"])
    return [assay_shapes.result(call.instance.options, request, _result(row)) for row in rows]


def _stored_results(call: Call, assay: Row, *, pipeline_id: int | None = None, limit: float | None = None) -> list[Row]:
    """Return the results of an assay in the span of time of the request, after computing those that are due.

    Args:
        call: The request, with `start` and `end` or without.
        assay: The assay.
        pipeline_id: The pipeline that the assay has to be of; None for any.
        limit: How many of the newest to return; None for all.
    """
    from wallaroo_ext.sandbox.assays.windows import parse_time

    start, end = (parse_time(call.body[name]) if name in call.body else None for name in ("start", "end"))
    call.instance.scheduled_assays.catch_up(assay["id"])
    with call.instance.store.transaction() as db:
        rows = db.execute(
            f"{_RESULTS} WHERE assay_id = ? AND pipeline_id = coalesce(?, pipeline_id) "
            "AND (? IS NULL OR window_start >= ?) AND (? IS NULL OR window_start < ?) "
            "ORDER BY window_start DESC LIMIT ?",
            (
                assay["id"],
                pipeline_id,
                *(start, start),
                *(end, end),
                -1 if limit is None else int(limit),  # SQLite takes a negative limit as none
            ),
        ).fetchall()
    return rows[::-1]


def _result(row: Row) -> dict[str, Any]:
    """Return a stored result, with what an interactive one leaves empty."""
    names = ("id", "assay_id", "pipeline_id", "workspace_id", "workspace_name")
    place = {name: row[name] for name in names} | {"created_at": assay_shapes.with_z(row["created_at"])}
    return orjson.loads(row["result"]) | place


@handles_rows
def get_assay_v2(call: Call) -> dict[str, Any] | list[dict[str, Any]]:
    """Return the assay with a UUID, or the assays of a workspace, of a pipeline's name, active or not."""
    body = call.body
    if "workspace_id" in body:
        with call.instance.store.reading() as db:
            require_workspace(db, body["workspace_id"], call.user)
    active = {"ActiveOnly": True, "InactiveOnly": False}.get(body.get("active", "All"))
    with call.instance.store.reading() as db:
        rows = db.execute(
            f"{_ASSAYS} JOIN workspace_users USING (workspace_id) WHERE user_id = ? "
            "AND uuid = coalesce(?, uuid) AND workspace_id = coalesce(?, workspace_id) "
            "AND pipelines.name = coalesce(?, pipelines.name) AND active = coalesce(?, active) ORDER BY assays.id DESC",
            (call.user.id, body.get("id"), body.get("workspace_id"), body.get("pipeline_name"), active),
        ).fetchall()
    shown = shown_assays_v2(call, rows)
    if "id" not in body:
        return shown
    if not shown:
        raise not_found(f"There is no assay {body['id']!r}.")
    return shown[0]


def shown_assays_v2(call: Call, rows: Iterable[Row]) -> list[dict[str, Any]]:
    """Return assays, with the distributions of their baselines, as the second version of the assays shows them."""
    from wallaroo_ext.sandbox.assays.logged_values import LoggedValues

    logged = LoggedValues(call.instance.log)
    return [_shown_assay_v2(call, row, logged) for row in rows]


def _shown_assay_v2(call: Call, row: Row, logged: LoggedValues) -> dict[str, Any]:
    from wallaroo_ext.sandbox.assays.runs import Plan, Run

    request: dict[str, Any] = orjson.loads(row["request"])
    with call.instance.store.reading() as db:
        pipelines = watched_pipelines(db, request)
    try:
        plan = Plan.of(request, created_microseconds(row))
        baseline = Run(plan, logged, pipelines, call.instance.clock).baseline_summary()
    except Problem:  # nothing was logged yet, or the request is one that an earlier release of the sandbox took
        baseline = None
    return assay_shapes.assay_v2(row, baseline)


@handles_rows
def get_next_assay_run_v2(call: Call) -> dict[str, Any]:
    """Return when an assay was run last, and when it is run next."""
    with call.instance.store.reading() as db:
        assay = require_assay_v2(db, call.body["assay_id"], call.user)
    call.instance.scheduled_assays.try_to_catch_up(assay["id"])
    with call.instance.store.reading() as db:
        assay = require_assay_v2(db, call.body["assay_id"], call.user)
    return {name: assay_shapes.with_z(assay[name]) for name in ("last_run", "next_run")}


@handles_rows
def get_assay_results_v2(call: Call) -> list[dict[str, Any]]:
    """Return the stored results of an assay, of all time or of a span, the oldest first."""
    with call.instance.store.reading() as db:
        assay = require_assay_v2(db, call.body["id"], call.user)
    return [assay_shapes.result_v2(row, orjson.loads(row["result"])) for row in _stored_results(call, assay)]


def require_assay_v2(db: sqlite3.Connection, assay_uuid: str, user: User) -> Row:
    """Return an assay of a workspace that the user may use.

    Raises:
        Problem: 404, if there is no such assay.
    """
    row = db.execute(f"{_ASSAYS} WHERE uuid = ?", (assay_uuid,)).fetchone()
    if row is None or not is_member(db, row["workspace_id"], user):
        raise not_found(f"There is no assay {assay_uuid!r}.")
    return row
