from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, ApiModel, Unset

T = TypeVar("T", bound="AssayV2Bins")


@_attrs_define(repr=False)
class AssayV2Bins(ApiModel):
    """The bins of a distribution.

    Source: recordings, "/v2/api/assays/get" (recorded).

    """

    mode: Any | Unset = UNSET
    """ Where the edges come from, `Quantile` with the number of bins for one. """
    edges: list[float | None | str] | Unset = UNSET
    """ The upper edge of each bin; `INFINITY` for the last one. The recorded bins have the outliers in the first
    and the last, five edges for `Quantile` of 5; published clients send bins of the first version, too, with two
    more. """
    labels: list[str] | None | Unset = UNSET
    """ The name of each bin. """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        mode = self.mode

        edges: list[float | None | str] | Unset = UNSET
        if not isinstance(self.edges, Unset):
            edges = []
            for edges_item_data in self.edges:
                edges_item: float | None | str
                edges_item = edges_item_data
                edges.append(edges_item)

        labels: list[str] | None | Unset
        if isinstance(self.labels, Unset):
            labels = UNSET
        elif isinstance(self.labels, list):
            labels = self.labels

        else:
            labels = self.labels

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update({})
        if mode is not UNSET:
            field_dict["mode"] = mode
        if edges is not UNSET:
            field_dict["edges"] = edges
        if labels is not UNSET:
            field_dict["labels"] = labels

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        mode = d.pop("mode", UNSET)

        _edges = d.pop("edges", UNSET)
        edges: list[float | None | str] | Unset = UNSET
        if _edges is not UNSET:
            edges = []
            for edges_item_data in _edges:

                def _parse_edges_item(data: object) -> float | None | str:
                    if data is None:
                        return data
                    return cast(float | None | str, data)

                edges_item = _parse_edges_item(edges_item_data)

                edges.append(edges_item)

        def _parse_labels(data: object) -> list[str] | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            try:
                if not isinstance(data, list):
                    raise TypeError()
                labels_type_0 = cast(list[str], data)

                return labels_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(list[str] | None | Unset, data)

        labels = _parse_labels(d.pop("labels", UNSET))

        assay_v2_bins = cls(
            mode=mode,
            edges=edges,
            labels=labels,
        )

        assay_v2_bins.additional_properties = d
        return assay_v2_bins

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
