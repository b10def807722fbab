"""`infer_dataset`: a data set of files in, a data set of scored rows out, from where the last run stopped."""

from __future__ import annotations

import threading
from dataclasses import asdict, dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

from wallaroo_ext._util.arrow.no_pandas import keep_pandas_out
from wallaroo_ext._util.progress import check_progress
from wallaroo_ext._util.quantities import check_count
from wallaroo_ext.batch.options import IN_FLIGHT, RETRIES, PartSize, ScoringOptions, scoring_options
from wallaroo_ext.errors import InvalidDataError
from wallaroo_ext.inference.column_names import SEPARATOR
from wallaroo_ext.inference.files.opening.storage_options import secrets_removed, with_storage_options
from wallaroo_ext.inference.files.texts.text_options import TextOptions
from wallaroo_ext.inference.inputs.rows import require_pyarrow
from wallaroo_ext.inference.selection import ALL
from wallaroo_ext.operations import Steps, Work, synchronous

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping, Sequence

    import httpx
    from pyarrow import DataType
    from pyarrow.compute import Expression
    from pyarrow.dataset import Dataset
    from pyarrow.fs import FileSystem
    from wallaroo_mlops_client import Client

    from wallaroo_ext.batch.options import DatasetScored
    from wallaroo_ext.batch.progress import ProgressFunction, ProgressOption
    from wallaroo_ext.batch.reading.data_source import Source
    from wallaroo_ext.batch.retries import BatchRetries
    from wallaroo_ext.batch.writing.run import DatasetRun
    from wallaroo_ext.batch.writing.storage import Storage
    from wallaroo_ext.inference.files.opening.storage_options import StorageOptions
    from wallaroo_ext.inference.files.texts.text_options import Decimal
    from wallaroo_ext.inference.infer import Where
    from wallaroo_ext.inference.media_types import Wire
    from wallaroo_ext.inference.missing_option import Missing
    from wallaroo_ext.transport.timeouts import Timeouts

    DataSource = str | os.PathLike[str] | Sequence[str | os.PathLike[str]] | Dataset
    Filter = Expression | Sequence[Any]

Format = Literal["parquet", "arrow", "json", "csv", "npy"]
MAX_ERRORS = 1000


@dataclass(frozen=True, kw_only=True)
class DatasetOptions:
    """The options that `infer_dataset` has beyond those of `infer_batches`; see there."""

    filter: Filter | None
    format: Format | None
    types: Mapping[str, DataType | str] | None
    texts: TextOptions
    filesystem: Any
    target_filesystem: Any
    part_size: PartSize | None
    max_errors: int | None

    def __post_init__(self) -> None:
        if self.max_errors is not None:
            check_count("max_errors", self.max_errors, least=0, otherwise=", or None for any")
        part: Any = self.part_size
        if part is not None and not isinstance(part, PartSize):
            raise InvalidDataError(f"`part_size` is a PartSize, such as PartSize(rows=1000), not {part!r}.")


