"""Requests as vcrpy has them: what a cassette keeps of one, and when two are the same."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import parse_qsl, urlsplit

from wallaroo_ext import contract
from wallaroo_ext.conformance.recordings.normalization import TIME

if TYPE_CHECKING:
    from collections.abc import Mapping

SOME_TIME = "a time"
"""What stands for every time where texts are compared."""


class Request(Protocol):
    """A request: what is used of vcrpy's own class, which has no types."""

    method: str
    uri: str
    body: Any
    headers: Mapping[str, str]

    @property
    def path(self) -> str:
        """The path of the URI."""
        ...


def text_of(body: bytes | str | None) -> str:
    """Return a kept body as text."""
    return body.decode("utf-8", errors="replace") if isinstance(body, bytes) else body or ""


def named(request: Request) -> str:
    """Return a request as people call it: its method, path and operation."""
    operation = contract.operation_at(request.path) or "no operation of the contract"
    return f"{request.method} {request.path} ({operation})"


def same_operation(one: Request, other: Request) -> bool:
    """Return whether method and path are the same."""
    return (one.method, one.path) == (other.method, other.path)


def same_query(one: Request, other: Request) -> bool:
    """Return whether the parameters of the query are the same, in any order."""
    return _query(one) == _query(other)


def same_body(one: Request, other: Request) -> bool:
    """Return whether the kept bodies are the same; the order of fields does not count, nor which time a time is."""
    return _comparable(text_of(one.body)) == _comparable(text_of(other.body))


def _query(request: Request) -> list[tuple[str, str]]:
    return sorted(parse_qsl(urlsplit(request.uri).query, keep_blank_values=True))


def _comparable(body: str) -> Any:
    text = TIME.sub(SOME_TIME, body)
    try:
        return json.loads(text)
    except ValueError:
        return text
