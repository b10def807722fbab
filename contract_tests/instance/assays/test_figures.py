"""Are distributions and baselines computed rightly? All figures are computed anew, by the contract's formulas."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import numpy as np
import pytest

from wallaroo_ext.conformance.resources.fixtures import assay_request
from wallaroo_ext.conformance.resources.samples import INPUT, OUTPUT
from wallaroo_ext.conformance.testing.answer_forms import computed_at, inputs_of, scores_of
from wallaroo_ext.conformance.testing.assays import formulas
from wallaroo_ext.conformance.testing.assays.figures import (
    FORMS,
    ON_EDGES,
    VALUES,
    check_result,
    check_summary,
    check_time,
    names_fit,
)
from wallaroo_ext.conformance.testing.assays.scenes import (
    MANY,
    SECOND,
    SUMMARIZER,
    Scene,
    instant,
    is_near,
    request_of,
)

if TYPE_CHECKING:
    from wallaroo_ext.conformance.resources.fixtures import Fixtures
    from wallaroo_ext.conformance.testing.api_calls import Api

pytestmark = [pytest.mark.thorough("the figures of assays"), pytest.mark.counts_rows]

TIED = np.repeat([-1.5, 0.25, 2.0, 7.125], [9, 3, 20, 4])
"""Values of which many are equal, so that bins end at the same edge."""


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
