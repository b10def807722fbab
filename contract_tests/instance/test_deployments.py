"""Does a deployment run what it was given last, answer to its own name, and end with its own pipeline only?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from wallaroo_ext._util.json_values import object_of
from wallaroo_ext.conformance.guard.owned_resources import NOBODYS
from wallaroo_ext.conformance.resources.samples import model_file
from wallaroo_ext.conformance.testing.api_calls import UPLOADS
from wallaroo_ext.conformance.testing.deploying import (
    deployed,
    is_gone,
    new_pipeline,
    runs,
    scores_with,
    status_of,
    version_of,
)
from wallaroo_ext.conformance.testing.read_back import changed_fields
from wallaroo_ext.conformance.testing.waiting import soon

if TYPE_CHECKING:
    from wallaroo_ext.conformance.resources.fixtures import Fixtures
    from wallaroo_ext.conformance.testing.api_calls import Api

pytestmark = pytest.mark.thorough("deployments that are changed, and several at a time")


@pytest.mark.touches(
    "create_pipeline",
    "deploy_pipeline",
    "undeploy_pipeline",
    "get_deployment_status",
    "infer_pipeline",
    if_there=("get_model_version_by_id", "list_pipelines"),
)
def test_a_deployment_runs_what_was_deployed_last(api: Api, fixtures: Fixtures) -> None:
    model, name = api.unused_name("m"), api.unused_name("p")
    (first, older), (second, newer) = (version_of(api, fixtures, model, seed) for seed in (401, 402))
    numbers = {older["version"]: first, newer["version"]: second}

    def check(pipeline: dict[str, Any], version: dict[str, str], seed: int) -> None:
        """Check that the deployment runs a version of the pipeline, with a version of the model, and says so."""
        status = runs(api, deployment, version)
        shown: list[dict[str, Any]] = [each["pipeline_statuses"] or {} for each in status["engines"]]
        versions = {each["version"] for one in shown for each in one.get("pipelines", []) if each.get("version")}
        assert versions <= {pipeline.get("pipeline_variant_version")}, (
            "its status names another version of the pipeline"
        )
        scores_with(api, deployment, name, version, seed, version=pipeline.get("pipeline_variant_version"))
        soon(
            lambda: is_shown_as_deployed(api, numbers, version["version"]),
            lambda: "another version of the model is shown as deployed",
        )

    before = new_pipeline(api, fixtures, name=name, models=[older])
    number, deployment = deployed(api, before)
    runs(api, deployment, older)
    after = new_pipeline(api, fixtures, name=name, models=[newer])  # which does not run before it is deployed
    check(before, older, 401)
    for pipeline, version, seed in ((after, newer, 402), (before, older, 401)):
        number, deployment = deployed(api, pipeline)
        check(pipeline, version, seed)
        listed = listed_deployment(api, fixtures, pipeline)
        api.call("undeploy_pipeline", {"deployment_id": number})
        soon(lambda: is_gone(api, deployment))  # noqa: B023 - it is called at once
        soon(
            lambda listed=listed: not listed or listed_deployment(api, fixtures, before) != listed,
            lambda: "it is listed as if it still ran",
        )


def listed_pipeline(api: Api, fixtures: Fixtures, pipeline: dict[str, Any]) -> Any:
    """Return what is listed of a pipeline; None where the release does not list it."""
    if not api.has("list_pipelines"):
        return None
    listed = api.call("list_pipelines", {"workspace_id": fixtures.workspace_id})["pipelines"]
    [found] = [each for each in listed if each["pipeline"]["id"] == pipeline["pipeline_pk_id"]]
    return found


def listed_deployment(api: Api, fixtures: Fixtures, pipeline: dict[str, Any]) -> Any:
    """Return the deployment with which a pipeline is listed; None where the release does not list it."""
    return object_of(listed_pipeline(api, fixtures, pipeline)).get("deployment")


def is_shown_as_deployed(api: Api, numbers: dict[str, int], wanted: str) -> bool:
    """Return whether of some versions of models the wanted one is shown as deployed, and no other."""
    if not api.has("get_model_version_by_id"):
        return True
    shown = {
        version: api.call("get_model_version_by_id", {"model_version_id": number})["model_version"]["model_version"]
        for version, number in numbers.items()
    }
    return all(each.get("deployed", version == wanted) is (version == wanted) for version, each in shown.items())


@pytest.mark.touches(
    "deploy_pipeline",
    "undeploy_pipeline",
    "get_deployment_status",
    "infer_pipeline",
    "get_model_config_by_id",
    if_there=("get_model_version_by_id",),
)
def test_a_deployment_by_its_version_and_a_configuration_alone(api: Api, fixtures: Fixtures) -> None:
    model = api.unused_name("m")
    (number, older), (other, _) = (version_of(api, fixtures, model, seed) for seed in (405, 406))
    configuration = api.call("get_model_config_by_id", {"model_id": number})["model_config"]
    which = {"model_ids": [number]} if configuration is None else {"model_configs": [configuration["id"]]}
    pipeline, name = new_pipeline(api, fixtures), api.unused_name("d")
    new_pipeline(api, fixtures, name=pipeline["name"])  # so that it is not the newest version that is deployed
    ended, deployment = deployed(api, pipeline, deploy_id=name, pipeline_id=None, **which)

    def check() -> None:
        """Check that it runs the version of the pipeline, with the version of the model."""
        [engine] = runs(api, deployment, older)["engines"][:1]
        for shown in engine["pipeline_statuses"]["pipelines"]:
            assert shown["id"] == pipeline["name"], "a pipeline has the name of its deployment"
            assert shown.get("version") in {None, pipeline.get("pipeline_variant_version")}
        assert {each.get("model_version_id", number) for each in engine["model_statuses"]["models"]} == {number}
        scores_with(api, deployment, pipeline["name"], older, 405)

    check()
    ids = {"deploy_id": name, "pipeline_version_pk_id": pipeline["pipeline_variant_pk_id"]}
    for bad in ({"model_ids": [NOBODYS]}, {"model_configs": [NOBODYS]}, {"pipeline_version_pk_id": NOBODYS}):
        answer = api.send("deploy_pipeline", ids | bad)
        assert not answer.is_success, f"it deploys {bad}"
    check()  # what is refused changes nothing
    assert is_shown_as_deployed(api, {older["version"]: number, "": other}, older["version"])
    api.call("undeploy_pipeline", {"deployment_id": ended})


@pytest.mark.touches("create_pipeline", "get_pipeline_version")
def test_steps_are_kept_in_their_order_and_number(api: Api, fixtures: Fixtures) -> None:
    if not api.has("get_pipeline_version"):
        pytest.skip("The release does not have it.")
    model = api.unused_name("m")
    (_, one), (_, other) = (version_of(api, fixtures, model, seed) for seed in (403, 404))
    steps = [{"ModelInference": {"models": models}} for models in ([other], [one], [other], [other, one])]
    body = {"pipeline_id": api.unused_name("p"), "workspace_id": fixtures.workspace_id}
    made = api.call("create_pipeline", body | {"definition": {"steps": steps}})
    shown = api.call("get_pipeline_version", {"version": made["pipeline_variant_version"]})["definition"]
    assert list(changed_fields(steps, shown["steps"], is_whole=True)) == []


@pytest.mark.touches("deploy_pipeline", "undeploy_pipeline", "get_deployment_status", "create_pipeline")
def test_a_deployment_is_found_by_its_whole_name(api: Api, fixtures: Fixtures) -> None:
    name = f"{api.unused_name('p')}-AbC"
    number, deployment = deployed(api, new_pipeline(api, fixtures, name=name))
    status_of(api, deployment)
    for other in (f"{name}-{NOBODYS}", f"{name}-{number}0", f"{name.swapcase()}-{number}", name, str(number)):
        assert is_gone(api, other), f"{other} is no deployment, and not answered with 404"
    like, alike = deployed(api, new_pipeline(api, fixtures), deploy_id=deployment)  # called as the other one is
    status = status_of(api, alike)
    assert status["status"] != "Running", "a pipeline without models runs"
    for engine in status["engines"]:
        shown = [engine.get(field) for field in ("ip", "pipeline_statuses", "model_statuses")]
        assert engine["status"] != "Pending" or shown == [None] * 3, f"a pending engine has {shown}"
    api.call("undeploy_pipeline", {"deployment_id": number, "pipeline_id": None})
    soon(lambda: is_gone(api, deployment))
    status_of(api, alike)
    api.call("undeploy_pipeline", {"deployment_id": like})


@pytest.mark.touches("deploy_pipeline", "undeploy_pipeline", "get_deployment_status", "create_pipeline")
def test_a_pipelines_id_ends_all_of_its_deployments_and_no_other(api: Api, fixtures: Fixtures) -> None:
    pipeline, other = new_pipeline(api, fixtures), new_pipeline(api, fixtures)
    names = [deployed(api, pipeline)[1], deployed(api, pipeline, deploy_id=f"{pipeline['name']}-too")[1]]
    kept_number, kept = deployed(api, other)
    for name in (names[-1], kept):
        status_of(api, name)
    if len({name.rpartition("-")[2] for name in names}) < len(names):
        pytest.skip("This instance has one deployment of a pipeline, with the name that it was given last.")
    status_of(api, names[0])
    for ended in (new_pipeline(api, fixtures), pipeline):  # the first was never deployed
        api.call("undeploy_pipeline", {"pipeline_id": ended["pipeline_pk_id"], "deployment_id": None})
    for name in names:
        soon(lambda name=name: is_gone(api, name), lambda name=name: f"{name} is there, though its pipeline was ended")
    api.call("undeploy_pipeline", {"pipeline_id": pipeline["pipeline_pk_id"]})  # which has no deployment any more
    status_of(api, kept)
    api.call("undeploy_pipeline", {"deployment_id": kept_number})


@pytest.mark.touches(
    "get_pipeline_external_url", "create_pipeline", "create_workspace", "deploy_pipeline", "undeploy_pipeline"
)
def test_deployments_of_one_name_in_two_workspaces_are_two(api: Api, fixtures: Fixtures) -> None:
    name = api.unused_name("p")
    elsewhere = api.call("create_workspace", {"workspace_name": api.unused_name("w")})["workspace_id"]
    places, found = (fixtures.workspace_id, elsewhere), dict[int | None, tuple[int, str]]()
    for place in places:
        body: dict[str, Any] = {"pipeline_id": name, "workspace_id": place, "definition": {}}
        found[place] = deployed(api, api.call("create_pipeline", body) | {"name": name})
    assert len(set(found.values())) == len(places), "two workspaces have one deployment"
    urls = [
        api.call("get_pipeline_external_url", {"workspace_id": place, "pipeline_name": name})["url"] for place in places
    ]
    assert len(set(urls)) == len(places), "two workspaces' deployments have one URL"
    (ended, gone), (kept, left) = found.values()
    api.call("undeploy_pipeline", {"deployment_id": ended})
    soon(lambda: is_gone(api, gone))
    status_of(api, left)
    api.call("undeploy_pipeline", {"deployment_id": kept})


@pytest.mark.touches(
    "copy_pipeline",
    "create_pipeline",
    "create_workspace",
    "deploy_pipeline",
    "get_pipeline_external_url",
    if_there=("get_pipeline_version",),
)
def test_a_copy_is_a_pipeline_of_its_own(api: Api, fixtures: Fixtures) -> None:
    source, name, where = new_pipeline(api, fixtures), api.unused_name("p"), {"workspace_id": fixtures.workspace_id}
    number, _ = deployed(api, source)  # which its copy is not
    elsewhere = api.call("create_workspace", {"workspace_name": api.unused_name("w")})["workspace_id"]
    body = where | {"name": name, "source_pipeline": source["pipeline_pk_id"]}
    versions = [str(NOBODYS), *filter(None, [new_pipeline(api, fixtures).get("pipeline_variant_version")])]
    for bad in ({"workspace_id": elsewhere}, *({"pipeline_version": version} for version in versions)):
        answer = api.send("copy_pipeline", body | bad)
        assert not answer.is_success, f"it copies {bad}"
    made = api.call("copy_pipeline", body)
    assert made.get("deployment") is None, "a copy is deployed that was not to be"
    assert not api.send("get_pipeline_external_url", where | {"pipeline_name": name}).is_success
    api.call("undeploy_pipeline", {"deployment_id": number})
    if made.get("pipeline_version") and api.has("get_pipeline_version"):
        shown = api.call("get_pipeline_version", {"version": made["pipeline_version"]})
        assert shown["pipeline_id"] == name, "it is the version of the source"
    for each, pipeline in ((name, made), (source["name"], source)):
        added = new_pipeline(api, fixtures, name=each)
        assert added["pipeline_pk_id"] == pipeline["pipeline_pk_id"], "a copy and its source are one"
        assert added["pipeline_variant_pk_id"] != pipeline["pipeline_variant_pk_id"]


@pytest.mark.touches("create_pipeline", "list_workspaces", if_there=("get_pipeline_version", "list_pipelines"))
def test_a_version_is_added_to_the_pipeline_of_the_name(api: Api, fixtures: Fixtures) -> None:
    one, other = new_pipeline(api, fixtures), new_pipeline(api, fixtures)
    body: dict[str, Any] = {"pipeline_id": one["name"], "workspace_id": fixtures.workspace_id}
    of_other: dict[str, Any] = {"definition": {"id": other["name"], "steps": []}}  # a name there is ignored
    before = listed_pipeline(api, fixtures, one), listed_pipeline(api, fixtures, other)
    added = api.call("create_pipeline", body | of_other)
    assert added["pipeline_pk_id"] == one["pipeline_pk_id"] != other["pipeline_pk_id"]
    assert added["pipeline_variant_pk_id"] not in {each["pipeline_variant_pk_id"] for each in (one, other)}
    if api.has("get_pipeline_version"):
        assert (
            api.call("get_pipeline_version", {"version": added["pipeline_variant_version"]})["pipeline_id"]
            == one["name"]
        )
    after = listed_pipeline(api, fixtures, one), listed_pipeline(api, fixtures, other)
    assert after[1] == before[1], "a version that is added changes another pipeline"
    if after[0] is not None:
        changed = [each["pipeline"].get("updated_at", "") for each in (before[0], after[0])]
        assert "." not in changed[0] or changed[0] != changed[1], "a version was added, and the pipeline not changed"
    nothing = {"name": api.unused_name("m"), "version": str(NOBODYS), "sha": str(NOBODYS)}
    steps = [{"ModelInference": {"models": [nothing]}}]
    api.call_refused("create_pipeline", body | {"definition": {"steps": steps}})
    assert listed_pipeline(api, fixtures, one) == after[0], "what was refused is there"


@pytest.mark.touches("create_pipeline", "deploy_pipeline", "create_workspace", if_there=UPLOADS)
def test_a_model_of_another_workspace_is_not_run(api: Api, fixtures: Fixtures) -> None:
    place = api.call("create_workspace", {"workspace_name": api.unused_name("w")})["workspace_id"]
    body: dict[str, Any] = {"pipeline_id": api.unused_name("p"), "workspace_id": place}
    steps = [{"ModelInference": {"models": [fixtures.model]}}]
    made = api.call("create_pipeline", body | {"definition": {}})
    answer = api.send("create_pipeline", body | {"definition": {"steps": steps}})
    assert not answer.is_success, "a pipeline has a model of another workspace"
    ids = {"pipeline_id": made["pipeline_pk_id"], "pipeline_version_pk_id": made["pipeline_variant_pk_id"]}
    for models in ({"models": [fixtures.model]}, {"model_ids": [fixtures.version_id]}):
        answer = api.send("deploy_pipeline", ids | {"deploy_id": body["pipeline_id"]} | models)
        assert not answer.is_success, f"a pipeline is deployed with a model of another workspace: {models}"


@pytest.mark.touches("create_pipeline", "copy_pipeline", "list_workspaces", "create_workspace", if_there=UPLOADS)
def test_what_is_refused_makes_nothing(api: Api) -> None:
    place = api.call("create_workspace", {"workspace_name": api.unused_name("w")})["workspace_id"]
    steps = [{"ModelInference": {"models": [{"name": api.unused_name("m"), "version": NOBODYS, "sha": NOBODYS}]}}]
    where = {"workspace_id": place}
    name = api.unused_name("p")
    api.call_refused("create_pipeline", where | {"pipeline_id": name, "definition": {"steps": steps}})
    api.call_refused("copy_pipeline", where | {"name": name, "source_pipeline": NOBODYS})
    fields = where | {"name": api.unused_name("m"), "visibility": "hidden"}
    for upload in api.uploads:
        api.call_refused(upload, **api.upload_of(upload, fields, "model.onnx", model_file()))
    [workspace] = [each for each in api.call("list_workspaces", {})["workspaces"] if each["id"] == place]
    assert (workspace["models"], workspace["pipelines"]) == ([], []), "what was refused is there"


@pytest.mark.touches("create_pipeline", "deploy_pipeline", "get_pipeline_external_url")
def test_what_is_not_deployed_has_no_url(api: Api, fixtures: Fixtures) -> None:
    pipeline = new_pipeline(api, fixtures)
    ids = {"pipeline_id": pipeline["pipeline_pk_id"], "pipeline_version_pk_id": pipeline["pipeline_variant_pk_id"]}
    answer = api.send("deploy_pipeline", ids | {"deploy_id": pipeline["name"], "model_ids": [NOBODYS]})
    assert not answer.is_success, "it deploys a model that there is not"
    where = {"workspace_id": fixtures.workspace_id, "pipeline_name": pipeline["name"]}
    assert not api.send("get_pipeline_external_url", where).is_success
