"""What the sandbox's tokens say, in the form of Keycloak's."""

from __future__ import annotations

import base64
import hashlib
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from wallaroo_ext.sandbox.auth.issuer import service_account
from wallaroo_ext.sandbox.options import AUDIENCE

if TYPE_CHECKING:
    from wallaroo_ext.sandbox.auth.users import User

OPENID = "openid"
OFFLINE = "offline_access"
USUAL_SCOPES = ("profile", "email")
"""What every token has."""
_UNSHOWN_SCOPES = {"acr", "basic", "roles", "web-origins"}
_FURTHER_SCOPES = {OFFLINE, "address", "microprofile-jwt", "organization", "phone"}
_SIGNED_IN_BY_PASSWORD = "1"  # noqa: S105 - a level of authentication
_ROLES = ("default-roles-master", "offline_access", "uma_authorization")
_ACCOUNT_ROLES = ("manage-account", "manage-account-links", "view-profile")


@dataclass(frozen=True, slots=True)
class Grant:
    """What a token is issued for.

    Attributes:
        issuer: The realm's URL.
        client_id: The client that asked.
        user: Who signed in; None for the client alone.
        scopes: What was granted, in Keycloak's order.
        session: The session's id, which its tokens share; None for the client alone, which has none.
    """

    issuer: str
    client_id: str
    user: User | None
    scopes: tuple[str, ...]
    session: str | None

    @property
    def is_offline(self) -> bool:
        """Whether its refresh token never expires."""
        return OFFLINE in self.scopes


def granted_scopes(asked: str) -> tuple[str, ...] | None:
    """Return what a token has for the scopes that were asked for; None where there is one that nobody knows."""
    scopes = asked.split()
    if set(scopes) - {OPENID, *USUAL_SCOPES, *_UNSHOWN_SCOPES, *_FURTHER_SCOPES}:
        return None
    first = (OPENID,) if OPENID in scopes else ()
    return first + USUAL_SCOPES + tuple(dict.fromkeys(scope for scope in scopes if scope in _FURTHER_SCOPES))


def access_claims(grant: Grant) -> dict[str, Any]:
    """Return what an access token says, but for its times."""
    return _common_claims(grant) | {
        "aud": AUDIENCE,
        "typ": "Bearer",
        "realm_access": {"roles": list(_ROLES)},
        "resource_access": {AUDIENCE: {"roles": list(_ACCOUNT_ROLES)}},
        "scope": " ".join(grant.scopes),
    }


def id_claims(grant: Grant, access_token: str) -> dict[str, Any]:
    """Return what an id token says, which comes with an access token where `openid` was asked for."""
    digest = hashlib.sha256(access_token.encode()).digest()
    half = base64.urlsafe_b64encode(digest[: len(digest) // 2]).rstrip(b"=").decode()
    return _common_claims(grant) | {"aud": grant.client_id, "typ": "ID", "at_hash": half}


def _common_claims(grant: Grant) -> dict[str, Any]:
    claims: dict[str, Any] = {
        "jti": str(uuid.uuid4()),
        "iss": grant.issuer,
        "azp": grant.client_id,
        "acr": _SIGNED_IN_BY_PASSWORD,
        "email_verified": False,
    }
    if grant.session is not None:
        claims["sid"] = grant.session
    if grant.user is not None:
        return claims | {
            "sub": grant.user.id,
            "preferred_username": grant.user.username,
            "email": grant.user.email,
        }
    name = service_account(grant.client_id)
    subject = str(uuid.uuid5(uuid.NAMESPACE_URL, name))  # the same each time, as if there were such a user
    return claims | {"sub": subject, "preferred_username": name, "client_id": grant.client_id}
