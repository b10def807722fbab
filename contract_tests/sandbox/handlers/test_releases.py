"""Does the sandbox of each release answer in the shapes of that release, and with its operations only?

Each release has a sandbox in this process, on which a day's work is done once: all answers of it are held against the
contract of the release. The tests then look at what differs between releases.
"""

from __future__ import annotations

import json
import uuid
from functools import cache
from typing import TYPE_CHECKING, Any, cast

import httpx
import pytest

from contract_tests.sandbox.handlers.pipelines.test_pipelines import InProcess, token_of
from contract_tests.support.recorded import rules_of
from contract_tests.support.sandbox.steering import DAY_MS, JANUARY_MS, MODEL, PIPELINE, older_assay
from wallaroo_ext import contract
from wallaroo_ext.conformance.testing.assays.scenes import SUMMARIZER
from wallaroo_ext.contract import RELEASES
from wallaroo_ext.sandbox.auth.users import add_user
from wallaroo_ext.sandbox.engine.engine import RunningDeployment
from wallaroo_ext.sandbox.engine.steps import Model
from wallaroo_ext.sandbox.http.validation import ContractSpec
from wallaroo_ext.sandbox.instance import Instance
from wallaroo_ext.sandbox.options import SandboxOptions
from wallaroo_ext.sandbox.paths import CONTROL
from wallaroo_ext.sandbox.server.app import create_app

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from pathlib import Path

NEWEST = RELEASES[-1]
START, END = "2023-01-01T00:00:00Z", "2023-02-01T00:00:00Z"
VALUES = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0, 10.0]


@cache
def specification(release: str) -> ContractSpec:
    return ContractSpec(contract.load(release))


