"""Reads the rows of Arrow files that users send, within limits of memory."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from wallaroo_ext._util.arrow.files import NO_FILE, from_file
from wallaroo_ext._util.arrow.limits import TooLargeError, check_file, check_table
from wallaroo_ext.sandbox.http.problems import engine_error, too_large

if TYPE_CHECKING:
    import pyarrow as pa


class ReadFile(NamedTuple):
    """The content of an Arrow file.

    Attributes:
        table: The rows.
        is_plain: Whether the table uses the file's own memory, as `check_file` says.
    """

    table: pa.Table
    is_plain: bool


def read_file(body: bytes | memoryview, limit: int, *, only_plain: bool = False) -> ReadFile:
    """Return the rows of an Arrow file.

    Args:
        body: The file.
        limit: The memory that the decoded rows may take, in bytes.
        only_plain: Whether to refuse a file that is not plain.

    Raises:
        Problem: 400 in the engine's form if the file cannot be read, or 413 if the rows take more memory.
    """
    try:
        is_plain = check_file(body, limit)
        if only_plain and not is_plain:
            raise ValueError("it is not plain")  # noqa: TRY301 - reported like every other fault of the file
        table = from_file(body)
    except TooLargeError as error:
        raise too_large(f"{error}; send fewer rows at a time.") from None
    except ValueError as error:
        raise engine_error(f"The body is no Arrow file that can be read: {str(error).removeprefix(NO_FILE)}.") from None
    check_rows(table, limit)
    return ReadFile(table, is_plain)


def check_rows(table: pa.Table, limit: int) -> None:
    """Check that an engine can read a table, and that its rows take no more memory than a limit in bytes.

    Raises:
        Problem: 400 in the engine's form, or 413 if the rows take more memory.
    """
    try:
        check_table(table, limit)
    except TooLargeError as error:
        raise too_large(f"{error}; send fewer rows at a time.") from None
    except ValueError as error:
        raise engine_error(f"The rows cannot be read: {error}.") from None
