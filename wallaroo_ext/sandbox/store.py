"""The sandbox's state: one SQLite database and the model files, in one directory."""

from __future__ import annotations

import fcntl
import os
import shutil
import sqlite3
import threading
from contextlib import ExitStack, closing, contextmanager
from typing import TYPE_CHECKING, Any

from wallaroo_ext.sandbox.clock import Clock
from wallaroo_ext.sandbox.migrations import DataDirectoryError, check_version, migrate

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from pathlib import Path

Row = sqlite3.Row

_KEPT_TABLES = {"settings", "users", "refresh_tokens"}


class DataDirectoryInUseError(DataDirectoryError):
    """Another process works on the data directory."""


def now(db: sqlite3.Connection) -> str:
    """The time by the sandbox's clock, as the API writes it."""
    return str(db.execute("SELECT now()").fetchone()[0])


class Store:
    """The database and the files of one data directory.

    Args:
        directory: Made where it does not exist, readable by its owner only.

    Attributes:
        clock: The time that is written; SQL has it as the function `now()`.

    Raises:
        DataDirectoryInUseError: Another process works on the directory.
        DataDirectoryError: A later release wrote it, or its database cannot be read or written.
    """

    def __init__(self, directory: Path) -> None:
        try:
            with ExitStack() as opened:
                self._open(directory, opened)
                opened.pop_all()
        except sqlite3.Error as error:
            raise DataDirectoryError(f"The database in {directory} cannot be worked on: {error}.") from None

    def _open(self, directory: Path, opened: ExitStack) -> None:
        """Open everything; what is on the stack is closed again where that fails."""
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._guard = opened.enter_context((directory / "lock").open("a"))
        try:
            fcntl.flock(self._guard, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise DataDirectoryInUseError(f"Another sandbox works on {directory}.") from None
        database = directory / "sandbox.sqlite3"
        check_version(database)
        self._models = directory / "models"
        self._models.mkdir(exist_ok=True)
        self.log = directory / "log"
        self.log.mkdir(exist_ok=True)
        self.staging = directory / "staging"
        shutil.rmtree(self.staging, ignore_errors=True)  # what an earlier run did not finish was never acknowledged
        self.staging.mkdir()
        self._lock = threading.RLock()
        self._afterwards: list[Callable[[], None]] = []
        connection = sqlite3.connect(database, check_same_thread=False, isolation_level=None)
        self._connection = opened.enter_context(closing(connection))
        connection.row_factory = sqlite3.Row
        # In WAL mode, NORMAL keeps what was committed when the process dies; a power failure may cost the last of it.
        for pragma in ("journal_mode = WAL", "synchronous = NORMAL"):
            connection.execute(f"PRAGMA {pragma}")
        migrate(connection)
        connection.execute("PRAGMA foreign_keys = ON")  # a migration may make a table anew
        self.clock = Clock(self)
        connection.create_function("now", 0, self.clock.now_text)
        self.remove_unknown_files()

    def remove_unknown_files(self) -> None:
        """Remove model files that are not in the database: their upload was not acknowledged, or they were deleted."""
        with self.reading() as db:
            known = {row["version"] for row in db.execute("SELECT version FROM model_versions")}
        for file in self._models.iterdir():
            if file.name not in known:
                file.unlink()

    @contextmanager
    def transaction(self) -> Generator[sqlite3.Connection]:
        """All of it is stored, or, after an exception, nothing."""
        with self._lock:
            self._afterwards = []
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
                self._connection.execute("COMMIT")
            except BaseException:
                if self._connection.in_transaction:  # SQLite ends it itself when the disk is full
                    self._connection.execute("ROLLBACK")
                raise
            for action in self._afterwards:
                action()

    def after_commit(self, action: Callable[[], None]) -> None:
        """Do something when the transaction that is under way is stored, before the next one begins."""
        self._afterwards.append(action)

    @contextmanager
    def reading(self) -> Generator[sqlite3.Connection]:
        """Nothing is stored, and nobody else stores anything meanwhile; it costs less than a transaction."""
        with self._lock:
            yield self._connection

    @staticmethod
    def clear(db: sqlite3.Connection, kept_user_id: str | None) -> None:
        """Delete every row but the settings, one user and this user's refresh tokens; ids begin at 1 again.

        The files of what is deleted are left; `remove_unknown_files` removes them once it is committed.

        Args:
            db: The transaction to do it in.
            kept_user_id: The user who stays; None for nobody.
        """
        db.execute("PRAGMA defer_foreign_keys = ON")
        tables = db.execute("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY rowid DESC").fetchall()
        for name in [row["name"] for row in tables]:
            if name not in _KEPT_TABLES:
                db.execute(f'DELETE FROM "{name}"')  # noqa: S608 - the names are the schema's
        db.execute("DELETE FROM refresh_tokens WHERE user_id IS NOT ?", (kept_user_id,))
        db.execute("DELETE FROM users WHERE id IS NOT ?", (kept_user_id,))
        db.execute("UPDATE users SET enabled = 1, requires_action = 0")

    def model_file(self, version: str) -> Path:
        """Where the file of a model version is, by its UUID."""
        return self._models / version

    @contextmanager
    def placed(self, staged: Path, version: str) -> Generator[None]:
        """Move a file into the place of a model version, and remove it if what is done with it there fails.

        The file is there before the row that names it, even after a power failure.

        Args:
            staged: The file, whose content is on the disk.
            version: The version's UUID.
        """
        place = self.model_file(version)
        try:
            staged.rename(place)
            _sync_directory(self._models)
            yield
        except BaseException:
            place.unlink(missing_ok=True)
            raise

    def setting(self, name: str, make: Any) -> str:
        """A setting, made when it is first asked for."""
        with self.transaction() as db:
            row = db.execute("SELECT value FROM settings WHERE name = ?", (name,)).fetchone()
            if row is not None:
                return str(row["value"])
            value: str = make()
            db.execute("INSERT INTO settings VALUES (?, ?)", (name, value))
            return value

    def change_setting(self, name: str, value: str) -> None:
        """Set a setting, whether there was one or not."""
        with self.transaction() as db:
            db.execute(
                "INSERT INTO settings VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value", (name, value)
            )

    def close(self) -> None:
        """Write everything into the database file, and let another process work on the directory."""
        with self._lock:
            self._connection.close()
        self._guard.close()


def _sync_directory(directory: Path) -> None:
    """See that the names in a directory are on the disk."""
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
