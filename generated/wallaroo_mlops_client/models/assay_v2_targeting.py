from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, ApiModel, Unset

if TYPE_CHECKING:
    from ..models.assay_v2_data_origin import AssayV2DataOrigin
    from ..models.assay_v2_field import AssayV2Field


T = TypeVar("T", bound="AssayV2Targeting")


@_attrs_define(repr=False)
class AssayV2Targeting(ApiModel):
    """What an assay watches.

    Source: recordings, "/v2/api/assays/get" (recorded).

    """

    data_origin: AssayV2DataOrigin | Unset = UNSET
    """ Whose inferences an assay watches.

    Source: recordings, "/v2/api/assays/get" (recorded). """
    iopath: list[AssayV2Field] | Unset = UNSET
    """ The watched values. """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        data_origin: dict[str, Any] | Unset = UNSET
        if not isinstance(self.data_origin, Unset):
            data_origin = self.data_origin.to_dict()

        iopath: list[dict[str, Any]] | Unset = UNSET
        if not isinstance(self.iopath, Unset):
            iopath = []
            for iopath_item_data in self.iopath:
                iopath_item = iopath_item_data.to_dict()
                iopath.append(iopath_item)

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update({})
        if data_origin is not UNSET:
            field_dict["data_origin"] = data_origin
        if iopath is not UNSET:
            field_dict["iopath"] = iopath

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.assay_v2_data_origin import AssayV2DataOrigin  # noqa: PLC0415
        from ..models.assay_v2_field import AssayV2Field  # noqa: PLC0415

        d = dict(src_dict)
        _data_origin = d.pop("data_origin", UNSET)
        data_origin: AssayV2DataOrigin | Unset
        if isinstance(_data_origin, Unset):
            data_origin = UNSET
        else:
            data_origin = AssayV2DataOrigin.from_dict(_data_origin)

        _iopath = d.pop("iopath", UNSET)
        iopath: list[AssayV2Field] | Unset = UNSET
        if _iopath is not UNSET:
            iopath = []
            for iopath_item_data in _iopath:
                iopath_item = AssayV2Field.from_dict(iopath_item_data)

                iopath.append(iopath_item)

        assay_v2_targeting = cls(
            data_origin=data_origin,
            iopath=iopath,
        )

        assay_v2_targeting.additional_properties = d
        return assay_v2_targeting

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
