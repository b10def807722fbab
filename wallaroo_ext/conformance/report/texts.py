"""Texts that an instance may have chosen, as they can stand in a report."""

from __future__ import annotations

import json
import math
import re
from http import HTTPStatus
from typing import Any, cast

from wallaroo_ext.redaction.terminal_text import printable_lines

_SURROGATE = re.compile("[\ud800-\udfff]")


def one_line(text: str) -> str:
    """Return a text without line breaks and runs of white space."""
    return " ".join(printable_lines(text).split())


def shortened(text: str, length: int) -> str:
    """Return the beginning of a text that is longer than this; `…` says that there is more."""
    return text if len(text) <= length else f"{text[: length - 1]}…"


def well_formed(text: str) -> str:
    """Return a text that can be encoded: halves of surrogate pairs become replacement characters."""
    return _SURROGATE.sub("\N{REPLACEMENT CHARACTER}", text)


def as_json(value: Any, *, indent: int | None = None) -> str:
    """Return a value as JSON that every reader takes; what JSON does not have is a string."""
    text = json.dumps(_plain(value), ensure_ascii=False, indent=indent, allow_nan=False, default=str)
    return well_formed(text)


def _plain(value: Any) -> Any:
    """Return a value without the numbers that JSON does not have, and with names that are strings."""
    if isinstance(value, dict):
        return {str(name): _plain(inner) for name, inner in cast("dict[Any, Any]", value).items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in cast("list[Any]", value)]
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value


_PLACE = re.compile(r"\$\S*: ")
_NAMES_A_FIELD = " is a required property"
_VALUE_LENGTH = 60
_HEADLINE_LENGTH = 240


def value_in(message: str) -> tuple[str, str, str]:
    """Return a message in three parts, as a validator's have them: the place, the value that is wrong, and the rest.

    Where it begins with no place, or with no value, that part is empty. The name of a missing field is no value.
    """
    found = _PLACE.match(message)
    start = found.end() if found else 0
    try:
        _, end = json.JSONDecoder().raw_decode(message, start)
    except (ValueError, RecursionError):
        end = start
    if not message[end:].startswith(" ") or message[end:].startswith(_NAMES_A_FIELD):
        end = start
    return message[:start], message[start:end], message[end:]


def headline(message: str, length: int = _HEADLINE_LENGTH) -> str:
    """A message, to its first empty line, as one line that is not too long: long values give way to what is wrong."""
    place, value, rest = map(one_line, value_in(message.partition("\n\n")[0]))
    words = (place, shortened(value, _VALUE_LENGTH), rest)
    return shortened(" ".join(word for word in words if word), length)


def reason(status: int) -> str:
    """Return what a status is called; empty where there is none, or HTTP does not know it."""
    return next((known.phrase for known in HTTPStatus if known == status), "")
