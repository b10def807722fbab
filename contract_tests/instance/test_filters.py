"""Do the fields by which lists are narrowed let through what they name, and nothing else?"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from wallaroo_ext._util.json_values import list_of, object_of
from wallaroo_ext.conformance.guard.owned_resources import NOBODYS
from wallaroo_ext.conformance.resources.fixtures import assay_request, second_assay_request
from wallaroo_ext.conformance.resources.samples import model_file
from wallaroo_ext.conformance.testing.api_calls import UPLOADS
from wallaroo_ext.conformance.testing.inference.scoring import uploaded

if TYPE_CHECKING:
    from wallaroo_ext.conformance.resources.fixtures import Fixtures
    from wallaroo_ext.conformance.suite import Suite
    from wallaroo_ext.conformance.testing.api_calls import Api

pytestmark = pytest.mark.thorough("lists that are narrowed")


LOGS = "get_pipeline_logs"


@dataclass(frozen=True, slots=True)
class Place:
    """A workspace with a pipeline.

    Attributes:
        workspace_id: The workspace's id.
        workspace_name: Its name.
        pipeline_id: The pipeline's id.
        pipeline_name: Its name.
        model_name: The name of its model.
    """

    workspace_id: int
    workspace_name: str
    pipeline_id: int
    pipeline_name: str
    model_name: str

    def request(self, of_run: dict[str, Any]) -> dict[str, Any]:
        """Return the request of an assay of the run as one of this place."""
        own = {name: getattr(self, name) for name in self.__slots__} | {"model_id": self.model_name}
        own |= {"pipeline": self.pipeline_name, "model": self.model_name}
        return _with(of_run, own)


def _with(value: Any, own: dict[str, Any]) -> Any:
    """Return a value in which fields of some names have other values, where these are of the same kind."""
    if isinstance(value, list):
        return [_with(inner, own) for inner in list_of(value)]
    if not isinstance(value, dict):
        return value
    return {
        name: own[name] if name in own and isinstance(inner, type(own[name])) else _with(inner, own)
        for name, inner in object_of(value).items()
    }


@pytest.fixture(scope="module")
def places() -> list[Place]:
    """Return a list for the place that the first test makes."""
    return []


@pytest.fixture
def other(api: Api, fixtures: Fixtures, places: list[Place]) -> Place:  # noqa: ARG001 - the run's own are made first
    """Return a workspace beside the run's, with a pipeline."""
    if not places:
        name, model = api.unused_name("p"), api.unused_name("m")
        workspace = api.unused_name("w")
        number = api.call("create_workspace", {"workspace_name": workspace})["workspace_id"]
        version = uploaded(api, model, model_file(seed=301), number)
        steps = {"steps": [{"ModelInference": {"models": [version]}}]}
        body = {"pipeline_id": name, "workspace_id": number, "definition": steps}
        places.append(Place(number, workspace, api.call("create_pipeline", body)["pipeline_pk_id"], name, model))
    return places[0]


def own_place(fixtures: Fixtures) -> Place:
    """Return the run's workspace and pipeline."""
    model = (fixtures.model or {})["name"]
    ids = fixtures.workspace_id or 0, fixtures.workspace_name or "", fixtures.pipeline_id or 0
    return Place(*ids, fixtures.name or "", model)


def ids_of(answer: Any, key: str = "id") -> set[Any]:
    """Return the ids in an answer, which is a list, or one thing."""
    return {each[key] for each in (list_of(answer) or [object_of(answer)] if answer else [])}


