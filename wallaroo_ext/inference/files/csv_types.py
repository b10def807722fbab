"""Inferring the types of CSV columns, each from all texts of the column, so that no value changes.

Numbers are those of JSON; in addition, a number with a point may begin or end with it or begin with zeros, and spaces
may surround a number. `true` and `false` are booleans. If any text of a column is something else, the whole column
stays texts, exactly as written: `00123`, `+1`, `+1.5`, `0x10` and dates are texts. In a column of numbers or booleans,
empty fields and the usual words for missing values are null; in a column of texts they stay as they are.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from wallaroo_ext.errors import InvalidDataError

if TYPE_CHECKING:
    from wallaroo_ext.inference.files.texts.text_options import Decimal

pa: Any = import_module("pyarrow")
pc: Any = import_module("pyarrow.compute")

Column: TypeAlias = Any
"""A pyarrow array. Its stubs ask for the type of the elements, which is known at run time only."""

NULLS = pa.array(
    [
        *("", "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "1.#IND", "1.#QNAN", "<NA>", "N/A", "NA"),
        *("NULL", "None", "n/a", "null", "\\N", "(null)"),
    ]
)
"""The texts for a missing value in pyarrow, pandas and databases, without `nan`, which is a number of its own."""

_BOOLEANS = pa.array(["true", "True", "TRUE", "false", "False", "FALSE"])
_INTEGER = "^-?(0|[1-9][0-9]*)$"
_FLOAT = (
    r"^-?([0-9]+\.[0-9]*([eE][-+]?[0-9]+)?|\.[0-9]+([eE][-+]?[0-9]+)?|(0|[1-9][0-9]*)[eE][-+]?[0-9]+|"
    "nan|NaN|inf|Inf|INF|infinity|Infinity)$"
)
_WITH_COMMA = r"^-?[0-9]*,[0-9]+$"
_WITH_GROUPS = r"^-?[0-9]{1,3}(,[0-9]{3})+(\.[0-9]*)?$"
_INFINITE = r"(?i)^\s*[-+]?inf"
_ZERO = r"^-?[0.]+([eE].*)?$"
_MAX_EXACT_FLOAT = 1 << 53
_MAX_SHOWN = 40


@dataclass(frozen=True, slots=True)
class Field:
    """A field of a CSV file.

    Attributes:
        file: The name of the file; empty if there is a single file.
        row: The row, counted from 0.
        text: The text of the field.
    """

    file: str
    row: int
    text: str

    def __str__(self) -> str:
        """Return the place and the text of the field for a message."""
        return f"{f'{self.file}, ' if self.file else ''}row {self.row}: {self.text[:_MAX_SHOWN]!r}"


class ColumnType:
    """Infers the type of a column from all of its texts, in one or several files.

    Args:
        name: The name of the column.
        decimal: The decimal point of numbers; None for a point, if the column is not one of numbers with commas.

    Attributes:
        text: The first field that makes it a column of texts; None if there is no such field.
    """

    def __init__(self, name: str, decimal: Decimal | None = ".") -> None:
        self.name = name
        self._decimal: Decimal | None = decimal
        self._comma: Field | None = None
        self._may_have_commas = decimal != "."
        self.text: Field | None = None
        self._null_word: Field | None = None
        self._boolean: Field | None = None
        self._integers = False
        self._floats = False
        self._lowest = self._highest = 0
        self._inexact: Field | None = None
        self._beyond: Field | None = None

    def add(self, texts: Column, file: str, first: int) -> None:
        """Take the next texts into account.

        Args:
            texts: The texts, an array without nulls.
            file: The file that they come from.
            first: The row of the first text.
        """
        if len(texts) and (self.text is None or self._may_have_commas):
            values = _with_points(texts) if self._decimal == "," else texts
            selection = _Selection(values, np.arange(len(texts)), texts, file, first)
            if self.text is None:
                self._add(selection)
            if self.text is not None and self._may_have_commas:
                self._look_for_commas(selection)

    def _add(self, selection: _Selection) -> None:
        """Take texts into account for a column that has no other texts than numbers and booleans so far."""
        if self._boolean is not None or not (self._add_integers(selection) or self._add_numbers(selection)):
            self._add_texts(selection)

    def _look_for_commas(self, selection: _Selection) -> None:
        """Find out whether a column of texts is one of numbers with commas in them."""
        trimmed = pc.utf8_trim_whitespace(selection.values)
        commas = _matches(trimmed, _WITH_COMMA) | _matches(trimmed, _WITH_GROUPS)
        others = _matches(trimmed, _INTEGER) | _matches(trimmed, _FLOAT) | _to_numpy(pc.is_in(trimmed, NULLS))
        self._may_have_commas = self._boolean is None and bool((commas | others).all())
        if self._comma is None and commas.any():
            self._comma = selection.field(int(np.argmax(commas)))

    @property
    def kind(self) -> Any:
        """The type that holds every text exactly.

        Raises:
            InvalidDataError: No type holds all of these numbers; the message names the file and the row.
        """
        if self.text is not None:
            self._check_commas()
            return pa.string()
        if self._boolean is not None:
            return pa.bool_()
        if self._floats or self._integers:
            return self._kind_of_numbers()
        return pa.null() if self._null_word is None else pa.string()

    def _check_commas(self) -> None:
        """Raise InvalidDataError for a column of numbers that have commas, or points, in them."""
        if self._comma is None or not self._may_have_commas:
            return
        if self._decimal == ",":
            raise InvalidDataError(
                f"{self._comma} in the column {self.name!r} has a point, and `decimal` is a comma.",
                advice="Write its numbers with commas, and without separators of thousands.",
            )
        raise InvalidDataError(
            f"{self._comma} in the column {self.name!r} has a comma, and all others are numbers, too.",
            advice="Say decimal=',' if that is their decimal point (--decimal , on the command line), or decimal='.' "
            "if they are texts; remove separators of thousands.",
        )

    def _kind_of_numbers(self) -> Any:
        if not self._floats:
            for kind, least, most in ((pa.int64(), -(2**63), 2**63), (pa.uint64(), 0, 2**64)):
                if least <= self._lowest and self._highest < most:
                    return kind
        wrong = self._beyond or self._inexact
        if wrong is not None:
            nearest = "" if wrong is self._beyond else ", float64 for the nearest numbers"
            raise InvalidDataError(
                f"{wrong} in the column {self.name!r} does not fit into the 64-bit type of the other numbers.",
                advice=f"infer_dataset takes the type of the column by `types`: string for texts{nearest}.",
            )
        return pa.float64()

    def _add_integers(self, selection: _Selection) -> bool:
        """Take 64-bit integers into account; return False if a text is no integer or has another spelling."""
        if self._floats:
            return False
        try:
            numbers = pc.cast(selection.values, pa.int64())
        except pa.ArrowInvalid:
            return False
        if not pc.all(pc.equal(pc.cast(numbers, pa.string()), selection.values)).as_py():
            return False
        ends = pc.min_max(numbers).as_py()
        self._widen_range(ends["min"])
        self._widen_range(ends["max"])
        if self._inexact is None and not -_MAX_EXACT_FLOAT <= ends["min"] <= ends["max"] <= _MAX_EXACT_FLOAT:
            self._inexact = next(
                (selection.field(row) for row, number in enumerate(numbers.to_pylist()) if not _is_float(number)), None
            )
        return True

    def _widen_range(self, integer: int) -> None:
        self._integers = True
        self._lowest, self._highest = min(self._lowest, integer), max(self._highest, integer)

    def _add_numbers(self, selection: _Selection) -> bool:
        """Take numbers into account; return False if a text is no number."""
        try:
            numbers = pc.cast(selection.values, pa.float64()).to_numpy()
        except pa.ArrowInvalid:
            return False
        if pc.any(pc.starts_with(selection.values, "+")).as_py():  # pyarrow takes it as a number
            return False
        # A value with a fraction is a float however it is written. One without may come from 007, 0, 2e19 or 1e999.
        rows = np.flatnonzero(~_has_fraction(numbers))
        if not rows.size:
            self._floats = True
            return True
        whole, numbers = selection.take(rows), numbers[rows]
        integers, floats = whole.matches(_INTEGER), whole.matches(_FLOAT)
        if not (integers | floats).all():
            return False
        self._floats = self._floats or len(rows) < len(selection.values) or bool(floats.any())
        if integers.any():
            self._add_long_integers(whole.take(np.flatnonzero(integers)), numbers[integers])
        lost = (np.isinf(numbers) & ~whole.matches(_INFINITE) & floats) | ((numbers == 0) & ~whole.matches(_ZERO))
        if self._beyond is None and lost.any():
            self._beyond = whole.field(int(np.argmax(lost)))
        return True

    def _add_long_integers(self, selection: _Selection, numbers: Any) -> None:
        """Take integers of any length into account."""
        self._widen_range(0)
        small = np.abs(numbers) < _MAX_EXACT_FLOAT
        if small.any():
            self._widen_range(int(numbers[small].min()))
        for row in np.flatnonzero(~small).tolist():
            integer = int(selection.values[row].as_py())
            self._widen_range(integer)
            if self._inexact is None and not _is_float(integer):
                self._inexact = selection.field(row)

    def _add_texts(self, selection: _Selection) -> None:
        """Take texts of any kind into account."""
        trimmed = pc.utf8_trim_whitespace(selection.values)
        null = _to_numpy(pc.is_in(trimmed, NULLS))
        words = null & _to_numpy(pc.not_equal(trimmed, ""))
        if self._null_word is None and words.any():
            self._null_word = selection.field(int(np.argmax(words)))
        rows = np.flatnonzero(~null)
        if rows.size:
            self._add_values(
                _Selection(trimmed.take(pa.array(rows)), rows, selection.texts, selection.file, selection.first)
            )

    def _add_values(self, selection: _Selection) -> None:
        """Take texts into account that are no missing values."""
        boolean = _to_numpy(pc.is_in(selection.values, _BOOLEANS))
        if boolean.all() and not (self._integers or self._floats):
            self._boolean = self._boolean or selection.field(0)
        elif boolean.any() or self._boolean is not None:
            numbers_before = self._integers or self._floats
            self.text = selection.field(int(np.argmax(boolean if numbers_before or not boolean.all() else ~boolean)))
        elif not (self._add_integers(selection) or self._add_numbers(selection)):
            self.text = selection.field(int(np.argmin(selection.matches(_INTEGER) | selection.matches(_FLOAT))))


@dataclass(frozen=True, slots=True)
class _Selection:
    """A selection of the texts of a column.

    Attributes:
        values: The selected texts, perhaps without surrounding spaces.
        rows: Their positions in `texts`.
        texts: All texts that were read.
        file: The file that they come from.
        first: The row of the first of all texts.
    """

    values: Column
    rows: Any
    texts: Column
    file: str
    first: int

    def take(self, positions: Any) -> _Selection:
        """Return the texts at some positions."""
        return _Selection(
            self.values.take(pa.array(positions)), self.rows[positions], self.texts, self.file, self.first
        )

    def field(self, position: int) -> Field:
        """Return the field that a text comes from."""
        row = int(self.rows[position])
        return Field(self.file, self.first + row, self.texts[row].as_py())

    def matches(self, pattern: str) -> Any:
        """Return a mask of the texts that match a pattern."""
        return _matches(self.values, pattern)


def _matches(texts: Column, pattern: str) -> Any:
    return _to_numpy(pc.match_substring_regex(texts, pattern))


def _with_points(texts: Column) -> Column:
    """Return texts with points for commas and commas for points."""
    for found, new in ((".", "\0"), (",", "."), ("\0", ",")):
        texts = pc.replace_substring(texts, found, new)
    return texts


def _to_numpy(mask: Column) -> Any:
    return mask.to_numpy(zero_copy_only=False)


def _has_fraction(numbers: Any) -> Any:
    return np.isfinite(numbers) & (np.floor(numbers) != numbers)


def _is_float(integer: int) -> bool:
    """Return whether a 64-bit float holds this integer exactly."""
    try:
        return int(float(integer)) == integer
    except OverflowError:
        return False


def infer_type(name: str, texts: Column, decimal: Decimal | None = ".") -> Column:
    """Return a whole column of one file, given as texts, with its inferred type.

    Args:
        name: The name of the column.
        texts: The texts.
        decimal: The decimal point of numbers; None for a point, if the column is not one of numbers with commas.

    Raises:
        InvalidDataError: No type holds all of the numbers.
    """
    found = ColumnType(name, decimal)
    first = 0
    for chunk in texts.chunks:
        found.add(chunk, "", first)
        first += len(chunk)
    kind = found.kind
    return pa.chunked_array([from_texts(chunk, kind, decimal) for chunk in texts.chunks], kind)


def from_texts(texts: Column, kind: Any, decimal: Decimal | None = ".") -> Column:
    """Return texts as values of a type.

    Args:
        texts: The texts of the file, an array.
        kind: The type that `ColumnType` infers, or any other that texts can be cast to.
        decimal: The decimal point of numbers; None for a point.

    Raises:
        pyarrow.ArrowInvalid: A text is no value of the type.
    """
    if pa.types.is_string(kind):
        return texts
    if pa.types.is_null(kind):
        return pa.nulls(len(texts))
    if pa.types.is_large_string(kind) or pa.types.is_binary(kind) or pa.types.is_large_binary(kind):
        return texts.cast(kind)
    if pa.types.is_dictionary(kind):
        return from_texts(texts, kind.value_type, decimal).dictionary_encode().cast(kind)
    if decimal == "," and (pa.types.is_floating(kind) or pa.types.is_integer(kind) or pa.types.is_decimal(kind)):
        texts = _with_points(texts)
    try:
        values = pc.cast(texts, kind)
    except pa.ArrowInvalid:
        trimmed = pc.utf8_trim_whitespace(texts)
        null = pc.is_in(trimmed, NULLS)
        values = pc.cast(pc.if_else(null, pa.scalar(None, pa.string()), trimmed), kind)
    _check_numbers(texts, values)
    return values


def _check_numbers(texts: Column, values: Column) -> None:
    """Raise an error for texts that pyarrow reads as another number, such as 0xFF as -1 in int8, and 1e999 as infinity.

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
        raise pa.ArrowInvalid("a text would become another number")
