"""Finding a common type for the columns of several files, and casting to it without changing a value."""

from __future__ import annotations

from functools import reduce
from importlib import import_module
from itertools import combinations
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

pa: Any = import_module("pyarrow")
pc: Any = import_module("pyarrow.compute")

Kind: TypeAlias = Any
"""A type of Arrow."""

_UNITS = ("s", "ms", "us", "ns")
_FLOAT32_BITS = 16
"""Integers of so many bits fit into the 24 bits of a 32-bit float's fraction."""

_WIDEST_DECIMAL = 76
_DECIMAL128_DIGITS = 38


def common_types(kinds: Sequence[Kind]) -> list[Kind]:
    """Return the types that may hold all values of these types, the best one first; empty if there is none.

    If a type is not certainly wider, `converted` has to try it on the values: 64-bit integers become floats only up to
    2^53.
    """
    try:
        found = reduce(_join, kinds)
    except _NoCommonTypeError:
        return []
    if pa.types.is_int64(found) and any(pa.types.is_uint64(kind) for kind in kinds):
        return [found, pa.uint64()]
    return [found]


def without_common_type(kinds: Sequence[Kind]) -> tuple[Kind, Kind]:
    """Return two types that have no common one, of several that have none; the outer ones where each two have one."""
    pairs = combinations(kinds, 2)
    return next((pair for pair in pairs if not common_types(pair)), (kinds[0], kinds[-1]))


class _NoCommonTypeError(Exception):
    """Two types have no common type."""


def _join(one: Kind, other: Kind) -> Kind:
    """Return a type for the values of two types."""
    if one.equals(other):
        return one
    if pa.types.is_null(one) or pa.types.is_null(other):
        return other if pa.types.is_null(one) else one
    for is_one_kind, join in _JOINS:
        if is_one_kind(one) and is_one_kind(other):
            return join(one, other)
    if pa.types.is_dictionary(one) or pa.types.is_dictionary(other):
        return _join(_without_dictionary(one), _without_dictionary(other))
    raise _NoCommonTypeError


def _without_dictionary(kind: Kind) -> Kind:
    return kind.value_type if pa.types.is_dictionary(kind) else kind


def _is_number(kind: Kind) -> bool:
    return pa.types.is_integer(kind) or pa.types.is_floating(kind)


def _numbers(one: Kind, other: Kind) -> Kind:
    integers = [kind for kind in (one, other) if pa.types.is_integer(kind)]
    if len(integers) == 2:  # noqa: PLR2004 - both of them
        return _integers(one, other)
    floats = [kind for kind in (one, other) if pa.types.is_floating(kind)]
    bits = max(kind.bit_width for kind in floats)
    if integers:
        bits = max(bits, 32 if integers[0].bit_width <= _FLOAT32_BITS else 64)
    return {16: pa.float16(), 32: pa.float32(), 64: pa.float64()}[bits]


def _integers(one: Kind, other: Kind) -> Kind:
    signed = [kind for kind in (one, other) if pa.types.is_signed_integer(kind)]
    if len(signed) != 1:
        return max(one, other, key=lambda kind: kind.bit_width)
    unsigned = one if signed[0] is other else other
    bits = min(64, max(signed[0].bit_width, unsigned.bit_width * 2))
    return {16: pa.int16(), 32: pa.int32(), 64: pa.int64()}[bits]


def _is_exact_number(kind: Kind) -> bool:
    return pa.types.is_decimal(kind) or pa.types.is_integer(kind)


def _decimals(one: Kind, other: Kind) -> Kind:
    scales, wholes = zip(*(_digits(kind) for kind in (one, other)), strict=True)
    scale = max(scales)
    digits = scale + max(wholes)
    if digits > _WIDEST_DECIMAL:
        raise _NoCommonTypeError
    return pa.decimal128(digits, scale) if digits <= _DECIMAL128_DIGITS else pa.decimal256(digits, scale)


def _digits(kind: Kind) -> tuple[int, int]:
    """Return the number of digits after the point, and before it."""
    if pa.types.is_decimal(kind):
        return kind.scale, kind.precision - kind.scale
    return 0, {8: 3, 16: 5, 32: 10, 64: 20}[kind.bit_width]


def _is_text(kind: Kind) -> bool:
    return pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind)


def _is_binary(kind: Kind) -> bool:
    return pa.types.is_binary(kind) or pa.types.is_large_binary(kind) or pa.types.is_binary_view(kind)


def _finer(one: Kind, other: Kind) -> str:
    return max(one.unit, other.unit, key=_UNITS.index)


def _timestamps(one: Kind, other: Kind) -> Kind:
    if one.tz != other.tz:
        raise _NoCommonTypeError
    return pa.timestamp(_finer(one, other), one.tz)


def _times(one: Kind, other: Kind) -> Kind:
    unit = _finer(one, other)
    return pa.time32(unit) if unit in {"s", "ms"} else pa.time64(unit)


def _is_list(kind: Kind) -> bool:
    return pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind)


def _lists(one: Kind, other: Kind) -> Kind:
    inner = pa.field("item", _join(one.value_type, other.value_type))
    sizes = {getattr(kind, "list_size", None) for kind in (one, other)}
    if len(sizes) == 1 and None not in sizes:
        return pa.list_(inner, sizes.pop())
    large = pa.types.is_large_list(one) or pa.types.is_large_list(other)
    return pa.large_list(inner) if large else pa.list_(inner)


