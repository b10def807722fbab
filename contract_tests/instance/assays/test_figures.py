"""Are assays computed rightly? All figures are computed anew, by the contract's formulas, from rows of the run."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime, timedelta, timezone
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from wallaroo_ext._util.json_values import list_of, object_of
from wallaroo_ext.assays.result_forms import summarizer_of
from wallaroo_ext.conformance.resources.fixtures import assay_request, second_assay_request
from wallaroo_ext.conformance.resources.samples import INPUT, OUTPUT, WIDTH
from wallaroo_ext.conformance.testing import assay_formulas as formulas
from wallaroo_ext.conformance.testing.answer_forms import computed_at, inputs_of, scores_of
from wallaroo_ext.conformance.testing.assay_scenes import (
    LOG_SECONDS,
    MANY,
    SECOND,
    SUMMARIZER,
    Scene,
    Scored,
    baseline_of,
    counts_in,
    instant,
    is_near,
    request_of,
    results_v2,
)
from wallaroo_ext.conformance.testing.read_back import changed_fields
from wallaroo_ext.conformance.testing.waiting import Patience, by_id, soon

if TYPE_CHECKING:
    from collections.abc import Callable

    from _pytest.mark.structures import ParameterSet

    from wallaroo_ext.conformance.resources.fixtures import Fixtures
    from wallaroo_ext.conformance.suite import Suite
    from wallaroo_ext.conformance.testing.api_calls import Api
    from wallaroo_ext.conformance.testing.people import Person

    Array = np.ndarray[Any, np.dtype[Any]]
    Kept = list[tuple[str, Callable[[], list[dict[str, Any]]], list[dict[str, Any]], float]]

pytestmark = [pytest.mark.thorough("the figures of assays"), pytest.mark.counts_rows]

CLOCK_DIFFERENCE = timedelta(minutes=1)
"""How far the clocks of an instance's parts may differ: nobody promises that they are one."""
DAY = timedelta(days=1)
STAY_SECONDS = 1.5
"""How long after results were read they are read again, at least."""
VALUES = np.random.default_rng(3).normal(scale=0.003, size=42)
"""Values of a baseline: small ones, so that rounding to a few digits shows, and so many that their quantiles differ by
most definitions of a quantile. No rank of an edge is half a number: nobody says which value is taken then."""
TIED = np.repeat([-1.5, 0.25, 2.0, 7.125], [9, 3, 20, 4])
"""Values of which many are equal, so that bins end at the same edge."""
SECOND_FORMS: dict[str, dict[str, Any]] = {
    "five": {"bin_mode": {"Quantile": 5}, "aggregation": "Density", "metric": "PSI", "bin_weights": None},
    "three": {"bin_mode": {"Quantile": 3}, "aggregation": "Cumulative", "metric": "SumDiff", "bin_weights": None},
    "equal": {"bin_mode": {"Equal": 4}, "aggregation": "Density", "metric": "MaxDiff", "bin_weights": None},
    "sums": {"bin_mode": {"Equal": 5}, "aggregation": "Density", "metric": "SumDiff", "bin_weights": None},
    "running": {"bin_mode": {"Equal": 3}, "aggregation": "Cumulative", "metric": "PSI", "bin_weights": None},
    "largest": {"bin_mode": {"Quantile": 4}, "aggregation": "Cumulative", "metric": "MaxDiff", "bin_weights": None},
}
"""Ways to bin and to compare in the second version; each two of a mode, an aggregation and a metric are in one."""
INFINITY = "INFINITY"
STORED = ("get_assay_results", "get_assay_results_between")
V2 = "get_assay_results_v2"
OF_BASELINES = [
    pytest.param(name, marks=pytest.mark.touches(name))
    for name in (
        "run_interactive_assay",
        "run_interactive_assay_baseline",
        "summarize_assay_baseline",
        "preview_assay_baseline_v2",
    )
]
"""The operations that take a baseline of logged rows, each with a mark for itself."""
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
BINNED = ("type", "bin_mode", "aggregation", "metric", "num_bins")
"""What has to be said of how values are binned and compared; the rest may be left out."""
ECHOED = ("type", "bin_mode", "aggregation", "metric", "num_bins", "bin_weights", "provided_edges")
"""What a result says of how it was computed, as it was asked for."""


def stored(*others: str) -> list[ParameterSet]:
    """Return the operations that answer stored results, each with a mark for itself and others.

    Not every release has both.
    """
    return [pytest.param(name, marks=pytest.mark.touches(name, *others)) for name in STORED]


ORIGINS = ("place", "model")
"""What rows are chosen by, of which the tests name one that there is not."""


def named(origin: str, name: str, *, model: str = "model_name") -> dict[str, Any]:
    """Return the field that chooses rows by one of `ORIGINS`; `model` is what the field of a model is called."""
    return {"locations": [name]} if origin == "place" else {model: name}


