"""The users who may sign in, their passwords, and the workspaces that they own."""

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


_KEY = secrets.token_bytes(32)
_MOST_VERIFIED = 1024
_verified: dict[tuple[bytes, bytes], bytes] = {}
"""The passwords that were right before, by their salt and hash: not the passwords, but what `_KEY` makes of them.

The hash takes long to compute, which protects the file that it is in; this is in memory only, as the key is.
"""


@dataclass(frozen=True, slots=True)
class User:
    """A user.

    Attributes:
        id: The Keycloak id.
        username: The name with which the user signs in: the e-mail address, unless another issuer has a different one.
        email: The e-mail address in lower case, as Keycloak stores it.
        enabled: Whether the user may sign in.
        requires_action: Whether the password is temporary and has to be changed before signing in.
        created_at: When the user was added.
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
    """Add a user with a default workspace, as on a real instance, and return the user.

    Args:
        db: An open transaction.
        email: An address that no user has.
        password: The password.
        temporary: Whether the password has to be changed before the user can sign in.
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
    """Add the default workspace of a user, and return its id."""
    return add_workspace(db, f"{user.email} - Default Workspace", user)


def add_workspace(db: sqlite3.Connection, name: str, owner: User) -> int:
    """Add a workspace with its owner, and return its id."""
    cursor = db.execute(
        "INSERT INTO workspaces (name, created_at, created_by) VALUES (?, ?, ?)", (name, now(db), owner.id)
    )
    workspace_id = cursor.lastrowid
    db.execute("INSERT INTO workspace_users VALUES (?, ?, 'OWNER')", (workspace_id, owner.id))
    return int(workspace_id or 0)


def all_users(db: sqlite3.Connection) -> list[User]:
    """Return all users, in the order in which they were added."""
    return [_user(row) for row in db.execute("SELECT * FROM users ORDER BY rowid")]


def find_user(db: sqlite3.Connection, user_id: str) -> User | None:
    """Return the user with an id, or None."""
    row = db.execute("SELECT * FROM users WHERE id = ?", (user_id,)).fetchone()
    return None if row is None else _user(row)


def find_user_by_email(db: sqlite3.Connection, email: str) -> User | None:
    """Return the user with an e-mail address, or None; upper and lower case are the same."""
    row = db.execute("SELECT * FROM users WHERE email = ?", (email.lower(),)).fetchone()
    return None if row is None else _user(row)


def enable_user(db: sqlite3.Connection, user: User, *, enabled: bool) -> None:
    """Allow a user to sign in, or forbid it."""
    db.execute("UPDATE users SET enabled = ? WHERE id = ?", (enabled, user.id))


def check_password(db: sqlite3.Connection, username: str, password: str) -> User | None:
    """Return the user with this name and password, enabled or not, or None."""
    row = db.execute("SELECT * FROM users WHERE username = ?", (username.lower(),)).fetchone()
    if row is None or not _is_password(password, row["password_salt"], row["password_hash"]):
        return None
    return _user(row)


def _is_password(password: str, salt: bytes, password_hash: bytes) -> bool:
    """Return whether a password has a hash, at once where that was found before in this process."""
    found_before = _verified.get((salt, password_hash), b"")
    mark = hmac.digest(_KEY, password.encode(), "sha256")
    if hmac.compare_digest(found_before, mark):
        return True
    if not hmac.compare_digest(_hash(password, salt), password_hash):
        return False
    if len(_verified) >= _MOST_VERIFIED:
        _verified.clear()
    _verified[salt, password_hash] = mark
    return True


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
    """Add a user who signs in at another issuer, with a default workspace, and return the user.

    Args:
        db: An open transaction.
        user_id: The issuer's id of the user.
        username: The name with which the user signs in there.
        email: An address that no user has.

    Raises:
        sqlite3.IntegrityError: Another user has this name or address.
    """
    user = User(user_id, username.lower(), email.lower(), enabled=True, requires_action=False, created_at=now(db))
    unusable_password = secrets.token_bytes(16), secrets.token_bytes(64)
    _insert(db, user, *unusable_password)
    return user
