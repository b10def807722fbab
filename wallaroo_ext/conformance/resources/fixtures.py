"""Makes what every run needs first: a workspace of its own, with a model, a running deployment, an assay and a user."""

from __future__ import annotations

import time
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Self, TypeVar, cast

import numpy as np
from wallaroo_mlops_client.api.assays import create_assay, get_assay_v2, list_assays, schedule_assay_v2
from wallaroo_mlops_client.api.inference import get_topic_name
from wallaroo_mlops_client.api.models import get_model_config_by_id
from wallaroo_mlops_client.api.pipelines import create_pipeline
from wallaroo_mlops_client.api.users import invite_user, query_users
from wallaroo_mlops_client.api.workspaces import create_workspace, list_workspaces
from wallaroo_mlops_client.models import (
    AssayRequest,
    CreatePipelineRequest,
    CreateWorkspaceRequest,
    GetAssayV2Request,
    GetModelConfigByIdRequest,
    GetTopicNameRequest,
    InviteUserRequest,
    ListAssaysRequest,
    ListWorkspacesRequest,
    PipelineDefinition,
    QueryUsersRequest,
    ScheduleAssayV2Request,
)

from wallaroo_ext import call, contract, deploy_pipeline, infer, upload_model
from wallaroo_ext._util.json_values import list_of, object_of
from wallaroo_ext.conformance.guard.effects import split_thing
from wallaroo_ext.conformance.guard.gateways import MOST_RUNS, NoAnswerError
from wallaroo_ext.conformance.guard.owned_resources import DOMAIN, Resource
from wallaroo_ext.conformance.guard.write_guard import WithheldError
from wallaroo_ext.conformance.resources.samples import INPUT, OUTPUT, WIDTH, model_file
from wallaroo_ext.errors import InvalidRequestError, WallarooError
from wallaroo_ext.operations import run
from wallaroo_ext.resources.models import models_steps, versions_steps

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import pyarrow as pa
    from wallaroo_mlops_client import Client
    from wallaroo_mlops_client.models import ModelVersion

    from wallaroo_ext.conformance.guard.effects import Effects
    from wallaroo_ext.conformance.guard.owned_resources import OwnedResources
    from wallaroo_ext.deployments.deployment import Deployment

T = TypeVar("T")

PASSWORD = "A-password-0f-the-suite"  # noqa: S105 - of users that the suite makes and deactivates
_SCORED_ROWS = 20
_LONGEST_RUN = timedelta(hours=2)
"""The time after which an assay ends by itself, in case nobody could set it inactive."""


@dataclass(frozen=True, slots=True)
class Forms:
    """The forms of requests in which releases differ, as a contract has them.

    Attributes:
        converts: Whether models are uploaded to be converted; if not, they are only stored.
        has_second_assays: Whether there is the second version of the assays.
        fixed_baselines: Whether the baseline of an assay has to be the inferences of a fixed time, as before 2023.4.
    """

    converts: bool = True
    has_second_assays: bool = True
    fixed_baselines: bool = False

    @classmethod
    def of(cls, document: dict[str, Any]) -> Self:
        """Return the forms of a contract."""
        schemas = object_of(object_of(document.get("components")).get("schemas"))
        baseline = object_of(object_of(object_of(schemas.get("AssayRequest")).get("properties")).get("baseline"))
        forms = {str(object_of(form).get("$ref")).rpartition("/")[2] for form in list_of(baseline.get("anyOf"))}
        operations = {operation["operationId"] for _, _, operation in contract.operations(document)}
        return cls(
            converts="upload_and_convert_model" in operations,
            has_second_assays="get_assay_v2" in operations,
            fixed_baselines="CalculatedAssayBaselineRequest" not in forms,
        )


