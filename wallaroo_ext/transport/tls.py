"""The certificates that are trusted where nothing else is said, read once for all clients."""

from __future__ import annotations

import os
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import httpx

from wallaroo_ext._util.after_fork import fork_lock

if TYPE_CHECKING:
    import ssl

_NAMED_BY = ("SSL_CERT_FILE", "SSL_CERT_DIR")
"""The environment variables that httpx takes them from, in place of those that it comes with."""


def shared_tls_context(*, verify: bool) -> ssl.SSLContext:
    """Httpx's own TLS settings, shared among clients, because reading the authorities' certificates takes 30 ms.

    They are read anew when they have changed.

    Args:
        verify: Whether certificates are checked.
    """
    if not verify:
        return new_tls_context(verify=False)
    return _as_of(tuple(_version(os.environ.get(name)) for name in _NAMED_BY))


@lru_cache(maxsize=1)
def _as_of(_: tuple[tuple[str | None, int], ...]) -> ssl.SSLContext:
    return new_tls_context()


def new_tls_context(*, verify: bool = True) -> ssl.SSLContext:
    """Return httpx's own TLS settings, made anew; no fork comes in the middle of it."""
    with fork_lock():
        return httpx.create_ssl_context(verify)


def _version(named: str | None) -> tuple[str | None, int]:
    """Return what tells one version of a file or a directory from another."""
    try:
        return named, Path(named).stat().st_mtime_ns if named else 0
    except OSError:
        return named, 0  # httpx says what is wrong with it
