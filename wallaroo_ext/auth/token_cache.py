"""A cache of tokens in files, which the next program of the same user reads."""

from __future__ import annotations

import hashlib
import json
import logging
import math
import os
import re
import stat
import sys
import time
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from wallaroo_ext._util.files.atomic_files import PRIVATE, is_temporary_name, write_atomically
from wallaroo_ext._util.files.file_lock import locked
from wallaroo_ext._util.files.user_paths import user_path
from wallaroo_ext._util.json_values import object_of
from wallaroo_ext.auth.tokens import Token
from wallaroo_ext.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from wallaroo_ext.auth.grants import Credentials

logger = logging.getLogger("wallaroo_ext.auth")

_FORMAT = 1
_LOCK_SECONDS = 90.0  # longer than a token request may take
_LEFT_SECONDS = 3600.0
_LARGEST_FILE = 1 << 20
_UNFINISHED = re.compile(r"\.[0-9a-f]{64}\.json\.(?:[0-9a-f]{16}){1,2}\.unfinished")
_OTHERS = stat.S_IRWXG | stat.S_IRWXO
_OPEN_SAFELY = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)


class _UntrustedError(Exception):
    """A file or directory that cannot be trusted; the message says why."""


class TokenCache:
    """The file with the token of one user, by one client and grant, at one token endpoint.

    The file's name is a digest of all of these, and the file repeats them, so that no two share a file. Only its owner
    may read the file and open its directory, and it is replaced atomically. It holds the wall clock's time, from which
    the token's age is computed. A file that is from the future, damaged, another user's, or open to others is not used,
    and a warning says so.

    Renewals of several processes take turns by a lock on a second file, and each starts from the token that the one
    before has written, so that a refresh token that is valid once is used once.

    Args:
        directory: The directory of the files.
        url: The token endpoint.
        credentials: The client and the user. A given refresh token identifies its user, who is not known.
        grant: The grant.
        scope: The scope that is asked for.
        clock: Seconds on a monotonic clock.
        wall_clock: Seconds since 1970.
    """

    def __init__(
        self,
        directory: str | os.PathLike[str],
        *,
        url: str,
        credentials: Credentials,
        grant: str,
        scope: str | None,
        clock: Callable[[], float],
        wall_clock: Callable[[], float] = time.time,
    ) -> None:
        given = None if credentials.refresh_token is None else _digest(credentials.refresh_token)
        self._key = [_FORMAT, url, credentials.client_id, credentials.username, given, grant, scope]
        self._directory = user_path(directory)
        self._file = self._directory / f"{_digest(json.dumps(self._key))}.json"
        self._clock = clock
        self._wall_clock = wall_clock

    def wrap(self, renew: Callable[[Token | None], Token]) -> Callable[[Token | None], Token]:
        """Return a renewal that uses the cache: it returns the cached token, or else gets a new one and caches it."""

        def renew_with_cache(old: Token | None) -> Token:
            with ExitStack() as stack:
                if not self._prepare(stack):
                    return renew(old)
                self._remove_leftovers()
                newest = self._newest(old)
                if newest is not old and newest is not None and self._clock() < newest.renew_at:
                    logger.debug("The token comes from the cache.")
                    return newest
                token = renew(newest)
                self._write(token)
                return token

        return renew_with_cache

    def forget(self) -> None:
        """Delete the file, and the temporary files that killed processes left.

        Raises:
            ConfigurationError: The file is there, and cannot be deleted.
        """
        try:
            self._file.unlink()
        except (OSError, ValueError) as error:
            if _may_exist(self._file):
                reason = getattr(error, "strerror", None) or error
                raise ConfigurationError(
                    f"The cached token {self._file} cannot be deleted: {reason}.", advice="Delete it by other means."
                ) from None
        with suppress(OSError):  # the holder of the lock removes them itself
            if self._directory.is_dir():
                with locked(self._file.with_suffix(".lock"), 0.0):
                    self._remove_leftovers()

    def _prepare(self, stack: ExitStack) -> bool:
        """Create the directory and take the lock. Return True if the cache can be used."""
        try:
            self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            _check_private(self._directory.stat(), "the directory")
            stack.enter_context(locked(self._file.with_suffix(".lock"), _LOCK_SECONDS))
        except (OSError, ValueError, _UntrustedError) as error:  # ValueError for a path that no file can have
            self._warn(error)
            return False
        return True

    def _remove_leftovers(self) -> None:
        """Remove the temporary files that killed processes left. The caller holds the lock.

        Those that cannot be found or removed stay: nothing depends on them.
        """
        with suppress(OSError):
            for path in self._directory.iterdir():
                if self._is_leftover(path):
                    path.unlink(missing_ok=True)

    def _is_leftover(self, path: Path) -> bool:
        """Return whether a file is a temporary file of this cache that nobody writes any more.

        This user's file is only written with the lock, which we hold; any other file is written in less than an hour.
        """
        if is_temporary_name(path.name, self._file.name):
            return True
        return _UNFINISHED.fullmatch(path.name) is not None and _is_old(path)

    def _newest(self, old: Token | None) -> Token | None:
        """Return the cached token, unless the old one is newer or the same."""
        try:
            cached = self._read()
        except FileNotFoundError:
            return old
        except (OSError, _UntrustedError) as error:
            self._warn(error)
            return old
        if old is not None and (cached.access == old.access or cached.obtained_at < old.obtained_at):
            return old
        return cached

    def _read(self) -> Token:
        return self._token(_json_object(self._content_of(self._file)))

    @staticmethod
    def _content_of(path: Path) -> bytes:
        """Return the content of a file, if it is this user's and nobody else may read it."""
        descriptor = os.open(path, _OPEN_SAFELY)
        with os.fdopen(descriptor, "rb") as file:
            status = os.fstat(descriptor)
            if not stat.S_ISREG(status.st_mode):
                raise _UntrustedError("it is no file")
            _check_private(status, "it")
            return file.read(_LARGEST_FILE)

    def _token(self, content: Mapping[str, Any]) -> Token:
        written_at = content.get("obtained_at")
        if content.get("key") != self._key or isinstance(written_at, bool) or not isinstance(written_at, int | float):
            raise _UntrustedError("it is damaged, or of another user")
        now = self._wall_clock()
        if not 0 <= written_at <= now:  # compared, because not every integer can be subtracted from a float
            raise _UntrustedError("it is from the future: the clock was set back")
        token = Token.from_answer(content, self._clock() - (now - written_at))
        if token is None:
            raise _UntrustedError("it has no token")
        return token

    def _write(self, token: Token) -> None:
        try:
            write_atomically(self._file, json.dumps(self._content(token)).encode(), mode=PRIVATE)
        except OSError as error:
            self._warn(error)

    def _content(self, token: Token) -> dict[str, Any]:
        never = math.isinf(token.refresh_until)
        return {
            "key": self._key,
            "obtained_at": self._wall_clock() - (self._clock() - token.obtained_at),
            "access_token": token.access,
            "expires_in": token.expires_at - token.obtained_at,
            "refresh_token": token.refresh,
            "refresh_expires_in": 0 if never else token.refresh_until - token.obtained_at,
        }

    def _warn(self, error: Exception) -> None:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else error
        logger.warning("The token cache %s is not used: %s.", self._file, reason)


