"""The data directory of a sandbox: checks that it is a sandbox's, locks it, and knows which files the sandbox wrote.

A mark identifies the directory: a file that is written before anything else. The mark and the database name each other,
and both count the transactions that changed the database, so that an older copy of it is noticed. A model file or log
segment is removed only if a pending marker in `staging` says that the sandbox wrote it and no row of the database names
it.
"""

from __future__ import annotations

import json
import os
import re
import secrets
import stat
import uuid
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from io import FileIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

from wallaroo_ext._util.files.atomic_files import (
    PRIVATE,
    create_file,
    leftovers,
    remove_leftovers,
    write_atomically,
    write_new,
)
from wallaroo_ext._util.files.file_lock import lock_within
from wallaroo_ext._util.json_values import object_of
from wallaroo_ext.sandbox.storage.database_file import read_database
from wallaroo_ext.sandbox.storage.migrations import DataDirectoryError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from wallaroo_ext.sandbox.storage.database_file import DatabaseContents

MARK = "wallaroo-sandbox.json"
DATABASE = "sandbox.sqlite3"
_LOCK = "lock"
_LOCK_SECONDS = 1.0
"""How long to wait for the lock: a killed sandbox may hold it for a moment, by a program that it was about to start."""
_FILES = (MARK, _LOCK, DATABASE, f"{DATABASE}-wal", f"{DATABASE}-shm", f"{DATABASE}-journal")
_FOLDERS = ("models", "log", "staging", "tls")
_FORMAT = 1
_ABOUT = "This directory belongs to `wallaroo-ext sandbox`, which keeps its models and its state here."
_OTHERS = stat.S_IRWXG | stat.S_IRWXO
_UUID = "[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
_OURS_BY_NAME = re.compile(f"models/{_UUID}|log/{_UUID}[.]arrows")
_COUNTER = re.compile(rb"[0-9]{20}\n")
_COUNTER_OR_A_PART = re.compile(rb"[0-9\n\0]{0,21}")  # what a full disk or a power failure may leave of it
_SHOWN = 5
_PENDING, _UPLOAD = "pending", "upload"
_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


class DataDirectoryInUseError(DataDirectoryError):
    """Another process uses the data directory."""


@dataclass(frozen=True, slots=True)
class _Mark:
    """The content of the mark.

    Attributes:
        id: The id of the directory; the database stores it too.
        has_database: Whether the database was created.
        changes: How many transactions had changed the database when the last run ended, or, if it was killed, began.
        is_closed: Whether the last run ended regularly.
        boot: The machine's boot id when the last run began; empty if the system has none.
    """

    id: str
    has_database: bool = False
    changes: int = 0
    is_closed: bool = False
    boot: str = ""

    def checked(self) -> _Mark:
        """Return this mark, or raise ValueError if a field does not have the type that a sandbox writes."""
        if not re.fullmatch("[0-9a-f]{32}", self.id) or [type(self.changes), type(self.is_closed)] != [int, bool]:
            raise ValueError
        return self

    def to_bytes(self) -> bytes:
        return (json.dumps({"about": _ABOUT, "format": _FORMAT} | asdict(self), indent=1) + "\n").encode()


