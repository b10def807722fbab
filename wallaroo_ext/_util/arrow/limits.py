"""How much memory an Arrow file would take, computed before it is decoded and before its columns are expanded.

A small file can stand for any amount of data: a compressed buffer states its own length, buffers, batches and column
descriptions may overlap, nested empty lists can have any number of rows, and one long text can be the value of every
row. Reading takes the sum of the buffers' lengths, which each batch's metadata states, and the column descriptions.
That metadata is in FlatBuffers; it is read here as far as needed, without copying. The size of the expanded columns is
then computed without expanding them.
"""

from __future__ import annotations

import os
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from wallaroo_ext._util.files.signatures import ARROW_FILE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

_END = struct.Struct("<i6s")
_BLOCK = struct.Struct("<qi4xq")
_BUFFER_SIZE = _NODE_SIZE = 16
_NO_BUFFERS = np.empty((0, 2), np.int64)
_FIELD_SIZE = 512  # the description of a column in memory, without its name and metadata
_ARRAY_SIZE = 256  # a column of one batch in memory, without its buffers
_CONTINUATION = 0xFFFFFFFF
_DICTIONARY_BATCH, _RECORD_BATCH = 2, 3
_NOT_COMPRESSED = -1
_VERSION_5 = 4
_OLD_COMPRESSION = b"ARROW:experimental_compression"
_LISTS_OF_TYPES = {10: 1, 14: 4}  # the time zone of timestamps and the ids of unions: field 1, and the size of an item
_MAX_BATCHES = 1 << 16
_MAX_FIELDS = 1 << 16
_MAX_COLUMNS = 1 << 14
MAX_DEPTH = 32

_NUMBER_SIZE = 8
_TEXT_SIZE = 64  # a Python string without its characters, and the reference to it
_ROW_SIZE = 16  # the time of a row and its count of anomalies

_VIEWS = (pa.types.is_string_view, pa.types.is_binary_view)
_TEXTS = (pa.types.is_string, pa.types.is_large_string, pa.types.is_binary, pa.types.is_large_binary)
_UNREADABLE = (
    pa.types.is_union,
    pa.types.is_run_end_encoded,
    pa.types.is_list_view,
    pa.types.is_large_list_view,
)
_LISTS = (pa.types.is_list, pa.types.is_large_list, pa.types.is_fixed_size_list, pa.types.is_map)


class TooLargeError(Exception):
    """Rows would take more memory than allowed."""


@dataclass(frozen=True, slots=True)
class _Table:
    """A FlatBuffers table: where it is, and where its fields are.

    Every position is checked against the end of the content, so a wrong one raises a struct.error.
    """

    content: memoryview
    position: int

    @staticmethod
    def root(content: memoryview, start: int) -> _Table:
        """Return the root table of a FlatBuffers message."""
        return _Table(content, start + _read("<I", content, start))

    def field(self, number: int) -> int | None:
        """Return the position of a field's value; None if it has its default."""
        fields = self.position - _read("<i", self.content, self.position)
        entry = 4 + 2 * number
        if entry >= _read("<H", self.content, fields):
            return None
        offset = _read("<H", self.content, fields + entry)
        return self.position + offset if offset else None

    def table(self, number: int) -> _Table | None:
        """Return the table that a field refers to."""
        position = self.field(number)
        return None if position is None else _Table.root(self.content, position)

    def vector(self, number: int, item_size: int) -> tuple[int, int]:
        """Return where the vector of a field begins, and how many items it has.

        Raises:
            ValueError: The vector ends outside the content.
        """
        position = self.field(number)
        if position is None:
            return 0, 0
        start = position + _read("<I", self.content, position)
        count = _read("<I", self.content, start)
        if start + 4 + count * item_size > len(self.content):
            raise ValueError("a list in its metadata does not end")
        return start + 4, count

    def tables(self, number: int) -> Iterator[_Table]:
        """Yield the tables that a field lists."""
        first, count = self.vector(number, 4)
        for position in range(first, first + 4 * count, 4):
            yield _Table.root(self.content, position)

    def length(self, number: int) -> int:
        """Return the length of a field's text or list."""
        position = self.field(number)
        return 0 if position is None else _read("<I", self.content, position + _read("<I", self.content, position))

    def text(self, number: int, most: int) -> bytes:
        """Return the first bytes of a text, one more than `most` if it is longer."""
        start, count = self.vector(number, 1)
        return bytes(self.content[start : start + min(count, most + 1)])


def _read(form: str, content: memoryview, position: int) -> int:
    if position < 0:
        raise ValueError("its metadata refers to a position before its beginning")
    return int(struct.unpack_from(form, content, position)[0])


