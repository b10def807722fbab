from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, ApiModel, Unset

T = TypeVar("T", bound="CreatePipelineResponse")


@_attrs_define(repr=False)
class CreatePipelineResponse(ApiModel):
    """The pipeline and the version that was added to it.

    Source: pipeline-management-tutorial, "Create Pipeline in a Workspace Examples" (recorded).

    """

    pipeline_pk_id: int
    """ The pipeline's id. """
    pipeline_variant_pk_id: int
    """ The id of the pipeline version. """
    pipeline_variant_version: str | Unset = UNSET
    """ The UUID of the pipeline version. """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        pipeline_pk_id = self.pipeline_pk_id

        pipeline_variant_pk_id = self.pipeline_variant_pk_id

        pipeline_variant_version = self.pipeline_variant_version

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "pipeline_pk_id": pipeline_pk_id,
                "pipeline_variant_pk_id": pipeline_variant_pk_id,
            }
        )
        if pipeline_variant_version is not UNSET:
            field_dict["pipeline_variant_version"] = pipeline_variant_version

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        pipeline_pk_id = d.pop("pipeline_pk_id")

        pipeline_variant_pk_id = d.pop("pipeline_variant_pk_id")

        pipeline_variant_version = d.pop("pipeline_variant_version", UNSET)

        create_pipeline_response = cls(
            pipeline_pk_id=pipeline_pk_id,
            pipeline_variant_pk_id=pipeline_variant_pk_id,
            pipeline_variant_version=pipeline_variant_version,
        )

        create_pipeline_response.additional_properties = d
        return create_pipeline_response

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
