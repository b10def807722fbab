from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, ApiModel, Unset

if TYPE_CHECKING:
    from ..models.pipeline_step import PipelineStep


T = TypeVar("T", bound="PipelineDefinition")


@_attrs_define(repr=False)
class PipelineDefinition(ApiModel):
    """What the pipeline does; empty for nothing yet.

    Source: pipeline-management-tutorial, "Create Pipeline in a Workspace Examples" (example).

    """

    id: str | Unset = UNSET
    """ A name that clients of 2022 send, and that instances ignore. """
    steps: list[PipelineStep] | Unset = UNSET
    """ The steps, one after the other. The output of one is the input of the next. """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        id = self.id

        steps: list[dict[str, Any]] | Unset = UNSET
        if not isinstance(self.steps, Unset):
            steps = []
            for steps_item_data in self.steps:
                steps_item = steps_item_data.to_dict()
                steps.append(steps_item)

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update({})
        if id is not UNSET:
            field_dict["id"] = id
        if steps is not UNSET:
            field_dict["steps"] = steps

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.pipeline_step import PipelineStep  # noqa: PLC0415

        d = dict(src_dict)
        id = d.pop("id", UNSET)

        _steps = d.pop("steps", UNSET)
        steps: list[PipelineStep] | Unset = UNSET
        if _steps is not UNSET:
            steps = []
            for steps_item_data in _steps:
                steps_item = PipelineStep.from_dict(steps_item_data)

                steps.append(steps_item)

        pipeline_definition = cls(
            id=id,
            steps=steps,
        )

        pipeline_definition.additional_properties = d
        return pipeline_definition

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
