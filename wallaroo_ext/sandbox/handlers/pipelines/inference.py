"""Inference, by both forms of the URL."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING

from starlette.responses import Response, StreamingResponse

from wallaroo_ext._util.chunks import split_into_chunks
from wallaroo_ext._util.json_values import object_of
from wallaroo_ext.inference.media_types import arrow_media_type
from wallaroo_ext.sandbox.handlers.calls import Call, handles_with_models
from wallaroo_ext.sandbox.handlers.pipelines.deployments import find_deployment, pod_name
from wallaroo_ext.sandbox.handlers.workspaces import is_member
from wallaroo_ext.sandbox.http.problems import Problem, engine_error, not_found, unavailable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from starlette.types import Receive, Scope, Send

    from wallaroo_ext.sandbox.engine.engine import RunningDeployment
    from wallaroo_ext.sandbox.engine.results import Scored
    from wallaroo_ext.sandbox.inference.rows import Rows
    from wallaroo_ext.sandbox.options import SandboxOptions
    from wallaroo_ext.sandbox.storage.store import Row


@handles_with_models
def infer_deployment(call: Call) -> Response:
    """Return the scored rows."""
    return _infer(call)


@handles_with_models
def infer_pipeline(call: Call) -> Response:
    """Return the scored rows."""
    return _infer(call)


def _infer(call: Call) -> Response:
    try:
        return _answer(call)
    except Problem as problem:
        raise _in_release(call.instance.options, problem) from None


def _in_release(options: SandboxOptions, problem: Problem) -> Problem:
    """Return an error in the form of the release: up to 2023.4, clients read the engine's errors as a list of one."""
    if options.is_since("2024.2") or object_of(problem.content).get("source") != "engine":
        return problem
    return Problem(problem.status, [problem.content], problem.headers)


def _answer(call: Call) -> Response:
    row = _deployment(call)
    deployment = _running(call, row)

    # The heavy libraries are imported before a deployment runs, so this import is quick.
    from wallaroo_ext.sandbox.inference.answer_forms import Selection
    from wallaroo_ext.sandbox.inference.answers import Answer, preferred_type
    from wallaroo_ext.sandbox.inference.rows import JSON

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
    accept, arrow = call.headers.get("Accept"), arrow_media_type()
    if preferred_type(accept, call.media_type, arrow, arrow_by_default=answer.form.arrow_by_default) == JSON:
        response = _in_blocks(answer.to_json(call.instance.options.rows_memory_mib), JSON)
    else:
        response = ChunksResponse(answer.to_arrow(), media_type=arrow)
    for batch in answer.logged():  # last, so that a failed request is not logged
        call.instance.log.append(row["pipeline_id"], batch)
    return response


def _in_blocks(blocks: Iterator[bytes], media_type: str) -> Response:
    """Return an answer of known length, if it is one block; otherwise one that is sent while its blocks are written."""
    first, second = next(blocks), next(blocks, None)
    if second is None:
        return Response(first, media_type=media_type)
    return StreamingResponse(chain((first, second), blocks), media_type=media_type)


def _scored(call: Call, deployment: RunningDeployment) -> tuple[Rows, Scored]:
    """Return the rows and their scores.

    The models' process, whose memory and time are limited, reads Arrow first. If that succeeds, it is read here too: as
    it was sent or, if it is not plain, in the plain form that the process returns.
    """
    from wallaroo_ext.sandbox.engine.tensors import check_lists
    from wallaroo_ext.sandbox.inference.rows import is_json, read_rows, to_request

    memory = call.instance.options.rows_memory_mib
    if is_json(call.media_type):
        rows = read_rows(call.media_type, call.body, memory)
        scored = deployment.score(to_request(rows))
    else:
        scored = deployment.score([call.body])
        content = call.body if scored.rows is None else scored.rows
        rows = read_rows(call.media_type, content, memory, only_plain=True)
    for result in (*scored.results, *scored.audited):
        check_lists(result.outputs, memory)
    return rows, scored


def _deployment(call: Call) -> Row:
    """Return the deployment in the URL, for members of its workspace and for clients without a user."""
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
    """Return the running deployment of a row.

    Raises:
        Problem: 400 if it has no models, 503 if it is not running.
    """
    deployment = call.instance.engine.deployment(row["id"])
    if row["steps"] == "[]" and deployment.status != "Error":
        raise engine_error(f"The pipeline {row['pipeline']!r} has no models.")
    if deployment.status != "Running":
        raise unavailable(f"no healthy upstream: the deployment is {deployment.status}")
    return deployment


class ChunksResponse(Response):
    """A large answer of known length, sent from the memory of its chunks without joining them.

    Args:
        chunks: The content, in order.
        media_type: Its media type.
    """

    def __init__(self, chunks: Sequence[memoryview], media_type: str) -> None:
        self._chunks = chunks
        length = sum(chunk.nbytes for chunk in chunks)
        super().__init__(headers={"Content-Length": str(length)}, media_type=media_type)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the answer."""
        del scope, receive
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        for part in split_into_chunks(self._chunks):
            await send({"type": "http.response.body", "body": part, "more_body": True})
        await send({"type": "http.response.body", "body": b"", "more_body": False})
