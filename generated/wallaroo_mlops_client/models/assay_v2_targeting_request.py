from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import ApiModel

if TYPE_CHECKING:
    from ..models.assay_v2_data_origin_request import AssayV2DataOriginRequest
    from ..models.assay_v2_field_request import AssayV2FieldRequest


T = TypeVar("T", bound="AssayV2TargetingRequest")


@_attrs_define(repr=False)
class AssayV2TargetingRequest(ApiModel):
    """What an assay watches.

    Source: vendor-sdk, "What the vendor's own SDK asks of a server" (observed).

    """

    data_origin: AssayV2DataOriginRequest
    """ Whose inferences an assay watches.

    Source: vendor-sdk, "What the vendor's own SDK asks of a server" (observed). """
    iopath: list[AssayV2FieldRequest]
    """ The watched values. """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        data_origin = self.data_origin.to_dict()

        iopath = []
        for iopath_item_data in self.iopath:
            iopath_item = iopath_item_data.to_dict()
            iopath.append(iopath_item)

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "data_origin": data_origin,
                "iopath": iopath,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.assay_v2_data_origin_request import AssayV2DataOriginRequest  # noqa: PLC0415
        from ..models.assay_v2_field_request import AssayV2FieldRequest  # noqa: PLC0415

        d = dict(src_dict)
        data_origin = AssayV2DataOriginRequest.from_dict(d.pop("data_origin"))

        iopath = []
        _iopath = d.pop("iopath")
        for iopath_item_data in _iopath:
            iopath_item = AssayV2FieldRequest.from_dict(iopath_item_data)

            iopath.append(iopath_item)

        assay_v2_targeting_request = cls(
            data_origin=data_origin,
            iopath=iopath,
        )

        assay_v2_targeting_request.additional_properties = d
        return assay_v2_targeting_request

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
