"""URLs with the options of the file system that they name, such as an endpoint, keys or `anon`.

The values of options may be secret. They are in no `repr`, and are removed from the errors of the file system.
"""

from __future__ import annotations

import os
import re
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from typing import Any, cast
from urllib.parse import unquote_plus

from wallaroo_ext._util.locations import is_url, links_of
from wallaroo_ext.errors import InvalidDataError
from wallaroo_ext.redaction.known_secrets import KnownSecrets, remove_known_secrets

StorageOptions = Mapping[str, Any]

_HARMLESS = re.compile(
    r"endpoint|url|host|port|region|project|account_?name|bucket|profile|version|protocol|scheme|path|mode|dir|ssl"
    r"|verify|timeout|encod|block|cache|acl|style|size|retries",
    re.IGNORECASE,
)
_SECRET = re.compile(
    r"key|secret|token|passw|passphrase|credential|sas|connection_string|auth|cookie|sign", re.IGNORECASE
)
"""Names of options with secret values, whatever else is in them."""


class StoredUrl(os.PathLike[str]):
    """A URL and the options of its file system, as fsspec takes them.

    Args:
        url: The URL.
        options: The options.

    Attributes:
        storage_options: The options.
    """

    def __init__(self, url: str, options: StorageOptions) -> None:
        self._url = url
        self.storage_options = dict(options)
        self._secrets = KnownSecrets()
        self._secrets.add(*_secret_texts(self.storage_options))

    def __fspath__(self) -> str:
        """Return the URL."""
        return self._url

    def __str__(self) -> str:
        """Return the URL."""
        return self._url

    def __repr__(self) -> str:
        """Return the URL, without the options."""
        return repr(self._url)


def with_storage_options(source: Any, options: Any, argument: str = "storage_options") -> Any:
    """Return a source whose URLs are opened with options; without options, the source as it is.

    Args:
        source: A URL, or a list of them.
        options: What fsspec takes for their file system; None for what it finds by itself.
        argument: The name of the options, for messages.

    Raises:
        InvalidDataError: Something else than URLs is opened, or the options are no mapping.
    """
    if options is None:
        return source
    options = check_storage_options(options, argument)
    if isinstance(source, list | tuple):
        return [with_storage_options(each, options, argument) for each in cast("list[Any]", source)]
    if not isinstance(source, str | os.PathLike) or not is_url(cast("Any", source)):
        option = f"--{argument.removesuffix('s').replace('_', '-')}"
        raise InvalidDataError(
            f"`{argument}` ({option} on the command line) are for URLs, such as s3://bucket/rows.csv: leave them out, "
            "or name one."
        )
    return StoredUrl(os.fspath(cast("str | os.PathLike[str]", source)), options)


def is_secret(name: str, value: object = "") -> bool:
    """Return whether an option of this name has a secret value.

    Of numbers, only those are that a name says it of: most are sizes and times, by any names.
    """
    if value is None or isinstance(value, bool):
        return False
    return bool(_SECRET.search(name)) or (isinstance(value, str) and not _HARMLESS.search(name))


def check_storage_options(options: object, argument: str = "storage_options") -> StorageOptions:
    """Return options of a file system.

    Raises:
        InvalidDataError: They are no mapping of names.
    """
    if isinstance(options, Mapping):
        known = cast("Mapping[Any, Any]", options)
        if all(isinstance(name, str) for name in known):
            return known
    kind = type(cast("Any", options)).__name__
    raise InvalidDataError(
        f"`{argument}` are the options that fsspec takes for a URL, by their names, not a {kind}: {{'anon': True}}, "
        "for one."
    )


@contextmanager
def secrets_removed(*locations: Any) -> Generator[None]:
    """Remove from errors of the block the secrets that are known, also from what caused them.

    Args:
        locations: What the block opens; the passwords in URLs, and what may be secret in their queries, are removed,
            too.
    """
    known = KnownSecrets()
    known.add(*_secrets_of_urls(locations))
    try:
        yield
    except Exception as error:
        _clean(error)
        raise


def _secrets_of_urls(locations: Any) -> Generator[str]:
    """Yield what may be secret in the URLs among locations, which may be in lists."""
    for each in locations:
        if isinstance(each, list | tuple):
            yield from _secrets_of_urls(each)
        elif isinstance(each, str | os.PathLike):
            yield from _secrets_of_url(os.fsdecode(cast("Any", each)))


def _secrets_of_url(url: str) -> Generator[str]:
    """Yield the passwords and the secret parts of the queries of a URL, as they are written and as they are meant."""
    for link in links_of(url) if is_url(url) else ():
        rest, _, query = link.partition("://")[2].partition("?")
        password = rest.partition("/")[0].rpartition("@")[0].partition(":")[2]
        values = (value for name, _, value in (each.partition("=") for each in query.split("&")) if is_secret(name))
        for secret in (password, *values):
            yield from dict.fromkeys((secret, unquote_plus(secret)))


def _secret_texts(options: Mapping[Any, Any]) -> Generator[str]:
    """Yield the texts of options that may be secret, at any depth."""
    for name, value in options.items():
        yield from _texts(value, secret=is_secret(str(name)))


def _texts(value: Any, *, secret: bool) -> Generator[str]:
    if isinstance(value, Mapping):
        yield from _secret_texts(cast("Mapping[Any, Any]", value))
    elif isinstance(value, list | tuple | set):
        for each in cast("list[Any]", value):
            yield from _texts(each, secret=secret)
    elif isinstance(value, bytes) and secret:
        yield value.decode("utf-8", errors="replace")
    elif isinstance(value, str) and secret:
        yield value


def _clean(error: BaseException | None) -> None:
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        error.args = tuple(remove_known_secrets(each) if isinstance(each, str) else each for each in error.args)
        for name in ("strerror", "filename", "filename2"):
            text = getattr(error, name, None)
            if isinstance(text, str) and remove_known_secrets(text) != text:
                setattr(error, name, remove_known_secrets(text))
        error = error.__cause__ or error.__context__
