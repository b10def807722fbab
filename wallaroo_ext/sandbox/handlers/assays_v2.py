"""The operations of the second version of the assays that published clients use and nothing recorded."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

from wallaroo_ext.sandbox.handlers import assay_shapes
from wallaroo_ext.sandbox.handlers.assays import add_assay, pipelines_of, require_assay_v2, run_of, shown_assays_v2
from wallaroo_ext.sandbox.handlers.calls import Call, handles_rows
from wallaroo_ext.sandbox.storage.store import now

if TYPE_CHECKING:
    from wallaroo_ext.sandbox.assays.runs import Run

_NO_ASSAY = str(uuid.UUID(int=0))


@handles_rows
def get_assay_v2_by_id(call: Call) -> dict[str, Any]:
    """Return the assay with a UUID."""
    with call.instance.store.reading() as db:
        assay = require_assay_v2(db, call.body["id"], call.user)
    return shown_assays_v2(call, [assay])[0]


@handles_rows
def set_assay_v2_active(call: Call) -> None:
    """Switch an assay on or off, after computing the windows that are due."""
    with call.instance.store.reading() as db:
        assay = require_assay_v2(db, call.body["assay_id"], call.user)
    call.instance.scheduled_assays.try_to_catch_up(assay["id"])
    with call.instance.store.transaction() as db:
        query = "UPDATE assays SET active = ?, updated_at = ? WHERE id = ?"
        db.execute(query, (call.body["active"], now(db), assay["id"]))


@handles_rows
def preview_assay_baseline_v2(call: Call) -> dict[str, Any]:
    """Return the distribution of a baseline, by the watched field."""
    from wallaroo_ext.sandbox.assays.second_version import kept_baseline

    request = kept_baseline(call.body)
    key, mode = assay_shapes.watched_key(request), assay_shapes.bin_mode_v2(request["summarizer"])
    return {key: assay_shapes.summary_v2(key, _preview_run(call, request).baseline_summary(), mode)}


@handles_rows
def preview_assay_v2(call: Call) -> list[dict[str, Any]]:
    """Return one result per window that has inferences, the oldest first, without storing them."""
    from wallaroo_ext.sandbox.assays.second_version import kept_assay
    from wallaroo_ext.sandbox.assays.windows import parse_time

    body = call.body
    request = kept_assay(body, first_window=parse_time(body["preview_start"])) | {"run_until": body["preview_end"]}
    origin = body["targeting"]["data_origin"]
    place = {name: origin[name] for name in ("pipeline_id", "workspace_id", "workspace_name")}
    results = _preview_run(call, request).results()
    return [{"id": 0, "assay_id": _NO_ASSAY, **assay_shapes.preview_v2(request, result), **place} for result in results]


@handles_rows
def schedule_assay_v2(call: Call) -> str:
    """Create an assay, and return its UUID."""
    from wallaroo_ext.sandbox.assays.second_version import kept_assay

    request = kept_assay(call.body)
    with call.instance.store.transaction() as db:
        pipelines_of(db, request, call.user)
        row = add_assay(db, request)
    return row["uuid"]


def _preview_run(call: Call, request: dict[str, Any]) -> Run:
    from wallaroo_ext.sandbox.assays.runs import Plan

    with call.instance.store.transaction() as db:
        pipelines = pipelines_of(db, request, call.user)
    return run_of(call, Plan.of(request), pipelines)
