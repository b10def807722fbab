"""Are the sandbox's assays computed as the notes say? Against the recordings, and against numpy by another way."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from contract_tests.support.recorded import NOTHING, exchanges, recorded_answer
from wallaroo_ext._util.json_values import list_of
from wallaroo_ext.conformance.testing.assays.scenes import SUMMARIZER
from wallaroo_ext.sandbox.assays.binning import Binning, bin_counts, equal_edges, format_edge, quantile_edges
from wallaroo_ext.sandbox.assays.iopath import IoPath
from wallaroo_ext.sandbox.assays.logged_values import LoggedValues, Span
from wallaroo_ext.sandbox.assays.request_forms import Source
from wallaroo_ext.sandbox.assays.runs import Plan, Run
from wallaroo_ext.sandbox.assays.scores import Distribution, Metric, psi_scores, status_of
from wallaroo_ext.sandbox.assays.windows import Schedule, format_nanoseconds, format_time, parse_time, parse_width
from wallaroo_ext.sandbox.auth.users import add_user
from wallaroo_ext.sandbox.http.problems import Problem
from wallaroo_ext.sandbox.inference.inference_log import InferenceLog, LoggedBatch, LoggedOrigin
from wallaroo_ext.sandbox.storage.store import Store

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

    from wallaroo_ext.sandbox.storage.clock import Clock

Array = np.ndarray[Any, np.dtype[Any]]

HOUR = 3_600_000_000
few_values = st.lists(st.integers(-3, 3).map(float), min_size=1, max_size=12)
many_values = st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=80)
samples = st.one_of(few_values, many_values).map(np.array)
bins = st.integers(1, 14)
PROVIDED = np.array([-2.0, -0.5, 0.0, 1.0, 40.0])


def recorded(operation: str) -> Any:
    """Return the recorded result of an operation, or the first of several."""
    answers = [recorded_answer(found) for found in exchanges() if found["operation"] == operation]
    [body] = [answer for answer in answers if answer is not NOTHING]
    return next(iter(list_of(body)), body)


def summarizer(**changes: Any) -> dict[str, Any]:
    return SUMMARIZER | changes


def binning(**changes: Any) -> Binning:
    return Binning.of(summarizer(**changes))


def metric(**changes: Any) -> Metric:
    return Metric.of(summarizer(**changes), binning(**changes))


def message(raised: pytest.ExceptionInfo[Problem]) -> str:
    assert raised.value.status == 400
    assert isinstance(raised.value.content, dict)
    return raised.value.content["msg"]


class TestRecordings:
    @pytest.mark.parametrize("operation", ["run_interactive_assay", "run_interactive_assay_baseline"])
    def test_psi_of_the_recorded_values_is_the_recorded_score(self, operation: str) -> None:
        result = recorded(operation)
        baseline, window = (
            np.array(result[f"{name}_summary"]["aggregated_values"], np.float64) for name in ("baseline", "window")
        )
        comparison = metric().compare(baseline, window)
        assert comparison.scores == pytest.approx(result["scores"], abs=1e-12)
        assert comparison.score == pytest.approx(result["score"], abs=1e-12)
        assert comparison.bin_index is None

    def test_bins_are_named_as_recorded(self) -> None:
        result = recorded("run_interactive_assay")
        edges = np.array(result["baseline_summary"]["edges"][:-1])
        assert binning().baseline_names(edges) == result["baseline_summary"]["edge_names"]
        assert binning().window_names(edges) == result["window_summary"]["edge_names"]
        assert binning().shown_edges(edges) == result["baseline_summary"]["edges"]

    def test_as_many_different_values_as_recorded_have_the_recorded_densities(self) -> None:
        summary = recorded("run_interactive_assay_baseline")["baseline_summary"]
        values = np.linspace(float(summary["min"]), float(summary["max"]), int(summary["count"]))
        np.random.default_rng(181).shuffle(values)
        baseline = Distribution.of_baseline(values, binning())
        assert baseline.aggregated == pytest.approx(summary["aggregated_values"], abs=1e-15)
        assert np.isin(baseline.edges, values).all()

    def test_a_summary_has_the_recorded_fields_in_their_order(self) -> None:
        values = np.array([1.0, 2.0, 4.0])
        shown = Distribution.of_baseline(values, binning()).summary(binning(), "a", "b")
        assert list(shown) == list(recorded("run_interactive_assay")["baseline_summary"])
        assert (shown["count"], shown["min"], shown["max"], shown["median"]) == (3, 1.0, 4.0, 2.0)
        assert shown["mean"] == pytest.approx(7 / 3)
        assert shown["std"] == pytest.approx(math.sqrt(14 / 9))  # over n, not over n - 1


class TestBins:
    @given(values=samples, number=bins)
    @settings(deadline=None, derandomize=True)
    def test_quantiles_are_those_of_numpys_closest_observation(self, values: Array, number: int) -> None:
        ranks = [len(values) * k / number for k in range(1, number + 1)]
        assume(all(abs(rank % 1 - 0.5) > 1e-9 for rank in ranks))  # a half may fall to either side in floats
        shares = np.arange(number + 1) / number
        assert (
            quantile_edges(values, number).tolist()
            == np.quantile(values, shares, method="closest_observation").tolist()
        )

    def test_a_rank_of_a_half_is_rounded_to_even(self) -> None:
        assert quantile_edges(np.arange(1.0, 6.0), 2).tolist() == [1.0, 2.0, 5.0]  # rank 2.5
        assert quantile_edges(np.arange(1.0, 8.0), 2).tolist() == [1.0, 4.0, 7.0]  # rank 3.5

    def test_the_least_rank_is_the_first(self) -> None:
        assert quantile_edges(np.array([2.0, 1.0]), 10).tolist() == [1.0] * 8 + [2.0] * 3

    @given(values=samples, number=bins)
    @settings(deadline=None, derandomize=True)
    def test_equal_edges_are_evenly_spaced(self, values: Array, number: int) -> None:
        edges = equal_edges(values, number)
        assert (edges[0], edges[-1], len(edges)) == (values.min(), values.max(), number + 1)
        assert np.diff(edges) == pytest.approx((values.max() - values.min()) / number, abs=1e-8)

    def test_equal_edges_of_the_largest_numbers_are_numbers(self) -> None:
        assert equal_edges(np.array([-1e308, 1e308]), 4).tolist() == [-1e308, -5e307, 0.0, 5e307, 1e308]

    @given(baseline=samples, window=samples, number=bins, mode=st.sampled_from(["Quantile", "Equal"]))
    @settings(deadline=None, derandomize=True)
    def test_counts_are_those_of_a_mirrored_histogram(
        self, baseline: Array, window: Array, number: int, mode: str
    ) -> None:
        edges = binning(bin_mode=mode, num_bins=number).edges(baseline)
        inside = np.histogram(-window, -edges[::-1])[0][
            ::-1
        ]  # numpy's bins are closed on the left, the last one on both
        expected = [(window < edges[0]).sum(), *inside, (window > edges[-1]).sum()]
        assert bin_counts(window, edges).tolist() == expected
        density = binning(num_bins=number).aggregate(window, edges)
        assert density == pytest.approx(np.array(expected) / len(window))
        cumulative = binning(num_bins=number, aggregation="Cumulative").aggregate(window, edges)
        assert cumulative == pytest.approx(np.cumsum(density))
        assert cumulative[-1] == 1.0

    def test_a_constant_is_in_the_first_bin(self) -> None:
        baseline = Distribution.of_baseline(np.full(7, 3.0), binning())
        assert baseline.aggregated.tolist() == [0, 1, 0, 0, 0, 0, 0]
        assert baseline.of_window(np.array([2.0, 3.0, 4.0, 5.0]), binning()).aggregated.tolist() == [
            *(0.25, 0.25),
            *(0, 0, 0, 0),
            0.5,
        ]

    def test_without_outlier_edges_what_is_outside_is_in_no_bin(self) -> None:
        inner = binning(bin_mode="Equal", num_bins=2, add_outlier_edges=False)
        baseline = Distribution.of_baseline(np.array([0.0, 1.0, 2.0, 2.0]), inner)
        window = baseline.of_window(np.array([-1.0, 0.5, 1.5, 9.0]), inner)
        assert inner.shown_edges(baseline.edges) == [1.0, 2.0]
        assert (baseline.names, window.names) == (["p_1.00e0", "p_2.00e0"], ["e_1.00e0", "e_2.00e0"])
        assert (baseline.aggregated.tolist(), window.aggregated.tolist()) == ([0.5, 0.5], [0.25, 0.25])

    def test_no_binning_is_one_bin(self) -> None:
        baseline = Distribution.of_baseline(np.array([1.0, 2.0, 3.0]), binning(bin_mode="None"))
        assert baseline.edges.tolist() == [1.0, 3.0]
        assert baseline.names == ["left_outlier", "p_3.00e0", "right_outlier"]
        assert baseline.aggregated.tolist() == [0, 1, 0]

    def test_provided_edges_begin_with_a_lower_end_unless_there_is_one_a_bin(self) -> None:
        values = np.array([11.5, 12.0, 12.5])
        with_lower_end = binning(bin_mode="Provided", num_bins=2, provided_edges=[12, 13, 14])
        one_a_bin = binning(bin_mode="Provided", num_bins=3, provided_edges=[12, 13, 14])
        assert with_lower_end.edges(values).tolist() == [12.0, 13.0, 14.0]
        assert one_a_bin.edges(values).tolist() == [11.5, 12.0, 13.0, 14.0]
        assert one_a_bin.edges(values + 9).tolist() == [12.0, 12.0, 13.0, 14.0]
        assert with_lower_end.baseline_names(with_lower_end.edges(values))[1:-1] == ["e_1.30e1", "e_1.40e1"]
        assert (with_lower_end.size, one_a_bin.size) == (4, 5)

    @pytest.mark.parametrize("edges", [None, [], [1.0], [1.0, 1.0], [2.0, 1.0, 3.0]])
    def test_provided_edges_that_are_none_are_refused(self, edges: list[float] | None) -> None:
        with pytest.raises(Problem) as raised:
            binning(bin_mode="Provided", provided_edges=edges)
        assert "provided_edges" in message(raised)

    def test_edges_are_compared_with_those_of_the_window(self) -> None:
        edges = binning(bin_mode="Equal", num_bins=2, aggregation="Edges")
        baseline = Distribution.of_baseline(np.array([0.0, 2.0]), edges)
        window = baseline.of_window(np.array([1.0, 5.0]), edges)
        assert (baseline.aggregated.tolist(), window.aggregated.tolist()) == ([0, 1, 2, 0], [1, 3, 5, 0])
        comparison = metric(aggregation="Edges", metric="SumDiff").compare(baseline.aggregated, window.aggregated)
        assert (comparison.score, comparison.scores) == (6.0, [1.0, 2.0, 3.0, 0.0])

    @pytest.mark.parametrize(
        ("edge", "text"),
        [(0.0, "0.00e0"), (-0.39764636440424433, "-3.98e-1"), (7.112734553641073, "7.11e0"), (9.999e123, "1.00e124")],
    )
    def test_an_edge_is_written_with_as_few_digits_of_an_exponent_as_it_needs(self, edge: float, text: str) -> None:
        assert format_edge(edge) == text


class TestMetrics:
    @given(baseline=samples, window=samples, number=bins)
    @settings(deadline=None, derandomize=True)
    def test_psi_is_the_sum_over_the_bins(self, baseline: Array, window: Array, number: int) -> None:
        distribution = Distribution.of_baseline(baseline, binning(num_bins=number))
        aggregated = distribution.of_window(window, binning(num_bins=number)).aggregated
        expected = 0.0
        for b, w in zip(distribution.aggregated.tolist(), aggregated.tolist(), strict=True):
            if b or w:
                expected += ((w or 0.005) - (b or 0.005)) * math.log((w or 0.005) / (b or 0.005))
        comparison = metric(num_bins=number).compare(distribution.aggregated, aggregated)
        assert comparison.score == pytest.approx(expected, abs=1e-12)
        assert comparison.score >= 0
        itself = metric(num_bins=number).compare(distribution.aggregated, distribution.aggregated)
        assert itself.scores == [0.0] * (number + 2)

    def test_a_zero_on_one_side_counts_as_a_two_hundredth(self) -> None:
        scores = psi_scores(np.array([0.0, 0.0, 0.5]), np.array([0.0, 0.5, 0.0]))
        assert scores.tolist() == pytest.approx([0.0, 0.495 * math.log(100), 0.495 * math.log(100)])

    def test_differences_are_summed_or_the_largest_is_taken(self) -> None:
        baseline, window = np.array([0.25, 0.25, 0.5]), np.array([0.5, 0.375, 0.125])
        changes = {"num_bins": 3, "add_outlier_edges": False}
        total = metric(metric="SumDiff", **changes).compare(baseline, window)
        assert (total.score, total.scores, total.bin_index) == (0.75, [0.25, 0.125, 0.375], None)
        largest = metric(metric="MaxDiff", **changes).compare(baseline, window)
        assert (largest.score, largest.scores, largest.bin_index) == (0.375, [0.25, 0.125, 0.375], 2)

    def test_weights_are_shares(self) -> None:
        changes: dict[str, Any] = {"num_bins": 2, "add_outlier_edges": False, "bin_weights": [1, 3]}
        baseline, window = np.array([0.5, 0.5]), np.array([0.25, 0.75])
        assert metric(metric="SumDiff", **changes).compare(baseline, window).scores == [0.0625, 0.1875]
        assert metric(metric="MaxDiff", **changes).compare(baseline, window).bin_index == 1
        plain = psi_scores(baseline, window)
        assert metric(**changes).compare(baseline, window).scores == pytest.approx((plain * [0.25, 0.75]).tolist())

    @pytest.mark.parametrize(
        ("changes", "excerpt"),
        [
            ({"bin_weights": [1.0] * 5}, "5 bin_weights for 7 bins"),
            ({"bin_weights": [0.0] * 7}, "not all of them 0"),
            ({"bin_weights": [-1.0] + [1.0] * 6}, "0 or more"),
            ({"bin_weights": [1e308] * 7}, "bin_weights"),
            ({"aggregation": "Edges"}, "Density or Cumulative"),
        ],
    )
    def test_what_makes_no_sense_is_refused(self, changes: dict[str, Any], excerpt: str) -> None:
        with pytest.raises(Problem) as raised:
            metric(**changes)
        assert excerpt in message(raised)

    @pytest.mark.parametrize(
        ("score", "warning", "status"),
        [
            (0.0, 0.0, "Ok"),
            (0.05, 0.0, "Warning"),
            (0.05, None, "Ok"),
            (0.1, 0.0, "Warning"),
            (0.1, None, "Ok"),
            (0.11, None, "Alert"),
        ],
    )
    def test_a_threshold_has_to_be_exceeded(self, score: float, warning: float | None, status: str) -> None:
        assert status_of(score, warning, 0.1) == status


def close_to(value: Any) -> Any:
    """Return an approximation of a value, because sums of thousands of numbers differ in their rounding."""
    return pytest.approx(value, abs=1e-12, rel=1e-12)


class TestWholeComparisons:
    """Every way of binning, aggregating and comparing, against numpy on the sorted values."""

    def edges(self, mode: str, number: int, baseline: Array) -> Array:
        if mode == "Quantile":
            places = [max(round(Fraction(len(baseline) * k, number)), 1) - 1 for k in range(number + 1)]
            return cast("Array", np.sort(baseline).take(places))
        if mode == "Equal":
            return np.linspace(float(baseline.min()), float(baseline.max()), number + 1)
        return np.array([baseline.min(), baseline.max()]) if mode == "None" else PROVIDED

    def aggregated(self, values: Array, edges: Array, aggregation: str, *, outliers: bool) -> Array:
        if aggregation == "Edges":
            return np.append(edges, 0.0) if outliers else edges[1:]
        below = np.searchsorted(np.sort(values), edges, side="right")  # how many are at an edge or below it
        below[0] = (values < edges[0]).sum()
        counts = np.diff(np.concatenate([[0], below, [len(values)]]))
        shown = counts if outliers else counts[1:-1]
        return (np.cumsum(shown) if aggregation == "Cumulative" else shown) / len(values)

    def scores(self, name: str, b: Array, w: Array) -> Array:
        if name != "PSI":
            return np.abs(b - w)
        either = (b > 0) | (w > 0)
        b, w = np.where(b > 0, b, 0.005), np.where(w > 0, w, 0.005)
        return np.where(either, (w - b) * (np.log(w) - np.log(b)), 0)

    @given(
        baseline=samples,
        window=samples,
        number=bins,
        mode=st.sampled_from(["Quantile", "Equal", "Provided", "None"]),
        aggregation=st.sampled_from(["Density", "Cumulative", "Edges"]),
        name=st.sampled_from(["PSI", "MaxDiff", "SumDiff"]),
        outliers=st.booleans(),
        weight=st.none() | st.floats(0.01, 100),
    )
    @example(
        baseline=np.array([0.0]),
        window=np.array([0.0, -492407.0]),
        number=5,
        mode="Equal",
        aggregation="Edges",
        name="SumDiff",
        outliers=False,
        weight=None,
    )  # the two sums of these edges differ in the last digit
    @settings(deadline=None, derandomize=True, max_examples=500)
    def test_the_score_is_numpys(
        self,
        baseline: Array,
        window: Array,
        number: int,
        mode: str,
        aggregation: str,
        name: str,
        weight: float | None,
        *,
        outliers: bool,
    ) -> None:
        assume(aggregation != "Edges" or name != "PSI")
        assume(aggregation != "Edges" or (mode == "Equal" and baseline.max() < 1e3 > window.max()))
        number = len(PROVIDED) - 1 if mode == "Provided" else number
        wanted: dict[str, Any] = {
            "bin_mode": mode,
            "num_bins": number,
            "provided_edges": PROVIDED.tolist(),
            "aggregation": aggregation,
            "add_outlier_edges": outliers,
            "metric": name,
        }
        size = binning(**wanted).size
        weights = None if weight is None else np.linspace(1, weight, size)
        wanted["bin_weights"] = None if weights is None else weights.tolist()
        edges = self.edges(mode, number, baseline)
        theirs = self.edges(mode, number, window) if aggregation == "Edges" else edges
        b = self.aggregated(baseline, edges, aggregation, outliers=outliers)
        w = self.aggregated(window, theirs, aggregation, outliers=outliers)
        expected = self.scores(name, b, w) * (1 if weights is None else weights / weights.sum())

        ours = Distribution.of_baseline(baseline, binning(**wanted))
        compared = ours.of_window(window, binning(**wanted))
        found = metric(**wanted).compare(ours.aggregated, compared.aggregated)
        assert ours.aggregated == close_to(b)
        assert compared.aggregated == close_to(w)
        assert found.scores == close_to(expected)
        assert found.score == close_to(expected.max() if name == "MaxDiff" else expected.sum())
        assert found.bin_index is None or expected[found.bin_index] == close_to(expected.max())
        assert (found.bin_index is None) == (name != "MaxDiff")


class TestTimes:
    @pytest.mark.parametrize(
        ("text", "microseconds"),
        [
            ("24 hours", 24 * HOUR),
            ("1 day", 24 * HOUR),
            ("30 minutes", HOUR // 2),
            ("2 weeks", 336 * HOUR),
            ("1 seconds", 1_000_000),
            ("500 milliseconds", 500_000),
            ("500 ms", 500_000),
            (" 1  Hour ", HOUR),
        ],
    )
    def test_a_width_is_a_number_and_a_unit(self, text: str, microseconds: int) -> None:
        assert parse_width(text) == microseconds

    @pytest.mark.parametrize(
        "text", ["", "24", "hours", "0 hours", "-1 hours", "1.5 hours", "1 month", "999999999999 weeks"]
    )
    def test_anything_else_is_refused(self, text: str) -> None:
        with pytest.raises(Problem) as raised:
            parse_width(text)
        assert "hours" in message(raised)

    def test_times_are_kept_to_the_microsecond(self) -> None:
        time = parse_time("2023-01-01T00:00:00-05:00")
        assert format_time(time) == "2023-01-01T05:00:00Z"
        assert format_time(parse_time("2023-05-19T17:26:59.664583293Z")) == "2023-05-19T17:26:59.664583Z"
        assert format_time(parse_time("1969-12-31T23:59:59.5Z")) == "1969-12-31T23:59:59.500000Z"
        assert format_nanoseconds(time * 1000 + 7) == "2023-01-01T05:00:00.000000007Z"

    @pytest.mark.parametrize(
        "text", ["2023-02-30T00:00:00Z", "2023-01-01T25:00:00Z", "0000-01-01T00:00:00Z", "0001-01-01T00:00:00+05:00"]
    )
    def test_a_time_that_does_not_exist_is_refused(self, text: str) -> None:
        with pytest.raises(Problem) as raised:
            parse_time(text)
        assert text in message(raised)

    def test_a_month_of_days_has_as_many_windows_as_the_vendor_shows(self) -> None:
        start, until = parse_time("2023-01-02T00:00:00Z"), parse_time("2023-02-01T00:00:00Z")
        assert Schedule(start, 24 * HOUR, 24 * HOUR, until).complete == 30
        assert Schedule(start, 24 * HOUR, 12 * HOUR, until).complete == 59
        assert Schedule(start, 24 * HOUR, 24 * HOUR, start + HOUR).complete == 0

    @given(
        times=st.lists(st.integers(-20, 120), max_size=20).map(sorted),
        width=st.integers(1, 30),
        interval=st.integers(1, 30),
        until=st.integers(-5, 110),
        first=st.integers(0, 3),
    )
    @settings(deadline=None, derandomize=True)
    def test_occupied_windows_are_the_complete_ones_with_something_in_them(
        self, times: list[int], width: int, interval: int, until: int, first: int
    ) -> None:
        schedule = Schedule(0, width, interval, until)
        expected = [
            number
            for number in range(first, 200)
            if schedule.end(number) <= until
            and any(schedule.begin(number) <= time < schedule.end(number) for time in times)
        ]
        assert list(schedule.occupied(np.array(times, np.int64), first)) == expected

    def test_it_goes_by_what_happened_not_by_the_windows(self) -> None:
        until = parse_time("2023-01-01T00:00:00Z")
        schedule = Schedule(0, 1000, 1000, until)
        times = np.array([5, 999, 1000, until - 1])
        assert list(schedule.occupied(times)) == [0, 1, schedule.complete - 1]


class TestIoPaths:
    table = pa.table(
        {
            "time": pa.array([1, 2, 3], pa.timestamp("ms")),
            "in.a": pa.array([[[1.0, 2.0], [3.0, 4.0]], [[5.0, 6.0], [7.0, 8.0]], [[9.0]]]),
            "in.1": pa.array([True, False, True]),
            "out.b": pa.array([[1], [2], [3]], pa.list_(pa.int64(), 1)),
            "out.c": pa.array([1.5, math.nan, math.inf]),
            "out.name": pa.array(["x", "y", "z"]),
        }
    )

    @pytest.mark.parametrize(
        ("text", "values"),
        [
            ("input a 0", {1000: 1, 2000: 5, 3000: 9}),
            ("input a 3", {1000: 4, 2000: 8}),
            ("input 0 1", {1000: 2, 2000: 6}),
            ("input 1 0", {1000: 1, 2000: 0, 3000: 1}),
            ("output b 0", {1000: 1, 2000: 2, 3000: 3}),
            ("output c 0", {1000: 1.5}),
            ("output 1 0", {1000: 1.5}),
        ],
    )
    def test_a_value_is_named_by_field_or_number_and_index(self, text: str, values: dict[int, float]) -> None:
        times, found = IoPath.parse(text).take(self.table)
        assert dict(zip(times.tolist(), found.tolist(), strict=True)) == values

    def test_rows_may_be_a_part_of_a_table(self) -> None:
        parts = pa.concat_tables([self.table.slice(1, 2), self.table.slice(0, 1)])
        assert IoPath.parse("input a 0").take(parts)[1].tolist() == [5.0, 9.0, 1.0]

    def test_the_model_of_a_split_is_no_output_of_it(self) -> None:
        columns = {"out._model_split": [["{}"]], "out.y": [[0.5]], "out_rival.y": [[0.75]]}
        table = pa.table({"time": pa.array([1], pa.timestamp("ms"))} | columns)
        for text in ("output 0 0", "output y 0"):
            assert IoPath.parse(text).take(table)[1].tolist() == [0.5]

    @pytest.mark.parametrize(
        ("text", "excerpt"),
        [
            ("input b 0", "the input fields are 'a', '1'"),
            ("output 3 0", "the output fields are 'b', 'c', 'name'"),
            ("input a 4", "no value 4"),
            ("output c 1", "no value 1"),
            ("output name 0", "no numbers"),
        ],
    )
    def test_an_unknown_one_is_refused(self, text: str, excerpt: str) -> None:
        with pytest.raises(Problem) as raised:
            IoPath.parse(text).take(self.table)
        assert excerpt in message(raised)

    def test_an_index_of_thousands_of_digits_is_refused(self) -> None:
        with pytest.raises(Problem):
            IoPath.parse(f"input a {'9' * 5000}")
        with pytest.raises(Problem):
            IoPath.parse(f"input {'9' * 5000} 0").take(self.table)


@pytest.fixture
def store(tmp_path: Path) -> Generator[Store]:
    """Yield a store with one pipeline, whose id is 1."""
    opened = Store(tmp_path / "data")
    with opened.transaction() as db:
        add_user(db, "user@example.com", "password")
        db.execute("INSERT INTO pipelines (workspace_id, name, created_at) VALUES (1, 'p', '')")
    yield opened
    opened.close()


@pytest.fixture
def log(store: Store) -> Generator[InferenceLog]:
    """Yield the log of the store."""
    opened = InferenceLog(store, 1)
    yield opened
    opened.close()


class TestRuns:
    """On what was logged years ago, so that there are windows without waiting for them."""

    clock: Clock

    @pytest.fixture(autouse=True)
    def with_clock(self, store: Store) -> None:
        self.clock = store.clock

    def add(
        self, log: InferenceLog, begin: str, values: list[float], field: str = "y", *, partition: str = "engine-a"
    ) -> None:
        """Log one value per minute."""
        times = parse_time(begin) // 1000 + 60_000 * np.arange(len(values))
        table = pa.table({"time": pa.array(times, pa.timestamp("ms")), f"out.{field}": pa.array([[x] for x in values])})
        log.append(1, LoggedBatch(table, "m", "sha", 1, LoggedOrigin(partition=partition)))

    def run(self, log: InferenceLog, first: int = 0, **window: Any) -> Run:
        fixed = {"pipeline": "p", "model": "m", "start_at": "2023-01-01T00:00:00Z", "end_at": "2023-01-02T00:00:00Z"}
        request = {
            "iopath": "output y 0",
            "baseline": {"Fixed": fixed},
            "window": {"pipeline": "p", "model": "m", "width": "24 hours"} | window,
            "summarizer": summarizer(),
            "alert_threshold": 0.1,
            "workspace_id": 1,
        }
        return Run(Plan.of(request), LoggedValues(log), {Source(1, "p", "m"): 1}, self.clock, first)

    def test_a_row_at_the_end_is_of_the_next_window(self, log: InferenceLog) -> None:
        self.add(log, "2023-01-01T23:58:00Z", [1.0, 2.0, 3.0, 4.0, 5.0])
        self.add(log, "2023-01-05T00:00:00Z", [9.0])
        results = self.run(log).results()
        assert [result["window_start"] for result in results] == ["2023-01-02T00:00:00Z", "2023-01-05T00:00:00Z"]
        counts = [(result["baseline_summary"]["count"], result["window_summary"]["count"]) for result in results]
        assert counts == [(2, 3), (2, 1)]
        assert self.run(log, first=1).occupied_windows(9) == [3]

    def test_rows_are_of_the_places_that_are_asked_for(self, log: InferenceLog) -> None:
        for partition, values in (("engine-a", [1.0, 2.0]), ("engine-b", [3.0])):
            self.add(log, "2023-01-01T00:00:00Z", values, partition=partition)
        for locations, count in (([], 3), (["engine-a"], 2), (["engine-a", "engine-b"], 3), (["nowhere"], 0)):
            window = {
                "path": "output y 0",
                "pipeline_name": "p",
                "model_name": "m",
                "workspace_id": 1,
                "width": "1 day",
            }
            request = {
                "baseline": {"calculated": {"vector": [1.0, 2.0, 3.0]}},
                "window": window | {"start": "2023-01-01T00:00:00Z", "locations": locations},
                "summarizer": summarizer(),
                "alert_threshold": 0.1,
                "workspace_id": 1,
            }
            run = Run(Plan.of(request), LoggedValues(log), {Source(1, "p", "m", tuple(locations)): 1}, self.clock)
            assert sum(result["window_summary"]["count"] for result in run.results()) == count, locations

    def test_an_answer_reads_a_span_once_and_the_next_one_anew(self, log: InferenceLog) -> None:
        self.add(log, "2023-01-01T00:00:00Z", [1.0, 2.0])
        logged = LoggedValues(log)
        day = Span(1, "m", (), IoPath.parse("output y 0"), parse_time("2023-01-01"), parse_time("2023-01-02"))
        first = logged.read(day)
        assert first.values.tolist() == [1.0, 2.0]
        self.add(log, "2023-01-01T12:00:00Z", [3.0])
        assert logged.read(day) is first
        later = [day._replace(end=day.end + 1), day._replace(model="other"), day._replace(locations=("nowhere",))]
        assert [len(logged.read(other).values) for other in later] == [3, 0, 0]
        assert LoggedValues(log).read(day).values.tolist() == [1.0, 2.0, 3.0]

    def test_rows_without_the_field_are_left_out(self, log: InferenceLog) -> None:
        self.add(log, "2023-01-01T00:00:00Z", [1.0, 2.0])
        self.add(log, "2023-01-01T12:00:00Z", [3.0], field="other")
        self.add(log, "2023-01-02T00:00:00Z", [3.0], field="other")
        run = self.run(log)
        assert run.baseline_result()["baseline_summary"]["count"] == 2
        assert run.results() == []
        assert run.is_due
        assert run.has_baseline

    def test_it_is_not_due_without_a_baseline(self, log: InferenceLog) -> None:
        self.add(log, "2023-01-02T00:00:00Z", [3.0])
        run = self.run(log)
        assert not run.has_baseline
        with pytest.raises(Problem) as raised:
            run.results()
        assert "The baseline is empty" in message(raised)

    @pytest.mark.parametrize(
        ("baseline", "window"),
        [
            ({"fixed_window": {"path": "output y 0", "start": "9999-12-31T00:00:00Z", "width": "48 hours"}}, {}),
            ({"vector": [1.0, 2.0]}, {"start": "9999-12-31T12:00:00Z"}),
        ],
    )
    def test_times_after_the_last_year_are_refused(
        self, log: InferenceLog, baseline: dict[str, Any], window: dict[str, Any]
    ) -> None:
        watched = {"path": "output y 0", "pipeline_name": "p", "model_name": "m", "workspace_id": 1, "width": "1 day"}
        calculated = {form: watched | content if form != "vector" else content for form, content in baseline.items()}
        request = {
            "baseline": {"calculated": calculated},
            "window": watched | {"start": "2023-01-01T00:00:00Z"} | window,
            "summarizer": summarizer(),
            "alert_threshold": 0.1,
            "workspace_id": 1,
        }
        with pytest.raises(Problem) as raised:
            Run(Plan.of(request), LoggedValues(log), {Source(1, "p", "m"): 1}, self.clock).baseline_result()
        assert "years 1 to 9999" in message(raised)

    def test_more_windows_than_an_answer_holds_are_refused(self, log: InferenceLog) -> None:
        self.add(log, "2023-01-01T00:00:00Z", [1.0, 2.0])
        self.add(log, "2023-01-03T00:00:00Z", [1.0])
        with pytest.raises(Problem) as raised:
            self.run(log, interval="1 seconds").results()
        assert "more than 10000 windows" in message(raised)
        assert self.run(log, interval="1 seconds").occupied_windows(3) == [1, 2, 3]
