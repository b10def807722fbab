"""Sends rows to where the instance says that it takes them, which may be another host than the API's."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from wallaroo_ext.auth.origins import Origins
from wallaroo_ext.conformance.guard.request_fields import template_pattern

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

_DEPLOYMENT = "{deployment}"


def origin_of(url: str) -> str:
    """Return the scheme, host and port of a URL."""
    found = urlsplit(url)
    port = found.port or {"http": 80, "https": 443}.get(found.scheme)
    return f"{found.scheme}://{found.hostname}:{port}"


def named_origins(hosts: Sequence[str], api_url: str) -> set[str]:
    """Return the origins that a host names for inference: with https, and with http where the API itself has it.

    Args:
        hosts: The hosts, as `host`, `host:port` or a URL without a path.
        api_url: The API's URL.

    Raises:
        ConfigurationError: One of them is no host.
    """
    Origins(api_url, inference_hosts=hosts)
    schemes = ("https", "http") if urlsplit(api_url).scheme == "http" else ("https",)
    bare = [host.rpartition("://")[2].rstrip("/") for host in hosts]
    return {origin_of(f"{scheme}://{host}") for scheme in schemes for host in bare}


@dataclass(frozen=True, slots=True)
class InferenceBase:
    """The beginning of the URLs at which an instance takes rows.

    Attributes:
        url: All that stands before the paths of the contract, without a slash at its end.
    """

    url: str

    @property
    def root(self) -> str:
        """The path in it."""
        return urlsplit(self.url).path


class InferenceUrls:
    """Learns the beginning of inference URLs, and tells where a request has to go.

    Args:
        templates: The paths of the contract.

    Attributes:
        home: The URL of the API, without a slash at its end; empty while it is not known.
        base: Where the instance takes rows; None while it is not known.
        newest_url: The newest inference URL that the instance reported; empty for none.
    """

    def __init__(self, templates: Iterable[str]) -> None:
        self.home = ""
        self.base: InferenceBase | None = None
        self.newest_url = ""
        found = sorted({path for path in templates if _DEPLOYMENT in path}, key=lambda path: -path.count("/"))
        self._patterns = [template_pattern(path) for path in found]

    def base_of(self, url: str) -> InferenceBase | None:
        """Return the beginning of an inference URL; None for what is none, as no path of the contract ends it."""
        before, path = url[: len(url) - len(urlsplit(url).path)], urlsplit(url).path
        if urlsplit(url).scheme not in {"http", "https"} or not urlsplit(url).netloc or not url.endswith(path):
            return None
        starts = [place for place, sign in enumerate(path) if sign == "/"]
        return next(
            (
                InferenceBase(before + path[:start])
                for start in starts
                for pattern in self._patterns
                if pattern.fullmatch(path[start:])
            ),
            None,
        )

    def learn(self, url: object, is_allowed: Callable[[str], bool]) -> None:
        """Note where an instance takes rows, by the first inference URL that it tells.

        Args:
            url: What it tells.
            is_allowed: Whether requests may be sent to a URL.
        """
        self.newest_url = url if isinstance(url, str) else ""
        if self.base is None and self.newest_url and self.home and is_allowed(self.newest_url):
            self.base = self.base_of(self.newest_url)

    def destination(self, url: str) -> str:
        """Return the URL that a request goes to in place of one below the API's."""
        if self.base is None or self.base.url == self.home or not url.startswith(self.home + "/"):
            return url
        path = urlsplit(url).path.removeprefix(urlsplit(self.home).path)
        is_inference = any(pattern.fullmatch(path) for pattern in self._patterns)
        return self.base.url + url[len(self.home) :] if is_inference else url