@pytest.mark.touches("list_pipelines", "create_pipeline", "create_workspace", "list_workspaces", "get_pipeline_by_name")
def test_pipelines_of_a_workspace(api: Api, fixtures: Fixtures, other: Place) -> None:
    own = own_place(fixtures)
    of_all = {each["pipeline"]["id"]: each for each in api.call("list_pipelines", {})["pipelines"]}
    workspaces = {each["id"]: each for each in api.call("list_workspaces", {})["workspaces"]}
    for here, there in ((own, other), (other, own)):
        by_id, by_name = {"workspace_id": here.workspace_id}, {"workspace_name": here.workspace_name}
        nulls = dict.fromkeys(by_id | by_name)
        for body in (by_id, by_name, nulls | by_id, nulls | by_name, by_id | by_name):
            listed = {each["pipeline"]["id"]: each for each in api.call("list_pipelines", body)["pipelines"]}
            assert here.pipeline_id in listed, f"{body} leaves out a pipeline of the workspace"
            assert there.pipeline_id not in listed, f"{body} lets a pipeline of another workspace through"
            shown = listed[here.pipeline_id]
            assert shown == of_all[here.pipeline_id], f"a pipeline is listed otherwise by {body}"
        of_nobody = api.send("list_pipelines", nulls | {"workspace_id": NOBODYS})
        assert not of_nobody.is_success or not of_nobody.json()["pipelines"], "what is not there has pipelines"
        both = api.send("list_pipelines", by_id | {"workspace_name": there.workspace_name})
        assert not both.is_success or not both.json()["pipelines"], "one of the two fields is ignored"
        named = api.call("get_pipeline_by_name", by_id | {"pipeline_name": here.pipeline_name})
        assert {part: shown[part] for part in named if part in shown} == named, "it is listed otherwise than found"
        kept = workspaces[here.workspace_id]
        for field in shown["workspace"].keys() & {"id", "name", "archived", "created_at"} & kept.keys():
            assert shown["workspace"][field] == kept[field], f"a pipeline's workspace has another {field}"


def made_beside(api: Api, fixtures: Fixtures, other: Place, operation: str) -> tuple[str, Any]:
    """Return the name of a new inactive assay in the other place, and the answer; skip where it is refused."""
    request = assay_request(fixtures) if operation == "create_assay" else second_assay_request(fixtures)
    body = other.request(request) | {"name": f"{api.unused_name('a')}-{'long-' * 60}"}
    if operation == "create_assay":
        body["active"] = False
    answer = api.send(operation, body)
    if not answer.is_success:
        pytest.skip("This instance makes no assay of a pipeline without inferences.")
    return body["name"], answer.json()


def with_more(api: Api, fixtures: Fixtures, place: Place) -> None:
    """Give a place a second member and its pipeline a second version, so that a careless join has its things twice."""
    body: dict[str, Any] = {"pipeline_id": place.pipeline_name, "workspace_id": place.workspace_id}
    api.call("create_pipeline", body | {"definition": {}})
    if fixtures.email is not None:
        api.send("add_workspace_user", {"workspace_id": place.workspace_id, "email": fixtures.email})


@pytest.mark.touches(
    "list_assays", "create_assay", if_there=("get_assay_by_id", "create_pipeline", "add_workspace_user")
)
def test_assays_of_a_workspace(api: Api, conformance_suite: Suite, fixtures: Fixtures, other: Place) -> None:
    name, made = made_beside(api, fixtures, other, "create_assay")
    there, own = made["assay_id"], own_place(fixtures)
    [listed] = api.call("list_assays", {"pipeline_id": other.pipeline_id})
    assert (listed["name"], listed["pipeline_name"]) == (name, other.pipeline_name)
    for field in ("workspace_id", "workspace_name"):
        assert listed.get(field) in {None, getattr(other, field)}, "it is shown in another workspace"
    with_more(api, fixtures, other)
    assert api.call("list_assays", {"pipeline_id": other.pipeline_id}) == [listed], "it is listed otherwise, or twice"
    assert ids_of(api.call("list_assays", {"pipeline_id": other.pipeline_id})) == {there}
    assert there not in ids_of(api.call("list_assays", {"pipeline_id": own.pipeline_id}))
    content = conformance_suite.rules.request_content("list_assays")["application/json"]
    schema = conformance_suite.rules.schemas.resolve(content["schema"])
    takes_places = "pipeline_id" not in schema.get("required", ())
    for body in ({}, {"workspace_id": None, "workspace_name": None}) if takes_places else ():
        everywhere = [each["id"] for each in api.call("list_assays", body)]
        assert (everywhere.count(there), everywhere.count(fixtures.assay_id)) == (1, 1), "all are listed, and once"
    for field in ("workspace_id", "workspace_name") if takes_places else ():
        here = [each["id"] for each in api.call("list_assays", {field: getattr(other, field)})]
        assert here == [there], f"{field}: {here} in place of {there}"
        both = api.send("list_assays", {"pipeline_id": own.pipeline_id, field: getattr(other, field)})
        assert not both.is_success or not ids_of(both.json()), f"{field} is ignored beside the pipeline"
        beside = ids_of(api.call("list_assays", {field: getattr(own, field)}))
        assert fixtures.assay_id in beside
        assert there not in beside, f"{field} lets an assay of another workspace through"
        if api.has("get_assay_by_id"):
            found = api.call("get_assay_by_id", {"id": there, field: getattr(other, field)})
            assert found == found | listed, "it is found otherwise than it is listed"
            api.call_refused("get_assay_by_id", {"id": there, field: getattr(own, field)})


