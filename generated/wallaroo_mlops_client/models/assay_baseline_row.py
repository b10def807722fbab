from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, ApiModel, Unset

if TYPE_CHECKING:
    from ..models.assay_baseline_row_original_data import AssayBaselineRowOriginalData
    from ..models.inference_output import InferenceOutput


T = TypeVar("T", bound="AssayBaselineRow")


@_attrs_define(repr=False)
class AssayBaselineRow(ApiModel):
    """A logged inference as a flat row: `time`, and a field for each input (`in.<field>`), output (`out.<field>`) and
    piece of metadata (`metadata.<name>`). 2022.4 has a row in the oldest form of an inference's answer instead, with
    `original_data` and `outputs`.

    Source: mlops-api-tutorial, "Get Assay Baseline" (recorded); recordings, "/v1/api/assays/get_baseline" (recorded).

    """

    time: int
    """ When the row was scored, in milliseconds since 1970. """
    metadata_last_model: str | Unset = UNSET
    """ The model that scored it, as JSON in a string with `model_name` and `model_sha`. """
    metadata_profile: str | Unset = UNSET
    """ How long it took, as JSON in a string with `elapsed_ns`; in 2023.2. """
    metadata_pipeline_version: str | Unset = UNSET
    """ The UUID of the pipeline version; empty before 2024. """
    metadata_elapsed: list[int] | Unset = UNSET
    """ How long reading and scoring took, in nanoseconds. """
    metadata_dropped: list[Any] | Unset = UNSET
    """ What was left out. """
    metadata_partition: str | Unset = UNSET
    """ The engine that scored the row. """
    check_failures: list[Any] | Unset = UNSET
    """ The validations that the row failed, before 2024. """
    anomaly_count: int | Unset = UNSET
    """ How many validations the row failed, since 2024. """
    elapsed: int | Unset = UNSET
    """ How long it took, in 2022.4. """
    model_name: str | Unset = UNSET
    """ The model's name, in 2022.4. """
    model_version: str | Unset = UNSET
    """ The version's UUID, in 2022.4. """
    pipeline_name: str | Unset = UNSET
    """ The pipeline's name, in 2022.4. """
    original_data: AssayBaselineRowOriginalData | Unset = UNSET
    """ The row as it was sent, in 2022.4. """
    outputs: list[InferenceOutput] | Unset = UNSET
    """ The outputs, in 2022.4. """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        time = self.time

        metadata_last_model = self.metadata_last_model

        metadata_profile = self.metadata_profile

        metadata_pipeline_version = self.metadata_pipeline_version

        metadata_elapsed: list[int] | Unset = UNSET
        if not isinstance(self.metadata_elapsed, Unset):
            metadata_elapsed = self.metadata_elapsed

        metadata_dropped: list[Any] | Unset = UNSET
        if not isinstance(self.metadata_dropped, Unset):
            metadata_dropped = self.metadata_dropped

        metadata_partition = self.metadata_partition

        check_failures: list[Any] | Unset = UNSET
        if not isinstance(self.check_failures, Unset):
            check_failures = self.check_failures

        anomaly_count = self.anomaly_count

        elapsed = self.elapsed

        model_name = self.model_name

        model_version = self.model_version

        pipeline_name = self.pipeline_name

        original_data: dict[str, Any] | Unset = UNSET
        if not isinstance(self.original_data, Unset):
            original_data = self.original_data.to_dict()

        outputs: list[dict[str, Any]] | Unset = UNSET
        if not isinstance(self.outputs, Unset):
            outputs = []
            for outputs_item_data in self.outputs:
                outputs_item = outputs_item_data.to_dict()
                outputs.append(outputs_item)

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "time": time,
            }
        )
        if metadata_last_model is not UNSET:
            field_dict["metadata.last_model"] = metadata_last_model
        if metadata_profile is not UNSET:
            field_dict["metadata.profile"] = metadata_profile
        if metadata_pipeline_version is not UNSET:
            field_dict["metadata.pipeline_version"] = metadata_pipeline_version
        if metadata_elapsed is not UNSET:
            field_dict["metadata.elapsed"] = metadata_elapsed
        if metadata_dropped is not UNSET:
            field_dict["metadata.dropped"] = metadata_dropped
        if metadata_partition is not UNSET:
            field_dict["metadata.partition"] = metadata_partition
        if check_failures is not UNSET:
            field_dict["check_failures"] = check_failures
        if anomaly_count is not UNSET:
            field_dict["anomaly.count"] = anomaly_count
        if elapsed is not UNSET:
            field_dict["elapsed"] = elapsed
        if model_name is not UNSET:
            field_dict["model_name"] = model_name
        if model_version is not UNSET:
            field_dict["model_version"] = model_version
        if pipeline_name is not UNSET:
            field_dict["pipeline_name"] = pipeline_name
        if original_data is not UNSET:
            field_dict["original_data"] = original_data
        if outputs is not UNSET:
            field_dict["outputs"] = outputs

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.assay_baseline_row_original_data import (
            AssayBaselineRowOriginalData,  # noqa: PLC0415
        )
        from ..models.inference_output import InferenceOutput  # noqa: PLC0415

        d = dict(src_dict)
        time = d.pop("time")

        metadata_last_model = d.pop("metadata.last_model", UNSET)

        metadata_profile = d.pop("metadata.profile", UNSET)

        metadata_pipeline_version = d.pop("metadata.pipeline_version", UNSET)

        metadata_elapsed = cast(list[int], d.pop("metadata.elapsed", UNSET))

        metadata_dropped = cast(list[Any], d.pop("metadata.dropped", UNSET))

        metadata_partition = d.pop("metadata.partition", UNSET)

        check_failures = cast(list[Any], d.pop("check_failures", UNSET))

        anomaly_count = d.pop("anomaly.count", UNSET)

        elapsed = d.pop("elapsed", UNSET)

        model_name = d.pop("model_name", UNSET)

        model_version = d.pop("model_version", UNSET)

        pipeline_name = d.pop("pipeline_name", UNSET)

        _original_data = d.pop("original_data", UNSET)
        original_data: AssayBaselineRowOriginalData | Unset
        if isinstance(_original_data, Unset):
            original_data = UNSET
        else:
            original_data = AssayBaselineRowOriginalData.from_dict(_original_data)

        _outputs = d.pop("outputs", UNSET)
        outputs: list[InferenceOutput] | Unset = UNSET
        if _outputs is not UNSET:
            outputs = []
            for outputs_item_data in _outputs:
                outputs_item = InferenceOutput.from_dict(outputs_item_data)

                outputs.append(outputs_item)

        assay_baseline_row = cls(
            time=time,
            metadata_last_model=metadata_last_model,
            metadata_profile=metadata_profile,
            metadata_pipeline_version=metadata_pipeline_version,
            metadata_elapsed=metadata_elapsed,
            metadata_dropped=metadata_dropped,
            metadata_partition=metadata_partition,
            check_failures=check_failures,
            anomaly_count=anomaly_count,
            elapsed=elapsed,
            model_name=model_name,
            model_version=model_version,
            pipeline_name=pipeline_name,
            original_data=original_data,
            outputs=outputs,
        )

        assay_baseline_row.additional_properties = d
        return assay_baseline_row

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
