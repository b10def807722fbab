"""Deploying models as a pipeline."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

from wallaroo_ext._util.after_fork import this_process
from wallaroo_ext.deployments.deployment import Deployment
from wallaroo_ext.deployments.find import deployed_steps, url_steps
from wallaroo_ext.deployments.status import status_steps
from wallaroo_ext.deployments.unfinished import PendingDeployment, clean_up_steps, leftovers
from wallaroo_ext.deployments.wait import TIMEOUT, check_waiting, wait_until_running
from wallaroo_ext.errors import ContractViolationError, InvalidDataError, InvalidRequestError, NotFoundError
from wallaroo_ext.operations import Pause, Steps, call_steps, note_leftovers, steps_of, synchronous
from wallaroo_ext.resources.lookup import not_found_error
from wallaroo_ext.resources.models import models_steps, versions_steps
from wallaroo_ext.resources.naming import explained_names
from wallaroo_ext.resources.workspaces import check_workspace, workspace_id_steps
from wallaroo_ext.transport.retry.clock import SYSTEM_CLOCK

if TYPE_CHECKING:
    from wallaroo_mlops_client import Client
    from wallaroo_mlops_client.models import ModelReference, ModelVersion

    from wallaroo_ext.deployments.wait import Progress
    from wallaroo_ext.resources.models import ListedModel
    from wallaroo_ext.transport.retry.clock import Clock

    Models = ModelVersion | int | Iterable[ModelVersion | int]
    """One model version or several, each as a value or by its id."""

_URL_PAUSES = (0.2, 0.5, 1.0, 2.0, 5.0)
"""The pauses between the looks for the URL of a new deployment that the instance does not know yet, in seconds."""


@synchronous
def deploy_pipeline(
    client: Client,
    name: str,
    models: Models,
    *,
    workspace: int | str | None = None,
    engine_config: Mapping[str, Any] | None = None,
    wait: bool = True,
    timeout: float = TIMEOUT,
    error_grace: float | None = None,
    progress: Progress = None,
    clock: Clock | None = None,
) -> Steps[Deployment]:
    """Deploy models as a pipeline, wait until it runs, and find where it answers.

        with deploy_pipeline(client, "tumours", model) as deployment:
            scored = infer(client, deployment.url, rows)

    At the end of the `with` block (in asyncio, of `async with aio.deploy_pipeline(...) as deployment`) the deployment
    is undeployed. Without a block it goes on until `undeploy`. Where the workspace has a pipeline of this name, a
    version is added to it, and the deployment of this name runs that from then on.

    Where a deployment that this call started does not become `Running`, because the time is over, it stays in `Error`
    for `error_grace` or the program is interrupted, it is undeployed before the error is raised. A deployment that ran
    under the name before is never undeployed, not at the end of a `with` block either (`started` of the result is
    False): a note on the error says that it runs the new version now, what it ran before, and how to go back. There is
    a note, too, where the instance did not answer, or undeploying failed. The pipeline's version stays; no operation
    removes it. Two calls at the same moment that both find nothing deployed both count as having started the
    deployment, which is one.

    Source: pipeline-management-tutorial, "Create Pipeline in a Workspace", "Deploy a Pipeline", "Get Deployment Status"
    and "Get External Inference URL".

    Args:
        client: What `connect` gave.
        name: The pipeline's name, and the deployment's: letters, digits and dashes.
        models: One model version or several, as `upload_model` and `model_version` give them, or their ids. Several run
            one after the other, each on the outputs of the one before.
        workspace: The name or the id of the workspace for the pipeline. Without one, it is that of the first model
            that is given as a value, or, where all are given by ids, the user's own; see `find_workspace`.
        engine_config: Further settings of the engine, as the API has them, such as its resources.
        wait: Whether to wait until it is `Running`. Without waiting, `status` of the result is the first one known.
        timeout: How long to wait, in seconds; 300 by default.
        error_grace: How long it may stay in `Error` meanwhile, in seconds; until the timeout by default, because
            deployments pass through `Error` while they start. See `wait_until_running`.
        progress: A function that is called with each status; or True for a spinner, or lines where none can be
            shown, which needs the extra `cli`.
        clock: The clock for pauses and the deadline, for tests.

    Raises:
        DeploymentError: The deployment is in `Error` at the end of the time, or has been for `error_grace`; `details`
            has the messages of its pods.
        WaitTimeoutError: It is not running yet.
        NotFoundError: There is no such workspace, or no model version of an id in it.
        InvalidDataError: The models are no model versions, or an option cannot be used; nothing was sent.
        ConfigurationError: `progress` is True, and the extra `cli` is not installed.
        InvalidRequestError: The instance refuses the pipeline, such as for a name that breaks the rules.
    """
    _check_name(name)
    check_workspace(workspace)
    _check_engine_config(engine_config)
    _check_wait(wait)
    check_waiting(timeout=timeout, error_grace=error_grace, progress=progress, clock=clock)
    wanted = _versions(models)
    workspace_id = yield from _workspace_id(wanted, workspace)
    references = yield from _references(wanted, workspace_id)
    begun = yield from _created(name, references, workspace_id)
    begun = yield from _with_what_runs(begun)
    process = this_process()
    try:
        begun = replace(begun, id=(yield from _deployed(begun, references, engine_config)))
        if wait:
            status = yield from steps_of(wait_until_running)(
                client, begun.name, timeout=timeout, error_grace=error_grace, progress=progress, clock=clock
            )
            state = status.status
        else:
            state = yield from _state(begun.name)
        return (yield from _result(client, begun, state, clock or SYSTEM_CLOCK))
    except GeneratorExit as closed:  # nothing can be sent any more
        if process.is_this:
            note_leftovers(closed, leftovers(begun))
        raise
    except BaseException as error:
        if process.is_this:  # a child that was forked meanwhile leaves it to its parent
            yield from clean_up_steps(begun, error)
        raise


def _with_what_runs(begun: PendingDeployment) -> Steps[PendingDeployment]:
    """Look up what is deployed under the name already, which this call must not undeploy."""
    try:
        return replace(begun, before=(yield from deployed_steps(begun.pipeline, begun.workspace_id)))
    except ContractViolationError:
        return replace(begun, before_is_known=False)


def _result(client: Client, begun: PendingDeployment, state: str, clock: Clock) -> Steps[Deployment]:
    """Look up where a deployment answers, and return it as a value."""
    return Deployment(
        name=begun.name,
        id=begun.id or 0,
        url=(yield from _url(begun, clock)),
        pipeline=begun.pipeline,
        workspace_id=begun.workspace_id,
        status=state,
        pipeline_id=begun.pipeline_id,
        pipeline_version_id=begun.pipeline_version_id,
        pipeline_version=begun.pipeline_version,
        started=begun.started,
        client=client,
    )


def _url(begun: PendingDeployment, clock: Clock) -> Steps[str]:
    """Return the URL of a new deployment, which an instance may take a moment to know, and answers 404 until then."""
    for pause in _URL_PAUSES:
        try:
            return (yield from url_steps(begun.pipeline, begun.workspace_id))
        except (NotFoundError, InvalidRequestError):
            yield Pause(pause, clock)
    return (yield from url_steps(begun.pipeline, begun.workspace_id))


def _state(name: str) -> Steps[str]:
    """Return the state of a new deployment, which an instance may take a moment to know."""
    try:
        status = yield from status_steps(name)
    except NotFoundError:
        return "Starting"
    return status.status


def _check_name(name: object) -> None:
    if not isinstance(name, str) or not name:
        raise InvalidDataError(f"A pipeline has a name of letters, digits and dashes, not {name!r}.")


def _check_wait(wait: object) -> None:
    if not isinstance(wait, bool):
        raise InvalidDataError(f"`wait` is True or False, not {wait!r}; `timeout` says how long.")


def _check_engine_config(settings: object) -> None:
    if settings is None:
        return
    if not isinstance(settings, Mapping):
        raise InvalidDataError(f"`engine_config` is a mapping of settings, not {type(settings).__name__}.")
    try:
        json.dumps(dict(cast("Mapping[str, Any]", settings)), allow_nan=False, ensure_ascii=False).encode()
    except (TypeError, ValueError, RecursionError) as error:
        raise InvalidDataError(f"`engine_config` has what JSON has no form for: {error}.") from None


def _versions(models: Models) -> list[ModelVersion | int]:
    """Return the model versions as a list."""
    from wallaroo_mlops_client.models import ModelVersion

    several = isinstance(models, Iterable) and not isinstance(models, str | bytes | Mapping)
    wanted = list(cast("Any", models)) if several else [cast("Any", models)]
    for version in wanted:
        if isinstance(version, bool) or not isinstance(version, ModelVersion | int):
            raise InvalidDataError(
                f"A pipeline runs model versions or their ids, not {type(version).__name__}.",
                advice="`model_version` finds one by its name.",
            )
    if not wanted:
        raise InvalidDataError(
            "A pipeline without models answers nothing.", advice="Give it one model version or more."
        )
    return wanted


def _workspace_id(wanted: list[ModelVersion | int], workspace: int | str | None) -> Steps[int]:
    """Return the workspace for the pipeline."""
    from wallaroo_mlops_client.api.models import get_model_by_id
    from wallaroo_mlops_client.models import GetModelByIdRequest

    known = next((version for version in wanted if not isinstance(version, int)), None)
    if workspace is None and known is not None:
        details = yield from call_steps(get_model_by_id, body=GetModelByIdRequest(id=known.models_pk_id))
        if isinstance(details.workspace_id, int):
            return details.workspace_id
    return (yield from workspace_id_steps(workspace))


def _references(wanted: list[ModelVersion | int], workspace_id: int) -> Steps[list[ModelReference]]:
    """Return the references to model versions."""
    references: list[ModelReference] = []
    models: list[ListedModel] | None = None
    for version in wanted:
        if not isinstance(version, int) and isinstance(version.model_id, str):
            references.append(_reference(version.model_id, version))
            continue
        if models is None:
            models = yield from models_steps(workspace_id)
        references.append((yield from _looked_up(version, models, workspace_id)))
    return references


def _looked_up(wanted: ModelVersion | int, models: list[ListedModel], workspace_id: int) -> Steps[ModelReference]:
    """Return the reference to a model version whose model has to be found among those of the workspace."""
    if not isinstance(wanted, int):
        name = next((model.name for model in models if model.id == wanted.models_pk_id), None)
        if name is not None:
            return _reference(name, wanted)
    else:
        # Where models are listed without their versions, the nearest id below is the best guess: a model and its first
        # version have ids of about the same size.
        for model in sorted(models, key=lambda model: (wanted not in model.version_ids, model.id > wanted, -model.id)):
            versions = yield from versions_steps(model)
            for version in versions:
                if version.id == wanted:
                    return _reference(model.name, version)
    shown = wanted if isinstance(wanted, int) else wanted.id
    known = {model.name: repr(model.name) for model in models}
    raise not_found_error("list_models", f"The workspace {workspace_id} has no model version {shown}.", known=known)


def _reference(name: str, version: ModelVersion) -> ModelReference:
    from wallaroo_mlops_client.models import ModelReference

    return ModelReference(name=name, version=version.model_version, sha=version.sha)


def _created(name: str, references: list[ModelReference], workspace_id: int) -> Steps[PendingDeployment]:
    """Create a pipeline with a step for each model, or a version of the one with this name; do not deploy it yet."""
    from wallaroo_mlops_client.api.pipelines import create_pipeline
    from wallaroo_mlops_client.models import (
        CreatePipelineRequest,
        ModelInferenceStep,
        PipelineDefinition,
        PipelineStep,
    )

    steps = [PipelineStep(model_inference=ModelInferenceStep(models=[reference])) for reference in references]
    definition = PipelineDefinition(steps=steps)
    body = CreatePipelineRequest(pipeline_id=name, workspace_id=workspace_id, definition=definition)
    with explained_names("pipeline", name):
        created = yield from call_steps(create_pipeline, body=body)
    version = created.pipeline_variant_version
    return PendingDeployment(
        pipeline=name,
        pipeline_id=created.pipeline_pk_id,
        pipeline_version_id=created.pipeline_variant_pk_id,
        pipeline_version=version if isinstance(version, str) else None,
        workspace_id=workspace_id,
        models=[reference.version for reference in references],
    )


def _deployed(
    begun: PendingDeployment, references: list[ModelReference], engine_config: Mapping[str, Any] | None
) -> Steps[int]:
    """Request the deployment of a pipeline's version, and return the deployment's id."""
    from wallaroo_mlops_client.api.pipelines import deploy_pipeline as operation
    from wallaroo_mlops_client.models import DeployPipelineRequest, DeployPipelineRequestEngineConfig
    from wallaroo_mlops_client.types import UNSET

    body = DeployPipelineRequest(
        deploy_id=begun.pipeline,
        pipeline_id=begun.pipeline_id,
        pipeline_version_pk_id=begun.pipeline_version_id,
        models=references,
        engine_config=UNSET
        if engine_config is None
        else DeployPipelineRequestEngineConfig.from_dict(dict(engine_config)),
    )
    answer = yield from call_steps(operation, body=body)
    return answer.id
