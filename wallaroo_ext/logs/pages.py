"""Reading a log page by page, so that no more than one page is in memory."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field, replace
from importlib import import_module
from typing import TYPE_CHECKING, Any

from wallaroo_ext._util.quantities import read_limit
from wallaroo_ext._util.times import Time, read_span
from wallaroo_ext.errors import InvalidDataError
from wallaroo_ext.logs.sources import Page, Span, Topic, source_steps
from wallaroo_ext.transport.response_errors import contract_violation

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pyarrow import RecordBatch, Table

    from wallaroo_ext.logs.sources import PipelineLog
    from wallaroo_ext.operations import Steps

pa: Any = import_module("pyarrow")
pc: Any = import_module("pyarrow.compute")

logger = logging.getLogger("wallaroo_ext")

PAGE_ROWS = 10_000
"""How many rows a request asks for; an instance may give fewer."""

_ALL = "All"
_METADATA, _DROPPED = "metadata.", "metadata.dropped"


@dataclass(slots=True)
class Pages:
    """The pages of a log, one after the other.

    Attributes:
        pipeline: The pipeline; see `pipeline_logs`.
        workspace: Its workspace.
        span: Which rows are wanted.
        left: How many rows are wanted yet; None for all.
        metadata: Whether the columns with metadata are wanted.
        ended: Whether there are no more pages.
    """

    pipeline: object
    workspace: int | str | None
    span: Span
    left: int | None
    metadata: bool
    ended: bool = False
    _source: PipelineLog | Topic | None = None
    _position: Any = None
    _dropped: set[str] = field(default_factory=set[str])

    def table_steps(self) -> Steps[Table]:
        """Get the next page.

        Raises:
            ContractViolationError: The instance says that more rows follow, and not how to get them.
            InvalidDataError: The newest rows are wanted first, and the instance gives the oldest.
        """
        if self._source is None:
            self._source = yield from source_steps(self.pipeline, self.workspace)
        rows = PAGE_ROWS if self.left is None else min(self.left, PAGE_ROWS)
        page = yield from self._source.page_steps(self.span, rows, self._position)
        is_last = _is_last(page)
        table = page.table
        if self.span.newest_first and isinstance(self._source, Topic) and self._position is None:
            table = yield from self._first_in_order_steps(self._source, table, is_last=is_last)
        self._note_dropped(table)
        if self.left is not None:
            table = table.slice(0, self.left)
            self.left -= table.num_rows
        self.ended = is_last or self.left == 0
        if not self.ended:
            _check_next(page, self._position)
        self._position = page.next
        return _plain(table, metadata=self.metadata)

    def batch_steps(self) -> Steps[list[RecordBatch]]:
        """Get the rows of the next page as record batches; none where it has no rows."""
        table = yield from self.table_steps()
        return [batch for batch in table.combine_chunks().to_batches() if batch.num_rows]

    def _first_in_order_steps(self, topic: Topic, table: Table, *, is_last: bool) -> Steps[Table]:
        """Return the first page of a topic, reversed where the instance knows no order but that of the oldest releases.

        Such a page begins with the oldest row.
        """
        if not table.num_rows or (is_last and table.num_rows == 1):
            return table
        oldest = yield from topic.page_steps(replace(self.span, newest_first=False), 1, None)
        if _first_row(oldest.table) != _first_row(table):
            return table
        if is_last:
            return table.take(pa.array(range(table.num_rows - 1, -1, -1)))
        raise InvalidDataError(
            "This instance gives the oldest rows first, whatever order is asked for.",
            advice="Ask for them so: newest_first=False in Python, --oldest-first on the command line.",
        )

    def _note_dropped(self, table: Table) -> None:
        """Log a warning of columns that the instance left out of some rows, since a row was too large for its log."""
        if _DROPPED not in table.column_names:
            return
        found = {str(name) for name in _items(table.column(_DROPPED))} - self._dropped
        if found:
            self._dropped |= found
            logger.warning(
                "The log has rows without %s: they were too large for the instance to keep.", ", ".join(sorted(found))
            )


def _first_row(table: Table) -> str:
    """Return the first row as text, so that NaN equals NaN."""
    return repr(table.slice(0, 1).to_pylist())


def _items(lists: Any) -> Iterable[Any]:
    return [] if pa.types.is_null(lists.type) else pc.unique(pc.list_flatten(lists)).drop_null().to_pylist()


def _is_last(page: Page) -> bool:
    """Return whether no row follows a page, by what the instance says of it or, where it says nothing, by the page."""
    if page.status is None:
        return page.next is None or not page.table.num_rows
    return page.status == _ALL


def _check_next(page: Page, position: Any) -> None:
    """Check that a page at a position leads to another one.

    Raises:
        ContractViolationError: It does not, so that rows would be missing.
    """
    problem = f"it is {page.status}, so that rows follow, and nothing leads to them"
    if page.next is not None:
        if page.next != position:
            return
        problem = "it leads to the same page again"
    raise contract_violation(page.operation, page.response, problem)


def _plain(table: Any, *, metadata: bool) -> Table:
    """Return rows with the same fields on every page: whether one may be null, an instance tells by the page's rows."""
    kept = [field for field in table.schema if metadata or not field.name.startswith(_METADATA)]
    columns = [table.column(field.name) for field in kept]
    return pa.Table.from_arrays(columns, schema=pa.schema([pa.field(field.name, field.type) for field in kept]))


def pages_of(
    pipeline: object,
    start: Time | None,
    end: Time | None,
    limit: int | None,
    *,
    newest_first: bool,
    metadata: bool,
    workspace: int | str | None,
) -> Pages:
    """Return the pages of a log; see `pipeline_logs`.

    Raises:
        InvalidDataError: A time cannot be read, the end is before the start, or the limit is below 1.
    """
    span = Span(*read_span(start, end), newest_first)
    return Pages(pipeline, workspace, span, read_limit(limit, "rows"), metadata)
