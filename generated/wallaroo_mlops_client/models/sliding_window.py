from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, ApiModel, Unset

if TYPE_CHECKING:
    from ..models.assay_window import AssayWindow


T = TypeVar("T", bound="SlidingWindow")


@_attrs_define(repr=False)
class SlidingWindow(ApiModel):
    """A window that moves with the windows that are compared with it.

    Source: vendor-sdk, "What the vendor's own SDK asks of a server" (observed).

    """

    window: AssayWindow | Unset = UNSET
    """ Which inferences are compared with the baseline, and how often.

    Source: mlops-api-tutorial, "List Assays" (recorded); recordings, "/v1/api/assays/list" (recorded). """
    offset: str | Unset = UNSET
    """ How far before the other window it begins. """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        window: dict[str, Any] | Unset = UNSET
        if not isinstance(self.window, Unset):
            window = self.window.to_dict()

        offset = self.offset

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update({})
        if window is not UNSET:
            field_dict["window"] = window
        if offset is not UNSET:
            field_dict["offset"] = offset

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.assay_window import AssayWindow  # noqa: PLC0415

        d = dict(src_dict)
        _window = d.pop("window", UNSET)
        window: AssayWindow | Unset
        if isinstance(_window, Unset):
            window = UNSET
        else:
            window = AssayWindow.from_dict(_window)

        offset = d.pop("offset", UNSET)

        sliding_window = cls(
            window=window,
            offset=offset,
        )

        sliding_window.additional_properties = d
        return sliding_window

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
