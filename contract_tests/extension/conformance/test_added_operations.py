"""Does the suite keep away from what others have, with operations that a user adds to the contract?"""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

from contract_tests.extension.conformance.added_operations import (
    ADDED,
    READS,
    Counting,
    Others,
    counted_instance,
    extended,
)
from wallaroo_ext import contract
from wallaroo_ext.conformance.command import run_suite
from wallaroo_ext.conformance.options import SuiteOptions
from wallaroo_ext.conformance.report import write_report
from wallaroo_ext.conformance.report.terminal import summary
from wallaroo_ext.conformance.results import Verdict, verdict

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from pathlib import Path

pytestmark = pytest.mark.slow
PARTLY: dict[str, dict[str, Any]] = {
    "purge_model": {"x-writes": None, "x-names": None},
    "delete_model_by_name": {"x-writes": None},
    "drop_model": {"x-names": None},
    "purge_models": {"x-names": {}},
    "erase_pipeline": {"x-names": {"$request.body#/target/pipeline/id": "nothing"}},
    "forget_model": {"x-writes": "model"},
    "wipe_workspace": {"x-names": {"$request.body#/what": "nothing"}},
    "replace_model": {"x-writes": ["everything"]},
    "forget_assay": {"x-writes": None, "x-names": None},
    "rename_workspace": {"x-names": {"$request.body#/title": "unused workspace name"}},
    "purge_pipelines": {"x-names": {"$request.body#/*/pipeline": "pipeline id"}},
    "end_session": {"x-names": {"$request.cookie.person": "person"}},
    "search_models": {"x-names": None},
    "show_model": {"x-writes": None},
}
"""How each added operation can lack a part of what the contract has to say of it."""


@pytest.fixture(scope="module")
def instance() -> Generator[tuple[dict[str, str], Counting, Others]]:
    with counted_instance() as found:
        yield found


def run(
    document: dict[str, Any], environment: dict[str, str], folder: Path, *more: str, cases: int = 2, **options: Any
) -> dict[str, Any]:
    """Return the report of a run that checks the added operations and more, with the command's output as `stdout`."""
    file = folder / "contract.yaml"
    file.write_text(json.dumps(document), encoding="utf-8")  # which is YAML, too
    suite_options = SuiteOptions(
        instance="live",
        environment=environment,
        contract=file,
        cases=cases,
        operations=(*ADDED, *READS, *more),
        **options,
    )
    found = run_suite(suite_options, lambda _, __: None)
    assert not found.could_not_run
    files = write_report(found, folder / "report")
    report: dict[str, Any] = json.loads((folder / "report/report.json").read_text(encoding="utf-8"))
    return report | {"stdout": "\n".join(summary(found, files=files, colours=False))}


def test_of_others_nothing_is_named_in_a_request_that_writes(
    instance: tuple[dict[str, str], Counting, Others], tmp_path: Path
) -> None:
    environment, counting, others = instance
    counting.arrived.clear()
    report = run(extended(), environment, tmp_path, allow_user_changes=True)
    assert {row["id"] for row in report["operations"] if not row["is_described"]} == set()
    for name, added in ADDED.items():
        arrived = [each for each in counting.at(name) if each.method == added.method.upper()]
        fewest = 1 if name == "forget_model" else 5  # the id of what a DELETE removed is not sent again
        assert len(arrived) >= fewest, f"{name} was not tried: {report['withheld_because'].get(name)}"
        of_others = others.names.union(*(others.ids.get(kind, set()) for kind in added.writes))
        for each in counting.at(name):
            assert not each.texts & of_others, f"{name}: {each}"
        assert {each.texts & {"2147483647"} for each in arrived} != {frozenset({"2147483647"})}, (
            "only nobody's was tried"
        )
    entries: Any = json.loads((tmp_path / "report/report.har").read_text(encoding="utf-8"))["log"]["entries"]
    kept = Counter(entry["comment"].partition(" ")[0] for entry in entries)
    counted = {row["id"]: sum(row["statuses"].values()) for row in report["operations"]}
    for name, added in (ADDED | READS).items():
        arrived = counting.at(name)
        assert len(arrived) == kept[name] > 0, "every request is seen by the guard, and is in the report"
        own = sum(each.method == added.method.upper() for each in arrived)
        assert own == counted[name], "those of other methods are none of the operation"
    methods = {each.method for name in ADDED | READS for each in counting.at(name)}
    assert methods <= {added.method.upper() for added in ADDED.values()} | {"GET", "HEAD", "OPTIONS", "TRACE"}


