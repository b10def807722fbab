"""The logs of pipelines: the rows that they scored, with their outputs, a page at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.responses import Response

from wallaroo_ext.inference.media_types import arrow_media_type
from wallaroo_ext.sandbox.assays.scheduled import require_pipeline
from wallaroo_ext.sandbox.handlers.calls import Call, handles_rows
from wallaroo_ext.sandbox.handlers.pipelines.inference import ChunksResponse
from wallaroo_ext.sandbox.handlers.workspaces import require_workspace
from wallaroo_ext.sandbox.http.problems import bad_request

if TYPE_CHECKING:
    from wallaroo_ext.sandbox.inference.logged_pages import Page

_PAGE_SIZE = 1000
_RECORDS = "application/json; format=pandas-records"


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
        response = Response(page.to_json(form), media_type=_RECORDS)
    response.headers["x-iteration-status"] = page.status
    if page.next is not None:
        response.headers["x-iteration-cursor"] = str(page.next)
    return response


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
