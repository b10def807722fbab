"""The program `wallaroo-ext`: all commands, signals and exit codes."""

from __future__ import annotations

import atexit
import gc
import os
import sys
import traceback
from contextlib import nullcontext
from difflib import get_close_matches
from importlib import import_module, metadata
from io import TextIOWrapper
from pathlib import Path
from pkgutil import walk_packages
from typing import Any, cast, get_args

from cyclopts import ArgumentCollection, CycloptsError, UnusedCliTokensError

from wallaroo_ext._util.arrow.no_pandas import hide_pandas
from wallaroo_ext.cli import commands, signals
from wallaroo_ext.cli.completion_scripts import CompletedApp
from wallaroo_ext.cli.printing import output
from wallaroo_ext.cli.printing.output import UsageError
from wallaroo_ext.errors import WallarooError
from wallaroo_ext.redaction.patterns import redact

COMMANDS = dict(
    sorted(
        (module.name.rpartition(".")[2], module.name)
        for module in walk_packages(commands.__path__, f"{commands.__name__}.")
        if not module.ispkg
    )
)
"""The modules of the commands, by the command's name, which is the module's own."""


_EXTRAS = (
    "What a command needs beyond this comes with extras, as in pip install 'wallaroo-ext[sandbox]': arrow and pandas "
    "for rows, charts for assays, sandbox, conformance, socks for proxies; in Python, aiohttp, telemetry, spark and "
    "ray, too."
)
_STANDARD_ERROR = 2
"""The highest of the descriptors of standard input, output and error."""
_FEWEST_COLUMNS = 20
_PIPE_CLOSED = 141
"""The exit code of a program that was ended by the signal SIGPIPE."""
_COMPLETE = "__complete"
"""The word that the scripts of shells call this program with, before the words of the line that they complete."""
_CLEAN_UP = ("assay", "batch", "call", "deploy", "infer", "logs", "undeploy", "upload")
"""The commands that clean up, or report what they leave, when a signal ends them; all that write files do."""
_OPTIONS = ("--help", "--install-completion", "--version")
"""The options of the program itself."""
_SECRET_OPTIONS = {
    "--password": "WALLAROO_PASSWORD",
    "--client-secret": "WALLAROO_CLIENT_SECRET",
    "--token": "WALLAROO_TOKEN",
}


def build_app(arguments: list[str]) -> CompletedApp:
    """Return the command line app. If the arguments name a command, only that one is imported.

    Otherwise a sandbox would keep the memory of all the others as long as it runs.
    """
    words = arguments[1:] if arguments[:1] == [_COMPLETE] else arguments
    is_known = bool(words) and words[0] in COMMANDS
    app = CompletedApp(
        name="wallaroo-ext",
        help="Work with a Wallaroo instance, or run one on this machine.",
        help_epilogue=None if is_known else _EXTRAS,
        version=lambda: metadata.version("wallaroo-ext"),
        version_format="plaintext",
        config=_check_whole_numbers,
        suppress_keyboard_interrupt=False,  # `run` reports what is left behind
    )
    cast("Any", app).register_install_completion_command(help="Let this shell complete the command's words.")
    for name, module in COMMANDS.items():
        app.command(f"{module}:{name}" if is_known else getattr(import_module(module), name))
    return app


def _check_whole_numbers(_: object, __: object, arguments: ArgumentCollection) -> None:
    """Refuse fractions where a whole number is taken: the parser would round them.

    Raises:
        UsageError: One was given; the message names the option.
    """
    for argument in arguments:
        if int in {argument.hint, *get_args(argument.hint)}:
            for token in argument.tokens:
                if _is_fraction(token.value):
                    raise UsageError(f"{token.keyword or argument.name} takes a whole number, not {token.value!r}.")


def _is_fraction(text: str) -> bool:
    try:
        return "." in text and not float(text).is_integer()
    except (ValueError, OverflowError):  # no number, which the parser refuses itself
        return False


def main() -> None:
    """Run the command line, without pandas: no command needs it."""
    _fill_streams()
    _widen()
    hide_pandas()
    atexit.register(gc.freeze)  # Python's end would look for cycles of unused objects among all that a program keeps
    run(build_app(sys.argv[1:]), sys.argv[1:])


