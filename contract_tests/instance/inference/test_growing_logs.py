"""Are logs right while they grow, by rows in every form, by other versions and models, and after an undeployment?"""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest

from wallaroo_ext._util.arrow.files import from_file
from wallaroo_ext.conformance.resources.samples import INPUT, OUTPUT, distinct_rows, exact_scores, model_file
from wallaroo_ext.conformance.testing.answer_forms import ARROW, JSON, RECORDS, Answered, media_type_of
from wallaroo_ext.conformance.testing.api_calls import UPLOADS
from wallaroo_ext.conformance.testing.inference.deploying import is_gone
from wallaroo_ext.conformance.testing.inference.logged_rows import (
    DEFAULT_PAGE,
    pages_of_log,
    status_of_page,
    topic_parameters,
    wait_until_logged,
)
from wallaroo_ext.conformance.testing.inference.scoring import (
    OPERATIONS,
    Scoring,
    came_to_run,
    deploy,
    difference,
    records_of,
    uploaded,
)
from wallaroo_ext.conformance.testing.waiting import soon

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

    import httpx
    import numpy as np

    from wallaroo_ext.conformance.suite import Suite
    from wallaroo_ext.conformance.testing.api_calls import Api

    Rows = list[dict[str, Any]]

pytestmark = [
    pytest.mark.thorough("logs that grow"),
    pytest.mark.counts_rows,
    pytest.mark.separate,
    pytest.mark.touches(
        "get_pipeline_logs",
        "infer_pipeline",
        "infer_deployment",
        if_there=("get_topic_records", "get_topic_partitions"),
    ),
]

SEED, OTHER_SEED = 29, 53
"""The seeds of the two models that score the rows, the first one the run's."""
FIELDS, OTHER_FIELDS = (INPUT, OUTPUT), ("serving/input.1", "other output:0")
"""The input and the output of the two models; those of the second have signs in them, as those of many models do."""
MOST_BYTES = 1 << 24
TOLD = ("last_model", "pipeline_version", "partition")
"""The metadata that a row has in its answer and in the log."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A row that was scored.

    Attributes:
        row: The row.
        score: Its output, computed independently.
        fields: The names of the two.
        answered: What its answer said of it; only what was asked for.
        model: The name and the digest of the model that scored it.
        version: The UUID of the version of the pipeline.
    """

    row: np.ndarray[Any, Any] = field(repr=False)
    score: np.ndarray[Any, Any] = field(repr=False)
    fields: tuple[str, str]
    answered: dict[str, Any] = field(repr=False)
    model: tuple[str, str]
    version: str

    def check(self, found: dict[str, Any]) -> None:
        """Fail where a logged row is not this one."""
        for part, name, expected in (("in", self.fields[0], self.row), ("out", self.fields[1], self.score)):
            assert set(found[part]) == {name}, f"the fields of `{part}`"
            wrong = difference([found[part][name]], expected.reshape(1, -1))
            assert not wrong, f"{part}.{name}: {wrong}"
        assert {"anomaly", "check_failures"} & set(found), "it does not say which validations it failed"
        metadata: dict[str, Any] = found["metadata"]
        last_model = json.loads(metadata["last_model"])
        assert (last_model["model_name"], last_model["model_sha"]) == self.model
        assert metadata.get("pipeline_version", "") in {"", self.version}
        assert not found.get("check_failures")
        assert not found.get("anomaly", {}).get("count")
        answered: dict[str, Any] = self.answered.get("metadata", {})
        for name in set(TOLD) & set(answered) & set(metadata):
            assert metadata[name] == answered[name], f"`{name}` is that of the answer"
        if "time" in self.answered:
            assert milliseconds(found["time"]) == milliseconds(self.answered["time"]), "the time is that of the answer"


def milliseconds(moment: Any) -> int:
    """Return a time of a row in milliseconds, as JSON has it, from a row in any format."""
    return moment if isinstance(moment, int) else int(moment.timestamp() * 1000)


