"""Each operation of the contract is called once. These tests are recorded, and replayed in a run on recordings.

A test makes what it needs, in the run's own workspace and under the run's prefix, and removes what can be removed. Each
answer is checked against the contract when it comes, and then for its meaning.
"""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from wallaroo_mlops_client.api.assays import (
    create_assay,
    get_assay_baseline,
    get_assay_by_id,
    get_assay_results,
    get_assay_results_between,
    get_assay_results_v2,
    get_assay_v2,
    get_assay_v2_by_id,
    get_next_assay_run_v2,
    list_assays,
    preview_assay_baseline_v2,
    preview_assay_v2,
    run_interactive_assay,
    run_interactive_assay_baseline,
    schedule_assay_v2,
    set_assay_active,
    set_assay_v2_active,
    summarize_assay_baseline,
)
from wallaroo_mlops_client.api.authentication import request_token
from wallaroo_mlops_client.api.deployments import get_deployment_status, get_pipeline_external_url
from wallaroo_mlops_client.api.features import list_features
from wallaroo_mlops_client.api.inference import (
    get_pipeline_logs,
    get_topic_name,
    get_topic_partitions,
    get_topic_records,
    infer_deployment,
    infer_pipeline,
)
from wallaroo_mlops_client.api.models import (
    get_model,
    get_model_by_id,
    get_model_config_by_id,
    get_model_upload_logs,
    get_model_version_by_id,
    insert_model_config,
    list_model_versions,
)
from wallaroo_mlops_client.api.pipelines import (
    copy_pipeline,
    create_pipeline,
    deploy_pipeline,
    get_pipeline_by_name,
    get_pipeline_version,
    list_pipelines,
    undeploy_pipeline,
)
from wallaroo_mlops_client.api.users import activate_user, deactivate_user, invite_user, query_users
from wallaroo_mlops_client.api.workspaces import (
    add_workspace_user,
    create_workspace,
    list_workspace_users,
    list_workspaces,
    remove_workspace_user,
)
from wallaroo_mlops_client.models import (
    ActivateUserRequest,
    AddWorkspaceUserRequest,
    AssayRequest,
    CopyPipelineRequest,
    CreatePipelineRequest,
    CreateWorkspaceRequest,
    DeactivateUserRequest,
    DeployPipelineRequest,
    GetAssayBaselineRequest,
    GetAssayByIdRequest,
    GetAssayResultsBetweenRequest,
    GetAssayResultsRequest,
    GetAssayResultsV2Request,
    GetAssayV2ByIdRequest,
    GetAssayV2Request,
    GetDeploymentStatusRequest,
    GetModelByIdRequest,
    GetModelConfigByIdRequest,
    GetModelRequest,
    GetModelUploadLogsRequest,
    GetModelVersionByIdRequest,
    GetNextAssayRunV2Request,
    GetPipelineByNameRequest,
    GetPipelineExternalUrlRequest,
    GetPipelineLogsRequest,
    GetPipelineVersionRequest,
    GetTopicNameRequest,
    InsertModelConfigRequest,
    InviteUserRequest,
    ListAssaysRequest,
    ListFeaturesRequest,
    ListModelVersionsRequest,
    ListPipelinesRequest,
    ListWorkspacesRequest,
    ListWorkspaceUsersRequest,
    PandasRecordsItem,
    PipelineDefinition,
    PreviewAssayBaselineV2Request,
    PreviewAssayV2Request,
    QueryUsersRequest,
    RemoveWorkspaceUserRequest,
    ScheduleAssayV2Request,
    SetAssayActiveRequest,
    SetAssayV2ActiveRequest,
    SummarizeAssayBaselineRequest,
    TokenRequest,
    TopicPosition,
    UndeployPipelineRequest,
)
from wallaroo_mlops_client.types import UNSET

from wallaroo_ext import (
    NotFoundError,
    Settings,
    call,
    find_workspace,
    infer,
    outputs,
    undeploy,
    upload_model,
    wait_until_running,
)
from wallaroo_ext import deploy_pipeline as deploy
from wallaroo_ext.conformance.cases.examples import INPUT, OUTPUT, AnswerChecker, eventually, scored, small_model
from wallaroo_ext.conformance.recordings.pytest_hooks import PASSED
from wallaroo_ext.conformance.resources.fixtures import Forms
from wallaroo_ext.conformance.testing.answer_forms import scores_of
from wallaroo_ext.operations import run
from wallaroo_ext.resources.models import models_steps

