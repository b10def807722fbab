from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import ApiModel

if TYPE_CHECKING:
    from ..models.inserted_models import InsertedModels


T = TypeVar("T", bound="UploadModelResponse")


@_attrs_define(repr=False)
class UploadModelResponse(ApiModel):
    """The version that was added, wrapped as the instance's database answers.

    Source: mlops-api-tutorial, "Upload Native Runtime Model Example" (recorded).

    """

    insert_models: InsertedModels
    """ The inserted rows.

    Source: mlops-api-tutorial, "Upload Native Runtime Model Example" (recorded). """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        insert_models = self.insert_models.to_dict()

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "insert_models": insert_models,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.inserted_models import InsertedModels  # noqa: PLC0415

        d = dict(src_dict)
        insert_models = InsertedModels.from_dict(d.pop("insert_models"))

        upload_model_response = cls(
            insert_models=insert_models,
        )

        upload_model_response.additional_properties = d
        return upload_model_response

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
