"""Requests of assays with values that are easily kept otherwise than they were sent, but that no source forbids."""

from __future__ import annotations

from datetime import timedelta, timezone
from typing import TYPE_CHECKING, Any

import numpy as np

from wallaroo_ext.conformance.resources.fixtures import assay_request, second_assay_request
from wallaroo_ext.conformance.resources.samples import INPUT, WIDTH
from wallaroo_ext.conformance.testing.assays import formulas

if TYPE_CHECKING:
    from wallaroo_ext.conformance.resources.fixtures import Fixtures

ENDING = "AbC_d.e--é"
"""What names may end in that are easily written in another way."""
MANY_BINS = 25
PLACES = ["there", "here", "There"]
EDGES = [-1250.75, -0.5, 0.000125, 3.0, 1e6]
VALUES = [round(value, 6) for value in np.random.default_rng(11).normal(scale=40, size=140).tolist()] + [2.5, 0.0, 2.5]
"""Values of a baseline: many, of both signs, in no order, and one of them twice."""
WEIGHTS = [2.5, 0.0, 0.75]
"""Weights of one bin and of those for outliers, in no order, which do not add up to one."""
_LEFT_OUT = {
    *("warning_threshold", "run_until", "start", "interval", "locations"),
    *("bin_weights", "bin_width", "provided_edges", "add_outlier_edges"),
}
"""The fields of an assay, of its window and of its summarizer that it need not have, but that of the model."""
FAR = 20_000
"""Days after which 32 bits do not hold the seconds since 1970 any more."""
_EAST, _WEST = timezone(timedelta(hours=5, minutes=30)), timezone(-timedelta(hours=8))


def moment(fixtures: Fixtures, days: int, *, west: bool = False) -> str:
    """Return a time some days after the run's first rows, with a part of a second and another offset than UTC's."""
    assert fixtures.scored_at is not None, "an assay needs rows"  # noqa: S101 - callers have scored some
    at = fixtures.scored_at.replace(microsecond=125_000) + timedelta(days=days)
    return at.astimezone(_WEST if west else _EAST).isoformat(timespec="milliseconds")


def required_only(request: dict[str, Any]) -> dict[str, Any]:
    """Return the request of an assay of the first version without all that may be left out."""
    window, way = request["window"], request["summarizer"]
    return {name: value for name, value in request.items() if name not in _LEFT_OUT} | {
        "window": {name: value for name, value in window.items() if name not in _LEFT_OUT},
        "summarizer": {name: value for name, value in way.items() if name not in _LEFT_OUT},
    }


def unusual_assays(fixtures: Fixtures) -> list[dict[str, Any]]:
    """Return requests, without names of their own, of inactive assays; no two have the same thresholds."""
    usual = assay_request(fixtures, active=False)
    window: dict[str, Any] = usual["window"]
    way: dict[str, Any] = usual["summarizer"]
    equal = {"bin_mode": "Equal", "num_bins": MANY_BINS, "metric": "MaxDiff"}
    provided = {"bin_mode": "Provided", "num_bins": len(EDGES) - 1, "provided_edges": EDGES}
    one = {"num_bins": 1, "metric": "SumDiff", "bin_weights": WEIGHTS}
    often = {"width": "90 minutes", "interval": "45 minutes", "start": moment(fixtures, 1)}
    seldom = {"width": "36 hours", "interval": "2 days", "start": moment(fixtures, 2, west=True)}

    def of(warning: float | None, alert: float, **more: Any) -> dict[str, Any]:
        return (
            usual | {"run_until": moment(fixtures, FAR), "warning_threshold": warning, "alert_threshold": alert} | more
        )

    return [
        of(None, 0.0, window=window | often, summarizer=way | equal),
        of(-0.5, -0.25, window=window | seldom, summarizer=way | provided | {"aggregation": "Cumulative"}),
        of(12.123456789, 0.123456789, run_until=None, status="paused", summarizer=way | one),
        required_only(of(None, 99.5)),
        *(of(0.0, 100.5 + number, **form) for number, form in enumerate(_forms_of_baselines(fixtures, usual))),
    ]


