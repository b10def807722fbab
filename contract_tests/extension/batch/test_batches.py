"""Does `infer_batches` give every row once, in order, whatever fails, and does it leave nothing behind?"""

from __future__ import annotations

import asyncio
import gc
import io
import threading
import time
from contextlib import aclosing
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import httpx
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from contract_tests.support.data.batch_faults import FAULTS
from contract_tests.support.data.batch_rows import batch, check_scores, running_threads, scores_of, table_of, vectors
from contract_tests.support.sandbox.deployments import deployed
from contract_tests.support.servers import http_servers
from contract_tests.support.servers.echo_instance import URL, Echo
from contract_tests.support.servers.forks.fork_server import running
from wallaroo_ext import (
    BatchRetries,
    ConnectionFailedError,
    ContractViolationError,
    EngineError,
    InvalidDataError,
    InvalidRequestError,
    NotFoundError,
    Rejection,
    RetryPolicy,
    aio,
    connect,
    infer,
    infer_batches,
)
from wallaroo_ext._util.arrow.files import to_file
from wallaroo_ext.batch.asyncio_threads import elements

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

    from wallaroo_mlops_client import Client

    from wallaroo_ext.sandbox.control_client import Sandbox

arrow: Any = pa
polars: Any = pl
AT_ONCE = BatchRetries(first_pause=0.01)


def batches(*sizes: int) -> Iterator[Any]:
    first = 0
    for rows in sizes:
        yield batch(rows, first)
        first += rows


class TestRows:
    @pytest.mark.parametrize("where", ["name", "url", "object"])
    def test_batches_of_any_size_come_out_in_order(
        self, client: Client, url: str, where: str, expected: Callable[[Any], np.ndarray[Any, Any]]
    ) -> None:
        sizes = (1, 0, 3000, 7, 12_000, 1, 1, 500)
        pipeline: Any = {"name": "rows", "url": url, "object": type("Deployment", (), {"url": url})()}[where]
        scored = table_of(*infer_batches(client, pipeline, batches(*sizes), keys=["id"], in_flight=3))
        assert scored.column_names == ["id", "time", "out.dense_1", "anomaly.count"]
        check_scores(scored, table_of(*batches(*sizes)), expected)
        assert running_threads() == []

    def test_requests_have_the_size_that_is_asked_for(self, control: Sandbox, client: Client, url: str) -> None:
        before = control.state()["requests"]
        scored = list(infer_batches(client, url, batches(250, 250, 1), keys="id", request_rows=100))
        assert [each.num_rows for each in scored] == [100, 100, 100, 100, 100, 1]
        assert control.state()["requests"] != before

    def test_columns_keys_and_a_vector(
        self, client: Client, url: str, expected: Callable[[Any], np.ndarray[Any, Any]]
    ) -> None:
        rows = vectors(40)
        table: Any = arrow.table({"id": range(40), "note": ["x"] * 40} | {f"c{n}": rows[:, n] for n in range(29)})
        names = [f"c{n}" for n in range(29)]
        options: Any = {"columns": names, "keys": ["note", "c3"], "vector": True, "dataset": "out"}
        scored = table_of(*infer_batches(client, url, table.to_batches(), **options))
        assert scored.column_names == ["note", "c3", "out.dense_1"]
        np.testing.assert_allclose(scores_of(scored), expected(rows).reshape(-1), atol=1e-5)
        assert scored.column("c3").to_pylist() == table.column("c3").to_pylist()

    @pytest.mark.parametrize("wire", ["pandas-records", "json"])
    def test_json_gives_the_same(self, client: Client, url: str, wire: Any) -> None:
        rows = list(batches(30, 30))
        older = url.rpartition("/")[0]  # which takes all formats
        in_arrow = table_of(*infer_batches(client, url, rows, keys=["id"]))
        in_json = table_of(*infer_batches(client, older, rows, keys=["id"], wire=wire, request_rows=25))
        assert in_json.column("id").to_pylist() == list(range(60))
        np.testing.assert_allclose(scores_of(in_json), scores_of(in_arrow), rtol=1e-6)

    def test_a_timeout_is_that_of_each_request(self) -> None:
        timeouts: list[dict[str, float]] = []

        def keep(request: httpx.Request) -> None:
            timeouts.append(request.extensions["timeout"])

        with Echo().client() as client:
            client.get_httpx_client().event_hooks = {"request": [keep]}
            list(infer_batches(client, URL, batches(4), keys=["id"], request_rows=2, timeout=7))
        assert timeouts == [dict.fromkeys(("connect", "read", "write", "pool"), 7)] * 2

    def test_as_many_requests_may_be_under_way_as_is_said(self, client: Client, url: str) -> None:
        rows = batches(128)
        assert table_of(*infer_batches(client, url, rows, keys=["id"], in_flight=64, request_rows=1)).num_rows == 128

    def test_no_rows_are_no_batches(self, client: Client, url: str) -> None:
        assert list(infer_batches(client, url, iter(()))) == []
        assert list(infer_batches(client, url, batches(0, 0), keys=["id"])) == []

    @pytest.mark.parametrize(
        ("options", "message"),
        [
            ({"in_flight": 0}, "in_flight"),
            ({"in_flight": 65}, "at most 64"),
            ({"request_rows": True}, "request_rows"),
            ({"columns": []}, "No column is left"),
            ({"wire": "xml"}, "wire"),
        ],
    )
    def test_wrong_options_are_refused_before_anything_is_read(
        self, client: Client, url: str, options: Any, message: str
    ) -> None:
        with pytest.raises(InvalidDataError, match=message):
            infer_batches(client, url, iter(()), **options)

    def test_other_wrong_calls(self, client: Client, url: str) -> None:
        wrong: Any = infer_batches
        with pytest.raises(TypeError, match="unexpected keyword argument 'row'"):
            wrong(client, url, iter(()), row=1)
        with pytest.raises(InvalidDataError, match="name of a pipeline"):
            wrong(client, 5, iter(()))
        with pytest.raises(NotFoundError, match="nothing-here"):
            infer_batches(client, "nothing-here", iter(()))
        with pytest.raises(InvalidDataError, match="no column 'key'"):
            list(infer_batches(client, url, batches(3), keys=["key"]))


