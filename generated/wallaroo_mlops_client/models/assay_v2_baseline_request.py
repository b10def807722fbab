from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, ApiModel, Unset

if TYPE_CHECKING:
    from ..models.assay_v2_baseline_request_summary import AssayV2BaselineRequestSummary


T = TypeVar("T", bound="AssayV2BaselineRequest")


@_attrs_define(repr=False)
class AssayV2BaselineRequest(ApiModel):
    """What windows are compared with, under the name of its kind.

    Source: vendor-sdk, "What the vendor's own SDK asks of a server" (observed).

    """

    summary: AssayV2BaselineRequestSummary | Unset = UNSET
    """ The distribution of each watched value, as `preview_assay_baseline_v2` answers it. """
    static: list[str] | Unset = UNSET
    """ When the inferences begin and end whose values are the baseline. """
    vector: list[float | None] | Unset = UNSET
    """ The values. """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        summary: dict[str, Any] | Unset = UNSET
        if not isinstance(self.summary, Unset):
            summary = self.summary.to_dict()

        static: list[str] | Unset = UNSET
        if not isinstance(self.static, Unset):
            static = self.static

        vector: list[float | None] | Unset = UNSET
        if not isinstance(self.vector, Unset):
            vector = []
            for vector_item_data in self.vector:
                vector_item: float | None
                vector_item = vector_item_data
                vector.append(vector_item)

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update({})
        if summary is not UNSET:
            field_dict["Summary"] = summary
        if static is not UNSET:
            field_dict["Static"] = static
        if vector is not UNSET:
            field_dict["Vector"] = vector

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.assay_v2_baseline_request_summary import (
            AssayV2BaselineRequestSummary,  # noqa: PLC0415
        )

        d = dict(src_dict)
        _summary = d.pop("Summary", UNSET)
        summary: AssayV2BaselineRequestSummary | Unset
        if isinstance(_summary, Unset):
            summary = UNSET
        else:
            summary = AssayV2BaselineRequestSummary.from_dict(_summary)

        static = cast(list[str], d.pop("Static", UNSET))

        _vector = d.pop("Vector", UNSET)
        vector: list[float | None] | Unset = UNSET
        if _vector is not UNSET:
            vector = []
            for vector_item_data in _vector:

                def _parse_vector_item(data: object) -> float | None:
                    if data is None:
                        return data
                    return cast(float | None, data)

                vector_item = _parse_vector_item(vector_item_data)

                vector.append(vector_item)

        assay_v2_baseline_request = cls(
            summary=summary,
            static=static,
            vector=vector,
        )

        assay_v2_baseline_request.additional_properties = d
        return assay_v2_baseline_request

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
