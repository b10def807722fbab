from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..models.visibility import Visibility
from ..types import UNSET, ApiModel, Unset

if TYPE_CHECKING:
    from ..models.conversion import Conversion


T = TypeVar("T", bound="ModelMetadata")


@_attrs_define(repr=False)
class ModelMetadata(ApiModel):
    """What to store a model as, and how to convert it.

    Source: mlops-api-tutorial, "Upload Model to Workspace" (prose); mlops-api-tutorial, "Upload Native Runtime Model
    Example" (example); mlops-api-tutorial, "Upload Converted Model Examples" (example).

    """

    name: str
    """ The model's name, of letters, digits and dashes. """
    visibility: Visibility
    """ Who may see the model, everybody or the members of its workspace.

    Source: mlops-api-tutorial, "Upload Model to Workspace" (prose). """
    workspace_id: int
    """ The workspace's id. """
    conversion: Conversion
    """ What the file is, and what it needs to run.

    Source: mlops-api-tutorial, "Upload Model to Workspace" (example); field-notes, "Models" (observed); vendor-sdk,
    "What the vendor's own SDK asks of a server" (observed). """
    input_schema: str | Unset = UNSET
    """ The schema of the model's inputs, an Arrow schema serialised as an IPC message, in base64. Frameworks that
    are not native to the engine need it. """
    output_schema: str | Unset = UNSET
    """ The schema of the model's outputs, written like the inputs'. """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        name = self.name

        visibility = self.visibility.value

        workspace_id = self.workspace_id

        conversion = self.conversion.to_dict()

        input_schema = self.input_schema

        output_schema = self.output_schema

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "name": name,
                "visibility": visibility,
                "workspace_id": workspace_id,
                "conversion": conversion,
            }
        )
        if input_schema is not UNSET:
            field_dict["input_schema"] = input_schema
        if output_schema is not UNSET:
            field_dict["output_schema"] = output_schema

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.conversion import Conversion  # noqa: PLC0415

        d = dict(src_dict)
        name = d.pop("name")

        visibility = Visibility(d.pop("visibility"))

        workspace_id = d.pop("workspace_id")

        conversion = Conversion.from_dict(d.pop("conversion"))

        input_schema = d.pop("input_schema", UNSET)

        output_schema = d.pop("output_schema", UNSET)

        model_metadata = cls(
            name=name,
            visibility=visibility,
            workspace_id=workspace_id,
            conversion=conversion,
            input_schema=input_schema,
            output_schema=output_schema,
        )

        model_metadata.additional_properties = d
        return model_metadata

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
