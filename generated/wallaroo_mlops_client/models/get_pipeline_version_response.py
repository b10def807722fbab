from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, ApiModel, Unset

if TYPE_CHECKING:
    from ..models.pipeline_version_definition import PipelineVersionDefinition


T = TypeVar("T", bound="GetPipelineVersionResponse")


@_attrs_define(repr=False)
class GetPipelineVersionResponse(ApiModel):
    """A version of a pipeline.

    Source: vendor-sdk, "What the vendor's own SDK asks of a server" (observed).

    """

    pipeline_id: str
    """ The pipeline's name. """
    version: str
    """ The version's UUID. """
    definition: None | PipelineVersionDefinition | Unset = UNSET
    """ Its steps. """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        from ..models.pipeline_version_definition import PipelineVersionDefinition  # noqa: PLC0415

        pipeline_id = self.pipeline_id

        version = self.version

        definition: dict[str, Any] | None | Unset
        if isinstance(self.definition, Unset):
            definition = UNSET
        elif isinstance(self.definition, PipelineVersionDefinition):
            definition = self.definition.to_dict()
        else:
            definition = self.definition

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "pipeline_id": pipeline_id,
                "version": version,
            }
        )
        if definition is not UNSET:
            field_dict["definition"] = definition

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.pipeline_version_definition import PipelineVersionDefinition  # noqa: PLC0415

        d = dict(src_dict)
        pipeline_id = d.pop("pipeline_id")

        version = d.pop("version")

        def _parse_definition(data: object) -> None | PipelineVersionDefinition | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            try:
                if not isinstance(data, dict):
                    raise TypeError()
                definition_type_0 = PipelineVersionDefinition.from_dict(data)

                return definition_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(None | PipelineVersionDefinition | Unset, data)

        definition = _parse_definition(d.pop("definition", UNSET))

        get_pipeline_version_response = cls(
            pipeline_id=pipeline_id,
            version=version,
            definition=definition,
        )

        get_pipeline_version_response.additional_properties = d
        return get_pipeline_version_response

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
