from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import ApiModel

T = TypeVar("T", bound="GetAssayResultsBetweenRequest")


@_attrs_define(repr=False)
class GetAssayResultsBetweenRequest(ApiModel):
    """The results to get.

    Source: field-notes, "Assays" (observed).

    """

    assay_id: int
    """ The assay's id. """
    start: str
    """ From when on, as RFC 3339 writes it. """
    end: str
    """ Until when, as RFC 3339 writes it. """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        assay_id = self.assay_id

        start = self.start

        end = self.end

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "assay_id": assay_id,
                "start": start,
                "end": end,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        assay_id = d.pop("assay_id")

        start = d.pop("start")

        end = d.pop("end")

        get_assay_results_between_request = cls(
            assay_id=assay_id,
            start=start,
            end=end,
        )

        get_assay_results_between_request.additional_properties = d
        return get_assay_results_between_request

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
