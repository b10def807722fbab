from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, ApiModel, Unset

T = TypeVar("T", bound="AssayWindowRequest")


@_attrs_define(repr=False)
class AssayWindowRequest(ApiModel):
    """Which inferences are compared with the baseline, and how often.

    Source: mlops-api-tutorial, "Create Assay" (prose).

    """

    pipeline: str
    """ The pipeline's name. """
    model: str
    """ The model's name. """
    width: str
    """ How long a window is, such as `24 hours`. """
    start: None | str | Unset = UNSET
    """ When the first window begins; null for the end of the baseline. """
    interval: None | str | Unset = UNSET
    """ How far apart windows begin, such as `24 hours`; null for their width. """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        pipeline = self.pipeline

        model = self.model

        width = self.width

        start: None | str | Unset
        if isinstance(self.start, Unset):
            start = UNSET
        else:
            start = self.start

        interval: None | str | Unset
        if isinstance(self.interval, Unset):
            interval = UNSET
        else:
            interval = self.interval

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "pipeline": pipeline,
                "model": model,
                "width": width,
            }
        )
        if start is not UNSET:
            field_dict["start"] = start
        if interval is not UNSET:
            field_dict["interval"] = interval

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        pipeline = d.pop("pipeline")

        model = d.pop("model")

        width = d.pop("width")

        def _parse_start(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, data)

        start = _parse_start(d.pop("start", UNSET))

        def _parse_interval(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, data)

        interval = _parse_interval(d.pop("interval", UNSET))

        assay_window_request = cls(
            pipeline=pipeline,
            model=model,
            width=width,
            start=start,
            interval=interval,
        )

        assay_window_request.additional_properties = d
        return assay_window_request

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
