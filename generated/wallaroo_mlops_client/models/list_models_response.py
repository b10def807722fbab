from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import ApiModel

if TYPE_CHECKING:
    from ..models.model import Model
    from ..models.model_in_workspace import ModelInWorkspace
    from ..models.model_with_one_version import ModelWithOneVersion


T = TypeVar("T", bound="ListModelsResponse")


@_attrs_define(repr=False)
class ListModelsResponse(ApiModel):
    """The models of a workspace.

    Source: mlops-api-tutorial, "List Models in Workspace" (recorded); recordings, "/v1/api/models/list" (recorded).

    """

    models: list[Model | ModelInWorkspace | ModelWithOneVersion]
    """ The models. """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        from ..models.model import Model  # noqa: PLC0415
        from ..models.model_in_workspace import ModelInWorkspace  # noqa: PLC0415

        models = []
        for models_item_data in self.models:
            models_item: dict[str, Any]
            if isinstance(models_item_data, ModelInWorkspace):
                models_item = models_item_data.to_dict()
            elif isinstance(models_item_data, Model):
                models_item = models_item_data.to_dict()
            else:
                models_item = models_item_data.to_dict()

            models.append(models_item)

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "models": models,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.model import Model  # noqa: PLC0415
        from ..models.model_in_workspace import ModelInWorkspace  # noqa: PLC0415
        from ..models.model_with_one_version import ModelWithOneVersion  # noqa: PLC0415

        d = dict(src_dict)
        models = []
        _models = d.pop("models")
        for models_item_data in _models:

            def _parse_models_item(
                data: object,
            ) -> Model | ModelInWorkspace | ModelWithOneVersion:
                try:
                    if not isinstance(data, dict):
                        raise TypeError()
                    componentsschemas_listed_model_type_0 = ModelInWorkspace.from_dict(
                        data
                    )

                    return componentsschemas_listed_model_type_0
                except (TypeError, ValueError, AttributeError, KeyError):
                    pass
                try:
                    if not isinstance(data, dict):
                        raise TypeError()
                    componentsschemas_listed_model_type_1 = Model.from_dict(data)

                    return componentsschemas_listed_model_type_1
                except (TypeError, ValueError, AttributeError, KeyError):
                    pass
                if not isinstance(data, dict):
                    raise TypeError()
                componentsschemas_listed_model_type_2 = ModelWithOneVersion.from_dict(
                    data
                )

                return componentsschemas_listed_model_type_2

            models_item = _parse_models_item(models_item_data)

            models.append(models_item)

        list_models_response = cls(
            models=models,
        )

        list_models_response.additional_properties = d
        return list_models_response

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
