"""Files of `export NAME=VALUE` lines that set a client's environment. They hold secrets, for their owner only.

One is ours if it has just the lines that a sandbox writes for its default user, or scripts/keycloak for its tests; an
empty file is nobody's. There is no mark in it, because it has what is printed, and that is evaluated by shells.
"""

from __future__ import annotations

import os
import re
import shlex
import stat
from typing import TYPE_CHECKING

from wallaroo_ext._util.atomic_files import PRIVATE, write_atomically

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_VALUE = r"""(?:'[^']*'|"'"|[^\s'"])*"""


def _form(*names: str) -> str:
    """Return a pattern of lines that set variables, in this order; where a value is given, to this value."""
    return "".join(rf"export {name if '=' in name else f'{name}={_VALUE}'}\n" for name in names)


_USER = ("WALLAROO_CLIENT_ID", "WALLAROO_CLIENT_SECRET", "WALLAROO_USER=user@example[.]com", "WALLAROO_PASSWORD")
_SANDBOX = f"{_form('WALLAROO_API_URL', 'WALLAROO_AUTH_URL')}(?:{_form(*_USER)})?(?:{_form('WALLAROO_CA_BUNDLE')})?"
_KEYCLOAK = _form(
    "WALLAROO_AUTH_URL",
    "WALLAROO_CLIENT_ID",
    "WALLAROO_CLIENT_SECRET",
    "WALLAROO_USER",
    "WALLAROO_PASSWORD",
    "KC_BOOTSTRAP_ADMIN_USERNAME",
    "KC_BOOTSTRAP_ADMIN_PASSWORD",
)
_OURS = re.compile(f"(?:{_SANDBOX}|{_KEYCLOAK})?")


class EnvFileError(Exception):
    """A file was named for the environment that is not one of ours; the message says what to do."""


def env_lines(variables: Mapping[str, str]) -> str:
    """Return shell lines that set variables."""
    return "".join(f"export {name}={shlex.quote(value)}\n" for name, value in variables.items())


def check_env_file(path: Path) -> None:
    """Refuse a file that could not be written, or that we did not write, before any work is done.

    Raises:
        EnvFileError: It is a link, no file, or has anything else than such lines, or it cannot be read, or made.
    """
    try:
        found = path.lstat()
        if not stat.S_ISREG(found.st_mode):
            raise EnvFileError(f"--env-file {path} is a link or no file, and gets a password: name a new file.")
        if not _OURS.fullmatch(path.read_bytes().decode("utf-8", "replace")):
            raise EnvFileError(
                f"--env-file {path} is not as this program writes such files: name a new one, or remove it."
            )
    except FileNotFoundError:
        pass
    except OSError as error:
        raise EnvFileError(f"--env-file {path} cannot be read: {error.strerror}.") from None
    _check_directory(path)


def _check_directory(path: Path) -> None:
    if not path.parent.is_dir():
        raise EnvFileError(f"There is no directory {path.parent} for --env-file {path.name}: make it, or name another.")
    if not os.access(path.parent, os.W_OK | os.X_OK):
        raise EnvFileError(f"--env-file {path} cannot be written in {path.parent}: name another directory.")
    mode = path.parent.stat().st_mode
    if mode & (stat.S_IWGRP | stat.S_IWOTH) and not mode & stat.S_ISVTX:  # as in /tmp, where others' files are safe
        raise EnvFileError(
            f"--env-file {path}: others can write to {path.parent} and could replace the file, which gets a password; "
            f"name another directory, or make it yours alone: chmod go-w {path.parent}."
        )


def write_env_file(path: Path, lines: str) -> None:
    """Write lines to a file, or replace one that has such lines only. Its owner alone may read it.

    Raises:
        EnvFileError: It has anything else, or cannot be written.
    """
    check_env_file(path)
    try:
        write_atomically(path, lines.encode(), mode=PRIVATE)
    except OSError as error:
        raise EnvFileError(f"--env-file {path} cannot be written: {error.strerror}.") from None
