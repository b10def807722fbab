"""The people who may sign in, as Keycloak represents them."""

from __future__ import annotations

import secrets
from datetime import datetime
from typing import TYPE_CHECKING, Any

from wallaroo_ext.sandbox.auth.users import User, add_user, all_users, enable_user, find_user_by_email
from wallaroo_ext.sandbox.handlers.calls import Call, handles
from wallaroo_ext.sandbox.http.problems import bad_request

if TYPE_CHECKING:
    import sqlite3

_ACCESS = {"manageGroupMembership": True, "impersonate": False, "view": True, "mapRoles": True, "manage": True}


@handles
def query_users(call: Call) -> dict[str, Any]:
    """Return the users of some ids, with null for an id that nobody has; without ids, all users.

    Nobody here signs in through another identity provider, so that no user has `federatedIdentities`.
    """
    _ = call.user  # a token without a user may not ask
    with call.instance.store.reading() as db:
        users = {user.id: _representation(user) for user in all_users(db)}
    return {"users": {user_id: users.get(user_id) for user_id in call.body.get("user_ids", users)}}


def _representation(user: User) -> dict[str, Any]:
    return {
        "access": _ACCESS,
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
    """Return a new user, with the password of the request or with a temporary one."""
    _ = call.user  # a token without a user may not invite
    email, password = call.body["email"], call.body.get("password")
    first_password = password or secrets.token_urlsafe(12)
    with call.instance.store.transaction() as db:
        if find_user_by_email(db, email) is not None:
            raise bad_request(f"There is a user {email!r} already.")
        user = add_user(db, email, first_password, temporary=password is None)
    return {"id": user.id, "password": first_password}


@handles
def activate_user(call: Call) -> dict[str, Any]:
    """Return the user may sign in again."""
    return _enable(call, enabled=True)


@handles
def deactivate_user(call: Call) -> dict[str, Any]:
    """Return the user may not sign in any more, and the tokens that the user has are refused."""
    return _enable(call, enabled=False)


def _enable(call: Call, *, enabled: bool) -> dict[str, Any]:
    _ = call.user  # a token without a user may not switch anybody
    with call.instance.store.transaction() as db:
        enable_user(db, _require_user(db, call.body["email"]), enabled=enabled)
    return {}


def _require_user(db: sqlite3.Connection, email: str) -> User:
    """Return the user of an e-mail address.

    Raises:
        Problem: 400, when nobody has it.
    """
    user = find_user_by_email(db, email)
    if user is None:
        raise bad_request(f"There is no user {email!r}.")
    return user
