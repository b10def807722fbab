"""Does a deployment run what it was given last, answer to its own name, and end with its own pipeline only?"""

from __future__ import annotations

import json
from datetime import datetime
from typing import TYPE_CHECKING, Any

import pytest

from wallaroo_ext._util.json_values import object_of
from wallaroo_ext.conformance.guard.owned_resources import NOBODYS
from wallaroo_ext.conformance.resources.samples import INPUT, model_file
from wallaroo_ext.conformance.testing.answer_forms import RECORDS
from wallaroo_ext.conformance.testing.api_calls import UPLOADS
from wallaroo_ext.conformance.testing.inference.deploying import (
    ROWS,
    deployed,
    is_gone,
    new_pipeline,
    runs,
    scores_with,
    status_of,
    version_of,
)
from wallaroo_ext.conformance.testing.inference.scoring import OPERATIONS
from wallaroo_ext.conformance.testing.read_back import changed_fields, differences
from wallaroo_ext.conformance.testing.waiting import soon

if TYPE_CHECKING:
    from wallaroo_ext.conformance.resources.fixtures import Fixtures
    from wallaroo_ext.conformance.testing.api_calls import Api
    from wallaroo_ext.conformance.testing.people import Person

pytestmark = pytest.mark.thorough("deployments that are changed, and several at a time")


@pytest.mark.touches(
    "create_pipeline",
    "deploy_pipeline",
    "undeploy_pipeline",
    "get_deployment_status",
    "infer_pipeline",
    "get_pipeline_external_url",
    if_there=("get_model_version_by_id", "list_pipelines", "get_pipeline_logs"),
)
def test_a_deployment_runs_what_was_deployed_last(api: Api, fixtures: Fixtures) -> None:
    model, name = api.unused_name("m"), api.unused_name("p")
    (first, older), (second, newer) = (version_of(api, fixtures, model, seed) for seed in (401, 402))
    numbers = {older["version"]: first, newer["version"]: second}

    def check(pipeline: dict[str, Any], version: dict[str, str], seed: int) -> None:
        """Check that the deployment runs a version of the pipeline, with a version of the model, and says so."""
        status = runs(api, deployment, version)
        models = [each for engine in status["engines"] for each in engine["model_statuses"]["models"]]
        ids = {each.get("model_version_id", numbers[version["version"]]) for each in models}
        assert ids == {numbers[version["version"]]}, "its status has the id of another version of the model"
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
    nothing: dict[str, Any] = {"models": [], "model_ids": [], "model_configs": [], "engine_config": {}}
    for more in ({"models": [older]}, nothing):
        assert deployed(api, before, **more)[0] == number, f"deploying again with {more} gives another id"
        check(before, older, 401)  # as what is run is in the pipeline's steps
    for other in (after, before):  # the second one while the first one starts
        assert deployed(api, other)[0] == number, "what is deployed under the same name has another id"
    check(before, older, 401)
    for pipeline, version, seed in ((after, newer, 402), (before, older, 401)):
        number, deployment = deployed(api, pipeline)
        check(pipeline, version, seed)
        listed = listed_deployment(api, fixtures, pipeline)
        assert not listed or listed.get("id", number) == number, "it is listed with another deployment"
        assert has_url(api, fixtures, name), "it runs, and has no URL"
        api.call("undeploy_pipeline", {"deployment_id": number})
        soon(lambda: is_gone(api, deployment))  # noqa: B023 - it is called at once
        soon(lambda: not has_url(api, fixtures, name), lambda: "it has a URL as if it still ran")
        soon(
            lambda listed=listed: not listed or listed_deployment(api, fixtures, before) != listed,
            lambda: "it is listed as if it still ran",
        )
    if api.has("get_pipeline_logs"):
        expected = {
            model["sha"]: pipeline.get("pipeline_variant_version", "")
            for model, pipeline in ((older, before), (newer, after))
        }
        soon(lambda: is_scored_by(api, fixtures, name, expected), lambda: "the log has no rows of one of the versions")


MANY = 10
"""How many times as long a definition is as one of four steps."""


