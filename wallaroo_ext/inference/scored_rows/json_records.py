"""Parsing long lists of JSON records a block at a time, so that they are never all in memory as Python objects."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

try:
    import orjson
except ImportError:
    orjson = None

BLOCK_SIZE = 1 << 18
"""Bytes of a block: what it takes as Python objects is five times as much."""

_BETWEEN = re.compile(rb"\}[ \t\r\n]*,[ \t\r\n]*(?=\{)")
_MOST_TRIES = 8
"""How many ends are tried for a block: the first may be in a text, or within a record that has records of its own."""
_START = re.compile(rb"[ \t\r\n]*\[[ \t\r\n]*(?=\{)")
_DIGITS = bytes.maketrans(b"123456789", b"000000000")
_LONG = (b"-" + b"0" * 19, b"0" * 20)
"""Whole numbers that 64 bits may not hold, once all digits are 0; orjson would make them numbers with a fraction."""


class NotInBlocksError(ValueError):
    """A text is no list of records, or cannot be told apart into blocks."""


def parse(content: bytes) -> Any:
    """Parse JSON as `json.loads` does, with orjson if it is there and reads the text the same.

    Args:
        content: The text.

    Raises:
        ValueError: It is no JSON.
    """
    digits = content.translate(_DIGITS)
    if orjson is None or any(long in digits for long in _LONG):
        return json.loads(content)
    try:
        return orjson.loads(content)
    except orjson.JSONDecodeError:  # as of NaN, numbers out of range, other encodings and lone surrogates
        return json.loads(content)


def record_blocks(content: bytes, size: int = BLOCK_SIZE) -> Iterator[list[dict[str, Any]]]:
    """Yield the records of a list, a block at a time, as `parse` reads them.

    A block ends between two records: what comes before it has to be whole JSON, so that an end within a text or
    within a record is not taken for one.

    Args:
        content: The list as JSON.
        size: The least size of a block in bytes.

    Raises:
        NotInBlocksError: It is no list of records, or no end of a block is found.
    """
    found = _START.match(content)
    if found is None:
        raise NotInBlocksError("it is no list of records")
    start = found.end()
    while start < len(content):
        records, start = _block(content, start, size)
        yield records


def _block(content: bytes, start: int, size: int) -> tuple[list[dict[str, Any]], int]:
    """Return the records of the block that begins at a position, and where the next one begins."""
    position = start + size
    for _ in range(_MOST_TRIES):
        found = _BETWEEN.search(content, position)
        if found is None:
            return _parsed(b"[" + content[start:]), len(content)
        try:
            return _parsed(b"[" + content[start : found.start()] + b"}]"), found.end()
        except NotInBlocksError:
            position = found.end()
    raise NotInBlocksError("no end of a block is found")


def _parsed(text: bytes) -> list[dict[str, Any]]:
    try:
        records: Any = parse(text)
    except (ValueError, RecursionError):
        raise NotInBlocksError("a block is no JSON") from None
    if all(isinstance(record, dict) for record in records):
        return records
    raise NotInBlocksError("it has other values than records")
