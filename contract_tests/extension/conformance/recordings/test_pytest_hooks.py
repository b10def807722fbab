"""A run of pytest that records, and one on recordings: which cassettes are written, and what fails."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
import wallaroo_mlops_client.models

from contract_tests.support.servers.http_servers import serving
from wallaroo_ext.conformance.recordings import cassette

LOADED_ONCE = (cassette, wallaroo_mlops_client.models)
"""Modules that the projects import; imported here, they are loaded once, because pytester forgets a run's imports."""

pytest_plugins = ["pytester"]

CONFTEST = """
import os
import pytest
from wallaroo_ext import connect
from wallaroo_ext.conformance.recordings import pytest_hooks

class Live:
    prefix = "run-1f"
    environment = os.environ

def pytest_addoption(parser):
    group = parser.getgroup("conformance")
    group.addoption("--instance", default="live")
    pytest_hooks.add_options(group)

def pytest_configure(config):
    pytest_hooks.configure(config, config.getoption("instance"), lambda: "2023.4")

@pytest.fixture(scope="session")
def conformance_instance():
    return Live

@pytest.fixture(scope="session")
def client(pytestconfig):
    is_recorded = pytestconfig.getoption("instance") == "recorded"
    with connect(environment=pytest_hooks.recorded_environment() if is_recorded else os.environ) as connected:
        yield connected
"""
EXAMPLES = """
import pytest
from wallaroo_ext import call
from wallaroo_mlops_client.api.workspaces import list_workspaces
from wallaroo_mlops_client.models import ListWorkspacesRequest

pytestmark = pytest.mark.recorded

@pytest.fixture
def listed(client):
    return call(list_workspaces, client=client, body=ListWorkspacesRequest()).workspaces

def test_good(listed):
    assert listed == []

def test_asked_and_skipped(listed):
    pytest.skip("It may not")

def test_without_a_request():
    pass

def test_breaks_in_the_end(listed):
    {end}
"""

Run = Callable[..., pytest.RunResult]


@pytest.fixture
def run(pytester: pytest.Pytester) -> Run:
    """Return a function that runs a project's tests on a small instance, or on recordings of it."""
    pytester.makeconftest(CONFTEST)
    pytester.makeini("[pytest]\nfilterwarnings = error\n")
    pytester.makepyfile(test_examples=EXAMPLES.replace("{end}", "pass"))

    def go(*arguments: str) -> pytest.RunResult:
        with pytest.MonkeyPatch.context() as environment, serving() as server:
            environment.setenv("WALLAROO_API_URL", server.url)
            environment.setenv("WALLAROO_TOKEN", "hush")
            return pytester.runpytest_inprocess("--cassettes", "tapes", *arguments)

    return go


def recorded(pytester: pytest.Pytester) -> dict[str, str]:
    """Return the files that were recorded, by their names."""
    return {file.name: file.read_text(encoding="utf-8") for file in (pytester.path / "tapes").iterdir()}


def test_what_passed_is_recorded_and_played(pytester: pytest.Pytester, run: Run) -> None:
    run("--record", "--release", "2025.2").assert_outcomes(passed=3, skipped=1)
    files = recorded(pytester)
    assert set(files) == {"recording.json", "test_good.yaml", "test_breaks_in_the_end.yaml"}
    assert not any("hush" in text for text in files.values())
    index = json.loads(files["recording.json"])
    assert index["cassettes"]["test_good"]["instance"] == "live"
    assert index["cassettes"]["test_good"]["release"] == "2025.2"
    assert index["not_recorded"] == {
        "test_asked_and_skipped": "It may not",
        "test_without_a_request": "it sends token requests only, and these are never recorded",
    }
    result = run("--instance", "recorded", "-rs")
    result.assert_outcomes(passed=2, skipped=2)
    result.stdout.fnmatch_lines(["*It is not recorded: It may not.*"])


def test_a_live_instance_is_of_the_release_that_it_is_held_to(pytester: pytest.Pytester, run: Run) -> None:
    run("--record", "-k", "good").assert_outcomes(passed=1, deselected=3)
    index = json.loads(recorded(pytester)["recording.json"])
    assert index["cassettes"]["test_good"]["release"] == "2023.4"


