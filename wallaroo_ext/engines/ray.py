"""Scoring a data set of Ray Data on a deployment; needs the extra `ray`."""

from __future__ import annotations

from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING, Any, TypeAlias, Unpack

from wallaroo_ext.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pyarrow import Table
    from wallaroo_mlops_client import Client

    from wallaroo_ext.batch.options import BatchOptions
    from wallaroo_ext.engines.worker import Worker
    from wallaroo_ext.inference.infer import Where

Dataset: TypeAlias = Any
"""A `ray.data.Dataset`. Ray is no part of the environment in which types are checked."""


def infer_ray_dataset(
    client: Client,
    pipeline: Where,
    rows: Dataset,
    *,
    connection: Mapping[str, Any] | None = None,
    reasons: str | None = None,
    **options: Unpack[BatchOptions],
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
        connection: What `connect` is told by the workers, such as `{"api_url": ..., "timeout": 60}`; no secrets.
        reasons: A name for one more column: rows that the engine rejects are in the result then, with the reason there
            and nulls for what the model would give. Without it, such a row fails its task.
        **options: What `infer_batches` is told by name; `in_flight` is that of each task.

    Raises:
        ConfigurationError: Ray is not installed, or `connection` has a secret.
        InvalidDataError: There are no rows, or the first ones are all rejected.
    """
    try:
        import_module("ray.data")
    except ImportError:
        raise ConfigurationError("Ray needs: pip install 'wallaroo-ext[ray]'.") from None
    from wallaroo_ext.engines.worker import SAMPLE_ROWS, prepared

    sample = _sample(rows, SAMPLE_ROWS)
    worker = prepared(client, pipeline, sample, connection=connection, reasons=reasons, types=_same, options=options)
    return rows.map_batches(partial(_scored, worker), batch_format="pyarrow", batch_size=None, zero_copy_batch=True)


def _sample(dataset: Dataset, rows: int) -> Table:
    """Return the first rows; a table without any where there are none."""
    pa: Any = import_module("pyarrow")
    for batch in dataset.limit(rows).iter_batches(batch_format="pyarrow", batch_size=rows):
        return batch
    return pa.table({})


def _same(kind: Any) -> Any:
    return kind


def _scored(worker: Worker, table: Table) -> Iterator[Table]:
    """Yield the scored rows of a block, in tables."""
    pa: Any = import_module("pyarrow")
    for batch in worker(table.to_batches()):
        yield pa.Table.from_batches([batch])
