from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, ApiModel, Unset

if TYPE_CHECKING:
    from ..models.deploy_pipeline_response import DeployPipelineResponse


T = TypeVar("T", bound="CopyPipelineResponse")


@_attrs_define(repr=False)
class CopyPipelineResponse(ApiModel):
    """The copy.

    Source: pipeline-management-tutorial, "Copy a Pipeline Examples" (recorded); mlops-api-tutorial, "Copy a Pipeline"
    (recorded); field-notes, "Pipelines, deployment, inference" (observed).

    """

    pipeline_pk_id: int
    """ The new pipeline's id. """
    pipeline_variant_pk_id: int
    """ The id of its version. """
    pipeline_version: None | str | Unset = UNSET
    """ The UUID of its version; null in every recording. """
    deployment: DeployPipelineResponse | None | Unset = UNSET
    """ The copy's deployment; null where none was asked for. """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        from ..models.deploy_pipeline_response import DeployPipelineResponse  # noqa: PLC0415

        pipeline_pk_id = self.pipeline_pk_id

        pipeline_variant_pk_id = self.pipeline_variant_pk_id

        pipeline_version: None | str | Unset
        if isinstance(self.pipeline_version, Unset):
            pipeline_version = UNSET
        else:
            pipeline_version = self.pipeline_version

        deployment: dict[str, Any] | None | Unset
        if isinstance(self.deployment, Unset):
            deployment = UNSET
        elif isinstance(self.deployment, DeployPipelineResponse):
            deployment = self.deployment.to_dict()
        else:
            deployment = self.deployment

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "pipeline_pk_id": pipeline_pk_id,
                "pipeline_variant_pk_id": pipeline_variant_pk_id,
            }
        )
        if pipeline_version is not UNSET:
            field_dict["pipeline_version"] = pipeline_version
        if deployment is not UNSET:
            field_dict["deployment"] = deployment

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.deploy_pipeline_response import DeployPipelineResponse  # noqa: PLC0415

        d = dict(src_dict)
        pipeline_pk_id = d.pop("pipeline_pk_id")

        pipeline_variant_pk_id = d.pop("pipeline_variant_pk_id")

        def _parse_pipeline_version(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, data)

        pipeline_version = _parse_pipeline_version(d.pop("pipeline_version", UNSET))

        def _parse_deployment(data: object) -> DeployPipelineResponse | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            try:
                if not isinstance(data, dict):
                    raise TypeError()
                deployment_type_0 = DeployPipelineResponse.from_dict(data)

                return deployment_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(DeployPipelineResponse | None | Unset, data)

        deployment = _parse_deployment(d.pop("deployment", UNSET))

        copy_pipeline_response = cls(
            pipeline_pk_id=pipeline_pk_id,
            pipeline_variant_pk_id=pipeline_variant_pk_id,
            pipeline_version=pipeline_version,
            deployment=deployment,
        )

        copy_pipeline_response.additional_properties = d
        return copy_pipeline_response

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
