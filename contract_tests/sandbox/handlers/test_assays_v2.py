"""Are assays of the second version previewed, scheduled, found and switched as the vendor's SDK sends them?"""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

import pytest

from contract_tests.support.servers.callers import UNKNOWN, invited, new_workspace, post, refused
from wallaroo_ext.sandbox.paths import CONTROL

if TYPE_CHECKING:
    import httpx

JANUARY_MS, DAY_MS = 1_672_531_200_000, 86_400_000
FIRST, SECOND, THIRD = (f"2023-01-0{day}T00:00:00+00:00" for day in (1, 2, 3))
VALUES = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0, 10.0]
KEY = "out.y.0"
LABELS = ["< 20%", "20% - 40%", "40% - 60%", "60% - 80%", "> 80%"]
OPEN_BINS: dict[str, Any] = {
    "name": "from a file",
    "bins": {
        "mode": {"Quantile": 5},
        "edges": [0.388652376, 0.5923209300000001, 0.78850774, 0.895255028, "INFINITY"],
        "labels": LABELS,
    },
    "aggregated_values": [0.2, 0.2, 0.2, 0.2, 0.2],
    "aggregation": "Density",
    "statistics": {"count": 100, "min": 0.35, "max": 0.99, "mean": 0.73, "median": 0.78, "std": 0.18},
    "start": None,
    "end": None,
}
"""The distribution that 2025.2 was recorded to compare windows with: the outliers are in the first and the last bin."""


@pytest.fixture
def watched(http: httpx.Client) -> dict[str, Any]:
    """Log the same values on two days. Returns what an assay of the second version says of them."""
    workspace_id, name = new_workspace(http), f"p-{uuid.uuid4().hex}"
    made = post(http, "create_pipeline", {"pipeline_id": name, "workspace_id": workspace_id, "definition": {}}).json()
    rows = [
        {"time": JANUARY_MS + day * DAY_MS + 60_000 * place, "out.y": [value]}
        for day in range(2)
        for place, value in enumerate(VALUES)
    ]
    inferences = {"pipeline_id": made["pipeline_pk_id"], "model_name": "m", "rows": rows}
    assert http.post(f"{CONTROL}/seed", json={"inferences": [inferences]}).is_success
    [workspace] = [
        each for each in post(http, "list_workspaces", {}).json()["workspaces"] if each["id"] == workspace_id
    ]
    return {
        "baseline": {"Static": [FIRST, SECOND]},
        "summarizer": {
            "UnivariateContinuous": {"aggregation": "Density", "bin_mode": {"Quantile": 5}, "metric": "PSI"}
        },
        "targeting": {
            "data_origin": {
                "pipeline_id": made["pipeline_pk_id"],
                "pipeline_name": name,
                "workspace_id": workspace_id,
                "workspace_name": workspace["name"],
                "model_id": None,
                "locations": None,
            },
            "iopath": [{"field": "out.y", "indexes": [0], "thresholds": {"warning": None, "alert": 0.25}}],
        },
    }


