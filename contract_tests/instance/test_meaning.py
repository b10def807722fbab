"""Do the operations mean what they say? What was made is listed, what was deployed answers, what was ended does not."""

from __future__ import annotations

import hashlib
import json
import time
import uuid
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from wallaroo_ext.conformance.guard.owned_resources import NOBODYS, NOBODYS_UUID
from wallaroo_ext.conformance.guard.write_guard import WithheldError
from wallaroo_ext.conformance.resources.fixtures import PASSWORD, assay_request
from wallaroo_ext.conformance.resources.samples import INPUT, OUTPUT, arrow_file, model_file, scored
from wallaroo_ext.conformance.testing.answer_forms import inputs_of, media_type_of, outputs, scores_of
from wallaroo_ext.conformance.testing.api_calls import UPLOADS
from wallaroo_ext.conformance.testing.framing import send_alone
from wallaroo_ext.conformance.testing.inference.scoring import is_running
from wallaroo_ext.conformance.testing.read_back import changed_fields
from wallaroo_ext.conformance.testing.waiting import by_id, failed_version, soon

if TYPE_CHECKING:
    import pyarrow as pa

    from wallaroo_ext.conformance.resources.fixtures import Fixtures
    from wallaroo_ext.conformance.suite import Suite
    from wallaroo_ext.conformance.testing.api_calls import Api

ONE_OF_REQUIRED = ("add_workspace_user", "remove_workspace_user", "list_model_versions", "undeploy_pipeline")
"""The operations whose request needs one of several fields, by `x-one-of-required`."""
ROWS = [[1.0, -2.0, 3.5, 0.25], [0.5, 0.5, -0.5, 8.0], [0.0, 0.0, 0.0, 0.0]]
RECORDS = "application/json; format=pandas-records"
ARROW = "application/vnd.apache.arrow.file"
MOST_BYTES = 1 << 20
"""The largest answer to a few rows, in bytes of memory."""


A_DAY = {"start": "2023-01-01T00:00:00Z", "end": "2023-01-02T00:00:00Z"}
NEW_NAME = object()
"""Stands for a name of the run that is not taken yet."""
OF_NOTHING: dict[str, dict[str, Any]] = {
    "list_models": {"workspace_id": NOBODYS},
    "list_workspace_users": {"workspace_id": NOBODYS},
    "get_model": {"id": NOBODYS},
    "get_model_by_id": {"id": NOBODYS},
    "get_model_config_by_id": {"model_id": NOBODYS},
    "get_model_version_by_id": {"model_version_id": NOBODYS},
    "get_model_upload_logs": {"model_version_id": NOBODYS},
    "get_pipeline_by_name": {"workspace_id": NOBODYS, "pipeline_name": "nothing"},
    "get_pipeline_logs": {"workspace_id": NOBODYS, "pipeline_name": "nothing"},
    "get_topic_name": {"pipeline_pk_id": NOBODYS},
    "create_pipeline": {"pipeline_id": NEW_NAME, "workspace_id": NOBODYS, "definition": {}},
    "undeploy_pipeline": {"pipeline_id": NOBODYS},
    "get_deployment_status": {"name": f"nothing-{NOBODYS}"},
    "get_pipeline_external_url": {"workspace_id": NOBODYS, "pipeline_name": "nothing"},
    "get_pipeline_version": {"version": NOBODYS_UUID},
    "list_assays": {"pipeline_id": NOBODYS},
    "get_assay_by_id": {"id": NOBODYS},
    "get_assay_v2_by_id": {"id": NOBODYS_UUID},
    "set_assay_v2_active": {"assay_id": NOBODYS_UUID, "active": True},
    "set_assay_active": {"id": NOBODYS, "active": True},
    "get_assay_results": {"assay_id": NOBODYS, **A_DAY},
    "get_assay_results_between": {"assay_id": NOBODYS, **A_DAY},
    "get_assay_baseline": {"workspace_id": NOBODYS, "pipeline_name": "nothing"},
    "get_next_assay_run_v2": {"assay_id": NOBODYS_UUID},
    "get_assay_results_v2": {"id": NOBODYS_UUID, **A_DAY},
}
"""Requests about things that are not there."""


