"""Waiting until a deployment answers."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from wallaroo_ext._util.progress import check_progress, progress_line
from wallaroo_ext._util.times import UNKNOWN_SECONDS, check_seconds, growing_pauses
from wallaroo_ext.deployments.status import describe_state, details_of, pods_of, status_steps
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


TIMEOUT = 300.0
"""How long a deployment is waited for by default, in seconds."""


@synchronous
def wait_until_running(
    client: Client,  # noqa: ARG001 - the steps run with it
    deployment: Deployment | str,
    *,
    timeout: float = TIMEOUT,
    error_grace: float | None = None,
    progress: Progress = None,
    clock: Clock | None = None,
) -> Steps[DeploymentStatus]:
    """Wait until a deployment is `Running`.

    The status is asked for at once, after 0.05 s, and then less and less often, every 5 s at the end. A deployment that
    the instance does not know is waited for in the first 10 s, because an instance may take a moment to know it.

    `Error` does not end the waiting by itself, because deployments pass through it while they start: real ones were
    `Error` for half a minute, and ran a little later. It is told to `progress`, and where the deployment is still not
    running at the end, its reason is in the error.

    Source: pipeline-management-tutorial, "Get Deployment Status".

    Args:
        client: What `connect` gave.
        deployment: What `deploy_pipeline` or `find_deployment` gave, or its name, `{deploy_id}-{deployment_id}`.
        timeout: How long to wait, in seconds, 300 by default; 0 to ask once. A request under way at the end may take
            2 s more.
        error_grace: How long the deployment may stay in `Error` before the waiting ends, in seconds; 0 to end it at
            the first `Error`. By default it is waited for until the timeout.
        progress: A function that is called with each status; or True for a spinner, or lines where none can be
            shown, which needs the extra `cli`.
        clock: The clock for pauses and the deadline, for tests.

    Returns:
        The status, which is `Running`.

    Raises:
        DeploymentError: The deployment is in `Error` at the end of the time, or has been for `error_grace`; `details`
            has the messages of its pods.
        NotFoundError: There is no such deployment.
        WaitTimeoutError: It is not running yet; the message has the messages of its pods, and those of an `Error`
            before.
        InvalidDataError: An argument cannot be used; nothing was sent.
    """
    check_waiting(timeout=timeout, error_grace=error_grace, progress=progress, clock=clock)
    name = deployment if isinstance(deployment, str) else getattr(deployment, "name", None)
    if not isinstance(name, str) or not name:
        kind = type(deployment).__name__
        raise InvalidDataError(f"A deployment is what deploy_pipeline gave, or its name, not {kind}.")
    with show_progress(name, progress) as tell:
        return (yield from _running_steps(name, timeout, error_grace, tell, clock or SYSTEM_CLOCK))


def check_waiting(*, timeout: object, error_grace: object, progress: object, clock: object) -> None:
    """Refuse arguments that waiting cannot use.

    Raises:
        InvalidDataError: The timeout or the grace is no number of seconds, the progress no function, or the clock no
            clock.
        ConfigurationError: There is no library to show the progress with.
    """
    check_seconds("timeout", timeout)
    if error_grace is not None:
        check_seconds("error_grace", error_grace)
    check_progress(progress, "the status")
    if clock is not None and not all(callable(getattr(clock, name, None)) for name in ("now", "sleep", "sleep_async")):
        raise InvalidDataError(f"`clock` is a wallaroo_ext.Clock, not {type(clock).__name__}.")


@dataclass(slots=True)
class _Observed:
    """What was seen of a deployment while it was waited for.

    Attributes:
        state: Its last status.
        details: The messages of its pods then.
        before: The messages of its pods when it was last in `Error`.
        error_since: When it came into the `Error` that it is in, by the clock; None where it is in none.
    """

    state: str = "unknown"
    details: list[str] = field(default_factory=list[str])
    before: list[str] = field(default_factory=list[str])
    error_since: float | None = None

    def add(self, status: DeploymentStatus, now: float) -> None:
        """Take note of a status."""
        self.state, self.details = status.status, details_of(status)
        if self.state != "Error":
            self.error_since = None
            return
        self.error_since = now if self.error_since is None else self.error_since
        if not self.details and all(pod.status == "Running" for pod in pods_of(status)):
            self.details = ["the instance gives no reason, and no pod has failed"]
        self.before = self.details

    def error(self, deployment: str, seconds: float) -> Exception:
        """Return the error that ends the waiting after so many seconds."""
        if self.state == "Error":
            return DeploymentError(
                _sentence(deployment, f"is in Error after {seconds:g} s", self.details), details=self.details
            )
        before = [f"before, it was in Error ({text})" for text in self.before]
        return WaitTimeoutError(_sentence(deployment, f"is {self.state} after {seconds:g} s", self.details + before))


def _running_steps(
    deployment: str, timeout: float, error_grace: float | None, tell: OnStatus | None, clock: Clock
) -> Steps[DeploymentStatus]:
    started = clock.now()
    deadline = started + timeout
    pauses = growing_pauses()
    observed = _Observed()
    while True:
        status = yield from _status_in_time(deployment, clock, deadline, min(started + UNKNOWN_SECONDS, deadline))
        if status is not None:
            _tell(tell, status)
            observed.add(status, clock.now())
            if observed.state == "Running":
                return status
        left = deadline - clock.now()
        if observed.error_since is not None and error_grace is not None:
            left = min(left, observed.error_since + error_grace - clock.now())
        if left <= 0:
            waited = clock.now() - started
            raise observed.error(deployment, timeout if waited >= timeout else round(waited, 1))
        yield Pause(min(next(pauses), left), clock)


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
        progress: The function itself, True for a spinner or lines, or None.
    """
    if progress is not True:
        yield progress or None
        return
    with progress_line(f"Waiting for {name}.") as write:
        yield lambda status: write(f"{name} is {describe_state(status)}.")
