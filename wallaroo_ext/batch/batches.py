"""`infer_batches`: record batches in, scored record batches out."""

from __future__ import annotations

import threading
from collections.abc import AsyncIterable
from contextlib import closing
from typing import TYPE_CHECKING, Any

from wallaroo_ext._util.arrow.no_pandas import keep_pandas_out
from wallaroo_ext.batch.options import IN_FLIGHT, RETRIES, ScoringOptions, scoring_options
from wallaroo_ext.errors import InvalidDataError
from wallaroo_ext.inference.column_names import SEPARATOR
from wallaroo_ext.inference.inputs.rows import require_pyarrow
from wallaroo_ext.inference.selection import ALL

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Iterator, Sequence

    import httpx
    import pyarrow as pa
    from wallaroo_mlops_client import Client

    from wallaroo_ext.batch.retries import BatchRetries
    from wallaroo_ext.batch.scoring.output_schema import OutputSchema
    from wallaroo_ext.batch.scoring.rejections import Rejection
    from wallaroo_ext.batch.scoring.scorer import ScoredChunk
    from wallaroo_ext.inference.infer import Where
    from wallaroo_ext.inference.inputs.rows import Rows
    from wallaroo_ext.inference.media_types import Wire
    from wallaroo_ext.inference.missing_option import Missing
    from wallaroo_ext.transport.timeouts import Timeouts

    Batches = Iterable[pa.RecordBatch | Rows] | AsyncIterable[pa.RecordBatch | Rows]


