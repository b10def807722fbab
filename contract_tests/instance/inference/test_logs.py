"""Do the logs have every row that was scored, once, as it was answered, and do their filters choose the right ones?"""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from wallaroo_ext.conformance.resources.fixtures import assay_request, second_assay_request
from wallaroo_ext.conformance.resources.samples import INPUT, OUTPUT, distinct_rows, exact_scores, model_file
from wallaroo_ext.conformance.testing.answer_forms import ARROW, JSON, Answered, inputs_of, media_type_of, scores_of
from wallaroo_ext.conformance.testing.inference.logged_rows import (
    DEFAULT_PAGE,
    pages_of_log,
    status_of_page,
    topic_parameters,
    wait_until_logged,
)
from wallaroo_ext.conformance.testing.inference.scoring import Scoring, came_to_run, deploy, difference, uploaded

if TYPE_CHECKING:
    from collections.abc import Generator

    from wallaroo_ext.conformance.resources.fixtures import Fixtures
    from wallaroo_ext.conformance.suite import Suite
    from wallaroo_ext.conformance.testing.api_calls import Api

    Rows = list[dict[str, Any]]

pytestmark = [pytest.mark.thorough("pages and filters of logs"), pytest.mark.counts_rows, pytest.mark.separate]

SEED, OTHER_SEED = 29, 17
"""The seeds of the two models that score the rows."""
SIZES = (3, 1203, 5, 2)
"""How many rows are in each request; the first two are scored by one model, the others by another."""
PAUSE_SECONDS = 0.05


@dataclass(slots=True)
class Log:
    """Rows that were scored by a pipeline, and all that it ever scored, in order.

    Attributes:
        scoring: The pipeline.
        topic: Its topic.
        rows: The rows, `[N, WIDTH]`.
        scores: Their outputs, computed independently, `[N, 1]`.
        times: When they were scored, in milliseconds, as the answers say; None in the oldest form.
        borders: Moments between the requests, in milliseconds, by the instance's clock.
        models: The names of the models that scored the rows.
    """

    scoring: Scoring
    topic: str
    rows: np.ndarray[Any, Any]
    scores: np.ndarray[Any, Any]
    times: list[int] | None
    borders: list[int]
    models: list[str]

    def check(self, found: list[dict[str, Any]], start: int = 0, end: int | None = None, *, newest_first: bool) -> None:
        """Fail where logged rows are not those of a span, in this order.

        Args:
            found: The rows, in the form of any release.
            start: The number of the first row of the span.
            end: The number behind that of the last one; None for the last of all.
            newest_first: Whether the rows come in the opposite order.
        """
        order = slice(None, None, -1) if newest_first else slice(None)
        rows, scores = self.rows[start:end][order], self.scores[start:end][order]
        wrong = difference([inputs_of(row) for row in found], rows)
        assert not wrong, f"in: {wrong}"
        wrong = difference([scores_of(row) for row in found], scores)
        assert not wrong, f"out: {wrong}"
        if self.times is not None and found and "time" in found[0]:
            assert [row["time"] for row in found] == self.times[start:end][order], "the times are those of the answers"

    def time_of(self, number: int) -> str:
        """Return when a row was scored, to the millisecond, as the API writes it."""
        assert self.times is not None
        return (datetime.fromtimestamp(0, UTC) + timedelta(milliseconds=self.times[number])).isoformat()


class Logging:
    """Makes the log when it is first needed.

    Attributes:
        log: The log; None as long as it was not made.
    """

    def __init__(self) -> None:
        self.log: Log | None = None

    def made(self, api: Api, workspace_id: int) -> Log:
        """Return the log, with rows that were scored by two models one after the other."""
        if self.log is None:
            self.log = make_log(api, workspace_id)
        return self.log


def make_log(api: Api, workspace_id: int) -> Log:
    """Score rows in several requests by two models of one pipeline, wait until they are logged, and return the log."""
    name = api.unused_name("p")
    models = [uploaded(api, api.unused_name("m"), model_file(seed), workspace_id) for seed in (SEED, OTHER_SEED)]
    scoring = deploy(api, name, workspace_id, models[0])
    assert scoring is not None, "the model did not come to run"
    rows = distinct_rows(sum(SIZES), seed=5)
    parts = np.split(rows, np.cumsum(SIZES)[:-1])
    times, borders = [list[int]()], list[int]()
    scored_by = [SEED, SEED, OTHER_SEED, OTHER_SEED]
    for part, seed in zip(parts, scored_by, strict=True):
        if seed == OTHER_SEED and scoring.model != models[1]:
            scoring.model = models[1]
            again = {"deploy_id": name, "pipeline_id": scoring.pipeline_id, "models": [models[1]]}
            api.call("deploy_pipeline", again | {"pipeline_version_pk_id": scoring.version_id})
            assert came_to_run(api, scoring), "the other model did not come to run"
        if times[-1]:
            borders.append(times[-1][-1] + int(PAUSE_SECONDS * 1000 / 2))
            time.sleep(PAUSE_SECONDS)
        answered = Answered.of(scoring.send(api, "infer_pipeline", {INPUT: part}, headers={"Accept": ARROW}))
        times.append(answered.times or [0] * len(part))
    scores = np.concatenate([exact_scores(part, seed) for part, seed in zip(parts, scored_by, strict=True)])
    known = [each for part in times for each in part]
    topic = api.call("get_topic_name", {"pipeline_pk_id": scoring.pipeline_id})["topic_name"]
    wait_until_logged(api, topic, len(rows))
    return Log(scoring, topic, rows, scores, known if any(known) else None, borders, [each["name"] for each in models])


