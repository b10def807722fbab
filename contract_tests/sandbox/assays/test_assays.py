"""Does an instance keep the contract of assays, and compute them from what it really scored?"""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import httpx
import numpy as np
import pytest

from contract_tests.support.recorded import answer_schema, answered, problems, recorded_answer
from wallaroo_ext import contract, infer, upload_model, wait_until_running
from wallaroo_ext.conformance.testing.assays.scenes import SUMMARIZER
from wallaroo_ext.sandbox.process import running

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from pathlib import Path

    from wallaroo_mlops_client import Client

WIDTH = 29
SECOND = timedelta(seconds=1)
RESULT = "mlops-api-tutorial/run-assay-interactively-1"


def post(http: httpx.Client, operation: str, body: Any) -> httpx.Response:
    return http.post(contract.operation(operation).path, json=body)


def done(http: httpx.Client, operation: str, body: Any) -> Any:
    """Return the answer to a request, after checking that it succeeds and keeps the contract."""
    answer = post(http, operation, body)
    assert answer.status_code == 200, answer.text
    assert problems(answer_schema(operation), answer.json()) == []
    return answer.json()


def refused(http: httpx.Client, operation: str, body: Any) -> str:
    answer = post(http, operation, body)
    assert (answer.status_code, set(answer.json())) == (400, {"code", "msg"}), answer.text
    return answer.json()["msg"]


def recording(name: str) -> Any:
    [found] = [parameter.values[0] for parameter in answered() if parameter.id == name]
    return recorded_answer(found)


def text(moment: datetime) -> str:
    return moment.isoformat()


def moment(written: str) -> datetime:
    return datetime.fromisoformat(written)


@dataclass(frozen=True)
class Watched:
    """A pipeline that scored two batches: one to be the baseline, and another one in the window after it.

    Attributes:
        workspace_id: Its workspace.
        pipeline_id: Its id.
        name: Its name, which is its model's too.
        before: How many rows it scored before.
        start: When the first batch came, at the latest; the baseline begins here and is a second long.
        baseline: The rows of the first batch.
        window: The rows of the second one.
    """

    workspace_id: int
    pipeline_id: int
    name: str
    before: int
    start: datetime
    baseline: np.ndarray[Any, Any]
    window: np.ndarray[Any, Any]

    def request(self, **changes: Any) -> dict[str, Any]:
        """Return the request of an assay of the model's output, with changed fields of any of its parts."""
        baseline = {
            "pipeline": self.name,
            "model": self.name,
            "start_at": text(self.start),
            "end_at": text(self.start + SECOND),
        }
        window = {"pipeline": self.name, "model": self.name, "width": "1 seconds", "start": None, "interval": None}
        summarizer = dict(SUMMARIZER)
        for part in (baseline, window, summarizer):
            part.update({name: changes.pop(name) for name in list(changes) if name in part})
        good = {
            "name": "watch",
            "pipeline_id": self.pipeline_id,
            "pipeline_name": self.name,
            "active": True,
            "status": "active",
            "iopath": "output dense_1 0",
            "baseline": {"Fixed": baseline},
            "window": window,
            "summarizer": summarizer,
            "warning_threshold": 0,
            "alert_threshold": 0.1,
            "run_until": None,
            "workspace_id": self.workspace_id,
        }
        return good | changes


@pytest.fixture(scope="module")
def sandbox() -> Generator[dict[str, str]]:
    """Yield the environment of a sandbox of a release whose assays are in the documents' form."""
    with running(None, "--release", "2023.2") as environment:
        yield environment


