"""What looks like a secret in a cassette: looked for before one is written, and in those that are there."""

from __future__ import annotations

import base64
import binascii
import re
from typing import TYPE_CHECKING

from wallaroo_ext.conformance.recordings.kept_fields import LEFT_OUT, is_secret

if TYPE_CHECKING:
    from collections.abc import Iterator

_SHAPES = {
    "a JSON web token": re.compile(r"eyJ[\w-]{5,}"),
    "credentials of HTTP": re.compile(r"(?i)\b(?:bearer|basic|digest)\s+[\w.~+/-]{6,}=*"),
    "a header with credentials": re.compile(r"(?im)^[\s>\"'-]*(?:(?:proxy-)?authorization|(?:set-)?cookie)[\"']?\s*:"),
    "a password in a URL": re.compile(r"://[^\s/:@\"']+:[^\s/@\"']+@"),
    "a private key": re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY"),
    "a secret of a form": re.compile(
        r"(?i)\b(?:password|client_secret|access_token|refresh_token|id_token|client_assertion)=(?!\[left|%5Bleft)[^&\s\"']+"
    ),
    "somebody's address": re.compile(r"(?i)\b[\w.+-]+@(?!example\.com\b)[\w-]+(?:\.[\w-]+)+"),
}
_FIELD = re.compile(
    r"""(?x)
    \\*["']? (?P<name> [\w-]+ ) \\*["']? \s* :
    (?= \s* (?P<value> \\*" (?: [^"\\] | \\. )* "? | ' [^']* ' | [^\s,}\]]+ ) )  # so that it can be a name, too
    """
)
_BINARY = re.compile(r"!!binary \|\n((?:\s+[\w+/=]+\n)+)")
_PUT_IN = (LEFT_OUT[:-1], "[removed")
"""What stands for a secret that was taken out, in JSON and in other texts."""

_NOTHING = {"", "null", "true", "false", "~", "{}", "[]"}


def suspicious(text: str) -> list[str]:
    """Return what in a cassette looks like a secret, for a person: the line and the kind, never the value.

    Args:
        text: The whole file; what it has as binary is looked into as well.
    """
    found = [*_found(text)]
    for binary in _BINARY.finditer(text):
        line = _line(text, binary.start())
        found += [f"line {line}, inside of a binary body: {kind}" for kind in _kinds(_decoded(binary[1]))]
    return found


def _found(text: str) -> Iterator[str]:
    for kind, shape in _SHAPES.items():
        yield from (f"line {_line(text, match.start())}: {kind}" for match in shape.finditer(text))
    for match in _FIELD.finditer(text):
        value = match["value"].strip("\\\"'")
        if is_secret(match["name"]) and value not in _NOTHING and not value.startswith(_PUT_IN):
            yield f"line {_line(text, match.start())}: the value of {match['name']}"


def _kinds(text: str) -> list[str]:
    return [kind for kind, shape in _SHAPES.items() if shape.search(text)]


def _line(text: str, position: int) -> int:
    return text.count("\n", 0, position) + 1


def _decoded(text: str) -> str:
    try:
        return base64.b64decode("".join(text.split())).decode("latin-1")
    except binascii.Error:
        return ""
