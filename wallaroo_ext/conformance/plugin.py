"""The pytest plugin of the contract suite: its options and fixtures, and what its findings do to the tests.

`pytest -p wallaroo_ext.conformance.plugin contract_tests/instance` runs the suite on a sandbox; `scripts/conformance`
and `wallaroo-ext conformance` do so with a report.
"""

from __future__ import annotations

import secrets
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

from wallaroo_ext import contract
from wallaroo_ext._util.files.user_paths import user_path
from wallaroo_ext.conformance.guard.gateways import NoAnswerError
from wallaroo_ext.conformance.guard.write_guard import WithheldError
from wallaroo_ext.conformance.options import CASES, SEED, SuiteOptions
from wallaroo_ext.conformance.recordings import pytest_hooks
from wallaroo_ext.conformance.release import release_of_version
from wallaroo_ext.conformance.resources.fixtures import required
from wallaroo_ext.conformance.results import TestOutcome
from wallaroo_ext.conformance.suite import NoFixturesError, Suite, suite_for
from wallaroo_ext.conformance.testing.api_calls import Api
from wallaroo_ext.conformance.testing.repetition import Losses, repeated
from wallaroo_ext.errors import WallarooError
from wallaroo_ext.redaction.patterns import redact

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

    from wallaroo_mlops_client import Client

    from wallaroo_ext.conformance.instance import Instance
    from wallaroo_ext.conformance.resources.fixtures import Fixtures
    from wallaroo_ext.conformance.results import Finding, Run

_SUITE = pytest.StashKey[Suite]()
_LOSSES = pytest.StashKey[Losses]()
_NOT_ANSWERED = "What it asks could not be found out."
_SHOWN_FINDINGS = 20
_NO_FIXTURES = "What the run needs could not be made: see the first failure."


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the suite's options."""
    group = parser.getgroup("conformance", "the contract suite")
    group.addoption("--instance", choices=("sandbox", "recorded", "live"), default="sandbox", help="what is checked")
    group.addoption("--contract", type=user_path, help="another contract than the one that comes with this package")
    group.addoption("--read-only", action="store_true", help="write nothing")
    group.addoption("--allow-user-changes", action="store_true", help="invite, activate and deactivate users")
    group.addoption("--rate", type=float, help="how many requests a second may be sent")
    group.addoption("--inference-host", action="append", default=[], help="a further host that may get the token")
    group.addoption("--seed", type=int, help="what random data is made from")
    group.addoption("--explore", action="store_true", help="random data that nobody has tried yet; prints its seed")
    group.addoption("--cases", type=int, default=CASES, help="random requests of each operation, good and bad")
    group.addoption("--operation", action="append", default=[], help="look at this operation; may be given again")
    group.addoption("--quick", action="store_true", help="leave out what takes long; for every push")
    pytest_hooks.add_options(group)


def suite_of(config: pytest.Config) -> Suite:
    """Return the suite of a run of pytest, which is made at the first call.

    Raises:
        UsageError: The contract cannot be read, the instance cannot be asked for its release, or its release lacks an
            operation that the options name.
    """
    if _SUITE not in config.stash:
        options = _options(config)
        try:
            config.stash[_SUITE] = suite_for(options)
        except (WallarooError, WithheldError) as error:
            raise pytest.UsageError(str(error)) from None
        except (OSError, ValueError) as error:
            raise pytest.UsageError(f"{options.contract or 'The contract'} cannot be read: {error}") from None
    return config.stash[_SUITE]


def use_suite(config: pytest.Config, suite: Suite) -> None:
    """Run this suite, in place of one made from the command line."""
    config.stash[_SUITE] = suite


def _options(config: pytest.Config) -> SuiteOptions:
    def given(name: str) -> Any:
        return config.getoption(name)

    if given("rate") is not None and not given("rate") > 0:
        raise pytest.UsageError(f"--rate has to be more than 0, not {given('rate'):g}.")
    if given("cases") < 1:
        raise pytest.UsageError(f"--cases has to be 1 at least, not {given('cases')}.")
    seed = secrets.randbits(32) if given("explore") else SEED
    return SuiteOptions(
        instance=given("instance"),
        contract=given("contract"),
        release=_release(given("release")),
        read_only=given("read_only"),
        allow_user_changes=given("allow_user_changes"),
        rate=given("rate"),
        seed=seed if given("seed") is None else given("seed"),
        cases=given("cases"),
        operations=tuple(given("operation")),
        quick=given("quick"),
        inference_hosts=tuple(given("inference_host")),
    )


def _release(given: str | None) -> str | None:
    if given is None:
        return None
    found = release_of_version(given)
    if found is None:
        raise pytest.UsageError(f"--release has to be a version such as {contract.RELEASES[-1]}, not {given}.")
    return found


