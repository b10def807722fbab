"""How far a window is from a baseline: the metrics, and the comparison of one window."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from wallaroo_ext.sandbox.http.problems import bad_request

if TYPE_CHECKING:
    from wallaroo_ext.sandbox.assays.binning import Array, Binning

_INSTEAD_OF_ZERO = 0.005


def psi_scores(baseline: Array, window: Array) -> Array:
    """Return the population stability index, bin by bin: `(w - b) * ln(w / b)`, the index being the sum.

    Where one of the two is zero, 0.005 takes its place; where both are, the bin scores 0 (field notes, "Assays", where
    it was checked to the last digit against the recorded result).
    """
    compared: Array = (baseline != 0) | (window != 0)
    b: Array = np.where(baseline == 0, _INSTEAD_OF_ZERO, baseline)
    w: Array = np.where(window == 0, _INSTEAD_OF_ZERO, window)
    return np.where(compared, (w - b) * np.log(w / b), 0.0)


def differences(baseline: Array, window: Array) -> Array:
    """Return the absolute differences, bin by bin: `|w - b|`.

    MaxDiff is the largest of them, SumDiff their sum (field notes, "Decided where the sources are silent").
    """
    return np.abs(window - baseline)


@dataclass(frozen=True, slots=True)
class Comparison:
    """What came out of comparing two distributions.

    Attributes:
        score: How far they are from each other.
        scores: What each bin adds.
        bin_index: The bin that decided the score, for MaxDiff.
    """

    score: float
    scores: list[float]
    bin_index: int | None


@dataclass(frozen=True, slots=True)
class Metric:
    """How distributions are compared.

    Attributes:
        name: `PSI`, `MaxDiff` or `SumDiff`.
        weights: What each bin counts; None where all count the same.
    """

    name: str
    weights: tuple[float, ...] | None

    @staticmethod
    def of(summarizer: dict[str, Any], binning: Binning) -> Metric:
        """Return the metric of a request.

        Raises:
            Problem: 400, for weights that do not fit the bins, and for PSI of edges, which may be negative.
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
        """Compare what was aggregated of each bin.

        With weights, a bin's score is multiplied by its weight over the sum of all weights: the vendor's client says
        that they are normalised, and the figures on the vendor's pages are those of a sum of 1.
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
    """What a score means: above the threshold of an alert, else above that of a warning if there is one, else fine."""
    if score > alert_threshold:
        return "Alert"
    return "Warning" if warning_threshold is not None and score > warning_threshold else "Ok"


@dataclass(frozen=True, slots=True)
class Distribution:
    """The values of a time, in bins.

    Attributes:
        values: The values; at least one.
        edges: The edges of the bins.
        names: What the bins are called.
        aggregated: What is compared of each bin.
    """

    values: Array
    edges: Array
    names: list[str]
    aggregated: Array

    @staticmethod
    def of_baseline(values: Array, binning: Binning) -> Distribution:
        """Return a baseline, whose values say where the edges are."""
        edges = binning.edges(values)
        return Distribution(values, edges, binning.baseline_names(edges), binning.aggregate(values, edges))

    def of_window(self, values: Array, binning: Binning) -> Distribution:
        """Return a window that is compared with this baseline.

        It has the baseline's edges, as recorded, except where edges are what is compared: then it has its own.
        """
        edges = binning.edges(values) if binning.aggregation == "Edges" else self.edges
        return Distribution(values, edges, binning.window_names(edges), binning.aggregate(values, edges))

    def summary(self, binning: Binning, start: str, end: str) -> dict[str, Any]:
        """Return the distribution as results have it; `std` is the population's (field notes)."""
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
