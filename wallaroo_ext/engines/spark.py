"""Scoring a data frame of Spark on a deployment; needs the extra `spark`, and Java 17."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, TypeAlias, Unpack

from wallaroo_ext.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from wallaroo_mlops_client import Client

    from wallaroo_ext.batch.options import BatchOptions
    from wallaroo_ext.inference.infer import Where

DataFrame: TypeAlias = Any
"""A `pyspark.sql.DataFrame`. pyspark is no part of the environment in which types are checked."""


def infer_dataframe(
    client: Client,
    pipeline: Where,
    dataframe: DataFrame,
    *,
    connection: Mapping[str, Any] | None = None,
    reasons: str | None = None,
    **options: Unpack[BatchOptions],
) -> DataFrame:
    """Score a data frame on the executors, by `DataFrame.mapInArrow`.

    The plan runs when the result is written or counted. Each Python worker makes one client, for all its tasks, from
    the environment variables that it has and from `connection`: neither a token nor a client leaves this process. Set
    the
    `WALLAROO_` variables by `spark.executorEnv.WALLAROO_USER` and so on, or by your cluster's secrets.

    Rows keep their partitions and their order in them. A task that Spark repeats scores its rows again.

    Source: mlops-api-tutorial, "Perform Inference Through External URL".

    Args:
        client: What `connect` gave, for what has to be known before: the pipeline's URL, and, from the first 20 rows,
            which columns come out.
        pipeline: The name of a deployed pipeline, a deployment, or its URL.
        dataframe: The rows.
        connection: What `connect` is told by the workers, such as `{"api_url": ..., "timeout": 60}`; no secrets.
        reasons: A name for one more column: rows that the engine rejects are in the result then, with the reason there
            and nulls for what the model would give. Without it, such a row fails its task.
        **options: What `infer_batches` is told by name; `in_flight` is that of each task.

    Raises:
        ConfigurationError: pyspark is not installed, or `connection` has a secret.
        InvalidDataError: There are no rows, or the first ones are all rejected.
    """
    try:
        types: Any = import_module("pyspark.sql.pandas.types")
    except ImportError:
        raise ConfigurationError("Spark needs: pip install 'wallaroo-ext[spark]'.") from None
    from wallaroo_ext.engines.worker import SAMPLE_ROWS, prepared

    sample = dataframe.limit(SAMPLE_ROWS).toArrow()
    worker = prepared(
        client, pipeline, sample, connection=connection, reasons=reasons, types=_spark_type, options=options
    )
    schema = types.from_arrow_schema(worker.schema, prefer_timestamp_ntz=True)
    return dataframe.mapInArrow(worker, schema)


def _spark_type(kind: Any) -> Any:
    """The type that Spark reads from Arrow for one that it does not: it has microseconds, and no unsigned numbers."""
    pa: Any = import_module("pyarrow")
    types = pa.types
    if types.is_timestamp(kind):
        return pa.timestamp("us", kind.tz)
    if types.is_unsigned_integer(kind):
        return {8: pa.int16(), 16: pa.int32()}.get(kind.bit_width, pa.int64())
    if types.is_list(kind) or types.is_large_list(kind) or types.is_fixed_size_list(kind):
        return pa.list_(pa.field("element", _spark_type(kind.value_type)))
    return kind
