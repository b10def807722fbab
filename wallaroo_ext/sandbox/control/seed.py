"""Seeding a sandbox with users, workspaces, pipelines and logged inferences: all of them, or none."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from wallaroo_ext.inference.media_types import arrow_media_type
from wallaroo_ext.sandbox.assays.scheduled import recheck_empty_windows
from wallaroo_ext.sandbox.auth.users import add_user, add_workspace, find_user_by_email
from wallaroo_ext.sandbox.control.routes import JSON, Action, json_body, raw_body
from wallaroo_ext.sandbox.http.problems import bad_request
from wallaroo_ext.sandbox.inference.inference_log import LoggedBatch
from wallaroo_ext.sandbox.storage.pipelines import add_pipeline, add_pipeline_version

if TYPE_CHECKING:
    import sqlite3

    import pyarrow as pa

    from wallaroo_ext.sandbox.control.routes import ControlCall
    from wallaroo_ext.sandbox.inference.inference_log import WrittenBatch

_LARGEST_ID = (1 << 63) - 1
_ID_TEXT = re.compile("[1-9][0-9]{0,17}")
_ID = {"type": "integer", "minimum": 1, "maximum": _LARGEST_ID}
_TEXT = {"type": "string", "minLength": 1}
_VALUE = {"type": ["number", "string", "boolean", "array", "null"]}


def _objects(required: dict[str, Any], **optional: Any) -> dict[str, Any]:
    """Return the schema of a list of objects with required and optional fields."""
    return {
        "type": "array",
        "items": {
            "type": "object",
            "properties": required | optional,
            "required": list(required),
            "additionalProperties": False,
        },
    }


_ROWS = {
    "type": "array",
    "minItems": 1,
    "items": {
        "type": "object",
        "properties": {"time": {"type": "integer", "minimum": 0}},
        "patternProperties": {r"^(in|out)\..": _VALUE},
        "required": ["time"],
        "additionalProperties": False,
    },
}
_BODY = {
    "type": "object",
    "properties": {
        "users": _objects({"email": _TEXT, "password": _TEXT}),
        "workspaces": _objects({"name": _TEXT}, owner=_TEXT),
        "pipelines": _objects({"name": _TEXT, "workspace_id": _ID}),
        "inferences": _objects({"pipeline_id": _ID, "model_name": _TEXT, "rows": _ROWS}),
    },
    "additionalProperties": False,
}


def _seed(call: ControlCall) -> dict[str, Any]:
    """Add the records of the body, and return their ids in its order."""
    call.instance.engine.wait_for_libraries()
    return _seed_arrow_file(call) if call.media_type != JSON else _seed_records(call)


def _seed_records(call: ControlCall) -> dict[str, Any]:
    """Add users, workspaces, pipelines and rows, in this order, so that each may refer to those before it.

    In a new sandbox ids begin at 1, so a pipeline can refer to a workspace of the same body.
    """
    from wallaroo_ext.sandbox.control.seeded_rows import table_of_records

    body: dict[str, list[dict[str, Any]]] = call.body
    _check_names(call)
    rows = [
        _Rows(int(entry["pipeline_id"]), entry["model_name"], table_of_records(f"inferences.{number}", entry["rows"]))
        for number, entry in enumerate(body.get("inferences", []))
    ]
    written = [_write(call, batch) for batch in rows]
    with call.instance.store.transaction(durable=True) as db:
        return {
            "users": [_add_user(db, entry) for entry in body.get("users", [])],
            "workspaces": [_add_workspace(call, db, entry) for entry in body.get("workspaces", [])],
            "pipelines": [_add_pipeline(db, entry) for entry in body.get("pipelines", [])],
            "inferences": _log(call, db, written),
        }


def _check_names(call: ControlCall) -> None:
    """Check addresses, passwords and names with the schemas of the API's own operations."""
    body: dict[str, list[dict[str, Any]]] = call.body
    for entry in body.get("users", []):
        call.contract.operations["invite_user"].bodies[0].check(entry)
    for entry in body.get("workspaces", []):
        call.contract.operations["create_workspace"].bodies[0].check({"workspace_name": entry["name"]})
    for entry in body.get("pipelines", []):
        fields: dict[str, Any] = {"pipeline_id": entry["name"], "workspace_id": entry["workspace_id"], "definition": {}}
        call.contract.operations["create_pipeline"].bodies[0].check(fields)


def _add_user(db: sqlite3.Connection, entry: dict[str, Any]) -> str:
    if find_user_by_email(db, entry["email"]) is not None:
        raise bad_request(f"The user {entry['email']!r} already exists.")
    return add_user(db, entry["email"], entry["password"]).id


