"""Are the versions of a model kept apart, and is each shown as it was uploaded, converted and configured?"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from wallaroo_ext._util.json_values import object_of
from wallaroo_ext.conformance.guard.owned_resources import NOBODYS
from wallaroo_ext.conformance.resources.samples import model_file, schema_of
from wallaroo_ext.conformance.testing.answer_forms import is_empty
from wallaroo_ext.conformance.testing.api_calls import UPLOADS
from wallaroo_ext.conformance.testing.read_back import changed_fields, differences, kept_of, twice_in
from wallaroo_ext.conformance.testing.waiting import ended_version, failed_version
from wallaroo_ext.resources.models import listed_model

if TYPE_CHECKING:
    from collections.abc import Iterator

    from wallaroo_ext.conformance.resources.fixtures import Fixtures
    from wallaroo_ext.conformance.suite import Suite
    from wallaroo_ext.conformance.testing.api_calls import Api
    from wallaroo_ext.conformance.testing.people import Person

pytestmark = pytest.mark.thorough("versions of models that are compared")

CONVERSIONS: tuple[dict[str, Any], ...] = (
    {"framework": "onnx", "python_version": "3.10", "requirements": ["two==2.0", "one==1.0"], "arch": "x86"},
    {"framework": "onnx", "python_version": "3.8", "requirements": ["three==3.0"], "arch": "arm"},
    {"framework": "onnx", "requirements": []},
    {
        "framework": "onnx",
        "python_version": "3.9",
        "requirements": ["a-b[c]>=1,<2"],
        "arch": None,
        "framework_config": None,
    },
)
"""What the versions of one model need to run, each something else."""


def new_workspace(api: Api) -> int:
    """Make a workspace, whose lists are short, and return its id."""
    return api.call("create_workspace", {"workspace_name": api.unused_name("w")})["workspace_id"]


def converted(api: Api, upload: str, name: str, workspace_id: int) -> dict[int, dict[str, Any]]:
    """Upload a version of a model for each conversion, and return how each is to be shown, by their ids."""
    expected: dict[int, dict[str, Any]] = {}
    for number, needs in enumerate(CONVERSIONS):
        unknown = {api.unused_name("x"): number}  # which is ignored, as other unknown fields are
        metadata = {"name": name, "visibility": "private", "workspace_id": workspace_id, "conversion": needs | unknown}
        content = model_file(seed=320 + number)
        file = (f"file-{number}.onnx", content, "application/octet-stream")
        files = [("metadata", (None, json.dumps(metadata), "application/json")), ("file", file)]
        made = api.version_in(api.call(upload, files=files))
        expected[made] = {"conversion": needs, "file_info": {"file_name": file[0], "size": len(content)}}
    return expected


@pytest.mark.touches("get_model_version_by_id", "list_models", if_there=UPLOADS[:1])
def test_each_version_keeps_what_it_was_converted_with(api: Api) -> None:
    if not api.has("get_model_version_by_id") or not api.has(UPLOADS[0]):
        pytest.skip("The release does not have it.")
    name, where = api.unused_name("m"), new_workspace(api)
    expected = converted(api, UPLOADS[0], name, where)
    shown = [api.call("get_model_version_by_id", {"model_version_id": number})["model_version"] for number in expected]
    times = [time for each in shown if (time := each["model_version"].get("created_at"))]
    if all("." in time for time in times):  # which tells them apart
        assert len(set(times)) == len(times), "two versions were uploaded at one time"
    alone = {each["model_version"]["id"]: each["model_version"] for each in shown}
    rows = api.call("list_models", {"workspace_id": where})["models"]
    listed = [each for row in rows if row.get("model", row)["name"] == name for each in row.get("model_versions", [])]
    for each in listed:
        version = each["model_version"]
        assert list(differences(kept_of(version), kept_of(alone[version["id"]]))) == []
    for each in shown + listed:
        version = each["model_version"]
        assert list(changed_fields(expected[version["id"]], version)) == [], (
            f"version {version['id']} of {sorted(expected)}"
        )


@pytest.mark.touches(
    "get_model_config_by_id",
    "get_model_version_by_id",
    "insert_model_config",
    if_there=(*UPLOADS, "list_model_versions", "list_models", "get_model", "get_model_by_id"),
)
def test_each_version_keeps_its_own_configuration(api: Api, fixtures: Fixtures) -> None:
    if not api.has("insert_model_config"):
        pytest.skip("The release does not have it.")
    assert fixtures.workspace_id is not None
    name = api.unused_name("m")
    versions = [api.upload(api.uploads[0], name, model_file(seed=seed), fixtures.workspace_id) for seed in (330, 331)]
    given: dict[int, dict[str, Any]] = {}
    api.call("get_model_by_id", {"id": versions[0]})  # so that a cache has its configuration
    for version, fields in zip(
        (*versions, versions[0]),
        (
            {"tensor_fields": ["first"], "filter_threshold": 0.25},
            {"tensor_fields": ["second"], "filter_threshold": 0.75},
            {"filter_threshold": 0.5},
        ),
        strict=True,
    ):
        before, numbers = given.get(version, {}).get("tensor_fields"), {each["id"] for each in given.values()}
        made = api.call("insert_model_config", {"model_version_id": version} | fields)["model_config"]
        given[version] = fields | {"id": made["id"], "model_version_id": version}
        assert before is None or made.get("tensor_fields") != before, "a new configuration has fields of the old one"
        assert made["id"] not in numbers, "a new configuration is an old one"
        for number, expected in given.items():
            shown = configurations_of(api, number)
            for each in shown:
                assert list(changed_fields(expected, each)) == [], f"version {number} of {versions}"
            assert list(differences(shown[0], shown[1])) == []
            assert number != version or list(differences(made, shown[0])) == []
    given |= new_version_beside(api, fixtures, name, given)
    check_versions_of(api, name, given)
    rows = api.call("list_models", {"workspace_id": fixtures.workspace_id})["models"]
    for row in rows:
        for each in row.get("model_versions", []):
            expected = given.get(each["model_version"]["id"])
            assert list(changed_fields(expected, each.get("config"))) == [], "it is listed as it was before"
    api.call_refused("insert_model_config", {"model_version_id": NOBODYS, "tensor_fields": ["first"]})


def configurations_of(api: Api, version_id: int) -> list[dict[str, Any]]:
    """Return the configuration of a version, as each operation shows it."""
    by_version = api.call("get_model_version_by_id", {"model_version_id": version_id})["model_version"]["config"]
    return [api.call("get_model_config_by_id", {"model_id": version_id})["model_config"], by_version]


def new_version_beside(
    api: Api, fixtures: Fixtures, name: str, given: dict[int, dict[str, Any]]
) -> dict[int, dict[str, Any]]:
    """Upload a version beside those that were configured, check that it has nothing of them, and return what it has."""
    version = api.upload(api.uploads[0], name, model_file(seed=332), fixtures.workspace_id or 0)
    for number, expected in given.items():
        for shown in configurations_of(api, number):
            assert list(changed_fields(expected, shown)) == [], f"version {number} was configured before {version} came"
    own = [object_of(each) for each in configurations_of(api, version) if each]
    for each in own:
        assert each["id"] not in {other["id"] for other in given.values()}, "a new version has another's configuration"
        assert each.get("model_version_id") in {None, version}
        fields = [other.get("tensor_fields") for other in given.values()]
        assert not each.get("tensor_fields") or each["tensor_fields"] not in fields
    return {version: own[0] if own else {}}


def check_versions_of(api: Api, name: str, configured: dict[int, dict[str, Any]]) -> None:
    """Check that each version of a model is shown once, and the model with a configuration that one of them has now."""
    listed = api.call("list_model_versions", {"model_id": name})
    model = listed[0]["models_pk_id"]
    for found in (listed, api.call("get_model", {"id": model})["models"]):
        assert sorted(each["id"] for each in found) == sorted(configured), "each version once"
    shown = object_of(api.call("get_model_by_id", {"id": model})["model_config"])
    [current, *_] = [*(each for each in configured.values() if each.get("id") == shown.get("id")), None]
    assert current is not None, f"the model has a configuration that no version has: {shown}"
    assert list(changed_fields(current, shown)) == []


@pytest.mark.touches(if_there=(*UPLOADS, "get_model_version_by_id", "list_model_versions"))
@pytest.mark.parametrize("upload", UPLOADS[:2])
def test_what_stands_beside_the_conversion_is_kept(upload: str, api: Api, conformance_suite: Suite) -> None:
    if not api.has(upload) or "metadata" not in fields_of_form(conformance_suite, upload):
        pytest.skip("The release does not have it.")
    needs: dict[str, Any] = {"framework": "onnx", "python_version": "3.10", "requirements": ["one==1.0"]}
    fields: dict[str, Any] = {"name": api.unused_name("m"), "visibility": "public", "workspace_id": new_workspace(api)}
    schemas = {"input_schema": schema_of("first"), "output_schema": schema_of("second")}
    kept: dict[int, Any] = {}
    for more in ({}, schemas):
        unknown = {api.unused_name("x"): 1}  # which is ignored, as other unknown fields are
        metadata = json.dumps(fields | {"conversion": needs | unknown} | more)
        file = ("model.onnx", model_file(seed=390), "application/octet-stream")
        answer = api.send(upload, files=[("metadata", (None, metadata, "application/json")), ("file", file)])
        assert answer.is_success or more, f"{upload} by metadata: {answer.status_code} {answer.text[:300]}"
        if answer.is_success:  # it may take no schemas for a model that says its own
            kept[api.version_in(answer.json())] = more
    assert {each["id"] for each in api.call("list_model_versions", {"model_id": fields["name"]})} == set(kept)
    for number, more in kept.items() if api.has("get_model_version_by_id") else ():
        shown = api.call("get_model_version_by_id", {"model_version_id": number})["model_version"]
        assert list(changed_fields(fields | {"conversion": needs}, shown["model_version"])) == []
        config = object_of(shown.get("config"))
        of_model = {name: config[name] for name in more if config.get(name)}
        assert of_model in ({}, more), "it has other schemas than were sent with it"


def fields_of_form(suite: Suite, operation: str) -> dict[str, Any]:
    """Return the fields of the form that an operation takes."""
    [content] = suite.rules.request_content(operation).values()
    return suite.rules.schemas.resolve(content["schema"])["properties"]


@pytest.mark.touches("list_model_versions", if_there=UPLOADS)
def test_an_upload_need_not_say_who_may_see_the_model(api: Api, fixtures: Fixtures) -> None:
    for upload in api.uploads[1:]:  # the first one needs it
        name = api.unused_name("m")
        fields = {"name": name, "workspace_id": fixtures.workspace_id}
        made = api.call(upload, **api.upload_of(upload, fields, "model.onnx", model_file()))
        [version] = api.call("list_model_versions", {"model_id": name})
        number = api.version_in(made)
        assert (version["id"], version["models_pk_id"]) == (number, number), "a first version has its model's id"
        ended_version(api, name, number)
        assert logs_of(api, number) == [], "it needed no conversion"


@pytest.mark.touches("list_model_versions", "get_model", "list_models", if_there=UPLOADS)
def test_an_upload_that_is_refused_adds_no_version(api: Api, conformance_suite: Suite) -> None:
    name, where = api.unused_name("m"), new_workspace(api)
    version = api.upload(api.uploads[0], name, model_file(), where)
    ended_version(api, name, version)
    before = api.list_models(where)
    good = {"name": name, "visibility": "private", "workspace_id": where}
    for upload in api.uploads:
        for bad in (
            {"visibility": "Public"},
            {"workspace_id": NOBODYS},
            {"name": f"{name}."},
        ):
            answer = api.send(upload, **api.upload_of(upload, good | bad, "model.onnx", model_file()))
            assert not answer.is_success, f"{upload} takes {bad}"
        for text, request in badly_described(api, upload, good, conformance_suite):
            answer = api.send(upload, **request)
            assert answer.status_code == 400, f"{upload} takes {text}: {answer.status_code} {answer.text[:300]}"
    assert [each["id"] for each in api.call("list_model_versions", {"model_id": name})] == [version]
    assert api.list_models(where) == before, "what was refused changed the model"


def badly_described(api: Api, upload: str, good: dict[str, Any], suite: Suite) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield uploads with one field that is missing or of another type, each with what is sent, for a person."""
    content = model_file()
    if upload == "upload_model_stream":
        request = api.upload_of(upload, good, "model.onnx", content)
        params = {key: request["params"][key] for key in request["params"] if key != "filename"}
        yield f"{params}", request | {"params": params}
        return
    schema = fields_of_form(suite, upload).get("metadata")
    if schema is None:
        return
    validator = suite.rules.schemas.validator(schema)
    needs: dict[str, Any] = {"framework": "onnx", "requirements": []}
    file = ("model.onnx", content, "application/octet-stream")
    for metadata in (
        {key: good[key] for key in good if key != "visibility"} | {"conversion": needs},
        good | {"visibility": None, "conversion": needs},
        good | {"workspace_id": str(good["workspace_id"]), "conversion": needs},
        good,
        good | {"conversion": "onnx"},
        *(good | {"conversion": each} for each in ({}, {"framework": ""}, {"framework": None})),
        *(good | {"conversion": needs | each} for each in ({"requirements": "one==1.0"}, {"requirements": [1]})),
        good | {"conversion": needs | {"python_version": 3.8}},
    ):
        if not validator.is_valid(metadata):  # releases differ
            text = json.dumps(metadata)
            yield text, {"files": [("metadata", (None, text, "application/json")), ("file", file)]}


