"""The results of assays, as a table with a row for each window."""

from __future__ import annotations

from contextlib import suppress
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from uuid import UUID

from wallaroo_ext._util.quantities import read_limit, whole_number
from wallaroo_ext._util.times import BEGINNING, END, Time, read_span
from wallaroo_ext.assays.result_forms import rows_of
from wallaroo_ext.errors import ApiError, ContractViolationError, InvalidDataError, WallarooError
from wallaroo_ext.operations import Steps, call_steps, synchronous
from wallaroo_ext.resources.pipelines import pipelines_steps
from wallaroo_ext.transport.response_errors import NOT_SERVED

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    import pyarrow as pa
    from wallaroo_mlops_client import Client
    from wallaroo_mlops_client.models import AssayResult, AssayResultV2

_OPERATION = "get_assay_results"
_NUMBERS = ("min", "max", "mean", "median", "std")
_SEARCHED, _SHOWN = 20, 10
"""In how many pipelines assays are looked for, and how many are named, in an error."""
_SIDES = ("baseline", "window")


@synchronous
def assay_results(
    client: Client,  # noqa: ARG001 - the steps run with it
    assay_id: int | str,
    start: Time | None = None,
    end: Time | None = None,
    limit: int | None = None,
) -> Steps[pa.Table]:
    """Get the stored results of an assay, the oldest window first.

    The instance is asked as its release serves them: at the documented path, or where it has none or answers an
    "unknown error", at that of newer releases. An assay of the second version has a UUID, and a row for each field that
    it watches, without a metric and a baseline, which are with the assay.

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
    | `id`, `assay_id`, `pipeline_id` | int64 | of the result, the assay (null for a UUID), the pipeline |

    `results_table` makes the same table from the results that `run_interactive_assay` computes.

    Source: mlops-api-tutorial, "Get Assay Results".

    Args:
        client: What `connect` gave.
        assay_id: The assay's id: a number, or a UUID.
        start: The earliest time at which a window may begin.
        end: The time before which windows begin.
        limit: How many windows to get at most; these are the newest.

    Raises:
        InvalidDataError: A time cannot be read, the end is before the start, the limit is no whole number from 1 on, or
            the id is neither a number nor a UUID.
        NotFoundError: The instance serves assay results at neither of the known paths.
        InvalidRequestError: There is no such assay.
    """
    most = read_limit(limit, "windows")
    begin, until = read_span(start, end)
    known = _read_id(assay_id)
    if isinstance(known, str):
        return _between((yield from _second_version(known, begin)), begin, until, most)
    table = yield from _first_version(known, begin, until, most)
    return table if most is None else table.slice(max(0, table.num_rows - most))


def _read_id(assay_id: object) -> int | str:
    """Return the number or the UUID of an assay."""
    with suppress(ValueError):
        if isinstance(assay_id, str) and UUID(assay_id):
            return assay_id
    number = whole_number(assay_id)
    if number is None:
        raise InvalidDataError(f"An assay has a number or a UUID, not {assay_id!r}.")
    return number


def _first_version(assay_id: int, start: datetime | None, end: datetime | None, limit: int | None) -> Steps[pa.Table]:
    """Return the results as the instance's release serves them."""
    try:
        return (yield from _documented(assay_id, start, end, limit))
    except ApiError as error:
        if not _may_be_served_elsewhere(error):
            yield from _name_assays_steps(error)
            raise
        documented = error
    try:
        return (yield from _newer(assay_id, start or BEGINNING, end or END))
    except ApiError as error:
        if error.status in NOT_SERVED and documented.status not in NOT_SERVED:
            raise documented from None  # the release has the documented path, which failed
        raise


def _name_assays_steps(error: ApiError) -> Steps[None]:
    """Let the error of an assay that is not there name those that are, as far as the instance tells."""
    if error.status != HTTPStatus.BAD_REQUEST:
        return
    try:
        known = yield from _assays_steps()
    except WallarooError:  # such as an older release's, which lists no pipelines
        return
    none = "There are none: `wallaroo-ext call create_assay --example` prints a body to make one with."
    error.advice = f"There are: {', '.join(known)}." if known else none