class DataDirectory:
    """A data directory that is locked for this process until `close`.

    Only its owner can read it and the files in it. The path of the directory may be a link; the files and directories
    in it may not.

    Args:
        directory: The directory; created if it does not exist. An empty one becomes a data directory.

    Attributes:
        path: The resolved path of the directory.
        database: The file of the database.
        models: The directory of the model files.
        log: The directory of the inference log's segments.
        staging: The directory in which uploads arrive.

    Raises:
        DataDirectoryInUseError: Another sandbox uses it.
        DataDirectoryError: It is not a sandbox's, contains links, or has files that its database does not know. Nothing
            in it was changed.
        OSError: It cannot be read or written.
    """

    def __init__(self, directory: Path) -> None:
        self.path = _create_directory(directory)
        self.database = self.path / DATABASE
        self.models, self.log, self.staging = (self.path / name for name in ("models", "log", "staging"))
        self._check_owner()
        is_new = self._is_new()
        self._check_parts()
        if is_new:
            self._write_first_mark()
        elif self._read_mark() is None:
            found = self._read_unmarked_database()
            self._check_files(found.files, _Mark(found.directory_id or ""))  # before the lock file is created
        self._lock = self._acquire_lock()
        try:
            self._mark = self._check_and_tidy()
        except BaseException:
            self.close()
            raise

    def _write_first_mark(self) -> None:
        """Write the mark, unless another process did so first."""
        file, content = self.path / MARK, _Mark(secrets.token_hex(16)).to_bytes()
        try:
            write_new(file, content)
        except PermissionError:  # Linux reports this for a file system without hard links
            write_atomically(file, content, mode=PRIVATE, durable=True)

    def _check_owner(self) -> None:
        found = self.path.stat()
        if found.st_uid != os.geteuid() and os.geteuid() != 0:
            raise DataDirectoryError(f"{self.path} belongs to another user: name a directory of your own.")
        if found.st_mode & stat.S_ISVTX:  # such as /tmp, which nobody else could use after a chmod
            raise DataDirectoryError(f"{self.path} is a directory that users share: name a new one in it.")

    def _is_new(self) -> bool:
        """Return whether the directory is empty, but for what a first start left that was killed before its mark."""
        begun = {file.name for file in leftovers(self.path / MARK)}
        return all(entry.name in begun for entry in self.path.iterdir())

    def _check_parts(self) -> None:
        """Check that every part of the directory has its type, and that none is a link."""
        for name in _FOLDERS:
            self._check_part(name, "directory", stat.S_ISDIR)
        for name in _FILES:
            self._check_part(name, "file", stat.S_ISREG)

    def _check_part(self, name: str, what: str, is_right: Any) -> os.stat_result | None:
        try:
            found = (self.path / name).lstat()
        except FileNotFoundError:
            return None
        if not is_right(found.st_mode) or (name in _FILES and found.st_nlink > 1):
            raise DataDirectoryError(
                f"{self.path / name} is a link, or no {what}, where a sandbox has its own {what}: move it away, or "
                f"name another data directory."
            )
        return found

    def _read_mark(self) -> _Mark | None:
        """Return the mark, or None if there is no file of it."""
        file = self.path / MARK
        if not file.exists():
            return None
        try:
            fields = object_of(json.loads(file.read_bytes()))
            if int(fields.pop("format")) > _FORMAT:
                raise DataDirectoryError(
                    f"A later release wrote {self.path}: run that release, or take another data directory."
                )
            del fields["about"]
            return _Mark(**fields).checked()
        except (ValueError, TypeError, KeyError, OverflowError, RecursionError):
            raise DataDirectoryError(
                f"{file} is not the mark of a sandbox: name another data directory, or, if this one is a sandbox's, "
                f"delete that file."
            ) from None

    def _read_unmarked_database(self) -> DatabaseContents:
        """Return the contents of the database of a directory that has no mark.

        Raises:
            DataDirectoryError: There is no database of a sandbox.
        """
        found = read_database(self.database)
        if found is None:
            raise DataDirectoryError(
                f"{self.path} has files, and neither the mark nor the database of a sandbox: name an empty directory, "
                f"or a new one."
            )
        return found

    def _acquire_lock(self) -> FileIO:
        """Lock the directory and return the open lock file."""
        path = self.path / _LOCK
        file = FileIO(os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, PRIVATE), "r+")
        try:
            _check_lock(path, file.read())
            lock_within(file.fileno(), _LOCK_SECONDS)
        except TimeoutError:
            file.close()
            raise DataDirectoryInUseError(f"Another sandbox works on {self.path}.") from None
        except BaseException:
            file.close()
            raise
        return file

    def _check_and_tidy(self) -> _Mark:
        """Check that the database is the newest and knows its files, and remove what a killed run left.

        Returns:
            The mark; it is written if the directory had none.
        """
        known = self._read_mark()
        found = read_database(self.database) if known else self._read_unmarked_database()
        mark = known or _Mark((found and found.directory_id) or secrets.token_hex(16))
        self._check_database(mark, found)
        named = found.files if found else frozenset[str]()
        self._check_files(named, mark)
        self._make_private(named)
        if known is None:
            write_atomically(self.path / MARK, mark.to_bytes(), mode=PRIVATE, durable=True)
        remove_leftovers(self.path / MARK)
        for folder in (self.models, self.log, self.staging):
            folder.mkdir(mode=0o700, exist_ok=True)
        self._remove_uploads(mark)
        self._remove_pending(named, mark)
        return mark

    def _check_database(self, mark: _Mark, found: DatabaseContents | None) -> None:
        if found is None:
            if mark.has_database:
                raise DataDirectoryError(
                    f"The database of {self.path} is gone or empty: put {DATABASE} back, with its -wal file if it had "
                    f"one, or take another data directory."
                )
            return
        if found.directory_id is not None and found.directory_id != mark.id:
            raise DataDirectoryError(
                f"{self.database} is the database of another data directory: put this one's own back, or, to go on "
                f"with what is there, delete {MARK}."
            )
        if (mark.has_database and found.directory_id is None) or found.changes < self._least_changes(mark):
            raise DataDirectoryError(
                f"{self.database} is an older copy, or its -wal file is missing: put the newest back, with its -wal "
                f"file. To go on with this one, delete {MARK}."
            )

    def _least_changes(self, mark: _Mark) -> int:
        """Return the least number of changes that the newest database has.

        The counter of a running sandbox counts only if the machine was not rebooted since: after a power failure, the
        database may lack its last transactions.
        """
        counted = os.pread(self._lock.fileno(), 64, 0)
        is_same_boot = bool(mark.boot) and mark.boot == _boot()  # where the system has no boot id, nobody knows
        if not mark.has_database or mark.is_closed or not is_same_boot or not _COUNTER.fullmatch(counted):
            return mark.changes
        return max(mark.changes, int(counted))

    def _check_files(self, named: frozenset[str], mark: _Mark) -> None:
        """Check that the database knows every file with a name that a sandbox gives, and that all model files exist.

        A log segment may be missing: it is not synced before its row is, so that a power failure can lose it.
        """
        for name in named:
            if not _OURS_BY_NAME.fullmatch(name):
                raise DataDirectoryError(
                    f"{self.database} names a file {name!r}, which no sandbox has: put the directory's own database "
                    f"back, or take another data directory."
                )
            self._check_part(name, "file", _is_file)
        self._check_models(name for name in named if name.startswith("models/"))
        known = named.union(name for _, name in self._pending_files(mark))
        unknown = sorted(name for name in self._files() if _OURS_BY_NAME.fullmatch(name) and name not in known)
        if unknown:
            raise DataDirectoryError(
                f"{self.path} has files that its database does not know, {len(unknown)} such as {unknown[0]}: the "
                f"database is an older copy, or its -wal file is missing. Put the newest back, or move them elsewhere."
            )

    def _check_models(self, named: Iterable[str]) -> None:
        gone = sorted(name for name in named if not _is_file_at(self.path / name))
        if gone:
            more = f" and {len(gone) - _SHOWN} more" if len(gone) > _SHOWN else ""
            raise DataDirectoryError(
                f"{self.path} lacks files of models that its database names, {', '.join(gone[:_SHOWN])}{more}: put "
                f"them back, or take another data directory."
            )

    def _files(self) -> Iterator[str]:
        """Yield the relative paths of the files in `models` and `log`."""
        for folder in (self.models, self.log):
            if folder.exists():
                yield from (f"{folder.name}/{entry.name}" for entry in folder.iterdir())

    def _make_private(self, named: frozenset[str]) -> None:
        """Remove the permissions of other users from the directory and the sandbox's files in it."""
        self.path.chmod(0o700)
        for name in (*_FOLDERS, *_FILES, *named):
            with suppress(FileNotFoundError):
                part = self.path / name
                found = part.lstat().st_mode
                if found & _OTHERS:
                    part.chmod(stat.S_IMODE(found) & ~_OTHERS)

    def mark_open(self, changes: int) -> None:
        """Record that the database exists and is open, and how many transactions have changed it so far."""
        self.record_changes(changes)
        self._write_mark(has_database=True, changes=changes, is_closed=False, boot=_boot())

    def record_changes(self, changes: int) -> None:
        """Record how many transactions have changed the database; this survives a kill, but no power failure."""
        os.pwrite(self._lock.fileno(), b"%020d\n" % changes, 0)

    def _write_mark(self, **fields: Any) -> None:
        self._mark = replace(self._mark, **fields)
        write_atomically(self.path / MARK, self._mark.to_bytes(), mode=PRIVATE, durable=True)

    @property
    def id(self) -> str:
        """The id of the directory, which the database stores too."""
        return self._mark.id

    def mark_closed(self, changes: int) -> None:
        """Record that the database was closed, and how many transactions had changed it."""
        with suppress(OSError):  # if the disk is full, the next start treats this run as killed
            self._write_mark(changes=changes, is_closed=True)

    def close(self) -> None:
        """Release the lock."""
        self._lock.close()

    def mark_pending(self, file: Path) -> None:
        """Record that the sandbox wrote a file; the next `remove_pending` removes it if no row names it."""
        with suppress(FileExistsError):
            create_file(self._pending_marker(file)).close()

    def unmark_pending(self, file: Path) -> None:
        """Remove that record, because a row names the file or the file is gone."""
        self._pending_marker(file).unlink(missing_ok=True)

    def _pending_marker(self, file: Path) -> Path:
        return self.staging / f"{file.parent.name}.{file.name}.{self.id}.{_PENDING}"

    def remove_pending(self, named: Iterable[str]) -> None:
        """Remove the pending files that no row names. No file may become pending meanwhile.

        Args:
            named: The paths of the files that rows name.
        """
        self._remove_pending(frozenset(named), self._mark)

    def _remove_pending(self, named: frozenset[str], mark: _Mark) -> None:
        for marker, name in self._pending_files(mark):
            file = self.path / name
            if name not in named and _is_file_at(file):
                file.unlink()
            marker.unlink()

    def _pending_files(self, mark: _Mark) -> list[tuple[Path, str]]:
        """Return the markers of pending files, each with the relative path of its file."""
        form = re.compile(rf"(models|log)\.([^/]+)\.{re.escape(mark.id)}\.{_PENDING}")
        found = [(marker, form.fullmatch(marker.name)) for marker in _entries(self.staging)]
        return [(marker, f"{match[1]}/{match[2]}") for marker, match in found if match and _is_file_at(marker)]

    def _remove_uploads(self, mark: _Mark) -> None:
        """Remove the uploads of a killed run, which were never acknowledged."""
        form = re.compile(rf"{_UUID}\.{re.escape(mark.id)}\.{_UPLOAD}")
        for file in _entries(self.staging):
            if form.fullmatch(file.name) and _is_file_at(file):
                file.unlink()


