"""The operations on workspaces and their members."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import orjson

from wallaroo_ext.sandbox.auth.users import User, add_workspace, find_user, find_user_by_email
from wallaroo_ext.sandbox.handlers.calls import Call, handles, handles_on_event_loop
from wallaroo_ext.sandbox.http.problems import bad_request, refusal

if TYPE_CHECKING:
    import sqlite3

    from wallaroo_ext.sandbox.storage.store import Row


@handles_on_event_loop
def list_workspaces(call: Call) -> dict[str, Any]:
    """Return the caller's workspaces, or those of them that another user is a member of too."""
    with call.instance.store.reading() as db:
        rows = db.execute(
            "SELECT workspaces.*, "
            "(SELECT json_group_array(id) FROM models WHERE workspace_id = workspaces.id) AS models, "
            "(SELECT json_group_array(id) FROM pipelines WHERE workspace_id = workspaces.id) AS pipelines "
            "FROM workspaces WHERE id IN (SELECT workspace_id FROM workspace_users WHERE user_id = ?) "
            "AND id IN (SELECT workspace_id FROM workspace_users WHERE user_id = ?) ORDER BY id",
            (call.user.id, call.body.get("user_id", call.user.id)),
        ).fetchall()
    return {"workspaces": [_workspace(row) for row in rows]}


def _workspace(row: Row) -> dict[str, Any]:
    return {
        "id": row["id"],
        "name": row["name"],
        "created_at": row["created_at"],
        "created_by": row["created_by"],
        "archived": bool(row["archived"]),
        "models": sorted(orjson.loads(row["models"])),
        "pipelines": sorted(orjson.loads(row["pipelines"])),
    }


@handles
def create_workspace(call: Call) -> dict[str, Any]:
    """Create a workspace owned by the caller, and return its id."""
    name = call.body["workspace_name"]
    with call.instance.store.transaction() as db:
        if db.execute("SELECT 1 FROM workspaces WHERE name = ?", (name,)).fetchone():
            raise bad_request(f"There is a workspace {name!r} already.")
        return {"workspace_id": add_workspace(db, name, call.user)}


@handles
def add_workspace_user(call: Call) -> dict[str, Any]:
    """Add a member to a workspace; an existing member keeps their role."""
    workspace_id = call.body["workspace_id"]
    with call.instance.store.transaction() as db:
        require_workspace(db, workspace_id, call.user)
        user = _named_user(db, call.body)
        db.execute(
            "INSERT INTO workspace_users VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
            (workspace_id, user.id, call.body.get("user_type", "COLLABORATOR")),
        )
    return {}


@handles_on_event_loop
def list_workspace_users(call: Call) -> dict[str, Any]:
    """Return the members of a workspace, owners first."""
    workspace_id = call.body["workspace_id"]
    with call.instance.store.reading() as db:
        require_workspace(db, workspace_id, call.user)
        rows = db.execute(
            "SELECT user_id, user_type FROM workspace_users WHERE workspace_id = ? "
            "ORDER BY user_type = 'OWNER' DESC, rowid",
            (workspace_id,),
        )
        return {"users": [dict(row) for row in rows]}


@handles
def remove_workspace_user(call: Call) -> dict[str, Any]:
    """Remove a member from a workspace, and return the number of removed members."""
    workspace_id = call.body["workspace_id"]
    with call.instance.store.transaction() as db:
        require_workspace(db, workspace_id, call.user)
        user = _named_user(db, call.body)
        require_other_owner(db, workspace_id, user.id)
        query = "DELETE FROM workspace_users WHERE workspace_id = ? AND user_id = ?"
        return {"affected_rows": db.execute(query, (workspace_id, user.id)).rowcount}


def _named_user(db: sqlite3.Connection, body: dict[str, Any]) -> User:
    """Return the user that a request names by e-mail address, id, or both."""
    found: set[User | None] = set()
    if "email" in body:
        found.add(find_user_by_email(db, body["email"]))
    if "user_id" in body:
        found.add(find_user(db, body["user_id"]))
    if len(found) > 1:
        raise bad_request("The email and the user_id are not of one user.")
    user = found.pop()
    if user is None:
        name = body.get("email", body.get("user_id"))
        raise refusal(
            HTTPStatus.INTERNAL_SERVER_ERROR,
            f"Failed to find user in Keycloak: No user {name!r} was found in Keycloak.",
        )
    return user


def require_other_owner(db: sqlite3.Connection, workspace_id: int, leaving_id: str) -> None:
    """Raise a Problem, 400, if a user is the only owner of a workspace."""
    query = "SELECT user_id FROM workspace_users WHERE workspace_id = ? AND user_type = 'OWNER'"
    if [row["user_id"] for row in db.execute(query, (workspace_id,))] == [leaving_id]:
        raise bad_request(f"The user {leaving_id} is the workspace's only owner; add another one first.")


def workspace_summary(db: sqlite3.Connection, workspace_id: int) -> dict[str, Any]:
    """Return a workspace as what is in it shows it."""
    row = db.execute(
        "SELECT workspaces.*, email FROM workspaces JOIN users ON users.id = created_by WHERE workspaces.id = ?",
        (workspace_id,),
    ).fetchone()
    return {
        "id": row["id"],
        "name": row["name"],
        "created_by": row["email"],
        "archived": bool(row["archived"]),
        "created_at": row["created_at"],
        "group_id": None,
    }


def is_member(db: sqlite3.Connection, workspace_id: int, user: User) -> bool:
    """Return whether a user may use a workspace."""
    query = "SELECT 1 FROM workspace_users WHERE workspace_id = ? AND user_id = ?"
    return db.execute(query, (workspace_id, user.id)).fetchone() is not None


def require_workspace(db: sqlite3.Connection, workspace_id: int, user: User) -> None:
    """Raise a Problem, 400, unless a user may use a workspace; the error is the same for an unknown workspace."""
    if not is_member(db, workspace_id, user):
        raise bad_request(f"There is no workspace {workspace_id}.")
