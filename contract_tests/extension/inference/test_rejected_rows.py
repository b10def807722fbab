"""Does the error for rows that an engine rejected name the text that makes a column one of texts?"""

from __future__ import annotations

import io
from importlib import import_module
from typing import Any

import pandas as pd
import pytest

from wallaroo_ext.inference.files.texts.text_options import AS_WRITTEN
from wallaroo_ext.inference.inputs.rows import rows_to_send
from wallaroo_ext.inference.rejected_rows import advice_on_rejected

pa: Any = import_module("pyarrow")

NUMBERS = "convert them, if the column has to have numbers."
OTHERS = "change it or make it null, if the column has to have numbers."


def advice_on(rows: Any) -> str:
    """Return the advice on rows as they are sent."""
    return advice_on_rejected(rows_to_send(rows, None, vector=False, missing="reject", texts=AS_WRITTEN))


@pytest.mark.parametrize(
    ("csv", "named"),
    [
        ("1.5\n-\n3\n", "'-' in row 1"),
        ("1.5\nNA\n3\n-\n", "'-' in row 3"),
        ("1\n2\n5%\n", "'5%' in row 2"),
        ("1\n1 000\n", "'1 000' in row 1"),
        ("1\n2\n3\n0x10\n", "'0x10' in row 3"),
        ("1\n2\ntrue\n", "'true' in row 2"),
        ("unknown\n2\n3\n", "'unknown' in row 0"),
    ],
)
def test_a_text_among_numbers_is_named_with_its_row(csv: str, named: str) -> None:
    advice = advice_on(io.StringIO(f"a,b\n{csv.replace(chr(10), f',1{chr(10)}')}"))
    assert advice == f"The column 'a' has texts, most of them numbers. {named} is not a number: {OTHERS}"


@pytest.mark.parametrize(
    ("texts", "named"),
    [
        (["1.5", "2"], "'1.5' in row 0"),
        (["1", "+1"], "'+1' in row 1"),
        (["12", "00123"], "'00123' in row 1"),
        ([None, "7"], "'7' in row 1"),
        ([" 1.", ".5 "], "' 1.' in row 0"),
    ],
)
@pytest.mark.parametrize("kind", [pa.string(), pa.large_string(), pa.string_view()], ids=str)
def test_numbers_that_are_texts_are_named(kind: Any, texts: list[str | None], named: str) -> None:
    advice = advice_on(pa.table({"b": [1.0, 2.0], "a": pa.array(texts, kind)}))
    assert advice == f"The texts of the column 'a' are numbers, {named} for one: {NUMBERS}"


def test_a_word_for_no_value_is_named_where_nothing_else_is_none() -> None:
    assert "'NA' in row 1 is not a number" in advice_on(pd.DataFrame({"a": ["1", "NA", "3"]}))


@pytest.mark.parametrize(
    "texts", [["x", "y"], ["2020-01-01", "2020-01-02"], ["x", "y", "1"], [None, None], [], ["true", "false"]], ids=str
)
def test_columns_of_other_texts_are_not_blamed(texts: list[str | None]) -> None:
    table = pa.table({"a": pa.array(texts, pa.string())})
    assert advice_on_rejected(table) == ""
    assert "vector=True" in advice_on_rejected(table.append_column("b", pa.nulls(len(texts), pa.float64())))


def test_a_long_text_is_cut() -> None:
    assert f"{'x' * 40!r} in row 2 is not a number" in advice_on(pd.DataFrame({"a": ["1", "2", "x" * 5_000]}))


def test_texts_that_are_none_hide_no_error() -> None:
    offsets, content = pa.array([0, 1, 3], pa.int32()).buffers()[1], pa.py_buffer(b"1\xff\xfe")
    broken = pa.Array.from_buffers(pa.string(), 2, [None, offsets, content])
    assert advice_on_rejected(pa.table({"a": broken})) == ""
    assert "'+1' in row 0" in advice_on_rejected(pa.table({"a": broken, "b": ["+1", "2"]}))
