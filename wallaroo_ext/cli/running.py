"""Running the command line: usage errors in a sentence, Ctrl-C and closed pipes in silence."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from cyclopts import CycloptsError

from wallaroo_ext.cli import output
from wallaroo_ext.cli.output import UsageError

if TYPE_CHECKING:
    from cyclopts import App

_INTERRUPTED = 130
_PIPE_CLOSED = 141
"""What a shell says of a program that was ended by the signals SIGINT and SIGPIPE."""

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
            app(arguments, exit_on_error=False, print_error=False)
        finally:
            sys.stdout.flush()
    except (CycloptsError, UsageError) as error:
        output.fail(UsageError(" ".join(str(error).split())), machine="--json" in arguments)
    except KeyboardInterrupt:
        raise SystemExit(_INTERRUPTED) from None
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
