"""Asking for a deployment's status, and reading its details, models and pipelines from it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from wallaroo_ext._util.json_values import list_of, object_of
from wallaroo_ext.operations import Send, Steps, operation_id, parse, request_of, send
from wallaroo_ext.redaction.patterns import redact
from wallaroo_ext.transport.retry import request_options

if TYPE_CHECKING:
    from wallaroo_mlops_client.models import DeploymentStatus, EngineStatus, PodStatus

_SHORTEST_REQUEST = 2.0
_LONGEST_REQUEST = 60.0


def status_steps(deployment: str, *, seconds: float = _LONGEST_REQUEST) -> Steps[DeploymentStatus]:
    """Ask for the status of a deployment.

    Args:
        deployment: The deployment, as `{deploy_id}-{deployment_id}`.
        seconds: How long all attempts to ask may take, between 2 and 60.

    Raises:
        NotFoundError: The deployment is unknown, or has ended.
    """
    from wallaroo_mlops_client.api.deployments import get_deployment_status
    from wallaroo_mlops_client.models import GetDeploymentStatusRequest

    allowed = min(max(seconds, _SHORTEST_REQUEST), _LONGEST_REQUEST)
    request: dict[str, Any] = request_of(get_deployment_status, body=GetDeploymentStatusRequest(name=deployment))
    request["extensions"] = {request_options.DEADLINE: allowed}
    response = yield from send(Send(operation_id(get_deployment_status), request))
    return parse(get_deployment_status, response)


def pods_of(status: DeploymentStatus) -> list[PodStatus | EngineStatus]:
    """Return the engines of a deployment, their load balancers and the sidekicks, as far as the release tells them."""
    groups = (status.engines, status.engine_lbs, status.sidekicks)
    return [pod for group in groups for pod in list_of(group)]


def details_of(status: DeploymentStatus) -> list[str]:
    """Return the messages of the deployment and its pods, each once, without secrets."""
    texts = [redact(str(detail)) for detail in list_of(status.details)]
    for pod in pods_of(status):
        messages = [str(detail) for detail in list_of(pod.details)]
        if pod.reason:
            messages.append(pod.reason)
        texts += [f"{redact(pod.name or 'a pod')}: {redact(text)}" for text in messages]
    return list(dict.fromkeys(texts))


def describe_state(status: DeploymentStatus) -> str:
    """Return the state of a deployment, with the messages of its pods."""
    details = "; ".join(details_of(status))
    return f"{status.status}: {details}" if details else status.status


def models_in(status: DeploymentStatus) -> list[dict[str, str]]:
    """Return the models that the engines run, each once, with its `name`, `version` and `sha`.

    They come as the engines report them, which nothing says to be the order of a pipeline's steps. Only a running
    deployment reports them.
    """
    found = [
        (str(model.get("name", "")), str(model.get("version", "")), str(model.get("sha", "")))
        for model in _in_engines(status, "model_statuses", "models")
    ]
    return [{"name": name, "version": version, "sha": sha} for name, version, sha in dict.fromkeys(found)]


def pipelines_in(status: DeploymentStatus) -> list[str]:
    """Return the names of the pipelines that the engines run; only a running deployment reports them."""
    found = [str(pipeline.get("id") or "") for pipeline in _in_engines(status, "pipeline_statuses", "pipelines")]
    return [name for name in dict.fromkeys(found) if name]


def _in_engines(status: DeploymentStatus, group: str, things: str) -> list[dict[str, Any]]:
    engines = map(object_of, list_of(status.to_dict().get("engines")))
    return [object_of(thing) for engine in engines for thing in list_of(object_of(engine.get(group)).get(things))]