def check_file(content: bytes | memoryview, limit: int) -> bool:
    """Make sure that reading an Arrow file takes no more memory than a limit.

    Args:
        content: The file. Its reader checks the rest of it.
        limit: In bytes.

    Returns:
        True if the file is plain: in the current version of the format, not compressed and in this machine's byte
        order. Reading it then takes no memory but for the column descriptions.

    Raises:
        TooLargeError: It would take more.
        ValueError: The file's metadata is damaged.
    """
    view = memoryview(content)
    try:
        footer = _footer(view)
        reading = _MemoryCount(view, limit)
        reading.count_pairs(footer, 4)
        reading.count_schema(footer.table(1))
        for start, length, _ in _batches(view, footer):
            reading.count_batch(start, length)
    except struct.error:
        raise ValueError("its metadata refers to a position after its end") from None
    return reading.is_plain


def check_schema(message: bytes, limit: int) -> None:
    """Make sure that reading an Arrow schema, which is an IPC message of its own, takes no more memory than a limit.

    Args:
        message: The message.
        limit: In bytes.

    Raises:
        TooLargeError: It would take more.
        ValueError: The message is damaged.
    """
    view = memoryview(message)
    reading = _MemoryCount(view, limit)
    try:
        table = _Table.root(view, _prefix(view, 0))
        reading.count_pairs(table, 4)
        reading.count_schema(table.table(2))
    except struct.error:
        raise ValueError("it refers to a position after its end") from None


def _footer(content: memoryview) -> _Table:
    """Return the table at the end of a file, which says where its parts are."""
    if len(content) < _END.size or bytes(content[: len(ARROW_FILE)]) != ARROW_FILE:
        raise ValueError("it does not begin as one")
    length, magic = _END.unpack_from(content, len(content) - _END.size)
    start = len(content) - _END.size - length
    if magic != ARROW_FILE or length <= 0 or start < len(ARROW_FILE):
        raise ValueError("it does not end as one; it was cut off")
    return _Table.root(content[: len(content) - _END.size], start)


def bytes_without_meaning(opened: Any) -> int:
    """Return how many bytes of an Arrow file lie behind its last batch, and before its footer.

    They are the mark for the end of a stream, and perhaps some for the alignment. Of joined files, it is the size of
    all but the last one, because the last one's footer counts from its own beginning.

    Args:
        opened: The file, which can be read at any place.

    Raises:
        ValueError: The file's metadata is damaged.
    """
    size = opened.seek(0, os.SEEK_END)
    try:
        opened.seek(max(0, size - _END.size))
        length, _ = _END.unpack(bytes(opened.read(_END.size)))
        if not 0 < length <= size - _END.size:
            raise ValueError("its metadata is longer than the file")
        opened.seek(size - _END.size - length)
        content = memoryview(bytes(opened.read(length)))
        blocks = list(_batches(content, _Table.root(content, 0)))
        end = max(map(sum, blocks)) if blocks else _schema_end(opened)
    except struct.error:
        raise ValueError("its metadata refers to a position after its end") from None
    return size - _END.size - length - end


def _schema_end(opened: Any) -> int:
    """Return where the columns of an Arrow file end, which are its first message."""
    opened.seek(_NUMBER_SIZE)
    content = memoryview(bytes(opened.read(_NUMBER_SIZE)))
    prefix = _prefix(content, 0)
    return _NUMBER_SIZE + prefix + _read("<i", content, prefix - 4)


def _batches(content: memoryview, footer: _Table) -> Iterator[tuple[int, int, int]]:
    """Yield the messages of dictionaries or rows, from the file's footer: the start, and the lengths of both parts."""
    for number in (2, 3):
        first, count = footer.vector(number, _BLOCK.size)
        for index in range(count):
            yield _BLOCK.unpack_from(content, first + index * _BLOCK.size)