class Day:
    """A day's work on the sandbox of a release.

    Args:
        release: The release.
        directory: The data directory.
        model: The file of a model.

    Attributes:
        answers: The answer of each operation that the release has; the last one, of several.
        problems: What does not keep the contract of the release.
    """

    def __init__(self, release: str, directory: Path, model: Path) -> None:
        self.release = release
        self.answers: dict[str, Any] = {}
        self.problems: list[str] = []
        self.instance = Instance(directory, SandboxOptions(release=release))
        application = create_app(self.instance, specification(release))
        headers = {"Authorization": f"Bearer {token_of(self.instance)}"}
        self.http = httpx.Client(transport=InProcess(application), headers=headers, base_url="http://127.0.0.1")
        self.without_models(self.instance.engine)
        self.workspace = self.call("create_workspace", {"workspace_name": "fraud"})["workspace_id"]
        self.upload(model)
        self.deploy()
        self.watch()

    def without_models(self, engine: Any) -> None:
        """Let deployments run at once without loading their models, which takes seconds and shows nothing here."""

        def running(_: int) -> RunningDeployment:
            loaded = Model(MODEL, self.named["model_version"], self.named["sha"])
            return RunningDeployment([loaded], process=cast("Any", object()))

        def nothing(_: int) -> None:
            return None

        engine.start = engine.convert = nothing
        engine.deployment = running

    def has(self, operation: str) -> bool:
        return operation in specification(self.release).operations

    def send(self, operation: str, body: Any) -> httpx.Response:
        return self.http.post(contract.operation(operation).path, json=body)

    def call(self, operation: str, body: Any) -> Any:
        """Return an answer, after holding it against the contract of the release; None if the release has it not."""
        answer = self.send(operation, body)
        if not self.has(operation):
            assert (answer.status_code, answer.json()["msg"]) == (404, "Not Found")
            return None
        assert answer.is_success, (operation, answer.text)
        self._keep(operation, answer)
        return answer.json()

    def _keep(self, operation: str, answer: httpx.Response) -> None:
        of_release = rules_of(self.release)
        self.answers[operation] = answer.json()
        found = of_release.problems(of_release.answer_schema(operation), answer.json())
        self.problems += [f"{operation}: {problem}" for problem in found]

    def upload(self, model: Path) -> None:
        metadata = {"name": MODEL, "visibility": "private", "workspace_id": self.workspace}
        metadata |= {"conversion": {"framework": "onnx", "arch": None}}
        form = {"metadata": (None, json.dumps(metadata), "application/json"), "file": ("m.onnx", model.read_bytes())}
        answer = self.http.post(contract.operation("upload_model").path, files=form)
        assert answer.is_success, answer.text
        self._keep("upload_model", answer)
        self.version = answer.json()["insert_models"]["returning"][0]["models"][0]["id"]
        by_name = {"model_id": MODEL, "models_pk_id": None}
        [self.named] = self.call("list_model_versions", by_name)
        self.call("list_models", {"workspace_id": self.workspace})
        self.call("get_model", {"id": self.version})
        self.call("get_model_by_id", {"id": self.version})
        self.call("get_model_config_by_id", {"model_id": self.version})
        self.call("insert_model_config", {"model_version_id": self.version, "tensor_fields": ["tensor"]})
        self.call("get_model_version_by_id", {"model_version_id": self.version})
        self.call("get_model_upload_logs", {"model_version_id": self.version, "lines": None})

    def deploy(self) -> None:
        reference = {name: self.named[key] for name, key in (("version", "model_version"), ("sha", "sha"))}
        steps = [{"ModelInference": {"models": [reference | {"name": MODEL}]}}]
        where = {"pipeline_id": PIPELINE, "workspace_id": self.workspace}
        self.pipeline = self.call("create_pipeline", where | {"definition": {"steps": steps}})
        request = {"deploy_id": PIPELINE, "pipeline_version_pk_id": self.pipeline["pipeline_variant_pk_id"]}
        assert self.send("deploy_pipeline", request | {"model_ids": [self.version, 2_000_000]}).status_code == 400
        configs = [self.call("get_model_config_by_id", {"model_id": self.version})]
        deployment = self.call("deploy_pipeline", request | {"engine_config": None})["id"]
        configs.append(self.call("get_model_config_by_id", {"model_id": self.version}))
        self.configs_around_deployment = [answer["model_config"] for answer in configs]
        self.call("get_deployment_status", {"name": f"{PIPELINE}-{deployment}"})
        self.call("get_pipeline_external_url", {"workspace_id": self.workspace, "pipeline_name": PIPELINE})
        self.call("list_pipelines", {"workspace_id": None, "workspace_name": None})
        self.call("get_pipeline_by_name", {"pipeline_name": PIPELINE, "workspace_id": self.workspace})
        self.call("undeploy_pipeline", {"pipeline_id": self.pipeline["pipeline_pk_id"], "deployment_id": None})

    def assay(self, **changes: Any) -> dict[str, Any]:
        """Return the request of an assay in the form of the release: of 2023.4, in the newer one."""
        pipeline_id = self.pipeline["pipeline_pk_id"]
        older = older_assay(pipeline_id, workspace_id=self.workspace, run_until="2023-01-05T00:00:00Z") | changes
        if not self.has("summarize_assay_baseline"):
            return older
        summary = self.call("summarize_assay_baseline", {"summarizer": SUMMARIZER, "baseline": {"vector": VALUES}})
        newer = {"baseline": {"static": summary}, "window": self.window("2023-01-02T00:00:00Z")}
        return {name: value for name, value in older.items() if name != "iopath"} | newer

    def window(self, start: str) -> dict[str, Any]:
        return {
            "pipeline_name": PIPELINE,
            "model_name": MODEL,
            "path": "output y 0",
            "width": "24 hours",
            "start": start,
            "interval": None,
            "workspace_id": self.workspace,
            "locations": [],
        }

    def watch(self) -> None:
        pipeline_id = self.pipeline["pipeline_pk_id"]
        rows = [
            {"time": JANUARY_MS + number * DAY_MS + 60_000 * place, "out.y": [value]}
            for number in range(2)
            for place, value in enumerate(VALUES)
        ]
        seeds = {"inferences": [{"pipeline_id": pipeline_id, "model_name": MODEL, "rows": rows}]}
        assert self.http.post(f"{CONTROL}/seed", json=seeds).is_success
        request = self.assay()
        assay_id = self.call("create_assay", request)["assay_id"]
        self.created = self.call("list_assays", {"pipeline_id": pipeline_id})
        self.call("run_interactive_assay_baseline", request | {"id": None})
        self.call("run_interactive_assay", request | {"id": None})
        self.call("get_assay_results", {"assay_id": assay_id, "start": START, "end": END})
        self.call("get_assay_results_between", {"assay_id": assay_id, "start": START, "end": END})
        self.call("list_assays", {"pipeline_id": pipeline_id})
        self.call("set_assay_active", {"id": assay_id, "active": False})
        where = {"workspace_id": self.workspace, "pipeline_name": PIPELINE}
        self.call("get_assay_baseline", where | {"limit": 1, "start": None})
        of_workspace = {"id": None, "workspace_id": self.workspace, "active": "All", "pipeline_name": None}
        found = self.call("get_assay_v2", of_workspace)
        name = found[0]["id"] if found else "none"
        self.call("get_assay_v2", {"id": name})
        self.call("get_next_assay_run_v2", {"assay_id": name})
        self.call("get_assay_results_v2", {"id": name, "start": START, "end": END})


