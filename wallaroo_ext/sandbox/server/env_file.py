"""Files of `export NAME=VALUE` lines for a client's environment, readable by their owner only, since they have secrets.

An existing file is overwritten only if it is empty, or has exactly the lines that a sandbox or scripts/keycloak writes.
The file carries no marker, because it has the lines that are also printed for shells to evaluate.
"""

from __future__ import annotations

import os
import re
import shlex
import stat
from typing import TYPE_CHECKING

from wallaroo_ext._util.files.atomic_files import PRIVATE, write_atomically

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_VALUE = r"""(?:'[^']*'|"'"|[^\s'"])*"""


def _pattern(*names: str) -> str:
    """Return a pattern of lines that set variables in this order, to any value unless the name includes one."""
    return "".join(rf"export {name if '=' in name else f'{name}={_VALUE}'}\n" for name in names)


_USER = ("WALLAROO_CLIENT_ID", "WALLAROO_CLIENT_SECRET", "WALLAROO_USER=user@example[.]com", "WALLAROO_PASSWORD")
_SANDBOX = (
    f"{_pattern('WALLAROO_API_URL', 'WALLAROO_AUTH_URL')}(?:{_pattern(*_USER)})?(?:{_pattern('WALLAROO_CA_BUNDLE')})?"
)
_KEYCLOAK = _pattern(
    "WALLAROO_AUTH_URL",
    "WALLAROO_CLIENT_ID",
    "WALLAROO_CLIENT_SECRET",
    "WALLAROO_USER",
    "WALLAROO_PASSWORD",
    "KC_BOOTSTRAP_ADMIN_USERNAME",
    "KC_BOOTSTRAP_ADMIN_PASSWORD",
)
_KNOWN_CONTENT = re.compile(f"(?:{_SANDBOX}|{_KEYCLOAK})?")


class EnvFileError(Exception):
    """A file for the environment cannot be written, or has other content; the message says what to do."""


def env_lines(variables: Mapping[str, str]) -> str:
    """Return shell lines that set variables."""
    return "".join(f"export {name}={shlex.quote(value)}\n" for name, value in variables.items())


def check_env_file(path: Path) -> None:
    """Check that a file can be written and would not overwrite other content, before any work is done.

    Raises:
        EnvFileError: The path is a link or no file, has other content, or cannot be read or created.
    """
    try:
        status = path.lstat()
        if not stat.S_ISREG(status.st_mode):
            raise EnvFileError(f"--env-file {path} is a link or no file, and gets a password: name a new file.")
        if not _KNOWN_CONTENT.fullmatch(path.read_bytes().decode("utf-8", "replace")):
            raise EnvFileError(
                f"--env-file {path} has content that this program did not write: name a new file, or remove it."
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
    """Write lines to a file that only its owner can read, unless the file has other content.

    Raises:
        EnvFileError: The file has other content, or cannot be written.
    """
    check_env_file(path)
    try:
        write_atomically(path, lines.encode(), mode=PRIVATE)
    except OSError as error:
        raise EnvFileError(f"--env-file {path} cannot be written: {error.strerror}.") from None
