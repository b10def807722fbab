"""Does the chart show every window, status, threshold and gap, so that all of it can be read?"""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from functools import cache, partial
from itertools import combinations, pairwise
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import pyarrow as pa
import pytest
from wallaroo_mlops_client.models import AssayResult

from wallaroo_ext import ConfigurationError, InvalidDataError, assay_chart
from wallaroo_ext.assays.results import results_table

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
START = datetime(2023, 1, 2, 5, tzinfo=UTC)
SCORES = [0.02, 0.037, 0.07, 0.13, 0.04]
EDGES = [12.0, 12.5, 12.8, 13.0, 13.2, 14.1, None]


def windows(
    scores: list[float],
    *,
    every: timedelta = DAY,
    without: set[int] | None = None,
    warning: float | None = 0.05,
    **changes: Any,
) -> pa.Table:
    """Return the results of consecutive windows, without those that are left out."""
    rows: list[dict[str, Any]] = []
    for place, score in enumerate(scores):
        if place in (without or set()):
            continue
        start = START + place * every
        summary = {"aggregated_values": [0, 0.2, 0.2, 0.2, 0.2, 0.2, 0], "edges": EDGES, "aggregation": "Density"}
        reached = 0 if warning is None or score <= warning else 1
        row = {
            "assay_id": 5,
            "window_start": start.isoformat(),
            "iopath": "output dense_2 0",
            "score": score,
            "status": "Alert" if score > 0.1 else ("Ok", "Warning")[reached],
            "warning_threshold": warning,
            "alert_threshold": 0.1,
            "baseline_summary": summary,
            "window_summary": summary | {"start": start.isoformat(), "end": (start + every).isoformat()},
            "summarizer": {"metric": "PSI"},
        }
        rows.append(row | changes)
    return results_table([AssayResult.from_dict(row) for row in rows])


MANY = list(np.abs(np.random.default_rng(5).normal(0.04, 0.03, 300)))
KINDS: dict[str, Callable[[], pa.Table]] = {
    "five windows": partial(windows, SCORES),
    "three hundred": partial(windows, MANY, without=set(range(100, 130)) | {200}),
    "hours": partial(windows, SCORES * 5, every=HOUR),
    "months": partial(windows, SCORES * 3, every=30 * DAY),
    "one window": partial(windows, [0.13]),
    "all Ok": partial(windows, [0.01, 0.02, 0.015]),
    "all zero": partial(windows, [0.0, 0.0, 0.0]),
    "no warning": partial(windows, SCORES, warning=None),
    "close thresholds": partial(windows, SCORES, warning=0.098),
    "a huge score": partial(windows, [*SCORES, 2500.0], warning=0.08),
    "no thresholds": partial(windows, SCORES, warning=None, alert_threshold=None),
    "an unknown status": partial(windows, SCORES, status="Later"),
    "a long path": partial(windows, SCORES, iopath="output " + "a_very_long_name_of_an_output_" * 4 + " 0"),
}


@cache
def table_of(kind: str) -> pa.Table:
    return KINDS[kind]()


def drawn(figure: Any) -> Any:
    """Return the figure, laid out as it is when it is saved."""
    figure.draw_without_rendering()
    return figure


def texts(figure: Any) -> list[Any]:
    """Return all visible texts."""
    from matplotlib.text import Text

    return [text for text in figure.findobj(Text) if text.get_visible() and text.get_text().strip()]


def labels(axes: Any) -> list[str]:
    """Return what the legend says."""
    return [text.get_text() for text in axes.get_legend().get_texts()]


