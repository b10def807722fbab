from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import ApiModel

if TYPE_CHECKING:
    from ..models.assay_v2_baseline_request import AssayV2BaselineRequest
    from ..models.assay_v2_summarizer_request import AssayV2SummarizerRequest
    from ..models.assay_v2_targeting_request import AssayV2TargetingRequest


T = TypeVar("T", bound="PreviewAssayBaselineV2Request")


@_attrs_define(repr=False)
class PreviewAssayBaselineV2Request(ApiModel):
    """The baseline to summarize, and how.

    Source: vendor-sdk, "What the vendor's own SDK asks of a server" (observed).

    """

    baseline: AssayV2BaselineRequest
    """ What windows are compared with, under the name of its kind.

    Source: vendor-sdk, "What the vendor's own SDK asks of a server" (observed). """
    summarizer: AssayV2SummarizerRequest
    """ How values are binned and compared, under the name of the kind of values.

    Source: vendor-sdk, "What the vendor's own SDK asks of a server" (observed). """
    targeting: AssayV2TargetingRequest
    """ What an assay watches.

    Source: vendor-sdk, "What the vendor's own SDK asks of a server" (observed). """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        baseline = self.baseline.to_dict()

        summarizer = self.summarizer.to_dict()

        targeting = self.targeting.to_dict()

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "baseline": baseline,
                "summarizer": summarizer,
                "targeting": targeting,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.assay_v2_baseline_request import AssayV2BaselineRequest  # noqa: PLC0415
        from ..models.assay_v2_summarizer_request import AssayV2SummarizerRequest  # noqa: PLC0415
        from ..models.assay_v2_targeting_request import AssayV2TargetingRequest  # noqa: PLC0415

        d = dict(src_dict)
        baseline = AssayV2BaselineRequest.from_dict(d.pop("baseline"))

        summarizer = AssayV2SummarizerRequest.from_dict(d.pop("summarizer"))

        targeting = AssayV2TargetingRequest.from_dict(d.pop("targeting"))

        preview_assay_baseline_v2_request = cls(
            baseline=baseline,
            summarizer=summarizer,
            targeting=targeting,
        )

        preview_assay_baseline_v2_request.additional_properties = d
        return preview_assay_baseline_v2_request

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
