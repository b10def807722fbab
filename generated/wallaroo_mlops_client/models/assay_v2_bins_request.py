from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, ApiModel, Unset

T = TypeVar("T", bound="AssayV2BinsRequest")


@_attrs_define(repr=False)
class AssayV2BinsRequest(ApiModel):
    """Bins, under the name of where their edges come from; one of the three.

    Source: vendor-sdk, "What the vendor's own SDK asks of a server" (observed).

    """

    quantile: int | Unset = UNSET
    """ How many bins there are, with the same number of values each. """
    equal: int | Unset = UNSET
    """ How many bins there are, of the same width. """
    provided: list[float] | Unset = UNSET
    """ The edges. """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        quantile = self.quantile

        equal = self.equal

        provided: list[float] | Unset = UNSET
        if not isinstance(self.provided, Unset):
            provided = self.provided

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update({})
        if quantile is not UNSET:
            field_dict["Quantile"] = quantile
        if equal is not UNSET:
            field_dict["Equal"] = equal
        if provided is not UNSET:
            field_dict["Provided"] = provided

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        quantile = d.pop("Quantile", UNSET)

        equal = d.pop("Equal", UNSET)

        provided = cast(list[float], d.pop("Provided", UNSET))

        assay_v2_bins_request = cls(
            quantile=quantile,
            equal=equal,
            provided=provided,
        )

        assay_v2_bins_request.additional_properties = d
        return assay_v2_bins_request

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
