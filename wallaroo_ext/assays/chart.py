"""A chart of an assay's scores over its windows; needs the extra `charts`, for matplotlib."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from wallaroo_ext._util.times import read_time
from wallaroo_ext.errors import ConfigurationError, InvalidDataError

if TYPE_CHECKING:
    import pyarrow as pa

    from wallaroo_ext.assays.figure import AssayFigure
    from wallaroo_ext.inference.inputs.rows import Rows

Bins = Literal["last", "worst"]

_TIMES = ("window_start", "window_end")
_NEEDED = ("window_start", "score", "status")


def assay_chart(results: Rows, *, title: str | None = None, bins: Bins | None = None) -> AssayFigure:
    """Draw the scores of an assay over its windows, with its thresholds.

    The status of a window is its marker's colour and shape: a blue circle for `Ok`, an orange triangle for `Warning`, a
    red diamond for `Alert`, a grey cross for any other. Times without windows are grey bands, in which the line is
    broken. Where a score is far above the thresholds, the scale is logarithmic above the alert's, and says so.

        assay_chart(assay_results(client, assay_id)).save("drift.png")

    Args:
        results: What `assay_results` gave, as it is or as a data frame.
        title: The line above the chart; by default what the assay watches, and its metric.
        bins: Adds the distribution of one window beside the baseline's: of the `last` window, or of the `worst`, the
            one with the highest score.

    Returns:
        A figure of matplotlib, which notebooks show, with `save(path)`. It is no figure of pyplot: nothing has to be
        closed, and no screen is needed.

    Raises:
        ConfigurationError: matplotlib is not installed.
        InvalidDataError: The results have no window with a score, lack a column, have something else than times, or are
            of several fields.
    """
    from wallaroo_ext.inference.inputs.rows import to_table

    if bins not in {None, "last", "worst"}:
        raise InvalidDataError(f"`bins` is the window to show, 'last' or 'worst', not {bins!r}.")
    windows = _windows(to_table(results))
    try:
        from wallaroo_ext.assays.figure import AssayFigure
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] != "matplotlib":
            raise
        raise ConfigurationError("Charts need matplotlib: pip install 'wallaroo-ext[charts]'.") from error
    return AssayFigure(windows, title=title, bins=bins)


def _windows(table: pa.Table) -> list[dict[str, Any]]:
    """Return the windows that have a score, in the order of their times, which are in UTC."""
    for name in _NEEDED:
        if name not in table.column_names:
            raise InvalidDataError(f"The results have no column {name!r}.", advice="`assay_results` gives them.")
    rows = [row | {name: read_time(name, row.get(name)) for name in _TIMES} for row in table.to_pylist()]
    windows = [row for row in rows if row["window_start"] is not None and _is_number(row["score"])]
    if not windows:
        what = "no windows yet" if not rows else "no window with a score"
        raise InvalidDataError(f"There is nothing to draw: the assay has {what}.")
    fields = sorted({str(row["iopath"]) for row in windows if row.get("iopath") is not None})
    if len(fields) > 1:
        advice = 'Keep the rows of one: results.filter(pyarrow.compute.field("iopath") == …).'
        raise InvalidDataError(f"A chart shows one field, and these results have {', '.join(fields)}.", advice=advice)
    return sorted(windows, key=lambda row: row["window_start"])


def _is_number(value: Any) -> bool:
    return value is not None and abs(value) < float("inf")
