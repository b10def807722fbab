from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

T = TypeVar("T", bound="GetAssayBaselineRequest")


@_attrs_define
class GetAssayBaselineRequest:
    """The rows to get.

    Source: mlops-api-tutorial, "Get Assay Baseline" (prose).

    """

    workspace_id: int
    """ The workspace's id. """
    pipeline_name: str
    """ The pipeline's name. """
    start: str | Unset = UNSET
    """ From when on, as RFC 3339 writes it. """
    end: str | Unset = UNSET
    """ Until when, as RFC 3339 writes it. """
    model_name: str | Unset = UNSET
    """ The name of the model that scored the rows. """
    limit: int | Unset = UNSET
    """ How many to get at the most. """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        workspace_id = self.workspace_id

        pipeline_name = self.pipeline_name

        start = self.start

        end = self.end

        model_name = self.model_name

        limit = self.limit

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "workspace_id": workspace_id,
                "pipeline_name": pipeline_name,
            }
        )
        if start is not UNSET:
            field_dict["start"] = start
        if end is not UNSET:
            field_dict["end"] = end
        if model_name is not UNSET:
            field_dict["model_name"] = model_name
        if limit is not UNSET:
            field_dict["limit"] = limit

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        workspace_id = d.pop("workspace_id")

        pipeline_name = d.pop("pipeline_name")

        start = d.pop("start", UNSET)

        end = d.pop("end", UNSET)

        model_name = d.pop("model_name", UNSET)

        limit = d.pop("limit", UNSET)

        get_assay_baseline_request = cls(
            workspace_id=workspace_id,
            pipeline_name=pipeline_name,
            start=start,
            end=end,
            model_name=model_name,
            limit=limit,
        )

        get_assay_baseline_request.additional_properties = d
        return get_assay_baseline_request

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
