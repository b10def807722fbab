"""Scoring a data set of Ray Data on a deployment; needs the extra `ray`."""

from __future__ import annotations

from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING, Any, TypeAlias

from wallaroo_ext.batch.options import IN_FLIGHT, RETRIES, scoring_options
from wallaroo_ext.engines import engine_module
from wallaroo_ext.inference.column_names import SEPARATOR
from wallaroo_ext.inference.selection import ALL

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import httpx
    from pyarrow import Table
    from wallaroo_mlops_client import Client

    from wallaroo_ext.batch.retries import BatchRetries
    from wallaroo_ext.engines.worker import Worker
    from wallaroo_ext.inference.infer import Where
    from wallaroo_ext.inference.media_types import Wire
    from wallaroo_ext.inference.missing_option import Missing
    from wallaroo_ext.transport.timeouts import Timeouts

Dataset: TypeAlias = Any
"""A `ray.data.Dataset`. Ray is no part of the environment in which types are checked."""


def infer_ray_dataset(
    client: Client,
    pipeline: Where,
    rows: Dataset,
    *,
    connection: Mapping[str, Any] | None = None,
    reasons: str | None = None,
    columns: Sequence[str] | None = None,
    keys: Sequence[str] = (),
    vector: bool = False,
    missing: Missing = "reject",
    in_flight: int = IN_FLIGHT,
    request_rows: int | None = None,
    wire: Wire = "arrow",
    dataset: str | Sequence[str] = ALL,
    dataset_exclude: str | Sequence[str] | None = None,
    dataset_separator: str = SEPARATOR,
    timeout: Timeouts | httpx.Timeout | float | None = None,
    retries: BatchRetries = RETRIES,
    workspace: int | str | None = None,
) -> Dataset:
    """Score a data set on Ray's workers, by `Dataset.map_batches` with Arrow.

    The plan runs when the result is written or taken. Each worker process makes one client, for all its tasks, from the
    environment variables that it has and from `connection`: neither a token nor a client leaves this process. Set the
    `WALLAROO_` variables where Ray is started, or by `ray.init(runtime_env={"env_vars": ...})`.

    The rows of a block keep their order. A task that Ray repeats scores its rows again.

    Source: mlops-api-tutorial, "Perform Inference Through External URL".

    Args:
        client: What `connect` gave, for what has to be known before: the pipeline's URL, and, from the first 20 rows,
            which columns come out.
        pipeline: The name of a deployed pipeline, a deployment, or its URL.
        rows: The rows.
        connection: The arguments for `connect` in the workers, such as `{"api_url": ..., "timeout": 60}`; no secrets.
        reasons: A name for one more column: rows that are rejected, as `rejected` of `infer_batches` says, are in the
            result then, with the reason there and nulls for what the model would give. Without it, such a row fails its
            task.
        columns: The columns to send; by default all but the keys.
        keys: Columns to put before the scored ones. They are sent only where `columns` names them.
        vector: True to send the columns as one vector of 32-bit floats, for a model with one input. True is 1 in it.
        missing: What becomes of a number that is missing, a null or a NaN: `reject` rejects its row, `nan` sends NaN.
            It is `reject` by default; see `infer`.
        in_flight: How many requests each task has under way at a time, 8 by default. The client's `limits`
            should allow as many connections.
        request_rows: How many rows a request has; without it, the number adapts.
        wire: The format of the rows; see `infer`.
        dataset: The parts of the answer that are wanted; see `infer`.
        dataset_exclude: The parts of the answer to leave out; by default `in`, which repeats what was sent, and
            `metadata`, unless `dataset` names them or a field of them.
        dataset_separator: The text that an instance joins names with; see `infer`.
        timeout: How long to wait for an answer; see `infer`.
        retries: What is sent again beyond the retries of the client's transport.
        workspace: The name or the id of the workspace that a pipeline is looked for in by its name; by default all that
            the user sees.

    Raises:
        ConfigurationError: Ray is not installed, or `connection` has a secret.
        InvalidDataError: There are no rows, the first ones are all rejected, or `reasons` is the name of a column that
            comes out.
    """
    engine_module("ray.data", engine="Ray")
    from wallaroo_ext.engines.worker import SAMPLE_ROWS, prepare_worker

    how = scoring_options(
        columns=columns,
        keys=keys,
        vector=vector,
        missing=missing,
        in_flight=in_flight,
        request_rows=request_rows,
        wire=wire,
        dataset=dataset,
        dataset_exclude=dataset_exclude,
        dataset_separator=dataset_separator,
        timeout=timeout,
        retries=retries,
        workspace=workspace,
    )
    sample = _sample(rows, SAMPLE_ROWS)
    worker = prepare_worker(client, pipeline, sample, connection=connection, reasons=reasons, types=same_type, how=how)
    return rows.map_batches(partial(_scored, worker), batch_format="pyarrow", batch_size=None, zero_copy_batch=True)


def _sample(dataset: Dataset, rows: int) -> Table:
    """Return the first rows; a table without any where there are none."""
    pa: Any = import_module("pyarrow")
    for batch in dataset.limit(rows).iter_batches(batch_format="pyarrow", batch_size=rows):
        return batch
    return pa.table({})


def same_type(kind: Any) -> Any:
    """Return a type of Arrow as it is, because Ray has them all."""
    return kind


def _scored(worker: Worker, table: Table) -> Iterator[Table]:
    """Yield the scored rows of a block, in tables."""
    pa: Any = import_module("pyarrow")
    for batch in worker(table.to_batches()):
        yield pa.Table.from_batches([batch])