@pytest.fixture
def stranger(http: httpx.Client, sandbox: dict[str, str]) -> Generator[httpx.Client]:
    """Yield a client with the token of a user who is no member of the default user's workspace."""
    email, password = f"stranger-{time.time_ns()}@example.com", "a stranger's"
    done(http, "invite_user", {"email": email, "password": password})
    answer = httpx.post(
        sandbox["WALLAROO_AUTH_URL"] + contract.operation("request_token").path,
        data={"grant_type": "password", "username": email, "password": password},
        auth=(sandbox["WALLAROO_CLIENT_ID"], sandbox["WALLAROO_CLIENT_SECRET"]),
    )
    headers = {"Authorization": f"Bearer {answer.json()['access_token']}"}
    with httpx.Client(base_url=sandbox["WALLAROO_API_URL"], headers=headers, timeout=30) as plain:
        yield plain


@pytest.fixture(scope="module")
def shared() -> dict[str, Watched]:
    """Return the pipeline that these tests share and do not change."""
    return {}


@pytest.fixture
def watched(
    shared: dict[str, Watched],
    client: Client,
    http: httpx.Client,
    workspace_id: int,
    model_file: Path,
    deploy: Callable[..., tuple[str, str]],
) -> Watched:
    if "watched" not in shared:
        shared["watched"] = _score_two_batches(client, http, workspace_id, model_file, deploy)
    return shared["watched"]


