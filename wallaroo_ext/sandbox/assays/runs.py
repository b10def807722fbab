"""Runs an assay: computes its baseline and its windows from the inference log."""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from typing import TYPE_CHECKING, Any

import numpy as np

from wallaroo_ext.sandbox.assays.binning import Binning
from wallaroo_ext.sandbox.assays.iopath import IoPath
from wallaroo_ext.sandbox.assays.logged_values import Samples, Span
from wallaroo_ext.sandbox.assays.request_forms import (
    Source,
    baseline_form,
    baseline_source,
    watched_path,
    window_source,
)
from wallaroo_ext.sandbox.assays.scores import Distribution, Metric, status_of
from wallaroo_ext.sandbox.assays.windows import (
    LATEST,
    Schedule,
    check_time,
    format_nanoseconds,
    format_time,
    format_with_offset,
    parse_time,
    parse_width,
)
from wallaroo_ext.sandbox.http.problems import bad_request

if TYPE_CHECKING:
    from collections.abc import Container, Mapping

    from wallaroo_ext.sandbox.assays.logged_values import LoggedValues
    from wallaroo_ext.sandbox.storage.clock import Clock

WINDOWS_AT_ONCE = 10_000
_KIND = "UnivariateContinuous"
_SHOWN = ("type", "bin_mode", "aggregation", "metric", "num_bins", "bin_weights", "provided_edges")


@dataclass(frozen=True, slots=True)
class BaselinePlan:
    """The parsed baseline of an assay. Times are in microseconds since 1970.

    Attributes:
        form: `Fixed`, `fixed_window`, `vector` or `static`.
        source: Where its values come from; None if the request has them, or their distribution.
        start: When it begins; None without a source, unless a given distribution says it.
        end: When it ends; likewise.
        iopath: The watched value.
        content: The content of the form.
    """

    form: str
    source: Source | None
    start: int | None
    end: int | None
    iopath: IoPath
    content: Any

    @staticmethod
    def of(request: dict[str, Any]) -> BaselinePlan:
        """Parse the baseline of a request.

        Raises:
            Problem: 400, if it makes no sense.
        """
        form, content = baseline_form(request["baseline"])
        start, end = baseline_times(form, content)
        if start is not None and end is not None and start >= end:
            raise bad_request("The baseline ends before it begins.")
        path = content["path"] if form == "fixed_window" else watched_path(request)
        return BaselinePlan(form, baseline_source(request), start, end, IoPath.parse(path), content)


def baseline_times(form: str, content: Any) -> tuple[int | None, int | None]:
    """Return when a baseline begins and ends, None where it has no time.

    Raises:
        Problem: 400, if a text is not a time, or a window has no start, or ends after the year 9999.
    """
    if form == "vector":
        return None, None
    if form == "fixed_window":
        if not content.get("start"):
            raise bad_request("baseline.fixed_window.start: the window of a baseline needs a start.")
        start = parse_time(content["start"])
        return start, check_time(start + parse_width(content["width"]), "the end of the baseline")
    first, last = ("start_at", "end_at") if form == "Fixed" else ("start", "end")
    return _given_time(content, first), _given_time(content, last)


def _given_time(content: Any, name: str) -> int | None:
    return parse_time(content[name]) if content.get(name) else None


