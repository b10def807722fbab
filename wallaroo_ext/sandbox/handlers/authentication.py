"""The token endpoint, as Keycloak answers."""

from __future__ import annotations

import base64
import binascii
import hmac
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote_plus

from wallaroo_ext.sandbox.calls import Call, handles
from wallaroo_ext.sandbox.problems import no_token
from wallaroo_ext.sandbox.users import check_password

if TYPE_CHECKING:
    from wallaroo_ext.sandbox.users import User

_ENDPOINT = "/protocol/openid-connect/token"


@handles
def request_token(call: Call) -> dict[str, Any]:
    """A token for a grant."""
    client_id = _client(call)
    user = _user(call, client_id)
    if user is not None and not user.enabled:
        raise no_token(HTTPStatus.BAD_REQUEST, "invalid_grant", "Account disabled")
    realm = call.contract.operations["request_token"].path.removesuffix(_ENDPOINT)
    return call.instance.tokens.issue(client_id, user, call.base_url + realm)


def _client(call: Call) -> str:
    """The id of the client that the request authenticates, by HTTP Basic or in the form."""
    client_id, secret = _basic(call.headers.get("Authorization")) or (
        call.body.get("client_id", ""),
        call.body.get("client_secret", ""),
    )
    known_id, known_secret = call.instance.credentials.client_id, call.instance.credentials.client_secret
    if client_id != known_id:
        raise no_token(HTTPStatus.UNAUTHORIZED, "invalid_client", "Invalid client or Invalid client credentials")
    if not hmac.compare_digest(secret.encode(), known_secret.encode()):
        raise no_token(HTTPStatus.UNAUTHORIZED, "unauthorized_client", "Invalid client or Invalid client credentials")
    return client_id


def _basic(authorization: str | None) -> tuple[str, str] | None:
    scheme, _, value = (authorization or "").partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        name, _, secret = base64.b64decode(value.strip(), validate=True).decode("utf-8").partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return "", ""
    return unquote_plus(name), unquote_plus(secret)


def _user(call: Call, client_id: str) -> User | None:
    """The user that a grant is for; None for a token without a user."""
    grant = call.body["grant_type"]
    if grant == "client_credentials":
        return None
    if grant == "password":
        return _user_by_password(call)
    if grant == "refresh_token":
        user = call.instance.tokens.redeem(client_id, call.body.get("refresh_token", ""))
        if user is None:
            raise no_token(HTTPStatus.BAD_REQUEST, "invalid_grant", "Invalid refresh token")
        return user
    raise no_token(HTTPStatus.BAD_REQUEST, "unsupported_grant_type", "Unsupported grant_type")


def _user_by_password(call: Call) -> User:
    if "username" not in call.body:
        raise no_token(HTTPStatus.UNAUTHORIZED, "invalid_request", "Missing parameter: username")
    with call.instance.store.transaction() as db:
        user = check_password(db, call.body["username"], call.body.get("password", ""))
    if user is None:
        raise no_token(HTTPStatus.UNAUTHORIZED, "invalid_grant", "Invalid user credentials")
    return user
