"""`wallaroo-ext assay`: the results of an assay, as a table or a chart."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import App, Parameter
from cyclopts.validators import Number

from wallaroo_ext._util.quantities import format_count
from wallaroo_ext.cli.options import DEFAULT_OPTIONS, Options
from wallaroo_ext.cli.parameters import OUTPUT_FILE
from wallaroo_ext.cli.printing import output
from wallaroo_ext.cli.printing.output_files import check_output
from wallaroo_ext.cli.printing.tables import Column, format_numbers, format_times, show_table

if TYPE_CHECKING:
    import pyarrow as pa

assay = App(name="assay", help="Show what an assay found.")
_ENDINGS = (".png", ".svg", ".pdf")
_NUMBERS = {"score": "score", "warning_threshold": "warning", "alert_threshold": "alert"}

_Time = Annotated[str | None, Parameter(show_default=False)]
_Limit = Annotated[int | None, Parameter(validator=Number(gte=1))]


@assay.command
def results(
    assay_id: int | str,
    /,
    *,
    start: _Time = None,
    end: _Time = None,
    limit: _Limit = None,
    options: Options = DEFAULT_OPTIONS,
) -> None:
    """Show the windows of an assay with their scores, the oldest first.

    With --json, each window has its distributions, too.

    For example: `wallaroo-ext assay results 5 --start 2023-01-01`

    Args:
        assay_id: The assay's id: a number, or a UUID.
        start: The first time that a window may begin at, such as 2023-01-31 or 2023-01-31T12:00:00Z.
        end: The time that windows begin before.
        limit: How many windows to show at most, the newest.
        options: The instance, and how to answer.
    """
    with options.report_errors():
        found = _results(assay_id, start, end, limit, options)
        if options.json:
            from wallaroo_ext.cli.printing.output_rows import to_json_value

            output.print_line(output.to_json(to_json_value(found.to_pylist()), machine=True))
        elif found.num_rows == 0:
            output.print_note("The assay has no windows in this time.")
        else:
            _show(found)


@assay.command
def chart(
    assay_id: int | str,
    /,
    *,
    output_file: Annotated[Path, Parameter(name="--output"), OUTPUT_FILE],
    start: _Time = None,
    end: _Time = None,
    limit: _Limit = None,
    title: str | None = None,
    bins: Literal["last", "worst"] | None = None,
    options: Options = DEFAULT_OPTIONS,
) -> None:
    """Draw the scores of an assay over its windows, with its thresholds.

    It needs the extra `charts`.

    For example: `wallaroo-ext assay chart 5 --output drift.png`

    Args:
        assay_id: The assay's id: a number, or a UUID.
        output_file: The file for the chart: .png, .svg or .pdf.
        start: The first time that a window may begin at, such as 2023-01-31 or 2023-01-31T12:00:00Z.
        end: The time that windows begin before.
        limit: How many windows to draw at most, the newest.
        title: The line above the chart.
        bins: Adds the distribution of one window beside the baseline's: of the last one, or of the worst.
        options: The instance, and how to answer.
    """
    with options.report_errors():
        check_output(output_file, _ENDINGS)
        from wallaroo_ext.assays.chart import assay_chart

        found = _results(assay_id, start, end, limit, options)
        figure = assay_chart(found, title=title, bins=bins)
        figure.save(output_file)
        if options.json:
            output.print_line(output.to_json({"output": str(output_file), "windows": found.num_rows}, machine=True))
        else:
            output.print_note(f"The chart of {format_count(found.num_rows, 'window')} is in {output_file}.")


def _results(assay_id: int | str, start: str | None, end: str | None, limit: int | None, options: Options) -> pa.Table:
    from wallaroo_ext.assays.results import assay_results

    with options.connect() as client:
        return assay_results(client, assay_id, start, end, limit)


def _show(found: pa.Table) -> None:
    """Print the windows; where several fields are watched, each has a row, which names it."""
    rows = found.to_pydict()
    fields = ["-" if field is None else str(field) for field in rows["iopath"]]
    show_table(
        [
            Column("window (UTC)", format_times(rows["window_start"])),
            *([Column("field", fields)] if len(set(fields)) > 1 else []),
            Column("values", [_format_value_count(value) for value in rows["window_count"]], right=True),
            *(Column(title, format_numbers(rows[name]), right=True) for name, title in _NUMBERS.items()),
            Column("status", [str(value) for value in rows["status"]], states=True),
        ]
    )


def _format_value_count(value: int | None) -> str:
    return "-" if value is None else f"{value:,}"