@pytest.mark.touches("list_model_versions", "get_model", "get_model_by_id", if_there=UPLOADS)
def test_a_version_is_no_model_and_a_name_decides(api: Api, fixtures: Fixtures) -> None:
    assert fixtures.workspace_id is not None
    names = [api.unused_name("m") for _ in range(2)]
    ids = {
        name: [api.upload(api.uploads[-1], name, model_file(seed=391 + n), fixtures.workspace_id) for n in range(2)]
        for name in names
    }
    for name, (first, second) in ids.items():
        versions = api.call("list_model_versions", {"model_id": name})
        assert {each["models_pk_id"] for each in versions} == {first}, "a first version has its model's id"
        assert {each["id"] for each in api.call("list_model_versions", {"models_pk_id": first})} == {first, second}
        for operation in ("get_model", "get_model_by_id"):
            answer = api.send(operation, {"id": second})
            assert not answer.is_success or answer.json()["name"] != name, f"{operation} takes a version for its model"
        answer = api.send("list_model_versions", {"models_pk_id": second})
        of_second: list[dict[str, Any]] = answer.json() if answer.is_success else []
        assert name not in {each["model_id"] for each in of_second}, "a version is taken for its model"
    [(name, own), (_, others)] = ids.items()
    both = {each["id"] for each in api.call("list_model_versions", {"model_id": name, "models_pk_id": others[0]})}
    assert both in ({*own}, {*own, *others}), "with both, the name decides, or what either names is listed"


