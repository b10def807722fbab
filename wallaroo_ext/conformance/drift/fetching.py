"""Fetches an instance's own OpenAPI document, or reads one from a file, in JSON or YAML.

Source: mlops-api-tutorial, "References": instances have a page of Swagger UI at `/v1/api/docs`. No source says where
the document is, so it is looked for beside the page, and then in the page.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit
from urllib.request import url2pathname

import httpx

from wallaroo_ext._util.files.user_paths import user_path
from wallaroo_ext._util.files.yaml_files import parse_yaml
from wallaroo_ext._util.json_values import object_of
from wallaroo_ext._util.urls import parse_http_url, parse_url, redirect_target, remove_user
from wallaroo_ext.conformance.drift.changes import DriftError
from wallaroo_ext.errors import ConfigurationError
from wallaroo_ext.redaction.patterns import redact
from wallaroo_ext.sandbox.paths import DOCS_PAGE
from wallaroo_ext.transport.plain_client import plain_client

if TYPE_CHECKING:
    from collections.abc import Iterator

    from wallaroo_mlops_client import Client

_BESIDE_THE_PAGE = f"{DOCS_PAGE}/openapi.json"
LARGEST_DOCUMENT = 64 * 2**20
"""The size of the largest document, in bytes."""
_MOST_REDIRECTS = 3
_SECONDS = 60.0
_IN_A_PAGE = re.compile(r"""["']([^"'<>\s]+\.(?:json|ya?ml))["']""")
_SUFFIXES = {".json", ".yaml", ".yml"}
_ADVICE = "Give the URL of the document itself."


@dataclass(frozen=True, slots=True)
class Fetched:
    """A document and its URL.

    Attributes:
        url: The URL, without secrets, or the file.
        document: The document.
    """

    url: str
    document: dict[str, Any]


def document_file(url: str) -> Path | None:
    """Return the file that stands in place of a URL: what has `file:` before it, or is a file here; None for a URL.

    Raises:
        DriftError: It has `file:` before it, and is no URL.
    """
    if url.startswith("file:"):
        try:
            return Path(url2pathname(urlsplit(url).path))
        except ValueError as error:
            raise DriftError(f"{url} is no URL of a file: {error}.") from None
    file = user_path(url)
    return file if "://" not in url and (file.is_file() or file.suffix.lower() in _SUFFIXES) else None


def read_document(file: Path) -> Fetched:
    """Return the OpenAPI document in a file.

    Raises:
        DriftError: There is no such file, or no document in it.
    """
    try:
        document = object_of(parse_yaml(file.read_bytes()))
    except (OSError, ValueError) as error:
        raise DriftError(f"{file} cannot be read: {error}.") from None
    if "paths" not in document:
        raise DriftError(f"{file} is no OpenAPI document: it has no `paths`.")
    return Fetched(str(file), document)


def fetch_document(client: Client | None, url: str | None = None) -> Fetched:
    """Return the OpenAPI document that an instance describes itself with.

    The client's token is sent to the client's own origin and nowhere else. Redirects to another one are not followed.

    Args:
        client: A client from `connect`; None to fetch a URL without a token.
        url: The URL of the document, or of a page that names it; beside `/v1/api/docs` of the instance by default.

    Raises:
        DriftError: There is no such document; the message says what came in its place.
        AuthenticationError: The instance has no token for these credentials.
        ConfigurationError: It is no URL, or a token may not go to it.
    """
    if client is not None:
        return _Fetcher(client.get_httpx_client(), client).fetch(url)
    if url is None:
        raise DriftError("Without a client it takes the URL of the document.")
    with plain_client(seconds=_SECONDS, answer_limit=LARGEST_DOCUMENT) as http:
        return _Fetcher(http, None).fetch(url)


class _Fetcher:
    """Fetches documents with one client."""

    def __init__(self, http: httpx.Client, client: Client | None) -> None:
        self._http = http
        self._is_signed_in = client is not None

    def fetch(self, url: str | None) -> Fetched:
        """Return the document at a URL, or the one that the page there names."""
        if url is not None:
            return self._at(self._parsed(url))
        base = self._http.base_url
        prefix = base.path.rstrip("/")
        try:
            return self._at(base.copy_with(path=prefix + _BESIDE_THE_PAGE))
        except DriftError:
            return self._at(base.copy_with(path=prefix + DOCS_PAGE))

    def _at(self, url: httpx.URL) -> Fetched:
        content, url = self._content(url)
        document = _document(content)
        if document is not None:
            return Fetched(redact(str(url)), document)
        if not _is_page(content):
            raise DriftError(f"{url} is no OpenAPI document in JSON or YAML.", advice=_ADVICE)
        for named in self._named_in(content, url):
            inner, place = self._content(named)
            if (document := _document(inner)) is not None and "paths" in document:
                return Fetched(str(place), document)
        raise DriftError(f"{url} is a page, and names no OpenAPI document of its own origin.", advice=_ADVICE)

    def _named_in(self, page: bytes, url: httpx.URL) -> Iterator[httpx.URL]:
        """Yield the documents that a page names, at its own origin."""
        for name in dict.fromkeys(_IN_A_PAGE.findall(page.decode(errors="replace"))):
            named = parse_url(name)
            if named is not None and _origin(url.join(named)) == _origin(url):
                yield remove_user(url.join(named))

    def _content(self, url: httpx.URL) -> tuple[bytes, httpx.URL]:
        """Return the content of a URL, and the URL after redirects."""
        for _ in range(_MOST_REDIRECTS + 1):
            status, content, target = self._answer(url)
            if target is None:
                break
            if _origin(target) != _origin(url):
                raise DriftError(
                    f"{url} redirects to {target.host}, another host: it was not followed.", advice=_ADVICE
                )
            url = target
        else:
            raise DriftError(f"{url} redirects again and again.", advice=_ADVICE)
        if status != HTTPStatus.OK:
            raise DriftError(f"{url} answers with {status}: there is no OpenAPI document.", advice=_ADVICE)
        return content, url

    def _answer(self, url: httpx.URL) -> tuple[int, bytes, httpx.URL | None]:
        """Return the status of a URL, its body, and the URL that it redirects to."""
        headers = {"Accept": "application/json, application/yaml;q=0.9, text/html;q=0.5"}
        signing: dict[str, Any] = {} if _origin(url) == _origin(self._http.base_url) else {"auth": None}
        try:
            with self._http.stream("GET", url, headers=headers, follow_redirects=False, **signing) as response:
                target = redirect_target(response)
                return response.status_code, _read(response, url), target
        except (httpx.RequestError, httpx.InvalidURL) as error:
            raise DriftError(f"{url} cannot be fetched: {redact(str(error)) or type(error).__name__}.") from None

    def _parsed(self, url: str) -> httpx.URL:
        try:
            return parse_http_url(self._joined(url), "The document's address")
        except ConfigurationError as error:
            raise DriftError(str(error)) from None

    def _joined(self, url: str) -> httpx.URL | str:
        """Return a URL that may be relative to the instance's; unchanged if it is none."""
        try:
            return self._http.base_url.join(url) if parse_url(url) else url
        except (httpx.InvalidURL, ValueError):
            return url


def _read(response: httpx.Response, url: httpx.URL) -> bytes:
    content = bytearray()
    for chunk in response.iter_bytes():
        content += chunk
        if len(content) > LARGEST_DOCUMENT:
            raise DriftError(f"{url} is larger than {LARGEST_DOCUMENT >> 20} MiB: it is no OpenAPI document.")
    return bytes(content)


def _document(content: bytes) -> dict[str, Any] | None:
    """Return the JSON object in a body, or an OpenAPI document in YAML; None where it is something else."""
    try:
        return object_of(json.loads(content)) or None
    except (ValueError, RecursionError):
        pass
    try:
        document = {} if _is_page(content) else object_of(parse_yaml(content))
    except ValueError:
        return None
    return document if "paths" in document else None


def _is_page(content: bytes) -> bool:
    return content[:1000].lstrip().lower().startswith((b"<!doctype html", b"<html"))


def _origin(url: httpx.URL) -> tuple[str, str, int | None]:
    return url.scheme, url.host, url.port
