from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, ApiModel, Unset

if TYPE_CHECKING:
    from ..models.model_inference_step import ModelInferenceStep


T = TypeVar("T", bound="PipelineStep")


@_attrs_define(repr=False)
class PipelineStep(ApiModel):
    """One step. `ModelInference` is the only kind that the documents show.

    Source: pipeline-management-tutorial, "Model Inference Pipeline Step" (prose).

    """

    model_inference: ModelInferenceStep | Unset = UNSET
    """ A step that runs models.

    Source: pipeline-management-tutorial, "Model Inference Pipeline Step" (prose). """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        model_inference: dict[str, Any] | Unset = UNSET
        if not isinstance(self.model_inference, Unset):
            model_inference = self.model_inference.to_dict()

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update({})
        if model_inference is not UNSET:
            field_dict["ModelInference"] = model_inference

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.model_inference_step import ModelInferenceStep  # noqa: PLC0415

        d = dict(src_dict)
        _model_inference = d.pop("ModelInference", UNSET)
        model_inference: ModelInferenceStep | Unset
        if isinstance(_model_inference, Unset):
            model_inference = UNSET
        else:
            model_inference = ModelInferenceStep.from_dict(_model_inference)

        pipeline_step = cls(
            model_inference=model_inference,
        )

        pipeline_step.additional_properties = d
        return pipeline_step

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