FORMS: dict[str, Callable[[Any], Any]] = {
    "a table": lambda table: table,
    "pandas": lambda table: table.to_pandas(),
    "pandas with an index": lambda table: table.to_pandas().set_index("id"),
    "polars": polars.from_arrow,
    "columns": lambda table: table.to_pydict(),
    "a reader": lambda table: table.to_reader(),
    "structs": lambda table: table.to_struct_array(),
}


def chunks(form: Callable[[Any], Any]) -> Iterator[Any]:
    """Yield rows in another form than record batches."""
    for each in batches(3, 0, 50):
        yield form(table_of(each))


class TestForms:
    @pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
    def test_every_form_of_rows_is_a_batch(
        self, client: Client, url: str, form: Callable[[Any], Any], expected: Callable[[Any], np.ndarray[Any, Any]]
    ) -> None:
        scored = arrow.Table.from_batches(list(infer_batches(client, url, chunks(form), keys=["id"])))
        check_scores(scored, table_of(*batches(3, 0, 50)), expected)

    def test_a_list_of_records_and_an_array_are_batches(self, client: Client, url: str) -> None:
        rows = vectors(4)
        records: Any = [{"dense_input": row} for row in rows]
        for given in (records, rows):
            scored = list(infer_batches(client, url, [given, given]))
            assert sum(each.num_rows for each in scored) == 8

    @pytest.mark.parametrize("reader", ["read_csv", "read_json"])
    def test_the_chunks_of_a_reader_of_pandas(self, client: Client, url: str, tmp_path: Path, reader: str) -> None:
        """Such a reader has a `read`, as an open file has, and is none."""
        frame = pd.DataFrame(vectors(5), columns=[f"x{number}" for number in range(len(vectors(1)[0]))])
        path = tmp_path / "rows"
        if reader == "read_csv":
            frame.to_csv(path, index=False)
            chunks = pd.read_csv(path, chunksize=2)
        else:
            frame.to_json(path, orient="records", lines=True)
            chunks = pd.read_json(path, lines=True, chunksize=2)
        with chunks:
            assert sum(each.num_rows for each in infer_batches(client, url, chunks, vector=True)) == 5
            with pytest.raises(InvalidDataError, match="Reader: give the tables that it yields to infer_batches"):
                infer(client, url, cast("Any", chunks))

    def test_a_column_that_is_not_sent_may_have_any_values(self, client: Client, url: str) -> None:
        rows = vectors(2)
        given: list[Any] = [{"dense_input": rows, "note": note} for note in ([1, 2], [1, "x"], [{1}, {2}])]
        scored = list(infer_batches(client, url, given, columns=["dense_input"]))
        assert sum(each.num_rows for each in scored) == 6
        refused: list[dict[str, Any]] = [{}, {"columns": ["dense_input"], "keys": ["note"]}]
        for options in refused:
            with pytest.raises(
                InvalidDataError, match="`batches`, number 1: The column 'note' cannot be read: row 1, 'x'"
            ):
                list(infer_batches(client, url, given, **options))

    def test_in_asyncio_too(self, client: Client, url: str, control: Sandbox) -> None:
        del client

        async def given() -> AsyncIterator[Any]:
            for each in chunks(lambda table: table.to_pandas()):
                yield each

        async def rows() -> int:
            async with aio.connect(environment=control.environment) as connected:
                return sum([each.num_rows async for each in aio.infer_batches(connected, url, given(), keys=["id"])])

        assert asyncio.run(rows()) == 53

    @pytest.mark.parametrize(
        ("wrong", "message"),
        [
            ("rows.csv", "is no str: send it by infer, or in a list"),
            (Path("rows.csv"), "is no PosixPath|is no WindowsPath"),
            (io.BytesIO(b""), "is no BytesIO: send it by infer"),
            ({"a": [1]}, "is no dict: send it by infer"),
            (arrow.table({"a": [1]}), "is no Table: send it by infer"),
            (polars.DataFrame({"a": [1]}), "is no DataFrame: send it by infer"),
            (np.ones((2, 2)), "is no ndarray: send it by infer"),
            (5, "is no int"),
            ([{"a": 1}, {"a": 2}], r"`batches`, number 0: The column 'a' is int.*\[record\]"),
            ([arrow.table({"a": [1]}), 5], "`batches`, number 1: Rows are a table .* not int"),
            (["a.csv"], r"`batches` gives the file a\.csv as number 0: files go to infer_dataset"),
            (
                ["https://me:hunter2Zq@h.example.com/a.csv?sig=x"],
                r"the file https://h\.example\.com/a\.csv as number 0",
            ),
            ([{"a": [1]}, {"b": [1]}], r"one has the columns \['b'\] after \['a'\]"),
            ([{"a": [1]}, {"a": [1.5]}], "one has 'a' of type double after int64"),
            (
                [
                    arrow.table({"a": [1]}),
                    arrow.table([[1]], arrow.schema([arrow.field("a", "int64", nullable=False)])),
                ],
                "one has 'a' of type int64 not null after int64",
            ),
        ],
    )
    def test_what_is_no_batch_says_what_to_do(self, client: Client, url: str, wrong: Any, message: str) -> None:
        with pytest.raises(InvalidDataError, match=message):
            list(infer_batches(client, url, wrong))