@dataclass(slots=True)
class Fixtures:
    """The things that a run made first. None stands for what may not be made, or could not be found.

    Attributes:
        workspace_id: The run's workspace.
        workspace_name: Its name.
        name: The name of its pipeline and its deployment.
        pipeline_id: The pipeline's id.
        topic: The topic with the rows that it scored.
        model: Its model's version, as `models` of a deployment: name, version and sha.
        model_id: The model's id.
        version_id: The id of the model's version.
        config_id: The id of the version's configuration.
        deployment: Its deployment, which runs until the end.
        spare: A second pipeline that is deployed, to be deployed, copied and undeployed.
        assay_id: Its assay.
        assay_name: The assay's name.
        pipeline_version_uuid: The UUID of a version of a pipeline of its own.
        assay_uuid: The assay's UUID, by which the second version of the assays names it.
        email: The user that it invited.
        user_id: The user's id.
        scored_at: When its first rows were scored, by the instance's clock.
        rows_ahead: How far that clock is ahead of this machine's, in seconds.
        expendable: Further things, for operations that may change the things that they name, by kind and key.
        withheld: Why some things are missing; empty where there are all.
        refused: The error of the last thing, an assay, where the instance refused it; all else is there then.
        forms: The forms of requests.
    """

    workspace_id: int | None = None
    workspace_name: str | None = None
    name: str | None = None
    pipeline_id: int | None = None
    topic: str | None = None
    model: dict[str, str] | None = None
    model_id: int | None = None
    version_id: int | None = None
    config_id: int | None = None
    deployment: Deployment | None = None
    spare: Deployment | None = None
    assay_id: int | None = None
    assay_name: str | None = None
    pipeline_version_uuid: str | None = None
    assay_uuid: str | None = None
    email: str | None = None
    user_id: str | None = None
    scored_at: datetime | None = None
    rows_ahead: float | None = None
    expendable: dict[str, Any] = field(default_factory=dict[str, Any])
    withheld: str = ""
    refused: WallarooError | None = None
    forms: Forms = field(default_factory=Forms)

    def things_for(self, effects: Effects) -> dict[str, list[Any]]:
        """Return the values that an operation's fields can name, by kind and key, such as `workspace id`.

        An operation that may change the things that it names gets things that nothing else needs.
        """
        found = self._things(self.deployment, self.pipeline_id)
        if {"pipeline", "deployment"}.intersection(effects.writes):
            found |= self._things(self.spare, None if self.spare is None else self.spare.pipeline_id)
        for thing, value in self.expendable.items():
            if split_thing(thing)[0] in effects.writes:
                found[thing] = value
        return {thing: [value] for thing, value in found.items() if value is not None}

    def spared_by(self, effects: Effects) -> dict[str, Any]:
        """Return what an operation may not name, by kind and key: it may change it, and the rest of the run needs it.

        For such an operation there are things that nothing else needs (see `things_for`).
        """
        given, needed = self.things_for(effects), self._things(self.deployment, self.pipeline_id)
        return {thing: value for thing, value in needed.items() if value is not None and given.get(thing) != [value]}

    def _things(self, deployment: Deployment | None, pipeline_id: int | None) -> dict[str, Any]:
        model = self.model or {}
        return {
            "workspace id": self.workspace_id,
            "workspace name": self.workspace_name,
            "model id": self.model_id,
            "model name": model.get("name"),
            "model version id": self.version_id,
            "model version uuid": model.get("version"),
            "model version sha": model.get("sha"),
            "model configuration id": self.config_id,
            "pipeline id": pipeline_id,
            "pipeline name": self.name if deployment is None else deployment.pipeline,
            "pipeline topic": self.topic,
            "pipeline version id": None if deployment is None else deployment.pipeline_version_id,
            "pipeline version uuid": self.pipeline_version_uuid,
            "deployment id": None if deployment is None else deployment.id,
            "deployment name": None if deployment is None else deployment.name,
            "assay id": self.assay_id,
            "assay uuid": self.assay_uuid,
            "user id": self.user_id,
            "user email": self.email,
        }


