from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, ApiModel, Unset

if TYPE_CHECKING:
    from ..models.assay_summary import AssaySummary
    from ..models.calculated_baseline import CalculatedBaseline
    from ..models.fixed_baseline import FixedBaseline


T = TypeVar("T", bound="AssayBaseline")


@_attrs_define(repr=False)
class AssayBaseline(ApiModel):
    """What windows are compared with; `Fixed` before 2023.4, `static` or `calculated` since.

    Source: mlops-api-tutorial, "List Assays" (recorded); recordings, "/v1/api/assays/list" (recorded).

    """

    fixed: FixedBaseline | Unset = UNSET
    """ The inferences of a fixed time.

    Source: mlops-api-tutorial, "List Assays" (recorded). """
    static: AssaySummary | Unset = UNSET
    """ The distribution of the watched value in a time.

    Source: mlops-api-tutorial, "Run Assay Interactively" (recorded); mlops-api-tutorial, "Create Interactive
    Baseline" (recorded); recordings, "/v1/api/assays/summarize" (recorded). """
    calculated: CalculatedBaseline | Unset = UNSET
    """ The values of a baseline, or the window of inferences that they come from; one of the three.

    Source: recordings, "/v1/api/assays/list" (recorded); vendor-sdk, "What the vendor's own SDK asks of a server"
    (observed). """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        fixed: dict[str, Any] | Unset = UNSET
        if not isinstance(self.fixed, Unset):
            fixed = self.fixed.to_dict()

        static: dict[str, Any] | Unset = UNSET
        if not isinstance(self.static, Unset):
            static = self.static.to_dict()

        calculated: dict[str, Any] | Unset = UNSET
        if not isinstance(self.calculated, Unset):
            calculated = self.calculated.to_dict()

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update({})
        if fixed is not UNSET:
            field_dict["Fixed"] = fixed
        if static is not UNSET:
            field_dict["static"] = static
        if calculated is not UNSET:
            field_dict["calculated"] = calculated

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.assay_summary import AssaySummary  # noqa: PLC0415
        from ..models.calculated_baseline import CalculatedBaseline  # noqa: PLC0415
        from ..models.fixed_baseline import FixedBaseline  # noqa: PLC0415

        d = dict(src_dict)
        _fixed = d.pop("Fixed", UNSET)
        fixed: FixedBaseline | Unset
        if isinstance(_fixed, Unset):
            fixed = UNSET
        else:
            fixed = FixedBaseline.from_dict(_fixed)

        _static = d.pop("static", UNSET)
        static: AssaySummary | Unset
        if isinstance(_static, Unset):
            static = UNSET
        else:
            static = AssaySummary.from_dict(_static)

        _calculated = d.pop("calculated", UNSET)
        calculated: CalculatedBaseline | Unset
        if isinstance(_calculated, Unset):
            calculated = UNSET
        else:
            calculated = CalculatedBaseline.from_dict(_calculated)

        assay_baseline = cls(
            fixed=fixed,
            static=static,
            calculated=calculated,
        )

        assay_baseline.additional_properties = d
        return assay_baseline

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
