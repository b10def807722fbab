"""Is a result of an assay held against the formulas in all that follows from the rows?"""

from __future__ import annotations

import copy
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from wallaroo_ext.conformance.resources.fixtures import Fixtures
from wallaroo_ext.conformance.testing.assays import formulas
from wallaroo_ext.conformance.testing.assays.figures import (
    EDGES,
    FORMS,
    ON_EDGES,
    VALUES,
    check_elapsed,
    check_place,
    check_result,
    check_time,
)
from wallaroo_ext.conformance.testing.assays.scenes import SUMMARIZER, Scene, Scored

if TYPE_CHECKING:
    Array = np.ndarray[Any, np.dtype[Any]]

WINDOW = VALUES[:30] * 1.25
START = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)
"""When the window begins, which is two seconds long."""


def request_for(form: str) -> dict[str, Any]:
    """Return as much of a request as a result is held against."""
    window = {"width": "2 seconds", "path": "output dense_1 0"}
    thresholds = {"warning_threshold": 0.01, "alert_threshold": 100.0}
    return thresholds | {"summarizer": SUMMARIZER | FORMS[form], "window": window}


def summary_of(values: Array, bins: formulas.Bins, aggregation: str, names: list[str]) -> dict[str, Any]:
    """Return a distribution as it is right."""
    return formulas.statistics(values) | {
        "edges": [*bins.edges.tolist(), None],
        "edge_names": names,
        "aggregation": aggregation,
        "aggregated_values": bins.aggregated(values, aggregation).tolist(),
        "start": START.isoformat(),
        "end": (START + timedelta(seconds=2)).isoformat(),
    }


def right_result(request: dict[str, Any]) -> dict[str, Any]:
    """Return a result as it is right, with all that a release may tell."""
    summarizer, thresholds = request["summarizer"], (request["warning_threshold"], request["alert_threshold"])
    bins, aggregation, metric = formulas.bins_of(VALUES, summarizer), summarizer["aggregation"], summarizer["metric"]
    before, now = (bins.aggregated(values, aggregation) for values in (VALUES, WINDOW))
    scores = formulas.bin_scores(before, now, metric, summarizer["bin_weights"])
    return {
        "baseline_summary": summary_of(VALUES, bins, aggregation, bins.names),
        "window_summary": summary_of(WINDOW, bins, aggregation, bins.window_names),
        "scores": scores.tolist(),
        "score": formulas.total(scores, metric),
        "bin_index": int(np.argmax(scores)) if metric == "MaxDiff" else None,
        "status": formulas.status(formulas.total(scores, metric), *thresholds),
        "warning_threshold": thresholds[0],
        "alert_threshold": thresholds[1],
        "iopath": request["window"]["path"],
        "summarizer": summarizer,
        "window_start": START.isoformat(),
    }


def spoilt(result: dict[str, Any], path: tuple[str, ...], value: Any) -> dict[str, Any]:
    """Return a result with another value in one place."""
    found: Any = copy.deepcopy(result)
    place = found
    for name in path[:-1]:
        place = place[name]
    assert place[path[-1]] != value
    place[path[-1]] = value
    return found


