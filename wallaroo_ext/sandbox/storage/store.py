"""The sandbox's state: one SQLite database and the model files, in one directory."""

from __future__ import annotations

import sqlite3
import threading
from contextlib import ExitStack, closing, contextmanager, nullcontext, suppress
from typing import TYPE_CHECKING, Any

from wallaroo_ext._util.atomic_files import create_file, sync_directory
from wallaroo_ext.sandbox.storage.clock import Clock
from wallaroo_ext.sandbox.storage.data_directory import DataDirectory
from wallaroo_ext.sandbox.storage.database_file import CHANGES, DIRECTORY_ID
from wallaroo_ext.sandbox.storage.migrations import DataDirectoryError, migrate

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable
    from pathlib import Path

Row = sqlite3.Row

_KEPT_TABLES = {"settings", "users", "refresh_tokens"}


def now(db: sqlite3.Connection) -> str:
    """Return the time by the sandbox's clock, as the API writes it."""
    return str(db.execute("SELECT now()").fetchone()[0])


class Store:
    """The database and the files of one data directory.

    Args:
        directory: Made where it does not exist; an empty one becomes a data directory, readable by its owner only.

    Attributes:
        clock: The time that is written; SQL has it as the function `now()`.
        log: Where the segments of the inference log are.
        staging: Where uploads arrive.

    Raises:
        DataDirectoryInUseError: Another process works on the directory.
        DataDirectoryError: The directory is not ours, a later release wrote it, its database is not the one that knows
            its files, or it cannot be read or written.
    """

    def __init__(self, directory: Path) -> None:
        try:
            with ExitStack() as opened:
                self._open(directory, opened)
                self._opened = opened.pop_all()
        except sqlite3.Error as error:
            raise DataDirectoryError(f"The database in {directory} cannot be worked on: {error}.") from None
        except OSError as error:
            raise DataDirectoryError(f"{directory} cannot be worked on: {error.strerror or error}.") from None

    def _open(self, directory: Path, opened: ExitStack) -> None:
        """Open everything; what is on the stack is closed again where that fails."""
        self._directory = opened.enter_context(closing(DataDirectory(directory)))
        self._models, self.log, self.staging = self._directory.models, self._directory.log, self._directory.staging
        self._lock = threading.RLock()
        self._afterwards: list[Callable[[], None]] = []
        self._connection = self._connected(opened)
        self._changes = self._counted_changes()
        self._directory.begin(self._changes)
        self.clock = Clock(self)
        self._connection.create_function("now", 0, self.clock.now_text)

    def _connected(self, opened: ExitStack) -> sqlite3.Connection:
        """Open the database, made or brought to the newest version where that is necessary."""
        if not self._directory.database.exists():
            create_file(
                self._directory.database
            ).close()  # SQLite gives the files that it makes beside it the same rights
        connection = sqlite3.connect(self._directory.database, check_same_thread=False, isolation_level=None)
        opened.enter_context(closing(connection))
        connection.row_factory = sqlite3.Row
        # In WAL mode, NORMAL keeps what was committed when the process dies; a power failure may cost the last of it.
        for pragma in ("journal_mode = WAL", "synchronous = NORMAL"):
            connection.execute(f"PRAGMA {pragma}")
        migrate(connection)
        connection.execute("PRAGMA foreign_keys = ON")  # a migration may make a table anew
        return connection

    def _counted_changes(self) -> int:
        """Return how many transactions have changed the database, in which the directory's id stands from now on."""
        first = [(DIRECTORY_ID, self._directory.id), (CHANGES, "0")]
        with self._synchronous() as db:
            db.executemany("INSERT INTO settings VALUES (?, ?) ON CONFLICT DO NOTHING", first)
            return int(db.execute("SELECT value FROM settings WHERE name = ?", (CHANGES,)).fetchone()[0])

    @contextmanager
    def _synchronous(self) -> Generator[sqlite3.Connection]:
        """Have what is committed in a block outlast a power failure."""
        self._connection.execute("PRAGMA synchronous = FULL")
        try:
            yield self._connection
        finally:
            self._connection.execute("PRAGMA synchronous = NORMAL")

    @contextmanager
    def transaction(self, *, durable: bool = False) -> Generator[sqlite3.Connection]:
        """Yield all of it is stored, or, after an exception, nothing.

        Args:
            durable: Whether it outlasts a power failure, and not only the process.
        """
        with self._lock:
            self._afterwards = []
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
                    if db.in_transaction:  # SQLite ends it itself when the disk is full
                        db.execute("ROLLBACK")
                    raise
            self._count(changes)
            for action in self._afterwards:
                action()

    def _count(self, changes: int) -> None:
        """Keep the number of changes beside the database, too: that is how an older copy of it is noticed."""
        if changes != self._changes:
            self._changes = changes
            with suppress(OSError):  # where the disk is full, the directory knows of fewer changes than the database
                self._directory.count(changes)

    def after_commit(self, action: Callable[[], None]) -> None:
        """Do something when the transaction that is under way is stored, before the next one begins."""
        self._afterwards.append(action)

    @contextmanager
    def reading(self) -> Generator[sqlite3.Connection]:
        """Yield nothing is stored, and nobody else stores anything meanwhile; it costs less than a transaction."""
        with self._lock:
            yield self._connection

    def clear(self, db: sqlite3.Connection, kept_user_id: str | None) -> None:
        """Delete every row but the settings, one user and this user's refresh tokens; ids begin at 1 again.

        The files of what is deleted are left; `remove_unnamed_files` removes them once it is committed.

        Args:
            db: The transaction to do it in.
            kept_user_id: The user who stays; None for nobody.
        """
        for name in _named_files(db):
            self.announce(self._directory.path / name)
        db.execute("PRAGMA defer_foreign_keys = ON")
        tables = db.execute("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY rowid DESC").fetchall()
        for name in [row["name"] for row in tables]:
            if name not in _KEPT_TABLES:
                db.execute(f'DELETE FROM "{name}"')  # noqa: S608 - the names are the schema's
        db.execute("DELETE FROM refresh_tokens WHERE user_id IS NOT ?", (kept_user_id,))
        db.execute("DELETE FROM users WHERE id IS NOT ?", (kept_user_id,))
        db.execute("UPDATE users SET enabled = 1, requires_action = 0")

    def remove_unnamed_files(self) -> None:
        """Remove the files of this directory that no row names any more, while nothing is uploaded or logged."""
        with self.reading() as db:
            self._directory.remove_pending(_named_files(db))

    def announce(self, file: Path) -> None:
        """Note that a model file or a segment is ours; without a row that names it, the next start removes it."""
        self._directory.announce(file)

    def settle(self, file: Path) -> None:
        """Take that note away, because a row names the file, or because it was removed."""
        self._directory.settle(file)

    def model_file(self, version: str) -> Path:
        """Return where the file of a model version is, by its UUID."""
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
        self.announce(place)
        try:
            staged.rename(place)
            sync_directory(self._models)
            yield
        except BaseException:
            self._remove_unless_named(place, version)
            raise
        self.settle(place)

    def _remove_unless_named(self, place: Path, version: str) -> None:
        """Remove a model file whose row was not stored; where that is not known, the next start decides."""
        with suppress(sqlite3.Error), self.reading() as db:
            if db.execute("SELECT 1 FROM model_versions WHERE version = ?", (version,)).fetchone() is None:
                place.unlink(missing_ok=True)
            self.settle(place)

    def setting(self, name: str, make: Any) -> str:
        """Return a setting, made when it is first asked for."""
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
            self._directory.end(self._changes)
            self._opened.close()


def _named_files(db: sqlite3.Connection) -> Iterable[str]:
    """Return the paths, in the directory, of the files that rows name."""
    yield from (f"models/{version}" for (version,) in db.execute("SELECT version FROM model_versions").fetchall())
    yield from (f"log/{segment}" for (segment,) in db.execute("SELECT DISTINCT segment FROM inferences").fetchall())