@pytest.fixture(scope="module")
def logging(api: Api) -> Generator[Logging]:
    """Yield what makes the log; undeploy its pipeline at the end."""
    made = Logging()
    yield made
    if made.log is not None:
        api.send("undeploy_pipeline", {"deployment_id": made.log.scoring.deployment_id})


@pytest.fixture
def log(logging: Logging, api: Api, separate_workspace: int) -> Log:
    """Return the log of the module's pipeline."""
    return logging.made(api, separate_workspace)


@pytest.fixture
def borders(log: Log) -> list[str]:
    """Return the moments between the requests, as the API writes them; skip where the release tells no times."""
    if log.times is None:
        pytest.skip("Answers of the release do not say when rows were scored.")
    return [datetime.fromtimestamp(border / 1000, UTC).isoformat() for border in log.borders]


BORDERS = np.cumsum(SIZES)[:-1].tolist()
"""The numbers of the first rows behind the moments between the requests."""
OFFSETS = (-8, 5.5)
"""Hours by which times are ahead of UTC."""
SPANS = [(0, 1), (1, 2), (0, 2)]
"""Spans of time, by the numbers of the moments at which they begin and end; there are rows before and after each."""


def at_offset(moment: str, hours: float) -> str:
    """Return a time as it is written where clocks are so many hours ahead of UTC."""
    return datetime.fromisoformat(moment).astimezone(timezone(timedelta(hours=hours))).isoformat()


def nine_digits(moment: str) -> str:
    """Return a time in UTC with nine digits of a second and a `Z`."""
    return f"{datetime.fromisoformat(moment).astimezone(UTC):%Y-%m-%dT%H:%M:%S.%f}000Z"


def shifted(moment: str, days: float) -> str:
    """Return the time so many days later."""
    return (datetime.fromisoformat(moment) + timedelta(days=days)).isoformat()


PARTS: tuple[tuple[dict[str, Any], set[str]], ...] = (
    ({"dataset[]": "out"}, {f"out.{OUTPUT}"}),
    ({"dataset.exclude[]": "in"}, {"time", f"out.{OUTPUT}"}),
    ({"dataset[]": ["time", f"in.{INPUT}"]}, {"time", f"in.{INPUT}"}),
    ({"dataset[]": [f"out.{OUTPUT}", "in"]}, {f"in.{INPUT}", f"out.{OUTPUT}"}),
    ({"dataset[]": "*", "dataset.exclude[]": ["metadata", f"out.{OUTPUT}"]}, {"time", f"in.{INPUT}"}),
    ({"dataset[]": ["metadata.last_model", "out"]}, {"metadata.last_model", f"out.{OUTPUT}"}),
    ({"dataset[]": ["in", "out"], "dataset.exclude[]": ["out", "time"]}, {f"in.{INPUT}"}),
)
"""What is asked for of the rows of a topic, or left out, and the inputs, outputs and times that they then have.

Where metadata are named, it is all fields of them, too.
"""


