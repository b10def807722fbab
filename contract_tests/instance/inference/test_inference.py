"""Do deployments score exactly, each its own rows, several at a time and in turn, and say when and by what?"""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from wallaroo_ext.conformance.resources.samples import (
    INPUT,
    OUTPUT,
    SINGLE,
    distinct_rows,
    edge_rows,
    exact_scores,
    typed_rows,
    typed_scores,
)
from wallaroo_ext.conformance.testing.answer_forms import ARROW, JSON, RECORDS, Answered
from wallaroo_ext.conformance.testing.api_calls import NOT_TAKEN
from wallaroo_ext.conformance.testing.clocks import clock_of_things, clocks_of
from wallaroo_ext.conformance.testing.inference.deploying import deployed, new_pipeline
from wallaroo_ext.conformance.testing.inference.logged_rows import newest_logged, newest_of_topic, pages_of_log
from wallaroo_ext.conformance.testing.inference.row_checks import check_rows, check_whole_rows
from wallaroo_ext.conformance.testing.inference.scoring import (
    OPERATIONS,
    RUN_SEED,
    TWIN_SEED,
    Scoring,
    difference,
    records_of,
)
from wallaroo_ext.conformance.testing.waiting import soon

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from wallaroo_ext.conformance.resources.fixtures import Fixtures
    from wallaroo_ext.conformance.testing.api_calls import Api

pytestmark = [pytest.mark.thorough("many rows, and rows in every form"), pytest.mark.separate]

BOTH = pytest.mark.touches(*OPERATIONS)
CLOCK_SECONDS = 30.0
"""How far the clocks of an instance's machines may be apart."""


class TestValues:
    """Each type at its precision, in rows of any number and any size."""

    @BOTH
    @pytest.mark.parametrize(
        ("media_type", "accept", "count", "text_length"),
        [(RECORDS, JSON, 260, 600), (ARROW, ARROW, 260, 600), (RECORDS, ARROW, 70, 40), (ARROW, JSON, 70, 40)],
    )
    def test_values_keep_their_type_and_their_precision(
        self, media_type: str, accept: str, count: int, text_length: int, operation: str, api: Api, typed: Scoring
    ) -> None:
        rows = typed_rows(count, text_length)
        scores = typed_scores(rows)
        answer = typed.send(api, operation, rows, media_type=media_type, headers={"Accept": accept})
        if answer.status_code in NOT_TAKEN:
            pytest.skip(f"What is in front of this instance takes no such body ({answer.status_code}).")
        check_rows(api, typed, Answered.of(answer, list(scores)), rows, scores)

    @BOTH
    def test_values_at_the_edges_of_their_types_are_kept(self, operation: str, api: Api, typed: Scoring) -> None:
        rows = edge_rows()
        scores = typed_scores(rows)
        other = (ARROW, ARROW) if operation == "infer_pipeline" else (ARROW, JSON)
        for media_type, accept in ((RECORDS, JSON), other):
            answer = typed.send(api, operation, rows, media_type=media_type, headers={"Accept": accept})
            check_rows(api, typed, Answered.of(answer, list(scores)), rows, scores)

    @BOTH
    def test_what_is_no_number_is_none_in_json_either(self, operation: str, api: Api, typed: Scoring) -> None:
        rows = typed_rows(40) | {SINGLE: np.full((40, 3), -1, np.float32)}
        answer = typed.send(api, operation, rows, headers={"Accept": JSON})
        assert not any(name in answer.text for name in ("NaN", "Infinity")), "JSON has no such numbers"
        found = Answered.of(answer, list(typed_scores(rows))).parts["out"]["root"]
        assert not difference(found, typed_scores(rows)["root"])


class TestMetadata:
    @BOTH
    @pytest.mark.parametrize("accept", [JSON, ARROW])
    def test_each_row_says_when_and_by_what_it_was_scored(
        self, accept: str, operation: str, api: Api, weighted: Scoring
    ) -> None:
        for media_type in (RECORDS, ARROW):
            flat, headers = {"dataset.separator": "."}, {"Accept": accept}
            rows = {INPUT: distinct_rows(7)}
            for params in ({}, flat):
                more: dict[str, Any] = {"media_type": media_type, "headers": headers, "params": params}
                check_whole_rows(api, Answered.of(weighted.send(api, operation, rows, **more)), weighted)
        began, started = time.time(), time.perf_counter_ns()
        answer = weighted.send(api, operation, {INPUT: distinct_rows(130)}, headers={"Accept": accept})
        took = time.perf_counter_ns() - started
        answered, clocks = Answered.of(answer), clocks_of(answer, began=began, leeway=CLOCK_SECONDS)
        if answered.is_oldest:
            pytest.skip("The release answers with outputs only.")
        assert len(answered.times) == answered.count
        scored = [milliseconds / 1000 for milliseconds in (min(answered.times), max(answered.times))]
        problem = f"it was scored from {scored[0]} to {scored[1]}, which was not between request and answer: {clocks}"
        assert clocks.have(scored, [clock_of_things(api)]), problem
        check_whole_rows(api, answered, weighted)
        engines = api.call("get_deployment_status", {"name": weighted.deployment})["engines"]
        assert set(answered.parts.get("metadata", {}).get("partition", ())) <= {each["name"] for each in engines}
        longest = max(map(sum, answered.parts.get("metadata", {}).get("elapsed", ())), default=0)
        assert longest <= 2 * took, f"scoring took {longest} ns of the {took} ns to the answer"


