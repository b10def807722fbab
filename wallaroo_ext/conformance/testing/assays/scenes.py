"""Rows that a run scores for the tests of assays, at two times, and requests of assays whose windows have them."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from wallaroo_ext import infer
from wallaroo_ext._util.json_values import list_of, object_of
from wallaroo_ext.conformance.resources.fixtures import assay_request, second_assay_request
from wallaroo_ext.conformance.resources.samples import INPUT, OUTPUT, WIDTH, scored
from wallaroo_ext.conformance.testing.waiting import Patience

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from wallaroo_ext.conformance.resources.fixtures import Fixtures
    from wallaroo_ext.conformance.suite import Suite
    from wallaroo_ext.conformance.testing.api_calls import Api

    Array = np.ndarray[Any, np.dtype[Any]]

SECOND = timedelta(seconds=1)
MANY = 46
LOG_SECONDS = 10
"""How long it may take until rows are in the log."""
SUMMARIZER: dict[str, Any] = {
    "type": "UnivariateContinuous",
    "bin_mode": "Quantile",
    "aggregation": "Density",
    "metric": "PSI",
    "num_bins": 5,
    "bin_weights": None,
    "bin_width": None,
    "provided_edges": None,
    "add_outlier_edges": True,
}

COMPARED = ("score", "scores", "status", "window_summary", "summaries", "summarizer", "window_end")
"""What is the same of two results that come from the same rows, in either version."""
ORIGINS = ("place", "model")
"""What rows are chosen by, of which the tests name one that there is not."""

Kept: TypeAlias = "list[tuple[str, Callable[[], list[dict[str, Any]]], list[dict[str, Any]], float]]"
"""What was read of stored results: by which operation, how it is read again, the results, and when they were read."""


@dataclass(frozen=True, slots=True)
class Scored:
    """Rows that were scored at one time, and nothing else a second after them.

    Attributes:
        at: When, by the instance's clock.
        inputs: The rows, `[N, width]`, as float32 has them.
        outputs: The outputs that the instance answered.
    """

    at: datetime
    inputs: Array
    outputs: Array


@dataclass(frozen=True, slots=True)
class Scene:
    """The rows that the tests of assays look at: many, and a second later a single one.

    Attributes:
        many: The rows of the first second.
        one: The row of a second that begins more than a second later.
        done: When the last second was over, by `time.monotonic`.
    """

    many: Scored
    one: Scored
    done: float

    @property
    def now(self) -> datetime:
        """The time by the instance's clock."""
        return self.one.at + timedelta(seconds=time.monotonic() - self.done) + SECOND

    @property
    def outputs(self) -> Array:
        """The outputs of all rows."""
        return np.concatenate([self.many.outputs, self.one.outputs])


def make_scene(api: Api, fixtures: Fixtures, suite: Suite) -> Scene:
    """Score rows, and return them once their seconds are over."""
    rows = np.random.default_rng(5).normal(scale=0.003, size=(MANY + 1, WIDTH)).astype(np.float32)
    time.sleep(0.01)  # so that no other row has the same millisecond
    many = score(suite, fixtures, rows[:MANY])
    time.sleep(1.02)
    one = score(suite, fixtures, rows[MANY:])
    time.sleep(1.02)
    scene = Scene(many, one, time.monotonic())
    wait_for_log(api, fixtures, one)
    return scene


def results_v2(api: Api, assay_id: str, **more: Any) -> list[dict[str, Any]]:
    """Return stored results of an assay of the second version: the answer is a list, or one result.

    Args:
        api: The operations.
        assay_id: The assay's UUID.
        more: Further fields of the request, such as `start` and `end`.
    """
    found = api.call("get_assay_results_v2", {"id": assay_id} | more)
    return list_of(found) if isinstance(found, list) else [found]


def wait_for_log(api: Api, fixtures: Fixtures, of: Scored) -> None:
    """Wait until rows are logged; not long, because whether they are is no matter of this test."""
    span = {"start": (of.at - timedelta(milliseconds=2)).isoformat(), "end": (of.at + SECOND).isoformat()}
    where = {"workspace_id": fixtures.workspace_id, "pipeline_name": fixtures.name}
    patience = Patience(LOG_SECONDS)
    while not api.call("get_assay_baseline", where | span) and patience.lasts():
        pass