class TestTopics:
    """Pages that follow one another have every row once; a filter has those of its span and no others."""

    @pytest.fixture
    def parameters(self, conformance_suite: Suite) -> set[str]:
        """Return the parameters of the query that the release knows."""
        return topic_parameters(conformance_suite)

    @staticmethod
    def pages(api: Api, log: Log, params: dict[str, Any] | None = None, *, most: int = 10_000) -> list[Rows]:
        """Return the pages of the topic, one after the other, at most so many."""
        position: dict[str, int] | None = {}
        found: list[list[dict[str, Any]]] = []
        while position is not None and len(found) < most:
            page = api.call("get_topic_records", position, path={"topic": log.topic}, params=params)
            assert (page["status"] == "All") is (page["next"] is None), f"{page['status']}, and next {page['next']}"
            assert page["records"] or not position, "a page without rows is announced"
            found.append([json.loads(record) for record in page["records"]])
            position = page["next"]
        return found

    @pytest.mark.touches("get_topic_records", "infer_pipeline")
    def test_the_topic_has_every_row_as_it_was_answered(self, api: Api, log: Log) -> None:
        found = [row for page in self.pages(api, log) for row in page]
        log.check(found, newest_first=False)
        for row in found:
            assert not row.get("check_failures")
            assert not row.get("anomaly", {}).get("count")
        names = [json.loads(row["metadata"]["last_model"])["model_name"] for row in found if "metadata" in row]
        if names:
            assert names == [log.models[0]] * BORDERS[1] + [log.models[1]] * (len(found) - BORDERS[1])

    @pytest.mark.touches("get_topic_records", "infer_pipeline")
    def test_pages_neither_lose_nor_repeat_a_row(self, parameters: set[str], api: Api, log: Log) -> None:
        name = "page_size" if "page_size" in parameters else "limit"
        for size in (500, 301):
            pages = self.pages(api, log, {name: size})
            assert max(map(len, pages)) <= size
            log.check([row for page in pages for row in page], newest_first=False)
        for size in (1, 4):
            pages = self.pages(api, log, {name: size}, most=3)
            log.check([row for page in pages for row in page], 0, 3 * size, newest_first=False)

    @pytest.mark.touches("get_topic_records", "infer_pipeline")
    def test_each_page_has_the_parts_that_are_asked_for(self, parameters: set[str], api: Api, log: Log) -> None:
        if "dataset[]" not in parameters:
            pytest.skip("Rows of the release always have all parts.")
        size = {"page_size" if "page_size" in parameters else "limit": 2}
        formats = (JSON, ARROW) if "dataset.separator" in parameters else (JSON,)
        for number, (chosen, expected) in enumerate(PARTS):
            parts = {"time", "in", "out"} | ({"metadata"} if "metadata" in str(chosen) else set[str]())
            for accept in formats:
                params = size | chosen | ({"dataset.separator": "."} if number % 2 and ARROW in formats else {})
                for page in self.answered(api, log, params, accept, most=2):
                    names = {name for name in page.names if name.partition(".")[0] in parts}
                    assert (page.count, names) == (2, expected), (params, accept)

    @staticmethod
    def answered(
        api: Api, log: Log, params: dict[str, Any], accept: str, position: dict[str, int] | None = None, most: int = 99
    ) -> Generator[Answered]:
        """Yield the pages of the topic in a format, at most so many, and check of each that it says what is behind it.

        Args:
            api: The operations.
            log: The log.
            params: The parameters of the query.
            accept: The format.
            position: Where the first page begins; at the first row by default.
            most: The largest number of pages.
        """
        position = position or {}
        while position is not None and most:
            answer = api.send(
                "get_topic_records", position, path={"topic": log.topic}, params=params, headers={"Accept": accept}
            )
            assert media_type_of(answer) == accept.rpartition(" ")[2]
            if accept == JSON:
                page = answer.json()
                answered = Answered.of_records([json.loads(record) for record in page["records"]])
            else:
                page, answered = status_of_page(answer), Answered.of(answer)
            assert (page["status"] == "All") is (page["next"] is None), page
            size = params.get("page_size") or params.get("limit")
            assert page["status"] != "RecordLimited" or answered.count == size, page
            yield answered
            position, most = page["next"], most - 1

    @pytest.mark.touches("get_topic_records", "infer_pipeline")
    def test_the_newest_rows_come_first_where_that_is_asked_for(self, parameters: set[str], api: Api, log: Log) -> None:
        if "order" not in parameters:
            pytest.skip("The oldest rows always come first in the release.")
        pages = self.pages(api, log, {"order": "desc", "page_size": 700})
        log.check([row for page in pages for row in page], newest_first=True)

    @pytest.mark.touches("get_topic_records", "infer_pipeline")
    def test_a_span_of_time_has_its_rows(self, api: Api, log: Log, borders: list[str]) -> None:
        assert self.pages(api, log, {"time.start": borders[1], "time.end": borders[1]}) == [[]]
        assert self.pages(api, log, {"time.start": shifted(borders[1], 400)}) == [[]]
        for first, last in SPANS:
            pages = self.pages(api, log, {"time.start": borders[first], "time.end": borders[last]})
            found = [row for page in pages for row in page]
            log.check(found, BORDERS[first], BORDERS[last], newest_first=False)
        for name, span in (("time.start", (BORDERS[1], None)), ("time.end", (0, BORDERS[1]))):
            for border in (borders[1], *(at_offset(borders[1], hours) for hours in OFFSETS)):
                found = [row for page in self.pages(api, log, {name: border}) for row in page]
                log.check(found, *span, newest_first=False)
        found = [row for page in self.pages(api, log, {"time.start": log.time_of(BORDERS[1])}) for row in page]
        log.check(found, BORDERS[1], newest_first=False)

    @pytest.mark.touches("get_topic_records", "infer_pipeline")
    @pytest.mark.parametrize("order", ["asc", "desc"])
    def test_the_options_of_a_page_hold_together_and_on_each_page(
        self, order: str, parameters: set[str], api: Api, log: Log, borders: list[str]
    ) -> None:
        if not {"order", "dataset.separator"} <= parameters:
            pytest.skip("The release does not have them.")
        late, early = {"time.start": borders[1]}, {"time.end": borders[0]}
        both = late | {"time.end": borders[2]}
        for span, rows in ((late, (BORDERS[1], None)), (early, (0, BORDERS[0])), (both, (BORDERS[1], BORDERS[2]))):
            params = span | {"order": order, "page_size": 2, "dataset[]": "*", "dataset.separator": "."}
            found = [row for page in self.pages(api, log, params) for row in page]
            log.check(found, *rows, newest_first=order == "desc")
            nested = {name for row in found for name, value in row.items() if isinstance(value, dict)}
            assert not nested, f"{nested} are not flat on every page"

    @pytest.mark.touches("get_topic_records", "infer_pipeline")
    def test_rows_in_arrow_are_the_same(self, parameters: set[str], api: Api, log: Log) -> None:
        if "dataset.separator" not in parameters:
            pytest.skip("Clients of the release ask for JSON.")
        where = {"topic": log.topic}
        for params in ({}, {"dataset[]": "*", "dataset.separator": "."}):
            answer = api.send("get_topic_records", {}, path=where, params=params, headers={"Accept": ARROW})
            answered = Answered.of(answer)
            for part, values in (("in", log.rows), ("out", log.scores)):
                [found] = answered.parts[part].values()
                wrong = difference(found, values[: answered.count])
                assert not wrong, f"{part}: {wrong}"
            assert log.times is None or answered.times == log.times[: answered.count]
            assert answered.count >= min(SIZES[0], len(log.rows))
            status_of_page(answer)
            texts = answered.parts["metadata"]["last_model"]
            expected = [log.models[0]] * BORDERS[1] + [log.models[1]] * (len(log.rows) - BORDERS[1])
            assert [json.loads(text)["model_name"] for text in texts] == expected[: answered.count]
        every = {"page_size": len(log.rows) + 1}
        status_of_page(api.send("get_topic_records", {}, path=where, params=every, headers={"Accept": ARROW}))

    @pytest.mark.touches("get_topic_records", "infer_pipeline")
    def test_pages_in_arrow_have_every_row(self, parameters: set[str], api: Api, log: Log, borders: list[str]) -> None:
        if not {"order", "dataset.separator"} <= parameters:
            pytest.skip("The release does not have them.")
        late, flat = {"time.start": borders[1], "page_size": 3}, {"dataset[]": "*", "dataset.separator": "."}
        newest = late | flat | {"order": "desc"}
        ways = (({"page_size": 701}, 0, False), (late, BORDERS[1], False), (newest, BORDERS[1], True))
        for params, start, newest_first in ways:
            pages = self.answered(api, log, params, f"{JSON};q=0.1, {ARROW}")
            log.check([row for page in pages for row in rows_of(page)], start, newest_first=newest_first)

    @pytest.mark.touches("get_topic_records", "get_topic_partitions", "infer_pipeline")
    def test_a_page_begins_at_the_row_of_its_number(self, parameters: set[str], api: Api, log: Log) -> None:
        where, size = {"topic": log.topic}, "page_size" if "page_size" in parameters else "limit"
        partitions = api.call("get_topic_partitions", path=where)["partitions"]
        elsewhere = api.unused_name("t")
        assert elsewhere not in partitions
        if len(partitions) > 1:
            pytest.skip("The rows of this instance's topics are in several partitions.")
        [name] = partitions
        for first in (0, 1, BORDERS[0], BORDERS[1] - 1, len(log.rows) - 1):
            for more in ({}, {elsewhere: 1}):
                position: dict[str, int] | None = {name: first} | more
                start = first
                for _ in range(2):
                    if position is not None:
                        page = api.call("get_topic_records", position, path=where, params={size: 2})
                        log.check([*map(json.loads, page["records"])], start, start + 2, newest_first=False)
                        position, start = page["next"], start + 2
        for nowhere in ({elsewhere: 0}, {name: len(log.rows)}, {name: len(log.rows) + 5}):
            answer = api.send("get_topic_records", nowhere, path=where)
            assert not answer.is_success or answer.json()["records"] == [], f"there are rows at {nowhere}"

    @pytest.mark.touches("get_topic_records", "get_topic_partitions", "infer_pipeline")
    def test_no_row_of_the_topic_failed_a_validation(self, api: Api, log: Log) -> None:
        where = {"topic": f"{log.topic}-failures"}
        answer = api.send("get_topic_records", {}, path=where)
        assert not answer.is_success or answer.json()["records"] == [], "rows failed validations that there are none of"

    @pytest.mark.touches("get_topic_partitions", "infer_pipeline")
    def test_the_partitions_count_every_row(self, api: Api, log: Log) -> None:
        partitions = api.call("get_topic_partitions", path={"topic": log.topic})["partitions"]
        assert sum(each["end"] for each in partitions.values()) == len(log.rows)


