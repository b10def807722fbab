"""Is an instance held to the contract of its release, and is it said how the release is known?"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from wallaroo_mlops_client import Client

from wallaroo_ext import contract
from wallaroo_ext.conformance import plugin
from wallaroo_ext.conformance.guard.interceptor import Incoming
from wallaroo_ext.conformance.options import SuiteOptions
from wallaroo_ext.conformance.release import HeldTo, release_of_instance, release_of_version
from wallaroo_ext.conformance.report.json_report import report_json
from wallaroo_ext.conformance.report.page import page
from wallaroo_ext.conformance.report.summary import figures
from wallaroo_ext.conformance.report.terminal import summary
from wallaroo_ext.conformance.suite import Suite, suite_for
from wallaroo_ext.contract_overlays import OverlayError
from wallaroo_ext.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

REMOTE = "https://api.wallaroo.example.com"
HERE = "http://127.0.0.1:8080"
MISSING = "get_model_upload_logs"
"""An operation that 2025.2 has and no release before it."""


@pytest.mark.parametrize(
    ("version", "release"),
    [
        ("2022.1", "2022.4"),
        ("2022.4.0", "2022.4"),
        ("2023.3.1", "2023.4"),
        ("2024.1.0", "2024.2"),
        ("2024.3.0", "2025.2"),
        ("2025.1.2", "2025.2"),
        ("2025.2.1+6555", "2025.2"),
        ("2027.1.0", "2025.2"),
        ("main", None),
        ("", None),
    ],
)
def test_a_version_is_held_to_the_next_release_that_has_an_overlay(version: str, release: str | None) -> None:
    assert release_of_version(version) == release


def client_of(url: str, answers: dict[str, Any]) -> tuple[Client, list[str]]:
    """Return a client of an instance that has these answers, by operation or path, and the paths it is asked for."""
    asked: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.path)
        found = answers.get(contract.operation_at(request.url.path) or request.url.path)
        return httpx.Response(404, json={"code": 404, "msg": "No."}) if found is None else found

    client = Client(base_url=url)
    client.set_httpx_client(httpx.Client(base_url=url, transport=httpx.MockTransport(answer)))
    return client, asked


WORKSPACES = httpx.Response(
    200,
    json={
        "workspaces": [
            {"id": number, "name": f"w{number}", "created_at": "2026-01-01T00:00:00Z", "archived": False}
            | {"created_by": "somebody", "models": [], "pipelines": []}
            for number in (1, 2)
        ]
    },
)


def test_a_sandbox_says_its_release_on_its_own_machine() -> None:
    client, asked = client_of(HERE, {"/_sandbox/state": httpx.Response(200, json={"release": "2023.2"})})
    assert release_of_instance(client, HERE) == HeldTo("2023.2", "the sandbox says so")
    assert asked == ["/_sandbox/state"]


@pytest.mark.parametrize("answer", [httpx.Response(200, text="<html>"), httpx.Response(200, json={"release": "9"})])
def test_what_is_no_state_of_a_sandbox_says_nothing(answer: httpx.Response) -> None:
    client, _ = client_of(HERE, {"/_sandbox/state": answer})
    assert release_of_instance(client, HERE).release is None


def test_an_instance_elsewhere_is_not_asked_whether_it_is_a_sandbox() -> None:
    client, asked = client_of(REMOTE, {"/_sandbox/state": httpx.Response(200, json={"release": "2023.2"})})
    assert release_of_instance(client, REMOTE).release is None
    assert "/_sandbox/state" not in asked


def test_the_newest_server_that_made_a_model_version_tells_the_release() -> None:
    made = [{"model_version": {"id": 1, "created_on_version": text}} for text in ("2023.4.0", "2024.1.0", "none")]
    time = "2026-01-01T00:00:00Z"
    model = {"id": 3, "name": "m", "owner_id": '""', "created_at": time, "updated_at": time}
    models = httpx.Response(200, json={"models": [{"model": model, "model_versions": made, "workspace": {"id": 1}}]})
    client, _ = client_of(REMOTE, {"list_workspaces": WORKSPACES, "list_models": models})
    held = release_of_instance(client, REMOTE)
    assert held == HeldTo("2024.2", "its newest model version was made on 2024.1.0")
    assert held.text == (
        "The instance is held to the contract of release 2024.2: its newest model version was made on 2024.1.0."
    )


def test_an_instance_that_shows_no_servers_versions_does_not_say_its_release() -> None:
    client, _ = client_of(
        REMOTE, {"list_workspaces": WORKSPACES, "list_models": httpx.Response(200, json={"models": []})}
    )
    held = release_of_instance(client, REMOTE)
    assert held.release is None
    assert "without the overlay" in held.text


def test_an_instance_that_answers_nothing_says_nothing() -> None:
    client = Client(base_url=HERE)
    transport = httpx.MockTransport(lambda _: (_ for _ in ()).throw(httpx.ConnectError("refused")))
    client.set_httpx_client(httpx.Client(base_url=HERE, transport=transport))
    assert release_of_instance(client, HERE).release is None


class TestPytest:
    """The option of the suite's plugin, and of a run that records."""

    @pytest.mark.parametrize(("given", "release"), [("2025.1.2", "2025.2"), ("2022.4", "2022.4")])
    def test_a_version_is_held_to_its_release(self, given: str, release: str) -> None:
        config = configured("--release", given)
        assert plugin.suite_of(config).held.release == release
        assert any(f"contract of release {release}" in line for line in plugin.pytest_report_header(config))

    def test_what_is_no_version_is_an_error(self) -> None:
        with pytest.raises(pytest.UsageError, match=r"--release has to be a version such as 2025\.2, not newest"):
            plugin.suite_of(configured("--release", "newest"))

    def test_an_operation_that_the_release_lacks_is_an_error(self) -> None:
        with pytest.raises(pytest.UsageError, match="does not have list_pipelines"):
            plugin.suite_of(configured("--release", "2022.4", "--operation", "list_pipelines"))


