from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, ApiModel, Unset

T = TypeVar("T", bound="PipelineStatus")


@_attrs_define(repr=False)
class PipelineStatus(ApiModel):
    """The state of one pipeline on an engine.

    Source: pipeline-management-tutorial, "Get Deployment Status Examples" (recorded); recordings,
    "/v1/api/status/get_deployment" (recorded).

    """

    id: str
    """ The pipeline's name. """
    status: str
    """ The pipeline's state. """
    version: str | Unset = UNSET
    """ The UUID of the pipeline version, in releases from 2024.2 on. """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        id = self.id

        status = self.status

        version = self.version

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "id": id,
                "status": status,
            }
        )
        if version is not UNSET:
            field_dict["version"] = version

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        id = d.pop("id")

        status = d.pop("status")

        version = d.pop("version", UNSET)

        pipeline_status = cls(
            id=id,
            status=status,
            version=version,
        )

        pipeline_status.additional_properties = d
        return pipeline_status

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
