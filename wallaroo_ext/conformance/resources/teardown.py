"""Ends what a run started on the instance, and lists all that is left, because no operation removes it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from wallaroo_mlops_client.api.assays import list_assays, set_assay_active
from wallaroo_mlops_client.api.pipelines import undeploy_pipeline
from wallaroo_mlops_client.api.users import deactivate_user, query_users
from wallaroo_mlops_client.api.workspaces import list_workspaces
from wallaroo_mlops_client.models import (
    DeactivateUserRequest,
    ListAssaysRequest,
    ListWorkspacesRequest,
    QueryUsersRequest,
    SetAssayActiveRequest,
    UndeployPipelineRequest,
)

from wallaroo_ext import call
from wallaroo_ext._util.json_values import list_of, object_of
from wallaroo_ext.conformance.guard.gateways import NoAnswerError
from wallaroo_ext.conformance.guard.owned_resources import Resource
from wallaroo_ext.conformance.guard.write_guard import WithheldError
from wallaroo_ext.conformance.results import LeftBehind
from wallaroo_ext.errors import WallarooError
from wallaroo_ext.operations import run
from wallaroo_ext.resources.models import ListedModel, models_steps

if TYPE_CHECKING:
    from collections.abc import Callable

    from wallaroo_mlops_client import Client

    from wallaroo_ext.conformance.guard.owned_resources import OwnedResources

_FAILURES = (
    WallarooError,
    WithheldError,
    NoAnswerError,
    AssertionError,
    LookupError,
    TypeError,
    ValueError,
    AttributeError,
)
"""The errors of a request that is refused, or whose answer breaks the contract."""
_PERMANENT = ("workspace", "model", "model version", "pipeline", "pipeline version", "assay", "user")
"""The kinds of things that no operation removes, in the order of the list."""
_ACTIVE = {"deployment", "assay", "user"}
"""The kinds of things that are ended."""
_UNKNOWN = "no answer told its id, so that it may not be there"
_INTERRUPTED = "it was not ended, as the run was interrupted once more"


def tear_down(client: Client, owned: OwnedResources) -> list[LeftBehind]:
    """End the deployments, assays and users of a run.

    Things that were made by requests whose answers were lost are found in the run's workspaces.

    Args:
        client: A client of the instance.
        owned: The things of the run.

    Returns:
        All things that are left of the run, with their states.
    """
    if not owned.things() and not owned.unsettled_requests():
        return []
    teardown = _Teardown(client, owned)
    for step in (teardown.find, teardown.end_deployments, teardown.end_assays, teardown.deactivate_users):
        try:
            step()
        except KeyboardInterrupt:
            break
    return teardown.left_behind()


class _Teardown:
    """Ends the things of a run, one kind after the other.

    Args:
        client: A client of the instance.
        owned: The things of the run.
    """

    def __init__(self, client: Client, owned: OwnedResources) -> None:
        self._client = client
        self._owned = owned
        self._states: dict[tuple[str, Any], str] = {}
        self._ended: set[tuple[str, Any]] = set()

    def find(self) -> None:
        """Find the things in the run's workspaces."""
        listed = self._attempt(
            lambda: call(list_workspaces, client=self._client, body=ListWorkspacesRequest()).to_dict()
        )
        for found in map(object_of, list_of(object_of(listed).get("workspaces"))):
            number, name = found.get("id"), found.get("name")
            is_named = isinstance(name, str) and self._owned.is_own_name(name)
            if is_named or number in self._owned.values_of("workspace id"):
                self._add(Resource("workspace", number, name if isinstance(name, str) else None))
                self._find_in_workspace(number, list_of(found.get("pipelines")))

    def _find_in_workspace(self, workspace_id: Any, pipelines: list[Any]) -> None:
        for number in pipelines:
            self._add(Resource("pipeline", number, None, workspace_id))
        models: list[ListedModel] = self._attempt(lambda: run(self._client, models_steps(workspace_id))) or []
        for model in models:
            self._add(Resource("model", model.id, model.name, workspace_id))

    def end_deployments(self) -> None:
        """Undeploy the deployments, and every pipeline if a request to deploy has an unknown result."""
        for deployment_id in self._owned.values_of("deployment id"):
            self._undeploy("deployment", deployment_id, UndeployPipelineRequest(deployment_id=deployment_id))
        if any("deployment" in effects.writes for effects, _ in self._owned.unsettled_requests()):
            for pipeline in self._owned.resources("pipeline"):
                if isinstance(pipeline.id, int):
                    self._undeploy("pipeline", pipeline.id, UndeployPipelineRequest(pipeline_id=pipeline.id))

    def _undeploy(self, kind: str, number: Any, body: UndeployPipelineRequest) -> None:
        self._end(kind, number, lambda: call(undeploy_pipeline, client=self._client, body=body), "")

    def end_assays(self) -> None:
        """Set the run's assays inactive, and all other assays of its pipelines."""
        active: dict[Any, bool] = {assay.id: True for assay in self._owned.resources("assay") if assay.id is not None}
        for pipeline in self._owned.resources("pipeline"):
            for assay in self._assays_of(pipeline):
                active[assay["id"]] = assay.get("active") is not False
                self._add(Resource("assay", assay["id"], assay.get("name"), pipeline.workspace))
        for number, is_active in active.items():
            if is_active:
                body = SetAssayActiveRequest(id=number, active=False)
                self._end(
                    "assay",
                    number,
                    lambda body=body: call(set_assay_active, client=self._client, body=body),
                    "inactive",
                )
            else:
                self._states["assay", number] = "inactive"
                self._ended.add(("assay", number))

    def _assays_of(self, pipeline: Resource) -> list[dict[str, Any]]:
        if not isinstance(pipeline.id, int):
            return []
        body = ListAssaysRequest(pipeline_id=pipeline.id)
        listed = self._attempt(lambda: [assay.to_dict() for assay in call(list_assays, client=self._client, body=body)])
        return [found for found in map(object_of, list_of(listed)) if self._belongs_to(pipeline, found)]

    def _belongs_to(self, pipeline: Resource, assay: dict[str, Any]) -> bool:
        """Return whether an assay belongs to a pipeline of the run: an instance may list others, too."""
        name = assay.get("name")
        is_named = isinstance(name, str) and self._owned.is_own_name(name)
        return assay["pipeline_id"] == pipeline.id if assay.get("pipeline_id") is not None else is_named

    def deactivate_users(self) -> None:
        """Deactivate the run's users."""
        emails: list[str] = self._owned.values_of("user email")
        if not emails:
            return
        listed = self._attempt(lambda: call(query_users, client=self._client, body=QueryUsersRequest()).to_dict())
        users = [object_of(user) for user in object_of(object_of(listed).get("users")).values()]
        for email in emails:
            user = next((user for user in users if email in (user.get("email"), user.get("username"))), None)
            made = any(found.name == email and found.id is not None for found in self._owned.resources("user"))
            if user is not None or made:
                self._deactivate(email, None if user is None else user.get("id"))

    def _deactivate(self, email: str, user_id: Any) -> None:
        self._add(Resource("user", user_id, email))
        number = next((found.id for found in self._owned.resources("user") if found.name == email), user_id)
        body = DeactivateUserRequest(email=email)
        self._end("user", number, lambda: call(deactivate_user, client=self._client, body=body), "deactivated")

    def left_behind(self) -> list[LeftBehind]:
        """Return all things that are left, by kind."""
        deployments = [
            thing for thing in self._owned.resources("deployment") if (thing.kind, thing.id) not in self._ended
        ]
        found = [thing for kind in _PERMANENT for thing in self._owned.resources(kind)]
        return [self._with_state(thing) for thing in [*deployments, *found]]

    def _with_state(self, thing: Resource) -> LeftBehind:
        state = self._states.get((thing.kind, thing.id))
        is_active = thing.kind in _ACTIVE and (thing.kind, thing.id) not in self._ended
        if state is None and thing.id is None:
            state = _UNKNOWN
        return LeftBehind(
            thing.kind, thing.id, thing.name, thing.workspace, state or (_INTERRUPTED if is_active else ""), is_active
        )

    def _add(self, resource: Resource) -> None:
        self._owned.add_resource(resource)
        self._owned.add(f"{resource.kind} id", resource.id)

    def _attempt(self, request: Callable[[], Any]) -> Any:
        """Return the answer to a request; None where it fails."""
        try:
            return request()
        except _FAILURES:
            return None

    def _end(self, kind: str, number: Any, action: Callable[[], object], state: str) -> None:
        try:
            action()
        except _FAILURES as error:
            self._states[kind, number] = f"it could not be ended: {error}"
        else:
            self._states[kind, number] = state
            self._ended.add((kind, number))
