"""Requests of the second version of the assays, in the form in which the sandbox keeps and computes assays.

The second version watches fields by columns and indexes, `out.dense_1` and `[0]`, and writes baselines, bins and times
in its own way. What only it has, the indexes and the time of the first run, is kept beside the rest.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from wallaroo_ext._util.json_values import list_of, object_of
from wallaroo_ext.sandbox.assays.windows import check_time, format_time, parse_time, parse_width
from wallaroo_ext.sandbox.http.problems import bad_request

if TYPE_CHECKING:
    from collections.abc import Mapping

_SIDES = {"in": "input", "out": "output"}
_INFINITY = "INFINITY"
_STATISTICS = ("count", "min", "max", "mean", "median", "std")
_COUNTED = ("Equal", "Quantile")
_MOST_BINS = 1000
"""As many as the first version takes."""


def kept_baseline(body: Mapping[str, Any]) -> dict[str, Any]:
    """Return a request that only has a baseline, in the kept form.

    Raises:
        Problem: 400, if it makes no sense, or the sandbox does not compute it.
    """
    window = _watched(body["targeting"])
    baseline = _baseline(body["baseline"], window)
    return {
        "name": "preview",
        "pipeline_id": body["targeting"]["data_origin"]["pipeline_id"],
        "pipeline_name": window["pipeline_name"],
        "workspace_id": window["workspace_id"],
        "baseline": baseline,
        "window": window | {"width": "1 minutes"},
        "summarizer": _summarizer(body["summarizer"]["UnivariateContinuous"], baseline.get("static")),
        **_thresholds(body["targeting"]["iopath"][0]),
    }


def kept_assay(body: Mapping[str, Any], *, first_window: int | None = None) -> dict[str, Any]:
    """Return the request of an assay in the kept form.

    Args:
        body: The request.
        first_window: When the first window begins, in microseconds since 1970; by default, it ends at the first run.

    Raises:
        Problem: 400, if it makes no sense, or the sandbox does not compute it.
    """
    scheduling, width = body["scheduling"], f"{int(body['window']['width']['seconds'])} seconds"
    frequency = scheduling["run_frequency"]["SimpleRunFrequency"]
    begin = parse_time(scheduling["first_run"]) - parse_width(width) if first_window is None else first_window
    check_time(begin, "the beginning of the first window")
    kept = kept_baseline(body)
    kept["window"] |= {
        "width": width,
        "interval": f"{int(frequency['quantity'])} {frequency['unit'].lower()}s",
        "start": format_time(begin),
    }
    return kept | {
        "name": body.get("name", kept["name"]),
        "active": True,
        "run_until": scheduling.get("end"),
        "first_run": scheduling["first_run"],
    }


def _watched(targeting: Mapping[str, Any]) -> dict[str, Any]:
    """Return the window's source and its path, `output dense_1 0`."""
    origin = targeting["data_origin"]
    if len(targeting["iopath"]) != 1:
        raise bad_request("targeting.iopath: an assay of the sandbox watches one value; make an assay for each.")
    indexes = _indexes(targeting["iopath"][0])
    side, _, field = targeting["iopath"][0]["field"].partition(".")
    return {
        "path": f"{_SIDES[side]} {field} {indexes[0] if indexes else 0}",
        "pipeline_name": origin["pipeline_name"],
        "model_name": origin.get("model_id"),
        "workspace_id": origin["workspace_id"],
        "locations": origin.get("locations") or [],
    }


def _indexes(watched: Mapping[str, Any]) -> list[int]:
    indexes = [int(index) for index in watched.get("indexes") or ()]
    if len(indexes) > 1:
        raise bad_request("targeting.iopath: an assay of the sandbox watches one index; make an assay for each.")
    return indexes


def _thresholds(watched: Mapping[str, Any]) -> dict[str, Any]:
    thresholds = object_of(watched.get("thresholds"))
    if thresholds.get("alert") is None:
        raise bad_request("targeting.iopath: the sandbox needs thresholds with an alert.")
    return {
        "indexes": _indexes(watched) or None,
        "alert_threshold": thresholds["alert"],
        "warning_threshold": thresholds.get("warning"),
    }


