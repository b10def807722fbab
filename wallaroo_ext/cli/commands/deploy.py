"""`wallaroo-ext deploy`: models as a pipeline that answers."""

from __future__ import annotations

import dataclasses
import json
import re
from contextlib import ExitStack
from typing import TYPE_CHECKING, Annotated, Any, cast

from cyclopts import Parameter
from cyclopts.validators import Number

from wallaroo_ext.cli import signals
from wallaroo_ext.cli.options import DEFAULT_OPTIONS, Options
from wallaroo_ext.cli.printing import output, progress
from wallaroo_ext.cli.printing.output import UsageError
from wallaroo_ext.cli.printing.pods import show_pods, state_of
from wallaroo_ext.cli.printing.tables import show_facts
from wallaroo_ext.cli.workspaces import workspace_id

if TYPE_CHECKING:
    from collections.abc import Callable

    from wallaroo_mlops_client import Client
    from wallaroo_mlops_client.models import DeploymentStatus, ModelVersion

    from wallaroo_ext.deployments.deployment import Deployment

_MODEL = re.compile(r"(?P<name>[^@#]+)(?:@(?P<version>.+)|#(?P<sha>.+))?")


def deploy(
    name: str,
    /,
    *,
    model: Annotated[list[str], Parameter(negative=())],
    workspace: str | None = None,
    engine_config: Annotated[str | None, Parameter(allow_leading_hyphen=True)] = None,
    wait: bool = True,
    wait_timeout: Annotated[float, Parameter(validator=Number(gte=0))] = 300,
    options: Options = DEFAULT_OPTIONS,
) -> None:
    """Deploy models as a pipeline, and wait until it runs.

    It tells where the deployment answers. What does not become Running is undeployed again, and so is what Ctrl-C
    interrupts. What was deployed under the name before is not undeployed: it is said then what it runs, and how to go
    back. The pipeline stays; no operation removes it.

    For example: `wallaroo-ext deploy tumours --model tumours`

    Args:
        name: The pipeline's name, and the deployment's: letters, digits and dashes.
        model: A model that it runs: NAME for its newest version, NAME@VERSION, or NAME#SHA with the beginning of the
            file's SHA-256. Several run one after the other, each on the outputs of the one before.
        workspace: The workspace, by its name or its id; the user's own one by default.
        engine_config: Further settings of the engine, as a JSON object.
        wait: Whether to wait until it is Running.
        wait_timeout: How long to wait for that, in seconds.
        options: The instance, and how to answer.
    """
    with options.reported(), ExitStack() as after:
        from wallaroo_ext.deployments.cleanup import undeploy_commands
        from wallaroo_ext.deployments.deploy import deploy_pipeline

        named, settings = [_parts(each) for each in model], _settings(engine_config)
        with options.connect() as client, progress.waiting(f"Deploying {name}.", quiet=options.json) as tell:
            place = workspace_id(client, workspace)
            statuses: list[DeploymentStatus] = []
            deployment = deploy_pipeline(
                client,
                name,
                [_version(client, each, place) for each in named],
                workspace=place,
                engine_config=settings,
                wait=wait,
                timeout=wait_timeout,
                progress=_told(name, tell, statuses),
            )
            left = f"{deployment.name} is deployed. {undeploy_commands(deployment.id, deployment.name)} ends it."
            after.enter_context(signals.noted(lambda: left))
        _show(deployment, statuses[-1] if statuses else None, machine=options.json)


def _parts(text: str) -> dict[str, str | None]:
    """Return a model's name, and its version or the beginning of its SHA-256."""
    parts = _MODEL.fullmatch(text)
    if parts is None:
        raise UsageError(f"--model takes NAME, NAME@VERSION or NAME#SHA, not {text!r}.")
    return parts.groupdict()


def _settings(text: str | None) -> dict[str, Any] | None:
    if text is None:
        return None
    try:
        settings: Any = json.loads(text)
    except (ValueError, RecursionError):
        settings = None
    if not isinstance(settings, dict):
        raise UsageError("--engine-config takes a JSON object, such as '{\"cpus\": 1}'.")
    return cast("dict[str, Any]", settings)


def _version(client: Client, named: dict[str, str | None], workspace: int) -> ModelVersion:
    from wallaroo_ext.resources.models import model_version

    return model_version(client, named["name"] or "", workspace=workspace, version=named["version"], sha=named["sha"])


def _told(
    name: str, tell: Callable[[str], None], statuses: list[DeploymentStatus]
) -> Callable[[DeploymentStatus], None]:
    """Tells a person of each status, and keeps it."""

    def told(status: DeploymentStatus) -> None:
        statuses[:] = [status]
        tell(f"{name} is {state_of(status)}.")

    return told


def _show(deployment: Deployment, status: DeploymentStatus | None, *, machine: bool) -> None:
    if machine:
        fields: Any = dataclasses.asdict(deployment)
        output.line(output.as_json(fields | ({} if status is None else status.to_dict()), machine=True))
        return
    show_facts({"deployment": deployment.name, "url": deployment.url, "status": deployment.status})
    if status is not None:
        show_pods(status)
    else:
        output.remark(f"`wallaroo-ext status {deployment.pipeline}` tells how it goes on.")