def scheduled(watched: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """Return the request of an assay that is run a day after the baseline, and once more."""
    frequency = {"SimpleRunFrequency": {"quantity": 1, "unit": "Day"}}
    return {
        "name": "an assay",
        **watched,
        "scheduling": {"first_run": SECOND, "end": THIRD, "run_frequency": frequency},
        "window": {"width": {"seconds": 86_400}},
        **changes,
    }


def open_bins(**changes: Any) -> dict[str, Any]:
    """Return the recorded distribution with other `labels` or `edges`."""
    return OPEN_BINS | {"bins": OPEN_BINS["bins"] | changes}


def previewed(watched: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return scheduled(watched, preview_start=SECOND, preview_end=THIRD, **changes)


class TestPreviews:
    def test_a_baseline_is_that_of_the_first_version(self, http: httpx.Client, watched: dict[str, Any]) -> None:
        summary = post(http, "preview_assay_baseline_v2", watched).json()[KEY]
        origin = watched["targeting"]["data_origin"]
        window = {
            "pipeline_name": origin["pipeline_name"],
            "workspace_id": origin["workspace_id"],
            "path": "output y 0",
            "start": FIRST,
            "width": "24 hours",
        }
        summarizer = {"type": "UnivariateContinuous", "bin_mode": "Quantile", "num_bins": 5}
        summarizer |= {"aggregation": "Density", "metric": "PSI"}
        body = {"summarizer": summarizer, "baseline": {"fixed_window": window}}
        older = post(http, "summarize_assay_baseline", body).json()
        assert summary["statistics"] == {name: older[name] for name in ("count", "min", "max", "mean", "median", "std")}
        assert summary["bins"]["labels"] == older["edge_names"]
        assert summary["bins"]["edges"] == [*older["edges"][:-1], "INFINITY"]
        assert summary["aggregated_values"] == older["aggregated_values"]

    def test_values_are_a_baseline_and_null_is_none(self, http: httpx.Client, watched: dict[str, Any]) -> None:
        body = watched | {"baseline": {"Vector": [*VALUES, None]}}
        assert post(http, "preview_assay_baseline_v2", body).json()[KEY]["statistics"]["count"] == len(VALUES)

    @pytest.mark.parametrize("form", ["Static", "Vector", "Summary"])
    def test_a_window_is_compared_with_any_baseline(
        self, http: httpx.Client, watched: dict[str, Any], form: str
    ) -> None:
        summary = post(http, "preview_assay_baseline_v2", watched).json()
        baselines = {"Static": [FIRST, SECOND], "Vector": VALUES, "Summary": summary}
        answer = post(http, "preview_assay_v2", previewed(watched, baseline={form: baselines[form]}))
        [result] = answer.json()
        assert result["scores"][KEY]["score"] == 0
        assert result["summaries"][KEY]["statistics"] == summary[KEY]["statistics"]
        assert (result["window_end"], result["assay_id"]) == ("2023-01-03T00:00:00Z", UNKNOWN)
        assert (
            post(http, "get_assay_v2", {"pipeline_name": watched["targeting"]["data_origin"]["pipeline_name"]}).json()
            == []
        )

    @pytest.mark.parametrize(
        ("change", "message"),
        [
            ({"iopath": [{"field": "out.y", "thresholds": {"alert": 1}}] * 2}, "one value"),
            ({"iopath": [{"field": "out.y", "indexes": [0, 1], "thresholds": {"alert": 1}}]}, "one index"),
            ({"iopath": [{"field": "out.y", "indexes": [0]}]}, "alert"),
            ({"iopath": [{"field": "y", "indexes": [0]}]}, "does not match"),
        ],
    )
    def test_what_the_sandbox_does_not_watch_is_refused(
        self, http: httpx.Client, watched: dict[str, Any], change: dict[str, Any], message: str
    ) -> None:
        body = watched | {"targeting": watched["targeting"] | change}
        assert refused(post(http, "preview_assay_baseline_v2", body), message)

    @pytest.mark.parametrize(
        ("mode", "message"),
        [
            ({"QuantileWithExplicitOutliers": 5}, "the bin mode is"),
            ({}, "the bin mode is"),
            ({"Quantile": "five"}, "Quantile"),
            ({"Quantile": 0}, "Quantile"),
            ({"Provided": 5}, "Provided"),
            ("Some", "the bin mode is"),
        ],
    )
    def test_bins_that_are_none_are_refused(
        self, http: httpx.Client, watched: dict[str, Any], mode: Any, message: str
    ) -> None:
        univariate = watched["summarizer"]["UnivariateContinuous"] | {"bin_mode": mode}
        body = watched | {"summarizer": {"UnivariateContinuous": univariate}}
        assert refused(post(http, "preview_assay_baseline_v2", body), message)

    @pytest.mark.parametrize("mode", ["None", {"Equal": 3}, {"Provided": [1.0, 5.0, 10.0]}])
    def test_the_other_bins_are_computed(self, http: httpx.Client, watched: dict[str, Any], mode: Any) -> None:
        univariate = watched["summarizer"]["UnivariateContinuous"] | {"bin_mode": mode}
        body = watched | {"summarizer": {"UnivariateContinuous": univariate}}
        assert post(http, "preview_assay_baseline_v2", body).json()[KEY]["bins"]["mode"] == mode

    @pytest.mark.parametrize(
        ("baseline", "message"),
        [
            ({"Static": [SECOND, FIRST]}, "ends before it begins"),
            ({"Summary": {}}, "one Summary"),
            ({"Summary": {KEY: {}}}, "needs"),
            ({"Summary": {KEY: open_bins(labels=None)}}, "label"),
            ({"Summary": {KEY: open_bins(edges=["-INFINITY", 1, 2, 3, "INFINITY"])}}, "edges"),
            ({"Summary": {KEY: open_bins(edges=[1, None, 2, 3, "INFINITY"])}}, "edges"),
            ({"Summary": {KEY: open_bins(edges=[1, 2, 3, 4, "5"])}}, "edges"),
            ({"Summary": {KEY: open_bins(edges=[2, 1, 3, 4, "INFINITY"])}}, "no order"),
            ({"Summary": {KEY: open_bins(edges=[1, 2, 3, "INFINITY"])}}, "not 7 each"),
            ({"Summary": {KEY: open_bins(edges=[])}}, "not 7 each"),
            ({"Summary": {KEY: OPEN_BINS | {"aggregated_values": [0.2, None, 0.2, 0.2, 0.2]}}}, "aggregated values"),
            ({"Summary": {KEY: OPEN_BINS | {"aggregated_values": [0.2, 0.8]}}}, "not 5 each"),
            ({"Vector": []}, "empty"),
            ({}, "one Summary"),
        ],
    )
    def test_a_baseline_that_is_none_is_refused(
        self, http: httpx.Client, watched: dict[str, Any], baseline: Any, message: str
    ) -> None:
        assert refused(post(http, "preview_assay_v2", previewed(watched, baseline=baseline)), message)
        if "Vector" not in baseline:  # whether a span has rows is seen when it is run
            assert refused(post(http, "schedule_assay_v2", scheduled(watched, baseline=baseline)), message)

    def test_open_bins_are_compared_as_recorded(self, http: httpx.Client, watched: dict[str, Any]) -> None:
        """Of 256 values in the first bin; the figures are those of the recorded result, rounded."""
        begin = JANUARY_MS + 2 * DAY_MS
        rows = [{"time": begin + place, "out.y": [0.0]} for place in range(255)]
        rows.append({"time": begin + DAY_MS - 1, "out.y": [0.388652376]})  # at the edge, and so below it
        pipeline_id = watched["targeting"]["data_origin"]["pipeline_id"]
        inferences = {"pipeline_id": pipeline_id, "model_name": "m", "rows": rows}
        assert http.post(f"{CONTROL}/seed", json={"inferences": [inferences]}).is_success
        end = "2023-01-04T00:00:00+00:00"
        scheduling = scheduled(watched)["scheduling"] | {"first_run": end, "end": end}
        request = scheduled(watched, scheduling=scheduling, baseline={"Summary": {KEY: OPEN_BINS}})
        made = post(http, "schedule_assay_v2", request).json()
        shown = post(http, "get_assay_v2_by_id", {"id": made}).json()["baseline"]["Summary"]
        assert shown == {KEY: OPEN_BINS | {"name": "an assay"}}
        [result] = post(http, "get_assay_results_v2", {"id": made}).json()
        scores = result["scores"][KEY]
        assert scores["scores"] == pytest.approx([1.2875503299472804, *[0.7193314935522176] * 4])
        assert (result["status"], scores["score"]) == ("Alert", pytest.approx(4.1648763041561505))
        summary = result["summaries"][KEY]
        assert summary["bins"] == OPEN_BINS["bins"], "the labels of the baseline are those of a window, too"
        assert summary["aggregated_values"] == [1.0, 0.0, 0.0, 0.0, 0.0]

    @pytest.mark.parametrize("aggregation", ["Density", "Cumulative", "Edges"])
    def test_open_bins_of_equal_width_are_compared(
        self, http: httpx.Client, watched: dict[str, Any], aggregation: str
    ) -> None:
        """Of the values 1 to 10 in two bins."""
        compared = {"Density": [0.5, 0.5], "Cumulative": [0.5, 1.0], "Edges": [5.5, 0.0]}[aggregation]
        bins = {"mode": {"Equal": 2}, "edges": [5.5, "INFINITY"], "labels": ["low", "high"]}
        given = OPEN_BINS | {"bins": bins, "aggregated_values": compared, "aggregation": aggregation}
        univariate = {"aggregation": aggregation, "bin_mode": {"Equal": 2}, "metric": "SumDiff"}
        changes = {"baseline": {"Summary": {KEY: given}}, "summarizer": {"UnivariateContinuous": univariate}}
        [result] = post(http, "preview_assay_v2", previewed(watched, **changes)).json()
        assert result["summaries"][KEY]["aggregated_values"] == compared
        assert result["summaries"][KEY]["bins"]["labels"] == ["low", "high"]
        assert result["scores"][KEY]["score"] == 0

    def test_a_number_of_bins_may_be_written_with_a_point(self, http: httpx.Client, watched: dict[str, Any]) -> None:
        univariate = watched["summarizer"]["UnivariateContinuous"] | {"bin_mode": {"Quantile": 5.0}}
        body = watched | {"summarizer": {"UnivariateContinuous": univariate}}
        assert len(post(http, "preview_assay_baseline_v2", body).json()[KEY]["bins"]["edges"]) == 7

    @pytest.mark.parametrize(
        ("first_run", "seconds", "message"),
        [
            (SECOND, 2**63 - 1, "no length of time"),
            (SECOND, 64_000_000_000, "no length of time"),
            ("0001-01-01T00:00:00Z", 86_400, "years 1 to 9999"),
        ],
    )
    def test_times_that_nobody_can_write_are_refused(
        self, http: httpx.Client, watched: dict[str, Any], first_run: str, seconds: int, message: str
    ) -> None:
        scheduling = scheduled(watched)["scheduling"] | {"first_run": first_run}
        request = scheduled(watched, scheduling=scheduling, window={"width": {"seconds": seconds}})
        assert refused(post(http, "schedule_assay_v2", request), message)


class TestScheduled:
    def test_it_is_found_run_and_switched_off(self, http: httpx.Client, watched: dict[str, Any]) -> None:
        made = post(http, "schedule_assay_v2", scheduled(watched)).json()
        found = post(http, "get_assay_v2_by_id", {"id": made}).json()
        assert (found["id"], found["name"], found["active"]) == (made, "an assay", True)
        assert found["scheduling"]["first_run"] == SECOND
        assert found["targeting"] == watched["targeting"]
        assert list(found["baseline"]["Summary"]) == [KEY]
        results = post(http, "get_assay_results_v2", {"id": made, "start": FIRST, "end": THIRD}).json()
        spans = [("2023-01-01T00:00:00Z", "2023-01-02T00:00:00Z"), ("2023-01-02T00:00:00Z", "2023-01-03T00:00:00Z")]
        assert [(each["window_start"], each["window_end"]) for each in results] == spans
        assert all(each["scores"][KEY]["score"] == 0 for each in results)
        assert post(http, "set_assay_v2_active", {"assay_id": made, "active": False}).json() is None
        assert not post(http, "get_assay_v2_by_id", {"id": made}).json()["active"]

    @pytest.mark.parametrize(
        ("frequency", "seconds"),
        [({"quantity": 6, "unit": "Hour"}, 3_600), ({"quantity": 2, "unit": "Day"}, 86_400)],
        ids=["hours", "days"],
    )
    def test_it_is_run_as_often_as_asked_for(
        self, http: httpx.Client, watched: dict[str, Any], frequency: dict[str, Any], seconds: int
    ) -> None:
        scheduling = {"first_run": SECOND, "end": None, "run_frequency": {"SimpleRunFrequency": frequency}}
        made = post(
            http, "schedule_assay_v2", scheduled(watched, scheduling=scheduling, window={"width": {"seconds": seconds}})
        ).json()
        found = post(http, "get_assay_v2_by_id", {"id": made}).json()
        assert found["scheduling"]["run_frequency"] == {"SimpleRunFrequency": frequency}

    def test_it_is_found_by_the_id_of_the_first_version(self, http: httpx.Client, watched: dict[str, Any]) -> None:
        post(http, "schedule_assay_v2", scheduled(watched))
        origin = watched["targeting"]["data_origin"]
        [listed] = post(http, "list_assays", {"pipeline_id": origin["pipeline_id"]}).json()
        found = post(http, "get_assay_by_id", {"id": listed["id"], "workspace_id": origin["workspace_id"]}).json()
        assert {name: found[name] for name in listed} == listed
        assert found["created_at"]
        for other in ({"workspace_id": 2_000_000}, {"workspace_name": "other"}):
            assert refused(post(http, "get_assay_by_id", {"id": listed["id"]} | other), "in that workspace")
        assert refused(post(http, "get_assay_by_id", {"id": 2_000_000}), "There is no assay")

    def test_who_is_no_member_sees_and_changes_nothing(
        self, http: httpx.Client, sandbox: dict[str, str], watched: dict[str, Any]
    ) -> None:
        made = post(http, "schedule_assay_v2", scheduled(watched)).json()
        pipeline_id = watched["targeting"]["data_origin"]["pipeline_id"]
        [listed] = post(http, "list_assays", {"pipeline_id": pipeline_id}).json()
        with invited(sandbox, http) as (_, _, theirs):
            for operation, body, status in (
                ("get_assay_v2_by_id", {"id": made}, 404),
                ("set_assay_v2_active", {"assay_id": made, "active": False}, 404),
                ("preview_assay_baseline_v2", watched, 400),
                ("preview_assay_v2", previewed(watched), 400),
                ("schedule_assay_v2", scheduled(watched), 400),
                ("get_assay_by_id", {"id": listed["id"]}, 400),
            ):
                assert refused(post(theirs, operation, body), "There is no", status), operation
        assert post(http, "get_assay_v2_by_id", {"id": made}).json()["active"]
