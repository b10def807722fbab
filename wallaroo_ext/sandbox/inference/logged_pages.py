"""Pages of the inference log, as `pipelines/get_logs` and topics answer them."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from wallaroo_ext.sandbox.http.problems import bad_request
from wallaroo_ext.sandbox.inference.answer_forms import AnswerForm, RowMetadata, Selection
from wallaroo_ext.sandbox.inference.arrow_answers import INPUT, ScoredRows, added_parts
from wallaroo_ext.sandbox.inference.json_answers import rows_of_column, to_records

if TYPE_CHECKING:
    from collections.abc import Iterable

    from wallaroo_ext.sandbox.engine.tensors import Column
    from wallaroo_ext.sandbox.inference.arrow_answers import Parts
    from wallaroo_ext.sandbox.inference.inference_log import LoggedBatch

MAX_PAGE_BYTES = 16 << 20
"""The size of the rows of a page, so that one page does not take all memory."""

_CURSOR = re.compile(r"(\d{1,18})-(\d{1,18})", re.ASCII)
_PARTITION = re.compile(r"batch-(\d{1,18})", re.ASCII)
ROWS = "rows"
"""The partition of a topic in which all its rows are counted, from the oldest one on."""
EVERYTHING = Selection()
_NO_METADATA = RowMetadata([("", "")], "", (0, 0), "")


@dataclass(frozen=True, slots=True)
class Cursor:
    """The first row of a page.

    Attributes:
        entry: The id of the batch in the log's index.
        row: The number of the row in the batch, in the order of the page.
    """

    entry: int
    row: int

    def __str__(self) -> str:
        return f"{self.entry}-{self.row}"

    @staticmethod
    def parse(text: str) -> Cursor:
        """Return the cursor that a text stands for.

        Raises:
            Problem: 400, if it is none.
        """
        found = _CURSOR.fullmatch(text)
        if found is None:
            raise bad_request(f"cursor: {text[:100]!r} is no cursor; send the x-iteration-cursor of the page before.")
        return Cursor(int(found[1]), int(found[2]))

    def to_position(self) -> dict[str, int]:
        """Return the cursor as a position in a topic, of which each batch is a partition, too.

        Unlike a number in `ROWS`, it stays good when the log is full and its oldest rows go.
        """
        return {f"batch-{self.entry}": self.row}

    @staticmethod
    def of_position(position: dict[str, int]) -> Cursor | None:
        """Return the cursor that a position in a topic stands for; None if it names no batch."""
        named = ((_PARTITION.fullmatch(name), row) for name, row in position.items())
        return next((Cursor(int(found[1]), int(row)) for found, row in named if found is not None), None)


@dataclass(frozen=True, slots=True)
class Page:
    """A page of logged rows.

    Attributes:
        batches: The rows, all with the same fields.
        status: `All`, or what ended the page: `RecordLimited`, `ByteLimited` or `SchemaChange`.
        next: The first row of the next page; None if there is none.
    """

    batches: list[LoggedBatch]
    status: str = "All"
    next: Cursor | None = None

    @staticmethod
    def of(batches: Iterable[tuple[int, LoggedBatch]], start: Cursor | None, size: int, *, newest_first: bool) -> Page:
        """Return the rows from a cursor on, up to a number of them or to a change of their fields.

        Args:
            batches: The batches and their ids, in the order of the page.
            start: The first row; None for the first one of all.
            size: The largest number of rows.
            newest_first: Whether the rows of a batch come in reverse, too.
        """
        rows: list[LoggedBatch] = []
        left, bytes_left = size, MAX_PAGE_BYTES
        for entry, batch in batches:
            skipped = start.row if start is not None and start.entry == entry else 0
            count = batch.table.num_rows - skipped
            if count <= 0:
                continue
            if rows and not batch.table.schema.equals(rows[0].table.schema):
                return Page(rows, "SchemaChange", Cursor(entry, skipped))
            row_bytes = max(1, batch.table.get_total_buffer_size() // batch.table.num_rows)
            by_bytes = max(0 if rows else 1, bytes_left // row_bytes)
            taken = min(count, left, by_bytes)
            if taken:
                rows.append(replace(batch, table=_cut(batch.table, skipped, taken, newest_first=newest_first)))
            left -= taken
            bytes_left -= row_bytes * taken
            if taken < count:
                return Page(rows, "RecordLimited" if not left else "ByteLimited", Cursor(entry, skipped + taken))
        return Page(rows)

    def records(self, form: AnswerForm, selection: Selection = EVERYTHING) -> list[dict[str, Any]]:
        """Return the rows as records, in the form of a release's answers."""
        return [record for batch in self.batches for record in _records(batch, form, selection)]

    def to_arrow(
        self, form: AnswerForm, selection: Selection = EVERYTHING, metadata: dict[str, str] | None = None
    ) -> list[memoryview]:
        """Return the chunks of an Arrow file with the rows, in the form of a release's answers.

        Args:
            form: The form.
            selection: The requested parts; nested without a separator and otherwise flat.
            metadata: The metadata of the schema.
        """
        added = [added_parts(form, _metadata_of(batch), batch.table.num_rows, selection) for batch in self.batches]
        if not added:
            none: Column = pa.array([], pa.timestamp("ms"))
            added_to_none = added_parts(form, _NO_METADATA, 0, selection)
            return _written(ScoredRows(none, {}), added_to_none, selection, metadata)
        table = pa.concat_tables([batch.table for batch in self.batches])
        joined = {
            part: {name: _joined([of_batch[part][name] for of_batch in added]) for name in fields}
            for part, fields in added[0].items()
        }
        return _written(ScoredRows(table.column("time"), _parts(table, self.batches[0])), joined, selection, metadata)


