from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import ApiModel

T = TypeVar("T", bound="SetAssayV2ActiveRequest")


@_attrs_define(repr=False)
class SetAssayV2ActiveRequest(ApiModel):
    """The assay to switch on or off.

    Source: vendor-sdk, "What the vendor's own SDK asks of a server" (observed).

    """

    assay_id: str
    """ The assay's UUID. """
    active: bool
    """ Whether the instance runs it by itself. """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        assay_id = self.assay_id

        active = self.active

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "assay_id": assay_id,
                "active": active,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        assay_id = d.pop("assay_id")

        active = d.pop("active")

        set_assay_v2_active_request = cls(
            assay_id=assay_id,
            active=active,
        )

        set_assay_v2_active_request.additional_properties = d
        return set_assay_v2_active_request

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
