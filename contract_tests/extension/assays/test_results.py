"""Do the results of an assay become a table of the stated columns, wherever an instance serves them?"""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime, timedelta, timezone
from importlib import import_module
from typing import TYPE_CHECKING, Any, cast

import httpx
import numpy as np
import pytest
from wallaroo_mlops_client import Client
from wallaroo_mlops_client.api.assays import list_assays
from wallaroo_mlops_client.models import AssayResult, ListAssaysRequest

from contract_tests.support.data.recordings import recording
from contract_tests.support.recorded import answered, recorded_answer
from contract_tests.support.sandbox.steering import assay, day, done, reset, seed_pipeline, seed_rows
from contract_tests.support.servers.forks.fork_server import running
from wallaroo_ext import (
    ContractViolationError,
    InvalidDataError,
    InvalidRequestError,
    NotFoundError,
    ServerError,
    aio,
    assay_chart,
    assay_results,
    call,
    connect,
    contract,
)
from wallaroo_ext.assays.results import results_schema, results_table
from wallaroo_ext.operations import parse
from wallaroo_ext.sandbox.control_client import Sandbox

if TYPE_CHECKING:
    from collections.abc import Generator

    import pyarrow as pa

MISSING = httpx.Response(404, html="<h1>no such page</h1>")
UUID = "5b8f1c2e-9a47-4d3b-8e60-2c7d91f4a3b5"
FIXED: Any = {"Fixed": {"pipeline": "p", "model": "m", "start_at": "2023-01-01T00:00:00-05:00"}}
STATIC: Any = {"static": {"count": 5, "edges": [1.0, None], "aggregated_values": [1.0, 0.0], "start": None}}
RUN = '{"run_at": "2024-01-09T19:10:01.369980660+00:00",  "num_ok": 3, "num_warnings": 0, "num_alerts": 1}'
"""The status of an assay after a run, a text with JSON."""
VALUES = (1.0, 2.0, 3.0, 4.0, 5.0)
DRIFTED = (4.0, 4.5, 5.0, 6.0, 7.0)


@pytest.fixture(scope="module")
def sandbox() -> Generator[dict[str, str]]:
    """Yield a sandbox of their own, which they reset."""
    with running() as environment:
        yield environment


@pytest.fixture
def assay_id(sandbox: dict[str, str], http: httpx.Client) -> int:
    """Return an assay with five windows of a day: two like the baseline, a day without rows, and two that drifted."""
    with httpx.Client(base_url=sandbox["WALLAROO_API_URL"], timeout=30) as plain:
        reset(plain)
        pipeline_id = seed_pipeline(plain)
        rows = [row for number in (1, 2, 3) for row in day(number, *VALUES)]
        seed_rows(plain, pipeline_id, rows + day(5, *DRIFTED) + day(6, *DRIFTED))
    return done(http, "create_assay", assay(pipeline_id))["assay_id"]


def recorded() -> dict[str, Any]:
    """Return the result that was recorded."""
    name = "mlops-api-tutorial/run-assay-interactively-1"
    [found] = [parameter.values[0] for parameter in answered() if parameter.id == name]
    return recorded_answer(found)[0]


def of_second_version(day: int) -> dict[str, Any]:
    """Return a result of the second version of the assays, in the shape recorded on 2025.2, with two fields."""
    summary = {
        "name": "out.a",
        "bins": {
            "mode": {"Quantile": 2},
            "edges": [0.25, 0.5, "INFINITY"],
            "labels": ["< 50%", "50% - 100%", "> 100%"],
        },
        "aggregated_values": [0.2, 0.3, 0.5],
        "aggregation": "Density",
        "statistics": {"count": 100, "min": 0.05, "max": 0.995, "mean": 0.6, "median": 0.625, "std": 0.2},
        "start": f"2025-03-0{day}T12:00:00Z",
        "end": f"2025-03-0{day}T12:01:00Z",
    }
    return {
        "id": 900 + day,
        "assay_id": UUID,
        "analyzed_at": f"2025-03-0{day}T12:01:01.500000Z",
        "elapsed_millis": 120,
        "scores": {
            "out.a": {"score": 0.5, "scores": [0.1, 0.2, 0.2], "bin_index": None},
            "out.b": {"score": 0.25, "scores": [0.25], "bin_index": None},
        },
        "status": "Alert",
        "summaries": {"out.a": summary},
        "window_end": f"2025-03-0{day}T12:01:00Z",
        "window_start": f"2025-03-0{day}T12:00:00Z",
        "created_at": f"2025-03-0{day}T12:01:01.250000Z",
        "updated_at": f"2025-03-0{day}T12:01:01.750000Z",
        "workspace_id": 7,
        "workspace_name": "fraud",
        "pipeline_id": 12,
        "warning_threshold": 0.1,
        "alert_threshold": 0.25,
    }