@pytest.fixture(scope="module")
def days(tmp_path_factory: pytest.TempPathFactory, model_file: Path) -> Generator[Callable[[str], Day]]:
    """Yield a function that returns the day on a release; each is done once."""
    done: list[Day] = []

    @cache
    def day(release: str) -> Day:
        done.append(Day(release, tmp_path_factory.mktemp("release"), model_file))
        return done[-1]

    yield day
    for found in done:
        found.http.close()
        found.instance.close()


@pytest.mark.parametrize("release", RELEASES)
def test_every_answer_of_a_day_keeps_the_contract_of_the_release(days: Callable[[str], Day], release: str) -> None:
    day = days(release)
    assert day.problems == []
    assert {"list_models", "get_deployment_status", "run_interactive_assay", "undeploy_pipeline"} <= set(day.answers)


def is_since(release: str, first: str) -> bool:
    return RELEASES.index(release) >= RELEASES.index(first)


@pytest.mark.parametrize("release", RELEASES)
def test_models_are_listed_with_their_versions_since_2024_2(days: Callable[[str], Day], release: str) -> None:
    nested = is_since(release, "2024.2")
    day = days(release)
    [listed] = day.answers["list_models"]["models"]
    if not nested:
        assert list(listed) == ["id", "name", "owner_id", "created_at", "updated_at"]
        return
    assert list(listed) == ["model", "model_versions", "workspace"]
    assert (listed["model"]["workspace_id"], listed["workspace"]["name"]) == (day.workspace, "fraud")
    [version] = listed["model_versions"]
    assert version["model_version"]["file_info"]["sha"] == day.named["sha"]
    assert version["config"]["model_version_id"] == version["model_version"]["id"] == day.version


@pytest.mark.parametrize("release", RELEASES)
def test_a_model_has_its_workspace_in_the_newest(days: Callable[[str], Day], release: str) -> None:
    shown = is_since(release, "2025.2")
    assert ("workspace" in days(release).answers["get_model"]) == shown


@pytest.mark.parametrize("release", RELEASES)
def test_versions_have_a_status_since_2023_2(days: Callable[[str], Day], release: str) -> None:
    shown = is_since(release, "2023.2")
    assert ("status" in days(release).named) == shown


@pytest.mark.parametrize("release", RELEASES)
def test_a_model_has_a_configuration_after_its_upload_since_2023_4(days: Callable[[str], Day], release: str) -> None:
    configured = is_since(release, "2023.4")
    day = days(release)
    config = day.answers["get_model_by_id"]["model_config"]
    before, after = day.configs_around_deployment
    if not configured:
        assert (config, before) == (None, None)
        assert after == {"id": 1001, "runtime": "onnx", "tensor_fields": None, "filter_threshold": None}
        return
    assert before == after
    assert config == {"id": 1001, "runtime": "onnx", "tensor_fields": None, "filter_threshold": None}
    assert config["id"] != day.version
    changed = day.answers["insert_model_config"]["model_config"]
    assert (changed["id"], changed["tensor_fields"], changed["model_version_id"]) == (1002, ["tensor"], day.version)
    assert day.answers["get_model_version_by_id"]["model_version"]["config"] == changed


@pytest.mark.parametrize("release", RELEASES[3:])
def test_a_version_names_its_server_and_its_file(days: Callable[[str], Day], release: str, model_file: Path) -> None:
    day = days(release)
    version = day.answers["get_model_version_by_id"]["model_version"]["model_version"]
    assert version["created_on_version"] == f"{release}.0"
    assert version["created_by"] == day.instance.credentials.username
    assert version["file_info"]["size"] == model_file.stat().st_size
    assert ("error_summary" in version) == ("arch" in version["conversion"]) == (release == NEWEST)
    assert ("openai" in day.answers["insert_model_config"]["model_config"]) == (release == NEWEST)


