from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import ApiModel

if TYPE_CHECKING:
    from ..models.assay_v2_interval_request import AssayV2IntervalRequest


T = TypeVar("T", bound="AssayV2SchedulingRequestRunFrequency")


@_attrs_define(repr=False)
class AssayV2SchedulingRequestRunFrequency(ApiModel):
    """How often it is run, under the name of the kind of frequency."""

    simple_run_frequency: AssayV2IntervalRequest
    """ A length of time.

    Source: vendor-sdk, "What the vendor's own SDK asks of a server" (observed). """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        simple_run_frequency = self.simple_run_frequency.to_dict()

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "SimpleRunFrequency": simple_run_frequency,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.assay_v2_interval_request import AssayV2IntervalRequest  # noqa: PLC0415

        d = dict(src_dict)
        simple_run_frequency = AssayV2IntervalRequest.from_dict(
            d.pop("SimpleRunFrequency")
        )

        assay_v2_scheduling_request_run_frequency = cls(
            simple_run_frequency=simple_run_frequency,
        )

        assay_v2_scheduling_request_run_frequency.additional_properties = d
        return assay_v2_scheduling_request_run_frequency

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
