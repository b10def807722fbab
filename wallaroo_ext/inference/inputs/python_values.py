"""Converting Python values to Arrow, and refusing those that Arrow would change or that are no numbers or texts."""

from __future__ import annotations

import datetime as dt
import decimal
import math
import uuid
from importlib import import_module
from itertools import chain
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from wallaroo_ext.errors import InvalidDataError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

pa: Any = import_module("pyarrow")

_MAX_SHOWN = 60
_TEXTS = (str,)
_BYTES = (bytes, bytearray, memoryview)
_BOOLEANS = (bool, np.bool_)
_NUMBERS = (int, float, np.number)
_OTHER_NUMBERS: Any = (np.longdouble, np.timedelta64)
"""Numbers of numpy that are none of Python's."""
_FLOATS = (float, np.floating, decimal.Decimal)
_DECIMALS = (decimal.Decimal,)
_DURATIONS = (dt.timedelta, np.timedelta64)
_SEQUENCES = (list, tuple)
_NONE_TYPE = type(None)
_PANDAS_MISSING = {"NaTType", "NAType"}
_SPANS = {"Period": "its start, value.start_time", "Interval": "its ends as two columns, value.left and value.right"}
"""The types of pandas for spans, and what to send in their place."""
CONVERSION_ERRORS = (pa.ArrowException, TypeError, ValueError, OverflowError, NotImplementedError)
"""The errors that pyarrow raises for values that it cannot convert."""


def array_of(name: str, values: Sequence[Any], first: int = 0) -> Any:
    """Return Python values as an Arrow array.

    What pandas has for missing values is null, and so is NaN among values that are no numbers. Whole numbers from 2^63
    on are unsigned ones. Numbers of several of numpy's types are taken as Python's.

    Args:
        name: The name of the column, for messages.
        values: The values.
        first: The number of the first row, for messages.

    Raises:
        InvalidDataError: The values have different types, or a type that is neither a number nor a text nor a list of
            these; the message names the column and the first such row.
    """
    kinds = set(map(type, values))
    if any(kind.__name__ in _PANDAS_MISSING for kind in kinds):
        values = [None if type(value).__name__ in _PANDAS_MISSING else value for value in values]
    if any(issubclass(kind, _FLOATS) for kind in kinds) and any(
        not _is_only(kind, _NUMBERS, _BOOLEANS) for kind in kinds
    ):
        values = [None if _is_nan(value) else value for value in values]
    check_values(name, values, first)
    try:
        return pa.array(values)
    except OverflowError as error:
        kind = _unsigned_type(values)
        if kind is None:
            raise _refusal(name, _first_refused_row(values), values, _reason(error), first) from error
        return pa.array(values, kind)
    except CONVERSION_ERRORS as error:
        if _has_numpy_numbers(values):  # of which pyarrow takes those of one type only
            return array_of(name, [_as_python(value) for value in values], first)
        decimals = _decimals_of_one_kind(values)
        if decimals is not None:
            return array_of(name, decimals, first)
        raise _refusal(name, _first_refused_row(values), values, _reason(error), first) from error


def _decimals_of_one_kind(values: Sequence[Any]) -> list[Any] | None:
    """Return decimals that pyarrow refuses in a form that it takes; None if they have none, or are others' values.

    Whole numbers beside decimals are decimals, too. Infinite decimals, and those of too many digits for one type, are
    the nearest floats, as all decimals are in the end.
    """
    known: list[Any] = list(_elements(values))
    if not any(isinstance(value, decimal.Decimal) for value in known):
        return None
    if not all(_is_only(value.__class__, (decimal.Decimal, int), (bool,)) for value in known):
        return None
    if any(isinstance(value, int) for value in known):
        return [_each(value, decimal.Decimal) for value in values]
    if any(math.isinf(float(value)) and value.is_finite() for value in known):
        return None
    return [_each(value, float) for value in values]


def _elements(values: Iterable[Any]) -> Iterator[Any]:
    """Yield the values that are not None, in lists as well."""
    for value in values:
        if isinstance(value, _SEQUENCES):
            yield from _elements(cast("Sequence[Any]", value))
        elif value is not None:
            yield value


def _each(value: Any, convert: Callable[[Any], Any]) -> Any:
    """Return a value, or each element of a list, converted, and None as it is."""
    if isinstance(value, _SEQUENCES):
        return [_each(item, convert) for item in cast("Sequence[Any]", value)]
    return None if value is None else convert(value)


