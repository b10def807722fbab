"""Rows from Arrow files that users send, within limits."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from wallaroo_ext._util import arrow_files
from wallaroo_ext._util.arrow_limits import TooLargeError, check_file, check_table
from wallaroo_ext.sandbox.http.problems import engine_error, too_large

if TYPE_CHECKING:
    import pyarrow as pa


class ReadFile(NamedTuple):
    """What an Arrow file held.

    Attributes:
        table: The rows.
        is_plain: Whether reading it took no memory, as `check_file` says.
    """

    table: pa.Table
    is_plain: bool


def read_file(body: bytes | memoryview, limit: int, *, only_plain: bool = False) -> ReadFile:
    """Return the rows of an Arrow file.

    Args:
        body: The file.
        limit: What they may take when they are read and spread out, in bytes.
        only_plain: Whether a file that is not plain is refused.

    Raises:
        Problem: 400 in the engine's form where it cannot be read, 413 where it takes more.
    """
    try:
        is_plain = check_file(body, limit)
        if only_plain and not is_plain:
            raise ValueError("it is not plain")  # noqa: TRY301 - like all that is wrong with it
        table = arrow_files.from_file(body)
    except TooLargeError as error:
        raise too_large(f"{error}; send fewer rows at a time.") from None
    except ValueError as error:
        raise engine_error(f"The body is no Arrow file that can be read: {error}.") from None
    return ReadFile(checked_table(table, limit), is_plain)


def checked_table(table: pa.Table, limit: int) -> pa.Table:
    """Return a table whose rows an engine can read, and that takes no more memory than a limit in bytes.

    Raises:
        Problem: 400 in the engine's form, 413 where it takes more.
    """
    try:
        check_table(table, limit)
    except TooLargeError as error:
        raise too_large(f"{error}; send fewer rows at a time.") from None
    except ValueError as error:
        raise engine_error(f"The rows cannot be read: {error}.") from None
    return table
