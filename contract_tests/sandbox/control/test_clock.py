"""Does the sandbox use its own clock, and run assays by it as a scheduler would?"""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import httpx
import numpy as np
import pytest

from contract_tests.support.sandbox.steering import (
    assay,
    baseline_of,
    day,
    done,
    reset,
    seed_pipeline,
    seed_rows,
    steer,
)
from contract_tests.support.servers.forks.fork_server import running
from wallaroo_ext import connect, infer, upload_model, wait_until_running
from wallaroo_ext.sandbox.paths import CONTROL

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from pathlib import Path

    from wallaroo_mlops_client import Client

NOON = "2031-05-01T12:00:00+00:00"
MINUTE = timedelta(minutes=1)


@pytest.fixture(scope="module")
def sandbox() -> Generator[dict[str, str]]:
    """Yield a sandbox for these tests alone, because they set its clock."""
    with running() as environment:
        yield environment


@pytest.fixture(autouse=True)
def new(sandbox: dict[str, str]) -> None:
    with httpx.Client(base_url=sandbox["WALLAROO_API_URL"]) as plain:
        reset(plain)


def shortly_after(text: str, begin: str) -> bool:
    """Return whether a time is at most a minute after another one."""
    return timedelta(0) <= datetime.fromisoformat(text) - datetime.fromisoformat(begin) < MINUTE


class TestClock:
    def test_what_is_made_has_its_time(self, http: httpx.Client) -> None:
        steer(http, "clock", {"now": NOON})
        user_id = done(http, "invite_user", {"email": "new@example.com"})["id"]
        user = done(http, "query_users", {"user_ids": [user_id]})["users"][user_id]
        assert shortly_after(datetime.fromtimestamp(user["createdTimestamp"] / 1000, UTC).isoformat(), NOON)
        made = done(http, "create_workspace", {"workspace_name": "new"})["workspace_id"]
        [workspace] = [w for w in done(http, "list_workspaces", {})["workspaces"] if w["id"] == made]
        assert shortly_after(workspace["created_at"], NOON)

    def test_models_and_inferences_have_its_time(
        self, http: httpx.Client, client: Client, model_file: Path, deploy: Callable[..., tuple[str, str]]
    ) -> None:
        steer(http, "clock", {"now": NOON})
        version = upload_model(client, model_file, name="timed", workspace=1)
        model = done(http, "list_models", {"workspace_id": 1})["models"][0]["model"]
        assert shortly_after(model["created_at"], NOON)
        assert shortly_after(model["updated_at"], NOON)
        deployment, url = deploy("timed", version.id)
        wait_until_running(client, deployment)
        scored: Any
        [scored] = infer(client, url, {"tensor": [[0.0] * 29]}).column("time").to_pylist()
        assert shortly_after(scored.replace(tzinfo=UTC).isoformat(), NOON)
        [logged] = done(http, "get_assay_baseline", {"workspace_id": 1, "pipeline_name": "timed"})
        assert logged["time"] == scored.replace(tzinfo=UTC).timestamp() * 1000

    def test_interactive_results_have_its_time(self, http: httpx.Client) -> None:
        pipeline_id = seed_pipeline(http)
        seed_rows(http, pipeline_id, [*day(1, 1, 2, 3), *day(2, 4)])
        steer(http, "clock", {"now": "2023-01-02T23:59:00Z"})
        assert done(http, "run_interactive_assay", assay(pipeline_id)) == []
        steer(http, "clock", {"now": "2023-01-03T00:00:00Z"})
        [result] = done(http, "run_interactive_assay", assay(pipeline_id))
        assert shortly_after(result["analyzed_at"], "2023-01-03T00:00:00+00:00")

    def test_tokens_live_in_real_time(self, http: httpx.Client) -> None:
        for body in ({"advance": 10**9}, {"now": "1999-01-01T00:00:00Z"}):
            steer(http, "clock", body)
            assert done(http, "list_workspaces", {})

    def test_it_is_set_advanced_and_put_right(self, http: httpx.Client) -> None:
        assert steer(http, "clock")["ahead_seconds"] == 0.0
        assert shortly_after(steer(http, "clock", {"now": "2031-05-01T14:00:00.5+02:00"})["now"], NOON)
        assert shortly_after(steer(http, "clock", {"advance": 3600})["now"], "2031-05-01T13:00:00+00:00")
        assert shortly_after(steer(http, "clock", {"advance": -7200.5})["now"], "2031-05-01T11:00:00+00:00")
        assert shortly_after(steer(http, "clock")["now"], "2031-05-01T11:00:00+00:00")
        right = steer(http, "clock", {"reset": True})
        assert right["ahead_seconds"] == 0.0
        assert abs(datetime.fromisoformat(right["now"]) - datetime.now(UTC)) < MINUTE

    @pytest.mark.parametrize(
        ("body", "reason"),
        [
            ({}, "one of three fields"),
            ({"now": NOON, "advance": 1}, "one of three fields"),
            ({"today": NOON}, "today"),
            ({"now": 5}, "now: 5 is not of type"),
            ({"now": "noon"}, "'noon' is no time of RFC 3339"),
            ({"now": "2031-05-01 12:00:00Z"}, "is no time of RFC 3339"),
            ({"now": "2031-05-01T12:00:00"}, "is no time of RFC 3339"),
            ({"now": "2031-02-30T12:00:00Z"}, "is no point in time"),
            ({"now": "1969-12-31T23:59:59Z"}, "from 1970 to 2262"),
            ({"now": "2300-01-01T00:00:00Z"}, "from 1970 to 2262"),
            ({"advance": 9e9}, "from 1970 to 2262"),
            ({"advance": 1e300}, "advance: 1e+300 is greater than"),
            ({"advance": "1"}, 'advance: "1" is not of type'),
            ({"reset": False}, "reset"),
        ],
    )
    def test_what_is_no_time_is_refused(self, http: httpx.Client, body: dict[str, Any], reason: str) -> None:
        answer = http.post(f"{CONTROL}/clock", json=body)
        assert (answer.status_code, answer.json()["code"]) == (400, 400)
        assert reason in answer.json()["msg"]
        assert steer(http, "clock")["ahead_seconds"] == 0.0

    def test_a_restart_keeps_it(self, tmp_path: Path) -> None:
        for ahead in (0.0, 86_400.0):
            with running(tmp_path) as environment, connect(environment=environment) as client:
                plain = client.get_httpx_client()
                assert steer(plain, "clock")["ahead_seconds"] == ahead
                steer(plain, "clock", {"advance": 86_400})


