from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import ApiModel

if TYPE_CHECKING:
    from ..models.inserted_model import InsertedModel


T = TypeVar("T", bound="InsertedModels")


@_attrs_define(repr=False)
class InsertedModels(ApiModel):
    """The inserted rows.

    Source: mlops-api-tutorial, "Upload Native Runtime Model Example" (recorded).

    """

    returning: list[InsertedModel]
    """ One element for the one upload. """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        returning = []
        for returning_item_data in self.returning:
            returning_item = returning_item_data.to_dict()
            returning.append(returning_item)

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "returning": returning,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.inserted_model import InsertedModel  # noqa: PLC0415

        d = dict(src_dict)
        returning = []
        _returning = d.pop("returning")
        for returning_item_data in _returning:
            returning_item = InsertedModel.from_dict(returning_item_data)

            returning.append(returning_item)

        inserted_models = cls(
            returning=returning,
        )

        inserted_models.additional_properties = d
        return inserted_models

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