@dataclass(slots=True)
class History:
    """A pipeline, and all rows that it ever scored, in order.

    Attributes:
        scoring: The pipeline.
        topic: Its topic.
        other: The second model.
        beside: Another pipeline, whose name begins with that of the first, and whose rows are in no log but its own.
        entries: The rows.
        is_known: Whether that is so: a row without an answer may have been scored, or not.
    """

    scoring: Scoring
    topic: str
    other: dict[str, str]
    beside: Scoring
    entries: list[Entry] = field(default_factory=list[Entry])
    is_known: bool = True

    def score(self, api: Api, rows: np.ndarray[Any, Any], operation: str = "infer_pipeline", **more: Any) -> None:
        """Send rows, and note them as scored by the model that is deployed, under the names that they are sent under.

        Args:
            api: The operations.
            rows: The rows.
            operation: `infer_pipeline` or `infer_deployment`.
            **more: `name` of the field to send them in, the model's input by default, and further arguments of
                `Scoring.send`.
        """
        is_first = self.scoring.model != self.other
        fields, seed = (FIELDS, SEED) if is_first else (OTHER_FIELDS, OTHER_SEED)
        fields = more.pop("name", fields[0]), fields[1]
        self.is_known = False
        answer = self.scoring.send(api, operation, {fields[0]: rows}, **more)
        assert Answered.of(answer).count == len(rows)
        self.is_known = True
        for row in rows_of(answer):
            for part, name in zip(("in", "out"), fields, strict=True):
                assert set(row.get(part, (name,))) == {name}, f"the fields of `{part}`"
        model = self.scoring.model["name"], self.scoring.model["sha"]
        parts = zip(rows, exact_scores(rows, seed), rows_of(answer), strict=True)
        self.entries += [Entry(*part[:2], fields, part[2], model, self.scoring.version) for part in parts]

    def wait(self, api: Api) -> None:
        """Wait until all rows are logged."""
        wait_until_logged(api, self.topic, len(self.entries))

    def check(self, found: Rows, entries: list[Entry] | None = None, *, newest_first: bool = False) -> None:
        """Fail where logged rows are not those of the pipeline, or not these of them."""
        expected = self.entries if entries is None else entries
        assert len(found) == len(expected), f"{len(found)} rows are logged in place of {len(expected)}"
        for number, (row, entry) in enumerate(zip(found, expected[::-1] if newest_first else expected, strict=True)):
            assert {"time", "in", "out", "metadata"} <= set(row), f"row {number}"
            entry.check(row)


def rows_of(answer: httpx.Response) -> Rows:
    """Return the rows of an answer as objects; those of flat rows have no parts, and are not compared."""
    if media_type_of(answer) == ARROW:
        return from_file(answer.content, MOST_BYTES).to_pylist()
    return answer.json()


class Histories:
    """Makes the history when it is first needed, and anew where it is not known what was scored."""

    def __init__(self) -> None:
        self.made: list[History] = []
        self._current: History | None = None

    def current(self, api: Api, weighted: Scoring) -> History:
        """Return a history that is known."""
        if self._current is None or not self._current.is_known:
            self._current = None
            self.made.append(begun(api, weighted))
            grow(api, self.made[-1])
            self._current = self.made[-1]
        return self._current


def begun(api: Api, weighted: Scoring) -> History:
    """Return a pipeline of a model as the run's, another model, and a pipeline whose name begins with the first's."""
    content = model_file(OTHER_SEED, fields=OTHER_FIELDS)
    other = uploaded(api, api.unused_name("m"), content, weighted.workspace_id)
    scoring = deploy(api, api.unused_name("p"), weighted.workspace_id, weighted.model)
    beside = deploy(api, f"{scoring.name}-b", weighted.workspace_id, weighted.model) if scoring else None
    assert scoring is not None, "the model did not come to run"
    assert beside is not None, "the model did not come to run a second time"
    topic = api.call("get_topic_name", {"pipeline_pk_id": scoring.pipeline_id})["topic_name"]
    return History(scoring, topic, other, beside)