def has_url(api: Api, fixtures: Fixtures, name: str) -> bool:
    """Return whether a deployment or a pipeline of the run's workspace has a URL."""
    where = {"workspace_id": fixtures.workspace_id, "pipeline_name": name}
    return api.send("get_pipeline_external_url", where).is_success


def is_scored_by(api: Api, fixtures: Fixtures, name: str, expected: dict[str, str]) -> bool:
    """Return whether a pipeline's log has rows of each of some models, all scored by a version of the pipeline.

    Args:
        api: The operations.
        fixtures: The things of the run.
        name: The pipeline's name.
        expected: The UUIDs of the versions of the pipeline, by the digests of their models.
    """
    names = {"pipeline_name": name, "pipeline_id": name}  # the second in 2023.2
    rows = api.call("get_pipeline_logs", names | {"workspace_id": fixtures.workspace_id})
    found = dict[str, set[str | None]]()
    for metadata in (object_of(each.get("metadata")) for each in rows):
        if metadata.get("last_model"):
            sha = json.loads(metadata["last_model"])["model_sha"]
            found.setdefault(sha, set()).add(metadata.get("pipeline_version"))
    for sha, versions in found.items():
        known = {None, "", expected.get(sha)}
        assert versions <= known, "the log says that another version of the pipeline scored a row"
    return not found or found.keys() == expected.keys()


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
    if_there=("get_model_version_by_id", "insert_model_config"),
)
def test_a_deployment_by_its_version_and_a_configuration_alone(api: Api, fixtures: Fixtures) -> None:
    model = api.unused_name("m")
    number, older = version_of(api, fixtures, model, 405)
    configuration = api.call("get_model_config_by_id", {"model_id": number})["model_config"]
    if configuration is not None and api.has("insert_model_config"):
        own = {"model_version_id": number, "tensor_fields": [INPUT], "filter_threshold": 0.375}
        configuration = api.call("insert_model_config", own)["model_config"]
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
    other, _ = version_of(api, fixtures, model, 406)
    check()  # a newer version of the model is not run before it is deployed
    both = which | {"model_ids": [number], "models": [older]}  # one version, named in each way
    assert deployed(api, pipeline, deploy_id=name, **both)[0] == ended
    check()
    if configuration is not None:
        kept = api.call("get_model_config_by_id", {"model_id": number})["model_config"]
        assert list(changed_fields(configuration, kept)) == [], "a deployment changes the configuration that it applies"
    ids = {"deploy_id": name, "pipeline_version_pk_id": pipeline["pipeline_variant_pk_id"]}
    mixed = {"models": [older | {"name": object_of(fixtures.model)["name"]}]}
    of_other = {"pipeline_id": new_pipeline(api, fixtures)["pipeline_pk_id"]}
    nothing = ({"model_ids": [NOBODYS]}, {"model_configs": [NOBODYS]}, {"pipeline_version_pk_id": NOBODYS})
    for bad in (
        *nothing,
        {"model_ids": [number, NOBODYS]},
        {"models": [older, older | {"sha": str(NOBODYS)}]},
        mixed,
        of_other,
    ):
        answer = api.send("deploy_pipeline", ids | bad)
        assert not answer.is_success, f"it deploys {bad}"
    check()  # what is refused changes nothing
    after = api.call("get_model_config_by_id", {"model_id": number})["model_config"]
    assert configuration is None or list(differences(configuration, after)) == [], "its deployment configures a version"
    assert is_shown_as_deployed(api, {older["version"]: number, "": other}, older["version"])
    api.call("undeploy_pipeline", {"deployment_id": ended})


@pytest.mark.touches("create_pipeline", "get_pipeline_version")
def test_steps_are_kept_in_their_order_and_number(api: Api, fixtures: Fixtures) -> None:
    if not api.has("get_pipeline_version"):
        pytest.skip("The release does not have it.")
    model = api.unused_name("m")
    (_, one), (_, other) = (version_of(api, fixtures, model, seed) for seed in (403, 404))
    steps = [{"ModelInference": {"models": models}} for models in ([other], [one], [other], [other, one])] * MANY
    body = {"pipeline_id": api.unused_name("p"), "workspace_id": fixtures.workspace_id}
    made = api.call("create_pipeline", body | {"definition": {"steps": steps}})
    shown = api.call("get_pipeline_version", {"version": made["pipeline_variant_version"]})["definition"]
    assert list(changed_fields(steps, shown["steps"], is_whole=True)) == []


