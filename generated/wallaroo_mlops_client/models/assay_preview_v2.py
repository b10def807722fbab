from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, ApiModel, Unset

if TYPE_CHECKING:
    from ..models.assay_scores import AssayScores
    from ..models.assay_summaries import AssaySummaries


T = TypeVar("T", bound="AssayPreviewV2")


@_attrs_define(repr=False)
class AssayPreviewV2(ApiModel):
    """One window compared with the baseline, which is not stored.

    Source: vendor-sdk, "What the vendor's own SDK asks of a server" (observed).

    """

    window_end: str
    """ When the window ends, as RFC 3339 writes it. """
    id: int | Unset = UNSET
    """ No result's id. """
    assay_id: str | Unset = UNSET
    """ No assay's UUID. """
    analyzed_at: str | Unset = UNSET
    """ When it was computed, as RFC 3339 writes it. """
    elapsed_millis: int | Unset = UNSET
    """ How long it took, in milliseconds. """
    pipeline_id: int | Unset = UNSET
    """ The pipeline's id. """
    scores: AssayScores | Unset = UNSET
    """ How far a window is from the baseline, by field.

    Source: recordings, "/v2/api/assays/get_results" (recorded). """
    summaries: AssaySummaries | Unset = UNSET
    """ The distributions of a window, by field.

    Source: recordings, "/v2/api/assays/get_results" (recorded). """
    workspace_id: int | Unset = UNSET
    """ The workspace's id. """
    workspace_name: str | Unset = UNSET
    """ The workspace's name. """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        window_end = self.window_end

        id = self.id

        assay_id = self.assay_id

        analyzed_at = self.analyzed_at

        elapsed_millis = self.elapsed_millis

        pipeline_id = self.pipeline_id

        scores: dict[str, Any] | Unset = UNSET
        if not isinstance(self.scores, Unset):
            scores = self.scores.to_dict()

        summaries: dict[str, Any] | Unset = UNSET
        if not isinstance(self.summaries, Unset):
            summaries = self.summaries.to_dict()

        workspace_id = self.workspace_id

        workspace_name = self.workspace_name

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "window_end": window_end,
            }
        )
        if id is not UNSET:
            field_dict["id"] = id
        if assay_id is not UNSET:
            field_dict["assay_id"] = assay_id
        if analyzed_at is not UNSET:
            field_dict["analyzed_at"] = analyzed_at
        if elapsed_millis is not UNSET:
            field_dict["elapsed_millis"] = elapsed_millis
        if pipeline_id is not UNSET:
            field_dict["pipeline_id"] = pipeline_id
        if scores is not UNSET:
            field_dict["scores"] = scores
        if summaries is not UNSET:
            field_dict["summaries"] = summaries
        if workspace_id is not UNSET:
            field_dict["workspace_id"] = workspace_id
        if workspace_name is not UNSET:
            field_dict["workspace_name"] = workspace_name

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.assay_scores import AssayScores  # noqa: PLC0415
        from ..models.assay_summaries import AssaySummaries  # noqa: PLC0415

        d = dict(src_dict)
        window_end = d.pop("window_end")

        id = d.pop("id", UNSET)

        assay_id = d.pop("assay_id", UNSET)

        analyzed_at = d.pop("analyzed_at", UNSET)

        elapsed_millis = d.pop("elapsed_millis", UNSET)

        pipeline_id = d.pop("pipeline_id", UNSET)

        _scores = d.pop("scores", UNSET)
        scores: AssayScores | Unset
        if isinstance(_scores, Unset):
            scores = UNSET
        else:
            scores = AssayScores.from_dict(_scores)

        _summaries = d.pop("summaries", UNSET)
        summaries: AssaySummaries | Unset
        if isinstance(_summaries, Unset):
            summaries = UNSET
        else:
            summaries = AssaySummaries.from_dict(_summaries)

        workspace_id = d.pop("workspace_id", UNSET)

        workspace_name = d.pop("workspace_name", UNSET)

        assay_preview_v2 = cls(
            window_end=window_end,
            id=id,
            assay_id=assay_id,
            analyzed_at=analyzed_at,
            elapsed_millis=elapsed_millis,
            pipeline_id=pipeline_id,
            scores=scores,
            summaries=summaries,
            workspace_id=workspace_id,
            workspace_name=workspace_name,
        )

        assay_preview_v2.additional_properties = d
        return assay_preview_v2

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
