"""Keycloak's administration of users: whoever has signed in sees everybody, and may let them sign in or forbid it.

That is what the same users may do by the MLOps API, whose operations of users have no roles either.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from wallaroo_ext._util.json_values import object_of
from wallaroo_ext.sandbox.auth.users import User, all_users, enable_user, find_user
from wallaroo_ext.sandbox.handlers.users import representation
from wallaroo_ext.sandbox.http.problems import Problem

if TYPE_CHECKING:
    from starlette.datastructures import QueryParams

    from wallaroo_ext.sandbox.instance import Instance

_MOST = 100
_CHANGED = "enabled"


def found_users(instance: Instance, query: QueryParams) -> list[dict[str, Any]]:
    """Return the users that a query describes, in the order of their names.

    `email` and `username` are parts of the texts, or with `exact=true` the texts; `first` and `max` select a page.
    """
    exact = query.get("exact", "false").lower() == "true"
    wanted = {name: query[name].lower() for name in ("email", "username") if name in query}
    with instance.store.reading() as db:
        users = sorted(all_users(db), key=lambda user: user.username)
    found = [user for user in users if all(_fits(getattr(user, name), text, exact) for name, text in wanted.items())]
    first = _number(query, "first", 0)
    return [representation(instance.options, user) for user in found[first : first + _number(query, "max", _MOST)]]


def _fits(value: str, text: str, exact: bool) -> bool:  # noqa: FBT001 - one of three plain values
    return value == text if exact else text in value


def _number(query: QueryParams, name: str, default: int) -> int:
    text = query.get(name, str(default))
    if not text.isascii() or not text.isdecimal() or len(text) > 9:  # noqa: PLR2004 - digits of a 32-bit number
        raise Problem(HTTPStatus.BAD_REQUEST, {"error": f"{name} is no number"})
    return int(text)


def one_user(instance: Instance, user_id: str) -> dict[str, Any]:
    """Return a user.

    Raises:
        Problem: 404, if there is none.
    """
    with instance.store.reading() as db:
        user = find_user(db, user_id)
    return representation(instance.options, _required(user))


def change_user(instance: Instance, user_id: str, body: Any) -> None:
    """Let a user sign in or forbid it; the other fields have to be left out, or as they are.

    Raises:
        Problem: 404, if there is no such user; 400, if something else would be changed.
    """
    with instance.store.transaction() as db:
        user = _required(find_user(db, user_id))
        known = representation(instance.options, user)
        enabled = object_of(body).get(_CHANGED, user.enabled)
        others = {name for name, value in object_of(body).items() if name != _CHANGED and known.get(name) != value}
        if others or not isinstance(body, dict) or not isinstance(enabled, bool):
            message = f"Only {_CHANGED}, true or false, can be changed here; send the rest as it is."
            raise Problem(HTTPStatus.BAD_REQUEST, {"errorMessage": message})
        enable_user(db, user, enabled=enabled)


def _required(user: User | None) -> User:
    if user is None:
        raise Problem(HTTPStatus.NOT_FOUND, {"error": "User not found"})
    return user
