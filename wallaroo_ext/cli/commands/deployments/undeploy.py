"""`wallaroo-ext undeploy`: end a deployment."""

from __future__ import annotations

from wallaroo_ext.cli import signals
from wallaroo_ext.cli.completion import PipelineName, Workspace
from wallaroo_ext.cli.options import DEFAULT_OPTIONS, Options
from wallaroo_ext.cli.parameters import DeploymentId, find_workspace_id, parse_workspace
from wallaroo_ext.cli.printing import output


def undeploy(
    name: PipelineName,
    /,
    *,
    workspace: Workspace = None,
    deployment_id: DeploymentId = None,
    options: Options = DEFAULT_OPTIONS,
) -> None:
    """End a deployment.

    If nothing is deployed under the name, it says so, and that is no error. If several deployments have the name, it
    ends none.

    For example: `wallaroo-ext undeploy tumours`

    Args:
        name: The pipeline's name, or the deployment's, such as tumours-5.
        workspace: Its workspace, by its name or its id; all that the user sees are searched by default.
        deployment_id: The id of the deployment, if several have the name.
        options: The instance, and how to answer.
    """
    with options.report_errors(), options.connect() as client:
        from wallaroo_ext.deployments.find import look_up, of_other_ids_steps
        from wallaroo_ext.deployments.find import undeploy as end
        from wallaroo_ext.operations import run
        from wallaroo_ext.resources.lookup import near_or_all
        from wallaroo_ext.resources.pipelines import pipeline_names_steps

        deployed = look_up(client, name, find_workspace_id(client, workspace), deployment_id=deployment_id)
        if deployed is None:
            numbered = "" if deployment_id is None else f" with the id {deployment_id}"
            known = [] if options.json else run(client, pipeline_names_steps(parse_workspace(workspace)))
            near = near_or_all(name, known) if known and name not in known else ""
            others = run(client, of_other_ids_steps(name, parse_workspace(workspace), deployment_id))
            sentence = f"Nothing is deployed under the name {name}{numbered}. {near or others}".rstrip()
            _say(None, sentence, machine=options.json)
            return
        end(client, deployed.id)
        done = f"{deployed.name} is undeployed."
        with signals.note_on_interrupt(lambda: done):
            _say(deployed.name, done, machine=options.json)


def _say(undeployed: str | None, sentence: str, *, machine: bool) -> None:
    if machine:
        output.print_line(output.to_json({"undeployed": undeployed}, machine=True))
    else:
        output.print_line(sentence)