@pytest.mark.touches(
    "list_model_versions",
    "get_model",
    "get_model_by_id",
    "get_model_config_by_id",
    "add_workspace_user",
    if_there=(*UPLOADS, "get_model_version_by_id"),
)
def test_a_public_model_is_everybodys(stranger: Person, api: Api) -> None:
    where = new_workspace(api)
    for visibility in ("public", "private"):
        name = api.unused_name("m")
        fields = {"name": name, "visibility": visibility, "workspace_id": where}
        made = api.call(api.uploads[-1], **api.upload_of(api.uploads[-1], fields, "model.onnx", model_file()))
        number = api.version_in(made)
        model = ended_version(api, name, number)["models_pk_id"]
        requests: dict[str, dict[str, Any]] = {
            "list_model_versions": {"model_id": name},
            "get_model": {"id": model},
            "get_model_by_id": {"id": model},
            "get_model_version_by_id": {"model_version_id": number},
            "get_model_config_by_id": {"model_id": number},
        }
        by_id = ("list_model_versions", {"models_pk_id": model})
        for operation, body in (*requests.items(), by_id):
            if not api.has(operation):
                continue
            own, answer = api.call(operation, body), stranger.send(operation, body)
            is_seen = answer.is_success and answer.json() == own
            assert is_seen is (visibility == "public"), f"{operation} of a {visibility} model: {answer.text[:300]}"
            assert is_seen or not answer.is_success or is_empty(answer), f"a stranger sees: {answer.text[:300]}"
        if visibility == "public":
            for again in (stranger.send(*by_id), api.send(*by_id)):
                assert twice_in(again.json()) == [], "what several see is listed more than once"