class TestLogged:
    @pytest.mark.touches("get_pipeline_logs", "infer_pipeline", if_there=("get_topic_records",))
    @pytest.mark.counts_rows
    def test_values_of_all_types_are_logged_as_they_were_answered(self, api: Api, typed: Scoring) -> None:
        if not api.has("get_pipeline_logs"):
            pytest.skip("The release does not have it.")
        for rows, media_type in ((typed_rows(6, 900), ARROW), (edge_rows(), RECORDS)):
            scores = typed_scores(rows)
            answered = Answered.of(typed.send(api, "infer_pipeline", rows, media_type=media_type), list(scores))
            backwards = [{name: values[::-1] for name, values in columns.items()} for columns in (rows, scores)]
            for accept in (JSON, ARROW):
                check_rows(api, typed, newest_logged(api, typed, answered, accept), *backwards)
            newest = newest_of_topic(api, typed, answered.count) if api.has("get_topic_records") else None
            if newest is not None:
                check_rows(api, typed, newest, rows, scores)


class TestSeveralInTurn:
    @BOTH
    @pytest.mark.parametrize("media_type", [RECORDS, ARROW])
    def test_equal_rows_are_scored_by_the_deployment_that_they_are_sent_to(
        self, media_type: str, operation: str, api: Api, weighted: Scoring, twin: Scoring
    ) -> None:
        rows = distinct_rows(3, seed=11)
        for scoring, seed in ((weighted, RUN_SEED), (twin, TWIN_SEED)) * 2:
            answered = Answered.of(scoring.send(api, operation, {INPUT: rows}, media_type=media_type))
            check_rows(api, scoring, answered, {INPUT: rows}, {OUTPUT: exact_scores(rows, seed)})


