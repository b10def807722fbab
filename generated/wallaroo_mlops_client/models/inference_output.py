from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, ApiModel, Unset

if TYPE_CHECKING:
    from ..models.inference_tensor import InferenceTensor


T = TypeVar("T", bound="InferenceOutput")


@_attrs_define(repr=False)
class InferenceOutput(ApiModel):
    """One output for all rows, under the name of its type.

    Source: external-inference-url-tutorial, "Perform Inference Through External URL" (recorded).

    """

    float_: InferenceTensor | Unset = UNSET
    """ A tensor, in row-major order.

    Source: external-inference-url-tutorial, "Perform Inference Through External URL" (recorded). """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        float_: dict[str, Any] | Unset = UNSET
        if not isinstance(self.float_, Unset):
            float_ = self.float_.to_dict()

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update({})
        if float_ is not UNSET:
            field_dict["Float"] = float_

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.inference_tensor import InferenceTensor  # noqa: PLC0415

        d = dict(src_dict)
        _float_ = d.pop("Float", UNSET)
        float_: InferenceTensor | Unset
        if isinstance(_float_, Unset):
            float_ = UNSET
        else:
            float_ = InferenceTensor.from_dict(_float_)

        inference_output = cls(
            float_=float_,
        )

        inference_output.additional_properties = d
        return inference_output

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