@pytest.mark.touches("get_model", "get_model_by_id", "list_models", "list_workspaces", if_there=UPLOADS)
def test_a_second_version_moves_only_when_the_model_was_changed(api: Api) -> None:
    name, where = api.unused_name("m"), new_workspace(api)

    def states() -> list[dict[str, Any]]:
        """Return the model as each operation shows it."""
        [listed] = [each for each in api.list_models(where) if each["name"] == name]
        return [listed, *(api.call(operation, {"id": listed["id"]}) for operation in ("get_model", "get_model_by_id"))]

    def workspace_made() -> Any:
        """Return when its workspace was made."""
        listed = api.call("list_workspaces", {})["workspaces"]
        return next(each.get("created_at") for each in listed if each["id"] == where)

    made = workspace_made()
    api.upload(api.uploads[0], name, model_file(seed=340), where)
    first = states()
    for upload in reversed(api.uploads):
        api.upload(upload, name, model_file(seed=341), where)
        second = states()
        for before, after in zip(first, second, strict=True):
            if "created_at" in before:
                assert after["created_at"] == before["created_at"]
            if "updated_at" in before:
                assert after["updated_at"] != before["updated_at"]
        for each in second[1:]:
            assert list(differences(second[0], each)) == []
        first = second
    assert workspace_made() == made, "a model makes its workspace a new one"