class TestModels:
    @pytest.mark.touches("list_model_versions", "list_models", "get_model", "get_model_by_id", if_there=UPLOADS)
    @pytest.mark.parametrize("upload", UPLOADS)
    def test_what_was_uploaded_is_listed_with_its_digest(self, upload: str, api: Api, fixtures: Fixtures) -> None:
        if not api.has(upload):
            pytest.skip("The release does not have it.")
        name, content, workspace_id = api.unused_name("m"), model_file(seed=7), fixtures.workspace_id
        assert workspace_id is not None
        version_id = api.upload(upload, name, content, workspace_id)

        version = by_id(api.call("list_model_versions", {"model_id": name}), version_id)
        assert version["sha"] == hashlib.sha256(content).hexdigest()
        assert version.get("model_id") == name
        assert version.get("file_name") == f"{name}.onnx"
        assert uuid.UUID(version["model_version"]).int, "a version has a UUID"

        model = by_id(api.list_models(workspace_id), version["models_pk_id"])
        assert model["name"] == name
        assert api.call("get_model_by_id", {"id": model["id"]})["id"] == model["id"]
        shown = api.call("get_model", {"id": model["id"]})
        assert (shown["id"], shown["name"]) == (model["id"], name)
        assert [found["sha"] for found in shown["models"]] == [version["sha"]]

    @pytest.mark.touches("list_model_versions", "list_models", if_there=UPLOADS)
    def test_a_second_upload_adds_a_version(self, api: Api, fixtures: Fixtures) -> None:
        name, workspace_id = api.unused_name("m"), fixtures.workspace_id
        assert workspace_id is not None
        if not api.uploads:
            pytest.skip("The contract has no upload.")
        ways = api.uploads if len(api.uploads) > 1 else api.uploads * 2
        files = [model_file(seed=number) for number in range(1, len(ways) + 1)]
        ids = [api.upload(way, name, file, workspace_id) for way, file in zip(ways, files, strict=True)]
        assert len(set(ids)) == len(ids)

        listed = api.call("list_model_versions", {"model_id": name})
        expected = {version_id: hashlib.sha256(file).hexdigest() for version_id, file in zip(ids, files, strict=True)}
        assert {found["id"]: found["sha"] for found in listed} == expected
        again = api.call("list_model_versions", {"model_id": name, "models_pk_id": 0})
        assert {found["id"]: found["sha"] for found in again} == expected, "0 is as good as none"
        number = listed[0]["models_pk_id"]
        for body in ({"model_id": name, "models_pk_id": None}, {"model_id": None, "models_pk_id": number}):
            found = api.call("list_model_versions", body)
            assert {each["id"] for each in found} == set(expected), f"null is as good as absent: {body}"
        for row in api.call("list_models", {"workspace_id": workspace_id})["models"]:
            if row.get("model", row)["name"] == name and "model_versions" in row:
                assert {each["model_version"]["id"] for each in row["model_versions"]} == set(ids)
        assert len({found["model_version"] for found in listed}) == len(ids)
        [model_id] = {found["models_pk_id"] for found in listed}
        assert model_id in {model["id"] for model in api.list_models(workspace_id)}

    @pytest.mark.touches("list_model_versions", if_there=UPLOADS)
    @pytest.mark.parametrize("upload", UPLOADS)
    def test_a_second_upload_of_one_file_adds_a_version(self, upload: str, api: Api, fixtures: Fixtures) -> None:
        if not api.has(upload):
            pytest.skip("The release does not have it.")
        assert fixtures.workspace_id is not None
        name, content = api.unused_name("m"), model_file(seed=9)
        ids = {api.upload(upload, name, content, fixtures.workspace_id) for _ in range(2)}
        assert {version["id"] for version in api.call("list_model_versions", {"model_id": name})} == ids
        assert len(ids) == 2

    @pytest.mark.touches("list_model_versions", if_there=UPLOADS)
    @pytest.mark.parametrize("upload", UPLOADS)
    def test_the_end_of_a_file_is_kept(self, upload: str, api: Api, fixtures: Fixtures) -> None:
        if not api.has(upload):
            pytest.skip("The release does not have it.")
        assert fixtures.workspace_id is not None
        for ending in (b"\n", b"\r\n", b" \r\n\r\n--"):
            name, content = api.unused_name("m"), model_file(seed=8) + ending
            version_id = api.upload(upload, name, content, fixtures.workspace_id)
            version = by_id(api.call("list_model_versions", {"model_id": name}), version_id)
            assert version["sha"] == hashlib.sha256(content).hexdigest(), ending

    @pytest.mark.touches("list_model_versions", "upload_and_convert_model")
    def test_a_model_becomes_ready(self, api: Api, fixtures: Fixtures) -> None:
        assert fixtures.workspace_id is not None
        name = api.unused_name("m")
        version_id = api.upload(api.uploads[0], name, model_file(), fixtures.workspace_id)

        def status() -> str:
            return by_id(api.call("list_model_versions", {"model_id": name}), version_id).get("status", "ready")

        assert soon(lambda: status() in {"ready", "error"} and status()) == "ready"

    @pytest.mark.touches("upload_and_convert_model", "list_models")
    def test_a_file_that_is_no_model_is_listed(self, api: Api, fixtures: Fixtures) -> None:
        version = failed_version(api, fixtures.workspace_id)
        if version is None:
            pytest.skip("This instance does not convert a file that is no model, or not within a minute.")
        assert version["name"] in {model["name"] for model in api.list_models(fixtures.workspace_id)}

    @pytest.mark.touches("get_model_config_by_id")
    def test_a_configuration_is_that_of_the_version(self, api: Api, fixtures: Fixtures) -> None:
        found = api.call("get_model_config_by_id", {"model_id": fixtures.version_id})
        assert found["model_config"] is None or isinstance(found["model_config"], dict)

    @pytest.mark.touches("list_models", "upload_model_stream", "create_workspace")
    def test_models_of_another_workspace_are_not_listed(self, api: Api, fixtures: Fixtures) -> None:
        workspace_id = api.call("create_workspace", {"workspace_name": api.unused_name("w")})["workspace_id"]
        assert api.list_models(workspace_id) == []
        name = api.unused_name("m")
        api.upload("upload_model_stream", name, model_file(), workspace_id)
        assert [found["name"] for found in api.list_models(workspace_id)] == [name]
        assert name not in {found["name"] for found in api.list_models(fixtures.workspace_id)}


