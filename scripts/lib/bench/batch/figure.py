"""Draws rows a second by requests in flight; a module of its own because it imports matplotlib."""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING, Any

from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator

from wallaroo_ext._util.files.atomic_files import write_atomically

if TYPE_CHECKING:
    from pathlib import Path

Grid = dict[int | None, dict[int, float]]
"""Rows a second, by the rows of a request and by the requests in flight."""

# Colours that everybody can tell apart (Okabe and Ito); the shapes serve without colours.
_STYLES = (("#0072B2", "o"), ("#E69F00", "^"), ("#009E73", "s"), ("#CC79A7", "D"), ("#000000", "*"))
_MILLION, _THOUSAND = 1e6, 1e3


def draw(grid: Grid, file: Path) -> None:
    """Draw a line for each request size, in the format that the file's suffix names.

    Args:
        grid: Rows a second, by the rows of a request and by the requests in flight.
        file: The file.
    """
    figure: Any = Figure(figsize=(8.4, 4.2), layout="constrained", facecolor="white")
    axes = figure.subplots()
    for (size, rates), (colour, shape) in zip(grid.items(), _STYLES, strict=False):
        name = "adaptive" if size is None else f"{size:,} rows a request"
        axes.plot(list(rates), list(rates.values()), color=colour, marker=shape, label=name, linewidth=1.6)
    numbers = sorted({number for rates in grid.values() for number in rates})
    axes.set_xscale("log", base=2)
    axes.set_xticks(numbers, [str(number) for number in numbers])
    axes.xaxis.set_minor_locator(NullLocator())
    axes.set_ylim(bottom=0)
    axes.yaxis.set_major_formatter(_format_rows)
    axes.set_xlabel("requests in flight")
    axes.set_ylabel("rows a second")
    axes.set_title("infer_batches on a sandbox, 29 float32 a row", loc="left", fontsize=11)
    axes.grid(visible=True, axis="y", color="#dddddd", linewidth=0.8)
    axes.spines[["top", "right"]].set_visible(False)
    figure.legend(loc="outside right upper", frameon=False, fontsize=9)
    picture = BytesIO()
    figure.savefig(picture, format=file.suffix[1:] or "png")
    write_atomically(file.resolve(), picture.getvalue())


def _format_rows(value: float, _: object = None) -> str:
    if value >= _MILLION:
        return f"{value / _MILLION:g} million"
    return f"{value / _THOUSAND:,.0f},000" if value else "0"
