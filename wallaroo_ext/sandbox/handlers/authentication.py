"""The token endpoint, as Keycloak answers."""

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
from wallaroo_ext.sandbox.auth.users import check_password
from wallaroo_ext.sandbox.handlers.calls import Call, handles
from wallaroo_ext.sandbox.http.problems import no_token
from wallaroo_ext.sandbox.paths import realm_path

if TYPE_CHECKING:
    from collections.abc import Callable

    from wallaroo_ext.sandbox.auth.refresh_tokens import Session
    from wallaroo_ext.sandbox.auth.users import User


@dataclass(frozen=True, slots=True)
class _Granted:
    """What a grant gives.

    Attributes:
        scopes: What the token is good for.
        user: Whom the token is for; None for the client alone.
        continued: The session that goes on; None for a new one.
    """

    scopes: tuple[str, ...]
    user: User | None = None
    continued: Session | None = None


@handles
def request_token(call: Call) -> Response:
    """Return a token for a grant."""
    answer = _token(call)
    status = call.contract.operations["request_token"].success
    return Response(orjson.dumps(answer), status, TOKEN_HEADERS, media_type="application/json")


def _token(call: Call) -> dict[str, Any]:
    _refuse_for_another_issuer(call)
    grant = _GRANTS.get(call.body["grant_type"])
    if grant is None:
        raise no_token(HTTPStatus.BAD_REQUEST, "unsupported_grant_type", "Unsupported grant_type")
    client_id = _client(call)
    granted = grant(call, client_id)
    issuer = call.base_url + realm_path(call.contract.operations["request_token"].path)
    return call.instance.tokens.issue(
        client_id, granted.user, issuer, scopes=granted.scopes, continued=granted.continued
    )


def _refuse_for_another_issuer(call: Call) -> None:
    issuer = call.instance.issuer
    if issuer is not None:
        message = f"This sandbox trusts {issuer.url}; ask there for a token."
        raise no_token(HTTPStatus.BAD_REQUEST, "invalid_request", message)


def _client(call: Call) -> str:
    """The id of the client that the request authenticates, in the form or, where it has nothing, by HTTP Basic."""
    basic_id, basic_secret = _basic(call.headers.get("Authorization"))
    client_id = call.body.get("client_id", basic_id)
    secret = call.body.get("client_secret", basic_secret)
    known_id, known_secret = call.instance.credentials.client_id, call.instance.credentials.client_secret
    if client_id != known_id:
        raise no_token(HTTPStatus.UNAUTHORIZED, "invalid_client", "Invalid client or Invalid client credentials")
    if not hmac.compare_digest(secret.encode(), known_secret.encode()):
        raise no_token(HTTPStatus.UNAUTHORIZED, "unauthorized_client", "Invalid client or Invalid client credentials")
    return client_id


def _basic(authorization: str | None) -> tuple[str, str]:
    """Return the id and the secret in a header for HTTP Basic; empty where it has none."""
    scheme, _, value = (authorization or "").partition(" ")
    if scheme.lower() != "basic":
        return "", ""
    try:
        name, colon, secret = base64.b64decode(value.strip(), validate=True).decode("utf-8").partition(":")
    except ValueError:  # it is no base64, no ASCII, or no UTF-8
        return "", ""
    return (unquote_plus(name), unquote_plus(secret)) if colon else ("", "")


def _by_password(call: Call, _: str) -> _Granted:
    scopes = _scopes(call)
    if "username" not in call.body:
        raise no_token(HTTPStatus.UNAUTHORIZED, "invalid_request", "Missing parameter: username")
    with call.instance.store.reading() as db:
        user = check_password(db, call.body["username"], call.body.get("password", ""))
    if user is None:
        raise no_token(HTTPStatus.UNAUTHORIZED, "invalid_grant", "Invalid user credentials")
    _refuse_who_may_not_sign_in(user)
    return _Granted(scopes, user)


def _scopes(call: Call) -> tuple[str, ...]:
    """Return what is granted of the scopes that the request asks for."""
    asked = call.body.get("scope", "")
    scopes = granted_scopes(asked)
    if scopes is None:
        raise no_token(HTTPStatus.BAD_REQUEST, "invalid_scope", f"Invalid scopes: {asked}")
    return scopes


def _refuse_who_may_not_sign_in(user: User) -> None:
    if not user.enabled:
        raise no_token(HTTPStatus.BAD_REQUEST, "invalid_grant", "Account disabled")
    if user.requires_action:
        raise no_token(HTTPStatus.BAD_REQUEST, "invalid_grant", "Account is not fully set up")


def _by_refresh_token(call: Call, client_id: str) -> _Granted:
    if "refresh_token" not in call.body:
        raise no_token(HTTPStatus.BAD_REQUEST, "invalid_request", "No refresh token")
    session = call.instance.tokens.session(client_id, call.body["refresh_token"])
    if not session.user.enabled:
        raise no_token(HTTPStatus.BAD_REQUEST, "invalid_grant", "User disabled")
    return _Granted(session.scopes, session.user, session)


def _by_client_alone(call: Call, _: str) -> _Granted:
    return _Granted(_scopes(call))


_GRANTS: dict[str, Callable[[Call, str], _Granted]] = {
    "password": _by_password,
    "refresh_token": _by_refresh_token,
    "client_credentials": _by_client_alone,
}
