"""`wallaroo-ext deploy`: deploy models as a pipeline."""

from __future__ import annotations

import dataclasses
import json
import re
from contextlib import ExitStack
from typing import TYPE_CHECKING, Annotated, Any, cast

from cyclopts import Parameter
from cyclopts.validators import Number

from wallaroo_ext.cli import signals
from wallaroo_ext.cli.completion import PipelineName, Workspace, model_names
from wallaroo_ext.cli.options import DEFAULT_OPTIONS, Options
from wallaroo_ext.cli.parameters import workspace_id
from wallaroo_ext.cli.printing import output, progress
from wallaroo_ext.cli.printing.output import UsageError
from wallaroo_ext.cli.printing.pods import show_pods
from wallaroo_ext.cli.printing.tables import show_facts

if TYPE_CHECKING:
    from collections.abc import Callable

    from wallaroo_mlops_client import Client
    from wallaroo_mlops_client.models import DeploymentStatus, ModelVersion

    from wallaroo_ext.deployments.deployment import Deployment

_MODEL = re.compile(r"(?P<name>[^@#]+)(?:@(?P<version>.+)|#(?P<sha>.+))?")


def deploy(
    name: PipelineName,
    /,
    *,
    model: Annotated[list[str], Parameter(negative=(), completer=model_names)],
    workspace: Workspace = None,
    engine_config: Annotated[str | None, Parameter(allow_leading_hyphen=True)] = None,
    wait: bool = True,
    wait_timeout: Annotated[float, Parameter(validator=Number(gte=0))] = 300,
    error_grace: Annotated[float | None, Parameter(validator=Number(gte=0), show_default=False)] = None,
    options: Options = DEFAULT_OPTIONS,
) -> None:
    """Deploy models as a pipeline, and wait until it runs.

    It prints the URL of the deployment. A deployment that does not become Running is undeployed again, and so is one
    that Ctrl-C interrupts. What was deployed under the name before is not undeployed; the command then says what it
    runs, and how to go back. The pipeline stays, because no operation removes it.

    For example: `wallaroo-ext deploy tumours --model tumours`

    Args:
        name: The pipeline's name, and the deployment's: letters, digits and dashes.
        model: A model that it runs: NAME for its newest version, NAME@VERSION, or NAME#SHA with the beginning of the
            file's SHA-256. Several run one after the other, each on the outputs of the one before.
        workspace: The workspace, by its name or its id; the user's own one by default.
        engine_config: Further settings of the engine, as a JSON object.
        wait: Whether to wait until it is Running.
        wait_timeout: How long to wait for that, in seconds.
        error_grace: How long it may stay in Error meanwhile, in seconds, because deployments pass through Error while
            they start; until the end of the time by default.
        options: The instance, and how to answer.
    """
    with options.report_errors(), ExitStack() as after:
        from wallaroo_ext.deployments.cleanup import undeploy_commands
        from wallaroo_ext.deployments.deploy import deploy_pipeline

        models, settings = [_parse_model(each) for each in model], _parse_settings(engine_config)
        with options.connect() as client, progress.show_waiting(f"Deploying {name}.", quiet=options.json) as show:
            workspace_number = workspace_id(client, workspace)
            statuses: list[DeploymentStatus] = []
            deployment = deploy_pipeline(
                client,
                name,
                [_find_version(client, each, workspace_number) for each in models],
                workspace=workspace_number,
                engine_config=settings,
                wait=wait,
                timeout=wait_timeout,
                error_grace=error_grace,
                progress=_show_status(name, show, statuses),
            )
            note = f"{deployment.name} is deployed. {undeploy_commands(deployment.id, deployment.name)} ends it."
            after.enter_context(signals.note_on_interrupt(lambda: note))
        _show(deployment, statuses[-1] if statuses else None, machine=options.json)


def _parse_model(text: str) -> dict[str, str | None]:
    """Return a model's name, and its version or the beginning of its SHA-256."""
    parts = _MODEL.fullmatch(text)
    if parts is None:
        raise UsageError(f"--model takes NAME, NAME@VERSION or NAME#SHA, not {text!r}.")
    return parts.groupdict()


def _parse_settings(text: str | None) -> dict[str, Any] | None:
    if text is None:
        return None
    try:
        settings: Any = json.loads(text)
    except (ValueError, RecursionError):
        settings = None
    if not isinstance(settings, dict):
        raise UsageError("--engine-config takes a JSON object, such as '{\"cpus\": 1}'.")
    return cast("dict[str, Any]", settings)


def _find_version(client: Client, model: dict[str, str | None], workspace: int) -> ModelVersion:
    from wallaroo_ext.resources.models import model_version

    return model_version(client, model["name"] or "", workspace=workspace, version=model["version"], sha=model["sha"])


def _show_status(
    name: str, show: Callable[[str], None], statuses: list[DeploymentStatus]
) -> Callable[[DeploymentStatus], None]:
    """Return a function that shows each status, and keeps the last one in `statuses`."""
    from wallaroo_ext.deployments.status import describe_state

    def show_status(status: DeploymentStatus) -> None:
        statuses[:] = [status]
        show(f"{name} is {describe_state(status)}.")

    return show_status


def _show(deployment: Deployment, status: DeploymentStatus | None, *, machine: bool) -> None:
    if machine:
        fields: Any = dataclasses.asdict(deployment)
        output.print_line(output.to_json(fields | ({} if status is None else status.to_dict()), machine=True))
        return
    show_facts({"deployment": deployment.name, "url": deployment.url, "status": deployment.status})
    if status is not None:
        show_pods(status)
    else:
        output.print_note(f"`wallaroo-ext status {deployment.pipeline}` tells how it goes on.")
