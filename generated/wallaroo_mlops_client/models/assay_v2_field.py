from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, ApiModel, Unset

if TYPE_CHECKING:
    from ..models.assay_thresholds import AssayThresholds


T = TypeVar("T", bound="AssayV2Field")


@_attrs_define(repr=False)
class AssayV2Field(ApiModel):
    """A watched value.

    Source: recordings, "/v2/api/assays/get" (recorded).

    """

    field: str | Unset = UNSET
    """ The field, such as `out.dense_1`. """
    indexes: list[int] | None | Unset = UNSET
    """ Which values of the field; null for all. """
    thresholds: AssayThresholds | None | Unset = UNSET
    """ The scores above which a window is a warning or an alert. """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        from ..models.assay_thresholds import AssayThresholds  # noqa: PLC0415

        field = self.field

        indexes: list[int] | None | Unset
        if isinstance(self.indexes, Unset):
            indexes = UNSET
        elif isinstance(self.indexes, list):
            indexes = self.indexes

        else:
            indexes = self.indexes

        thresholds: dict[str, Any] | None | Unset
        if isinstance(self.thresholds, Unset):
            thresholds = UNSET
        elif isinstance(self.thresholds, AssayThresholds):
            thresholds = self.thresholds.to_dict()
        else:
            thresholds = self.thresholds

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update({})
        if field is not UNSET:
            field_dict["field"] = field
        if indexes is not UNSET:
            field_dict["indexes"] = indexes
        if thresholds is not UNSET:
            field_dict["thresholds"] = thresholds

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.assay_thresholds import AssayThresholds  # noqa: PLC0415

        d = dict(src_dict)
        field = d.pop("field", UNSET)

        def _parse_indexes(data: object) -> list[int] | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            try:
                if not isinstance(data, list):
                    raise TypeError()
                indexes_type_0 = cast(list[int], data)

                return indexes_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(list[int] | None | Unset, data)

        indexes = _parse_indexes(d.pop("indexes", UNSET))

        def _parse_thresholds(data: object) -> AssayThresholds | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            try:
                if not isinstance(data, dict):
                    raise TypeError()
                thresholds_type_0 = AssayThresholds.from_dict(data)

                return thresholds_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(AssayThresholds | None | Unset, data)

        thresholds = _parse_thresholds(d.pop("thresholds", UNSET))

        assay_v2_field = cls(
            field=field,
            indexes=indexes,
            thresholds=thresholds,
        )

        assay_v2_field.additional_properties = d
        return assay_v2_field

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
