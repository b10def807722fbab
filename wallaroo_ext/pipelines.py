"""Deploying models as a pipeline."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypedDict, Unpack, cast

from wallaroo_ext.deployed import Deployment, end_steps, note_or_raise
from wallaroo_ext.deployments import TIMEOUT, status_steps, wait_until_running_steps
from wallaroo_ext.errors import InvalidDataError, NotFoundError
from wallaroo_ext.lookups import not_there
from wallaroo_ext.models import models_steps, versions_steps
from wallaroo_ext.operations import Steps, call_steps, run
from wallaroo_ext.urls import answered
from wallaroo_ext.workspaces import check_workspace, workspace_id_steps

if TYPE_CHECKING:
    from collections.abc import Callable

    from wallaroo_mlops_client import Client
    from wallaroo_mlops_client.models import DeploymentStatus, Model, ModelReference, ModelVersion

    from wallaroo_ext.retries.clock import Clock

    Models = ModelVersion | int | Iterable[ModelVersion | int]
    """What a pipeline runs: one model version or several, each as a function gave it, or its id."""


class DeployOptions(TypedDict, total=False):
    """What deploying is told beside the models; see `deploy_pipeline`."""

    workspace: int | str | None
    engine_config: Mapping[str, Any] | None
    wait: bool
    timeout: float
    progress: Callable[[DeploymentStatus], object] | None
    clock: Clock | None


@dataclass(frozen=True, slots=True)
class Begun:
    """A deployment that was begun, and does not answer yet."""

    id: int
    pipeline: str
    pipeline_id: int
    pipeline_version_id: int
    pipeline_version: str | None
    workspace_id: int

    @property
    def name(self) -> str:
        """The deployment's name; it is deployed under the pipeline's."""
        return f"{self.pipeline}-{self.id}"


def deploy_pipeline(client: Client, name: str, models: Models, **options: Unpack[DeployOptions]) -> Deployment:
    """Deploy models as a pipeline, wait until it runs, and find where it answers.

        with deploy_pipeline(client, "tumours", model) as deployment:
            scored = infer(client, deployment.url, rows)

    At the end of the `with` block the deployment is undeployed. Without one it goes on until `undeploy`. Under a name
    that the workspace has, a version is added to the pipeline, and the deployment of this name runs that from then on.

    What does not become `Running`, because it ends in `Error`, the time is over or the program is interrupted, is
    undeployed before the error is raised, so that nothing is left deployed; also where another version ran under the
    name before. With `wait=False`, and `wait_until_running` afterwards, it is left as it is.

    Source: pipeline-management-tutorial, "Create Pipeline in a Workspace", "Deploy a Pipeline", "Get Deployment Status"
    and "Get External Inference URL".

    Args:
        client: What `connect` gave.
        name: The pipeline's name, and the deployment's: letters, digits and dashes.
        models: One model version or several, as `upload_model` and `model_version` give them, or their ids. Several run
            one after the other, each on the outputs of the one before.
        **options: By name:
            `workspace`: the name or the id of the workspace for the pipeline; without one, the one that the first model
            is in, or, where models are named by ids only, the user's own, see `find_workspace`.
            `engine_config`: further settings of the engine, as the API has them, such as its resources.
            `wait`: whether to wait until it is `Running`; True by default. Without waiting, `status` is what it is at
            once.
            `timeout`: how long to wait, in seconds; 300 by default.
            `progress`: called with each status while it is waited for.
            `clock`: the time that pauses and the deadline go by, for tests.

    Raises:
        DeploymentError: The deployment ended in `Error`; `details` has what its pods say.
        WaitTimeoutError: It is not running yet.
        NotFoundError: There is no such workspace, or no model version of an id in it.
        InvalidDataError: The models are no model versions.
        InvalidRequestError: The instance refuses the pipeline, for one because its name breaks the rules for names.
    """
    begun = run(client, begin_steps(name, models, options))
    try:
        return run(client, finish_steps(client, begun, options))
    except BaseException as error:
        try:
            run(client, end_steps(begun.id, begun.pipeline_id))
        except Exception as failure:  # noqa: BLE001 - whatever it is, the first error is the one to raise
            note_or_raise(failure, error, begun.name)
        raise


def begin_steps(name: str, models: Models, options: DeployOptions) -> Steps[Begun]:
    """Create a pipeline, or a version of it, and begin to deploy it."""
    _check(options)
    wanted = _versions(models)
    workspace_id = yield from _workspace_id(wanted, options.get("workspace"))
    references = yield from _references(wanted, workspace_id)
    begun = yield from _created(name, references, workspace_id)
    return (yield from _deployed(begun, references, options.get("engine_config")))


def finish_steps(client: Client, begun: Begun, options: DeployOptions) -> Steps[Deployment]:
    """Wait for a deployment, where that is wanted, and find where it answers."""
    if options.get("wait", True):
        waiting: Any = {name: options.get(name) for name in ("progress", "clock")}
        status = yield from wait_until_running_steps(begun.name, timeout=options.get("timeout", TIMEOUT), **waiting)
        state = status.status
    else:
        state = yield from _state(begun.name)
    return Deployment(
        name=begun.name,
        id=begun.id,
        url=(yield from url_steps(begun.pipeline, begun.workspace_id)),
        pipeline=begun.pipeline,
        workspace_id=begun.workspace_id,
        status=state,
        pipeline_id=begun.pipeline_id,
        pipeline_version_id=begun.pipeline_version_id,
        pipeline_version=begun.pipeline_version,
        client=client,
    )


def url_steps(name: str, workspace_id: int) -> Steps[str]:
    """Where the deployment of a pipeline answers."""
    from wallaroo_mlops_client.api.deployments import get_pipeline_external_url
    from wallaroo_mlops_client.models import GetPipelineExternalUrlRequest

    body = GetPipelineExternalUrlRequest(workspace_id=workspace_id, pipeline_name=name)
    answer = yield from call_steps(get_pipeline_external_url, body=body)
    return answered("get_pipeline_external_url", answer.url)


def _state(name: str) -> Steps[str]:
    """The state of a deployment that was begun just now; an instance may take a moment to know it."""
    try:
        status = yield from status_steps(name)
    except NotFoundError:
        return "Starting"
    return status.status


def _check(options: DeployOptions) -> None:
    unknown = set(options) - set(DeployOptions.__annotations__)
    if unknown:
        raise TypeError(f"deploy_pipeline() has no option {min(unknown)!r}.")
    check_workspace(options.get("workspace"))
    engine: Any = options.get("engine_config")
    if engine is not None and not isinstance(engine, Mapping):
        raise InvalidDataError(f"`engine_config` is a mapping of settings, not {type(engine).__name__}.")


def _versions(models: Models) -> list[ModelVersion | int]:
    """The model versions as a list."""
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
    """The workspace for the pipeline."""
    from wallaroo_mlops_client.api.models import get_model_by_id
    from wallaroo_mlops_client.models import GetModelByIdRequest

    known = next((version for version in wanted if not isinstance(version, int)), None)
    if workspace is None and known is not None:
        details = yield from call_steps(get_model_by_id, body=GetModelByIdRequest(id=known.models_pk_id))
        if isinstance(details.workspace_id, int):
            return details.workspace_id
    return (yield from workspace_id_steps(workspace))


def _references(wanted: list[ModelVersion | int], workspace_id: int) -> Steps[list[ModelReference]]:
    """The model versions, named in full."""
    references: list[ModelReference] = []
    models: list[Model] | None = None
    for version in wanted:
        if not isinstance(version, int) and isinstance(version.model_id, str):
            references.append(_reference(version.model_id, version))
            continue
        if models is None:
            models = yield from models_steps(workspace_id)
        references.append((yield from _looked_up(version, models, workspace_id)))
    return references


def _looked_up(wanted: ModelVersion | int, models: list[Model], workspace_id: int) -> Steps[ModelReference]:
    """A model version whose model has to be found, among those of the workspace."""
    if not isinstance(wanted, int):
        name = next((model.name for model in models if model.id == wanted.models_pk_id), None)
        if name is not None:
            return _reference(name, wanted)
    else:
        # In recordings a model has the id of its first version, so that the nearest id below is the best guess.
        for model in sorted(models, key=lambda model: (model.id > wanted, -model.id)):
            versions = yield from versions_steps(model.id)
            for version in versions:
                if version.id == wanted:
                    return _reference(model.name, version)
    shown = wanted if isinstance(wanted, int) else wanted.id
    known = {model.name: repr(model.name) for model in models}
    raise not_there("list_models", f"The workspace {workspace_id} has no model version {shown}.", known=known)


def _reference(name: str, version: ModelVersion) -> ModelReference:
    from wallaroo_mlops_client.models import ModelReference

    return ModelReference(name=name, version=version.model_version, sha=version.sha)


def _created(name: str, references: list[ModelReference], workspace_id: int) -> Steps[Begun]:
    """A pipeline of one step a model, or a version of the one that has the name; it is not deployed yet."""
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
    created = yield from call_steps(create_pipeline, body=body)
    version = created.pipeline_variant_version
    return Begun(
        id=0,
        pipeline=name,
        pipeline_id=created.pipeline_pk_id,
        pipeline_version_id=created.pipeline_variant_pk_id,
        pipeline_version=version if isinstance(version, str) else None,
        workspace_id=workspace_id,
    )


def _deployed(begun: Begun, references: list[ModelReference], engine_config: Mapping[str, Any] | None) -> Steps[Begun]:
    from dataclasses import replace

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
    return replace(begun, id=answer.id)
