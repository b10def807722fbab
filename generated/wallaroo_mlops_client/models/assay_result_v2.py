from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, ApiModel, Unset

if TYPE_CHECKING:
    from ..models.assay_scores import AssayScores
    from ..models.assay_summaries import AssaySummaries


T = TypeVar("T", bound="AssayResultV2")


@_attrs_define(repr=False)
class AssayResultV2(ApiModel):
    """One window compared with the baseline, of the second version of the assays.

    Source: recordings, "/v2/api/assays/get_results" (recorded); vendor-sdk, "What the vendor's own SDK asks of a
    server" (observed).

    """

    id: int
    """ The result's id. """
    assay_id: str
    """ The assay's UUID. """
    status: str
    """ What the scores mean by the thresholds. """
    analyzed_at: str | Unset = UNSET
    """ When the result was computed, as RFC 3339 writes it. """
    elapsed_millis: int | Unset = UNSET
    """ How long it took, in milliseconds. """
    scores: AssayScores | None | Unset = UNSET
    """ How far the window is from the baseline, by field. """
    summaries: AssaySummaries | None | Unset = UNSET
    """ The distribution of the window, by field. """
    window_start: str | Unset = UNSET
    """ When the window begins, as RFC 3339 writes it. """
    window_end: str | Unset = UNSET
    """ When the window ends, as RFC 3339 writes it. """
    created_at: str | Unset = UNSET
    """ When the result was stored, as RFC 3339 writes it. """
    updated_at: str | Unset = UNSET
    """ When it was changed last, as RFC 3339 writes it. """
    workspace_id: int | Unset = UNSET
    """ The workspace's id. """
    workspace_name: str | Unset = UNSET
    """ The workspace's name. """
    pipeline_id: int | Unset = UNSET
    """ The pipeline's id. """
    warning_threshold: float | None | Unset = UNSET
    """ The score above which a window is a warning. """
    alert_threshold: float | None | Unset = UNSET
    """ The score above which a window is an alert. """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        from ..models.assay_scores import AssayScores  # noqa: PLC0415
        from ..models.assay_summaries import AssaySummaries  # noqa: PLC0415

        id = self.id

        assay_id = self.assay_id

        status = self.status

        analyzed_at = self.analyzed_at

        elapsed_millis = self.elapsed_millis

        scores: dict[str, Any] | None | Unset
        if isinstance(self.scores, Unset):
            scores = UNSET
        elif isinstance(self.scores, AssayScores):
            scores = self.scores.to_dict()
        else:
            scores = self.scores

        summaries: dict[str, Any] | None | Unset
        if isinstance(self.summaries, Unset):
            summaries = UNSET
        elif isinstance(self.summaries, AssaySummaries):
            summaries = self.summaries.to_dict()
        else:
            summaries = self.summaries

        window_start = self.window_start

        window_end = self.window_end

        created_at = self.created_at

        updated_at = self.updated_at

        workspace_id = self.workspace_id

        workspace_name = self.workspace_name

        pipeline_id = self.pipeline_id

        warning_threshold: float | None | Unset
        if isinstance(self.warning_threshold, Unset):
            warning_threshold = UNSET
        else:
            warning_threshold = self.warning_threshold

        alert_threshold: float | None | Unset
        if isinstance(self.alert_threshold, Unset):
            alert_threshold = UNSET
        else:
            alert_threshold = self.alert_threshold

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "id": id,
                "assay_id": assay_id,
                "status": status,
            }
        )
        if analyzed_at is not UNSET:
            field_dict["analyzed_at"] = analyzed_at
        if elapsed_millis is not UNSET:
            field_dict["elapsed_millis"] = elapsed_millis
        if scores is not UNSET:
            field_dict["scores"] = scores
        if summaries is not UNSET:
            field_dict["summaries"] = summaries
        if window_start is not UNSET:
            field_dict["window_start"] = window_start
        if window_end is not UNSET:
            field_dict["window_end"] = window_end
        if created_at is not UNSET:
            field_dict["created_at"] = created_at
        if updated_at is not UNSET:
            field_dict["updated_at"] = updated_at
        if workspace_id is not UNSET:
            field_dict["workspace_id"] = workspace_id
        if workspace_name is not UNSET:
            field_dict["workspace_name"] = workspace_name
        if pipeline_id is not UNSET:
            field_dict["pipeline_id"] = pipeline_id
        if warning_threshold is not UNSET:
            field_dict["warning_threshold"] = warning_threshold
        if alert_threshold is not UNSET:
            field_dict["alert_threshold"] = alert_threshold

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.assay_scores import AssayScores  # noqa: PLC0415
        from ..models.assay_summaries import AssaySummaries  # noqa: PLC0415

        d = dict(src_dict)
        id = d.pop("id")

        assay_id = d.pop("assay_id")

        status = d.pop("status")

        analyzed_at = d.pop("analyzed_at", UNSET)

        elapsed_millis = d.pop("elapsed_millis", UNSET)

        def _parse_scores(data: object) -> AssayScores | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            try:
                if not isinstance(data, dict):
                    raise TypeError()
                scores_type_0 = AssayScores.from_dict(data)

                return scores_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(AssayScores | None | Unset, data)

        scores = _parse_scores(d.pop("scores", UNSET))

        def _parse_summaries(data: object) -> AssaySummaries | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            try:
                if not isinstance(data, dict):
                    raise TypeError()
                summaries_type_0 = AssaySummaries.from_dict(data)

                return summaries_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(AssaySummaries | None | Unset, data)

        summaries = _parse_summaries(d.pop("summaries", UNSET))

        window_start = d.pop("window_start", UNSET)

        window_end = d.pop("window_end", UNSET)

        created_at = d.pop("created_at", UNSET)

        updated_at = d.pop("updated_at", UNSET)

        workspace_id = d.pop("workspace_id", UNSET)

        workspace_name = d.pop("workspace_name", UNSET)

        pipeline_id = d.pop("pipeline_id", UNSET)

        def _parse_warning_threshold(data: object) -> float | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(float | None | Unset, data)

        warning_threshold = _parse_warning_threshold(d.pop("warning_threshold", UNSET))

        def _parse_alert_threshold(data: object) -> float | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(float | None | Unset, data)

        alert_threshold = _parse_alert_threshold(d.pop("alert_threshold", UNSET))

        assay_result_v2 = cls(
            id=id,
            assay_id=assay_id,
            status=status,
            analyzed_at=analyzed_at,
            elapsed_millis=elapsed_millis,
            scores=scores,
            summaries=summaries,
            window_start=window_start,
            window_end=window_end,
            created_at=created_at,
            updated_at=updated_at,
            workspace_id=workspace_id,
            workspace_name=workspace_name,
            pipeline_id=pipeline_id,
            warning_threshold=warning_threshold,
            alert_threshold=alert_threshold,
        )

        assay_result_v2.additional_properties = d
        return assay_result_v2

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
