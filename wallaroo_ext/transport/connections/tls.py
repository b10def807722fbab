"""The default TLS settings, whose certificates are read once for all clients."""

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
"""The environment variables that name other certificates than those that come with httpx."""


def shared_tls_context(*, verify: bool) -> ssl.SSLContext:
    """Return httpx's own TLS settings, shared among clients because reading the certificates takes 30 ms.

    The certificates are read again when the files change.

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
    """Return new TLS settings of httpx. Forks are delayed meanwhile."""
    with fork_lock():
        return httpx.create_ssl_context(verify)


def _version(named: str | None) -> tuple[str | None, int]:
    """Return a path and when it was changed, 0 if it does not exist."""
    try:
        return named, Path(named).stat().st_mtime_ns if named else 0
    except OSError:
        return named, 0  # httpx reports what is wrong