def days(table: pa.Table) -> list[int]:
    """Return the days that the windows begin on."""
    return [start.day for start in cast("list[datetime]", table.column("window_start").to_pylist())]


def answering(*, documented: httpx.Response, newer: httpx.Response = MISSING) -> tuple[Client, list[dict[str, Any]]]:
    """Return a client of an instance that answers so at the two paths; the bodies it was sent."""
    bodies: list[dict[str, Any]] = []

    def answer(request: httpx.Request) -> httpx.Response:
        bodies.append(json.loads(request.content))
        return documented if contract.operation_at(request.url.path) == "get_assay_results" else newer

    client = Client(base_url="https://api.example.com").set_httpx_client(
        httpx.Client(transport=httpx.MockTransport(answer), base_url="https://api.example.com")
    )
    return client, bodies


class TestOnASandbox:
    def test_a_row_a_window_the_oldest_first(self, client: Client, assay_id: int) -> None:
        table = assay_results(client, assay_id)
        assert table.schema == results_schema()
        assert days(table) == [2, 3, 5, 6]
        assert table.column("status").to_pylist() == ["Ok", "Ok", "Alert", "Alert"]
        assert table.column("assay_id").to_pylist() == [assay_id] * 4
        for row in table.to_pylist():
            assert row["window_end"] - row["window_start"] == timedelta(days=1)
            assert row["score"] == pytest.approx(sum(row["scores"]))
            assert (row["alert_threshold"], row["warning_threshold"], row["metric"]) == (0.1, None, "PSI")
            assert (row["baseline_count"], row["window_count"]) == (5, 5)
            lengths = {len(row[name]) for name in ("scores", "baseline_values", "window_values", "baseline_edges")}
            assert lengths == {7}

    def test_between_two_times(self, client: Client, assay_id: int) -> None:
        for start, end in (
            ("2023-01-03", "2023-01-06"),
            (datetime(2023, 1, 3), datetime(2023, 1, 6, tzinfo=UTC)),  # noqa: DTZ001 - without a zone it is UTC
            ("2023-01-03T01:00:00+01:00", datetime(2023, 1, 6, 1, tzinfo=timezone(timedelta(hours=1)))),
        ):
            table = assay_results(client, assay_id, start, end)
            assert days(table) == [3, 5]

    def test_a_limit_takes_the_newest(self, client: Client, assay_id: int) -> None:
        table = assay_results(client, assay_id, limit=2)
        assert days(table) == [5, 6]

    def test_no_results_are_an_empty_table(self, client: Client, assay_id: int) -> None:
        table = assay_results(client, assay_id, start="2030-01-01")
        assert (table.num_rows, table.schema) == (0, results_schema())

    def test_an_unknown_assay_is_the_instances_error_with_those_that_are(self, client: Client, assay_id: int) -> None:
        with pytest.raises(InvalidRequestError, match="There is no assay") as raised:
            assay_results(client, assay_id + 1000)
        [listed] = call(list_assays, client=client, body=ListAssaysRequest(pipeline_id=1))
        assert raised.value.advice == f"There are: {assay_id} ({listed.name!r} of {listed.pipeline_name})."

    def test_where_there_is_none_the_error_says_how_to_make_one(self, sandbox: dict[str, str], client: Client) -> None:
        with Sandbox(sandbox) as control:
            control.reset()
        with pytest.raises(InvalidRequestError, match=r"There is no assay 1\. There are none: .* --example` prints"):
            assay_results(client, 1)

    def test_where_assays_cannot_be_listed_the_error_is_as_it_was(
        self, sandbox: dict[str, str], client: Client, assay_id: int
    ) -> None:
        with Sandbox(sandbox) as control:
            control.add_faults({"operation": "list_assays", "kind": "unknown-status"})
            with pytest.raises(InvalidRequestError, match="Change the request"):
                assay_results(client, assay_id + 1000)
            control.clear_faults()

    def test_in_asyncio(self, sandbox: dict[str, str], client: Client, assay_id: int) -> None:
        async def results() -> pa.Table:
            async with connect(environment=sandbox) as connected:
                return await aio.assay_results(connected, assay_id, limit=3)

        assert asyncio.run(results()).equals(assay_results(client, assay_id, limit=3))


