"""The people who may sign in, and their passwords."""

from __future__ import annotations

import hashlib
import hmac
import secrets
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING

from wallaroo_ext.sandbox.store import Row, now

if TYPE_CHECKING:
    import sqlite3


@dataclass(frozen=True, slots=True)
class User:
    """Somebody who may sign in."""

    id: str
    username: str
    enabled: bool


def _hash(password: str, salt: bytes) -> bytes:
    return hashlib.scrypt(password.encode(), salt=salt, n=2**12, r=8, p=1)


def add_user(db: sqlite3.Connection, email: str, password: str) -> User:
    """A new user, who gets a workspace of their own as on a real instance."""
    user = User(str(uuid.uuid4()), email, enabled=True)
    salt = secrets.token_bytes(16)
    db.execute(
        "INSERT INTO users VALUES (?, ?, ?, ?, ?, ?, ?)",
        (user.id, email, email, salt, _hash(password, salt), user.enabled, now()),
    )
    add_workspace(db, f"{email} - Default Workspace", user)
    return user


def add_workspace(db: sqlite3.Connection, name: str, owner: User) -> int:
    """A new workspace's id."""
    cursor = db.execute(
        "INSERT INTO workspaces (name, created_at, created_by) VALUES (?, ?, ?)", (name, now(), owner.id)
    )
    workspace_id = cursor.lastrowid
    db.execute("INSERT INTO workspace_users VALUES (?, ?, 'OWNER')", (workspace_id, owner.id))
    return int(workspace_id or 0)


def find_user(db: sqlite3.Connection, user_id: str) -> User | None:
    """The user of an id."""
    return _user(db.execute("SELECT * FROM users WHERE id = ?", (user_id,)).fetchone())


def check_password(db: sqlite3.Connection, username: str, password: str) -> User | None:
    """The user of a name and a password, whether enabled or not."""
    row = db.execute("SELECT * FROM users WHERE username = ?", (username,)).fetchone()
    if row is None or not hmac.compare_digest(_hash(password, row["password_salt"]), row["password_hash"]):
        return None
    return _user(row)


def _user(row: Row | None) -> User | None:
    return None if row is None else User(row["id"], row["username"], enabled=bool(row["enabled"]))