class TestPipelines:
    @pytest.mark.touches("list_pipelines", "get_pipeline_by_name", "create_pipeline")
    def test_a_new_pipeline_is_listed_in_its_workspace(self, api: Api, fixtures: Fixtures) -> None:
        if not api.has("list_pipelines"):
            pytest.skip("The release does not have it.")
        elsewhere = api.call("create_workspace", {"workspace_name": api.unused_name("w")})["workspace_id"]
        before = {found["pipeline"]["id"] for found in api.call("list_pipelines", {})["pipelines"]}
        assert api.call("list_pipelines", {"workspace_id": elsewhere})["pipelines"] == []
        name = api.unused_name("p")
        made = api.call("create_pipeline", {"pipeline_id": name, "workspace_id": elsewhere, "definition": {}})
        of_workspace = api.call("list_pipelines", {"workspace_id": elsewhere})["pipelines"]
        shown = api.call("get_pipeline_by_name", {"pipeline_name": name, "workspace_id": elsewhere})
        listed = api.call("list_workspaces", {})["workspaces"]
        workspaces = {each["id"]: each["name"] for each in listed}
        assert [number for each in listed for number in each["pipelines"]].count(made["pipeline_pk_id"]) == 1
        assert by_id(listed, elsewhere)["pipelines"] == [made["pipeline_pk_id"]]
        assert made["pipeline_variant_version"] in json.dumps(of_workspace), "it is listed without its version"
        assert not of_workspace[0].get("deployment"), "it is listed with a deployment"
        for found in (*of_workspace, shown):
            assert (found["pipeline"]["id"], found["pipeline"]["name"]) == (made["pipeline_pk_id"], name)
            assert (found["workspace"]["id"], found["workspace"]["name"]) == (elsewhere, workspaces[elsewhere])
        both = {"workspace_id": elsewhere, "workspace_name": workspaces[elsewhere]}
        assert [found["pipeline"]["id"] for found in api.call("list_pipelines", both)["pipelines"]] == [
            made["pipeline_pk_id"]
        ]
        everywhere = {found["pipeline"]["id"] for found in api.call("list_pipelines", dict.fromkeys(both))["pipelines"]}
        assert made["pipeline_pk_id"] in everywhere - before  # where others may have made some, too
        assert fixtures.pipeline_id in before

    @pytest.mark.touches("create_pipeline", "get_pipeline_version")
    def test_each_version_of_a_pipeline_has_its_own_steps(self, api: Api, fixtures: Fixtures) -> None:
        if not api.has("get_pipeline_version"):
            pytest.skip("The release does not have it.")
        assert fixtures.model is not None
        name, steps = api.unused_name("p"), [{"ModelInference": {"models": [fixtures.model]}}]
        versions: dict[str, dict[str, Any]] = {}
        definitions: list[dict[str, Any]] = [{"steps": steps}, {"steps": []}]
        for definition in definitions:
            body = {"pipeline_id": name, "workspace_id": fixtures.workspace_id, "definition": definition}
            made = api.call("create_pipeline", body)
            versions[made["pipeline_variant_version"]] = definition
            api.call_refused("get_pipeline_version", {"version": str(made["pipeline_variant_pk_id"])})
        for version, definition in versions.items():
            shown = api.call("get_pipeline_version", {"version": version})
            assert (shown["pipeline_id"], shown["version"]) == (name, version)
            changed = changed_fields(definition["steps"], shown["definition"]["steps"], is_whole=True)
            assert not list(changed)

    @pytest.mark.touches("create_pipeline", "list_workspaces")
    @pytest.mark.parametrize("steps", [0, 1])
    def test_a_second_pipeline_of_a_name_is_a_version_of_the_first(
        self, steps: int, api: Api, fixtures: Fixtures
    ) -> None:
        body: dict[str, Any] = {
            "pipeline_id": api.unused_name("p"),
            "workspace_id": fixtures.workspace_id,
            "definition": {"steps": [{"ModelInference": {"models": [fixtures.model]}}]} if steps else {},
        }
        first, second = api.call("create_pipeline", body), api.call("create_pipeline", body)
        other = api.call("create_pipeline", body | {"pipeline_id": api.unused_name("p")})
        third = api.call("create_pipeline", body)
        assert first["pipeline_pk_id"] == second["pipeline_pk_id"] == third["pipeline_pk_id"] != other["pipeline_pk_id"]
        versions = {found["pipeline_variant_pk_id"] for found in (first, second, other, third)}
        assert len(versions) == 4

        workspace = by_id(api.call("list_workspaces", {})["workspaces"], fixtures.workspace_id)
        assert {first["pipeline_pk_id"], other["pipeline_pk_id"]} <= set(workspace["pipelines"])
        for name in ("pipelines", "models"):
            assert len(workspace[name]) == len(set(workspace[name])), f"one of the {name} is shown twice"

    @pytest.mark.touches(
        "deploy_pipeline", "undeploy_pipeline", "get_deployment_status", "get_pipeline_external_url", "infer_pipeline"
    )
    def test_what_was_deployed_answers_until_it_is_undeployed(self, api: Api, fixtures: Fixtures) -> None:
        name = api.unused_name("p")
        deployed, request = deploy(api, fixtures, name)
        running(api, f"{name}-{deployed}")
        api.call_refused("get_deployment_status", {"name": f"{api.unused_name('p')}-{deployed}"})
        where = {"workspace_id": fixtures.workspace_id, "pipeline_name": name}
        url = api.call("get_pipeline_external_url", where)["url"]
        assert f"{name}-{deployed}" in url
        path = {"deployment": f"{name}-{deployed}", "pipeline": name}
        assert np.allclose(outputs(infer_records(api, "infer_pipeline", path)), scored(ROWS), rtol=1e-4)

        assert api.call("deploy_pipeline", request)["id"] == deployed, "deploying again gives the same id"

        pipeline = {"pipeline_id": request["pipeline_id"], "deployment_id": deployed}
        api.call("undeploy_pipeline", pipeline)
        api.call("undeploy_pipeline", {"deployment_id": deployed})  # it may be sent twice
        soon(lambda: api.send("get_deployment_status", {"name": f"{name}-{deployed}"}).status_code == 404)
        answer = api.send("infer_pipeline", records(ROWS), path=path, headers={"Content-Type": RECORDS})
        assert not answer.is_success, "what was undeployed still answers"

    @pytest.mark.touches(
        "deploy_pipeline",
        "undeploy_pipeline",
        "get_deployment_status",
        "infer_pipeline",
        if_there=("get_model_version_by_id",),
    )
    def test_of_two_deployments_of_a_pipeline_the_named_one_ends(self, api: Api, fixtures: Fixtures) -> None:
        first, second = api.unused_name("p"), api.unused_name("p")
        ended, request = deploy(api, fixtures, first)
        kept = api.call("deploy_pipeline", request | {"deploy_id": second})["id"]
        if kept == ended:
            pytest.skip("This instance has one deployment of a pipeline.")
        running(api, f"{second}-{kept}")
        api.call("undeploy_pipeline", {"pipeline_id": request["pipeline_id"], "deployment_id": ended})
        soon(lambda: api.send("get_deployment_status", {"name": f"{first}-{ended}"}).status_code == 404)
        assert api.send("get_deployment_status", {"name": f"{second}-{kept}"}).status_code == 200
        path = {"deployment": f"{second}-{kept}", "pipeline": first}
        found = infer_records(api, "infer_pipeline", path)  # the model that the other one had, too
        assert np.allclose(outputs(found), scored(ROWS), rtol=1e-4)
        if api.has("get_model_version_by_id"):
            shown = api.call("get_model_version_by_id", {"model_version_id": fixtures.version_id})["model_version"]
            assert shown["model_version"].get("deployed", True), "one of its deployments has ended, and not all"
        api.call("undeploy_pipeline", {"deployment_id": kept})

    @pytest.mark.touches("deploy_pipeline", "get_deployment_status")
    def test_a_status_is_that_of_the_deployment(self, api: Api, fixtures: Fixtures) -> None:
        assert fixtures.deployment is not None
        found = running(api, fixtures.deployment.name)
        assert found["engines"], "a running deployment has an engine"
        [pipelines] = [engine["pipeline_statuses"]["pipelines"] for engine in found["engines"][:1]]
        assert fixtures.name in {pipeline["id"] for pipeline in pipelines}
        [models] = [engine["model_statuses"]["models"] for engine in found["engines"][:1]]
        assert fixtures.model is not None
        assert fixtures.model["sha"] in {model["sha"] for model in models}

    @pytest.mark.touches("copy_pipeline", "deploy_pipeline", "infer_pipeline")
    def test_a_copy_does_what_its_source_does(self, api: Api, fixtures: Fixtures) -> None:
        assert fixtures.model is not None
        source = api.call(
            "create_pipeline",
            {
                "pipeline_id": api.unused_name("p"),
                "workspace_id": fixtures.workspace_id,
                "definition": {"steps": [{"ModelInference": {"models": [fixtures.model]}}]},
            },
        )
        name = api.unused_name("p")
        body = {"name": name, "workspace_id": fixtures.workspace_id, "source_pipeline": source["pipeline_pk_id"]}
        copied = api.call("copy_pipeline", body)
        assert copied["pipeline_pk_id"] != source["pipeline_pk_id"]

        ids = {"pipeline_id": copied["pipeline_pk_id"], "pipeline_version_pk_id": copied["pipeline_variant_pk_id"]}
        deployed = api.call("deploy_pipeline", ids | {"deploy_id": name})["id"]
        running(api, f"{name}-{deployed}")
        path = {"deployment": f"{name}-{deployed}", "pipeline": name}
        assert np.allclose(outputs(infer_records(api, "infer_pipeline", path)), scored(ROWS), rtol=1e-4)
        api.call("undeploy_pipeline", {"deployment_id": deployed})


