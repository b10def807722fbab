from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, ApiModel, Unset

T = TypeVar("T", bound="AssayWindow")


@_attrs_define(repr=False)
class AssayWindow(ApiModel):
    """Which inferences are compared with the baseline, and how often.

    Source: mlops-api-tutorial, "List Assays" (recorded); recordings, "/v1/api/assays/list" (recorded).

    """

    pipeline: str | Unset = UNSET
    """ The pipeline's name, before 2023.4. """
    model: str | Unset = UNSET
    """ The model's name, before 2023.4. """
    pipeline_name: str | Unset = UNSET
    """ The pipeline's name, since 2023.4. """
    model_name: None | str | Unset = UNSET
    """ The model's name, since 2023.4. """
    path: str | Unset = UNSET
    """ The watched value, as `input|output field index`, since 2023.4. """
    workspace_id: int | Unset = UNSET
    """ The workspace's id, since 2023.4. """
    locations: list[str] | None | Unset = UNSET
    """ The places that inferences come from, since 2023.4; empty for all. """
    width: str | Unset = UNSET
    """ How long a window is. """
    start: None | str | Unset = UNSET
    """ When the first window begins; null for the end of the baseline. """
    interval: None | str | Unset = UNSET
    """ How far apart windows begin; null for their width. """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        pipeline = self.pipeline

        model = self.model

        pipeline_name = self.pipeline_name

        model_name: None | str | Unset
        if isinstance(self.model_name, Unset):
            model_name = UNSET
        else:
            model_name = self.model_name

        path = self.path

        workspace_id = self.workspace_id

        locations: list[str] | None | Unset
        if isinstance(self.locations, Unset):
            locations = UNSET
        elif isinstance(self.locations, list):
            locations = self.locations

        else:
            locations = self.locations

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
        field_dict.update({})
        if pipeline is not UNSET:
            field_dict["pipeline"] = pipeline
        if model is not UNSET:
            field_dict["model"] = model
        if pipeline_name is not UNSET:
            field_dict["pipeline_name"] = pipeline_name
        if model_name is not UNSET:
            field_dict["model_name"] = model_name
        if path is not UNSET:
            field_dict["path"] = path
        if workspace_id is not UNSET:
            field_dict["workspace_id"] = workspace_id
        if locations is not UNSET:
            field_dict["locations"] = locations
        if width is not UNSET:
            field_dict["width"] = width
        if start is not UNSET:
            field_dict["start"] = start
        if interval is not UNSET:
            field_dict["interval"] = interval

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        pipeline = d.pop("pipeline", UNSET)

        model = d.pop("model", UNSET)

        pipeline_name = d.pop("pipeline_name", UNSET)

        def _parse_model_name(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, data)

        model_name = _parse_model_name(d.pop("model_name", UNSET))

        path = d.pop("path", UNSET)

        workspace_id = d.pop("workspace_id", UNSET)

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

        width = d.pop("width", UNSET)

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

        assay_window = cls(
            pipeline=pipeline,
            model=model,
            pipeline_name=pipeline_name,
            model_name=model_name,
            path=path,
            workspace_id=workspace_id,
            locations=locations,
            width=width,
            start=start,
            interval=interval,
        )

        assay_window.additional_properties = d
        return assay_window

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
