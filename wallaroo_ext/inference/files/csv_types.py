"""What the texts of CSV columns stand for: a type is decided from all of a column's texts, and loses nothing.

Numbers are written as JSON writes them, but a fraction may begin or end with its point, and spaces may be around. A
column with another text is one of texts, exactly as written: `00123`, `+1`, `0x10` and dates are texts. `true` and
`false` are booleans. A field without anything is null in a column of numbers or booleans, and so are the usual words
for no value; in a column of texts each is the text that it is.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import Any, TypeAlias

import numpy as np

from wallaroo_ext.errors import InvalidDataError

pa: Any = import_module("pyarrow")
pc: Any = import_module("pyarrow.compute")

Column: TypeAlias = Any
"""A pyarrow array. Its stubs want the type of the elements, which only the data tell."""

NULLS = pa.array(
    ["", "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "1.#IND", "1.#QNAN", "N/A", "NA", "NULL", "n/a", "null"]
)
"""The texts for no value, as pyarrow and pandas know them. `nan` is none of them: it is a number of its own."""

_BOOLEANS = pa.array(["true", "True", "TRUE", "false", "False", "FALSE"])
_INTEGER = "^-?(0|[1-9][0-9]*)$"
_FLOAT = (
    r"^-?([0-9]+\.[0-9]*([eE][-+]?[0-9]+)?|\.[0-9]+([eE][-+]?[0-9]+)?|(0|[1-9][0-9]*)[eE][-+]?[0-9]+|"
    "nan|NaN|inf|Inf|INF|infinity|Infinity)$"
)
_INFINITE = r"(?i)^\s*[-+]?inf"
_ZERO = r"^-?[0.]+([eE].*)?$"
_EXACT = 1 << 53
_SHOWN = 40


@dataclass(frozen=True, slots=True)
class Field:
    """A field of a file.

    Attributes:
        file: The file's name; empty where there is one file.
        row: Its row, from 0.
        text: What stands there.
    """

    file: str
    row: int
    text: str

    def __str__(self) -> str:
        """Say where it is."""
        return f"{f'{self.file}, ' if self.file else ''}row {self.row}: {self.text[:_SHOWN]!r}"


class ColumnType:
    """Finds the type of a column from all of its texts, in one or several files.

    Args:
        name: The column's name.

    Attributes:
        text: The first field that makes it a column of texts; None where there is none.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.text: Field | None = None
        self._words: Field | None = None
        self._boolean: Field | None = None
        self._integers = False
        self._floats = False
        self._least = self._most = 0
        self._inexact: Field | None = None
        self._beyond: Field | None = None

    def see(self, texts: Column, file: str, first: int) -> None:
        """Take the next texts into account.

        Args:
            texts: An array of them, without nulls.
            file: The file that they are from.
            first: The row of the first of them.
        """
        if self.text is None and len(texts):
            some = _Some(texts, np.arange(len(texts)), texts, file, first)
            if self._boolean is not None or not (self._see_integers(some) or self._see_numbers(some)):
                self._see_any(some)

    @property
    def kind(self) -> Any:
        """The type that holds each of the texts exactly.

        Raises:
            InvalidDataError: They are numbers, and no type has all of them; the message names the file and the row.
        """
        if self.text is not None:
            return pa.string()
        if self._boolean is not None:
            return pa.bool_()
        if self._floats or self._integers:
            return self._kind_of_numbers()
        return pa.null() if self._words is None else pa.string()

    def _kind_of_numbers(self) -> Any:
        if not self._floats:
            for kind, least, most in ((pa.int64(), -(2**63), 2**63), (pa.uint64(), 0, 2**64)):
                if least <= self._least and self._most < most:
                    return kind
        wrong = self._beyond or self._inexact
        if wrong is not None:
            nearest = "" if wrong is self._beyond else ", float64 for the nearest numbers"
            raise InvalidDataError(
                f"{wrong} in the column {self.name!r} is none of the numbers of 64 bits that the others allow.",
                advice=f"Say by `types` what the column has: string for texts{nearest}.",
            )
        return pa.float64()

    def _see_integers(self, some: _Some) -> bool:
        """Take whole numbers of 64 bits; False where some are none, or are written in another way."""
        if self._floats:
            return False
        try:
            numbers = pc.cast(some.values, pa.int64())
        except pa.ArrowInvalid:
            return False
        if not pc.all(pc.equal(pc.cast(numbers, pa.string()), some.values)).as_py():
            return False
        ends = pc.min_max(numbers).as_py()
        self._note(ends["min"])
        self._note(ends["max"])
        if self._inexact is None and not -_EXACT <= ends["min"] <= ends["max"] <= _EXACT:
            self._inexact = next(
                (some.field(row) for row, number in enumerate(numbers.to_pylist()) if not _is_float(number)), None
            )
        return True

    def _note(self, integer: int) -> None:
        self._integers = True
        self._least, self._most = min(self._least, integer), max(self._most, integer)

    def _see_numbers(self, some: _Some) -> bool:
        """Take numbers; False where some are none."""
        try:
            numbers = pc.cast(some.values, pa.float64()).to_numpy()
        except pa.ArrowInvalid:
            return False
        # A number with a fraction is one in every way of writing. What has none may be anything: 007, 0, 2e19, 1e999.
        rows = np.flatnonzero(~_has_fraction(numbers))
        if not rows.size:
            self._floats = True
            return True
        whole, numbers = some.take(rows), numbers[rows]
        integers, floats = whole.fit(_INTEGER), whole.fit(_FLOAT)
        if not (integers | floats).all():
            return False
        self._floats = self._floats or len(rows) < len(some.values) or bool(floats.any())
        if integers.any():
            self._note_integers(whole.take(np.flatnonzero(integers)), numbers[integers])
        lost = (np.isinf(numbers) & ~whole.fit(_INFINITE) & floats) | ((numbers == 0) & ~whole.fit(_ZERO))
        if self._beyond is None and lost.any():
            self._beyond = whole.field(int(np.argmax(lost)))
        return True

    def _note_integers(self, some: _Some, numbers: Any) -> None:
        """Take whole numbers of any length."""
        self._note(0)
        small = np.abs(numbers) < _EXACT
        if small.any():
            self._note(int(numbers[small].min()))
        for row in np.flatnonzero(~small).tolist():
            integer = int(some.values[row].as_py())
            self._note(integer)
            if self._inexact is None and not _is_float(integer):
                self._inexact = some.field(row)

    def _see_any(self, some: _Some) -> None:
        """Take texts of any kind."""
        trimmed = pc.utf8_trim_whitespace(some.values)
        null = _numpy(pc.is_in(trimmed, NULLS))
        words = null & _numpy(pc.not_equal(trimmed, ""))
        if self._words is None and words.any():
            self._words = some.field(int(np.argmax(words)))
        rows = np.flatnonzero(~null)
        if rows.size:
            self._see_values(_Some(trimmed.take(pa.array(rows)), rows, some.texts, some.file, some.first))

    def _see_values(self, some: _Some) -> None:
        """Take texts that each stand for something."""
        boolean = _numpy(pc.is_in(some.values, _BOOLEANS))
        if boolean.all() and not (self._integers or self._floats):
            self._boolean = self._boolean or some.field(0)
        elif boolean.any() or self._boolean is not None:
            numbers_before = self._integers or self._floats
            self.text = some.field(int(np.argmax(boolean if numbers_before or not boolean.all() else ~boolean)))
        elif not (self._see_integers(some) or self._see_numbers(some)):
            self.text = some.field(int(np.argmin(some.fit(_INTEGER) | some.fit(_FLOAT))))