def _score_two_batches(
    client: Client,
    http: httpx.Client,
    workspace_id: int,
    model_file: Path,
    deploy: Callable[..., tuple[str, str]],
) -> Watched:
    name = "watched"
    version = upload_model(client, model_file, name=name, workspace=workspace_id)
    deployment, url = deploy(name, version.id)
    wait_until_running(client, deployment)
    random = np.random.default_rng(7)
    baseline = random.normal(size=(181, WIDTH)).astype(np.float32)
    window = random.normal(0.1, 1.5, size=(182, WIDTH)).astype(np.float32)
    infer(client, url, {"tensor": baseline[:1]})  # the first inference takes longer
    before = 1
    while True:  # until a busy machine has done each batch within its second
        infer(client, url, {"tensor": baseline[:1]})  # so that a row is logged right before the baseline
        before += 1
        time.sleep(0.01)
        start = datetime.now(UTC)
        start = start.replace(microsecond=start.microsecond // 1000 * 1000)
        infer(client, url, {"tensor": baseline})
        is_in_time = datetime.now(UTC) < start + SECOND
        _wait_until(start + SECOND)
        infer(client, url, {"tensor": window})
        if is_in_time and datetime.now(UTC) < start + 2 * SECOND:
            break
        before += len(baseline) + len(window)
    _wait_until(start + 2 * SECOND)
    where: dict[str, Any] = {"workspace_id": workspace_id, "pipeline_id": name, "definition": {}}
    pipeline_id = done(http, "create_pipeline", where)["pipeline_pk_id"]
    return Watched(workspace_id, pipeline_id, name, before, start, baseline, window)


def _wait_until(then: datetime) -> None:
    while (left := (then - datetime.now(UTC)).total_seconds()) > 0:
        time.sleep(left)


def density(values: np.ndarray[Any, Any], edges: list[float]) -> list[float]:
    """Return the shares of values in bins closed on the right, computed without the sandbox."""
    inside = [((values > low) & (values <= high)).sum() for low, high in pairwise(edges)]
    inside[0] += (values == edges[0]).sum()
    counts = [(values < edges[0]).sum(), *inside, (values > edges[-1]).sum()]
    return [count / len(values) for count in counts]


class TestInteractiveRuns:
    def test_a_window_is_compared_with_the_baseline(
        self, http: httpx.Client, watched: Watched, expected: Callable[[Any], np.ndarray[Any, Any]]
    ) -> None:
        [result] = done(http, "run_interactive_assay", watched.request(id=77))
        baseline, window = expected(watched.baseline).ravel(), expected(watched.window).ravel()
        summary, compared = result["baseline_summary"], result["window_summary"]
        assert (summary["count"], compared["count"]) == (181, 182)
        for name, compute in (
            ("min", np.min),
            ("max", np.max),
            ("mean", np.mean),
            ("median", np.median),
            ("std", np.std),
        ):
            assert summary[name] == pytest.approx(compute(baseline), abs=1e-6)
            assert compared[name] == pytest.approx(compute(window), abs=1e-6)
        *edges, last = summary["edges"]
        assert last is None
        assert edges == pytest.approx(np.sort(baseline)[[0, 35, 71, 108, 144, 180]], abs=1e-6)
        assert summary["aggregated_values"] == pytest.approx(
            [0, 36 / 181, 36 / 181, 37 / 181, 36 / 181, 36 / 181, 0], abs=1e-12
        )
        assert compared["edges"] == summary["edges"]
        assert compared["aggregated_values"] == pytest.approx(density(window, edges), abs=1 / 182 + 1e-12)
        assert result["score"] == pytest.approx(sum(result["scores"]), abs=1e-12)
        assert result["score"] > 0.1
        assert (result["status"], result["bin_index"], result["assay_id"]) == ("Alert", None, 77)

    def test_a_result_has_the_recorded_fields_in_their_order(self, http: httpx.Client, watched: Watched) -> None:
        [old] = recording(RESULT)
        [result] = done(http, "run_interactive_assay", watched.request())
        assert list(result) == list(old)
        for part in ("baseline_summary", "window_summary", "summarizer"):
            assert list(result[part]) == list(old[part])
        assert result["baseline_summary"]["edge_names"] == old["baseline_summary"]["edge_names"]
        assert all(name.startswith("e_") for name in result["window_summary"]["edge_names"][1:-1])
        assert (result["warning_threshold"], result["iopath"]) == (0.0, "output dense_1 0")
        assert [result[name] for name in ("id", "assay_id", "pipeline_id", "created_at")] == [None] * 4
        assert result["window_start"].endswith("Z")
        assert moment(result["window_start"]) == watched.start + SECOND
        assert len(result["analyzed_at"]) == len(old["analyzed_at"])

    def test_a_baseline_is_compared_with_itself(self, http: httpx.Client, watched: Watched) -> None:
        result = done(http, "run_interactive_assay_baseline", watched.request(id=5))
        old = recording("mlops-api-tutorial/create-interactive-baseline-1")
        assert list(result) == list(old)
        assert (result["status"], result["score"], result["scores"]) == ("BaselineRun", 0.0, [0.0] * 7)
        names = {"edge_names"}
        summaries = [
            {name: value for name, value in result[part].items() if name not in names}
            for part in ("baseline_summary", "window_summary")
        ]
        assert summaries[0] == summaries[1]
        assert moment(result["window_start"]) == watched.start

    def test_windows_begin_at_every_interval_and_empty_ones_are_left_out(
        self, http: httpx.Client, watched: Watched
    ) -> None:
        changes = {
            "start": text(watched.start - 10 * SECOND),
            "interval": "500 milliseconds",
            "run_until": text(watched.start + 2 * SECOND),
        }
        results = done(http, "run_interactive_assay", watched.request(**changes))
        begun = [(moment(result["window_start"]) - watched.start).total_seconds() for result in results]
        assert {0.0, 1.0} < {begin for begin in begun if begin > -1.5} <= {-1.0, -0.5, 0.0, 0.5, 1.0}
        assert begun == sorted(begun)
        assert done(http, "run_interactive_assay", watched.request(run_until=text(watched.start))) == []

    def test_a_start_long_ago_takes_no_longer(self, http: httpx.Client, watched: Watched) -> None:
        changes = {"start": "1970-01-01T00:00:00Z", "width": "1 milliseconds"}
        began = time.monotonic()
        results = done(http, "run_interactive_assay", watched.request(**changes))
        assert time.monotonic() - began < 5
        assert {result["window_summary"]["count"] for result in results} >= {181, 182}

    def test_a_number_with_a_point_is_an_integer(self, http: httpx.Client, watched: Watched) -> None:
        [result] = done(http, "run_interactive_assay", watched.request(num_bins=5.0))
        assert len(result["scores"]) == 7

    @pytest.mark.parametrize(
        ("metric", "combined"), [("MaxDiff", max), ("SumDiff", sum)], ids=["the largest", "the sum"]
    )
    def test_differences_of_bins(
        self, http: httpx.Client, watched: Watched, metric: str, combined: Callable[[list[float]], float]
    ) -> None:
        [result] = done(http, "run_interactive_assay", watched.request(metric=metric, bin_mode="Equal"))
        pairs = zip(
            result["baseline_summary"]["aggregated_values"], result["window_summary"]["aggregated_values"], strict=True
        )
        scores = [abs(w - b) for b, w in pairs]
        assert result["scores"] == pytest.approx(scores)
        assert result["score"] == pytest.approx(combined(scores))
        assert result["bin_index"] == (scores.index(max(scores)) if metric == "MaxDiff" else None)

    def test_an_input_is_watched_by_name_or_number(self, http: httpx.Client, watched: Watched) -> None:
        results = [
            done(http, "run_interactive_assay_baseline", watched.request(iopath=path))
            for path in ("input tensor 28", "input 0 28")
        ]
        for result in results:
            assert result["baseline_summary"]["max"] == watched.baseline[:, 28].max()
            assert result["baseline_summary"]["mean"] == pytest.approx(watched.baseline[:, 28].mean(dtype=np.float64))

    @pytest.mark.parametrize(
        ("changes", "excerpt"),
        [
            ({"iopath": "output dense_2 0"}, "'dense_1'"),
            ({"iopath": "output dense_1 1"}, "no value 1"),
            ({"iopath": "input 1 0"}, "'tensor'"),
            ({"start_at": "2023-01-01T00:00:00Z", "end_at": "2023-01-02T00:00:00Z"}, "baseline is empty"),
            ({"start_at": "2123-01-02T00:00:00Z"}, "ends before it begins"),
            ({"end_at": "2123-02-30T00:00:00Z"}, "2123-02-30"),
            ({"model": "another"}, "baseline is empty"),
            ({"width": "a while"}, "a while"),
            ({"interval": "0 hours"}, "0 hours"),
            ({"bin_weights": [1.0]}, "1 bin_weights for 7 bins"),
            ({"bin_mode": "Provided"}, "provided_edges"),
            ({"type": "Categorical"}, "UnivariateContinuous"),
            ({"pipeline_name": "another"}, "no pipeline 'another'"),
            ({"pipeline_id": 99999}, "does not have the id 99999"),
            ({"pipeline": "another"}, "no pipeline 'another'"),
            ({"workspace_id": 99999}, "no workspace 99999"),
        ],
    )
    def test_what_cannot_be_computed_is_said(
        self, http: httpx.Client, watched: Watched, changes: dict[str, Any], excerpt: str
    ) -> None:
        for operation in ("run_interactive_assay", "run_interactive_assay_baseline"):
            assert excerpt in refused(http, operation, watched.request(**changes))


class TestKeptAssays:
    def test_an_assay_is_listed_as_recorded(self, http: httpx.Client, watched: Watched) -> None:
        ids = [
            done(http, "create_assay", watched.request(name=name, **changes))["assay_id"]
            for name, changes in (("first", {}), ("second", {"warning_threshold": None}))
        ]
        newest, older, *_ = listed = done(http, "list_assays", {"pipeline_id": watched.pipeline_id})
        assert [newest["id"], older["id"]] == [ids[1], ids[0]]
        assert [found["id"] for found in listed] == sorted((found["id"] for found in listed), reverse=True)
        old = recording("mlops-api-tutorial/list-assays-1")[0]
        assert list(older) == list(old)
        for part in ("baseline", "window", "summarizer"):
            assert list(older[part]) == list(old[part])
        request = watched.request()
        assert older["baseline"] == request["baseline"]
        assert older["window"] == request["window"]
        assert json.loads(older["status"]).keys() == {"run_at", "num_ok", "num_warnings", "num_alerts"}
        assert older["active"] is True
        assert older["last_run"] == older["updated_at"]  # a window was over when it was created
        assert older["next_run"] > text(watched.start + SECOND)
        assert (older["warning_threshold"], newest["warning_threshold"]) == (0.0, None)

    def test_an_assay_is_switched_off_and_on(self, http: httpx.Client, watched: Watched) -> None:
        assay_id = done(http, "create_assay", watched.request(active=False))["assay_id"]
        assert done(http, "get_assay_results", {"assay_id": assay_id}) == []
        for active in (True, True, False):
            body = {"id": assay_id, "active": active}
            assert done(http, "set_assay_active", body) == body
            [found] = [
                found
                for found in done(http, "list_assays", {"pipeline_id": watched.pipeline_id})
                if found["id"] == assay_id
            ]
            assert found["active"] is active

    def test_results_are_computed_once_and_kept(self, http: httpx.Client, watched: Watched) -> None:
        request = watched.request(run_until=text(watched.start + 2 * SECOND))
        assay_id = done(http, "create_assay", request)["assay_id"]
        [result] = results = done(http, "get_assay_results", {"assay_id": assay_id})
        [interactive] = done(http, "run_interactive_assay", request)
        own = {"id", "assay_id", "pipeline_id", "created_at", "analyzed_at", "elapsed_millis"}
        assert list(result) == list(interactive)
        assert {name: value for name, value in result.items() if name not in own} == {
            name: value for name, value in interactive.items() if name not in own
        }
        assert (result["assay_id"], result["pipeline_id"]) == (assay_id, watched.pipeline_id)
        assert isinstance(result["id"], int)
        assert result["created_at"]
        assert done(http, "get_assay_results", {"assay_id": assay_id}) == results
        [found] = [
            found
            for found in done(http, "list_assays", {"pipeline_id": watched.pipeline_id})
            if found["id"] == assay_id
        ]
        assert (found["last_run"], found["next_run"]) == (found["updated_at"], text(watched.start + 2 * SECOND))
        assert post(http, "set_assay_active", {"id": assay_id, "active": False}).status_code == 200
        assert done(http, "get_assay_results", {"assay_id": assay_id}) == results

    def test_results_are_chosen_by_time_number_and_pipeline(self, http: httpx.Client, watched: Watched) -> None:
        request = watched.request(start=text(watched.start), run_until=text(watched.start + 2 * SECOND))
        assay_id = done(http, "create_assay", request)["assay_id"]
        both = done(http, "get_assay_results", {"assay_id": assay_id})
        assert [moment(found["window_start"]) for found in both] == [watched.start, watched.start + SECOND]

        def chosen(**body: Any) -> list[Any]:
            return done(http, "get_assay_results", {"assay_id": assay_id} | body)

        assert chosen(limit=1) == both[1:]
        assert chosen(start=text(watched.start + SECOND)) == both[1:]
        assert chosen(end=text(watched.start + SECOND)) == both[:1]
        assert chosen(pipeline_id=watched.pipeline_id) == both
        assert chosen(pipeline_id=99999) == []
        for start, end, found in ((0, 2, both), (0, 1, both[:1]), (1, 2, both[1:]), (2, 9, list[Any]())):
            times = {"start": text(watched.start + start * SECOND), "end": text(watched.start + end * SECOND)}
            assert chosen(**times) == found

    def test_an_assay_without_a_baseline_has_no_results(self, http: httpx.Client, watched: Watched) -> None:
        changes = {"start_at": "2023-01-01T00:00:00Z", "end_at": "2023-01-02T00:00:00Z"}
        assay_id = done(http, "create_assay", watched.request(**changes))["assay_id"]
        assert done(http, "get_assay_results", {"assay_id": assay_id}) == []

    @pytest.mark.parametrize(
        ("operation", "body"),
        [
            ("list_assays", {"pipeline_id": 99999}),
            ("set_assay_active", {"id": 99999, "active": True}),
            ("get_assay_results", {"assay_id": 99999}),
            ("get_assay_baseline", {"workspace_id": 99999, "pipeline_name": "watched"}),
            ("get_assay_baseline", {"workspace_id": 1, "pipeline_name": "nothing"}),
        ],
    )
    def test_what_does_not_exist_is_refused(self, http: httpx.Client, operation: str, body: dict[str, Any]) -> None:
        assert refused(http, operation, body)

    def test_who_is_no_member_sees_nothing_of_it(
        self, http: httpx.Client, stranger: httpx.Client, watched: Watched
    ) -> None:
        assay_id = done(http, "create_assay", watched.request())["assay_id"]
        bodies: dict[str, dict[str, Any]] = {
            "create_assay": watched.request(),
            "list_assays": {"pipeline_id": watched.pipeline_id},
            "set_assay_active": {"id": assay_id, "active": False},
            "run_interactive_assay_baseline": watched.request(),
            "run_interactive_assay": watched.request(),
            "get_assay_baseline": {"workspace_id": watched.workspace_id, "pipeline_name": watched.name},
            "get_assay_results": {"assay_id": assay_id},
        }
        for operation, body in bodies.items():
            assert refused(stranger, operation, body).startswith("There is no ")

    @pytest.mark.parametrize("changes", [{"pipeline_id": 99999}, {"pipeline_name": "no"}, {"width": "long"}])
    def test_an_assay_that_makes_no_sense_is_not_created(
        self, http: httpx.Client, watched: Watched, changes: dict[str, Any]
    ) -> None:
        def ids() -> list[int]:  # those that are there go on being run in the meantime
            return [assay["id"] for assay in done(http, "list_assays", {"pipeline_id": watched.pipeline_id})]

        before = ids()
        assert refused(http, "create_assay", watched.request(**changes))
        assert ids() == before


class TestBaselineRows:
    def rows(self, http: httpx.Client, watched: Watched, **changes: Any) -> list[dict[str, Any]]:
        body = {"workspace_id": watched.workspace_id, "pipeline_name": watched.name}
        return done(http, "get_assay_baseline", body | changes)

    def test_rows_are_flat_as_recorded(
        self, http: httpx.Client, watched: Watched, expected: Callable[[Any], np.ndarray[Any, Any]]
    ) -> None:
        rows = self.rows(http, watched, start=text(watched.start), limit=3)
        assert [list(row) for row in rows] == [
            ["time", "in.tensor", "out.dense_1", "metadata.last_model", "metadata.profile"]
        ] * 3
        assert np.array([row["in.tensor"] for row in rows], np.float32).tolist() == watched.baseline[:3].tolist()
        assert [row["out.dense_1"] for row in rows] == pytest.approx(expected(watched.baseline[:3]), abs=1e-6)
        model = json.loads(rows[0]["metadata.last_model"])
        assert rows[0]["metadata.last_model"] == f'{{"model_name":"watched","model_sha":"{model["model_sha"]}"}}'
        elapsed = json.loads(rows[0]["metadata.profile"])["elapsed_ns"]
        assert rows[0]["metadata.profile"] == f'{{"elapsed_ns": {elapsed}}}'
        assert elapsed > 0
        assert abs(rows[0]["time"] - watched.start.timestamp() * 1000) < 1000

    def test_rows_are_chosen_by_time_and_model(self, http: httpx.Client, watched: Watched) -> None:
        end = text(watched.start + SECOND)
        everything = self.rows(http, watched)
        assert len(everything) == watched.before + 181 + 182
        assert [row["time"] for row in everything] == sorted(row["time"] for row in everything)
        assert len(self.rows(http, watched, start=text(watched.start), end=end)) == 181
        assert self.rows(http, watched, start=end) == everything[watched.before + 181 :]
        assert self.rows(http, watched, model_name="watched", limit=300) == everything[:300]
        assert self.rows(http, watched, model_name="another") == []
