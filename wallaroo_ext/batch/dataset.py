"""`infer_dataset`: a data set of files in, a data set of scored rows out, from where the last run stopped."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, Literal, Unpack

from wallaroo_ext.batch.options import BatchOptions, HowToScore, how_to_score
from wallaroo_ext.batch.part_size import PartSize
from wallaroo_ext.errors import InvalidDataError
from wallaroo_ext.inference.rows import require_pyarrow

if TYPE_CHECKING:
    import os
    from collections.abc import Sequence

    from pyarrow.compute import Expression
    from pyarrow.dataset import Dataset
    from pyarrow.fs import FileSystem
    from wallaroo_mlops_client import Client

    from wallaroo_ext.batch.progress import Wanted
    from wallaroo_ext.batch.report import DatasetScored
    from wallaroo_ext.batch.run import DatasetRun
    from wallaroo_ext.batch.sources import Source
    from wallaroo_ext.inference.infer import Where

    DataSource = str | os.PathLike[str] | Sequence[str | os.PathLike[str]] | Dataset
    Filter = Expression | Sequence[Any]

Format = Literal["parquet", "arrow", "csv"]
MAX_ERRORS = 1000


class DatasetOptions(BatchOptions, total=False):
    """What `infer_dataset` is told by name; see there."""

    filter: Filter | None
    format: Format | None
    filesystem: FileSystem | Any
    target_filesystem: FileSystem | Any
    part_size: PartSize | None
    max_errors: int | None


def infer_dataset(
    client: Client,
    pipeline: Where,
    source: DataSource,
    target: str | os.PathLike[str],
    *,
    progress: Wanted = None,
    **options: Unpack[DatasetOptions],
) -> DatasetScored:
    """Score a data set of any size, in constant memory, into a directory of Parquet files.

    The rows of the output have the order of those of the input, file by file; each row of the input is in it once, with
    the `keys` and what the model gave, or in `_errors.jsonl` with the engine's reason. The files are there as a whole
    or not at all, and `_manifest.json` says which rows they stand for. Called again after it was killed, or had failed,
    the same call goes on there; on a run that is complete it does nothing. Where the input's files, the columns, the
    filter or the models are not those of the earlier run, it is refused.

    What it needs of memory depends on the size of requests, and not on the number of rows: see ARCHITECTURE.md.

    Source: mlops-api-tutorial, "Perform Inference Through External URL".

    Args:
        client: What `connect` gave.
        pipeline: The name of a deployed pipeline, a deployment, or its URL.
        source: A Parquet, Arrow or CSV file, a directory of them, a pattern such as `2024-*/rows-*.parquet`, a list of
            files, or a `pyarrow.dataset.Dataset` of files. A URL names another file system: `s3://bucket/rows`.
        target: The output's directory, which is made; a path or a URL.
        progress: True for a bar on the terminal, or a function that is told a `BatchProgress`, at most ten times a
            second.
        **options: What `infer_batches` is told by name, and:
            `filter`: which rows to score: an expression of pyarrow, `pyarrow.compute.field("amount") > 100`, or a list
            such as `[("amount", ">", 100)]`.
            `format`: `parquet`, `arrow` or `csv`; by the files' names by default.
            `filesystem`, `target_filesystem`: file systems of pyarrow or fsspec, in place of those of URLs.
            `part_size`: when a file of the output is complete; by default after 1,000,000 rows or 60 s.
            `max_errors`: how many rows may be rejected, 1,000 by default: with one more, the run stops with the
            engine's error. 0 stops it at the first one, None never.

    Raises:
        EngineError: More rows were rejected than may be. What was scored before is kept, as with every other error.
        InvalidDataError: The source, the target or an option cannot be used, or every row was rejected; the message
            says why.
        NotFoundError: No pipeline of this name is deployed.
        ConnectionFailedError, ApiError, ContractViolationError: A request failed at all its attempts.
        OSError: A file cannot be read or written.
    """
    return score_dataset(client, pipeline, source, target, progress=progress, stopped=threading.Event(), **options)


def score_dataset(
    client: Client,
    pipeline: Where,
    source: DataSource,
    target: str | os.PathLike[str],
    *,
    progress: Wanted,
    stopped: threading.Event,
    **options: Unpack[DatasetOptions],
) -> DatasetScored:
    """What `infer_dataset` does, until `stopped` is set."""
    require_pyarrow()
    from wallaroo_ext.batch.manifest import check_target, load
    from wallaroo_ext.batch.progress import shown
    from wallaroo_ext.batch.run import alone
    from wallaroo_ext.batch.storage import Storage

    own, how = _split(options)
    opened = _opened(source, how, own)
    storage = Storage(target, own.get("target_filesystem"))
    check_target(storage)
    url, bound_to = _bound_to(client, pipeline, opened, how, own)
    storage.make()
    with alone(storage), shown(progress) as tell:
        check_target(storage)
        manifest = load(storage, bound_to)
        prepared = _run(client, url, how, own, source=opened, storage=storage, manifest=manifest, stopped=stopped)
        return prepared.run(tell)


def _split(options: DatasetOptions) -> tuple[dict[str, Any], HowToScore]:
    """The options of a data set, and those of any batches."""
    own = {name: value for name, value in options.items() if name not in BatchOptions.__annotations__}
    unknown = set(own) - set(DatasetOptions.__annotations__)
    if unknown:
        raise TypeError(f"infer_dataset() has no option {min(unknown)!r}")
    most = own.get("max_errors")
    if most is not None and (isinstance(most, bool) or not isinstance(most, int) or most < 0):
        raise InvalidDataError(f"`max_errors` is a number from 0 on, or None for any, not {most!r}.")
    given: Any = {name: value for name, value in options.items() if name in BatchOptions.__annotations__}
    return own, how_to_score(given)


def _opened(source: Any, how: HowToScore, own: dict[str, Any]) -> Source:
    from wallaroo_ext.batch.sources import open_source

    return open_source(
        source, filesystem=own.get("filesystem"), kind=own.get("format"), columns=how.read, where=own.get("filter")
    )


def _bound_to(
    client: Client, pipeline: Where, source: Source, how: HowToScore, own: dict[str, Any]
) -> tuple[str, dict[str, Any]]:
    """Where rows are scored, and what the output depends on."""
    from wallaroo_ext.batch.places import models_of, url_of

    url = url_of(client, pipeline, how)
    return url, {
        "input": [[file.path, file.size, file.changed] for file in source.files],
        "filter": None if own.get("filter") is None else str(own["filter"]),
        "columns": how.columns,
        "keys": how.keys,
        "vector": how.vector,
        "wire": how.wire,
        "dataset": how.dataset,
        "dataset_exclude": how.dataset_exclude,
        "models": models_of(client, url, how),
    }


def _run(client: Client, url: str, how: HowToScore, own: dict[str, Any], **places: Any) -> DatasetRun:
    from wallaroo_ext.batch.run import DatasetRun

    part_size: Any = own.get("part_size")
    return DatasetRun(
        client,
        url,
        how,
        part_size=part_size or PartSize(),
        max_errors=own.get("max_errors", MAX_ERRORS),
        **places,
    )
