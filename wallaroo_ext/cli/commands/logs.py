"""`wallaroo-ext logs`: the rows that a pipeline scored."""

from __future__ import annotations

from contextlib import closing
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter
from cyclopts.validators import Number

from wallaroo_ext._util.quantities import format_count
from wallaroo_ext.cli import signals
from wallaroo_ext.cli.completion import PipelineName, Workspace
from wallaroo_ext.cli.options import DEFAULT_OPTIONS, Options
from wallaroo_ext.cli.parameters import OUTPUT_FILE, parse_workspace
from wallaroo_ext.cli.printing import output, progress
from wallaroo_ext.cli.printing.output_files import check_output
from wallaroo_ext.cli.printing.tables import SHOWN_ROWS

if TYPE_CHECKING:
    from collections.abc import Generator

    import pyarrow as pa

_FLAG = Parameter(negative=(), show_default=False)
_Time = Annotated[str | None, Parameter(show_default=False)]


def logs(
    pipeline: PipelineName,
    /,
    *,
    start: _Time = None,
    end: _Time = None,
    limit: Annotated[int | None, Parameter(validator=Number(gte=1))] = None,
    oldest_first: Annotated[bool, _FLAG] = False,
    metadata: Annotated[bool, _FLAG] = False,
    output_file: Annotated[Path | None, Parameter(name="--output"), OUTPUT_FILE] = None,
    workspace: Workspace = None,
    options: Options = DEFAULT_OPTIONS,
) -> None:
    """Show the rows that a pipeline scored, with their outputs, the newest first; or write them to a file.

    On a terminal it prints a few rows; otherwise all of them as JSON, one on each line.

    For example: `wallaroo-ext logs tumours --start 2023-01-01 --output january.parquet`

    Args:
        pipeline: The pipeline's name.
        start: The earliest time of a row, such as 2023-01-31 or 2023-01-31T12:00:00Z; in UTC if it has no time zone.
        end: The time before which rows were scored.
        limit: How many rows to get at most; on a terminal 10, without --output.
        oldest_first: Get the oldest rows first; they are all that 2022.4 and 2023.1 give in order.
        metadata: Get the columns with metadata, too: how each row was scored.
        output_file: A file for the rows: .csv, .parquet, .arrow or .jsonl.
        workspace: The pipeline's workspace, by its name or its id; all that the user sees are searched by default.
        options: The instance, and how to answer.
    """
    from wallaroo_ext.logs.pipeline_logs import pipeline_log_batches

    with options.report_errors():
        if output_file is not None:
            from wallaroo_ext.cli.printing.row_files import ENDINGS

            check_output(output_file, ENDINGS)
        is_shown = output_file is None and output.is_terminal() and not options.json
        with options.connect() as client:
            batches = pipeline_log_batches(
                client,
                pipeline,
                start=start,
                end=end,
                limit=SHOWN_ROWS + 1 if is_shown and limit is None else limit,
                newest_first=not oldest_first,
                metadata=metadata,
                workspace=parse_workspace(workspace),
            )
            with closing(batches):
                if output_file is not None:
                    _write(batches, output_file, machine=options.json)
                elif is_shown:
                    _show(batches, limit)
                else:
                    _print(batches)


def _write(batches: Generator[pa.RecordBatch], file: Path, *, machine: bool) -> None:
    from wallaroo_ext.cli.printing.row_files import writing_rows

    count = 0
    with (
        signals.note_on_interrupt(lambda: f"Interrupted: {count:,} rows were read; nothing was written to {file}."),
        progress.show_reading(quiet=machine) as show,
        writing_rows(file) as write,
    ):
        for batch in batches:
            write(batch)
            count += batch.num_rows
            show(count)
    if machine:
        output.print_line(output.to_json({"output": str(file), "rows": count}, machine=True))
    else:
        output.print_note(f"{format_count(count, 'row')} of the log {'is' if count == 1 else 'are'} in {file}.")


def _print(batches: Generator[pa.RecordBatch]) -> None:
    """Print all rows as JSON, one on each line."""
    from wallaroo_ext.cli.printing.output_rows import json_records

    arrow: Any = import_module("pyarrow")
    for batch in batches:
        for record in json_records(arrow.Table.from_batches([batch])):
            output.print_json(record)


def _show(batches: Generator[pa.RecordBatch], limit: int | None) -> None:
    """Print a table of the first rows."""
    from wallaroo_ext.cli.printing.output_rows import show_logged

    arrow: Any = import_module("pyarrow")
    tables = [arrow.Table.from_batches([batch]) for batch in batches]
    if not tables:
        output.print_note("The log has no rows in this time.")
        return
    table = arrow.concat_tables(tables, promote_options="permissive")
    show_logged(table if limit is not None else table.slice(0, SHOWN_ROWS))
    if limit is None and table.num_rows > SHOWN_ROWS:
        output.print_note("… and more rows; --limit N shows more, --output FILE or --json gives them all.")
