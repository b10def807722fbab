from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import ApiModel

T = TypeVar("T", bound="GetModelConfigByIdRequest")


@_attrs_define(repr=False)
class GetModelConfigByIdRequest(ApiModel):
    """The model version whose configuration to get.

    Source: field-notes, "Decided where the sources are silent or clash" (convention); mlops-api-tutorial, "Get Model
    Configuration by Id" (prose).

    """

    model_id: int
    """ The model version's id. The table calls it the model's: a configuration is a version's, and in every
    recording the first version's id is its model's. """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        model_id = self.model_id

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "model_id": model_id,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        model_id = d.pop("model_id")

        get_model_config_by_id_request = cls(
            model_id=model_id,
        )

        get_model_config_by_id_request.additional_properties = d
        return get_model_config_by_id_request

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
