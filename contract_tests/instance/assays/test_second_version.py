"""Are assays of the second version computed rightly? All figures are computed anew, from rows of the run."""

from __future__ import annotations

import time
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from wallaroo_ext.conformance.resources.fixtures import second_assay_request
from wallaroo_ext.conformance.testing.assays import formulas
from wallaroo_ext.conformance.testing.assays.figures import ON_EDGES, VALUES, check_elapsed, check_place, check_time
from wallaroo_ext.conformance.testing.assays.scenes import (
    LOG_SECONDS,
    ORIGINS,
    SECOND,
    Scene,
    Scored,
    baseline_of,
    instant,
    is_near,
    origin_field,
    results_v2,
)
from wallaroo_ext.conformance.testing.waiting import Patience, soon

if TYPE_CHECKING:
    from wallaroo_ext.conformance.resources.fixtures import Fixtures
    from wallaroo_ext.conformance.testing.api_calls import Api
    from wallaroo_ext.conformance.testing.assays.scenes import Kept

    Array = np.ndarray[Any, np.dtype[Any]]

pytestmark = [pytest.mark.thorough("the figures of assays"), pytest.mark.counts_rows]

DAY = timedelta(days=1)
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
        data_origin = request["targeting"]["data_origin"] | origin_field(origin, name, model="model_id")
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
        span = {"start": (scene.many.at - SECOND).isoformat(), "end": (scene.now + SECOND).isoformat()}
        read = partial(results_v2, api, assay_id, **span)
        results = read()
        hour = timedelta(hours=1)
        for begin in (scene.many.at - 2 * hour, scene.now + hour):
            assert results_v2(api, assay_id, start=begin.isoformat(), end=(begin + hour).isoformat()) == []
        if not results:
            pytest.skip("The instance has not run the assay yet.")
        kept.append(("get_assay_results_v2", read, results, time.monotonic()))
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
            if not run_times["last_run"] or not run_times["next_run"]:
                return False
            lag = instant(run_times["next_run"]) - instant(shown["next_run"])
            return (
                instant(run_times["last_run"]) == instant(shown["last_run"])
                and timedelta(0)
                <= lag
                <= SECOND  # lists were recorded to have when the window begins, not when it ends
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
