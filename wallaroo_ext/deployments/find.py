"""Finding a deployment by any of its names, and undeploying it, for Python, batch and the command line."""

from __future__ import annotations

import re
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import httpx

from wallaroo_ext import contract
from wallaroo_ext._util.locations import is_url, without_secrets
from wallaroo_ext._util.near_names import near_names
from wallaroo_ext._util.urls import check_answered_url, parse_inference_url
from wallaroo_ext.deployments.cleanup import undeploy_steps
from wallaroo_ext.deployments.deployment import Deployment
from wallaroo_ext.deployments.status import pipelines_in, status_steps
from wallaroo_ext.errors import (
    ContractViolationError,
    InvalidDataError,
    InvalidRequestError,
    NotFoundError,
)
from wallaroo_ext.operations import Steps, call_steps, note_leftovers, run, steps_of, synchronous
from wallaroo_ext.resources.lookup import ambiguous_error, not_found_error
from wallaroo_ext.resources.pipelines import pipeline_names_steps
from wallaroo_ext.resources.workspaces import check_workspace, workspace_ids_steps

if TYPE_CHECKING:
    from wallaroo_mlops_client import Client
    from wallaroo_mlops_client.models import DeploymentStatus

_URL = "get_pipeline_external_url"
_NAME = re.compile(r"(?P<deploy_id>.+)-(?P<id>[0-9]+)")
_OF_NO_NAME = re.compile(r"[/:\s]")
"""What no pipeline's and no deployment's name has: these are letters, digits and dashes."""


@dataclass(frozen=True, slots=True)
class FoundDeployment:
    """A deployment that was found by a name.

    Attributes:
        name: The deployment's name, `{deploy_id}-{id}`.
        id: Its id.
        status: Its present status.
        url: Where it answers; None where the instance returns no URL for it.
        pipeline: The pipeline's name; None likewise.
        workspace_id: The workspace of the pipeline; None likewise.
    """

    name: str
    id: int
    status: DeploymentStatus
    url: str | None = None
    pipeline: str | None = None
    workspace_id: int | None = None

    def __str__(self) -> str:
        """Return a text that tells it apart from others of the same name."""
        of = "" if self.pipeline is None else f", of the pipeline {self.pipeline}"
        where = "" if self.workspace_id is None else f", in the workspace {self.workspace_id}"
        return f"{self.name} (id {self.id}{of}{where})"

    def as_deployment(self, client: Client, pipeline: str, *, pipeline_id: int | None = None) -> Deployment | None:
        """Return it with its URL; None where the instance returns none.

        Args:
            client: What `connect` gave.
            pipeline: The pipeline's name.
            pipeline_id: The pipeline's id, where it is known.
        """
        if self.url is None or self.workspace_id is None:
            return None
        return Deployment(
            name=self.name,
            id=self.id,
            url=self.url,
            pipeline=pipeline,
            workspace_id=self.workspace_id,
            status=self.status.status,
            pipeline_id=pipeline_id,
            client=client,
        )


@synchronous
def find_deployment(
    client: Client, name: str, workspace: int | str | None = None, *, deployment_id: int | None = None
) -> Steps[Deployment]:
    """Find a pipeline that is deployed, to score rows or to undeploy it.

    It goes on after the end of a `with` block, because `find_deployment` did not start it.

    Source: external-inference-url-tutorial, "Get External Inference URL".

    Args:
        client: What `connect` gave.
        name: The pipeline's name, or the deployment's, `{deploy_id}-{id}`.
        workspace: The name or the id of its workspace; without one, all workspaces that the user sees are searched.
        deployment_id: The id of the deployment, where several have the name.

    Returns:
        The deployment with its URL and its present status, which need not be `Running`.

    Raises:
        NotFoundError: Nothing is deployed under this name.
        AmbiguousError: Several deployments have the name: in several workspaces, or because a pipeline `x-1` is
            deployed beside the deployment `x-1` of the pipeline `x`.
        InvalidDataError: The name is no text or is empty, or the id is no number.
    """
    found = yield from look_up_steps(name, workspace, deployment_id)
    if found is None:
        raise (yield from not_deployed_steps(name, workspace, deployment_id))
    deployment = found.as_deployment(client, found.pipeline or name)
    if deployment is None:
        advice = "Name its pipeline, or score rows at its URL."
        raise not_found_error(_URL, f"{found.name} is deployed, but the instance tells no URL of it.", advice=advice)
    return deployment


