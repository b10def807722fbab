"""Do the overlays of the releases keep the contract's rules, and do they tell the releases apart?"""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest

from contract_tests.documents import test_contract
from contract_tests.support.recorded import FOLDER, rules_of
from wallaroo_ext import contract
from wallaroo_ext._util.json_values import object_of
from wallaroo_ext.conformance.guard.effects import effects_of
from wallaroo_ext.contract_overlays import apply_action, apply_overlay, read_overlay
from wallaroo_ext.sandbox.http.validation import ContractSpec

RELEASES = contract.RELEASES
OLDEST, NEWEST = RELEASES[0], RELEASES[-1]


def actions(release: str) -> list[dict[str, Any]]:
    return read_overlay(contract.overlay_path(release))["actions"]


def test_every_overlay_is_of_a_release() -> None:
    files = contract.overlay_path(OLDEST).parent.glob("*.yaml")
    assert sorted(file.stem for file in files) == sorted(RELEASES)


@pytest.mark.parametrize("release", RELEASES)
def test_an_overlay_names_its_release_and_what_it_extends(release: str) -> None:
    file = contract.overlay_path(release)
    overlay = read_overlay(file)
    assert overlay["info"]["version"] == release
    assert (file.parent / overlay["extends"]).resolve() == contract.path().resolve()
    assert rules_of(release).document["info"]["x-release"] == release


@pytest.mark.parametrize("release", RELEASES)
def test_every_action_has_a_description_and_evidence(release: str) -> None:
    known = json.loads((FOLDER / "headings.json").read_text(encoding="utf-8"))
    for action in actions(release):
        assert action["description"], action["target"]
        assert action["x-evidence"], action["target"]
        for entry in action["x-evidence"]:
            assert entry.keys() == {"document", "section", "kind"}
            assert entry["kind"] in test_contract.KINDS
            sections = known["documents"].get(entry["document"]) or known[entry["document"]]
            assert entry["section"] in sections, entry


@pytest.mark.parametrize("release", RELEASES)
def test_the_contract_of_a_release_keeps_the_rules_of_the_contract(release: str) -> None:
    document = rules_of(release).document
    test_contract.test_everything_has_evidence(document)
    test_contract.test_answers_have_no_closed_enumeration_and_no_date_time(document)
    test_contract.test_always_present_fields_exist_and_are_not_required_too(document)
    test_contract.test_examples_fit_their_schemas(document)
    test_contract.test_links_resolve(document)
    assert not {name: found.problem for name, found in effects_of(document).items() if found.problem}


@pytest.mark.parametrize("release", RELEASES)
def test_every_action_changes_something(release: str) -> None:
    document = contract.load()
    for action in actions(release):
        before = copy.deepcopy(document)
        apply_action(document, action)
        assert document != before, action["target"]


def test_an_action_that_matches_nothing_would_be_noticed() -> None:
    document = contract.load()
    del document["components"]["schemas"]["ListedModel"]
    with pytest.raises(ValueError, match=r"2023\.4\.yaml: action \d+ \(.*\): .* matches nothing"):
        apply_overlay(document, contract.overlay_path("2023.4"))


FLAT = {
    "id": 1,
    "name": "a",
    "owner_id": "",
    "created_at": "2024-01-01T00:00:00Z",
    "updated_at": "2024-01-01T00:00:00Z",
}
NESTED: dict[str, Any] = {"model": FLAT, "model_versions": [], "workspace": {"id": 1, "name": "a"}}
VERSION = {
    "id": 1, "models_pk_id": 1, "model_version": "v", "sha": "s", "model_id": "a", "owner_id": "", "file_name": "f",
    "image_path": None,
}  # fmt: skip
OF_2022 = {"id": 1, "models": VERSION}
POD: dict[str, Any] = {
    "ip": None, "name": "engine", "status": "Pending", "reason": None, "pipeline_statuses": None, "model_statuses": None
}  # fmt: skip
POD_WITH_DETAILS: dict[str, Any] = POD | {"details": []}
EMPTY: dict[str, Any] = {}
STATUS: dict[str, Any] = {"status": "Starting", "details": [], "engine_lbs": []}


@pytest.mark.parametrize(
    ("operation", "answer", "releases"),
    [
        ("list_models", {"models": [FLAT]}, RELEASES[:-1]),
        ("list_models", {"models": [NESTED]}, RELEASES[-2:]),
        ("list_models", {"models": [OF_2022]}, RELEASES[:1]),
        ("list_model_versions", [VERSION], RELEASES[:2]),
        ("list_model_versions", [VERSION | {"status": "ready"}], RELEASES),
        ("undeploy_pipeline", None, RELEASES[:-2]),
        ("undeploy_pipeline", EMPTY, RELEASES[-2:]),
        ("get_model_config_by_id", {"model_config": None}, RELEASES[:-2]),
        ("get_deployment_status", STATUS | {"details": None, "engines": [POD]}, RELEASES[:1]),
        ("get_deployment_status", STATUS | {"engines": [POD_WITH_DETAILS], "sidekicks": []}, RELEASES),
    ],
)
def test_an_answer_is_that_of_its_releases_and_of_no_other(
    operation: str, answer: Any, releases: tuple[str, ...]
) -> None:
    for release in (None, *RELEASES):
        problems = rules_of(release).problems(rules_of(release).answer_schema(operation), answer)
        assert (not problems) == (release is None or release in releases), (release, problems)


