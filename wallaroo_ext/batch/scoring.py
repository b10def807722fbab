"""Scoring one chunk of rows: what is sent of it, again where that may help, in halves where rows are wrong."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, replace
from importlib import import_module
from typing import TYPE_CHECKING, Any

from wallaroo_ext.batch.attempts import repeated
from wallaroo_ext.batch.reading.csv_types import from_texts
from wallaroo_ext.batch.reading.widening import text_of
from wallaroo_ext.batch.rejections import Limit, Rejection, is_too_large, narrowed
from wallaroo_ext.errors import ContractViolationError, InvalidDataError, WallarooError
from wallaroo_ext.inference.infer import infer_steps
from wallaroo_ext.inference.media_types import OPERATION
from wallaroo_ext.inference.pandas_index import index_columns
from wallaroo_ext.inference.vectors import vector_of
from wallaroo_ext.operations import run

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pyarrow import Table
    from wallaroo_mlops_client import Client

    from wallaroo_ext.batch.cutting import Chunk
    from wallaroo_ext.batch.options import ScoringOptions
    from wallaroo_ext.batch.request_size import RequestSize

pa: Any = import_module("pyarrow")
_OK = 200


@dataclass(frozen=True, slots=True)
class Scored:
    """What became of a chunk.

    Attributes:
        first: The number of its first row.
        rows: How many rows it had.
        pieces: The scored rows with their keys, and the rejected rows in their places.
    """

    first: int
    rows: int
    pieces: list[Table | Rejection]

    @property
    def tables(self) -> Iterator[Table]:
        """The scored rows."""
        return (piece for piece in self.pieces if not isinstance(piece, Rejection))

    @property
    def rejections(self) -> Iterator[Rejection]:
        """The rejected rows, for whoever may keep them: without what would keep the whole chunk in memory."""
        return (replace(piece, key_columns=None) for piece in self.pieces if isinstance(piece, Rejection))


class Tally:
    """How many requests a run had; any thread may count.

    Attributes:
        requests: Chunks and halves of chunks that were sent.
        repeated: Further attempts at them, without those of the client's transport.
    """

    def __init__(self) -> None:
        self.requests = 0
        self.repeated = 0
        self._lock = threading.Lock()

    def count(self, attempts: int) -> None:
        """One more was answered, after so many attempts."""
        with self._lock:
            self.requests += 1
            self.repeated += attempts - 1


class Scorer:
    """Scores chunks; any number of threads may call it.

    Args:
        client: What `connect` gave.
        url: Where the rows are scored.
        how: The options.
        size: Is told how fast requests are answered.
        limit: How many rows may be rejected.
        stopped: Whether the run has ended, so that no request waits for another attempt.
    """

    def __init__(
        self,
        client: Client,
        url: str,
        how: ScoringOptions,
        *,
        size: RequestSize,
        limit: Limit,
        stopped: threading.Event,
    ) -> None:
        self.tally = Tally()
        self._client = client
        self._url = url
        self._how = how
        self._size = size
        self._limit = limit
        self._stopped = stopped

    def __call__(self, chunk: Chunk) -> Scored:
        """Return what becomes of a chunk.

        Raises:
            WallarooError: It cannot be scored; or a row was rejected that is one too many.
        """
        pieces = list(narrowed(chunk, self._score, self._rejected))
        # Arrow's allocator keeps what a thread has freed, and several threads keep several times as much.
        pa.default_memory_pool().release_unused()
        return Scored(chunk.first, chunk.rows.num_rows, pieces)

    def _score(self, chunk: Chunk) -> Table:
        rows = self._sent(chunk.rows)
        count = rows.num_rows
        began = time.monotonic()
        try:
            answer, attempts = repeated(lambda: self._answer(rows), self._how.retries, self._stopped)
        except WallarooError as error:
            if is_too_large(error):
                self._size.too_large(count)
            raise
        self.tally.count(attempts)
        if attempts == 1:
            self._size.answered(count, time.monotonic() - began)
        return self._with_keys(chunk.rows, answer)

    def _answer(self, rows: Table) -> Table:
        steps = infer_steps(self._url, rows, index=rows.column_names, **self._how.infer_options)
        answer = run(self._client, steps)
        if answer.num_rows != rows.num_rows:
            raise ContractViolationError(
                f"{OPERATION}: {rows.num_rows} rows were sent, and {answer.num_rows} came back.",
                operation=OPERATION,
                status=_OK,
            )
        return answer

    def _sent(self, rows: Table) -> Table:
        """Return the columns that are sent."""
        names = self._how.columns
        if names is None:
            left_out = {*self._how.keys, *index_columns(rows.schema)}
            names = [name for name in rows.column_names if name not in left_out]
        sent = self._as_sent(chosen(rows, names))
        return vector_of(sent) if self._how.vector else sent

    def _as_sent(self, rows: Table) -> Table:
        """Columns that are texts as keys, as what they stand for."""
        for name, kind in self._how.sent_types.items():
            column: Any = rows.column(name)
            values = pa.chunked_array([from_texts(chunk, kind) for chunk in column.chunks], kind)
            rows = rows.set_column(rows.column_names.index(name), name, values)
        return rows

    def _with_keys(self, rows: Table, answer: Table) -> Table:
        keys = chosen(rows, self._how.keys)
        for name in keys.column_names:
            if name in answer.column_names:
                raise InvalidDataError(f"The key {name!r} has the name of a column of the answer: rename it.")
        columns = [*keys.columns, *answer.columns]
        schema = pa.schema([*keys.schema, *answer.schema])
        return pa.Table.from_arrays(columns, schema=schema)

    def _rejected(self, chunk: Chunk, error: WallarooError) -> Rejection:
        self._limit.count(error)
        columns: Any = chosen(chunk.rows, self._how.keys)
        keys = {name: _value(columns.column(name)[0]) for name in self._how.keys}
        return Rejection(chunk.first, getattr(error, "msg", None) or str(error), keys, columns)


def _value(scalar: Any) -> Any:
    """Return a key as Python has it, or as a text where Python does not, as with nanoseconds."""
    try:
        return scalar.as_py()
    except (ValueError, OverflowError):
        return text_of(scalar)


def chosen(rows: Table, names: Any) -> Table:
    """Return some columns of a table.

    Raises:
        InvalidDataError: There is no such column.
    """
    missing = [name for name in names if name not in rows.column_names]
    if missing:
        raise InvalidDataError(f"There is no column {missing[0]!r} in the rows, but {', '.join(rows.column_names)}.")
    return rows.select(list(names))
