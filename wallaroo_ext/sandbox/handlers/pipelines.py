"""Pipelines and their versions; deploying and undeploying them."""

from __future__ import annotations

import json
import uuid
from typing import TYPE_CHECKING, Any

from wallaroo_ext.sandbox.calls import Call, handles
from wallaroo_ext.sandbox.handlers.models import find_version, require_version
from wallaroo_ext.sandbox.handlers.workspaces import is_member, require_workspace
from wallaroo_ext.sandbox.problems import bad_request
from wallaroo_ext.sandbox.store import now

if TYPE_CHECKING:
    import sqlite3

    from wallaroo_ext.sandbox.store import Row
    from wallaroo_ext.sandbox.users import User


@handles
def create_pipeline(call: Call) -> dict[str, Any]:
    """A new pipeline, or a new version of the one that has the name."""
    name, workspace_id, definition = call.body["pipeline_id"], call.body["workspace_id"], call.body["definition"]
    with call.instance.store.transaction() as db:
        require_workspace(db, workspace_id, call.user)
        for reference in _references(definition):
            find_version(db, workspace_id, reference)
        pipeline = db.execute(
            "SELECT id FROM pipelines WHERE workspace_id = ? AND name = ?", (workspace_id, name)
        ).fetchone()
        pipeline_id = pipeline["id"] if pipeline else _insert_pipeline(db, workspace_id, name)
        version = str(uuid.uuid4())
        cursor = db.execute(
            "INSERT INTO pipeline_versions (pipeline_id, version, definition, created_at) VALUES (?, ?, ?, ?)",
            (pipeline_id, version, json.dumps(definition), now()),
        )
    return {
        "pipeline_pk_id": pipeline_id,
        "pipeline_variant_pk_id": cursor.lastrowid,
        "pipeline_variant_version": version,
    }


def _insert_pipeline(db: sqlite3.Connection, workspace_id: int, name: str) -> int | None:
    values = (workspace_id, name, now())
    return db.execute("INSERT INTO pipelines (workspace_id, name, created_at) VALUES (?, ?, ?)", values).lastrowid


def _references(definition: dict[str, Any]) -> list[dict[str, str]]:
    """The model versions that a definition's steps run, in order."""
    return [
        reference
        for step in definition.get("steps", [])
        for reference in step.get("ModelInference", {}).get("models", [])
    ]


@handles
def deploy_pipeline(call: Call) -> dict[str, Any]:
    """A deployment, whose models begin to be loaded; one that runs already goes on under its id."""
    body = call.body
    with call.instance.store.transaction() as db:
        pipeline = _require_pipeline(db, body["pipeline_id"], call.user)
        version = _require_pipeline_version(db, pipeline["id"], body["pipeline_version_pk_id"])
        wanted = (version["id"], json.dumps(_steps(db, pipeline["workspace_id"], version, body)))
        old = db.execute(
            "SELECT * FROM deployments WHERE pipeline_id = ? AND deploy_id = ?", (pipeline["id"], body["deploy_id"])
        ).fetchone()
        if old and old["deployed"] and (old["pipeline_version_id"], old["steps"]) == wanted:
            return {"id": old["id"]}
        deployment_id = _deploy(db, pipeline["id"], body["deploy_id"], wanted)
    call.instance.engine.start(deployment_id)
    return {"id": deployment_id}


def _deploy(db: sqlite3.Connection, pipeline_id: int, deploy_id: str, wanted: tuple[int, str]) -> int:
    row = db.execute(
        "INSERT INTO deployments (pipeline_id, deploy_id, pipeline_version_id, steps, deployed, created_at) "
        "VALUES (?, ?, ?, ?, 1, ?) ON CONFLICT (pipeline_id, deploy_id) DO UPDATE SET "
        "pipeline_version_id = excluded.pipeline_version_id, steps = excluded.steps, deployed = 1 RETURNING id",
        (pipeline_id, deploy_id, *wanted, now()),
    ).fetchone()
    return int(row["id"])


def _steps(db: sqlite3.Connection, workspace_id: int, version: Row, body: dict[str, Any]) -> list[int]:
    """The ids of the model versions to run: those of the pipeline's steps, else those that the request names."""
    for config_id in body.get("model_configs", []):
        raise bad_request(f"There is no model configuration {config_id}.")
    named = [require_version(db, workspace_id, version_id) for version_id in body.get("model_ids", [])]
    named += [find_version(db, workspace_id, reference) for reference in body.get("models", [])]
    own = [find_version(db, workspace_id, reference) for reference in _references(json.loads(version["definition"]))]
    return own or list(dict.fromkeys(named))


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
def undeploy_pipeline(call: Call) -> None:
    """End a deployment, or all deployments of a pipeline."""
    pipeline_id, deployment_id = call.body.get("pipeline_id"), call.body.get("deployment_id")
    with call.instance.store.transaction() as db:
        if pipeline_id is None:
            pipeline_id = _pipeline_of(db, deployment_id)
        _require_pipeline(db, pipeline_id, call.user)
        query = "SELECT id FROM deployments WHERE pipeline_id = ?"
        ids = [row["id"] for row in db.execute(query, (pipeline_id,))]
        if deployment_id is not None:
            ids = [found for found in ids if found == deployment_id]
            if not ids:
                raise bad_request(f"The pipeline {pipeline_id} has no deployment {deployment_id}.")
        db.executemany("UPDATE deployments SET deployed = 0 WHERE id = ?", [(found,) for found in ids])
    for found in ids:
        call.instance.engine.stop(found)


def _pipeline_of(db: sqlite3.Connection, deployment_id: int | None) -> int:
    row = db.execute("SELECT pipeline_id FROM deployments WHERE id = ?", (deployment_id,)).fetchone()
    if row is None:
        raise bad_request(f"There is no deployment {deployment_id}.")
    return int(row["pipeline_id"])
