"""The results of assays, as a table with a row for each window."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from wallaroo_ext.errors import ContractViolationError, InvalidDataError, NotFoundError
from wallaroo_ext.operations import Steps, call_steps, synchronous

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pyarrow as pa
    from wallaroo_mlops_client import Client
    from wallaroo_mlops_client.models import AssayResult, AssaySummary

Time = datetime | str
"""A time: a `datetime`, which is UTC where it has no time zone, or a text such as `2023-01-31` or RFC 3339's form."""

_BEGINNING, _END = datetime(1970, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)
_OPERATION = "get_assay_results"
_NUMBERS = ("min", "max", "mean", "median", "std")
_SIDES = ("baseline", "window")


@synchronous
def assay_results(
    client: Client,  # noqa: ARG001 - the steps run with it
    assay_id: int,
    start: Time | None = None,
    end: Time | None = None,
    limit: int | None = None,
) -> Steps[pa.Table]:
    """Get the stored results of an assay, the oldest window first.

    The columns, of which only `window_start`, `score` and `status` are never null by the contract:

    | column | type | meaning |
    | --- | --- | --- |
    | `window_start`, `window_end` | timestamp[us, UTC] | the time of the window |
    | `score` | double | how far the window is from the baseline |
    | `status` | string | the verdict on the score by the thresholds: `Ok`, `Warning`, `Alert` |
    | `warning_threshold`, `alert_threshold` | double | above these the status is `Warning`, or `Alert` |
    | `scores` | list of double | the share of each bin in the score |
    | `bin_index` | int64 | the bin that decided the score, for a metric of one bin |
    | `iopath`, `metric`, `aggregation`, `bin_mode` | string | the watched field, and how it is compared |
    | `baseline_…`, `window_…` | | the two distributions: |
    | `…_count` | int64 | how many values there are |
    | `…_min`, `…_max`, `…_mean`, `…_median`, `…_std` | double | statistics of the values |
    | `…_edges` | list of double | the upper edge of each bin; the last one has none |
    | `…_edge_names` | list of string | the names of the bins |
    | `…_values` | list of double | the compared value of each bin, by the aggregation |
    | `baseline_start`, `baseline_end` | timestamp[us, UTC] | the time of the baseline |
    | `analyzed_at` | timestamp[us, UTC] | when it was computed |
    | `id`, `assay_id`, `pipeline_id` | int64 | of the result, the assay, the pipeline |

    `results_table` makes the same table from the results that `run_interactive_assay` computes.

    Source: mlops-api-tutorial, "Get Assay Results".

    Args:
        client: What `connect` gave.
        assay_id: The assay's id.
        start: The earliest time at which a window may begin.
        end: The time before which windows begin.
        limit: How many windows to get at most; these are the newest.

    Raises:
        InvalidDataError: A time cannot be read, or the limit is below 1.
        NotFoundError: The instance serves assay results at neither of the known paths.
        InvalidRequestError: There is no such assay.
    """
    if limit is not None and limit < 1:
        raise InvalidDataError(f"`limit` is the number of windows, 1 or more, not {limit}.")
    begin, until = _time("start", start), _time("end", end)
    try:
        results = yield from _documented(assay_id, begin, until, limit)
    except NotFoundError:
        results = yield from _newer(assay_id, begin or _BEGINNING, until or _END)
    table = results_table(results)
    return table if limit is None else table.slice(max(0, table.num_rows - limit))


def _documented(
    assay_id: int, start: datetime | None, end: datetime | None, limit: int | None
) -> Steps[list[AssayResult]]:
    from wallaroo_mlops_client.api.assays import get_assay_results
    from wallaroo_mlops_client.models import GetAssayResultsRequest
    from wallaroo_mlops_client.types import UNSET

    body = GetAssayResultsRequest(
        assay_id=assay_id,
        start=start.isoformat() if start else UNSET,
        end=end.isoformat() if end else UNSET,
        limit=limit or UNSET,
    )
    return (yield from call_steps(get_assay_results, body=body))


