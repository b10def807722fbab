"""Printing the answers of commands, and ending them with messages and exit codes."""

from __future__ import annotations

import json
import logging
import os
import sys
import traceback
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NoReturn, cast

from wallaroo_ext._util.files.user_paths import near_file_name, user_path
from wallaroo_ext._util.standard_error import STANDARD_ERROR, print_error_line
from wallaroo_ext.errors import ConfigurationError, InvalidDataError, WallarooError
from wallaroo_ext.redaction.terminal_text import printable_json, printable_lines

if TYPE_CHECKING:
    from collections.abc import Generator

EXIT_FAILED = 1
EXIT_USAGE = 2
STANDARD_OUTPUT = "Standard output"


class UsageError(Exception):
    """The command was called wrongly; the message is a sentence that says what to do."""


def is_terminal() -> bool:
    """Return whether standard output is a terminal, which a person reads."""
    return sys.stdout.isatty()


def print_line(text: str) -> None:
    """Print a line of the answer, with unprintable characters escaped, because it may come from outside."""
    print_unchanged(printable_lines(text))


def print_at_once(text: str) -> None:
    """Print a line of the answer as `print_line` does, and let a program that reads it have it now."""
    print_line(text)
    with _named():
        sys.stdout.flush()


def print_unchanged(text: str) -> None:
    """Print a line of the answer without escaping: it has our own colours, or does not go to a terminal."""
    with _named():
        print(text)  # noqa: T201 - the answer of the command


def print_bytes(content: bytes) -> None:
    """Print bytes, which are the answer."""
    with _named():
        sys.stdout.flush()
        sys.stdout.buffer.write(content)


@contextmanager
def _named() -> Generator[None]:
    """Name standard output in an error of the block, such as that of a disk that is full."""
    try:
        yield
    except OSError as error:
        error.filename = STANDARD_OUTPUT
        raise


def print_json(text: str) -> None:
    """Print JSON, in its own escapes where standard output cannot have its characters."""
    print_unchanged(encodable(text))


def encodable(line: str) -> str:
    """Return a line as standard output can print it, in escapes that JSON has, too, where it cannot."""
    try:
        line.encode(sys.stdout.encoding or "utf-8")
    except UnicodeEncodeError:
        return "".join(char if char.isascii() else json.dumps(char)[1:-1] for char in line)
    return line


def discard() -> None:
    """Let what is printed go nowhere: Python prints at its end what is left, and would raise the same error again."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def print_note(text: str) -> None:
    """Print a line that is not part of the answer to standard error, with unprintable characters escaped."""
    print_error_line(printable_lines(text))


def to_json(value: Any, *, machine: bool) -> str:
    """Return a value as JSON, on several lines for a person and on one for a program, with JSON escapes."""
    is_ascii = not _takes_any_text(sys.stdout)
    if machine or not is_terminal():
        return printable_json(json.dumps(value, ensure_ascii=is_ascii, separators=(",", ":")))
    return printable_json(json.dumps(value, ensure_ascii=is_ascii, indent=2))


def _takes_any_text(stream: Any) -> bool:
    """Return whether a stream can have any character; elsewhere, JSON has its own escapes for them."""
    return (getattr(stream, "encoding", None) or "utf-8").lower().startswith("utf")


@contextmanager
def report_errors(*, machine: bool, verbose: bool) -> Generator[None]:
    """End the program with a message and an exit code if the block raises an error.

    Args:
        machine: Whether the message is JSON, for a program.
        verbose: Whether to show logs, and the traceback of an error.
    """
    if verbose:
        _show_logs()
    try:
        yield
    except (UsageError, WallarooError) as error:
        failure: Exception = error
    except (BrokenPipeError, KeyboardInterrupt):
        raise
    except OSError as error:
        failure = failure_of(error, "A file")
    except UnicodeEncodeError as error:  # an argument of bytes that are no text, or a header that is not ASCII
        wrong = error.object[error.start : error.end]
        failure = UsageError(f"{wrong!r} cannot be sent: {error.reason}. Correct the argument or setting that has it.")
    else:
        return
    if verbose:
        print_note("".join(traceback.format_exception(failure)).rstrip())
    fail(failure, machine=machine)


def failure_of(error: OSError, unnamed: str) -> UsageError:
    """Return the error of a command for one of the system; one that names no file is of `unnamed`."""
    return UsageError(f"{error.filename or unnamed}: {error.strerror or error}{_instead(error)}.")


def _instead(error: OSError) -> str:
    """Return what to name in place of a file that does not exist, where the error does not say it yet."""
    is_named = isinstance(error, FileNotFoundError) and isinstance(error.filename, str)
    near = near_file_name(user_path(error.filename)) if is_named and ":" not in str(error.strerror) else None
    return "" if near is None else f": there is {near!r}"


def fail(error: Exception, *, machine: bool = False) -> NoReturn:
    """Print what went wrong, and end the program with an exit code."""
    if machine:
        print_note(_error_as_json(_fields(error)))
    else:
        print_note("\n".join([f"{error}", *notes_of(error)]))
    wrong_call = isinstance(error, UsageError | ConfigurationError | InvalidDataError)
    raise SystemExit(EXIT_USAGE if wrong_call else EXIT_FAILED)


def _error_as_json(fields: dict[str, Any]) -> str:
    return printable_json(json.dumps({"error": fields}, ensure_ascii=not _takes_any_text(STANDARD_ERROR)))


def report_interrupt(interrupt: KeyboardInterrupt, *, machine: bool) -> None:
    """Print what an interrupted command leaves behind, if anything."""
    notes = notes_of(interrupt)
    if machine and notes:
        fields = {"kind": "Interrupted", "message": " ".join(notes), "notes": notes}
        print_note(_error_as_json(fields))
        return
    for note in notes:
        print_note(note)


def notes_of(error: BaseException) -> list[str]:
    """Return the notes of an error: what is left behind, and how to remove it."""
    return list(getattr(error, "__notes__", []))


def _fields(error: Exception) -> dict[str, Any]:
    """Return the fields of an error as JSON values, for a program."""
    attributes = {name: _to_attribute_value(value) for name, value in vars(error).items() if not name.startswith("_")}
    notes = notes_of(error)
    return {"kind": type(error).__name__, "message": str(error)} | ({"notes": notes} if notes else {}) | attributes


def _to_attribute_value(value: Any) -> Any:
    """Return an attribute of an error as a JSON value; a named tuple becomes an object."""
    if hasattr(value, "_asdict"):
        return value._asdict()
    return (
        [_to_attribute_value(item) for item in cast("list[Any]", value)] if isinstance(value, tuple | list) else value
    )


class _PrintableFormatter(logging.Formatter):
    """Escapes unprintable characters."""

    def format(self, record: logging.LogRecord) -> str:
        return printable_lines(super().format(record))


def _show_logs() -> None:
    """Print the logs of this package and of httpx."""
    handler = logging.StreamHandler()
    handler.setFormatter(_PrintableFormatter("%(asctime)s %(name)s: %(message)s"))
    for name in ("wallaroo_ext", "httpx"):
        logger = logging.getLogger(name)
        logger.setLevel(logging.DEBUG)
        logger.addHandler(handler)