class TestPipelineLogs:
    @pytest.fixture(autouse=True)
    def _only_where_there_are_logs(self, api: Api) -> None:
        if not api.has("get_pipeline_logs"):
            pytest.skip("The release does not have it.")

    @staticmethod
    def pages(api: Api, log: Log, **more: Any) -> list[list[dict[str, Any]]]:
        """Return the pages of the log, one after the other."""
        return [rows_of(Answered.of(answer)) for answer in pages_of_log(api, log.scoring, **more)]

    @pytest.mark.touches("get_pipeline_logs", "infer_pipeline")
    def test_the_answer_has_the_type_that_is_preferred(self, api: Api, log: Log) -> None:
        body = {"workspace_id": log.scoring.workspace_id, "page_size": 2}
        body |= {"pipeline_name": log.scoring.name, "pipeline_id": log.scoring.name}
        for preferred, other in ((JSON, ARROW), (ARROW, JSON)):
            answer = api.send("get_pipeline_logs", body, headers={"Accept": f"{other};q=0.1, {preferred}"})
            assert answer.status_code == 200, answer.text[:300]
            assert media_type_of(answer) == preferred
        ways: tuple[dict[str, Any], ...] = ({"headers": {"Accept": "*/*"}}, {"without": ["Accept"]})
        for how in ways:
            assert media_type_of(api.send("get_pipeline_logs", body, **how)) == JSON

    @pytest.mark.touches("get_pipeline_logs", "infer_pipeline")
    def test_a_pipeline_is_named_in_one_field(self, conformance_suite: Suite, api: Api, log: Log) -> None:
        rules = conformance_suite.rules
        schema = rules.schemas.resolve(rules.request_content("get_pipeline_logs")[JSON]["schema"])
        names = {"pipeline_name", "pipeline_id"} & schema["properties"].keys()
        for name in names:
            for body in ({name: log.scoring.name}, dict.fromkeys(names) | {name: log.scoring.name}):
                request = body | {"workspace_id": log.scoring.workspace_id, "page_size": 3}
                found = Answered.of(api.send("get_pipeline_logs", request))
                log.check(rows_of(found), -3, newest_first=True)

    @pytest.mark.touches("get_pipeline_logs", "infer_pipeline")
    @pytest.mark.parametrize("order", ["Asc", "Desc"])
    def test_a_cursor_stands_for_the_next_row(self, order: str, api: Api, log: Log) -> None:
        """It does so for pages of every size and format, and as often as it is sent."""
        body = {"workspace_id": log.scoring.workspace_id, "order": order}
        body |= {"pipeline_name": log.scoring.name, "pipeline_id": log.scoring.name}
        first = api.send("get_pipeline_logs", body | {"page_size": 3})
        behind, most = {"cursor": first.headers["x-iteration-cursor"]}, len(log.rows) - 3
        for size, accept in ((1, JSON), (4, ARROW), (4, JSON), (2**31 - 1, JSON if order == "Asc" else ARROW)):
            answer = api.send("get_pipeline_logs", body | behind | {"page_size": size}, headers={"Accept": accept})
            found = Answered.of(answer)
            status = answer.headers["x-iteration-status"]
            assert found.count == min(size, most) or status == "ByteLimited", f"{found.count} of {size} rows: {status}"
            span = (3, 3 + found.count) if order == "Asc" else (-3 - found.count, -3)
            log.check(rows_of(found), *span, newest_first=order == "Desc")

    @pytest.mark.touches("get_pipeline_logs", "infer_pipeline")
    @pytest.mark.parametrize("accept", ["application/json", ARROW])
    @pytest.mark.parametrize("order", [None, "Asc", "Desc", "asc"])
    def test_pages_have_every_row_once_in_the_order_that_is_asked_for(
        self, order: str | None, accept: str, api: Api, log: Log
    ) -> None:
        asked = {} if order is None else {"order": order}
        for size in (None, 700) if order else (None, 250, 5000, len(log.rows)):
            more = asked if size is None else asked | {"page_size": size}
            pages = self.pages(api, log, **more, headers={"Accept": accept})
            log.check([row for page in pages for row in page], newest_first=order not in {"Asc", "asc"})
            assert all(pages), "a page without rows is announced"

    @pytest.mark.touches("get_pipeline_logs", "infer_pipeline")
    def test_a_span_of_time_has_its_rows(self, api: Api, log: Log, borders: list[str]) -> None:
        for first, last in SPANS:
            span = {"start_time": borders[first], "end_time": borders[last]}
            found = [row for page in self.pages(api, log, **span) for row in page]
            log.check(found, BORDERS[first], BORDERS[last], newest_first=True)
        for hours in OFFSETS:
            span = {"start_time": at_offset(borders[0], hours), "end_time": at_offset(borders[1], hours)}
            found = [row for page in self.pages(api, log, **span) for row in page]
            log.check(found, BORDERS[0], BORDERS[1], newest_first=True)
        span = {"start_time": log.time_of(BORDERS[1]), "end_time": borders[2]}
        found = [row for page in self.pages(api, log, **span) for row in page]
        log.check(found, BORDERS[1], BORDERS[2], newest_first=True)

    @pytest.mark.touches("get_pipeline_logs", "infer_pipeline")
    def test_a_span_has_pages_of_the_size_and_in_the_order_that_are_asked_for(
        self, api: Api, log: Log, borders: list[str]
    ) -> None:
        span = {"start_time": nine_digits(borders[0]), "end_time": nine_digits(borders[2])}
        pages = self.pages(api, log, **span, order="Asc", page_size=801)
        log.check([row for page in pages for row in page], BORDERS[0], BORDERS[2], newest_first=False)

    @pytest.mark.touches("get_pipeline_logs", "infer_pipeline")
    def test_a_span_without_rows_has_none(self, api: Api, log: Log, borders: list[str]) -> None:
        early, late = (shifted(borders[at], days) for at, days in ((0, -400), (2, 400)))
        for start, end in ((early, shifted(borders[0], -399)), (borders[1], borders[1]), (late, shifted(late, 1))):
            for headers in ({}, {"Accept": ARROW}):
                found = self.pages(api, log, start_time=start, end_time=end, headers=headers)
                assert found == [[]], f"{len(found[0])} rows from {start} to {end}"
        body = {"workspace_id": log.scoring.workspace_id, "start_time": borders[2], "end_time": borders[0]}
        body |= {"pipeline_name": log.scoring.name, "pipeline_id": log.scoring.name}
        answer = api.send("get_pipeline_logs", body)
        assert not answer.is_success or answer.json() == [], "a span that ends before it begins has rows"
        # Each end is good together with the other only: it may be refused alone, and is not ignored.
        for name, span in (("start_time", (BORDERS[1], len(log.rows))), ("end_time", (0, BORDERS[0]))):
            alone = body | {"start_time": borders[1], "end_time": borders[0]} | {"page_size": len(log.rows)}
            answer = api.send(
                "get_pipeline_logs", {key: alone[key] for key in alone if key == name or "_time" not in key}
            )
            if answer.is_success:
                log.check(rows_of(Answered.of(answer)), *span, newest_first=True)

    @pytest.mark.touches("get_pipeline_logs", "infer_pipeline")
    @pytest.mark.parametrize("accept", [JSON, ARROW])
    def test_each_row_of_a_page_names_the_model_that_scored_it(self, accept: str, api: Api, log: Log) -> None:
        newest = len(log.rows) - BORDERS[1]
        page = next(pages_of_log(api, log.scoring, page_size=newest + 3, headers={"Accept": accept}))
        texts = Answered.of(page).parts["metadata"]["last_model"]
        names = [json.loads(text)["model_name"] for text in texts]
        assert names == [log.models[1]] * newest + [log.models[0]] * 3

    @pytest.mark.touches("get_pipeline_logs", "infer_pipeline")
    def test_null_is_as_good_as_absent(self, api: Api, log: Log) -> None:
        nothing: dict[str, Any] = dict.fromkeys(("order", "page_size", "cursor", "start_time", "end_time"))
        found = next(pages_of_log(api, log.scoring, **nothing))
        log.check(rows_of(Answered.of(found)), -DEFAULT_PAGE, newest_first=True)
        for order, rows in (("Asc", (0, 3)), ("desc", (-3, None)), (None, (-3, None))):
            asked: dict[str, Any] = nothing | {"order": order, "page_size": 3}
            found = next(pages_of_log(api, log.scoring, **asked))
            log.check(rows_of(Answered.of(found)), *rows, newest_first=order != "Asc")


