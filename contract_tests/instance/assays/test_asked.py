"""Is what is asked about assays answered, and nothing else, whichever fields of a request say it?"""

from __future__ import annotations

import time
from datetime import UTC, timedelta, timezone
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from wallaroo_ext._util.json_values import list_of, object_of
from wallaroo_ext.conformance.resources.fixtures import assay_request, second_assay_request
from wallaroo_ext.conformance.resources.samples import INPUT, WIDTH
from wallaroo_ext.conformance.testing.answer_forms import inputs_of
from wallaroo_ext.conformance.testing.assays import formulas
from wallaroo_ext.conformance.testing.assays.scenes import (
    SECOND,
    SUMMARIZER,
    Scene,
    baseline_of,
    counts_in,
    instant,
    is_near,
    preview_of,
    request_of,
    unlike_results,
)
from wallaroo_ext.conformance.testing.read_back import changed_fields
from wallaroo_ext.conformance.testing.waiting import soon

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from wallaroo_ext.conformance.resources.fixtures import Fixtures
    from wallaroo_ext.conformance.suite import Suite
    from wallaroo_ext.conformance.testing.api_calls import Api

pytestmark = [pytest.mark.thorough("what is asked about assays"), pytest.mark.counts_rows]

EAST, WEST = timezone(timedelta(hours=5.5)), timezone(timedelta(hours=-8))
MARGIN = timedelta(milliseconds=2)
ROWS_BEFORE = 20
"""How many rows the run scored before those of the scene, at least."""
LONG = np.random.default_rng(23).normal(loc=-3, scale=0.7, size=1501).round(5)
"""Values of a baseline, more than a page of anything has."""


GIVEN_WAYS: dict[str, dict[str, Any]] = {
    "quantile": {},
    "equal": {"bin_mode": "Equal", "num_bins": 4, "metric": "SumDiff"},
    "cumulative": {"aggregation": "Cumulative", "metric": "MaxDiff", "num_bins": 3},
}
"""Ways to bin and to compare with a baseline that is given as a distribution, as changes of `SUMMARIZER`."""
MINUTE = timedelta(minutes=1)
UNITS = {
    "Minute": (MINUTE, SECOND),
    "Hour": (60 * MINUTE, MINUTE),
    "Day": (1440 * MINUTE, 60 * MINUTE),
    "Week": (10080 * MINUTE, 1440 * MINUTE),
}
"""The units of the time between runs, each with the next smaller one."""


@pytest.fixture(scope="module")
def workspaces() -> dict[str, int]:
    """Return the place where the first test keeps a workspace: its id by its name."""
    return {}


@pytest.fixture
def elsewhere(api: Api, workspaces: dict[str, int]) -> dict[str, Any]:
    """Return the fields that name a workspace without assays."""
    if not workspaces:
        name = api.unused_name("w")
        workspaces[name] = api.call("create_workspace", {"workspace_name": name})["workspace_id"]
    [(name, number)] = workspaces.items()
    return {"workspace_id": number, "workspace_name": name}


def own_workspace(fixtures: Fixtures) -> dict[str, Any]:
    """Return the fields that name the run's workspace."""
    return {"workspace_id": fixtures.workspace_id, "workspace_name": fixtures.workspace_name}


