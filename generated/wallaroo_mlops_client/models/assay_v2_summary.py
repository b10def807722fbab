from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, ApiModel, Unset

if TYPE_CHECKING:
    from ..models.assay_v2_bins import AssayV2Bins
    from ..models.assay_v2_statistics import AssayV2Statistics


T = TypeVar("T", bound="AssayV2Summary")


@_attrs_define(repr=False)
class AssayV2Summary(ApiModel):
    """The distribution of a watched value in a time.

    Source: recordings, "/v2/api/assays/get" (recorded); recordings, "/v2/api/assays/get_results" (recorded).

    """

    name: None | str | Unset = UNSET
    """ Its name. """
    bins: AssayV2Bins | Unset = UNSET
    """ The bins of a distribution.

    Source: recordings, "/v2/api/assays/get" (recorded). """
    aggregated_values: list[float | None] | Unset = UNSET
    """ What is compared of each bin, by the aggregation. """
    aggregation: str | Unset = UNSET
    """ What is compared of each bin. """
    statistics: AssayV2Statistics | Unset = UNSET
    """ The figures of a distribution.

    Source: recordings, "/v2/api/assays/get" (recorded). """
    start: None | str | Unset = UNSET
    """ When the time begins. """
    end: None | str | Unset = UNSET
    """ When the time ends. """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        name: None | str | Unset
        if isinstance(self.name, Unset):
            name = UNSET
        else:
            name = self.name

        bins: dict[str, Any] | Unset = UNSET
        if not isinstance(self.bins, Unset):
            bins = self.bins.to_dict()

        aggregated_values: list[float | None] | Unset = UNSET
        if not isinstance(self.aggregated_values, Unset):
            aggregated_values = []
            for aggregated_values_item_data in self.aggregated_values:
                aggregated_values_item: float | None
                aggregated_values_item = aggregated_values_item_data
                aggregated_values.append(aggregated_values_item)

        aggregation = self.aggregation

        statistics: dict[str, Any] | Unset = UNSET
        if not isinstance(self.statistics, Unset):
            statistics = self.statistics.to_dict()

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
        if name is not UNSET:
            field_dict["name"] = name
        if bins is not UNSET:
            field_dict["bins"] = bins
        if aggregated_values is not UNSET:
            field_dict["aggregated_values"] = aggregated_values
        if aggregation is not UNSET:
            field_dict["aggregation"] = aggregation
        if statistics is not UNSET:
            field_dict["statistics"] = statistics
        if start is not UNSET:
            field_dict["start"] = start
        if end is not UNSET:
            field_dict["end"] = end

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.assay_v2_bins import AssayV2Bins  # noqa: PLC0415
        from ..models.assay_v2_statistics import AssayV2Statistics  # noqa: PLC0415

        d = dict(src_dict)

        def _parse_name(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, data)

        name = _parse_name(d.pop("name", UNSET))

        _bins = d.pop("bins", UNSET)
        bins: AssayV2Bins | Unset
        if isinstance(_bins, Unset):
            bins = UNSET
        else:
            bins = AssayV2Bins.from_dict(_bins)

        _aggregated_values = d.pop("aggregated_values", UNSET)
        aggregated_values: list[float | None] | Unset = UNSET
        if _aggregated_values is not UNSET:
            aggregated_values = []
            for aggregated_values_item_data in _aggregated_values:

                def _parse_aggregated_values_item(data: object) -> float | None:
                    if data is None:
                        return data
                    return cast(float | None, data)

                aggregated_values_item = _parse_aggregated_values_item(
                    aggregated_values_item_data
                )

                aggregated_values.append(aggregated_values_item)

        aggregation = d.pop("aggregation", UNSET)

        _statistics = d.pop("statistics", UNSET)
        statistics: AssayV2Statistics | Unset
        if isinstance(_statistics, Unset):
            statistics = UNSET
        else:
            statistics = AssayV2Statistics.from_dict(_statistics)

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

        assay_v2_summary = cls(
            name=name,
            bins=bins,
            aggregated_values=aggregated_values,
            aggregation=aggregation,
            statistics=statistics,
            start=start,
            end=end,
        )

        assay_v2_summary.additional_properties = d
        return assay_v2_summary

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
