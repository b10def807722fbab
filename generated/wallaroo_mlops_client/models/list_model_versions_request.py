from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

T = TypeVar("T", bound="ListModelVersionsRequest")


@_attrs_define
class ListModelVersionsRequest:
    """The model whose versions to list, by its name, its id, or both.

    Source: mlops-api-tutorial, "Get Model Versions" (example); field-notes, "Models" (observed).

    """

    model_id: str | Unset = UNSET
    """ The model's name. """
    models_pk_id: int | Unset = UNSET
    """ The model's id. """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        model_id = self.model_id

        models_pk_id = self.models_pk_id

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update({})
        if model_id is not UNSET:
            field_dict["model_id"] = model_id
        if models_pk_id is not UNSET:
            field_dict["models_pk_id"] = models_pk_id

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        model_id = d.pop("model_id", UNSET)

        models_pk_id = d.pop("models_pk_id", UNSET)

        list_model_versions_request = cls(
            model_id=model_id,
            models_pk_id=models_pk_id,
        )

        list_model_versions_request.additional_properties = d
        return list_model_versions_request

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
