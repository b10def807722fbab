"""The messages of findings: the place in an answer, the value that is wrong there, and what is wrong with it."""

from __future__ import annotations

import json
import re

from wallaroo_ext.conformance.report.texts import one_line, shortened

_PLACE = re.compile(r"\$\S*: ")
_NAMES_A_FIELD = " is a required property"
_VALUE_LENGTH = 60
_HEADLINE_LENGTH = 240


def value_in(message: str) -> tuple[str, str, str]:
    """A message in three parts, as a validator's have them: the place, the value that is wrong, and the rest.

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
