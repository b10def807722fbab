"""Parsing JSON value by value, in constant memory, with the line of whatever is wrong."""

from __future__ import annotations

import codecs
import json
import math
import re
from typing import TYPE_CHECKING, Any

from wallaroo_ext.errors import InvalidDataError

if TYPE_CHECKING:
    from wallaroo_ext._util.files.readable import Readable

_PIECE_BYTES = 1 << 18
_MAX_SHOWN = 40
_LONGEST_SIGN = 16
"""No sign of JSON but a text is longer, so that an error further before the end of what was read is certain."""

_BLANKS = " \t\r\n\ufeff"
"""What may stand between values; a byte order mark is where files were joined."""

_EXPONENT = re.compile(r"[eE][-+]?[0-9]{3}")
_DIGITS = 100
"""A number that is beyond those of 64 bits has an exponent of three digits, or three times as many digits as this."""


class JsonStream:
    """The values of a file, one after another.

    Args:
        source: The file, in UTF-8, UTF-16 or UTF-32, with or without a byte order mark.
    """

    def __init__(self, source: Readable) -> None:
        self._source = source
        self._text = ""
        self._at = 0
        self._lines = 1
        self._counted = 0
        self._ended = False
        self._decoder: codecs.IncrementalDecoder | None = None
        self._beyond: list[str] = []
        self._fast = json.JSONDecoder(object_pairs_hook=_object_of_pairs)
        self._careful = json.JSONDecoder(object_pairs_hook=_object_of_pairs, parse_float=self._parse_float)
        self._decode = self._fast.raw_decode

    @property
    def line(self) -> int:
        """The line of the next character that is not blank."""
        self.peek()
        self._lines += self._text.count("\n", self._counted, self._at)
        self._counted = self._at
        return self._lines

    def peek(self) -> str:
        """Return the next character that is not blank, without taking it; an empty text at the end."""
        while True:
            while self._at < len(self._text):
                if self._text[self._at] not in _BLANKS:
                    return self._text[self._at]
                self._at += 1
            if self._ended:
                return ""
            self._read_on()

    def take(self, signs: str) -> str:
        """Take the next character that is not blank, and return it.

        Raises:
            InvalidDataError: It is none of these; the message has the line.
        """
        found = self.peek()
        if not found:
            raise self._cut_off()
        if found not in signs:
            wanted = " or ".join(map(repr, signs))
            raise InvalidDataError(f"line {self.line} has {found!r} where {wanted} has to be.")
        self._at += 1
        return found

    def value(self) -> Any:
        """Take the next value, an object or a list, and return it.

        Raises:
            InvalidDataError: It is no JSON, an object has a name twice, or a number is beyond those of 64 bits; the
                message has the line.
        """
        if self.peek() not in {"{", "["}:
            raise InvalidDataError(f"line {self.line} has {self._shown()} where a record or a list has to be.")
        while True:
            self._beyond.clear()
            try:
                found, end = self._decode(self._text, self._at)
            except json.JSONDecodeError as error:
                if self._may_go_on(error):
                    if self._ended:
                        raise self._cut_off() from error
                    self._read_on()
                    continue
                raise self._invalid(error) from error
            except _TwiceError as error:
                raise InvalidDataError(f"line {self.line}: an object has the name {error.name!r} twice.") from error
            except RecursionError as error:
                raise InvalidDataError(f"line {self.line} has values that are nested too deep.") from error
            except ValueError as error:  # of int()
                raise InvalidDataError(f"line {self.line} has a whole number with thousands of digits.") from error
            else:
                self._check_numbers()
                self._at = end
                return found

    def _check_numbers(self) -> None:
        if self._beyond:
            number = self._beyond[0]
            line = self._line_at(self._text.find(number, self._at))
            raise InvalidDataError(f"line {line}: the number {number[:_MAX_SHOWN]} is beyond those of 64 bits.")

    def _parse_float(self, text: str) -> float:
        """Return a number; remember it if a 64-bit float would turn it into infinity or 0."""
        number = float(text)
        if math.isinf(number) or (not number and text.lower().partition("e")[0].strip("-.0")):
            self._beyond.append(text)
        return number

    def _may_go_on(self, error: json.JSONDecodeError) -> bool:
        """Return whether an error may be one because the text ends here."""
        margin = 0 if self._ended else _LONGEST_SIGN
        return error.msg.startswith("Unterminated") or error.pos >= len(self._text.rstrip()) - margin

    def _invalid(self, error: json.JSONDecodeError) -> InvalidDataError:
        found = self._text[error.pos : error.pos + _MAX_SHOWN].partition("\n")[0]
        line = self._line_at(error.pos)
        return InvalidDataError(f"line {line} is no JSON: {error.msg[0].lower()}{error.msg[1:]}: {found!r}.")

    def _cut_off(self) -> InvalidDataError:
        return InvalidDataError(
            f"it ends within the value that begins in line {self._line_at(self._at)}: it was cut off, or is no JSON."
        )

    def _shown(self) -> str:
        return repr(self._text[self._at : self._at + _MAX_SHOWN].partition("\n")[0])

    def _line_at(self, position: int) -> int:
        return self._lines + self._text.count("\n", self._counted, max(0, position))

    def _read_on(self) -> None:
        """Read as much again as is left; forget what was taken."""
        rest = self._text[self._at :]
        content = self._source.read(max(_PIECE_BYTES, len(rest)))
        self._ended = not content
        if self._decoder is None:
            self._decoder = codecs.getincrementaldecoder(json.detect_encoding(content))()
        try:
            more = self._decoder.decode(content, final=self._ended)
        except UnicodeDecodeError as error:
            line = self._line_at(len(self._text)) + content.count(b"\n", 0, error.start)
            raise InvalidDataError(f"line {line} is not in UTF-8: save it as UTF-8.") from error
        self._lines = self._line_at(self._at)
        self._text, self._at, self._counted = rest + more, 0, 0
        self._decode = (self._careful if _may_be_beyond(self._text) else self._fast).raw_decode


def _may_be_beyond(text: str) -> bool:
    """Return whether a text may have a number beyond those of 64 bits; otherwise none has to be looked at."""
    if _EXPONENT.search(text):
        return True
    return any(text[begin : begin + _DIGITS].isdigit() for begin in range(0, len(text), _DIGITS))


class _TwiceError(ValueError):
    """An object has a name twice, and readers disagree on its value."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


def _object_of_pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        raise _TwiceError(next(name for name in names if names.count(name) > 1))
    return found
