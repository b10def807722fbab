"""Choosing how a sandbox behaves: how deployments and model conversions end, and which requests fail."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from wallaroo_ext.sandbox.control.routes import Action, json_body
from wallaroo_ext.sandbox.engine.transitions import CONVERTED, LOADED, Transition

if TYPE_CHECKING:
    from wallaroo_ext.sandbox.control.routes import ControlCall
    from wallaroo_ext.sandbox.engine.transitions import Transitions

_DAY_SECONDS = 86_400


def _transition_schema(*statuses: str) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {
            "seconds": {"type": "number", "minimum": 0, "maximum": _DAY_SECONDS},
            "status": {"enum": list(statuses)},
            "reason": {"type": "string", "minLength": 1},
        },
        "additionalProperties": False,
    }


_TRANSITIONS_BODY = {
    "type": "object",
    "properties": {
        "deployments": _transition_schema("Running", "Error", "Starting"),
        "models": _transition_schema("ready", "error"),
    },
    "additionalProperties": False,
}


_FAULTS_BODY = {
    "type": "object",
    "properties": {"rules": {"type": "array", "items": {"type": "object"}}},
    "required": ["rules"],
    "additionalProperties": False,
}


def shown_transitions(transitions: Transitions) -> dict[str, Any]:
    """Return the transitions as a request may have them."""
    return {"deployments": _shown(transitions.deployments), "models": _shown(transitions.models)}


def _shown(transition: Transition) -> dict[str, Any]:
    shown: dict[str, Any] = {"seconds": transition.seconds, "status": transition.status}
    return shown | ({"reason": transition.reason} if transition.status in {"Error", "error"} else {})


def _show_transitions(call: ControlCall) -> dict[str, Any]:
    return shown_transitions(call.instance.engine.transitions)


def _set_transitions(call: ControlCall) -> dict[str, Any]:
    """Set what the body names; of that, what it leaves out is as in a new sandbox."""
    transitions = call.instance.engine.transitions
    if "deployments" in call.body:
        transitions.deployments = _transition(call.body["deployments"], LOADED)
    if "models" in call.body:
        transitions.models = _transition(call.body["models"], CONVERTED)
    return shown_transitions(transitions)


def _transition(fields: dict[str, Any], usual: Transition) -> Transition:
    return Transition(
        seconds=float(fields.get("seconds", usual.seconds)),
        status=fields.get("status", usual.status),
        reason=fields.get("reason", usual.reason),
    )


def _list_faults(call: ControlCall) -> dict[str, Any]:
    """Return the rules, with how often each was applied."""
    return {"rules": call.instance.faults.list()}


def _add_faults(call: ControlCall) -> dict[str, Any]:
    """Return all rules, those of the body behind those that were there."""
    call.instance.faults.add(call.body["rules"])
    return _list_faults(call)


def _clear_faults(call: ControlCall) -> dict[str, Any]:
    """Return no rules."""
    call.instance.faults.clear()
    return _list_faults(call)


TRANSITION_ACTIONS = {"GET": Action(_show_transitions), "POST": Action(_set_transitions, json_body(_TRANSITIONS_BODY))}
FAULT_ACTIONS = {
    "GET": Action(_list_faults),
    "POST": Action(_add_faults, json_body(_FAULTS_BODY)),
    "DELETE": Action(_clear_faults),
}
