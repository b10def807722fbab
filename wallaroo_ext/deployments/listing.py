"""Listing the pipelines that are deployed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wallaroo_ext.deployments.find import deployed_steps
from wallaroo_ext.operations import Steps, synchronous
from wallaroo_ext.resources.pipelines import pipelines_steps

if TYPE_CHECKING:
    from wallaroo_mlops_client import Client

    from wallaroo_ext.deployments.deployment import Deployment


@synchronous
def list_deployments(client: Client, workspace: int | str | None = None) -> Steps[list[Deployment]]:
    """List the pipelines that are deployed, with their URLs and their present statuses.

    No operation lists deployments: it takes two requests for each pipeline that may be deployed.

    Args:
        client: What `connect` gave.
        workspace: The name or the id of a workspace; without one, all workspaces that the user sees are searched.

    Returns:
        The deployments, by the names of their workspaces and pipelines, as `find_deployment` returns them: they go on
        after the end of a `with` block.

    Raises:
        NotFoundError: There is no such workspace, or the release does not list pipelines, as those before 2025 do not.
        InvalidDataError: The workspace is neither a name nor an id.
    """
    listed: list[Deployment] = []
    for pipeline in (yield from pipelines_steps(workspace)):
        if pipeline.deployed is False:
            continue
        found = yield from deployed_steps(pipeline.name, pipeline.workspace_id)
        deployment = None if found is None else found.as_deployment(client, pipeline.name, pipeline_id=pipeline.id)
        if deployment is not None:
            listed.append(deployment)
    return listed
