from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, ApiModel, Unset

if TYPE_CHECKING:
    from ..models.assay_v2_scheduling_run_frequency import AssayV2SchedulingRunFrequency


T = TypeVar("T", bound="AssayV2Scheduling")


@_attrs_define(repr=False)
class AssayV2Scheduling(ApiModel):
    """When an assay is run.

    Source: recordings, "/v2/api/assays/get" (recorded).

    """

    first_run: str | Unset = UNSET
    """ When it is run first, as RFC 3339 writes it. """
    end: None | str | Unset = UNSET
    """ When the instance stops running it. """
    run_frequency: AssayV2SchedulingRunFrequency | Unset = UNSET
    """ How often it is run, under the name of the kind of frequency. """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        first_run = self.first_run

        end: None | str | Unset
        if isinstance(self.end, Unset):
            end = UNSET
        else:
            end = self.end

        run_frequency: dict[str, Any] | Unset = UNSET
        if not isinstance(self.run_frequency, Unset):
            run_frequency = self.run_frequency.to_dict()

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update({})
        if first_run is not UNSET:
            field_dict["first_run"] = first_run
        if end is not UNSET:
            field_dict["end"] = end
        if run_frequency is not UNSET:
            field_dict["run_frequency"] = run_frequency

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.assay_v2_scheduling_run_frequency import (
            AssayV2SchedulingRunFrequency,  # noqa: PLC0415
        )

        d = dict(src_dict)
        first_run = d.pop("first_run", UNSET)

        def _parse_end(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, data)

        end = _parse_end(d.pop("end", UNSET))

        _run_frequency = d.pop("run_frequency", UNSET)
        run_frequency: AssayV2SchedulingRunFrequency | Unset
        if isinstance(_run_frequency, Unset):
            run_frequency = UNSET
        else:
            run_frequency = AssayV2SchedulingRunFrequency.from_dict(_run_frequency)

        assay_v2_scheduling = cls(
            first_run=first_run,
            end=end,
            run_frequency=run_frequency,
        )

        assay_v2_scheduling.additional_properties = d
        return assay_v2_scheduling

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