if TYPE_CHECKING:
    from collections.abc import Generator

    from wallaroo_mlops_client import Client
    from wallaroo_mlops_client.models import CreatePipelineResponse, ModelVersion

    from wallaroo_ext import Clock, Deployment
    from wallaroo_ext.conformance.rules import Rules
    from wallaroo_ext.conformance.suite import Suite

SUMMARIZER = {
    "type": "UnivariateContinuous",
    "bin_mode": "Quantile",
    "aggregation": "Density",
    "metric": "PSI",
    "num_bins": 2,
    "add_outlier_edges": True,
}
ROWS = [[1.0, 2.0], [3.0, 4.0], [5.0, 6.0], [7.0, 8.0]]
SECOND = 1000

pytestmark = [pytest.mark.recorded, pytest.mark.separate]
touches = pytest.mark.touches


@pytest.fixture(scope="module")
def rules(conformance_suite: Suite) -> Rules:
    return conformance_suite.rules


@pytest.fixture(scope="module")
def forms(rules: Rules) -> Forms:
    """Return the forms of requests that the release has."""
    return Forms.of(rules.document)


@pytest.fixture(autouse=True)
def answers(request: pytest.FixtureRequest, rules: Rules) -> Generator[AnswerChecker]:
    """Check every answer against the contract, and in the end that the operations of the test's mark succeeded."""
    mark = request.node.get_closest_marker("touches")
    client: Client = request.getfixturevalue("conformance_client")
    checker = AnswerChecker(rules)
    with checker.checking(client.get_httpx_client()):
        yield checker
    if request.node.stash.get(PASSED, False):
        assert set(mark.args) <= checker.succeeded


@dataclass(frozen=True)
class Guest:
    """A user whom the run invited."""

    email: str
    id: str


@pytest.fixture
def name(request: pytest.FixtureRequest, conformance_instance: Any) -> str:
    """Return a name for what the test makes."""
    own = request.node.name.removeprefix("test_").replace("_", "-")
    return f"{conformance_instance.prefix}-{own}"[:60].rstrip("-")


@pytest.fixture
def workspace(conformance_client: Client, conformance_instance: Any) -> int:
    """Return the run's workspace, made where it is not there yet."""
    return find_workspace(conformance_client, _workspace_name(conformance_instance), create=True).id


def _workspace_name(conformance_instance: Any) -> str:
    return f"{conformance_instance.prefix}-examples"


@pytest.fixture
def guest(conformance_client: Client, conformance_instance: Any, name: str) -> Generator[Guest]:
    """Yield a user of the test's own, who is deactivated when it is over."""
    if not conformance_instance.allows_user_changes:
        pytest.skip("It invites a user, which --allow-user-changes allows")
    email = f"{name}@example.com"
    body = InviteUserRequest(email=email, password=secrets.token_urlsafe())
    yield Guest(email, call(invite_user, client=conformance_client, body=body).id)
    call(deactivate_user, client=conformance_client, body=DeactivateUserRequest(email=email))


@pytest.fixture
def version(conformance_client: Client, workspace: int, name: str, forms: Forms) -> ModelVersion:
    """Return a version of a model of the test's own."""
    endpoint = "upload_and_convert" if forms.converts else "upload"
    return upload_model(conformance_client, small_model(), name=name, workspace=workspace, endpoint=endpoint)


@pytest.fixture
def deployment(
    conformance_client: Client, conformance_clock: Clock, version: ModelVersion, workspace: int, name: str
) -> Generator[Deployment]:
    """Yield the model as a running deployment, which ends with the test."""
    with deploy(conformance_client, name, version, workspace=workspace, clock=conformance_clock) as running:
        yield running


@pytest.fixture
def pipeline(conformance_client: Client, workspace: int, name: str) -> CreatePipelineResponse:
    """Return a pipeline without steps."""
    body = CreatePipelineRequest(pipeline_id=name, workspace_id=workspace, definition=PipelineDefinition())
    return call(create_pipeline, client=conformance_client, body=body)


