"""Reads a sandbox's database without changing it: checks that it is one and is whole, and lists the files it names."""

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
"""The setting with the id of the data directory that a database belongs to."""

CHANGES = "changes"
"""The setting with the number of transactions that changed a database."""

_TABLES = "SELECT name FROM sqlite_schema WHERE type = 'table'"
_ADVICE = "Put the database back, with its -wal file if it had one, or take another data directory."


@dataclass(frozen=True, slots=True)
class DatabaseContents:
    """What a database records about its data directory.

    Attributes:
        directory_id: The id of the directory; None if a release before marks wrote it.
        changes: How many transactions have changed it since changes are counted.
        files: The relative paths of the files that its rows name: `models/…` and `log/…`.
    """

    directory_id: str | None
    changes: int
    files: frozenset[str]


def read_database(database: Path) -> DatabaseContents | None:
    """Return what a database records about its data directory, without changing it.

    Args:
        database: The file of the database; no other process may be using it.

    Returns:
        The contents; None if there is no file, it is empty, or the database has no tables yet.

    Raises:
        DataDirectoryError: The database is damaged, belongs to another application, or was written by a later release.
    """
    if not database.exists() or not database.stat().st_size:
        return None
    try:
        with _open_read_only(database) as db:
            [damage] = db.execute("PRAGMA quick_check(1)").fetchone()
            if damage != "ok":
                raise DataDirectoryError(f"{database} is damaged ({damage}). {_ADVICE}")
            return _contents(db, database)
    except (sqlite3.DatabaseError, ValueError) as error:  # ValueError: a row has another value than we write
        raise DataDirectoryError(f"{database} cannot be read ({error}). {_ADVICE}") from None


@contextmanager
def _open_read_only(database: Path) -> Generator[sqlite3.Connection]:
    """Yield a read-only connection that leaves no new file beside the database."""
    index = database.with_name(f"{database.name}-shm")
    had_index = index.exists()
    # Without a -wal file, SQLite reads the database alone, and as `immutable` it creates no files beside it.
    mode = "mode=ro" if database.with_name(f"{database.name}-wal").exists() else "mode=ro&immutable=1"
    try:
        with closing(sqlite3.connect(f"{database.absolute().as_uri()}?{mode}", uri=True)) as db:
            yield db
    finally:
        if not had_index:
            index.unlink(missing_ok=True)  # SQLite makes it again from the -wal file


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
    """Return the names of the tables in a version of the schema."""
    with closing(sqlite3.connect(":memory:")) as db:
        for migration in MIGRATIONS[:version]:
            db.executescript(migration)
        return {name for (name,) in db.execute(_TABLES)}
