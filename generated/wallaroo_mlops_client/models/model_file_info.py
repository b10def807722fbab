from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, ApiModel, Unset

T = TypeVar("T", bound="ModelFileInfo")


@_attrs_define(repr=False)
class ModelFileInfo(ApiModel):
    """The file of a model version.

    Source: recordings, "/v1/api/models/get_version_by_id" (recorded).

    """

    version: str
    """ The model version's UUID. """
    sha: str
    """ The SHA-256 of the file, in hexadecimal. """
    file_name: str | Unset = UNSET
    """ The name of the uploaded file. """
    size: int | None | Unset = UNSET
    """ How long the file is, in bytes. """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        version = self.version

        sha = self.sha

        file_name = self.file_name

        size: int | None | Unset
        if isinstance(self.size, Unset):
            size = UNSET
        else:
            size = self.size

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "version": version,
                "sha": sha,
            }
        )
        if file_name is not UNSET:
            field_dict["file_name"] = file_name
        if size is not UNSET:
            field_dict["size"] = size

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        version = d.pop("version")

        sha = d.pop("sha")

        file_name = d.pop("file_name", UNSET)

        def _parse_size(data: object) -> int | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(int | None | Unset, data)

        size = _parse_size(d.pop("size", UNSET))

        model_file_info = cls(
            version=version,
            sha=sha,
            file_name=file_name,
            size=size,
        )

        model_file_info.additional_properties = d
        return model_file_info

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