class TestInference:
    """The three kinds of rows, at both kinds of URL."""

    @pytest.fixture(params=["infer_deployment", "infer_pipeline"])
    def where(self, request: pytest.FixtureRequest, fixtures: Fixtures) -> tuple[str, dict[str, str]]:
        assert fixtures.deployment is not None
        path = {"deployment": fixtures.deployment.name, "pipeline": fixtures.deployment.pipeline}
        return request.param, path

    @pytest.mark.touches("infer_deployment", "infer_pipeline")
    def test_records_give_the_models_numbers(self, where: tuple[str, dict[str, str]], api: Api) -> None:
        found = infer_records(api, *where)
        assert np.allclose(outputs(found), scored(ROWS), rtol=1e-4)
        if "outputs" in found[0]:
            return  # the oldest release answers with nothing else
        assert [row["in"][INPUT] for row in found] == ROWS
        assert all(abs(row["time"] / 1000 - time.time()) < 86_400 for row in found), "times are in milliseconds"

    @pytest.mark.touches("infer_deployment", "infer_pipeline")
    def test_the_only_input_may_be_called_tensor(self, where: tuple[str, dict[str, str]], api: Api) -> None:
        operation, path = where
        body = [{"tensor": row} for row in ROWS]
        found = api.call(operation, body, path=path, headers={"Content-Type": RECORDS})
        assert np.allclose(outputs(found), scored(ROWS), rtol=1e-4)

    @pytest.mark.touches("infer_deployment")
    def test_the_oldest_form_gives_the_same(self, api: Api, fixtures: Fixtures) -> None:
        assert fixtures.deployment is not None
        found = api.call("infer_deployment", {"tensor": ROWS}, path={"deployment": fixtures.deployment.name})
        assert np.allclose(outputs(found), scored(ROWS), rtol=1e-4)

    @pytest.mark.touches("infer_deployment", "infer_pipeline")
    @pytest.mark.parametrize("accept", ["application/json", ARROW])
    def test_arrow_gives_the_same_in_the_form_that_is_asked_for(
        self, accept: str, where: tuple[str, dict[str, str]], api: Api
    ) -> None:
        from wallaroo_ext._util.arrow.files import from_file

        operation, path = where
        headers = {"Content-Type": ARROW, "Accept": accept}
        answer = api.send(operation, path=path, content=arrow_file(ROWS), headers=headers)
        assert answer.status_code == 200, answer.text[:500]
        assert media_type_of(answer) == accept
        if accept == ARROW:
            table = from_file(answer.content, MOST_BYTES)
            assert table.num_rows == len(ROWS)
            numbers = np.array(_out_column(table).to_pylist()).reshape(len(ROWS), 1)
        else:
            numbers = outputs(answer.json())
        assert np.allclose(numbers, scored(ROWS), rtol=1e-4)

    @pytest.mark.touches("infer_deployment", "infer_pipeline")
    @pytest.mark.parametrize("separator", [".", "/", "__"])
    def test_a_separator_makes_rows_flat(self, separator: str, where: tuple[str, dict[str, str]], api: Api) -> None:
        operation, path = where
        params = {"dataset.separator": separator, "dataset.exclude[]": "metadata"}
        body, headers = records(ROWS), {"Content-Type": RECORDS}
        found = api.call(operation, body, path=path, headers=headers, params=params)
        if "outputs" in found[0]:
            pytest.skip("The release answers in one form only, which has no rows.")
        assert np.allclose([row[f"out{separator}{OUTPUT}"] for row in found], scored(ROWS), rtol=1e-4)
        assert not [name for row in found for name in row if name.startswith("metadata")]

    @pytest.mark.touches("infer_deployment", "infer_pipeline")
    @pytest.mark.parametrize("row", [{"other": [1.0]}, {INPUT: [1.0]}, {INPUT: "text"}, {}])
    def test_rows_that_do_not_fit_are_refused(self, row: Any, where: tuple[str, dict[str, str]], api: Api) -> None:
        operation, path = where
        answer = api.send(operation, [row], path=path, headers={"Content-Type": RECORDS})
        assert answer.status_code == 400, answer.text[:500]

    @pytest.mark.touches("infer_deployment", "infer_pipeline", "get_assay_baseline")
    @pytest.mark.counts_rows
    def test_what_was_scored_is_logged(self, where: tuple[str, dict[str, str]], api: Api, fixtures: Fixtures) -> None:
        operation, path = where
        row = [float(number) for number in np.random.default_rng(time.time_ns()).integers(-9999, 9999, 4)]
        api.call(operation, records([row]), path=path, headers={"Content-Type": RECORDS})
        of = {"workspace_id": fixtures.workspace_id, "pipeline_name": fixtures.name}

        def logged() -> list[Any]:
            return [found for found in api.call("get_assay_baseline", of) if inputs_of(found) == row]

        [found] = soon(logged)
        assert np.allclose(scores_of(found), scored([row])[0], rtol=1e-4)

    @pytest.mark.touches("get_pipeline_logs", "infer_pipeline")
    @pytest.mark.counts_rows
    def test_the_newest_row_of_the_log_is_the_one_that_was_scored_last(
        self, where: tuple[str, dict[str, str]], api: Api, fixtures: Fixtures
    ) -> None:
        if not api.has("get_pipeline_logs"):
            pytest.skip("The release does not have it.")
        operation, path = where
        row = [float(number) for number in np.random.default_rng(time.time_ns()).integers(-9999, 9999, 4)]
        api.call(operation, records([row]), path=path, headers={"Content-Type": RECORDS})
        names = {"pipeline_name": fixtures.name, "pipeline_id": fixtures.name}  # the second in 2023.2
        of = {"workspace_id": fixtures.workspace_id, "page_size": 5} | names

        def logged() -> list[Any]:
            return [found for found in api.call("get_pipeline_logs", of) if found["in"][INPUT] == row]

        [found] = soon(logged)
        assert np.allclose(found["out"][OUTPUT], scored([row])[0], rtol=1e-4)

    @pytest.mark.touches("get_topic_name", "get_topic_records", "infer_pipeline")
    @pytest.mark.counts_rows
    def test_what_was_scored_is_in_the_topic_of_the_pipeline(
        self, where: tuple[str, dict[str, str]], api: Api, fixtures: Fixtures
    ) -> None:
        operation, path = where
        row = [float(number) for number in np.random.default_rng(time.time_ns()).integers(-9999, 9999, 4)]
        api.call(operation, records([row]), path=path, headers={"Content-Type": RECORDS})
        topic = api.call("get_topic_name", {"pipeline_pk_id": fixtures.pipeline_id})["topic_name"]
        if fixtures.spare is not None:
            other = api.call("get_topic_name", {"pipeline_pk_id": fixtures.spare.pipeline_id})["topic_name"]
            assert other != topic

        def logged() -> list[Any]:
            position: dict[str, int] | None = {}
            found: list[dict[str, Any]] = []
            while position is not None:
                page = api.call("get_topic_records", position, path={"topic": topic})
                found += map(json.loads, page["records"])
                position = page["next"] if page["records"] else None
            return [each for each in found if inputs_of(each) == row]

        [found] = soon(logged)
        assert np.allclose(scores_of(found), scored([row])[0], rtol=1e-4)

    @pytest.mark.touches("get_topic_name", "get_topic_partitions", "get_topic_records", "infer_pipeline")
    @pytest.mark.counts_rows
    def test_the_partitions_of_a_topic_grow_by_the_rows_that_are_scored(
        self, where: tuple[str, dict[str, str]], api: Api, fixtures: Fixtures
    ) -> None:
        operation, path = where
        topic = {"topic": api.call("get_topic_name", {"pipeline_pk_id": fixtures.pipeline_id})["topic_name"]}

        def ends() -> dict[str, int]:
            partitions = api.call("get_topic_partitions", path=topic)["partitions"]
            return {name: partition["end"] for name, partition in partitions.items()}

        for row in ([11.0, 12.0, 13.0, 14.0], [21.0, 22.0, 23.0, 24.0]):
            before = ends()
            api.call(operation, records([row, ROWS[0]]), path=path, headers={"Content-Type": RECORDS})
            grown = sum(before.values()) + 2
            after = soon(lambda: found if sum((found := ends()).values()) >= grown else None)  # noqa: B023 - called at once
            assert sum(after.values()) == grown
            page = api.call("get_topic_records", {name: before.get(name, 0) for name in after}, path=topic)
            assert [inputs_of(json.loads(record)) for record in page["records"]] == [row, ROWS[0]]

    @pytest.mark.touches("get_topic_partitions", "get_topic_records")
    @pytest.mark.parametrize("behind", ["", "-failures"])
    def test_a_topic_of_nothing_has_no_partitions_and_no_records(self, behind: str, api: Api) -> None:
        nothing = {"topic": f"{api.unused_name('t')}{behind}"}
        assert api.call_refused("get_topic_partitions", path=nothing) == 404
        assert api.call_refused("get_topic_records", {}, path=nothing) == 404


