"""Scoring a data frame of Spark on a deployment; needs the extra `spark`, and Java 17."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, TypeAlias

from wallaroo_ext.batch.options import IN_FLIGHT, RETRIES, scoring_options
from wallaroo_ext.engines import engine_module
from wallaroo_ext.inference.column_names import SEPARATOR
from wallaroo_ext.inference.selection import ALL

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import httpx
    from wallaroo_mlops_client import Client

    from wallaroo_ext.batch.retries import BatchRetries
    from wallaroo_ext.inference.infer import Where
    from wallaroo_ext.inference.media_types import Wire
    from wallaroo_ext.inference.missing_option import Missing
    from wallaroo_ext.transport.timeouts import Timeouts

DataFrame: TypeAlias = Any
"""A `pyspark.sql.DataFrame`. pyspark is no part of the environment in which types are checked."""


def infer_dataframe(
    client: Client,
    pipeline: Where,
    dataframe: DataFrame,
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
) -> DataFrame:
    """Score a data frame on the executors, by `DataFrame.mapInArrow`.

    The plan runs when the result is written or counted. Each Python worker makes one client, for all its tasks, from
    the environment variables that it has and from `connection`: neither a token nor a client leaves this process. Set
    the `WALLAROO_` variables by `spark.executorEnv.WALLAROO_USER` and so on, or by your cluster's secrets.

    Rows keep their partitions and their order in them. A task that Spark repeats scores its rows again.

    Source: mlops-api-tutorial, "Perform Inference Through External URL".

    Args:
        client: What `connect` gave, for what has to be known before: the pipeline's URL, and, from the first 20 rows,
            which columns come out.
        pipeline: The name of a deployed pipeline, a deployment, or its URL.
        dataframe: The rows.
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
        ConfigurationError: pyspark is not installed, or `connection` has a secret.
        InvalidDataError: There are no rows, the first ones are all rejected, or `reasons` is the name of a column that
            comes out.
    """
    types = engine_module("pyspark.sql.pandas.types", engine="Spark")
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
    sample = dataframe.limit(SAMPLE_ROWS).toArrow()
    worker = prepare_worker(client, pipeline, sample, connection=connection, reasons=reasons, types=spark_type, how=how)
    schema = types.from_arrow_schema(worker.schema, prefer_timestamp_ntz=True)
    return dataframe.mapInArrow(worker, schema)


def spark_type(kind: Any) -> Any:
    """Return the type that Spark reads in place of one of Arrow: it has microseconds only, and no unsigned numbers."""
    pa: Any = import_module("pyarrow")
    types = pa.types
    if types.is_timestamp(kind):
        return pa.timestamp("us", kind.tz)
    if types.is_unsigned_integer(kind):
        return {8: pa.int16(), 16: pa.int32()}.get(kind.bit_width, pa.int64())
    if types.is_list(kind) or types.is_large_list(kind) or types.is_fixed_size_list(kind):
        return pa.list_(pa.field("element", spark_type(kind.value_type)))
    if types.is_struct(kind):
        return pa.struct([pa.field(inner.name, spark_type(inner.type)) for inner in kind.fields])
    return kind