@pytest.mark.parametrize("release", RELEASES)
def test_undeploy_answers_null_before_2024_2(days: Callable[[str], Day], release: str) -> None:
    is_object = is_since(release, "2024.2")
    assert days(release).answers["undeploy_pipeline"] == ({} if is_object else None)


@pytest.mark.parametrize("release", RELEASES)
def test_a_status_has_the_fields_of_its_release(days: Callable[[str], Day], release: str) -> None:
    day = days(release)
    status = day.answers["get_deployment_status"]
    [engine], [balancer] = status["engines"], status["engine_lbs"]
    is_oldest = release == RELEASES[0]
    assert status["details"] == (None if is_oldest else [])
    assert ("sidekicks" in status, "details" in engine, "details" in balancer) == (not is_oldest,) * 3
    [pipeline], [model] = engine["pipeline_statuses"]["pipelines"], engine["model_statuses"]["models"]
    assert pipeline.get("version") == (
        day.pipeline["pipeline_variant_version"] if release in {"2024.2", "2025.2"} else None
    )
    assert model.get("model_version_id") == (day.version if release == NEWEST else None)


@pytest.mark.parametrize("release", RELEASES)
def test_a_url_names_the_pipeline_since_2023_2(days: Callable[[str], Day], release: str) -> None:
    is_longer = is_since(release, "2023.2")
    url = days(release).answers["get_pipeline_external_url"]["url"]
    assert url.endswith(f"/infer/{PIPELINE}-1/{PIPELINE}" if is_longer else f"/infer/{PIPELINE}-1")


@pytest.mark.parametrize("release", RELEASES)
def test_the_url_of_an_unknown_pipeline_is_404(days: Callable[[str], Day], release: str) -> None:
    day = days(release)
    answer = day.send("get_pipeline_external_url", {"workspace_id": day.workspace, "pipeline_name": "unknown"})
    assert (answer.status_code, answer.json()["code"]) == (404, 404)
    assert answer.json()["msg"].startswith("Pipeline not found")


@pytest.mark.parametrize("release", RELEASES)
def test_assays_are_listed_in_the_form_of_the_release(days: Callable[[str], Day], release: str) -> None:
    is_newer = is_since(release, "2023.4")
    day = days(release)
    [listed] = day.answers["list_assays"]
    if is_newer:
        assert listed["baseline"]["static"]["edges"] == [1.0, 2.0, 4.0, 6.0, 8.0, 10.0, None]
        assert (listed["window"]["path"], listed["window"]["pipeline_name"]) == ("output y 0", PIPELINE)
    else:
        assert listed["baseline"]["Fixed"]["start_at"] == "2023-01-01T00:00:00Z"
        assert listed["window"] == {
            "pipeline": PIPELINE,
            "model": MODEL,
            "width": "24 hours",
            "start": None,
            "interval": None,
        }
    assert listed.get("workspace_name") == ("fraud" if release in {"2024.2", "2025.2"} else None)
    more = {"bin_width", "add_outlier_edges"} & listed["summarizer"].keys()
    assert len(more) == (2 if release == "2022.4" else 0), "the oldest lists a summarizer whole"


@pytest.mark.parametrize("release", RELEASES)
def test_a_status_counts_results_after_a_run(days: Callable[[str], Day], release: str) -> None:
    [listed] = days(release).answers["list_assays"]
    assert json.loads(listed["status"]) == {
        "run_at": listed["last_run"],
        "num_ok": 1,
        "num_warnings": 0,
        "num_alerts": 0,
    }


