"""Is an assay what was asked for: as it is listed and shown, and in its baseline, its windows and its results?"""

from __future__ import annotations

import json
import time
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

import pytest

from wallaroo_ext.assays.result_forms import summarizer_of
from wallaroo_ext.conformance.resources.fixtures import assay_request, second_assay_request
from wallaroo_ext.conformance.testing.answer_forms import computed_at, scores_of
from wallaroo_ext.conformance.testing.assays.figures import check_elapsed
from wallaroo_ext.conformance.testing.assays.scenes import baseline_of, instant, is_near
from wallaroo_ext.conformance.testing.read_back import changed_fields
from wallaroo_ext.conformance.testing.waiting import by_id

if TYPE_CHECKING:
    from wallaroo_ext.conformance.resources.fixtures import Fixtures
    from wallaroo_ext.conformance.suite import Suite
    from wallaroo_ext.conformance.testing.api_calls import Api

pytestmark = [pytest.mark.thorough("the figures of assays"), pytest.mark.counts_rows]


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