def _summarizer(univariate: Mapping[str, Any], distribution: Mapping[str, Any] | None) -> dict[str, Any]:
    mode, count, edges = _bins(univariate["bin_mode"])
    return {
        "is_open": mode in _COUNTED and distribution is not None and len(distribution["edges"]) == count > 1,
        "type": "UnivariateContinuous",
        "bin_mode": mode,
        "num_bins": count,
        "provided_edges": edges,
        "aggregation": univariate["aggregation"],
        "metric": univariate["metric"],
        "bin_weights": univariate.get("bin_weights"),
    }


def _bins(mode: Any) -> tuple[str, int, list[float] | None]:
    """Return how values are put into bins, how many there are and, where they are given, their edges."""
    if mode == "None":
        return "None", 1, None
    edges, counts = list_of(object_of(mode).get("Provided")), [(name, object_of(mode).get(name)) for name in _COUNTED]
    if edges and all(isinstance(edge, int | float) for edge in edges):
        return "Provided", len(edges), edges
    for name, count in counts:
        if isinstance(count, int | float) and 0 < count <= _MOST_BINS:
            return name, int(count), None  # the contract has whole numbers, and JSON's 5.0 is one, too
    raise bad_request(
        f"summarizer: the bin mode is None, or a number of bins, at most {_MOST_BINS}, by {' or '.join(_COUNTED)}, or "
        "edges by Provided."
    )


def _baseline(baseline: Mapping[str, Any], window: Mapping[str, Any]) -> dict[str, Any]:
    if baseline.get("Vector") is not None:
        return {"calculated": {"vector": [value for value in baseline["Vector"] if value is not None]}}
    if baseline.get("Static") is not None:
        start, end = (parse_time(time) for time in baseline["Static"])
        if end <= start:
            raise bad_request("baseline.Static: the baseline ends before it begins.")
        time = {"interval": None, "start": format_time(start), "width": f"{max((end - start) // 1000, 1)} milliseconds"}
        return {"calculated": {"fixed_window": {**window, **time}}}
    summaries = list(object_of(baseline.get("Summary")).values())
    if len(summaries) != 1:
        raise bad_request("baseline: send one Summary, or a Static or a Vector.")
    return {"static": _distribution(summaries[0])}


def _distribution(summary: Mapping[str, Any]) -> dict[str, Any]:
    """Return a distribution that was given, in the kept form.

    Raises:
        Problem: 400, if it lacks something, or something in it can be compared with nothing.
    """
    try:
        return _checked_distribution(summary)
    except KeyError as error:
        raise bad_request(f"baseline.Summary: a distribution needs {error}.") from None


def _checked_distribution(summary: Mapping[str, Any]) -> dict[str, Any]:
    *lower, last = summary["bins"]["edges"] or [None]
    if not _are_numbers(lower) or not (last in {None, _INFINITY} or _are_numbers([last])):
        raise bad_request(f"baseline.Summary: the edges are numbers, of which the last one may be {_INFINITY}.")
    if not _are_numbers(summary["aggregated_values"]):
        raise bad_request("baseline.Summary: the aggregated values are numbers.")
    if summary["bins"]["labels"] is None:
        raise bad_request("baseline.Summary: each bin needs a label.")
    return {
        **{name: summary["statistics"][name] for name in _STATISTICS},
        "edges": [None if edge == _INFINITY else edge for edge in summary["bins"]["edges"]],
        "edge_names": summary["bins"]["labels"],
        "aggregated_values": summary["aggregated_values"],
        "aggregation": summary["aggregation"],
        "start": summary.get("start"),
        "end": summary.get("end"),
    }


def _are_numbers(values: Any) -> bool:
    return all(isinstance(value, int | float) and not isinstance(value, bool) for value in list_of(values))
