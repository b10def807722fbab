from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, ApiModel, Unset

if TYPE_CHECKING:
    from ..models.model_config import ModelConfig
    from ..models.model_version_details import ModelVersionDetails


T = TypeVar("T", bound="ConfiguredModelVersion")


@_attrs_define(repr=False)
class ConfiguredModelVersion(ApiModel):
    """A model version with its configuration.

    Source: recordings, "/v1/api/models/get_version_by_id" (recorded); recordings, "/v1/api/models/list" (recorded).

    """

    model_version: ModelVersionDetails
    """ One uploaded version of a model, as releases from 2024 on show it.

    Source: recordings, "/v1/api/models/get_version_by_id" (recorded); recordings, "/v1/api/models/list" (recorded);
    vendor-sdk, "What the vendor's own SDK asks of a server" (observed). """
    config: ModelConfig | None | Unset = UNSET
    """ The version's configuration; null where it has none. """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        from ..models.model_config import ModelConfig  # noqa: PLC0415

        model_version = self.model_version.to_dict()

        config: dict[str, Any] | None | Unset
        if isinstance(self.config, Unset):
            config = UNSET
        elif isinstance(self.config, ModelConfig):
            config = self.config.to_dict()
        else:
            config = self.config

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "model_version": model_version,
            }
        )
        if config is not UNSET:
            field_dict["config"] = config

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.model_config import ModelConfig  # noqa: PLC0415
        from ..models.model_version_details import ModelVersionDetails  # noqa: PLC0415

        d = dict(src_dict)
        model_version = ModelVersionDetails.from_dict(d.pop("model_version"))

        def _parse_config(data: object) -> ModelConfig | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            try:
                if not isinstance(data, dict):
                    raise TypeError()
                config_type_0 = ModelConfig.from_dict(data)

                return config_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(ModelConfig | None | Unset, data)

        config = _parse_config(d.pop("config", UNSET))

        configured_model_version = cls(
            model_version=model_version,
            config=config,
        )

        configured_model_version.additional_properties = d
        return configured_model_version

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
