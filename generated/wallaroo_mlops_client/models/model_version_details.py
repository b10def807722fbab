from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, ApiModel, Unset

if TYPE_CHECKING:
    from ..models.model_file_info import ModelFileInfo
    from ..models.model_version_conversion import ModelVersionConversion


T = TypeVar("T", bound="ModelVersionDetails")


@_attrs_define(repr=False)
class ModelVersionDetails(ApiModel):
    """One uploaded version of a model, as releases from 2024 on show it.

    Source: recordings, "/v1/api/models/get_version_by_id" (recorded); recordings, "/v1/api/models/list" (recorded);
    vendor-sdk, "What the vendor's own SDK asks of a server" (observed).

    """

    id: int
    """ The version's id. """
    name: str
    """ The model's name. """
    status: str
    """ How far the conversion is. """
    file_info: ModelFileInfo
    """ The file of a model version.

    Source: recordings, "/v1/api/models/get_version_by_id" (recorded). """
    visibility: str | Unset = UNSET
    """ Who may see the model. """
    workspace_id: int | Unset = UNSET
    """ The workspace that the model is in. """
    conversion: ModelVersionConversion | None | Unset = UNSET
    """ What the file is, and what it needs to run. """
    image_path: None | str | Unset = UNSET
    """ The container image that a converted model runs in; null for native ones. """
    task_id: None | str | Unset = UNSET
    """ The UUID of the conversion; null where there was none. """
    created_on_version: None | str | Unset = UNSET
    """ The release of the instance that the version was uploaded to, such as `2025.2.1`. """
    created_by: None | str | Unset = UNSET
    """ The e-mail address or the Keycloak id of the user who uploaded it. """
    created_at: None | str | Unset = UNSET
    """ When it was uploaded. """
    deployed: bool | Unset = UNSET
    """ Whether a deployment runs it. """
    error_summary: None | str | Unset = UNSET
    """ Why the conversion ended in `error`; releases before 2025 do not say. """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        from ..models.model_version_conversion import ModelVersionConversion  # noqa: PLC0415

        id = self.id

        name = self.name

        status = self.status

        file_info = self.file_info.to_dict()

        visibility = self.visibility

        workspace_id = self.workspace_id

        conversion: dict[str, Any] | None | Unset
        if isinstance(self.conversion, Unset):
            conversion = UNSET
        elif isinstance(self.conversion, ModelVersionConversion):
            conversion = self.conversion.to_dict()
        else:
            conversion = self.conversion

        image_path: None | str | Unset
        if isinstance(self.image_path, Unset):
            image_path = UNSET
        else:
            image_path = self.image_path

        task_id: None | str | Unset
        if isinstance(self.task_id, Unset):
            task_id = UNSET
        else:
            task_id = self.task_id

        created_on_version: None | str | Unset
        if isinstance(self.created_on_version, Unset):
            created_on_version = UNSET
        else:
            created_on_version = self.created_on_version

        created_by: None | str | Unset
        if isinstance(self.created_by, Unset):
            created_by = UNSET
        else:
            created_by = self.created_by

        created_at: None | str | Unset
        if isinstance(self.created_at, Unset):
            created_at = UNSET
        else:
            created_at = self.created_at

        deployed = self.deployed

        error_summary: None | str | Unset
        if isinstance(self.error_summary, Unset):
            error_summary = UNSET
        else:
            error_summary = self.error_summary

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "id": id,
                "name": name,
                "status": status,
                "file_info": file_info,
            }
        )
        if visibility is not UNSET:
            field_dict["visibility"] = visibility
        if workspace_id is not UNSET:
            field_dict["workspace_id"] = workspace_id
        if conversion is not UNSET:
            field_dict["conversion"] = conversion
        if image_path is not UNSET:
            field_dict["image_path"] = image_path
        if task_id is not UNSET:
            field_dict["task_id"] = task_id
        if created_on_version is not UNSET:
            field_dict["created_on_version"] = created_on_version
        if created_by is not UNSET:
            field_dict["created_by"] = created_by
        if created_at is not UNSET:
            field_dict["created_at"] = created_at
        if deployed is not UNSET:
            field_dict["deployed"] = deployed
        if error_summary is not UNSET:
            field_dict["error_summary"] = error_summary

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.model_file_info import ModelFileInfo  # noqa: PLC0415
        from ..models.model_version_conversion import ModelVersionConversion  # noqa: PLC0415

        d = dict(src_dict)
        id = d.pop("id")

        name = d.pop("name")

        status = d.pop("status")

        file_info = ModelFileInfo.from_dict(d.pop("file_info"))

        visibility = d.pop("visibility", UNSET)

        workspace_id = d.pop("workspace_id", UNSET)

        def _parse_conversion(data: object) -> ModelVersionConversion | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            try:
                if not isinstance(data, dict):
                    raise TypeError()
                conversion_type_0 = ModelVersionConversion.from_dict(data)

                return conversion_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(ModelVersionConversion | None | Unset, data)

        conversion = _parse_conversion(d.pop("conversion", UNSET))

        def _parse_image_path(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, data)

        image_path = _parse_image_path(d.pop("image_path", UNSET))

        def _parse_task_id(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, data)

        task_id = _parse_task_id(d.pop("task_id", UNSET))

        def _parse_created_on_version(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, data)

        created_on_version = _parse_created_on_version(
            d.pop("created_on_version", UNSET)
        )

        def _parse_created_by(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, data)

        created_by = _parse_created_by(d.pop("created_by", UNSET))

        def _parse_created_at(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, data)

        created_at = _parse_created_at(d.pop("created_at", UNSET))

        deployed = d.pop("deployed", UNSET)

        def _parse_error_summary(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, data)

        error_summary = _parse_error_summary(d.pop("error_summary", UNSET))

        model_version_details = cls(
            id=id,
            name=name,
            status=status,
            file_info=file_info,
            visibility=visibility,
            workspace_id=workspace_id,
            conversion=conversion,
            image_path=image_path,
            task_id=task_id,
            created_on_version=created_on_version,
            created_by=created_by,
            created_at=created_at,
            deployed=deployed,
            error_summary=error_summary,
        )

        model_version_details.additional_properties = d
        return model_version_details

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