class _Required:
    """The things of a run, of which each that is asked for has to be there."""

    def __init__(self, fixtures: Fixtures) -> None:
        self._fixtures = fixtures

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._fixtures, name)
        if found is None:
            raise WithheldError(f"It needs the run's `{name}`, which is not there: {self._fixtures.withheld}")
        return found


def required(fixtures: Fixtures) -> Fixtures:
    """Return the things of a run in a form whose missing ones raise `WithheldError`, for tests that need them."""
    return cast("Fixtures", _Required(fixtures))


def changed_by_name(effects: Mapping[str, Effects]) -> frozenset[str]:
    """Return the kinds of things that an operation both names and may change."""
    return frozenset(
        kind
        for found in effects.values()
        for name in found.names
        if name.origin == "existing" and (kind := split_thing(name.thing)[0]) in found.writes
    )


def make_fixtures(
    client: Client,
    owned: OwnedResources,
    *,
    user_changes: bool,
    expendable: frozenset[str] = frozenset(),
    forms: Forms | None = None,
) -> Fixtures:
    """Make the things that a run needs first.

    Args:
        client: A client of the instance.
        owned: The things of the run, with the prefix of their names.
        user_changes: Whether a user may be invited.
        expendable: The kinds of things of which a second one is needed, because operations may change it.
        forms: The forms of requests; None for those of the contract without an overlay.

    Returns:
        The things; some are missing where the run may not send a request.

    Raises:
        WallarooError: The instance refused a request.
    """
    fixtures = Fixtures(forms=forms or Forms())
    steps: list[Callable[[], None]] = [
        lambda: _note_existing(client, owned),
        lambda: _make_workspaces(client, owned, fixtures, expendable),
        lambda: _make_user(client, owned, fixtures, expendable) if user_changes else None,
        lambda: _make_deployments(client, owned, fixtures, expendable),
        lambda: _make_assays(client, owned, fixtures, expendable),
    ]
    for step in steps:
        try:
            step()
        except WithheldError as error:
            fixtures.withheld = fixtures.withheld or str(error)
    return fixtures


def _note_existing(client: Client, owned: OwnedResources) -> None:
    """Note the ids of others' things: a faulty instance may answer with one of them instead of making a thing.

    A failure to list them is not an error here: the tests of the operation find it.
    """
    with suppress(WallarooError, WithheldError, NoAnswerError):
        for workspace in call(list_workspaces, client=client, body=ListWorkspacesRequest()).workspaces:
            owned.note_existing("workspace id", workspace.id)
            for kind in ("model", "pipeline"):
                for number in list_of(workspace.to_dict().get(f"{kind}s")):
                    owned.note_existing(f"{kind} id", number)
    with suppress(WallarooError, WithheldError, NoAnswerError):
        for user_id in call(query_users, client=client, body=QueryUsersRequest()).users.additional_properties:
            owned.note_existing("user id", user_id)


def made(make: Callable[[str], T], name: str) -> T:
    """Return what was made under a name, or under another one where no answer tells whether it was made.

    Args:
        make: Makes it under a name.
        name: The first name to try.

    Raises:
        NoAnswerError: No answer came, whatever the name was.
    """
    for number in range(1, MOST_RUNS):
        try:
            return make(name if number == 1 else f"{name}-{number}")
        except NoAnswerError as error:
            if not error.may_be_repeated:
                raise
    return make(f"{name}-{MOST_RUNS}")


def _make_workspaces(client: Client, owned: OwnedResources, fixtures: Fixtures, expendable: frozenset[str]) -> None:
    def workspace(name: str) -> tuple[int, str]:
        return call(
            create_workspace, client=client, body=CreateWorkspaceRequest(workspace_name=name)
        ).workspace_id, name

    fixtures.workspace_id, fixtures.workspace_name = made(workspace, f"{owned.prefix}-w")
    if "workspace" in expendable:
        number, name = made(workspace, f"{owned.prefix}-x")
        fixtures.expendable |= {"workspace id": number, "workspace name": name}


