"""Lies about assays: figures of the right form, computed in another way, or of other windows."""

from __future__ import annotations

import json
import math
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from contract_tests.mutants.layer import Mutant
from contract_tests.mutants.lies.kinds import Kind, in_turn, of_json, succeeded
from wallaroo_ext._util.json_values import list_of, object_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from contract_tests.mutants.layer import Exchange
    from contract_tests.support.servers.asgi_exchanges import Answer

    Change = Callable[[dict[str, Any]], dict[str, Any]]

_COMPUTED = {"run_interactive_assay", "run_interactive_assay_baseline", "summarize_assay_baseline"}
_COMPUTED_V2 = {"preview_assay_v2", "preview_assay_baseline_v2"}
_CREATED = {"create_assay", "schedule_assay_v2"}
_STORED = {"get_assay_results", "get_assay_results_between", "get_assay_results_v2"}
_COMPARED = {"run_interactive_assay", "preview_assay_v2"} | _STORED
_OF_FIRST_VERSION = {"run_interactive_assay", "get_assay_results", "get_assay_results_between"}
_DISTRIBUTIONS = 4
"""How many mutants of `_OF_SHARES` an operation has; together the operations have all."""
_HOUR = timedelta(hours=1)
_SHOWN = ("metric", "aggregation", "bin_mode", "num_bins", "bin_weights")
_FIGURES = ("mean", "median", "std", "min", "max")


def _each(value: Any, field: str, change: Change) -> Any:
    """Return a copy of a value in which all objects that have a field are changed."""
    if isinstance(value, dict):
        inner = {name: _each(found, field, change) for name, found in object_of(value).items()}
        return change(inner) if field in inner else inner
    return [_each(found, field, change) for found in list_of(value)] if isinstance(value, list) else value


def _set(name: str, make: Callable[[dict[str, Any]], Any]) -> Change:
    """Return a change of one field of an object, by the object; nothing where it does not have the field."""
    return lambda found: found | {name: make(found)} if found.get(name) is not None else found


def _even_out(shares: list[float]) -> list[float]:
    """Return shares of which one of a value went to the next bin."""
    at = next((number for number, share in enumerate(shares[:-1]) if share), 0)
    return [share + (number == at + 1) * 0.01 - (number == at) * 0.01 for number, share in enumerate(shares)]


def _swapped(values: list[Any]) -> list[Any]:
    return [values[-1], *values[1:-1], values[0]] if len(values) > 1 else values


def _moved(edges: list[Any]) -> list[Any]:
    """Return edges that are those of the next bin each."""
    return [*edges[1:-1], edges[-2], edges[-1]] if len(edges) > 2 else edges


def _rounded(digits: int) -> Change:
    return lambda found: (
        found | {name: round(found[name], digits) for name in _FIGURES if isinstance(found.get(name), float)}
    )


_OF_SHARES: dict[str, tuple[str, str, Change]] = {
    "outliers-swapped": (
        "aggregated_values",
        "The shares of the two bins for outliers are swapped.",
        _set("aggregated_values", lambda found: _swapped(found["aggregated_values"])),
    ),
    "percentages": (
        "aggregated_values",
        "The shares are percentages.",
        _set("aggregated_values", lambda found: [100 * share for share in found["aggregated_values"]]),
    ),
    "next-bin": (
        "aggregated_values",
        "A hundredth of the values is in the next bin.",
        _set("aggregated_values", lambda found: _even_out(found["aggregated_values"])),
    ),
    "rounded-shares": (
        "aggregated_values",
        "The shares have three decimals.",
        _set("aggregated_values", lambda found: [round(share, 3) for share in found["aggregated_values"]]),
    ),
    "edges-moved": (
        "edges",
        "Each bin has the edge of the next one.",
        _set("edges", lambda found: _moved(found["edges"])),
    ),
    "variance": ("std", "The standard deviation is the variance.", _set("std", lambda found: found["std"] ** 2)),
    "sample-std": (
        "std",
        "The standard deviation is that of a sample.",
        _set("std", lambda found: found["std"] * math.sqrt(found["count"] / max(found["count"] - 1, 1))),
    ),
    "median-is-mean": ("median", "The median is the mean.", _set("median", lambda found: found["mean"])),
    "rounded-3": ("std", "The figures have three decimals.", _rounded(3)),
    "rounded-6": ("std", "The figures have six decimals.", _rounded(6)),
}


