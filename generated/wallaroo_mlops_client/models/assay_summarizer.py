from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, ApiModel, Unset

T = TypeVar("T", bound="AssaySummarizer")


@_attrs_define(repr=False)
class AssaySummarizer(ApiModel):
    """How values are binned and compared. 2022.4 shows `bin_width` and `add_outlier_edges`, later releases do not.

    Source: mlops-api-tutorial, "List Assays" (recorded); mlops-api-tutorial, "Run Assay Interactively" (recorded);
    recordings, "/v1/api/assays/list" (recorded).

    """

    type_: str | Unset = UNSET
    """ What kind of values they are. """
    bin_mode: str | Unset = UNSET
    """ Where the edges of the bins come from. """
    aggregation: str | Unset = UNSET
    """ What is compared of each bin. """
    metric: str | Unset = UNSET
    """ How windows are compared with the baseline. """
    num_bins: int | Unset = UNSET
    """ How many bins there are, without those of the outliers. """
    bin_weights: list[float] | None | Unset = UNSET
    """ What each bin counts. """
    provided_edges: list[float] | None | Unset = UNSET
    """ The edges of the bins, where they were given. """
    bin_width: float | list[float] | None | Unset = UNSET
    """ How wide bins are. """
    add_outlier_edges: bool | None | Unset = UNSET
    """ Whether there is a bin below the first edge and one above the last. """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        type_ = self.type_

        bin_mode = self.bin_mode

        aggregation = self.aggregation

        metric = self.metric

        num_bins = self.num_bins

        bin_weights: list[float] | None | Unset
        if isinstance(self.bin_weights, Unset):
            bin_weights = UNSET
        elif isinstance(self.bin_weights, list):
            bin_weights = self.bin_weights

        else:
            bin_weights = self.bin_weights

        provided_edges: list[float] | None | Unset
        if isinstance(self.provided_edges, Unset):
            provided_edges = UNSET
        elif isinstance(self.provided_edges, list):
            provided_edges = self.provided_edges

        else:
            provided_edges = self.provided_edges

        bin_width: float | list[float] | None | Unset
        if isinstance(self.bin_width, Unset):
            bin_width = UNSET
        elif isinstance(self.bin_width, list):
            bin_width = self.bin_width

        else:
            bin_width = self.bin_width

        add_outlier_edges: bool | None | Unset
        if isinstance(self.add_outlier_edges, Unset):
            add_outlier_edges = UNSET
        else:
            add_outlier_edges = self.add_outlier_edges

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update({})
        if type_ is not UNSET:
            field_dict["type"] = type_
        if bin_mode is not UNSET:
            field_dict["bin_mode"] = bin_mode
        if aggregation is not UNSET:
            field_dict["aggregation"] = aggregation
        if metric is not UNSET:
            field_dict["metric"] = metric
        if num_bins is not UNSET:
            field_dict["num_bins"] = num_bins
        if bin_weights is not UNSET:
            field_dict["bin_weights"] = bin_weights
        if provided_edges is not UNSET:
            field_dict["provided_edges"] = provided_edges
        if bin_width is not UNSET:
            field_dict["bin_width"] = bin_width
        if add_outlier_edges is not UNSET:
            field_dict["add_outlier_edges"] = add_outlier_edges

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        type_ = d.pop("type", UNSET)

        bin_mode = d.pop("bin_mode", UNSET)

        aggregation = d.pop("aggregation", UNSET)

        metric = d.pop("metric", UNSET)

        num_bins = d.pop("num_bins", UNSET)

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

        def _parse_add_outlier_edges(data: object) -> bool | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(bool | None | Unset, data)

        add_outlier_edges = _parse_add_outlier_edges(d.pop("add_outlier_edges", UNSET))

        assay_summarizer = cls(
            type_=type_,
            bin_mode=bin_mode,
            aggregation=aggregation,
            metric=metric,
            num_bins=num_bins,
            bin_weights=bin_weights,
            provided_edges=provided_edges,
            bin_width=bin_width,
            add_outlier_edges=add_outlier_edges,
        )

        assay_summarizer.additional_properties = d
        return assay_summarizer

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
