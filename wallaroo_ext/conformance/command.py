"""Runs the suite from a program: pytest with the suite and nothing else."""

from __future__ import annotations

import gc
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from wallaroo_ext import call
from wallaroo_ext._util.files.repository_files import repository_file
from wallaroo_ext.conformance.child_processes import ChildProcesses, may_have_child_processes
from wallaroo_ext.conformance.conditions.interrupts import as_interrupts
from wallaroo_ext.conformance.conditions.surroundings import undisturbed
from wallaroo_ext.conformance.coverage import not_looked_at
from wallaroo_ext.conformance.guard.gateways import BASIC, NoAnswerError
from wallaroo_ext.conformance.guard.write_guard import WithheldError
from wallaroo_ext.conformance.plugin import use_suite
from wallaroo_ext.conformance.results import INTERRUPTED
from wallaroo_ext.conformance.rules import DRIFT
from wallaroo_ext.conformance.suite import Suite, suite_for
from wallaroo_ext.errors import AnswerError, AuthenticationError, ConfigurationError, WallarooError
from wallaroo_ext.redaction.patterns import redact
from wallaroo_ext.transport import basic_challenges

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from wallaroo_ext.conformance.options import SuiteOptions
    from wallaroo_ext.conformance.results import Run

_COLLECTIONS = (5_000, 10, 20)

_NOTHING_DESCRIBED = (
    "Nothing can be looked at: the contract has to say what an operation writes (x-writes) and which of its fields "
    "name something (x-names), as the contract that comes with this package describes it in `info`."
)
_CONFIGURATION = Path(__file__).with_name("pytest.ini")


def _test_arguments(options: SuiteOptions) -> list[str]:
    """Return the arguments that tell pytest which tests to run, and with which configuration.

    A run on recordings has the tests of the documents and of the client, too, where they are: a wheel has none. What
    their `conftest.py` does for them is not for the suite.
    """
    tests = repository_file("contract_tests")
    names = ["instance", *(("documents", "client") if options.instance == "recorded" else ())]
    folders = [tests / name for name in names if (tests / name).is_dir()]
    own = folders[0] if len(folders) == 1 else tests
    return [*map(str, folders), "-c", str(_CONFIGURATION), "--rootdir", str(tests), "--confcutdir", str(own)]


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
    with undisturbed(), as_interrupts(), _fewer_collections():
        return _run(options, progress, announce)


@contextmanager
def _fewer_collections() -> Generator[None]:
    """Look for cycles of unused objects less often: among all that the suite keeps it took a tenth of its time."""
    before = gc.get_threshold()
    gc.set_threshold(*_COLLECTIONS)
    try:
        yield
    finally:
        gc.unfreeze()
        gc.set_threshold(*before)


def _run(options: SuiteOptions, progress: Callable[[int, int], None], announce: Callable[[str], None] | None) -> Run:
    try:
        suite = suite_for(options)
    except (WallarooError, WithheldError) as error:
        suite = Suite(replace(options, operations=()))
        suite.run.could_not_run = _no_start(error)
        return suite.run
    if announce is not None:
        with suppress(OSError):  # nobody reads it
            announce(suite.held.text)
    arguments = [*_test_arguments(options), "-p", "no:terminal", "-p", "wallaroo_ext.conformance.plugin"]
    hooks = _RunHooks(suite, progress)
    children = [ChildProcesses(suite)] if may_have_child_processes(options) else []
    try:
        status = pytest.main(arguments, plugins=[hooks, *children])
    except KeyboardInterrupt:  # in a teardown
        status = pytest.ExitCode.INTERRUPTED
    except (Exception, pytest.fail.Exception) as error:  # noqa: BLE001 - what was found before it is reported
        status = hooks.end_by(error)
    finally:
        suite.close()
    run = suite.run
    run.could_not_run = redact(run.could_not_run or hooks.defect or _explain(status) or not_looked_at(run))
    return run


def _explain(status: int) -> str:
    """Return why pytest ended early; an empty text where it did not."""
    if status in {pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED}:
        return ""
    if status == pytest.ExitCode.INTERRUPTED:
        return INTERRUPTED
    if status == pytest.ExitCode.NO_TESTS_COLLECTED:
        return "There was no test to run: the contract has none of the operations that were named."
    return f"pytest ended with status {status}."


def _no_start(error: Exception) -> str:
    return redact(f"The run may not sign in. {error}" if isinstance(error, WithheldError) else str(error))


class _RunHooks:
    """The hooks of pytest for such a run: they check that the instance can be reached, and report progress.

    Args:
        suite: The run.
        progress: Called with the number of tests that are over, and the number of all tests.

    Attributes:
        defect: What is wrong with the suite itself; empty where nothing is.
    """

    def __init__(self, suite: Suite, progress: Callable[[int, int], None]) -> None:
        self.defect = ""
        self._suite = suite
        self._progress = progress
        self._done = self._total = 0
        self._is_interrupted = False

    @pytest.hookimpl(tryfirst=True)
    def pytest_configure(self, config: pytest.Config) -> None:
        """Make pytest run this suite, and tell of failures without the objects that functions were called with."""
        config.option.tbstyle = "short"
        use_suite(config, self._suite)

    @pytest.hookimpl(tryfirst=True)
    def pytest_unconfigure(self) -> None:
        """Let pytest look for cycles of unused objects, as it does ten times at the end, not among all that is kept."""
        gc.freeze()

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Count the tests, and end the run if the instance, or the document to compare, cannot be reached."""
        self._total = len(session.items)
        if not session.items:
            return
        try:
            checks = [check_reachable, find_drift]
            for check in checks if self._suite.options.recorded is None else reversed(checks):
                check(self._suite)
        except (WallarooError, WithheldError, NoAnswerError) as error:
            self._suite.run.could_not_run = _no_start(error)
            self._suite.close()
            session.items.clear()

    def pytest_runtest_logfinish(self) -> None:
        """Count a test that is over."""
        self._done += 1
        with suppress(OSError):  # nobody reads it any more; the report is what counts
            self._progress(self._done, self._total)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Note that a file of tests could not be loaded."""
        if report.failed:
            self._note(f"{report.nodeid} could not be loaded: {report.longreprtext.strip()}")

    def pytest_internalerror(self, excinfo: pytest.ExceptionInfo[BaseException]) -> bool:
        """Note an error of pytest or of a hook, in place of its traceback."""
        self._note(f"{excinfo.typename}: {excinfo.value} ({excinfo.traceback[-1].path}:{excinfo.traceback[-1].lineno})")
        return True

    def pytest_keyboard_interrupt(self) -> None:
        """Note that somebody ended the run, whatever its teardown does then."""
        self._is_interrupted = True

    def end_by(self, error: BaseException) -> pytest.ExitCode:
        """Return the status of a run that an error of its teardown ended."""
        if not self._is_interrupted:
            self._note(f"{type(error).__name__}: {error}")
        return pytest.ExitCode.INTERRUPTED if self._is_interrupted else pytest.ExitCode.INTERNAL_ERROR

    def _note(self, text: str) -> None:
        self.defect = self.defect or f"This is a defect of wallaroo-ext: {redact(text)}"


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
    except AnswerError:
        return  # any answer will do here; the tests check whether it is right
    except NoAnswerError as error:
        if error.reason == BASIC:
            raise ConfigurationError(str(error), advice=basic_challenges.ADVICE) from None


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
