"""The inference log: every inference as Arrow in segment files, indexed in the database.

An inference is appended to the newest segment as one Arrow IPC stream, and then its index row is committed. Written
bytes survive when the process is killed, so every answer that was sent has its rows in the log; the next start
truncates bytes that no index row names. The oldest segments are removed when the log exceeds its limit. A segment is
marked as pending before it is created and before its rows are deleted, so that the next start can remove it.
"""

from __future__ import annotations

import logging
import os
import sqlite3
import sys
import threading
import uuid
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import orjson

from wallaroo_ext._util.files.atomic_files import create_file
from wallaroo_ext._util.json_values import list_of, object_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from io import BufferedRandom
    from pathlib import Path

    import pyarrow as pa

    from wallaroo_ext.sandbox.storage.store import Row, Store

_MIB = 1 << 20
_log = logging.getLogger(__name__)
_SEGMENT_LIMIT = 64 * _MIB
_LARGE = _MIB
_SMALL, _MOST_KEPT = 32 * 1024, 512
"""The rows of small inferences are kept for a while, because assays read them again and again."""
_READ_AHEAD = 1 << 17
_FOREVER = (1 << 63) - 1
_ORIGIN = b"origin"
"""The key in a batch's metadata of where it comes from; batches of earlier versions have none."""


@dataclass(frozen=True, slots=True)
class LoggedOrigin:
    """Where logged rows come from.

    Attributes:
        pipeline_version: The UUID of the pipeline version; empty if it is not known.
        partition: The name of the engine's pod; empty if it is not known.
        parse_ns: How long reading the rows took, in nanoseconds.
        outputs: The parts with outputs: `out`, and an `out_{model}` for each shadow.
    """

    pipeline_version: str = ""
    partition: str = ""
    parse_ns: int = 0
    outputs: tuple[str, ...] = ("out",)


@dataclass(frozen=True, slots=True)
class LoggedBatch:
    """Rows that were scored together.

    Attributes:
        table: The rows, with the columns `time` (timestamp[ms]), `in.<field>`, `out.<field>` and, for each shadow,
            `out_<model>.<field>`.
        model_name: The name of the last step's model.
        model_sha: The SHA-256 of that model's file.
        elapsed_ns: How long the models ran, in nanoseconds.
        origin: Where they come from.
    """

    table: pa.Table
    model_name: str
    model_sha: str
    elapsed_ns: int
    origin: LoggedOrigin = LoggedOrigin()


@dataclass(frozen=True, slots=True)
class WrittenBatch:
    """Rows that were written to a segment.

    Attributes:
        batch: The rows.
        segment: The name of the segment.
        start: The offset of their first byte in the segment.
        end: The offset behind their last byte.
    """

    batch: LoggedBatch
    segment: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class _Segment:
    """An open file that inferences are appended to."""

    name: str
    file: BufferedRandom


