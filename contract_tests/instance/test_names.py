"""Are names kept as they were given: capitals, the longest ones, and those of files?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from wallaroo_ext.conformance.resources.fixtures import assay_request, second_assay_request
from wallaroo_ext.conformance.resources.samples import model_file
from wallaroo_ext.conformance.testing.api_calls import UPLOADS
from wallaroo_ext.conformance.testing.inference.deploying import deployed, is_gone, new_pipeline, status_of

if TYPE_CHECKING:
    from wallaroo_ext.conformance.resources.fixtures import Fixtures
    from wallaroo_ext.conformance.testing.api_calls import Api

pytestmark = pytest.mark.thorough("long and unusual names")

LONGEST_LABEL = 63
"""The most characters of a DNS label."""
LONGEST_MODEL = 255
"""The most characters of a model's name."""
LONG_WITH_ID = 48
"""The characters of a long name that is still a DNS label with an id behind it, as a deployment's has to be."""
FILE_NAMES = (
    "Modell äöu\u0308 ß.onnx",  # as one character and as two
    "模型-🔑.onnx",
    "A.b_c (2)+100%25 & more; it's a=1,b.ONNX",
    f"{'x' * 195}.onnx",
)


def long_name(api: Api, kind: str, length: int, *, capitals: bool = True) -> str:
    """Return a name of the run that is not taken yet, with so many characters."""
    name = f"{api.unused_name(kind)}--{'AbC' if capitals else 'abc'}-"
    return f"{name}{'x' * (length - len(name) - 1)}{'Z' if capitals else 'z'}"


@pytest.mark.touches(
    "create_pipeline", if_there=("get_pipeline_by_name", "list_pipelines", "get_pipeline_version", "copy_pipeline")
)
@pytest.mark.parametrize("length", [40, LONGEST_LABEL])
def test_the_name_of_a_pipeline_is_kept(length: int, api: Api, fixtures: Fixtures) -> None:
    name = long_name(api, "p", length)
    if api.has("get_pipeline_by_name"):  # so that a cache knows that there is none
        nothing = api.send("get_pipeline_by_name", {"pipeline_name": name, "workspace_id": fixtures.workspace_id})
        assert nothing.status_code == 404, f"it is not made yet: {nothing.status_code}"
    made = api.call("create_pipeline", {"pipeline_id": name, "workspace_id": fixtures.workspace_id, "definition": {}})
    number, where = made["pipeline_pk_id"], {"workspace_id": fixtures.workspace_id}
    found: list[dict[str, Any]] = []
    if api.has("list_pipelines"):
        listed = api.call("list_pipelines", where)["pipelines"]
        found += [each["pipeline"] for each in listed if each["pipeline"]["id"] == number]
        found.append(api.call("get_pipeline_by_name", where | {"pipeline_name": name})["pipeline"])
        assert len(found) == 2
        other = api.send("get_pipeline_by_name", where | {"pipeline_name": name.swapcase()})
        assert not other.is_success, "a name in other letters is another one"
    assert [(each["id"], each["name"]) for each in found] == [(number, name)] * len(found)
    if api.has("get_pipeline_version") and "pipeline_variant_version" in made:
        assert api.call("get_pipeline_version", {"version": made["pipeline_variant_version"]})["pipeline_id"] == name
    again = api.call("create_pipeline", {"pipeline_id": name, **where, "definition": {}})
    assert again["pipeline_pk_id"] == number, "the name is known again"
    if api.has("copy_pipeline"):
        name = long_name(api, "p", length)
        copied = api.call("copy_pipeline", where | {"name": name, "source_pipeline": number})["pipeline_pk_id"]
        again = api.call("create_pipeline", {"pipeline_id": name, **where, "definition": {}})
        assert again["pipeline_pk_id"] == copied, "the name of a copy is known again"


@pytest.mark.touches("create_pipeline", "deploy_pipeline", "get_deployment_status", "undeploy_pipeline")
def test_the_name_of_a_deployment_is_kept(api: Api, fixtures: Fixtures) -> None:
    name = long_name(api, "d", LONG_WITH_ID, capitals=False)
    pipeline = new_pipeline(api, fixtures)
    number, deployment = deployed(api, pipeline, deploy_id=name, models=[fixtures.model])
    try:
        status_of(api, deployment)
        assert deployed(api, pipeline, deploy_id=name, models=[fixtures.model]) == (number, deployment)
        assert is_gone(api, f"{name[:40].rstrip('-')}-{number}"), "a part of its name is enough"
    finally:
        api.send("undeploy_pipeline", {"deployment_id": number})