def of_no_origin(fixtures: Fixtures, operation: str, origin: str, name: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return a request whose baseline is the run's first rows, and the same with those of an origin that there is not.

    Args:
        fixtures: The things of the run.
        operation: One of `OF_BASELINES`.
        origin: One of `ORIGINS`.
        name: The name of the origin, which nothing has.
    """
    if operation == "preview_assay_baseline_v2":
        whole = second_assay_request(fixtures)
        body = baseline_of(whole)
        data_origin = body["targeting"]["data_origin"] | named(origin, name, model="model_id")
        return body, body | {"targeting": body["targeting"] | {"data_origin": data_origin}}
    whole = assay_request(fixtures)
    fixed: dict[str, Any] = whole["baseline"]["calculated"]["fixed_window"]
    elsewhere = {"fixed_window": fixed | named(origin, name)}
    if operation == "summarize_assay_baseline":
        body = {"baseline": {"fixed_window": fixed}, "summarizer": whole["summarizer"]}
        return body, body | {"baseline": elsewhere}
    return whole, whole | {"baseline": {"calculated": elsewhere}}


@pytest.fixture(scope="session")
def kept() -> Kept:
    """Return what was read of stored results, by operation, with how it is read again and when it was read."""
    return []


def check_summary(found: dict[str, Any], values: Array, bins: formulas.Bins, aggregation: str) -> None:
    """Check the figures and the bins of a distribution, but the names of the bins."""
    expected, scale = formulas.statistics(values), float(np.abs(values).max())
    assert {name: found[name] for name in expected} == pytest.approx(expected, rel=1e-6, abs=1e-7 * scale)
    *edges, last = found["edges"]
    assert last is None, "there is no edge above the right outliers"
    assert edges == pytest.approx(bins.edges.tolist(), rel=1e-6, abs=1e-7 * scale)
    assert found["aggregation"] == aggregation
    assert found["aggregated_values"] == pytest.approx(bins.aggregated(values, aggregation).tolist(), abs=1e-9)


def check_result(
    result: dict[str, Any], request: dict[str, Any], baseline: Array, window: Array, start: datetime
) -> None:
    """Check all of a result that follows from the rows: distributions, scores, status and times."""
    summarizer, width = request["summarizer"], timedelta(seconds=int(request["window"]["width"].split()[0]))
    aggregation, metric = summarizer["aggregation"], summarizer["metric"]
    bins = formulas.bins_of(baseline, summarizer)
    check_summary(result["baseline_summary"], baseline, bins, aggregation)
    check_summary(result["window_summary"], window, bins, aggregation)
    assert names_fit(result["baseline_summary"], bins.names)
    assert names_fit(result["window_summary"], bins.window_names)
    before, now = (bins.aggregated(values, aggregation) for values in (baseline, window))
    scores = formulas.bin_scores(before, now, metric, summarizer["bin_weights"])
    score = formulas.total(scores, metric)
    assert result["scores"] == pytest.approx(scores.tolist(), rel=1e-7, abs=1e-9)
    assert result["score"] == pytest.approx(score, rel=1e-7, abs=1e-9)
    assert result.get("bin_index", result.get("index")) in {None, *np.flatnonzero(np.isclose(scores, score)).tolist()}
    thresholds = request["warning_threshold"], request["alert_threshold"]
    assert (result["warning_threshold"], result["alert_threshold"]) == thresholds
    if result["status"] != "BaselineRun":
        assert result["status"] == formulas.status(result["score"], *thresholds)
    path = request.get("iopath") or request["window"].get("path")
    assert result.get("iopath") in {None, path}, "it is of another value"
    echoed = summarizer_of(result)
    for name in ECHOED:
        assert echoed[name] == summarizer[name], name
    assert is_near(instant(result["window_summary"]["start"]), start)
    assert is_near(instant(result["window_summary"]["end"]), start + width)
    if "window_start" in result:
        assert is_near(instant(result["window_start"]), start)


def names_fit(summary: dict[str, Any], names: list[str]) -> bool:
    """Return whether a distribution has the names of bins; a name by an edge may differ in its last digit."""
    found: list[str] = summary["edge_names"]
    edges = [None, *summary["edges"][1:-1], None]
    by_edges = [
        name if edge is None or name[:2] not in {"e_", "p_"} else name[:2] + formulas.edge_name(edge)
        for name, edge in zip(names, edges, strict=True)
    ]
    return found in (names, by_edges)


def summaries_of(answer: Any) -> list[dict[str, Any]]:
    """Return the distributions in one result, or in a list of them."""
    results = [object_of(result) for result in list_of(answer) or [answer]]
    return [result[name] for result in results for name in ("baseline_summary", "window_summary")]


def check_outliers(summaries: list[dict[str, Any]], *, asked: bool) -> None:
    """Check that there are bins for outliers, or none."""
    expected = {formulas.LEFT, formulas.RIGHT} if asked else set[str]()
    for summary in summaries:
        assert {formulas.LEFT, formulas.RIGHT} & set(summary["edge_names"]) == expected
        assert summary["count"] > 0


def check_time(value: Any, scene: Scene, earliest: datetime) -> None:
    """Check that a time, as text or in milliseconds, is after another one and has passed, by the instance's clock."""
    at = instant(value) if isinstance(value, str) else datetime.fromtimestamp(value / 1000, UTC)
    assert earliest - CLOCK_DIFFERENCE < at < scene.now + CLOCK_DIFFERENCE


def check_elapsed(result: dict[str, Any], began: float) -> None:
    """Check how long computing a result took, which cannot be longer ago than when it was asked for.

    Args:
        result: The result, which was just read.
        began: When it was asked for, by `time.monotonic`.
    """
    assert 0 <= result["elapsed_millis"] <= (time.monotonic() - began) * 1000 + 1


def check_place(result: dict[str, Any], fixtures: Fixtures) -> None:
    """Check that a result names the run's workspace, if it names one: older releases do not."""
    assert result.get("workspace_id") in {None, fixtures.workspace_id}
    assert result.get("workspace_name") in {None, fixtures.workspace_name}


def windows_of(request: dict[str, Any], scene: Scene, values: tuple[Array, Array]) -> dict[datetime, Array]:
    """Return the values of the windows of an assay that have some and are over, by when they begin.

    Args:
        request: The request, whose `window` has a start; a length of time is a number of seconds.
        scene: The rows.
        values: The watched values of its many rows, and of its one.
    """
    window = request["window"]
    begin, width = instant(window["start"]), seconds(window["width"])
    found: dict[datetime, Array] = {}
    while begin + width <= scene.one.at + SECOND:
        inside = [
            of for at, of in zip((scene.many.at, scene.one.at), values, strict=True) if begin <= at < begin + width
        ]
        if inside:
            found[begin] = np.concatenate(inside)
        begin += seconds(window["interval"] or window["width"])
    return found


def seconds(text: str) -> timedelta:
    """Return a length of time such as `2 seconds`."""
    return int(text.split(maxsplit=1)[0]) * SECOND


def check_windows(
    results: list[dict[str, Any]],
    request: dict[str, Any],
    scene: Scene,
    baseline: Array,
    values: tuple[Array, Array] | None = None,
) -> dict[datetime, Array]:
    """Check that all windows with rows that are over have a result, and return the values of these windows.

    Args:
        results: The results; windows without rows, and later ones, may be among them.
        request: The request of the assay.
        scene: The rows.
        baseline: The values of the baseline.
        values: The watched values of the many rows and of the one; the outputs by default.
    """
    expected = windows_of(request, scene, values or (scene.many.outputs, scene.one.outputs))
    latest = scene.one.at + SECOND + timedelta(milliseconds=1)
    found = [result for result in results if instant(result["window_summary"]["end"]) <= latest]
    with_rows = [result for result in found if result["window_summary"]["count"]]
    assert len(with_rows) == len(expected), f"{len(with_rows)} windows in place of {[str(at) for at in expected]}"
    for result, begin in zip(with_rows, expected, strict=True):
        check_result(result, request, baseline, expected[begin], begin)
    return expected


class TestAssays:
    @pytest.mark.touches("get_assay_v2")
    def test_the_runs_assay_is_the_same_in_the_second_version(self, api: Api, fixtures: Fixtures) -> None:
        if not api.has("get_assay_v2") or fixtures.assay_uuid is None:
            pytest.skip("The release does not have it, or the run made no assay.")
        shown = api.call("get_assay_v2", {"id": fixtures.assay_uuid})
        assay = api.first(shown)
        assert (assay["id"], assay["name"]) == (fixtures.assay_uuid, assay_request(fixtures)["name"])

    @pytest.mark.touches("list_assays", "create_assay")
    def test_the_runs_assay_is_listed_as_it_was_made(self, api: Api, fixtures: Fixtures) -> None:
        request = assay_request(fixtures)
        listed = api.call("list_assays", {"pipeline_id": fixtures.pipeline_id})
        assert {assay["pipeline_id"] for assay in listed} == {fixtures.pipeline_id}
        [assay] = [found for found in listed if found["id"] == fixtures.assay_id]
        for name in ("name", "pipeline_name", "alert_threshold", "warning_threshold"):
            assert assay[name] == request[name], name
        for name in ("type", "bin_mode", "aggregation", "metric", "num_bins"):
            assert assay["summarizer"][name] == request["summarizer"][name], name
        for name, value in request["window"].items():
            assert name in {"start", "interval", "locations"} or assay["window"][name] == value, name
        for name, value in request["baseline"].get("Fixed", {}).items():
            assert name in {"start_at", "end_at"} or assay["baseline"]["Fixed"][name] == value, name

    @pytest.mark.touches("run_interactive_assay_baseline", "get_assay_baseline")
    def test_a_baseline_is_computed_from_the_logged_rows(self, api: Api, fixtures: Fixtures) -> None:
        request = assay_request(fixtures)
        assert fixtures.scored_at is not None
        start, end = (fixtures.scored_at + timedelta(milliseconds=ms) for ms in (-500, 500))
        where = {"workspace_id": fixtures.workspace_id, "pipeline_name": fixtures.name}
        rows = api.call("get_assay_baseline", where | {"start": start.isoformat(), "end": end.isoformat()})
        scores = [number for row in rows for number in scores_of(row)]
        for row in rows:
            moment = row["time"] if "time" in row else start.timestamp() * 1000
            assert start.timestamp() * 1000 - 1 <= moment <= end.timestamp() * 1000 + 1
            if "metadata.last_model" in row:
                last_model = json.loads(row["metadata.last_model"])
                assert last_model["model_sha"] == (fixtures.model or {})["sha"]
                assert last_model["model_name"] == (fixtures.model or {})["name"]
            else:  # as the oldest releases name it
                assert (row["model_name"], row["pipeline_name"]) == ((fixtures.model or {})["name"], fixtures.name)

        result = api.call("run_interactive_assay_baseline", request)
        for summary in (result["baseline_summary"], result["window_summary"]):
            assert summary["count"] == len(scores)
            assert summary["mean"] == pytest.approx(sum(scores) / len(scores), rel=1e-5)
            assert (summary["min"], summary["max"]) == pytest.approx((min(scores), max(scores)), rel=1e-5)
            assert len(result["scores"]) == len(summary["aggregated_values"])

    @pytest.mark.touches("run_interactive_assay_baseline")
    def test_a_baseline_is_computed_as_it_was_asked_for(self, api: Api, fixtures: Fixtures) -> None:
        analyzed: list[Any] = []
        for bins in (4, 5, 5):
            request = assay_request(fixtures)
            result = api.call(
                "run_interactive_assay_baseline",
                request | {"summarizer": request["summarizer"] | {"num_bins": bins}},
            )
            assert summarizer_of(result)["num_bins"] == bins
            analyzed.append(computed_at(result))
        assert len(set(analyzed)) == len(analyzed), "it was computed each time"

    @pytest.mark.touches("run_interactive_assay", "run_interactive_assay_baseline", "infer_pipeline")
    @pytest.mark.usefixtures("scene")
    def test_windows_are_compared_with_that_baseline(self, api: Api, fixtures: Fixtures) -> None:
        analyzed: list[Any] = []
        for bins in (4, 5, 5):
            request = assay_request(fixtures)
            request |= {"summarizer": request["summarizer"] | {"num_bins": bins}}
            baseline = api.call("run_interactive_assay_baseline", request)["baseline_summary"]
            results = api.call("run_interactive_assay", request)
            assert results, "there is no window"
            assert {summarizer_of(result)["num_bins"] for result in results} == {bins}
            for result in results:
                for name in ("count", "min", "max", "mean", "edges", "aggregated_values"):
                    assert result["baseline_summary"][name] == baseline[name], name
            analyzed.append(max(computed_at(result) for result in results))
        assert len(set(analyzed)) == len(analyzed), "they were computed each time"

    @pytest.mark.touches("create_assay", "list_assays", "set_assay_active")
    def test_an_assay_is_listed_as_it_was_made(self, api: Api, fixtures: Fixtures) -> None:
        request = assay_request(fixtures, name=api.unused_name("a"), alert_threshold=0.375, warning_threshold=0.25)
        assay_id = api.call("create_assay", request)["assay_id"]
        listed = api.call("list_assays", {"pipeline_id": fixtures.pipeline_id})
        assay = by_id(listed, assay_id)
        for field in ("name", "alert_threshold", "warning_threshold", "pipeline_id", "pipeline_name", "active"):
            assert assay[field] == request[field], field
        assert assay["summarizer"]["metric"] == "PSI"
        assert fixtures.assay_id in {found["id"] for found in listed}

        for active in (False, False, True, True):  # it is set, and not changed to what it was not
            answer = api.call("set_assay_active", {"id": assay_id, "active": active})
            assert (answer["id"], answer["active"]) == (assay_id, active)
            found = by_id(api.call("list_assays", {"pipeline_id": fixtures.pipeline_id}), assay_id)
            assert found["active"] is active

    @pytest.mark.touches("get_assay_v2_by_id")
    def test_what_is_no_uuid_names_no_assay(self, api: Api, fixtures: Fixtures) -> None:
        if not api.has("get_assay_v2_by_id"):
            pytest.skip("The release does not have it.")
        assert fixtures.pipeline_id is not None
        for name in ("nothing", "0" * 300):
            api.call_refused("get_assay_v2_by_id", {"id": name})

    @pytest.mark.touches("create_assay", "list_assays", if_there=("get_assay_by_id",))
    def test_the_name_of_an_assay_is_kept(self, api: Api, fixtures: Fixtures) -> None:
        name = f"{api.unused_name('a')}-Pr\u00fcfung-\u6a21\u578b-\U0001f680"
        until = datetime(2031, 5, 6, 7, 8, 9, tzinfo=timezone(timedelta(hours=5.5)))
        request = assay_request(fixtures, name=name, active=False, run_until=until.isoformat())
        assay_id = api.call("create_assay", request)["assay_id"]
        shown = by_id(api.call("list_assays", {"pipeline_id": fixtures.pipeline_id}), assay_id)
        assert shown["name"] == name
        assert shown.get("run_until") is None or is_near(instant(shown["run_until"]), until)
        if api.has("get_assay_by_id"):
            assert api.call("get_assay_by_id", {"id": assay_id})["name"] == name

    @pytest.mark.touches("create_assay", "get_assay_by_id", "list_assays", "set_assay_active")
    def test_an_assay_is_found_by_its_id_as_it_is_listed(self, api: Api, fixtures: Fixtures) -> None:
        if not api.has("get_assay_by_id"):
            pytest.skip("The release does not have it.")
        made = api.call("create_assay", assay_request(fixtures, name=api.unused_name("a")))["assay_id"]
        for active in (True, False):
            api.call("set_assay_active", {"id": made, "active": active})
            listed = api.call("list_assays", {"pipeline_id": fixtures.pipeline_id})
            for assay_id in (fixtures.assay_id, made):
                shown, expected = api.call("get_assay_by_id", {"id": assay_id}), by_id(listed, assay_id)
                for field in ("id", "name", "pipeline_id", "pipeline_name", "alert_threshold", "active"):
                    assert shown[field] == expected[field], field

    @pytest.mark.touches("schedule_assay_v2", "get_assay_v2_by_id", "set_assay_v2_active")
    def test_an_assay_of_the_second_version_is_shown_as_it_was_made(self, api: Api, fixtures: Fixtures) -> None:
        if not api.has("schedule_assay_v2"):
            pytest.skip("The release does not have it.")
        request = second_assay_request(fixtures)
        names = {api.call("schedule_assay_v2", request | {"name": name}): name for name in map(api.unused_name, "ab")}
        assert len(names) == 2, "each has an id of its own"
        for assay, name in names.items():
            shown = api.call("get_assay_v2_by_id", {"id": assay})
            assert (shown["id"], shown["name"], shown["active"]) == (assay, name, True)
            origin, asked = shown["targeting"]["data_origin"], request["targeting"]["data_origin"]
            assert not list(changed_fields(asked, origin, is_whole=True))
            assert shown["targeting"]["iopath"][0]["field"] == request["targeting"]["iopath"][0]["field"]
            assert not list(changed_fields(request["window"], shown["window"], is_whole=True))
            assert shown["summarizer"]["UnivariateContinuous"]["metric"] == "PSI"
            for active in (False, False, True, True, False):
                api.call("set_assay_v2_active", {"assay_id": assay, "active": active})
                assert api.call("get_assay_v2_by_id", {"id": assay})["active"] is active

    @pytest.mark.touches("schedule_assay_v2", "get_assay_v2_by_id", "list_assays")
    def test_names_and_thresholds_of_the_second_version_are_kept(self, api: Api, fixtures: Fixtures) -> None:
        if not api.has("schedule_assay_v2"):
            pytest.skip("The release does not have it.")
        request = second_assay_request(fixtures)
        for warning, alert in ((None, 0.0), (0.0, 0.25), (-0.5, 0.0)):
            watched = request["targeting"]["iopath"][0] | {"thresholds": {"warning": warning, "alert": alert}}
            targeting = request["targeting"] | {"iopath": [watched]}
            name = f"{api.unused_name('a')}-Pr\u00fcfung-\u6a21\u578b-\U0001f680"
            made = api.call("schedule_assay_v2", request | {"name": name, "targeting": targeting})
            shown = api.call("get_assay_v2_by_id", {"id": made})
            assert shown["name"] == name
            assert not list(changed_fields(watched["thresholds"], shown["targeting"]["iopath"][0]["thresholds"]))
            listed = {assay["name"] for assay in api.call("list_assays", {"pipeline_id": fixtures.pipeline_id})}
            assert name in listed

    @pytest.mark.touches("preview_assay_baseline_v2", "summarize_assay_baseline")
    def test_a_baseline_is_the_same_in_both_versions(self, api: Api, fixtures: Fixtures) -> None:
        if not api.has("preview_assay_baseline_v2"):
            pytest.skip("The release does not have it.")
        request = second_assay_request(fixtures)
        for values in (range(50), range(100, 300)):
            vector = [float(number) for number in values]
            body = {"summarizer": assay_request(fixtures)["summarizer"], "baseline": {"vector": vector}}
            older = api.call("summarize_assay_baseline", body)
            body = {name: request[name] for name in ("summarizer", "targeting")} | {"baseline": {"Vector": vector}}
            [(key, summary)] = api.call("preview_assay_baseline_v2", body).items()
            assert summary["name"] == key
            assert summary["statistics"] == {name: older[name] for name in summary["statistics"]}
            if len(summary["bins"]["edges"]) == len(older["edges"]):  # else without bins of their own for outliers
                assert summary["aggregated_values"] == older["aggregated_values"]
                assert summary["bins"]["labels"] == older["edge_names"]
                assert summary["bins"]["edges"][:-1] == older["edges"][:-1]

    @pytest.mark.touches("preview_assay_v2", "preview_assay_baseline_v2")
    @pytest.mark.usefixtures("scene")
    def test_a_preview_compares_the_windows_of_its_time(
        self, api: Api, fixtures: Fixtures, conformance_suite: Suite
    ) -> None:
        if not api.has("preview_assay_v2"):
            pytest.skip("The release does not have it.")
        request = second_assay_request(fixtures)
        start, end = request["baseline"]["Static"]
        [(key, summary)] = api.call("preview_assay_baseline_v2", baseline_of(request)).items()
        far, analyzed = [1000.0 + number for number in range(50)], list[str]()
        for baseline, is_same in ((request["baseline"], True), ({"Vector": far}, False), (request["baseline"], True)):
            body = request | {"baseline": baseline, "preview_start": start, "preview_end": end}
            began = time.monotonic()
            [result] = api.call("preview_assay_v2", body)
            check_elapsed(result, began)
            assert result["assay_id"] not in conformance_suite.owned.values_of("assay uuid"), "it is of no assay"
            analyzed.append(result["analyzed_at"])
            assert (result["scores"][key]["score"] == 0) is is_same
            assert result["summaries"][key]["statistics"] == summary["statistics"]
            assert datetime.fromisoformat(result["window_end"]) == datetime.fromisoformat(end)
            origin = request["targeting"]["data_origin"]
            for field in ("pipeline_id", "workspace_id", "workspace_name"):
                assert result[field] == origin[field], field
        assert len(set(analyzed)) == len(analyzed), "it was computed each time"

    @pytest.mark.touches("run_interactive_assay_baseline")
    def test_a_baseline_compared_with_itself_does_not_drift(self, api: Api, fixtures: Fixtures) -> None:
        result = api.call("run_interactive_assay_baseline", assay_request(fixtures))
        assert result["status"] == "BaselineRun"
        assert result["score"] == 0
        assert summarizer_of(result)["metric"] == "PSI"
        assert sum(result["baseline_summary"]["aggregated_values"]) == pytest.approx(1, abs=1e-9)

    @pytest.mark.touches("run_interactive_assay", "infer_pipeline")
    @pytest.mark.usefixtures("scene")
    def test_windows_follow_the_baseline(self, api: Api, fixtures: Fixtures) -> None:
        results = api.call("run_interactive_assay", assay_request(fixtures))
        assert results, "there is no window"
        for result in results:
            assert result["pipeline_id"] in {None, fixtures.pipeline_id}
            assert result["status"] in {"Ok", "Warning", "Alert"}
            assert result["score"] == pytest.approx(sum(result["scores"]), rel=1e-9)
            over = result["score"] > 0.1
            assert (result["status"] == "Alert") is over

    @pytest.mark.touches("get_assay_results", "get_assay_results_between")
    def test_stored_results_are_of_the_assay(self, api: Api, fixtures: Fixtures) -> None:
        assert fixtures.scored_at is not None
        start, end = ((fixtures.scored_at + timedelta(hours=hours)).isoformat() for hours in (-24, 24))
        another = api.call("create_assay", assay_request(fixtures, name=api.unused_name("a")))["assay_id"]
        for assay_id in (another, fixtures.assay_id):
            of = {"assay_id": assay_id, "start": start, "end": end}
            stored, between = (api.call(f"get_assay_results{path}", of) for path in ("", "_between"))
            assert {result["assay_id"] for result in stored + between} <= {assay_id}
            results = {result["id"]: result for result in between}
            for result in stored:
                assert result == results[result["id"]], "both paths tell of the same results"
        of = {"assay_id": fixtures.assay_id, "start": start, "end": end}
        limited = api.call("get_assay_results", of | {"limit": 1})
        assert len(limited) == min(1, len(between))

    @pytest.mark.touches("get_assay_baseline")
    def test_a_limit_is_kept(self, api: Api, fixtures: Fixtures) -> None:
        of = {"workspace_id": fixtures.workspace_id, "pipeline_name": fixtures.name}
        assert len(api.call("get_assay_baseline", of | {"limit": 3})) == 3
        assert len(api.call("get_assay_baseline", of)) >= 20


class TestDistributions:
    @pytest.mark.touches("summarize_assay_baseline")
    @pytest.mark.parametrize("form", FORMS)
    def test_values_are_put_into_bins(self, form: str, api: Api) -> None:
        if not api.has("summarize_assay_baseline"):
            pytest.skip("The release does not have it.")
        summarizer = SUMMARIZER | FORMS[form]
        for values in (VALUES, TIED, VALUES[:8] * 1e6, -1 - np.abs(VALUES)):
            if values is not VALUES and summarizer["bin_mode"] == "Provided":
                continue  # the edges are in the range of these values only
            body = {"summarizer": summarizer, "baseline": {"vector": values.tolist()}}
            found = api.call("summarize_assay_baseline", body)
            bins = formulas.bins_of(values, summarizer)
            check_summary(found, values, bins, summarizer["aggregation"])
            assert names_fit(found, bins.names)

    @pytest.mark.touches("summarize_assay_baseline")
    def test_a_value_on_an_edge_is_of_the_bin_below_it(self, api: Api) -> None:
        if not api.has("summarize_assay_baseline"):
            pytest.skip("The release does not have it.")
        provided = {"bin_mode": "Provided", "provided_edges": [0.0, 1.0, 2.0, 3.0, 4.0]}
        for way in (provided, {"bin_mode": "Equal"}):
            for aggregation, expected in (("Density", [0, 4, 1, 2, 1, 0]), ("Cumulative", [0, 4, 5, 7, 8, 8])):
                summarizer = SUMMARIZER | way | {"num_bins": 4, "aggregation": aggregation}
                body = {"summarizer": summarizer, "baseline": {"vector": ON_EDGES.tolist()}}
                found = api.call("summarize_assay_baseline", body)["aggregated_values"]
                assert found == pytest.approx([each / 8 for each in expected], abs=1e-9), (way, aggregation)

    @pytest.mark.touches("summarize_assay_baseline", "get_assay_baseline")
    def test_logged_rows_are_put_into_bins(self, api: Api, fixtures: Fixtures, scene: Scene) -> None:
        if not api.has("summarize_assay_baseline"):
            pytest.skip("The release does not have it.")
        window = request_of(fixtures, scene, scene.many.at)["window"] | {"start": scene.many.at.isoformat()}
        for path, values in (
            (f"output {OUTPUT} 0", scene.many.outputs),
            *((f"input {INPUT} {index}", scene.many.inputs[:, index]) for index in (0, 2)),
        ):
            body = {"summarizer": SUMMARIZER, "baseline": {"fixed_window": window | {"path": path}}}
            found = api.call("summarize_assay_baseline", body)
            check_summary(found, values, formulas.bins_of(values, SUMMARIZER), "Density")
            assert is_near(instant(found["start"]), scene.many.at)
            assert is_near(instant(found["end"]), scene.many.at + SECOND)
        whole = -(-(scene.one.at + SECOND - scene.many.at) // SECOND)
        fixed = window | {"width": f"{whole} seconds", "path": f"output {OUTPUT} 0"}
        body = {"summarizer": SUMMARIZER, "baseline": {"fixed_window": fixed}}
        found, values = api.call("summarize_assay_baseline", body), scene.outputs
        check_summary(found, values, formulas.bins_of(values, SUMMARIZER), "Density")

    @pytest.mark.touches("summarize_assay_baseline")
    def test_a_distribution_has_a_share_for_each_edge(self, api: Api, fixtures: Fixtures) -> None:
        if not api.has("summarize_assay_baseline"):
            pytest.skip("The release does not have it.")
        for values in (range(50), range(100, 300)):
            vector = [float(number) for number in values]
            body = {"summarizer": assay_request(fixtures)["summarizer"], "baseline": {"vector": vector}}
            found = api.call("summarize_assay_baseline", body)
            assert found["aggregation"] == body["summarizer"]["aggregation"]
            assert len(found["edges"]) == len(found["edge_names"]) == len(found["aggregated_values"]) > 2
            assert (found["count"], found["min"], found["max"]) == (len(vector), vector[0], vector[-1])


class TestBaselines:
    @pytest.mark.touches("get_assay_baseline")
    def test_logged_rows_are_those_of_the_time(self, api: Api, fixtures: Fixtures, scene: Scene) -> None:
        where = {"workspace_id": fixtures.workspace_id, "pipeline_name": fixtures.name}
        margin = timedelta(milliseconds=2)
        for of in (scene.many, scene.one):
            span = {"start": (of.at - margin).isoformat(), "end": (of.at + SECOND - margin).isoformat()}
            rows = api.call("get_assay_baseline", where | span)
            logged = sorted([*inputs_of(row), *scores_of(row)] for row in rows)
            expected = sorted(np.column_stack([of.inputs, of.outputs]).tolist())
            assert len(logged) == len(expected)
            assert np.array(logged) == pytest.approx(np.array(expected), rel=1e-6, abs=1e-9)
            assert all(abs(row["time"] / 1000 - of.at.timestamp()) < 0.002 for row in rows if "time" in row)
            assert len(api.call("get_assay_baseline", where | span | {"start": of.at.isoformat()})) == len(rows)
            for limit in (1, MANY - 1, MANY + 1, 2**31 - 1):
                limited = api.call("get_assay_baseline", where | span | {"limit": limit})
                assert len(limited) == min(limit, len(rows))
                assert [row for row in limited if row not in rows] == []

    @pytest.mark.touches("run_interactive_assay_baseline")
    @pytest.mark.parametrize("form", FORMS)
    def test_a_baseline_is_compared_with_itself(self, form: str, api: Api, fixtures: Fixtures, scene: Scene) -> None:
        request = request_of(fixtures, scene, scene.many.at, summarizer=FORMS[form])
        result = api.call("run_interactive_assay_baseline", request)
        assert (result["status"], result["score"]) == ("BaselineRun", 0)
        check_result(result, request, scene.many.outputs, scene.many.outputs, scene.many.at)
        for name, at in (("start", scene.many.at), ("end", scene.many.at + SECOND)):
            assert is_near(instant(result["baseline_summary"][name]), at)
        check_time(computed_at(result), scene, scene.one.at)


class TestWindows:
    @pytest.mark.touches("run_interactive_assay")
    @pytest.mark.parametrize("form", FORMS)
    def test_windows_are_compared_with_logged_rows(self, form: str, api: Api, fixtures: Fixtures, scene: Scene) -> None:
        request = request_of(fixtures, scene, scene.many.at, summarizer=FORMS[form])
        results = api.call("run_interactive_assay", request)
        assert len(check_windows(results, request, scene, scene.many.outputs)) == 2
        for result in results:
            check_time(computed_at(result), scene, scene.one.at)
            for name, at in (("start", scene.many.at), ("end", scene.many.at + SECOND)):
                assert is_near(instant(result["baseline_summary"][name]), at)

    @pytest.mark.touches("run_interactive_assay")
    @pytest.mark.parametrize("form", FORMS)
    def test_windows_are_compared_with_values(self, form: str, api: Api, fixtures: Fixtures, scene: Scene) -> None:
        if fixtures.forms.fixed_baselines:
            pytest.skip("A baseline of the release is a time.")
        for values in (VALUES, VALUES / 8):  # with many outliers the second time
            baseline = {"calculated": {"vector": values.tolist()}}
            request = request_of(fixtures, scene, scene.many.at, summarizer=FORMS[form], baseline=baseline)
            check_windows(api.call("run_interactive_assay", request), request, scene, values)

    @pytest.mark.touches("run_interactive_assay")
    def test_windows_are_of_the_watched_value(self, api: Api, fixtures: Fixtures, scene: Scene) -> None:
        for index in (0, WIDTH - 1):
            path = f"input {INPUT} {index}"
            request = request_of(fixtures, scene, scene.many.at)
            if fixtures.forms.fixed_baselines:
                request["iopath"] = path
            else:
                request["window"]["path"] = request["baseline"]["calculated"]["fixed_window"]["path"] = path
            many, one = (of.inputs[:, index] for of in (scene.many, scene.one))
            check_windows(api.call("run_interactive_assay", request), request, scene, many, (many, one))

    @pytest.mark.touches("run_interactive_assay")
    @pytest.mark.parametrize("origin", ORIGINS)
    def test_no_rows_come_from_an_origin_that_there_is_not(
        self, origin: str, api: Api, fixtures: Fixtures, scene: Scene
    ) -> None:
        if fixtures.forms.fixed_baselines:
            pytest.skip("The windows of the release have no places, and have to have a model.")
        request = request_of(fixtures, scene, scene.many.at, baseline={"calculated": {"vector": VALUES.tolist()}})
        check_windows(api.call("run_interactive_assay", request), request, scene, VALUES)
        name = api.unused_name("l")
        request["window"] |= named(origin, name)
        answer = api.send("run_interactive_assay", request)
        assert not answer.is_success or answer.json() == [], f"rows are compared whatever their {origin} is"

    @pytest.mark.parametrize("origin", ORIGINS)
    @pytest.mark.parametrize("operation", OF_BASELINES)
    def test_no_baseline_comes_from_an_origin_that_there_is_not(
        self, operation: str, origin: str, api: Api, fixtures: Fixtures
    ) -> None:
        if fixtures.forms.fixed_baselines or not api.has(operation):
            pytest.skip("The baselines of the release have no places, or it does not have the operation.")
        request, elsewhere = of_no_origin(fixtures, operation, origin, api.unused_name("l"))
        assert any(counts_in(api.call(operation, request))) or operation == "run_interactive_assay"
        answer = api.send(operation, elsewhere)
        assert not answer.is_success or not any(counts_in(answer.json())), (
            f"rows are counted whatever their {origin} is"
        )

    @pytest.mark.touches("run_interactive_assay")
    def test_no_window_is_later_than_the_end_of_the_assay(self, api: Api, fixtures: Fixtures, scene: Scene) -> None:
        until = scene.many.at + SECOND
        request = request_of(fixtures, scene, scene.many.at, run_until=until.isoformat())
        results = api.call("run_interactive_assay", request)
        assert [is_near(instant(result["window_summary"]["end"]), until) for result in results] == [True]

    @pytest.mark.parametrize("operation", OF_BASELINES[:3])
    def test_outliers_have_bins_only_if_they_are_asked_for(
        self, operation: str, api: Api, fixtures: Fixtures, scene: Scene
    ) -> None:
        if operation == "summarize_assay_baseline" and (fixtures.forms.fixed_baselines or not api.has(operation)):
            pytest.skip("The release does not have it.")
        ways: list[dict[str, Any]] = [{"add_outlier_edges": asked} for asked in (True, False, None)]
        for way in (*ways, {}):
            request = request_of(fixtures, scene, scene.many.at)
            request["summarizer"] = {name: request["summarizer"][name] for name in BINNED} | way
            if operation == "summarize_assay_baseline":
                request = {"baseline": request["baseline"]["calculated"], "summarizer": request["summarizer"]}
            answer = api.call(operation, request)
            summaries = [answer] if operation == "summarize_assay_baseline" else summaries_of(answer)
            check_outliers(summaries, asked=way.get("add_outlier_edges") is not False)

    @pytest.mark.touches("run_interactive_assay")
    def test_windows_begin_where_they_are_asked_to(self, api: Api, fixtures: Fixtures, scene: Scene) -> None:
        asked: list[tuple[datetime, dict[str, str]]] = [
            (scene.one.at, {}),  # a row at the beginning of a window is of it
            (scene.one.at - SECOND, {}),  # and one at its end is not
            (scene.many.at, {"interval": "2 seconds"}),
            (scene.many.at, {"interval": "1 second", "width": "2 seconds"}),
            (scene.many.at.astimezone(timezone(timedelta(hours=-8))), {}),
            (scene.many.at.astimezone(timezone(timedelta(hours=5, minutes=30))), {}),
        ]
        for start, changes in asked:
            request = request_of(fixtures, scene, start)
            request["window"] |= changes
            results = api.call("run_interactive_assay", request)
            assert check_windows(results, request, scene, scene.many.outputs)

    @pytest.mark.touches("run_interactive_assay")
    def test_windows_follow_a_fixed_baseline(self, api: Api, fixtures: Fixtures, scene: Scene) -> None:
        request = request_of(fixtures, scene, None)
        if not fixtures.forms.fixed_baselines:
            pytest.skip("Nobody says where the windows begin in the form of the release.")
        results = api.call("run_interactive_assay", request)
        request["window"] |= {"start": (scene.many.at + SECOND).isoformat()}
        assert check_windows(results, request, scene, scene.many.outputs)

    @pytest.mark.touches("run_interactive_assay")
    def test_a_status_follows_from_the_thresholds(self, api: Api, fixtures: Fixtures, scene: Scene) -> None:
        request = request_of(fixtures, scene, scene.one.at)
        found = api.call("run_interactive_assay", request)
        less, more = found[0]["score"] * 0.999, found[0]["score"] * 1.001
        same = found[0]["score"]
        cases = (
            (None, more, "Ok"),
            (None, same, "Ok"),
            (more, more, "Ok"),
            (same, more, "Ok"),
            (less, more, "Warning"),
            (less, same, "Warning"),
            (None, less, "Alert"),
        )
        for warning, alert, expected in cases:
            changed = request | {"warning_threshold": warning, "alert_threshold": alert}
            results = api.call("run_interactive_assay", changed)
            assert results[0]["status"] == expected
            check_windows(results, changed, scene, scene.many.outputs)


class TestStoredResults:
    @pytest.mark.parametrize("operation", stored("create_assay", "run_interactive_assay"))
    def test_results_are_those_of_the_windows(
        self, operation: str, api: Api, fixtures: Fixtures, scene: Scene, kept: Kept
    ) -> None:
        baselines: list[tuple[Array, dict[str, Any]]] = [
            (
                scene.many.outputs,
                {"warning_threshold": 0.01, "alert_threshold": 100.0},
            ),  # the second window is a warning
            (scene.many.outputs, {"summarizer": FORMS["weighted"]}),
        ]
        if not fixtures.forms.fixed_baselines:
            few = VALUES / 8  # of which most values of the windows are outliers
            baselines.append((few, {"baseline": {"calculated": {"vector": few.tolist()}}}))
        for baseline, changes in baselines:
            request = request_of(fixtures, scene, scene.many.at, name=api.unused_name("a"), **changes)
            began = time.monotonic()
            assay_id = api.call("create_assay", request)["assay_id"]
            read = partial(results_of, api, operation, assay_id, scene.many.at - SECOND, scene.now + SECOND)
            found = read()
            if not found:
                pytest.skip("The instance has not run the assay yet.")
            kept.append((operation, read, found, time.monotonic()))
            check_windows(found, request, scene, baseline)
            for result in found:
                check_elapsed(result, began)
                assert (result["assay_id"], result["pipeline_id"]) == (assay_id, fixtures.pipeline_id)
                check_place(result, fixtures)
                check_time(result["created_at"], scene, scene.one.at)
                check_time(computed_at(result), scene, scene.one.at)
            assert len({result.get("id", number) for number, result in enumerate(found)}) == len(found)

    @pytest.mark.parametrize("operation", stored("create_assay"))
    def test_results_are_of_the_time_that_is_asked_for(
        self, operation: str, api: Api, fixtures: Fixtures, scene: Scene
    ) -> None:
        request = request_of(fixtures, scene, scene.many.at, name=api.unused_name("a"))
        assay_id = api.call("create_assay", request)["assay_id"]
        begin, between, end = scene.many.at - SECOND, scene.many.at + SECOND / 2, scene.now + SECOND
        spans = ((begin, end), (begin, between), (between, end))
        found, before, after = (results_of(api, operation, assay_id, *span) for span in spans)
        if len(found) < 2:
            pytest.skip("The instance has not run the assay yet.")
        by_window, by_analysis = (found[:1], found[1:]), (found[:0], found)
        assert (before, after) in (by_window, by_analysis), "by the time of the window, or by that of the analysis"
        reversed_ends = {"start": end.isoformat(), "end": begin.isoformat()}
        answer = api.send(operation, {"assay_id": assay_id} | reversed_ends)
        assert not answer.is_success or answer.json() == [], "the time ends before it begins, and has results"
        for hours in (-8, 5.5):
            zone = timezone(timedelta(hours=hours))
            ends = (at.astimezone(zone) for at in (begin, between))
            assert results_of(api, operation, assay_id, *ends) == before, "the times have other offsets"
        for limit in (1, 2) if operation == "get_assay_results" else ():
            limited = results_of(api, operation, assay_id, begin, end, limit=limit)
            assert len(limited) == limit
            assert [result for result in limited if result not in found] == []
        for inside, span in ((before, spans[1]), (after, spans[2])) if operation == "get_assay_results" else ():
            limited = results_of(api, operation, assay_id, *span, limit=1)
            assert len(limited) == min(1, len(inside)), "a limit counts what is in the time"
            assert [result for result in limited if result not in inside] == []
        if operation == "get_assay_results":
            assert results_of(api, operation, assay_id, begin, end, pipeline_id=fixtures.pipeline_id or 0) == found
            assert results_of(api, operation, assay_id, begin, end, limit=2**31 - 1) == found

    @pytest.mark.parametrize("operation", stored("create_assay"))
    def test_results_have_bins_for_outliers_only_if_they_are_asked_for(
        self, operation: str, api: Api, fixtures: Fixtures, scene: Scene
    ) -> None:
        changes = {"name": api.unused_name("a"), "summarizer": {"add_outlier_edges": False}}
        assay_id = api.call("create_assay", request_of(fixtures, scene, scene.many.at, **changes))["assay_id"]
        found = results_of(api, operation, assay_id, scene.many.at - SECOND, scene.now + SECOND)
        if not found:
            pytest.skip("The instance has not run the assay yet.")
        check_outliers(summaries_of(found), asked=False)

    @pytest.mark.thorough("what a second person sees")
    @pytest.mark.parametrize("operation", stored("create_assay"))
    def test_results_are_no_strangers(
        self, operation: str, stranger: Person, api: Api, fixtures: Fixtures, scene: Scene
    ) -> None:
        request = request_of(fixtures, scene, scene.many.at, name=api.unused_name("a"))
        assay_id = api.call("create_assay", request)["assay_id"]
        begin, end = scene.many.at - SECOND, scene.now + SECOND
        if not results_of(api, operation, assay_id, begin, end):
            pytest.skip("The instance has not run the assay yet.")
        span = {"start": begin.isoformat(), "end": end.isoformat()}
        answer = stranger.send(operation, {"assay_id": assay_id} | span)
        assert not answer.is_success or answer.json() == [], f"a stranger sees: {answer.text[:300]}"

    @pytest.mark.parametrize("operation", stored("create_assay", "set_assay_active"))
    def test_an_assay_that_is_off_is_not_run(self, operation: str, api: Api, fixtures: Fixtures, scene: Scene) -> None:
        made = {"name": api.unused_name("a"), "active": False}
        assay_id = api.call("create_assay", request_of(fixtures, scene, scene.many.at, **made))["assay_id"]
        span = (scene.many.at - SECOND, scene.now + SECOND)
        assert results_of(api, operation, assay_id, *span) == []
        api.call("set_assay_active", {"id": assay_id, "active": True})
        assert len(results_of(api, operation, assay_id, *span)) in {0, 2}, "all windows, once it is run"


def results_of(
    api: Api, operation: str, assay_id: int, start: datetime, end: datetime, **more: int
) -> list[dict[str, Any]]:
    """Return the stored results of an assay in a time, the oldest first; skip where another operation has them."""
    span = {"start": start.isoformat(), "end": end.isoformat()}
    answer = api.send(operation, {"assay_id": assay_id} | span | more)
    if operation == STORED[0] and answer.status_code in {404, 500} and api.has(STORED[1]):
        pytest.skip(f"The instance has {STORED[1]} in its place.")
    assert answer.status_code == 200, f"{operation}: {answer.status_code} {answer.text[:500]}"
    return sorted(answer.json(), key=lambda result: instant(result["window_summary"]["start"]))


class TestSecondVersion:
    @pytest.mark.touches("preview_assay_baseline_v2")
    @pytest.mark.parametrize("form", SECOND_FORMS)
    def test_a_baseline_is_put_into_bins(self, form: str, api: Api, fixtures: Fixtures, scene: Scene) -> None:
        if not api.has("preview_assay_baseline_v2"):
            pytest.skip("The release does not have it.")
        way = SECOND_FORMS[form]
        span = [at.isoformat() for at in (scene.many.at, scene.many.at + SECOND)]
        negative = VALUES - VALUES.max() - 1
        vectors = [({"Vector": values.tolist()}, values) for values in (VALUES, negative, ON_EDGES)]
        for baseline, values in (*vectors, ({"Static": span}, scene.many.outputs)):
            summary = baseline_v2(api, second_request(fixtures, baseline, way))
            check_summary_v2(summary, values, way)
            edges = [edge for edge in summary["bins"]["edges"] if edge != INFINITY]
            [(mode, count)] = way["bin_mode"].items()
            first = 0 if len(edges) > count else 1  # without bins for outliers, the first edge is that of the first bin
            assert len(edges) == count + 1 - 2 * first
            for part, edge in enumerate(edges, first):
                assert is_edge(edge, values, mode, part / count)

    @pytest.mark.touches("preview_assay_v2", "preview_assay_baseline_v2")
    @pytest.mark.parametrize("form", SECOND_FORMS)
    def test_windows_are_compared_with_a_baseline(self, form: str, api: Api, fixtures: Fixtures, scene: Scene) -> None:
        if not api.has("preview_assay_v2"):
            pytest.skip("The release does not have it.")
        way = SECOND_FORMS[form]
        request = second_request(fixtures, {"Vector": (VALUES / 8).tolist()}, way)
        baseline = baseline_v2(api, request)
        weights = np.arange(len(baseline["bins"]["edges"])).tolist()
        for bin_weights in (None, weights):
            weighted = second_request(fixtures, request["baseline"], way | {"bin_weights": bin_weights})
            for of in (scene.many, scene.one):
                end = of.at + SECOND
                span = {"preview_start": of.at.isoformat(), "preview_end": end.isoformat()}
                [result] = api.call("preview_assay_v2", weighted | span)
                check_result_v2(result, of, baseline, way | {"bin_weights": bin_weights})
                check_time(result["analyzed_at"], scene, end)

    @pytest.mark.touches("preview_assay_v2")
    @pytest.mark.parametrize("origin", ORIGINS)
    def test_no_rows_come_from_an_origin_that_there_is_not(
        self, origin: str, api: Api, fixtures: Fixtures, scene: Scene
    ) -> None:
        if not api.has("preview_assay_v2"):
            pytest.skip("The release does not have it.")
        request = second_request(fixtures, {"Vector": VALUES.tolist()}, SECOND_FORMS["five"])
        request |= {
            "preview_start": scene.many.at.isoformat(),
            "preview_end": (scene.many.at + SECOND).isoformat(),
        }
        assert len(api.call("preview_assay_v2", request)) == 1
        name = api.unused_name("l")
        data_origin = request["targeting"]["data_origin"] | named(origin, name, model="model_id")
        elsewhere = request | {"targeting": request["targeting"] | {"data_origin": data_origin}}
        answer = api.send("preview_assay_v2", elsewhere)
        assert not answer.is_success or answer.json() == [], f"rows are compared whatever their {origin} is"

    @pytest.mark.touches("schedule_assay_v2", "get_assay_results_v2", "preview_assay_baseline_v2")
    def test_stored_results_are_those_of_the_windows(
        self, api: Api, fixtures: Fixtures, scene: Scene, kept: Kept
    ) -> None:
        if not api.has("schedule_assay_v2"):
            pytest.skip("The release does not have it.")
        way = SECOND_FORMS["five"]
        request = second_request(fixtures, {"Vector": (VALUES / 8).tolist()}, way)
        request["scheduling"] |= {
            "first_run": (scene.many.at + SECOND).isoformat(),
            "end": (scene.many.at + 30 * SECOND).isoformat(),
        }
        began = time.monotonic()
        assay_id = api.call("schedule_assay_v2", request | {"name": api.unused_name("a")})
        hour = timedelta(hours=1)
        for begin in (scene.many.at - 2 * hour, scene.now + hour):
            assert results_v2(api, assay_id, start=begin.isoformat(), end=(begin + hour).isoformat()) == []
        span = {"start": (scene.many.at - SECOND).isoformat(), "end": (scene.now + SECOND).isoformat()}
        read = partial(results_v2, api, assay_id, **span)
        results = read()
        if not results:
            pytest.skip("The instance has not run the assay yet.")
        kept.append((V2, read, results, time.monotonic()))
        [result] = results
        check_elapsed(result, began)
        check_result_v2(result, scene.many, baseline_v2(api, request), way)
        assert is_near(instant(result["window_start"]), scene.many.at)
        thresholds = request["targeting"]["iopath"][0]["thresholds"]
        [scores] = result["scores"].values()
        assert result["status"] == formulas.status(scores["score"], thresholds["warning"], thresholds["alert"])
        assert (result["warning_threshold"], result["alert_threshold"]) == (None, thresholds["alert"])
        assert (result["assay_id"], result["pipeline_id"]) == (assay_id, fixtures.pipeline_id)
        check_place(result, fixtures)
        for name in ("analyzed_at", "created_at", "updated_at"):
            check_time(result[name], scene, scene.many.at + SECOND)

    @pytest.mark.touches("schedule_assay_v2", "get_next_assay_run_v2", "list_assays")
    def test_the_next_run_is_told_until_it_is_the_last(self, api: Api, fixtures: Fixtures, scene: Scene) -> None:
        first_run = scene.now + 2 * SECOND
        request = second_request(fixtures, {"Vector": VALUES.tolist()}, SECOND_FORMS["five"])
        name = api.unused_name("a")
        request |= {"name": name, "window": {"width": {"seconds": 1}}}
        request["scheduling"] |= {"first_run": first_run.isoformat(), "end": None}
        assay_id = api.call("schedule_assay_v2", request)
        before = api.call("get_next_assay_run_v2", {"assay_id": assay_id})
        assert before["last_run"] is None or instant(before["last_run"]) >= first_run
        assert first_run - SECOND <= instant(before["next_run"]) <= first_run + timedelta(minutes=2)
        request["scheduling"] |= {"first_run": (first_run + DAY).isoformat()}
        other = api.call("schedule_assay_v2", request | {"name": api.unused_name("a")})
        later = api.call("get_next_assay_run_v2", {"assay_id": other})
        assert later["last_run"] is None
        assert first_run - SECOND <= instant(later["next_run"]) - DAY <= first_run + timedelta(minutes=2)

        def listed() -> dict[str, Any]:
            found = api.call("list_assays", {"pipeline_id": fixtures.pipeline_id})
            return next(each for each in found if each["name"] == name)

        patience = Patience(LOG_SECONDS)
        while listed()["last_run"] is None:
            if not patience.lasts():
                pytest.skip("The instance has not run the assay yet.")

        def is_told() -> bool:
            shown, run_times = listed(), api.call("get_next_assay_run_v2", {"assay_id": assay_id})
            return all(
                bool(run_times[key]) and instant(run_times[key]) == instant(shown[key])
                for key in ("last_run", "next_run")
            )

        soon(is_told, lambda: "the next run is still told as it was before the run")
        assert first_run < instant(listed()["next_run"]) < scene.now + timedelta(minutes=2), "it is run each minute"
        assert api.call("get_next_assay_run_v2", {"assay_id": other}) == later, "it was not run"
        for number in (assay_id, other) if api.has("set_assay_v2_active") else ():
            api.call("set_assay_v2_active", {"assay_id": number, "active": False})


def second_request(fixtures: Fixtures, baseline: dict[str, Any], way: dict[str, Any]) -> dict[str, Any]:
    """Return a request of the second version, without a name."""
    return second_assay_request(fixtures) | {"baseline": baseline, "summarizer": {"UnivariateContinuous": way}}


def baseline_v2(api: Api, request: dict[str, Any]) -> dict[str, Any]:
    """Return the distribution of the baseline of a request."""
    [summary] = api.call("preview_assay_baseline_v2", baseline_of(request)).values()
    return summary


def check_result_v2(result: dict[str, Any], of: Scored, baseline: dict[str, Any], way: dict[str, Any]) -> None:
    """Check a result of the second version by the rows of its window and the distribution of its baseline."""
    [summary], [found] = result["summaries"].values(), result["scores"].values()
    assert summary["bins"]["edges"] == baseline["bins"]["edges"]
    assert summary["start"] is None or is_near(instant(summary["start"]), of.at)
    assert summary["end"] is None or is_near(instant(summary["end"]), of.at + SECOND)
    check_summary_v2(summary, of.outputs, way)
    before, now = (np.array(each["aggregated_values"], np.float64) for each in (baseline, summary))
    scores = formulas.bin_scores(before, now, way["metric"], way["bin_weights"])
    assert found["scores"] == pytest.approx(scores.tolist(), rel=1e-7, abs=1e-9)
    assert found["score"] == pytest.approx(formulas.total(scores, way["metric"]), rel=1e-7, abs=1e-9)
    assert is_near(instant(result["window_end"]), of.at + SECOND)


def check_summary_v2(summary: dict[str, Any], values: Array, way: dict[str, Any]) -> None:
    """Check a distribution of the second version, whose bins have the outliers apart, or in the first and the last."""
    expected, scale = formulas.statistics(values), float(np.abs(values).max())
    assert summary["statistics"] == pytest.approx(expected, rel=1e-6, abs=1e-7 * scale)
    *edges, last = summary["bins"]["edges"]
    assert (last, summary["aggregation"]) == (INFINITY, way["aggregation"])
    assert len(summary["aggregated_values"]) == len(summary["bins"]["labels"]) == len(edges) + 1
    assert summary["bins"]["mode"] == way["bin_mode"]
    low = values < edges[0] if len(edges) > way["bin_mode"].get("Quantile", way["bin_mode"].get("Equal")) else None
    below = [int(np.count_nonzero(values <= edge)) / len(values) for edge in edges]
    if low is not None:
        below[0] = int(np.count_nonzero(low)) / len(values)
    shares = np.array([*below, 1.0])
    aggregated = shares if way["aggregation"] == "Cumulative" else np.diff(shares, prepend=0.0)
    assert summary["aggregated_values"] == pytest.approx(aggregated.tolist(), abs=1e-9)


def is_edge(edge: float, values: Array, mode: str, part: float) -> bool:
    """Return whether an edge has a part of the values below it, by any definition of a quantile, or of their range."""
    if mode == "Equal":
        return edge == pytest.approx(values.min() + part * np.ptp(values), rel=1e-6, abs=1e-9)
    ordered, rank = np.sort(values), part * len(values)
    low = ordered[max(int(np.floor(rank)) - 1, 0)]
    high = ordered[min(int(np.ceil(rank)), len(values) - 1)]
    return bool(low - 1e-9 <= edge <= high + 1e-9)


MOST_WINDOWS = 110
"""More windows than a page of most things has."""


@pytest.mark.last
@pytest.mark.touches("run_interactive_assay", "create_assay", if_there=("get_assay_results_between",))
def test_many_windows_have_results(api: Api, fixtures: Fixtures, scene: Scene) -> None:
    assert fixtures.scored_at is not None
    begin = fixtures.scored_at - timedelta(hours=1)
    windows = min(MOST_WINDOWS, int((scene.now - fixtures.scored_at) / SECOND) - 1)
    until = fixtures.scored_at + windows * SECOND  # each window that ends by then, but the first, has the first rows
    request = request_of(fixtures, scene, begin, run_until=until.isoformat(), name=api.unused_name("a"))
    request["window"] |= {"width": "1 hour", "interval": "1 second"}
    starts = sorted(at for at in map(begins_at, api.call("run_interactive_assay", request)) if at > begin)
    assert len(starts) == windows, f"{len(starts)} windows in place of {windows}"
    assert all(is_near(at, begin + number * SECOND) for number, at in enumerate(starts, 1))
    if not api.has("get_assay_results_between"):
        return
    number = api.call("create_assay", request)["assay_id"]
    span = begin - SECOND, scene.now + SECOND

    def kept_of() -> list[datetime]:
        results = results_of(api, "get_assay_results_between", number, *span)
        return sorted(at for at in map(begins_at, results) if at > begin)

    if kept_of():  # else the instance has not run the assay yet
        soon(lambda: len(kept_of()) >= windows, lambda: f"{len(kept_of())} windows in place of {windows} are kept")
        assert all(is_near(*each) for each in zip(kept_of(), starts, strict=True))
    api.call("set_assay_active", {"id": number, "active": False})


def begins_at(result: dict[str, Any]) -> datetime:
    """Return when the window of a result begins."""
    return instant(result["window_summary"]["start"])


@pytest.mark.last
@pytest.mark.parametrize("operation", [*stored(), pytest.param(V2, marks=pytest.mark.touches(V2))])
def test_results_stay(operation: str, kept: Kept) -> None:
    found = [(read, before, at) for name, read, before, at in kept if name == operation]
    if not found:
        pytest.skip("No stored results were read.")
    for read, before, at in found:
        time.sleep(max(0.0, at + STAY_SECONDS - time.monotonic()))
        again = {window_of(result) for result in read()}
        assert {window_of(result) for result in before} <= again, "results that were stored are gone"


def window_of(result: dict[str, Any]) -> tuple[Any, str]:
    """Return whose result it is, and the beginning of its window."""
    return result["assay_id"], result.get("window_start") or result["window_summary"]["start"]
