from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, ApiModel, Unset

if TYPE_CHECKING:
    from ..models.assay_path_window_request import AssayPathWindowRequest
    from ..models.sliding_window_request import SlidingWindowRequest


T = TypeVar("T", bound="CalculatedBaselineRequest")


@_attrs_define(repr=False)
class CalculatedBaselineRequest(ApiModel):
    """The values of a baseline, or the window of inferences that they come from; one of the three.

    Source: recordings, "/v1/api/assays/summarize" (recorded); recordings, "/v1/api/assays/create" (recorded); vendor-
    sdk, "What the vendor's own SDK asks of a server" (observed).

    """

    vector: list[float] | Unset = UNSET
    """ The values. """
    fixed_window: AssayPathWindowRequest | Unset = UNSET
    """ Inferences of a pipeline, and the value of them, as 2023.4 and later have it.

    Source: recordings, "/v1/api/assays/create" (recorded); recordings, "/v1/api/assays/summarize" (recorded);
    vendor-sdk, "What the vendor's own SDK asks of a server" (observed). """
    sliding_window: SlidingWindowRequest | Unset = UNSET
    """ A window that moves with the windows that are compared with it.

    Source: vendor-sdk, "What the vendor's own SDK asks of a server" (observed). """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        vector: list[float] | Unset = UNSET
        if not isinstance(self.vector, Unset):
            vector = self.vector

        fixed_window: dict[str, Any] | Unset = UNSET
        if not isinstance(self.fixed_window, Unset):
            fixed_window = self.fixed_window.to_dict()

        sliding_window: dict[str, Any] | Unset = UNSET
        if not isinstance(self.sliding_window, Unset):
            sliding_window = self.sliding_window.to_dict()

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update({})
        if vector is not UNSET:
            field_dict["vector"] = vector
        if fixed_window is not UNSET:
            field_dict["fixed_window"] = fixed_window
        if sliding_window is not UNSET:
            field_dict["sliding_window"] = sliding_window

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.assay_path_window_request import AssayPathWindowRequest  # noqa: PLC0415
        from ..models.sliding_window_request import SlidingWindowRequest  # noqa: PLC0415

        d = dict(src_dict)
        vector = cast(list[float], d.pop("vector", UNSET))

        _fixed_window = d.pop("fixed_window", UNSET)
        fixed_window: AssayPathWindowRequest | Unset
        if isinstance(_fixed_window, Unset):
            fixed_window = UNSET
        else:
            fixed_window = AssayPathWindowRequest.from_dict(_fixed_window)

        _sliding_window = d.pop("sliding_window", UNSET)
        sliding_window: SlidingWindowRequest | Unset
        if isinstance(_sliding_window, Unset):
            sliding_window = UNSET
        else:
            sliding_window = SlidingWindowRequest.from_dict(_sliding_window)

        calculated_baseline_request = cls(
            vector=vector,
            fixed_window=fixed_window,
            sliding_window=sliding_window,
        )

        calculated_baseline_request.additional_properties = d
        return calculated_baseline_request

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
