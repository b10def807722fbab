"""Do the formulas of assays give what real servers answered, and what one computes by hand?"""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import pytest

from contract_tests.support.recorded import exchanges, recorded_answer
from scripts.lib.evidence.recordings import VARIABLE, recordings, recordings_directory
from wallaroo_ext._util.json_values import list_of, object_of
from wallaroo_ext.assays.result_forms import summarizer_of
from wallaroo_ext.conformance.testing.assays.formulas import (
    Bins,
    bin_scores,
    bins_of,
    edge_name,
    statistics,
    status,
    total,
)

VALUES = np.array([4.0, 1.0, 3.0, 2.0, 10.0, 6.0, 5.0])


def objects_in(value: Any) -> list[dict[str, Any]]:
    """Return all objects in a value, those in texts with JSON, too."""
    if isinstance(value, str) and value[:1] in {"{", "["}:
        try:
            return objects_in(json.loads(value))
        except ValueError:
            return []
    if isinstance(value, dict):
        found = object_of(value)
        return [found, *(each for inner in found.values() for each in objects_in(inner))]
    return [each for inner in list_of(value) for each in objects_in(inner)] if isinstance(value, list) else []


def answers() -> list[dict[str, Any]]:
    """Return all objects in recorded answers: those of the documents and, where they are here, of real servers."""
    documents = [recorded_answer(found) for found in exchanges() if "assay" in found["operation"]]
    servers = [found.response for found in recordings() if found.path.startswith("/v1/api/assays/")]
    return objects_in([*documents, *servers])


def test_recorded_scores_are_those_of_the_recorded_distributions() -> None:
    results = [found for found in answers() if "baseline_summary" in found]
    assert len(results) > 1
    for result in results:
        baseline, window = (result[f"{name}_summary"] for name in ("baseline", "window"))
        metric = summarizer_of(result)["metric"]
        scores = bin_scores(np.array(baseline["aggregated_values"]), np.array(window["aggregated_values"]), metric)
        assert scores.tolist() == pytest.approx(result["scores"], rel=1e-6, abs=1e-13)
        assert total(scores, metric) == pytest.approx(result["score"], rel=1e-6, abs=1e-13)
        assert Bins(np.array(baseline["edges"][:-1]), []).window_names == window["edge_names"]
        if result["status"] != "BaselineRun":
            assert result["status"] == status(result["score"], result["warning_threshold"], result["alert_threshold"])


def test_recorded_values_have_the_recorded_distribution() -> None:
    if recordings_directory() is None:
        pytest.skip(f"There are no recordings of real servers here: name their directory by {VARIABLE}.")
    found = answers()
    [asked] = [each for each in found if "summarizer" in each and "vector" in object_of(each.get("baseline"))]
    values = np.array(asked["baseline"]["vector"])
    [answer] = [each for each in found if each.get("count") == len(values) and "edges" in each]
    bins = bins_of(values, asked["summarizer"])
    assert bins.edges.tolist() == answer["edges"][:-1]
    assert bins.names == answer["edge_names"]
    assert bins.aggregated(values, "Density").tolist() == pytest.approx(answer["aggregated_values"], abs=1e-12)
    expected = statistics(values)
    assert {name: answer[name] for name in expected} == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize(
    ("summarizer", "edges", "shares"),
    [
        ({"bin_mode": "Quantile", "num_bins": 2}, [1, 4, 10], [0, 4, 3, 0]),
        ({"bin_mode": "Equal", "num_bins": 3}, [1, 4, 7, 10], [0, 4, 2, 1, 0]),
        ({"bin_mode": "Provided", "num_bins": 2, "provided_edges": [2, 4, 6]}, [2, 4, 6], [1, 3, 2, 1]),
        ({"bin_mode": "Provided", "num_bins": 2, "provided_edges": [4, 6]}, [1, 4, 6], [0, 4, 2, 1]),
    ],
)
def test_values_are_in_bins(summarizer: dict[str, Any], edges: list[float], shares: list[float]) -> None:
    bins = bins_of(VALUES, summarizer)
    assert bins.edges.tolist() == edges
    assert len(bins.names) == len(bins.window_names) == len(shares)
    assert (bins.aggregated(VALUES, "Density") * len(VALUES)).tolist() == pytest.approx(shares)
    assert (bins.aggregated(VALUES, "Cumulative") * len(VALUES)).tolist() == pytest.approx(np.cumsum(shares))


def test_of_bins_that_end_at_the_same_edge_the_first_has_the_values() -> None:
    values = np.array([1.0, 2.0, 2.0, 2.0, 2.0, 3.0])
    bins = bins_of(values, {"bin_mode": "Quantile", "num_bins": 3})
    assert bins.edges.tolist() == [1, 2, 2, 3]
    assert (bins.aggregated(values, "Density") * 6).tolist() == pytest.approx([0, 5, 0, 1, 0])


def test_scores_are_by_the_metric_and_the_weights() -> None:
    baseline, window = np.array([0.0, 0.5, 0.5, 0.0]), np.array([0.0, 0.25, 0.0, 0.75])
    psi = [0, -0.25 * math.log(0.5), (0.005 - 0.5) * math.log(0.01), (0.75 - 0.005) * math.log(150)]
    assert bin_scores(baseline, window, "PSI").tolist() == pytest.approx(psi)
    assert bin_scores(baseline, window, "SumDiff").tolist() == [0, 0.25, 0.5, 0.75]
    weighted = bin_scores(baseline, window, "MaxDiff", [0, 6, 2, 2])
    assert weighted.tolist() == pytest.approx([0, 0.15, 0.1, 0.15])
    assert (total(weighted, "MaxDiff"), total(weighted, "SumDiff")) == pytest.approx((0.15, 0.4))


def test_a_status_is_that_of_the_highest_threshold_that_a_score_exceeds() -> None:
    assert [status(score, 0.1, 0.2) for score in (0.1, 0.15, 0.2, 0.25)] == ["Ok", "Warning", "Warning", "Alert"]
    assert status(0.15, None, 0.2) == "Ok"


def test_an_edge_is_named_by_two_decimals() -> None:
    assert [edge_name(edge) for edge in (12.5259, -0.000264, 0.0)] == ["1.25e1", "-2.64e-4", "0.00e0"]
