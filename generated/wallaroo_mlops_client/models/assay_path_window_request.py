from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, ApiModel, Unset

T = TypeVar("T", bound="AssayPathWindowRequest")


@_attrs_define(repr=False)
class AssayPathWindowRequest(ApiModel):
    """Inferences of a pipeline, and the value of them, as 2023.4 and later have it.

    Source: recordings, "/v1/api/assays/create" (recorded); recordings, "/v1/api/assays/summarize" (recorded); vendor-
    sdk, "What the vendor's own SDK asks of a server" (observed).

    """

    path: str
    """ The value, as `input|output field index`, for example `output dense_1 0`. """
    pipeline_name: str
    """ The pipeline's name. """
    workspace_id: int
    """ The workspace's id. """
    width: str
    """ How long a window is, such as `24 hours`. """
    model_name: None | str | Unset = UNSET
    """ The model's name. """
    start: None | str | Unset = UNSET
    """ When the first window begins. """
    interval: None | str | Unset = UNSET
    """ How far apart windows begin, such as `24 hours`; null for their width. """
    locations: list[str] | None | Unset = UNSET
    """ The places that inferences come from, edge devices for one; empty for all. """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        path = self.path

        pipeline_name = self.pipeline_name

        workspace_id = self.workspace_id

        width = self.width

        model_name: None | str | Unset
        if isinstance(self.model_name, Unset):
            model_name = UNSET
        else:
            model_name = self.model_name

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

        locations: list[str] | None | Unset
        if isinstance(self.locations, Unset):
            locations = UNSET
        elif isinstance(self.locations, list):
            locations = self.locations

        else:
            locations = self.locations

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "path": path,
                "pipeline_name": pipeline_name,
                "workspace_id": workspace_id,
                "width": width,
            }
        )
        if model_name is not UNSET:
            field_dict["model_name"] = model_name
        if start is not UNSET:
            field_dict["start"] = start
        if interval is not UNSET:
            field_dict["interval"] = interval
        if locations is not UNSET:
            field_dict["locations"] = locations

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        path = d.pop("path")

        pipeline_name = d.pop("pipeline_name")

        workspace_id = d.pop("workspace_id")

        width = d.pop("width")

        def _parse_model_name(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, data)

        model_name = _parse_model_name(d.pop("model_name", UNSET))

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

        def _parse_locations(data: object) -> list[str] | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            try:
                if not isinstance(data, list):
                    raise TypeError()
                locations_type_0 = cast(list[str], data)

                return locations_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(list[str] | None | Unset, data)

        locations = _parse_locations(d.pop("locations", UNSET))

        assay_path_window_request = cls(
            path=path,
            pipeline_name=pipeline_name,
            workspace_id=workspace_id,
            width=width,
            model_name=model_name,
            start=start,
            interval=interval,
            locations=locations,
        )

        assay_path_window_request.additional_properties = d
        return assay_path_window_request

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
