"""The people who may sign in, and their passwords."""

from __future__ import annotations

import hashlib
import hmac
import secrets
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING

from wallaroo_ext.sandbox.storage.store import Row, now

if TYPE_CHECKING:
    import sqlite3


@dataclass(frozen=True, slots=True)
class User:
    """Somebody who may sign in.

    Attributes:
        id: The Keycloak id.
        username: The name to sign in with: the e-mail address, unless another issuer says otherwise.
        email: The e-mail address, in lower case as Keycloak keeps it.
        enabled: Whether the user may sign in.
        requires_action: Whether the password is temporary, so that the user has to change it before signing in.
        created_at: When the user was made.
    """

    id: str
    username: str
    email: str
    enabled: bool
    requires_action: bool
    created_at: str


def _hash(password: str, salt: bytes) -> bytes:
    return hashlib.scrypt(password.encode(), salt=salt, n=2**12, r=8, p=1)


def add_user(db: sqlite3.Connection, email: str, password: str, *, temporary: bool = False) -> User:
    """Return a new user, who gets a workspace of their own as on a real instance.

    Args:
        db: The transaction to make the user in.
        email: An address that no user has.
        password: The password.
        temporary: Whether the password has to be changed before it is good for a token.
    """
    name = email.lower()
    user = User(str(uuid.uuid4()), name, name, enabled=True, requires_action=temporary, created_at=now(db))
    salt = secrets.token_bytes(16)
    _insert(db, user, salt, _hash(password, salt))
    return user


def _insert(db: sqlite3.Connection, user: User, salt: bytes, password_hash: bytes) -> None:
    db.execute(
        "INSERT INTO users (id, username, email, password_salt, password_hash, enabled, requires_action, created_at) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (user.id, user.username, user.email, salt, password_hash, user.enabled, user.requires_action, user.created_at),
    )
    add_default_workspace(db, user)


def add_default_workspace(db: sqlite3.Connection, user: User) -> int:
    """Return the id of the workspace of their own that a user gets."""
    return add_workspace(db, f"{user.email} - Default Workspace", user)


def add_workspace(db: sqlite3.Connection, name: str, owner: User) -> int:
    """Return a new workspace's id."""
    cursor = db.execute(
        "INSERT INTO workspaces (name, created_at, created_by) VALUES (?, ?, ?)", (name, now(db), owner.id)
    )
    workspace_id = cursor.lastrowid
    db.execute("INSERT INTO workspace_users VALUES (?, ?, 'OWNER')", (workspace_id, owner.id))
    return int(workspace_id or 0)


def all_users(db: sqlite3.Connection) -> list[User]:
    """Everybody, in the order in which they came."""
    return [_user(row) for row in db.execute("SELECT * FROM users ORDER BY rowid")]


def find_user(db: sqlite3.Connection, user_id: str) -> User | None:
    """Return the user of an id."""
    row = db.execute("SELECT * FROM users WHERE id = ?", (user_id,)).fetchone()
    return None if row is None else _user(row)


def find_user_by_email(db: sqlite3.Connection, email: str) -> User | None:
    """Return the user of an e-mail address, in upper or lower case."""
    row = db.execute("SELECT * FROM users WHERE email = ?", (email.lower(),)).fetchone()
    return None if row is None else _user(row)


def enable_user(db: sqlite3.Connection, user: User, *, enabled: bool) -> None:
    """Let a user sign in, or not any more."""
    db.execute("UPDATE users SET enabled = ? WHERE id = ?", (enabled, user.id))


def check_password(db: sqlite3.Connection, username: str, password: str) -> User | None:
    """Return the user of a name and a password, whether enabled or not."""
    row = db.execute("SELECT * FROM users WHERE username = ?", (username.lower(),)).fetchone()
    if row is None or not hmac.compare_digest(_hash(password, row["password_salt"]), row["password_hash"]):
        return None
    return _user(row)


def _user(row: Row) -> User:
    return User(
        id=row["id"],
        username=row["username"],
        email=row["email"],
        enabled=bool(row["enabled"]),
        requires_action=bool(row["requires_action"]),
        created_at=row["created_at"],
    )


def add_foreign_user(db: sqlite3.Connection, user_id: str, username: str, email: str) -> User:
    """Return the record of a user who signs in at another issuer, with a workspace as a new user has it.

    Args:
        db: The transaction to make the record in.
        user_id: The issuer's id of the user.
        username: The name that the user signs in with there.
        email: An address that no user has.

    Raises:
        sqlite3.IntegrityError: Another user has the name or the address.
    """
    user = User(user_id, username.lower(), email.lower(), enabled=True, requires_action=False, created_at=now(db))
    nobodys_password = secrets.token_bytes(16), secrets.token_bytes(64)
    _insert(db, user, *nobodys_password)
    return user
