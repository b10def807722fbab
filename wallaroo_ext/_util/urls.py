"""URLs from outside: settings, redirects, inference URLs. Each is one that can be used, or a sentence.

httpx reads some URLs that it stumbles over later, such as `http://xn--/`, and a URL may hold a password.
"""

from __future__ import annotations

import re
from http import HTTPStatus

import httpx

from wallaroo_ext.errors import ConfigurationError, ContractViolationError

_LARGEST_PORT = 65_535
_PART = re.compile(rb"[\w*-]+", re.ASCII)
_LARGEST_PART = 63
_LARGEST_HOST = 253
"""How long a host's name may be, and each of its parts, by the rules of names."""


def readable(text: str | httpx.URL) -> httpx.URL | None:
    """Return a URL whose parts can all be read; None where it is none."""
    try:
        url = httpx.URL(text)
        _ = (url.host, url.raw_host, url.netloc, url.userinfo, url.port, url.raw_path, str(url))
    except (httpx.InvalidURL, ValueError, TypeError):  # UnicodeError, and so idna's own, are a ValueError
        return None
    is_port = url.port is None or 0 < url.port <= _LARGEST_PORT
    return url if is_port and _is_name(url.raw_host.rstrip(b".")) else None


def _is_name(host: bytes) -> bool:
    """Return whether a host may be asked for at all; Python's own look-up fails with a UnicodeError for others."""
    if b":" in host:  # an address of IPv6, which httpx has looked at
        return True
    parts = host.split(b".") if host else []
    return len(host) <= _LARGEST_HOST and all(
        0 < len(part) <= _LARGEST_PART and _PART.fullmatch(part) for part in parts
    )


def parsed(text: str | httpx.URL, name: str) -> httpx.URL:
    """Return a URL of http or https with a host, and without a user, whose password would show in messages.

    Args:
        text: The URL.
        name: What it is, for the message.

    Raises:
        ConfigurationError: It is none. The message does not repeat what may hold a password.
    """
    url = readable(text)
    if (url is not None and url.userinfo) or "@" in str(text).partition("?")[0]:
        raise ConfigurationError(
            f"{name} has a user or a password in it, before an @. Give users and passwords as arguments of their own, "
            f"and write it as https://host."
        )
    if url is None or url.scheme not in {"http", "https"} or not url.host or "\\" in str(text):
        raise ConfigurationError(f"{name} is no URL of a host: {_shown(str(text))}. Write it as https://host.")
    return url


def answered(operation: str, text: str) -> str:
    """Return a URL that an instance answered with.

    Args:
        operation: The contract's `operationId`.
        text: The URL.

    Raises:
        ContractViolationError: It is none that rows can be sent to.
    """
    try:
        parsed(text, "the URL that it answered with")
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


def redirect_of(response: httpx.Response) -> httpx.URL | None:
    """Return where an answer redirects to, without a user; None where it does not, or to what is no URL.

    Args:
        response: The answer, with its request.
    """
    location = response.headers.get("Location")
    try:
        target = None if location is None else readable(response.request.url.join(location))
    except (httpx.InvalidURL, ValueError):
        return None
    return target if target is None or not target.host else without_user(target)


def shown_host(text: str | httpx.URL) -> str:
    """Return the host of a URL for a message; `an address that is no URL` where it has none."""
    url = readable(text)
    return "an address that is no URL" if url is None or not url.host else url.host


def without_user(url: httpx.URL) -> httpx.URL:
    """Return a URL without the user and the password in it."""
    return url.copy_with(username=None, password=None) if url.userinfo else url


def _shown(text: str) -> str:
    """Return the beginning of a text that is no URL, as one that can be seen."""
    return repr(text if len(text) <= 100 else f"{text[:100]}…")  # noqa: PLR2004 - what a sentence can bear
