"""Workspaces, and who may use them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from wallaroo_ext.sandbox.calls import Call, handles
from wallaroo_ext.sandbox.problems import bad_request
from wallaroo_ext.sandbox.users import User, add_workspace

if TYPE_CHECKING:
    import sqlite3

    from wallaroo_ext.sandbox.store import Row


@handles
def list_workspaces(call: Call) -> dict[str, Any]:
    """The workspaces that the caller is a member of, or those of them that one user is a member of too."""
    with call.instance.store.transaction() as db:
        rows = db.execute(
            "SELECT * FROM workspaces WHERE id IN (SELECT workspace_id FROM workspace_users WHERE user_id = ?) "
            "AND id IN (SELECT workspace_id FROM workspace_users WHERE user_id = ?) ORDER BY id",
            (call.user.id, call.body.get("user_id", call.user.id)),
        ).fetchall()
        return {"workspaces": [_workspace(db, row) for row in rows]}


def _workspace(db: sqlite3.Connection, row: Row) -> dict[str, Any]:
    def ids(table: str) -> list[int]:
        query = f"SELECT id FROM {table} WHERE workspace_id = ? ORDER BY id"  # noqa: S608 - one of two names below
        return [found["id"] for found in db.execute(query, (row["id"],))]

    return {
        "id": row["id"],
        "name": row["name"],
        "created_at": row["created_at"],
        "created_by": row["created_by"],
        "archived": bool(row["archived"]),
        "models": ids("models"),
        "pipelines": ids("pipelines"),
    }


@handles
def create_workspace(call: Call) -> dict[str, Any]:
    """A new workspace that belongs to the caller."""
    name = call.body["workspace_name"]
    with call.instance.store.transaction() as db:
        if db.execute("SELECT 1 FROM workspaces WHERE name = ?", (name,)).fetchone():
            raise bad_request(f"There is a workspace {name!r} already.")
        return {"workspace_id": add_workspace(db, name, call.user)}


def is_member(db: sqlite3.Connection, workspace_id: int, user: User) -> bool:
    """Whether a user may use a workspace."""
    query = "SELECT 1 FROM workspace_users WHERE workspace_id = ? AND user_id = ?"
    return db.execute(query, (workspace_id, user.id)).fetchone() is not None


def require_workspace(db: sqlite3.Connection, workspace_id: int, user: User) -> None:
    """Raise a Problem, 400, unless the user may use the workspace; an unknown one looks the same."""
    if not is_member(db, workspace_id, user):
        raise bad_request(f"There is no workspace {workspace_id}.")
