"""Reading a sandbox's database without changing anything: is it one, is it whole, and which files does it name?"""

from __future__ import annotations

import sqlite3
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from wallaroo_ext.sandbox.storage.migrations import MIGRATIONS, DataDirectoryError

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

DIRECTORY_ID = "directory_id"
"""The setting that names the data directory that a database belongs to."""

CHANGES = "changes"
"""The setting that counts the transactions that changed a database."""

_TABLES = "SELECT name FROM sqlite_schema WHERE type = 'table'"
_ADVICE = "Put the database back, with its -wal file if it had one, or take another data directory."


@dataclass(frozen=True, slots=True)
class DatabaseContents:
    """What a database says of its directory.

    Attributes:
        directory_id: The directory that it belongs to; None where a release before marks wrote it.
        changes: How many transactions have changed it, as far as they were counted.
        files: The paths of the files that its rows name, in the directory: `models/…` and `log/…`.
    """

    directory_id: str | None
    changes: int
    files: frozenset[str]


def read_database(database: Path) -> DatabaseContents | None:
    """Read what a database says of its directory. Nothing is changed.

    Args:
        database: Its file, which nobody else works on.

    Returns:
        Its contents; None if there is no file, an empty one, or a database that has no tables yet.

    Raises:
        DataDirectoryError: It is damaged, another application's, or a later release wrote it.
    """
    if not database.exists() or not database.stat().st_size:
        return None
    try:
        with _opened(database) as db:
            [damage] = db.execute("PRAGMA quick_check(1)").fetchone()
            if damage != "ok":
                raise DataDirectoryError(f"{database} is damaged ({damage}). {_ADVICE}")
            return _contents(db, database)
    except (sqlite3.DatabaseError, ValueError) as error:  # ValueError: what stands in a row is not what we write there
        raise DataDirectoryError(f"{database} cannot be read ({error}). {_ADVICE}") from None


@contextmanager
def _opened(database: Path) -> Generator[sqlite3.Connection]:
    """Yield the database, to be read only, without leaving a file beside it that was not there."""
    index = database.with_name(f"{database.name}-shm")
    had_index = index.exists()
    # Without such a file nothing is to be read but the database itself, and SQLite need not make files beside it.
    how = "mode=ro" if database.with_name(f"{database.name}-wal").exists() else "mode=ro&immutable=1"
    try:
        with closing(sqlite3.connect(f"{database.absolute().as_uri()}?{how}", uri=True)) as db:
            yield db
    finally:
        if not had_index:
            index.unlink(missing_ok=True)  # it is made anew from the -wal file


def _contents(db: sqlite3.Connection, database: Path) -> DatabaseContents | None:
    version = int(db.execute("PRAGMA user_version").fetchone()[0])
    tables = {name for (name,) in db.execute(_TABLES)}
    if not version and not tables:
        return None
    known = min(version, len(MIGRATIONS))
    if not version > 0 or not _tables_of(known) <= tables:
        raise DataDirectoryError(
            f"{database} is a database of another application: name another data directory, or a new one."
        )
    if version > len(MIGRATIONS):
        raise DataDirectoryError(
            f"A later release wrote {database.parent}: it has version {version}, and this release knows versions up to "
            f"{len(MIGRATIONS)}. Run that release, or take another data directory."
        )
    settings = dict(db.execute("SELECT name, value FROM settings WHERE name IN (?, ?)", (DIRECTORY_ID, CHANGES)))
    files = {f"models/{name}" for (name,) in db.execute("SELECT version FROM model_versions")}
    if "inferences" in tables:
        files |= {f"log/{name}" for (name,) in db.execute("SELECT DISTINCT segment FROM inferences")}
    return DatabaseContents(settings.get(DIRECTORY_ID), int(settings.get(CHANGES, 0)), frozenset(files))


def _tables_of(version: int) -> set[str]:
    """Return the names of the tables that a version has."""
    with closing(sqlite3.connect(":memory:")) as db:
        for migration in MIGRATIONS[:version]:
            db.executescript(migration)
        return {name for (name,) in db.execute(_TABLES)}
