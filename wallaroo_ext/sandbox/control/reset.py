"""Making a sandbox new again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from wallaroo_ext.sandbox.control.routes import Action

if TYPE_CHECKING:
    from wallaroo_ext.sandbox.control.routes import ControlCall


def _reset(call: ControlCall) -> dict[str, Any]:
    """Nothing is left but what a client needs to go on: the default user, the credentials and the signing keys."""
    call.instance.reset()
    return {}


ACTIONS = {"POST": Action(_reset, alone=True)}
