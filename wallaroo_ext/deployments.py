"""Waiting until a deployment answers."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from wallaroo_ext.errors import DeploymentError, NotFoundError, WaitTimeoutError
from wallaroo_ext.operations import Pause, Steps, call_steps, run

if TYPE_CHECKING:
    from wallaroo_mlops_client import Client
    from wallaroo_mlops_client.models import DeploymentStatus

_FIRST_PAUSE = 0.2
_LONGEST_PAUSE = 5.0
_UNKNOWN_FOR = 10.0


def wait_until_running(client: Client, deployment: str, *, timeout: float = 300.0) -> DeploymentStatus:
    """Wait until a deployment is `Running`.

    It asks after 0.2 s and then less and less often, every 5 s at the end. A deployment that is unknown in the first
    10 s is waited for, because an instance may take a moment to know it.

    Source: pipeline-management-tutorial, "Get Deployment Status".

    Args:
        client: What `connect` gave.
        deployment: The deployment, as `{deploy_id}-{deployment_id}`.
        timeout: How long to wait, in seconds.

    Returns:
        The status, which is `Running`.

    Raises:
        DeploymentError: The deployment ended in `Error`; `details` has what its pods say.
        NotFoundError: There is no such deployment.
        WaitTimeoutError: It is not running yet; the message has what its pods say.
    """
    return run(client, wait_until_running_steps(deployment, timeout=timeout))


def wait_until_running_steps(deployment: str, *, timeout: float) -> Steps[DeploymentStatus]:
    """What `wait_until_running` does."""
    from wallaroo_mlops_client.api.deployments import get_deployment_status
    from wallaroo_mlops_client.models import DeploymentStatus, GetDeploymentStatusRequest

    started = time.monotonic()
    body = GetDeploymentStatusRequest(name=deployment)
    pause = _FIRST_PAUSE
    state, details = "unknown", list[str]()
    while True:
        try:
            status = yield from call_steps(get_deployment_status, DeploymentStatus, body=body)
        except NotFoundError:
            if time.monotonic() - started > min(_UNKNOWN_FOR, timeout):
                raise
        else:
            state, details = status.status, _details(status)
            if state == "Running":
                return status
            if state == "Error":
                raise DeploymentError(_sentence(deployment, "ended in Error", details), details=details)
        if time.monotonic() + pause > started + timeout:
            raise WaitTimeoutError(_sentence(deployment, f"is {state} after {timeout:g} s", details))
        yield Pause(pause)
        pause = min(pause * 1.5, _LONGEST_PAUSE)


def _sentence(deployment: str, what: str, details: list[str]) -> str:
    return f"The deployment {deployment} {what}: {'; '.join(details) or 'the instance gives no details'}."


def _details(status: DeploymentStatus) -> list[str]:
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