class InferenceLog:
    """The inferences of all pipelines.

    Args:
        store: The store with the index and the directory of the segments.
        limit_mib: The size limit of all segments together; the newest one is always kept.
    """

    def __init__(self, store: Store, limit_mib: int) -> None:
        self._store = store
        self._directory = store.log
        self._limit = limit_mib * _MIB
        self._segment_limit = min(_SEGMENT_LIMIT, self._limit // 4)  # so that removing one leaves most of the log
        self._lock = threading.Lock()
        self._segment: _Segment | None = None
        self._kept: dict[tuple[str, int], pa.Table] = {}
        self._preallocation = ThreadPoolExecutor(1, thread_name_prefix="inference-log")
        self._truncate_segments()

    def _truncate_segments(self) -> None:
        """Truncate each segment to the rows that the index names, and warn of rows that are missing."""
        with self._store.reading() as db:
            rows = db.execute("SELECT segment, max(end_offset) AS size FROM inferences GROUP BY segment").fetchall()
        known = {row["segment"]: row["size"] for row in rows}
        short = [name for name, size in known.items() if not _truncate(self._directory / name, size)]
        if short:
            _log.warning(
                "Rows of the inference log are lost: %s in %s should be longer, or there at all. Logs and assays go on "
                "without these rows.",
                ", ".join(sorted(short)),
                self._directory,
            )

    def append(self, pipeline_id: int, batch: LoggedBatch) -> None:
        """Log rows that were scored; once this returns, they survive a crash of the process."""
        if batch.table.num_rows:
            written = self.write(batch)
            with self._store.transaction(durable=not written.start) as db:
                self.index(db, pipeline_id, written)
            if written.end - written.start >= _LARGE:
                self._preallocate(written.end - written.start)

    def _preallocate(self, size: int) -> None:
        """Allocate space for another large batch in the background; if that fails, writing the batch will report it."""
        with self._lock, suppress(OSError, sqlite3.Error):
            segment = self._open_segment()
            self._preallocation.submit(_allocate, os.dup(segment.file.fileno()), segment.file.tell(), size)

    def write(self, batch: LoggedBatch) -> WrittenBatch:
        """Append rows to the newest segment. They belong to the log once they are indexed.

        Args:
            batch: The rows; at least one.
        """
        import pyarrow as pa

        with self._lock:
            segment = self._open_segment()
            start = segment.file.tell()
            try:
                table = batch.table.replace_schema_metadata({_ORIGIN: orjson.dumps(batch.origin)})
                with pa.ipc.new_stream(segment.file, table.schema) as writer:
                    writer.write_table(table)
                segment.file.flush()
            except BaseException:
                self._abandon(segment, start)
                raise
            return WrittenBatch(batch, segment.name, start, segment.file.tell())

    def _abandon(self, segment: _Segment, size: int) -> None:
        """Close a segment after a failed write and truncate it; the caller holds the lock."""
        self._segment = None
        with suppress(OSError):
            segment.file.close()  # tries to write its buffer once more
        file = self._directory / segment.name
        if size:
            _truncate(file, size)
        else:
            self._remove(file)

    def index(self, db: sqlite3.Connection, pipeline_id: int, written: WrittenBatch) -> int:
        """Add written rows to the index of a pipeline, and return the id of the entry.

        The transaction has to be durable if the rows are the first of their segment.
        """
        batch = written.batch
        first_ms, last_ms = _span_ms(batch.table)
        cursor = db.execute(
            "INSERT INTO inferences (segment, start_offset, end_offset, pipeline_id, model_name, model_sha, "
            "elapsed_ns, first_ms, last_ms, row_count) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                written.segment,
                written.start,
                written.end,
                pipeline_id,
                batch.model_name,
                batch.model_sha,
                batch.elapsed_ns,
                first_ms,
                last_ms,
                batch.table.num_rows,
            ),
        )
        if not written.start:
            self._store.after_commit(partial(self._store.unmark_pending, self._directory / written.segment))
        return int(cursor.lastrowid or 0)

    def close_segment(self) -> None:
        """Close the newest segment; the next rows begin a new one."""
        with self._lock:
            if self._segment is not None:
                self._trim_and_close(self._segment)
                self._segment = None

    def _remove(self, file: Path) -> None:
        """Remove a segment that was marked as pending."""
        file.unlink(missing_ok=True)
        self._store.unmark_pending(file)

    def _open_segment(self) -> _Segment:
        """Return the segment to append to, a new one if the last one is full; the caller holds the lock."""
        if self._segment is not None:
            if self._segment.file.tell() < self._segment_limit:
                return self._segment
            self._trim_and_close(self._segment)
        self._remove_oldest_segments()
        name = f"{uuid.uuid4()}.arrows"
        self._store.mark_pending(self._directory / name)
        self._segment = _Segment(name, create_file(self._directory / name))
        return self._segment

    @staticmethod
    def _trim_and_close(segment: _Segment) -> None:
        """Close a segment without the space that was allocated and not used."""
        segment.file.truncate()
        segment.file.close()

    def _remove_oldest_segments(self) -> None:
        """Remove the oldest segments until the others are within the limit."""
        with self._store.transaction() as db:
            rows = db.execute(
                "SELECT segment, max(end_offset) AS size FROM inferences GROUP BY segment ORDER BY max(id) DESC"
            ).fetchall()
            total = 0
            for row in rows:
                total += row["size"]
                if total > self._limit:
                    self._store.mark_pending(self._directory / row["segment"])
                    db.execute("DELETE FROM inferences WHERE segment = ?", (row["segment"],))
                    self._store.after_commit(partial(self._remove, self._directory / row["segment"]))

    def read(
        self,
        pipeline_id: int,
        *,
        start_ms: int | None = None,
        end_ms: int | None = None,
        model_name: str | None = None,
    ) -> Iterator[LoggedBatch]:
        """Yield the batches of a pipeline in a span of time, oldest first, with only the rows in that span.

        Args:
            pipeline_id: The pipeline.
            start_ms: The start of the span, in milliseconds since 1970; None for the beginning.
            end_ms: The end of the span, which is excluded; None for no end.
            model_name: The model whose rows are wanted; None for all.
        """
        start, end = start_ms or 0, _FOREVER if end_ms is None else end_ms
        with self._store.reading() as db:
            rows = db.execute(
                "SELECT * FROM inferences WHERE pipeline_id = ? AND last_ms >= ? AND first_ms < ? "
                "AND (? IS NULL OR model_name = ?) ORDER BY first_ms, id",
                (pipeline_id, start, end, model_name, model_name),
            ).fetchall()
        for row in rows:
            batch = self._batch(row, start, end)
            if batch is not None:
                yield batch

    def page(
        self, pipeline_id: int, *, start_ms: int | None, end_ms: int | None, newest_first: bool, from_id: int | None
    ) -> Iterator[tuple[int, LoggedBatch]]:
        """Yield the batches of a pipeline in the order of their insertion, each with the id of its index entry.

        Args:
            pipeline_id: The pipeline.
            start_ms: The start of the span, in milliseconds since 1970; None for the beginning.
            end_ms: The end of the span, which is excluded; None for no end.
            newest_first: Whether the last one that was inserted comes first.
            from_id: The entry to begin with; None for the first one.
        """
        start, end = start_ms or 0, _FOREVER if end_ms is None else end_ms
        sign = -1 if newest_first else 1
        with self._store.reading() as db:
            rows = db.execute(
                "SELECT * FROM inferences WHERE pipeline_id = ? AND last_ms >= ? AND first_ms < ? "
                "AND (? IS NULL OR id * ? >= ?) ORDER BY id * ?",
                (pipeline_id, start, end, from_id, sign, (from_id or 0) * sign, sign),
            ).fetchall()
        for row in rows:
            batch = self._batch(row, start, end)
            if batch is not None:
                yield row["id"], batch

    def count_rows(self, pipeline_id: int) -> int:
        """Return how many rows of a pipeline the log has."""
        return sum(count for _, count in self._counted_entries(pipeline_id))

    def find_row(
        self, pipeline_id: int, number: int, *, start_ms: int | None, end_ms: int | None, newest_first: bool
    ) -> tuple[int, int] | None:
        """Return the id of the index entry with a row, and how many rows of a span come before the row in this entry.

        Args:
            pipeline_id: The pipeline.
            number: The number of the row in the pipeline's log, in the order of insertion, from 0 on.
            start_ms: The start of the span, in milliseconds since 1970; None for the beginning.
            end_ms: The end of the span, which is excluded; None for no end.
            newest_first: Whether the last one that was inserted comes first; a number behind it is then the last one's.

        Returns:
            The id and the number of rows; None behind the last row, or where there is none.
        """
        entries = self._counted_entries(pipeline_id)
        if newest_first:
            number = min(number, sum(count for _, count in entries) - 1)
        for entry, count in entries:
            if 0 <= number < count:
                table = self._table(entry)
                if table is None:
                    return entry["id"], 0
                before = table.slice(number + 1) if newest_first else table.slice(0, number)
                return entry["id"], _between(before, start_ms or 0, _FOREVER if end_ms is None else end_ms).num_rows
            number -= count
        return None

    def _counted_entries(self, pipeline_id: int) -> list[tuple[Row, int]]:
        """Return the index entries of a pipeline in the order of their insertion, each with the number of its rows."""
        with self._store.reading() as db:
            rows = db.execute("SELECT * FROM inferences WHERE pipeline_id = ? ORDER BY id", (pipeline_id,)).fetchall()
        return [(row, self._row_count(row)) for row in rows]

    def _row_count(self, row: Row) -> int:
        """Return how many rows an index entry has. What an earlier version logged is read for it."""
        if row["row_count"] is not None:
            return row["row_count"]
        table = self._table(row)
        return 0 if table is None else table.num_rows

    def _batch(self, row: Row, start: int, end: int) -> LoggedBatch | None:
        """Return the rows of an index entry in a span of time, or None if their segment was removed meanwhile."""
        table = self._table(row)
        if table is None:
            return None
        origin = _origin_of(table)
        inside = table if start <= row["first_ms"] and row["last_ms"] < end else _between(table, start, end)
        return LoggedBatch(inside, row["model_name"], row["model_sha"], row["elapsed_ns"], origin)

    def _table(self, row: Row) -> pa.Table | None:
        """Return the rows of an index entry, or None if its segment was removed meanwhile."""
        import pyarrow as pa

        key = row["segment"], row["end_offset"]  # what is indexed is never written anew
        if (kept := self._kept.get(key)) is not None:
            return kept
        try:
            with pa.memory_map(str(self._directory / row["segment"])) as segment:
                if segment.size() < row["end_offset"]:
                    return None  # the start has warned of it
                segment.seek(row["start_offset"])
                content = segment.read_buffer(row["end_offset"] - row["start_offset"])
        except FileNotFoundError:
            return None
        is_small = content.size <= _SMALL
        if is_small:  # a copy: what is kept would keep the whole segment on the disk
            content = pa.py_buffer(content.to_pybytes())
        with pa.ipc.open_stream(content) as reader:
            table = reader.read_all()
        if is_small:
            self._keep(key, table)
        return table

    def _keep(self, key: tuple[str, int], table: pa.Table) -> None:
        with self._lock:
            self._kept[key] = table
            if len(self._kept) > _MOST_KEPT:
                del self._kept[next(iter(self._kept))]

    def close(self) -> None:
        """Close the newest segment and the background thread."""
        self._preallocation.shutdown()
        self.close_segment()


