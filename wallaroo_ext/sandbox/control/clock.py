"""Asking what time it is in the sandbox, and setting its clock."""

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
_LONGEST_SECONDS = 10_000_000_000
_BODY = {
    "type": "object",
    "properties": {
        "now": {"type": "string"},
        "advance": {"type": "number", "minimum": -_LONGEST_SECONDS, "maximum": _LONGEST_SECONDS},
        "reset": {"const": True},
    },
    "additionalProperties": False,
}


def shown_clock(clock: Clock) -> dict[str, Any]:
    """Return the time, and how many seconds it is ahead of the real one."""
    return {"now": clock.now_text(), "ahead_seconds": clock.offset_ns / _SECOND_NS}


def _show(call: ControlCall) -> dict[str, Any]:
    return shown_clock(call.instance.clock)


def _set(call: ControlCall) -> dict[str, Any]:
    """Set the clock, forward or back, and run the assays that are due by the time that it leaves and by the new one.

    What was computed and logged stays when the clock goes back.
    """
    if len(call.body) != 1:
        raise bad_request("The body has one of three fields: now, advance or reset.")
    instance = call.instance
    instance.engine.wait_for_libraries()
    before = instance.clock.offset_ns
    done = instance.scheduled_assays.catch_up_all()
    _apply(instance.clock, call.body)
    if instance.clock.offset_ns < before:
        with instance.store.transaction() as db:
            recheck_empty_windows(db)
    done += instance.scheduled_assays.catch_up_all()
    return shown_clock(instance.clock) | {"assays": _shown_runs(done)}


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
    """Return a time as RFC 3339 writes it, in nanoseconds since 1970.

    Raises:
        Problem: 400, where it is none.
    """
    from wallaroo_ext.sandbox.assays.windows import parse_time

    if not _TIME.fullmatch(text):
        raise bad_request(f"now: {text!r} is no time of RFC 3339, such as 2023-01-31T12:00:00Z.")
    return parse_time(text) * 1000


def _shown_runs(done: list[CaughtUp]) -> list[dict[str, Any]]:
    """Return what was run: how many windows of each assay got a result, or why it cannot be run."""
    shown: dict[int, dict[str, Any]] = {}
    for run in done:
        entry = shown.setdefault(run.assay_id, {"assay_id": run.assay_id, "results": 0, "error": None})
        entry["results"] += run.results
        entry["error"] = run.problem
    return list(shown.values())


ACTIONS = {"GET": Action(_show), "POST": Action(_set, json_body(_BODY))}