@dataclass(frozen=True, slots=True)
class Plan:
    """The parsed and checked request of an assay. Times are in microseconds since 1970.

    `bin_width` is accepted and not used: no source says what it does.

    Attributes:
        request: The request as it was sent.
        iopath: The value to watch.
        window: Where the windows' values come from.
        baseline: Where the baseline's values come from.
        first_window: When the first window begins: `window.start` or, without one, the end of a `Fixed` baseline, or
            else when the assay was created.
        width: The length of a window.
        interval: The time from one window's start to the next: `window.interval` or, without one, the width.
        run_until: When the last window must have ended; None for no limit.
        binning: How values are put into bins.
        metric: How windows are compared with the baseline.
    """

    request: dict[str, Any]
    iopath: IoPath
    window: Source
    baseline: BaselinePlan
    first_window: int
    width: int
    interval: int
    run_until: int | None
    binning: Binning
    metric: Metric

    @staticmethod
    def of(request: dict[str, Any], created: int = 0) -> Plan:
        """Parse a request that is valid by the contract.

        Args:
            request: The request.
            created: When the assay was created.

        Raises:
            Problem: 400, if the request makes no sense; the message says why.
        """
        window, summarizer = request["window"], request["summarizer"]
        if summarizer["type"] != _KIND:
            raise bad_request(f"The sandbox has summarizers of the type {_KIND} only, not {summarizer['type']!r}.")
        baseline = BaselinePlan.of(request)
        width, binning, until = parse_width(window["width"]), Binning.of(summarizer), request.get("run_until")
        start = created if baseline.end is None or baseline.form != "Fixed" else baseline.end
        if baseline.form == "static":
            Distribution.of_summary(baseline.content, binning)
        return Plan(
            request=request,
            iopath=IoPath.parse(watched_path(request)),
            window=window_source(request),
            baseline=baseline,
            first_window=parse_time(window["start"]) if window.get("start") else start,
            width=width,
            interval=parse_width(window["interval"]) if window.get("interval") else width,
            run_until=parse_time(until) if until else None,
            binning=binning,
            metric=Metric.of(summarizer, binning),
        )

    def schedule(self, now: int) -> Schedule:
        """Return the windows up to a time, or up to the end of the assay if that is earlier."""
        until = now if self.run_until is None else min(now, self.run_until)
        return Schedule(self.first_window, self.width, self.interval, until)

    def next_run(self, schedule: Schedule, number: int) -> str | None:
        """Return when a window can be computed, with the offset of UTC; None after the assay's end."""
        end = schedule.end(number)
        return None if end > (LATEST if self.run_until is None else self.run_until) else format_with_offset(end)


def _shown_time(time: int | None) -> str | None:
    return None if time is None else format_time(time)


def summarize(values: list[float], summarizer: dict[str, Any]) -> dict[str, Any]:
    """Return the distribution of some values, at least one."""
    binning = Binning.of(summarizer)
    return Distribution.of_baseline(np.array(values, float), binning).summary(binning, None, None)


def shown_summarizer(summarizer: dict[str, Any]) -> dict[str, Any]:
    """Return a summarizer as answers of the API contain it."""
    return {name: summarizer.get(name) for name in _SHOWN}


