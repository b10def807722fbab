from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, ApiModel, Unset

T = TypeVar("T", bound="GetAssayResultsRequest")


@_attrs_define(repr=False)
class GetAssayResultsRequest(ApiModel):
    """The results to get.

    Source: mlops-api-tutorial, "Get Assay Results" (prose).

    """

    assay_id: int
    """ The assay's id. """
    start: str | Unset = UNSET
    """ From when on, as RFC 3339 writes it. """
    end: str | Unset = UNSET
    """ Until when, as RFC 3339 writes it. """
    limit: int | Unset = UNSET
    """ How many to get at the most. """
    pipeline_id: int | Unset = UNSET
    """ The pipeline's id. """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        assay_id = self.assay_id

        start = self.start

        end = self.end

        limit = self.limit

        pipeline_id = self.pipeline_id

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "assay_id": assay_id,
            }
        )
        if start is not UNSET:
            field_dict["start"] = start
        if end is not UNSET:
            field_dict["end"] = end
        if limit is not UNSET:
            field_dict["limit"] = limit
        if pipeline_id is not UNSET:
            field_dict["pipeline_id"] = pipeline_id

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        assay_id = d.pop("assay_id")

        start = d.pop("start", UNSET)

        end = d.pop("end", UNSET)

        limit = d.pop("limit", UNSET)

        pipeline_id = d.pop("pipeline_id", UNSET)

        get_assay_results_request = cls(
            assay_id=assay_id,
            start=start,
            end=end,
            limit=limit,
            pipeline_id=pipeline_id,
        )

        get_assay_results_request.additional_properties = d
        return get_assay_results_request

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
