"""The sandbox's state: one SQLite database and the model files, in one directory."""

from __future__ import annotations

import fcntl
import shutil
import sqlite3
import threading
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

Row = sqlite3.Row

# Each entry brings a database of the version before to the next one; the number of entries is the schema's version.
_MIGRATIONS = (
    """
    CREATE TABLE settings (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
    CREATE TABLE users (
        id TEXT PRIMARY KEY,
        username TEXT NOT NULL UNIQUE,
        email TEXT NOT NULL UNIQUE,
        password_salt BLOB NOT NULL,
        password_hash BLOB NOT NULL,
        enabled INTEGER NOT NULL,
        created_at TEXT NOT NULL
    ) STRICT;
    CREATE TABLE refresh_tokens (
        id TEXT PRIMARY KEY,
        user_id TEXT NOT NULL REFERENCES users (id),
        client_id TEXT NOT NULL,
        expires_at INTEGER NOT NULL
    ) STRICT;
    CREATE TABLE workspaces (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        name TEXT NOT NULL UNIQUE,
        created_at TEXT NOT NULL,
        created_by TEXT NOT NULL REFERENCES users (id),
        archived INTEGER NOT NULL DEFAULT 0
    ) STRICT;
    CREATE TABLE workspace_users (
        workspace_id INTEGER NOT NULL REFERENCES workspaces (id),
        user_id TEXT NOT NULL REFERENCES users (id),
        user_type TEXT NOT NULL,
        PRIMARY KEY (workspace_id, user_id)
    ) STRICT;
    -- One sequence numbers models and versions: a model has the id of its first version.
    CREATE TABLE models (
        id INTEGER PRIMARY KEY,
        workspace_id INTEGER NOT NULL REFERENCES workspaces (id),
        name TEXT NOT NULL,
        visibility TEXT NOT NULL,
        created_at TEXT NOT NULL,
        updated_at TEXT NOT NULL,
        UNIQUE (workspace_id, name)
    ) STRICT;
    CREATE TABLE model_versions (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        model_id INTEGER NOT NULL REFERENCES models (id) DEFERRABLE INITIALLY DEFERRED,
        version TEXT NOT NULL UNIQUE,
        sha TEXT NOT NULL,
        file_name TEXT NOT NULL,
        metadata TEXT NOT NULL,
        status TEXT NOT NULL,
        error_summary TEXT,
        created_at TEXT NOT NULL
    ) STRICT;
    CREATE TABLE pipelines (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        workspace_id INTEGER NOT NULL REFERENCES workspaces (id),
        name TEXT NOT NULL,
        created_at TEXT NOT NULL,
        UNIQUE (workspace_id, name)
    ) STRICT;
    CREATE TABLE pipeline_versions (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        pipeline_id INTEGER NOT NULL REFERENCES pipelines (id),
        version TEXT NOT NULL UNIQUE,
        definition TEXT NOT NULL,
        created_at TEXT NOT NULL
    ) STRICT;
    CREATE TABLE deployments (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        deploy_id TEXT NOT NULL,
        pipeline_id INTEGER NOT NULL REFERENCES pipelines (id),
        pipeline_version_id INTEGER NOT NULL REFERENCES pipeline_versions (id),
        steps TEXT NOT NULL, -- the ids of the model versions, in order
        deployed INTEGER NOT NULL,
        created_at TEXT NOT NULL,
        UNIQUE (pipeline_id, deploy_id)
    ) STRICT;
    """,
)


class DataDirectoryInUseError(Exception):
    """Another process works on the data directory."""


def now() -> str:
    """The time, as the API writes it."""
    return datetime.now(UTC).isoformat(timespec="microseconds")


class Store:
    """The database and the files of one data directory.

    Args:
        directory: Made where it does not exist, readable by its owner only.

    Raises:
        DataDirectoryInUseError: Another process works on the directory.
    """

    def __init__(self, directory: Path) -> None:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._guard = (directory / "lock").open("w")
        try:
            fcntl.flock(self._guard, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            self._guard.close()
            raise DataDirectoryInUseError(f"Another sandbox works on {directory}.") from None
        self._models = directory / "models"
        self._models.mkdir(exist_ok=True)
        self.staging = directory / "staging"
        shutil.rmtree(self.staging, ignore_errors=True)  # what an earlier run did not finish was never acknowledged
        self.staging.mkdir()
        self._lock = threading.RLock()
        self._connection = sqlite3.connect(directory / "sandbox.sqlite3", check_same_thread=False, isolation_level=None)
        self._connection.row_factory = sqlite3.Row
        for pragma in ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON"):
            self._connection.execute(f"PRAGMA {pragma}")
        self._migrate()
        self._remove_unknown_files()

    def _migrate(self) -> None:
        version: int = self._connection.execute("PRAGMA user_version").fetchone()[0]
        for number, script in enumerate(_MIGRATIONS[version:], start=version + 1):
            self._connection.executescript(f"BEGIN; {script} PRAGMA user_version = {number}; COMMIT;")

    def _remove_unknown_files(self) -> None:
        """Remove files whose upload was not acknowledged: moved into place, but not in the database."""
        with self.transaction() as db:
            known = {row["version"] for row in db.execute("SELECT version FROM model_versions")}
        for file in self._models.iterdir():
            if file.name not in known:
                file.unlink()

    @contextmanager
    def transaction(self) -> Generator[sqlite3.Connection]:
        """All of it is stored, or, after an exception, nothing."""
        with self._lock:
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
            except BaseException:
                self._connection.execute("ROLLBACK")
                raise
            self._connection.execute("COMMIT")

    def model_file(self, version: str) -> Path:
        """Where the file of a model version is, by its UUID."""
        return self._models / version

    def setting(self, name: str, make: Any) -> str:
        """A setting, made when it is first asked for."""
        with self.transaction() as db:
            row = db.execute("SELECT value FROM settings WHERE name = ?", (name,)).fetchone()
            if row is not None:
                return str(row["value"])
            value: str = make()
            db.execute("INSERT INTO settings VALUES (?, ?)", (name, value))
            return value

    def close(self) -> None:
        """Write everything into the database file, and let another process work on the directory."""
        with self._lock:
            self._connection.close()
        self._guard.close()
