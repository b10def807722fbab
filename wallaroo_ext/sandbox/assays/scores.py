"""The metrics of assays, and the comparison of a window with a baseline."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from wallaroo_ext.sandbox.http.problems import bad_request

if TYPE_CHECKING:
    from wallaroo_ext.sandbox.assays.binning import Binning
    from wallaroo_ext.sandbox.engine.tensors import Array

_INSTEAD_OF_ZERO = 0.005


def psi_scores(baseline: Array, window: Array) -> Array:
    """Return the terms of the population stability index, one per bin: `(w - b) * ln(w / b)`.

    A zero is replaced by 0.005; if both values are zero, the term is 0 (field notes, "Assays", where this was checked
    to the last digit against the recorded result).
    """
    compared: Array = (baseline != 0) | (window != 0)
    b: Array = np.where(baseline == 0, _INSTEAD_OF_ZERO, baseline)
    w: Array = np.where(window == 0, _INSTEAD_OF_ZERO, window)
    return np.where(compared, (w - b) * np.log(w / b), 0.0)


def differences(baseline: Array, window: Array) -> Array:
    """Return the absolute differences, one per bin: `|w - b|`.

    MaxDiff is the largest of them, SumDiff their sum (field notes, "Decided where the sources are silent").
    """
    return np.abs(window - baseline)


@dataclass(frozen=True, slots=True)
class Comparison:
    """The outcome of comparing two distributions.

    Attributes:
        score: The distance between them.
        scores: The part of each bin.
        bin_index: The bin with the largest difference, for MaxDiff; None for other metrics.
    """

    score: float
    scores: list[float]
    bin_index: int | None


@dataclass(frozen=True, slots=True)
class Metric:
    """How distributions are compared.

    Attributes:
        name: `PSI`, `MaxDiff` or `SumDiff`.
        weights: The weight of each bin; None if all count the same.
    """

    name: str
    weights: tuple[float, ...] | None

    @staticmethod
    def of(summarizer: dict[str, Any], binning: Binning) -> Metric:
        """Return the metric of a request.

        Raises:
            Problem: 400, if the weights do not fit the bins, or for PSI of edges, which may be negative.
        """
        if summarizer["metric"] == "PSI" and binning.aggregation == "Edges":
            raise bad_request(
                "The metric PSI compares shares of values: it needs the aggregation Density or Cumulative."
            )
        weights: list[float] | None = summarizer.get("bin_weights")
        if weights is not None:
            _check_weights(weights, binning)
        return Metric(summarizer["metric"], None if weights is None else tuple(weights))

    def compare(self, baseline: Array, window: Array) -> Comparison:
        """Compare the aggregated values of two distributions, bin by bin.

        With weights, a bin's score is multiplied by its weight divided by the sum of all weights: the vendor's client
        says that they are normalised, and the figures on the vendor's pages are those of a sum of 1.
        """
        scores = (psi_scores if self.name == "PSI" else differences)(baseline, window)
        if self.weights is not None:
            scores = scores * (np.array(self.weights) / math.fsum(self.weights))
        if self.name == "MaxDiff":
            index = int(scores.argmax())
            return Comparison(float(scores[index]), scores.tolist(), index)
        return Comparison(math.fsum(scores), scores.tolist(), None)


def _check_weights(weights: list[float], binning: Binning) -> None:
    if len(weights) != binning.size:
        raise bad_request(f"There are {len(weights)} bin_weights for {binning.size} bins, those of outliers included.")
    if min(weights) < 0 or not 0 < sum(weights) < math.inf:
        raise bad_request("The bin_weights have to be 0 or more, and not all of them 0.")


def status_of(score: float, warning_threshold: float | None, alert_threshold: float) -> str:
    """Return `Alert`, `Warning` or `Ok`, by the highest threshold that a score exceeds."""
    if score > alert_threshold:
        return "Alert"
    return "Warning" if warning_threshold is not None and score > warning_threshold else "Ok"


@dataclass(frozen=True, slots=True)
class Distribution:
    """The values in a span of time, put into bins.

    Attributes:
        values: The values; at least one, unless the distribution was given as a summary.
        edges: The edges of the bins.
        names: The names of the bins.
        aggregated: The value of each bin that is compared.
        given: The summary that the distribution was given as; None if it was computed.
    """

    values: Array
    edges: Array
    names: list[str]
    aggregated: Array
    given: dict[str, Any] | None = None

    @staticmethod
    def of_baseline(values: Array, binning: Binning) -> Distribution:
        """Return the distribution of a baseline, whose values determine the edges."""
        edges = binning.edges(values)
        return Distribution(values, edges, binning.baseline_names(edges), binning.aggregate(values, edges))

    @staticmethod
    def of_summary(summary: dict[str, Any], binning: Binning) -> Distribution:
        """Return the distribution that a summary describes.

        Raises:
            Problem: 400, if its bins are not those of the summarizer.
        """
        upper = [edge for edge in summary["edges"] if edge is not None]
        edges = upper if binning.add_outlier_edges else [min(float(summary["min"]), *upper), *upper]
        sizes = {len(summary["edges"]), len(summary["edge_names"]), len(summary["aggregated_values"])}
        if sizes != {binning.size} or len(edges) != binning.size + (-1 if binning.add_outlier_edges else 1):
            raise bad_request(f"The baseline's edges, edge_names and aggregated_values are not {binning.size} each.")
        if summary["aggregation"] != binning.aggregation or edges != sorted(edges):
            raise bad_request("The baseline has another aggregation than the summarizer, or edges in no order.")
        aggregated: Array = np.array(summary["aggregated_values"], float)
        return Distribution(np.empty(0), np.array(edges, float), list(summary["edge_names"]), aggregated, summary)

    def compared_with_itself(self, binning: Binning) -> Distribution:
        """Return this baseline as if it was the distribution of a window."""
        if self.given is None:
            return self.of_window(self.values, binning)
        names = self._window_names(self.edges, binning)
        return replace(self, names=names, given=self.given | {"edge_names": names})

    def of_window(self, values: Array, binning: Binning) -> Distribution:
        """Return the distribution of a window that is compared with this baseline.

        It has the baseline's edges, as recorded, unless the edges are compared: then it has its own.
        """
        edges = binning.edges(values) if binning.aggregation == "Edges" else self.edges
        return Distribution(values, edges, self._window_names(edges, binning), binning.aggregate(values, edges))

    def _window_names(self, edges: Array, binning: Binning) -> list[str]:
        """Return the names of a window's bins: those of the baseline, as recorded, where the bins are open."""
        return self.names if binning.is_open else binning.window_names(edges)

    def summary(self, binning: Binning, start: str | None, end: str | None) -> dict[str, Any]:
        """Return the distribution as results contain it; `std` is the population's (field notes)."""
        if self.given is not None:
            return self.given | {"start": start, "end": end}
        return {
            "count": len(self.values),
            "min": float(self.values.min()),
            "max": float(self.values.max()),
            "mean": float(self.values.mean()),
            "median": float(np.median(self.values)),
            "std": float(self.values.std()),
            "edges": binning.shown_edges(self.edges),
            "edge_names": self.names,
            "aggregated_values": self.aggregated.tolist(),
            "aggregation": binning.aggregation,
            "start": start,
            "end": end,
        }