@dataclass(frozen=True)
class Watched:
    """A deployment that scored rows.

    Attributes:
        deployment: The deployment.
        pipeline_id: Its pipeline's id.
        model: Its model's name.
        start: When the first rows were scored, in milliseconds since 1970.
        end: A time after all of them were.
        forms: The forms of requests.
        workspace: The workspace's name.
    """

    deployment: Deployment
    pipeline_id: int
    model: str
    start: int
    end: int
    forms: Forms
    workspace: str

    def window(self) -> dict[str, Any]:
        """Return a window, a minute long, that has the rows in it."""
        return {
            "pipeline_name": self.deployment.pipeline,
            "model_name": self.model,
            "workspace_id": self.deployment.workspace_id,
            "path": f"output {OUTPUT} 0",
            "width": "1 minutes",
            "start": moment(self.end - 60 * SECOND),
            "interval": None,
            "locations": [],
        }

    def assay(self) -> AssayRequest:
        """Return an assay whose baseline and whose one window, a minute long, both have the rows in them."""
        return AssayRequest.from_dict(
            {
                "name": self.deployment.pipeline,
                "pipeline_id": self.pipeline_id,
                "pipeline_name": self.deployment.pipeline,
                "workspace_id": self.deployment.workspace_id,
                "active": True,
                "status": "active",
                **(self._fixed_time() if self.forms.fixed_baselines else self._fixed_window()),
                "summarizer": SUMMARIZER,
                "warning_threshold": 0,
                "alert_threshold": 0.1,
                "run_until": None,
            }
        )

    def second_version(self) -> dict[str, Any]:
        """Return what an assay of the second version watches and how, with a baseline that has the rows in it."""
        where = {"pipeline_id": self.pipeline_id, "pipeline_name": self.deployment.pipeline}
        where |= {"workspace_id": self.deployment.workspace_id, "workspace_name": self.workspace}
        watched = {"field": f"out.{OUTPUT}", "indexes": [0], "thresholds": {"warning": None, "alert": 0.1}}
        return {
            "baseline": {"Static": [moment(self.end - 60 * SECOND), moment(self.end)]},
            "summarizer": {
                "UnivariateContinuous": {"aggregation": "Density", "bin_mode": {"Quantile": 5}, "metric": "PSI"}
            },
            "targeting": {"data_origin": where | {"model_id": self.model}, "iopath": [watched]},
        }

    def scheduling(self) -> dict[str, Any]:
        """Return the times of an assay of the second version, whose one window has the rows in it."""
        frequency = {"SimpleRunFrequency": {"quantity": 1, "unit": "Minute"}}
        return {
            "scheduling": {"first_run": moment(self.end), "end": moment(self.end), "run_frequency": frequency},
            "window": {"width": {"seconds": 60}},
        }

    def _fixed_window(self) -> dict[str, Any]:
        return {"baseline": {"calculated": {"fixed_window": self.window()}}, "window": self.window()}

    def _fixed_time(self) -> dict[str, Any]:
        names = {"pipeline": self.deployment.pipeline, "model": self.model}
        baseline = {"start_at": moment(self.start - SECOND), "end_at": moment(self.end)}
        window = {"width": "1 minutes", "start": moment(self.end - 60 * SECOND), "interval": None}
        return {
            "iopath": f"output {OUTPUT} 0",
            "baseline": {"Fixed": names | baseline},
            "window": names | window,
        }


def moment(milliseconds: int) -> str:
    """Return a time as assays take it."""
    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=milliseconds)).isoformat()


@pytest.fixture
def watched(
    conformance_client: Client,
    conformance_clock: Clock,
    conformance_instance: Any,
    deployment: Deployment,
    forms: Forms,
) -> Watched:
    """Return a deployment whose rows the instance has logged."""
    wire = "pandas-records" if forms.converts else "arrow"  # the oldest answers in JSON have no time
    first, last = (
        infer(conformance_client, deployment, {INPUT: rows}, wire=wire).column("time") for rows in (ROWS, ROWS[:1])
    )
    start, end = first[0].cast("int64").as_py(), last[0].cast("int64").as_py()
    assert deployment.pipeline_id is not None
    found = Watched(
        deployment,
        deployment.pipeline_id,
        deployment.pipeline,
        start,
        max(end, start + 1),
        forms,
        _workspace_name(conformance_instance),
    )
    assert eventually(lambda: logged(conformance_client, found), conformance_clock)
    return found


def logged(client: Client, watched: Watched) -> list[Any]:
    """Return the rows that the instance has logged."""
    body = GetAssayBaselineRequest(
        workspace_id=watched.deployment.workspace_id,
        pipeline_name=watched.deployment.pipeline,
        start=moment(watched.start - SECOND),
        end=moment(watched.end),
    )
    return call(get_assay_baseline, client=client, body=body)