class Run:
    """One run of an assay on the rows that are logged so far.

    Args:
        plan: The assay.
        logged: The values that were logged.
        pipelines: The ids of the pipelines that the plan names, by where values come from.
        clock: The clock that says which windows are complete.
        first: The number of the first window to compute.

    Attributes:
        schedule: The windows.
    """

    def __init__(
        self, plan: Plan, logged: LoggedValues, pipelines: Mapping[Source, int], clock: Clock, first: int = 0
    ) -> None:
        self._plan = plan
        self._logged = logged
        self._pipelines = pipelines
        self._clock = clock
        self._first = first
        self._now = clock.now_ns() // 1000
        self.schedule = plan.schedule(self._now)

    @cached_property
    def _baseline_samples(self) -> Samples:
        """The values of a baseline that were logged."""
        baseline = self._plan.baseline
        if baseline.source is None or baseline.start is None or baseline.end is None:
            return Samples(np.empty(0, np.int64), np.empty(0), None)
        return self._read(baseline.source, baseline.iopath, baseline.start, baseline.end)

    @cached_property
    def _baseline(self) -> Distribution:
        plan = self._plan
        if plan.baseline.form == "static":
            return Distribution.of_summary(plan.baseline.content, plan.binning)
        if plan.baseline.form == "vector":
            return Distribution.of_baseline(np.array(plan.baseline.content, float), plan.binning)
        samples = self._baseline_samples
        if not len(samples.values):
            raise samples.problem or bad_request(self._emptiness())
        return Distribution.of_baseline(samples.values, plan.binning)

    def _emptiness(self) -> str:
        baseline = self._plan.baseline
        source, start, end = baseline.source, baseline.start, baseline.end
        if source is None or start is None or end is None:
            return "The baseline is empty."
        of_model = "" if source.model is None else f" of the model {source.model!r}"
        return (
            f"The baseline is empty: from {format_time(start)} to {format_time(end)}, the pipeline "
            f"{source.pipeline!r} logged no values{of_model}."
        )

    def baseline_summary(self) -> dict[str, Any]:
        """Return the distribution of the baseline.

        Raises:
            Problem: 400, if the baseline has no values.
        """
        return self._baseline.summary(
            self._plan.binning, _shown_time(self._plan.baseline.start), _shown_time(self._plan.baseline.end)
        )

    @property
    def is_due(self) -> bool:
        """Whether the baseline has ended, and a window is complete."""
        end = None if self._plan.baseline.source is None else self._plan.baseline.end
        return self.schedule.complete > self._first and (end is None or end <= self._now)

    @property
    def has_baseline(self) -> bool:
        """Whether the baseline has rows, though they may lack the watched value, or needs none."""
        samples = self._baseline_samples
        return self._plan.baseline.source is None or len(samples.values) > 0 or samples.problem is not None

    def check_baseline(self) -> None:
        """Check that the baseline has values.

        Raises:
            Problem: 400, if the baseline has no inferences, or none with the watched value.
        """
        _ = self._baseline

    def baseline_result(self) -> dict[str, Any]:
        """Return the result of comparing the baseline with itself.

        Raises:
            Problem: 400, if the baseline has no values, or the window in place of its time ends after the year 9999.
        """
        plan, began = self._plan, time.perf_counter_ns()
        window = self._baseline.compared_with_itself(plan.binning)
        start = plan.first_window if plan.baseline.start is None else plan.baseline.start
        end = plan.baseline.end
        if end is None:
            end = check_time(start + plan.width, "the end of the first window")
        return self._result(window, start, end, began) | {"status": "BaselineRun"}

    def results(self) -> list[dict[str, Any]]:
        """Return a result for each complete window that has inferences.

        Raises:
            Problem: 400, if the baseline has no values, or there are too many windows for one answer.
        """
        self.check_baseline()
        numbers = self.occupied_windows(WINDOWS_AT_ONCE + 1)
        if len(numbers) > WINDOWS_AT_ONCE:
            raise bad_request(f"These are more than {WINDOWS_AT_ONCE} windows: take wider ones, or a longer interval.")
        return [self.result(number) for number in numbers]

    @cached_property
    def _window_samples(self) -> Samples:
        return self._read(self._plan.window, self._plan.iopath, self.schedule.begin(self._first), self.schedule.until)

    def occupied_windows(self, limit: int, known: Container[int] = ()) -> list[int]:
        """Return the numbers of the first complete windows that have inferences.

        Args:
            limit: How many to return at the most.
            known: The starts of windows to leave out.
        """
        occupied = self.schedule.occupied(self._window_samples.times, self._first)
        return list(islice((number for number in occupied if self.schedule.begin(number) not in known), limit))

    def result(self, number: int) -> dict[str, Any]:
        """Return the result of a window that has inferences.

        Raises:
            Problem: 400, if the baseline has no values.
        """
        began = time.perf_counter_ns()
        start, end = self.schedule.begin(number), self.schedule.end(number)
        window = self._baseline.of_window(self._window_samples.between(start, end), self._plan.binning)
        return self._result(window, start, end, began)

    def _read(self, source: Source, iopath: IoPath, start: int, end: int) -> Samples:
        """Return the watched values that a source logged."""
        return self._logged.read(Span(self._pipelines[source], source.model, source.locations, iopath, start, end))

    def _result(self, window: Distribution, start: int, end: int, began: int) -> dict[str, Any]:
        """Return the result of comparing a window with the baseline, with its fields in the recorded order.

        Args:
            window: The window.
            start: When the window begins.
            end: When the window ends.
            began: When computing it began, by `time.perf_counter_ns`.
        """
        plan, baseline = self._plan, self._baseline
        request, binning = plan.request, plan.binning
        comparison = plan.metric.compare(baseline.aggregated, window.aggregated)
        warning, alert = request.get("warning_threshold"), request["alert_threshold"]
        return {
            "id": None,
            "assay_id": request.get("id"),
            "window_start": format_time(start),
            "analyzed_at": format_nanoseconds(self._clock.now_ns()),
            "elapsed_millis": (time.perf_counter_ns() - began) // 1_000_000,
            "iopath": plan.iopath.text,
            "pipeline_id": None,
            "baseline_summary": self.baseline_summary(),
            "window_summary": window.summary(binning, format_time(start), format_time(end)),
            "warning_threshold": None if warning is None else float(warning),
            "alert_threshold": float(alert),
            "score": comparison.score,
            "scores": comparison.scores,
            "bin_index": comparison.bin_index,
            "summarizer": shown_summarizer(request["summarizer"]),
            "status": status_of(comparison.score, warning, alert),
            "created_at": None,
        }
