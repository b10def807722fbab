"""File systems of pyarrow and of fsspec, by an object or by a URL."""

from __future__ import annotations

import os
from importlib import import_module
from typing import TYPE_CHECKING, Any

from wallaroo_ext._util.user_paths import user_text
from wallaroo_ext.errors import ConfigurationError, InvalidDataError

if TYPE_CHECKING:
    from pyarrow.fs import FileSystem

pa: Any = import_module("pyarrow")
fs: Any = import_module("pyarrow.fs")


def resolved(place: str | os.PathLike[str], filesystem: Any = None) -> tuple[FileSystem, str]:
    """Return a file system, and a path in it.

    Args:
        place: A path, or a URL such as `s3://bucket/rows`.
        filesystem: pyarrow's or fsspec's; without one, the URL's, or the machine's.

    Raises:
        ConfigurationError: Nothing that is installed knows the URL's scheme.
    """
    text = os.fspath(place)
    if filesystem is not None:
        return wrapped(filesystem), text
    if "://" not in text:
        return fs.LocalFileSystem(), os.path.abspath(user_text(text))  # noqa: PTH100 - a pattern is no path
    try:
        return fs.FileSystem.from_uri(text)
    except pa.ArrowInvalid:
        return _by_fsspec(text)


def wrapped(filesystem: Any) -> FileSystem:
    """Return a file system of pyarrow over one of fsspec."""
    if isinstance(filesystem, fs.FileSystem):
        return filesystem
    if hasattr(filesystem, "protocol") and hasattr(filesystem, "open"):
        return fs.PyFileSystem(fs.FSSpecHandler(filesystem))
    raise InvalidDataError(f"A file system is one of pyarrow or of fsspec, not {type(filesystem).__name__}.")


def _by_fsspec(url: str) -> tuple[FileSystem, str]:
    try:
        core: Any = import_module("fsspec.core")
    except ImportError:
        raise ConfigurationError(f"{url} needs fsspec: pip install fsspec.") from None
    try:
        filesystem, path = core.url_to_fs(url)
    except (ValueError, ImportError) as error:
        raise ConfigurationError(f"{url} cannot be opened: {error}") from error
    return wrapped(filesystem), path
