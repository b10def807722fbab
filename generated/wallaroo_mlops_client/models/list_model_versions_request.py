from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, ApiModel, Unset

T = TypeVar("T", bound="ListModelVersionsRequest")


@_attrs_define(repr=False)
class ListModelVersionsRequest(ApiModel):
    """The model whose versions to list, by its name, its id, or both.

    Source: mlops-api-tutorial, "Get Model Versions" (example); field-notes, "Models" (observed); recordings,
    "/v1/api/models/list_versions" (recorded); vendor-sdk, "What the vendor's own SDK asks of a server" (observed).

    """

    model_id: None | str | Unset = UNSET
    """ The model's name. """
    models_pk_id: int | None | Unset = UNSET
    """ The model's id; 0 was sent beside a name and is as good as absent. """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        model_id: None | str | Unset
        if isinstance(self.model_id, Unset):
            model_id = UNSET
        else:
            model_id = self.model_id

        models_pk_id: int | None | Unset
        if isinstance(self.models_pk_id, Unset):
            models_pk_id = UNSET
        else:
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

        def _parse_model_id(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, data)

        model_id = _parse_model_id(d.pop("model_id", UNSET))

        def _parse_models_pk_id(data: object) -> int | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(int | None | Unset, data)

        models_pk_id = _parse_models_pk_id(d.pop("models_pk_id", UNSET))

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
