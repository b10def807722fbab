"""Do `pipelines/get_logs` and topics give all logged rows, a page at a time, in the form of the release's answers?"""

from __future__ import annotations

import asyncio
import io
import json
from importlib import import_module
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from wallaroo_ext import contract
from wallaroo_ext.sandbox.auth.users import add_user, check_password
from wallaroo_ext.sandbox.http.validation import ContractSpec
from wallaroo_ext.sandbox.inference import logged_pages
from wallaroo_ext.sandbox.inference.inference_log import LoggedBatch, LoggedOrigin
from wallaroo_ext.sandbox.instance import Instance
from wallaroo_ext.sandbox.options import SandboxOptions
from wallaroo_ext.sandbox.server.app import create_app
from wallaroo_ext.sandbox.storage.pipelines import add_pipeline, add_pipeline_version

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

pa: Any = import_module("pyarrow")
"""Its stubs want the types of values."""

PATH = contract.operation("get_pipeline_logs").path
ARROW = contract.operation("infer_pipeline").request_types[1]
STATUS, CURSOR = "x-iteration-status", "x-iteration-cursor"
TOPIC = "workspace-1-pipeline-p-inference"
PARTITIONS = contract.operation("get_topic_partitions").path
RECORDS = contract.operation("get_topic_records").path
SPLIT = '{"name":"m","version":"v","sha":"s"}'


class Logs:
    """A sandbox with the empty log of one pipeline."""

    def __init__(self, directory: Path, release: str | None = None) -> None:
        self.instance = Instance(directory, SandboxOptions() if release is None else SandboxOptions(release=release))
        with self.instance.store.transaction() as db:
            self.pipeline = add_pipeline(db, 1, "p")
        user = self.instance.credentials
        with self.instance.store.transaction() as db:
            found = check_password(db, user.username, user.password)
        self.token = self._token(found)
        self._transport = httpx.ASGITransport(create_app(self.instance, ContractSpec(contract.load(release))))

    def _token(self, user: Any) -> str:
        return self.instance.tokens.issue("api-client", user, "issuer")["access_token"]

    def token_of_another_user(self) -> str:
        with self.instance.store.transaction() as db:
            other = add_user(db, "other@example.com", "password")
        return self._token(other)

    def add(self, *times: int, shadow: str | None = None) -> None:
        """Log rows with these times, which are their values, too."""
        columns = {
            "time": pa.array(times, pa.timestamp("ms")),
            "in.x": pa.array([[float(time)] for time in times], pa.list_(pa.float32())),
            "out._model_split": pa.array([[SPLIT] for _ in times]),
            "out.y": pa.array([[time + 0.1] for time in times], pa.list_(pa.float32())),
        }
        if shadow is not None:
            columns[f"{shadow}.y"] = columns["out.y"]
        parts = ("out",) if shadow is None else ("out", shadow)
        origin = LoggedOrigin("uuid", "engine-1", 5, parts)
        self.instance.log.append(self.pipeline, LoggedBatch(pa.table(columns), "m", "s", 7, origin))

    def get(self, token: str | None = None, accept: str = "*/*", **body: Any) -> httpx.Response:
        return self.post(PATH, {"pipeline_name": "p", "workspace_id": 1} | body, token, accept)

    def post(self, path: str, body: Any, token: str | None = None, accept: str = "*/*", **query: Any) -> httpx.Response:
        return self.send("POST", path, token, accept, json=body, params=query)

    def send(
        self, method: str, path: str, token: str | None = None, accept: str = "*/*", **options: Any
    ) -> httpx.Response:
        headers = {"Authorization": f"Bearer {token or self.token}", "Accept": accept}

        async def send() -> httpx.Response:
            async with httpx.AsyncClient(transport=self._transport, base_url="http://sandbox") as http:
                return await http.request(method, path, headers=headers, **options)

        return asyncio.run(send())

    def topic(self, token: str | None = None, **body: Any) -> httpx.Response:
        return self.post(contract.operation("get_topic_name").path, body, token)

    def partitions(self, topic: str = TOPIC, token: str | None = None) -> httpx.Response:
        return self.send("GET", PARTITIONS.format(topic=topic), token)

    def records(self, position: Any = None, topic: str = TOPIC, **options: Any) -> httpx.Response:
        return self.post(RECORDS.format(topic=topic), position or {}, **options)

    def times(self, **body: Any) -> tuple[list[int], str, str | None]:
        """Return the times of a page, its status, and the cursor of the next one."""
        answer = self.get(**body)
        assert answer.status_code == 200, answer.text
        return [row["time"] for row in answer.json()], answer.headers[STATUS], answer.headers.get(CURSOR)


@pytest.fixture
def logs(tmp_path: Path) -> Generator[Logs]:
    made = Logs(tmp_path / "data")
    yield made
    made.instance.close()


