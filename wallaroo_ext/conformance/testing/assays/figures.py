"""Checks figures of assays against those that follow from the rows, by the contract's formulas."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from wallaroo_ext.assays.result_forms import summarizer_of
from wallaroo_ext.conformance.testing.assays import formulas
from wallaroo_ext.conformance.testing.assays.scenes import instant, is_near

if TYPE_CHECKING:
    from wallaroo_ext.conformance.resources.fixtures import Fixtures
    from wallaroo_ext.conformance.testing.assays.scenes import Scene

    Array = np.ndarray[Any, np.dtype[Any]]

CLOCK_DIFFERENCE = timedelta(minutes=1)
"""How far the clocks of an instance's parts may differ: nobody promises that they are one."""
VALUES = np.random.default_rng(3).normal(scale=0.003, size=42)
"""Values of a baseline: small ones, so that rounding to a few digits shows, and so many that their quantiles differ by
most definitions of a quantile. No rank of an edge is half a number: nobody says which value is taken then."""
EDGES = [-0.0041, -0.0009, 0.0013, 0.0052]
ON_EDGES = np.array([3.0, 0.0, 0.5, 1.0, 4.0, 1.0, 2.0, 3.0])
"""Values at the edges of four bins of equal width, which 64 bits hold exactly."""
FORMS: dict[str, dict[str, Any]] = {
    "two": {"num_bins": 2},
    "three": {"num_bins": 3},
    "five": {"num_bins": 5},
    "ten": {"num_bins": 10},
    "equal": {"bin_mode": "Equal", "num_bins": 4, "metric": "SumDiff"},
    "provided": {"bin_mode": "Provided", "num_bins": 3, "provided_edges": EDGES},
    "upper": {
        "bin_mode": "Provided",
        "num_bins": 3,
        "provided_edges": EDGES[1:],
        "aggregation": "Cumulative",
        "metric": "SumDiff",
    },
    "cumulative": {"aggregation": "Cumulative", "metric": "MaxDiff"},
    "sum": {"metric": "SumDiff", "num_bins": 3},
    "largest": {"metric": "MaxDiff"},
    "weighted": {"bin_weights": [8.0, 0.0, 1.0, 2.5, 4.0, 1.0, 0.5]},
    "weighted-sum": {"metric": "SumDiff", "aggregation": "Cumulative", "num_bins": 2, "bin_weights": [1, 5, 0, 2]},
    "weighted-largest": {
        "bin_mode": "Provided",
        "num_bins": 3,
        "provided_edges": EDGES,
        "metric": "MaxDiff",
        "bin_weights": [0.05, 0.1, 0.2, 0.0, 0.35],
    },
    "cumulative-psi": {"bin_mode": "Equal", "num_bins": 4, "aggregation": "Cumulative"},
    "weighted-equal": {"bin_mode": "Equal", "num_bins": 3, "metric": "MaxDiff", "bin_weights": [1, 0.5, 2, 0, 3]},
}
"""The ways to bin and to compare that the contract has formulas for, as changes of `SUMMARIZER`.

Each two of a bin mode, an aggregation, a metric, and weights or none, stand together in one of them.
"""
ECHOED = ("type", "bin_mode", "aggregation", "metric", "num_bins", "bin_weights", "provided_edges")
"""What a result says of how it was computed, as it was asked for."""


def check_summary(found: dict[str, Any], values: Array, bins: formulas.Bins, aggregation: str) -> None:
    """Check the figures and the bins of a distribution, but the names of the bins."""
    expected, scale = formulas.statistics(values), float(np.abs(values).max())
    close = partial(pytest.approx, rel=1e-6, abs=1e-7 * scale)
    _check("the figures", {name: found[name] for name in expected}, close(expected))
    *edges, last = found["edges"]
    assert last is None, "there is no edge above the right outliers"  # noqa: S101 - pytest's way to fail
    _check("the edges", edges, close(bins.edges.tolist()))
    _check("the aggregation", found["aggregation"], aggregation)
    shares = bins.aggregated(values, aggregation).tolist()
    _check("the values of the bins", found["aggregated_values"], pytest.approx(shares, abs=1e-9))


