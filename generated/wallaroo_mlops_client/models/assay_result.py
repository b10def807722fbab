from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, ApiModel, Unset

if TYPE_CHECKING:
    from ..models.assay_summarizer import AssaySummarizer
    from ..models.assay_summary import AssaySummary


T = TypeVar("T", bound="AssayResult")


@_attrs_define(repr=False)
class AssayResult(ApiModel):
    """One window compared with the baseline.

    Source: mlops-api-tutorial, "Run Assay Interactively" (recorded); mlops-api-tutorial, "Create Interactive Baseline"
    (recorded); recordings, "/v1/api/assays/run_interactive" (recorded); recordings, "/v1/api/assays/get_assay_results"
    (recorded).

    """

    score: float
    """ How far the window is from the baseline, by its `scores`; the largest with `MaxDiff`, else the sum. """
    status: str
    """ What the score means by the thresholds: `Alert` above the alert's, else `Warning` above the warning's, else
    `Ok`. """
    id: int | None | Unset = UNSET
    """ The result's id; null where it was computed only now. 2022.4 does not have the field. """
    assay_id: int | None | Unset = UNSET
    """ The assay's id. """
    pipeline_id: int | None | Unset = UNSET
    """ The pipeline's id; null where the result was computed only now. """
    iopath: str | Unset = UNSET
    """ The value that is watched; releases from 2023.4 on do not show it. """
    window_start: str | Unset = UNSET
    """ When the window begins, as RFC 3339 writes it. 2022.4 has it in `window_summary` only. """
    analyzed_at: str | Unset = UNSET
    """ When the result was computed, as RFC 3339 writes it; 2022.4 has `created_at` instead. """
    elapsed_millis: int | Unset = UNSET
    """ How long it took, in milliseconds. """
    baseline_summary: AssaySummary | Unset = UNSET
    """ The distribution of the watched value in a time.

    Source: mlops-api-tutorial, "Run Assay Interactively" (recorded); mlops-api-tutorial, "Create Interactive
    Baseline" (recorded); recordings, "/v1/api/assays/summarize" (recorded). """
    window_summary: AssaySummary | Unset = UNSET
    """ The distribution of the watched value in a time.

    Source: mlops-api-tutorial, "Run Assay Interactively" (recorded); mlops-api-tutorial, "Create Interactive
    Baseline" (recorded); recordings, "/v1/api/assays/summarize" (recorded). """
    warning_threshold: float | None | Unset = UNSET
    """ The score above which a window is a warning. """
    alert_threshold: float | Unset = UNSET
    """ The score above which a window is an alert. """
    scores: list[float] | Unset = UNSET
    """ What each bin adds, one number a bin, as the `Metric` says. """
    bin_index: int | None | Unset = UNSET
    """ The bin that decided the score, with a metric of one bin; null in every recording. """
    summarizer: AssaySummarizer | Unset = UNSET
    """ How values are binned and compared. 2022.4 shows `bin_width` and `add_outlier_edges`, later releases do not.

    Source: mlops-api-tutorial, "List Assays" (recorded); mlops-api-tutorial, "Run Assay Interactively" (recorded);
    recordings, "/v1/api/assays/list" (recorded). """
    created_at: int | None | str | Unset = UNSET
    """ When the result was stored; null where it was computed only now. 2022.4 writes when it was computed, in
    milliseconds since 1970. """
    workspace_id: int | None | Unset = UNSET
    """ The workspace's id, in releases from 2024.2 on. """
    workspace_name: None | str | Unset = UNSET
    """ The workspace's name, in releases from 2024.2 on. """
    name: str | Unset = UNSET
    """ The assay's name, in 2022.4. """
    pipeline_name: str | Unset = UNSET
    """ The pipeline's name, in 2022.4. """
    index: int | None | Unset = UNSET
    """ The bin that decided the score, in 2022.4. """
    summarizer_meta: AssaySummarizer | str | Unset = UNSET
    """ How values are binned and compared, in 2022.4; an object, or JSON in a string. """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        from ..models.assay_summarizer import AssaySummarizer  # noqa: PLC0415

        score = self.score

        status = self.status

        id: int | None | Unset
        if isinstance(self.id, Unset):
            id = UNSET
        else:
            id = self.id

        assay_id: int | None | Unset
        if isinstance(self.assay_id, Unset):
            assay_id = UNSET
        else:
            assay_id = self.assay_id

        pipeline_id: int | None | Unset
        if isinstance(self.pipeline_id, Unset):
            pipeline_id = UNSET
        else:
            pipeline_id = self.pipeline_id

        iopath = self.iopath

        window_start = self.window_start

        analyzed_at = self.analyzed_at

        elapsed_millis = self.elapsed_millis

        baseline_summary: dict[str, Any] | Unset = UNSET
        if not isinstance(self.baseline_summary, Unset):
            baseline_summary = self.baseline_summary.to_dict()

        window_summary: dict[str, Any] | Unset = UNSET
        if not isinstance(self.window_summary, Unset):
            window_summary = self.window_summary.to_dict()

        warning_threshold: float | None | Unset
        if isinstance(self.warning_threshold, Unset):
            warning_threshold = UNSET
        else:
            warning_threshold = self.warning_threshold

        alert_threshold = self.alert_threshold

        scores: list[float] | Unset = UNSET
        if not isinstance(self.scores, Unset):
            scores = self.scores

        bin_index: int | None | Unset
        if isinstance(self.bin_index, Unset):
            bin_index = UNSET
        else:
            bin_index = self.bin_index

        summarizer: dict[str, Any] | Unset = UNSET
        if not isinstance(self.summarizer, Unset):
            summarizer = self.summarizer.to_dict()

        created_at: int | None | str | Unset
        if isinstance(self.created_at, Unset):
            created_at = UNSET
        else:
            created_at = self.created_at

        workspace_id: int | None | Unset
        if isinstance(self.workspace_id, Unset):
            workspace_id = UNSET
        else:
            workspace_id = self.workspace_id

        workspace_name: None | str | Unset
        if isinstance(self.workspace_name, Unset):
            workspace_name = UNSET
        else:
            workspace_name = self.workspace_name

        name = self.name

        pipeline_name = self.pipeline_name

        index: int | None | Unset
        if isinstance(self.index, Unset):
            index = UNSET
        else:
            index = self.index

        summarizer_meta: dict[str, Any] | str | Unset
        if isinstance(self.summarizer_meta, Unset):
            summarizer_meta = UNSET
        elif isinstance(self.summarizer_meta, AssaySummarizer):
            summarizer_meta = self.summarizer_meta.to_dict()
        else:
            summarizer_meta = self.summarizer_meta

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "score": score,
                "status": status,
            }
        )
        if id is not UNSET:
            field_dict["id"] = id
        if assay_id is not UNSET:
            field_dict["assay_id"] = assay_id
        if pipeline_id is not UNSET:
            field_dict["pipeline_id"] = pipeline_id
        if iopath is not UNSET:
            field_dict["iopath"] = iopath
        if window_start is not UNSET:
            field_dict["window_start"] = window_start
        if analyzed_at is not UNSET:
            field_dict["analyzed_at"] = analyzed_at
        if elapsed_millis is not UNSET:
            field_dict["elapsed_millis"] = elapsed_millis
        if baseline_summary is not UNSET:
            field_dict["baseline_summary"] = baseline_summary
        if window_summary is not UNSET:
            field_dict["window_summary"] = window_summary
        if warning_threshold is not UNSET:
            field_dict["warning_threshold"] = warning_threshold
        if alert_threshold is not UNSET:
            field_dict["alert_threshold"] = alert_threshold
        if scores is not UNSET:
            field_dict["scores"] = scores
        if bin_index is not UNSET:
            field_dict["bin_index"] = bin_index
        if summarizer is not UNSET:
            field_dict["summarizer"] = summarizer
        if created_at is not UNSET:
            field_dict["created_at"] = created_at
        if workspace_id is not UNSET:
            field_dict["workspace_id"] = workspace_id
        if workspace_name is not UNSET:
            field_dict["workspace_name"] = workspace_name
        if name is not UNSET:
            field_dict["name"] = name
        if pipeline_name is not UNSET:
            field_dict["pipeline_name"] = pipeline_name
        if index is not UNSET:
            field_dict["index"] = index
        if summarizer_meta is not UNSET:
            field_dict["summarizer_meta"] = summarizer_meta

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.assay_summarizer import AssaySummarizer  # noqa: PLC0415
        from ..models.assay_summary import AssaySummary  # noqa: PLC0415

        d = dict(src_dict)
        score = d.pop("score")

        status = d.pop("status")

        def _parse_id(data: object) -> int | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(int | None | Unset, data)

        id = _parse_id(d.pop("id", UNSET))

        def _parse_assay_id(data: object) -> int | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(int | None | Unset, data)

        assay_id = _parse_assay_id(d.pop("assay_id", UNSET))

        def _parse_pipeline_id(data: object) -> int | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(int | None | Unset, data)

        pipeline_id = _parse_pipeline_id(d.pop("pipeline_id", UNSET))

        iopath = d.pop("iopath", UNSET)

        window_start = d.pop("window_start", UNSET)

        analyzed_at = d.pop("analyzed_at", UNSET)

        elapsed_millis = d.pop("elapsed_millis", UNSET)

        _baseline_summary = d.pop("baseline_summary", UNSET)
        baseline_summary: AssaySummary | Unset
        if isinstance(_baseline_summary, Unset):
            baseline_summary = UNSET
        else:
            baseline_summary = AssaySummary.from_dict(_baseline_summary)

        _window_summary = d.pop("window_summary", UNSET)
        window_summary: AssaySummary | Unset
        if isinstance(_window_summary, Unset):
            window_summary = UNSET
        else:
            window_summary = AssaySummary.from_dict(_window_summary)

        def _parse_warning_threshold(data: object) -> float | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(float | None | Unset, data)

        warning_threshold = _parse_warning_threshold(d.pop("warning_threshold", UNSET))

        alert_threshold = d.pop("alert_threshold", UNSET)

        scores = cast(list[float], d.pop("scores", UNSET))

        def _parse_bin_index(data: object) -> int | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(int | None | Unset, data)

        bin_index = _parse_bin_index(d.pop("bin_index", UNSET))

        _summarizer = d.pop("summarizer", UNSET)
        summarizer: AssaySummarizer | Unset
        if isinstance(_summarizer, Unset):
            summarizer = UNSET
        else:
            summarizer = AssaySummarizer.from_dict(_summarizer)

        def _parse_created_at(data: object) -> int | None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(int | None | str | Unset, data)

        created_at = _parse_created_at(d.pop("created_at", UNSET))

        def _parse_workspace_id(data: object) -> int | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(int | None | Unset, data)

        workspace_id = _parse_workspace_id(d.pop("workspace_id", UNSET))

        def _parse_workspace_name(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, data)

        workspace_name = _parse_workspace_name(d.pop("workspace_name", UNSET))

        name = d.pop("name", UNSET)

        pipeline_name = d.pop("pipeline_name", UNSET)

        def _parse_index(data: object) -> int | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(int | None | Unset, data)

        index = _parse_index(d.pop("index", UNSET))

        def _parse_summarizer_meta(data: object) -> AssaySummarizer | str | Unset:
            if isinstance(data, Unset):
                return data
            try:
                if not isinstance(data, dict):
                    raise TypeError()
                summarizer_meta_type_0 = AssaySummarizer.from_dict(data)

                return summarizer_meta_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(AssaySummarizer | str | Unset, data)

        summarizer_meta = _parse_summarizer_meta(d.pop("summarizer_meta", UNSET))

        assay_result = cls(
            score=score,
            status=status,
            id=id,
            assay_id=assay_id,
            pipeline_id=pipeline_id,
            iopath=iopath,
            window_start=window_start,
            analyzed_at=analyzed_at,
            elapsed_millis=elapsed_millis,
            baseline_summary=baseline_summary,
            window_summary=window_summary,
            warning_threshold=warning_threshold,
            alert_threshold=alert_threshold,
            scores=scores,
            bin_index=bin_index,
            summarizer=summarizer,
            created_at=created_at,
            workspace_id=workspace_id,
            workspace_name=workspace_name,
            name=name,
            pipeline_name=pipeline_name,
            index=index,
            summarizer_meta=summarizer_meta,
        )

        assay_result.additional_properties = d
        return assay_result

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