@pytest.mark.touches(
    "list_model_versions", "list_models", "get_model", "get_model_by_id", if_there=(*UPLOADS, "get_model_version_by_id")
)
@pytest.mark.parametrize("length", [63, 64, 65, LONGEST_MODEL])
def test_the_name_of_a_model_is_kept(length: int, api: Api, fixtures: Fixtures) -> None:
    name = long_name(api, "m", length)
    fields = {"name": name, "visibility": "private", "workspace_id": fixtures.workspace_id}
    upload = api.uploads[length % len(api.uploads)]
    answer = api.call(upload, **api.upload_of(upload, fields, "model.onnx", model_file()))
    version_id = api.version_in(answer)
    [version] = api.call("list_model_versions", {"model_id": name})
    assert (version["id"], version.get("model_id", name)) == (version_id, name)
    model_id = version["models_pk_id"]
    names = {found["name"] for found in api.list_models(fixtures.workspace_id) if found["id"] == model_id}
    assert names == {name}
    for operation in ("get_model", "get_model_by_id"):
        assert api.call(operation, {"id": model_id})["name"] == name
    if api.has("get_model_version_by_id"):
        shown = api.call("get_model_version_by_id", {"model_version_id": version_id})["model_version"]
        assert shown["model_version"]["name"] == name


@pytest.mark.touches("create_workspace", "list_workspaces")
def test_the_name_of_a_workspace_is_kept(api: Api) -> None:
    names = [long_name(api, "w", length, capitals=False) for length in (40, LONGEST_LABEL)]
    made = {api.call("create_workspace", {"workspace_name": name})["workspace_id"]: name for name in names}
    listed = {each["id"]: each["name"] for each in api.call("list_workspaces", {})["workspaces"]}
    assert {number: listed.get(number) for number in made} == made


@pytest.fixture(scope="module")
def kept_files() -> dict[str, dict[int, str]]:
    """Return a dictionary for a model's name and the names of its versions' files: more than a short page has."""
    return {}


@pytest.mark.touches("list_model_versions", "get_model", if_there=(*UPLOADS, "list_models", "get_model_version_by_id"))
@pytest.mark.parametrize("upload", UPLOADS)
def test_the_name_of_a_file_is_kept(
    upload: str, api: Api, fixtures: Fixtures, kept_files: dict[str, dict[int, str]]
) -> None:
    if not api.has(upload):
        pytest.skip("The release does not have it.")
    # Where the answer to an upload is lost, a version may be there that is not known: then it is another model's turn.
    name, expected = kept_files.popitem() if kept_files else (api.unused_name("m"), dict[int, str]())
    fields = {"name": name, "visibility": "private", "workspace_id": fixtures.workspace_id}
    for file_name in FILE_NAMES:
        answer = api.call(upload, **api.upload_of(upload, fields, file_name, model_file()))
        expected[api.version_in(answer)] = file_name
    kept_files[name] = expected
    listed = api.call("list_model_versions", {"model_id": name})
    assert {each["id"]: each["file_name"] for each in listed} == expected
    shown = api.call("get_model", {"id": listed[0]["models_pk_id"]})["models"]
    assert {each["id"]: each["file_name"] for each in shown} == expected
    for row in api.call("list_models", {"workspace_id": fixtures.workspace_id})["models"]:
        if row.get("model", row).get("name") == name and "model_versions" in row:
            assert {each["model_version"]["id"] for each in row["model_versions"]} == set(expected)
    for number in [*expected][-len(FILE_NAMES) :] if api.has("get_model_version_by_id") else ():
        found = api.call("get_model_version_by_id", {"model_version_id": number})["model_version"]
        assert found["model_version"]["file_info"]["file_name"] == expected[number]


def others_like(name: str) -> tuple[str, ...]:
    """Return names that are not this one: in other letters, shorter, longer, with spaces, and as patterns."""
    return name.swapcase(), name[:-1], f"{name}x", f"{name} ", f" {name}", f"{name[:-1]}_", f"{name[:-1]}%"


@pytest.mark.touches(
    "create_pipeline",
    "deploy_pipeline",
    "undeploy_pipeline",
    "get_pipeline_external_url",
    if_there=("get_pipeline_by_name", "list_pipelines"),
)
def test_a_pipeline_is_found_by_its_whole_name(api: Api, fixtures: Fixtures) -> None:
    pipeline = new_pipeline(api, fixtures, name=f"{api.unused_name('p')}-AbC")
    where = {"workspace_id": fixtures.workspace_id}
    whole = where | {"pipeline_name": pipeline["name"]}
    assert not api.send("get_pipeline_external_url", whole).is_success, "what is not deployed has a URL"
    number, _ = deployed(api, pipeline)
    lookups = [each for each in ("get_pipeline_external_url", "get_pipeline_by_name") if api.has(each)]
    for lookup in lookups:
        api.call(lookup, whole)
        for other in others_like(pipeline["name"]):
            answer = api.send(lookup, where | {"pipeline_name": other})
            assert answer.status_code == 404, f"{lookup} of {other}: {answer.status_code} {answer.text[:300]}"
    for other in others_like(fixtures.workspace_name or "") if api.has("list_pipelines") else ():
        answer = api.send("list_pipelines", {"workspace_name": other})
        assert not answer.is_success or answer.json()["pipelines"] == [], f"no workspace is called {other}"
    api.call("undeploy_pipeline", {"deployment_id": number})
    other = new_pipeline(api, fixtures, name=f"{pipeline['name'][:-3]}aBc")
    assert other["pipeline_pk_id"] != pipeline["pipeline_pk_id"], "names in other letters are one"