@pytest.mark.parametrize("release", RELEASES)
def test_a_result_has_the_fields_of_its_release(days: Callable[[str], Day], release: str) -> None:
    day = days(release)
    [result] = day.answers["run_interactive_assay"]
    baseline = day.answers["run_interactive_assay_baseline"]
    [stored] = day.answers["get_assay_results"]
    assert (result["score"], baseline["score"], baseline["status"]) == (0.0, 0.0, "BaselineRun")
    if release == RELEASES[0]:
        assert isinstance(result["created_at"], int)
        assert "window_start" not in result
        assert json.loads(baseline["summarizer_meta"]) == result["summarizer_meta"]
        assert result["pipeline_name"] == PIPELINE
        return
    assert (result["window_start"], result["created_at"]) == ("2023-01-02T00:00:00Z", None)
    assert ("iopath" in result) == (release in RELEASES[1:3])
    assert ("workspace_id" in result) == (release in RELEASES[-2:])
    assert stored.get("workspace_name") == ("fraud" if release in RELEASES[-2:] else None)


@pytest.mark.parametrize("release", RELEASES)
def test_logged_rows_have_the_form_of_their_release(days: Callable[[str], Day], release: str) -> None:
    [row] = days(release).answers["get_assay_baseline"]
    known = {
        "2022.4": {"check_failures", "elapsed", "model_name", "model_version", "original_data", "outputs"},
        "2023.1": {"out.y", "metadata.last_model", "metadata.profile"},
        "2023.2": {"out.y", "metadata.last_model", "metadata.profile"},
        "2023.4": {"out.y", "check_failures", "metadata.last_model", "metadata.elapsed", "metadata.partition"},
        "2024.2": {"out.y", "anomaly.count", "metadata.last_model", "metadata.elapsed", "metadata.partition"},
        "2025.2": {"out.y", "anomaly.count", "metadata.last_model", "metadata.elapsed", "metadata.partition"},
    }
    further = {"2022.4": {"pipeline_name"}}.get(release, set[str]())
    if release in RELEASES[3:]:
        further = {"metadata.dropped", "metadata.pipeline_version"}
    assert set(row) == known[release] | further | {"time"}


@pytest.mark.parametrize("release", RELEASES)
def test_results_without_a_time_are_an_unknown_error_in_2023_4(days: Callable[[str], Day], release: str) -> None:
    answer = days(release).send("get_assay_results", {"assay_id": 1, "pipeline_id": 1})
    if release == "2023.4":
        assert (answer.status_code, answer.json()) == (500, {"code": 500, "msg": "unknown error."})
    else:
        assert answer.status_code == 200


class TestForms:
    """Which requests a release takes."""

    @pytest.mark.parametrize("release", RELEASES)
    def test_json_is_taken_without_its_media_type_up_to_2023_4(self, days: Callable[[str], Day], release: str) -> None:
        path = contract.operation("query_users").path
        expected = 415 if is_since(release, "2024.2") else 200
        assert days(release).http.post(path, content=b"{}").status_code == expected

    @pytest.mark.parametrize("release", RELEASES)
    def test_assays_are_listed_without_a_pipeline_since_2023_4(self, days: Callable[[str], Day], release: str) -> None:
        day = days(release)
        listed = day.send("list_assays", {})
        if not is_since(release, "2023.4"):
            assert listed.status_code == 400
            return
        assert [each["id"] for each in listed.json()] == [each["id"] for each in day.answers["list_assays"]]
        assert day.send("list_assays", {"workspace_id": day.workspace}).json() == listed.json()
        assert day.send("list_assays", {"workspace_name": "of nobody"}).json() == []

    @pytest.mark.parametrize("release", RELEASES)
    def test_a_release_takes_its_own_forms_of_assays(self, days: Callable[[str], Day], release: str) -> None:
        day = days(release)
        older = older_assay(day.pipeline["pipeline_pk_id"], workspace_id=day.workspace)
        newer = {name: value for name, value in older.items() if name != "iopath"} | {
            "baseline": {"calculated": {"vector": VALUES}},
            "window": day.window("2023-01-02T00:00:00Z"),
        }
        taken = [day.send("run_interactive_assay", request).status_code for request in (older, newer)]
        assert taken == [200 if release in RELEASES[:4] else 400, 200 if release in RELEASES[3:] else 400]

    def test_a_baseline_of_a_window_is_computed_from_the_log(self, days: Callable[[str], Day]) -> None:
        day = days(NEWEST)
        window = day.window("2023-01-01T00:00:00Z")
        body = {"summarizer": SUMMARIZER, "baseline": {"fixed_window": window}}
        summary = day.send("summarize_assay_baseline", body).json()
        assert (summary["count"], summary["start"], summary["end"]) == (10, START, "2023-01-02T00:00:00Z")
        request = day.assay() | {"baseline": {"calculated": {"fixed_window": window}}}
        [result] = day.send("run_interactive_assay", request).json()
        assert (result["baseline_summary"], result["score"]) == (summary, 0.0)

    @pytest.mark.parametrize(
        ("baseline", "excerpt"),
        [
            ({"calculated": {}}, "exactly one of"),
            ({"calculated": {"vector": []}}, "empty vector"),
            ({"calculated": {"vector": [1.0], "fixed_window": {}}}, ""),
            ({"static": {"edges": [1.0], "edge_names": ["a"], "aggregated_values": [1.0]}}, "edges"),
            ({"static": {}, "calculated": {"vector": [1.0]}}, "exactly one of"),
        ],
    )
    def test_a_baseline_that_is_none_is_refused(
        self, days: Callable[[str], Day], baseline: dict[str, Any], excerpt: str
    ) -> None:
        day = days(NEWEST)
        request = day.assay()
        given = baseline.get("static")
        if given:
            baseline = {"static": request["baseline"]["static"] | given}
        answer = day.send("run_interactive_assay", request | {"baseline": baseline})
        assert answer.status_code == 400
        assert excerpt in answer.json()["msg"]

    def test_a_pipeline_of_another_workspace_is_not_watched_without_membership(
        self, days: Callable[[str], Day]
    ) -> None:
        day = days(NEWEST)
        elsewhere = day.window("2023-01-02T00:00:00Z") | {"workspace_id": 2_000_000}
        answer = day.send("run_interactive_assay", day.assay() | {"window": elsewhere})
        assert (answer.status_code, answer.json()["msg"]) == (400, "There is no workspace 2000000.")


