from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

if TYPE_CHECKING:
    from ..models.fixed_baseline import FixedBaseline


T = TypeVar("T", bound="AssayBaseline")


@_attrs_define
class AssayBaseline:
    """What windows are compared with. `Fixed` is the only kind that was recorded.

    Source: mlops-api-tutorial, "List Assays" (recorded).

    """

    fixed: FixedBaseline | Unset = UNSET
    """ The inferences of a fixed time.

    Source: mlops-api-tutorial, "List Assays" (recorded). """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        fixed: dict[str, Any] | Unset = UNSET
        if not isinstance(self.fixed, Unset):
            fixed = self.fixed.to_dict()

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update({})
        if fixed is not UNSET:
            field_dict["Fixed"] = fixed

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.fixed_baseline import FixedBaseline  # noqa: PLC0415

        d = dict(src_dict)
        _fixed = d.pop("Fixed", UNSET)
        fixed: FixedBaseline | Unset
        if isinstance(_fixed, Unset):
            fixed = UNSET
        else:
            fixed = FixedBaseline.from_dict(_fixed)

        assay_baseline = cls(
            fixed=fixed,
        )

        assay_baseline.additional_properties = d
        return assay_baseline

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
