from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import ApiModel

if TYPE_CHECKING:
    from ..models.assay_path_window_request import AssayPathWindowRequest


T = TypeVar("T", bound="SlidingWindowRequest")


@_attrs_define(repr=False)
class SlidingWindowRequest(ApiModel):
    """A window that moves with the windows that are compared with it.

    Source: vendor-sdk, "What the vendor's own SDK asks of a server" (observed).

    """

    window: AssayPathWindowRequest
    """ Inferences of a pipeline, and the value of them, as 2023.4 and later have it.

    Source: recordings, "/v1/api/assays/create" (recorded); recordings, "/v1/api/assays/summarize" (recorded);
    vendor-sdk, "What the vendor's own SDK asks of a server" (observed). """
    offset: str
    """ How far before the other window it begins, such as `24 hours`. """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        window = self.window.to_dict()

        offset = self.offset

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "window": window,
                "offset": offset,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.assay_path_window_request import AssayPathWindowRequest  # noqa: PLC0415

        d = dict(src_dict)
        window = AssayPathWindowRequest.from_dict(d.pop("window"))

        offset = d.pop("offset")

        sliding_window_request = cls(
            window=window,
            offset=offset,
        )

        sliding_window_request.additional_properties = d
        return sliding_window_request

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