def not_deployed_steps(
    name: str, workspace: int | str | None, deployment_id: int | None = None
) -> Steps[NotFoundError]:
    """Return the error for a name under which nothing is deployed, with the near names that the instance lists."""
    where = "this user's workspaces" if workspace is None else f"the workspace {workspace!r}"
    what = f"pipeline {name!r}" if deployment_id is None else f"pipeline {name!r} with the deployment {deployment_id}"
    sentence = f"No {what} is deployed in {where}."
    known = yield from pipeline_names_steps(workspace)
    if known and name not in known:
        return not_found_error(_URL, sentence, known={each: each for each in known}, wanted=name)
    others = yield from of_other_ids_steps(name, workspace, deployment_id)
    advice = others or "Is the name right, is it deployed, and is this user a member of its workspace?"
    return not_found_error(_URL, sentence, advice=advice)


@synchronous
def undeploy(
    client: Client,  # noqa: ARG001 - the steps run with it
    deployment: Deployment | str | int,
    *,
    workspace: int | str | None = None,
) -> Steps[None]:
    """Undeploy a deployment. It is no error if it has ended already, or if the pipeline of this name is not deployed.

    Source: pipeline-management-tutorial, "Undeploy a Pipeline".

    Args:
        client: What `connect` gave.
        deployment: What `deploy_pipeline` or `find_deployment` gave, the deployment's id, its name
            (`{deploy_id}-{id}`), or its pipeline's name.
        workspace: The name or the id of the workspace, for a name; without one, all workspaces that the user sees are
            searched.

    Raises:
        AmbiguousError: Several deployments have the name; none is undeployed.
        NotFoundError: The instance lists its pipelines, and none has this name; the message has the near ones.
        InvalidRequestError: There has never been a deployment of this id.
        InvalidDataError: `deployment` is no deployment, name or id.
    """
    check_workspace(workspace)
    if isinstance(deployment, str):
        named = yield from look_up_steps(deployment, workspace)
        if named is not None:
            yield from _ended_steps(named.id, named.name)
        else:
            yield from _check_known_steps(deployment, workspace)
    elif isinstance(deployment, Deployment):
        yield from _ended_steps(deployment.id, deployment.name)
    else:
        yield from _ended_steps(_id_of(deployment), f"the deployment {deployment}")


def _check_known_steps(name: str, workspace: int | str | None) -> Steps[None]:
    """Raise NotFoundError for a name that no pipeline and no ended deployment can have had.

    A deployment that has ended is not listed. Its name ends with its id, and need not begin as its pipeline's does.
    """
    known = yield from pipeline_names_steps(workspace)
    ended = _NAME.fullmatch(name)
    is_known = name in known or (ended is not None and (ended["deploy_id"] in known or not near_names(name, known)))
    if known and not is_known:
        what = f"No pipeline has the name {name!r}; nothing was undeployed."
        raise not_found_error(_URL, what, known={each: each for each in known}, wanted=name)


def _id_of(deployment: object) -> int:
    if isinstance(deployment, bool) or not isinstance(deployment, int):
        kind = type(deployment).__name__
        raise InvalidDataError(f"A deployment is what deploy_pipeline gave, its id, or a name, not {kind}.")
    return deployment


def _ended_steps(deployment_id: int, name: str) -> Steps[None]:
    """Undeploy a deployment; note on an interrupt that it may have ended."""
    try:
        yield from undeploy_steps(deployment_id)
    except Exception:
        raise
    except BaseException as interrupt:
        left = f"It is unknown whether {name} was undeployed: undeploy it again, which does no harm."
        note_leftovers(interrupt, left)
        raise


def look_up(
    client: Client, name: str, workspace: int | str | None = None, *, deployment_id: int | None = None
) -> FoundDeployment | None:
    """Return the deployment of a name, also where the instance returns no URL for it; see `look_up_steps`."""
    return run(client, look_up_steps(name, workspace, deployment_id))