class TestNewerInstances:
    def test_they_are_asked_at_their_path(self) -> None:
        results = [recorded() | {"window_start": f"2023-01-0{number}T05:00:00Z"} for number in (4, 2, 3)]
        client, bodies = answering(documented=MISSING, newer=httpx.Response(200, json=results))
        table = assay_results(client, 5, limit=2)
        assert days(table) == [3, 4]
        assert bodies[1] == {
            "assay_id": 5,
            "start": "1970-01-01T00:00:00+00:00",
            "end": "2200-01-01T00:00:00+00:00",
        }

    def test_with_the_times_that_were_given(self) -> None:
        client, bodies = answering(documented=MISSING, newer=httpx.Response(200, json=[]))
        assert assay_results(client, 5, "2023-01-01", "2023-02-01").num_rows == 0
        assert bodies[1]["start"] == "2023-01-01T00:00:00+00:00"
        assert bodies[1]["end"] == "2023-02-01T00:00:00+00:00"

    @pytest.mark.parametrize(
        "documented",
        [
            httpx.Response(404, json={"code": 404, "msg": "not found"}),
            httpx.Response(405, json={"code": 405, "msg": "method not allowed"}),
            httpx.Response(500, json={"code": 500, "msg": "unknown error."}),
            httpx.Response(501, text="not implemented"),
        ],
    )
    def test_so_are_they_where_the_documented_path_is_not_served(self, documented: httpx.Response) -> None:
        client, bodies = answering(documented=documented, newer=httpx.Response(200, json=[recorded()]))
        assert assay_results(client, 5).num_rows == 1
        assert len(bodies) == 2

    @pytest.mark.parametrize(
        "failed", [{"code": 500, "msg": "the database is away"}, {"code": 500, "msg": "unknown error."}]
    )
    def test_a_failure_of_the_documented_path_stays_one(self, failed: Any) -> None:
        client, _ = answering(documented=httpx.Response(500, json=failed))
        with pytest.raises(ServerError, match=rf"get_assay_results: 500, {failed['msg']}"):
            assay_results(client, 5)

    def test_an_error_names_the_operation_that_answered(self) -> None:
        client, _ = answering(
            documented=MISSING, newer=httpx.Response(200, json=[recorded() | {"analyzed_at": 10**30}])
        )
        with pytest.raises(ContractViolationError, match=r"^get_assay_results_between: ") as raised:
            assay_results(client, 5)
        assert raised.value.operation == "get_assay_results_between"
        wrong = of_second_version(5) | {"window_end": 10**30}
        client, _ = answering(documented=MISSING, newer=httpx.Response(200, json=[wrong]))
        with pytest.raises(ContractViolationError, match=r"^get_assay_results_v2: "):
            assay_results(client, UUID)

    def test_ids_and_limits_may_be_numbers_of_a_data_frame(self) -> None:
        client, bodies = answering(documented=httpx.Response(200, json=[recorded()] * 3))
        assay_id: Any = np.int64(5)
        assert assay_results(client, assay_id, limit=cast("Any", np.int64(2))).num_rows == 2
        assert bodies == [{"assay_id": 5, "limit": 2}]

    def test_an_instance_that_serves_them_nowhere_is_an_error(self) -> None:
        client, _ = answering(documented=MISSING)
        with pytest.raises(NotFoundError, match="get_assay_results_between"):
            assay_results(client, 5)


