from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, ApiModel, Unset

T = TypeVar("T", bound="AssayV2DataOrigin")


@_attrs_define(repr=False)
class AssayV2DataOrigin(ApiModel):
    """Whose inferences an assay watches.

    Source: recordings, "/v2/api/assays/get" (recorded).

    """

    pipeline_name: str | Unset = UNSET
    """ The pipeline's name. """
    pipeline_id: int | Unset = UNSET
    """ The pipeline's id. """
    workspace_name: str | Unset = UNSET
    """ The workspace's name. """
    workspace_id: int | Unset = UNSET
    """ The workspace's id. """
    model_id: None | str | Unset = UNSET
    """ The model's name. """
    locations: list[str] | None | Unset = UNSET
    """ The places that inferences come from; null for all. """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        pipeline_name = self.pipeline_name

        pipeline_id = self.pipeline_id

        workspace_name = self.workspace_name

        workspace_id = self.workspace_id

        model_id: None | str | Unset
        if isinstance(self.model_id, Unset):
            model_id = UNSET
        else:
            model_id = self.model_id

        locations: list[str] | None | Unset
        if isinstance(self.locations, Unset):
            locations = UNSET
        elif isinstance(self.locations, list):
            locations = self.locations

        else:
            locations = self.locations

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update({})
        if pipeline_name is not UNSET:
            field_dict["pipeline_name"] = pipeline_name
        if pipeline_id is not UNSET:
            field_dict["pipeline_id"] = pipeline_id
        if workspace_name is not UNSET:
            field_dict["workspace_name"] = workspace_name
        if workspace_id is not UNSET:
            field_dict["workspace_id"] = workspace_id
        if model_id is not UNSET:
            field_dict["model_id"] = model_id
        if locations is not UNSET:
            field_dict["locations"] = locations

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        pipeline_name = d.pop("pipeline_name", UNSET)

        pipeline_id = d.pop("pipeline_id", UNSET)

        workspace_name = d.pop("workspace_name", UNSET)

        workspace_id = d.pop("workspace_id", UNSET)

        def _parse_model_id(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, data)

        model_id = _parse_model_id(d.pop("model_id", UNSET))

        def _parse_locations(data: object) -> list[str] | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            try:
                if not isinstance(data, list):
                    raise TypeError()
                locations_type_0 = cast(list[str], data)

                return locations_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(list[str] | None | Unset, data)

        locations = _parse_locations(d.pop("locations", UNSET))

        assay_v2_data_origin = cls(
            pipeline_name=pipeline_name,
            pipeline_id=pipeline_id,
            workspace_name=workspace_name,
            workspace_id=workspace_id,
            model_id=model_id,
            locations=locations,
        )

        assay_v2_data_origin.additional_properties = d
        return assay_v2_data_origin

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