@synchronous
def infer_dataset(
    client: Client,
    pipeline: Where,
    source: DataSource,
    target: str | os.PathLike[str],
    *,
    progress: ProgressOption = None,
    filter: Filter | None = None,  # noqa: A002 - the name that pyarrow has for it
    format: Format | None = None,  # noqa: A002 - the same
    types: Mapping[str, DataType | str] | None = None,
    encoding: str | None = None,
    delimiter: str | None = None,
    decimal: Decimal | None = None,
    filesystem: FileSystem | Any = None,
    target_filesystem: FileSystem | Any = None,
    storage_options: StorageOptions | None = None,
    target_storage_options: StorageOptions | None = None,
    part_size: PartSize | None = None,
    max_errors: int | None = MAX_ERRORS,
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
) -> Steps[DatasetScored]:
    """Score a data set of any size, in constant memory, into a directory of Parquet files.

    The rows of the output have the order of those of the input, file by file; each row of the input is in it once, with
    the `keys` and what the model gave, or in `_errors.jsonl` with the reason. The files are there as a whole
    or not at all, and `_manifest.json` says which rows they stand for. Called again after it was killed, or had failed,
    the same call goes on there; on a run that is complete it does nothing. Where the input's files, the columns, the
    filter or the models are not those of the earlier run, it is refused.

    What a key is beside a scored row is what the file says, with the file's type; in CSV, and where a directory says it
    (`zip=00123`), it is a text. All files have one schema, which is decided and checked before the first row is sent:
    CSV and JSON are read once more for that, all of it. Types that differ become one that holds the values of both, or
    the call is refused. A file without rows may lack columns, others may not. An index of pandas is left out, unless
    named.

    What it needs of memory depends on the size of requests, and not on the number of rows.

    Source: mlops-api-tutorial, "Perform Inference Through External URL".

    Args:
        client: What `connect` gave.
        pipeline: The name of a deployed pipeline, a deployment, or its URL.
        source: A Parquet, Arrow, JSON, CSV or `.npy` file, a directory of them, a pattern such as
            `2024-*/rows-*.parquet`, a list of files, or a `pyarrow.dataset.Dataset` of files. A URL names another file
            system: `s3://bucket/rows`. Of files of scored rows, such as exported logs, the columns are the inputs,
            `in.a` as `a`; others can be keys. JSON is read piece by piece, if it is records, in a list or in lines.
        target: The output's directory, which is made; a path or a URL.
        progress: A function that is called with a `BatchProgress`, at most ten times a second, in asyncio in another
            thread; or True for a bar, or lines where none can be shown, which needs the extra `cli`.
        filter: Which rows to score: an expression of pyarrow, `pyarrow.compute.field("amount") > 100`, or a list such
            as `[("amount", ">", 100)]`.
        format: `parquet`, `arrow`, `json`, `csv` or `npy`; without it, the names of the files say it.
        types: The types of columns, such as `{"id": "int64"}`, as pyarrow's types or their names. A value that does not
            fit is an error before the first row is sent.
        encoding: The encoding of CSV files, such as `cp1252`; without it, UTF-8, or what a byte order mark says.
        delimiter: The character between two fields of CSV files; without it, the one of `,`, `;`, tab and `|` with
            which all of a file's first rows have as many fields as its line of names.
        decimal: The decimal point of numbers in CSV files, `,` or `.`. Without it, a column of numbers with commas is
            refused.
        filesystem: The file system of the source, of pyarrow or fsspec, in place of the one that its URL names.
        target_filesystem: The file system of the target, likewise.
        storage_options: The options that fsspec takes for the file system of the source's URL; see `infer`.
        target_storage_options: The same for the target's URL.
        part_size: When a file of the output is complete; without it, after 1,000,000 rows or 60 s.
        max_errors: How many rows may be rejected, 1,000 by default: with one more, the run stops with the error of that
            row. 0 stops it at the first one, None never. Rejected are rows that the engine rejects, that cannot be
            sent, because a number is missing or too large for `vector`, or that are too large by themselves.
        columns: The columns to send; by default all but the keys.
        keys: Columns to put before the scored ones. They are sent only where `columns` names them.
        vector: True to send the columns as one vector of 32-bit floats, for a model with one input. True is 1 in it.
        missing: What becomes of a number that is missing, a null or a NaN: `reject` rejects its row, `nan` sends NaN.
            It is `reject` by default; see `infer`.
        in_flight: At most how many requests are under way at a time, 8 by default. The client's `limits` should allow
            as many connections.
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
        EngineError: The engine rejected a row, and more rows were rejected than may be. What was scored before is kept,
            as with every other error.
        InvalidDataError: The source, the target or an option cannot be used, a row of too many cannot be sent, or every
            row was rejected; the message says why.
        NotFoundError: No pipeline of this name is deployed.
        ApiError, AnswerTooLargeError: A row of too many is too large for the instance, or its answer for this client.
        ConnectionFailedError, ApiError, ContractViolationError: A request failed at all its attempts.
        OSError: A file cannot be read or written.
    """
    require_pyarrow()
    keep_pandas_out()
    own = DatasetOptions(
        filter=filter,
        format=format,
        types=types,
        texts=TextOptions(encoding=encoding, delimiter=delimiter, decimal=decimal),
        filesystem=filesystem,
        target_filesystem=target_filesystem,
        part_size=part_size,
        max_errors=max_errors,
    )
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
    check_progress(progress, "a BatchProgress")
    source = with_storage_options(source, storage_options, "storage_options")
    target = with_storage_options(target, target_storage_options, "target_storage_options")
    stopped = threading.Event()
    score = partial(_score, client, pipeline, source, target, own=own, how=how, progress=progress, stopped=stopped)
    return (yield Work(secrets_removed(source, target)(score), stopped))