@pytest.mark.touches(
    "list_model_versions", "get_model", "create_workspace", if_there=(*UPLOADS, "list_models", "get_model_by_id")
)
def test_one_file_under_one_name_in_two_workspaces_is_two_models(api: Api) -> None:
    name, content = api.unused_name("m"), model_file(seed=350)
    places = [new_workspace(api) for _ in range(2)]
    for upload in api.uploads:
        versions = [api.upload(upload, name, content, place) for place in places]
        assert len(set(versions)) == len(versions)
    uuids = list[str]()
    for place in places:
        [model] = [each for each in api.list_models(place) if each["name"] == name]
        shown = api.call("get_model", {"id": model["id"]})["models"]
        assert len(shown) == len(api.uploads), "it has the versions of another workspace's model"
        assert {each["models_pk_id"] for each in shown} == {model["id"]}
        rows = api.call("list_models", {"workspace_id": place})["models"]
        whole, by_id = (api.call(operation, {"id": model["id"]}) for operation in ("get_model", "get_model_by_id"))
        found: set[Any] = {object_of(each.get("workspace")).get("id") for each in (*rows, whole)}
        found |= {each.get("workspace_id") for each in (model, by_id)}
        assert found <= {None, place}, "it is shown in another workspace"
        [workspace] = [each for each in api.call("list_workspaces", {})["workspaces"] if each["id"] == place]
        workspace = {key: workspace[key] for key in ("id", "name", "archived", "created_at") if key in workspace}
        for each in (*rows, whole):
            assert list(differences(workspace, object_of(each.get("workspace")))) == []
        own = api.call("list_model_versions", {"models_pk_id": model["id"]})
        both = api.call("list_model_versions", {"model_id": name, "models_pk_id": model["id"]})
        numbers = {each["id"] for each in own}
        assert numbers <= {each["id"] for each in both}, "with both, versions of the model that has the id are missing"
        assert twice_in(both) == []
        assert {each["model_id"] for each in both} <= {name}
        uuids += [each["model_version"] for each in own]
    assert len(set(uuids)) == len(uuids), "versions of the same file have one UUID"


@pytest.mark.touches("list_model_versions", if_there=UPLOADS)
def test_a_name_that_is_the_beginning_of_another_is_another(api: Api, fixtures: Fixtures) -> None:
    assert fixtures.workspace_id is not None
    name = api.unused_name("m")
    names = (f"{name}-longer", name)
    made = {each: api.upload(api.uploads[0], each, model_file(seed=360), fixtures.workspace_id) for each in names}
    for each in names:
        assert [found["id"] for found in api.call("list_model_versions", {"model_id": each})] == [made[each]]


