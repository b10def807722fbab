"""Locations of files as people write them: paths, and URLs, which may hold passwords."""

from __future__ import annotations

import os
import re

_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+(::[a-z0-9]+)*://")
"""The beginning of a URL. One letter is a drive of Windows."""

_CHAIN = re.compile(r"::(?![^/\[]*\])")
"""Stands between the links of a URL, and not in an address of IPv6."""


def is_url(location: str | os.PathLike[str]) -> bool:
    """Return whether a location is a URL, such as `s3://bucket/rows.csv`, and no path."""
    return bool(_URL.match(os.fspath(location)))


def links_of(url: str) -> list[str]:
    """Return the links of a URL of fsspec, such as `zip://rows.csv` and `https://host/rows.zip`; most have one."""
    return _CHAIN.split(url)


def without_secrets(location: str | os.PathLike[str]) -> str:
    """Return a location for a message: of a URL, without the user, the password and the query, which may be secret."""
    text = os.fspath(location)
    return "::".join(map(_link_without_secrets, links_of(text))) if is_url(text) else text


def _link_without_secrets(link: str) -> str:
    scheme, sign, rest = link.partition("://")
    if not sign:
        return link
    host, slash, path = re.split(r"[?#]", rest, maxsplit=1)[0].partition("/")
    return f"{scheme}://{host.rpartition('@')[2]}{slash}{path}"
