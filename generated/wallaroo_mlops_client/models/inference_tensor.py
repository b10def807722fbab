from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, ApiModel, Unset

T = TypeVar("T", bound="InferenceTensor")


@_attrs_define(repr=False)
class InferenceTensor(ApiModel):
    """A tensor, in row-major order.

    Source: external-inference-url-tutorial, "Perform Inference Through External URL" (recorded).

    """

    dim: list[int]
    """ The lengths of the dimensions; the first is the number of rows. """
    data: list[Any]
    """ The values. """
    v: int | Unset = UNSET
    """ The version of this form. """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        dim = self.dim

        data = self.data

        v = self.v

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "dim": dim,
                "data": data,
            }
        )
        if v is not UNSET:
            field_dict["v"] = v

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        dim = cast(list[int], d.pop("dim"))

        data = cast(list[Any], d.pop("data"))

        v = d.pop("v", UNSET)

        inference_tensor = cls(
            dim=dim,
            data=data,
            v=v,
        )

        inference_tensor.additional_properties = d
        return inference_tensor

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
