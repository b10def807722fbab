from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import ApiModel

if TYPE_CHECKING:
    from ..models.pipeline_definition import PipelineDefinition


T = TypeVar("T", bound="CreatePipelineRequest")


@_attrs_define(repr=False)
class CreatePipelineRequest(ApiModel):
    """The pipeline to create.

    Source: pipeline-management-tutorial, "Create Pipeline in a Workspace Parameters" (prose); vendor-sdk, "What the
    vendor's own SDK asks of a server" (observed).

    """

    pipeline_id: str
    """ The pipeline's name. """
    workspace_id: int
    """ The workspace's id. """
    definition: None | PipelineDefinition
    """ What the pipeline does; null or empty for nothing yet. """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        from ..models.pipeline_definition import PipelineDefinition  # noqa: PLC0415

        pipeline_id = self.pipeline_id

        workspace_id = self.workspace_id

        definition: dict[str, Any] | None
        if isinstance(self.definition, PipelineDefinition):
            definition = self.definition.to_dict()
        else:
            definition = self.definition

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "pipeline_id": pipeline_id,
                "workspace_id": workspace_id,
                "definition": definition,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.pipeline_definition import PipelineDefinition  # noqa: PLC0415

        d = dict(src_dict)
        pipeline_id = d.pop("pipeline_id")

        workspace_id = d.pop("workspace_id")

        def _parse_definition(data: object) -> None | PipelineDefinition:
            if data is None:
                return data
            try:
                if not isinstance(data, dict):
                    raise TypeError()
                definition_type_0 = PipelineDefinition.from_dict(data)

                return definition_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(None | PipelineDefinition, data)

        definition = _parse_definition(d.pop("definition"))

        create_pipeline_request = cls(
            pipeline_id=pipeline_id,
            workspace_id=workspace_id,
            definition=definition,
        )

        create_pipeline_request.additional_properties = d
        return create_pipeline_request

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
