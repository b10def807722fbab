from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, ApiModel, Unset

T = TypeVar("T", bound="InferenceMetadata")


@_attrs_define(repr=False)
class InferenceMetadata(ApiModel):
    """How a row was scored.

    Source: pipeline-management-tutorial, "HTTP Headers" (recorded); mlops-api-tutorial, "HTTP Headers" (recorded);
    recordings, "inference" (recorded).

    """

    last_model: str | Unset = UNSET
    """ The model of the last step, as JSON in a string with `model_name` and `model_sha`. """
    pipeline_version: str | Unset = UNSET
    """ The UUID of the pipeline version; empty before 2024. """
    elapsed: list[int] | Unset = UNSET
    """ How long reading and scoring took, in nanoseconds. """
    dropped: list[Any] | Unset = UNSET
    """ What was left out of the answer. """
    partition: str | Unset = UNSET
    """ The engine that scored the row. """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        last_model = self.last_model

        pipeline_version = self.pipeline_version

        elapsed: list[int] | Unset = UNSET
        if not isinstance(self.elapsed, Unset):
            elapsed = self.elapsed

        dropped: list[Any] | Unset = UNSET
        if not isinstance(self.dropped, Unset):
            dropped = self.dropped

        partition = self.partition

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update({})
        if last_model is not UNSET:
            field_dict["last_model"] = last_model
        if pipeline_version is not UNSET:
            field_dict["pipeline_version"] = pipeline_version
        if elapsed is not UNSET:
            field_dict["elapsed"] = elapsed
        if dropped is not UNSET:
            field_dict["dropped"] = dropped
        if partition is not UNSET:
            field_dict["partition"] = partition

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        last_model = d.pop("last_model", UNSET)

        pipeline_version = d.pop("pipeline_version", UNSET)

        elapsed = cast(list[int], d.pop("elapsed", UNSET))

        dropped = cast(list[Any], d.pop("dropped", UNSET))

        partition = d.pop("partition", UNSET)

        inference_metadata = cls(
            last_model=last_model,
            pipeline_version=pipeline_version,
            elapsed=elapsed,
            dropped=dropped,
            partition=partition,
        )

        inference_metadata.additional_properties = d
        return inference_metadata

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