def default_directory(
    environment: Mapping[str, str] = os.environ, platform: str = sys.platform, home: Path | None = None
) -> Path:
    """Return the default directory of tokens, in the user's cache directory by the platform's rules.

    Raises:
        ConfigurationError: The user has no home directory.
    """
    try:
        home = home or Path.home()
    except RuntimeError:
        raise ConfigurationError("This user has no home directory for a cache: give a directory as cache=.") from None
    return _caches(environment, platform, home) / "wallaroo-ext" / "tokens"


def _caches(environment: Mapping[str, str], platform: str, home: Path) -> Path:
    if platform == "win32":
        return Path(environment.get("LOCALAPPDATA") or home / "AppData" / "Local")
    if platform == "darwin":
        return home / "Library" / "Caches"
    named = environment.get("XDG_CACHE_HOME") or ""
    return Path(named) if named.startswith("/") else home / ".cache"  # the specification ignores a relative path


def _may_exist(path: Path) -> bool:
    """Return whether there may be a file of this path: a directory of its name is none."""
    try:
        return not stat.S_ISDIR(path.lstat().st_mode)
    except PermissionError:
        return True
    except (OSError, ValueError):
        return False


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _check_private(status: os.stat_result, what: str) -> None:
    """Raise unless only this user has access; on Windows, the profile's permissions ensure it."""
    if sys.platform == "win32":
        return
    if status.st_uid != os.geteuid():
        raise _UntrustedError(f"{what} belongs to another user")
    if status.st_mode & _OTHERS:
        raise _UntrustedError(f"{what} is open to other users (mode {stat.S_IMODE(status.st_mode):o}); chmod go= it")


def _is_old(path: Path) -> bool:
    try:
        found = path.lstat()
    except FileNotFoundError:
        return False
    return stat.S_ISREG(found.st_mode) and time.time() - found.st_mtime > _LEFT_SECONDS


def _json_object(text: bytes) -> dict[str, Any]:
    try:
        return object_of(json.loads(text))
    except (ValueError, RecursionError):
        return {}