@pytest.mark.parametrize("form", FORMS)
def test_a_right_result_is_one_by_each_form(form: str) -> None:
    request = request_for(form)
    result = right_result(request)
    check_result(result, request, VALUES, WINDOW, START)
    check_result(result | {"status": "BaselineRun"}, request, VALUES, WINDOW, START)
    with pytest.raises(AssertionError):
        check_result(result, request, VALUES, VALUES, START)


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        (("baseline_summary", "mean"), 1.0, "the figures"),
        (("window_summary", "count"), 31, "the figures"),
        (("window_summary", "edges"), [0.0] * 6 + [1.0], "there is no edge above"),
        (("baseline_summary", "edges"), [0.0] * 6 + [None], "the edges"),
        (("window_summary", "aggregation"), "Density", "the aggregation"),
        (("baseline_summary", "aggregated_values"), [0.0] * 7, "the values of the bins"),
        (("baseline_summary", "edge_names"), ["left_outlier"] * 7, "the bins are"),
        (("window_summary", "edge_names"), ["left_outlier"] * 7, "the bins are"),
        (("scores",), [0.0] * 7, "the scores"),
        (("score",), 0.0, "the score"),
        (("bin_index",), 0, "the bin with the score"),
        (("warning_threshold",), None, "the thresholds"),
        (("alert_threshold",), 101.0, "the thresholds"),
        (("status",), "Ok", "the status"),
        (("iopath",), "input dense_input 0", "it is of another value"),
        (("summarizer",), SUMMARIZER | {"aggregation": "Cumulative"}, "metric"),
        (("window_summary", "start"), "2026-03-04T05:06:07.002+00:00", "the window begins"),
        (("window_summary", "end"), "2026-03-04T05:06:10+00:00", "the window ends"),
        (("window_start",), "2026-03-04T06:06:07+00:00", "the window begins"),
    ],
)
def test_what_is_wrong_is_named(path: tuple[str, ...], value: Any, message: str) -> None:
    request = request_for("cumulative")
    wrong = spoilt(right_result(request), path, value)
    with pytest.raises(AssertionError, match=message):
        check_result(wrong, request, VALUES, WINDOW, START)


def test_the_bin_has_another_name_in_older_releases() -> None:
    request = request_for("cumulative")
    result = right_result(request)
    result["index"] = result.pop("bin_index")
    check_result(result, request, VALUES, WINDOW, START)
    with pytest.raises(AssertionError, match="the bin with the score"):
        check_result(result | {"index": 0}, request, VALUES, WINDOW, START)


def test_values_and_forms_tell_what_they_are_said_to() -> None:
    assert set(ON_EDGES.tolist()) >= {0.0, 1.0, 2.0, 3.0, 4.0}, "they are at the edges of four bins"
    assert VALUES.min() < EDGES[1] < EDGES[2] < VALUES.max()
    ways = [SUMMARIZER | form for form in FORMS.values()]
    for one, other in (("bin_mode", "aggregation"), ("bin_mode", "metric"), ("aggregation", "metric")):
        values = [{way[name] for way in ways} for name in (one, other)]
        assert len({(way[one], way[other]) for way in ways}) == len(values[0]) * len(values[1]), (one, other)
    for way in ways:
        weights, bins = way["bin_weights"], formulas.bins_of(VALUES, way)
        assert weights is None or len(weights) == len(bins.names), way
        assert len(bins.edges) == way["num_bins"] + 1


def test_times_have_passed_and_are_not_too_early() -> None:
    scored = Scored(START, VALUES, VALUES)
    scene = Scene(scored, scored, time.monotonic())
    check_time(START.isoformat(), scene, START)
    check_time(START.timestamp() * 1000, scene, START)
    for minutes in (-2, 2):
        moment = START + timedelta(minutes=minutes)
        for value in (moment.isoformat(), moment.timestamp() * 1000):
            with pytest.raises(AssertionError, match="is not between"):
                check_time(value, scene, START)


def test_a_result_takes_no_longer_than_since_it_was_asked_for() -> None:
    began = time.monotonic() - 1
    for millis in (0, 1000):
        check_elapsed({"elapsed_millis": millis}, began)
    for millis in (-1, 100_000):
        with pytest.raises(AssertionError, match="it took"):
            check_elapsed({"elapsed_millis": millis}, began)


def test_a_result_names_the_runs_workspace_or_none() -> None:
    fixtures = Fixtures(workspace_id=3, workspace_name="run-w")
    for right in ({}, {"workspace_id": None}, {"workspace_id": 3, "workspace_name": "run-w"}):
        check_place(right, fixtures)
    for wrong in ({"workspace_id": 4}, {"workspace_name": "run-v"}):
        with pytest.raises(AssertionError, match="in place of"):
            check_place(wrong, fixtures)