def infer_batches(
    client: Client,
    pipeline: Where,
    batches: Batches,
    *,
    rejected: Callable[[Rejection], object] | None = None,
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
) -> Generator[pa.RecordBatch]:
    """Score any number of rows, with several requests under way at a time.

    The scored rows come in the order of the rows. Their batches are as large as requests were, not as the batches that
    came in: these are cut and joined to the size that the engine answers best at, at most 4 MiB, and less than what was
    refused as too large. All requests under way have about 32 MiB: of large ones, fewer than `in_flight` are under way.
    A batch is read when its rows are needed, and no more than twice `in_flight` requests are begun, nor four times as
    many held with the answers that wait to be taken, so that neither a fast source nor a slow consumer fills the
    memory.

    The requests are sent by threads, over the client's one pool of connections: that was measured to be at least as
    fast as asyncio with httpx or aiohttp (`scripts/bench batch`), because reading and writing Arrow lets other threads
    work. They end with the iterator, by its last batch, an error, or `close()`; an answer that is on its way is waited
    for, at most as long as the client's timeouts say.

    What fails on its way is sent again, more patiently than `infer` does; see `BatchRetries`. The instance may log such
    rows twice.

    Source: mlops-api-tutorial, "Perform Inference Through External URL".

    Args:
        client: What `connect` gave.
        pipeline: The name of a deployed pipeline, a deployment, or its URL.
        batches: The rows, all batches with one schema: record batches, or rows in another form that `infer` takes, but
            for files. For `wallaroo_ext.aio` they may come from an asynchronous iterator.
        rejected: A function that is called with each row that is rejected, in order, in the thread that takes the
            batches; in asyncio, in another thread. The row is not in the result. Without it, the first such row is an
            error. The engine rejects rows; others cannot be sent, because a number is missing or too large for
            `vector`, or are too large for a request or its answer by themselves.
        columns: The columns to send; by default all but the keys.
        keys: Columns to put before the scored ones. They are sent only where `columns` names them.
        vector: True to send the columns as one vector of 32-bit floats, for a model with one input. True is 1 in it.
        missing: What becomes of a number that is missing, a null or a NaN: `reject` rejects its row, `nan` sends NaN.
            It is `reject` by default; see `infer`.
        in_flight: At most how many requests are under way at a time, 8 by default. The client's `limits` should allow
            as many connections.
        request_rows: How many rows a request has; without it, the number adapts. What is too large for the instance, it
            gets in parts.
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
        EngineError: The engine rejects a row, and there is no `rejected`.
        InvalidDataError: An option or a batch cannot be used; or a row cannot be sent, and there is no `rejected`.
        NotFoundError: No pipeline of this name is deployed.
        ApiError, AnswerTooLargeError: A single row is too large for the instance, or its answer for this client, and
            there is no `rejected`.
        ConnectionFailedError, ApiError, ContractViolationError: A request failed at all its attempts.
    """
    if isinstance(batches, AsyncIterable):
        raise InvalidDataError("An asynchronous iterator is for wallaroo_ext.aio.infer_batches.")
    how = batch_options(
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
    from wallaroo_ext.batch.deployed_models import url_of

    url = url_of(client, pipeline, how)
    return scored_batches(client, url, batches, how, rejected=rejected)


def batch_options(**options: Any) -> ScoringOptions:
    """Return the options of `infer_batches`, checked; pyarrow is there, and does without pandas.

    Raises:
        InvalidDataError: A value cannot be used.
        ConfigurationError: pyarrow is not installed.
    """
    require_pyarrow()
    how = scoring_options(**options)
    keep_pandas_out()
    return how


def scored_batches(
    client: Client,
    url: str,
    batches: Iterable[pa.RecordBatch | Rows],
    how: ScoringOptions,
    *,
    rejected: Callable[[Rejection], object] | None,
    stopped: threading.Event | None = None,
) -> Generator[pa.RecordBatch]:
    """Yield the batches of `infer_batches`, scored at a URL; pauses between attempts end when `stopped` is set."""
    from wallaroo_ext.batch.incoming import record_batches
    from wallaroo_ext.batch.scoring.output_schema import OutputSchema
    from wallaroo_ext.batch.scoring.rejections import RejectionLimit

    incoming = record_batches(batches, how.keys, how.columns)
    output_schema = OutputSchema()
    limit = RejectionLimit(0 if rejected is None else None)
    with closing(scored_chunks(client, url, incoming, how, limit=limit, stopped=stopped)) as chunks:
        for scored in chunks:
            yield from _without_rejected(scored, rejected, output_schema)


def _without_rejected(
    scored: ScoredChunk, rejected: Callable[[Rejection], object] | None, output_schema: OutputSchema
) -> Iterator[pa.RecordBatch]:
    """Pass the rejected rows of a chunk to `rejected`, then yield its scored rows."""
    if rejected is not None:
        for rejection in scored.rejections:
            rejected(rejection)
    for table in scored.tables:
        yield from output_schema(table).combine_chunks().to_batches()


def scored_chunks(
    client: Client,
    url: str,
    batches: Iterable[pa.RecordBatch],
    how: ScoringOptions,
    *,
    limit: Any,
    first: int = 0,
    stopped: threading.Event | None = None,
    tally: Callable[[Any], object] = lambda _: None,
) -> Generator[ScoredChunk]:
    """Yield the results of the requests, in the order of the rows; the threads end with the generator.

    Args:
        client: What `connect` gave.
        url: Where the rows are scored.
        batches: The rows.
        how: The options.
        limit: How many rows may be rejected, a `rejections.RejectionLimit`.
        first: The number of the first row.
        stopped: Ends pauses between attempts when it is set.
        tally: A function that is called with the `scoring.Tally` at the beginning.
    """
    from wallaroo_ext.batch.scoring.chunking import chunk_batches
    from wallaroo_ext.batch.scoring.ordered_map import map_in_order
    from wallaroo_ext.batch.scoring.request_size import MAX_BYTES, MAX_JSON_BYTES, RequestSize
    from wallaroo_ext.batch.scoring.scorer import Scorer

    stopped = stopped or threading.Event()
    most = MAX_BYTES if how.wire == "arrow" else MAX_JSON_BYTES
    size = RequestSize(how.request_rows, in_flight=how.in_flight, max_bytes=most)
    scorer = Scorer(client, url, how, size=size, limit=limit, stopped=stopped)
    tally(scorer.tally)
    chunks = chunk_batches(batches, size.next, first)
    yield from map_in_order(chunks, scorer, how.in_flight, stopped, begun=size.begun)