def _distributions(operation: str) -> Iterator[Mutant]:
    if operation not in _COMPUTED | _COMPUTED_V2 | _STORED:
        return
    for about, (field, text, change) in in_turn(list(_OF_SHARES.items()), operation, most=_DISTRIBUTIONS):
        lie = of_json(operation, lambda body, field=field, change=change: _each(body, field, change))
        yield Mutant(operation, "wrong-distribution", about, text, lie)


def _of_other_request(
    operation: str, changed: Callable[[dict[str, Any]], Any], mend: Callable[[Any, Any], Any] | None = None
) -> Callable[[Exchange], Any]:
    """Return a lie that answers another request than the one that was sent.

    Args:
        operation: The operation.
        changed: Makes the other request's body.
        mend: Makes the answer say that it is one to the request; by the answer and the request.
    """

    async def lie(exchange: Exchange) -> Answer:
        try:
            body = json.loads(exchange.request.body)
        except ValueError:
            return await exchange.ask()
        honest = None if operation in _CREATED else await exchange.ask()
        if not isinstance(body, dict) or (honest and not succeeded(operation, honest)):
            return honest or await exchange.ask()
        other = changed(object_of(body))
        answer = await exchange.ask(exchange.request.with_body(json.dumps(other).encode()))
        if other == body or mend is None or not succeeded(operation, answer):
            return answer
        return answer.with_json(mend(answer.json, body))

    return lie


def _way(body: dict[str, Any]) -> dict[str, Any]:
    """Return how a request wants values to be binned and compared."""
    summarizer = object_of(body.get("summarizer"))
    return object_of(summarizer.get("UnivariateContinuous", summarizer))


def _with_way(change: Callable[[dict[str, Any]], dict[str, Any]]) -> Callable[[dict[str, Any]], Any]:
    """Return a change of a request's way to bin and to compare; none where its request is no good one."""

    def changed(body: dict[str, Any]) -> Any:
        way = _way(body)
        if not way:
            return body
        other = way | change(way)
        is_second = "UnivariateContinuous" in body["summarizer"]
        return body | {"summarizer": {"UnivariateContinuous": other} if is_second else other}

    return changed


def _label(answer: Any, body: dict[str, Any]) -> Any:
    """Return an answer that names the way that was asked for."""
    way = _way(body)
    found = _each(answer, "aggregated_values", _set("aggregation", lambda _: way["aggregation"]))
    named = {
        name: way[name] for name in ("metric", "aggregation", "bin_mode", "num_bins", "bin_weights") if name in way
    }
    return _each(found, "metric", lambda summarizer: summarizer | named)


def _one_bin_more(way: dict[str, Any]) -> dict[str, Any]:
    if isinstance(way.get("bin_mode"), dict):
        return {"bin_mode": {name: n + 1 if isinstance(n, int) else n for name, n in way["bin_mode"].items()}}
    is_counted = way.get("bin_mode") in {"Quantile", "Equal"} and isinstance(way.get("num_bins"), int)
    return {"num_bins": way["num_bins"] + 1} if is_counted and not way.get("bin_weights") else {}


def _always_quantiles(way: dict[str, Any]) -> dict[str, Any]:
    mode = way.get("bin_mode")
    if mode == "Equal":
        return {"bin_mode": "Quantile"}
    return {"bin_mode": {"Quantile": mode["Equal"]}} if isinstance(mode, dict) and "Equal" in mode else {}


def _always_cumulative(way: dict[str, Any]) -> dict[str, Any]:
    return {"aggregation": "Cumulative"} if way.get("aggregation") == "Density" else {}


