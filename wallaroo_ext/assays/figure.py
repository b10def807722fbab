"""The drawing of an assay's scores. It imports matplotlib, so it is imported only where a chart is drawn."""

from __future__ import annotations

from datetime import UTC, timedelta
from io import BytesIO
from itertools import pairwise
from textwrap import fill
from typing import TYPE_CHECKING, Any, cast

from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from wallaroo_ext._util.files.atomic_files import write_atomically
from wallaroo_ext._util.files.user_paths import names_directory, user_path
from wallaroo_ext._util.json_values import list_of
from wallaroo_ext.assays.chart_files import ENDINGS
from wallaroo_ext.errors import InvalidDataError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from os import PathLike

Window = dict[str, Any]
Axes = Any  # matplotlib's own types leave most of what its methods take open

# Colours that people with any kind of colour vision tell apart (Okabe and Ito); the shapes tell them apart without.
_STATUSES = {"Ok": ("#0072B2", "o"), "Warning": ("#E69F00", "^"), "Alert": ("#D55E00", "D")}
_OTHER = ("#777777", "X")
_INK, _FAINT, _BAND = "#333333", "#b8bec4", "#eef0f2"
_THRESHOLDS = (("warning", "warning_threshold", "#9c6b00", (0, (2, 2))), ("alert", "alert_threshold", "#b03a00", "--"))
_FAR_ABOVE = 20
_GAP = 1.5
_MANY_WINDOWS = 80
_MANY_BINS = 8
_LINE_LENGTH = 80
_LINE = 0.09

# Of years, months, days, hours, minutes and seconds: a tick, and the tick where a larger unit begins.
_TICKS = ["%Y", "%b", "%d %b", "%H:%M", "%H:%M", "%S.%f"]
_TURNS = ["", "%Y", "%d %b", "%d %b", "%H:%M", "%H:%M"]
_DPI = 150


class AssayFigure(Figure):
    """A chart of an assay.

    Args:
        windows: The rows of `assay_results`, in the order of their times.
        title: The line above it.
        bins: Which window's distribution is shown beside the baseline's; None for none.
    """

    def __init__(self, windows: Sequence[Window], *, title: str | None, bins: str | None) -> None:
        super().__init__(figsize=(8.0, 3.2 if bins is None else 5.2), layout="constrained", facecolor="white")  # pyright: ignore[reportUnknownMemberType] - matplotlib leaves its options open
        ratios = [1] if bins is None else [3, 2]
        panels: Any = self.subplots(len(ratios), squeeze=False, height_ratios=ratios)
        _draw_scores(panels[0][0], windows, _default_title(windows) if title is None else title)
        if bins is not None:
            shown = windows[-1] if bins == "last" else max(windows, key=lambda window: window["score"])
            _draw_bins(panels[1][0], shown, bins)

    def save(self, path: str | PathLike[str]) -> None:
        """Write the chart to a file, whole or not at all, in the form of its ending: `.png`, `.svg` or `.pdf`.

        Raises:
            InvalidDataError: Its name is that of a directory, or has another ending.
            OSError: It cannot be written there.
        """
        named = user_path(path)
        if not named.name or names_directory(path):
            raise InvalidDataError(f"{named} is a directory: name a file in it.")
        file = named if named.suffix else named.with_name(f"{named.name}.png")
        if file.suffix.lower() not in ENDINGS:
            raise InvalidDataError(f"A chart is written as {', '.join(ENDINGS)}, and {named} has another ending.")
        chart = BytesIO()
        cast("Any", self).savefig(chart, format=file.suffix[1:].lower(), dpi=_DPI)
        write_atomically(file.resolve(), chart.getvalue())

    def _repr_png_(self) -> bytes:
        """Return what a notebook shows."""
        image = BytesIO()
        cast("Any", self).savefig(image, format="png", dpi=_DPI / 1.5)
        return image.getvalue()


def _default_title(windows: Sequence[Window]) -> str:
    last = windows[-1]
    assay = last.get("assay_id")
    parts = [None if assay is None else f"Assay {assay}", last.get("iopath"), last.get("metric")]
    return " · ".join(str(part) for part in parts if part) or "Assay"


def _draw_scores(axes: Axes, windows: Sequence[Window], title: str) -> None:
    """Draw the scores with their thresholds."""
    _tidy(axes)
    _draw_runs(axes, windows)
    _draw_markers(axes, windows)
    _draw_gaps(axes, windows)
    limits = [
        (label, colour, levels[-1])
        for label, name, colour, style in _THRESHOLDS
        if (levels := _draw_threshold(axes, windows, name, colour, style))
    ]
    _scale(axes, windows, [level for _, _, level in limits])
    _label_thresholds(axes, limits)
    _draw_times(axes, windows)
    _head(axes, title)