def pytest_configure(config: pytest.Config) -> None:
    """Declare the suite's marks, and prepare a run on recordings, or one that records."""
    config.addinivalue_line(
        "markers", "touches(*operations, if_there=()): the operations that a test is about; it needs all but the last"
    )
    config.addinivalue_line("markers", "last: runs after all other tests")
    config.addinivalue_line(
        "markers", "changes_nothing(if_reading=False): may run beside others; or only where its operation only reads"
    )
    config.addinivalue_line(
        "markers", "separate: works in a workspace of its own or in none, and may run beside others"
    )
    config.addinivalue_line(
        "markers", "counts_rows: looks at all rows that are logged, so that none may be scored twice unnoticed"
    )
    config.addinivalue_line("markers", "thorough(topic): left out by --quick, because it takes long")
    suite = config.stash.get(_SUITE, None)
    instance = _options(config).instance if suite is None else suite.options.instance
    pytest_hooks.configure(config, instance, lambda: suite_of(config).held.release)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Parametrize a test that takes an `operation_id`: with all operations, or those of its mark `touches`."""
    if "operation_id" not in metafunc.fixturenames:
        return
    suite = suite_of(metafunc.config)
    marked = metafunc.definition.get_closest_marker("touches")
    names = list(suite.rules.operations) if marked is None else list(marked.args)
    metafunc.parametrize("operation_id", [name for name in names if _is_wanted(suite, [name])])


def _is_wanted(suite: Suite, operations: list[str]) -> bool:
    """Return whether a run looks at one of these operations, or there are none."""
    wanted = suite.options.operations
    return not wanted or not operations or any(name in wanted for name in operations)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Deselect tests of other operations, and tests without recordings; move the tests marked `last` to the end."""
    selected = [
        item for item in items if "conformance_suite" not in fixtures_of(item) or _is_selected(suite_of(config), item)
    ]
    left_out = {id(item): topic for item in selected if (topic := _topic_left_out(config, item))}
    if left_out:
        suite_of(config).run.left_out.update(left_out.values())
    selected = [item for item in selected if id(item) not in left_out]
    if len(selected) < len(items):
        config.hook.pytest_deselected(items=[item for item in items if item not in selected])
    items[:] = sorted(selected, key=lambda item: item.get_closest_marker("last") is not None)


def _is_selected(suite: Suite, item: pytest.Item) -> bool:
    if suite.options.instance == "recorded" and not pytest_hooks.is_example(item):
        return False
    return not operations_of(item) or _is_wanted(suite, operations_of(item))


def _topic_left_out(config: pytest.Config, item: pytest.Item) -> str:
    """Return the topic of a test that `--quick` leaves out; empty for a test that is run."""
    marked = item.get_closest_marker("thorough")
    if marked is None or "conformance_suite" not in fixtures_of(item):
        return ""
    return marked.args[0] if suite_of(config).options.quick else ""


def fixtures_of(item: pytest.Item) -> list[str]:
    """Return the names of the fixtures that a test uses, directly or through others."""
    return getattr(item, "fixturenames", [])


def operations_of(item: pytest.Item) -> list[str]:
    """Return the operations that a test is about."""
    parameters: dict[str, Any] = item.callspec.params if hasattr(item, "callspec") else {}  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType, reportUnknownVariableType] - pytest has no public name for it
    if "operation_id" in parameters:
        return [parameters["operation_id"]]
    marked = item.get_closest_marker("touches")
    return [] if marked is None else [*marked.args, *marked.kwargs.get("if_there", ())]


def needed_by(item: pytest.Item) -> list[str]:
    """Return the operations without which a test cannot run."""
    marked = item.get_closest_marker("touches")
    optional = () if marked is None else marked.kwargs.get("if_there", ())
    return [operation for operation in operations_of(item) if operation not in optional]


@pytest.fixture(scope="session")
def conformance_suite(pytestconfig: pytest.Config) -> Generator[Suite]:
    """Yield the suite, and tear it down at the end."""
    suite = suite_of(pytestconfig)
    try:
        yield suite
    finally:
        suite.close()


@pytest.fixture(scope="session")
def conformance_instance(conformance_suite: Suite) -> Instance:
    """Return the instance that is checked."""
    return conformance_suite.instance


@pytest.fixture(scope="session")
def conformance_client(conformance_suite: Suite) -> Client:
    """Return a client of the instance, whose exchanges are checked against the contract."""
    return conformance_suite.client


@pytest.fixture
def fixtures(fail_on_findings: None, conformance_suite: Suite) -> Fixtures:  # noqa: ARG001 - to make findings the test's own
    """Return the things that the run made first."""
    try:
        found = conformance_suite.fixtures
    except NoFixturesError as error:
        pytest.skip(str(error))
    return required(found) if found.withheld else found


@pytest.fixture
def fail_on_findings(request: pytest.FixtureRequest, conformance_suite: Suite) -> Generator[None]:
    """Fail a test for the findings that come while it runs; skip it where the run may not try its operations."""
    conformance_suite.prepare_reading()
    for operation in needed_by(request.node):
        reason = conformance_suite.skip_reason(operation)
        if reason:
            pytest.skip(reason)
    if not conformance_suite.has_fixtures:
        pytest.skip(_NO_FIXTURES)
    run = conformance_suite.run
    before = len(run.findings)
    conformance_suite.interceptor.test = request.node.nodeid
    try:
        yield
    finally:
        conformance_suite.interceptor.test = ""
    found = run.findings[before:]
    if found:
        pytest.fail(_describe(found), pytrace=False)


