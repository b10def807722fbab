from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, ApiModel, Unset

if TYPE_CHECKING:
    from ..models.assay_baseline_request import AssayBaselineRequest
    from ..models.assay_path_window_request import AssayPathWindowRequest
    from ..models.assay_summarizer_request import AssaySummarizerRequest
    from ..models.assay_window_request import AssayWindowRequest
    from ..models.calculated_assay_baseline_request import (
        CalculatedAssayBaselineRequest,
    )
    from ..models.static_assay_baseline_request import StaticAssayBaselineRequest


T = TypeVar("T", bound="AssayRequest")


@_attrs_define(repr=False)
class AssayRequest(ApiModel):
    """An assay to create, or to compute now.

    Source: mlops-api-tutorial, "Create Assay" (prose); mlops-api-tutorial, "Run Assay Interactively" (example); field-
    notes, "Assays" (observed); recordings, "/v1/api/assays/create" (recorded); recordings,
    "/v1/api/assays/run_interactive" (recorded); vendor-sdk, "What the vendor's own SDK asks of a server" (observed).

    """

    name: str
    """ The assay's name. """
    pipeline_id: int
    """ The pipeline's id. """
    pipeline_name: str
    """ The pipeline's name. """
    workspace_id: int
    """ The workspace's id. """
    active: bool
    """ Whether the instance runs the assay by itself. """
    status: str
    """ Sent as `active`; the instance keeps a status of its own. """
    baseline: (
        AssayBaselineRequest
        | CalculatedAssayBaselineRequest
        | StaticAssayBaselineRequest
    )
    """ What windows are compared with; `Fixed` before 2023.4, `static` or `calculated` since. """
    window: AssayPathWindowRequest | AssayWindowRequest
    """ Which inferences are compared with the baseline; with the `path` of the value since 2023.4. """
    summarizer: AssaySummarizerRequest
    """ How values are binned and compared.

    Source: mlops-api-tutorial, "Create Assay" (prose); recordings, "/v1/api/assays/create" (recorded); recordings,
    "/v1/api/assays/summarize" (recorded); field-notes, "Assays" (observed). """
    alert_threshold: float
    """ The score above which a window is an alert. """
    id: int | None | Unset = UNSET
    """ The assay's id, where there is one already. The tables of the interactive runs say that it is required; they
    compute an assay that need not exist, and for published clients it is optional. """
    iopath: str | Unset = UNSET
    """ The value to watch, as `input|output field index`, for example `output dense_2 0`. In the oldest document
    the field is a number. Since 2023.4 it is the `path` of the window instead. """
    warning_threshold: float | None | Unset = UNSET
    """ The score above which a window is a warning. """
    run_until: None | str | Unset = UNSET
    """ When the instance stops running the assay. """
    model_insights_url: None | str | Unset = UNSET
    """ Where the instance shows its results. """
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        from ..models.assay_baseline_request import AssayBaselineRequest  # noqa: PLC0415
        from ..models.assay_window_request import AssayWindowRequest  # noqa: PLC0415
        from ..models.static_assay_baseline_request import StaticAssayBaselineRequest  # noqa: PLC0415

        name = self.name

        pipeline_id = self.pipeline_id

        pipeline_name = self.pipeline_name

        workspace_id = self.workspace_id

        active = self.active

        status = self.status

        baseline: dict[str, Any]
        if isinstance(self.baseline, AssayBaselineRequest):
            baseline = self.baseline.to_dict()
        elif isinstance(self.baseline, StaticAssayBaselineRequest):
            baseline = self.baseline.to_dict()
        else:
            baseline = self.baseline.to_dict()

        window: dict[str, Any]
        if isinstance(self.window, AssayWindowRequest):
            window = self.window.to_dict()
        else:
            window = self.window.to_dict()

        summarizer = self.summarizer.to_dict()

        alert_threshold = self.alert_threshold

        id: int | None | Unset
        if isinstance(self.id, Unset):
            id = UNSET
        else:
            id = self.id

        iopath = self.iopath

        warning_threshold: float | None | Unset
        if isinstance(self.warning_threshold, Unset):
            warning_threshold = UNSET
        else:
            warning_threshold = self.warning_threshold

        run_until: None | str | Unset
        if isinstance(self.run_until, Unset):
            run_until = UNSET
        else:
            run_until = self.run_until

        model_insights_url: None | str | Unset
        if isinstance(self.model_insights_url, Unset):
            model_insights_url = UNSET
        else:
            model_insights_url = self.model_insights_url

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "name": name,
                "pipeline_id": pipeline_id,
                "pipeline_name": pipeline_name,
                "workspace_id": workspace_id,
                "active": active,
                "status": status,
                "baseline": baseline,
                "window": window,
                "summarizer": summarizer,
                "alert_threshold": alert_threshold,
            }
        )
        if id is not UNSET:
            field_dict["id"] = id
        if iopath is not UNSET:
            field_dict["iopath"] = iopath
        if warning_threshold is not UNSET:
            field_dict["warning_threshold"] = warning_threshold
        if run_until is not UNSET:
            field_dict["run_until"] = run_until
        if model_insights_url is not UNSET:
            field_dict["model_insights_url"] = model_insights_url

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.assay_baseline_request import AssayBaselineRequest  # noqa: PLC0415
        from ..models.assay_path_window_request import AssayPathWindowRequest  # noqa: PLC0415
        from ..models.assay_summarizer_request import AssaySummarizerRequest  # noqa: PLC0415
        from ..models.assay_window_request import AssayWindowRequest  # noqa: PLC0415
        from ..models.calculated_assay_baseline_request import (
            CalculatedAssayBaselineRequest,  # noqa: PLC0415
        )
        from ..models.static_assay_baseline_request import StaticAssayBaselineRequest  # noqa: PLC0415

        d = dict(src_dict)
        name = d.pop("name")

        pipeline_id = d.pop("pipeline_id")

        pipeline_name = d.pop("pipeline_name")

        workspace_id = d.pop("workspace_id")

        active = d.pop("active")

        status = d.pop("status")

        def _parse_baseline(
            data: object,
        ) -> (
            AssayBaselineRequest
            | CalculatedAssayBaselineRequest
            | StaticAssayBaselineRequest
        ):
            try:
                if not isinstance(data, dict):
                    raise TypeError()
                baseline_type_0 = AssayBaselineRequest.from_dict(data)

                return baseline_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            try:
                if not isinstance(data, dict):
                    raise TypeError()
                baseline_type_1 = StaticAssayBaselineRequest.from_dict(data)

                return baseline_type_1
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            if not isinstance(data, dict):
                raise TypeError()
            baseline_type_2 = CalculatedAssayBaselineRequest.from_dict(data)

            return baseline_type_2

        baseline = _parse_baseline(d.pop("baseline"))

        def _parse_window(data: object) -> AssayPathWindowRequest | AssayWindowRequest:
            try:
                if not isinstance(data, dict):
                    raise TypeError()
                window_type_0 = AssayWindowRequest.from_dict(data)

                return window_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            if not isinstance(data, dict):
                raise TypeError()
            window_type_1 = AssayPathWindowRequest.from_dict(data)

            return window_type_1

        window = _parse_window(d.pop("window"))

        summarizer = AssaySummarizerRequest.from_dict(d.pop("summarizer"))

        alert_threshold = d.pop("alert_threshold")

        def _parse_id(data: object) -> int | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(int | None | Unset, data)

        id = _parse_id(d.pop("id", UNSET))

        iopath = d.pop("iopath", UNSET)

        def _parse_warning_threshold(data: object) -> float | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(float | None | Unset, data)

        warning_threshold = _parse_warning_threshold(d.pop("warning_threshold", UNSET))

        def _parse_run_until(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, data)

        run_until = _parse_run_until(d.pop("run_until", UNSET))

        def _parse_model_insights_url(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, data)

        model_insights_url = _parse_model_insights_url(
            d.pop("model_insights_url", UNSET)
        )

        assay_request = cls(
            name=name,
            pipeline_id=pipeline_id,
            pipeline_name=pipeline_name,
            workspace_id=workspace_id,
            active=active,
            status=status,
            baseline=baseline,
            window=window,
            summarizer=summarizer,
            alert_threshold=alert_threshold,
            id=id,
            iopath=iopath,
            warning_threshold=warning_threshold,
            run_until=run_until,
            model_insights_url=model_insights_url,
        )

        assay_request.additional_properties = d
        return assay_request

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