_WAYS: dict[str, tuple[str, set[str], Callable[[dict[str, Any]], dict[str, Any]]]] = {
    "aggregation": (
        "Cumulative shares are asked for, and shares answered.",
        _COMPUTED | _COMPUTED_V2,
        lambda way: {"aggregation": "Density"} if way.get("aggregation") == "Cumulative" else {},
    ),
    "metric-is-psi": (
        "Whatever metric is asked for, the scores are those of PSI.",
        _COMPUTED - {"summarize_assay_baseline", "run_interactive_assay_baseline"} | {"preview_assay_v2"},
        lambda way: {"metric": "PSI"} if "metric" in way and way.get("aggregation") != "Edges" else {},
    ),
    "metric-is-sum": (
        "MaxDiff is asked for, and SumDiff answered.",
        {"run_interactive_assay", "preview_assay_v2"},
        lambda way: {"metric": "SumDiff"} if way.get("metric") == "MaxDiff" else {},
    ),
    "weights": (
        "The weights of bins are ignored.",
        {"run_interactive_assay", "preview_assay_v2"},
        lambda way: {"bin_weights": None} if way.get("bin_weights") else {},
    ),
    "bins": ("There is one bin more than asked for.", _COMPUTED | _COMPUTED_V2, _one_bin_more),
    "mode": ("Equal bins are asked for, and quantiles answered.", _COMPUTED | _COMPUTED_V2, _always_quantiles),
}


def _ways(operation: str) -> Iterator[Mutant]:
    for about, (text, operations, change) in _WAYS.items():
        if operation in operations:
            lie = _of_other_request(operation, _with_way(change), _label)
            yield Mutant(operation, "other-summarizer", about, text, lie)


def _largest(found: dict[str, Any]) -> dict[str, Any]:
    scores = list_of(found["scores"]) if isinstance(found["scores"], list) else []
    return found | {"score": max(scores)} if scores else found


def _of_the_first(body: Any) -> Any:
    """Return results that all have the score of the first."""
    results = list(map(object_of, list_of(body)))
    if not results or not results[0]:
        return body
    names = [name for name in ("score", "scores", "status") if name in results[0]]
    return [found | {name: results[0][name] for name in names} for found in results]


_SCORES: dict[str, tuple[str, set[str], Callable[[Any], Any]]] = {
    "largest": (
        "The score is the largest part, not the sum.",
        _COMPARED,
        lambda body: _each(body, "score", _largest),
    ),
    "rounded": (
        "The score has three decimals.",
        _COMPARED,
        lambda body: _each(body, "score", _set("score", lambda found: round(found["score"], 3))),
    ),
    "of-first-window": ("All windows have the score of the first.", _OF_FIRST_VERSION, _of_the_first),
    "alert-ignored": (
        "No score is an alert: the most is a warning.",
        _COMPARED - {"preview_assay_v2"},
        lambda body: _each(
            body, "status", _set("status", lambda found: "Warning" if found["status"] == "Alert" else found["status"])
        ),
    ),
    "warning-ignored": (
        "No score is a warning.",
        _OF_FIRST_VERSION,
        lambda body: _each(
            body, "status", _set("status", lambda found: "Ok" if found["status"] == "Warning" else found["status"])
        ),
    ),
}


def _scores(operation: str) -> Iterator[Mutant]:
    for about, (text, operations, change) in _SCORES.items():
        if operation in operations:
            yield Mutant(operation, "wrong-score", about, text, of_json(operation, change))


def _later(text: Any) -> Any:
    """Return a time an hour later, written as the one that was given."""
    if not isinstance(text, str):
        return text
    at = datetime.fromisoformat(text)
    return text.replace(at.strftime("%Y-%m-%dT%H:"), (at + _HOUR).strftime("%Y-%m-%dT%H:"), 1)


def _labelled(text: Any) -> Any:
    """Return a time that is labelled with another offset, and so an hour off."""
    return text.replace("+00:00", "Z").replace("Z", "+01:00") if isinstance(text, str) else text