def test_a_test_that_fails_keeps_its_cassette(pytester: pytest.Pytester, run: Run) -> None:
    run("--record")
    before = recorded(pytester)
    for end in ("raise ValueError", "pytest.skip('Not now')"):
        pytester.makepyfile(test_examples=EXAMPLES.replace("{end}", end))
        run("--record")
        assert recorded(pytester) == before


def test_a_test_whose_end_fails_keeps_its_cassette(pytester: pytest.Pytester, run: Run) -> None:
    end = "pass\n\n@pytest.fixture(autouse=True)\ndef _ends():\n    yield\n    raise ValueError"
    pytester.makepyfile(test_examples=EXAMPLES.replace("{end}", end))
    run("--record", "-k", "good").assert_outcomes(passed=1, errors=1, deselected=3)
    assert not (pytester.path / "tapes").exists()


def test_a_recording_with_a_secret_fails_its_test(pytester: pytest.Pytester, run: Run) -> None:
    pytester.makepyfile(
        test_examples="""
        import pytest
        from wallaroo_ext import contract

        @pytest.mark.recorded
        def test_secret(client):
            path = contract.operation("list_workspaces").path
            client.get_httpx_client().post(path, json={"note": "Bearer " + "0123456789"})
        """
    )
    result = run("--record")
    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(["*test_secret.yaml was not written, it looks as if it held a secret: *"])
    assert not (pytester.path / "tapes").exists()


def test_a_request_that_changed_is_an_error_that_says_what_to_do(pytester: pytest.Pytester, run: Run) -> None:
    run("--record")
    changed = EXAMPLES.replace("{end}", "pass").replace(
        "ListWorkspacesRequest())", "ListWorkspacesRequest.from_dict({'a': 1}))"
    )
    pytester.makepyfile(test_examples=changed)
    result = run("--instance", "recorded", "-k", "good")
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(["*scripts/record --cassettes tapes -k test_good*"])


def test_the_network_fails_a_test_also_where_it_is_caught(pytester: pytest.Pytester, run: Run) -> None:
    run("--record")
    pytester.makepyfile(
        test_others="""
        import contextlib, socket

        def test_opens_a_socket():
            socket.socket()

        def test_catches_what_comes_of_it():
            with contextlib.suppress(Exception):
                socket.create_connection(("127.0.0.1", 9))

        def test_good():
            pass
        """
    )
    result = run("--instance", "recorded", "test_others.py")
    result.assert_outcomes(passed=1, failed=2)
    result.stdout.fnmatch_lines(["*test_catches_what_comes_of_it used the network in a run on recordings: *"])


def test_what_needs_a_sandbox_is_skipped_on_recordings(pytester: pytest.Pytester, run: Run) -> None:
    pytester.makepyfile(
        test_others="""
        import pytest

        @pytest.fixture(scope="session")
        def sandbox():
            raise ValueError

        def test_on_a_sandbox(sandbox):
            pass
        """
    )
    run("--instance", "recorded", "test_others.py").assert_outcomes(skipped=1)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--record", "--instance", "recorded"), "*--record needs an instance to record from*"),
        (("--record",), "*The cassettes in the repository are the sandbox's: name a folder, --cassettes DIR.*"),
    ],
)
def test_what_cannot_be_is_refused(
    pytester: pytest.Pytester, run: Run, arguments: tuple[str, ...], message: str
) -> None:
    assert run is not None
    result = pytester.runpytest_inprocess(*arguments)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([message])


def test_a_cassette_that_came_out_the_same_keeps_its_date(pytester: pytest.Pytester, run: Run) -> None:
    run("--record")
    index = pytester.path / "tapes" / "recording.json"
    index.write_text(index.read_text(encoding="utf-8").replace('"date": "20', '"date": "19'), encoding="utf-8")
    run("--record").stdout.fnmatch_lines(["Recorded to tapes: 0 cassettes changed, 2 did not."])
    assert json.loads(index.read_text(encoding="utf-8"))["cassettes"]["test_good"]["date"].startswith("19")
