"""The logs of pipelines: the rows that they scored, with their outputs, a page at a time, by pipeline or by topic."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from starlette.responses import Response

from wallaroo_ext._util.arrow.files import to_buffers
from wallaroo_ext.inference.media_types import arrow_media_type
from wallaroo_ext.sandbox.assays.scheduled import require_pipeline
from wallaroo_ext.sandbox.handlers import assay_shapes
from wallaroo_ext.sandbox.handlers.calls import Call, handles_on_event_loop, handles_rows
from wallaroo_ext.sandbox.handlers.pipelines.inference import ChunksResponse
from wallaroo_ext.sandbox.handlers.workspaces import is_member, require_workspace
from wallaroo_ext.sandbox.http.json_text import to_json
from wallaroo_ext.sandbox.http.problems import bad_request, not_found
from wallaroo_ext.sandbox.storage.pipelines import find_pipeline, pipeline_of_topic, topic_of

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable

    from wallaroo_ext.sandbox.auth.users import User
    from wallaroo_ext.sandbox.inference.inference_log import LoggedBatch
    from wallaroo_ext.sandbox.inference.logged_pages import Page

_PAGE_SIZE = 1000
_TOPIC_PAGE_SIZE = 1_000_000
"""How many rows a page of a topic has at the most; published clients ask for all rows of a span with one request."""
_RECORDS = "application/json; format=pandas-records"
_FAILURES = "-failures"
"""The end of the topics with the rows that failed a validation."""


@handles_rows
def get_pipeline_logs(call: Call) -> Response:
    """Return a page of the rows of a pipeline, the newest first unless the order says otherwise."""
    from wallaroo_ext.sandbox.inference.answer_forms import AnswerForm
    from wallaroo_ext.sandbox.inference.answers import preferred_type

    page = _page(call)
    form = AnswerForm.of(call.instance.options.release)
    response: Response
    if preferred_type(call.headers.get("Accept"), call.media_type, arrow_media_type()) == arrow_media_type():
        response = ChunksResponse(page.to_arrow(form), media_type=arrow_media_type())
    else:
        response = Response(to_json(page.records(form)), media_type=_RECORDS)
    response.headers["x-iteration-status"] = page.status
    if page.next is not None:
        response.headers["x-iteration-cursor"] = str(page.next)
    return response


@handles_on_event_loop
def get_topic_name(call: Call) -> dict[str, Any]:
    """Return the topic of a pipeline, which is named by its id, or by its name and its workspace."""
    body = {name: value for name, value in call.body.items() if value is not None}
    with call.instance.store.reading() as db:
        if "pipeline_pk_id" in body:
            query = "SELECT workspace_id, name FROM pipelines WHERE id = ?"
            row = db.execute(query, (body["pipeline_pk_id"],)).fetchone()
            if row is None or not is_member(db, row["workspace_id"], call.user):
                raise bad_request(f"There is no pipeline {body['pipeline_pk_id']}.")
            return {"topic_name": topic_of(row["workspace_id"], row["name"])}
        return {"topic_name": topic_of(_workspace_of(db, body, call.user), body["pipeline_name"])}


def _workspace_of(db: sqlite3.Connection, body: dict[str, Any], user: User) -> int:
    """Return the workspace of a pipeline that is named; without `workspace_id`, it is looked for in all of the user's.

    Raises:
        Problem: 400, if there is no such pipeline, or if several workspaces have one.
    """
    name = body["pipeline_name"]
    if "workspace_id" in body:
        require_workspace(db, body["workspace_id"], user)
        require_pipeline(db, body["workspace_id"], name)
        return body["workspace_id"]
    query = (
        "SELECT workspace_id FROM pipelines JOIN workspace_users USING (workspace_id) WHERE user_id = ? AND name = ?"
    )
    rows = db.execute(query, (user.id, name)).fetchall()
    if len(rows) != 1:
        raise bad_request(f"{len(rows)} workspaces have a pipeline {name!r}; send its workspace_id, too.")
    return rows[0]["workspace_id"]


@handles_rows
def get_topic_partitions(call: Call) -> dict[str, Any]:
    """Return the partition that counts the rows of a topic; none if there are no rows."""
    from wallaroo_ext.sandbox.inference.logged_pages import ROWS

    count = call.instance.log.count_rows(_pipeline_of_topic(call))
    return {"partitions": {ROWS: {"end": count}} if count and not _is_of_failures(call) else {}}


@handles_rows
def get_topic_records(call: Call) -> Response:
    """Return a page of the rows of a topic, the oldest first unless the order says otherwise."""
    from wallaroo_ext.sandbox.inference.answer_forms import AnswerForm, Selection
    from wallaroo_ext.sandbox.inference.answers import preferred_type

    query = _known_query(call)
    page = _page_of_topic(call, query)
    status = {"status": page.status, "next": None if page.next is None else page.next.to_position()}
    form = AnswerForm.of(call.instance.options.release)
    if not form.has_records:
        return _as_json(status, _oldest_records(call, page))
    selection = Selection(
        included=query.get("dataset[]", []),
        excluded=query.get("dataset.exclude[]", []),
        separator=query.get("dataset.separator", [None])[0],
    )
    if preferred_type(call.headers.get("Accept"), call.media_type, arrow_media_type()) != arrow_media_type():
        return _as_json(status, page.records(form, selection))
    metadata = {"status": to_json(status).decode()}
    chunks = page.to_arrow(form, selection, metadata) if page.batches else _no_rows(metadata)
    return ChunksResponse(chunks, media_type=arrow_media_type())


def _no_rows(metadata: dict[str, str]) -> list[memoryview]:
    """Return a page without rows or columns: published clients read the first row of each column that is there."""
    import pyarrow as pa

    arrow: Any = pa
    return to_buffers(arrow.schema([], metadata).empty_table())


def _known_query(call: Call) -> dict[str, list[Any]]:
    """Return the parameters of the query that the release knows; it ignores others."""
    known = call.contract.operations["get_topic_records"].parameters
    return {each.name: call.query.getlist(each.name) for each in known if each.name in call.query}


def _page_of_topic(call: Call, query: dict[str, list[Any]]) -> Page:
    from wallaroo_ext.sandbox.assays.windows import parse_time, to_milliseconds
    from wallaroo_ext.sandbox.inference.logged_pages import ROWS, Cursor, Page

    start, end = (
        to_milliseconds(parse_time(query[name][0])) if name in query else None for name in ("time.start", "time.end")
    )
    newest_first = _is_newest_first(query.get("order", ["asc"])[0])
    pipeline_id = _pipeline_of_topic(call)
    log = call.instance.log
    cursor = Cursor.of_position(call.body)
    if cursor is None and ROWS in call.body:
        number = int(call.body[ROWS])
        found = log.find_row(pipeline_id, number, start_ms=start, end_ms=end, newest_first=newest_first)
        cursor = None if found is None else Cursor(*found)
    batches: Iterable[tuple[int, LoggedBatch]] = ()
    is_elsewhere = bool(call.body) and cursor is None
    if not is_elsewhere and not _is_of_failures(call):
        batches = log.page(
            pipeline_id,
            start_ms=start,
            end_ms=end,
            newest_first=newest_first,
            from_id=None if cursor is None else cursor.entry,
        )
    size = query.get("page_size") or query.get("limit") or [_TOPIC_PAGE_SIZE]
    return Page.of(batches, cursor, int(size[0]), newest_first=newest_first)


def _is_of_failures(call: Call) -> bool:
    return call.path["topic"].endswith(_FAILURES)


def _pipeline_of_topic(call: Call) -> int:
    """Return the id of the pipeline in the path.

    Raises:
        Problem: 404, if there is none, or if the caller may not use its workspace.
    """
    topic = call.path["topic"]
    found = pipeline_of_topic(topic.removesuffix(_FAILURES))
    with call.instance.store.reading() as db:
        if found is not None and is_member(db, found[0], call.user):
            pipeline_id = find_pipeline(db, *found)
            if pipeline_id is not None:
                return pipeline_id
    raise not_found(f"There is no topic {topic!r}.")


def _as_json(status: dict[str, Any], records: Iterable[dict[str, Any]]) -> Response:
    body = {"records": [to_json(record).decode() for record in records], **status}
    return Response(to_json(body), media_type="application/json")


def _oldest_records(call: Call, page: Page) -> Iterable[dict[str, Any]]:
    """Return the rows in the form of the oldest release."""
    workspace_id, name = pipeline_of_topic(call.path["topic"].removesuffix(_FAILURES)) or (0, "")
    for batch in page.batches:
        known = {"pipeline_name": name} | assay_shapes.known_of(call, workspace_id, batch)
        for row in assay_shapes.flat_rows(batch, None):
            yield assay_shapes.logged_row(call.instance.options, row, known)


def _page(call: Call) -> Page:
    from wallaroo_ext.sandbox.inference.logged_pages import Cursor, Page

    body = {name: value for name, value in call.body.items() if value is not None}
    start, end = _span(body)
    newest_first = _is_newest_first(body.get("order", "Desc"))
    cursor = Cursor.parse(body["cursor"]) if "cursor" in body else None
    with call.instance.store.reading() as db:
        require_workspace(db, body["workspace_id"], call.user)
        name = body["pipeline_name"] if "pipeline_name" in body else body["pipeline_id"]
        pipeline_id = require_pipeline(db, body["workspace_id"], name)
    batches = call.instance.log.page(
        pipeline_id,
        start_ms=start,
        end_ms=end,
        newest_first=newest_first,
        from_id=None if cursor is None else cursor.entry,
    )
    return Page.of(batches, cursor, int(body.get("page_size", _PAGE_SIZE)), newest_first=newest_first)


def _span(body: dict[str, str]) -> tuple[int | None, int | None]:
    """Return the start and the end of the requested time, in milliseconds since 1970.

    Raises:
        Problem: 400, if only one of them is there.
    """
    from wallaroo_ext.sandbox.assays.windows import parse_time, to_milliseconds

    if ("start_time" in body) != ("end_time" in body):
        raise bad_request("start_time and end_time are sent together, or neither of them.")
    if "start_time" not in body:
        return None, None
    return to_milliseconds(parse_time(body["start_time"])), to_milliseconds(parse_time(body["end_time"]))


def _is_newest_first(order: str) -> bool:
    """Return whether an order is that of the newest row first.

    Raises:
        Problem: 400, if it is no order.
    """
    if order.lower() not in {"asc", "desc"}:
        raise bad_request(f"order: {order!r} is neither Asc nor Desc.")
    return order.lower() == "desc"
