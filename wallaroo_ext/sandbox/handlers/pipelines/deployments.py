"""The status of deployments, and their URLs."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from wallaroo_ext.sandbox.handlers.calls import Call, handles_on_event_loop
from wallaroo_ext.sandbox.handlers.workspaces import is_member, require_workspace
from wallaroo_ext.sandbox.http.problems import not_found

if TYPE_CHECKING:
    import sqlite3

    from wallaroo_ext.sandbox.engine.engine import RunningDeployment
    from wallaroo_ext.sandbox.engine.steps import Model
    from wallaroo_ext.sandbox.options import SandboxOptions
    from wallaroo_ext.sandbox.storage.store import Row

_UNREADY = "containers with unready status: [engine]"


@handles_on_event_loop
def get_deployment_status(call: Call) -> dict[str, Any]:
    """Return the status of a deployment and of its pods."""
    with call.instance.store.reading() as db:
        row = find_deployment(db, call.body["name"])
        if row is None or not is_member(db, row["workspace_id"], call.user):
            raise not_found(f"There is no deployment {call.body['name']!r}.")
        deployment = call.instance.engine.deployment(row["id"])
        engine = _engine(db, row, deployment)
    load_balancer: dict[str, Any] = {
        "ip": _address("engine-lb", row["id"]),
        "name": pod_name("engine-lb", row["id"]),
        "status": "Running",
        "reason": None,
        "details": [],
    }
    return _in_release(
        call.instance.options,
        {
            "status": deployment.status,
            "details": [],
            "engines": [engine],
            "engine_lbs": [load_balancer],
            "sidekicks": [],
        },
    )


def _engine(db: sqlite3.Connection, row: Row, deployment: RunningDeployment) -> dict[str, Any]:
    """Return the engine's pod: pending, in error with the reason, or running with its address and models."""
    pod: dict[str, Any] = {
        "ip": None,
        "name": pod_name("engine", row["id"]),
        "status": "Pending",
        "reason": None,
        "details": [_UNREADY, _UNREADY],
        "pipeline_statuses": None,
        "model_statuses": None,
    }
    if deployment.status == "Error":
        return pod | {"status": "Error", "reason": "Error", "details": [deployment.error]}
    if deployment.status == "Running":
        pipeline = {"id": row["pipeline"], "status": "Running", "version": row["pipeline_version"]}
        return pod | {
            "ip": _address("engine", row["id"]),
            "status": "Running",
            "details": [],
            "pipeline_statuses": {"pipelines": [pipeline]},
            "model_statuses": {"models": [_model(db, model) for model in deployment.models]},
        }
    return pod


def _model(db: sqlite3.Connection, model: Model) -> dict[str, Any]:
    [version_id] = db.execute("SELECT id FROM model_versions WHERE version = ?", (model.version,)).fetchone()
    return {
        "name": model.name,
        "version": model.version,
        "sha": model.sha,
        "status": "Running",
        "model_version_id": version_id,
    }


def _in_release(options: SandboxOptions, status: dict[str, Any]) -> dict[str, Any]:
    """Return the status of a deployment in the form of the release, without what older ones did not have."""
    [engine], [load_balancer] = status["engines"], status["engine_lbs"]
    running = engine["status"] == "Running"
    if running and not options.is_since("2024.2"):
        del engine["pipeline_statuses"]["pipelines"][0]["version"]
    if running and not options.is_since("2025.2"):
        for model in engine["model_statuses"]["models"]:
            del model["model_version_id"]
    if not options.is_since("2023.1"):
        details = engine.pop("details")
        del load_balancer["details"], status["sidekicks"]
        status["details"] = None
        if engine["status"] == "Error":
            [engine["reason"]] = details
    return status


def pod_name(kind: str, deployment_id: int) -> str:
    """Return the name of a deployment's pod, in the form of Kubernetes; it is always the same."""
    digest = hashlib.sha256(f"{kind}-{deployment_id}".encode()).hexdigest()
    return f"{kind}-{digest[:10]}-{digest[10:15]}"


def _address(kind: str, deployment_id: int) -> str:
    digest = hashlib.sha256(f"{kind}-{deployment_id}".encode()).digest()
    return f"10.244.{digest[0]}.{digest[1]}"


@handles_on_event_loop
def get_pipeline_external_url(call: Call) -> dict[str, Any]:
    """Return the URL of the deployment with a name, or else of the newest one of the pipeline with that name."""
    name = call.body["pipeline_name"]
    with call.instance.store.reading() as db:
        require_workspace(db, call.body["workspace_id"], call.user)
        row = db.execute(
            "SELECT deployments.*, pipelines.name AS pipeline FROM deployments "
            "JOIN pipelines ON pipelines.id = pipeline_id "
            "WHERE workspace_id = ? AND deployed AND ? IN (deploy_id, pipelines.name) "
            "ORDER BY deploy_id = ? DESC, deployments.id DESC",
            (call.body["workspace_id"], name, name),
        ).fetchone()
    if row is None:
        where = f"nothing of the name {name!r} is deployed in the workspace {call.body['workspace_id']}"
        raise not_found(f"Pipeline not found: {where}.")
    operation = "infer_pipeline" if call.instance.options.is_since("2023.2") else "infer_deployment"
    path = call.contract.operations[operation].path
    return {"url": call.base_url + path.format(deployment=f"{row['deploy_id']}-{row['id']}", pipeline=row["pipeline"])}


def find_deployment(db: sqlite3.Connection, name: str) -> Row | None:
    """Return the deployment with a name `{deploy_id}-{deployment_id}`, or None if it is not deployed."""
    deploy_id, _, number = name.rpartition("-")
    return db.execute(
        "SELECT deployments.*, pipelines.name AS pipeline, workspace_id, version AS pipeline_version FROM deployments "
        "JOIN pipelines ON pipelines.id = deployments.pipeline_id "
        "JOIN pipeline_versions ON pipeline_versions.id = pipeline_version_id "
        "WHERE deploy_id = ? AND CAST(deployments.id AS TEXT) = ? AND deployed",
        (deploy_id, number),
    ).fetchone()