@pytest.mark.touches("list_model_versions", if_there=UPLOADS)
def test_a_model_is_found_by_its_whole_name(api: Api, fixtures: Fixtures) -> None:
    assert fixtures.workspace_id is not None
    name = f"{api.unused_name('m')}-AbC"
    version_id = api.upload(api.uploads[0], name, model_file(), fixtures.workspace_id)
    for other in others_like(name):
        answer = api.send("list_model_versions", {"model_id": other})
        assert not answer.is_success or answer.json() == [], f"no model is called {other}"
    made, others = {name: version_id}, f"{name[:-3]}aBc"
    for upload in api.uploads[1:]:
        made[others] = api.upload(upload, others, model_file(), fixtures.workspace_id)
    for each, number in made.items():
        listed = {found["id"] for found in api.call("list_model_versions", {"model_id": each})}
        assert listed & {*made.values()} == {number}, "names in other letters are one"


@pytest.mark.touches("create_assay", "list_assays", if_there=("schedule_assay_v2", "get_assay_v2_by_id"))
def test_the_name_of_an_assay_is_kept(api: Api, fixtures: Fixtures) -> None:
    for ending in ("Größe é", "模型 🚀", "a/b?c&d=%20 +"):
        name = f"{api.unused_name('a')} {ending}"
        number = api.call("create_assay", assay_request(fixtures, name=name))["assay_id"]
        listed = api.call("list_assays", {"pipeline_id": fixtures.pipeline_id})
        assert [each["name"] for each in listed if each["id"] == number] == [name]
        if api.has("schedule_assay_v2"):
            number = api.call("schedule_assay_v2", second_assay_request(fixtures) | {"name": name})
            assert api.call("get_assay_v2_by_id", {"id": number})["name"] == name


class TestRefusals:
    """A name that the contract does not allow is refused, beside one with the same beginning that it allows."""

    @pytest.mark.touches("create_pipeline", if_there=("copy_pipeline", "deploy_pipeline"))
    @pytest.mark.parametrize(
        "ending",
        ["_x", ".x", "-", "x" * 64, "\u00e4"],
        ids=["underscore", "dot", "dash", "too long", "umlaut"],
    )
    def test_of_a_pipeline(self, ending: str, api: Api, fixtures: Fixtures) -> None:
        body: dict[str, Any] = {"workspace_id": fixtures.workspace_id, "definition": {}}
        name = api.unused_name("p")
        assert api.call_refused("create_pipeline", body | {"pipeline_id": name + ending}) == 400
        made = api.call("create_pipeline", body | {"pipeline_id": name + "-x"})
        other, source = api.unused_name("p"), made["pipeline_pk_id"]
        copy = {"name": other, "workspace_id": fixtures.workspace_id, "source_pipeline": source}
        for bad in ({"name": other + ending}, {"deploy": other + ending}) if api.has("copy_pipeline") else ():
            assert api.call_refused("copy_pipeline", copy | bad) == 400
        version = {"pipeline_id": source, "pipeline_version_pk_id": made["pipeline_variant_pk_id"]}
        assert api.call_refused("deploy_pipeline", version | {"deploy_id": other + ending}) == 400

    @pytest.mark.touches("create_workspace")
    @pytest.mark.parametrize(
        "ending",
        ["_x", ".x", "-", "A", "-Ab-c", "x" * 64, "\u00e4", "\u0663x"],
        ids=["underscore", "dot", "dash", "capital", "capital within", "too long", "umlaut", "digit beyond ASCII"],
    )
    def test_of_a_workspace(self, ending: str, api: Api) -> None:
        name = api.unused_name("w")
        assert api.call_refused("create_workspace", {"workspace_name": name + ending}) == 400
        api.call("create_workspace", {"workspace_name": name + "-x"})

    @pytest.mark.touches("create_workspace", "list_workspaces")
    def test_of_a_workspace_by_one_character(self, api: Api) -> None:
        longest = long_name(api, "w", LONGEST_LABEL, capitals=False)
        assert api.call_refused("create_workspace", {"workspace_name": f"{longest}x"}) == 400
        names = {each["name"] for each in api.call("list_workspaces", {})["workspaces"]}
        assert not names & {longest, f"{longest}x"}, "what was refused is there, or a part of it"
        assert api.call_refused("create_workspace", {"workspace_name": longest[:-1] + "-"}) == 400
        api.call("create_workspace", {"workspace_name": longest})

    @pytest.mark.touches("upload_model", if_there=UPLOADS)
    @pytest.mark.parametrize(
        "ending", ["_x", "-", "x" * 256, "\u00e4"], ids=["underscore", "dash", "too long", "umlaut"]
    )
    def test_of_a_model(self, ending: str, api: Api, fixtures: Fixtures) -> None:
        name, fields = api.unused_name("m"), {"visibility": "private", "workspace_id": fixtures.workspace_id}
        for upload in api.uploads:
            bad, good = (
                api.upload_of(upload, fields | {"name": (name + end)[: LONGEST_MODEL + 1]}, "model.onnx", model_file())
                for end in (ending, "-x")
            )
            assert api.call_refused(upload, **bad) == 400
            api.call(upload, **good)
