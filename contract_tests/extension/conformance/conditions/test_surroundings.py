"""Does anything that lies around a run steer it?"""

from __future__ import annotations

import importlib
import json
import os
import re
import subprocess
import sys
import tempfile
import textwrap
import time
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

import hypothesis
import pytest
from hypothesis import configuration, settings
from hypothesis import strategies as st

from wallaroo_ext.conformance.command import run_suite
from wallaroo_ext.conformance.conditions.surroundings import check_assertions, undisturbed
from wallaroo_ext.conformance.options import SuiteOptions
from wallaroo_ext.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Generator

    from contract_tests.extension.conformance.conditions.conftest import RunTests
    from wallaroo_ext.conformance.results import Run

FILES = {
    "pytest.ini": "[pytest]\naddopts = --collect-only\n",
    "pyproject.toml": '[tool.pytest.ini_options]\naddopts = ["--collect-only"]\n',
    "tox.ini": "[pytest]\naddopts = --collect-only\n",
    "setup.cfg": "[tool:pytest]\naddopts = --collect-only\n",
    "conftest.py": "def pytest_collection_modifyitems(items):\n    items.clear()\n",
    "sitting_there.py": "def pytest_collection_modifyitems(items):\n    items.clear()\n",
    "schemathesis.toml": "[generation\n",
    ".hypothesis": "is no directory",
    "test_more.py": "def test_more():\n    assert False\n",
}
"""Files that lie in the current directory, and in the one above."""
VARIABLES = {
    "collects only": {"PYTEST_ADDOPTS": "--collect-only"},
    "one test": {"PYTEST_ADDOPTS": "-k passes"},
    "another configuration": {"PYTEST_ADDOPTS": "-c pytest.ini"},
    "an option that nobody has": {"PYTEST_ADDOPTS": "--nonsense"},
    "a plugin": {"PYTEST_PLUGINS": "sitting_there"},
    "a plugin that is gone": {"PYTEST_PLUGINS": "no_such_module"},
    "the suite itself left out": {"PYTEST_ADDOPTS": "-p no:python"},
    "a theme": {"PYTEST_THEME": "nonsense", "PYTEST_THEME_MODE": "nonsense", "PY_COLORS": "1", "FORCE_COLOR": "1"},
    "a CI system": {"CI": "true", "BUILD_NUMBER": "7", "GITHUB_ACTIONS": "true", "TOX_ENV_DIR": "/nonsense"},
    "places": {"PYTEST_DEBUG_TEMPROOT": "/nonsense", "HYPOTHESIS_STORAGE_DIRECTORY": "/nonsense"},
    "hooks": {"SCHEMATHESIS_HOOKS": "sitting_there", "SCHEMATHESIS_BASE_URL": "http://127.0.0.1:9"},
    "Python": {"PYTHONDEVMODE": "1", "PYTHONASYNCIODEBUG": "1", "PYTHONDEBUG": "1", "PYTHONINSPECT": "1"},
    "looks": {"COLUMNS": "1", "LINES": "1", "NO_COLOR": "1", "TERM": "dumb", "TZ": "Pacific/Apia", "LC_ALL": "POSIX"},
}
TESTS = """
import os
import warnings

PYTHON = ("PYTHONDEVMODE", "PYTHONASYNCIODEBUG", "PYTHONDEBUG", "PYTHONINSPECT")

def test_passes(tmp_path):
    assert tmp_path.is_dir()

def test_warns():
    warnings.warn("it gets old", DeprecationWarning)

def test_fails():
    one = list(range(300))
    assert one == [*one, 1]

def test_sees_none_of_it():
    from hypothesis import settings

    own = {"PYTEST_CURRENT_TEST", "PYTEST_VERSION", "PYTEST_DISABLE_PLUGIN_AUTOLOAD", "HYPOTHESIS_NO_PLUGINS"}
    steering = ("PYTEST_", "HYPOTHESIS_", "SCHEMATHESIS_", "PYTHONWARNINGS", *PYTHON)
    assert [name for name in os.environ if name.startswith(steering) and name not in own] == []
    assert (settings().derandomize, settings().max_examples) == (False, 100)
"""


