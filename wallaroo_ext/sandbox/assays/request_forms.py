"""What an assay's request names, in either of its forms: that of releases up to 2023.4, and that of 2023.4 and later.

The older form watches an `iopath` of a pipeline's model, against the inferences of a fixed time. In the newer one the
window has the `path`, and the baseline is a distribution, or is computed from values or from the inferences of a time.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from wallaroo_ext._util.json_values import object_of
from wallaroo_ext.sandbox.http.problems import bad_request

if TYPE_CHECKING:
    from collections.abc import Iterable

_BASELINES = ("Fixed", "static", "calculated")
_CALCULATIONS = ("vector", "fixed_window", "sliding_window")
_WINDOWS = ("pipeline", "pipeline_name")


@dataclass(frozen=True, slots=True)
class Source:
    """Where watched values come from.

    Attributes:
        workspace_id: The pipeline's workspace.
        pipeline: The name of the pipeline.
        model: The name of the model; None for any.
        locations: The places that the values come from, as the partitions of logged rows name them; empty for all.
    """

    workspace_id: int
    pipeline: str
    model: str | None
    locations: tuple[str, ...] = ()


def window_source(request: dict[str, Any]) -> Source:
    """Return where the windows' values come from.

    Raises:
        Problem: 400, if the window has fields of both forms.
    """
    window = request["window"]
    if _only("window", window, _WINDOWS) == "pipeline":
        return Source(int(request["workspace_id"]), window["pipeline"], window["model"])
    return _path_source(window)


def _path_source(window: dict[str, Any]) -> Source:
    locations = tuple(window.get("locations") or ())
    return Source(int(window["workspace_id"]), window["pipeline_name"], window.get("model_name"), locations)


def watched_path(request: dict[str, Any]) -> str:
    """Return the path of the watched value, `output dense_1 0` for one.

    Raises:
        Problem: 400, if there is none.
    """
    window = request["window"]
    if _only("window", window, _WINDOWS) == "pipeline_name":
        return window["path"]
    if "iopath" not in request:
        raise bad_request("iopath is required beside a window without a path.")
    return request["iopath"]


def baseline_form(baseline: dict[str, Any]) -> tuple[str, Any]:
    """Return the form of a baseline and its content: `Fixed`, `static`, `vector` or `fixed_window`.

    Raises:
        Problem: 400, if it has no form, or several, or one that the sandbox does not compute.
    """
    form = _only("baseline", baseline, _BASELINES)
    return calculation_form(baseline["calculated"]) if form == "calculated" else (form, baseline[form])


def calculation_form(calculated: dict[str, Any]) -> tuple[str, Any]:
    """Return what a baseline is computed from and its content: `vector` or `fixed_window`.

    Raises:
        Problem: 400, if there is nothing, or several, or what the sandbox does not compute.
    """
    form = _only("baseline", calculated, _CALCULATIONS)
    if form == "sliding_window":
        raise bad_request("The sandbox computes no baseline of a sliding_window: take a vector or a fixed_window.")
    if form == "vector" and not calculated["vector"]:
        raise bad_request("The baseline has an empty vector.")
    return form, calculated[form]


def baseline_source(request: dict[str, Any]) -> Source | None:
    """Return where the baseline's values come from; None if the request has them, or their distribution.

    Raises:
        Problem: 400, as `baseline_form` does.
    """
    form, content = baseline_form(request["baseline"])
    if form == "Fixed":
        return Source(int(request["workspace_id"]), content["pipeline"], content["model"])
    return _path_source(content) if form == "fixed_window" else None


def sources(request: dict[str, Any]) -> list[Source]:
    """Return where all values of an assay come from."""
    baseline = baseline_source(request)
    return [window_source(request), *([] if baseline is None else [baseline])]


def newer_baseline(request: dict[str, Any], width: str) -> dict[str, Any]:
    """Return a baseline in the newer form.

    Args:
        request: The request of the assay.
        width: The length of the baseline, of an older form.
    """
    form, content = baseline_form(request["baseline"])
    if form != "Fixed":
        return request["baseline"]
    older = {"pipeline": content["pipeline"], "model": content["model"], "width": width, "start": content["start_at"]}
    return {"calculated": {"fixed_window": _with_path(request, older)}}


def newer_window(request: dict[str, Any]) -> dict[str, Any]:
    """Return a window in the newer form."""
    window = request["window"]
    if "pipeline" in window:
        return _with_path(request, window)
    names = ("interval", "model_name", "path", "pipeline_name", "start", "width", "workspace_id", "locations")
    return {name: window.get(name) for name in names} | {"locations": window.get("locations") or []}


def _with_path(request: dict[str, Any], window: dict[str, Any]) -> dict[str, Any]:
    return {
        "interval": window.get("interval"),
        "model_name": window["model"],
        "path": request["iopath"],
        "pipeline_name": window["pipeline"],
        "start": window.get("start"),
        "width": window["width"],
        "workspace_id": request["workspace_id"],
        "locations": [],
    }


def _only(subject: str, value: dict[str, Any], names: Iterable[str]) -> str:
    """Return which one of some fields an object has.

    Raises:
        Problem: 400, if it has none or several.
    """
    found = [name for name in names if object_of(value).get(name) is not None]
    if len(found) != 1:
        raise bad_request(f"{subject}: exactly one of {', '.join(names)} is required.")
    return found[0]