class TestReadable:
    @pytest.mark.parametrize(("kind", "bins"), [*((kind, None) for kind in KINDS), ("a huge score", "worst")])
    def test_no_text_is_clipped_and_none_lies_on_another(self, kind: str, bins: Any) -> None:
        figure = drawn(assay_chart(table_of(kind), bins=bins))
        page = figure.bbox.padded(1)
        boxes = [(text.get_text(), text.get_window_extent()) for text in texts(figure)]
        shown = [(text, box) for text, box in boxes if box.overlaps(page)]
        for text, box in shown:
            assert page.x0 <= box.x0, text
            assert box.x1 <= page.x1, text
            assert page.y0 <= box.y0, text
            assert box.y1 <= page.y1, text
        for (one, first), (other, second) in combinations(shown, 2):
            assert not first.padded(-1).overlaps(second.padded(-1)), (one, other)

    @pytest.mark.parametrize("ending", ["png", "svg", "pdf"])
    def test_it_is_saved_in_the_form_of_its_ending(self, tmp_path: Path, ending: str) -> None:
        assay_chart(table_of("five windows")).save(tmp_path / f"drift.{ending}")
        begin = (tmp_path / f"drift.{ending}").read_bytes()[:5]
        assert begin == {"png": b"\x89PNG\r", "svg": b"<?xml", "pdf": b"%PDF-"}[ending]

    def test_notebooks_show_it(self) -> None:
        assert cast("Any", assay_chart(table_of("five windows")))._repr_png_().startswith(b"\x89PNG")

    def test_pyplot_and_screens_have_no_part_in_it(self) -> None:
        program = (
            "import sys, datetime, pyarrow as pa; from wallaroo_ext import assay_chart; "
            "windows = {'window_start': [datetime.datetime(2023, 1, 1)], 'score': [1.0], 'status': ['Ok']}; "
            "assay_chart(pa.table(windows))._repr_png_(); sys.exit('matplotlib.pyplot' in sys.modules)"
        )
        without_a_screen = {name: value for name, value in os.environ.items() if name != "DISPLAY"}
        subprocess.run([sys.executable, "-c", program], check=True, env=without_a_screen | {"MPLBACKEND": "tkagg"})


class TestScores:
    def test_each_status_has_its_colour_and_its_shape(self) -> None:
        axes = drawn(assay_chart(table_of("five windows"))).axes[0]
        assert labels(axes) == ["Ok (3)", "Warning (1)", "Alert (1)"]
        points = {points.get_label(): points for points in axes.collections}
        assert len({tuple(found.get_facecolor()[0]) for found in points.values()}) == 3
        assert len({found.get_paths()[0].vertices.tobytes() for found in points.values()}) == 3
        assert [row[1] for row in points["Ok (3)"].get_offsets()] == [0.02, 0.037, 0.04]

    def test_an_unknown_status_is_shown_by_its_name(self) -> None:
        assert labels(assay_chart(table_of("an unknown status")).axes[0]) == ["Later (5)"]

    def test_the_line_is_broken_where_windows_are_missing(self) -> None:
        axes: Any = drawn(assay_chart(table_of("three hundred"))).axes[0]
        runs = [line.get_xdata() for line in axes.lines if len(line.get_xdata()) > 2]
        assert [len(run) for run in runs] == [100, 70, 99]
        assert all(after - before == DAY for run in runs for before, after in pairwise(run))
        assert len(axes.patches) == 2
        assert "no window" in labels(axes)

    def test_windows_that_follow_one_another_are_one_line(self) -> None:
        axes: Any = assay_chart(table_of("hours")).axes[0]
        assert [len(line.get_xdata()) for line in axes.lines if len(line.get_xdata()) > 2] == [25]
        assert not axes.patches

    def test_a_row_a_window_in_any_order_and_as_a_data_frame(self) -> None:
        table = table_of("five windows")
        frame = cast("Any", table).to_pandas()
        for data in (table.take([3, 1, 0, 4, 2]), frame):
            line = assay_chart(data).axes[0].lines[0]
            assert list(cast("Any", line.get_ydata())) == SCORES

    def test_what_has_no_score_is_left_out(self) -> None:
        table = pa.concat_tables([windows([0.01, 0.2]), windows([float("nan")])])
        assert labels(assay_chart(table).axes[0]) == ["Ok (1)", "Alert (1)"]


