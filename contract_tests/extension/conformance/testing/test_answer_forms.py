"""Are answers read in the forms of all releases?"""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest

from wallaroo_ext._util.arrow.files import to_file
from wallaroo_ext.assays.result_forms import summarizer_of
from wallaroo_ext.conformance.resources.samples import INPUT, OUTPUT
from wallaroo_ext.conformance.testing.answer_forms import (
    Answered,
    computed_at,
    inputs_of,
    outputs,
    scores_of,
)
from wallaroo_ext.resources.models import listed_model

OLDEST: dict[str, Any] = {
    "model_name": "m",
    "original_data": {INPUT: [[1.0, 2.0]]},
    "outputs": [{"Float": {"v": 1, "dim": [2, 1], "data": [0.5, 0.25]}}],
}


@pytest.mark.parametrize(
    "row",
    [
        {"id": 3, "name": "m"},
        {"model": {"id": 3, "name": "m"}, "model_versions": []},
        {"id": 8, "models": {"id": 8, "models_pk_id": 3, "model_id": "m"}},
    ],
    ids=["by itself", "beside its versions", "by a version"],
)
def test_a_model_is_listed_in_three_forms(row: dict[str, Any]) -> None:
    assert listed_model(row) == {"id": 3, "name": "m"}


def test_outputs_are_of_rows_or_of_all_rows() -> None:
    assert outputs([{"out": {OUTPUT: [0.5]}}, {"out": {OUTPUT: [0.25]}}]).tolist() == [[0.5], [0.25]]
    assert outputs([OLDEST]).tolist() == [[0.5], [0.25]]


def test_logged_rows_are_flat_or_as_they_were_answered() -> None:
    flat = {f"in.{INPUT}": [1.0, 2.0], f"out.{OUTPUT}": [0.5]}
    assert (inputs_of(flat), scores_of(flat)) == ([1.0, 2.0], [0.5])
    assert (inputs_of(OLDEST), scores_of(OLDEST)) == ([1.0, 2.0], [0.5, 0.25])


def test_results_of_assays_have_two_forms() -> None:
    assert summarizer_of({"summarizer": {"num_bins": 5}}) == summarizer_of({"summarizer_meta": '{"num_bins": 5}'})
    assert (computed_at({"analyzed_at": "now", "created_at": None}), computed_at({"created_at": 7})) == ("now", 7)


NESTED = [{"time": 5, "in": {INPUT: [1.0]}, "out": {OUTPUT: [0.5]}, "metadata": {"last_model": "{}"}}]
FLAT = [{"time": 5, f"in.{INPUT}": [1.0], f"out.{OUTPUT}": [0.5], "metadata.last_model": "{}"}]


@pytest.mark.parametrize("rows", [NESTED, FLAT], ids=["nested", "flat"])
def test_rows_are_read_nested_or_flat_in_json_and_in_arrow(rows: list[dict[str, Any]]) -> None:
    table = pa.Table.from_pylist(rows)
    for found in (Answered.of_records(rows), Answered.of_arrow(to_file(table).to_pybytes())):
        assert (found.count, found.times) == (1, [5])
        assert found.parts == {"in": {INPUT: [[1.0]]}, "out": {OUTPUT: [[0.5]]}, "metadata": {"last_model": ["{}"]}}


def test_the_oldest_form_has_the_outputs_of_all_rows() -> None:
    found = Answered.of_records([OLDEST])
    assert (found.count, found.parts, found.is_oldest) == (2, {"out": {OUTPUT: [[0.5], [0.25]]}}, True)


def test_rows_with_other_fields_than_the_first_are_noticed() -> None:
    with pytest.raises(AssertionError, match="row 1 has other fields"):
        Answered.of_records([NESTED[0], {"time": 5}])
