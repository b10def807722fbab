"""Which requests go through a proxy: one rule for all requests of this package.

Proxies come from `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY` and `NO_PROXY`, as httpx reads them. Requests to this machine
never go through one: the proxy would see the password, and `localhost` is another machine there.
"""

from __future__ import annotations

import ipaddress
import socket
from contextlib import suppress
from typing import TYPE_CHECKING

import httpx
from httpx._utils import URLPattern, get_environment_proxies  # pyright: ignore[reportPrivateUsage] - httpx's own rule, which its clients follow

if TYPE_CHECKING:
    from wallaroo_ext.redaction.known_secrets import KnownSecrets

_THIS_MACHINE = ("localhost", "localhost.localdomain", "localhost4", "localhost6", "ip6-localhost", "ip6-loopback")


def is_loopback(host: str) -> bool:
    """Return whether a host is this machine by its name or address, without looking it up."""
    name = host.strip("[]").rstrip(".").lower()
    if name in _THIS_MACHINE or name.endswith(".localhost"):
        return True
    address = _address(name.partition("%")[0])
    if address is None:
        return False
    mapped = getattr(address, "ipv4_mapped", None) or address
    return mapped.is_loopback or mapped.is_unspecified


def _address(name: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """Return the IP address in a text, also in short forms such as `127.1`; None if it is none."""
    try:
        return ipaddress.ip_address(name)
    except ValueError:
        pass
    try:
        return ipaddress.ip_address(socket.inet_aton(name)) if name[:1].isdigit() else None
    except (OSError, UnicodeError):
        return None


def remember_proxy_passwords(secrets: KnownSecrets) -> None:
    """Add the passwords of the environment's proxies to the known secrets."""
    for proxy in get_environment_proxies().values():
        try:
            url = httpx.URL(proxy or "")
        except (httpx.InvalidURL, ValueError):
            continue
        secrets.add_client(url.username, url.password)


def bypasses_proxy(url: httpx.URL) -> bool:
    """Return whether a URL is on this machine, so that it is reached without a proxy."""
    return is_loopback(url.raw_host.decode("ascii", "replace"))


def proxy_for(url: httpx.URL) -> str | None:
    """Return the URL of the proxy for a request, with its password; None if it goes without a proxy."""
    return None if bypasses_proxy(url) else match_proxy(environment_proxies(), url)


Proxies = list[tuple[URLPattern, str | None]]
"""Patterns of URLs with their proxies, None for no proxy; the most specific first."""


def environment_proxies() -> Proxies:
    """Return the proxies that the environment names; entries of NO_PROXY that are no hosts are ignored."""
    found: Proxies = []
    for pattern, proxy in get_environment_proxies().items():
        with suppress(httpx.InvalidURL, ValueError):
            found.append((URLPattern(pattern), proxy))
    return sorted(found, key=lambda entry: entry[0])


def match_proxy(proxies: Proxies, url: httpx.URL) -> str | None:
    """Return the URL of the first proxy that matches a URL; None if there is none."""
    return next((proxy for pattern, proxy in proxies if pattern.matches(url)), None)
