from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

if TYPE_CHECKING:
    from ..models.model_version import ModelVersion


T = TypeVar("T", bound="ModelWithVersions")


@_attrs_define
class ModelWithVersions:
    """A model with its versions.

    Source: mlops-api-tutorial, "Get Model Details" (recorded); api-essentials-guide, "Get Model Details" (recorded).

    """

    id: int
    """ The model's id. """
    name: str
    """ The model's name. """
    models: list[ModelVersion]
    """ The versions; their order is not promised. """
    owner_id: str | Unset = UNSET
    """ The owner's Keycloak id. Releases of 2023 write two quotation marks instead. """
    created_at: str | Unset = UNSET
    """ When it was created, as RFC 3339 writes it. """
    updated_at: str | Unset = UNSET
    """ When it was changed last, as RFC 3339 writes it. """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        id = self.id

        name = self.name

        models = []
        for models_item_data in self.models:
            models_item = models_item_data.to_dict()
            models.append(models_item)

        owner_id = self.owner_id

        created_at = self.created_at

        updated_at = self.updated_at

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "id": id,
                "name": name,
                "models": models,
            }
        )
        if owner_id is not UNSET:
            field_dict["owner_id"] = owner_id
        if created_at is not UNSET:
            field_dict["created_at"] = created_at
        if updated_at is not UNSET:
            field_dict["updated_at"] = updated_at

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.model_version import ModelVersion  # noqa: PLC0415

        d = dict(src_dict)
        id = d.pop("id")

        name = d.pop("name")

        models = []
        _models = d.pop("models")
        for models_item_data in _models:
            models_item = ModelVersion.from_dict(models_item_data)

            models.append(models_item)

        owner_id = d.pop("owner_id", UNSET)

        created_at = d.pop("created_at", UNSET)

        updated_at = d.pop("updated_at", UNSET)

        model_with_versions = cls(
            id=id,
            name=name,
            models=models,
            owner_id=owner_id,
            created_at=created_at,
            updated_at=updated_at,
        )

        model_with_versions.additional_properties = d
        return model_with_versions

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
