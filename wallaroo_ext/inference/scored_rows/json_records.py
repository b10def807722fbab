"""Parsing long lists of JSON records a block at a time, as they come, so that their objects are never all in memory."""

from __future__ import annotations

import json
import re
from importlib import import_module
from operator import itemgetter
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

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
_MAY_START = re.compile(rb"[ \t\r\n]*(\[[ \t\r\n]*)?")
"""The text before the first record, or a beginning of it."""
_DIGITS = bytes.maketrans(b"123456789-[:, \t\r\n", b"000000000,,,,,,,,")
_LONG = b"," + b"0" * 19
"""The beginning of a long whole number, once all digits are 0, and a comma is whatever may stand before a number."""
_TOO_LONG = re.compile(rb"(?:^|[\[:,\s])(?:-[0-9]{19}|[0-9]{20})")
"""The beginning of a whole number that 64 bits may not hold; orjson would make it one with a fraction."""


class NotInBlocksError(ValueError):
    """A text is no list of records, cannot be told apart into blocks, or has blocks that are unlike each other."""


_NO_LIST = "it is no list of records"


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


class RecordBlocks:
    """The text of a list of records that comes in parts, and is parsed a block at a time.

    A block ends between two records: what comes before it has to be whole JSON, so that an end within a text or
    within a record is not taken for one.

    Args:
        size: The least size of a block in bytes.
        parse: Parses a block, or raises ValueError.
    """

    def __init__(self, size: int = BLOCK_SIZE, parse: Callable[[bytes], Any] = parse) -> None:
        self._size = size
        self._parse = parse
        self._text = bytearray()
        self._has_begun = False
        self._position: int = size
        self._tries = 0

    def feed(self, part: bytes | memoryview) -> Iterator[list[dict[str, Any]]]:
        """Yield the records of the blocks that are complete with the next part of the text.

        Raises:
            NotInBlocksError: It is no list of records, or no end of a block is found.
        """
        self._text += part
        if not self._has_begun:
            self._begin()
        while self._has_begun and (records := self._next_block()) is not None:
            yield records

    def end(self) -> Iterator[list[dict[str, Any]]]:
        """Yield the records of the last block.

        Raises:
            NotInBlocksError: The text is no list of records, or does not end as one.
        """
        if not self._has_begun:
            raise NotInBlocksError(_NO_LIST)
        yield _parsed(b"".join((b"[", self._text)), self._parse)

    def _begin(self) -> None:
        found = _START.match(self._text)
        if found is not None:
            del self._text[: found.end()]
            self._has_begun = True
        elif not _MAY_START.fullmatch(self._text):
            raise NotInBlocksError(_NO_LIST)

    def _next_block(self) -> list[dict[str, Any]] | None:
        """Return the records of the next block; None if its end has not come yet."""
        while (found := _BETWEEN.search(self._text, self._position)) is not None:
            try:
                records = _parsed(b"".join((b"[", memoryview(self._text)[: found.start()], b"}]")), self._parse)
            except NotInBlocksError:
                self._tries += 1
                if self._tries == _MOST_TRIES:
                    raise NotInBlocksError("no end of a block is found") from None
                self._position = found.end()
            else:
                del self._text[: found.end()]
                self._position, self._tries = self._size, 0
                return records
        # What has been searched is not searched again, but for an end of which a part may have come.
        last = self._text.rfind(b"}", self._position)
        self._position = max(self._position, len(self._text)) if last < 0 else last
        return None


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


class ArrivingColumns:
    """The columns of a long list of records, which are read while it comes: blocks with the same columns and types.

    Args:
        read: Returns the columns of a block's records by name; it raises `ValueError`, `TypeError` or an error of
            pyarrow where they cannot be read as those of a block.
        parse: Parses a block, or raises ValueError.

    Attributes:
        size: How many bytes have come.
    """

    def __init__(
        self, read: Callable[[list[dict[str, Any]]], Mapping[str, Any]], parse: Callable[[bytes], Any] = parse_quickly
    ) -> None:
        self._read = read
        self._parse = parse
        self.begin()

    def begin(self) -> Callable[[bytes | memoryview], None]:
        """Forget what has come, as another list begins. Returns `feed`, which takes its parts."""
        self.size = 0
        self._blocks = RecordBlocks(parse=self._parse)
        self._columns = ColumnBlocks()
        self._are_alike = True
        return self.feed

    def feed(self, part: bytes | memoryview) -> None:
        """Take the next part of the list, and read the blocks that are complete with it."""
        self.size += len(part)
        if self._are_alike:
            self._add_all(self._blocks.feed(part))

    def end(self) -> dict[str, Any] | None:
        """Return the chunks of each column by name, once the list has come.

        Returns None if they might not be those of the list as a whole, because blocks have other columns or types than
        the first one; or if the blocks cannot be told apart.
        """
        if self._are_alike:
            self._add_all(self._blocks.end())
        return self._columns.chunked_columns() if self._are_alike else None

    def _add_all(self, blocks: Iterable[list[dict[str, Any]]]) -> None:
        pa: Any = import_module("pyarrow")
        try:
            self._are_alike = all(self._columns.add(self._read(records)) for records in blocks)
        except (ValueError, TypeError, OverflowError, RecursionError, pa.ArrowException):
            self._are_alike = False
        if not self._are_alike:  # what has come needs no memory any more
            self._blocks, self._columns = RecordBlocks(), ColumnBlocks()


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
