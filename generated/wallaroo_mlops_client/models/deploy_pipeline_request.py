from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

if TYPE_CHECKING:
    from ..models.deploy_pipeline_request_engine_config import (
        DeployPipelineRequestEngineConfig,
    )
    from ..models.model_reference import ModelReference


T = TypeVar("T", bound="DeployPipelineRequest")


@_attrs_define
class DeployPipelineRequest:
    """The pipeline version to deploy, and the name to deploy it under.

    Source: pipeline-management-tutorial, "Deploy a Pipeline Parameters" (prose); field-notes, "Pipelines, deployment,
    inference" (observed).

    """

    deploy_id: str
    """ The deployment's name; the pipeline's is advised. """
    pipeline_id: int
    """ The pipeline's id. """
    pipeline_version_pk_id: int
    """ The id of the pipeline version. """
    engine_config: DeployPipelineRequestEngineConfig | Unset = UNSET
    """ Further settings of the engine, resources for one. """
    model_configs: list[int] | Unset = UNSET
    """ Ids of model configurations to apply. """
    model_ids: list[int] | Unset = UNSET
    """ Ids of the model versions to run; their configurations are made by the instance. """
    models: list[ModelReference] | Unset = UNSET
    """ The model versions to run, named in full. """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        deploy_id = self.deploy_id

        pipeline_id = self.pipeline_id

        pipeline_version_pk_id = self.pipeline_version_pk_id

        engine_config: dict[str, Any] | Unset = UNSET
        if not isinstance(self.engine_config, Unset):
            engine_config = self.engine_config.to_dict()

        model_configs: list[int] | Unset = UNSET
        if not isinstance(self.model_configs, Unset):
            model_configs = self.model_configs

        model_ids: list[int] | Unset = UNSET
        if not isinstance(self.model_ids, Unset):
            model_ids = self.model_ids

        models: list[dict[str, Any]] | Unset = UNSET
        if not isinstance(self.models, Unset):
            models = []
            for models_item_data in self.models:
                models_item = models_item_data.to_dict()
                models.append(models_item)

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "deploy_id": deploy_id,
                "pipeline_id": pipeline_id,
                "pipeline_version_pk_id": pipeline_version_pk_id,
            }
        )
        if engine_config is not UNSET:
            field_dict["engine_config"] = engine_config
        if model_configs is not UNSET:
            field_dict["model_configs"] = model_configs
        if model_ids is not UNSET:
            field_dict["model_ids"] = model_ids
        if models is not UNSET:
            field_dict["models"] = models

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.deploy_pipeline_request_engine_config import (
            DeployPipelineRequestEngineConfig,  # noqa: PLC0415
        )
        from ..models.model_reference import ModelReference  # noqa: PLC0415

        d = dict(src_dict)
        deploy_id = d.pop("deploy_id")

        pipeline_id = d.pop("pipeline_id")

        pipeline_version_pk_id = d.pop("pipeline_version_pk_id")

        _engine_config = d.pop("engine_config", UNSET)
        engine_config: DeployPipelineRequestEngineConfig | Unset
        if isinstance(_engine_config, Unset):
            engine_config = UNSET
        else:
            engine_config = DeployPipelineRequestEngineConfig.from_dict(_engine_config)

        model_configs = cast(list[int], d.pop("model_configs", UNSET))

        model_ids = cast(list[int], d.pop("model_ids", UNSET))

        _models = d.pop("models", UNSET)
        models: list[ModelReference] | Unset = UNSET
        if _models is not UNSET:
            models = []
            for models_item_data in _models:
                models_item = ModelReference.from_dict(models_item_data)

                models.append(models_item)

        deploy_pipeline_request = cls(
            deploy_id=deploy_id,
            pipeline_id=pipeline_id,
            pipeline_version_pk_id=pipeline_version_pk_id,
            engine_config=engine_config,
            model_configs=model_configs,
            model_ids=model_ids,
            models=models,
        )

        deploy_pipeline_request.additional_properties = d
        return deploy_pipeline_request

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
