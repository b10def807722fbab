from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, ApiModel, Unset

T = TypeVar("T", bound="EngineError")


@_attrs_define(repr=False)
class EngineError(ApiModel):
    """What the inference engine answers when it cannot score the rows.

    Source: field-notes, "Across the API" (observed).

    """

    error: str
    """ What is wrong, for a person. """
    code: int | Unset = UNSET
    """ The HTTP status. """
    status: str | Unset = UNSET
    """ Always `Error` so far. """
    source: str | Unset = UNSET
    """ The part of the deployment that found it. """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        error = self.error

        code = self.code

        status = self.status

        source = self.source

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "error": error,
            }
        )
        if code is not UNSET:
            field_dict["code"] = code
        if status is not UNSET:
            field_dict["status"] = status
        if source is not UNSET:
            field_dict["source"] = source

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        error = d.pop("error")

        code = d.pop("code", UNSET)

        status = d.pop("status", UNSET)

        source = d.pop("source", UNSET)

        engine_error = cls(
            error=error,
            code=code,
            status=status,
            source=source,
        )

        engine_error.additional_properties = d
        return engine_error

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
