"""Are the columns that are no inputs of a model told from those that are?"""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest

from wallaroo_ext.cli.reading.columns import surplus_columns

NUMBERS: dict[str, Any] = {f"x{number}": [0.5, 1.5] for number in range(13)}
REFUSAL = "The field 'tensor' has rows of shape [{}], the model's input 'x' takes [13]."


@pytest.mark.parametrize(
    ("first", "last", "surplus"),
    [
        ({}, {"target": [0, 1]}, ["target"]),
        ({"customer_id": [7, 8]}, {}, ["customer_id"]),
        ({"Unnamed: 0": [0, 1]}, {"class": [1, 0]}, ["Unnamed: 0", "class"]),
        ({}, {"quality": [3, 7]}, ["quality"]),
        ({"y": [0.1, 0.2]}, {}, ["y"]),
        ({}, {"x13": [0.5, 0.5]}, []),
    ],
)
def test_they_are_found_by_their_names_and_values(first: Any, last: Any, surplus: list[str]) -> None:
    rows = pa.table({**first, **NUMBERS, **last})
    assert surplus_columns(rows, REFUSAL.format(rows.num_columns)) == surplus


@pytest.mark.parametrize("sentence", ["Got: 14 Expected: 13", "14 columns; takes [13]"])
def test_widths_are_found_in_any_sentence(sentence: str) -> None:
    assert surplus_columns(pa.table({**NUMBERS, "label": [0, 1]}), sentence) == ["label"]


@pytest.mark.parametrize("sentence", ["no numbers", "takes [13]", "row 14 is wrong", "shape [14], takes [15]"])
def test_other_refusals_say_nothing_of_columns(sentence: str) -> None:
    assert surplus_columns(pa.table({**NUMBERS, "label": [0, 1]}), sentence) == []
