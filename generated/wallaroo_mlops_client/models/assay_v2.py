from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, ApiModel, Unset

if TYPE_CHECKING:
    from ..models.assay_v2_baseline import AssayV2Baseline
    from ..models.assay_v2_scheduling import AssayV2Scheduling
    from ..models.assay_v2_summarizer import AssayV2Summarizer
    from ..models.assay_v2_targeting import AssayV2Targeting
    from ..models.assay_v2_window import AssayV2Window


T = TypeVar("T", bound="AssayV2")


@_attrs_define(repr=False)
class AssayV2(ApiModel):
    """An assay of the second version of the assays.

    Source: recordings, "/v2/api/assays/get" (recorded).

    """

    id: str
    """ The assay's UUID. """
    name: str
    """ The assay's name. """
    active: bool | Unset = UNSET
    """ Whether the instance runs it by itself. """
    scheduling: AssayV2Scheduling | Unset = UNSET
    """ When an assay is run.

    Source: recordings, "/v2/api/assays/get" (recorded). """
    baseline: AssayV2Baseline | Unset = UNSET
    """ What windows are compared with, under the name of its kind; `Summary` is the one that was recorded.

    Source: recordings, "/v2/api/assays/get" (recorded). """
    window: AssayV2Window | Unset = UNSET
    """ How long a window is. """
    summarizer: AssayV2Summarizer | Unset = UNSET
    """ How values are binned and compared, under the name of the kind of values. """
    targeting: AssayV2Targeting | Unset = UNSET
    """ What an assay watches.

    Source: recordings, "/v2/api/assays/get" (recorded). """
    created_at: str | Unset = UNSET
    """ When it was created, as RFC 3339 writes it. """
    updated_at: str | Unset = UNSET
    """ When it was changed last, as RFC 3339 writes it. """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        id = self.id

        name = self.name

        active = self.active

        scheduling: dict[str, Any] | Unset = UNSET
        if not isinstance(self.scheduling, Unset):
            scheduling = self.scheduling.to_dict()

        baseline: dict[str, Any] | Unset = UNSET
        if not isinstance(self.baseline, Unset):
            baseline = self.baseline.to_dict()

        window: dict[str, Any] | Unset = UNSET
        if not isinstance(self.window, Unset):
            window = self.window.to_dict()

        summarizer: dict[str, Any] | Unset = UNSET
        if not isinstance(self.summarizer, Unset):
            summarizer = self.summarizer.to_dict()

        targeting: dict[str, Any] | Unset = UNSET
        if not isinstance(self.targeting, Unset):
            targeting = self.targeting.to_dict()

        created_at = self.created_at

        updated_at = self.updated_at

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "id": id,
                "name": name,
            }
        )
        if active is not UNSET:
            field_dict["active"] = active
        if scheduling is not UNSET:
            field_dict["scheduling"] = scheduling
        if baseline is not UNSET:
            field_dict["baseline"] = baseline
        if window is not UNSET:
            field_dict["window"] = window
        if summarizer is not UNSET:
            field_dict["summarizer"] = summarizer
        if targeting is not UNSET:
            field_dict["targeting"] = targeting
        if created_at is not UNSET:
            field_dict["created_at"] = created_at
        if updated_at is not UNSET:
            field_dict["updated_at"] = updated_at

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.assay_v2_baseline import AssayV2Baseline  # noqa: PLC0415
        from ..models.assay_v2_scheduling import AssayV2Scheduling  # noqa: PLC0415
        from ..models.assay_v2_summarizer import AssayV2Summarizer  # noqa: PLC0415
        from ..models.assay_v2_targeting import AssayV2Targeting  # noqa: PLC0415
        from ..models.assay_v2_window import AssayV2Window  # noqa: PLC0415

        d = dict(src_dict)
        id = d.pop("id")

        name = d.pop("name")

        active = d.pop("active", UNSET)

        _scheduling = d.pop("scheduling", UNSET)
        scheduling: AssayV2Scheduling | Unset
        if isinstance(_scheduling, Unset):
            scheduling = UNSET
        else:
            scheduling = AssayV2Scheduling.from_dict(_scheduling)

        _baseline = d.pop("baseline", UNSET)
        baseline: AssayV2Baseline | Unset
        if isinstance(_baseline, Unset):
            baseline = UNSET
        else:
            baseline = AssayV2Baseline.from_dict(_baseline)

        _window = d.pop("window", UNSET)
        window: AssayV2Window | Unset
        if isinstance(_window, Unset):
            window = UNSET
        else:
            window = AssayV2Window.from_dict(_window)

        _summarizer = d.pop("summarizer", UNSET)
        summarizer: AssayV2Summarizer | Unset
        if isinstance(_summarizer, Unset):
            summarizer = UNSET
        else:
            summarizer = AssayV2Summarizer.from_dict(_summarizer)

        _targeting = d.pop("targeting", UNSET)
        targeting: AssayV2Targeting | Unset
        if isinstance(_targeting, Unset):
            targeting = UNSET
        else:
            targeting = AssayV2Targeting.from_dict(_targeting)

        created_at = d.pop("created_at", UNSET)

        updated_at = d.pop("updated_at", UNSET)

        assay_v2 = cls(
            id=id,
            name=name,
            active=active,
            scheduling=scheduling,
            baseline=baseline,
            window=window,
            summarizer=summarizer,
            targeting=targeting,
            created_at=created_at,
            updated_at=updated_at,
        )

        assay_v2.additional_properties = d
        return assay_v2

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