@dataclass(slots=True)
class _MemoryCount:
    """Counts the memory that reading a file takes.

    Several places of a file may refer to the same table, list or text. It is read once for each reference, so it counts
    once for each.

    Attributes:
        content: The file.
        limit: How much memory it may take, in bytes.
        total: The memory counted so far, in bytes.
        batches: The batches counted so far.
        fields: The columns, and parts of columns, counted so far.
        is_plain: As `check_file` returns it.
    """

    content: memoryview
    limit: int
    total: int = 0
    batches: int = 0
    fields: int = 0
    is_plain: bool = True

    def _add(self, size: int) -> None:
        self.total += size
        if self.total > self.limit:
            raise TooLargeError(f"The rows take more than {self.limit >> 20} MiB when they are read")

    def count_schema(self, schema: _Table | None) -> None:
        """Count the descriptions of the columns."""
        if schema is None:
            raise ValueError("it has no schema")
        position = schema.field(0)
        if position is not None and _read("<h", schema.content, position):
            self.is_plain = False  # big-endian: every number is copied
        self.count_pairs(schema, 2)
        for column in schema.tables(1):
            self._count_field(column, 0)

    def _count_field(self, column: _Table, depth: int) -> None:
        self.fields += 1
        if self.fields > _MAX_FIELDS:
            raise TooLargeError(f"The rows have more than {_MAX_FIELDS} columns and parts of columns")
        if depth > MAX_DEPTH:
            raise ValueError(f"a column is nested more than {MAX_DEPTH} times")
        self._add(_FIELD_SIZE + column.length(0))
        number, kind = column.field(2), column.table(3)
        item = 0 if number is None else _LISTS_OF_TYPES.get(_read("<B", column.content, number), 0)
        if item and kind is not None:
            self._add(item * kind.length(1))
        self.count_pairs(column, 6)
        for part in column.tables(5):
            self._count_field(part, depth + 1)

    def count_pairs(self, owner: _Table, number: int) -> None:
        """Count the custom metadata of a table."""
        for pair in owner.tables(number):
            self._add(_FIELD_SIZE + pair.length(0) + pair.length(1))
            if pair.text(0, len(_OLD_COMPRESSION)) == _OLD_COMPRESSION:
                raise ValueError(
                    "it is compressed in the way of pyarrow 0.15 to 0.17; write it again with a newer version"
                )

    def count_batch(self, start: int, metadata_length: int) -> None:
        """Count the memory that a message takes once its buffers are decompressed."""
        self.batches += 1
        if self.batches > _MAX_BATCHES:
            raise TooLargeError(f"The rows are in more than {_MAX_BATCHES} batches")
        prefix = _prefix(self.content, start)
        length = _read("<i", self.content, start + prefix - 4)
        if length < 0 or length + prefix != metadata_length:
            raise ValueError("a batch's metadata is not as long as the file says")
        message = _Table.root(self.content[: start + metadata_length], start + prefix)
        version = message.field(0)
        self.is_plain = self.is_plain and version is not None and _read("<h", self.content, version) == _VERSION_5
        self.count_pairs(message, 4)
        batch = _batch_of(message)
        if batch is not None:
            self._add(batch.vector(1, _NODE_SIZE)[1] * _ARRAY_SIZE)
            self._add(self._buffers(batch, start + metadata_length))

    def _buffers(self, batch: _Table, body: int) -> int:
        """Return how much memory the buffers of a batch take; its body begins at `body`."""
        content = self.content
        first, count = batch.vector(2, _BUFFER_SIZE)
        buffers = np.frombuffer(content, "<i8", 2 * count, first).reshape(-1, 2) if count else _NO_BUFFERS
        if ((buffers < 0) | (buffers > len(content))).any():
            raise ValueError("a buffer lies outside of the file")
        if batch.field(3) is None:
            return int(buffers[:, 1].sum())
        self.is_plain = False
        return sum(_decompressed_length(content, body + int(offset), int(size)) for offset, size in buffers)


def _prefix(content: memoryview, start: int) -> int:
    """Return how many bytes precede a message's metadata: 8, or 4 in files from before 2019."""
    return 8 if _read("<I", content, start) == _CONTINUATION else 4


def _batch_of(message: _Table) -> _Table | None:
    """Return the record batch of a message, of rows or of a dictionary; None if it has none."""
    kind = message.field(1)
    header = message.table(2)
    if kind is None or header is None:
        return None
    number = _read("<B", message.content, kind)
    return header if number == _RECORD_BATCH else header.table(1) if number == _DICTIONARY_BATCH else None


def _decompressed_length(content: memoryview, position: int, size: int) -> int:
    """Return the decompressed length that a compressed buffer states in its first eight bytes."""
    if size == 0:
        return 0
    length = _read("<q", content, position)
    if length < _NOT_COMPRESSED:
        raise ValueError("a compressed buffer has a negative length")
    return size if length == _NOT_COMPRESSED else length


def check_table(table: pa.Table, limit: int) -> None:
    """Make sure that expanding the columns of a valid table takes no more memory than a limit.

    A number counts as 8 bytes, a text as 64 bytes plus its characters. In a dictionary-encoded column, every row counts
    as its full value.

    Args:
        table: The rows.
        limit: In bytes.

    Raises:
        TooLargeError: It would take more.
        ValueError: A column has an unsupported type, or two columns have the same name.
    """
    if table.num_columns > _MAX_COLUMNS:
        raise TooLargeError(f"The rows have more than {_MAX_COLUMNS} columns")
    if len(set(table.column_names)) < table.num_columns:
        raise ValueError("two of its columns have one name")
    check_expanded_size(table, limit)


