"""The hosts that `NO_PROXY` excepts from proxies.

An entry is a name (and what is below it), `.name` or `*.name` (only what is below it), a name with stars anywhere, an
address, a network such as `10.0.0.0/8` or `fd00::/8`, or `*`. It may have a port, a scheme before it, and brackets
around an IPv6 address. Commas, semicolons or blanks separate entries, and quotes around them, which files of variables
may have, do not count. One that is none of these is passed over: it is no reason to refuse a request.
"""

from __future__ import annotations

import ipaddress
import re
import socket
from dataclasses import dataclass
from typing import TypeAlias

import httpx

from wallaroo_ext._util.urls import LARGEST_PORT, port_of

Address: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address
Network: TypeAlias = ipaddress.IPv4Network | ipaddress.IPv6Network

_HOST_AND_PORT = re.compile(r"(?P<host>\[[^\[\]]*\](?:/\d+)?|[^\[\]:]+)(?::(?P<port>\d{1,5}))?")
_NAME = re.compile(r"[\w*.-]+", re.ASCII)
_MAPPED_BITS = 96
"""The length of `::ffff:0:0/96`, in which IPv4 addresses are mapped into IPv6."""


@dataclass(frozen=True, slots=True)
class _Entry:
    """An entry: a network or a pattern of names, with a scheme and a port if it has them."""

    scheme: str
    hosts: Network | re.Pattern[str]
    port: int | None

    def matches(self, url: httpx.URL, name: str, address: Address | None) -> bool:
        if self.scheme not in {"", "all", url.scheme} or self.port not in {None, port_of(url)}:
            return False
        if isinstance(self.hosts, re.Pattern):
            return self.hosts.fullmatch(name) is not None
        return address is not None and address in self.hosts


class NoProxy:
    """What a value of `NO_PROXY` excepts.

    Args:
        text: The value.
    """

    def __init__(self, text: str) -> None:
        parsed = (_parse(entry) for entry in re.split(r"[\s,;\"']+", text))
        self._entries = [entry for entry in parsed if entry is not None]

    def excepts(self, url: httpx.URL) -> bool:
        """Return whether a URL is reached without a proxy."""
        name = host_of(url)
        address = address_of(name)
        return any(entry.matches(url, name, address) for entry in self._entries)


def host_of(url: httpx.URL) -> str:
    """Return the host of a URL in ASCII and lower case, without brackets and without a dot at its end."""
    return url.raw_host.decode("ascii", "replace").lower().rstrip(".")


def address_of(name: str) -> Address | None:
    """Return the IP address in a text, also in short forms such as `127.1`; None if it is none.

    An IPv4 address that is mapped into IPv6 is returned as the one that it stands for.
    """
    bare = name.partition("%")[0]
    try:
        found = ipaddress.ip_address(bare)
    except ValueError:
        return _short_address(bare)
    return getattr(found, "ipv4_mapped", None) or found


def _short_address(name: str) -> Address | None:
    try:
        return ipaddress.ip_address(socket.inet_aton(name)) if name[:1].isdigit() else None
    except (OSError, UnicodeError):
        return None


def _parse(text: str) -> _Entry | None:
    """Return an entry; None if the text is none that can be understood."""
    scheme, _, rest = text.lower().rpartition("://")
    rest = rest.removesuffix("/")
    if "]:" not in rest and (network := _network(rest)) is not None:  # also an IPv6 address, whose end is no port
        return _Entry(scheme, network, None)
    found = _HOST_AND_PORT.fullmatch(rest)
    port = int(found["port"]) if found and found["port"] else None
    if found is None or (port is not None and not 0 < port <= LARGEST_PORT):
        return None
    hosts = _network(found["host"]) or _pattern(found["host"])
    return None if hosts is None else _Entry(scheme, hosts, port)


def _network(text: str) -> Network | None:
    """Return a network, or an address as a network of one; None if the text is neither."""
    bare = re.sub(r"[\[\]]|%[^/\]]*", "", text)
    try:
        found = ipaddress.ip_network(bare, strict=False)
    except ValueError:
        return None
    if isinstance(found, ipaddress.IPv6Network) and found.prefixlen >= _MAPPED_BITS:
        mapped = found.network_address.ipv4_mapped
        return found if mapped is None else ipaddress.ip_network((int(mapped), found.prefixlen - _MAPPED_BITS))
    return found


def _pattern(text: str) -> re.Pattern[str] | None:
    """Return the pattern of the names that an entry stands for; None if it is no name."""
    name = _in_ascii(text).rstrip(".")
    if not _NAME.fullmatch(name):
        return None
    stars = re.escape(name.lstrip(".")).replace(r"\*", ".*")
    if name.startswith("."):
        return re.compile(rf".+\.{stars}")
    return re.compile(stars if "*" in name else rf"(?:.+\.)?{stars}")


def _in_ascii(name: str) -> str:
    """Return a name as it is looked up, which is how a URL has it."""
    try:
        return name if name.isascii() else httpx.URL(f"http://{name}").raw_host.decode("ascii")
    except (httpx.InvalidURL, ValueError):
        return name
