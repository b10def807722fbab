from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import ApiModel

if TYPE_CHECKING:
    from ..models.assay_v2_window_request_width import AssayV2WindowRequestWidth


T = TypeVar("T", bound="AssayV2WindowRequest")


@_attrs_define(repr=False)
class AssayV2WindowRequest(ApiModel):
    """How long a window is.

    Source: vendor-sdk, "What the vendor's own SDK asks of a server" (observed).

    """

    width: AssayV2WindowRequestWidth
    """ The length. """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        width = self.width.to_dict()

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "width": width,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.assay_v2_window_request_width import AssayV2WindowRequestWidth  # noqa: PLC0415

        d = dict(src_dict)
        width = AssayV2WindowRequestWidth.from_dict(d.pop("width"))

        assay_v2_window_request = cls(
            width=width,
        )

        assay_v2_window_request.additional_properties = d
        return assay_v2_window_request

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
