from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, ApiModel, Unset

if TYPE_CHECKING:
    from ..models.engine_status import EngineStatus
    from ..models.pod_status import PodStatus


T = TypeVar("T", bound="DeploymentStatus")


@_attrs_define(repr=False)
class DeploymentStatus(ApiModel):
    """The state of a deployment.

    Source: pipeline-management-tutorial, "Get Deployment Status Examples" (recorded); mlops-api-tutorial, "Get
    Deployment Status" (recorded); api-essentials-guide, "Get Deployment Status" (recorded); recordings,
    "/v1/api/status/get_deployment" (recorded).

    """

    status: str
    """ The state of the whole. """
    details: list[Any] | None | Unset = UNSET
    """ What there is to say about the state; null in the oldest releases. """
    engines: list[EngineStatus] | Unset = UNSET
    """ The inference engines. """
    engine_lbs: list[PodStatus] | Unset = UNSET
    """ The load balancers in front of the engines. """
    sidekicks: list[PodStatus] | Unset = UNSET
    """ The containers of models that are not native to the engine. The oldest releases do not have the field. """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        status = self.status

        details: list[Any] | None | Unset
        if isinstance(self.details, Unset):
            details = UNSET
        elif isinstance(self.details, list):
            details = self.details

        else:
            details = self.details

        engines: list[dict[str, Any]] | Unset = UNSET
        if not isinstance(self.engines, Unset):
            engines = []
            for engines_item_data in self.engines:
                engines_item = engines_item_data.to_dict()
                engines.append(engines_item)

        engine_lbs: list[dict[str, Any]] | Unset = UNSET
        if not isinstance(self.engine_lbs, Unset):
            engine_lbs = []
            for engine_lbs_item_data in self.engine_lbs:
                engine_lbs_item = engine_lbs_item_data.to_dict()
                engine_lbs.append(engine_lbs_item)

        sidekicks: list[dict[str, Any]] | Unset = UNSET
        if not isinstance(self.sidekicks, Unset):
            sidekicks = []
            for sidekicks_item_data in self.sidekicks:
                sidekicks_item = sidekicks_item_data.to_dict()
                sidekicks.append(sidekicks_item)

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "status": status,
            }
        )
        if details is not UNSET:
            field_dict["details"] = details
        if engines is not UNSET:
            field_dict["engines"] = engines
        if engine_lbs is not UNSET:
            field_dict["engine_lbs"] = engine_lbs
        if sidekicks is not UNSET:
            field_dict["sidekicks"] = sidekicks

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.engine_status import EngineStatus  # noqa: PLC0415
        from ..models.pod_status import PodStatus  # noqa: PLC0415

        d = dict(src_dict)
        status = d.pop("status")

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

        _engines = d.pop("engines", UNSET)
        engines: list[EngineStatus] | Unset = UNSET
        if _engines is not UNSET:
            engines = []
            for engines_item_data in _engines:
                engines_item = EngineStatus.from_dict(engines_item_data)

                engines.append(engines_item)

        _engine_lbs = d.pop("engine_lbs", UNSET)
        engine_lbs: list[PodStatus] | Unset = UNSET
        if _engine_lbs is not UNSET:
            engine_lbs = []
            for engine_lbs_item_data in _engine_lbs:
                engine_lbs_item = PodStatus.from_dict(engine_lbs_item_data)

                engine_lbs.append(engine_lbs_item)

        _sidekicks = d.pop("sidekicks", UNSET)
        sidekicks: list[PodStatus] | Unset = UNSET
        if _sidekicks is not UNSET:
            sidekicks = []
            for sidekicks_item_data in _sidekicks:
                sidekicks_item = PodStatus.from_dict(sidekicks_item_data)

                sidekicks.append(sidekicks_item)

        deployment_status = cls(
            status=status,
            details=details,
            engines=engines,
            engine_lbs=engine_lbs,
            sidekicks=sidekicks,
        )

        deployment_status.additional_properties = d
        return deployment_status

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
