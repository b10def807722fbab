"""The sandbox's state: one SQLite database and the model files, in one directory."""

from __future__ import annotations

import os
import sqlite3
import threading
from contextlib import ExitStack, closing, contextmanager, nullcontext, suppress
from typing import TYPE_CHECKING

from wallaroo_ext._util.files.atomic_files import create_file, sync_directory
from wallaroo_ext.sandbox.storage.clock import Clock
from wallaroo_ext.sandbox.storage.data_directory import DataDirectory
from wallaroo_ext.sandbox.storage.database_file import CHANGES, DIRECTORY_ID
from wallaroo_ext.sandbox.storage.migrations import DataDirectoryError, migrate

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable
    from pathlib import Path

Row = sqlite3.Row

_KEPT_TABLES = {"settings", "users", "refresh_tokens"}
_ADVICE = "check its permissions and the free space"
_LONGEST_PATH = 480
"""How long a directory's path may be, in bytes: SQLite takes no file whose path has more than 512, by default."""
_TOO_LONG = f"its path has more than {_LONGEST_PATH} bytes, so name another directory"


def now(db: sqlite3.Connection) -> str:
    """Return the time by the sandbox's clock, as the API writes it."""
    return str(db.execute("SELECT now()").fetchone()[0])


class Store:
    """The database and the files of one data directory.

    Args:
        directory: The directory; created if it does not exist. An empty one becomes a data directory, which only its
            owner can read.

    Attributes:
        clock: The sandbox's clock; in SQL, the function `now()` returns its time.
        log: The directory of the inference log's segments.
        staging: The directory in which uploads arrive.

    Raises:
        DataDirectoryInUseError: Another process uses the directory.
        DataDirectoryError: The directory is not a sandbox's, a later release wrote it, its database does not match its
            files, or it cannot be read or written.
    """

    def __init__(self, directory: Path) -> None:
        try:
            with ExitStack() as resources:
                self._open(directory, resources)
                self._resources = resources.pop_all()
        except sqlite3.Error as error:
            advice = _TOO_LONG if len(os.fsencode(directory.absolute())) > _LONGEST_PATH else _ADVICE
            raise DataDirectoryError(f"The database in {directory} cannot be used ({error}): {advice}.") from None
        except OSError as error:
            raise DataDirectoryError(f"{directory} cannot be used ({error.strerror or error}): {_ADVICE}.") from None

    def _open(self, directory: Path, resources: ExitStack) -> None:
        """Open the directory and the database; the stack closes them if a later step fails."""
        self._directory = resources.enter_context(closing(DataDirectory(directory)))
        self._models, self.log, self.staging = self._directory.models, self._directory.log, self._directory.staging
        self._lock = threading.RLock()
        self._after_commit: list[Callable[[], None]] = []
        self._connection = self._connect(resources)
        self._changes = self._read_changes()
        self._directory.mark_open(self._changes)
        self.clock = Clock(self)
        self._connection.create_function("now", 0, self.clock.now_text)

    def _connect(self, resources: ExitStack) -> sqlite3.Connection:
        """Return a connection to the database, which is created or brought to the newest version if necessary."""
        if not self._directory.database.exists():
            create_file(self._directory.database).close()  # SQLite gives its other files the same permissions
        connection = sqlite3.connect(self._directory.database, check_same_thread=False, isolation_level=None)
        resources.enter_context(closing(connection))
        connection.row_factory = sqlite3.Row
        # In WAL mode, NORMAL keeps what was committed when the process dies; a power failure may lose the last of it.
        for pragma in ("journal_mode = WAL", "synchronous = NORMAL"):
            connection.execute(f"PRAGMA {pragma}")
        migrate(connection)
        connection.execute("PRAGMA foreign_keys = ON")  # not earlier: a migration may replace a table
        return connection

    def _read_changes(self) -> int:
        """Return how many transactions have changed the database, and store the directory's id in it."""
        first = [(DIRECTORY_ID, self._directory.id), (CHANGES, "0")]
        with self._synchronous() as db:
            db.executemany("INSERT INTO settings VALUES (?, ?) ON CONFLICT DO NOTHING", first)
            return int(db.execute("SELECT value FROM settings WHERE name = ?", (CHANGES,)).fetchone()[0])

    @contextmanager
    def _synchronous(self) -> Generator[sqlite3.Connection]:
        """Make the commits of a `with` block survive a power failure, and yield the connection."""
        self._connection.execute("PRAGMA synchronous = FULL")
        try:
            yield self._connection
        finally:
            self._connection.execute("PRAGMA synchronous = NORMAL")

    @contextmanager
    def transaction(self, *, durable: bool = False) -> Generator[sqlite3.Connection]:
        """Yield the connection within a transaction, which is committed at the end and rolled back after an exception.

        Args:
            durable: Whether the commit survives a power failure, and not only the end of the process.
        """
        with self._lock:
            self._after_commit = []
            with self._synchronous() if durable else nullcontext(self._connection) as db:
                db.execute("BEGIN IMMEDIATE")
                try:
                    before = db.total_changes
                    yield db
                    changes = self._changes + (db.total_changes != before)
                    if changes != self._changes:
                        db.execute("UPDATE settings SET value = ? WHERE name = ?", (str(changes), CHANGES))
                    db.execute("COMMIT")
                except BaseException:
                    if db.in_transaction:  # SQLite rolls back by itself when the disk is full
                        db.execute("ROLLBACK")
                    raise
            self._record_changes(changes)
            for action in self._after_commit:
                action()

    def _record_changes(self, changes: int) -> None:
        """Record the number of changes outside the database too, so that an older copy of it is noticed."""
        if changes != self._changes:
            self._changes = changes
            with suppress(OSError):  # on a full disk, the directory keeps a smaller number, which is allowed
                self._directory.record_changes(changes)

    def after_commit(self, action: Callable[[], None]) -> None:
        """Call a function once the current transaction is committed, before the next one begins."""
        self._after_commit.append(action)

    @contextmanager
    def reading(self) -> Generator[sqlite3.Connection]:
        """Yield the connection for reading, while no other thread writes; this costs less than a transaction."""
        with self._lock:
            yield self._connection

    def clear(self, db: sqlite3.Connection, kept_user_id: str | None) -> None:
        """Delete every row but the settings, one user and this user's refresh tokens; ids begin at 1 again.

        The files that the deleted rows name stay until `remove_unnamed_files` is called after the commit.

        Args:
            db: The transaction to delete in.
            kept_user_id: The user to keep; None for nobody.
        """
        for name in _named_files(db):
            self.mark_pending(self._directory.path / name)
        db.execute("PRAGMA defer_foreign_keys = ON")
        tables = db.execute("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY rowid DESC").fetchall()
        for name in [row["name"] for row in tables]:
            if name not in _KEPT_TABLES:
                db.execute(f'DELETE FROM "{name}"')  # noqa: S608 - the names are the schema's
        db.execute("DELETE FROM refresh_tokens WHERE user_id IS NOT ?", (kept_user_id,))
        db.execute("DELETE FROM users WHERE id IS NOT ?", (kept_user_id,))
        db.execute("UPDATE users SET enabled = 1, requires_action = 0")

    def remove_unnamed_files(self) -> None:
        """Remove the pending files that no row names. Nothing may be uploaded or logged meanwhile."""
        with self.reading() as db:
            self._directory.remove_pending(_named_files(db))

    def mark_pending(self, file: Path) -> None:
        """Record that the sandbox wrote a model file or segment; the next start removes it if no row names it."""
        self._directory.mark_pending(file)

    def unmark_pending(self, file: Path) -> None:
        """Remove that record, because a row names the file or the file was removed."""
        self._directory.unmark_pending(file)

    def model_file(self, version: str) -> Path:
        """Return the path of a model version's file.

        Args:
            version: The version's UUID.
        """
        return self._models / version

    @contextmanager
    def add_model_file(self, staged: Path, version: str) -> Generator[None]:
        """Make an upload the file of a model version, and remove it if the `with` block fails.

        The file exists before the row that names it, even after a power failure.

        Args:
            staged: The uploaded file, already synced to the disk.
            version: The version's UUID.
        """
        file = self.model_file(version)
        self.mark_pending(file)
        try:
            staged.rename(file)
            sync_directory(self._models)
            yield
        except BaseException:
            self._remove_unless_named(file, version)
            raise
        self.unmark_pending(file)

    def _remove_unless_named(self, file: Path, version: str) -> None:
        """Remove a model file if no row names it; if the database cannot be read, the next start decides."""
        with suppress(sqlite3.Error), self.reading() as db:
            if db.execute("SELECT 1 FROM model_versions WHERE version = ?", (version,)).fetchone() is None:
                file.unlink(missing_ok=True)
            self.unmark_pending(file)

    def setting(self, name: str, make: Callable[[], str]) -> str:
        """Return a setting; the first time, make and store it."""
        with self.transaction() as db:
            row = db.execute("SELECT value FROM settings WHERE name = ?", (name,)).fetchone()
            if row is not None:
                return str(row["value"])
            value = make()
            db.execute("INSERT INTO settings VALUES (?, ?)", (name, value))
            return value

    def change_setting(self, name: str, value: str) -> None:
        """Store a setting, replacing its earlier value."""
        with self.transaction() as db:
            db.execute(
                "INSERT INTO settings VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value", (name, value)
            )

    def close(self) -> None:
        """Close the database and release the directory."""
        with self._lock:
            self._connection.close()
            self._directory.mark_closed(self._changes)
            self._resources.close()


def _named_files(db: sqlite3.Connection) -> Iterable[str]:
    """Yield the relative paths of the files that rows name."""
    yield from (f"models/{version}" for (version,) in db.execute("SELECT version FROM model_versions").fetchall())
    yield from (f"log/{segment}" for (segment,) in db.execute("SELECT DISTINCT segment FROM inferences").fetchall())