def look_up_steps(
    name: str, workspace: int | str | None = None, deployment_id: int | None = None
) -> Steps[FoundDeployment | None]:
    """Return the deployment of a name, which may be a pipeline's or the deployment's own; None for none.

    Every helper and every command that takes a name looks it up here.

    Raises:
        AmbiguousError: Several deployments have the name.
        InvalidDataError: The name is no text or is empty, or the id is no number.
    """
    _check_name(name)
    _check_id(deployment_id)
    check_workspace(workspace)
    fitting = yield from _fitting_steps(name, workspace)
    if deployment_id is not None:
        fitting = {number: each for number, each in fitting.items() if number == deployment_id}
    if len(fitting) > 1:
        raise _ambiguous(name, list(fitting.values()))
    return next(iter(fitting.values()), None)


def _fitting_steps(name: str, workspace: int | str | None) -> Steps[dict[int, FoundDeployment]]:
    """Return all deployments that have a name, by their ids."""
    searched = yield from workspace_ids_steps(workspace)
    fitting = yield from _pipelines_steps(name, searched)
    own = yield from _of_this_name_steps(name, searched, everywhere=workspace is None)
    if own is not None:
        fitting.setdefault(own.id, own)
    return fitting


def of_other_ids_steps(name: str, workspace: int | str | None, deployment_id: int | None) -> Steps[str]:
    """Return a sentence with the deployments of a name, none of which has an id; empty where there are none."""
    if deployment_id is None:
        return ""
    fitting = yield from _fitting_steps(name, workspace)
    return f"Under this name there are: {', '.join(map(str, fitting.values()))}." if fitting else ""


def _check_name(name: object) -> None:
    if not isinstance(name, str) or not name:
        raise InvalidDataError(f"A deployment is found by its name or its pipeline's name, not {name!r}.")
    if "://" in name:
        raise InvalidDataError("What stands for a name is a URL: give the name of the pipeline or of the deployment.")


def _check_id(deployment_id: object) -> None:
    if deployment_id is not None and (isinstance(deployment_id, bool) or not isinstance(deployment_id, int)):
        raise InvalidDataError(f"`deployment_id` is the number of a deployment, not {deployment_id!r}.")


def _ambiguous(name: str, fitting: list[FoundDeployment]) -> Exception:
    """Return the error for a name that several deployments have, with the ways to tell them apart."""
    workspaces = {each.workspace_id for each in fitting}
    by_id = "deployment's id: `deployment_id` in Python, --id on the command line."
    advice = f"Give the {by_id}"
    if len(workspaces) == len(fitting) and None not in workspaces:
        advice = f"Name the `workspace`, or give the {by_id}"
    return ambiguous_error(f"Several deployments have the name {name!r}", [str(each) for each in fitting], advice)


def _pipelines_steps(name: str, workspaces: list[int]) -> Steps[dict[int, FoundDeployment]]:
    """Return the deployments of a pipeline's name in these workspaces, by their ids."""
    fitting: dict[int, FoundDeployment] = {}
    for workspace_id in workspaces:
        deployed = yield from deployed_steps(name, workspace_id)
        if deployed is not None:
            fitting[deployed.id] = deployed
    return fitting


def deployed_steps(pipeline: str, workspace_id: int) -> Steps[FoundDeployment | None]:
    """Return the deployment of a pipeline's name in a workspace; None for none.

    Raises:
        ContractViolationError: The instance returns a URL that names no deployment.
    """
    try:
        url = yield from url_steps(pipeline, workspace_id)
    except (NotFoundError, InvalidRequestError):
        return None
    name, number, named = deployment_of_url(url)
    status = yield from _status(name)
    if status is None:
        return None
    return FoundDeployment(name, number, status, url, named or pipeline, workspace_id)


def _of_this_name_steps(name: str, searched: list[int], *, everywhere: bool) -> Steps[FoundDeployment | None]:
    """Return the deployment with this name of its own; None where there is none, or it is in another workspace."""
    numbered = _NAME.fullmatch(name)
    status = None if numbered is None else (yield from _status(name))
    if numbered is None or status is None:
        return None
    pipelines = list(dict.fromkeys([*pipelines_in(status), numbered["deploy_id"]]))
    deployed = yield from _located_steps(name, pipelines, searched)
    if deployed is not None:
        return deployed
    if not everywhere:
        elsewhere = [each for each in (yield from workspace_ids_steps(None)) if each not in searched]
        if (yield from _located_steps(name, pipelines, elsewhere)) is not None:
            return None
    return FoundDeployment(name, int(numbered["id"]), status)