ASSAY = {
    "name": "a", "pipeline_id": 1, "pipeline_name": "p", "workspace_id": 1, "active": True, "status": "created",
    "alert_threshold": 0.25,
    "summarizer": {
        "type": "UnivariateContinuous", "bin_mode": "Quantile", "aggregation": "Density", "metric": "PSI", "num_bins": 5
    },
}  # fmt: skip
TIMES = {"start_at": "2023-01-01T00:00:00Z", "end_at": "2023-01-02T00:00:00Z"}
OLDER = ASSAY | {
    "iopath": "output a 0",
    "baseline": {"Fixed": {"pipeline": "p", "model": "m"} | TIMES},
    "window": {"pipeline": "p", "model": "m", "width": "24 hours"},
}
NEWER = ASSAY | {
    "baseline": {"calculated": {"vector": [1.0]}},
    "window": {"pipeline_name": "p", "path": "output a 0", "workspace_id": 1, "width": "24 hours"},
}


@pytest.mark.parametrize(
    ("operation", "body", "releases"),
    [
        ("create_assay", OLDER, RELEASES[:-2]),
        ("create_assay", NEWER, RELEASES[-3:]),
        ("deploy_pipeline", {"deploy_id": "a", "pipeline_version_pk_id": 1, "engine_config": None}, RELEASES),
        ("query_users", {"user_ids": None}, RELEASES),
        ("list_features", None, RELEASES),
    ],
)
def test_a_request_is_taken_by_its_releases_and_by_no_other(
    operation: str, body: Any, releases: tuple[str, ...]
) -> None:
    for release in (None, *RELEASES):
        rules = rules_of(release)
        content = rules.request_content(operation)
        problems = rules.problems(content["application/json"]["schema"], body)
        assert (not problems) == (release is None or release in releases), (release, problems)


@pytest.mark.parametrize(
    ("operation", "releases"),
    [
        ("upload_and_convert_model", RELEASES[2:]),
        ("get_model_version_by_id", RELEASES[3:]),
        ("insert_model_config", RELEASES[3:]),
        ("get_pipeline_logs", RELEASES[2:]),
        ("get_topic_name", RELEASES),
        ("get_topic_partitions", RELEASES),
        ("get_topic_records", RELEASES),
        ("summarize_assay_baseline", RELEASES[3:]),
        ("get_assay_results_between", RELEASES[3:]),
        ("get_model_upload_logs", RELEASES[-1:]),
        ("list_pipelines", RELEASES[-1:]),
        ("get_pipeline_by_name", RELEASES[-1:]),
        ("get_assay_v2", RELEASES[-1:]),
    ],
)
def test_an_operation_is_there_in_its_releases_only(operation: str, releases: tuple[str, ...]) -> None:
    found = tuple(release for release in RELEASES if operation in rules_of(release).operations)
    assert found == releases


@pytest.mark.parametrize("release", RELEASES)
def test_the_rules_of_a_release_admit_the_requests_that_its_contract_admits(release: str) -> None:
    rules, document = contract.load_rules(release), contract.load(release)
    assert rules == contract.rules_of(document), "scripts/regenerate writes them"
    ours, whole = ContractSpec(rules).operations, ContractSpec(document).operations
    assert ours.keys() == whole.keys()
    for name, spec in whole.items():
        assert (ours[name].path, ours[name].method, ours[name].success) == (spec.path, spec.method, spec.success)
        assert (ours[name].statuses, ours[name].bearer) == (spec.statuses, spec.bearer)
        for kind, same in zip(spec.bodies, ours[name].bodies, strict=True):
            assert (kind.media_type, kind.one_of_required) == (same.media_type, same.one_of_required)
            for body in bodies_of(document, name, kind.media_type):
                assert same.validator.is_valid(body) == kind.validator.is_valid(body)


def bodies_of(document: dict[str, Any], operation: str, media_type: str) -> list[Any]:
    """Return the examples of a body, each also without one of its fields, and with a field of another type."""
    [found] = [item for _, _, item in contract.operations(document) if item["operationId"] == operation]
    content = contract.resolve(document, found["requestBody"])["content"][media_type]
    values = [example["value"] for example in content.get("examples", {}).values() if "value" in example]
    edited: list[Any] = []
    wrong: list[Any] = [[[]], None]
    for value in values:
        fields = object_of(value)
        edited += [{key: inner for key, inner in fields.items() if key != name} for name in fields]
        edited += [fields | {name: other} for name in fields for other in wrong]
    return [*values, *edited, None, {}, [], "text"]
