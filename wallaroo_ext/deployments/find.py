"""Finding a deployment that is there already, and ending one."""

from __future__ import annotations

import re
from http import HTTPStatus
from typing import TYPE_CHECKING

import httpx

from wallaroo_ext import contract
from wallaroo_ext.deployments.deploy import url_steps
from wallaroo_ext.deployments.deployment import Deployment, end_steps
from wallaroo_ext.deployments.wait import status_steps
from wallaroo_ext.errors import ContractViolationError, InvalidDataError, InvalidRequestError, NotFoundError
from wallaroo_ext.lookups import fits_twice, not_there
from wallaroo_ext.operations import Steps, run
from wallaroo_ext.workspaces import workspace_ids_steps

if TYPE_CHECKING:
    from wallaroo_mlops_client import Client

_URL = "get_pipeline_external_url"
_NAME = re.compile(r".+-(\d+)")


def find_deployment(client: Client, name: str, workspace: int | str | None = None) -> Deployment:
    """Find a pipeline that is deployed, to score rows or to undeploy it.

    Source: external-inference-url-tutorial, "Get External Inference URL".

    Args:
        client: What `connect` gave.
        name: The pipeline's name.
        workspace: The name or the id of its workspace; without one, all workspaces that the user sees are searched.

    Returns:
        The deployment with its URL and its present status, which need not be `Running`.

    Raises:
        NotFoundError: Nothing is deployed under this name.
        AmbiguousError: Several workspaces have a deployed pipeline of this name.
    """
    return run(client, find_deployment_steps(client, name, workspace))


def find_deployment_steps(client: Client, name: str, workspace: int | str | None = None) -> Steps[Deployment]:
    """What `find_deployment` does."""
    found = yield from _found(client, name, workspace)
    if found is None:
        where = "this user's workspaces" if workspace is None else f"the workspace {workspace!r}"
        advice = "Is the name right, is it deployed, and is this user a member of its workspace?"
        raise not_there(_URL, f"No pipeline {name!r} is deployed in {where}.", advice=advice)
    return found


def undeploy(client: Client, deployment: Deployment | str | int, *, workspace: int | str | None = None) -> None:
    """End a deployment. One that has ended already is fine, and so is a name under which nothing is deployed.

    Source: pipeline-management-tutorial, "Undeploy a Pipeline".

    Args:
        client: What `connect` gave.
        deployment: What `deploy_pipeline` or `find_deployment` gave, the deployment's id, its name
            (`{deploy_id}-{id}`), or its pipeline's name.
        workspace: The name or the id of the workspace, for a pipeline's name; without one, all workspaces that the user
            sees are searched.

    Raises:
        AmbiguousError: The name is that of several deployments.
        InvalidRequestError: There has never been a deployment of this id.
    """
    run(client, undeploy_steps(client, deployment, workspace=workspace))


def undeploy_steps(
    client: Client, deployment: Deployment | str | int, *, workspace: int | str | None = None
) -> Steps[None]:
    """What `undeploy` does."""
    if isinstance(deployment, Deployment):
        yield from end_steps(deployment.id, deployment.pipeline_id)
    elif isinstance(deployment, int) and not isinstance(deployment, bool):
        yield from end_steps(deployment, None)
    elif isinstance(deployment, str):
        named = yield from _named(client, deployment, workspace)
        if named is not None:
            yield from end_steps(named, None)
    else:
        kind = type(deployment).__name__
        raise InvalidDataError(f"A deployment is what deploy_pipeline gave, its id, or a name, not {kind}.")


def _named(client: Client, name: str, workspace: int | str | None) -> Steps[int | None]:
    """The id of what is deployed under a name, which may be the deployment's or the pipeline's."""
    found: dict[int, str] = {}
    numbered = _NAME.fullmatch(name)
    if numbered is not None and (yield from _status(name)) is not None:
        found[int(numbered[1])] = f"the deployment {name}"
    pipeline = yield from _found(client, name, workspace)
    if pipeline is not None:
        found.setdefault(pipeline.id, f"the pipeline {name}, deployed as {pipeline.name}")
    if len(found) > 1:
        raise fits_twice(f"The name {name!r} has two meanings", list(found.values()), "Give the deployment's id.")
    return next(iter(found), None)


def _found(client: Client, name: str, workspace: int | str | None) -> Steps[Deployment | None]:
    """What is deployed under a pipeline's name in a workspace, or in any that the user sees."""
    found: list[Deployment] = []
    for workspace_id in (yield from workspace_ids_steps(workspace)):
        deployment = yield from _in_workspace(client, name, workspace_id)
        if deployment is not None:
            found.append(deployment)
    if len(found) > 1:
        candidates = [f"{each.name} in the workspace {each.workspace_id}" for each in found]
        raise fits_twice(f"Several pipelines {name!r} are deployed", candidates, "Name the `workspace`.")
    return next(iter(found), None)


def _in_workspace(client: Client, name: str, workspace_id: int) -> Steps[Deployment | None]:
    try:
        url = yield from url_steps(name, workspace_id)
    except (NotFoundError, InvalidRequestError):
        return None
    deployment, number = named_in(url)
    status = yield from _status(deployment)
    if status is None:
        return None
    return Deployment(
        name=deployment,
        id=number,
        url=url,
        pipeline=name,
        workspace_id=workspace_id,
        status=status,
        client=client,
    )


def _status(deployment: str) -> Steps[str | None]:
    """The state of a deployment; None for one that is unknown or has ended."""
    try:
        status = yield from status_steps(deployment)
    except NotFoundError:
        return None
    return status.status


def named_in(url: str) -> tuple[str, int]:
    """The name and the id of the deployment that a URL leads to: no other operation tells them.

    Raises:
        ContractViolationError: The URL has neither of the recorded forms.
    """
    beginning = contract.operation("infer_deployment").path.partition("{")[0]
    _, found, rest = httpx.URL(url).path.rpartition(beginning)
    name = rest.partition("/")[0]
    numbered = _NAME.fullmatch(name)
    if not found or numbered is None:
        raise ContractViolationError(
            f"{_URL}: the URL does not name a deployment as the recorded ones do, {url!r}.",
            operation=_URL,
            status=HTTPStatus.OK,
            advice="Rows can be scored at this URL, and the pipeline can be undeployed by its id.",
        )
    return name, int(numbered[1])
