from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, ApiModel, Unset

T = TypeVar("T", bound="GetModelUploadLogsRequest")


@_attrs_define(repr=False)
class GetModelUploadLogsRequest(ApiModel):
    """The model version whose lines to get.

    Source: recordings, "/v1/api/models/get_upload_logs" (recorded).

    """

    model_version_id: int
    """ The model version's id. """
    lines: int | None | Unset = UNSET
    """ How many lines to get at the most, the newest ones; all by default. """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        model_version_id = self.model_version_id

        lines: int | None | Unset
        if isinstance(self.lines, Unset):
            lines = UNSET
        else:
            lines = self.lines

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "model_version_id": model_version_id,
            }
        )
        if lines is not UNSET:
            field_dict["lines"] = lines

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        model_version_id = d.pop("model_version_id")

        def _parse_lines(data: object) -> int | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(int | None | Unset, data)

        lines = _parse_lines(d.pop("lines", UNSET))

        get_model_upload_logs_request = cls(
            model_version_id=model_version_id,
            lines=lines,
        )

        get_model_upload_logs_request.additional_properties = d
        return get_model_upload_logs_request

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