def _newer(assay_id: int, start: datetime, end: datetime) -> Steps[list[AssayResult]]:
    """Return the results as newer instances serve them: between two times, all of them."""
    from wallaroo_mlops_client.api.assays import get_assay_results_between
    from wallaroo_mlops_client.models import GetAssayResultsBetweenRequest

    body = GetAssayResultsBetweenRequest(assay_id=assay_id, start=start.isoformat(), end=end.isoformat())
    return (yield from call_steps(get_assay_results_between, body=body))


def results_table(results: Sequence[AssayResult]) -> pa.Table:
    """Return results of an assay as a table, the oldest window first; see `assay_results` for its columns.

    Args:
        results: What `run_interactive_assay` or `get_assay_results` gave.

    Raises:
        ContractViolationError: A value is of a wrong type.
    """
    import pyarrow as pa

    try:
        rows = sorted((_row(result) for result in results), key=lambda row: row["window_start"])
        return pa.Table.from_pylist(rows, schema=results_schema())
    except (ValueError, TypeError, pa.ArrowException) as error:
        raise ContractViolationError(
            f"{_OPERATION}: a result breaks the contract, {error}.", operation=_OPERATION, status=200
        ) from error


def results_schema() -> pa.Schema:
    """Return the columns of `assay_results`, with their types."""
    import pyarrow as pa

    time, number, count, text = pa.timestamp("us", "UTC"), pa.float64(), pa.int64(), pa.string()
    numbers, texts = pa.list_(number), pa.list_(text)
    fields: list[tuple[str, Any]] = [
        ("window_start", time),
        ("window_end", time),
        ("score", number),
        ("status", text),
        ("warning_threshold", number),
        ("alert_threshold", number),
        ("scores", numbers),
        ("bin_index", count),
        *((name, text) for name in ("iopath", "metric", "aggregation", "bin_mode")),
    ]
    for side in _SIDES:
        fields += [(f"{side}_count", count), *((f"{side}_{name}", number) for name in _NUMBERS)]
        fields += [(f"{side}_edges", numbers), (f"{side}_edge_names", texts), (f"{side}_values", numbers)]
    fields += [(name, time) for name in ("baseline_start", "baseline_end", "analyzed_at")]
    return pa.schema(fields + [(name, count) for name in ("id", "assay_id", "pipeline_id")])


def _row(result: AssayResult) -> dict[str, Any]:
    from wallaroo_mlops_client.types import Unset

    summaries = (result.baseline_summary, result.window_summary)
    baseline, window = ({} if isinstance(each, Unset) else _summary(each) for each in summaries)
    summarizer: Any = {} if isinstance(result.summarizer, Unset) else result.summarizer.to_dict()
    return (
        {name: value for name, value in result.to_dict().items() if name not in {"baseline_summary", "window_summary"}}
        | {f"baseline_{name}": value for name, value in baseline.items()}
        | {f"window_{name}": value for name, value in window.items()}
        | {name: summarizer.get(name) for name in ("metric", "aggregation", "bin_mode")}
        | {
            "window_start": _parsed(result.window_start),
            "window_end": window.get("end"),
            "analyzed_at": None if isinstance(result.analyzed_at, Unset) else _parsed(result.analyzed_at),
        }
    )


def _summary(summary: AssaySummary) -> dict[str, Any]:
    """Return a distribution, with its times read."""
    fields: dict[str, Any] = summary.to_dict()
    times = {name: _parsed(fields.get(name)) for name in ("start", "end")}
    return fields | times | {"values": fields.get("aggregated_values")}


def _parsed(text: str | None) -> datetime | None:
    """Return a time of an answer; digits beyond microseconds are cut off."""
    return None if text is None else _in_utc(datetime.fromisoformat(text))


def _time(name: str, value: object) -> datetime | None:
    """Return a time that a user gave."""
    if value is None or isinstance(value, datetime):
        return None if value is None else _in_utc(value)
    try:
        return _in_utc(datetime.fromisoformat(value))  # pyright: ignore[reportArgumentType] - TypeError is caught
    except (ValueError, TypeError):
        raise InvalidDataError(
            f"`{name}` is a datetime, or a text such as 2023-01-31T12:00:00Z, not {value!r}."
        ) from None


def _in_utc(time: datetime) -> datetime:
    return time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)