class TestSeededAssays:
    """A baseline and windows of seeded rows, with every status."""

    @pytest.fixture
    def pipeline_id(self, http: httpx.Client) -> int:
        pipeline_id = seed_pipeline(http)
        baseline = np.arange(100.0).tolist()
        seed_rows(http, pipeline_id, [*day(1, *baseline), *day(2, *baseline), *day(3, *baseline[:45], *baseline)])
        seed_rows(http, pipeline_id, day(5, *baseline[:20]))
        steer(http, "clock", {"now": "2023-01-06T00:00:00Z"})
        return pipeline_id

    def run(self, http: httpx.Client, pipeline_id: int, **summarizer: Any) -> list[dict[str, Any]]:
        body = assay(pipeline_id, warning_threshold=0.1, alert_threshold=0.5)
        return done(http, "run_interactive_assay", body | {"summarizer": body["summarizer"] | summarizer})

    def test_a_score_means_ok_or_warning_or_alert(self, http: httpx.Client, pipeline_id: int) -> None:
        results = self.run(http, pipeline_id, metric="SumDiff")
        found = [(result["window_start"][:10], result["score"], result["status"]) for result in results]
        # From 20 % a bin to 40, 40, 25, 20, 20 of 145 values, and then to all in the first bin.
        assert [(begun, status) for begun, _, status in found] == [
            ("2023-01-02", "Ok"),
            ("2023-01-03", "Warning"),
            ("2023-01-05", "Alert"),
        ]
        shares = np.array([40, 40, 25, 20, 20]) / 145
        assert [score for _, score, _ in found] == pytest.approx([0, np.abs(shares - 0.2).sum(), 1.6])

    @pytest.mark.parametrize(
        ("summarizer", "edges"),
        [
            ({"bin_mode": "Quantile"}, [0, 19, 39, 59, 79, 99]),
            ({"bin_mode": "Equal", "num_bins": 3}, [0, 33, 66, 99]),
            ({"bin_mode": "Provided", "num_bins": 2, "provided_edges": [10, 50, 90]}, [10, 50, 90]),
            ({"bin_mode": "None"}, [0, 99]),
        ],
    )
    @pytest.mark.parametrize("metric", ["PSI", "MaxDiff", "SumDiff"])
    @pytest.mark.parametrize("aggregation", ["Density", "Cumulative"])
    def test_bins_and_scores_are_those_of_the_rows(
        self,
        http: httpx.Client,
        pipeline_id: int,
        summarizer: dict[str, Any],
        edges: list[float],
        metric: str,
        aggregation: str,
    ) -> None:
        *_, result = self.run(http, pipeline_id, metric=metric, aggregation=aggregation, **summarizer)
        assert result["baseline_summary"]["edges"] == [*edges, None]
        b, w = (self.shares(np.arange(float(count)), edges, aggregation) for count in (100, 20))
        assert result["baseline_summary"]["aggregated_values"] == pytest.approx(b, abs=1e-12)
        assert result["window_summary"]["aggregated_values"] == pytest.approx(w, abs=1e-12)
        if metric == "PSI":
            filled = [(x or 0.005, y or 0.005) if x or y else (1.0, 1.0) for x, y in zip(b, w, strict=True)]
            scores = [(y - x) * math.log(y / x) for x, y in filled]
        else:
            scores = [abs(x - y) for x, y in zip(b, w, strict=True)]
        assert result["scores"] == pytest.approx(scores, abs=1e-12)
        assert result["score"] == pytest.approx(max(scores) if metric == "MaxDiff" else sum(scores), abs=1e-12)

    def shares(self, values: Any, edges: list[float], aggregation: str) -> list[float]:
        """Return the counts of bins that are closed on the right, the first one also on the left."""
        bounds = [-math.inf, math.nextafter(edges[0], -math.inf), *edges[1:], math.inf]
        shares = [float(((values > low) & (values <= high)).mean()) for low, high in pairwise(bounds)]
        return np.cumsum(shares).tolist() if aggregation == "Cumulative" else shares

    def test_windows_overlap_where_the_interval_is_shorter(self, http: httpx.Client, pipeline_id: int) -> None:
        body = assay(pipeline_id)
        window = body["window"] | {"start": "2023-01-01T12:00:00Z", "width": "2 days", "interval": "12 hours"}
        results = done(http, "run_interactive_assay", body | {"window": window})
        assert [(result["window_start"][5:13], result["window_summary"]["count"]) for result in results] == [
            ("01-01T12", 245),
            ("01-02T00", 245),
            ("01-02T12", 145),
            ("01-03T00", 145),
            ("01-03T12", 20),
            ("01-04T00", 20),
        ]


