"""Error answers, in the forms of the API, the inference engine, Keycloak and a gateway."""

from __future__ import annotations

import errno
from contextlib import contextmanager
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import orjson

if TYPE_CHECKING:
    from collections.abc import Generator

    from starlette.responses import Response

# EFBIG is the error of a limit on the size of files (ulimit -f).
_DISK_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_DISK_FULL_MESSAGE = (
    "The sandbox has no room left for this: make some where its data directory is, and send the request again."
)


class Problem(Exception):  # noqa: N818 - an answer, not a failure of the program
    """An error answer; raised by whatever refuses a request.

    Args:
        status: The HTTP status.
        content: The JSON body, or a text for a plain-text body.
        headers: Further headers.
    """

    def __init__(
        self, status: HTTPStatus, content: dict[str, Any] | list[Any] | str, headers: dict[str, str] | None = None
    ) -> None:
        super().__init__(content)
        self.status = status
        self.content = content
        self.headers = headers or {}


def refusal(status: HTTPStatus, message: str, headers: dict[str, str] | None = None) -> Problem:
    """Return an error in the API's form, `{code, msg}`."""
    return Problem(status, {"code": status.value, "msg": message}, headers)


def bad_request(message: str) -> Problem:
    """Return an error 400 in the API's form."""
    return refusal(HTTPStatus.BAD_REQUEST, message)


def not_found(message: str) -> Problem:
    """Return an error 404 in the API's form."""
    return refusal(HTTPStatus.NOT_FOUND, message)


def too_large(message: str) -> Problem:
    """Return an error 413 in the API's form."""
    return refusal(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, message)


def unauthorized(message: str) -> Problem:
    """Return an error 401 in the API's form."""
    return refusal(HTTPStatus.UNAUTHORIZED, message, {"WWW-Authenticate": "Bearer"})


def expired_token() -> Problem:
    """Return the error 401 for an expired bearer token."""
    return unauthorized("The token has expired.")


def engine_error(message: str) -> Problem:
    """Return an error 400 in the inference engine's form."""
    status = HTTPStatus.BAD_REQUEST
    return Problem(status, {"code": status.value, "status": "Error", "error": message, "source": "engine"})


def token_error(status: HTTPStatus, error: str, description: str) -> Problem:
    """Return an error of the token endpoint, in the form of RFC 6749."""
    return Problem(status, {"error": error, "error_description": description})


def unavailable(message: str) -> Problem:
    """Return an error 503 in plain text, as from the gateway in front of a deployment."""
    return Problem(HTTPStatus.SERVICE_UNAVAILABLE, message, {"Retry-After": "1"})


def is_disk_full(error: BaseException) -> bool:
    """Return whether a write failed because the disk is full."""
    import sqlite3  # engine processes do without a database

    if isinstance(error, sqlite3.Error):
        # SQLite has an error for a full disk; an exceeded quota or limit of size is a write error to it.
        full = {sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR_WRITE}
        return getattr(error, "sqlite_errorcode", None) in full
    return isinstance(error, OSError) and error.errno in _DISK_FULL


@contextmanager
def full_disk_refused(status: HTTPStatus = HTTPStatus.INTERNAL_SERVER_ERROR) -> Generator[None]:
    """Refuse in the API's form, with a status, what a `with` block has no room for.

    Raises:
        Problem: The disk is full.
    """
    try:
        yield
    except Exception as error:
        if is_disk_full(error):
            raise refusal(status, _DISK_FULL_MESSAGE) from error
        raise


def problem_response(problem: Problem) -> Response:
    """Return a problem as a response: JSON, or plain text."""
    from starlette.responses import PlainTextResponse, Response  # engine processes do without a web server

    if isinstance(problem.content, str):
        return PlainTextResponse(problem.content, problem.status, problem.headers)
    return Response(orjson.dumps(problem.content), problem.status, problem.headers, media_type="application/json")
