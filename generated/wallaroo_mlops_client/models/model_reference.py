from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import ApiModel

T = TypeVar("T", bound="ModelReference")


@_attrs_define(repr=False)
class ModelReference(ApiModel):
    """One model version, named in full.

    Source: pipeline-management-tutorial, "Create Pipeline in a Workspace Examples" (example); mlops-api-tutorial,
    "Deploy a Pipeline" (prose).

    """

    name: str
    """ The model's name. The model is in the pipeline's workspace. """
    version: str
    """ The version's UUID. One table calls it an integer; every request that was run sends the UUID. """
    sha: str
    """ The SHA-256 of the version's file, in hexadecimal. """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        name = self.name

        version = self.version

        sha = self.sha

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "name": name,
                "version": version,
                "sha": sha,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        name = d.pop("name")

        version = d.pop("version")

        sha = d.pop("sha")

        model_reference = cls(
            name=name,
            version=version,
            sha=sha,
        )

        model_reference.additional_properties = d
        return model_reference

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
