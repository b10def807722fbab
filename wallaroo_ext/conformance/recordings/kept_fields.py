"""What may stand in a cassette: headers that are named here, and JSON without the values of secrets."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Any

from wallaroo_ext import contract
from wallaroo_ext._util.json_values import list_of, object_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

LEFT_OUT = "[left out]"
"""What stands in the place of a secret."""

KEPT_HEADERS = ("accept", "content-type")
"""The headers that are kept; all others are left out, whatever they are."""

_BOUNDARY = re.compile(r"(boundary=)[^;]+")
_LIKE_A_SECRET = re.compile(
    r"(?i)pass(word|wd|phrase)|secret|tokens?$|authorization|cookie|api[-_]?key|private[-_]?key|credentials?$|assertion$"
)


def kept_headers(headers: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Return the headers of the list, in lower case, with one name for every boundary."""
    found = {name.lower(): value for name, value in headers}
    return {name: _BOUNDARY.sub(r"\1boundary", found[name]) for name in KEPT_HEADERS if name in found}


def is_secret(name: str) -> bool:
    """Return whether a field holds a secret: the contract says so (`format: password`), or its name does."""
    return name in _secret_fields() or _LIKE_A_SECRET.search(name) is not None


@cache
def _secret_fields() -> frozenset[str]:
    """Return the fields that the contract marks with `format: password`."""
    return frozenset(_marked(contract.load()["components"]["schemas"]))


def _marked(value: Any) -> Iterator[str]:
    for name, inner in object_of(value).items():
        if object_of(inner).get("format") == "password":
            yield name
        yield from _marked(inner)
    for item in list_of(value):
        yield from _marked(item)


def without_secrets(value: Any) -> Any:
    """JSON with what is in secret fields left out; null says that nothing is there, and stays."""
    if isinstance(value, dict):
        return {
            name: LEFT_OUT if is_secret(name) and inner is not None else without_secrets(inner)
            for name, inner in object_of(value).items()
        }
    if isinstance(value, list):
        return [without_secrets(item) for item in list_of(value)]
    return value
