"""The time of a recorded instance: pauses are over at once."""

from __future__ import annotations

import re
from contextlib import contextmanager, nullcontext
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING, Any, Protocol

import pytest

from wallaroo_ext._util.user_paths import user_path
from wallaroo_ext.conformance.recordings.files import SUFFIX, SecretFoundError, default_directory
from wallaroo_ext.conformance.recordings.index import Index, NotRecordedHereError, Origin
from wallaroo_ext.conformance.recordings.network import NoNetwork
from wallaroo_ext.conformance.recordings.normalization import URL, Normalising
from wallaroo_ext.transport.retry.clock import SYSTEM_CLOCK, Clock

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping
    from contextlib import AbstractContextManager
    from pathlib import Path

    from wallaroo_ext.conformance.instance import Kind
    from wallaroo_ext.conformance.recordings.cassette import Recording


class PassingClock(Clock):
    """A clock on which waiting takes no time, and that goes on by as much as was waited."""

    def __init__(self) -> None:
        self._waited = 0.0

    def now(self) -> float:
        """Seconds, with those that were waited."""
        return super().now() + self._waited

    def date(self) -> float:
        """Seconds since 1970, with those that were waited."""
        return super().date() + self._waited

    def sleep(self, seconds: float) -> None:
        """Let the time pass at once."""
        self._waited += seconds

    async def sleep_async(self, seconds: float) -> None:
        """Let the time pass at once."""
        self._waited += seconds


PASSED = pytest.StashKey[bool]()
"""What a test has in its stash once it passed, before its fixtures end."""

_NAME = "wallaroo-recordings"
_MARKER = "recorded: an example test, which is recorded and played"
_PHASES = 3
_NO_SANDBOX = "It needs a sandbox, and a run on recordings starts none."
_TOKENS_ONLY = "it sends token requests only, and these are never recorded"


class Named(Protocol):
    """What is asked of the instance that a run is on."""

    @property
    def environment(self) -> Mapping[str, str]:
        """The variables that `connect` reads."""
        ...

    @property
    def prefix(self) -> str:
        """What the names of everything that the run makes begin with."""
        ...


def recorded_environment() -> dict[str, str]:
    """Return the environment of a client that is answered from recordings: no token is asked for."""
    return {"WALLAROO_API_URL": URL, "WALLAROO_TOKEN": "none-is-needed"}


def add_options(group: pytest.OptionGroup) -> None:
    """The options of recordings."""
    group.addoption("--cassettes", metavar="DIR", help="where cassettes are, or are recorded to")
    group.addoption("--record", action="store_true", help="record the example tests; see scripts/record")
    group.addoption("--release", metavar="NAME", help="with --record: the instance's release, for recording.json")


def configure(config: pytest.Config, instance: Kind) -> None:
    """Prepare a run; to be called once, in `pytest_configure`.

    Args:
        config: Of the run, with the options of `add_options`.
        instance: What the run is on.

    Raises:
        pytest.UsageError: The options contradict each other, or cassettes would replace other files.
    """
    config.addinivalue_line("markers", _MARKER)
    named = config.getoption("cassettes", None)
    is_recorded = bool(config.getoption("record", False))
    if is_recorded and instance == "recorded":
        raise pytest.UsageError("--record needs an instance to record from: --instance sandbox, or live.")
    if is_recorded and instance == "live" and named is None:
        raise pytest.UsageError("The cassettes in the repository are the sandbox's: name a folder, --cassettes DIR.")
    directory = default_directory() if named is None else user_path(named)
    if is_recorded:
        _check_directory(directory)
    release = config.getoption("release", None) or _release_of(instance)
    config.pluginmanager.register(_plugin(instance, directory, release, is_recorded=is_recorded), _NAME)


def _check_directory(directory: Path) -> None:
    try:
        Index(directory).check()
    except NotRecordedHereError as error:
        raise pytest.UsageError(str(error)) from None


def _plugin(instance: Kind, directory: Path, release: str, *, is_recorded: bool) -> object:
    if instance == "recorded":
        return Replay(directory)
    return Record(directory, instance, release) if is_recorded else NoRecordings()


def _release_of(instance: Kind) -> str:
    """Return the release of an instance that tells it; no operation of a live one does."""
    if instance != "sandbox":
        return "unknown"
    from wallaroo_ext.sandbox.options import DEFAULT_OPTIONS

    return DEFAULT_OPTIONS.release


def is_example(item: pytest.Item) -> bool:
    """Return whether a test is one that is recorded."""
    return item.get_closest_marker("recorded") is not None


def cassette_name(item: pytest.Item) -> str:
    """Return the name of a test's cassette, without its suffix."""
    return re.sub(r"[^\w.-]+", "-", item.nodeid.partition("::")[2].replace("::", ".")).strip("-")


def _make_new(instance: Named) -> None:
    """Reset a sandbox, so that what is recorded of a test does not depend on the tests before it."""
    from wallaroo_ext.sandbox.control_client import Sandbox

    with Sandbox(instance.environment) as sandbox:
        sandbox.reset()