class TestWorkspacesAndUsers:
    @pytest.mark.touches("create_workspace", "list_workspaces", "list_workspace_users")
    def test_a_new_workspace_is_listed_and_belongs_to_the_caller(self, api: Api) -> None:
        name = api.unused_name("w")
        workspace_id = api.call("create_workspace", {"workspace_name": name})["workspace_id"]
        workspace = by_id(api.call("list_workspaces", {})["workspaces"], workspace_id)
        assert workspace["name"] == name
        assert (workspace.get("models"), workspace.get("pipelines")) == ([], [])
        [owner] = api.call("list_workspace_users", {"workspace_id": workspace_id})["users"]
        assert owner["user_type"] == "OWNER"
        assert api.call_refused("create_workspace", {"workspace_name": name}) == 400, "a name is taken once"

    @pytest.mark.touches("add_workspace_user", "list_workspace_users", "remove_workspace_user")
    def test_members_come_and_go(self, api: Api, fixtures: Fixtures) -> None:
        workspace_id = api.call("create_workspace", {"workspace_name": api.unused_name("w")})["workspace_id"]
        member = {"workspace_id": workspace_id, "email": fixtures.email}
        api.call("add_workspace_user", member | {"user_type": "COLLABORATOR"})
        listed = api.call("list_workspace_users", {"workspace_id": workspace_id})["users"]
        assert by_id(listed, fixtures.user_id, "user_id")["user_type"] == "COLLABORATOR"
        assert len(listed) == 2

        assert api.call("remove_workspace_user", member)["affected_rows"] == 1
        left = api.call("list_workspace_users", {"workspace_id": workspace_id})["users"]
        assert fixtures.user_id not in {user["user_id"] for user in left}
        assert api.call("remove_workspace_user", member)["affected_rows"] == 0

    @pytest.mark.touches("invite_user", "query_users", "deactivate_user", "activate_user", "request_token")
    def test_people_are_invited_switched_off_and_on(self, api: Api, conformance_suite: Suite) -> None:
        email = f"{api.unused_name('u')}@example.com"
        user_id = api.call("invite_user", {"email": email, "password": PASSWORD})["id"]
        assert user(api, user_id)["enabled"] is True
        assert email in {user(api, user_id).get("email"), user(api, user_id)["username"]}
        assert user_id in api.call("query_users", {})["users"]
        assert signs_in(api, conformance_suite, email)
        api.call_refused("invite_user", {"email": email})

        api.call("deactivate_user", {"email": email})
        assert user(api, user_id)["enabled"] is False
        assert not signs_in(api, conformance_suite, email)

        api.call("activate_user", {"email": email})
        assert user(api, user_id)["enabled"] is True
        assert signs_in(api, conformance_suite, email)

    @pytest.mark.touches("query_users")
    def test_of_an_id_that_nobody_has_there_is_null(self, api: Api) -> None:
        assert api.call("query_users", {"user_ids": [NOBODYS_UUID]})["users"] == {NOBODYS_UUID: None}

    @pytest.mark.touches("query_users")
    def test_of_many_ids_each_is_there(self, api: Api) -> None:
        [somebody, *_] = [user_id for user_id, found in api.call("query_users", {})["users"].items() if found]
        asked = [f"00000000-0000-4000-8000-{number:012}" for number in range(120)] + [somebody]
        users = api.call("query_users", {"user_ids": asked})["users"]
        assert users.keys() == set(asked)
        assert [user_id for user_id, found in users.items() if found] == [somebody]

    @pytest.mark.touches("list_workspaces", "list_models", "create_pipeline")
    def test_ids_join_up(self, api: Api, fixtures: Fixtures) -> None:
        name = api.unused_name("m")
        assert fixtures.workspace_id is not None
        for seed in (21, 22, 23) if api.uploads else ():
            api.upload(api.uploads[0], name, model_file(seed=seed), fixtures.workspace_id)
        listed = api.call("list_workspaces", {})["workspaces"]
        assert len({each["id"] for each in listed}) == len(listed), "a workspace is listed twice"
        workspace = by_id(listed, fixtures.workspace_id)
        models = api.list_models(fixtures.workspace_id)
        assert sorted(workspace["models"]) == sorted(model["id"] for model in models), "each once"
        assert workspace["pipelines"].count(fixtures.pipeline_id) == 1

    @pytest.mark.touches("list_features")
    def test_features_are_the_same_with_and_without_a_body(self, api: Api) -> None:
        expected = api.call("list_features", {})
        as_null = {"content": b"null", "headers": {"Content-Type": "application/json"}}
        for written in (dict[str, Any](), as_null):
            assert api.call("list_features", **written) == expected


