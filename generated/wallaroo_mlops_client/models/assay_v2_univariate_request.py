from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..models.aggregation import Aggregation
from ..models.metric import Metric
from ..types import UNSET, ApiModel, Unset

if TYPE_CHECKING:
    from ..models.assay_v2_bins_request import AssayV2BinsRequest


T = TypeVar("T", bound="AssayV2UnivariateRequest")


@_attrs_define(repr=False)
class AssayV2UnivariateRequest(ApiModel):
    """How single numbers are binned and compared.

    Source: vendor-sdk, "What the vendor's own SDK asks of a server" (observed).

    """

    aggregation: Aggregation
    """ What is compared of each bin. With `Density`, its share of all values; a bin has its upper edge and not its
    lower one, but the first after the left outliers has both; of bins that end at the same edge, the first has the
    values. With `Cumulative`, the sum of the shares of this bin and all before it. With `Edges`, the edges
    themselves; what is compared of a bin without one no source says.

    Source: recordings, "/v1/api/assays/summarize" (recorded); recordings, "/v1/api/assays/run_interactive"
    (recorded); field-notes, "Assays" (observed). """
    bin_mode: AssayV2BinsRequest | str
    """ Where the edges of the bins come from. """
    metric: Metric
    """ How windows are compared with the baseline. The prose has the labels of a screen, Maximum Difference of Bins
    for one; these are the values that are sent. Each bin has a score, by its aggregated values `b` in the baseline
    and `w` in the window: with `PSI` `(w - b) * ln(w / b)`, where 0.005 stands for a zero, and 0 if both are zero;
    else `|w - b|`. The window's score is the largest of them with `MaxDiff`, else their sum.

    Source: mlops-api-tutorial, "Create Assay" (example); field-notes, "Assays" (observed); recordings,
    "/v1/api/assays/run_interactive" (recorded); recordings, "/v2/api/assays/get_results" (recorded). """
    bin_weights: list[float] | None | Unset = UNSET
    """ What each bin counts, one number a bin, those of outliers included: a bin's score is multiplied by its
    weight divided by the sum of all weights. """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        from ..models.assay_v2_bins_request import AssayV2BinsRequest  # noqa: PLC0415

        aggregation = self.aggregation.value

        bin_mode: dict[str, Any] | str
        if isinstance(self.bin_mode, AssayV2BinsRequest):
            bin_mode = self.bin_mode.to_dict()
        else:
            bin_mode = self.bin_mode

        metric = self.metric.value

        bin_weights: list[float] | None | Unset
        if isinstance(self.bin_weights, Unset):
            bin_weights = UNSET
        elif isinstance(self.bin_weights, list):
            bin_weights = self.bin_weights

        else:
            bin_weights = self.bin_weights

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "aggregation": aggregation,
                "bin_mode": bin_mode,
                "metric": metric,
            }
        )
        if bin_weights is not UNSET:
            field_dict["bin_weights"] = bin_weights

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.assay_v2_bins_request import AssayV2BinsRequest  # noqa: PLC0415

        d = dict(src_dict)
        aggregation = Aggregation(d.pop("aggregation"))

        def _parse_bin_mode(data: object) -> AssayV2BinsRequest | str:
            try:
                if not isinstance(data, dict):
                    raise TypeError()
                bin_mode_type_1 = AssayV2BinsRequest.from_dict(data)

                return bin_mode_type_1
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(AssayV2BinsRequest | str, data)

        bin_mode = _parse_bin_mode(d.pop("bin_mode"))

        metric = Metric(d.pop("metric"))

        def _parse_bin_weights(data: object) -> list[float] | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            try:
                if not isinstance(data, list):
                    raise TypeError()
                bin_weights_type_0 = cast(list[float], data)

                return bin_weights_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(list[float] | None | Unset, data)

        bin_weights = _parse_bin_weights(d.pop("bin_weights", UNSET))

        assay_v2_univariate_request = cls(
            aggregation=aggregation,
            bin_mode=bin_mode,
            metric=metric,
            bin_weights=bin_weights,
        )

        assay_v2_univariate_request.additional_properties = d
        return assay_v2_univariate_request

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
