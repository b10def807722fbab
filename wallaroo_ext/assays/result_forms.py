"""Reading a result of an assay in the form of any release, as rows of the table of results."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from wallaroo_ext._util.json_values import list_of, object_of
from wallaroo_ext._util.times import in_utc

if TYPE_CHECKING:
    from collections.abc import Iterator

_SIDES = ("baseline", "window")
_STATISTICS = ("count", "min", "max", "mean", "median", "std")


def rows_of(result: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the rows of a result: one, or one for each field that an assay of the second version watches.

    Args:
        result: The result, as JSON.

    Raises:
        ValueError: A value of it cannot be read.
        TypeError: A value is of another type.
    """
    if "summaries" in result or isinstance(result.get("scores"), dict):
        yield from _second_version_rows(result)
    else:
        yield _first_version_row(result)


def _first_version_row(result: dict[str, Any]) -> dict[str, Any]:
    """Return the row of a result of the first version of the assays.

    Those of 2022 have no `window_start` and no `analyzed_at`, but the times of the window's summary and a `created_at`
    in milliseconds; and other names for `bin_index` and `summarizer`.
    """
    baseline, window = (_first_version_summary(object_of(result.get(f"{side}_summary"))) for side in _SIDES)
    summarizer = summarizer_of(result)
    start = _time(result["window_start"]) if "window_start" in result else window.get("start")
    return (
        result
        | {f"baseline_{name}": value for name, value in baseline.items()}
        | {f"window_{name}": value for name, value in window.items()}
        | {name: summarizer.get(name) for name in ("metric", "aggregation", "bin_mode")}
        | {
            "window_start": _known(start),
            "window_end": window.get("end"),
            "analyzed_at": _time(result.get("analyzed_at", result.get("created_at"))),
            "bin_index": result.get("bin_index", result.get("index")),
        }
    )


def _first_version_summary(summary: dict[str, Any]) -> dict[str, Any]:
    """Return a distribution, with its times read."""
    times = {name: _time(summary.get(name)) for name in ("start", "end")}
    return summary | times | {"values": summary.get("aggregated_values")}


def summarizer_of(result: dict[str, Any]) -> dict[str, Any]:
    """Return how values are binned and compared; 2022 has it in another field, as an object or as JSON in a text."""
    summarizer = result.get("summarizer", result.get("summarizer_meta"))
    return object_of(json.loads(summarizer) if isinstance(summarizer, str) else summarizer)


def _second_version_rows(result: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield a row for each field that was watched; the baseline is with the assay, not with its results."""
    summaries = object_of(result.get("summaries"))
    for field, scored in object_of(result.get("scores")).items():
        summary = object_of(summaries.get(field))
        bins, statistics = object_of(summary.get("bins")), object_of(summary.get("statistics"))
        mode = bins.get("mode")  # such as {"Quantile": 5}
        yield {
            **{name: result.get(name) for name in ("id", "pipeline_id", "status")},
            **{name: result.get(name) for name in ("warning_threshold", "alert_threshold")},
            **{name: object_of(scored).get(name) for name in ("score", "scores", "bin_index")},
            **{f"window_{name}": statistics.get(name) for name in _STATISTICS},
            "iopath": field,
            "aggregation": summary.get("aggregation"),
            "bin_mode": next(iter(object_of(mode)), mode),
            "window_start": _known(_time(result.get("window_start"))),
            "window_end": _time(result.get("window_end")),
            "window_edges": [edge if isinstance(edge, int | float) else None for edge in list_of(bins.get("edges"))],
            "window_edge_names": bins.get("labels"),
            "window_values": summary.get("aggregated_values"),
            "analyzed_at": _time(result.get("analyzed_at")),
        }


def _time(value: Any) -> datetime | None:
    """Return a time of an answer, a text or a number of milliseconds; digits beyond microseconds are cut off."""
    if value is None:
        return None
    if isinstance(value, int | float):
        return datetime.fromtimestamp(value / 1000, UTC)
    return in_utc(datetime.fromisoformat(value))


def _known(start: datetime | None) -> datetime:
    if start is None:
        raise ValueError("a window has no start")
    return start
