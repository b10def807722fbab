"""Cleaning up after a failed `deploy_pipeline`: what the call started is undeployed, what ran before is not."""

from __future__ import annotations

import shlex
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import TYPE_CHECKING

from wallaroo_ext.deployments.cleanup import (
    CleanupResult,
    bounded_cleanup_steps,
    cleanup_of_steps,
    raise_after_cleanup,
    undeploy_commands,
    undeploy_steps,
)
from wallaroo_ext.deployments.find import FoundDeployment, deployed_steps
from wallaroo_ext.deployments.status import models_in, status_steps
from wallaroo_ext.errors import ApiError, NotFoundError
from wallaroo_ext.operations import Pause, Steps

if TYPE_CHECKING:
    from collections.abc import Sequence

_LOOKS = (0.0, 0.3, 1.0, 2.0)
"""The pauses before the looks for a deployment that a request without an answer may have started, in seconds."""


@dataclass(frozen=True, slots=True)
class PendingDeployment:
    """A deployment that a call has requested, and that does not run yet.

    Attributes:
        pipeline: The pipeline's name, under which it is deployed.
        pipeline_id: The pipeline's id.
        pipeline_version_id: The id of the version to deploy.
        pipeline_version: Its UUID; None where the release does not tell it.
        workspace_id: The workspace.
        models: The UUIDs of the model versions that it runs.
        before: What was deployed under the name before the call; None for nothing.
        before_is_known: Whether `before` is certain. It is not where the instance returns a URL for the name that does
            not name a deployment.
        id: The deployment's id; None until the instance has answered.
    """

    pipeline: str
    pipeline_id: int
    pipeline_version_id: int
    pipeline_version: str | None
    workspace_id: int
    models: Sequence[str]
    before: FoundDeployment | None = None
    before_is_known: bool = True
    id: int | None = None

    @property
    def name(self) -> str:
        """The deployment's name."""
        return f"{self.pipeline}-{self.id}"

    @property
    def started(self) -> bool:
        """Whether the call started the deployment, and did not only give another version to one that ran before."""
        if self.id is None or not self.before_is_known:
            return False
        return self.before is None or self.before.id != self.id


def clean_up_steps(begun: PendingDeployment, error: BaseException) -> Steps[None]:
    """Undeploy what a failed call started, and note on its error what stays deployed.

    Args:
        begun: How far the call had come.
        error: The error of the call, which the caller raises.

    Raises:
        BaseException: The interrupt of the clean-up, unless `error` is an interrupt, too.
    """
    if begun.id is None and _is_refusal(error):
        return
    raise_after_cleanup(error, (yield from _cleaned_steps(begun)))


def _is_refusal(error: BaseException) -> bool:
    """Return whether an error means for certain that the instance did nothing."""
    if not isinstance(error, ApiError) or error.status == HTTPStatus.REQUEST_TIMEOUT:
        return False  # a gateway times out after it has passed the request on
    return error.status < HTTPStatus.INTERNAL_SERVER_ERROR


def leftovers(begun: PendingDeployment) -> str:
    """Return what a call leaves behind that was abandoned, and can send nothing any more."""
    if begun.started and begun.id is not None:
        commands = undeploy_commands(begun.id, begun.name)
        return f"{begun.name} was not undeployed: nobody waits for it any more. {commands} ends it."
    return _not_its_own(begun) or f"{_unknown(begun)}. {_look_up(begun)}"


def _cleaned_steps(begun: PendingDeployment) -> Steps[CleanupResult]:
    if begun.started and begun.id is not None:
        return (yield from cleanup_of_steps(begun.id, begun.name, lambda: _ended_steps(begun)))
    stays = _not_its_own(begun)
    if stays:
        return CleanupResult(stays)
    return (yield from bounded_cleanup_steps(lambda: _found_and_ended_steps(begun), _unknown(begun), _look_up(begun)))


def _not_its_own(begun: PendingDeployment) -> str:
    """Return why a call undeploys nothing; empty where it may have started what is deployed."""
    if begun.before is not None:
        return _goes_on(begun, begun.before)
    if begun.before_is_known:
        return ""
    why = "the instance does not tell whether it was deployed before this call"
    return f"{begun.pipeline} was not undeployed: {why}. {_look_up(begun)}"


def _unknown(begun: PendingDeployment) -> str:
    return f"It is unknown whether {begun.pipeline} is deployed in the workspace {begun.workspace_id}"


def _ended_steps(begun: PendingDeployment) -> Steps[str]:
    """Undeploy, unless another call has deployed other models under the name meanwhile; return what is left."""
    if begun.id is None:
        return ""
    try:
        running = models_in((yield from status_steps(begun.name)))
    except NotFoundError:
        running = []
    if running and {model["version"] for model in running} != set(begun.models):
        return f"{begun.name} was not undeployed: by now it runs {_listed(running)}, which another call deployed."
    yield from undeploy_steps(begun.id)
    return ""


def _found_and_ended_steps(begun: PendingDeployment) -> Steps[str]:
    """Undeploy what a request without an answer may have started; return what is left.

    Nothing was deployed under the name before that request.
    """
    for pause in _LOOKS:
        yield Pause(pause)
        deployed = yield from deployed_steps(begun.pipeline, begun.workspace_id)
        if deployed is not None and deployed.name == f"{begun.pipeline}-{deployed.id}":
            return (yield from _ended_steps(replace(begun, id=deployed.id)))
    return (
        f"{begun.pipeline} is not deployed in the workspace {begun.workspace_id}, but the instance may have been asked "
        f"to deploy it, and be slow. {_look_up(begun)}"
    )


def _look_up(begun: PendingDeployment) -> str:
    command = f"wallaroo-ext undeploy {begun.pipeline} --workspace {begun.workspace_id}"
    return f"`undeploy(client, {begun.pipeline!r}, workspace={begun.workspace_id})` or `{command}` ends it if it is."


def _goes_on(begun: PendingDeployment, before: FoundDeployment) -> str:
    """Return what is deployed now, and how to go back to what ran before."""
    version = f"version {begun.pipeline_version_id} of the pipeline {begun.pipeline}"
    became = "is to run" if begun.id is not None else "may have been set to run"
    models = models_in(before.status)
    if models:
        order = ", with the models in the order of its steps, which the instance does not tell" if models[1:] else ""
        way_back = f"Before, it ran {_listed(models)}; to go back{order}: `{_deploy_again(begun, models)}`."
    else:
        way_back = f"Before, it was {before.status.status} and told no models; to go back, deploy them again."
    return (
        f"{before.name} was deployed before this call, which did not undeploy it: it {became} {version}. {way_back} "
        f"{undeploy_commands(before.id, before.name)} ends it."
    )


def _deploy_again(begun: PendingDeployment, models: list[dict[str, str]]) -> str:
    named = " ".join(f"--model {shlex.quote(model['name'] + '@' + model['version'])}" for model in models)
    return f"wallaroo-ext deploy {begun.pipeline} {named} --workspace {begun.workspace_id}"


def _listed(models: list[dict[str, str]]) -> str:
    return ", ".join(f"{model['name']} {model['version']}" for model in models)
