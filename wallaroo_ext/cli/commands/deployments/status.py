"""`wallaroo-ext status`: show the state of a deployment."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from wallaroo_ext.cli.completion import PipelineName, Workspace
from wallaroo_ext.cli.options import DEFAULT_OPTIONS, Options
from wallaroo_ext.cli.parameters import DeploymentId, find_workspace_id
from wallaroo_ext.cli.printing import output
from wallaroo_ext.cli.printing.output import UsageError
from wallaroo_ext.cli.printing.pods import show_pods
from wallaroo_ext.cli.printing.tables import show_facts

if TYPE_CHECKING:
    from wallaroo_ext.deployments.find import FoundDeployment


def status(
    name: PipelineName | None = None,
    /,
    *,
    workspace: Workspace = None,
    deployment_id: DeploymentId = None,
    options: Options = DEFAULT_OPTIONS,
) -> None:
    """Show the state of a deployment, with its pods and models.

    The exit code is 1 if it is in Error, which it may pass through while it starts.

    For example: `wallaroo-ext status tumours`

    Args:
        name: The pipeline's name, or the deployment's, such as tumours-5; `wallaroo-ext list deployments` lists them.
        workspace: Its workspace, by its name or its id; all that the user sees are searched by default.
        deployment_id: The id of the deployment, if several have the name.
        options: The instance, and how to answer.
    """
    with options.report_errors():
        if name is None:
            raise UsageError(
                "Name a pipeline, such as `wallaroo-ext status tumours`; `wallaroo-ext list deployments` lists what is "
                "deployed."
            )
        from wallaroo_ext.deployments.find import look_up, not_deployed_steps
        from wallaroo_ext.operations import run

        with options.connect() as client:
            number = find_workspace_id(client, workspace)
            deployed = look_up(client, name, number, deployment_id=deployment_id)
            if deployed is None:
                raise run(client, not_deployed_steps(name, number, deployment_id))
        _show(deployed, machine=options.json)
        if deployed.status.status == "Error":
            raise SystemExit(output.EXIT_FAILED)


def _show(deployed: FoundDeployment, *, machine: bool) -> None:
    if machine:
        fields: Any = {"name": deployed.name, "id": deployed.id, "url": deployed.url}
        output.print_line(output.to_json(fields | deployed.status.to_dict(), machine=True))
        return
    facts = {"deployment": deployed.name, "url": deployed.url, "status": deployed.status.status}
    show_facts({title: text for title, text in facts.items() if text is not None})
    show_pods(deployed.status)
