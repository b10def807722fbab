"""The origins that a token may be sent to: those of the instance, and no others."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wallaroo_ext._util.urls import origin_of, parse_http_url
from wallaroo_ext.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterable

    import httpx


class Origins:
    """The origins that a token is sent to. An origin is a scheme, a host and a port; all three have to match.

    The origins of the API and of Keycloak are allowed. An inference host is allowed with https, and with http only if
    the API itself uses http. If a URL has http and port 80, the same host with https and port 443 is allowed as well,
    because httpx keeps the Authorization header when a server redirects to https.

    Hosts are compared as httpx normalises them: in lower case, international names in their ASCII form, the default
    port left out. A name with a dot at its end is another name.

    Args:
        api_url: The API's URL.
        auth_url: A URL of Keycloak; None if there is none.
        inference_hosts: Further hosts, as `host`, `host:port` or a URL without a path.

    Raises:
        ConfigurationError: One of them is no host, or has a scheme that is not allowed.
    """

    def __init__(self, api_url: str, auth_url: str | None = None, inference_hosts: Iterable[str] | None = None) -> None:
        self.home = parse_http_url(api_url, "The API's URL")
        given = [self.home] if auth_url is None else [self.home, parse_http_url(auth_url, "Keycloak's URL")]
        allowed = {origin_of(url) for whole in given for url in (whole, _to_https(whole))}
        hosts = (inference_hosts,) if isinstance(inference_hosts, str) else inference_hosts or ()
        for host in hosts:
            allowed.update(map(origin_of, self._inference_urls(host)))
        self._allowed = frozenset(allowed)

    def check(self, url: httpx.URL) -> None:
        """Raise ConfigurationError unless a token may be sent to a URL."""
        if origin_of(url) not in self._allowed:
            raise ConfigurationError(self._refusal(url))

    def _inference_urls(self, host: str) -> list[httpx.URL]:
        if not isinstance(host, str):  # pyright: ignore[reportUnnecessaryIsInstance] - callers may be untyped
            raise ConfigurationError(f"`inference_hosts` has texts only, no {type(host).__name__}.")
        url = parse_http_url(host if "://" in host else f"https://{host}", "Each of inference_hosts")
        if "*" in url.host or url.raw_path not in {b"/", b""}:
            raise ConfigurationError(f"{host!r} in inference_hosts is no host: write host, host:port or https://host.")
        if self.home.scheme == "http":
            return [url.copy_with(scheme="https"), url.copy_with(scheme="http")]
        if url.scheme == "http":
            raise ConfigurationError(f"{host!r} in inference_hosts would get tokens without encryption: use https.")
        return [url]

    def _refusal(self, url: httpx.URL) -> str:
        where = origin_of(url)
        if url.scheme == "http" and origin_of(url.copy_with(scheme="https")) in self._allowed:
            return f"The token of {self.home.host} is not sent to {where}, which is not encrypted: use https."
        return (
            f"The token of {self.home.host} is not sent to {where}, which is another origin. Take inference URLs from "
            f"get_pipeline_external_url; if this host is the instance's own, name it in inference_hosts."
        )


def _to_https(url: httpx.URL) -> httpx.URL:
    """Return the https URL of the same host for a URL of http on the default port; otherwise the URL itself."""
    return url.copy_with(scheme="https") if url.scheme == "http" and url.port is None else url
