"""Finding the URL that a run sends its rows to, and the models behind it."""

from __future__ import annotations

import threading
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from wallaroo_ext._util.locations import without_secrets
from wallaroo_ext.batch.retries import with_retries
from wallaroo_ext.deployments.find import endpoint_steps, named_in_url
from wallaroo_ext.deployments.status import models_in, status_steps
from wallaroo_ext.errors import InvalidDataError
from wallaroo_ext.operations import Work, run

if TYPE_CHECKING:
    from collections.abc import Callable

    from wallaroo_mlops_client import Client

    from wallaroo_ext.batch.options import ScoringOptions
    from wallaroo_ext.inference.infer import Where
    from wallaroo_ext.operations import Steps

T = TypeVar("T")


def url_of(client: Client, pipeline: Where, how: ScoringOptions, stopped: threading.Event | None = None) -> str:
    """Return the URL that rows are sent to, with the retries of a run, whose pauses end when `stopped` is set.

    Raises:
        NotFoundError: No pipeline of this name is deployed.
        AmbiguousError: Several workspaces have one.
        StoppedError: It was stopped during a pause.
    """
    return _run_with_retries(client, lambda: endpoint_steps(client, pipeline, how.workspace), how, stopped)


def url_work_steps(client: Client, pipeline: Where, how: ScoringOptions) -> Steps[str]:
    """Return the URL as `url_of` does, by work that a thread does for an event loop, and that ends with its task."""
    stopped = threading.Event()
    return (yield Work(partial(url_of, client, pipeline, how, stopped), stopped))


def models_of(client: Client, url: str, how: ScoringOptions, stopped: threading.Event) -> list[dict[str, str]]:
    """Return the models behind a URL; see `models_steps` and `url_of`."""
    return _run_with_retries(client, lambda: models_steps(url), how, stopped)


def _run_with_retries(
    client: Client, steps: Callable[[], Steps[T]], how: ScoringOptions, stopped: threading.Event | None
) -> T:
    answer, _ = with_retries(lambda: run(client, steps()), how.retries, stopped or threading.Event())
    return answer


def models_steps(url: str) -> Steps[list[dict[str, str]]]:
    """Return the models that score the rows sent to a URL, in alphabetical order; see `models_in`.

    Source: pipeline-management-tutorial, "Get Deployment Status".

    Raises:
        NotFoundError: Nothing is deployed there.
        InvalidDataError: The instance does not name them, so that a later run could not be compared with this one.
    """
    named = named_in_url(url)
    if named is None:
        raise InvalidDataError(
            f"The models behind {without_secrets(url)} are unknown, because it names no deployment as the URLs of "
            "instances do.",
            advice="Name the pipeline in place of its URL.",
        )
    name, *_ = named
    status = yield from status_steps(name)
    models = models_in(status)
    if not models:
        raise InvalidDataError(
            f"{name} is {status.status}, and the instance does not name its models.",
            advice="Wait until it is running: wait_until_running(client, name).",
        )
    return sorted(models, key=lambda model: (model["name"], model["version"], model["sha"]))
