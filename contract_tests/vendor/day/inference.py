"""Scoring rows: from frames, tables and files, one by one and many at a time."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import httpx
import pandas as pd
import pyarrow as pa

from contract_tests.vendor.day.calls import Calls, Day, among, equal, numbers
from contract_tests.vendor.day.pipelines import ROWS, frame

INFERENCE = Calls()
SUMS = [6.0, 15.0]


def table() -> pa.Table:
    """Return the rows as a table of Arrow."""
    return pa.table({"tensor": pa.array(ROWS, pa.list_(pa.float32()))})


@INFERENCE.add("Pipeline.infer(data frame)", "scores rows of pandas", "the rows and their sums, in columns with dots")
def infer_frame(day: Day) -> None:
    scored = day["pipeline"].infer(frame())
    equal(numbers(scored["out.total"]), SUMS)
    equal([list(row) for row in scored["in.tensor"]], ROWS)
    equal(str(scored["time"].dtype), "datetime64[ns]")


@INFERENCE.add("Pipeline.infer(table)", "scores rows of Arrow", "the sums, and no failed check")
def infer_table(day: Day) -> None:
    scored = day["pipeline"].infer(table())
    equal(isinstance(scored, pa.Table), True)
    equal(numbers(scored["out.total"]), SUMS)
    failures = "anomaly.count" if day.is_new else "check_failures"
    equal(numbers(scored[failures]), [0.0, 0.0])


@INFERENCE.add('Pipeline.infer(…, dataset=["*", "metadata"])', "scores with metadata", "the model's name among them")
def infer_metadata(day: Day) -> None:
    scored = day["pipeline"].infer(frame(), dataset=["*", "metadata"])
    among("sums", scored["metadata.last_model"][0])


@INFERENCE.add('Pipeline.infer(…, dataset_exclude=["in"])', "scores without inputs", "the sums, and no inputs")
def infer_without_inputs(day: Day) -> None:
    scored = day["pipeline"].infer(frame(), dataset_exclude=["in"])
    equal(numbers(scored["out.total"]), SUMS)
    equal([name for name in scored.columns if name.startswith("in.")], [])


@INFERENCE.add("Pipeline.infer_from_file(records.json)", "scores a file of records", "the sums")
def infer_json_file(day: Day) -> None:
    file = day.files / "rows.df.json"
    file.write_text(json.dumps([{"tensor": row} for row in ROWS]), encoding="utf-8")
    equal(numbers(day["pipeline"].infer_from_file(str(file))["out.total"]), SUMS)


@INFERENCE.add("Pipeline.infer_from_file(rows.arrow)", "scores a file of Arrow", "the sums, in a table")
def infer_arrow_file(day: Day) -> None:
    file = day.files / "rows.arrow"
    with pa.ipc.new_file(str(file), table().schema) as writer:
        writer.write_table(table())
    equal(numbers(day["pipeline"].infer_from_file(str(file))["out.total"]), SUMS)


@INFERENCE.add("Pipeline.async_infer(data frame, client)", "scores in asyncio", "the sums")
def async_infer(day: Day) -> None:
    async def score() -> Any:
        async with httpx.AsyncClient() as client:
            return await day["pipeline"].async_infer(tensor=frame(), async_client=client, timeout=15, retries=1)

    equal(numbers(asyncio.run(score())["out.total"]), SUMS)


@INFERENCE.add("Pipeline.parallel_infer(data frames)", "scores many in parallel", "all sums, in their order")
def parallel_infer_frames(day: Day) -> None:
    many = pd.concat([frame()] * 5, ignore_index=True)
    if day.is_new:
        scored = asyncio.run(day["pipeline"].parallel_infer(tensor=many, batch_size=2, num_parallel=4))
    else:
        parts = [frame()] * 5
        scored = pd.concat(asyncio.run(day["pipeline"].parallel_infer(tensor_list=parts, num_parallel=4)))
    equal(numbers(scored["out.total"]), SUMS * 5)


@INFERENCE.add("Pipeline.parallel_infer(tables)", "scores many in parallel", "all sums, in their order")
def parallel_infer_tables(day: Day) -> None:
    if day.is_new:
        many = pa.concat_tables([table()] * 5).combine_chunks()
        scored = asyncio.run(day["pipeline"].parallel_infer(tensor=many, batch_size=2, num_parallel=4))
    else:
        parts = [table()] * 5
        scored = pa.concat_tables(asyncio.run(day["pipeline"].parallel_infer(tensor_list=parts, num_parallel=4)))
    equal(numbers(scored["out.total"]), SUMS * 5)


@INFERENCE.add("Deployment.infer(data frame)", "scores by the deployment", "the sums")
def infer_deployment(day: Day) -> None:
    deployment = day.client.deployment_by_name("scoring")
    equal(numbers(deployment.infer(frame())["out.total"]), SUMS)


@INFERENCE.add("Pipeline.infer(wrong rows)", "meets an error", "an error with the engine's words")
def infer_wrong_rows(day: Day) -> None:
    try:
        day["pipeline"].infer(pd.DataFrame({"tensor": [[1.0]]}))
    except Exception as error:  # noqa: BLE001 - the two releases raise different ones
        among("tensor", str(error))
    else:
        raise AssertionError("it was scored")