@pytest.fixture
def crowded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Go to a directory that is full of what could steer a run, and return it."""
    here = tmp_path / "above" / "here"
    here.mkdir(parents=True)
    for name, content in FILES.items():
        for directory in (here, here.parent):
            (directory / name).write_text(content, encoding="utf-8")
    monkeypatch.chdir(here)
    monkeypatch.setattr(sys, "path", [str(here), *sys.path])
    return here


def seen(run: Run) -> dict[str, str]:
    """Return the outcomes of the tests, by their names."""
    assert not run.could_not_run or run.could_not_run.startswith("No operation was looked at")
    return {test.test.rpartition("::")[2]: test.outcome for test in run.tests}


EXPECTED = {"test_passes": "passed", "test_warns": "passed", "test_fails": "failed", "test_sees_none_of_it": "passed"}


@pytest.mark.parametrize("variables", VARIABLES.values(), ids=VARIABLES)
def test_no_variable_and_no_file_steers_a_run(
    crowded: Path, run_tests: RunTests, monkeypatch: pytest.MonkeyPatch, variables: dict[str, str]
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    before = dict(os.environ)
    found = run_tests(TESTS)
    assert seen(found) == EXPECTED
    [message] = [test.message for test in found.tests if test.outcome == "failed"]
    assert message.startswith("assert [0, 1, 2, 3, 4, 5, ...] == [0, 1, 2, 3, 4, 5, ...]\n")
    assert dict(os.environ) == before
    assert {path.name for path in crowded.iterdir()} == FILES.keys(), "it leaves nothing where it was called"


def test_a_profile_and_warnings_of_the_program_steer_nothing_and_are_as_they_were(run_tests: RunTests) -> None:
    settings.register_profile("of others", derandomize=True, max_examples=1)
    before = settings.get_current_profile_name()
    home = configuration.storage_directory(intent_to_write=False).home_directory
    settings.load_profile("of others")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            assert seen(run_tests(TESTS)) == EXPECTED
            with pytest.raises(DeprecationWarning):
                warnings.warn("as it was", DeprecationWarning, stacklevel=1)
        assert settings.get_current_profile_name() == "of others"
        assert configuration.storage_directory(intent_to_write=False).home_directory == home
    finally:
        settings.load_profile(before)


def test_a_directory_that_is_gone_is_none_that_a_run_needs(run_tests: RunTests, tmp_path: Path) -> None:
    before = Path.cwd()
    gone = tmp_path / "gone"
    gone.mkdir()
    os.chdir(gone)
    gone.rmdir()
    assert seen(run_tests(TESTS)) == EXPECTED
    with pytest.raises(FileNotFoundError):
        Path.cwd()
    os.chdir(before)


def test_what_an_earlier_run_kept_of_hypothesis_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(configuration, "__hypothesis_home_directory", tmp_path)
    with undisturbed():
        found: list[int] = []

        @hypothesis.settings(max_examples=5, database=None)
        @hypothesis.given(st.text(alphabet=st.characters(categories=["Lu"])))
        def look(text: str) -> None:
            found.append(len(text))

        look()
    assert found
    assert list(tmp_path.iterdir()) == []


def test_hypothesis_has_a_directory_of_its_own_with_the_table_that_takes_seconds() -> None:
    with undisturbed():
        home = configuration.storage_directory(intent_to_write=False).path
        until = time.monotonic() + 60
        while not [*home.rglob("*utf-8*")] and time.monotonic() < until:
            time.sleep(0.1)
        assert [*home.rglob("*utf-8*")]
    assert not home.exists()


@pytest.fixture
def loaded_module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Generator[int]:
    """Load a module that is not installed, and return the constant in it."""
    (tmp_path / "somebodys_module.py").write_text("NUMBER = 777_123_777_123\n", encoding="utf-8")
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    yield importlib.import_module("somebodys_module").NUMBER
    del sys.modules["somebodys_module"]


def test_no_constants_of_loaded_modules_are_among_the_data(loaded_module: int) -> None:
    def is_drawn() -> bool:
        drawn: set[int] = set()

        @hypothesis.seed(29)
        @hypothesis.settings(max_examples=2_000, database=None)
        @hypothesis.given(st.integers(loaded_module - 1_000_000_000, loaded_module + 1_000_000_000))
        def draw(number: int) -> None:
            drawn.add(number)

        draw()
        return loaded_module in drawn

    assert is_drawn()  # otherwise hypothesis does no longer read them
    with undisturbed():
        assert not is_drawn()
    assert is_drawn()


WITHOUT = {
    "a program of Python": "",
    "a program that can be started": "/nonsense/python",
}
"""What the process beside a run's start may lack, with the name of its program then."""


@pytest.mark.parametrize("executable", WITHOUT.values(), ids=WITHOUT)
def test_a_run_goes_on_without_a_process_that_only_saves_time(
    run_tests: RunTests, monkeypatch: pytest.MonkeyPatch, executable: str
) -> None:
    monkeypatch.setattr(sys, "executable", executable)
    drawn = """
    from hypothesis import given, strategies as st

    @given(st.text())
    def test_draws(text):
        assert isinstance(text, str)
    """
    assert seen(run_tests(textwrap.dedent(drawn))) == {"test_draws": "passed"}


def test_nothing_is_sent_where_no_temporary_file_can_be_written(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", "/nonsense")
    found = run_suite(SuiteOptions(), lambda _done, _all: None)
    assert re.fullmatch(
        r"No temporary file can be written [(].*[)]: name a directory .* in TMPDIR[.]", found.could_not_run
    )
    assert not found.exchanges


class TestAssertions:
    def test_they_are_executed_here(self) -> None:
        check_assertions()

    @pytest.mark.parametrize("way", ["option", "variable"])
    def test_without_them_nothing_is_sent_and_the_exit_code_is_2(self, way: str) -> None:
        arguments = ["-O"] if way == "option" else []
        environment = dict(os.environ) | ({"PYTHONOPTIMIZE": "2"} if way == "variable" else {})
        environment |= {"WALLAROO_API_URL": "http://127.0.0.1:9", "WALLAROO_TOKEN": "x"}
        program = [sys.executable, *arguments, "-m", "wallaroo_ext.cli", "conformance", "--json"]
        done = subprocess.run(program, capture_output=True, text=True, check=False, timeout=60, env=environment)
        assert done.returncode == 2, done.stderr
        report = json.loads(done.stdout)
        assert "without -O" in report["could_not_run"]
        assert report["requests"] == 0

    def test_the_plugin_refuses_them_too(self, monkeypatch: pytest.MonkeyPatch) -> None:
        flags = type("Flags", (), {"optimize": 1})()
        monkeypatch.setattr("wallaroo_ext.conformance.conditions.surroundings.sys.flags", flags)
        with pytest.raises(ConfigurationError, match="without PYTHONOPTIMIZE"):
            check_assertions()