def _make_user(client: Client, owned: OwnedResources, fixtures: Fixtures, expendable: frozenset[str]) -> None:
    def user(name: str) -> tuple[str, str]:
        email = f"{name}{DOMAIN}"
        return email, call(invite_user, client=client, body=InviteUserRequest(email=email, password=PASSWORD)).id

    fixtures.email, fixtures.user_id = made(user, f"{owned.prefix}-u")
    if "user" in expendable:
        email, user_id = made(user, f"{owned.prefix}-x")
        fixtures.expendable |= {"user email": email, "user id": user_id}


def _make_deployments(client: Client, owned: OwnedResources, fixtures: Fixtures, expendable: frozenset[str]) -> None:
    """Upload a model, deploy it twice, and score rows with one of the deployments."""
    if fixtures.workspace_id is None:
        return
    prefix = owned.prefix
    version, name = made(lambda name: (_upload(client, model_file(), name, fixtures), name), f"{prefix}-m")
    owned.add_resource(Resource("model", version.models_pk_id, name, fixtures.workspace_id))
    fixtures.model = {"name": name, "version": version.model_version, "sha": version.sha}
    fixtures.model_id, fixtures.version_id = version.models_pk_id, version.id
    if {"model", "model version"}.intersection(expendable):
        _upload_expendable(client, owned, fixtures)
    fixtures.spare = made(lambda name: deploy_pipeline(client, name, version), f"{prefix}-s")
    fixtures.deployment = made(lambda name: deploy_pipeline(client, name, version), f"{prefix}-p")
    fixtures.name, fixtures.pipeline_id = fixtures.deployment.pipeline, fixtures.deployment.pipeline_id
    fixtures.config_id = _configuration(client, version.id)
    fixtures.topic = _topic(client, fixtures.pipeline_id)
    fixtures.pipeline_version_uuid = made(lambda name: _pipeline_version(client, fixtures, name), f"{prefix}-v")
    rows = np.random.default_rng(1).normal(size=(_SCORED_ROWS, WIDTH)).astype(np.float32)
    scored_at = _time_of(infer(client, fixtures.deployment, {INPUT: rows}))
    fixtures.scored_at, fixtures.rows_ahead = scored_at, scored_at.timestamp() - time.time()


def _upload(client: Client, content: bytes, name: str, fixtures: Fixtures) -> ModelVersion:
    assert fixtures.workspace_id is not None  # noqa: S101 - callers have made it
    endpoint = "upload_and_convert" if fixtures.forms.converts else "upload"
    return upload_model(client, content, name=name, workspace=fixtures.workspace_id, endpoint=endpoint)


def _upload_expendable(client: Client, owned: OwnedResources, fixtures: Fixtures) -> None:
    version, name = made(lambda name: (_upload(client, model_file(seed=2), name, fixtures), name), f"{owned.prefix}-x")
    fixtures.expendable |= {
        "model id": version.models_pk_id,
        "model name": name,
        "model version id": version.id,
        "model version uuid": version.model_version,
        "model version sha": version.sha,
    }


def _configuration(client: Client, version_id: int) -> int | None:
    """Return the id of a deployed version's configuration; None where the instance has none."""
    body = GetModelConfigByIdRequest(model_id=version_id)
    found: Any = call(get_model_config_by_id, client=client, body=body).to_dict().get("model_config")
    return None if found is None else found["id"]


def _pipeline_version(client: Client, fixtures: Fixtures, name: str) -> str | None:
    """Make a pipeline without steps, and return the UUID of its version; None where the instance does not tell it."""
    assert fixtures.workspace_id is not None  # noqa: S101 - callers have made it
    body = CreatePipelineRequest(pipeline_id=name, workspace_id=fixtures.workspace_id, definition=PipelineDefinition())
    return call(create_pipeline, client=client, body=body).to_dict().get("pipeline_variant_version")


def _topic(client: Client, pipeline_id: int | None) -> str | None:
    """Return the topic of a pipeline; None where the instance does not tell it: the tests of the operation find it."""
    if pipeline_id is not None:
        with suppress(WallarooError, NoAnswerError):
            body = GetTopicNameRequest(pipeline_pk_id=pipeline_id)
            return call(get_topic_name, client=client, body=body).topic_name
    return None