def _has_numpy_numbers(values: Sequence[Any]) -> bool:
    """Return whether some values are numbers of numpy that Python has, too, in lists as well."""
    return any(
        _has_numpy_numbers(cast("Sequence[Any]", value)) if isinstance(value, _SEQUENCES) else _is_numpy_number(value)
        for value in values
    )


def _as_python(value: Any) -> Any:
    """Return a number of numpy as Python's, in lists as well, and all else as it is."""
    if isinstance(value, _SEQUENCES):
        return [_as_python(item) for item in cast("Sequence[Any]", value)]
    return value.item() if _is_numpy_number(value) else value


def _is_numpy_number(value: Any) -> bool:
    return isinstance(value, np.number) and not isinstance(value, _OTHER_NUMBERS)


def _is_nan(value: Any) -> bool:
    if isinstance(value, decimal.Decimal):
        return value.is_nan()
    return isinstance(value, _FLOATS) and bool(value != value)  # noqa: PLR0124 - so NaN is found


def _unsigned_type(values: Sequence[Any]) -> Any:
    """Return the type of unsigned whole numbers of 64 bits, in lists as the values are; None if they do not fit."""
    known = [value for value in values if value is not None]
    if known and all(isinstance(value, _SEQUENCES) for value in known):
        inner = _unsigned_type(list(chain.from_iterable(known)))
        return None if inner is None else pa.list_(inner)
    fits = all(isinstance(value, int | np.integer) and 0 <= value < 1 << 64 for value in known)
    return pa.uint64() if fits else None


def _reason(error: Exception) -> str:
    """Return the reason that pyarrow gives; for an overflow, a clearer one."""
    if isinstance(error, OverflowError):
        return "whole numbers are int64, or, where none is negative, uint64: send others as floats"
    return f"{str(error).rstrip('.')}: send numbers or texts of one type, or leave the column out"


def check_values(name: str, values: Sequence[Any], first: int = 0) -> None:
    """Raise InvalidDataError if Arrow would change some of the values; the message names the column and the row."""
    problem = _find_problem(values)
    if problem is not None:
        row, why = problem
        raise _refusal(name, row, values, why, first)


def _refusal(name: str, row: int | None, values: Sequence[Any], why: str, first: int) -> InvalidDataError:
    where = "" if row is None else f"row {first + row}, {_shown(values[row])}: "
    return InvalidDataError(f"The column {name!r} cannot be read: {where}{why.rstrip('.')}.")


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= _MAX_SHOWN else f"{text[: _MAX_SHOWN - 1]}…"


def _first_refused_row(values: Sequence[Any]) -> int | None:
    """Return the row of the first value that pyarrow refuses after those before it, found by bisection."""
    fine, wrong = 0, len(values)
    while wrong - fine > 1:
        middle = (fine + wrong) // 2
        try:
            pa.array(values[:middle])
        except CONVERSION_ERRORS:
            wrong = middle
        else:
            fine = middle
    return fine if len(values) else None


def _find_problem(values: Iterable[Any]) -> tuple[int | None, str] | None:
    """Return the row of the first value that cannot be sent, and the reason; None if all can."""
    values = list(values)
    kinds = {kind for kind in set(map(type, values)) if kind is not _NONE_TYPE and kind.__name__ not in _PANDAS_MISSING}
    found = _find_unsupported(values, kinds)
    if found is not None:
        return found
    for one, other, why in _MIXED:
        if any(issubclass(kind, one) for kind in kinds) and any(_is_only(kind, other, one) for kind in kinds):
            first_is_one = isinstance(next(value for value in values if value is not None), one)
            wanted = (other, one) if first_is_one else (one, ())
            return _first_row(values, lambda value, wanted=wanted: _is_only(value.__class__, *wanted)), why
    if any(issubclass(kind, dt.datetime) for kind in kinds):
        return _find_problem_of_times(values)
    for kind, holds, why in _LOSSY:
        if any(issubclass(each, kind) for each in kinds):
            row = _first_row(values, lambda value, kind=kind, holds=holds: isinstance(value, kind) and holds(value))
            if row is not None:
                return row, why
    return _find_problem_within(values, kinds)