def check_result(
    result: dict[str, Any], request: dict[str, Any], baseline: Array, window: Array, start: datetime
) -> None:
    """Check all of a result that follows from the rows: distributions, scores, status and times."""
    summarizer, width = request["summarizer"], timedelta(seconds=int(request["window"]["width"].split()[0]))
    aggregation, metric = summarizer["aggregation"], summarizer["metric"]
    bins = formulas.bins_of(baseline, summarizer)
    of_baseline, of_window = result["baseline_summary"], result["window_summary"]
    check_summary(of_baseline, baseline, bins, aggregation)
    check_summary(of_window, window, bins, aggregation)
    for summary, expected in ((of_baseline, bins.names), (of_window, bins.window_names)):
        assert names_fit(summary, expected), f"the bins are {summary['edge_names']} in place of {expected}"  # noqa: S101 - pytest's way to fail
    before, now = (bins.aggregated(values, aggregation) for values in (baseline, window))
    scores = formulas.bin_scores(before, now, metric, summarizer["bin_weights"])
    score = formulas.total(scores, metric)
    _check("the scores", result["scores"], pytest.approx(scores.tolist(), rel=1e-7, abs=1e-9))
    _check("the score", result["score"], pytest.approx(score, rel=1e-7, abs=1e-9))
    index, decisive = result.get("bin_index", result.get("index")), np.flatnonzero(np.isclose(scores, score)).tolist()
    assert index in {None, *decisive}, f"the bin with the score is {index}, and not one of {decisive}"  # noqa: S101 - pytest's way to fail
    thresholds = request["warning_threshold"], request["alert_threshold"]
    _check("the thresholds", (result["warning_threshold"], result["alert_threshold"]), thresholds)
    if result["status"] != "BaselineRun":
        _check("the status", result["status"], formulas.status(result["score"], *thresholds))
    path = request.get("iopath") or request["window"].get("path")
    assert result.get("iopath") in {None, path}, "it is of another value"  # noqa: S101 - pytest's way to fail
    echoed = summarizer_of(result)
    for name in ECHOED:
        _check(name, echoed[name], summarizer[name])
    _check_moment("the window begins", of_window["start"], start)
    _check_moment("the window ends", of_window["end"], start + width)
    if "window_start" in result:
        _check_moment("the window begins", result["window_start"], start)


def _check(what: str, found: Any, expected: Any) -> None:
    """Check a value; what is expected may be an approximation of pytest's."""
    assert found == expected, f"{what}: {found} in place of {expected}"  # noqa: S101 - pytest's way to fail


def _check_moment(what: str, found: str, expected: datetime) -> None:
    assert is_near(instant(found), expected), f"{what} at {found} in place of {expected}"  # noqa: S101 - pytest's way to fail


def names_fit(summary: dict[str, Any], names: list[str]) -> bool:
    """Return whether a distribution has the names of bins; a name by an edge may differ in its last digit."""
    found: list[str] = summary["edge_names"]
    edges = [None, *summary["edges"][1:-1], None]
    by_edges = [
        name if edge is None or name[:2] not in {"e_", "p_"} else name[:2] + formulas.edge_name(edge)
        for name, edge in zip(names, edges, strict=True)
    ]
    return found in (names, by_edges)


def check_time(value: Any, scene: Scene, earliest: datetime) -> None:
    """Check that a time, as text or in milliseconds, is after another one and has passed, by the instance's clock."""
    at, now = instant(value) if isinstance(value, str) else datetime.fromtimestamp(value / 1000, UTC), scene.now
    is_between = earliest - CLOCK_DIFFERENCE < at < now + CLOCK_DIFFERENCE
    assert is_between, f"{at} is not between {earliest} and {now}"  # noqa: S101 - pytest's way to fail


def check_elapsed(result: dict[str, Any], began: float) -> None:
    """Check how long computing a result took, which cannot be longer ago than when it was asked for.

    Args:
        result: The result, which was just read.
        began: When it was asked for, by `time.monotonic`.
    """
    took, ago = result["elapsed_millis"], (time.monotonic() - began) * 1000
    assert 0 <= took <= ago + 1, f"it took {took} ms, and was asked for {ago} ms ago"  # noqa: S101 - pytest's way to fail


def check_place(result: dict[str, Any], fixtures: Fixtures) -> None:
    """Check that a result names the run's workspace, if it names one: older releases do not."""
    for name, own in (("workspace_id", fixtures.workspace_id), ("workspace_name", fixtures.workspace_name)):
        assert result.get(name) in {None, own}, f"{name} is {result[name]} in place of {own}"  # noqa: S101 - pytest's way to fail