def _forms_of_baselines(fixtures: Fixtures, usual: dict[str, Any]) -> list[dict[str, Any]]:
    """Return baselines of each form of the release, with windows that watch another value, at some places."""
    window: dict[str, Any] = usual["window"]
    if fixtures.forms.fixed_baselines:
        times = {"start_at": moment(fixtures, -2), "end_at": moment(fixtures, -1, west=True)}
        return [{"baseline": {"Fixed": usual["baseline"]["Fixed"] | times}}]
    watched = {"path": f"input {INPUT} {WIDTH - 1}", "locations": PLACES, "model_name": None}
    spare = fixtures.spare
    pipeline = {} if spare is None else {"pipeline_name": spare.pipeline}
    fixed = window | pipeline | {"start": moment(fixtures, -2, west=True), "width": "7 seconds"}
    forms: list[dict[str, Any]] = [
        {"calculated": {"vector": VALUES}},
        {"calculated": {"fixed_window": fixed}},
        {"static": distribution(usual["summarizer"]) | {"start": moment(fixtures, -2), "end": moment(fixtures, -1)}},
    ]
    return [{"baseline": form, "window": window | watched} for form in forms]


def distribution(summarizer: dict[str, Any]) -> dict[str, Any]:
    """Return the distribution of `VALUES` in the first version's form, without its time."""
    values = np.array(VALUES)
    bins = formulas.bins_of(values, summarizer)
    return formulas.statistics(values) | {
        "edges": [*bins.edges.tolist(), None],
        "edge_names": bins.names,
        "aggregated_values": bins.aggregated(values, "Density").tolist(),
        "aggregation": "Density",
    }


def unusual_second_assays(fixtures: Fixtures) -> list[dict[str, Any]]:
    """Return requests of the second version, without names; no two have the same thresholds."""
    usual = second_assay_request(fixtures)
    targeting: dict[str, Any] = usual["targeting"]
    watched: dict[str, Any] = targeting["iopath"][0]
    way: dict[str, Any] = usual["summarizer"]["UnivariateContinuous"]
    vector = {"Vector": VALUES}

    def of(warning: float | None, alert: float, quantity: int, unit: str, seconds: int, **more: Any) -> dict[str, Any]:
        """Return a request with thresholds, a frequency, a width of the window and other values of its parts."""
        frequency = {"SimpleRunFrequency": {"quantity": quantity, "unit": unit}}
        times = {"first_run": moment(fixtures, 3, west=True), "end": moment(fixtures, FAR)}
        field = watched | {"thresholds": {"warning": warning, "alert": alert}} | more.get("watched", {})
        origin = targeting["data_origin"] | more.get("origin", {})
        return usual | {
            "baseline": more.get("baseline", vector),
            "scheduling": times | {"run_frequency": frequency},
            "summarizer": {"UnivariateContinuous": way | more.get("way", {})},
            "targeting": {"data_origin": origin, "iopath": [field]},
            "window": {"width": {"seconds": seconds}},
        }

    equal = {"bin_mode": {"Equal": MANY_BINS}, "metric": "MaxDiff"}
    one = {"bin_mode": {"Quantile": 1}, "bin_weights": WEIGHTS}
    provided = {"bin_mode": {"Provided": EDGES}, "aggregation": "Cumulative", "metric": "SumDiff"}
    input_field = {"field": f"in.{INPUT}", "indexes": [WIDTH - 1]}
    return [
        of(-0.5, 12.123456789, 2, "Week", 100_000, way=equal, watched=input_field),
        of(0.75, 0.0, 45, "Minute", 90, way=provided, origin={"locations": PLACES, "model_id": None}),
        of(None, -0.25, 36, "Hour", 3601, way={"bin_mode": "None"}, watched={"indexes": None}),
        of(0.0, 0.123456789, 3, "Day", 1, way=one, baseline=usual["baseline"]),
    ]
