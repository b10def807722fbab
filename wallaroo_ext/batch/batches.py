"""`infer_batches`: record batches in, scored record batches out."""

from __future__ import annotations

import threading
from contextlib import closing
from typing import TYPE_CHECKING, Any, Unpack

from wallaroo_ext.batch.options import BatchOptions, HowToScore, how_to_score
from wallaroo_ext.inference.rows import require_pyarrow

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Iterator

    import pyarrow as pa
    from wallaroo_mlops_client import Client

    from wallaroo_ext.batch.scoring.output_schema import OutputSchema
    from wallaroo_ext.batch.scoring.rejections import Rejection
    from wallaroo_ext.batch.scoring.scorer import ScoredChunk
    from wallaroo_ext.inference.infer import Where


def infer_batches(
    client: Client,
    pipeline: Where,
    batches: Iterable[pa.RecordBatch],
    *,
    rejected: Callable[[Rejection], object] | None = None,
    **options: Unpack[BatchOptions],
) -> Generator[pa.RecordBatch]:
    """Score any number of rows, with several requests under way at a time.

    The scored rows come in the order of the rows. Their batches are as large as requests were, not as the batches that
    came in: these are cut and joined to the size that the engine answers best at, at most 1 MiB. A batch is read when
    its rows are needed, and no more than twice `in_flight` requests are begun, nor four times as many held with the
    answers that wait to be taken, so that neither a fast source nor a slow consumer fills the memory.

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
        batches: The rows, all batches with one schema.
        rejected: Called with each row that the engine rejects, in order, in the thread that takes the batches; the row
            is not in what comes out. Without it, the first such row is an error.
        **options: By name:
            `columns`: the columns to send; all but the keys by default.
            `keys`: columns that are not sent, unless `columns` names them, and stand before the scored ones.
            `vector`: True to send the columns as one vector of 32-bit floats, for a model with one input.
            `in_flight`: how many requests are under way at a time, 8 by default. The client's `limits` should allow as
            many connections.
            `request_rows`: how many rows a request has; by default it adapts.
            `wire`, `dataset`, `timeout`: see `infer`.
            `dataset_exclude`: the parts of the answer to leave out, `in` by default, which repeats what was sent.
            `retries`: what is sent again beyond what the client's transport does.
            `workspace`: where a pipeline is looked for by its name; all that the user sees by default.

    Raises:
        EngineError: The engine rejects a row, and there is no `rejected`.
        InvalidDataError: An option or a batch cannot be used.
        NotFoundError: No pipeline of this name is deployed.
        ConnectionFailedError, ApiError, ContractViolationError: A request failed at all its attempts.
    """
    require_pyarrow()
    how = how_to_score(options)
    from wallaroo_ext.batch.deployed_models import url_of

    url = url_of(client, pipeline, how)
    return scored_batches(client, url, batches, how, rejected=rejected)


def scored_batches(
    client: Client,
    url: str,
    batches: Iterable[pa.RecordBatch],
    how: HowToScore,
    *,
    rejected: Callable[[Rejection], object] | None,
    stopped: threading.Event | None = None,
) -> Generator[pa.RecordBatch]:
    """Yield what `infer_batches` gives, of a URL; pauses between attempts end when `stopped` is set."""
    from wallaroo_ext.batch.scoring.output_schema import OutputSchema
    from wallaroo_ext.batch.scoring.rejections import RejectionLimit

    output_schema = OutputSchema()
    limit = RejectionLimit(0 if rejected is None else None)
    with closing(scored_chunks(client, url, batches, how, limit=limit, stopped=stopped)) as chunks:
        for scored in chunks:
            yield from _told(scored, rejected, output_schema)


def _told(
    scored: ScoredChunk, rejected: Callable[[Rejection], object] | None, output_schema: OutputSchema
) -> Iterator[pa.RecordBatch]:
    """Yield the scored rows of a chunk, after its rejected ones were told."""
    if rejected is not None:
        for rejection in scored.rejections:
            rejected(rejection)
    for table in scored.tables:
        yield from output_schema(table).combine_chunks().to_batches()


def scored_chunks(
    client: Client,
    url: str,
    batches: Iterable[pa.RecordBatch],
    how: HowToScore,
    *,
    limit: Any,
    first: int = 0,
    stopped: threading.Event | None = None,
    tally: Callable[[Any], object] = lambda _: None,
) -> Generator[ScoredChunk]:
    """Yield what becomes of the rows, request by request, in order; the threads end with the generator.

    Args:
        client: What `connect` gave.
        url: Where the rows are scored.
        batches: The rows.
        how: The options.
        limit: How many rows may be rejected, a `rejections.RejectionLimit`.
        first: The number of the first row.
        stopped: Ends pauses between attempts when it is set.
        tally: Is given the `scoring.Tally` at the beginning.
    """
    from wallaroo_ext.batch.scoring.chunking import chunk_batches
    from wallaroo_ext.batch.scoring.ordered_map import map_in_order
    from wallaroo_ext.batch.scoring.request_size import RequestSize
    from wallaroo_ext.batch.scoring.scorer import Scorer

    stopped = stopped or threading.Event()
    size = RequestSize(how.request_rows)
    scorer = Scorer(client, url, how, size=size, limit=limit, stopped=stopped)
    tally(scorer.tally)
    yield from map_in_order(chunk_batches(batches, size.next, first), scorer, how.in_flight, stopped)