def new_upload(staging: Path) -> Path:
    """Return a new path for an upload; its name says which data directory it belongs to.

    Args:
        staging: The `staging` of an open data directory.
    """
    mark = json.loads((staging.parent / MARK).read_bytes())
    return staging / f"{uuid.uuid4()}.{mark['id']}.{_UPLOAD}"


def _create_directory(directory: Path) -> Path:
    """Create a directory if it does not exist, and return its resolved path."""
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError):
        raise DataDirectoryError(f"{directory} is no directory: name another one for the data.") from None
    return directory.resolve()


def _check_lock(path: Path, content: bytes) -> None:
    """Check that the lock file contains a number of changes and nothing else."""
    if not _COUNTER_OR_A_PART.fullmatch(content):
        raise DataDirectoryError(f"{path} is not the lock of a sandbox: move it away, or name another data directory.")


def _entries(directory: Path) -> list[Path]:
    return list(directory.iterdir()) if directory.exists() else []


def _is_file(mode: int) -> bool:
    return stat.S_ISREG(mode)


def _is_file_at(path: Path) -> bool:
    """Return whether a path is a regular file; a link is not."""
    try:
        return stat.S_ISREG(path.lstat().st_mode)
    except FileNotFoundError:
        return False


def _boot() -> str:
    """Return the machine's boot id; empty if the system has none."""
    try:
        return _BOOT_ID.read_text(encoding="ascii").strip()
    except OSError:
        return ""