def _written(rows: ScoredRows, added: Parts, selection: Selection, metadata: dict[str, str] | None) -> list[memoryview]:
    write = rows.to_nested_file if selection.separator is None else rows.to_flat_file
    return write(added, selection, metadata)


def _joined(columns: list[Column]) -> Column:
    arrow_library: Any = pa
    return arrow_library.chunked_array(columns)


def _records(batch: LoggedBatch, form: AnswerForm, selection: Selection) -> list[dict[str, Any]]:
    parts = {
        part: {name: rows_of_column(column) for name, column in fields.items()}
        for part, fields in _parts(batch.table, batch).items()
    }
    times: Any = batch.table.column("time").cast(pa.int64()).to_pylist()
    return to_records(times, parts, form, _metadata_of(batch), selection)


def _metadata_of(batch: LoggedBatch) -> RowMetadata:
    return RowMetadata(
        last_models=[(batch.model_name, batch.model_sha)],
        pipeline_version=batch.origin.pipeline_version,
        elapsed=(batch.origin.parse_ns, batch.elapsed_ns),
        partition=batch.origin.partition,
    )


def _cut(table: pa.Table, skipped: int, taken: int, *, newest_first: bool) -> pa.Table:
    """Return some rows of a table; with the newest first, they are counted and come from its end."""
    if not newest_first:
        return table.slice(skipped, taken)
    backwards: Any = np.arange(taken - 1, -1, -1)
    return table.slice(table.num_rows - skipped - taken, taken).take(backwards)


def _parts(table: pa.Table, batch: LoggedBatch) -> dict[str, dict[str, Column]]:
    """Return the columns of a batch's table by part and field."""
    known = (INPUT, *sorted(batch.origin.outputs, key=len, reverse=True))
    parts: dict[str, dict[str, Column]] = {part: {} for part in (INPUT, *batch.origin.outputs)}
    for name in table.column_names:
        part = next((part for part in known if name.startswith(f"{part}.")), None)
        if part is not None:
            parts[part][name.removeprefix(f"{part}.")] = table.column(name)
    return {part: fields for part, fields in parts.items() if fields}
