from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, ApiModel, Unset

if TYPE_CHECKING:
    from ..models.inference_metadata import InferenceMetadata
    from ..models.inference_output import InferenceOutput
    from ..models.inference_result_anomaly import InferenceResultAnomaly
    from ..models.inference_result_in import InferenceResultIn
    from ..models.inference_result_out import InferenceResultOut


T = TypeVar("T", bound="InferenceResult")


@_attrs_define(repr=False)
class InferenceResult(ApiModel):
    """One scored row, or, in the oldest generation of answers, one model's output for all rows. A row has `time`, `in`,
    `out` and, by release, `check_failures` with `metadata`, or `anomaly.count`. With `dataset.separator` the names are
    joined, as in `out.dense_1`. The oldest generation has `model_name`, `model_version`, `pipeline_name` and `outputs`.

    Source: pipeline-management-tutorial, "HTTP Headers" (recorded); mlops-api-tutorial, "HTTP Headers" (recorded);
    external-inference-url-tutorial, "Perform Inference Through External URL" (recorded); recordings, "inference"
    (recorded); field-notes, "Pipelines, deployment, inference" (observed).

    """

    time: int | Unset = UNSET
    """ When the row was scored, in milliseconds since 1970. """
    in_: InferenceResultIn | Unset = UNSET
    """ The row as it was sent, a field a column. """
    out: InferenceResultOut | Unset = UNSET
    """ The model's outputs for the row, a field an output. """
    check_failures: list[Any] | Unset = UNSET
    """ The validations that the row failed. """
    metadata: InferenceMetadata | Unset = UNSET
    """ How a row was scored.

    Source: pipeline-management-tutorial, "HTTP Headers" (recorded); mlops-api-tutorial, "HTTP Headers" (recorded);
    recordings, "inference" (recorded). """
    anomaly: InferenceResultAnomaly | Unset = UNSET
    """ How many validations the row failed, in `count`, and by name those that it failed; in releases from 2024 on,
    instead of `check_failures`. """
    anomaly_count: int | Unset = UNSET
    """ How many validations the row failed, in newer releases. """
    model_name: str | Unset = UNSET
    """ The model's name, in the oldest generation. """
    model_version: str | Unset = UNSET
    """ The version's UUID, in the oldest generation. """
    pipeline_name: str | Unset = UNSET
    """ The pipeline's name, in the oldest generation. """
    outputs: list[InferenceOutput] | Unset = UNSET
    """ The outputs for all rows, in the oldest generation. """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        time = self.time

        in_: dict[str, Any] | Unset = UNSET
        if not isinstance(self.in_, Unset):
            in_ = self.in_.to_dict()

        out: dict[str, Any] | Unset = UNSET
        if not isinstance(self.out, Unset):
            out = self.out.to_dict()

        check_failures: list[Any] | Unset = UNSET
        if not isinstance(self.check_failures, Unset):
            check_failures = self.check_failures

        metadata: dict[str, Any] | Unset = UNSET
        if not isinstance(self.metadata, Unset):
            metadata = self.metadata.to_dict()

        anomaly: dict[str, Any] | Unset = UNSET
        if not isinstance(self.anomaly, Unset):
            anomaly = self.anomaly.to_dict()

        anomaly_count = self.anomaly_count

        model_name = self.model_name

        model_version = self.model_version

        pipeline_name = self.pipeline_name

        outputs: list[dict[str, Any]] | Unset = UNSET
        if not isinstance(self.outputs, Unset):
            outputs = []
            for outputs_item_data in self.outputs:
                outputs_item = outputs_item_data.to_dict()
                outputs.append(outputs_item)

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update({})
        if time is not UNSET:
            field_dict["time"] = time
        if in_ is not UNSET:
            field_dict["in"] = in_
        if out is not UNSET:
            field_dict["out"] = out
        if check_failures is not UNSET:
            field_dict["check_failures"] = check_failures
        if metadata is not UNSET:
            field_dict["metadata"] = metadata
        if anomaly is not UNSET:
            field_dict["anomaly"] = anomaly
        if anomaly_count is not UNSET:
            field_dict["anomaly.count"] = anomaly_count
        if model_name is not UNSET:
            field_dict["model_name"] = model_name
        if model_version is not UNSET:
            field_dict["model_version"] = model_version
        if pipeline_name is not UNSET:
            field_dict["pipeline_name"] = pipeline_name
        if outputs is not UNSET:
            field_dict["outputs"] = outputs

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.inference_metadata import InferenceMetadata  # noqa: PLC0415
        from ..models.inference_output import InferenceOutput  # noqa: PLC0415
        from ..models.inference_result_anomaly import InferenceResultAnomaly  # noqa: PLC0415
        from ..models.inference_result_in import InferenceResultIn  # noqa: PLC0415
        from ..models.inference_result_out import InferenceResultOut  # noqa: PLC0415

        d = dict(src_dict)
        time = d.pop("time", UNSET)

        _in_ = d.pop("in", UNSET)
        in_: InferenceResultIn | Unset
        if isinstance(_in_, Unset):
            in_ = UNSET
        else:
            in_ = InferenceResultIn.from_dict(_in_)

        _out = d.pop("out", UNSET)
        out: InferenceResultOut | Unset
        if isinstance(_out, Unset):
            out = UNSET
        else:
            out = InferenceResultOut.from_dict(_out)

        check_failures = cast(list[Any], d.pop("check_failures", UNSET))

        _metadata = d.pop("metadata", UNSET)
        metadata: InferenceMetadata | Unset
        if isinstance(_metadata, Unset):
            metadata = UNSET
        else:
            metadata = InferenceMetadata.from_dict(_metadata)

        _anomaly = d.pop("anomaly", UNSET)
        anomaly: InferenceResultAnomaly | Unset
        if isinstance(_anomaly, Unset):
            anomaly = UNSET
        else:
            anomaly = InferenceResultAnomaly.from_dict(_anomaly)

        anomaly_count = d.pop("anomaly.count", UNSET)

        model_name = d.pop("model_name", UNSET)

        model_version = d.pop("model_version", UNSET)

        pipeline_name = d.pop("pipeline_name", UNSET)

        _outputs = d.pop("outputs", UNSET)
        outputs: list[InferenceOutput] | Unset = UNSET
        if _outputs is not UNSET:
            outputs = []
            for outputs_item_data in _outputs:
                outputs_item = InferenceOutput.from_dict(outputs_item_data)

                outputs.append(outputs_item)

        inference_result = cls(
            time=time,
            in_=in_,
            out=out,
            check_failures=check_failures,
            metadata=metadata,
            anomaly=anomaly,
            anomaly_count=anomaly_count,
            model_name=model_name,
            model_version=model_version,
            pipeline_name=pipeline_name,
            outputs=outputs,
        )

        inference_result.additional_properties = d
        return inference_result

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