def indexes(*values: int) -> Any:
    return arrow.record_batch({"index": list(values), "key": [f"k{n}" for n in range(len(values))]})


class TestRejectedRows:
    def test_they_are_found_and_told_with_their_keys(self, client: Client, lookup: str) -> None:
        values = [n % 10 for n in range(300)]
        for wrong in (0, 77, 78, 299):
            values[wrong] = 50 + wrong
        rejections: list[Rejection] = []
        scored = table_of(
            *infer_batches(
                client,
                lookup,
                [indexes(*values)],
                keys=["key"],
                columns=["index"],
                request_rows=64,
                rejected=rejections.append,
            )
        )
        assert [each.row for each in rejections] == [0, 77, 78, 299]
        assert [each.keys for each in rejections] == [{"key": f"k{n}"} for n in (0, 77, 78, 299)]
        assert all("out of" in each.reason for each in rejections), rejections[0]
        right = [n for n in range(300) if values[n] < 10]
        assert scored.column("key").to_pylist() == [f"k{n}" for n in right]
        assert scored.column("out.value").to_pylist() == [values[n] ** 2 for n in right]

    def test_without_who_takes_them_the_first_is_an_error(self, client: Client, lookup: str) -> None:
        with pytest.raises(EngineError):
            list(infer_batches(client, lookup, [indexes(1, 2, 30)], keys=["key"]))
        assert running_threads() == []

    def test_a_row_without_a_number_in_its_vector_is_one(self, client: Client, url: str) -> None:
        columns: dict[str, Any] = {f"c{n}": [0.5, 0.5, 0.5] for n in range(29)}
        columns["c7"] = [0.5, None, 0.5]
        rejections: list[Rejection] = []
        rows = arrow.table(columns).to_batches()
        scored = table_of(*infer_batches(client, url, rows, vector=True, rejected=rejections.append))
        assert ([each.row for each in rejections], scored.num_rows) == ([1], 2)
        assert "'c7' has no number in row 1, but null or NaN" in rejections[0].reason

    def test_a_request_that_is_too_large_is_halved(self, model_file: Path) -> None:
        with running(None, "--arrow-limit", "1") as environment:
            where = deployed(environment, model_file, "small")
            with connect(environment=environment) as client:
                scored = infer_batches(client, where, batches(30_000), keys=["id"], request_rows=30_000)
                assert sum(each.num_rows for each in scored) == 30_000


