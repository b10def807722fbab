"""Computes with numpy what an assay has to answer, by the formulas in the contract's descriptions of summarizers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    Array = np.ndarray[Any, np.dtype[Any]]

LEFT, RIGHT = "left_outlier", "right_outlier"
_IN_PLACE_OF_ZERO = 0.005
_QUANTILES = "closest_observation"


@dataclass(frozen=True, slots=True)
class Bins:
    """The bins of a baseline, with those of the outliers.

    Attributes:
        edges: The lower edge of the first bin that is not the left outliers', and the upper edges of all of these.
        names: The names of all bins in a baseline.
    """

    edges: Array
    names: list[str]

    @property
    def window_names(self) -> list[str]:
        """The names of all bins in a window."""
        return [LEFT, *(f"e_{edge_name(edge)}" for edge in self.edges[1:].tolist()), RIGHT]

    def aggregated(self, values: Array, aggregation: str) -> Array:
        """Return what is compared of each bin: with `Density` its share of the values, with `Cumulative` their sum."""
        low, *upper = self.edges.tolist()
        ordered: Any = np.sort(values)
        count = len(values)
        positions: Array = np.searchsorted(ordered, upper, side="right")
        below: list[float] = [int(ordered.searchsorted(low)) / count, *(positions / count).tolist(), 1.0]
        return np.array(below) if aggregation == "Cumulative" else np.diff(below, prepend=0.0)


def bins_of(values: Array, summarizer: dict[str, Any]) -> Bins:
    """Return the bins of a baseline's values.

    Args:
        values: The values.
        summarizer: The `summarizer` of the request, with the bin mode `Quantile`, `Equal` or `Provided`.
    """
    mode: str = summarizer["bin_mode"]
    count: int = summarizer["num_bins"]
    if mode == "Provided":
        given: list[float] = summarizer["provided_edges"]
        edges: Array = np.array(given if len(given) > count else [float(values.min()), *given], np.float64)
        return Bins(edges, [LEFT, *(f"e_{edge_name(edge)}" for edge in edges[1:].tolist()), RIGHT])
    parts: Array = np.linspace(0, 1, count + 1)
    if mode == "Equal":
        equal: Array = values.min() + parts * (values.max() - values.min())
        return Bins(equal, [LEFT, *(f"p_{edge_name(edge)}" for edge in equal[1:].tolist()), RIGHT])
    quantiles: Array = np.quantile(values, parts, method=_QUANTILES)
    return Bins(quantiles, [LEFT, *(f"q_{100 * part:.0f}" for part in parts[1:].tolist()), RIGHT])


def edge_name(edge: float) -> str:
    """Return an edge as the names of bins have it: 12.5259 is `1.25e1`."""
    digits, exponent = f"{edge:.2e}".split("e")
    return f"{digits}e{int(exponent)}"


def statistics(values: Array) -> dict[str, float]:
    """Return the figures of a distribution."""
    return {
        "count": len(values),
        "min": float(np.min(values)),
        "max": float(np.max(values)),
        "mean": float(np.mean(values)),
        "median": float(np.median(values)),
        "std": float(np.std(values)),
    }


def bin_scores(baseline: Array, window: Array, metric: str, weights: list[float] | None = None) -> Array:
    """Return what each bin adds to a score, by the aggregated values of a baseline and a window."""
    if metric == "PSI":
        b: Array = np.where(baseline > 0, baseline, _IN_PLACE_OF_ZERO)
        w: Array = np.where(window > 0, window, _IN_PLACE_OF_ZERO)
        scores: Array = (w - b) * np.log(w / b)
    else:
        scores = np.abs(window - baseline)
    return scores if weights is None else scores * np.array(weights) / np.sum(weights)


def total(scores: Array, metric: str) -> float:
    """Return the score of a window by what each bin adds."""
    return float(np.max(scores) if metric == "MaxDiff" else np.sum(scores))


def status(score: float, warning: float | None, alert: float) -> str:
    """Return what a score means by the thresholds."""
    if score > alert:
        return "Alert"
    return "Warning" if warning is not None and score > warning else "Ok"
