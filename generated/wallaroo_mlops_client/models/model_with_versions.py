from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, ApiModel, Unset

if TYPE_CHECKING:
    from ..models.model_version import ModelVersion
    from ..models.workspace_summary import WorkspaceSummary


T = TypeVar("T", bound="ModelWithVersions")


@_attrs_define(repr=False)
class ModelWithVersions(ApiModel):
    """A model with its versions.

    Source: mlops-api-tutorial, "Get Model Details" (recorded); api-essentials-guide, "Get Model Details" (recorded);
    recordings, "/v1/api/models/get" (recorded).

    """

    id: int
    """ The model's id. """
    name: str
    """ The model's name. """
    models: list[ModelVersion]
    """ The versions; their order is not promised. """
    owner_id: str | Unset = UNSET
    """ The owner's Keycloak id. Releases of 2023 write two quotation marks instead. """
    created_at: str | Unset = UNSET
    """ When it was created, as RFC 3339 writes it. """
    updated_at: str | Unset = UNSET
    """ When it was changed last, as RFC 3339 writes it. """
    workspace_id: int | None | Unset = UNSET
    """ The workspace that the model is in, in releases from 2024.2 on. """
    workspace: None | Unset | WorkspaceSummary = UNSET
    """ The workspace that the model is in, in the newest releases. """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        from ..models.workspace_summary import WorkspaceSummary  # noqa: PLC0415

        id = self.id

        name = self.name

        models = []
        for models_item_data in self.models:
            models_item = models_item_data.to_dict()
            models.append(models_item)

        owner_id = self.owner_id

        created_at = self.created_at

        updated_at = self.updated_at

        workspace_id: int | None | Unset
        if isinstance(self.workspace_id, Unset):
            workspace_id = UNSET
        else:
            workspace_id = self.workspace_id

        workspace: dict[str, Any] | None | Unset
        if isinstance(self.workspace, Unset):
            workspace = UNSET
        elif isinstance(self.workspace, WorkspaceSummary):
            workspace = self.workspace.to_dict()
        else:
            workspace = self.workspace

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "id": id,
                "name": name,
                "models": models,
            }
        )
        if owner_id is not UNSET:
            field_dict["owner_id"] = owner_id
        if created_at is not UNSET:
            field_dict["created_at"] = created_at
        if updated_at is not UNSET:
            field_dict["updated_at"] = updated_at
        if workspace_id is not UNSET:
            field_dict["workspace_id"] = workspace_id
        if workspace is not UNSET:
            field_dict["workspace"] = workspace

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.model_version import ModelVersion  # noqa: PLC0415
        from ..models.workspace_summary import WorkspaceSummary  # noqa: PLC0415

        d = dict(src_dict)
        id = d.pop("id")

        name = d.pop("name")

        models = []
        _models = d.pop("models")
        for models_item_data in _models:
            models_item = ModelVersion.from_dict(models_item_data)

            models.append(models_item)

        owner_id = d.pop("owner_id", UNSET)

        created_at = d.pop("created_at", UNSET)

        updated_at = d.pop("updated_at", UNSET)

        def _parse_workspace_id(data: object) -> int | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(int | None | Unset, data)

        workspace_id = _parse_workspace_id(d.pop("workspace_id", UNSET))

        def _parse_workspace(data: object) -> None | Unset | WorkspaceSummary:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            try:
                if not isinstance(data, dict):
                    raise TypeError()
                workspace_type_0 = WorkspaceSummary.from_dict(data)

                return workspace_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(None | Unset | WorkspaceSummary, data)

        workspace = _parse_workspace(d.pop("workspace", UNSET))

        model_with_versions = cls(
            id=id,
            name=name,
            models=models,
            owner_id=owner_id,
            created_at=created_at,
            updated_at=updated_at,
            workspace_id=workspace_id,
            workspace=workspace,
        )

        model_with_versions.additional_properties = d
        return model_with_versions

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
