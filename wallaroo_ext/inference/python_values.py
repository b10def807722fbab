"""Values of Python in a column: which have no meaning as a number or a text, or would become others in Arrow."""

from __future__ import annotations

import datetime as dt
import uuid
from importlib import import_module
from itertools import chain
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from wallaroo_ext.errors import InvalidDataError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

pa: Any = import_module("pyarrow")

_LONGEST = 60
_TEXTS = (str,)
_BYTES = (bytes, bytearray, memoryview)
_BOOLEANS = (bool, np.bool_)
_NUMBERS = (int, float, np.number)
_SEQUENCES = (list, tuple)
_NOTHING = type(None)
_PANDAS_NO_TIME = "NaTType"


def array_of(name: str, values: Sequence[Any], **options: Any) -> Any:
    """Return values of Python as an array of Arrow.

    Args:
        name: The column that they are in.
        values: The values.
        **options: What pyarrow is told.

    Raises:
        InvalidDataError: They are of several kinds, or of one that is no number, no text and no list of them; the
            message names the column and the first such row.
    """
    check_values(name, values)
    try:
        return pa.array(values, **options)
    except (pa.ArrowException, TypeError, ValueError, OverflowError) as error:
        raise _refused(name, _first_refused(values), values, _why(error)) from error


def _why(error: Exception) -> str:
    """Return what pyarrow says, but where it speaks of types of C."""
    if isinstance(error, OverflowError):
        return "Python's whole numbers are read as int64: send those from 2^63 to 2^64-1 as a numpy array of uint64"
    return str(error)


def check_values(name: str, values: Sequence[Any]) -> None:
    """Raise InvalidDataError where Arrow would make other values of some: the message names the column and the row."""
    problem = _problem(values)
    if problem is not None:
        row, why = problem
        raise _refused(name, row, values, why)


def _refused(name: str, row: int | None, values: Sequence[Any], why: str) -> InvalidDataError:
    where = "" if row is None else f"row {row}, {_shown(values[row])}: "
    return InvalidDataError(f"The column {name!r} cannot be read: {where}{why.rstrip('.')}.")


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


def _first_refused(values: Sequence[Any]) -> int | None:
    """Return the first value that pyarrow does not take after those before it, by halving."""
    fine, wrong = 0, len(values)
    while wrong - fine > 1:
        middle = (fine + wrong) // 2
        try:
            pa.array(values[:middle])
        except (pa.ArrowException, TypeError, ValueError, OverflowError):
            wrong = middle
        else:
            fine = middle
    return fine if len(values) else None


def _problem(values: Iterable[Any]) -> tuple[int | None, str] | None:
    """Return the first value that is of a wrong kind, and why; None where there is none."""
    values = list(values)
    kinds = {kind for kind in set(map(type, values)) if kind is not _NOTHING and kind.__name__ != _PANDAS_NO_TIME}
    for wrong, why in _WRONG:
        if any(issubclass(kind, wrong) for kind in kinds):
            return _first(values, lambda value, wrong=wrong: isinstance(value, wrong)), why
    for one, other, why in _MIXED:
        if any(issubclass(kind, one) for kind in kinds) and any(_is_only(kind, other, one) for kind in kinds):
            first_is_one = isinstance(next(value for value in values if value is not None), one)
            different = other if first_is_one else one
            return _first(values, lambda value, different=different: isinstance(value, different)), why
    if any(issubclass(kind, dt.datetime) for kind in kinds):
        return _problem_of_times(values)
    for kind, holds, why in _LOST:
        if any(issubclass(each, kind) for each in kinds):
            row = _first(values, lambda value, kind=kind, holds=holds: isinstance(value, kind) and holds(value))
            if row is not None:
                return row, why
    return _problem_within(values, kinds)


def _is_only(kind: type, wanted: tuple[type, ...], but_not: tuple[type, ...]) -> bool:
    return issubclass(kind, wanted) and not issubclass(kind, but_not)


def _first(values: Sequence[Any], fits: Callable[[Any], bool]) -> int | None:
    return next((row for row, value in enumerate(values) if fits(value)), None)


_WRONG: tuple[tuple[tuple[type, ...], str], ...] = (
    ((set, frozenset), "a set has no order: send a list"),
    ((uuid.UUID,), "a UUID is no number and no text: send str(value)"),
    (
        (np.ma.MaskedArray,),
        "it has masked elements, within a list: send one masked array",
    ),
)
_MIXED: tuple[tuple[tuple[type, ...], tuple[type, ...], str], ...] = (
    (_TEXTS, _BYTES, "the column has texts and bytes"),
    (_BOOLEANS, _NUMBERS, "the column has booleans and numbers"),
    ((dt.datetime,), (dt.date,), "the column has dates and times"),
)
_LOST: tuple[tuple[type, Callable[[Any], Any], str], ...] = (
    (dt.time, lambda value: value.tzinfo, "a time of the day with a zone, which Arrow lacks: leave the zone out"),
    (
        dt.timedelta,
        lambda value: getattr(value, "nanoseconds", 0),
        "a duration with nanoseconds among objects: send a column of timedelta64[ns]",
    ),
)
"""What Arrow would leave out of some values without a word."""


def _problem_of_times(values: Sequence[Any]) -> tuple[int | None, str] | None:
    """Return the first time whose zone is not that of those before it, or that has nanoseconds."""
    zones = {str(value.tzinfo) for value in values if _is_time(value)}
    if len(zones) > 1:
        own = str(next(value for value in values if _is_time(value)).tzinfo)
        row = _first(values, lambda value: _is_time(value) and str(value.tzinfo) != own)
        return row, "the column has times of several zones, or with one and without"
    row = _first(values, lambda value: _is_time(value) and bool(getattr(value, "nanosecond", 0)))
    return None if row is None else (row, "a time with nanoseconds among objects: send a column of datetime64[ns]")


def _is_time(value: object) -> bool:
    return isinstance(value, dt.datetime) and value == value  # noqa: PLR0124 - pandas' NaT is none


def _problem_within(values: Sequence[Any], kinds: set[type]) -> tuple[int | None, str] | None:
    """Return the first list or record with a wrong value in it, or with another kind of value than those before it."""
    parts: list[list[Any]] = []
    if any(issubclass(kind, _SEQUENCES) for kind in kinds):
        lists = cast("list[list[Any]]", [value for value in values if isinstance(value, _SEQUENCES)])
        parts.append(list(chain.from_iterable(lists)))
    if any(issubclass(kind, dict) for kind in kinds):
        records = cast("list[Mapping[Any, Any]]", [value for value in values if isinstance(value, dict)])
        names = dict.fromkeys(name for record in records for name in record)
        parts.extend([record[name] for record in records if name in record] for name in names)
    found = next(filter(None, map(_problem, parts)), None)
    if found is None:
        return None
    wrong = (row for row, value in enumerate(values) if value is not None and _problem([value]) is not None)
    return (next(wrong, None) if len(values) > 1 else 0), found[1]
