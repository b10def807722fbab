from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, ApiModel, Unset

T = TypeVar("T", bound="ModelVersion")


@_attrs_define(repr=False)
class ModelVersion(ApiModel):
    """One uploaded version of a model.

    Source: mlops-api-tutorial, "Get Model Versions" (recorded); api-essentials-guide, "Get Model Versions" (recorded);
    recordings, "/v1/api/models/list_versions" (recorded); vendor-sdk, "What the vendor's own SDK asks of a server"
    (observed).

    """

    id: int
    """ The version's id. """
    models_pk_id: int
    """ The id of its model. """
    model_version: str
    """ The version's UUID. """
    sha: str
    """ The SHA-256 of the file, in hexadecimal. """
    model_id: str | Unset = UNSET
    """ The model's name. """
    owner_id: str | Unset = UNSET
    """ The owner's Keycloak id. Releases of 2023 write two quotation marks instead. """
    file_name: None | str | Unset = UNSET
    """ The name of the uploaded file. """
    image_path: None | str | Unset = UNSET
    """ The container image that a converted model runs in; null for native ones. """
    status: None | str | Unset = UNSET
    """ How far the conversion is. Releases before 2023.2 have no status. """
    error_summary: None | str | Unset = UNSET
    """ Why the conversion ended in `error`. No answer of this operation was recorded with it: only the sandbox and
    this library's own records have it here. An instance says it in `get_model_version_by_id`, since 2025. """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        id = self.id

        models_pk_id = self.models_pk_id

        model_version = self.model_version

        sha = self.sha

        model_id = self.model_id

        owner_id = self.owner_id

        file_name: None | str | Unset
        if isinstance(self.file_name, Unset):
            file_name = UNSET
        else:
            file_name = self.file_name

        image_path: None | str | Unset
        if isinstance(self.image_path, Unset):
            image_path = UNSET
        else:
            image_path = self.image_path

        status: None | str | Unset
        if isinstance(self.status, Unset):
            status = UNSET
        else:
            status = self.status

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
                "models_pk_id": models_pk_id,
                "model_version": model_version,
                "sha": sha,
            }
        )
        if model_id is not UNSET:
            field_dict["model_id"] = model_id
        if owner_id is not UNSET:
            field_dict["owner_id"] = owner_id
        if file_name is not UNSET:
            field_dict["file_name"] = file_name
        if image_path is not UNSET:
            field_dict["image_path"] = image_path
        if status is not UNSET:
            field_dict["status"] = status
        if error_summary is not UNSET:
            field_dict["error_summary"] = error_summary

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        id = d.pop("id")

        models_pk_id = d.pop("models_pk_id")

        model_version = d.pop("model_version")

        sha = d.pop("sha")

        model_id = d.pop("model_id", UNSET)

        owner_id = d.pop("owner_id", UNSET)

        def _parse_file_name(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, data)

        file_name = _parse_file_name(d.pop("file_name", UNSET))

        def _parse_image_path(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, data)

        image_path = _parse_image_path(d.pop("image_path", UNSET))

        def _parse_status(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, data)

        status = _parse_status(d.pop("status", UNSET))

        def _parse_error_summary(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, data)

        error_summary = _parse_error_summary(d.pop("error_summary", UNSET))

        model_version = cls(
            id=id,
            models_pk_id=models_pk_id,
            model_version=model_version,
            sha=sha,
            model_id=model_id,
            owner_id=owner_id,
            file_name=file_name,
            image_path=image_path,
            status=status,
            error_summary=error_summary,
        )

        model_version.additional_properties = d
        return model_version

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