def _describe(found: list[Finding]) -> str:
    """Return a line for each finding; equal findings of many requests share one."""
    counts = Counter((finding.operation, finding.check, finding.message) for finding in found)
    lines = [
        f"{operation}: {check}: {message} ({count} times)" for (operation, check, message), count in counts.items()
    ]
    return "\n".join(lines[:_SHOWN_FINDINGS])


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Let no request that may have been carried out be sent again where a test counts the rows that were scored."""
    if "conformance_suite" in fixtures_of(item):
        suite_of(item.config).interceptor.send_rows_once(item.get_closest_marker("counts_rows") is not None)


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> None:
    """Let a test of the suite be run again where it got no answer."""
    if "conformance_suite" in fixtures_of(pyfuncitem):
        losses = pyfuncitem.stash.setdefault(_LOSSES, Losses())
        pyfuncitem.obj = repeated(pyfuncitem.obj, suite_of(pyfuncitem.config).interceptor, losses)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[Any]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Keep the outcome of a test; a test of the suite is skipped if its request may not be sent."""
    report = yield
    is_of_suite = "conformance_suite" in fixtures_of(item)
    error = None if call.excinfo is None else call.excinfo.value
    if isinstance(error, NoAnswerError) and call.when == "call" and _LOSSES in item.stash:
        item.stash[_LOSSES].add(error)
    if is_of_suite and isinstance(error, WithheldError | NoFixturesError | NoAnswerError):
        path, line, _ = item.location
        report.outcome = "skipped"
        could_not = f"{_NOT_ANSWERED} " if isinstance(error, NoAnswerError) else ""
        report.longrepr = (path, line or 0, f"Skipped: {could_not}{error}")
    if _SUITE in item.config.stash and (report.when == "call" or report.outcome != "passed"):
        run = item.config.stash[_SUITE].run
        run.add_outcome(_outcome(run, report, None if call.excinfo is None else call.excinfo.value))
    return report


def _outcome(run: Run, report: pytest.TestReport, error: BaseException | None) -> TestOutcome:
    is_finding = isinstance(error, pytest.fail.Exception)
    outcome = "error" if report.failed and report.when != "call" and not is_finding else report.outcome
    request = None if error is None or is_finding or not report.failed else failed_request(run, report.nodeid, error)
    return TestOutcome(report.nodeid, outcome, report.duration, _message(report), request)


def _message(report: pytest.TestReport) -> str:
    """Return why a test failed or was skipped, first the assertion, which nothing that is shown with it may spoil."""
    if report.skipped and isinstance(report.longrepr, tuple):
        return redact(report.longrepr[2].removeprefix("Skipped: "))
    if report.passed:
        return ""
    whole = report.longreprtext
    reason = first_error(whole)
    return redact(whole) if not reason else f"{redact(reason)}\n\n{redact(whole)}"


def first_error(text: str) -> str:
    """Return the first error in pytest's text about a failed test, which is what failed before any clean-up did."""
    errors = (line[1:].strip() for line in text.splitlines() if line.startswith("E  "))
    return next(errors, "").removeprefix("AssertionError: ")


def failed_request(run: Run, test: str, error: BaseException) -> int | None:
    """Return the number of the request that a test failed with, which is none of its clean-up; None where none was.

    Args:
        run: The run.
        test: The test.
        error: The error that it ended with: the one of its clean-up, where that failed, too.
    """
    errors = [each for each in _with_contexts(error) if isinstance(each, (AssertionError, WallarooError))]
    in_flight = {id(each) for each in errors}
    operation = str(getattr(errors[-1], "operation", None) or "") if errors else ""
    sent = [
        number
        for number, exchange in enumerate(run.exchanges)
        if exchange.test == test and exchange.error_in_flight not in in_flight
    ]
    named = [number for number in sent if operation and run.exchanges[number].operation == operation]
    return max(named or sent, default=None)


def _with_contexts(error: BaseException) -> Iterator[BaseException]:
    """Yield an error, and those that were on their way when it came, the first one last."""
    found: BaseException | None = error
    seen: set[int] = set()
    while found is not None and id(found) not in seen:
        seen.add(id(found))
        yield found
        found = found.__context__


def pytest_report_header(config: pytest.Config) -> list[str]:
    """Print which release the instance is held to, and the seed of random data, so that it can be used again."""
    suite = config.stash.get(_SUITE, None)
    if suite is None and not config.getoption("explore"):
        return []
    suite = suite_of(config)
    seed = [f"conformance: --seed {suite.options.seed}"] if config.getoption("explore") else []
    return [f"conformance: {suite.held.text}", *seed]


@pytest.fixture(scope="session")
def api(conformance_suite: Suite) -> Api:
    """Return the operations of the instance, to be called with any arguments."""
    return Api(conformance_suite)
