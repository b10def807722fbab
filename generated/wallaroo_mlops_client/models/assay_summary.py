from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, ApiModel, Unset

T = TypeVar("T", bound="AssaySummary")


@_attrs_define(repr=False)
class AssaySummary(ApiModel):
    """The distribution of the watched value in a time.

    Source: mlops-api-tutorial, "Run Assay Interactively" (recorded); mlops-api-tutorial, "Create Interactive Baseline"
    (recorded); recordings, "/v1/api/assays/summarize" (recorded).

    """

    count: int | Unset = UNSET
    """ How many values there are. """
    min_: float | Unset = UNSET
    """ The smallest one. """
    max_: float | Unset = UNSET
    """ The largest one. """
    mean: float | Unset = UNSET
    """ Their mean. """
    median: float | Unset = UNSET
    """ Their median. """
    std: float | Unset = UNSET
    """ Their standard deviation, the population's. """
    edges: list[float | None] | Unset = UNSET
    """ The upper edge of each bin; null for the last one, which has none. """
    edge_names: list[str] | Unset = UNSET
    """ The name of each bin: `left_outlier` and `right_outlier`, and between them, by the upper edge with two
    decimals, `e_1.25e1`. In a baseline it is `q_20` by the percentage with the bin mode `Quantile`, and `p_1.25e1`
    with `Equal`. """
    aggregated_values: list[float] | Unset = UNSET
    """ What is compared of each bin, by the aggregation. """
    aggregation: str | Unset = UNSET
    """ What is compared of each bin. """
    start: None | str | Unset = UNSET
    """ When the time begins. """
    end: None | str | Unset = UNSET
    """ When the time ends. """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        count = self.count

        min_ = self.min_

        max_ = self.max_

        mean = self.mean

        median = self.median

        std = self.std

        edges: list[float | None] | Unset = UNSET
        if not isinstance(self.edges, Unset):
            edges = []
            for edges_item_data in self.edges:
                edges_item: float | None
                edges_item = edges_item_data
                edges.append(edges_item)

        edge_names: list[str] | Unset = UNSET
        if not isinstance(self.edge_names, Unset):
            edge_names = self.edge_names

        aggregated_values: list[float] | Unset = UNSET
        if not isinstance(self.aggregated_values, Unset):
            aggregated_values = self.aggregated_values

        aggregation = self.aggregation

        start: None | str | Unset
        if isinstance(self.start, Unset):
            start = UNSET
        else:
            start = self.start

        end: None | str | Unset
        if isinstance(self.end, Unset):
            end = UNSET
        else:
            end = self.end

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update({})
        if count is not UNSET:
            field_dict["count"] = count
        if min_ is not UNSET:
            field_dict["min"] = min_
        if max_ is not UNSET:
            field_dict["max"] = max_
        if mean is not UNSET:
            field_dict["mean"] = mean
        if median is not UNSET:
            field_dict["median"] = median
        if std is not UNSET:
            field_dict["std"] = std
        if edges is not UNSET:
            field_dict["edges"] = edges
        if edge_names is not UNSET:
            field_dict["edge_names"] = edge_names
        if aggregated_values is not UNSET:
            field_dict["aggregated_values"] = aggregated_values
        if aggregation is not UNSET:
            field_dict["aggregation"] = aggregation
        if start is not UNSET:
            field_dict["start"] = start
        if end is not UNSET:
            field_dict["end"] = end

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        count = d.pop("count", UNSET)

        min_ = d.pop("min", UNSET)

        max_ = d.pop("max", UNSET)

        mean = d.pop("mean", UNSET)

        median = d.pop("median", UNSET)

        std = d.pop("std", UNSET)

        _edges = d.pop("edges", UNSET)
        edges: list[float | None] | Unset = UNSET
        if _edges is not UNSET:
            edges = []
            for edges_item_data in _edges:

                def _parse_edges_item(data: object) -> float | None:
                    if data is None:
                        return data
                    return cast(float | None, data)

                edges_item = _parse_edges_item(edges_item_data)

                edges.append(edges_item)

        edge_names = cast(list[str], d.pop("edge_names", UNSET))

        aggregated_values = cast(list[float], d.pop("aggregated_values", UNSET))

        aggregation = d.pop("aggregation", UNSET)

        def _parse_start(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, data)

        start = _parse_start(d.pop("start", UNSET))

        def _parse_end(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, data)

        end = _parse_end(d.pop("end", UNSET))

        assay_summary = cls(
            count=count,
            min_=min_,
            max_=max_,
            mean=mean,
            median=median,
            std=std,
            edges=edges,
            edge_names=edge_names,
            aggregated_values=aggregated_values,
            aggregation=aggregation,
            start=start,
            end=end,
        )

        assay_summary.additional_properties = d
        return assay_summary

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
