from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, ApiModel, Unset

if TYPE_CHECKING:
    from ..models.copy_pipeline_request_engine_config import (
        CopyPipelineRequestEngineConfig,
    )


T = TypeVar("T", bound="CopyPipelineRequest")


@_attrs_define(repr=False)
class CopyPipelineRequest(ApiModel):
    """The pipeline to copy, and what the copy is called.

    Source: pipeline-management-tutorial, "Copy a Pipeline Returns" (prose); mlops-api-tutorial, "Copy a Pipeline"
    (prose); field-notes, "Pipelines, deployment, inference" (convention).

    """

    name: str
    """ The copy's name. """
    workspace_id: int
    """ The workspace's id. """
    source_pipeline: int
    """ The id of the pipeline to copy. """
    deploy: str | Unset = UNSET
    """ The name to deploy the copy under; without one it is not deployed. """
    engine_config: CopyPipelineRequestEngineConfig | Unset = UNSET
    """ Further settings of the engine, for the deployment. """
    pipeline_version: str | Unset = UNSET
    """ The UUID of the version to copy; the newest by default. The tables call it the version of the copied
    pipeline to create, and no request with one was recorded: the version of a new pipeline is the instance's to
    make. """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        name = self.name

        workspace_id = self.workspace_id

        source_pipeline = self.source_pipeline

        deploy = self.deploy

        engine_config: dict[str, Any] | Unset = UNSET
        if not isinstance(self.engine_config, Unset):
            engine_config = self.engine_config.to_dict()

        pipeline_version = self.pipeline_version

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "name": name,
                "workspace_id": workspace_id,
                "source_pipeline": source_pipeline,
            }
        )
        if deploy is not UNSET:
            field_dict["deploy"] = deploy
        if engine_config is not UNSET:
            field_dict["engine_config"] = engine_config
        if pipeline_version is not UNSET:
            field_dict["pipeline_version"] = pipeline_version

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.copy_pipeline_request_engine_config import (
            CopyPipelineRequestEngineConfig,  # noqa: PLC0415
        )

        d = dict(src_dict)
        name = d.pop("name")

        workspace_id = d.pop("workspace_id")

        source_pipeline = d.pop("source_pipeline")

        deploy = d.pop("deploy", UNSET)

        _engine_config = d.pop("engine_config", UNSET)
        engine_config: CopyPipelineRequestEngineConfig | Unset
        if isinstance(_engine_config, Unset):
            engine_config = UNSET
        else:
            engine_config = CopyPipelineRequestEngineConfig.from_dict(_engine_config)

        pipeline_version = d.pop("pipeline_version", UNSET)

        copy_pipeline_request = cls(
            name=name,
            workspace_id=workspace_id,
            source_pipeline=source_pipeline,
            deploy=deploy,
            engine_config=engine_config,
            pipeline_version=pipeline_version,
        )

        copy_pipeline_request.additional_properties = d
        return copy_pipeline_request

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
