from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, ApiModel, Unset

if TYPE_CHECKING:
    from ..models.deploy_pipeline_request_engine_config import (
        DeployPipelineRequestEngineConfig,
    )
    from ..models.model_reference import ModelReference


T = TypeVar("T", bound="DeployPipelineRequest")


@_attrs_define(repr=False)
class DeployPipelineRequest(ApiModel):
    """The pipeline version to deploy, and the name to deploy it under.

    Source: pipeline-management-tutorial, "Deploy a Pipeline Parameters" (prose); field-notes, "Pipelines, deployment,
    inference" (observed); field-notes, "Decided where the sources are silent or clash" (convention); vendor-sdk, "What
    the vendor's own SDK asks of a server" (observed).

    """

    deploy_id: str
    """ The deployment's name; the pipeline's is advised. """
    pipeline_version_pk_id: int
    """ The id of the pipeline version. """
    pipeline_id: int | None | Unset = UNSET
    """ The pipeline's id. Published clients leave it out, for the version has one pipeline. """
    engine_config: DeployPipelineRequestEngineConfig | None | Unset = UNSET
    """ Further settings of the engine, resources for one. """
    model_configs: list[int] | None | Unset = UNSET
    """ Ids of model configurations to apply. """
    model_ids: list[int] | None | Unset = UNSET
    """ Ids of the model versions to run; their configurations are made by the instance. The tables call them ids of
    models: what is run is a version, and in every recording the first version's id is its model's. """
    models: list[ModelReference] | None | Unset = UNSET
    """ The model versions to run, named in full. """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        from ..models.deploy_pipeline_request_engine_config import (
            DeployPipelineRequestEngineConfig,  # noqa: PLC0415
        )

        deploy_id = self.deploy_id

        pipeline_version_pk_id = self.pipeline_version_pk_id

        pipeline_id: int | None | Unset
        if isinstance(self.pipeline_id, Unset):
            pipeline_id = UNSET
        else:
            pipeline_id = self.pipeline_id

        engine_config: dict[str, Any] | None | Unset
        if isinstance(self.engine_config, Unset):
            engine_config = UNSET
        elif isinstance(self.engine_config, DeployPipelineRequestEngineConfig):
            engine_config = self.engine_config.to_dict()
        else:
            engine_config = self.engine_config

        model_configs: list[int] | None | Unset
        if isinstance(self.model_configs, Unset):
            model_configs = UNSET
        elif isinstance(self.model_configs, list):
            model_configs = self.model_configs

        else:
            model_configs = self.model_configs

        model_ids: list[int] | None | Unset
        if isinstance(self.model_ids, Unset):
            model_ids = UNSET
        elif isinstance(self.model_ids, list):
            model_ids = self.model_ids

        else:
            model_ids = self.model_ids

        models: list[dict[str, Any]] | None | Unset
        if isinstance(self.models, Unset):
            models = UNSET
        elif isinstance(self.models, list):
            models = []
            for models_type_0_item_data in self.models:
                models_type_0_item = models_type_0_item_data.to_dict()
                models.append(models_type_0_item)

        else:
            models = self.models

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "deploy_id": deploy_id,
                "pipeline_version_pk_id": pipeline_version_pk_id,
            }
        )
        if pipeline_id is not UNSET:
            field_dict["pipeline_id"] = pipeline_id
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

        pipeline_version_pk_id = d.pop("pipeline_version_pk_id")

        def _parse_pipeline_id(data: object) -> int | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(int | None | Unset, data)

        pipeline_id = _parse_pipeline_id(d.pop("pipeline_id", UNSET))

        def _parse_engine_config(
            data: object,
        ) -> DeployPipelineRequestEngineConfig | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            try:
                if not isinstance(data, dict):
                    raise TypeError()
                engine_config_type_0 = DeployPipelineRequestEngineConfig.from_dict(data)

                return engine_config_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(DeployPipelineRequestEngineConfig | None | Unset, data)

        engine_config = _parse_engine_config(d.pop("engine_config", UNSET))

        def _parse_model_configs(data: object) -> list[int] | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            try:
                if not isinstance(data, list):
                    raise TypeError()
                model_configs_type_0 = cast(list[int], data)

                return model_configs_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(list[int] | None | Unset, data)

        model_configs = _parse_model_configs(d.pop("model_configs", UNSET))

        def _parse_model_ids(data: object) -> list[int] | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            try:
                if not isinstance(data, list):
                    raise TypeError()
                model_ids_type_0 = cast(list[int], data)

                return model_ids_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(list[int] | None | Unset, data)

        model_ids = _parse_model_ids(d.pop("model_ids", UNSET))

        def _parse_models(data: object) -> list[ModelReference] | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            try:
                if not isinstance(data, list):
                    raise TypeError()
                models_type_0 = []
                _models_type_0 = data
                for models_type_0_item_data in _models_type_0:
                    models_type_0_item = ModelReference.from_dict(
                        models_type_0_item_data
                    )

                    models_type_0.append(models_type_0_item)

                return models_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(list[ModelReference] | None | Unset, data)

        models = _parse_models(d.pop("models", UNSET))

        deploy_pipeline_request = cls(
            deploy_id=deploy_id,
            pipeline_version_pk_id=pipeline_version_pk_id,
            pipeline_id=pipeline_id,
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
