"""Waiting until a deployment answers."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from wallaroo_ext._util.progress import check_progress, progress_line
from wallaroo_ext.deployments.status import details_of, status_steps
from wallaroo_ext.errors import DeploymentError, InvalidDataError, NotFoundError, RequestTimeoutError, WaitTimeoutError
from wallaroo_ext.operations import Pause, Steps, as_runtime_error, synchronous
from wallaroo_ext.transport.retry.clock import SYSTEM_CLOCK

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from wallaroo_mlops_client import Client
    from wallaroo_mlops_client.models import DeploymentStatus

    from wallaroo_ext.deployments.deployment import Deployment
    from wallaroo_ext.transport.retry.clock import Clock

    OnStatus = Callable[[DeploymentStatus], object]
    Progress = OnStatus | bool | None


_FIRST_PAUSE = 0.2
_LONGEST_PAUSE = 5.0
_GROWTH = 1.5
_UNKNOWN_FOR = 10.0

TIMEOUT = 300.0
"""How long a deployment is waited for by default, in seconds."""


@synchronous
def wait_until_running(
    client: Client,  # noqa: ARG001 - the steps run with it
    deployment: Deployment | str,
    *,
    timeout: float = TIMEOUT,
    progress: Progress = None,
    clock: Clock | None = None,
) -> Steps[DeploymentStatus]:
    """Wait until a deployment is `Running`.

    The status is asked for at once, after 0.2 s, and then less and less often, every 5 s at the end. A deployment that
    the instance does not know is waited for in the first 10 s, because an instance may take a moment to know it.

    Source: pipeline-management-tutorial, "Get Deployment Status".

    Args:
        client: What `connect` gave.
        deployment: What `deploy_pipeline` or `find_deployment` gave, or its name, `{deploy_id}-{deployment_id}`.
        timeout: How long to wait, in seconds, 300 by default; 0 to ask once. A request under way at the end may take
            2 s more.
        progress: A function that is called with each status; or True for a line on standard error, where that is a
            terminal, which needs the extra `cli`.
        clock: The clock for pauses and the deadline, for tests.

    Returns:
        The status, which is `Running`.

    Raises:
        DeploymentError: The deployment ended in `Error`; `details` has the messages of its pods.
        NotFoundError: There is no such deployment.
        WaitTimeoutError: It is not running yet; the message has the messages of its pods.
        InvalidDataError: An argument cannot be used; nothing was sent.
    """
    check_waiting(timeout=timeout, progress=progress, clock=clock)
    name = deployment if isinstance(deployment, str) else getattr(deployment, "name", None)
    if not isinstance(name, str) or not name:
        kind = type(deployment).__name__
        raise InvalidDataError(f"A deployment is what deploy_pipeline gave, or its name, not {kind}.")
    with show_progress(name, progress) as tell:
        return (yield from _running_steps(name, timeout, tell, clock or SYSTEM_CLOCK))


def check_waiting(*, timeout: object, progress: object, clock: object) -> None:
    """Refuse arguments that waiting cannot use.

    Raises:
        InvalidDataError: The timeout is no number of seconds, the progress no function, or the clock no clock.
        ConfigurationError: There is no library to show the progress with.
    """
    if not _is_time(timeout):
        raise InvalidDataError(f"A timeout is a number of seconds from 0 on, not {timeout!r}.")
    check_progress(progress)
    if clock is not None and not all(callable(getattr(clock, name, None)) for name in ("now", "sleep", "sleep_async")):
        raise InvalidDataError(f"`clock` is a wallaroo_ext.Clock, not {type(clock).__name__}.")


def _is_time(timeout: object) -> bool:
    if isinstance(timeout, bool) or not isinstance(timeout, int | float):
        return False
    try:
        return float(timeout) >= 0
    except OverflowError:  # an integer that no clock can be set to
        return False


def _running_steps(deployment: str, timeout: float, tell: OnStatus | None, clock: Clock) -> Steps[DeploymentStatus]:
    started = clock.now()
    deadline = started + timeout
    pause = _FIRST_PAUSE
    state, details = "unknown", list[str]()
    while True:
        status = yield from _status_in_time(deployment, clock, deadline, min(started + _UNKNOWN_FOR, deadline))
        if status is not None:
            _tell(tell, status)
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


def _tell(tell: OnStatus | None, status: DeploymentStatus) -> None:
    try:
        if tell is not None:
            tell(status)
    except GeneratorExit as error:  # it would end the steps as if nobody waited for them
        raise as_runtime_error(error) from error


def _status_in_time(deployment: str, clock: Clock, deadline: float, known_by: float) -> Steps[DeploymentStatus | None]:
    """Return the status; None where the instance may not know the deployment yet, or did not answer by the deadline."""
    try:
        return (yield from status_steps(deployment, seconds=deadline - clock.now()))
    except NotFoundError:
        if clock.now() >= known_by:
            raise
    except RequestTimeoutError:
        if clock.now() < deadline:
            raise
    return None


def _sentence(deployment: str, what: str, details: list[str]) -> str:
    return f"The deployment {deployment} {what}: {'; '.join(details) or 'the instance gives no details'}."


@contextmanager
def show_progress(name: str, progress: Progress) -> Generator[OnStatus | None]:
    """Yield the function that is called with each status, for the time of a `with` block; None for none.

    Args:
        name: The name of the deployment.
        progress: The function itself, True for a line on standard error, or None.
    """
    if progress is not True:
        yield progress or None
        return
    with progress_line(f"Waiting for {name}.") as write:
        yield None if write is None else lambda status: write(f"{name} is {status.status}.")
