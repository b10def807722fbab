from __future__ import annotations

import json
from collections.abc import Mapping
from io import BytesIO
from typing import TYPE_CHECKING, Any, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from .. import types
from ..models.upload_model_request_visibility import UploadModelRequestVisibility
from ..types import UNSET, ApiModel, File, Unset

if TYPE_CHECKING:
    from ..models.model_metadata import ModelMetadata


T = TypeVar("T", bound="UploadModelRequest")


@_attrs_define(repr=False)
class UploadModelRequest(ApiModel):
    """A model's file, with its description in the part `metadata` or in the fields beside it. A request needs one of the
    two. The fields are written out here, because tools take a field that refers to another schema for a part of JSON.

    Source: api-essentials-guide, "Upload Model to Workspace" (example); field-notes, "Decided where the sources are
    silent or clash" (convention).

    """

    file: File
    """ The model's file. The part's file name becomes the version's `file_name`. """
    metadata: ModelMetadata | Unset = UNSET
    """ What to store a model as, and how to convert it.

    Source: mlops-api-tutorial, "Upload Model to Workspace" (prose); mlops-api-tutorial, "Upload Native Runtime
    Model Example" (example); mlops-api-tutorial, "Upload Converted Model Examples" (example). """
    name: str | Unset = UNSET
    """ The model's name, of letters, digits and dashes. """
    visibility: UploadModelRequestVisibility | Unset = UNSET
    """ Who may see the model, everybody or the members of its workspace. """
    workspace_id: int | Unset = UNSET
    """ The workspace's id. """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        file = self.file.to_tuple()

        metadata: dict[str, Any] | Unset = UNSET
        if not isinstance(self.metadata, Unset):
            metadata = self.metadata.to_dict()

        name = self.name

        visibility: str | Unset = UNSET
        if not isinstance(self.visibility, Unset):
            visibility = self.visibility.value

        workspace_id = self.workspace_id

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "file": file,
            }
        )
        if metadata is not UNSET:
            field_dict["metadata"] = metadata
        if name is not UNSET:
            field_dict["name"] = name
        if visibility is not UNSET:
            field_dict["visibility"] = visibility
        if workspace_id is not UNSET:
            field_dict["workspace_id"] = workspace_id

        return field_dict

    def to_multipart(self) -> types.RequestFiles:
        files: types.RequestFiles = []

        files.append(("file", self.file.to_tuple()))

        if not isinstance(self.metadata, Unset):
            files.append(
                (
                    "metadata",
                    (
                        None,
                        json.dumps(self.metadata.to_dict()).encode(),
                        "application/json",
                    ),
                )
            )

        if not isinstance(self.name, Unset):
            files.append(("name", (None, str(self.name).encode(), "text/plain")))

        if not isinstance(self.visibility, Unset):
            files.append(
                (
                    "visibility",
                    (None, str(self.visibility.value).encode(), "text/plain"),
                )
            )

        if not isinstance(self.workspace_id, Unset):
            files.append(
                ("workspace_id", (None, str(self.workspace_id).encode(), "text/plain"))
            )

        for prop_name, prop in self.additional_properties.items():
            files.append(
                (prop_name, (None, types.text_of(prop).encode(), "text/plain"))
            )

        return files

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.model_metadata import ModelMetadata  # noqa: PLC0415

        d = dict(src_dict)
        file = File(payload=BytesIO(d.pop("file")))

        _metadata = d.pop("metadata", UNSET)
        metadata: ModelMetadata | Unset
        if isinstance(_metadata, Unset):
            metadata = UNSET
        else:
            metadata = ModelMetadata.from_dict(_metadata)

        name = d.pop("name", UNSET)

        _visibility = d.pop("visibility", UNSET)
        visibility: UploadModelRequestVisibility | Unset
        if isinstance(_visibility, Unset):
            visibility = UNSET
        else:
            visibility = UploadModelRequestVisibility(_visibility)

        workspace_id = d.pop("workspace_id", UNSET)

        upload_model_request = cls(
            file=file,
            metadata=metadata,
            name=name,
            visibility=visibility,
            workspace_id=workspace_id,
        )

        upload_model_request.additional_properties = d
        return upload_model_request

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
