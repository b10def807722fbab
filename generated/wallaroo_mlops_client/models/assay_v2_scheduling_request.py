from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, ApiModel, Unset

if TYPE_CHECKING:
    from ..models.assay_v2_scheduling_request_run_frequency import (
        AssayV2SchedulingRequestRunFrequency,
    )


T = TypeVar("T", bound="AssayV2SchedulingRequest")


@_attrs_define(repr=False)
class AssayV2SchedulingRequest(ApiModel):
    """When an assay is run.

    Source: vendor-sdk, "What the vendor's own SDK asks of a server" (observed).

    """

    first_run: str
    """ When it is run first, on the window that ends then. """
    run_frequency: AssayV2SchedulingRequestRunFrequency
    """ How often it is run, under the name of the kind of frequency. """
    end: None | str | Unset = UNSET
    """ When the instance stops running it. """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        first_run = self.first_run

        run_frequency = self.run_frequency.to_dict()

        end: None | str | Unset
        if isinstance(self.end, Unset):
            end = UNSET
        else:
            end = self.end

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "first_run": first_run,
                "run_frequency": run_frequency,
            }
        )
        if end is not UNSET:
            field_dict["end"] = end

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.assay_v2_scheduling_request_run_frequency import (
            AssayV2SchedulingRequestRunFrequency,  # noqa: PLC0415
        )

        d = dict(src_dict)
        first_run = d.pop("first_run")

        run_frequency = AssayV2SchedulingRequestRunFrequency.from_dict(
            d.pop("run_frequency")
        )

        def _parse_end(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, data)

        end = _parse_end(d.pop("end", UNSET))

        assay_v2_scheduling_request = cls(
            first_run=first_run,
            run_frequency=run_frequency,
            end=end,
        )

        assay_v2_scheduling_request.additional_properties = d
        return assay_v2_scheduling_request

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
