from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..models.aggregation import Aggregation
from ..types import UNSET, ApiModel, Unset

T = TypeVar("T", bound="AssaySummaryRequest")


@_attrs_define(repr=False)
class AssaySummaryRequest(ApiModel):
    """A distribution.

    Source: vendor-sdk, "What the vendor's own SDK asks of a server" (observed); recordings, "/v1/api/assays/summarize"
    (recorded).

    """

    count: int
    """ How many values there are. """
    min_: float
    """ The smallest one. """
    max_: float
    """ The largest one. """
    mean: float
    """ Their mean. """
    median: float
    """ Their median. """
    std: float
    """ Their standard deviation, the population's. """
    edges: list[float | None]
    """ The upper edge of each bin; null for the last one, which has none. """
    edge_names: list[str]
    """ The name of each bin: `left_outlier` and `right_outlier`, and between them, by the upper edge with two
    decimals, `e_1.25e1`. In a baseline it is `q_20` by the percentage with the bin mode `Quantile`, and `p_1.25e1`
    with `Equal`. """
    aggregated_values: list[float]
    """ What is compared of each bin, by the aggregation. """
    aggregation: Aggregation
    """ What is compared of each bin. With `Density`, its share of all values; a bin has its upper edge and not its
    lower one, but the first after the left outliers has both; of bins that end at the same edge, the first has the
    values. With `Cumulative`, the sum of the shares of this bin and all before it. With `Edges`, the edges
    themselves; what is compared of a bin without one no source says.

    Source: recordings, "/v1/api/assays/summarize" (recorded); recordings, "/v1/api/assays/run_interactive"
    (recorded); field-notes, "Assays" (observed). """
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

        edges = []
        for edges_item_data in self.edges:
            edges_item: float | None
            edges_item = edges_item_data
            edges.append(edges_item)

        edge_names = self.edge_names

        aggregated_values = self.aggregated_values

        aggregation = self.aggregation.value

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
        field_dict.update(
            {
                "count": count,
                "min": min_,
                "max": max_,
                "mean": mean,
                "median": median,
                "std": std,
                "edges": edges,
                "edge_names": edge_names,
                "aggregated_values": aggregated_values,
                "aggregation": aggregation,
            }
        )
        if start is not UNSET:
            field_dict["start"] = start
        if end is not UNSET:
            field_dict["end"] = end

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        count = d.pop("count")

        min_ = d.pop("min")

        max_ = d.pop("max")

        mean = d.pop("mean")

        median = d.pop("median")

        std = d.pop("std")

        edges = []
        _edges = d.pop("edges")
        for edges_item_data in _edges:

            def _parse_edges_item(data: object) -> float | None:
                if data is None:
                    return data
                return cast(float | None, data)

            edges_item = _parse_edges_item(edges_item_data)

            edges.append(edges_item)

        edge_names = cast(list[str], d.pop("edge_names"))

        aggregated_values = cast(list[float], d.pop("aggregated_values"))

        aggregation = Aggregation(d.pop("aggregation"))

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

        assay_summary_request = cls(
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

        assay_summary_request.additional_properties = d
        return assay_summary_request

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
