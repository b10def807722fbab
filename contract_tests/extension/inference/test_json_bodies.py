"""Is a table written as JSON the same, block by block, as its values are in Python, with orjson and without it?"""

from __future__ import annotations

import json
import tracemalloc
from importlib import import_module
from typing import Any

import numpy as np
import pytest

from wallaroo_ext.inference import json_bodies
from wallaroo_ext.inference.json_bodies import to_columns, to_records

pa: Any = import_module("pyarrow")
"""Its stubs want the types of values, which tests have of all kinds."""

NUMBERS = np.random.default_rng(1).normal(size=(60, 2, 3)).astype(np.float32)
COLUMNS = {
    "float16": pa.array([np.float16(0.1), None, np.float16(2)] * 20),
    "float32": pa.array(NUMBERS[:, 0, 0]),
    "smallest": pa.array([5e-324, 1e-45, -0.0, 1e300, 1e16, 2.0] * 10),
    "int64": pa.array([2**63 - 1, -(2**63), 2**53 + 1] * 20),
    "uint64": pa.array([2**64 - 1, 0, 2**53 + 1] * 20, pa.uint64()),
    "bools": pa.array([True, False, None] * 20),
    "texts": pa.array(['ü"},{', "\\],[\n", None] * 20),
    "nothing": pa.nulls(60),
    "vectors": pa.array(list(NUMBERS[:, 0]), pa.list_(pa.float32())),
    "fixed vectors": pa.array(list(NUMBERS[:, 0]), pa.list_(pa.float32(), 3)),
    "large vectors": pa.array(list(NUMBERS[:, 0]), pa.large_list(pa.float32())),
    "matrices": pa.array(NUMBERS.tolist(), pa.list_(pa.list_(pa.float32(), 3))),
    "whole numbers": pa.array([[2**63 + 1, 2], [3, 4]] * 30, pa.list_(pa.uint64())),
    "vectors of bools": pa.array([[True, False], [False, True]] * 30),
    "several lengths": pa.array([[1.5], [2.5, 0.1], []] * 20, pa.list_(pa.float32())),
    "lengths of one and two": pa.array([[1.5], [2.5, 0.1]] * 30, pa.list_(pa.float32())),
    "empty lists": pa.array([[], []] * 30, pa.list_(pa.float64())),
    "lists of empty lists": pa.array([[[], []], [[], []]] * 30, pa.list_(pa.list_(pa.int64()))),
    "missing lists": pa.array([[1.5], None] * 30),
    "nulls in lists": pa.array([[1.5, None], [2.5, 3.5]] * 30),
    "lists of texts": pa.array([["a"], ["b"]] * 30),
    "records": pa.array([{"x": [0.5, 1.5], "y": None}, None] * 30),
}
TABLE = pa.table(COLUMNS)


@pytest.fixture(params=["orjson", "json"], autouse=True)
def library(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param == "json":
        monkeypatch.setattr(json_bodies, "orjson", None)


@pytest.fixture(params=[1, 1000, 1 << 20])
def block_size(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Set a size of blocks: of one row, of a few, and of all."""
    monkeypatch.setattr(json_bodies, "BLOCK_SIZE", request.param)


def parsed(pieces: list[bytes]) -> Any:
    return json.loads(b"".join(pieces))


@pytest.mark.usefixtures("block_size")
@pytest.mark.parametrize("name", COLUMNS)
def test_each_kind_of_column_has_the_values_of_python(name: str) -> None:
    same(TABLE.select([name]))


@pytest.mark.usefixtures("block_size")
@pytest.mark.parametrize(
    "table",
    [
        pytest.param(TABLE, id="all columns"),
        pytest.param(TABLE.slice(7, 30), id="a slice"),
        pytest.param(pa.concat_tables([TABLE.slice(0, 7), TABLE.slice(0, 0), TABLE.slice(7)]), id="chunks"),
        pytest.param(TABLE.slice(0, 0), id="no rows"),
        pytest.param(pa.table({"a": pa.chunked_array([], pa.list_(pa.float64()))}), id="no chunks"),
        pytest.param(
            pa.table(
                {
                    "a": pa.chunked_array([[[1.5], [2.5]], [[3.5, 4.5]]]),
                    'b"\\ü': pa.chunked_array([[1], [2, 3]]),
                }
            ),
            id="chunks of other lengths, and a name to escape",
        ),
        pytest.param(pa.table({'a]},{"[b': [[1.5, 2.5], [3.5, 4.5]]}), id="a name with brackets"),
        pytest.param(pa.table({"a": [[[1.5], [2.5]], [[3.5], [4.5]]]}), id="matrices"),
    ],
)
def test_tables_of_any_layout_have_the_values_of_python(table: Any) -> None:
    same(table)


def same(table: Any) -> None:
    """Check that both forms have the same values, of the same types, as the table has in Python."""
    assert repr(parsed(to_records(table))) == repr(table.to_pylist())
    assert repr(parsed(to_columns(table))) == repr(table.to_pydict())


def test_long_tables_come_in_pieces() -> None:
    table = pa.table({"x": pa.array(list(np.zeros((10_000, 8)))), "y": pa.array(np.arange(10_000))})
    for write in (to_records, to_columns):
        pieces = write(table)
        assert len(pieces) > 10
        assert max(map(len, pieces)) < 4 * json_bodies.BLOCK_SIZE


def test_writing_takes_little_more_memory_than_the_text(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_bodies, "BLOCK_SIZE", 1 << 12)
    table = pa.table({"x": pa.array(list(np.random.default_rng(1).normal(size=(1_000, 29))))})
    for write in (to_records, to_columns):
        write(table)
        tracemalloc.start()
        try:
            size = sum(map(len, write(table)))
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
        assert peak < 1.5 * size
