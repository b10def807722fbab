"""Finding the file system of a path or a URL, of pyarrow or of fsspec."""

from __future__ import annotations

import os
import re
from contextlib import contextmanager
from importlib import import_module
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from wallaroo_ext._util.files.user_paths import user_text
from wallaroo_ext._util.locations import is_url, links_of, without_secrets
from wallaroo_ext.errors import ConfigurationError, InvalidDataError
from wallaroo_ext.inference.files.opening.storage_options import StoredUrl
from wallaroo_ext.redaction.known_secrets import remove_known_secrets

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping

    from pyarrow.fs import FileSystem

pa: Any = import_module("pyarrow")
fs: Any = import_module("pyarrow.fs")

_BY_ARROW = {"s3", "gs", "gcs", "hdfs", "viewfs"}
"""The schemes that pyarrow opens. For Azure, its library ends the whole process where it finds no credentials."""

_GOOGLE = {"gs", "gcs"}
_GOOGLE_OPTION = "retry_limit_seconds"
_GOOGLE_SECONDS = 60
"""How long Google's library tries again where nothing answers; by itself, a quarter of an hour."""

_PACKAGES = {
    **dict.fromkeys(("http", "https"), "aiohttp"),
    **dict.fromkeys(("s3", "s3a"), "s3fs"),
    **dict.fromkeys(("gs", "gcs"), "gcsfs"),
    **dict.fromkeys(("az", "abfs", "abfss"), "adlfs"),
    "hf": "huggingface_hub",
}
"""What fsspec needs for the schemes that people use most."""

_MOST_REASON = 300
_ADVICE = " Look at its name, the credentials and the network, or copy the file to this machine."
_UNKNOWN = " Name it as s3://, gs://, abfss:// or https://, or copy the file to this machine."


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
    if _is_local(text):
        return fs.LocalFileSystem(), _local_path(text)
    scheme = _scheme(text)
    if scheme not in _BY_ARROW:
        return _resolve_by_fsspec(text)
    with reaching(text):
        try:
            return fs.FileSystem.from_uri(_with_limit(text) if scheme in _GOOGLE else text)
        except pa.ArrowInvalid:
            return _resolve_by_fsspec(text)


def _scheme(url: str) -> str:
    return url.partition(":")[0].lower()


def _with_limit(url: str) -> str:
    """Return a URL of Google's with a limit for tries, unless it has one."""
    sign = "&" if "?" in url else "?"
    return url if f"{_GOOGLE_OPTION}=" in url else f"{url}{sign}{_GOOGLE_OPTION}={_GOOGLE_SECONDS}"


@contextmanager
def reaching(location: str | os.PathLike[str], system: Any = None) -> Generator[None]:
    """Raise ConfigurationError if a file of another machine cannot be reached in the block.

    Args:
        location: Its URL, or its path in its file system.
        system: The file system, if it is known; the location is a URL otherwise.
    """
    try:
        yield
    except FileNotFoundError:
        raise
    except OSError as error:
        text = os.fspath(location)
        is_local = _is_local(text) if system is None else isinstance(system, fs.LocalFileSystem)
        if is_local:
            raise
        raise _unreachable(text, error, _ADVICE) from error


def _is_local(location: str) -> bool:
    return not is_url(location) or location.lower().startswith("file://")


def _local_path(location: str) -> str:
    """Return a path as an absolute one.

    That of a `file://` URL is as it is written if there is such a file, as people write it, or decoded.
    """
    if not is_url(location):
        return os.path.abspath(user_text(location))  # noqa: PTH100 - it may be a pattern
    written = re.sub(r"^file://(localhost(?=/))?", "", location, flags=re.IGNORECASE)
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
        raise _lacking(url, error) from error
    except ValueError as error:
        if "Protocol not known" in str(error):
            raise _lacking(url, error, _UNKNOWN) from error
        raise _unreachable(url, error) from error
    except Exception as error:  # each file system has its own for options that it does not take or that are missing
        raise _unreachable(url, error, _ADVICE if options is None else " Look at `storage_options`.") from error
    return as_arrow_filesystem(filesystem), path


def _lacking(url: str, error: Exception, advice: str = "") -> ConfigurationError:
    """Return the error for a URL that no installed library opens."""
    package = _PACKAGES.get(_scheme(url))
    if package is None:
        return _unreachable(url, error, advice)
    return ConfigurationError(f"{without_secrets(url)} needs {package}: pip install fsspec {package}.")


def _unreachable(url: str, error: Exception, advice: str = "") -> ConfigurationError:
    shown = without_secrets(url)
    reason = str(error).strip().partition("\n")[0].replace(url, shown).rstrip(".") or type(error).__name__
    for link in links_of(url):
        reason = reason.replace(link, without_secrets(link))
    reason = remove_known_secrets(reason)
    reason = reason if len(reason) <= _MOST_REASON else f"{reason[:_MOST_REASON]}…"
    return ConfigurationError(f"{shown} cannot be opened: {reason}.{advice}")
