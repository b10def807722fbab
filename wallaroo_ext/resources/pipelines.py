"""Listing the pipelines of an instance."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from wallaroo_ext._util.json_values import object_of
from wallaroo_ext.errors import NotFoundError, WallarooError
from wallaroo_ext.operations import Steps, call_steps, synchronous
from wallaroo_ext.resources.workspaces import InWorkspace, by_workspace, check_workspace, searched_steps

if TYPE_CHECKING:
    from collections.abc import Iterable

    from wallaroo_mlops_client import Client
    from wallaroo_mlops_client.models import ListedPipeline, Workspace

_LIST = "list_pipelines"


@dataclass(frozen=True, kw_only=True)
class PipelineInfo(InWorkspace):
    """A pipeline of an instance, as `list_pipelines` returns it.

    Attributes:
        id: The pipeline's id.
        name: Its name.
        workspace_id: The id of the workspace that it is in.
        workspace: That workspace's name.
        version: The UUID of its newest version; None where the instance does not list it.
        deployed: Whether it is deployed; None where the instance does not list it.
    """

    version: str | None = None
    deployed: bool | None = None


@synchronous
def list_pipelines(
    client: Client,  # noqa: ARG001 - the steps run with it
    workspace: int | str | None = None,
) -> Steps[list[PipelineInfo]]:
    """List pipelines, by the names of their workspaces and their own.

    Args:
        client: What `connect` gave.
        workspace: The name or the id of a workspace; without one, the pipelines of all workspaces that the user sees.

    Raises:
        NotFoundError: There is no such workspace, or the release does not list pipelines, as those before 2025 do not;
            the message says what it shows of them.
        InvalidDataError: The workspace is neither a name nor an id.
    """
    return (yield from pipelines_steps(workspace))


def pipelines_steps(workspace: int | str | None) -> Steps[list[PipelineInfo]]:
    """Return pipelines; see `list_pipelines`."""
    check_workspace(workspace)
    searched = yield from searched_steps(workspace)
    try:
        listed = yield from _listed_steps(searched, everywhere=workspace is None)
    except NotFoundError as error:
        raise _not_listed(searched) from error
    return sorted(listed, key=by_workspace)


def pipeline_names_steps(workspace: int | str | None) -> Steps[list[str]]:
    """Return the names of pipelines, for the error of one that is not found; none where they cannot be listed."""
    try:
        listed = yield from pipelines_steps(workspace)
    except WallarooError:  # such as an older release's; the name was not found in any case
        return []
    return sorted({pipeline.name for pipeline in listed})


def _listed_steps(searched: list[Workspace], *, everywhere: bool) -> Steps[list[PipelineInfo]]:
    from wallaroo_mlops_client.api.pipelines import list_pipelines as operation
    from wallaroo_mlops_client.models import ListPipelinesRequest
    from wallaroo_mlops_client.types import UNSET

    names = {found.id: found.name for found in searched}
    asked: Any = {UNSET: ""} if everywhere else names
    listed: list[PipelineInfo] = []
    for workspace_id in asked:
        answer = yield from call_steps(operation, body=ListPipelinesRequest(workspace_id=workspace_id))
        given = None if everywhere else (workspace_id, names[workspace_id])
        listed += (_info(row, given, names) for row in answer.pipelines)
    return listed


def _info(row: ListedPipeline, asked: tuple[int, str] | None, names: dict[int, str]) -> PipelineInfo:
    """Return a listed pipeline; `asked` is the id and the name of the workspace that was asked for."""
    fields = row.to_dict()
    workspace = object_of(fields.get("workspace"))
    number, name = asked or (workspace.get("id", 0), workspace.get("name"))
    return PipelineInfo(
        id=row.pipeline.id,
        name=row.pipeline.name,
        workspace_id=number,
        workspace=name or names.get(number, ""),
        version=object_of(fields.get("pipeline_version")).get("version"),
        deployed=_is_deployed(fields.get("deployment", {})),
    )


def _is_deployed(deployment: Any) -> bool | None:
    """Return what a listed deployment says: null is none, and one without `deployed` says nothing."""
    if deployment is None:
        return False
    deployed = object_of(deployment).get("deployed")
    return deployed if isinstance(deployed, bool) else None


def _not_listed(searched: Iterable[Workspace]) -> NotFoundError:
    """Return the error for a release that has no list of pipelines; workspaces show the ids of theirs."""
    ids = [f"{found.name!r}: {', '.join(map(str, found.pipelines))}" for found in searched if found.pipelines]
    shown = f" It shows their ids only ({'; '.join(ids[:10])})." if ids else ""
    what = f"This instance lists no pipelines, as releases before 2025 do not.{shown}"
    advice = "Name the pipeline: find_deployment(client, name), or `wallaroo-ext status NAME`."
    return NotFoundError(what, operation=_LIST, status=HTTPStatus.NOT_FOUND, msg=what, advice=advice)
