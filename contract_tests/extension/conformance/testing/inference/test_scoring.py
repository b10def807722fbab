"""Are values compared at the precision of their type, and are the rows of the suite what it says they are?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import onnxruntime as ort  # pyright: ignore[reportMissingTypeStubs] - it has none
import pyarrow as pa
import pytest

from wallaroo_ext.conformance.resources.samples import (
    INPUT,
    arrow_file_of,
    distinct_rows,
    exact_scores,
    model_file,
    typed_model_file,
    typed_rows,
    typed_scores,
)
from wallaroo_ext.conformance.testing.inference.scoring import difference

if TYPE_CHECKING:
    from collections.abc import Mapping

NEAR = np.array([[0.1], [np.nan], [np.inf], [2.0]], np.float32)


@pytest.mark.parametrize(
    "found",
    [
        [[0.1], [None], [None], [2.0]],
        [[0.10000000149011612], [float("nan")], [float("inf")], [2]],
        [[float(np.nextafter(np.float32(0.1), np.float32(1)))], ["NaN"], [None], [2.0]],
        [[[0.1]], [[None]], [[None]], [[2.0]]],
    ],
    ids=["shortest", "as doubles", "one unit off", "nested"],
)
def test_numbers_of_a_type_are_equal_in_each_way_of_writing_them(found: list[Any]) -> None:
    assert difference(found, NEAR) == ""


@pytest.mark.parametrize(
    ("found", "message"),
    [
        ([[0.1], [None], [None]], "there are 3 rows in place of 4"),
        ([[0.1], [None], [None], [2.0, 3.0]], "row 3 has 2 values in place of 1"),
        ([[0.1], [0.0], [None], [2.0]], "row 1 of 4 has [0.0] in place of [nan]"),
        ([[0.1], [None], [float("-inf")], [2.0]], "row 2 of 4 has [-inf] in place of [inf]"),
        ([[0.1], [None], [None], [None]], "row 3 of 4 has [None] in place of [2.0]"),
        ([[0.1], [None], [None], [2.000001]], "row 3 of 4 has [2.000001] in place of [2.0]"),
    ],
)
def test_the_first_difference_is_told(found: list[Any], message: str) -> None:
    assert difference(found, NEAR) == message


def test_integers_texts_and_booleans_are_compared_exactly() -> None:
    assert difference([[2**53 + 1]], np.array([[2**53 + 1]])) == ""
    assert difference([[float(2**53)]], np.array([[2**53 + 1]]))
    assert difference([["漢"]], np.array([["漢"]], object)) == ""
    assert difference([["?"]], np.array([["漢"]], object))
    assert difference([[True]], np.array([[False]]))


def scored(model: bytes, rows: Mapping[str, Any]) -> list[Any]:
    """Return the outputs of a model that runs by itself."""
    session: Any = ort.InferenceSession(model)
    return session.run(None, dict(rows))


def test_the_outputs_of_distinct_rows_are_known_to_the_last_bit() -> None:
    for seed in (29, 17):
        rows = distinct_rows(1001, seed=seed)
        [found] = scored(model_file(seed), {INPUT: rows})
        assert np.array_equal(found, exact_scores(rows, seed))
        assert len(np.unique(rows, axis=0)) == len(rows)


def test_the_outputs_of_the_model_of_many_types_are_known() -> None:
    rows = typed_rows(40)
    expected = typed_scores(rows)
    for name, found in zip(expected, scored(typed_model_file(), rows), strict=True):
        assert difference(found.tolist(), expected[name]) == "", name
    assert np.isnan(expected["root"]).any()
    assert np.isinf(expected["quotient"]).any()
    assert (rows["whole"] > 2**53).any()


def test_an_arrow_file_has_the_record_batches_that_are_asked_for() -> None:
    reader = pa.ipc.open_file(arrow_file_of({INPUT: distinct_rows(10)}, (3, 0, 2)))
    assert [reader.get_batch(number).num_rows for number in range(reader.num_record_batches)] == [3, 0, 2, 5]
    assert pa.ipc.open_file(arrow_file_of({INPUT: distinct_rows(0)})).read_all().num_rows == 0
