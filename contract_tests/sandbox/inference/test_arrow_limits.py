"""Is the memory for reading an Arrow file computed in full before the file is read?"""

from __future__ import annotations

import base64
import struct
from importlib import import_module
from typing import TYPE_CHECKING, Any

import pytest

from contract_tests.support.data.bad_files import compressed_as_of_old, file_of
from wallaroo_ext._util.arrow.limits import TooLargeError, check_file
from wallaroo_ext.sandbox.handlers.models import check_schema
from wallaroo_ext.sandbox.http.problems import Problem

if TYPE_CHECKING:
    from collections.abc import Callable

pa: Any = import_module("pyarrow")
"""Its stubs want the types of values, which bad input does not have."""

MIB = 1 << 20
LIMIT = 32 * MIB
MAGIC = b"ARROW1"
VERSION_5, SCHEMA = 4, 1
NULL, TIMESTAMP, STRUCT = 1, 10, 13


class Footer:
    """The FlatBuffers of a file without rows, in which many may refer to one thing."""

    def __init__(self) -> None:
        self._builder: Any = import_module("flatbuffers").Builder(1024)

    def text(self, size: int) -> int:
        return self._builder.CreateString("x" * size)

    def _table(self, fields: int, references: dict[int, int], number: int | None = None, endianness: int = 0) -> int:
        self._builder.StartObject(fields)
        self._builder.PrependInt16Slot(0, endianness, 0)
        for slot, reference in references.items():
            self._builder.PrependUOffsetTRelativeSlot(slot, reference, 0)
        if number is not None:
            self._builder.PrependUint8Slot(2, number, 0)
        return self._builder.EndObject()

    def many(self, item: int, count: int) -> int:
        """Return a list that refers to one item many times."""
        self._builder.StartVector(4, count, 4)
        for _ in range(count):
            self._builder.PrependUOffsetTRelative(item)
        return self._builder.EndVector()

    def pairs(self, size: int, count: int) -> int:
        return self.many(self._table(2, {0: self.text(3), 1: self.text(size)}), count)

    def column(self, name: int = 0, number: int = NULL, **references: int) -> int:
        """Return a column with its name, type, type parameters, children and metadata."""
        lists = {1: references["lists"]} if "lists" in references else {}
        kind = self._table(2, lists)
        known = {"parts": 5, "pairs": 6}
        others = {slot: references[what] for what, slot in known.items() if what in references}
        return self._table(7, {0: name or self.text(1), 3: kind, 5: self.many(0, 0)} | others, number)

    def file(self, columns: int, pairs: int | None = None, endianness: int = 0) -> bytes:
        """Return the file with a list of columns."""
        schema = self._table(4, {1: columns} | ({} if pairs is None else {2: pairs}), endianness=endianness)
        self._builder.StartObject(5)
        self._builder.PrependInt16Slot(0, VERSION_5, 0)
        self._builder.PrependUOffsetTRelativeSlot(1, schema, 0)
        self._builder.Finish(self._builder.EndObject())
        footer = bytes(self._builder.Output())
        return MAGIC + bytes(2) + footer + struct.pack("<i", len(footer)) + MAGIC

    def schema(self, columns: int) -> bytes:
        """Return the message of a schema with a list of columns, as uploads contain it."""
        schema = self._table(4, {1: columns})
        self._builder.StartObject(5)
        self._builder.PrependInt16Slot(0, VERSION_5, 0)
        self._builder.PrependUint8Slot(1, SCHEMA, 0)
        self._builder.PrependUOffsetTRelativeSlot(2, schema, 0)
        self._builder.Finish(self._builder.EndObject())
        message = bytes(self._builder.Output())
        message += bytes(-len(message) % 8)
        return struct.pack("<Ii", 0xFFFFFFFF, len(message)) + message


def one_name(size: int, count: int) -> bytes:
    footer = Footer()
    return footer.file(footer.many(footer.column(footer.text(size)), count))


def one_pair(size: int, count: int) -> bytes:
    footer = Footer()
    pairs = footer.pairs(size, count)
    return footer.file(footer.many(footer.column(), 1), pairs)


