"""Is the log of a pipeline read whole, in order and page by page, from every release, and is nothing cut in silence?"""

from __future__ import annotations

import asyncio
import json
import logging
import re
import tracemalloc
from datetime import UTC, date, datetime, timedelta, timezone
from importlib import import_module
from typing import TYPE_CHECKING, Any, cast

import httpx
import numpy as np
import pandas as pd
import pytest
from wallaroo_mlops_client.models import CreatePipelineResponse

from contract_tests.support.command_line import in_process
from contract_tests.support.sandbox.deployments import deployed
from contract_tests.support.sandbox.steering import PIPELINE, seed_pipeline, seed_rows, steer
from contract_tests.support.servers.forks.fork_server import running
from wallaroo_ext import (
    AmbiguousError,
    AnswerTooLargeError,
    ContractViolationError,
    Deployment,
    InvalidDataError,
    InvalidRequestError,
    NotFoundError,
    aio,
    connect,
    contract,
    infer,
    pipeline_log_batches,
    pipeline_logs,
)
from wallaroo_ext._util.arrow.files import to_file
from wallaroo_ext.logs import pages

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from pathlib import Path


pa: Any = import_module("pyarrow")
parquet: Any = import_module("pyarrow.parquet")

API = "https://api.example.com"
MINUTE = 60_000
BEGIN = 1_672_531_200_000
"""The first of January 2023, in milliseconds since 1970."""
TIMES = [BEGIN + MINUTE * number for number in range(8)]
RELEASES = ["2022.4", "2023.1", "2023.4", "2025.2"]
"""The releases of the sandboxes: two that have topics only, and two that have `pipelines/get_logs`."""


class Released:
    """A sandbox of a release with a pipeline that has logged eight rows, in inferences of three, three and two."""

    def __init__(self, release: str, environment: dict[str, str]) -> None:
        self.release = release
        self.environment = environment
        with httpx.Client(base_url=environment["WALLAROO_API_URL"], timeout=30) as http:
            self.pipeline = seed_pipeline(http)
            rows = [
                {"time": time, "in.x": [[0.5, 1.5]][0], "out.y": [float(number)]} for number, time in enumerate(TIMES)
            ]
            for part in (rows[:3], rows[3:6], rows[6:]):
                seed_rows(http, self.pipeline, part)

    @property
    def is_oldest(self) -> bool:
        """Whether its log has the form of 2022.4, which names no outputs."""
        return self.release == "2022.4"

    @property
    def knows_orders(self) -> bool:
        """Whether it gives the newest rows first where it is asked for them."""
        return self.release >= "2023.2"

    def connect(self) -> Any:
        """Return a client, for both kinds of `with`."""
        return connect(environment=self.environment)

    def numbers(self, table: Any) -> list[float]:
        """Return the numbers of the rows."""
        name = "out.0" if self.is_oldest else "out.y"
        return [
            number
            for values in table.column(name).to_pylist()
            for number in ([values] if isinstance(values, float) else values)
        ]


@pytest.fixture(scope="module", params=RELEASES)
def released(request: pytest.FixtureRequest) -> Generator[Released]:
    with running(None, "--release", request.param) as environment:
        yield Released(request.param, environment)