def _score(
    client: Client,
    pipeline: Where,
    source: DataSource,
    target: str | os.PathLike[str],
    *,
    own: DatasetOptions,
    how: ScoringOptions,
    progress: ProgressOption,
    stopped: threading.Event,
) -> DatasetScored:
    """Score a data set until `stopped` is set."""
    from wallaroo_ext.batch.progress import progress_function
    from wallaroo_ext.batch.retries import StoppedError
    from wallaroo_ext.batch.writing.manifest import check_target, load
    from wallaroo_ext.batch.writing.run import exclusive_access
    from wallaroo_ext.batch.writing.storage import Storage

    opened, exact = _opened(source, how, own)
    storage = Storage(target, own.target_filesystem)
    check_target(storage)
    storage.check_outside(opened)
    with progress_function(progress) as tell:
        try:
            url, bound_to = _bound_to(client, pipeline, opened, how, own, stopped=stopped)
            known = load(storage, bound_to).read_as
            exact, read_as = _decided(opened, exact, known, tell, stopped)
        except StoppedError:
            return _nothing(storage)
        storage.make()
        with exclusive_access(storage):
            check_target(storage)
            manifest = load(storage, bound_to)
            manifest.read_as = read_as
            prepared = _run(client, url, exact, own, source=opened, storage=storage, manifest=manifest, stopped=stopped)
            return prepared.run(tell)


def _nothing(storage: Storage) -> DatasetScored:
    """Return the result of a run that was stopped before its first row."""
    from wallaroo_ext.batch.options import DatasetScored

    none: Any = {"rows": 0, "rejected": 0, "parts": 0, "rows_before": 0, "requests": 0, "repeated": 0}
    return DatasetScored(target=storage.location, errors=None, seconds=0.0, **none)


def _opened(source: Any, how: ScoringOptions, own: DatasetOptions) -> tuple[Source, ScoringOptions]:
    """Return the data set with the columns that are read, and the options with the names of those that are sent."""
    from wallaroo_ext.batch.reading.data_source import open_source

    whole = open_source(
        source, filesystem=own.filesystem, kind=own.format, types=own.types, columns=how.read, texts=own.texts
    )
    sent = how.columns or tuple(name for name in whole.data_columns if name not in how.keys)
    if not sent:
        raise InvalidDataError("No column is left to be sent: all are keys, or an index of pandas.")
    exact = replace(how, columns=sent, decimal=own.texts.decimal)
    return whole.select(list(dict.fromkeys((*how.keys, *sent))), own.filter), exact


def _decided(
    source: Source, how: ScoringOptions, known: dict[str, Any], tell: ProgressFunction | None, stopped: threading.Event
) -> tuple[ScoringOptions, dict[str, Any]]:
    """Return the options with the types in which columns are sent, and the types that were decided, for later runs.

    Raises:
        InvalidDataError: There is no type for all values of a column, or keys or a vector cannot have it.
    """
    from wallaroo_ext.batch.progress import CheckReporter
    from wallaroo_ext.batch.reading.schema import DecidedTypes
    from wallaroo_ext.batch.retries import StoppedError
    from wallaroo_ext.batch.writing.parts import check_keys
    from wallaroo_ext.inference.inputs.vectors import check_numeric

    checking = CheckReporter(tell)

    def seen(rows: int) -> None:
        if stopped.is_set():
            raise StoppedError
        checking(rows)

    decided = source.decide(how.keys, how.columns, seen, DecidedTypes.from_json(known) if known else None)
    check_keys([decided.schema.field(name) for name in how.keys])
    if how.vector:
        for name in how.columns or ():
            check_numeric(name, source.type_of(name), source.text_in(name))
    sent = {each.name: each.type for each in decided.sent if each.name in (how.columns or ())}
    return replace(how, sent_types=sent), decided.to_json()


def _bound_to(
    client: Client,
    pipeline: Where,
    source: Source,
    how: ScoringOptions,
    own: DatasetOptions,
    *,
    stopped: threading.Event,
) -> tuple[str, dict[str, Any]]:
    """Return where rows are scored, and what the output depends on; it is looked up until `stopped` is set."""
    from wallaroo_ext.batch.deployed_models import models_of, url_of

    url = url_of(client, pipeline, how, stopped)
    return url, {
        "input": [[file.path, file.size, file.changed] for file in source.files],
        "filter": None if own.filter is None else str(own.filter),
        "types": _texts(own.types or {}),
        "columns": how.columns,
        "keys": how.keys,
        "vector": how.vector,
        "missing": how.missing,
        "wire": how.wire,
        "dataset": how.selection.dataset,
        "dataset_exclude": how.selection.exclude,
        "models": models_of(client, url, how, stopped),
        **asdict(own.texts),
    }


def _texts(types: Mapping[str, Any]) -> dict[str, str]:
    return {name: str(types[name]) for name in sorted(types)}


def _run(client: Client, url: str, how: ScoringOptions, own: DatasetOptions, **places: Any) -> DatasetRun:
    from wallaroo_ext.batch.writing.run import DatasetRun

    part_size = own.part_size or PartSize()
    return DatasetRun(client, url, how, part_size=part_size, max_errors=own.max_errors, **places)