class TestRefusals:
    """What the schemas cannot say: which field is needed of several, and that things have to be there."""

    @pytest.mark.touches(*ONE_OF_REQUIRED)
    def test_one_of_the_fields_is_needed(
        self, operation_id: str, api: Api, conformance_suite: Suite, fixtures: Fixtures
    ) -> None:
        has_workspace = operation_id in {"add_workspace_user", "remove_workspace_user"}
        body: dict[str, Any] = {"workspace_id": fixtures.workspace_id} if has_workspace else {}
        content = conformance_suite.rules.request_content(operation_id)["application/json"]
        schemas = conformance_suite.rules.schemas
        schema = schemas.resolve(content["schema"])
        fields = {field: schema["properties"][field] for field in schema["x-one-of-required"]}
        nulls = {field: None for field, inner in fields.items() if schemas.validator(inner).is_valid(None)}
        for nothing in ({}, nulls):  # null is as good as absent
            with suppress(WithheldError):
                assert api.call_refused(operation_id, body | nothing) == 400, nothing
        api.control(operation_id, conformance_suite.cases.unused_request(operation_id))

    @pytest.mark.touches(if_there=UPLOADS)
    @pytest.mark.parametrize("upload", UPLOADS)
    def test_an_upload_for_nobody_is_refused(self, upload: str, api: Api, fixtures: Fixtures) -> None:
        if not api.has(upload):
            pytest.skip("The release does not have it.")
        name = api.unused_name("m")
        fields = {"name": name, "visibility": "nobody", "workspace_id": fixtures.workspace_id}
        assert api.send(upload, **api.upload_of(upload, fields, f"{name}.onnx", model_file())).status_code == 400

    @pytest.mark.touches("upload_model")
    def test_an_upload_needs_a_name(self, api: Api, fixtures: Fixtures) -> None:
        file = ("model.onnx", model_file(), "application/octet-stream")
        assert (
            api.call_refused("upload_model", data={"workspace_id": fixtures.workspace_id}, files={"file": file}) == 400
        )

    @pytest.mark.touches(*OF_NOTHING)
    def test_what_is_not_there_is_refused(self, operation_id: str, api: Api, conformance_suite: Suite) -> None:
        given = OF_NOTHING[operation_id].items()
        body = {name: api.unused_name("p") if value is NEW_NAME else value for name, value in given}
        api.call_refused(operation_id, body)
        with suppress(WithheldError):  # a proxy writes messages anew
            answer = send_alone(conformance_suite, api.build(operation_id, path={}, json=body))
            assert not answer.behind, f"behind {answer.status}: {answer.behind[:200]!r}"
        api.control(operation_id, conformance_suite.cases.unused_request(operation_id))

    @pytest.mark.touches("create_assay", "run_interactive_assay", "run_interactive_assay_baseline")
    def test_an_assay_of_nothing_is_refused(self, operation_id: str, api: Api, fixtures: Fixtures) -> None:
        assert api.call_refused(operation_id, assay_request(fixtures, pipeline_id=NOBODYS)) == 400

    @pytest.mark.touches("infer_deployment", "infer_pipeline")
    @pytest.mark.parametrize("operation", ["infer_deployment", "infer_pipeline"])
    def test_a_deployment_that_is_not_there_scores_nothing(self, operation: str, api: Api) -> None:
        path = {"deployment": str(NOBODYS), "pipeline": api.unused_name("p")}
        api.call_refused(operation, records(ROWS), path=path, headers={"Content-Type": RECORDS})


