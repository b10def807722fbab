"""Is a test of the suite booked on what it failed with, and not on what was done after that?"""

from __future__ import annotations

import subprocess
import sys
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from contract_tests.support.conformance.small_suites import run_as_suite
from wallaroo_ext import contract
from wallaroo_ext.conformance import plugin
from wallaroo_ext.conformance.guard.interceptor import InterceptedTransport
from wallaroo_ext.conformance.guard.owned_resources import Resource
from wallaroo_ext.conformance.options import SuiteOptions
from wallaroo_ext.conformance.plugin import failed_request, first_error, needed_by, operations_of
from wallaroo_ext.conformance.report.failures import failures
from wallaroo_ext.conformance.results import Finding, TestOutcome
from wallaroo_ext.conformance.suite import Suite
from wallaroo_ext.errors import NotFoundError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

TEST = "test_examples.py::test_a_model_is_listed"
NOTHING: dict[str, Any] = {"workspaces": [], "users": {}, "models": []}


@pytest.fixture
def suite() -> Suite:
    """Return a suite whose instance answers whatever it is asked."""
    made = Suite(SuiteOptions(instance="recorded"))
    made.interceptor.test = TEST
    return made


@pytest.fixture
def ask(suite: Suite) -> Callable[[str], httpx.Response]:
    """Return a function that sends a request of an operation through the suite."""
    transport = httpx.MockTransport(lambda _: httpx.Response(200, json=NOTHING))
    client = httpx.Client(transport=InterceptedTransport(transport, suite.interceptor), base_url="http://instance")
    return lambda operation: client.post(contract.operation(operation).path, json={})


def failed_in(suite: Suite, body: Callable[[], object]) -> str | None:
    """Return the operation that a test with this body is booked on."""
    try:
        body()
    except (AssertionError, NotFoundError) as error:
        number = failed_request(suite.run, TEST, error)
        return None if number is None else suite.run.exchanges[number].operation
    raise AssertionError("it did not fail")


@pytest.mark.parametrize(
    ("refused", "operation"), [("query_users", "query_users"), ("", "list_workspaces")], ids=["said", "not said"]
)
def test_what_the_run_could_not_make_is_booked_on_the_request_that_was_refused(
    suite: Suite, ask: Callable[[str], Any], refused: str, operation: str
) -> None:
    ask("query_users")
    ask("list_workspaces")
    suite._no_fixtures(NotFoundError("There is none.", status=404, operation=refused))  # pyright: ignore[reportPrivateUsage]
    [finding] = suite.run.findings
    assert finding.exchange is not None
    assert (finding.operation, finding.exchange.operation) == (operation, operation)


def test_it_is_the_last_request_before_the_assertion(suite: Suite, ask: Callable[[str], Any]) -> None:
    def body() -> None:
        ask("query_users")
        ask("list_workspaces")
        raise AssertionError

    assert failed_in(suite, body) == "list_workspaces"


def test_it_is_none_of_the_clean_up(suite: Suite, ask: Callable[[str], Any]) -> None:
    def body() -> None:
        try:
            ask("list_workspaces")
            raise AssertionError("no workspaces")
        finally:
            ask("query_users")

    assert failed_in(suite, body) == "list_workspaces"


def test_it_is_none_of_the_clean_up_that_fails_as_well(suite: Suite, ask: Callable[[str], Any]) -> None:
    def body() -> None:
        try:
            ask("list_workspaces")
            raise AssertionError("no workspaces")
        finally:
            ask("query_users")
            raise NotFoundError("there is nobody", status=404, operation="query_users")

    assert failed_in(suite, body) == "list_workspaces"


def test_it_is_the_operation_that_the_error_names(suite: Suite, ask: Callable[[str], Any]) -> None:
    def body() -> None:
        ask("list_workspaces")
        ask("query_users")
        raise NotFoundError("there is none", status=404, operation="list_workspaces")

    assert failed_in(suite, body) == "list_workspaces"


def test_a_test_without_a_request_has_none(suite: Suite) -> None:
    def body() -> None:
        raise AssertionError

    assert failed_in(suite, body) is None


def test_the_report_shows_the_assertion_with_its_own_request(suite: Suite, ask: Callable[[str], Any]) -> None:
    ask("list_workspaces")
    ask("query_users")
    suite.run.tests.append(TestOutcome(TEST, "failed", 0.1, "no workspaces\n\nmore", request=0))
    [failure] = failures(suite.run)
    assert failure.operation == "list_workspaces"
    assert failure.message.startswith("A model is listed: no workspaces\n\n")
    [example] = failure.examples
    assert example.exchange is suite.run.exchanges[0]


