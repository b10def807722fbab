"""The operations on models, their versions, and the configurations of versions."""

from __future__ import annotations

import base64
import binascii
import uuid
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import orjson

from wallaroo_ext.sandbox.engine.engine import NATIVE_FRAMEWORK
from wallaroo_ext.sandbox.handlers import model_shapes
from wallaroo_ext.sandbox.handlers.calls import Call, handles, handles_on_event_loop
from wallaroo_ext.sandbox.handlers.workspaces import is_member, require_workspace, workspace_summary
from wallaroo_ext.sandbox.http.problems import bad_request, refusal
from wallaroo_ext.sandbox.storage.model_configs import add_model_config, find_model_config
from wallaroo_ext.sandbox.storage.store import now

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Mapping

    from wallaroo_ext.sandbox.auth.users import User
    from wallaroo_ext.sandbox.http.bodies import StagedFile
    from wallaroo_ext.sandbox.storage.store import Row

_VERSIONS = """
    SELECT model_versions.*, models.name, visibility, workspace_id,
        EXISTS (SELECT 1 FROM deployments, json_each(steps) WHERE deployed AND json_each.value = model_versions.id)
        AS deployed,
        (SELECT id FROM users WHERE email = created_by) AS uploader_id
    FROM model_versions JOIN models ON models.id = model_id
"""
_SCHEMA_MEMORY = 64 << 20  # the memory that reading a schema may take, in bytes


@handles
def upload_and_convert_model(call: Call) -> dict[str, Any]:
    """Add a model version, start its conversion, and return its id."""
    return _upload(call, call.body["metadata"], call.body["file"])


@handles
def upload_model(call: Call) -> dict[str, Any]:
    """Add a model version, described by the part `metadata` or by the fields beside the file, and return its id."""
    body = call.body
    if "metadata" not in body and "workspace_id" not in body:
        raise bad_request("workspace_id is required beside name, or metadata instead of both.")
    return _upload(call, body["metadata"] if "metadata" in body else _metadata(body), body["file"])


@handles
def upload_model_stream(call: Call) -> dict[str, Any]:
    """Add a model version, described by the query, and return its id."""
    file: StagedFile = call.body
    file.file_name = call.query["filename"]
    return _upload(call, _metadata(call.query), file)


