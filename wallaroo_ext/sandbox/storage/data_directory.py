"""A sandbox's data directory: is it ours, does nobody else work on it, and which of its files did we write?

It is ours by a mark, a file that is written before anything else. The mark and the database name each other, and both
know how many transactions changed the database, so that an older copy of it is noticed. A model file or a log segment
is removed only where a pending file in `staging` says that it is ours, and no row of the database names it.
"""

from __future__ import annotations

import fcntl
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

from wallaroo_ext._util.atomic_files import (
    PRIVATE,
    create_file,
    leftovers,
    remove_leftovers,
    write_atomically,
    write_new,
)
from wallaroo_ext._util.json_values import object_of
from wallaroo_ext.sandbox.storage.database_file import read_database
from wallaroo_ext.sandbox.storage.migrations import DataDirectoryError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from wallaroo_ext.sandbox.storage.database_file import DatabaseContents

MARK = "wallaroo-sandbox.json"
DATABASE = "sandbox.sqlite3"
_LOCK = "lock"
_FILES = (MARK, _LOCK, DATABASE, f"{DATABASE}-wal", f"{DATABASE}-shm", f"{DATABASE}-journal")
_FOLDERS = ("models", "log", "staging", "tls")
_FORMAT = 1
_ABOUT = "This directory belongs to `wallaroo-ext sandbox`, which keeps its models and its state here."
_OTHERS = stat.S_IRWXG | stat.S_IRWXO
_UUID = "[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
_OURS_BY_NAME = re.compile(f"models/{_UUID}|log/{_UUID}[.]arrows")
_COUNTER = re.compile(rb"[0-9]{20}\n")
_COUNTER_OR_A_PART = re.compile(rb"[0-9\n\0]{0,21}")  # all that a full disk or a power failure may leave of it
_SHOWN = 5
_PENDING, _UPLOAD = "pending", "upload"
_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


class DataDirectoryInUseError(DataDirectoryError):
    """Another process works on the data directory."""


@dataclass(frozen=True, slots=True)
class _Mark:
    """What the mark says.

    Attributes:
        id: Names the directory; its database has it, too.
        has_database: Whether the database was made.
        changes: How many transactions had changed the database when the last run began, or, if it ended, when it did.
        is_closed: Whether the last run ended, and was not killed.
        boot: Names the time since the machine was started, in which the last run began; empty where that is not known.
    """

    id: str
    has_database: bool = False
    changes: int = 0
    is_closed: bool = False
    boot: str = ""

    def checked(self) -> _Mark:
        """Return it, or raise ValueError where a field has another type than the mark of a sandbox."""
        if not re.fullmatch("[0-9a-f]{32}", self.id) or [type(self.changes), type(self.is_closed)] != [int, bool]:
            raise ValueError
        return self

    def to_bytes(self) -> bytes:
        return (json.dumps({"about": _ABOUT, "format": _FORMAT} | asdict(self), indent=1) + "\n").encode()