@pytest.mark.touches(
    "get_assay_v2",
    "schedule_assay_v2",
    "set_assay_v2_active",
    if_there=("get_assay_v2_by_id", "create_pipeline", "add_workspace_user"),
)
def test_assays_of_the_second_version(api: Api, fixtures: Fixtures, other: Place) -> None:
    name, there = made_beside(api, fixtures, other, "schedule_assay_v2")
    shown = api.first(api.call("get_assay_v2", {"id": there}))
    if api.has("get_assay_v2_by_id"):
        assert api.call("get_assay_v2_by_id", {"id": there}) == shown
    assert shown["name"] == name
    origin = object_of(shown["targeting"]["data_origin"])
    for field in ("workspace_id", "workspace_name", "pipeline_id", "pipeline_name"):
        assert origin[field] == getattr(other, field), "it is shown in another place"
    with_more(api, fixtures, other)
    listed = list_of(api.call("get_assay_v2", {"workspace_id": other.workspace_id}))
    assert [each["id"] for each in listed].count(there) <= 1, "it is listed twice"
    own = own_place(fixtures)
    for active in (True, False):
        api.call("set_assay_v2_active", {"assay_id": there, "active": active})
        for chosen, is_listed in (("All", True), ("ActiveOnly", active), ("InactiveOnly", not active)):
            for more in ({}, {"pipeline_name": other.pipeline_name}):
                body = {"workspace_id": other.workspace_id, "active": chosen} | more
                answer = api.send("get_assay_v2", body)
                found: set[Any] = ids_of(answer.json()) if answer.is_success else set()
                assert (there in found) is is_listed, f"{body} while the assay's active is {active}"
    for field in ("workspace_id", "pipeline_name"):
        where = {} if field == "workspace_id" else {"workspace_id": other.workspace_id}
        assert there in ids_of(api.call("get_assay_v2", where | {field: getattr(other, field)}))
        beside = api.send("get_assay_v2", {field: getattr(own, field)})
        assert beside.is_success
        assert there not in ids_of(beside.json()), f"{field} lets an assay of another place through"


@pytest.mark.touches(
    "get_topic_name", "create_pipeline", "create_workspace", if_there=("get_pipeline_by_name", "list_pipelines")
)
def test_topics_of_pipelines_of_one_name(api: Api, fixtures: Fixtures, other: Place) -> None:
    name, places = f"{api.unused_name('p')}-AbC", (fixtures.workspace_id, other.workspace_id)
    body: dict[str, Any] = {"pipeline_id": name, "definition": {}}
    made = {place: api.call("create_pipeline", body | {"workspace_id": place})["pipeline_pk_id"] for place in places}
    by_name, by_id = (
        [api.call("get_topic_name", each)["topic_name"] for each in bodies]
        for bodies in (
            [{"pipeline_name": name, "workspace_id": place} for place in places],
            [{"pipeline_pk_id": number} for number in made.values()],
        )
    )
    assert by_name == by_id
    assert len(set(by_name)) == len(places), "two pipelines have one topic"
    for place, topic in zip(places, by_name, strict=True) if api.has("get_pipeline_by_name") else ():
        shown = api.call("get_pipeline_by_name", {"pipeline_name": name, "workspace_id": place})
        assert shown["plateau_topic"] == topic
        listed = api.call("list_pipelines", {"workspace_id": place})["pipelines"]
        of_name = [each.get("plateau_topic") for each in listed if each["pipeline"]["name"] == name]
        assert of_name in ([topic], [None]), "it is listed with another topic"