@pytest.fixture
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ask for pages of four rows, so that the log has two."""
    monkeypatch.setattr(pages, "PAGE_ROWS", 4)


class TestEveryRelease:
    def test_all_rows_are_there_in_the_columns_of_infer(self, released: Released) -> None:
        with released.connect() as client:
            table = pipeline_logs(client, PIPELINE)
        assert released.numbers(table) == [7.0, 6.0, 5.0, 4.0, 3.0, 2.0, 1.0, 0.0]
        assert table.column("time").cast(pa.int64()).to_pylist() == TIMES[::-1]
        assert table.column("time").type == pa.timestamp("ms")
        names = ["time", "in.x", "out.0" if released.is_oldest else "out.y"]
        failures = [] if released.release >= "2024" else ["check_failures"]
        assert table.column_names == [*names, *failures, "anomaly.count"]
        assert table.schema.metadata is None

    @pytest.mark.usefixtures("small_pages")
    def test_pages_are_read_to_the_end(self, released: Released) -> None:
        with released.connect() as client:
            table = pipeline_logs(client, PIPELINE, newest_first=False)
            batches = list(pipeline_log_batches(client, released.pipeline, newest_first=False))
        assert released.numbers(table) == [float(number) for number in range(8)]
        assert pa.Table.from_batches(batches).equals(table)
        assert [batch.num_rows for batch in batches] == [4, 4]

    @pytest.mark.usefixtures("small_pages")
    def test_the_newest_come_first_or_it_is_said_that_they_do_not(self, released: Released) -> None:
        with released.connect() as client:
            if released.knows_orders:
                for pipeline in (PIPELINE, released.pipeline):
                    newest = pipeline_logs(client, pipeline, limit=6)
                    assert released.numbers(newest) == [7.0, 6.0, 5.0, 4.0, 3.0, 2.0]
                return
            with pytest.raises(InvalidDataError, match=r"the oldest rows first.*newest_first=False"):
                pipeline_logs(client, PIPELINE)

    def test_a_limit_is_kept(self, released: Released) -> None:
        with released.connect() as client:
            assert released.numbers(pipeline_logs(client, PIPELINE, limit=2, newest_first=False)) == [0.0, 1.0]
            assert len(released.numbers(pipeline_logs(client, PIPELINE, limit=8))) == 8

    def test_a_span_of_time(self, released: Released) -> None:
        start, end = (datetime.fromtimestamp(TIMES[place] / 1000, UTC) for place in (2, 4))
        elsewhere = end.astimezone(timezone(timedelta(hours=-5)))
        with released.connect() as client:
            ordered: Any = {"newest_first": False}
            assert released.numbers(pipeline_logs(client, PIPELINE, start=start, end=elsewhere, **ordered)) == [
                2.0,
                3.0,
            ]
            assert released.numbers(pipeline_logs(client, PIPELINE, start="2023-01-01T00:06:00", **ordered)) == [
                6.0,
                7.0,
            ]
            assert released.numbers(pipeline_logs(client, PIPELINE, end="2023-01-01T00:01Z", **ordered)) == [0.0]
            assert pipeline_logs(client, PIPELINE, start="2024-01-01").num_rows == 0

    def test_metadata_come_where_they_are_asked_for(self, released: Released) -> None:
        with released.connect() as client:
            table = pipeline_logs(client, PIPELINE, metadata=True)
        added = [name for name in table.column_names if name.startswith("metadata.")]
        assert ("metadata.model_name" if released.is_oldest else "metadata.last_model") in added

    def test_a_pipeline_may_be_an_id_or_a_deployment(self, released: Released) -> None:
        where = Deployment(name="d-1", id=1, url=API, pipeline=PIPELINE, workspace_id=1, status="Running")
        with released.connect() as client:
            by_name = pipeline_logs(client, PIPELINE, workspace=1)
            assert pipeline_logs(client, where).equals(by_name)
            assert released.numbers(pipeline_logs(client, released.pipeline)) == released.numbers(by_name)
            made = CreatePipelineResponse.from_dict({"pipeline_pk_id": released.pipeline, "pipeline_variant_pk_id": 1})
            assert released.numbers(pipeline_logs(client, made)) == released.numbers(by_name)

    def test_an_unknown_pipeline_is_said(self, released: Released) -> None:
        with released.connect() as client:
            with pytest.raises(InvalidRequestError, match="'nothing'"):
                pipeline_logs(client, "nothing", workspace=1)
            with pytest.raises(InvalidRequestError, match="99"):
                pipeline_logs(client, 99)

    @pytest.mark.usefixtures("small_pages")
    def test_on_the_command_line(
        self,
        released: Released,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        wallaroo, file = in_process(released.environment, monkeypatch, capsys), tmp_path / "rows.parquet"
        done = wallaroo("logs", PIPELINE, "--oldest-first", "--output", str(file), "--json")
        assert (done.code, json.loads(done.out)["rows"]) == (0, 8)
        assert released.numbers(parquet.read_table(file)) == [float(number) for number in range(8)]
        if not released.knows_orders:
            refused = wallaroo("logs", PIPELINE, "--output", str(file))
            assert (refused.code, "--oldest-first on the command line" in refused.sentence) == (2, True)
            assert parquet.read_table(file).num_rows == 8

    @pytest.mark.usefixtures("small_pages")
    def test_in_asyncio(self, released: Released) -> None:
        async def read() -> tuple[Any, list[Any]]:
            async with released.connect() as client:
                ordered: Any = {"newest_first": False}
                table = await aio.pipeline_logs(client, PIPELINE, **ordered)
                return table, [batch async for batch in aio.pipeline_log_batches(client, PIPELINE, **ordered)]

        table, batches = asyncio.run(read())
        assert released.numbers(table) == [float(number) for number in range(8)]
        assert pa.Table.from_batches(batches).equals(table)


def test_a_name_is_looked_for_in_all_workspaces(released: Released) -> None:
    with httpx.Client(base_url=released.environment["WALLAROO_API_URL"], timeout=30) as http:
        made = steer(http, "seed", {"workspaces": [{"name": f"other-{released.release[:4]}"}]})["workspaces"]
        steer(http, "seed", {"pipelines": [{"name": name, "workspace_id": made[0]} for name in ("twice", "once")]})
        steer(http, "seed", {"pipelines": [{"name": "twice", "workspace_id": 1}]})
    with released.connect() as client:
        assert pipeline_logs(client, "once").num_rows == 0
        assert list(pipeline_log_batches(client, "once")) == []
        with pytest.raises(AmbiguousError, match="Several workspaces have a pipeline 'twice'"):
            pipeline_logs(client, "twice")
        assert pipeline_logs(client, "twice", workspace=made[0]).num_rows == 0
        with pytest.raises(NotFoundError, match="No workspace of this user has a pipeline 'nowhere'"):
            pipeline_logs(client, "nowhere")


def test_what_infer_gave_is_what_the_log_has(sandbox: dict[str, str], model_file: Path) -> None:
    url = deployed(sandbox, model_file, "logged")
    with connect(environment=sandbox) as client:
        scored = infer(client, url, {"tensor": np.random.default_rng(1).normal(size=(3, 29)).astype(np.float32)})
        logged = pipeline_logs(client, "logged", newest_first=False)
    assert logged.column_names == scored.column_names
    assert [column.type for column in logged.columns] == [column.type for column in scored.columns]
    assert logged.to_pylist() == scored.to_pylist()


class Paged:
    """An instance whose log has pages of one's choice.

    Attributes:
        pages: The pages: the rows of each, its status, and what leads to the next one.
        serves: Whether it has `pipelines/get_logs`; otherwise it has topics.
        asked: The operations that were asked for, and their bodies.
    """

    def __init__(self, *found: tuple[Any, str | None, Any], serves: bool = True) -> None:
        self.pages: list[Any] = list(found)
        self.serves = serves
        self.asked: list[tuple[str, Any]] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        """Answer a request."""
        operation, body = contract.operation_at(request.url.path) or "", json.loads(request.read())
        self.asked.append((operation, body))
        if operation == "list_workspaces":
            workspace = {"id": 7, "name": "w", "created_at": "2023-01-01T00:00:00Z"}
            return httpx.Response(200, json={"workspaces": [workspace]})
        if operation == "get_topic_name":
            return httpx.Response(200, json={"topic_name": "a-topic"})
        if operation == "get_pipeline_logs" and not self.serves:
            return httpx.Response(404, json={"msg": "Not Found", "code": 404})
        return self.page(body) if operation == "get_topic_records" else self.logs(body)

    def logs(self, body: Any) -> httpx.Response:
        """Return a page as `pipelines/get_logs` does; a cursor is the number of a page."""
        table, status, following = self.pages[int(body.get("cursor") or 0)]
        headers = {"x-iteration-status": status, "x-iteration-cursor": following}
        content = to_file(table).to_pybytes()
        return httpx.Response(200, content=content, headers={k: str(v) for k, v in headers.items() if v is not None})

    def page(self, body: Any) -> httpx.Response:
        """Return a page of the topic; a position is the number of a page."""
        page: Any = self.pages[body.get("p", 0)]
        found, status, number = page
        following = None if number is None else {"p": number}
        if isinstance(found, list):
            more: dict[str, Any] = {} if status is None else {"status": status}
            return httpx.Response(200, json={"records": found, "next": following, **more})
        text = json.dumps({"status": status, "next": following})
        return httpx.Response(200, content=to_file(found.replace_schema_metadata({"status": text})).to_pybytes())

    def client(self) -> Any:
        """Return a client, for both kinds of `with`."""
        return connect(API, token="a-token", transport=httpx.MockTransport(self), environment={})


def rows(*times: int, **columns: Any) -> Any:
    """Return rows with these times."""
    return pa.table({"time": pa.array(times, pa.timestamp("ms")), "out.y": [float(time) for time in times], **columns})


ENDLESS = (rows(1), "RecordLimited", 0)


class TestWhatAnInstanceSays:
    @pytest.mark.parametrize("serves", [True, False])
    def test_that_rows_follow_without_saying_how_to_get_them_is_an_error(self, *, serves: bool) -> None:
        with Paged((rows(1), "ByteLimited", None), serves=serves).client() as client:
            with pytest.raises(ContractViolationError, match="it is ByteLimited, so that rows follow"):
                pipeline_logs(client, "p", newest_first=False)
            assert pipeline_logs(client, "p", limit=1, newest_first=False).num_rows == 1

    @pytest.mark.parametrize("serves", [True, False])
    def test_a_page_that_leads_to_itself_is_an_error(self, *, serves: bool) -> None:
        instance = Paged((rows(2), "RecordLimited", 1), (rows(1), "RecordLimited", 1), serves=serves)
        with instance.client() as client, pytest.raises(ContractViolationError, match="the same page again"):
            pipeline_logs(client, "p", newest_first=False)

    def test_all_ends_a_topic_that_always_has_a_next_position(self) -> None:
        instance = Paged((rows(2), "RecordLimited", 1), (rows(1), "All", 2), serves=False)
        with instance.client() as client:
            assert pipeline_logs(client, "p", newest_first=False).num_rows == 2
        assert [operation for operation, _ in instance.asked].count("get_topic_records") == 2

    def test_an_empty_page_ends_a_topic_that_has_no_status(self) -> None:
        texts = [json.dumps({"time": 1, "out": {"y": [0.5]}})]
        instance = Paged((texts, None, 1), ([], None, 2), serves=False)
        with instance.client() as client:
            assert pipeline_logs(client, "p", newest_first=False).column("out.y").to_pylist() == [[0.5]]

    def test_a_page_that_leads_nowhere_ends_a_topic_that_has_no_status(self) -> None:
        instance = Paged(([json.dumps({"time": 1, "out": {"y": [0.5]}})], None, None), serves=False)
        with instance.client() as client:
            assert pipeline_logs(client, "p", newest_first=False).column("out.y").to_pylist() == [[0.5]]
        assert [operation for operation, _ in instance.asked].count("get_topic_records") == 1

    @pytest.mark.parametrize("bad", [["no JSON"], ["7"], [7], None])
    def test_a_topic_without_rows_in_a_known_form_is_an_error(self, bad: Any) -> None:
        instance: Any = Paged(([], None, None), serves=False)

        def page(_: Any) -> httpx.Response:
            return httpx.Response(200, json={"records": bad} if bad else {"rows": []})

        instance.page = page
        with instance.client() as client, pytest.raises(ContractViolationError, match="get_topic_records"):
            pipeline_logs(client, "p")

    def test_rows_of_2022_that_stand_for_more_than_an_answer_may_have_are_refused(self) -> None:
        tensor = {"Float": {"dim": [1, 500_000_000, 0], "data": []}}
        instance = Paged(([json.dumps({"time": 1, "outputs": [tensor]})], None, None), serves=False)
        with instance.client() as client, pytest.raises(AnswerTooLargeError, match="get_topic_records"):
            pipeline_logs(client, "p", newest_first=False)

    def test_columns_that_change_are_nulls_in_the_table_and_change_in_the_batches(self) -> None:
        instance = Paged((rows(3, 2), "SchemaChange", 1), (rows(1, **{"out.z": ["a"]}), "All", None))
        with instance.client() as client:
            assert pipeline_logs(client, "p").column("out.z").to_pylist() == [None, None, "a"]
            batches = list(pipeline_log_batches(client, "p"))
        assert [batch.schema.names for batch in batches] == [["time", "out.y"], ["time", "out.y", "out.z"]]

    @pytest.mark.parametrize(
        ("before", "after"), [([1.5], ["a"]), ([[1.5]], [2.5]), ([[1.5]], [["a"]]), ([{"a": 1}], [{"a": "x"}])]
    )
    def test_a_column_that_changed_its_type_is_said_and_comes_in_batches(self, before: Any, after: Any) -> None:
        first, last = (rows(time, **{"out.z": values}) for time, values in ((2, before), (1, after)))
        instance = Paged((first, "SchemaChange", 1), (last, "All", None))
        kinds = [re.escape(str(table.schema.field("out.z").type)) for table in (first, last)]
        match = rf"'out\.z' of the log .*: it is {kinds[0]}, and then {kinds[1]}\. .* by pipeline_log_batches\."
        with instance.client() as client:
            with pytest.raises(InvalidDataError, match=match):
                pipeline_logs(client, "p")
            batches = list(pipeline_log_batches(client, "p"))
        assert [batch.column("out.z").to_pylist() for batch in batches] == [before, after]

    def test_an_output_of_2022_that_changed_its_type_within_a_page_is_said(self) -> None:
        outputs = [{"Float": {"dim": [1], "data": [1.5]}}, {"String": {"dim": [1], "data": ["a"]}}]
        texts = [json.dumps({"time": number, "outputs": [output]}) for number, output in enumerate(outputs)]
        instance = Paged((texts, None, None), serves=False)
        with (
            instance.client() as client,
            pytest.raises(InvalidDataError, match=r"'out\.0' .* is float, and then string"),
        ):
            pipeline_logs(client, "p", newest_first=False)

    def test_columns_that_it_dropped_are_said_once(self, caplog: pytest.LogCaptureFixture) -> None:
        dropped = {"metadata.dropped": pa.array([["in.image"], []], pa.list_(pa.string()))}
        instance = Paged((rows(4, 3, **dropped), "RecordLimited", 1), (rows(2, 1, **dropped), "All", None))
        with instance.client() as client, caplog.at_level(logging.WARNING):
            assert pipeline_logs(client, "p").column_names == ["time", "out.y"]
        assert [record.getMessage() for record in caplog.records] == [
            "The log has rows without in.image: they were too large for the instance to keep."
        ]

    def test_a_topic_that_knows_its_own_order_only_is_an_error_unless_all_rows_are_there(self) -> None:
        for first in (rows(1, 2), rows(1, 1), rows(1)):
            instance = Paged((first, "RecordLimited", 1), (rows(3, 4), "All", None), serves=False)
            with instance.client() as client, pytest.raises(InvalidDataError, match="the oldest rows first"):
                pipeline_logs(client, "p", limit=first.num_rows)
        with Paged((rows(1, 2), "All", None), serves=False).client() as client:
            assert pipeline_logs(client, "p").column("out.y").to_pylist() == [2.0, 1.0]

    def test_rows_stay_in_the_order_of_a_log_that_is_not_that_of_their_times(self) -> None:
        with Paged((rows(1, 2), "RecordLimited", 1), (rows(4, 3), "All", None)).client() as client:
            assert pipeline_logs(client, "p").column("out.y").to_pylist() == [1.0, 2.0, 4.0, 3.0]

    def test_both_ends_of_a_span_are_sent_and_the_limit_as_the_size_of_a_page(self) -> None:
        instance = Paged((rows(1), "All", None))
        with instance.client() as client:
            pipeline_logs(client, "p", start=date(2023, 1, 1), limit=5, workspace=7)
        _, body = instance.asked[-1]
        assert (body["start_time"], body["end_time"]) == ("2023-01-01T00:00:00+00:00", "2200-01-01T00:00:00+00:00")
        assert (body["page_size"], body["order"], body["pipeline_name"]) == (5, "Desc", "p")


def test_ids_and_limits_may_be_numbers_of_a_data_frame() -> None:
    instance = Paged((rows(1), "All", None), serves=False)
    with instance.client() as client:
        pipeline: Any = np.int64(3)
        pipeline_logs(client, pipeline, limit=cast("Any", np.int64(5)), newest_first=False)
    assert instance.asked[0] == ("get_topic_name", {"pipeline_pk_id": 3})


def batches_of(client: Any, **arguments: Any) -> list[Any]:
    return list(pipeline_log_batches(client, **arguments))


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"limit": 0}, "`limit` is the number of rows, 1 or more, not 0"),
        ({"limit": True}, "not True"),
        ({"limit": "5"}, "not '5'"),
        ({"start": "soon"}, "`start` is a datetime, or a text such as"),
        ({"end": 7}, "`end` is a datetime"),
        ({"start": pd.NaT}, "`start` is a datetime, or a text such as 2023-01-31T12:00:00Z, not NaT"),
        ({"end": "9999-12-31T23:59:59-05:00"}, "`end` is a datetime"),
        ({"start": datetime.min.replace(tzinfo=timezone(timedelta(hours=5)))}, "`start` is a datetime"),
        ({"start": "2023-01-02", "end": "2023-01-01"}, "is before `start`, 2023-01-02"),
        ({"pipeline": ""}, "A pipeline is its name, its id, or what deploy_pipeline gave, not ''"),
        ({"pipeline": None}, "not NoneType"),
        ({"pipeline": True}, "not True"),
        ({"pipeline": 1.5}, "not float"),
        ({"pipeline": API}, "is a URL: give the name"),
        ({"workspace": ""}, "A workspace is a name or an id"),
    ],
)
def test_a_wrong_value_is_one_sentence(wrong: dict[str, Any], sentence: str) -> None:
    arguments: dict[str, Any] = {"pipeline": "p"} | wrong
    readers: list[Any] = [pipeline_logs, batches_of]
    for read in readers:
        with Paged().client() as client, pytest.raises(InvalidDataError) as raised:
            read(client, **arguments)
        assert sentence in str(raised.value)
        assert "\n" not in str(raised.value)


@pytest.mark.parametrize("function", [pipeline_log_batches, aio.pipeline_log_batches])
def test_batches_refuse_a_wrong_option_at_the_call(function: Callable[..., object]) -> None:
    with Paged().client() as client, pytest.raises(InvalidDataError, match="`limit` is the number of rows"):
        function(client, "p", limit=0)


class TestMemory:
    PAGES, ROWS = 12, 100_000

    def instance(self) -> Paged:
        """Return an instance that makes each page when it is asked for."""
        instance: Any = Paged()

        def logs(body: Any) -> httpx.Response:
            number = int(body.get("cursor") or 0)
            is_last = number == self.PAGES - 1
            times = pa.array([BEGIN - number] * self.ROWS, pa.timestamp("ms"))
            headers = {"x-iteration-status": "All" if is_last else "RecordLimited"}
            headers |= {} if is_last else {"x-iteration-cursor": str(number + 1)}
            return httpx.Response(200, content=to_file(pa.table({"time": times})).to_pybytes(), headers=headers)

        instance.logs = logs
        return instance

    def check(self, taken: list[int]) -> None:
        """Check that no page takes much more memory than the first one did."""
        assert len(taken) == self.PAGES
        assert max(taken) - taken[0] < 2 * 8 * self.ROWS

    def test_no_more_than_a_page_is_held(self, traced: Callable[[], int]) -> None:
        with self.instance().client() as client:
            self.check([traced() for _ in pipeline_log_batches(client, "p", workspace=7)])

    def test_no_more_than_a_page_is_held_in_asyncio(self, traced: Callable[[], int]) -> None:
        async def read() -> list[int]:
            async with self.instance().client() as client:
                return [traced() async for _ in aio.pipeline_log_batches(client, "p", workspace=7)]

        self.check(asyncio.run(read()))

    def test_a_page_is_asked_for_when_the_one_before_is_taken(self) -> None:
        instance = self.instance()
        with instance.client() as client:
            batches = pipeline_log_batches(client, "p", workspace=7)
            next(batches)
            asked = len(instance.asked)
            next(batches)
        assert len(instance.asked) == asked + 1


@pytest.fixture
def traced() -> Generator[Callable[[], int]]:
    """Yield a function that returns how much memory Python and Arrow have taken."""
    tracemalloc.start()
    try:
        yield lambda: tracemalloc.get_traced_memory()[0] + pa.total_allocated_bytes()
    finally:
        tracemalloc.stop()