class DataDirectory:
    """A data directory that this process alone works on, until `close`.

    It and everything that is written in it can be read by their owner only. Its own path may be a link; none of its
    parts may be one.

    Args:
        directory: Made where it does not exist. An empty one becomes ours.

    Attributes:
        path: Where it is, without links.
        database: The file of the database.
        models: Where the files of models are.
        log: Where the segments of the inference log are.
        staging: Where uploads arrive.

    Raises:
        DataDirectoryInUseError: Another sandbox works on it.
        DataDirectoryError: It is not ours, has links for parts, or has files that its database does not know. Nothing
            in it was changed.
        OSError: It cannot be read or written.
    """

    def __init__(self, directory: Path) -> None:
        self.path = _made(directory)
        self.database = self.path / DATABASE
        self.models, self.log, self.staging = (self.path / name for name in ("models", "log", "staging"))
        self._check_owner()
        is_new = self._is_new()
        self._check_parts()
        if is_new:
            self._write_first_mark()
        elif self._read_mark() is None:
            found = self._recognised()
            self._check_files(found.files, _Mark(found.directory_id or ""))  # now, before there is a file for the lock
        self._lock = self._locked()
        try:
            self._mark = self._checked()
        except BaseException:
            self.close()
            raise

    def _write_first_mark(self) -> None:
        """Write the mark, unless another process was faster."""
        file, content = self.path / MARK, _Mark(secrets.token_hex(16)).to_bytes()
        try:
            write_new(file, content)
        except PermissionError:  # how Linux says that a file system has no second names for files
            write_atomically(file, content, mode=PRIVATE, durable=True)

    def _check_owner(self) -> None:
        found = self.path.stat()
        if found.st_uid != os.geteuid() and os.geteuid() != 0:
            raise DataDirectoryError(f"{self.path} belongs to another user: name a directory of your own.")
        if found.st_mode & stat.S_ISVTX:  # /tmp, which nobody else could use any more
            raise DataDirectoryError(f"{self.path} is a directory that users share: name a new one in it.")

    def _is_new(self) -> bool:
        """Whether nothing is there but what a first start left that was killed before it had written the mark."""
        begun = {file.name for file in leftovers(self.path / MARK)}
        return all(entry.name in begun for entry in self.path.iterdir())

    def _check_parts(self) -> None:
        """See that no part of the directory is a link or something else than it should be."""
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
        """Return the mark; None where there is none."""
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

    def _recognised(self) -> DatabaseContents:
        """Return what the database of a directory without a mark says, if it is one of ours."""
        found = read_database(self.database)
        if found is None:
            raise DataDirectoryError(
                f"{self.path} has files, and neither the mark nor the database of a sandbox: name an empty directory, "
                f"or a new one."
            )
        return found

    def _locked(self) -> FileIO:
        """Take the lock; its file."""
        path = self.path / _LOCK
        file = FileIO(os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, PRIVATE), "r+")
        try:
            _check_lock(path, file.read())
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.close()
            raise DataDirectoryInUseError(f"Another sandbox works on {self.path}.") from None
        except BaseException:
            file.close()
            raise
        return file

    def _checked(self) -> _Mark:
        """See that the database is the directory's newest and knows its files; tidy up what a killed run left."""
        known = self._read_mark()
        found = read_database(self.database) if known else self._recognised()
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
        """Return how many changes the newest database has at least.

        What was counted while it ran is good as long as the machine was not started anew meanwhile: a power failure may
        cost the database its last transactions.
        """
        counted = os.pread(self._lock.fileno(), 64, 0)
        if not mark.has_database or mark.is_closed or mark.boot != _boot() or not _COUNTER.fullmatch(counted):
            return mark.changes
        return max(mark.changes, int(counted))

    def _check_files(self, named: frozenset[str], mark: _Mark) -> None:
        """See that the database knows every file that has a name of ours, and that all of its models' files are there.

        A segment of the log is not on the disk before its row is, and a power failure may cost it.
        """
        for name in named:
            if not _OURS_BY_NAME.fullmatch(name):
                raise DataDirectoryError(
                    f"{self.database} names a file {name!r}, which no sandbox has: put the directory's own database "
                    f"back, or take another data directory."
                )
            self._check_part(name, "file", _is_file)
        self._check_models(name for name in named if name.startswith("models/"))
        known = named.union(name for _, name in self._pending(mark))
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
        """Yield the paths of what is in `models` and `log`."""
        for folder in (self.models, self.log):
            if folder.exists():
                yield from (f"{folder.name}/{entry.name}" for entry in folder.iterdir())

    def _make_private(self, named: frozenset[str]) -> None:
        """Take the rights of others from the directory and from what is ours in it."""
        self.path.chmod(0o700)
        for name in (*_FOLDERS, *_FILES, *named):
            with suppress(FileNotFoundError):
                part = self.path / name
                found = part.lstat().st_mode
                if found & _OTHERS:
                    part.chmod(stat.S_IMODE(found) & ~_OTHERS)

    def begin(self, changes: int) -> None:
        """Note that the database is there, and how many transactions have changed it so far."""
        self.count(changes)
        self._write_mark(has_database=True, changes=changes, is_closed=False, boot=_boot())

    def count(self, changes: int) -> None:
        """Note how many transactions have changed the database; it outlasts the process, but no power failure."""
        os.pwrite(self._lock.fileno(), b"%020d\n" % changes, 0)

    def _write_mark(self, **fields: Any) -> None:
        self._mark = replace(self._mark, **fields)
        write_atomically(self.path / MARK, self._mark.to_bytes(), mode=PRIVATE, durable=True)

    @property
    def id(self) -> str:
        """The name that the database has of it, too."""
        return self._mark.id

    def end(self, changes: int) -> None:
        """Note that the database was closed, after so many changes."""
        with suppress(OSError):  # without room for it, the next start sees a run that was killed
            self._write_mark(changes=changes, is_closed=True)

    def close(self) -> None:
        """Let another process work on it."""
        self._lock.close()

    def announce(self, file: Path) -> None:
        """Note that a file is ours, and is to be removed where no row names it at the next `remove_pending`."""
        with suppress(FileExistsError):
            create_file(self._note(file)).close()

    def settle(self, file: Path) -> None:
        """Take that note away: the file has a row, or is gone."""
        self._note(file).unlink(missing_ok=True)

    def _note(self, file: Path) -> Path:
        return self.staging / f"{file.parent.name}.{file.name}.{self.id}.{_PENDING}"

    def remove_pending(self, named: Iterable[str]) -> None:
        """Remove the announced files that no row names, while nobody announces any.

        Args:
            named: The paths of those that rows name.
        """
        self._remove_pending(frozenset(named), self._mark)

    def _remove_pending(self, named: frozenset[str], mark: _Mark) -> None:
        for note, name in self._pending(mark):
            file = self.path / name
            if name not in named and _is_file_at(file):
                file.unlink()
            note.unlink()

    def _pending(self, mark: _Mark) -> list[tuple[Path, str]]:
        """Return the notes of announced files, with the files' paths."""
        form = re.compile(rf"(models|log)\.([^/]+)\.{re.escape(mark.id)}\.{_PENDING}")
        found = [(note, form.fullmatch(note.name)) for note in _entries(self.staging)]
        return [(note, f"{match[1]}/{match[2]}") for note, match in found if match and _is_file_at(note)]

    def _remove_uploads(self, mark: _Mark) -> None:
        """Remove what arrived in a run that was killed: it was never acknowledged."""
        form = re.compile(rf"{_UUID}\.{re.escape(mark.id)}\.{_UPLOAD}")
        for file in _entries(self.staging):
            if form.fullmatch(file.name) and _is_file_at(file):
                file.unlink()