def test_what_is_not_described_in_full_gets_no_request(
    instance: tuple[dict[str, str], Counting, Others], tmp_path: Path
) -> None:
    environment, counting, _ = instance
    counting.arrived.clear()
    report = run(extended(PARTLY), environment, tmp_path, "list_workspaces", allow_user_changes=True)
    assert {name: len(counting.at(name)) for name in PARTLY} == dict.fromkeys(PARTLY, 0)
    page = (tmp_path / "report/report.html").read_text(encoding="utf-8")
    junit = (tmp_path / "report/junit.xml").read_text(encoding="utf-8")
    rows = {row["id"]: row for row in report["operations"]}
    for name in PARTLY:
        reason = rows[name]["not_exercised"]
        assert not rows[name]["is_described"]
        assert reason == report["not_exercised"][name] != ""
        assert name in page
    assert page.count("Not looked at.") == len(PARTLY)
    assert "x-writes is missing" in page
    assert "x-writes is missing" in junit
    assert report["stdout"].count("Not looked at: ") >= 10
    assert "Not looked at: purge_model. The contract does not say what it writes" in report["stdout"]


def test_a_run_that_only_reads_sends_only_what_is_marked_as_reading(
    instance: tuple[dict[str, str], Counting, Others], tmp_path: Path
) -> None:
    environment, counting, _ = instance
    counting.arrived.clear()
    run(extended(), environment, tmp_path, read_only=True)
    assert {name: len(counting.at(name)) for name in ADDED} == dict.fromkeys(ADDED, 0)
    for name, added in READS.items():
        assert {each.method for each in counting.at(name)} == {added.method.upper()}
    assert {each.method for each in counting.arrived} <= {"POST", "GET"}
    written = {each.path for each in counting.arrived if "create" in each.path or "deploy" in each.path}
    assert not {path for path in written if "get_deployment" not in path}


def undescribed() -> tuple[dict[str, Any], tuple[str, ...]]:
    """Return a contract that says of no operation what it writes."""
    document = extended()
    for name in ADDED | READS:
        document["paths"].pop((ADDED | READS)[name].path, None)
    for _, _, operation in contract.operations(document):
        del operation["x-writes"]
    return document, ()


def undescribed_alone() -> tuple[dict[str, Any], tuple[str, ...]]:
    """Return a contract that does not describe the one operation that is looked at."""
    return extended(PARTLY), ("purge_model",)


@pytest.mark.parametrize("case", [undescribed, undescribed_alone])
def test_where_nothing_is_described_nothing_can_be_looked_at(
    case: Callable[[], tuple[dict[str, Any], tuple[str, ...]]],
    instance: tuple[dict[str, str], Counting, Others],
    tmp_path: Path,
) -> None:
    environment, counting, _ = instance
    counting.arrived.clear()
    document, operations = case()
    file = tmp_path / "contract.yaml"
    file.write_text(json.dumps(document), encoding="utf-8")
    options = SuiteOptions(instance="live", environment=environment, contract=file, operations=operations)
    found = run_suite(options, lambda _, __: None)
    assert verdict(found) is Verdict.COULD_NOT_RUN
    assert "Nothing can be looked at" in found.could_not_run
    assert not [each for each in counting.arrived if "openid-connect" not in each.path]