def configured(*arguments: str) -> pytest.Config:
    """Return the configuration of a run of pytest with the suite's plugin, which collects nothing."""
    return pytest.Config.fromdictargs({}, ["-p", plugin.__name__, "-c", "/dev/null", *arguments])


class TestSuite:
    @pytest.mark.parametrize("release", contract.RELEASES)
    def test_a_sandbox_is_started_and_judged_by_the_release_that_is_named(
        self, release: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        started: list[Any] = []

        def sandbox(of: str) -> Any:
            started.append(of)
            raise InterruptedError

        monkeypatch.setattr("wallaroo_ext.conformance.suite.sandbox", sandbox)
        suite = suite_for(SuiteOptions(release=release))
        assert suite.rules.document["info"]["x-release"] == release
        with pytest.raises(InterruptedError):
            _ = suite.instance
        assert started == [release]

    def test_without_a_name_it_is_the_sandboxs_own(self) -> None:
        suite = suite_for(SuiteOptions())
        assert suite.held.release == suite.rules.document["info"]["x-release"] == contract.RELEASES[-1]

    def test_operations_that_the_release_does_not_have_are_listed_and_not_tested(self) -> None:
        suite = Suite(SuiteOptions(release="2022.4"))
        rows = {row.id: row for row in suite.run.operations}
        assert list(rows) == contract.operation_ids()
        assert (rows[MISSING].is_in_release, rows[MISSING].not_exercised) == (False, "Release 2022.4 does not have it.")
        assert suite.skip_reason(MISSING) == "Release 2022.4 does not have it."
        assert rows["list_models"].is_in_release
        assert suite.skip_reason("list_models") == ""

    def test_they_count_as_nothing_wrong(self) -> None:
        suite = Suite(SuiteOptions(release="2022.4"))
        assert any(line.startswith("Not in release 2022.4, and not tested:") for line in summary(suite.run))
        known = len(suite.rules.operations)
        assert next(figure.number for figure in figures(suite.run) if figure.section == "exercised") == f"0 of {known}"
        report = json.loads(report_json(suite.run))
        assert report["verdict"] == "conforms"
        assert MISSING in report["not_exercised"]

    def test_one_that_is_named_and_not_there_is_an_error(self) -> None:
        with pytest.raises(ConfigurationError, match=f"Release 2022.4 does not have {MISSING}: leave it out"):
            Suite(SuiteOptions(release="2022.4", operations=("list_models", MISSING)))
        Suite(SuiteOptions(release="2025.2", operations=(MISSING,)))

    def test_the_report_says_which_release_and_how_it_is_known(self) -> None:
        suite = Suite(SuiteOptions(release="2023.1"))
        subject = json.loads(report_json(suite.run))["subject"]
        assert (subject["release"], subject["release_known_by"]) == ("2023.1", "--release names it")
        assert "2023.1: --release names it" in page(suite.run)
        assert ", release 2023.1" in summary(suite.run)[0]

    def test_a_contract_of_ones_own_is_taken_as_it_is(self, tmp_path: Path) -> None:
        suite = suite_for(SuiteOptions(instance="live", contract=own(tmp_path, lambda _: None)))
        assert suite.held.release is None
        assert "x-release" not in suite.rules.document["info"]

    def test_the_overlay_of_a_named_release_is_applied_to_it(self, tmp_path: Path) -> None:
        file = own(tmp_path, lambda document: document["info"].update(title="Mine"))
        info = suite_for(SuiteOptions(contract=file, release="2024.2")).rules.document["info"]
        assert (info["title"], info["x-release"]) == ("Mine", "2024.2")

    def test_an_overlay_that_does_not_fit_it_is_an_error(self, tmp_path: Path) -> None:
        file = own(tmp_path, lambda document: document["paths"].pop("/v1/api/models/list"))
        with pytest.raises(OverlayError, match="matches nothing"):
            suite_for(SuiteOptions(contract=file, release="2024.2"))

    def test_what_helpers_ask_for_and_the_release_does_not_have_is_sent_and_not_judged(self) -> None:
        suite = Suite(SuiteOptions(release="2022.4"))
        url = f"{HERE}{contract.operation('get_model_version_by_id').path}"
        headers = [("content-type", "application/json")]
        outgoing = suite.interceptor.admit("POST", url, headers, b'{"model_version_id": 1}')
        suite.interceptor.keep(outgoing, Incoming(404, [], b"Not Found"))
        assert outgoing.operation == "get_model_version_by_id"
        assert not suite.run.findings


def own(directory: Path, edit: Callable[[dict[str, Any]], object]) -> Path:
    """Write a contract of one's own, and return its file."""
    document = contract.load()
    edit(document)
    file = directory / "own.yaml"
    file.write_text(json.dumps(document), encoding="utf-8")
    return file