def new_upload(staging: Path) -> Path:
    """Return a new path for a file that arrives; its name says that it is ours.

    Args:
        staging: The `staging` of an open data directory.
    """
    mark = json.loads((staging.parent / MARK).read_bytes())
    return staging / f"{uuid.uuid4()}.{mark['id']}.{_UPLOAD}"


def _made(directory: Path) -> Path:
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError):
        raise DataDirectoryError(f"{directory} is no directory: name another one for the data.") from None
    return directory.resolve()


def _check_lock(path: Path, content: bytes) -> None:
    """See that a file has a number of changes and nothing else, which is what is written there."""
    if not _COUNTER_OR_A_PART.fullmatch(content):
        raise DataDirectoryError(f"{path} is not the lock of a sandbox: move it away, or name another data directory.")


def _entries(directory: Path) -> list[Path]:
    return list(directory.iterdir()) if directory.exists() else []


def _is_file(mode: int) -> bool:
    return stat.S_ISREG(mode)


def _is_file_at(path: Path) -> bool:
    """Return whether a path is that of a file, and not of a link to one."""
    try:
        return stat.S_ISREG(path.lstat().st_mode)
    except FileNotFoundError:
        return False


def _boot() -> str:
    """Return what names the time since the machine was started; empty where the system does not say."""
    try:
        return _BOOT_ID.read_text(encoding="ascii").strip()
    except OSError:
        return ""