@pytest.fixture
def assay(conformance_client: Client, watched: Watched) -> Generator[int]:
    """Yield the id of an assay, which is switched off when the test is over."""
    created = call(create_assay, client=conformance_client, body=watched.assay()).assay_id
    yield created
    call(set_assay_active, client=conformance_client, body=SetAssayActiveRequest(id=created, active=False))


@touches("request_token")
def test_request_token(conformance_suite: Suite, conformance_instance: Any, answers: AnswerChecker) -> None:
    if conformance_instance.kind == "recorded":
        pytest.skip("Token requests are never recorded")
    settings = Settings.resolve(conformance_instance.environment)
    if settings.token is not None:
        pytest.skip("The environment has a token, and nothing to ask for one with")
    body = TokenRequest(
        grant_type="client_credentials" if settings.username is None else "password",
        username=settings.username or UNSET,
        password=settings.password or UNSET,
        client_id=settings.client_id,
        client_secret=settings.client_secret or UNSET,
    )
    keycloak: Any = conformance_instance.connect_to_issuer(conformance_suite.interceptor)
    with keycloak, answers.checking(keycloak.get_httpx_client()):
        token = call(request_token, client=keycloak, body=body)
    assert str(token.token_type).lower() == "bearer", "RFC 6749 lets its case be any"


@touches("query_users", "list_workspace_users")
def test_query_users(conformance_client: Client, workspace: int) -> None:
    members = call(
        list_workspace_users, client=conformance_client, body=ListWorkspaceUsersRequest(workspace_id=workspace)
    ).users
    own = next(member.user_id for member in members if member.user_type == "OWNER")
    found = call(query_users, client=conformance_client, body=QueryUsersRequest(user_ids=[own])).users
    user = found.additional_properties[own]
    assert user is not None
    assert (user.id, user.enabled) == (own, True)


@touches("invite_user")
def test_invite_user(conformance_client: Client, guest: Guest) -> None:
    found = call(query_users, client=conformance_client, body=QueryUsersRequest(user_ids=[guest.id])).users
    user = found.additional_properties[guest.id]
    assert user is not None
    assert user.enabled


@touches("deactivate_user")
def test_deactivate_user(conformance_client: Client, guest: Guest) -> None:
    call(deactivate_user, client=conformance_client, body=DeactivateUserRequest(email=guest.email))
    found = call(query_users, client=conformance_client, body=QueryUsersRequest(user_ids=[guest.id])).users
    user = found.additional_properties[guest.id]
    assert user is not None
    assert not user.enabled


@touches("activate_user")
def test_activate_user(conformance_client: Client, guest: Guest) -> None:
    call(deactivate_user, client=conformance_client, body=DeactivateUserRequest(email=guest.email))
    call(activate_user, client=conformance_client, body=ActivateUserRequest(email=guest.email))
    found = call(query_users, client=conformance_client, body=QueryUsersRequest(user_ids=[guest.id])).users
    user = found.additional_properties[guest.id]
    assert user is not None
    assert user.enabled


@touches("list_workspaces")
def test_list_workspaces(conformance_client: Client, workspace: int) -> None:
    listed = call(list_workspaces, client=conformance_client, body=ListWorkspacesRequest()).workspaces
    assert workspace in [found.id for found in listed]


@touches("create_workspace")
def test_create_workspace(conformance_client: Client, name: str) -> None:
    created = call(create_workspace, client=conformance_client, body=CreateWorkspaceRequest(workspace_name=name))
    listed = call(list_workspaces, client=conformance_client, body=ListWorkspacesRequest()).workspaces
    assert [found.name for found in listed if found.id == created.workspace_id] == [name]


@touches("add_workspace_user", "list_workspace_users")
def test_add_workspace_user(conformance_client: Client, workspace: int, guest: Guest) -> None:
    call(
        add_workspace_user,
        client=conformance_client,
        body=AddWorkspaceUserRequest(workspace_id=workspace, email=guest.email, user_type="COLLABORATOR"),
    )
    assert members(conformance_client, workspace)[guest.id] == "COLLABORATOR"