class TestTheSecondVersionOfAssays:
    def test_an_assay_is_found_by_its_uuid(self, days: Callable[[str], Day]) -> None:
        day = days(NEWEST)
        found = day.answers["get_assay_v2"]
        assert (found["name"], found["window"], found["active"]) == ("watch", {"width": {"seconds": 86_400}}, False)
        assert found["scheduling"] == {
            "first_run": "2023-01-02T00:00:00Z",
            "end": "2023-01-05T00:00:00Z",
            "run_frequency": {"SimpleRunFrequency": {"unit": "Day", "quantity": 1}},
        }
        assert found["baseline"]["Summary"]["out.y"]["bins"]["edges"] == [1.0, 2.0, 4.0, 6.0, 8.0, 10.0, "INFINITY"]
        assert found["targeting"]["iopath"][0]["thresholds"] == {"warning": None, "alert": 0.1}
        [result] = day.answers["get_assay_results_v2"]
        assert (result["assay_id"], result["scores"]["out.y"]["score"]) == (found["id"], 0.0)
        assert (result["window_start"], result["window_end"]) == ("2023-01-02T00:00:00Z", "2023-01-03T00:00:00Z")
        assert day.answers["get_next_assay_run_v2"]["next_run"] is None

    @pytest.mark.parametrize(
        ("operation", "field"),
        [("get_assay_v2", "id"), ("get_next_assay_run_v2", "assay_id"), ("get_assay_results_v2", "id")],
    )
    def test_an_unknown_one_is_404(self, days: Callable[[str], Day], operation: str, field: str) -> None:
        assert days(NEWEST).send(operation, {field: "unknown"}).status_code == 404

    def test_assays_are_chosen(self, days: Callable[[str], Day]) -> None:
        day = days(NEWEST)
        assert day.send("get_assay_v2", {"active": "ActiveOnly"}).json() == []
        assert len(day.send("get_assay_v2", {"active": "InactiveOnly", "pipeline_name": PIPELINE}).json()) == 1
        assert day.send("get_assay_v2", {"pipeline_name": "unknown"}).json() == []
        assert day.send("get_assay_v2", {"workspace_id": 2_000_000}).status_code == 400


