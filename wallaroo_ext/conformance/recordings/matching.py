"""Requests as vcrpy has them, and when two of them count as the same."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import parse_qsl, urlsplit

from wallaroo_ext import contract
from wallaroo_ext.conformance.recordings.normalization import TIME

if TYPE_CHECKING:
    from collections.abc import Mapping

ANY_TIME = "a time"
"""Stands for every time where texts are compared."""


class Request(Protocol):
    """The part of vcrpy's request that is used here: its own class has no types."""

    method: str
    uri: str
    body: Any
    headers: Mapping[str, str]

    @property
    def path(self) -> str:
        """The path of the URI."""
        ...


def body_text(body: bytes | str | None) -> str:
    """Return a recorded body as text."""
    return body.decode("utf-8", errors="replace") if isinstance(body, bytes) else body or ""


def describe(request: Request) -> str:
    """Return the method, path and operation of a request, for a message."""
    operation = contract.operation_at(request.path) or "no operation of the contract"
    return f"{request.method} {request.path} ({operation})"


def same_operation(one: Request, other: Request) -> bool:
    """Return whether method and path are the same."""
    return (one.method, one.path) == (other.method, other.path)


def same_query(one: Request, other: Request) -> bool:
    """Return whether the parameters of the query are the same, in any order."""
    return _query(one) == _query(other)


def same_body(one: Request, other: Request) -> bool:
    """Return whether two recorded bodies are the same, whatever the order of their fields and whatever their times."""
    return _comparable(body_text(one.body)) == _comparable(body_text(other.body))


def _query(request: Request) -> list[tuple[str, str]]:
    return sorted(parse_qsl(urlsplit(request.uri).query, keep_blank_values=True))


def _comparable(body: str) -> Any:
    text = TIME.sub(ANY_TIME, body)
    try:
        return json.loads(text)
    except ValueError:
        return text
