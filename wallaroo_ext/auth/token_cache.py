"""Tokens in files, so that the next program of the same user finds them."""

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

from wallaroo_ext._util.atomic_files import PRIVATE, is_temporary_name, write_atomically
from wallaroo_ext._util.file_lock import locked
from wallaroo_ext._util.json_values import object_of
from wallaroo_ext._util.user_paths import user_path
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
_EARLIER_NAME = re.compile(r"\.[a-z0-9_]{8}\.new")  # of releases up to 0.1
_BEGINNING = b'{"key": [1, "'
_OTHERS = stat.S_IRWXG | stat.S_IRWXO
_OPEN_SAFELY = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)


class _UntrustedError(Exception):
    """A file or directory that is not taken for the user's own; the message says why."""


class TokenCache:
    """The file with the token of one user, by one client and grant, at one token endpoint.

    The file's name is a digest of all of these, each apart from the others, and they stand in the file again, so that
    no two of them share one. It is readable by its owner only, in a directory of which the same is true, and it is
    replaced as a whole. It holds the wall clock's time only to reckon how old the token is; a file from the future is
    not used. One that is damaged, another user's, or open to others is not used either, and a warning says so.

    Renewals of several processes take turns by a lock on a second file, and each begins with what the one before has
    left, so that a refresh token that is good for one use is used once.

    Args:
        directory: Where the files are.
        url: The token endpoint.
        who: The client and the user. A given refresh token stands for its user, who is not known.
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
        who: Credentials,
        grant: str,
        scope: str | None,
        clock: Callable[[], float],
        wall_clock: Callable[[], float] = time.time,
    ) -> None:
        given = None if who.refresh_token is None else _digest(who.refresh_token)
        self._key = [_FORMAT, url, who.client_id, who.username, given, grant, scope]
        self._directory = user_path(directory)
        self._file = self._directory / f"{_digest(json.dumps(self._key))}.json"
        self._clock = clock
        self._wall_clock = wall_clock

    def renewing(self, renew: Callable[[Token | None], Token]) -> Callable[[Token | None], Token]:
        """Return a renewal by way of the cache: what it has, or else a new token, which it then has."""

        def renewed(old: Token | None) -> Token:
            with ExitStack() as stack:
                if not self._prepared(stack):
                    return renew(old)
                self._remove_leftovers()
                newest = self._newest(old)
                if newest is not old and newest is not None and self._clock() < newest.renew_at:
                    logger.debug("The token comes from the cache.")
                    return newest
                token = renew(newest)
                self._write(token)
                return token

        return renewed

    def forget(self) -> None:
        """Delete the file, and what was left of writing it by a process that was killed."""
        with suppress(FileNotFoundError):
            self._file.unlink()
        with suppress(OSError):  # others hold the lock: they are writing, or remove it themselves
            if self._directory.is_dir():
                with locked(self._file.with_suffix(".lock"), 0.0):
                    self._remove_leftovers()

    def _prepared(self, stack: ExitStack) -> bool:
        """Make the directory and take the lock; whether the cache can be used."""
        try:
            self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            _check_private(self._directory.stat(), "the directory")
            stack.enter_context(locked(self._file.with_suffix(".lock"), _LOCK_SECONDS))
        except (OSError, _UntrustedError) as error:
            self._warn(error)
            return False
        return True

    def _remove_leftovers(self) -> None:
        """Remove what processes left that were killed while they wrote a token; called with the lock."""
        for path in self._directory.iterdir():
            if self._is_left(path):
                path.unlink(missing_ok=True)

    def _is_left(self, path: Path) -> bool:
        """Return whether a file is what was left of one of ours, and nobody writes it any more.

        Who writes this user's file has the lock, and so do we; any other one is written in less than an hour.
        """
        if is_temporary_name(path.name, self._file.name):
            return True
        if _UNFINISHED.fullmatch(path.name):
            return _is_old(path)
        if not _EARLIER_NAME.fullmatch(path.name):
            return False
        with suppress(OSError, _UntrustedError):
            content = self._content_of(path)
            key = _json_object(content).get("key")
            return key == self._key or (content.startswith(_BEGINNING) and _is_old(path))
        return False

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
        """Return what is in a file of this user's that nobody else may read."""
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
        age = self._wall_clock() - written_at
        if not 0 <= age < math.inf:
            raise _UntrustedError("it is from the future: the clock was set back")
        token = Token.from_answer(content, self._clock() - age)
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
    """Return where a user's caches are, by the platform's rules, and in there the tokens.

    Raises:
        ConfigurationError: The user has no home.
    """
    try:
        home = home or Path.home()
    except RuntimeError:
        raise ConfigurationError("This user has no home for a cache: give a directory as cache=.") from None
    return _caches(environment, platform, home) / "wallaroo-ext" / "tokens"


def _caches(environment: Mapping[str, str], platform: str, home: Path) -> Path:
    if platform == "win32":
        return Path(environment.get("LOCALAPPDATA") or home / "AppData" / "Local")
    if platform == "darwin":
        return home / "Library" / "Caches"
    named = environment.get("XDG_CACHE_HOME") or ""
    return Path(named) if named.startswith("/") else home / ".cache"  # a relative one does not count, by the rules


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _check_private(status: os.stat_result, what: str) -> None:
    """Raise unless only this user may read and write; on Windows, the profile's rights say so."""
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
