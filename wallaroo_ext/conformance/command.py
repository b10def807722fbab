"""Runs the suite from a program: pytest with the suite and nothing else."""

from __future__ import annotations

import contextlib
import os
import signal
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from wallaroo_ext import call
from wallaroo_ext._util.files.repository_files import repository_file
from wallaroo_ext.conformance.guard.gateways import NoAnswerError
from wallaroo_ext.conformance.guard.write_guard import WithheldError
from wallaroo_ext.conformance.plugin import use_suite
from wallaroo_ext.conformance.suite import Suite, suite_for
from wallaroo_ext.errors import AnswerError, AuthenticationError, ConfigurationError, WallarooError

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from wallaroo_ext.conformance.options import SuiteOptions
    from wallaroo_ext.conformance.results import Run

DRIFT = "drift"
"""The check that the instance's own description, or recordings of it, break no client of the contract."""

_NOTHING_DESCRIBED = (
    "Nothing can be looked at: the contract has to say what an operation writes (x-writes) and which of its fields "
    "name something (x-names), as the contract that comes with this package describes it in `info`."
)
_CONFIGURATION = Path(__file__).with_name("pytest.ini")
_NO_PLUGINS = "PYTEST_DISABLE_PLUGIN_AUTOLOAD"


def _test_arguments(options: SuiteOptions) -> list[str]:
    """Return the arguments that tell pytest which tests to run, and with which configuration.

    A run on recordings has the tests of the documents and of the client, too, where they are: a wheel has none.
    """
    tests = repository_file("contract_tests")
    names = ["instance", *(("documents", "client") if options.instance == "recorded" else ())]
    folders = [str(tests / name) for name in names if (tests / name).is_dir()]
    return [*folders, "-c", str(_CONFIGURATION), "--rootdir", str(tests)]


def run_suite(
    options: SuiteOptions, progress: Callable[[int, int], None], announce: Callable[[str], None] | None = None
) -> Run:
    """Run the suite.

    Args:
        options: The options of the run.
        progress: Called with the number of tests that are over, and the number of all tests.
        announce: Called at the start with a sentence that says which release the instance is held to, and why; None
            for nobody to tell.

    Returns:
        The results; `could_not_run` says why the run ended early, if it did.

    Raises:
        OSError: The contract cannot be read.
        ValueError: The file is no contract.
    """
    try:
        suite = suite_for(options)
    except (WallarooError, WithheldError) as error:
        suite = Suite(replace(options, operations=()))
        suite.run.could_not_run = _no_start(error)
        return suite.run
    if announce is not None:
        announce(suite.held.text)
    arguments = [*_test_arguments(options), "-p", "no:terminal", "-p", "wallaroo_ext.conformance.plugin"]
    with _no_other_plugins(), _interruptible():
        status = pytest.main(arguments, plugins=[_RunHooks(suite, progress)])
    if not suite.run.could_not_run and status not in {pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED}:
        suite.run.could_not_run = _explain(status)
    return suite.run


def _explain(status: int) -> str:
    if status == pytest.ExitCode.INTERRUPTED:
        return "It was interrupted."
    if status == pytest.ExitCode.NO_TESTS_COLLECTED:
        return "There was no test to run: the contract has none of the operations that were named."
    return f"pytest ended with status {status}."


def _no_start(error: Exception) -> str:
    return str(error) if isinstance(error, WallarooError) else f"The run may not sign in. {error}"


class _RunHooks:
    """The hooks of pytest for such a run: they check that the instance can be reached, and report progress.

    Args:
        suite: The run.
        progress: Called with the number of tests that are over, and the number of all tests.
    """

    def __init__(self, suite: Suite, progress: Callable[[int, int], None]) -> None:
        self._suite = suite
        self._progress = progress
        self._done = self._total = 0

    @pytest.hookimpl(tryfirst=True)
    def pytest_configure(self, config: pytest.Config) -> None:
        """Make pytest run this suite."""
        use_suite(config, self._suite)

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Count the tests, and end the run if the instance, or the document to compare, cannot be reached."""
        self._total = len(session.items)
        if not session.items:
            return
        try:
            check_reachable(self._suite)
            find_drift(self._suite)
        except (WallarooError, WithheldError) as error:
            self._suite.run.could_not_run = _no_start(error)
            self._suite.close()
            session.items.clear()

    def pytest_runtest_logfinish(self) -> None:
        """Count a test that is over."""
        self._done += 1
        self._progress(self._done, self._total)


def check_reachable(suite: Suite) -> None:
    """Check that the instance answers, and accepts the run's token.

    Raises:
        WallarooError: The settings are wrong, it cannot be reached, it gives no token, or it refuses the token.
    """
    if suite.instance.kind == "recorded":
        return
    _check_described(suite)
    from wallaroo_mlops_client.api.features import list_features
    from wallaroo_mlops_client.models import ListFeaturesRequest

    try:
        if suite.guard.allows("list_features"):
            call(list_features, client=suite.client, body=ListFeaturesRequest())
        else:
            suite.user_authorization()
    except AuthenticationError:
        raise
    except (AnswerError, NoAnswerError):
        return  # any answer will do here; the tests check whether it is right


def _check_described(suite: Suite) -> None:
    """Check that the contract describes at least one of the operations that the run looks at.

    Raises:
        ConfigurationError: It describes none of them.
    """
    wanted = suite.options.operations
    rows = [row for row in suite.run.operations if not wanted or row.id in wanted]
    if any(row.is_described for row in rows):
        return
    reasons = [f"{row.id}: {row.not_exercised}" for row in rows] if wanted else []
    raise ConfigurationError(" ".join([_NOTHING_DESCRIBED, *reasons]))


def find_drift(suite: Suite) -> None:
    """Compare the instance's own description, or recordings, with the contract, if the options ask for it.

    A difference that breaks a client of the contract is a finding.

    Raises:
        DriftError: There is no such description, or the recordings cannot be read.
    """
    from wallaroo_ext.conformance.drift.sources import drift_of

    options, run = suite.options, suite.run
    if options.recorded is not None:
        run.drift = drift_of(suite.rules.document, recorded=options.recorded)
    elif options.drift or options.drift_url is not None:
        run.drift = drift_of(suite.rules.document, client=suite.client, url=options.drift_url)
    if run.drift is None:
        return
    for change in run.drift.breaking:
        message = f"{change.where} was {change.kind} in {run.drift.against}. {change.reason}"
        finding = suite.interceptor.make_finding(DRIFT, message, operation=change.operation)
        run.add_check(change.operation, DRIFT, [finding])


@contextlib.contextmanager
def _no_other_plugins() -> Generator[None]:
    """Keep pytest from loading other installed plugins, which could change the order of the tests, for example."""
    before = os.environ.get(_NO_PLUGINS)
    os.environ[_NO_PLUGINS] = "1"
    try:
        yield
    finally:
        if before is None:
            del os.environ[_NO_PLUGINS]
        else:
            os.environ[_NO_PLUGINS] = before


def _interrupt(_: int, __: object) -> None:
    signal.raise_signal(signal.SIGINT)


@contextlib.contextmanager
def _interruptible() -> Generator[None]:
    """Treat SIGTERM, by which CI systems end a job, like an interrupt, so that the run is torn down and reported."""
    previous = signal.signal(signal.SIGTERM, _interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, previous)
