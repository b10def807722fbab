from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

T = TypeVar("T", bound="AssayBaselineRow")


@_attrs_define
class AssayBaselineRow:
    """A logged inference as a flat row: `time`, and a field for each input (`in.<field>`), output (`out.<field>`) and
    piece of metadata (`metadata.<name>`).

    Source: mlops-api-tutorial, "Get Assay Baseline" (recorded).

    """

    time: int
    """ When the row was scored, in milliseconds since 1970. """
    metadata_last_model: str | Unset = UNSET
    """ The model that scored it, as JSON in a string with `model_name` and `model_sha`. """
    metadata_profile: str | Unset = UNSET
    """ How long it took, as JSON in a string with `elapsed_ns`. """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        time = self.time

        metadata_last_model = self.metadata_last_model

        metadata_profile = self.metadata_profile

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "time": time,
            }
        )
        if metadata_last_model is not UNSET:
            field_dict["metadata.last_model"] = metadata_last_model
        if metadata_profile is not UNSET:
            field_dict["metadata.profile"] = metadata_profile

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        time = d.pop("time")

        metadata_last_model = d.pop("metadata.last_model", UNSET)

        metadata_profile = d.pop("metadata.profile", UNSET)

        assay_baseline_row = cls(
            time=time,
            metadata_last_model=metadata_last_model,
            metadata_profile=metadata_profile,
        )

        assay_baseline_row.additional_properties = d
        return assay_baseline_row

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