def wrong_workspaces(own: dict[str, Any], elsewhere: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield fields that name no workspace with an assay of the run: two that contradict, or another name."""
    yield own | {"workspace_name": elsewhere["workspace_name"]}
    yield own | {"workspace_id": elsewhere["workspace_id"]}
    yield {"workspace_name": own["workspace_name"].swapcase()}
    yield {"workspace_name": own["workspace_name"][:-1]}


def ids_of(answer: Any) -> set[Any]:
    """Return the ids in an answer, which is a list, or one thing."""
    return {each["id"] for each in (list_of(answer) or [object_of(answer)] if answer else [])}


class TestLists:
    @pytest.mark.touches("list_assays")
    def test_assays_are_those_of_the_workspace_that_is_named(
        self, api: Api, fixtures: Fixtures, elsewhere: dict[str, Any]
    ) -> None:
        if fixtures.forms.fixed_baselines:
            pytest.skip("The list of the release takes no workspace.")
        own, pipeline = own_workspace(fixtures), {"pipeline_id": fixtures.pipeline_id}
        of_pipeline = ids_of(api.call("list_assays", pipeline))
        nothing = dict.fromkeys(own)
        for body in (pipeline | own, pipeline | nothing, own, own | {"workspace_name": None}):
            assert of_pipeline <= ids_of(api.call("list_assays", body)), body
        for wrong in wrong_workspaces(own, elsewhere):
            for body in (wrong, wrong | pipeline):
                answer = api.send("list_assays", body)
                assert not answer.is_success or not of_pipeline & ids_of(answer.json()), body

    @pytest.mark.touches("get_assay_by_id")
    def test_an_assay_is_found_in_its_workspace_only(
        self, api: Api, fixtures: Fixtures, elsewhere: dict[str, Any]
    ) -> None:
        if not api.has("get_assay_by_id"):
            pytest.skip("The release does not have it.")
        own, assay = own_workspace(fixtures), {"id": fixtures.assay_id}
        for body in (own, dict.fromkeys(own), own | {"workspace_name": None}, own | {"workspace_id": None}):
            assert api.call("get_assay_by_id", assay | body)["id"] == fixtures.assay_id, body
        for wrong in wrong_workspaces(own, elsewhere):
            api.call_refused("get_assay_by_id", assay | wrong)

    @pytest.mark.touches("get_assay_v2")
    def test_assays_of_the_second_version_are_those_of_the_place_that_is_named(
        self, api: Api, fixtures: Fixtures, elsewhere: dict[str, Any]
    ) -> None:
        if not api.has("get_assay_v2") or fixtures.assay_uuid is None:
            pytest.skip("The release does not have it, or the run made no assay.")
        pipeline, workspace = {"pipeline_name": fixtures.name}, {"workspace_id": fixtures.workspace_id}
        own, name = pipeline | workspace, fixtures.name or ""
        assay = {"id": fixtures.assay_uuid}
        nothing = dict.fromkeys(("id", "active", "pipeline_name", "workspace_id"))
        for body in (
            nothing | own,
            own | {"active": "All"},
            workspace | {"active": "All"},
            nothing | assay,
            assay | own,
        ):
            assert fixtures.assay_uuid in ids_of(api.call("get_assay_v2", body)), body
        spare = [] if fixtures.spare is None else [fixtures.spare.pipeline]
        others = [{"pipeline_name": each} for each in (name[:-1], name.swapcase(), *spare)]
        for wrong in ({"workspace_id": elsewhere["workspace_id"]}, *others):
            answer = api.send("get_assay_v2", own | wrong)
            assert not answer.is_success or fixtures.assay_uuid not in ids_of(answer.json()), wrong

    @pytest.mark.last
    @pytest.mark.touches("list_assays", "create_assay")
    def test_all_that_the_run_made_is_listed(self, api: Api, fixtures: Fixtures, conformance_suite: Suite) -> None:
        if fixtures.forms.fixed_baselines:
            pytest.skip("The list of the release takes no workspace.")
        everything = conformance_suite.owned.resources("assay")
        made = {each.id for each in everything if each.id is not None and each.workspace == fixtures.workspace_id}
        gone = made - ids_of(api.call("list_assays", {"workspace_id": fixtures.workspace_id}))
        assert not gone, f"{len(gone)} of {len(made)} assays are not listed"

    @pytest.mark.last
    @pytest.mark.touches("get_assay_v2", "schedule_assay_v2")
    def test_all_that_the_run_scheduled_is_listed(self, api: Api, conformance_suite: Suite) -> None:
        if not api.has("get_assay_v2"):
            pytest.skip("The release does not have it.")
        found = api.call("get_assay_v2", {"active": "All"})
        if not isinstance(found, list):
            pytest.skip("The instance tells one assay, and no list.")
        listed, made = [each["id"] for each in list_of(found)], set(conformance_suite.owned.values_of("assay uuid"))
        assert len(set(listed)) == len(listed), "an assay is listed twice"
        assert made <= set(listed), f"{len(made - set(listed))} of {len(made)} assays are not listed"


class TestRows:
    @pytest.mark.touches("get_assay_baseline")
    def test_one_end_of_a_time_is_enough(self, api: Api, fixtures: Fixtures, scene: Scene) -> None:
        where = {"workspace_id": fixtures.workspace_id, "pipeline_name": fixtures.name}
        between = scene.many.at + MARGIN
        many, last = (inputs_of_rows(of.inputs) for of in (scene.many, scene.one))
        for zone, nothing in ((UTC, {}), (WEST, {"limit": None}), (EAST, {"model_name": None})):
            at = between.astimezone(zone).isoformat()
            later = api.call("get_assay_baseline", where | nothing | {"start": at})
            assert last <= inputs_of_rows(map(inputs_of, later))
            assert not many & inputs_of_rows(map(inputs_of, later))
            assert all(row["time"] >= scene.many.at.timestamp() * 1000 for row in later if "time" in row)
            earlier = api.call("get_assay_baseline", where | nothing | {"end": at})
            assert many <= inputs_of_rows(map(inputs_of, earlier))
            assert not last & inputs_of_rows(map(inputs_of, earlier))
            assert all(row["time"] <= between.timestamp() * 1000 for row in earlier if "time" in row)
        ends = {"start": (between + SECOND).isoformat(), "end": (between - SECOND).isoformat()}
        answer = api.send("get_assay_baseline", where | ends)
        assert not answer.is_success or answer.json() == [], "the time ends before it begins, and has rows"

    @pytest.mark.touches("get_assay_baseline")
    def test_rows_are_those_of_the_model_that_is_named(self, api: Api, fixtures: Fixtures, scene: Scene) -> None:
        where = {"workspace_id": fixtures.workspace_id, "pipeline_name": fixtures.name}
        where |= {"start": (scene.many.at - MARGIN).isoformat(), "end": (scene.many.at + SECOND).isoformat()}
        own = {"model_name": (fixtures.model or {}).get("name")}
        assert len(api.call("get_assay_baseline", where | own)) == len(scene.many.inputs)
        for key, name in {"pipeline_name": fixtures.name or "", "model_name": own["model_name"] or ""}.items():
            for other in (name.swapcase(), name[:-1], f"{name[:-1]}_", f"{name[:-1]}%"):
                answer = api.send("get_assay_baseline", where | own | {key: other})
                assert not answer.is_success or answer.json() == [], f"rows are found by the {key} {other}"
        for limit in ({}, {"limit": 1}):
            answer = api.send("get_assay_baseline", where | {"model_name": api.unused_name("m")} | limit)
            assert not answer.is_success or answer.json() == [], "rows are of any model"

    @pytest.mark.touches("get_assay_baseline")
    def test_a_limit_counts_what_is_asked_for(self, api: Api, fixtures: Fixtures, scene: Scene) -> None:
        where = {"workspace_id": fixtures.workspace_id, "pipeline_name": fixtures.name}
        start = {"start": (scene.many.at - MARGIN).isoformat()}
        model = {"model_name": (fixtures.model or {}).get("name")}
        for body in (where | start, where | model, where | start | model):
            for limit in (1, 7):
                assert len(api.call("get_assay_baseline", body | {"limit": limit})) == limit, body


def inputs_of_rows(rows: Any) -> set[tuple[float, ...]]:
    """Return the inputs of rows, as float32 has them."""
    return {tuple(np.asarray(row, np.float32).tolist()) for row in rows}


class TestWindows:
    @pytest.mark.touches("run_interactive_assay", "run_interactive_assay_baseline")
    def test_thresholds_have_any_sign(self, api: Api, fixtures: Fixtures, scene: Scene) -> None:
        until = {"run_until": (scene.many.at + SECOND).isoformat()}
        requests = request_of(fixtures, scene, scene.many.at) | until, request_of(fixtures, scene, scene.one.at)
        for warning, alert in ((None, 0.0), (0.0, 100.0), (-0.5, 0.0), (None, -1.0), (100.0, -0.25), (-1.0, 100.0)):
            thresholds = {"warning_threshold": warning, "alert_threshold": alert}
            [same], [other] = (api.call("run_interactive_assay", request | thresholds) for request in requests)
            assert same["score"] == pytest.approx(0, abs=1e-12), "the window is the baseline"
            assert other["score"] > 0
            for result in (same, other):
                assert {name: result[name] for name in thresholds} == thresholds
                assert result["status"] == formulas.status(result["score"], warning, alert)
            baseline = api.call("run_interactive_assay_baseline", requests[0] | thresholds)
            assert baseline["status"] == "BaselineRun", "a baseline is neither a warning nor an alert"
        without = {name: value for name, value in requests[1].items() if name != "warning_threshold"}
        [other] = api.call("run_interactive_assay", without | {"alert_threshold": 100.0})
        assert (other["warning_threshold"], other["status"]) == (None, "Ok")

    @pytest.mark.touches("run_interactive_assay", "run_interactive_assay_baseline")
    def test_a_baseline_may_be_of_another_value(self, api: Api, fixtures: Fixtures, scene: Scene) -> None:
        if fixtures.forms.fixed_baselines:
            pytest.skip("The windows and the baseline of the release have one value.")
        request = request_of(fixtures, scene, scene.many.at, run_until=(scene.many.at + SECOND).isoformat())
        fixed = request["baseline"]["calculated"]["fixed_window"] | {"path": f"input {INPUT} 1"}
        request["baseline"] = {"calculated": {"fixed_window": fixed}}
        expected = formulas.statistics(scene.many.inputs[:, 1])
        [first] = api.call("run_interactive_assay", request)
        assert mean_of(first["window_summary"]) == pytest.approx(scene.many.outputs.mean(), rel=1e-5)
        for result in (first, api.call("run_interactive_assay_baseline", request)):
            assert mean_of(result["baseline_summary"]) == pytest.approx(expected["mean"], rel=1e-5)

    @pytest.mark.touches("run_interactive_assay_baseline")
    def test_a_baseline_may_be_a_day(self, api: Api, fixtures: Fixtures, scene: Scene) -> None:
        request, day = request_of(fixtures, scene, scene.many.at), timedelta(hours=24)
        end = scene.many.at + SECOND
        begin = (end - day).astimezone(EAST).isoformat()
        if fixtures.forms.fixed_baselines:
            request["baseline"]["Fixed"] |= {"start_at": begin, "end_at": end.astimezone(WEST).isoformat()}
        else:
            request["baseline"]["calculated"]["fixed_window"] |= {"start": begin, "width": "24 hours"}
        summary = api.call("run_interactive_assay_baseline", request)["baseline_summary"]
        assert is_near(instant(summary["start"]), end - day)
        assert instant(summary["end"]) - instant(summary["start"]) == day
        assert summary["count"] >= len(scene.many.inputs) + ROWS_BEFORE

    @pytest.mark.touches("run_interactive_assay")
    def test_a_window_has_to_be_over(self, api: Api, fixtures: Fixtures, scene: Scene) -> None:
        hour, begin, end = timedelta(hours=1), scene.many.at, scene.many.at + SECOND
        spans: list[tuple[datetime, dict[str, str], list[datetime]]] = [
            (begin, {"width": "24 hours"}, []),
            (end - hour, {"width": "1 hour"}, [end]),
            (end - 24 * hour, {"width": "24 hours"}, [end]),
            (begin - hour, {"interval": "1 hour"}, [end]),
            (begin - hour, {"interval": "24 hours"}, []),
        ]
        for start, changes, ends in spans:
            request = request_of(fixtures, scene, start, run_until=None)
            request["window"] |= changes
            results = api.call("run_interactive_assay", request)
            assert len(results) == len(ends), changes
            for result, at in zip(results, ends, strict=True):
                first = start if "width" in changes else begin
                assert is_near(instant(result["window_summary"]["start"]), first)
                assert is_near(instant(result["window_summary"]["end"]), at)
        early = request_of(fixtures, scene, begin, run_until=(begin + SECOND / 2).isoformat())
        answer = api.send("run_interactive_assay", early)
        assert not answer.is_success or answer.json() == [], "the window ends after the assay"

    @pytest.mark.touches("run_interactive_assay")
    def test_an_assay_may_have_no_end(self, api: Api, fixtures: Fixtures, scene: Scene) -> None:
        request = request_of(fixtures, scene, scene.many.at - 5 * SECOND)
        latest = scene.one.at + SECOND + MARGIN
        for body in (request | {"run_until": None}, {name: request[name] for name in request.keys() - {"run_until"}}):
            found = [result["window_summary"] for result in api.call("run_interactive_assay", body)]
            assert all(summary["count"] > 0 for summary in found), "a window without inferences has a result"
            inside = [
                each for each in found if scene.many.at <= instant(each["start"]) <= instant(each["end"]) <= latest
            ]
            assert [summary["count"] for summary in inside] == [len(scene.many.inputs), 1]

    @pytest.mark.touches("run_interactive_assay", "run_interactive_assay_baseline")
    def test_what_is_computed_now_is_stored_nowhere(self, api: Api, fixtures: Fixtures, scene: Scene) -> None:
        request = request_of(fixtures, scene, scene.many.at)
        expected = [result["scores"] for result in api.call("run_interactive_assay", request)]
        for more in ({"active": False, "status": "created"}, {"id": None}, {"id": fixtures.assay_id}):
            began = time.monotonic()
            results = api.call("run_interactive_assay", request | more)
            found = [*results, api.call("run_interactive_assay_baseline", request | more)]
            milliseconds = (time.monotonic() - began) * 1000
            assert [result["scores"] for result in results] == expected, more
            for result in found:
                assert result.get("id") is None
                assert result["assay_id"] in {None, more.get("id")}
                assert result["created_at"] is None or isinstance(result["created_at"], int), "2022.4 has such a time"
                assert 0 <= result["elapsed_millis"] <= milliseconds + 1
                for name, own in (own_workspace(fixtures) | {"name": request["name"]}).items():
                    assert result.get(name) in {None, own}, name

    @pytest.mark.touches(
        "run_interactive_assay", "run_interactive_assay_baseline", if_there=("summarize_assay_baseline",)
    )
    def test_an_origin_may_be_left_open(self, api: Api, fixtures: Fixtures, scene: Scene) -> None:
        if fixtures.forms.fixed_baselines:
            pytest.skip("The windows of the release have no places, and have to have a model.")
        until, count = (scene.many.at + SECOND).isoformat(), len(scene.many.inputs)
        request = request_of(fixtures, scene, scene.many.at, run_until=until)
        whole: dict[str, Any] = request["baseline"]["calculated"]["fixed_window"]
        required = {name: whole[name] for name in ("path", "pipeline_name", "workspace_id", "width", "start")}
        for fixed in (required, required | {"model_name": None, "locations": None, "interval": None}):
            body = request | {"baseline": {"calculated": {"fixed_window": fixed}}, "window": fixed}
            assert counts_in(api.call("run_interactive_assay", body)) == [count, count], fixed
            assert counts_in(api.call("run_interactive_assay_baseline", body)) == [count, count], fixed
            if api.has("summarize_assay_baseline"):
                asked = {"baseline": {"fixed_window": fixed}, "summarizer": SUMMARIZER}
                assert counts_in(api.call("summarize_assay_baseline", asked)) == [count], fixed

    @pytest.mark.touches("run_interactive_assay", "run_interactive_assay_baseline")
    def test_windows_may_overlap_for_long(self, api: Api, fixtures: Fixtures, scene: Scene) -> None:
        begin = scene.many.at - 58 * SECOND - SECOND / 2
        until = (begin + 60 * SECOND).astimezone(EAST)
        request = request_of(fixtures, scene, begin, run_until=until.isoformat())
        request["window"] |= {"width": "1 minute", "interval": "1 second"}
        [whole] = api.call("run_interactive_assay", request)
        assert is_near(instant(whole["window_summary"]["end"]), begin + 60 * SECOND)
        request["window"] |= {"width": "2 seconds"}
        results = api.call("run_interactive_assay", request)
        with_rows = [result["window_summary"] for result in results if result["window_summary"]["count"]]
        assert len({summary["start"] for summary in with_rows}) == len(with_rows)
        for summary in with_rows:
            assert instant(summary["end"]) - instant(summary["start"]) == 2 * SECOND
            offset = (instant(summary["start"]) - begin) / SECOND
            assert offset == pytest.approx(round(offset), abs=1e-3), "it begins between two windows"
        about = [each for each in with_rows if instant(each["start"]) <= scene.many.at < instant(each["end"])]
        assert [each["count"] >= len(scene.many.inputs) for each in about] == [True, True]

    @pytest.mark.touches(
        "run_interactive_assay", "run_interactive_assay_baseline", if_there=("summarize_assay_baseline",)
    )
    def test_rows_are_those_of_the_pipeline_that_is_named(
        self, api: Api, fixtures: Fixtures, scene: Scene, elsewhere: dict[str, Any]
    ) -> None:
        if fixtures.spare is None:
            pytest.skip("The run has no second pipeline.")
        window = request_of(fixtures, scene, scene.many.at)["window"]
        names = {name: fixtures.spare.pipeline for name in ("pipeline", "pipeline_name") if name in window}
        self.check_no_rows(api, fixtures, scene, names)
        if "workspace_id" in window:
            self.check_no_rows(api, fixtures, scene, {"workspace_id": elsewhere["workspace_id"]})

    @staticmethod
    def check_no_rows(api: Api, fixtures: Fixtures, scene: Scene, other: dict[str, Any]) -> None:
        """Check that no rows of the run's pipeline are counted where a window names another one by these fields."""
        request = request_of(fixtures, scene, scene.many.at)
        window, baseline = request["window"], request["baseline"]
        if fixtures.forms.fixed_baselines:
            of_other: dict[str, Any] = {"Fixed": baseline["Fixed"] | other}
        else:
            of_other = {"calculated": {"fixed_window": baseline["calculated"]["fixed_window"] | other}}
        elsewhere = [
            ("run_interactive_assay", request | {"window": window | other}),
            ("run_interactive_assay_baseline", request | {"baseline": of_other, "window": window | other}),
            ("run_interactive_assay", request | {"baseline": of_other}),
        ]
        if api.has("summarize_assay_baseline") and "calculated" in of_other:
            body = {"summarizer": SUMMARIZER, "baseline": of_other["calculated"]}
            elsewhere.append(("summarize_assay_baseline", body))
        assert any(counts_in(api.call("run_interactive_assay", request)))
        for operation, body in elsewhere:
            answer = api.send(operation, body)
            counts = counts_in(answer.json()) if answer.is_success else []
            assert not all(counts) or not counts, "rows of another pipeline are counted"

    @pytest.mark.touches(
        "run_interactive_assay",
        "run_interactive_assay_baseline",
        "list_assays",
        if_there=("preview_assay_v2", "preview_assay_baseline_v2"),
    )
    def test_what_is_computed_now_makes_no_assay(self, api: Api, fixtures: Fixtures) -> None:
        pipeline = {"pipeline_id": fixtures.pipeline_id}
        before = ids_of(api.call("list_assays", pipeline))
        for operation in ("run_interactive_assay", "run_interactive_assay_baseline"):
            api.call(operation, assay_request(fixtures, name=api.unused_name("a")))
        second = second_assay_request(fixtures)
        if api.has("preview_assay_v2"):
            start, end = second["baseline"]["Static"]
            api.call("preview_assay_v2", second | {"preview_start": start, "preview_end": end})
        if api.has("preview_assay_baseline_v2"):
            api.call("preview_assay_baseline_v2", baseline_of(second))
        assert ids_of(api.call("list_assays", pipeline)) == before


def mean_of(summary: dict[str, Any]) -> float:
    """Return the mean in a distribution."""
    return summary["mean"]


class TestGivenDistributions:
    @pytest.mark.touches(
        "run_interactive_assay", "run_interactive_assay_baseline", if_there=("summarize_assay_baseline",)
    )
    @pytest.mark.parametrize("way", GIVEN_WAYS)
    def test_windows_are_compared_with_what_was_summarized(
        self, way: str, api: Api, fixtures: Fixtures, scene: Scene
    ) -> None:
        if not api.has("summarize_assay_baseline"):
            pytest.skip("The release does not have it.")
        calculated = {"vector": (scene.many.outputs * 0.75).tolist()}
        changes: dict[str, Any] = {"summarizer": GIVEN_WAYS[way], "baseline": {"calculated": calculated}}
        request = request_of(fixtures, scene, scene.many.at, **changes)
        given = api.call("summarize_assay_baseline", {"summarizer": request["summarizer"], "baseline": calculated})
        [expected, *_] = api.call("run_interactive_assay", request)
        static = request | {"baseline": {"static": given}}
        [found, *_] = api.call("run_interactive_assay", static)
        assert unlike_results(found, expected) == []
        result = api.call("run_interactive_assay_baseline", static)
        assert (result["status"], result["score"]) == ("BaselineRun", 0)
        for each in (found, result):
            summary = each["baseline_summary"]
            shown = {name: summary[name] for name in given if name not in {"edge_names", "start", "end"}}
            assert list(changed_fields({name: given[name] for name in shown}, shown)) == []

    @pytest.mark.touches("run_interactive_assay", if_there=("summarize_assay_baseline",))
    def test_a_distribution_is_taken_as_it_is_given(self, api: Api, fixtures: Fixtures, scene: Scene) -> None:
        if not api.has("summarize_assay_baseline"):
            pytest.skip("The release does not have it.")
        body = {"summarizer": SUMMARIZER, "baseline": {"vector": LONG.tolist()}}
        given = api.call("summarize_assay_baseline", body)
        edges = np.quantile(scene.many.outputs, np.linspace(0.1, 0.9, len(given["edges"]) - 1))
        before = np.array([0.4, 0.1, 0.05, 0.2, 0.0, 0.05, 0.2])
        given |= {"edges": [*edges.tolist(), None], "aggregated_values": before.tolist()}
        [result, *_] = api.call(
            "run_interactive_assay", request_of(fixtures, scene, scene.many.at, baseline={"static": given})
        )
        now = formulas.Bins(edges, []).aggregated(scene.many.outputs, "Density")
        assert result["window_summary"]["aggregated_values"] == pytest.approx(now.tolist(), abs=1e-9)
        scores = formulas.bin_scores(before, now, SUMMARIZER["metric"])
        assert result["scores"] == pytest.approx(scores.tolist(), rel=1e-7, abs=1e-9)
        assert result["score"] == pytest.approx(scores.sum(), rel=1e-7, abs=1e-9)

    @pytest.mark.touches("preview_assay_v2", "preview_assay_baseline_v2")
    def test_windows_are_compared_with_a_summary(self, api: Api, fixtures: Fixtures, scene: Scene) -> None:
        if not api.has("preview_assay_v2"):
            pytest.skip("The release does not have it.")
        request = preview_of(fixtures, scene)
        of_values = request | {"baseline": {"Vector": (scene.many.outputs * 0.75).tolist()}}
        given = api.call("preview_assay_baseline_v2", baseline_of(of_values))
        [expected], [found] = (
            api.call("preview_assay_v2", body) for body in (of_values, request | {"baseline": {"Summary": given}})
        )
        assert unlike_results(found, expected) == []
        [key] = given
        given[key]["aggregated_values"] = given[key]["aggregated_values"][::-1]
        [other] = api.call("preview_assay_v2", request | {"baseline": {"Summary": given}})
        before, now = (np.array(each[key]["aggregated_values"], np.float64) for each in (given, other["summaries"]))
        scores = formulas.bin_scores(before, now, "PSI")
        assert other["scores"][key]["scores"] == pytest.approx(scores.tolist(), rel=1e-7, abs=1e-9)


class TestPreviews:
    @pytest.mark.touches("preview_assay_v2", "preview_assay_baseline_v2")
    def test_values_are_those_of_the_field_and_the_index(self, api: Api, fixtures: Fixtures, scene: Scene) -> None:
        if not api.has("preview_assay_v2"):
            pytest.skip("The release does not have it.")
        for index in (WIDTH - 1, 1):
            request = preview_of(fixtures, scene, field=f"in.{INPUT}", indexes=[index])
            [(key, summary)] = api.call("preview_assay_baseline_v2", baseline_of(request)).items()
            [result] = api.call("preview_assay_v2", request)
            assert key.startswith(f"in.{INPUT}")
            assert result["scores"].keys() == result["summaries"].keys() == {key}
            assert result["scores"][key]["score"] == pytest.approx(0, abs=1e-12), "the window is the baseline"
            expected = formulas.statistics(scene.many.inputs[:, index])
            for found in (summary, result["summaries"][key]):
                assert found["statistics"] == pytest.approx(expected, rel=1e-6, abs=1e-8)
                assert found["start"] is None or is_near(instant(found["start"]), scene.many.at)
                assert found["end"] is None or is_near(instant(found["end"]), scene.many.at + SECOND)

    @pytest.mark.touches("preview_assay_v2", "preview_assay_baseline_v2")
    def test_rows_are_those_of_the_place_that_is_named(
        self, api: Api, fixtures: Fixtures, scene: Scene, elsewhere: dict[str, Any]
    ) -> None:
        if not api.has("preview_assay_v2"):
            pytest.skip("The release does not have it.")
        request, count = preview_of(fixtures, scene), len(scene.many.inputs)

        def counts(**more: Any) -> list[int]:
            origin = request["targeting"]["data_origin"] | more
            body = request | {"targeting": request["targeting"] | {"data_origin": origin}}
            body["baseline"] = {"Vector": LONG[:50].tolist()} if "pipeline_id" in more else body["baseline"]
            answers = [api.send("preview_assay_v2", body)]
            if "pipeline_id" not in more:
                answers.append(api.send("preview_assay_baseline_v2", baseline_of(body)))
            return [each for answer in answers if answer.is_success for each in counts_in(answer.json())]

        for open_origin in ({}, {"model_id": None}, {"locations": None}, {"model_id": None, "locations": None}):
            assert counts(**open_origin) == [count, count], open_origin
        if fixtures.spare is not None:
            other = {"pipeline_id": fixtures.spare.pipeline_id, "pipeline_name": fixtures.spare.pipeline}
            assert counts(**other) == [], "rows of another pipeline are counted"
        assert counts(workspace_id=elsewhere["workspace_id"]) == [], "rows of another workspace are counted"

    @pytest.mark.touches("preview_assay_v2")
    @pytest.mark.parametrize("unit", UNITS)
    def test_the_time_between_runs_has_its_unit(self, unit: str, api: Api, fixtures: Fixtures, scene: Scene) -> None:
        if not api.has("preview_assay_v2"):
            pytest.skip("The release does not have it.")
        length, smaller = UNITS[unit]
        request = preview_of(fixtures, scene) | {"baseline": {"Vector": LONG[:50].tolist()}}
        request["scheduling"]["run_frequency"] = {"SimpleRunFrequency": {"quantity": 2, "unit": unit}}
        for before, is_there in ((2 * length, True), (length, False), (2 * smaller, False)):
            start = {"preview_start": (scene.many.at - before).isoformat()}
            results = api.call("preview_assay_v2", request | start)
            ends = [instant(result["window_end"]) for result in results]
            assert any(is_near(at, scene.many.at + SECOND) for at in ends) is is_there, f"{before} before"

    @pytest.mark.touches("preview_assay_v2")
    def test_windows_are_as_far_apart_as_runs(self, api: Api, fixtures: Fixtures, scene: Scene) -> None:
        if not api.has("preview_assay_v2"):
            pytest.skip("The release does not have it.")
        end = scene.many.at + SECOND
        for width, minutes, windows in ((1, 1, 3), (1, 2, 2), (90, 1, 1), (61, 1, 2)):
            begin = end - ((windows - 1) * minutes * 60 + width) * SECOND
            request = second_assay_request(fixtures) | {"baseline": {"Vector": LONG[:50].tolist()}}
            request |= {
                "preview_start": begin.astimezone(EAST).isoformat(),
                "preview_end": end.astimezone(WEST).isoformat(),
                "window": {"width": {"seconds": width}},
            }
            request["scheduling"]["run_frequency"] = {"SimpleRunFrequency": {"quantity": minutes, "unit": "Minute"}}
            results = api.call("preview_assay_v2", request)
            ends = [instant(result["window_end"]) for result in results]
            expected = [end - number * minutes * 60 * SECOND for number in range(windows)]
            assert all(any(is_near(at, each) for each in expected) for at in ends), f"{ends} in place of {expected}"
            assert len(set(ends)) == len(ends)
            [last] = [result for result, at in zip(results, ends, strict=True) if is_near(at, end)]
            [summary] = last["summaries"].values()
            inside = summary["statistics"]["count"] - len(scene.many.inputs)
            assert inside >= 0 if width > 1 else inside == 0

    @pytest.mark.touches("preview_assay_v2")
    def test_a_window_that_ends_behind_the_preview_is_none_of_it(
        self, api: Api, fixtures: Fixtures, scene: Scene
    ) -> None:
        if not api.has("preview_assay_v2"):
            pytest.skip("The release does not have it.")
        request = second_assay_request(fixtures) | {"baseline": {"Vector": LONG[:50].tolist()}}
        request |= {"preview_start": scene.many.at.isoformat(), "window": {"width": {"seconds": 2}}}
        request["scheduling"]["run_frequency"] = {"SimpleRunFrequency": {"quantity": 1, "unit": "Minute"}}
        soon(lambda: api.call("preview_assay_v2", request | {"preview_end": (scene.many.at + 2 * SECOND).isoformat()}))
        assert api.call("preview_assay_v2", request | {"preview_end": (scene.many.at + SECOND).isoformat()}) == []

    @pytest.mark.touches("preview_assay_baseline_v2")
    def test_the_times_of_a_baseline_have_any_offset(self, api: Api, fixtures: Fixtures, scene: Scene) -> None:
        if not api.has("preview_assay_baseline_v2"):
            pytest.skip("The release does not have it.")
        second = second_assay_request(fixtures)
        span = [scene.many.at.astimezone(WEST).isoformat(), (scene.many.at + SECOND).astimezone(EAST).isoformat()]
        body = {name: second[name] for name in ("summarizer", "targeting")} | {"baseline": {"Static": span}}
        [summary] = api.call("preview_assay_baseline_v2", body).values()
        assert summary["statistics"]["count"] == len(scene.many.inputs)


class TestDistributions:
    @pytest.mark.touches("summarize_assay_baseline", if_there=("preview_assay_baseline_v2",))
    def test_all_values_are_counted(self, api: Api, fixtures: Fixtures) -> None:
        if not api.has("summarize_assay_baseline"):
            pytest.skip("The release does not have it.")
        far = np.array([*np.tile([0.25, -0.25, 0.0], 40), 1e4])  # with equal ones, zeros, and one far from all
        for values in (LONG, far, far[-2:], far[-1:], np.full(3, -2.5), np.array([7, -3, 12, 7])):
            found = api.call(
                "summarize_assay_baseline", {"summarizer": SUMMARIZER, "baseline": {"vector": values.tolist()}}
            )
            expected = formulas.statistics(values)
            scale = float(np.abs(values).max())
            assert {name: found[name] for name in expected} == pytest.approx(expected, rel=1e-6, abs=1e-7 * scale)
            if api.has("preview_assay_baseline_v2"):
                body = {name: second_assay_request(fixtures)[name] for name in ("summarizer", "targeting")}
                body |= {"baseline": {"Vector": values.tolist()}}
                [second] = api.call("preview_assay_baseline_v2", body).values()
                assert second["statistics"] == pytest.approx(expected, rel=1e-6, abs=1e-7 * scale)

    @pytest.mark.touches("summarize_assay_baseline")
    def test_bins_are_as_many_as_are_asked_for(self, api: Api) -> None:
        if not api.has("summarize_assay_baseline"):
            pytest.skip("The release does not have it.")
        for mode, count in (("Quantile", 1), ("Equal", 1), ("Quantile", 19), ("Equal", 50)):
            way = SUMMARIZER | {"bin_mode": mode, "num_bins": count}
            found = api.call("summarize_assay_baseline", {"summarizer": way, "baseline": {"vector": LONG.tolist()}})
            bins = formulas.bins_of(LONG, way)
            assert found["edges"][:-1] == pytest.approx(bins.edges.tolist(), rel=1e-6)
            assert found["aggregated_values"] == pytest.approx(bins.aggregated(LONG, "Density").tolist(), abs=1e-9)
            assert len(found["edge_names"]) == count + 2

    @pytest.mark.touches("run_interactive_assay", "run_interactive_assay_baseline")
    def test_a_baseline_may_have_many_values(self, api: Api, fixtures: Fixtures, scene: Scene) -> None:
        if fixtures.forms.fixed_baselines:
            pytest.skip("A baseline of the release is a time.")
        baseline = {"calculated": {"vector": LONG.tolist()}}
        request = request_of(fixtures, scene, scene.many.at, baseline=baseline)
        for result in (
            api.call("run_interactive_assay", request)[0],
            api.call("run_interactive_assay_baseline", request),
        ):
            assert result["baseline_summary"]["count"] == len(LONG)
            assert mean_of(result["baseline_summary"]) == pytest.approx(LONG.mean(), rel=1e-6)

    @pytest.mark.touches("preview_assay_baseline_v2")
    @pytest.mark.parametrize("given", [[-0.4, 0.26, 3.1], [1.2], []])
    def test_edges_are_those_that_are_given(self, given: list[float], api: Api, fixtures: Fixtures) -> None:
        if not api.has("preview_assay_baseline_v2"):
            pytest.skip("The release does not have it.")
        values = np.array([2.5, -1.0, 0.25, 3.5, -0.5, 0.25, 0.5, 4.0])
        way = second_assay_request(fixtures)["summarizer"]["UnivariateContinuous"]
        way |= {"bin_mode": {"Provided": given} if given else "None"}
        body = {"summarizer": {"UnivariateContinuous": way}, "baseline": {"Vector": values.tolist()}}
        body["targeting"] = second_assay_request(fixtures)["targeting"]
        [summary] = api.call("preview_assay_baseline_v2", body).values()
        edges = [edge for edge in summary["bins"]["edges"] if not isinstance(edge, str)]
        assert edges == sorted(edges)
        assert set(edges) - set(given) <= {values.min(), values.max()}
        assert set(given) - set(edges) <= set(given[-1:]), "the last bin has no edge"
        shares = [int(np.count_nonzero(values <= edge)) / len(values) for edge in edges]
        if edges[:1] == [values.min()]:
            shares[0] = 0.0  # the first bin has the outliers, and the second one both of its edges
        assert summary["aggregated_values"] == pytest.approx(np.diff([0.0, *shares, 1.0]).tolist(), abs=1e-9)

    @pytest.mark.touches("summarize_assay_baseline", if_there=("preview_assay_baseline_v2",))
    @pytest.mark.parametrize("mode", ["Quantile", "Equal"])
    def test_edges_may_be_compared(self, mode: str, api: Api, fixtures: Fixtures) -> None:
        if not api.has("summarize_assay_baseline"):
            pytest.skip("The release does not have it.")
        values = LONG[:42]
        changes = {"aggregation": "Edges", "metric": "SumDiff"}
        way = SUMMARIZER | changes | {"bin_mode": mode}
        found = api.call("summarize_assay_baseline", {"summarizer": way, "baseline": {"vector": values.tolist()}})
        edges = formulas.bins_of(values, way).edges.tolist()
        assert found["aggregation"] == "Edges"
        assert found["edges"][:-1] == pytest.approx(edges, rel=1e-6)
        assert found["aggregated_values"][: len(edges)] == pytest.approx(edges, rel=1e-6)
        if api.has("preview_assay_baseline_v2"):
            request = second_assay_request(fixtures)
            univariate = request["summarizer"]["UnivariateContinuous"] | changes | {"bin_mode": {mode: 5}}
            body = {"summarizer": {"UnivariateContinuous": univariate}, "baseline": {"Vector": values.tolist()}}
            [summary] = api.call("preview_assay_baseline_v2", body | {"targeting": request["targeting"]}).values()
            finite = [edge for edge in summary["bins"]["edges"] if not isinstance(edge, str)]
            assert summary["aggregation"] == "Edges"
            assert summary["aggregated_values"][: len(finite)] == pytest.approx(finite, rel=1e-6)

    @pytest.mark.touches("run_interactive_assay")
    def test_windows_are_compared_by_their_edges(self, api: Api, fixtures: Fixtures, scene: Scene) -> None:
        for metric in ("SumDiff", "MaxDiff"):
            way = {"aggregation": "Edges", "metric": metric, "num_bins": 3}
            for result in api.call("run_interactive_assay", request_of(fixtures, scene, scene.many.at, summarizer=way)):
                before, now = (result[f"{of}_summary"]["aggregated_values"] for of in ("baseline", "window"))
                differences = np.abs(np.array(now[:-1]) - np.array(before[:-1]))  # no source says it of the last one
                assert result["scores"][:-1] == pytest.approx(differences.tolist(), rel=1e-6, abs=1e-9)
                assert result["score"] == pytest.approx(formulas.total(np.array(result["scores"]), metric), rel=1e-6)
