"""Models and their versions."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

import orjson

from wallaroo_ext.sandbox.calls import Call, handles
from wallaroo_ext.sandbox.handlers.workspaces import require_workspace
from wallaroo_ext.sandbox.problems import bad_request
from wallaroo_ext.sandbox.store import now

if TYPE_CHECKING:
    import sqlite3

    from wallaroo_ext.sandbox.bodies import StagedFile
    from wallaroo_ext.sandbox.store import Row

_OWNER = '""'  # two quotation marks, as releases of 2023 answer


@handles
def upload_and_convert_model(call: Call) -> dict[str, Any]:
    """A new version, whose conversion begins when it is stored."""
    metadata: dict[str, Any] = call.body["metadata"]
    file: StagedFile = call.body["file"]
    version = str(uuid.uuid4())
    with call.instance.store.transaction() as db:
        require_workspace(db, metadata["workspace_id"], call.user)
        version_id = _insert_version(db, metadata, file, version)
        file.path.rename(call.instance.store.model_file(version))
    call.instance.engine.convert(version_id)
    return {"insert_models": {"returning": [{"models": [{"id": version_id}]}]}}


def _insert_version(db: sqlite3.Connection, metadata: dict[str, Any], file: StagedFile, version: str) -> int:
    """The new version's id; its model is made where the workspace has none of this name."""
    time = now()
    model = db.execute(
        "SELECT id FROM models WHERE workspace_id = ? AND name = ?", (metadata["workspace_id"], metadata["name"])
    ).fetchone()
    cursor = db.execute(
        "INSERT INTO model_versions (model_id, version, sha, file_name, metadata, status, created_at) "
        "VALUES (?, ?, ?, ?, ?, 'pending_conversion', ?)",
        (model["id"] if model else 0, version, file.sha, file.file_name, orjson.dumps(metadata).decode(), time),
    )
    version_id = int(cursor.lastrowid or 0)
    if model:
        db.execute("UPDATE models SET updated_at = ? WHERE id = ?", (time, model["id"]))
    else:
        db.execute("UPDATE model_versions SET model_id = id WHERE id = ?", (version_id,))
        db.execute(
            "INSERT INTO models VALUES (?, ?, ?, ?, ?, ?)",
            (version_id, metadata["workspace_id"], metadata["name"], metadata["visibility"], time, time),
        )
    return version_id


@handles
def list_models(call: Call) -> dict[str, Any]:
    """The models of a workspace, the newest first as recorded."""
    with call.instance.store.transaction() as db:
        require_workspace(db, call.body["workspace_id"], call.user)
        rows = db.execute("SELECT * FROM models WHERE workspace_id = ? ORDER BY id DESC", (call.body["workspace_id"],))
        return {"models": [_model(row) for row in rows]}


def _model(row: Row) -> dict[str, Any]:
    return {
        "id": row["id"],
        "name": row["name"],
        "owner_id": _OWNER,
        "created_at": row["created_at"],
        "updated_at": row["updated_at"],
    }


@handles
def list_model_versions(call: Call) -> list[dict[str, Any]]:
    """The versions of the models of a name, or of the model of an id."""
    name, model_id = call.body.get("model_id"), call.body.get("models_pk_id")
    column, value = ("id", model_id) if name is None else ("name", name)
    with call.instance.store.transaction() as db:
        models = db.execute(
            f"SELECT id FROM models WHERE {column} = ? "  # noqa: S608 - one of the two names above
            "AND workspace_id IN (SELECT workspace_id FROM workspace_users WHERE user_id = ?)",
            (value, call.user.id),
        ).fetchall()
        if not models:
            raise bad_request(f"There is no model {value!r}.")
        rows = [row for model in models for row in _versions(db, model["id"])]
    return [_version(row) for row in rows]


def _versions(db: sqlite3.Connection, model_id: int) -> list[Row]:
    return db.execute(
        "SELECT model_versions.*, models.name FROM model_versions JOIN models ON models.id = model_id "
        "WHERE model_id = ? ORDER BY model_versions.id",
        (model_id,),
    ).fetchall()


def _version(row: Row) -> dict[str, Any]:
    version = {
        "sha": row["sha"],
        "models_pk_id": row["model_id"],
        "model_version": row["version"],
        "owner_id": _OWNER,
        "model_id": row["name"],
        "id": row["id"],
        "file_name": row["file_name"],
        "image_path": None,
        "status": row["status"],
    }
    return version if row["error_summary"] is None else version | {"error_summary": row["error_summary"]}


def find_version(db: sqlite3.Connection, workspace_id: int, reference: dict[str, str]) -> int:
    """The id of a version that is named in full.

    Raises:
        Problem: 400, when the workspace has no such version.
    """
    row = db.execute(
        "SELECT model_versions.id FROM model_versions JOIN models ON models.id = model_id "
        "WHERE workspace_id = ? AND name = ? AND version = ? AND sha = ?",
        (workspace_id, reference["name"], reference["version"], reference["sha"]),
    ).fetchone()
    if row is None:
        raise bad_request(
            f"The workspace has no model {reference['name']!r} of version {reference['version']!r} and sha "
            f"{reference['sha']!r}."
        )
    return int(row["id"])


def require_version(db: sqlite3.Connection, workspace_id: int, version_id: int) -> int:
    """The id of a version, if it is one of the workspace.

    Raises:
        Problem: 400, when it is none.
    """
    row = db.execute(
        "SELECT 1 FROM model_versions JOIN models ON models.id = model_id "
        "WHERE workspace_id = ? AND model_versions.id = ?",
        (workspace_id, version_id),
    ).fetchone()
    if row is None:
        raise bad_request(f"The workspace has no model version {version_id}.")
    return version_id