def _structs(one: Kind, other: Kind) -> Kind:
    if [field.name for field in one.fields] != [field.name for field in other.fields]:
        raise _NoCommonTypeError
    pairs = zip(one.fields, other.fields, strict=True)
    return pa.struct([pa.field(left.name, _join(left.type, right.type)) for left, right in pairs])


_JOINS: tuple[tuple[Callable[[Kind], bool], Callable[[Kind, Kind], Kind]], ...] = (
    (_is_number, _numbers),
    (_is_exact_number, _decimals),
    (_is_text, lambda _one, _other: pa.large_string()),
    (_is_binary, lambda _one, _other: pa.large_binary()),
    (pa.types.is_timestamp, _timestamps),
    (pa.types.is_time, _times),
    (pa.types.is_duration, lambda one, other: pa.duration(_finer(one, other))),
    (pa.types.is_date, lambda _one, _other: pa.date64()),
    (_is_list, _lists),
    (pa.types.is_struct, _structs),
)


class LostValueError(Exception):
    """A value would change if it were cast to a type.

    Attributes:
        row: Its position in the column; None if the type does not fit any value.
        text: The value as a text.
    """

    def __init__(self, row: int | None, text: str = "") -> None:
        super().__init__(row, text)
        self.row = row
        self.text = text


def converted(column: Any, kind: Kind) -> Any:
    """Return a column cast to another type, with the same values.

    Raises:
        LostValueError: A value would change.
    """
    if column.type.equals(kind):
        return column
    found = _cast(column, kind)
    if found is None:
        row = _first_lost(column, kind)
        raise LostValueError(row, "" if row is None else scalar_text(column[row]))
    return found


def _cast(column: Any, kind: Kind) -> Any:
    """Return a column cast to a type; None if a value would change."""
    if not _may_become(column.type, kind):
        return None
    try:
        found = column.cast(kind)
        return found if _is_same(column, found) else None
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError, pa.ArrowTypeError):
        return None


def _is_same(column: Any, found: Any) -> bool:
    """Return whether all numbers of a column, also within lists and records, are the same after a cast."""
    before, after = column.type, found.type
    if before.equals(after) or pa.types.is_null(before):
        return True
    if pa.types.is_dictionary(before) or pa.types.is_dictionary(after):
        return _is_same(_decoded(column), _decoded(found))
    if _is_list(before):
        return _is_same(column.flatten(), found.flatten())
    if pa.types.is_struct(before):
        return all(map(_is_same, column.flatten(), found.flatten()))
    if not _may_round(before, after):
        return True
    back = found.cast(before)
    return pc.all(pc.or_kleene(pc.equal(back, column), pc.not_equal(column, column)), min_count=0).as_py()


def _decoded(column: Any) -> Any:
    return column.dictionary_decode() if pa.types.is_dictionary(column.type) else column


def scalar_text(scalar: Any) -> str:
    """Return a value as a text, even if Python has no such value."""
    try:
        return str(scalar.as_py())
    except (ValueError, OverflowError):  # Python has no nanoseconds, and no years above 9999
        return pa.array([scalar.value], scalar.type).cast(pa.string())[0].as_py()


def _may_become(one: Kind, other: Kind) -> bool:
    """Return whether a cast keeps the meaning of values, such as the kind of value and the time zone."""
    if pa.types.is_timestamp(one) and pa.types.is_timestamp(other):
        return one.tz == other.tz
    if _is_list(one) and _is_list(other):
        return _may_become(one.value_type, other.value_type)
    if pa.types.is_struct(one) and pa.types.is_struct(other):  # pyarrow drops fields, and fills others with nulls
        same_names = [field.name for field in one.fields] == [field.name for field in other.fields]
        return same_names and all(_may_become(*pair) for pair in zip(_kinds(one), _kinds(other), strict=True))
    if pa.types.is_dictionary(one) or pa.types.is_dictionary(other):
        return _may_become(_without_dictionary(one), _without_dictionary(other))
    same = (
        _is_number,
        _is_exact_number,
        _is_text,
        _is_binary,
        pa.types.is_time,
        pa.types.is_date,
        pa.types.is_duration,
    )
    if any(check(one) and check(other) for check in same):
        return True
    return pa.types.is_null(one) or one.equals(other) or (_is_text(other) and not pa.types.is_nested(one))


def _kinds(struct: Kind) -> list[Kind]:
    return [field.type for field in struct.fields]


def _may_round(one: Kind, other: Kind) -> bool:
    """Return whether a cast may silently change a number.

    A cast to a narrower float does (of integers, only to 16 bits), and one to a decimal with too few digits.
    """
    if pa.types.is_decimal(one) and pa.types.is_decimal(other):
        return any(after < before for before, after in zip(_digits(one), _digits(other), strict=True))
    if pa.types.is_floating(one):
        return pa.types.is_floating(other) and one.bit_width > other.bit_width
    return pa.types.is_integer(one) and pa.types.is_float16(other)


def _first_lost(column: Any, kind: Kind) -> int | None:
    """Return the position of the first value that would change, by bisection; None if the type fits no value."""
    if not _may_become(column.type, kind) or _cast(column.slice(0, 0), kind) is None:
        return next((row for row in range(len(column)) if column[row].is_valid), None)
    begin, end = 0, len(column)
    while end - begin > 1:
        middle = (begin + end) // 2
        begin, end = (begin, middle) if _cast(column.slice(begin, middle - begin), kind) is None else (middle, end)
    return begin