def grow(api: Api, history: History) -> None:
    """Score rows in every form, then others by another version of the pipeline, with a model that has other fields."""
    equal, rows = distinct_rows(2, seed=1)[[0, 1, 0]], distinct_rows(12, seed=2)
    history.score(api, equal, headers={"Accept": JSON})
    history.beside.send(api, "infer_pipeline", {INPUT: rows[:2]})
    history.score(api, equal, headers={"Accept": JSON})  # rows are scored twice, and logged twice
    history.score(api, rows[:3], media_type=ARROW, headers={"Accept": ARROW})
    history.score(api, rows[3:4], "infer_deployment", media_type=ARROW, headers={"Accept": JSON})
    history.score(api, rows[4:6], headers={"Accept": ARROW}, params={"dataset[]": "out"})
    left_out = {"dataset.exclude[]": ["in", "metadata"], "dataset.separator": "."}
    history.score(api, rows[6:8], "infer_deployment", headers={"Accept": JSON}, params=left_out)
    tensors = json.dumps({INPUT: rows[8:10].tolist()}).encode()
    history.score(api, rows[8:10], "infer_deployment", media_type=JSON, content=tensors)
    history.score(api, rows[3:4], name="tensor", headers={"Accept": JSON})
    refuse(api, history, rows[:3])
    deploy_other(api, history)
    history.score(api, rows[10:], headers={"Accept": JSON})
    history.score(api, equal, "infer_deployment", media_type=ARROW, headers={"Accept": ARROW})
    history.wait(api)


def refuse(api: Api, history: History, rows: np.ndarray[Any, Any]) -> None:
    """Send requests that are refused, and none of whose rows is logged, those before the bad one neither."""
    records: Rows = json.loads(records_of({INPUT: rows}))
    mixed = json.dumps([*records[:-1], {INPUT: rows[-1, :2].tolist()}]).encode()
    ways: tuple[tuple[np.ndarray[Any, Any], dict[str, Any]], ...] = (
        (rows, {"content": records_of({INPUT: rows[:, :2]})}),
        (rows, {"content": mixed}),
        (rows[:, :2], {"media_type": ARROW, "headers": {"Accept": ARROW}}),
    )
    for operation in OPERATIONS:
        for bad, how in ways:
            assert history.scoring.send(api, operation, {INPUT: bad}, **how).status_code == 400


def deploy_other(api: Api, history: History) -> None:
    """Deploy a second version of the pipeline, with the other model, under the name of the first one."""
    scoring = history.scoring
    body: dict[str, Any] = {"pipeline_id": scoring.name, "workspace_id": scoring.workspace_id, "definition": {}}
    made = api.call("create_pipeline", body)
    scoring.version_id, scoring.version = made["pipeline_variant_pk_id"], made.get("pipeline_variant_version", "")
    scoring.model = history.other
    start(api, scoring)


def start(api: Api, scoring: Scoring) -> None:
    """Deploy a pipeline under the name that it was deployed under before, and wait until it runs."""
    ids = {"pipeline_id": scoring.pipeline_id, "pipeline_version_pk_id": scoring.version_id}
    more = {"deploy_id": scoring.name, "models": [scoring.model]}
    scoring.deployment_id = api.call("deploy_pipeline", ids | more)["id"]
    assert came_to_run(api, scoring), "the model did not come to run"


@pytest.fixture(scope="module")
def histories(api: Api) -> Generator[Histories]:
    """Yield what makes the history; undeploy its pipelines at the end."""
    found = Histories()
    yield found
    for history in found.made:
        for scoring in (history.scoring, history.beside):
            api.send("undeploy_pipeline", {"deployment_id": scoring.deployment_id})


