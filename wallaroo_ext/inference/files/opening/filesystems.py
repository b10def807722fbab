"""Finding the file system of a path or a URL, of pyarrow or of fsspec."""

from __future__ import annotations

import os
import re
from importlib import import_module
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from wallaroo_ext._util.files.user_paths import user_text
from wallaroo_ext.errors import ConfigurationError, InvalidDataError
from wallaroo_ext.inference.files.opening.storage_options import StoredUrl, is_url
from wallaroo_ext.redaction.known_secrets import remove_known_secrets

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pyarrow.fs import FileSystem

pa: Any = import_module("pyarrow")
fs: Any = import_module("pyarrow.fs")

_PACKAGES = {"http": "aiohttp", "https": "aiohttp", "s3": "s3fs", "gs": "gcsfs", "gcs": "gcsfs", "az": "adlfs"}
"""What fsspec needs for the schemes that people use most."""


def without_secrets(location: str | os.PathLike[str]) -> str:
    """Return a location for a message: of a URL, without the user, the password and the query, which may be secret."""
    text = os.fspath(location)
    scheme, sign, rest = text.partition("://")
    if not sign or not is_url(text):
        return text
    host, slash, path = re.split(r"[?#]", rest, maxsplit=1)[0].partition("/")
    return f"{scheme}://{host.rpartition('@')[2]}{slash}{path}"


def resolve(location: str | os.PathLike[str], filesystem: Any = None) -> tuple[FileSystem, str]:
    """Return the file system of a path or a URL, and the path in it.

    Args:
        location: A path, or a URL such as `s3://bucket/rows`.
        filesystem: A file system of pyarrow or fsspec; without one, that of the URL, or this machine's.

    Raises:
        ConfigurationError: No installed library knows the scheme of the URL, or what it names cannot be reached.
    """
    text = os.fspath(location)
    options = location.storage_options if isinstance(location, StoredUrl) else None
    if filesystem is not None:
        if options is not None:
            raise InvalidDataError("A file system has its options already: leave out the `storage_options`.")
        return as_arrow_filesystem(filesystem), text
    if options is not None:
        return _resolve_by_fsspec(text, options)
    if not is_url(text):
        return fs.LocalFileSystem(), os.path.abspath(user_text(text))  # noqa: PTH100 - it may be a pattern
    if text.lower().startswith("file://"):
        return fs.LocalFileSystem(), _local_path(text)
    try:
        return fs.FileSystem.from_uri(text)
    except pa.ArrowInvalid:
        return _resolve_by_fsspec(text)
    except OSError as error:
        raise _unreachable(text, error) from error


def _local_path(url: str) -> str:
    """Return the path of a `file://` URL: as it is written if there is such a file, as people write it, or decoded."""
    written = re.sub(r"^file://(localhost(?=/))?", "", url, flags=re.IGNORECASE)
    return written if os.path.exists(written) else unquote(re.split(r"[?#]", written, maxsplit=1)[0])  # noqa: PTH110 - as it is


def as_arrow_filesystem(filesystem: Any) -> FileSystem:
    """Return a file system of pyarrow, wrapping one of fsspec."""
    if isinstance(filesystem, fs.FileSystem):
        return filesystem
    if hasattr(filesystem, "protocol") and hasattr(filesystem, "open"):
        return fs.PyFileSystem(fs.FSSpecHandler(filesystem))
    raise InvalidDataError(f"A file system is one of pyarrow or of fsspec, not {type(filesystem).__name__}.")


def _resolve_by_fsspec(url: str, options: Mapping[str, Any] | None = None) -> tuple[FileSystem, str]:
    try:
        core: Any = import_module("fsspec.core")
    except ImportError:
        raise ConfigurationError(f"{without_secrets(url)} needs fsspec: pip install fsspec.") from None
    try:
        filesystem, path = core.url_to_fs(url, **(options or {}))
    except ImportError as error:
        package = _PACKAGES.get(url.partition(":")[0].lower())
        if package is None:
            raise _unreachable(url, error) from error
        raise ConfigurationError(f"{without_secrets(url)} needs {package}: pip install fsspec {package}.") from error
    except (ValueError, OSError) as error:
        raise _unreachable(url, error) from error
    except Exception as error:  # each file system has its own for options that it does not take or that are missing
        if options is None:
            raise
        raise _unreachable(url, error, " Look at `storage_options`.") from error
    return as_arrow_filesystem(filesystem), path


def _unreachable(url: str, error: Exception, advice: str = "") -> ConfigurationError:
    shown = without_secrets(url)
    reason = str(error).strip().partition("\n")[0].replace(url, shown).rstrip(".") or type(error).__name__
    return ConfigurationError(f"{shown} cannot be opened: {remove_known_secrets(reason)}.{advice}")
