from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, ApiModel, Unset

T = TypeVar("T", bound="GetTopicNameRequest")


@_attrs_define(repr=False)
class GetTopicNameRequest(ApiModel):
    """The pipeline whose topic to find.

    Source: vendor-sdk, "What the vendor's own SDK asks of a server" (observed).

    """

    pipeline_pk_id: int | None | Unset = UNSET
    """ The pipeline's id. """
    pipeline_name: None | str | Unset = UNSET
    """ The pipeline's name; of several workspaces' pipelines of one name, `workspace_id` decides. """
    workspace_id: int | None | Unset = UNSET
    """ The workspace of the pipeline that is named. """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        pipeline_pk_id: int | None | Unset
        if isinstance(self.pipeline_pk_id, Unset):
            pipeline_pk_id = UNSET
        else:
            pipeline_pk_id = self.pipeline_pk_id

        pipeline_name: None | str | Unset
        if isinstance(self.pipeline_name, Unset):
            pipeline_name = UNSET
        else:
            pipeline_name = self.pipeline_name

        workspace_id: int | None | Unset
        if isinstance(self.workspace_id, Unset):
            workspace_id = UNSET
        else:
            workspace_id = self.workspace_id

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update({})
        if pipeline_pk_id is not UNSET:
            field_dict["pipeline_pk_id"] = pipeline_pk_id
        if pipeline_name is not UNSET:
            field_dict["pipeline_name"] = pipeline_name
        if workspace_id is not UNSET:
            field_dict["workspace_id"] = workspace_id

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)

        def _parse_pipeline_pk_id(data: object) -> int | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(int | None | Unset, data)

        pipeline_pk_id = _parse_pipeline_pk_id(d.pop("pipeline_pk_id", UNSET))

        def _parse_pipeline_name(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, data)

        pipeline_name = _parse_pipeline_name(d.pop("pipeline_name", UNSET))

        def _parse_workspace_id(data: object) -> int | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(int | None | Unset, data)

        workspace_id = _parse_workspace_id(d.pop("workspace_id", UNSET))

        get_topic_name_request = cls(
            pipeline_pk_id=pipeline_pk_id,
            pipeline_name=pipeline_name,
            workspace_id=workspace_id,
        )

        get_topic_name_request.additional_properties = d
        return get_topic_name_request

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
