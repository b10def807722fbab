"""What the sandbox answers when it refuses: the API's form of an error, the engine's and Keycloak's."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import orjson

if TYPE_CHECKING:
    from starlette.responses import Response


class Problem(Exception):  # noqa: N818 - it is an answer, not a failure of the program
    """An answer other than success.

    Args:
        status: The HTTP status.
        content: The JSON body, or a text for a plain one.
        headers: Further headers.
    """

    def __init__(
        self, status: HTTPStatus, content: dict[str, Any] | str, headers: dict[str, str] | None = None
    ) -> None:
        super().__init__(content)
        self.status = status
        self.content = content
        self.headers = headers or {}


def refusal(status: HTTPStatus, message: str, headers: dict[str, str] | None = None) -> Problem:
    """Return an error in the API's form, `{code, msg}`."""
    return Problem(status, {"code": status.value, "msg": message}, headers)


def bad_request(message: str) -> Problem:
    """400 in the API's form."""
    return refusal(HTTPStatus.BAD_REQUEST, message)


def not_found(message: str) -> Problem:
    """404 in the API's form."""
    return refusal(HTTPStatus.NOT_FOUND, message)


def too_large(message: str) -> Problem:
    """413 in the API's form."""
    return refusal(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, message)


def unauthorized(message: str) -> Problem:
    """401 in the API's form."""
    return refusal(HTTPStatus.UNAUTHORIZED, message, {"WWW-Authenticate": "Bearer"})


def expired_token() -> Problem:
    """401 for a bearer token whose time is over."""
    return unauthorized("The token has expired.")


def engine_error(message: str) -> Problem:
    """400 in the inference engine's form."""
    status = HTTPStatus.BAD_REQUEST
    return Problem(status, {"code": status.value, "status": "Error", "error": message, "source": "engine"})


def no_token(status: HTTPStatus, error: str, description: str) -> Problem:
    """Return a refusal of the token endpoint, in the form of RFC 6749."""
    return Problem(status, {"error": error, "error_description": description})


def unavailable(message: str) -> Problem:
    """503 as the gateway in front of a deployment says it, in plain text."""
    return Problem(HTTPStatus.SERVICE_UNAVAILABLE, message, {"Retry-After": "1"})


def problem_response(problem: Problem) -> Response:
    """Return a problem as a response: JSON, or plain text."""
    from starlette.responses import PlainTextResponse, Response  # what runs models has problems, and no web server

    if isinstance(problem.content, str):
        return PlainTextResponse(problem.content, problem.status, problem.headers)
    return Response(orjson.dumps(problem.content), problem.status, problem.headers, media_type="application/json")