class TestTooLarge:
    """A gateway that takes no more than some bytes, and says so in one way or another."""

    @pytest.mark.parametrize("answer", ["413", "400", "500", "503", "page", "reset", "timeout"])
    @pytest.mark.parametrize("in_flight", [1, 8])
    def test_no_row_is_lost_and_few_requests_are_refused(self, answer: str, in_flight: int) -> None:
        refused: list[int] = []

        def handle(request: httpx.Request) -> httpx.Response:
            rows = arrow.ipc.open_file(request.read()).read_all()
            if rows.nbytes <= 20_000:
                answered = arrow.table({"out.a": rows.column("a")})
                kind = {"Content-Type": "application/vnd.apache.arrow.file"}
                return httpx.Response(200, content=to_file(answered).to_pybytes(), headers=kind)
            refused.append(rows.num_rows)
            if answer == "reset":
                raise httpx.WriteError("connection reset by peer", request=request)
            if answer == "timeout":
                raise httpx.ReadTimeout("", request=request)
            if answer == "page":
                return httpx.Response(200, html="<h1>Request Entity Too Large</h1>")
            return httpx.Response(int(answer), text="the payload is larger than it may be")

        once = RetryPolicy(attempts=1)
        with connect(
            "https://api.example.com", token="t", transport=httpx.MockTransport(handle), retries=once
        ) as client:
            source = [arrow.record_batch({"a": np.arange(n * 20_000, (n + 1) * 20_000)}) for n in range(5)]
            scored = infer_batches(client, "/infer", source, in_flight=in_flight, retries=AT_ONCE)
            found: list[Any] = [number for each in scored for number in cast("Any", each).column("out.a").to_pylist()]
        assert found == list(range(100_000))
        assert 0 < len(refused) <= 2 * in_flight + 8

    def test_what_fails_whatever_its_size_is_an_error(self) -> None:
        sent: list[int] = []

        def handle(request: httpx.Request) -> httpx.Response:
            sent.append(len(request.read()))
            return httpx.Response(400, text="wrong")

        rows = [arrow.record_batch({"a": np.arange(1000)})]
        with (
            connect("https://api.example.com", token="t", transport=httpx.MockTransport(handle)) as client,
            pytest.raises(InvalidRequestError),
        ):
            list(infer_batches(client, "/infer", rows, in_flight=1))
        assert len(sent) <= 3