def _make_assays(client: Client, owned: OwnedResources, fixtures: Fixtures, expendable: frozenset[str]) -> None:
    if fixtures.scored_at is None:
        return

    def assay(name: str) -> int:
        body = AssayRequest.from_dict(assay_request(fixtures, name=name))
        return call(create_assay, client=client, body=body).assay_id

    name = fixtures.name or ""
    try:
        fixtures.assay_id, fixtures.assay_name = made(lambda name: (assay(name), name), name)
    except InvalidRequestError as error:
        fixtures.refused = error
        return
    if fixtures.forms.has_second_assays:
        fixtures.assay_uuid = _uuid_of_assay(client, fixtures, fixtures.assay_name)
    if "assay" in expendable:
        fixtures.expendable["assay id"] = made(assay, f"{name}-x")
        if fixtures.forms.has_second_assays:
            fixtures.expendable["assay uuid"] = made(lambda name: _schedule(client, owned, fixtures, name), f"{name}-y")


def _schedule(client: Client, owned: OwnedResources, fixtures: Fixtures, name: str) -> str:
    """Make an assay of the second version, note its id, and return its UUID, which is all that its answer tells."""
    body = ScheduleAssayV2Request.from_dict({"name": name} | second_assay_request(fixtures))
    made = call(schedule_assay_v2, client=client, body=body)
    of_pipeline = ListAssaysRequest(pipeline_id=fixtures.pipeline_id or 0)
    for assay in call(list_assays, client=client, body=of_pipeline):
        if assay.name == name:
            owned.add_resource(Resource("assay", assay.id, name, fixtures.workspace_id))
    return made


def _uuid_of_assay(client: Client, fixtures: Fixtures, name: str | None) -> str | None:
    """Return the UUID of the assay of a name in the run's workspace; None where the instance does not tell it."""
    found = call(get_assay_v2, client=client, body=GetAssayV2Request(workspace_id=fixtures.workspace_id))
    listed = found if isinstance(found, list) else [found]
    return next((str(assay.id) for assay in listed if assay.name == name), None)


def _time_of(scored: pa.Table) -> datetime:
    """Return the time when rows were scored, by the instance's clock."""
    import pyarrow as pa
    import pyarrow.compute as pc

    milliseconds: Any = cast("Any", pc).min(scored.column("time").cast(pa.int64()))
    return datetime.fromtimestamp(milliseconds.as_py() / 1000, UTC)


def assay_request(fixtures: Fixtures, **changes: Any) -> dict[str, Any]:
    """Return a request for an assay of the deployment's output, whose baseline is its first rows.

    Args:
        fixtures: The things of the run; the deployment has scored rows.
        **changes: Other values of fields.
    """
    assert fixtures.scored_at is not None, "an assay needs rows"  # noqa: S101 - callers have scored some
    start, end = (fixtures.scored_at + timedelta(milliseconds=ms) for ms in (-500, 500))
    forms = _fixed_time if fixtures.forms.fixed_baselines else _fixed_window
    summarizer = {"type": "UnivariateContinuous", "bin_mode": "Quantile", "aggregation": "Density", "metric": "PSI"}
    return {
        "name": fixtures.assay_name or fixtures.name,
        "pipeline_id": fixtures.pipeline_id,
        "pipeline_name": fixtures.name,
        "workspace_id": fixtures.workspace_id,
        "active": True,
        "status": "active",
        "summarizer": summarizer | {"num_bins": 5, "add_outlier_edges": True},
        "warning_threshold": 0.0,
        "alert_threshold": 0.1,
        "run_until": (fixtures.scored_at + _LONGEST_RUN).isoformat(),
        **forms(fixtures, start.isoformat(), end.isoformat()),
    } | changes