def _metadata(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return the description of a model that needs no conversion."""
    return {
        "name": fields["name"],
        "visibility": fields.get("visibility", "private"),
        "workspace_id": int(fields["workspace_id"]),
        "conversion": {"framework": NATIVE_FRAMEWORK},
    }


def _upload(call: Call, metadata: dict[str, Any], file: StagedFile) -> dict[str, Any]:
    """Store a file as a new version, start its conversion, and return the version's id."""
    for name in ("input_schema", "output_schema"):
        if metadata.get(name) is not None:
            call.instance.engine.wait_for_libraries()
            check_schema(name, metadata[name])
    version = str(uuid.uuid4())
    store, options, size = call.instance.store, call.instance.options, file.path.stat().st_size
    with store.add_model_file(file.path, version), store.transaction(durable=True) as db:
        _require_upload_workspace(db, metadata["workspace_id"], call.user)
        version_id = _insert_version(db, metadata, file, version)
        db.execute(
            "UPDATE model_versions SET size = ?, created_by = ?, created_on_version = ? WHERE id = ?",
            (size, call.user.email, model_shapes.server_version(options), version_id),
        )
        if options.configures_uploads:
            schemas = {name: metadata.get(name) for name in ("input_schema", "output_schema")}
            add_model_config(db, version_id, schemas)
    call.instance.engine.convert(version_id)
    return {"insert_models": {"returning": [{"models": [{"id": version_id}]}]}}


def _require_upload_workspace(db: sqlite3.Connection, workspace_id: int, user: User) -> None:
    """Raise a Problem, 500 as recorded, unless a user may use a workspace."""
    if not is_member(db, workspace_id, user):
        raise refusal(HTTPStatus.INTERNAL_SERVER_ERROR, f"There is no workspace {workspace_id} to upload to.")


def _insert_version(db: sqlite3.Connection, metadata: dict[str, Any], file: StagedFile, version: str) -> int:
    """Add a version, with a new model if the workspace has none of this name, and return the version's id."""
    time = now(db)
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


@handles_on_event_loop
def list_models(call: Call) -> dict[str, Any]:
    """Return the models of a workspace, the newest first as recorded."""
    workspace_id = call.body["workspace_id"]
    with call.instance.store.reading() as db:
        require_workspace(db, workspace_id, call.user)
        models = db.execute("SELECT * FROM models WHERE workspace_id = ? ORDER BY id DESC", (workspace_id,)).fetchall()
        if not model_shapes.lists_versions(call.instance.options):
            return {"models": [model_shapes.model(row) for row in models]}
        workspace = workspace_summary(db, workspace_id)
        return {
            "models": [
                {
                    "model": model_shapes.model(row) | {"workspace_id": workspace_id},
                    "model_versions": [_configured(call, db, found) for found in reversed(_versions(db, row["id"]))],
                    "workspace": workspace,
                }
                for row in models
            ]
        }


def _configured(call: Call, db: sqlite3.Connection, version: Row) -> dict[str, Any]:
    """Return a version with its configuration, in the form of the release."""
    options, config = call.instance.options, find_model_config(db, version["id"])
    return {
        "model_version": model_shapes.version_details(options, version),
        "config": config and model_shapes.config_details(options, config),
    }


@handles_on_event_loop
def list_model_versions(call: Call) -> list[dict[str, Any]]:
    """Return the versions of the models with a name, or of the model with an id.

    With both, it is one model up to 2024.2, and since then what either names, as recorded.
    """
    options, name, model_id = call.instance.options, call.body.get("model_id"), call.body.get("models_pk_id")
    with call.instance.store.reading() as db:
        if options.is_since("2025.2") or name is None:
            models = _require_models(db, call.user, name=name, model_id=model_id)
        else:
            models = _models_of_name(db, call.user, name, model_id)
        return [model_shapes.listed_version(options, row) for model in models for row in _versions(db, model["id"])]


def _models_of_name(db: sqlite3.Connection, user: User, name: str, model_id: int | None) -> list[Row]:
    """Return the models with a name; of several, the one that has the id, if one is given.

    Raises:
        Problem: 400, if there is none.
    """
    models = _require_models(db, user, name=name)
    if len(models) > 1 and model_id is not None:
        models = [row for row in models if row["id"] == model_id]
        if not models:
            raise bad_request(f"There is no model {name!r} with the id {model_id}.")
    return models


@handles
def get_model(call: Call) -> dict[str, Any]:
    """Return a model with its versions, without their statuses."""
    with call.instance.store.reading() as db:
        [model] = _require_models(db, call.user, model_id=call.body["id"])
        answer = model_shapes.model(model) | {
            "models": [model_shapes.version(row) for row in _versions(db, model["id"])]
        }
        if model_shapes.shows_workspace_of_model(call.instance.options):
            answer["workspace"] = workspace_summary(db, model["workspace_id"])
        return answer


@handles
def get_model_by_id(call: Call) -> dict[str, Any]:
    """Return a model with its workspace and the configuration of its newest version."""
    with call.instance.store.reading() as db:
        [model] = _require_models(db, call.user, model_id=call.body["id"])
        config = find_model_config(db, _versions(db, model["id"])[-1]["id"])
        return model_shapes.model(model) | {
            "workspace_id": model["workspace_id"],
            "model_config": config and model_shapes.config(config),
        }


@handles
def get_model_version_by_id(call: Call) -> dict[str, Any]:
    """Return a version with its configuration."""
    with call.instance.store.reading() as db:
        version = _require_readable_version(db, call.body["model_version_id"], call.user)
        return {"model_version": _configured(call, db, version)}


@handles
def insert_model_config(call: Call) -> dict[str, Any]:
    """Give a version another configuration, and return it."""
    details = {name: value for name, value in call.body.items() if name in model_shapes.CONFIG_FIELDS}
    if "openai_config" in call.body:
        details["openai"] = call.body["openai_config"]
    with call.instance.store.transaction() as db:
        version = _require_readable_version(db, call.body["model_version_id"], call.user)
        require_workspace(db, version["workspace_id"], call.user)
        add_model_config(db, version["id"], details)
        config = find_model_config(db, version["id"])
    return {"model_config": config and model_shapes.config_details(call.instance.options, config)}


@handles
def get_model_upload_logs(call: Call) -> dict[str, Any]:
    """Return what the conversion of a version logged: nothing, since models run here as they are, or how it failed."""
    with call.instance.store.reading() as db:
        version = _require_readable_version(db, call.body["model_version_id"], call.user)
    logs = _conversion_log(version)
    return {"logs": logs[-int(call.body.get("lines", len(logs) or 1)) :]}


def _conversion_log(version: Row) -> list[str]:
    """Return the lines of a conversion that failed, the oldest first, each with its time and stream; else none."""
    reason = str(version["error_summary"] or "").splitlines()
    if not reason:
        return []
    framework = orjson.loads(version["metadata"])["conversion"]["framework"]
    lines = [
        ("stdout", f"Reading {version['file_name']}"),
        ("stdout", f"Converting it as a model of {framework}"),
        *(("stderr", line) for line in reason),
        ("stderr", "Ended with an error"),
    ]
    second = version["created_at"][:19]
    return [f"{second}.{number:09}Z {stream} F {line}" for number, (stream, line) in enumerate(lines, 1)]


def _require_models(
    db: sqlite3.Connection, user: User, *, name: str | None = None, model_id: int | None = None
) -> list[Row]:
    """Return the models with a name, or the one with an id, that a user may see.

    Raises:
        Problem: 400, if there is none.
    """
    rows = db.execute(
        "SELECT models.* FROM models JOIN model_readers ON model_id = id WHERE (name = ? OR id = ?) AND user_id = ?",
        (name, model_id, user.id),
    ).fetchall()
    if not rows:
        raise bad_request(f"There is no model {model_id if name is None else name!r}.")
    return rows


def _versions(db: sqlite3.Connection, model_id: int) -> list[Row]:
    return db.execute(f"{_VERSIONS} WHERE model_id = ? ORDER BY model_versions.id", (model_id,)).fetchall()


@handles
def get_model_config_by_id(call: Call) -> dict[str, Any]:
    """Return the configuration of a version, which is null in older releases until its first deployment."""
    with call.instance.store.reading() as db:
        version = _require_readable_version(db, call.body["model_id"], call.user)
        config = find_model_config(db, version["id"])
    return {"model_config": config and model_shapes.config(config)}


def _require_readable_version(db: sqlite3.Connection, version_id: int, user: User) -> Row:
    """Return a version that a user may see.

    Raises:
        Problem: 400, if there is none.
    """
    row = db.execute(
        f"{_VERSIONS} JOIN model_readers USING (model_id) WHERE model_versions.id = ? AND user_id = ?",
        (version_id, user.id),
    ).fetchone()
    if row is None:
        raise bad_request(f"There is no model version {version_id}.")
    return row


def require_configured_version(db: sqlite3.Connection, workspace_id: int, config_id: int) -> int:
    """Return the id of the model version that a configuration in a workspace belongs to.

    Raises:
        Problem: 400, if the workspace has no such configuration.
    """
    row = db.execute(
        "SELECT version_id FROM model_configs JOIN model_versions ON model_versions.id = version_id "
        "JOIN models ON models.id = model_id WHERE workspace_id = ? AND model_configs.id = ?",
        (workspace_id, config_id),
    ).fetchone()
    if row is None:
        raise bad_request(f"The workspace has no model configuration {config_id}.")
    return int(row["version_id"])


def require_named_version(db: sqlite3.Connection, workspace_id: int, reference: dict[str, str]) -> int:
    """Return the id of the version with a name, UUID and digest.

    Raises:
        Problem: 400, if the workspace has no such version.
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
    """Return the id of a version, after checking that it is in the workspace.

    Raises:
        Problem: 400, if the workspace has no such version.
    """
    row = db.execute(
        "SELECT 1 FROM model_versions JOIN models ON models.id = model_id "
        "WHERE workspace_id = ? AND model_versions.id = ?",
        (workspace_id, version_id),
    ).fetchone()
    if row is None:
        raise bad_request(f"The workspace has no model version {version_id}.")
    return version_id


def check_schema(name: str, text: str) -> None:
    """Check that a text is the base64 of an Arrow schema, serialised as an IPC message.

    Args:
        name: The field with the text, for the error.
        text: The text.

    Raises:
        Problem: 400, if it is not.
    """
    try:
        message = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise bad_request(f"{name}: the schema is no base64: {error}.") from None
    if not _is_schema(message):
        raise bad_request(f"{name}: the base64 holds no Arrow schema, as pyarrow's Schema.serialize() writes one.")


def _is_schema(message: bytes) -> bool:
    import pyarrow as pa

    from wallaroo_ext._util.arrow import limits

    try:
        limits.check_schema(message, _SCHEMA_MEMORY)
        pa.ipc.read_schema(pa.py_buffer(message))
    except (pa.ArrowException, OSError, ValueError, limits.TooLargeError):
        return False
    return True
