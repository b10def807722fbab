"""The operations on pipelines: creates, finds, copies, deploys and undeploys them."""

from __future__ import annotations

import json
from functools import partial
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from wallaroo_ext._util.json_values import object_of
from wallaroo_ext.sandbox.engine.steps import named_models
from wallaroo_ext.sandbox.handlers.calls import Call, handles, handles_on_event_loop
from wallaroo_ext.sandbox.handlers.models import (
    require_configured_version,
    require_named_version,
    require_version,
)
from wallaroo_ext.sandbox.handlers.workspaces import is_member, require_workspace, workspace_summary
from wallaroo_ext.sandbox.http.problems import bad_request, not_found, refusal
from wallaroo_ext.sandbox.storage.model_configs import configure_versions
from wallaroo_ext.sandbox.storage.pipelines import add_pipeline, add_pipeline_version, find_pipeline, topic_of
from wallaroo_ext.sandbox.storage.store import now

if TYPE_CHECKING:
    import sqlite3

    from wallaroo_ext.sandbox.auth.users import User
    from wallaroo_ext.sandbox.options import SandboxOptions
    from wallaroo_ext.sandbox.storage.store import Row

_PIPELINES = """
    SELECT pipelines.*, (SELECT max(created_at) FROM pipeline_versions WHERE pipeline_id = pipelines.id) AS updated_at
    FROM pipelines
"""


@handles
def create_pipeline(call: Call) -> dict[str, Any]:
    """Create a pipeline, or a new version of the pipeline with that name, and return its ids."""
    name, workspace_id, definition = (
        call.body["pipeline_id"],
        call.body["workspace_id"],
        call.body.get("definition", {}),
    )
    with call.instance.store.transaction() as db:
        require_workspace(db, workspace_id, call.user)
        for model in named_models(object_of(definition).get("steps")):
            require_named_version(db, workspace_id, model._asdict())
        pipeline_id = find_pipeline(db, workspace_id, name) or add_pipeline(db, workspace_id, name)
        version = add_pipeline_version(db, pipeline_id, json.dumps(definition))
    return {
        "pipeline_pk_id": pipeline_id,
        "pipeline_variant_pk_id": version["id"],
        "pipeline_variant_version": version["version"],
    }


@handles_on_event_loop
def list_pipelines(call: Call) -> dict[str, Any]:
    """Return the pipelines of the caller's workspaces, or of one of them, the newest first."""
    with call.instance.store.reading() as db:
        if "workspace_id" in call.body:
            require_workspace(db, call.body["workspace_id"], call.user)
        rows = db.execute(
            f"{_PIPELINES} JOIN workspaces ON workspaces.id = workspace_id JOIN workspace_users USING (workspace_id) "
            "WHERE user_id = ? AND workspace_id = coalesce(?, workspace_id) "
            "AND workspaces.name = coalesce(?, workspaces.name) ORDER BY pipelines.id DESC",
            (call.user.id, call.body.get("workspace_id"), call.body.get("workspace_name")),
        ).fetchall()
        return {"pipelines": [_listed(db, row) for row in rows]}


@handles_on_event_loop
def get_pipeline_by_name(call: Call) -> dict[str, Any]:
    """Return the pipeline of a workspace with a name."""
    name, workspace_id = call.body["pipeline_name"], call.body["workspace_id"]
    with call.instance.store.reading() as db:
        require_workspace(db, workspace_id, call.user)
        query = f"{_PIPELINES} WHERE workspace_id = ? AND pipelines.name = ?"
        row = db.execute(query, (workspace_id, name)).fetchone()
        if row is None:
            raise not_found(f"The workspace {workspace_id} has no pipeline {name!r}.")
        return _named(db, row)


@handles_on_event_loop
def get_pipeline_version(call: Call) -> dict[str, Any]:
    """Return the version of a pipeline with a UUID."""
    version = call.body["version"]
    with call.instance.store.reading() as db:
        row = db.execute(
            "SELECT pipelines.name, workspace_id, version, definition FROM pipeline_versions "
            "JOIN pipelines ON pipelines.id = pipeline_id WHERE version = ?",
            (version,),
        ).fetchone()
        if row is None or not is_member(db, row["workspace_id"], call.user):
            raise not_found(f"There is no pipeline version {version!r}.")
    return {"pipeline_id": row["name"], "version": row["version"], "definition": json.loads(row["definition"])}


def _named(db: sqlite3.Connection, row: Row) -> dict[str, Any]:
    workspace_id, name = row["workspace_id"], row["name"]
    return {
        "pipeline": {key: row[key] for key in ("id", "name", "created_at", "updated_at")},
        "plateau_topic": topic_of(workspace_id, name),
        "workspace": workspace_summary(db, workspace_id),
    }