class NoRecordings:
    """A run on an instance that nobody records."""

    _clock = SYSTEM_CLOCK

    @pytest.fixture
    def conformance_clock(self) -> Clock:
        """Return the time that pauses go by: the machine's, or on recordings one on which they are over at once."""
        return self._clock

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Generator[None]:
        """Note on a test that it passed, for its own fixtures."""
        yield
        item.stash[PASSED] = True


class Replay(NoRecordings):
    """A run on recordings.

    Args:
        directory: Where the cassettes are.
    """

    def __init__(self, directory: Path) -> None:
        import_module("vcr.patch")  # it looks for other libraries, of which one tries a socket when it is imported

        self._directory = directory
        self._index = Index(directory)
        self._network = NoNetwork()
        self._clock = PassingClock()

    @pytest.fixture(autouse=True)
    def _cassette(self, request: pytest.FixtureRequest) -> Generator[None]:
        """Answer from the test's cassette, in the test and in its own fixtures."""
        with self._answering(request.node):
            yield

    def _answering(self, item: pytest.Item) -> AbstractContextManager[None]:
        from wallaroo_ext.conformance.recordings.cassette import replaying

        if not is_example(item):
            return nullcontext()
        name = cassette_name(item)
        if reason := self._index.not_recorded.get(name):
            pytest.skip(f"It is not recorded: {reason}.")
        return replaying(self._directory / f"{name}{SUFFIX}")

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Skip what runs on a sandbox only."""
        for item in items:
            if "sandbox" in getattr(item, "fixturenames", ()):
                item.add_marker(pytest.mark.skip(reason=_NO_SANDBOX))

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection(self) -> None:
        """Let nothing out from here on."""
        self._network.begin()

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self, item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Fail a test that tried to use the network, also where something caught the error."""
        report = yield
        if (tried := self._network.taken()) and report.passed:
            report.outcome = "failed"
            report.longrepr = f"{item.nodeid} used the network in a run on recordings: {tried[0]}"
        return report

    def pytest_unconfigure(self) -> None:
        """Let everything through again."""
        self._network.end()


class Record(NoRecordings):
    """A run whose example tests are recorded.

    Args:
        directory: Where the cassettes go.
        instance: What they are recorded from.
        release: The instance's release.
    """

    def __init__(self, directory: Path, instance: str, release: str) -> None:
        self._directory = directory
        self._index = Index(directory)
        self._origin = Origin.today(instance, release)
        self._changed: list[bool] = []
        self._recorded: dict[str, tuple[Recording, Normalising]] = {}
        self._passed: dict[str, int] = {}

    @pytest.fixture(autouse=True)
    def _cassette(self, request: pytest.FixtureRequest) -> Generator[None]:
        """Record what the test and its own fixtures exchange."""
        with self._recording(request) if is_example(request.node) else nullcontext():
            yield

    @contextmanager
    def _recording(self, request: pytest.FixtureRequest) -> Generator[None]:
        from wallaroo_ext.conformance.recordings.cassette import recording
        from wallaroo_ext.settings import Settings

        instance: Named = request.getfixturevalue("conformance_instance")
        if self._origin.instance == "sandbox":
            _make_new(instance)
        settings = Settings.resolve(instance.environment)
        normalising = Normalising(instance.prefix, [settings.api_url, settings.auth_url])
        with recording(self._directory / f"{cassette_name(request.node)}{SUFFIX}") as recorded:
            self._recorded[request.node.nodeid] = (recorded, normalising)
            yield

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[Any]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Write the cassette of a test that passed to its end; another one keeps the cassette that it had."""
        report = yield
        if is_example(item):
            self._passed[item.nodeid] = self._passed.get(item.nodeid, 0) + report.passed
            if report.skipped and call.excinfo is not None:
                self._index.skipped(cassette_name(item), str(call.excinfo.value).removesuffix("."))
            if report.when == "teardown" and self._passed[item.nodeid] == _PHASES:
                self._write(item, report)
        return report

    def _write(self, item: pytest.Item, report: pytest.TestReport) -> None:
        from wallaroo_ext.conformance.recordings.interactions import TooLargeError

        recorded, normalising = self._recorded.pop(item.nodeid)
        name = cassette_name(item)
        if recorded.is_empty:
            self._index.skipped(name, _TOKENS_ONLY)
            return
        try:
            announce = partial(self._index.announce, name, self._origin)
            is_new = recorded.write(self._directory / f"{name}{SUFFIX}", normalising, announce)
        except (SecretFoundError, TooLargeError) as error:
            report.outcome, report.longrepr = "failed", str(error)
        else:
            self._changed.append(is_new)
            self._index.recorded(name, self._origin, is_new=is_new)

    def pytest_sessionfinish(self) -> None:
        """Say what the cassettes were recorded from."""
        if self._index.cassettes or self._index.not_recorded:
            self._index.save()

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Say what became of the cassettes."""
        changed, same = self._changed.count(True), self._changed.count(False)
        terminalreporter.write_line(f"Recorded to {self._directory}: {changed} cassettes changed, {same} did not.")