@pytest.mark.touches("list_models", "create_workspace", if_there=UPLOADS)
def test_a_public_model_is_listed_in_its_own_workspace_only(api: Api) -> None:
    name, where, elsewhere = api.unused_name("m"), new_workspace(api), new_workspace(api)
    fields = {"name": name, "visibility": "public", "workspace_id": where}
    api.call(api.uploads[-1], **api.upload_of(api.uploads[-1], fields, "model.onnx", model_file()))
    [row] = api.call("list_models", {"workspace_id": where})["models"]
    assert listed_model(row)["name"] == name
    shown = {each["model_version"].get("visibility", "public") for each in row.get("model_versions", [])}
    assert shown <= {"public"}, "it is listed as private"
    assert api.list_models(elsewhere) == []


@pytest.mark.touches(
    "list_model_versions",
    "upload_and_convert_model",
    "get_model",
    "list_models",
    if_there=("get_model_upload_logs", "get_model_version_by_id"),
)
def test_a_version_that_is_not_converted_leaves_the_others_as_they_are(api: Api, fixtures: Fixtures) -> None:
    name, operation = api.unused_name("m"), "upload_and_convert_model"
    if not api.has(operation):
        pytest.skip("The release does not have it.")
    good = [api.upload(operation, name, model_file(seed=380), fixtures.workspace_id or 0)]
    ended_version(api, name, good[0])
    bad = failed_version(api, fixtures.workspace_id, name)
    if bad is None:
        pytest.skip("This instance does not convert a file that is no model, or not within a minute.")
    logged = logs_of(api, bad["id"])
    good.append(api.upload(operation, name, model_file(seed=381), fixtures.workspace_id or 0))
    ended_version(api, name, good[1])
    listed = {each["id"]: each.get("status", "ready") for each in api.call("list_model_versions", {"model_id": name})}
    assert listed == {bad["id"]: "error"} | dict.fromkeys(good, "ready")
    numbers = (*good, bad["id"])
    model = api.call("get_model", {"id": bad["models_pk_id"]})["models"]
    assert sorted(each["id"] for each in model) == sorted(numbers), "a model has all of its versions"
    for row in api.call("list_models", {"workspace_id": fixtures.workspace_id})["models"]:
        if row.get("model", row)["name"] == name and "model_versions" in row:
            versions = [each["model_version"] for each in row["model_versions"]]
            assert {each["id"]: each["status"] for each in versions} == listed
    for number in numbers if api.has("get_model_version_by_id") else ():
        shown = api.call("get_model_version_by_id", {"model_version_id": number})["model_version"]["model_version"]
        assert shown["status"] == listed[number]
        reason = shown.get("error_summary")
        assert number not in good or not reason, f"it is ready, and ended in an error: {reason}"
        assert number in good or "error_summary" not in shown or reason, "it does not say why it ended in an error"
    assert logs_of(api, bad["id"])[: len(logged)] == logged
    assert not logged or logged not in [logs_of(api, number) for number in good], "a version has another's lines"


def logs_of(api: Api, version_id: int) -> list[str]:
    """Return what the conversion of a version logged; nothing where the release does not tell."""
    operation = "get_model_upload_logs"
    return api.call(operation, {"model_version_id": version_id})["logs"] if api.has(operation) else []


@pytest.mark.touches("get_model_upload_logs", "upload_and_convert_model")
def test_the_lines_of_a_conversion_are_the_newest_in_their_order(api: Api, fixtures: Fixtures) -> None:
    version = failed_version(api, fixtures.workspace_id)
    if version is None or not api.has("get_model_upload_logs"):
        pytest.skip("This instance logs no conversion of a file that is no model.")
    which = {"model_version_id": version["id"]}
    logged: list[str] = api.call("get_model_upload_logs", which)["logs"]
    shortened = {
        lines: api.call("get_model_upload_logs", which | {"lines": lines})["logs"]
        for lines in {1, 2, len(logged) - 1, len(logged), len(logged) + 1} - {-1, 0}
    }
    if api.call("get_model_upload_logs", which | {"lines": None})["logs"] != logged:
        pytest.skip("The log still grows.")
    assert shortened == {lines: logged[-lines:] for lines in shortened}
    assert not [line for line in logged if "\n" in line.rstrip("\n")], "an item is a line"
    times = [line.partition(" ")[0] for line in logged]
    if times and len({len(time) for time in times}) == 1 and all(time.endswith("Z") for time in times):
        assert times[0] <= times[-1], "the newest line is the last"
