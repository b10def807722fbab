from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import ApiModel

if TYPE_CHECKING:
    from ..models.assay_v2_univariate_request import AssayV2UnivariateRequest


T = TypeVar("T", bound="AssayV2SummarizerRequest")


@_attrs_define(repr=False)
class AssayV2SummarizerRequest(ApiModel):
    """How values are binned and compared, under the name of the kind of values.

    Source: vendor-sdk, "What the vendor's own SDK asks of a server" (observed).

    """

    univariate_continuous: AssayV2UnivariateRequest
    """ How single numbers are binned and compared.

    Source: vendor-sdk, "What the vendor's own SDK asks of a server" (observed). """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        univariate_continuous = self.univariate_continuous.to_dict()

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "UnivariateContinuous": univariate_continuous,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.assay_v2_univariate_request import AssayV2UnivariateRequest  # noqa: PLC0415

        d = dict(src_dict)
        univariate_continuous = AssayV2UnivariateRequest.from_dict(
            d.pop("UnivariateContinuous")
        )

        assay_v2_summarizer_request = cls(
            univariate_continuous=univariate_continuous,
        )

        assay_v2_summarizer_request.additional_properties = d
        return assay_v2_summarizer_request

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