def _add_workspace(call: ControlCall, db: sqlite3.Connection, entry: dict[str, Any]) -> int:
    """Add a workspace, owned by the default user unless the body names an owner, and return its id."""
    email = entry.get("owner", call.instance.credentials.username)
    owner = find_user_by_email(db, email)
    if owner is None:
        raise bad_request(f"The owner of the workspace {entry['name']!r}, {email!r}, is not a user.")
    if db.execute("SELECT 1 FROM workspaces WHERE name = ?", (entry["name"],)).fetchone():
        raise bad_request(f"The workspace {entry['name']!r} already exists.")
    return add_workspace(db, entry["name"], owner)


def _add_pipeline(db: sqlite3.Connection, entry: dict[str, Any]) -> int:
    """Add a pipeline with an empty version, and return its id."""
    name, workspace_id = entry["name"], int(entry["workspace_id"])
    if db.execute("SELECT 1 FROM workspaces WHERE id = ?", (workspace_id,)).fetchone() is None:
        raise bad_request(f"The workspace {workspace_id} of the pipeline {name!r} does not exist.")
    if db.execute("SELECT 1 FROM pipelines WHERE workspace_id = ? AND name = ?", (workspace_id, name)).fetchone():
        raise bad_request(f"The workspace {workspace_id} has a pipeline {name!r} already.")
    pipeline_id = add_pipeline(db, workspace_id, name)
    add_pipeline_version(db, pipeline_id, "{}")
    return pipeline_id


def _seed_arrow_file(call: ControlCall) -> dict[str, Any]:
    """Log the rows of an Arrow file for the pipeline and the model that the query names."""
    from wallaroo_ext.sandbox.control.seeded_rows import table_of_file

    pipeline_id, model_name = call.query.get("pipeline_id", ""), call.query.get("model_name", "")
    if not _ID_TEXT.fullmatch(pipeline_id):
        raise bad_request(f"pipeline_id: an Arrow file needs the id of a pipeline in the query, not {pipeline_id!r}.")
    if not model_name:
        raise bad_request("model_name: an Arrow file needs the name of a model in the query.")
    limit = call.instance.options.rows_memory_mib << 20
    written = _write(call, _Rows(int(pipeline_id), model_name, table_of_file(call.body, limit)))
    with call.instance.store.transaction(durable=True) as db:
        return {"users": [], "workspaces": [], "pipelines": [], "inferences": _log(call, db, [written])}


@dataclass(frozen=True, slots=True)
class _Rows:
    """Rows to log as inferences of a model for a pipeline."""

    pipeline_id: int
    model_name: str
    table: pa.Table


def _write(call: ControlCall, rows: _Rows) -> tuple[int, WrittenBatch]:
    """Write rows to a segment of the inference log. They become part of the log when they are indexed."""
    return rows.pipeline_id, call.instance.log.write(LoggedBatch(rows.table, rows.model_name, "", 0))


def _log(call: ControlCall, db: sqlite3.Connection, written: list[tuple[int, WrittenBatch]]) -> list[int]:
    """Index written rows, and return the ids of their log entries."""
    if written:
        recheck_empty_windows(db)
    return [_index(call, db, pipeline_id, entry) for pipeline_id, entry in written]


def _index(call: ControlCall, db: sqlite3.Connection, pipeline_id: int, written: WrittenBatch) -> int:
    pipeline = db.execute("SELECT workspace_id FROM pipelines WHERE id = ?", (pipeline_id,)).fetchone()
    if pipeline is None:
        raise bad_request(f"The pipeline {pipeline_id} of the rows does not exist.")
    sha = _model_sha(db, pipeline["workspace_id"], written.batch.model_name)
    return call.instance.log.index(db, pipeline_id, replace(written, batch=replace(written.batch, model_sha=sha)))


def _model_sha(db: sqlite3.Connection, workspace_id: int, model_name: str) -> str:
    """Return the digest of the newest version of a model, or an empty text if the workspace has no such model."""
    row = db.execute(
        "SELECT sha FROM model_versions JOIN models ON models.id = model_id WHERE workspace_id = ? AND name = ? "
        "ORDER BY model_versions.id DESC",
        (workspace_id, model_name),
    ).fetchone()
    return "" if row is None else str(row["sha"])


ACTIONS = {
    "POST": Action(
        _seed, json_body(_BODY) | raw_body(arrow_media_type()), query=frozenset({"pipeline_id", "model_name"})
    )
}