class TestSecondVersion:
    def test_a_window_has_a_row_for_each_field(self) -> None:
        result = of_second_version(5)
        client, bodies = answering(documented=MISSING, newer=httpx.Response(200, json=result))
        table = assay_results(client, UUID)
        assert bodies == [{"id": UUID}]
        first, second = table.to_pylist()
        assert (first["iopath"], first["score"], first["status"], first["bin_mode"]) == (
            "out.a",
            0.5,
            "Alert",
            "Quantile",
        )
        assert first["window_start"] == datetime(2025, 3, 5, 12, tzinfo=UTC)
        assert first["window_end"] - first["window_start"] == timedelta(minutes=1)
        assert (first["window_count"], first["window_mean"], first["alert_threshold"]) == (100, 0.6, 0.25)
        assert first["window_edges"] == [0.25, 0.5, None]
        assert first["window_edge_names"] == ["< 50%", "50% - 100%", "> 100%"]
        assert first["window_values"] == [0.2, 0.3, 0.5]
        assert (first["assay_id"], first["baseline_count"], first["metric"]) == (None, None, None)
        assert (second["iopath"], second["score"], second["window_count"]) == ("out.b", 0.25, None)

    def test_windows_are_those_that_begin_between_two_times_the_newest_ones(self) -> None:
        results = [of_second_version(day) for day in (7, 5, 6, 4)]
        client, bodies = answering(documented=MISSING, newer=httpx.Response(200, json=results))
        assert days(assay_results(client, UUID, "2025-03-05", "2025-03-07")) == [5, 5, 6, 6]
        assert bodies[0] == {"id": UUID, "start": "2025-03-05T00:00:00+00:00"}
        assert days(assay_results(client, UUID, limit=1)) == [7, 7]
        assert days(assay_results(client, UUID)) == [4, 4, 5, 5, 6, 6, 7, 7]

    def test_an_assay_without_results_is_an_empty_table(self) -> None:
        client, _ = answering(documented=MISSING, newer=httpx.Response(200, json=[]))
        for limit in (None, 1):
            table = assay_results(client, UUID, "2025-03-05", limit=limit)
            assert (table.num_rows, table.schema) == (0, results_schema())

    @pytest.mark.parametrize("assay_id", ["5", "an assay", "", None, True, 1.5])
    def test_an_id_is_a_number_or_a_uuid(self, client: Client, assay_id: Any) -> None:
        with pytest.raises(InvalidDataError, match="a number or a UUID"):
            assay_results(client, assay_id)


class TestReleases:
    def test_a_result_of_2022_has_its_times_elsewhere(self) -> None:
        summarizer = {"type": "UnivariateContinuous", "bin_mode": "Quantile", "aggregation": "Density", "metric": "PSI"}
        summary = {"count": 4, "aggregated_values": [0.5, 0.5], "aggregation": "Density"}
        result: dict[str, Any] = {
            "assay_id": 3,
            "name": "an assay",
            "created_at": 1_665_000_000_500,
            "elapsed_millis": 3,
            "pipeline_id": 4,
            "iopath": "input 0 0",
            "baseline_summary": summary | {"start": "2022-01-01T05:00:00Z", "end": "2022-01-02T05:00:00Z"},
            "window_summary": summary | {"start": "2022-01-02T05:00:00Z", "end": "2022-01-03T05:00:00Z"},
            "score": 0.01,
            "scores": [0.0, 0.01],
            "index": 1,
            "summarizer_meta": summarizer,
            "status": "Ok",
        }
        in_a_text = result | {"summarizer_meta": json.dumps(summarizer)}
        table = results_table([AssayResult.from_dict(each) for each in (result, in_a_text)])
        first, second = table.to_pylist()
        assert first == second
        assert first["window_start"] == datetime(2022, 1, 2, 5, tzinfo=UTC)
        assert first["window_end"] == datetime(2022, 1, 3, 5, tzinfo=UTC)
        assert first["analyzed_at"] == datetime(2022, 10, 5, 20, 0, 0, 500_000, tzinfo=UTC)
        assert (first["metric"], first["bin_mode"], first["bin_index"]) == ("PSI", "Quantile", 1)

    def test_a_result_of_2024_has_null_for_what_is_not_known(self) -> None:
        result = recorded()
        result["baseline_summary"] |= {"start": None, "end": None}
        result |= {"warning_threshold": None, "workspace_id": None, "workspace_name": None}
        del result["iopath"]
        [row] = results_table([AssayResult.from_dict(result)]).to_pylist()
        assert (row["baseline_start"], row["warning_threshold"], row["iopath"]) == (None, None, None)
        assert row["baseline_count"] == result["baseline_summary"]["count"]

    @pytest.mark.parametrize(
        ("operation", "names"),
        [
            ("get_assay_results_between", "*assays-get_assay_results-*"),
            ("get_assay_results_v2", "2025*assays-get_results-*"),
            ("run_interactive_assay", "*assays-run_interactive-*"),
        ],
    )
    def test_every_recorded_result_is_read_and_drawn(self, operation: str, names: str) -> None:
        module: Any = import_module(f"wallaroo_mlops_client.api.assays.{operation}")
        files = sorted(recording("").glob(names))
        assert files
        for file in files:
            answer = httpx.Response(200, json=json.loads(file.read_text(encoding="utf-8"))["response"])
            parsed: Any = parse(module, answer)
            results = cast("list[Any]", parsed) if isinstance(parsed, list) else [parsed]
            table = results_table(results)
            assert table.num_rows
            for name in ("window_start", "window_end", "analyzed_at", "score", "window_count", "bin_mode"):
                assert table.column(name).null_count == 0, (file.name, name)
            assert assay_chart(table, bins="last")


