from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import ApiModel

if TYPE_CHECKING:
    from ..models.model_version import ModelVersion


T = TypeVar("T", bound="ModelWithOneVersion")


@_attrs_define(repr=False)
class ModelWithOneVersion(ApiModel):
    """A model with one of its versions, as the oldest releases list it.

    Source: recordings, "/v1/api/models/list" (recorded).

    """

    id: int
    """ The model's id. """
    models: ModelVersion
    """ One uploaded version of a model.

    Source: mlops-api-tutorial, "Get Model Versions" (recorded); api-essentials-guide, "Get Model Versions"
    (recorded); recordings, "/v1/api/models/list_versions" (recorded); vendor-sdk, "What the vendor's own SDK asks
    of a server" (observed). """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        id = self.id

        models = self.models.to_dict()

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "id": id,
                "models": models,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.model_version import ModelVersion  # noqa: PLC0415

        d = dict(src_dict)
        id = d.pop("id")

        models = ModelVersion.from_dict(d.pop("models"))

        model_with_one_version = cls(
            id=id,
            models=models,
        )

        model_with_one_version.additional_properties = d
        return model_with_one_version

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
