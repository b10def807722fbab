from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, ApiModel, Unset

if TYPE_CHECKING:
    from ..models.list_features_response_features import ListFeaturesResponseFeatures


T = TypeVar("T", bound="ListFeaturesResponse")


@_attrs_define(repr=False)
class ListFeaturesResponse(ApiModel):
    """What the instance has enabled.

    Source: mlops-api-tutorial, "List Enablement Features" (recorded); api-essentials-guide, "List Enablement Features"
    (recorded).

    """

    features: ListFeaturesResponseFeatures | Unset = UNSET
    """ The features by name; a value of `'true'` is a text. The table calls them a string; an object was recorded.
    """
    name: str | Unset = UNSET
    """ The instance's name. """
    is_auth_enabled: bool | Unset = UNSET
    """ Whether requests need a token. """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        features: dict[str, Any] | Unset = UNSET
        if not isinstance(self.features, Unset):
            features = self.features.to_dict()

        name = self.name

        is_auth_enabled = self.is_auth_enabled

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update({})
        if features is not UNSET:
            field_dict["features"] = features
        if name is not UNSET:
            field_dict["name"] = name
        if is_auth_enabled is not UNSET:
            field_dict["is_auth_enabled"] = is_auth_enabled

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.list_features_response_features import (
            ListFeaturesResponseFeatures,  # noqa: PLC0415
        )

        d = dict(src_dict)
        _features = d.pop("features", UNSET)
        features: ListFeaturesResponseFeatures | Unset
        if isinstance(_features, Unset):
            features = UNSET
        else:
            features = ListFeaturesResponseFeatures.from_dict(_features)

        name = d.pop("name", UNSET)

        is_auth_enabled = d.pop("is_auth_enabled", UNSET)

        list_features_response = cls(
            features=features,
            name=name,
            is_auth_enabled=is_auth_enabled,
        )

        list_features_response.additional_properties = d
        return list_features_response

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