class TestPipelines:
    def test_pipelines_are_listed_with_their_versions_and_deployments(self, days: Callable[[str], Day]) -> None:
        day = days(NEWEST)
        [listed] = day.answers["list_pipelines"]["pipelines"]
        assert listed["pipeline"]["id"] == day.pipeline["pipeline_pk_id"]
        assert listed["pipeline_version"]["version"] == day.pipeline["pipeline_variant_version"]
        assert listed["deployment"] == {"id": 1, "deploy_id": PIPELINE, "deployed": True}
        assert listed["plateau_topic"] == f"workspace-{day.workspace}-pipeline-{PIPELINE}-inference"
        named = day.answers["get_pipeline_by_name"]
        assert named == {name: listed[name] for name in ("pipeline", "plateau_topic", "workspace")}

    def test_pipelines_are_chosen_by_workspace(self, days: Callable[[str], Day]) -> None:
        day = days(NEWEST)
        assert day.send("list_pipelines", {"workspace_id": 1}).json() == {"pipelines": []}
        assert len(day.send("list_pipelines", {"workspace_name": "fraud"}).json()["pipelines"]) == 1
        assert day.send("list_pipelines", {"workspace_id": 2_000_000}).status_code == 400

    def test_an_unknown_one_is_404(self, days: Callable[[str], Day]) -> None:
        body = {"pipeline_name": "unknown", "workspace_id": days(NEWEST).workspace}
        assert days(NEWEST).send("get_pipeline_by_name", body).status_code == 404


@pytest.mark.parametrize("release", ["2024.2", NEWEST])
def test_versions_are_listed_by_name_and_id(days: Callable[[str], Day], model_file: Path, release: str) -> None:
    """Up to 2024.2 of one model; the newest was recorded to list what either names."""
    day = days(release)
    query = {"name": MODEL, "visibility": "private", "workspace_id": 1, "filename": "m.onnx"}
    path = contract.operation("upload_model_stream").path
    headers = {"Content-Type": "application/octet-stream"}
    answer = day.http.post(path, params=query, content=model_file.read_bytes(), headers=headers)
    other = answer.json()["insert_models"]["returning"][0]["models"][0]["id"]
    for model_id in (other, day.version):
        both = day.send("list_model_versions", {"model_id": MODEL, "models_pk_id": model_id}).json()
        found = [version["models_pk_id"] for version in both]
        assert sorted(found) == sorted({other, day.version} if release == NEWEST else [model_id])
    named = day.send("list_model_versions", {"model_id": MODEL}).json()
    assert len(named) == 2
    [user] = {version["owner_id"] for version in named}
    assert user in day.call("query_users", {})["users"]
    unknown = day.send("list_model_versions", {"model_id": MODEL, "models_pk_id": 999})
    assert unknown.status_code == (200 if release == NEWEST else 400)


def test_versions_have_no_owner_before_2024_2(days: Callable[[str], Day]) -> None:
    assert {version["owner_id"] for version in days("2023.4").answers["list_model_versions"]} == {'""'}


@pytest.mark.parametrize("release", RELEASES)
def test_users_whose_ids_are_sent_have_the_accounts_of_their_release(days: Callable[[str], Day], release: str) -> None:
    day = days(release)
    everybody = day.call("query_users", {})["users"]
    chosen = day.call("query_users", {"user_ids": list(everybody)})["users"]
    accounts = "[]" if release in RELEASES[1:] else "None"
    assert {str(user.get("federatedIdentities")) for user in chosen.values()} == {accounts}
    assert not any("federatedIdentities" in user for user in everybody.values())
    impersonated = release in RELEASES[-2:]
    assert {user["access"]["impersonate"] for user in (*chosen.values(), *everybody.values())} == {impersonated}


