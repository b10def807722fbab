"""Calls a program of `scripts` in this process, for tests that are not about its start."""

from __future__ import annotations

import io
import signal
import sys
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from typing import TYPE_CHECKING, Any

import pytest

from contract_tests.support.command_line import Done

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

_SIGNALS = (signal.SIGHUP, signal.SIGINT, signal.SIGTERM)


def call_main(main: Callable[[], int], *arguments: str, **variables: str) -> Done:
    """Call the function `main` of a program, as its start does. Returns its exit code and its output.

    Args:
        main: The function.
        arguments: The program's arguments.
        variables: What its environment has beside that of this process.
    """
    out, err = io.StringIO(), io.StringIO()
    code: Any = 0
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(out), redirect_stderr(err), _same_signals():
        patch.setattr(sys, "argv", ["the program", *arguments])
        for name, value in variables.items():
            patch.setenv(name, value)
        try:
            code = main()
        except SystemExit as end:
            code = end.code or 0
    return Done(code, out.getvalue(), err.getvalue())


@contextmanager
def _same_signals() -> Generator[None]:
    """Restore the handlers of signals, which programs set."""
    handlers = {number: signal.getsignal(number) for number in _SIGNALS}
    try:
        yield
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
