from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, ApiModel, Unset

T = TypeVar("T", bound="AssayV2ThresholdsRequest")


@_attrs_define(repr=False)
class AssayV2ThresholdsRequest(ApiModel):
    """The scores above which a window is a warning or an alert.

    Source: vendor-sdk, "What the vendor's own SDK asks of a server" (observed).

    """

    warning: float | None | Unset = UNSET
    """ The score above which a window is a warning. """
    alert: float | None | Unset = UNSET
    """ The score above which a window is an alert. """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        warning: float | None | Unset
        if isinstance(self.warning, Unset):
            warning = UNSET
        else:
            warning = self.warning

        alert: float | None | Unset
        if isinstance(self.alert, Unset):
            alert = UNSET
        else:
            alert = self.alert

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update({})
        if warning is not UNSET:
            field_dict["warning"] = warning
        if alert is not UNSET:
            field_dict["alert"] = alert

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)

        def _parse_warning(data: object) -> float | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(float | None | Unset, data)

        warning = _parse_warning(d.pop("warning", UNSET))

        def _parse_alert(data: object) -> float | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(float | None | Unset, data)

        alert = _parse_alert(d.pop("alert", UNSET))

        assay_v2_thresholds_request = cls(
            warning=warning,
            alert=alert,
        )

        assay_v2_thresholds_request.additional_properties = d
        return assay_v2_thresholds_request

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