class TestFinding:
    @pytest.mark.parametrize(
        "form",
        [
            {"baseline": FIXED, "window": {"pipeline": "p", "model": "m", "width": "24 hours"}, "status": "created"},
            {"baseline": FIXED, "window": {"pipeline": "p", "model": "m", "width": "24 hours"}, "status": RUN},
            {
                "baseline": STATIC,
                "window": {"path": "output a 0", "model_name": "m", "width": "1 minute"},
                "status": RUN,
            },
            {"baseline": {"calculated": {"vector": [1.0, 2.0]}}, "window": {"path": "output a 0"}, "status": "created"},
        ],
    )
    def test_an_assay_is_found_in_the_list_of_any_release_and_its_results_are_drawn(self, form: Any) -> None:
        assays = [{"id": 8, "name": "other"}, {"id": 9, "name": "an assay"}]
        listed = [of | {"active": True, "pipeline_id": 12, "warning_threshold": None} | form for of in assays]

        def answer(request: httpx.Request) -> httpx.Response:
            is_list = contract.operation_at(request.url.path) == "list_assays"
            return httpx.Response(200, json=listed if is_list else [recorded()])

        client = Client(base_url="https://api.example.com").set_httpx_client(
            httpx.Client(transport=httpx.MockTransport(answer), base_url="https://api.example.com")
        )
        [found] = [
            each for each in call(list_assays, client=client, body=ListAssaysRequest(12)) if each.name == "an assay"
        ]
        assert found.to_dict() == listed[1]
        assert assay_chart(assay_results(client, found.id))

    def test_every_recorded_list_is_read(self) -> None:
        files = sorted(recording("").glob("*-assays-list-*.json"))
        assert files
        for file in files:
            answer = json.loads(file.read_text(encoding="utf-8"))["response"]
            assert [each.to_dict() for each in parse(list_assays, httpx.Response(200, json=answer))] == answer


class TestTable:
    def test_the_recorded_result_is_whole(self) -> None:
        result = recorded()
        [row] = results_table([AssayResult.from_dict(result)]).to_pylist()
        assert row["window_start"] == datetime(2023, 1, 2, 5, tzinfo=UTC)
        assert row["window_end"] == datetime(2023, 1, 3, 5, tzinfo=UTC)
        assert row["analyzed_at"] == datetime(2023, 5, 17, 20, 54, 19, 568121, tzinfo=UTC)
        assert (row["score"], row["scores"], row["status"]) == (result["score"], result["scores"], "Warning")
        for side in ("baseline", "window"):
            summary = result[f"{side}_summary"]
            for name in ("count", "min", "max", "mean", "median", "std", "edges", "edge_names"):
                assert row[f"{side}_{name}"] == summary[name]
            assert row[f"{side}_values"] == summary["aggregated_values"]

    def test_what_a_release_leaves_out_is_null(self) -> None:
        bare = {"window_start": "2023-01-02T05:00:00.123456789+00:00", "score": 1, "status": "Ok", "later": [1]}
        [row] = results_table([AssayResult.from_dict(bare)]).to_pylist()
        assert {name for name, value in row.items() if value is not None} == {"window_start", "score", "status"}

    def test_pandas_takes_it(self) -> None:
        frame = cast("Any", results_table([AssayResult.from_dict(recorded())])).to_pandas()
        assert str(frame["window_start"].dtype) == "datetime64[us, UTC]"
        assert frame["score"].dtype == float

    @pytest.mark.parametrize(
        "wrong",
        [
            {"window_start": "yesterday"},
            {"score": "high"},
            {"scores": 3},
            {"window_start": None},
            {"analyzed_at": 10**30},
            {"analyzed_at": 10**17},
        ],
    )
    def test_a_value_of_another_type_breaks_the_contract(self, wrong: Any) -> None:
        with pytest.raises(ContractViolationError, match="get_assay_results"):
            results_table([AssayResult.from_dict(recorded() | wrong), AssayResult.from_dict(recorded())])


@pytest.mark.parametrize(
    "wrong",
    [
        {"start": "yesterday"},
        {"end": 5},
        {"limit": 0},
        {"limit": True},
        {"limit": "5"},
        {"limit": 1.5},
        {"end": "2023-01-01", "start": "2023-01-02"},
    ],
)
def test_what_is_no_time_and_no_number_is_refused(client: Client, wrong: Any) -> None:
    with pytest.raises(InvalidDataError, match=next(iter(wrong))):
        assay_results(client, 1, **wrong)