def deploy(api: Api, fixtures: Fixtures, name: str) -> tuple[int, dict[str, Any]]:
    """Deploy the run's model, and return the id of the deployment and the request."""
    made: dict[str, Any] = {"pipeline_id": name, "workspace_id": fixtures.workspace_id, "definition": {}}
    pipeline = api.call("create_pipeline", made)
    request = {
        "deploy_id": name,
        "pipeline_id": pipeline["pipeline_pk_id"],
        "pipeline_version_pk_id": pipeline["pipeline_variant_pk_id"],
        "models": [fixtures.model],
    }
    return api.call("deploy_pipeline", request)["id"], request


def running(api: Api, name: str) -> dict[str, Any]:
    """Return the status of a deployment, once it runs."""

    def status() -> Any:
        answer = api.send("get_deployment_status", {"name": name})
        found: dict[str, Any] = answer.json() if answer.is_success else {}  # `Error` passes while it starts
        return found if is_running(found) else None

    return soon(status)


def records(rows: list[list[float]]) -> list[dict[str, Any]]:
    """Return rows as pandas writes them."""
    return [{INPUT: row} for row in rows]


def infer_records(api: Api, operation: str, path: dict[str, str]) -> list[dict[str, Any]]:
    """Score rows as pandas writes them, and return the answer."""
    found = api.call(operation, records(ROWS), path=path, headers={"Content-Type": RECORDS})
    assert len(outputs(found)) == len(ROWS)
    for row in found:
        assert "outputs" in row or json.loads(row["metadata"]["last_model"])
    return found


def _out_column(table: pa.Table) -> Any:
    """Return the column of the model's numbers: nested in `out`, or by itself."""
    if f"out.{OUTPUT}" in table.column_names:
        return table.column(f"out.{OUTPUT}")
    nested: Any = table.column("out").combine_chunks()
    return nested.field(OUTPUT)


def user(api: Api, user_id: str) -> dict[str, Any]:
    """Return a user, by id."""
    return api.call("query_users", {"user_ids": [user_id]})["users"][user_id]


def signs_in(api: Api, suite: Suite, email: str) -> bool:
    """Return whether somebody gets a token with the suite's password."""
    form = {"grant_type": "password", "username": email, "password": PASSWORD}
    headers = {"Authorization": suite.authorization("request_token")}
    return api.send("request_token", data=form, headers=headers, auth=None).status_code == 200
