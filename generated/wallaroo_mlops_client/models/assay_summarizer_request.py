from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..models.aggregation import Aggregation
from ..models.bin_mode import BinMode
from ..models.metric import Metric
from ..types import UNSET, ApiModel, Unset

T = TypeVar("T", bound="AssaySummarizerRequest")


@_attrs_define(repr=False)
class AssaySummarizerRequest(ApiModel):
    """How values are binned and compared.

    Source: mlops-api-tutorial, "Create Assay" (prose); recordings, "/v1/api/assays/create" (recorded); recordings,
    "/v1/api/assays/summarize" (recorded); field-notes, "Assays" (observed).

    """

    type_: str
    """ What kind of values they are. """
    bin_mode: BinMode
    """ Where the edges of the bins come from: of `n` bins, `n + 1` edges, the first of which is the upper edge of
    the left outliers. With `Quantile`, edge `k`, from 0 on, is the value of the baseline of rank `k * (number of
    values) / n`, rounded to the nearest whole number, at least 1; values in between are not made up. With `Equal`
    it is `minimum + k * (maximum - minimum) / n` of the baseline's values. With `Provided` they are the
    `provided_edges`; of only `n`, the baseline's minimum comes before them. What the edges are with `None` no
    source says, nor what there is without bins for outliers.

    Source: recordings, "/v1/api/assays/summarize" (recorded); recordings, "/v1/api/assays/run_interactive"
    (recorded); vendor-sdk, "What the vendor's own SDK asks of a server" (observed); mlops-api-tutorial, "Create
    Assay" (prose); field-notes, "Assays" (observed). """
    aggregation: Aggregation
    """ What is compared of each bin. With `Density`, its share of all values; a bin has its upper edge and not its
    lower one, but the first after the left outliers has both; of bins that end at the same edge, the first has the
    values. With `Cumulative`, the sum of the shares of this bin and all before it. With `Edges`, the edges
    themselves; what is compared of a bin without one no source says.

    Source: recordings, "/v1/api/assays/summarize" (recorded); recordings, "/v1/api/assays/run_interactive"
    (recorded); field-notes, "Assays" (observed). """
    metric: Metric
    """ How windows are compared with the baseline. The prose has the labels of a screen, Maximum Difference of Bins
    for one; these are the values that are sent. Each bin has a score, by its aggregated values `b` in the baseline
    and `w` in the window: with `PSI` `(w - b) * ln(w / b)`, where 0.005 stands for a zero, and 0 if both are zero;
    else `|w - b|`. The window's score is the largest of them with `MaxDiff`, else their sum.

    Source: mlops-api-tutorial, "Create Assay" (example); field-notes, "Assays" (observed); recordings,
    "/v1/api/assays/run_interactive" (recorded); recordings, "/v2/api/assays/get_results" (recorded). """
    num_bins: int
    """ How many bins there are; 5 to 14 are recommended. The upper bound is this contract's own. """
    bin_weights: list[float] | None | Unset = UNSET
    """ What each bin counts, one number a bin, those of outliers included: a bin's score is multiplied by its
    weight divided by the sum of all weights. """
    bin_width: float | list[float] | None | Unset = UNSET
    """ How wide bins are. No source shows a value. """
    provided_edges: list[float] | None | Unset = UNSET
    """ The edges of the bins, with the bin mode `Provided`. """
    add_outlier_edges: bool | None | Unset = UNSET
    """ Whether there is a bin below the first edge and one above the last; by default there is. """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        type_ = self.type_

        bin_mode = self.bin_mode.value

        aggregation = self.aggregation.value

        metric = self.metric.value

        num_bins = self.num_bins

        bin_weights: list[float] | None | Unset
        if isinstance(self.bin_weights, Unset):
            bin_weights = UNSET
        elif isinstance(self.bin_weights, list):
            bin_weights = self.bin_weights

        else:
            bin_weights = self.bin_weights

        bin_width: float | list[float] | None | Unset
        if isinstance(self.bin_width, Unset):
            bin_width = UNSET
        elif isinstance(self.bin_width, list):
            bin_width = self.bin_width

        else:
            bin_width = self.bin_width

        provided_edges: list[float] | None | Unset
        if isinstance(self.provided_edges, Unset):
            provided_edges = UNSET
        elif isinstance(self.provided_edges, list):
            provided_edges = self.provided_edges

        else:
            provided_edges = self.provided_edges

        add_outlier_edges: bool | None | Unset
        if isinstance(self.add_outlier_edges, Unset):
            add_outlier_edges = UNSET
        else:
            add_outlier_edges = self.add_outlier_edges

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "type": type_,
                "bin_mode": bin_mode,
                "aggregation": aggregation,
                "metric": metric,
                "num_bins": num_bins,
            }
        )
        if bin_weights is not UNSET:
            field_dict["bin_weights"] = bin_weights
        if bin_width is not UNSET:
            field_dict["bin_width"] = bin_width
        if provided_edges is not UNSET:
            field_dict["provided_edges"] = provided_edges
        if add_outlier_edges is not UNSET:
            field_dict["add_outlier_edges"] = add_outlier_edges

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        type_ = d.pop("type")

        bin_mode = BinMode(d.pop("bin_mode"))

        aggregation = Aggregation(d.pop("aggregation"))

        metric = Metric(d.pop("metric"))

        num_bins = d.pop("num_bins")

        def _parse_bin_weights(data: object) -> list[float] | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            try:
                if not isinstance(data, list):
                    raise TypeError()
                bin_weights_type_0 = cast(list[float], data)

                return bin_weights_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(list[float] | None | Unset, data)

        bin_weights = _parse_bin_weights(d.pop("bin_weights", UNSET))

        def _parse_bin_width(data: object) -> float | list[float] | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            try:
                if not isinstance(data, list):
                    raise TypeError()
                bin_width_type_1 = cast(list[float], data)

                return bin_width_type_1
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(float | list[float] | None | Unset, data)

        bin_width = _parse_bin_width(d.pop("bin_width", UNSET))

        def _parse_provided_edges(data: object) -> list[float] | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            try:
                if not isinstance(data, list):
                    raise TypeError()
                provided_edges_type_0 = cast(list[float], data)

                return provided_edges_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(list[float] | None | Unset, data)

        provided_edges = _parse_provided_edges(d.pop("provided_edges", UNSET))

        def _parse_add_outlier_edges(data: object) -> bool | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(bool | None | Unset, data)

        add_outlier_edges = _parse_add_outlier_edges(d.pop("add_outlier_edges", UNSET))

        assay_summarizer_request = cls(
            type_=type_,
            bin_mode=bin_mode,
            aggregation=aggregation,
            metric=metric,
            num_bins=num_bins,
            bin_weights=bin_weights,
            bin_width=bin_width,
            provided_edges=provided_edges,
            add_outlier_edges=add_outlier_edges,
        )

        assay_summarizer_request.additional_properties = d
        return assay_summarizer_request

    @property
    def additional_keys(self) -> list[str]:
        return list(self.additional_properties.keys())

    def __getitem__(self, key: str) -> Any:
        return self.additional_properties[key]

    def __setitem__(self, key: str, value: Any) -> None:
        self.additional_properties[key] = value

    def __delitem__(self, key: str) -> None:
        del self.additional_properties[key]

    def __contains__(self, key: str) -> bool:
        return key in self.additional_properties