def _fill_streams() -> None:
    """Let what is printed go nowhere where the program was started without standard output or error.

    Otherwise the next file or connection takes the place of a missing one, and what is printed ends up in it.
    """
    while (descriptor := os.open(os.devnull, os.O_RDWR)) <= _STANDARD_ERROR:
        os.set_inheritable(descriptor, True)
    os.close(descriptor)
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, Path(os.devnull).open("w", encoding="utf-8"))  # noqa: SIM115 - for as long as it runs


def _widen() -> None:
    """Let any text be printed on standard output, and help on lines of some width, whatever the environment says.

    The library that prints help never ends with less than three columns, which a terminal without a size has.
    """
    printed: Any = sys.stdout
    if isinstance(printed, TextIOWrapper) and printed.errors == "strict":
        printed.reconfigure(errors="backslashreplace")
    columns = os.environ.get("COLUMNS", "")
    if columns.isdigit() and len(columns) <= len(str(_FEWEST_COLUMNS)) and int(columns) < _FEWEST_COLUMNS:
        del os.environ["COLUMNS"]


def run(app: CompletedApp, arguments: list[str]) -> None:
    """Run a command line, and end the program with its exit code."""
    try:
        _refuse_secrets(arguments)
        try:
            with signals.raise_on_signals() if arguments[:1] and arguments[0] in _CLEAN_UP else nullcontext():
                app(arguments, exit_on_error=False, print_error=False)
        finally:
            _flush()
    except (CycloptsError, UsageError) as error:
        output.fail(UsageError(_with_next_step(error, arguments)), machine="--json" in arguments)
    except KeyboardInterrupt as interrupt:
        output.report_interrupt(interrupt, machine="--json" in arguments)
        raise SystemExit(signals.exit_code_of(interrupt)) from None
    except BrokenPipeError:
        output.discard()
        raise SystemExit(_PIPE_CLOSED) from None
    except OSError as error:  # of a file, it would have ended in the command
        output.fail(output.failure_of(error, output.STANDARD_OUTPUT), machine="--json" in arguments)
    except Exception as error:
        if "--verbose" in arguments:
            raise
        output.fail(_defect(error), machine="--json" in arguments)


def _flush() -> None:
    """Print what is left of the answer.

    Raises:
        OSError: It cannot be printed, such as on a disk that is full; what failed before is not hidden by that.
    """
    try:
        sys.stdout.flush()
    except OSError as error:
        output.discard()
        before = error.__context__
        if before is None or (isinstance(before, SystemExit) and not before.code):
            raise


def _with_next_step(error: CycloptsError | UsageError, arguments: list[str]) -> str:
    """Return what is wrong with a call in one line, with a near command, and which help says more."""
    text = " ".join(str(error).split())
    if isinstance(error, UnusedCliTokensError):
        text = f"{', '.join(repr(word) for word in error.unused_tokens or ())}: there is no argument for this."
    if isinstance(error, UsageError) or "Did you mean" in text:
        return text
    command = next((word for word in arguments if not word.startswith("-")), "")
    if command in COMMANDS:
        return f"{text} `wallaroo-ext {command} --help` says what it takes."
    near = get_close_matches(command or "".join(arguments[:1]), [*COMMANDS, *_OPTIONS], n=2)
    guess = f"Did you mean {' or '.join(near)}? " if near else ""
    return f"{text} {guess}`wallaroo-ext --help` lists all commands."


def _defect(error: Exception) -> WallarooError:
    """Return the error for what no command should raise: a traceback tells those who run a program nothing."""
    trace = traceback.extract_tb(error.__traceback__)[-1]
    where = f"{Path(trace.filename).name}:{trace.lineno}"
    return WallarooError(
        f"This is a defect of wallaroo-ext: {redact(f'{type(error).__name__}: {error}')} ({where}).",
        advice="Report this sentence and the command; most commands show more with --verbose.",
    )


def _refuse_secrets(arguments: list[str]) -> None:
    """Refuse options for secrets, without repeating the secret as the parser's own message would."""
    for argument in arguments:
        variable = _SECRET_OPTIONS.get(argument.partition("=")[0])
        if variable is not None:
            raise UsageError(
                f"Secrets are not taken as arguments, because everybody on the machine can see those: set {variable}, "
                f"or write a credentials file and name it with --credentials."
            )
