from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, ApiModel, Unset

if TYPE_CHECKING:
    from ..models.continuous_batching_config import ContinuousBatchingConfig
    from ..models.dynamic_batching_config import DynamicBatchingConfig
    from ..models.openai_config import OpenaiConfig


T = TypeVar("T", bound="ModelConfig")


@_attrs_define(repr=False)
class ModelConfig(ApiModel):
    """How a model version is run.

    Source: recordings, "/v1/api/models/get_config_by_id" (recorded); recordings, "/v1/api/models/insert_model_config"
    (recorded); field-notes, "Models" (observed).

    """

    id: int
    """ The configuration's id, for `deploy_pipeline`. """
    runtime: None | str | Unset = UNSET
    """ What runs the model. """
    tensor_fields: list[str] | None | Unset = UNSET
    """ The fields that become the model's inputs, in order. """
    filter_threshold: float | None | Unset = UNSET
    """ The threshold of a filter. """
    model_version_id: int | Unset = UNSET
    """ The id of the model version, in releases from 2023.4 on. """
    input_schema: None | str | Unset = UNSET
    """ The schema of the model's inputs, an Arrow schema serialised as an IPC message, in base64. """
    output_schema: None | str | Unset = UNSET
    """ The schema of the model's outputs, written like the inputs'. """
    batch_config: None | str | Unset = UNSET
    """ How rows are batched. """
    dynamic_batching_config: DynamicBatchingConfig | None | Unset = UNSET
    """ How rows of several requests are batched. """
    continuous_batching_config: ContinuousBatchingConfig | None | Unset = UNSET
    """ How many requests a model with continuous batching takes. """
    queue_depth: int | None | Unset = UNSET
    """ How many requests may wait. """
    sidekick_uri: None | str | Unset = UNSET
    """ Where the container of a converted model answers. """
    openai: None | OpenaiConfig | Unset = UNSET
    """ How the model answers in the way of OpenAI. """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        from ..models.continuous_batching_config import ContinuousBatchingConfig  # noqa: PLC0415
        from ..models.dynamic_batching_config import DynamicBatchingConfig  # noqa: PLC0415
        from ..models.openai_config import OpenaiConfig  # noqa: PLC0415

        id = self.id

        runtime: None | str | Unset
        if isinstance(self.runtime, Unset):
            runtime = UNSET
        else:
            runtime = self.runtime

        tensor_fields: list[str] | None | Unset
        if isinstance(self.tensor_fields, Unset):
            tensor_fields = UNSET
        elif isinstance(self.tensor_fields, list):
            tensor_fields = self.tensor_fields

        else:
            tensor_fields = self.tensor_fields

        filter_threshold: float | None | Unset
        if isinstance(self.filter_threshold, Unset):
            filter_threshold = UNSET
        else:
            filter_threshold = self.filter_threshold

        model_version_id = self.model_version_id

        input_schema: None | str | Unset
        if isinstance(self.input_schema, Unset):
            input_schema = UNSET
        else:
            input_schema = self.input_schema

        output_schema: None | str | Unset
        if isinstance(self.output_schema, Unset):
            output_schema = UNSET
        else:
            output_schema = self.output_schema

        batch_config: None | str | Unset
        if isinstance(self.batch_config, Unset):
            batch_config = UNSET
        else:
            batch_config = self.batch_config

        dynamic_batching_config: dict[str, Any] | None | Unset
        if isinstance(self.dynamic_batching_config, Unset):
            dynamic_batching_config = UNSET
        elif isinstance(self.dynamic_batching_config, DynamicBatchingConfig):
            dynamic_batching_config = self.dynamic_batching_config.to_dict()
        else:
            dynamic_batching_config = self.dynamic_batching_config

        continuous_batching_config: dict[str, Any] | None | Unset
        if isinstance(self.continuous_batching_config, Unset):
            continuous_batching_config = UNSET
        elif isinstance(self.continuous_batching_config, ContinuousBatchingConfig):
            continuous_batching_config = self.continuous_batching_config.to_dict()
        else:
            continuous_batching_config = self.continuous_batching_config

        queue_depth: int | None | Unset
        if isinstance(self.queue_depth, Unset):
            queue_depth = UNSET
        else:
            queue_depth = self.queue_depth

        sidekick_uri: None | str | Unset
        if isinstance(self.sidekick_uri, Unset):
            sidekick_uri = UNSET
        else:
            sidekick_uri = self.sidekick_uri

        openai: dict[str, Any] | None | Unset
        if isinstance(self.openai, Unset):
            openai = UNSET
        elif isinstance(self.openai, OpenaiConfig):
            openai = self.openai.to_dict()
        else:
            openai = self.openai

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "id": id,
            }
        )
        if runtime is not UNSET:
            field_dict["runtime"] = runtime
        if tensor_fields is not UNSET:
            field_dict["tensor_fields"] = tensor_fields
        if filter_threshold is not UNSET:
            field_dict["filter_threshold"] = filter_threshold
        if model_version_id is not UNSET:
            field_dict["model_version_id"] = model_version_id
        if input_schema is not UNSET:
            field_dict["input_schema"] = input_schema
        if output_schema is not UNSET:
            field_dict["output_schema"] = output_schema
        if batch_config is not UNSET:
            field_dict["batch_config"] = batch_config
        if dynamic_batching_config is not UNSET:
            field_dict["dynamic_batching_config"] = dynamic_batching_config
        if continuous_batching_config is not UNSET:
            field_dict["continuous_batching_config"] = continuous_batching_config
        if queue_depth is not UNSET:
            field_dict["queue_depth"] = queue_depth
        if sidekick_uri is not UNSET:
            field_dict["sidekick_uri"] = sidekick_uri
        if openai is not UNSET:
            field_dict["openai"] = openai

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.continuous_batching_config import ContinuousBatchingConfig  # noqa: PLC0415
        from ..models.dynamic_batching_config import DynamicBatchingConfig  # noqa: PLC0415
        from ..models.openai_config import OpenaiConfig  # noqa: PLC0415

        d = dict(src_dict)
        id = d.pop("id")

        def _parse_runtime(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, data)

        runtime = _parse_runtime(d.pop("runtime", UNSET))

        def _parse_tensor_fields(data: object) -> list[str] | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            try:
                if not isinstance(data, list):
                    raise TypeError()
                tensor_fields_type_0 = cast(list[str], data)

                return tensor_fields_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(list[str] | None | Unset, data)

        tensor_fields = _parse_tensor_fields(d.pop("tensor_fields", UNSET))

        def _parse_filter_threshold(data: object) -> float | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(float | None | Unset, data)

        filter_threshold = _parse_filter_threshold(d.pop("filter_threshold", UNSET))

        model_version_id = d.pop("model_version_id", UNSET)

        def _parse_input_schema(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, data)

        input_schema = _parse_input_schema(d.pop("input_schema", UNSET))

        def _parse_output_schema(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, data)

        output_schema = _parse_output_schema(d.pop("output_schema", UNSET))

        def _parse_batch_config(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, data)

        batch_config = _parse_batch_config(d.pop("batch_config", UNSET))

        def _parse_dynamic_batching_config(
            data: object,
        ) -> DynamicBatchingConfig | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            try:
                if not isinstance(data, dict):
                    raise TypeError()
                dynamic_batching_config_type_0 = DynamicBatchingConfig.from_dict(data)

                return dynamic_batching_config_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(DynamicBatchingConfig | None | Unset, data)

        dynamic_batching_config = _parse_dynamic_batching_config(
            d.pop("dynamic_batching_config", UNSET)
        )

        def _parse_continuous_batching_config(
            data: object,
        ) -> ContinuousBatchingConfig | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            try:
                if not isinstance(data, dict):
                    raise TypeError()
                continuous_batching_config_type_0 = ContinuousBatchingConfig.from_dict(
                    data
                )

                return continuous_batching_config_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(ContinuousBatchingConfig | None | Unset, data)

        continuous_batching_config = _parse_continuous_batching_config(
            d.pop("continuous_batching_config", UNSET)
        )

        def _parse_queue_depth(data: object) -> int | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(int | None | Unset, data)

        queue_depth = _parse_queue_depth(d.pop("queue_depth", UNSET))

        def _parse_sidekick_uri(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, data)

        sidekick_uri = _parse_sidekick_uri(d.pop("sidekick_uri", UNSET))

        def _parse_openai(data: object) -> None | OpenaiConfig | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            try:
                if not isinstance(data, dict):
                    raise TypeError()
                openai_type_0 = OpenaiConfig.from_dict(data)

                return openai_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(None | OpenaiConfig | Unset, data)

        openai = _parse_openai(d.pop("openai", UNSET))

        model_config = cls(
            id=id,
            runtime=runtime,
            tensor_fields=tensor_fields,
            filter_threshold=filter_threshold,
            model_version_id=model_version_id,
            input_schema=input_schema,
            output_schema=output_schema,
            batch_config=batch_config,
            dynamic_batching_config=dynamic_batching_config,
            continuous_batching_config=continuous_batching_config,
            queue_depth=queue_depth,
            sidekick_uri=sidekick_uri,
            openai=openai,
        )

        model_config.additional_properties = d
        return model_config

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