def _times(*names: str, change: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Return a change of all times of some names."""

    def changed(body: Any) -> Any:
        for name in names:
            body = _each(body, name, _set(name, lambda found, name=name: change(found[name])))
        return body

    return changed


def _without(*names: str) -> Callable[[dict[str, Any]], Any]:
    return lambda body: {name: value for name, value in body.items() if name not in names}


def _with(**fields: Any) -> Callable[[dict[str, Any]], Any]:
    return lambda body: {name: fields.get(name, value) for name, value in body.items()}


def _window(**fields: Any) -> Callable[[dict[str, Any]], Any]:
    """Return a change of fields that the window of a request has, where they are not null."""

    def changed(body: dict[str, Any]) -> Any:
        window = object_of(body.get("window"))
        kept = {name: fields[name] if window.get(name) and name in fields else window[name] for name in window}
        return body | {"window": kept} if window else body

    return changed


def _index_0(body: dict[str, Any]) -> Any:
    """Return a request that watches the first value of a field, whichever it asked for."""

    def first(text: str) -> str:
        return f"{text.rpartition(' ')[0]} 0" if text.count(" ") == 2 else text

    changed = _each(body, "path", _set("path", lambda found: first(str(found["path"]))))
    return _each(changed, "iopath", _set("iopath", lambda found: first(str(found["iopath"]))))


_EVER = {"start": "2000-01-01T00:00:00Z", "end": "2100-01-01T00:00:00Z"}
_IN_ANSWERS: dict[str, tuple[str, set[str], Callable[[Any], Any]]] = {
    "hour-later": (
        "Windows begin and end an hour later than they do.",
        _COMPARED,
        _times("window_start", "window_end", "start", "end", change=_later),
    ),
    "offset": (
        "The times of windows are labelled with another offset.",
        _COMPARED,
        _times("window_start", "window_end", "start", "end", change=_labelled),
    ),
    "analyzed-later": (
        "Results were computed an hour after they were.",
        _COMPARED | {"run_interactive_assay_baseline"},
        _times("analyzed_at", "created_at", change=_later),
    ),
    "capped": ("There is one window at the most.", _OF_FIRST_VERSION, lambda body: list_of(body)[:1]),
}
_IN_REQUESTS: dict[str, tuple[str, set[str], Callable[[dict[str, Any]], Any]]] = {
    "limit-ignored": ("The limit is ignored.", {"get_assay_results", "get_assay_baseline"}, _without("limit")),
    "start-ignored": ("The start is ignored.", _STORED | {"get_assay_baseline"}, _with(start=_EVER["start"])),
    "end-ignored": ("The end is ignored.", _STORED | {"get_assay_baseline"}, _with(end=_EVER["end"])),
    "interval-ignored": (
        "Windows are as far apart as they are wide.",
        {"run_interactive_assay"},
        lambda body: _window(interval=object_of(body.get("window")).get("width"))(body),
    ),
    "width-ignored": ("Windows are a second wide.", {"run_interactive_assay"}, _window(width="1 second")),
    "index-ignored": (
        "The first value of a field is watched, whichever was asked for.",
        {"run_interactive_assay", "summarize_assay_baseline"},
        _index_0,
    ),
}


def _windows(operation: str) -> Iterator[Mutant]:
    for about, (text, operations, change) in _IN_ANSWERS.items():
        if operation in operations:
            yield Mutant(operation, "other-window", about, text, of_json(operation, change))
    for about, (text, operations, changed) in _IN_REQUESTS.items():
        if operation in operations:
            yield Mutant(operation, "other-window", about, text, _of_other_request(operation, changed))
    if operation in _CREATED:
        lie = _of_other_request(
            operation, lambda body: body | ({"active": True} if body.get("active") is False else {})
        )
        if operation == "create_assay":
            yield Mutant(operation, "other-window", "always-active", "An assay that is off is run.", lie)
        text = "The assay is made with cumulative shares, whatever was asked for."
        cumulative = _of_other_request(operation, _with_way(_always_cumulative))
        yield Mutant(operation, "other-summarizer", "aggregation", text, cumulative)


_NO_RESULT = "Its answer has no distribution, and makes none."
KINDS = (
    Kind("wrong-distribution", "A distribution of an assay has another figure.", _NO_RESULT, _distributions),
    Kind("other-summarizer", "An assay is computed in another way than asked for.", _NO_RESULT, _ways),
    Kind("wrong-score", "A window's score or status is wrong.", "Its answer has no windows.", _scores),
    Kind("other-window", "An assay is of other windows than asked for.", "It knows no windows.", _windows),
)