def test_the_first_error_of_a_chain_is_the_reason() -> None:
    text = "a.py:1: in f\n    x\nE   AssertionError: one\nE   two\n\nDuring handling\n\nE   ValueError: three"
    assert first_error(text) == "one"
    assert first_error("list_models: a check: it is wrong (2 times)") == ""


SPOILED = """
import pytest

@pytest.fixture
def findings():
    yield
    pytest.fail("list_models: a check: it is wrong", pytrace=False)

class Client:
    def __repr__(self):
        return "Client(_base_url='http://a', _cookies={{'a': 'b'}}, _headers={{}}, _verify=True)"

def models(client):
    return []

def test_one(findings):
    client = Client()
    {body}
"""


@pytest.mark.parametrize(
    ("body", "beginning"),
    [
        ("assert models(client) == [1], 'no models'", "no models\n"),
        ("assert models(client) == [1]", "assert [] == [1]\n"),
        ("pass", "list_models: a check: it is wrong"),
    ],
    ids=["message", "comparison", "finding"],
)
def test_a_test_has_one_outcome_that_begins_with_its_assertion(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, body: str, beginning: str
) -> None:
    run = run_as_suite(SPOILED.format(body=body), tmp_path, monkeypatch)
    [outcome] = run.tests
    assert outcome.outcome == "failed"
    assert outcome.message.startswith(beginning)
    assert "list_models: a check: it is wrong" in outcome.message


def test_a_test_takes_as_long_as_all_its_phases(suite: Suite) -> None:
    for seconds in (0.5, 2.0, 0.25):
        suite.run.add_outcome(TestOutcome(TEST, "passed", seconds))
    assert [outcome.seconds for outcome in suite.run.tests] == [2.75]


def test_findings_are_told_line_by_line_and_equal_ones_once() -> None:
    wrong, gone = (Finding("list_models", "a check", f"it is {how}") for how in ("wrong", "gone"))
    lines = plugin._describe([wrong, gone, wrong]).splitlines()  # pyright: ignore[reportPrivateUsage]
    assert lines == ["list_models: a check: it is wrong (2 times)", "list_models: a check: it is gone (1 times)"]


def test_a_run_on_recordings_leaves_nothing_behind(suite: Suite) -> None:
    suite.owned.add("workspace id", 5)
    suite.owned.add_resource(Resource("workspace", 5, "conformance-w"))
    assert suite.client
    suite.close()
    assert suite.run.left_behind == []


def item_with(*marks: pytest.MarkDecorator, **parameters: str) -> Any:
    """Return what a test with some marks is to the plugin."""
    found = {decorator.name: decorator.mark for decorator in marks}
    more = {"callspec": SimpleNamespace(params=parameters)} if parameters else {}
    return SimpleNamespace(get_closest_marker=found.get, **more)


def test_operations_that_may_be_missing_are_what_a_test_is_about_and_not_what_it_needs() -> None:
    item = item_with(pytest.mark.touches("list_models", if_there=("list_pipelines",)))
    assert operations_of(item) == ["list_models", "list_pipelines"]
    assert needed_by(item) == ["list_models"]


def test_a_test_of_one_operation_needs_it() -> None:
    item = item_with(pytest.mark.touches("list_models", "get_model"), operation_id="get_model")
    assert operations_of(item) == needed_by(item) == ["get_model"]


def test_without_a_mark_a_test_needs_none() -> None:
    assert needed_by(item_with()) == []


@pytest.mark.parametrize("marks", [(), (pytest.mark.counts_rows,)], ids=["others", "counts rows"])
def test_rows_are_sent_once_for_tests_that_count_them(
    marks: tuple[Any, ...], suite: Suite, monkeypatch: pytest.MonkeyPatch
) -> None:
    found: list[bool] = []
    monkeypatch.setattr(suite.interceptor, "send_rows_once", found.append)
    item = item_with(*marks)
    config: Any = SimpleNamespace(stash={})
    plugin.use_suite(config, suite)
    item.config, item.fixturenames = config, ["conformance_suite"]
    plugin.pytest_runtest_setup(item)
    assert found == [bool(marks)]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--rate", "0"], "--rate has to be more than 0, not 0."),
        (["--rate", "-2"], "--rate has to be more than 0, not -2."),
        (["--rate", "nan"], "--rate has to be more than 0, not nan."),
        (["--cases", "0"], "--cases has to be 1 at least, not 0."),
    ],
)
def test_a_number_that_no_run_can_have_is_refused(arguments: list[str], message: str, tmp_path: Path) -> None:
    (tmp_path / "test_one.py").write_text("def test_one(conformance_suite): pass\n", encoding="utf-8")
    command = [sys.executable, "-m", "pytest", "-p", "wallaroo_ext.conformance.plugin", str(tmp_path), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path, timeout=120)
    assert done.returncode == pytest.ExitCode.USAGE_ERROR, done.stdout
    assert message in done.stderr
