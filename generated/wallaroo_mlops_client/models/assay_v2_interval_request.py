from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..models.assay_v2_interval_request_unit import AssayV2IntervalRequestUnit
from ..types import ApiModel

T = TypeVar("T", bound="AssayV2IntervalRequest")


@_attrs_define(repr=False)
class AssayV2IntervalRequest(ApiModel):
    """A length of time.

    Source: vendor-sdk, "What the vendor's own SDK asks of a server" (observed).

    """

    quantity: int
    """ How many units it has. """
    unit: AssayV2IntervalRequestUnit
    """ The unit. """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        quantity = self.quantity

        unit = self.unit.value

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "quantity": quantity,
                "unit": unit,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        quantity = d.pop("quantity")

        unit = AssayV2IntervalRequestUnit(d.pop("unit"))

        assay_v2_interval_request = cls(
            quantity=quantity,
            unit=unit,
        )

        assay_v2_interval_request.additional_properties = d
        return assay_v2_interval_request

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
