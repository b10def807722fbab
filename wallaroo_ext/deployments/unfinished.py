"""What becomes of a deployment whose call failed: what the call started is ended, what ran before is not."""

from __future__ import annotations

import shlex
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import TYPE_CHECKING

from wallaroo_ext.deployments.cleanup import Cleaned, cleaned_steps, end_steps, ends, raise_after
from wallaroo_ext.deployments.find import Found, deployed_steps
from wallaroo_ext.deployments.status import models_in, status_steps
from wallaroo_ext.errors import ApiError, NotFoundError
from wallaroo_ext.operations import Pause, Steps

if TYPE_CHECKING:
    from collections.abc import Sequence

_LOOKS = (0.0, 0.3, 1.0, 2.0)
"""Before each look for what a request may have begun that got no answer: a pause, in seconds."""


@dataclass(frozen=True, slots=True)
class Begun:
    """A deployment that is begun, and does not answer yet.

    Attributes:
        pipeline: The pipeline's name, under which it is deployed.
        pipeline_id: The pipeline's id.
        pipeline_version_id: The id of the version to deploy.
        pipeline_version: Its UUID; None where the release does not tell it.
        workspace_id: The workspace.
        models: The UUIDs of the model versions that it runs.
        before: What was deployed under the name before the call; None for nothing.
        before_is_known: False where the instance tells a URL for the name that names no deployment, so that something
            may have been deployed.
        id: The deployment's id; None until the instance has told it.
    """

    pipeline: str
    pipeline_id: int
    pipeline_version_id: int
    pipeline_version: str | None
    workspace_id: int
    models: Sequence[str]
    before: Found | None = None
    before_is_known: bool = True
    id: int | None = None

    @property
    def name(self) -> str:
        """The deployment's name."""
        return f"{self.pipeline}-{self.id}"

    @property
    def started(self) -> bool:
        """Whether the call started the deployment: what ran before under its id got another version only."""
        if self.id is None or not self.before_is_known:
            return False
        return self.before is None or self.before.id != self.id


def clean_up_steps(begun: Begun, error: BaseException) -> Steps[None]:
    """End what a failed call started, and say on its error what stays deployed.

    Args:
        begun: What the call had come to.
        error: Why it failed, which the caller raises.

    Raises:
        BaseException: What interrupted the clean-up, in place of another error than an interrupt.
    """
    if begun.id is None and _is_refusal(error):
        return
    raise_after(error, (yield from _cleaned_steps(begun)))


def _is_refusal(error: BaseException) -> bool:
    """Return whether an instance did not do what it was asked to do, for sure."""
    if not isinstance(error, ApiError) or error.status == HTTPStatus.REQUEST_TIMEOUT:
        return False  # a gateway's time-out comes after it has passed the request on
    return error.status < HTTPStatus.INTERNAL_SERVER_ERROR


def left_by(begun: Begun) -> str:
    """Return what a call leaves behind that nobody waits for any more, so that it can end nothing."""
    if begun.started and begun.id is not None:
        return f"{begun.name} was not undeployed: nobody waits for it any more. {ends(begun.id, begun.name)} ends it."
    return _not_its_own(begun) or f"{_unknown(begun)}. {_look_up(begun)}"


def _cleaned_steps(begun: Begun) -> Steps[Cleaned]:
    if begun.started and begun.id is not None:
        what = f"Undeploying {begun.name} failed as well, it may go on running"
        return (yield from cleaned_steps(lambda: _ended_steps(begun), what, f"{ends(begun.id, begun.name)} ends it."))
    stays = _not_its_own(begun)
    if stays:
        return Cleaned(stays)
    return (yield from cleaned_steps(lambda: _found_and_ended_steps(begun), _unknown(begun), _look_up(begun)))


def _not_its_own(begun: Begun) -> str:
    """Say why a call ends nothing; empty where the call may have started what is deployed."""
    if begun.before is not None:
        return _goes_on(begun, begun.before)
    if begun.before_is_known:
        return ""
    why = "the instance does not tell whether it was deployed before this call"
    return f"{begun.pipeline} was not undeployed: {why}. {_look_up(begun)}"


def _unknown(begun: Begun) -> str:
    return f"It is unknown whether {begun.pipeline} is deployed in the workspace {begun.workspace_id}"


def _ended_steps(begun: Begun) -> Steps[str]:
    """End the deployment, unless another call has deployed other models under its name meanwhile."""
    if begun.id is None:
        return ""
    try:
        running = models_in((yield from status_steps(begun.name)))
    except NotFoundError:
        running = []
    if running and {model["version"] for model in running} != set(begun.models):
        return f"{begun.name} was not undeployed: by now it runs {_listed(running)}, which another call deployed."
    yield from end_steps(begun.id)
    return ""


def _found_and_ended_steps(begun: Begun) -> Steps[str]:
    """End what a request without an answer may have begun; nothing was deployed under the name before it."""
    for pause in _LOOKS:
        yield Pause(pause)
        deployed = yield from deployed_steps(begun.pipeline, begun.workspace_id)
        if deployed is not None and deployed.name == f"{begun.pipeline}-{deployed.id}":
            return (yield from _ended_steps(replace(begun, id=deployed.id)))
    return (
        f"{begun.pipeline} is not deployed in the workspace {begun.workspace_id}, but the instance may have been asked "
        f"to deploy it, and be slow. {_look_up(begun)}"
    )


def _look_up(begun: Begun) -> str:
    command = f"wallaroo-ext undeploy {begun.pipeline} --workspace {begun.workspace_id}"
    return f"`undeploy(client, {begun.pipeline!r}, workspace={begun.workspace_id})` or `{command}` ends it if it is."


def _goes_on(begun: Begun, before: Found) -> str:
    """Say what is deployed now, and how to go back."""
    version = f"version {begun.pipeline_version_id} of the pipeline {begun.pipeline}"
    became = "is to run" if begun.id is not None else "may have been set to run"
    models = models_in(before.status)
    if models:
        way_back = f"Before, it ran {_listed(models)}; to go back: `{_deploy_again(begun, models)}`."
    else:
        way_back = f"Before, it was {before.status.status} and told no models; to go back, deploy them again."
    return (
        f"{before.name} was deployed before this call, which did not undeploy it: it {became} {version}. {way_back} "
        f"{ends(before.id, before.name)} ends it."
    )


def _deploy_again(begun: Begun, models: list[dict[str, str]]) -> str:
    named = " ".join(f"--model {shlex.quote(model['name'] + '@' + model['version'])}" for model in models)
    return f"wallaroo-ext deploy {begun.pipeline} {named} --workspace {begun.workspace_id}"


def _listed(models: list[dict[str, str]]) -> str:
    return ", ".join(f"{model['name']} {model['version']}" for model in models)