def test_rows_come_as_an_inference_answers_them(logs: Logs) -> None:
    logs.add(1, 2, shadow="out_b.1")
    answer = logs.get()
    assert answer.headers["content-type"] == "application/json; format=pandas-records"
    assert (answer.headers[STATUS], CURSOR in answer.headers) == ("All", False)
    row = answer.json()[0]
    assert row.pop("metadata")["last_model"] == '{"model_name":"m","model_sha":"s"}'
    assert row.pop("anomaly", {"count": 0}) == {"count": 0}
    assert row.pop("check_failures", []) == []
    out = {"y": [2.1]}
    assert row == {"time": 2, "in": {"x": [2.0]}, "out": {"_model_split": [SPLIT]} | out, "out_b.1": out}


def test_rows_of_a_baseline_have_what_was_logged_with_them(logs: Logs) -> None:
    logs.add(1)
    rows = pa.table({"time": pa.array([2], pa.timestamp("ms")), "out.y": pa.array([[0.5]])})
    logs.instance.log.append(logs.pipeline, LoggedBatch(rows, "m", "s", 9))  # less is known of seeded rows
    with logs.instance.store.transaction() as db:
        newest = add_pipeline_version(db, logs.pipeline, "{}")["version"]
    body = {"workspace_id": 1, "pipeline_name": "p"}
    known, seeded = logs.post(contract.operation("get_assay_baseline").path, body).json()
    names = ("metadata.pipeline_version", "metadata.partition", "metadata.elapsed")
    assert [known[name] for name in names] == ["uuid", "engine-1", [5, 7]]
    assert (seeded[names[0]], seeded[names[2]]) == (newest, [0, 9])
    assert seeded[names[1]], "the pipeline's engine"


def test_rows_come_in_arrow_where_it_is_accepted(logs: Logs) -> None:
    for times in ((1, 2), (3,)):
        logs.add(*times)
    answer = logs.get(accept=ARROW, order="Asc")
    assert (answer.headers["content-type"], answer.headers[STATUS]) == (ARROW, "All")
    table = pa.ipc.open_file(io.BytesIO(answer.content)).read_all()
    [failures] = {"anomaly", "check_failures"} & set(table.schema.names)
    assert table.schema.names == ["time", "in", "out", failures, "metadata"]
    assert table.column("time").to_pylist() == [1, 2, 3]
    assert {row["partition"] for row in table.column("metadata").to_pylist()} == {"engine-1"}


def test_a_pipeline_without_rows_has_an_empty_page_in_both_formats(logs: Logs) -> None:
    assert logs.times() == ([], "All", None)
    table = pa.ipc.open_file(io.BytesIO(logs.get(accept=ARROW).content)).read_all()
    assert table.num_rows == 0


def test_the_newest_rows_come_first_unless_the_order_says_otherwise(logs: Logs) -> None:
    logs.add(1, 2)
    logs.add(3)
    for order in ({}, {"order": None}, {"order": "Desc"}, {"order": "desc"}):
        assert logs.times(**order)[0] == [3, 2, 1]
    for order in ("Asc", "asc"):
        assert logs.times(order=order)[0] == [1, 2, 3]


@pytest.mark.parametrize("order", ["Asc", "Desc"])
def test_pages_go_on_where_the_one_before_ended(logs: Logs, order: str) -> None:
    logs.add(1, 2, 3)
    logs.add(4, 5)
    logs.add(6)
    seen: list[list[int]] = []
    cursor: str | None = None
    status = ""
    while status != "All":
        times, status, cursor = logs.times(order=order, page_size=2, cursor=cursor)
        assert status in {"All", "RecordLimited"}
        assert (cursor is None) == (status == "All")
        seen.append(times)
        assert len(seen) < 6
    expected = [1, 2, 3, 4, 5, 6] if order == "Asc" else [6, 5, 4, 3, 2, 1]
    assert [time for page in seen for time in page] == expected
    assert [len(page) for page in seen[:3]] == [2, 2, 2]


def test_a_page_ends_where_the_fields_change(logs: Logs) -> None:
    logs.add(1, 2)
    logs.add(3, shadow="out_b")
    times, status, cursor = logs.times(order="Asc")
    assert (times, status) == ([1, 2], "SchemaChange")
    assert logs.times(order="Asc", cursor=cursor) == ([3], "All", None)


def test_a_page_ends_where_it_would_be_too_large(logs: Logs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logged_pages, "MAX_PAGE_BYTES", 1)
    logs.add(1, 2)
    times, status, cursor = logs.times(order="Asc")
    assert (times, status) == ([1], "ByteLimited")
    assert logs.times(order="Asc", cursor=cursor)[0] == [2]


