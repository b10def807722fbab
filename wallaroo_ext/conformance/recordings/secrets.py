"""Keeps secrets out of cassettes: does not record them, and searches a cassette for what looks like one."""

from __future__ import annotations

import base64
import binascii
import re
from functools import cache
from typing import TYPE_CHECKING, Any

from wallaroo_ext import contract
from wallaroo_ext._util.json_values import list_of, object_of
from wallaroo_ext.conformance.exchanges import LEFT_OUT

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

RECORDED_HEADERS = ("accept", "content-type")
"""The headers that are recorded; all others are left out, whatever they are."""

_BOUNDARY = re.compile(r"(boundary=)[^;]+")
_SECRET_NAME = re.compile(
    r"(?i)pass(word|wd|phrase)|secret|tokens?$|authorization|cookie|api[-_]?key|private[-_]?key|credentials?$|assertion$"
)
_SHAPES = {
    "a JSON web token": re.compile(r"eyJ[\w-]{5,}"),
    "credentials of HTTP": re.compile(r"(?i)\b(?:bearer|basic|digest)\s+[\w.~+/-]{6,}=*"),
    "a header with credentials": re.compile(r"(?im)^[ \t>\"'-]*(?:(?:proxy-)?authorization|(?:set-)?cookie)[\"']?\s*:"),
    "a password in a URL": re.compile(r"://[^\s/:@\"']+:[^\s/@\"']+@"),
    "a private key": re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY"),
    "a secret of a form": re.compile(
        r"(?i)\b(?:password|client_secret|access_token|refresh_token|id_token|client_assertion)=(?!\[left|%5Bleft)[^&\s\"']+"
    ),
    "somebody's address": re.compile(r"(?i)(?<![\w.+-])[\w.+-]+@(?!example\.com\b)[\w-]+(?:\.[\w-]+)+"),
}
_FIELD = re.compile(
    r"""(?x)
    (?<![\w-]) (?P<name> [\w-]+ ) \\*["']? \s* :
    (?= \s* (?P<value> \\*" (?: [^"\\] | \\. ){,200} "? | ' [^']{,200} '? | [^\s,}\]]{1,200} ) )  # a name, too
    """
)
_BINARY = re.compile(r"!!binary \|\n((?:\s+[\w+/=]+\n)+)")
_REPLACEMENTS = (LEFT_OUT[:-1], "[removed")
"""The beginnings of what stands in place of a secret that was taken out, in JSON and in other texts."""
_NO_VALUES = {"", "null", "true", "false", "~", "{}", "[]"}


def recorded_headers(headers: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Return the headers that are recorded, with names in lower case and the same boundary in all of them."""
    found = {name.lower(): value for name, value in headers}
    return {name: _BOUNDARY.sub(r"\1boundary", found[name]) for name in RECORDED_HEADERS if name in found}


def without_secrets(value: Any) -> Any:
    """Return JSON without the values of secret fields. A field that is null stays: it holds no secret."""
    if isinstance(value, dict):
        return {
            name: LEFT_OUT if _is_secret(name) and inner is not None else without_secrets(inner)
            for name, inner in object_of(value).items()
        }
    if isinstance(value, list):
        return [without_secrets(item) for item in list_of(value)]
    return value


def _is_secret(name: str) -> bool:
    """Return whether a field holds a secret: the contract says so (`format: password`), or its name does."""
    return name in _password_fields() or _SECRET_NAME.search(name) is not None


@cache
def _password_fields() -> frozenset[str]:
    """Return the fields that the contract marks with `format: password`."""
    return frozenset(_marked_fields(contract.load()["components"]["schemas"]))


def _marked_fields(value: Any) -> Iterator[str]:
    for name, inner in object_of(value).items():
        if object_of(inner).get("format") == "password":
            yield name
        yield from _marked_fields(inner)
    for item in list_of(value):
        yield from _marked_fields(item)


def find_secrets(text: str) -> list[str]:
    """Return what in a cassette looks like a secret: the line and the kind of each, and never the value.

    Args:
        text: The whole file; binary bodies are decoded and searched as well.
    """
    found = [*_find_in_text(text)]
    for binary in _BINARY.finditer(text):
        line = _line_number(text, binary.start())
        found += [f"line {line}, inside of a binary body: {kind}" for kind in _find_kinds(_decode(binary[1]))]
    return found


def _find_in_text(text: str) -> Iterator[str]:
    for kind, shape in _SHAPES.items():
        yield from (f"line {_line_number(text, match.start())}: {kind}" for match in shape.finditer(text))
    for match in _FIELD.finditer(text):
        value = match["value"].strip("\\\"'")
        if _is_secret(match["name"]) and value not in _NO_VALUES and not value.startswith(_REPLACEMENTS):
            yield f"line {_line_number(text, match.start())}: the value of {match['name']}"


def _find_kinds(text: str) -> list[str]:
    return [kind for kind, shape in _SHAPES.items() if shape.search(text)]


def _line_number(text: str, position: int) -> int:
    return text.count("\n", 0, position) + 1


def _decode(text: str) -> str:
    try:
        return base64.b64decode("".join(text.split())).decode("latin-1")
    except binascii.Error:
        return ""
