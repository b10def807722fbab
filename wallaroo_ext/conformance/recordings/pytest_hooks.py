"""Options and hooks of pytest for runs on recordings, and for runs that record."""

from __future__ import annotations

import re
from contextlib import contextmanager, nullcontext
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING, Any, Protocol

import pytest

from wallaroo_ext._util.files.user_paths import user_path
from wallaroo_ext.conformance.recordings.cassette_files import (
    SUFFIX,
    SecretFoundError,
    TooLargeError,
    default_directory,
)
from wallaroo_ext.conformance.recordings.index import Index, NotRecordedHereError, Origin
from wallaroo_ext.conformance.recordings.network import NetworkBlock
from wallaroo_ext.conformance.recordings.normalization import URL, Normalizer
from wallaroo_ext.transport.retry.clock import SYSTEM_CLOCK, Clock

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Mapping
    from contextlib import AbstractContextManager
    from pathlib import Path

    from wallaroo_ext.conformance.instance import Kind
    from wallaroo_ext.conformance.recordings.cassette import Recording


PASSED = pytest.StashKey[bool]()
"""A test's stash has it as soon as the test has passed, before its fixtures end."""

_PLUGIN_NAME = "wallaroo-recordings"
_MARKER = "recorded: an example test, which is recorded and replayed"
_PHASES = 3
_NO_SANDBOX = "It needs a sandbox, and a run on recordings starts none."
_TOKENS_ONLY = "it sends token requests only, and these are never recorded"


class InstantClock(Clock):
    """A clock on which a pause takes no time, and after which the pause is over."""

    def __init__(self) -> None:
        self._waited = 0.0

    def now(self) -> float:
        """Return the seconds of the monotonic clock, pauses included."""
        return super().now() + self._waited

    def date(self) -> float:
        """Return the seconds since 1970, pauses included."""
        return super().date() + self._waited

    def sleep(self, seconds: float) -> None:
        """Put the clock forward."""
        self._waited += seconds

    async def sleep_async(self, seconds: float) -> None:
        """Put the clock forward."""
        self._waited += seconds


class RecordableInstance(Protocol):
    """The instance of a run that records."""

    @property
    def environment(self) -> Mapping[str, str]:
        """The variables that `connect` reads."""
        ...

    @property
    def prefix(self) -> str:
        """The beginning of all names that the run gives."""
        ...


def recorded_environment() -> dict[str, str]:
    """Return the environment of a client that is answered from recordings: it asks for no token."""
    return {"WALLAROO_API_URL": URL, "WALLAROO_TOKEN": "none-is-needed"}


def add_options(group: pytest.OptionGroup) -> None:
    """Add the options of recordings."""
    group.addoption("--cassettes", metavar="DIR", help="where cassettes are, or are recorded to")
    group.addoption("--record", action="store_true", help="record the example tests; see scripts/record")
    group.addoption("--release", metavar="VERSION", help="the instance's release, which it is held to, such as 2025.2")


def configure(config: pytest.Config, instance: Kind, release_of_live: Callable[[], str | None]) -> None:
    """Prepare a run on recordings, or one that records; to be called once, in `pytest_configure`.

    Args:
        config: The configuration of the run, with the options of `add_options`.
        instance: The kind of instance that the run is on.
        release_of_live: Returns the release that a live instance is held to; None where nobody knows it.

    Raises:
        pytest.UsageError: The options contradict each other, or cassettes would replace other files.
    """
    config.addinivalue_line("markers", _MARKER)
    named = config.getoption("cassettes", None)
    records = bool(config.getoption("record", False))
    if records and instance == "recorded":
        raise pytest.UsageError("--record needs an instance to record from: --instance sandbox, or live.")
    if records and instance == "live" and named is None:
        raise pytest.UsageError("The cassettes in the repository are the sandbox's: name a folder, --cassettes DIR.")
    directory = default_directory() if named is None else user_path(named)
    if records:
        _check_directory(directory)
    plugin = Replay(directory) if instance == "recorded" else NoRecordings()
    if records:
        release = config.getoption("release", None) or _release_of(instance, release_of_live)
        plugin = Record(directory, instance, release)
    config.pluginmanager.register(plugin, _PLUGIN_NAME)


def _check_directory(directory: Path) -> None:
    try:
        Index(directory).check()
    except NotRecordedHereError as error:
        raise pytest.UsageError(str(error)) from None


def _release_of(instance: Kind, release_of_live: Callable[[], str | None]) -> str:
    """Return the release of a sandbox that is started for the run, or the one that a live instance is held to."""
    if instance != "sandbox":
        return release_of_live() or "unknown"
    from wallaroo_ext.sandbox.options import DEFAULT_OPTIONS

    return DEFAULT_OPTIONS.release


def is_example(item: pytest.Item) -> bool:
    """Return whether a test is one that is recorded."""
    return item.get_closest_marker("recorded") is not None


def cassette_name(item: pytest.Item) -> str:
    """Return the name of a test's cassette, without its suffix."""
    return re.sub(r"[^\w.-]+", "-", item.nodeid.partition("::")[2].replace("::", ".")).strip("-")


def _reset_sandbox(instance: RecordableInstance) -> None:
    """Reset a sandbox, so that no cassette depends on the tests before."""
    from wallaroo_ext.sandbox.control_client import Sandbox

    with Sandbox(instance.environment) as sandbox:
        sandbox.reset()


