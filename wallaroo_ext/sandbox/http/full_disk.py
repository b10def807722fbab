"""What the sandbox answers when its disk is full."""

from __future__ import annotations

import errno
import sqlite3
from http import HTTPStatus
from typing import TYPE_CHECKING

from wallaroo_ext.sandbox.http.problems import Problem, refusal

if TYPE_CHECKING:
    from wallaroo_ext.sandbox.http.validation import OperationSpec

# EFBIG is what a limit for the size of files gives (ulimit -f).
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
# SQLite names a full disk; a quota that is used up and a limit of size are errors of writing to it.
_FULL_IN_SQLITE = {sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR_WRITE}
_MESSAGE = "The sandbox has no room left for this: make some where its data directory is, and send the request again."


def is_full(error: BaseException) -> bool:
    """Return whether a write failed for want of room."""
    if isinstance(error, sqlite3.Error):
        return getattr(error, "sqlite_errorcode", None) in _FULL_IN_SQLITE
    return isinstance(error, OSError) and error.errno in _FULL


def no_room(spec: OperationSpec) -> Problem:
    """Return the answer of an operation: 507 where the contract has it, which are the uploads, else 500."""
    has_own = HTTPStatus.INSUFFICIENT_STORAGE in spec.statuses
    return refusal(HTTPStatus.INSUFFICIENT_STORAGE if has_own else HTTPStatus.INTERNAL_SERVER_ERROR, _MESSAGE)