def check_expanded_size(table: pa.Table, limit: int) -> None:
    """Check a table as `check_table` does, but allow any number of columns and any names.

    Raises:
        TooLargeError: It would take more.
        ValueError: A column has an unsupported type.
    """
    total = table.num_rows * _ROW_SIZE
    for name, column in zip(table.column_names, cast("list[Any]", table.columns), strict=True):
        check_type(name, column.type)
        total += expanded_size(column)
        if total > limit:
            raise TooLargeError(f"The rows take more than {limit >> 20} MiB when they are expanded")
    if total > limit:
        raise TooLargeError(f"There are {table.num_rows} rows without columns")


def check_type(name: str, kind: Any, depth: int = 0) -> None:
    """Raise a ValueError if a column has a type that rows cannot have."""
    if depth > MAX_DEPTH:
        raise ValueError(f"the column {name!r} is nested more than {MAX_DEPTH} times")
    if _is(kind, _UNREADABLE) or (pa.types.is_dictionary(kind) and _has_parts(kind.value_type)):
        raise ValueError(f"the column {name!r} has the type {kind}, which an engine does not read")
    for field in _inner_fields(name, kind):
        check_type(field.name, field.type, depth + 1)


def _inner_fields(name: str, kind: Any) -> list[Any]:
    if isinstance(kind, pa.BaseExtensionType):
        return [cast("Any", pa).field(name, kind.storage_type)]
    return [kind.field(number) for number in range(kind.num_fields)]


def _has_parts(kind: Any) -> bool:
    return pa.types.is_nested(kind) or pa.types.is_dictionary(kind) or isinstance(kind, pa.BaseExtensionType)


def expanded_size(column: Any) -> int:
    """Return how much memory a chunked column takes when every value is stored in full, in bytes."""
    row = _row_size(column.type)
    return sum(_size(chunk) for chunk in column.chunks) if row is None else len(column) * row


def _row_size(kind: Any) -> int | None:
    """Return the size of a row if all rows of a type have the same size, as numbers do; otherwise None."""
    if pa.types.is_fixed_size_list(kind):
        inner = _row_size(kind.value_type)
        return None if inner is None else _NUMBER_SIZE + kind.list_size * inner
    is_plain = pa.types.is_primitive(kind) or pa.types.is_null(kind)
    return _width(kind) if is_plain and not isinstance(kind, pa.BaseExtensionType) else None


def _size(array: Any) -> int:
    """Return how much memory an array takes when every value is stored in full."""
    kind, rows = array.type, len(array)
    if isinstance(kind, pa.BaseExtensionType):
        return _size(array.storage)
    if pa.types.is_dictionary(kind):
        return _dictionary_size(array)
    if _is(kind, (*_TEXTS, *_VIEWS)):
        return rows * _TEXT_SIZE + int(array.nbytes if _is(kind, _TEXTS) else _view_lengths(array).sum())
    if _is(kind, _LISTS):
        return rows * _NUMBER_SIZE + _size(array.values)
    if pa.types.is_struct(kind):
        return rows * _NUMBER_SIZE + sum(_size(array.field(number)) for number in range(kind.num_fields))
    return rows * _width(kind)


def _is(kind: Any, checks: Sequence[Callable[[Any], bool]]) -> bool:
    return any(check(kind) for check in checks)


def _width(kind: Any) -> int:
    """Return the size of a value that is neither a text nor nested."""
    return _NUMBER_SIZE if pa.types.is_null(kind) else max(_NUMBER_SIZE, kind.bit_width // 8)


def _dictionary_size(array: Any) -> int:
    """Return the size of a dictionary-encoded array with every value stored in full."""
    values, rows = array.dictionary, len(array)
    if _is(values.type, _VIEWS):
        return rows * (_TEXT_SIZE + int(_view_lengths(values).max(initial=0)))
    if _is(values.type, _TEXTS):
        lengths = cast("Any", pc).binary_length(values).cast(pa.int64()).take(array.indices)
        return rows * _TEXT_SIZE + int(cast("Any", pc).sum(lengths).as_py() or 0)
    return rows * _width(values.type)


def _view_lengths(array: Any) -> np.ndarray[Any, np.dtype[np.int64]]:
    """Return the lengths of the texts in an array of views, which may all refer to the same text."""
    views = np.frombuffer(array.buffers()[1] or b"", np.int32)[::4]
    return views[array.offset : array.offset + len(array)].astype(np.int64)