def test_who_is_no_member_sees_nothing(days: Callable[[str], Day]) -> None:
    day = days(NEWEST)
    with day.instance.store.transaction() as db:
        stranger = add_user(db, f"{uuid.uuid4().hex}@example.com", "a password")
    of_them = day.instance.tokens.issue(day.instance.credentials.client_id, stranger, "http://issuer")
    headers = {"Authorization": f"Bearer {of_them['access_token']}"}
    span = {"start": START, "end": END}
    assay_uuid, of_workspace = day.answers["get_assay_v2"]["id"], {"workspace_id": day.workspace}
    fixed_window = {"fixed_window": day.window("2023-01-01T00:00:00Z")}
    refused: list[tuple[str, dict[str, Any], int]] = [
        ("get_model_version_by_id", {"model_version_id": day.version}, 400),
        ("insert_model_config", {"model_version_id": day.version}, 400),
        ("get_model_upload_logs", {"model_version_id": day.version}, 400),
        ("list_pipelines", of_workspace, 400),
        ("get_pipeline_by_name", of_workspace | {"pipeline_name": PIPELINE}, 400),
        ("deploy_pipeline", {"deploy_id": "a", "pipeline_version_pk_id": day.pipeline["pipeline_variant_pk_id"]}, 400),
        ("summarize_assay_baseline", {"summarizer": SUMMARIZER, "baseline": fixed_window}, 400),
        ("create_assay", day.assay(), 400),
        ("run_interactive_assay", day.assay(), 400),
        ("get_assay_results_between", {"assay_id": 1} | span, 400),
        ("get_assay_v2", {"id": assay_uuid}, 404),
        ("get_assay_v2", of_workspace, 400),
        ("get_next_assay_run_v2", {"assay_id": assay_uuid}, 404),
        ("get_assay_results_v2", {"id": assay_uuid}, 404),
    ]
    for operation, body, status in refused:
        answer = day.http.post(contract.operation(operation).path, json=body, headers=headers)
        assert (operation, answer.status_code) == (operation, status)
        assert "There is no" in answer.json()["msg"]
    empty: list[tuple[str, Any]] = [("list_pipelines", {"pipelines": []}), ("get_assay_v2", [])]
    for operation, nothing in empty:
        assert day.http.post(contract.operation(operation).path, json={}, headers=headers).json() == nothing


class TestErrors:
    @pytest.mark.parametrize("release", RELEASES)
    def test_the_engine_s_error_is_in_a_list_up_to_2023_4(self, days: Callable[[str], Day], release: str) -> None:
        day = days(release)
        name = "without-models"
        made = day.call("create_pipeline", {"pipeline_id": name, "workspace_id": day.workspace, "definition": {}})
        deployed = {"deploy_id": name, "pipeline_version_pk_id": made["pipeline_variant_pk_id"]}
        kind = contract.operation("infer_deployment").request_types[0]
        path = f"/v1/api/pipelines/infer/{name}-{day.call('deploy_pipeline', deployed)['id']}"
        answer = day.http.post(path, json=[{"x": 1.0}], headers={"Content-Type": kind})
        error = answer.json() if is_since(release, "2024.2") else answer.json()[0]
        assert (answer.status_code, error["source"]) == (400, "engine")

    @pytest.mark.parametrize("operation", ["add_workspace_user", "remove_workspace_user"])
    def test_an_unknown_user_is_500(self, days: Callable[[str], Day], operation: str) -> None:
        day = days(NEWEST)
        answer = day.send(operation, {"workspace_id": day.workspace, "email": "nobody@example.com", "user_id": None})
        assert (answer.status_code, answer.json()["code"]) == (500, 500)
        assert answer.json()["msg"].startswith("Failed to find user in Keycloak")

    @pytest.mark.parametrize("operation", ["activate_user", "deactivate_user"])
    def test_an_unknown_address_is_500(self, days: Callable[[str], Day], operation: str) -> None:
        answer = days(NEWEST).send(operation, {"email": "nobody@example.com"})
        assert (answer.status_code, answer.json()["code"]) == (500, 500)
        assert answer.json()["msg"].startswith("error querying keycloak server")

    def test_an_upload_to_a_missing_workspace_is_500(self, days: Callable[[str], Day]) -> None:
        query = {"name": "m", "visibility": "private", "workspace_id": 2_000_000, "filename": "m.onnx"}
        path = contract.operation("upload_model_stream").path
        headers = {"Content-Type": "application/octet-stream"}
        answer = days(NEWEST).http.post(path, params=query, content=b"a model", headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (500, 500)


def test_versions_uploaded_to_an_older_release_are_configured_by_a_newer_one(tmp_path: Path, model_file: Path) -> None:
    day = Day("2022.4", tmp_path / "data", model_file)
    day.http.close()
    with day.instance.store.transaction() as db:
        db.execute("DELETE FROM model_configs")
    day.instance.close()
    instance = Instance(tmp_path / "data", SandboxOptions(release="2023.4"))
    with instance.store.reading() as db:
        rows = [tuple(row) for row in db.execute("SELECT id, version_id, runtime FROM model_configs")]
    instance.close()
    assert rows == [(1001, day.version, "onnx")]