@pytest.mark.touches("deploy_pipeline", "undeploy_pipeline", "get_deployment_status", "create_pipeline")
def test_a_deployment_is_found_by_its_whole_name(api: Api, fixtures: Fixtures) -> None:
    name = f"{api.unused_name('p')}-AbC"
    number, deployment = deployed(api, new_pipeline(api, fixtures, name=name))
    status_of(api, deployment)
    numbers = (NOBODYS, f"{number}0", f"0{number}", f"+{number}", f"{number} ", f"{number}.0")
    others = [*(f"{name}-{other}" for other in numbers), f" {deployment}", f"{name.swapcase()}-{number}"]
    for other in (*others, f"{name}-{deployment}", name, str(number)):
        assert is_gone(api, other), f"{other} is no deployment, and not answered with 404"
    empty = new_pipeline(api, fixtures)
    like, alike = deployed(api, empty, deploy_id=deployment)  # called as the other one is
    status = status_of(api, alike)
    assert status["status"] != "Running", "a pipeline without models runs"
    for engine in status["engines"]:
        shown = [engine.get(field) for field in ("ip", "pipeline_statuses", "model_statuses")]
        assert engine["status"] != "Pending" or shown == [None] * 3, f"a pending engine has {shown}"
    path, headers = {"deployment": alike, "pipeline": empty["name"]}, {"Content-Type": RECORDS}
    for infer in filter(api.has, OPERATIONS):
        assert not api.send(infer, [{INPUT: ROWS[0]}], path=path, headers=headers).is_success, (
            "it scores without models"
        )
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
    assert deployed(api, pipeline)[1] == names[0], "a pipeline that is deployed again has the id of another deployment"
    for number in (kept_number, NOBODYS):  # which may be refused, as the deployment is not the pipeline's
        api.send("undeploy_pipeline", {"pipeline_id": pipeline["pipeline_pk_id"], "deployment_id": number})
    for name in names:
        status_of(api, name)
    kept_number, kept = deployed(api, other)
    assert has_url(api, fixtures, pipeline["name"]), "it is deployed, and has no URL"
    for ended in (new_pipeline(api, fixtures), pipeline):  # the first was never deployed
        api.call("undeploy_pipeline", {"pipeline_id": ended["pipeline_pk_id"], "deployment_id": None})
    for name in names:
        soon(lambda name=name: is_gone(api, name), lambda name=name: f"{name} is there, though its pipeline was ended")
    soon(lambda: not has_url(api, fixtures, pipeline["name"]), lambda: "a pipeline has a URL, though it was ended")
    api.call("undeploy_pipeline", {"pipeline_id": pipeline["pipeline_pk_id"]})  # which has no deployment any more
    status_of(api, kept)
    status_of(api, deployed(api, pipeline)[1])
    assert is_gone(api, names[-1]), "with one deployment, another one of the pipeline is there again"
    api.call("undeploy_pipeline", {"pipeline_id": pipeline["pipeline_pk_id"]})
    api.call("undeploy_pipeline", {"deployment_id": kept_number})