def _located_steps(name: str, pipelines: list[str], workspaces: list[int]) -> Steps[FoundDeployment | None]:
    """Return the deployment of a name with its workspace; its pipeline has one of the given names. None for none."""
    for workspace_id in workspaces:
        for pipeline in pipelines:
            try:
                deployed = yield from deployed_steps(pipeline, workspace_id)
            except ContractViolationError:  # the URL names no deployment; its status is known all the same
                continue
            if deployed is not None and deployed.name == name:
                return deployed
    return None


def _status(deployment: str) -> Steps[DeploymentStatus | None]:
    """Return the status of a deployment; None where it is unknown or has ended."""
    try:
        return (yield from status_steps(deployment))
    except NotFoundError:
        return None


def url_steps(pipeline: str, workspace_id: int) -> Steps[str]:
    """Return the URL at which the deployment of a pipeline answers."""
    from wallaroo_mlops_client.api.deployments import get_pipeline_external_url
    from wallaroo_mlops_client.models import GetPipelineExternalUrlRequest

    body = GetPipelineExternalUrlRequest(workspace_id=workspace_id, pipeline_name=pipeline)
    answer = yield from call_steps(get_pipeline_external_url, body=body)
    return check_answered_url("get_pipeline_external_url", answer.url)


def endpoint_steps(
    client: Client, where: object, workspace: int | str | None, *, argument: str = "pipeline"
) -> Steps[str]:
    """Return a URL as it is, the URL of an object that has one, or that of the deployment of a name.

    Args:
        client: What `connect` gave.
        where: The name, the object or the URL: a text with a scheme, or a path that begins with a slash.
        workspace: Where a name is looked for.
        argument: The name of the caller's argument, for messages.

    Raises:
        NotFoundError: Nothing is deployed under this name.
        AmbiguousError: Several deployments have the name.
        InvalidDataError: It is neither a name, nor a deployment, nor a URL that rows can be sent to.
    """
    url: Any = where if isinstance(where, str) else getattr(where, "url", None)
    if not isinstance(url, str) or not url:
        kind = "an empty text" if where == "" else type(where).__name__
        raise InvalidDataError(f"`{argument}` is the name of a pipeline, a deployment or its URL, not {kind}.")
    if not isinstance(where, str) or url.startswith("/") or is_url(url):
        parse_inference_url(url, argument)
        return url
    if _OF_NO_NAME.search(url):
        shown = "a text with an @, which may stand after a password," if "@" in url else f"{url!r},"
        raise InvalidDataError(
            f"`{argument}` is {shown} which is neither a name nor a URL: names are letters, digits and dashes, and a "
            "URL begins with https://."
        )
    deployment = yield from steps_of(find_deployment)(client, url, workspace)
    return deployment.url


def deployment_of_url(url: str) -> tuple[str, int, str]:
    """Return what a URL that the instance answered with names; see `named_in_url`.

    No other operation tells it.

    Raises:
        ContractViolationError: The URL has neither of the recorded forms.
    """
    named = named_in_url(url)
    if named is None:
        raise ContractViolationError(
            f"{_URL}: the URL does not name a deployment as the recorded ones do, {without_secrets(url)!r}.",
            operation=_URL,
            status=HTTPStatus.OK,
            advice="Rows can be scored at this URL, and the pipeline can be undeployed by its id.",
        )
    return named


def named_in_url(url: str) -> tuple[str, int, str] | None:
    """Return the name and the id of the deployment that a URL leads to, and its pipeline's name where the URL has that.

    None for a URL that has neither of the recorded forms.
    """
    beginning = contract.operation("infer_deployment").path.partition("{")[0]
    _, is_there, rest = httpx.URL(url).path.rpartition(beginning)
    name, _, pipeline = rest.partition("/")
    numbered = _NAME.fullmatch(name)
    return (name, int(numbered["id"]), pipeline.partition("/")[0]) if is_there and numbered else None