@pytest.fixture(autouse=True)
def _only_where_there_are_logs(api: Api) -> None:
    if not api.has("get_pipeline_logs"):
        pytest.skip("The release does not have it.")


def logged(api: Api, history: History, **more: Any) -> Rows:
    """Return all rows of the log."""
    return [row for page in pages_of_log(api, history.scoring, **more) for row in rows_of(page)]


@pytest.mark.parametrize("accept", [JSON, ARROW])
def test_each_row_is_logged_however_it_was_sent_and_by_whatever_it_was_scored(
    accept: str, histories: Histories, api: Api, weighted: Scoring
) -> None:
    history = histories.current(api, weighted)
    for order, size in (("Asc", None), ("Desc", 5)):
        pages = list(pages_of_log(api, history.scoring, order=order, page_size=size, headers={"Accept": accept}))
        history.check([row for page in pages for row in rows_of(page)], newest_first=order == "Desc")
        check_schema_changes(pages, size or DEFAULT_PAGE)


def check_schema_changes(pages: Sequence[httpx.Response], size: int) -> None:
    """Fail where a page does not rightly say that it ends because the next rows have other fields."""
    for page, behind in pairwise(pages):
        own, others = fields_of(page), fields_of(behind)
        assert len(own) == 1, f"a page has rows with {own}"
        status = page.headers["x-iteration-status"]
        is_full = len(rows_of(page)) == size
        assert own == others or is_full or status == "SchemaChange", f"{status} between {own} and {others}"


def fields_of(page: httpx.Response) -> set[tuple[tuple[str, ...], ...]]:
    """Return the names of the inputs and outputs of the rows of a page: one pair where all have the same."""
    return {tuple(tuple(sorted(row[part])) for part in ("in", "out")) for row in rows_of(page)}


def test_a_pipeline_whose_name_begins_with_anothers_has_its_own_rows(
    histories: Histories, api: Api, weighted: Scoring
) -> None:
    history, rows = histories.current(api, weighted), distinct_rows(12, seed=2)[:2]
    check_inputs(api, history.beside, rows)


def check_inputs(api: Api, scoring: Scoring, rows: np.ndarray[Any, Any]) -> None:
    """Fail where a pipeline's log does not have these rows and no others, once so many are logged."""
    topic = api.call("get_topic_name", {"pipeline_pk_id": scoring.pipeline_id})["topic_name"]
    wait_until_logged(api, topic, len(rows))
    found = [row for page in pages_of_log(api, scoring, order="Asc") for row in rows_of(page)]
    wrong = difference([row["in"][INPUT] for row in found], rows)
    assert not wrong, f"in workspace {scoring.workspace_id}: {wrong}"


@pytest.mark.touches("get_pipeline_logs", "infer_pipeline", "create_workspace", if_there=UPLOADS)
def test_pipelines_of_one_name_in_two_workspaces_have_a_log_each(api: Api, weighted: Scoring) -> None:
    name = api.unused_name("p")
    elsewhere = api.call("create_workspace", {"workspace_name": api.unused_name("w")})["workspace_id"]
    model = uploaded(api, api.unused_name("m"), model_file(SEED), elsewhere)
    sent: list[tuple[Scoring, Any]] = []
    try:
        for count, (where, each) in enumerate(((weighted.workspace_id, weighted.model), (elsewhere, model)), 2):
            scoring = deploy(api, name, where, each)
            assert scoring is not None, "the model did not come to run"
            sent.append((scoring, distinct_rows(count, seed=80 + count)))
            assert scoring.send(api, "infer_pipeline", {INPUT: sent[-1][1]}).is_success
        for scoring, rows in sent:
            check_inputs(api, scoring, rows)
    finally:
        for scoring, _ in sent:
            api.send("undeploy_pipeline", {"deployment_id": scoring.deployment_id})


