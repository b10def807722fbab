"""The bins of an assay: their edges, their names and their contents."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from wallaroo_ext.sandbox.http.problems import bad_request

if TYPE_CHECKING:
    from wallaroo_ext.sandbox.engine.tensors import Array

_LEFT, _RIGHT = "left_outlier", "right_outlier"


def quantile_edges(values: Array, bins: int) -> Array:
    """Return edges that give each bin the same number of values: for k from 0, the value of rank `n * k / bins`.

    The rank is rounded to the nearest whole number, halves to the even one, and is at least 1. That is definition 3 of
    Hyndman and Fan (numpy calls it `closest_observation`). No source names the definition, but of those that do not
    interpolate only this one gives what was recorded: 181 values in bins of 36, 36, 37, 36 and 36.

    Args:
        values: The values; at least one.
        bins: The number of bins.
    """
    doubled = 2 * len(values) * np.arange(bins + 1)
    ranks: Array = (doubled + bins) // (2 * bins)
    is_half: Array = (doubled + bins) % (2 * bins) == 0
    ranks -= is_half & (ranks % 2 == 1)
    return np.sort(values)[np.maximum(ranks, 1) - 1]


def equal_edges(values: Array, bins: int) -> Array:
    """Return edges that make all bins equally wide: for k from 0, `minimum + k * (maximum - minimum) / bins`.

    Args:
        values: The values; at least one.
        bins: The number of bins.
    """
    lowest, highest = float(values.min()), float(values.max())
    if math.isfinite(highest - lowest):
        return np.linspace(lowest, highest, bins + 1)
    return 2 * np.linspace(lowest / 2, highest / 2, bins + 1)


def bin_counts(values: Array, edges: Array) -> Array:
    """Return the number of values below all edges, in each bin, and above all edges.

    A bin is closed on the right, and the first one on the left too (field notes, "Decided where the sources are
    silent"). Of bins that end at the same edge, the first one has the values at the edge.

    Args:
        values: The values.
        edges: At least two edges in ascending order; the first one is the lower end of the first bin.
    """
    bins: Array = np.searchsorted(edges, values, side="left")
    bins[values == edges[0]] = 1
    return np.bincount(bins, minlength=len(edges) + 1)


def open_bin_counts(values: Array, edges: Array) -> Array:
    """Return the number of values in each bin, of which the first has no lower end and the last no upper one.

    A bin is closed on the right.

    Args:
        values: The values.
        edges: The edges between the bins, one fewer than there are bins, in ascending order.
    """
    return np.bincount(np.searchsorted(edges, values, side="left"), minlength=len(edges) + 1)


def format_edge(edge: float) -> str:
    """Return an edge as the names of bins write it: with two decimals and the shortest exponent.

    Derived from the recordings: 12.5259… is `1.25e1` and 12.7728… is `1.28e1`, so it is rounded, not truncated.
    """
    mantissa, exponent = f"{edge:.2e}".split("e")
    return f"{mantissa}e{int(exponent)}"


@dataclass(frozen=True, slots=True)
class Binning:
    """How values are put into bins, and what is compared of each bin.

    `Quantile` and `Equal` take their edges from the values of the baseline. `Provided` takes those of the request: if
    there are `num_bins` of them, they are upper edges, and the first bin begins at the smallest value, as the vendor's
    client describes it; otherwise, the first of them is the lower end of the first bin. `None` is one bin from the
    smallest value of the baseline to the largest: no source shows it.

    Attributes:
        mode: `Quantile`, `Equal`, `Provided` or `None`.
        num_bins: The requested number of bins.
        provided: The edges of the request.
        add_outlier_edges: Whether there are bins for the values outside the edges. Without them, such values are in no
            bin, but count in the total.
        aggregation: `Density`, `Cumulative` or `Edges`.
        is_open: Whether there are `num_bins` bins in all, and the first and the last one have the outliers. So it was
            recorded of an assay of the second version, whose baseline was given as a distribution.
    """

    mode: str
    num_bins: int
    provided: tuple[float, ...]
    add_outlier_edges: bool
    aggregation: str
    is_open: bool = False

    @staticmethod
    def of(summarizer: dict[str, Any]) -> Binning:
        """Return the binning of a request.

        Raises:
            Problem: 400, if the provided edges are too few or not in ascending order.
        """
        binning = Binning(
            mode=summarizer["bin_mode"],
            num_bins=int(summarizer["num_bins"]),  # JSON's 5.0 is an integer too
            provided=tuple(float(edge) for edge in summarizer.get("provided_edges") or ()),
            add_outlier_edges=summarizer.get("add_outlier_edges") is not False,  # null was recorded, with outliers
            aggregation=summarizer["aggregation"],
            is_open=bool(summarizer.get("is_open")),
        )
        if binning.mode == "Provided":
            binning._check_provided()
        return binning

    def _check_provided(self) -> None:
        if self._inner_bins() < 1:
            raise bad_request("The bin mode Provided needs provided_edges, two or more of them.")
        if any(low >= high for low, high in zip(self.provided, self.provided[1:], strict=False)):
            raise bad_request("The provided_edges are not in ascending order.")

    def _inner_bins(self) -> int:
        """Return the number of bins, without those for outliers."""
        if self.mode == "Provided":
            return len(self.provided) - (0 if len(self.provided) == self.num_bins else 1)
        return 1 if self.mode == "None" else self.num_bins - (2 if self.is_open else 0)

    @property
    def size(self) -> int:
        """The number of bins."""
        return self._inner_bins() + (2 if self.add_outlier_edges else 0)

    def edges(self, values: Array) -> Array:
        """Return the edges for some values, from the lower end of the first bin to the upper end of the last one.

        Of open bins, these are the edges between them.
        """
        if self.is_open:
            return replace(self, is_open=False).edges(values)[1:-1]
        if self.mode == "Quantile":
            return quantile_edges(values, self.num_bins)
        if self.mode == "Provided":
            upper_only = len(self.provided) == self.num_bins
            lowest = [min(float(values.min()), self.provided[0])] if upper_only else []
            return np.array([*lowest, *self.provided])
        return equal_edges(values, self._inner_bins())

    def shown_edges(self, edges: Array) -> list[float | None]:
        """Return the upper edge of each bin; it is None for the right outliers."""
        return [*edges.tolist(), None] if self.add_outlier_edges else edges[1:].tolist()

    def baseline_names(self, edges: Array) -> list[str]:
        """Return the names of a baseline's bins: `q_20` by the percentage, `p_1.26e1` and `e_1.26e1` by the upper edge.

        `q_` was recorded; `p_` for equal bins and `e_` for provided ones are on the vendor's pages.
        """
        if self.mode == "Quantile":
            return self._with_outliers([f"q_{100 * k / self.num_bins:.0f}" for k in range(1, self.num_bins + 1)])
        prefix = "e" if self.mode == "Provided" else "p"
        return self._with_outliers([f"{prefix}_{format_edge(edge)}" for edge in edges[1:].tolist()])

    def window_names(self, edges: Array) -> list[str]:
        """Return the names of a window's bins, by the upper edge in every mode: `e_1.25e1`."""
        return self._with_outliers([f"e_{format_edge(edge)}" for edge in edges[1:].tolist()])

    def _with_outliers(self, names: list[str]) -> list[str]:
        return [_LEFT, *names, _RIGHT] if self.add_outlier_edges else names

    def aggregate(self, values: Array, edges: Array) -> Array:
        """Return the value of each bin that is compared (field notes, "Decided where the sources are silent").

        `Density` is a bin's share of all values, `Cumulative` the running sum of the shares, and `Edges` the upper
        edges, with 0 for the right outliers, which have none and so never differ.
        """
        if self.aggregation == "Edges":
            return np.array([edge or 0.0 for edge in self.shown_edges(edges)])
        counts = (open_bin_counts if self.is_open else bin_counts)(values, edges)
        shown = counts if self.add_outlier_edges else counts[1:-1]
        return (shown.cumsum() if self.aggregation == "Cumulative" else shown) / len(values)
