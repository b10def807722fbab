from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, ApiModel, Unset

if TYPE_CHECKING:
    from ..models.pipeline import Pipeline
    from ..models.workspace_summary import WorkspaceSummary


T = TypeVar("T", bound="GetPipelineByNameResponse")


@_attrs_define(repr=False)
class GetPipelineByNameResponse(ApiModel):
    """A pipeline with its workspace.

    Source: vendor-sdk, "What the vendor's own SDK asks of a server" (observed).

    """

    pipeline: Pipeline
    """ A pipeline, which has one version or several.

    Source: vendor-sdk, "What the vendor's own SDK asks of a server" (observed). """
    plateau_topic: str | Unset = UNSET
    """ The topic that its inferences are logged to. """
    workspace: WorkspaceSummary | Unset = UNSET
    """ The workspace that a thing is in.

    Source: recordings, "/v1/api/models/list" (recorded); vendor-sdk, "What the vendor's own SDK asks of a server"
    (observed). """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        pipeline = self.pipeline.to_dict()

        plateau_topic = self.plateau_topic

        workspace: dict[str, Any] | Unset = UNSET
        if not isinstance(self.workspace, Unset):
            workspace = self.workspace.to_dict()

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "pipeline": pipeline,
            }
        )
        if plateau_topic is not UNSET:
            field_dict["plateau_topic"] = plateau_topic
        if workspace is not UNSET:
            field_dict["workspace"] = workspace

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.pipeline import Pipeline  # noqa: PLC0415
        from ..models.workspace_summary import WorkspaceSummary  # noqa: PLC0415

        d = dict(src_dict)
        pipeline = Pipeline.from_dict(d.pop("pipeline"))

        plateau_topic = d.pop("plateau_topic", UNSET)

        _workspace = d.pop("workspace", UNSET)
        workspace: WorkspaceSummary | Unset
        if isinstance(_workspace, Unset):
            workspace = UNSET
        else:
            workspace = WorkspaceSummary.from_dict(_workspace)

        get_pipeline_by_name_response = cls(
            pipeline=pipeline,
            plateau_topic=plateau_topic,
            workspace=workspace,
        )

        get_pipeline_by_name_response.additional_properties = d
        return get_pipeline_by_name_response

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
