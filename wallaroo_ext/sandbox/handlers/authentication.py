"""The token endpoint, which answers as Keycloak does."""

from __future__ import annotations

import base64
import hmac
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote_plus

import orjson
from starlette.responses import Response

from wallaroo_ext.sandbox.auth.claims import granted_scopes
from wallaroo_ext.sandbox.auth.headers import TOKEN_HEADERS
from wallaroo_ext.sandbox.auth.tokens import SDK_CLIENT
from wallaroo_ext.sandbox.auth.users import check_password
from wallaroo_ext.sandbox.handlers.calls import Call, handles
from wallaroo_ext.sandbox.http.problems import token_error
from wallaroo_ext.sandbox.paths import realm_path

if TYPE_CHECKING:
    from collections.abc import Callable

    from wallaroo_ext.sandbox.auth.refresh_tokens import Session
    from wallaroo_ext.sandbox.auth.users import User


@dataclass(frozen=True, slots=True)
class _Granted:
    """The outcome of a grant.

    Attributes:
        scopes: The scopes of the token.
        user: The user of the token; None for the client alone.
        continued: The session to continue; None for a new one.
    """

    scopes: tuple[str, ...]
    user: User | None = None
    continued: Session | None = None


@handles
def request_token(call: Call) -> Response:
    """Return the token for a grant."""
    answer = _token(call)
    status = call.contract.operations["request_token"].success
    return Response(orjson.dumps(answer), status, TOKEN_HEADERS, media_type="application/json")


def _token(call: Call) -> dict[str, Any]:
    _refuse_with_foreign_issuer(call)
    grant = _GRANTS.get(call.body["grant_type"])
    if grant is None:
        raise token_error(HTTPStatus.BAD_REQUEST, "unsupported_grant_type", "Unsupported grant_type")
    client_id = _client(call)
    granted = grant(call, client_id)
    issuer = call.base_url + realm_path(call.contract.operations["request_token"].path)
    return call.instance.tokens.issue(
        client_id, granted.user, issuer, scopes=granted.scopes, continued=granted.continued
    )


def _refuse_with_foreign_issuer(call: Call) -> None:
    issuer = call.instance.issuer
    if issuer is not None:
        message = f"This sandbox trusts {issuer.url}; ask there for a token."
        raise token_error(HTTPStatus.BAD_REQUEST, "invalid_request", message)


def _client(call: Call) -> str:
    """Return the id of the client, which authenticates itself in the form or, without its fields, by HTTP Basic.

    The vendor's SDK is a public client, without a secret.
    """
    basic_id, basic_secret = _basic(call.headers.get("Authorization"))
    client_id = call.body.get("client_id", basic_id)
    secret = call.body.get("client_secret", basic_secret)
    known_id, known_secret = call.instance.credentials.client_id, call.instance.credentials.client_secret
    if client_id == SDK_CLIENT:
        return client_id
    if client_id != known_id:
        raise token_error(HTTPStatus.UNAUTHORIZED, "invalid_client", "Invalid client or Invalid client credentials")
    if not hmac.compare_digest(secret.encode(), known_secret.encode()):
        raise token_error(
            HTTPStatus.UNAUTHORIZED, "unauthorized_client", "Invalid client or Invalid client credentials"
        )
    return client_id


def _basic(authorization: str | None) -> tuple[str, str]:
    """Return the id and the secret in a header for HTTP Basic; both are empty if the header has none."""
    scheme, _, value = (authorization or "").partition(" ")
    if scheme.lower() != "basic":
        return "", ""
    try:
        name, colon, secret = base64.b64decode(value.strip(), validate=True).decode("utf-8").partition(":")
    except ValueError:  # no base64, ASCII or UTF-8
        return "", ""
    return (unquote_plus(name), unquote_plus(secret)) if colon else ("", "")


def _by_password(call: Call, _: str) -> _Granted:
    scopes = _scopes(call)
    if "username" not in call.body:
        raise token_error(HTTPStatus.UNAUTHORIZED, "invalid_request", "Missing parameter: username")
    with call.instance.store.reading() as db:
        user = check_password(db, call.body["username"], call.body.get("password", ""))
    if user is None:
        raise token_error(HTTPStatus.UNAUTHORIZED, "invalid_grant", "Invalid user credentials")
    _check_account(user)
    return _Granted(scopes, user)


def _scopes(call: Call) -> tuple[str, ...]:
    """Return the granted scopes among the requested ones."""
    requested = call.body.get("scope", "")
    scopes = granted_scopes(requested)
    if scopes is None:
        raise token_error(HTTPStatus.BAD_REQUEST, "invalid_scope", f"Invalid scopes: {requested}")
    return scopes


def _check_account(user: User) -> None:
    if not user.enabled:
        raise token_error(HTTPStatus.BAD_REQUEST, "invalid_grant", "Account disabled")
    if user.requires_action:
        raise token_error(HTTPStatus.BAD_REQUEST, "invalid_grant", "Account is not fully set up")


def _by_refresh_token(call: Call, client_id: str) -> _Granted:
    if "refresh_token" not in call.body:
        raise token_error(HTTPStatus.BAD_REQUEST, "invalid_request", "No refresh token")
    session = call.instance.tokens.session(client_id, call.body["refresh_token"])
    if not session.user.enabled:
        raise token_error(HTTPStatus.BAD_REQUEST, "invalid_grant", "User disabled")
    return _Granted(session.scopes, session.user, session)


def _by_client_alone(call: Call, client_id: str) -> _Granted:
    if client_id == SDK_CLIENT:
        message = "Public client not allowed to retrieve service account"
        raise token_error(HTTPStatus.UNAUTHORIZED, "unauthorized_client", message)
    return _Granted(_scopes(call))


_GRANTS: dict[str, Callable[[Call, str], _Granted]] = {
    "password": _by_password,
    "refresh_token": _by_refresh_token,
    "client_credentials": _by_client_alone,
}
