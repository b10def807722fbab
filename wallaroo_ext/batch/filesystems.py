"""Finding the file system of a path or a URL, of pyarrow or of fsspec."""

from __future__ import annotations

import os
from importlib import import_module
from typing import TYPE_CHECKING, Any

from wallaroo_ext._util.files.user_paths import user_text
from wallaroo_ext.errors import ConfigurationError, InvalidDataError

if TYPE_CHECKING:
    from pyarrow.fs import FileSystem

pa: Any = import_module("pyarrow")
fs: Any = import_module("pyarrow.fs")


def resolve(location: str | os.PathLike[str], filesystem: Any = None) -> tuple[FileSystem, str]:
    """Return the file system of a path or a URL, and the path in it.

    Args:
        location: A path, or a URL such as `s3://bucket/rows`.
        filesystem: A file system of pyarrow or fsspec; without one, that of the URL, or this machine's.

    Raises:
        ConfigurationError: No installed library knows the scheme of the URL.
    """
    text = os.fspath(location)
    if filesystem is not None:
        return as_arrow_filesystem(filesystem), text
    if "://" not in text:
        return fs.LocalFileSystem(), os.path.abspath(user_text(text))  # noqa: PTH100 - it may be a pattern
    try:
        return fs.FileSystem.from_uri(text)
    except pa.ArrowInvalid:
        return _resolve_by_fsspec(text)


def as_arrow_filesystem(filesystem: Any) -> FileSystem:
    """Return a file system of pyarrow, wrapping one of fsspec."""
    if isinstance(filesystem, fs.FileSystem):
        return filesystem
    if hasattr(filesystem, "protocol") and hasattr(filesystem, "open"):
        return fs.PyFileSystem(fs.FSSpecHandler(filesystem))
    raise InvalidDataError(f"A file system is one of pyarrow or of fsspec, not {type(filesystem).__name__}.")


def _resolve_by_fsspec(url: str) -> tuple[FileSystem, str]:
    try:
        core: Any = import_module("fsspec.core")
    except ImportError:
        raise ConfigurationError(f"{url} needs fsspec: pip install fsspec.") from None
    try:
        filesystem, path = core.url_to_fs(url)
    except (ValueError, ImportError) as error:
        raise ConfigurationError(f"{url} cannot be opened: {error}") from error
    return as_arrow_filesystem(filesystem), path
