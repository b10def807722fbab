"""Scoring rows, by both forms of the URL."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.responses import Response

from wallaroo_ext.inference.media_types import arrow_media_type
from wallaroo_ext.sandbox.handlers.calls import Call, handles_by_models
from wallaroo_ext.sandbox.handlers.deployments import find_deployment, pod_name
from wallaroo_ext.sandbox.handlers.workspaces import is_member
from wallaroo_ext.sandbox.http.problems import engine_error, not_found, unavailable
from wallaroo_ext.sandbox.inference.chunks import PiecesResponse

if TYPE_CHECKING:
    from wallaroo_ext.sandbox.engine.loaded_models import RunningDeployment, Scored
    from wallaroo_ext.sandbox.inference.answers import Rows
    from wallaroo_ext.sandbox.storage.store import Row


@handles_by_models
def infer_deployment(call: Call) -> Response:
    """Scored rows."""
    return _infer(call)


@handles_by_models
def infer_pipeline(call: Call) -> Response:
    """Scored rows."""
    return _infer(call)


def _infer(call: Call) -> Response:
    row = _deployment(call)
    deployment = _running(call, row)

    # A running deployment has found the heavy libraries loaded, so this import waits for nothing.
    from wallaroo_ext.sandbox.inference.answers import JSON, Answer, Selection, preferred_type

    rows, scored = _scored(call, deployment)
    answer = Answer(
        rows=rows,
        scored=scored,
        pipeline=row["pipeline"],
        pipeline_version=row["pipeline_version"],
        partition=pod_name("engine", row["id"]),
        release=call.instance.options.release,
        selection=Selection(
            included=call.query.getlist("dataset[]"),
            excluded=call.query.getlist("dataset.exclude[]"),
            separator=call.query.get("dataset.separator"),
        ),
        time_ms=call.instance.clock.now_ns() // 1_000_000,
    )
    if preferred_type(call.headers.get("Accept"), call.media_type, arrow_media_type()) == JSON:
        response = Response(answer.to_json(call.instance.options.rows_memory_mib), media_type=JSON)
    else:
        response = PiecesResponse(answer.to_arrow(), media_type=arrow_media_type())
    call.instance.log.append(row["pipeline_id"], answer.logged())  # last, so that nothing is logged that failed
    return response


def _scored(call: Call, deployment: RunningDeployment) -> tuple[Rows, Scored]:
    """Return the rows, and what the models give for them.

    Arrow is read by the models' process first, which can take no more memory and time than it may; here it is read once
    more where that went well, and in the plain form that the process gives it where it was not plain.
    """
    from wallaroo_ext.sandbox.engine.tensors import check_lists
    from wallaroo_ext.sandbox.inference.answers import is_json, read_rows, to_request

    memory = call.instance.options.rows_memory_mib
    if is_json(call.media_type):
        rows = read_rows(call.media_type, call.body, memory)
        scored = deployment.score(to_request(rows))
    else:
        scored = deployment.score([call.body])
        content = call.body if scored.rows is None else scored.rows
        rows = read_rows(call.media_type, content, memory, only_plain=True)
    check_lists(scored.outputs, memory)
    return rows, scored


def _deployment(call: Call) -> Row:
    """Return the deployment that the URL names, for its workspace's members and for clients without a user."""
    name, pipeline = call.path["deployment"], call.path.get("pipeline")
    user = call.caller.user if call.caller else None
    with call.instance.store.reading() as db:
        row = find_deployment(db, name)
        if row is None or (user is not None and not is_member(db, row["workspace_id"], user)):
            raise not_found(f"There is no deployment {name!r}.")
    if pipeline not in {None, row["pipeline"]}:
        raise not_found(f"The deployment {name!r} has no pipeline {pipeline!r}.")
    return row


def _running(call: Call, row: Row) -> RunningDeployment:
    deployment = call.instance.engine.deployment(row["id"])
    if row["steps"] == "[]":
        raise engine_error(f"The pipeline {row['pipeline']!r} has no models.")
    if deployment.status != "Running":
        raise unavailable(f"no healthy upstream: the deployment is {deployment.status}")
    return deployment