def _head(axes: Axes, title: str) -> None:
    """Put the title, and below it the legend in one line, where neither hides anything; a dollar begins no formula."""
    axes.set_title(fill(title, _LINE_LENGTH), loc="left", fontsize=10, color=_INK, pad=20, parse_math=False)
    legend = axes.legend(
        loc="lower left",
        bbox_to_anchor=(0.0, 1.0),
        ncols=6,
        frameon=False,
        fontsize=8,
        labelcolor=_INK,
        handlelength=1.2,
        handletextpad=0.4,
        columnspacing=1.4,
        borderpad=0.0,
        borderaxespad=0.5,
    )
    for text in legend.get_texts():
        text.set_parse_math(False)


def _tidy(axes: Axes) -> None:
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color(_FAINT)
    axes.tick_params(labelsize=8, colors=_INK)
    axes.yaxis.grid(visible=True, color=_BAND, zorder=0)
    axes.set_axisbelow(True)


def _draw_runs(axes: Axes, windows: Sequence[Window]) -> None:
    """Draw a line through consecutive windows, broken where windows are missing."""
    usual, begin = _interval(windows), 0
    for place in range(1, len(windows) + 1):
        if place == len(windows) or _is_gap(windows[place - 1], windows[place], usual):
            run = windows[begin:place]
            times, scores = [window["window_start"] for window in run], [window["score"] for window in run]
            axes.plot(times, scores, color=_FAINT, linewidth=_thin(windows), zorder=2)
            begin = place


def _draw_gaps(axes: Axes, windows: Sequence[Window]) -> None:
    """Draw a band where windows are missing."""
    usual, label = _interval(windows), "no window"
    for before, after in pairwise(windows):
        if usual is not None and _is_gap(before, after, usual):
            begin, end = before["window_start"] + usual / 2, after["window_start"] - usual / 2
            axes.axvspan(begin, end, color=_BAND, zorder=0, label=label)
            label = None  # the legend says it once


def _thin(windows: Sequence[Window]) -> float:
    """Return the width of a line through these windows, in points."""
    return 1.0 if len(windows) <= _MANY_WINDOWS else 0.6


def _interval(windows: Sequence[Window]) -> timedelta | None:
    """Return the time between windows that follow one another; None where there is only one."""
    starts = [window["window_start"] for window in windows]
    distances = [after - before for before, after in pairwise(starts) if after > before]
    return min(distances) if distances else None


def _is_gap(before: Window, after: Window, usual: timedelta | None) -> bool:
    return usual is not None and after["window_start"] - before["window_start"] > _GAP * usual


def _draw_markers(axes: Axes, windows: Sequence[Window]) -> None:
    """Draw the windows by status; the legend counts them."""
    size = 30 if len(windows) <= _MANY_WINDOWS else 12
    present = list(dict.fromkeys(window["status"] for window in windows))
    ordered = [status for status in _STATUSES if status in present]
    for status in ordered + [other for other in present if other not in _STATUSES]:
        colour, shape = _STATUSES.get(status, _OTHER)
        shown = [window for window in windows if window["status"] == status]
        axes.scatter(
            [window["window_start"] for window in shown],
            [window["score"] for window in shown],
            s=size,
            c=colour,
            marker=shape,
            linewidths=0.4,
            edgecolors="white",
            zorder=4 if status == "Alert" else 3,
            clip_on=False,
            label=f"{status} ({len(shown)})",
        )


def _draw_threshold(axes: Axes, windows: Sequence[Window], name: str, colour: str, style: Any) -> list[float]:
    """Draw the line of a threshold, which may have been changed between windows, and return its levels."""
    known = [window for window in windows if window.get(name) is not None]
    levels = [float(window[name]) for window in known]
    if len(set(levels)) == 1:
        axes.axhline(levels[0], color=colour, linestyle=style, linewidth=1.1, zorder=1)
    elif levels:
        times = [window["window_start"] for window in known]
        axes.step(times, levels, where="post", color=colour, linestyle=style, linewidth=1.1, zorder=1)
    return levels