def test_rows_of_a_span_of_time(logs: Logs) -> None:
    logs.add(1000, 2000, 3000)
    span = {"start_time": "1970-01-01T00:00:02+00:00", "end_time": "1970-01-01T00:00:03Z"}
    assert logs.times(**span) == ([2000], "All", None)
    for name, value in span.items():
        answer = logs.get(**{name: value})
        assert (answer.status_code, "together" in answer.json()["msg"]) == (400, True)


@pytest.mark.parametrize(
    "wrong", [{"order": "Up"}, {"cursor": "7"}, {"cursor": "\u0663-\u0661"}, {"pipeline_name": "q"}]
)
def test_what_is_no_request_is_refused(logs: Logs, wrong: dict[str, str]) -> None:
    answer = logs.get(**wrong)
    assert (answer.status_code, next(iter(wrong.values())) in answer.json()["msg"]) == (400, True)


def test_the_pipeline_may_be_named_by_its_older_field(logs: Logs) -> None:
    logs.add(1)
    assert logs.times(pipeline_name=None, pipeline_id="p")[0] == [1]


def test_who_is_not_in_the_workspace_gets_no_rows(logs: Logs) -> None:
    logs.add(1)
    answer = logs.get(logs.token_of_another_user())
    assert answer.status_code == 400
    assert "workspace" in answer.json()["msg"]


