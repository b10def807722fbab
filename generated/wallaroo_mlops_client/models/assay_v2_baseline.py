from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, ApiModel, Unset

if TYPE_CHECKING:
    from ..models.assay_v2_baseline_summary import AssayV2BaselineSummary


T = TypeVar("T", bound="AssayV2Baseline")


@_attrs_define(repr=False)
class AssayV2Baseline(ApiModel):
    """What windows are compared with, under the name of its kind; `Summary` is the one that was recorded.

    Source: recordings, "/v2/api/assays/get" (recorded).

    """

    summary: AssayV2BaselineSummary | Unset = UNSET
    """ The distribution of each watched value, by its field. """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        summary: dict[str, Any] | Unset = UNSET
        if not isinstance(self.summary, Unset):
            summary = self.summary.to_dict()

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update({})
        if summary is not UNSET:
            field_dict["Summary"] = summary

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.assay_v2_baseline_summary import AssayV2BaselineSummary  # noqa: PLC0415

        d = dict(src_dict)
        _summary = d.pop("Summary", UNSET)
        summary: AssayV2BaselineSummary | Unset
        if isinstance(_summary, Unset):
            summary = UNSET
        else:
            summary = AssayV2BaselineSummary.from_dict(_summary)

        assay_v2_baseline = cls(
            summary=summary,
        )

        assay_v2_baseline.additional_properties = d
        return assay_v2_baseline

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