def _scale(axes: Axes, windows: Sequence[Window], levels: Sequence[float]) -> None:
    """Set limits that show the thresholds and all scores, on a logarithmic scale where scores are far above."""
    scores = [window["score"] for window in windows]
    top, bottom, reference = max([*scores, *levels]), min(0.0, *scores), max(levels, default=0.0)
    label = "score"
    if reference > 0 and top > _FAR_ABOVE * reference:
        axes.set_yscale("symlog", linthresh=reference, linscale=0.8)
        label = f"score (log above {reference:g})"
        axes.set_ylim(bottom, top * 2)
    else:
        axes.set_ylim(bottom, bottom + ((top - bottom) or 1.0) * 1.12)
        axes.yaxis.set_major_locator(MaxNLocator(5))
    axes.set_ylabel(label, fontsize=8, color=_INK)


def _label_thresholds(axes: Axes, limits: Sequence[tuple[str, str, float]]) -> None:
    """Write the names of the thresholds at the right, apart from each other."""
    heights = [_height(axes, level) for _, _, level in limits]
    close = len(heights) == 2 and abs(heights[0] - heights[1]) < _LINE  # noqa: PLR2004 - two thresholds
    order = sorted(range(len(limits)), key=lambda place: heights[place])
    for place, (label, colour, level) in enumerate(limits):
        shift = 0 if not close else (5 if order[-1] == place else -5)
        axes.annotate(
            f"{label} {level:g}",
            xy=(1.0, level),
            xycoords=axes.get_yaxis_transform(),
            xytext=(6, shift),
            textcoords="offset points",
            va="center",
            fontsize=8,
            color=colour,
            annotation_clip=False,
        )


def _height(axes: Axes, level: float) -> float:
    """Return where a level is on the axis, from 0 to 1."""
    return axes.transAxes.inverted().transform(axes.transData.transform((0, level)))[1]


def _draw_times(axes: Axes, windows: Sequence[Window]) -> None:
    """Label the axis with short times, from hours to years."""
    starts: list[datetime] = [window["window_start"] for window in windows]
    if len(set(starts)) == 1:
        width = (windows[0].get("window_end") or starts[0]) - starts[0] or timedelta(days=1)
        axes.set_xlim(starts[0] - width, starts[0] + width)
    else:
        axes.margins(x=0.02)
    locator = AutoDateLocator(tz=UTC, minticks=3, maxticks=8)
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(ConciseDateFormatter(locator, UTC, _TICKS, _beside(starts), _TURNS))
    axes.xaxis.get_offset_text().set(size=8, color=_INK)
    axes.set_xlabel("start of the window, UTC", fontsize=8, color=_INK)


def _beside(starts: Sequence[datetime]) -> list[str]:
    """Return the texts beside the axis, for ticks of years, months, days, hours, minutes and seconds."""
    day = f"{starts[0]:%d %b %Y}" if starts[0].date() == starts[-1].date() else "%Y"
    return ["", "%Y", "%Y", day, day, day]


def _draw_bins(axes: Axes, window: Window, which: str) -> None:
    """Draw the distribution of a window beside the baseline's, with a pair of bars for each bin.

    An assay of the second version has the baseline with it, and not with its results.
    """
    _tidy(axes)
    baseline, values = (list_of(window.get(f"{side}_values")) for side in ("baseline", "window"))
    places = range(max(len(baseline), len(values)))
    if baseline:
        lefts = [place - 0.2 for place in range(len(baseline))]
        axes.bar(lefts, baseline, 0.38, color=_FAINT, label="baseline", zorder=2)
    colour = _STATUSES.get(window["status"], _OTHER)[0]
    axes.bar([place + 0.2 for place in range(len(values))], values, 0.38, color=colour, label="window", zorder=2)
    names = _bin_names(window, len(places))
    many = len(names) > _MANY_BINS
    axes.set_xticks(list(places), names, fontsize=8, rotation=45 if many else 0, ha="right" if many else "center")
    axes.tick_params(axis="x", length=0)
    axes.set_ylabel(str(window.get("aggregation") or "value").lower(), fontsize=8, color=_INK, parse_math=False)
    axes.yaxis.set_major_locator(MaxNLocator(4))
    start: datetime = window["window_start"]
    _head(axes, f"The {which} window: {start:%Y-%m-%d %H:%M} UTC, {window['status']}, score {window['score']:.3g}")


def _bin_names(window: Window, count: int) -> list[str]:
    """Return the bins by the values that they hold, as far as the edges are known."""
    edges = list_of(window.get("baseline_edges")) or list_of(window.get("window_edges"))
    names: list[str] = []
    for place in range(count):
        below = edges[place - 1] if 0 < place <= len(edges) else None
        above = edges[place] if place < len(edges) else None
        if above is not None:
            names.append(f"≤ {above:.3g}")
        else:
            names.append(f"> {below:.3g}" if below is not None else str(place + 1))
    return names