def score(suite: Suite, fixtures: Fixtures, rows: Array) -> Scored:
    """Score rows, and return them with their time and the outputs, which have to be those of the model."""
    import pyarrow as pa

    assert fixtures.deployment is not None, "rows need a deployment"  # noqa: S101 - callers have made it
    found = infer(suite.client, fixtures.deployment, {INPUT: rows})
    milliseconds: list[Any] = found.column("time").cast(pa.int64()).to_pylist()
    outputs = np.array(found.column(f"out.{OUTPUT}").to_pylist(), np.float64).ravel()
    expected = scored(rows).ravel()
    is_right = outputs.shape == expected.shape and np.allclose(outputs, expected, rtol=1e-4, atol=1e-7)
    assert is_right, "the outputs are not those of the model"  # noqa: S101 - pytest's way to fail
    assert len(set(milliseconds)) == 1, "rows of one request have one time"  # noqa: S101 - pytest's way to fail
    return Scored(datetime.fromtimestamp(milliseconds[0] / 1000, UTC), rows.astype(np.float64), outputs)


def counts_in(value: Any) -> list[int]:
    """Return how many values the distributions in an answer have."""
    fields = object_of(value)
    own = [fields["count"]] if isinstance(fields.get("count"), int) else []
    return [*own, *(found for inner in (*fields.values(), *list_of(value)) for found in counts_in(inner))]


def instant(text: str) -> datetime:
    """Return the time that an answer tells."""
    return datetime.fromisoformat(text).astimezone(UTC)


def is_near(moment: datetime, expected: datetime) -> bool:
    """Return whether two times are the same millisecond."""
    return abs(moment - expected) < timedelta(milliseconds=1)


def request_of(fixtures: Fixtures, scene: Scene, start: datetime | None, **changes: Any) -> dict[str, Any]:
    """Return the request of an assay whose baseline are the many rows.

    Args:
        fixtures: The things of the run.
        scene: The rows.
        start: When the first window begins; None to leave it open.
        **changes: Other values of fields; `summarizer` has only what differs from `SUMMARIZER`.
    """
    request = assay_request(fixtures)
    window: dict[str, Any] = request["window"] | {"start": None if start is None else start.isoformat()}
    begin, end = (scene.many.at + offset for offset in (timedelta(0), SECOND))
    if fixtures.forms.fixed_baselines:
        fixed: dict[str, Any] = request["baseline"]["Fixed"]
        baseline = {"Fixed": fixed | {"start_at": begin.isoformat(), "end_at": end.isoformat()}}
    else:
        baseline = {"calculated": {"fixed_window": window | {"start": begin.isoformat()}}}
    until = {"run_until": (scene.one.at + SECOND).isoformat()}
    made = request | until | {"baseline": baseline, "window": window} | changes
    return made | {"summarizer": SUMMARIZER | changes.get("summarizer", {})}


def origin_field(origin: str, name: str, *, model: str = "model_name") -> dict[str, Any]:
    """Return the field that chooses rows by one of `ORIGINS`; `model` is what the field of a model is called."""
    return {"locations": [name]} if origin == "place" else {model: name}


def unlike(found: Any, expected: Any, path: str = "$") -> Iterator[str]:
    """Yield where values differ by more than the last digits of numbers, for a person."""
    if isinstance(expected, dict) and object_of(found).keys() == object_of(expected).keys():
        for name, value in object_of(expected).items():
            yield from unlike(found[name], value, f"{path}.{name}")
    elif isinstance(expected, list) and len(list_of(found)) == len(list_of(expected)):
        for number, value in enumerate(list_of(expected)):
            yield from unlike(found[number], value, f"{path}[{number}]")
    elif isinstance(expected, float) and isinstance(found, int | float):
        if not math.isclose(found, expected, rel_tol=1e-7, abs_tol=1e-9):
            yield f"{path} is {found} in place of {expected}"
    elif found != expected:
        yield f"{path} is {found!r} in place of {expected!r}"


def unlike_results(found: dict[str, Any], expected: dict[str, Any]) -> list[str]:
    """Return where two results differ in what they say of a window."""
    return [each for name in COMPARED for each in unlike(found.get(name), expected.get(name), name)]


def baseline_of(request: dict[str, Any]) -> dict[str, Any]:
    """Return the request for the baseline of an assay of the second version."""
    return {name: request[name] for name in ("baseline", "summarizer", "targeting")}


def preview_of(fixtures: Fixtures, scene: Scene, way: dict[str, Any] | None = None, **watched: Any) -> dict[str, Any]:
    """Return the request for a preview of the many rows, which are the baseline, too.

    Args:
        fixtures: The things of the run.
        scene: The rows.
        way: What differs of how they are binned and compared.
        **watched: What differs of the watched value.
    """
    usual = second_assay_request(fixtures)
    start, end = (at.isoformat() for at in (scene.many.at, scene.many.at + SECOND))
    summarizer = {"UnivariateContinuous": usual["summarizer"]["UnivariateContinuous"] | (way or {})}
    targeting = usual["targeting"] | {"iopath": [usual["targeting"]["iopath"][0] | watched]}
    times = {"preview_start": start, "preview_end": end, "baseline": {"Static": [start, end]}}
    return usual | times | {"summarizer": summarizer, "targeting": targeting}