class TestThresholds:
    def captions(self, figure: Any) -> list[str]:
        return [text.get_text() for text in figure.axes[0].texts]

    def test_they_are_lines_with_their_names(self) -> None:
        figure = assay_chart(table_of("five windows"))
        assert self.captions(figure) == ["warning 0.05", "alert 0.1"]
        levels = [line.get_ydata() for line in figure.axes[0].lines if line.get_linestyle() != "-"]
        assert [list(cast("Any", level)) for level in levels] == [[0.05, 0.05], [0.1, 0.1]]

    def test_a_line_has_the_colour_of_its_name(self) -> None:
        axes = assay_chart(table_of("five windows")).axes[0]
        colours = [line.get_color() for line in axes.lines if line.get_linestyle() != "-"]
        assert colours == [text.get_color() for text in axes.texts]
        assert len(set(colours)) == 2

    def test_what_is_not_set_is_not_drawn(self) -> None:
        assert self.captions(assay_chart(table_of("no warning"))) == ["alert 0.1"]
        assert self.captions(assay_chart(table_of("no thresholds"))) == []

    def test_one_that_was_changed_is_a_step(self) -> None:
        table = pa.concat_tables([windows(SCORES), windows([0.1] * 8, without=set(range(5)), alert_threshold=0.2)])
        figure = assay_chart(table)
        assert self.captions(figure) == ["warning 0.05", "alert 0.2"]
        steps = [line for line in figure.axes[0].lines if line.get_drawstyle() == "steps-post"]
        assert [list(cast("Any", step.get_ydata())) for step in steps] == [[0.1] * 5 + [0.2] * 3]

    def test_a_score_far_above_them_makes_the_scale_logarithmic_and_it_says_so(self) -> None:
        assert assay_chart(table_of("a huge score")).axes[0].get_yscale() == "symlog"
        assert assay_chart(table_of("a huge score")).axes[0].get_ylabel() == "score (log above 0.1)"
        assert assay_chart(table_of("five windows")).axes[0].get_yscale() == "linear"


class TestWords:
    def test_the_title_is_what_is_watched_or_what_is_given(self) -> None:
        assert assay_chart(table_of("five windows")).axes[0].get_title("left") == "Assay 5 · output dense_2 0 · PSI"
        assert assay_chart(table_of("five windows"), title="Prices").axes[0].get_title("left") == "Prices"

    @pytest.mark.parametrize(
        ("kind", "ticks", "beside"),
        [("five windows", "03 Jan", "2023"), ("months", "2024", ""), ("three hundred", "May", "")],
    )
    def test_times_are_short(self, kind: str, ticks: str, beside: str) -> None:
        axis: Any = drawn(assay_chart(table_of(kind))).axes[0].xaxis
        assert ticks in [label.get_text() for label in axis.get_ticklabels()]
        assert axis.get_offset_text().get_text() == beside

    def test_hours_of_one_day_have_their_date_beside_them(self) -> None:
        axis: Any = drawn(assay_chart(windows(SCORES, every=HOUR))).axes[0].xaxis
        assert "06:00" in [label.get_text() for label in axis.get_ticklabels()]
        assert axis.get_offset_text().get_text() == "02 Jan 2023"

    @pytest.mark.parametrize(("bins", "captions"), [("last", "2023-01-06 05:00"), ("worst", "2023-01-05 05:00")])
    def test_the_bins_of_one_window_stand_beside_the_baselines(self, bins: Any, captions: str) -> None:
        _, axes = drawn(assay_chart(table_of("five windows"), bins=bins)).axes
        assert axes.get_title("left").startswith(f"The {bins} window: {captions} UTC")
        assert labels(axes) == ["baseline", "window"]
        assert len(axes.patches) == 14
        ticks = [label.get_text() for label in axes.get_xticklabels()]
        assert (ticks[0], ticks[-1]) == ("≤ 12", "> 14.1")

    def test_times_of_another_zone_are_shown_in_utc(self) -> None:
        table: Any = table_of("five windows")
        for name in ("window_start", "window_end"):
            place = table.schema.get_field_index(name)
            table = table.set_column(place, name, table.column(name).cast(pa.timestamp("us", "America/New_York")))
        axes = drawn(assay_chart(table, bins="last")).axes
        assert axes[1].get_title("left").startswith("The last window: 2023-01-06 05:00 UTC")
        night = [START.replace(hour=hour) for hour in (22, 23)]
        late = pa.table({"window_start": night, "score": [0.1, 0.2], "status": ["Ok", "Ok"]})
        local = late.set_column(0, "window_start", late.column(0).cast(pa.timestamp("us", "Asia/Tokyo")))
        axis: Any = drawn(assay_chart(local)).axes[0].xaxis
        assert axis.get_offset_text().get_text() == "02 Jan 2023"

    def test_a_dollar_begins_no_formula(self) -> None:
        table = windows(SCORES, status="$x$", iopath="$_\\frac{$")
        figure = drawn(assay_chart(table, bins="last"))
        assert figure.axes[0].get_title("left") == "Assay 5 · $_\\frac{$ · PSI"
        assert labels(figure.axes[0]) == ["$x$ (5)"]
        shown = [text for text in texts(figure) if "$" in text.get_text()]
        assert len(shown) == 3
        assert not any(text.get_parse_math() for text in shown)

    def test_bins_of_the_second_version_have_their_edges_and_no_baseline(self) -> None:
        table = windows(SCORES, baseline_summary={})
        axes = drawn(assay_chart(table, bins="last")).axes[1]
        assert labels(axes) == ["window"]
        assert [label.get_text() for label in axes.get_xticklabels()][::6] == ["≤ 12", "> 14.1"]


