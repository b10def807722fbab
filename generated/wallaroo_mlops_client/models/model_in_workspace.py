from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, ApiModel, Unset

if TYPE_CHECKING:
    from ..models.configured_model_version import ConfiguredModelVersion
    from ..models.model import Model
    from ..models.workspace_summary import WorkspaceSummary


T = TypeVar("T", bound="ModelInWorkspace")


@_attrs_define(repr=False)
class ModelInWorkspace(ApiModel):
    """A model with its versions and its workspace, as releases from 2024.2 on list it.

    Source: recordings, "/v1/api/models/list" (recorded).

    """

    model: Model
    """ A model, which has one version or several.

    Source: mlops-api-tutorial, "List Models in Workspace" (recorded); api-essentials-guide, "List Models in
    Workspace" (recorded); recordings, "/v1/api/models/list" (recorded). """
    model_versions: list[ConfiguredModelVersion]
    """ The versions with their configurations; their order is not promised. """
    workspace: WorkspaceSummary | Unset = UNSET
    """ The workspace that a thing is in.

    Source: recordings, "/v1/api/models/list" (recorded); vendor-sdk, "What the vendor's own SDK asks of a server"
    (observed). """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        model = self.model.to_dict()

        model_versions = []
        for model_versions_item_data in self.model_versions:
            model_versions_item = model_versions_item_data.to_dict()
            model_versions.append(model_versions_item)

        workspace: dict[str, Any] | Unset = UNSET
        if not isinstance(self.workspace, Unset):
            workspace = self.workspace.to_dict()

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "model": model,
                "model_versions": model_versions,
            }
        )
        if workspace is not UNSET:
            field_dict["workspace"] = workspace

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.configured_model_version import ConfiguredModelVersion  # noqa: PLC0415
        from ..models.model import Model  # noqa: PLC0415
        from ..models.workspace_summary import WorkspaceSummary  # noqa: PLC0415

        d = dict(src_dict)
        model = Model.from_dict(d.pop("model"))

        model_versions = []
        _model_versions = d.pop("model_versions")
        for model_versions_item_data in _model_versions:
            model_versions_item = ConfiguredModelVersion.from_dict(
                model_versions_item_data
            )

            model_versions.append(model_versions_item)

        _workspace = d.pop("workspace", UNSET)
        workspace: WorkspaceSummary | Unset
        if isinstance(_workspace, Unset):
            workspace = UNSET
        else:
            workspace = WorkspaceSummary.from_dict(_workspace)

        model_in_workspace = cls(
            model=model,
            model_versions=model_versions,
            workspace=workspace,
        )

        model_in_workspace.additional_properties = d
        return model_in_workspace

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
