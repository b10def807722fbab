from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, ApiModel, Unset

T = TypeVar("T", bound="ModelStatus")


@_attrs_define(repr=False)
class ModelStatus(ApiModel):
    """The state of one model version on an engine.

    Source: pipeline-management-tutorial, "Get Deployment Status Examples" (recorded); recordings,
    "/v1/api/status/get_deployment" (recorded).

    """

    name: str
    """ The model's name. """
    status: str
    """ The model's state. """
    version: str | Unset = UNSET
    """ The version's UUID. """
    sha: str | Unset = UNSET
    """ The SHA-256 of the version's file, in hexadecimal. """
    model_version_id: int | Unset = UNSET
    """ The id of the model version, in releases from 2025 on. """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        name = self.name

        status = self.status

        version = self.version

        sha = self.sha

        model_version_id = self.model_version_id

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "name": name,
                "status": status,
            }
        )
        if version is not UNSET:
            field_dict["version"] = version
        if sha is not UNSET:
            field_dict["sha"] = sha
        if model_version_id is not UNSET:
            field_dict["model_version_id"] = model_version_id

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        name = d.pop("name")

        status = d.pop("status")

        version = d.pop("version", UNSET)

        sha = d.pop("sha", UNSET)

        model_version_id = d.pop("model_version_id", UNSET)

        model_status = cls(
            name=name,
            status=status,
            version=version,
            sha=sha,
            model_version_id=model_version_id,
        )

        model_status.additional_properties = d
        return model_status

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
