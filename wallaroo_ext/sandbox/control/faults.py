"""Steering how a sandbox fails: its rules, more of them, and none."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from wallaroo_ext.sandbox.control.routes import Action, json_body

if TYPE_CHECKING:
    from wallaroo_ext.sandbox.control.routes import ControlCall

_RULES = {
    "type": "object",
    "properties": {"rules": {"type": "array", "items": {"type": "object"}}},
    "required": ["rules"],
    "additionalProperties": False,
}


def _listed(call: ControlCall) -> dict[str, Any]:
    """Return the rules, with how often each was applied."""
    return {"rules": call.instance.faults.list()}


def _added(call: ControlCall) -> dict[str, Any]:
    """Return all rules, those of the body behind those that were there."""
    call.instance.faults.add(call.body["rules"])
    return _listed(call)


def _cleared(call: ControlCall) -> dict[str, Any]:
    """Return no rules."""
    call.instance.faults.clear()
    return _listed(call)


ACTIONS = {"GET": Action(_listed), "POST": Action(_added, json_body(_RULES)), "DELETE": Action(_cleared)}