@pytest.mark.touches(
    "get_pipeline_external_url",
    "create_pipeline",
    "create_workspace",
    "deploy_pipeline",
    "undeploy_pipeline",
    if_there=("list_pipelines",),
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
    for place in places if api.has("list_pipelines") else ():
        rows = api.call("list_pipelines", {"workspace_id": place})["pipelines"]
        [row] = [each for each in rows if each["pipeline"]["name"] == name]
        shown = object_of(row.get("deployment")).get("id", found[place][0])
        assert shown == found[place][0], "a pipeline is listed with the deployment of another workspace"
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
    if_there=("get_pipeline_version", "list_pipelines", "get_pipeline_by_name"),
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
    same = api.send("copy_pipeline", body | {"name": source["name"]})
    assert not same.is_success or same.json()["pipeline_pk_id"] != source["pipeline_pk_id"], (
        "a pipeline is its own copy"
    )
    before = object_of(listed_pipeline(api, fixtures, source))
    made = api.call("copy_pipeline", body)
    assert made.get("deployment") is None, "a copy is deployed that was not to be"
    if before:
        after, copied = (object_of(listed_pipeline(api, fixtures, each)) for each in (source, made))
        for part in ("pipeline", "pipeline_version"):
            assert after.get(part) == before.get(part), "a copy changes its source"
        assert not copied.get("deployment"), "a copy is listed with a deployment"
        times = [each["pipeline"]["created_at"] for each in (before, copied)]
        assert "." not in times[0] or times[0] != times[1], "a copy was made when its source was"
        named = api.call("get_pipeline_by_name", where | {"pipeline_name": name})
        assert named["pipeline"] == copied["pipeline"]
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
        assert datetime.fromisoformat(changed[0]) <= datetime.fromisoformat(changed[1]), "it was changed before"
    own, nothing = (
        object_of(fixtures.model),
        {"name": api.unused_name("m"), "version": str(NOBODYS), "sha": str(NOBODYS)},
    )
    for models in ([nothing], [own, nothing], [own | {"sha": nothing["sha"]}], [own | {"name": nothing["name"]}]):
        steps = [{"ModelInference": {"models": [own]}}, {"ModelInference": {"models": models}}]
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
    configurations: list[dict[str, Any]] = [{"model_configs": [fixtures.config_id]}] if fixtures.config_id else []
    for models in ({"models": [fixtures.model]}, {"model_ids": [fixtures.version_id]}, *configurations):
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


@pytest.mark.touches(
    "create_pipeline",
    "deploy_pipeline",
    "undeploy_pipeline",
    "copy_pipeline",
    "get_deployment_status",
    "get_pipeline_external_url",
    "add_workspace_user",
    "remove_workspace_user",
    "create_workspace",
)
def test_members_deploy_and_end_what_is_the_workspaces_and_nobody_else(stranger: Person, api: Api) -> None:
    place = api.call("create_workspace", {"workspace_name": api.unused_name("w")})["workspace_id"]
    where, name = {"workspace_id": place}, api.unused_name("p")
    made = api.call("create_pipeline", where | {"pipeline_id": name, "definition": {}})
    pipeline, request = (
        {"pipeline_id": made["pipeline_pk_id"]},
        {"pipeline_version_pk_id": made["pipeline_variant_pk_id"]},
    )
    number = api.call("deploy_pipeline", request | {"deploy_id": name})["id"]

    def attempts() -> list[tuple[str, dict[str, Any]]]:
        """Return requests that deploy, end and copy the pipeline, which is named in all ways."""
        copy = {"name": api.unused_name("p"), "source_pipeline": made["pipeline_pk_id"]}
        return [
            ("get_pipeline_external_url", where | {"pipeline_name": name}),
            ("copy_pipeline", where | copy),
            ("deploy_pipeline", request | {"deploy_id": name}),
            ("undeploy_pipeline", {"deployment_id": number}),
            ("deploy_pipeline", request | pipeline | {"deploy_id": name}),
            ("undeploy_pipeline", pipeline),
            ("deploy_pipeline", request | {"deploy_id": name}),
        ]

    def is_kept_from_the_stranger() -> None:
        """Check that who is no member is answered as if there were no pipeline, and changes nothing."""
        for operation, body in attempts():
            status = stranger.send(operation, body).status_code
            assert status in {400, 404}, f"who is no member is answered {status}: {operation} {body}"
        status_of(api, f"{name}-{number}")

    is_kept_from_the_stranger()
    api.call("add_workspace_user", where | {"user_id": stranger.id})
    for operation, body in attempts():
        answer = stranger.send(operation, body)
        assert answer.is_success, f"a member may not: {operation} {answer.status_code} {answer.text[:300]}"
        if operation == "undeploy_pipeline":
            soon(lambda: is_gone(api, f"{name}-{number}"))  # noqa: B023 - it is called at once
        elif operation == "deploy_pipeline":
            number = answer.json()["id"]
            status_of(api, f"{name}-{number}")
    api.call("remove_workspace_user", where | {"user_id": stranger.id})
    is_kept_from_the_stranger()
    api.call("undeploy_pipeline", pipeline)