class TestRefusing:
    @pytest.mark.parametrize("name", ["drift.gif2", "drift.jpg", "drift.v2", ".PNG.txt"])
    def test_another_ending_is_refused_with_those_that_are(self, tmp_path: Path, name: str) -> None:
        with pytest.raises(InvalidDataError, match=r"written as \.png, \.svg, \.pdf, and .* has another ending"):
            assay_chart(table_of("five windows")).save(tmp_path / name)
        assert not list(tmp_path.iterdir())

    def test_what_is_no_time_is_refused(self) -> None:
        rows = pa.table({"window_start": ["yesterday"], "score": [1.0], "status": ["Ok"]})
        with pytest.raises(InvalidDataError, match="`window_start` is a datetime"):
            assay_chart(rows)

    def test_nothing_to_draw_is_said(self) -> None:
        with pytest.raises(InvalidDataError, match="no windows yet"):
            assay_chart(results_table([]))
        with pytest.raises(InvalidDataError, match="no window with a score"):
            assay_chart(windows([float("nan")]))

    @pytest.mark.parametrize("missing", ["window_start", "score", "status"])
    def test_a_missing_column_is_named(self, missing: str) -> None:
        with pytest.raises(InvalidDataError, match=f"no column '{missing}'"):
            assay_chart(table_of("five windows").drop_columns([missing]))

    def test_results_of_several_fields_are_refused_with_their_names(self) -> None:
        both = pa.concat_tables([windows([0.1]), windows([0.1], iopath="out.b")])
        with pytest.raises(InvalidDataError, match=r"one field, and these results have out.b, output dense_2 0\. Keep"):
            assay_chart(both)

    def test_other_bins_are_refused(self) -> None:
        best: Any = "best"
        with pytest.raises(InvalidDataError, match="'last' or 'worst'"):
            assay_chart(table_of("five windows"), bins=best)

    def test_without_matplotlib_it_says_what_to_install(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delitem(sys.modules, "wallaroo_ext.assays.figure", raising=False)
        for name in [name for name in sys.modules if name.partition(".")[0] == "matplotlib"]:
            monkeypatch.setitem(sys.modules, name, None)
        monkeypatch.setitem(sys.modules, "matplotlib.dates", None)
        with pytest.raises(ConfigurationError, match=r"pip install 'wallaroo-ext\[charts\]'"):
            assay_chart(table_of("five windows"))