def _assays_steps() -> Steps[list[str]]:
    """Return the ids of assays, each with its name and its pipeline."""
    from wallaroo_mlops_client.api.assays import list_assays
    from wallaroo_mlops_client.models import ListAssaysRequest

    found: dict[int, str] = {}
    for pipeline in (yield from pipelines_steps(None))[:_SEARCHED]:
        listed = yield from call_steps(list_assays, body=ListAssaysRequest(pipeline_id=pipeline.id))
        found |= {
            assay.id: f"{assay.id} ({assay.name!r} of {assay.pipeline_name or pipeline.name})" for assay in listed
        }
    return [found[number] for number in sorted(found)][:_SHOWN]


def _may_be_served_elsewhere(error: ApiError) -> bool:
    """Return whether an error is one of a release that serves results at another path.

    2023.4 was recorded to answer 500 "unknown error." at the documented path.
    """
    is_unknown = (error.msg or "").casefold().startswith("unknown error")
    return error.status in NOT_SERVED or (error.status == HTTPStatus.INTERNAL_SERVER_ERROR and is_unknown)


def _documented(assay_id: int, start: datetime | None, end: datetime | None, limit: int | None) -> Steps[pa.Table]:
    from wallaroo_mlops_client.api.assays import get_assay_results
    from wallaroo_mlops_client.models import GetAssayResultsRequest
    from wallaroo_mlops_client.types import UNSET

    body = GetAssayResultsRequest(
        assay_id=assay_id,
        start=start.isoformat() if start else UNSET,
        end=end.isoformat() if end else UNSET,
        limit=limit or UNSET,
    )
    return results_table((yield from call_steps(get_assay_results, body=body)))


def _newer(assay_id: int, start: datetime, end: datetime) -> Steps[pa.Table]:
    """Return the results as newer instances serve them: between two times, all of them."""
    from wallaroo_mlops_client.api.assays import get_assay_results_between
    from wallaroo_mlops_client.models import GetAssayResultsBetweenRequest

    body = GetAssayResultsBetweenRequest(assay_id=assay_id, start=start.isoformat(), end=end.isoformat())
    return results_table((yield from call_steps(get_assay_results_between, body=body)), "get_assay_results_between")


def _second_version(assay_id: str, start: datetime | None) -> Steps[pa.Table]:
    """Return the results of an assay of the second version, of all windows that end after a time."""
    from wallaroo_mlops_client.api.assays import get_assay_results_v2
    from wallaroo_mlops_client.models import GetAssayResultsV2Request
    from wallaroo_mlops_client.types import UNSET

    body = GetAssayResultsV2Request(id=assay_id, start=start.isoformat() if start else UNSET)
    answer = yield from call_steps(get_assay_results_v2, body=body)
    return results_table(answer if isinstance(answer, list) else [answer], "get_assay_results_v2")


def _between(table: pa.Table, start: datetime | None, end: datetime | None, limit: int | None) -> pa.Table:
    """Return the rows of the newest windows that begin between two times.

    The second version of the assays goes by the windows' ends, and a window has a row for each field.
    """
    import pyarrow as pa

    begins: list[Any] = table.column("window_start").to_pylist()
    within = {time for time in begins if (start is None or start <= time) and (end is None or time < end)}
    newest = set(sorted(within)[-(limit or 0) :])
    return table.filter(pa.array([time in newest for time in begins], pa.bool_()))


def results_table(results: Sequence[AssayResult | AssayResultV2], operation: str = _OPERATION) -> pa.Table:
    """Return results of an assay as a table, the oldest window first; see `assay_results` for its columns.

    Args:
        results: What `run_interactive_assay`, `get_assay_results` or `get_assay_results_v2` gave, of any release.
        operation: Which operation of the contract gave them, for the error.

    Raises:
        ContractViolationError: A value is of a wrong type.
    """
    import pyarrow as pa

    try:
        found = [row for result in results for row in rows_of(result.to_dict())]
        rows = sorted(found, key=lambda row: row["window_start"])
        return pa.Table.from_pylist(rows, schema=results_schema())
    except (
        ValueError,
        TypeError,
        OverflowError,
        OSError,
        pa.ArrowException,
    ) as error:  # a time may be beyond a year 9999
        raise ContractViolationError(
            f"{operation}: a result breaks the contract, {error}.", operation=operation, status=200
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