class TestFailures:
    @pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: "-".join(str(value) for value in fault.values()))
    def test_each_kind_of_failure_now_and_then_changes_nothing(
        self,
        control: Sandbox,
        client: Client,
        url: str,
        fault: dict[str, Any],
        expected: Callable[[Any], np.ndarray[Any, Any]],
    ) -> None:
        control.add_faults({"operation": "*", "probability": 0.3, "seed": 5} | fault)
        rows = list(batches(400))
        patient = replace(AT_ONCE, attempts=30, sign_ins=30)  # three of ten fail, and which ones depends on the threads
        scored = infer_batches(client, url, rows, keys=["id"], request_rows=20, retries=patient)
        check_scores(table_of(*scored), table_of(*rows), expected)
        assert sum(rule["applied"] for rule in control.faults()) > 0
        assert running_threads() == []

    def test_what_always_fails_is_raised_and_says_how_often_it_was_tried(
        self, control: Sandbox, client: Client, url: str
    ) -> None:
        scored = infer_batches(client, url, batches(*[50] * 40), keys=["id"], request_rows=10, retries=AT_ONCE)
        next(scored)
        control.add_faults({"operation": "*", "kind": "truncated-answer"})
        with pytest.raises(ContractViolationError) as raised:
            list(scored)
        assert raised.value.__notes__ == ["The run had sent this request 6 times."]
        assert running_threads() == []

    def test_an_answer_with_other_rows_is_no_answer(self) -> None:
        def handle(_: httpx.Request) -> httpx.Response:
            return httpx.Response(200, json=[{"time": 1, "out": {"a": 1}}])

        with connect("https://api.example.com", token="t", transport=httpx.MockTransport(handle)) as client:
            rows = [arrow.record_batch({"a": [1, 2]})]
            with pytest.raises(ContractViolationError, match="2 rows were sent, and 1 came back"):
                list(infer_batches(client, "/infer", rows, retries=AT_ONCE))

    def test_an_error_of_the_source_is_the_callers(self, client: Client, url: str) -> None:
        def source() -> Iterator[Any]:
            yield batch(10)
            raise OSError("the disk is gone")

        with pytest.raises(OSError, match="the disk is gone"):
            list(infer_batches(client, url, source(), keys=["id"]))
        assert running_threads() == []


class TestTheEnd:
    @pytest.mark.parametrize("how", ["close", "forget", "error"])
    def test_who_stops_early_leaves_no_thread(self, client: Client, url: str, how: str) -> None:
        scored = infer_batches(client, url, batches(*[1000] * 50), keys=["id"], request_rows=100)
        next(scored)
        if how == "close":
            scored.close()
        elif how == "forget":
            del scored
            gc.collect()
        else:
            with pytest.raises(ValueError, match="mine"):
                scored.throw(ValueError("mine"))
        assert running_threads() == []

    def test_a_pause_between_attempts_ends_with_it(self, control: Sandbox, client: Client, url: str) -> None:
        retries = BatchRetries(first_pause=1000.0, longest_pause=1000.0)
        scored = infer_batches(client, url, batches(*[100] * 90), keys=["id"], request_rows=100, retries=retries)
        next(scored)
        control.add_faults({"operation": "*", "kind": "unknown-status"})
        time.sleep(0.3)
        began = time.monotonic()
        scored.close()
        assert time.monotonic() - began < 20
        assert running_threads() == []

    def test_nothing_is_sent_before_the_first_batch_is_asked_for(self, client: Client, url: str) -> None:
        scored = infer_batches(client, url, batches(10), keys=["id"])
        assert running_threads() == []
        scored.close()


