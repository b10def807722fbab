"""Makes texts from an instance fit for a report."""

from __future__ import annotations

import json
import math
import re
from http import HTTPStatus
from typing import Any, cast

from wallaroo_ext.redaction.terminal_text import printable_lines

_SURROGATE = re.compile("[\ud800-\udfff]")


_PATH = re.compile(r"\$\S*: ")
_NAMES_A_FIELD = " is a required property"
_VALUE_LENGTH = 60
_HEADLINE_LENGTH = 240


def one_line(text: str) -> str:
    """Return a text in one line, with single spaces."""
    return " ".join(printable_lines(text).split())


def shortened(text: str, length: int) -> str:
    """Return a text, or its beginning and `…` where it is longer than this."""
    return text if len(text) <= length else f"{text[: length - 1]}…"


def well_formed(text: str) -> str:
    """Return a text that can be encoded: replacement characters stand for halves of surrogate pairs."""
    return _SURROGATE.sub("\N{REPLACEMENT CHARACTER}", text)


def as_json(value: Any, *, indent: int | None = None) -> str:
    """Return a value as JSON that every parser reads; values that JSON does not have become strings."""
    text = json.dumps(_plain(value), ensure_ascii=False, indent=indent, allow_nan=False, default=str)
    return well_formed(text)


def _plain(value: Any) -> Any:
    """Return a value in which keys, NaN and infinities are strings."""
    if isinstance(value, dict):
        return {str(name): _plain(inner) for name, inner in cast("dict[Any, Any]", value).items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in cast("list[Any]", value)]
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value


def value_in(message: str) -> tuple[str, str, str]:
    """Return the three parts of a validator's message: the JSON path, the wrong value, and the rest.

    A part that the message does not have is empty. The name of a missing field is no value.
    """
    found = _PATH.match(message)
    start = found.end() if found else 0
    try:
        _, end = json.JSONDecoder().raw_decode(message, start)
    except (ValueError, RecursionError):
        end = start
    if not message[end:].startswith(" ") or message[end:].startswith(_NAMES_A_FIELD):
        end = start
    return message[:start], message[start:end], message[end:]


def headline(message: str, length: int = _HEADLINE_LENGTH) -> str:
    """Return a message up to its first empty line, as one line, in which a long value is shortened."""
    path, value, rest = map(one_line, value_in(message.partition("\n\n")[0]))
    parts = (path, shortened(value, _VALUE_LENGTH), rest)
    return shortened(" ".join(part for part in parts if part), length)


def reason(status: int) -> str:
    """Return the reason phrase of a status; empty for one that HTTP does not know."""
    return next((known.phrase for known in HTTPStatus if known == status), "")
