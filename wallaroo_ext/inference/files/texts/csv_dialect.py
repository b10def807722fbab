"""How a CSV file separates and quotes its fields, as it is named or as its first rows show it."""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass, replace
from io import StringIO
from typing import Any

from wallaroo_ext.errors import InvalidDataError

_SEPARATORS = ",;\t|"
"""The separators that are found without being named."""

_NAMES = {"tab": "\t", "\\t": "\t", "comma": ",", "semicolon": ";", "pipe": "|", "space": " "}
_SEPARATOR_LINE = re.compile(r'\A[\r\n]*"?sep=(.)"?(?:\r\n|\r|\n|\Z)', re.IGNORECASE)
_MOST_ROWS = 100
_ADVICE = "say which separates the fields by delimiter=',' (--delimiter ',' on the command line)"


@dataclass(frozen=True, slots=True)
class Dialect:
    """How a file separates and quotes its fields.

    Attributes:
        delimiter: The character between two fields.
        quote: The character around a field; False if fields are never quoted.
        double_quote: Whether a quote within quotes is written twice.
        escape: The character before a quote within quotes; False if there is none.
    """

    delimiter: str = ","
    quote: str | bool = '"'
    double_quote: bool = True
    escape: str | bool = False

    @property
    def python_options(self) -> dict[str, Any]:
        """The same dialect as arguments for the standard library's reader."""
        quoting = {} if isinstance(self.quote, str) else {"quoting": csv.QUOTE_NONE}
        quote = self.quote if isinstance(self.quote, str) else None
        escape = self.escape if isinstance(self.escape, str) else None
        options = {"delimiter": self.delimiter, "quotechar": quote, "escapechar": escape}
        return options | quoting | {"doublequote": self.double_quote, "strict": True}


def check_delimiter(delimiter: str | None) -> str | None:
    r"""Return the character that a delimiter means, of which `tab` and `\t` are names; None for None.

    Raises:
        InvalidDataError: It is not one character of ASCII that can separate fields.
    """
    if delimiter is None:
        return None
    if isinstance(delimiter, str):  # pyright: ignore[reportUnnecessaryIsInstance] - callers may be untyped
        found = _NAMES.get(delimiter, delimiter)
        if len(found) == 1 and found.isascii() and not found.isalnum() and found not in '"\r\n\0.+-':
            return found
    raise InvalidDataError(f"`delimiter` is one sign such as ',', ';', '|' or 'tab', not {delimiter!r}.")


def separator_line(text: str) -> tuple[str | None, int]:
    """Return the separator that a first line such as `sep=;` names, and the length of that line; None and 0 without.

    Excel reads such a line, and does not show it.
    """
    found = _SEPARATOR_LINE.match(text)
    return (None, 0) if found is None else (found[1], found.end())


def find_dialect(text: str, *, ended: bool) -> Dialect:
    """Return the dialect of a file.

    The separator is the one in the line of names with which all rows have as many fields as that line.

    Args:
        text: The beginning of the file, with the whole line of names.
        ended: Whether that is the whole file.

    Raises:
        InvalidDataError: Several separators fit, or one fits some rows only where it may be a part of a name.
    """
    fields = {sign: _numbers_of_fields(text, sign, ended=ended) for sign in _SEPARATORS}
    possible = [sign for sign, numbers in fields.items() if numbers and numbers[0] > 1]
    fitting = [sign for sign in possible if len(set(fields[sign])) == 1]
    if len(fitting) > 1:
        first, *_, last = fitting
        raise InvalidDataError(f"its rows can be read with {first!r} and with {last!r} between fields: {_ADVICE}.")
    chosen = next(iter(fitting or possible), ",")
    if chosen != "," and not fitting and set(fields[chosen][1:]) == {1}:
        raise InvalidDataError(
            f"its line of names has {chosen!r}, and no row has it: {_ADVICE}, or give its one column another name."
        )
    return replace(Dialect(), delimiter=chosen)


def _numbers_of_fields(text: str, separator: str, *, ended: bool) -> list[int]:
    """Return how many fields each of the first rows has, without a last one that may go on."""
    found: list[int] = []
    try:
        for row in csv.reader(StringIO(text, newline=""), delimiter=separator):
            if row:
                found.append(len(row))
            if len(found) > _MOST_ROWS:
                return found
    except csv.Error:  # a field that is too long, or a NUL, which the reader of the rows refuses
        return found
    return found if ended or len(found) < 2 else found[:-1]  # noqa: PLR2004 - the line of names is whole
