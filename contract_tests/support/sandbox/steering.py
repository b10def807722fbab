"""Helpers that control a sandbox in tests: its control routes, assays of seeded rows, and waiting."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from wallaroo_ext import contract
from wallaroo_ext.conformance.testing.assays.scenes import SUMMARIZER
from wallaroo_ext.sandbox.paths import CONTROL

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx

PIPELINE, MODEL = "watched", "model"
DAY_MS = 86_400_000
JANUARY_MS = 1_672_531_200_000
"""The first of January 2023, in milliseconds since 1970."""


def steer(http: httpx.Client, route: str, body: Any = None) -> Any:
    """Return the answer of a control route, which must succeed: to GET without a body, to POST with one."""
    path = f"{CONTROL}/{route}"
    answer = http.get(path) if body is None else http.post(path, json=body)
    assert answer.status_code == 200, answer.text
    return answer.json()


def reset(http: httpx.Client) -> None:
    """Reset the sandbox."""
    assert http.post(f"{CONTROL}/reset").status_code == 200


def done(http: httpx.Client, operation: str, body: Any) -> Any:
    """Return the answer of an operation, which must succeed."""
    answer = http.post(contract.operation(operation).path, json=body)
    assert answer.is_success, answer.text
    return answer.json()


def day(number: int, *values: float) -> list[dict[str, Any]]:
    """Return rows of a day of January 2023, one per minute."""
    begin = JANUARY_MS + (number - 1) * DAY_MS
    return [{"time": begin + 60_000 * place, "out.y": [value]} for place, value in enumerate(values)]


def seed_pipeline(http: httpx.Client) -> int:
    """Add a pipeline to the default user's workspace, and return its id."""
    [pipeline_id] = steer(http, "seed", {"pipelines": [{"name": PIPELINE, "workspace_id": 1}]})["pipelines"]
    return pipeline_id


def seed_rows(http: httpx.Client, pipeline_id: int, rows: list[dict[str, Any]]) -> None:
    """Seed rows of the pipeline."""
    steer(http, "seed", {"inferences": [{"pipeline_id": pipeline_id, "model_name": MODEL, "rows": rows}]})


def assay(pipeline_id: int, *, path: str = "output y 0", **changes: Any) -> dict[str, Any]:
    """Return an assay whose baseline is the first of January 2023 and whose windows are the days after it."""
    window: dict[str, Any] = {
        "pipeline_name": PIPELINE,
        "model_name": MODEL,
        "path": path,
        "width": "24 hours",
        "start": "2023-01-02T00:00:00Z",
        "interval": None,
        "workspace_id": 1,
        "locations": [],
    }
    older = older_assay(pipeline_id)
    del older["iopath"]
    return older | {"baseline": baseline_of(window), "window": window} | changes


def baseline_of(window: dict[str, Any]) -> dict[str, Any]:
    """Return the first of January 2023 as a baseline of what a window watches."""
    return {"calculated": {"fixed_window": window | {"start": "2023-01-01T00:00:00Z"}}}


def older_assay(pipeline_id: int, **changes: Any) -> dict[str, Any]:
    """Return the same assay as releases up to 2023.4 take it."""
    fixed = {
        "pipeline": PIPELINE,
        "model": MODEL,
        "start_at": "2023-01-01T00:00:00Z",
        "end_at": "2023-01-02T00:00:00Z",
    }
    return {
        "name": "watch",
        "pipeline_id": pipeline_id,
        "pipeline_name": PIPELINE,
        "active": True,
        "status": "active",
        "iopath": "output y 0",
        "baseline": {"Fixed": fixed},
        "window": {"pipeline": PIPELINE, "model": MODEL, "width": "24 hours"},
        "summarizer": dict(SUMMARIZER),
        "warning_threshold": None,
        "alert_threshold": 0.1,
        "run_until": None,
        "workspace_id": 1,
    } | changes


def wait_for(condition: Callable[[], bool], seconds: float = 30) -> None:
    """Wait until a condition holds."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come about"
        time.sleep(0.01)