class TestTopics:
    def test_a_pipeline_is_named_by_its_id_or_its_name(self, logs: Logs) -> None:
        named: list[dict[str, Any]] = [
            {"pipeline_pk_id": logs.pipeline},
            {"pipeline_name": "p", "workspace_id": 1},
            {"pipeline_name": "p", "workspace_id": None},
        ]
        for body in named:
            assert logs.topic(**body).json() == {"topic_name": TOPIC}

    def test_an_unknown_pipeline_has_no_topic(self, logs: Logs) -> None:
        unknown: list[dict[str, Any]] = [{"pipeline_pk_id": 99}, {"pipeline_name": "q"}, {}]
        unknown.append({"pipeline_name": "q", "workspace_id": 1})
        for body in unknown:
            assert logs.topic(**body).status_code == 400
        for topic in ("workspace-1-pipeline-q-inference", "workspace-9-pipeline-p-inference", "p"):
            answer = logs.records(topic=topic)
            assert (answer.status_code, topic in answer.json()["msg"]) == (404, True)

    def test_who_is_not_in_the_workspace_is_told_no_topic_and_gets_no_rows(self, logs: Logs) -> None:
        logs.add(1)
        other = logs.token_of_another_user()
        assert logs.topic(other, pipeline_pk_id=logs.pipeline).status_code == 400
        assert logs.topic(other, pipeline_name="p").status_code == 400
        assert logs.records(token=other).status_code == 404

    def test_rows_are_texts_of_json_beside_the_status(self, logs: Logs) -> None:
        logs.add(1, 2)
        page = logs.records(page_size=1).json()
        assert (page["status"], list(page["next"].values())) == ("RecordLimited", [1])
        assert [json.loads(record)["in"] for record in page["records"]] == [{"x": [1.0]}]
        rest = logs.records(page["next"]).json()
        assert (rest["status"], rest["next"], len(rest["records"])) == ("All", None, 1)

    def test_rows_come_in_arrow_with_the_status_in_the_metadata_of_the_schema(self, logs: Logs) -> None:
        logs.add(1, 2)
        flat: dict[str, Any] = {"dataset[]": "*", "dataset.exclude[]": "metadata", "dataset.separator": "."}
        for query, names in ((flat, ["time", "in.x", "out._model_split", "out.y", "anomaly.count"]), ({}, None)):
            answer = logs.records(accept=ARROW, page_size=1, **query)
            assert answer.headers["content-type"] == ARROW
            table = pa.ipc.open_file(io.BytesIO(answer.content)).read_all()
            assert table.schema.names == (names or ["time", "in", "out", "anomaly", "metadata"])
            status = json.loads(table.schema.metadata[b"status"])
            assert (table.num_rows, status["status"], len(status["next"])) == (1, "RecordLimited", 1)

    def test_a_topic_without_rows_has_an_empty_page(self, logs: Logs) -> None:
        assert logs.records().json() == {"records": [], "status": "All", "next": None}
        logs.add(1)
        assert logs.records({"elsewhere": 0}).json()["records"] == []
        assert logs.records(topic=f"{TOPIC}-failures").json()["records"] == []
        table = pa.ipc.open_file(io.BytesIO(logs.records(topic=f"{TOPIC}-failures", accept=ARROW).content)).read_all()
        assert (table.num_columns, json.loads(table.schema.metadata[b"status"])["next"]) == (0, None)

    def times(self, answer: httpx.Response) -> list[int]:
        assert answer.status_code == 200, answer.text
        return [json.loads(record)["time"] for record in answer.json()["records"]]

    @pytest.mark.parametrize("order", ["asc", "desc"])
    def test_pages_go_on_where_the_one_before_ended(self, logs: Logs, order: str) -> None:
        for times in ((1, 2, 3), (4, 5), (6,)):
            logs.add(*times)
        position: dict[str, int] | None = {}
        pages: list[list[int]] = []
        while position is not None:
            answer = logs.records(position, page_size=4, order=order)
            pages.append(self.times(answer))
            position = answer.json()["next"]
        assert pages == ([[1, 2, 3, 4], [5, 6]] if order == "asc" else [[6, 5, 4, 3], [2, 1]])

    def test_partitions_count_the_rows_of_the_pipeline(self, logs: Logs) -> None:
        assert logs.partitions().json() == {"partitions": {}}
        logs.add(1, 2, 3)
        logs.add(4, 5)
        with logs.instance.store.transaction() as db:
            add_pipeline(db, 1, "q")
        assert logs.partitions().json() == {"partitions": {"rows": {"end": 5}}}
        for topic in (f"{TOPIC}-failures", TOPIC.replace("-p-", "-q-")):
            assert logs.partitions(topic).json() == {"partitions": {}}
        assert logs.partitions("workspace-1-pipeline-r-inference").status_code == 404
        assert logs.partitions(token=logs.token_of_another_user()).status_code == 404

    def test_rows_are_counted_that_an_earlier_version_logged_without_their_number(self, logs: Logs) -> None:
        logs.add(1, 2, 3)
        logs.add(4)
        with logs.instance.store.transaction() as db:
            db.execute("UPDATE inferences SET row_count = NULL")
        assert logs.partitions().json() == {"partitions": {"rows": {"end": 4}}}
        assert self.times(logs.records({"rows": 2})) == [3, 4]

    @pytest.mark.parametrize("order", ["asc", "desc"])
    def test_a_page_begins_at_a_counted_row_and_goes_on_from_there(self, logs: Logs, order: str) -> None:
        for times in ((0, 1, 2), (3, 4), (5,)):
            logs.add(*times)
        span: dict[str, Any] = {"time.start": "1970-01-01T00:00:00.001Z", "time.end": "1970-01-01T00:00:00.004Z"}
        for number in (0, 1, 2, 3, 5, 6, 10**30):
            expected = [row for row in range(6) if (row >= number if order == "asc" else row <= number)]
            for query, wanted in (({}, expected), (span, [row for row in expected if 1 <= row < 4])):
                for size in (1, 2, 9):
                    found = self.all_times(logs, {"rows": number}, page_size=size, order=order, **query)
                    assert found == (wanted if order == "asc" else wanted[::-1])

    def all_times(self, logs: Logs, position: dict[str, int] | None, **query: Any) -> list[int]:
        """Return the times of the rows of all pages from a position on."""
        found: list[int] = []
        while position is not None:
            answer = logs.records(position, **query)
            found += self.times(answer)
            position = answer.json()["next"]
        return found

    def test_a_counted_row_of_a_topic_without_rows_begins_an_empty_page(self, logs: Logs) -> None:
        for order in ("asc", "desc"):
            answer = logs.records({"rows": 0}, order=order)
            assert (self.times(answer), answer.json()["next"]) == ([], None)

    def test_all_rows_come_at_once_unless_a_number_is_asked_for(self, logs: Logs) -> None:
        logs.add(*range(1100))
        assert len(self.times(logs.records())) == 1100
        assert len(logs.times(order="Asc")[0]) == 1000

    def test_rows_of_a_span_of_time(self, logs: Logs) -> None:
        logs.add(1000, 2000, 3000)
        start: dict[str, Any] = {"time.start": "1970-01-01T00:00:02+00:00"}
        end: dict[str, Any] = {"time.end": "1970-01-01T00:00:03Z"}
        assert self.times(logs.records(**start)) == [2000, 3000]
        assert self.times(logs.records(**end)) == [1000, 2000]
        assert self.times(logs.records(**start, **end)) == [2000]
        assert logs.records(order="up").status_code == 400

    def test_the_oldest_release_has_rows_in_its_own_form_and_other_parameters(self, tmp_path: Path) -> None:
        oldest = Logs(tmp_path / "oldest", "2022.4")
        try:
            oldest.add(1, 2)
            answer = oldest.records(accept=ARROW, order="desc", page_size=1, limit=2)
            records = [json.loads(record) for record in answer.json()["records"]]
        finally:
            oldest.instance.close()
        assert [record["time"] for record in records] == [1, 2]
        assert records[0]["original_data"] == {"x": [[1.0]]}
        assert (records[0]["pipeline_name"], "outputs" in records[0]) == ("p", True)
