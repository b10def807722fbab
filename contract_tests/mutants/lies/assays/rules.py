"""Lies about assays by rules that differ for some values only: on edges, at ends, with zeros and even counts."""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from contract_tests.mutants.lies.asking import body_of, fields_of, of_other_bodies, single_lies
from contract_tests.mutants.lies.kinds import Kind, of_json, succeeded
from wallaroo_ext._util.json_values import list_of, object_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from contract_tests.mutants.layer import Exchange, Lie
    from contract_tests.mutants.lies.asking import Lies
    from contract_tests.support.servers.asgi_exchanges import Answer

    Result = dict[str, Any]

_RUN, _SUMMARIZE = "run_interactive_assay", "summarize_assay_baseline"
_PREVIEW, _PREVIEW_BASELINE = "preview_assay_v2", "preview_assay_baseline_v2"
_MILLISECOND = timedelta(milliseconds=1)
_FOR_ZERO = 1e-4
"""What stands for a share of zero, in a mutant; in the contract, it is 0.005."""


def _moved(text: str, by: timedelta) -> str:
    """Return a time that is so much later."""
    return (datetime.fromisoformat(text).astimezone(UTC) + by).isoformat().replace("+00:00", "Z")


def _of_results(change: Callable[[Result], Result]) -> Lie:
    """Return a lie that changes each window's result."""
    return of_json(_RUN, lambda body: [change(object_of(result)) for result in list_of(body)])


def _status(score: float, result: Result) -> str:
    """Return the status of a window by a score."""
    warning = result.get("warning_threshold")
    if score > result["alert_threshold"]:
        return "Alert"
    return "Warning" if warning is not None and score > warning else "Ok"


def _with_the_largest_parts_status(result: Result) -> Result:
    return result | {"status": _status(max(result["scores"]), result)} if result.get("scores") else result


def _with_scores(result: Result, scores: list[float]) -> Result:
    """Return a result with other scores of its bins."""
    score = max(scores) if result["summarizer"]["metric"] == "MaxDiff" else sum(scores)
    return result | {"scores": scores, "score": score, "status": _status(score, result)}


def _with_weights_as_sent(result: Result) -> Result:
    total = sum(list_of(result["summarizer"].get("bin_weights")))
    is_meant = total not in {0, 1} and result.get("scores")
    return _with_scores(result, [score * total for score in result["scores"]]) if is_meant else result


def _with_another_zero(result: Result) -> Result:
    summarizer = object_of(result["summarizer"])
    if summarizer["metric"] != "PSI" or summarizer.get("bin_weights"):
        return result
    before, now = (result[name]["aggregated_values"] for name in ("baseline_summary", "window_summary"))
    scores = [
        (share - _FOR_ZERO) * math.log(share / _FOR_ZERO) if base == 0 < share else score
        for score, base, share in zip(result["scores"], before, now, strict=True)
    ]
    return result if scores == result["scores"] else _with_scores(result, scores)


def _one_unit_wide(body: dict[str, Any]) -> dict[str, Any]:
    window = object_of(body.get("window"))
    width = re.sub(r"^\d+ ", "1 ", str(window.get("width")))
    return body | {"window": window | {"width": width}} if window.get("width") else body


async def _has_the_end_of_a_window(exchange: Exchange) -> Answer:
    body, answer = body_of(exchange), await exchange.ask()
    window = object_of(body.get("window"))
    if not succeeded(_RUN, answer) or not window.get("start"):
        return answer
    changed = body | {"window": window | {"start": _moved(window["start"], _MILLISECOND)}}
    later = await exchange.ask(exchange.request.with_json(changed))
    results = [_a_millisecond_earlier(object_of(result)) for result in list_of(later.json)]
    scores, true = ([object_of(each).get("scores") for each in list_of(found)] for found in (results, answer.json))
    return answer if scores == true else later.with_json(results)


def _a_millisecond_earlier(result: Result) -> Result:
    summary = object_of(result["window_summary"])
    times = {name: _moved(summary[name], -_MILLISECOND) for name in ("start", "end") if summary.get(name)}
    return result | {
        "window_start": _moved(result["window_start"], -_MILLISECOND),
        "window_summary": summary | times,
    }


def _of_summaries(change: Callable[[dict[str, Any], Result], Result]) -> Lie:
    """Return a lie that changes a baseline's summary, by the request."""

    async def lie(exchange: Exchange) -> Answer:
        answer = await exchange.ask()
        summary = fields_of(_SUMMARIZE, answer)
        changed = change(body_of(exchange), summary) if summary else summary
        return answer if changed == summary else answer.with_json(changed)

    return lie


def _vector(body: dict[str, Any]) -> list[float]:
    return list_of(object_of(body.get("baseline")).get("vector"))


