"""Running the suite from a program: pytest with nothing but the suite, and what it found."""

from __future__ import annotations

import contextlib
import os
import signal
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from wallaroo_ext import call
from wallaroo_ext._util.repository_files import repository_file
from wallaroo_ext.conformance.guard.write_guard import WithheldError
from wallaroo_ext.conformance.plugin import use_suite
from wallaroo_ext.conformance.suite import Suite
from wallaroo_ext.errors import AnswerError, AuthenticationError, ConfigurationError, WallarooError

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from wallaroo_ext.conformance.options import SuiteOptions
    from wallaroo_ext.conformance.results import Run

DRIFT = "drift"
"""The check that another description of the instance, or what was recorded of it, breaks no client of the contract."""

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


def run_suite(options: SuiteOptions, tell: Callable[[int, int], None]) -> Run:
    """Run the suite.

    Args:
        options: What it is told.
        tell: Called with how many tests are over, and how many there are.

    Returns:
        What it found; `could_not_run` says why where it could not.

    Raises:
        OSError: The contract cannot be read.
        ValueError: It is no contract.
    """
    suite = Suite(options)
    arguments = [*_test_arguments(options), "-p", "no:terminal", "-p", "wallaroo_ext.conformance.plugin"]
    with _no_other_plugins(), _interruptible():
        status = pytest.main(arguments, plugins=[_Watcher(suite, tell)])
    if not suite.run.could_not_run and status not in {pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED}:
        suite.run.could_not_run = _reason(status)
    return suite.run


def _reason(status: int) -> str:
    if status == pytest.ExitCode.INTERRUPTED:
        return "It was interrupted."
    if status == pytest.ExitCode.NO_TESTS_COLLECTED:
        return "There was no test to run: the contract has none of the operations that were named."
    return f"pytest ended with status {status}."


class _Watcher:
    """Sees that the instance can be reached before the tests, and tells how far they are.

    Args:
        suite: The run.
        tell: Called with how many tests are over, and how many there are.
    """

    def __init__(self, suite: Suite, tell: Callable[[int, int], None]) -> None:
        self._suite = suite
        self._tell = tell
        self._done = self._total = 0

    @pytest.hookimpl(tryfirst=True)
    def pytest_configure(self, config: pytest.Config) -> None:
        """Have pytest run this suite."""
        use_suite(config, self._suite)

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Count the tests, and end the run where the instance, or what it is compared with, cannot be reached."""
        self._total = len(session.items)
        if not session.items:
            return
        try:
            reach(self._suite)
            compare(self._suite)
        except (WallarooError, WithheldError) as error:
            is_told = isinstance(error, WallarooError)
            self._suite.run.could_not_run = str(error) if is_told else f"The run may not sign in. {error}"
            self._suite.close()
            session.items.clear()

    def pytest_runtest_logfinish(self) -> None:
        """Count a test that is over."""
        self._done += 1
        self._tell(self._done, self._total)


def reach(suite: Suite) -> None:
    """See that the instance answers and takes the run's token, without which nothing can be asked of it.

    Raises:
        WallarooError: The settings are wrong, it cannot be reached, it gives no token, or it refuses the token.
    """
    if suite.instance.kind == "recorded":
        return
    _see_something_described(suite)
    from wallaroo_mlops_client.api.features import list_features
    from wallaroo_mlops_client.models import ListFeaturesRequest

    try:
        if suite.guard.allows("list_features"):
            call(list_features, client=suite.client, body=ListFeaturesRequest())
        else:
            suite.authorization_of_a_user()
    except AuthenticationError:
        raise
    except AnswerError:
        return  # an answer is all that is asked for here; whether it is right, the tests ask


def _see_something_described(suite: Suite) -> None:
    """See that the contract describes one of the operations that the run looks at.

    Raises:
        ConfigurationError: It describes none, and so nothing could be found out.
    """
    wanted = suite.options.operations
    rows = [row for row in suite.run.operations if not wanted or row.id in wanted]
    if any(row.is_described for row in rows):
        return
    reasons = [f"{row.id}: {row.not_exercised}" for row in rows] if wanted else []
    raise ConfigurationError(" ".join([_NOTHING_DESCRIBED, *reasons]))


def compare(suite: Suite) -> None:
    """Compare the instance's own description, or recordings, with the contract, where the run was told to.

    What breaks a client that keeps the contract is a finding.

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
        run.checked(change.operation, DRIFT, [suite.interceptor.found(DRIFT, message, operation=change.operation)])


@contextlib.contextmanager
def _no_other_plugins() -> Generator[None]:
    """Keep pytest from loading what is installed beside: another order of tests, for one, would be another run."""
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
    """Let the end of a job in CI be the end of the tests, with what they found and their cleaning up."""
    previous = signal.signal(signal.SIGTERM, _interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, previous)