class TestSeveralAtATime:
    """Requests of several sizes and formats at a time, to one deployment and to two."""

    @pytest.mark.touches(*OPERATIONS, if_there=("get_pipeline_logs",))
    @pytest.mark.counts_rows
    def test_each_request_gets_its_own_rows(self, operation: str, api: Api, weighted: Scoring) -> None:
        sent = [distinct_rows((3, 300, 1, 70)[number % 4], seed=number) for number in range(12)]

        def score(number: int) -> None:
            rows = sent[number]
            media_type = (RECORDS, ARROW)[number // 4 % 2]
            headers = {"Accept": (JSON, ARROW)[number // 2 % 2]}
            answer = weighted.send(api, operation, {INPUT: rows}, media_type=media_type, headers=headers)
            check_rows(api, weighted, Answered.of(answer), {INPUT: rows}, {OUTPUT: exact_scores(rows)})

        at_a_time([(lambda number=number: score(number)) for number in range(len(sent))])
        if not api.has("get_pipeline_logs"):
            return
        expected = np.concatenate(sent).tolist()

        def newest() -> bool:
            found: list[Any] = []
            for page in pages_of_log(api, weighted, headers={"Accept": ARROW}):  # those of each form have their own
                found += Answered.of(page).parts["in"].get(INPUT, [])
                if len(found) >= len(expected):
                    break
            return sorted(found[: len(expected)]) == sorted(expected)

        soon(newest, lambda: f"the newest {len(expected)} rows of the log are not those of requests at a time")

    @BOTH
    def test_each_deployment_scores_its_own_rows(
        self, operation: str, api: Api, weighted: Scoring, typed: Scoring
    ) -> None:
        def score(number: int) -> None:
            if number % 2:
                rows = {INPUT: distinct_rows(50 + number, seed=number)}
                scoring, scores = weighted, {OUTPUT: exact_scores(rows[INPUT])}
            else:
                rows = typed_rows(50 + number)
                scoring, scores = typed, typed_scores(rows)
            answered = Answered.of(scoring.send(api, operation, rows), list(scores))
            check_rows(api, scoring, answered, rows, scores)

        at_a_time([(lambda number=number: score(number)) for number in range(8)])


def at_a_time(actions: Sequence[Callable[[], None]], threads: int = 4) -> None:
    """Run actions in threads, so many at a time, each with the others of its group."""
    barrier = threading.Barrier(threads)

    def act(action: Callable[[], None]) -> None:
        barrier.wait(timeout=60)
        action()

    with ThreadPoolExecutor(threads) as pool:
        for begin in range(0, len(actions), threads):
            for done in [pool.submit(act, action) for action in actions[begin : begin + threads]]:
                done.result()


def in_capitals(name: str) -> str:
    """Return a name of the run in which only what the run put behind its prefix has other letters."""
    prefix, _, last = name.rpartition("-")
    return f"{prefix}-{last.upper()}"


class TestUrls:
    @BOTH
    def test_a_pipeline_without_models_scores_nothing(self, operation: str, api: Api, fixtures: Fixtures) -> None:
        pipeline = new_pipeline(api, fixtures)
        number, deployment = deployed(api, pipeline)
        body, headers = records_of({INPUT: distinct_rows(2)}), {"Content-Type": RECORDS}
        path = {"deployment": deployment, "pipeline": pipeline["name"]}
        answer = api.send(operation, path=path, content=body, headers=headers)
        assert answer.status_code in {400, 503}, f"{answer.status_code} {answer.text[:300]}"
        api.call("undeploy_pipeline", {"deployment_id": number})

    @BOTH
    def test_the_name_of_one_deployment_and_the_id_of_another_are_no_deployment(
        self, operation: str, api: Api, fixtures: Fixtures, weighted: Scoring
    ) -> None:
        assert fixtures.deployment is not None
        other, body = fixtures.deployment, {INPUT: distinct_rows(2)}
        crossed = [{"deployment": f"{weighted.name}-{other.id}", "pipeline": weighted.name}]
        crossed += [{"deployment": f"{other.pipeline}-{weighted.deployment_id}", "pipeline": other.pipeline}]
        if operation == "infer_pipeline":
            crossed += [weighted.path | {"pipeline": other.pipeline}]
            crossed += [{"deployment": other.name, "pipeline": weighted.name}]
            crossed += [weighted.path | {"pipeline": in_capitals(weighted.name)}]
        crossed += [weighted.path | {"deployment": f"{in_capitals(weighted.name)}-{weighted.deployment_id}"}]
        for path in crossed:
            assert weighted.send(api, operation, body).is_success
            answer = api.send(
                operation, path=path, content=records_of(body), headers={"Content-Type": RECORDS, "Accept": JSON}
            )
            assert answer.status_code in {400, 404}, f"{path}: {answer.status_code} {answer.text[:300]}"

    @pytest.mark.touches("get_pipeline_external_url", "infer_pipeline", if_there=("infer_deployment",))
    def test_a_deployment_is_looked_for_by_its_name_before_a_pipeline(self, api: Api, weighted: Scoring) -> None:
        where = {"workspace_id": weighted.workspace_id}
        other = api.unused_name("p")
        made = api.call("create_pipeline", where | {"pipeline_id": other, "definition": {}})
        ids = {"pipeline_id": made["pipeline_pk_id"], "pipeline_version_pk_id": made["pipeline_variant_pk_id"]}
        crossed = api.unused_name("p")
        # A pipeline called as the deployment of another one is, and with a deployment of another name.
        named = api.call("create_pipeline", where | {"pipeline_id": crossed, "definition": {}})
        its = {"pipeline_id": named["pipeline_pk_id"], "pipeline_version_pk_id": named["pipeline_variant_pk_id"]}
        requests = (its | {"deploy_id": api.unused_name("p")}, ids | {"deploy_id": crossed})
        numbers = [api.call("deploy_pipeline", request | {"models": [weighted.model]})["id"] for request in requests]
        deployed = numbers[1]
        try:
            urls = dict.fromkeys((crossed, other), (f"{crossed}-{deployed}", other))
            urls[weighted.name] = weighted.deployment, weighted.name
            for asked, (deployment, pipeline) in urls.items():
                url = api.call("get_pipeline_external_url", where | {"pipeline_name": asked})["url"]
                _, found, behind = f"{url}/".partition(f"/{deployment}/")
                assert found, f"the URL of {asked} is {url}"
                assert behind.strip("/") in {"", pipeline}, f"the URL of {asked} leads to another pipeline: {url}"
        finally:
            for number in numbers:
                api.send("undeploy_pipeline", {"deployment_id": number})
