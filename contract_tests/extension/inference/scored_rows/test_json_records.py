"""Is a long answer of JSON the same table, block by block, as it is in one piece, and without its objects in memory?"""

from __future__ import annotations

import json
import time
import tracemalloc
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wallaroo_ext import ContractViolationError
from wallaroo_ext.inference.scored_rows import answers, json_records
from wallaroo_ext.inference.scored_rows.answers import arriving_rows, from_records, read_answer
from wallaroo_ext.inference.scored_rows.json_records import ArrivingColumns, NotInBlocksError, RecordBlocks, parse

if TYPE_CHECKING:
    from pyarrow import Table

ROWS = 6000
"""So many that an answer has several blocks."""

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text() | st.sampled_from(["},{", "}]"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)


def read(content: bytes, arrived: ArrivingColumns | None = None) -> Table:
    request = httpx.Request("POST", "https://api.example.com/infer")
    return read_answer("infer_pipeline", httpx.Response(200, content=content, request=request), arrived=arrived)


def blocks_of(content: bytes, size: int, part: int) -> list[list[dict[str, Any]]]:
    """Return the blocks of a list, each of at least so many bytes, that comes in parts of so many."""
    arriving = RecordBlocks(size)
    parts = (content[start : start + part] for start in range(0, len(content), part))
    return [block for each in parts for block in arriving.feed(each)] + list(arriving.end())


def row(number: int) -> dict[str, Any]:
    return {"time": 1701377058894, "in": {"x": [0.5, number + 0.25]}, "out": {"y": [number / 7]}, "check_failures": []}


def in_one_piece_and_in_blocks(records: list[dict[str, Any]], separators: tuple[str, str] = (",", ":")) -> None:
    content = json.dumps(records, separators=separators).encode()
    assert len(content) > json_records.BLOCK_SIZE
    table, whole = read(content), from_records(records)
    assert table.schema == whole.schema
    assert table.equals(whole)


@given(records=st.lists(st.dictionaries(st.text(), VALUES, max_size=3), min_size=1), size=st.integers(1, 80))
@settings(deadline=None, max_examples=60, derandomize=True)
@pytest.mark.parametrize("separators", [(",", ":"), (", ", ": "), (",\n", ":")])
def test_blocks_are_the_records(records: list[dict[str, Any]], size: int, separators: tuple[str, str]) -> None:
    content = json.dumps(records, separators=separators).encode()
    try:
        found = [record for block in blocks_of(content, size, len(content)) for record in block]
    except NotInBlocksError:
        assert b"{" in content.partition(b"{")[2]  # only what has ends in its texts or within its records
    else:
        assert found == json.loads(content)


@given(
    records=st.lists(st.dictionaries(st.text(), VALUES, max_size=3), min_size=1),
    size=st.integers(1, 80),
    part=st.integers(1, 9),
)
@settings(deadline=None, max_examples=60, derandomize=True)
@pytest.mark.parametrize("separators", [(",", ":"), (" ,\n\t", " : ")])
def test_blocks_are_the_same_in_whatever_parts_they_come(
    records: list[dict[str, Any]], size: int, part: int, separators: tuple[str, str]
) -> None:
    content = b" " + json.dumps(records, separators=separators).encode()
    try:
        whole = blocks_of(content, size, len(content))
    except NotInBlocksError:
        with pytest.raises(NotInBlocksError):
            blocks_of(content, size, part)
    else:
        assert blocks_of(content, size, part) == whole


def test_a_text_without_ends_of_records_is_searched_once() -> None:
    arriving = RecordBlocks()
    started = time.process_time()
    assert list(arriving.feed(b'[{"a":"')) == []
    for _ in range(4000):
        assert list(arriving.feed(b"a" * 8192)) == []
    assert time.process_time() - started < 5  # a tenth of it; searched anew with each part, minutes


@pytest.mark.parametrize("size", [7, 65_536, 1 << 20])
def test_rows_that_come_in_parts_are_the_rows_of_the_answer(size: int) -> None:
    content = json.dumps([row(number) for number in range(ROWS)]).encode()
    arrived = arriving_rows(".")
    arrived.feed(content[:100_000])
    take = arrived.begin()  # as it broke off, and was asked for again
    for start in range(0, len(content), size):
        take(content[start : start + size])
    columns = arrived.end()
    assert columns is not None
    table = read(content)
    assert {name: table.column(name) for name in columns} == columns


def test_rows_that_came_in_unlike_blocks_are_read_in_blocks_only_once(monkeypatch: pytest.MonkeyPatch) -> None:
    records = [*map(row, range(ROWS)), row(ROWS) | {"out": {"y": [1.5], "z": 2.5}}]
    content = json.dumps(records).encode()
    arrived = arriving_rows(".")
    arrived.feed(content)
    monkeypatch.delattr(answers, "_from_blocks")
    assert read(content, arrived).equals(from_records(records))


def test_rows_of_another_answer_than_came_are_not_taken() -> None:
    content = json.dumps([row(number) for number in range(ROWS)]).encode()
    arrived = arriving_rows(".")
    arrived.feed(json.dumps([row(number) for number in range(ROWS + 1)]).encode())
    assert read(content, arrived).num_rows == ROWS


@pytest.mark.parametrize("separators", [(",", ":"), (", ", ": "), (" ,\n\t", " : ")])
def test_a_long_answer_is_read_in_blocks(separators: tuple[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    records = [row(number) for number in range(ROWS)]
    in_one_piece_and_in_blocks(records, separators)
    monkeypatch.setattr("wallaroo_ext.inference.scored_rows.answers._records", None)  # which reads it in one piece
    assert read(json.dumps(records, separators=separators).encode()).num_rows == ROWS


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"out": {"y": [1]}}, id="whole numbers at the end"),
        pytest.param({"out": {"y": None}}, id="a null at the end"),
        pytest.param({"extra": [1, "a"]}, id="one more field, of several types"),
        pytest.param({"metadata": {"partition": "e"}}, id="one more part"),
        pytest.param({"in": None}, id="no part"),
        pytest.param({"in": {"x": "},{" * 9}}, id="ends in a text"),
        pytest.param({"time": 1.5}, id="a time of another type"),
        pytest.param({"out": {"y": [1e300]}}, id="a large float"),
        pytest.param({"out": {"y": [2**64]}}, id="a whole number of more than 64 bits"),
        pytest.param({"in": {"x": [0.5, -(2**63) - 1]}}, id="a negative one of more than 64 bits"),
        pytest.param({"check_failures": [2**64]}, id="one in a field of texts"),
        pytest.param({"extra": {"deep": [2**64]}}, id="one in a record"),
    ],
)
@pytest.mark.parametrize("position", [0, ROWS // 2, ROWS - 1])
def test_one_row_that_is_unlike_changes_what_all_are(change: dict[str, Any], position: int) -> None:
    records = [row(number) for number in range(ROWS)]
    records[position] |= change
    content = json.dumps(records).encode()
    try:
        whole = from_records(records)
    except ValueError:
        with pytest.raises(ContractViolationError, match="no common type"):
            read(content)
    else:
        assert read(content).schema == whole.schema
        assert read(content).equals(whole)


def test_values_of_several_types_are_texts_of_json_in_all_blocks() -> None:
    records = [row(number) | {"extra": "a"} for number in range(ROWS)]
    records[0]["extra"] = 1
    table = read(json.dumps(records).encode())
    assert table.column("extra").to_pylist() == ["1"] + ['"a"'] * (ROWS - 1)


def test_large_floats_are_read_in_blocks_too(monkeypatch: pytest.MonkeyPatch) -> None:
    content = json.dumps([row(number) | {"out": {"y": [1e300 + number]}} for number in range(ROWS)]).encode()
    monkeypatch.setattr("wallaroo_ext.inference.scored_rows.answers._records", None)  # which reads it in one piece
    assert read(content).column("out.y").to_pylist()[1] == [1e300 + 1]


def test_records_within_records_are_not_taken_apart() -> None:
    in_one_piece_and_in_blocks([row(number) | {"extra": [{"a": 1}, {"a": number}]} for number in range(ROWS)])


def test_large_numbers_are_exact_in_any_block() -> None:
    records = [row(number) | {"out": {"y": [2**63 + number]}} for number in range(ROWS)]
    assert read(json.dumps(records).encode()).column("out.y").to_pylist()[-1] == [2**63 + ROWS - 1]


@pytest.mark.parametrize(
    "text",
    [
        '{"a":NaN}',
        '{"a":18446744073709551616}',
        '{"a":-9223372036854775809}',
        '{"a":-9223372036854775808}',
        '{"a":"\\ud800"}',
        "[1e400]",
        "-0.0",
    ],
)
def test_what_one_parser_has_no_value_for_is_read_by_the_other(text: str) -> None:
    assert repr(parse(text.encode())) == repr(json.loads(text))


@pytest.mark.parametrize(
    "text",
    [
        "[0.00012345678901234567]",
        '{"a":[-0.12345678901234567890123, 5]}',
        "[1.2345678901234567890123e-5]",
        "1234567890123456789",
        "[1, 9223372036854775807]",
        '{"a1234567890123456789012":[1]}',
    ],
)
def test_many_digits_behind_a_point_do_not_slow_it_down(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = json.loads(text)
    monkeypatch.setattr(json_records.json, "loads", None)
    assert repr(parse(text.encode())) == repr(expected)


@pytest.mark.parametrize("before", ["", " ", "[", "[1,", "[1, ", '{"a":', '{"a": ', "[\n", "[\t", "[\r\n"])
@pytest.mark.parametrize("number", ["18446744073709551616", "-9223372036854775809", "100000000000000000000000"])
def test_a_number_of_more_than_64_bits_is_exact_wherever_it_stands(before: str, number: str) -> None:
    text = before + number + {"[": "]", "{": "}"}.get(before[:1], "")
    assert repr(parse(text.encode())) == repr(json.loads(text))


def test_it_is_the_same_without_orjson(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_records, "orjson", None)
    in_one_piece_and_in_blocks([row(number) for number in range(ROWS)])


@pytest.mark.parametrize("end", ["", "]]", "],", "]x", ",]"])
def test_a_long_answer_that_is_cut_off_or_goes_on_is_refused(end: str) -> None:
    whole = json.dumps([row(number) for number in range(ROWS)])
    with pytest.raises(ContractViolationError, match="neither Arrow nor JSON"):
        read((whole[:-1] + end).encode())


def test_reading_takes_no_more_than_three_times_the_answer() -> None:
    rows = [row(number) | {"in": {"x": [number / 7] * 29}} for number in range(10_000)]
    content = json.dumps(rows, separators=(",", ":")).encode()
    del rows
    read(content)
    tracemalloc.start()
    try:
        table = read(content)
        added = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert len(content) + added + table.nbytes < 3 * len(content)