@touches("remove_workspace_user")
def test_remove_workspace_user(conformance_client: Client, workspace: int, guest: Guest) -> None:
    added = AddWorkspaceUserRequest(workspace_id=workspace, email=guest.email, user_type="COLLABORATOR")
    call(add_workspace_user, client=conformance_client, body=added)
    body = RemoveWorkspaceUserRequest(workspace_id=workspace, user_id=guest.id)
    assert call(remove_workspace_user, client=conformance_client, body=body).affected_rows == 1
    assert guest.id not in members(conformance_client, workspace)


def members(client: Client, workspace: int) -> dict[str, Any]:
    """Return the types of the users of a workspace, by their ids."""
    answer = call(list_workspace_users, client=client, body=ListWorkspaceUsersRequest(workspace_id=workspace))
    return {member.user_id: member.user_type for member in answer.users}


@touches("upload_and_convert_model")
def test_upload_and_convert_model(conformance_client: Client, workspace: int, name: str) -> None:
    version = upload_model(conformance_client, small_model(), name=name, workspace=workspace, file_name="small.onnx")
    assert version.file_name in {"small.onnx", UNSET}


@touches("upload_model")
def test_upload_model(conformance_client: Client, workspace: int, name: str) -> None:
    version = upload_model(conformance_client, small_model(), name=name, workspace=workspace, endpoint="upload")
    assert version.model_id in {name, UNSET}


@touches("upload_model_stream")
def test_upload_model_stream(conformance_client: Client, workspace: int, name: str) -> None:
    version = upload_model(conformance_client, small_model(), name=name, workspace=workspace, endpoint="upload_stream")
    assert version.model_id in {name, UNSET}


@touches("list_models")
def test_list_models(conformance_client: Client, workspace: int, version: ModelVersion, name: str) -> None:
    listed = run(conformance_client, models_steps(workspace))
    assert [model.id for model in listed if model.name == name] == [version.models_pk_id]


@touches("get_model_by_id")
def test_get_model_by_id(conformance_client: Client, version: ModelVersion, name: str) -> None:
    body = GetModelByIdRequest(id=version.models_pk_id)
    assert call(get_model_by_id, client=conformance_client, body=body).name == name


@touches("list_model_versions")
def test_list_model_versions(conformance_client: Client, version: ModelVersion, name: str) -> None:
    listed = call(list_model_versions, client=conformance_client, body=ListModelVersionsRequest(model_id=name))
    assert [(found.id, found.sha) for found in listed] == [(version.id, version.sha)]


@touches("get_model_config_by_id")
def test_get_model_config_by_id(conformance_client: Client, version: ModelVersion) -> None:
    body = GetModelConfigByIdRequest(model_id=version.id)
    answer = call(get_model_config_by_id, client=conformance_client, body=body)
    assert "model_config" in answer.to_dict()


@touches("get_model")
def test_get_model(conformance_client: Client, version: ModelVersion, name: str) -> None:
    model = call(get_model, client=conformance_client, body=GetModelRequest(id=version.models_pk_id))
    assert (model.name, [found.id for found in model.models]) == (name, [version.id])


@touches("get_model_version_by_id")
def test_get_model_version_by_id(conformance_client: Client, version: ModelVersion, name: str) -> None:
    body = GetModelVersionByIdRequest(model_version_id=version.id)
    found = call(get_model_version_by_id, client=conformance_client, body=body).model_version.model_version
    assert (found.name, found.file_info.version) == (name, version.model_version)


@touches("insert_model_config", "get_model_config_by_id")
def test_insert_model_config(conformance_client: Client, version: ModelVersion) -> None:
    body = InsertModelConfigRequest(model_version_id=version.id, tensor_fields=["tensor"])
    inserted = call(insert_model_config, client=conformance_client, body=body).to_dict()["model_config"]
    shown = call(get_model_config_by_id, client=conformance_client, body=GetModelConfigByIdRequest(model_id=version.id))
    config = shown.to_dict()["model_config"]
    assert (config["id"], config["tensor_fields"]) == (inserted["id"], ["tensor"])


@touches("get_model_upload_logs")
def test_get_model_upload_logs(conformance_client: Client, version: ModelVersion) -> None:
    body = GetModelUploadLogsRequest(model_version_id=version.id)
    assert call(get_model_upload_logs, client=conformance_client, body=body).logs == []