@pytest.mark.touches("get_pipeline_external_url", "create_pipeline", "deploy_pipeline", "undeploy_pipeline")
def test_urls_of_pipelines_of_one_name(api: Api, fixtures: Fixtures, other: Place) -> None:
    name = api.unused_name("p")
    body: dict[str, Any] = {"pipeline_id": name, "definition": {}}
    made = api.call("create_pipeline", body | {"workspace_id": fixtures.workspace_id})
    api.call("create_pipeline", body | {"workspace_id": other.workspace_id})
    ids = {"pipeline_id": made["pipeline_pk_id"], "pipeline_version_pk_id": made["pipeline_variant_pk_id"]}
    deployed = api.call("deploy_pipeline", ids | {"deploy_id": name, "models": [fixtures.model]})["id"]
    url = api.call("get_pipeline_external_url", {"workspace_id": fixtures.workspace_id, "pipeline_name": name})["url"]
    answer = api.send("get_pipeline_external_url", {"workspace_id": other.workspace_id, "pipeline_name": name})
    assert not answer.is_success or answer.json()["url"] != url, "a pipeline has the URL of another workspace's"
    api.call("undeploy_pipeline", {"deployment_id": deployed})


@pytest.mark.touches(
    "get_pipeline_logs", "get_pipeline_external_url", "get_pipeline_by_name", "get_topic_name", "get_assay_baseline"
)
def test_a_pipeline_is_looked_for_in_the_workspace_that_is_named(
    operation_id: str, api: Api, fixtures: Fixtures, other: Place
) -> None:
    if not api.has(operation_id):
        pytest.skip("The release does not have it.")
    names = {"pipeline_name": fixtures.name} | ({"pipeline_id": fixtures.name} if operation_id == LOGS else {})
    assert api.call(operation_id, names | {"workspace_id": fixtures.workspace_id})
    answer = api.send(operation_id, names | {"workspace_id": other.workspace_id})
    assert not answer.is_success or answer.json() in ([], {}), "it has what belongs to another workspace"


@pytest.mark.touches("get_topic_name")
def test_null_is_as_good_as_none_beside_a_name(api: Api, fixtures: Fixtures) -> None:
    by_name = {"workspace_id": fixtures.workspace_id, "pipeline_name": fixtures.name}
    expected = api.call("get_topic_name", {"pipeline_pk_id": fixtures.pipeline_id})
    for body in (by_name, by_name | {"pipeline_pk_id": None}):
        assert api.call("get_topic_name", body) == expected, body


@pytest.mark.touches("list_models", "list_model_versions", if_there=UPLOADS)
def test_models_of_one_name(api: Api, fixtures: Fixtures, other: Place) -> None:
    if not api.uploads:
        pytest.skip("The contract has no upload.")
    name, places = api.unused_name("m"), (fixtures.workspace_id or 0, other.workspace_id)
    for way in api.uploads:
        for seed, place in enumerate(places):
            api.upload(way, name, model_file(seed=310 + seed), place)
    ids = [[each["id"] for each in api.list_models(place) if each["name"] == name] for place in places]
    assert [len(found) for found in ids] == [1, 1], "each workspace has a model of the name"
    assert ids[0] != ids[1], "two workspaces have one model"
    for seed, [model_id] in enumerate(ids):
        sha = hashlib.sha256(model_file(seed=310 + seed)).hexdigest()
        found = api.call("list_model_versions", {"models_pk_id": model_id})
        assert {version["sha"] for version in found} == {sha}
        assert len(found) == len(api.uploads)


@pytest.mark.touches("list_pipelines", "create_pipeline", "get_pipeline_by_name")
def test_a_pipeline_is_listed_with_its_newest_version(api: Api, other: Place) -> None:
    if not api.has("list_pipelines"):
        pytest.skip("The release does not have it.")
    body: dict[str, Any] = {"pipeline_id": other.pipeline_name, "workspace_id": other.workspace_id, "definition": {}}
    where = {"workspace_id": other.workspace_id}
    created = set[str]()
    for _ in range(2):
        api.call("list_pipelines", where)
        newest = api.call("create_pipeline", body)["pipeline_variant_version"]
        [listed] = [
            each
            for each in api.call("list_pipelines", where)["pipelines"]
            if each["pipeline"]["id"] == other.pipeline_id
        ]
        assert newest in json.dumps(listed), "an older version is shown"
        named = api.call("get_pipeline_by_name", where | {"pipeline_name": other.pipeline_name})
        assert named["pipeline"] == listed["pipeline"], "what is found has not changed with what is listed"
        created |= {each["pipeline"]["created_at"] for each in (listed, named) if "created_at" in each["pipeline"]}
    assert len(created) <= 1, "a new version makes the pipeline a new one"
