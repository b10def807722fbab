"""Are the rows of a long body the same, block by block, as they are in one piece, with the digits that were sent?"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import orjson
import pytest

from wallaroo_ext.inference.scored_rows.json_records import BLOCK_SIZE
from wallaroo_ext.sandbox.engine.results import Result, Scored
from wallaroo_ext.sandbox.engine.steps import Model
from wallaroo_ext.sandbox.http.json_rows import ArrivingRecords, ReadRows
from wallaroo_ext.sandbox.inference.answer_forms import Selection
from wallaroo_ext.sandbox.inference.answers import Answer
from wallaroo_ext.sandbox.inference.rows import Rows, read_rows

if TYPE_CHECKING:
    from collections.abc import Callable

KIND = "application/json; format=pandas-records"
COUNT = 3000
MODEL = Model("one", "version", "sha")

VALUES: dict[str, Callable[[int], Any]] = {
    "vectors": lambda number: [number / 7, -number / 3, 1e-7 * number + 0.1],
    "whole floats": lambda number: [float(number), 1e16, -0.0, 0.5],
    "matrices": lambda number: [[number / 7, 0.1], [0.5, 5e-324]],
    "several lengths": lambda number: [number / 7] * (number % 3 + 1),
    "a float": lambda number: number / 7,
    "whole numbers": lambda number: [2**53 + number, -number],
    "a whole number": lambda number: 2**63 - 1 - number,
    "booleans": lambda number: [number % 2 == 0, True],
    "texts": lambda number: f'ü\\n"}},{{" {number}' * 3,
}


def body(value: Callable[[int], Any]) -> bytes:
    return orjson.dumps([{"x": value(number), "padding": [0.5] * 20} for number in range(COUNT)])


def read_records(content: bytes, size: int = 50_000) -> ReadRows | None:
    """Return the rows of a body that comes in parts of a size."""
    records = ArrivingRecords()
    for start in range(0, len(content), size):
        records.feed(content[start : start + size])
    return records.rows()


def echoed(rows: Rows) -> list[Any]:
    """Return the texts of what an answer says was sent."""
    scored = Scored([Result(MODEL, MODEL.name, {"y": np.zeros((COUNT, 1), np.float32)})], 7)
    answer = Answer(rows, scored, "pipeline", "uuid", "engine-1", "2025.2", Selection(["in"]), 1_700_000_000_123)
    return json.loads(b"".join(answer.to_json(1024)), parse_float=str, parse_int=str)


@pytest.mark.parametrize("name", VALUES)
def test_rows_are_the_same_as_in_one_piece_and_are_echoed_digit_for_digit(name: str) -> None:
    content = body(VALUES[name])
    assert len(content) > 2 * BLOCK_SIZE
    read, parsed = read_records(content), orjson.loads(content)
    assert read is not None
    again = read_records(content, len(content))
    assert again is not None
    assert again.table.equals(read.table)
    in_blocks, whole = read_rows(KIND, read, 64), read_rows(KIND, parsed, 64)
    assert in_blocks.table.equals(whole.table)
    assert in_blocks.columns_as_sent is None
    sent = json.loads(content, parse_float=str, parse_int=str)
    assert echoed(in_blocks) == echoed(whole) == [{"in": record} for record in sent]


@pytest.mark.parametrize("position", [0, COUNT // 2, COUNT - 1])
@pytest.mark.parametrize(
    "odd",
    [1, 2**63, None, "a", "", True, [0.5], [1], [None], [[0.5]], {"a": 0.5}, [0.5, 1], [0.5, True], [0.5, None]],
    ids=str,
)
def test_one_value_of_another_kind_leaves_all_rows_to_be_read_in_one_piece(odd: Any, position: int) -> None:
    for usual in (0.5, [0.5, 1.5]):
        if type(usual) is type(odd) and odd == [0.5]:
            continue  # a list of another length is no other kind
        assert read_records(body(lambda number, usual=usual: odd if number == position else usual)) is None


@pytest.mark.parametrize(
    ("usual", "odd"),
    [
        (["a"], ""),
        (["a"], "xy"),
        (["a"], {}),
        (["a"], {"xy": 1}),
        (["a"], [{"xy": 1}]),
        ([["a"]], ""),
        ([["a"]], [""]),
        ([["a"]], ["xy"]),
        ([["a"]], [{"xy": 1}]),
        ([[1]], ""),
        ([[1]], [""]),
        ([[0.5]], ""),
        ([[0.5]], [""]),
    ],
    ids=str,
)
def test_a_text_or_an_object_among_lists_is_no_list_of_its_parts(usual: Any, odd: Any) -> None:
    assert read_records(body(lambda number: odd if number == COUNT // 2 else usual)) is None


@pytest.mark.parametrize(
    ("found", "instead"),
    [
        pytest.param(b"}]", b"}", id="cut off"),
        pytest.param(b"}]", b"}]]", id="goes on"),
        pytest.param(b"},{", b"}{", id="no commas"),
        pytest.param(b"0.5}]", b"NaN}]", id="NaN"),
        pytest.param(b'"x":0.5}]', b'"y":0.5}]', id="another field"),
        pytest.param(b"0.5}]", b'0.5,"y":1}]', id="one more field"),
        pytest.param(b"}]", b"},1]", id="no record"),
        pytest.param(b"[{", b'{"a":[{', id="an object"),
    ],
)
def test_a_body_that_is_unlike_is_left_to_be_read_in_one_piece(found: bytes, instead: bytes) -> None:
    content = orjson.dumps([{"x": 0.5}] * 20_000)
    assert read_records(content) is not None
    assert content.replace(found, instead) != content
    assert read_records(content.replace(found, instead)) is None
    assert read_records(content[: BLOCK_SIZE // 2]) is None
