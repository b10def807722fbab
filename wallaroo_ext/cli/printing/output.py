"""What the commands print, and how they end."""

from __future__ import annotations

import json
import logging
import sys
import traceback
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NoReturn, cast

from wallaroo_ext._util.terminal_text import visible, visible_json
from wallaroo_ext.errors import ConfigurationError, InvalidDataError, WallarooError

if TYPE_CHECKING:
    from collections.abc import Generator

FAILED = 1
WRONGLY_CALLED = 2


class UsageError(Exception):
    """The command was called with what it cannot use; the message is a sentence that says what to do."""


def is_terminal() -> bool:
    """Return whether a person reads what is printed."""
    return sys.stdout.isatty()


def line(text: str) -> None:
    """Print a line of the answer; what cannot be seen is written out, because it may come from anywhere."""
    as_it_is(visible(text))


def as_it_is(text: str) -> None:
    """Print a line of the answer that has colours of our own, or that no terminal shows."""
    print(text)  # noqa: T201 - it is what was asked for


def remark(text: str) -> None:
    """Print a line that is no part of the answer, as `line` does."""
    print(visible(text), file=sys.stderr)  # noqa: T201 - for the person, not for the program that reads the answer


def as_json(value: Any, *, machine: bool) -> str:
    """A value as JSON: for a person over several lines, else in one; what cannot be seen is an escape of JSON's."""
    if machine or not is_terminal():
        return visible_json(json.dumps(value, ensure_ascii=False, separators=(",", ":")))
    return visible_json(json.dumps(value, ensure_ascii=False, indent=2))


@contextmanager
def reported(*, machine: bool, verbose: bool) -> Generator[None]:
    """End the program with a sentence and an exit code where something goes wrong in the block.

    Args:
        machine: Whether the sentence is JSON, for a program.
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
        failure = UsageError(f"{error.filename or 'A file'}: {error.strerror or error}.")
    else:
        return
    if verbose:
        remark("".join(traceback.format_exception(failure)).rstrip())
    fail(failure, machine=machine)


def fail(error: Exception, *, machine: bool = False) -> NoReturn:
    """Say what went wrong in a sentence, and end the program with its exit code."""
    if machine:
        remark(visible_json(json.dumps({"error": _fields(error)}, ensure_ascii=False)))
    else:
        remark("\n".join([f"{error}", *notes_of(error)]))
    wrong_call = isinstance(error, UsageError | ConfigurationError | InvalidDataError)
    raise SystemExit(WRONGLY_CALLED if wrong_call else FAILED)


def interrupted(interrupt: KeyboardInterrupt, *, machine: bool) -> None:
    """Say what an interrupted command leaves behind; nothing where it leaves nothing."""
    notes = notes_of(interrupt)
    if machine and notes:
        fields = {"kind": "Interrupted", "message": " ".join(notes), "notes": notes}
        remark(json.dumps({"error": fields}, ensure_ascii=False))
        return
    for note in notes:
        remark(note)


def notes_of(error: BaseException) -> list[str]:
    """Return what was noted on an error: what it leaves behind, and what ends that."""
    return list(getattr(error, "__notes__", []))


def _fields(error: Exception) -> dict[str, Any]:
    """Return an error for a program."""
    attributes = {name: _plain(value) for name, value in vars(error).items() if not name.startswith("_")}
    notes = notes_of(error)
    return {"kind": type(error).__name__, "message": str(error)} | ({"notes": notes} if notes else {}) | attributes


def _plain(value: Any) -> Any:
    """Return what JSON has for a value; a record with named fields is an object."""
    if hasattr(value, "_asdict"):
        return value._asdict()
    return [_plain(item) for item in cast("list[Any]", value)] if isinstance(value, tuple | list) else value


class _VisibleFormatter(logging.Formatter):
    """Writes out what cannot be seen."""

    def format(self, record: logging.LogRecord) -> str:
        return visible(super().format(record))


def _show_logs() -> None:
    """Print what this package and httpx log."""
    handler = logging.StreamHandler()
    handler.setFormatter(_VisibleFormatter("%(asctime)s %(name)s: %(message)s"))
    for name in ("wallaroo_ext", "httpx"):
        logger = logging.getLogger(name)
        logger.setLevel(logging.DEBUG)
        logger.addHandler(handler)
