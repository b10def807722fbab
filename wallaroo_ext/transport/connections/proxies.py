"""Which requests go through a proxy: one rule for all requests of this package.

Proxies come from `HTTPS_PROXY`, `HTTP_PROXY` and `ALL_PROXY`, in upper or lower case, or from the system's settings
where it has some; `NO_PROXY` excepts hosts. Requests to this machine never go through one: the proxy would see the
password, and `localhost` is another machine there.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.request import getproxies

import httpx

from wallaroo_ext._util.urls import display_address, parse_url, with_plain_zone
from wallaroo_ext.errors import ConfigurationError
from wallaroo_ext.transport.connections.no_proxy import NoProxy, address_of, host_of

if TYPE_CHECKING:
    import ssl

    from wallaroo_ext.redaction.known_secrets import KnownSecrets

_THIS_MACHINE = ("localhost", "localhost.localdomain", "localhost4", "localhost6", "ip6-localhost", "ip6-loopback")
_SCHEMES = ("http", "https", "socks5", "socks5h")
_SOCKS = "socks5"
_HALF_A_SCHEME = re.compile(r"(?:https?|socks\w*):/", re.IGNORECASE)
"""How `http:/proxy` begins, which is no host of the name `http`."""


@dataclass(frozen=True, slots=True)
class Proxy:
    """A proxy that the environment names.

    Attributes:
        variable: The name of the variable.
        url: The URL, with the password.
    """

    variable: str
    url: str = field(repr=False)

    @property
    def address(self) -> str:
        """The host and port of the proxy."""
        return display_address(self.url)

    @property
    def is_encrypted(self) -> bool:
        """Whether the proxy itself speaks TLS."""
        return self.url.lower().startswith("https:")

    @property
    def is_socks(self) -> bool:
        """Whether the proxy speaks SOCKS."""
        return self.url.lower().startswith(_SOCKS)

    def for_httpx(self, context: ssl.SSLContext) -> httpx.Proxy:
        """Return the proxy in the form that httpx takes.

        Args:
            context: The TLS settings for a proxy that speaks TLS.

        Raises:
            ConfigurationError: It is no URL, or of a kind that cannot be used.
        """
        url = parse_url(self.url)
        if url is not None and url.scheme and url.scheme not in _SCHEMES:
            raise self.refusal(f"speaks {url.scheme!r}; it can be {', '.join(_SCHEMES[:-1])} or {_SCHEMES[-1]}")
        is_cut_off = url is not None and "@" in f"{url.path}{url.query!r}{url.fragment}"  # its password goes on there
        if url is None or not url.scheme or not url.host or is_cut_off:
            escaped = "; an @, / or # in its password is written as %40, %2F or %23" if "@" in self.url else ""
            raise self.refusal(f"is no URL such as http://proxy.example.com:3128{escaped}")
        return httpx.Proxy(url, ssl_context=context if self.is_encrypted else None)

    def refusal(self, reason: str) -> ConfigurationError:
        """Return the error for a proxy that cannot be used.

        Args:
            reason: Why, as the predicate of a sentence about the proxy.
        """
        return ConfigurationError(
            f"The proxy that {self.variable} names {reason}.",
            advice=f"Correct or unset {self.variable}, or list the instance's host in NO_PROXY.",
        )


class EnvironmentProxies:
    """The proxies of the environment, as it is when this is made."""

    def __init__(self) -> None:
        named = getproxies()
        self._by_scheme = {
            scheme: Proxy(_variable(scheme), _with_scheme(url.strip()))
            for scheme in ("http", "https", "all")
            if (url := named.get(scheme, "")).strip()
        }
        self._exceptions = NoProxy(named.get("no", ""))

    def find(self, url: httpx.URL) -> Proxy | None:
        """Return the proxy for a request; None if it goes without one."""
        if not self._by_scheme or is_loopback(host_of(url)) or self._exceptions.excepts(url):
            return None
        return self._by_scheme.get(url.scheme) or self._by_scheme.get("all")

    def remember_passwords(self, secrets: KnownSecrets) -> None:
        """Add the passwords of the proxies to the known secrets."""
        for proxy in self._by_scheme.values():
            try:
                url = httpx.URL(proxy.url)
            except (httpx.InvalidURL, ValueError):
                continue
            secrets.add_client(url.username, url.password)


def proxy_for(url: httpx.URL) -> str | None:
    """Return the URL of the proxy for a request, with its password; None if it goes without a proxy."""
    proxy = EnvironmentProxies().find(url)
    return None if proxy is None else proxy.url


def is_loopback(host: str) -> bool:
    """Return whether a host is this machine by its name or address, without looking it up."""
    name = host.strip("[]").rstrip(".").lower()
    if name in _THIS_MACHINE or name.endswith(".localhost"):
        return True
    address = address_of(name)
    return address is not None and (address.is_loopback or address.is_unspecified)


def _with_scheme(url: str) -> str:
    """Return the URL of a proxy with its scheme: without one it is http, and `socks`, as desktops write it, SOCKS 5."""
    scheme, separator, rest = with_plain_zone(url).partition("://")
    if not separator:
        return url if _HALF_A_SCHEME.match(url) else f"http://{scheme}"
    return f"{_SOCKS if scheme.lower() == 'socks' else scheme}://{rest}"


def _variable(scheme: str) -> str:
    """Return the name of the variable that a proxy comes from; one in lower case counts before others."""
    name = f"{scheme}_proxy"
    same = [each for each, value in os.environ.items() if each.lower() == name and value]
    return name if name in same else next(iter(same), "the system")