@touches("create_pipeline")
def test_create_pipeline(
    conformance_client: Client, workspace: int, pipeline: CreatePipelineResponse, name: str
) -> None:
    body = CreatePipelineRequest(pipeline_id=name, workspace_id=workspace, definition=PipelineDefinition())
    again = call(create_pipeline, client=conformance_client, body=body)
    assert again.pipeline_pk_id == pipeline.pipeline_pk_id
    assert again.pipeline_variant_pk_id != pipeline.pipeline_variant_pk_id


@touches("list_pipelines")
def test_list_pipelines(
    conformance_client: Client, workspace: int, pipeline: CreatePipelineResponse, name: str
) -> None:
    body = ListPipelinesRequest(workspace_id=workspace)
    listed = [found.pipeline for found in call(list_pipelines, client=conformance_client, body=body).pipelines]
    assert [found.id for found in listed if found.name == name] == [pipeline.pipeline_pk_id]


@touches("get_pipeline_by_name")
def test_get_pipeline_by_name(
    conformance_client: Client, workspace: int, pipeline: CreatePipelineResponse, name: str
) -> None:
    body = GetPipelineByNameRequest(pipeline_name=name, workspace_id=workspace)
    assert call(get_pipeline_by_name, client=conformance_client, body=body).pipeline.id == pipeline.pipeline_pk_id


@touches("get_pipeline_version")
def test_get_pipeline_version(conformance_client: Client, pipeline: CreatePipelineResponse, name: str) -> None:
    body = GetPipelineVersionRequest(version=str(pipeline.pipeline_variant_version))
    assert call(get_pipeline_version, client=conformance_client, body=body).pipeline_id == name


@touches("deploy_pipeline", "undeploy_pipeline")
def test_deploy_pipeline(
    conformance_client: Client,
    conformance_clock: Clock,
    pipeline: CreatePipelineResponse,
    version: ModelVersion,
    name: str,
) -> None:
    body = DeployPipelineRequest(
        deploy_id=name,
        pipeline_id=pipeline.pipeline_pk_id,
        pipeline_version_pk_id=pipeline.pipeline_variant_pk_id,
        model_ids=[version.id],
    )
    deployed = call(deploy_pipeline, client=conformance_client, body=body)
    try:
        wait_until_running(conformance_client, f"{name}-{deployed.id}", clock=conformance_clock)
        assert call(deploy_pipeline, client=conformance_client, body=body).id == deployed.id
    finally:
        ended = UndeployPipelineRequest(deployment_id=deployed.id, pipeline_id=pipeline.pipeline_pk_id)
        call(undeploy_pipeline, client=conformance_client, body=ended)


@touches("get_deployment_status")
def test_get_deployment_status(conformance_client: Client, deployment: Deployment) -> None:
    body = GetDeploymentStatusRequest(name=deployment.name)
    assert call(get_deployment_status, client=conformance_client, body=body).status == "Running"


@touches("get_pipeline_external_url")
def test_get_pipeline_external_url(conformance_client: Client, workspace: int, deployment: Deployment) -> None:
    body = GetPipelineExternalUrlRequest(workspace_id=workspace, pipeline_name=deployment.pipeline)
    url = call(get_pipeline_external_url, client=conformance_client, body=body).url
    table = infer(conformance_client, url, {INPUT: ROWS})
    assert outputs(table)[OUTPUT].ravel().tolist() == [scored(row) for row in ROWS]


@touches("infer_deployment")
def test_infer_deployment(conformance_client: Client, deployment: Deployment) -> None:
    answer = call(infer_deployment, deployment.name, client=conformance_client, body=records())
    assert [result.out or result.outputs for result in answer]


@touches("infer_pipeline")
def test_infer_pipeline(conformance_client: Client, deployment: Deployment) -> None:
    answer = call(infer_pipeline, deployment.name, deployment.pipeline, client=conformance_client, body=records())
    assert [result.out or result.outputs for result in answer]


def records() -> list[PandasRecordsItem]:
    """Return the rows as objects."""
    return [PandasRecordsItem.from_dict({INPUT: row}) for row in ROWS]


@touches("get_pipeline_logs")
@pytest.mark.counts_rows
def test_get_pipeline_logs(conformance_client: Client, watched: Watched) -> None:
    where = watched.deployment
    name = where.pipeline
    body = GetPipelineLogsRequest(workspace_id=where.workspace_id, pipeline_name=name, pipeline_id=name, order="Asc")
    rows = [row.to_dict() for row in call(get_pipeline_logs, client=conformance_client, body=body)]
    assert [row["out"][OUTPUT] for row in rows] == [[scored(row)] for row in [*ROWS, ROWS[0]]]