@pytest.mark.touches(
    "get_topic_name", "get_topic_partitions", "get_topic_records", if_there=("get_pipeline_logs", "copy_pipeline")
)
def test_a_pipeline_that_scored_nothing_has_no_rows(conformance_suite: Suite, api: Api, log: Log) -> None:
    """A copy does not have those of its source, either."""
    where, source = {"workspace_id": log.scoring.workspace_id}, {"source_pipeline": log.scoring.pipeline_id}
    made = {
        name: api.call("create_pipeline", where | {"pipeline_id": name, "definition": {}})
        for name in [api.unused_name("p")]
    }
    if api.has("copy_pipeline"):
        name = api.unused_name("p")
        made[name] = api.call("copy_pipeline", where | source | {"name": name})
    for name, ids in made.items():
        topic = api.call("get_topic_name", {"pipeline_pk_id": ids["pipeline_pk_id"]})["topic_name"]
        for more in ({}, {"workspace_id": None}, where):
            assert api.call("get_topic_name", {"pipeline_name": name} | more)["topic_name"] == topic, more
        assert api.call("get_topic_partitions", path={"topic": topic})["partitions"] == {}
        page = api.call("get_topic_records", {}, path={"topic": topic})
        assert (page["records"], page["status"], page["next"]) == ([], "All", None)
        if api.has("get_pipeline_logs"):
            answer = api.send("get_pipeline_logs", where | {"pipeline_name": name, "pipeline_id": name})
            assert (answer.json(), answer.headers["x-iteration-status"]) == ([], "All")
            assert "x-iteration-cursor" not in answer.headers
            of_pipeline = where | {"pipeline_name": name, "pipeline_id": name}
            answer = api.send("get_pipeline_logs", of_pipeline, headers={"Accept": ARROW})
            assert (media_type_of(answer), Answered.of(answer).count) == (ARROW, 0)
            assert answer.headers["x-iteration-status"] == "All"
        if "dataset.separator" in topic_parameters(conformance_suite):
            answer = api.send("get_topic_records", {}, path={"topic": topic}, headers={"Accept": ARROW})
            assert (Answered.of(answer).count, status_of_page(answer)) == (0, {"status": "All", "next": None})
    api.call_refused("get_topic_name", where | {"pipeline_name": api.unused_name("p")})