def _origin_of(table: pa.Table) -> LoggedOrigin:
    """Return where the rows of a table come from."""
    written = (table.schema.metadata or {}).get(_ORIGIN)
    if written is None:
        return LoggedOrigin()
    origin = object_of(orjson.loads(written))
    outputs = tuple(map(str, list_of(origin.pop("outputs", []))))
    return LoggedOrigin(**origin, outputs=outputs)


def _truncate(file: Path, size: int) -> bool:
    """Truncate a segment to a size, and return whether it is that long. A link is not followed."""
    try:
        descriptor = os.open(file, os.O_RDWR | os.O_NOFOLLOW)
    except FileNotFoundError:
        return False
    try:
        found = os.fstat(descriptor).st_size
        if found > size:
            os.truncate(descriptor, size)
    finally:
        os.close(descriptor)
    return found >= size


def _allocate(descriptor: int, start: int, size: int) -> None:
    """Allocate space in a file, and bring it into the page cache.

    On a virtual machine, writing to memory that was never used takes ten times as long as to memory that was. Allocated
    space reads as zeros; a batch that is written there meanwhile stays as it is.
    """
    try:
        if sys.platform.startswith("linux"):
            os.posix_fallocate(descriptor, start, size)
            for offset in range(start, start + size, _READ_AHEAD):
                os.pread(descriptor, _READ_AHEAD, offset)
    finally:
        os.close(descriptor)


def _span_ms(table: pa.Table) -> tuple[int, int]:
    """Return the earliest and the latest time of a table's rows."""
    import numpy as np

    times = np.asarray(table.column("time")).astype(np.int64)
    return int(times.min()), int(times.max())


def _between(table: pa.Table, start_ms: int, end_ms: int) -> pa.Table:
    """Return the rows from `start_ms` on and before `end_ms`."""
    import numpy as np
    import pyarrow as pa

    times = np.asarray(table.column("time")).astype(np.int64)
    return table.filter(pa.array((times >= start_ms) & (times < end_ms)))
