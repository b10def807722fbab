"""The enabled features of the instance."""

from __future__ import annotations

from typing import Any

from wallaroo_ext.sandbox.handlers.calls import Call, handles_on_event_loop


@handles_on_event_loop
def list_features(call: Call) -> dict[str, Any]:
    """Return the instance's name and features, whose values are texts, as recorded."""
    _ = call.user  # refuses a token without a user
    return {"features": {"plateau": "true"}, "name": "Wallaroo Sandbox", "is_auth_enabled": True}