def _listed(db: sqlite3.Connection, row: Row) -> dict[str, Any]:
    """Return a pipeline with its newest version and its newest deployment."""
    version = db.execute(
        "SELECT id, version, definition, created_at FROM pipeline_versions WHERE pipeline_id = ? ORDER BY id DESC",
        (row["id"],),
    ).fetchone()
    deployment = db.execute(
        "SELECT id, deploy_id, deployed FROM deployments WHERE pipeline_id = ? ORDER BY deployed DESC, id DESC",
        (row["id"],),
    ).fetchone()
    return _named(db, row) | {
        "pipeline_version": {**version, "definition": json.loads(version["definition"])},
        "deployment": deployment and {**deployment, "deployed": bool(deployment["deployed"])},
    }


@handles
def deploy_pipeline(call: Call) -> dict[str, Any]:
    """Deploy a pipeline and return the deployment's id; a deployment that already runs this keeps running."""
    body = call.body
    with call.instance.store.transaction() as db:
        version_id = body["pipeline_version_pk_id"]
        pipeline_id = body.get("pipeline_id") or _pipeline_of_version(db, version_id, call.user)
        pipeline = _require_pipeline(db, pipeline_id, call.user)
        version = _require_pipeline_version(db, pipeline["id"], version_id)
        steps = _steps(db, pipeline["workspace_id"], version, body)
        running = _find_running(db, version, body["deploy_id"], steps)
        if running is not None:
            _configure_engine(db, running, body)
            return {"id": running}
        deployment_id = _deploy(call, db, version, body["deploy_id"], steps)
        _configure_engine(db, deployment_id, body)
        call.instance.store.after_commit(partial(call.instance.engine.start, deployment_id))
    return {"id": deployment_id}


def _pipeline_of_version(db: sqlite3.Connection, version_id: int, user: User) -> int:
    """Return the pipeline of a version, about which nobody but a member of its workspace learns anything."""
    query = (
        "SELECT pipeline_id, workspace_id FROM pipeline_versions JOIN pipelines ON pipelines.id = pipeline_id "
        "WHERE pipeline_versions.id = ?"
    )
    row = db.execute(query, (version_id,)).fetchone()
    if row is None or not is_member(db, row["workspace_id"], user):
        raise bad_request(f"There is no pipeline version {version_id}.")
    return int(row["pipeline_id"])


def _find_running(db: sqlite3.Connection, version: Row, deploy_id: str, steps: list[int]) -> int | None:
    """Return the id of the deployment with a name if it runs exactly this version and these steps, else None."""
    row = db.execute(
        "SELECT id FROM deployments WHERE pipeline_version_id = ? AND deploy_id = ? AND steps = ? AND deployed",
        (version["id"], deploy_id, json.dumps(steps)),
    ).fetchone()
    return None if row is None else int(row["id"])


def _deploy(call: Call, db: sqlite3.Connection, version: Row, deploy_id: str, steps: list[int]) -> int:
    """Add or change the deployment with a name, so that it runs some model versions, and return its id."""
    require_capacity(call.instance.options, db, version["pipeline_id"], deploy_id)
    configure_versions(db, steps)
    row = db.execute(
        "INSERT INTO deployments (pipeline_id, deploy_id, pipeline_version_id, steps, deployed, created_at) "
        "VALUES (?, ?, ?, ?, 1, ?) ON CONFLICT (pipeline_id, deploy_id) DO UPDATE SET "
        "pipeline_version_id = excluded.pipeline_version_id, steps = excluded.steps, deployed = 1 RETURNING id",
        (version["pipeline_id"], deploy_id, version["id"], json.dumps(steps), now(db)),
    ).fetchone()
    return int(row["id"])


def _configure_engine(db: sqlite3.Connection, deployment_id: int, body: dict[str, Any]) -> None:
    """Store what was sent for the engine, which is shown, and changes nothing here."""
    config = json.dumps(body.get("engine_config", {}))
    db.execute("UPDATE deployments SET engine_config = ? WHERE id = ?", (config, deployment_id))


def require_capacity(options: SandboxOptions, db: sqlite3.Connection, pipeline_id: int, deploy_id: str) -> None:
    """Refuse a deployment beyond the limit, as an instance without free memory does.

    Raises:
        Problem: 500, if as many others run as may.
    """
    limit = options.deployments
    query = "SELECT count(*) FROM deployments WHERE deployed AND NOT (pipeline_id = ? AND deploy_id = ?)"
    others = db.execute(query, (pipeline_id, deploy_id)).fetchone()[0]
    if others >= limit:
        raise refusal(
            HTTPStatus.INTERNAL_SERVER_ERROR,
            f"There is no memory left for a deployment: this sandbox has {others} and may have {limit}. Undeploy one, "
            "or start the sandbox with a larger --deployments.",
        )


