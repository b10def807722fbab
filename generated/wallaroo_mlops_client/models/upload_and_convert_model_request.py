from __future__ import annotations

import json
from collections.abc import Mapping
from io import BytesIO
from typing import TYPE_CHECKING, Any, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from .. import types
from ..types import ApiModel, File

if TYPE_CHECKING:
    from ..models.model_metadata import ModelMetadata


T = TypeVar("T", bound="UploadAndConvertModelRequest")


@_attrs_define(repr=False)
class UploadAndConvertModelRequest(ApiModel):
    """A model's description and its file, as two parts in this order.

    Source: mlops-api-tutorial, "Upload Model to Workspace" (example).

    """

    metadata: ModelMetadata
    """ What to store a model as, and how to convert it.

    Source: mlops-api-tutorial, "Upload Model to Workspace" (prose); mlops-api-tutorial, "Upload Native Runtime
    Model Example" (example); mlops-api-tutorial, "Upload Converted Model Examples" (example). """
    file: File
    """ The model's file. The part's file name, in UTF-8, becomes the version's `file_name`, unchanged. """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        metadata = self.metadata.to_dict()

        file = self.file.to_tuple()

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "metadata": metadata,
                "file": file,
            }
        )

        return field_dict

    def to_multipart(self) -> types.RequestFiles:
        files: types.RequestFiles = []

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

        files.append(("file", self.file.to_tuple()))

        for prop_name, prop in self.additional_properties.items():
            files.append(
                (prop_name, (None, types.text_of(prop).encode(), "text/plain"))
            )

        return files

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.model_metadata import ModelMetadata  # noqa: PLC0415

        d = dict(src_dict)
        metadata = ModelMetadata.from_dict(d.pop("metadata"))

        file = File(payload=BytesIO(d.pop("file")))

        upload_and_convert_model_request = cls(
            metadata=metadata,
            file=file,
        )

        upload_and_convert_model_request.additional_properties = d
        return upload_and_convert_model_request

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
