from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, ApiModel, Unset

if TYPE_CHECKING:
    from ..models.model_statuses import ModelStatuses
    from ..models.pipeline_statuses import PipelineStatuses


T = TypeVar("T", bound="EngineStatus")


@_attrs_define(repr=False)
class EngineStatus(ApiModel):
    """The state of one engine's pod, with its pipelines and models.

    Source: pipeline-management-tutorial, "Get Deployment Status Examples" (recorded); api-essentials-guide, "Get
    Deployment Status" (recorded).

    """

    status: str
    """ The pod's state. """
    ip: None | str | Unset = UNSET
    """ The pod's address inside the cluster; null while it is pending. """
    name: str | Unset = UNSET
    """ The pod's name. """
    reason: None | str | Unset = UNSET
    """ Why it is not running. """
    details: list[Any] | None | Unset = UNSET
    """ What there is to say about the state. The oldest releases do not have the field. """
    pipeline_statuses: None | PipelineStatuses | Unset = UNSET
    """ The pipelines that the engine runs; null while it is pending. """
    model_statuses: ModelStatuses | None | Unset = UNSET
    """ The models that the engine has loaded; null while it is pending. """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        from ..models.model_statuses import ModelStatuses  # noqa: PLC0415
        from ..models.pipeline_statuses import PipelineStatuses  # noqa: PLC0415

        status = self.status

        ip: None | str | Unset
        if isinstance(self.ip, Unset):
            ip = UNSET
        else:
            ip = self.ip

        name = self.name

        reason: None | str | Unset
        if isinstance(self.reason, Unset):
            reason = UNSET
        else:
            reason = self.reason

        details: list[Any] | None | Unset
        if isinstance(self.details, Unset):
            details = UNSET
        elif isinstance(self.details, list):
            details = self.details

        else:
            details = self.details

        pipeline_statuses: dict[str, Any] | None | Unset
        if isinstance(self.pipeline_statuses, Unset):
            pipeline_statuses = UNSET
        elif isinstance(self.pipeline_statuses, PipelineStatuses):
            pipeline_statuses = self.pipeline_statuses.to_dict()
        else:
            pipeline_statuses = self.pipeline_statuses

        model_statuses: dict[str, Any] | None | Unset
        if isinstance(self.model_statuses, Unset):
            model_statuses = UNSET
        elif isinstance(self.model_statuses, ModelStatuses):
            model_statuses = self.model_statuses.to_dict()
        else:
            model_statuses = self.model_statuses

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "status": status,
            }
        )
        if ip is not UNSET:
            field_dict["ip"] = ip
        if name is not UNSET:
            field_dict["name"] = name
        if reason is not UNSET:
            field_dict["reason"] = reason
        if details is not UNSET:
            field_dict["details"] = details
        if pipeline_statuses is not UNSET:
            field_dict["pipeline_statuses"] = pipeline_statuses
        if model_statuses is not UNSET:
            field_dict["model_statuses"] = model_statuses

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.model_statuses import ModelStatuses  # noqa: PLC0415
        from ..models.pipeline_statuses import PipelineStatuses  # noqa: PLC0415

        d = dict(src_dict)
        status = d.pop("status")

        def _parse_ip(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, data)

        ip = _parse_ip(d.pop("ip", UNSET))

        name = d.pop("name", UNSET)

        def _parse_reason(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, data)

        reason = _parse_reason(d.pop("reason", UNSET))

        def _parse_details(data: object) -> list[Any] | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            try:
                if not isinstance(data, list):
                    raise TypeError()
                details_type_0 = cast(list[Any], data)

                return details_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(list[Any] | None | Unset, data)

        details = _parse_details(d.pop("details", UNSET))

        def _parse_pipeline_statuses(data: object) -> None | PipelineStatuses | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            try:
                if not isinstance(data, dict):
                    raise TypeError()
                pipeline_statuses_type_0 = PipelineStatuses.from_dict(data)

                return pipeline_statuses_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(None | PipelineStatuses | Unset, data)

        pipeline_statuses = _parse_pipeline_statuses(d.pop("pipeline_statuses", UNSET))

        def _parse_model_statuses(data: object) -> ModelStatuses | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            try:
                if not isinstance(data, dict):
                    raise TypeError()
                model_statuses_type_0 = ModelStatuses.from_dict(data)

                return model_statuses_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(ModelStatuses | None | Unset, data)

        model_statuses = _parse_model_statuses(d.pop("model_statuses", UNSET))

        engine_status = cls(
            status=status,
            ip=ip,
            name=name,
            reason=reason,
            details=details,
            pipeline_statuses=pipeline_statuses,
            model_statuses=model_statuses,
        )

        engine_status.additional_properties = d
        return engine_status

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