@pytest.mark.parametrize("order", ["Asc", "Desc"])
def test_rows_that_come_while_pages_are_read_shift_no_page(
    order: str, histories: Histories, api: Api, weighted: Scoring
) -> None:
    history = histories.current(api, weighted)
    before = list(history.entries)
    pages = pages_of_log(api, history.scoring, order=order, page_size=4)
    found = rows_of(next(pages))
    history.score(api, distinct_rows(3, seed=4))
    history.wait(api)
    found += [row for page in pages for row in rows_of(page)]
    # The newest first, the new rows stand before the page that was read.
    history.check(found, before if order == "Desc" else None, newest_first=order == "Desc")
    newest = rows_of(next(pages_of_log(api, history.scoring, page_size=3)))
    history.check(newest, history.entries[-3:], newest_first=True)


def test_rows_that_come_while_a_topic_is_read_are_behind_the_others(
    conformance_suite: Suite, histories: Histories, api: Api, weighted: Scoring
) -> None:
    history = histories.current(api, weighted)
    where = {"topic": history.topic}
    size = {"page_size" if "page_size" in topic_parameters(conformance_suite) else "limit": 7}
    found: Rows = []
    position: dict[str, int] | None = {}
    while position is not None:
        page = api.call("get_topic_records", position, path=where, params=size)
        assert page["status"] != "RecordLimited" or len(page["records"]) == 7
        found += map(json.loads, page["records"])
        position = page["next"]
        if len(found) <= 7:
            history.score(api, distinct_rows(2, seed=6))
            history.wait(api)
    history.check(found)
    partitions = api.call("get_topic_partitions", path=where)["partitions"]
    assert rows_of_topic(api, history) == len(history.entries)
    behind = {name: each["end"] for name, each in partitions.items()}
    assert api.call("get_topic_records", behind, path=where)["records"] == []
    newest = {name: max(end - 2, 0) for name, end in behind.items()}
    if len(newest) == 1:
        records = api.call("get_topic_records", newest, path=where)["records"]
        history.check([*map(json.loads, records)], history.entries[-2:])


@pytest.mark.parametrize(("order", "accept"), [("desc", JSON), ("asc", ARROW), ("desc", ARROW)])
def test_a_topic_goes_on_where_the_fields_of_rows_change(
    order: str, accept: str, conformance_suite: Suite, histories: Histories, api: Api, weighted: Scoring
) -> None:
    if not {"order", "dataset.separator"} <= topic_parameters(conformance_suite):
        pytest.skip("The release does not have them.")
    history, params = histories.current(api, weighted), {"order": order, "page_size": 4}
    where, headers = {"topic": history.topic}, {"Accept": accept}
    found: Rows = []
    position: dict[str, int] | None = {}
    while position is not None:
        answer = api.send("get_topic_records", position, path=where, params=params, headers=headers)
        assert media_type_of(answer) == accept
        if accept == ARROW:
            rows, page = rows_of(answer), status_of_page(answer)
        else:
            page = answer.json()
            rows = [*map(json.loads, page["records"])]
        assert (page["status"] == "All") is (page["next"] is None), page["status"]
        assert page["status"] != "RecordLimited" or len(rows) == 4, f"{len(rows)} rows on a page of 4 that is full"
        assert rows, "a page without rows is announced"
        found += rows
        assert len(found) <= len(history.entries), "pages have more rows than were scored"
        position = page["next"]
    history.check(found, newest_first=order == "desc")


def test_rows_that_come_while_a_topic_is_read_backwards_shift_no_page(
    conformance_suite: Suite, histories: Histories, api: Api, weighted: Scoring
) -> None:
    if "order" not in topic_parameters(conformance_suite):
        pytest.skip("The oldest rows always come first in the release.")
    history = histories.current(api, weighted)
    before, where, params = list(history.entries), {"topic": history.topic}, {"order": "desc", "page_size": 3}
    first = api.call("get_topic_records", {}, path=where, params=params)
    history.score(api, distinct_rows(2, seed=10))
    history.wait(api)
    second = api.call("get_topic_records", first["next"], path=where, params=params)
    found = [json.loads(record) for page in (first, second) for record in page["records"]]
    history.check(found, before[-len(found) :], newest_first=True)


