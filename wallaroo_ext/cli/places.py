"""What a person names on the command line: a workspace, and a deployment."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from wallaroo_ext.errors import NotFoundError

if TYPE_CHECKING:
    from wallaroo_mlops_client import Client

_DEPLOYMENT = re.compile(r".+-(\d+)")


@dataclass(frozen=True, slots=True)
class Found:
    """A deployment that a person has named.

    Attributes:
        name: The deployment's name, `{deploy_id}-{id}`.
        id: Its id.
        url: Where it answers; None where only the deployment's own name is known, which tells no URL.
    """

    name: str
    id: int
    url: str | None


def workspace_of(text: str | None) -> int | str | None:
    """A workspace by its name, or by its id where the text is a number."""
    return int(text) if text is not None and text.isdecimal() else text


def workspace_id(client: Client, text: str | None) -> int:
    """The id of the workspace that a person names, or of the user's own."""
    from wallaroo_ext.workspaces import find_workspace

    return find_workspace(client, workspace_of(text)).id


def searched(client: Client, text: str | None) -> int | None:
    """The id of the workspace that a person names; None for all of them, where none is named."""
    return None if text is None else workspace_id(client, text)


def deployment_of(client: Client, name: str, workspace: int | None) -> Found:
    """The deployment that a person names: by its pipeline, or by its own name.

    Raises:
        NotFoundError: There is none, or it has ended.
        AmbiguousError: Several workspaces have a deployed pipeline of this name.
    """
    from wallaroo_ext.deployments.find import find_deployment

    try:
        found = find_deployment(client, name, workspace)
    except NotFoundError:
        numbered = _DEPLOYMENT.fullmatch(name)
        if numbered is None or not _is_known(client, name):
            raise
        return Found(name, int(numbered[1]), None)
    return Found(found.name, found.id, found.url)


def _is_known(client: Client, name: str) -> bool:
    from wallaroo_mlops_client.api.deployments import get_deployment_status
    from wallaroo_mlops_client.models import GetDeploymentStatusRequest

    from wallaroo_ext.operations import call

    try:
        call(get_deployment_status, client=client, body=GetDeploymentStatusRequest(name=name))
    except NotFoundError:
        return False
    return True
