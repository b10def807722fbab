"""Reading and setting the sandbox's clock."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from wallaroo_ext.sandbox.assays.scheduled import recheck_empty_windows
from wallaroo_ext.sandbox.control.routes import Action, json_body
from wallaroo_ext.sandbox.http.problems import bad_request
from wallaroo_ext.sandbox.storage.clock import ClockOutOfRangeError

if TYPE_CHECKING:
    from wallaroo_ext.sandbox.assays.scheduled import CaughtUp
    from wallaroo_ext.sandbox.control.routes import ControlCall
    from wallaroo_ext.sandbox.storage.clock import Clock

_SECOND_NS = 1_000_000_000
_TIME = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)", re.ASCII)
_MAX_SECONDS = 10_000_000_000
_BODY = {
    "type": "object",
    "properties": {
        "now": {"type": "string"},
        "advance": {"type": "number", "minimum": -_MAX_SECONDS, "maximum": _MAX_SECONDS},
        "reset": {"const": True},
    },
    "additionalProperties": False,
}


def shown_clock(clock: Clock) -> dict[str, Any]:
    """Return the sandbox's time, and by how many seconds it is ahead of the real time."""
    return {"now": clock.now_text(), "ahead_seconds": clock.offset_ns / _SECOND_NS}


def _show(call: ControlCall) -> dict[str, Any]:
    return shown_clock(call.instance.clock)


def _set(call: ControlCall) -> dict[str, Any]:
    """Set the clock, and run the assays that are due before and after the change.

    When the clock is set back, results and logged inferences stay.
    """
    if len(call.body) != 1:
        raise bad_request("The body has one of three fields: now, advance or reset.")
    instance = call.instance
    instance.engine.wait_for_libraries()
    before = instance.clock.offset_ns
    runs = instance.scheduled_assays.catch_up_all()
    _apply(instance.clock, call.body)
    if instance.clock.offset_ns < before:
        with instance.store.transaction() as db:
            recheck_empty_windows(db)
    runs += instance.scheduled_assays.catch_up_all()
    return shown_clock(instance.clock) | {"assays": _shown_runs(runs)}


def _apply(clock: Clock, body: dict[str, Any]) -> None:
    try:
        if "now" in body:
            clock.set_to(_nanoseconds(body["now"]))
        elif "advance" in body:
            clock.advance(round(body["advance"] * _SECOND_NS))
        else:
            clock.reset()
    except ClockOutOfRangeError as error:
        raise bad_request(str(error)) from None


def _nanoseconds(text: str) -> int:
    """Parse a time in the form of RFC 3339, and return it in nanoseconds since 1970.

    Raises:
        Problem: 400, if the text is no such time.
    """
    from wallaroo_ext.sandbox.assays.windows import parse_time

    if not _TIME.fullmatch(text):
        raise bad_request(f"now: {text!r} is no time of RFC 3339, such as 2023-01-31T12:00:00Z.")
    return parse_time(text) * 1000


def _shown_runs(runs: list[CaughtUp]) -> list[dict[str, Any]]:
    """Return for each assay that was due how many windows got a result, and why it cannot run, if so."""
    shown: dict[int, dict[str, Any]] = {}
    for run in runs:
        entry = shown.setdefault(run.assay_id, {"assay_id": run.assay_id, "results": 0, "error": None})
        entry["results"] += run.results
        entry["error"] = run.problem
    return list(shown.values())


ACTIONS = {"GET": Action(_show), "POST": Action(_set, json_body(_BODY))}