@dataclass(frozen=True, slots=True)
class _Some:
    """Some of the texts of a column.

    Attributes:
        values: They, perhaps without spaces around.
        rows: Where each of them is in `texts`.
        texts: The texts that were read.
        file: The file that those are from.
        first: The row of the first of those.
    """

    values: Column
    rows: Any
    texts: Column
    file: str
    first: int

    def take(self, places: Any) -> _Some:
        """Return those at some places."""
        return _Some(self.values.take(pa.array(places)), self.rows[places], self.texts, self.file, self.first)

    def field(self, place: int) -> Field:
        """Return where one of them is from."""
        row = int(self.rows[place])
        return Field(self.file, self.first + row, self.texts[row].as_py())

    def fit(self, pattern: str) -> Any:
        """Return which of them a pattern fits."""
        return _numpy(pc.match_substring_regex(self.values, pattern))


def _numpy(mask: Column) -> Any:
    return mask.to_numpy(zero_copy_only=False)


def _has_fraction(numbers: Any) -> Any:
    return np.isfinite(numbers) & (np.floor(numbers) != numbers)


def _is_float(integer: int) -> bool:
    """Return whether a 64-bit float is exactly this number."""
    try:
        return int(float(integer)) == integer
    except OverflowError:
        return False


def typed(name: str, texts: Column) -> Column:
    """Return the texts of a whole column of one file, in chunks, with the type that they have in common.

    Raises:
        InvalidDataError: They are numbers, and no type has all of them.
    """
    found = ColumnType(name)
    first = 0
    for chunk in texts.chunks:
        found.see(chunk, "", first)
        first += len(chunk)
    kind = found.kind
    return pa.chunked_array([from_texts(chunk, kind) for chunk in texts.chunks], kind)


def from_texts(texts: Column, kind: Any) -> Column:
    """Texts as what they stand for.

    Args:
        texts: An array of texts, as a file says them.
        kind: The type, such as `ColumnType` finds it, or any other that texts can be cast to.

    Raises:
        pyarrow.ArrowInvalid: One of them stands for no value of the type.
    """
    if pa.types.is_string(kind):
        return texts
    if pa.types.is_null(kind):
        return pa.nulls(len(texts))
    if pa.types.is_large_string(kind) or pa.types.is_binary(kind) or pa.types.is_large_binary(kind):
        return texts.cast(kind)
    if pa.types.is_dictionary(kind):
        return from_texts(texts, kind.value_type).dictionary_encode().cast(kind)
    try:
        values = pc.cast(texts, kind)
    except pa.ArrowInvalid:
        trimmed = pc.utf8_trim_whitespace(texts)
        null = pc.is_in(trimmed, NULLS)
        values = pc.cast(pc.if_else(null, pa.scalar(None, pa.string()), trimmed), kind)
    _check_numbers(texts, values)
    return values


def _check_numbers(texts: Column, values: Column) -> None:
    """Refuse what pyarrow takes for another number: 0xFF for -1 where a number has 8 bits, and 1e999 for infinite.

    Raises:
        pyarrow.ArrowInvalid: There is such a text.
    """
    if pa.types.is_integer(values.type):
        wrong = pc.match_substring(texts, "x", ignore_case=True)
    elif pa.types.is_floating(values.type):
        infinite = texts.filter(pc.is_inf(pc.cast(values, pa.float64())))
        wrong = pc.invert(pc.match_substring_regex(infinite, _INFINITE))
    else:
        return
    if pc.any(wrong).as_py():
        raise pa.ArrowInvalid("a text stands for another number")