def _with_the_samples_deviation(body: dict[str, Any], summary: Result) -> Result:
    count = summary["count"]
    is_meant = not _vector(body) and count > 1
    return summary | {"std": summary["std"] * math.sqrt(count / (count - 1))} if is_meant else summary


def _with_edges_between_values(body: dict[str, Any], summary: Result) -> Result:
    way, vector = object_of(body.get("summarizer")), _vector(body)
    bins: Any = way.get("num_bins")
    if way.get("bin_mode") != "Quantile" or not vector or len(summary["edges"]) != bins + 2:
        return summary
    between = cast("Any", np).quantile(vector, [number / bins for number in range(bins + 1)])
    return summary | {"edges": [*map(float, between), None]}


def _with_lower_edges(body: dict[str, Any], summary: Result) -> Result:
    way, vector, edges = object_of(body.get("summarizer")), _vector(body), summary["edges"][:-1]
    if (way.get("bin_mode"), summary["aggregation"]) != ("Equal", "Density") or not vector:
        return summary
    counts = [0] * (len(edges) + 1)
    for value in vector:
        counts[next((number for number in range(1, len(edges)) if value < edges[number]), len(edges) - 1)] += 1
    shares = [count / len(vector) for count in counts]
    return summary if np.allclose(shares, summary["aggregated_values"]) else summary | {"aggregated_values": shares}


def _with_values_in_the_last(_: dict[str, Any], summary: Result) -> Result:
    edges, shares = summary["edges"], list_of(summary["aggregated_values"])
    if summary["aggregation"] != "Density":
        return summary
    moved = [*shares]
    for number in range(1, len(edges) - 1):
        if edges[number] == edges[number + 1]:
            moved[number + 1], moved[number] = moved[number] + moved[number + 1], 0.0
    return summary | {"aggregated_values": moved}


async def _has_the_lower_median(exchange: Exchange) -> Answer:
    answer = await exchange.ask()
    shown = fields_of(_PREVIEW_BASELINE, answer)
    vector = sorted(list_of(object_of(body_of(exchange).get("baseline")).get("Vector")))
    if not shown or not vector or len(vector) % 2:
        return answer
    median = vector[len(vector) // 2 - 1]
    changed = {name: _with_median(object_of(summary), median) for name, summary in shown.items()}
    return answer if changed == shown else answer.with_json(changed)


def _with_median(summary: dict[str, Any], median: float) -> dict[str, Any]:
    return summary | {"statistics": object_of(summary["statistics"]) | {"median": median}}


async def _leaves_the_last_out(exchange: Exchange) -> Answer:
    answer, body = await exchange.ask(), body_of(exchange)
    results = list_of(answer.json)
    if not succeeded(_PREVIEW, answer) or not results:
        return answer
    end = datetime.fromisoformat(body["preview_end"])
    kept = [result for result in results if datetime.fromisoformat(result["window_end"]) != end]
    return answer if kept == results else answer.with_json(kept)


_LIES: Lies = {
    _RUN: (
        (
            "status-of-a-part",
            "The status is that of the largest part of the score.",
            _of_results(_with_the_largest_parts_status),
        ),
        ("weights-as-sent", "Weights are not divided by their sum.", _of_results(_with_weights_as_sent)),
        ("another-zero", f"{_FOR_ZERO} stands for a share of zero.", _of_results(_with_another_zero)),
        ("one-unit-wide", "Of a width, the unit is read alone.", of_other_bodies(_RUN, _one_unit_wide)),
        ("end-in-window", "A window has its end, and not its start.", _has_the_end_of_a_window),
    ),
    _SUMMARIZE: (
        (
            "samples-deviation",
            "Of a window, the standard deviation is that of a sample.",
            _of_summaries(_with_the_samples_deviation),
        ),
        (
            "edges-between-values",
            "Edges of quantiles are between two values.",
            _of_summaries(_with_edges_between_values),
        ),
        ("lower-edges", "A bin has its lower edge, and not its upper one.", _of_summaries(_with_lower_edges)),
        (
            "last-of-equal-edges",
            "Of bins that end at one edge, the last has the values.",
            _of_summaries(_with_values_in_the_last),
        ),
    ),
    _PREVIEW_BASELINE: (
        ("lower-median", "Of an even number of values, the median is one of them.", _has_the_lower_median),
    ),
    _PREVIEW: (("end-left-out", "A window that ends with the preview is left out.", _leaves_the_last_out),),
}

KINDS = (
    Kind(
        "other-rule",
        "A figure of an assay is computed by another rule, which differs for some values.",
        "It computes no figures, or others show it.",
        single_lies("other-rule", _LIES),
    ),
)