class NoRecordings:
    """The hooks of a run that neither replays nor records."""

    _clock = SYSTEM_CLOCK

    @pytest.fixture
    def conformance_clock(self) -> Clock:
        """Return the clock of pauses: the machine's, or on recordings one on which they take no time."""
        return self._clock

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Generator[None]:
        """Note on a test that it passed, for its fixtures."""
        yield
        item.stash[PASSED] = True


class Replay(NoRecordings):
    """The hooks of a run on recordings.

    Args:
        directory: The directory of the cassettes.
    """

    def __init__(self, directory: Path) -> None:
        import_module("vcr.patch")  # imported before the network is blocked: a library that it imports opens a socket

        self._directory = directory
        self._index = Index(directory)
        self._network = NetworkBlock()
        self._clock = InstantClock()

    @pytest.fixture(autouse=True)
    def _cassette(self, request: pytest.FixtureRequest) -> Generator[None]:
        """Answer from the test's cassette, in the test and in its own fixtures."""
        with self._replaying(request.node):
            yield

    def _replaying(self, item: pytest.Item) -> AbstractContextManager[None]:
        from wallaroo_ext.conformance.recordings.cassette import replaying

        if not is_example(item):
            return nullcontext()
        name = cassette_name(item)
        if reason := self._index.not_recorded.get(name):
            pytest.skip(f"It is not recorded: {reason}.")
        return replaying(self._directory / f"{name}{SUFFIX}")

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Skip the tests that need a sandbox."""
        for item in items:
            if "sandbox" in getattr(item, "fixturenames", ()):
                item.add_marker(pytest.mark.skip(reason=_NO_SANDBOX))

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection(self) -> None:
        """Block the network."""
        self._network.start()

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self, item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Fail a test that tried to use the network, even if the error was caught."""
        report = yield
        if (attempts := self._network.take_attempts()) and report.passed:
            report.outcome = "failed"
            report.longrepr = f"{item.nodeid} used the network in a run on recordings: {attempts[0]}"
        return report

    def pytest_unconfigure(self) -> None:
        """Unblock the network."""
        self._network.stop()


class Record(NoRecordings):
    """The hooks of a run that records its example tests.

    Args:
        directory: The directory of the cassettes.
        instance: The kind of instance that they are recorded from.
        release: The instance's release.
    """

    def __init__(self, directory: Path, instance: str, release: str) -> None:
        self._directory = directory
        self._index = Index(directory)
        self._origin = Origin.today(instance, release)
        self._changed: list[bool] = []
        self._recordings: dict[str, tuple[Recording, Normalizer]] = {}
        self._passed_phases: dict[str, int] = {}

    @pytest.fixture(autouse=True)
    def _cassette(self, request: pytest.FixtureRequest) -> Generator[None]:
        """Record what the test and its own fixtures exchange."""
        with self._recording(request) if is_example(request.node) else nullcontext():
            yield

    @contextmanager
    def _recording(self, request: pytest.FixtureRequest) -> Generator[None]:
        from wallaroo_ext.conformance.recordings.cassette import recording
        from wallaroo_ext.settings import Settings

        instance: RecordableInstance = request.getfixturevalue("conformance_instance")
        if self._origin.instance == "sandbox":
            _reset_sandbox(instance)
        settings = Settings.resolve(instance.environment)
        normalizer = Normalizer(instance.prefix, [settings.api_url, settings.auth_url])
        with recording(self._directory / f"{cassette_name(request.node)}{SUFFIX}") as recorded:
            self._recordings[request.node.nodeid] = (recorded, normalizer)
            yield

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[Any]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Write the cassette of a test whose every phase passed; any other test keeps its earlier cassette."""
        report = yield
        if is_example(item):
            self._passed_phases[item.nodeid] = self._passed_phases.get(item.nodeid, 0) + report.passed
            if report.skipped and call.excinfo is not None:
                self._index.add_skipped(cassette_name(item), str(call.excinfo.value).removesuffix("."))
            if report.when == "teardown" and self._passed_phases[item.nodeid] == _PHASES:
                self._write(item, report)
        return report

    def _write(self, item: pytest.Item, report: pytest.TestReport) -> None:
        recorded, normalizer = self._recordings.pop(item.nodeid)
        name = cassette_name(item)
        if recorded.is_empty:
            self._index.add_skipped(name, _TOKENS_ONLY)
            return
        try:
            announce = partial(self._index.announce, name, self._origin)
            is_new = recorded.write(self._directory / f"{name}{SUFFIX}", normalizer, announce)
        except (SecretFoundError, TooLargeError) as error:
            report.outcome, report.longrepr = "failed", str(error)
        else:
            self._changed.append(is_new)
            self._index.add_cassette(name, self._origin, is_new=is_new)

    def pytest_sessionfinish(self) -> None:
        """Write the origin of the cassettes."""
        if self._index.cassettes or self._index.not_recorded:
            self._index.save()

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Print how many cassettes changed."""
        changed, same = self._changed.count(True), self._changed.count(False)
        terminalreporter.write_line(f"Recorded to {self._directory}: {changed} cassettes changed, {same} did not.")
