"""Why the token endpoint gives no token, and what to do about it."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from wallaroo_ext import failures
from wallaroo_ext.auth.token_endpoint import OPERATION
from wallaroo_ext.errors import AnswerError, AuthenticationError, RateLimitedError, ServerError
from wallaroo_ext.urls import redirect_of

if TYPE_CHECKING:
    import httpx

    from wallaroo_ext.auth.token_endpoint import Answer

_CLIENT_ERRORS = {"invalid_client", "unauthorized_client"}

# What Keycloak's descriptions contain, in lower case, and what to do then; the first that fits.
_BY_DESCRIPTION = {
    "not fully set up": "The password is temporary, or something has to be confirmed: the user signs in once at the "
    "instance's web page.",
    "disabled": "An administrator has to enable the user, or, after too many wrong passwords, wait a while.",
    "invalid user credentials": "Check the user's name and password.",
    "direct access": "The client needs the setting “Direct access grants” in Keycloak.",
    "service account": "The client needs the setting “Service accounts” in Keycloak; a user's password works without.",
    "https required": "Begin the address with https://.",
    "realm does not exist": "Check the address of Keycloak.",
}
_BY_ERROR = {
    "invalid_client": "Check the client's id and secret.",
    "unauthorized_client": "Check the client's id and secret.",
    "invalid_grant": "Check the user's name and password, and that the user is enabled.",
    "invalid_scope": "Check the scope.",
    "unsupported_grant_type": "Is this Keycloak's address, and does the client allow this grant?",
}


def allows_another_grant(answer: Answer) -> bool:
    """Whether another grant may be granted where this one was refused.

    Not where the server is down, nor where it is the client that is refused.
    """
    is_refusal = answer.status in {HTTPStatus.BAD_REQUEST, HTTPStatus.UNAUTHORIZED}
    return is_refusal and answer.error != "" and answer.error not in _CLIENT_ERRORS


def refusal(answer: Answer, *, renewing: bool) -> AnswerError:
    """The error for an answer without a token.

    It is an AuthenticationError, but for the answers of a server that is down or asks to wait.

    Args:
        answer: The answer.
        renewing: Whether it was a refresh token that was refused.
    """
    response = answer.response
    if response.is_success:
        return _authentication(failures.violation(OPERATION, response, "it has no token"), _doubt(response))
    error = failures.refusal(OPERATION, response)
    if isinstance(error, ServerError | RateLimitedError):
        return error
    return _authentication(error, _advice(answer, renewing=renewing))


def _authentication(error: AnswerError, advice: str) -> AuthenticationError:
    """An error as one of signing in, with other advice."""
    result = AuthenticationError(str(error.args[0]), status=error.status)
    vars(result).update(vars(error) | {"advice": advice})
    return result


def _advice(answer: Answer, *, renewing: bool) -> str:
    response = answer.response
    if response.is_redirect:
        return f"Keycloak seems to be at {_target(response)}: give that as its address."
    if answer.status == HTTPStatus.PROXY_AUTHENTICATION_REQUIRED:
        return "The proxy wants a user and a password."
    if renewing and answer.error == "invalid_grant":
        return "The refresh token has expired, was used before or was revoked: sign in again for another one."
    found = (advice for part, advice in _BY_DESCRIPTION.items() if part in answer.description)
    return next(found, None) or _BY_ERROR.get(answer.error) or _doubt(response)


def _doubt(response: httpx.Response) -> str:
    return f"Is {response.request.url} the token endpoint, or does a proxy answer in its place?"


def _target(response: httpx.Response) -> str:
    """Where an answer redirects to, without the path and its secrets."""
    url = redirect_of(response)
    return "another address" if url is None else f"{url.scheme}://{url.netloc.decode('ascii', 'replace')}"
