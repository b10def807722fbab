"""Checking URLs that come from outside: settings, redirects, inference URLs.

httpx accepts some URLs that fail later, such as `http://xn--/`, and a URL may hold a password.
"""

from __future__ import annotations

import re
from http import HTTPStatus

import httpx

from wallaroo_ext.errors import ConfigurationError, ContractViolationError, InvalidDataError

LARGEST_PORT = 65_535
_PORTS = {"http": 80, "https": 443, "socks5": 1080, "socks5h": 1080}
_PART = re.compile(rb"[\w*-]+", re.ASCII)
_WITH_A_PORT = re.compile(r"https?://(?:[^/:\[\]]+|\[[^/\]]+\]):[^/:]+(?:/|$)", re.IGNORECASE)
_HOST_ALONE = re.compile(r"[\w-]+(?:\.[\w-]+)*(?::\d+)?(?:/[\w.-]+)*/?$")
_ZONE = re.compile(r"(?<=[0-9a-f:.])%25(?=[^\[\]/]+\])", re.IGNORECASE)
_LARGEST_PART = 63
_LARGEST_HOST = 253
"""How long a host's name may be by the rules of DNS; `_LARGEST_PART` is for each of its parts."""


def parse_url(text: str | httpx.URL) -> httpx.URL | None:
    """Return a URL if all its parts are valid, otherwise None."""
    try:
        url = httpx.URL(text)
        _ = (url.host, url.raw_host, url.netloc, url.userinfo, url.port, url.raw_path, str(url))
    except (httpx.InvalidURL, ValueError, TypeError):  # UnicodeError, and so idna's own, are a ValueError
        return None
    is_port = url.port is None or 0 < url.port <= LARGEST_PORT
    return url if is_port and _is_name(url.raw_host.rstrip(b".")) else None


def _is_name(host: bytes) -> bool:
    """Return whether a host can be looked up; Python's look-up raises a UnicodeError for others."""
    if b":" in host:  # an IPv6 address, which httpx has checked
        return True
    parts = host.split(b".") if host else []
    return len(host) <= _LARGEST_HOST and all(
        0 < len(part) <= _LARGEST_PART and _PART.fullmatch(part) for part in parts
    )


def parse_http_url(text: str | httpx.URL, name: str) -> httpx.URL:
    """Return a URL of http or https that has a host and no user, whose password would show in messages.

    Args:
        text: The URL.
        name: What the URL is, for the message.

    Raises:
        ConfigurationError: The text is no such URL. The message does not repeat what may hold a password.
    """
    url = parse_url(text)
    if (url is not None and url.userinfo) or "@" in str(text).partition("?")[0]:
        raise ConfigurationError(
            f"{name} has a user or a password in it, before an @. Give users and passwords as arguments of their own, "
            f"and write the URL as https://host."
        )
    if url is None or url.scheme not in {"http", "https"} or not url.host or "\\" in str(text):
        raise ConfigurationError(f"{name} is no URL of a host: {_shown(str(text))}. {_as_it_may_be(str(text))}")
    return url


def _as_it_may_be(text: str) -> str:
    """Return a sentence on how a URL is written in place of a text that is none."""
    if _WITH_A_PORT.match(text):
        return f"Write it as https://host:port, with a port from 1 to {LARGEST_PORT}."
    is_without_scheme = _HOST_ALONE.match(text) and parse_url(f"https://{text}")
    return f"Write https://{text}." if is_without_scheme else "Write it as https://host."


def with_plain_zone(text: str) -> str:
    """Return a URL whose IPv6 address has its zone as the system looks it up: `%eth0` for RFC 6874's `%25eth0`."""
    return _ZONE.sub("%", text, count=1)


def check_answered_url(operation: str, text: str) -> str:
    """Return a URL from an instance's answer unchanged, if rows can be sent to it.

    Args:
        operation: The contract's `operationId`.
        text: The URL.

    Raises:
        ContractViolationError: Rows cannot be sent to it.
    """
    try:
        parse_http_url(text, "the URL that it answered with")
    except ConfigurationError as error:
        problem = str(error.args[0]).partition(". ")[0].partition(": ")[0]
    else:
        return text
    raise ContractViolationError(
        f"{operation}: {HTTPStatus.OK}, {problem}.",
        operation=operation,
        status=HTTPStatus.OK,
        advice="Tell those who run the instance.",
    )


def parse_inference_url(text: str, argument: str) -> httpx.URL:
    """Return a URL that a caller wants rows to be sent to: one of a host, or a path of the instance.

    Args:
        text: The URL.
        argument: The name of the caller's argument, for messages, which do not repeat what may hold a password.

    Raises:
        InvalidDataError: Rows cannot be sent to it.
    """
    url = parse_url(text)
    is_whole = url is not None and url.scheme in {"http", "https"} and url.host
    if url is None or text != text.strip() or not (is_whole or text.startswith("/")):
        raise InvalidDataError(f"`{argument}` is no URL that can be used: take one from get_pipeline_external_url.")
    if url.userinfo:
        raise InvalidDataError(f"`{argument}` has a user or a password in it, before an @: leave them out.")
    return url


def redirect_target(response: httpx.Response) -> httpx.URL | None:
    """Return the URL that an answer redirects to, without a user; None if there is no valid one.

    Args:
        response: The answer, with its request.
    """
    location = response.headers.get("Location")
    try:
        target = None if location is None else parse_url(response.request.url.join(location))
    except (httpx.InvalidURL, ValueError):
        return None
    return target if target is None or not target.host else remove_user(target)


def origin_of(url: httpx.URL) -> str:
    """Return the scheme, the host and, unless it is the usual one, the port of a URL, as in `https://host`."""
    return f"{url.scheme}://{url.netloc.decode('ascii', 'replace')}"


def port_of(url: httpx.URL) -> int | None:
    """Return the port that a URL names or its scheme has; None if there is none."""
    return url.port or _PORTS.get(url.scheme)


def display_host(text: str | httpx.URL) -> str:
    """Return the host of a URL for a message, or `an address that is no URL`."""
    url = parse_url(text)
    return "an address that is no URL" if url is None or not url.host else url.host


def display_address(text: str | httpx.URL) -> str:
    """Return the host and the port of a URL for a message, or `an address that is no URL`."""
    url = parse_url(text)
    port = None if url is None else port_of(url)
    host = display_host(text)
    host = f"[{host}]" if ":" in host else host
    return host if port is None else f"{host}:{port}"


def remove_user(url: httpx.URL) -> httpx.URL:
    """Return a URL without its user and password."""
    return url.copy_with(username=None, password=None) if url.userinfo else url


def _shown(text: str) -> str:
    """Return the beginning of a text that is no URL, quoted and escaped."""
    return repr(text if len(text) <= 100 else f"{text[:100]}…")  # noqa: PLR2004 - longer ones make the sentence unreadable
