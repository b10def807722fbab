"""The operations on users, in the form of Keycloak's representations."""

from __future__ import annotations

import secrets
from datetime import datetime
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from wallaroo_ext.sandbox.auth.users import User, add_user, all_users, enable_user, find_user_by_email
from wallaroo_ext.sandbox.handlers.calls import Call, handles
from wallaroo_ext.sandbox.http.problems import bad_request, refusal

if TYPE_CHECKING:
    import sqlite3

    from wallaroo_ext.sandbox.options import SandboxOptions

_NO_ACCOUNTS: dict[str, Any] = {"federatedIdentities": []}


@handles
def query_users(call: Call) -> dict[str, Any]:
    """Return the users with some ids, with null for an unknown id, or all users without ids.

    Users whose ids were sent have `federatedIdentities` since 2023.1, as recorded. They are empty, because nobody signs
    in through another identity provider here.
    """
    _ = call.user  # refuses a token without a user
    options, ids = call.instance.options, call.body.get("user_ids")
    further = _NO_ACCOUNTS if ids is not None and options.is_since("2023.1") else {}
    with call.instance.store.reading() as db:
        users = {user.id: representation(options, user) | further for user in all_users(db)}
    return {"users": {user_id: users.get(user_id) for user_id in (users if ids is None else ids)}}


def representation(options: SandboxOptions, user: User) -> dict[str, Any]:
    """Return a user as the Keycloak of a release shows one, since 2024.2 with the right to act as any user."""
    return {
        "access": {
            "manageGroupMembership": True,
            "impersonate": options.is_since("2024.2"),
            "view": True,
            "mapRoles": True,
            "manage": True,
        },
        "createdTimestamp": round(datetime.fromisoformat(user.created_at).timestamp() * 1000),
        "disableableCredentialTypes": [],
        "email": user.email,
        "emailVerified": False,
        "enabled": user.enabled,
        "id": user.id,
        "notBefore": 0,
        "requiredActions": ["UPDATE_PASSWORD"] if user.requires_action else [],
        "username": user.username,
    }


@handles
def invite_user(call: Call) -> dict[str, Any]:
    """Add a user with the password of the request or a temporary one, and return the id and the password."""
    _ = call.user  # refuses a token without a user
    email, password = call.body["email"], call.body.get("password")
    first_password = password or secrets.token_urlsafe(12)
    with call.instance.store.transaction() as db:
        if find_user_by_email(db, email) is not None:
            raise bad_request(f"There is a user {email!r} already.")
        user = add_user(db, email, first_password, temporary=password is None)
    return {"id": user.id, "password": first_password}


@handles
def activate_user(call: Call) -> dict[str, Any]:
    """Allow a user to sign in again."""
    return _enable(call, enabled=True)


@handles
def deactivate_user(call: Call) -> dict[str, Any]:
    """Keep a user from signing in, and refuse the user's tokens."""
    return _enable(call, enabled=False)


def _enable(call: Call, *, enabled: bool) -> dict[str, Any]:
    _ = call.user  # refuses a token without a user
    with call.instance.store.transaction() as db:
        enable_user(db, _require_user(db, call.body["email"]), enabled=enabled)
    return {}


def _require_user(db: sqlite3.Connection, email: str) -> User:
    """Return the user with an e-mail address.

    Raises:
        Problem: 500 as recorded, if nobody has it.
    """
    user = find_user_by_email(db, email)
    if user is None:
        raise refusal(HTTPStatus.INTERNAL_SERVER_ERROR, f"error querying keycloak server: there is no user {email!r}.")
    return user