def one_pair_of_columns(size: int, count: int) -> bytes:
    footer = Footer()
    pairs = footer.pairs(size, 1)
    return footer.file(footer.many(footer.column(pairs=pairs), count))


def one_time_zone(size: int, count: int) -> bytes:
    footer = Footer()
    zone = footer.text(size)
    return footer.file(footer.many(footer.column(number=TIMESTAMP, lists=zone), count))


def parts_within_parts(levels: int, count: int) -> bytes:
    footer = Footer()
    column = footer.column()
    for _ in range(levels):
        column = footer.column(number=STRUCT, parts=footer.many(column, count))
    return footer.file(footer.many(column, 1))


BOMBS: dict[str, tuple[Callable[[int, int], bytes], tuple[int, int]]] = {
    "one name": (one_name, (MIB, 100)),
    "one pair": (one_pair, (MIB, 100)),
    "one pair of many columns": (one_pair_of_columns, (MIB, 100)),
    "one time zone": (one_time_zone, (MIB, 100)),
    "parts within parts": (parts_within_parts, (20, 3)),
    "many columns of nothing": (one_name, (1, 1_000_000)),
}


@pytest.mark.parametrize("name", BOMBS)
def test_what_describes_columns_counts_as_often_as_it_is_referred_to(name: str) -> None:
    made, sizes = BOMBS[name]
    small = made(2, 2)
    assert pa.ipc.open_file(small).read_all().num_rows == 0  # Arrow reads it, so the large one would be read as well
    assert check_file(small, LIMIT)
    with pytest.raises(TooLargeError):
        check_file(made(*sizes), LIMIT)


def test_columns_nested_too_deep_are_refused() -> None:
    with pytest.raises(ValueError, match="nested more than 32 times"):
        check_file(parts_within_parts(60, 1), LIMIT)


@pytest.mark.parametrize("codec", ["zstd", "lz4"])
@pytest.mark.parametrize("size", [1000, 1 << 30])
def test_rows_compressed_as_of_old_are_refused(codec: str, size: int) -> None:
    with pytest.raises(ValueError, match=r"pyarrow 0\.15 to 0\.17"):
        check_file(compressed_as_of_old(size, codec=codec), LIMIT)


def test_arrow_reads_rows_compressed_as_of_old() -> None:
    """Otherwise, refusing them would prevent nothing."""
    table = pa.ipc.open_file(compressed_as_of_old(1 * MIB)).read_all()
    assert table.column(0).chunk(0).buffers()[1].size == MIB


def test_the_columns_of_each_batch_count() -> None:
    schema = pa.schema([(f"c{number}", pa.null()) for number in range(100)])
    batch = pa.record_batch([pa.nulls(1)] * 100, schema=schema)
    sink = pa.BufferOutputStream()
    with pa.ipc.new_file(sink, schema) as writer:
        for _ in range(2000):
            writer.write_batch(batch)
    with pytest.raises(TooLargeError, match="32 MiB when they are read"):
        check_file(sink.getvalue().to_pybytes(), LIMIT)


def test_a_file_is_plain_when_reading_it_takes_nothing() -> None:
    table = pa.table({"tensor": [1.0, 2.0], "text": pa.array(["a", "b"]).dictionary_encode()})
    assert check_file(file_of(table), LIMIT)
    assert not check_file(file_of(table, compression="zstd"), LIMIT)
    assert not check_file(file_of(table, metadata_version=pa.ipc.MetadataVersion.V4), LIMIT)
    footer = Footer()
    assert not check_file(footer.file(footer.many(footer.column(), 1), endianness=1), LIMIT)


def schema_of(size: int, count: int) -> str:
    footer = Footer()
    return base64.b64encode(footer.schema(footer.many(footer.column(footer.text(size)), count))).decode()


def test_the_schemas_of_an_upload_are_counted_too() -> None:
    check_schema("input_schema", base64.b64encode(pa.schema([("a", pa.int8())]).serialize()).decode())
    check_schema("input_schema", schema_of(2, 2))
    with pytest.raises(Problem, match="input_schema"):
        check_schema("input_schema", schema_of(MIB, 10_000))
