"""The state of deployments, and where they answer."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from wallaroo_ext.sandbox.handlers.calls import Call, handles_at_once
from wallaroo_ext.sandbox.handlers.workspaces import is_member, require_workspace
from wallaroo_ext.sandbox.http.problems import bad_request, not_found

if TYPE_CHECKING:
    import sqlite3

    from wallaroo_ext.sandbox.engine.loaded_models import RunningDeployment
    from wallaroo_ext.sandbox.storage.store import Row

_UNREADY = "containers with unready status: [engine]"


@handles_at_once
def get_deployment_status(call: Call) -> dict[str, Any]:
    """Return the state of a deployment and of its pods."""
    with call.instance.store.reading() as db:
        row = find_deployment(db, call.body["name"])
        if row is None or not is_member(db, row["workspace_id"], call.user):
            raise not_found(f"There is no deployment {call.body['name']!r}.")
    deployment = call.instance.engine.deployment(row["id"])
    return {
        "status": deployment.status,
        "details": [],
        "engines": [_engine(row, deployment)],
        "engine_lbs": [
            {
                "ip": _address("engine-lb", row["id"]),
                "name": pod_name("engine-lb", row["id"]),
                "status": "Running",
                "reason": None,
                "details": [],
            }
        ],
        "sidekicks": [],
    }


def _engine(row: Row, deployment: RunningDeployment) -> dict[str, Any]:
    """Return the engine's pod: pending without an address, in error with the reason, or running with what it runs."""
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
        return pod | {
            "ip": _address("engine", row["id"]),
            "status": "Running",
            "details": [],
            "pipeline_statuses": {"pipelines": [{"id": row["pipeline"], "status": "Running"}]},
            "model_statuses": {
                "models": [
                    {"name": model.name, "version": model.version, "sha": model.sha, "status": "Running"}
                    for model in deployment.models
                ]
            },
        }
    return pod


def pod_name(kind: str, deployment_id: int) -> str:
    """Return a name in the form of Kubernetes', the same for a deployment each time."""
    digest = hashlib.sha256(f"{kind}-{deployment_id}".encode()).hexdigest()
    return f"{kind}-{digest[:10]}-{digest[10:15]}"


def _address(kind: str, deployment_id: int) -> str:
    digest = hashlib.sha256(f"{kind}-{deployment_id}".encode()).digest()
    return f"10.244.{digest[0]}.{digest[1]}"


@handles_at_once
def get_pipeline_external_url(call: Call) -> dict[str, Any]:
    """Return the URL of the deployment of a name, or of a pipeline's newest one."""
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
        raise bad_request(f"Nothing of the name {name!r} is deployed in the workspace {call.body['workspace_id']}.")
    path = call.contract.operations["infer_pipeline"].path
    return {"url": call.base_url + path.format(deployment=f"{row['deploy_id']}-{row['id']}", pipeline=row["pipeline"])}


def find_deployment(db: sqlite3.Connection, name: str) -> Row | None:
    """Return the deployment of a name `{deploy_id}-{deployment_id}`, if it is deployed."""
    deploy_id, _, number = name.rpartition("-")
    return db.execute(
        "SELECT deployments.*, pipelines.name AS pipeline, workspace_id, version AS pipeline_version FROM deployments "
        "JOIN pipelines ON pipelines.id = deployments.pipeline_id "
        "JOIN pipeline_versions ON pipeline_versions.id = pipeline_version_id "
        "WHERE deploy_id = ? AND CAST(deployments.id AS TEXT) = ? AND deployed",
        (deploy_id, number),
    ).fetchone()
