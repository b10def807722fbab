"""What was scored: every inference as Arrow in segment files, indexed in the database.

An inference is appended to the newest segment as one Arrow IPC stream, and then its row of the index is committed. What
a process wrote before it was killed is there after it, so an answer that was given has its rows in the log; bytes that
no row names are cut off at the next start. The oldest segments are removed when all are larger than the limit. A
segment is announced before it is made and before its rows are deleted, so that the next start knows it as ours.
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

from wallaroo_ext._util.atomic_files import create_file

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
_READ_AHEAD = 1 << 17
_FOREVER = (1 << 63) - 1


@dataclass(frozen=True, slots=True)
class LoggedBatch:
    """Rows that were scored together.

    Attributes:
        table: The rows, with the columns `time` (timestamp[ms]), `in.<field>` and `out.<field>`.
        model_name: The model of the last step.
        model_sha: The SHA-256 of its file.
        elapsed_ns: How long the models ran, in nanoseconds.
    """

    table: pa.Table
    model_name: str
    model_sha: str
    elapsed_ns: int


@dataclass(frozen=True, slots=True)
class WrittenBatch:
    """Rows that are in a segment.

    Attributes:
        batch: The rows.
        segment: The name of the segment.
        start: Where they begin in it, in bytes.
        end: Where they end.
    """

    batch: LoggedBatch
    segment: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class _Segment:
    """A file that inferences are appended to."""

    name: str
    file: BufferedRandom


class InferenceLog:
    """The log of all pipelines.

    Args:
        store: Where the index is.
        limit_mib: How large the segments may be together; the newest one is kept in any case.
    """

    def __init__(self, store: Store, limit_mib: int) -> None:
        self._store = store
        self._directory = store.log
        self._limit = limit_mib * _MIB
        self._segment_limit = min(_SEGMENT_LIMIT, self._limit // 4)  # so that one that is removed is a part of the log
        self._lock = threading.Lock()
        self._segment: _Segment | None = None
        self._preparation = ThreadPoolExecutor(1, thread_name_prefix="inference-log")
        self._cut_off_what_is_not_indexed()

    def _cut_off_what_is_not_indexed(self) -> None:
        with self._store.reading() as db:
            rows = db.execute("SELECT segment, max(end_offset) AS size FROM inferences GROUP BY segment").fetchall()
        known = {row["segment"]: row["size"] for row in rows}
        short = [name for name, size in known.items() if not _cut_off(self._directory / name, size)]
        if short:
            _log.warning(
                "Rows of the inference log are lost: %s in %s should be longer, or there at all. Logs and assays go on "
                "without these rows.",
                ", ".join(sorted(short)),
                self._directory,
            )

    def append(self, pipeline_id: int, batch: LoggedBatch) -> None:
        """Log rows that were scored; when it returns, they are there even after a crash of the process."""
        if batch.table.num_rows:
            written = self.write(batch)
            with self._store.transaction(durable=not written.start) as db:
                self.index(db, pipeline_id, written)
            if written.end - written.start >= _LARGE:
                self._make_ready(written.end - written.start)

    def _make_ready(self, size: int) -> None:
        """Have memory for another large batch; where there is none, that one will say so."""
        with self._lock, suppress(OSError, sqlite3.Error):
            segment = self._open_segment()
            self._preparation.submit(_prepare, os.dup(segment.file.fileno()), segment.file.tell(), size)

    def write(self, batch: LoggedBatch) -> WrittenBatch:
        """Append rows to the newest segment; they are in the log once they are indexed, and not after a crash before.

        Args:
            batch: The rows; at least one.
        """
        import pyarrow as pa

        with self._lock:
            segment = self._open_segment()
            start = segment.file.tell()
            try:
                with pa.ipc.new_stream(segment.file, batch.table.schema) as writer:
                    writer.write_table(batch.table)
                segment.file.flush()
            except BaseException:
                self._leave(segment, start)
                raise
            return WrittenBatch(batch, segment.name, start, segment.file.tell())

    def _leave(self, segment: _Segment, size: int) -> None:
        """Write no more to a segment, and cut off what was half written; called with the lock."""
        self._segment = None
        with suppress(OSError):
            segment.file.close()  # it tries once more to write what it could not
        file = self._directory / segment.name
        if size:
            _cut_off(file, size)
        else:
            self._remove(file)

    def index(self, db: sqlite3.Connection, pipeline_id: int, written: WrittenBatch) -> int:
        """Make rows that were written a part of a pipeline's log; the id of the entry.

        The transaction has to be durable where they are the first of their segment.
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
            self._store.after_commit(partial(self._store.settle, self._directory / written.segment))
        return int(cursor.lastrowid or 0)

    def leave(self) -> None:
        """Append no more to the newest segment, because no row names it any more."""
        with self._lock:
            if self._segment is not None:
                self._close_segment(self._segment)
                self._segment = None

    def _remove(self, file: Path) -> None:
        """Remove a segment that was announced."""
        file.unlink(missing_ok=True)
        self._store.settle(file)

    def _open_segment(self) -> _Segment:
        """Return the segment to append to, a new one where the last one is full; called with the lock."""
        if self._segment is not None:
            if self._segment.file.tell() < self._segment_limit:
                return self._segment
            self._close_segment(self._segment)
        self._remove_the_oldest()
        name = f"{uuid.uuid4()}.arrows"
        self._store.announce(self._directory / name)
        self._segment = _Segment(name, create_file(self._directory / name))
        return self._segment

    @staticmethod
    def _close_segment(segment: _Segment) -> None:
        """Cut off what was prepared and not used."""
        segment.file.truncate()
        segment.file.close()

    def _remove_the_oldest(self) -> None:
        """Remove segments until the rest are within the limit."""
        with self._store.transaction() as db:
            rows = db.execute(
                "SELECT segment, max(end_offset) AS size FROM inferences GROUP BY segment ORDER BY max(id) DESC"
            ).fetchall()
            total = 0
            for row in rows:
                total += row["size"]
                if total > self._limit:
                    self._store.announce(self._directory / row["segment"])
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
        """Yield the batches of a pipeline that have rows in a time, oldest first, cut to the rows of that time.

        Args:
            pipeline_id: The pipeline.
            start_ms: The first millisecond since 1970 that counts; None for the beginning.
            end_ms: The first one that does not count any more; None for the end.
            model_name: Only what this model scored.
        """
        start, end = start_ms or 0, _FOREVER if end_ms is None else end_ms
        with self._store.reading() as db:
            rows = db.execute(
                "SELECT * FROM inferences WHERE pipeline_id = ? AND last_ms >= ? AND first_ms < ? "
                "AND (? IS NULL OR model_name = ?) ORDER BY first_ms, id",
                (pipeline_id, start, end, model_name, model_name),
            ).fetchall()
        for row in rows:
            table = self._table(row)
            if table is not None:
                inside = table if start <= row["first_ms"] and row["last_ms"] < end else _between(table, start, end)
                yield LoggedBatch(inside, row["model_name"], row["model_sha"], row["elapsed_ns"])

    def _table(self, row: Row) -> pa.Table | None:
        """Return the rows of one entry; None where its segment was removed meanwhile, or is too short."""
        import pyarrow as pa

        try:
            with pa.memory_map(str(self._directory / row["segment"])) as segment:
                if segment.size() < row["end_offset"]:
                    return None  # as the start has said
                segment.seek(row["start_offset"])
                content = segment.read_buffer(row["end_offset"] - row["start_offset"])
        except FileNotFoundError:
            return None
        with pa.ipc.open_stream(content) as reader:
            return reader.read_all()

    def close(self) -> None:
        """Append no more."""
        self._preparation.shutdown()
        self.leave()


def _cut_off(file: Path, size: int) -> bool:
    """Cut off what is behind so many bytes of a segment, and return whether it has as many; a link is not followed."""
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


def _prepare(descriptor: int, start: int, size: int) -> None:
    """Have the system allot memory for the next large batch, by the size of the last one.

    On a virtual machine, writing to memory that was never used before takes ten times as long as writing to memory that
    was. What is prepared reads as zeros; a batch that is written there meanwhile is not touched.
    """
    try:
        if sys.platform.startswith("linux"):
            os.posix_fallocate(descriptor, start, size)
            for offset in range(start, start + size, _READ_AHEAD):
                os.pread(descriptor, _READ_AHEAD, offset)
    finally:
        os.close(descriptor)


def _span_ms(table: pa.Table) -> tuple[int, int]:
    """Return the first and the last time of a table."""
    import numpy as np

    times = np.asarray(table.column("time")).astype(np.int64)
    return int(times.min()), int(times.max())


def _between(table: pa.Table, start_ms: int, end_ms: int) -> pa.Table:
    """Return the rows of a time."""
    import numpy as np
    import pyarrow as pa

    times = np.asarray(table.column("time")).astype(np.int64)
    return table.filter(pa.array((times >= start_ms) & (times < end_ms)))