class TestAsyncio:
    def test_the_same_rows_from_both_kinds_of_sources(
        self, control: Sandbox, client: Client, expected: Callable[[Any], np.ndarray[Any, Any]]
    ) -> None:
        del client

        async def slowly() -> AsyncIterator[Any]:
            for each in batches(500, 700, 3):
                await asyncio.sleep(0.001)
                yield each

        async def main() -> list[Any]:
            async with aio.connect(environment=control.environment) as client:
                both = [
                    aio.infer_batches(client, "rows", source, keys=["id"])
                    for source in (slowly(), batches(500, 700, 3))
                ]
                return [[each async for each in scored] for scored in both]

        for scored in asyncio.run(main()):
            check_scores(table_of(*scored), table_of(*batches(500, 700, 3)), expected)
        assert running_threads() == []

    @pytest.mark.parametrize("source", ["waiting", "endless"])
    def test_a_cancelled_task_leaves_no_thread(self, control: Sandbox, url: str, source: str) -> None:
        async def waiting() -> AsyncIterator[Any]:
            yield batch(10)
            await asyncio.Event().wait()

        def endless() -> Iterator[Any]:
            while True:
                yield batch(100)

        taken: list[Any] = []

        async def take() -> None:
            async with aio.connect(environment=control.environment) as client:
                rows = waiting() if source == "waiting" else endless()
                async for scored in aio.infer_batches(client, url, rows, keys=["id"], request_rows=10):
                    taken.append(scored)  # noqa: PERF401 - one after the other

        async def main() -> None:
            task = asyncio.create_task(take())
            await asyncio.sleep(0.5)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task

        asyncio.run(main())
        assert running_threads() == []
        assert taken or source == "waiting"

    def test_the_event_loop_goes_on_while_the_thread_ends_however_often_it_is_cancelled(self) -> None:
        begun, loop_went_on, ended = threading.Event(), threading.Event(), list[bool]()

        def rows(_: Any, stopped: threading.Event) -> Iterator[Any]:
            begun.set()
            stopped.wait(10)
            ended.append(loop_went_on.wait(5))
            yield

        async def take() -> None:
            async with aclosing(elements(cast("Any", rows), [])) as taken:
                async for _ in taken:
                    pass

        async def main() -> None:
            task = asyncio.create_task(take())
            await asyncio.to_thread(begun.wait, 10)
            asyncio.get_running_loop().call_later(0.3, loop_went_on.set)
            for _ in range(3):
                task.cancel()
                await asyncio.sleep(0.02)
            with pytest.raises(asyncio.CancelledError):
                await task

        asyncio.run(main())
        assert ended == [True]

    @pytest.mark.parametrize("what", ["batches", "dataset"])
    def test_a_cancelled_task_does_not_look_for_the_pipeline_any_longer(self, tmp_path: Path, what: str) -> None:
        (tmp_path / "rows.csv").write_text("a\n1\n", encoding="utf-8")
        asked = threading.Event()

        def busy(handler: Any, _: int) -> None:
            http_servers.answer(handler, 503, b"{}", Retry_After="20")
            asked.set()

        async def score(client: Client) -> object:
            if what == "dataset":
                return await aio.infer_dataset(client, "rows", tmp_path / "rows.csv", tmp_path / "out")
            return [each async for each in aio.infer_batches(client, "rows", [batch(1)])]

        async def main(url: str) -> float:
            async with aio.connect(url, token="t", retries=RetryPolicy(attempts=1)) as client:
                task = asyncio.create_task(score(client))
                await asyncio.to_thread(asked.wait, 30)
                began = time.monotonic()
                task.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await task
                return time.monotonic() - began

        with http_servers.serving(busy) as server:
            assert asyncio.run(main(server.url)) < 10
        assert running_threads() == []
        assert not (tmp_path / "out").exists()

    def test_a_wrong_option_is_refused_at_the_call(self, client: Client) -> None:
        with pytest.raises(InvalidDataError, match="`in_flight` is a whole number"):
            aio.infer_batches(client, "rows", [], in_flight=0)

    def test_errors_are_the_same(self, control: Sandbox, lookup: str) -> None:
        async def main() -> None:
            async with aio.connect(environment=control.environment) as client:
                async for _ in aio.infer_batches(client, lookup, [indexes(50)], keys=["key"]):
                    pass

        with pytest.raises(EngineError):
            asyncio.run(main())
        assert running_threads() == []


def test_a_lost_instance_is_an_error(url: str) -> None:
    del url
    with connect("http://127.0.0.1:9", token="t", retries=RetryPolicy(attempts=1)) as client:
        scored = infer_batches(client, "/infer/a-1", batches(5), keys=["id"], retries=BatchRetries(attempts=2))
        with pytest.raises(ConnectionFailedError):
            list(scored)


def test_it_gives_what_infer_gives(client: Client, url: str) -> None:
    rows = table_of(*batches(100))
    alone = infer(client, url, rows.select(["dense_input"]))
    together = table_of(*infer_batches(client, url, rows.to_batches(), columns=["dense_input"], request_rows=30))
    assert together.column("out.dense_1").to_pylist() == alone.column("out.dense_1").to_pylist()