def _fixed_time(fixtures: Fixtures, start: str, end: str) -> dict[str, Any]:
    """Return the baseline and the window of an assay in the form before 2023.4."""
    of = {"pipeline": fixtures.name, "model": (fixtures.model or {}).get("name")}
    return {
        "iopath": f"output {OUTPUT} 0",
        "baseline": {"Fixed": of | {"start_at": start, "end_at": end}},
        "window": of | {"width": "1 second", "start": None, "interval": None},
    }


def _fixed_window(fixtures: Fixtures, start: str, end: str) -> dict[str, Any]:
    """Return the baseline and the window of an assay in the form since 2023.4; both windows have the same width."""
    window = {"path": f"output {OUTPUT} 0", "pipeline_name": fixtures.name, "workspace_id": fixtures.workspace_id}
    window |= {"model_name": (fixtures.model or {}).get("name"), "width": "1 second", "interval": None, "locations": []}
    return {"baseline": {"calculated": {"fixed_window": window | {"start": start}}}, "window": window | {"start": end}}


def second_assay_request(fixtures: Fixtures) -> dict[str, Any]:
    """Return a request, without a name, for an assay of the second version that watches what `assay_request` does."""
    assert fixtures.scored_at is not None, "an assay needs rows"  # noqa: S101 - callers have scored some
    start, end = (
        (fixtures.scored_at + timedelta(milliseconds=ms)).isoformat(timespec="milliseconds") for ms in (-500, 500)
    )
    watched = {"field": f"out.{OUTPUT}", "indexes": [0], "thresholds": {"warning": None, "alert": 0.25}}
    origin = {
        "pipeline_id": fixtures.pipeline_id,
        "pipeline_name": fixtures.name,
        "workspace_id": fixtures.workspace_id,
        "workspace_name": fixtures.workspace_name,
        "model_id": (fixtures.model or {}).get("name"),
    }
    way = {"aggregation": "Density", "bin_mode": {"Quantile": 5}, "metric": "PSI", "bin_weights": None}
    frequency = {"SimpleRunFrequency": {"quantity": 1, "unit": "Minute"}}
    return {
        "baseline": {"Static": [start, end]},
        "scheduling": {"first_run": end, "end": None, "run_frequency": frequency},
        "summarizer": {"UnivariateContinuous": way},
        "targeting": {"data_origin": origin, "iopath": [watched]},
        "window": {"width": {"seconds": 1}},
    }


def find_fixtures(client: Client) -> Fixtures:
    """Return things that are there to be read, for an instance where nothing may be made; pipelines have no names.

    Args:
        client: A client of the instance.
    """
    fixtures = Fixtures()
    try:
        _find_workspaces(client, fixtures)
        fixtures.topic = _topic(client, fixtures.pipeline_id)
    except WithheldError as error:
        fixtures.withheld = str(error)
    return fixtures


def _find_workspaces(client: Client, fixtures: Fixtures) -> None:
    for workspace in call(list_workspaces, client=client, body=ListWorkspacesRequest()).workspaces:
        fixtures.workspace_id = fixtures.workspace_id or workspace.id
        _find_model(client, fixtures, workspace.id)
        for pipeline_id in list_of(workspace.to_dict().get("pipelines")):
            _find_assay(client, fixtures, pipeline_id)


def _find_model(client: Client, fixtures: Fixtures, workspace_id: int) -> None:
    if fixtures.model_id is not None:
        return
    for model in run(client, models_steps(workspace_id)):
        for version in run(client, versions_steps(model)):
            fixtures.workspace_id, fixtures.model_id, fixtures.version_id = workspace_id, model.id, version.id
            fixtures.model = {"name": model.name, "version": version.model_version, "sha": version.sha}
            return


def _find_assay(client: Client, fixtures: Fixtures, pipeline_id: int) -> None:
    if fixtures.assay_id is not None:
        return
    fixtures.pipeline_id = pipeline_id
    for assay in call(list_assays, client=client, body=ListAssaysRequest(pipeline_id=pipeline_id)):
        fixtures.assay_id = assay.id
        return
