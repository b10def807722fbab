from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import ApiModel

if TYPE_CHECKING:
    from ..models.fixed_baseline_request import FixedBaselineRequest


T = TypeVar("T", bound="AssayBaselineRequest")


@_attrs_define(repr=False)
class AssayBaselineRequest(ApiModel):
    """What windows are compared with.

    Source: mlops-api-tutorial, "Create Assay" (example).

    """

    fixed: FixedBaselineRequest
    """ The inferences of a fixed time.

    Source: mlops-api-tutorial, "Create Assay" (prose). """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        fixed = self.fixed.to_dict()

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "Fixed": fixed,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.fixed_baseline_request import FixedBaselineRequest  # noqa: PLC0415

        d = dict(src_dict)
        fixed = FixedBaselineRequest.from_dict(d.pop("Fixed"))

        assay_baseline_request = cls(
            fixed=fixed,
        )

        assay_baseline_request.additional_properties = d
        return assay_baseline_request

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
