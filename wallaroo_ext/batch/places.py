"""Where a run's rows are scored, and by which models."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from wallaroo_ext.deployments import status_steps
from wallaroo_ext.errors import ContractViolationError, InvalidDataError, NotFoundError
from wallaroo_ext.existing_deployments import find_deployment_steps, named_in
from wallaroo_ext.json_values import list_of, object_of

if TYPE_CHECKING:
    from wallaroo_mlops_client import Client

    from wallaroo_ext.inference import Where
    from wallaroo_ext.operations import Steps


def url_steps(client: Client, pipeline: Where, workspace: int | str | None) -> Steps[str]:
    """The URL of a deployment, of what has one, or of a pipeline by its name.

    Raises:
        NotFoundError: No pipeline of this name is deployed.
        AmbiguousError: Several workspaces have one.
    """
    url: Any = pipeline if isinstance(pipeline, str) else getattr(pipeline, "url", None)
    if not isinstance(url, str) or not url:
        raise InvalidDataError(
            f"`pipeline` is the name of a pipeline, a deployment or its URL, not {type(pipeline).__name__}."
        )
    if url.startswith(("http://", "https://", "/")):
        return url
    found = yield from find_deployment_steps(client, url, workspace)
    return found.url


def models_steps(url: str) -> Steps[list[dict[str, str]]]:
    """The models that score the rows sent to a URL, each with its `name`, `version` and `sha`, in order.

    Source: pipeline-management-tutorial, "Get Deployment Status".

    Raises:
        InvalidDataError: The instance does not tell them, so that nobody could say whether a later run has the same.
    """
    try:
        name, _ = named_in(url)
        status = yield from status_steps(name)
    except (ContractViolationError, NotFoundError) as error:
        raise InvalidDataError(
            f"The models behind {url} are unknown: {error}", advice="Name the pipeline in place of its URL."
        ) from error
    models = _models(status.to_dict())
    if not models:
        raise InvalidDataError(
            f"{name} is {status.status}, and tells no models.",
            advice="Wait until it is running: wait_until_running(client, name).",
        )
    return models


def _models(status: dict[str, Any]) -> list[dict[str, str]]:
    found = {
        (str(model.get("name", "")), str(model.get("version", "")), str(model.get("sha", "")))
        for engine in map(object_of, list_of(status.get("engines")))
        for model in map(object_of, list_of(object_of(engine.get("model_statuses")).get("models")))
    }
    return [{"name": name, "version": version, "sha": sha} for name, version, sha in sorted(found)]
