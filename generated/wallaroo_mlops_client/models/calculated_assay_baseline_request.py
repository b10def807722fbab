from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import ApiModel

if TYPE_CHECKING:
    from ..models.calculated_baseline_request import CalculatedBaselineRequest


T = TypeVar("T", bound="CalculatedAssayBaselineRequest")


@_attrs_define(repr=False)
class CalculatedAssayBaselineRequest(ApiModel):
    """Values, or a window of inferences, to compare windows with.

    Source: recordings, "/v1/api/assays/create" (recorded); vendor-sdk, "What the vendor's own SDK asks of a server"
    (observed).

    """

    calculated: CalculatedBaselineRequest
    """ The values of a baseline, or the window of inferences that they come from; one of the three.

    Source: recordings, "/v1/api/assays/summarize" (recorded); recordings, "/v1/api/assays/create" (recorded);
    vendor-sdk, "What the vendor's own SDK asks of a server" (observed). """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        calculated = self.calculated.to_dict()

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "calculated": calculated,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.calculated_baseline_request import CalculatedBaselineRequest  # noqa: PLC0415

        d = dict(src_dict)
        calculated = CalculatedBaselineRequest.from_dict(d.pop("calculated"))

        calculated_assay_baseline_request = cls(
            calculated=calculated,
        )

        calculated_assay_baseline_request.additional_properties = d
        return calculated_assay_baseline_request

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
