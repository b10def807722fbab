"""Running the command line: usage errors in a sentence, closed pipes in silence, Ctrl-C with what it leaves."""

from __future__ import annotations

import os
import sys
from contextlib import nullcontext
from typing import TYPE_CHECKING

from cyclopts import CycloptsError

from wallaroo_ext.cli import interrupts, output
from wallaroo_ext.cli.output import UsageError

if TYPE_CHECKING:
    from cyclopts import App

_PIPE_CLOSED = 141
"""What a shell says of a program that was ended by the signal SIGPIPE."""

_MAY_LEAVE_SOMETHING = ("batch", "deploy", "infer", "undeploy", "upload")
"""The commands that clean up, or say what they leave, when a signal asks them to end."""

_SECRET_OPTIONS = {
    "--password": "WALLAROO_PASSWORD",
    "--client-secret": "WALLAROO_CLIENT_SECRET",
    "--token": "WALLAROO_TOKEN",
}


def run(app: App, arguments: list[str]) -> None:
    """Run a command line, and end the program with its exit code."""
    try:
        _refuse_secrets(arguments)
        try:
            with interrupts.raised() if arguments[:1] and arguments[0] in _MAY_LEAVE_SOMETHING else nullcontext():
                app(arguments, exit_on_error=False, print_error=False)
        finally:
            sys.stdout.flush()
    except (CycloptsError, UsageError) as error:
        output.fail(UsageError(" ".join(str(error).split())), machine="--json" in arguments)
    except KeyboardInterrupt as interrupt:
        output.interrupted(interrupt, machine="--json" in arguments)
        raise SystemExit(interrupts.exit_code_of(interrupt)) from None
    except BrokenPipeError:
        # Python flushes once more at its end, and would complain there.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise SystemExit(_PIPE_CLOSED) from None


def _refuse_secrets(arguments: list[str]) -> None:
    """Say where secrets belong, without repeating them, as the parser's own sentence would."""
    for argument in arguments:
        variable = _SECRET_OPTIONS.get(argument.partition("=")[0])
        if variable is not None:
            raise UsageError(
                f"A secret is no argument, because everybody on the machine sees those: set {variable}, or write a "
                f"credentials file and name it with --credentials."
            )
