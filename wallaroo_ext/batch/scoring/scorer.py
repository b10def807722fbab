"""Scoring one chunk of rows, with retries, and in halves if the engine rejects some of them."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field, replace
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING, Any

from wallaroo_ext.batch.reading.widening import scalar_text
from wallaroo_ext.batch.retries import with_retries
from wallaroo_ext.batch.scoring.chunking import Chunk
from wallaroo_ext.batch.scoring.rejections import (
    Rejection,
    RejectionLimit,
    SplitError,
    is_too_large,
    may_be_too_large,
    score_by_halves,
    with_gaps,
)
from wallaroo_ext.errors import (
    ContractViolationError,
    EngineError,
    InvalidDataError,
    RequestTimeoutError,
    WallarooError,
)
from wallaroo_ext.inference.files.csv_types import from_texts
from wallaroo_ext.inference.infer import score_steps
from wallaroo_ext.inference.inputs.missing_numbers import rows_with_missing, without_missing
from wallaroo_ext.inference.inputs.rows import columns_to_send, select_columns
from wallaroo_ext.inference.inputs.vectors import vector_of
from wallaroo_ext.inference.media_types import OPERATION
from wallaroo_ext.inference.pandas_index import index_columns
from wallaroo_ext.inference.row_errors import MissingNumberError
from wallaroo_ext.operations import run

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pyarrow import Table
    from wallaroo_mlops_client import Client

    from wallaroo_ext.batch.options import ScoringOptions
    from wallaroo_ext.batch.scoring.request_size import RequestSize

pa: Any = import_module("pyarrow")
_OK, _SERVER_ERROR = 200, 500


@dataclass(frozen=True, slots=True)
class ScoredChunk:
    """The results of a chunk.

    Attributes:
        first: The number of its first row.
        rows: The number of its rows.
        results: The scored rows with their keys, and each rejected row in its place.
    """

    first: int
    rows: int
    results: list[Table | Rejection]

    @property
    def tables(self) -> Iterator[Table]:
        """The scored rows."""
        return (result for result in self.results if not isinstance(result, Rejection))

    @property
    def rejections(self) -> Iterator[Rejection]:
        """The rejected rows, without the key columns, which would keep the whole chunk in memory."""
        return (replace(result, key_columns=None) for result in self.results if isinstance(result, Rejection))


class Tally:
    """Counts the requests of a run; any thread may call it.

    Attributes:
        requests: How many chunks and parts of chunks were answered.
        repeated: How many further attempts these took, without those of the client's transport.
    """

    def __init__(self) -> None:
        self.requests = 0
        self.repeated = 0
        self._lock = threading.Lock()

    def count(self, attempts: int) -> None:
        """Count a request that was answered after so many attempts."""
        with self._lock:
            self.requests += 1
            self.repeated += attempts - 1


@dataclass(slots=True)
class _Requests:
    """The requests that a chunk took.

    Attributes:
        attempts: How many times one was sent; one if the whole chunk was answered at once.
        in_parts: Whether the chunk is sent in parts.
        rejected: The bytes of those whose rows the engine rejected, of more than one row.
    """

    attempts: int = 0
    in_parts: bool = False
    rejected: list[int] = field(default_factory=list[int])

    def failed(self, error: WallarooError, size: int) -> None:
        """Take into account that a request with so many bytes of rows failed."""
        self.attempts += 1
        self.in_parts = True
        if isinstance(error, EngineError) and not is_too_large(error):
            self.rejected.append(size)


class Scorer:
    """Scores chunks; any number of threads may call it.

    Args:
        client: What `connect` gave.
        url: The URL that rows are sent to.
        how: The options.
        size: The size of requests, which learns how fast they are answered.
        limit: The limit of rejected rows.
        stopped: Set when the run ends, so that no request waits for another attempt.
    """

    def __init__(
        self,
        client: Client,
        url: str,
        how: ScoringOptions,
        *,
        size: RequestSize,
        limit: RejectionLimit,
        stopped: threading.Event,
    ) -> None:
        self.tally = Tally()
        self._client = client
        self._url = url
        self._how = how
        self._size = size
        self._limit = limit
        self._stopped = stopped

    def __call__(self, chunk: Chunk) -> ScoredChunk:
        """Return the results of a chunk.

        Raises:
            WallarooError: The chunk cannot be scored, or more rows were rejected than may be.
        """
        requests = _Requests()
        began = self._size.begin()
        try:
            results = list(self._results(chunk, requests))
        except BaseException:
            self._size.fail()
            raise
        self._size.end(chunk.rows.num_rows, began, at_once=requests.attempts == 1)
        self._learn_from_rejected(results, requests)
        # Arrow's allocator keeps memory that a thread has freed, and several threads keep several times as much.
        pa.default_memory_pool().release_unused()
        return ScoredChunk(chunk.first, chunk.rows.num_rows, results)

    def _learn_from_rejected(self, results: list[Table | Rejection], requests: _Requests) -> None:
        """Take the size for the reason why the engine rejected rows that it then scored in parts, each of them."""
        if requests.rejected and not any(isinstance(result, Rejection) for result in results):
            self._size.too_large(min(requests.rejected), certain=False)

    def _results(self, chunk: Chunk, requests: _Requests) -> Iterator[Table | Rejection]:
        """Yield the scored rows of a chunk, with each row that was not scored in its place."""
        sent = self._columns_to_send(chunk.rows)
        if self._how.missing == "nan":
            chunk, gaps = replace(chunk, sent=without_missing(sent, "nan")), []
        else:
            missing = rows_with_missing(sent)
            gaps = [self._reject_missing(chunk, row, column) for row, column in missing.items()]
            chunk = replace(chunk, sent=sent)
            if len(gaps) == chunk.rows.num_rows:
                yield from gaps
                return
            chunk = chunk.without(missing) if gaps else chunk
        scored = score_by_halves(chunk, partial(self._score, requests), self._reject)
        yield from with_gaps(scored, chunk.numbers, gaps)

    def _score(self, requests: _Requests, chunk: Chunk) -> Table:
        """Return the scored rows of a chunk, or of a part of it.

        Raises:
            SplitError: It is too large, or may be.
        """
        rows = vector_of(chunk.sent, chunk.first) if self._how.vector else chunk.sent
        size = chunk.rows.nbytes
        several = rows.num_rows > 1
        if several and self._size.is_too_large(size, is_part=requests.in_parts):
            requests.in_parts = True
            raise SplitError

        goes_in_parts = False  # by what was known at the last error: other threads learn meanwhile

        def ends(error: WallarooError) -> bool:
            nonlocal goes_in_parts
            goes_in_parts = several and self._may_be_too_large(error, size)
            return goes_in_parts

        try:
            answer, attempts = with_retries(lambda: self._send(rows), self._how.retries, self._stopped, ends)
        except WallarooError as error:
            requests.failed(error, size)
            if is_too_large(error):
                self._size.too_large(size)
            elif goes_in_parts:
                self._size.too_large(size, certain=False)
                raise SplitError from error
            raise
        requests.attempts += attempts
        self.tally.count(attempts)
        self._size.taken(size)
        return self._with_keys(chunk.rows, answer)

    def _may_be_too_large(self, error: WallarooError, size: int) -> bool:
        """Return whether a request may have failed because of its size, so that it is not sent as it is again."""
        if is_too_large(error) or (isinstance(error, EngineError) and error.status < _SERVER_ERROR):
            return False  # which is known, or about the rows
        if self._size.is_first:
            return isinstance(error, RequestTimeoutError)
        return self._size.is_new(size) and may_be_too_large(error)

    def _send(self, rows: Table) -> Table:
        steps = score_steps(self._url, rows, **self._how.infer_options)
        answer = run(self._client, steps)
        if answer.num_rows != rows.num_rows:
            raise ContractViolationError(
                f"{OPERATION}: {rows.num_rows} rows were sent, and {answer.num_rows} came back.",
                operation=OPERATION,
                status=_OK,
            )
        return answer

    def _columns_to_send(self, rows: Table) -> Table:
        """Return the columns to send."""
        names = self._how.columns
        if names is None:
            left_out = {*self._how.keys, *index_columns(rows.schema)}
            names = [name for name in rows.column_names if name not in left_out]
        sent = self._parse_texts(select_columns(rows, names))
        return columns_to_send(sent, sent.column_names, vector=self._how.vector)

    def _parse_texts(self, rows: Table) -> Table:
        """Return the rows with values in place of texts, for columns that are keys, and so texts, as well."""
        for name, kind in self._how.sent_types.items():
            column: Any = rows.column(name)
            values = pa.chunked_array([from_texts(chunk, kind, self._how.decimal) for chunk in column.chunks], kind)
            rows = rows.set_column(rows.column_names.index(name), name, values)
        return rows

    def _with_keys(self, rows: Table, answer: Table) -> Table:
        keys = select_columns(rows, self._how.keys)
        for name in keys.column_names:
            if name in answer.column_names:
                raise InvalidDataError(f"The key {name!r} has the name of a column of the answer: rename it.")
        columns = [*keys.columns, *answer.columns]
        schema = pa.schema([*keys.schema, *answer.schema])
        return pa.Table.from_arrays(columns, schema=schema)

    def _reject(self, chunk: Chunk, error: WallarooError) -> Rejection:
        self._limit.count(error)
        columns: Any = select_columns(chunk.rows, self._how.keys)
        keys = {name: _value(columns.column(name)[0]) for name in self._how.keys}
        return Rejection(chunk.first, getattr(error, "msg", None) or str(error), keys, columns)

    def _reject_missing(self, chunk: Chunk, row: int, column: str) -> Rejection:
        """Return the rejection of a row of a chunk in which a column has no number."""
        number = chunk.first + row
        return self._reject(Chunk(number, chunk.rows.slice(row, 1)), MissingNumberError(column, number))


def _value(scalar: Any) -> Any:
    """Return a key as a Python value; as a text if Python has no such value, as for nanoseconds."""
    try:
        return scalar.as_py()
    except (ValueError, OverflowError):
        return scalar_text(scalar)