def _steps(db: sqlite3.Connection, workspace_id: int, version: Row, body: dict[str, Any]) -> list[int]:
    """Return the ids of the model versions to run: those in the pipeline's steps or, without any, in the request."""
    requested = [require_configured_version(db, workspace_id, config_id) for config_id in body.get("model_configs", [])]
    requested += [require_version(db, workspace_id, version_id) for version_id in body.get("model_ids", [])]
    requested += [require_named_version(db, workspace_id, reference) for reference in body.get("models", [])]
    defined = [
        require_named_version(db, workspace_id, model._asdict())
        for model in named_models(object_of(json.loads(version["definition"])).get("steps"))
    ]
    return list(dict.fromkeys(defined or requested))


def _require_pipeline(db: sqlite3.Connection, pipeline_id: int, user: User) -> Row:
    row = db.execute("SELECT * FROM pipelines WHERE id = ?", (pipeline_id,)).fetchone()
    if row is None or not is_member(db, row["workspace_id"], user):
        raise bad_request(f"There is no pipeline {pipeline_id}.")
    return row


def _require_pipeline_version(db: sqlite3.Connection, pipeline_id: int, version_id: int) -> Row:
    query = "SELECT * FROM pipeline_versions WHERE id = ? AND pipeline_id = ?"
    row = db.execute(query, (version_id, pipeline_id)).fetchone()
    if row is None:
        raise bad_request(f"The pipeline {pipeline_id} has no version {version_id}.")
    return row


@handles
def copy_pipeline(call: Call) -> dict[str, Any]:
    """Copy a version of a pipeline to a new pipeline, deploy it if requested, and return its ids."""
    workspace_id, name, deploy_id = call.body["workspace_id"], call.body["name"], call.body.get("deploy")
    with call.instance.store.transaction() as db:
        require_workspace(db, workspace_id, call.user)
        source = _require_source(db, workspace_id, call.body["source_pipeline"], call.body.get("pipeline_version"))
        if find_pipeline(db, workspace_id, name) is not None:
            raise bad_request(f"The workspace has a pipeline {name!r} already.")
        version = add_pipeline_version(db, add_pipeline(db, workspace_id, name), source["definition"])
        answer = {
            "pipeline_pk_id": version["pipeline_id"],
            "pipeline_variant_pk_id": version["id"],
            "pipeline_version": None,
            "deployment": None,
        }
        if deploy_id is None:
            return answer
        deployment_id = _deploy(call, db, version, deploy_id, _steps(db, workspace_id, version, {}))
        _configure_engine(db, deployment_id, call.body)
        call.instance.store.after_commit(partial(call.instance.engine.start, deployment_id))
    return answer | {"pipeline_version": version["version"], "deployment": {"id": deployment_id}}


def _require_source(db: sqlite3.Connection, workspace_id: int, pipeline_id: int, version: str | None) -> Row:
    """Return a version of a pipeline by its UUID, or the newest one without a UUID.

    Raises:
        Problem: 400, if the workspace has no such pipeline, or the pipeline no such version.
    """
    row = db.execute(
        "SELECT pipeline_versions.* FROM pipeline_versions JOIN pipelines ON pipelines.id = pipeline_id "
        "WHERE workspace_id = ? AND pipeline_id = ? AND version = coalesce(?, version) "
        "ORDER BY pipeline_versions.id DESC",
        (workspace_id, pipeline_id, version),
    ).fetchone()
    if row is None:
        of_version = "" if version is None else f" with a version {version!r}"
        raise bad_request(f"The workspace has no pipeline {pipeline_id}{of_version}.")
    return row


@handles
def undeploy_pipeline(call: Call) -> dict[str, Any] | None:
    """End a deployment, or all deployments of a pipeline, and return an empty object, or null before 2024."""
    pipeline_id, deployment_id = call.body.get("pipeline_id"), call.body.get("deployment_id")
    with call.instance.store.transaction() as db:
        if pipeline_id is None:
            pipeline_id = _pipeline_of_deployment(db, deployment_id, call.user)
        _require_pipeline(db, pipeline_id, call.user)
        query = "SELECT id FROM deployments WHERE pipeline_id = ?"
        ids = [row["id"] for row in db.execute(query, (pipeline_id,))]
        if deployment_id is not None:
            ids = [found for found in ids if found == deployment_id]
            if not ids:
                raise bad_request(f"The pipeline {pipeline_id} has no deployment {deployment_id}.")
        for found in ids:
            db.execute("UPDATE deployments SET deployed = 0 WHERE id = ?", (found,))
            call.instance.store.after_commit(partial(call.instance.engine.stop, found))
    return {} if call.instance.options.is_since("2024.2") else None


def _pipeline_of_deployment(db: sqlite3.Connection, deployment_id: int | None, user: User) -> int:
    """Return the pipeline of a deployment, about which nobody but a member of its workspace learns anything."""
    query = (
        "SELECT pipeline_id, workspace_id FROM deployments JOIN pipelines ON pipelines.id = pipeline_id "
        "WHERE deployments.id = ?"
    )
    row = db.execute(query, (deployment_id,)).fetchone()
    if row is None or not is_member(db, row["workspace_id"], user):
        raise bad_request(f"There is no deployment {deployment_id}.")
    return int(row["pipeline_id"])