@touches("get_topic_name")
def test_get_topic_name(conformance_client: Client, pipeline: CreatePipelineResponse) -> None:
    by_id = GetTopicNameRequest(pipeline_pk_id=pipeline.pipeline_pk_id)
    assert call(get_topic_name, client=conformance_client, body=by_id).topic_name


@touches("get_topic_partitions")
@pytest.mark.counts_rows
def test_get_topic_partitions(conformance_client: Client, watched: Watched) -> None:
    named = GetTopicNameRequest(pipeline_pk_id=watched.deployment.pipeline_id)
    topic = call(get_topic_name, client=conformance_client, body=named).topic_name
    partitions = call(get_topic_partitions, topic, client=conformance_client).partitions.additional_properties
    assert sum(partition.end for partition in partitions.values()) == len(ROWS) + 1

    oldest = TopicPosition.from_dict(dict.fromkeys(partitions, 0))
    found = call(get_topic_records, topic, client=conformance_client, body=oldest)
    assert len(found.records) == len(ROWS) + 1
    behind = TopicPosition.from_dict({name: partition.end for name, partition in partitions.items()})
    assert call(get_topic_records, topic, client=conformance_client, body=behind).records == []


@touches("get_topic_records")
@pytest.mark.counts_rows
def test_get_topic_records(conformance_client: Client, watched: Watched) -> None:
    named = GetTopicNameRequest(pipeline_pk_id=watched.deployment.pipeline_id)
    topic = call(get_topic_name, client=conformance_client, body=named).topic_name
    found = call(get_topic_records, topic, client=conformance_client, body=TopicPosition())
    rows = [json.loads(record) for record in found.records]
    expected = [scored(row) for row in [*ROWS, ROWS[0]]]
    assert [number for row in rows for number in scores_of(row)] == pytest.approx(expected, rel=1e-4)
    assert (found.status, found.next_) == ("All", None)


@touches("undeploy_pipeline")
def test_undeploy_pipeline(conformance_client: Client, deployment: Deployment) -> None:
    undeploy(conformance_client, deployment)
    with pytest.raises(NotFoundError):
        infer(conformance_client, deployment, {INPUT: ROWS})


@touches("copy_pipeline")
def test_copy_pipeline(conformance_client: Client, workspace: int, pipeline: CreatePipelineResponse, name: str) -> None:
    body = CopyPipelineRequest(name=f"{name}-2", workspace_id=workspace, source_pipeline=pipeline.pipeline_pk_id)
    assert call(copy_pipeline, client=conformance_client, body=body).pipeline_pk_id != pipeline.pipeline_pk_id


@touches("list_features")
def test_list_features(conformance_client: Client) -> None:
    answer = call(list_features, client=conformance_client, body=ListFeaturesRequest())
    assert "features" in answer.to_dict()


@touches("create_assay", "list_assays")
def test_create_assay(conformance_client: Client, watched: Watched, assay: int) -> None:
    body = ListAssaysRequest(pipeline_id=watched.pipeline_id)
    listed = call(list_assays, client=conformance_client, body=body)
    assert [(found.id, found.active) for found in listed] == [(assay, True)]


@touches("set_assay_active", "list_assays")
def test_set_assay_active(conformance_client: Client, watched: Watched, assay: int) -> None:
    switched = call(set_assay_active, client=conformance_client, body=SetAssayActiveRequest(id=assay, active=False))
    assert (switched.id, switched.active) == (assay, False)
    body = ListAssaysRequest(pipeline_id=watched.pipeline_id)
    assert [found.active for found in call(list_assays, client=conformance_client, body=body)] == [False]


@touches("run_interactive_assay_baseline")
def test_run_interactive_assay_baseline(conformance_client: Client, watched: Watched) -> None:
    result = call(run_interactive_assay_baseline, client=conformance_client, body=watched.assay())
    assert (result.status, result.score) == ("BaselineRun", 0)


@touches("get_assay_baseline")
@pytest.mark.counts_rows
def test_get_assay_baseline(conformance_client: Client, watched: Watched) -> None:
    rows = [row.to_dict() for row in logged(conformance_client, watched)]
    assert [score for row in rows for score in scores_of(row)] == [scored(row) for row in ROWS]


