"""The log of a pipeline, as a table or in record batches."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wallaroo_ext.inference.inputs.rows import require_pyarrow
from wallaroo_ext.operations import Steps, run, synchronous

if TYPE_CHECKING:
    from collections.abc import Generator

    import pyarrow as pa
    from wallaroo_mlops_client import Client
    from wallaroo_mlops_client.models import CreatePipelineResponse

    from wallaroo_ext._util.times import Time
    from wallaroo_ext.deployments.deployment import Deployment
    from wallaroo_ext.logs.pages import Pages

    Pipeline = str | int | Deployment | CreatePipelineResponse


@synchronous
def pipeline_logs(
    client: Client,  # noqa: ARG001 - the steps run with it
    pipeline: Pipeline,
    *,
    start: Time | None = None,
    end: Time | None = None,
    limit: int | None = None,
    newest_first: bool = True,
    metadata: bool = False,
    workspace: int | str | None = None,
) -> Steps[pa.Table]:
    """Get the rows that a pipeline scored, with their outputs, as a table; `pipeline_log_batches` needs less memory.

    The columns are those of `infer`: `time`, `in.<field>`, `out.<field>`, `anomaly.count` and so on. Where the pipeline
    had other models meanwhile, a row has nulls in the columns that its model did not have.

    An instance is asked as its release serves logs: by `pipelines/get_logs`, or by the topic of the pipeline. It is
    asked for one page after the other until all rows are there; where it has left out columns of rows that were too
    large for its log, a warning is logged.

    Source: vendor-pages, "Wallaroo MLOps API Essentials Guide: Pipeline Log Management".

    Args:
        client: What `connect` gave.
        pipeline: The pipeline's name, its id, what `deploy_pipeline` or `find_deployment` gave, or what
            `create_pipeline` answered.
        start: The earliest time of a row: a `datetime`, or a text such as `2023-01-31` or `2023-01-31T12:00:00Z`; in
            UTC where it has no time zone.
        end: The time before which rows were scored, likewise.
        limit: How many rows to get at most: the newest, or with `newest_first=False` the oldest.
        newest_first: Whether the newest rows come first.
        metadata: Whether to get the columns `metadata.<field>`, too: how each row was scored.
        workspace: The name or the id of the workspace of a pipeline that is named; without one, all that the user sees
            are searched.

    Raises:
        NotFoundError: There is no such pipeline.
        AmbiguousError: Pipelines of several workspaces have the name.
        InvalidRequestError: The instance refuses the pipeline or its workspace.
        InvalidDataError: What is given as a time, a limit or a pipeline cannot be one; the instance is of 2022.4 or
            2023.1, which give the oldest rows first, and has more than one page; or a column changed its type.
        ContractViolationError: The answer holds no rows, or the instance says that rows follow and not how to get them.
    """
    require_pyarrow()
    from wallaroo_ext.logs.pages import pages_of

    pages = pages_of(pipeline, start, end, limit, newest_first=newest_first, metadata=metadata, workspace=workspace)
    tables: list[pa.Table] = []
    while not pages.ended:
        tables.append((yield from pages.table_steps()))
    return _joined(tables)


def _joined(tables: list[pa.Table]) -> pa.Table:
    from wallaroo_ext.logs.joining import OF_ONE_TIME, joined

    filled = [table for table in tables if table.num_rows] or tables[:1]
    return joined(filled, f"{OF_ONE_TIME}, or page by page, by pipeline_log_batches.")


def pipeline_log_batches(
    client: Client,
    pipeline: Pipeline,
    *,
    start: Time | None = None,
    end: Time | None = None,
    limit: int | None = None,
    newest_first: bool = True,
    metadata: bool = False,
    workspace: int | str | None = None,
) -> Generator[pa.RecordBatch]:
    """Get the rows that a pipeline scored in record batches, with no more than one page in memory.

    The next page is asked for when the batches of the last one are taken. Batches have the columns of `infer`; they
    have others from the row on where the pipeline had other models.

    Source: vendor-pages, "Wallaroo MLOps API Essentials Guide: Pipeline Log Management".

    Args:
        client: What `connect` gave.
        pipeline: The pipeline; see `pipeline_logs`.
        start: The earliest time of a row; see `pipeline_logs`.
        end: The time before which rows were scored; see `pipeline_logs`.
        limit: How many rows to get at most; see `pipeline_logs`.
        newest_first: Whether the newest rows come first.
        metadata: Whether to get the columns `metadata.<field>`, too.
        workspace: The name or the id of the workspace of a pipeline that is named; see `pipeline_logs`.

    Raises:
        NotFoundError: There is no such pipeline.
        AmbiguousError: Pipelines of several workspaces have the name.
        InvalidRequestError: The instance refuses the pipeline or its workspace.
        InvalidDataError: What is given as a time, a limit or a pipeline cannot be one; or the instance gives the oldest
            rows first only.
        ContractViolationError: An answer holds no rows, or the instance says that rows follow and not how to get them.
    """
    require_pyarrow()
    from wallaroo_ext.logs.pages import pages_of

    pages = pages_of(pipeline, start, end, limit, newest_first=newest_first, metadata=metadata, workspace=workspace)
    return _batches(client, pages)


def _batches(client: Client, pages: Pages) -> Generator[pa.RecordBatch]:
    """Yield the batches of pages; a page is forgotten before the next one is asked for."""
    while not pages.ended:
        yield from run(client, pages.batch_steps())
