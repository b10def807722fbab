"""What a run stands on: a workspace of its own, with a model, a running deployment, an assay and a user."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from wallaroo_mlops_client.api.assays import create_assay, list_assays
from wallaroo_mlops_client.api.models import list_model_versions, list_models
from wallaroo_mlops_client.api.users import invite_user
from wallaroo_mlops_client.api.workspaces import create_workspace, list_workspaces
from wallaroo_mlops_client.models import (
    AssayRequest,
    CreateWorkspaceRequest,
    InviteUserRequest,
    ListAssaysRequest,
    ListModelsRequest,
    ListModelVersionsRequest,
    ListWorkspacesRequest,
)

from wallaroo_ext import call, deploy_pipeline, infer, upload_model
from wallaroo_ext.conformance.samples import INPUT, OUTPUT, WIDTH, model_file
from wallaroo_ext.json_values import list_of

if TYPE_CHECKING:
    import pyarrow as pa
    from wallaroo_mlops_client import Client

    from wallaroo_ext.conformance.belongings import Belongings
    from wallaroo_ext.deployments.deployment import Deployment

PASSWORD = "A-password-0f-the-suite"  # noqa: S105 - of users that the suite makes and deactivates
_SCORED_ROWS = 20


@dataclass(slots=True)
class Ground:
    """What a run stands on; None is what there is none of, because it may not be made or could not be found.

    Attributes:
        workspace_id: The run's workspace.
        name: The name of its pipeline and its deployment.
        pipeline_id: The pipeline's id.
        model: Its model's version as `models` of a deployment take it: name, version and sha.
        model_id: The model's id.
        version_id: The id of the model's version.
        deployment: Its deployment, which runs until the end.
        spare: A second pipeline that is deployed, to be deployed, copied and undeployed.
        assay_id: Its assay.
        email: The user that it invited.
        user_id: The user's id.
        scored_at: When its first rows were scored, by the instance's clock.
    """

    workspace_id: int | None = None
    name: str | None = None
    pipeline_id: int | None = None
    model: dict[str, str] | None = None
    model_id: int | None = None
    version_id: int | None = None
    deployment: Deployment | None = None
    spare: Deployment | None = None
    assay_id: int | None = None
    email: str | None = None
    user_id: str | None = None
    scored_at: datetime | None = None


def lay(client: Client, belongings: Belongings, *, user_changes: bool) -> Ground:
    """Make what a run stands on.

    Args:
        client: A client of the instance.
        belongings: What the run made, which says how to call it.
        user_changes: Whether a user may be invited.

    Raises:
        WallarooError: The instance does not let it be made.
    """
    prefix = belongings.prefix
    workspace_id = call(
        create_workspace, client=client, body=CreateWorkspaceRequest(workspace_name=f"{prefix}-w")
    ).workspace_id
    version = upload_model(client, model_file(), name=f"{prefix}-m", workspace=workspace_id)
    spare = deploy_pipeline(client, f"{prefix}-s", version)
    deployment = deploy_pipeline(client, f"{prefix}-p", version)
    rows = np.random.default_rng(1).normal(size=(_SCORED_ROWS, WIDTH)).astype(np.float32)
    scored_at = _time_of(infer(client, deployment, {INPUT: rows}))
    ground = Ground(
        workspace_id=workspace_id,
        name=deployment.pipeline,
        pipeline_id=deployment.pipeline_id,
        model={"name": f"{prefix}-m", "version": version.model_version, "sha": version.sha},
        model_id=version.models_pk_id,
        version_id=version.id,
        deployment=deployment,
        spare=spare,
        scored_at=scored_at,
    )
    belongings.add("model", version.models_pk_id)
    assay = AssayRequest.from_dict(assay_request(ground))
    ground.assay_id = call(create_assay, client=client, body=assay).assay_id
    if user_changes:
        ground.email = f"{prefix}@example.com"
        invitation = InviteUserRequest(email=ground.email, password=PASSWORD)
        ground.user_id = call(invite_user, client=client, body=invitation).id
    return ground


def _time_of(scored: pa.Table) -> datetime:
    """When rows were scored, as the instance says."""
    import pyarrow as pa
    import pyarrow.compute as pc

    milliseconds: Any = cast("Any", pc).min(scored.column("time").cast(pa.int64()))
    return datetime.fromtimestamp(milliseconds.as_py() / 1000, UTC)


def assay_request(ground: Ground, **changes: Any) -> dict[str, Any]:
    """An assay of the deployment's output, whose baseline is the time of its first rows.

    Args:
        ground: What the run stands on; its deployment has scored rows.
        **changes: Fields in place of these.
    """
    assert ground.scored_at is not None, "an assay needs rows"  # noqa: S101 - who calls it has them
    start, end = (ground.scored_at + timedelta(milliseconds=ms) for ms in (-500, 500))
    of = {"pipeline": ground.name, "model": (ground.model or {}).get("name")}
    fixed = of | {"start_at": start.isoformat(), "end_at": end.isoformat()}
    summarizer = {"type": "UnivariateContinuous", "bin_mode": "Quantile", "aggregation": "Density", "metric": "PSI"}
    return {
        "name": ground.name,
        "pipeline_id": ground.pipeline_id,
        "pipeline_name": ground.name,
        "workspace_id": ground.workspace_id,
        "active": True,
        "status": "active",
        "iopath": f"output {OUTPUT} 0",
        "baseline": {"Fixed": fixed},
        "window": of | {"width": "1 second", "start": None, "interval": None},
        "summarizer": summarizer | {"num_bins": 5, "add_outlier_edges": True},
        "warning_threshold": 0.0,
        "alert_threshold": 0.1,
        "run_until": None,
    } | changes


def look_around(client: Client) -> Ground:
    """What there is to read on an instance where nothing may be made; names of pipelines nothing tells.

    Args:
        client: A client of the instance.
    """
    ground = Ground()
    for workspace in call(list_workspaces, client=client, body=ListWorkspacesRequest()).workspaces:
        ground.workspace_id = ground.workspace_id or workspace.id
        _see_models(client, ground, workspace.id)
        for pipeline_id in list_of(workspace.to_dict().get("pipelines")):
            _see_assays(client, ground, pipeline_id)
    return ground


def _see_models(client: Client, ground: Ground, workspace_id: int) -> None:
    if ground.model_id is not None:
        return
    for model in call(list_models, client=client, body=ListModelsRequest(workspace_id=workspace_id)).models:
        versions = call(list_model_versions, client=client, body=ListModelVersionsRequest(models_pk_id=model.id))
        for version in versions:
            ground.workspace_id, ground.model_id, ground.version_id = workspace_id, model.id, version.id
            ground.model = {"name": model.name, "version": version.model_version, "sha": version.sha}
            return


def _see_assays(client: Client, ground: Ground, pipeline_id: int) -> None:
    if ground.assay_id is not None:
        return
    ground.pipeline_id = pipeline_id
    for assay in call(list_assays, client=client, body=ListAssaysRequest(pipeline_id=pipeline_id)):
        ground.assay_id = assay.id
        return
