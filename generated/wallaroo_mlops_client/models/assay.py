from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, ApiModel, Unset

if TYPE_CHECKING:
    from ..models.assay_baseline import AssayBaseline
    from ..models.assay_summarizer import AssaySummarizer
    from ..models.assay_window import AssayWindow


T = TypeVar("T", bound="Assay")


@_attrs_define(repr=False)
class Assay(ApiModel):
    """An assay as the instance keeps it.

    Source: mlops-api-tutorial, "List Assays" (recorded); recordings, "/v1/api/assays/list" (recorded).

    """

    id: int
    """ The assay's id. """
    name: str
    """ The assay's name. """
    active: bool | Unset = UNSET
    """ Whether the instance runs it by itself. """
    status: str | Unset = UNSET
    """ The instance's own status of it: `created`, and after a run what came of it, as JSON in a string with
    `run_at`, `num_ok`, `num_warnings` and `num_alerts`. """
    warning_threshold: float | None | Unset = UNSET
    """ The score above which a window is a warning. """
    alert_threshold: float | Unset = UNSET
    """ The score above which a window is an alert. """
    pipeline_id: int | Unset = UNSET
    """ The pipeline's id. """
    pipeline_name: str | Unset = UNSET
    """ The pipeline's name. """
    last_run: None | str | Unset = UNSET
    """ When it was run last. """
    next_run: None | str | Unset = UNSET
    """ When it will be run next. """
    run_until: None | str | Unset = UNSET
    """ When the instance stops running it. """
    updated_at: str | Unset = UNSET
    """ When it was changed last, as RFC 3339 writes it. """
    workspace_id: int | None | Unset = UNSET
    """ The workspace's id, in releases from 2024.2 on. """
    workspace_name: None | str | Unset = UNSET
    """ The workspace's name, in releases from 2024.2 on. """
    baseline: AssayBaseline | Unset = UNSET
    """ What windows are compared with; `Fixed` before 2023.4, `static` or `calculated` since.

    Source: mlops-api-tutorial, "List Assays" (recorded); recordings, "/v1/api/assays/list" (recorded). """
    window: AssayWindow | Unset = UNSET
    """ Which inferences are compared with the baseline, and how often.

    Source: mlops-api-tutorial, "List Assays" (recorded); recordings, "/v1/api/assays/list" (recorded). """
    summarizer: AssaySummarizer | Unset = UNSET
    """ How values are binned and compared. 2022.4 shows `bin_width` and `add_outlier_edges`, later releases do not.

    Source: mlops-api-tutorial, "List Assays" (recorded); mlops-api-tutorial, "Run Assay Interactively" (recorded);
    recordings, "/v1/api/assays/list" (recorded). """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        id = self.id

        name = self.name

        active = self.active

        status = self.status

        warning_threshold: float | None | Unset
        if isinstance(self.warning_threshold, Unset):
            warning_threshold = UNSET
        else:
            warning_threshold = self.warning_threshold

        alert_threshold = self.alert_threshold

        pipeline_id = self.pipeline_id

        pipeline_name = self.pipeline_name

        last_run: None | str | Unset
        if isinstance(self.last_run, Unset):
            last_run = UNSET
        else:
            last_run = self.last_run

        next_run: None | str | Unset
        if isinstance(self.next_run, Unset):
            next_run = UNSET
        else:
            next_run = self.next_run

        run_until: None | str | Unset
        if isinstance(self.run_until, Unset):
            run_until = UNSET
        else:
            run_until = self.run_until

        updated_at = self.updated_at

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

        baseline: dict[str, Any] | Unset = UNSET
        if not isinstance(self.baseline, Unset):
            baseline = self.baseline.to_dict()

        window: dict[str, Any] | Unset = UNSET
        if not isinstance(self.window, Unset):
            window = self.window.to_dict()

        summarizer: dict[str, Any] | Unset = UNSET
        if not isinstance(self.summarizer, Unset):
            summarizer = self.summarizer.to_dict()

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "id": id,
                "name": name,
            }
        )
        if active is not UNSET:
            field_dict["active"] = active
        if status is not UNSET:
            field_dict["status"] = status
        if warning_threshold is not UNSET:
            field_dict["warning_threshold"] = warning_threshold
        if alert_threshold is not UNSET:
            field_dict["alert_threshold"] = alert_threshold
        if pipeline_id is not UNSET:
            field_dict["pipeline_id"] = pipeline_id
        if pipeline_name is not UNSET:
            field_dict["pipeline_name"] = pipeline_name
        if last_run is not UNSET:
            field_dict["last_run"] = last_run
        if next_run is not UNSET:
            field_dict["next_run"] = next_run
        if run_until is not UNSET:
            field_dict["run_until"] = run_until
        if updated_at is not UNSET:
            field_dict["updated_at"] = updated_at
        if workspace_id is not UNSET:
            field_dict["workspace_id"] = workspace_id
        if workspace_name is not UNSET:
            field_dict["workspace_name"] = workspace_name
        if baseline is not UNSET:
            field_dict["baseline"] = baseline
        if window is not UNSET:
            field_dict["window"] = window
        if summarizer is not UNSET:
            field_dict["summarizer"] = summarizer

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.assay_baseline import AssayBaseline  # noqa: PLC0415
        from ..models.assay_summarizer import AssaySummarizer  # noqa: PLC0415
        from ..models.assay_window import AssayWindow  # noqa: PLC0415

        d = dict(src_dict)
        id = d.pop("id")

        name = d.pop("name")

        active = d.pop("active", UNSET)

        status = d.pop("status", UNSET)

        def _parse_warning_threshold(data: object) -> float | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(float | None | Unset, data)

        warning_threshold = _parse_warning_threshold(d.pop("warning_threshold", UNSET))

        alert_threshold = d.pop("alert_threshold", UNSET)

        pipeline_id = d.pop("pipeline_id", UNSET)

        pipeline_name = d.pop("pipeline_name", UNSET)

        def _parse_last_run(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, data)

        last_run = _parse_last_run(d.pop("last_run", UNSET))

        def _parse_next_run(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, data)

        next_run = _parse_next_run(d.pop("next_run", UNSET))

        def _parse_run_until(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, data)

        run_until = _parse_run_until(d.pop("run_until", UNSET))

        updated_at = d.pop("updated_at", UNSET)

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

        _baseline = d.pop("baseline", UNSET)
        baseline: AssayBaseline | Unset
        if isinstance(_baseline, Unset):
            baseline = UNSET
        else:
            baseline = AssayBaseline.from_dict(_baseline)

        _window = d.pop("window", UNSET)
        window: AssayWindow | Unset
        if isinstance(_window, Unset):
            window = UNSET
        else:
            window = AssayWindow.from_dict(_window)

        _summarizer = d.pop("summarizer", UNSET)
        summarizer: AssaySummarizer | Unset
        if isinstance(_summarizer, Unset):
            summarizer = UNSET
        else:
            summarizer = AssaySummarizer.from_dict(_summarizer)

        assay = cls(
            id=id,
            name=name,
            active=active,
            status=status,
            warning_threshold=warning_threshold,
            alert_threshold=alert_threshold,
            pipeline_id=pipeline_id,
            pipeline_name=pipeline_name,
            last_run=last_run,
            next_run=next_run,
            run_until=run_until,
            updated_at=updated_at,
            workspace_id=workspace_id,
            workspace_name=workspace_name,
            baseline=baseline,
            window=window,
            summarizer=summarizer,
        )

        assay.additional_properties = d
        return assay

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
