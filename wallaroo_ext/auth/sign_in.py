"""Signing in: getting a new token by the refresh token or by the grant."""

from __future__ import annotations

import logging
from http import HTTPStatus
from typing import TYPE_CHECKING

from wallaroo_ext._util.urls import origin_of, redirect_target
from wallaroo_ext.auth.grants import Form, refresh_form
from wallaroo_ext.auth.token_endpoint import OPERATION, doubt_about
from wallaroo_ext.auth.tokens import Token
from wallaroo_ext.errors import AnswerError, AuthenticationError, RateLimitedError, ServerError
from wallaroo_ext.transport import basic_challenges, response_errors

if TYPE_CHECKING:
    from collections.abc import Callable

    from wallaroo_ext.auth.token_endpoint import Answer, TokenEndpoint


logger = logging.getLogger("wallaroo_ext.auth")


class SignIn:
    """Signs in at a token endpoint.

    Args:
        endpoint: The endpoint.
        first: The forms to try for a first token, in this order.
        clock: Seconds on a monotonic clock.
    """

    def __init__(self, endpoint: TokenEndpoint, first: list[Form], clock: Callable[[], float]) -> None:
        self._endpoint = endpoint
        self._first = first
        self._clock = clock

    def renew(self, old: Token | None) -> Token:
        """Return a new token that replaces an old one, or the first one.

        Raises:
            AuthenticationError: All forms were refused.
            ConnectionFailedError: The endpoint could not be reached.
        """
        *before, last = self._forms(old)
        for form in before:
            token, answer = self._request(form, old)
            if token is not None:
                return token
            if not allows_another_grant(answer):
                raise sign_in_error(answer, renewing=form.renews)
        token, answer = self._request(last, old)
        if token is None:
            raise sign_in_error(answer, renewing=last.renews)
        return token

    def _forms(self, old: Token | None) -> list[Form]:
        """Return the forms to try, in this order, each once."""
        forms = list(self._first)
        if old is not None and old.refresh is not None and self._clock() < old.refresh_until:
            renewal = refresh_form(old.refresh)
            forms = [renewal, *(form for form in forms if form != renewal)]
        return forms

    def _request(self, form: Form, old: Token | None) -> tuple[Token | None, Answer]:
        asked_at = self._clock()
        answer = self._endpoint.request(form)
        logger.debug("%s answered %d to the grant %s.", self._endpoint.url, answer.status, form.grant_type)
        if not answer.response.is_success:
            return None, answer
        return _keep_refresh(Token.from_answer(answer.fields, asked_at), form, old), answer


def _keep_refresh(token: Token | None, form: Form, old: Token | None) -> Token | None:
    """Return a renewed token; if the answer has no refresh token, it keeps the one that was used."""
    if token is None or token.refresh is not None or not form.renews:
        return token
    used = form.fields["refresh_token"]
    until = old.refresh_until if old is not None and old.refresh == used else token.refresh_until
    return token.with_refresh(used, until)


_DOUBLED = "/auth/auth/realms/"
_CLIENT_ERRORS = {"invalid_client", "unauthorized_client"}

# Parts of Keycloak's error descriptions, in lower case, and what to do; the first that matches counts.
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
    """Return whether another grant may succeed after this one was refused.

    It may not if the server is down, or if the client itself was refused.
    """
    is_refusal = answer.status in {HTTPStatus.BAD_REQUEST, HTTPStatus.UNAUTHORIZED}
    return is_refusal and answer.error != "" and answer.error not in _CLIENT_ERRORS


def sign_in_error(answer: Answer, *, renewing: bool) -> AnswerError:
    """Return the error for an answer without a token.

    It is an AuthenticationError, unless the server is down or asks to wait.

    Args:
        answer: The answer.
        renewing: Whether a refresh token was refused.
    """
    response = answer.response
    if response.is_success:
        return _as_authentication_error(
            response_errors.contract_violation(OPERATION, response, "it has no token"),
            doubt_about(response.request.url),
        )
    error = response_errors.response_error(OPERATION, response)
    if isinstance(error, ServerError | RateLimitedError):
        return error
    return _as_authentication_error(error, _advice(answer, renewing=renewing))


def _as_authentication_error(error: AnswerError, advice: str) -> AuthenticationError:
    """Return an error as an AuthenticationError with other advice."""
    result = AuthenticationError(str(error.args[0]), status=error.status)
    vars(result).update(vars(error) | {"advice": advice})
    return result


def _advice(answer: Answer, *, renewing: bool) -> str:
    response = answer.response
    target = redirect_target(response) if response.is_redirect else None
    if target is not None and origin_of(target) != origin_of(response.request.url):
        return f"If Keycloak is at {origin_of(target)}, give that as its address; or a gateway asks to sign in first."
    if answer.status == HTTPStatus.PROXY_AUTHENTICATION_REQUIRED:
        return "The proxy needs a user and a password: write them into the URL of the proxy."
    if basic_challenges.wants_basic(answer.status, response.headers.multi_items()):
        return basic_challenges.ADVICE
    if renewing and answer.error == "invalid_grant":
        return "The refresh token has expired, was used before or was revoked: sign in again for another one."
    if answer.status == HTTPStatus.NOT_FOUND and _DOUBLED in response.request.url.path:
        return "Leave out the /auth at the end of Keycloak's address, WALLAROO_AUTH_URL: requests add it by themselves."
    found = (advice for part, advice in _BY_DESCRIPTION.items() if part in answer.description)
    return next(found, None) or _BY_ERROR.get(answer.error) or doubt_about(response.request.url)