class TestScheduledAssays:
    @pytest.fixture
    def pipeline_id(self, http: httpx.Client) -> int:
        """Return a pipeline with four days of rows; the clock is at the evening of the first day."""
        steer(http, "clock", {"now": "2023-01-01T20:00:00Z"})
        pipeline_id = seed_pipeline(http)
        seed_rows(http, pipeline_id, [*day(1, 1, 2, 3, 4, 5), *day(2, 1, 2, 3, 4, 5), *day(3, 9, 9), *day(5, 1, 2)])
        return pipeline_id

    def create(self, http: httpx.Client, pipeline_id: int, **changes: Any) -> int:
        return done(http, "create_assay", assay(pipeline_id, **changes))["assay_id"]

    def listed(self, http: httpx.Client, pipeline_id: int) -> dict[str, Any]:
        [found] = done(http, "list_assays", {"pipeline_id": pipeline_id})
        return found

    def runs(self, http: httpx.Client, pipeline_id: int) -> tuple[str | None, str | None]:
        found = self.listed(http, pipeline_id)
        return found["last_run"], found["next_run"]

    def windows(self, http: httpx.Client, assay_id: int) -> list[str]:
        results = done(http, "get_assay_results", {"assay_id": assay_id})
        return [result["window_start"][:10] for result in results]

    def test_a_window_is_computed_when_it_is_over(self, http: httpx.Client, pipeline_id: int) -> None:
        assay_id = self.create(http, pipeline_id)
        found = self.listed(http, pipeline_id)
        assert (found["last_run"], found["next_run"]) == (None, found["updated_at"]), "as recorded: when it was made"
        before = steer(http, "clock", {"now": "2023-01-02T23:59:00Z"})
        assert before["assays"] == []
        assert self.windows(http, assay_id) == []
        after = steer(http, "clock", {"advance": 60})
        assert after["assays"] == [{"assay_id": assay_id, "results": 1, "error": None}]
        assert self.runs(http, pipeline_id) == ("2023-01-03T00:00:00+00:00", "2023-01-03T00:00:00+00:00")
        [result] = done(http, "get_assay_results", {"assay_id": assay_id})
        assert (result["window_start"], result["score"], result["status"]) == ("2023-01-02T00:00:00Z", 0.0, "Ok")
        assert shortly_after(result["created_at"], "2023-01-03T00:00:00+00:00")
        assert shortly_after(result["analyzed_at"], "2023-01-03T00:00:00+00:00")

    def test_a_long_step_computes_all_that_is_due(self, http: httpx.Client, pipeline_id: int) -> None:
        assay_id = self.create(http, pipeline_id)
        [ran] = steer(http, "clock", {"now": "2023-01-09T12:00:00Z"})["assays"]
        assert (ran["assay_id"], ran["results"]) == (assay_id, 3)
        assert self.windows(http, assay_id) == ["2023-01-02", "2023-01-03", "2023-01-05"]
        assert self.runs(http, pipeline_id) == ("2023-01-09T00:00:00+00:00", "2023-01-09T00:00:00+00:00")

    def test_what_is_listed_is_caught_up_without_setting_the_clock(self, http: httpx.Client, pipeline_id: int) -> None:
        steer(http, "clock", {"now": "2023-01-04T12:00:00Z"})
        assay_id = self.create(http, pipeline_id)
        found = self.listed(http, pipeline_id)
        assert (found["last_run"], found["next_run"]) == (found["updated_at"], "2023-01-04T00:00:00+00:00")
        assert self.windows(http, assay_id) == ["2023-01-02", "2023-01-03"]

    def test_one_that_is_switched_off_does_not_run(self, http: httpx.Client, pipeline_id: int) -> None:
        assay_id = self.create(http, pipeline_id)
        steer(http, "clock", {"now": "2023-01-03T00:00:00Z"})
        done(http, "set_assay_active", {"id": assay_id, "active": False})
        assert steer(http, "clock", {"now": "2023-01-08T00:00:00Z"})["assays"] == []
        assert self.windows(http, assay_id) == ["2023-01-02"]
        assert self.runs(http, pipeline_id) == ("2023-01-03T00:00:00+00:00", "2023-01-03T00:00:00+00:00")
        done(http, "set_assay_active", {"id": assay_id, "active": True})
        found = self.listed(http, pipeline_id)
        assert (found["last_run"], found["next_run"]) == (found["updated_at"], "2023-01-08T00:00:00+00:00")
        assert self.windows(http, assay_id) == ["2023-01-02", "2023-01-03", "2023-01-05"]

    def test_one_ends_when_it_was_to_end(self, http: httpx.Client, pipeline_id: int) -> None:
        assay_id = self.create(http, pipeline_id, run_until="2023-01-04T00:00:00Z")
        steer(http, "clock", {"now": "2023-02-01T00:00:00Z"})
        assert self.windows(http, assay_id) == ["2023-01-02", "2023-01-03"]
        assert self.runs(http, pipeline_id) == ("2023-01-04T00:00:00+00:00", "2023-01-04T00:00:00+00:00")

    def test_one_that_ends_before_its_first_window_never_runs(self, http: httpx.Client, pipeline_id: int) -> None:
        self.create(http, pipeline_id, run_until="2023-01-02T12:00:00Z")
        steer(http, "clock", {"now": "2023-02-01T00:00:00Z"})
        found = self.listed(http, pipeline_id)
        assert (found["last_run"], found["next_run"]) == (None, found["updated_at"])

    def test_a_first_window_after_the_last_day_never_comes(self, http: httpx.Client, pipeline_id: int) -> None:
        window = assay(pipeline_id)["window"] | {"start": "9999-12-31T00:00:00Z", "width": "5 days"}
        self.create(http, pipeline_id, window=window)
        found = self.listed(http, pipeline_id)
        assert (found["last_run"], found["next_run"]) == (None, found["updated_at"])

    def test_rows_that_come_late_change_no_result(self, http: httpx.Client, pipeline_id: int) -> None:
        assay_id = self.create(http, pipeline_id)
        steer(http, "clock", {"now": "2023-01-09T12:00:00Z"})
        before = done(http, "get_assay_results", {"assay_id": assay_id})
        runs = self.runs(http, pipeline_id)
        seed_rows(http, pipeline_id, day(3, 7, 7, 7, 7))
        assert done(http, "get_assay_results", {"assay_id": assay_id}) == before
        seed_rows(http, pipeline_id, day(4, 3, 3))
        assert self.windows(http, assay_id) == ["2023-01-02", "2023-01-03", "2023-01-04", "2023-01-05"]
        assert self.runs(http, pipeline_id) == runs

    def test_the_clock_may_go_back(self, http: httpx.Client, pipeline_id: int) -> None:
        assay_id = self.create(http, pipeline_id)
        steer(http, "clock", {"now": "2023-01-04T00:00:00Z"})
        kept = done(http, "get_assay_results", {"assay_id": assay_id})
        back = steer(http, "clock", {"now": "2023-01-02T00:00:00Z"})
        assert back["assays"] == []
        assert done(http, "get_assay_results", {"assay_id": assay_id}) == kept
        [ran] = steer(http, "clock", {"now": "2023-01-07T00:00:00Z"})["assays"]
        assert ran["results"] == 1
        assert self.windows(http, assay_id) == ["2023-01-02", "2023-01-03", "2023-01-05"]
        assert done(http, "get_assay_results", {"assay_id": assay_id})[:2] == kept

    def test_what_was_due_before_the_clock_goes_back_is_computed(self, http: httpx.Client) -> None:
        steer(http, "clock", {"now": "2023-01-04T00:00:00Z"})
        pipeline_id = seed_pipeline(http)
        seed_rows(http, pipeline_id, [*day(1, 1, 2), *day(2, 1, 2)])
        assay_id = self.create(http, pipeline_id)
        [ran] = steer(http, "clock", {"reset": True})["assays"]
        assert (ran["assay_id"], ran["results"]) == (assay_id, 1)

    def test_one_without_a_baseline_waits_for_it(self, http: httpx.Client, pipeline_id: int) -> None:
        window = assay(pipeline_id)["window"] | {"model_name": "other"}
        assay_id = self.create(http, pipeline_id, baseline=baseline_of(window))
        assert steer(http, "clock", {"now": "2023-01-04T00:00:00Z"})["assays"] == []
        assert self.runs(http, pipeline_id)[0] is None
        rows = day(1, 1, 2, 3)
        entry = {"pipeline_id": pipeline_id, "model_name": "other", "rows": rows}
        steer(http, "seed", {"inferences": [entry]})
        assert self.windows(http, assay_id) == ["2023-01-02", "2023-01-03"]

    def test_one_that_cannot_run_is_no_trouble_for_the_others(self, http: httpx.Client, pipeline_id: int) -> None:
        broken = self.create(http, pipeline_id, path="output z 0")
        good = self.create(http, pipeline_id)
        failed, ran = steer(http, "clock", {"now": "2023-01-03T00:00:00Z"})["assays"]
        assert (failed["assay_id"], failed["results"]) == (broken, 0)
        assert "the output fields are 'y'" in failed["error"]
        assert ran == {"assay_id": good, "results": 1, "error": None}
        assert len(done(http, "list_assays", {"pipeline_id": pipeline_id})) == 2
