"""Waiting until a deployment answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from wallaroo_ext.errors import DeploymentError, InvalidDataError, NotFoundError, RequestTimeoutError, WaitTimeoutError
from wallaroo_ext.operations import Pause, Send, Steps, operation_id, parse, request_of, run, send
from wallaroo_ext.retries import hints
from wallaroo_ext.retries.clock import SYSTEM_CLOCK

if TYPE_CHECKING:
    from collections.abc import Callable

    from wallaroo_mlops_client import Client
    from wallaroo_mlops_client.models import DeploymentStatus

    from wallaroo_ext.deployments.deployment import Deployment
    from wallaroo_ext.retries.clock import Clock

_FIRST_PAUSE = 0.2
_LONGEST_PAUSE = 5.0
_GROWTH = 1.5
_UNKNOWN_FOR = 10.0
_SHORTEST_REQUEST = 2.0
_LONGEST_REQUEST = 60.0

TIMEOUT = 300.0
"""How long a deployment is waited for, in seconds, where nothing else is said."""


def wait_until_running(
    client: Client,
    deployment: Deployment | str,
    *,
    timeout: float = TIMEOUT,
    progress: Callable[[DeploymentStatus], object] | None = None,
    clock: Clock | None = None,
) -> DeploymentStatus:
    """Wait until a deployment is `Running`.

    It asks at once, after 0.2 s, and then less and less often, every 5 s at the end. A deployment that is unknown in
    the first 10 s is waited for, because an instance may take a moment to know it.

    Source: pipeline-management-tutorial, "Get Deployment Status".

    Args:
        client: What `connect` gave.
        deployment: What `deploy_pipeline` or `find_deployment` gave, or its name, `{deploy_id}-{deployment_id}`.
        timeout: How long to wait, in seconds; 0 to ask once. A request under way at the end may take 2 s more.
        progress: Called with each status that the instance tells.
        clock: The time that pauses and the deadline go by, for tests.

    Returns:
        The status, which is `Running`.

    Raises:
        DeploymentError: The deployment ended in `Error`; `details` has what its pods say.
        NotFoundError: There is no such deployment.
        WaitTimeoutError: It is not running yet; the message has what its pods say.
    """
    return run(client, wait_until_running_steps(deployment, timeout=timeout, progress=progress, clock=clock))


def wait_until_running_steps(
    deployment: Deployment | str,
    *,
    timeout: float,
    progress: Callable[[DeploymentStatus], object] | None = None,
    clock: Clock | None = None,
) -> Steps[DeploymentStatus]:
    """What `wait_until_running` does."""
    if not timeout >= 0:
        raise InvalidDataError(f"A timeout is a number of seconds, not {timeout!r}.")
    deployment = deployment if isinstance(deployment, str) else deployment.name
    clock = clock or SYSTEM_CLOCK
    started = clock.now()
    deadline = started + timeout
    pause = _FIRST_PAUSE
    state, details = "unknown", list[str]()
    while True:
        status = yield from _status_in_time(deployment, clock, deadline, min(started + _UNKNOWN_FOR, deadline))
        if status is not None:
            if progress is not None:
                progress(status)
            state, details = status.status, details_of(status)
            if state == "Running":
                return status
            if state == "Error":
                raise DeploymentError(_sentence(deployment, "ended in Error", details), details=details)
        left = deadline - clock.now()
        if left <= 0:
            raise WaitTimeoutError(_sentence(deployment, f"is {state} after {timeout:g} s", details))
        yield Pause(min(pause, left), clock)
        pause = min(pause * _GROWTH, _LONGEST_PAUSE)


def _status_in_time(deployment: str, clock: Clock, deadline: float, known_by: float) -> Steps[DeploymentStatus | None]:
    """The status; None while the instance need not know the deployment, and where no answer came by the deadline."""
    try:
        return (yield from status_steps(deployment, seconds=deadline - clock.now()))
    except NotFoundError:
        if clock.now() >= known_by:
            raise
    except RequestTimeoutError:
        if clock.now() < deadline:
            raise
    return None


def status_steps(deployment: str, *, seconds: float = _LONGEST_REQUEST) -> Steps[DeploymentStatus]:
    """Ask for the status of a deployment.

    Args:
        deployment: The deployment, as `{deploy_id}-{deployment_id}`.
        seconds: How long all attempts to ask may take, between 2 and 60.
    """
    from wallaroo_mlops_client.api.deployments import get_deployment_status
    from wallaroo_mlops_client.models import GetDeploymentStatusRequest

    allowed = min(max(seconds, _SHORTEST_REQUEST), _LONGEST_REQUEST)
    request: dict[str, Any] = request_of(get_deployment_status, body=GetDeploymentStatusRequest(name=deployment))
    request["extensions"] = {hints.DEADLINE: allowed}
    response = yield from send(Send(operation_id(get_deployment_status), request))
    return parse(get_deployment_status, response)


def _sentence(deployment: str, what: str, details: list[str]) -> str:
    return f"The deployment {deployment} {what}: {'; '.join(details) or 'the instance gives no details'}."


def details_of(status: DeploymentStatus) -> list[str]:
    """What the deployment and its pods say, one text each, without repetitions."""
    from wallaroo_mlops_client.types import Unset

    texts = [] if isinstance(status.details, Unset) else [str(detail) for detail in status.details]
    for pods in (status.engines, status.engine_lbs, status.sidekicks):
        for pod in [] if isinstance(pods, Unset) else pods:
            said = [] if isinstance(pod.details, Unset) else [str(detail) for detail in pod.details]
            if pod.reason:
                said.append(pod.reason)
            texts += [f"{pod.name or 'a pod'}: {text}" for text in said]
    return list(dict.fromkeys(texts))
