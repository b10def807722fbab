"""Keeps what lies around a run from steering it: variables, warnings, profiles, and the current directory.

pytest, hypothesis and schemathesis read all of these by themselves. What a run does is said by its options alone.
"""

from __future__ import annotations

import os
import subprocess
import sys
import warnings
from contextlib import ExitStack, contextmanager
from tempfile import TemporaryDirectory, TemporaryFile
from typing import TYPE_CHECKING

from wallaroo_ext.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Generator

_LIBRARIES = ("PYTEST_", "PY_", "HYPOTHESIS_", "SCHEMATHESIS_", "TOX_")
"""How the variables begin that steer the libraries; their values are not for a run of the suite."""
_OTHERS = (
    "BUILD_NUMBER",
    "CI",
    "PYTHONASYNCIODEBUG",
    "PYTHONBREAKPOINT",
    "PYTHONDEBUG",
    "PYTHONDEVMODE",
    "PYTHONINSPECT",
    "PYTHONOPTIMIZE",
    "PYTHONSTARTUP",
    "PYTHONWARNINGS",
)
"""Further variables: by the first two, pytest tells more of a failure; the others change what Python does."""
_NO_PLUGINS = {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "HYPOTHESIS_NO_PLUGINS": "1"}
"""Installed plugins could change the order of tests, or what data is made, for example."""

_PROVIDERS = "hypothesis.internal.conjecture.providers"
_READS_CONSTANTS = "_get_local_constants"
"""The function of that module which reads the source of others."""

_MAKE_TABLES = """
import sys
from hypothesis import configuration, find, settings, strategies
configuration.set_hypothesis_home_dir(sys.argv[1])
find(strategies.text(), bool, settings=settings(database=None))
"""
"""A program that draws a text, for which hypothesis needs the table of the characters that UTF-8 can encode."""


def check_assertions() -> None:
    """Check that Python executes assertions, of which the suite consists.

    Raises:
        ConfigurationError: It runs with `-O`.
    """
    if sys.flags.optimize:
        raise ConfigurationError(
            "Python leaves out assertions, of which the suite consists: run it without -O, and without PYTHONOPTIMIZE."
        )


def check_temporary_files() -> None:
    """Check that temporary files can be written: pytest keeps in one what is printed during a test.

    Raises:
        ConfigurationError: They cannot.
    """
    try:
        TemporaryFile().close()
    except OSError as error:
        raise ConfigurationError(
            f"No temporary file can be written ({error.strerror}): name a directory that can have some in TMPDIR."
        ) from None


@contextmanager
def undisturbed() -> Generator[None]:
    """Keep what lies around from steering the block; afterwards, all is as it was."""
    with ExitStack() as after:
        before = dict(os.environ)
        after.callback(_restore, before)
        for name in before:
            if name.startswith(_LIBRARIES) or name in _OTHERS:
                del os.environ[name]
        os.environ.update(_NO_PLUGINS)
        after.enter_context(warnings.catch_warnings(action="ignore"))
        _leave_missing_directory(after)
        after.enter_context(_own_hypothesis())
        yield


def _restore(before: dict[str, str]) -> None:
    """Restore the variables that `undisturbed` removes or sets."""
    for name in [*os.environ, *before]:
        if name.startswith(_LIBRARIES) or name in _OTHERS:
            if name in before:
                os.environ[name] = before[name]
            else:
                os.environ.pop(name, None)


def _leave_missing_directory(after: ExitStack) -> None:
    """Go to the root if the current directory was removed, since the libraries ask where they are."""
    try:
        os.getcwd()  # noqa: PTH109 - Path.cwd would do the same
    except FileNotFoundError:
        here = os.open(".", os.O_RDONLY)
        after.callback(os.close, here)
        after.callback(os.fchdir, here)
        os.chdir(os.sep)


@contextmanager
def _own_hypothesis() -> Generator[None]:
    """Give hypothesis its own defaults, which it changes in CI systems, and a directory of its own that is removed."""
    from hypothesis import configuration, settings

    profile = settings.get_current_profile_name()
    home = configuration.storage_directory(intent_to_write=False).home_directory
    with _own_directory() as own:
        configuration.set_hypothesis_home_dir(own)
        settings.load_profile("default")
        try:
            with _no_constants_of_modules():
                yield
        finally:
            settings.load_profile(profile)
            configuration.set_hypothesis_home_dir(home)


@contextmanager
def _no_constants_of_modules() -> Generator[None]:
    """Keep hypothesis from drawing the constants that stand in modules which are not installed.

    There is no option for it. With them, the data of a seed would depend on which modules the program has loaded, and
    be other data where the suite runs from a checkout.
    """
    providers = sys.modules.get(_PROVIDERS)
    read, kind, known = (getattr(providers, name, None) for name in (_READS_CONSTANTS, "Constants", "CONSTANTS_CACHE"))
    if read is None or kind is None or known is None:  # a later version may have none, or others
        yield
        return
    nothing = kind()
    known.cache.clear()
    setattr(providers, _READS_CONSTANTS, lambda: nothing)
    try:
        yield
    finally:
        setattr(providers, _READS_CONSTANTS, read)
        known.cache.clear()


@contextmanager
def _own_directory() -> Generator[str]:
    """Make a directory with hypothesis' tables for the block; where none can be made, give one that has nothing."""
    with ExitStack() as after:
        try:
            own = after.enter_context(TemporaryDirectory(prefix="wallaroo-hypothesis-", ignore_cleanup_errors=True))
        except OSError:  # which `check_temporary_files` says
            own = os.devnull
        else:
            after.enter_context(_tables(own))
        yield own


@contextmanager
def _tables(directory: str) -> Generator[None]:
    """Have another process put hypothesis' table of Unicode into its directory, which takes seconds.

    The run has something else to do until it needs the table; where it is not there by then, hypothesis makes it.
    """
    process = _start_python(_MAKE_TABLES, directory)
    try:
        yield
    finally:
        if process is not None:
            process.kill()
            process.wait()


def _start_python(program: str, argument: str) -> subprocess.Popen[bytes] | None:
    """Start a program; return None where Python is part of another program, or no further process is allowed."""
    if not sys.executable:
        return None
    nothing = subprocess.DEVNULL
    command = [sys.executable, "-P", "-c", program, argument]
    try:
        return subprocess.Popen(command, stdin=nothing, stdout=nothing, stderr=nothing)
    except OSError:
        return None
