from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, ApiModel, Unset

T = TypeVar("T", bound="FixedBaseline")


@_attrs_define(repr=False)
class FixedBaseline(ApiModel):
    """The inferences of a fixed time.

    Source: mlops-api-tutorial, "List Assays" (recorded).

    """

    pipeline: str | Unset = UNSET
    """ The pipeline's name. """
    model: str | Unset = UNSET
    """ The model's name. """
    start_at: str | Unset = UNSET
    """ When the time begins, as RFC 3339 writes it. """
    end_at: str | Unset = UNSET
    """ When the time ends, as RFC 3339 writes it. """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        pipeline = self.pipeline

        model = self.model

        start_at = self.start_at

        end_at = self.end_at

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update({})
        if pipeline is not UNSET:
            field_dict["pipeline"] = pipeline
        if model is not UNSET:
            field_dict["model"] = model
        if start_at is not UNSET:
            field_dict["start_at"] = start_at
        if end_at is not UNSET:
            field_dict["end_at"] = end_at

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        pipeline = d.pop("pipeline", UNSET)

        model = d.pop("model", UNSET)

        start_at = d.pop("start_at", UNSET)

        end_at = d.pop("end_at", UNSET)

        fixed_baseline = cls(
            pipeline=pipeline,
            model=model,
            start_at=start_at,
            end_at=end_at,
        )

        fixed_baseline.additional_properties = d
        return fixed_baseline

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
