"""`wallaroo-ext status`: how a deployment is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from wallaroo_ext.cli import output
from wallaroo_ext.cli.options import DEFAULT_OPTIONS, Options
from wallaroo_ext.cli.output import UsageError
from wallaroo_ext.cli.places import Found, deployment_of, searched
from wallaroo_ext.cli.pods import show_pods
from wallaroo_ext.cli.tables import show_facts

if TYPE_CHECKING:
    from wallaroo_mlops_client.models import DeploymentStatus


def status(name: str | None = None, /, *, workspace: str | None = None, options: Options = DEFAULT_OPTIONS) -> None:
    """Tell how a deployment is, with its pods and models.

    The exit code is 1 where it is in Error.

    For example: `wallaroo-ext status tumours`

    Args:
        name: The pipeline's name, or the deployment's, such as tumours-5. The API lists neither, so one has to be
            named.
        workspace: Its workspace, by its name or its id; all that the user sees are searched by default.
        options: The instance, and how to answer.
    """
    with options.reported():
        if name is None:
            raise UsageError("The API lists no deployments: name a pipeline, such as `wallaroo-ext status tumours`.")
        from wallaroo_mlops_client.api.deployments import get_deployment_status
        from wallaroo_mlops_client.models import GetDeploymentStatusRequest

        from wallaroo_ext.operations import call

        with options.connect() as client:
            found = deployment_of(client, name, searched(client, workspace))
            told = call(get_deployment_status, client=client, body=GetDeploymentStatusRequest(name=found.name))
        _show(found, told, machine=options.json)
        if told.status == "Error":
            raise SystemExit(output.FAILED)


def _show(found: Found, told: DeploymentStatus, *, machine: bool) -> None:
    if machine:
        fields: Any = {"name": found.name, "id": found.id, "url": found.url}
        output.line(output.as_json(fields | told.to_dict(), machine=True))
        return
    facts = {"deployment": found.name, "url": found.url, "status": told.status}
    show_facts({title: text for title, text in facts.items() if text is not None})
    show_pods(told)