@touches("run_interactive_assay")
def test_run_interactive_assay(conformance_client: Client, watched: Watched) -> None:
    [result] = call(run_interactive_assay, client=conformance_client, body=watched.assay())
    assert (result.status, result.score) == ("Ok", 0)


@touches("get_assay_results")
def test_get_assay_results(conformance_client: Client, watched: Watched, assay: int) -> None:
    body = GetAssayResultsRequest(assay_id=assay, start=moment(watched.start - 120 * SECOND), end=moment(watched.end))
    results = call(get_assay_results, client=conformance_client, body=body)
    assert all((result.assay_id, result.pipeline_id) == (assay, watched.pipeline_id) for result in results)


@touches("get_assay_results_between")
def test_get_assay_results_between(conformance_client: Client, watched: Watched, assay: int) -> None:
    body = GetAssayResultsBetweenRequest(
        assay_id=assay, start=moment(watched.start - 120 * SECOND), end=moment(watched.end)
    )
    results = call(get_assay_results_between, client=conformance_client, body=body)
    assert all((result.assay_id, result.pipeline_id) == (assay, watched.pipeline_id) for result in results)


@touches("summarize_assay_baseline")
def test_summarize_assay_baseline(conformance_client: Client, watched: Watched) -> None:
    request = {"summarizer": SUMMARIZER, "baseline": {"fixed_window": watched.window()}}
    body = SummarizeAssayBaselineRequest.from_dict(request)
    summary = call(summarize_assay_baseline, client=conformance_client, body=body)
    assert summary.count == len(logged(conformance_client, watched))


@touches("get_assay_v2", "get_next_assay_run_v2", "get_assay_results_v2")
def test_assays_of_the_second_version(conformance_client: Client, watched: Watched, assay: int) -> None:
    of = GetAssayV2Request(pipeline_name=watched.deployment.pipeline, workspace_id=watched.deployment.workspace_id)
    found = call(get_assay_v2, client=conformance_client, body=of)
    [listed] = found if isinstance(found, list) else [found]
    assert call(get_assay_v2, client=conformance_client, body=GetAssayV2Request(id=listed.id)) is not None
    run = call(get_next_assay_run_v2, client=conformance_client, body=GetNextAssayRunV2Request(assay_id=listed.id))
    assert {"last_run", "next_run"} <= run.to_dict().keys()
    answer = call(get_assay_results_v2, client=conformance_client, body=GetAssayResultsV2Request(id=listed.id))
    results = answer if isinstance(answer, list) else [answer]
    assert {result.assay_id for result in results} <= {listed.id}
    assert assay


@touches("get_assay_by_id")
def test_get_assay_by_id(conformance_client: Client, watched: Watched, assay: int) -> None:
    found = call(get_assay_by_id, client=conformance_client, body=GetAssayByIdRequest(id=assay))
    assert (found.id, found.pipeline_id) == (assay, watched.pipeline_id)


@touches("preview_assay_baseline_v2", "preview_assay_v2")
def test_preview_assay_v2(conformance_client: Client, watched: Watched) -> None:
    request = watched.second_version()
    body = PreviewAssayBaselineV2Request.from_dict(request)
    summaries = call(preview_assay_baseline_v2, client=conformance_client, body=body).to_dict()
    [summary] = summaries.values()
    assert summary["statistics"]["count"] == len(logged(conformance_client, watched))
    times = {"preview_start": moment(watched.end - 60 * SECOND), "preview_end": moment(watched.end)}
    preview = PreviewAssayV2Request.from_dict(
        request | watched.scheduling() | times | {"baseline": {"Summary": summaries}}
    )
    [result] = call(preview_assay_v2, client=conformance_client, body=preview)
    [compared] = result.to_dict()["scores"].values()
    assert compared["score"] == 0


@touches("schedule_assay_v2", "get_assay_v2_by_id", "set_assay_v2_active")
def test_schedule_assay_v2(conformance_client: Client, watched: Watched) -> None:
    named = {"name": watched.deployment.pipeline}
    body = ScheduleAssayV2Request.from_dict(named | watched.second_version() | watched.scheduling())
    made = call(schedule_assay_v2, client=conformance_client, body=body)
    found = call(get_assay_v2_by_id, client=conformance_client, body=GetAssayV2ByIdRequest(id=made))
    assert (found.id, found.active) == (made, True)
    call(set_assay_v2_active, client=conformance_client, body=SetAssayV2ActiveRequest(assay_id=made, active=False))
