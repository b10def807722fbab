"""Listing workspaces, and finding one by its name or its id."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from wallaroo_ext._util.notebook_tables import FieldsInNotebook
from wallaroo_ext.errors import ConfigurationError, ConflictError, InvalidDataError, InvalidRequestError
from wallaroo_ext.operations import Steps, call_steps, synchronous
from wallaroo_ext.resources.lookup import ambiguous_error, not_found_error
from wallaroo_ext.resources.naming import explained_names

if TYPE_CHECKING:
    from wallaroo_mlops_client import Client
    from wallaroo_mlops_client.models import Workspace

_LIST = "list_workspaces"
_OWN = " - Default Workspace"
"""The end of the name of the workspace that an instance makes for a new user, in every recording."""


@dataclass(frozen=True, kw_only=True)
class InWorkspace(FieldsInNotebook):
    """What is listed of one or of all workspaces, such as a model.

    Attributes:
        id: Its id.
        name: Its name.
        workspace_id: The id of the workspace that it is in.
        workspace: That workspace's name.
    """

    id: int
    name: str
    workspace_id: int
    workspace: str


def by_workspace(listed: InWorkspace) -> tuple[str, int, str, int]:
    """Return the key by which lists are sorted: the workspace's name, then its own."""
    return listed.workspace, listed.workspace_id, listed.name, listed.id


@synchronous
def list_workspaces(
    client: Client,  # noqa: ARG001 - the steps run with it
    *,
    archived: bool = False,
) -> Steps[list[Workspace]]:
    """List the workspaces that the user sees, by their names.

    Each has its `id`, its `name`, and the ids of its `models` and `pipelines`.

    Source: mlops-api-tutorial, "List Workspaces".

    Args:
        client: What `connect` gave.
        archived: Whether to list the archived ones, too.
    """
    listed = yield from list_workspaces_steps()
    return sorted(listed if archived else _present(listed), key=lambda found: (found.name, found.id))


@synchronous
def find_workspace(
    client: Client,  # noqa: ARG001 - the steps run with it
    workspace: int | str | None = None,
    *,
    create: bool = False,
) -> Steps[Workspace]:
    """Find a workspace.

    Source: mlops-api-tutorial, "List Workspaces" and "Create Workspace".

    Args:
        client: What `connect` gave.
        workspace: Its name or its id. Without one, the only workspace that the user sees; of several, the one that the
            instance made for the user, whose name ends in ` - Default Workspace`. An archived workspace is found by its
            id only.
        create: Whether to make a workspace of this name where there is none. Where another program makes it at the
            same moment, that one is returned.

    Raises:
        NotFoundError: There is none; the message has similar names.
        AmbiguousError: No workspace is named, and it is not clear which one is the user's own.
        InvalidRequestError: The name cannot be given to a workspace: it breaks the rules for names, or it belongs to a
            workspace that this user does not see.
    """
    return (yield from workspace_steps(workspace, create=create))


def workspace_steps(workspace: int | str | None, *, create: bool = False) -> Steps[Workspace]:
    """Find a workspace; see `find_workspace`."""
    check_workspace(workspace)
    if create and not isinstance(workspace, str):
        raise ConfigurationError("A workspace is made by its name: give one beside `create`.")
    listed = yield from list_workspaces_steps()
    if workspace is None:
        return _own(listed)
    found = _found(listed, workspace)
    if found is not None:
        return found
    if create:
        return (yield from _created(str(workspace)))
    raise _unknown(workspace, listed)


def workspace_id_steps(workspace: int | str | None) -> Steps[int]:
    """Return the id of a workspace; an id is returned as it is, without a request.

    Raises:
        NotFoundError: There is no workspace of this name.
        AmbiguousError: No workspace is named, and it is not clear which one is the user's own.
        InvalidDataError: It is neither a name nor an id.
    """
    check_workspace(workspace)
    if isinstance(workspace, int):
        return workspace
    found = yield from workspace_steps(workspace)
    return found.id


def workspace_ids_steps(workspace: int | str | None) -> Steps[list[int]]:
    """Return the id of a workspace; without one named, those of all workspaces that the user sees."""
    if workspace is not None:
        return [(yield from workspace_id_steps(workspace))]
    listed = yield from list_workspaces_steps()
    return [found.id for found in _present(listed)]


def searched_steps(workspace: int | str | None) -> Steps[list[Workspace]]:
    """Return a workspace; without one named, all that the user sees.

    Raises:
        NotFoundError: There is no such workspace.
        InvalidDataError: It is neither a name nor an id.
    """
    if workspace is None:
        return _present((yield from list_workspaces_steps()))
    return [(yield from workspace_steps(workspace))]


def check_workspace(workspace: object) -> None:
    """Refuse a value that cannot name a workspace.

    Raises:
        InvalidDataError: It is neither a name nor an id.
    """
    if workspace is None or (isinstance(workspace, int) and not isinstance(workspace, bool)):
        return
    if not isinstance(workspace, str) or not workspace:
        raise InvalidDataError(f"A workspace is a name or an id, not {workspace!r}.")


def list_workspaces_steps() -> Steps[list[Workspace]]:
    """Return the workspaces that the user sees."""
    from wallaroo_mlops_client.api.workspaces import list_workspaces as operation
    from wallaroo_mlops_client.models import ListWorkspacesRequest

    answer = yield from call_steps(operation, body=ListWorkspacesRequest())
    return answer.workspaces


def _present(listed: list[Workspace]) -> list[Workspace]:
    """Return the workspaces that are not archived."""
    return [found for found in listed if found.archived is not True]


def _found(listed: list[Workspace], workspace: int | str) -> Workspace | None:
    if isinstance(workspace, int):
        return next((found for found in listed if found.id == workspace), None)
    return next((found for found in _present(listed) if found.name == workspace), None)


def _own(listed: list[Workspace]) -> Workspace:
    """Return the user's own workspace, as far as the list shows it."""
    present = _present(listed)
    own = [found for found in present if found.name.endswith(_OWN)]
    for candidates in (present, own):
        if len(candidates) == 1:
            return candidates[0]
    if not present:
        raise not_found_error(
            _LIST, "This user has no workspace.", advice="Make one: find_workspace(client, name, create=True)."
        )
    raise ambiguous_error(
        "No workspace is named, and this user has several",
        [repr(found.name) for found in present],
        "Name the one to use as `workspace`.",
    )


def _unknown(workspace: int | str, listed: list[Workspace]) -> Exception:
    what = f"This user has no workspace {workspace!r}."
    if isinstance(workspace, int):
        return not_found_error(_LIST, what, known={found.name: f"{found.id} ({found.name!r})" for found in listed})
    return not_found_error(
        _LIST, what, known={found.name: repr(found.name) for found in _present(listed)}, wanted=workspace
    )


def _created(name: str) -> Steps[Workspace]:
    """Create a workspace, or find the one of this name that somebody else has created meanwhile."""
    from wallaroo_mlops_client.api.workspaces import create_workspace
    from wallaroo_mlops_client.models import CreateWorkspaceRequest, Workspace

    try:
        with explained_names("workspace", name):
            answer = yield from call_steps(create_workspace, body=CreateWorkspaceRequest(workspace_name=name))
    except (InvalidRequestError, ConflictError):
        made = _found((yield from list_workspaces_steps()), name)
        if made is None:
            raise
        return made
    made = _found((yield from list_workspaces_steps()), answer.workspace_id)
    return made or Workspace(id=answer.workspace_id, name=name)