def rows_of(answered: Answered) -> list[dict[str, Any]]:
    """Return the rows of an answer as nested records, with their times."""
    times: list[Any] = list(answered.times) or [None] * answered.count
    found: list[dict[str, Any]] = []
    for number, moment in enumerate(times):
        row: dict[str, Any] = {"time": moment}
        for part in ("in", "out"):
            row[part] = {name: rows[number] for name, rows in answered.parts.get(part, {}).items()}
        found.append(row)
    return found


def check_all(statistics: dict[str, Any] | None, log: Log, name: object) -> None:
    """Check that the figures of a distribution are those of all rows, where there is one."""
    if statistics is not None:
        assert statistics["count"] == len(log.rows), name
        assert statistics["mean"] == pytest.approx(log.scores.mean(), rel=1e-4), name
        assert statistics["max"] == pytest.approx(log.scores.max(), rel=1e-4), name


class TestBaselines:
    """The logged rows as those of a baseline: which of several come first, or stay with a limit, nothing says."""

    @staticmethod
    def found(api: Api, log: Log, **more: Any) -> list[dict[str, Any]]:
        """Return the logged rows, the oldest first."""
        of = {"workspace_id": log.scoring.workspace_id, "pipeline_name": log.scoring.name}
        numbers = {row.tobytes(): number for number, row in enumerate(log.rows)}
        # Without a limit, an instance may have one of its own.
        rows = api.call("get_assay_baseline", of | {"limit": 5000} | more)

        def number(row: dict[str, Any]) -> int:
            return numbers.get(np.array(inputs_of(row), np.float32).tobytes(), -1)

        return sorted(rows, key=number)

    @pytest.mark.touches("get_assay_baseline", "infer_pipeline")
    def test_all_rows_are_there(self, api: Api, log: Log) -> None:
        log.check(self.found(api, log), newest_first=False)

    @pytest.mark.touches("get_assay_baseline", "infer_pipeline")
    def test_a_limit_keeps_so_many_rows_and_no_fewer(self, api: Api, log: Log) -> None:
        for limit in (1, 4, 101, 1001, 1202, 5000):
            rows = self.found(api, log, limit=limit)
            assert len(rows) == min(limit, len(log.rows))
            inputs = {tuple(np.array(inputs_of(row), np.float32).tolist()) for row in rows}
            assert len(inputs) == len(rows), "no row comes twice"
            sent: list[list[float]] = log.rows.tolist()
            assert inputs <= {tuple(row) for row in sent}

    @pytest.mark.touches(
        "run_interactive_assay",
        "run_interactive_assay_baseline",
        "infer_pipeline",
        if_there=("summarize_assay_baseline", "preview_assay_baseline_v2", "preview_assay_v2"),
    )
    def test_assays_have_all_rows(self, api: Api, fixtures: Fixtures, log: Log) -> None:
        if log.times is None:
            pytest.skip("Answers of the release do not say when rows were scored.")
        if fixtures.forms.fixed_baselines:
            pytest.skip("The windows of the release have to have a model.")
        end = datetime.fromisoformat(log.time_of(len(log.rows) - 1)) + timedelta(milliseconds=1)
        seconds = (log.times[-1] - log.times[0]) // 1000 + 1
        begin = end - timedelta(seconds=seconds)
        window = {"pipeline_name": log.scoring.name, "workspace_id": log.scoring.workspace_id}
        window |= {"path": f"output {OUTPUT} 0", "width": f"{seconds} seconds", "start": begin.isoformat()}
        own = {"pipeline_id": log.scoring.pipeline_id, "pipeline_name": log.scoring.name, "model_name": None}
        request = assay_request(fixtures) | own | {"workspace_id": log.scoring.workspace_id}
        request |= {"window": window, "baseline": {"calculated": {"fixed_window": window}}}
        request["run_until"] = end.isoformat()
        answers: list[Any] = [api.call("run_interactive_assay_baseline", request)]
        answers += api.call("run_interactive_assay", request)
        if api.has("summarize_assay_baseline"):
            body = {"summarizer": request["summarizer"], "baseline": {"fixed_window": window}}
            answers.append({"baseline_summary": api.call("summarize_assay_baseline", body)})
        for number, found in enumerate(answers):
            for name in ("baseline_summary", "window_summary"):
                check_all(found.get(name), log, number)
        if not api.has("preview_assay_v2"):
            return
        second: dict[str, Any] = second_assay_request(fixtures) | {"window": {"width": {"seconds": seconds}}}
        times = [begin.isoformat(), end.isoformat()]
        second |= {"baseline": {"Static": times}, "preview_start": times[0], "preview_end": times[1]}
        origin: dict[str, Any] = {
            "pipeline_id": log.scoring.pipeline_id,
            "pipeline_name": log.scoring.name,
            "model_id": None,
        }
        second["targeting"]["data_origin"] |= origin | {"workspace_id": log.scoring.workspace_id}
        body = {name: second[name] for name in ("baseline", "summarizer", "targeting")}
        [result] = api.call("preview_assay_v2", second)
        for summaries in (api.call("preview_assay_baseline_v2", body), result["summaries"]):
            for summary in summaries.values():
                check_all(summary["statistics"], log, "second version")

    @pytest.mark.touches("get_assay_baseline", "infer_pipeline")
    def test_a_models_name_chooses_the_rows_that_it_scored(self, api: Api, log: Log) -> None:
        log.check(self.found(api, log, model_name=log.models[0]), 0, BORDERS[1], newest_first=False)
        log.check(self.found(api, log, model_name=log.models[1]), BORDERS[1], newest_first=False)
        assert self.found(api, log, model_name=api.unused_name("m")) == []
        for model, first, last in ((log.models[0], 0, BORDERS[1]), (log.models[1], BORDERS[1], len(log.rows))):
            limited = self.found(api, log, model_name=model, limit=3)
            inputs = [np.array(inputs_of(row), np.float32).tolist() for row in limited]
            assert len(limited) == 3, "a limit is of the rows of the model"
            assert all(row in log.rows[first:last].tolist() for row in inputs), "rows of another model"

    @pytest.mark.touches("get_assay_baseline", "infer_pipeline")
    def test_a_span_of_time_has_its_rows(self, api: Api, log: Log, borders: list[str]) -> None:
        for first, last in SPANS:
            rows = self.found(api, log, start=borders[first], end=borders[last])
            log.check(rows, BORDERS[first], BORDERS[last], newest_first=False)
        log.check(self.found(api, log, start=borders[1]), BORDERS[1], newest_first=False)
        log.check(self.found(api, log, end=borders[1]), 0, BORDERS[1], newest_first=False)
        for hours in OFFSETS:
            log.check(self.found(api, log, end=at_offset(borders[1], hours)), 0, BORDERS[1], newest_first=False)
        limited = self.found(api, log, start=borders[0], end=borders[1], limit=1000)
        assert len(limited) == 1000
        both = self.found(api, log, start=borders[1], end=borders[2], model_name=log.models[1])
        log.check(both, BORDERS[1], BORDERS[2], newest_first=False)
