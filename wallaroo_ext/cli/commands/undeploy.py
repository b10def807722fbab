"""`wallaroo-ext undeploy`: the end of a deployment."""

from __future__ import annotations

from wallaroo_ext.cli import signals
from wallaroo_ext.cli.options import DEFAULT_OPTIONS, Options
from wallaroo_ext.cli.printing import output
from wallaroo_ext.cli.workspaces import DeploymentId, searched


def undeploy(
    name: str,
    /,
    *,
    workspace: str | None = None,
    deployment_id: DeploymentId = None,
    options: Options = DEFAULT_OPTIONS,
) -> None:
    """End a deployment.

    Where nothing is deployed under the name, it says so, and that is no error. Where several deployments have the name,
    it ends none.

    For example: `wallaroo-ext undeploy tumours`

    Args:
        name: The pipeline's name, or the deployment's, such as tumours-5.
        workspace: Its workspace, by its name or its id; all that the user sees are searched by default.
        deployment_id: The id of the deployment that is meant, where the name fits several.
        options: The instance, and how to answer.
    """
    with options.reported(), options.connect() as client:
        from wallaroo_ext.deployments.find import look_up
        from wallaroo_ext.deployments.find import undeploy as end

        deployed = look_up(client, name, searched(client, workspace), deployment_id=deployment_id)
        if deployed is None:
            numbered = "" if deployment_id is None else f" with the id {deployment_id}"
            _say(None, f"Nothing is deployed under the name {name}{numbered}.", machine=options.json)
            return
        end(client, deployed.id)
        done = f"{deployed.name} is undeployed."
        with signals.noted(lambda: done):
            _say(deployed.name, done, machine=options.json)


def _say(undeployed: str | None, sentence: str, *, machine: bool) -> None:
    if machine:
        output.line(output.as_json({"undeployed": undeployed}, machine=True))
    else:
        output.line(sentence)