def test_an_undeployment_leaves_the_log_and_a_later_deployment_goes_on_with_it(
    conformance_suite: Suite, histories: Histories, api: Api, weighted: Scoring
) -> None:
    history = histories.current(api, weighted)
    before, where = list(history.entries), {"topic": history.topic}
    size = {"page_size" if "page_size" in topic_parameters(conformance_suite) else "limit": 3}
    pages = pages_of_log(api, history.scoring, order="Desc", page_size=3)
    read, position = rows_of(next(pages)), api.call("get_topic_records", {}, path=where, params=size)["next"]
    history.is_known = False  # until it scores rows again
    api.call("undeploy_pipeline", {"deployment_id": history.scoring.deployment_id})
    read += rows_of(next(pages))
    history.check(logged(api, history, order="Asc"))
    history.check(logged(api, history, order="Desc")[::-1])
    topic = api.call("get_topic_name", {"pipeline_pk_id": history.scoring.pipeline_id})["topic_name"]
    assert topic == history.topic, "another version of the pipeline, or an undeployment, gives it another topic"
    [oldest, *_] = api.call("get_topic_records", {}, path=where)["records"]
    history.check([json.loads(oldest)], history.entries[:1])
    assert rows_of_topic(api, history) == len(before), "an undeployment changes the number of rows"
    start(api, history.scoring)
    history.score(api, distinct_rows(2, seed=7))
    history.wait(api)
    history.check(logged(api, history, order="Asc"))
    assert rows_of_topic(api, history) == len(history.entries), "another deployment changes the number of rows"
    read += [row for page in pages for row in rows_of(page)]
    history.check(read, before, newest_first=True)  # what was begun before goes on
    goes_on = [*map(json.loads, api.call("get_topic_records", position, path=where, params=size)["records"])]
    history.check(goes_on, before[3 : 3 + len(goes_on)])


def rows_of_topic(api: Api, history: History) -> int:
    """Return how many rows a topic has, as its partitions say."""
    partitions = api.call("get_topic_partitions", path={"topic": history.topic})["partitions"]
    return sum(each["end"] for each in partitions.values())


def test_a_second_deployment_scores_and_logs_for_its_pipeline(
    histories: Histories, api: Api, weighted: Scoring
) -> None:
    history = histories.current(api, weighted)
    first, name, rows = history.scoring, api.unused_name("d"), distinct_rows(3, seed=9)
    ids = {"pipeline_id": first.pipeline_id, "pipeline_version_pk_id": first.version_id}
    history.is_known = False
    number = api.call("deploy_pipeline", ids | {"deploy_id": name, "models": [first.model]})["id"]
    if number == first.deployment_id:
        pytest.skip("This instance has one deployment of a pipeline.")
    second = history.scoring = replace(first, deploy_id=name, deployment_id=number)
    try:
        assert came_to_run(api, second), "a deployment of another name than its pipeline's did not come to run"
        for row, operation in zip(rows, OPERATIONS, strict=False):
            history.score(api, row.reshape(1, -1), operation, headers={"Accept": JSON})
        sent = {OTHER_FIELDS[0] if first.model == history.other else INPUT: rows}
        crossed = {"deployment": second.deployment, "pipeline": name}
        api.call_refused("infer_pipeline", path=crossed, content=records_of(sent), headers={"Content-Type": RECORDS})
    finally:
        history.scoring = first
        api.send("undeploy_pipeline", {"deployment_id": number})
    soon(lambda: is_gone(api, second.deployment))
    for operation in OPERATIONS:
        assert not second.send(api, operation, sent).is_success, f"what was undeployed still answers {operation}"
    history.score(api, rows[2:], headers={"Accept": JSON})
    history.wait(api)
    history.check(logged(api, history, order="Asc"))