def _find_unsupported(values: Sequence[Any], kinds: set[type]) -> tuple[int | None, str] | None:
    """Return the row of the first value of a type that is never sent, and the reason."""
    for wrong, why in _UNSUPPORTED:
        if any(issubclass(kind, wrong) for kind in kinds):
            return _first_row(values, lambda value, wrong=wrong: isinstance(value, wrong)), why
    for kind in kinds:
        if kind.__name__ in _SPANS:
            why = f"it stands for more than one time or number: send {_SPANS[kind.__name__]}"
            return _first_row(values, lambda value, kind=kind: isinstance(value, kind)), why
    return None


def _is_only(kind: type, wanted: tuple[type, ...], but_not: tuple[type, ...]) -> bool:
    return issubclass(kind, wanted) and not issubclass(kind, but_not)


def _first_row(values: Sequence[Any], fits: Callable[[Any], bool]) -> int | None:
    return next((row for row, value in enumerate(values) if fits(value)), None)


_UNSUPPORTED: tuple[tuple[tuple[type, ...], str], ...] = (
    ((set, frozenset), "a set has no order: send a list"),
    ((uuid.UUID,), "a UUID is no number and no text: send str(value)"),
    ((complex, np.complexfloating), "a complex number is none that a model takes: send its parts as two columns"),
    (
        (np.ma.MaskedArray,),
        "it has masked elements, within a list: send one masked array",
    ),
)
_MIXED: tuple[tuple[tuple[type, ...], tuple[type, ...], str], ...] = (
    (_TEXTS, _BYTES, "the column has texts and bytes"),
    (_TEXTS, _BOOLEANS, "the column has texts and booleans"),
    (_TEXTS, _NUMBERS, "the column has texts and numbers"),
    (_BOOLEANS, _NUMBERS, "the column has booleans and numbers"),
    (_DURATIONS, _NUMBERS, "the column has durations and numbers"),
    (_DECIMALS, (float, np.floating), "the column has decimals and floats: send float(value) of each"),
    (_DECIMALS, (*_TEXTS, *_BOOLEANS), "the column has decimals and texts or booleans"),
    ((dt.datetime,), (dt.date,), "the column has dates and times"),
)
_LOSSY: tuple[tuple[type, Callable[[Any], Any], str], ...] = (
    (dt.time, lambda value: value.tzinfo, "a time of the day with a zone, which Arrow lacks: leave the zone out"),
    (
        dt.timedelta,
        lambda value: getattr(value, "nanoseconds", 0),
        "a duration with nanoseconds among objects: send a column of timedelta64[ns]",
    ),
)
"""Types of which Arrow would silently drop a part, how to recognize such a value, and the reason to give."""


def _find_problem_of_times(values: Sequence[Any]) -> tuple[int | None, str] | None:
    """Return the row of the first time that has another zone than those before it, or nanoseconds, and the reason."""
    zones = {str(value.tzinfo) for value in values if _is_time(value)}
    if len(zones) > 1:
        first_zone = str(next(value for value in values if _is_time(value)).tzinfo)
        row = _first_row(values, lambda value: _is_time(value) and str(value.tzinfo) != first_zone)
        return row, "the column has times of several zones, or with one and without"
    row = _first_row(values, lambda value: _is_time(value) and bool(getattr(value, "nanosecond", 0)))
    return None if row is None else (row, "a time with nanoseconds among objects: send a column of datetime64[ns]")


def _is_time(value: object) -> bool:
    return isinstance(value, dt.datetime) and value == value  # noqa: PLR0124 - pandas' NaT is not equal to itself


def _find_problem_within(values: Sequence[Any], kinds: set[type]) -> tuple[int | None, str] | None:
    """Return the row of the first list or record whose values cannot be sent beside those before it, and the reason."""
    parts: list[list[Any]] = []
    if any(issubclass(kind, _SEQUENCES) for kind in kinds):
        lists = cast("list[list[Any]]", [value for value in values if isinstance(value, _SEQUENCES)])
        parts.append(list(chain.from_iterable(lists)))
    if any(issubclass(kind, dict) for kind in kinds):
        records = cast("list[Mapping[Any, Any]]", [value for value in values if isinstance(value, dict)])
        names = dict.fromkeys(name for record in records for name in record)
        parts.extend([record[name] for record in records if name in record] for name in names)
    found = next(filter(None, map(_find_problem, parts)), None)
    if found is None:
        return None
    wrong = (row for row, value in enumerate(values) if value is not None and _find_problem([value]) is not None)
    return (next(wrong, None) if len(values) > 1 else 0), found[1]
