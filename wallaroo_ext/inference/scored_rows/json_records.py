"""Parsing long lists of JSON records a block at a time, so that they are never all in memory as Python objects."""

from __future__ import annotations

import json
import re
from importlib import import_module
from operator import itemgetter
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

try:
    import orjson
except ImportError:
    orjson = None

BLOCK_SIZE = 1 << 16
"""Bytes of a block: what it takes as Python objects is five times as much, and still in the processor's cache."""

_BETWEEN = re.compile(rb"\}[ \t\r\n]*,[ \t\r\n]*(?=\{)")
_MOST_TRIES = 8
"""How many ends are tried for a block: the first may be in a text, or within a record that has records of its own."""
LARGE = 2.0**63
_START = re.compile(rb"[ \t\r\n]*\[[ \t\r\n]*(?=\{)")
_DIGITS = bytes.maketrans(b"123456789-[:, \t\r\n", b"000000000,,,,,,,,")
_LONG = b"," + b"0" * 19
"""The beginning of a long whole number, once all digits are 0, and a comma is whatever may stand before a number."""
_TOO_LONG = re.compile(rb"(?:^|[\[:,\s])(?:-[0-9]{19}|[0-9]{20})")
"""The beginning of a whole number that 64 bits may not hold; orjson would make it one with a fraction."""


class NotInBlocksError(ValueError):
    """A text is no list of records, or cannot be told apart into blocks."""


def parse(content: bytes) -> Any:
    """Parse JSON as `json.loads` does, with orjson if it is there and reads the text the same.

    Args:
        content: The text.

    Raises:
        ValueError: It is no JSON.
    """
    if orjson is None or _has_long_numbers(content):
        return json.loads(content)
    try:
        return orjson.loads(content)
    except orjson.JSONDecodeError:  # as of NaN, numbers out of range, other encodings and lone surrogates
        return json.loads(content)


def parse_quickly(content: bytes) -> Any:
    """Parse JSON as `parse` does, except that whole numbers beyond 64 bits may become floats of `LARGE` or more.

    Raises:
        ValueError: It is no JSON.
    """
    if orjson is None:
        return json.loads(content)
    try:
        return orjson.loads(content)
    except orjson.JSONDecodeError:
        return json.loads(content)


def _has_long_numbers(content: bytes) -> bool:
    """Return whether a text may have whole numbers that 64 bits do not hold; digits behind a point do not count."""
    digits = content.translate(_DIGITS)  # in which to look for a constant takes a fifth of the time of a pattern
    if digits.startswith(_LONG[1:]) or _LONG in digits:
        return _TOO_LONG.search(content) is not None
    return False


def record_blocks(
    content: bytes | bytearray, size: int = BLOCK_SIZE, parse: Callable[[bytes], Any] = parse
) -> Iterator[list[dict[str, Any]]]:
    """Yield the records of a list, a block at a time.

    A block ends between two records: what comes before it has to be whole JSON, so that an end within a text or
    within a record is not taken for one.

    Args:
        content: The list as JSON.
        size: The least size of a block in bytes.
        parse: Parses a block, or raises ValueError.

    Raises:
        NotInBlocksError: It is no list of records, or no end of a block is found.
    """
    found = _START.match(content)
    if found is None:
        raise NotInBlocksError("it is no list of records")
    start = found.end()
    while start < len(content):
        records, start = _block(content, start, size, parse)
        yield records


def _block(
    content: bytes | bytearray, start: int, size: int, parse: Callable[[bytes], Any]
) -> tuple[list[dict[str, Any]], int]:
    """Return the records of the block that begins at a position, and where the next one begins."""
    position = start + size
    for _ in range(_MOST_TRIES):
        found = _BETWEEN.search(content, position)
        if found is None:
            return _parsed(b"[" + content[start:], parse), len(content)
        try:
            return _parsed(b"[" + content[start : found.start()] + b"}]", parse), found.end()
        except NotInBlocksError:
            position = found.end()
    raise NotInBlocksError("no end of a block is found")


def _parsed(text: bytes, parse: Callable[[bytes], Any]) -> list[dict[str, Any]]:
    try:
        records: Any = parse(text)
    except (ValueError, RecursionError):
        raise NotInBlocksError("a block is no JSON") from None
    if set(map(type, records)) <= {dict}:
        return records
    raise NotInBlocksError("it has other values than records")


def values_by_name(records: Sequence[Any]) -> dict[str, list[Any]] | None:
    """Return the values by the names that all records have; None unless they are dictionaries with the same names."""
    if set(map(type, records)) != {dict}:
        return None
    names: list[str] = list(records[0])
    if set(map(len, records)) != {len(names)}:
        return None
    try:
        return {name: list(map(itemgetter(name), records)) for name in names}  # twice as fast as a comprehension
    except KeyError:
        return None


class ColumnBlocks:
    """The columns of several blocks of rows, which have the same names and types in each of them.

    A table is made of them at the end only: to make one of each block takes a tenth of the time to read it.
    """

    def __init__(self) -> None:
        self._columns: dict[str, list[Any]] = {}
        self._types: list[Any] = []

    def add(self, columns: Mapping[str, Any]) -> bool:
        """Add the arrays of a block by name, unless their names or types are others than the first block's.

        Returns whether they were added.
        """
        types = [column.type for column in columns.values()]
        if not self._columns:
            self._columns, self._types = {name: [] for name in columns}, types
        if list(columns) != list(self._columns) or types != self._types:
            return False
        for name, column in columns.items():
            self._columns[name].append(column)
        return True

    def chunked_columns(self) -> dict[str, Any]:
        """Return the chunks of each column by name, as pyarrow takes them for a table."""
        pa: Any = import_module("pyarrow")
        return {
            name: pa.chunked_array(chunks, kind)
            for (name, chunks), kind in zip(self._columns.items(), self._types, strict=True)
        }
